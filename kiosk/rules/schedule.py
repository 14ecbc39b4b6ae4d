"""Whether a gate is open at an hour of the day."""

from collections.abc import Sequence


def is_open(schedule: Sequence[tuple[int, int]], minute: int) -> bool:
    """Whether `minute` (from local midnight) lies in the schedule; one that ends before it begins runs past midnight."""
    return not schedule or any(_within(opens, closes, minute) for opens, closes in schedule)


def _within(opens: int, closes: int, minute: int) -> bool:
    return opens <= minute < closes if opens <= closes else minute >= opens or minute < closes
