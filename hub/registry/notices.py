"""告示: what stands on the stations' waiting screens of a place, and from when until when.

Stations are told of a notice only while it is current. `turn` compares what is current with what the directories hold by now,
so that one that begins or ends by time raises the directory's version as any change does; the publisher asks it at each step.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from contract.directory import Notice
from hub.registry import versions
from hub.registry.errors import RegistryError
from hub.rights import Compound, Reach, Scope, ScopeKind, reach
from hub.store import meta
from hub.store.running import notices as table
from hub.store.tables import areas, committees, compounds
from hub.store.tables import meta as meta_table

LONGEST = 200
"""Characters of a notice, in each language."""
LASTS = timedelta(days=92)
MOST = 20
"""Notices that one compound is told of at once: a waiting screen shows each for ten seconds or more."""
_TOLD = "notice:"
"""Before a notice's id: the key that holds the directory's version in which each compound was told of it."""
_PLACES = {ScopeKind.AREA: areas, ScopeKind.COMMITTEE: committees, ScopeKind.COMPOUND: compounds}
_NEAREST = (ScopeKind.COMPOUND, ScopeKind.COMMITTEE, ScopeKind.AREA, ScopeKind.ALL)


class State(StrEnum):
    """Where a notice is in its life."""

    COMING = "coming"
    CURRENT = "current"
    PAST = "past"
    WITHDRAWN = "withdrawn"


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """A notice as the registry keeps it."""

    id: str
    zh: str
    en: str
    scope: Scope
    begins: datetime
    ends: datetime
    made_at: datetime
    made_by: str
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None

    def state(self, now: datetime) -> State:
        """Where it is at `now`."""
        if self.withdrawn_at is not None:
            return State.WITHDRAWN
        return State.COMING if now < self.begins else State.CURRENT if now < self.ends else State.PAST


def add(
    conn: sa.Connection, *, zh: str, scope: Scope, begins: datetime, ends: datetime, by: str, now: datetime, en: str = ""
) -> Posted:
    """Put a notice up at a place, from `begins` until `ends`. Raises `RegistryError`."""
    values = _checked(conn, zh, en, scope, begins, ends, now)
    id = uuid4().hex
    conn.execute(sa.insert(table).values(id=id, **values, made_at=now, made_by=by))
    turn(conn, now)
    return find(conn, id)


def change(
    conn: sa.Connection, id: str, *, zh: str, scope: Scope, begins: datetime, ends: datetime, now: datetime, en: str = ""
) -> Posted:
    """Other words, another place or time for one that is not over. Raises `RegistryError`."""
    known = _require_live(conn, id, now)
    values = _checked(conn, zh, en, scope, begins, ends, now)
    conn.execute(sa.update(table).where(table.c.id == known.id).values(**values))
    turn(conn, now, changed=known.id)
    return find(conn, known.id)


def withdraw(conn: sa.Connection, id: str, by: str, now: datetime) -> Posted:
    """Take a notice down. Twice is as good as once. Raises `RegistryError`."""
    known = find(conn, id)
    if known.withdrawn_at is None:
        conn.execute(sa.update(table).where(table.c.id == id).values(withdrawn_at=now, withdrawn_by=by))
        turn(conn, now)
    return find(conn, id)


def find(conn: sa.Connection, id: str) -> Posted:
    """A notice by its id. Raises `RegistryError`."""
    row = conn.execute(sa.select(table).where(table.c.id == id)).first()
    if row is None:
        raise RegistryError(f"no notice {id[:40]!r}: see `hub notice list`")
    return _posted(row)


def live(conn: sa.Connection, now: datetime, limit: int) -> list[Posted]:
    """Those that are current or coming, the soonest first."""
    query = sa.select(table).where(table.c.withdrawn_at.is_(None), table.c.ends > now)
    return [_posted(row) for row in conn.execute(query.order_by(table.c.begins, table.c.id).limit(limit))]


def over(conn: sa.Connection, now: datetime, limit: int) -> list[Posted]:
    """Those that are past or were withdrawn, the newest first."""
    query = sa.select(table).where(sa.or_(table.c.withdrawn_at.is_not(None), table.c.ends <= now))
    return [_posted(row) for row in conn.execute(query.order_by(table.c.begins.desc(), table.c.id).limit(limit))]


def concerns(one: Posted, known: Reach, placed: list[Compound]) -> bool:
    """Whether a notice stands at any compound in reach; `placed`: every compound."""
    mine = reach([one.scope], placed)
    return known is None or mine is None or bool(mine & known)


def told(conn: sa.Connection, compound: str, now: datetime) -> tuple[Notice, ...]:
    """What the stations of a compound show at `now`: the nearest place's first, its newest first."""
    placed = [one for one in all_compounds(conn) if one.id == compound]
    mine = [one for one in _current(conn, now) if reach([one.scope], placed) is None or reach([one.scope], placed)]
    mine.sort(key=lambda one: (_NEAREST.index(one.scope.kind), -one.begins.timestamp(), one.id))
    return tuple(Notice(id=one.id, zh=one.zh, en=one.en) for one in mine[:MOST])


