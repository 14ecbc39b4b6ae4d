"""Whether somebody stands in the lane, and how many have come: a motion sensor (PIR) or a distance sensor (HC-SR04)."""

import threading
import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any, Protocol

import gpiozero

from kiosk.drivers.base import Fault, FaultKind
from kiosk.drivers.edges import Arrivals, tell

ABSENCE_SECONDS = 0.5
"""Whoever is seen again sooner is the same person."""
PERIOD_SECONDS = 0.05
SILENT_SECONDS = 1.0
FARTHEST_METRES = 5.0
"""Beyond the HC-SR04's range of 4 m (its datasheet); an echo from farther away counts as this."""


class Sensor(Protocol):
    """What tells whether somebody is there."""

    def read(self) -> bool | Fault | None:
        """Somebody, nobody, why not known, or None: nothing has been measured yet."""
        ...

    def close(self) -> None: ...


class _Dated:
    """Put before a gpiozero sensor, which reads in a thread of its own: keeps the last values, and knows how old they are."""

    def __init__(self, *pins: Any, keep: int, monotonic: Callable[[], float], **options: Any) -> None:
        self._keep, self._monotonic = keep, monotonic
        self._values: tuple[float, ...] = ()
        self._read_at = monotonic()
        super().__init__(*pins, **options)

    def latest(self, silence: str) -> float | Fault | None:
        """The median of the last values; the fault `silence` when there was none for a second, None when there is none yet."""
        if self._age() > SILENT_SECONDS:
            return Fault(FaultKind.NO_ANSWER, silence, time.monotonic_ns())
        return median(self._values) if self._values else None

    def _age(self) -> float:
        return self._monotonic() - self._read_at

    def _read(self) -> Any:
        value = super()._read()  # type: ignore[misc]
        if value is not None:
            # What was seen before a silence says nothing of now.
            self._values = (*(self._values if self._age() <= SILENT_SECONDS else ()), value)[-self._keep :]
            self._read_at = self._monotonic()
        return value


class _Motion(_Dated, gpiozero.MotionSensor):  # type: ignore[misc]
    pass


class _Distance(_Dated, gpiozero.DistanceSensor):  # type: ignore[misc]
    pass


class MotionSensor:
    """A PIR module such as the HC-SR501: high while something warm moves. Unplugged it reads as nobody, which can't be told."""

    def __init__(self, pin: int, *, pin_factory: Any = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Raises what gpiozero raises for a pin that can't be had."""
        self._device = _Motion(
            pin, keep=1, partial=True, sample_rate=1 / PERIOD_SECONDS, pin_factory=pin_factory, monotonic=monotonic
        )

    def read(self) -> bool | Fault | None:
        """Whether something moves."""
        value: float | Fault | None = self._device.latest("the motion sensor's pin can't be read")
        return value > 0.5 if isinstance(value, int | float) else value

    def close(self) -> None:
        """Lets go of the pin."""
        self._device.close()


class DistanceSensor:
    """An HC-SR04: the echo's time gives the distance. With nothing in front of it, it still answers, with a long echo."""

    def __init__(
        self,
        trigger: int,
        echo: int,
        *,
        metres: float,
        pin_factory: Any = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nearer than `metres` is somebody. Raises what gpiozero raises for a pin that can't be had."""
        self._near = metres / FARTHEST_METRES
        with warnings.catch_warnings():  # gpiozero's advice on another pin factory; a person needs no millimetres
            warnings.simplefilter("ignore")
            self._device = _Distance(
                echo, trigger, keep=3, partial=True, max_distance=FARTHEST_METRES, pin_factory=pin_factory, monotonic=monotonic
            )  # fmt: skip

    def read(self) -> bool | Fault | None:
        """Whether somebody is near; no echo is a fault, never nobody."""
        value: float | Fault | None = self._device.latest(
            "the distance sensor gives no echo: look at its 5 V, trigger and echo wires"
        )
        return value <= self._near if isinstance(value, int | float) else value

    def close(self) -> None:
        """Lets go of the pins."""
        self._device.close()


class Presence:
    """Watches one sensor and tells changes, people and faults, each once."""

    name = "presence"

    def __init__(
        self,
        sensor: Sensor,
        *,
        on_change: Callable[[bool], object],
        on_person: Callable[[], object],
        report: Callable[[str, bool, str], object],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`report` takes the device's name, whether it works, and the detail."""
        self._sensor, self._monotonic = sensor, monotonic
        self._on_change, self._on_person, self._report = on_change, on_person, report
        self.present: bool | None = None
        """None: not known."""
        self.people = 0
        """How many have come since the start."""
        self._arrivals = Arrivals(ABSENCE_SECONDS)
        self._fault = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="presence", daemon=True)

    def start(self) -> None:
        """Begin to watch, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching and close the sensor."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._sensor.close()

    def read(self) -> bool | Fault | None:
        """What the sensor says now."""
        return self._sensor.read()

    def look(self) -> None:
        """Read the sensor once and tell what is new."""
        reading = self._sensor.read()
        if isinstance(reading, Fault):
            self._lost(reading)
        elif reading is not None:
            self._seen(reading, self._monotonic())

    def _seen(self, somebody: bool, now: float) -> None:
        if self._fault:
            self._fault = ""
            tell(lambda: self._report(self.name, True, ""))
        arrived = self._arrivals.update(somebody, now)
        if somebody or self._arrivals.quiet(now):
            self._changed(somebody)
        if arrived:
            self.people += 1
            tell(self._on_person)

    def _changed(self, present: bool) -> None:
        if self.present is not present:
            self.present = present
            tell(lambda: self._on_change(present))

    def _lost(self, fault: Fault) -> None:
        self.present = None
        self._arrivals.lost()
        if self._fault != fault.detail:
            self._fault = fault.detail
            tell(lambda: self._report(self.name, False, fault.detail))

    def _watch(self) -> None:
        while not self._stop.wait(PERIOD_SECONDS):
            try:
                self.look()
            except Exception as error:  # whatever a pin factory raises, the gate goes on
                self._lost(Fault(FaultKind.NO_ANSWER, f"the sensor can't be read: {error}", time.monotonic_ns()))
