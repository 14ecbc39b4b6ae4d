"""What in the gates' events and vitals is worth an alert, and what has to be remembered to know. Pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from contract.events import Band, Body, Correction, Direction, Entry, HelpCalled, Outcome, Who
from hub.rules.alerting import OLD, Condition, Happening, Kind
from hub.rules.closing import is_passage
from hub.rules.compliance import GateStatus, Passed, Status, Value
from hub.rules.rectify import Rectification, State

RETURNEE_WAITS = timedelta(minutes=30)
"""How long a returnee stands at the gate before it is an alert that nobody came."""
BACKLOG = 200
"""Events not yet acknowledged: more are an alert at once."""
NOT_FALLING = timedelta(minutes=30)
"""A smaller backlog is one when it has not fallen for so long."""
DISK_FREE_BYTES = 1_000_000_000
"""Less is low; a station's register goes missing at 200 MB."""
HEARD_WITHIN = timedelta(seconds=90)
"""The vitals of a station heard longer ago tell of a time gone by."""
LONGEST_SHIFT = timedelta(hours=12)
"""A shift of which no end was heard counts for so long."""
_PASS_REASONS = {"isolating": Kind.ISOLATING, "revoked": Kind.REVOKED, "forged": Kind.FORGED}


class Told(Value, frozen=True, kw_only=True):
    """An event of a gate, and where that is."""

    id: str
    at: datetime
    gate: str
    compound: str
    subject: str
    body: Body


class Waiting(Value, frozen=True, kw_only=True):
    """An entry that another one is to follow: a taxi inside, a returnee at the gate."""

    gate: str
    at: datetime


class Level(Value, frozen=True, kw_only=True):
    """The least that a backlog has come to, and since when."""

    events: int
    since: datetime


class Memory(Value, frozen=True, kw_only=True):
    """What is remembered from one look to the next, by entry or by station."""

    taxis: dict[str, Waiting] = {}
    returnees: dict[str, Waiting] = {}
    backlogs: dict[str, Level] = {}
    unset: dict[str, datetime] = {}
    """Stations whose clock is not set, since when."""


class Heard(Value, frozen=True, kw_only=True):
    """What a station says of itself."""

    station: str
    backlog: int
    clock_set: bool
    disk_free_bytes: int | None = None


class Turn(Value, frozen=True, kw_only=True):
    """A badge signed in or off at a station."""

    event: str
    badge: str
    station: str
    gate: str
    at: datetime
    on: bool


class Stay(Value, frozen=True, kw_only=True):
    """A badge on duty at a gate; `event` is its signing in."""

    event: str
    badge: str
    gate: str
    at: datetime
    until: datetime


def happenings(told: Told) -> list[Happening]:
    """What one event tells."""
    body = told.body
    if isinstance(body, HelpCalled):
        return [_happening(told, Kind.HELP, told.gate)]
    if not isinstance(body, Entry) or "demonstration" in body.reasons:
        return []
    found = [_happening(told, Kind.EMERGENCY, told.gate)] if body.outcome is Outcome.EMERGENCY else []
    found += [_happening(told, Kind.FEVER, _whose(told, body))] if _is_feverish(body) else []
    kinds = [kind for reason, kind in _PASS_REASONS.items() if reason in body.reasons]
    return found + [_happening(told, kind, _key(kind, told, body)) for kind in kinds]


def remember(known: Memory, told: Iterable[Told], now: datetime) -> Memory:
    """The memory after more events: who is inside or waits, without those of whom nothing was heard for a day."""
    taxis, returnees = dict(known.taxis), dict(known.returnees)
    for one in told:
        body, waiting = one.body, Waiting(gate=one.gate, at=one.at)
        if isinstance(body, Entry):
            if body.direction is Direction.IN and body.who is Who.TAXI and is_passage(body):
                taxis[one.id] = waiting
            if body.outcome is Outcome.REFER and "homecoming" in body.reasons and body.written is None:
                returnees[one.id] = waiting
            taxis.pop(body.visit or "", None)
            returnees.pop(body.follows or "", None)
        elif isinstance(body, Correction) and (body.cancelled or body.outcome is not None):
            taxis.pop(body.corrects, None)
            returnees.pop(body.corrects, None)
    return msgspec.structs.replace(known, taxis=_lately(taxis, now), returnees=_lately(returnees, now))


def watch(known: Memory, heard: Iterable[Heard], now: datetime) -> Memory:
    """The memory after another look at the stations that can be heard."""
    stations = list(heard)
    backlogs = {one.station: _lower(known.backlogs.get(one.station), one.backlog, now) for one in stations if one.backlog}
    unset = {one.station: known.unset.get(one.station, now) for one in stations if not one.clock_set}
    return msgspec.structs.replace(known, backlogs=backlogs, unset=unset)


def of_gate(gate: GateStatus, subject: str) -> list[Condition]:
    """What a gate's status tells."""
    found = []
    if gate.status is Status.UNREACHABLE and gate.since is not None:
        found.append(_condition(gate, Kind.UNREACHABLE, gate.gate, subject, gate.since))
    if isinstance(gate.passed, Passed):
        found.append(_condition(gate, Kind.CLOSED, gate.gate, subject, gate.passed.last_at))
    return found


