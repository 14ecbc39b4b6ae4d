"""An active buzzer (one that sounds by itself when powered) on a GPIO pin by way of a transistor. High sounds."""

import time
from collections.abc import Callable
from typing import Any, Literal

import gpiozero

from kiosk.drivers.base import Fault, FaultKind
from kiosk.drivers.pulses import Pulses

Sound = Literal["good", "wait", "stop"]
PATTERNS: dict[Sound, tuple[float, ...]] = {
    "good": (0.14, 0.03, 0.22),
    "wait": (0.5,),
    "stop": (0.16, 0.08, 0.16, 0.08, 0.16),
}
"""Seconds on, off, on, …: the rhythm of the screen's own sounds (web/static/sound.js), so that both are learnt as one."""


class Buzzer:
    """Plays a rhythm; one pitch, so the rhythm alone says what it means."""

    name = "buzzer"

    def __init__(self, pin: int, *, pin_factory: Any = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Silent. Raises what gpiozero raises for a pin that can't be had."""
        self._buzzer = gpiozero.Buzzer(pin, initial_value=False, pin_factory=pin_factory)
        self._pulses = Pulses(self._sound, name="buzzer", monotonic=monotonic)

    def play(self, sound: Sound) -> Fault | None:
        """Begin to play and return at once; what was playing stops."""
        try:
            self._pulses.begin(*PATTERNS[sound])
        except Exception as error:  # whatever a pin factory raises, the gate goes on
            return Fault(FaultKind.NO_ANSWER, f"the buzzer could not be switched: {error}", time.monotonic_ns())
        return None

    def close(self) -> None:
        """Silent; lets go of the pin."""
        try:
            self._pulses.close()
        finally:
            self._buzzer.close()

    def _sound(self, on: bool) -> None:
        self._buzzer.value = on
