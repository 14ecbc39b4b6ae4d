"""The camera driver: the newest frame, never a queue; a lost camera is told and found again."""

import threading
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from kiosk.drivers.base import Pixels
from kiosk.drivers.camera import _SILENT_SECONDS, Camera, EndOfRecording, Paced, Recording, frames_of, open_source
from kiosk.drivers.emulated.camera import EmulatedCapture

BLANK = np.zeros((48, 64, 3), np.uint8)


class ScriptedCapture:
    """Hands out frames as a test lets it: each read waits for a `permit`."""

    def __init__(
        self, frames: Iterable[Pixels | None], *, opened: bool = True, permits: threading.Semaphore | None = None
    ) -> None:
        self.frames, self.opened, self.permits = iter(frames), opened, permits
        self.released = threading.Event()

    def isOpened(self) -> bool:
        return self.opened

    def read(self) -> tuple[bool, Any]:
        if self.permits:
            assert self.permits.acquire(timeout=10)
        pixels = next(self.frames, None)
        return pixels is not None, pixels

    def release(self) -> None:
        self.released.set()


class Openings:
    """An `open_source` that hands out the given captures in turn, then ones that can't be opened; an exception is raised."""

    def __init__(self, *captures: ScriptedCapture | Exception) -> None:
        self.captures, self.count = list(captures), 0
        self.exhausted = threading.Event()

    def __call__(self, source: str, fps: float) -> ScriptedCapture:
        self.count += 1
        capture = self.captures.pop(0) if self.captures else ScriptedCapture([], opened=False)
        if not self.captures and not isinstance(capture, Exception) and not capture.opened:
            self.exhausted.set()
        if isinstance(capture, Exception):
            raise capture
        return capture


def shades(*values: int) -> Iterator[Pixels]:
    return (np.full((48, 64, 3), value, np.uint8) for value in values)


def camera(*captures: ScriptedCapture | Exception, **options: Any) -> Camera:
    return Camera("0", open_source=Openings(*captures), reopen_seconds=0.001, **options)


def endless(permits: threading.Semaphore | None = None) -> ScriptedCapture:
    return ScriptedCapture(repeat(BLANK), permits=permits)


def test_frames_are_numbered_from_one_and_never_queued() -> None:
    permits = threading.Semaphore(0)
    with camera(ScriptedCapture(shades(*range(1, 6)), permits=permits)) as eye:
        permits.release()
        first = eye.latest(after=0, timeout=10)
        assert first is not None
        assert (first.number, int(first.pixels[0, 0, 0])) == (1, 1)
        permits.release(4)
        newest = eye.latest(after=4, timeout=10)
        assert newest is not None
        assert (newest.number, int(newest.pixels[0, 0, 0])) == (5, 5)
        assert newest.mono_ns >= first.mono_ns
        assert eye.latest(after=0, timeout=0) is newest
        permits.release()  # lets the thread end


def test_latest_gives_none_when_nothing_new_comes() -> None:
    permits = threading.Semaphore(1)
    with camera(endless(permits)) as eye:
        assert eye.latest(timeout=10) is not None
        assert eye.latest(after=1, timeout=0.01) is None
        permits.release()


def test_status_of_a_working_camera() -> None:
    with camera(endless()) as eye:
        assert eye.latest(timeout=10) is not None
        status = eye.status()
        assert (status.present, status.width, status.height) == (True, 64, 48)
        assert status.frames >= 1


def test_before_the_first_frame_it_is_not_present() -> None:
    eye = camera(endless())
    assert (eye.status().present, eye.status().detail) == (False, "not started")


def test_numbers_go_on_after_a_reconnection() -> None:
    with camera(ScriptedCapture(shades(1, 2)), OSError("bus error"), ScriptedCapture([], opened=False), endless()) as eye:
        frame = eye.latest(after=2, timeout=10)
        assert frame is not None
        assert frame.number >= 3
        assert eye.status().present


