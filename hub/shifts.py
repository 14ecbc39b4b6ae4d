"""Who was on duty, read from the stations' sign-ins and sign-offs, and held against the rota."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from contract.directory import Policies
from hub import sign_ins
from hub.registry.policies import EVERYWHERE
from hub.rights import Reach, within
from hub.rota import rota
from hub.rules import shifts as rules
from hub.rules.compliance import Place, Value
from hub.rules.shifts import Judged, Over, Span, Taking
from hub.store import meta
from hub.store.gates import load_places
from hub.store.tables import passes, pulses, stations
from hub.store.tables import policies as policies_table

LOOK_BACK = timedelta(hours=24)
"""Sign-ins so much older are read too: a shift may have begun before what is asked for."""
GRACE = timedelta(seconds=90)
"""A station that was heard so short a time ago is heard still."""
_MANY = 500
_policies = policies_table.c


class Untaken(Value, frozen=True, kw_only=True):
    """A shift nobody took; `name`: whose it was to be, masked, empty where nobody was put on it."""

    shift: str
    gate: str
    gate_name: str
    compound: str
    compound_name: str
    liaison: str
    begins: datetime
    ends: datetime
    badge: str | None
    name: str
    seconds: float
    """For how long somebody was there all the same."""
    ended: bool


class OverHours(Value, frozen=True, kw_only=True):
    """Somebody over their hours; see `hub.rules.shifts.Over`. `places`: the gates with their compounds' names."""

    badge: str
    name: str
    why: str
    seconds: float
    begins: datetime
    ends: datetime
    places: tuple[str, ...]
    going: bool
    unsure: bool


def places(conn: sa.Connection, reach: Reach) -> list[Place]:
    """The gates in reach, by area, compound and name."""
    return [place for place in load_places(conn) if within(reach, place.compound)]


def duty(conn: sa.Connection, reach: Reach, since: datetime, now: datetime, gate: str | None = None) -> list[Span]:
    """Who was on duty at some time after `since`, by their beginning; see `hub.rules.shifts.pair`."""
    begins = since - LOOK_BACK
    if gate is None:
        found = sign_ins.spans(conn, reach, begins, now)
    else:
        found = rules.pair(sign_ins.at_gate(conn, gate, begins, now), now)
    return [span for span in found if span.ends > since or span.begins >= since]


def known_until(conn: sa.Connection, now: datetime, gate: str | None = None) -> dict[str, datetime]:
    """Until when each gate was heard, by all its stations in service; a gate whose station was never heard is left out."""
    blind = meta.hearing(conn).blind_since or now
    query = sa.select(stations.c.gate, pulses.c.heard_at, pulses.c.online).select_from(
        stations.outerjoin(pulses, pulses.c.station == stations.c.id)
    ).where(stations.c.in_service)  # fmt: skip
    query = query.where(stations.c.gate == gate) if gate is not None else query
    known: dict[str, datetime | None] = {}
    for row in conn.execute(query):
        heard = row.heard_at
        if heard is not None:
            heard = min(blind, now if row.online and now - heard <= GRACE else heard)
        before = known.get(row.gate, heard)
        known[row.gate] = None if heard is None or before is None else min(heard, before)
    return {name: at for name, at in known.items() if at is not None}


def limits(conn: sa.Connection, gates_: Iterable[Place]) -> dict[str, float]:
    """How long a shift may be at each gate, in seconds, as its compound has it, else the sub-district; 0: no limit."""
    query = sa.select(_policies.scope, _policies.shift_seconds).where(_policies.shift_seconds.is_not(None))
    known = {row.scope: row.shift_seconds for row in conn.execute(query)}
    usual = known.get(EVERYWHERE, Policies().shift_seconds)
    return {place.gate: known.get(place.compound, usual) for place in gates_}


def names(conn: sa.Connection, ids: Iterable[str]) -> dict[str, str]:
    """Badge → its holder's masked name; a badge that is not in the registry (any more) by the first eight of its id."""
    wanted = sorted(set(ids))
    found: dict[str, str] = {}
    for first in range(0, len(wanted), _MANY):
        part = wanted[first : first + _MANY]
        found |= {row.id: row.name for row in conn.execute(sa.select(passes.c.id, passes.c.name).where(passes.c.id.in_(part)))}
    return {id: found.get(id) or id[:8] for id in wanted}


def judged(
    conn: sa.Connection, reach: Reach, begins: datetime, ends: datetime, now: datetime, spans: Iterable[Span] | None = None,
    gate: str | None = None,
) -> list[Judged]:  # fmt: skip
    """The rota of a window, held against who was there. `spans`: who was, where the caller has them already."""
    by_gate: dict[str, list[Span]] = {}
    for span in duty(conn, reach, begins, now, gate) if spans is None else spans:
        by_gate.setdefault(span.gate, []).append(span)
    heard = known_until(conn, now, gate)
    return [
        rules.judge(planned, by_gate.get(planned.gate, ()), now, heard.get(planned.gate))
        for planned in rota(conn, reach, begins, ends, gate)
    ]


def untaken(conn: sa.Connection, reach: Reach, now: datetime, since: datetime | None = None) -> list[Untaken]:
    """Shifts that nobody took and that ended after `since` (24 h ago), those still running first, then the newest."""
    since = since or now - LOOK_BACK
    found = [one for one in judged(conn, reach, since, now, now) if one.taking is Taking.UNTAKEN]
    known = {place.gate: place for place in places(conn, reach)} if found else {}
    whose = names(conn, [one.planned.badge for one in found if one.planned.badge])
    made = [_untaken(one, known[one.planned.gate], whose, now) for one in found if one.planned.gate in known]
    return sorted(made, key=lambda u: (u.ended, -u.begins.timestamp(), u.gate))


def _untaken(one: Judged, place: Place, whose: Mapping[str, str], now: datetime) -> Untaken:
    planned = one.planned
    return Untaken(
        shift=planned.id, gate=place.gate, gate_name=place.gate_name, compound=place.compound,
        compound_name=place.compound_name, liaison=place.liaison, begins=planned.begins, ends=planned.ends, badge=planned.badge,
        name=whose.get(planned.badge or "", ""), seconds=one.seconds, ended=planned.ends <= now,
    )  # fmt: skip


def over_hours(conn: sa.Connection, reach: Reach, now: datetime, since: datetime | None = None) -> list[OverHours]:
    """Who was over their hours at some time after `since` (24 h ago), the longest first."""
    since = since or now - LOOK_BACK
    spans = duty(conn, reach, since - rules.DAY, now)
    known = places(conn, reach) if spans else []
    found = rules.over_hours(spans, limits(conn, known), now, since)
    return told_over(found, names(conn, [one.badge for one in found]), {place.gate: place for place in known})


def told_over(found: Iterable[Over], whose: Mapping[str, str], known: Mapping[str, Place]) -> list[OverHours]:
    """The same with names in place of ids."""
    fields = ("badge", "why", "seconds", "begins", "ends", "going", "unsure")
    return [
        OverHours(
            **{name: getattr(one, name) for name in fields}, name=whose.get(one.badge, one.badge[:8]),
            places=tuple(f"{known[gate].compound_name} {known[gate].gate_name}" for gate in one.gates if gate in known),
        )
        for one in found
    ]  # fmt: skip
