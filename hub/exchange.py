"""Lists taken in: what a file of places or of holders would change, and all of it or nothing taken in one transaction."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from contract.passes import PassKind
from hub.config import Located
from hub.registry import colours, dwellings, holders, keys, places
from hub.registry.errors import RegistryError
from hub.registry.passes import is_somebodys
from hub.rights import Reach
from hub.rules import cells_in, holders_in, places_in, sheets_in
from hub.rules.cells_in import BadFile
from hub.rules.holders_in import Allowed, HolderChange, HoldersPlan, KnownCompound, KnownHolder
from hub.rules.places_in import KnownPlace, PlaceChange, PlacesPlan
from hub.rules.sheets_in import LEVELS, PLACES, SHEET_NAMES, Checked, HolderRow, PlaceRow
from hub.store.tables import areas, committees, compounds, gates
from hub.store.tables import passes as passes_table
from hub.store.writing import writing

Plan = PlacesPlan | HoldersPlan
Rows = Checked[PlaceRow] | Checked[HolderRow]

__all__ = ["BadFile", "By", "Changed", "Plan", "apply", "digest", "preview", "read"]


class By(msgspec.Struct, frozen=True, kw_only=True):
    """Who brings a list, and what they may do."""

    account: str
    reach: Reach
    health: bool


class Changed(RegistryError):
    """The registry has changed since the preview, so that the list would do something else than was shown."""


def read(what: str, data: bytes, colours: Mapping[str, str]) -> Rows:
    """The rows of a file, checked one by one; `colours`: id → label. Raises `BadFile` alone, whatever the bytes are."""
    cells = cells_in.read(data, sheets_in.known_headings(what), SHEET_NAMES[what])
    if what == PLACES:
        return sheets_in.check_places(cells)
    return sheets_in.check_holders(cells, colours)


def preview(conn: sa.Connection, located: Located, what: str, rows: Rows, by: By, now: datetime) -> Plan:
    """What the rows would add and change in the store as it is."""
    if what == PLACES:
        return places_in.plan(rows, known_places(conn), by.reach)  # type: ignore[arg-type]
    return _preview_holders(conn, located.zone, rows, by, now)  # type: ignore[arg-type]


def digest(plan: Plan) -> str:
    """By which a plan is known again: the same list over the same registry."""
    told = plan.changes if isinstance(plan, PlacesPlan) else (plan.new, plan.changes)
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()


def apply(
    engine: sa.Engine, located: Located, what: str, rows: Rows, by: By, now: datetime, *, seen: str,
    noted: Callable[[sa.Connection, Plan], None],
) -> Plan:  # fmt: skip
    """Take the whole list in one transaction, if it still does what was `seen` (a plan's `digest`).

    Passes are signed before the transaction begins, since the stations' entries wait while it lasts. `noted` adds the audit
    line within it. Raises `Changed`, or `RegistryError` for a list with problems; then nothing was changed.
    """
    with engine.connect() as conn:
        plan = preview(conn, located, what, rows, by, now)
        _require(plan, seen)
        new, again = _signed(conn, located, plan, by, now)
    with writing(engine) as conn:
        plan = preview(conn, located, what, rows, by, now)
        _require(plan, seen)
        _require_colours(conn, plan)
        if isinstance(plan, PlacesPlan):
            _apply_places(conn, plan)
        else:
            holders.store(conn, new)
            holders.change(conn, [_health(change) for change in plan.changes if change.now.keys() - {"expires"}], again)
        noted(conn, plan)
    return plan


def known_places(conn: sa.Connection) -> list[KnownPlace]:
    """Every place, those above before those in them."""
    made = [KnownPlace(level=0, id=r.id, name=r.name) for r in conn.execute(sa.select(areas).order_by(areas.c.id))]
    made += [
        KnownPlace(level=1, id=r.id, name=r.name, parent=r.area)
        for r in conn.execute(sa.select(committees).order_by(committees.c.id))
    ]
    for r in conn.execute(sa.select(compounds).order_by(compounds.c.id)):
        people = {"liaison": r.liaison, "manager": r.manager}
        made.append(KnownPlace(level=2, id=r.id, name=r.name, parent=r.committee, fields=people))
    for r in conn.execute(sa.select(gates).order_by(gates.c.id)):
        schedule = tuple((int(a), int(b)) for a, b in r.schedule)
        made.append(KnownPlace(level=3, id=r.id, name=r.name, parent=r.compound, fields={"schedule": schedule}))
    return made


def _require(plan: Plan, seen: str) -> None:
    if plan.problems:
        raise RegistryError(f"the list has problems, {len(plan.problems)} at least: nothing was taken")
    if digest(plan) != seen:
        raise Changed("the registry has changed since the preview: look at the list again")


def _require_colours(conn: sa.Connection, plan: Plan) -> None:
    if isinstance(plan, HoldersPlan):
        given = {one.colour for one in plan.new} | {one.now.get("colour") for one in plan.changes}
        if given - {None} - colours.labels(conn).keys():
            raise Changed("a colour of the list has been removed meanwhile: look at the list again")


def _apply_places(conn: sa.Connection, plan: PlacesPlan) -> None:
    made: dict[str, str] = {}
    for change in plan.changes:
        parent = made.get(change.parent, change.parent)
        if change.was is None:
            made[change.ref] = change.id or uuid4().hex
            _add_place(conn, change, made[change.ref], parent)
        else:
            _change_place(conn, change, parent)


def _add_place(conn: sa.Connection, change: PlaceChange, id: str, parent: str) -> None:
    kind, fields = LEVELS[change.level], change.fields
    if kind == "compound":
        places.add_compound(conn, id, change.name, parent, fields.get("liaison", ""), fields.get("manager", ""))
    elif kind == "gate":
        places.add_gate(conn, id, change.name, parent, fields.get("schedule", ()))
    else:
        places.add_place(conn, places.PlaceKind(kind), id, change.name, parent)


def _change_place(conn: sa.Connection, change: PlaceChange, parent: str) -> None:
    kind, fields = LEVELS[change.level], change.fields
    if kind == "area":
        places.change_area(conn, change.id, change.name)
    elif kind == "committee":
        places.change_committee(conn, change.id, change.name, parent)
    elif kind == "compound":
        places.change_compound(conn, change.id, name=change.name, committee=parent, **fields)
    else:
        places.change_gate(conn, change.id, name=change.name, **fields)


def _preview_holders(conn: sa.Connection, zone: tzinfo, rows: Checked[HolderRow], by: By, now: datetime) -> HoldersPlan:
    listed = [KnownCompound(*row) for row in conn.execute(sa.select(compounds.c.id, compounds.c.name).order_by(compounds.c.id))]
    meant = holders_in.compounds_of(rows.rows, listed)
    known = _known_holders(conn, zone, sorted({id for ids in meant.values() for id in ids}))
    return holders_in.plan(rows, meant, known, Allowed(by.reach, by.health), now.astimezone(zone).date())


def _known_holders(conn: sa.Connection, zone: tzinfo, wanted: Sequence[str]) -> list[KnownHolder]:
    table = passes_table
    columns = (table.c.id, table.c.compound, table.c.dwelling, table.c.name, table.c.kind, table.c.colour, table.c.isolating,
               table.c.expires, table.c.revoked_at)  # fmt: skip
    query = sa.select(*columns).where(table.c.compound.in_(wanted), table.c.kind != PassKind.VEHICLE.value, is_somebodys())
    return [
        KnownHolder(
            id=r.id, key=(r.compound, *dwellings.parse(r.dwelling), r.name, r.kind), colour=r.colour, isolating=bool(r.isolating),
            expires=holders.last_day(r.expires, zone), revoked=r.revoked_at is not None,
        )
        for r in conn.execute(query.order_by(table.c.issued_at, table.c.id))
    ]  # fmt: skip


def _signed(conn: sa.Connection, located: Located, plan: Plan, by: By, now: datetime) -> tuple[holders.Signed, holders.Signed]:
    """What is new, and what is to be good for longer."""
    nothing = holders.Signed("", [])
    if isinstance(plan, PlacesPlan) or not (plan.new or plan.changes):
        return nothing, nothing
    key, zone = keys.current(conn, keys.KeyUse.PASSES), located.zone
    wanted = [
        holders.Wanted(
            compound=one.compound, kind=one.kind, name=one.name, dwelling=one.dwelling, colour=one.colour,
            isolating=one.isolating, expires=holders.end_of(one.expires, zone) if one.expires else None,
        )
        for one in plan.new
    ]  # fmt: skip
    untils = {change.id: holders.end_of(change.now["expires"], zone) for change in plan.changes if "expires" in change.now}
    return holders.sign(located, key, wanted, by.account, now), holders.sign_again(conn, located, key, untils)


def _health(change: HolderChange) -> dict[str, Any]:
    said = {name: value for name, value in change.now.items() if name != "expires"}
    return {"id": change.id, "compound": change.compound, **said}
