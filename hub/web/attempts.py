"""Slows down guessing. Wrong passwords are counted in the store, so that every process knows them and a restart forgets none.

One account from one address: five wrong passwords cost a minute's wait, and each further one doubles it, up to an hour.
One account from anywhere: twenty (of all addresses from which one came within the hour) close it for a quarter of an hour
to addresses it never signed in from, as the audit log tells: no stranger locks out whoever signs in from where they always do.
Whether an account is there makes no difference. What is a day old is removed.
"""

from datetime import datetime, timedelta
from math import ceil

import sqlalchemy as sa

from hub.store.supervision import audit, failures
from hub.store.writing import upsert

FREE = 5
"""Wrong passwords for one account from one address that cost at most a minute."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
CLOSING, WITHIN, CLOSED_FOR = 20, timedelta(hours=1), timedelta(minutes=15)
"""So many wrong passwords from anywhere, so recently, close an account to strangers for so long."""
KEPT = timedelta(days=1)
MOST = 10_000
"""Rows that are kept at most; the oldest make way."""
SIGNED_IN = "sign_in"
"""The audit log's action for a sign-in."""
_LOCK = 0x7472_6965
"""The number of PostgreSQL's advisory lock: tries are counted one after another."""


def pause(count: int) -> timedelta:
    """How long after the last of so many wrong passwords in a row the next may be tried.

    >>> [pause(count).seconds for count in (4, 5, 6, 10, 11)]
    [0, 60, 120, 1920, 3600]
    """
    if count < FREE:
        return timedelta()
    doubled: int = 2 ** min(count - FREE, 10)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)


def claim(conn: sa.Connection, account: str, address: str, now: datetime) -> int:
    """Ask for one try at a password: 0 grants it, else the whole seconds to wait.

    A try counts as wrong until `succeeded`, so that many at once are no more than many in a row. Needs a write transaction.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    _forget(conn, now)
    seconds = wait_seconds(conn, account, address, now)
    if not seconds:
        row = {"account": account, "address": address, "count": _count(conn, account, address) + 1, "last_at": now}
        upsert(conn, failures, [row])
    return seconds


def succeeded(conn: sa.Connection, account: str, address: str) -> None:
    """The password was right: forget what went wrong for this account from this address."""
    conn.execute(sa.delete(failures).where(*_of(account, address)))


def wait_seconds(conn: sa.Connection, account: str, address: str, now: datetime) -> int:
    """Whole seconds until this account may be tried again from this address; 0: now."""
    return max(_own_wait(conn, account, address, now), _closed(conn, account, address, now))


def _own_wait(conn: sa.Connection, account: str, address: str, now: datetime) -> int:
    known = conn.execute(sa.select(failures.c.count, failures.c.last_at).where(*_of(account, address))).first()
    if known is None:
        return 0
    count, last = known
    return _left(last, pause(count), now)


def _closed(conn: sa.Connection, account: str, address: str, now: datetime) -> int:
    recent = sa.and_(failures.c.account == account, failures.c.last_at > now - WITHIN)
    count, last = conn.execute(sa.select(sa.func.sum(failures.c.count), sa.func.max(failures.c.last_at)).where(recent)).one()
    if last is None or count < CLOSING or _signed_in_from(conn, account, address):
        return 0
    return _left(last, CLOSED_FOR, now)


def _signed_in_from(conn: sa.Connection, account: str, address: str) -> bool:
    before = (audit.c.account == account, audit.c.action == SIGNED_IN, audit.c.address == address)
    return conn.scalar(sa.select(audit.c.id).where(*before).limit(1)) is not None


def _left(last: datetime, wait: timedelta, now: datetime) -> int:
    """What is left of a wait; never more than the wait, though the clock was set back."""
    return max(0, ceil(min(last + wait - now, wait).total_seconds()))


def _count(conn: sa.Connection, account: str, address: str) -> int:
    return conn.scalar(sa.select(failures.c.count).where(*_of(account, address))) or 0


def _of(account: str, address: str) -> tuple[sa.ColumnElement[bool], ...]:
    return failures.c.account == account, failures.c.address == address


def _forget(conn: sa.Connection, now: datetime) -> None:
    newest = sa.select(failures.c.last_at).order_by(failures.c.last_at.desc()).offset(MOST).limit(1)
    too_old = conn.scalar(newest)
    kept_from = now - KEPT if too_old is None else max(now - KEPT, too_old)
    conn.execute(sa.delete(failures).where(failures.c.last_at <= kept_from))
