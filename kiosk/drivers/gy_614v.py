"""GY-614V IR thermometer module on a serial line, by its registers (maker's protocol sheet).

Registers: 03 output, 05 save, 07 emissivity in hundredths, 08–09 object, 0A–0B ambient, 0C–0D the module's own body estimate.
Read: A4 03 FIRST COUNT sum, answered by A4 03 FIRST COUNT, the registers, sum. Write: A4 06 REGISTER VALUE sum.
"""

import time
from collections.abc import Callable

from kiosk.drivers.base import FaultKind, SelfTest
from kiosk.drivers.gy_module import ANSWER_SECONDS, GyModule
from kiosk.drivers.infrared import Failed, possible_emissivity
from kiosk.drivers.serial_line import Line, signed

DEVICE = 0xA4
READ = 0x03
WRITE = 0x06
SAVE = 0x05
SAVE_NOW = 0x55
EMISSIVITY = 0x07
BODY_END = 0x0E
"""One past the last register that is read."""
WRITE_SECONDS = 0.2

HEAD = bytes([DEVICE, READ, EMISSIVITY, BODY_END - EMISSIVITY])
"""Also what it sends unasked as it leaves the factory: emissivity, object, ambient, body."""


class Gy614V(GyModule):
    """One GY-614V on a line, at the 9600 baud and under the number A4 that it leaves the factory with."""

    name = "gy-614v"
    question = signed(HEAD)
    head = HEAD
    length = 12
    temperatures = slice(5, 9)

    def __init__(
        self,
        line: Line,
        *,
        emissivity: float = 0.98,
        answer_seconds: float = ANSWER_SECONDS,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
        stuck_seconds: float = 30.0,
    ) -> None:
        """Opens nothing yet. Raises ValueError for an impossible emissivity."""
        super().__init__(line, answer_seconds=answer_seconds, monotonic_ns=monotonic_ns, sleep=sleep, stuck_seconds=stuck_seconds)
        self._wanted = round(possible_emissivity(emissivity) * 100)

    def set_emissivity(self) -> SelfTest:
        """Writes the configured emissivity, has the module keep it, and tests the module again."""
        try:
            for register, value in ((EMISSIVITY, self._wanted), (SAVE, SAVE_NOW)):
                order = signed(bytes([DEVICE, WRITE, register, value]))
                self._line.exchange(order, lambda heard: False, WRITE_SECONDS)
        except OSError as error:
            return SelfTest(self.name, False, self._lost(error))
        self._forget()
        return self.selftest()

    def _check_setting(self, frame: bytes) -> None:
        found = frame[len(HEAD)]
        if found != self._wanted:
            detail = f"emissivity is set to {found / 100:.2f}, configuration says {self._wanted / 100:.2f}"
            raise Failed(FaultKind.BAD_SETTING, detail)
