"""A relay whose contact closes for a moment to tell a barrier's own controller to open, and the button that does it by hand.

The relay only ever asks. That nobody is hit, and that the boom opens without power, is the barrier's own to hold.

Idle without a blip. An active-low relay is let go of (input, pulled up) when idle and pulled low to pulse, as if by an open
collector. It is never driven high: gpiozero's lgpio pins go low for a moment on their way to an output that starts high
(gpiozero pull request 1177), and that moment would be an order to open.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import gpiozero

from kiosk.drivers.base import Fault, FaultKind
from kiosk.drivers.edges import Arrivals, tell
from kiosk.drivers.pulses import Pulses

BOUNCE_SECONDS = 0.1


class Barrier:
    """Opens by one pulse. Idle before, after, and at all other times."""

    name = "barrier"

    def __init__(
        self,
        pin: int,
        *,
        active_low: bool = True,
        pulse_seconds: float = 0.5,
        pin_factory: Any = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises what gpiozero raises for a pin that can't be had."""
        self._active_low, self._pulse_seconds = active_low, pulse_seconds
        self._relay = gpiozero.GPIODevice(pin, pin_factory=pin_factory)
        try:
            self._switch(False)
            self._pulses = Pulses(self._switch, name="barrier", monotonic=monotonic)
        except BaseException:
            self._relay.close()
            raise

    def open(self) -> Fault | None:
        """Begin the pulse, or extend the one that is going on, and return at once. A thread of its own ends it."""
        try:
            self._pulses.begin(self._pulse_seconds)
        except Exception as error:  # whatever a pin factory raises, the gate goes on
            return Fault(FaultKind.NO_ANSWER, f"the barrier's relay could not be switched: {error}", time.monotonic_ns())
        return None

    def close(self) -> None:
        """End the pulse, and let go of the pin: the relay's own pull keeps it idle."""
        try:
            self._pulses.close()
        finally:
            self._relay.close()

    def _switch(self, on: bool) -> None:
        if self._active_low and not on:
            self._relay.pin.input_with_pull("up")
        else:
            self._relay.pin.output_with_state(on is not self._active_low)


class ReleaseButton:
    """A push button to ground that opens the barrier in gpiozero's own callback, whatever the program thinks or does."""

    name = "release-button"

    def __init__(
        self,
        pin: int,
        barrier: Barrier,
        on_release: Callable[[], object],
        *,
        pin_factory: Any = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises what gpiozero raises for a pin that can't be had."""
        self._barrier, self._on_release, self._monotonic = barrier, on_release, monotonic
        self._presses = Arrivals(BOUNCE_SECONDS)
        self._button = gpiozero.Button(pin, pull_up=True, pin_factory=pin_factory)
        self._button.when_pressed, self._button.when_released = self._pressed, self._let_go

    def close(self) -> None:
        """Lets go of the pin."""
        self._button.close()

    def _pressed(self) -> None:
        self._barrier.open()
        if self._presses.update(True, self._monotonic()):
            # In a thread of its own: whoever is told may hang, and the next press must still open.
            threading.Thread(target=tell, args=(self._on_release,), name="release told", daemon=True).start()

    def _let_go(self) -> None:
        self._presses.update(False, self._monotonic())
