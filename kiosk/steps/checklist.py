"""The shift checklist: desk and register by the day's code in front of the camera, the rest declared. Pure steps."""

from dataclasses import replace

from contract.directory import DayCode
from contract.five import Item
from kiosk.inputs import DeclareByEye, Now, OpenChecklist, PhotoTaken, TakePhoto, TokenSeen
from kiosk.setup import Setup
from kiosk.state import Checking, PinWanted, State, Step, Waiting, fail, past, record, time_of
from kiosk.steps import five_here
from kiosk.steps.person import leave

_READ_BY_CAMERA = frozenset({Item.DESK, Item.REGISTER})


def opened(state: State, touch: OpenChecklist, now: Now, setup: Setup) -> Step:
    """Begin to look for the day's code of desk or register."""
    if touch.item not in _READ_BY_CAMERA or isinstance(state.at_hand, PinWanted):
        return fail(state, "not_now", now)
    if state.lasting.shift is None:
        return fail(state, "not_signed_in", now)
    left, effects = leave(state, "abandoned", now, setup)
    return replace(left, at_hand=Checking(touch.item, now.mono_ns)), effects


def code_seen(state: State, seen: TokenSeen, now: Now, setup: Setup) -> Step:
    """A code came into view while one is looked for: today's takes the picture, any other says what is wrong with it."""
    at_hand = state.at_hand
    if not isinstance(at_hand, Checking) or at_hand.photo:
        return state, ()
    code = _code_of(state, seen.text, setup)
    if code is not None and code.day != _today(state, now, setup):
        return fail(state, "not_today", now)
    if code is None or _text(code, at_hand.item) != seen.text:
        return fail(state, "wrong_code", now)
    return replace(state, at_hand=replace(at_hand, photo=True)), (TakePhoto(at_hand.item.value),)


def is_day_code(state: State, text: str, setup: Setup) -> bool:
    """Whether a text is one of this gate's own codes: a desk card in view is nobody's pass."""
    return _code_of(state, text, setup) is not None


def photo_taken(state: State, given: PhotoTaken, now: Now, setup: Setup) -> Step:
    """With the picture the item is declared, for the shift and by the volunteer who is signed in."""
    at_hand, shift = state.at_hand, state.lasting.shift
    if not isinstance(at_hand, Checking) or not at_hand.photo or given.purpose != at_hand.item.value:
        return state, ()
    waiting = replace(state, at_hand=Waiting())
    if given.sha is None or shift is None:
        return fail(waiting, "no_photo" if shift else "not_signed_in", now)
    seconds = setup.lifetimes.desk if at_hand.item is Item.DESK else setup.lifetimes.register_paper
    return record(waiting, five_here.declare(at_hand.item, time_of(state, now), seconds, shift.badge, given.sha))


def declared(state: State, touch: DeclareByEye, now: Now, setup: Setup) -> Step:
    """Passes are checked by eye, or a hand-held gun is in use."""
    lifetimes = {Item.PASSES: setup.lifetimes.passes_by_eye, Item.TEMPERATURE: setup.lifetimes.temperature_typed}
    if touch.item not in lifetimes:
        return fail(state, "not_now", now)
    if state.lasting.shift is None:
        return fail(state, "not_signed_in", now)
    made = five_here.declare(touch.item, time_of(state, now), lifetimes[touch.item], state.lasting.shift.badge)
    return record(state, made)


def timed_out(state: State, now: Now, setup: Setup) -> Step:
    """No code came in time."""
    if isinstance(state.at_hand, Checking) and past(state.at_hand.since_ns, setup.timing.checklist, now):
        return fail(replace(state, at_hand=Waiting()), "timed_out", now)
    return state, ()


def _code_of(state: State, text: str, setup: Setup) -> DayCode | None:
    codes = state.directory.codes.codes if state.directory else ()
    return next((c for c in codes if c.gate == setup.gate and text in (c.desk, c.register)), None)


def _text(code: DayCode, item: Item) -> str:
    return code.desk if item is Item.DESK else code.register


def _today(state: State, now: Now, setup: Setup) -> str:
    return time_of(state, now).astimezone(setup.timezone).date().isoformat()
