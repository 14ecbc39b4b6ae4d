"""What the days of a period come to, gate by gate and day by day, side by side. Pure.

Made of the daily report's own sums (hub.rules.report): nothing here decides anew what was missing. Time in which nobody knew how
a gate stood is carried along as such, and a gate of which a day says nothing was unknown for all of that day.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

from msgspec.structs import astuple

from hub.rules.compliance import Value
from hub.rules.durations import ZERO, Tally
from hub.rules.mended import Mending
from hub.rules.report import GateReport, Site

WORST = 10


class GateDay(Value, frozen=True, kw_only=True):
    """What a day was at one gate; `missing` only of items that were."""

    status: Tally
    missing: dict[str, timedelta]


class DaySums(Value, frozen=True, kw_only=True):
    """A day of every gate. `length`: how long the day is, as far as it is over."""

    day: date
    length: timedelta
    over: bool
    gates: dict[str, GateDay]


class Mended(Value, frozen=True, kw_only=True):
    """Rectifications of a day, and how many were not closed at its end."""

    opened: int
    closed: int
    open_at_end: int


class TrendDay(Value, frozen=True, kw_only=True):
    """What a day was at some gates together."""

    day: date
    over: bool
    tally: Tally
    missing: dict[str, timedelta]
    mended: Mended


class Worst(Value, frozen=True, kw_only=True):
    """What the period was at one gate. `days`: on how many something was missing."""

    site: Site
    tally: Tally
    missing: dict[str, timedelta]
    days: int


class Trend(Value, frozen=True, kw_only=True):
    """A period of some gates."""

    days: tuple[TrendDay, ...]
    tally: Tally
    gates: int
    worst: tuple[Worst, ...]
    """Those that were non-compliant longest."""
    silent: tuple[Worst, ...]
    """Those unreachable longest, which nobody can say were fine."""


def gate_day(report: GateReport) -> GateDay:
    """A gate's sums of a day."""
    return GateDay(status=report.status, missing={item: sums.missing for item, sums in report.items.items() if sums.missing})


def trend(days: Sequence[DaySums], sites: Sequence[Site], known: Sequence[Mending], zone: tzinfo) -> Trend:
    """The days of these gates, and the gates of these days. `known`: the rectifications of the period at these gates."""
    table = [[one.gates.get(site.gate) or _unheard(one) for one in days] for site in sites]
    by_gate = [_gate(site, found) for site, found in zip(sites, table, strict=True)]
    mended = _mended(known, days, zone)
    by_day = list(zip(*table, strict=True)) or [()] * len(days)
    made = tuple(_day(one, found, mended[one.day]) for one, found in zip(days, by_day, strict=True))
    worst = sorted((one for one in by_gate if one.tally.missing), key=lambda one: (-one.tally.missing, one.site.name))
    silent = sorted((one for one in by_gate if one.tally.unreachable), key=lambda one: (-one.tally.unreachable, one.site.name))
    return Trend(days=made, tally=total(one.tally for one in made), gates=len(sites), worst=tuple(worst[:WORST]),
                 silent=tuple(silent[:WORST]))  # fmt: skip


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them together; quicker than one by one where there are thousands."""
    columns = zip(*map(astuple, tallies), strict=True)
    return Tally(**{name: sum(column, ZERO) for name, column in zip(Tally.__struct_fields__, columns, strict=False)})


def _unheard(sums: DaySums) -> GateDay:
    return GateDay(status=Tally(unknown=sums.length), missing={})


def _day(sums: DaySums, found: Sequence[GateDay], mended: Mended) -> TrendDay:
    tally, missing = total(one.status for one in found), _together(one.missing for one in found)
    return TrendDay(day=sums.day, over=sums.over, tally=tally, missing=missing, mended=mended)


def _gate(site: Site, found: Sequence[GateDay]) -> Worst:
    return Worst(site=site, tally=total(one.status for one in found), missing=_together(one.missing for one in found),
                 days=sum(bool(one.status.missing) for one in found))  # fmt: skip


def _together(sums: Iterable[Mapping[str, timedelta]]) -> dict[str, timedelta]:
    made: dict[str, timedelta] = {}
    for one in sums:
        for item, missing in one.items():
            made[item] = made.get(item, ZERO) + missing
    return made


def _mended(known: Iterable[Mending], days: Iterable[DaySums], zone: tzinfo) -> dict[date, Mended]:
    all_ = list(known)
    opened = Counter(_local(one.opened_at, zone) for one in all_)
    closed = Counter(_local(one.closed_at, zone) for one in all_ if one.closed_at is not None)
    return {
        day: Mended(
            opened=opened[day], closed=closed[day],
            open_at_end=sum(n for at, n in opened.items() if at <= day) - sum(n for at, n in closed.items() if at <= day),
        )
        for day in (one.day for one in days)
    }  # fmt: skip


def _local(at: datetime, zone: tzinfo) -> date:
    return at.astimezone(zone).date()
