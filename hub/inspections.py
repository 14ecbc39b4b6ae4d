"""Inspections in the store: sent once, weighed with the gate's evidence from then on, and told to its stations.

Nothing of an inspection is stored before it is sent: drafts are in the browser of whoever looks.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from contract.five import Item
from hub import acting, pictures, rectifications
from hub.findings import weigh
from hub.registry.errors import RegistryError
from hub.rights import Reach
from hub.rules.acting import Attempt, Verdict
from hub.rules.acting import Said as ActorSaid
from hub.rules.compliance import Value
from hub.rules.inspection import (
    CONDUCT,
    LONGEST_NOTE,
    MOST_PHOTOS,
    Look,
    Method,
    Sheet,
    negatives,
    problems,
    verdict,
)
from hub.rules.rectify import State, Step
from hub.store import meta
from hub.store.supervision import findings, inspections, rectification_steps
from hub.store.supervision import rectifications as rectifications_table
from hub.store.tables import accounts, areas, committees, compounds, gates

_ID = re.compile(r"[0-9a-f]{32}")
_PLACED = inspections.join(gates, inspections.c.gate == gates.c.id).join(compounds, gates.c.compound == compounds.c.id).join(
    committees, compounds.c.committee == committees.c.id).join(areas, committees.c.area == areas.c.id).outerjoin(
    accounts, accounts.c.id == inspections.c.by)  # fmt: skip


class Sent(Value, frozen=True, kw_only=True):
    """An inspection that was sent, as the pages show it."""

    id: str
    gate: str
    gate_name: str
    compound: str
    compound_name: str
    area_name: str
    method: Method
    by: str
    """The account's id."""
    by_name: str
    observed_at: datetime
    sent_at: datetime
    looks: dict[Item, Look]
    conduct: bool | None
    note: str
    rechecks: str | None
    photos: tuple[str, ...] = ()
    """Ids of `hub.pictures`."""
    actor: Attempt | None = None
    """演员查: what was tried, and what the journal says of it so far."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What was found missing or bad, in the order of the five, conduct last."""
        items = [item.value for item in Item if item in self.looks and not self.looks[item].present]
        return (*items, CONDUCT) if self.conduct is False else tuple(items)


class Wanted(Value, frozen=True, kw_only=True):
    """Which inspections to list."""

    since: datetime
    area: str | None = None
    method: Method | None = None
    negative: bool = False
    """Only those that found something missing or bad."""


class Recheck(Value, frozen=True, kw_only=True):
    """What is to be looked at again."""

    id: str
    gate: str
    compound: str
    item: str
    opened_at: datetime
    closed: bool
    found: str = ""
    """What the inspection noted that opened it."""
    own: frozenset[str] = frozenset()
    """Whose it is to put right, and who answered last: nobody closes what is his own."""


def send(conn: sa.Connection, sheet: Sheet, by: str, now: datetime, jpegs: Sequence[bytes] = ()) -> bool:
    """Keep an inspection and all that follows from it; False: this one was sent before, and nothing was done.

    `jpegs`: see `pictures.smaller`. Raises `RegistryError` for what can't be sent.
    """
    meta.bump(conn)  # and so one after another, on PostgreSQL too
    if _is_sent(conn, sheet, by):
        return False
    again = recheck(conn, sheet.rechecks) if sheet.rechecks is not None else None
    _check(conn, sheet, again, by, now, len(jpegs))
    seen = min(sheet.observed_at, now)
    conn.execute(sa.insert(inspections).values(
        id=sheet.id, gate=sheet.gate, method=sheet.method.value, by=by, observed_at=seen, sent_at=now, conduct=sheet.conduct,
        note=sheet.note, rechecks=sheet.rechecks,
        actor=acting.settle(conn, sheet.gate, sheet.actor, by, now) if sheet.actor else None,
    ))  # fmt: skip
    rows = [
        {"inspection": sheet.id, "item": item.value, "present": look.present, "note": look.note}
        for item, look in sheet.looks.items()
    ]
    if rows:
        conn.execute(sa.insert(findings), rows)
    pictures.put(conn, pictures.FINDING, sheet.id, jpegs, now, by)
    _rectify(conn, sheet, again, by, now)
    weigh(conn, sheet.gate)
    return True


