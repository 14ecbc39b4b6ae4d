"""When the hub itself heard nothing, from the store: every time, so that no gate is blamed for any of them."""

from datetime import datetime

import sqlalchemy as sa

from hub.rules.durations import Stretch, merged
from hub.status import STALE
from hub.store import meta
from hub.store.running import blindnesses


def stretches(conn: sa.Connection, begin: datetime, end: datetime) -> list[Stretch]:
    """Between two times, in order and apart from each other; what goes on ends with `end`. An ingest that has not said for a
    while that it lives is as good as blind since then."""
    until = blindnesses.c.ended_at
    query = sa.select(blindnesses.c.began_at, until).where(blindnesses.c.began_at < end, sa.or_(until.is_(None), until > begin))
    known = [(began, ended or end) for began, ended in conn.execute(query)]
    alive = meta.instant(conn, meta.ALIVE_AT)
    known += [(alive, end)] if alive is not None and end - alive > STALE else []
    cut = [(max(a, begin), min(b, end)) for a, b in known]
    return merged((a, b) for a, b in cut if a < b)
