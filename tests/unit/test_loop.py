"""The loop: inputs in, effects out, and no fault ends it."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract.events import BarrierOpened, Body, Clock, Direction, Entry, Event, Outcome, PhotoAttached, Started
from contract.sealing import Personal, Sealed
from kiosk import inputs
from kiosk.drivers.base import Fault, FaultKind, SelfTest
from kiosk.inputs import CheckPin, DeviceReport, DirectoryArrived, Now
from kiosk.journal import JournalUnavailable
from kiosk.loop import Loop
from kiosk.view import Snapshot
from tests.unit.gate_driver import BADGES, DIRECTORY, RESIDENTS, SETUP, START

OUT = inputs.SetDirection(direction=Direction.OUT)
SETUP_WITH_BARRIER = replace(SETUP, barrier=True, settings_pin="2468")


class MemoryJournal:
    """A journal in memory, which can be made to fail."""

    boot = "b1"

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.broken = False
        self._ids = itertools.count(1)

    @property
    def last_seq(self) -> int:
        return len(self.events)

    def append(self, *bodies: Body, first_id: str | None = None) -> tuple[Event, ...]:
        if self.broken:
            raise JournalUnavailable(Path("journal.db"), OSError("no space"))
        new = tuple(self._event(n, body, first_id) for n, body in enumerate(bodies))
        self.events += new
        return new

    def _event(self, n: int, body: Body, first_id: str | None) -> Event:
        made = first_id if first_id and n == 0 else f"m{next(self._ids)}"
        mono, seq = time.monotonic_ns(), len(self.events) + n + 1
        return Event(seq=seq, id=made, at=START, boot="b1", mono_ns=mono, clock=Clock.SYNCED, body=body)

    def all_events(self) -> list[Event]:
        return list(self.events)

    def backlog(self) -> int:
        return len(self.events)

    def entries(self) -> list[Entry]:
        return [event.body for event in self.events if isinstance(event.body, Entry)]


class World:
    """Everything around a loop."""

    def __init__(self) -> None:
        self.journal, self.said, self.notified = MemoryJournal(), list[str](), 0
        self.sealed: list[Personal] = []
        self.say: Callable[[str], None] = self.said.append
        self.pin: Callable[[CheckPin], bool] = lambda asked: asked.pin == asked.pin_hash
        self.photo: Callable[[str], str | None] = lambda _: "ab" * 32
        self.raised, self.shut_downs = list[int](), 0
        self.barrier: Callable[[], Fault | None] = self._raise
        self.tests: Callable[[], tuple[SelfTest, ...]] = lambda: (SelfTest("camera", True, "1280×720"),)
        self.began = time.monotonic_ns()
        self.loop = self.make()

    def make(self) -> Loop:
        return Loop(
            SETUP_WITH_BARRIER, self.journal, seal=self._seal, check_pin=lambda asked: self.pin(asked),
            take_photo=lambda purpose: self.photo(purpose), say=lambda sentence: self.say(sentence),
            raise_barrier=lambda: self.barrier(), self_test=lambda: self.tests(), shut_down=self._shut_down,
            on_committed=self._notify, clock=self._now,
        )  # fmt: skip

    def until(self, wanted: Callable[[Snapshot], bool], seconds: float = 5) -> Snapshot:
        """Wait for a snapshot that is as wanted."""
        end, screen = time.monotonic() + seconds, self.loop.snapshot()
        while not wanted(screen):
            assert time.monotonic() < end, screen
            screen = self.loop.wait(screen.n, 0.2)
        return screen

    def show(self, text: str) -> None:
        self.loop.post(inputs.TokenSeen(text, time.monotonic_ns()))

    def _seal(self, personal: Personal) -> Sealed:
        self.sealed.append(personal)
        return Sealed(key="k", box="sealed")

    def _raise(self) -> None:
        self.raised.append(len(self.journal.entries()))

    def _shut_down(self) -> None:
        self.shut_downs += 1

    def _notify(self) -> None:
        self.notified += 1

    def _now(self) -> Now:
        gone = time.monotonic_ns() - self.began
        return Now(START + timedelta(microseconds=gone / 1000), time.monotonic_ns(), True)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with made.loop:
        made.loop.post(DirectoryArrived(DIRECTORY))
        yield made


def test_an_exit_is_recorded_shown_said_and_told_to_the_uplink(world: World) -> None:
    world.loop.post(OUT)
    world.show(RESIDENTS[0])
    screen = world.until(lambda s: s.outcome is Outcome.ADMIT)
    assert (screen.sentence, screen.entry, world.said) == ("ok_leave", world.journal.events[-1].id, ["ok_leave"])
    assert world.notified == 3  # started, directory, entry
    assert isinstance(world.journal.events[0].body, Started)


def test_personal_fields_are_sealed_to_their_own_entry(world: World) -> None:
    world.loop.post(OUT)
    world.show(RESIDENTS[0])
    world.until(lambda s: s.outcome is Outcome.ADMIT)
    assert world.sealed == [Personal(event=world.journal.events[-1].id, name="王*明", dwelling="3号501")]
    assert world.journal.entries()[0].personal == Sealed(key="k", box="sealed")


def test_what_can_not_be_sealed_is_left_out(world: World) -> None:
    world._seal = None  # type: ignore[assignment]
    world.loop._seal = lambda _: 1 / 0  # type: ignore[assignment,return-value]
    world.loop.post(OUT)
    world.show(RESIDENTS[0])
    world.until(lambda s: s.outcome is Outcome.ADMIT)
    assert world.journal.entries()[0].personal is None


def test_signing_in_checks_the_pin_aside(world: World) -> None:
    world.show(BADGES[0])
    world.until(lambda s: s.phase == "pin")
    world.loop.post(inputs.EnterPin(pin="1234"))
    world.until(lambda s: s.volunteer is not None)


def test_a_fault_in_the_pin_check_is_no_sign_in(world: World) -> None:
    world.pin = lambda _: bool(1 / 0)
    world.show(BADGES[0])
    world.until(lambda s: s.phase == "pin")
    world.loop.post(inputs.EnterPin(pin="1234"))
    screen = world.until(lambda s: s.error == "wrong_pin" and "pin" in s.devices)
    assert (screen.volunteer, screen.devices["pin"]) == (None, False)


def test_a_failing_journal_shows_nothing_as_done_and_loses_nothing(world: World) -> None:
    world.until(lambda s: True)
    world.loop.post(OUT)
    world.until(lambda s: s.direction is Direction.OUT)
    world.journal.broken = True
    world.show(RESIDENTS[0])
    screen = world.until(lambda s: s.sentence == "please_wait")
    assert (screen.outcome, screen.journal_problem) == (None, "journal_failed")
    world.loop.post(inputs.WalkedThrough())
    world.journal.broken = False
    world.until(lambda s: s.outcome is Outcome.ADMIT)
    world.until(lambda s: len(s.entries) == 2)
    assert [e.outcome for e in world.journal.entries()] == ["admit", "unchecked"]
    assert world.journal.entries()[0].personal is not None


def test_a_silent_voice_stops_nothing(world: World) -> None:
    world.say = lambda _: 1 / 0  # type: ignore[assignment,return-value]
    world.loop.post(inputs.Emergency())
    screen = world.until(lambda s: s.outcome is Outcome.EMERGENCY and "voice" in s.devices)
    assert screen.devices["voice"] is False


def test_a_voice_that_is_back_is_reported(world: World) -> None:
    world.say = lambda _: 1 / 0  # type: ignore[assignment,return-value]
    world.loop.post(inputs.Emergency())
    world.until(lambda s: s.devices.get("voice") is False)
    world.say = world.said.append
    world.loop.post(inputs.Emergency())
    assert world.until(lambda s: s.devices["voice"]).device_details["voice"] == ""


def test_a_pin_check_that_works_again_is_reported(world: World) -> None:
    world.pin = lambda _: bool(1 / 0)
    world.show(BADGES[0])
    world.until(lambda s: s.phase == "pin")
    world.loop.post(inputs.EnterPin(pin="1234"))
    world.until(lambda s: s.error == "wrong_pin" and s.devices.get("pin") is False)
    world.pin = lambda asked: asked.pin == asked.pin_hash
    world.loop.post(inputs.EnterPin(pin="1234"))
    assert world.until(lambda s: s.volunteer is not None).devices["pin"]


def test_a_fault_of_the_loops_own_is_still_cleared_after_a_restart() -> None:
    world = World()
    world.pin = lambda _: bool(1 / 0)
    with world.loop:
        world.loop.post(inputs.OpenSettings(pin="2468"))
        world.until(lambda s: s.error == "wrong_pin")
    world.pin, world.loop = (lambda asked: asked.pin == asked.pin_hash), world.make()
    with world.loop:
        world.loop.post(inputs.OpenSettings(pin="2468"))
        assert world.until(lambda s: s.settings is not None).devices["pin"]


def test_the_barrier_is_raised_before_anything_is_written(world: World) -> None:
    world.loop.post(inputs.Emergency())
    world.until(lambda s: s.outcome is Outcome.EMERGENCY)
    assert world.raised == [0]
    assert [e.body for e in world.journal.events if isinstance(e.body, BarrierOpened)] == [BarrierOpened(cause="emergency")]


def test_a_broken_journal_keeps_no_barrier_down(world: World) -> None:
    world.journal.broken = True
    world.loop.post(inputs.Emergency())
    world.until(lambda s: s.journal_problem is not None)
    assert world.raised == [0]


def test_a_barrier_that_gives_a_fault_is_reported_until_it_works(world: World) -> None:
    world.barrier = lambda: Fault(FaultKind.NO_ANSWER, "the relay could not be switched", 1)
    world.loop.post(inputs.Emergency())
    assert not world.until(lambda s: "barrier" in s.devices).devices["barrier"]
    world.barrier = world._raise
    world.loop.post(inputs.Emergency())
    world.until(lambda s: s.devices["barrier"])


def test_a_barrier_that_raises_stops_nothing(world: World) -> None:
    world.barrier = lambda: 1 / 0  # type: ignore[assignment,return-value]
    world.loop.post(inputs.Emergency())
    screen = world.until(lambda s: s.outcome is Outcome.EMERGENCY and "barrier" in s.devices)
    assert not screen.devices["barrier"]


def test_a_photo_is_attached_to_its_event(world: World) -> None:
    world.loop.post(inputs.Emergency())
    entry = world.until(lambda s: s.outcome is Outcome.EMERGENCY).entry
    world.until(lambda s: any(isinstance(e.body, PhotoAttached) for e in world.journal.events))
    attached = next(e.body for e in world.journal.events if isinstance(e.body, PhotoAttached))
    assert attached == PhotoAttached(event=entry or "", photo="ab" * 32, purpose="emergency")


def test_a_camera_that_fails_for_a_photo_takes_nothing_else_away(world: World) -> None:
    world.photo = lambda _: 1 / 0  # type: ignore[assignment,return-value]
    world.loop.post(DeviceReport("camera", True, ""))
    world.loop.post(inputs.Emergency())
    screen = world.until(lambda s: s.devices.get("photo") is False)
    assert (screen.devices["camera"], screen.outcome, screen.error) == (True, Outcome.EMERGENCY, None)
    assert not any(isinstance(e.body, PhotoAttached) for e in world.journal.events)


def test_devices_test_themselves_aside(world: World) -> None:
    world.loop.post(inputs.OpenSettings(pin="2468"))
    world.until(lambda s: s.settings is not None)
    world.loop.post(inputs.CheckDevices())
    screen = world.until(lambda s: bool(s.settings and s.settings.tests))
    assert screen.settings is not None
    assert (screen.settings.tests, screen.settings.testing) == ((("camera", True, "1280×720"),), False)


def test_a_self_test_that_fails_ends_all_the_same(world: World) -> None:
    world.tests = lambda: 1 / 0  # type: ignore[assignment,return-value]
    world.loop.post(inputs.OpenSettings(pin="2468"))
    world.until(lambda s: s.settings is not None)
    world.loop.post(inputs.CheckDevices())
    screen = world.until(lambda s: bool(s.settings and s.settings.tests))
    assert screen.settings is not None
    assert (screen.settings.testing, screen.settings.tests[0][:2]) == (False, ("selftest", False))


def test_the_buttons(world: World) -> None:
    world.loop.post(inputs.ButtonPressed("shutdown"))
    world.loop.post(inputs.Emergency())
    world.until(lambda s: s.outcome is Outcome.EMERGENCY)
    assert world.shut_downs == 1


def test_turns_rise_while_it_lives(world: World) -> None:
    before, end = world.loop.turns, time.monotonic() + 5
    while world.loop.turns < before + 2:
        assert time.monotonic() < end
        world.loop.wait(world.loop.snapshot().n, 0.1)


def test_an_input_that_can_not_be_handled_stops_nothing(world: World) -> None:
    world.loop.post("nonsense")  # type: ignore[arg-type]
    world.loop.post(inputs.Emergency())
    world.until(lambda s: s.outcome is Outcome.EMERGENCY)


def test_the_checklist_takes_a_picture(world: World) -> None:
    world.show(BADGES[0])
    world.until(lambda s: s.phase == "pin")
    world.loop.post(inputs.EnterPin(pin="1234"))
    world.until(lambda s: s.volunteer is not None)
    world.loop.post(inputs.OpenChecklist(item=inputs.Item.DESK))
    world.show("desk-today")
    world.until(lambda s: any(i.item == "desk" and i.present for i in s.items))


def test_n_rises_only_with_a_change(world: World) -> None:
    world.loop.post(DeviceReport("camera", True, ""))
    n = world.until(lambda s: s.devices.get("camera", False)).n
    assert world.loop.wait(n, 0.5).n <= n + 1
    world.loop.post(inputs.SetLanguage(language="en"))
    assert world.until(lambda s: s.language == "en").n > n


def test_vitals(world: World) -> None:
    world.until(lambda s: len(world.journal.events) == 2)
    pulse = world.loop.vitals()
    assert (pulse.boot, pulse.last_seq, pulse.backlog, pulse.directory_version) == ("b1", 2, 2, 7)


def test_a_restart_goes_on_from_the_journal() -> None:
    world = World()
    with world.loop:
        world.loop.post(inputs.Emergency())
        world.until(lambda s: s.outcome is Outcome.EMERGENCY)
    world.loop = world.make()
    with world.loop:
        assert [e.outcome for e in world.loop.snapshot().entries] == [Outcome.EMERGENCY]
