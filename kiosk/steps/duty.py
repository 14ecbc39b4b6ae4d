"""Who is on duty: badge and PIN, confirmation, hand-over, sign-off. Pure steps of the station's reducer."""

from dataclasses import replace

from contract.events import Body, DutyConfirmed, ShiftChange
from contract.five import Item
from contract.passes import BADGES, Pass
from kiosk.inputs import CheckPin, EnterPin, Now, OpenRoster, PinChecked, TokenSeen
from kiosk.lasting import Shift
from kiosk.setup import Setup
from kiosk.state import (
    Measuring,
    PinWanted,
    Shown,
    State,
    Step,
    Typing,
    Waiting,
    fail,
    join,
    past,
    record,
    time_of,
)
from kiosk.steps import attempts, five_here, opening
from kiosk.steps.judging import rejected

_CONFIRM_AGAIN_SECONDS = 60


def badge_shown(state: State, seen: TokenSeen, claims: Pass, now: Now, setup: Setup) -> Step:
    """A badge came into view: it confirms its own shift, or asks for its PIN; and both while it is to open the roster again."""
    problem = rejected(state, claims, now, setup, BADGES)
    if problem is not None:
        return fail(state, f"badge_{problem.problem}", now)
    if not _is_signed_in(state, claims.id):
        return _ask(state, seen, claims, now)
    state, effects = confirm(replace(state, on_duty=(claims.id, claims.name)), now, setup, by_touch=False)
    return join((state, effects), _ask(state, seen, claims, now)) if opening.wants_pin(state, claims.id) else (state, effects)


def _ask(state: State, seen: TokenSeen, claims: Pass, now: Now) -> Step:
    badges = state.directory.badges.badges if state.directory else ()
    badge = next((b for b in badges if b.id == claims.id), None)
    if badge is None:
        return fail(state, "no_pin", now)
    if attempts.is_locked(state, badge.id, now):
        return fail(state, "locked_out", now)
    if isinstance(state.at_hand, PinWanted) and state.at_hand.badge.id == badge.id:
        return state, ()
    back = state.at_hand if isinstance(state.at_hand, Measuring | Typing | Shown) else Waiting()
    return replace(state, at_hand=PinWanted(badge, seen.text, now.mono_ns, back, name=claims.name)), ()


def pin_entered(state: State, touch: EnterPin, now: Now, setup: Setup) -> Step:
    """The PIN is checked elsewhere, since that is slow on purpose."""
    at_hand = state.at_hand
    if not isinstance(at_hand, PinWanted) or at_hand.checking:
        return fail(state, "not_now", now)
    wanted = CheckPin(at_hand.badge.id, at_hand.token, touch.pin, at_hand.badge.pin)
    return replace(state, at_hand=replace(at_hand, checking=True)), (wanted,)


def pin_checked(state: State, given: PinChecked, now: Now, setup: Setup) -> Step:
    """Signed in, or one wrong PIN more. The right one opens the roster; for whoever is signed in already it does no more."""
    at_hand = state.at_hand
    if not isinstance(at_hand, PinWanted) or not at_hand.checking or at_hand.badge.id != given.badge:
        return state, ()
    if not given.ok:
        return _wrong_pin(state, at_hand, now, setup)
    state = replace(back(attempts.right(state, given.badge), now), on_duty=(given.badge, at_hand.name))
    if _is_signed_in(state, given.badge):
        step = confirm(state, now, setup)
    else:
        step = record(state, *_sign_in(state, given.badge, now, setup))
    return join(step, (step[0], (OpenRoster(given.badge, given.opening),)))


def back(state: State, now: Now) -> State:
    """From the PIN to where the screen was before: whoever was at hand is so again, with a clock and samples begun anew."""
    if not isinstance(state.at_hand, PinWanted):
        return state
    before = state.at_hand.back
    if isinstance(before, Measuring):
        return replace(state, at_hand=replace(before, since_ns=now.mono_ns, after_ns=now.mono_ns, samples=()))
    if isinstance(before, Typing | Shown):
        return replace(state, at_hand=replace(before, since_ns=now.mono_ns))
    return replace(state, at_hand=Waiting())


