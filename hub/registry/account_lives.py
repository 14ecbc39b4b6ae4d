"""The lives of accounts: sessions that are ended, and accounts that were disabled and may be taken up again."""

import sqlalchemy as sa

from hub.registry.accounts import Account
from hub.rights import Role, Scope, ScopeKind
from hub.store.supervision import scopes
from hub.store.tables import accounts


def end_sessions(conn: sa.Connection, id: str) -> None:
    """Whoever is signed in as this account has to sign in again."""
    conn.execute(sa.update(accounts).where(accounts.c.id == id).values(life=accounts.c.life + 1))


def disabled(conn: sa.Connection, id: str | None = None) -> list[Account]:
    """The accounts that were disabled (the one of this id), with the rights that they had, by id."""
    query = sa.select(accounts).where(accounts.c.disabled_at.is_not(None)).order_by(accounts.c.id)
    rows = conn.execute(query if id is None else query.where(accounts.c.id == id)).all()
    had: dict[str, list[Scope]] = {row.id: [] for row in rows}
    for one in conn.execute(sa.select(scopes).where(scopes.c.account.in_(query.with_only_columns(accounts.c.id).order_by(None)))):
        had.setdefault(one.account, []).append(Scope(ScopeKind(one.kind), one.place))
    return [
        Account(
            id=row.id, name=row.name, role=Role(row.role), scopes=tuple(sorted(had[row.id])), expires_at=row.expires_at,
            contact=row.contact, life=row.life,
        )
        for row in rows
    ]  # fmt: skip
