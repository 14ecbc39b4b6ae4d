"""The ribbon camera, against a stand-in for picamera2: the real library exists on a Raspberry Pi only.

The stand-in keeps what was read in picamera2 0.3.36: how a format lies in memory, that `capture_array` waits for `wait` seconds
and then raises TimeoutError, and that closing hangs while a capture is still asked for.
"""

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from kiosk.drivers.camera import Camera, open_source
from kiosk.drivers.ribbon import RibbonCapture

RED = {"RGB888": (0, 0, 255), "BGR888": (255, 0, 0)}
"""A red thing as the formats lie in memory: DRM's names are those of a little-endian word."""


class StandIn:
    """`picamera2.Picamera2`, as far as the driver uses it."""

    attached = 1
    busy = silent = loose = autofocus = False
    made: list["StandIn"] = []

    def __init__(self, number: int) -> None:
        if self.busy:
            raise RuntimeError("Camera __init__ sequence did not complete.") from RuntimeError("Device or resource busy")
        self.number, self.config, self.started, self.closed, self.waiting = number, {}, False, False, False
        self.made.append(self)

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return [{"Num": number} for number in range(cls.attached)]

    @property
    def camera_controls(self) -> dict[str, Any]:
        return {"FrameDurationLimits": (), **({"AfMode": (0, 2, 0)} if self.autofocus else {})}

    def create_video_configuration(self, **config: Any) -> dict[str, Any]:
        return config

    def configure(self, config: dict[str, Any]) -> None:
        self.config = config

    def start(self) -> None:
        if self.loose:
            raise RuntimeError("Failed to start camera")
        self.started = bool(self.config)

    def capture_array(self, name: str, wait: float) -> Any:
        assert (name, self.started, self.closed) == ("main", True, False)
        if self.silent:
            self.waiting = True
            raise TimeoutError
        width, height = self.config["main"]["size"]
        return np.full((height, width, 3), RED[self.config["main"]["format"]], np.uint8)

    def cancel_all_and_flush(self) -> None:
        self.waiting = False

    def close(self) -> None:
        assert not self.waiting, "picamera2 would hang here"
        self.closed = True


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> type[StandIn]:
    """picamera2 as an import finds it."""
    kind = type("Picamera2", (StandIn,), {"made": []})
    module = ModuleType("picamera2")
    module.Picamera2 = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    return kind


def test_colours_are_blue_green_red(library: type[StandIn]) -> None:
    ok, pixels = open_source("picamera2:0").read()
    assert ok
    assert pixels.shape == (720, 1280, 3)
    assert pixels[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize("autofocus, focus", [(False, {}), (True, {"AfMode": 2})])
def test_what_it_is_configured_to(library: type[StandIn], autofocus: bool, focus: dict[str, int]) -> None:
    library.attached, library.autofocus = 2, autofocus
    RibbonCapture("picamera2:1", 15)
    camera = library.made[0]
    assert camera.number == 1
    assert camera.started
    assert camera.config == {
        "main": {"format": "RGB888", "size": (1280, 720)}, "buffer_count": 4, "queue": False,
        "controls": {"FrameDurationLimits": (66667, 66667), **focus},
    }  # fmt: skip


def test_it_is_closed_once(library: type[StandIn]) -> None:
    capture = RibbonCapture("picamera2:0", 15)
    assert capture.isOpened()
    capture.release()
    capture.release()
    assert library.made[0].closed
    assert not capture.isOpened()


def test_a_loose_ribbon_is_told_and_the_camera_can_be_closed(library: type[StandIn]) -> None:
    capture = RibbonCapture("picamera2:0", 15)
    library.silent = True
    with pytest.raises(OSError, match="ribbon seated at both ends"):
        capture.read()
    capture.release()
    assert library.made[0].closed


def test_one_that_does_not_start_is_let_go_of(library: type[StandIn]) -> None:
    library.loose = True
    with pytest.raises(RuntimeError, match="Failed to start"):
        RibbonCapture("picamera2:0", 15)
    assert library.made[0].closed


@pytest.mark.parametrize(
    "source, attributes, words",
    [
        ("picamera2:0", {"attached": 0}, "not among the 0 that libcamera finds"),
        ("picamera2:1", {}, "not among the 1 that libcamera finds"),
        ("picamera2:0", {"busy": True}, "in use by another program? (Device or resource busy)"),
        ("picamera2:", {}, 'the camera is "" and not a number'),
        ("picamera2:-1", {}, "not a number"),
    ],
)
def test_what_cannot_be_opened_is_told_by_the_camera_in_words(
    library: type[StandIn], source: str, attributes: dict[str, Any], words: str
) -> None:
    for name, value in attributes.items():
        setattr(library, name, value)
    assert words in trouble_of(source)


def test_without_picamera2_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    told = trouble_of("picamera2:0")
    assert told.startswith("picamera2:0: ")
    assert "sudo apt install python3-picamera2" in told
    assert "--system-site-packages" in told


def test_with_another_numpy_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ValueError("numpy.dtype size changed, may indicate binary incompatibility")

    monkeypatch.setattr("importlib.import_module", refuse)
    assert "pip install --upgrade simplejpeg" in trouble_of("picamera2:0")


def test_through_the_camera_a_ribbon_that_is_seated_again_is_found(library: type[StandIn]) -> None:
    with Camera("picamera2:0", reopen_seconds=0.01) as eye:
        assert eye.latest(timeout=10) is not None
        library.silent = True
        with eye._changed:
            assert eye._changed.wait_for(lambda: "seated" in eye.status().detail, 10)
        library.silent = False
        assert eye.latest(after=eye.status().frames, timeout=10) is not None


def trouble_of(source: str) -> str:
    """The status of a camera that tries to open the source."""
    with Camera(source, reopen_seconds=60) as eye, eye._changed:
        assert eye._changed.wait_for(lambda: eye.status().detail not in ("not started", "no frame yet"), 10)
        status = eye.status()
    assert not status.present
    return status.detail
