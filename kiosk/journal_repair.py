"""How a journal's file is begun, replaced by another and moved aside, so that a power cut at any point loses nothing."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import IO, Any

from sqlite_utils import Database

from contract.codec import BadMessage
from contract.events import Event, decode_event
from contract.ranges import Ranges, merge, missing
from kiosk import journal_file as file

_ALL = 2**53 - 1
_SUFFIXES = ("", "-wal", "-shm", "-journal")
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Condition(StrEnum):
    """What was found where the journal should be."""

    ABSENT = "absent"
    SOUND = "sound"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Contents:
    """What one journal hands on to the next."""

    journal: str | None = None
    rows: tuple[dict[str, Any], ...] = ()
    kept: Mapping[str, bytes] = field(default_factory=dict)


def claim(path: Path) -> IO[bytes] | None:
    """Hold the right to begin or replace the file, until closed; None while another program holds it, which may still write."""
    lock = path.with_name(f"{path.name}.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def condition(path: Path) -> Condition:
    """Look at the file; raises `sqlite3.Error` if it can't be looked at."""
    if not path.exists():
        return Condition.ABSENT
    try:
        with closing(file.connect(path)) as db:
            tables, found = set(db.table_names()), db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        if not _is_damage(error):
            raise
        return Condition.DAMAGED
    if found == "ok" and not tables:
        return Condition.ABSENT
    return Condition.SOUND if found == "ok" and tables >= set(file.TABLES) else Condition.DAMAGED


def replace(path: Path, journal: str, first: Event, handed_on: Contents, aside: str | None = None) -> Path | None:
    """Begin another journal at `path`; what was there is moved to `*.<aside>-<n>`, which is returned.

    The new file is whole before the old one moves; `finish_replacing` completes what a power cut interrupted.
    """
    fresh = _fresh(path)
    _remove(fresh)
    with closing(file.connect(fresh, new=True)) as db:
        file.begin(db, journal, first, handed_on.rows, handed_on.kept)
    moved = _move_aside(path, aside) if aside else None
    _rename(fresh, path)
    return moved


def finish_replacing(path: Path) -> None:
    """Put the new file in its place if the power was cut when the old one had gone; else drop it."""
    fresh = _fresh(path)
    if not path.exists() and condition(fresh) is Condition.SOUND:
        _remove(path)  # a write-ahead log left behind would be played into the new file
        _rename(fresh, path)
    _remove(fresh)


def handed_on(db: Database, ranges: Ranges) -> Contents:
    """The rows in the ranges and everything kept."""
    values = file.kept(db)
    return Contents(values["journal_id"].decode(), tuple(file.rows(db, ranges)), values)


def salvage(path: Path) -> Contents:
    """What can still be read of a damaged file: all that is kept, and the events that nobody acknowledged."""
    try:
        with closing(file.connect(path)) as db:
            values, acknowledged = _readable_kept(db), _readable_acknowledged(db)
            id_ = values.get("journal_id")
            return Contents(id_.decode() if id_ else None, tuple(_readable_rows(db, missing(acknowledged, 1, _ALL))), values)
    except sqlite3.Error:
        return Contents()


def damage(db: Database) -> list[str]:
    """What SQLite finds wrong with the file, and which events are missing between the first and the last."""
    found = [row[0] for row in db.execute("PRAGMA integrity_check")]
    there = merge((seq, seq) for (seq,) in db.execute("SELECT seq FROM journal ORDER BY seq"))
    reports = [f"the file is damaged: {text}" for text in found if text != "ok"]
    return reports + [f"events {first} to {last} are missing" for first, last in missing(there, *file.bounds(db))]


def unreadable(lines: list[file.Line]) -> list[str]:
    """What keeps each line that can't be read from being read."""
    reports = []
    for line in lines:
        try:
            decode_event(line.data)
        except BadMessage as error:
            reports.append(f"event {line.seq} can't be read: {error}")
    return reports


def _is_damage(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGE


def _readable_kept(db: Database) -> dict[str, bytes]:
    try:
        return file.kept(db)
    except (sqlite3.Error, TypeError, ValueError):
        return {}


def _readable_acknowledged(db: Database) -> Ranges:
    try:
        return file.acknowledged(db)
    except (sqlite3.Error, TypeError, ValueError):
        return ()


def _readable_rows(db: Database, ranges: Ranges) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    try:
        for row in file.rows(db, ranges):
            if isinstance(row["id"], str) and row["id"] not in seen and None not in row.values():
                seen.add(row["id"])
                yield row
    except sqlite3.Error:
        return


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _move_aside(path: Path, why: str) -> Path:
    target = next(p for n in count(1) if not (p := path.with_name(f"{path.name}.{why}-{n}")).exists())
    for suffix in _SUFFIXES:
        old = path.with_name(path.name + suffix)
        if old.exists():
            _rename(old, target.with_name(target.name + suffix))
    return target


def _remove(path: Path) -> None:
    for suffix in _SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _rename(old: Path, new: Path) -> None:
    old.rename(new)
    folder = os.open(new.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
