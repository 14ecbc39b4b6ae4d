"""Who opens a compound's sealed parts, and under which content key: a new one once a badge that had it counts no more.

The key is random and kept encrypted by the hub's vault (`hub.vault`), beside the badges that it was wrapped for last. So a store
that is restored from a backup never gives a key out again that a badge revoked since has seen.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from contract.codec import decoder, encode
from contract.directory import Directory
from contract.opening import KEY_BYTES, seal_parts
from contract.passes import BADGES
from contract.sealing import b64, unb64
from hub.registry.errors import RegistryError
from hub.store import meta
from hub.store.tables import keys, passes
from hub.vault import Vault, is_sealed, vault_in

_PREFIX, _USE = "content_key:", "content"


class ContentKey(msgspec.Struct, frozen=True, kw_only=True):
    """A compound's content key as it is kept."""

    kid: str
    stored: str
    """base64url; encrypted where there is a vault."""
    members: dict[str, str]
    """Badge id → public half of its opening key: of those that it was wrapped for last."""


def seal(conn: sa.Connection, compound: str, whole: Directory, now: datetime) -> Directory:
    """The directory with what tells people sealed for the badges that are good `now`. Raises `RegistryError` without the vault's
    secret."""
    members = openers(conn, compound, now)
    kid, content = _content_key(conn, compound, members)
    return seal_parts(whole, compound, kid, content, members)


def openers(conn: sa.Connection, compound: str, now: datetime) -> dict[str, str]:
    """Badge id → public half of its opening key, of a compound's badges that are good `now` and have one."""
    good = sa.and_(passes.c.compound == compound, passes.c.expires > now, passes.c.revoked_at.is_(None))
    badges = passes.c.kind.in_([kind.value for kind in BADGES])
    query = sa.select(passes.c.id, passes.c.opens).where(good, badges, passes.c.opens.is_not(None)).order_by(passes.c.id)
    return {row.id: row.opens for row in conn.execute(query)}


def _content_key(conn: sa.Connection, compound: str, members: Mapping[str, str]) -> tuple[str, bytes]:
    """The key in force, or a new one where somebody who had it has gone; who has it now is noted."""
    value = meta.get(conn, _PREFIX + compound)
    known: ContentKey | None = _decode(value.encode()) if value is not None else None
    content = _raw(conn, known) if known is not None and not _gone(known.members, members) else None
    if known is not None and content is not None and known.members == members:
        return known.kid, content
    kid = known.kid if known is not None and content is not None else f"c{secrets.token_hex(4)}"
    content = content or os.urandom(KEY_BYTES)
    vault = _vault(conn)
    stored = content if vault is None else vault.seal(kid, _USE, content)
    kept = ContentKey(kid=kid, stored=b64(stored), members=dict(members))
    meta.put(conn, _PREFIX + compound, encode(kept).decode())
    return kid, content


def _gone(had: Mapping[str, str], have: Mapping[str, str]) -> bool:
    """Whether somebody had the key who should not have the next: revoked, expired, or with another PIN."""
    return any(have.get(badge) != opens for badge, opens in had.items())


def _vault(conn: sa.Connection) -> Vault | None:
    """The vault, in a store whose other keys lie in it too; one that `hub init` has not encrypted yet has no secret."""
    vault = vault_in(conn)
    return vault if vault is not None and any(map(is_sealed, conn.scalars(sa.select(keys.c.private)))) else None


def _raw(conn: sa.Connection, known: ContentKey) -> bytes | None:
    """The raw key; None for one that lies unencrypted in a store that has a vault now, or under a secret that was another for a
    while: a new one takes its place, and nothing is lost with it."""
    stored, vault = unb64(known.stored), _vault(conn)
    if vault is None:
        return None if is_sealed(stored) else stored
    try:
        return vault.open(known.kid, _USE, stored) if is_sealed(stored) else None
    except RegistryError:
        return None


_decode: Callable[[bytes], Any] = decoder(ContentKey)
