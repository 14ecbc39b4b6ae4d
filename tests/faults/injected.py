"""What is done to the real programs from within, before they are entered: they kill themselves where no harness can aim."""

import json
import os
import random
import signal
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

_UNDER_WAY_SECONDS = 0.03
"""What was handed to the network before is on its way by then."""


def die_around_commit(before: float, after: float, seed: int) -> None:
    """The ingest ends by SIGKILL at so many of its commits: just before it, or just after it and before any acknowledgement."""
    from hub import ingest, storing

    chance, real = random.Random(f"{seed} {os.getpid()}"), storing.store

    def store(*arguments: Any) -> Any:
        drawn = chance.random()
        if drawn < before:
            _die()
        stored = real(*arguments)
        if before <= drawn < before + after:
            _die()
        return stored

    ingest.__dict__["store"] = store


def one_at_a_time() -> None:
    """The ingest keeps each message in a transaction of its own, as when they come slowly: a birth is answered first."""
    from hub import ingest

    ingest.__dict__["BATCH"] = 1


def clock_from(path: str) -> None:
    """The station's clock is as a file says, read whenever the clock is: how wrong it is, and whether it is kept right.

    Each start of the process is a boot of its own, as after a power cut: a new boot id, and a monotonic clock that begins anew.
    """
    from kiosk import app
    from kiosk.clock import StationClock
    from kiosk.inputs import Now

    boot, began_ns, real = str(uuid.uuid4()), time.monotonic_ns(), StationClock.now

    def told(self: StationClock) -> Now:
        said, right = json.loads(Path(path).read_bytes()), real(self)
        return Now(utc=right.utc + timedelta(seconds=said["wrong_by"]), mono_ns=right.mono_ns - began_ns, synced=said["synced"])

    app.__dict__["boot_id"] = lambda: boot
    StationClock.now = told  # type: ignore[method-assign]


def _die() -> None:
    time.sleep(_UNDER_WAY_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
