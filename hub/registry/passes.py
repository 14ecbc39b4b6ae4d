"""出入证: issued, revoked, and what changes of them afterwards. Every change raises the directory's version with it."""

import os
import re
from datetime import UTC, datetime, timedelta

import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher

from contract import passes as contract_passes
from contract.directory import pin_secret
from contract.opening import opening_key, public_half
from contract.passes import BADGES, Pass, PassKind
from hub import revocations
from hub.config import Located
from hub.registry import colours, keys, versions
from hub.registry.day_codes import ensure_day_codes
from hub.registry.errors import RegistryError
from hub.registry.masking import mask
from hub.revocations import Revocation
from hub.store import tables
from hub.store.tables import passes as table

__all__ = [
    "ACTOR", "IssuedPass", "ensure_day_codes", "find", "issue", "list_passes", "opens_nothing", "revoke", "set_colour",
    "set_isolating", "set_pin",
]  # fmt: skip

ROSTERED = frozenset({PassKind.RESIDENT, PassKind.WORKER})
"""Kinds of pass whose holders stand in the roster that the stations are told of."""

DEFAULT_DAYS = {PassKind.VISITOR: 1, PassKind.ENROLMENT: 1, PassKind.WORKER: 30, PassKind.VOLUNTEER: 30, PassKind.SUPERVISOR: 30}
"""How long a pass is good for when nobody says; any other kind: 90."""
ACTOR = "actor:"
"""Before the account in `issued_by`: of a pass made for 演员查 (`hub.acting`), which is nobody's and stands in no list."""
_SLACK = timedelta(minutes=1)
"""A station's clock may run behind the hub's: a pass issued now must be good there now."""
_PIN = re.compile(r"[0-9]{4,8}")


class IssuedPass(msgspec.Struct, frozen=True, kw_only=True):
    """A pass as the registry keeps it. The name is masked: the whole one is kept nowhere."""

    id: str
    token: str
    kind: PassKind
    compound: str
    masked_name: str
    dwelling: str
    plate: str
    not_before: datetime
    expires: datetime
    colour: str | None = None
    isolating: bool = False
    revoked_at: datetime | None = None
    opens: str | None = None
    """Of a badge: the public half of its opening key (`contract.opening`)."""

    def __repr__(self) -> str:
        return f"IssuedPass({self.id}, {self.kind})"


