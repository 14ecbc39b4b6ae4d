"""A gate's day read from the store for its figures: its journals' events, and what they say of its stations."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import (
    Body,
    Clock,
    ClockSynced,
    Correction,
    DirectoryApplied,
    Entry,
    PeopleCounted,
    Started,
    Tallied,
    decode_event,
)
from hub.rules import durations, figuring
from hub.rules.compliance import Value
from hub.rules.durations import Period
from hub.rules.figuring import Day, HourPassed
from hub.store.tables import events

EVENTS = 20_000
"""Events of a gate and day that are looked at."""
KEYED_IN_WITHIN = timedelta(days=1)
"""Entries keyed in so long after a day are still looked for: a station asks for the time of day, not for the date."""
_COLUMNS = (events.c.id, events.c.at, events.c.received_at, events.c.station, events.c.clock, events.c.body)
Noted = tuple[Any, Body | None]
"""A row of events, and its body; None where it can't be read."""


class Telling(Value, frozen=True, kw_only=True):
    """What a station's journal of a day says of the station."""

    station: str
    events: int
    unsynced: int
    """Events written while its clock could not be trusted."""
    unreadable: int
    steps: tuple[float, ...]
    """Seconds by which its clock was put right, each time."""
    started: int
    unclean: int
    """Of the starts, after a power cut or a crash."""
    software: tuple[str, ...]
    """The versions that started, in order."""
    directory: tuple[int, ...]
    """The versions of the directory that were applied, in order."""
    latest: timedelta
    """The longest that an event took to reach the hub."""


class GateDay(Value, frozen=True, kw_only=True):
    """A gate and day in figures. `cut`: there was more than is looked at."""

    period: Period
    day: Day
    stations: tuple[Telling, ...]
    cut: bool


def gate_day(conn: sa.Connection, gate: str, day: date, zone: tzinfo, now: datetime) -> GateDay:
    """The figures of a local day of a gate."""
    period = durations.day_period(day, zone, now)
    noted = _noted(conn, gate, period)
    later = _keyed_in_later(conn, gate, period)
    return GateDay(
        period=period, day=_figures([*noted, *later], noted, _corrections(conn, gate, period), period, zone),
        stations=tuple(_tellings(noted)), cut=len(noted) == EVENTS,
    )  # fmt: skip


def hours_of_day(conn: sa.Connection, gate: str, zone: tzinfo, now: datetime) -> tuple[HourPassed, ...]:
    """People who passed in each hour of today."""
    period = durations.day_period(now.astimezone(zone).date(), zone, now)
    noted = _noted(conn, gate, period)
    return _figures(noted, (), _corrections(conn, gate, period), period, zone).hours


def _figures(
    entries: Iterable[Noted], rest: Sequence[Noted], corrections: Iterable[Correction], period: Period, zone: tzinfo
) -> Day:  # fmt: skip
    return figuring.day(
        [(row.id, row.at, body) for row, body in entries if isinstance(body, Entry)], corrections,
        [(row.at, body) for row, body in rest if isinstance(body, PeopleCounted)],
        [body for _, body in rest if isinstance(body, Tallied)], period, zone,
    )  # fmt: skip


def _noted(conn: sa.Connection, gate: str, period: Period) -> list[Noted]:
    """All events of the gate and day: without a kind, so that no store takes the index of kinds over all gates for it."""
    mine = sa.select(*_COLUMNS).where(events.c.gate == gate, events.c.at >= period.begin, events.c.at < period.end)
    return [(row, _body(row.body)) for row in conn.execute(mine.order_by(events.c.at).limit(EVENTS))]


def _keyed_in_later(conn: sa.Connection, gate: str, period: Period) -> list[Noted]:
    """Entries that were keyed in after the day and are perhaps of the day."""
    after = sa.and_(events.c.at >= period.end, events.c.at < period.end + KEYED_IN_WITHIN)
    mine = sa.select(*_COLUMNS).where(events.c.gate == gate, after, events.c.body.contains('"written":{', autoescape=True))
    return [(row, _body(row.body)) for row in conn.execute(mine.order_by(events.c.at).limit(EVENTS))] if period.over else []


def _corrections(conn: sa.Connection, gate: str, period: Period) -> list[Correction]:
    """Made since the day began, the oldest first."""
    mine = sa.and_(events.c.kind == "correction", events.c.at >= period.begin, events.c.gate == gate)
    bodies = [_body(text) for text in conn.scalars(sa.select(events.c.body).where(mine).order_by(events.c.at).limit(EVENTS))]
    return [body for body in bodies if isinstance(body, Correction)]


def _body(text: str) -> Body | None:
    try:
        return decode_event(text.encode()).body
    except BadMessage:
        return None


def _tellings(noted: Iterable[Noted]) -> list[Telling]:
    by_station: dict[str, list[Noted]] = defaultdict(list)
    for row, body in noted:
        by_station[row.station].append((row, body))
    return [_telling(station, mine) for station, mine in sorted(by_station.items())]


def _telling(station: str, noted: Sequence[Noted]) -> Telling:
    starts = [body for _, body in noted if isinstance(body, Started)]
    return Telling(
        station=station, events=len(noted), unsynced=sum(row.clock == Clock.UNSYNCED for row, _ in noted),
        unreadable=sum(body is None for _, body in noted),
        steps=tuple(body.stepped_seconds for _, body in noted if isinstance(body, ClockSynced)), started=len(starts),
        unclean=sum(body.unclean for body in starts), software=tuple(dict.fromkeys(body.software for body in starts)),
        directory=tuple(dict.fromkeys(body.version for _, body in noted if isinstance(body, DirectoryApplied))),
        latest=max((row.received_at - row.at for row, _ in noted), default=timedelta()),
    )  # fmt: skip