def of_station(gate: GateStatus, heard: Heard, memory: Memory, subject: str, now: datetime) -> list[Condition]:
    """What a station's vitals tell, after `watch`."""
    found, low = [], memory.backlogs.get(heard.station)
    if heard.backlog > BACKLOG or (low is not None and now - low.since >= NOT_FALLING):
        found.append(_condition(gate, Kind.BACKLOG, heard.station, subject, now))
    if heard.disk_free_bytes is not None and heard.disk_free_bytes < DISK_FREE_BYTES:
        found.append(_condition(gate, Kind.DISK, heard.station, subject, now))
    if not heard.clock_set:
        found.append(_condition(gate, Kind.CLOCK, heard.station, subject, memory.unset.get(heard.station, now)))
    return found


def of_rectification(one: Rectification, compound: str, subject: str) -> list[Condition]:
    """What one that is not closed tells: its owner that it is there, and again when it is nearly due; and who watches over it.
    Once it is answered its owner has heard of it; opened again, it is another alert."""
    key = f"{one.id} {one.reopened}"
    since = {Kind.OVERDUE: one.escalated_at}
    if one.state is State.OPEN:
        since |= {Kind.DUE: one.reminded_at, Kind.LACKING: one.opened_at}
    return [
        Condition(kind=kind, key=key, gate=one.gate, compound=compound, subject=subject, since=at)
        for kind, at in since.items() if at is not None
    ]  # fmt: skip


def too_long(
    waiting: Mapping[str, Waiting],
    kind: Kind,
    gates: Mapping[str, tuple[str, str]],
    limits: Mapping[str, timedelta],
    now: datetime,
) -> list[Condition]:
    """Entries that wait longer than the limit of their compound; `gates`: the compound of each, and how its place is called."""
    found = []
    for entry, one in waiting.items():
        compound, subject = gates.get(one.gate, ("", ""))
        if compound and now - one.at > limits[compound]:
            found.append(Condition(kind=kind, key=entry, gate=one.gate, compound=compound, subject=subject, since=one.at))
    return found


def stays(turns: Iterable[Turn]) -> list[Stay]:
    """When which badge was on duty where; one that was never signed off counts for `LONGEST_SHIFT`."""
    found: list[Stay] = []
    begun: dict[tuple[str, str], Turn] = {}
    for turn in sorted(turns, key=lambda turn: (turn.at, turn.on)):
        first = begun.pop((turn.badge, turn.station), None)
        if first is not None:
            found.append(_stay(first, min(turn.at, first.at + LONGEST_SHIFT)))
        if turn.on:
            begun[turn.badge, turn.station] = turn
    return found + [_stay(first, first.at + LONGEST_SHIFT) for first in begun.values()]


def overlaps(known: Iterable[Stay], news: Collection[str]) -> list[tuple[Stay, Stay]]:
    """Pairs of stays of one badge at two gates at once, one of them begun by a new event; the later of the two first."""
    by_badge: dict[str, list[Stay]] = {}
    for stay in known:
        by_badge.setdefault(stay.badge, []).append(stay)
    return [
        (later, earlier)
        for mine in by_badge.values()
        for later in mine
        for earlier in mine
        if earlier.gate != later.gate
        and (earlier.at, earlier.gate) < (later.at, later.gate)
        and later.at < earlier.until
        and (later.event in news or earlier.event in news)
    ]


def _stay(first: Turn, until: datetime) -> Stay:
    return Stay(event=first.event, badge=first.badge, gate=first.gate, at=first.at, until=until)


def _happening(told: Told, kind: Kind, key: str) -> Happening:
    at = told.body.written.at if isinstance(told.body, Entry) and told.body.written else told.at
    return Happening(
        kind=kind, key=key, gate=told.gate, compound=told.compound, subject=told.subject, event=told.id, at=at
    )  # fmt: skip


def _condition(gate: GateStatus, kind: Kind, key: str, subject: str, since: datetime) -> Condition:
    return Condition(kind=kind, key=key, gate=gate.gate, compound=gate.compound, subject=subject, since=since)


def _is_feverish(body: Entry) -> bool:
    readings = (body.reading, *(one.reading for one in body.companions))
    return "fever" in body.reasons or any(one is not None and one.band is Band.FEVER for one in readings)


def _whose(told: Told, body: Entry) -> str:
    """The pass; without one the entry, or the one that it follows."""
    return body.pass_id or body.follows or told.id


def _key(kind: Kind, told: Told, body: Entry) -> str:
    """Nothing on a forged pass can be trusted: one alert a gate, however often it is held up."""
    return told.gate if kind is Kind.FORGED else _whose(told, body)


def _lower(known: Level | None, events: int, now: datetime) -> Level:
    return known if known is not None and events >= known.events else Level(events=events, since=now)


def _lately(waiting: Mapping[str, Waiting], now: datetime) -> dict[str, Waiting]:
    return {entry: one for entry, one in waiting.items() if now - one.at < OLD}
