"""Who may use the hub's pages: accounts with a role and a password (argon2id, RFC 9106)."""

import re
import secrets
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache

import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from hub import revocations
from hub.registry.errors import RegistryError
from hub.revocations import Ending, Thing
from hub.rights import Compound, Reach, Role, Scope, ScopeKind, reach
from hub.store.supervision import scopes as scopes_table
from hub.store.tables import accounts as table
from hub.store.tables import areas, committees, compounds

MIN_PASSWORD = 10
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PLACES = {ScopeKind.AREA: areas, ScopeKind.COMMITTEE: committees, ScopeKind.COMPOUND: compounds}
_hasher = PasswordHasher()


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the pages know it."""

    id: str
    name: str
    role: Role
    scopes: tuple[Scope, ...] = (Scope(ScopeKind.ALL),)
    """What it answers for, in order; none: nothing."""
    expires_at: datetime | None = None
    """From then on it is as good as not there; None: for good."""
    contact: str = ""
    life: int = 1
    """Rises with each change of password or rights: a session of an earlier life is over."""


EVERYWHERE = (Scope(ScopeKind.ALL),)


def add_account(
    conn: sa.Connection, id: str, name: str, role: str, password: str | None = None,
    *, scopes: Iterable[Scope] = EVERYWHERE, expires_at: datetime | None = None, contact: str = "",
) -> str:  # fmt: skip
    """Add an account; returns its password, a random one where none is given. Raises `RegistryError`."""
    if conn.scalar(sa.select(table.c.id).where(table.c.id == id)) is not None:
        raise RegistryError(f"account {id!r} is there already: choose another id")
    return put_account(conn, id, name, role, password, scopes=scopes, expires_at=expires_at, contact=contact)


def put_account(
    conn: sa.Connection, id: str, name: str, role: str, password: str | None = None,
    *, scopes: Iterable[Scope] = EVERYWHERE, expires_at: datetime | None = None, contact: str = "",
) -> str:  # fmt: skip
    """Add an account, or give the one that is there this name, role, scope and password. Raises `RegistryError`."""
    if not _ID.fullmatch(id):
        raise RegistryError(f"account id {id[:80]!r}: letters, digits, . _ and -, 64 at most")
    password = password or secrets.token_urlsafe(12)
    values = {**_values(name or id, role, expires_at, contact), "password": _hashed(password), "disabled_at": None}
    _write(conn, id, values, scopes)
    return password


def change_account(
    conn: sa.Connection, id: str, *, name: str, role: str, scopes: Iterable[Scope], expires_at: datetime | None = None,
    contact: str = "",
) -> None:  # fmt: skip
    """Another name, role, scope or end; its sessions end. Raises `RegistryError`, also for the last administrator's own role."""
    scopes = tuple(scopes)
    after = Account(id=id, name=name, role=Role(role) if role in set(Role) else Role.GUEST, scopes=scopes, expires_at=expires_at)
    if _governs(require(conn, id)) and not _governs(after):
        _spare_last_admin(conn, id)
    _write(conn, id, _values(name or id, role, expires_at, contact), scopes)


def set_password(conn: sa.Connection, id: str, password: str | None = None) -> str:
    """Another password, a random one where none is given; its sessions end. Raises `RegistryError`."""
    require(conn, id)
    password = password or secrets.token_urlsafe(12)
    conn.execute(sa.update(table).where(table.c.id == id).values(password=_hashed(password), life=table.c.life + 1))
    return password


def disable(conn: sa.Connection, id: str) -> None:
    """The account can't be used any more; what it did stays. Raises `RegistryError`, also for the last administrator."""
    if _governs(require(conn, id)):
        _spare_last_admin(conn, id)
    now = datetime.now(UTC)
    conn.execute(sa.update(table).where(table.c.id == id).values(disabled_at=now, life=table.c.life + 1))
    revocations.note(conn, Ending(what=Thing.ACCOUNT, id=id, at=now))


def require(conn: sa.Connection, id: str) -> Account:
    """An account that is not disabled, even when it is over. Raises `RegistryError`."""
    known = _accounts(conn, table.c.id == id)
    if not known:
        raise RegistryError(f"no account {id[:80]!r}: see `hub account list`")
    return known[0]


