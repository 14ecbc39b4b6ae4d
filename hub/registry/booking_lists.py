"""Lists of bookings, which stations know of one, and who has come with it."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Body, Correction, Entry, decode_event
from hub.confirmations import CompoundDirectory
from hub.registry.bookings import AHEAD, BEHIND, Booked
from hub.rights import Reach
from hub.store.tables import bookings as table
from hub.store.tables import events, gates

EARLY = timedelta(hours=12)
"""A gate shows a booking so long before it opens: who is early comes within this."""
MOST = 50
"""Entries of one booking that are told."""
_SIGNED = timedelta(hours=1)
"""The directory is built and signed again at least so often; see `hub.registry.directory.build`."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which bookings: of the compounds in reach, or one of them; of one kind; those that are over, or those that are not."""

    reach: Reach
    compound: str = ""
    kind: str = ""
    over: bool = False


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that named the booking; the gate's name with it."""

    at: datetime
    gate: str
    gate_name: str
    id: str
    body: Entry


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Which of a compound's stations know of a booking as it is now; `waiting`: gate and station of those that don't yet."""

    stations: int
    waiting: tuple[str, ...]

    @property
    def heard(self) -> int:
        """How many know."""
        return self.stations - len(self.waiting)


def search(conn: sa.Connection, wanted: Wanted, now: datetime, limit: int, offset: int = 0) -> tuple[list[Booked], int]:
    """Some of the bookings and how many there are: open and coming ones the soonest first, those over the last one first."""
    done = sa.or_(table.c.closes <= now, table.c.cancelled_at.is_not(None))
    query = sa.select(table).where(done if wanted.over else sa.not_(done))
    query = query if wanted.reach is None else query.where(table.c.compound.in_(sorted(wanted.reach)))
    query = query.where(table.c.compound == wanted.compound) if wanted.compound else query
    query = query.where(table.c.kind == wanted.kind) if wanted.kind else query
    count = conn.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    order = (table.c.opens.desc(), table.c.id) if wanted.over else (table.c.opens, table.c.id)
    rows = conn.execute(query.order_by(*order).limit(limit).offset(offset))
    return [Booked(**row._mapping) for row in rows], count


def known_by(one: Booked, since: int | None, there: CompoundDirectory) -> Known:
    """Which stations of its compound know of a booking; `since`: see `bookings.told_since`, without it the newest version counts.

    One that was made long ahead is told without a new version once it comes within sight: then a station must have been heard
    since.
    """
    least, sealed = (there.version if since is None else since), one.opens - AHEAD + _SIGNED
    late = one.cancelled_at is None and one.opens > one.made_at + AHEAD
    waiting = [
        f"{station.gate_name} {station.station}"
        for station in there.stations
        if (station.version or 0) < least or (late and (station.heard_at is None or station.heard_at < sealed))
    ]
    return Known(stations=len(there.stations), waiting=tuple(sorted(waiting)))


def came(conn: sa.Connection, one: Booked) -> list[Came]:
    """The entries that named a booking and were not cancelled, the first ones, in their order: a gate shows a booking from some
    hours before it opens on."""
    around = (gates.c.compound == one.compound, events.c.at >= one.opens - EARLY, events.c.at < one.closes + BEHIND)
    named = (events.c.kind == "entry", events.c.body.contains(one.id, autoescape=True))
    columns = (events.c.at, events.c.id, events.c.body, gates.c.id.label("gate"), gates.c.name.label("gate_name"))
    query: sa.Select[Any] = sa.select(*columns).join_from(events, gates, events.c.gate == gates.c.id).where(*around, *named)
    rows = conn.execute(query.order_by(events.c.at, events.c.seq).limit(MOST)).all()
    undone = _undone(conn, around) if rows else set()
    return [found for row in rows if row.id not in undone and (found := _came(row, one.id)) is not None]


def _undone(conn: sa.Connection, around: tuple[sa.ColumnElement[bool], ...]) -> set[str]:
    """The entries of that time that somebody has cancelled."""
    query = sa.select(events.c.body).join_from(events, gates, events.c.gate == gates.c.id)
    bodies = map(_body, conn.scalars(query.where(*around, events.c.kind == "correction")))
    return {body.corrects for body in bodies if isinstance(body, Correction) and body.cancelled}


def _came(row: sa.Row[Any], booking: str) -> Came | None:
    body = _body(row.body)
    if not isinstance(body, Entry) or body.booking != booking:
        return None
    return Came(at=row.at, gate=row.gate, gate_name=row.gate_name, id=row.id, body=body)


def _body(text: str) -> Body | None:
    try:
        return decode_event(text.encode()).body
    except BadMessage:
        return None
