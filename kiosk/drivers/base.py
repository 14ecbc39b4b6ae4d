"""What every driver hands over: frozen values, faults among them: what can't be read is *unknown*, and stops no loop."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture from a camera."""

    pixels: Pixels
    """Height × width × 3, blue-green-red, 8 bits a channel; or height × width, grey."""
    number: int
    """Counts up from 1 since the camera was opened by this process."""
    mono_ns: int
    """`time.monotonic_ns()` when it was taken."""


class FaultKind(StrEnum):
    """Why a device gave no value."""

    NO_ANSWER = "no_answer"
    """NACK, time-out or a bus that is not there."""
    BAD_CHECKSUM = "bad_checksum"
    ERROR_BIT = "error_bit"
    OUT_OF_RANGE = "out_of_range"
    STUCK = "stuck"
    """The same raw words for longer than a live sensor gives."""
    WARMING_UP = "warming_up"
    BAD_SETTING = "bad_setting"
    """The device answers but is set otherwise than it must be (emissivity)."""


@dataclass(frozen=True)
class Fault:
    """A read that failed, and why, in words a volunteer or a technician can act on."""

    kind: FaultKind
    detail: str
    mono_ns: int


@dataclass(frozen=True)
class Measurement:
    """One read of an IR thermometer: what it saw and the temperature of its own surroundings."""

    object_celsius: float
    ambient_celsius: float
    mono_ns: int


class Thermometer(Protocol):
    """A connected IR thermometer. Drivers only convert; what is fever is a rule."""

    name: str

    def read(self) -> Measurement | Fault: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class SelfTest:
    """The outcome of a device's test of itself."""

    device: str
    ok: bool
    detail: str
