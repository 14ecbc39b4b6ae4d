"""GY-MCU90614 IR thermometer module: an MLX90614 behind a controller that answers on a serial line (maker's protocol sheet).

Question A5 15 BA; answer 5A 5A 45 04, object, ambient, sum. Newer ones add their number after the sum, which is passed over.
"""

from kiosk.drivers.base import SelfTest
from kiosk.drivers.gy_module import GyModule
from kiosk.drivers.serial_line import signed

QUESTION = signed(b"\xa5\x15")
HEAD = b"\x5a\x5a\x45\x04"


class GyMcu90614(GyModule):
    """One GY-MCU90614 on a line, at the 9600 baud it leaves the factory with."""

    name = "gy-mcu90614"
    question = QUESTION
    head = HEAD
    length = 9
    temperatures = slice(4, 8)

    def set_emissivity(self) -> SelfTest:
        """Fails in words: the module's sheet has no command for it."""
        return SelfTest(self.name, False, "its emissivity can't be set: the module has no command for it")
