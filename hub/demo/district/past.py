"""The days in which people supervise the seeded sub-district: the hub's own modules, asked again and again by a moved clock.

At each look what has happened is told and judged, people do what is due, and rectifications are stepped; at every other one
alerts are raised.
"""

import random
from datetime import datetime, timedelta

import sqlalchemy as sa
from msgspec.structs import replace

from hub import flagging, raising, rectifications
from hub.closing import passed_while_closed
from hub.config import Located
from hub.demo.district.agenda import Agenda
from hub.demo.district.days import Post, Telling
from hub.demo.district.households import Badges
from hub.demo.district.incidents import plan
from hub.demo.district.office import Office, deafen
from hub.demo.district.places import District
from hub.demo.district.stories import Stretch
from hub.demo.district.supervising import Supervising
from hub.registry import passes
from hub.rules.compliance import Status
from hub.status import Overview
from hub.store import meta, tables
from hub.store.supervision import alerts, inspections, tasks
from hub.store.supervision import rectifications as rectifications_table

_BY_DAY, _BY_NIGHT = (12, 28), (30, 65)
"""How many minutes pass from one look to the next."""
_DEAF, _PATIENT = timedelta(minutes=14), timedelta(minutes=11)
"""How long the hub hears nothing, and after how long it says so."""
_REVOKED = 25
"""Passes taken back, of 60,000, on the first day."""


def live(
    conn: sa.Connection, located: Located, district: District, badges: Badges, *, days: int, entries_a_day: int, now: datetime,
    seed: int,
) -> dict[str, int]:  # fmt: skip
    """Tell the days before `now`, and all that people did in them; returns how many of each there are."""
    begins, rng = now - timedelta(days=days), random.Random(f"past {seed}")
    _take_back(conn, district, begins + timedelta(hours=1), rng)
    deaf_from = begins + timedelta(days=days) * 0.55
    deaf = Stretch(deaf_from, deaf_from + _DEAF)
    telling = Telling(conn, located, district, badges, days=days, entries_a_day=entries_a_day, now=now, seed=seed, deaf=[deaf])
    looks = _looks(telling, rng, deaf)
    alerting = {*looks[::-2], deaf.begins + _PATIENT, deaf.ends}
    plan(telling, [at for at in looks if at in alerting and not deaf.begins <= at <= deaf.ends + timedelta(minutes=1)], seed)
    agenda = Agenda(telling, district, seed)
    deafen(agenda, deaf.begins, deaf.ends)
    supervising, office = Supervising(agenda, days), Office(agenda, days)
    for at in looks:
        agenda.act(at)
        telling.until(at)
        supervising.follow(rectifications.step(conn, at))
        if at in alerting:
            raising.scan(conn, _seen(telling), at)
            office.alarmed(at)
    made = telling.end()
    yesterday = now.astimezone(located.zone).date() - timedelta(days=1)
    flagging.keep(conn, flagging.find(conn, yesterday, located.zone, now, located.lifetimes))
    return made | {table.name: conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in _COUNTED}


_COUNTED = (inspections, rectifications_table, alerts, tasks)


def _looks(telling: Telling, rng: random.Random, deaf: Stretch) -> list[datetime]:
    found, at = {telling.now, deaf.begins, deaf.begins + _PATIENT, deaf.ends}, telling.begins
    while at < telling.now:
        found.add(at)
        first, last = _BY_DAY if 6 <= at.astimezone(telling.zone).hour < 22 else _BY_NIGHT
        at += timedelta(seconds=rng.randint(60 * first, 60 * last))
    return sorted(found)


def _seen(telling: Telling) -> Overview:
    """The gates as they were judged last, in place of an overview of the whole store at each look."""
    posts = list(telling.posts.values())
    closed = {post.gate.id: post.known["status"].began_at for post in posts if _has_passed(post)}
    passed = passed_while_closed(telling.conn, closed)
    gates = [replace(post.status, passed=passed.get(post.gate.id)) for post in posts if post.status is not None]
    return Overview(gates=gates, blind_since=meta.hearing(telling.conn).blind_since, counts={}, changes=0)


def _has_passed(post: Post) -> bool:
    """Whether its station has written an entry since the gate was closed."""
    return post.status is not None and post.status.status is Status.CLOSED and post.entry_at >= post.known["status"].began_at


def _take_back(conn: sa.Connection, district: District, at: datetime, rng: random.Random) -> None:
    """Passes that were reported lost: somebody will show them all the same."""
    p = tables.passes
    compounds = rng.sample([one.id for one in district.compounds], min(_REVOKED, max(len(district.compounds) // 4, 1)))
    for compound in compounds:
        query = sa.select(p.c.id).where(p.c.compound == compound, p.c.kind == "resident", p.c.isolating.is_(False))
        id = conn.scalar(query.order_by(p.c.dwelling, p.c.name).limit(1))
        if id is not None:
            passes.revoke(conn, id, "deng", at)
