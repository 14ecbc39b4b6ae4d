"""Where somebody's temperature begins to be taken: by the thermometer if it answers, else typed. Pure steps."""

from dataclasses import replace

from kiosk.inputs import Now
from kiosk.setup import Setup
from kiosk.state import Measuring, Person, State, Step, Typing, past


def begin(state: State, person: Person, now: Now, setup: Setup, again: bool = False) -> Step:
    """Take the temperature: by the thermometer if it answers, else the volunteer types it."""
    if person.by_hand or not answers(state, now, setup):
        return replace(state, at_hand=Typing(person, now.mono_ns)), ()
    after = now.mono_ns + int(setup.timing.retake_pause * 1e9) if again else person.seen_ns
    return replace(state, at_hand=Measuring(person, now.mono_ns, after)), ()


def next_of_party(state: State, person: Person, now: Now, setup: Setup) -> Step:
    """Take the next one's, once the one before has stepped away: no forehead counts for two."""
    if not answers(state, now, setup):
        return replace(state, at_hand=Typing(person, now.mono_ns)), ()
    return replace(state, at_hand=Measuring(person, now.mono_ns, now.mono_ns, gap=True)), ()


def answers(state: State, now: Now, setup: Setup) -> bool:
    """Whether there is a thermometer worth waiting for."""
    heard = state.heard.at_ns
    return setup.thermometer is not None and heard is not None and not past(heard, setup.timing.thermometer_answers, now)
