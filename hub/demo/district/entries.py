"""Who went through a gate of the seeded sub-district, and who stood at it."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Protocol

from contract.codec import encode
from contract.events import Band, Body, Clock, Direction, Entry, Event, Outcome, PeopleCounted, Reading, ShiftChange, Who, kind_of
from hub.demo.district.places import Gate
from hub.rules.compliance import is_open

SHIFTS = (2, 6, 10, 14, 18, 22)
"""The hours at which the volunteers take over."""
_BUSY = (1, 1, 1, 1, 1, 2, 5, 12, 10, 6, 5, 6, 6, 5, 5, 6, 8, 11, 10, 7, 5, 4, 2, 1)
"""How busy each hour of the day is, against the others."""
_FEVER, _LOW, _RETAKES = 37.3, 35.0, 0.05
_TYPED = 0.02
"""The share of gates where temperatures are typed in, and one and the same most of the time."""
_SOON = timedelta(minutes=1)
"""Nobody is let in who would still be measured when the gate closes."""
_REFERRED = {"red": "colour_refer", "white": "colour_refer", "orange": "colour_refer"}


class _Silence(Protocol):
    @property
    def begins(self) -> datetime: ...
    @property
    def ends(self) -> datetime: ...


@dataclass(frozen=True)
class Happening:
    """Something that a station wrote down, and when the hub had it."""

    at: datetime
    received_at: datetime
    body: Body
    id: str = ""
    """Empty: as its journal and number have it."""

    def row(self, journal: str, seq: int, gate: Gate) -> dict[str, Any]:
        """The row of the events table."""
        event = Event(
            seq=seq, id=self.id or f"{journal}-{seq}", at=self.at, boot="seed", mono_ns=seq, clock=Clock.SYNCED, body=self.body
        )
        return {
            "journal": journal, "seq": seq, "id": event.id, "station": gate.station, "gate": gate.id, "at": self.at,
            "received_at": self.received_at, "boot": event.boot, "mono_ns": seq, "clock": event.clock.value,
            "kind": kind_of(self.body), "body": encode(event).decode(), "error": None,
        }  # fmt: skip


def happenings(
    rng: random.Random, gate: Gate, turns: Mapping[datetime, str | None], holders: Sequence[tuple[str, str]],
    silent: Sequence[_Silence], zone: tzinfo, *, begins: datetime, ends: datetime, a_day: int,
) -> Iterator[Happening]:  # fmt: skip
    """Everything a gate's station wrote from `begins` until `ends`, in order. What it wrote while nobody heard it came after."""
    hour = begins.replace(minute=0, second=0, microsecond=0)
    busy = a_day * rng.uniform(0.4, 1.8) * (0.4 if gate.side else 1)
    on, typed = None, rng.random() < _TYPED
    coming = sorted(turns, reverse=True)
    while hour < ends:
        local = hour.astimezone(zone)
        bodies: list[tuple[datetime, Body]] = []
        while coming and coming[-1] < hour + timedelta(hours=1):
            at = coming.pop()
            bodies += [(at, body) for body in _takes_over(on, turns[at])]
            on = turns[at]
        times = _times(rng, hour, busy * _BUSY[local.hour] / sum(_BUSY))
        bodies += _hour(
            rng, hour, [at for at in times if is_open(gate.schedule, at.astimezone(zone) + _SOON)], holders, on, typed
        )
        for at, body in sorted(bodies, key=lambda one: one[0]):
            if begins <= at < ends:
                yield Happening(at, heard(at, silent), body)
        hour += timedelta(hours=1)


def planned(begins: datetime, zone: tzinfo, badges: Sequence[str]) -> str:
    """Whose turn a shift is: one after another, so that the same person has it at another hour each day."""
    local = begins.astimezone(zone)
    return badges[(local.toordinal() * (len(SHIFTS) + 1) + SHIFTS.index(local.hour)) % len(badges)]


