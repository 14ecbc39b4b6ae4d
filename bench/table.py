"""The rows of the bench: a figure, its aim, what was measured. Times only as ratios measured side by side in one run."""

from typing import TypedDict


class Row(TypedDict):
    """One line of the table and of bench.json."""

    figure: str
    target: float | None
    measured: float
    unit: str
    met: bool | None
    note: str


def ratio_row(figure: str, ours: float, base: float, most: float | None, note: str = "") -> Row:
    """A figure as a multiple of its base; met when at most `most`."""
    ratio = round(ours / base, 3)
    return Row(figure=figure, target=most, measured=ratio, unit="×", met=None if most is None else ratio <= most, note=note)


def share_row(figure: str, ours: float, base: float, least: float | None, note: str = "") -> Row:
    """A rate as a share of its base; met when at least `least`."""
    share = round(ours / base, 3)
    return Row(figure=figure, target=least, measured=share, unit="×", met=None if least is None else share >= least, note=note)


def text(rows: list[Row]) -> str:
    """The rows as a table."""
    lines = [f"{'figure':64} {'target':>8} {'measured':>10}  met  note"]
    for row in rows:
        met = {True: "yes", False: "NO", None: "–"}[row["met"]]
        target = "–" if row["target"] is None else f"{row['target']:g}"
        lines.append(f"{row['figure']:64} {target:>8} {row['measured']:>8g} {row['unit']:<2} {met:>4}  {row['note']}")
    return "\n".join(lines)
