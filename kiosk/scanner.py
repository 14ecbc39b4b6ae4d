"""Frames → tokens: finds the QR codes in a picture and hands over their exact bytes.

zxing-cpp looks at every frame, and one further variant of it is tried in rotation: a kiosk sees the same code in many frames,
so what one variant misses the next one reads, and no frame costs more than its budget. Measured with `python -m bench.scanner`.
"""

import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import segno
import zxingcpp

from kiosk.drivers.base import Frame, Pixels, SelfTest

Corners = tuple[tuple[int, int], ...]

_QR: Any = getattr(zxingcpp.BarcodeFormat, "QRCodeModel2", zxingcpp.BarcodeFormat.QRCode)  # since 3.0 "QRCode" takes in Micro QR
_BUDGET_MS = 40.0  # at 15 frames a second one comes every 66 ms
_MOST_PIXELS, _VARIANT_PIXELS = 1920 * 1080, 1280 * 720  # a frame or variant never works on more, whatever the camera gives
_WINDOW = (640, 480)
_LOOK_ON_EVERY = 4  # a frame in four is searched further although a code was read: a second one may be held beside it
_SELFTEST_TEXT = "GP1:SELFTEST"


@dataclass(frozen=True)
class Token:
    """What one QR code said, byte for byte, and where it was."""

    data: bytes
    decoder: str
    """The decoder and the variant that read it, as in `zxing sharpened`."""
    corners: Corners
    """(x, y) in pixels of the frame, around the code; how many depends on the decoder."""

    @property
    def text(self) -> str | None:
        """The data as printable ASCII, which holds all of base45 (RFC 9285); None if it is anything else."""
        return self.data.decode("ascii") if self.data.isascii() and self.data.decode("ascii").isprintable() else None


@dataclass(frozen=True)
class One:
    """A token came into view alone."""

    token: Token


@dataclass(frozen=True)
class Several:
    """Two or more different tokens are in view at once, in the order in which they came."""

    tokens: tuple[Token, ...]


Sighting = One | Several


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


class ZBar:
    """libzbar through pyzbar's ctypes functions: QR only, bytes as they are.

    pyzbar's own `decode` lets ZBar guess an encoding, and has no name for ZBAR_CFG_BINARY (config 4, since libzbar 0.23.1). A
    libzbar too old for it is not `exact`; then only ASCII is believed, which no guess alters. Raises ImportError or OSError
    without libzbar.
    A structured append (several codes in one message) comes as ZBar joins it.
    """

    def __init__(self) -> None:
        from pyzbar import wrapper  # here, because the import itself fails where libzbar is not installed

        self._lib = wrapper
        self._scanner = wrapper.zbar_image_scanner_create()
        weakref.finalize(self, wrapper.zbar_image_scanner_destroy, self._scanner)
        enable, binary, every, qr = 0, 4, 0, int(wrapper.ZBarSymbol.QRCODE)
        wrapper.zbar_image_scanner_set_config(self._scanner, every, enable, 0)
        wrapper.zbar_image_scanner_set_config(self._scanner, qr, enable, 1)
        self.exact: bool = wrapper.zbar_image_scanner_set_config(self._scanner, qr, binary, 1) == 0

    def read(self, grey: Pixels) -> list[tuple[bytes, list[tuple[int, int]]]]:
        """Data and outline points of each code in a height × width picture."""
        raw, image = grey.tobytes(), self._lib.zbar_image_create()
        try:
            self._lib.zbar_image_set_format(image, int.from_bytes(b"Y800", "little"))
            self._lib.zbar_image_set_size(image, grey.shape[1], grey.shape[0])
            self._lib.zbar_image_set_data(image, raw, len(raw), None)
            self._lib.zbar_scan_image(self._scanner, image)
            found = list(self._symbols(self._lib.zbar_image_first_symbol(image)))
        finally:
            self._lib.zbar_image_destroy(image)
        return [(data, points) for data, points in found if data and (self.exact or data.isascii())]

    def _symbols(self, symbol: Any) -> Iterable[tuple[bytes, list[tuple[int, int]]]]:
        lib = self._lib
        while symbol:
            data = bytes(lib.zbar_symbol_get_data(symbol)[: lib.zbar_symbol_get_data_length(symbol)])
            points = range(lib.zbar_symbol_get_loc_size(symbol))
            yield data, [(lib.zbar_symbol_get_loc_x(symbol, i), lib.zbar_symbol_get_loc_y(symbol, i)) for i in points]
            symbol = lib.zbar_symbol_next(symbol)


def load_zbar() -> ZBar | None:
    """A ZBar decoder, or None where pyzbar or libzbar is not installed."""
    try:
        return ZBar()
    except (ImportError, OSError):
        return None


def capabilities(zbar: ZBar | None) -> str:
    """What this scanner reads with, in words for the self-test and the status page."""
    if zbar is None:
        return "zxing-cpp; no second decoder, libzbar is not installed (package libzbar0)"
    return "zxing-cpp and ZBar" if zbar.exact else "zxing-cpp and ZBar for ASCII only, this libzbar is older than 0.23.1"


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


class Sightings:
    """Turns tokens frame by frame into what came into view: pure, the time is an argument.

    Two tokens are at once when both were seen within `together_ms`, since they may be decoded in alternate frames. A token unseen
    for `gone_ms` has left, and is told again when it returns. After `Several`, one of them counts as alone only once the others
    have left.
    """

    def __init__(self, *, gone_ms: int = 1500, together_ms: int = 400) -> None:
        self._gone_ns, self._together_ns = gone_ms * 1_000_000, together_ms * 1_000_000
        self._seen: dict[bytes, tuple[Token, int]] = {}
        self._told_alone: set[bytes] = set()
        self._told_several: set[bytes] = set()

    def update(self, tokens: Iterable[Token], mono_ns: int) -> Sighting | None:
        """What is new in view after this frame, or None; `mono_ns` is the frame's, and never runs back."""
        self._forget(mono_ns)
        fresh = {token.data: (token, mono_ns) for token in tokens}
        self._seen |= fresh
        view = tuple(token for token, at in self._seen.values() if mono_ns - at <= self._together_ns)
        if not fresh:
            return None
        return self._one(view[0]) if len(view) == 1 else self._several(view)

    def _forget(self, mono_ns: int) -> None:
        self._seen = {data: (token, at) for data, (token, at) in self._seen.items() if mono_ns - at < self._gone_ns}
        self._told_alone &= self._seen.keys()
        self._told_several &= self._seen.keys()

    def _one(self, token: Token) -> One | None:
        if token.data in self._told_alone or (token.data in self._told_several and len(self._told_several) > 1):
            return None
        self._told_alone.add(token.data)
        return One(token)

    def _several(self, view: tuple[Token, ...]) -> Several | None:
        if {token.data for token in view} <= self._told_several:
            return None
        self._told_several |= {token.data for token in view}
        return Several(view)


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
