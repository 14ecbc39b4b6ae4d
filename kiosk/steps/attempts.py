"""Wrong PINs: counted for each badge and for the settings, which are locked for a while after the third. Pure."""

from dataclasses import replace

from kiosk.inputs import Now
from kiosk.setup import Setup
from kiosk.state import Attempts, State, Step, fail

WRONG_PINS = 3


def is_locked(state: State, whose: str, now: Now) -> bool:
    """Whether no PIN is taken at this time."""
    until = state.attempts.get(whose, Attempts()).locked_until_ns
    return until is not None and now.mono_ns < until


def wrong(state: State, whose: str, now: Now, setup: Setup) -> Step:
    """One wrong PIN more; the third locks."""
    count = state.attempts.get(whose, Attempts()).wrong + 1
    if count < WRONG_PINS:
        return fail(replace(state, attempts={**state.attempts, whose: Attempts(count)}), "wrong_pin", now)
    locked = Attempts(0, now.mono_ns + int(setup.timing.pin_lock * 1e9))
    return fail(replace(state, attempts={**state.attempts, whose: locked}), "locked_out", now)


def right(state: State, whose: str) -> State:
    """The right PIN: what was wrong before is forgotten."""
    return replace(state, attempts={key: found for key, found in state.attempts.items() if key != whose})
