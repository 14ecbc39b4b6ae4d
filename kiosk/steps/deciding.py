"""What is decided on a person, by the table or by the volunteer, and asked to be written. Pure steps of the station's reducer."""

from dataclasses import replace

from contract.events import Direction, Entry, Outcome, Reading
from kiosk.inputs import Decide, Now
from kiosk.lasting import Logged
from kiosk.rules.admission import Decision
from kiosk.setup import Setup
from kiosk.state import (
    ALONE,
    Checking,
    Measuring,
    Person,
    PinWanted,
    Shown,
    State,
    Step,
    Typing,
    fail,
)
from kiosk.steps.entries import asked_for, entry_of
from kiosk.steps.thermometry import begin

CONFIRMED = Decision(Outcome.ADMIT, ("confirmed_by_volunteer",))
REFUSED = Decision(Outcome.REFUSE, ("refused_by_volunteer",))


def decide(state: State, touch: Decide, now: Now, setup: Setup) -> Step:
    """The volunteer's decision on somebody referred, on the screen or at the side: its own entry, which names the referral.

    Whoever is let in unmeasured is measured first: only their temperature is then still wanted.
    """
    shift, referral = state.lasting.shift, touch.entry or _referral(state)
    logged = state.lasting.aside.get(referral or "")
    if logged is None:
        return fail(state, "not_aside" if touch.entry else "not_now", now)
    if shift is None:
        return fail(state, "not_signed_in", now)
    if not touch.admit and is_busy(state) and touch.entry:
        return _said_of(state, referred(state, logged, now), REFUSED, now, setup, shift.badge)
    if is_busy(state) and touch.entry:
        return fail(state, "not_now", now)
    person = replace(referred(state, logged, now), answer=touch.admit if "ask_dwelling" in logged.entry.reasons else None)
    if not touch.admit:
        return decided(state, person, REFUSED, None, now, setup, shift.badge)
    if _unmeasured(logged.entry, setup):
        return begin(state, replace(person, confirmed_by=shift.badge), now, setup, again=True)
    return decided(state, person, CONFIRMED, None, now, setup, shift.badge)


def referred(state: State, logged: Logged, now: Now) -> Person:
    """Who was referred: as remembered, or after a restart by the referral alone."""
    entry = logged.entry
    known = state.people.get(logged.id) or Person(
        "", None, now.mono_ns, entry.direction, entry.colour, logged=entry, boot_checked=entry.boot_checked,
        tries=(entry.reading.band,) if entry.reading else (), roles=(ALONE, *(c.role for c in entry.companions))[: entry.people],
    )  # fmt: skip
    return replace(known, follows=logged.id, by_hand=False)


def is_busy(state: State) -> bool:
    """Whether somebody is at hand whom another's decision must not push off the screen."""
    at_hand = state.at_hand
    unsaved = isinstance(at_hand, Shown) and at_hand.saved is None
    return unsaved or isinstance(at_hand, Measuring | Typing | PinWanted | Checking)


def _referral(state: State) -> str | None:
    at_hand = state.at_hand
    return at_hand.saved if isinstance(at_hand, Shown) and can_decide(state) else None


def _unmeasured(entry: Entry, setup: Setup) -> bool:
    """Whether a referral came before any temperature was taken, where one is wanted."""
    wanted = entry.direction is Direction.IN or setup.measure_on_exit
    return wanted and entry.reading is None and "no_reading" not in entry.reasons


def met(state: State, person: Person, made: Decision | None, now: Now, setup: Setup) -> Step:
    """Somebody is at hand: decided already, or their temperature is wanted."""
    return begin(state, person, now, setup) if made is None else decided(state, person, made, None, now, setup)


def can_decide(state: State) -> bool:
    """Whether somebody waits for the volunteer's decision."""
    at_hand = state.at_hand
    return isinstance(at_hand, Shown) and at_hand.saved is not None and at_hand.entry.outcome is Outcome.REFER


def can_retake(state: State) -> bool:
    """Whether another reading could change anything."""
    at_hand = state.at_hand
    if isinstance(at_hand, Shown):
        return can_decide(state) and (at_hand.entry.reading is not None or "no_reading" in at_hand.entry.reasons)
    return isinstance(at_hand, Measuring | Typing)


def decided(
    state: State, person: Person, made: Decision, reading: Reading | None, now: Now, setup: Setup, by: str | None = None
) -> Step:
    """Ask for the entry to be written; nothing is shown as done before it is."""
    if person.confirmed_by is not None and made.outcome is Outcome.ADMIT:
        made = Decision(made.outcome, tuple(dict.fromkeys((*CONFIRMED.reasons, *made.reasons))))
    entry = entry_of(state, person, made, reading, now, setup, by)
    return asked_for(replace(state, at_hand=Shown(person, entry, now.mono_ns)), person, entry)


def _said_of(state: State, person: Person, made: Decision, now: Now, setup: Setup, by: str) -> Step:
    """A decision on somebody at the side while another is at hand: written down, and the screen stays the other's."""
    return asked_for(state, person, entry_of(state, person, made, None, now, setup, by))


def shown_seconds(at_hand: Shown, setup: Setup) -> float:
    """How long an outcome stays on the screen."""
    timing = setup.timing
    return {Outcome.ADMIT: timing.admitted, Outcome.REFER: timing.referred}.get(at_hand.entry.outcome, timing.shown)
