"""Frames → tokens: what is read, byte for byte, and what it may cost."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import segno

from kiosk import scanner as module
from kiosk.drivers.base import Frame, Pixels
from kiosk.drivers.emulated.rendering import empty, hard_frame, render
from kiosk.drivers.zbar import ZBar, capabilities, load_zbar
from kiosk.scanner import Scanner, UnreadableImage, scan_file
from kiosk.sightings import Token

CHINESE = "出入证:王*明".encode()
BINARY = bytes(range(256))
PASS = "GP1:6BFOXN%TSMAHN-H:KPQ.S/WB2"

needs_zbar = pytest.mark.skipif(load_zbar() is None, reason="libzbar is not installed (package libzbar0)")


def drawn(data: str | bytes, module_px: int = 4, *, micro: bool = False) -> Pixels:
    code = segno.make_micro(data) if micro else segno.make_qr(data, error="m")
    modules = np.array([list(row) for row in code.matrix_iter(border=4)], np.uint8)
    return np.kron(255 * (1 - modules), np.ones((module_px, module_px), np.uint8))


def on_grey(*codes: Pixels, height: int = 720, width: int = 1280) -> Pixels:
    picture, left = np.full((height, width), 128, np.uint8), 40
    for code in codes:
        picture[100 : 100 + code.shape[0], left : left + code.shape[1]] = code
        left += code.shape[1] + 60
    return picture


def data_of(tokens: tuple[Token, ...]) -> set[bytes]:
    return {token.data for token in tokens}


@pytest.mark.parametrize("data", [PASS.encode(), CHINESE, BINARY, b"0123456789", b"\x00"])
def test_bytes_are_exact(data: bytes) -> None:
    assert data_of(Scanner().scan(drawn(data))) == {data}


@needs_zbar
@pytest.mark.parametrize("data", [PASS.encode(), CHINESE, BINARY, "\u00e9\u4e2d".encode("gb18030"), b"\xef\xbb\xbfBOM"])
def test_zbar_is_exact_or_silent(data: bytes) -> None:
    zbar = ZBar()
    read = [found for found, _ in zbar.read(drawn(data))]
    assert read == ([data] if zbar.exact or data.isascii() else [])


@needs_zbar
def test_an_old_zbar_is_believed_in_ascii_only() -> None:
    zbar = ZBar()
    zbar.exact = False
    assert zbar.read(drawn(CHINESE)) == []
    assert [data for data, _ in zbar.read(drawn(PASS))] == [PASS.encode()]
    assert "ASCII only" in capabilities(zbar)


@pytest.mark.parametrize(
    "data, text",
    [(PASS.encode(), PASS), (b"~ lower", "~ lower"), (CHINESE, None), (b"GP1:\n", None), (b"\xff", None), (b"a\x00", None)],
)
def test_text_is_printable_ascii_or_none(data: bytes, text: str | None) -> None:
    assert Token(data, "zxing", ()).text == text


def test_colour_grey_and_frames_are_alike() -> None:
    grey = on_grey(drawn(PASS))
    colour = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    for picture in (grey, colour, Frame(np.asarray(colour, np.uint8), 1, 0)):
        assert data_of(Scanner().scan(picture)) == {PASS.encode()}


@pytest.mark.parametrize("count", [2, 3])
def test_all_codes_of_a_frame(count: int) -> None:
    texts = [f"GP1:HOLDER{i}" for i in range(count)]
    assert data_of(Scanner().scan(on_grey(*map(drawn, texts)))) == {t.encode() for t in texts}


def test_inverted() -> None:
    assert data_of(Scanner().scan(255 - on_grey(drawn(PASS)))) == {PASS.encode()}


def test_only_qr() -> None:
    assert Scanner().read_still(drawn("12345", 8, micro=True)) == ()


@pytest.mark.parametrize("name", list(module._VARIANTS))
def test_each_variant_finds_the_code_where_it_is(name: str) -> None:
    scanner = Scanner()
    if name not in scanner._rotation:
        pytest.skip("libzbar is not installed (package libzbar0)")
    picture = np.full((720, 1280), 128, np.uint8)
    code = drawn(PASS, 5)
    picture[400 : 400 + code.shape[0], 900 : 900 + code.shape[1]] = code
    (token,) = scanner._read(name, module._View(picture))
    corners = np.array(token.corners)
    assert (token.data, token.decoder) == (PASS.encode(), name)
    assert np.abs(corners.min(0) - (920, 420)).max() <= 8
    assert np.abs(corners.max(0) - (900 + code.shape[1] - 20, 400 + code.shape[0] - 20)).max() <= 8


def test_one_variant_a_frame_each_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner, tried = Scanner(budget_ms=1e6), []
    monkeypatch.setattr(scanner, "_read", lambda name, view: tried.append(name) or ())
    street = empty(320, 240, np.random.default_rng(0))
    for _ in range(2 * len(scanner._rotation)):
        scanner.scan(street)
    assert tried == scanner._rotation * 2
    assert len(set(tried)) == len(scanner._rotation)


def test_a_read_frame_costs_no_variant_but_for_one_in_four(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner, tried = Scanner(budget_ms=1e6), []
    monkeypatch.setattr(scanner, "_read", lambda name, view: tried.append(name) or ())
    for _ in range(8):
        scanner.scan(drawn(PASS))
    assert len(tried) == 2


def test_a_variant_that_does_not_fit_the_budget_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner, tried = Scanner(budget_ms=1e6), []
    monkeypatch.setattr(scanner, "_read", lambda name, view: tried.append(name) or ())
    dear = scanner._rotation[1]
    scanner._costs_ms[dear] = 1e9
    for _ in range(len(scanner._rotation)):
        scanner.scan(empty(320, 240, np.random.default_rng(0)))
    assert dear not in tried
    assert len(tried) == len(scanner._rotation)


def test_without_budget_the_plain_pass_remains() -> None:
    scanner = Scanner(budget_ms=0)
    assert data_of(scanner.scan(drawn(PASS))) == {PASS.encode()}
    scanner._costs_ms = dict.fromkeys(scanner._costs_ms, 1.0)
    assert scanner.scan(empty(320, 240, np.random.default_rng(0))) == ()


def test_larger_frames_are_made_smaller_and_corners_stay_in_the_frame() -> None:
    code = np.full((2160, 3840), 128, np.uint8)
    code[1500 : 1500 + 290, 3000 : 3000 + 290] = drawn("GP1:A", 10)
    (token,) = Scanner().scan(code)
    assert np.abs(np.array(token.corners).mean(0) - (3145, 1645)).max() <= 8
    view = module._limited(module._View(np.zeros((2160, 3840), np.uint8)), 1280 * 720)
    assert view.pixels.size <= 1280 * 720 * 1.01
    assert view.corners([(1280, 720)]) == ((3840, 2160),)


def test_hard_frames_are_read_that_plain_zxing_does_not_read() -> None:
    plain = ours = 0
    scanner = Scanner()
    for seed in range(1000, 1020):
        pixels, data = hard_frame(seed, 640, 480)
        read = data_of(scanner.read_still(pixels))
        assert read <= {data}
        ours += data in read
        plain += data in data_of(module._zxing(module._View(module._grey(pixels))))
    assert ours > plain >= 8


def test_a_street_has_no_codes() -> None:
    assert Scanner().read_still(empty(1280, 720, np.random.default_rng(0))) == ()


def test_works_without_libzbar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyzbar", None)
    assert load_zbar() is None
    scanner = Scanner()
    assert not [name for name in scanner._rotation if name.startswith("zbar")]
    assert data_of(scanner.read_still(drawn(PASS))) == {PASS.encode()}
    assert "libzbar is not installed" in scanner.selftest().detail


def test_selftest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Scanner().selftest().ok
    monkeypatch.setattr(module.zxingcpp, "read_barcodes", lambda *_, **__: [])
    outcome = Scanner(zbar=None).selftest()
    assert (outcome.ok, outcome.device) == (False, "scanner")
    assert "could not read" in outcome.detail


def test_scan_file(tmp_path: Path) -> None:
    path = tmp_path / "出入证.png"
    scene = render([PASS], width=640, height=480, style="paper", rng=np.random.default_rng(1), module_px=4, hardness=0)
    path.write_bytes(cv2.imencode(".png", scene)[1].tobytes())
    told = scan_file(path)
    assert told["tokens"] == [{"text": PASS, "bytes_hex": PASS.encode().hex()}]
    assert told["image"] == str(path)
    assert told["ms"] > 0  # type: ignore[operator]


@pytest.mark.parametrize("data, text", [(CHINESE, CHINESE.decode()), (BINARY, None)])
def test_scan_file_gives_utf8_or_null(tmp_path: Path, data: bytes, text: str | None) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(cv2.imencode(".png", drawn(data))[1].tobytes())
    assert scan_file(path)["tokens"] == [{"text": text, "bytes_hex": data.hex()}]


@pytest.mark.parametrize("content, why", [(b"", "empty"), (b"not a picture", "not a picture"), (None, "No such file")])
def test_an_unreadable_image_says_why(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "x.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableImage, match=why) as caught:
        scan_file(path)
    assert caught.value.path == path
