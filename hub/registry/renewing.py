"""A pass renewed: a new one for the same holder, and the old one revoked in the same moment."""

from datetime import datetime

import sqlalchemy as sa

from hub.config import Located
from hub.registry import passes, photos
from hub.registry.errors import RegistryError
from hub.registry.passes import IssuedPass
from hub.store.supervision import rota
from hub.store.tables import photos as pictures


def renew(
    conn: sa.Connection, located: Located, pass_id: str, *, by: str, now: datetime, days: int | None = None,
    pin: str | None = None,
) -> IssuedPass:  # fmt: skip
    """Issue a pass to the holder of another one and revoke that. Colour, isolating, photo, and a badge's shifts to come go
    with the holder; a badge needs a PIN anew, since what is kept of it is bound to the old code. Raises `RegistryError`."""
    old = passes.find(conn, pass_id)
    if old.revoked_at is not None:
        raise RegistryError(f"pass {old.id} is revoked: issue a new one")
    made = passes.issue(
        conn, located, kind=old.kind, compound=old.compound, name=old.masked_name, dwelling=old.dwelling, plate=old.plate,
        days=days, pin=pin, by=by, at=now,
    )  # fmt: skip
    if old.colour is not None:
        passes.set_colour(conn, made.id, old.colour)
    if old.isolating:
        passes.set_isolating(conn, made.id, True)
    jpeg = conn.scalar(sa.select(pictures.c.jpeg).where(pictures.c.pass_id == old.id))
    if jpeg is not None:
        photos.put_photo(conn, made.id, jpeg, by)
    conn.execute(sa.update(rota).where(rota.c.badge == old.id, rota.c.ends > now).values(badge=made.id))
    passes.revoke(conn, old.id, by, now)
    return passes.find(conn, made.id)
