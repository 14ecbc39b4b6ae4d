"""Slows down guessing: after five wrong passwords for one account from one address, a minute's wait."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

Key = tuple[str, str]
"""Account and address."""


@dataclass(frozen=True)
class _Failures:
    count: int
    last: float


class Attempts:
    """Failures of this process, counted by account and address. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float], *, allowed: int = 5, wait: float = 60, most: int = 10_000) -> None:
        self._monotonic, self._allowed, self._wait, self._most = monotonic, allowed, wait, most
        self._failures: dict[Key, _Failures] = {}
        self._lock = Lock()

    def wait_seconds(self, key: Key) -> int:
        """Whole seconds until this account may be tried again from this address; 0 means now."""
        with self._lock:
            known = self._current(key)
            if known is None or known.count < self._allowed:
                return 0
            return math.ceil(known.last + self._wait - self._monotonic())

    def failed(self, key: Key) -> None:
        """Count one wrong password."""
        with self._lock:
            known = self._current(key)
            self._failures.pop(key, None)
            self._failures[key] = _Failures(known.count + 1 if known else 1, self._monotonic())
            if len(self._failures) > self._most:
                del self._failures[next(iter(self._failures))]

    def succeeded(self, key: Key) -> None:
        """Forget what went wrong before."""
        with self._lock:
            self._failures.pop(key, None)

    def _current(self, key: Key) -> _Failures | None:
        known = self._failures.get(key)
        return known if known and self._monotonic() < known.last + self._wait else None
