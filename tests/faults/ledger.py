"""What the harness knows, outside of every program under test: who was told what is done, and when that can have been."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

_UNASKED = timedelta(seconds=2)


def now() -> datetime:
    """The harness's own clock: no fault touches it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Confirmed:
    """An entry that a person was shown as done: it was made after `since` and before `shown`."""

    since: datetime
    shown: datetime


@dataclass
class Ledger:
    """One station's: the acts at its gate, and the entries that it has shown as done."""

    station: str
    confirmed: dict[str, Confirmed] = field(default_factory=dict)
    acts: int = 0
    passes: set[str] = field(default_factory=set)
    """Of the acts that had one: each a pass of its own."""
    _open: list[datetime] = field(default_factory=list)
    """When each act began whose entry is not shown yet; that of one which came to nothing goes with a later one."""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def acting(self, pass_id: str | None = None) -> int:
        """An act begins; returns how many entries are confirmed by now."""
        with self._changed:
            self.acts += 1
            self._open.append(now())
            if pass_id is not None:
                self.passes.add(pass_id)
            return len(self.confirmed)

    def shown(self, ids: Iterable[str]) -> None:
        """The station's page shows these entries as done."""
        with self._changed:
            fresh = [one for one in ids if one not in self.confirmed]
            for one in fresh:
                at = now()
                self.confirmed[one] = Confirmed(self._open[0] if self._open else at - _UNASKED, at)
            del self._open[: len(fresh)]
            if fresh:
                self._changed.notify_all()

    def gone(self, before: datetime) -> None:
        """What was begun before this is shown by now, or will never be: the station was killed."""
        with self._changed:
            self._open = [at for at in self._open if at >= before]

    def wait_beyond(self, count: int, seconds: float) -> bool:
        """Wait until more than `count` entries are confirmed."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.confirmed) > count, seconds)
