"""Stations that are cut off, stolen ones above all: since when, by whom, why, and whether their session has ended.

Kept by name among the single values of the store until a new kit lets the station in again.
"""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from hub.store import meta
from hub.store.tables import meta as table

_PREFIX = "cut_off:"


class CutOff(msgspec.Struct, frozen=True, kw_only=True):
    """One station that is kept out."""

    station: str
    at: datetime
    by: str
    reason: str
    ended_at: datetime | None = None
    """When its session was ended and what the broker kept of it was cleared; None: not yet."""


def cut_offs(conn: sa.Connection) -> dict[str, CutOff]:
    """Every station that is cut off, by id."""
    rows = conn.scalars(sa.select(table.c.value).where(table.c.key.startswith(_PREFIX, autoescape=True)))
    return {one.station: one for one in (msgspec.json.decode(value, type=CutOff) for value in rows)}


def put(conn: sa.Connection, one: CutOff) -> None:
    """Note it, or that it has changed."""
    meta.put(conn, _PREFIX + one.station, msgspec.json.encode(one).decode())
    meta.bump(conn)


def lift(conn: sa.Connection, station: str) -> bool:
    """The station is no longer cut off; whether it was."""
    gone = conn.execute(sa.delete(table).where(table.c.key == _PREFIX + station)).rowcount > 0
    if gone:
        meta.bump(conn)
    return gone
