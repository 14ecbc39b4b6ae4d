"""Those who come otherwise than with one pass and a cool forehead, told as stories."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from contract.directory import (
    Booking,
    Bookings,
    ColourRule,
    Colours,
    Dwelling,
    Faces,
    Isolating,
    Policies,
    Revocations,
    Roster,
    RosterHolder,
    Thresholds,
)
from contract.events import Direction, Entry, Outcome, Who
from contract.passes import PassKind
from contract.sealing import Personal
from kiosk import inputs
from kiosk.inputs import DirectoryArrived, Record, TokenSeen
from kiosk.lasting import replay
from kiosk.view import Snapshot
from tests.unit.gate_driver import (
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
VOLUNTEER = pass_id(101)
ROSTER = Roster(
    dwellings=(
        Dwelling(building="3号", room="501", holders=(RosterHolder(pass_id=pass_id(1), name="王*明"),)),
        Dwelling(building="3号", room="502", holders=(RosterHolder(pass_id=pass_id(9), name="李*"),)),
    )
)
BOOKING = Booking(
    id="b1", kind="removal", plate="沪B88888", crew=3, dwelling="3号502", opens=START - timedelta(hours=1),
    closes=START + timedelta(hours=2),
)  # fmt: skip
WHOLE = structs.replace(DIRECTORY, version=8, roster=ROSTER, bookings=Bookings(bookings=(BOOKING,)))
VISITOR = inputs.Register(building="3号", room="501", host_confirmed=True, name="张先生", phone="13900000000", origin="外省市")


class Recorder(Gate):
    """A gate that keeps what was to be sealed."""

    def __init__(self, **options: Any) -> None:
        self.sealed: list[Personal] = []
        super().__init__(**options)

    def _do(self, effects: tuple[Any, ...]) -> None:
        self.sealed += [effect.personal for effect in effects if isinstance(effect, Record) and effect.personal]
        super()._do(effects)


@pytest.fixture
def gate() -> Recorder:
    made = Recorder(directory=WHOLE)
    made.equip()
    made.sign_in()
    return made


def entry_of(gate: Gate, n: int = -1) -> Entry:
    return gate.bodies(Entry)[n]


def next_one(gate: Gate, skin: float) -> Snapshot:
    """The one before steps away, and the next comes."""
    gate.feel(NOBODY, 1)
    return gate.feel(skin)


def referral(gate: Gate) -> str:
    return gate.screen.aside[-1].id


# without a card


def test_a_resident_without_a_card_is_found_and_measured(gate: Recorder) -> None:
    screen = gate.give(inputs.FindHolder(pass_id=pass_id(9)))
    assert (screen.phase, screen.holder and screen.holder.name, screen.holder and screen.holder.dwelling) == (
        "measuring", "李*", "3号502",
    )  # fmt: skip
    assert gate.feel(NORMAL).sentence == "ok_enter"
    entry = entry_of(gate)
    assert (entry.pass_id, entry.found, entry.who, entry.by) == (pass_id(9), "list", Who.RESIDENT, VOLUNTEER)
    assert entry.reasons == ("no_card",)
    assert gate.sealed[-1] == Personal(event="", name="李*", dwelling="3号502")
    assert gate.screen.inside == 1


def test_found_and_going_out_needs_no_more_than_that(gate: Gate) -> None:
    gate.give(inputs.SetDirection(direction=Direction.OUT))
    assert gate.give(inputs.FindHolder(pass_id=pass_id(9))).sentence == "ok_leave"


@pytest.mark.parametrize("part", [{"isolating": Isolating(ids=(pass_id(9),))}, {"colours": Colours(
    rules={"orange": ColourRule(label="橙", gate="homecoming")}, holders={pass_id(9): "orange"})}])  # fmt: skip
def test_found_by_list_is_no_way_round_the_directory(gate: Gate, part: dict[str, Any]) -> None:
    gate.give(DirectoryArrived(structs.replace(WHOLE, version=9, **part)))
    assert gate.give(inputs.FindHolder(pass_id=pass_id(9))).outcome is Outcome.REFER


def test_found_by_list_with_a_revoked_pass_is_refused(gate: Gate) -> None:
    gate.give(DirectoryArrived(structs.replace(WHOLE, version=9, revocations=Revocations(ids=(pass_id(9),)))))
    assert gate.give(inputs.FindHolder(pass_id=pass_id(9))).outcome is Outcome.REFUSE


def test_found_twice_within_a_minute_is_a_passback(gate: Gate) -> None:
    gate.give(inputs.FindHolder(pass_id=pass_id(9)))
    gate.feel(NORMAL)
    gate.wait(20)
    assert gate.give(inputs.FindHolder(pass_id=pass_id(9))).reasons == ("passback",)


def test_nobody_of_that_id_lives_here(gate: Gate) -> None:
    assert gate.give(inputs.FindHolder(pass_id=pass_id(77))).error == "no_such_person"
    assert gate.entries == []


@pytest.mark.parametrize("touch", [inputs.FindHolder(pass_id=pass_id(9)), VISITOR, inputs.RegisterVehicle(plate="沪A1")])
def test_nobody_is_written_down_by_nobody(touch: inputs.Touch) -> None:
    gate = Gate(directory=WHOLE)
    gate.equip()
    screen = gate.give(touch)
    assert (screen.phase, screen.error, gate.entries) == ("waiting", "not_signed_in", [])


# visitors


def test_a_visitor_is_written_down_measured_let_in_and_leaves(gate: Recorder) -> None:
    assert gate.give(VISITOR).phase == "measuring"
    assert gate.feel(NORMAL).sentence == "ok_enter"
    entry = entry_of(gate)
    assert (entry.who, entry.purpose, entry.host_confirmed, entry.key_area) == (Who.VISITOR, "visit", True, False)
    assert (entry.pass_id, entry.found, entry.by) == (None, "form", VOLUNTEER)
    assert gate.sealed[-1] == Personal(event="", name="张先生", phone="13900000000", origin="外省市", host="3号501")
    gate.wait(600)
    visit = gate.screen.visits[0]
    assert (visit.who, visit.name, visit.dwelling, visit.minutes, visit.overdue) == ("visitor", "张先生", "3号501", 10, False)
    assert gate.give(inputs.EndVisit(entry=visit.entry)).sentence == "ok_leave"
    left = entry_of(gate)
    assert (left.direction, left.outcome, left.visit, left.who) == (Direction.OUT, Outcome.ADMIT, visit.entry, Who.VISITOR)
    assert gate.screen.visits == ()
    assert gate.give(inputs.EndVisit(entry=visit.entry)).error == "no_such_entry"


def test_a_visitor_whom_nobody_expects_is_referred(gate: Gate) -> None:
    gate.give(structs.replace(VISITOR, host_confirmed=False))
    screen = gate.feel(NORMAL)
    assert (screen.outcome, screen.reasons, screen.can_decide) == (Outcome.REFER, ("host_not_confirmed",), True)
    gate.give(inputs.Decide(admit=True))
    assert (entry_of(gate).outcome, entry_of(gate).by, entry_of(gate).host_confirmed) == (Outcome.ADMIT, VOLUNTEER, False)
    assert len(gate.screen.visits) == 1


def test_a_visitor_from_a_key_area_is_referred_and_never_let_in_unmeasured(gate: Gate) -> None:
    screen = gate.give(structs.replace(VISITOR, key_area=True))
    assert (screen.outcome, screen.reasons, screen.sentence) == (Outcome.REFER, ("key_area",), "wait_aside")
    screen = gate.give(inputs.Decide(admit=True))
    assert screen.phase == "measuring"
    gate.wait(1.6)
    gate.feel(NORMAL)
    assert (entry_of(gate).outcome, entry_of(gate).reasons) == (Outcome.ADMIT, ("confirmed_by_volunteer",))
    assert entry_of(gate).reading is not None


def test_a_visitor_without_any_word_of_who_it_is(gate: Gate) -> None:
    assert gate.give(inputs.Register(host_confirmed=True)).error == "needs_name"


def test_a_traveller_comes_home_once_and_is_fetched(gate: Recorder) -> None:
    screen = gate.give(inputs.Register(who="traveller", building="3号", room="501", origin="武汉", arrived="2026-03-01"))
    assert (screen.reasons, screen.sentence) == (("homecoming",), "wait_aside")
    assert entry_of(gate).who is Who.TRAVELLER
    assert gate.sealed[-1].note == "2026-03-01"


def test_a_pass_shown_meanwhile_loses_no_visitor(gate: Gate) -> None:
    gate.give(VISITOR)
    gate.show(ANN)
    assert gate.screen.aside[0].reasons == ("aside",)
    gate.feel(NORMAL)
    gate.wait(4)
    gate.give(inputs.Recall(entry=gate.screen.aside[0].id))
    gate.wait(1.6)
    gate.feel(NORMAL)
    assert (entry_of(gate).who, entry_of(gate).outcome) == (Who.VISITOR, Outcome.ADMIT)
    assert gate.screen.aside == ()


# parties


def test_a_child_by_the_hand_has_a_reading_of_its_own(gate: Gate) -> None:
    gate.show(ANN)
    assert gate.give(inputs.AddPerson()).people == 2
    screen = gate.feel(NORMAL)
    assert (screen.phase, screen.measured, screen.next_person, screen.sentence) == ("measuring", 1, True, "next_one")
    gate.feel(NORMAL, 5)
    assert gate.entries == [], "the same forehead counts once"
    assert next_one(gate, NORMAL + 0.2).sentence == "ok_enter"
    entry = entry_of(gate)
    assert (entry.people, [c.role for c in entry.companions]) == (2, ["child"])
    assert entry.reading is not None
    assert entry.companions[0].reading is not None
    assert entry.companions[0].reading.skin_celsius == pytest.approx(34.2)
    assert entry.reading.skin_celsius == pytest.approx(34.0)


def test_a_child_with_a_fever_is_seen_though_the_parent_has_none(gate: Gate) -> None:
    gate.show(ANN)
    gate.give(inputs.AddPerson())
    gate.feel(NORMAL)
    assert next_one(gate, FEVER).sentence == "again"
    gate.wait(1.6)
    screen = gate.feel(FEVER)
    assert (screen.outcome, screen.reasons) == (Outcome.REFER, ("fever",))
    entry = entry_of(gate)
    assert entry.reading is not None
    assert (entry.reading.band, entry.people, [c.role for c in entry.companions]) == ("fever", 2, ["self"])
    assert gate.screen.inside == 0


def test_a_child_who_is_noticed_late_gets_an_entry_that_names_the_first(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(NORMAL)
    first = gate.screen.entry
    assert gate.give(inputs.AddPerson()).next_person
    next_one(gate, NORMAL)
    assert (entry_of(gate).who, entry_of(gate).follows, entry_of(gate).pass_id) == (Who.COMPANION, first, None)
    gate.give(inputs.AddPerson(role="elder"))
    next_one(gate, NORMAL)
    assert entry_of(gate).follows == first


def test_the_next_one_is_beckoned_when_there_is_no_gap(gate: Gate) -> None:
    gate.show(ANN)
    gate.give(inputs.AddPerson())
    gate.feel(NORMAL)
    gate.give(inputs.Retake())
    assert gate.feel(NORMAL).outcome is Outcome.ADMIT


# vehicles


def test_a_vehicle_with_three_occupants(gate: Recorder) -> None:
    gate.give(inputs.RegisterVehicle(plate="沪a 12345", people=3, boot_checked=True, host_confirmed=True, building="3号"))
    for n in range(3):
        screen = next_one(gate, NORMAL + n / 10)
    assert screen.sentence == "ok_enter"
    entry = entry_of(gate)
    assert (entry.who, entry.people, entry.boot_checked) == (Who.VEHICLE, 3, True)
    assert [c.role for c in entry.companions] == ["occupant", "occupant"]
    assert gate.sealed[-1].plate == "沪A12345"
    assert gate.screen.visits[0].plate == "沪A12345"


def test_a_boot_that_is_shut_is_opened_first(gate: Gate) -> None:
    gate.give(inputs.RegisterVehicle(plate="沪A1", host_confirmed=True))
    screen = gate.feel(NORMAL)
    assert (screen.reasons, screen.can_boot) == (("boot_unchecked",), True)
    gate.give(inputs.CheckBoot())
    assert (entry_of(gate).outcome, entry_of(gate).boot_checked) == (Outcome.ADMIT, True)


def test_a_boot_ticked_while_measuring_asks_nothing_more(gate: Gate) -> None:
    gate.show(token(5, PassKind.VEHICLE))
    assert gate.screen.can_boot
    gate.give(inputs.CheckBoot())
    assert gate.feel(NORMAL).outcome is Outcome.ADMIT
    assert not gate.screen.can_boot


def test_a_removal_van_that_is_booked(gate: Gate) -> None:
    assert [(b.plate, b.now, b.window) for b in gate.screen.bookings] == [("沪B88888", True, "06:40–09:40")]
    gate.give(inputs.RegisterVehicle(plate="", booking="b1", people=1, boot_checked=True))
    assert gate.feel(NORMAL).outcome is Outcome.ADMIT
    assert (entry_of(gate).booking, entry_of(gate).by) == ("b1", VOLUNTEER)


def test_a_van_at_another_hour_is_referred(gate: Gate) -> None:
    gate.wait(3 * 3600)
    gate.sign_in(1)
    gate.equip()
    gate.give(inputs.RegisterVehicle(plate="", booking="b1", boot_checked=True))
    assert gate.feel(NORMAL).reasons[0] == "booking_not_now"


def test_a_taxi_that_stays_too_long_shows(gate: Gate) -> None:
    gate.give(inputs.RegisterVehicle(plate="沪X1", taxi=True, boot_checked=True, host_confirmed=True))
    gate.feel(NORMAL)
    assert not gate.screen.visits[0].overdue
    gate.wait(1900)
    assert gate.screen.visits[0].overdue


# at the side


def test_a_fever_waits_at_the_side_and_the_queue_goes_on(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(FEVER, 12)
    gate.wait(1)
    gate.feel(FEVER, 12)
    gate.show(BOB)
    assert gate.screen.holder is not None
    gate.feel(NORMAL)
    aside = gate.screen.aside[0]
    assert (aside.name, aside.reasons, aside.due, aside.can_recall) == ("王*明", ("fever",), False, True)
    gate.wait(301)
    assert gate.screen.aside[0].due
    assert gate.screen.aside[0].minutes == 5
    gate.feel(NOBODY, 1)
    gate.give(inputs.Recall(entry=aside.id))
    gate.wait(1.6)
    screen = gate.feel(NORMAL)
    assert screen.outcome is Outcome.REFER, "two fevers and a normal one: somebody decides"
    gate.give(inputs.Decide(admit=True))
    assert gate.screen.aside == ()
    assert (entry_of(gate).outcome, entry_of(gate).by) == (Outcome.ADMIT, VOLUNTEER)


def test_aside_by_a_touch_says_where_to_stand(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(LOW, 3)
    gate.give(inputs.PutAside())
    assert (gate.screen.phase, gate.said[-1]) == ("waiting", "wait_aside")
    assert gate.screen.aside[0].reasons == ("aside", "low")


def test_decided_at_the_side_while_another_is_measured(gate: Gate) -> None:
    gate.show(ANN)
    gate.give(inputs.PutAside())
    gate.show(BOB)
    screen = gate.give(inputs.Decide(admit=False, entry=referral(gate)))
    assert (screen.phase, screen.error, screen.aside) == ("measuring", None, ())
    assert (entry_of(gate).outcome, entry_of(gate).pass_id) == (Outcome.REFUSE, pass_id(1))
    assert gate.feel(NORMAL).outcome is Outcome.ADMIT
    assert entry_of(gate).pass_id == pass_id(2)


def test_somebody_at_the_side_has_left(gate: Gate) -> None:
    gate.show(ANN)
    gate.give(inputs.PutAside())
    waiting = referral(gate)
    gate.give(inputs.Gone(entry=waiting))
    assert gate.screen.aside == ()
    assert (entry_of(gate).reasons, entry_of(gate).follows) == (("left",), waiting)
    assert gate.give(inputs.Gone(entry=waiting)).error == "not_aside"


def test_the_side_list_outlives_a_power_cut_and_then_a_reading_alone_settles_nothing(gate: Gate) -> None:
    gate.show(ANN)
    gate.feel(LOW, 3)
    gate.give(inputs.PutAside())
    gate.pass_time(60)
    gate.start()
    gate.give(DirectoryArrived(WHOLE))
    gate.equip()
    aside = gate.screen.aside[0]
    assert (aside.name, aside.reasons) == ("", ("aside", "low"))
    gate.give(inputs.Recall(entry=aside.id))
    gate.wait(1.6)
    screen = gate.feel(NORMAL)
    assert (screen.outcome, screen.reasons) == (Outcome.REFER, ("after_restart",))
    assert entry_of(gate).pass_id == pass_id(1)
    gate.give(inputs.Decide(admit=True))
    assert (entry_of(gate).pass_id, entry_of(gate).outcome) == (pass_id(1), Outcome.ADMIT)
    assert gate.screen.inside == 1


# a borrowed pass


def test_a_resident_is_asked_at_random_where_they_live(gate: Gate) -> None:
    always = structs.replace(
        WHOLE, version=9, policies=Policies(question_share=1.0), faces=Faces(faces={pass_id(1): "/9j/"})
    )  # fmt: skip
    gate.give(DirectoryArrived(always))
    assert gate.show(ANN).holder is not None
    screen = gate.feel(NORMAL)
    assert (screen.outcome, screen.asked, screen.sentence) == (Outcome.REFER, True, "which_home")
    assert screen.holder is not None
    assert (screen.holder.dwelling, screen.holder.face) == ("3号501", True)
    gate.give(inputs.Decide(admit=True))
    assert (entry_of(gate).outcome, entry_of(gate).answer) == (Outcome.ADMIT, True)
    gate.wait(5)
    gate.feel(NOBODY, 1)
    gate.show(BOB)
    gate.feel(NORMAL)
    gate.give(inputs.Decide(admit=False))
    assert (entry_of(gate).outcome, entry_of(gate).answer) == (Outcome.REFUSE, False)


def test_one_in_ten_are_asked_and_nobody_when_nobody_could_ask(gate: Gate) -> None:
    some = structs.replace(WHOLE, version=9, policies=Policies(question_share=0.1))
    gate.give(DirectoryArrived(some))
    asked = 0
    for n in range(200, 400):
        gate.feel(NOBODY, 1)
        gate.show(token(n))
        asked += gate.feel(NORMAL).asked
        gate.give(inputs.Decide(admit=True))
        gate.wait(4)
    assert 8 <= asked <= 35
    alone = Gate(directory=structs.replace(WHOLE, version=9, policies=Policies(question_share=1.0)))
    alone.equip()
    alone.show(ANN)
    assert alone.feel(NORMAL).outcome is Outcome.ADMIT


# hours, direction, paper


def test_outside_its_hours_a_gate_refers_those_who_come_and_lets_out_those_who_go(gate: Gate) -> None:
    night = structs.replace(WHOLE, version=9, thresholds=Thresholds(schedule=((600, 660),)))
    gate.give(DirectoryArrived(night))
    gate.show(ANN)
    assert gate.feel(NORMAL).reasons == ("gate_closed",)
    gate.wait(21)
    gate.give(inputs.SetDirection(direction=Direction.OUT))
    assert gate.show(BOB).reasons == ("while_closed",)


def test_the_camera_at_the_way_out_says_out(gate: Gate) -> None:
    screen = gate.give(TokenSeen(ANN, gate.now.mono_ns, Direction.OUT))
    assert (screen.sentence, entry_of(gate).direction) == ("ok_leave", Direction.OUT)


def test_a_line_of_paper_is_keyed_in_and_moves_nobody(gate: Recorder) -> None:
    line = inputs.KeyIn(
        time="23:50", direction=Direction.IN, pass_id=pass_id(9), celsius=36.6, page="GATEPOST-PAGE:s1:residents:3", line=4,
        building="3号", room="502",
    )  # fmt: skip
    screen = gate.give(line)
    assert (screen.phase, screen.error, screen.inside) == ("waiting", None, 0)
    entry = entry_of(gate)
    assert entry.written is not None
    assert (entry.written.page, entry.written.line, entry.found) == ("GATEPOST-PAGE:s1:residents:3", 4, "paper")
    assert entry.written.at.astimezone(SETUP.timezone).isoformat() == "2026-03-01T23:50:00+08:00"
    assert (entry.pass_id, entry.reasons, entry.by) == (pass_id(9), ("written_later",), VOLUNTEER)
    assert gate.sealed[-1].name == "李*"
    assert gate.screen.entries[0].time == "23:50:00"
    assert gate.give(structs.replace(line, celsius=366)).error == "out_of_range"


def test_an_emergency_is_explained_afterwards(gate: Gate) -> None:
    gate.give(inputs.Emergency())
    entry = gate.screen.entries[0].id
    screen = gate.give(inputs.AddDetail(entry=entry, what="ambulance"))
    assert (screen.error, screen.entries[0].note, screen.entries[0].cancelled) == (None, "ambulance", False)
    assert replay(gate.events) == gate.state.lasting
    assert gate.give(inputs.Correct(entry=entry)).entries[0].cancelled
    assert gate.give(inputs.AddDetail(entry=entry, what="fire")).error == "no_such_entry"


def test_a_page_of_the_register_held_up_is_nobodys_pass(gate: Gate) -> None:
    screen = gate.show("GATEPOST-PAGE:s1:residents:12")
    assert (screen.phase, screen.page, gate.entries) == ("waiting", 12, [])


def test_a_journal_gives_all_of_it_back(gate: Gate) -> None:
    gate.give(VISITOR)
    gate.feel(NORMAL)
    gate.show(ANN)
    gate.give(inputs.PutAside())
    assert replay(gate.events) == gate.state.lasting
    assert len(gate.state.lasting.visits) == len(gate.state.lasting.aside) == 1
    gate.give(inputs.Correct(entry=gate.screen.visits[0].entry), inputs.Correct(entry=referral(gate)))
    assert (gate.screen.visits, gate.screen.aside) == ((), ())


def test_whoever_left_by_mistake_is_back(gate: Gate) -> None:
    gate.give(VISITOR)
    gate.feel(NORMAL)
    visit = gate.screen.visits[0].entry
    gate.give(inputs.EndVisit(entry=visit))
    assert gate.screen.visits == ()
    gate.give(inputs.Correct(entry=gate.screen.entries[0].id))
    assert [one.entry for one in gate.screen.visits] == [visit]
    gate.give(inputs.Correct(entry=gate.screen.entries[0].id))
    assert [one.entry for one in gate.screen.visits] == [visit], "once, however often it is said"
    assert replay(gate.events) == gate.state.lasting


def test_typed_figures_for_a_party() -> None:
    gate = Gate(replace(SETUP, thermometer=None), directory=WHOLE)
    gate.sign_in()
    gate.give(inputs.RegisterVehicle(plate="沪A1", people=2, boot_checked=True, host_confirmed=True))
    gate.give(inputs.TypeTemperature(celsius=36.4, typed_seconds=3))
    assert (gate.screen.phase, gate.screen.measured, gate.screen.people) == ("typing", 1, 2)
    gate.give(inputs.TypeTemperature(celsius=36.7, typed_seconds=3))
    entry = entry_of(gate)
    assert [entry.reading and entry.reading.body_celsius, *[c.reading and c.reading.body_celsius for c in entry.companions]] == [
        36.4, 36.7,
    ]  # fmt: skip


def test_a_badge_shown_in_between_leaves_the_party_as_it_was(gate: Gate) -> None:
    gate.show(ANN)
    gate.give(inputs.AddPerson())
    gate.feel(NORMAL)
    gate.show(BADGES[1])
    gate.give(inputs.EnterPin(pin="5678"))
    assert (gate.screen.phase, gate.screen.measured) == ("measuring", 1)
    assert next_one(gate, NORMAL).outcome is Outcome.ADMIT
