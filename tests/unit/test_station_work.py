"""What a station does beside letting people in: photos, barrier, counting, settings, gap, gate, duty. Told as stories."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec import structs

from contract.directory import Policies
from contract.events import (
    BarrierOpened,
    Body,
    Direction,
    DutyConfirmed,
    Entry,
    GapAnswered,
    GateShut,
    HelpCalled,
    Outcome,
    PeopleCounted,
    PhotoAttached,
    SettingsChanged,
    ShiftChange,
    Tallied,
    Who,
    Written,
)
from contract.five import Item
from contract.passes import PassKind
from kiosk import inputs
from kiosk.drivers.base import SelfTest
from kiosk.inputs import Committed, DirectoryArrived, RaiseBarrier, Record, TakePhoto
from kiosk.lasting import replay
from kiosk.station import reduce
from kiosk.view import SettingsView, Snapshot
from tests.unit.gate_driver import (
    BADGES,
    DIRECTORY,
    FEVER,
    NORMAL,
    RESIDENTS,
    SETUP,
    START,
    Gate,
    pass_id,
    token,
)

ANN, BOB, _ = RESIDENTS
LI = pass_id(101)
FULL = replace(SETUP, barrier=True, presence=True, settings_pin="2468")
VAN = token(50, PassKind.VEHICLE)


@pytest.fixture
def gate() -> Gate:
    """A gate with a barrier, a presence sensor and a PIN for its settings."""
    made = Gate(FULL)
    made.equip()
    return made


def ids(gate: Gate, kind: type) -> list[str]:
    return [event.id for event in gate.events if isinstance(event.body, kind)]


def commit(gate: Gate, *bodies: Body) -> Snapshot:
    """Bodies that another flow has asked for are on the disk."""
    gate._do((Record(bodies),))
    return gate.screen


def entry(outcome: Outcome = Outcome.ADMIT, direction: Direction = Direction.IN, people: int = 1, **more: object) -> Entry:
    return structs.replace(Entry(direction=direction, outcome=outcome, people=people), **more)


WRITTEN = Written(at=START - timedelta(hours=1))


# photos that follow


def test_an_emergency_gets_a_photo_that_names_it(gate: Gate) -> None:
    gate.give(inputs.Emergency())
    assert gate.taken == [TakePhoto("emergency", ids(gate, Entry)[0])]
    assert gate.bodies(PhotoAttached) == [PhotoAttached(event=ids(gate, Entry)[0], photo="ab" * 32, purpose="emergency")]


def test_each_kind_of_event_gets_its_photo(gate: Gate) -> None:
    gate.sign_in()
    gate.give(inputs.WalkedThrough(), inputs.CallHelp(), inputs.ShutGate(shut=True), inputs.ShutGate(shut=False))
    about = [*ids(gate, Entry), *ids(gate, HelpCalled), ids(gate, GateShut)[0]]
    assert [(p.purpose, p.event) for p in gate.bodies(PhotoAttached)] == [*zip(("unchecked", "help", "lock"), about, strict=True)]


def test_no_photo_is_no_trouble(gate: Gate) -> None:
    gate.photo = None
    assert gate.give(inputs.Emergency()).error is None
    assert len(gate.taken) == 1
    assert gate.bodies(PhotoAttached) == []


def test_no_photo_of_what_was_read_again_at_the_start(gate: Gate) -> None:
    gate.give(inputs.Emergency(), inputs.CallHelp())
    gate.taken.clear()
    gate.start()
    gate.wait(1)
    assert gate.taken == []


def test_no_photo_of_an_admission_or_of_what_was_keyed_in(gate: Gate) -> None:
    commit(gate, entry(), entry(Outcome.UNCHECKED, written=WRITTEN))
    assert gate.taken == []


def test_no_photo_before_the_event_is_on_the_disk(gate: Gate) -> None:
    gate.broken = True
    gate.give(inputs.Emergency())
    assert gate.taken == []
    gate.broken = False
    gate.wait(1.1)
    assert [p.purpose for p in gate.bodies(PhotoAttached)] == ["emergency"]


def test_a_photo_about_an_event_is_nothing_to_the_checklist(gate: Gate) -> None:
    gate.sign_in()
    gate.give(inputs.OpenChecklist(item=Item.DESK))
    assert gate.give(inputs.PhotoTaken("emergency", None, "e1")).phase == "checklist"


# the barrier


def test_an_emergency_raises_the_barrier_first_and_writes_it_down_with_the_entry(gate: Gate) -> None:
    gate.sign_in()
    gate.show(ANN)
    _, effects = reduce(gate.state, inputs.Emergency(), gate.now, gate.setup)
    assert effects[0] == RaiseBarrier()
    last = effects[-1]
    assert isinstance(last, Record)
    assert [type(body) for body in last.bodies] == [Entry, BarrierOpened]
    assert last.bodies[1] == BarrierOpened(cause="emergency", by=LI)


def test_a_broken_journal_keeps_no_barrier_down(gate: Gate) -> None:
    gate.broken = True
    gate.give(inputs.WalkedThrough(), inputs.Emergency())
    assert (gate.raised, gate.bodies(BarrierOpened)) == (1, [])
    gate.broken = False
    gate.wait(1.1)
    gate.wait(1.1)
    assert (gate.raised, gate.bodies(BarrierOpened)) == (1, [BarrierOpened(cause="emergency")])


def test_without_a_barrier_none_is_raised() -> None:
    gate = Gate()
    gate.sign_in()
    gate.give(inputs.Emergency(), inputs.BarrierAsked())
    assert gate.give(inputs.OpenBarrier()).error == "no_barrier"
    assert (gate.raised, gate.bodies(BarrierOpened), gate.screen.barrier) == (0, [], False)


def test_a_vehicle_let_in_or_out_raises_it(gate: Gate) -> None:
    commit(gate, entry(who=Who.VEHICLE, by=LI), entry(Outcome.REFER, who=Who.VEHICLE), entry(who=Who.RESIDENT))
    assert gate.raised == 1
    commit(gate, entry(pass_kind="vehicle", direction=Direction.OUT))
    commit(gate, entry(who=Who.TAXI))
    commit(gate, entry(who=Who.COMPANION, pass_kind="vehicle"))
    assert gate.raised == 3
    assert gate.bodies(BarrierOpened) == [BarrierOpened(cause="entry", by=by) for by in (LI, None, None)]


def test_a_vehicle_keyed_in_later_raises_nothing(gate: Gate) -> None:
    commit(gate, entry(who=Who.VEHICLE, written=WRITTEN))
    assert gate.raised == 0


def test_a_vehicle_that_the_journal_took_late_must_still_be_there(gate: Gate) -> None:
    gate.give(inputs.SetDirection(direction=Direction.OUT))
    gate.broken = True
    gate.show(VAN)
    assert gate.raised == 0
    gate.broken = False
    gate.wait(1.1)
    assert (gate.raised, gate.screen.outcome) == (1, Outcome.ADMIT)
    gate.broken = True
    gate.show(token(51, PassKind.VEHICLE))
    gate.give(inputs.Emergency())
    gate.broken = False
    gate.wait(1.1)
    assert [b.cause for b in gate.bodies(BarrierOpened)] == ["entry", "emergency"]
    assert gate.raised == 2


def test_opening_it_by_touch_takes_a_volunteer(gate: Gate) -> None:
    assert gate.give(inputs.OpenBarrier()).error == "not_signed_in"
    gate.sign_in()
    gate.wait(120)
    gate.give(inputs.OpenBarrier())
    assert (gate.raised, gate.bodies(BarrierOpened)) == (1, [BarrierOpened(cause="touch", by=LI)])
    assert gate.bodies(DutyConfirmed)[-1] == DutyConfirmed(badge=LI, by_touch=True)


def test_the_hub_and_the_barriers_own_button(gate: Gate) -> None:
    gate.give(inputs.BarrierAsked())
    assert (gate.raised, gate.bodies(BarrierOpened)) == (0, [])
    gate.sign_in()
    gate.give(inputs.BarrierAsked())
    assert (gate.raised, gate.bodies(BarrierOpened)) == (1, [BarrierOpened(cause="hub")])
    gate.give(inputs.BarrierReleased())
    assert (gate.raised, gate.bodies(BarrierOpened)[1:]) == (1, [BarrierOpened(cause="button")])


def test_the_hub_asks_which_station_it_is(gate: Gate) -> None:
    """For ten seconds, on the idle screen alone; whoever comes meanwhile is looked at as ever."""
    gate.give(inputs.IdentifyAsked())
    assert (gate.screen.sentence, gate.said[-1]) == ("identify", "identify")
    gate.wait(9)
    assert gate.screen.sentence == "identify"
    gate.wait(1.1)
    assert gate.screen.sentence == "show_pass"
    gate.give(inputs.IdentifyAsked())
    gate.show(VAN)
    assert gate.screen.sentence != "identify"
    said = list(gate.said)
    gate.give(inputs.IdentifyAsked())
    assert (gate.screen.sentence != "identify", gate.said) == (True, said)


def test_the_buttons_on_the_header(gate: Gate) -> None:
    gate.give(inputs.ButtonPressed("call"))
    assert gate.bodies(HelpCalled) == [HelpCalled()]
    gate.give(inputs.ButtonPressed("shutdown"), inputs.ButtonPressed("nonsense"))
    assert gate.shut_downs == 1


# help


def test_help_names_the_entry_that_is_shown(gate: Gate) -> None:
    gate.give(inputs.CallHelp())
    gate.show("https://example.org")
    gate.give(inputs.CallHelp())
    gate.sign_in()
    gate.give(inputs.Emergency())
    gate.show(BADGES[1])
    gate.give(inputs.CallHelp())
    refused, emergency = ids(gate, Entry)
    assert gate.bodies(HelpCalled) == [HelpCalled(), HelpCalled(entry=refused), HelpCalled(by=LI, entry=emergency)]


def test_help_names_what_the_person_at_hand_goes_on_from(gate: Gate) -> None:
    gate.show(ANN)
    gate.give(inputs.CallHelp())
    gate.feel(FEVER)
    gate.give(inputs.CallHelp())
    assert [h.entry for h in gate.bodies(HelpCalled)] == [None, ids(gate, Entry)[0]]


# people counted against people recorded


def test_people_are_counted_against_entries(gate: Gate) -> None:
    gate.give(*[inputs.PersonPassed()] * 4)
    assert (gate.screen.counted, gate.screen.recorded) == (None, 0)
    commit(gate, entry(people=2), entry(Outcome.REFER), entry(Outcome.REFUSE), entry(Outcome.RETAKE))
    commit(gate, entry(Outcome.UNCHECKED, Direction.OUT), entry(Outcome.EMERGENCY), entry(people=9, written=WRITTEN))
    screen = gate.wait(901)
    assert (screen.counted, screen.recorded, screen.uncounted) == (4, 4, False)
    assert [(p.counted, p.recorded) for p in gate.bodies(PeopleCounted)] == [(4, 4)]
    assert gate.bodies(PeopleCounted)[0].seconds == pytest.approx(901.2)
    screen = gate.wait(901)
    assert (screen.counted, screen.recorded, len(gate.bodies(PeopleCounted))) == (0, 0, 1)


@pytest.mark.parametrize(
    "counted, recorded, uncounted",
    [(3, 0, True), (2, 0, False), (5, 2, True), (9, 6, False), (10, 6, True), (4, 2, False), (0, 9, False)],
)
def test_so_many_more_that_somebody_passed_unrecorded(gate: Gate, counted: int, recorded: int, uncounted: bool) -> None:
    gate.give(*[inputs.PersonPassed()] * counted)
    commit(gate, *[entry()] * recorded)
    assert not gate.screen.uncounted
    assert gate.wait(901).uncounted is uncounted


def test_without_a_sensor_nobody_is_counted() -> None:
    gate = Gate()
    commit(gate, entry())
    assert (gate.wait(901).counted, gate.screen.uncounted, gate.bodies(PeopleCounted)) == (None, False, [])


def test_a_quarter_of_an_hour_that_can_not_be_written_is_written_later(gate: Gate) -> None:
    gate.give(inputs.PersonPassed())
    gate.broken = True
    gate.give(inputs.WalkedThrough())
    gate.wait(901)
    gate.broken = False
    gate.wait(1.1)
    assert [(p.counted, p.recorded) for p in gate.bodies(PeopleCounted)] == [(1, 0)]


def test_presence_is_kept(gate: Gate) -> None:
    assert gate.state.present is None
    gate.give(inputs.PresenceChanged(True))
    assert gate.state.present is True
    gate.give(inputs.PresenceChanged(False))
    assert gate.state.present is False


# settings


def opened(gate: Gate) -> SettingsView:
    view = gate.give(inputs.OpenSettings(pin="2468")).settings
    assert view is not None
    return view


def test_settings_open_by_their_pin_for_two_minutes(gate: Gate) -> None:
    gate.wait(1)
    assert (gate.screen.can_settings, gate.screen.settings) == (True, None)
    assert opened(gate) == SettingsView(
        loudness=85, night_loudness=40, brightness=100, software="test", directory_version=7, directory_minutes=60,
        calibration_due=None, testing=False, tests=(),
    )  # fmt: skip
    gate.wait(100)
    gate.give(inputs.ChangeSettings(brightness=60))
    assert gate.wait(119).settings is not None
    assert gate.wait(2).settings is None
    assert gate.give(inputs.ChangeSettings(brightness=50)).error == "settings_closed"
    assert gate.give(inputs.CheckDevices()).error == "settings_closed"
    assert gate.screen.brightness == 60


def test_settings_without_a_pin_stay_closed() -> None:
    gate = Gate()
    assert gate.give(inputs.OpenSettings(pin="")).error == "no_settings_pin"
    assert (gate.screen.can_settings, gate.screen.settings) == (False, None)


def test_three_wrong_pins_lock_the_settings_and_no_badge(gate: Gate) -> None:
    for error in ("wrong_pin", "wrong_pin", "locked_out", "locked_out"):
        assert gate.give(inputs.OpenSettings(pin="0")).error == error
    assert gate.give(inputs.OpenSettings(pin="2468")).error == "locked_out"
    assert gate.sign_in().volunteer is not None
    gate.wait(61)
    opened(gate)


def test_the_right_pin_forgets_the_wrong_ones(gate: Gate) -> None:
    for _ in range(3):
        gate.give(inputs.OpenSettings(pin="0"), inputs.OpenSettings(pin="0"))
        opened(gate)
        gate.give(inputs.CloseSettings())


def test_a_pin_nobody_asked_for_opens_nothing(gate: Gate) -> None:
    assert gate.give(inputs.PinChecked("settings", True)).settings is None


def test_a_pin_check_that_never_answers_is_given_up(gate: Gate) -> None:
    gate.state, effects = reduce(gate.state, inputs.OpenSettings(pin="2468"), gate.now, gate.setup)
    assert effects == (inputs.CheckPin("settings", None, "2468", "2468"),)
    assert gate.give(inputs.OpenSettings(pin="2468")).error == "not_now"
    assert gate.wait(61).error == "timed_out"
    opened(gate)


def test_only_what_is_given_changes(gate: Gate) -> None:
    opened(gate)
    gate.give(inputs.ChangeSettings(night_loudness=0), inputs.ChangeSettings(), inputs.ChangeSettings(language="en", loudness=70))
    assert [c.settings for c in gate.bodies(SettingsChanged)] == [{"night_loudness": 0}, {"loudness": 70, "language": "en"}]
    assert (gate.screen.loudness, gate.screen.language, gate.screen.brightness) == (70, "en", 100)


def test_settings_survive_a_restart_and_a_touch_of_the_language_does_not(gate: Gate) -> None:
    opened(gate)
    gate.give(inputs.ChangeSettings(language="en", brightness=30), inputs.SetLanguage(language="zh"))
    assert gate.screen.language == "zh"
    commit(gate, entry())
    assert gate.screen.language == "zh"
    gate.start()
    assert (gate.screen.language, gate.screen.brightness, gate.screen.settings) == ("en", 30, None)


def test_nothing_is_set_before_it_is_on_the_disk(gate: Gate) -> None:
    opened(gate)
    gate.broken = True
    gate.give(inputs.ChangeSettings(language="en", loudness=10))
    assert (gate.screen.language, gate.screen.loudness) == ("zh", 85)
    gate.broken = False
    gate.wait(1.1)
    assert (gate.screen.language, gate.screen.loudness) == ("en", 10)


@pytest.mark.parametrize("hour, night", [(5, True), (6, False), (20, False), (21, True)])
def test_night_is_dim_and_quiet(hour: int, night: bool) -> None:
    gate = Gate(FULL, directory=structs.replace(DIRECTORY, policies=Policies(night=(21 * 60, 6 * 60))))
    gate.now = replace(gate.now, utc=START.replace(hour=0, minute=0) + timedelta(hours=(hour - 8) % 24))
    assert (gate.screen.night, gate.screen.loudness) == (night, 40 if night else 85)


def test_devices_are_tested_one_test_at_a_time(gate: Gate) -> None:
    opened(gate)
    view = gate.give(inputs.CheckDevices()).settings
    assert view is not None
    assert (view.testing, view.tests, gate.tests) == (True, (), 1)
    assert gate.give(inputs.CheckDevices()).error == "not_now"
    view = gate.give(inputs.DevicesTested((SelfTest("camera", False, "no picture"),))).settings
    assert view is not None
    assert (view.testing, view.tests) == (False, (("camera", False, "no picture"),))
    assert gate.give(inputs.CloseSettings()).settings is None


# the gap and the gate


def cut_power(gate: Gate, seconds: float) -> None:
    gate.pass_time(seconds)
    gate.start()


def test_a_gap_is_told_until_somebody_answers(gate: Gate) -> None:
    assert gate.give(inputs.AnswerGap(missed=True)).error == "not_now"
    cut_power(gate, 25 * 60)
    gate.give(DirectoryArrived(DIRECTORY))
    assert gate.sign_in().gap_minutes == 25
    assert gate.give(inputs.ConfirmDuty()).gap_minutes == 25
    cut_power(gate, 30)
    assert gate.give(inputs.AnswerGap(missed=False)).gap_minutes is None
    assert gate.bodies(GapAnswered) == [GapAnswered(missed=False, by=LI)]
    gate.start()
    assert gate.screen.gap_minutes is None


def test_nobody_need_be_signed_in_to_answer(gate: Gate) -> None:
    cut_power(gate, 300)
    assert gate.give(inputs.AnswerGap(missed=True)).gap_minutes is None
    assert gate.bodies(GapAnswered) == [GapAnswered(missed=True)]


def test_a_locked_gate_is_closed_until_it_is_opened(gate: Gate) -> None:
    assert gate.give(inputs.ShutGate(shut=True)).error == "not_signed_in"
    gate.sign_in()
    assert gate.give(inputs.ShutGate(shut=False)).error == "not_now"
    screen = gate.give(inputs.ShutGate(shut=True))
    assert (screen.shut, screen.sentence) == (True, "closed")
    assert gate.give(inputs.ShutGate(shut=True)).error == "not_now"
    gate.start()
    assert (gate.screen.shut, gate.screen.sentence) == (True, "closed")
    screen = gate.give(inputs.ShutGate(shut=False))
    assert (screen.shut, screen.sentence) == (False, "show_pass")
    assert gate.bodies(GateShut) == [GateShut(shut=True, by=LI), GateShut(shut=False, by=LI)]


def test_couriers_are_tallied_by_the_gates_own_day(gate: Gate) -> None:
    gate.give(inputs.Tally())
    gate.sign_in()
    assert gate.give(inputs.Tally()).couriers == 2
    assert gate.bodies(Tallied) == [Tallied(what="courier"), Tallied(what="courier", by=LI)]
    gate.wait(16.2 * 3600)
    assert gate.screen.clock == "23:52"
    assert gate.give(inputs.Tally()).couriers == 3
    gate.start()
    assert gate.screen.couriers == 3
    gate.wait(600)
    assert (gate.screen.clock, gate.screen.couriers) == ("00:02", 0)
    assert gate.give(inputs.Tally()).couriers == 1


def test_tallies_are_kept_for_a_day_and_no_longer(gate: Gate) -> None:
    for _ in range(300):
        gate.give(inputs.Tally())
        gate.wait(900)
    assert len(gate.state.lasting.tallied) <= 97


def test_a_tally_by_an_unset_clock_counts_today(gate: Gate) -> None:
    gate.give(inputs.Tally())
    gate.now = replace(gate.now, synced=False, utc=datetime(1970, 1, 1, tzinfo=UTC))
    gate.wait(1)
    assert gate.give(inputs.Tally()).couriers == 2


# duty


def test_a_shift_ends_with_its_hours_and_who_waits(gate: Gate) -> None:
    gate.sign_in()
    commit(gate, entry(Outcome.REFER, reasons=("fever",)), entry(Outcome.REFER, reasons=("isolating",)))
    for _ in range(6):
        gate.wait(900)
        gate.give(inputs.ConfirmDuty())
    gate.sign_in(1)
    gate.give(inputs.SignOff())
    handed, off = [s for s in gate.bodies(ShiftChange) if not s.on]
    assert (handed.reason, handed.hours, handed.waiting) == ("handed_over", pytest.approx(1.5), 2)
    assert (off.reason, off.hours, off.waiting) == ("signed_off", 0.0, 2)


def test_on_duty_for_longer_than_people_should_be(gate: Gate) -> None:
    gate.give(DirectoryArrived(structs.replace(DIRECTORY, version=8, policies=Policies(shift_seconds=1200))))
    gate.sign_in()
    assert not gate.wait(1200).volunteer.over  # type: ignore[union-attr]
    assert gate.wait(1).volunteer.over  # type: ignore[union-attr]


def test_a_time_out_begins_anew_when_asked_to() -> None:
    gate = Gate(replace(FULL, thermometer=None))
    assert gate.give(inputs.Extend()).error == "not_now"
    gate.show(ANN)
    gate.wait(50)
    assert (gate.screen.can_extend, gate.screen.seconds_left) == (True, 10)
    assert gate.give(inputs.Extend()).seconds_left == 60
    assert gate.wait(50).phase == "typing"
    gate.show(BADGES[0])
    gate.wait(50)
    assert gate.give(inputs.Extend()).seconds_left == 60
    gate.give(inputs.EnterPin(pin="1234"), inputs.Cancel(), inputs.OpenChecklist(item=Item.DESK))
    gate.wait(50)
    gate.give(inputs.Extend())
    assert gate.wait(50).phase == "checklist"
    gate.give(inputs.Cancel())
    assert not gate.screen.can_extend


def test_a_referral_waits_longer_when_asked_to_and_an_admission_does_not(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(NORMAL)
    assert gate.give(inputs.Extend()).error == "not_now"
    gate.show(BOB)
    gate.feel(FEVER)
    gate.wait(1.5)
    gate.feel(FEVER)
    gate.wait(15)
    assert gate.give(inputs.Extend()).can_extend
    assert gate.wait(15).outcome is Outcome.REFER
    assert gate.wait(6).phase == "waiting"


def test_the_settings_stay_open_when_asked_to(gate: Gate) -> None:
    opened(gate)
    gate.wait(100)
    assert gate.give(inputs.Extend()).can_extend
    assert gate.wait(100).settings is not None


# the thermometer's calibration


def test_an_overdue_calibration_is_no_evidence_and_a_declared_gun_still_is() -> None:
    gate = Gate(replace(SETUP, calibration_due=date(2026, 3, 3)))
    gate.equip()
    assert gate.item("temperature") == (True, "sensor", None)
    gate.wait((16 * 60 + 19) * 60)
    gate.equip()
    assert (gate.screen.clock, gate.item("temperature")) == ("23:59", (True, "sensor", None))
    gate.wait(60)
    gate.equip()
    assert (gate.screen.clock, gate.item("temperature")) == ("00:00", (False, "sensor", "calibration_overdue"))
    gate.sign_in()
    gate.give(inputs.DeclareByEye(item=Item.TEMPERATURE))
    assert gate.item("temperature") == (True, "declared", None)


def test_the_fold_is_the_state(gate: Gate) -> None:
    gate.sign_in()
    opened(gate)
    gate.give(inputs.Emergency(), inputs.Tally(), inputs.ChangeSettings(loudness=5), inputs.ShutGate(shut=True))
    gate.give(inputs.PersonPassed())
    gate.wait(901)
    assert replay(gate.events) == gate.state.lasting
    assert gate.give(Committed(())).shut
