"""The last 24 hours of a gate as lanes of bars: one for its status, one for each of the five. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contract.five import Item
from hub.rules.compliance import Status
from hub.status import IntervalRow

HOURS = 24
TICK_HOURS = 3
MINUTES = HOURS * 60

KINDS = {
    "compliant": "good",
    "present": "good",
    "non_compliant": "bad",
    "missing": "bad",
    "unreachable": "unknown",
    "unknown": "unknown",
    "closed": "closed",
}
"""How each state is drawn: in colour, height and pattern."""


@dataclass(frozen=True)
class Bar:
    """One interval within the axis; `x` and `width` in minutes from its left end."""

    kind: str
    state: str
    x: float
    width: float
    began_at: datetime
    ended_at: datetime | None
    """None: it goes on."""


@dataclass(frozen=True)
class Lane:
    """The bars of the gate's status or of one item; `what` is `status` or the item."""

    what: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Timeline:
    """Lanes over an axis that ends with the current hour; `now_x` in minutes."""

    begins: datetime
    ticks: tuple[datetime, ...]
    now_x: float
    lanes: tuple[Lane, ...]


def axis_begins(now: datetime, zone: ZoneInfo) -> datetime:
    """The left end: 24 hours before the end of the local hour that `now` is in."""
    hour = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    return (hour + timedelta(hours=1)).astimezone(now.tzinfo) - timedelta(hours=HOURS)


def timeline(intervals: Iterable[IntervalRow], now: datetime, zone: ZoneInfo) -> Timeline:
    """The lanes in the order of the five, the gate's own first."""
    begins = axis_begins(now, zone)
    known = sorted(intervals, key=lambda i: i.began_at)
    lanes = tuple(_lane(what, known, begins, now) for what in ("status", *Item))
    ticks = tuple(begins + timedelta(hours=h) for h in range(0, HOURS, TICK_HOURS))
    return Timeline(begins, ticks, _minutes(now - begins), lanes)


def _lane(what: str, intervals: Sequence[IntervalRow], begins: datetime, now: datetime) -> Lane:
    mine = [i for i in intervals if i.what == what and (i.ended_at or now) > begins and i.began_at < now]
    return Lane(what, tuple(_bar(i, begins, now) for i in mine))


def _bar(interval: IntervalRow, begins: datetime, now: datetime) -> Bar:
    left = max(interval.began_at, begins)
    right = min(interval.ended_at or now, now)
    return Bar(
        kind=KINDS.get(interval.state, "unknown"),
        state=interval.state,
        x=_minutes(left - begins),
        width=max(_minutes(right - left), 1.0),  # a minute at least, so that no gap goes unseen
        began_at=interval.began_at,
        ended_at=interval.ended_at,
    )


def _minutes(span: timedelta) -> float:
    return round(span.total_seconds() / 60, 1)


def state_key(what: str, state: str) -> str:
    """The key of a state's word in the texts."""
    return f"status.{state}" if state in set(Status) else f"item.{state}"