def confirm(state: State, now: Now, setup: Setup, by_touch: bool = True) -> Step:
    """「我在」: the volunteer on shift is there."""
    shift = state.lasting.shift
    if shift is None:
        return fail(state, "not_signed_in", now)
    return record(state, DutyConfirmed(badge=shift.badge, by_touch=by_touch), _present(state, shift.badge, now, setup))


def confirm_by_the_way(state: State, now: Now, setup: Setup) -> Step:
    """A touch that only a volunteer makes confirms the one on shift, once a minute at most."""
    shift, last = state.lasting.shift, five_here.declared(state, Item.VOLUNTEER)
    if shift is None or state.unsaved:
        return state, ()
    if last and 0 <= (time_of(state, now) - last.observed_at).total_seconds() < _CONFIRM_AGAIN_SECONDS:
        return state, ()
    return confirm(state, now, setup)


def sign_off(state: State, now: Now) -> Step:
    """The volunteer leaves, and nobody takes over."""
    shift = state.lasting.shift
    if shift is None:
        return fail(state, "not_signed_in", now)
    return record(state, *_off(state, shift, "signed_off", now))


def expire(state: State, now: Now, setup: Setup) -> Step:
    """A shift ends by itself when its badge counts no more, or when nobody has confirmed it for hours."""
    shift, last = state.lasting.shift, five_here.declared(state, Item.VOLUNTEER)
    if shift is None or state.unsaved:
        return state, ()
    if state.directory is not None and shift.badge in state.directory.revocations.ids:
        return record(state, *_off(state, shift, "revoked", now))
    until = last.valid_until if last and last.present else last and last.observed_at
    if until and (time_of(state, now) - until).total_seconds() > setup.timing.shift_left:
        return record(state, *_off(state, shift, "expired", now))
    return state, ()


def _is_signed_in(state: State, badge: str) -> bool:
    return state.lasting.shift is not None and state.lasting.shift.badge == badge


def _sign_in(state: State, badge: str, now: Now, setup: Setup) -> tuple[Body, ...]:
    before = state.lasting.shift
    off = (_ended(state, before, "handed_over", now),) if before else ()
    return (*off, ShiftChange(on=True, badge=badge), _present(state, badge, now, setup))


def _present(state: State, badge: str, now: Now, setup: Setup) -> Body:
    return five_here.declare(Item.VOLUNTEER, time_of(state, now), setup.lifetimes.confirmed_volunteer, badge)


def _off(state: State, shift: Shift, reason: str, now: Now) -> tuple[Body, ...]:
    gone = five_here.withdraw(Item.VOLUNTEER, time_of(state, now), reason, shift.badge)
    return _ended(state, shift, reason, now), gone


def _ended(state: State, shift: Shift, reason: str, now: Now) -> ShiftChange:
    """The end of a shift, with who still stands at the side."""
    hours = hours_on(state, shift, now)
    return ShiftChange(on=False, badge=shift.badge, reason=reason, hours=hours, waiting=len(state.lasting.aside))


def hours_on(state: State, shift: Shift, now: Now) -> float | None:
    """How long a shift has lasted, in hours; None before its first evidence is on the disk."""
    return max((time_of(state, now) - shift.since).total_seconds(), 0.0) / 3600 if shift.since else None


def _wrong_pin(state: State, at_hand: PinWanted, now: Now, setup: Setup) -> Step:
    state, effects = attempts.wrong(state, at_hand.badge.id, now, setup)
    if attempts.is_locked(state, at_hand.badge.id, now):
        return back(state, now), effects
    return replace(state, at_hand=replace(at_hand, checking=False)), effects


def timed_out(state: State, now: Now, setup: Setup) -> Step:
    """Nobody entered a PIN."""
    if isinstance(state.at_hand, PinWanted) and past(state.at_hand.since_ns, setup.timing.pin, now):
        return fail(back(state, now), "timed_out", now)
    return state, ()
