"""The hub's keys: one use each, several of a use at once so that they can be rotated (`hub.registry.key_lives`).

Private keys are stored encrypted (`hub.vault`); one of before, stored as it is, is still read.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.certifying import KeyUse as KeyUse
from contract.directory import Keys, MessageKey, PassKey
from contract.sealing import b64
from hub import revocations
from hub.registry import versions
from hub.registry.errors import RegistryError
from hub.revocations import Ending, Thing
from hub.store import meta
from hub.store.tables import keys as table
from hub.store.tables import meta as meta_table
from hub.vault import Vault, is_sealed, vault_in

_BEGINS = "key_begins:"


class Waits(StrEnum):
    """What a new key waits for before the time of its use is set."""

    CERTIFICATE = "certificate"
    """It is not told to anybody yet: a station that trusts a root would keep it out."""
    STATIONS = "stations"
    """Until the directory of every compound has been published with it."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key pair; `public` is 32 raw bytes: X25519 for sealing, else Ed25519."""

    kid: str
    use: KeyUse
    public: bytes
    stored: bytes
    """The private half as it stands in the store."""
    vault: Vault | None = None
    created_at: datetime
    retired_at: datetime | None = None
    certificate: str = ""
    not_after: datetime | None = None
    """When its certificate ends."""
    waits: Waits | None = None
    begins: datetime | None = None
    """From when on it is used; None: at once."""

    @property
    def private(self) -> bytes:
        """The raw private half. Raises `RegistryError` when the hub's secret is missing or another."""
        if not is_sealed(self.stored):
            return self.stored
        if self.vault is None:
            raise RegistryError(f"key {self.kid} is encrypted, and this store was opened without its secret")
        return self.vault.open(self.kid, self.use, self.stored)

    def is_usable(self, now: datetime) -> bool:
        """Whether something may be made with it."""
        return self.retired_at is None and self.waits is None and (self.begins is None or self.begins <= now)

    def __repr__(self) -> str:
        return f"Key({self.kid}, {self.use})"


def make_key(conn: sa.Connection, use: KeyUse, waits: Waits | None = None) -> Key:
    """Make a key, used from now on unless it `waits`; older ones stay good for what was made with them."""
    private: Ed25519PrivateKey | X25519PrivateKey
    private = X25519PrivateKey.generate() if use is KeyUse.SEALING else Ed25519PrivateKey.generate()
    kid, raw, vault = f"{use[0]}{secrets.token_hex(2)}", private.private_bytes_raw(), vault_in(conn)
    stored = raw if vault is None else vault.seal(kid, use, raw)
    public, now = private.public_key().public_bytes_raw(), datetime.now(UTC)
    conn.execute(sa.insert(table).values(kid=kid, use=use.value, public=public, private=stored, created_at=now))
    if waits is not None:
        set_begin(conn, kid, waits)
    if waits is not Waits.CERTIFICATE:
        versions.bump_all(conn)
    return Key(kid=kid, use=use, public=public, stored=stored, vault=vault, created_at=now, waits=waits)


def ensure_keys(conn: sa.Connection) -> list[Key]:
    """Make a key for each use that has none; returns those it made."""
    return [make_key(conn, use) for use in KeyUse if not list_keys(conn, use)]


def set_begin(conn: sa.Connection, kid: str, begins: Waits | datetime | None) -> None:
    """Set what a key waits for, or when its use begins; None: at once."""
    value = begins.isoformat() if isinstance(begins, datetime) else begins and begins.value
    meta.put(conn, _BEGINS + kid, value)


def retire(conn: sa.Connection, kid: str, now: datetime | None = None) -> None:
    """Put a key out of use: a pass signed with it is no pass any more. Raises `RegistryError` for the one in use."""
    at = now or datetime.now(UTC)
    require_spare(conn, kid, at)
    conn.execute(sa.update(table).where(table.c.kid == kid).values(retired_at=at))
    revocations.note(conn, Ending(what=Thing.KEY, id=kid, at=at))
    set_begin(conn, kid, None)
    versions.bump_all(conn)


def require_spare(conn: sa.Connection, kid: str, now: datetime) -> Key:
    """A key that another stands beside or has taken the place of. Raises `RegistryError` for the one in use."""
    key = require(conn, kid)
    if len(list_keys(conn, key.use)) == 1:
        raise RegistryError(f"key {kid!r} is the only one for {key.use}: make a new one first")
    if current(conn, key.use, now).kid == kid:
        raise RegistryError(f"key {kid!r} is the one in use for {key.use}: another comes by `hub key rotate {key.use}`")
    return key


