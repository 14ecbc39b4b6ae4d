"""Who was on duty when, from what stations say of sign-in and sign-off, and held against the rota. Pure."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from msgspec.structs import replace

from hub.rules.compliance import Value

LONGEST = timedelta(hours=24)
"""A sign-in without a sign-off counts for so long at most."""
LATE = timedelta(minutes=15)
"""A shift that has begun for less is not called untaken yet, and who was there for less has only handed over."""
DAY, DAY_LIMIT = timedelta(hours=24), timedelta(hours=10)
"""More than ten hours within any twenty-four is too much, whatever the policy says of one shift."""
REST = timedelta(minutes=15)
"""A break shorter than this does not begin a new stretch of duty."""
CLOCKS = timedelta(minutes=1)
"""Two gates' clocks may differ by so much: a shorter overlap is no badge at two gates."""

Window = tuple[datetime, datetime]
_WRITTEN, _RAN = attrgetter("at", "place"), attrgetter("begins", "ends", "station")


class Change(Value, frozen=True, kw_only=True, gc=False):
    """A sign-in or sign-off, as a station wrote it."""

    gate: str
    station: str
    at: datetime
    on: bool
    badge: str
    hours: float | None = None
    """With a sign-off: how long the station says that the shift was."""
    place: tuple[str, int] = ("", 0)
    """Journal and number: the order of what was written at the same moment."""


class Span(Value, frozen=True, kw_only=True, gc=False):
    """A badge on duty at a gate from when until when."""

    gate: str
    station: str
    badge: str
    begins: datetime
    ends: datetime
    open: bool = False
    """No sign-off was heard: it ends with the station's next word, now, or after 24 h."""


class Planned(Value, frozen=True, kw_only=True, gc=False):
    """A shift of the rota; `badge` None: nobody yet."""

    id: str
    gate: str
    begins: datetime
    ends: datetime
    badge: str | None = None


class Taking(StrEnum):
    """What became of a shift."""

    UNTAKEN = "untaken"
    """Nobody was there for half of it, and it began more than 15 min ago."""
    UNKNOWN = "unknown"
    """The gate can't be heard, and somebody may have been there."""
    DUE = "due"
    """It has just begun, and nobody is there yet."""
    OTHER = "other"
    """Taken, and not by who was to come."""
    TAKEN = "taken"
    AHEAD = "ahead"


class Judged(Value, frozen=True, kw_only=True, gc=False):
    """A shift of the rota held against who was there."""

    planned: Planned
    taking: Taking
    seconds: float
    """For how long somebody was there, of what is known."""
    badges: tuple[str, ...] = ()
    """Who was there for more than a hand-over, or still is, in the order in which they came."""


class Over(Value, frozen=True, kw_only=True):
    """A badge over its hours. `stretch`: on end, longer than the gate's policy and the time of two hand-overs; `day`: more than
    10 h within 24.
    """

    badge: str
    why: str
    seconds: float
    begins: datetime
    ends: datetime
    gates: tuple[str, ...]
    going: bool
    """Still on duty."""
    unsure: bool
    """Some of it is a sign-in whose sign-off was never heard."""


class Twice(Value, frozen=True, kw_only=True):
    """A badge on duty at two gates at once."""

    badge: str
    gates: tuple[str, str]
    begins: datetime
    ends: datetime
    unsure: bool
    """One of the two was never signed off: the holder may have just walked on."""


def pair(changes: Iterable[Change], now: datetime) -> list[Span]:
    """Sign-ins and sign-offs as spans, in order of their beginning; those of one station never overlap.

    The order in which the changes come does not matter: what arrives late takes its place.
    """
    by_station: dict[str, list[Change]] = defaultdict(list)
    for one in changes:
        if one.at <= now:
            by_station[one.station].append(one)
    found = [span for mine in by_station.values() for span in _station(sorted(mine, key=_WRITTEN), now)]
    return sorted(found, key=_RAN)


def cut(spans: Iterable[Span], now: datetime) -> list[Span]:
    """Spans that were paired at a later time, of changes until `now` alone, as they are at `now`.

    So the pairing can be kept: but for where the open ones end it is the same until another change comes.
    """
    return sorted((span if span.ends <= now else replace(span, ends=now) for span in spans), key=_RAN)


def _station(changes: Sequence[Change], now: datetime) -> list[Span]:
    spans: list[Span] = []
    held: Change | None = None
    floor: datetime | None = None
    for one in changes:
        begins = _said(one, floor if held is None else held.at)
        if held is not None and not (held.badge == one.badge and not one.on):
            spans.append(_span(held, held.at, min(begins, held.at + LONGEST), True))
            held = None
        if not one.on:
            spans.append(_span(one, held.at if held else begins, one.at, False))
        held, floor = (one, one.at) if one.on else (None, one.at)
    if held is not None:
        spans.append(_span(held, held.at, min(now, held.at + LONGEST), True))
    return [span for span in spans if span.ends > span.begins or (span.open and span.ends == now)]


