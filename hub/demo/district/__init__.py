"""A seeded sub-district: 123 compounds, about 300 gates, 60,000 holders and 14 days behind them, made by the hub's own rules.

The days are told gate by gate: who came when, what was missing from when until when, when nobody heard the station. Whether that
made a gate non-compliant, what was to be put right and what alarmed is judged by the hub's own rules, as for a real one, while a
clock is moved through the days. The same seed tells the same story.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from hub.config import Located
from hub.demo.district import households, office, past, places
from hub.registry import accounts, keys
from hub.rights import Role, Scope, ScopeKind
from hub.store import supervision, tables

__all__ = ["Size", "seed_district"]
SUPERVISORS = ("周建国", "吴敏", "徐磊", "孙静", "马志明", "胡丽")
INSPECTORS = ("高强", "林芳", "郭伟", "何晓燕", "罗小军", "梁雪梅")
_CACHE_KB = 200_000
"""Of SQLite's pages while it seeds: all of it is one transaction."""
WITHOUT = 25
"""Of so many compounds one has no liaison."""


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
        _accounts(conn, district, now)
    with engine.begin() as conn:
        badges = households.make(conn, located, district, size.holders, now, seed)
    with engine.begin() as conn:
        if engine.dialect.name == "sqlite":
            conn.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KB}")
        told = past.live(conn, located, district, badges, days=size.days, entries_a_day=size.entries_a_day, now=now, seed=seed)
    return {"compounds": len(district.compounds), "gates": len(district.gates), "holders": size.holders, **told}


def _accounts(conn: sa.Connection, district: places.District, now: datetime) -> None:
    """Supervisors of areas, inspectors, a liaison of most compounds, and who else works there. Nobody knows their passwords."""
    everywhere = (Scope(ScopeKind.ALL),)
    accounts.add_account(conn, office.ADMIN, "钱主任", Role.ADMIN)
    wanted: list[tuple[str, str, Role, tuple[Scope, ...], datetime | None]] = [
        (office.REGISTRAR, "邓丽", Role.REGISTRAR, everywhere, None),
        ("quduban", "区督导组", Role.GUEST, everywhere, now + timedelta(days=20)),
    ]
    for number, (area, _) in enumerate(district.areas, 1):
        wanted.append((f"du{number}", SUPERVISORS[number - 1], Role.SUPERVISOR, (Scope(ScopeKind.AREA, area),), None))
        wanted.append((f"cha{number}", INSPECTORS[number - 1], Role.INSPECTOR, everywhere, None))
    for number, one in enumerate(district.compounds):
        if number % WITHOUT:
            wanted.append((f"lian-{one.id}", one.liaison, Role.LIAISON, (Scope(ScopeKind.COMPOUND, one.id),), None))
    password = conn.scalar(sa.select(tables.accounts.c.password))
    made = now - timedelta(days=30)
    conn.execute(sa.update(tables.accounts).values(created_at=made))
    conn.execute(sa.insert(tables.accounts), [
        {"id": id, "name": name, "role": role.value, "password": password, "created_at": made, "expires_at": until}
        for id, name, role, _, until in wanted
    ])  # fmt: skip
    conn.execute(sa.insert(supervision.scopes), [
        {"account": id, "kind": one.kind.value, "place": one.place} for id, _, _, scopes, _ in wanted for one in scopes
    ])  # fmt: skip
