"""Emulated GPIO pins at the level of the wire: what lamps and relays get is written down, presses and distances are played.

`gpio.json` holds the level of every pin in use, such as `{"17": true}`; an active-low relay is asked to open while it is false.
Whoever plays the world replaces `buttons.json`; missing or garbled, nobody presses and nobody is there.
"""

import os
import threading
from pathlib import Path
from typing import Any

import msgspec
from gpiozero.pins.mock import MockFactory, MockPin
from gpiozero.pins.pi import PiPin

LEVELS_FILE, WORLD_FILE = "gpio.json", "buttons.json"
PERIOD_SECONDS = 0.05
SOUND_METRES_PER_SECOND = 343.26
"""As gpiozero reckons it."""
NOTHING_METRES = 6.5
"""What the HC-SR04's longest echo of 38 ms comes to, when nothing is in front of it."""


class Scene(msgspec.Struct, frozen=True):
    """What is done to the pins: the content of `buttons.json`."""

    levels: dict[int, bool] = {}
    """GPIO number → level that it is held at from outside: a pressed button false, a PIR that sees somebody true."""
    metres: float | None = NOTHING_METRES
    """What the distance sensor sees; null: it gives no echo."""


class WirePin(MockPin):  # type: ignore[misc]
    """A pin that tells its factory when its level changes."""

    def _change_state(self, value: bool) -> bool:
        changed = bool(super()._change_state(value))
        if changed:
            self.factory.note()
        return changed


class TriggerPin(MockPin):  # type: ignore[misc]
    """An HC-SR04's trigger: the end of its pulse is answered on the echo pin at once, with an echo as long as the scene says."""

    def _set_state(self, value: float) -> None:
        falls = self._state and not value
        super()._set_state(value)
        if falls:
            self.factory.answer()


class EmulatedPins(MockFactory):  # type: ignore[misc]
    """A pin factory of gpiozero that plays a folder, or a scene that a test holds. `close()` ends it."""

    def __init__(self, folder: Path | None = None, *, trigger: int | None = None, echo: int | None = None) -> None:
        """`trigger` and `echo` are the pins that a distance sensor is wired to."""
        super().__init__(pin_class=WirePin)
        self._folder, self._trigger, self._echo = folder, trigger, echo
        self.scene = Scene()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, name="emulated pins", daemon=True)
        if folder is not None:
            self._thread.start()

    def pin(self, name: Any, pin_class: Any = None, **options: Any) -> Any:
        """The pin of that number."""
        wired = TriggerPin if self._trigger is not None and name == self._trigger else pin_class
        return super().pin(name, pin_class=wired, **options)

    def close(self) -> None:
        """Stop playing and let go of all pins."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        super().close()

    def note(self) -> None:
        """Write every pin's level down."""
        if self._folder is None:
            return
        with self._lock:
            levels = {pin.info.name.removeprefix("GPIO"): bool(pin.state) for pin in list(self.pins.values())}
            part = self._folder / f"{LEVELS_FILE}.part"
            try:
                part.write_bytes(msgspec.json.encode(levels))
                os.replace(part, self._folder / LEVELS_FILE)
            except OSError:
                return  # a lamp that nobody can look at

    def answer(self) -> None:
        """Give the echo of the scene's distance, if there is one."""
        metres, echo = self.scene.metres, self.pin(self._echo)
        if metres is not None and echo.when_changed is not None:
            rise = self.ticks()
            PiPin._call_when_changed(echo, rise, True)
            PiPin._call_when_changed(echo, rise + 2 * metres / SOUND_METRES_PER_SECOND, False)

    def _play(self) -> None:
        assert self._folder is not None
        while not self._stop.wait(PERIOD_SECONDS):
            self.scene = read_scene(self._folder / WORLD_FILE)
            for pin in list(self.pins.values()):
                if pin.function == "input":
                    self._hold(pin, self.scene.levels.get(int(pin.info.name.removeprefix("GPIO")), pin.pull == "up"))

    def _hold(self, pin: Any, level: bool) -> None:
        try:
            (pin.drive_high if level else pin.drive_low)()
        except AssertionError:
            return  # it has just become an output


def read_scene(path: Path) -> Scene:
    """The scene in a file; nobody there when the file is missing or garbled."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Scene)
    except (OSError, msgspec.DecodeError):
        return Scene()
