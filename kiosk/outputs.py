"""The loop's snapshots → light, buzzer and backlight: the thread that shows outside the screen what the screen shows."""

import logging
import threading
import time
from collections.abc import Callable

from contract.events import Outcome
from kiosk.drivers.backlight import Backlight
from kiosk.drivers.base import Fault
from kiosk.drivers.buzzer import PATTERNS, Buzzer, Sound
from kiosk.drivers.light import Colour, TrafficLight
from kiosk.inputs import DeviceReport, Input
from kiosk.view import Phase, Snapshot

log = logging.getLogger(__name__)
WAIT_SECONDS = 1.0
LOST_SECONDS = 5.0
"""While somebody is at hand there is a new snapshot every second, since the screen counts down; none for so long: it hangs."""
NIGHT_SHARE = 0.3
"""Of the day's brightness."""
_AT_HAND = (Phase.SEVERAL, Phase.MEASURING, Phase.TYPING, Phase.OUTCOME)


class Outputs:
    """Follows the snapshots until closed. No fault of a device ends it; each is posted once, and again when it is over."""

    def __init__(
        self,
        wait: Callable[[int, float], Snapshot],
        post: Callable[[Input], None],
        *,
        light: TrafficLight | None = None,
        buzzer: Buzzer | None = None,
        backlight: Backlight | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wait(n, timeout)` gives the first snapshot newer than `n`, or the newest after `timeout` seconds."""
        self._wait, self._post, self._monotonic = wait, post, monotonic
        self._light, self._buzzer, self._backlight = light, buzzer, backlight
        self._faults: dict[str, str] = {}
        self._n, self._heard_at = -1, monotonic()
        self._sounded: tuple[str | None, str] | None = None
        self._level: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outputs", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Stop following, light off. Whoever opened the devices closes them."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._show("off")

    def follow(self) -> None:
        """Wait a second for what is new and carry it out."""
        try:
            snapshot = self._wait(self._n, WAIT_SECONDS)
        except Exception:
            log.exception("no snapshot")
            self._stop.wait(WAIT_SECONDS)
        else:
            if snapshot.n != self._n:
                self._n, self._heard_at = snapshot.n, self._monotonic()
            if self._monotonic() - self._heard_at < LOST_SECONDS:
                return self._carry_out(snapshot)
        if self._monotonic() - self._heard_at >= LOST_SECONDS:
            self._show("off")
        return None

    def _carry_out(self, snapshot: Snapshot) -> None:
        self._show(colour_of(snapshot))
        self._play(snapshot)
        self._set_brightness(brightness_of(snapshot))

    def _show(self, colour: Colour) -> None:
        light = self._light
        if light is not None:
            self._attempt(light.name, lambda: light.show(colour))

    def _play(self, snapshot: Snapshot) -> None:
        buzzer, sound, new = self._buzzer, sound_of(snapshot), (snapshot.entry, snapshot.sound or "")
        if buzzer is None or sound is None or new == self._sounded:
            return
        self._sounded = new
        self._attempt(buzzer.name, lambda: buzzer.play(sound))

    def _set_brightness(self, percent: float) -> None:
        backlight = self._backlight
        if backlight is None or percent == self._level:
            return
        self._level = percent if self._attempt(backlight.name, lambda: backlight.set(percent)) else None

    def _attempt(self, device: str, act: Callable[[], Fault | None]) -> bool:
        """Whether it worked; the fault is posted when it is new, and its end when it has gone."""
        try:
            fault = act()
            detail = fault.detail if fault else ""
        except Exception as error:
            log.exception("%s failed", device)
            detail = f"{type(error).__name__}: {error}"
        if detail != self._faults.get(device, ""):
            self._faults[device] = detail
            self._post(DeviceReport(device, not detail, detail))
        return not detail

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.follow()
            except Exception:
                log.exception("a snapshot could not be carried out")
                self._stop.wait(WAIT_SECONDS)


def colour_of(snapshot: Snapshot) -> Colour:
    """The resident's light: go, stop, wait, or nothing. It never tells why, nor whether the gate is compliant."""
    if snapshot.outcome in (Outcome.ADMIT, Outcome.EMERGENCY):
        return "green"
    if snapshot.outcome is Outcome.REFUSE:
        return "red"
    return "amber" if snapshot.phase in _AT_HAND else "off"


def sound_of(snapshot: Snapshot) -> Sound | None:
    """The buzzer's rhythm; none when the voice is turned down to nothing."""
    return next((known for known in PATTERNS if known == snapshot.sound), None) if snapshot.loudness else None


def brightness_of(snapshot: Snapshot) -> float:
    """The backlight, in percent."""
    return snapshot.brightness * (NIGHT_SHARE if snapshot.night else 1.0)
