"""持证人: who holds passes of a compound, found by door or name; passes issued many at a time, and made good for longer."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

import msgspec
import sqlalchemy as sa

from contract import passes as contract_passes
from contract.passes import BADGES, Pass, PassKind
from hub.config import Located
from hub.registry import keys, versions
from hub.registry.errors import RegistryError
from hub.registry.passes import DEFAULT_DAYS, ROSTERED, IssuedPass, find, is_somebodys
from hub.store.tables import passes as table
from hub.store.tables import photos

_SLACK = timedelta(minutes=1)
"""A station's clock may run behind the hub's: a pass issued now must be good there now."""
_MANY = 1000
"""Rows of one statement."""
USUAL_DAYS = 90


class PassState(StrEnum):
    """Whether a pass is good now."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A pass as it is listed: never with its token."""

    id: str
    kind: PassKind
    compound: str
    name: str
    """Masked."""
    dwelling: str
    colour: str | None
    isolating: bool
    expires: datetime
    state: PassState
    pictured: bool


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A pass to issue; `name` is masked, `expires` None means as usual for its kind."""

    compound: str
    kind: PassKind
    name: str
    dwelling: str
    colour: str | None = None
    isolating: bool = False
    expires: datetime | None = None


class Signed(msgspec.Struct, frozen=True):
    """Passes that are signed and not stored yet, and the key that signed them."""

    kid: str
    rows: list[dict[str, object]]


def search(
    conn: sa.Connection, compounds: Sequence[str], now: datetime, *, text: str = "", colour: str = "", isolating: bool = False,
    state: PassState | None = None, limit: int, offset: int = 0,
) -> tuple[list[Holder], int]:  # fmt: skip
    """Who holds a pass of these compounds, by door and name, and how many do in all; a vehicle's pass is no holder's.

    Shorter doors come first, so that 2号101 stands before 10号101.
    """
    where = [table.c.compound.in_(compounds), table.c.kind != PassKind.VEHICLE.value, is_somebodys()]
    where += [
        sa.or_(table.c.dwelling.contains(word, autoescape=True), table.c.name.contains(word, autoescape=True))
        for word in text.split()
    ]
    where += [table.c.colour == colour] if colour else []
    where += [table.c.isolating] if isolating else []
    where += [_is(state, now)] if state else []
    count = conn.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0
    pictured = sa.exists().where(photos.c.pass_id == table.c.id).label("pictured")
    columns = [table.c[name] for name in (*Holder.__struct_fields__, "revoked_at") if name in table.c]
    query = (
        sa.select(*columns, pictured)
        .where(*where)
        .order_by(table.c.compound, sa.func.length(table.c.dwelling), table.c.dwelling, table.c.name, table.c.id)
    )
    return [_holder(row, now) for row in conn.execute(query.limit(limit).offset(offset)).mappings()], count


def sign(located: Located, key: keys.Key, wanted: Sequence[Wanted], by: str, now: datetime) -> Signed:
    """Sign passes, 0.2 ms each, outside of any transaction: nobody else's writing waits for it."""
    now = now.astimezone(UTC).replace(microsecond=0)
    rows: list[dict[str, object]] = []
    for one in wanted:
        usual = timedelta(days=DEFAULT_DAYS.get(one.kind, USUAL_DAYS))
        expires = (one.expires or now + usual).astimezone(UTC)
        claims = Pass(
            id=os.urandom(16).hex(), issuer=located.settings.issuer, kind=one.kind, not_before=min(now, expires) - _SLACK,
            expires=expires, compounds=(one.compound,), name=one.name, dwelling=one.dwelling,
        )  # fmt: skip
        rows.append({
            "id": claims.id, "kind": one.kind.value, "compound": one.compound, "name": one.name, "dwelling": one.dwelling,
            "plate": "", "token": contract_passes.issue(claims, key.kid, key.private), "colour": one.colour,
            "isolating": one.isolating, "not_before": claims.not_before, "expires": expires, "issued_at": now, "issued_by": by,
        })  # fmt: skip
    return Signed(key.kid, rows)


def store(conn: sa.Connection, signed: Signed) -> None:
    """Keep signed passes, and tell the stations of each compound once. Raises `RegistryError` when their key was rotated."""
    _require_key(conn, signed)
    for first in range(0, len(signed.rows), _MANY):
        conn.execute(sa.insert(table), signed.rows[first : first + _MANY])
    told = {str(row["compound"]) for row in signed.rows if row["kind"] in ROSTERED or row["colour"] or row["isolating"]}
    for compound in sorted(told):
        versions.bump(conn, compound)


