"""Private keys at rest: encrypted under a secret in a file of its own, so that a copy of the store alone is worth nothing.

AES-256-GCM (NIST SP 800-38D) under a key derived from the secret (HKDF, RFC 5869), with the key's id and use as associated data,
so that no row can stand in another's place.
"""

import os
import stat
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contract.codec import BadMessage
from contract.sealing import b64, unb64
from hub.config import Located
from hub.registry.errors import RegistryError
from hub.revocations import keep_log
from hub.store import open_store

CREDENTIAL = "secret.key"
"""The name by which systemd hands the secret over (LoadCredential=, systemd.exec(5))."""
_OPTION = "gatepost_vault"
_MARK, _NONCE, _SECRET, _RAW = b"\x01", 12, 32, 32


class Vault:
    """Seals and opens private keys. The secret is read when it is first needed."""

    def __init__(self, path: Path, *, handed_over: bool = False) -> None:
        """`handed_over`: by systemd, which lets the service alone in by an access list, and shows that as rights of the group."""
        self.path, self._forbidden = path, 0o007 if handed_over else 0o077
        self._cipher: AESGCM | None = None

    def seal(self, kid: str, use: str, private: bytes) -> bytes:
        """A raw private key as it is stored. Raises `RegistryError` without a usable secret."""
        nonce = os.urandom(_NONCE)
        return _MARK + nonce + self._ready().encrypt(nonce, private, _about(kid, use))

    def open(self, kid: str, use: str, stored: bytes) -> bytes:
        """The raw private key. Raises `RegistryError` when secret, key id or use are not those it was sealed with."""
        cipher, nonce, sealed = self._ready(), stored[1 : 1 + _NONCE], stored[1 + _NONCE :]
        try:
            return cipher.decrypt(nonce, sealed, _about(kid, use))
        except (InvalidTag, ValueError):
            raise RegistryError(
                f"key {kid} does not open with the secret in {self.path}: put back the secret that belongs to this store"
            ) from None

    def make_secret(self) -> bool:
        """Make the secret, durably, if there is none; whether it was made."""
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return False
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(b64(os.urandom(_SECRET)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return True

    def _ready(self) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(HKDF(SHA256(), 32, None, b"gatepost keys at rest").derive(self._read()))
        return self._cipher

    def _read(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                mode, text = stat.S_IMODE(os.fstat(file.fileno()).st_mode), file.read(200)
        except OSError as error:
            raise RegistryError(
                f"the keys' secret {self.path} can't be read ({error.strerror}): put back the one that belongs to this store"
            ) from None
        if mode & self._forbidden:
            raise RegistryError(f"{self.path} can be read by others: run `chmod 600 {self.path}`, and see who else was there")
        try:
            secret = unb64(text.decode("ascii").strip())
        except (BadMessage, UnicodeDecodeError):
            secret = b""
        if len(secret) != _SECRET:
            raise RegistryError(f"{self.path} holds no secret of this hub: put back the one that belongs to this store")
        return secret


def is_sealed(stored: bytes) -> bool:
    """Whether a private key is stored encrypted; one of before is its 32 raw bytes."""
    return len(stored) != _RAW


def vault_of(located: Located) -> Vault:
    """The vault of a hub: its secret as systemd hands it over, else the file that the configuration names."""
    handed = os.environ.get("CREDENTIALS_DIRECTORY")
    if handed and (Path(handed) / CREDENTIAL).exists():
        return Vault(Path(handed) / CREDENTIAL, handed_over=True)
    return Vault(located.folder / located.settings.keys.secret_file)


def open_hub(located: Located) -> sa.Engine:
    """The hub's store with its vault, which `vault_in` finds in each connection, and with its log of revocations."""
    engine = open_store(located.store_url)
    keep_log(engine, located.folder)
    engine.update_execution_options(**{_OPTION: vault_of(located)})
    return engine


def vault_in(conn: sa.Connection) -> Vault | None:
    """The vault of the store that a connection is of; None for one opened without."""
    found: Vault | None = conn.get_execution_options().get(_OPTION)
    return found


def scrub(engine: sa.Engine) -> None:
    """Write the store anew without what was deleted from it, so that no copy of a raw key is left in its free pages."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        if engine.dialect.name == "sqlite":
            conn.exec_driver_sql("VACUUM")
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            conn.exec_driver_sql("VACUUM FULL keys")


def _about(kid: str, use: str) -> bytes:
    return f"gatepost key {kid} {use}".encode()
