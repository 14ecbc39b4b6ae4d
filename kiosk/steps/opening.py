"""What tells people is open only while a badge that was shown with its PIN is signed in. Pure steps of the reducer."""

from dataclasses import replace

from contract.opening import closed, is_closed
from kiosk.inputs import CloseRoster, Effect
from kiosk.state import State

CLOSED, NO_KEY = "roster_closed", "roster_no_key"


def why_closed(state: State) -> str | None:
    """What the screen says of a roster that is there and not open; None: it is open, or there is none."""
    if not is_closed(state.directory):
        return None
    shift = state.lasting.shift
    return CLOSED if shift is None or has_key(state, shift.badge) else NO_KEY


def wants_pin(state: State, badge: str) -> bool:
    """Whether a badge, signed in already, has to be asked for its PIN to open the roster: after a power cut, or a new key."""
    return is_closed(state.directory) and has_key(state, badge)


def has_key(state: State, badge: str) -> bool:
    """Whether the roster opens for a badge; one that was issued before there were sealed rosters has no key."""
    return state.directory is not None and badge in state.directory.openers.wraps


def shut(state: State) -> State:
    """The state without anything that tells people."""
    return replace(state, directory=closed(state.directory)) if state.directory is not None else state


def followed(before: State, after: State) -> tuple[State, tuple[Effect, ...]]:
    """The roster closes with the shift and with the gate; what one badge has opened is not open for another without a key."""
    had, has = before.lasting.shift, after.lasting.shift
    locked = after.lasting.shut and not before.lasting.shut
    if locked or (had is not None and has is None):
        return shut(after), (CloseRoster(),)
    if had is not None and has is not None and had.badge != has.badge and not has_key(after, has.badge):
        return shut(after), ()
    return after, ()
