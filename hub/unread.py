"""What stations said that could not be read: kept with its reason, and read again once this program can.

Two kinds. A *message* is a whole payload that was refused; nothing of it is stored, so a station goes on sending a batch until it
is. An *event* lies in its journal, acknowledged, with a body that could not be read. What only told of its own moment (a pulse, a
birth, a reply) is not read again: it would be taken for news.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
import sqlalchemy as sa

from contract import topics
from contract.messages import JournalBatch
from contract.topics import BadTopic, StationTopic
from hub.intake import Batch, Photo, Received, Refused, take
from hub.keeping import PAYLOAD_KEPT, Keeper
from hub.lines import UNREADABLE, Line, read_line
from hub.registry.errors import RegistryError
from hub.rules.compliance import Value
from hub.store import meta
from hub.store.tables import events, malformed

_CHANNELS = frozenset({StationTopic.JOURNAL, StationTopic.BLOB})
"""What is of use however late it comes."""
_STORED, _ASIDE = "stored", "set aside: "


class Sort(StrEnum):
    """Which of the two."""

    MESSAGE = "message"
    EVENT = "event"


class Unread(Value, frozen=True, kw_only=True):
    """One that could not be read."""

    id: str
    """`m` and a number, or `e`, the journal and the event's number."""
    sort: Sort
    station: str
    at: datetime
    """When it was received."""
    channel: str
    reason: str
    size: int
    """Bytes."""
    readable: bool
    """Whether reading it again can lead to anything."""


class Waiting(Value, frozen=True, kw_only=True):
    """How many wait to be looked at."""

    messages: int
    events: int


def waiting(conn: sa.Connection) -> Waiting:
    """How many wait."""
    return Waiting(messages=_count(conn, malformed.c.id, _open_messages()), events=_count(conn, events.c.id, _open_events()))


def listed(conn: sa.Connection, limit: int) -> list[Unread]:
    """Those that wait, events first, the newest of each first."""
    rows = sa.select(events).where(_open_events()).order_by(events.c.received_at.desc(), events.c.seq.desc()).limit(limit)
    found = [_event(row) for row in conn.execute(rows)]
    refused = sa.select(malformed).where(_open_messages()).order_by(malformed.c.id.desc()).limit(limit)
    return (found + [_message(row) for row in conn.execute(refused)])[:limit]


def content(conn: sa.Connection, id: str) -> bytes:
    """One as it came, of a long payload the beginning. Raises `RegistryError`."""
    row = _row(conn, id)
    kept: bytes = row.payload if id.startswith("m") else row.body.encode()
    return kept


def read_again(conn: sa.Connection, ids: Sequence[str], by: str, now: datetime) -> dict[str, str]:
    """Read some again, each by itself; returns why those that can't be read still can't. The caller commits, and judges later:
    what is new marks its gate's history. Raises `RegistryError` for an id that is not waiting."""
    rows = {id: _row(conn, id) for id in ids}
    failed = {}
    for id, row in rows.items():
        with conn.begin_nested():
            why = _read_message(conn, row, by, now) if id.startswith("m") else _read_event(conn, row, now)
        if why:
            failed[id] = why
    if len(failed) < len(rows):
        meta.bump(conn)
    return failed


def set_aside(conn: sa.Connection, id: str, reason: str, by: str, now: datetime) -> None:
    """Take one out of the list; what it is stays. Raises `RegistryError`."""
    row = _row(conn, id)
    if not reason.strip():
        raise RegistryError("say in a few words why it is set aside: somebody may ask")
    if id.startswith("m"):
        _settle(conn, row.id, by, now, _ASIDE + reason.strip()[:200])
    else:
        mine = sa.and_(events.c.journal == row.journal, events.c.seq == row.seq)
        conn.execute(sa.update(events).where(mine).values(error=_ASIDE + row.error[:900]))


def _open_messages() -> sa.ColumnElement[bool]:
    return malformed.c.settled_at.is_(None)


def _open_events() -> sa.ColumnElement[bool]:
    return sa.and_(events.c.kind == UNREADABLE, sa.not_(events.c.error.startswith(_ASIDE, autoescape=True)))


