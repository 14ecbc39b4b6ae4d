"""A gate's day as lanes of bars, and as lines of text. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hub.rules.durations import Known, Period, Span
from hub.web.report_sections import DRAWN, Cell, Words
from hub.web.texts import reason

MINUTES = 24 * 60
_KINDS = dict(DRAWN)


@dataclass(frozen=True)
class DayBar:
    """One stretch; `x` and `width` in minutes from midnight."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True)
class DayLine:
    """One stretch in words."""

    begin: str
    end: str
    lasting: Cell
    state: str
    kind: str
    basis: str
    reason: str


@dataclass(frozen=True)
class DayLane:
    """The gate's status, or one item."""

    what: str
    title: str
    bars: tuple[DayBar, ...]
    lines: tuple[DayLine, ...]


def lanes(parts: Mapping[str, Sequence[Span]], period: Period, language: str, say: Words) -> tuple[DayLane, ...]:
    """The lanes in the order of `parts`."""
    return tuple(_lane(what, joined(found), period, language, say) for what, found in parts.items())


def _lane(what: str, found: Sequence[Span], period: Period, language: str, say: Words) -> DayLane:
    title = say("timeline.status") if what == "status" else say.item(what)
    lines = tuple(_line(what, one, period, language, say) for one in found)
    return DayLane(what, title, tuple(_bar(one, period) for one in found), lines)


def joined(parts: Sequence[Span]) -> list[Span]:
    """Neighbours of the same state, basis and reason as one stretch: an edge of another lane is none of this one's."""
    made: list[Span] = []
    for one in parts:
        last = made[-1] if made else None
        if last is not None and (last.state, last.basis, last.reason) == (one.state, one.basis, one.reason):
            made[-1] = Span(begin=last.begin, end=one.end, state=last.state, since=last.since, basis=last.basis,
                            reason=last.reason)  # fmt: skip
        else:
            made.append(one)
    return made


def _bar(one: Span, period: Period) -> DayBar:
    x = _minutes(one.begin - period.begin)
    return DayBar(_KINDS[one.state], x, round(max(_minutes(one.length), 1.0), 1))  # a minute at least, so that none goes unseen


def _minutes(length: timedelta) -> float:
    return round(length.total_seconds() / 60, 1)


def _line(what: str, one: Span, period: Period, language: str, say: Words) -> DayLine:
    return DayLine(
        begin=f"{one.begin.astimezone(say.zone):%H:%M:%S}",
        end="24:00:00" if period.over and one.end == period.end else f"{one.end.astimezone(say.zone):%H:%M:%S}",
        lasting=say.lasting(one.length), state=_state(what, Known(one.state), say), kind=_KINDS[one.state],
        basis=say(f"basis.{one.basis}") if one.basis else "", reason=reason(language, one.reason) if one.reason else "",
    )  # fmt: skip


def _state(what: str, state: Known, say: Words) -> str:
    if what == "status" and state in (Known.PRESENT, Known.MISSING):
        return say("status.compliant" if state is Known.PRESENT else "status.non_compliant")
    if state in (Known.PRESENT, Known.MISSING):
        return say(f"item.{state}")
    return say(f"evidence.{state}")
