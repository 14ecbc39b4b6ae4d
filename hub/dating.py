"""Events written before a boot's clock was synced, dated once it was: `mono_ns` tells how long before.

One that can't be dated so lies between those before and after it in its journal, and that is all that is said of it.
"""

from collections.abc import Iterable
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


def span(connection: sa.Connection, journal: str, seq: int) -> tuple[datetime | None, datetime] | None:
    """From when to when an event was that is not dated; None for one that is.

    No earlier than the last dated one before it, if there is any; no later than the first after it, or than it was received.
    """
    row = connection.execute(sa.select(events).where(events.c.journal == journal, events.c.seq == seq)).first()
    if row is None or row.clock != Clock.UNSYNCED.value:
        return None
    dated = sa.and_(events.c.journal == journal, events.c.clock.in_((Clock.SYNCED.value, DATED)))
    near = sa.select(events.c.at).where(dated).limit(1)
    before = connection.scalar(near.where(events.c.seq < seq).order_by(events.c.seq.desc()))
    after = connection.scalar(near.where(events.c.seq > seq).order_by(events.c.seq))
    latest = min(row.received_at, after or row.received_at)
    return None if before is None else min(before, latest), latest


def bound(connection: sa.Connection, journal: str, numbers: Iterable[int]) -> list[datetime]:
    """Put events that can't be dated where they can have been, so that they stand in the day in which they were; returns when."""
    times = []
    for seq in sorted(numbers):
        mine = sa.and_(events.c.journal == journal, events.c.seq == seq)
        found = span(connection, journal, seq)
        if found is not None:
            at = min(max(filter(None, (found[0], connection.scalar(sa.select(events.c.at).where(mine))))), found[1])
            connection.execute(sa.update(events).where(mine).values(at=at))
            times.append(at)
    return times


def _sync(connection: sa.Connection, station: str, boot: str) -> Any:
    query = sa.select(events.c.at, events.c.mono_ns).where(
        events.c.kind == "clock_synced", events.c.clock == Clock.SYNCED.value, events.c.station == station, events.c.boot == boot
    )
    return connection.execute(query.order_by(events.c.mono_ns).limit(1)).first()


def _dated(row: Any, sync: Any) -> dict[str, Any]:
    before = timedelta(microseconds=(sync.mono_ns - row.mono_ns) // 1000)
    return {"of": row.journal, "number": row.seq, "when": sync.at - before}
