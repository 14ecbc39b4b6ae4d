"""What is changed in a restored store so that stations and sessions take it for what it is: an older one in a new life."""

from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from hub import audit
from hub.registry import passes, versions
from hub.revocations import Revocation
from hub.signer import raise_counters
from hub.store import meta
from hub.store.tables import compounds
from hub.store.tables import passes as table

BY = "cli"
AHEAD = timedelta(days=1)
"""Versions and counters go on from here in microseconds: past whatever was published, also by a hub whose clock was a time zone
wrong. No hub changes a directory a million times a second."""
LISTED = timedelta(days=1)
"""For so long after it expired a revoked pass is still told to the stations, whose clocks may run behind."""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a log of revocations."""

    again: tuple[Revocation, ...] = ()
    """Revoked again."""
    unknown: int = 0
    """Of these, passes issued after the backup, which the store now knows by their id alone."""
    lost: int = 0
    """Of compounds that were added after the backup: their gates are gone from the store with them."""
    unreadable: int = 0


def renew(conn: sa.Connection, now: datetime, made_at: datetime) -> None:
    """Begin a new life of the store: stations send again what it lacks, take its directories and messages for the newest, and
    nobody's session goes on."""
    ahead = int((now + AHEAD).timestamp() * 1_000_000)
    meta.put(conn, meta.STORE_EPOCH, uuid4().hex)
    versions.raise_all(conn, ahead)
    raise_counters(conn, ahead)
    meta.put(conn, meta.WEB_SECRET, None)
    audit.note(conn, BY, "restore", "store", "", {"day": made_at.isoformat(timespec="seconds")}, at=now)


def revoke_again(conn: sa.Connection, logged: list[Revocation], unreadable: int, now: datetime) -> Applied:
    """Put every revocation of a log in force that is not, as of when it was made; each is noted in the audit log."""
    here = set(conn.scalars(sa.select(compounds.c.id)))
    first = {one.pass_id: one for one in reversed(logged)}
    again, unknown, lost = [], 0, 0
    for one in first.values():
        row = conn.execute(sa.select(table.c.revoked_at).where(table.c.id == one.pass_id)).first()
        if row is None and one.compound not in here:
            lost += 1
        elif (row is None and one.expires > now - LISTED) or (row is not None and row.revoked_at is None):
            unknown += row is None
            _revoke(conn, one, known=row is not None)
            audit.note(conn, BY, "revoke_again", "pass", one.pass_id, {"account": one.by}, at=now)
            again.append(one)
    return Applied(again=tuple(again), unknown=unknown, lost=lost, unreadable=unreadable)


def _revoke(conn: sa.Connection, one: Revocation, *, known: bool) -> None:
    if not known:
        actor = one.by.startswith(passes.ACTOR)
        conn.execute(sa.insert(table).values(
            id=one.pass_id, kind=one.kind, compound=one.compound, name="*", token="", not_before=one.not_before,
            expires=one.expires, issued_at=one.not_before, issued_by=one.by if actor else BY,
        ))  # fmt: skip
    passes.revoke(conn, one.pass_id, one.by, one.at)
