"""One person's temperature: by the thermometer, or typed. Pure steps of the station's reducer."""

from dataclasses import replace

from contract.events import Band, Entry, Outcome, Reading, Site
from kiosk.deciding import can_retake, decided
from kiosk.entries import reading_of
from kiosk.inputs import Measured, Now, Retake, TypeTemperature
from kiosk.judging import facts, rule
from kiosk.rules import admission
from kiosk.rules.admission import NO_READING, Decision
from kiosk.rules.temperature import give_up, judge_typed, settle
from kiosk.setup import Setup
from kiosk.state import (
    Measuring,
    Person,
    Shown,
    State,
    Step,
    Typing,
    fail,
    past,
)

_KEPT_SAMPLES = 100


def begin(state: State, person: Person, now: Now, setup: Setup, again: bool = False) -> Step:
    """Take the temperature: by the thermometer if it answers, else the volunteer types it."""
    if person.by_hand or not answers(state, now, setup):
        return replace(state, at_hand=Typing(person, now.mono_ns)), ()
    after = now.mono_ns + int(setup.timing.retake_pause * 1e9) if again else person.seen_ns
    return replace(state, at_hand=Measuring(person, now.mono_ns, after)), ()


def answers(state: State, now: Now, setup: Setup) -> bool:
    """Whether there is a thermometer worth waiting for."""
    heard = state.heard.at_ns
    return setup.thermometer is not None and heard is not None and not past(heard, setup.timing.thermometer_answers, now)


def measured(state: State, given: Measured, now: Now, setup: Setup) -> Step:
    """A sample came: it is the person's at hand if it was taken strictly after the pass, and nobody else's."""
    at_hand = state.at_hand
    if not isinstance(at_hand, Measuring) or given.value.mono_ns <= at_hand.after_ns:
        return state, ()
    samples = (*at_hand.samples, given.value)[-_KEPT_SAMPLES:]
    judged = settle(samples, at_hand.after_ns, rule(state, setup))
    if judged is None:
        return replace(state, at_hand=replace(at_hand, samples=samples)), ()
    reading = reading_of(judged, at_hand.person, setup.thermometer or "unknown")
    return _with_reading(state, at_hand.person, reading, now, setup)


def typed(state: State, touch: TypeTemperature, now: Now, setup: Setup) -> Step:
    """The hand-held gun's figure, for the person at hand."""
    if not isinstance(state.at_hand, Typing):
        return fail(state, "not_now", now)
    if state.lasting.shift is None:
        return fail(state, "not_signed_in", now)
    try:
        judged = judge_typed(touch.celsius, rule(state, setup))
    except ValueError:
        return fail(state, "out_of_range", now)
    person = replace(state.at_hand.person, site=touch.site)
    reading = reading_of(judged, person, "typed", max(touch.typed_seconds, 0.0))
    return _with_reading(state, person, reading, now, setup, state.lasting.shift.badge)


def waited(state: State, now: Now, setup: Setup) -> Step:
    """Time has passed with somebody at hand: a silent thermometer is given up, then the typing is."""
    at_hand, timing = state.at_hand, setup.timing
    if isinstance(at_hand, Typing) and past(at_hand.since_ns, timing.typing, now):
        return decided(state, at_hand.person, Decision(Outcome.REFER, ("no_reading", "timed_out")), None, now, setup)
    if not isinstance(at_hand, Measuring):
        return state, ()
    if not answers(state, now, setup):
        return replace(state, at_hand=Typing(at_hand.person, now.mono_ns)), ()
    if not past(max(at_hand.since_ns, at_hand.after_ns), timing.reading, now):
        return state, ()
    judged = give_up(at_hand.samples, rule(state, setup))
    return _with_reading(state, at_hand.person, reading_of(judged, at_hand.person, setup.thermometer or "unknown"), now, setup)


def retake(state: State, touch: Retake, now: Now, setup: Setup) -> Step:
    """The person's temperature once more, by the thermometer if it answers."""
    at_hand = state.at_hand
    if not can_retake(state) or not isinstance(at_hand, Measuring | Typing | Shown) or at_hand.person is None:
        return fail(state, "not_now", now)
    person = replace(at_hand.person, by_hand=False)
    if isinstance(at_hand, Shown) and at_hand.saved is not None:
        person = replace(next_try(person, at_hand.entry, at_hand.saved), by_hand=False)
    return begin(state, person, now, setup, again=True)


def _with_reading(state: State, person: Person, reading: Reading, now: Now, setup: Setup, by: str | None = None) -> Step:
    made = admission.decide(facts(state, person, None, reading.band, now, setup))
    return decided(state, person, made or Decision(Outcome.REFER, ("unknown",)), reading, now, setup, by)


def next_try(person: Person, entry: Entry, saved: str) -> Person:
    """The person as the retake sees them."""
    band = entry.reading.band if entry.reading else Band.UNKNOWN
    site = Site.WRIST if band is Band.LOW else person.site
    return replace(person, follows=saved, tries=(*person.tries, band), site=site, by_hand=band in NO_READING)
