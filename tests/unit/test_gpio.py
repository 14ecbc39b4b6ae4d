"""What hangs on the Pi's header, on gpiozero's mock pins: idle at start and at close, and no fault that isn't told."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gpiozero
import msgspec
import pytest
from gpiozero.pins.mock import MockFactory, MockPin
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import Gpio
from kiosk.drivers import gpio
from kiosk.drivers.backlight import Backlight
from kiosk.drivers.barrier import Barrier, ReleaseButton
from kiosk.drivers.base import Fault, FaultKind, SelfTest
from kiosk.drivers.buttons import CallButton, ShutdownButton
from kiosk.drivers.buzzer import PATTERNS, Buzzer
from kiosk.drivers.emulated.gpio import EmulatedPins, Scene
from kiosk.drivers.gpio import open_gpio
from kiosk.drivers.header import Listeners
from kiosk.drivers.light import TrafficLight
from kiosk.drivers.presence import DistanceSensor, MotionSensor, Presence

RELAY, RELEASE = 5, 6
SOUND_JS = Path(__file__).parents[2] / "kiosk" / "web" / "static" / "sound.js"


class Clock:
    """A clock that stands until it is set, and knows who has looked at it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._looks: Counter[str] = Counter()

    def __call__(self) -> float:
        seconds = self.seconds
        self._looks[threading.current_thread().name] += 1
        return seconds

    def seen_by(self, thread: str) -> None:
        """Wait until that thread has looked at the clock, and has done what it does upon it."""
        looks = self._looks[thread]
        until(lambda: self._looks[thread] >= looks + 3)


class LgpioLikePin(MockPin):
    """Goes low on its way to an output, as gpiozero's lgpio pins do; notes what it has driven, and can be broken."""

    def __init__(self, factory: Any, info: Any) -> None:
        self.driven: list[bool] = []
        self.broken = False
        super().__init__(factory, info)

    def _set_function(self, value: str) -> None:
        if self.broken:
            raise OSError("GPIO chip is gone")
        super()._set_function(value)
        if value == "output":
            self._change_state(False)
            self.driven.append(False)

    def _set_state(self, value: float) -> None:
        super()._set_state(value)
        self.driven.append(bool(value))


