"""The five of a gate over a time gone by, made again from its journals when events arrive late. Pure.

A sensor's evidence is renewed by the pulse, which no journal holds: here it lasts until the sensor says otherwise, or the
station stops or starts again. What was declared or inspected lasts as long as was said.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from contract.five import Basis, Evidence, Item, assess_gate
from hub.rules.compliance import ItemStatus, Value
from hub.rules.intervals import Interval, follow, item_interval

Held = dict[str, dict[tuple[Item, Basis], Evidence]]


class Said(Value, frozen=True, kw_only=True):
    """A journal's word: evidence, or (None) that the station stopped or started."""

    station: str
    at: datetime
    evidence: Evidence | None = None


def rebuild(said: Iterable[Said], lanes: Sequence[str], begin: datetime, end: datetime) -> dict[str, list[Interval]]:
    """The intervals of each item from `begin` on as they stood until `end`; what was said before `begin` is where it starts."""
    words = sorted((w for w in said if w.station in lanes and w.at <= end), key=lambda w: w.at)
    held: Held = {lane: {} for lane in lanes}
    rows: dict[str, list[Interval]] = {item.value: [] for item in Item}
    place = 0
    for moment in _moments(words, begin, end):
        while place < len(words) and words[place].at <= moment:
            _hear(held, words[place])
            place += 1
        _extend(rows, held, moment)
    return rows


def _moments(words: Sequence[Said], begin: datetime, end: datetime) -> list[datetime]:
    times = {begin, *(word.at for word in words)}
    times |= {w.evidence.valid_until for w in words if w.evidence is not None and w.evidence.valid_until is not None}
    return sorted(time for time in times if begin <= time < end)


def _hear(held: Held, word: Said) -> None:
    known = held[word.station]
    if word.evidence is None:
        held[word.station] = {key: e for key, e in known.items() if e.basis is not Basis.SENSOR}
        return
    until = None if word.evidence.basis is Basis.SENSOR else word.evidence.valid_until
    known[word.evidence.item, word.evidence.basis] = msgspec.structs.replace(
        word.evidence, observed_at=word.at, valid_until=until
    )


def _extend(rows: dict[str, list[Interval]], held: Held, moment: datetime) -> None:
    for item, finding in assess_gate({lane: known.values() for lane, known in held.items()}, moment).items():
        done = rows[item.value]
        state = ItemStatus(present=finding.present, basis=finding.basis, reason=finding.reason)
        new = follow(done[-1] if done else None, item_interval(state, moment))
        if new:
            done[-1:] = new
