"""Closed gates in the store: which a volunteer has locked, and who went through while a gate was closed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Entry, GateShut, decode_event
from hub.rules.closing import LOOKED_AT, Word, passed, shut_by
from hub.rules.compliance import Passed
from hub.store.tables import events, gates

_COLUMNS = ("shut_at", "shut_by", "shut_event")
_WORDS = 20
_GATES = 100
"""Gates in one query: SQLite bounds how deep a condition may be."""


def refresh(connection: sa.Connection, gate: str) -> None:
    """Note whether a gate is locked, by what its journals say now: words may come late, and be dated anew."""
    query = sa.select(events.c.id, events.c.at, events.c.body).where(events.c.gate == gate, events.c.kind == "gate_shut")
    rows = connection.execute(query.order_by(events.c.at.desc()).limit(_WORDS))
    word = shut_by(found for row in rows if (found := _word(row)) is not None)
    said = {"shut_at": word.at, "shut_by": word.by, "shut_event": word.event} if word else {}
    connection.execute(sa.update(gates).where(gates.c.id == gate).values(dict.fromkeys(_COLUMNS) | said))


def passed_while_closed(connection: sa.Connection, closed: Mapping[str, datetime]) -> dict[str, Passed]:
    """Who went through which of these gates, each closed since a time."""
    names = list(closed)
    known: dict[str, list[tuple[datetime, Entry]]] = defaultdict(list)
    for first in range(0, len(names), _GATES):
        for row in connection.execute(_entries(closed, names[first : first + _GATES])):
            body = _body(row.body)
            if isinstance(body, Entry):
                known[row.gate].append((row.at, body))
    made = {gate: passed(entries, closed[gate]) for gate, entries in known.items()}
    return {gate: found for gate, found in made.items() if found is not None}


def _entries(closed: Mapping[str, datetime], names: Sequence[str]) -> sa.Select[Any]:
    since = sa.or_(*(sa.and_(events.c.gate == name, events.c.at >= closed[name]) for name in names))
    place = sa.func.row_number().over(partition_by=events.c.gate, order_by=events.c.at.desc()).label("place")
    newest = sa.select(events.c.gate, events.c.at, events.c.body, place).where(events.c.kind == "entry", since).subquery()
    return sa.select(newest.c.gate, newest.c.at, newest.c.body).where(newest.c.place <= LOOKED_AT)


def _word(row: Any) -> Word | None:
    body = _body(row.body)
    return Word(at=row.at, shut=body.shut, event=row.id, by=body.by) if isinstance(body, GateShut) else None


def _body(text: str) -> object:
    try:
        return decode_event(text.encode()).body
    except BadMessage:
        return None
