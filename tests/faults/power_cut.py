"""Power cuts: what a station's disk may hold is made from a recorded trace of its writes and syncs, and opened as it would be.

Each state must open, pass the journal's check, and have every entry that had been shown as done by then.
"""

import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kiosk.clock import StationClock
from kiosk.journal import Journal, JournalUnavailable
from tests.faults.ledger import Confirmed
from tests.faults.processes import Variant
from tests.faults.rig import rig
from tests.faults.rows import Row
from tests.faults.trace import Disk, Op, Recorded, can_record

_UP_SECONDS = 60
ENTRIES = 600
"""So many that the write-ahead log is copied back into the file (SQLite does so every 1000 pages) more than once."""


@dataclass(frozen=True)
class _State:
    """What one crash state lacked or had wrong."""

    lost: frozenset[str] = frozenset()
    doubled: int = 0
    misdated: frozenset[str] = frozenset()
    complaint: str = ""


def run(seed: int, many: int, variants: Sequence[Variant] = (), entries: int = ENTRIES) -> Row:
    """Record `entries` entries once, then make and open `many` states."""
    if not can_record():
        return Row(
            fault="station's power cut", injected=0, confirmed=0, lost=0, doubled=0, misdated=0, note="strace may not trace"
        )
    with rig(1) as made:
        gate = made.gate("s1")
        recorded = Recorded(gate.config, gate.folder / "trace", variants)
        try:
            gate.watch()
            gate.wait(lambda seen: True, _UP_SECONDS)
            gate.drive(seed, 0.0)
            ends = time.monotonic() + 0.2 * entries + _UP_SECONDS
            while len(gate.ledger.confirmed) < entries and time.monotonic() < ends:
                time.sleep(0.05)
            gate.quiet()
        finally:
            recorded.kill()
        ops, confirmed = recorded.ops(gate.data), gate.ledger.confirmed
        chance = random.Random(seed)
        cuts = sorted(chance.randrange(len(ops)) for _ in range(many))
        states = _states(ops, cuts, gate.data, made.folder / "crashed", confirmed, chance)
    complaints = Counter(state.complaint for state in states if state.complaint)
    syncs = sum(op.call.endswith("sync") for op in ops)
    note = f"{len(ops)} calls, {syncs} of them syncs; " + (
        "; ".join(f"{n}× {text}" for text, n in complaints.items()) or "all sound"
    )
    return Row(
        fault="station's power cut", injected=len(states), confirmed=len(confirmed),
        lost=len(frozenset().union(*(s.lost for s in states))) or len(complaints), doubled=sum(s.doubled for s in states),
        misdated=len(frozenset().union(*(s.misdated for s in states))), note=note,
    )  # fmt: skip


def _states(
    ops: list[Op], cuts: list[int], folder: Path, into: Path, confirmed: dict[str, Confirmed], chance: random.Random
) -> list[_State]:  # fmt: skip
    disk, states, done = Disk(folder), [], 0
    for cut in cuts:
        for op in ops[done:cut]:
            disk.apply(op)
        done = cut
        disk.crashed(into, chance)
        at = datetime.fromtimestamp(ops[cut].at, UTC)
        states.append(_opened(into, {id_: one for id_, one in confirmed.items() if one.shown < at}))
        shutil.rmtree(into)
    return states


def _opened(folder: Path, wanted: dict[str, Confirmed]) -> _State:
    try:
        with Journal(folder, boot="after", clock=StationClock(trusted=True).journal_now) as journal:
            events, complaints = list(journal.all_events()), journal.check()
    except JournalUnavailable as error:
        return _State(frozenset(wanted), complaint=f"does not open: {error.reason}")
    if list(folder.glob("journal.db.corrupt-*")):
        complaints.append("moved aside")
    there = {event.id: event.at for event in events}
    wrong = frozenset(id_ for id_, one in wanted.items() if id_ in there and not one.since <= there[id_] <= one.shown)
    return _State(frozenset(wanted.keys() - there.keys()), len(events) - len(there), wrong, "".join(complaints[:1]))
