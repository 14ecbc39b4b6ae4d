"""A seeded sub-district: 123 compounds, about 300 gates, 60,000 holders and 14 days behind them, made by the hub's own rules.

The days are told gate by gate: who came when, what was missing from when until when, when nobody heard the station. Whether that
made a gate non-compliant is judged by `hub.rules.compliance`, as for a real one. The same seed tells the same story.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from hub.config import Located
from hub.demo.district import days, households, places
from hub.registry import accounts, keys
from hub.rights import Role, Scope, ScopeKind

__all__ = ["Size", "seed_district"]


@dataclass(frozen=True)
class Size:
    """How large, and how long ago it begins."""

    compounds: int = 123
    holders: int = 60_000
    days: int = 14
    entries_a_day: int = 40
    """At an average gate."""


def seed_district(
    engine: sa.Engine, located: Located, size: Size, *, now: datetime | None = None, seed: int = 20200226
) -> dict[str, int]:
    """Fill an empty store that is up to date; returns how many of each there are. Takes minutes at full size."""
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        district = places.make(conn, size.compounds, now, seed)
        _accounts(conn, district)
    with engine.begin() as conn:
        badges = households.make(conn, located, district, size.holders, now, seed)
    with engine.begin() as conn:
        told = days.tell(conn, located, district, badges, days=size.days, entries_a_day=size.entries_a_day, now=now, seed=seed)
    return {"compounds": len(district.compounds), "gates": len(district.gates), "holders": size.holders, **told}


def _accounts(conn: sa.Connection, district: places.District) -> None:
    for number, (area, _) in enumerate(district.areas, 1):
        scope = (Scope(ScopeKind.AREA, area),)
        accounts.add_account(conn, f"du{number}", f"督查员{number}", Role.SUPERVISOR, scopes=scope)
        accounts.add_account(conn, f"cha{number}", f"督查组{number}", Role.INSPECTOR)
    for compound in district.compounds[:: max(len(district.compounds) // 40, 1)]:
        accounts.add_account(
            conn, f"lian-{compound.id}", compound.liaison, Role.LIAISON, scopes=(Scope(ScopeKind.COMPOUND, compound.id),)
        )
