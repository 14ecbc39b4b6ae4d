"""The hub's store takes no writes for a while, under load: its disk is full, or another program holds it."""

import random
import sqlite3
import tempfile
import threading
from contextlib import closing
from pathlib import Path

from tests.faults import judging
from tests.faults.rig import Rig, rig
from tests.faults.rows import Row
from tests.faults.space import small_disk

STATIONS = 2
_DISK_MEBIBYTES = 32
_HARDLY_ANY = 20
"""Events that still fit into what the log had left."""
_BUSY_SECONDS = 10
"""How long the hub waits for SQLite's lock (`hub.store.open_store`)."""


def run_full(seed: int, many: int) -> Row:
    """Fill its disk `many` times, for some seconds each."""
    chance = random.Random(seed)
    Path("var").mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir="var") as place,
        small_disk(Path(place).resolve() / "hub", _DISK_MEBIBYTES) as disk,
        rig(STATIONS, hub_folder=disk.folder) as made,
    ):
        _open(made, seed)
        refused = 0
        for _ in range(many):
            _wait(chance.uniform(0.3, 1))
            disk.fill(made.ingest)
            before = _stored(made)
            _wait(chance.uniform(1.5, 4))
            refused += _stored(made) - before < _HARDLY_ANY
            disk.free(made.ingest)
        kind = "a full file system" if disk.mounted else "a limit on the size of files"
        return _judged(made, "hub's disk full", many, f"{kind}; hardly anything stored meanwhile: {refused} times of {many}")


def run_locked(seed: int, many: int) -> Row:
    """Hold SQLite's write lock `many` times, for longer than the hub waits for it."""
    with rig(STATIONS) as made:
        _open(made, seed)
        for _ in range(many):
            _wait(0.5)
            with closing(sqlite3.connect(made.store, isolation_level=None, timeout=30)) as other:
                other.execute("BEGIN IMMEDIATE")
                _wait(_BUSY_SECONDS + 2)
                other.execute("ROLLBACK")
        return _judged(made, "hub's database locked", many, f"each for {_BUSY_SECONDS + 2} s")


def _open(made: Rig, seed: int) -> None:
    made.broker.start()
    made.ingest.start()
    for number, gate in enumerate(made.open_gates()):
        gate.drive(seed + number)


def _judged(made: Rig, fault: str, many: int, note: str) -> Row:
    acts = sum(gate.quiet() for gate in made.gates.values())
    made.settle()
    return judging.row(made, fault, many, f"{acts} acts at {len(made.gates)} gates; {note}")


def _stored(made: Rig) -> int:
    return int(made.query("SELECT count(*) FROM events")[0][0])


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)
