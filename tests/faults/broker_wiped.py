"""The broker is killed, and everything it had kept is wiped, under load."""

import random
import threading

from tests.faults import judging
from tests.faults.rig import rig
from tests.faults.rows import Row

STATIONS = 2


def run(seed: int, many: int) -> Row:
    """Kill and wipe it `many` times."""
    chance = random.Random(seed)
    with rig(STATIONS) as made:
        made.broker.start()
        made.ingest.start()
        for number, gate in enumerate(made.open_gates()):
            gate.drive(seed + number)
        for _ in range(many):
            threading.Event().wait(chance.uniform(0.5, 3))
            made.broker.stop(kill=True)
            for left in made.broker.folder.glob("mosquitto.db*"):
                left.unlink()
            threading.Event().wait(chance.uniform(0, 1.5))
            made.broker.start()
        acts = sum(gate.quiet() for gate in made.gates.values())
        made.settle()
        return judging.row(made, "broker killed and its data wiped", many, f"{acts} acts at {STATIONS} gates")
