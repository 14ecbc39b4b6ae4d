"""The side list: who was referred and still stands there, so that the queue goes on. Pure steps."""

from contract.events import Outcome
from kiosk.inputs import Gone, Now, Recall
from kiosk.lasting import Logged
from kiosk.rules.admission import Decision
from kiosk.setup import Setup
from kiosk.state import State, Step, fail, time_of
from kiosk.steps.deciding import is_busy, referred
from kiosk.steps.entries import asked_for, entry_of
from kiosk.steps.measuring import next_try
from kiosk.steps.thermometry import begin

_LEFT = Decision(Outcome.REFER, ("left",))
_SHOWN_SECONDS = 4 * 3600
"""Whoever has stood at the side for longer than this isn't there."""
_HOT_OR_COLD = frozenset({"fever", "low", "no_reading", "aside", "after_restart"})


def waiting(state: State, now: Now) -> tuple[Logged, ...]:
    """Who stands at the side, the longest wait first."""
    return tuple(one for one in state.lasting.aside.values() if waited(state, one, now) < _SHOWN_SECONDS)


def waited(state: State, logged: Logged, now: Now) -> float:
    """Seconds since somebody was sent aside."""
    return max((time_of(state, now) - logged.at).total_seconds(), 0.0)


def can_recall(logged: Logged) -> bool:
    """Whether another reading could settle it."""
    return bool(_HOT_OR_COLD & set(logged.entry.reasons))


def recall(state: State, touch: Recall, now: Now, setup: Setup) -> Step:
    """Somebody from the side is measured again."""
    logged = state.lasting.aside.get(touch.entry)
    if logged is None:
        return fail(state, "not_aside", now)
    if is_busy(state) or not can_recall(logged):
        return fail(state, "not_now", now)
    person = referred(state, logged, now)
    if logged.entry.reading is not None:
        person = next_try(person, logged.entry, logged.id)
    return begin(state, person, now, setup, again=True)


def gone(state: State, touch: Gone, now: Now, setup: Setup) -> Step:
    """Somebody has left without being let in or turned away."""
    logged = state.lasting.aside.get(touch.entry)
    if logged is None:
        return fail(state, "not_aside", now)
    person = referred(state, logged, now)
    by = state.lasting.shift.badge if state.lasting.shift else None
    return asked_for(state, person, entry_of(state, person, _LEFT, None, now, setup, by))
