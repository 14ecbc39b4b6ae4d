"""More time: the time-out at hand begins anew. Pure steps of the station's reducer."""

from dataclasses import replace

from kiosk.inputs import Extend, Now
from kiosk.setup import Setup
from kiosk.state import Checking, PinWanted, Shown, State, Step, Typing, fail
from kiosk.steps import settings
from kiosk.steps.deciding import can_decide


def can_extend(state: State) -> bool:
    """Whether anything at hand runs out that somebody may still be busy with."""
    return settings.is_open(state) or _is_extendable(state)


def extend(state: State, touch: Extend, now: Now, setup: Setup) -> Step:
    """Its whole time once more, and the settings' too while they are open."""
    if not can_extend(state):
        return fail(state, "not_now", now)
    if settings.is_open(state):
        state = settings.touched(state, now)
    at_hand = state.at_hand
    if _is_extendable(state) and isinstance(at_hand, Typing | PinWanted | Checking | Shown):
        state = replace(state, at_hand=replace(at_hand, since_ns=now.mono_ns))
    return state, ()


def _is_extendable(state: State) -> bool:
    return isinstance(state.at_hand, Typing | PinWanted | Checking) or can_decide(state)
