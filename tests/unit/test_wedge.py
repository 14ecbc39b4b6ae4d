"""The QR hand scanner: the kernel's bytes to codes; and the driver on a real pipe, with all that goes wrong there."""

import json
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Direction
from kiosk.config import HandScanner as HandScannerSettings
from kiosk.config import Hub, Located, Place, StationSettings
from kiosk.devices import open_hand_scanners
from kiosk.drivers import wedge
from kiosk.drivers.emulated.rendering import BASE45
from kiosk.drivers.emulated.wedge import EmulatedWedge, event, keystrokes
from kiosk.drivers.keyboard import LONGEST, PLAIN, SHIFTED, Code, Spoilt, Typing
from kiosk.drivers.wedge import EVIOCGRAB, HandScanner, Node
from kiosk.inputs import DeviceReport, Input, TokenSeen

PASS = "GP1:" + "6BFOXN%TSMAHN-H:KPQ.S/WB2*+$ " * 8 + "VD"
SECOND = 1_000_000_000
texts = st.text(BASE45, min_size=1, max_size=60)


def keys(*pairs: tuple[int, int]) -> bytes:
    """Key events, each with its report's end, as the kernel writes them."""
    return b"".join(event(1, code, value) + event(0, 0, 0) for code, value in pairs)


def typed(*chunks: bytes) -> list[Code | Spoilt]:
    typing = Typing()
    return [told for at, chunk in enumerate(chunks) for told in typing.feed(chunk, at)]


def test_the_kernels_bytes_are_read() -> None:
    """KEY_LEFTSHIFT 42, KEY_G 34, KEY_P 25, KEY_1 2, KEY_SEMICOLON 39, KEY_X 45, KEY_ENTER 28 of linux/input-event-codes.h."""
    stream = bytes.fromhex("00" * 16 + "01002a0001000000")  # type 1, code 42, value 1
    assert len(stream) == 24
    rest = keys((34, 1), (34, 0), (25, 1), (25, 0), (42, 0), (2, 1), (2, 0), (42, 1), (39, 1), (39, 0), (42, 0), (45, 1), (28, 1))
    assert typed(stream + rest) == [Code("GP1:x", 0)]


def test_the_layout_has_every_printable_character_of_ascii() -> None:
    assert set(PLAIN.values()) | set(SHIFTED.values()) == {chr(code) for code in range(32, 127)}
    row = {"`": 41, "1": 2, "-": 12, "=": 13, "q": 16, "[": 26, "a": 30, "'": 40, "\\": 43, "z": 44, ",": 51, "/": 53, " ": 57}
    assert {char: next(code for code, plain in PLAIN.items() if plain == char) for char in row} == row
    assert [PLAIN[code] for code in (82, 79, 80, 81, 75, 76, 77, 71, 72, 73)] == list("0123456789")  # the keypad's


@pytest.mark.parametrize(
    "text",
    [
        PASS,
        BASE45,
        BASE45.lower(),
        "".join(map(chr, range(32, 127))),
        " led by a blank and ended by one ",
        "x",
        "8*8+8-8/8.8",
        "ÄA汉B",
    ],
)
@pytest.mark.parametrize("end", [28, 96, 15])
def test_what_is_typed_is_read(text: str, end: int) -> None:
    assert typed(keystrokes(text, end)) == [Code("".join(char for char in text if char.isascii()), 0)]


@pytest.mark.parametrize(
    "events, told",
    [
        ([(30, 1), (30, 2), (30, 2), (30, 0), (28, 1), (28, 0)], [Code("a", 0)]),  # key repeat
        ([(30, 0), (30, 1), (28, 1)], [Code("a", 0)]),  # a release that was pressed before
        ([(28, 1), (28, 0), (15, 1)], []),  # Enter and Tab alone, as of a suffix CR LF
        ([(54, 1), (30, 1), (54, 0), (30, 1), (28, 1)], [Code("Aa", 0)]),  # the right shift
        ([(42, 1), (54, 1), (42, 0), (30, 1), (28, 1)], [Code("A", 0)]),  # both, one of them released
        ([(42, 1), (42, 2), (30, 1), (28, 1)], [Code("A", 0)]),  # shift repeats
        ([(42, 1), (30, 1), (28, 1), (30, 1), (28, 1)], [Code("A", 0), Code("a", 0)]),  # a shift's release was lost
        ([(59, 1), (30, 1), (194, 1), (28, 1)], [Code("a", 0)]),  # keys without a character
        ([(30, 1), (29, 1), (27, 1), (29, 0), (30, 1), (28, 1)], [Code("aa", 0)]),  # Ctrl-], a control character in the code
    ],
)
def test_keys(events: list[tuple[int, int]], told: list[Code | Spoilt]) -> None:
    assert typed(keys(*events)) == told


