"""From the store to what the API answers, newest first and a part at a time."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Correction, Event, decode_event
from contract.events import Entry as EntryBody
from hub.rights import Reach
from hub.rules.compliance import GateStatus
from hub.rules.compliance import Status as Is
from hub.store.supervision import alerts, findings, inspections, rectifications
from hub.store.tables import areas, committees, compounds, events, gates, intervals, stations
from hub.web.api import types

T = TypeVar("T", bound=msgspec.Struct)
_MANY = 500
"""Ids in one query: SQLite and PostgreSQL both bound the number of parameters."""


def gate(known: GateStatus) -> types.Gate:
    """One gate; of one that nobody hears, or that is closed, nothing is claimed of its five."""
    silent = known.status in (Is.UNREACHABLE, Is.CLOSED)
    items = {
        name: types.ItemState(
            present=None if silent else item.present, basis=None if silent else item.basis,
            reason=None if silent else item.reason, since=None if silent else item.since,
        )
        for name, item in known.items.items()
    }  # fmt: skip
    same = ("gate", "gate_name", "compound", "compound_name", "area", "area_name", "liaison", "since")
    return types.Gate(
        **{name: getattr(known, name) for name in same}, status=known.status.value,
        closing=known.closing.value if known.closing else None, passed_while_closed=known.passed.people if known.passed else 0,
        items=items, stations=tuple(_as(types.Station, msgspec.structs.asdict(one)) for one in known.stations),
    )  # fmt: skip


def entries(conn: sa.Connection, of_gate: str, page: types.Page) -> types.Entries:
    """The entries of a gate as they count now; what could not be read is left out."""
    query = sa.select(events).where(events.c.gate == of_gate, events.c.kind == "entry")
    rows, following = _part(conn, query, events.c.at, page)
    changed = _corrections(conn, of_gate, rows[-1]["at"]) if rows else {}
    made = [entry for row in rows if (entry := _entry(row, changed)) is not None]
    return types.Entries(entries=tuple(made), next_before=following)


def gate_intervals(conn: sa.Connection, of_gate: str, page: types.Page) -> types.Intervals:
    """The intervals of a gate's status and of each of its five."""
    rows, following = _part(conn, sa.select(intervals).where(intervals.c.gate == of_gate), intervals.c.began_at, page)
    return types.Intervals(intervals=tuple(_as(types.Interval, row) for row in rows), next_before=following)


def all_rectifications(conn: sa.Connection, reach: Reach, page: types.RectificationPage) -> types.Rectifications:
    """What is to be put right, and was."""
    query = _reached(sa.select(rectifications).join(gates, gates.c.id == rectifications.c.gate), reach)
    query = query if page.state is msgspec.UNSET else query.where(rectifications.c.state == page.state)
    rows, following = _part(conn, query, rectifications.c.opened_at, page)
    return types.Rectifications(rectifications=tuple(_as(types.Rectification, row) for row in rows), next_before=following)


def sent_inspections(conn: sa.Connection, reach: Reach, page: types.Page) -> types.Inspections:
    """Inspections that were sent, with what they found."""
    query = _reached(sa.select(inspections).join(gates, gates.c.id == inspections.c.gate), reach)
    rows, following = _part(conn, query.where(inspections.c.sent_at.is_not(None)), inspections.c.sent_at, page)
    found = _findings(conn, [row["id"] for row in rows])
    made = tuple(_as(types.Inspection, {**row, "findings": tuple(found[row["id"]])}) for row in rows)
    return types.Inspections(inspections=made, next_before=following)


def all_alerts(conn: sa.Connection, reach: Reach, page: types.AlertPage) -> types.Alerts:
    """Alerts; those of no compound concern the hub, and are told to whoever sees all compounds."""
    query = sa.select(alerts)
    query = query if reach is None else query.where(alerts.c.compound.in_(reach))
    if page.ended != "both":
        query = query.where(alerts.c.ended_at.is_not(None) if page.ended == "yes" else alerts.c.ended_at.is_(None))
    rows, following = _part(conn, query, alerts.c.first_at, page)
    return types.Alerts(alerts=tuple(_as(types.Alert, row) for row in rows), next_before=following)


def alert(conn: sa.Connection, id: str) -> types.Alert:
    """One alert that is there."""
    return _as(types.Alert, conn.execute(sa.select(alerts).where(alerts.c.id == id)).mappings().one())


