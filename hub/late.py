"""Events that arrive late: the history of their gate's five is made again from its journals, from the earliest of them on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import EvidenceChange, Started, decode_event
from hub.intake import shifted
from hub.rules.history import Said, rebuild
from hub.store import meta, tables
from hub.store.tables import events, intervals, stations

_PREFIX = "late:"
_KINDS = ("evidence", "started", "stopped")
_BEFORE = 500
"""Events looked back for what held before the earliest late one."""


def mark(connection: sa.Connection, gate: str, times: Sequence[datetime]) -> None:
    """Note that a gate's history is to be made again from the earliest of these times on."""
    if times:
        known = meta.instant(connection, _PREFIX + gate)
        meta.put(connection, _PREFIX + gate, min([*times, *([known] if known else [])]).isoformat())


def marked(connection: sa.Connection) -> dict[str, datetime]:
    """Gates whose history is to be made again, and from when on."""
    query = sa.select(tables.meta).where(tables.meta.c.key.startswith(_PREFIX, autoescape=True))
    return {row.key.removeprefix(_PREFIX): datetime.fromisoformat(row.value) for row in connection.execute(query)}


def refine(connection: sa.Connection, gate: str, begin: datetime, now: datetime) -> None:
    """Make again, from `begin` to `now`, the intervals of the items that a gate's journals speak of; judging it comes next."""
    said = _said(connection, gate, begin)
    spoken = sorted({word.evidence.item.value for word in said if word.evidence is not None})
    serving = sa.select(stations.c.id).where(stations.c.gate == gate, stations.c.in_service.is_(True))
    rows = rebuild(said, list(connection.scalars(serving)), begin, now)
    mine = sa.and_(intervals.c.gate == gate, intervals.c.what.in_(spoken))
    connection.execute(sa.delete(intervals).where(mine, intervals.c.began_at >= begin))
    straddling = sa.or_(intervals.c.ended_at.is_(None), intervals.c.ended_at > begin)
    connection.execute(sa.update(intervals).where(mine, straddling).values(ended_at=begin))
    new = [{"gate": gate, "what": what, **_columns(row)} for what in spoken for row in rows[what]]
    if new:
        connection.execute(sa.insert(intervals), new)
    meta.put(connection, _PREFIX + gate, None)


def _columns(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def _said(connection: sa.Connection, gate: str, begin: datetime) -> list[Said]:
    mine = sa.select(events.c.station, events.c.at, events.c.body).where(events.c.gate == gate, events.c.kind.in_(_KINDS))
    before = mine.where(events.c.at < begin).order_by(events.c.at.desc()).limit(_BEFORE)
    rows = [*connection.execute(before), *connection.execute(mine.where(events.c.at >= begin))]
    return [said for row in rows if (said := _word(row)) is not None]


def _word(row: Any) -> Said | None:
    try:
        body = decode_event(row.body.encode()).body
    except BadMessage:
        return None
    if isinstance(body, EvidenceChange):
        until = None if body.lifetime_seconds is None else shifted(row.at, body.lifetime_seconds)
        made = {**_columns(body.evidence), "observed_at": row.at, "valid_until": until}
        return Said(station=row.station, at=row.at, evidence=type(body.evidence)(**made))
    gap = body.gap_seconds or 0.0 if isinstance(body, Started) else 0.0
    return Said(station=row.station, at=shifted(row.at, -max(0.0, gap)))
