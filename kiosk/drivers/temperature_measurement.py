"""The characteristic Temperature Measurement of a Bluetooth health thermometer, from its bytes to °C.

Layout, flags and types: Bluetooth GATT Specification Supplement, Temperature Measurement (0x2A1C), Temperature Type (0x2A1D) and
Date Time. The number is the 32-bit FLOAT of IEEE 11073-20601, medfloat32 of the same supplement: an exponent to ten of 8 bits
and a mantissa of 24, both signed.
"""

import struct
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kiosk.drivers.base import BodyMeasurement, BodySite, Fault, FaultKind
from kiosk.drivers.infrared import Failed

FAHRENHEIT, STAMPED, TYPED = 0x01, 0x02, 0x04
RESERVED_FLAGS = 0xF8
STAMP = struct.Struct("<HBBBBB")
"""Year, month, day, hours, minutes, seconds; a year, month or day of 0 is not known."""
SHORTEST = 5

SPECIAL = {
    0x007FFFFF: (FaultKind.ERROR_BIT, "no number: the measurement failed; measure again"),
    0x00800000: (FaultKind.OUT_OF_RANGE, "a value outside its range: is it aimed at a person?"),
    0x007FFFFE: (FaultKind.OUT_OF_RANGE, "a value above its range: is it aimed at a person?"),
    0x00800002: (FaultKind.OUT_OF_RANGE, "a value below its range: is it aimed at a person?"),
    0x00800001: (FaultKind.ERROR_BIT, "a value that its standard reserves; measure again"),
}  # fmt: skip
"""NaN, NRes, +INFINITY, −INFINITY, reserved."""
SITES = {
    1: BodySite.ARMPIT,
    2: BodySite.BODY,
    3: BodySite.EAR,
    5: BodySite.GUT,
    6: BodySite.MOUTH,
    7: BodySite.RECTUM,
    9: BodySite.EAR,
}
"""By Temperature Type; 9 is the ear drum."""
LIMBS = {4: "a finger", 8: "a toe"}
MIN_CELSIUS, MAX_CELSIUS = 0, 100
"""What such a thermometer can show in any of its modes: beyond it the bytes are not what they seem."""


@dataclass(frozen=True)
class Taken:
    """A measurement, and when the thermometer's own clock says that it was taken."""

    measurement: BodyMeasurement
    stamp: datetime | None
    """By its own clock, of no zone. None: it sends none; the Health Thermometer Service demands one of whatever has a memory."""


def decode(frame: bytes, mono_ns: int, fixed_type: int | None = None) -> Taken | Fault:
    """One value of the characteristic, received at `mono_ns`; a fault for whatever is no body temperature.

    `fixed_type` is the thermometer's Temperature Type, which holds where a frame brings none.
    """
    try:
        flags = _flags(frame)
        celsius = _celsius(int.from_bytes(frame[1:SHORTEST], "little"), bool(flags & FAHRENHEIT))
        rest = frame[SHORTEST:]
        stamp = _stamp(rest[: STAMP.size]) if flags & STAMPED else None
        kind = rest[STAMP.size if flags & STAMPED else 0] if flags & TYPED else fixed_type
        return Taken(BodyMeasurement(celsius, mono_ns, _site(kind)), stamp)
    except Failed as failed:
        return Fault(failed.kind, failed.detail, mono_ns)


def _flags(frame: bytes) -> int:
    """The flags of a frame that is as long as they say; a field of a later version may follow its reserved flag."""
    flags = frame[0] if frame else 0
    wanted = SHORTEST + (STAMP.size if flags & STAMPED else 0) + (1 if flags & TYPED else 0)
    if len(frame) < wanted or (len(frame) > wanted and not flags & RESERVED_FLAGS):
        raise Failed(FaultKind.BAD_CHECKSUM, f"{len(frame)} bytes where {wanted} belong; measure again")
    return flags


def _celsius(word: int, fahrenheit: bool) -> float:
    if word in SPECIAL:
        raise Failed(SPECIAL[word][0], f"the thermometer sent {SPECIAL[word][1]}")
    exponent, mantissa = _signed(word >> 24, 8), _signed(word & 0xFFFFFF, 24)
    value = Decimal(mantissa).scaleb(exponent)
    celsius = (value - 32) * 5 / 9 if fahrenheit else value
    if not MIN_CELSIUS <= celsius <= MAX_CELSIUS:
        raise Failed(FaultKind.OUT_OF_RANGE, f"the thermometer sent {celsius:.6g} °C, which no person has; measure again")
    return float(round(celsius, 2))


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _stamp(octets: bytes) -> datetime:
    year, month, day, *time = STAMP.unpack(octets)
    if 0 in (year, month, day):
        raise Failed(
            FaultKind.BAD_SETTING, "the thermometer's clock is not set: set it, or no stored reading can be told from a new one"
        )
    try:
        return datetime(year, month, day, *time)
    except ValueError as error:
        raise Failed(FaultKind.BAD_CHECKSUM, "the thermometer sent a time that is none; measure again") from error


def _site(kind: int | None) -> BodySite:
    if kind is None:
        return BodySite.BODY
    if kind in LIMBS:
        raise Failed(FaultKind.BAD_SETTING, f"the thermometer measures {LIMBS[kind]}, which tells no body temperature")
    if kind not in SITES:
        raise Failed(FaultKind.BAD_SETTING, f"the thermometer doesn't say where it measures (type {kind}): set it to body")
    return SITES[kind]
