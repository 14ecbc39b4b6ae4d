"""Rectifications in the store: what the clock does to them, what people do, and what the pages list."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from msgspec.structs import replace

from hub import standings
from hub.registry.accounts import Account, is_over, list_accounts
from hub.registry.errors import RegistryError
from hub.rights import Action, Compound, Reach, Role, ScopeKind, may, reach
from hub.rules import rectify
from hub.rules.compliance import Value
from hub.rules.rectify import Cause, Changed, Deadlines, Key, Rectification, State, Step
from hub.rules.standing import Stand
from hub.standings import parts
from hub.store import meta
from hub.store.supervision import pictures, rectification_steps, rectifications
from hub.store.tables import areas, committees, compounds, gates

DEADLINES = Deadlines()
NOTE_KEPT = 2000
"""Characters of a note."""
_LOCK = 0x7265_6374
"""The number of PostgreSQL's advisory lock: of two that open one of the same gate and item, the second sees the first."""
_NARROW = (ScopeKind.COMPOUND, ScopeKind.COMMITTEE, ScopeKind.AREA, ScopeKind.ALL)
_PLACE = gates.join(compounds, gates.c.compound == compounds.c.id).join(
    committees, compounds.c.committee == committees.c.id
).join(areas, committees.c.area == areas.c.id)  # fmt: skip
_OPEN = rectifications.c.state != State.CLOSED.value


class Row(Value, frozen=True, kw_only=True):
    """A rectification with where its gate is."""

    rectification: Rectification
    gate_name: str
    compound: str
    compound_name: str
    area: str
    area_name: str


class StepRow(Value, frozen=True, kw_only=True):
    """One thing that happened to it. `by`: an account's id; None: the hub itself."""

    at: datetime
    by: str | None
    step: Step
    note: str
    picture: str | None


class Story(Value, frozen=True, kw_only=True):
    """A rectification and all that happened to it, in order."""

    row: Row
    steps: tuple[StepRow, ...]


class Wanted(Value, frozen=True, kw_only=True):
    """Which to list."""

    state: State | None = None
    """None: all that are not closed."""
    owner: str | None = None
    area: str = ""
    gate: str = ""


ALL = Wanted()
"""All that are not closed."""


class Summary(Value, frozen=True, kw_only=True):
    """How many there are to be put right."""

    not_closed: int
    overdue: int
    ownerless: int


# ---- by the clock ----


def step(conn: sa.Connection, now: datetime, deadlines: Deadlines = DEADLINES) -> list[Changed]:
    """Open, remind, escalate and close what is due, within a write transaction; returns what was done. A blind hub opens and
    closes none."""
    _hold(conn)
    known = not_closed(conn)
    opened = {one.key: one for one in known}
    keys = [] if standings.is_blind(conn, now) else standings.candidates(conn, opened)
    closings = _closings(conn, [key for key in keys if key not in opened], now, deadlines)
    last = {key: max(times) for key, times in closings.items()}
    stands = standings.look(conn, keys, now, bridged=deadlines.open_after, after=last)
    return _write(conn, rectify.act(known, stands, closings, now, deadlines), None)


def _closings(conn: sa.Connection, keys: Collection[Key], now: datetime, deadlines: Deadlines) -> dict[Key, list[datetime]]:
    """When earlier ones of these gates and items were closed, as far back as they count."""
    wanted, made = set(keys), defaultdict(list)
    recent = rectifications.c.closed_at > now - deadlines.counted_within
    columns = (rectifications.c.gate, rectifications.c.item, rectifications.c.closed_at)
    for part in parts(sorted({gate for gate, _ in wanted})):
        for gate, item, at in conn.execute(sa.select(*columns).where(rectifications.c.gate.in_(part), ~_OPEN, recent)):
            if (gate, item) in wanted:
                made[gate, item].append(at)
    return made


# ---- by people ----


def open_by_finding(
    conn: sa.Connection, gate: str, item: str, inspection_id: str | None, by: str, at: datetime, note: str = "",
    *, picture: str | None = None, deadlines: Deadlines = DEADLINES,
) -> str:  # fmt: skip
    """Open one of what somebody saw, or add to the one that is not closed; its id. Raises `RegistryError`."""
    _hold(conn)
    if item not in rectify.ITEMS or conn.scalar(sa.select(gates.c.id).where(gates.c.id == gate)) is None:
        raise RegistryError(f"no gate {gate[:64]!r}, or {item[:16]!r} is nothing a gate must have")
    key = (gate, item)
    known = _load(conn, _OPEN, rectifications.c.gate == gate, rectifications.c.item == item)
    if known:
        changed = rectify.found(known[0], at, deadlines, inspection=inspection_id, note=note)
    else:
        closings = _closings(conn, [key], at, deadlines).get(key, [])
        last = {key: max(closings)} if closings else {}
        stands = standings.look(conn, [key], at, bridged=deadlines.open_after, after=last).get(key)
        missing = stands.since if stands is not None and stands.stand is Stand.MISSING else None
        changed = rectify.opened(
            key, Cause.FINDING, at, closings, deadlines, missing_since=missing, inspection=inspection_id, note=note
        )
    return _write(conn, [changed], by, picture)[0].after.id


