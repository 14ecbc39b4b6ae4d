"""How many residents limits on going out are for."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from contract.passes import PassKind
from hub.registry import colours
from hub.store.tables import passes


def residents(conn: sa.Connection, compounds: Collection[str], now: datetime) -> int:
    """The residents of these compounds whose passes are good at `now`, without those whose colour has no quota."""
    palette = colours.load(conn)
    mine = sa.and_(passes.c.compound.in_(sorted(compounds)), passes.c.kind == PassKind.RESIDENT.value)
    good = sa.and_(passes.c.revoked_at.is_(None), passes.c.expires > now)
    query = sa.select(passes.c.colour, sa.func.count()).where(mine, good).group_by(passes.c.colour)
    rules = [(palette.rule_of(colour), count) for colour, count in conn.execute(query)]
    return sum(count for rule, count in rules if rule is None or rule.quota)
