"""Ranges of sequence numbers: which events of a journal are there, acknowledged or missing. Pure, and the same on both sides."""

from collections.abc import Iterable

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


def add(ranges: Ranges, numbers: Iterable[int]) -> Ranges:
    """The ranges with more numbers in them."""
    return merge([*ranges, *((n, n) for n in numbers)])


def overlaps(ranges: Ranges, first: int, last: int) -> bool:
    """Whether any number of first … last is in the ranges."""
    return any(a <= last and first <= b for a, b in ranges)
