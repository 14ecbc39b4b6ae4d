"""A GY-MCU90614 and a GY-614V as they are behind their wire: orders heard, frames sent, registers; no line yet."""

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from kiosk.drivers import gy_614v, gy_mcu90614
from kiosk.drivers.emulated.scene import MUTE, WRONG_SUM, Scene, Trouble
from kiosk.drivers.serial_line import signed, sum8

ABSURD_CELSIUS = -100.0


@dataclass
class ModuleModel(ABC):
    """A module's controller and sensor. A live sensor's last digits move; `fault` makes it misbehave."""

    connected: bool = True
    object_celsius: float = 22.0
    ambient_celsius: float = 22.0
    fault: Trouble | None = None
    continuous: bool = True
    """Whether it sends unasked, as it does when it leaves the factory."""
    rng: random.Random = field(default_factory=lambda: random.Random(90614))
    _heard: bytes = b""
    _last: bytes = b""

    def show(self, scene: Scene) -> None:
        """Turns the sensor to another scene; what is set in the module stays."""
        self.connected, self.fault = scene.connected, scene.fault
        self.object_celsius, self.ambient_celsius = scene.object_celsius, scene.ambient_celsius

    def hear(self, said: bytes) -> bytes:
        """Takes bytes from the line; what the module sends back, spoilt as `fault` says."""
        self._heard += said
        answers = b""
        while (order := self._next_order()) is not None:
            answers += self._spoilt(self._obey(order))
        return answers

    def speak(self) -> bytes:
        """What the module sends unasked, spoilt as `fault` says; nothing if it waits to be asked."""
        return self._spoilt(self._reading()) if self.continuous else b""

    def _temperatures(self) -> bytes:
        """Object and ambient as on the wire."""
        if self.fault == "brown_out":
            return bytes(4)
        if self.fault != "stuck" or not self._last:
            celsius = ABSURD_CELSIUS if self.fault == "absurd" else self.object_celsius
            self._last = self._word(celsius) + self._word(self.ambient_celsius)
        return self._last

    def _word(self, celsius: float) -> bytes:
        jitter = self.rng.choice((-3, -2, -1, 1, 2, 3))
        return round(min(max(celsius * 100 + jitter, -0x8000), 0x7FFF)).to_bytes(2, "big", signed=True)

    def _spoilt(self, frame: bytes) -> bytes:
        if not frame or not self.connected or self.fault in (*MUTE, "hang_up"):
            return b""
        if self.fault == "half_frame":
            return frame[: len(frame) // 2]
        if self.fault in WRONG_SUM:
            return frame[:-1] + bytes([frame[-1] ^ 0xFF])
        if self.fault == "noise":
            # The last of it looks like the beginning of a frame.
            return self.rng.randbytes(5) + frame[:2] + frame
        return frame

    @abstractmethod
    def _reading(self) -> bytes: ...

    @abstractmethod
    def _next_order(self) -> bytes | None:
        """Takes the next whole order with a right sum off what was heard."""

    @abstractmethod
    def _obey(self, order: bytes) -> bytes: ...

    def _take_order(self, first: int, length: int) -> bytes | None:
        while self._heard:
            order = self._heard[:length]
            if order[0] == first and len(order) < length:
                return None
            if order[0] == first and sum8(order[:-1]) == order[-1]:
                self._heard = self._heard[length:]
                return order
            self._heard = self._heard[1:]
        return None


@dataclass
class GyMcu90614Model(ModuleModel):
    """A GY-MCU90614: A5 15 asks for one frame, A5 45 for one after the other."""

    def _reading(self) -> bytes:
        return signed(gy_mcu90614.HEAD + self._temperatures())

    def _next_order(self) -> bytes | None:
        return self._take_order(0xA5, 3)

    def _obey(self, order: bytes) -> bytes:
        if order[1] == 0x45:
            self.continuous = True
        return self._reading() if order[1] in (0x15, 0x45) else b""


@dataclass
class Gy614VModel(ModuleModel):
    """A GY-614V: its registers are read and written by number; what is saved outlives the power."""

    emissivity: int = 98
    """In hundredths; register 07."""
    saved_emissivity: int = 98

    def power_up(self) -> None:
        """Forgets what was not saved."""
        self.emissivity = self.saved_emissivity

    def _reading(self) -> bytes:
        return self._registers(gy_614v.EMISSIVITY, gy_614v.BODY_END - gy_614v.EMISSIVITY)

    def _next_order(self) -> bytes | None:
        return self._take_order(gy_614v.DEVICE, 5)

    def _obey(self, order: bytes) -> bytes:
        _, kind, register, value, _ = order
        if kind == gy_614v.READ:
            return self._registers(register, value)
        if kind == gy_614v.WRITE and register == gy_614v.EMISSIVITY:
            self.emissivity = value
        if kind == gy_614v.WRITE and register == gy_614v.SAVE and value == gy_614v.SAVE_NOW:
            self.saved_emissivity = self.emissivity
        return b""

    def _registers(self, first: int, count: int) -> bytes:
        body = self._word(36.5)
        cells = bytes(gy_614v.EMISSIVITY) + bytes([self.emissivity]) + self._temperatures() + body + bytes(2)
        return signed(bytes([gy_614v.DEVICE, gy_614v.READ, first, count]) + cells[first : first + count])