def is_due(conn: sa.Connection, now: datetime) -> bool:
    """Whether a notice has begun, ended or come to other compounds since the directories were last told."""
    return _wanted(conn, now) != {id: set(known) for id, known in _told(conn).items()}


def turn(conn: sa.Connection, now: datetime, changed: str | None = None) -> set[str]:
    """Raise the directory's version of each compound where a notice began or ended, or was `changed`; returns the compounds."""
    wanted, known, touched = _wanted(conn, now), _told(conn), set[str]()
    for id in wanted.keys() | known.keys():
        now_told, so_far = wanted.get(id, set()), set(known.get(id, ()))
        touched |= now_told | so_far if id == changed else now_told ^ so_far
    for compound in sorted(touched):
        versions.bump(conn, compound)
    for id in wanted.keys() | known.keys():
        if id == changed or wanted.get(id) != (set(known[id]) if id in known else None):
            _remember(conn, id, wanted.get(id), {} if id == changed else known.get(id, {}))
    return touched


def containing(conn: sa.Connection, id: str) -> dict[str, int]:
    """Compound → the directory's version from which on it holds the notice as it is now; empty while it is not current."""
    return _told(conn).get(id, {})


def all_compounds(conn: sa.Connection) -> list[Compound]:
    """Every compound and what it lies in."""
    joined = compounds.join(committees, compounds.c.committee == committees.c.id)
    query = sa.select(compounds.c.id, committees.c.id, committees.c.area).select_from(joined)
    return [Compound(*row) for row in conn.execute(query.order_by(compounds.c.id))]


def _remember(conn: sa.Connection, id: str, wanted: set[str] | None, known: dict[str, int]) -> None:
    """Keep since which version each compound is told of a notice; None: none is any more."""
    if wanted is None:
        meta.put(conn, _TOLD + id, None)
        return
    made = {one: known[one] if one in known else versions.version_of(conn, one) for one in sorted(wanted)}
    meta.put(conn, _TOLD + id, msgspec.json.encode(made).decode())


def _wanted(conn: sa.Connection, now: datetime) -> dict[str, set[str]]:
    """Notice → the compounds that are to know of it at `now`."""
    current = _current(conn, now)
    if not current:
        return {}
    placed = all_compounds(conn)
    everyone = {one.id for one in placed}
    return {one.id: everyone if (mine := reach([one.scope], placed)) is None else set(mine) for one in current}


def _told(conn: sa.Connection) -> dict[str, dict[str, int]]:
    columns = meta_table.c
    rows = conn.execute(sa.select(columns.key, columns.value).where(columns.key.startswith(_TOLD, autoescape=True)))
    return {row.key.removeprefix(_TOLD): msgspec.json.decode(row.value, type=dict[str, int]) for row in rows}


def _current(conn: sa.Connection, now: datetime) -> list[Posted]:
    query = sa.select(table).where(table.c.withdrawn_at.is_(None), table.c.begins <= now, table.c.ends > now)
    return [_posted(row) for row in conn.execute(query.order_by(table.c.id))]


def _posted(row: sa.Row[Any]) -> Posted:
    known = dict(row._mapping)
    scope = Scope(ScopeKind(known.pop("kind")), known.pop("place"))
    return Posted(**known, scope=scope)


def _require_live(conn: sa.Connection, id: str, now: datetime) -> Posted:
    known = find(conn, id)
    if known.state(now) in (State.PAST, State.WITHDRAWN):
        raise RegistryError(f"notice {id[:40]!r} is over: put up a new one")
    return known


def _checked(
    conn: sa.Connection, zh: str, en: str, scope: Scope, begins: datetime, ends: datetime, now: datetime
) -> dict[str, object]:
    zh, en = " ".join(zh.split()), " ".join(en.split())
    if not zh:
        raise RegistryError("a notice needs words in Chinese: that is what the screens show")
    if max(len(zh), len(en)) > LONGEST or not (zh + en).isprintable():
        raise RegistryError(f"a notice has at most {LONGEST} printable characters in each language")
    places = _PLACES.get(scope.kind)
    if places is not None and conn.scalar(sa.select(places.c.id).where(places.c.id == scope.place)) is None:
        raise RegistryError(f"no {scope.kind} {scope.place[:64]!r}: see `hub place list {scope.kind}`")
    if ends <= begins:
        raise RegistryError(f"ends at {ends:%Y-%m-%d %H:%M}, which is not after it begins at {begins:%Y-%m-%d %H:%M}")
    if ends <= now:
        raise RegistryError(f"ends at {ends:%Y-%m-%d %H:%M}, which is past")
    if ends - begins > LASTS:
        raise RegistryError(f"stands for {(ends - begins).days} days: a notice stands for {LASTS.days} at most")
    place = {"kind": scope.kind.value, "place": scope.place}
    return {"zh": zh, "en": en, **place, "begins": begins.astimezone(UTC), "ends": ends.astimezone(UTC)}
