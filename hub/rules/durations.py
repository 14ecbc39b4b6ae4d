"""挑毛病例会: what the intervals of a day or a week come to. Pure.

Every moment of a period is one of five things for an item of a gate: present, missing, unreachable, closed, or unknown. Present
and missing are of the time in which the gate was open and heard; nobody knows how it was while it could not be heard, so that
time is counted apart and never as fine. Time in which the hub itself heard nothing is unknown, and blamed on no gate.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise

from msgspec.structs import replace

from hub.rules.compliance import Status, Value
from hub.rules.intervals import Interval

ZERO = timedelta(0)
Stretch = tuple[datetime, datetime]
_ASKED = frozenset({Status.COMPLIANT.value, Status.NON_COMPLIANT.value})
"""The statuses of a gate whose five are known and asked for."""


class Known(StrEnum):
    """How an item stood for a while; of a gate's own status, present is compliant and missing non-compliant."""

    PRESENT = "present"
    MISSING = "missing"
    UNREACHABLE = "unreachable"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Period(Value, frozen=True, kw_only=True):
    """From `begin` until before `end`; `first` and `last` are its local days. One that goes on ends now."""

    begin: datetime
    end: datetime
    first: date
    last: date
    over: bool
    """Whether the last of its days is over."""

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.begin


class Span(Value, frozen=True, kw_only=True):
    """A stretch of a period with one state. `since` is when that state really began, perhaps before the period."""

    begin: datetime
    end: datetime
    state: str
    since: datetime
    reason: str | None = None
    basis: str | None = None

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.begin


class Tally(Value, frozen=True, kw_only=True):
    """A period shared out; the five add up to it. `blind` is the part of the unknown in which the hub heard nothing."""

    present: timedelta = ZERO
    missing: timedelta = ZERO
    unreachable: timedelta = ZERO
    closed: timedelta = ZERO
    unknown: timedelta = ZERO
    blind: timedelta = ZERO

    @property
    def total(self) -> timedelta:
        """All of it."""
        return self.present + self.missing + self.unreachable + self.closed + self.unknown

    @property
    def open(self) -> timedelta:
        """The time in which the gate was to have its five, as far as is known: silence is part of it."""
        return self.present + self.missing + self.unreachable

    @property
    def share(self) -> float | None:
        """The part of the open time that was compliant, 0 to 1; None where there was none. Silence lowers it."""
        return self.present / self.open if self.open else None

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in Tally.__struct_fields__})


class Spell(Value, frozen=True, kw_only=True):
    """One time that an item went missing, until it was seen again or the gate closed."""

    item: str
    begin: datetime
    end: datetime
    missing: timedelta
    """Known missing time within; what nobody saw in between is no part of it."""
    since: datetime
    reason: str | None = None
    """The last one."""
    put_right: bool = False
    """Whether it was present afterwards, within the period."""
    lasts: bool = False
    """Whether it was still missing at the end of the period."""


def day_period(day: date, zone: tzinfo, now: datetime) -> Period:
    """A local day, as far as it is over."""
    return _period(day, day, zone, now)


def week_period(day: date, zone: tzinfo, now: datetime) -> Period:
    """The local week from Monday to Sunday that a day is in, as far as it is over."""
    monday = day - timedelta(days=day.weekday())
    return _period(monday, monday + timedelta(days=6), zone, now)


def _period(first: date, last: date, zone: tzinfo, now: datetime) -> Period:
    begin, whole = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    at = now.astimezone(UTC)
    return Period(begin=begin, end=max(begin, min(whole, at)), first=first, last=last, over=whole <= at)


def merged(known: Iterable[Stretch]) -> list[Stretch]:
    """The same time in order, each stretch apart from the others."""
    made: list[Stretch] = []
    for begin, end in sorted(known):
        if made and begin <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((begin, end))
    return made


