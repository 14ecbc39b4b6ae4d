"""From the first frame that holds a code to the committed decision, through the real camera, scanner, loop and journal.

The decision is one that needs no reading (going out), so that what is measured is the machine's part.
"""

import os
import queue
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.journal import bare_commit_seconds
from bench.scanner import QR
from bench.table import Row, ratio_row
from contract.events import Direction
from contract.passes import Pass, PassKind, issue
from kiosk.clock import StationClock
from kiosk.drivers.base import Pixels
from kiosk.drivers.camera import Camera
from kiosk.drivers.emulated.rendering import empty, render
from kiosk.eyes import Eyes
from kiosk.journal import Journal
from kiosk.loop import Loop
from kiosk.scanner import Scanner
from kiosk.state import Setup

FPS, PASSES, EMPTY_FRAMES, CODE_FRAMES = 15.0, 24, 28, 6


class Reel:
    """A camera of prepared frames at a fixed rate; notes when it first gave a frame with each code."""

    def __init__(self, shown: list[Pixels]) -> None:
        self._blank = empty(1280, 720, np.random.default_rng(1))
        self._shown, self._number, self._due = shown, 0, time.monotonic()
        self.first_seen: queue.Queue[float] = queue.Queue()
        self.done = threading.Event()

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, Pixels]:
        """The next frame, when it is due."""
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._due = max(self._due + 1 / FPS, time.monotonic())
        which, place = divmod(self._number, EMPTY_FRAMES + CODE_FRAMES)
        self._number += 1
        if which >= len(self._shown):
            self.done.set()
            return True, self._blank
        if place == EMPTY_FRAMES:
            self.first_seen.put(time.monotonic())
        return True, self._blank if place < EMPTY_FRAMES else self._shown[which]

    def release(self) -> None:
        pass


def run() -> list[Row]:
    """The median and the 95th percentile, over one frame interval, one plain decode and one bare commit."""
    private = os.urandom(32)
    frames = [_frame(_token(private), seed) for seed in range(PASSES)]
    with tempfile.TemporaryDirectory(dir="var") as folder:
        taken = _passages(Path(folder), frames, Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw())
        base = 1 / FPS + _decode_seconds(frames) + bare_commit_seconds(Path(folder) / "bare.db")
    note = f"{len(taken)} of {PASSES} passes; base {1000 * base:.1f} ms: a frame interval, a plain decode, a bare commit"
    late = statistics.quantiles(taken, n=20)[-1]
    return [
        ratio_row("first frame with a code to committed decision, median", statistics.median(taken), base, 1.5, note),
        ratio_row("the same, 95th percentile", late, base, 3, f"{1000 * late:.1f} ms"),
    ]


def _passages(folder: Path, frames: list[Pixels], public: bytes) -> list[float]:
    clock, reel = StationClock(trusted=True), Reel(frames)
    committed: queue.Queue[float] = queue.Queue()
    setup = Setup(
        station="s", gate="g", gate_name="g", compound="c", compound_name="c", direction=Direction.OUT, pass_keys={"k": public}
    )
    with Journal(folder / "journal", boot="bench", clock=clock.journal_now) as journal:
        loop = Loop(
            setup, journal, seal=lambda _: None, check_pin=lambda _: False, take_photo=lambda _: None, say=lambda _: None,
            raise_barrier=lambda: None, self_test=tuple, shut_down=lambda: None,
            on_committed=lambda: committed.put(time.monotonic()), clock=clock.now,
        )  # fmt: skip
        with loop:
            eyes = Eyes(Camera("reel", fps=FPS, open_source=lambda *_a, **_k: reel), Scanner(), loop.post)
            eyes.start()
            reel.done.wait(timeout=120)
            eyes.close()
    starts, ends = list(reel.first_seen.queue), list(committed.queue)
    spans = zip(starts, [*starts[1:], float("inf")], strict=True)
    return [min(e for e in ends if start <= e < end) - start for start, end in spans if any(start <= e < end for e in ends)]


def _token(private: bytes) -> str:
    now = datetime.now(UTC)
    claims = Pass(
        id=os.urandom(16).hex(), issuer="gp", kind=PassKind.RESIDENT, not_before=now - timedelta(minutes=1),
        expires=now + timedelta(days=1), compounds=("c",), name="王*明", dwelling="3-502",
    )  # fmt: skip
    return issue(claims, "k", private)


def _frame(token: str, seed: int) -> Pixels:
    return render([token], width=1280, height=720, style="phone", rng=np.random.default_rng(seed), module_px=5.0, hardness=0.2)


def _decode_seconds(frames: list[Pixels]) -> float:
    times = []
    for frame in frames:
        begun = time.perf_counter()
        zxingcpp.read_barcodes(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), formats=QR)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)
