"""From what the thermometer saw to what it means: normal, fever, low, nobody there, unknown. Screening only."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import median

from contract.events import Band, Site
from kiosk.drivers.base import Fault, FaultKind, Measurement

TYPED_MIN_CELSIUS = 30.0
TYPED_MAX_CELSIUS = 43.0
LIVING_BODY_CELSIUS = 30.0
"""A body estimate below this is a wall, no forehead."""
LIVING_SKIN_CELSIUS = 20.0
"""So is a surface below this: near −25 °C ambient the formula no longer tells cold from warm."""


@dataclass(frozen=True)
class TemperatureRule:
    """The thresholds of a gate; all in °C, `samples` in reads."""

    fever_celsius: float = 37.3
    """Body, from this value on (the gates of 2020)."""
    low_celsius: float = 35.5
    """Body, below this value."""
    absurd_celsius: float = 42.5
    """Body, above this value: no person."""
    target_margin_celsius: float = 0.5
    """How far a forehead stands out from the air."""
    ambient_min: float = 16.0
    ambient_max: float = 35.0
    offset_celsius: float = 0.0
    """Added to the skin: this sensor's calibration against a reference."""
    box_heat_celsius: float = 0.0
    """Taken off the sensor's ambient: how much warmer than the air its box keeps it."""
    site: Site = Site.FOREHEAD
    """Where it is aimed. The body estimate is made for foreheads: any other site's figure is approximate."""
    spread_celsius: float = 0.4
    """Widest spread of skin among settled samples."""
    samples: int = 3

    def skin_celsius(self, measurement: Measurement) -> float:
        """The surface seen, calibrated."""
        return round(measurement.object_celsius + self.offset_celsius, 2)

    def air_celsius(self, ambient_celsius: float) -> float:
        """The air around the box, by the ambient that the sensor feels inside it."""
        return round(ambient_celsius - self.box_heat_celsius, 2)

    def approximations(self, ambient_celsius: float) -> tuple[str, ...]:
        """Why a figure taken now would be approximate, as stable keys; empty under good conditions."""
        outside = not self.ambient_min <= self.air_celsius(ambient_celsius) <= self.ambient_max
        elsewhere = self.site is not Site.FOREHEAD
        return (*(("ambient_out_of_range",) if outside else ()), *(("site_not_forehead",) if elsewhere else ()))


@dataclass(frozen=True)
class Judged:
    """A judged reading, in °C; `body_celsius` is None whenever the band is no_target or unknown."""

    band: Band
    body_celsius: float | None
    """To 0.1 °C, as shown and as compared with the thresholds."""
    skin_celsius: float | None
    ambient_celsius: float | None
    """Of the air: the box's heat is taken off."""
    degraded: bool
    """Approximate: taken outside the ambient range the sensor is specified for, or elsewhere than on a forehead."""
    reasons: tuple[str, ...]
    """Stable keys; empty for a normal reading under good conditions."""


def body_estimate(skin_celsius: float, ambient_celsius: float) -> float:
    """Body temperature of a forehead's, °C (Melexis's formula, reference only, not clinically validated)."""
    warmth = ambient_celsius - 25.0
    low = 32.66 + (0.186 if warmth <= 0 else 0.0864) * warmth
    high = 34.84 + (0.148 if warmth <= 0 else 0.1) * warmth
    if skin_celsius < low:
        return 36.3 + (0.551658 + 0.0215251 * ambient_celsius) * (skin_celsius - low)
    if skin_celsius > high:
        return 36.8 + (0.829321 + 0.00236443 * ambient_celsius) * (skin_celsius - high)
    return 36.3 + 0.5 * (skin_celsius - low) / (high - low)


