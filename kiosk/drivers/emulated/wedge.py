"""An emulated QR hand scanner at the level of the wire: real bytes of `struct input_event` through a real pipe.

It plays `scanner.json` of a world's folder, which whoever plays the world replaces by a rename: each new `n` types the text once.
What is in the file when the emulator is made was typed before: no hand scanner types again when a station is restarted.
"""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from kiosk.drivers.keyboard import (
    DOWN,
    ENTER,
    EV_KEY,
    EV_MSC,
    EV_SYN,
    EVENT,
    LEFT_SHIFT,
    PLAIN,
    REPEAT,
    SHIFTED,
    SYN_DROPPED,
    SYN_REPORT,
    UP,
)

WORLD_FILE = "scanner.json"
LOOK_SECONDS = 0.02
_MSC_SCAN, _EV_LED, _F24 = 4, 17, 194
_MAIN = [code for code in PLAIN if code < 55 or code == 57]  # without the keypad
_KEYS = {SHIFTED[code]: (code, True) for code in _MAIN} | {PLAIN[code]: (code, False) for code in _MAIN}

Trouble = Literal["noise", "half_event", "no_enter", "dropped", "unplugged"]
"""noise: repeats, stray releases, lights and keys without a character between the text's keys; half_event: the stream comes in
pieces that end within an event; no_enter: it stops midway; dropped: the kernel's buffer overruns midway; unplugged: it is pulled
out midway, within an event, and is back at once. The text arrives with the first two and does not with the others."""


class Scene(msgspec.Struct, frozen=True):
    """What the hand scanner does: the body of `scanner.json`. Unknown fields are ignored."""

    text: str = ""
    n: int = 0
    """Another number than before: the text is typed."""
    connected: bool = True
    fault: Trouble | None = None


class EmulatedWedge:
    """The hand scanner of one folder, plugged in or not."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / WORLD_FILE
        self._typed = read_scene(self._path).n

    def open(self) -> "Pipe":
        """The wire to it. Raises OSError (ENOENT) while it is not connected."""
        if not read_scene(self._path).connected:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return Pipe(self._play)

    def _play(self, pipe: "Pipe") -> None:
        """Types until the scanner is pulled out or nobody reads any more."""
        while not pipe.closed.wait(LOOK_SECONDS):
            scene = read_scene(self._path)
            if not scene.connected:
                return
            if scene.n != self._typed:
                self._typed = scene.n
                for piece in _pieces(scene):
                    pipe.write(piece)
                if scene.fault == "unplugged":
                    return


class Pipe:
    """A pipe that a player writes to in a thread of its own, and whose reading end stands for the device node."""

    def __init__(self, play: Callable[["Pipe"], None]) -> None:
        self._read_end, self._write_end = os.pipe2(os.O_CLOEXEC)
        self.closed = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(play,), name="emulated hand scanner", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """The reading end."""
        return self._read_end

    def write(self, data: bytes) -> None:
        """Puts bytes on the wire. Raises BrokenPipeError when the reader has closed."""
        while data:
            data = data[os.write(self._write_end, data) :]

    def close(self) -> None:
        """Closes the reading end, which ends the player."""
        self.closed.set()
        os.close(self._read_end)
        self._thread.join(timeout=5)

    def _run(self, play: Callable[["Pipe"], None]) -> None:
        try:
            play(self)
        except BrokenPipeError:
            pass
        finally:
            os.close(self._write_end)


def read_scene(path: Path) -> Scene:
    """The scene in a file; a scanner that lies idle when the file is missing or garbled."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Scene)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Scene()


def keystrokes(text: str, end: int = ENTER) -> bytes:
    """The events of a US keyboard that types the text and then the key `end`. What is not on such a keyboard is left out."""
    keys = [_KEYS[char] for char in text if char in _KEYS]
    return b"".join(_stroke(code, shift) for code, shift in [*keys, (end, False)])


def _stroke(code: int, shift: bool) -> bytes:
    pressed = _press(code, DOWN) + _press(code, UP)
    return _press(LEFT_SHIFT, DOWN) + pressed + _press(LEFT_SHIFT, UP) if shift else pressed


def _press(code: int, value: int) -> bytes:
    """As the kernel tells one report of the keyboard's: the scan code, the key, and that this was all."""
    return event(EV_MSC, _MSC_SCAN, 0x70000 + code) + event(EV_KEY, code, value) + event(EV_SYN, SYN_REPORT, 0)


def event(kind: int, code: int, value: int) -> bytes:
    """One `struct input_event`; its time is 0, since whoever reads has a clock of his own."""
    return EVENT.pack(0, 0, kind, code, value)


def _pieces(scene: Scene) -> Iterator[bytes]:
    """What is written at once, each in turn."""
    strokes = keystrokes(scene.text)
    middle = len(strokes) // 2 // EVENT.size * EVENT.size
    match scene.fault:
        case "noise":
            yield from (_noise(at) + strokes[at : at + EVENT.size] for at in range(0, len(strokes), EVENT.size))
        case "half_event":
            yield from (strokes[at : at + 7] for at in range(0, len(strokes), 7))
        case "no_enter":
            yield strokes[:middle]
        case "dropped":
            yield strokes[:middle] + event(EV_SYN, SYN_DROPPED, 0) + strokes[middle:]
        case "unplugged":
            yield strokes[: middle + EVENT.size // 2]
        case None:
            yield strokes


def _noise(at: int) -> bytes:
    strays = ((EV_KEY, 30, REPEAT), (EV_KEY, 31, UP), (_EV_LED, 1, 1), (EV_KEY, _F24, DOWN))
    return event(*strays[at // EVENT.size % len(strays)])