def _said(one: Change, floor: datetime | None) -> datetime:
    """When the shift of a sign-off began that has no sign-in: as the station says, within a day and after its last word."""
    if one.on or one.hours is None:
        return one.at
    begins = one.at - min(timedelta(hours=min(max(one.hours, 0.0), 24.0)), LONGEST)
    return begins if floor is None else max(begins, floor)


def _span(one: Change, begins: datetime, ends: datetime, is_open: bool) -> Span:
    return Span(gate=one.gate, station=one.station, badge=one.badge, begins=begins, ends=ends, open=is_open)


def on_duty(spans: Iterable[Span], now: datetime) -> list[Span]:
    """Who is on duty now, as far as is known."""
    return [span for span in spans if span.open and span.ends == now]


def union(windows: Iterable[Window], gap: timedelta = timedelta()) -> list[Window]:
    """Windows made into ones that don't touch; those less than `gap` apart become one."""
    made: list[Window] = []
    for begins, ends in sorted(windows):
        if made and begins - made[-1][1] <= gap:
            made[-1] = (made[-1][0], max(made[-1][1], ends))
        else:
            made.append((begins, ends))
    return made


def worked(spans: Iterable[Span], begins: datetime, ends: datetime) -> float:
    """Seconds within a window in which at least one of the spans ran: two gates at once count once."""
    clipped = [(max(s.begins, begins), min(s.ends, ends)) for s in spans if s.begins < ends and s.ends > begins]
    return sum(_seconds(a, b) for a, b in (union(clipped) if len(clipped) > 1 else clipped))


def worked_each(spans: Iterable[Span], windows: Sequence[Window]) -> tuple[float, ...]:
    """The same for each of many windows, in order and apart from each other."""
    made, starts = [0.0] * len(windows), [first for first, _ in windows]
    for begins, ends in union((s.begins, s.ends) for s in spans):
        for n in range(max(bisect_right(starts, begins) - 1, 0), bisect_left(starts, ends)):
            first, last = windows[n]
            if begins < last:
                made[n] += _seconds(max(begins, first), min(ends, last))
    return tuple(made)


def judge(planned: Planned, spans: Iterable[Span], now: datetime, known_until: datetime | None) -> Judged:
    """What became of a shift. `spans`: of its gate; `known_until`: until when the gate was heard, None: never.

    Taken: somebody was there for half of what has passed of it, or is there now and will have been there for half of the whole.
    Several who follow each other count together.
    """
    if planned.begins >= now:
        return Judged(planned=planned, taking=Taking.AHEAD, seconds=0.0)
    lapsed = min(now, planned.ends)
    seen = max(planned.begins, min(lapsed, known_until or planned.begins))
    there = [s for s in spans if s.gate == planned.gate and s.begins < seen and s.ends > planned.begins]
    seconds = worked(there, planned.begins, seen)
    mine = by_badge(there).items()
    badges = tuple(
        badge
        for badge, stayed in mine
        if any(s.ends == now for s in stayed) or worked(stayed, planned.begins, seen) >= LATE.total_seconds()
    )
    return Judged(planned=planned, taking=_taking(planned, there, seconds, now, seen), seconds=seconds, badges=badges)


def _taking(planned: Planned, there: Sequence[Span], seconds: float, now: datetime, seen: datetime) -> Taking:
    lapsed, whole = _seconds(planned.begins, min(now, planned.ends)), _seconds(planned.begins, planned.ends)
    unheard, to_come = _seconds(seen, min(now, planned.ends)), max(_seconds(now, planned.ends), 0.0)
    staying = any(span.ends >= seen for span in there) and 2 * (seconds + to_come) >= whole
    if seconds > 0 and (2 * seconds >= lapsed or (staying and to_come > 0 and unheard == 0)):
        own = planned.badge is None or any(span.badge == planned.badge for span in there)
        return Taking.TAKEN if own else Taking.OTHER
    if unheard > 0 and 2 * (seconds + unheard) >= lapsed:
        return Taking.UNKNOWN
    return Taking.DUE if lapsed <= LATE.total_seconds() else Taking.UNTAKEN


def _seconds(begins: datetime, ends: datetime) -> float:
    return (ends - begins).total_seconds()


def over_hours(spans: Iterable[Span], limits: Mapping[str, float], now: datetime, since: datetime) -> list[Over]:
    """Who was over their hours at some time after `since`, the longest first. `spans`: by their beginning; `limits`: gate →
    seconds of one shift, 0: none."""
    found = [over for mine in by_badge(spans).values() for over in _overs(mine, limits, now, since) if over is not None]
    return sorted(found, key=lambda o: (-o.seconds, o.badge, o.why))


