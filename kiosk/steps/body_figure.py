"""A body temperature from a thermometer with a button, for the person at hand. A pure step of the station's reducer.

It is judged like a figure that is typed, but it is an instrument's: nobody has to be on shift for it, and nobody typed it.
"""

from dataclasses import replace

from kiosk.drivers.base import BodySite
from kiosk.inputs import BodyMeasured, Now
from kiosk.rules.temperature import judge_typed
from kiosk.setup import Setup
from kiosk.state import Measuring, State, Step, Typing, fail
from kiosk.steps.entries import reading_of
from kiosk.steps.judging import rule
from kiosk.steps.measuring import with_reading


def body_measured(state: State, given: BodyMeasured, now: Now, setup: Setup) -> Step:
    """The reading of the person at hand, if it was received strictly after they were; and no evidence of any item."""
    at_hand, value = state.at_hand, given.value
    if not isinstance(at_hand, Measuring | Typing) or value.mono_ns <= _asked_ns(at_hand, setup):
        return state, ()
    try:
        judged = judge_typed(value.celsius, rule(state, setup))
    except ValueError:
        return fail(state, "out_of_range", now)
    elsewhere = () if value.site is BodySite.BODY else (f"site_{value.site}",)
    judged = replace(judged, reasons=(*judged.reasons, *elsewhere))
    return with_reading(state, at_hand.person, reading_of(judged, at_hand.person, given.source), now, setup)


def _asked_ns(at_hand: Measuring | Typing, setup: Setup) -> int:
    """From when on a figure is theirs. The next one of a party has a moment more: a button is easily pressed twice."""
    since = at_hand.after_ns if isinstance(at_hand, Measuring) else at_hand.since_ns
    return since + (int(setup.timing.retake_pause * 1e9) if at_hand.person.readings else 0)
