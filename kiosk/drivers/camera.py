"""A camera: USB (V4L2) through OpenCV, a Pi's ribbon, a video file, a folder of pictures, or emulated.

Always the newest frame, never a queue. The Pi's ribbon cameras are on libcamera, where `cv2.VideoCapture` does not see them.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import cv2
import numpy as np

from kiosk.drivers.base import Frame, Pixels
from kiosk.drivers.emulated.camera import EmulatedCapture
from kiosk.drivers.ribbon import RIBBON, RibbonCapture

Source = str
"""`0`, `/dev/video0`, `picamera2:0`, `video.mp4`, `folder/` or `emulated:<folder>`."""

EMULATED = "emulated:"
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})
_SILENT_SECONDS = 3.0
_LONGEST_PAUSE = 4  # times reopen_seconds


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that a camera uses."""

    def isOpened(self) -> bool: ...

    def read(self) -> tuple[bool, Any]: ...

    def release(self) -> None: ...


class EndOfRecording(Exception):
    """A recording that is played once has been played."""


@dataclass(frozen=True)
class CameraStatus:
    """Whether frames arrive, and if not, why, in words."""

    present: bool
    detail: str
    frames: int
    """Counted since this process opened the camera, across reconnections."""
    width: int
    height: int


class Recording:
    """A video file or a folder of pictures as a capture. Raises EndOfRecording after the last frame, unless it loops."""

    def __init__(self, path: Path, *, loop: bool) -> None:
        self._path, self._loop = path, loop
        self._frames = frames_of(path)
        self._any = False

    def isOpened(self) -> bool:
        """True while the file or folder is there."""
        return self._path.exists()

    def read(self) -> tuple[bool, Any]:
        """Whether there was a frame, and the frame."""
        pixels = next(self._frames, None)
        if pixels is None and self._any:
            if not self._loop:
                raise EndOfRecording(f"{self._path} has been played to its end")
            self._frames = frames_of(self._path)
            pixels = next(self._frames, None)
        self._any = self._any or pixels is not None
        return pixels is not None, pixels

    def release(self) -> None:
        """Closes the file."""
        self._frames = iter(())


