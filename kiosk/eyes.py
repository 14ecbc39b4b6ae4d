"""Frames → tokens → the loop: the thread that looks, and says what it sees and whether it can see."""

import logging
import threading
from collections.abc import Callable

import cv2

from kiosk.drivers.base import Frame
from kiosk.drivers.camera import Camera
from kiosk.inputs import DeviceReport, Input, SeveralSeen, TokenSeen
from kiosk.scanner import Scanner
from kiosk.sightings import One, Sighting, Sightings

log = logging.getLogger(__name__)
SELFTEST_SECONDS = 600.0
_JPEG = [int(cv2.IMWRITE_JPEG_QUALITY), 70]


class Eyes:
    """Looks through one camera until closed, and posts tokens and the state of camera and scanner."""

    def __init__(self, camera: Camera, scanner: Scanner, post: Callable[[Input], None]) -> None:
        self.camera, self._scanner, self._post = camera, scanner, post
        self._sightings = Sightings()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="eyes", daemon=True)
        self._reported: dict[str, tuple[bool, str]] = {}
        self._tested_ns: int | None = None

    def start(self) -> None:
        """Open the camera and begin to look."""
        self.camera.start()
        self._thread.start()

    def close(self) -> None:
        """Stop looking and close the camera."""
        self._stop.set()
        self._thread.join(timeout=5)
        self.camera.close()

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
                self._report("scanner", False, str(error)[:200])
                self._stop.wait(0.5)

    def _look(self, frame: Frame) -> None:
        sighting = self._sightings.update(self._scanner.scan(frame), frame.mono_ns)
        if sighting is not None:
            self._post(_input(sighting, frame.mono_ns))
        if self._tested_ns is None or frame.mono_ns - self._tested_ns > SELFTEST_SECONDS * 1e9:
            self._tested_ns = frame.mono_ns
            test = self._scanner.selftest()
            self._report("scanner", test.ok, test.detail)

    def _report_camera(self) -> None:
        status = self.camera.status()
        self._report("camera", status.present, status.detail)

    def _report(self, device: str, ok: bool, detail: str) -> None:
        if self._reported.get(device) != (ok, detail):
            self._reported[device] = (ok, detail)
            self._post(DeviceReport(device, ok, detail))


def _input(sighting: Sighting, mono_ns: int) -> Input:
    if isinstance(sighting, One):
        return TokenSeen(sighting.token.text or sighting.token.data.hex(), mono_ns)
    return SeveralSeen(mono_ns)