def require(conn: sa.Connection, kid: str) -> Key:
    """A key that is not retired. Raises `RegistryError`."""
    key = next((k for k in list_keys(conn) if k.kid == kid), None)
    if key is None:
        raise RegistryError(f"no key {kid[:64]!r} is in use: see `hub key list`")
    return key


def list_keys(conn: sa.Connection, use: KeyUse | None = None, *, retired: bool = False) -> list[Key]:
    """The keys that are not retired, newest first; of one use or of all. `retired`: those as well."""
    uses = [one.value for one in KeyUse if use in (None, one)]
    query = sa.select(table).where(table.c.use.in_(uses)).order_by(table.c.created_at.desc(), table.c.kid)
    if not retired:
        query = query.where(table.c.retired_at.is_(None))
    return _keys(conn, query)


def in_use(found: Sequence[Key], now: datetime) -> Key | None:
    """Of the keys of one use, newest first, the one to make things with: the newest whose time has come."""
    return next((key for key in found if key.is_usable(now)), None)


def current(conn: sa.Connection, use: KeyUse, now: datetime | None = None) -> Key:
    """The key of a use to make things with, `now` or at this moment. Raises `RegistryError` when there is none."""
    found = in_use(list_keys(conn, use), now or datetime.now(UTC))
    if found is None:
        raise RegistryError(f"the store has no key for {use}: run `hub init`")
    return found


def opening_key(conn: sa.Connection, kid: str) -> Key | None:
    """A sealing key by its id, a retired one too: what was sealed to it can still be opened."""
    return next((key for key in opening_keys(conn) if key.kid == kid), None)


def opening_keys(conn: sa.Connection) -> list[Key]:
    """Every sealing key, retired ones too, newest first: a sealed photo does not say which it was sealed to."""
    return list_keys(conn, KeyUse.SEALING, retired=True)


def public_keys(conn: sa.Connection) -> Keys:
    """What the stations are told: every key that passes and messages are verified with, and the one they seal to."""
    sealing = current(conn, KeyUse.SEALING)
    passes, messages = _told(conn, KeyUse.PASSES), _told(conn, KeyUse.MESSAGES)
    return Keys(
        passes=tuple(PassKey(kid=key.kid, public=b64(key.public), certificate=key.certificate) for key in passes),
        messages=tuple(MessageKey(kid=key.kid, public=b64(key.public), certificate=key.certificate) for key in messages),
        sealing_kid=sealing.kid, sealing=b64(sealing.public), sealing_certificate=sealing.certificate,
    )  # fmt: skip


def message_keys(conn: sa.Connection) -> dict[str, bytes]:
    """kid → public key of what the hub signs; it stands in each station's configuration."""
    return {key.kid: key.public for key in _told(conn, KeyUse.MESSAGES)}


def _told(conn: sa.Connection, use: KeyUse) -> list[Key]:
    return [key for key in list_keys(conn, use) if key.waits is not Waits.CERTIFICATE]


def any_sealed(conn: sa.Connection) -> bool:
    """Whether some key is encrypted already: then it has to be under the secret that there is."""
    return any(is_sealed(stored) for stored in conn.scalars(sa.select(table.c.private)))


def seal_all(conn: sa.Connection) -> list[str]:
    """Encrypt the keys of before that stand in the store as they are; returns their ids. Raises `RegistryError`, also for those
    that are encrypted under another secret than the one there is."""
    vault = vault_in(conn)
    if vault is None:
        raise RegistryError("this store was opened without its secret: no key can be encrypted")
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA secure_delete = ON")
    done = []
    for row in conn.execute(sa.select(table.c.kid, table.c.use, table.c.private)).all():
        if is_sealed(row.private):
            vault.open(row.kid, row.use, row.private)
            continue
        sealed = vault.seal(row.kid, row.use, row.private)
        conn.execute(sa.update(table).where(table.c.kid == row.kid).values(private=sealed))
        done.append(row.kid)
    return done


def _keys(conn: sa.Connection, query: sa.Select[Any]) -> list[Key]:
    vault = vault_in(conn)
    rows = conn.execute(sa.select(meta_table).where(meta_table.c.key.startswith(_BEGINS, autoescape=True)))
    waiting: dict[str, str] = {row.key: row.value for row in rows}
    return [_key(row, waiting.get(_BEGINS + row.kid), vault) for row in conn.execute(query)]


def _key(row: sa.Row[Any], begins: str | None, vault: Vault | None) -> Key:
    waits = Waits(begins) if begins in set(Waits) else None
    return Key(
        kid=row.kid, use=KeyUse(row.use), public=row.public, stored=row.private, vault=vault, created_at=row.created_at,
        retired_at=row.retired_at, certificate=row.certificate, not_after=row.not_after, waits=waits,
        begins=datetime.fromisoformat(begins) if begins and not waits else None,
    )  # fmt: skip
