"""The journal's file: its tables, its lines, how it is begun, replaced and moved aside, and what can be wrong with it."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database

from contract.codec import encode
from contract.events import Event, kind_of
from kiosk.ranges import Range, Ranges, merge, missing

_BUSY_SECONDS = 2.0
_TABLES: dict[str, dict[str, Any]] = {
    "journal": {"seq": int, "id": str, "at": str, "boot": str, "mono_ns": int, "clock": str, "kind": str, "body": str},
    "acknowledged": {"first": int, "last": int},
    "kept": {"key": str, "value": bytes},
}
_LINE = "SELECT seq, id, at, boot, mono_ns, clock, body FROM journal"
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


class JournalUnavailable(Exception):
    """The journal can't be read or written: what is wrong, where, and what to do. Nothing was half written."""

    def __init__(self, path: Path, error: Exception) -> None:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
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


def connect(path: Path, mode: str = "WAL") -> Database:
    """Open the file so that a commit is on the disk when it returns (synchronous=FULL)."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    try:
        connection.execute(f"PRAGMA journal_mode={mode}").fetchall()
        connection.execute("PRAGMA synchronous=FULL")
        return Database(connection)
    except BaseException:
        connection.close()
        raise


def is_begun(db: Database) -> bool:
    """Whether the file holds a journal; raises `sqlite3.DatabaseError` if it is damaged."""
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        damaged = sqlite3.DatabaseError(found)
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damaged
    return set(_TABLES) <= set(db.table_names())


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is bad, not merely out of reach."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def begin(db: Database, journal: str, first: Event, rows: Iterable[dict[str, Any]], kept: Mapping[str, bytes]) -> None:
    """Make the tables with the first event, and after it the rows of an earlier journal under new numbers, all or nothing."""
    renumbered = ({**row, "seq": seq} for seq, row in enumerate(rows, start=2))
    with db.atomic():
        for (name, columns), key in zip(_TABLES.items(), ("seq", "first", "key"), strict=True):
            db.table(name).create(columns, pk=key, not_null=set(columns))
        db.execute("CREATE UNIQUE INDEX journal_id ON journal (id)")
        db.table("journal").insert_all([row_of(first), *renumbered])
        keep(db, {**kept, "journal_id": journal.encode()})


def keep(db: Database, values: Mapping[str, bytes]) -> None:
    """Set keys of the table `kept`."""
    db.table("kept").upsert_all([{"key": key, "value": value} for key, value in values.items()], pk="key")


def all_kept(db: Database) -> dict[str, bytes]:
    """The whole table `kept`."""
    return {str(key): bytes(value) for key, value in db.execute("SELECT key, value FROM kept")}


def acknowledged(db: Database) -> Ranges:
    """What the hub has acknowledged."""
    return merge(db.execute("SELECT first, last FROM acknowledged"))


def row_of(event: Event) -> dict[str, Any]:
    """An event as a row."""
    return {
        "seq": event.seq, "id": event.id, "at": instant(event), "boot": event.boot, "mono_ns": event.mono_ns,
        "clock": event.clock.value, "kind": kind_of(event.body), "body": encode(event.body).decode(),
    }  # fmt: skip


def instant(event: Event) -> str:
    """The event's time as it is stored: UTC, of one length, so that it sorts."""
    return event.at.astimezone(UTC).isoformat(timespec="microseconds")


def lines(db: Database, first: int, last: int, limit: int = -1, newest_first: bool = False) -> list[Line]:
    """The lines first … last, at most `limit`."""
    order = "DESC" if newest_first else "ASC"
    return [_line(row) for row in db.execute(f"{_LINE} WHERE seq BETWEEN ? AND ? ORDER BY seq {order} LIMIT ?", (first, last, limit))]


def rows(db: Database, ranges: Iterable[Range]) -> Iterator[dict[str, Any]]:
    """Whole rows with a number in the ranges, in order; each event once."""
    seen: set[str] = set()
    for first, last in ranges:
        for row in db.query("SELECT * FROM journal WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)):
            if isinstance(row["id"], str) and row["id"] not in seen:
                seen.add(row["id"])
                yield row


@dataclass(frozen=True)
class Salvage:
    """What could still be read from a damaged file."""

    journal: str | None = None
    rows: tuple[dict[str, Any], ...] = ()
    kept: Mapping[str, bytes] = msgspec.field(default_factory=dict) if False else None  # type: ignore[assignment]


def salvage(path: Path) -> Salvage:
    """Read what can be read of a damaged file: the kept values, and the events that were not acknowledged."""
    raise NotImplementedError


def _line(row: tuple[Any, ...]) -> Line:
    seq, id_, at, boot, mono_ns, clock, body = row
    raise NotImplementedError
