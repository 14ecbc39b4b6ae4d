"""Stored readings told from new ones, by the stamps that a thermometer with a memory puts on each.

After a time out of reach it sends all that it has stored, one after another. The stamps are by a clock of its own, which may be
wrong; but between two new readings it goes on as long as ours does.
"""

from dataclasses import dataclass
from datetime import datetime

APART_SECONDS = 2.0
"""Readings that come closer than this come out of a memory: nobody measures two people in less."""
TOLERANCE_SECONDS = 6.0
"""How much longer one reading may take to arrive than another: the thermometer has to be found and connected first."""


@dataclass(frozen=True)
class _Seen:
    stamp: datetime
    received_ns: int


class DeviceClock:
    """One thermometer's clock beside ours.

    A reading is new if, since the last one before its burst, as much time has gone by on its stamp as on our clock. The first
    reading of all is never new: it only shows what the clock says. So it is after the clock was set.
    """

    def __init__(self) -> None:
        self._before: _Seen | None = None
        self._last: _Seen | None = None

    def is_new(self, stamp: datetime, received_ns: int) -> bool:
        """Whether a reading with this stamp, received now, was also measured now. Each reading is asked about once, in order."""
        last, self._last = self._last, _Seen(stamp, received_ns)
        if last is None:
            return False
        if received_ns - last.received_ns >= APART_SECONDS * 1e9:
            self._before = last
        if self._before is None or stamp <= last.stamp:
            return False
        by_its_clock = (stamp - self._before.stamp).total_seconds()
        by_ours = (received_ns - self._before.received_ns) / 1e9
        return abs(by_ours - by_its_clock) <= TOLERANCE_SECONDS
