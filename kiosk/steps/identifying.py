"""The hub asks which station this is: the screen and the voice say so, unless somebody is at hand. Pure steps of the reducer."""

from dataclasses import replace

from kiosk.inputs import IdentifyAsked, Now, Say
from kiosk.setup import Setup
from kiosk.state import State, Step, Waiting, past

SENTENCE = "identify"


def asked(state: State, given: IdentifyAsked, now: Now, setup: Setup) -> Step:
    """Say it for a while; nobody who is being looked at is kept waiting for it."""
    if not isinstance(state.at_hand, Waiting):
        return state, ()
    return replace(state, identified_ns=now.mono_ns), (Say(SENTENCE),)


def said(state: State, now: Now, setup: Setup) -> str | None:
    """What the idle screen says of it now, if anything."""
    since = state.identified_ns
    is_shown = since is not None and isinstance(state.at_hand, Waiting) and not past(since, setup.timing.identified, now)
    return SENTENCE if is_shown else None