def spans(rows: Iterable[Interval], period: Period) -> list[Span]:
    """Intervals clipped to the period, none over another: a newer word ends an older one."""
    ordered = sorted(rows, key=lambda row: row.began_at)
    made = []
    for place, row in enumerate(ordered):
        newer = ordered[place + 1].began_at if place + 1 < len(ordered) else period.end
        begin, end = max(row.began_at, period.begin), min(row.ended_at or period.end, newer, period.end)
        if begin < end:
            made.append(
                Span(begin=begin, end=end, state=row.state, since=row.began_at, reason=row.reason, basis=row.basis)
            )  # fmt: skip
    return made


def partition(status: Sequence[Span], item: Sequence[Span], blind: Sequence[Stretch], period: Period) -> list[Span]:
    """The whole period in stretches of one `Known` each, from the spans of a gate's status and of an item. `blind`: when the hub
    heard nothing, in order and apart from each other."""
    deaf = [Span(begin=begin, end=end, state="blind", since=begin) for begin, end in blind]
    times = {time for one in (*status, *item, *deaf) for time in (one.begin, one.end)}
    edges = sorted({period.begin, period.end, *(t for t in times if period.begin < t < period.end)})
    covers = (_over(status, edges), _over(item, edges), _over(deaf, edges))
    return [
        _piece(begin, end, gate, known, unheard)
        for (begin, end), gate, known, unheard in zip(pairwise(edges), *covers, strict=True)
    ]


def _piece(begin: datetime, end: datetime, gate: Span | None, item: Span | None, unheard: Span | None) -> Span:
    state, of = (Known.UNKNOWN, unheard) if unheard else _known(gate, item)
    if of is None:
        return Span(begin=begin, end=end, state=state, since=begin)
    return Span(begin=begin, end=end, state=state, since=of.since, reason=of.reason, basis=of.basis)


def own(status: Sequence[Span]) -> list[Span]:
    """A gate's status told as an item's state, for `partition`: present is compliant."""
    return [
        Span(begin=one.begin, end=one.end, since=one.since,
             state=Known.PRESENT if one.state == Status.COMPLIANT else Known.MISSING)
        for one in status
    ]  # fmt: skip


def _over(known: Sequence[Span], edges: Sequence[datetime]) -> list[Span | None]:
    """What covers each of the stretches between edges."""
    made: list[Span | None] = []
    rest = iter(known)
    one = next(rest, None)
    for begin in edges[:-1]:
        while one is not None and one.end <= begin:
            one = next(rest, None)
        made.append(one if one is not None and one.begin <= begin else None)
    return made


def _known(gate: Span | None, item: Span | None) -> tuple[Known, Span | None]:
    if gate is None:
        return Known.UNKNOWN, None
    if gate.state in _ASKED:
        if item is None:
            return Known.UNKNOWN, None
        return (Known.PRESENT if item.state == Known.PRESENT else Known.MISSING), item
    if gate.state == Status.UNREACHABLE:
        return Known.UNREACHABLE, gate
    return (Known.CLOSED, gate) if gate.state == Status.CLOSED else (Known.UNKNOWN, None)


def tally(parts: Iterable[Span], blind: Sequence[Stretch] = ()) -> Tally:
    """How long each was, in all."""
    sums: dict[str, timedelta] = {state.value: ZERO for state in Known}
    unheard = ZERO
    for part in parts:
        sums[part.state] += part.length
        if part.state == Known.UNKNOWN and any(begin <= part.begin < end for begin, end in blind):
            unheard += part.length
    return Tally(**sums, blind=unheard)


def spells(item: str, parts: Iterable[Span], period: Period) -> list[Spell]:
    """The times that an item was missing; one goes on over a stretch in which nobody could tell."""
    made: list[Spell] = []
    running = False
    for part in parts:
        if part.state == Known.MISSING:
            begun = made.pop() if running else None
            made.append(Spell(
                item=item, begin=begun.begin if begun else part.begin, end=part.end,
                missing=(begun.missing if begun else ZERO) + part.length, since=begun.since if begun else part.since,
                reason=part.reason, lasts=part.end == period.end,
            ))  # fmt: skip
            running = True
        elif part.state in (Known.PRESENT, Known.CLOSED):
            if running and part.state == Known.PRESENT:
                made[-1] = replace(made[-1], put_right=True)
            running = False
    return made
