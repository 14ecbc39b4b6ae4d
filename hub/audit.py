"""The audit log: each change and each look at personal data, in lines that are only ever added to.

Each line's hash covers the line before it, so that a line taken out or changed behind the program's back is found by `broken`.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from hub.store.supervision import audit as table

_LOCK = 0x6175_6474
"""The number of PostgreSQL's advisory lock: lines are chained one after another."""
SYSTEM = "hub"
"""Who did what nobody asked for: the hub by itself."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `kind` and `object` say of what, `detail` what of it, `address` from where."""

    id: int
    at: datetime
    account: str
    action: str
    kind: str
    object: str
    detail: dict[str, Any]
    address: str
    hash: str


def note(
    conn: sa.Connection, account: str, action: str, kind: str, object: str, detail: dict[str, Any] | None = None,
    *, at: datetime | None = None, address: str = "",
) -> None:  # fmt: skip
    """Add a line, in the transaction of what it tells of. `detail` never holds personal data, a password or a token."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    last = conn.scalar(sa.select(table.c.hash).order_by(table.c.id.desc()).limit(1)) or ""
    row = {
        "at": at or datetime.now(UTC), "account": account[:64], "action": action, "kind": kind, "object": object[:200],
        "detail": detail or {}, "address": address[:64],
    }  # fmt: skip
    conn.execute(sa.insert(table).values(**row, hash=_hash(last, row)))


def lines(conn: sa.Connection, limit: int, *, before: int | None = None, account: str = "", object: str = "") -> list[Line]:
    """The newest lines, newest first: of one account, of one object, from before a line's id."""
    query = sa.select(table).order_by(table.c.id.desc()).limit(limit)
    query = query.where(table.c.id < before) if before is not None else query
    query = query.where(table.c.account == account) if account else query
    query = query.where(table.c.object == object) if object else query
    return [_line(row) for row in conn.execute(query)]


def broken(conn: sa.Connection) -> Iterator[int]:
    """The ids of the lines that do not follow from the line before: changed, or after one taken out."""
    last = ""
    for row in conn.execute(sa.select(table).order_by(table.c.id)).mappings():
        if _hash(last, row) != row["hash"]:
            yield row["id"]
        last = row["hash"]


def _hash(last: str, row: Any) -> str:
    said = [
        last,
        row["at"].astimezone(UTC).isoformat(),
        *(row[name] for name in ("account", "action", "kind", "object", "address")),
    ]
    return hashlib.sha256(msgspec.json.encode([*said, row["detail"]], order="sorted")).hexdigest()


def _line(row: sa.Row[Any]) -> Line:
    return Line(**{name: row._mapping[name] for name in Line.__struct_fields__})