def sent(conn: sa.Connection, id: str) -> Sent | None:
    """An inspection that was sent; None when there is none with this id."""
    found = _read(conn, sa.select(*_columns()).select_from(_PLACED).where(inspections.c.id == id, _is_out()))
    return found[0] if found else None


def list_sent(conn: sa.Connection, wanted: Wanted, reach: Reach, limit: int, offset: int = 0) -> list[Sent]:
    """The newest inspections that were sent of gates within reach, newest first."""
    query = sa.select(*_columns()).select_from(_PLACED).where(_is_out(), inspections.c.sent_at >= wanted.since)
    query = query.where(areas.c.id == wanted.area) if wanted.area else query
    query = query.where(inspections.c.method == wanted.method.value) if wanted.method else query
    query = query.where(compounds.c.id.in_(reach)) if reach is not None else query
    if wanted.negative:
        missing = sa.exists().where(findings.c.inspection == inspections.c.id, findings.c.present.is_(False))
        query = query.where(sa.or_(missing, inspections.c.conduct.is_(False), _acted_badly()))
    order = query.order_by(inspections.c.sent_at.desc(), inspections.c.id)
    return _read(conn, order.limit(limit).offset(offset))


def last_gates(conn: sa.Connection, by: str, limit: int) -> list[str]:
    """The gates that an account looked at last, the newest first."""
    newest = sa.func.max(inspections.c.sent_at)
    query = sa.select(inspections.c.gate).where(inspections.c.by == by, _is_out()).group_by(inspections.c.gate)
    return list(conn.scalars(query.order_by(newest.desc(), inspections.c.gate).limit(limit)))


def last_method(conn: sa.Connection, by: str, since: timedelta, now: datetime) -> Method | None:
    """How the account looked last, re-checks aside, if that was within `since`."""
    mine = sa.and_(inspections.c.by == by, inspections.c.sent_at > now - since, inspections.c.method != Method.RECHECK.value)
    query = sa.select(inspections.c.method).where(mine).order_by(inspections.c.sent_at.desc()).limit(1)
    value = conn.scalar(query)
    return None if value is None else Method(value)


def recheck(conn: sa.Connection, rectification: str) -> Recheck | None:
    """What a rectification wants looked at again; None when there is none with this id."""
    found = _rechecks(conn, rectifications_table.c.id == rectification)
    return found[0] if found else None


def rechecks_at(conn: sa.Connection, gate: str) -> list[Recheck]:
    """What is to be put right at a gate, one of an item or of conduct at most, the oldest first."""
    known = rectifications_table
    return _rechecks(conn, known.c.gate == gate, known.c.state != State.CLOSED.value)


def _is_sent(conn: sa.Connection, sheet: Sheet, by: str) -> bool:
    if not _ID.fullmatch(sheet.id):
        raise RegistryError("the id of an inspection has 32 hex digits")
    known = conn.execute(sa.select(inspections.c.by, inspections.c.gate).where(inspections.c.id == sheet.id)).first()
    if known is not None and (known.by, known.gate) != (by, sheet.gate):
        raise RegistryError("another inspection has this id: begin a new one")
    return known is not None


def _check(conn: sa.Connection, sheet: Sheet, again: Recheck | None, by: str, now: datetime, photos: int) -> None:
    if conn.scalar(sa.select(gates.c.id).where(gates.c.id == sheet.gate)) is None:
        raise RegistryError(f"no gate {sheet.gate[:64]!r}")
    if sheet.rechecks is not None and (again is None or again.gate != sheet.gate):
        raise RegistryError(f"no rectification {sheet.rechecks[:64]!r} of gate {sheet.gate!r}")
    if again is not None and by in again.own:
        raise RegistryError(f"rectification {again.id!r} is {by!r}'s own: somebody else looks again")
    wrong = problems(sheet, now, again.item if again else None)
    if wrong:
        raise RegistryError(f"an inspection can't be sent so: {', '.join(f'{k} ({v})' for k, v in wrong.items())}")
    if sheet.actor and sheet.actor.pass_id and not acting.fits(conn, sheet.actor.kind, sheet.actor.pass_id, sheet.gate, by):
        raise RegistryError(f"pass {sheet.actor.pass_id[:64]!r} was not made for such a test at gate {sheet.gate!r}")
    if max([len(sheet.note), *(len(look.note) for look in sheet.looks.values())]) > LONGEST_NOTE or photos > MOST_PHOTOS:
        raise RegistryError(f"{LONGEST_NOTE} characters a note and {MOST_PHOTOS} photos at most")


