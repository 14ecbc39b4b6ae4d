"""What an emulated thermometer sees, whatever wire it is on: the content of `thermometer.json`."""

from pathlib import Path
from typing import Literal

import msgspec

WORLD_FILE = "thermometer.json"

Trouble = Literal[
    "nack", "bad_pec", "error_bit", "stuck", "absurd", "noise", "half_frame", "bad_sum", "silent", "hang_up", "brown_out"
]
MUTE = ("nack", "silent")
"""The same trouble on either wire: nobody answers."""
WRONG_SUM = ("bad_pec", "bad_sum")
"""So is this: the checksum is wrong."""


class Scene(msgspec.Struct, frozen=True):
    """What the thermometer sees, in °C, and what ails it."""

    connected: bool = True
    object_celsius: float = 22.0
    ambient_celsius: float = 22.0
    fault: Trouble | None = None


class World:
    """A folder's scene, read again whenever its file is replaced."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / WORLD_FILE
        self._seen_mtime_ns: int | None = None

    def news(self) -> Scene | None:
        """The scene at the first look and after each change; None while nothing has changed."""
        mtime_ns = _mtime_ns(self._file)
        if mtime_ns == self._seen_mtime_ns:
            return None
        self._seen_mtime_ns = mtime_ns
        return read_scene(self._file)


def read_scene(path: Path) -> Scene:
    """The scene in a file; a room without a person when the file is missing or garbled."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Scene)
    except (OSError, msgspec.DecodeError):
        return Scene()


def _mtime_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
