"""An emulated camera at the level of frames of video: it films what `camera.json` in a world's folder says is held up to it.

Whoever plays the world replaces that file atomically; a missing or garbled one is an empty street.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from segno import DataOverflowError

from kiosk.drivers.base import Pixels
from kiosk.drivers.emulated.rendering import empty, render

_Texts = Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1)], ...], msgspec.Meta(max_length=3)]
_Width = Annotated[int, msgspec.Meta(ge=160, le=3840)]


class Scene(msgspec.Struct, frozen=True):
    """What the camera sees: the body of `camera.json`. Unknown fields are ignored."""

    show: _Texts = ()
    """The texts of the passes held up, none to three."""
    style: Literal["phone", "paper"] = "phone"
    seed: int = 0
    """The same seed holds them in the same place."""
    hardness: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.2
    """0 still, near and sharp, 1 shaken, small, blurred, dim and noisy."""
    connected: bool = True
    width: _Width = 1280
    height: _Width = 720


class EmulatedCapture:
    """Frames of one world's folder, with the interface of `cv2.VideoCapture`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "camera.json"
        self._stamp: tuple[int, ...] = ()
        self._scene = Scene()
        self._number = 0

    def isOpened(self) -> bool:
        """False while the scene is not connected."""
        return self._look().connected

    def read(self) -> tuple[bool, Any]:
        """True and a height × width × 3 picture, or False and None while not connected."""
        scene = self._look()
        self._number += 1
        return (True, self._film(scene)) if scene.connected else (False, None)

    def release(self) -> None:
        """Nothing to let go of."""

    def _look(self) -> Scene:
        """The scene, read again when the file has changed."""
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if stamp != self._stamp:
                self._stamp, self._scene = stamp, msgspec.json.decode(self._path.read_bytes(), type=Scene)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            self._stamp, self._scene = (), Scene()
        return self._scene

    def _film(self, scene: Scene) -> Pixels:
        shake = np.random.default_rng(self._number)
        try:
            return render(
                scene.show,
                width=scene.width,
                height=scene.height,
                style=scene.style,
                rng=np.random.default_rng(abs(scene.seed)),
                module_px=6.0 - 3.0 * scene.hardness,
                hardness=scene.hardness,
                shake=shake,
            )
        except DataOverflowError:  # more text than any code holds
            return empty(scene.width, scene.height, shake)