def judge(measurement: Measurement | Fault, rule: TemperatureRule) -> Judged:
    """Judges one read. A fault is unknown, never normal."""
    if isinstance(measurement, Fault):
        return _unknown(str(measurement.kind))
    skin, air = rule.skin_celsius(measurement), rule.air_celsius(measurement.ambient_celsius)
    approximate = rule.approximations(measurement.ambient_celsius)
    degraded = bool(approximate)
    if not has_target(measurement, rule):
        return Judged(Band.NO_TARGET, None, skin, air, degraded, ("no_target", *approximate))
    body = round(body_estimate(skin, air), 1)
    band, reasons = _band_of(body, rule)
    known_body = None if band is Band.UNKNOWN else body
    return Judged(band, known_body, skin, air, degraded, (*reasons, *approximate))


def judge_typed(celsius: float, rule: TemperatureRule) -> Judged:
    """Judges a hand-held gun's body figure as typed. Raises ValueError outside 30.0–43.0 °C."""
    if not TYPED_MIN_CELSIUS <= celsius <= TYPED_MAX_CELSIUS:
        raise ValueError(f"temperature is {celsius}; it may be {TYPED_MIN_CELSIUS} to {TYPED_MAX_CELSIUS} °C")
    body = round(celsius, 1)
    band, reasons = _band_of(body, rule)
    return Judged(band, None if band is Band.UNKNOWN else body, None, None, False, reasons)


def has_target(measurement: Measurement, rule: TemperatureRule) -> bool:
    """Whether there is a forehead: it stands out from the air and is as warm as the living.

    Only in air hotter than the sensor's range may a forehead be the colder of the two.
    """
    skin, air = rule.skin_celsius(measurement), rule.air_celsius(measurement.ambient_celsius)
    warmer = round(skin - air, 2)
    stands_out = warmer >= rule.target_margin_celsius
    stands_out |= air > rule.ambient_max and warmer <= -rule.target_margin_celsius
    living = skin >= LIVING_SKIN_CELSIUS and body_estimate(skin, air) >= LIVING_BODY_CELSIUS
    return stands_out and living


def settle(samples: Sequence[Measurement | Fault], after_mono_ns: int, rule: TemperatureRule) -> Judged | None:
    """The reading of the samples taken strictly after a pass, oldest first; None while they have not settled.

    Settled: the newest `rule.samples`, unbroken by a fault or an empty view, within `rule.spread_celsius`.
    """
    after = [sample for sample in samples if sample.mono_ns > after_mono_ns]
    newest = _unbroken_targets(after, rule)[: rule.samples]
    skins = [sample.object_celsius for sample in newest]
    if len(newest) < rule.samples or round(max(skins) - min(skins), 2) > rule.spread_celsius:
        return None
    ambient = median(sample.ambient_celsius for sample in newest)
    return judge(Measurement(median(skins), ambient, newest[0].mono_ns), rule)


def give_up(samples: Sequence[Measurement | Fault], rule: TemperatureRule) -> Judged:
    """Says why samples never settled, by the last of them: its fault, nobody there, or unstable. Never a body figure."""
    if not samples:
        return _unknown(str(FaultKind.NO_ANSWER))
    last = samples[-1]
    if isinstance(last, Fault) or not has_target(last, rule):
        return judge(last, rule)
    return _unknown("unstable")


def _band_of(body_celsius: float, rule: TemperatureRule) -> tuple[Band, tuple[str, ...]]:
    if body_celsius > rule.absurd_celsius:
        return Band.UNKNOWN, ("absurd",)
    if body_celsius >= rule.fever_celsius:
        return Band.FEVER, ("fever",)
    if body_celsius < rule.low_celsius:
        return Band.LOW, ("low",)
    return Band.NORMAL, ()


def _unknown(reason: str) -> Judged:
    return Judged(Band.UNKNOWN, None, None, None, False, (reason,))


def _unbroken_targets(samples: Sequence[Measurement | Fault], rule: TemperatureRule) -> list[Measurement]:
    """The run of samples with a target at the end of a sequence, newest first."""
    newest_first = (sample if isinstance(sample, Measurement) else None for sample in reversed(samples))
    run = takewhile(lambda sample: sample is not None and has_target(sample, rule), newest_first)
    return [sample for sample in run if sample is not None]
