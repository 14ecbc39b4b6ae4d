"""Holders' photos, so that a borrowed pass shows at the gate: small JPEGs, told to the stations of the compound alone."""

import base64
from datetime import UTC, datetime

import sqlalchemy as sa

from contract.directory import Faces
from contract.passes import PassKind
from hub.registry import versions
from hub.registry.errors import RegistryError
from hub.registry.passes import IssuedPass, find
from hub.store.tables import passes
from hub.store.tables import photos as table
from hub.store.writing import upsert

MOST_BYTES = 12_000
"""Of one photo: 16,000 characters as base64, which is what the contract allows."""
MOST_FACES = 2000
"""Faces of one compound that its stations are told, the newest: some 12 MB at the usual 4.5 KB each."""


def put_photo(conn: sa.Connection, pass_id_or_token: str, jpeg: bytes, by: str) -> IssuedPass:
    """Keep a photo of a pass's holder in place of an earlier one. `jpeg`: see `hub.portrait`. Raises `RegistryError`."""
    known = find(conn, pass_id_or_token)
    if known.kind is PassKind.VEHICLE:
        raise RegistryError(f"pass {known.id} is a vehicle's: it has no holder to picture")
    if known.revoked_at is not None:
        raise RegistryError(f"pass {known.id} is revoked: issue a new one first")
    if len(jpeg) > MOST_BYTES:
        raise RegistryError(f"a photo of {len(jpeg)} bytes: {MOST_BYTES} at most")
    upsert(conn, table, [{"pass_id": known.id, "jpeg": jpeg, "added_at": datetime.now(UTC), "added_by": by}])
    versions.bump(conn, known.compound)
    return known


def remove_photo(conn: sa.Connection, pass_id_or_token: str) -> IssuedPass:
    """Forget the photo of a pass's holder. Raises `RegistryError` when there is none."""
    known = find(conn, pass_id_or_token)
    if conn.execute(sa.delete(table).where(table.c.pass_id == known.id)).rowcount == 0:
        raise RegistryError(f"pass {known.id} has no photo")
    versions.bump(conn, known.compound)
    return known


def faces(conn: sa.Connection, compound: str, now: datetime) -> Faces:
    """The newest photos of a compound's passes that are good now."""
    good = sa.and_(passes.c.compound == compound, passes.c.expires > now, passes.c.revoked_at.is_(None))
    query = sa.select(table.c.pass_id, table.c.jpeg).join(passes, passes.c.id == table.c.pass_id).where(good)
    rows = conn.execute(query.order_by(table.c.added_at.desc(), table.c.pass_id).limit(MOST_FACES)).all()
    return Faces(faces={row.pass_id: base64.b64encode(row.jpeg).decode() for row in sorted(rows, key=lambda r: str(r.pass_id))})
