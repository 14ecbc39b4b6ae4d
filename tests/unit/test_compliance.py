"""What is said of a gate, one row an outcome; and what a change of it leaves in its history."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.five import Basis, Evidence, Item, Lifetimes
from hub.rules import current
from hub.rules.compliance import GateStatus, Hearing, ItemStatus, Lane, Place, Status, gate_status, is_open, next_change
from hub.rules.history import Said, Serving, rebuild
from hub.rules.intervals import Interval, changes, follow

NOON = datetime(2022, 4, 1, 4, tzinfo=UTC)  # 12:00 in Shanghai
ZONE = ZoneInfo("Asia/Shanghai")
LIFE = Lifetimes()
PLACE = Place(gate="g1", compound="c1")


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def evidence(
    item: Item = Item.DESK, present: bool = True, seconds: float = -60, until: float | None = None, **more: str
) -> Evidence:
    """Evidence observed so many seconds after noon."""
    basis = Basis(more.pop("basis", "sensor"))
    ends = None if until is None else at(until)
    return Evidence(item=item, present=present, basis=basis, observed_at=at(seconds), valid_until=ends, **more)


def lane(*missing: Item, name: str = "s1", heard: float | None = -10, serving: bool = True, until: float | None = None) -> Lane:
    """A station with all of the five but those named, last heard so many seconds after noon."""
    said = tuple(evidence(i, i not in missing, until=until) for i in Item)
    heard_at = None if heard is None else at(heard)
    return Lane(station=name, added_at=at(-9999), heard_at=heard_at, online=True, in_service=serving, evidence=said)


def judged(*lanes: Lane, now: float = 0, place: Place = PLACE, hearing: Hearing | None = None) -> GateStatus:
    """The gate's status so many seconds after noon."""
    return gate_status(place, lanes, at(now), LIFE, zone=ZONE, hearing=hearing)


SHUT = msgspec.structs.replace(PLACE, schedule=((360, 600), (1320, 60)))
TEMPERATURE, VOLUNTEER = Item.TEMPERATURE, Item.VOLUNTEER
TABLE = [
    ("all five", [lane()], PLACE, Status.COMPLIANT, {}),
    ("no thermometer", [lane(TEMPERATURE)], PLACE, Status.NON_COMPLIANT, {"temperature": "declared_absent"}),
    ("nothing said", [Lane(station="s1", added_at=NOON, heard_at=NOON)], PLACE, Status.NON_COMPLIANT,
     dict.fromkeys(Item, "no_evidence")),
    ("run out", [lane(until=-5)], PLACE, Status.NON_COMPLIANT, dict.fromkeys(Item, "expired")),
    ("within the grace", [lane(heard=-89)], PLACE, Status.COMPLIANT, {}),
    ("silent", [lane(heard=-90)], PLACE, Status.UNREACHABLE, dict.fromkeys(Item, "station_silent")),
    ("never heard", [lane(heard=None)], PLACE, Status.UNREACHABLE, dict.fromkeys(Item, "never_heard")),
    ("no station", [], PLACE, Status.UNREACHABLE, dict.fromkeys(Item, "no_evidence")),
    ("closed, though silent", [lane(heard=-90)], msgspec.structs.replace(PLACE, closed=True), Status.CLOSED, None),
    ("outside its hours", [lane()], SHUT, Status.CLOSED, {}),
    ("volunteer at one lane", [lane(VOLUNTEER), lane(name="s2")], PLACE, Status.COMPLIANT, {}),
    ("thermometer at one lane", [lane(TEMPERATURE), lane(name="s2")], PLACE, Status.NON_COMPLIANT,
     {"temperature": "declared_absent"}),
    ("one lane silent", [lane(heard=-90), lane(name="s2")], PLACE, Status.NON_COMPLIANT,
     dict.fromkeys(["register", "passes", "temperature"], "station_silent")),
    ("all lanes silent", [lane(heard=-90), lane(name="s2", heard=None)], PLACE, Status.UNREACHABLE, None),
    ("silent out of service", [lane(), lane(name="s2", heard=-999, serving=False)], PLACE, Status.COMPLIANT, {}),
]  # fmt: skip


