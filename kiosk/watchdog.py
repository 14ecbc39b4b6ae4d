"""systemd's watchdog (sd_notify(3), sd_watchdog_enabled(3)): told that the station lives only while its loop truly turns."""

import logging
import os
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from sdnotify import SystemdNotifier

log = logging.getLogger(__name__)
FIRST_TURN_SECONDS = 0.1
"""How often it looks for the first turn, before it says READY=1."""


class Watchdog:
    """Says READY=1 after the first turn, then WATCHDOG=1 at a third of systemd's time-out, each after a turn since the last.

    `turns` counts what the loop has handled; `threads` are the others without which the gate is not guarded. When the loop
    stands still or one of these threads has ended, the pulse stops, and systemd ends the program and starts it again.
    Without systemd (no NOTIFY_SOCKET in the environment) it does nothing.
    """

    def __init__(
        self,
        turns: Callable[[], int],
        *,
        threads: Callable[[], Iterable[threading.Thread]] = tuple,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self._turns, self._threads = turns, threads
        self._watched = "NOTIFY_SOCKET" in os.environ
        self._notify = notify or SystemdNotifier().notify
        self._period = _period()
        self._seen = turns()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Begin to watch the loop; returns at once."""
        if self._watched:
            self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
            self._thread.start()
        return self

    def close(self) -> None:
        """Tell systemd that the station ends in an orderly way; no pulse after that."""
        if self._thread is not None:
            self.hand_over()
            self._notify("STOPPING=1")

    def hand_over(self) -> None:
        """No pulse any more, and no word of ending: another watchdog of this process takes over."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _run(self) -> None:
        while self._turns() == self._seen:
            if self._stop.wait(FIRST_TURN_SECONDS):
                return
        self._notify("READY=1")
        if self._period is not None:
            while not self._stop.wait(self._period):
                self._pulse()

    def _pulse(self) -> None:
        problem = self._standstill()
        if problem:
            log.error("no pulse to the watchdog: %s", problem)
        else:
            self._notify("WATCHDOG=1")

    def _standstill(self) -> str:
        """What keeps the gate from being guarded; empty when all moves."""
        ended = [thread.name for thread in self._threads() if not thread.is_alive()]
        seen, self._seen = self._seen, self._turns()
        return f"ended: {', '.join(ended)}" if ended else "" if self._seen != seen else "the loop stands still"


def _period() -> float | None:
    """Seconds between pulses: a third of the time-out; None when systemd waits for none from this process."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        return int(os.environ["WATCHDOG_USEC"]) / 3e6 or None
    except (KeyError, ValueError):
        return None
