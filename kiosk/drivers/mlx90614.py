"""Melexis MLX90614 IR thermometer over SMBus (datasheet 3901090614): words become degrees, failures become `Fault`s."""

import time
from collections.abc import Callable
from typing import Self

from smbus2 import i2c_msg

from kiosk.drivers.base import Fault, FaultKind, Measurement, SelfTest
from kiosk.drivers.i2c import I2CBus, crc8

ADDRESS = 0x5A
RAM_AMBIENT = 0x06
RAM_OBJECT = 0x07
EEPROM_EMISSIVITY = 0x24
ERROR_BIT = 0x8000
OBJECT_WORDS = range(0x27AD, 0x7FFF + 1)
"""−70 °C to 382 °C."""
AMBIENT_WORDS = range(0x2D8A, 0x4DC3 + 1)
"""−40 °C to 125 °C."""
WARM_UP_SECONDS = 0.25
EEPROM_SECONDS = 0.02
STUCK_READS = 5
"""Identical reads that count as stuck, so that two rare reads that happen to agree do not."""


def celsius_of(word: int) -> float:
    """Degrees Celsius of a temperature word: 0.02 K a step."""
    return round(word * 0.02 - 273.15, 2)


def word_of_emissivity(emissivity: float) -> int:
    """The EEPROM word of an emissivity, 0xFFFF for 1.0. Raises ValueError outside 0.1–1.0."""
    if not 0.1 <= emissivity <= 1.0:
        raise ValueError(f"emissivity is {emissivity}; it may be 0.1 to 1.0")
    return round(emissivity * 0xFFFF)


class _Failed(Exception):
    """A read that failed inside the driver, on its way to becoming a Fault."""

    def __init__(self, kind: FaultKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class Mlx90614:
    """One MLX90614 on a bus. Never raises for what the bus or the sensor does."""

    name = "mlx90614"

    def __init__(
        self,
        bus: I2CBus,
        *,
        address: int = ADDRESS,
        emissivity: float = 0.98,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
        stuck_seconds: float = 30.0,
    ) -> None:
        """Makes first contact, which starts the warm-up. Raises ValueError for an impossible emissivity."""
        self._bus = bus
        self._address = address
        self._wanted = word_of_emissivity(emissivity)
        self._monotonic_ns = monotonic_ns
        self._sleep = sleep
        self._stuck_ns = round(stuck_seconds * 1e9)
        self._awake_since: int | None = None
        self._setting: int | None = None
        self._last_words = (-1, -1)
        self._same_since = 0
        self._same_reads = 0
        self.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the bus."""
        self._bus.close()

    def read(self) -> Measurement | Fault:
        """Object and ambient in °C, or why not."""
        now = self._monotonic_ns()
        try:
            return self._measure(now)
        except OSError as error:
            return Fault(FaultKind.NO_ANSWER, self._lost(error), now)
        except _Failed as failed:
            return Fault(failed.kind, failed.detail, now)

    def selftest(self) -> SelfTest:
        """Reads the emissivity back and takes one measurement, waiting for the warm-up if it must."""
        self._setting = None
        outcome = self.read()
        if isinstance(outcome, Fault) and outcome.kind is FaultKind.WARMING_UP:
            self._sleep(WARM_UP_SECONDS)
            outcome = self.read()
        if isinstance(outcome, Fault):
            return SelfTest(self.name, False, outcome.detail)
        seen = f"object {outcome.object_celsius:.2f} °C, ambient {outcome.ambient_celsius:.2f} °C"
        return SelfTest(self.name, True, seen)

    def set_emissivity(self) -> SelfTest:
        """Erases the EEPROM cell, writes the configured emissivity and tests the sensor again."""
        try:
            for word in (0, self._wanted):
                self._write_word(EEPROM_EMISSIVITY, word)
                self._sleep(EEPROM_SECONDS)
        except OSError as error:
            return SelfTest(self.name, False, self._lost(error))
        self._awake_since = None
        return self.selftest()

    def _measure(self, now: int) -> Measurement:
        self._wake(now)
        self._check_setting()
        object_word = self._temperature_word(RAM_OBJECT, OBJECT_WORDS)
        ambient_word = self._temperature_word(RAM_AMBIENT, AMBIENT_WORDS)
        self._check_alive((object_word, ambient_word), now)
        return Measurement(celsius_of(object_word), celsius_of(ambient_word), now)

    def _wake(self, now: int) -> None:
        if self._setting is None:
            self._setting = self._read_word(EEPROM_EMISSIVITY)
        if self._awake_since is None:
            self._awake_since = now
        if now - self._awake_since < WARM_UP_SECONDS * 1e9:
            raise _Failed(FaultKind.WARMING_UP, "the sensor has just been powered; its first value is not ready")

    def _check_setting(self) -> None:
        # One step either way: other tools round down.
        if self._setting is None or abs(self._setting - self._wanted) > 1:
            found, wanted = (self._setting or 0) / 0xFFFF, self._wanted / 0xFFFF
            raise _Failed(FaultKind.BAD_SETTING, f"emissivity is set to {found:.3f}, configuration says {wanted:.3f}")

    def _check_alive(self, words: tuple[int, int], now: int) -> None:
        if words != self._last_words:
            self._last_words, self._same_since, self._same_reads = words, now, 0
        self._same_reads += 1
        if self._same_reads >= STUCK_READS and now - self._same_since > self._stuck_ns:
            seconds = (now - self._same_since) / 1e9
            raise _Failed(FaultKind.STUCK, f"the same value for {seconds:.0f} s; a live sensor's last digit moves")

    def _temperature_word(self, command: int, valid: range) -> int:
        word = self._read_word(command)
        if word & ERROR_BIT:
            raise _Failed(FaultKind.ERROR_BIT, f"the sensor marks register 0x{command:02X} as in error")
        if word not in valid:
            raise _Failed(FaultKind.OUT_OF_RANGE, f"{celsius_of(word):.2f} °C in register 0x{command:02X} is impossible")
        return word

    def _read_word(self, command: int) -> int:
        ask, reply = i2c_msg.write(self._address, [command]), i2c_msg.read(self._address, 3)
        self._bus.i2c_rdwr(ask, reply)
        low, high, pec = bytes(reply)
        if pec != crc8(bytes([self._address << 1, command, self._address << 1 | 1, low, high])):
            raise _Failed(FaultKind.BAD_CHECKSUM, f"register 0x{command:02X} came with a wrong PEC; check the cable")
        return high << 8 | low

    def _write_word(self, command: int, word: int) -> None:
        payload = bytes([command, word & 0xFF, word >> 8])
        pec = crc8(bytes([self._address << 1]) + payload)
        self._bus.i2c_rdwr(i2c_msg.write(self._address, payload + bytes([pec])))

    def _lost(self, error: OSError) -> str:
        # Whoever comes back may be another sensor, just powered: warm up and check its setting again.
        self._awake_since = self._setting = None
        return f"no answer at address 0x{self._address:02X}: {error.strerror or error}"
