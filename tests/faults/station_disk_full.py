"""A station's disk is full for a while: the page says so, nothing is shown as done, and nothing that was begun is forgotten."""

import random
import threading

from tests.faults import judging
from tests.faults.rig import rig
from tests.faults.rows import Row
from tests.faults.space import small_disk

_DISK_MEBIBYTES = 8
_SHOWN_SECONDS = 20


def run(seed: int, many: int) -> Row:
    """Fill it `many` times, for some seconds each."""
    chance = random.Random(seed)
    with rig(1) as made, small_disk(made.folder / "s1" / "data", _DISK_MEBIBYTES) as disk:
        made.broker.start()
        made.ingest.start()
        (gate,) = made.open_gates()
        gate.drive(seed)
        told = 0
        for _ in range(many):
            threading.Event().wait(chance.uniform(0.3, 1))
            disk.fill(gate.program)
            told += gate.wait(lambda seen: seen.journal_problem not in (None, "disk_low"), _SHOWN_SECONDS)
            threading.Event().wait(chance.uniform(0.5, 3))
            disk.free(gate.program)
            gate.wait(lambda seen: seen.journal_problem in (None, "disk_low"), _SHOWN_SECONDS)
        acts = gate.quiet()
        made.settle()
        kind = "a full file system" if disk.mounted else "a limit on the size of files"
        return judging.row(made, "station's disk full", many, f"{acts} acts; {kind}; the page said so {told} times of {many}")