def _count(conn: sa.Connection, column: sa.ColumnElement[object], which: sa.ColumnElement[bool]) -> int:
    return conn.scalar(sa.select(sa.func.count(column)).where(which)) or 0


def _row(conn: sa.Connection, id: str) -> sa.Row[tuple[object, ...]]:
    first, _, number = id[1:].rpartition("/")
    which = None
    if id.startswith("m") and id[1:].isdecimal():
        which = sa.select(malformed).where(malformed.c.id == int(id[1:]), _open_messages())
    elif id.startswith("e") and number.isdecimal():
        which = sa.select(events).where(events.c.journal == first, events.c.seq == int(number), _open_events())
    row = conn.execute(which).first() if which is not None else None
    if row is None:
        raise RegistryError(f"{id[:80]!r} does not wait to be read: see `hub unread list`")
    return row


def _read_message(conn: sa.Connection, row: sa.Row[tuple[object, ...]], by: str, now: datetime) -> str:
    if not _readable(row):
        return "it told of its own moment, or was too long to be kept whole: set it aside"
    received = Received(topic=row.topic, payload=row.payload, at=row.received_at)
    taken = take(received)
    if isinstance(taken, Refused):
        return taken.reason
    if not isinstance(taken, Batch | Photo):
        return "it told of its own moment: set it aside"
    keeper = Keeper(conn)
    keeper.keep(taken, received)
    refused = keeper.finish().refused
    if refused:
        return refused[0].reason
    _settle(conn, row.id, by, now, _STORED)
    return ""


def _read_event(conn: sa.Connection, row: sa.Row[tuple[object, ...]], now: datetime) -> str:
    raw: bytes = row.body.encode()
    batch = JournalBatch(journal=row.journal, boot="", mono_ns=0, first_seq=row.seq, events=(msgspec.Raw(raw),))
    line = read_line(raw, row.seq, row.received_at, batch)
    if line.event is None:
        return line.error or ""
    if conn.scalar(sa.select(events.c.seq).where(events.c.station == row.station, events.c.id == line.id, _another(row))):
        return f"its station has stored event {line.id} already, under another number"
    _replace(conn, row, line, now)
    keeper = Keeper(conn)
    keeper.again(row.station, row.journal, line, now)
    keeper.finish()
    return ""


def _replace(conn: sa.Connection, row: sa.Row[tuple[object, ...]], line: Line, now: datetime) -> None:
    """The event takes its place. It counts as received now: what looks for news by that time finds it."""
    names = ("id", "at", "boot", "mono_ns", "clock", "kind", "body")
    values = {name: getattr(line, name) for name in names} | {"error": None, "received_at": now}
    conn.execute(sa.update(events).where(events.c.journal == row.journal, events.c.seq == row.seq).values(**values))


def _another(row: sa.Row[tuple[object, ...]]) -> sa.ColumnElement[bool]:
    return sa.or_(events.c.journal != row.journal, events.c.seq != row.seq)


def _settle(conn: sa.Connection, id: int, by: str, now: datetime, outcome: str) -> None:
    values = {"settled_at": now, "settled_by": by, "outcome": outcome}
    conn.execute(sa.update(malformed).where(malformed.c.id == id).values(**values))


def _channel(topic: str) -> str:
    try:
        return topics.parse(topic).channel
    except BadTopic:
        return ""


def _readable(row: sa.Row[tuple[object, ...]]) -> bool:
    return _channel(row.topic) in _CHANNELS and len(row.payload) < PAYLOAD_KEPT


def _message(row: sa.Row[tuple[object, ...]]) -> Unread:
    return Unread(
        id=f"m{row.id}", sort=Sort.MESSAGE, station=row.station, at=row.received_at, channel=_channel(row.topic) or row.topic,
        reason=row.reason, size=len(row.payload), readable=_readable(row),
    )  # fmt: skip


def _event(row: sa.Row[tuple[object, ...]]) -> Unread:
    return Unread(
        id=f"e{row.journal}/{row.seq}", sort=Sort.EVENT, station=row.station, at=row.received_at, channel=StationTopic.JOURNAL,
        reason=row.error or "", size=len(row.body.encode()), readable=True,
    )  # fmt: skip
