"""How much the scanner reads and what it costs, against plain zxing-cpp and plain pyzbar, on hard frames of fixed seeds."""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import zxingcpp

from kiosk.drivers.base import Pixels
from kiosk.drivers.emulated.rendering import empty, hard_frame
from kiosk.scanner import Scanner

SIZES = ((640, 480), (1280, 720))
FRAMES = 10
"""A code is held up for this many frames, two thirds of a second."""

Read = Callable[[Pixels], set[bytes]]
Row = dict[str, object]

QR: Any = getattr(zxingcpp.BarcodeFormat, "QRCodeModel2", zxingcpp.BarcodeFormat.QRCode)


@dataclass(frozen=True)
class Tally:
    """Codes read in the first frame and within all frames, and frames in which something else was read."""

    first: int
    within: int
    wrong: int


def run(count: int = 200, empties: int = 120) -> list[Row]:
    """One row a figure, with `count` hard codes a size and `empties` frames without a code."""
    cv2.setNumThreads(1)
    return [row for width, height in SIZES for row in _reading(count, width, height)] + _costs(empties)


def _decoders() -> dict[str, Read]:
    decoders: dict[str, Read] = {"scanner": _ours(Scanner()), "zxing-cpp": _plain_zxing}
    try:
        decoders["pyzbar"] = _plain_pyzbar()
    except ImportError:
        print("pyzbar is left out: libzbar is not installed")
    return decoders


def _ours(scanner: Scanner) -> Read:
    return lambda pixels: {token.data for token in scanner.scan(pixels)}


def _plain_zxing(pixels: Pixels) -> set[bytes]:
    return {b.bytes for b in zxingcpp.read_barcodes(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), formats=QR)}


def _plain_pyzbar() -> Read:
    from pyzbar.pyzbar import ZBarSymbol, decode

    return lambda pixels: {d.data for d in decode(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), symbols=[ZBarSymbol.QRCODE])}


def _reading(count: int, width: int, height: int) -> list[Row]:
    decoders = _decoders()
    found: dict[str, list[Tally]] = {name: [] for name in decoders}
    for seed in range(count):
        for name, tally in _one_code(decoders, seed, width, height).items():
            found[name].append(tally)
    tallies = {
        name: Tally(*(sum(getattr(t, f) for t in all_) for f in ("first", "within", "wrong"))) for name, all_ in found.items()
    }
    return _rows(tallies, count, f"{width}×{height}")


def _one_code(decoders: dict[str, Read], seed: int, width: int, height: int) -> dict[str, Tally]:
    """A decoder that has read the code is shown no more frames of it."""
    first, wrong = dict.fromkeys(decoders, 0), dict.fromkeys(decoders, 0)
    waiting = set(decoders)
    for number in range(FRAMES):
        if not waiting:
            break
        pixels, expected = hard_frame(seed, width, height, number)
        for name in sorted(waiting):
            read = decoders[name](pixels)
            wrong[name] += bool(read - {expected})
            if expected in read:
                waiting.discard(name)
                first[name] = int(number == 0)
    return {name: Tally(first[name], int(name not in waiting), wrong[name]) for name in decoders}


def _rows(tallies: dict[str, Tally], count: int, size: str) -> list[Row]:
    ours, plain = tallies["scanner"], tallies["zxing-cpp"]
    others = [t for name, t in tallies.items() if name != "scanner"]
    first, within = max(t.first for t in others), max(t.within for t in others)
    rows = [
        _row(
            f"read in one frame, {size}",
            f"≥ {first}",
            ours.first,
            f"of {count}",
            ours.first >= first,
            "target: the better plain decoder",
        ),
        _row(f"read within {FRAMES} frames, {size}", f"> {within}", ours.within, f"of {count}", ours.within > within, "as above"),
        _row(f"wrong reads, {size}", "0", ours.wrong, "frames", ours.wrong == 0, f"plain zxing-cpp {plain.wrong}"),
    ]
    for name, tally in tallies.items():
        if name != "scanner":
            rows.append(_row(f"plain {name} in one frame, {size}", "", tally.first, f"of {count}", None, "for comparison"))
            rows.append(_row(f"plain {name} within {FRAMES}, {size}", "", tally.within, f"of {count}", None, "for comparison"))
    return rows


def _costs(count: int) -> list[Row]:
    """Frames without a code, where nothing ends early; the decoders take turns, so that load falls on all alike."""
    decoders = _decoders()
    spent: dict[str, list[float]] = {name: [] for name in decoders}
    for number in range(count):
        pixels = empty(1280, 720, np.random.default_rng(number))
        for name, read in decoders.items():
            began = time.perf_counter()
            read(pixels)
            spent[name].append((time.perf_counter() - began) * 1e3)
    plain = statistics.median(spent["zxing-cpp"])
    median, late = statistics.median(spent["scanner"]), float(np.percentile(spent["scanner"], 95))
    note = f"{median:.1f} ms against {plain:.1f} ms"
    rows = [
        _row("empty 720p frame, median, of plain zxing-cpp", "≤ 10", round(median / plain, 1), "×", median <= 10 * plain, note),
        _row(
            "empty 720p frame, 95th percentile, of plain zxing-cpp",
            "≤ 20",
            round(late / plain, 1),
            "×",
            late <= 20 * plain,
            f"{late:.1f} ms",
        ),
        _row("empty 720p frame, 95th percentile", "≤ 40", round(late, 1), "ms", late <= 40, "15 frames a second leave 66 ms"),
    ]
    if "pyzbar" in spent:
        other = statistics.median(spent["pyzbar"])
        rows.append(_row("plain pyzbar, empty 720p frame, median", "", round(other / plain, 1), "×", None, f"{other:.1f} ms"))
    return rows


def _row(figure: str, target: str, measured: float, unit: str, met: bool | None, note: str) -> Row:
    return {"figure": figure, "target": target, "measured": measured, "unit": unit, "met": met, "note": note}


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="hard codes a size")
    for row in run(parser.parse_args().count):
        verdict = {True: "met", False: "MISSED", None: ""}[row["met"]]  # type: ignore[index]
        print(f"{row['figure']:<54} {row['measured']:>7} {row['unit']:<7} {row['target']:<7} {verdict:<7} {row['note']}")


if __name__ == "__main__":
    _main()
