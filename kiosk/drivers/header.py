"""What hangs on the Pi's header, once it is opened: the pins it is on, who is told, its self-test and its end."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from kiosk.drivers.barrier import Barrier, ReleaseButton
from kiosk.drivers.base import Fault, SelfTest
from kiosk.drivers.buttons import CallButton, ShutdownButton
from kiosk.drivers.buzzer import Buzzer
from kiosk.drivers.edges import tell
from kiosk.drivers.light import Colour, TrafficLight
from kiosk.drivers.presence import SILENT_SECONDS, Presence

LOOK_SECONDS = 0.7


class Pins(Protocol):
    """Which device is on which GPIO number, and how; None: there is none. `kiosk.config.Gpio` is one."""

    @property
    def red(self) -> int | None: ...
    @property
    def amber(self) -> int | None: ...
    @property
    def green(self) -> int | None: ...
    @property
    def buzzer(self) -> int | None: ...
    @property
    def barrier(self) -> int | None: ...
    @property
    def barrier_active_low(self) -> bool: ...
    @property
    def barrier_pulse_seconds(self) -> float: ...
    @property
    def barrier_release(self) -> int | None: ...
    @property
    def motion(self) -> int | None: ...
    @property
    def distance_trigger(self) -> int | None: ...
    @property
    def distance_echo(self) -> int | None: ...
    @property
    def distance_metres(self) -> float: ...
    @property
    def call_button(self) -> int | None: ...
    @property
    def shutdown_button(self) -> int | None: ...


def _nobody(*_told: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True, kw_only=True)
class Listeners:
    """Who is told what happens at the pins. Called from the pins' own threads, so each must return at once."""

    presence: Callable[[bool], object] = _nobody
    """Somebody is in the lane, or nobody any more."""
    person: Callable[[], object] = _nobody
    """One more person has come."""
    release: Callable[[], object] = _nobody
    """The barrier was opened by its button."""
    button: Callable[[str], object] = _nobody
    """`call` or `shutdown`."""
    report: Callable[[str, bool, str], object] = _nobody
    """A device's name, whether it works now, and the detail."""


@dataclass(frozen=True, kw_only=True)
class GpioDevices:
    """The devices that are configured and could be opened. `close()` or `with` leaves every pin idle."""

    light: TrafficLight | None = None
    buzzer: Buzzer | None = None
    barrier: Barrier | None = None
    release_button: ReleaseButton | None = None
    presence: Presence | None = None
    call_button: CallButton | None = None
    shutdown_button: ShutdownButton | None = None
    reports: tuple[SelfTest, ...] = ()
    """One for each configured device: opened, or why not."""

    def start(self) -> None:
        """Begin to watch who comes."""
        if self.presence is not None:
            self.presence.start()

    def selftest(self, *, show: bool = False, sleep: Callable[[float], None] = time.sleep) -> tuple[SelfTest, ...]:
        """One result for each configured device. The barrier is never moved.

        With `show`, lamps are lit in turn and the buzzer sounds, to be looked at: only while no station runs, since a resident
        who sees green walks in.
        """
        seen = {}
        if show and self.light is not None:
            seen[self.light.name] = _lit_in_turn(self.light, sleep)
        if show and self.buzzer is not None:
            seen[self.buzzer.name] = _sounded(self.buzzer, sleep)
        if self.presence is not None:
            seen[self.presence.name] = _looked(self.presence, sleep)
        return tuple(seen.get(report.device, report) for report in self.reports)

    def close(self) -> None:
        """Everything idle, the barrier first; lets go of the pins."""
        for device in self._opened():
            tell(device.close)

    def __enter__(self) -> "GpioDevices":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _opened(self) -> Iterator[Any]:
        buttons = (self.release_button, self.call_button, self.shutdown_button)
        return (d for d in (self.barrier, *buttons, self.light, self.buzzer, self.presence) if d is not None)


def _lit_in_turn(light: TrafficLight, sleep: Callable[[float], None]) -> SelfTest:
    colours: tuple[Colour, ...] = ("red", "amber", "green", "off")
    for colour in colours:
        fault = light.show(colour)
        if fault is not None:
            return SelfTest(light.name, False, fault.detail)
        if colour in light.colours:
            sleep(LOOK_SECONDS)
    return SelfTest(light.name, True, f"{', '.join(light.colours)} lit in turn: were they seen?")


def _sounded(buzzer: Buzzer, sleep: Callable[[float], None]) -> SelfTest:
    fault = buzzer.play("good")
    sleep(LOOK_SECONDS)
    return SelfTest(buzzer.name, fault is None, fault.detail if fault else "two beeps: were they heard?")


def _looked(presence: Presence, sleep: Callable[[float], None]) -> SelfTest:
    reading = presence.read()
    if reading is None:
        sleep(SILENT_SECONDS + LOOK_SECONDS)
        reading = presence.read()
    if isinstance(reading, Fault):
        return SelfTest(presence.name, False, reading.detail)
    return SelfTest(presence.name, reading is not None, {True: "somebody", False: "nobody", None: "no value yet"}[reading])
