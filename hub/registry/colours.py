"""七色管理 in the store: the sub-district's own colours, else those built in. Every change is told to all stations."""

from datetime import datetime

import sqlalchemy as sa

from contract.directory import ColourRule
from hub.registry import versions
from hub.registry.errors import RegistryError
from hub.rules.colouring import USUAL, Palette, is_sound, meanings
from hub.store import meta
from hub.store.supervision import colours as table
from hub.store.tables import passes

_DEFAULT = "default_colour"
"""The key of `hub.store.meta` that holds the default's id."""


def load(conn: sa.Connection) -> Palette:
    """The colours in force. Before the first change nothing is stored, and the built-in ones hold."""
    rows = conn.execute(sa.select(table).order_by(table.c.place, table.c.id)).all()
    if not rows:
        return USUAL
    rules = {r.id: ColourRule(label=r.label, gate=r.gate, quota=r.quota, ask_symptoms=r.ask_symptoms) for r in rows}
    return Palette(rules, meta.get(conn, _DEFAULT) or next(iter(rules)))


def labels(conn: sa.Connection) -> dict[str, str]:
    """Id → label, in order."""
    return load(conn).labels


def load_to_change(conn: sa.Connection) -> Palette:
    """The colours in force; nobody else changes them until this transaction ends, on PostgreSQL too."""
    meta.bump(conn)
    return load(conn)


def save(conn: sa.Connection, palette: Palette) -> None:
    """Put these colours in force, and tell every compound's stations. Raises `RegistryError`."""
    if not is_sound(palette):
        raise RegistryError("colours: each needs a label of its own and a rule, and the default must be one of them")
    for gone in load(conn).rules.keys() - palette.rules.keys():
        _require_unused(conn, gone)
    conn.execute(sa.delete(table))
    conn.execute(sa.insert(table), [
        {"id": id, "label": rule.label, "gate": rule.gate, "quota": rule.quota, "ask_symptoms": rule.ask_symptoms, "place": place}
        for place, (id, rule) in enumerate(palette.rules.items())
    ])  # fmt: skip
    meta.put(conn, _DEFAULT, palette.default)
    versions.bump_all(conn)


def find(conn: sa.Connection, said: str) -> str:
    """The id of the colour that is meant by an id or a label. Raises `RegistryError`."""
    known = labels(conn)
    found = meanings(known).get(said.strip().casefold())
    if found is None:
        listed = ", ".join(f"{id} ({label})" for id, label in known.items())
        raise RegistryError(f"colour {said[:60]!r}: it may be one of {listed}")
    return found


def holders(conn: sa.Connection, now: datetime) -> dict[str | None, int]:
    """Colour → passes that are good at `now`; None: those without one."""
    good = sa.and_(passes.c.revoked_at.is_(None), passes.c.expires > now)
    query = sa.select(passes.c.colour, sa.func.count()).where(good).group_by(passes.c.colour)
    return {row[0]: row[1] for row in conn.execute(query)}


def bearers(conn: sa.Connection, id: str) -> int:
    """How many passes have a colour, those too that have expired and may be renewed."""
    mine = sa.and_(passes.c.colour == id, passes.c.revoked_at.is_(None))
    return conn.scalar(sa.select(sa.func.count()).select_from(passes).where(mine)) or 0


def _require_unused(conn: sa.Connection, id: str) -> None:
    count = bearers(conn, id)
    if count:
        raise RegistryError(f"colour {id!r} is that of {count} passes: give them another first")
