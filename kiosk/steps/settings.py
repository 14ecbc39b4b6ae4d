"""The station's settings: set on its own screen behind a PIN, decided by the hub, and in force; the test of all devices. Pure."""

from dataclasses import replace
from datetime import timedelta

from contract.directory import Policies
from contract.events import SettingsChanged
from contract.station_settings import sort_out
from kiosk.chosen import renewal
from kiosk.inputs import (
    ChangeSettings,
    CheckDevices,
    CheckPin,
    CloseSettings,
    ConfigArrived,
    DevicesTested,
    Now,
    OpenSettings,
    PinChecked,
    RunSelfTest,
)
from kiosk.rules.schedule import is_open as lies_in
from kiosk.setup import Setup
from kiosk.state import State, Step, fail, past, record, time_of
from kiosk.steps import attempts
from kiosk.view import SettingsView

OPEN_SECONDS = 120
"""Since the last touch on them; then they close by themselves."""
OWNER = "settings"
"""Whose PIN it is: no badge goes by this name, since theirs are 32 hex digits."""
RENEWED_AFTER = timedelta(days=7)
"""What was set is written again before a station forgets the events that say so (`kiosk.app.RETENTION`)."""
_NAMES = ("loudness", "night_loudness", "brightness", "language")


def opened(state: State, touch: OpenSettings, now: Now, setup: Setup) -> Step:
    """The PIN is checked elsewhere, since that is slow on purpose."""
    if not setup.settings_pin:
        return fail(state, "no_settings_pin", now)
    if attempts.is_locked(state, OWNER, now):
        return fail(state, "locked_out", now)
    if state.panel.asked_ns is not None:
        return fail(state, "not_now", now)
    wanted = CheckPin(OWNER, None, touch.pin, setup.settings_pin)
    return replace(state, panel=replace(state.panel, asked_ns=now.mono_ns)), (wanted,)


def pin_checked(state: State, given: PinChecked, now: Now, setup: Setup) -> Step:
    """Open, or one wrong PIN more."""
    if state.panel.asked_ns is None:
        return state, ()
    state = replace(state, panel=replace(state.panel, asked_ns=None))
    if not given.ok:
        return attempts.wrong(state, OWNER, now, setup)
    return touched(attempts.right(state, OWNER), now), ()


def changed(state: State, touch: ChangeSettings, now: Now, setup: Setup) -> Step:
    """Only what is given changes, and counts from its commit on."""
    if not is_open(state):
        return fail(state, "settings_closed", now)
    given = {name: getattr(touch, name) for name in _NAMES if getattr(touch, name) is not None}
    state = touched(state, now)
    return record(state, SettingsChanged(settings=given)) if given else (state, ())


def check_devices(state: State, touch: CheckDevices, now: Now, setup: Setup) -> Step:
    """Every device tests itself; one test at a time."""
    if not is_open(state):
        return fail(state, "settings_closed", now)
    if state.panel.testing:
        return fail(state, "not_now", now)
    state = touched(state, now)
    return replace(state, panel=replace(state.panel, testing=True)), (RunSelfTest(),)


def tested(state: State, given: DevicesTested, now: Now, setup: Setup) -> Step:
    """What the devices say of themselves."""
    return replace(state, panel=replace(state.panel, testing=False, tests=given.results)), ()


def closed(state: State, touch: CloseSettings, now: Now, setup: Setup) -> Step:
    """Done with the settings."""
    return replace(state, panel=replace(state.panel, touched_ns=None)), ()


def timed_out(state: State, now: Now, setup: Setup) -> Step:
    """Nobody has touched them for a while, or nothing came of the check of their PIN."""
    panel = state.panel
    if panel.touched_ns is not None and past(panel.touched_ns, OPEN_SECONDS, now):
        state = replace(state, panel=replace(panel, touched_ns=None))
    if panel.asked_ns is not None and past(panel.asked_ns, setup.timing.pin, now):
        return fail(replace(state, panel=replace(state.panel, asked_ns=None)), "timed_out", now)
    return state, ()


