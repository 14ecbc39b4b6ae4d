"""A key's life: made, certified by the offline root, told to the stations, used, old, retired."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from contract.certifying import Certificate, KeyUse, Refused, check, read
from contract.passes import beginning
from hub.registry import keys, versions
from hub.registry.errors import RegistryError
from hub.registry.keys import Key, Waits
from hub.store.tables import keys as table
from hub.store.tables import passes

RENEW = timedelta(days=60)
"""A certificate that ends sooner than this is to be renewed."""


class Stage(StrEnum):
    """Where a key stands in its life."""

    COMING = "coming"
    IN_USE = "in use"
    OLD = "old"
    """Nothing is made with it any more; what was still holds."""
    RETIRED = "retired"


def stage(key: Key, all_keys: Iterable[Key], now: datetime) -> Stage:
    """Where a key stands among all keys, which are given newest first."""
    if key.retired_at is not None:
        return Stage.RETIRED
    used = keys.in_use([one for one in all_keys if one.use is key.use], now)
    if used is not None and used.kid == key.kid:
        return Stage.IN_USE
    return Stage.OLD if key.is_usable(now) else Stage.COMING


def rotate(conn: sa.Connection, use: KeyUse, now: datetime, *, at_once: bool = False) -> Key:
    """Make a newer key. It is used once it is certified, where the present one is, and has been told to the stations for a time.

    Stations seal to a sealing key as soon as they hear of it: older ones still open. `at_once`: one that is coming, or else a new
    one, is used from now on. Raises `RegistryError`.
    """
    found = keys.list_keys(conn, use)
    coming = next((key for key in found if not key.is_usable(now)), None)
    if coming is not None:
        return _hurried(conn, coming, now, at_once)
    if keys.current(conn, use, now).certificate:
        if at_once:
            raise RegistryError(
                f"the key in use for {use} is certified, and stations would keep out one that is not: "
                "leave --now away, then certify the new one and give --now to `hub key install`"
            )
        return keys.make_key(conn, use, Waits.CERTIFICATE)
    return keys.make_key(conn, use, None if at_once or use is KeyUse.SEALING else Waits.STATIONS)


def _hurried(conn: sa.Connection, coming: Key, now: datetime, at_once: bool) -> Key:
    if coming.waits is Waits.CERTIFICATE:
        raise RegistryError(f"key {coming.kid} is coming already: it waits for its certificate (`hub key request`)")
    if not at_once:
        raise RegistryError(f"key {coming.kid} is coming already: see `hub key list`, or use it at once with --now")
    keys.set_begin(conn, coming.kid, now)
    versions.bump_all(conn)
    return keys.require(conn, coming.kid)


def waiting_for_stations(conn: sa.Connection) -> list[str]:
    """The keys that wait until the directory of every compound has been published with them."""
    return [key.kid for key in keys.list_keys(conn) if key.waits is Waits.STATIONS]


def published(conn: sa.Connection, kids: Iterable[str], now: datetime, overlap: timedelta) -> None:
    """Every directory was published with these keys: those that still wait are used from `overlap` later on."""
    still = set(waiting_for_stations(conn))
    for kid in still.intersection(kids):
        keys.set_begin(conn, kid, now + overlap)


def to_certify(conn: sa.Connection, now: datetime) -> list[Key]:
    """The keys that have no certificate, or one that ends within `RENEW`."""
    return [key for key in keys.list_keys(conn) if ends_soon(key, now) or not key.certificate]


def ends_soon(key: Key, now: datetime) -> bool:
    """Whether a key's certificate is to be renewed."""
    return bool(key.certificate) and key.not_after is not None and key.not_after <= now + RENEW


def install(
    conn: sa.Connection, certificates: Iterable[str], roots: Collection[bytes], now: datetime, *, at_once: bool = False
) -> list[Key]:
    """Put certificates to their keys, all or none; returns the keys. `at_once`: one that waited for its own is used from now on.

    Raises `RegistryError` for one that does not hold by `roots`, or is older than the one there is.
    """
    installed = [_install(conn, token, roots, now, at_once) for token in certificates]
    versions.bump_all(conn)
    return [keys.require(conn, kid) for kid in installed]


def _install(conn: sa.Connection, token: str, roots: Collection[bytes], now: datetime, at_once: bool) -> str:
    found = read(token, roots)
    if isinstance(found, Refused):
        raise RegistryError(f"a certificate was not taken, nor any other: {found.detail}")
    key = keys.require(conn, found.kid)
    refused = check(found, key.kid, key.use, key.public, now)
    if refused is not None:
        raise RegistryError(f"key {key.kid}: {refused.detail}; no certificate was taken")
    before = read(key.certificate, roots)
    if isinstance(before, Certificate) and before.serial > found.serial:
        raise RegistryError(f"key {key.kid}: it has a newer certificate than this one; no certificate was taken")
    values = {"certificate": token, "not_after": found.not_after}
    conn.execute(sa.update(table).where(table.c.kid == key.kid).values(**values))
    if key.waits is Waits.CERTIFICATE:
        keys.set_begin(conn, key.kid, now if at_once or key.use is KeyUse.SEALING else Waits.STATIONS)
    return key.kid


def retire(conn: sa.Connection, kid: str, now: datetime, overlap: timedelta, *, anyway: bool = False) -> Key:
    """Put a key out of use. Raises `RegistryError` while something made with it is in use, unless `anyway`."""
    key = keys.require_spare(conn, kid, now)
    used = None if anyway else still_used(conn, key, now, overlap)
    if used is not None:
        raise RegistryError(f"key {kid} is still needed: {used}; --anyway retires it all the same")
    keys.retire(conn, kid, now)
    return key


def still_used(conn: sa.Connection, key: Key, now: datetime, overlap: timedelta) -> str | None:
    """What made with a key is still in use, in words; None: nothing. A retired sealing key still opens what was sealed to it."""
    if key.use is KeyUse.PASSES:
        return _passes_of(conn, key, now)
    if key.use is KeyUse.MESSAGES:
        return _messages_of(conn, key, now, overlap)
    return None


def _passes_of(conn: sa.Connection, key: Key, now: datetime) -> str | None:
    theirs = passes.c.token.startswith(beginning(key.kid), autoescape=True)
    query = sa.select(sa.func.count(), sa.func.max(passes.c.expires)).where(
        theirs, passes.c.expires > now, passes.c.revoked_at.is_(None)
    )
    count, until = conn.execute(query).one()
    return f"{count} passes signed with it are valid, the last until {until:%Y-%m-%d}" if count else None


def _messages_of(conn: sa.Connection, key: Key, now: datetime, overlap: timedelta) -> str | None:
    """A station that was off meanwhile still holds by it what it was told last, and must know the next before this one goes."""
    found = keys.list_keys(conn, KeyUse.MESSAGES)
    used = keys.in_use(found, now)
    if used is None or used.kid == key.kid or not key.is_usable(now):
        return None
    since = used.begins or used.created_at
    until = since + overlap
    told = f"{used.kid} took its place {since:%Y-%m-%d %H:%M}; until {until:%Y-%m-%d %H:%M} stations may have to learn of it"
    return told if now < until else None
