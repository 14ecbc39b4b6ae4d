"""Whether an instrument has drifted: the crowd that passes it is its reference. It asks for a calibration and decides nothing.

Nobody at a gate has a black body to hold the sensor to, but most people are well, and the body estimate (Melexis's formula)
puts the usual foreheads at 36.3 to 36.8 °C. So the median of many people lies near the middle of that, whatever a few fevers say.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import dropwhile
from statistics import median

from contract.events import Band, Entry, Reading, Site

EXPECTED_CELSIUS = 36.55
"""The median of healthy people: the middle of 36.3 to 36.8 °C, which a crowd's own median may be 0.25 °C away from."""
SUSPECT_CELSIUS = 0.4
"""Further off than this is suspect: the permissible error of a screening instrument."""
CLEARED_CELSIUS = 0.3
"""At this or nearer it no longer is: the permissible error of a forehead thermometer. By 0.4 alone it would come and go."""
ENOUGH = 30
"""With people 0.3 to 0.4 °C apart, the median of 30 is uncertain by 0.07 to 0.09 °C (1.25 σ/√n): less than 0.4 less 0.25."""
KEPT = 60
"""The newest that count: a sudden fault shows once half of them are from after it, some thirty people later."""
WITHIN = timedelta(hours=4)
"""One shift: the figures are of one stretch of weather, and of the instrument as it is now."""

_TYPED = "typed"
_BODIES = frozenset({Band.NORMAL, Band.FEVER, Band.LOW})


@dataclass(frozen=True)
class Figure:
    """What an instrument first said of somebody: body estimate in °C."""

    celsius: float
    at: datetime
    pass_id: str | None = None
    """None: somebody without a pass."""


@dataclass(frozen=True)
class Crowd:
    """The people whom one instrument has measured of late, oldest first."""

    source: str = ""
    """The instrument: a driver's name."""
    figures: tuple[Figure, ...] = ()
    off_celsius: float | None = None
    """How far the median is off while the instrument is suspect. It stays so until enough figures say otherwise."""


def add(crowd: Crowd, entry: Entry, at: datetime) -> Crowd:
    """The crowd after one more entry, dated `at`. Typed figures, retakes and approximate figures leave it as it is."""
    for pass_id, reading in _first_readings(entry):
        celsius = _figure(reading)
        if celsius is not None:
            crowd = _with(crowd, reading.source, Figure(celsius, at, pass_id))
    return crowd


def started(crowd: Crowd) -> Crowd:
    """The crowd after a start in order, at which a new offset comes into force: it is judged by new figures alone."""
    return replace(crowd, figures=())


def _first_readings(entry: Entry) -> Iterator[tuple[str | None, Reading]]:
    """Everyone's of the party. An entry that follows another measures somebody again."""
    if entry.follows is not None or entry.written is not None:
        return
    yield from ((c.pass_id, c.reading) for c in entry.companions if c.reading is not None)
    if entry.reading is not None:
        yield entry.pass_id, entry.reading


def _figure(reading: Reading) -> float | None:
    """The figure if it says anything of the instrument: of a forehead, in air that the sensor is made for."""
    good = reading.source != _TYPED and reading.band in _BODIES and reading.site is Site.FOREHEAD and not reading.degraded
    return reading.body_celsius if good else None


def _with(crowd: Crowd, source: str, figure: Figure) -> Crowd:
    """One figure more; nobody counts twice within the time, since one person coming back is no crowd."""
    if source != crowd.source:
        crowd = Crowd(source)
    recent = tuple(dropwhile(lambda one: abs(figure.at - one.at) > WITHIN, crowd.figures))
    if figure.pass_id is not None and any(one.pass_id == figure.pass_id for one in recent):
        return replace(crowd, figures=recent)
    figures = (*recent, figure)[-KEPT:]
    return replace(crowd, figures=figures, off_celsius=_off(figures, crowd.off_celsius))


def _off(figures: tuple[Figure, ...], before: float | None) -> float | None:
    if len(figures) < ENOUGH:
        return before
    off = round(median(one.celsius for one in figures) - EXPECTED_CELSIUS, 2)
    return off if abs(off) > (SUSPECT_CELSIUS if before is None else CLEARED_CELSIUS) else None
