"""The parts of the pages that an account may go to, for the line below the head."""

from dataclasses import dataclass

from flask import request
from flask_login import current_user

from hub.rights import Action
from hub.web.guard import allowed


@dataclass(frozen=True)
class Part:
    """One part: where it begins, what it is called, which right it takes, and every path that belongs to it."""

    path: str
    key: str
    action: Action
    prefixes: tuple[str, ...] = ()

    @property
    def current(self) -> bool:
        """Whether the page of this request belongs to it."""
        here = request.path
        return here == self.path or any(here == one or here.startswith(f"{one}/") for one in self.prefixes)


@dataclass(frozen=True)
class Group:
    """Parts that are seldom needed, behind one word; it leads to the first of them."""

    key: str
    parts: tuple[Part, ...]

    @property
    def path(self) -> str:
        """Where it begins."""
        return self.parts[0].path

    @property
    def current(self) -> bool:
        """Whether the page of this request belongs to one of its parts."""
        return any(part.current for part in self.parts)


PARTS = (
    Part("/", "nav.gates", Action.VIEW, ("/gate",)),
    Part("/wall", "nav.wall", Action.VIEW),
    Part("/alerts", "nav.alerts", Action.VIEW, ("/alerts",)),
    Part("/rectifications", "nav.rectifications", Action.VIEW, ("/rectifications", "/tasks")),
    Part("/inspections", "nav.inspections", Action.VIEW, ("/inspections",)),
    Part("/inspect", "nav.inspect", Action.INSPECT, ("/inspect",)),
    Part("/shifts", "nav.shifts", Action.VIEW, ("/shifts",)),
    Part("/report", "nav.report", Action.VIEW, ("/report", "/trend")),
    Part("/registry", "nav.registry", Action.REGISTER, ("/registry",)),
    Part("/passes", "nav.passes", Action.REGISTER, ("/passes",)),
    Part("/notices", "notices", Action.REGISTER, ("/notices",)),
    Part("/bookings", "bookings", Action.REGISTER, ("/bookings",)),
)
SETTINGS = Group(
    "nav.settings",
    (
        Part("/settings/stations", "station_settings", Action.SETTINGS, ("/settings/stations",)),
        Part("/settings/policies", "policies", Action.SETTINGS, ("/settings/policies",)),
        Part("/colours", "colours", Action.SETTINGS, ("/colours",)),
        Part("/people", "nav.people", Action.ACCOUNTS, ("/people", "/audit")),
        Part("/tokens", "nav.tokens", Action.ACCOUNTS, ("/tokens",)),
        Part("/unread", "unread", Action.AUDIT, ("/unread",)),
    ),
)


def parts() -> list[Part | Group]:
    """Those that the account of this request may go to; none before it has signed in."""
    if not current_user.is_authenticated:
        return []
    group = _allowed(SETTINGS.parts)
    return [*_allowed(PARTS), *([Group(SETTINGS.key, group)] if group else [])]


def parts_of_group() -> tuple[Part, ...]:
    """The parts beside this request's page in its group; none where it is in no group, or alone in it."""
    open_group = next((one for one in parts() if isinstance(one, Group) and one.current), None)
    return open_group.parts if open_group is not None and len(open_group.parts) > 1 else ()


def _allowed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(part for part in parts if allowed(part.action))
