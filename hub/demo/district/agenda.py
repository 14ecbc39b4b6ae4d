"""Who of the seeded sub-district does what next, each thing through the hub's own module and noted like a page notes it."""

import heapq
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from hub import audit
from hub.demo.district.days import Telling
from hub.demo.district.places import District, Gate
from hub.registry import accounts
from hub.registry.errors import RegistryError
from hub.rights import Role

ADDRESS = "10.12.0.9"
"""Of the desks; the inspectors' telephones have another."""
_PHONE = "10.12.7.21"
_WAKES, _RESTS = 7, 21


class Agenda:
    """What is to be done when. Chance is drawn by what it is about, so that the same seed tells the same."""

    def __init__(self, telling: Telling, district: District, seed: int) -> None:
        self.telling, self.seed = telling, seed
        self.gates: dict[str, Gate] = {gate.id: gate for gate in district.gates}
        self.areas = [area for area, _ in district.areas]
        self.liaisons = [account.id for account in accounts.list_accounts(telling.conn) if account.role is Role.LIAISON]
        self._due: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._numbers = count()

    @property
    def conn(self) -> sa.Connection:
        """The transaction in which everything is told."""
        return self.telling.conn

    def at(self, when: datetime, do: Callable[[datetime], None]) -> None:
        """Have something done at a time within the days that are told."""
        if self.telling.begins < when <= self.telling.now:
            heapq.heappush(self._due, (when, next(self._numbers), do))

    def act(self, until: datetime) -> None:
        """Do what is due, in order. What the hub refuses stays undone, as at a page."""
        while self._due and self._due[0][0] <= until:
            when, _, do = heapq.heappop(self._due)
            try:
                do(when)
            except RegistryError:
                continue

    def chance(self, *about: object) -> random.Random:
        """A chance of its own for what it is about."""
        return random.Random(f"{self.seed} {about}")

    def midnight(self, day: int) -> datetime:
        """When the n-th day that is told begins at the place; the first of them began before the telling."""
        begins = self.telling.begins.astimezone(self.telling.zone)
        return begins.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=day)

    def awake(self, rng: random.Random, at: datetime, minutes: float) -> datetime:
        """A time some minutes later, as it comes; never in the night."""
        local = (at + timedelta(seconds=240 + rng.expovariate(1 / (60 * minutes)))).astimezone(self.telling.zone)
        if _WAKES <= local.hour < _RESTS:
            return local
        morning = local.replace(hour=_WAKES, minute=0, second=0) + timedelta(days=local.hour >= _RESTS)
        return morning + timedelta(seconds=rng.randrange(3 * 3600))

    def supervisor(self, gate: Gate) -> str:
        """Who supervises the area that a gate lies in."""
        return f"du{self.areas.index(gate.compound.area) + 1}"

    def inspector(self, rng: random.Random, gate: Gate, *, other: bool = False) -> str:
        """Who inspects the area that a gate lies in, or one of another area's team."""
        own = self.areas.index(gate.compound.area)
        return f"cha{(own + rng.randrange(1, len(self.areas)) if other else own) % len(self.areas) + 1}"

    def note(self, by: str, at: datetime, action: str, kind: str, object: str, **detail: Any) -> None:
        """The line of the audit log that a page writes of it."""
        address = _PHONE if by.startswith("cha") else ADDRESS
        audit.note(self.conn, by, action, kind, object, detail, at=at, address=address)
