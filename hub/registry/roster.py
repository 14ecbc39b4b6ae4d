"""名册: who lives or works behind which door, for those who come without a card."""

from collections import defaultdict
from datetime import datetime

import sqlalchemy as sa

from contract.directory import Dwelling, Roster, RosterHolder
from hub.registry.dwellings import natural, parse
from hub.registry.passes import ROSTERED
from hub.store.tables import passes

MOST_HOLDERS = 20_000
"""Holders of one compound in its roster, the newest passes: some 1.5 MB. The largest compound we know of has 6,258 residents."""

_Door = tuple[str, str]


def build(conn: sa.Connection, compound: str, now: datetime) -> Roster:
    """Whoever holds a resident's or worker's pass that is good now, by building and room as people count them."""
    good = sa.and_(passes.c.compound == compound, passes.c.expires > now, passes.c.revoked_at.is_(None))
    query = sa.select(passes.c.id, passes.c.name, passes.c.dwelling).where(
        good, passes.c.kind.in_([kind.value for kind in ROSTERED]), passes.c.dwelling != ""
    )
    behind: dict[_Door, list[RosterHolder]] = defaultdict(list)
    for row in conn.execute(query.order_by(passes.c.issued_at.desc(), passes.c.id).limit(MOST_HOLDERS)):
        behind[parse(row.dwelling)].append(RosterHolder(pass_id=row.id, name=row.name))
    doors = sorted((door for door in behind if door[0]), key=lambda door: (natural(door[0]), natural(door[1])))
    return Roster(
        dwellings=tuple(
            Dwelling(building=building, room=room, holders=tuple(sorted(behind[building, room], key=_by_name)))
            for building, room in doors
        )
    )


def _by_name(holder: RosterHolder) -> tuple[str, str]:
    return (holder.name, holder.pass_id)
