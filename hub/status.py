"""What the hub knows of its gates, read from the store: the picture that pages, the command line and reports render."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Companion, Entry, Reading, Who, Written, decode_event
from contract.five import Lifetimes
from contract.sealing import Sealed
from hub.closing import passed_while_closed
from hub.config import HubSettings
from hub.dating import span
from hub.rules.compliance import GateStatus, Status, Value, gate_status
from hub.rules.intervals import Interval
from hub.store import gates, meta
from hub.store.tables import attachments, events, intervals

STALE = timedelta(seconds=30)
"""An ingest that has not been alive for so long is as good as blind."""


class Overview(Value, frozen=True, kw_only=True):
    """All gates asked for, and how well the hub itself hears."""

    gates: list[GateStatus]
    blind_since: datetime | None
    counts: dict[str, int]
    """How many gates have each status, and `total`."""
    changes: int


class EntryRow(Value, frozen=True, kw_only=True):
    """An entry as a page shows it: nothing sealed is opened."""

    id: str
    at: datetime
    received_at: datetime
    clock: str
    station: str
    lane: str
    direction: str
    outcome: str
    reasons: tuple[str, ...]
    pass_id: str | None
    pass_kind: str | None
    colour: str | None
    reading: Reading | None
    by: str | None
    people: int
    directory_version: int
    who: Who | None = None
    found: str = "code"
    companions: tuple[Companion, ...] = ()
    purpose: str | None = None
    host_confirmed: bool | None = None
    key_area: bool | None = None
    boot_checked: bool | None = None
    answer: bool | None = None
    visit: str | None = None
    booking: str | None = None
    written: Written | None = None
    sealed: Sealed | None = None
    """Personal fields, still sealed: see `hub.opening`."""
    photos: tuple[str, ...] = ()
    """SHA-256 of the sealed photos that belong to it."""


class EventRow(Value, frozen=True, kw_only=True):
    """An event of any kind; `body` is the JSON of the whole event as it came."""

    journal: str
    seq: int
    id: str
    at: datetime
    received_at: datetime
    clock: str
    station: str
    kind: str
    body: str
    error: str | None
    photos: tuple[str, ...] = ()


class IntervalRow(Interval, frozen=True, kw_only=True):
    """From when until when a gate's status, or one of its five, was so."""

    what: str
    """`status`, or one of the five."""


def overview(
    engine: sa.Engine, lifetimes: Lifetimes, now: datetime, *, area: str | None = None, compound: str | None = None,
    zone: tzinfo | None = None,
) -> Overview:  # fmt: skip
    """The status of the gates of an area, of a compound or of all; schedules are read in `zone`."""
    with engine.connect() as connection:
        hearing = _hearing(connection, now)
        places = gates.load_places(connection, area=area, compound=compound)
        lanes = gates.load_lanes(connection, [p.gate for p in places], lifetimes)
        since = gates.load_open(connection, [p.gate for p in places])
        count = meta.changes(connection)
        zone = zone or ZoneInfo(HubSettings().timezone)
        statuses = [gate_status(p, lanes.get(p.gate, ()), now, lifetimes, zone=zone, hearing=hearing) for p in places]
        statuses = _watched(connection, [_dated(status, since.get(status.gate, {})) for status in statuses])
    return Overview(gates=statuses, blind_since=hearing.blind_since, counts=_counts(statuses), changes=count)


def narrowed(known: Overview, gates: list[GateStatus]) -> Overview:
    """The overview of some of its gates."""
    return msgspec.structs.replace(known, gates=gates, counts=_counts(gates))


def changes(engine: sa.Engine) -> int:
    """A number that rises with every change worth showing."""
    with engine.connect() as connection:
        return meta.changes(connection)


def gate_entries(engine: sa.Engine, gate: str, limit: int, before: datetime | None = None) -> list[EntryRow]:
    """The newest entries at a gate, newest first; `before` pages on."""
    rows = _events(engine, gate, limit, before, ("entry",))
    photos = _photos(engine, [row["id"] for row in rows])
    return [entry for row in rows if (entry := _entry(row, photos.get(row["id"], ()))) is not None]


def gate_entry(engine: sa.Engine, gate: str, id: str) -> EntryRow | None:
    """One entry of a gate by its id."""
    query = sa.select(events).where(events.c.gate == gate, events.c.id == id)  # by the index of ids alone
    with engine.connect() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None or row["kind"] != "entry" else _entry(row, _photos(engine, [id]).get(id, ()))


def entry_span(engine: sa.Engine, id: str) -> tuple[datetime | None, datetime] | None:
    """From when to when an entry was that the hub can't date; None for one that it can."""
    with engine.connect() as connection:
        place = connection.execute(sa.select(events.c.journal, events.c.seq).where(events.c.id == id)).first()
        return None if place is None else span(connection, *place)


