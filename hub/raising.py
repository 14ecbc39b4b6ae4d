"""What was noticed becomes alerts: raised, counted, ended, escalated, and owed to channels. One process looks, the scheduler."""

import logging
import threading
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from hub import channels, noticing, status
from hub.alerts import parts, silences
from hub.config import Located
from hub.rights import Role
from hub.rules import alerting as rules
from hub.rules import noticing as facts
from hub.rules.alerting import RULES, Condition, Kind, Open, Plan, Raise
from hub.rules.compliance import Value
from hub.rules.noticing import Memory
from hub.status import Overview
from hub.store import meta
from hub.store.supervision import alerts, sendings
from hub.store.writing import writing

MARK, MEMORY = "alerts_mark", "alerts_memory"
SCAN_SECONDS = 5.0
RAISED, LATE, ESCALATED = "raised", "late", "escalated"
"""Why an alert is sent."""

V = TypeVar("V", bound=Value)
log = logging.getLogger(__name__)


class Scanned(Value, frozen=True, kw_only=True):
    """What one look has changed; `more`: there are events that it did not come to."""

    events: int = 0
    raised: int = 0
    repeated: int = 0
    ended: int = 0
    escalated: int = 0
    owed: int = 0
    """Sendings written."""
    more: bool = False


def scan(conn: sa.Connection, seen: Overview, now: datetime) -> Scanned:
    """Look at what is new since the last look and at what is so now, in one transaction with the mark: nothing counts twice."""
    places, memory = noticing.places_of(seen), _kept(conn, MEMORY, Memory) or Memory()
    news = noticing.news(conn, _kept(conn, MARK, noticing.Mark) or noticing.first_mark(now), now)
    told = noticing.tell(news.rows, places)
    memory = facts.remember(memory, told, now)
    holds: list[Condition] = []
    looked_at: frozenset[Kind] = frozenset()
    if not news.more:  # an exit may be among the events still to come
        holds, looked_at, memory = noticing.conditions(conn, seen, memory, places, now)
    happened = noticing.happened(conn, told, places)
    plan = rules.decide(_open(conn), happened, holds, looked_at, silences(conn, now), now)
    owed = _carry_out(conn, plan, now)
    _keep(conn, MARK, news.mark)
    _keep(conn, MEMORY, memory)
    made = {name: len(getattr(plan, name)) for name in ("raised", "repeated", "ended", "escalated")}
    if any(made.values()):
        meta.bump(conn)
    return Scanned(events=len(news.rows), owed=owed, more=news.more, **made)


def look(engine: sa.Engine, located: Located, now: datetime) -> Scanned:
    """`scan` until nothing new is left, however long the hub was down; a transaction for each thousand events."""
    total, seen = Scanned(more=True), status.overview(engine, located.lifetimes, now, zone=located.zone)
    while total.more:
        with writing(engine) as conn:
            done = scan(conn, seen, now)
        counted = {name: getattr(total, name) + getattr(done, name) for name in Scanned.__struct_fields__ if name != "more"}
        total = Scanned(**counted, more=done.more)
    return total


def keep_looking(engine: sa.Engine, located: Located, stop: threading.Event) -> None:
    """Look every few seconds until told to stop; a store that is away for a while is looked at again later."""
    while not stop.is_set():
        try:
            look(engine, located, datetime.now(UTC))
        except Exception:
            log.exception("alerts could not be looked for; trying again")
        stop.wait(SCAN_SECONDS)


def _carry_out(conn: sa.Connection, plan: Plan, now: datetime) -> int:
    if plan.ended:
        for part in parts(plan.ended):
            conn.execute(sa.update(alerts).where(alerts.c.id.in_(part), alerts.c.ended_at.is_(None)).values(ended_at=now))
    for again in plan.repeated:
        counted = {"count": alerts.c.count + again.count, "last_at": now}
        conn.execute(sa.update(alerts).where(alerts.c.id == again.id).values(**counted))
    rows = [_row(one, now) for one in plan.raised]
    if rows:
        conn.execute(sa.insert(alerts), rows)
    known = channels.list_channels(conn) if rows or plan.escalated else []
    owed = [made for row, one in zip(rows, plan.raised, strict=True) for made in _first(row, one, known, now)]
    owed += _further(conn, plan, known, now)
    if owed:
        conn.execute(sa.insert(sendings), owed)
    return len(owed)


def _row(one: Raise, now: datetime) -> dict[str, Any]:
    about = one.about
    return {
        "id": uuid4().hex, "kind": about.kind.value, "key": about.key[:200], "gate": about.gate, "compound": about.compound,
        "subject": about.subject[:200], "level": RULES[about.kind].level.value, "first_at": now, "last_at": now,
        "count": one.count, "event": one.event, "ended_at": now if one.old else None,
    }  # fmt: skip


def _first(row: dict[str, Any], one: Raise, known: list[channels.Channel], now: datetime) -> list[dict[str, Any]]:
    """What is owed of a new alert: to its own role, or to the next one up that has a channel there."""
    if one.silenced or one.old:
        return []
    for role in rules.ladder(one.about.kind):
        made = _owed(row["id"], one.about.kind, one.about.compound, [role], known, LATE if one.late else RAISED, now)
        if made:
            return made
    return []


def _further(conn: sa.Connection, plan: Plan, known: list[channels.Channel], now: datetime) -> list[dict[str, Any]]:
    made = []
    for one in plan.escalated:
        conn.execute(sa.update(alerts).where(alerts.c.id == one.id).values(escalated_at=now))
        row = conn.execute(sa.select(alerts.c.kind, alerts.c.compound).where(alerts.c.id == one.id)).one()
        made += _owed(one.id, Kind(row.kind), row.compound, one.roles, known, ESCALATED, now)
    return made


def _owed(
    alert: str,
    kind: Kind,
    compound: str | None,
    roles: Collection[Role],
    known: list[channels.Channel],
    reason: str,
    now: datetime,
) -> list[dict[str, Any]]:
    mine = [one for one in known if one.role in roles and one.takes(kind, compound)]
    return [{"alert": alert, "channel": one.id, "reason": reason, "due_at": now} for one in mine]


def _open(conn: sa.Connection) -> list[Open]:
    rows = conn.execute(sa.select(alerts).where(alerts.c.ended_at.is_(None), alerts.c.kind.in_(list(Kind)))).mappings()
    return [Open(**{name: row[name] for name in Open.__struct_fields__} | {"kind": Kind(row["kind"])}) for row in rows]


def _kept(conn: sa.Connection, key: str, kind: type[V]) -> V | None:
    value = meta.get(conn, key)
    return None if value is None else msgspec.json.decode(value, type=kind)


def _keep(conn: sa.Connection, key: str, value: Value) -> None:
    """Written only when it is another one: an idle hub writes nothing."""
    said = msgspec.json.encode(value).decode()
    if said != meta.get(conn, key):
        meta.put(conn, key, said)
