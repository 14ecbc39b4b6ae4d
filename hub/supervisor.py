"""`hub run`: the hub's programs as children that never outlive it; one that dies is started again, later each time."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from hub.processes import Child, stop_all
from hub.watchdog import Pulse

log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS = 1.0, 30.0
STEADY_SECONDS = 60.0
"""One that ran so long begins again with the first delay."""


class Supervised:
    """One program, started again when it dies."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.child = Child(name, command)
        self._started, self._delay, self._due = 0.0, FIRST_DELAY_SECONDS, 0.0
        self._running = False

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self.child.pid

    def look(self, now: float) -> None:
        """Start it when it is not running and its time has come. `now`: a monotonic clock's seconds."""
        if self._running and self.child.pid is None:
            self._ended(now)
        if not self._running and now >= self._due:
            self.child.start()
            self._running, self._started = True, now

    def _ended(self, now: float) -> None:
        if now - self._started >= STEADY_SECONDS:
            self._delay = FIRST_DELAY_SECONDS
        log.error("%s ended with %s; starting it again in %.0f s", self.child.name, self.child.ended_with, self._delay)
        self._running, self._due = False, now + self._delay
        self._delay = min(2 * self._delay, LAST_DELAY_SECONDS)


def supervise(commands: Mapping[str, Sequence[str]], stop: threading.Event, looked: Callable[[], None] = lambda: None) -> None:
    """Keep every program running until told to stop, then end them all, by process id. `looked` is called after each look."""
    children = [Supervised(name, command) for name, command in commands.items()]
    try:
        while True:
            for child in children:
                child.look(time.monotonic())
            looked()
            if stop.wait(POLL_SECONDS):
                return
    finally:
        stop_all([one.child for one in children])


def until_signalled(commands: Mapping[str, Sequence[str]]) -> None:
    """`supervise` until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    supervise(commands, stop, Pulse().beat)
