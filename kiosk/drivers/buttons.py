"""Push buttons to ground: one that calls somebody, one that shuts the station down when it is held."""

import time
from collections.abc import Callable
from typing import Any

import gpiozero

from kiosk.drivers.edges import Arrivals, tell

BOUNCE_SECONDS = 0.1
HOLD_SECONDS = 3.0


class CallButton:
    """Tells each press once, however the contact bounces."""

    name = "call-button"

    def __init__(
        self,
        pin: int,
        on_press: Callable[[], object],
        *,
        pin_factory: Any = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises what gpiozero raises for a pin that can't be had."""
        self._on_press, self._monotonic = on_press, monotonic
        self._presses = Arrivals(BOUNCE_SECONDS)
        self._button = gpiozero.Button(pin, pull_up=True, pin_factory=pin_factory)
        self._button.when_pressed, self._button.when_released = self._pressed, self._let_go

    def close(self) -> None:
        """Lets go of the pin."""
        self._button.close()

    def _pressed(self) -> None:
        if self._presses.update(True, self._monotonic()):
            tell(self._on_press)

    def _let_go(self) -> None:
        self._presses.update(False, self._monotonic())


class ShutdownButton:
    """Tells once that it has been held for `hold_seconds`; a shorter press, or one that began before the start, is nothing."""

    name = "shutdown-button"

    def __init__(
        self, pin: int, on_hold: Callable[[], object], *, hold_seconds: float = HOLD_SECONDS, pin_factory: Any = None
    ) -> None:
        """Raises what gpiozero raises for a pin that can't be had."""
        self._on_hold = on_hold
        self._button = gpiozero.Button(pin, pull_up=True, hold_time=hold_seconds, pin_factory=pin_factory)
        self._button.when_held = self._held

    def close(self) -> None:
        """Lets go of the pin."""
        self._button.close()

    def _held(self) -> None:
        tell(self._on_hold)
