"""`hub run`: the hub's programs as children that never outlive it; one that dies is started again, later each time."""

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence

from hub.processes import die_with_parent

log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS = 1.0, 30.0
STEADY_SECONDS = 60.0
"""One that ran so long begins again with the first delay."""
STOP_SECONDS = 8.0


class Supervised:
    """One program: what is printed goes where ours goes."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name, self._command = name, list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._started, self._delay, self._due = 0.0, FIRST_DELAY_SECONDS, 0.0

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def look(self, now: float) -> None:
        """Start it when it is not running and its time has come. `now`: a monotonic clock's seconds."""
        if self._process is not None and self._process.poll() is not None:
            self._ended(now, self._process.returncode)
        if self._process is None and now >= self._due:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent
            )
            self._started = now

    def ask_to_end(self) -> None:
        """SIGTERM; returns at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait_ended(self, seconds: float) -> None:
        """Wait, and kill what has not ended by then."""
        if self._process is None:
            return
        try:
            self._process.wait(timeout=max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ended(self, now: float, code: int) -> None:
        if now - self._started >= STEADY_SECONDS:
            self._delay = FIRST_DELAY_SECONDS
        log.error("%s ended with %d; starting it again in %.0f s", self.name, code, self._delay)
        self._process, self._due = None, now + self._delay
        self._delay = min(2 * self._delay, LAST_DELAY_SECONDS)


def supervise(commands: Mapping[str, Sequence[str]], stop: threading.Event) -> None:
    """Keep every program running until told to stop, then end them all, by process id."""
    children = [Supervised(name, command) for name, command in commands.items()]
    try:
        while True:
            for child in children:
                child.look(time.monotonic())
            if stop.wait(POLL_SECONDS):
                return
    finally:
        for child in children:
            child.ask_to_end()
        deadline = time.monotonic() + STOP_SECONDS
        for child in children:
            child.wait_ended(deadline - time.monotonic())


def until_signalled(commands: Mapping[str, Sequence[str]]) -> None:
    """`supervise` until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    supervise(commands, stop)
