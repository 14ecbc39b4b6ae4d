"""轮休: who is to be at a gate when, as it is kept."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from contract.passes import BADGES
from hub.registry.errors import RegistryError
from hub.rights import Reach
from hub.rules import rota as weeks
from hub.rules import shifts as rules
from hub.rules.compliance import Value
from hub.rules.shifts import Planned
from hub.store.supervision import rota as table
from hub.store.tables import gates, passes

_LONGEST = timedelta(hours=24)
"""No shift is longer: one that runs at a time began no earlier before it."""
MOST_BADGES = 500
"""Badges of one compound to choose from."""


class RotaError(RegistryError):
    """What can't be done with the rota; `why` is one of a few, for the page to say in its reader's language."""

    def __init__(self, why: str, said: str) -> None:
        super().__init__(said)
        self.why = why


class Badge(Value, frozen=True, kw_only=True):
    """A volunteer's badge that can be put on a shift. The name is masked."""

    id: str
    name: str
    expires: datetime


class Copied(Value, frozen=True, kw_only=True):
    """What came of copying a week: shifts added, and how many of them without the badge of the week before."""

    added: int
    emptied: int


def rota(conn: sa.Connection, reach: Reach, begins: datetime, ends: datetime, gate: str | None = None) -> list[Planned]:
    """The shifts of the gates in reach that run at some time of a window, by their beginning."""
    query = sa.select(table.c.id, table.c.gate, table.c.begins, table.c.ends, table.c.badge).join(
        gates, gates.c.id == table.c.gate
    ).where(table.c.begins < ends, table.c.ends > begins, table.c.begins > begins - _LONGEST)  # fmt: skip
    query = query.where(gates.c.compound.in_(sorted(reach))) if reach is not None else query
    query = query.where(table.c.gate == gate) if gate is not None else query
    rows = conn.execute(query.order_by(table.c.begins, table.c.ends, table.c.id)).mappings()
    return [Planned(**row) for row in rows]


def badges(conn: sa.Connection, gate: str, at: datetime) -> list[Badge]:
    """The badges of a gate's compound that are good at a time, by name."""
    kinds = [kind.value for kind in BADGES]
    query = (
        sa.select(passes.c.id, passes.c.name, passes.c.expires)
        .join(gates, gates.c.compound == passes.c.compound)
        .where(gates.c.id == gate, passes.c.kind.in_(kinds), passes.c.revoked_at.is_(None), passes.c.expires > at)
        .order_by(passes.c.name, passes.c.issued_at, passes.c.id)
        .limit(MOST_BADGES)
    )
    return [Badge(**row) for row in conn.execute(query).mappings()]


def plan(conn: sa.Connection, gate: str, wanted: Sequence[weeks.Window], by: str, now: datetime) -> int:
    """Put shifts into a gate's rota that are not there yet and not over; returns how many. Nobody is on them yet."""
    return len(_add(conn, gate, [(window, None) for window in wanted], by, now))


def assign(conn: sa.Connection, id: str, badge: str | None, now: datetime) -> Planned:
    """Put a badge on a shift, or nobody. Raises `RotaError`."""
    planned = _find(conn, id, now)
    if badge is not None:
        _check(conn, planned, badge, now)
    conn.execute(sa.update(table).where(table.c.id == id).values(badge=badge))
    return Planned(id=planned.id, gate=planned.gate, begins=planned.begins, ends=planned.ends, badge=badge)


def remove(conn: sa.Connection, id: str, now: datetime) -> Planned:
    """Take a shift out of the rota. Raises `RotaError`."""
    planned = _find(conn, id, now)
    conn.execute(sa.delete(table).where(table.c.id == id))
    return planned


def copy_week(conn: sa.Connection, gate: str, to: date, by: str, now: datetime, zone: ZoneInfo) -> Copied:
    """Put the shifts of the week before the one that begins on `to` into it, by the local clock, with their badges where
    those are good and free then. Raises `RotaError` when the week before has none."""
    first = to - timedelta(days=7)
    window = weeks.moment(first, 0, zone), weeks.moment(to, 0, zone)
    before = [one for one in rota(conn, None, *window, gate=gate) if one.begins >= window[0]]
    if not before:
        raise RotaError("empty_week", f"the rota of {gate} has no shift in the week of {first}")
    wanted = [(weeks.shifted((one.begins, one.ends), 7, zone), one.badge) for one in before]
    added, emptied = _add(conn, gate, wanted, by, now), 0
    for planned, badge in added:
        if badge is None:
            continue
        try:
            assign(conn, planned.id, badge, now)
        except RotaError:
            emptied += 1
    return Copied(added=len(added), emptied=emptied)


def _add(
    conn: sa.Connection, gate: str, wanted: Sequence[tuple[weeks.Window, str | None]], by: str, now: datetime
) -> list[tuple[Planned, str | None]]:
    to_come = [one for one in wanted if one[0][1] > now]
    if not to_come:
        return []
    ends = max(window[1] for window, _ in to_come)
    there = [(one.begins, one.ends) for one in rota(conn, None, min(window[0] for window, _ in to_come), ends, gate=gate)]
    left = weeks.missing([window for window, _ in to_come], there)
    added: list[tuple[Planned, str | None]] = []
    for window, badge in to_come:
        if window in left:
            left.remove(window)
            added.append((Planned(id=uuid4().hex, gate=gate, begins=window[0], ends=window[1]), badge))
    rows: list[dict[str, Any]] = [
        {"id": one.id, "gate": gate, "begins": one.begins, "ends": one.ends, "badge": None, "made_at": now, "made_by": by}
        for one, _ in added
    ]
    if rows:
        conn.execute(sa.insert(table), rows)
    return added


def _find(conn: sa.Connection, id: str, now: datetime) -> Planned:
    query = sa.select(table.c.id, table.c.gate, table.c.begins, table.c.ends, table.c.badge).where(table.c.id == id)
    row = conn.execute(query).mappings().first()
    if row is None:
        raise RotaError("gone", f"no shift {id[:40]!r}: it was taken out of the rota")
    if row["ends"] <= now:
        raise RotaError("over", f"shift {id[:40]!r} is over: what was planned stays")
    return Planned(**row)


def _check(conn: sa.Connection, planned: Planned, badge: str, now: datetime) -> None:
    good = {one.id for one in badges(conn, planned.gate, max(now, planned.begins))}
    if badge not in good:
        raise RotaError("badge", f"badge {badge[:8]!r} is none of this compound's that is good at the time of the shift")
    beside = rota(conn, None, planned.begins, planned.ends)
    if rules.clashes(planned, beside, [badge]):
        raise RotaError("busy", f"badge {badge[:8]!r} is on another shift at that time")
