"""What the drivers of IR thermometers do alike, whatever the wire: faults for exceptions, warm-up, stuck values, self-test."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

from kiosk.drivers.base import Fault, FaultKind, Measurement, SelfTest

STUCK_READS = 5
"""Identical reads that count as stuck, so that two rare reads that happen to agree do not."""


def possible_emissivity(emissivity: float) -> float:
    """The emissivity itself. Raises ValueError outside 0.1–1.0, the range the sensors are specified for."""
    if not 0.1 <= emissivity <= 1.0:
        raise ValueError(f"emissivity is {emissivity}; it may be 0.1 to 1.0")
    return emissivity


class Failed(Exception):
    """A read that failed inside a driver, on its way to becoming a Fault."""

    def __init__(self, kind: FaultKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class InfraredThermometer(ABC):
    """The part of `Thermometer` that no wire changes. A subclass says how to measure, where, and how to let go."""

    name: str
    warm_up_seconds: float
    """From the first answer after power to the first value that counts."""

    def __init__(self, *, monotonic_ns: Callable[[], int], sleep: Callable[[float], None], stuck_seconds: float = 30.0) -> None:
        self._monotonic_ns = monotonic_ns
        self._sleep = sleep
        self._stuck_ns = round(stuck_seconds * 1e9)
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Gives up the bus or the port."""

    @abstractmethod
    def set_emissivity(self) -> SelfTest:
        """Writes the configured emissivity into the device and tests it again; fails, in words, where that can't be done."""

    def read(self) -> Measurement | Fault:
        """Object and ambient in °C, or why not."""
        now = self._monotonic_ns()
        try:
            return self._measure(now)
        except OSError as error:
            return Fault(FaultKind.NO_ANSWER, self._lost(error), now)
        except Failed as failed:
            if failed.kind is FaultKind.NO_ANSWER:
                self._forget()
            return Fault(failed.kind, failed.detail, now)

    def selftest(self) -> SelfTest:
        """Takes one measurement, waiting for the warm-up if it must."""
        outcome = self.read()
        if isinstance(outcome, Fault) and outcome.kind is FaultKind.WARMING_UP:
            self._sleep(self.warm_up_seconds)
            outcome = self.read()
        if isinstance(outcome, Fault):
            return SelfTest(self.name, False, outcome.detail)
        seen = f"object {outcome.object_celsius:.2f} °C, ambient {outcome.ambient_celsius:.2f} °C"
        return SelfTest(self.name, True, seen)

    @abstractmethod
    def _measure(self, now: int) -> Measurement:
        """One measurement. Raises OSError when nobody answers, `Failed` for any other reason."""

    @abstractmethod
    def _where(self) -> str:
        """Where the device is, as in "no answer at address 0x5A"."""

    def _forget(self) -> None:
        # Whoever comes back may be another device, just powered: warm up and look at it afresh.
        self._awake_since: int | None = None
        self._last_words: tuple[int, ...] = ()
        self._same_since = self._same_reads = 0

    def _lost(self, error: OSError) -> str:
        self._forget()
        return f"no answer {self._where()}: {error.strerror or error}"

    def _warm_up(self, now: int) -> None:
        """To be called at each answer: the first one starts the warm-up."""
        if self._awake_since is None:
            self._awake_since = now
        if now - self._awake_since < self.warm_up_seconds * 1e9:
            raise Failed(FaultKind.WARMING_UP, "the sensor has just been powered; its first value is not ready")

    def _check_alive(self, words: tuple[int, ...], now: int) -> None:
        if words != self._last_words:
            self._last_words, self._same_since, self._same_reads = words, now, 0
        self._same_reads += 1
        if self._same_reads >= STUCK_READS and now - self._same_since > self._stuck_ns:
            seconds = (now - self._same_since) / 1e9
            raise Failed(FaultKind.STUCK, f"the same value for {seconds:.0f} s; a live sensor's last digit moves")
