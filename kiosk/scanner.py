"""Frames → tokens: finds the QR codes in a picture and hands over their exact bytes.

zxing-cpp looks at every frame, and one further variant of it is tried in rotation: a kiosk sees the same code in many frames,
so what one variant misses the next one reads, and no frame costs more than its budget. Measured with `python -m bench.scanner`.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import segno
import zxingcpp

from kiosk.drivers.base import Frame, Pixels, SelfTest
from kiosk.drivers.zbar import ZBar, capabilities, load_zbar
from kiosk.sightings import Corners, Token

_QR: Any = getattr(zxingcpp.BarcodeFormat, "QRCodeModel2", zxingcpp.BarcodeFormat.QRCode)  # since 3.0 "QRCode" takes in Micro QR
_BUDGET_MS = 40.0  # at 15 frames a second one comes every 66 ms
_MOST_PIXELS, _VARIANT_PIXELS = 1920 * 1080, 1280 * 720  # a frame or variant never works on more, whatever the camera gives
_WINDOW = (640, 480)
_LOOK_ON_EVERY = 4  # a frame in four is searched further although a code was read: a second one may be held beside it
_SELFTEST_TEXT = "GP1:SELFTEST"


class UnreadableImage(Exception):
    """A file that can't be read as a picture, and why."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


@dataclass(frozen=True, eq=False)
class _View:
    """A grey picture made from a frame, and the way back: frame = view / scale + (left, top)."""

    pixels: Pixels
    scale: float = 1.0
    left: int = 0
    top: int = 0

    def resized(self, factor: float) -> "_View":
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return _View(
            _u8(cv2.resize(self.pixels, None, fx=factor, fy=factor, interpolation=how)), self.scale * factor, self.left, self.top
        )

    def showing(self, pixels: Any) -> "_View":
        return _View(_u8(pixels), self.scale, self.left, self.top)

    def corners(self, points: Iterable[tuple[int, int]]) -> Corners:
        return tuple((round(x / self.scale) + self.left, round(y / self.scale) + self.top) for x, y in points)


class Scanner:
    """Reads QR codes, frame after frame, within a budget. For one thread at a time."""

    def __init__(self, *, budget_ms: float = _BUDGET_MS, zbar: ZBar | Callable[[], ZBar | None] | None = load_zbar) -> None:
        cv2.setNumThreads(1)
        self._zbar = zbar() if callable(zbar) else zbar
        self._budget_ms = budget_ms
        self._costs_ms = dict.fromkeys([name for name in _VARIANTS if self._zbar or not name.startswith("zbar")], 0.0)
        self._rotation = list(self._costs_ms)
        self._frames = 0

    def scan(self, frame: Frame | Pixels) -> tuple[Token, ...]:
        """The tokens in one frame; a variant that would overrun the budget is left out."""
        began, view = time.perf_counter(), _limited(_View(_grey(frame)), _MOST_PIXELS)
        tokens, self._frames = _zxing(view), self._frames + 1
        if tokens and self._frames % _LOOK_ON_EVERY:
            return tokens
        name = self._next_variant(self._budget_ms - _ms_since(began))
        return tokens if name is None else _union(tokens, self._timed(name, _limited(view, _VARIANT_PIXELS)))

    def read_still(self, pixels: Pixels) -> tuple[Token, ...]:
        """Every token that any variant finds in a picture that will not come again; takes as long as it takes."""
        view = _View(_grey(pixels))
        return _union(_zxing(view), *(self._read(name, view) for name in self._rotation))

    def selftest(self) -> SelfTest:
        """Draws a code and reads it back."""
        drawn = _drawn(_SELFTEST_TEXT)
        ok = [token.text for token in self.read_still(drawn)] == [_SELFTEST_TEXT]
        return SelfTest("scanner", ok, f"{'read' if ok else 'could not read'} a code drawn by itself; {capabilities(self._zbar)}")

    def _next_variant(self, left_ms: float) -> str | None:
        """The next in rotation whose cost fits; one that doesn't is thought a little cheaper each time."""
        for _ in self._rotation:
            name = self._rotation.pop(0)
            self._rotation.append(name)
            if self._costs_ms[name] <= left_ms:
                return name
            self._costs_ms[name] *= 0.98
        return None

    def _timed(self, name: str, view: _View) -> tuple[Token, ...]:
        began = time.perf_counter()
        tokens = self._read(name, view)
        self._costs_ms[name] = max(_ms_since(began), 0.9 * self._costs_ms[name])
        return tokens

    def _read(self, name: str, view: _View) -> tuple[Token, ...]:
        varied = _VARIANTS[name](view)
        if self._zbar and name.startswith("zbar"):
            return tuple(Token(data, name, varied.corners(points)) for data, points in self._zbar.read(varied.pixels))
        return _zxing(varied, name)


