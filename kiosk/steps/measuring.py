"""One person's temperature: by the thermometer, or typed. Pure steps of the station's reducer."""

from dataclasses import replace

from contract.events import Band, Direction, Entry, Outcome, Reading, Site, Who
from kiosk.drivers.base import Fault, Measurement
from kiosk.inputs import AddPerson, CheckBoot, Measured, Now, Retake, TypeTemperature
from kiosk.rules import admission
from kiosk.rules.admission import NO_READING, Decision
from kiosk.rules.temperature import TemperatureRule, give_up, has_target, judge_typed, settle
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
from kiosk.steps.deciding import CONFIRMED, can_retake, decided
from kiosk.steps.entries import reading_of
from kiosk.steps.forms import VEHICLES, Form
from kiosk.steps.judging import facts, rule
from kiosk.steps.thermometry import answers, begin, next_of_party

_KEPT_SAMPLES = 100
_MOST_PEOPLE = 20


def measured(state: State, given: Measured, now: Now, setup: Setup) -> Step:
    """A sample came: it is the person's at hand if it was taken strictly after the pass, and nobody else's."""
    at_hand = state.at_hand
    if not isinstance(at_hand, Measuring) or given.value.mono_ns <= at_hand.after_ns:
        return state, ()
    if at_hand.gap:
        return _stepped_away(state, at_hand, given.value, setup), ()
    samples = (*at_hand.samples, given.value)[-_KEPT_SAMPLES:]
    judged = settle(samples, at_hand.after_ns, _rule(state, at_hand.person, setup))
    if judged is None:
        return replace(state, at_hand=replace(at_hand, samples=samples)), ()
    reading = reading_of(judged, at_hand.person, setup.thermometer or "unknown")
    return with_reading(state, at_hand.person, reading, now, setup)


def _rule(state: State, person: Person, setup: Setup) -> TemperatureRule:
    return replace(rule(state, setup), site=person.site)


def _stepped_away(state: State, at_hand: Measuring, value: Measurement | Fault, setup: Setup) -> State:
    if isinstance(value, Fault) or has_target(value, rule(state, setup)):
        return state
    return replace(state, at_hand=replace(at_hand, gap=False, since_ns=value.mono_ns, after_ns=value.mono_ns))


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
    return with_reading(state, person, reading, now, setup, state.lasting.shift.badge)


def waited(state: State, now: Now, setup: Setup) -> Step:
    """Time has passed with somebody at hand: a silent thermometer is given up, then the typing is."""
    at_hand, timing = state.at_hand, setup.timing
    if isinstance(at_hand, Typing) and past(at_hand.since_ns, timing.typing, now):
        return decided(state, at_hand.person, Decision(Outcome.REFER, ("no_reading", "timed_out")), None, now, setup)
    if not isinstance(at_hand, Measuring):
        return state, ()
    if not answers(state, now, setup):
        return replace(state, at_hand=Typing(at_hand.person, now.mono_ns)), ()
    patience = timing.party if at_hand.gap or at_hand.person.readings else timing.reading
    if not past(max(at_hand.since_ns, at_hand.after_ns), patience, now):
        return state, ()
    judged = give_up(at_hand.samples, _rule(state, at_hand.person, setup))
    return with_reading(state, at_hand.person, reading_of(judged, at_hand.person, setup.thermometer or "unknown"), now, setup)


def retake(state: State, touch: Retake, now: Now, setup: Setup) -> Step:
    """The person's temperature once more, by the thermometer if it answers."""
    at_hand = state.at_hand
    if not can_retake(state) or not isinstance(at_hand, Measuring | Typing | Shown) or at_hand.person is None:
        return fail(state, "not_now", now)
    person = replace(at_hand.person, by_hand=False)
    if isinstance(at_hand, Measuring) and at_hand.gap:
        return replace(state, at_hand=replace(at_hand, gap=False, since_ns=now.mono_ns, after_ns=now.mono_ns)), ()
    if isinstance(at_hand, Shown) and at_hand.saved is not None:
        person = replace(next_try(person, at_hand.entry, at_hand.saved), by_hand=False)
    return begin(state, person, now, setup, again=True)


def with_reading(state: State, person: Person, reading: Reading, now: Now, setup: Setup, by: str | None = None) -> Step:
    """Decide by a reading of the person at hand, or go on to the next one of their party."""
    made = admission.decide(facts(state, person, None, reading.band, now, setup))
    if made is None:
        measured = (*person.readings, (person.role, reading))
        return next_of_party(state, replace(person, readings=measured, tries=(), site=setup.site), now, setup)
    return decided(state, person, made, reading, now, setup, by)


def add_person(state: State, touch: AddPerson, now: Now, setup: Setup) -> Step:
    """One more with the person at hand; or with the one just let in, as an entry of its own that names the first."""
    at_hand = state.at_hand
    if isinstance(at_hand, Measuring | Typing) and len(at_hand.person.roles) < _MOST_PEOPLE:
        person = replace(at_hand.person, roles=(*at_hand.person.roles, touch.role))
        return replace(state, at_hand=replace(at_hand, person=person)), ()
    if not isinstance(at_hand, Shown) or not can_add(state):
        return fail(state, "nobody_there", now)
    first = at_hand.person
    follows = first.follows if first and first.who is Who.COMPANION else at_hand.saved
    form = Form(Who.COMPANION, host_confirmed=True)
    person = Person("", None, now.mono_ns, at_hand.entry.direction, follows=follows, form=form, roles=(touch.role,))
    return next_of_party(state, person, now, setup)


def can_add(state: State) -> bool:
    """Whether somebody may come with the person at hand."""
    at_hand = state.at_hand
    if isinstance(at_hand, Shown):
        let_in = at_hand.entry.outcome is Outcome.ADMIT and at_hand.entry.direction is Direction.IN
        return at_hand.saved is not None and at_hand.person is not None and let_in
    return isinstance(at_hand, Measuring | Typing) and len(at_hand.person.roles) < _MOST_PEOPLE


def check_boot(state: State, touch: CheckBoot, now: Now, setup: Setup) -> Step:
    """The boot was opened; a vehicle that waited for nothing else is let in."""
    at_hand = state.at_hand
    if not can_boot(state) or not isinstance(at_hand, Measuring | Typing | Shown) or at_hand.person is None:
        return fail(state, "not_now", now)
    person = replace(at_hand.person, boot_checked=True)
    if not isinstance(at_hand, Shown):
        return replace(state, at_hand=replace(at_hand, person=person)), ()
    if state.lasting.shift is None:
        return fail(state, "not_signed_in", now)
    by = state.lasting.shift.badge
    return decided(state, replace(person, follows=at_hand.saved), CONFIRMED, None, now, setup, by)


def can_boot(state: State) -> bool:
    """Whether a vehicle is at hand whose boot nobody has looked into."""
    at_hand = state.at_hand
    if not isinstance(at_hand, Measuring | Typing | Shown) or at_hand.person is None:
        return False
    if isinstance(at_hand, Shown) and (at_hand.saved is None or at_hand.entry.reasons[:1] != ("boot_unchecked",)):
        return False
    return at_hand.person.who in VEHICLES and not at_hand.person.boot_checked


def next_try(person: Person, entry: Entry, saved: str) -> Person:
    """The person as the retake sees them."""
    band = entry.reading.band if entry.reading else Band.UNKNOWN
    site = Site.WRIST if band is Band.LOW else person.site
    return replace(person, follows=saved, tries=(*person.tries, band), site=site, by_hand=band in NO_READING)