class Paced:
    """Holds a capture to a rate: each `read` waits until its frame is due; one that is late is not made up for."""

    def __init__(
        self,
        capture: Capture,
        fps: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._capture, self._interval = capture, 1 / fps
        self._clock, self._sleep = clock, sleep
        self._due = clock()

    def isOpened(self) -> bool:
        """As the capture says."""
        return self._capture.isOpened()

    def read(self) -> tuple[bool, Any]:
        """Whether there was a frame, and the frame, when it is due."""
        wait = self._due - self._clock()
        if wait > 0:
            self._sleep(wait)
        self._due = max(self._due + self._interval, self._clock())
        return self._capture.read()

    def release(self) -> None:
        """Releases the capture."""
        self._capture.release()


def frames_of(path: Path) -> Iterator[Pixels]:
    """Each frame of a video file, or each picture of a folder in the order of names, once and unpaced; height × width × 3.

    Nothing where the file is missing or no video.
    """
    return _pictures(path) if path.is_dir() else _video(path)


def open_source(source: Source, fps: float = 15.0, *, loop: bool = True) -> Capture:
    """Opens what `source` names, at `fps` frames a second; a video file keeps its own rate.

    See `isOpened` for success. Raises OSError where there is more to say: a ribbon camera.
    """
    if source.startswith(EMULATED):
        return Paced(EmulatedCapture(Path(source.removeprefix(EMULATED))), fps)
    if source.startswith(RIBBON):
        return RibbonCapture(source, fps)
    if source.isdecimal() or source.startswith("/dev/"):
        return _usb(f"/dev/video{source}" if source.isdecimal() else source, fps)
    path = Path(source)
    return Paced(Recording(path, loop=loop), fps if path.is_dir() else _rate(path) or fps)


class Camera:
    """A camera with a grabbing thread and one slot for the newest frame; reopened, with growing pauses, when it fails.

    It can be told to rest while nobody is there to be seen: then it grabs once in `rest_seconds`, and still counts as present.
    """

    def __init__(
        self,
        source: Source,
        *,
        fps: float = 15.0,
        open_source: Callable[[Source, float], Capture] = open_source,
        reopen_seconds: float = 2.0,
        rest_seconds: float = 0.5,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._source, self._fps, self._open = source, fps, open_source
        self._reopen_seconds, self._rest_seconds, self._clock_ns = reopen_seconds, rest_seconds, clock_ns
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._trouble = "not started"
        self._resting = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera {source}", daemon=True)

    def start(self) -> None:
        """Begins to grab; returns at once."""
        cv2.setNumThreads(1)
        self._report("no frame yet")
        self._thread.start()

    def latest(self, after: int = 0, timeout: float = 1.0) -> Frame | None:
        """The newest frame, once its number is above `after`; None if none comes within `timeout` seconds or it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping.is_set() or self._number > after, timeout)
            return self._frame if self._number > after and not self._stopping.is_set() else None

    def rest(self, resting: bool) -> None:
        """Grab slowly from now on, or at the full rate again, at once."""
        with self._changed:
            self._resting = resting
            self._changed.notify_all()

    def status(self) -> CameraStatus:
        """Whether frames arrive now."""
        with self._changed:
            frame, trouble = self._frame, self._trouble or self._silence()
        height, width = frame.pixels.shape[:2] if frame else (0, 0)
        detail = trouble or f"{width}×{height} from {self._source}"
        return CameraStatus(not trouble, detail, frame.number if frame else 0, width, height)

    def close(self) -> None:
        """Stops grabbing and releases the device; waiting callers of `latest` get None."""
        self._stopping.set()
        self._report("closed")
        if self._thread.is_alive():
            self._thread.join(timeout=_SILENT_SECONDS)

    def __enter__(self) -> "Camera":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def _number(self) -> int:
        return self._frame.number if self._frame else 0

    def _silence(self) -> str:
        age = (self._clock_ns() - self._frame.mono_ns) / 1e9 if self._frame else 0.0
        return f"no frame from {self._source} for {age:.0f} s" if age > _SILENT_SECONDS else ""

    def _run(self) -> None:
        pause = self._reopen_seconds
        while not self._stopping.is_set():
            before = self._number
            try:
                self._grab()
            except EndOfRecording as end:
                return self._report(str(end))
            except Exception as error:  # whatever a driver raises, the station goes on and tries again
                self._report(f"{self._source}: {error}")
            pause = self._reopen_seconds if self._number > before else pause
            self._stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE * self._reopen_seconds)
        return None

    def _grab(self) -> None:
        """Reads until the source fails."""
        capture = self._open(self._source, self._fps)
        try:
            if not capture.isOpened():
                return self._report(f"{self._source} can't be opened: not there, or in use by another program")
            while not self._stopping.is_set():
                ok, pixels = self._next(capture)
                if not ok or pixels is None:
                    return self._report(f"{self._source} gives no more frames: unplugged?")
                self._put(np.asarray(pixels, np.uint8))
        finally:
            capture.release()
        return None

    def _next(self, capture: Capture) -> tuple[bool, Any]:
        """One read. The first one after a pause is thrown away: a camera keeps the frame that it took when the pause began."""
        if self._resting:
            with self._changed:
                self._changed.wait_for(lambda: not self._resting or self._stopping.is_set(), self._rest_seconds)
            if not capture.read()[0]:
                return False, None
        return capture.read()

    def _put(self, pixels: Pixels) -> None:
        with self._changed:
            self._frame = Frame(pixels, self._number + 1, self._clock_ns())
            self._trouble = "closed" if self._stopping.is_set() else ""
            self._changed.notify_all()

    def _report(self, trouble: str) -> None:
        with self._changed:
            self._trouble = "closed" if self._stopping.is_set() else trouble
            self._changed.notify_all()


def _usb(device: str, fps: float) -> Capture:
    """MJPG, since few USB cameras give 720p at 15 frames a second uncompressed; one buffer, so that frames are fresh."""
    if sys.platform == "linux":
        capture = cv2.VideoCapture(device, cv2.CAP_V4L2) if Path(device).exists() else cv2.VideoCapture()
    else:
        capture = cv2.VideoCapture(int(device.removeprefix("/dev/video")))
    settings = {
        cv2.CAP_PROP_FOURCC: int.from_bytes(b"MJPG", "little"),
        cv2.CAP_PROP_FRAME_WIDTH: 1280,
        cv2.CAP_PROP_FRAME_HEIGHT: 720,
        cv2.CAP_PROP_FPS: fps,
        cv2.CAP_PROP_BUFFERSIZE: 1,
    }
    for setting, value in settings.items():
        if capture.isOpened():
            capture.set(setting, value)
    return capture


def _rate(video: Path) -> float:
    capture = cv2.VideoCapture(str(video)) if video.is_file() else cv2.VideoCapture()
    rate = float(capture.get(cv2.CAP_PROP_FPS)) if capture.isOpened() else 0.0
    capture.release()
    return rate if 1 <= rate <= 240 else 0.0


def _pictures(folder: Path) -> Iterator[Pixels]:
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES):
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes() or b"\0", np.uint8), cv2.IMREAD_COLOR)
        if pixels is not None:
            yield np.asarray(pixels, np.uint8)


def _video(path: Path) -> Iterator[Pixels]:
    capture = cv2.VideoCapture(str(path)) if path.is_file() else cv2.VideoCapture()
    try:
        while capture.isOpened():
            ok, pixels = capture.read()
            if not ok:
                return
            yield np.asarray(pixels, np.uint8)
    finally:
        capture.release()
