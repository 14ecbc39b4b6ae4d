"""Whether another policy holds residents back: lets them go out more rarely, for less long, or at fewer times. Pure."""

from math import ceil, inf

from contract.directory import Policies

_DAY = 1440


def holds_back(before: Policies, after: Policies) -> bool:
    """Whether somebody may stay in for what is set after who could go out by what was set before."""
    return _fewer(before, after) or _shorter(before, after) or _at_fewer_times(before, after)


def _fewer(before: Policies, after: Policies) -> bool:
    """A household that goes out as often as it could may go out at most `outings` times in each part of a period that begins."""
    if not after.outings:
        return False
    most = before.outings * ceil(after.outing_days / before.outing_days) if before.outings else inf
    return after.outings < most


def _shorter(before: Policies, after: Policies) -> bool:
    return (after.outing_seconds or inf) < (before.outing_seconds or inf)


def _at_fewer_times(before: Policies, after: Policies) -> bool:
    return bool(_minutes(before.outing_windows) - _minutes(after.outing_windows))


def _minutes(windows: tuple[tuple[int, int], ...]) -> set[int]:
    """The minutes of a day that lie in these, all where there are none; one that ends before it begins runs past midnight."""
    if not windows:
        return set(range(_DAY))
    return {
        minute
        for begins, ends in windows
        for minute in (range(begins, ends) if begins <= ends else (*range(begins, _DAY), *range(ends)))
    }
