"""An I2C bus with an MLX90614 or an MLX90615 on it at the level of the wire: registers, PEC, NACK; by a file or by a test."""

import errno
import random
from dataclasses import dataclass, field
from pathlib import Path

from smbus2 import i2c_msg

from kiosk.drivers import mlx90614
from kiosk.drivers.emulated.scene import MUTE, WRONG_SUM, Scene, Trouble, World
from kiosk.drivers.i2c import crc8
from kiosk.drivers.melexis import ERROR_BIT, Chip

I2C_READ = 0x0001
"""The flag I2C_M_RD of the kernel's i2c.h."""
ABSURD_WORD = 0x0100


@dataclass
class MelexisModel:
    """The sensor's registers. A live sensor's last digits move; `fault` makes it misbehave."""

    chip: Chip = mlx90614.CHIP
    connected: bool = True
    object_celsius: float = 22.0
    ambient_celsius: float = 22.0
    fault: Trouble | None = None
    emissivity_word: int = -1
    """As set for skin unless given; the factory's is `chip.emissivity_one`."""
    rng: random.Random = field(default_factory=lambda: random.Random(90614))
    _last_words: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.emissivity_word < 0:
            self.emissivity_word = self.chip.word_of_emissivity(0.98)

    def show(self, scene: Scene) -> None:
        """Turns the sensor to another scene; its EEPROM stays."""
        self.connected, self.fault = scene.connected, scene.fault
        self.object_celsius, self.ambient_celsius = scene.object_celsius, scene.ambient_celsius

    def read_register(self, command: int) -> bytes:
        """Low byte, high byte and PEC of a register. Raises OSError (EREMOTEIO) for a NACK."""
        self._answer_or_nack(command)
        word = self._word(command)
        payload = bytes([word & 0xFF, word >> 8])
        address = self.chip.address
        pec = crc8(bytes([address << 1, command, address << 1 | 1]) + payload)
        if self.fault == "brown_out":
            return bytes(3)
        if self.fault == "half_frame":
            return payload[:1]
        return payload + bytes([pec ^ 0xFF if self.fault in WRONG_SUM else pec])

    def write_register(self, command: int, payload: bytes) -> None:
        """Takes low byte, high byte and PEC. Raises OSError (EREMOTEIO) for a wrong PEC or a cell that is read-only."""
        self._answer_or_nack(command)
        right = crc8(bytes([self.chip.address << 1, command]) + payload[:2])
        if command != self.chip.eeprom_emissivity or len(payload) != 3 or payload[2] != right:
            raise remote_io_error()
        word = payload[1] << 8 | payload[0]
        # Only a write of zero erases; any other adds its bits to those already there.
        self.emissivity_word = self.emissivity_word | word if word else 0

    def _answer_or_nack(self, command: int) -> None:
        if self.fault == "hang_up":
            raise OSError(errno.ENODEV, "No such device")
        known = command in (self.chip.ram_ambient, self.chip.ram_object, self.chip.eeprom_emissivity)
        if not self.connected or self.fault in MUTE or not known:
            raise remote_io_error()

    def _word(self, command: int) -> int:
        if command == self.chip.eeprom_emissivity:
            return self.emissivity_word
        if command == self.chip.ram_object and self.fault == "absurd":
            return ABSURD_WORD
        if self.fault != "stuck" or command not in self._last_words:
            self._last_words[command] = self._live_word(command)
        error = ERROR_BIT if command == self.chip.ram_object and self.fault == "error_bit" else 0
        return self._last_words[command] | error

    def _live_word(self, command: int) -> int:
        celsius = self.object_celsius if command == self.chip.ram_object else self.ambient_celsius
        jitter = self.rng.choice((-3, -2, -1, 1, 2, 3))
        if command == self.chip.ram_object and self.fault == "noise":
            jitter = self.rng.randint(-100, 100)
        return round(min(max((celsius + 273.15) / 0.02 + jitter, 0), 0x7FFF))


class EmulatedI2CBus:
    """Stands where `smbus2.SMBus` stands; plays a folder's `thermometer.json`, or a model that a test holds."""

    def __init__(self, folder: Path | None = None, *, model: MelexisModel | None = None) -> None:
        self.model = model or MelexisModel()
        self._world = World(folder) if folder is not None else None

    def i2c_rdwr(self, *i2c_msgs: i2c_msg) -> None:
        """Answers one transaction of real messages. Raises OSError (EREMOTEIO) where the kernel reports a NACK."""
        scene = self._world.news() if self._world else None
        if scene is not None:
            self.model.show(scene)
        if any(message.addr != self.model.chip.address for message in i2c_msgs):
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


def remote_io_error() -> OSError:
    """What the kernel raises for a NACK."""
    return OSError(errno.EREMOTEIO, "Remote I/O error")


def _content(message: i2c_msg) -> bytes:
    return bytes(message)


def _fill(message: i2c_msg, content: bytes) -> None:
    # The wire idles high: what the device does not send reads as 0xFF.
    for index in range(message.len):
        message.buf[index] = content[index : index + 1] or b"\xff"
