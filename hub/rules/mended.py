"""What became of rectifications in a period, and what inspections found in it. Pure."""

from collections.abc import Iterable
from datetime import datetime

from hub.rules.compliance import Value
from hub.rules.durations import Period


class Mending(Value, frozen=True, kw_only=True):
    """A rectification as the report and the signs of gaming look at it."""

    id: str
    gate: str
    item: str
    opened_at: datetime
    due_at: datetime
    owner: str | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    reopened: int = 0
    recurrence: int = 0
    reopened_at: datetime | None = None
    """When a re-check or a finding last opened it again, within the period; None: not within it."""


class Mendings(Value, frozen=True, kw_only=True):
    """整改 in a period; the lists are the longest or the most often first."""

    opened: int
    closed: int
    by_recheck: int
    """Of the closed."""
    open_at_end: int
    overdue: tuple[Mending, ...]
    reopened: tuple[Mending, ...]
    recurring: tuple[Mending, ...]


def mendings(known: Iterable[Mending], period: Period) -> Mendings:
    """What became of the rectifications in a period, as it was at the period's end."""
    begun = [one for one in known if one.opened_at < period.end]
    closed = [one for one in begun if one.closed_at is not None and period.begin <= one.closed_at < period.end]
    remaining = [one for one in begun if one.closed_at is None or one.closed_at >= period.end]
    alive = [*closed, *remaining]
    return Mendings(
        opened=sum(one.opened_at >= period.begin for one in begun),
        closed=len(closed),
        by_recheck=sum(one.closed_by == "recheck" for one in closed),
        open_at_end=len(remaining),
        overdue=tuple(sorted((one for one in remaining if one.due_at < period.end), key=lambda one: one.due_at)),
        reopened=tuple(sorted((one for one in alive if one.reopened_at), key=lambda one: -one.reopened)),
        recurring=tuple(sorted((one for one in alive if one.recurrence), key=lambda one: -one.recurrence)),
    )


class Inspected(Value, frozen=True, kw_only=True):
    """A sent inspection: `lacking` names the items found missing, `conduct` is None where nobody looked at it."""

    id: str
    gate: str
    method: str
    observed_at: datetime
    by: str
    lacking: tuple[str, ...] = ()
    fine: tuple[str, ...] = ()
    conduct: bool | None = None
    acted_well: bool | None = None
    """What the gate did with an actor (演员查); None: none was sent, or nobody knows."""

    @property
    def found_fault(self) -> bool:
        """Whether anything was found wrong."""
        return bool(self.lacking) or self.conduct is False or self.acted_well is False


class Method(Value, frozen=True, kw_only=True):
    """What the inspections by one method found."""

    method: str
    made: int
    gates: int
    with_fault: int
    lacking: dict[str, int]
    """How often each item was found missing."""
    bad_conduct: int
    acted_badly: int = 0


def by_method(inspections: Iterable[Inspected]) -> list[Method]:
    """A line for each method that was used, the most used first."""
    grouped: dict[str, list[Inspected]] = {}
    for one in inspections:
        grouped.setdefault(one.method, []).append(one)
    return [
        Method(
            method=method, made=len(found), gates=len({one.gate for one in found}),
            with_fault=sum(one.found_fault for one in found),
            lacking={item: n for item in sorted({i for one in found for i in one.lacking})
                     if (n := sum(item in one.lacking for one in found))},
            bad_conduct=sum(one.conduct is False for one in found),
            acted_badly=sum(one.acted_well is False for one in found),
        )
        for method, found in sorted(grouped.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    ]  # fmt: skip
