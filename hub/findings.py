"""The findings of a gate's inspections that are weighed with its evidence: each item's newest, made anew when an inspection is
sent and when a re-check has passed; and, for a time gone by, all that were in force then.

They are kept at hand by gate (`hub.store.gates`), since every judgement and every page asks for them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contract.five import Item
from hub.registry import versions
from hub.rules.inspection import Found, newest
from hub.rules.rectify import Step
from hub.store.gates import put_findings
from hub.store.supervision import findings, inspections, rectification_steps, rectifications
from hub.store.tables import gates

_JOINED = inspections.join(findings, findings.c.inspection == inspections.c.id)
_STEPS = rectification_steps.join(rectifications, rectifications.c.id == rectification_steps.c.rectification)


def weigh(conn: sa.Connection, gate: str) -> None:
    """Make anew which of the gate's findings count; where others outrank its stations now, these are told."""
    if put_findings(conn, gate, newest([*_last_found(conn, gate), *_last_passed(conn, gate)])):
        compound = conn.scalar(sa.select(gates.c.compound).where(gates.c.id == gate))
        assert compound is not None
        versions.bump(conn, compound)


def since(conn: sa.Connection, gate: str, begin: datetime) -> Sequence[Found]:
    """The findings that were in force at `begin`, and all that came after it."""
    at_first = newest([*_last_found(conn, gate, begin), *_last_passed(conn, gate, begin)])
    later = _found(inspections.c.gate == gate, inspections.c.observed_at > begin)
    passed = _passed(rectifications.c.gate == gate, rectification_steps.c.at > begin)
    return [*at_first, *(_one(row) for row in conn.execute(later).mappings()), *_passes(conn, passed)]


def _last_found(conn: sa.Connection, gate: str, until: datetime | None = None) -> list[Found]:
    """The newest finding of each item; of several looked at in the same moment, all."""
    here = sa.and_(inspections.c.gate == gate, inspections.c.sent_at.is_not(None))
    here = here if until is None else sa.and_(here, inspections.c.observed_at <= until)
    at = sa.func.max(inspections.c.observed_at).label("at")
    last = sa.select(findings.c.item, at).select_from(_JOINED).where(here).group_by(findings.c.item).subquery()
    same = sa.and_(last.c.item == findings.c.item, last.c.at == inspections.c.observed_at)
    query = _found(inspections.c.gate == gate, joined=_JOINED.join(last, same))
    return [_one(row) for row in conn.execute(query).mappings()]


def _found(*where: sa.ColumnElement[bool], joined: sa.FromClause = _JOINED) -> sa.Select[Any]:
    return sa.select(
        inspections.c.id.label("inspection"), findings.c.item, findings.c.present, inspections.c.observed_at,
        inspections.c.sent_at, inspections.c.by, findings.c.note,
    ).select_from(joined).where(inspections.c.sent_at.is_not(None), *where)  # fmt: skip


def _last_passed(conn: sa.Connection, gate: str, until: datetime | None = None) -> list[Found]:
    """The last re-check of each item that found it put right, whichever way it was told."""
    at, here = rectification_steps.c.at, [rectifications.c.gate == gate]
    here += [] if until is None else [at <= until]
    query = _passed(*here).with_only_columns(rectifications.c.item, sa.func.max(at).label("at"))
    return _passes(conn, query.group_by(rectifications.c.item))


def _passed(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    passed = rectification_steps.c.step == Step.PASSED.value
    query = sa.select(rectifications.c.item, rectification_steps.c.at).select_from(_STEPS)
    return query.where(rectifications.c.item.in_(list(Item)), passed, *where)


def _passes(conn: sa.Connection, query: sa.Select[Any]) -> list[Found]:
    return [
        Found(inspection="", item=Item(row.item), present=True, observed_at=row.at, sent_at=row.at, by="")
        for row in conn.execute(query)
    ]


def _one(row: Any) -> Found:
    return Found(**{**row, "item": Item(row["item"])})
