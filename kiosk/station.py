"""The station's heart: a pure reducer, (state, input) → (state, effects). Its lasting state is a fold of the journal."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from contract.events import ClockSynced, Correction, HelpCalled, Outcome
from contract.passes import BADGES, PREFIX, Pass, read
from kiosk import inputs
from kiosk.inputs import Effect, Input, Now, Touch
from kiosk.rules.paper import page_of
from kiosk.setup import Setup
from kiosk.state import (
    Checking,
    Measuring,
    PinWanted,
    Several,
    Shown,
    State,
    Step,
    Typing,
    Waiting,
    begin,
    fail,
    join,
    past,
    record,
    time_of,
)
from kiosk.steps import (
    around,
    asides,
    barrier,
    body_figure,
    checklist,
    counting,
    deciding,
    duty,
    extending,
    five_here,
    identifying,
    measuring,
    opening,
    person,
    photos,
    registering,
    saving,
    settings,
    shutting,
)
from kiosk.steps.entries import bare_entry
from kiosk.steps.judging import pass_keys

__all__ = ["Setup", "State", "begin", "reduce"]

_CONFIRMING = (
    inputs.Decide, inputs.TypeTemperature, inputs.Retake, inputs.OpenChecklist, inputs.DeclareByEye, inputs.Correct,
    inputs.PutAside, inputs.Recall, inputs.Gone, inputs.AddPerson, inputs.CheckBoot, inputs.FindHolder, inputs.Register,
    inputs.RegisterVehicle, inputs.EndVisit, inputs.KeyIn,
    inputs.OpenBarrier, inputs.ShutGate, inputs.AnswerGap,
)  # fmt: skip
"""Touches that only a volunteer makes: they confirm who is on shift."""


def reduce(state: State, given: Input, now: Now, setup: Setup) -> tuple[State, tuple[Effect, ...]]:
    """The next state, and what the loop must do. Whatever comes in whatever order, it has an answer and raises nothing."""
    if isinstance(given, Touch):
        state = replace(state, trouble=None)
    told = settings.in_force(state, setup)
    step = _STEPS[type(given)](state, given, now, told)
    if isinstance(given, _CONFIRMING) and step[0].trouble is None:
        step = join(step, duty.confirm_by_the_way(step[0], now, told))
    step = join(step, opening.followed(state, step[0]))
    return settings.committed(state, step[0], setup), step[1]


def _tick(state: State, given: inputs.Tick, now: Now, setup: Setup) -> Step:
    if now.synced and not state.synced:
        return _clock_synced(state, now)
    steps = (
        saving.retry, _timeouts, duty.timed_out, checklist.timed_out, settings.timed_out, measuring.waited, duty.expire,
        settings.renewed, counting.told, _tell_evidence,
    )  # fmt: skip
    step: Step = _timed(state, now), ()
    for one in steps:
        step = join(step, one(step[0], now, setup))
    return step


def _timed(state: State, now: Now) -> State:
    """A synced clock leaves its time behind: should it be lost again, time goes on from there."""
    if now.synced:
        return replace(state, floor=now.utc, floor_ns=now.mono_ns)
    return replace(state, synced=False)


def _clock_synced(state: State, now: Now) -> Step:
    """The first synchronisation: what this boot has dated until now moves with it, before anything is judged by the new time."""
    before = time_of(state, replace(now, synced=False))
    return record(replace(state, synced=True), ClockSynced(stepped_seconds=(now.utc - before).total_seconds()))


def _timeouts(state: State, now: Now, setup: Setup) -> Step:
    if state.trouble and past(state.trouble.since_ns, setup.timing.error, now):
        state = replace(state, trouble=None)
    at_hand = state.at_hand
    over = isinstance(at_hand, Several) and past(at_hand.since_ns, setup.timing.several, now)
    if isinstance(at_hand, Shown) and at_hand.saved is not None:
        over = past(at_hand.since_ns, deciding.shown_seconds(at_hand, setup), now)
    return (replace(state, at_hand=Waiting()) if over else state), ()


def _tell_evidence(state: State, now: Now, setup: Setup) -> Step:
    changed = () if state.unsaved else five_here.changes(state, now, setup)
    return record(state, *changed) if changed else (state, ())


def _token(state: State, given: inputs.TokenSeen, now: Now, setup: Setup) -> Step:
    if isinstance(state.at_hand, Checking) and not given.text.startswith(PREFIX):
        return checklist.code_seen(state, given, now, setup)
    if checklist.is_day_code(state, given.text, setup):
        return state, ()
    page = page_of(given.text)
    if page is not None:
        return replace(state, page=page.number), ()
    token = read(given.text, pass_keys(state, setup, now))
    if isinstance(token, Pass) and token.kind in BADGES:
        return duty.badge_shown(state, given, token, now, setup)
    if isinstance(state.at_hand, PinWanted):
        return state, ()
    return person.shown(state, given, token, now, setup)


def _several(state: State, given: inputs.SeveralSeen, now: Now, setup: Setup) -> Step:
    return person.several(state, now, setup)


def _pin_checked(state: State, given: inputs.PinChecked, now: Now, setup: Setup) -> Step:
    checked = settings.pin_checked if given.badge == settings.OWNER else duty.pin_checked
    return checked(state, given, now, setup)


def _direction(state: State, given: inputs.SetDirection, now: Now, setup: Setup) -> Step:
    if setup.direction is not None:
        return fail(state, "not_now", now)
    return replace(state, direction=given.direction), ()


def _language(state: State, given: inputs.SetLanguage, now: Now, setup: Setup) -> Step:
    return replace(state, language=given.language if given.language in ("zh", "en") else state.language), ()


def _cancel(state: State, given: inputs.Cancel, now: Now, setup: Setup) -> Step:
    if isinstance(state.at_hand, PinWanted):
        return duty.back(state, now), ()
    return person.leave(state, "cancelled", now, setup)


def _emergency(state: State, given: inputs.Emergency, now: Now, setup: Setup) -> Step:
    """Never blocked by anything: the barrier is raised whether the journal can take it or not."""
    entry = bare_entry(state, Outcome.EMERGENCY, setup)
    left, effects = person.leave(duty.back(state, now), "abandoned", now, setup)
    left = replace(left, at_hand=Shown(None, entry, now.mono_ns))
    asked = record(left, entry, *barrier.opened(setup, "emergency", entry.by))
    return join((left, (*barrier.pulse(setup), *effects)), asked)


def _walked_through(state: State, given: inputs.WalkedThrough, now: Now, setup: Setup) -> Step:
    return record(state, bare_entry(state, Outcome.UNCHECKED, setup))


def _help(state: State, given: inputs.CallHelp, now: Now, setup: Setup) -> Step:
    by = state.lasting.shift.badge if state.lasting.shift else None
    return record(state, HelpCalled(by=by, entry=_entry_at_hand(state)))


def _entry_at_hand(state: State) -> str | None:
    """The entry that is shown, or the one that whoever is at hand goes on from."""
    at_hand = state.at_hand.back if isinstance(state.at_hand, PinWanted) else state.at_hand
    if isinstance(at_hand, Shown) and at_hand.saved is not None:
        return at_hand.saved
    someone = at_hand.person if isinstance(at_hand, Measuring | Typing | Shown) else None
    return someone.follows if someone else None


def _button(state: State, given: inputs.ButtonPressed, now: Now, setup: Setup) -> Step:
    """A button on the header; one of no known name does nothing."""
    if given.name == "call":
        return _help(state, inputs.CallHelp(), now, setup)
    return state, (inputs.ShutDown(),) if given.name == "shutdown" else ()


def _correct(state: State, given: inputs.Correct, now: Now, setup: Setup) -> Step:
    logged = next((e for e in state.lasting.entries if e.id == given.entry), None)
    if state.lasting.shift is None:
        return fail(state, "not_signed_in", now)
    if logged is None or logged.cancelled:
        return fail(state, "already_corrected" if logged else "no_such_entry", now)
    return record(state, Correction(corrects=given.entry, cancelled=True, by=state.lasting.shift.badge))


def _add_detail(state: State, given: inputs.AddDetail, now: Now, setup: Setup) -> Step:
    """Who came through an emergency: told when there is time, by whoever is there."""
    logged = next((e for e in state.lasting.entries if e.id == given.entry), None)
    if logged is None or logged.cancelled or logged.entry.outcome is not Outcome.EMERGENCY:
        return fail(state, "no_such_entry", now)
    by = state.lasting.shift.badge if state.lasting.shift else None
    return record(state, Correction(corrects=given.entry, note=given.what, by=by))


def _confirm(state: State, given: inputs.ConfirmDuty, now: Now, setup: Setup) -> Step:
    return duty.confirm(state, now, setup)


def _sign_off(state: State, given: inputs.SignOff, now: Now, setup: Setup) -> Step:
    return duty.sign_off(state, now)


_STEPS: dict[type, Callable[[State, Any, Now, Setup], Step]] = {
    inputs.Tick: _tick, inputs.TokenSeen: _token, inputs.SeveralSeen: _several, inputs.Measured: around.measured,
    inputs.BodyMeasured: body_figure.body_measured,
    inputs.DirectoryArrived: around.directory, inputs.MovementsArrived: around.movements, inputs.ConfigArrived: settings.decided,
    inputs.LinkChanged: around.link,
    inputs.DeviceReport: around.device, inputs.PinChecked: _pin_checked, inputs.PhotoTaken: photos.taken,
    inputs.Committed: saving.committed, inputs.CommitFailed: saving.commit_failed, inputs.SetDirection: _direction,
    inputs.SetLanguage: _language, inputs.TypeTemperature: measuring.typed, inputs.ConfirmDuty: _confirm,
    inputs.EnterPin: duty.pin_entered, inputs.SignOff: _sign_off, inputs.OpenChecklist: checklist.opened,
    inputs.DeclareByEye: checklist.declared, inputs.Cancel: _cancel, inputs.Retake: measuring.retake,
    inputs.Decide: deciding.decide,
    inputs.PutAside: person.put_aside, inputs.Recall: asides.recall, inputs.Gone: asides.gone,
    inputs.AddPerson: measuring.add_person, inputs.CheckBoot: measuring.check_boot, inputs.AddDetail: _add_detail,
    inputs.FindHolder: registering.find, inputs.Register: registering.register,
    inputs.RegisterVehicle: registering.register_vehicle,
    inputs.EndVisit: registering.end_visit, inputs.KeyIn: registering.key_in,
    inputs.Emergency: _emergency, inputs.WalkedThrough: _walked_through, inputs.CallHelp: _help, inputs.Correct: _correct,
    inputs.PresenceChanged: counting.presence, inputs.PersonPassed: counting.passed, inputs.ButtonPressed: _button,
    inputs.OpenBarrier: barrier.touched, inputs.BarrierAsked: barrier.asked, inputs.BarrierReleased: barrier.released,
    inputs.IdentifyAsked: identifying.asked,
    inputs.AnswerGap: shutting.answer_gap, inputs.ShutGate: shutting.shut_gate, inputs.Tally: shutting.tally,
    inputs.OpenSettings: settings.opened, inputs.ChangeSettings: settings.changed, inputs.CloseSettings: settings.closed,
    inputs.CheckDevices: settings.check_devices, inputs.DevicesTested: settings.tested, inputs.Extend: extending.extend,
}  # fmt: skip
