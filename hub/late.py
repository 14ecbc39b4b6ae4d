"""Events that arrive late: the history of their gate's five is made again from its journals, from the earliest of them on, and
the status with it for as long as the gate was heard and open."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import EvidenceChange, Started, Stopped, decode_event
from contract.five import Basis, Evidence, Lifetimes
from hub import findings
from hub.intake import shifted
from hub.rules import history
from hub.rules.compliance import silent_at
from hub.rules.durations import Stretch
from hub.rules.history import Rows, Said, Serving, joined
from hub.rules.inspection import as_evidence
from hub.rules.intervals import Interval
from hub.store import gates, meta, tables
from hub.store.tables import events, evidence, intervals, stations
from hub.store.writing import upsert

_PREFIX = "late:"
_KINDS = ("evidence", "started", "stopped")
_BEFORE = 500
"""Events looked back for what held before the earliest late one; what has not changed since is known as the current evidence."""


def mark(connection: sa.Connection, gate: str, times: Sequence[datetime]) -> None:
    """Note that a gate's history is to be made again from the earliest of these times on."""
    if times:
        known = meta.instant(connection, _PREFIX + gate)
        meta.put(connection, _PREFIX + gate, min([*times, *([known] if known else [])]).isoformat())


def marked(connection: sa.Connection) -> dict[str, datetime]:
    """Gates whose history is to be made again, and from when on."""
    query = sa.select(tables.meta).where(tables.meta.c.key.startswith(_PREFIX, autoescape=True))
    return {row.key.removeprefix(_PREFIX): datetime.fromisoformat(row.value) for row in connection.execute(query)}


def refine(connection: sa.Connection, gate: str, begin: datetime, now: datetime, lifetimes: Lifetimes) -> None:
    """Make again, from `begin` to `now`, the intervals of the items that a gate's journals speak of, and of the gate's status
    where it was heard and open; judging it comes next."""
    known = _intervals(connection, gate, begin)
    lanes = _serving(connection, gate, now, lifetimes)
    said = _said(connection, gate, begin, history.silences(known, now), timedelta(seconds=lifetimes.grace))
    spoken = sorted({word.evidence.item.value for word in said if word.evidence is not None})
    made = history.rebuild(said, lanes, _found(connection, gate, begin, lifetimes), begin, now)
    rows = {what: made[what] for what in spoken}
    rows["status"] = history.status(known["status"], known | rows, begin)
    _replace(connection, gate, rows, known, begin)
    meta.put(connection, _PREFIX + gate, None)


def _replace(connection: sa.Connection, gate: str, rows: dict[str, list[Interval]], known: Rows, begin: datetime) -> None:
    """Put the new intervals in the place of what is known from `begin` on; one that goes on as before keeps its beginning."""
    mine = sa.and_(intervals.c.gate == gate, intervals.c.what.in_(rows))
    connection.execute(sa.delete(intervals).where(mine, intervals.c.began_at >= begin))
    straddling = sa.or_(intervals.c.ended_at.is_(None), intervals.c.ended_at > begin)
    connection.execute(sa.update(intervals).where(mine, straddling).values(ended_at=begin))
    new = [{"gate": gate, "what": what, **_columns(row)} for what, found in rows.items() for row in joined(known[what], found)]
    upsert(connection, intervals, new)


def _intervals(connection: sa.Connection, gate: str, begin: datetime) -> dict[str, list[Interval]]:
    """What is known of a gate from a time on, by what it is of."""
    still = sa.or_(intervals.c.ended_at.is_(None), intervals.c.ended_at > begin)
    query = sa.select(intervals).where(intervals.c.gate == gate, still).order_by(intervals.c.began_at)
    found: dict[str, list[Interval]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["what"]].append(gates.to_interval(row))
    return found


def _serving(connection: sa.Connection, gate: str, now: datetime, lifetimes: Lifetimes) -> list[Serving]:
    """The stations in service, each with since when it is silent, if it is so now: until its journal came last, that tells."""
    hearing = meta.hearing(connection)
    lanes = [lane for lane in gates.load_lanes(connection, [gate], lifetimes).get(gate, ()) if lane.in_service]
    times = [(lane, silent_at(lane, lifetimes, hearing)) for lane in lanes]
    return [
        Serving(lane=lane, silent_since=_told_until(connection, gate, lane.station, at) if at <= now else None)
        for lane, at in times
    ]


def _told_until(connection: sa.Connection, gate: str, station: str, silent: datetime) -> datetime:
    since = sa.and_(events.c.gate == gate, events.c.station == station, events.c.at >= silent)
    came: datetime | None = connection.scalar(sa.select(sa.func.max(events.c.received_at)).where(since))
    return max(silent, came or silent)


def _found(connection: sa.Connection, gate: str, begin: datetime, lifetimes: Lifetimes) -> list[Evidence]:
    known = sorted(findings.since(connection, gate, begin), key=lambda one: (one.observed_at, one.sent_at, not one.present))
    return [as_evidence(one, lifetimes) for one in known]


def _columns(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def _said(
    connection: sa.Connection, gate: str, begin: datetime, unheard: Sequence[Stretch], grace: timedelta
) -> list[Said]:  # fmt: skip
    mine = sa.select(events.c.station, events.c.at, events.c.body).where(events.c.gate == gate, events.c.kind.in_(_KINDS))
    before = mine.where(events.c.at < begin).order_by(events.c.at.desc()).limit(_BEFORE)
    rows = [*connection.execute(before), *connection.execute(mine.where(events.c.at >= begin))]
    return [*_unchanged(connection, gate, begin), *(said for row in rows if (said := _word(row, unheard, grace)) is not None)]


def _unchanged(connection: sa.Connection, gate: str, begin: datetime) -> list[Said]:
    """What is current and was said before a time: it held then too, however long ago it was said."""
    of = sa.select(evidence).join(stations, stations.c.id == evidence.c.station)
    query = of.where(stations.c.gate == gate, evidence.c.observed_at < begin, evidence.c.basis != Basis.INSPECTED.value)
    rows = connection.execute(query).mappings()
    return [Said(station=row["station"], at=row["observed_at"], evidence=gates.to_evidence(row)) for row in rows]


def _word(row: Any, unheard: Sequence[Stretch], grace: timedelta) -> Said | None:
    try:
        body = decode_event(row.body.encode()).body
    except BadMessage:
        return None
    if isinstance(body, EvidenceChange):
        if body.evidence.basis is Basis.INSPECTED:  # to inspect is the hub's: no station's word counts as an inspection
            return None
        until = None if body.lifetime_seconds is None else shifted(row.at, body.lifetime_seconds)
        made = {**_columns(body.evidence), "observed_at": row.at, "valid_until": until}
        return Said(station=row.station, at=row.at, evidence=Evidence(**made))
    if not isinstance(body, Started | Stopped):
        return None
    gap = timedelta(seconds=max(0.0, body.gap_seconds or 0.0)) if isinstance(body, Started) else timedelta()
    return Said(station=row.station, at=history.broken_off(row.at, gap, unheard, grace), before=row.at)
