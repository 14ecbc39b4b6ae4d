"""The hub's keys: one use each, several of a use at once so that they can be rotated.

Private keys stand in the store as they are, in a file that only its owner can read (0600). Encryption at rest is a later issue.
"""

import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.directory import Keys, PassKey
from contract.sealing import b64
from hub.registry import versions
from hub.registry.errors import RegistryError
from hub.store.tables import keys as table


class KeyUse(StrEnum):
    """What a key is for: signing passes, signing messages to the stations, opening what they seal."""

    PASSES = "passes"
    MESSAGES = "messages"
    SEALING = "sealing"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key pair as raw bytes, 32 each: X25519 for sealing, else Ed25519."""

    kid: str
    use: KeyUse
    public: bytes
    private: bytes
    created_at: datetime
    retired_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Key({self.kid}, {self.use})"


def make_key(conn: sa.Connection, use: KeyUse) -> Key:
    """Make a key, which from now on is the one in use; older ones stay good for what was made with them."""
    private: Ed25519PrivateKey | X25519PrivateKey
    private = X25519PrivateKey.generate() if use is KeyUse.SEALING else Ed25519PrivateKey.generate()
    key = Key(
        kid=f"{use[0]}{secrets.token_hex(2)}", use=use, public=private.public_key().public_bytes_raw(),
        private=private.private_bytes_raw(), created_at=datetime.now(UTC),
    )  # fmt: skip
    conn.execute(sa.insert(table).values(**msgspec.structs.asdict(key) | {"use": use.value}))
    if use is not KeyUse.MESSAGES:
        versions.bump_all(conn)
    return key


rotate = make_key
"""To rotate is to make a newer key, and to retire the old one when nothing made with it is still in use."""


def ensure_keys(conn: sa.Connection) -> list[Key]:
    """Make a key for each use that has none; returns those it made."""
    return [make_key(conn, use) for use in KeyUse if not list_keys(conn, use)]


def retire(conn: sa.Connection, kid: str) -> None:
    """Put a key out of use: a pass signed with it is no pass any more. Raises `RegistryError` for the last of its use."""
    key = next((k for k in list_keys(conn) if k.kid == kid), None)
    if key is None:
        raise RegistryError(f"no key {kid!r} is in use: see the list of keys")
    if len(list_keys(conn, key.use)) == 1:
        raise RegistryError(f"key {kid!r} is the only one for {key.use}: make a new one first")
    conn.execute(sa.update(table).where(table.c.kid == kid).values(retired_at=datetime.now(UTC)))
    versions.bump_all(conn)


def list_keys(conn: sa.Connection, use: KeyUse | None = None) -> list[Key]:
    """The keys in use, newest first; of one use or of all."""
    query = sa.select(table).where(table.c.retired_at.is_(None)).order_by(table.c.created_at.desc(), table.c.kid)
    if use is not None:
        query = query.where(table.c.use == use.value)
    return [_key(row) for row in conn.execute(query)]


def current(conn: sa.Connection, use: KeyUse) -> Key:
    """The newest key of a use. Raises `RegistryError` when there is none."""
    found = list_keys(conn, use)
    if not found:
        raise RegistryError(f"the store has no key for {use}: run `hub init`")
    return found[0]


def opening_key(conn: sa.Connection, kid: str) -> Key | None:
    """A sealing key by its id, a retired one too: what was sealed to it can still be opened."""
    row = conn.execute(sa.select(table).where(table.c.kid == kid, table.c.use == KeyUse.SEALING.value)).first()
    return None if row is None else _key(row)


def opening_keys(conn: sa.Connection) -> list[Key]:
    """Every sealing key, retired ones too, newest first: a sealed photo does not say which it was sealed to."""
    query = sa.select(table).where(table.c.use == KeyUse.SEALING.value).order_by(table.c.created_at.desc(), table.c.kid)
    return [_key(row) for row in conn.execute(query)]


def public_keys(conn: sa.Connection) -> Keys:
    """What the stations are told: every key that passes are verified with, and the one they seal to."""
    sealing = current(conn, KeyUse.SEALING)
    passes = tuple(PassKey(kid=key.kid, public=b64(key.public)) for key in list_keys(conn, KeyUse.PASSES))
    return Keys(passes=passes, sealing_kid=sealing.kid, sealing=b64(sealing.public))


def message_keys(conn: sa.Connection) -> dict[str, bytes]:
    """kid → public key of what the hub signs; it stands in each station's configuration."""
    return {key.kid: key.public for key in list_keys(conn, KeyUse.MESSAGES)}


def _key(row: sa.Row[Any]) -> Key:
    return Key(
        kid=row.kid, use=KeyUse(row.use), public=row.public, private=row.private,
        created_at=row.created_at, retired_at=row.retired_at,
    )  # fmt: skip