def scan_file(path: Path, scanner: Scanner | None = None) -> dict[str, object]:
    """What `kiosk scan --json` prints of one image: {"image", "tokens": [{"text", "bytes_hex"}], "ms"}. Raises UnreadableImage.

    `text` is null where the bytes are not UTF-8.
    """
    pixels, scanner = load_image(path), scanner or Scanner()
    began = time.perf_counter()
    tokens = scanner.read_still(pixels)
    told = [{"text": _utf8(token.data), "bytes_hex": token.data.hex()} for token in tokens]
    return {"image": str(path), "tokens": told, "ms": round(_ms_since(began), 1)}


def load_image(path: Path) -> Pixels:
    """A picture file as height × width × 3. Raises UnreadableImage."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableImage(path, error.strerror or str(error)) from error
    try:
        pixels = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR) if raw else None
    except cv2.error as error:
        raise UnreadableImage(path, "a damaged picture, or one too large") from error
    if pixels is None:
        raise UnreadableImage(path, "not a picture that can be read (JPEG, PNG, WebP, BMP, TIFF)" if raw else "the file is empty")
    return _u8(pixels)


def _zxing(view: _View, name: str = "zxing") -> tuple[Token, ...]:
    """`.bytes` is exact, `.text` would guess."""
    found = [b for b in zxingcpp.read_barcodes(view.pixels, formats=_QR) if b.bytes]
    return _union(Token(b.bytes, name, view.corners(_outline(b.position))) for b in found)


def _outline(position: Any) -> list[tuple[int, int]]:
    return [(p.x, p.y) for p in (position.top_left, position.top_right, position.bottom_right, position.bottom_left)]


def _union(*groups: Iterable[Token]) -> tuple[Token, ...]:
    """Each data once, as it was first read."""
    first: dict[bytes, Token] = {}
    for group in groups:
        for token in group:
            first.setdefault(token.data, token)
    return tuple(first.values())


def _grey(frame: Frame | Pixels) -> Pixels:
    pixels = frame.pixels if isinstance(frame, Frame) else frame
    return pixels if pixels.ndim == 2 else _u8(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))


def _limited(view: _View, most: int) -> _View:
    excess = view.pixels.size / most
    return view if excess <= 1 else view.resized(excess**-0.5)


def _sharpened(view: _View) -> _View:
    return view.showing(cv2.addWeighted(view.pixels, 2.5, cv2.GaussianBlur(view.pixels, (0, 0), 2), -1.5, 0))


def _busiest(view: _View) -> _View:
    """The window with the most edges, a code's most likely place."""
    width, height = min(_WINDOW[0], view.pixels.shape[1]), min(_WINDOW[1], view.pixels.shape[0])
    edges = cv2.resize(
        cv2.absdiff(view.pixels, cv2.blur(view.pixels, (5, 5))), None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA
    )
    _, _, _, (x, y) = cv2.minMaxLoc(cv2.blur(edges, (16, 16)))
    left = min(max(x * 8 - width // 2, 0), view.pixels.shape[1] - width)
    top = min(max(y * 8 - height // 2, 0), view.pixels.shape[0] - height)
    cut = view.pixels[top : top + height, left : left + width]
    return _View(cut, view.scale, view.left + round(left / view.scale), view.top + round(top / view.scale))


def _evened(view: _View) -> _View:
    """Each pixel by the brightness around it, against folds, glare and low light; then smoothed, since that lifts the noise."""
    even = cv2.divide(view.pixels, cv2.blur(view.pixels, (41, 41)), scale=128)
    return view.showing(cv2.GaussianBlur(even, (0, 0), 1.5))


_VARIANTS: Mapping[str, Callable[[_View], _View]] = {
    "zxing enlarged": lambda view: _busiest(view).resized(2),
    "zbar window": _busiest,
    "zxing sharpened": _sharpened,
    "zxing evened": lambda view: _evened(_busiest(view).resized(2)),
    "zxing blurred": lambda view: view.showing(cv2.GaussianBlur(view.pixels, (3, 3), 0)),
    "zxing halved": lambda view: view.resized(0.5),
}
"""In the order of what each adds, by `python -m bench.scanner`; those named zbar are read by ZBar."""


def _drawn(text: str, module_px: int = 4) -> Pixels:
    modules = np.array([list(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)], np.uint8)
    return _u8(np.kron(255 * (1 - modules), np.ones((module_px, module_px), np.uint8)))


def _utf8(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1e3


def _u8(pixels: Any) -> Pixels:
    return np.asarray(pixels, np.uint8)