@pytest.mark.parametrize(
    "captures, words",
    [
        ([], "can't be opened"),
        ([ScriptedCapture(shades(1))], "can't be opened"),
        ([ScriptedCapture([], opened=False)], "can't be opened"),
    ],
)
def test_a_lost_camera_is_told_in_words(captures: list[ScriptedCapture], words: str) -> None:
    openings = Openings(*captures)
    with Camera("0", open_source=openings, reopen_seconds=0.001) as eye:
        assert openings.exhausted.wait(10)
        until(eye, lambda: words in eye.status().detail)
        assert not eye.status().present


def test_an_unplugged_camera_is_told_at_once_and_released() -> None:
    capture = ScriptedCapture(shades(1))
    with Camera("0", open_source=Openings(capture), reopen_seconds=60) as eye:
        until(eye, lambda: "unplugged" in eye.status().detail)
        assert capture.released.wait(10)
        assert not eye.status().present
        assert eye.status().frames == 1


def test_a_driver_that_raises_does_not_end_the_thread() -> None:
    with camera(RuntimeError("odd driver"), endless()) as eye:
        assert eye.latest(timeout=10) is not None


def test_a_camera_that_hangs_is_told() -> None:
    now_ns, permits = [0], threading.Semaphore(1)
    with camera(endless(permits), clock_ns=lambda: now_ns[0]) as eye:
        assert eye.latest(timeout=10) is not None
        now_ns[0] = 3_000_000_000
        assert eye.status().present
        now_ns[0] = 4_000_000_000
        assert (eye.status().present, eye.status().detail) == (False, "no frame from 0 for 4 s")
        permits.release()


