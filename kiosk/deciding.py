"""What is decided on a person, by the table or by the volunteer, and asked to be written. Pure steps of the station's reducer."""

from dataclasses import replace

from contract.events import Outcome, Reading
from kiosk.entries import entry_of, personal_of
from kiosk.inputs import Now
from kiosk.rules.admission import Decision
from kiosk.setup import Setup
from kiosk.state import (
    Measuring,
    Person,
    Shown,
    State,
    Step,
    Typing,
    fail,
    record,
)


def decide(state: State, admit: bool, now: Now, setup: Setup) -> Step:
    """The volunteer's decision on somebody who was referred: its own entry, which names the referral."""
    at_hand, shift = state.at_hand, state.lasting.shift
    if not isinstance(at_hand, Shown) or at_hand.person is None or not can_decide(state):
        return fail(state, "not_now", now)
    if shift is None:
        return fail(state, "not_signed_in", now)
    person = replace(at_hand.person, follows=at_hand.saved)
    admitted, turned_away = (
        Decision(Outcome.ADMIT, ("confirmed_by_volunteer",)),
        Decision(Outcome.REFUSE, ("refused_by_volunteer",)),
    )
    return decided(state, person, admitted if admit else turned_away, None, now, setup, shift.badge)


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
    entry = entry_of(state, person, made, reading, now, setup, by)
    return record(replace(state, at_hand=Shown(person, entry, now.mono_ns)), entry, personal=personal_of(person))


def shown_seconds(at_hand: Shown, setup: Setup) -> float:
    """How long an outcome stays on the screen."""
    timing = setup.timing
    return {Outcome.ADMIT: timing.admitted, Outcome.REFER: timing.referred}.get(at_hand.entry.outcome, timing.shown)
