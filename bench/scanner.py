"""How much the scanner reads and what it costs, against plain zxing-cpp and plain pyzbar, on hard frames of fixed seeds."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import zxingcpp

from bench.table import Row, ratio_row
from kiosk.drivers.base import Pixels
from kiosk.drivers.emulated.rendering import empty, hard_frame
from kiosk.scanner import Scanner

SIZES = ((640, 480), (1280, 720))
FRAMES = 10
"""A code is held up for this many frames, two thirds of a second."""

Read = Callable[[Pixels], set[bytes]]
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
    ours = tallies["scanner"]
    others = {name: tally for name, tally in tallies.items() if name != "scanner"}
    rows = [
        _read(f"read in one frame, {size}", ours.first, count, {name: t.first for name, t in others.items()}),
        _read(f"read within {FRAMES} frames, {size}", ours.within, count, {name: t.within for name, t in others.items()}),
    ]
    wrong = Row(figure=f"wrong reads, {size}", target=0, measured=ours.wrong, unit="", met=ours.wrong == 0, note="frames")
    return [*rows, wrong]


def _read(figure: str, ours: int, count: int, others: dict[str, int]) -> Row:
    """How many codes were read, aimed at more than any plain decoder reads."""
    note = ", ".join(f"plain {name} {read}" for name, read in others.items())
    best = max(others.values())
    return Row(figure=figure, target=best, measured=ours, unit=f"/{count}", met=ours >= best, note=note)


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
    rows = [
        ratio_row("empty 720p frame of plain zxing-cpp, median", median, plain, 4, f"{median:.1f} ms against {plain:.1f} ms"),
        ratio_row("empty 720p frame of plain zxing-cpp, 95th percentile", late, plain, 8, f"{late:.1f} ms"),
    ]
    if "pyzbar" in spent:
        other = statistics.median(spent["pyzbar"])
        rows.append(ratio_row("plain pyzbar on the same frames, median", other, plain, None, f"{other:.1f} ms"))
    return rows
