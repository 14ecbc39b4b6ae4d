"""Who went in or out, for the other gates and lanes of the same compound: entries as they come into the store."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Clock, Direction, Entry, Outcome, decode_event
from contract.messages import Movement, Movements
from hub.store.tables import events, gates, stations

OVERLAP = timedelta(seconds=30)
"""Looked at again at every poll: a transaction that was slow to commit brings events older than the newest."""
BATCH = 200


class MovementCursor:
    """Finds each entry until it is marked. In memory: after a restart it begins with the last half minute."""

    def __init__(self, now: datetime) -> None:
        self._since = now - OVERLAP
        self._seen: dict[tuple[str, int], datetime] = {}

    def find(self, conn: sa.Connection) -> list[sa.Row[Any]]:
        """The entries that have not been marked yet, in the order in which they came."""
        return [row for row in conn.execute(_query(self._since)) if (row.journal, row.seq) not in self._seen]

    def mark(self, rows: Iterable[sa.Row[Any]], now: datetime) -> None:
        """These have been sent, and won't be found again. A newest that is after `now` comes of a clock since set back."""
        self._seen |= {(row.journal, row.seq): row.received_at for row in rows}
        if self._seen:
            self._since = min(now, max(self._seen.values())) - OVERLAP
            self._seen = {key: at for key, at in self._seen.items() if at >= self._since}


def _query(since: datetime) -> sa.Select[Any]:
    of_stations = sa.select(gates.c.compound).join(stations, stations.c.gate == gates.c.id)
    several = of_stations.group_by(gates.c.compound).having(sa.func.count() > 1)
    columns = (
        events.c.journal,
        events.c.seq,
        events.c.received_at,
        events.c.at,
        events.c.clock,
        events.c.body,
        events.c.gate,
        events.c.station,
    )
    return (
        sa.select(*columns, gates.c.compound)
        .join(gates, gates.c.id == events.c.gate)
        .where(events.c.kind == "entry", events.c.received_at >= since, events.c.error.is_(None), gates.c.compound.in_(several))
        .order_by(events.c.received_at, events.c.journal, events.c.seq)
    )


def visits(conn: sa.Connection, rows: Iterable[sa.Row[Any]]) -> dict[str, str]:
    """Entry → its pass, for entries ended by exits that name no pass: a visitor who leaves does not show it again."""
    said = [entry for row in rows if (entry := _entry(row.body)) is not None]
    wanted = {entry.visit for entry in said if entry.visit is not None and entry.pass_id is None}
    query = sa.select(events.c.id, events.c.body).where(events.c.id.in_(wanted), events.c.kind == "entry")
    begun = {row.id: _entry(row.body) for row in conn.execute(query)} if wanted else {}
    return {id: entry.pass_id for id, entry in begun.items() if entry is not None and entry.pass_id is not None}


def by_compound(rows: Iterable[sa.Row[Any]], now: datetime, visits: Mapping[str, str] = MappingProxyType({})) -> list[Movements]:
    """The movements of admitted passes, a compound at a time, at most `BATCH` a message."""
    compounds: dict[str, list[Movement]] = {}
    for row in rows:
        compounds.setdefault(row.compound, []).extend(_movements(row, now, visits))
    return [
        Movements(compound=compound, movements=tuple(found[first : first + BATCH]))
        for compound, found in compounds.items()
        for first in range(0, len(found), BATCH)
    ]


def _movements(row: sa.Row[Any], now: datetime, visits: Mapping[str, str]) -> list[Movement]:
    """Everybody of an entry who has a pass. One keyed in later from paper moves nobody now."""
    entry = _entry(row.body)
    if entry is None or entry.outcome is not Outcome.ADMIT or entry.written is not None:
        return []
    happened = row.at if row.clock == Clock.SYNCED else row.received_at
    age = max(0.0, (now - happened).total_seconds())
    return [
        Movement(pass_id=pass_id, direction=entry.direction.value, gate=row.gate, station=row.station, age_seconds=age)
        for pass_id in _passes(entry, visits)
    ]


def _passes(entry: Entry, visits: Mapping[str, str]) -> Sequence[str]:
    own = entry.pass_id or (visits.get(entry.visit) if entry.visit is not None and entry.direction is Direction.OUT else None)
    known = [own, *(companion.pass_id for companion in entry.companions)]
    return list(dict.fromkeys(one for one in known if one is not None))


def _entry(text: str) -> Entry | None:
    try:
        body = decode_event(text.encode()).body
    except BadMessage:
        return None
    return body if isinstance(body, Entry) else None
