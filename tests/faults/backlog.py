"""A station comes back to the network with a long backlog, and is worked through while people go on passing."""

import statistics
import time
from datetime import datetime

from contract.events import Direction, Entry, Outcome
from kiosk.clock import StationClock, boot_id
from kiosk.journal import Journal
from tests.faults import judging
from tests.faults.ledger import Confirmed, now
from tests.faults.rig import Rig, rig
from tests.faults.rows import Row

_AT_ONCE = 1000
_ENTRY = Entry(direction=Direction.OUT, outcome=Outcome.ADMIT, pass_kind="resident")


def run(seed: int, many: int) -> Row:
    """A backlog of `many` entries, written by the station's own journal."""
    with rig(1) as made:
        gate = made.gate("s1")
        with Journal(gate.data, boot=boot_id(), clock=StationClock(trusted=True).journal_now) as journal:
            for first in range(0, many, _AT_ONCE):
                began = now()
                written = journal.append(*[_ENTRY] * min(_AT_ONCE, many - first))
                gate.ledger.confirmed.update({event.id: Confirmed(began, now()) for event in written})
        gate.ledger.acts = many
        made.broker.start()
        made.ingest.start()
        since = time.monotonic()
        gate.program.start()
        gate.watch()
        gate.wait(lambda seen: seen.online, 60)
        gate.drive(seed, 0.1)
        gate.wait(lambda seen: seen.backlog < 20, 600)
        took = time.monotonic() - since
        gate.quiet()
        made.settle()
        return judging.row(
            made, f"backlog of {many} entries beside live ones", 1, f"{many / took:.0f} entries/s; {_delays(made, many)}"
        )


def _delays(made: Rig, many: int) -> str:
    """How long after it was made a live entry was received, while the backlog was worked off."""
    rows = made.query("SELECT at, received_at FROM events WHERE kind = 'entry' AND seq > ?", many + 1)
    late = [(datetime.fromisoformat(received) - datetime.fromisoformat(at)).total_seconds() for at, received in rows]
    if not late:
        return "no live entry"
    return f"{len(late)} live ones after {statistics.median(late):.2f} s (median), {max(late):.2f} s at most"