def gate_events(
    engine: sa.Engine, gate: str, limit: int, before: datetime | None = None, kinds: Sequence[str] = ()
) -> list[EventRow]:
    """The newest events of a gate, of the kinds asked for or of all, newest first."""
    rows = _events(engine, gate, limit, before, kinds)
    photos = _photos(engine, [row["id"] for row in rows])
    columns = [name for name in EventRow.__struct_fields__ if name != "photos"]
    return [EventRow(**{name: row[name] for name in columns}, photos=photos.get(row["id"], ())) for row in rows]


def event_photos(engine: sa.Engine, event: str) -> tuple[str, ...]:
    """The sealed photos that belong to an event, by their SHA-256."""
    return _photos(engine, [event]).get(event, ())


def gate_intervals(engine: sa.Engine, gate: str, since: datetime) -> list[IntervalRow]:
    """Every interval of a gate that did not end before `since`, in order."""
    still = sa.or_(intervals.c.ended_at.is_(None), intervals.c.ended_at >= since)
    query = sa.select(intervals).where(intervals.c.gate == gate, still).order_by(intervals.c.began_at, intervals.c.what)
    with engine.connect() as connection:
        return [IntervalRow(**{n: row[n] for n in IntervalRow.__struct_fields__}) for row in connection.execute(query).mappings()]


def as_json(status: GateStatus) -> dict[str, Any]:
    """A gate as `hub status --json` prints it."""
    names = ("gate", "gate_name", "compound", "status", "since", "items", "stations", "closing", "passed")
    made: dict[str, Any] = msgspec.to_builtins({name: getattr(status, name) for name in names})
    return made


def _hearing(connection: sa.Connection, now: datetime) -> Any:
    known, alive = meta.hearing(connection), meta.instant(connection, meta.ALIVE_AT)
    if known.blind_since is None and alive is not None and now - alive > STALE:
        return msgspec.structs.replace(known, blind_since=alive)
    return known


def _dated(status: GateStatus, known: dict[str, Interval]) -> GateStatus:
    items = {
        name: msgspec.structs.replace(item, since=known[name].began_at)
        if name in known and known[name].state == ("present" if item.present else "missing") else item
        for name, item in status.items.items()
    }  # fmt: skip
    same = known.get("status") if "status" in known and known["status"].state == status.status else None
    return msgspec.structs.replace(status, items=items, since=same.began_at if same else status.since)


def _watched(connection: sa.Connection, statuses: list[GateStatus]) -> list[GateStatus]:
    """The gates, each closed one with who went through it since."""
    closed = {status.gate: status.since for status in statuses if status.closing is not None and status.since is not None}
    found = passed_while_closed(connection, closed)
    return [msgspec.structs.replace(s, passed=found[s.gate]) if s.gate in found else s for s in statuses]


def _counts(statuses: Sequence[GateStatus]) -> dict[str, int]:
    counts = {status.value: sum(s.status is status for s in statuses) for status in Status}
    return {**counts, "total": len(statuses)}


def _events(engine: sa.Engine, gate: str, limit: int, before: datetime | None, kinds: Sequence[str]) -> list[Any]:
    query = sa.select(events).where(events.c.gate == gate)
    query = query.where(events.c.kind.in_(kinds)) if kinds else query
    query = query.where(events.c.at < before) if before is not None else query
    with engine.connect() as connection:
        order = query.order_by(events.c.at.desc(), events.c.journal, events.c.seq.desc()).limit(limit)
        return list(connection.execute(order).mappings())


def _photos(engine: sa.Engine, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The photos of events, by the id of each, in the order in which they were taken."""
    query = sa.select(attachments).where(attachments.c.event.in_(ids)).order_by(attachments.c.at, attachments.c.sha)
    with engine.connect() as connection:
        rows = connection.execute(query).all() if ids else []
    return {event: tuple(row.sha for row in rows if row.event == event) for event in {row.event for row in rows}}


def _entry(row: Any, photos: tuple[str, ...]) -> EntryRow | None:
    try:
        body = decode_event(row["body"].encode()).body
    except BadMessage:
        return None
    if not isinstance(body, Entry):
        return None
    return EntryRow(
        id=row["id"], at=row["at"], received_at=row["received_at"], clock=row["clock"], station=row["station"], lane=body.lane,
        direction=body.direction, outcome=body.outcome, reasons=body.reasons, pass_id=body.pass_id, pass_kind=body.pass_kind,
        colour=body.colour, reading=body.reading, by=body.by, people=body.people, directory_version=body.directory_version,
        who=body.who, found=body.found, companions=body.companions, purpose=body.purpose, host_confirmed=body.host_confirmed,
        key_area=body.key_area, boot_checked=body.boot_checked, answer=body.answer, visit=body.visit, booking=body.booking,
        written=body.written, sealed=body.personal, photos=(*([body.photo] if body.photo else []), *photos),
    )  # fmt: skip