@pytest.mark.parametrize("lanes, place, status, missing", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_gate_is(lanes: list[Lane], place: Place, status: Status, missing: dict[str, str] | None) -> None:
    said = judged(*lanes, place=place)
    assert said.status is status
    if missing is not None:
        assert {item: s.reason for item, s in said.items.items() if not s.present} == {str(k): v for k, v in missing.items()}


@settings(deadline=None)
@given(st.lists(st.tuples(st.sets(st.sampled_from(list(Item))), st.none() | st.integers(-200, 0)), max_size=4))
def test_a_gate_with_a_silent_lane_is_never_compliant(said: list[tuple[set[Item], int | None]]) -> None:
    lanes = [lane(*missing, name=f"s{n}", heard=heard) for n, (missing, heard) in enumerate(said)]
    silent = [heard is None or heard <= -90 for _, heard in said]
    status = judged(*lanes).status
    assert (status is Status.UNREACHABLE) == all(silent)
    assert not (any(silent) and status is Status.COMPLIANT)


def test_a_will_starts_nothing_the_grace_counts_from_the_last_pulse() -> None:
    offline = msgspec.structs.replace(lane(), online=False)
    assert judged(offline).status is Status.COMPLIANT
    gone = judged(offline, now=80)
    assert (gone.status, gone.since, gone.stations[0].online) == (Status.UNREACHABLE, at(80), False)


BLIND = Hearing(blind_since=NOON)
BACK = Hearing(blind_from=NOON, regained_at=at(600))


@pytest.mark.parametrize(
    "heard, now, hearing, status",
    [
        (-10, 600, BLIND, Status.COMPLIANT),  # as it was last known
        (-100, 600, BLIND, Status.UNREACHABLE),  # it was so before
        (-10, 689, BACK, Status.COMPLIANT),  # a fresh grace, and its evidence holds as long
        (-10, 690, BACK, Status.UNREACHABLE),
        (-100, 610, BACK, Status.UNREACHABLE),  # silent already: no fresh grace
        (605, 610, BACK, Status.NON_COMPLIANT),  # heard again, with nothing renewed
    ],
)
def test_a_blind_hub_blames_no_gate(heard: float, now: float, hearing: Hearing, status: Status) -> None:
    assert judged(lane(heard=heard, until=30), now=now, hearing=hearing).status is status


@pytest.mark.parametrize(
    "schedule, hour, expected",
    [((), 3, True), (((360, 600),), 6, True), (((360, 600),), 10, False), (((1320, 120),), 23, True), (((1320, 120),), 1, True),
     (((1320, 120),), 2, False)],
)  # fmt: skip
def test_hours_may_go_over_midnight(schedule: tuple[tuple[int, int], ...], hour: int, expected: bool) -> None:
    assert is_open(schedule, datetime(2022, 4, 1, hour, tzinfo=ZONE)) is expected


@pytest.mark.parametrize("lanes, seconds", [([lane(heard=-50)], 40), ([lane(until=20)], 20), ([lane(heard=None)], 60), ([], 60)])
def test_the_next_change_by_time_alone(lanes: list[Lane], seconds: float) -> None:
    assert next_change(lanes, NOON, LIFE, Hearing()) == at(seconds)


def state(name: str, began: float, ended: float | None = None, reason: str | None = None) -> Interval:
    """An interval by seconds after noon."""
    return Interval(began_at=at(began), ended_at=None if ended is None else at(ended), state=name, reason=reason)


@pytest.mark.parametrize(
    "known, new, rows",
    [
        (None, state("present", 5), (state("present", 5),)),
        (state("present", 1), state("present", 5), ()),
        (state("present", 1), state("missing", 5), (state("present", 1, 5), state("missing", 5))),
        (state("missing", 1, reason="a"), state("missing", 5, reason="b"),
         (state("missing", 1, 5, "a"), state("missing", 5, reason="b"))),
        (state("present", 5), state("missing", 5), (state("missing", 5),)),
        (state("present", 5), state("missing", 3), (state("missing", 5),)),
    ],
)  # fmt: skip
def test_a_change_closes_one_interval_and_opens_another(
    known: Interval | None, new: Interval, rows: tuple[Interval, ...]
) -> None:
    assert follow(known, new) == rows


def test_a_change_begins_when_the_evidence_says_not_when_it_is_looked_at() -> None:
    begun = changes({}, judged(lane(until=30)), NOON)
    known = {what: rows[-1] for what, rows in begun.items()}
    assert known["status"].state == "compliant"
    later = changes(known, judged(lane(until=30), now=45), at(45))
    assert {what: rows[-1].began_at for what, rows in later.items()} == dict.fromkeys([*map(str, Item), "status"], at(30))
    assert later["status"][0].ended_at == at(30)


def test_an_item_is_missing_since_the_last_word_for_it_ran_out_not_since_the_first_against_it() -> None:
    broken, by_eye = evidence(Item.PASSES, False), evidence(Item.PASSES, basis="declared", until=30)
    one = msgspec.structs.replace(lane(Item.PASSES, heard=40), evidence=(*lane(Item.PASSES).evidence, broken, by_eye))
    assert judged(one, now=20).items["passes"].present
    gone = judged(one, now=45)
    assert (gone.items["passes"].present, gone.items["passes"].since) == (False, at(30))
    assert changes({"passes": state("present", -30)}, gone, at(45))["passes"][-1].began_at == at(30)


def test_an_item_of_two_lanes_is_missing_since_the_last_of_them_lost_it() -> None:
    first = msgspec.structs.replace(lane(heard=50), evidence=(evidence(Item.DESK, False, seconds=10),))
    second = msgspec.structs.replace(lane(heard=50, name="s2"), evidence=(evidence(Item.DESK, False, seconds=40),))
    assert judged(first, second, now=60).items["desk"].since == at(40)


KEY = (Item.DESK, Basis.SENSOR)


@pytest.mark.parametrize("seconds, taken", [(-61, False), (-60, False), (-59, True)])
def test_an_event_changes_evidence_only_when_newer(seconds: float, taken: bool) -> None:
    said = evidence(present=False, seconds=seconds)
    assert current.by_event({KEY: evidence()}, [said]) == ({KEY: said} if taken else {})


def test_a_pulse_keeps_what_is_the_same_and_ends_what_it_no_longer_names() -> None:
    known = {KEY: evidence(until=30), (Item.DESK, Basis.INSPECTED): evidence(basis="inspected")}
    renewed = current.by_pulse(known, [evidence(seconds=-59, until=45)], NOON)
    assert renewed == {KEY: evidence(until=45)}
    assert current.by_pulse(known, [], NOON) == {KEY: evidence(until=0)}


def test_history_is_made_again_from_the_journals() -> None:
    said = [
        Said(station="s1", at=at(-100), evidence=evidence(seconds=-100)),
        Said(station="s1", at=at(10), evidence=evidence(present=False, reason="no_desk")),
        Said(station="s1", at=at(20), evidence=evidence(basis="declared", until=50)),
        Said(station="other", at=at(30), evidence=evidence()),
        Said(station="s1", at=at(60), evidence=evidence(until=61)),
        Said(station="s1", at=at(90)),
    ]
    rows = rebuild(said, [Serving(lane=lane())], (), NOON, at(100))["desk"]
    assert [(r.began_at, r.ended_at, r.state, r.reason) for r in rows] == [
        (at(0), at(10), "present", None),
        (at(10), at(20), "missing", "no_desk"),
        (at(20), at(50), "present", None),
        (at(50), at(60), "missing", "no_desk"),
        (at(60), at(90), "present", None),
        (at(90), None, "missing", "expired"),
    ]


def test_an_items_interval_has_its_reason() -> None:
    status = msgspec.structs.replace(judged(lane()), items={"desk": ItemStatus(present=False, reason="x", basis="declared")})
    assert changes({}, status, NOON)["desk"][0] == Interval(began_at=NOON, state="missing", reason="x", basis="declared")
