"""Who may give which rights: nobody more than their own, and somebody always governs. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

import msgspec

from hub.rights import RIGHTS, Action, Role, Scope, ScopeKind

Above = Mapping[Scope, Scope]
"""Of each committee its area, of each compound its committee."""


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What an account may, where, and until when (None: for good)."""

    role: Role
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None


class Excess(StrEnum):
    """In which way rights go beyond those of whoever would give them."""

    ROLE = "role"
    SCOPES = "scopes"
    END = "end"


def exceeds(mine: Rights, theirs: Rights, above: Above) -> Excess | None:
    """In which way `theirs` go beyond `mine`; None: they are mine to give, to change and to take away.

    Who may make accounts makes none that could make accounts for longer than they themselves.
    """
    if not RIGHTS[theirs.role] <= RIGHTS[mine.role]:
        return Excess.ROLE
    if not all(covers(mine.scopes, one, above) for one in theirs.scopes):
        return Excess.SCOPES
    if Action.ACCOUNTS in RIGHTS[theirs.role] and mine.expires_at is not None:
        return Excess.END if theirs.expires_at is None or theirs.expires_at > mine.expires_at else None
    return None


def covers(mine: Iterable[Scope], wanted: Scope, above: Above) -> bool:
    """Whether these scopes hold the wanted one whole, whatever is added to it later.

    >>> area, committee = Scope(ScopeKind.AREA, "north"), Scope(ScopeKind.COMMITTEE, "k1")
    >>> covers([area], committee, {committee: area}), covers([committee], area, {committee: area})
    (True, False)
    """
    held = set(mine)
    if Scope(ScopeKind.ALL) in held:
        return True
    at: Scope | None = wanted
    while at is not None:
        if at in held:
            return True
        at = above.get(at)
    return False


def governs(rights: Rights) -> bool:
    """Whether this is an administrator of everything, for good: one of these there must always be."""
    return rights.role is Role.ADMIN and Scope(ScopeKind.ALL) in rights.scopes and rights.expires_at is None


def scope_text(scope: Scope) -> str:
    """`all`, `area:north`: a scope as forms and commands write it."""
    return scope.kind.value if scope.kind is ScopeKind.ALL else f"{scope.kind}:{scope.place}"


def read_scope(text: str) -> Scope:
    """The scope that `scope_text` wrote. Raises ValueError.

    >>> read_scope("compound:c1")
    Scope(kind=<ScopeKind.COMPOUND: 'compound'>, place='c1')
    """
    kind, _, place = text.partition(":")
    if kind not in set(ScopeKind) or (kind == ScopeKind.ALL) == bool(place):
        raise ValueError(f"{text[:80]!r}: write all, area:ID, committee:ID or compound:ID")
    return Scope(ScopeKind(kind), place)


def end_of(day: date, zone: tzinfo) -> datetime:
    """When an account ends whose last day this is: midnight after it, local."""
    return datetime.combine(day + timedelta(days=1), time(), zone)


def last_day(end: datetime, zone: tzinfo) -> date:
    """The last local day on which an account that ends then can be used."""
    return (end - timedelta(microseconds=1)).astimezone(zone).date()