def _takes_over(before: str | None, after: str | None) -> Iterator[Body]:
    if before is not None:
        yield ShiftChange(on=False, badge=before, reason="handed_over" if after else "badge")
    if after is not None:
        yield ShiftChange(on=True, badge=after)


def _times(rng: random.Random, hour: datetime, expected: float) -> list[datetime]:
    count, threshold, product = 0, math.exp(-expected), rng.random()
    while product > threshold:  # Poisson, after Knuth
        count, product = count + 1, product * rng.random()
    return sorted(hour + timedelta(seconds=rng.randrange(3500)) for _ in range(count))


def _hour(
    rng: random.Random, hour: datetime, times: Sequence[datetime], holders: Sequence[tuple[str, str]], on: str | None, typed: bool
) -> Iterator[tuple[datetime, Body]]:
    people = 0
    for at in times:
        entries = _person(rng, holders, on, typed)
        for n, entry in enumerate(entries):
            people += entry.people if n == 0 else 0
            yield at + timedelta(seconds=8 * n), entry
    if people:
        extra = 0 if rng.random() < 0.9 else rng.randint(1, 3)
        yield hour + timedelta(seconds=3599), PeopleCounted(seconds=3600.0, counted=people + extra, recorded=people)


def _person(rng: random.Random, holders: Sequence[tuple[str, str]], on: str | None, typed: bool) -> list[Entry]:
    direction = rng.choice((Direction.IN, Direction.OUT))
    drawn = rng.random()
    if drawn < 0.004:
        return [Entry(direction=Direction.IN, outcome=Outcome.UNCHECKED, reasons=("unchecked",), by=on)]
    if drawn < 0.06 and direction is Direction.IN:
        return [Entry(direction=direction, outcome=Outcome.ADMIT, reading=reading(rng), by=on, who=Who.VISITOR, found="form",
                      purpose=rng.choice(("visit", "repair", "care", "delivery")), host_confirmed=rng.random() < 0.9,
                      key_area=False)]  # fmt: skip
    pass_id, colour = rng.choice(holders)
    known: dict[str, Any] = {"direction": direction, "pass_id": pass_id, "pass_kind": "resident", "colour": colour}
    if colour in _REFERRED:
        measured = reading(rng) if direction is Direction.IN else None
        return [Entry(outcome=Outcome.REFER, reasons=(_REFERRED[colour],), reading=measured, **known)]
    if direction is Direction.OUT:
        return [Entry(outcome=Outcome.ADMIT, **known)]
    again = [Entry(outcome=Outcome.RETAKE, reasons=("low",), reading=reading(rng, low=True), **known)]
    measured = _typed(rng) if typed else reading(rng)
    return [*(again if rng.random() < _RETAKES and not typed else []), Entry(outcome=Outcome.ADMIT, reading=measured, **known)]


def reading(rng: random.Random, *, fever: bool = False, low: bool = False) -> Reading:
    """What the thermometer says of somebody: as of most, or of one who has a fever or came in from the cold."""
    body = rng.uniform(_FEVER, 38.9) if fever else rng.uniform(33.0, 34.9) if low else min(rng.gauss(36.45, 0.25), _FEVER - 0.1)
    band = Band.FEVER if fever else Band.LOW if low else Band.NORMAL
    return Reading(band=band, source="mlx90614", body_celsius=round(max(body, _LOW if not low else 0), 1), ambient_celsius=12.0)


def _typed(rng: random.Random) -> Reading:
    """What is typed in where nobody looks at the hand-held gun."""
    body = 36.5 if rng.random() < 0.8 else 36.4
    return Reading(band=Band.NORMAL, source="typed", body_celsius=body, typed_seconds=round(rng.uniform(0.8, 2.2), 1))


def heard(at: datetime, silent: Sequence[_Silence]) -> datetime:
    """When the hub had what a station wrote at a time: at once, or when it heard the station again."""
    return next((one.ends for one in silent if one.begins <= at < one.ends), at) + timedelta(seconds=1)
