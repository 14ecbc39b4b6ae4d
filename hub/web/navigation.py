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
    Part("/colours", "colours", Action.SETTINGS, ("/colours",)),
    Part("/settings/stations", "station_settings", Action.SETTINGS, ("/settings/stations",)),
    Part("/people", "nav.people", Action.ACCOUNTS, ("/people",)),
    Part("/tokens", "nav.tokens", Action.ACCOUNTS, ("/tokens",)),
)


def parts() -> list[Part]:
    """Those that the account of this request may go to; none before it has signed in."""
    return [part for part in PARTS if allowed(part.action)] if current_user.is_authenticated else []
