"""What a backup holds: files in a tar (POSIX.1-2001 pax), and last a manifest that names each with its size and hash."""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

import msgspec

from contract.codec import BadMessage, decoder
from hub.backup.sealed import CHUNK, LOG_N, BadBackup, Opening, Sealing

MANIFEST = "manifest.json"
MANIFEST_BYTES = 50_000_000
SQLITE, POSTGRESQL = "store.sqlite", "store.pgdump"
"""The members that hold the store: the file itself, or what pg_dump wrote in its custom format."""
CONFIG, SECRET = "hub.toml", "secret.key"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup: its path below the hub's folder, its bytes, its SHA-256 in hex."""

    name: str
    size: int
    sha256: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Of the store, as it was at that moment."""

    schema: str
    """Alembic's revision."""
    store_epoch: str
    directories: dict[str, int]
    """Compound → version of its directory."""
    counters: dict[str, int]
    """Type of message → the counter up to which the signer has reserved."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself."""

    software: str
    made_at: datetime
    hub: str
    facts: Facts
    members: tuple[Member, ...]

    @property
    def store(self) -> str:
        """The name of the member that holds the store."""
        return next(one.name for one in self.members if one.name in (SQLITE, POSTGRESQL))


def write(
    file: BinaryIO, passphrase: str, sources: Mapping[str, Path], *, software: str, made_at: datetime, hub: str, facts: Facts,
    log_n: int = LOG_N,
) -> Manifest:  # fmt: skip
    """Write files, by the name each has in the backup, and the manifest. Raises `OSError`."""
    sealing = Sealing(file, passphrase, log_n=log_n)
    with tarfile.open(fileobj=cast(BinaryIO, sealing), mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK) as tar:
        members = tuple(_add(tar, name, path) for name, path in sources.items())
        manifest = Manifest(software=software, made_at=made_at, hub=hub, facts=facts, members=members)
        told = msgspec.json.encode(manifest)
        tar.addfile(_entry(MANIFEST, len(told)), io.BytesIO(told))
    sealing.close()
    return manifest


def check(path: Path, passphrase: str) -> Manifest:
    """Read the whole of a backup and check it; writes nothing. Raises `BadBackup` and `OSError`."""
    return _read(path, passphrase, lambda name: None)


def extract(path: Path, passphrase: str, into: Path) -> Manifest:
    """Check a backup and lay its files out in a folder, for their owner alone, durably. Raises `BadBackup` and `OSError`."""

    def made(name: str) -> BinaryIO:
        target = into / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    return _read(path, passphrase, made)


class _Hashing:
    """Reads a file, and counts and hashes what was read."""

    def __init__(self, file: BinaryIO | IO[bytes]) -> None:
        self._file, self.size, self._sum = file, 0, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.size += len(data)
        self._sum.update(data)
        return data

    def member(self, name: str) -> Member:
        return Member(name=name, size=self.size, sha256=self._sum.hexdigest())


def _add(tar: tarfile.TarFile, name: str, path: Path) -> Member:
    with path.open("rb") as file:
        reading = _Hashing(file)
        tar.addfile(_entry(name, os.fstat(file.fileno()).st_size), cast(BinaryIO, reading))
    return reading.member(name)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _read(path: Path, passphrase: str, made: Callable[[str], BinaryIO | None]) -> Manifest:
    with path.open("rb") as file:
        opening = Opening(file, passphrase)
        try:
            found, told = _members(opening, made)
        except tarfile.TarError as error:
            raise BadBackup(f"the backup holds no archive that can be read: {error}") from None
        while opening.read(CHUNK):  # what the archive is filled up with, to the mark of the end
            pass
    try:
        manifest = _manifest(told)
    except BadMessage as error:
        raise BadBackup(f"the backup's manifest can't be read ({error}): was it made by a newer Gatepost? Update first") from None
    if list(manifest.members) != found:
        raise BadBackup("the backup does not hold what its manifest says: use another")
    if not {SQLITE, POSTGRESQL} & {one.name for one in found} or CONFIG not in {one.name for one in found}:
        raise BadBackup("the backup holds no store or no hub.toml: use another")
    return manifest


def _members(opening: Opening, made: Callable[[str], BinaryIO | None]) -> tuple[list[Member], bytes]:
    found: list[Member] = []
    told = b""
    with tarfile.open(fileobj=cast(BinaryIO, opening), mode="r|", bufsize=CHUNK) as tar:
        for entry in tar:
            content = tar.extractfile(entry) if _is_plain(entry, found) and not told else None
            if content is None:
                raise BadBackup(f"the backup holds {entry.name[:200]!r}, which has no place in one")
            if entry.name == MANIFEST:
                told = content.read(MANIFEST_BYTES)
            else:
                found.append(_take(entry.name, content, made(entry.name)))
    return found, told


def _is_plain(entry: tarfile.TarInfo, found: list[Member]) -> bool:
    name = PurePosixPath(entry.name)
    inside = not name.is_absolute() and ".." not in name.parts and str(name) == entry.name
    return entry.isreg() and inside and entry.name not in {one.name for one in found}


def _take(name: str, content: IO[bytes], target: BinaryIO | None) -> Member:
    reading = _Hashing(content)
    try:
        while data := reading.read(CHUNK):
            if target is not None:
                target.write(data)
        if target is not None:
            target.flush()
            os.fsync(target.fileno())
    finally:
        if target is not None:
            target.close()
    return reading.member(name)


_manifest: Callable[[bytes], Manifest] = decoder(Manifest)
