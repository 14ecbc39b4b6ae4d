"""The version of each compound's directory: raised in the transaction of whatever changes what the stations are told."""

import sqlalchemy as sa

from hub.store.meta import put
from hub.store.tables import compounds, meta

_PREFIX = "directory:"


def bump(conn: sa.Connection, compound: str) -> None:
    """Raise the directory's version by one; the publisher sends it once the transaction is committed."""
    key = _PREFIX + compound
    raised = sa.cast(sa.cast(meta.c.value, sa.BigInteger) + 1, sa.Text)
    if conn.execute(sa.update(meta).where(meta.c.key == key).values(value=raised)).rowcount == 0:
        conn.execute(sa.insert(meta).values(key=key, value="1"))


def bump_all(conn: sa.Connection) -> None:
    """Raise every compound's version: a change that concerns all, such as a new key."""
    for compound in conn.scalars(sa.select(compounds.c.id)).all():
        bump(conn, compound)


def raise_all(conn: sa.Connection, least: int) -> None:
    """Raise every compound's version to `least` at least: after a restore, past all that was published since the backup."""
    for compound, known in versions(conn).items():
        put(conn, _PREFIX + compound, str(max(least, known + 1)))


def version_of(conn: sa.Connection, compound: str) -> int:
    """The directory's version; 0 before the first change."""
    value = conn.scalar(sa.select(meta.c.value).where(meta.c.key == _PREFIX + compound))
    return int(value or 0)


def versions(conn: sa.Connection) -> dict[str, int]:
    """Compound → version, for every compound of the registry."""
    rows = conn.execute(sa.select(meta).where(meta.c.key.startswith(_PREFIX, autoescape=True)))
    known = {key.removeprefix(_PREFIX): int(value) for key, value in rows}
    return {compound: known.get(compound, 0) for compound in conn.scalars(sa.select(compounds.c.id))}