def test_pauses_grow_to_four_times(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    eye = Camera("0", open_source=Openings(), reopen_seconds=2.0)

    def wait(seconds: float | None = None) -> bool:
        pauses.append(seconds or 0)
        if len(pauses) == 5:
            eye._stopping.set()
        return True

    monkeypatch.setattr(eye._stopping, "wait", wait)
    eye.start()
    eye._thread.join(10)
    assert pauses == [2, 4, 8, 8, 8]


def test_close_frees_who_waits_and_the_device() -> None:
    permits = threading.Semaphore(1)
    capture = endless(permits)
    eye, got = camera(capture), []
    eye.start()
    assert eye.latest(timeout=10) is not None
    waiter = threading.Thread(target=lambda: got.append(eye.latest(after=10, timeout=30)))
    waiter.start()
    permits.release()
    eye.close()
    waiter.join(10)
    assert got == [None]
    assert capture.released.wait(10)
    assert (eye.status().present, eye.status().detail) == (False, "closed")


def test_at_rest_no_frame_is_grabbed_until_it_is_due_and_waking_is_at_once() -> None:
    permits = threading.Semaphore(0)
    capture = ScriptedCapture(shades(*range(1, 9)), permits=permits)
    with camera(capture, rest_seconds=3600) as eye:
        permits.release()
        assert eye.latest(timeout=10) is not None
        eye.rest(True)
        permits.release()  # the read that was under way
        assert eye.latest(after=1, timeout=10) is not None
        permits.release(3)
        assert eye.latest(after=2, timeout=0.05) is None
        assert eye.status().present
        eye.rest(False)
        frame = eye.latest(after=3, timeout=10)
        assert frame is not None
        assert (frame.number, int(frame.pixels[0, 0, 0])) == (4, 5)  # the third, as old as the pause, was thrown away
        permits.release()


def test_at_rest_frames_still_come_and_it_is_present() -> None:
    with camera(endless(), rest_seconds=0.001) as eye:
        eye.rest(True)
        for _ in range(3):
            assert eye.latest(after=eye.status().frames, timeout=10) is not None
            assert eye.status().present


def test_a_pause_is_shorter_than_the_silence_that_counts_as_missing() -> None:
    assert Camera("0")._rest_seconds == 0.5
    assert _SILENT_SECONDS > 2 * 0.5


def test_unplugged_at_rest_is_told() -> None:
    with Camera("0", open_source=Openings(ScriptedCapture(shades(1, 2, 3))), reopen_seconds=60, rest_seconds=0.001) as eye:
        eye.rest(True)
        until(eye, lambda: "unplugged" in eye.status().detail)


def test_closing_does_not_wait_for_a_rest_to_be_over() -> None:
    capture = endless()
    eye = camera(capture, rest_seconds=3600)
    eye.start()
    assert eye.latest(timeout=10) is not None
    eye.rest(True)
    eye.close()
    assert capture.released.is_set()


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_recordings_are_played_once_exhaustively(tmp_path: Path, kind: str) -> None:
    path = recorded(tmp_path, kind)
    frames = list(frames_of(path))
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 5
    assert [round(int(f[24, 32, 0]) / 50) for f in frames] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_a_recording_loops_or_ends(tmp_path: Path, kind: str) -> None:
    path = recorded(tmp_path, kind)
    looping = Recording(path, loop=True)
    assert [round(int(looping.read()[1][24, 32, 0]) / 50) for _ in range(7)] == [0, 1, 2, 3, 4, 0, 1]
    once = Recording(path, loop=False)
    assert all(once.read()[0] for _ in range(5))
    with pytest.raises(EndOfRecording, match="played to its end"):
        once.read()


def test_a_recording_played_once_ends_the_camera(tmp_path: Path) -> None:
    path = recorded(tmp_path, "folder")
    with Camera(str(path), fps=1000, open_source=lambda source, fps: open_source(source, fps, loop=False)) as eye:
        eye._thread.join(10)
        assert (eye.status().present, eye.status().frames) == (False, 5)
        assert "played to its end" in eye.status().detail


@pytest.mark.parametrize("name", ["nothing.mp4", "/dev/video97", "97", "empty", "broken.mp4"])
def test_what_is_not_there_gives_no_frame(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    capture = open_source(name if name.startswith(("/", "9")) else str(tmp_path / name), 1000)
    assert not (capture.isOpened() and capture.read()[0])
    capture.release()


def test_sources(tmp_path: Path) -> None:
    emulated = open_source(f"emulated:{tmp_path}")
    assert isinstance(emulated, Paced)
    assert isinstance(emulated._capture, EmulatedCapture)
    assert open_source(f"emulated:{tmp_path}").read()[1].shape == (720, 1280, 3)
    video = open_source(str(recorded(tmp_path, "video")), 15)
    assert isinstance(video, Paced)
    assert video._interval == pytest.approx(1 / 10)  # its own rate
    folder = open_source(str(recorded(tmp_path, "folder")), 15)
    assert isinstance(folder, Paced)
    assert folder._interval == pytest.approx(1 / 15)


def test_paced_waits_for_what_is_due_and_makes_up_for_nothing() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        now[0] += seconds

    paced = Paced(endless(), 10, clock=lambda: now[0], sleep=sleep)
    paced.read()
    now[0] += 0.03
    paced.read()
    now[0] += 0.55
    paced.read()
    paced.read()
    assert slept == [0.07]
    paced.read()
    assert slept == [0.07, 0.1]


def recorded(folder: Path, kind: str) -> Path:
    """Five frames of growing brightness, as a folder of pictures or as a video of 10 frames a second."""
    if kind == "folder":
        path = folder / "frames"
        path.mkdir()
        (path / "notes.txt").write_text("no picture")
        for index, frame in enumerate(shades(0, 50, 100, 150, 200)):
            (path / f"f{index:03d}.png").write_bytes(cv2.imencode(".png", frame)[1].tobytes())
        return path
    path = folder / "frames.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for frame in shades(0, 50, 100, 150, 200):
        writer.write(frame)
    writer.release()
    return path


def until(eye: Camera, condition: Any) -> None:
    """Waits on the camera's own condition variable, which is notified at each change of status."""
    with eye._changed:
        assert eye._changed.wait_for(condition, 10), eye.status()
