"""A gate's day in figures: who passed in which hour, what was decided, how warm people were, counted against recorded. Pure.

Aggregates only: nothing here says who somebody was. Everything is counted in the hour in which it happened, so that what was
keyed in later from paper stands where it belongs, and what was cancelled is not counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from math import floor

from msgspec.structs import replace

from contract.events import Band, Correction, Direction, Entry, Outcome, PeopleCounted, Reading, Tallied
from hub.rules.compliance import Value
from hub.rules.durations import Period
from hub.rules.gaming import RECORDED_LOW, TYPED

HOURS = 24
PASSED = frozenset({Outcome.ADMIT, Outcome.EMERGENCY, Outcome.UNCHECKED})
"""The outcomes with which somebody went through, as a station counts them too."""
LOWEST, HIGHEST = 350, 385
"""The ends of the histogram, in tenths of a degree Celsius; what is beyond them is counted in a bin of its own."""
UNCOUNTED_AT_LEAST = 5
"""People by which an hour's count must exceed its entries: a sensor counts somebody twice now and then."""


class Passing(Value, frozen=True, kw_only=True):
    """An entry as it counts now, and when it happened."""

    id: str
    at: datetime
    entry: Entry


class HourPassed(Value, frozen=True, kw_only=True):
    """People who went in and out in a local hour of the day."""

    hour: int
    came: int = 0
    left: int = 0

    @property
    def people(self) -> int:
        """Both."""
        return self.came + self.left


class Decided(Value, frozen=True, kw_only=True):
    """How often a gate decided so, and how often of these a volunteer did and not the station."""

    outcome: Outcome
    entries: int
    by_volunteer: int


class Instrument(Value, frozen=True, kw_only=True):
    """The readings of one instrument of one quantity: `body` (the estimate, or a gun's own figure) or `skin`."""

    source: str
    quantity: str
    tenths: dict[int, int]
    """Tenths of a degree, cut and not rounded, so that 37.29 is below a limit of 37.3 → readings."""

    @property
    def readings(self) -> int:
        """How many."""
        return sum(self.tenths.values())

    @property
    def typed(self) -> bool:
        """Whether somebody typed them in."""
        return self.source == TYPED

    @property
    def commonest(self) -> tuple[int, int]:
        """The bin with the most readings, the lower one of two, and how many it has."""
        tenth = min(self.tenths, key=lambda one: (-self.tenths[one], one))
        return tenth, self.tenths[tenth]

    def bins(self) -> tuple[int, ...]:
        """Readings below `LOWEST`, in each tenth from there on, and from `HIGHEST` on."""
        low = sum(n for tenth, n in self.tenths.items() if tenth < LOWEST)
        high = sum(n for tenth, n in self.tenths.items() if tenth >= HIGHEST)
        return (low, *(self.tenths.get(tenth, 0) for tenth in range(LOWEST, HIGHEST)), high)


class Temperatures(Value, frozen=True, kw_only=True):
    """All readings of a day; those of one instrument never mix with another's."""

    instruments: tuple[Instrument, ...]
    """The most readings first."""
    bands: dict[Band, int]
    typed: int
    measured: int
    """With a figure, typed in and by an instrument."""
    without_figure: int


class HourCounted(Value, frozen=True, kw_only=True):
    """People counted by the presence sensor in a local hour, against people in entries over the same time."""

    hour: int
    seconds: float
    counted: int
    recorded: int

    @property
    def walked_past(self) -> int:
        """How many more were counted than recorded, where that is too many to be chance; else 0."""
        more = self.counted - self.recorded
        return more if more >= UNCOUNTED_AT_LEAST and self.recorded < RECORDED_LOW * self.counted else 0


class Day(Value, frozen=True, kw_only=True):
    """A gate's day."""

    hours: tuple[HourPassed, ...]
    entries: int
    written: int
    """Of the entries, keyed in later."""
    cancelled: int
    decided: tuple[Decided, ...]
    kept_out: int
    """People who were not let through, and not later that day either."""
    tallied: int
    """Who did not go in, counted by a touch: left it at the shelf."""
    temperatures: Temperatures
    counted: tuple[HourCounted, ...]
    """Only hours in which a sensor counted."""

    @property
    def came(self) -> int:
        """People who went in."""
        return sum(one.came for one in self.hours)

    @property
    def left(self) -> int:
        """People who went out."""
        return sum(one.left for one in self.hours)


def day(
    entries: Iterable[tuple[str, datetime, Entry]], corrections: Iterable[Correction],
    counts: Iterable[tuple[datetime, PeopleCounted]], tallies: Iterable[Tallied], period: Period, zone: tzinfo,
) -> Day:  # fmt: skip
    """A day's figures. `entries`: id, when noted, and what; `corrections`, the oldest first."""
    corrected = {one.corrects: one for one in corrections}
    all_ = [one for one in map(_passing, entries) if period.begin <= one.at < period.end]
    known = [replace(one, entry=_as_corrected(one.entry, corrected.get(one.id))) for one in all_
             if not _is_cancelled(corrected.get(one.id))]  # fmt: skip
    return Day(
        hours=by_hour(known, zone), entries=len(known), written=sum(one.entry.written is not None for one in known),
        cancelled=len(all_) - len(known), decided=decided(known), kept_out=kept_out(known), tallied=sum(1 for _ in tallies),
        temperatures=temperatures(reading for one in known for reading in _readings(one.entry)),
        counted=counted_by_hour(counts, period, zone),
    )  # fmt: skip


