"""The station's clocks are read together."""

import time
from datetime import UTC, datetime

from kiosk import clock


def test_both_clocks_are_of_one_moment_though_something_else_ran_between() -> None:
    slow = iter((0.05, 0.02))

    def wall() -> datetime:
        found = datetime.now(UTC)
        time.sleep(next(slow, 0))
        return found

    began, began_ns = datetime.now(UTC), time.monotonic_ns()
    utc, mono_ns = clock._both(wall)
    assert next(slow, None) is None
    assert abs((utc - began).total_seconds() - (mono_ns - began_ns) / 1e9) < 0.02  # the two slow reads would be off by more


def test_clocks_that_never_are_together_are_read_all_the_same() -> None:
    def wall() -> datetime:
        time.sleep(0.002)
        return datetime.now(UTC)

    utc, mono_ns = clock._both(wall)
    assert utc <= datetime.now(UTC)
    assert mono_ns <= time.monotonic_ns()
