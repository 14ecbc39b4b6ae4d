"""An I2C bus with an MLX90614 on it at the level of the wire: registers, PEC, NACK; played from a file or by a test."""

import errno
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
from smbus2 import i2c_msg

from kiosk.drivers.i2c import crc8
from kiosk.drivers.mlx90614 import (
    ADDRESS,
    EEPROM_EMISSIVITY,
    ERROR_BIT,
    RAM_AMBIENT,
    RAM_OBJECT,
    word_of_emissivity,
)

WORLD_FILE = "thermometer.json"
I2C_READ = 0x0001
"""The flag I2C_M_RD of the kernel's i2c.h."""
ABSURD_WORD = 0x0100

Trouble = Literal["nack", "bad_pec", "error_bit", "stuck", "absurd", "noise"]


class Scene(msgspec.Struct, frozen=True):
    """What the thermometer sees, in °C, and what ails it: the content of `thermometer.json`."""

    connected: bool = True
    object_celsius: float = 22.0
    ambient_celsius: float = 22.0
    fault: Trouble | None = None


@dataclass
class Mlx90614Model:
    """The sensor's registers. A live sensor's last digits move; `fault` makes it misbehave."""

    connected: bool = True
    object_celsius: float = 22.0
    ambient_celsius: float = 22.0
    fault: Trouble | None = None
    emissivity_word: int = field(default_factory=lambda: word_of_emissivity(0.98))
    address: int = ADDRESS
    rng: random.Random = field(default_factory=lambda: random.Random(90614))
    _last_words: dict[int, int] = field(default_factory=dict)

    def show(self, scene: Scene) -> None:
        """Turns the sensor to another scene; its EEPROM stays."""
        self.connected, self.fault = scene.connected, scene.fault
        self.object_celsius, self.ambient_celsius = scene.object_celsius, scene.ambient_celsius

    def read_register(self, command: int) -> bytes:
        """Low byte, high byte and PEC of a register. Raises OSError (EREMOTEIO) for a NACK."""
        self._answer_or_nack(command)
        word = self._word(command)
        payload = bytes([word & 0xFF, word >> 8])
        pec = crc8(bytes([self.address << 1, command, self.address << 1 | 1]) + payload)
        return payload + bytes([pec ^ 0xFF if self.fault == "bad_pec" else pec])

    def write_register(self, command: int, payload: bytes) -> None:
        """Takes low byte, high byte and PEC. Raises OSError (EREMOTEIO) for a wrong PEC or a cell that is read-only."""
        self._answer_or_nack(command)
        right = crc8(bytes([self.address << 1, command]) + payload[:2])
        if command != EEPROM_EMISSIVITY or len(payload) != 3 or payload[2] != right:
            raise remote_io_error()
        word = payload[1] << 8 | payload[0]
        # Only a write of zero erases; any other adds its bits to those already there.
        self.emissivity_word = self.emissivity_word | word if word else 0

    def _answer_or_nack(self, command: int) -> None:
        known = command in (RAM_AMBIENT, RAM_OBJECT, EEPROM_EMISSIVITY)
        if not self.connected or self.fault == "nack" or not known:
            raise remote_io_error()

    def _word(self, command: int) -> int:
        if command == EEPROM_EMISSIVITY:
            return self.emissivity_word
        if command == RAM_OBJECT and self.fault == "absurd":
            return ABSURD_WORD
        if self.fault != "stuck" or command not in self._last_words:
            self._last_words[command] = self._live_word(command)
        error = ERROR_BIT if command == RAM_OBJECT and self.fault == "error_bit" else 0
        return self._last_words[command] | error

    def _live_word(self, command: int) -> int:
        celsius = self.object_celsius if command == RAM_OBJECT else self.ambient_celsius
        jitter = self.rng.choice((-3, -2, -1, 1, 2, 3))
        if command == RAM_OBJECT and self.fault == "noise":
            jitter = self.rng.randint(-100, 100)
        return round(min(max((celsius + 273.15) / 0.02 + jitter, 0), 0x7FFF))


class EmulatedI2CBus:
    """Stands where `smbus2.SMBus` stands; plays a folder's `thermometer.json`, or a model that a test holds."""

    def __init__(self, folder: Path | None = None, *, model: Mlx90614Model | None = None) -> None:
        self.model = model or Mlx90614Model()
        self._file = folder / WORLD_FILE if folder is not None else None
        self._seen_mtime_ns: int | None = None

    def i2c_rdwr(self, *i2c_msgs: i2c_msg) -> None:
        """Answers one transaction of real messages. Raises OSError (EREMOTEIO) where the kernel reports a NACK."""
        self._look_at_the_world()
        if any(message.addr != self.model.address for message in i2c_msgs):
            raise remote_io_error()
        match [(bool(message.flags & I2C_READ), message) for message in i2c_msgs]:
            case [(False, ask), (True, reply)] if len(ask) == 1:
                _fill(reply, self.model.read_register(_content(ask)[0]))
            case [(False, order)] if len(order) > 1:
                command, *payload = _content(order)
                self.model.write_register(command, bytes(payload))
            case _:
                raise remote_io_error()

    def close(self) -> None:
        """Nothing to close."""

    def _look_at_the_world(self) -> None:
        if self._file is None:
            return
        mtime_ns = _mtime_ns(self._file)
        if mtime_ns != self._seen_mtime_ns:
            self._seen_mtime_ns = mtime_ns
            self.model.show(read_scene(self._file))


def read_scene(path: Path) -> Scene:
    """The scene in a file; a room without a person when the file is missing or garbled."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Scene)
    except (OSError, msgspec.DecodeError):
        return Scene()


def remote_io_error() -> OSError:
    """What the kernel raises for a NACK."""
    return OSError(errno.EREMOTEIO, "Remote I/O error")


def _mtime_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _content(message: i2c_msg) -> bytes:
    return bytes(message)


def _fill(message: i2c_msg, content: bytes) -> None:
    # The wire idles high: what the device does not send reads as 0xFF.
    for index in range(message.len):
        message.buf[index] = content[index : index + 1] or b"\xff"
