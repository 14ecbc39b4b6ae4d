"""The I2C bus as Linux gives it, and the checksum of SMBus: shared by every sensor on it."""

from typing import Protocol

from smbus2 import SMBus, i2c_msg


class I2CBus(Protocol):
    """What the driver needs of a bus: combined transactions, OSError when nobody answers."""

    def i2c_rdwr(self, *i2c_msgs: i2c_msg) -> None: ...

    def close(self) -> None: ...


class LinuxBus:
    """A bus of the kernel's, opened at its first use and again after an error: an adapter may come and go."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._bus: SMBus | None = None

    def i2c_rdwr(self, *i2c_msgs: i2c_msg) -> None:
        """One transaction with repeated starts. Raises OSError when the bus or the device does not answer."""
        try:
            self._bus = self._bus or SMBus(self._path)
            self._bus.i2c_rdwr(*i2c_msgs)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Closes the bus; its next use opens it again."""
        if self._bus is not None:
            self._bus.close()
            self._bus = None


def crc8(message: bytes) -> int:
    """SMBus PEC: CRC-8 of polynomial x⁸ + x² + x + 1 (SMBus 3.1, section 6.4)."""
    crc = 0
    for byte in message:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc
