"""Bearer tokens (RFC 6750) for other programs: shown once and kept as a hash; one does no more than its account may."""

import hashlib
import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from hub import revocations
from hub.registry import accounts
from hub.registry.accounts import Account
from hub.registry.errors import RegistryError
from hub.revocations import Ending, Thing
from hub.rights import Action, may
from hub.store.supervision import tokens as table
from hub.store.writing import writing

log = logging.getLogger(__name__)
PREFIX = "gp_"
"""What every token begins with, so that one that leaked into a file can be searched for."""
USEFUL = (Action.VIEW, Action.ALERT)
"""What the API has a use for."""
NOTED_EVERY = timedelta(minutes=1)
LONGEST = timedelta(days=3660)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it is listed: never the token itself."""

    id: str
    name: str
    account: str
    actions: frozenset[Action]
    made_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    """To the minute; None: never."""
    revoked_at: datetime | None


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """Who shows a good token, and what may be done with it: no more than the account may do now."""

    token: Token
    account: Account

    def may(self, action: Action) -> bool:
        """Whether both the token and its account have the right."""
        return action in self.token.actions and may(self.account.role, action)


def add(
    conn: sa.Connection, *, name: str, account: str, actions: Iterable[Action], at: datetime, expires_at: datetime | None
) -> tuple[str, str]:
    """Make a token for an account; returns its id and the token, which nobody can read again. Raises `RegistryError`."""
    owner, wanted = accounts.require(conn, account), sorted(set(actions))
    if not name.strip():
        raise RegistryError("a token needs a name: say which program it is for")
    if not wanted:
        raise RegistryError(f"a token needs at least one right: {', '.join(USEFUL)}")
    beyond = [action for action in wanted if not may(owner.role, action)]
    if beyond:
        raise RegistryError(f"account {owner.id!r} ({owner.role}) may not {', '.join(beyond)}: choose another account")
    if expires_at is not None and not at < expires_at <= at + LONGEST:
        raise RegistryError("a token ends after today and within ten years: choose another date")
    id, secret = uuid4().hex, PREFIX + secrets.token_urlsafe(32)
    row = {"id": id, "name": name.strip()[:200], "hash": _hash(secret), "account": owner.id, "actions": wanted}
    conn.execute(sa.insert(table).values(**row, made_at=at, expires_at=expires_at))
    return id, secret


def revoke(conn: sa.Connection, id: str, at: datetime) -> None:
    """The token is good for nothing from now on. Raises `RegistryError` for one that is not there or was revoked before."""
    found = sa.update(table).where(table.c.id == id, table.c.revoked_at.is_(None)).values(revoked_at=at)
    if conn.execute(found).rowcount == 0:
        raise RegistryError(f"no token {id[:64]!r} in use: see `hub token list`")
    revocations.note(conn, Ending(what=Thing.TOKEN, id=id, at=at))


def listed(conn: sa.Connection, limit: int = 500) -> list[Token]:
    """The tokens, those in use first, then the newest first."""
    order = table.c.revoked_at.is_not(None), table.c.made_at.desc(), table.c.id
    return [_token(row) for row in conn.execute(sa.select(table).order_by(*order).limit(limit)).mappings()]


def bearer(conn: sa.Connection, secret: str, at: datetime) -> Bearer | None:
    """Who shows this token at `at`; None when it is unknown, revoked or over, or its account can't be used."""
    row = conn.execute(sa.select(table).where(table.c.hash == _hash(secret))).mappings().first()
    if row is None:
        return None
    token = _token(row)
    if token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= at):
        return None
    account = accounts.find(conn, token.account, at=at)
    return None if account is None else Bearer(token=token, account=account)


def used(engine: sa.Engine, token: Token, at: datetime) -> None:
    """Note that a token was used, once a minute; a store that is busy is no reason to refuse whoever asks."""
    if token.used_at is not None and at - token.used_at < NOTED_EVERY:
        return
    try:
        with writing(engine) as conn:
            conn.execute(sa.update(table).where(table.c.id == token.id).values(used_at=at))
    except sa.exc.OperationalError as error:
        log.warning("not noted that token %s was used: %s", token.id, error.orig)


def _hash(secret: str) -> str:
    """Plain SHA-256: the token is 256 random bits, which nobody guesses."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: Any) -> Token:
    known = {action.value for action in Action}
    actions = frozenset(Action(name) for name in row["actions"] if name in known)
    names = ("id", "name", "account", "made_at", "expires_at", "used_at", "revoked_at")
    return Token(**{name: row[name] for name in names}, actions=actions)
