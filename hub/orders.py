"""Commands to stations, kept with their answers. The scheduler sends them (hub.publisher), the ingest brings the replies."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from contract.messages import CommandName, CommandReply
from hub.config import Located
from hub.registry.errors import RegistryError
from hub.rules.compliance import GateStatus, gate_status
from hub.rules.ordering import LIVES, Order, barrier_refused, is_under_way
from hub.store import gates, meta
from hub.store.supervision import orders as table
from hub.store.tables import stations

_COLUMNS = [table.c[name] for name in Order.__struct_fields__ if name != "argument"] + [table.c["values"]]


class OrderRefused(RegistryError):
    """The hub does not send this; `reason`: blind, unreachable, no_volunteer, under_way."""

    def __init__(self, reason: str) -> None:
        super().__init__(_WHY[reason])
        self.reason = reason


_WHY = {
    "blind": "the hub has lost the broker: nothing reaches a station",
    "unreachable": "nobody hears the gate, so nobody knows who stands there: the barrier stays down",
    "no_volunteer": "no volunteer is on shift at the gate: the barrier stays down",
    "under_way": "the station was asked for this just now: wait for its answer, 30 s at most",
}


def order(
    conn: sa.Connection, located: Located, station: str, what: CommandName, by: str, at: datetime, argument: str = ""
) -> Order:  # fmt: skip
    """Ask a station for something; it goes out within a second, or never. Raises `RegistryError`, `OrderRefused` among them."""
    gate = conn.scalar(sa.select(stations.c.gate).where(stations.c.id == station))
    if gate is None:
        raise RegistryError(f"no station {station[:80]!r}: see `hub station list`")
    if what is CommandName.OPEN_BARRIER:
        _require_volunteer(conn, located, gate, at)
    if any(one.what == what and is_under_way(one, at) for one in latest(conn, station, 20)):
        raise OrderRefused("under_way")
    made = Order(id=uuid4().hex, station=station, what=what.value, made_at=at, made_by=by, argument=argument)
    row = {"id": made.id, "station": station, "what": made.what, "made_at": at, "made_by": by}
    conn.execute(sa.insert(table).values(**row, values={"argument": argument} if argument else {}))
    meta.bump(conn)
    return made


def due(conn: sa.Connection, now: datetime) -> list[Order]:
    """What is to be sent now, in the order in which it was asked for; what is over is not."""
    query = sa.select(*_COLUMNS).where(table.c.sent_at.is_(None), table.c.answered_at.is_(None), table.c.made_at > now - LIVES)
    return _orders(conn.execute(query.order_by(table.c.made_at, table.c.id)))


def sent(conn: sa.Connection, id: str, at: datetime) -> None:
    """The broker has it."""
    conn.execute(sa.update(table).where(table.c.id == id).values(sent_at=at))
    meta.bump(conn)


def answered(conn: sa.Connection, station: str, reply: CommandReply, at: datetime) -> bool:
    """Keep a station's answer, the first one; False when nothing with this id was asked of this station."""
    mine = (table.c.id == reply.id) & (table.c.station == station)
    told = {"answered_at": at, "ok": reply.ok, "detail": reply.detail.replace("\0", "\\0")[:500]}
    if conn.execute(sa.update(table).where(mine, table.c.answered_at.is_(None)).values(**told)).rowcount:
        return True
    return conn.scalar(sa.select(table.c.id).where(mine)) is not None


def latest(conn: sa.Connection, station: str, limit: int, *what: CommandName) -> list[Order]:
    """The newest commands to a station, newest first; of some kinds or of all."""
    query = sa.select(*_COLUMNS).where(table.c.station == station)
    if what:
        query = query.where(table.c.what.in_([one.value for one in what]))
    return _orders(conn.execute(query.order_by(table.c.made_at.desc(), table.c.id).limit(limit)))


def _require_volunteer(conn: sa.Connection, located: Located, gate: str, at: datetime) -> None:
    hearing = meta.hearing(conn)
    refused = barrier_refused(_status(conn, located, gate, at), blind=hearing.blind_since is not None)
    if refused is not None:
        raise OrderRefused(refused)


def _status(conn: sa.Connection, located: Located, gate: str, at: datetime) -> GateStatus:
    """The gate as the pages show it, read in the transaction of the command."""
    (place,), lanes = gates.load_places(conn, [gate]), gates.load_lanes(conn, [gate], located.lifetimes)
    return gate_status(place, lanes.get(gate, ()), at, located.lifetimes, zone=located.zone, hearing=meta.hearing(conn))


def _orders(rows: Iterable[sa.Row[Any]]) -> list[Order]:
    return [_order(**row._mapping) for row in rows]


def _order(*, values: dict[str, str], **known: Any) -> Order:
    return Order(**known, argument=values.get("argument", ""))