def _overs(mine: Sequence[Span], limits: Mapping[str, float], now: datetime, since: datetime) -> Iterator[Over | None]:
    """Of the many who have not even worked so long in all, nothing more is asked."""
    total = sum((s.ends - s.begins for s in mine), timedelta())
    limit = min((limits[s.gate] for s in mine if limits.get(s.gate)), default=0.0)
    if limit and total.total_seconds() > limit:
        yield _longest_stretch(mine, limits, now, since)
    if total > DAY_LIMIT:
        yield _fullest_day(mine, now, since)


def by_badge(spans: Iterable[Span]) -> dict[str, list[Span]]:
    """The spans of each badge, at whatever gates."""
    mine: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        mine[span.badge].append(span)
    return dict(mine)


def _longest_stretch(mine: Sequence[Span], limits: Mapping[str, float], now: datetime, since: datetime) -> Over | None:
    shortest, found = min((limits[s.gate] for s in mine if limits.get(s.gate)), default=0.0), []
    for begins, ends in union(((s.begins, s.ends) for s in mine), REST):
        if ends <= since or _seconds(begins, ends) <= shortest:
            continue
        over = _over("stretch", mine, begins, ends, now)
        limit = min((limits[gate] for gate in over.gates if limits.get(gate)), default=0.0)
        if limit and over.seconds > limit + LATE.total_seconds():
            found.append(over)
    return max(found, key=lambda o: o.seconds, default=None)


def _fullest_day(mine: Sequence[Span], now: datetime, since: datetime) -> Over | None:
    """Twenty-four hours hold most where they end with a shift or begin with one."""
    if not _may_be_full(mine):
        return None
    ends = {s.ends for s in mine} | {s.begins + DAY for s in mine if s.begins + DAY <= now}
    full = [end for end in sorted(ends) if end > since and _at_most(mine, end - DAY, end) > DAY_LIMIT]
    fullest = max((_over("day", mine, end - DAY, end, now) for end in full), key=lambda o: o.seconds, default=None)
    return fullest if fullest is not None and fullest.seconds > DAY_LIMIT.total_seconds() else None


def _may_be_full(mine: Sequence[Span]) -> bool:
    """Whether those less than a day apart add up to too much at all: for nearly everybody they don't. `mine`: by beginning."""
    total, first = timedelta(), 0
    for span in mine:
        total += span.ends - span.begins
        while span.begins - mine[first].ends >= DAY:
            total -= mine[first].ends - mine[first].begins
            first += 1
        if total > DAY_LIMIT:
            return True
    return False


def _at_most(mine: Sequence[Span], begins: datetime, ends: datetime) -> timedelta:
    """What spans cover of a window, those at two gates counted twice: quick to add up."""
    return sum((min(s.ends, ends) - max(s.begins, begins) for s in mine if s.begins < ends and s.ends > begins), timedelta())


def _over(why: str, mine: Sequence[Span], begins: datetime, ends: datetime, now: datetime) -> Over:
    part = [s for s in mine if s.begins < ends and s.ends > begins]
    return Over(
        badge=mine[0].badge, why=why, seconds=worked(part, begins, ends),
        begins=max(begins, min((s.begins for s in part), default=begins)), ends=ends,
        gates=tuple(dict.fromkeys(s.gate for s in part)), going=any(s.open and s.ends == now for s in part),
        unsure=any(s.open and s.ends != now for s in part),
    )  # fmt: skip


def at_two_gates(spans: Iterable[Span]) -> list[Twice]:
    """Badges on duty at two gates at once for more than a minute, the newest first."""
    found = []
    for mine in by_badge(spans).values():
        ordered = sorted(mine, key=lambda s: s.begins)
        for n, first in enumerate(ordered):
            for second in ordered[n + 1 :]:
                if second.begins >= first.ends:
                    break
                ends = min(first.ends, second.ends)
                if second.gate != first.gate and ends - second.begins > CLOCKS:
                    found.append(_twice(first, second, ends))
    return sorted(found, key=lambda t: (t.begins, t.badge), reverse=True)


def _twice(first: Span, second: Span, ends: datetime) -> Twice:
    return Twice(
        badge=first.badge, gates=(first.gate, second.gate), begins=second.begins, ends=ends, unsure=first.open or second.open
    )


def clashes(planned: Planned, rota: Iterable[Planned], badges: Collection[str]) -> list[str]:
    """Which of these badges are already on another shift at the time of this one."""
    busy = {p.badge for p in rota if p.id != planned.id and p.begins < planned.ends and p.ends > planned.begins}
    return [badge for badge in badges if badge in busy]