def answer(conn: sa.Connection, id: str, note: str, by: str, at: datetime, *, picture: str | None = None) -> None:
    """What was done about it; closes nothing. Raises `RegistryError` when it is closed."""
    _write(conn, [rectify.answered(_require_open(conn, id), at, note=note)], by, picture)


def rechecked(
    conn: sa.Connection, id: str, passed: bool, by: str, at: datetime, note: str = "",
    *, inspection_id: str | None = None, deadlines: Deadlines = DEADLINES,
) -> str:  # fmt: skip
    """Somebody looked again: closed, or open anew. Of one that is closed already a failed re-check opens another, and a re-check
    that passed changes nothing. Returns the id of the one that the re-check now speaks of. Raises `RegistryError`."""
    _hold(conn)
    known = _require(conn, id)
    _write(conn, [rectify.rechecked(known, passed, at, deadlines, note=note)], by)
    if not passed and known.state is State.CLOSED:
        return open_by_finding(conn, known.gate, known.item, inspection_id, by, at, note, deadlines=deadlines)
    return id


def assign(conn: sa.Connection, id: str, owner: str | None, due_at: datetime, by: str, at: datetime) -> None:
    """Another owner (None: nobody) or due time. Raises `RegistryError` when it is closed, or not for this owner to answer."""
    known = _require_open(conn, id)
    if owner is not None and owner not in {account.id for account in owners(conn, _compound_of(conn, known.gate), at)}:
        raise RegistryError(f"account {owner[:64]!r} does not answer for gate {known.gate!r}")
    _write(conn, [rectify.assigned(known, owner, due_at, at)], by)


# ---- to be read ----


def list_open(conn: sa.Connection, known: Reach, wanted: Wanted = ALL, *, limit: int = 50, offset: int = 0) -> list[Row]:
    """Those of a state, or all that are not closed: without owner first, then those due soonest, and so the overdue before the
    others; closed ones the newest first."""
    order = [rectifications.c.owner.is_not(None), rectifications.c.due_at, rectifications.c.id]
    order = [rectifications.c.closed_at.desc(), rectifications.c.id] if wanted.state is State.CLOSED else order
    query = _rows().where(*_where(known, wanted)).order_by(*order).limit(limit).offset(offset)
    return [_row(found) for found in conn.execute(query).mappings()]


def count(conn: sa.Connection, known: Reach, wanted: Wanted = ALL) -> int:
    """How many `list_open` would list."""
    query = sa.select(sa.func.count()).select_from(rectifications.join(_PLACE, rectifications.c.gate == gates.c.id))
    return conn.scalar(query.where(*_where(known, wanted))) or 0


def summary(conn: sa.Connection, known: Reach, now: datetime) -> Summary:
    """How those within reach stand that are not closed."""
    late, nobody = rectifications.c.due_at < now, rectifications.c.owner.is_(None)
    counted = [sa.func.count(), *(sa.func.count(sa.case((one, 1))) for one in (late, nobody))]
    joined = rectifications.join(_PLACE, rectifications.c.gate == gates.c.id)
    found = conn.execute(sa.select(*counted).select_from(joined).where(*_where(known, ALL))).one()
    return Summary(not_closed=found[0], overdue=found[1], ownerless=found[2])


def not_closed(conn: sa.Connection) -> list[Rectification]:
    """All that are not closed, the oldest first."""
    return _load(conn, _OPEN)


def one(conn: sa.Connection, id: str) -> Story | None:
    """One with its steps; None: there is none."""
    row = conn.execute(_rows().where(rectifications.c.id == id)).mappings().first()
    query = sa.select(rectification_steps).where(rectification_steps.c.rectification == id).order_by(rectification_steps.c.id)
    steps = [
        StepRow(at=s["at"], by=s["by"], step=Step(s["step"]), note=s["note"], picture=s["picture"])
        for s in conn.execute(query).mappings()
    ]
    return None if row is None else Story(row=_row(row), steps=tuple(steps))


def picture(conn: sa.Connection, id: str) -> tuple[str, bytes] | None:
    """The compound and the JPEG of a picture that belongs to a rectification's step; None: there is none."""
    joined = pictures.join(rectification_steps, rectification_steps.c.picture == pictures.c.id).join(
        rectifications, rectification_steps.c.rectification == rectifications.c.id
    ).join(gates, rectifications.c.gate == gates.c.id)  # fmt: skip
    row = conn.execute(sa.select(gates.c.compound, pictures.c.jpeg).select_from(joined).where(pictures.c.id == id)).first()
    return None if row is None else (row.compound, row.jpeg)


def owners(conn: sa.Connection, compound: str, at: datetime) -> list[Account]:
    """The accounts that may answer for a compound, those that cover it most narrowly first, liaisons before others."""
    return _covering(list_accounts(conn), _compound(conn, compound), at)


