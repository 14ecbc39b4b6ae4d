"""The journal's file: its tables and lines, and what SQLite's refusals mean."""

import errno
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database

from contract.codec import encode
from contract.events import Event, kind_of
from contract.ranges import Range, Ranges, merge

_BUSY_SECONDS = 2.0
TABLES: dict[str, dict[str, Any]] = {
    "journal": {"seq": int, "id": str, "at": str, "boot": str, "mono_ns": int, "clock": str, "kind": str, "body": str},
    "acknowledged": {"first": int, "last": int},
    "kept": {"key": str, "value": bytes},
}
"""Every column of every table; none may be null."""
_LINE = "SELECT seq, id, at, boot, mono_ns, clock, body FROM journal"
_KEYS = {"journal": "seq", "acknowledged": "first", "kept": "key"}
_REASONS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: ("journal_locked", "another program holds it: end that program"),
    sqlite3.SQLITE_LOCKED: ("journal_locked", "another program holds it: end that program"),
    sqlite3.SQLITE_CONSTRAINT: ("journal_locked", "another program wrote to it: run one station on a folder, not two"),
    sqlite3.SQLITE_READONLY: ("journal_read_only", "make the folder writable, and see whether the card has failed"),
    sqlite3.SQLITE_CANTOPEN: ("journal_read_only", "make the folder writable for the station's user"),
    sqlite3.SQLITE_PERM: ("journal_read_only", "make the folder writable for the station's user"),
    sqlite3.SQLITE_FULL: ("disk_full", "free some space on the disk"),
    sqlite3.SQLITE_CORRUPT: ("journal_corrupt", "start the station again: it moves the file aside and begins a new one"),
    sqlite3.SQLITE_NOTADB: ("journal_corrupt", "start the station again: it moves the file aside and begins a new one"),
}
_ERRNO: dict[int | None, int] = {
    errno.EROFS: sqlite3.SQLITE_READONLY, errno.EACCES: sqlite3.SQLITE_PERM, errno.EPERM: sqlite3.SQLITE_PERM,
    errno.EAGAIN: sqlite3.SQLITE_BUSY, errno.ENOSPC: sqlite3.SQLITE_FULL, errno.EDQUOT: sqlite3.SQLITE_FULL,
}  # fmt: skip


class JournalUnavailable(Exception):
    """The journal can't be read or written: what is wrong, where, and what to do. Nothing was half written."""

    def __init__(self, path: Path, error: Exception) -> None:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF or _ERRNO.get(getattr(error, "errno", None), 0)
        self.reason, todo = _REASONS.get(code, ("journal_failed", "see whether the disk or card has failed"))
        """journal_locked, journal_read_only, disk_full, journal_corrupt or journal_failed."""
        super().__init__(f"{path}: {error} ({self.reason}); {todo}")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns whatever SQLite or the file system raises into `JournalUnavailable`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalUnavailable(path, error) from error


@dataclass(frozen=True)
class Line:
    """One event as it goes into a batch: JSON, readable or not."""

    seq: int
    data: bytes


def connect(path: Path, new: bool = False) -> Database:
    """Open the file so that a commit is on the disk when it returns (synchronous=FULL); a new one is a single file till then.

    What is deleted or replaced is overwritten with zeros (secure_delete): a value that is gone lies in no free page.
    """
    address, mode = f"{path.absolute().as_uri()}?mode={'rwc' if new else 'rw'}", "DELETE" if new else "WAL"
    connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")  # one damaged letter must not hide the other lines
    try:
        connection.execute(f"PRAGMA journal_mode={mode}").fetchall()
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON").fetchall()
        return Database(connection)
    except BaseException:
        connection.close()
        raise


def begin(db: Database, journal: str, first: Event, rows: Iterable[dict[str, Any]], kept: Mapping[str, bytes]) -> None:
    """Make the tables with the first event, and after it rows of an earlier journal under new numbers: all or nothing."""
    renumbered = ({**row, "seq": seq} for seq, row in enumerate(rows, start=2))
    with db.atomic():
        for name, columns in TABLES.items():
            db.table(name).create(columns, pk=_KEYS[name], not_null=set(columns))
        db.execute("CREATE UNIQUE INDEX journal_id ON journal (id)")
        db.table("journal").insert_all([row_of(first), *renumbered])
        keep(db, {**kept, "journal_id": journal.encode()})


def keep(db: Database, values: Mapping[str, bytes]) -> None:
    """Set keys of the table `kept`."""
    with db.atomic():
        for pair in values.items():
            db.execute("INSERT OR REPLACE INTO kept (key, value) VALUES (?, ?)", pair)


def kept(db: Database, prefix: str = "", limit: int = -1) -> dict[str, bytes]:
    """What is kept under keys that begin with `prefix`, at most `limit`."""
    query = "SELECT key, value FROM kept WHERE substr(key, 1, ?) = ? ORDER BY key LIMIT ?"
    return {key: bytes(value) for key, value in db.execute(query, (len(prefix), prefix, limit))}


def scrub(db: Database) -> bool:
    """Write the file anew without its free pages, and empty its log: what was deleted by whatever version is gone from both.

    False while another program reads it, whose log has to stay.
    """
    db.execute("VACUUM")
    busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def acknowledged(db: Database) -> Ranges:
    """What the hub has acknowledged."""
    return merge(db.execute("SELECT first, last FROM acknowledged"))


def set_acknowledged(db: Database, ranges: Ranges) -> None:
    """Replace what the hub has acknowledged."""
    db.execute("DELETE FROM acknowledged")
    db.table("acknowledged").insert_all({"first": first, "last": last} for first, last in ranges)


def bounds(db: Database) -> Range:
    """The first and the last sequence number that are there; a journal is never empty."""
    first, last = db.execute("SELECT min(seq), max(seq) FROM journal").fetchone()
    return first, last


def row_of(event: Event) -> dict[str, Any]:
    """An event as a row."""
    return {
        "seq": event.seq, "id": event.id, "at": stored(event.at), "boot": event.boot, "mono_ns": event.mono_ns,
        "clock": event.clock.value, "kind": kind_of(event.body), "body": encode(event.body).decode(),
    }  # fmt: skip


def stored(at: datetime) -> str:
    """A time as it is stored: UTC and always of one length, so that it sorts."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def lines(db: Database, first: int, last: int, limit: int = -1, newest_first: bool = False) -> list[Line]:
    """The lines first … last, at most `limit`."""
    order = "DESC" if newest_first else "ASC"
    found = db.execute(f"{_LINE} WHERE seq BETWEEN ? AND ? ORDER BY seq {order} LIMIT ?", (first, last, limit))
    return [_line(row) for row in found]


def rows(db: Database, ranges: Ranges) -> Iterator[dict[str, Any]]:
    """Whole rows with a number in the ranges, in order."""
    for span in ranges:
        yield from db.query("SELECT * FROM journal WHERE seq BETWEEN ? AND ? ORDER BY seq", span)


def _line(row: tuple[Any, ...]) -> Line:
    seq, id_, at, boot, mono_ns, clock, body = row
    event = {"seq": seq, "id": id_, "at": at, "boot": boot, "mono_ns": mono_ns, "clock": clock, "body": _json(str(body))}
    return Line(seq, encode(event))


def _json(body: str) -> msgspec.Raw | str:
    """The body as it is, or as a string if it is no JSON: a hub keeps it raw, and it spoils no other in its batch."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body
    return msgspec.Raw(body.encode())