def _passing(noted: tuple[str, datetime, Entry]) -> Passing:
    id, at, entry = noted
    return Passing(id=id, at=entry.written.at if entry.written else at, entry=entry)


def _is_cancelled(correction: Correction | None) -> bool:
    return correction is not None and correction.cancelled


def _as_corrected(entry: Entry, correction: Correction | None) -> Entry:
    return replace(entry, outcome=correction.outcome) if correction is not None and correction.outcome else entry


def by_hour(known: Iterable[Passing], zone: tzinfo) -> tuple[HourPassed, ...]:
    """People who went through, by the local hour; of an hour that the clock has twice, both together."""
    people: Counter[tuple[int, Direction]] = Counter()
    for one in known:
        if one.entry.outcome in PASSED:
            people[one.at.astimezone(zone).hour, one.entry.direction] += one.entry.people
    return tuple(
        HourPassed(hour=hour, came=people[hour, Direction.IN], left=people[hour, Direction.OUT]) for hour in range(HOURS)
    )


def decided(known: Sequence[Passing]) -> tuple[Decided, ...]:
    """Every outcome, also those that there were none of."""
    return tuple(
        Decided(outcome=outcome, entries=len(found), by_volunteer=sum(one.by is not None for one in found))
        for outcome in Outcome
        for found in [[one.entry for one in known if one.entry.outcome is outcome]]
    )


def kept_out(known: Sequence[Passing]) -> int:
    """People whose last word was no, and whose pass did not go through later either."""
    followed = {one.entry.follows for one in known}
    let_in: dict[str, datetime] = {}
    for one in known:
        if one.entry.pass_id is not None and one.entry.outcome in PASSED:
            let_in[one.entry.pass_id] = max(one.at, let_in.get(one.entry.pass_id, one.at))
    last = {one.entry.pass_id or one.id: one for one in sorted(known, key=lambda one: one.at)
            if one.entry.outcome not in PASSED and one.id not in followed and not _came_later(one, let_in)}  # fmt: skip
    return sum(one.entry.people for one in last.values())


def _came_later(one: Passing, let_in: Mapping[str, datetime]) -> bool:
    later = let_in.get(one.entry.pass_id or "")
    return later is not None and later > one.at


def _readings(entry: Entry) -> list[Reading]:
    return [one for one in (entry.reading, *(companion.reading for companion in entry.companions)) if one is not None]


def temperatures(readings: Iterable[Reading]) -> Temperatures:
    """Readings by instrument and quantity: the body's temperature where there is one, else the skin's."""
    known = list(readings)
    found: dict[tuple[str, str], Counter[int]] = {}
    for one in known:
        quantity, celsius = ("body", one.body_celsius) if one.body_celsius is not None else ("skin", one.skin_celsius)
        if celsius is not None:
            found.setdefault((one.source, quantity), Counter())[tenth(celsius)] += 1
    instruments = [Instrument(source=source, quantity=quantity, tenths=dict(counts))
                   for (source, quantity), counts in found.items()]  # fmt: skip
    instruments.sort(key=lambda one: (-one.readings, one.source, one.quantity))
    measured = sum(one.readings for one in instruments)
    return Temperatures(
        instruments=tuple(instruments), bands=dict(Counter(one.band for one in known)), measured=measured,
        typed=sum(one.readings for one in instruments if one.typed), without_figure=len(known) - measured,
    )  # fmt: skip


def tenth(celsius: float) -> int:
    """The tenth of a degree that a temperature is in, cut and not rounded.

    >>> tenth(36.5), tenth(37.29), tenth(37.3)
    (365, 372, 373)
    """
    return floor(round(celsius * 10, 6))


def counted_by_hour(counts: Iterable[tuple[datetime, PeopleCounted]], period: Period, zone: tzinfo) -> tuple[HourCounted, ...]:
    """Counts in the local hour that the middle of their time is in: a count is told when its time is over."""
    found: dict[int, list[PeopleCounted]] = {}
    for at, one in counts:
        middle = max(at - timedelta(seconds=one.seconds / 2), period.begin)  # one that began yesterday is of the first hour
        found.setdefault(middle.astimezone(zone).hour, []).append(one)
    return tuple(
        HourCounted(hour=hour, seconds=sum(one.seconds for one in mine), counted=sum(one.counted for one in mine),
                    recorded=sum(one.recorded for one in mine))
        for hour, mine in sorted(found.items())
    )  # fmt: skip
