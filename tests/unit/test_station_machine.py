"""Whatever happens, in whatever order: what a gate may never do."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import structs

from contract.directory import Directory, InspectionFinding, InspectionFindings, Isolating, Revocations
from contract.events import Band, Direction, Entry, Outcome
from contract.five import Item
from kiosk import inputs
from kiosk.drivers.base import Fault, FaultKind, Measurement
from kiosk.inputs import DeviceReport, DirectoryArrived, LinkChanged, Measured, SeveralSeen, TokenSeen
from kiosk.lasting import replay
from kiosk.state import Measuring
from kiosk.vitals import Log, vitals
from tests.unit.gate_driver import AMBIENT, BADGES, DIRECTORY, FEVER, LOW, NOBODY, NORMAL, RESIDENTS, START, Gate, pass_id

WHY = {"isolating", "revoked", "fever", "homecoming", "colour_refer", "expired", "forged", "passback"}
SENTENCES = {
    "show_pass", "one_by_one", "measuring", "ok_enter", "ok_leave", "again", "wrist", "wait_aside", "not_allowed",
    "please_wait", "emergency", "badge_pin", "show_desk_code", "show_register_code", "closed",
}  # fmt: skip
TOUCHES = st.one_of(
    st.builds(inputs.SetDirection, direction=st.sampled_from(Direction)),
    st.builds(inputs.TypeTemperature, celsius=st.sampled_from([36.6, 38.0, 35.0, 43.0, 365.0]), typed_seconds=st.just(2.0)),
    st.builds(inputs.OpenChecklist, item=st.sampled_from(Item)),
    st.builds(inputs.DeclareByEye, item=st.sampled_from(Item)),
    st.builds(inputs.Decide, admit=st.booleans()),
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
]


class AnyOrder(RuleBasedStateMachine):
    """Every input at any moment, with a journal that breaks and power that is cut."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()
        self.gate.equip()
        self.emergencies = 0
        self.used: dict[str, set[int]] = {}

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
        for event in self.gate.events[known:]:
            if isinstance(event.body, Entry) and event.body.reading is not None:
                assert isinstance(before, Measuring)
                samples = {sample.mono_ns for sample in before.samples} | {at}
                assert min(samples) > before.person.seen_ns
                assert not any(samples & others for others in self.used.values())
                self.used[event.id] = samples

    @rule(touch=TOUCHES)
    def touch(self, touch: Any) -> None:
        self.gate.give(touch)

    @rule(badge=st.sampled_from([0, 1]))
    def sign_in(self, badge: int) -> None:
        self.gate.sign_in(badge)

    @rule()
    def correct(self) -> None:
        entries = self.gate.state.lasting.entries
        self.gate.give(inputs.Correct(entry=entries[-1].id if entries else "none"))

    @rule(touch=st.sampled_from([inputs.Emergency(), inputs.WalkedThrough()]))
    def never_blocked(self, touch: Any) -> None:
        self.gate.give(touch, inputs.CallHelp())
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
        waiting = sum(_never_blocked(body) for record in self.gate.state.unsaved for body in record.bodies)
        self.emergencies -= waiting
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
            if isinstance(body, Entry) and body.outcome is Outcome.ADMIT and body.direction is Direction.IN:
                confirmed = body.by is not None and "confirmed_by_volunteer" in body.reasons
                if confirmed:
                    referred = recorded[body.follows or ""]
                    assert isinstance(referred, Entry)
                    assert referred.outcome is Outcome.REFER
                else:
                    assert body.reading is not None
                    assert body.reading.band is Band.NORMAL

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
    def the_journal_gives_the_same_state(self) -> None:
        assert replay(self.gate.events) == self.gate.state.lasting

    @invariant()
    def the_resident_never_hears_why(self) -> None:
        assert self.gate.screen.sentence in SENTENCES - WHY
        assert set(self.gate.said) <= SENTENCES - WHY

    @invariant()
    def the_pulse_says_what_the_screen_says(self) -> None:
        pulse = vitals(self.gate.state, Log("b", len(self.gate.events), 0), self.gate.now, self.gate.setup)
        present = {e.item for e in pulse.evidence if e.present}
        assert {item.item for item in self.gate.screen.items if item.present} <= present


def _never_blocked(body: object) -> bool:
    return isinstance(body, Entry) and body.outcome in (Outcome.EMERGENCY, Outcome.UNCHECKED)


AnyOrder.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyOrder = AnyOrder.TestCase
