"""A traffic light for the lane: up to three lamps, each on a GPIO pin by way of a transistor or a relay. High is lit."""

import threading
import time
from contextlib import ExitStack
from typing import Any, Literal

import gpiozero

from kiosk.drivers.base import Fault, FaultKind

Colour = Literal["red", "amber", "green", "off"]
BLINK_SECONDS = 0.5


class TrafficLight:
    """One lamp at a time, or none. A colour that has no lamp is dark."""

    name = "light"

    def __init__(
        self, *, red: int | None = None, amber: int | None = None, green: int | None = None, pin_factory: Any = None
    ) -> None:
        """Pins as GPIO numbers. All dark. Raises what gpiozero raises for a pin that can't be had."""
        pins = {"red": red, "amber": amber, "green": green}
        with ExitStack() as opened:
            self._lamps: dict[str, Any] = {
                colour: opened.enter_context(gpiozero.LED(pin, initial_value=False, pin_factory=pin_factory))
                for colour, pin in pins.items()
                if pin is not None
            }
            self._opened = opened.pop_all()
        self._lock = threading.Lock()
        self._shown: tuple[Colour, bool] | None = ("off", False)

    @property
    def colours(self) -> tuple[str, ...]:
        """The lamps that there are."""
        return tuple(self._lamps)

    def show(self, colour: Colour, blinking: bool = False) -> Fault | None:
        """Light one lamp, the others go dark first; returns at once. Shown again, a colour goes on undisturbed."""
        with self._lock:
            if self._shown == (colour, blinking):
                return None
            self._shown = None
            try:
                self._switch(colour, blinking)
            except Exception as error:  # whatever a pin factory raises, the gate goes on
                return Fault(FaultKind.NO_ANSWER, f"the {colour} light could not be switched: {error}", time.monotonic_ns())
            self._shown = (colour, blinking)
            return None

    def close(self) -> None:
        """All dark; lets go of the pins."""
        self.show("off")
        self._opened.close()

    def _switch(self, colour: Colour, blinking: bool) -> None:
        for name, lamp in self._lamps.items():
            if name != colour:
                lamp.off()
        if colour in self._lamps:
            if blinking:
                self._lamps[colour].blink(BLINK_SECONDS, BLINK_SECONDS)
            else:
                self._lamps[colour].on()
