"""Who may use the hub's pages: accounts with a role and a password (argon2id, RFC 9106)."""

import re
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache

import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from hub.registry.errors import RegistryError
from hub.store.tables import accounts as table

MIN_PASSWORD = 10
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_hasher = PasswordHasher()


class Role(StrEnum):
    """What an account may do: everything, inspect, answer for its own compounds, or look."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    LIAISON = "liaison"
    READER = "reader"


OPENS_PERSONAL = frozenset({Role.ADMIN, Role.SUPERVISOR})
"""Who may open what the stations seal: names, phones, dwellings, photos. A liaison may once accounts know whose is which."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the pages know it."""

    id: str
    name: str
    role: Role


def add_account(conn: sa.Connection, id: str, name: str, role: str, password: str | None = None) -> str:
    """Add an account; returns its password, a random one where none is given. Raises `RegistryError`."""
    if conn.scalar(sa.select(table.c.id).where(table.c.id == id)) is not None:
        raise RegistryError(f"account {id!r} is there already: choose another id")
    return put_account(conn, id, name, role, password)


def put_account(conn: sa.Connection, id: str, name: str, role: str, password: str | None = None) -> str:
    """Add an account, or give the one that is there this name, role and password. Raises `RegistryError`."""
    if not _ID.fullmatch(id):
        raise RegistryError(f"account id {id[:80]!r}: letters, digits, . _ and -, 64 at most")
    if role not in set(Role):
        raise RegistryError(f"role {role!r}: it may be one of {', '.join(Role)}")
    password = password or secrets.token_urlsafe(12)
    if len(password) < MIN_PASSWORD:
        raise RegistryError(f"a password has at least {MIN_PASSWORD} characters")
    values = {"name": name or id, "role": role, "password": _hasher.hash(password), "disabled_at": None}
    if conn.execute(sa.update(table).where(table.c.id == id).values(**values)).rowcount == 0:
        conn.execute(sa.insert(table).values(id=id, created_at=datetime.now(UTC), **values))
    return password


def verify(conn: sa.Connection, id: str, password: str) -> Account | None:
    """The account whose password this is; None for a wrong one, an unknown id or a disabled account, in like time."""
    row = conn.execute(sa.select(table).where(table.c.id == id, table.c.disabled_at.is_(None))).first()
    nobody = _nobody()
    try:
        _hasher.verify(nobody if row is None else row.password, password)
    except (Argon2Error, InvalidHashError):
        return None
    return None if row is None else _account(row)


@cache
def _nobody() -> str:
    """Verified against for an account that is not there, so that the time taken does not tell which are."""
    return _hasher.hash(secrets.token_urlsafe(12))


def find(conn: sa.Connection, id: str) -> Account | None:
    """An account that is not disabled, by its id."""
    row = conn.execute(sa.select(table).where(table.c.id == id, table.c.disabled_at.is_(None))).first()
    return None if row is None else _account(row)


def list_accounts(conn: sa.Connection) -> list[Account]:
    """Every account that is not disabled, by id."""
    return [_account(row) for row in conn.execute(sa.select(table).where(table.c.disabled_at.is_(None)).order_by(table.c.id))]


def _account(row: sa.Row[tuple[object, ...]]) -> Account:
    return Account(id=row._mapping["id"], name=row._mapping["name"], role=Role(row._mapping["role"]))
