"""The five of a gate over a time gone by, made again from its journals when events arrive late, and its status with them. Pure.

A sensor's evidence is renewed by the pulse, which no journal holds: here it lasts until the sensor says otherwise, or the
station stops or starts again and was not heard within its grace. What was declared lasts as long as was said, and what
inspections found as at any judgement.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from contract.five import Basis, Evidence, Item, assess_gate
from hub.rules.compliance import SILENCES, Lane, Status, Value, item_status, silence
from hub.rules.durations import Stretch, merged
from hub.rules.intervals import Interval, at, follow, item_interval
from hub.rules.standing import CHECKED

Held = dict[str, dict[tuple[Item, Basis], Evidence]]
Rows = Mapping[str, Sequence[Interval]]


class Said(Value, frozen=True, kw_only=True):
    """A journal's word: evidence, or (None) that from `at` on nothing counts that a sensor said before the station stopped or
    started, `before`."""

    station: str
    at: datetime
    evidence: Evidence | None = None
    before: datetime | None = None
    """None: as `at`."""


class Serving(Value, frozen=True, kw_only=True):
    """A lane in service. `silent_since`: to this day; nothing is known of it from then on, whatever it said before."""

    lane: Lane
    silent_since: datetime | None = None


def rebuild(
    said: Iterable[Said], lanes: Sequence[Serving], found: Sequence[Evidence], begin: datetime, end: datetime
) -> dict[str, list[Interval]]:
    """The intervals of each item from `begin` on as they stood until `end`; what was said before `begin` is where it starts.
    `found`: what inspections found at the gate; of two of a moment the later in order counts."""
    held: Held = {one.lane.station: {} for one in lanes}
    words = sorted((w for w in said if w.station in held and w.at <= end), key=lambda w: w.at)
    rows: dict[str, list[Interval]] = {item.value: [] for item in Item}
    place = 0
    for moment in _moments(words, lanes, found, begin, end):
        while place < len(words) and words[place].at <= moment:
            _hear(held, words[place])
            place += 1
        _extend(rows, _all_say(held, lanes, found, moment), moment)
    return rows


def status(known: Sequence[Interval], items: Rows, begin: datetime) -> list[Interval]:
    """The intervals of a gate's status from `begin` on, made again from those of its five. Whether it was heard and open stays as
    it is `known`: an event that arrives late tells nothing of that. Where an item is unknown nothing is changed."""
    made: list[Interval] = []
    times = {time for rows in (known, *items.values()) for row in rows for time in (row.began_at, row.ended_at) if time}
    for moment in sorted(time for time in {begin, *times} if time >= begin):
        was = at(known, moment)
        if was is not None:
            new = follow(made[-1] if made else None, Interval(began_at=moment, state=_status(was.state, items, moment)))
            made[-1:] = new or made[-1:]
    return made


def joined(known: Sequence[Interval], made: Sequence[Interval]) -> Sequence[Interval]:
    """New intervals, the first of which begins when the known one did that it goes on from unchanged."""
    before = at(known, made[0].began_at) if made else None
    if before is None or follow(before, made[0]):
        return made
    return [msgspec.structs.replace(made[0], began_at=before.began_at), *made[1:]]


def silences(known: Rows, end: datetime) -> list[Stretch]:
    """When a gate, or a lane of it, could not be heard, by what is known of its status and its items."""
    unheard = (row for what, rows in known.items() for row in rows if _is_unheard(what, row))
    return merged((row.began_at, row.ended_at or end) for row in unheard)


def broken_off(at: datetime, gap: timedelta, unheard: Sequence[Stretch], grace: timedelta) -> datetime:
    """From when on nothing counts that a sensor said before its station stopped or started `at`: since it was unheard, as far as
    its journal has a `gap` before that; else a grace later, unless it has said so again by then: it was never out of hearing."""
    since = next((begin for begin, end in unheard if begin <= at <= end), None)
    return at + grace if since is None else max(at - gap, since)


def _status(was: str, items: Rows, moment: datetime) -> str:
    five = [at(items.get(item.value, ()), moment) for item in Item]
    if was not in CHECKED or None in five:
        return was
    is_whole = all(one is not None and one.state == "present" for one in five)
    return (Status.COMPLIANT if is_whole else Status.NON_COMPLIANT).value


def _is_unheard(what: str, row: Interval) -> bool:
    return row.state == Status.UNREACHABLE if what == "status" else row.reason in SILENCES


def _moments(
    words: Sequence[Said], lanes: Sequence[Serving], found: Sequence[Evidence], begin: datetime, end: datetime
) -> list[datetime]:
    evidence = [*(word.evidence for word in words if word.evidence is not None), *found]
    times = {begin, *(word.at for word in words), *(one.observed_at for one in found)}
    times |= {one.valid_until for one in evidence if one.valid_until is not None}
    times |= {one.silent_since for one in lanes if one.silent_since is not None}
    return sorted(time for time in times if begin <= time < end)


def _hear(held: Held, word: Said) -> None:
    known = held[word.station]
    if word.evidence is None:
        before = word.before or word.at
        held[word.station] = {key: e for key, e in known.items() if e.basis is not Basis.SENSOR or e.observed_at >= before}
        return
    until = None if word.evidence.basis is Basis.SENSOR else word.evidence.valid_until
    known[word.evidence.item, word.evidence.basis] = msgspec.structs.replace(
        word.evidence, observed_at=word.at, valid_until=until
    )


def _all_say(held: Held, lanes: Sequence[Serving], found: Sequence[Evidence], moment: datetime) -> dict[str, Sequence[Evidence]]:
    """What each lane says at a moment, the silent ones last as in any judgement."""
    heard: dict[str, Sequence[Evidence]] = {}
    silent: dict[str, Sequence[Evidence]] = {}
    newest = {one.item: one for one in sorted(found, key=_observed_at) if one.observed_at <= moment}
    for one in lanes:
        known = (*held[one.lane.station].values(), *newest.values())
        if one.silent_since is not None and one.silent_since <= moment:
            silent[one.lane.station] = silence(msgspec.structs.replace(one.lane, evidence=known), one.silent_since)
        else:
            heard[one.lane.station] = known
    return heard | silent


def _observed_at(one: Evidence) -> datetime:
    return one.observed_at


def _extend(rows: dict[str, list[Interval]], said: Mapping[str, Iterable[Evidence]], moment: datetime) -> None:
    for item, finding in assess_gate(said, moment).items():
        done = rows[item.value]
        new = follow(done[-1] if done else None, item_interval(item_status(finding, moment), moment))
        if new:
            done[-1:] = new
