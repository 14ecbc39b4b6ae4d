"""The evidence page of a gate and a day, read from the store: what its status rests on, for whoever comes to check it."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Body, Correction, Entry, EvidenceChange, PeopleCounted, decode_event
from contract.five import Item
from hub import opening, reporting
from hub.journals import load_ranges
from hub.rules import durations
from hub.rules.compliance import Value
from hub.rules.durations import Period, Span, Tally
from hub.rules.mended import Inspected
from hub.rules.report import Site
from hub.status import EntryRow
from hub.store.supervision import inspections
from hub.store.tables import events

SAMPLE = 20
EVENTS = 20_000
"""Events of a gate and day that are looked at."""


class Checked(Value, frozen=True, kw_only=True):
    """A photo that stands behind a declaration: the day's code on the desk, the open page of the book."""

    at: datetime
    item: str
    station: str
    photo: str
    arrived: bool


class Kept(Value, frozen=True, kw_only=True):
    """A journal's events of the day by their numbers: a gap in them is an event that the hub never got, or has no more."""

    journal: str
    station: str
    first: int
    last: int
    there: int
    gaps: int
    """Numbers between first and last that the hub never got."""


class Counted(Value, frozen=True, kw_only=True):
    """People counted by the sensor against people in entries, over the time that it counted."""

    seconds: float
    counted: int
    recorded: int


class Looked(Value, frozen=True, kw_only=True):
    """An inspection with its words."""

    inspected: Inspected
    note: str


class Evidenced(Value, frozen=True, kw_only=True):
    """All that the page shows of a gate and a day."""

    site: Site
    period: Period
    parts: dict[str, list[Span]]
    """The whole day in stretches of `durations.Known`, of the gate's status and of each item."""
    tallies: dict[str, Tally]
    inspections: tuple[Looked, ...]
    entries: int
    people: int
    outcomes: dict[str, int]
    by_hour: dict[int, int]
    written: int
    """Entries keyed in later."""
    sample: tuple[EntryRow, ...]
    corrections: tuple[Correction, ...]
    counted: Counted | None
    photos: tuple[Checked, ...]
    journals: tuple[Kept, ...]


def evidence(engine: sa.Engine, site: Site, day: date, zone: tzinfo, now: datetime) -> Evidenced:
    """The page of a gate in reach; `site` says which."""
    period = durations.day_period(day, zone, now)
    with engine.connect() as conn:
        parts, tallies = _parts(conn, site.gate, period)
        words = _words(conn, site.gate, period)
        looked = _looked(conn, site.gate, period)
        corrections = _corrections(conn, site.gate, period)
        photos = _photos(conn, words)
        journals = _journals(conn, words)
    entries = {row.id: (row, body) for row, body in words if isinstance(body, Entry)}
    bodies = [body for _, body in entries.values()]
    chosen = [entries[id] for id in choose(entries, site.gate, day)]
    return Evidenced(
        site=site, period=period, parts=parts, tallies=tallies, inspections=tuple(looked), entries=len(entries),
        people=sum(body.people for body in bodies),
        outcomes=dict(Counter(body.outcome.value for body in bodies).most_common()),
        by_hour=dict(Counter(row.at.astimezone(zone).hour for row, _ in entries.values())),
        written=sum(body.written is not None for body in bodies),
        sample=tuple(_entry(row, body) for row, body in sorted(chosen, key=lambda pair: pair[0].at)),
        corrections=tuple(corrections), counted=_counted([body for _, body in words if isinstance(body, PeopleCounted)]),
        photos=tuple(photos), journals=tuple(journals),
    )  # fmt: skip


def choose(ids: Iterable[str], gate: str, day: date, most: int = SAMPLE) -> list[str]:
    """Entries at random, the same for everybody who asks: those with the smallest hash of gate, day and id. Nobody at the gate
    can tell beforehand which, and one that comes late moves no other but the last.

    >>> choose(["a", "b", "c"], "east", date(2026, 2, 16), 2) == choose(["c", "b", "a"], "east", date(2026, 2, 16), 2)
    True
    """
    return sorted(ids, key=lambda id: hashlib.sha256(f"{gate} {day.isoformat()} {id}".encode()).digest())[:most]


