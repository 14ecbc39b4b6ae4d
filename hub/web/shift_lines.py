"""From the rota and who was on duty to what the pages of shifts show. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from hub.rules import rota as weeks
from hub.rules import shifts as rules
from hub.rules.compliance import Place
from hub.rules.shifts import Judged, Over, Span, Taking, Twice

Remark = TypeVar("Remark", Over, Twice)
MINUTES = 24 * 60
BAD = (Taking.UNTAKEN, Taking.UNKNOWN)
_WORST = {taking: n for n, taking in enumerate(Taking)}


@dataclass(frozen=True)
class Bar:
    """A stretch of a day; `x` and `width` in minutes from its beginning."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True)
class ShiftLine:
    """A shift of the rota and what became of it; `others`: who was there instead."""

    id: str
    begins: datetime
    ends: datetime
    taking: Taking
    badge: str | None
    name: str
    others: tuple[str, ...]
    ended: bool


@dataclass(frozen=True)
class DutyLine:
    """Somebody on duty from when until when."""

    badge: str
    name: str
    begins: datetime
    ends: datetime
    seconds: float
    open: bool
    going: bool


@dataclass(frozen=True)
class GateRow:
    """A gate on a day: planned against real. Of the many rows few are shown: the lines are made of those."""

    place: Place
    judged: Sequence[Judged]
    spans: Sequence[Span]
    day: weeks.Window
    now: datetime
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def badges(self) -> set[str]:
        """Whose names it takes."""
        planned = {one.planned.badge for one in self.judged if one.planned.badge}
        return planned | {badge for one in self.judged for badge in one.badges} | {span.badge for span in self.spans}

    @property
    def worst(self) -> Taking:
        """The worst of its shifts."""
        return min((one.taking for one in self.judged), key=_WORST.__getitem__, default=Taking.AHEAD)

    @property
    def gaps(self) -> int:
        """Shifts that nobody took, or of which nobody knows."""
        return sum(one.taking in BAD for one in self.judged)

    @property
    def shifts(self) -> tuple[ShiftLine, ...]:
        """What was planned, in words."""
        return tuple(shift_line(one, self.names, self.now) for one in self.judged)

    @property
    def duty(self) -> tuple[DutyLine, ...]:
        """Who was there, in words."""
        return tuple(duty_line(span, self.names, self.now) for span in self.spans)

    @property
    def planned(self) -> tuple[Bar, ...]:
        """What was planned, as bars."""
        return tuple(_bar(one.taking, one.planned.begins, one.planned.ends, self.day) for one in self.judged)

    @property
    def real(self) -> tuple[Bar, ...]:
        """Who was there, as bars."""
        return tuple(
            _bar("open" if span.open and span.ends != self.now else "duty", span.begins, span.ends, self.day)
            for span in self.spans
        )


@dataclass(frozen=True)
class PersonLine:
    """A badge's week: hours of each day, Monday first."""

    badge: str
    name: str
    days: tuple[float, ...]
    hours: float
    over: Sequence[Over]
    twice: Sequence[Twice]
    spans: Sequence[Span]
    gates: Mapping[str, Place]
    now: datetime

    @property
    def places(self) -> tuple[str, ...]:
        """Where, in words."""
        return tuple(dict.fromkeys(_place(span.gate, self.gates) for span in self.spans))

    @property
    def going(self) -> bool:
        """Still on duty."""
        return bool(rules.on_duty(self.spans, self.now))

    @property
    def unsure(self) -> bool:
        """Whether a sign-off of theirs was never heard."""
        return any(span.open and span.ends != self.now for span in self.spans)


def gate_rows(
    places: Iterable[Place], judged: Iterable[Judged], spans: Iterable[Span], begins: datetime, now: datetime
) -> list[GateRow]:  # fmt: skip
    """A row, without names, for each gate that has a rota or somebody on duty on the day that begins at `begins`, gaps first."""
    ends = begins + timedelta(minutes=MINUTES)
    planned: dict[str, list[Judged]] = {}
    for one in judged:
        planned.setdefault(one.planned.gate, []).append(one)
    there: dict[str, list[Span]] = {}
    for span in spans:
        if span.begins < ends and span.ends > begins:
            there.setdefault(span.gate, []).append(span)
    rows = [
        GateRow(place, planned.get(place.gate, []), there.get(place.gate, []), (begins, ends), now)
        for place in places
        if place.gate in planned or place.gate in there
    ]
    return sorted(rows, key=lambda row: (_WORST[row.worst] if row.judged else len(_WORST), -row.gaps))


def _bar(kind: str, begins: datetime, ends: datetime, day: weeks.Window) -> Bar:
    left, right = max(begins, day[0]), min(ends, day[1])
    return Bar(kind, _minutes(left - day[0]), max(_minutes(right - left), 1.0))


def _minutes(span: timedelta) -> float:
    return round(span.total_seconds() / 60, 1)


def shift_line(one: Judged, names: Mapping[str, str], now: datetime) -> ShiftLine:
    """A shift as a line."""
    planned = one.planned
    others = tuple(names[badge] for badge in one.badges if badge != planned.badge)
    return ShiftLine(
        id=planned.id, begins=planned.begins, ends=planned.ends, taking=one.taking, badge=planned.badge,
        name=names[planned.badge] if planned.badge else "", others=others, ended=planned.ends <= now,
    )  # fmt: skip


def duty_line(span: Span, names: Mapping[str, str], now: datetime) -> DutyLine:
    """A span as a line."""
    going = span.open and span.ends == now
    seconds = (span.ends - span.begins).total_seconds()
    return DutyLine(span.badge, names[span.badge], span.begins, span.ends, seconds, span.open, going)


def counts(rows: Iterable[GateRow]) -> dict[str, int]:
    """How many shifts of the day there are of each kind."""
    made = dict.fromkeys(map(str, Taking), 0)
    for row in rows:
        for one in row.judged:
            made[str(one.taking)] += 1
    return made


def person_lines(
    spans: Sequence[Span], over: Sequence[Over], twice: Sequence[Twice], names: Mapping[str, str], places: Mapping[str, Place],
    monday: date, zone: ZoneInfo, now: datetime,
) -> list[PersonLine]:  # fmt: skip
    """Each badge's week: those over their hours or at two gates first, then by hours."""
    days = [(weeks.moment(day, 0, zone), weeks.moment(day, MINUTES, zone)) for day in weeks.week(monday)]
    alarming, both = _by_badge(over), _by_badge(twice)
    lines = []
    for badge, inside in rules.by_badge(s for s in spans if s.begins < days[-1][1] and s.ends > days[0][0]).items():
        hours = tuple(seconds / 3600 for seconds in rules.worked_each(inside, days))
        remarks = alarming.get(badge, ()), both.get(badge, ())
        lines.append(PersonLine(badge, names[badge], hours, sum(hours), *remarks, inside, places, now))
    return sorted(lines, key=lambda line: (not (line.over or line.twice), -line.hours, line.name, line.badge))


def _by_badge(found: Iterable[Remark]) -> dict[str, list[Remark]]:
    made: dict[str, list[Remark]] = {}
    for one in found:
        made.setdefault(one.badge, []).append(one)
    return made


def _place(gate: str, places: Mapping[str, Place]) -> str:
    known = places.get(gate)
    return f"{known.compound_name} {known.gate_name}" if known else gate
