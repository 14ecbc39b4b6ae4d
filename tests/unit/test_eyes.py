"""The eyes: what a camera sees, with its direction; its name as a device; one report of the scanner, however many cameras."""

import json
import os
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.events import Direction
from kiosk.config import Camera as CameraSettings
from kiosk.config import Hub, Located, Place, StationSettings
from kiosk.devices import open_cameras
from kiosk.drivers.base import SelfTest
from kiosk.drivers.camera import Camera
from kiosk.eyes import Eyes
from kiosk.inputs import DeviceReport, Input, TokenSeen
from kiosk.scanner import Scanner


class Posts:
    """Takes what is posted, and waits for what a test waits for."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[Input] = queue.SimpleQueue()
        self.all: list[Input] = []

    def until(self, wanted: Callable[[Input], bool]) -> Any:
        while True:
            got = self.queue.get(timeout=20)
            self.all.append(got)
            if wanted(got):
                return got

    def report(self, device: str, ok: bool) -> DeviceReport:
        return self.until(lambda post: isinstance(post, DeviceReport) and (post.device, post.ok) == (device, ok))


class Failing(Scanner):
    """A real scanner that fails on the second frame it is given, when it has been tested and found well."""

    frames = 0

    def scan(self, frame: Any) -> Any:
        self.frames += 1
        if self.frames == 2:
            raise RuntimeError("odd picture")
        return super().scan(frame)


def show(folder: Path, **scene: Any) -> str:
    """Replaces camera.json; gives the camera's source."""
    folder.mkdir(exist_ok=True)
    (folder / "new").write_text(json.dumps({"width": 320, "height": 240, "hardness": 0.0, **scene}))
    os.replace(folder / "new", folder / "camera.json")
    return f"emulated:{folder}"


@contextmanager
def looking(source: str, posts: Posts, scanner: Scanner | None = None, **options: Any) -> Iterator[Eyes]:
    eyes = Eyes(Camera(source, fps=50, reopen_seconds=0.01, rest_seconds=3600), scanner or Scanner(), posts.queue.put, **options)
    eyes.start()
    try:
        yield eyes
    finally:
        eyes.close()


@pytest.mark.parametrize("direction", [None, Direction.IN, Direction.OUT])
def test_a_token_carries_the_direction_of_its_camera(tmp_path: Path, direction: Direction | None) -> None:
    posts = Posts()
    with looking(show(tmp_path, show=["GP1:A"]), posts, direction=direction):
        seen = posts.until(lambda post: isinstance(post, TokenSeen))
    assert (seen.text, seen.direction) == ("GP1:A", direction)


def test_each_camera_reports_by_its_name_and_the_scanner_is_reported_once(tmp_path: Path) -> None:
    posts = Posts()
    sources = [show(tmp_path / way, show=[f"GP1:{way}"]) for way in ("IN", "OUT")]
    with (
        looking(sources[0], posts, direction=Direction.IN),
        looking(sources[1], posts, name="camera-2", direction=Direction.OUT),
    ):
        ways: set[tuple[str, Direction | None]] = set()
        while len(ways) < 2:  # on a slow machine one of them may have left the view and come again before the other is told
            seen = posts.until(lambda post: isinstance(post, TokenSeen))
            ways.add((seen.text, seen.direction))
        show(tmp_path / "OUT", connected=False)
        lost = posts.report("camera-2", False)
        show(tmp_path / "OUT")
        posts.report("camera-2", True)
    assert ways == {("GP1:IN", Direction.IN), ("GP1:OUT", Direction.OUT)}
    assert "unplugged" in lost.detail or "can't be opened" in lost.detail
    devices = [post.device for post in posts.all if isinstance(post, DeviceReport)]
    assert set(devices) == {"camera", "camera-2", "scanner"}
    assert devices.count("scanner") == 1


def test_a_scanner_that_failed_on_a_frame_is_well_again_after_its_next_test(tmp_path: Path) -> None:
    posts = Posts()
    with looking(show(tmp_path), posts, Failing()):
        assert posts.report("scanner", False).detail == "odd picture"
        assert "drawn by itself" in posts.report("scanner", True).detail


def test_a_further_camera_whose_pictures_cannot_be_read_is_not_ok(tmp_path: Path) -> None:
    posts = Posts()
    with looking(show(tmp_path), posts, Failing(), name="camera-2"):
        posts.until(lambda post: isinstance(post, DeviceReport) and "odd picture" in post.detail)
        posts.report("camera-2", True)
    assert {post.device for post in posts.all if isinstance(post, DeviceReport)} == {"camera-2"}


def test_a_failed_self_test_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    posts = Posts()
    monkeypatch.setattr(Scanner, "selftest", lambda self: SelfTest("scanner", False, "could not read"))
    with looking(show(tmp_path), posts):
        assert posts.report("scanner", False).detail == "could not read"


def test_at_rest_it_looks_no_further_until_it_is_woken(tmp_path: Path) -> None:
    posts = Posts()
    with looking(show(tmp_path), posts) as eyes:
        posts.report("scanner", True)
        eyes.rest(True)
        settled(eyes.camera)
        show(tmp_path, show=["GP1:A"])
        eyes.rest(False)
        assert posts.until(lambda post: isinstance(post, TokenSeen)).text == "GP1:A"
    assert not any(isinstance(post, DeviceReport) and not post.ok and post.device == "scanner" for post in posts.all)


def test_the_configured_cameras_have_names_and_ways(tmp_path: Path) -> None:
    settings = StationSettings(
        place=Place(station="s", gate="g", gate_name="东门", compound="c", compound_name="花园"),
        hub=Hub(keys={}, sealing_kid="", sealing=""),
        camera=CameraSettings(source="emulated:a"),
        more_cameras=(CameraSettings(source="7", direction="in"), CameraSettings(source="picamera2:1", direction="out", fps=10)),
    )
    cameras = open_cameras(Located(settings, tmp_path))
    assert [(name, camera._source, way) for name, camera, way in cameras] == [
        ("camera", f"emulated:{tmp_path / 'a'}", None),
        ("camera-2", "7", Direction.IN),
        ("camera-3", "picamera2:1", Direction.OUT),
    ]
    assert [camera._fps for _, camera, _ in cameras] == [15, 15, 10]


def settled(camera: Camera) -> None:
    """Returns once a camera at rest grabs no more; the read that was under way may still have come."""
    number = -1
    while number != camera.status().frames:
        number = camera.status().frames
        camera.latest(after=number, timeout=0.2)
