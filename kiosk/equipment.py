"""The devices of a station, opened as configured, each on its own thread, joined to the loop by what they post."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kiosk.config import Located
from kiosk.devices import open_cameras, open_hand_scanners, open_thermometer
from kiosk.drivers.backlight import Backlight
from kiosk.drivers.base import Fault, FaultKind, SelfTest
from kiosk.drivers.gpio import open_gpio, pin_factory
from kiosk.drivers.header import Listeners
from kiosk.eyes import Eyes
from kiosk.inputs import BarrierReleased, ButtonPressed, DeviceReport, Input, PersonPassed, PresenceChanged
from kiosk.outputs import Outputs
from kiosk.scanner import Scanner
from kiosk.senses import Senses
from kiosk.speaking.voice import open_voice
from kiosk.view import Snapshot

if TYPE_CHECKING:
    from kiosk.drivers.health_thermometer import HealthThermometer

log = logging.getLogger(__name__)


class _Part(Protocol):
    def start(self) -> object: ...

    def close(self) -> None: ...


class Equipment:
    """Everything that sees, feels, speaks and moves at a gate. `start()`, then `close()`; no fault of a device ends anything."""

    def __init__(self, located: Located, post: Callable[[Input], None], probe: Callable[[], str | None]) -> None:
        """`post` takes the station's inputs from any thread; `probe` asks the journal whether it can be written."""
        settings = located.settings
        self._post = post
        self._closing = ExitStack()
        self._pins = pin_factory(located.device(settings.gpio.pins), settings.gpio)
        self.header = open_gpio(settings.gpio, self._listeners(), pin_factory=self._pins)
        self.eyes = [Eyes(camera, Scanner(), post, name=name, direction=way) for name, camera, way in open_cameras(located)]
        self.senses = Senses(open_thermometer(located), probe, post)
        self.hand_scanners = open_hand_scanners(located, post)
        self.voice = open_voice(
            settings.voice, located.data, self._voice_told, device=located.device(settings.voice.device),
            first=settings.screen.language,
        )  # fmt: skip
        self.body_thermometer = _open_bluetooth(settings.thermometer.bluetooth, post)
        self._backlight = Backlight(Path(settings.screen.backlight)) if settings.screen.backlight else None

    def start(self, wait: Callable[[int, float], Snapshot]) -> None:
        """Begin, the barrier and the lights first; `wait` gives the snapshots that they follow."""
        for report in self.header.reports:
            self._post(DeviceReport(report.device, report.ok, report.detail))
        if self._pins is not None:
            self._closing.callback(self._pins.close)
        self._closing.callback(self.header.close)
        self.header.start()
        outputs = Outputs(wait, self._post, light=self.header.light, buzzer=self.header.buzzer, backlight=self._backlight)
        outputs.start()
        self._closing.callback(outputs.close)
        if self.voice is not None:
            self.voice.start()
            self._closing.callback(self.voice.close)
        parts: list[_Part] = [self.senses, *self.eyes, *self.hand_scanners]
        parts += [self.body_thermometer] if self.body_thermometer else []
        for part in parts:
            part.start()
            self._closing.callback(part.close)

    def close(self) -> None:
        """End what was started, in the opposite order."""
        self._closing.close()

    def say(self, sentence: str, language: str, loudness: int) -> None:
        """Say a sentence; returns at once."""
        if self.voice is not None:
            self.voice.say(sentence, language, loudness)

    def raise_barrier(self) -> Fault | None:
        """One pulse for the barrier; returns at once."""
        if self.header.barrier is None:
            return Fault(FaultKind.NO_ANSWER, "no barrier is connected", 0)
        return self.header.barrier.open()

    def picture(self, width: int = 640) -> bytes | None:
        """What the first camera sees, as JPEG."""
        return self.eyes[0].picture(width=width)

    def selftest(self) -> tuple[SelfTest, ...]:
        """What each device says of itself while the station works: none is taken away from the people at the gate for long."""
        seen = [(eyes.name, eyes.camera.status()) for eyes in self.eyes]
        cameras = [SelfTest(name, s.present, s.detail or f"{s.width}×{s.height}") for name, s in seen]
        scanners = [scanner.selftest() for scanner in self.hand_scanners]
        return (*cameras, Scanner().selftest(), *scanners, self.senses.selftest(), *self.header.selftest())

    def _listeners(self) -> Listeners:
        return Listeners(
            presence=self._somebody, person=lambda: self._post(PersonPassed()), release=lambda: self._post(BarrierReleased()),
            button=lambda name: self._post(ButtonPressed(name)),
            report=lambda device, ok, detail: self._post(DeviceReport(device, ok, detail)),
        )  # fmt: skip

    def _somebody(self, present: bool) -> None:
        for eyes in self.eyes:
            eyes.rest(not present)
        self._post(PresenceChanged(present))

    def _voice_told(self, heard: bool, words: str) -> None:
        self._post(DeviceReport("voice", heard, words))


def _open_bluetooth(address: str, post: Callable[[Input], None]) -> "HealthThermometer | None":
    """The configured Bluetooth thermometer; its library is loaded only where there is one."""
    if not address:
        return None
    from kiosk.drivers.health_thermometer import HealthThermometer

    return HealthThermometer(address, post)