def default_owner(known: Sequence[Account]) -> str | None:
    """Of the accounts that cover a compound, the liaison that covers it most narrowly; None: there is no liaison."""
    return next((account.id for account in known if account.role is Role.LIAISON), None)


def _covering(known: Iterable[Account], compound: Compound, at: datetime) -> list[Account]:
    ranked = []
    for account in known:
        kinds = [scope.kind for scope in account.scopes if reach([scope], [compound]) != frozenset()]
        if kinds and may(account.role, Action.ANSWER) and not is_over(account, at):
            narrow = min(_NARROW.index(kind) for kind in kinds)
            ranked.append(((account.role is not Role.LIAISON, narrow, len(account.scopes), account.id), account))
    return [account for _, account in sorted(ranked, key=lambda pair: pair[0])]


def _compound_of(conn: sa.Connection, gate: str) -> str:
    return str(conn.scalar(sa.select(gates.c.compound).where(gates.c.id == gate)))


def _compound(conn: sa.Connection, id: str) -> Compound:
    joined = compounds.join(committees, compounds.c.committee == committees.c.id)
    query = sa.select(compounds.c.id, committees.c.id, committees.c.area).select_from(joined)
    return Compound(*conn.execute(query.where(compounds.c.id == id)).one())


def _where(known: Reach, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    made = [rectifications.c.state == wanted.state.value if wanted.state else _OPEN]
    made += [gates.c.compound.in_(sorted(known))] if known is not None else []
    made += [rectifications.c.owner == wanted.owner] if wanted.owner is not None else []
    made += [areas.c.id == wanted.area] if wanted.area else []
    return made + ([gates.c.id == wanted.gate] if wanted.gate else [])


def _rows() -> sa.Select[Any]:
    return sa.select(
        rectifications, gates.c.name.label("gate_name"), compounds.c.id.label("compound"),
        compounds.c.name.label("compound_name"), areas.c.id.label("area"), areas.c.name.label("area_name"),
    ).select_from(rectifications.join(_PLACE, rectifications.c.gate == gates.c.id))  # fmt: skip


def _row(row: Any) -> Row:
    named = {name: row[name] for name in Row.__struct_fields__ if name != "rectification"}
    return Row(rectification=_read(row), **named)


# ---- reading and writing one ----


def _hold(conn: sa.Connection) -> None:
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _load(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Rectification]:
    query = sa.select(rectifications).where(*where).order_by(rectifications.c.opened_at, rectifications.c.id)
    return [_read(row) for row in conn.execute(query).mappings()]


def _read(row: Any) -> Rectification:
    values = {name: row[name] for name in Rectification.__struct_fields__}
    by = rectify.ClosedBy(row["closed_by"]) if row["closed_by"] else None
    return Rectification(**values | {"cause": Cause(row["cause"]), "state": State(row["state"]), "closed_by": by})


def _require(conn: sa.Connection, id: str) -> Rectification:
    found = _load(conn, rectifications.c.id == id)
    if not found:
        raise RegistryError(f"no rectification {id[:64]!r}")
    return found[0]


def _require_open(conn: sa.Connection, id: str) -> Rectification:
    _hold(conn)
    known = _require(conn, id)
    if known.state is State.CLOSED:
        raise RegistryError(f"rectification {id[:64]!r} is closed already")
    return known


def _write(conn: sa.Connection, changes: Sequence[Changed], by: str | None, picture: str | None = None) -> list[Changed]:
    """Write what changed, each with its step; new ones get their id and their owner."""
    owned = _owners(conn, [changed for changed in changes if not changed.after.id])
    made = []
    for changed in changes:
        after = changed.after
        if after.id:
            conn.execute(sa.update(rectifications).where(rectifications.c.id == after.id).values(_columns(after)))
        else:
            after = replace(after, id=uuid4().hex, owner=owned[after.gate])
            conn.execute(sa.insert(rectifications).values(_columns(after)))
        made.append(replace(changed, after=after))
    if made:
        conn.execute(sa.insert(rectification_steps), [
            {"rectification": one.after.id, "at": one.at, "by": by, "step": one.step.value, "note": one.note[:NOTE_KEPT],
             "picture": picture}
            for one in made
        ])  # fmt: skip
        meta.bump(conn)
    return made


def _owners(conn: sa.Connection, opened: Sequence[Changed]) -> dict[str, str | None]:
    """Whose new ones are to be, by their gate."""
    if not opened:
        return {}
    columns = (gates.c.id.label("gate"), compounds.c.id, committees.c.id.label("committee"), committees.c.area)
    rows = conn.execute(sa.select(*columns).select_from(_PLACE)).all()
    wanted, known = {changed.after.gate for changed in opened}, list_accounts(conn)
    lying = {row.gate: Compound(row.id, row.committee, row.area) for row in rows if row.gate in wanted}
    owner = {one.id: default_owner(_covering(known, one, opened[0].at)) for one in {c.id: c for c in lying.values()}.values()}
    return {gate: owner[compound.id] for gate, compound in lying.items()}


def _columns(one: Rectification) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Rectification.__struct_fields__}
