"""Switching by the clock: on now, off when the time is over, whatever the rest of the program does."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.05


class Pulses:
    """Switches one output on and off in turn. Whoever begins switches it on; a thread of its own does all that follows."""

    def __init__(
        self, switch: Callable[[bool], None], *, name: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self._switch, self._monotonic = switch, monotonic
        self._changed = threading.Condition()
        self._left: deque[float] = deque()
        self._due: float | None = None
        self._on = self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def begin(self, *seconds: float) -> None:
        """On for the first of `seconds`, off for the second, and so on; off after the last. Drops what was going on.

        Raises what `switch` raises, and even then it is switched off in time.
        """
        with self._changed:
            if self._closed:
                return
            self._left = deque(seconds)
            self._due = self._monotonic() + self._left.popleft()
            self._on = True
            self._changed.notify()
            self._switch(True)

    def close(self) -> None:
        """Off, and no more pulses. Raises what `switch` raises."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify()
            try:
                self._switch(False)
            finally:
                self._due = None
        self._thread.join()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                left = None if self._due is None else self._due - self._monotonic()
                if left is None or left > 0:
                    self._changed.wait(left)
                else:
                    self._step()

    def _step(self) -> None:
        assert self._due is not None
        on = not self._on and bool(self._left)
        try:
            self._switch(on)
        except Exception:
            log.exception("%s could not be switched and is tried again", self._thread.name)
            self._due = self._monotonic() + RETRY_SECONDS
            return
        self._on = on
        self._due = self._due + self._left.popleft() if self._left else None
