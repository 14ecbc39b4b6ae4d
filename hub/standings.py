"""How the items of gates stand, read from the store's intervals; and which of them a rectification may hang on."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from contract.five import Item
from hub import blindness
from hub.rules.intervals import Interval
from hub.rules.rectify import Key, Rectification, State
from hub.rules.standing import CHECKED, Standing, standing
from hub.status import STALE
from hub.store import meta
from hub.store.supervision import rectifications
from hub.store.tables import gates, intervals

LOOKED_BACK = timedelta(days=2)
"""How far back ended intervals are looked at: what was missing is noticed long before."""
_COLUMNS = (intervals.c.gate, intervals.c.began_at, intervals.c.ended_at, intervals.c.state, intervals.c.basis)
_MAY_MATTER = sa.or_(
    intervals.c.what == "status", intervals.c.state == "missing",
    intervals.c.gate.in_(sa.select(rectifications.c.gate).where(rectifications.c.state != State.CLOSED.value)),
)  # fmt: skip
"""Most items are there, and nothing is to be put right: the hub asks every half minute, and reads none of these."""
_MANY = 500
"""Names in one query."""


def candidates(conn: sa.Connection, opened: Mapping[Key, Rectification]) -> list[Key]:
    """The items that are missing and have no rectification, and those present again whose rectification evidence can close;
    of gates alone that are open and heard. `opened`: the rectifications that are not closed."""
    current: dict[str, dict[str, str]] = defaultdict(dict)
    columns = (intervals.c.gate, intervals.c.what, intervals.c.state)
    query = sa.select(*columns).join(gates, gates.c.id == intervals.c.gate).where(intervals.c.ended_at.is_(None), _MAY_MATTER)
    for gate, what, state in conn.execute(query):
        current[gate][what] = state
    return [
        (gate, item.value) for gate, found in current.items() if found.get("status") in CHECKED for item in Item
        if _may_change(found.get(item.value), opened.get((gate, item.value)))
    ]  # fmt: skip


def look(
    conn: sa.Connection, keys: Collection[Key], now: datetime, *, bridged: timedelta, after: Mapping[Key, datetime] | None = None
) -> dict[Key, Standing]:
    """How items stand at `now`, those of which something is recorded; see `hub.rules.standing`."""
    rows, begins = _intervals(conn, keys, now), after or {}
    unheard = blindness.stretches(conn, now - LOOKED_BACK, now) if keys else []
    found = {
        key: standing(rows[key[0], "status"], rows[key], now, bridged=bridged, after=begins.get(key), unheard=unheard)
        for key in keys
    }
    return {key: one for key, one in found.items() if one is not None}


def is_blind(conn: sa.Connection, now: datetime) -> bool:
    """Whether the hub does not hear its gates: the broker is lost, or nothing is taken in."""
    alive = meta.instant(conn, meta.ALIVE_AT)
    return meta.hearing(conn).blind_since is not None or (alive is not None and now - alive > STALE)


def parts(names: Sequence[str]) -> list[Sequence[str]]:
    """Names in as many as one query takes."""
    return [names[i : i + _MANY] for i in range(0, len(names), _MANY)]


def _may_change(state: str | None, known: Rectification | None) -> bool:
    return state == "missing" if known is None else state == "present" and not known.needs_recheck


def _intervals(conn: sa.Connection, keys: Iterable[Key], now: datetime) -> Mapping[Key, Sequence[Interval]]:
    made: dict[Key, list[Interval]] = defaultdict(list)
    recent = sa.or_(intervals.c.ended_at.is_(None), intervals.c.ended_at > now - LOOKED_BACK)
    wanted: dict[str, set[str]] = defaultdict(set)
    for gate, item in keys:
        wanted[item].add(gate)
        wanted["status"].add(gate)
    for what, names in wanted.items():
        for part in parts(sorted(names)):
            mine = sa.select(*_COLUMNS).where(intervals.c.gate.in_(part), intervals.c.what == what, recent)
            for gate, began_at, ended_at, state, basis in conn.execute(mine):
                made[gate, what].append(Interval(began_at=began_at, ended_at=ended_at, state=state, basis=basis))
    return made
