"""Events written before a boot's clock was synced, dated once it was: `mono_ns` tells how long before."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from contract.events import Clock
from hub.store.tables import events

DATED = "dated"
"""What stands in an event's `clock` once the hub has dated it."""


def redate(connection: sa.Connection, station: str, boot: str) -> datetime | None:
    """Date what a boot wrote unsynced, if it has synced since; returns the earliest time concerned."""
    sync = _sync(connection, station, boot)
    if sync is None:
        return None
    mine = sa.and_(events.c.station == station, events.c.boot == boot, events.c.clock == Clock.UNSYNCED.value)
    rows = connection.execute(sa.select(events.c.journal, events.c.seq, events.c.at, events.c.mono_ns).where(mine)).all()
    changes = [_dated(row, sync) for row in rows]
    if not changes:
        return None
    keys = (events.c.journal == sa.bindparam("of"), events.c.seq == sa.bindparam("number"))
    connection.execute(sa.update(events).where(*keys).values(at=sa.bindparam("when"), clock=DATED), changes)
    times: list[datetime] = [*(row.at for row in rows), *(change["when"] for change in changes)]
    return min(times)


def _sync(connection: sa.Connection, station: str, boot: str) -> Any:
    query = sa.select(events.c.at, events.c.mono_ns).where(
        events.c.kind == "clock_synced", events.c.clock == Clock.SYNCED.value, events.c.station == station, events.c.boot == boot
    )
    return connection.execute(query.order_by(events.c.mono_ns).limit(1)).first()


def _dated(row: Any, sync: Any) -> dict[str, Any]:
    before = timedelta(microseconds=(sync.mono_ns - row.mono_ns) // 1000)
    return {"of": row.journal, "number": row.seq, "when": sync.at - before}
