"""`hub backup`: all of a hub that can't be made again, in one encrypted file, while the hub runs."""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from hub import revocations
from hub.backup import archive, snapshot
from hub.backup.archive import CONFIG, SECRET, Manifest
from hub.backup.sealed import LOG_N, SHORTEST
from hub.config import Located, load
from hub.registry.errors import RegistryError
from hub.vault import Vault, vault_of

BESIDE = (revocations.NAME, "*.pem", "*.key", "*.crt", "reports/*.pdf", "reports/*.xlsx")
"""Of the hub's folder, beside hub.toml, the store and the keys' secret. Uploads are over within half an hour; the broker's
passwords and rights are written again from the store."""
_WORK, _LEFT_BEHIND = ".backup-", 24 * 3600.0


def make(config: Path, out: Path, passphrase: str, now: datetime, *, force: bool = False, log_n: int = LOG_N) -> Manifest:
    """Write a backup. Raises `RegistryError` and `OSError`, and then leaves no file; one that is there stays unless `force`."""
    if len(passphrase) < SHORTEST:
        raise RegistryError(f"the passphrase has {len(passphrase)} characters: it needs {SHORTEST} at least, such as five words")
    _refuse(out, force)
    located = load(config)
    _tidy(located.folder)
    with TemporaryDirectory(prefix=_WORK, dir=located.folder) as work:
        secret = _secret(located, Path(work))
        store, facts = snapshot.take(located.store_url, Path(work), Vault(secret or vault_of(located).path))
        sources = {CONFIG: config, store.name: store, **({SECRET: secret} if secret else {}), **beside(located)}
        about = {"software": version("gatepost"), "hub": located.settings.name}
        with _whole(out, force) as fresh:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                archive.write(file, passphrase, sources, made_at=now, facts=facts, log_n=log_n, **about)
                file.flush()
                os.fsync(file.fileno())
            return archive.check(fresh, passphrase)


def beside(located: Located) -> dict[str, Path]:
    """The files beside the store that go into a backup, by their path below the hub's folder."""
    folder, left_out = located.folder, {(located.folder / located.settings.keys.secret_file).resolve()}
    paths = {path for pattern in (*BESIDE, located.settings.broker.ca_file or CONFIG) for path in _found(folder, pattern)}
    kept = sorted(path for path in paths if path.is_file() and path.resolve() not in left_out and path.name != CONFIG)
    return {path.relative_to(folder).as_posix(): path for path in kept if path.relative_to(folder).as_posix() != SECRET}


def _found(folder: Path, pattern: str) -> list[Path]:
    """What is outside the folder, as an absolute path can say, is not the hub's own."""
    return [] if Path(pattern).is_absolute() or ".." in Path(pattern).parts else list(folder.glob(pattern))


def _secret(located: Located, work: Path) -> Path | None:
    """A copy of the keys' secret; None when there is none. A systemd credential is a file of root's, so it is copied as bytes."""
    source = vault_of(located).path
    try:
        data = source.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RegistryError(
            f"the keys' secret {source} can't be read ({error.strerror}): run this as the hub's own user"
        ) from None
    copy = work / SECRET
    with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    return copy


def _refuse(out: Path, force: bool) -> None:
    if out.exists() and not (force and out.is_file()):
        raise RegistryError(f"{out} is there already: choose another name, or --force to write over a file")


@contextmanager
def _whole(out: Path, force: bool) -> Iterator[Path]:
    """A name beside, whose file takes its place once it is whole; gone when it was not."""
    fresh = out.with_name(f".{out.name}.{secrets.token_hex(4)}.new")
    try:
        yield fresh
        _refuse(out, force)
        fresh.replace(out)
        revocations.sync_folder(out.parent)
    finally:
        fresh.unlink(missing_ok=True)


def _tidy(folder: Path) -> None:
    """Remove the copies that a backup left behind when it was killed."""
    for left in folder.glob(f"{_WORK}*"):
        if time.time() - left.stat().st_mtime > _LEFT_BEHIND:
            shutil.rmtree(left, ignore_errors=True)
