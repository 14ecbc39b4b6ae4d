"""A Raspberry Pi's ribbon camera, through picamera2 (from 0.3.20 on) and libcamera: *The Picamera2 Library*, Raspberry Pi Ltd.

picamera2 comes with Raspberry Pi OS and runs nowhere else, so it is imported when such a camera is opened and not before.
"""

import importlib
from typing import Any

from kiosk.drivers.base import Pixels

RIBBON = "picamera2:"
"""A source is this and the camera's number, as `rpicam-hello --list-cameras` counts them."""
NOT_INSTALLED = "picamera2 is not installed: sudo apt install python3-picamera2, and a venv made with --system-site-packages"
OTHER_NUMPY = "picamera2 was built for another numpy: pip install --upgrade simplejpeg into the station's venv"
_SIZE = (1280, 720)
_CONTINUOUS = 2
"""libcamera's AfModeContinuous; a lens that is left alone stays where it was parked."""
_SILENT_SECONDS = 3.0


class RibbonCapture:
    """One ribbon camera with the interface of `cv2.VideoCapture`: 720p, always the frame that comes next, never a kept one.

    Raises OSError, in words, where the camera or picamera2 is missing, and from `read` when no frame comes: a ribbon that has
    come loose is told by silence alone, and picamera2 by itself would wait for ever.
    """

    def __init__(self, source: str, fps: float) -> None:
        self._camera: Any = _open(_library(), source.removeprefix(RIBBON))
        try:
            self._camera.configure(self._configuration(fps))
            self._camera.start()
        except Exception:
            self.release()
            raise

    def isOpened(self) -> bool:
        """True until it is released."""
        return self._camera is not None

    def read(self) -> tuple[bool, Any]:
        """True and a height × width × 3 picture, blue-green-red. Raises OSError when none comes."""
        try:
            return True, self._next()
        except TimeoutError:
            self._camera.cancel_all_and_flush()  # else closing would wait for the frame that didn't come
            raise OSError(f"no picture for {_SILENT_SECONDS:.0f} s: is the ribbon seated at both ends?") from None

    def release(self) -> None:
        """Stops the camera and lets go of it."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def _next(self) -> Pixels:
        pixels: Pixels = self._camera.capture_array("main", wait=_SILENT_SECONDS)
        return pixels

    def _configuration(self, fps: float) -> Any:
        """picamera2 names formats as the kernel's DRM does: "RGB888" is a little-endian word, in memory blue, green, red.

        Without its queue `capture_array` never hands out a frame that came before it was asked for.
        """
        microseconds = round(1e6 / fps)
        controls: dict[str, object] = {"FrameDurationLimits": (microseconds, microseconds)}
        if "AfMode" in self._camera.camera_controls:
            controls["AfMode"] = _CONTINUOUS
        return self._camera.create_video_configuration(
            main={"format": "RGB888", "size": _SIZE}, controls=controls, buffer_count=4, queue=False
        )


def _library() -> Any:
    try:
        return importlib.import_module("picamera2").Picamera2
    except ImportError as error:
        raise OSError(f"{NOT_INSTALLED} ({error})") from error
    except ValueError as error:  # a compiled part that was built against numpy 1 says so in this way
        raise OSError(f"{OTHER_NUMPY} ({error})") from error


def _open(library: Any, number: str) -> Any:
    if not number.isdecimal():
        raise OSError(f'the camera is "{number}" and not a number, as in picamera2:0')
    attached = len(library.global_camera_info())
    if int(number) >= attached:
        raise OSError(f"not among the {attached} that libcamera finds: is the ribbon seated? See rpicam-hello --list-cameras")
    try:
        return library(int(number))
    except RuntimeError as error:
        raise OSError(f"can't be opened, in use by another program? ({error.__cause__ or error})") from error
