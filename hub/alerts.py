"""Alerts in the store as people see them: listed, acknowledged, silenced. What raises them: `hub.raising`."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from hub.registry.errors import RegistryError
from hub.rights import Reach, within
from hub.rules import alerting as rules
from hub.rules.alerting import RULES, Kind, Level, Silence
from hub.rules.compliance import Value
from hub.store import meta, tables
from hub.store.supervision import alerts
from hub.store.supervision import silences as silences_table


class Alert(Value, frozen=True, kw_only=True):
    """An alert as it is shown. `happened_at` and `received_at` are those of its event; None: it has none."""

    id: str
    kind: Kind
    level: Level
    gate: str | None
    compound: str | None
    subject: str
    first_at: datetime
    last_at: datetime
    count: int
    event: str | None
    event_kind: str | None
    happened_at: datetime | None
    received_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    escalated_at: datetime | None
    ended_at: datetime | None
    silenced: bool = False

    @property
    def late(self) -> bool:
        """Whether the hub heard of it long after it happened."""
        return self.happened_at is not None and self.first_at - self.happened_at >= rules.LATE


class SilenceRow(Silence, frozen=True, kw_only=True):
    """A silence as it is shown."""

    id: str
    subject: str
    """The gate; empty: all."""
    made_by: str
    note: str


def open_count(conn: sa.Connection, known: Reach, now: datetime | None = None) -> int:
    """How many alarms are open that nobody acknowledged and that no silence covers now."""
    now = now or datetime.now(UTC)
    waiting = alerts.c.level == Level.ALARM.value, alerts.c.acknowledged_at.is_(None), alerts.c.ended_at.is_(None)
    rows = conn.execute(sa.select(alerts.c.kind, alerts.c.gate).where(*waiting, *_mine(known))).all()
    quiet = silences(conn, now) if rows else []
    return sum(row.kind in set(Kind) and not rules.silenced(Kind(row.kind), row.gate, now, quiet) for row in rows)


def open_alerts(conn: sa.Connection, known: Reach, now: datetime, limit: int) -> list[Alert]:
    """The alerts that have not ended: alarms first, then those that nobody acknowledged, the newest first."""
    loudness = sa.case({level.value: n for n, level in enumerate(Level)}, value=alerts.c.level, else_=len(Level))
    order = (alerts.c.acknowledged_at.is_not(None), loudness, alerts.c.last_at.desc(), alerts.c.id)
    quiet = silences(conn, now)
    found = _shown(conn, [alerts.c.ended_at.is_(None), *_mine(known)], order, limit)
    return [
        msgspec.structs.replace(one, silenced=rules.silenced(one.kind, one.gate, now, quiet)) for one in found
    ]  # fmt: skip


def history(
    conn: sa.Connection,
    known: Reach,
    begins: datetime,
    ends: datetime,
    limit: int,
    *,
    kind: str = "",
    level: str = "",
    skip: int = 0,
) -> list[Alert]:
    """The alerts raised between two times, the newest first."""
    where = [alerts.c.first_at >= begins, alerts.c.first_at < ends, *_mine(known)]
    where += [alerts.c.kind == kind] if kind else []
    where += [alerts.c.level == level] if level else []
    found = _shown(conn, where, (alerts.c.first_at.desc(), alerts.c.id), limit, skip)
    quiet = [
        _silence(row) for row in conn.execute(sa.select(silences_table).where(silences_table.c.until_at > begins - rules.OLD))
    ]
    return [
        msgspec.structs.replace(one, silenced=rules.silenced(one.kind, one.gate, one.first_at, quiet)) for one in found
    ]  # fmt: skip


def find(conn: sa.Connection, id: str, known: Reach) -> Alert | None:
    """An alert within reach, by its id."""
    found = _shown(conn, [alerts.c.id == id, *_mine(known)], (alerts.c.id,), 1)
    return found[0] if found else None


def acknowledge(conn: sa.Connection, id: str, by: str, now: datetime) -> bool:
    """Somebody has seen to it: it goes no further up, and what has happened is over with that. False: it was so before."""
    kind = conn.scalar(sa.select(alerts.c.kind).where(alerts.c.id == id, alerts.c.acknowledged_at.is_(None)))
    if kind is None:
        return False
    ended = {} if kind not in set(Kind) or RULES[Kind(kind)].lasting else {"ended_at": sa.func.coalesce(alerts.c.ended_at, now)}
    same = sa.and_(alerts.c.id == id, alerts.c.acknowledged_at.is_(None))
    conn.execute(sa.update(alerts).where(same).values(acknowledged_at=now, acknowledged_by=by, **ended))
    meta.bump(conn)
    return True


def silence(
    conn: sa.Connection, kind: Kind, gate: str | None, until: datetime, by: str, note: str, now: datetime
) -> str:  # fmt: skip
    """Record alerts of a kind without sending them, at one gate or at all, until a time. Raises `RegistryError`."""
    if RULES[kind].loud:
        raise RegistryError(f"{kind}: a call for help and an emergency are never silenced")
    if not timedelta(0) < until - now <= rules.LONGEST_SILENCE:
        raise RegistryError("a silence lasts up to 24 hours")
    id = uuid4().hex
    row = {"id": id, "kind": kind.value, "gate": gate, "from_at": now, "until_at": until, "made_by": by, "note": note[:500]}
    conn.execute(sa.insert(silences_table).values(**row))
    meta.bump(conn)
    return id


def end_silence(conn: sa.Connection, id: str, now: datetime) -> None:
    """From now on alerts are sent again."""
    conn.execute(sa.update(silences_table).where(silences_table.c.id == id, silences_table.c.until_at > now).values(until_at=now))
    meta.bump(conn)


def silences_now(conn: sa.Connection, known: Reach, now: datetime, limit: int = 200) -> list[SilenceRow]:
    """The silences that hold now, at gates within reach or at all gates; the first to end first."""
    gates, compounds, accounts = tables.gates, tables.compounds, tables.accounts
    joined = silences_table.outerjoin(gates, gates.c.id == silences_table.c.gate)
    joined = joined.outerjoin(compounds, compounds.c.id == gates.c.compound)
    joined = joined.outerjoin(accounts, accounts.c.id == silences_table.c.made_by)
    query = sa.select(
        silences_table, gates.c.name.label("gate_name"), gates.c.compound, compounds.c.name.label("compound_name"),
        accounts.c.name.label("maker"),
    ).select_from(joined).where(silences_table.c.from_at <= now, silences_table.c.until_at > now)  # fmt: skip
    query = query.where(silences_table.c.kind.in_(list(Kind))).order_by(silences_table.c.until_at).limit(limit)
    return [
        SilenceRow(
            id=row.id, kind=Kind(row.kind), gate=row.gate, from_at=row.from_at, until_at=row.until_at, note=row.note,
            made_by=row.maker or row.made_by, subject=f"{row.compound_name} {row.gate_name}" if row.gate else "",
        )
        for row in conn.execute(query) if row.gate is None or within(known, row.compound)
    ]  # fmt: skip


def silences(conn: sa.Connection, now: datetime) -> list[Silence]:
    """Those that still hold, and those of the days before: an alert that began in one ends with it."""
    lately = silences_table.c.until_at > now - 2 * rules.OLD
    rows = conn.execute(sa.select(silences_table).where(lately, silences_table.c.kind.in_(list(Kind))))
    return [_silence(row) for row in rows]


def _silence(row: Any) -> Silence:
    return Silence(kind=Kind(row.kind), gate=row.gate, from_at=row.from_at, until_at=row.until_at)


def _mine(known: Reach) -> list[sa.ColumnElement[bool]]:
    return [] if known is None else [alerts.c.compound.in_(sorted(known))]


def _shown(
    conn: sa.Connection, where: Iterable[sa.ColumnElement[bool]], order: Iterable[Any], limit: int, skip: int = 0
) -> list[Alert]:
    events, accounts = tables.events, tables.accounts
    newest = sa.select(events.c.id, sa.func.min(events.c.kind).label("kind"), sa.func.min(events.c.at).label("at"),
                       sa.func.min(events.c.received_at).label("received_at"))  # fmt: skip
    page = sa.select(alerts).where(*where, alerts.c.kind.in_(list(Kind))).order_by(*order).limit(limit).offset(skip)
    rows = conn.execute(page).mappings().all()
    ids = [row["event"] for row in rows if row["event"]]
    told = {row.id: row for part in parts(ids) for row in conn.execute(newest.where(events.c.id.in_(part)).group_by(events.c.id))}
    names = {row.id: row.name for row in conn.execute(sa.select(accounts.c.id, accounts.c.name))}
    return [_alert(row, told.get(row["event"]), names) for row in rows]


def _alert(row: Any, event: Any, names: dict[str, str]) -> Alert:
    plain = {name: row[name] for name in Alert.__struct_fields__ if name in row}
    by = row["acknowledged_by"]
    return Alert(**plain | {
        "kind": Kind(row["kind"]), "level": Level(row["level"]), "acknowledged_by": names.get(by, by) if by else None,
        "event_kind": event.kind if event else None, "happened_at": event.at if event else None,
        "received_at": event.received_at if event else None,
    })  # fmt: skip


def parts(ids: Collection[str], most: int = 500) -> list[list[str]]:
    """Ids in portions that one query takes."""
    known = list(ids)
    return [known[n : n + most] for n in range(0, len(known), most)]
