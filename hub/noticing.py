"""What the store knows that is worth an alert: new events since the last look, and what is so now."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Body, Entry, ShiftChange, decode_event
from contract.messages import Vitals, decode
from hub import rectifications
from hub.registry import key_lives, keys, policies
from hub.registry.passes import ACTOR
from hub.rules import noticing as rules
from hub.rules.alerting import OLD, Condition, Happening, Kind
from hub.rules.compliance import GateStatus, StationStatus, Value
from hub.rules.noticing import Heard, Memory, Told, Turn
from hub.status import Overview
from hub.store.tables import events, passes, pulses

BATCH = 1000
"""Events looked at in one transaction."""
SETTLING = timedelta(seconds=2)
"""PostgreSQL may have several ingests, and the first to receive may be the last to commit: looked at after that."""
SET_BACK = timedelta(minutes=1)
_KINDS = ("entry", "help", "shift", "correction")
OF_STATIONS = frozenset(
    {Kind.UNREACHABLE, Kind.CLOSED, Kind.BACKLOG, Kind.DISK, Kind.CLOCK, Kind.TAXI, Kind.RETURNEE}
)  # fmt: skip
"""Kinds that a blind hub knows nothing about."""
OF_RECTIFICATIONS = frozenset({Kind.LACKING, Kind.DUE, Kind.OVERDUE})
OF_THE_HUB = OF_RECTIFICATIONS | {Kind.BLIND, Kind.KEYS}
"""Kinds that the store alone tells, whatever is heard."""
Places = Mapping[str, tuple[str, str]]
"""Gate → its compound, and how its place is called."""


class Mark(Value, frozen=True, kw_only=True):
    """How far the events were looked at, in the order (received_at, journal, seq)."""

    received_at: datetime
    journal: str = ""
    seq: int = 0


class News(Value, frozen=True, kw_only=True):
    """Events not looked at before, where to go on, and whether there are more."""

    rows: list[Any]
    mark: Mark
    more: bool


def first_mark(now: datetime) -> Mark:
    """Where a hub begins that has never looked: what is older is not sent anyway."""
    return Mark(received_at=now - OLD)


def news(conn: sa.Connection, mark: Mark, now: datetime) -> News:
    """The next events after a mark, in order. A mark later than now comes of a clock since set back: rather a minute's events
    twice than one that nobody sees."""
    mark = mark if mark.received_at <= now else Mark(received_at=now - SET_BACK)
    rows = sorted((row for kind in _KINDS for row in _of_kind(conn, kind, mark, now)), key=_order)[:BATCH]
    last = {name: rows[-1][name] for name in Mark.__struct_fields__} if rows else {}
    return News(rows=rows, mark=Mark(**last) if last else mark, more=len(rows) == BATCH)


def tell(rows: Sequence[Any], places: Places) -> list[Told]:
    """Events as the rules take them, without those that can't be read or are of no gate."""
    return [told for row in rows if row["gate"] in places and (told := _told(row, places)) is not None]


def happened(conn: sa.Connection, told: Sequence[Told], places: Places) -> list[Happening]:
    """What these events tell, by the time at which it happened."""
    tests = _of_actors(conn, told)
    found = [one for event in told for one in rules.happenings(event) if event.id not in tests or one.kind is Kind.EMERGENCY]
    found += _badges(conn, told, places)
    return sorted(found, key=lambda one: one.at)


def conditions(
    conn: sa.Connection, seen: Overview, memory: Memory, places: Places, now: datetime
) -> tuple[list[Condition], frozenset[Kind], Memory]:
    """What is so now, the kinds that were looked at, and the memory after that."""
    found = _to_put_right(conn, places) + _to_certify(conn, now)
    if seen.blind_since is not None:
        found.append(Condition(kind=Kind.BLIND, key="hub", since=seen.blind_since))
        return found, OF_THE_HUB, memory
    heard = _heard(conn, seen)
    memory = rules.watch(memory, [one for _, one in heard], now)
    found += [one for gate in seen.gates for one in rules.of_gate(gate, place_of(gate))]
    found += [one for gate, says in heard for one in rules.of_station(gate, says, memory, place_of(gate), now)]
    waits = {compound: rules.RETURNEE_WAITS for compound, _ in places.values()}
    found += rules.too_long(memory.taxis, Kind.TAXI, places, _taxi_limits(conn, memory, places), now)
    found += rules.too_long(memory.returnees, Kind.RETURNEE, places, waits, now)
    return found, OF_STATIONS | OF_THE_HUB, memory


def places_of(seen: Overview) -> Places:
    """The gates of an overview."""
    return {gate.gate: (gate.compound, place_of(gate)) for gate in seen.gates}


def place_of(gate: GateStatus) -> str:
    """How an alert calls a gate."""
    return f"{gate.compound_name} {gate.gate_name}"[:90]


def _to_put_right(conn: sa.Connection, places: Places) -> list[Condition]:
    known = [one for one in rectifications.not_closed(conn) if one.gate in places]
    return [told for one in known for told in rules.of_rectification(one, *places[one.gate])]


