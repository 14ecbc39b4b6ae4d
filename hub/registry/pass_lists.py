"""Passes found again: by what is known of the holder, by compound and building, a page at a time."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from contract.passes import PREFIX, PassKind
from hub.registry.dwellings import natural, parse
from hub.registry.masking import mask
from hub.registry.passes import IssuedPass, is_somebodys
from hub.rights import Reach
from hub.store.tables import passes as table

STATES = ("good", "expired", "revoked")
MOST_DOORS = 20_000
"""Passes of one compound that are looked through for its buildings."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which passes; what is empty does not matter. `text`: of name, dwelling, plate, id or the code itself."""

    compound: str = ""
    kind: str = ""
    state: str = ""
    text: str = ""


def page(
    conn: sa.Connection, reach: Reach, wanted: Wanted, now: datetime, limit: int, offset: int = 0
) -> tuple[list[IssuedPass], int]:
    """So many passes in reach, the newest first, and how many there are of them altogether."""
    where = [_within(reach), is_somebodys(), *_state(wanted.state, now), *_text(wanted.text)]
    where += [table.c.compound == wanted.compound] if wanted.compound else []
    where += [table.c.kind == wanted.kind] if wanted.kind else []
    total = conn.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0
    query = sa.select(table).where(*where).order_by(table.c.issued_at.desc(), table.c.id).limit(limit).offset(offset)
    return [record(row) for row in conn.execute(query)], total


def chosen(conn: sa.Connection, reach: Reach, ids: Sequence[str], now: datetime) -> list[IssuedPass]:
    """Those of these passes that are in reach and good, in the order asked for."""
    query = sa.select(table).where(_within(reach), is_somebodys(), table.c.id.in_(ids), *_state("good", now))
    known = {row.id: record(row) for row in conn.execute(query)}
    return [known[id] for id in dict.fromkeys(ids) if id in known]


def of_building(conn: sa.Connection, compound: str, building: str, kind: str, now: datetime) -> list[IssuedPass]:
    """The good passes of a compound, or of one building of it, of a kind or of all, by building and room."""
    where = [table.c.compound == compound, is_somebodys(), *_state("good", now)]
    where += [table.c.kind == kind] if kind else []
    query = sa.select(table).where(*where).order_by(table.c.issued_at.desc(), table.c.id).limit(MOST_DOORS)
    found = [(parse(row.dwelling), record(row)) for row in conn.execute(query)]
    mine = [(door, one) for door, one in found if not building or door[0] == building]
    return [one for _, one in sorted(mine, key=lambda d: (natural(d[0][0]), natural(d[0][1]), d[1].masked_name, d[1].id))]


def buildings(conn: sa.Connection, compound: str, now: datetime) -> list[tuple[str, int]]:
    """The buildings of a compound that good passes name, as people count them, with how many passes each."""
    where = (table.c.compound == compound, table.c.dwelling != "", *_state("good", now))
    query = sa.select(table.c.dwelling, sa.func.count()).where(*where)
    found: dict[str, int] = {}
    for dwelling, number in conn.execute(query.group_by(table.c.dwelling).limit(MOST_DOORS)):
        name = parse(dwelling)[0]
        found[name] = found.get(name, 0) + number
    return sorted(found.items(), key=lambda one: natural(one[0]))


def record(row: sa.Row[tuple[object, ...]]) -> IssuedPass:
    """A row of the table as a pass."""
    known = dict(row._mapping)
    fields = {name: known[name] for name in IssuedPass.__struct_fields__ if name in known and name != "kind"}
    return IssuedPass(**fields, kind=PassKind(str(known["kind"])), masked_name=str(known["name"]))


def _within(reach: Reach) -> sa.ColumnElement[bool]:
    return sa.true() if reach is None else table.c.compound.in_(sorted(reach))


def _state(state: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    if state == "revoked":
        return [table.c.revoked_at.is_not(None)]
    if state == "expired":
        return [table.c.revoked_at.is_(None), table.c.expires <= now]
    return [table.c.revoked_at.is_(None), table.c.expires > now] if state == "good" else []


def _text(text: str) -> list[sa.ColumnElement[bool]]:
    """A whole name finds its masked one: only that is kept."""
    if not text.strip():
        return []
    if text.startswith(PREFIX):
        return [table.c.token == text]
    text = text.strip()
    part = [column.contains(text, autoescape=True) for column in (table.c.name, table.c.dwelling, table.c.plate)]
    return [sa.or_(*part, table.c.name == mask(text), table.c.id.startswith(text.lower(), autoescape=True))]
