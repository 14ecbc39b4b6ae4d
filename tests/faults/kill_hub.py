"""The hub's ingest is killed at random points, under load: while it starts, hears, stores and acknowledges."""

import random
import threading
from collections.abc import Sequence

from tests.faults import judging
from tests.faults.processes import Variant
from tests.faults.rig import Rig, rig
from tests.faults.rows import Row

STATIONS = 3
_LIVES_SECONDS = (0.1, 1.0)
_UNTIL_IT_DIES_SECONDS = 30


def run(seed: int, many: int) -> Row:
    """Kill it `many` times."""
    chance = random.Random(seed)
    with rig(min(STATIONS, many)) as made:
        _open(made, seed)
        for _ in range(many):
            threading.Event().wait(chance.uniform(*_LIVES_SECONDS))
            made.ingest.kill()
            made.ingest.start()
        return _judged(made, "hub killed", many)


def run_around_commit(
    seed: int, many: int, variants: Sequence[Variant] = (), shares: tuple[float, float] = (0.08, 0.24)
) -> Row:  # fmt: skip
    """Have it die `many` times, at such `shares` of its commits: just before it, and between it and the acknowledgement."""
    dying: Variant = ("injected:die_around_commit", {"before": shares[0], "after": shares[1], "seed": seed})
    with rig(min(STATIONS, many)) as made:
        made.ingest.variants = tuple(variants)
        _open(made, seed)
        made.ingest.stop()
        made.ingest.variants = (*variants, dying)
        for _ in range(many):
            made.ingest.start()
            if not made.ingest.wait_ended(_UNTIL_IT_DIES_SECONDS):
                made.ingest.kill()
        made.ingest.variants = tuple(variants)
        made.ingest.start()
        return _judged(made, "hub killed between commit and acknowledgement", many)


def _open(made: Rig, seed: int) -> None:
    made.broker.start()
    made.ingest.start()
    for number, gate in enumerate(made.open_gates()):
        gate.drive(seed + number)


def _judged(made: Rig, fault: str, many: int) -> Row:
    acts = sum(gate.quiet() for gate in made.gates.values())
    made.settle()
    return judging.row(made, fault, many, f"{acts} acts at {len(made.gates)} gates")
