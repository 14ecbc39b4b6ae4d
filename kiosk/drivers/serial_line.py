"""A serial line to a module that answers questions: 8 data bits, no parity, one stop bit."""

import termios
import time
from collections.abc import Callable
from typing import Protocol

import serial

SLICE_SECONDS = 0.05
"""The longest that one look at the port takes."""
WRITE_SECONDS = 1.0
MAX_BYTES = 1024
"""More than this in one answer is a line that babbles."""


class Line(Protocol):
    """What a driver needs of a line: a question and what was heard after it, OSError when there is no port."""

    path: str

    def exchange(self, question: bytes, enough: Callable[[bytes], bool], seconds: float) -> bytes: ...

    def close(self) -> None: ...


class SerialLine:
    """A port of the kernel's, opened at its first use and again after an error: an adapter may come and go."""

    def __init__(self, path: str, *, baud: int = 9600, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._baud = baud
        self._monotonic = monotonic
        self._port: serial.Serial | None = None

    def exchange(self, question: bytes, enough: Callable[[bytes], bool], seconds: float) -> bytes:
        """Drops what came unasked, asks, and listens until it is `enough` or the seconds are over.

        Returns what was heard, of any shape. Raises OSError when the port is not there, taken by another program or lost.
        """
        try:
            port = self._open()
            port.reset_input_buffer()
            port.write(question)
            return self._listen(port, enough, seconds)
        except (OSError, termios.error) as error:
            self._drop()
            raise OSError(*error.args) from error

    def close(self) -> None:
        """Closes the port; its next use opens it again."""
        self._drop()

    def _open(self) -> serial.Serial:
        if self._port is None:
            self._port = serial.Serial(self.path, self._baud, timeout=SLICE_SECONDS, write_timeout=WRITE_SECONDS, exclusive=True)
        return self._port

    def _listen(self, port: serial.Serial, enough: Callable[[bytes], bool], seconds: float) -> bytes:
        heard, deadline = b"", self._monotonic() + seconds
        while not enough(heard) and len(heard) < MAX_BYTES and self._monotonic() < deadline:
            heard += port.read(max(1, min(port.in_waiting, MAX_BYTES)))
        return heard

    def _drop(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None


def sum8(message: bytes) -> int:
    """The low byte of the sum of a message's bytes: the checksum of both modules."""
    return sum(message) & 0xFF


def signed(message: bytes) -> bytes:
    """A message with its checksum."""
    return message + bytes([sum8(message)])
