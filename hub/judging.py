"""Gates judged at a time, and the intervals of their status and of their five kept in the store."""

from collections.abc import Collection
from datetime import datetime, tzinfo

import sqlalchemy as sa

from contract.five import Lifetimes
from hub import late
from hub.rules import compliance, intervals
from hub.rules.compliance import Value
from hub.store import gates, meta, tables
from hub.store.writing import upsert


class Judging(Value, frozen=True, kw_only=True):
    """What a judgement needs besides gate and time."""

    lifetimes: Lifetimes
    zone: tzinfo


def judge(connection: sa.Connection, ids: Collection[str] | None, now: datetime, judging: Judging) -> dict[str, datetime]:
    """Judge gates, or all, and write what changed; returns when each may next change by time alone. A blind hub judges none."""
    hearing = meta.hearing(connection)
    if hearing.blind_since is not None or (ids is not None and not ids):
        return {}
    places = gates.load_places(connection, ids)
    names = [place.gate for place in places]
    lanes, known = gates.load_lanes(connection, names, judging.lifetimes), gates.load_open(connection, names)
    rows, due = [], {}
    for place in places:
        serving = lanes.get(place.gate, [])
        status = compliance.gate_status(place, serving, now, judging.lifetimes, zone=judging.zone, hearing=hearing)
        rows += _rows(place.gate, intervals.changes(known.get(place.gate, {}), status, now))
        due[place.gate] = compliance.next_change(serving, now, judging.lifetimes, hearing)
    if rows:
        upsert(connection, tables.intervals, rows)
        meta.bump(connection)
    return due


def refine_late(connection: sa.Connection, now: datetime, judging: Judging) -> list[str]:
    """Make again the history of gates that late events have changed; returns them, to be judged next. A blind hub waits."""
    marked = late.marked(connection) if meta.hearing(connection).blind_since is None else {}
    for gate, begin in marked.items():
        late.refine(connection, gate, begin, now, judging.lifetimes)
    if marked:
        meta.bump(connection)
    return list(marked)


def _rows(gate: str, changed: intervals.Rows) -> list[dict[str, object]]:
    return [
        {"gate": gate, "what": what, **{name: getattr(row, name) for name in intervals.Interval.__struct_fields__}}
        for what, made in changed.items()
        for row in made
    ]
