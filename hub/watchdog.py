"""systemd's watchdog (sd_notify(3)) for programs that are one loop: the loop itself says after each turn that it lives."""

import os
import time
from collections.abc import Callable

from sdnotify import SystemdNotifier


class Pulse:
    """READY=1 at the first beat, then WATCHDOG=1 at a third of systemd's time-out at most. Without systemd it does nothing."""

    def __init__(self, notify: Callable[[str], None] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._notify, self._clock = notify or SystemdNotifier().notify, clock
        os.environ.pop("NOTIFY_SOCKET", None)  # the programs that this one starts are not to speak in its name
        self._period = int(os.environ.pop("WATCHDOG_USEC", "0")) / 3e6
        self._last: float | None = None

    def beat(self) -> None:
        """The loop has turned."""
        now = self._clock()
        if self._last is None:
            self._notify("READY=1")
        elif not self._period or now - self._last < self._period:
            return
        else:
            self._notify("WATCHDOG=1")
        self._last = now

    def ends(self) -> None:
        """The program ends in an orderly way."""
        self._notify("STOPPING=1")
