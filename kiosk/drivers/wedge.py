"""A QR hand scanner that types: a USB keyboard wedge, by the kernel's evdev interface (Documentation/input/input.rst).

Its device is grabbed, so that not one of its keys reaches the screen. Needs no library: an open, an ioctl and reads of 24 bytes.
"""

import errno
import fcntl
import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from contract.events import Direction
from kiosk.drivers.base import SelfTest
from kiosk.drivers.emulated.wedge import EmulatedWedge
from kiosk.drivers.keyboard import EVENT, Code, Spoilt, Typing
from kiosk.inputs import DeviceReport, Input, TokenSeen

EMULATED = "emulated:"
EVIOCGRAB = 0x40044590
"""_IOW('E', 0x90, int) of linux/input.h: what this file reads, nobody else does."""
POLL_SECONDS = 0.2
_WORDS = {
    errno.ENOENT: "is not there: unplugged?",
    errno.ENODEV: "is gone: unplugged?",
    errno.EACCES: "may not be read: add the station's user to the group input",
    errno.EPERM: "may not be read: add the station's user to the group input",
    errno.EBUSY: "is grabbed by another program",
    errno.ENOTTY: "is no input device",
    errno.EINVAL: "is no input device",
}


class Wire(Protocol):
    """An opened source of `struct input_event`."""

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class Node:
    """A device node such as /dev/input/by-id/…-event-kbd, grabbed. Raises OSError when it can't be."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._fd, EVIOCGRAB, 1)
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        """Its file descriptor."""
        return self._fd

    def close(self) -> None:
        """Lets go of it."""
        os.close(self._fd)


class HandScanner:
    """A thread that reads one hand scanner, and posts each code once and the scanner's state.

    `device` is a path or `emulated:FOLDER`; `direction` the way that the people go whom it is held out to. A scanner that is
    unplugged is told, and opened again when it is back. A code that can't be used is told as trouble, until the next that can.
    """

    def __init__(
        self,
        device: str,
        post: Callable[[Input], None],
        direction: Direction | None = None,
        *,
        name: str = "hand-scanner",
        open_wire: Callable[[], Wire] | None = None,
        reopen_seconds: float = 1.0,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name, self._device, self._direction, self._post = name, device, direction, post
        self._open = open_wire or opener(device)
        self._reopen_seconds, self._monotonic_ns = reopen_seconds, monotonic_ns
        self._reported: tuple[bool, str] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to read; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and let go of the device."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def selftest(self) -> SelfTest:
        """Whether the device can be opened and grabbed. Not while it is started: nothing is grabbed twice."""
        try:
            self._open().close()
        except OSError as error:
            return SelfTest(self.name, False, self._in_words(error))
        return SelfTest(self.name, True, self._ready)

    @property
    def _ready(self) -> str:
        return f"ready, {self._device}"

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen(self._open())
            except OSError as error:
                self._report(False, self._in_words(error))
            self._stop.wait(self._reopen_seconds)

    def _listen(self, wire: Wire) -> None:
        """Reads until told to stop. Raises OSError when the device is gone."""
        try:
            self._report(True, self._ready)
            typing, poll = Typing(), select.poll()
            poll.register(wire.fileno(), select.POLLIN)
            while not self._stop.is_set():
                data = _read(wire) if poll.poll(POLL_SECONDS * 1e3) else b""
                for told in typing.feed(data, self._monotonic_ns()):
                    self._tell(told)
        finally:
            wire.close()

    def _tell(self, told: Code | Spoilt) -> None:
        if isinstance(told, Spoilt):
            return self._report(False, told.why)
        self._post(TokenSeen(told.text, told.mono_ns, direction=self._direction))
        return self._report(True, self._ready)

    def _report(self, ok: bool, detail: str) -> None:
        if self._reported != (ok, detail):
            self._reported = (ok, detail)
            self._post(DeviceReport(self.name, ok, detail))

    def _in_words(self, error: OSError) -> str:
        return f"{self._device} {_WORDS.get(error.errno or 0, f'fails: {error.strerror or error}')}"


def opener(device: str) -> Callable[[], Wire]:
    """What opens the device at a path, or the emulated one of `emulated:FOLDER`."""
    if device.startswith(EMULATED):
        return EmulatedWedge(Path(device.removeprefix(EMULATED))).open
    return lambda: Node(device)


def _read(wire: Wire) -> bytes:
    try:
        data = os.read(wire.fileno(), 64 * EVENT.size)
    except BlockingIOError:
        return b""
    if not data:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    return data
