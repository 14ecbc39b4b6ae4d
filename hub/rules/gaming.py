"""What gets gamed, and what shows it. Pure.

Each rule looks at some days of one gate and gives a flag with its figures, or nothing: nothing also when there is too little to
tell. A flag says where an inspection is worth its while; it is no finding and makes no gate non-compliant.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from statistics import median, pstdev

from contract.events import Band, DutyConfirmed, Entry, EvidenceChange, Outcome, PeopleCounted, Reading, ShiftChange
from contract.five import Basis
from hub.rules.compliance import Value
from hub.rules.durations import Span
from hub.rules.mended import Inspected, Mending

TYPED = "typed"
"""The source of a reading that somebody typed in: these never mix with an instrument's."""
Dated = tuple[datetime, Entry]


class Sign(StrEnum):
    """What the figures look like."""

    TYPED_ALIKE = "typed_alike"
    CLOCKWORK = "clockwork"
    BADGE_LEFT = "badge_left"
    NO_HANDS = "no_hands"
    UNRECORDED = "unrecorded"
    TOO_QUIET = "too_quiet"
    UNPLUGGED = "unplugged"
    CLOSED_AT_ONCE = "closed_at_once"
    EVEN_BACK_ENTRIES = "even_back_entries"
    LAX_SIDE = "lax_side"


Figures = dict[str, int | float | str]


class Flag(Value, frozen=True, kw_only=True):
    """A sign at a gate, with the figures that it rests on; durations in them are seconds, shares 0 to 1."""

    gate: str
    sign: Sign
    figures: Figures


TYPED_ENOUGH, ALIKE_SHARE, ALIKE_SPREAD, QUICK_SECONDS, QUICK_SHARE, RETAKES_EXPECTED_OF = 30, 0.5, 0.1, 2.0, 0.5, 200
"""Foreheads of healthy people spread by about 0.25 °C, and of a hundred readings some are taken again."""


def typed_alike(gate: str, entries: Iterable[Dated]) -> Flag | None:
    """Typed readings too alike: two of four marks (one value over and over, no spread, typed in no time, never one again)."""
    known = [entry for _, entry in entries]
    typed = [r for entry in known for r in _readings(entry) if r.source == TYPED and r.body_celsius is not None]
    if len(typed) < TYPED_ENOUGH:
        return None
    values = [round(r.body_celsius, 1) for r in typed if r.body_celsius is not None]
    value, often = Counter(values).most_common(1)[0]
    timed = [r.typed_seconds for r in typed if r.typed_seconds is not None]
    quick = sum(seconds < QUICK_SECONDS for seconds in timed) / len(timed) if timed else 0.0
    again = sum(_is_again(entry) for entry in known)
    share, spread = often / len(values), pstdev(values)
    never = again == 0 and len(values) >= RETAKES_EXPECTED_OF
    if (share >= ALIKE_SHARE) + (spread < ALIKE_SPREAD) + (quick >= QUICK_SHARE) + never < 2:
        return None
    figures: Figures = {"n": len(values), "value": value, "share": share, "spread": spread, "quick": quick, "again": again}
    return Flag(gate=gate, sign=Sign.TYPED_ALIKE, figures=figures)


def _readings(entry: Entry) -> list[Reading]:
    return [r for r in (entry.reading, *(one.reading for one in entry.companions)) if r is not None]


def _is_again(entry: Entry) -> bool:
    typed = [r for r in _readings(entry) if r.source == TYPED]
    return bool(typed) and (entry.outcome is Outcome.RETAKE or any(r.band is not Band.NORMAL for r in typed))


CLOCKWORK_DAYS, CLOCKWORK_SECONDS, DAY_SECONDS = 5, 60.0, 86400


def clockwork(gate: str, declared: Iterable[tuple[datetime, EvidenceChange]], zone: tzinfo) -> Flag | None:
    """A checklist ticked at the same minute day after day: the first declaration of each day, within a minute of each other."""
    firsts: dict[tuple[str, date], datetime] = {}
    for at, change in sorted(declared, key=lambda pair: pair[0]):
        if change.evidence.present and change.evidence.basis is Basis.DECLARED:
            local = at.astimezone(zone)
            firsts.setdefault((change.evidence.item, local.date()), local)
    found = [_regular(item, [at for (of, _), at in firsts.items() if of == item]) for item in sorted({i for i, _ in firsts})]
    best = min((one for one in found if one is not None), key=lambda one: one["spread"], default=None)
    return None if best is None else Flag(gate=gate, sign=Sign.CLOCKWORK, figures=best)


def _regular(item: str, times: Sequence[datetime]) -> Figures | None:
    if len(times) < CLOCKWORK_DAYS:
        return None
    seconds = [at.hour * 3600 + at.minute * 60 + at.second for at in times]
    spread = float(max(seconds) - min(seconds))
    middle = int(median(seconds))
    if spread > CLOCKWORK_SECONDS:
        return None
    return {"item": item, "days": len(times), "spread": spread, "time": f"{middle // 3600:02}:{middle // 60 % 60:02}"}


