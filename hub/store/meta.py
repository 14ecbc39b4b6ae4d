"""Single values of the store by name: its epoch, how well the hub hears, and a counter that says a page is out of date."""

from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa

from contract.five import Lifetimes
from hub.rules.compliance import Hearing
from hub.store.running import blindnesses
from hub.store.tables import meta
from hub.store.writing import upsert

STORE_EPOCH, CHANGES, ALIVE_AT = "store_epoch", "changes", "ingest_alive_at"
WEB_SECRET = "web_secret"
"""What sessions are signed with."""
BLIND_SINCE, BLIND_FROM, REGAINED_AT = "blind_since", "blind_from", "regained_at"
_APART = timedelta(seconds=Lifetimes().grace)
"""A hub that goes blind again before its stations had a grace to be heard in was blind all along, as far as they go."""


def get(connection: sa.Connection, key: str) -> str | None:
    """The value of a key, or None."""
    found: str | None = connection.scalar(sa.select(meta.c.value).where(meta.c.key == key))
    return found


def put(connection: sa.Connection, key: str, value: str | None) -> None:
    """Set a key; None removes it."""
    if value is None:
        connection.execute(sa.delete(meta).where(meta.c.key == key))
    else:
        upsert(connection, meta, [{"key": key, "value": value}])


def instant(connection: sa.Connection, key: str) -> datetime | None:
    """A key's value as a time (ISO 8601)."""
    value = get(connection, key)
    return None if value is None else datetime.fromisoformat(value)


def changes(connection: sa.Connection) -> int:
    """How often something worth showing has changed."""
    return int(get(connection, CHANGES) or 0)


def bump(connection: sa.Connection) -> None:
    """Say that something worth showing has changed; exact under concurrent writers."""
    raised = sa.cast(sa.cast(meta.c.value, sa.Integer) + 1, sa.Text)
    if connection.execute(sa.update(meta).where(meta.c.key == CHANGES).values(value=raised)).rowcount == 0:
        put(connection, CHANGES, "1")


def store_epoch(connection: sa.Connection) -> str:
    """Which life of the store this is; made on first use."""
    known = get(connection, STORE_EPOCH)
    if known is None:
        known = uuid4().hex
        put(connection, STORE_EPOCH, known)
    return known


def hearing(connection: sa.Connection) -> Hearing:
    """How well the hub hears."""
    return Hearing(
        blind_since=instant(connection, BLIND_SINCE),
        blind_from=instant(connection, BLIND_FROM),
        regained_at=instant(connection, REGAINED_AT),
    )


def went_blind(connection: sa.Connection, at: datetime) -> None:
    """The broker is lost since `at`; a blindness already noted keeps its beginning. Every one is kept: `hub.blindness`."""
    if get(connection, BLIND_SINCE) is None:
        put(connection, BLIND_SINCE, at.isoformat())
        upsert(connection, blindnesses, [{"began_at": at, "ended_at": None}])
        bump(connection)


def hears_again(connection: sa.Connection, at: datetime) -> None:
    """The broker is back: the blindness is over, and its beginning and end are kept."""
    since = instant(connection, BLIND_SINCE)
    if since is not None:
        put(connection, BLIND_FROM, _blind_from(connection, since).isoformat())
        put(connection, REGAINED_AT, at.isoformat())
        put(connection, BLIND_SINCE, None)
        lasting = sa.update(blindnesses).where(blindnesses.c.ended_at.is_(None))
        connection.execute(lasting.values(ended_at=at))
        bump(connection)


def _blind_from(connection: sa.Connection, since: datetime) -> datetime:
    before, regained = instant(connection, BLIND_FROM), instant(connection, REGAINED_AT)
    if before is None or regained is None or since - regained >= _APART:
        return since
    return min(before, since)