def until(wanted: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory(pin_class=LgpioLikePin)
    yield factory
    factory.close()


@pytest.fixture
def barrier(pins: MockFactory, clock: Clock) -> Iterator[Barrier]:
    made = Barrier(RELAY, pulse_seconds=0.1, pin_factory=pins, monotonic=clock)
    yield made
    made.close()


def asks(pins: MockFactory) -> bool:
    """Whether an active-low relay is pulled in."""
    pin = pins.pin(RELAY)
    return bool(pin.function == "output" and not pin.state)


# -- Barrier


def test_the_barrier_is_idle_before_and_after_a_start_and_at_the_close(pins: MockFactory) -> None:
    pin = pins.pin(RELAY)
    Barrier(RELAY, pin_factory=pins).close()
    assert (pin.driven, pin.function, pin.state) == ([], "input", True)


def test_a_plain_output_device_would_ask_at_the_start(pins: MockFactory) -> None:
    """Why the barrier lets go of its pin instead: this is what an active-low output does on lgpio."""
    with gpiozero.OutputDevice(RELAY, active_high=False, initial_value=False, pin_factory=pins):
        assert False in pins.pin(RELAY).driven


def test_an_active_high_relay_is_never_driven_high_but_to_open(pins: MockFactory, clock: Clock) -> None:
    pin = pins.pin(RELAY)
    made = Barrier(RELAY, active_low=False, pulse_seconds=0.1, pin_factory=pins, monotonic=clock)
    assert (True in pin.driven, pin.state) == (False, False)
    made.open()
    assert pin.state
    clock.seconds = 0.1
    until(lambda: not pin.state)
    made.close()
    assert pin.driven.count(True) == 1


def test_one_pulse__and_the_call_returns_while_it_lasts(barrier: Barrier, pins: MockFactory, clock: Clock) -> None:
    pins.pin(RELAY).clear_states()
    assert barrier.open() is None
    clock.seconds = 0.09
    clock.seen_by("barrier")
    assert asks(pins)
    clock.seconds = 0.1
    until(lambda: not asks(pins))
    assert [state.state for state in pins.pin(RELAY).states] == [True, False, True]


def test_opened_again_while_it_pulses__the_pulse_is_extended(barrier: Barrier, pins: MockFactory, clock: Clock) -> None:
    pins.pin(RELAY).clear_states()
    barrier.open()
    clock.seconds = 0.08
    barrier.open()
    clock.seconds = 0.15
    clock.seen_by("barrier")
    assert asks(pins)
    clock.seconds = 0.18
    until(lambda: not asks(pins))
    assert [state.state for state in pins.pin(RELAY).states] == [True, False, True]


def test_closed_while_it_pulses__idle_and_deaf(barrier: Barrier, pins: MockFactory) -> None:
    barrier.open()
    barrier.close()
    assert not asks(pins)
    barrier.open()
    assert not asks(pins)


def test_a_relay_that_can_not_be_let_go_of_is_tried_again(barrier: Barrier, pins: MockFactory, clock: Clock) -> None:
    pin = pins.pin(RELAY)
    barrier.open()
    pin.broken = True
    clock.seconds = 0.1
    clock.seen_by("barrier")
    assert asks(pins)
    pin.broken = False
    clock.seconds = 0.2
    until(lambda: not asks(pins))


def test_a_relay_that_can_not_be_switched_is_a_fault(barrier: Barrier, pins: MockFactory, clock: Clock) -> None:
    pins.pin(RELAY).broken = True
    fault = barrier.open()
    assert isinstance(fault, Fault)
    assert "relay" in fault.detail
    assert "GPIO chip is gone" in fault.detail
    pins.pin(RELAY).broken = False
    clock.seconds = 1
    until(lambda: not asks(pins))


def test_the_release_button_opens_while_the_program_hangs(barrier: Barrier, pins: MockFactory, clock: Clock) -> None:
    hung, told = threading.Event(), []

    def hang() -> None:
        told.append(None)
        hung.wait(30)

    button = ReleaseButton(RELEASE, barrier, hang, pin_factory=pins, monotonic=clock)
    for second in (1.0, 2.0):
        clock.seconds = second
        pins.pin(RELEASE).drive_low()
        assert asks(pins)
        pins.pin(RELEASE).drive_high()
        clock.seconds += 0.5
        until(lambda: not asks(pins))
    until(lambda: len(told) == 2)
    hung.set()
    button.close()


def test_a_bouncing_release_is_told_once(barrier: Barrier, pins: MockFactory, clock: Clock) -> None:
    told: list[None] = []
    button = ReleaseButton(RELEASE, barrier, lambda: told.append(None), pin_factory=pins, monotonic=clock)
    for _ in range(5):
        pins.pin(RELEASE).drive_low()
        clock.seconds += 0.002
        pins.pin(RELEASE).drive_high()
        clock.seconds += 0.002
    clock.seconds += 1
    pins.pin(RELEASE).drive_low()
    until(lambda: len(told) == 2)
    button.close()
    assert len(told) == 2


# -- Light


def lit(pins: MockFactory, *numbers: int) -> list[bool]:
    return [bool(pins.pin(number).state) for number in numbers]


def test_one_lamp_at_a_time__dark_at_start_and_close(pins: MockFactory) -> None:
    light = TrafficLight(red=17, amber=27, green=22, pin_factory=pins)
    assert lit(pins, 17, 27, 22) == [False, False, False]
    seen = []
    for colour in ("red", "amber", "green", "off"):
        assert light.show(colour) is None
        seen.append(lit(pins, 17, 27, 22))
    assert seen == [[True, False, False], [False, True, False], [False, False, True], [False, False, False]]
    light.show("green")
    light.close()
    assert lit(pins, 17, 27, 22) == [False, False, False]


def test_the_old_lamp_is_dark_before_the_new_one_is_lit(pins: MockFactory) -> None:
    together = []

    class Watched(LgpioLikePin):
        def _change_state(self, value: bool) -> bool:
            changed = super()._change_state(value)
            together.append(sum(pin.state for pin in self.factory.pins.values()))
            return changed

    factory = MockFactory(pin_class=Watched)
    light = TrafficLight(red=17, amber=27, green=22, pin_factory=factory)
    for colour in ("red", "green", "amber", "red"):
        light.show(colour)
    light.close()
    assert max(together) == 1


def test_a_colour_without_a_lamp_is_dark(pins: MockFactory) -> None:
    light = TrafficLight(green=22, pin_factory=pins)
    light.show("green")
    light.show("red")
    assert (light.colours, lit(pins, 22)) == (("green",), [False])
    light.close()


def test_a_blinking_lamp_blinks_until_something_else_is_shown(pins: MockFactory) -> None:
    light = TrafficLight(amber=27, green=22, pin_factory=pins)
    light.show("amber", blinking=True)
    until(lambda: [s.state for s in pins.pin(27).states][-3:] == [True, False, True])
    light.show("green")
    assert lit(pins, 27, 22) == [False, True]
    light.close()


def test_a_lamp_shown_again_is_not_switched_again(pins: MockFactory) -> None:
    light = TrafficLight(green=22, pin_factory=pins)
    light.show("green")
    driven = list(pins.pin(22).driven)
    light.show("green")
    assert pins.pin(22).driven == driven
    light.close()


def test_a_lamp_that_can_not_be_switched_is_a_fault_until_it_can(pins: MockFactory) -> None:
    light = TrafficLight(green=22, pin_factory=pins)
    pins.pin(22)._function = "input"  # as another program would leave it
    fault = light.show("green")
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.NO_ANSWER
    pins.pin(22)._function = "output"
    assert (light.show("green"), lit(pins, 22)) == (None, [True])
    light.close()


def test_a_light_that_can_not_be_opened_whole_lets_go_of_its_pins(pins: MockFactory) -> None:
    with gpiozero.LED(27, pin_factory=pins), pytest.raises(gpiozero.GPIOPinInUse):
        TrafficLight(red=17, amber=27, pin_factory=pins)
    gpiozero.LED(17, pin_factory=pins).close()


# -- Buzzer


def test_the_rhythms_are_the_screens() -> None:
    written = re.findall(r"(\w+): \[((?:\[[\d., ]+\](?:, )?)+)\]", SOUND_JS.read_text())
    beeps = {name: re.findall(r"\[([\d.]+), \d+, ([\d.]+)\]", notes) for name, notes in written}
    played = {}
    for name, seconds in PATTERNS.items():
        starts = [sum(seconds[: 2 * n]) for n in range(len(seconds) // 2 + 1)]
        played[name] = [(pytest.approx(start), seconds[2 * n]) for n, start in enumerate(starts)]
    assert {name: [(float(at), float(lasts)) for at, lasts in notes] for name, notes in beeps.items()} == played


@pytest.mark.parametrize("sound", sorted(PATTERNS))
def test_a_rhythm_is_played_in_order_and_ends_silent(sound: Any, pins: MockFactory, clock: Clock) -> None:
    buzzer = Buzzer(18, pin_factory=pins, monotonic=clock)
    pin = pins.pin(18)
    assert buzzer.play(sound) is None
    on = True
    for seconds in PATTERNS[sound]:
        assert bool(pin.state) is on
        clock.seconds += seconds + 1e-9
        on = not on
        until(lambda on=on: bool(pin.state) is on)
    clock.seconds += 10
    buzzer.close()
    assert [bool(s.state) for s in pin.states] == [False, *[True, False] * (len(PATTERNS[sound]) // 2 + 1)]


def test_a_new_sound_replaces_the_old(pins: MockFactory, clock: Clock) -> None:
    buzzer = Buzzer(18, pin_factory=pins, monotonic=clock)
    buzzer.play("wait")
    clock.seconds = 0.1
    buzzer.play("stop")
    clock.seconds = 0.27
    until(lambda: not pins.pin(18).state)
    clock.seconds = 0.35
    until(lambda: pins.pin(18).state)
    buzzer.close()
    assert not pins.pin(18).state


def test_a_closed_buzzer_is_silent_at_once(pins: MockFactory, clock: Clock) -> None:
    buzzer = Buzzer(18, pin_factory=pins, monotonic=clock)
    buzzer.play("wait")
    buzzer.close()
    assert not pins.pin(18).state


# -- Presence


class Scripted:
    """A sensor that a test holds."""

    def __init__(self) -> None:
        self.reading: bool | Fault | None = None
        self.closed = False

    def read(self) -> bool | Fault | None:
        return self.reading

    def close(self) -> None:
        self.closed = True


class Heard:
    """Everything that a presence sensor tells."""

    def __init__(self) -> None:
        self.changes: list[bool] = []
        self.people = 0
        self.reports: list[tuple[str, bool, str]] = []

    def watch(self, sensor: Any, monotonic: Callable[[], float] = time.monotonic) -> Presence:
        return Presence(
            sensor, on_change=self.changes.append, on_person=self._person, report=lambda *told: self.reports.append(told),
            monotonic=monotonic,
        )  # fmt: skip

    def _person(self) -> None:
        self.people += 1


SILENT = Fault(FaultKind.NO_ANSWER, "no echo", 0)
readings = st.lists(st.tuples(st.integers(0, 800), st.sampled_from([True, False, SILENT, None])), max_size=40)


def people_in(story: list[tuple[float, Any]]) -> int:
    """By looking back from each sighting: an absence watched for half a second before it, or nothing since the start."""
    known = [(at, reading) for at, reading in story if reading is not None]
    count = 0
    for n, (at, reading) in enumerate(known):
        if reading is True:
            before = n
            while before and known[before - 1][1] is False:
                before -= 1
            count += before == 0 or (before < n and at - known[before][0] >= 0.5)
    return count


@given(readings)
def test_a_person_is_somebody_after_half_a_second_of_nobody(steps: list[tuple[int, Any]]) -> None:
    sensor, heard, clock, story = Scripted(), Heard(), Clock(), []
    presence = heard.watch(sensor, clock)
    for milliseconds, reading in steps:
        clock.seconds += milliseconds / 1024  # exact in binary
        sensor.reading = reading
        presence.look()
        story.append((clock.seconds, reading))
        if isinstance(reading, Fault):
            assert presence.present is None
        if reading is True:
            assert presence.present is True
    assert presence.people == heard.people == people_in(story)


@given(readings)
def test_changes_and_faults_are_told_once(steps: list[tuple[int, Any]]) -> None:
    sensor, heard, clock = Scripted(), Heard(), Clock()
    presence = heard.watch(sensor, clock)
    for milliseconds, reading in steps:
        clock.seconds += milliseconds / 1024
        sensor.reading = reading
        changes, reports, before = len(heard.changes), len(heard.reports), presence.present
        presence.look()
        assert len(heard.changes) - changes == (presence.present is not before and presence.present is not None)
        assert len(heard.reports) - reports <= 1
    assert [ok for _, ok, _ in heard.reports] == [bool(n % 2) for n in range(len(heard.reports))]


def test_a_gap_too_short_to_be_somebody_else_is_not_told(clock: Clock) -> None:
    sensor, heard = Scripted(), Heard()
    presence = heard.watch(sensor, clock)
    for seconds, reading in [(0.0, True), (1.0, False), (1.4, False), (1.45, True), (2.0, False), (2.5, False), (2.6, True)]:
        clock.seconds, sensor.reading = seconds, reading
        presence.look()
    assert (heard.changes, heard.people) == ([True, False, True], 2)


def test_a_fault_is_never_nobody(clock: Clock) -> None:
    sensor, heard = Scripted(), Heard()
    presence = heard.watch(sensor, clock)
    for second, reading in enumerate([True, SILENT, SILENT, True]):
        clock.seconds, sensor.reading = float(second), reading
        presence.look()
    assert (heard.changes, heard.people) == ([True, True], 1)
    assert heard.reports == [("presence", False, "no echo"), ("presence", True, "")]


def test_a_sensor_that_raises_is_a_fault_and_the_watch_goes_on(pins: MockFactory) -> None:
    sensor, heard = Scripted(), Heard()
    sensor.read = lambda: 1 / 0  # type: ignore[assignment,method-assign,return-value]
    presence = heard.watch(sensor)
    presence.start()
    until(lambda: heard.reports)
    del sensor.read
    sensor.reading = True
    until(lambda: heard.changes)
    presence.close()
    assert ([ok for _, ok, _ in heard.reports], heard.changes, sensor.closed) == ([False, True], [True], True)


def test_a_listener_that_fails_does_not_end_the_watch(clock: Clock) -> None:
    sensor = Scripted()
    presence = Presence(
        sensor, on_change=lambda _: 1 / 0, on_person=lambda: 1 / 0, report=lambda *_: 1 / 0, monotonic=clock
    )  # fmt: skip
    for reading in (True, SILENT, True):
        sensor.reading = reading
        presence.look()
    assert presence.people == 1


def test_a_motion_sensor_on_its_pin(pins: MockFactory) -> None:
    heard = Heard()
    presence = heard.watch(MotionSensor(24, pin_factory=pins))
    presence.start()
    until(lambda: heard.changes == [False])
    pins.pin(24).drive_high()
    until(lambda: heard.changes == [False, True])
    pins.pin(24).drive_low()
    until(lambda: heard.changes == [False, True, False])
    presence.close()
    assert (heard.people, heard.reports) == (1, [])


def test_a_motion_sensor_whose_pin_can_no_longer_be_read_is_a_fault(pins: MockFactory, clock: Clock) -> None:
    sensor = MotionSensor(24, pin_factory=pins, monotonic=clock)
    until(lambda: sensor.read() is False)
    sensor._device._queue.stop()  # as an error of the chip ends gpiozero's thread
    clock.seconds = 2
    assert isinstance(sensor.read(), Fault)
    sensor.close()


@pytest.mark.filterwarnings("ignore::gpiozero.exc.DistanceSensorNoEcho")
def test_a_distance_sensor_near_far_and_without_echo() -> None:
    pins = EmulatedPins(trigger=23, echo=24)
    heard = Heard()
    presence = heard.watch(DistanceSensor(23, 24, metres=1.2, pin_factory=pins))
    presence.start()
    until(lambda: heard.changes == [False])
    pins.scene = Scene(metres=0.7)
    until(lambda: heard.changes == [False, True])
    pins.scene = Scene(metres=None)
    until(lambda: heard.reports)
    assert (presence.present, heard.changes) == (None, [False, True])
    pins.scene = Scene(metres=3.0)
    until(lambda: heard.changes == [False, True, False])
    presence.close()
    pins.close()
    assert ([ok for _, ok, _ in heard.reports], heard.people) == ([False, True], 1)
    assert "echo" in heard.reports[0][2]


# -- Buttons


def test_a_call_button_that_bounces_is_told_once(pins: MockFactory, clock: Clock) -> None:
    told: list[float] = []
    button = CallButton(25, lambda: told.append(clock.seconds), pin_factory=pins, monotonic=clock)
    for second in (1.0, 5.0):
        for bounce in range(4):
            clock.seconds = second + bounce * 0.01
            pins.pin(25).drive_low()
            clock.seconds += 0.002
            pins.pin(25).drive_high()
    button.close()
    assert told == [1.0, 5.0]


def test_a_call_button_let_go_of_with_a_bounce_is_no_second_call(pins: MockFactory, clock: Clock) -> None:
    told: list[None] = []
    button = CallButton(25, lambda: told.append(None), pin_factory=pins, monotonic=clock)
    pins.pin(25).drive_low()
    clock.seconds = 4.0
    pins.pin(25).drive_high()
    clock.seconds = 4.001
    pins.pin(25).drive_low()
    pins.pin(25).drive_high()
    button.close()
    assert len(told) == 1


def test_a_shutdown_button_must_be_held(pins: MockFactory) -> None:
    held = threading.Event()
    button = ShutdownButton(26, held.set, hold_seconds=0.05, pin_factory=pins)
    pins.pin(26).drive_low()
    assert held.wait(10)
    button.close()


def test_a_shutdown_button_let_go_of_early_is_nothing(pins: MockFactory) -> None:
    held = threading.Event()
    button = ShutdownButton(26, held.set, hold_seconds=60, pin_factory=pins)
    pins.pin(26).drive_low()
    pins.pin(26).drive_high()
    button.close()
    assert not held.is_set()


def test_a_listener_that_fails_does_not_spoil_the_button(pins: MockFactory, clock: Clock) -> None:
    button = CallButton(25, lambda: 1 / 0, pin_factory=pins, monotonic=clock)
    pins.pin(25).drive_low()
    button.close()


# -- All of them, as configured

ALL = Gpio(
    red=17, amber=27, green=22, buzzer=18, barrier=RELAY, barrier_release=RELEASE, motion=24, call_button=25, shutdown_button=26
)


def test_everything_opens_idle_and_closes_idle(pins: MockFactory) -> None:
    with open_gpio(ALL, Listeners(), pin_factory=pins) as devices:
        assert [(report.device, report.ok) for report in devices.reports] == [
            ("barrier", True), ("release-button", True), ("light", True), ("buzzer", True), ("presence", True),
            ("call-button", True), ("shutdown-button", True),
        ]  # fmt: skip
        assert lit(pins, 17, 27, 22, 18) == [False] * 4
        assert not asks(pins)
        devices.light.show("red")
        devices.buzzer.play("wait")
        devices.barrier.open()
    assert lit(pins, 17, 27, 22, 18) == [False] * 4
    assert not asks(pins)
    with open_gpio(ALL, Listeners(), pin_factory=pins) as again:
        assert all(report.ok for report in again.reports)


def test_nothing_configured_is_nothing_opened() -> None:
    with open_gpio(Gpio(), Listeners()) as devices:
        devices.start()
        assert (devices.reports, devices.light, devices.barrier) == ((), None, None)


def test_what_happens_at_the_pins_is_told(pins: MockFactory) -> None:
    told: list[tuple[Any, ...]] = []
    listeners = Listeners(
        presence=lambda present: told.append(("presence", present)), person=lambda: told.append(("person",)),
        release=lambda: told.append(("release",)), button=lambda name: told.append(("button", name)),
        report=lambda *report: told.append(report),
    )  # fmt: skip
    with open_gpio(ALL, listeners, pin_factory=pins) as devices:
        devices.start()
        until(lambda: ("presence", False) in told)
        for pin in (25, RELEASE):
            pins.pin(pin).drive_low()
        pins.pin(24).drive_high()
        until(lambda: len(told) == 5)
    assert sorted(told, key=str) == sorted(
        [("presence", False), ("button", "call"), ("release",), ("presence", True), ("person",)], key=str
    )


@pytest.mark.parametrize("named", ["no-such-factory", None])
def test_without_a_pin_factory_each_device_is_a_fault_in_words(named: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.setattr(gpiozero.Device, "_default_pin_factory", staticmethod(_none_found)) if named is None else None
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", named or "")
    with open_gpio(ALL, Listeners()) as devices:
        devices.start()
        assert (devices.light, devices.barrier, devices.presence) == (None, None, None)
        assert len(devices.reports) == 7
        assert [report.ok for report in devices.reports] == [False] * 7
        assert devices.reports[0].detail == f"GPIO 5: {gpio.NO_PINS}"


def _none_found() -> None:
    raise gpiozero.BadPinFactory("Unable to load any default pin factory!")


def test_the_mock_factory_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    with open_gpio(ALL, Listeners()) as devices:
        assert all(report.ok for report in devices.reports)
        assert isinstance(gpiozero.Device.pin_factory, MockFactory)


def test_a_pin_given_twice_is_the_second_devices_fault(pins: MockFactory) -> None:
    with open_gpio(Gpio(green=5, barrier=5, buzzer=18), Listeners(), pin_factory=pins) as devices:
        assert [(report.device, report.ok) for report in devices.reports] == [
            ("barrier", True), ("light", False), ("buzzer", True)
        ]  # fmt: skip
        assert "another device's" in devices.reports[1].detail


@pytest.mark.parametrize(
    "given, device, words",
    [
        (Gpio(barrier_release=6), "release-button", "no barrier"),
        (Gpio(distance_trigger=23), "presence", "both distance_trigger and distance_echo"),
        (Gpio(motion=4, distance_trigger=23, distance_echo=24), "presence", "either motion"),
    ],
)
def test_what_does_not_fit_together_is_said(given: Gpio, device: str, words: str, pins: MockFactory) -> None:
    with open_gpio(given, Listeners(), pin_factory=pins) as devices:
        (report,) = devices.reports
    assert (report.device, report.ok) == (device, False)
    assert words in report.detail


@pytest.mark.parametrize(
    "error, words",
    [
        (PermissionError(13, "Permission denied"), "group gpio"),
        (RuntimeError("'GPIO busy'"), "in use by another program"),
        (OSError("can not open gpiochip"), "can not open gpiochip"),
    ],
)
def test_what_the_pins_raise_is_said_in_words(error: Exception, words: str) -> None:
    class Refusing(MockFactory):
        def pin(self, *_: Any, **__: Any) -> Any:
            raise error

    with open_gpio(Gpio(green=22), Listeners(), pin_factory=Refusing()) as devices:
        assert words in devices.reports[0].detail


def test_the_self_test_lights_each_lamp_and_leaves_the_barrier(pins: MockFactory) -> None:
    seen = []
    with open_gpio(ALL, Listeners(), pin_factory=pins) as devices:
        results = devices.selftest(show=True, sleep=lambda _: seen.append(lit(pins, 17, 27, 22)))
        until(lambda: isinstance(devices.presence.read(), bool))
        assert devices.selftest()[4] == SelfTest("presence", True, "nobody")
    assert seen[:3] == [[True, False, False], [False, True, False], [False, False, True]]
    assert pins.pin(RELAY).driven == []
    assert [result.device for result in results] == [report.device for report in devices.reports]


# -- Emulated pins


def test_the_emulated_pins_play_a_folder_and_are_written_down(tmp_path: Path) -> None:
    told: list[str] = []
    factory = gpio.pin_factory(f"emulated:{tmp_path}", ALL)
    with open_gpio(ALL, Listeners(button=told.append), pin_factory=factory) as devices:
        devices.light.show("green")
        levels = msgspec.json.decode((tmp_path / "gpio.json").read_bytes())
        assert (levels["22"], levels["17"], levels["5"]) == (True, False, True)
        devices.barrier.open()
        assert msgspec.json.decode((tmp_path / "gpio.json").read_bytes())["5"] is False
        (tmp_path / "buttons.json").write_text('{"levels": {"25": false}}')
        until(lambda: told == ["call"])
        (tmp_path / "buttons.json").write_text("garbled")
        until(lambda: factory.pin(25).state)
    factory.close()


def test_other_pins_than_these_are_refused_in_words() -> None:
    assert gpio.pin_factory("", ALL) is None
    with pytest.raises(ValueError, match="emulated:<folder>"):
        gpio.pin_factory("remote:pi", ALL)


# -- Backlight


def backlight(folder: Path, most: str = "255\n") -> Backlight:
    (folder / "max_brightness").write_text(most)
    (folder / "brightness").write_text("0\n")
    return Backlight(folder)


@pytest.mark.parametrize("percent, written", [(100, "255"), (50, "128"), (30, "76"), (0, "1")])
def test_brightness_is_a_share_of_what_the_backlight_can(percent: int, written: str, tmp_path: Path) -> None:
    assert backlight(tmp_path).set(percent) is None
    assert (tmp_path / "brightness").read_text() == written


def test_a_backlight_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    fault = Backlight(tmp_path / "none").set(50)
    assert isinstance(fault, Fault)
    assert "No such file" in fault.detail
    assert isinstance(backlight(tmp_path, "many").set(50), Fault)
