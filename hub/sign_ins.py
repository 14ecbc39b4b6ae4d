"""Sign-ins and sign-offs as the stations wrote them, each decoded once and kept at hand by its day (UTC), and paired once.

An event never changes but for when it happened, once a clock is set. So a day is read again only when the number of its events
or the sum of their times is another one, and the index of kinds tells both without a look at any event.
"""

from collections import OrderedDict
from datetime import UTC, datetime, time, timedelta
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import ShiftChange, decode_event
from hub.rights import Reach
from hub.rules import shifts as rules
from hub.rules.shifts import Change, Span
from hub.store.tables import events, gates

K = TypeVar("K")
V = TypeVar("V")
DAYS, PAIRINGS = 20, 4
"""Days that are kept, and pairings of some days: a week with the two days before it, seen from two of them."""
_DAY = timedelta(days=1)
_LATER = datetime.max.replace(tzinfo=UTC)
_COLUMNS = (events.c.journal, events.c.seq, events.c.station, events.c.gate, events.c.at, events.c.body)
_SAID = sa.select(*_COLUMNS).where(events.c.kind == "shift", events.c.error.is_(None))
Mark = tuple[int, int]
"""How many events a day has, and the sum of their times."""


class Kept:
    """What is kept of one store."""

    def __init__(self) -> None:
        self.days: OrderedDict[datetime, tuple[Mark, tuple[Change, ...]]] = OrderedDict()
        self.spans: OrderedDict[tuple[object, ...], list[Span]] = OrderedDict()


_lock = Lock()
_kept: WeakKeyDictionary[sa.Engine, Kept] = WeakKeyDictionary()


def at_gate(conn: sa.Connection, gate: str, since: datetime, until: datetime) -> list[Change]:
    """What was written at one gate between two times; what can't be read is left out."""
    return _read(conn, _SAID.where(events.c.gate == gate, events.c.at >= since, events.c.at <= until))


def spans(conn: sa.Connection, reach: Reach, since: datetime, now: datetime) -> list[Span]:
    """Who was on duty at the gates in reach, by what was written between two times; see `hub.rules.shifts.pair`."""
    marks, found = _between(conn, since, now)
    known, mine, kept = (since, marks, len(found)), _gates(conn, reach), _of(conn).spans
    paired = kept.get(known)
    if paired is None:
        paired = rules.pair(found, _LATER)
    _keep(kept, known, paired, PAIRINGS)
    return rules.cut((span for span in paired if span.gate in mine), now)


def _of(conn: sa.Connection) -> Kept:
    return _kept.setdefault(conn.engine, Kept())


def _gates(conn: sa.Connection, reach: Reach) -> set[str]:
    query = sa.select(gates.c.id)
    return set(conn.scalars(query if reach is None else query.where(gates.c.compound.in_(sorted(reach)))))


def _between(conn: sa.Connection, since: datetime, until: datetime) -> tuple[tuple[Mark, ...], list[Change]]:
    marks, found = list[Mark](), list[Change]()
    day = datetime.combine(since.astimezone(UTC), time(), UTC)
    while day <= until:
        mark, said = _day(conn, day)
        marks.append(mark)
        found += said if since <= day and day + _DAY <= until else [one for one in said if since <= one.at <= until]
        day += _DAY
    return tuple(marks), found


def _day(conn: sa.Connection, day: datetime) -> tuple[Mark, tuple[Change, ...]]:
    days, mark = _of(conn).days, _mark(conn, day)
    known = days.get(day)
    if known is None or known[0] != mark:
        known = mark, tuple(_read(conn, _SAID.where(*_within(day))))
    _keep(days, day, known, DAYS)
    return known


def _keep(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    """What was asked for longest ago makes room."""
    with _lock:
        kept[key] = value
        kept.move_to_end(key)
        while len(kept) > most:
            kept.popitem(last=False)


def _mark(conn: sa.Connection, day: datetime) -> Mark:
    query = sa.select(sa.func.count(), sa.func.sum(sa.extract("epoch", events.c.at)))
    number, times = conn.execute(query.where(events.c.kind == "shift", *_within(day))).one()
    return number, int(times or 0)


def _within(day: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return events.c.at >= day, events.c.at < day + _DAY


def _read(conn: sa.Connection, query: sa.Select[Any]) -> list[Change]:
    bodies = ((row, _body(row.body)) for row in conn.execute(query).all())
    return [
        Change(gate=row.gate, station=row.station, at=row.at, on=body.on, badge=body.badge, hours=body.hours,
               place=(row.journal, row.seq))
        for row, body in bodies if body is not None
    ]  # fmt: skip


def _body(text: str) -> ShiftChange | None:
    try:
        body = decode_event(text.encode()).body
    except BadMessage:
        return None
    return body if isinstance(body, ShiftChange) else None
