"""What is changed in a restored store so that stations and sessions take it for what it is: an older one in a new life."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from hub import audit
from hub.registry import accounts, keys, passes, versions
from hub.registry.errors import RegistryError
from hub.revocations import Ending, Logged, Revocation, Thing
from hub.signer import raise_counters
from hub.store import meta
from hub.store.joining import station_certificates as certificates
from hub.store.supervision import tokens
from hub.store.tables import accounts as accounts_table
from hub.store.tables import compounds, stations
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
    ended: tuple[Ending, ...] = ()
    """Accounts, tokens, keys and certificates put out of use again."""
    kept: tuple[Ending, ...] = ()
    """Those that can't be done without: the last administrator, a key that nothing has replaced in this store."""


def renew(conn: sa.Connection, now: datetime, made_at: datetime) -> None:
    """Begin a new life of the store: stations send again what it lacks, take its directories and messages for the newest, and
    nobody's session goes on."""
    ahead = int((now + AHEAD).timestamp() * 1_000_000)
    meta.put(conn, meta.STORE_EPOCH, uuid4().hex)
    versions.raise_all(conn, ahead)
    raise_counters(conn, ahead)
    meta.put(conn, meta.WEB_SECRET, None)
    audit.note(conn, BY, "restore", "store", "", {"day": made_at.isoformat(timespec="seconds")}, at=now)


def revoke_again(conn: sa.Connection, logged: Logged, made_at: datetime, now: datetime) -> Applied:
    """Put every revocation of a log in force that is not, as of when it was made; each is noted in the audit log.

    Of accounts, tokens, keys and certificates only what ended after the backup was made: before, some may have come back.
    """
    here = set(conn.scalars(sa.select(compounds.c.id)))
    first = {one.pass_id: one for one in reversed(logged.passes)}
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
    ended, kept = _end_again(conn, [one for one in logged.endings if one.at > made_at], now)
    return Applied(
        again=tuple(again), unknown=unknown, lost=lost, unreadable=logged.unreadable, ended=tuple(ended), kept=tuple(kept)
    )


def _end_again(conn: sa.Connection, since: Iterable[Ending], now: datetime) -> tuple[list[Ending], list[Ending]]:
    ended, kept = [], []
    for one in since:
        try:
            with conn.begin_nested():
                done = _END[one.what](conn, one)
        except RegistryError:
            kept.append(one)
            continue
        if done:
            audit.note(conn, BY, "revoke_again", one.what, one.id, at=now)
            ended.append(one)
    return ended, kept


def _end_account(conn: sa.Connection, one: Ending) -> bool:
    query = sa.select(accounts_table.c.id).where(accounts_table.c.id == one.id, accounts_table.c.disabled_at.is_(None))
    going = conn.scalar(query) is not None
    if going:
        accounts.disable(conn, one.id)
    return going


def _end_token(conn: sa.Connection, one: Ending) -> bool:
    going = sa.update(tokens).where(tokens.c.id == one.id, tokens.c.revoked_at.is_(None))
    return conn.execute(going.values(revoked_at=one.at)).rowcount > 0


def _end_key(conn: sa.Connection, one: Ending) -> bool:
    going = any(key.kid == one.id for key in keys.list_keys(conn))
    if going:
        keys.retire(conn, one.id, one.at)
    return going


def _end_certificate(conn: sa.Connection, one: Ending) -> bool:
    """Also one that was issued after the backup: the broker is to refuse it by its serial number."""
    values = {"revoked_at": one.at, "revoked_by": one.by or BY}
    row = conn.execute(sa.select(certificates.c.revoked_at).where(certificates.c.serial == one.id)).first()
    if row is not None:
        query = sa.update(certificates).where(certificates.c.serial == one.id, certificates.c.revoked_at.is_(None))
        return conn.execute(query.values(**values)).rowcount > 0
    if conn.scalar(sa.select(stations.c.id).where(stations.c.id == one.station)) is None:
        return False
    known = {"serial": one.id, "station": one.station, "pem": "", "issued_at": one.at, "not_after": one.at}
    conn.execute(sa.insert(certificates).values(**known, **values))
    return True


_END: dict[Thing, Callable[[sa.Connection, Ending], bool]] = {
    Thing.ACCOUNT: _end_account, Thing.TOKEN: _end_token, Thing.KEY: _end_key, Thing.CERTIFICATE: _end_certificate,
}  # fmt: skip


def _revoke(conn: sa.Connection, one: Revocation, *, known: bool) -> None:
    if not known:
        actor = one.by.startswith(passes.ACTOR)
        conn.execute(sa.insert(table).values(
            id=one.pass_id, kind=one.kind, compound=one.compound, name="*", token="", not_before=one.not_before,
            expires=one.expires, issued_at=one.not_before, issued_by=one.by if actor else BY,
        ))  # fmt: skip
    passes.revoke(conn, one.pass_id, one.by, one.at)
