"""What a station does, told as stories."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from contract.directory import (
    ColourRule,
    Colours,
    InspectionFinding,
    InspectionFindings,
    Isolating,
    Notice,
    Notices,
    Revocations,
    Thresholds,
)
from contract.events import (
    Band,
    ClockSynced,
    Correction,
    Direction,
    DirectoryApplied,
    DutyConfirmed,
    Entry,
    EvidenceChange,
    HelpCalled,
    Outcome,
    ShiftChange,
    Started,
)
from contract.five import Item
from contract.messages import Movement, Movements
from contract.passes import PassKind
from kiosk import inputs
from kiosk.drivers.base import Measurement
from kiosk.inputs import DeviceReport, DirectoryArrived, Measured, SeveralSeen, TokenSeen
from kiosk.lasting import replay
from kiosk.vitals import Log, vitals
from tests.unit.gate_driver import (
    AMBIENT,
    BADGES,
    DIRECTORY,
    FEVER,
    LOW,
    NOBODY,
    NORMAL,
    RESIDENTS,
    SETUP,
    START,
    Gate,
    pass_id,
    token,
)

ANN, BOB, EVE = RESIDENTS


@pytest.fixture
def gate() -> Gate:
    made = Gate()
    made.equip()
    return made


@pytest.fixture
def typing() -> Gate:
    """A gate whose thermometer is a hand-held gun, with a volunteer."""
    made = Gate(replace(SETUP, thermometer=None))
    made.sign_in()
    return made


def typed(celsius: float) -> inputs.TypeTemperature:
    return inputs.TypeTemperature(celsius=celsius, typed_seconds=3)


def changes(gate: Gate, item: Item) -> list[tuple[bool, str | None]]:
    return [(b.evidence.present, b.evidence.reason) for b in gate.bodies(EvidenceChange) if b.evidence.item is item]


# a resident


def test_a_resident_comes_in(gate: Gate) -> None:
    assert gate.show(ANN).sentence == "measuring"
    screen = gate.feel(NORMAL)
    assert (screen.phase, screen.sentence, screen.outcome, screen.sound) == ("outcome", "ok_enter", "admit", "good")
    entry = gate.bodies(Entry)[0]
    assert (entry.pass_id, entry.key_id, entry.directory_version, entry.colour) == (pass_id(1), "k1", 7, "green")
    assert entry.reading is not None
    assert (entry.reading.band, entry.reading.source, entry.by, entry.follows) == (Band.NORMAL, "mlx90614", None, None)
    assert entry.ms == pytest.approx(600)
    assert gate.said == ["ok_enter"]
    assert gate.screen.inside == 1
    assert gate.wait(3.1).phase == "waiting"


def test_the_holder_is_shown_and_sealed_apart(gate: Gate) -> None:
    holder = gate.show(ANN).holder
    assert holder is not None
    assert (holder.name, holder.dwelling, holder.colour) == ("王*明", "3号501", "green")
    screen = gate.feel(NORMAL)
    assert (screen.entries[0].name, screen.entries[0].outcome) == ("王*明", Outcome.ADMIT)


def test_going_out_needs_no_temperature(gate: Gate) -> None:
    gate.give(inputs.SetDirection(direction=Direction.OUT))
    assert gate.show(ANN).sentence == "ok_leave"
    assert gate.entries == [("admit",)]


def test_a_fixed_direction_stays(gate: Gate) -> None:
    fixed = Gate(replace(SETUP, direction=Direction.OUT))
    assert fixed.give(inputs.SetDirection(direction=Direction.IN)).error == "not_now"
    assert fixed.screen.direction is Direction.OUT


def test_samples_from_before_the_pass_are_nobodys(gate: Gate) -> None:
    gate.show(ANN)
    early = Measurement(NORMAL, AMBIENT, gate.now.mono_ns)
    screen = gate.give(*[Measured(early)] * 5)
    assert screen.phase == "measuring"
    assert gate.entries == []


def test_fever_is_taken_again_then_referred(gate: Gate) -> None:
    gate.show(ANN)
    screen = gate.feel(FEVER)
    assert (screen.phase, screen.sentence, screen.reading) == ("measuring", "again", None)
    gate.wait(1.5)
    screen = gate.feel(FEVER)
    assert (screen.outcome, screen.sentence, screen.reasons, screen.can_decide) == ("refer", "wait_aside", ("fever",), True)
    assert gate.entries == [("retake", "fever"), ("refer", "fever")]
    first = next(event.id for event in gate.events if isinstance(event.body, Entry))
    assert gate.bodies(Entry)[1].follows == first


def test_only_a_signed_in_volunteer_lets_a_fever_in(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(FEVER)
    gate.wait(1.5)
    gate.feel(FEVER)
    assert gate.give(inputs.Decide(admit=True)).error == "not_signed_in"
    gate.sign_in()
    screen = gate.give(inputs.Decide(admit=True))
    assert screen.outcome is Outcome.ADMIT
    entry = gate.bodies(Entry)[-1]
    assert (entry.by, entry.reasons, entry.reading) == (pass_id(101), ("confirmed_by_volunteer",), None)
    assert entry.follows == gate.state.lasting.entries[-2].id


def test_two_fevers_are_not_retaken_into_an_admission(gate: Gate) -> None:
    gate.show(ANN)
    for _ in range(2):
        gate.feel(FEVER)
        gate.wait(1.5)
    assert gate.give(inputs.Retake()).sentence == "again"
    gate.wait(1.5)
    assert gate.feel(NORMAL).outcome is Outcome.REFER
    assert gate.entries == [("retake", "fever"), ("refer", "fever"), ("refer", "fever")]


def test_low_shows_the_wrist(gate: Gate) -> None:
    gate.show(ANN)
    assert gate.feel(LOW).sentence == "wrist"
    gate.wait(1.5)
    gate.feel(LOW)
    assert gate.entries == [("retake", "low"), ("refer", "low")]
    assert gate.bodies(Entry)[1].reading.site == "wrist"  # type: ignore[union-attr]


def test_nobody_before_the_thermometer_is_typed_then_referred(gate: Gate) -> None:
    gate.sign_in()
    gate.show(ANN)
    for _ in range(5):
        gate.feel(NOBODY, 3)
        gate.wait(2)
    screen = gate.screen
    assert (screen.phase, screen.sentence) == ("typing", "again")
    assert gate.give(typed(36.6)).outcome is Outcome.ADMIT
    assert gate.entries == [("retake", "no_reading"), ("admit",)]
    assert gate.bodies(Entry)[1].by == pass_id(101)


def test_a_typed_figure_must_be_plausible_and_somebodys(typing: Gate) -> None:
    assert typing.give(typed(36.6)).error == "not_now"
    assert typing.show(ANN).phase == "typing"
    assert typing.give(typed(365)).error == "out_of_range"
    assert typing.give(typed(36.6)).outcome is Outcome.ADMIT
    reading = typing.bodies(Entry)[0].reading
    assert reading is not None
    assert (reading.source, reading.typed_seconds) == ("typed", 3)


def test_without_a_volunteer_nothing_is_typed() -> None:
    gate = Gate(replace(SETUP, thermometer=None))
    gate.show(ANN)
    assert gate.give(typed(36.6)).error == "not_signed_in"
    assert gate.sign_in().phase == "typing"
    assert gate.give(typed(36.6)).outcome is Outcome.ADMIT


def test_nobody_types_and_the_person_is_referred(typing: Gate) -> None:
    typing.show(ANN)
    typing.wait(61)
    assert typing.entries == [("refer", "no_reading", "timed_out")]


def test_the_thermometer_falls_silent_while_measuring(gate: Gate) -> None:
    gate.show(ANN)
    assert gate.wait(10.5).phase == "typing"
    assert gate.screen.needs_typing


def test_two_codes_are_no_decision_on_either(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(NORMAL, 2)
    screen = gate.give(SeveralSeen(gate.now.mono_ns))
    assert (screen.phase, screen.sentence) == ("several", "one_by_one")
    assert gate.feel(NORMAL).outcome is None
    assert gate.entries == [("refer", "several")]
    assert gate.said == ["one_by_one"]
    assert gate.wait(3.1).phase == "waiting"


def test_the_next_pass_takes_over_and_the_reading_is_its_own(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(NORMAL, 2)
    gate.show(BOB)
    gate.feel(NORMAL, 2)
    assert gate.entries == [("refer", "abandoned")]
    gate.feel(NORMAL, 1)
    assert [e.pass_id for e in gate.bodies(Entry)] == [pass_id(1), pass_id(2)]


def test_cancel_writes_down_who_was_at_hand(gate: Gate) -> None:
    gate.show(ANN)
    assert gate.give(inputs.Cancel()).phase == "waiting"
    assert gate.entries == [("refer", "cancelled")]


def test_a_pass_still_held_up_is_no_second_entry(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(NORMAL)
    gate.wait(5)
    assert gate.show(ANN).sentence == "ok_enter"
    assert gate.entries == [("admit",)]


def test_the_same_pass_the_same_way_is_referred_never_refused(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(NORMAL)
    gate.wait(30)
    assert gate.show(ANN).reasons == ("passback",)
    assert gate.screen.outcome is Outcome.REFER


def test_a_movement_at_another_gate_counts(gate: Gate) -> None:
    moved = Movement(pass_id=pass_id(1), direction="in", gate="g2", age_seconds=20)
    assert gate.give(inputs.MovementsArrived(Movements(compound="c1", movements=(moved,)))).inside == 1
    assert gate.show(ANN).reasons == ("passback",)


@pytest.mark.parametrize("station, heard", [("s2", 1), ("s1", 0), ("", 0)])
def test_a_movement_at_another_lane_of_this_gate_counts(gate: Gate, station: str, heard: int) -> None:
    moved = Movement(pass_id=pass_id(1), direction="in", gate="g1", station=station, age_seconds=20)
    assert gate.give(inputs.MovementsArrived(Movements(compound="c1", movements=(moved,)))).inside == heard


def refused() -> list[tuple[str, str, str]]:
    return [
        ("https://example.org", "not_a_pass", "show_pass"),
        ("GP1:%%%", "damaged", "show_pass"),
        (token(1, days=-0.5), "expired", "not_allowed"),
        (token(1, compound="c2"), "other_compound", "not_allowed"),
        (token(1, key=bytes(32)), "forged", "not_allowed"),
        (token(1, PassKind.ENROLMENT), "wrong_kind", "not_allowed"),
    ]


@pytest.mark.parametrize("text, reason, sentence", refused(), ids=[r[1] for r in refused()])
def test_refusals(gate: Gate, text: str, reason: str, sentence: str) -> None:
    screen = gate.show(text)
    assert (screen.outcome, screen.reasons, screen.sentence) == ("refuse", (reason,), sentence)


def test_what_the_resident_sees_never_says_why(gate: Gate) -> None:
    gate.give(DirectoryArrived(structs.replace(DIRECTORY, isolating=Isolating(ids=(pass_id(1),)))))
    assert (gate.show(ANN).sentence, gate.screen.reasons) == ("wait_aside", ("isolating",))
    gate.give(DirectoryArrived(structs.replace(DIRECTORY, revocations=Revocations(ids=(pass_id(2),)))))
    assert (gate.show(BOB).sentence, gate.screen.reasons) == ("not_allowed", ("revoked",))
    orange = Colours(rules={"orange": ColourRule(label="橙", gate="homecoming")}, holders={pass_id(3): "orange"})
    gate.give(DirectoryArrived(structs.replace(DIRECTORY, colours=orange)))
    assert (gate.show(EVE).sentence, gate.screen.reasons) == ("wait_aside", ("homecoming",))
    assert gate.said == ["wait_aside", "not_allowed", "wait_aside"]


def test_a_stray_code_is_recorded_once_and_disturbs_nobody(gate: Gate) -> None:
    gate.show("https://example.org")
    gate.wait(11)
    gate.show("https://example.org")
    gate.feel(NOBODY)
    gate.show(ANN)
    gate.show("https://example.com")
    gate.feel(NORMAL)
    assert gate.entries == [("refuse", "not_a_pass"), ("admit",)]


def test_an_unknown_key_is_referred_while_there_is_no_directory() -> None:
    gate = Gate(directory=None)
    assert gate.show(ANN).reasons == ("unknown_key",)
    assert gate.screen.outcome is Outcome.REFER


# touches that nothing blocks


def test_emergency_walking_through_and_help_are_never_blocked(gate: Gate) -> None:
    gate.show(ANN)
    screen = gate.give(inputs.Emergency(), inputs.WalkedThrough(), inputs.CallHelp())
    assert (screen.outcome, screen.sentence) == ("emergency", "emergency")
    assert gate.entries == [("refer", "abandoned"), ("emergency", "emergency"), ("unchecked", "unchecked")]
    assert gate.bodies(HelpCalled) == [HelpCalled(entry=screen.entry)]


def test_a_mistake_is_corrected_by_a_later_event(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(NORMAL)
    entry = gate.screen.entries[0].id
    assert gate.give(inputs.Correct(entry=entry)).error == "not_signed_in"
    gate.sign_in()
    assert gate.give(inputs.Correct(entry="nonsense")).error == "no_such_entry"
    screen = gate.give(inputs.Correct(entry=entry))
    assert (screen.entries[0].cancelled, screen.inside) == (True, 0)
    assert gate.bodies(Correction)[0].by == pass_id(101)
    assert gate.give(inputs.Correct(entry=entry)).error == "already_corrected"


# duty


def test_signing_in_takes_badge_and_pin(gate: Gate) -> None:
    assert gate.show(BADGES[0]).sentence == "badge_pin"
    assert gate.item("volunteer") == (False, None, "no_evidence")
    screen = gate.give(inputs.EnterPin(pin="1234"))
    assert (screen.phase, screen.volunteer and screen.volunteer.name) == ("waiting", "王*明")
    assert gate.item("volunteer") == (True, "declared", None)
    assert gate.bodies(ShiftChange) == [ShiftChange(on=True, badge=pass_id(101))]


def test_three_wrong_pins_lock_the_badge_for_a_minute(gate: Gate) -> None:
    gate.show(BADGES[0])
    assert gate.give(inputs.EnterPin(pin="0")).error == "wrong_pin"
    gate.give(inputs.EnterPin(pin="0"))
    assert gate.give(inputs.EnterPin(pin="0")).error == "locked_out"
    assert gate.show(BADGES[0]).error == "locked_out"
    gate.wait(61)
    assert gate.sign_in().volunteer is not None


def test_duty_is_asked_for_and_runs_out(gate: Gate) -> None:
    gate.sign_in()
    assert not gate.wait(19 * 60).volunteer.ask  # type: ignore[union-attr]
    assert gate.wait(60).volunteer.ask  # type: ignore[union-attr]
    assert not gate.give(inputs.ConfirmDuty()).volunteer.ask  # type: ignore[union-attr]
    gate.wait(29 * 60)
    assert gate.item("volunteer")[0]
    gate.wait(60)
    assert gate.item("volunteer") == (False, "declared", "expired")
    assert changes(gate, Item.VOLUNTEER) == [(True, None), (True, None), (False, "expired")]
    assert gate.show(BADGES[0]).phase == "waiting"
    assert gate.item("volunteer")[0]
    assert gate.bodies(DutyConfirmed)[-1].by_touch is False


def test_an_admission_confirms_nobody_and_a_decision_does(gate: Gate) -> None:
    gate.sign_in()
    gate.wait(120)
    gate.feel(NOBODY, 1)
    gate.show(ANN)
    gate.feel(NORMAL)
    assert gate.bodies(DutyConfirmed) == []
    gate.wait(30)
    gate.show(ANN)
    gate.give(inputs.Decide(admit=True))
    gate.give(inputs.OpenChecklist(item=Item.DESK))
    assert len(gate.bodies(DutyConfirmed)) == 1


def test_another_badge_takes_over(gate: Gate) -> None:
    gate.sign_in()
    gate.sign_in(1)
    assert [(s.on, s.badge, s.reason) for s in gate.bodies(ShiftChange)[1:]] == [
        (False, pass_id(101), "handed_over"),
        (True, pass_id(102), "badge"),
    ]


def test_signing_off_leaves_nobody(gate: Gate) -> None:
    gate.sign_in()
    assert gate.give(inputs.SignOff()).volunteer is None
    assert gate.item("volunteer") == (False, "declared", "signed_off")
    assert gate.give(inputs.SignOff()).error == "not_signed_in"


def test_a_revoked_badge_ends_its_shift(gate: Gate) -> None:
    gate.sign_in()
    gate.give(DirectoryArrived(structs.replace(DIRECTORY, version=8, revocations=Revocations(ids=(pass_id(101),)))))
    assert gate.wait(1).volunteer is None
    assert gate.item("volunteer") == (False, "declared", "revoked")
    assert gate.show(BADGES[0]).error == "badge_revoked"


def test_a_shift_that_nobody_confirms_for_hours_ends(gate: Gate) -> None:
    gate.sign_in()
    gate.wait(1801)
    assert gate.wait(4 * 3600).volunteer is None
    assert gate.bodies(ShiftChange)[-1].reason == "expired"


# the five


def test_a_gate_with_all_five_is_compliant(gate: Gate) -> None:
    assert not gate.screen.compliant
    gate.sign_in()
    assert gate.give(inputs.OpenChecklist(item=Item.DESK)).sentence == "show_desk_code"
    screen = gate.show("desk-today")
    assert (screen.phase, screen.compliant) == ("waiting", True)
    evidence = gate.bodies(EvidenceChange)[-1]
    assert (evidence.evidence.photo, evidence.evidence.by, evidence.lifetime_seconds) == ("ab" * 32, pass_id(101), 12 * 3600)


@pytest.mark.parametrize(
    "text, error",
    [("desk-yesterday", "not_today"), ("book-today", "wrong_code"), ("https://example.org", "wrong_code")],
)
def test_a_checklist_wants_todays_own_code(gate: Gate, text: str, error: str) -> None:
    assert gate.give(inputs.OpenChecklist(item=Item.DESK)).error == "not_signed_in"
    gate.sign_in()
    gate.give(inputs.OpenChecklist(item=Item.DESK))
    assert gate.show(text).error == error
    assert gate.item("desk")[0] is False
    assert (gate.wait(61).error, gate.screen.phase) == ("timed_out", "waiting")


def test_no_picture_is_no_evidence(gate: Gate) -> None:
    gate.photo = None
    gate.sign_in()
    gate.give(inputs.OpenChecklist(item=Item.REGISTER))
    assert gate.show("book-today").error == "no_photo"


def test_a_desk_card_in_view_is_nobodys_pass(gate: Gate) -> None:
    assert gate.show("desk-today").phase == "waiting"
    assert gate.entries == []


def test_the_thermometer_is_evidence_while_it_answers(gate: Gate) -> None:
    gate.feel(NOBODY, 50)
    assert gate.item("temperature") == (True, "sensor", None)
    assert changes(gate, Item.TEMPERATURE) == [(True, None)]
    gate.wait(60)
    assert gate.item("temperature")[0]
    gate.wait(1)
    assert gate.item("temperature") == (False, "sensor", "thermometer_silent")
    gate.sign_in()
    gate.give(inputs.DeclareByEye(item=Item.TEMPERATURE))
    assert gate.item("temperature") == (True, "declared", None)
    assert changes(gate, Item.TEMPERATURE) == [(True, None), (False, "thermometer_silent"), (True, None)]


def test_the_passes_item_needs_camera_scanner_and_a_fresh_directory(gate: Gate) -> None:
    assert gate.item("passes") == (True, "sensor", None)
    gate.give(DeviceReport("camera", False, "no picture"))
    assert gate.item("passes") == (False, "sensor", "camera_missing")
    gate.give(DeviceReport("camera", True, ""), DeviceReport("scanner", False, ""))
    assert gate.item("passes") == (False, "sensor", "scanner_failed")
    gate.give(DeviceReport("scanner", True, ""))
    gate.wait(24 * 3600)
    assert gate.item("passes") == (False, "sensor", "directory_stale")
    gate.sign_in()
    gate.give(inputs.DeclareByEye(item=Item.PASSES))
    assert gate.item("passes") == (True, "declared", None)
    gate.wait(2 * 3600)
    assert gate.item("passes")[0] is False


def test_a_negative_inspection_outranks_the_sensor(gate: Gate) -> None:
    found = InspectionFindings(findings=(InspectionFinding(gate="g1", item="temperature", at=START),))
    gate.give(DirectoryArrived(structs.replace(DIRECTORY, version=8, findings=found)))
    assert gate.item("temperature") == (False, "inspected", "inspection")
    gate.give(DirectoryArrived(structs.replace(DIRECTORY, version=9)))
    assert gate.item("temperature") == (True, "sensor", None)
    assert [b.version for b in gate.bodies(DirectoryApplied)] == [7, 8, 9]


def test_vitals_carry_evidence_by_durations(gate: Gate) -> None:
    gate.sign_in()
    gate.wait(100)
    pulse = vitals(gate.state, Log("b1", len(gate.events), 3), gate.now, gate.setup)
    volunteer = next(e for e in pulse.evidence if e.item is Item.VOLUNTEER)
    assert (volunteer.age_seconds, volunteer.remaining_seconds, volunteer.by) == (100, 1700, pass_id(101))
    assert (pulse.backlog, pulse.directory_version, pulse.devices[0].device) == (3, 7, "camera")


# the journal


def test_nothing_is_shown_as_done_before_it_is_on_the_disk(gate: Gate) -> None:
    gate.show(ANN)
    gate.broken = True
    screen = gate.feel(NORMAL)
    assert (screen.outcome, screen.sentence, screen.sound, screen.journal_problem) == (None, "please_wait", None, "disk_full")
    assert gate.item("register") == (False, "sensor", "disk_full")
    assert gate.said == []
    gate.give(inputs.Emergency())
    gate.wait(2)
    gate.broken = False
    screen = gate.wait(2)
    assert (screen.outcome, screen.sentence) == ("emergency", "emergency")
    assert gate.entries == [("admit",), ("emergency", "emergency")]
    assert gate.item("register") == (True, "sensor", None)


def test_a_retake_waits_for_the_disk_and_names_what_it_follows(gate: Gate) -> None:
    gate.show(ANN)
    gate.broken = True
    gate.feel(FEVER)
    assert gate.feel(NORMAL, 9).sentence == "please_wait"
    gate.broken = False
    assert gate.wait(1.1).sentence == "again"
    gate.wait(1.5)
    gate.feel(NORMAL)
    assert gate.entries == [("retake", "fever"), ("admit",)]
    assert gate.bodies(Entry)[1].follows is not None


def test_a_restart_forgets_nothing(gate: Gate) -> None:
    gate.sign_in()
    gate.show(ANN)
    gate.feel(NORMAL)
    before = gate.state.lasting
    gate.start()
    assert gate.state.lasting.entries == before.entries
    assert gate.screen.volunteer is not None
    assert gate.item("volunteer")[0]
    gate.give(DirectoryArrived(DIRECTORY))
    gate.wait(15)
    assert gate.show(ANN).reasons == ("passback",)


def test_a_power_cut_is_told_until_somebody_answers(gate: Gate) -> None:
    gate.sign_in()
    gate.pass_time(25 * 60)
    gate.start()
    assert gate.screen.gap_minutes == 25
    assert gate.bodies(Started)[-1] == Started(software="test", gap_seconds=25 * 60, unclean=True)
    gate.give(inputs.ConfirmDuty())
    assert gate.sign_in(1).gap_minutes == 25
    assert gate.give(inputs.AnswerGap(missed=True)).gap_minutes is None


def test_a_restart_at_an_unknown_time_confirms_nobody(gate: Gate) -> None:
    gate.sign_in()
    gate.now = replace(gate.now, synced=False, utc=START - timedelta(days=900))
    gate.start()
    assert gate.item("volunteer") == (False, "declared", "not_confirmed")
    assert gate.bodies(Started)[-1].gap_seconds is None


# the clock


def test_an_unsynced_clock_still_knows_the_expired_and_refuses_nothing_as_too_early() -> None:
    gate = Gate(synced=False)
    gate.now = replace(gate.now, utc=datetime(1970, 1, 1, tzinfo=UTC))
    gate.start()
    gate.give(DirectoryArrived(DIRECTORY))
    gate.equip()
    assert gate.show(token(9, days=-0.5)).reasons == ("expired",)
    assert gate.show(ANN).phase == "measuring"


def test_the_first_sync_moves_what_was_dated_before_it() -> None:
    gate = Gate(directory=structs.replace(DIRECTORY, issued_at=None), synced=False)
    gate.sign_in()
    assert gate.wait(60).volunteer is not None
    gate.now = replace(gate.now, utc=gate.now.utc + timedelta(days=400), synced=True)
    gate.wait(1)
    assert gate.bodies(ClockSynced)[0].stepped_seconds == pytest.approx(400 * 86400)
    gate.wait(1)
    assert gate.item("volunteer")[0]
    assert gate.screen.volunteer.hours == 0.0  # type: ignore[union-attr]


# the idle screen


def test_notices_and_hours(gate: Gate) -> None:
    closed = Thresholds(schedule=((6 * 60, 7 * 60),))
    notices = Notices(notices=(Notice(id="n1", zh="戴口罩", en="Wear a mask"),))
    screen = gate.give(DirectoryArrived(structs.replace(DIRECTORY, thresholds=closed, notices=notices)))
    assert (screen.sentence, screen.notices, screen.clock) == ("closed", ("戴口罩",), "07:40")
    assert gate.give(inputs.SetLanguage(language="en")).notices == ("Wear a mask",)


def test_the_fold_is_the_state(gate: Gate) -> None:
    gate.sign_in()
    gate.show(ANN)
    gate.feel(NORMAL)
    assert replay(gate.events) == gate.state.lasting


def test_a_code_read_twice_in_one_view_changes_nothing(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(NORMAL, 2)
    gate.give(TokenSeen(ANN, gate.now.mono_ns))
    gate.feel(NORMAL, 1)
    assert gate.entries == [("admit",)]