def test_a_scanner_in_alt_mode_is_told_what_to_set() -> None:
    [told] = typed(keys((56, 1), (82, 1), (77, 1), (73, 1), (56, 0), (28, 1)))
    assert isinstance(told, Spoilt)
    assert "ALT mode off" in told.why


def test_the_time_is_that_of_the_first_key() -> None:
    strokes = keystrokes("ab")
    assert typed(b"", strokes[:100], strokes[100:200], strokes[200:]) == [Code("ab", 1)]


def test_a_code_that_stops_midway_is_dropped_and_told_once() -> None:
    typing = Typing()
    assert typing.feed(keystrokes("AB")[:-144], 5 * SECOND) == []
    assert typing.pause(7 * SECOND - 1) == []
    [told] = typing.pause(7 * SECOND)
    assert isinstance(told, Spoilt)
    assert "after 2 characters without Enter" in told.why
    assert typing.pause(20 * SECOND) == []
    assert typing.feed(keystrokes("CD"), 21 * SECOND) == [Code("CD", 21 * SECOND)]


def test_a_slow_scanner_is_not_one_that_stops() -> None:
    typing, strokes = Typing(), keystrokes("abc")
    told = [t for at in range(0, len(strokes), 72) for t in typing.feed(strokes[at : at + 72], at * SECOND // 100)]
    assert told == [Code("abc", 0)]


def test_a_pause_is_noticed_by_the_next_key_too_and_lets_go_of_shift() -> None:
    typing = Typing()
    typing.feed(keys((42, 1), (30, 1)), SECOND)
    told = typing.feed(keys((30, 1), (28, 1)), 4 * SECOND)
    assert isinstance(told[0], Spoilt)
    assert told[1:] == [Code("a", 4 * SECOND)]


def test_no_code_is_longer_than_a_qr_code() -> None:
    assert typed(keystrokes("A" * LONGEST)) == [Code("A" * LONGEST, 0)]
    told = typed(keystrokes("A" * (2 * LONGEST + 2) + "B"), keystrokes("C"))
    assert isinstance(told[0], Spoilt)
    assert told[1:] == [Code("C", 1)]


@pytest.mark.parametrize("at", [0, 10, 40])
def test_after_an_overrun_in_the_kernel_the_code_is_dropped_to_its_end(at: int) -> None:
    strokes, typing = keystrokes("ABCD"), Typing()
    typing.feed(keystrokes("Z"), SECOND)
    told = typing.feed(strokes[: 24 * at] + event(0, 3, 0) + strokes[24 * at :] + keystrokes("EF"), SECOND)
    assert isinstance(told[0], Spoilt)
    assert "scan again" in told[0].why
    assert told[1:] == [Code("EF", SECOND)]


@given(st.lists(st.tuples(st.binary(max_size=400), st.integers(0, 10**19))))
def test_no_bytes_raise(chunks: list[tuple[bytes, int]]) -> None:
    typing = Typing()
    for data, mono_ns in chunks:
        for told in [*typing.feed(data, mono_ns), *typing.pause(mono_ns)]:
            assert told.text.isascii() if isinstance(told, Code) else told.why


numbers = st.integers(0, 2**16 - 1)
values = st.integers(-(2**31), 2**31 - 1)
events = st.tuples(
    st.sampled_from([0, 1]) | numbers, st.sampled_from([0, 3, 28, 42, 30, 56]) | numbers, st.sampled_from([0, 1, 2]) | values
)


@given(st.lists(events), texts)
def test_after_any_events_and_a_pause_the_next_code_is_whole(noise: list[tuple[int, int, int]], text: str) -> None:
    typing = Typing()
    typing.feed(b"".join(event(*one) for one in noise), SECOND)
    typing.pause(9 * SECOND)
    assert typing.feed(keystrokes(text), 9 * SECOND) == [Code(text, 9 * SECOND)]


@given(st.lists(texts, min_size=1, max_size=4), st.lists(st.integers(1, 100), min_size=1))
def test_each_text_arrives_exactly_once_however_the_stream_is_cut(said: list[str], sizes: list[int]) -> None:
    stream, typing, told, at = b"".join(map(keystrokes, said)), Typing(), [], 0
    while at < len(stream):
        size = sizes[at % len(sizes)]
        told += typing.feed(stream[at : at + size], 0)
        at += size
    assert told == [Code(text, 0) for text in said]


class Posts:
    """Takes what is posted, and waits for what a test waits for."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[Input] = queue.SimpleQueue()

    def next(self, timeout: float = 20) -> Any:
        return self.queue.get(timeout=timeout)

    def until(self, wanted: Callable[[Any], bool]) -> tuple[list[Input], Any]:
        """What came before, and what was wanted."""
        before: list[Input] = []
        while not wanted(got := self.next()):
            before.append(got)
        return before, got


def play(folder: Path, **scene: Any) -> None:
    (folder / "new").write_text(json.dumps(scene))
    os.replace(folder / "new", folder / "scanner.json")


@contextmanager
def scanning(folder: Path, *args: Any, **options: Any) -> Iterator[Posts]:
    """A hand scanner that has reported itself ready."""
    posts = Posts()
    scanner = HandScanner(f"emulated:{folder}", posts.queue.put, *args, reopen_seconds=0.01, **options)
    scanner.start()
    try:
        assert posts.next() == DeviceReport("hand-scanner", True, f"ready, emulated:{folder}")
        yield posts
    finally:
        scanner.close()
        assert not scanner._thread.is_alive()


@pytest.mark.parametrize("direction", [None, Direction.IN, Direction.OUT])
def test_each_new_number_types_the_text_once(tmp_path: Path, direction: Direction | None) -> None:
    play(tmp_path, text="GP1:YESTERDAY", n=4)
    with scanning(tmp_path, direction, monotonic_ns=lambda: 77) as posts:
        for n, text in enumerate([PASS, PASS, "GP1:LAST"], start=5):
            play(tmp_path, text=text, n=n)
            assert posts.next() == TokenSeen(text, 77, direction=direction)
    assert posts.queue.empty()


@pytest.mark.parametrize("fault", ["noise", "half_event"])
def test_a_noisy_wire_changes_nothing(tmp_path: Path, fault: str) -> None:
    with scanning(tmp_path) as posts:
        play(tmp_path, text=PASS, n=1, fault=fault)
        assert posts.next().text == PASS
    assert posts.queue.empty()


@pytest.mark.parametrize("fault", ["dropped", "unplugged"])
def test_a_code_that_was_cut_is_told_and_the_next_is_whole(tmp_path: Path, fault: str) -> None:
    with scanning(tmp_path) as posts:
        play(tmp_path, text=PASS, n=1, fault=fault)
        told = posts.next()
        assert (told.device, told.ok) == ("hand-scanner", False)
        assert ("scan again" if fault == "dropped" else "is gone: unplugged?") in told.detail
        if fault == "unplugged":
            assert posts.next().ok
        play(tmp_path, text="GP1:NEXT", n=2)
        assert posts.next().text == "GP1:NEXT"
        if fault == "dropped":
            assert posts.next().ok
    assert posts.queue.empty()


def test_a_scanner_that_sends_no_enter_is_told_what_to_set(tmp_path: Path) -> None:
    now = [0]
    with scanning(tmp_path, monotonic_ns=lambda: now[0]) as posts:
        play(tmp_path, text="GP1:A", n=1, fault="no_enter")
        while True:
            try:
                told = posts.next(timeout=0.05)
                break
            except queue.Empty:
                now[0] += 3 * SECOND
        assert not told.ok
        assert "set the scanner to send Enter" in told.detail


def test_unplugged_and_back(tmp_path: Path) -> None:
    with scanning(tmp_path) as posts:
        play(tmp_path, connected=False)
        assert posts.next().detail.endswith("is gone: unplugged?")
        assert posts.next().detail.endswith("is not there: unplugged?")
        play(tmp_path, connected=True, text="GP1:A", n=1)
        assert posts.next().ok
        assert posts.next().text == "GP1:A"


def test_a_garbled_scene_is_a_scanner_that_lies_idle(tmp_path: Path) -> None:
    with scanning(tmp_path) as posts:
        for body in ("{", "[]", '{"n": "1"}', '{"text": 5, "n": 9}'):
            (tmp_path / "scanner.json").write_text(body)
        play(tmp_path, text="GP1:A", n=1, battery="full")
        assert posts.next().text == "GP1:A"


def test_closing_while_it_types_more_than_a_pipe_holds(tmp_path: Path) -> None:
    play(tmp_path)
    pipe = EmulatedWedge(tmp_path).open()
    play(tmp_path, text="A" * LONGEST, n=1)
    assert os.read(pipe.fileno(), 24)
    pipe.close()
    assert not pipe._thread.is_alive()


@pytest.mark.parametrize(
    "kind, words", [("missing", "is not there: unplugged?"), ("file", "is no input device"), ("null", "is no input device")]
)
def test_what_is_no_input_device_is_told_in_words(tmp_path: Path, kind: str, words: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = "/dev/null" if kind == "null" else str(tmp_path / kind)
    posts = Posts()
    scanner = HandScanner(path, posts.queue.put, name="hand-scanner-2", reopen_seconds=0.01)
    scanner.start()
    assert posts.next() == DeviceReport("hand-scanner-2", False, f"{path} {words}")
    scanner.close()
    assert posts.queue.empty()  # told once, however often it was tried
    assert (scanner.selftest().ok, scanner.selftest().detail) == (False, f"{path} {words}")


def test_the_device_is_grabbed_and_then_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A FIFO for the node, and the one call recorded that only an input device takes."""
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(wedge.fcntl, "ioctl", lambda fd, request, value: calls.append((request, value)))
    path, posts = tmp_path / "event0", Posts()
    os.mkfifo(path)
    holder = os.open(path, os.O_RDWR)
    scanner = HandScanner(str(path), posts.queue.put)
    scanner.start()
    assert posts.next().ok
    assert calls == [(EVIOCGRAB, 1)]
    os.write(holder, keystrokes("GP1:A"))
    assert posts.next().text == "GP1:A"
    scanner.close()
    os.close(holder)


def test_a_device_that_is_grabbed_already_is_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int, request: int, value: int) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(wedge.fcntl, "ioctl", refuse)
    path = tmp_path / "event0"
    path.write_bytes(b"")
    open_before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="busy"):
        Node(str(path))
    assert len(os.listdir("/proc/self/fd")) == open_before
    assert "is grabbed by another program" in HandScanner(str(path), lambda _: None).selftest().detail


def test_the_self_test_opens_and_lets_go(tmp_path: Path) -> None:
    scanner = HandScanner(f"emulated:{tmp_path}", lambda _: None)
    assert scanner.selftest().ok
    assert scanner.selftest().device == "hand-scanner"
    assert [thread.name for thread in threading.enumerate() if "hand scanner" in thread.name] == []


def test_the_configured_scanners_have_names_and_ways(tmp_path: Path) -> None:
    settings = StationSettings(
        place=Place(station="s", gate="g", gate_name="东门", compound="c", compound_name="花园"),
        hub=Hub(keys={}, sealing_kid="", sealing=""),
        hand_scanners=(HandScannerSettings(device="emulated:a"), HandScannerSettings(device="/dev/input/x", direction="out")),
    )
    scanners = open_hand_scanners(Located(settings, tmp_path), lambda _: None)
    assert [(scanner.name, scanner._device, scanner._direction) for scanner in scanners] == [
        ("hand-scanner", f"emulated:{tmp_path / 'a'}", None), ("hand-scanner-2", "/dev/input/x", Direction.OUT),
    ]  # fmt: skip
