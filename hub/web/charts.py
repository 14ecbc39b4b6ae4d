"""From figures to columns on a plot, in percent of its width and height: text beside them keeps its size. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

GAP = 0.18
"""The part of a column's place that stays empty."""
_FEW, _STEPS = (2, 4, 6, 8, 10), (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True)
class Bar:
    """A column: its parts from the bottom up or side by side, `(kind, value)`, and what it says in words."""

    said: str
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Rect:
    """A rectangle in percent of the plot; `y` from its top."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Column:
    """The rectangles of one column."""

    said: str
    parts: tuple[Rect, ...]


@dataclass(frozen=True)
class Mark:
    """A label at a place of an axis, in percent from the left or the top."""

    at: float
    said: str


@dataclass(frozen=True)
class Chart:
    """A plot. `limit`: a line from top to bottom."""

    columns: tuple[Column, ...]
    ticks: tuple[Mark, ...]
    levels: tuple[Mark, ...]
    limit: Mark | None = None


def stacked(
    bars: Sequence[Bar], ticks: Sequence[tuple[float, str]], *, top: float | None = None, unit: str = "",
    limit: tuple[float, str] | None = None,
) -> Chart:  # fmt: skip
    """Parts on top of each other. `ticks`, `limit`: a place counted in columns from the left edge, and its label."""
    high = top or ceiling(max((sum(value for _, value in bar.parts) for bar in bars), default=0))
    return _chart(bars, [_stack(n, bar, len(bars), high) for n, bar in enumerate(bars)], ticks, high, unit, limit)


def grouped(bars: Sequence[Bar], ticks: Sequence[tuple[float, str]], *, top: float | None = None, unit: str = "") -> Chart:
    """Parts side by side."""
    high = top or ceiling(max((value for bar in bars for _, value in bar.parts), default=0))
    return _chart(bars, [_group(n, bar, len(bars), high) for n, bar in enumerate(bars)], ticks, high, unit, None)


def ceiling(most: float) -> float:
    """A round number that is not below `most` and whose half is one too; at least 2.

    >>> ceiling(0), ceiling(7), ceiling(23), ceiling(180)
    (2, 8, 24, 200)
    """
    power = 10 ** max(floor(log10(most)), 0) if most > 0 else 1
    return next(round(power * step) for step in (_FEW if power == 1 else _STEPS) if power * step >= most)


def _chart(
    bars: Sequence[Bar], rects: Sequence[tuple[Rect, ...]], ticks: Sequence[tuple[float, str]], high: float, unit: str,
    limit: tuple[float, str] | None,
) -> Chart:  # fmt: skip
    wide = len(bars) or 1
    return Chart(
        columns=tuple(Column(bar.said, parts) for bar, parts in zip(bars, rects, strict=True)),
        ticks=tuple(Mark(_percent(at / wide), said) for at, said in ticks),
        levels=tuple(Mark(_percent(1 - part), f"{high * part:g}{unit}") for part in (1.0, 0.5, 0.0)),
        limit=None if limit is None else Mark(_percent(limit[0] / wide), limit[1]),
    )


def _stack(n: int, bar: Bar, wide: int, high: float) -> tuple[Rect, ...]:
    made, below = [], 0.0
    for kind, value in bar.parts:
        if value > 0:
            made.append(
                Rect(kind, _percent((n + GAP / 2) / wide), _percent(1 - (below + value) / high), _percent((1 - GAP) / wide),
                     _percent(value / high))
            )  # fmt: skip
        below += max(value, 0)
    return tuple(made)


def _group(n: int, bar: Bar, wide: int, high: float) -> tuple[Rect, ...]:
    each = (1 - GAP) / max(len(bar.parts), 1)
    return tuple(
        Rect(kind, _percent((n + GAP / 2 + each * place) / wide), _percent(1 - value / high), _percent(each / wide),
             _percent(value / high))
        for place, (kind, value) in enumerate(bar.parts) if value > 0
    )  # fmt: skip


def _percent(part: float) -> float:
    return round(100 * part, 2)
