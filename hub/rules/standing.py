"""How one item stands at one gate at a time, and since when, read from the intervals of the item and of the gate's status. Pure.

Nobody knows how an item stood while its gate was unreachable or the hub blind, and none is asked for while the gate is closed.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from contract.five import Basis
from hub.rules.compliance import Status, Value
from hub.rules.durations import Stretch
from hub.rules.intervals import Interval

CHECKED = frozenset({Status.COMPLIANT.value, Status.NON_COMPLIANT.value})
"""The statuses of a gate whose five are known and asked for."""


class Stand(StrEnum):
    """How an item stands."""

    PRESENT = "present"
    """By what the station itself says: a sensor, or what was declared there."""
    INSPECTED = "inspected"
    """By an inspection alone."""
    MISSING = "missing"
    UNKNOWN = "unknown"
    CLOSED = "closed"


class Standing(Value, frozen=True, kw_only=True):
    """How an item stands, without a break since a time."""

    stand: Stand
    since: datetime
    lasted: timedelta
    """As far as it is known: the time in which nobody knew is not counted."""


def standing(
    status: Sequence[Interval], item: Sequence[Interval], now: datetime, *, bridged: timedelta = timedelta(0),
    after: datetime | None = None, unheard: Sequence[Stretch] = (),
) -> Standing | None:  # fmt: skip
    """How the item stands at `now`; None: nothing is recorded. What is missing goes on being missing over a time in which nobody
    knew of at most `bridged`, so that a station unplugged for a moment forgets nothing. Before `after` nothing is looked at.
    `unheard`: when the hub was blind, in order and apart from each other."""
    found: Standing | None = None
    unknown = timedelta(0)
    for begin, end, stand in _back(sorted(status, key=_began), sorted(item, key=_began), now, after, unheard):
        found = found or Standing(stand=stand, since=end, lasted=timedelta(0))
        if stand is found.stand:
            found, unknown = Standing(stand=stand, since=begin, lasted=found.lasted + (end - begin)), timedelta(0)
            continue
        unknown += end - begin
        if found.stand is not Stand.MISSING or stand is not Stand.UNKNOWN or unknown > bridged:
            break
    return found


def _back(
    status: Sequence[Interval], item: Sequence[Interval], now: datetime, after: datetime | None, unheard: Sequence[Stretch]
) -> Iterator[tuple[datetime, datetime, Stand]]:
    """Stretches of time in which nothing changed, the newest first, back to where nothing is recorded."""
    times = {time for row in (*status, *item) for time in (row.began_at, row.ended_at or now)}
    times |= {time for stretch in unheard for time in stretch}
    edges = sorted({time for time in (*times, now, *([after] if after else [])) if time <= now and (not after or time >= after)})
    for begin, end in zip(edges[-2::-1], edges[:0:-1], strict=True):
        gate, known = _at(status, begin), _at(item, begin)
        if gate is None or known is None:
            return
        yield begin, end, Stand.UNKNOWN if _is_within(unheard, begin) else _stand(gate, known)


def _is_within(stretches: Sequence[Stretch], time: datetime) -> bool:
    place = bisect_right(stretches, time, key=lambda stretch: stretch[0])
    return place > 0 and time < stretches[place - 1][1]


def _stand(gate: Interval, known: Interval) -> Stand:
    if gate.state == Status.CLOSED:
        return Stand.CLOSED
    if gate.state not in CHECKED:
        return Stand.UNKNOWN
    if known.state != "present":
        return Stand.MISSING
    return Stand.INSPECTED if known.basis == Basis.INSPECTED else Stand.PRESENT


def _began(row: Interval) -> datetime:
    return row.began_at


def _at(rows: Sequence[Interval], time: datetime) -> Interval | None:
    place = bisect_right(rows, time, key=_began)
    found = rows[place - 1] if place else None
    return found if found is not None and (found.ended_at is None or found.ended_at > time) else None
