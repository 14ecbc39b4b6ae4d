"""返沪报到 in the store: whom a gate let in is isolating in the same transaction, and the compound's gates are told."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Correction, Entry, decode_event
from hub import audit
from hub.lines import Line
from hub.registry import colours, versions
from hub.rules.homecoming import HOMECOMING, came_home, is_undone
from hub.store import meta
from hub.store.tables import events, gates, passes

_BY = "homecoming:"
"""Before a pass's id: the entry by which its holder came home, so that a cancelled one undoes it."""


def take_in(conn: sa.Connection, gate: str, lines: Iterable[Line], now: datetime) -> None:
    """Look at new events of a gate, which are in the store already."""
    for line in lines:
        body = line.event.body if line.event is not None else None
        if isinstance(body, Entry) and came_home(body):
            _came(conn, gate, line.id, body, now)
        elif isinstance(body, Correction) and is_undone(body):
            _undo(conn, gate, body.corrects, now)


def _came(conn: sa.Connection, gate: str, event: str, entry: Entry, now: datetime) -> None:
    palette = colours.load(conn)
    known = conn.execute(sa.select(passes).where(passes.c.id == entry.pass_id, _is_of(gate))).first()
    if known is None or known.isolating or known.revoked_at is not None:
        return
    rules = [palette.rule_of(colour) for colour in (entry.colour, known.colour)]
    if all(rule is not None and rule.gate == HOMECOMING for rule in rules):
        meta.put(conn, _BY + known.id, event)
        _isolate(conn, known.id, known.compound, gate, True, now)


def _undo(conn: sa.Connection, gate: str, event: str, now: datetime) -> None:
    """Only what that very entry did: what a person has set since stays."""
    text = conn.scalar(sa.select(events.c.body).where(events.c.id == event, events.c.gate == gate))
    entry = _entry(text)
    if entry is None or meta.get(conn, _BY + (entry.pass_id or "")) != event:
        return
    known = conn.execute(sa.select(passes).where(passes.c.id == entry.pass_id, _is_of(gate))).first()
    meta.put(conn, _BY + (entry.pass_id or ""), None)
    if known is not None and known.isolating:
        _isolate(conn, known.id, known.compound, gate, False, now)


def _isolate(conn: sa.Connection, pass_id: str, compound: str, gate: str, isolating: bool, now: datetime) -> None:
    conn.execute(sa.update(passes).where(passes.c.id == pass_id).values(isolating=isolating))
    versions.bump(conn, compound)
    audit.note(conn, audit.SYSTEM, "change", "pass", pass_id, {"fields": ["isolating"], "gate": gate}, at=now)


def _is_of(gate: str) -> sa.ColumnElement[bool]:
    """A gate speaks for passes of its own compound alone."""
    return passes.c.compound == sa.select(gates.c.compound).where(gates.c.id == gate).scalar_subquery()


def _entry(text: str | None) -> Entry | None:
    try:
        body = decode_event(text.encode()).body if text is not None else None
    except BadMessage:
        return None
    return body if isinstance(body, Entry) else None
