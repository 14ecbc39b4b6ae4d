"""Whatever happens, in whatever order: what a gate may never do."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import structs

from contract.directory import Directory, InspectionFinding, InspectionFindings, Isolating, Policies, Revocations
from contract.events import (
    Band,
    BarrierOpened,
    Correction,
    Direction,
    Entry,
    GapAnswered,
    Outcome,
    PhotoAttached,
    Started,
    Tallied,
    Who,
    kind_of,
)
from contract.five import Item
from kiosk import inputs
from kiosk.drivers.base import BodyMeasurement, BodySite, Fault, FaultKind, Measurement
from kiosk.inputs import BodyMeasured, DeviceReport, DirectoryArrived, LinkChanged, Measured, SeveralSeen, TokenSeen
from kiosk.lasting import SHOWN_GAP_SECONDS, replay
from kiosk.state import Measuring, Typing
from kiosk.view import resident_view
from kiosk.vitals import Log, vitals
from tests.unit.gate_driver import AMBIENT, BADGES, DIRECTORY, FEVER, LOW, NOBODY, NORMAL, RESIDENTS, SETUP, START, Gate, pass_id
from tests.unit.test_station_people import WHOLE

WHY = {"isolating", "revoked", "fever", "homecoming", "colour_refer", "expired", "forged", "passback"}
SENTENCES = {
    "show_pass", "one_by_one", "measuring", "ok_enter", "ok_leave", "again", "wrist", "wait_aside", "not_allowed",
    "please_wait", "emergency", "badge_pin", "show_desk_code", "show_register_code", "closed", "which_home", "next_one",
}  # fmt: skip
TOUCHES = st.one_of(
    st.builds(inputs.SetDirection, direction=st.sampled_from(Direction)),
    st.builds(inputs.TypeTemperature, celsius=st.sampled_from([36.6, 38.0, 35.0, 43.0, 365.0]), typed_seconds=st.just(2.0)),
    st.builds(inputs.OpenChecklist, item=st.sampled_from(Item)),
    st.builds(inputs.DeclareByEye, item=st.sampled_from(Item)),
    st.builds(inputs.Decide, admit=st.booleans()),
    st.builds(inputs.AddPerson, role=st.sampled_from(["child", "elder"])),
    st.builds(inputs.FindHolder, pass_id=st.sampled_from([pass_id(1), pass_id(9), pass_id(77)])),
    st.builds(
        inputs.Register,
        who=st.sampled_from(["visitor", "courier", "worker", "traveller"]),
        building=st.sampled_from(["", "3号"]),
        host_confirmed=st.booleans(),
        key_area=st.booleans(),
        people=st.integers(1, 2),
    ),
    st.builds(
        inputs.RegisterVehicle,
        plate=st.sampled_from(["", "沪A1"]),
        taxi=st.booleans(),
        people=st.integers(1, 3),
        boot_checked=st.booleans(),
        host_confirmed=st.booleans(),
        booking=st.sampled_from([None, "b1", "b2"]),
    ),
    st.builds(
        inputs.KeyIn,
        time=st.sampled_from(["00:00", "07:39", "23:59"]),
        direction=st.sampled_from(Direction),
        celsius=st.sampled_from([None, 36.5, 38.5, 99.0]),
        pass_id=st.sampled_from([None, pass_id(9)]),
    ),
    st.builds(inputs.AnswerGap, missed=st.booleans()),
    st.builds(inputs.ShutGate, shut=st.booleans()),
    st.builds(inputs.OpenSettings, pin=st.sampled_from(["0000", "1"])),
    st.builds(inputs.ChangeSettings, loudness=st.integers(0, 100)),
    st.sampled_from(
        [
            inputs.PutAside(),
            inputs.CheckBoot(),
            inputs.Tally(),
            inputs.OpenBarrier(),
            inputs.CloseSettings(),
            inputs.CheckDevices(),
            inputs.Extend(),
        ]
    ),
    st.builds(inputs.EnterPin, pin=st.sampled_from(["1234", "5678", "0"])),
    st.sampled_from(
        [inputs.ConfirmDuty(), inputs.SignOff(), inputs.Cancel(), inputs.Retake(), inputs.SetLanguage(language="en")]
    ),
)
CODES = [*RESIDENTS, *BADGES, "desk-today", "book-today", "desk-yesterday", "https://example.org", "GP1:%%%"]
DIRECTORIES = [
    DIRECTORY,
    structs.replace(DIRECTORY, version=8, isolating=Isolating(ids=(pass_id(1),))),
    structs.replace(DIRECTORY, version=9, revocations=Revocations(ids=(pass_id(2), pass_id(101)))),
    structs.replace(
        DIRECTORY, version=10, findings=InspectionFindings(findings=(InspectionFinding(gate="g1", item="desk", at=START),))
    ),
    Directory(version=11, keys=DIRECTORY.keys),
    structs.replace(WHOLE, version=12, policies=Policies(question_share=0.5)),
]


class AnyOrder(RuleBasedStateMachine):
    """Every input at any moment, with a journal that breaks and power that is cut."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate(replace(SETUP, barrier=True, presence=True, settings_pin="0000"), directory=WHOLE)
        self.gate.equip()
        self.emergencies = self.lost_pulses = 0
        self.used: dict[str, set[int]] = {}
        self.pressed: set[int] = set()

    @rule(text=st.sampled_from(CODES))
    def show(self, text: str) -> None:
        self.gate.show(text)

    @rule(text=st.sampled_from(CODES), ago=st.integers(0, 3000))
    def show_seen_earlier(self, text: str, ago: int) -> None:
        self.gate.give(TokenSeen(text, self.gate.now.mono_ns - ago * 10**6))

    @rule(text=st.sampled_from(RESIDENTS), skins=st.lists(st.sampled_from([NORMAL, FEVER, LOW, NOBODY]), min_size=1, max_size=3))
    def somebody_comes(self, text: str, skins: list[float]) -> None:
        self.feel(NOBODY, 1)
        self.gate.show(text)
        for skin in skins:
            self.feel(skin, 12)

    @rule(text=st.sampled_from(RESIDENTS), celsius=st.sampled_from([36.6, 36.4, 38.0, 35.0]), admit=st.booleans())
    def somebody_is_typed_in(self, text: str, celsius: float, admit: bool) -> None:
        self.gate.wait(11)
        self.gate.show(text)
        for _ in range(2):
            self.gate.give(inputs.TypeTemperature(celsius=celsius, typed_seconds=2.0))
        self.gate.give(inputs.Decide(admit=admit))

    @rule()
    def two_codes(self) -> None:
        self.gate.give(SeveralSeen(self.gate.now.mono_ns))

    @rule(skin=st.sampled_from([NORMAL, FEVER, LOW, NOBODY, 60.0, None]), times=st.integers(1, 8))
    def feel(self, skin: float | None, times: int) -> None:
        for _ in range(times):
            self.gate.wait(0.2)
            self._sample(skin)

    def _sample(self, skin: float | None) -> None:
        at = self.gate.now.mono_ns
        before, known = self.gate.state.at_hand, len(self.gate.events)
        fault = Fault(FaultKind.STUCK, "stuck", at)
        self.gate.give(Measured(fault if skin is None else Measurement(skin, AMBIENT, at)))
        after = self.gate.state.at_hand
        if isinstance(before, Measuring) and isinstance(after, Measuring):
            measured = len(before.person.readings)
            if len(after.person.readings) > measured:
                self._use(f"{before.person.seen_ns}/{measured}/{at}", before, at)
        for event in self.gate.events[known:]:
            if isinstance(event.body, Entry) and event.body.reading is not None:
                assert isinstance(before, Measuring)
                self._use(event.id, before, at)

    @rule(
        celsius=st.sampled_from([36.6, 38.0, 35.0, 43.5, 12.0]),
        ago=st.sampled_from([0, 1, 5, 40]),
        site=st.sampled_from(BodySite),
    )
    def somebody_presses_the_button_of_a_thermometer(self, celsius: float, ago: int, site: BodySite) -> None:
        """Its figure may arrive late, and twice."""
        at = self.gate.now.mono_ns - ago * 10**9
        for _ in range(2):
            before, known = self.gate.state.at_hand, len(self.gate.events)
            self.gate.give(BodyMeasured(BodyMeasurement(celsius, at, site), "health-thermometer"))
            after = self.gate.state.at_hand
            taken = len(after.person.readings) if isinstance(after, Measuring | Typing) else 0
            measured = len(before.person.readings) if isinstance(before, Measuring | Typing) else 0
            decided = [e.body for e in self.gate.events[known:] if isinstance(e.body, Entry) and e.body.reading is not None]
            if decided or taken > measured:
                assert isinstance(before, Measuring | Typing)
                assert at > before.person.seen_ns
                assert at not in self.pressed
                self.pressed.add(at)
                assert all(one.reading.source == "health-thermometer" for one in decided if one.reading)

    def _use(self, what: str, before: Measuring, at: int) -> None:
        samples = {sample.mono_ns for sample in before.samples} | {at}
        assert min(samples) > before.person.seen_ns
        assert not any(samples & others for others in self.used.values())
        self.used[what] = samples

    @rule(touch=TOUCHES)
    def touch(self, touch: Any) -> None:
        self.gate.give(touch)

    @rule(badge=st.sampled_from([0, 1]))
    def sign_in(self, badge: int) -> None:
        self.gate.sign_in(badge)

    @rule(choice=st.integers(0, 5), touch=st.sampled_from(["recall", "gone", "admit", "turn away"]))
    def somebody_at_the_side(self, choice: int, touch: str) -> None:
        waiting = self.gate.screen.aside
        entry = waiting[choice % len(waiting)].id if waiting else "none"
        touches: dict[str, inputs.Touch] = {
            "recall": inputs.Recall(entry=entry), "gone": inputs.Gone(entry=entry),
            "admit": inputs.Decide(admit=True, entry=entry), "turn away": inputs.Decide(admit=False, entry=entry),
        }  # fmt: skip
        self.gate.give(touches[touch])

    @rule(choice=st.integers(0, 5))
    def a_visitor_leaves(self, choice: int) -> None:
        visits = self.gate.screen.visits
        self.gate.give(inputs.EndVisit(entry=visits[choice % len(visits)].entry if visits else "none"))

    @rule(people=st.integers(1, 3), skins=st.lists(st.sampled_from([NORMAL, FEVER, LOW]), min_size=1, max_size=4))
    def a_vehicle_comes(self, people: int, skins: list[float]) -> None:
        self.feel(NOBODY, 1)
        self.gate.give(inputs.RegisterVehicle(plate="沪A1", people=people, boot_checked=True, host_confirmed=True))
        for skin in skins:
            self.feel(NOBODY, 1)
            self.feel(skin, 9)

    @rule(passed=st.integers(0, 3), present=st.booleans())
    def sensors(self, passed: int, present: bool) -> None:
        self.gate.give(*[inputs.PersonPassed()] * passed, inputs.PresenceChanged(present), inputs.BarrierReleased())

    @rule()
    def correct(self) -> None:
        entries = self.gate.state.lasting.entries
        self.gate.give(inputs.Correct(entry=entries[-1].id if entries else "none"))

    @rule(touch=st.sampled_from([inputs.Emergency(), inputs.WalkedThrough()]))
    def never_blocked(self, touch: Any) -> None:
        raised = self.gate.raised
        self.gate.give(touch)
        assert self.gate.raised == raised + isinstance(touch, inputs.Emergency), "whatever the journal does"
        self.gate.give(inputs.CallHelp())
        self.emergencies += 1

    @rule(device=st.sampled_from(["camera", "scanner"]), ok=st.booleans())
    def device(self, device: str, ok: bool) -> None:
        self.gate.give(DeviceReport(device, ok, "why"), LinkChanged(ok, "", 3))

    @rule(directory=st.sampled_from(DIRECTORIES))
    def directory(self, directory: Directory) -> None:
        self.gate.give(DirectoryArrived(directory))

    @rule(seconds=st.sampled_from([0.2, 2.0, 4.0, 11.0, 30.0, 61.0, 700.0, 1900.0, 15000.0]))
    def wait(self, seconds: float) -> None:
        self.gate.wait(seconds)

    @rule(broken=st.booleans())
    def journal(self, broken: bool) -> None:
        self.gate.broken = broken

    @rule(seconds=st.sampled_from([1.0, 120.0, 9000.0]), kept=st.booleans())
    def power_cut(self, seconds: float, kept: bool) -> None:
        """What was not yet on the disk is lost, and was never shown as done."""
        unsaved = [body for record in self.gate.state.unsaved for body in record.bodies]
        self.emergencies -= sum(_never_blocked(body) for body in unsaved)
        self.lost_pulses += sum(_pulse(body) for body in unsaved)
        self.gate.pass_time(seconds)
        self.gate.start()
        if kept:
            self.gate.give(DirectoryArrived(DIRECTORY))

    @invariant()
    def everything_shown_as_done_is_recorded(self) -> None:
        screen = self.gate.screen
        recorded = {event.id: event.body for event in self.gate.events}
        if screen.outcome is not None:
            body = recorded[screen.entry or ""]
            assert isinstance(body, Entry)
            assert (body.outcome, body.reasons) == (screen.outcome, screen.reasons)

    @invariant()
    def nobody_is_let_in_unmeasured_or_with_a_fever_but_by_somebodys_name(self) -> None:
        recorded = {event.id: event.body for event in self.gate.events}
        for body in recorded.values():
            if not isinstance(body, Entry) or body.outcome is not Outcome.ADMIT or body.direction is not Direction.IN:
                continue
            chain = list(_chain(recorded, body))
            if body.written is not None:
                assert body.by is not None
            elif "confirmed_by_volunteer" in body.reasons:
                assert body.by is not None
                assert any(one.outcome is Outcome.REFER for one in chain)
                measured = any(one.reading for one in (body, *chain))
                assert measured or any("no_reading" in one.reasons for one in chain)
            else:
                readings = [body.reading, *(companion.reading for companion in body.companions)]
                assert {reading and reading.band for reading in readings} == {Band.NORMAL}
                assert len(readings) == body.people

    @invariant()
    def the_side_list_is_of_referrals_that_nothing_has_followed(self) -> None:
        entries = [event for event in self.gate.events if isinstance(event.body, Entry)]
        mistaken = {body.corrects for body in self.gate.bodies(Correction) if body.cancelled}
        followed = {event.body.follows for event in entries if event.id not in mistaken}
        referred = {event.id for event in entries if event.body.outcome is Outcome.REFER}
        assert set(self.gate.state.lasting.aside) <= referred - followed - mistaken

    @invariant()
    def whoever_is_written_down_by_hand_is_so_by_somebodys_name(self) -> None:
        recorded = {event.id: event.body for event in self.gate.events}
        for entry in self.gate.bodies(Entry):
            if entry.found in ("list", "paper") or entry.who in (Who.VISITOR, Who.COURIER, Who.WORKER, Who.TRAVELLER):
                named = any(one.by for one in (entry, *_chain(recorded, entry)))
                assert named or entry.visit is not None or set(entry.reasons) & {"left"}

    @invariant()
    def emergencies_are_all_recorded(self) -> None:
        waiting = [body for record in self.gate.state.unsaved for body in record.bodies]
        written = [event.body for event in self.gate.events]
        assert sum(_never_blocked(body) for body in (*written, *waiting)) == self.emergencies

    @invariant()
    def nobody_signed_off_counts_as_present(self) -> None:
        if self.gate.state.lasting.shift is None:
            assert not self.gate.item("volunteer")[0]
            assert self.gate.screen.volunteer is None

    @invariant()
    def every_pulse_of_the_barrier_is_written_down(self) -> None:
        waiting = [body for record in self.gate.state.unsaved for body in record.bodies]
        written = [event.body for event in self.gate.events]
        assert self.gate.raised == sum(_pulse(body) for body in (*written, *waiting)) + self.lost_pulses

    @invariant()
    def a_photo_belongs_to_something_that_wanted_one(self) -> None:
        known = {event.id: event.body for event in self.gate.events}
        for photo in self.gate.bodies(PhotoAttached):
            about = known[photo.event]
            wanted = about.outcome.value if isinstance(about, Entry) else {"help": "help", "gate_shut": "lock"}[kind_of(about)]
            assert photo.purpose == wanted

    @invariant()
    def a_power_cut_is_told_until_somebody_has_answered_for_it(self) -> None:
        told = False
        for body in (event.body for event in self.gate.events):
            if isinstance(body, Started) and body.unclean and (body.gap_seconds or 0) >= SHOWN_GAP_SECONDS:
                told = True
            elif isinstance(body, GapAnswered):
                told = False
        assert (self.gate.screen.gap_minutes is not None) == told

    @invariant()
    def a_locked_gate_says_so(self) -> None:
        screen = self.gate.screen
        if screen.shut and screen.phase == "waiting":
            assert screen.sentence == "closed"

    @invariant()
    def tallies_are_kept_within_bounds(self) -> None:
        assert len(self.gate.state.lasting.tallied) <= 193
        assert self.gate.screen.couriers <= len(self.gate.bodies(Tallied))

    @invariant()
    def the_journal_gives_the_same_state(self) -> None:
        assert replay(self.gate.events) == self.gate.state.lasting

    @invariant()
    def the_resident_never_hears_why(self) -> None:
        told = resident_view(self.gate.screen)
        assert told.sentence in SENTENCES - WHY
        assert told.tone in {"look", "waiting", *Outcome}
        assert not WHY & set(re.findall(r"\w+", msgspec.json.encode(told).decode()))
        assert set(self.gate.said) <= SENTENCES - WHY

    @invariant()
    def the_pulse_says_what_the_screen_says(self) -> None:
        pulse = vitals(self.gate.state, Log("b", len(self.gate.events), 0), self.gate.now, self.gate.setup)
        present = {e.item for e in pulse.evidence if e.present}
        assert {item.item for item in self.gate.screen.items if item.present} <= present


def _chain(recorded: dict[str, Any], entry: Entry) -> Iterator[Entry]:
    """The entries that one continues, the newest first."""
    while entry.follows:
        entry = recorded[entry.follows]
        yield entry


def _pulse(body: object) -> bool:
    return isinstance(body, BarrierOpened) and body.cause != "button"


def _never_blocked(body: object) -> bool:
    return isinstance(body, Entry) and body.outcome in (Outcome.EMERGENCY, Outcome.UNCHECKED)


AnyOrder.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyOrder = pytest.mark.timeout(600)(AnyOrder.TestCase)
