"""Ranges of sequence numbers: which events are acknowledged, which are still to send. Pure."""

from collections.abc import Iterable

from contract.messages import Ack

Range = tuple[int, int]
"""First and last, both inclusive."""
Ranges = tuple[Range, ...]
"""In order, apart from each other."""


def merge(ranges: Iterable[Range]) -> Ranges:
    """The same numbers in as few ranges as possible; one that is empty or begins below 1 is left out."""
    merged: list[Range] = []
    for first, last in sorted(r for r in ranges if 1 <= r[0] <= r[1]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def clip(ranges: Iterable[Range], last: int) -> Ranges:
    """What of the ranges is not above `last`."""
    return merge((a, min(b, last)) for a, b in ranges)


def missing(ranges: Ranges, first: int, last: int) -> Ranges:
    """What of first … last is in none of the ranges."""
    holes: list[Range] = []
    for a, b in ranges:
        if a > last:
            break
        if a > first:
            holes.append((first, a - 1))
        first = max(first, b + 1)
    return (*holes, (first, last)) if first <= last else tuple(holes)


def subtract(ranges: Ranges, taken: Iterable[Range]) -> Ranges:
    """What of the ranges is in none of those taken."""
    gone = merge(taken)
    return tuple(hole for first, last in ranges for hole in missing(gone, first, last))


def size(ranges: Ranges) -> int:
    """How many numbers there are in the ranges."""
    return sum(last - first + 1 for first, last in ranges)


def acknowledged_by(ack: Ack) -> Ranges:
    """What an acknowledgement covers; from the fork on it covers nothing, for there the hub holds other events."""
    covered = merge(((1, ack.upto), *ack.ranges))
    return covered if ack.fork_at is None else clip(covered, ack.fork_at - 1)


def fork_point(ack: Ack, last_seq: int) -> int | None:
    """Where the journal has to fork, or None.

    A hub that holds more than was ever written here heard it from a later life of this card, since restored or cloned.
    """
    if ack.fork_at is not None:
        return max(ack.fork_at, 1)
    covered = acknowledged_by(ack)
    return last_seq + 1 if covered and covered[-1][1] > last_seq else None
