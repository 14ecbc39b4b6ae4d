"""What was the matter at each gate of the seeded sub-district, and when: items missing, stations silent, shifts nobody took."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from contract.five import Basis, Evidence, Item
from hub.demo.district.entries import SHIFTS, planned

_BASIS = {
    Item.VOLUNTEER: Basis.DECLARED, Item.DESK: Basis.DECLARED, Item.REGISTER: Basis.SENSOR, Item.PASSES: Basis.SENSOR,
    Item.TEMPERATURE: Basis.SENSOR,
}  # fmt: skip
_REASONS = {
    Item.VOLUNTEER: ("not_confirmed",), Item.DESK: ("expired",), Item.REGISTER: ("journal_failed",),
    Item.PASSES: ("camera_frozen", "directory_stale"), Item.TEMPERATURE: ("thermometer_silent",),
}  # fmt: skip
_OFTEN = {Item.VOLUNTEER: 0.24, Item.DESK: 0.12, Item.REGISTER: 0.02, Item.PASSES: 0.06, Item.TEMPERATURE: 0.08}
"""How often an item goes missing at an average gate, a day."""
_SILENT_OFTEN = 0.1
_UNTAKEN, _LATE = 0.007, 0.6
"""The share of shifts that nobody takes when they begin, and the share of these that somebody takes late."""
_STAYS = 0.004
"""The share of shifts for which whoever is there stays on."""
_SIGNED_OFF = "signed_off"

Turns = Mapping[datetime, str | None]
"""When each shift begins → the badge that takes it; None: nobody does."""


@dataclass(frozen=True)
class Stretch:
    """A time from when until when something was missing, or the station silent."""

    begins: datetime
    ends: datetime
    reason: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether a time lies in it."""
        return self.begins <= at < self.ends


@dataclass(frozen=True)
class Story:
    """A gate's days: what was missing, when nobody heard it, and who took each shift."""

    missing: dict[Item, list[Stretch]]
    silent: list[Stretch]
    turns: Turns

    def is_silent(self, at: datetime) -> bool:
        """Whether nobody hears the station at a time."""
        return any(one.holds(at) for one in self.silent)

    def lacks(self, item: Item, at: datetime) -> bool:
        """Whether the item is missing at a time."""
        return any(one.holds(at) for one in self.missing[item])

    def said(self, at: datetime, begins: datetime) -> tuple[Evidence, ...]:
        """What the station last said of each item by a time."""
        return tuple(_evidence(item, stretches, at, begins) for item, stretches in self.missing.items())


def make(rng: random.Random, badges: Sequence[str], zone: tzinfo, begins: datetime, ends: datetime) -> Story:
    """A story of some days; some gates take more care than others."""
    care = rng.choice((0.2, 0.5, 1, 1, 1, 2, 3))
    turns = _turns(rng, badges, zone, begins, ends)
    missing = {item: list(_stretches(rng, often * care, begins, ends, _REASONS[item])) for item, often in _OFTEN.items()}
    nobody = _untaken(turns, ends)
    besides = [one for one in missing[Item.VOLUNTEER] if all(_are_apart(one, other) for other in nobody)]
    missing[Item.VOLUNTEER] = sorted((*besides, *nobody), key=lambda one: one.begins)
    return Story(missing, list(_stretches(rng, _SILENT_OFTEN * care, begins, ends, ("",))), turns)


def _turns(
    rng: random.Random, badges: Sequence[str], zone: tzinfo, begins: datetime, ends: datetime
) -> dict[datetime, str | None]:
    """Of the shifts that nobody takes when they begin some are taken late."""
    hour, found = begins.replace(minute=0, second=0, microsecond=0), dict[datetime, str | None]()
    while hour < ends:
        if hour >= begins and hour.astimezone(zone).hour in SHIFTS and rng.random() >= _STAYS:
            found[hour] = None if rng.random() < _UNTAKEN else planned(hour, zone, badges)
            if found[hour] is None and rng.random() < _LATE:
                found[hour + timedelta(seconds=rng.randint(20 * 60, 170 * 60))] = planned(hour, zone, badges)
        hour += timedelta(hours=1)
    return {at: badge for at, badge in found.items() if at < ends}


def _untaken(turns: Turns, ends: datetime) -> list[Stretch]:
    """When nobody was there since nobody came: until the next one did."""
    times, found = list(turns), list[Stretch]()
    for begin, end in zip(times, [*times[1:], ends + timedelta(hours=4)], strict=True):
        if turns[begin] is None and found and found[-1].ends == begin:
            found[-1] = Stretch(found[-1].begins, end, _SIGNED_OFF)
        elif turns[begin] is None:
            found.append(Stretch(begin, end, _SIGNED_OFF))
    return found


def _are_apart(one: Stretch, other: Stretch) -> bool:
    return one.ends <= other.begins or one.begins >= other.ends


def _stretches(rng: random.Random, a_day: float, begins: datetime, ends: datetime, reasons: tuple[str, ...]) -> Iterator[Stretch]:
    at = begins
    while True:
        at += timedelta(seconds=int(rng.expovariate(a_day) * 86400))
        lasts = timedelta(seconds=60 * min(5 + int(rng.expovariate(1 / 35)), 600) + rng.randrange(60))
        if at >= ends:
            return
        yield Stretch(at, at + lasts, rng.choice(reasons))
        at += lasts + timedelta(minutes=10)


def _evidence(item: Item, stretches: list[Stretch], at: datetime, begins: datetime) -> Evidence:
    past = [one for one in stretches if one.begins <= at]
    if past and at < past[-1].ends:
        last = past[-1]
        return Evidence(item=item, present=False, basis=_BASIS[item], observed_at=last.begins, reason=last.reason)
    return Evidence(item=item, present=True, basis=_BASIS[item], observed_at=past[-1].ends if past else begins)
