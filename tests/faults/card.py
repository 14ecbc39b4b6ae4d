"""A station's card: damaged, put back as it was before, and copied to a second station."""

import random
import shutil
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from tests.faults import judging
from tests.faults.gate import Gate
from tests.faults.processes import Variant
from tests.faults.rig import Rig, rig, until
from tests.faults.rows import Row

_LOAD_SECONDS = (0.7, 1.5)
_PAGE = 4096
_UP_SECONDS = 60
Damage = Callable[[Path, random.Random], None]


def run_damaged(seed: int, many: int) -> Row:
    """Damage the journal's files `many` times, each time in one of five ways, when the hub has all that is in them.

    The gate must go on: with a new journal, or with what is left of the old one; and the hub is told.
    """
    chance = random.Random(seed)
    with rig(1) as made:
        gate = _open(made)
        for number in range(many):
            _load(gate, seed + number, chance)
            made.settle()
            gate.program.kill()
            _DAMAGES[number % len(_DAMAGES)](gate.data / "journal.db", chance)
            _goes_on(gate, chance)
        made.settle()
        told = made.query(
            "SELECT count(*) FROM events WHERE kind = 'journal_begun' AND json_extract(body, '$.body.reason') != 'new'"
        )
        aside = len(list(gate.data.glob("journal.db.*-*")))
        note = f"{gate.ledger.acts} acts; {aside} files moved aside, the hub was told of {told[0][0]} new journals"
        return judging.row(made, "station's database damaged", many, note)


def run_restored(seed: int, many: int, variants: Sequence[Variant] = ()) -> Row:
    """Put a card back as it was some time before, `many` times: the same numbers are given to other events.

    Every other time the hub keeps each message by itself, so that it answers the station's birth before it has seen its events.
    """
    chance = random.Random(seed)
    with rig(1) as made:
        gate = _open(made, variants)
        for number in range(many):
            made.ingest.kill()
            made.ingest.variants = () if number % 2 else (("injected:one_at_a_time", {}),)
            made.ingest.start()
            _load(gate, seed + number, chance)
            gate.program.kill()
            copy = shutil.copytree(gate.data, gate.folder / "copy")
            _start(gate)
            _load(gate, seed + 100 + number, chance)
            made.settle()
            gate.program.kill()
            shutil.rmtree(gate.data)
            copy.rename(gate.data)
            _goes_on(gate, chance)
        made.settle()
        return judging.row(made, "station's card restored", many, f"{gate.ledger.acts} acts; {_forks(made)} journals forked")


def run_cloned(seed: int, many: int) -> Row:
    """Run a copy of a card beside it, `many` times: two stations of one name, which the broker lets in by turns."""
    chance = random.Random(seed)
    with rig(1) as made:
        gate = _open(made)
        for number in range(many):
            _load(gate, seed + number, chance)
            gate.program.kill()
            twin = made.gate("s1", name=f"copy-{number}")
            shutil.copytree(gate.data, twin.data)
            for one in (gate, twin):
                one.watch() if one is twin else None
                _start(one)
            for one in (gate, twin):
                one.drive(chance.randrange(2**32))
            threading.Event().wait(chance.uniform(2, 4))
            for one in (gate, twin):
                one.quiet()
            made.settle()
            twin.program.kill()
        made.settle()
        acts = sum(one.ledger.acts for one in made.gates.values())
        return judging.row(made, "station's card cloned", many, f"{acts} acts; {_forks(made)} journals forked")


def _settled(path: Path) -> Path:
    """With everything copied from the write-ahead log into the file, as when a station is stopped in order."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def garbage(path: Path, chance: random.Random) -> None:
    """Some pages are filled with noise."""
    with _settled(path).open("r+b") as file:
        pages = path.stat().st_size // _PAGE
        for page in chance.sample(range(pages), min(pages, 3)):
            file.seek(page * _PAGE)
            file.write(chance.randbytes(_PAGE))


def no_header(path: Path, chance: random.Random) -> None:
    """The first page is gone."""
    with _settled(path).open("r+b") as file:
        file.write(bytes(_PAGE))


def cut_short(path: Path, chance: random.Random) -> None:
    """The second half is gone."""
    with _settled(path).open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // _PAGE * _PAGE)


def log_spoilt(path: Path, chance: random.Random) -> None:
    """The write-ahead log is spoilt from somewhere on: what was in it is as if it had never been written."""
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        return
    with log.open("r+b") as file:
        file.seek(chance.randrange(max(1, log.stat().st_size)))
        file.write(chance.randbytes(_PAGE))


def gone(path: Path, chance: random.Random) -> None:
    """No file is left."""
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


_DAMAGES: tuple[Damage, ...] = (garbage, no_header, log_spoilt, cut_short, gone)


def _open(made: Rig, variants: Sequence[Variant] = ()) -> Gate:
    made.broker.start()
    made.ingest.start()
    return made.open_gates(variants=variants)[0]


def _load(gate: Gate, seed: int, chance: random.Random) -> None:
    gate.drive(seed)
    threading.Event().wait(chance.uniform(*_LOAD_SECONDS))
    gate.quiet()


def _start(gate: Gate) -> None:
    until("the screen is gone", lambda: not gate.up.is_set())
    gate.program.start()
    until("the gate goes on", gate.up.is_set, _UP_SECONDS)


def _goes_on(gate: Gate, chance: random.Random) -> None:
    """It starts, shows its page, and takes another entry."""
    before = len(gate.ledger.confirmed)
    _start(gate)
    until("the gate takes entries again", lambda: gate.act(chance) and len(gate.ledger.confirmed) > before, _UP_SECONDS)


def _forks(made: Rig) -> int:
    return int(made.query("SELECT count(*) FROM journals WHERE fork_at IS NOT NULL")[0][0])
