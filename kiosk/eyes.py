"""Frames → tokens → the loop: the thread that looks, and says what it sees and whether it can see."""

import logging
import threading
from collections.abc import Callable

import cv2

from contract.events import Direction
from kiosk.drivers.base import Frame
from kiosk.drivers.camera import Camera
from kiosk.inputs import DeviceReport, Input, SeveralSeen, TokenSeen
from kiosk.scanner import Scanner
from kiosk.sightings import One, Sighting, Sightings

log = logging.getLogger(__name__)
SELFTEST_SECONDS = 600.0
FIRST = "camera"
"""The name of a station's first camera as a device; further ones are camera-2, camera-3."""
_JPEG = [int(cv2.IMWRITE_JPEG_QUALITY), 70]


class Eyes:
    """Looks through one camera until closed, and posts tokens and the state of camera and scanner.

    Each camera has eyes and a scanner of its own. `direction` is the way that the people go whom it sees; None: not told by it.
    Those named "camera" are the first and report the device "scanner"; what ails a further one's scanner ails its camera.
    """

    def __init__(
        self,
        camera: Camera,
        scanner: Scanner,
        post: Callable[[Input], None],
        *,
        name: str = FIRST,
        direction: Direction | None = None,
    ) -> None:
        self.camera, self._scanner, self._post = camera, scanner, post
        self.name, self._direction = name, direction
        self._sightings = Sightings()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"eyes {name}", daemon=True)
        self._reported: dict[str, tuple[bool, str]] = {}
        self._tested_ns: int | None = None
        self._blind = ""

    def start(self) -> None:
        """Open the camera and begin to look."""
        self.camera.start()
        self._thread.start()

    def close(self) -> None:
        """Stop looking and close the camera."""
        self._stop.set()
        self._thread.join(timeout=5)
        self.camera.close()

    def rest(self, resting: bool) -> None:
        """Look seldom from now on, since nobody is near; or as fast as ever again, at once."""
        self.camera.rest(resting)

    def picture(self, width: int = 640) -> bytes | None:
        """The newest frame as JPEG, scaled down to `width`; None when there is none."""
        frame = self.camera.latest(timeout=0.0)
        if frame is None or not self.camera.status().present:
            return None
        height = round(frame.pixels.shape[0] * width / frame.pixels.shape[1])
        small = cv2.resize(frame.pixels, (width, height), interpolation=cv2.INTER_AREA)
        done, data = cv2.imencode(".jpg", small, _JPEG)
        return data.tobytes() if done else None

    def _run(self) -> None:
        seen = 0
        while not self._stop.is_set():
            try:
                frame = self.camera.latest(after=seen, timeout=0.5)
                self._report_camera()
                if frame is not None:
                    seen = frame.number
                    self._look(frame)
            except Exception as error:  # whatever a picture does to a decoder, the gate goes on looking
                log.exception("the scanner failed on a frame")
                self._tested_ns = None  # the next frame that it can bear brings a test, and the test ends this report
                self._report_scanner(False, str(error)[:200])
                self._stop.wait(0.5)

    def _look(self, frame: Frame) -> None:
        sighting = self._sightings.update(self._scanner.scan(frame), frame.mono_ns)
        if sighting is not None:
            self._post(self._input(sighting, frame.mono_ns))
        if self._tested_ns is None or frame.mono_ns - self._tested_ns > SELFTEST_SECONDS * 1e9:
            self._tested_ns = frame.mono_ns
            test = self._scanner.selftest()
            self._report_scanner(test.ok, test.detail)

    def _input(self, sighting: Sighting, mono_ns: int) -> Input:
        if isinstance(sighting, One):
            text = sighting.token.text or sighting.token.data.hex()
            return TokenSeen(text, mono_ns, direction=self._direction)
        return SeveralSeen(mono_ns)

    def _report_camera(self) -> None:
        status = self.camera.status()
        self._report(self.name, status.present and not self._blind, self._blind or status.detail)

    def _report_scanner(self, ok: bool, detail: str) -> None:
        if self.name == FIRST:
            self._report("scanner", ok, detail)
        else:
            self._blind = "" if ok else f"its pictures can't be read: {detail}"

    def _report(self, device: str, ok: bool, detail: str) -> None:
        if self._reported.get(device) != (ok, detail):
            self._reported[device] = (ok, detail)
            self._post(DeviceReport(device, ok, detail))
