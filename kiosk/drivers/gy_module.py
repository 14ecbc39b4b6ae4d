"""IR thermometer modules on a serial line, asked frame by frame: what the GY-MCU90614 and the GY-614V do alike."""

import time
from collections.abc import Callable
from typing import ClassVar

from kiosk.drivers.base import FaultKind, Measurement
from kiosk.drivers.infrared import Failed, InfraredThermometer
from kiosk.drivers.serial_line import Line, sum8

ANSWER_SECONDS = 1.2
"""A module left at its slowest sends once a second."""
AMBIENT_CELSIUS = (-40.0, 125.0)
OBJECT_CELSIUS = (-70.0, 380.0)
"""The ranges of the MLX90614 on both modules."""
POWERLESS = (b"\x00" * 4, b"\xff" * 4)
"""What a module sends for both temperatures while its sensor gives it nothing."""


class GyModule(InfraredThermometer):
    """One module on a line, whether it waits to be asked or sends unasked. Never raises for what line or module does."""

    warm_up_seconds = 1.0
    question: ClassVar[bytes]
    head: ClassVar[bytes]
    """What every answer begins with."""
    length: ClassVar[int]
    """Bytes in an answer, checksum included."""
    temperatures: ClassVar[slice]
    """Object, then ambient: two signed words in 0.01 °C, high byte first."""

    def __init__(
        self,
        line: Line,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
        stuck_seconds: float = 30.0,
    ) -> None:
        """Opens nothing yet: the first read does, and starts the warm-up."""
        super().__init__(monotonic_ns=monotonic_ns, sleep=sleep, stuck_seconds=stuck_seconds)
        self.answer_seconds = answer_seconds
        """How long an answer is waited for; counts from the next read."""
        self._line = line

    def close(self) -> None:
        """Closes the port."""
        self._line.close()

    def _measure(self, now: int) -> Measurement:
        frame = self._frame()
        words = frame[self.temperatures]
        if words in POWERLESS:
            raise Failed(FaultKind.NO_ANSWER, f"the module answers, its sensor does not ({words.hex(' ')}): check the supply")
        self._warm_up(now)
        self._check_setting(frame)
        object_word, ambient_word = (int.from_bytes(words[at : at + 2], "big", signed=True) for at in (0, 2))
        object_celsius = _within(OBJECT_CELSIUS, object_word / 100, "object")
        ambient_celsius = _within(AMBIENT_CELSIUS, ambient_word / 100, "ambient")
        self._check_alive((object_word, ambient_word), now)
        return Measurement(object_celsius, ambient_celsius, now)

    def _check_setting(self, frame: bytes) -> None:
        """Raises `Failed` when a frame shows a setting that is not the configured one."""

    def _where(self) -> str:
        return f"on {self._line.path}"

    def _frame(self) -> bytes:
        heard = self._line.exchange(self.question, self._whole, self.answer_seconds)
        at = heard.rfind(self.head, 0, max(0, len(heard) - self.length + len(self.head)))
        frame = heard[at : at + self.length]
        if at < 0 or sum8(frame[:-1]) != frame[-1]:
            raise self._why_no_frame(heard, at >= 0)
        return frame

    def _whole(self, heard: bytes) -> bool:
        at = heard.find(self.head)
        return at >= 0 and len(heard) >= at + self.length

    def _why_no_frame(self, heard: bytes, whole: bool) -> Failed:
        kind, where = FaultKind.NO_ANSWER, self._where()
        if whole:
            kind, detail = FaultKind.BAD_CHECKSUM, f"an answer {where} came with a wrong sum; check the cable"
        elif not heard:
            detail = f"no answer {where} within {self.answer_seconds:.1f} s; check the supply, and that TX and RX are crossed"
        elif self.head in heard or self.head.startswith(heard):
            detail = f"an answer {where} broke off; check the supply and the plug"
        elif not heard.strip(b"\x00\xff"):
            detail = f"nothing but {heard[:1].hex()} {where}; check the supply and the ground"
        else:
            kind, detail = FaultKind.BAD_CHECKSUM, f"noise {where}; check the baud rate, the ground and the cable"
        return Failed(kind, detail)


def _within(limits: tuple[float, float], celsius: float, what: str) -> float:
    low, high = limits
    if not low <= celsius <= high:
        raise Failed(FaultKind.OUT_OF_RANGE, f"{what} {celsius:.2f} °C is impossible")
    return celsius
