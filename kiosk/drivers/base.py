"""What every driver hands over: frozen values, faults among them: what can't be read is *unknown*, and stops no loop."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

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


class BodySite(StrEnum):
    """What part of a person a body thermometer says that its figure is of."""

    BODY = "body"
    """Not said more exactly: what guns for foreheads say."""
    ARMPIT = "armpit"
    EAR = "ear"
    MOUTH = "mouth"
    RECTUM = "rectum"
    GUT = "gut"


@dataclass(frozen=True)
class BodyMeasurement:
    """A body temperature as an instrument made it out itself when somebody pressed its button: no skin, and no ambient."""

    celsius: float
    mono_ns: int
    """When it was received; it was measured before."""
    site: BodySite = BodySite.BODY


@dataclass(frozen=True)
class SelfTest:
    """The outcome of a device's test of itself."""

    device: str
    ok: bool
    detail: str


class Thermometer(Protocol):
    """A connected IR thermometer, used in a `with` statement. Drivers only convert; what is fever is a rule."""

    name: str

    def read(self) -> Measurement | Fault:
        """What it sees now, or why it can't tell. Never raises for what the device or its wire does."""

    def selftest(self) -> SelfTest:
        """Tests the device and its settings, waiting for the warm-up if it must."""

    def set_emissivity(self) -> SelfTest:
        """Writes the configured emissivity into the device and tests it again; fails, in words, where that can't be done."""

    def close(self) -> None:
        """Gives up the bus or the port."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...