def sign_again(conn: sa.Connection, located: Located, key: keys.Key, untils: Mapping[str, datetime]) -> Signed:
    """Tokens for passes that are to be good for longer, by their ids; to be kept by `change`."""
    rows: list[dict[str, object]] = []
    ids = sorted(untils)
    for first in range(0, len(ids), _MANY // 2):
        for row in conn.execute(sa.select(table).where(table.c.id.in_(ids[first : first + _MANY // 2]))):
            until = untils[row.id].astimezone(UTC).replace(microsecond=0)
            claims = Pass(
                id=row.id, issuer=located.settings.issuer, kind=PassKind(row.kind), not_before=row.not_before, expires=until,
                compounds=(row.compound,), name=row.name, dwelling=row.dwelling, plate=row.plate,
            )  # fmt: skip
            token = contract_passes.issue(claims, key.kid, key.private)
            rows.append({"id": row.id, "compound": row.compound, "token": token, "expires": until})
    return Signed(key.kid, rows)


def change(conn: sa.Connection, changes: Sequence[Mapping[str, object]], signed: Signed) -> None:
    """Change colour or isolating of passes (`id`, `compound`), and keep what `sign_again` signed; a compound is told once."""
    _require_key(conn, signed)
    grouped: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    for one in [*changes, *signed.rows]:
        names = tuple(sorted(one.keys() - {"id", "compound"}))
        grouped[names].append({"_id": one["id"], **{f"_{name}": one[name] for name in names}})
    for names, rows in grouped.items():
        values: dict[str, object] = {name: sa.bindparam(f"_{name}") for name in names}
        conn.execute(sa.update(table).where(table.c.id == sa.bindparam("_id")).values(**values), rows)
    for compound in sorted({str(one["compound"]) for one in [*changes, *signed.rows]}):
        versions.bump(conn, compound)


def renew(conn: sa.Connection, located: Located, pass_id: str, expires: datetime, now: datetime) -> IssuedPass:
    """The same pass, good for longer. Its id stays, and with it colour, photo and entries; the old card is good until its end.

    Raises `RegistryError` for a badge, since its PIN hangs on its token, for a revoked pass, and for an end that is no later.
    """
    known = find(conn, pass_id)
    if known.kind in BADGES:
        raise RegistryError(f"pass {known.id} is a badge: issue a new one, with its PIN")
    if known.revoked_at is not None:
        raise RegistryError(f"pass {known.id} is revoked: issue a new one")
    if expires <= max(known.expires, now):
        raise RegistryError(f"pass {known.id} is good until {known.expires:%Y-%m-%d}: give a later day")
    change(conn, [], sign_again(conn, located, keys.current(conn, keys.KeyUse.PASSES), {known.id: expires}))
    return find(conn, known.id)


def end_of(day: date, zone: tzinfo) -> datetime:
    """When a pass that is good on `day` for the last time expires: at the midnight after it."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def last_day(expires: datetime, zone: tzinfo) -> date:
    """The last day on which a pass is good."""
    return (expires - timedelta(seconds=1)).astimezone(zone).date()


def state_of(expires: datetime, revoked_at: datetime | None, now: datetime) -> PassState:
    """Whether a pass is good at `now`."""
    if revoked_at is not None:
        return PassState.REVOKED
    return PassState.EXPIRED if expires <= now else PassState.GOOD


def _require_key(conn: sa.Connection, signed: Signed) -> None:
    if signed.rows and keys.current(conn, keys.KeyUse.PASSES).kid != signed.kid:
        raise RegistryError("the key that signs passes was rotated meanwhile: do it again")


def _is(state: PassState, now: datetime) -> sa.ColumnElement[bool]:
    if state is PassState.REVOKED:
        return table.c.revoked_at.is_not(None)
    return sa.and_(table.c.revoked_at.is_(None), table.c.expires > now if state is PassState.GOOD else table.c.expires <= now)


def _holder(row: sa.RowMapping, now: datetime) -> Holder:
    fields = {name: row[name] for name in Holder.__struct_fields__ if name not in ("kind", "state", "pictured")}
    state = state_of(row["expires"], row["revoked_at"], now)
    return Holder(**fields, kind=PassKind(row["kind"]), state=state, pictured=bool(row["pictured"]))
