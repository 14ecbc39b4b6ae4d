"""The station's own settings: loudness, brightness and language, behind a PIN, and the test of all devices. Pure steps."""

from dataclasses import replace

from contract.directory import Policies
from contract.events import SettingsChanged
from kiosk.inputs import (
    ChangeSettings,
    CheckDevices,
    CheckPin,
    CloseSettings,
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


def committed(before: State, state: State) -> State:
    """The state after a commit that may have changed the language that was set."""
    new = state.lasting.settings.get("language")
    return state if new == before.lasting.settings.get("language") else replace(state, language=str(new))


def touched(state: State, now: Now) -> State:
    """The settings stay open from now on for their whole time."""
    return replace(state, panel=replace(state.panel, touched_ns=now.mono_ns))


def is_open(state: State) -> bool:
    """Whether the settings may be changed."""
    return state.panel.touched_ns is not None


def brightness(state: State, setup: Setup) -> int:
    """Percent, as set here, else as configured."""
    return int(state.lasting.settings.get("brightness", setup.brightness))


def loudness(state: State, now: Now, setup: Setup) -> int:
    """Percent, at this hour."""
    return _night_loudness(state, setup) if is_night(state, now, setup) else _day_loudness(state, setup)


def is_night(state: State, now: Now, setup: Setup) -> bool:
    """Whether the screen is dim and the voice quiet, by the gate's own time."""
    policies = state.directory.policies if state.directory else Policies()
    local = time_of(state, now).astimezone(setup.timezone)
    return lies_in((policies.night,), local.hour * 60 + local.minute)


def view(state: State, now: Now, setup: Setup) -> SettingsView | None:
    """What the settings show; None while they are closed."""
    if not is_open(state):
        return None
    panel, due = state.panel, setup.calibration_due
    return SettingsView(
        loudness=_day_loudness(state, setup), night_loudness=_night_loudness(state, setup), brightness=brightness(state, setup),
        software=setup.software, directory_version=state.lasting.directory_version,
        directory_minutes=_directory_minutes(state, now), calibration_due=due.isoformat() if due else None,
        testing=panel.testing, tests=tuple((test.device, test.ok, test.detail) for test in panel.tests),
    )  # fmt: skip


def _day_loudness(state: State, setup: Setup) -> int:
    return int(state.lasting.settings.get("loudness", setup.loudness))


def _night_loudness(state: State, setup: Setup) -> int:
    return int(state.lasting.settings.get("night_loudness", setup.night_loudness))


def _directory_minutes(state: State, now: Now) -> int | None:
    issued = state.directory.issued_at if state.directory else None
    return None if issued is None else max(int((time_of(state, now) - issued).total_seconds() // 60), 0)