def places(conn: sa.Connection, reach: Reach, timezone: str) -> types.Places:
    """Compounds, their gates and stations, by name."""
    query = _reached(
        sa.select(
            compounds, committees.c.name.label("committee_name"), areas.c.id.label("area"), areas.c.name.label("area_name")
        ).join(committees, committees.c.id == compounds.c.committee).join(areas, areas.c.id == committees.c.area),
        reach, compounds.c.id,
    )  # fmt: skip
    of_compound = _gates(conn, reach)
    rows = conn.execute(query.order_by(areas.c.name, compounds.c.name, compounds.c.id)).mappings()
    found = tuple(_as(types.Compound, {**row, "gates": tuple(of_compound[row["id"]])}) for row in rows)
    return types.Places(timezone=timezone, compounds=found)


def _gates(conn: sa.Connection, reach: Reach) -> dict[str, list[types.GatePlace]]:
    of_gate: dict[str, list[str]] = defaultdict(list)
    for row in conn.execute(sa.select(stations.c.id, stations.c.gate).order_by(stations.c.id)):
        of_gate[row.gate].append(row.id)
    made: dict[str, list[types.GatePlace]] = defaultdict(list)
    for row in conn.execute(_reached(sa.select(gates), reach).order_by(gates.c.name, gates.c.id)):
        hours = tuple((int(opens), int(closes)) for opens, closes in row.schedule)
        one = types.GatePlace(id=row.id, name=row.name, schedule=hours, closed=row.closed, stations=tuple(of_gate[row.id]))
        made[row.compound].append(one)
    return made


def _part(
    conn: sa.Connection, query: sa.Select[Any], at: sa.Column[Any], page: types.Page
) -> tuple[list[sa.RowMapping], datetime | None]:
    """A part of a list and where the next begins. Rows of one instant are never parted, since the next part begins before it."""
    query = query if page.before is msgspec.UNSET else query.where(at < _utc(page.before))
    rows = list(conn.execute(query.order_by(at.desc()).limit(page.limit + 1)).mappings())
    if len(rows) <= page.limit:
        return rows, None
    edge: datetime = rows[page.limit - 1][at.name]
    return list(conn.execute(query.where(at >= edge).order_by(at.desc())).mappings()), edge


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:  # at the ends of the calendar
        return at.replace(tzinfo=UTC)


def _reached(query: sa.Select[Any], reach: Reach, column: Any = gates.c.compound) -> sa.Select[Any]:
    return query if reach is None else query.where(column.in_(reach))


def _findings(conn: sa.Connection, ids: list[str]) -> dict[str, list[types.Found]]:
    found: dict[str, list[types.Found]] = defaultdict(list)
    for n in range(0, len(ids), _MANY):
        query = sa.select(findings).where(findings.c.inspection.in_(ids[n : n + _MANY]))
        for row in conn.execute(query.order_by(findings.c.item)).mappings():
            found[row["inspection"]].append(_as(types.Found, row))
    return found


def _corrections(conn: sa.Connection, of_gate: str, since: datetime) -> dict[str, Correction]:
    """By the entry that each corrects, the last one counting; a correction is never older than what it corrects."""
    query = sa.select(events.c.body).where(events.c.gate == of_gate, events.c.kind == "correction", events.c.at >= since)
    read = (_read(body) for body in conn.scalars(query.order_by(events.c.at, events.c.journal, events.c.seq)))
    return {event.body.corrects: event.body for event in read if event and isinstance(event.body, Correction)}


def _entry(row: sa.RowMapping, changed: dict[str, Correction]) -> types.Entry | None:
    event = _read(row["body"])
    if event is None or not isinstance(event.body, EntryBody):
        return None
    body, change = event.body, changed.get(row["id"])
    same = (
        "lane", "reasons", "pass_kind", "found", "people", "reading", "purpose", "host_confirmed", "key_area", "boot_checked",
        "visit", "written",
    )  # fmt: skip
    return types.Entry(
        **{name: row[name] for name in ("id", "at", "received_at", "clock", "station")},
        **{name: getattr(body, name) for name in same}, direction=body.direction.value,
        outcome=(change and change.outcome) or body.outcome, who=body.who.value if body.who else None,
        companion_readings=tuple(one.reading for one in body.companions if one.reading),
        cancelled=change is not None and change.cancelled,
    )  # fmt: skip


def _read(body: str) -> Event | None:
    try:
        return decode_event(body.encode())
    except BadMessage:
        return None


def _as(kind: type[T], row: Any) -> T:
    return kind(**{name: row[name] for name in kind.__struct_fields__})
