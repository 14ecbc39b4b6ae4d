"""How often, when and for how long a household may go out: the rule by itself, then as stories at a gate."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from contract.directory import ColourRule, Colours, Directory, Dwelling, Households, Policies, Roster, RosterHolder
from contract.events import Body, Clock, Companion, Correction, Direction, Entry, Event, Outcome, Written
from contract.messages import Movement, Movements
from contract.passes import PassKind
from kiosk import inputs
from kiosk.inputs import DirectoryArrived, MovementsArrived, Now
from kiosk.lasting import replay
from kiosk.rules.quota import began, fold, household, is_outside, is_over, is_too_long
from kiosk.view import Snapshot
from tests.unit.gate_driver import DIRECTORY, NORMAL, START, Gate, pass_id, token

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=SHANGHAI)
OUT, IN = Direction.OUT, Direction.IN
HOUR = 3600


def event(seq: int, body: Body, clock: Clock = Clock.SYNCED, at: datetime = NOON) -> Event:
    return Event(seq=seq, id=f"e{seq}", at=at + timedelta(seconds=seq), boot="b1", mono_ns=seq, clock=clock, body=body)


def entry(who: str | None, direction: Direction = OUT, outcome: Outcome = Outcome.ADMIT, **more: Any) -> Entry:
    return Entry(direction=direction, outcome=outcome, pass_id=who, **more)


# the rule


@pytest.mark.parametrize(
    "bodies, counted",
    [
        ([entry("a")], {"a": 1}),
        ([entry("a"), entry("a", IN), entry("a")], {"a": 2}),
        ([entry("a", IN)], {}),
        ([entry("a", outcome=Outcome.REFER), entry("a", outcome=Outcome.RETAKE)], {}),
        ([entry("a", written=Written(at=NOON))], {}),
        ([entry(None)], {}),
        ([entry("a", companions=(Companion(role="child", pass_id="b"), Companion(role="child")))], {"a": 1, "b": 1}),
        ([entry("a"), entry("a"), Correction(corrects="e1", cancelled=True)], {"a": 1}),
        ([entry("a"), Correction(corrects="e1", note="wrong lane")], {"a": 1}),
        ([entry("a"), Correction(corrects="e1", cancelled=True)], {"a": 0}),
    ],
)
def test_which_entries_are_outings(bodies: list[Body], counted: dict[str, int]) -> None:
    found = fold({}, [event(seq, body) for seq, body in enumerate(bodies, 1)])
    assert {who: len(outings) for who, outings in found.items()} == counted


def test_an_outing_that_an_unsynced_clock_has_dated_is_not_counted() -> None:
    assert fold({}, [event(1, entry("a"), Clock.UNSYNCED)]) == {}


def test_outings_are_forgotten_when_no_period_reaches_back_to_them() -> None:
    days = [fold({}, [event(1, entry("a")), event(2, entry("a"), at=NOON + timedelta(days=n))]) for n in (7, 9)]
    assert [len(found["a"]) for found in days] == [2, 1]


MOVES = st.lists(
    st.builds(entry, st.sampled_from("abc"), st.sampled_from(Direction), st.sampled_from(Outcome))
    | st.builds(lambda n: Correction(corrects=f"e{n}", cancelled=True), st.integers(1, 8))
)


@given(MOVES, st.integers(0, 20))
def test_folding_in_two_parts_is_folding_at_once(bodies: list[Body], cut: int) -> None:
    events = [event(seq, body) for seq, body in enumerate(bodies, 1)]
    assert fold(fold({}, events[:cut]), events[cut:]) == fold({}, events)


def test_a_household_is_who_lives_behind_the_same_door() -> None:
    homes = Households(households=(("a", "b"), ("c",), ()))
    assert (household(homes, "b"), household(homes, "c"), household(homes, "z")) == (("a", "b"), ("c",), ())


@pytest.mark.parametrize(
    "at, days, zone, since",
    [
        (NOON, 1, SHANGHAI, "2026-03-02T00:00:00+08:00"),
        (NOON, 2, SHANGHAI, "2026-03-01T00:00:00+08:00"),
        (NOON, 7, SHANGHAI, "2026-02-24T00:00:00+08:00"),
        (datetime(2026, 3, 1, 15, 59, tzinfo=UTC), 1, SHANGHAI, "2026-03-01T00:00:00+08:00"),
        (datetime(2026, 3, 1, 16, 0, tzinfo=UTC), 1, SHANGHAI, "2026-03-02T00:00:00+08:00"),
        (datetime(2026, 3, 29, 12, 0, tzinfo=UTC), 1, BERLIN, "2026-03-29T00:00:00+01:00"),
    ],
)
def test_a_period_begins_at_a_local_midnight(at: datetime, days: int, zone: ZoneInfo, since: str) -> None:
    assert began(at, days, zone).isoformat() == since


@pytest.mark.parametrize(
    "hours_ago, most, over",
    [
        ([], 1, False),
        ([1], 1, True),
        ([1], 2, False),
        ([1, 2], 2, True),
        ([35.9], 1, True),
        ([36.1], 1, False),
        ([-1], 1, False),
        ([1, 2, 3], 0, False),
    ],
)
def test_one_more_than_may_be_in_two_days_is_over(hours_ago: list[float], most: int, over: bool) -> None:
    gone_out = [NOON - timedelta(hours=hours) for hours in hours_ago]
    assert is_over(gone_out, NOON, most, 2, SHANGHAI) is over


@pytest.mark.parametrize(
    "windows, outside",
    [((), False), (((720, 721),), False), (((600, 720),), True), (((1200, 780),), False), (((60, 120), (719, 740)), False)],
)
def test_the_time_to_go_out(windows: tuple[tuple[int, int], ...], outside: bool) -> None:
    assert is_outside(windows, NOON.astimezone(UTC), SHANGHAI) is outside


@pytest.mark.parametrize("seconds, most, late", [(None, 10, False), (10, 10, False), (10.1, 10, True), (10.1, 0, False)])
def test_out_for_longer_than_one_may_be(seconds: float | None, most: float, late: bool) -> None:
    assert is_too_long(seconds, most) is late


# at a gate: 1, 2 and 3 live at 3号501, 4 at 3号502; nobody has told where 5 lives

FAMILY = Dwelling(building="3号", room="501", holders=tuple(RosterHolder(pass_id=pass_id(n), name="王*") for n in (1, 2, 3)))
NEIGHBOUR = Dwelling(building="3号", room="502", holders=(RosterHolder(pass_id=pass_id(4), name="李*"),))
HOUSEHOLDS = Households(households=(tuple(pass_id(n) for n in (1, 2, 3)), (pass_id(4),)))
ONE_IN_TWO_DAYS = Policies(outings=1, outing_seconds=3 * HOUR)
LIMITED = structs.replace(
    DIRECTORY, version=8, roster=Roster(dwellings=(FAMILY, NEIGHBOUR)), households=HOUSEHOLDS, policies=ONE_IN_TWO_DAYS,
    colours=Colours(rules={"purple": ColourRule(label="紫", quota=False)}, holders={pass_id(3): "purple"}),
)  # fmt: skip


def guard(directory: Directory = LIMITED, **options: Any) -> Gate:
    made = Gate(directory=directory, **options)
    made.equip()
    made.sign_in()
    return made


@pytest.fixture
def gate() -> Gate:
    return guard()


def renew(gate: Gate, **parts: Any) -> None:
    """The directory comes anew, signed just now."""
    gate.give(DirectoryArrived(structs.replace(LIMITED, issued_at=gate.now.utc, **parts)))


def go(gate: Gate, number: int, direction: Direction = OUT) -> Snapshot:
    """Somebody passes, long after whoever was there before."""
    gate.wait(90)
    gate.equip()
    gate.give(inputs.SetDirection(direction=direction))
    screen = gate.show(token(number))
    return gate.feel(NORMAL) if direction is IN else screen


def siblings_say(gate: Gate, number: int, direction: str, seconds: float) -> None:
    moved = Movement(pass_id=pass_id(number), direction=direction, gate="g2", age_seconds=seconds)
    gate.give(MovementsArrived(Movements(compound="c1", movements=(moved,))))


def test_one_of_a_household_goes_out_and_the_next_is_referred(gate: Gate) -> None:
    assert go(gate, 1).sentence == "ok_leave"
    screen = go(gate, 2)
    assert (screen.outcome, screen.reasons, screen.sentence) == (Outcome.REFER, ("quota",), "wait_aside")
    assert go(gate, 4).sentence == "ok_leave", "the neighbours have a quota of their own"


def test_the_volunteer_decides_and_it_counts_like_any_other(gate: Gate) -> None:
    go(gate, 1)
    go(gate, 2)
    gate.give(inputs.Decide(admit=True))
    last = gate.bodies(Entry)[-1]
    assert (last.outcome, last.reasons, last.by) == (Outcome.ADMIT, ("confirmed_by_volunteer",), pass_id(101))
    assert len(gate.state.lasting.outings[pass_id(2)]) == 1


def test_coming_home_is_never_asked_for_a_quota(gate: Gate) -> None:
    go(gate, 1)
    assert go(gate, 1, IN).reasons == ()
    assert go(gate, 2, IN).outcome is Outcome.ADMIT


def test_found_in_the_roster_is_no_way_round_the_quota(gate: Gate) -> None:
    go(gate, 1)
    gate.wait(90)
    assert gate.give(inputs.FindHolder(pass_id=pass_id(2))).reasons == ("quota",)


@pytest.mark.parametrize("minutes, again", [(-5, Outcome.REFER), (5, Outcome.ADMIT)])
def test_from_the_second_midnight_on_somebody_may_go_again(gate: Gate, minutes: int, again: Outcome) -> None:
    go(gate, 1)
    midnight = datetime(2026, 3, 4, tzinfo=SHANGHAI)
    gate.wait((midnight + timedelta(minutes=minutes) - gate.now.utc).total_seconds())
    renew(gate)
    assert go(gate, 2).outcome is again


def test_who_is_in_care_has_no_quota_and_uses_up_nobodys(gate: Gate) -> None:
    assert go(gate, 3).outcome is Outcome.ADMIT
    go(gate, 3, IN)
    assert go(gate, 3).outcome is Outcome.ADMIT
    assert go(gate, 1).outcome is Outcome.ADMIT
    assert go(gate, 3, IN).reasons == ()


def test_an_outing_that_was_cancelled_does_not_count(gate: Gate) -> None:
    gate.give(inputs.Correct(entry=go(gate, 1).entry or ""))
    assert go(gate, 2).outcome is Outcome.ADMIT


def test_a_restart_forgets_no_outing(gate: Gate) -> None:
    go(gate, 1)
    gate.start()
    gate.give(DirectoryArrived(LIMITED))
    assert go(gate, 2).reasons == ("quota",)
    assert replay(gate.events) == gate.state.lasting


def test_gone_out_by_another_gate_counts(gate: Gate) -> None:
    siblings_say(gate, 1, "out", 600)
    assert go(gate, 2).reasons == ("quota",)


def test_back_by_another_gate_is_all_that_is_known_of_that_outing(gate: Gate) -> None:
    siblings_say(gate, 1, "out", 600)
    siblings_say(gate, 1, "in", 60)
    assert go(gate, 2).outcome is Outcome.ADMIT


def test_back_by_another_gate_an_outing_by_this_one_still_counts(gate: Gate) -> None:
    go(gate, 1)
    siblings_say(gate, 1, "in", 30)
    assert go(gate, 2).reasons == ("quota",)


@pytest.mark.parametrize(
    "number, kind", [(5, PassKind.RESIDENT), (2, PassKind.WORKER), (2, PassKind.VISITOR)], ids=["no home", "worker", "visitor"]
)
def test_who_has_no_household_here_has_no_quota(gate: Gate, number: int, kind: PassKind) -> None:
    go(gate, 1)
    for _ in range(2):
        gate.wait(90)
        assert gate.show(token(number, kind)).outcome is Outcome.ADMIT


@pytest.mark.parametrize("parts", [{"policies": Policies()}, {"households": Households()}], ids=["no policy", "no households"])
def test_what_was_not_told_holds_nobody_up(gate: Gate, parts: dict[str, Any]) -> None:
    renew(gate, **parts)
    go(gate, 1)
    assert go(gate, 2).outcome is Outcome.ADMIT


def test_by_an_old_directory_there_is_no_quota() -> None:
    gate = guard(structs.replace(LIMITED, issued_at=START - timedelta(hours=25)))
    go(gate, 1)
    assert (go(gate, 2).outcome, gate.screen.reasons) == (Outcome.ADMIT, ("stale_directory",))


def test_by_an_unsynced_clock_there_is_no_quota(gate: Gate) -> None:
    go(gate, 1)
    gate.now = Now(gate.now.utc, gate.now.mono_ns, False)
    assert go(gate, 2).outcome is Outcome.ADMIT
    assert pass_id(2) not in gate.state.lasting.outings
    assert len(gate.state.lasting.outings[pass_id(1)]) == 1


@pytest.mark.parametrize("window, outcome", [((360, 480), Outcome.ADMIT), ((480, 600), Outcome.REFER)])
def test_residents_go_out_in_the_hours_for_it(gate: Gate, window: tuple[int, int], outcome: Outcome) -> None:
    renew(gate, policies=Policies(outing_windows=(window,)))
    screen = go(gate, 5)
    assert (screen.outcome, screen.reasons) == (outcome, () if outcome is Outcome.ADMIT else ("outing_window",))
    assert go(gate, 4, IN).outcome is Outcome.ADMIT
    assert go(gate, 3).outcome is Outcome.ADMIT, "in care: at any hour"


@pytest.mark.parametrize("hours, reasons", [(2.9, ()), (3.1, ("out_too_long",))])
def test_out_for_too_long_is_written_down_and_no_more(gate: Gate, hours: float, reasons: tuple[str, ...]) -> None:
    go(gate, 1)
    gate.wait(hours * HOUR - 90)
    screen = go(gate, 1, IN)
    assert (screen.outcome, screen.reasons, screen.sentence) == (Outcome.ADMIT, reasons, "ok_enter")


def test_out_by_another_gate_and_late_home_by_this_one(gate: Gate) -> None:
    siblings_say(gate, 4, "out", 4 * HOUR)
    assert go(gate, 4, IN).reasons == ("out_too_long",)


def test_nobody_is_late_by_the_time_of_an_unsynced_clock() -> None:
    gate = guard(synced=False)
    go(gate, 1)
    gate.now = Now(gate.now.utc + timedelta(hours=5), gate.now.mono_ns, True)
    gate.start()
    gate.give(DirectoryArrived(LIMITED))
    assert gate.state.lasting.moved[pass_id(1)].direction is OUT
    assert go(gate, 1, IN).reasons == ()


def test_late_and_confirmed_by_the_volunteer_is_both_written_down(gate: Gate) -> None:
    go(gate, 1)
    gate.wait(4 * HOUR)
    gate.sign_in()
    orange = Colours(rules={"orange": ColourRule(label="橙", gate="refer")}, holders={pass_id(1): "orange"})
    renew(gate, colours=orange)
    go(gate, 1, IN)
    gate.give(inputs.Decide(admit=True))
    gate.wait(2)
    assert gate.feel(NORMAL).reasons == ("confirmed_by_volunteer", "out_too_long")