def decided(state: State, given: ConfigArrived, now: Now, setup: Setup) -> Step:
    """What the hub decides, once: the event that takes it up is the answer as well, and names what can't be set and why."""
    if given.config.id == _last_config(state):
        return state, ()
    good, refused = sort_out(given.config.settings)
    return record(state, SettingsChanged(settings=good, config=given.config.id, refused=refused))


def renewed(state: State, now: Now, setup: Setup) -> Step:
    """Say again what was set, before the oldest event that it rests on is dropped from the journal."""
    chosen = state.lasting.chosen
    if chosen.since is None or not now.synced or state.unsaved or now.utc - chosen.since < RENEWED_AFTER:
        return state, ()
    said = renewal(chosen)
    return record(state, *said) if said else (state, ())


def in_force(state: State, setup: Setup) -> Setup:
    """The setup with what was set here or by the hub in place of what was configured."""
    chosen = state.lasting.chosen.in_force
    if not chosen:
        return setup
    timing = replace(
        setup.timing, admitted=float(chosen.get("admitted_seconds", setup.timing.admitted)),
        shown=float(chosen.get("shown_seconds", setup.timing.shown)),
    )  # fmt: skip
    return replace(
        setup, timing=timing, language=str(chosen.get("language", setup.language)),
        loudness=int(chosen.get("loudness", setup.loudness)),
        night_loudness=int(chosen.get("night_loudness", setup.night_loudness)),
        brightness=int(chosen.get("brightness", setup.brightness)),
        measure_on_exit=bool(chosen.get("measure_on_exit", setup.measure_on_exit)),
    )  # fmt: skip


def committed(before: State, state: State, setup: Setup) -> State:
    """The state after a commit that may have changed the language that is set; `setup` as configured."""
    if state.lasting.chosen is before.lasting.chosen:
        return state
    new = in_force(state, setup).language
    return state if new == in_force(before, setup).language else replace(state, language=new)


def touched(state: State, now: Now) -> State:
    """The settings stay open from now on for their whole time."""
    return replace(state, panel=replace(state.panel, touched_ns=now.mono_ns))


def is_open(state: State) -> bool:
    """Whether the settings may be changed."""
    return state.panel.touched_ns is not None


def loudness(state: State, now: Now, setup: Setup) -> int:
    """Percent, at this hour; `setup` as in force."""
    return setup.night_loudness if is_night(state, now, setup) else setup.loudness


def is_night(state: State, now: Now, setup: Setup) -> bool:
    """Whether the screen is dim and the voice quiet, by the gate's own time."""
    policies = state.directory.policies if state.directory else Policies()
    local = time_of(state, now).astimezone(setup.timezone)
    return lies_in((policies.night,), local.hour * 60 + local.minute)


def view(state: State, now: Now, setup: Setup) -> SettingsView | None:
    """What the settings show; None while they are closed. `setup` as in force."""
    if not is_open(state):
        return None
    panel, due = state.panel, setup.calibration_due
    return SettingsView(
        loudness=setup.loudness, night_loudness=setup.night_loudness, brightness=setup.brightness,
        software=setup.software, directory_version=state.lasting.directory_version,
        directory_minutes=_directory_minutes(state, now), calibration_due=due.isoformat() if due else None,
        testing=panel.testing, tests=tuple((test.device, test.ok, test.detail) for test in panel.tests),
    )  # fmt: skip


def _last_config(state: State) -> str | None:
    """The hub's last word that was taken up, or waits to be written."""
    waiting = [body.config for one in state.unsaved for body in one.bodies if isinstance(body, SettingsChanged) and body.config]
    return waiting[-1] if waiting else state.lasting.chosen.config


def _directory_minutes(state: State, now: Now) -> int | None:
    issued = state.directory.issued_at if state.directory else None
    return None if issued is None else max(int((time_of(state, now) - issued).total_seconds() // 60), 0)
