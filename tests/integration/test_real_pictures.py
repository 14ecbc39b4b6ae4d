"""Real photographs and videos of BoofCV-Data, where they are at hand: `../shared/data` beside the repository, not part of it."""

from pathlib import Path

import cv2
import pytest
import zxingcpp

from kiosk.drivers.base import Pixels
from kiosk.drivers.camera import Camera, frames_of
from kiosk.scanner import Scanner, load_image

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
QR = getattr(zxingcpp.BarcodeFormat, "QRCodeModel2", zxingcpp.BarcodeFormat.QRCode)

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real pictures are not at hand: no ../shared/data beside the repository"
)


def plain_zxing(pixels: Pixels) -> set[bytes]:
    return {b.bytes for b in zxingcpp.read_barcodes(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), formats=QR)}


@pytest.mark.parametrize("name, count", [("qrcode-1.jpg", 1), ("qrcode-2.jpg", 3), ("qrcode-3.jpg", 1), ("qrcode-4.jpg", 3)])
def test_photographs(name: str, count: int) -> None:
    pixels = load_image(DATA / name)
    tokens = Scanner().read_still(pixels)
    assert len(tokens) == count
    assert {token.data for token in tokens} >= plain_zxing(pixels)


def test_every_fifth_frame_of_the_video_is_read_as_plain_zxing_reads_it() -> None:
    scanner, plain, ours, known = Scanner(), 0, 0, set()
    for number, pixels in enumerate(frames_of(DATA / "qrcode.mp4")):
        if number % 5 == 0:
            expected, read = plain_zxing(pixels), {token.data for token in scanner.scan(pixels)}
            plain, ours, known = plain + bool(expected), ours + bool(read), known | expected
            assert read >= expected, number
            assert read <= known, number
    assert number == 858
    assert ours >= plain >= 165


def test_the_street_has_no_code() -> None:
    """Every frame, with all variants in rotation, and every fortieth with all of them at once."""
    scanner, number = Scanner(), 0
    for number, pixels in enumerate(frames_of(DATA / "street.mp4")):
        assert scanner.scan(pixels) == (), number
        if number % 40 == 0:
            assert scanner.read_still(pixels) == (), number
    assert number == 1147


def test_the_camera_plays_the_video_and_the_scanner_reads_it() -> None:
    """At the video's own rate, so for the first ten frames that the scanner gets to see."""
    scanner, number, read = Scanner(), 0, 0
    with Camera(str(DATA / "qrcode.mp4")) as camera:
        for _ in range(10):
            frame = camera.latest(after=number, timeout=10)
            assert frame is not None
            assert frame.number > number
            number, read = frame.number, read + bool(scanner.scan(frame))
        assert (camera.status().width, camera.status().height) == (1280, 720)
    assert read >= 9