def verify(conn: sa.Connection, id: str, password: str, *, at: datetime | None = None) -> Account | None:
    """The account whose password this is; None for a wrong one, an unknown id, a disabled account or one that is over at `at`
    (now); all in like time."""
    kept = conn.scalar(sa.select(table.c.password).where(table.c.id == id, table.c.disabled_at.is_(None)))
    nobody = _nobody()
    try:
        _hasher.verify(nobody if kept is None else kept, password)
    except (Argon2Error, InvalidHashError):
        return None
    return None if kept is None else find(conn, id, at=at)


@cache
def _nobody() -> str:
    """Verified against for an account that is not there, so that the time taken does not tell which are."""
    return _hasher.hash(secrets.token_urlsafe(12))


def find(conn: sa.Connection, id: str, *, at: datetime | None = None) -> Account | None:
    """An account that can be used at `at` (now), by its id; None when it is disabled, over or not there."""
    found = [one for one in _accounts(conn, table.c.id == id) if not is_over(one, at or datetime.now(UTC))]
    return found[0] if found else None


def list_accounts(conn: sa.Connection) -> list[Account]:
    """Every account that is not disabled, by id, those that are over among them."""
    return _accounts(conn)


def is_over(account: Account, at: datetime) -> bool:
    """Whether the account's end has come."""
    return account.expires_at is not None and account.expires_at <= at


def reach_of(conn: sa.Connection, account: Account) -> Reach:
    """The compounds that the account answers for."""
    joined = compounds.join(committees, compounds.c.committee == committees.c.id)
    rows = conn.execute(sa.select(compounds.c.id, committees.c.id, committees.c.area).select_from(joined))
    return reach(account.scopes, [Compound(*row) for row in rows])


def _accounts(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Account]:
    kept = defaultdict(list)
    for row in conn.execute(sa.select(scopes_table)):
        kept[row.account].append(Scope(ScopeKind(row.kind), row.place))
    rows = conn.execute(sa.select(table).where(table.c.disabled_at.is_(None), *where).order_by(table.c.id)).mappings()
    return [
        Account(id=row["id"], name=row["name"], role=Role(row["role"]), scopes=tuple(sorted(kept[row["id"]])),
                expires_at=row["expires_at"], contact=row["contact"], life=row["life"])
        for row in rows
    ]  # fmt: skip


def _values(name: str, role: str, expires_at: datetime | None, contact: str) -> dict[str, object]:
    if role not in set(Role):
        raise RegistryError(f"role {role!r}: it may be one of {', '.join(Role)}")
    if role == Role.GUEST and expires_at is None:
        raise RegistryError("a guest's account needs an end date")
    return {"name": name[:200], "role": role, "expires_at": expires_at, "contact": contact[:200]}


def _hashed(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise RegistryError(f"a password has at least {MIN_PASSWORD} characters")
    return _hasher.hash(password)


def _write(conn: sa.Connection, id: str, values: dict[str, object], wanted: Iterable[Scope]) -> None:
    if conn.execute(sa.update(table).where(table.c.id == id).values(**values, life=table.c.life + 1)).rowcount == 0:
        conn.execute(sa.insert(table).values(id=id, created_at=datetime.now(UTC), **values))
    conn.execute(sa.delete(scopes_table).where(scopes_table.c.account == id))
    rows = [{"account": id, "kind": one.kind.value, "place": _place(conn, one)} for one in sorted(set(wanted))]
    if rows:
        conn.execute(sa.insert(scopes_table), rows)


def _place(conn: sa.Connection, scope: Scope) -> str:
    if scope.kind is ScopeKind.ALL:
        return ""
    known = _PLACES[scope.kind]
    if conn.scalar(sa.select(known.c.id).where(known.c.id == scope.place)) is None:
        raise RegistryError(f"scope {scope.kind}:{scope.place[:64]}: there is none; see `hub place list {scope.kind}`")
    return scope.place


def _governs(account: Account) -> bool:
    """Whether this is an administrator of everything, for good: one of these there must always be."""
    return account.role is Role.ADMIN and Scope(ScopeKind.ALL) in account.scopes and account.expires_at is None


def _spare_last_admin(conn: sa.Connection, id: str) -> None:
    if not any(_governs(one) for one in list_accounts(conn) if one.id != id):
        raise RegistryError(f"{id!r} is the last administrator: make another one first")
