"""The station is killed at random points, under load: while it starts, commits, sends, and is acknowledged."""

import random
import threading
from collections.abc import Sequence

from tests.faults import judging
from tests.faults.gate import Gate
from tests.faults.processes import Variant
from tests.faults.rig import rig, until
from tests.faults.rows import Row

STATIONS = 4
_LIVES_SECONDS = (0.0, 1.2)
_UP_SECONDS = 60
_MORE = 8
"""So many entries every gate takes after its last kill."""


def run(seed: int, many: int, variants: Sequence[Variant] = ()) -> Row:
    """Kill `many` times in all; several stations at once, each with a thread that kills it."""
    stations = min(STATIONS, many)
    with rig(stations) as made:
        made.broker.start()
        made.ingest.start()
        gates = made.open_gates(variants=variants)
        for number, gate in enumerate(gates):
            gate.drive(seed + number)
        shares = [many // stations + (number < many % stations) for number in range(stations)]
        killers = [
            threading.Thread(target=_kill, args=(gate, share, random.Random(f"{seed} {gate.ledger.station}")))
            for gate, share in zip(gates, shares, strict=True)
        ]
        for killer in killers:
            killer.start()
        for killer in killers:
            killer.join()
        after = {gate: len(gate.ledger.confirmed) for gate in gates}
        until("the gates take entries again", lambda: all(len(g.ledger.confirmed) >= n + _MORE for g, n in after.items()), 120)
        acts = sum(gate.quiet() for gate in gates)
        made.settle()
        return judging.row(made, "station killed", many, f"{acts} acts at {stations} gates")


def _kill(gate: Gate, times: int, chance: random.Random) -> None:
    """One life in four ends before the page is served, the others a random while after."""
    for _ in range(times):
        if chance.random() < 0.75:
            gate.up.wait(_UP_SECONDS)
        threading.Event().wait(chance.uniform(*_LIVES_SECONDS))
        gate.program.kill()
        gate.program.start()