def issue(
    conn: sa.Connection, located: Located, *, kind: PassKind, compound: str, name: str, by: str, dwelling: str = "",
    plate: str = "", days: int | None = None, expires: datetime | None = None, pin: str | None = None,
    at: datetime | None = None,
) -> IssuedPass:  # fmt: skip
    """Sign and store a pass, good from `at` (now) on for `days` or until `expires`. Raises `RegistryError`."""
    _check(conn, kind, compound, name, dwelling, plate, pin)
    now = (at or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    until = _expires(kind, now, days, expires)
    claims = Pass(
        id=os.urandom(16).hex(), issuer=located.settings.issuer, kind=kind, not_before=min(now, until) - _SLACK, expires=until,
        compounds=(compound,), name=mask(name), dwelling=dwelling, plate=plate,
    )  # fmt: skip
    key = keys.current(conn, keys.KeyUse.PASSES)
    token = contract_passes.issue(claims, key.kid, key.private)
    conn.execute(
        sa.insert(table).values(
            id=claims.id, kind=kind.value, compound=compound, name=claims.name, dwelling=dwelling, plate=plate, token=token,
            not_before=claims.not_before, expires=until, issued_at=now, issued_by=by, **_pin_columns(pin, token),
        )
    )  # fmt: skip
    if kind in BADGES | ROSTERED:
        versions.bump(conn, compound)
    return find(conn, claims.id)


def find(conn: sa.Connection, pass_id_or_token: str) -> IssuedPass:
    """A pass by its id or by its token. Raises `RegistryError`."""
    wanted = pass_id_or_token.strip()
    column = table.c.token if wanted.startswith(contract_passes.PREFIX) else table.c.id
    row = conn.execute(sa.select(table).where(column == wanted)).first()
    if row is None:
        raise RegistryError(f"no pass {wanted[:40]!r} was issued here: see `hub pass list`")
    return _record(row)


def list_passes(conn: sa.Connection, compound: str | None = None) -> list[IssuedPass]:
    """Every pass, of one compound or of all, the newest first."""
    query = sa.select(table).where(is_somebodys()).order_by(table.c.issued_at.desc(), table.c.id)
    return [_record(row) for row in conn.execute(query if compound is None else query.where(table.c.compound == compound))]


def is_somebodys() -> sa.ColumnElement[bool]:
    """Whether a pass is a holder's, and not one that was made for an actor's test."""
    return sa.not_(table.c.issued_by.startswith(ACTOR, autoescape=True))


def revoke(conn: sa.Connection, pass_id_or_token: str, by: str, at: datetime | None = None) -> IssuedPass:
    """吊销: stations refuse it as soon as they have heard; its photo goes. Twice is as good as once. Raises `RegistryError`."""
    known = find(conn, pass_id_or_token)
    if known.revoked_at:
        return known
    revoked_at = at or datetime.now(UTC)
    conn.execute(sa.delete(tables.photos).where(tables.photos.c.pass_id == known.id))
    told = Revocation(
        pass_id=known.id, at=revoked_at, by=by, compound=known.compound, kind=known.kind, not_before=known.not_before,
        expires=known.expires,
    )  # fmt: skip
    revocations.note(conn, told)
    return _change(conn, known, revoked_at=revoked_at, revoked_by=by)


def set_isolating(conn: sa.Connection, pass_id_or_token: str, isolating: bool) -> IssuedPass:
    """居家隔离, or no longer: stations refer the holder."""
    return _change(conn, find(conn, pass_id_or_token), isolating=isolating)


def set_colour(conn: sa.Connection, pass_id_or_token: str, colour: str | None) -> IssuedPass:
    """One of the colours, by id or label; None: the default. Raises `RegistryError`."""
    found = None if colour is None else colours.find(conn, colour)
    return _change(conn, find(conn, pass_id_or_token), colour=found)


def set_pin(conn: sa.Connection, pass_id_or_token: str, pin: str) -> IssuedPass:
    """A badge's new PIN; the badge itself stays as it is. What the old one opened, it opens no more. Raises `RegistryError`."""
    known = find(conn, pass_id_or_token)
    if known.revoked_at is not None:
        raise RegistryError(f"pass {known.id} is revoked: issue a new one")
    _check_pin(known.kind, pin)
    return _change(conn, known, **_pin_columns(pin, known.token))


def opens_nothing(one: IssuedPass, now: datetime) -> bool:
    """Whether a badge that is good `now` was issued before it could open a roster: its PIN has to be set anew."""
    return one.kind in BADGES and one.opens is None and one.revoked_at is None and one.expires > now


def _pin_columns(pin: str | None, token: str) -> dict[str, str]:
    """What is kept of a PIN: a hash to check it by, and the public half of the key that badge and PIN make."""
    if not pin:
        return {}
    return {"pin": PasswordHasher().hash(pin_secret(pin, token)), "opens": public_half(opening_key(pin, token))}


def _change(conn: sa.Connection, known: IssuedPass, **values: object) -> IssuedPass:
    conn.execute(sa.update(table).where(table.c.id == known.id).values(**values))
    versions.bump(conn, known.compound)
    return find(conn, known.id)


def _check(conn: sa.Connection, kind: PassKind, compound: str, name: str, dwelling: str, plate: str, pin: str | None) -> None:
    if conn.scalar(sa.select(tables.compounds.c.id).where(tables.compounds.c.id == compound)) is None:
        raise RegistryError(f"no compound {compound!r}: see `hub place list compound`")
    for what, text in (("name", name), ("dwelling", dwelling), ("plate", plate)):
        if len(text) > 60 or not text.isprintable():
            raise RegistryError(f"{what} {text[:60]!r}: at most 60 printable characters")
    if not (plate if kind is PassKind.VEHICLE else name).strip():
        raise RegistryError(f"a {kind} pass needs a {'plate' if kind is PassKind.VEHICLE else 'name'}")
    _check_pin(kind, pin)


def _check_pin(kind: PassKind, pin: str | None) -> None:
    if kind in BADGES and not _PIN.fullmatch(pin or ""):
        raise RegistryError(f"a {kind} badge needs a PIN of 4 to 8 digits")
    if kind not in BADGES and pin is not None:
        raise RegistryError(f"a {kind} pass has no PIN: only badges of {' and '.join(sorted(BADGES))} have one")


def _expires(kind: PassKind, now: datetime, days: int | None, expires: datetime | None) -> datetime:
    if days is not None and expires is not None:
        raise RegistryError("give either days or a time of expiry, not both")
    if expires is not None:
        return expires.astimezone(UTC).replace(microsecond=0)
    if days is not None and not 1 <= days <= 3650:
        raise RegistryError(f"days is {days}: it may be 1 to 3650")
    return now + timedelta(days=days or DEFAULT_DAYS.get(kind, 90))


def _record(row: sa.Row[tuple[object, ...]]) -> IssuedPass:
    known = dict(row._mapping)
    fields = {name: known[name] for name in IssuedPass.__struct_fields__ if name in known and name != "kind"}
    return IssuedPass(**fields, kind=PassKind(str(known["kind"])), masked_name=str(known["name"]))