def _rectify(conn: sa.Connection, sheet: Sheet, again: Recheck | None, by: str, now: datetime) -> None:
    for item, note in negatives(sheet).items():
        if again is None or again.item != item:
            rectifications.open_by_finding(conn, sheet.gate, item, sheet.id, by, now, note)
    if again is not None:
        passed = bool(verdict(sheet, again.item))
        note = negatives(sheet).get(again.item, sheet.note)
        rectifications.rechecked(conn, again.id, passed, by, now, note, inspection_id=sheet.id)


def _rechecks(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Recheck]:
    known = rectifications_table
    query = sa.select(known, gates.c.compound).join(gates, gates.c.id == known.c.gate).where(*where)
    return [
        Recheck(id=row["id"], gate=row["gate"], compound=row["compound"], item=row["item"], opened_at=row["opened_at"],
                closed=row["state"] == State.CLOSED, found=_noted(conn, row["inspection"], row["item"]), own=_own(conn, row))
        for row in conn.execute(query.order_by(known.c.opened_at, known.c.id)).mappings()
    ]  # fmt: skip


def _own(conn: sa.Connection, row: Any) -> frozenset[str]:
    steps = rectification_steps
    answers = sa.select(steps.c.by).where(steps.c.rectification == row["id"], steps.c.step == Step.ANSWERED.value)
    last = conn.scalar(answers.order_by(steps.c.id.desc()).limit(1))
    return frozenset(by for by in (row["owner"], last) if by is not None)


def _noted(conn: sa.Connection, inspection: str | None, item: str) -> str:
    known = sent(conn, inspection) if inspection else None
    if known is None:
        return ""
    look = known.looks.get(Item(item)) if item != CONDUCT else None
    return (look.note if look else "") or known.note


def _is_out() -> sa.ColumnElement[bool]:
    return inspections.c.sent_at.is_not(None)


def _acted_badly() -> sa.ColumnElement[bool]:
    """`Attempt.good` is False."""
    verdict, said = inspections.c.actor["verdict"].as_string(), inspections.c.actor["said"].as_string()
    return sa.or_(verdict == Verdict.FAILED.value, sa.and_(verdict == Verdict.UNSEEN.value, said == ActorSaid.IN.value))


def _columns() -> list[sa.ColumnElement[Any]]:
    own = [column for column in inspections.c if column.name in Sent.__struct_fields__]
    return [*own, gates.c.name.label("gate_name"), compounds.c.id.label("compound"), areas.c.name.label("area_name"),
            compounds.c.name.label("compound_name"), accounts.c.name.label("by_name")]  # fmt: skip


def _read(conn: sa.Connection, query: sa.Select[Any]) -> list[Sent]:
    rows = conn.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    looks: dict[str, dict[Item, Look]] = {id: {} for id in ids}
    for one in conn.execute(sa.select(findings).where(findings.c.inspection.in_(ids))):
        looks[one.inspection][Item(one.item)] = Look(present=one.present, note=one.note)
    photos = pictures.listed(conn, pictures.FINDING, ids)
    return [
        Sent(**{**row, "method": Method(row["method"]), "by_name": row["by_name"] or row["by"],
                "actor": acting.unpacked(row["actor"]) if row["actor"] else None},
             looks=looks[row["id"]], photos=tuple(photos.get(row["id"], ())))
        for row in rows
    ]  # fmt: skip
