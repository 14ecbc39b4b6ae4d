"""How evidence of the five is weighed: the table is the specification, the properties hold for any evidence."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.five import Basis, Evidence, Finding, Item, Lifetimes, assess, assess_gate

NOW = datetime(2026, 2, 16, 7, 40, tzinfo=UTC)
SENSOR, DECLARED, INSPECTED = Basis.SENSOR, Basis.DECLARED, Basis.INSPECTED
LIFE = Lifetimes()


def at(seconds: float) -> datetime:
    """Seconds from now; before it when negative."""
    return NOW + timedelta(seconds=seconds)


def said(
    present: bool, basis: Basis, seconds: float, until: float | None = 600, item: Item = Item.DESK, why: str | None = None
) -> Evidence:
    """Evidence observed at `seconds` from now and valid until `until` from now."""
    end = None if until is None else at(until)
    return Evidence(item=item, present=present, basis=basis, observed_at=at(seconds), valid_until=end, reason=why)


def yes(basis: Basis, seconds: float, until: float | None = 600) -> Evidence:
    """The desk is there."""
    return said(True, basis, seconds, until)


def no(basis: Basis, seconds: float, until: float | None = None, why: str | None = None) -> Evidence:
    """The desk is not there."""
    return said(False, basis, seconds, until, why=why)


TABLE: dict[str, tuple[list[Evidence], tuple[bool, Basis | None, str | None, float | None]]] = {
    "nothing known": ([], (False, None, "no_evidence", None)),
    # Lifetimes.
    "declared and in force": ([yes(DECLARED, -60)], (True, DECLARED, None, -60)),
    "without an end": ([yes(SENSOR, -60, None)], (True, SENSOR, None, -60)),
    "a second before its end": ([yes(DECLARED, -60, 1)], (True, DECLARED, None, -60)),
    "at its end it is no evidence": ([yes(DECLARED, -60, 0)], (False, DECLARED, "expired", 0)),
    "past its end": ([yes(DECLARED, -60, -5)], (False, DECLARED, "expired", -5)),
    "the last to run out is named": ([yes(DECLARED, -60, -5), yes(SENSOR, -50, -20)], (False, DECLARED, "expired", -5)),
    "not yet observed": ([yes(DECLARED, 1)], (False, None, "no_evidence", None)),
    # Newer outranks older within a basis.
    "absent after present": ([yes(SENSOR, -60), no(SENSOR, -30, why="no_frames")], (False, SENSOR, "no_frames", -30)),
    "present after absent": ([no(SENSOR, -60), yes(SENSOR, -30)], (True, SENSOR, None, -30)),
    "the order they come in does not count": ([yes(SENSOR, -30), no(SENSOR, -60)], (True, SENSOR, None, -30)),
    "absent without a reason": ([no(DECLARED, -60)], (False, DECLARED, "declared_absent", -60)),
    # Between bases: one that says present is enough.
    "declared where the sensor is missing": ([no(SENSOR, -5), yes(DECLARED, -60)], (True, DECLARED, None, -60)),
    "sensor where it was declared away": ([yes(SENSOR, -60), no(DECLARED, -5)], (True, SENSOR, None, -60)),
    "sensor after the declaration ran out": ([yes(DECLARED, -90, -30), yes(SENSOR, -60, 30)], (True, SENSOR, None, -60)),
    "the one that holds longest decides": ([yes(SENSOR, -5, 60), yes(DECLARED, -60, 900)], (True, DECLARED, None, -60)),
    "the latest absence gives the reason": (
        [no(SENSOR, -60, why="no_answer"), no(DECLARED, -5, why="handed_over")], (False, DECLARED, "handed_over", -5)
    ),
    # Inspections.
    "a negative inspection outranks all": (
        [no(INSPECTED, -3600, why="unattended"), yes(SENSOR, -5), yes(DECLARED, -5)], (False, INSPECTED, "unattended", -3600)
    ),
    "until a re-check": ([no(INSPECTED, -3600), yes(INSPECTED, -60, 1740)], (True, INSPECTED, None, -60)),
    "a re-check that ran out leaves it to the rest": (
        [no(INSPECTED, -7200), yes(INSPECTED, -3600, -1800), yes(SENSOR, -60)], (True, SENSOR, None, -60)
    ),
    "a positive inspection is evidence": (
        [yes(INSPECTED, -1799, LIFE.positive_inspection - 1799)], (True, INSPECTED, None, -1799)
    ),
    "for thirty minutes": (
        [yes(INSPECTED, -1800, LIFE.positive_inspection - 1800)], (False, INSPECTED, "expired", 0)
    ),
    "a positive inspection does not silence a later negative one": (
        [yes(INSPECTED, -60), no(INSPECTED, -30)], (False, INSPECTED, "declared_absent", -30)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_one_item(name: str) -> None:
    evidence, (present, basis, reason, since) = TABLE[name]
    found = assess(evidence, NOW)[Item.DESK]
    assert (found.present, found.basis, found.reason) == (present, basis, reason)
    assert found.since == (None if since is None else at(since))


def test_newer_and_run_out_hides_older_of_its_basis() -> None:
    found = assess([yes(SENSOR, -60, 600), yes(SENSOR, -50, -40)], NOW)[Item.DESK]
    assert found == Finding(item=Item.DESK, present=False, basis=SENSOR, reason="expired", since=at(-40))


def test_a_finding_names_who_and_until_when() -> None:
    one = Evidence(item=Item.DESK, present=True, basis=DECLARED, observed_at=at(-9), valid_until=at(9), by="badge-1")
    found = assess([one], NOW)[Item.DESK]
    assert found == Finding(item=Item.DESK, present=True, basis=DECLARED, since=at(-9), valid_until=at(9), by="badge-1")


def test_all_five_are_always_there_in_their_order() -> None:
    assert list(assess([], NOW)) == list(assess_gate({}, NOW)) == ["volunteer", "desk", "register", "passes", "temperature"]


def test_lifetimes_are_those_of_the_design() -> None:
    hour, minute = 3600, 60
    assert (LIFE.confirmed_volunteer, LIFE.ask_volunteer_after) == (30 * minute, 20 * minute)
    assert (LIFE.desk, LIFE.register_paper, LIFE.temperature_typed) == (12 * hour, 12 * hour, 12 * hour)
    assert (LIFE.passes_by_eye, LIFE.directory, LIFE.temperature_sensor) == (2 * hour, 24 * hour, minute)
    assert (LIFE.positive_inspection, LIFE.grace) == (30 * minute, 90)


# A gate with lanes.

ANY = (Item.VOLUNTEER, Item.DESK)
EVERY = (Item.REGISTER, Item.PASSES, Item.TEMPERATURE)


def lane(*present: Item) -> list[Evidence]:
    """A lane where just these items are there."""
    return [said(item in present, SENSOR, -60, 600, item) for item in Item]


LANES: dict[str, tuple[dict[str, list[Evidence]], set[Item]]] = {
    "no station": ({}, set()),
    "one lane with all": ({"s1": lane(*Item)}, set(Item)),
    "one lane with nothing": ({"s1": []}, set()),
    "volunteer and desk at one lane serve both": ({"s1": lane(*Item), "s2": lane(*EVERY)}, set(Item)),
    "at the second lane as well": ({"s1": lane(*EVERY), "s2": lane(*Item)}, set(Item)),
    "at different lanes": ({"s1": lane(Item.DESK, *EVERY), "s2": lane(Item.VOLUNTEER, *EVERY)}, set(Item)),
    "at none": ({"s1": lane(*EVERY), "s2": lane(*EVERY)}, set(EVERY)),
    **{f"{i} lacking at one lane": ({"s1": lane(*Item), "s2": lane(*set(Item) - {i})}, set(Item) - {i}) for i in EVERY},
    "a silent second lane": ({"s1": lane(*Item), "s2": []}, set(ANY)),
}


@pytest.mark.parametrize("name", LANES)
def test_lanes(name: str) -> None:
    stations, present = LANES[name]
    assert {item for item, found in assess_gate(stations, NOW).items() if found.present} == present


# For any evidence.

TIMES = st.integers(-100, 100).map(at)
EVIDENCE = st.builds(
    Evidence, item=st.sampled_from(Item), present=st.booleans(), basis=st.sampled_from(Basis), observed_at=TIMES,
    valid_until=st.none() | TIMES, by=st.none() | st.just("badge-1"), reason=st.none() | st.just("no_answer"),
)  # fmt: skip
MANY = st.lists(EVIDENCE, max_size=12)
GATES = st.dictionaries(st.sampled_from(["s1", "s2", "s3"]), MANY)


@given(MANY, GATES)
def test_findings_cover_all_five(evidence: list[Evidence], stations: dict[str, list[Evidence]]) -> None:
    for findings in (assess(evidence, NOW), assess_gate(stations, NOW)):
        assert [(item, found.item) for item, found in findings.items()] == [(item, item) for item in Item]
        assert all((found.reason is None) is found.present for found in findings.values())


@given(GATES)
def test_present_rests_on_living_evidence(stations: dict[str, list[Evidence]]) -> None:
    every = [e for evidence in stations.values() for e in evidence if e.present and e.observed_at <= NOW]
    for item, found in assess_gate(stations, NOW).items():
        if found.present:
            assert found.valid_until is None or found.valid_until > NOW
            same = (item, found.basis, found.since, found.valid_until)
            assert same in [(e.item, e.basis, e.observed_at, e.valid_until) for e in every]


@given(MANY, EVIDENCE)
def test_evidence_of_one_item_changes_no_other(evidence: list[Evidence], more: Evidence) -> None:
    before, after = assess(evidence, NOW), assess([*evidence, more], NOW)
    assert all(before[item] == after[item] for item in Item if item is not more.item)


@given(MANY, EVIDENCE)
def test_an_open_negative_inspection_is_never_outvoted(evidence: list[Evidence], one: Evidence) -> None:
    others = [e for e in evidence if e.basis is not INSPECTED]
    assert not assess([*others, no(INSPECTED, -50)], NOW)[Item.DESK].present


@given(MANY)
def test_time_alone_never_makes_known_evidence_present(evidence: list[Evidence]) -> None:
    known = [e for e in evidence if e.observed_at <= NOW and (e.present or e.valid_until is None)]
    now, later = assess(known, NOW), assess(known, at(50))
    assert all(now[item].present for item in Item if later[item].present)


def test_a_negative_inspection_at_one_lane_holds_for_the_gate() -> None:
    lanes = {"1": [Evidence(item=Item.DESK, present=False, basis=INSPECTED, observed_at=at(-9))], "2": [yes(DECLARED, -60, 600)]}
    assert not assess_gate(lanes, NOW)[Item.DESK].present


def test_at_the_same_instant_absent_outranks_present() -> None:
    both = [yes(SENSOR, -9, 600), Evidence(item=Item.DESK, present=False, basis=SENSOR, observed_at=at(-9))]
    assert not assess(both, NOW)[Item.DESK].present
    assert not assess(both[::-1], NOW)[Item.DESK].present
