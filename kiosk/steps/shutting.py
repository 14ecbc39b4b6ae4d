"""The gate itself, as the volunteer says: locked or open again, what a power cut missed, who left it at the shelf. Pure steps."""

from contract.events import GapAnswered, GateShut, Tallied
from kiosk.inputs import AnswerGap, Now, ShutGate, Tally
from kiosk.setup import Setup
from kiosk.state import State, Step, fail, record, time_of


def answer_gap(state: State, touch: AnswerGap, now: Now, setup: Setup) -> Step:
    """Somebody has seen how long the power was gone, and says whether people passed meanwhile."""
    if state.lasting.gap_seconds is None:
        return fail(state, "not_now", now)
    return record(state, GapAnswered(missed=touch.missed, by=_by(state)))


def shut_gate(state: State, touch: ShutGate, now: Now, setup: Setup) -> Step:
    """关门, or open again: by whoever is signed in."""
    if state.lasting.shift is None:
        return fail(state, "not_signed_in", now)
    if state.lasting.shut == touch.shut:
        return fail(state, "not_now", now)
    return record(state, GateShut(shut=touch.shut, by=_by(state)))


def tally(state: State, touch: Tally, now: Now, setup: Setup) -> Step:
    """A courier left it at the shelf; nobody need be signed in for one to be counted."""
    return record(state, Tallied(what=touch.what, by=_by(state)))


def couriers(state: State, now: Now, setup: Setup) -> int:
    """How many were tallied today, by the gate's own date."""
    today = time_of(state, now).astimezone(setup.timezone).date()
    return sum(n for quarter, n in state.lasting.tallied.items() if quarter.astimezone(setup.timezone).date() == today)


def _by(state: State) -> str | None:
    return state.lasting.shift.badge if state.lasting.shift else None
