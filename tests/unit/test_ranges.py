"""The hub's ranges hold exactly the numbers put in, in as few ranges as can be."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.ranges import Ranges, add, merge, overlaps
from hub.ranges import acknowledged

NUMBERS = st.lists(st.integers(1, 60), max_size=40)
PAIRS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda p: (p[0], p[0] + p[1])), max_size=12)


def numbers(ranges: Ranges) -> set[int]:
    """Every number in the ranges."""
    return {n for first, last in ranges for n in range(first, last + 1)}


@settings(deadline=None)
@given(PAIRS)
def test_merging_keeps_the_numbers_and_leaves_gaps_between_ranges(pairs: list[tuple[int, int]]) -> None:
    merged = merge(pairs)
    assert numbers(merged) == numbers(tuple(pairs))
    assert all(before[1] + 1 < after[0] for before, after in pairwise(merged))


@settings(deadline=None)
@given(PAIRS, NUMBERS)
def test_adding_numbers_in_any_order_and_twice_is_the_same(pairs: list[tuple[int, int]], more: list[int]) -> None:
    added = add(merge(pairs), more)
    assert numbers(added) == numbers(tuple(pairs)) | set(more)
    assert add(added, reversed(more)) == added


@settings(deadline=None)
@given(NUMBERS)
def test_what_is_acknowledged_is_what_is_there(some: list[int]) -> None:
    ranges = add((), some)
    upto, beyond = acknowledged(ranges)
    assert set(range(1, upto + 1)) | numbers(beyond) == set(some)
    assert upto + 1 not in some


@settings(deadline=None)
@given(PAIRS, st.integers(1, 60), st.integers(0, 9))
def test_overlap_is_a_number_in_common(pairs: list[tuple[int, int]], first: int, length: int) -> None:
    ranges = merge(pairs)
    assert overlaps(ranges, first, first + length) == bool(numbers(ranges) & set(range(first, first + length + 1)))


@pytest.mark.parametrize(
    "ranges, expected",
    [
        ((), (0, ())),
        (((1, 5),), (5, ())),
        (((1, 5), (7, 9)), (5, ((7, 9),))),
        (((3, 4),), (0, ((3, 4),))),
    ],
)
def test_upto_counts_from_one(ranges: Ranges, expected: tuple[int, Ranges]) -> None:
    assert acknowledged(ranges) == expected
