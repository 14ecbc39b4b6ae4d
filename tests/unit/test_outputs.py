"""Light, buzzer and backlight follow the snapshots, and no fault of theirs ends anything."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from contract.events import Direction, Outcome
from kiosk.drivers.backlight import Backlight
from kiosk.drivers.buzzer import Buzzer
from kiosk.drivers.light import TrafficLight
from kiosk.inputs import DeviceReport, Input
from kiosk.outputs import Outputs, brightness_of, colour_of, sound_of
from kiosk.view import Phase, Snapshot

WAITING = Snapshot(
    n=0, station="s1", gate="东门", compound="和平苑", clock="07:40", clock_synced=True, language="zh", phase=Phase.WAITING,
    direction=Direction.IN, sentence="show_pass", outcome=None, reasons=(), can_decide=False, can_retake=False, holder=None,
    reading=None, seconds_left=None, sound=None, checklist_item=None, error=None, items=(), compliant=True, volunteer=None,
    entries=(), inside=None, online=True, link_detail="", backlog=0, devices={}, device_details={}, needs_typing=False,
    journal_problem=None, gap_minutes=None, notices=(),
)  # fmt: skip
RED, AMBER, GREEN, BUZZER = 17, 27, 22, 18


def screen(**changes: Any) -> Snapshot:
    return structs.replace(WAITING, **changes)


def shown(outcome: Outcome, **changes: Any) -> Snapshot:
    return screen(phase=Phase.OUTCOME, outcome=outcome, **changes)


class Player:
    """A buzzer that notes what it is to play."""

    name = "buzzer"

    def __init__(self) -> None:
        self.played: list[str] = []

    def play(self, sound: str) -> None:
        self.played.append(sound)


class World:
    """Snapshots from a loop that a test is, and real devices on mock pins."""

    def __init__(self, folder: Path) -> None:
        self.pins, self.seconds, self.posts = MockFactory(), 0.0, list[Input]()
        self.newest: Snapshot | Exception = WAITING
        (folder / "max_brightness").write_text("200")
        self.brightness = folder / "brightness"
        self.brightness.write_text("0")
        self.light = TrafficLight(red=RED, amber=AMBER, green=GREEN, pin_factory=self.pins)
        self.buzzer = Player()
        self.outputs = self.make(backlight=Backlight(folder))

    def make(self, **devices: Any) -> Outputs:
        return Outputs(
            self._wait, self.posts.append, light=self.light, buzzer=self.buzzer, monotonic=lambda: self.seconds, **devices
        )  # fmt: skip

    def show(self, snapshot: Snapshot | Exception) -> None:
        """A newer snapshot comes, or none does."""
        old = self.newest
        if isinstance(snapshot, Snapshot) and isinstance(old, Snapshot):
            snapshot = structs.replace(snapshot, n=old.n + 1)
        self.newest = snapshot
        self.outputs.follow()

    @property
    def lamps(self) -> str:
        lit = {"red": RED, "amber": AMBER, "green": GREEN}
        return "+".join(colour for colour, pin in lit.items() if self.pins.pin(pin).state)

    def _wait(self, n: int, timeout: float) -> Snapshot:
        if isinstance(self.newest, Exception):
            raise self.newest
        return self.newest


def reports(world: World) -> list[DeviceReport]:
    return [post for post in world.posts if isinstance(post, DeviceReport)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.outputs.close()
    made.light.close()


@pytest.mark.parametrize(
    "snapshot, colour",
    [
        (WAITING, "off"),
        (screen(compliant=False), "off"),
        (screen(sentence="closed"), "off"),
        (screen(phase=Phase.SEVERAL), "amber"),
        (screen(phase=Phase.MEASURING), "amber"),
        (screen(phase=Phase.TYPING), "amber"),
        (screen(phase=Phase.OUTCOME), "amber"),
        (screen(phase=Phase.PIN), "off"),
        (screen(phase=Phase.CHECKLIST), "off"),
        (shown(Outcome.ADMIT), "green"),
        (shown(Outcome.EMERGENCY), "green"),
        (shown(Outcome.REFUSE), "red"),
        (shown(Outcome.REFER), "amber"),
        (shown(Outcome.RETAKE), "amber"),
        (shown(Outcome.UNCHECKED), "amber"),
    ],
)
def test_the_light(snapshot: Snapshot, colour: str) -> None:
    assert colour_of(snapshot) == colour


def test_the_light_never_tells_why() -> None:
    for outcome in Outcome:
        plain, told = shown(outcome), shown(outcome, reasons=("isolating", "revoked", "fever"), compliant=False)
        assert colour_of(plain) == colour_of(told)


@pytest.mark.parametrize(
    "sound, loudness, played", [("good", 85, "good"), ("stop", 1, "stop"), ("wait", 0, None), (None, 85, None), ("odd", 85, None)]
)
def test_the_buzzer_knows_three_sounds_and_is_silent_when_all_is(sound: str | None, loudness: int, played: str | None) -> None:
    assert sound_of(screen(sound=sound, loudness=loudness)) == played


@given(st.integers(0, 100))
def test_the_night_is_darker(brightness: int) -> None:
    day, night = screen(brightness=brightness), screen(brightness=brightness, night=True)
    assert brightness_of(day) == brightness
    assert brightness_of(night) < brightness_of(day) or brightness == 0


def test_the_lamps_follow(world: World) -> None:
    seen = []
    for snapshot in (WAITING, screen(phase=Phase.MEASURING), shown(Outcome.ADMIT), shown(Outcome.REFUSE), WAITING):
        world.show(snapshot)
        seen.append(world.lamps)
    assert seen == ["", "amber", "green", "red", ""]


def test_a_sound_is_played_once_for_each_entry(world: World) -> None:
    for entry, left in [("e1", 3.0), ("e1", 2.0), ("e2", 3.0), ("e2", 2.0)]:
        world.show(shown(Outcome.ADMIT, entry=entry, sound="good", seconds_left=left))
    world.show(shown(Outcome.REFUSE, entry="e2", sound="stop"))
    world.show(WAITING)
    world.show(shown(Outcome.REFUSE, entry="e2", sound="stop"))
    assert world.buzzer.played == ["good", "good", "stop"]


def test_the_backlight_follows_and_is_written_only_when_it_changes(world: World) -> None:
    world.show(screen(brightness=80))
    assert world.brightness.read_text() == "160"
    world.brightness.write_text("turned by hand")
    world.show(screen(brightness=80))
    assert world.brightness.read_text() == "turned by hand"
    world.show(screen(brightness=80, night=True))
    assert world.brightness.read_text() == "48"


def test_no_new_snapshot_for_five_seconds__the_light_goes_off(world: World) -> None:
    world.show(shown(Outcome.ADMIT))
    world.seconds = 4.9
    world.outputs.follow()
    assert world.lamps == "green"
    world.seconds = 5.0
    world.outputs.follow()
    assert world.lamps == ""
    world.show(shown(Outcome.ADMIT))
    assert world.lamps == "green"


def test_snapshots_that_can_not_be_had__the_light_goes_off(world: World) -> None:
    world.show(shown(Outcome.ADMIT))
    world.outputs._stop.set()  # so that it does not pause
    world.seconds = 5.0
    world.show(RuntimeError("the loop is gone"))
    assert world.lamps == ""


def test_a_fault_is_posted_once_and_its_end_once(world: World) -> None:
    pin = world.pins.pin(RED)
    pin._function = "input"
    for second in range(3):
        world.show(shown(Outcome.REFUSE, seconds_left=float(second)))
    pin._function = "output"
    for second in range(3):
        world.show(shown(Outcome.REFUSE, seconds_left=float(second)))
    assert [(post.device, post.ok) for post in reports(world)] == [
        ("light", False),
        ("light", True),
    ]
    assert world.lamps == "red"


def test_a_backlight_that_was_away_is_set_when_it_is_back(world: World) -> None:
    most = world.brightness.with_name("max_brightness")
    most.unlink()
    world.show(screen(brightness=50))
    most.write_text("200")
    world.show(screen(brightness=50))
    assert world.brightness.read_text() == "100"
    assert [post.ok for post in reports(world)] == [False, True]


def test_a_fault_of_one_output_spoils_no_other(world: World) -> None:
    world.buzzer.play = lambda _: 1 / 0  # type: ignore[assignment,method-assign]
    world.show(shown(Outcome.ADMIT, entry="e1", sound="good", brightness=60))
    assert (world.lamps, world.brightness.read_text()) == ("green", "120")
    assert [post.device for post in reports(world)] == ["buzzer"]


def test_without_any_device_nothing_is_posted(world: World) -> None:
    outputs = Outputs(world._wait, world.posts.append)
    world.newest = shown(Outcome.ADMIT, n=1, entry="e1", sound="good")
    outputs.follow()
    outputs.close()
    assert world.posts == []


class Feed:
    """A loop's snapshots as the real one gives them: whoever waits is woken by the next."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest = WAITING
        self.broken = False

    def show(self, snapshot: Snapshot) -> None:
        with self._changed:
            self._newest = structs.replace(snapshot, n=self._newest.n + 1)
            self._changed.notify_all()

    def wait(self, n: int, timeout: float) -> Snapshot:
        with self._changed:
            if self.broken:
                self.broken = False
                raise RuntimeError("the loop stumbles")
            self._changed.wait_for(lambda: self._newest.n > n, timeout)
            return self._newest


def until(wanted: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)


def test_the_thread_follows_goes_on_after_a_fault_and_leaves_all_dark() -> None:
    pins, feed = MockFactory(), Feed()
    light, buzzer = TrafficLight(red=RED, amber=AMBER, green=GREEN, pin_factory=pins), Buzzer(BUZZER, pin_factory=pins)
    outputs = Outputs(feed.wait, lambda _: None, light=light, buzzer=buzzer)
    outputs.start()
    feed.show(shown(Outcome.ADMIT, entry="e1", sound="good"))
    until(lambda: pins.pin(GREEN).state)
    until(lambda: [bool(s.state) for s in pins.pin(BUZZER).states] == [False, True, False, True, False])
    feed.broken = True
    until(lambda: not feed.broken)
    feed.show(shown(Outcome.REFUSE, entry="e2", sound="stop"))
    until(lambda: pins.pin(RED).state)
    outputs.close()
    assert not any(pins.pin(pin).state for pin in (RED, AMBER, GREEN))
    buzzer.close()
    light.close()
