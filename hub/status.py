"""What the hub knows of its gates, read from the store: the picture that pages, the command line and reports render."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Entry, Reading, decode_event
from contract.five import Lifetimes
from hub.config import HubSettings
from hub.rules.compliance import GateStatus, Status, Value, gate_status
from hub.rules.intervals import Interval
from hub.store import gates, meta
from hub.store.tables import events, intervals

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
        lanes = gates.load_lanes(connection, [p.gate for p in places])
        since = gates.load_open(connection, [p.gate for p in places])
        count = meta.changes(connection)
    zone = zone or ZoneInfo(HubSettings().timezone)
    statuses = [gate_status(p, lanes.get(p.gate, ()), now, lifetimes, zone=zone, hearing=hearing) for p in places]
    statuses = [_dated(status, since.get(status.gate, {})) for status in statuses]
    return Overview(gates=statuses, blind_since=hearing.blind_since, counts=_counts(statuses), changes=count)


def changes(engine: sa.Engine) -> int:
    """A number that rises with every change worth showing."""
    with engine.connect() as connection:
        return meta.changes(connection)


def gate_entries(engine: sa.Engine, gate: str, limit: int, before: datetime | None = None) -> list[EntryRow]:
    """The newest entries at a gate, newest first; `before` pages on."""
    rows = _events(engine, gate, limit, before, ("entry",))
    return [entry for row in rows if (entry := _entry(row)) is not None]


def gate_events(
    engine: sa.Engine, gate: str, limit: int, before: datetime | None = None, kinds: Sequence[str] = ()
) -> list[EventRow]:
    """The newest events of a gate, of the kinds asked for or of all, newest first."""
    return [
        EventRow(**{name: row[name] for name in EventRow.__struct_fields__})
        for row in _events(engine, gate, limit, before, kinds)
    ]


def gate_intervals(engine: sa.Engine, gate: str, since: datetime) -> list[IntervalRow]:
    """Every interval of a gate that did not end before `since`, in order."""
    still = sa.or_(intervals.c.ended_at.is_(None), intervals.c.ended_at >= since)
    query = sa.select(intervals).where(intervals.c.gate == gate, still).order_by(intervals.c.began_at, intervals.c.what)
    with engine.connect() as connection:
        return [IntervalRow(**{n: row[n] for n in IntervalRow.__struct_fields__}) for row in connection.execute(query).mappings()]


def as_json(status: GateStatus) -> dict[str, Any]:
    """A gate as `hub status --json` prints it."""
    names = ("gate", "gate_name", "compound", "status", "since", "items", "stations")
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


def _entry(row: Any) -> EntryRow | None:
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
    )  # fmt: skip
