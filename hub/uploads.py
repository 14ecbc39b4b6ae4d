"""A list between its preview and its being taken: kept in the hub's folder for half an hour, sealed.

Whole names stand in such a list, and the hub keeps them nowhere in the clear. So the file is sealed (XSalsa20-Poly1305) with a
key that only the session's cookie of its reader holds: what a crash leaves behind, or a backup copies, opens for nobody. To ask
for the file again would need no file here, yet a page can't choose a file for its reader: they would pick it twice each time.
"""

import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from contract.codec import BadMessage
from contract.sealing import b64, unb64
from hub.registry.errors import RegistryError

KEPT = timedelta(minutes=30)
FOLDER = "uploads"


class Gone(RegistryError):
    """There is no such list any more: too old, taken already, or another one came after it."""


def keep(folder: Path, account: str, data: bytes, now: datetime) -> str:
    """Keep an account's list in place of its earlier one; the key by which alone it can be had again. Raises `OSError`."""
    home = folder / FOLDER
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    purge(folder, now)
    key = secrets.token_bytes(SecretBox.KEY_SIZE)
    fresh = home / f"{account}.{secrets.token_hex(8)}.new"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(SecretBox(key).encrypt(data))
    os.utime(fresh, (now.timestamp(), now.timestamp()))
    fresh.replace(home / account)
    return b64(key)


def take(folder: Path, account: str, key: str, now: datetime) -> bytes:
    """The very bytes that were kept. Raises `Gone`."""
    file = folder / FOLDER / account
    try:
        if now - KEPT > datetime.fromtimestamp(file.stat().st_mtime, now.tzinfo):
            raise Gone("the list was kept for half an hour, which is over: choose the file again")
        return SecretBox(unb64(key)).decrypt(file.read_bytes())
    except Gone:
        raise
    except (OSError, CryptoError, BadMessage, ValueError, TypeError):
        raise Gone("the list is not kept any more: choose the file again") from None


def drop(folder: Path, account: str) -> None:
    """Forget an account's list."""
    (folder / FOLDER / account).unlink(missing_ok=True)


def purge(folder: Path, now: datetime) -> None:
    """Forget every list that is too old; harmless at any time."""
    home = folder / FOLDER
    for file in home.iterdir() if home.is_dir() else ():
        try:
            if now - KEPT > datetime.fromtimestamp(file.stat().st_mtime, now.tzinfo):
                file.unlink()
        except FileNotFoundError:  # another process was first
            continue
