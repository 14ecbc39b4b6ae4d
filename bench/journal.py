"""Journal commits per second against bare SQLite at the same durability, measured in turns in one run."""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.table import Row, ratio_row
from contract.events import Clock, Direction, Entry, Outcome
from kiosk.journal import Journal

ROUNDS, COMMITS = 6, 60


def run() -> list[Row]:
    """One row: the journal's commit over a bare one."""
    entry = Entry(direction=Direction.IN, outcome=Outcome.ADMIT, reasons=("normal",))
    with tempfile.TemporaryDirectory(dir="var") as folder:
        bare = _bare(Path(folder) / "bare.db")
        clock = lambda: (datetime.now(UTC), Clock.SYNCED, time.monotonic_ns())  # noqa: E731
        with Journal(Path(folder) / "journal", boot="bench", clock=clock) as journal:
            ours, theirs = [], []
            for _ in range(ROUNDS):
                theirs.append(_seconds(lambda: _insert(bare)))
                ours.append(_seconds(lambda: journal.append(entry)))
        bare.close()
    note = f"ours {1 / min(ours):.0f}/s, bare {1 / min(theirs):.0f}/s, WAL and synchronous=FULL both"
    return [ratio_row("journal commit against bare SQLite", min(ours), min(theirs), 1.3, note)]


def bare_commit_seconds(path: Path) -> float:
    """One durable commit of bare SQLite, in seconds."""
    connection = _bare(path)
    seconds = _seconds(lambda: _insert(connection))
    connection.close()
    return seconds


def _bare(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (seq INTEGER PRIMARY KEY, body TEXT)")
    return connection


def _insert(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO t (body) VALUES (?)", ("x" * 300,))
    connection.execute("COMMIT")


def _seconds(one: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(COMMITS):
        one()
    return (time.perf_counter() - begun) / COMMITS
