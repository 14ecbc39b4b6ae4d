"""What hangs on the Pi's header, opened as configured. What can't be opened is reported in words; the rest works."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import gpiozero

from kiosk.drivers.barrier import Barrier, ReleaseButton
from kiosk.drivers.base import SelfTest
from kiosk.drivers.buttons import CallButton, ShutdownButton
from kiosk.drivers.buzzer import Buzzer
from kiosk.drivers.emulated.gpio import EmulatedPins
from kiosk.drivers.header import GpioDevices, Listeners, Pins
from kiosk.drivers.light import TrafficLight
from kiosk.drivers.presence import DistanceSensor, MotionSensor, Presence, Sensor

EMULATED = "emulated:"
NO_PINS = "this machine has no GPIO pins that can be used: on a Pi, install python3-lgpio and put the user in the group gpio"
Device = TypeVar("Device")


def pin_factory(spec: str, pins: Pins) -> Any:
    """`emulated:FOLDER`'s pins; for the empty text None, which is this machine's own. Raises ValueError for any other form."""
    if spec.startswith(EMULATED):
        return EmulatedPins(Path(spec.removeprefix(EMULATED)), trigger=pins.distance_trigger, echo=pins.distance_echo)
    if spec:
        raise ValueError(f'the pins are "{spec}"; they may be empty (this machine\'s own) or emulated:<folder>')
    return None


def open_gpio(
    pins: Pins, listeners: Listeners, *, pin_factory: Any = None, monotonic: Callable[[], float] = time.monotonic
) -> GpioDevices:  # fmt: skip
    """Open what is configured, the barrier first so that it is idle at once. Never raises for what the pins do.

    `pin_factory` is gpiozero's, by default the one of this machine or of GPIOZERO_PIN_FACTORY.
    """
    opening = _Opening(pin_factory, monotonic, listeners)
    barrier = opening.barrier(pins)
    return GpioDevices(
        barrier=barrier, release_button=opening.release_button(pins, barrier), light=opening.light(pins),
        buzzer=opening.buzzer(pins), presence=opening.presence(pins), call_button=opening.call_button(pins),
        shutdown_button=opening.shutdown_button(pins), reports=tuple(opening.reports),
    )  # fmt: skip


class _Unfit(Exception):
    """The configuration asks for what can't be; the message says what."""


class _Opening:
    """Opens one device after another, and keeps what became of each."""

    def __init__(self, factory: Any, monotonic: Callable[[], float], listeners: Listeners) -> None:
        self._factory, self._monotonic, self._listeners = factory, monotonic, listeners
        self._timed: dict[str, Any] = {"pin_factory": factory, "monotonic": monotonic}
        self.reports: list[SelfTest] = []

    def barrier(self, pins: Pins) -> Barrier | None:
        pin = pins.barrier
        if pin is None:
            return None
        low, seconds = pins.barrier_active_low, pins.barrier_pulse_seconds

        def make() -> Barrier:
            return Barrier(pin, active_low=low, pulse_seconds=seconds, **self._timed)

        return self._device(Barrier.name, make, f"GPIO {pin}")

    def release_button(self, pins: Pins, barrier: Barrier | None) -> ReleaseButton | None:
        pin = pins.barrier_release
        if pin is None:
            return None

        def make() -> ReleaseButton:
            if barrier is None:
                raise _Unfit("there is no barrier that it could open")
            return ReleaseButton(pin, barrier, self._listeners.release, **self._timed)

        return self._device(ReleaseButton.name, make, f"GPIO {pin}")

    def light(self, pins: Pins) -> TrafficLight | None:
        lamps = {"red": pins.red, "amber": pins.amber, "green": pins.green}
        there = {colour: pin for colour, pin in lamps.items() if pin is not None}
        if not there:
            return None
        where = ", ".join(f"{colour} on GPIO {pin}" for colour, pin in there.items())
        return self._device(TrafficLight.name, lambda: TrafficLight(**there, pin_factory=self._factory), where)

    def buzzer(self, pins: Pins) -> Buzzer | None:
        pin = pins.buzzer
        return None if pin is None else self._device(Buzzer.name, lambda: Buzzer(pin, **self._timed), f"GPIO {pin}")

    def presence(self, pins: Pins) -> Presence | None:
        given = {"motion": pins.motion, "trigger": pins.distance_trigger, "echo": pins.distance_echo}
        there = {name: pin for name, pin in given.items() if pin is not None}
        if not there:
            return None
        told = self._listeners

        def make() -> Presence:
            return Presence(
                self._sensor(pins), on_change=told.presence, on_person=told.person, report=told.report,
                monotonic=self._monotonic,
            )  # fmt: skip

        return self._device(Presence.name, make, ", ".join(f"{name} on GPIO {pin}" for name, pin in there.items()))

    def call_button(self, pins: Pins) -> CallButton | None:
        pin, told = pins.call_button, self._listeners
        if pin is None:
            return None
        return self._device(CallButton.name, lambda: CallButton(pin, lambda: told.button("call"), **self._timed), f"GPIO {pin}")

    def shutdown_button(self, pins: Pins) -> ShutdownButton | None:
        pin, told = pins.shutdown_button, self._listeners
        if pin is None:
            return None

        def make() -> ShutdownButton:
            return ShutdownButton(pin, lambda: told.button("shutdown"), pin_factory=self._factory)

        return self._device(ShutdownButton.name, make, f"GPIO {pin}")

    def _sensor(self, pins: Pins) -> Sensor:
        trigger, echo, motion = pins.distance_trigger, pins.distance_echo, pins.motion
        if motion is not None and (trigger, echo) == (None, None):
            return MotionSensor(motion, **self._timed)
        if motion is None and trigger is not None and echo is not None:
            return DistanceSensor(trigger, echo, metres=pins.distance_metres, **self._timed)
        raise _Unfit("give either motion, or both distance_trigger and distance_echo")

    def _device(self, name: str, make: Callable[[], Device], where: str) -> Device | None:
        try:
            self._ensure_factory()
            device = make()
        except Exception as error:  # whatever a pin factory raises, the gate goes on
            self.reports.append(SelfTest(name, False, f"{where}: {_in_words(error)}"))
            return None
        self.reports.append(SelfTest(name, True, where))
        return device

    def _ensure_factory(self) -> None:
        if self._factory is None:
            with warnings.catch_warnings():  # one for each library that is not installed
                warnings.simplefilter("ignore")
                gpiozero.Device.ensure_pin_factory()


def _in_words(error: Exception) -> str:
    if isinstance(error, gpiozero.BadPinFactory):
        return NO_PINS
    if isinstance(error, gpiozero.GPIOPinInUse):
        return "one of these pins is already another device's in this configuration"
    if isinstance(error, PermissionError):
        return "not allowed: put the user in the group gpio"
    if "busy" in str(error).lower():
        return "in use by another program; is the station running?"
    return str(error) or type(error).__name__
