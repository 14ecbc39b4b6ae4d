"""Which findings of a gate's inspections still stand: made anew when an inspection is sent and when a re-check has passed.

What stands is kept at hand by gate (`hub.store.gates.load_standing`), since every judgement and every page asks for it.
"""

from typing import Any

import sqlalchemy as sa

from contract.five import Item
from hub.registry import versions
from hub.rules.inspection import Found, outranking
from hub.rules.rectify import Step
from hub.store.gates import put_standing
from hub.store.supervision import findings, inspections, rectification_steps, rectifications
from hub.store.tables import gates


def weigh(conn: sa.Connection, gate: str) -> None:
    """Make anew which of the gate's findings stand; where that has changed its stations are told."""
    if put_standing(conn, gate, outranking([*_found(conn, gate), *_rechecked(conn, gate)])):
        compound = conn.scalar(sa.select(gates.c.compound).where(gates.c.id == gate))
        assert compound is not None
        versions.bump(conn, compound)


def _found(conn: sa.Connection, gate: str) -> list[Found]:
    """The newest finding of each item; of several looked at in the same moment, all."""
    joined = inspections.join(findings, findings.c.inspection == inspections.c.id)
    here = sa.and_(inspections.c.gate == gate, inspections.c.sent_at.is_not(None))
    newest = sa.func.max(inspections.c.observed_at).label("at")
    last = sa.select(findings.c.item, newest).select_from(joined).where(here).group_by(findings.c.item).subquery()
    same = sa.and_(last.c.item == findings.c.item, last.c.at == inspections.c.observed_at)
    query = sa.select(
        inspections.c.id.label("inspection"), findings.c.item, findings.c.present, inspections.c.observed_at,
        inspections.c.sent_at, inspections.c.by, findings.c.note,
    ).select_from(joined.join(last, same)).where(here)  # fmt: skip
    return [_one(row) for row in conn.execute(query).mappings()]


def _rechecked(conn: sa.Connection, gate: str) -> list[Found]:
    """The last re-check of each item that found it put right, whichever way it was told."""
    steps, joined = rectification_steps, rectification_steps.join(
        rectifications, rectifications.c.id == rectification_steps.c.rectification
    )  # fmt: skip
    query = sa.select(
        rectifications.c.item, sa.func.max(steps.c.at).label("observed_at"), sa.func.max(steps.c.at).label("sent_at")
    ).select_from(joined).where(
        rectifications.c.gate == gate, rectifications.c.item.in_(list(Item)), steps.c.step == Step.PASSED.value
    ).group_by(rectifications.c.item)  # fmt: skip
    return [_one({**row, "present": True, "inspection": "", "by": ""}) for row in conn.execute(query).mappings()]


def _one(row: Any) -> Found:
    return Found(**{**row, "item": Item(row["item"])})
