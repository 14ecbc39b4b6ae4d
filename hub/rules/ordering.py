"""Commands to stations: how long one lives, what has become of it, and when a barrier may be opened from the hub. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from contract.five import Basis, Item
from hub.rules.compliance import GateStatus, Status, Value

LIVES = timedelta(seconds=30)
"""contract.messages.Command: what a station has not got by then it never gets."""


class OrderState(StrEnum):
    """What has become of a command."""

    WAITING = "waiting"
    """Not yet handed to the broker."""
    SENT = "sent"
    """Under way, or being carried out."""
    DONE = "done"
    FAILED = "failed"
    """The station answered that it could not."""
    UNREACHED = "unreached"
    """Its time is over without an answer; it is not sent again."""


class Order(Value, frozen=True, kw_only=True):
    """A command to a station, and its answer."""

    id: str
    station: str
    what: str
    made_at: datetime
    made_by: str
    argument: str = ""
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    ok: bool | None = None
    detail: str = ""


def state(order: Order, now: datetime) -> OrderState:
    """What has become of a command by `now`; an answer that comes late counts as well."""
    if order.answered_at is not None:
        return OrderState.DONE if order.ok else OrderState.FAILED
    if now >= order.made_at + LIVES:
        return OrderState.UNREACHED
    return OrderState.WAITING if order.sent_at is None else OrderState.SENT


def is_under_way(order: Order, now: datetime) -> bool:
    """Whether its answer may still come in time."""
    return state(order, now) in (OrderState.WAITING, OrderState.SENT)


def barrier_refused(gate: GateStatus, *, blind: bool) -> str | None:
    """Why the hub does not open a gate's barrier: nobody is known to be on shift there, and whom an inspector saw a while ago may
    not be. None: it may."""
    if blind:
        return "blind"
    if gate.status is Status.UNREACHABLE:
        return "unreachable"
    volunteer = gate.items[Item.VOLUNTEER]
    return None if volunteer.present and volunteer.basis != Basis.INSPECTED else "no_volunteer"
