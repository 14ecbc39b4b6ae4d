"""任务分解 in the store: who is to do what at a compound, and until when."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from hub.registry.errors import RegistryError
from hub.rights import Reach
from hub.rules.compliance import Value
from hub.store import meta
from hub.store.supervision import tasks
from hub.store.tables import areas, committees, compounds

TITLE_KEPT, NOTE_KEPT = 200, 2000
"""Characters."""
_JOINED = tasks.join(compounds, tasks.c.compound == compounds.c.id).join(
    committees, compounds.c.committee == committees.c.id
).join(areas, committees.c.area == areas.c.id)  # fmt: skip
_OPEN = sa.and_(tasks.c.done_at.is_(None), tasks.c.cancelled_at.is_(None))


class Task(Value, frozen=True, kw_only=True):
    """Something that somebody is to do at a compound."""

    id: str
    compound: str
    compound_name: str = ""
    area_name: str = ""
    title: str
    note: str
    owner: str | None
    due_at: datetime | None
    made_at: datetime
    made_by: str
    done_at: datetime | None = None
    done_by: str | None = None
    cancelled_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Neither done nor cancelled."""
        return self.done_at is None and self.cancelled_at is None

    def is_overdue(self, now: datetime) -> bool:
        """Still open past its due time."""
        return self.is_open and self.due_at is not None and self.due_at < now


def add(
    conn: sa.Connection, compound: str, title: str, by: str, at: datetime,
    *, due_at: datetime, owner: str | None = None, note: str = "",
) -> str:  # fmt: skip
    """Give a task; its id. Raises `RegistryError`."""
    if not title.strip() or conn.scalar(sa.select(compounds.c.id).where(compounds.c.id == compound)) is None:
        raise RegistryError(f"a task needs a title, and a compound that there is: not {compound[:64]!r}")
    id = uuid4().hex
    row = {"id": id, "compound": compound, "title": title.strip()[:TITLE_KEPT], "note": note.strip()[:NOTE_KEPT]}
    conn.execute(sa.insert(tasks).values(**row, owner=owner, due_at=due_at, made_at=at, made_by=by))
    meta.bump(conn)
    return id


def finish(conn: sa.Connection, id: str, by: str, at: datetime) -> None:
    """It is done. Raises `RegistryError` when it is not open."""
    _end(conn, id, done_at=at, done_by=by)


def cancel(conn: sa.Connection, id: str, at: datetime) -> None:
    """It need not be done. Raises `RegistryError` when it is not open."""
    _end(conn, id, cancelled_at=at)


def one(conn: sa.Connection, id: str) -> Task | None:
    """One task; None: there is none."""
    row = conn.execute(_rows().where(tasks.c.id == id)).mappings().first()
    return None if row is None else _task(row)


def list_tasks(
    conn: sa.Connection, known: Reach, *, ended: bool = False, owner: str | None = None, area: str = "",
    limit: int = 50, offset: int = 0,
) -> list[Task]:  # fmt: skip
    """Those still open, without owner first, then due soonest; or (`ended`) those done and cancelled, the newest first."""
    order = [tasks.c.owner.is_not(None), tasks.c.due_at, tasks.c.id]
    order = [sa.func.coalesce(tasks.c.done_at, tasks.c.cancelled_at).desc(), tasks.c.id] if ended else order
    query = _rows().where(*_wanted(known, ended, owner, area)).order_by(*order).limit(limit).offset(offset)
    return [_task(row) for row in conn.execute(query).mappings()]


def count(conn: sa.Connection, known: Reach, *, ended: bool = False, owner: str | None = None, area: str = "") -> int:
    """How many `list_tasks` would list."""
    query = sa.select(sa.func.count()).select_from(_JOINED).where(*_wanted(known, ended, owner, area))
    return conn.scalar(query) or 0


def _end(conn: sa.Connection, id: str, **values: Any) -> None:
    if conn.execute(sa.update(tasks).where(tasks.c.id == id, _OPEN).values(**values)).rowcount == 0:
        raise RegistryError(f"task {id[:64]!r} is not there, or done or cancelled already")
    meta.bump(conn)


def _wanted(known: Reach, ended: bool, owner: str | None, area: str) -> list[sa.ColumnElement[bool]]:
    made = [~_OPEN if ended else _OPEN]
    made += [compounds.c.id.in_(sorted(known))] if known is not None else []
    made += [tasks.c.owner == owner] if owner is not None else []
    return made + ([areas.c.id == area] if area else [])


def _rows() -> sa.Select[Any]:
    named = (compounds.c.name.label("compound_name"), areas.c.name.label("area_name"))
    return sa.select(tasks, *named).select_from(_JOINED)


def _task(row: Any) -> Task:
    return Task(**{name: row[name] for name in Task.__struct_fields__})
