"""Who may do what, and where: roles, actions, and the compounds that an account answers for. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What somebody is in the sub-district; a guest only looks, and until a date."""

    ADMIN = "admin"
    """管理员: runs the hub itself."""
    SUPERVISOR = "supervisor"
    """督查员: sees to it that every gate has its five."""
    REGISTRAR = "registrar"
    """登记员: keeps households, passes and the rota."""
    LIAISON = "liaison"
    """联络员, 居委, 物业: answers for its own compounds."""
    INSPECTOR = "inspector"
    """督查组: looks at gates and says what is so."""
    GUEST = "guest"
    """来访: looks, until a date."""


class Action(StrEnum):
    """One thing that can be done at the hub; every page, form and command needs one of these."""

    VIEW = "view"
    """See gates, their five, their entries without personal data, rectifications, alerts, reports."""
    OPEN_PERSONAL = "open_personal"
    """Open what the stations seal: names, phones, dwellings, photos."""
    INSPECT = "inspect"
    """Look at a gate and send what was found."""
    RECTIFY = "rectify"
    """Open and close rectifications, set owner and due time, have them looked at again."""
    ANSWER = "answer"
    """Say what was done about a rectification or a task."""
    TASK = "task"
    """Give tasks."""
    ALERT = "alert"
    """Acknowledge and silence alerts."""
    REGISTER = "register"
    """Keep households, holders, passes, bookings, notices."""
    HEALTH = "health"
    """Set colours, isolating and homecoming."""
    ROTA = "rota"
    """Say who is to be on duty."""
    PLACES = "places"
    """Add and change areas, committees, compounds, gates, stations; import and export."""
    COMMAND = "command"
    """Ask a station for a self-test, a picture, a restart; open a barrier."""
    SETTINGS = "settings"
    """Change policies, colours, settings of stations, channels of alerts."""
    ACCOUNTS = "accounts"
    """Add and change accounts and tokens."""
    AUDIT = "audit"
    """Read the audit log."""
    FIND = "find"
    """Ask who passed a gate when."""


_LOOKING = frozenset({Action.VIEW})
_ANSWERING = _LOOKING | {Action.ANSWER, Action.ALERT, Action.OPEN_PERSONAL, Action.ROTA, Action.REGISTER}
_SUPERVISING = _ANSWERING | {
    Action.INSPECT, Action.RECTIFY, Action.TASK, Action.HEALTH, Action.COMMAND, Action.FIND, Action.SETTINGS,
}  # fmt: skip

RIGHTS: Mapping[Role, frozenset[Action]] = {
    Role.ADMIN: frozenset(Action),
    Role.SUPERVISOR: _SUPERVISING,
    Role.REGISTRAR: _LOOKING | {Action.OPEN_PERSONAL, Action.REGISTER, Action.HEALTH, Action.ROTA, Action.PLACES},
    Role.LIAISON: _ANSWERING,
    Role.INSPECTOR: _LOOKING | {Action.INSPECT},
    Role.GUEST: _LOOKING,
}


class ScopeKind(StrEnum):
    """How much one line of an account's scope covers."""

    ALL = "all"
    AREA = "area"
    COMMITTEE = "committee"
    COMPOUND = "compound"


class Scope(msgspec.Struct, frozen=True, order=True):
    """One line of what an account answers for: everything, or a place with all that is in it."""

    kind: ScopeKind
    place: str = ""
    """The place's id; empty with `ALL`."""


Reach = frozenset[str] | None
"""The ids of the compounds that an account may see and act on; None: all of them."""


class Compound(msgspec.Struct, frozen=True):
    """A compound, and the places it lies in."""

    id: str
    committee: str
    area: str


def may(role: Role, action: Action) -> bool:
    """Whether the role has the right."""
    return action in RIGHTS[role]


def reach(scopes: Iterable[Scope], compounds: Iterable[Compound]) -> Reach:
    """The compounds that these scopes cover.

    >>> sorted(reach([Scope(ScopeKind.AREA, "north")], [Compound("c1", "k1", "north"), Compound("c2", "k2", "south")]))
    ['c1']
    """
    wanted = set(scopes)
    if any(scope.kind is ScopeKind.ALL for scope in wanted):
        return None
    return frozenset(
        one.id
        for one in compounds
        if not wanted.isdisjoint(
            {Scope(ScopeKind.AREA, one.area), Scope(ScopeKind.COMMITTEE, one.committee), Scope(ScopeKind.COMPOUND, one.id)}
        )
    )


def within(known: Reach, compound: str) -> bool:
    """Whether the compound is in reach."""
    return known is None or compound in known
