"""A log of revocations beside the store, so that what was revoked after the last backup is revoked after a restore as well:
passes, and what opens the hub itself: accounts, tokens, keys, stations' certificates.

A line is written, and on the disk, just before the transaction that revokes is committed: one more line than was committed does
no harm, one less would let somebody in. A log that can't be written keeps nobody from revoking.
"""

import errno
import logging
import os
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

import msgspec
import sqlalchemy as sa

from contract.codec import BadMessage, Instant, decoder, encode
from contract.events import Identifier
from contract.passes import PassKind

NAME = "revocations.log"
"""Of the hub's folder: one JSON object a line, only ever added to."""
_OPTION = "gatepost_revocations"
_WAITING = "gatepost_revoked"
_WHAT = b'"what":'
"""Only lines of an `Ending` have it."""

log = logging.getLogger(__name__)


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """One line. It says enough of a pass to refuse one that a restored store has never heard of; nothing of its holder."""

    pass_id: Identifier
    at: Instant
    by: str
    compound: Identifier
    kind: PassKind
    not_before: Instant
    expires: Instant


class Thing(StrEnum):
    """What else than a pass can be put out of use."""

    ACCOUNT = "account"
    TOKEN = "token"
    KEY = "key"
    CERTIFICATE = "certificate"
    """Of a station."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """One line: something is good for nothing from now on."""

    what: Thing
    id: str
    """A certificate's is its serial number, hexadecimal."""
    at: Instant
    by: str = ""
    station: str = ""
    """Of a certificate."""


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """What a log holds, in its order."""

    passes: tuple[Revocation, ...] = ()
    endings: tuple[Ending, ...] = ()
    unreadable: int = 0
    """Lines that can't be read: the last one may be torn by a power cut."""


Line = Revocation | Ending


def keep_log(engine: sa.Engine, folder: Path) -> None:
    """Have every revocation by this engine logged in a folder."""
    engine.update_execution_options(**{_OPTION: folder / NAME})
    sa.event.listen(engine, "commit", _write)
    sa.event.listen(engine, "rollback", _forget)


def note(conn: sa.Connection, line: Line) -> None:
    """Log a revocation when this transaction is committed; nothing for an engine that keeps no log."""
    if _OPTION in conn.get_execution_options():
        conn.info.setdefault(_WAITING, []).append(line)


def read(path: Path) -> Logged:
    """Read a log. Raises `OSError`."""
    passes: list[Revocation] = []
    endings: list[Ending] = []
    unreadable = 0
    with path.open("rb") as file:
        for text in filter(bytes.strip, file):
            try:
                line = _ending(text) if _WHAT in text else _revocation(text)
            except BadMessage:
                unreadable += 1
                continue
            if isinstance(line, Ending):
                endings.append(line)
            else:
                passes.append(line)
    return Logged(passes=tuple(passes), endings=tuple(endings), unreadable=unreadable)


def append(path: Path, revoked: Iterable[Line]) -> None:
    """Add lines, durably. Raises `OSError`."""
    lines = b"".join(encode(one) + b"\n" for one in revoked)
    is_new = not path.exists()
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(fd).st_size
        torn = size and os.pread(fd, 1, size - 1) != b"\n"
        lines = b"\n" * bool(torn) + lines
        if os.write(fd, lines) != len(lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(fd)
    finally:
        os.close(fd)
    if is_new:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlast a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write(conn: sa.Connection) -> None:
    waiting: list[Line] = conn.info.pop(_WAITING, [])
    if not waiting:
        return
    path: Path = conn.get_execution_options()[_OPTION]
    try:
        append(path, waiting)
    except OSError as error:
        log.error("%d revocations hold, but a restore of an earlier backup would forget them: %s: %s", len(waiting), path, error)


def _forget(conn: sa.Connection) -> None:
    conn.info.pop(_WAITING, None)


_revocation: Callable[[bytes], Revocation] = decoder(Revocation)
_ending: Callable[[bytes], Ending] = decoder(Ending)