def _to_certify(conn: sa.Connection, now: datetime) -> list[Condition]:
    """One alert for all keys whose certificates end soon: they are renewed together."""
    ends = [key.not_after for key in keys.list_keys(conn) if key.not_after is not None and key_lives.ends_soon(key, now)]
    return [Condition(kind=Kind.KEYS, key="hub", since=min(ends) - key_lives.RENEW)] if ends else []


def _of_kind(conn: sa.Connection, kind: str, mark: Mark, now: datetime) -> list[Any]:
    """The next events of one kind: asked for by itself, so that the index gives them in order."""
    columns = (events.c[name] for name in ("journal", "seq", "id", "station", "gate", "at", "received_at", "body"))
    query = sa.select(*columns).where(
        events.c.kind == kind, events.c.error.is_(None), events.c.received_at.between(mark.received_at, now), _is_after(mark)
    )  # fmt: skip
    if conn.dialect.name == "postgresql":
        query = query.where(events.c.received_at < now - SETTLING)
    return list(conn.execute(query.order_by(events.c.received_at, events.c.journal, events.c.seq).limit(BATCH)).mappings())


def _order(row: Any) -> tuple[datetime, str, int]:
    return row["received_at"], row["journal"], row["seq"]


def _is_after(mark: Mark) -> sa.ColumnElement[bool]:
    place, after = (mark.received_at, mark.journal, mark.seq), (events.c.received_at, events.c.journal, events.c.seq)
    return sa.tuple_(*after) > sa.tuple_(
        *(sa.bindparam(None, value, column.type) for value, column in zip(place, after, strict=True))
    )


def _told(row: Any, places: Places) -> Told | None:
    body = _body(row["body"])
    if body is None:
        return None
    compound, subject = places[row["gate"]]
    return Told(id=row["id"], at=row["at"], gate=row["gate"], compound=compound, subject=subject, body=body)


def _of_actors(conn: sa.Connection, told: Sequence[Told]) -> set[str]:
    """The entries with passes of 演员查: what they show is a test, whose result the inspection tells."""
    by_pass = {one.id: one.body.pass_id for one in told if isinstance(one.body, Entry) and one.body.pass_id}
    theirs = sa.select(passes.c.id).where(passes.c.id.in_(set(by_pass.values())), passes.c.issued_by.startswith(ACTOR))
    known = set(conn.scalars(theirs)) if by_pass else set()
    return {event for event, pass_id in by_pass.items() if pass_id in known}


def _badges(conn: sa.Connection, told: Sequence[Told], places: Places) -> list[Happening]:
    """Badges on duty at two gates at once. Shifts are few: those about the time of the new ones are all read again."""
    fresh = [one for one in told if isinstance(one.body, ShiftChange) and one.body.on]
    if not fresh:
        return []
    begins = min(one.at for one in fresh) - rules.LONGEST_SHIFT
    columns = (events.c.id, events.c.station, events.c.gate, events.c.at, events.c.body)
    query = sa.select(*columns).where(events.c.kind == "shift", events.c.at >= begins, events.c.error.is_(None))
    badges = {one.body.badge for one in fresh if isinstance(one.body, ShiftChange)}
    known = rules.stays(_turns(conn.execute(query).all(), places, badges))
    pairs = rules.overlaps(known, {one.id for one in fresh})
    return [
        Happening(
            kind=Kind.BADGE, key=later.badge, gate=later.gate, compound=places[later.gate][0], event=later.event, at=later.at,
            subject=f"{places[later.gate][1]} / {places[earlier.gate][1]}",
        )
        for later, earlier in pairs
    ]  # fmt: skip


def _turns(rows: Sequence[Any], places: Places, badges: set[str]) -> list[Turn]:
    found = []
    for id, station, gate, at, text in rows:
        body = _body(text) if gate in places else None
        if isinstance(body, ShiftChange) and body.badge in badges:
            found.append(Turn(event=id, badge=body.badge, station=station, gate=gate, at=at, on=body.on))
    return found


def _body(text: str) -> Body | None:
    try:
        return decode_event(text.encode()).body
    except BadMessage:
        return None


def _heard(conn: sa.Connection, seen: Overview) -> list[tuple[GateStatus, Heard]]:
    """The stations in service that can be heard: the vitals of a silent one tell of a time gone by."""
    free = {row.station: _disk(row.vitals) for row in conn.execute(sa.select(pulses.c.station, pulses.c.vitals))}
    return [
        (gate, Heard(station=one.station, backlog=one.backlog or 0, clock_set=one.clock != "unsynced",
                     disk_free_bytes=free.get(one.station)))
        for gate in seen.gates
        for one in gate.stations
        if one.in_service and _is_heard(one)
    ]  # fmt: skip


def _is_heard(one: StationStatus) -> bool:
    return one.heard_seconds_ago is not None and one.heard_seconds_ago < rules.HEARD_WITHIN.total_seconds()


def _disk(text: str | None) -> int | None:
    try:
        return None if text is None else decode(Vitals, text.encode()).disk_free_bytes
    except BadMessage:
        return None


def _taxi_limits(conn: sa.Connection, memory: Memory, places: Places) -> dict[str, timedelta]:
    known = {places[one.gate][0] for one in memory.taxis.values() if one.gate in places}
    return {compound: timedelta(seconds=policies.in_force(conn, compound).taxi_seconds) for compound in known}
