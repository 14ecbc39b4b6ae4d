"""The emulated camera: what `camera.json` says is what a scanner reads."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kiosk.drivers.camera import Camera, open_source
from kiosk.drivers.emulated.camera import EmulatedCapture
from kiosk.drivers.emulated.rendering import Effects, hard_frame, render
from kiosk.scanner import Scanner

PASSES = [f"GP1:{n}" + "6BFOXN%TSMAHN-H:KPQ.S/WB2" * 9 for n in range(3)]


def play(folder: Path, content: Any) -> None:
    """Replaces camera.json atomically."""
    new = folder / "camera.json.new"
    new.write_text(content if isinstance(content, str) else json.dumps(content))
    os.replace(new, folder / "camera.json")


def read(capture: EmulatedCapture, frames: int = 6) -> set[str | None]:
    scanner = Scanner()
    return {token.text for _ in range(frames) for token in scanner.scan(capture.read()[1])}


@pytest.mark.parametrize("style", ["phone", "paper"])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_what_is_shown_is_read(tmp_path: Path, style: str, count: int) -> None:
    play(tmp_path, {"show": PASSES[:count], "style": style, "seed": 7, "hardness": 0.2, "connected": True})
    assert read(EmulatedCapture(tmp_path)) == set(PASSES[:count])


def test_a_change_of_scene_is_seen_in_the_next_frame(tmp_path: Path) -> None:
    capture = EmulatedCapture(tmp_path)
    assert read(capture, 1) == set()
    play(tmp_path, {"show": PASSES[:1]})
    assert read(capture) == {PASSES[0]}
    play(tmp_path, {"show": PASSES[1:2]})
    assert read(capture) == {PASSES[1]}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        '{"show": ["GP1:A"',
        "[]",
        "null",
        {"show": "GP1:A"},
        {"show": [1]},
        {"show": PASSES + PASSES},
        {"show": ["GP1:A"], "hardness": 7},
        {"show": ["GP1:A"], "style": "hologram"},
        {"show": [""]},
        {"show": ["A" * 9000]},
        {},
    ],
)
def test_a_garbled_scene_is_an_empty_street(tmp_path: Path, content: Any) -> None:
    capture = EmulatedCapture(tmp_path)
    play(tmp_path, content)
    assert capture.isOpened()
    ok, pixels = capture.read()
    assert ok
    assert pixels.shape == (720, 1280, 3)
    assert Scanner().scan(pixels) == ()


def test_unknown_fields_are_ignored_and_the_size_can_be_set(tmp_path: Path) -> None:
    play(tmp_path, {"show": ["GP1:A"], "weather": "rain", "width": 640, "height": 480})
    capture = EmulatedCapture(tmp_path)
    assert capture.read()[1].shape == (480, 640, 3)
    assert read(capture) == {"GP1:A"}


def test_unplugged_and_plugged_in_again(tmp_path: Path) -> None:
    capture = EmulatedCapture(tmp_path)
    play(tmp_path, {"show": ["GP1:A"], "connected": False})
    assert not capture.isOpened()
    assert capture.read() == (False, None)
    play(tmp_path, {"show": ["GP1:A"], "connected": True})
    assert capture.isOpened()
    assert read(capture) == {"GP1:A"}


def test_frames_of_one_scene_move_but_a_little(tmp_path: Path) -> None:
    play(tmp_path, {"show": ["GP1:A"], "seed": 3})
    capture, scanner = EmulatedCapture(tmp_path), Scanner()
    corners = [np.array(token.corners).mean(0) for _ in range(6) for token in scanner.scan(capture.read()[1])]
    spread = np.ptp(np.array(corners), axis=0).max()
    assert 0 < spread < 40


def test_through_the_camera_unplugged_is_told_and_found_again(tmp_path: Path) -> None:
    play(tmp_path, {"show": ["GP1:A"], "width": 320, "height": 240})
    with Camera(f"emulated:{tmp_path}", fps=200, open_source=open_source, reopen_seconds=0.01) as eye:
        first = eye.latest(timeout=10)
        assert first is not None
        assert eye.status().present
        play(tmp_path, {"connected": False})
        with eye._changed:
            assert eye._changed.wait_for(lambda: not eye.status().present, 10)
        lost_at = eye.status().frames
        play(tmp_path, {"show": ["GP1:B"], "width": 320, "height": 240})
        again = eye.latest(after=lost_at, timeout=10)
        assert again is not None
        assert [token.text for token in Scanner().read_still(again.pixels)] == ["GP1:B"]


@pytest.mark.parametrize("seed", [0, 1])
def test_hard_frames_are_the_same_for_a_seed_and_jitter_with_the_frame(seed: int) -> None:
    first, text = hard_frame(seed, 640, 480)
    again, _ = hard_frame(seed, 640, 480)
    moved, same_text = hard_frame(seed, 640, 480, frame=1)
    assert first.shape == (480, 640, 3)
    assert len(text) == (140 if seed % 2 else 290)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, moved)
    assert text == same_text


@pytest.mark.parametrize("effect", ["blur", "noise", "dark", "glare", "moire", "crumple", "crack", "invert"])
def test_each_effect_changes_the_picture(effect: str) -> None:
    def drawn(effects: Effects) -> Any:
        rng = np.random.default_rng(1)
        return render(["GP1:A"], width=320, height=240, style="phone", rng=rng, module_px=3, hardness=0, effects=effects)

    spoilt = Effects(invert=True) if effect == "invert" else Effects(**{effect: 0.5})
    assert np.abs(drawn(spoilt).astype(int) - drawn(Effects()).astype(int)).mean() > 0.1