def _parts(conn: sa.Connection, gate: str, period: Period) -> tuple[dict[str, list[Span]], dict[str, Tally]]:
    history = reporting.gate_history(conn, gate, period)
    blind = reporting.blind_stretches(conn, period)
    known = durations.spans(history.get("status", []), period)
    parts = {"status": durations.partition(known, durations.own(known), blind, period)}
    for item in Item:
        parts[item.value] = durations.partition(known, durations.spans(history.get(item.value, []), period), blind, period)
    return parts, {what: durations.tally(found, blind) for what, found in parts.items()}


def _words(conn: sa.Connection, gate: str, period: Period) -> list[tuple[Any, Body | None]]:
    """All events of the gate and day: without a kind, so that no store takes the index of kinds over all gates for it."""
    mine = sa.select(events).where(events.c.gate == gate, events.c.at >= period.begin, events.c.at < period.end)
    rows = conn.execute(mine.order_by(events.c.at, events.c.journal, events.c.seq).limit(EVENTS))
    return [(row, _body(row.body)) for row in rows]


def _entry(row: Any, body: Entry) -> EntryRow:
    said = {name: getattr(body, name) for name in EntryRow.__struct_fields__ if name in Entry.__struct_fields__}
    return EntryRow(id=row.id, at=row.at, received_at=row.received_at, clock=row.clock, station=row.station, **said)


def _counted(counts: Sequence[PeopleCounted]) -> Counted | None:
    if not counts:
        return None
    return Counted(seconds=sum(one.seconds for one in counts), counted=sum(one.counted for one in counts),
                   recorded=sum(one.recorded for one in counts))  # fmt: skip


def _body(text: str) -> Body | None:
    try:
        return decode_event(text.encode()).body
    except BadMessage:
        return None


def _looked(conn: sa.Connection, gate: str, period: Period) -> list[Looked]:
    found = reporting.load_inspections(conn, {gate}, period.begin, period.end)
    ids = [one.id for one in found]
    noted = sa.select(inspections.c.id, inspections.c.note).where(inspections.c.gate == gate, inspections.c.id.in_(ids))
    notes = {row.id: row.note for row in conn.execute(noted)}
    return [Looked(inspected=one, note=notes.get(one.id, "")) for one in found]


def _photos(conn: sa.Connection, words: Iterable[tuple[Any, Body | None]]) -> list[Checked]:
    return [
        Checked(at=row.at, item=body.evidence.item, station=row.station, photo=body.evidence.photo,
                arrived=opening.has_arrived(conn, body.evidence.photo))
        for row, body in words if isinstance(body, EvidenceChange) and body.evidence.photo
    ]  # fmt: skip


def _journals(conn: sa.Connection, words: Iterable[tuple[Any, Body | None]]) -> list[Kept]:
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, _ in words:
        numbers[row.station, row.journal].append(row.seq)
    return [
        Kept(journal=journal, station=station, first=min(known), last=max(known), there=len(known),
             gaps=missing_numbers(load_ranges(conn, journal), min(known), max(known)))
        for (station, journal), known in sorted(numbers.items())
    ]  # fmt: skip


def missing_numbers(known: Sequence[tuple[int, int]], first: int, last: int) -> int:
    """How many of the numbers from first to last are in none of the ranges.

    >>> missing_numbers([(1, 4), (7, 9)], 3, 10)
    3
    """
    there = sum(max(0, min(b, last) - max(a, first) + 1) for a, b in known)
    return last - first + 1 - there


def _corrections(conn: sa.Connection, gate: str, period: Period) -> list[Correction]:
    """Made since the day began, the oldest first: the last one of an entry counts."""
    mine = sa.and_(events.c.kind == "correction", events.c.at >= period.begin, events.c.gate == gate)
    bodies = [_body(text) for text in conn.scalars(sa.select(events.c.body).where(mine).order_by(events.c.at).limit(EVENTS))]
    return [body for body in bodies if isinstance(body, Correction)]
