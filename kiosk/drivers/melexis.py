"""Melexis IR thermometers over SMBus: what the MLX90614 and the MLX90615 do alike. A chip's figures are in its own file."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from smbus2 import i2c_msg

from kiosk.drivers.base import FaultKind, Measurement, SelfTest
from kiosk.drivers.i2c import I2CBus, crc8
from kiosk.drivers.infrared import Failed, InfraredThermometer, possible_emissivity

ERROR_BIT = 0x8000
EEPROM_SECONDS = 0.02


def celsius_of(word: int) -> float:
    """Degrees Celsius of a temperature word: 0.02 K a step."""
    return round(word * 0.02 - 273.15, 2)


@dataclass(frozen=True)
class Chip:
    """What a chip's datasheet says. Commands are opcode and cell in one byte."""

    name: str
    address: int
    """On the bus, as it leaves the factory."""
    ram_ambient: int
    ram_object: int
    eeprom_emissivity: int
    emissivity_one: int
    """The EEPROM word for an emissivity of 1.0."""
    ambient_words: range
    object_words: range
    warm_up_seconds: float
    """From power to the first data."""

    def word_of_emissivity(self, emissivity: float) -> int:
        """The EEPROM word of an emissivity. Raises ValueError outside 0.1–1.0."""
        return round(possible_emissivity(emissivity) * self.emissivity_one)


class MelexisThermometer(InfraredThermometer):
    """One chip on a bus. Never raises for what the bus or the sensor does."""

    chip: ClassVar[Chip]
    _setting: int | None

    def __init__(
        self,
        bus: I2CBus,
        *,
        address: int | None = None,
        emissivity: float = 0.98,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
        stuck_seconds: float = 30.0,
    ) -> None:
        """Makes first contact, which starts the warm-up. Raises ValueError for an impossible emissivity."""
        super().__init__(monotonic_ns=monotonic_ns, sleep=sleep, stuck_seconds=stuck_seconds)
        self.name = self.chip.name
        self.warm_up_seconds = self.chip.warm_up_seconds
        self._bus = bus
        self._address = address or self.chip.address
        self._wanted = self.chip.word_of_emissivity(emissivity)
        self.read()

    def close(self) -> None:
        """Closes the bus."""
        self._bus.close()

    def selftest(self) -> SelfTest:
        """Reads the emissivity back and takes one measurement, waiting for the warm-up if it must."""
        self._setting = None
        return super().selftest()

    def set_emissivity(self) -> SelfTest:
        """Erases the EEPROM cell, writes the configured emissivity and tests the sensor again."""
        try:
            for word in (0, self._wanted):
                self._write_word(self.chip.eeprom_emissivity, word)
                self._sleep(EEPROM_SECONDS)
        except OSError as error:
            return SelfTest(self.name, False, self._lost(error))
        self._forget()
        return self.selftest()

    def _measure(self, now: int) -> Measurement:
        if self._setting is None:
            self._setting = self._read_word(self.chip.eeprom_emissivity)
        self._warm_up(now)
        self._check_setting(self._setting)
        object_word = self._temperature_word(self.chip.ram_object, self.chip.object_words)
        ambient_word = self._temperature_word(self.chip.ram_ambient, self.chip.ambient_words)
        self._check_alive((object_word, ambient_word), now)
        return Measurement(celsius_of(object_word), celsius_of(ambient_word), now)

    def _where(self) -> str:
        return f"at address 0x{self._address:02X}"

    def _forget(self) -> None:
        super()._forget()
        self._setting = None

    def _check_setting(self, setting: int) -> None:
        # One step either way: other tools round down.
        if abs(setting - self._wanted) > 1:
            found, wanted = setting / self.chip.emissivity_one, self._wanted / self.chip.emissivity_one
            raise Failed(FaultKind.BAD_SETTING, f"emissivity is set to {found:.3f}, configuration says {wanted:.3f}")

    def _temperature_word(self, command: int, valid: range) -> int:
        word = self._read_word(command)
        if word & ERROR_BIT:
            raise Failed(FaultKind.ERROR_BIT, f"the sensor marks register 0x{command:02X} as in error")
        if word not in valid:
            raise Failed(FaultKind.OUT_OF_RANGE, f"{celsius_of(word):.2f} °C in register 0x{command:02X} is impossible")
        return word

    def _read_word(self, command: int) -> int:
        ask, reply = i2c_msg.write(self._address, [command]), i2c_msg.read(self._address, 3)
        self._bus.i2c_rdwr(ask, reply)
        low, high, pec = bytes(reply)
        if pec != crc8(bytes([self._address << 1, command, self._address << 1 | 1, low, high])):
            raise Failed(FaultKind.BAD_CHECKSUM, f"register 0x{command:02X} came with a wrong PEC; check the cable")
        return high << 8 | low

    def _write_word(self, command: int, word: int) -> None:
        payload = bytes([command, word & 0xFF, word >> 8])
        pec = crc8(bytes([self._address << 1]) + payload)
        self._bus.i2c_rdwr(i2c_msg.write(self._address, payload + bytes([pec])))