ASKED_ENOUGH, AT_ONCE_SECONDS, AT_ONCE_SHARE = 8, 10.0, 0.8


def badge_left(
    gate: str, shifts: Iterable[tuple[datetime, ShiftChange]], confirmed: Iterable[tuple[datetime, DutyConfirmed]],
    ask_after: timedelta,
) -> Flag | None:  # fmt: skip
    """Duty confirmed at once whenever it was asked for, shift after shift: a badge in front of the reader has no pauses."""
    begun = [(at, False) for at, change in shifts if change.on]
    words = sorted([*begun, *((at, True) for at, _ in confirmed)])
    delays = [later - earlier - ask_after for (earlier, _), (later, said) in pairwise(words) if said]
    asked = [delay.total_seconds() for delay in delays if timedelta(0) <= delay < ask_after]
    at_once = [delay for delay in asked if delay <= AT_ONCE_SECONDS]
    if len(asked) < ASKED_ENOUGH or len(at_once) / len(asked) < AT_ONCE_SHARE:
        return None
    figures: Figures = {"asked": len(asked), "at_once": len(at_once), "longest": max(asked)}
    return Flag(gate=gate, sign=Sign.BADGE_LEFT, figures=figures)


NO_HANDS_ENTRIES, NO_HANDS_FOR = 60, timedelta(hours=3)


def no_hands(gate: str, entries: Iterable[Dated], words: Iterable[datetime]) -> Flag | None:
    """Hours in which the station let everybody through and nobody at the gate did anything: no entry by hand and no other touch.
    `words`: when somebody signed in or off, confirmed by touch or tallied."""
    known = sorted(((at, entry) for at, entry in entries if entry.written is None), key=lambda pair: pair[0])
    by_hand = sorted([*words, *(at for at, entry in known if _by_hand(entry))])
    alone = [at for at, entry in known if not _by_hand(entry)]
    stretches = [[at for at in alone if begin < at < end] for begin, end in pairwise(by_hand)]
    longest = max((s for s in stretches if len(s) >= NO_HANDS_ENTRIES), key=lambda s: s[-1] - s[0], default=None)
    if longest is None or longest[-1] - longest[0] < NO_HANDS_FOR:
        return None
    lasted = (longest[-1] - longest[0]).total_seconds()
    figures: Figures = {"seconds": lasted, "entries": len(longest), "begin": longest[0].isoformat()}
    return Flag(gate=gate, sign=Sign.NO_HANDS, figures=figures)


def _by_hand(entry: Entry) -> bool:
    return entry.by is not None or entry.found != "code"


COUNTED_ENOUGH, RECORDED_LOW, RECORDED_HIGH = 50, 0.8, 1.5


def unrecorded(gate: str, counts: Iterable[PeopleCounted]) -> Flag | None:
    """People counted by the sensor against people recorded: too few were written down, or far more than came."""
    known = list(counts)
    counted, recorded = sum(one.counted for one in known), sum(one.recorded for one in known)
    if counted < COUNTED_ENOUGH or RECORDED_LOW <= recorded / counted <= RECORDED_HIGH:
        return None
    figures: Figures = {"counted": counted, "recorded": recorded, "share": recorded / counted}
    return Flag(gate=gate, sign=Sign.UNRECORDED, figures=figures)


QUIET_DAYS, QUIET_USUAL, QUIET_SHARE = 5, 20.0, 0.2


def too_quiet(gate: str, hours: Mapping[date, Mapping[int, int]], day: date) -> Flag | None:
    """An hour with less than a fifth of what the gate's own other days have in it. `hours`: entries by local day and hour, only
    of hours in which the gate was open and heard from beginning to end, with 0 where nobody came."""
    found = []
    for hour, entries in hours.get(day, {}).items():
        others = [counts[hour] for other, counts in hours.items() if other != day and hour in counts]
        if len(others) >= QUIET_DAYS and (usual := median(others)) >= QUIET_USUAL and entries <= QUIET_SHARE * usual:
            found.append((usual - entries, hour, entries, usual))
    if not found:
        return None
    _, hour, entries, usual = max(found)
    figures: Figures = {"hours": len(found), "hour": hour, "entries": entries, "usual": usual, "day": day.isoformat()}
    return Flag(gate=gate, sign=Sign.TOO_QUIET, figures=figures)


UNPLUGGED_BEFORE, UNPLUGGED_AFTER = timedelta(minutes=15), timedelta(minutes=30)


def unplugged(gate: str, status: Iterable[Span], inspections: Iterable[Inspected]) -> Flag | None:
    """A gate that fell silent about when it was looked at. One that had been silent for long before is only silent."""
    silent = [span for span in status if span.state == "unreachable"]
    found = [
        (one, span)
        for one in inspections
        for span in silent
        if one.observed_at - UNPLUGGED_BEFORE <= span.since <= one.observed_at + UNPLUGGED_AFTER and span.end > one.observed_at
    ]
    if not found:
        return None
    last, span = max(found, key=lambda pair: pair[0].observed_at)
    figures: Figures = {"times": len({one.id for one, _ in found}), "seconds": span.length.total_seconds(),
                        "inspected": last.observed_at.isoformat(), "silent": span.since.isoformat()}  # fmt: skip
    return Flag(gate=gate, sign=Sign.UNPLUGGED, figures=figures)


AT_ONCE_CLOSED, CLOSED_WITHIN, CLOSED_SHARE = 3, timedelta(minutes=15), 0.5


def closed_at_once(gate: str, known: Iterable[Mending]) -> Flag | None:
    """Rectifications that the evidence closed within minutes of the owner's answer, most of them: somebody ticked a box."""
    closed = [one for one in known if one.closed_at and one.answered_at and one.closed_by == "evidence"]
    quick = [one.closed_at - one.answered_at for one in closed if one.closed_at and one.answered_at]
    quick = [lasted for lasted in quick if timedelta(0) <= lasted <= CLOSED_WITHIN]
    if len(quick) < AT_ONCE_CLOSED or len(quick) / len(closed) < CLOSED_SHARE:
        return None
    figures: Figures = {"quick": len(quick), "closed": len(closed), "seconds": median(one.total_seconds() for one in quick)}
    return Flag(gate=gate, sign=Sign.CLOSED_AT_ONCE, figures=figures)


BACK_ENOUGH, BACK_VARIATION = 8, 0.1


def even_back_entries(gate: str, entries: Iterable[Dated], zone: tzinfo) -> Flag | None:
    """Entries keyed in later whose times are evenly spaced over a day: people don't come like that."""
    days: dict[date, list[datetime]] = {}
    for _, entry in entries:
        if entry.written is not None:
            days.setdefault(entry.written.at.astimezone(zone).date(), []).append(entry.written.at)
    found = [figures for day, times in sorted(days.items()) if (figures := _even(day, sorted(times)))]
    worst = max(found, key=lambda figures: figures["n"], default=None)
    return None if worst is None else Flag(gate=gate, sign=Sign.EVEN_BACK_ENTRIES, figures=worst)


def _even(day: date, times: Sequence[datetime]) -> Figures | None:
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    if len(times) < BACK_ENOUGH or not (mean := math.fsum(gaps) / len(gaps)) or pstdev(gaps) / mean > BACK_VARIATION:
        return None
    return {"n": len(times), "gap": mean, "spread": pstdev(gaps), "day": day.isoformat()}


class Strictness(Value, frozen=True, kw_only=True):
    """How strict a gate is with those who come in, as far as its entries tell."""

    entries: int
    questioned: int
    """Not simply let in: taken again, asked to wait, turned away."""
    measured: int


def strictness(entries: Iterable[Dated]) -> Strictness:
    """Of the entries of one gate, without those keyed in later and without emergencies."""
    known = [entry for _, entry in entries if entry.written is None and entry.outcome is not Outcome.EMERGENCY]
    questioned = sum(entry.outcome in (Outcome.RETAKE, Outcome.REFER, Outcome.REFUSE) for entry in known)
    return Strictness(entries=len(known), questioned=questioned, measured=sum(entry.reading is not None for entry in known))


SIDE_ENTRIES, QUESTIONED_EXPECTED, QUESTIONED_SHARE, MEASURED_GAP = 100, 8.0, 0.25, 0.25


def lax_sides(gates: Mapping[str, Strictness]) -> list[Flag]:
    """Of the gates of one compound: side gates that question a quarter or less of what the main one would, or measure far fewer.
    The main gate is the one with the most entries."""
    main = max(gates, key=lambda gate: gates[gate].entries, default=None)
    if main is None or gates[main].entries < SIDE_ENTRIES:
        return []
    strict = gates[main]
    made = []
    for gate, one in gates.items():
        if gate == main or one.entries < SIDE_ENTRIES:
            continue
        expected = one.entries * strict.questioned / strict.entries
        measured, main_measured = one.measured / one.entries, strict.measured / strict.entries
        lets_by = expected >= QUESTIONED_EXPECTED and one.questioned <= QUESTIONED_SHARE * expected
        if lets_by or main_measured - measured >= MEASURED_GAP:
            figures: Figures = {"main": main, "entries": one.entries, "questioned": one.questioned / one.entries,
                                "main_questioned": strict.questioned / strict.entries, "measured": measured,
                                "main_measured": main_measured}  # fmt: skip
            made.append(Flag(gate=gate, sign=Sign.LAX_SIDE, figures=figures))
    return made
