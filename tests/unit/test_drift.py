"""An instrument against the median of the people it measures: when it is suspect, when no longer, and that it decides nothing."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.events import Band, Companion, DeviceChange, Direction, Entry, Outcome, Reading, Site, Stopped, Written
from contract.five import Item
from kiosk.inputs import DirectoryArrived
from kiosk.lasting import replay
from kiosk.rules.drift import ENOUGH, KEPT, Crowd, add, started
from kiosk.steps import five_here
from tests.unit.gate_driver import DIRECTORY, FEVER, NOBODY, SETUP, Gate, pass_id, token

START = datetime(2026, 3, 2, 7, 40, tzinfo=UTC)
HIGH = 34.9
"""Skin, °C: at the tests' 24 °C a body of 37.0, no fever yet."""


def reading(celsius: float | None = 36.5, source: str = "mlx90614", band: Band = Band.NORMAL, **more: object) -> Reading:
    return Reading(band=band, source=source, body_celsius=celsius, **more)  # type: ignore[arg-type]


def entry(taken: Reading | None, number: int | None = None, **more: object) -> Entry:
    who = None if number is None else pass_id(number)
    return Entry(direction=Direction.IN, outcome=Outcome.ADMIT, pass_id=who, reading=taken, **more)  # type: ignore[arg-type]


NOBODY_YET = Crowd()


def crowd_of(*celsius: float, crowd: Crowd = NOBODY_YET) -> Crowd:
    """People without passes, ten seconds apart."""
    began = crowd.figures[-1].at if crowd.figures else START
    for n, one in enumerate(celsius, 1):
        crowd = add(crowd, entry(reading(one)), began + timedelta(seconds=n * 10))
    return crowd


@pytest.mark.parametrize(
    "celsius, off",
    [(36.5, None), (36.3, None), (36.8, None), (36.9, None), (37.0, 0.45), (36.2, None), (36.1, -0.45), (37.6, 1.05)],
)
def test_more_than_the_permissible_error_is_suspect(celsius: float, off: float | None) -> None:
    assert crowd_of(*[celsius] * ENOUGH).off_celsius == off


def test_fewer_people_than_enough_say_nothing() -> None:
    crowd = crowd_of(*[38.0] * (ENOUGH - 1))
    assert crowd.off_celsius is None
    assert crowd_of(38.0, crowd=crowd).off_celsius == 1.45


def test_a_few_fevers_do_not_make_an_instrument_suspect() -> None:
    assert crowd_of(*[36.5] * 24, *[39.5] * 6).off_celsius is None


def test_a_suspect_one_is_cleared_nearer_than_it_was_suspected() -> None:
    crowd = crowd_of(*[37.2] * KEPT)
    assert crowd.off_celsius == 0.65
    assert crowd_of(*[36.9] * KEPT, crowd=crowd).off_celsius == 0.35
    assert crowd_of(*[36.8] * KEPT, crowd=crowd).off_celsius is None


def test_a_sudden_fault_shows_within_one_more_than_half_of_what_is_kept() -> None:
    crowd = crowd_of(*[36.5] * KEPT)
    assert crowd_of(*[37.5] * (KEPT // 2 - 1), crowd=crowd).off_celsius is None
    assert crowd_of(*[37.5] * (KEPT // 2 + 1), crowd=crowd).off_celsius == 0.95


def test_no_more_is_kept_than_counts() -> None:
    assert len(crowd_of(*[36.5] * 100).figures) == KEPT


@pytest.mark.parametrize(
    "left_out",
    [
        entry(reading(38.0, "typed")),
        entry(reading(38.0), follows="e1"),
        entry(reading(38.0), written=Written(at=START)),
        entry(reading(38.0, degraded=True)),
        entry(reading(38.0, site=Site.WRIST)),
        entry(reading(None, band=Band.UNKNOWN)),
        entry(reading(None, band=Band.NO_TARGET)),
        entry(None),
    ],
    ids=["typed", "a retake", "keyed in", "degraded", "a wrist", "unknown", "nobody", "unmeasured"],
)
def test_what_says_nothing_of_the_instrument_is_left_out(left_out: Entry) -> None:
    crowd = NOBODY_YET
    for n in range(2 * ENOUGH):
        crowd = add(crowd, left_out, START + timedelta(seconds=n))
    assert crowd == NOBODY_YET


@pytest.mark.parametrize("band", [Band.NORMAL, Band.FEVER, Band.LOW])
def test_whatever_the_band_a_body_counts(band: Band) -> None:
    assert len(add(NOBODY_YET, entry(reading(37.5, band=band)), START).figures) == 1


def test_everyone_of_a_party_counts() -> None:
    party = entry(reading(36.5), 1, companions=(Companion(role="child", reading=reading(36.7)), Companion(role="elder")))
    assert sorted(one.celsius for one in add(NOBODY_YET, party, START).figures) == [36.5, 36.7]


def test_one_person_coming_back_is_no_crowd() -> None:
    crowd = NOBODY_YET
    for n in range(2 * ENOUGH):
        crowd = add(crowd, entry(reading(38.0), 1), START + timedelta(minutes=n))
    assert len(crowd.figures) == 1
    assert len(add(crowd, entry(reading(36.5), 1), START + timedelta(hours=5)).figures) == 1


def test_figures_of_another_time_of_day_do_not_count() -> None:
    crowd = crowd_of(*[38.0] * (ENOUGH - 1))
    assert add(crowd, entry(reading(38.0)), START + timedelta(hours=5)).figures[0].at == START + timedelta(hours=5)


def test_a_quiet_night_clears_no_suspicion() -> None:
    crowd = crowd_of(*[37.5] * ENOUGH)
    later = add(crowd, entry(reading(36.5)), START + timedelta(hours=9))
    assert (len(later.figures), later.off_celsius) == (1, 0.95)


def test_another_instrument_begins_without_suspicion() -> None:
    crowd = add(crowd_of(*[37.5] * ENOUGH), entry(reading(36.5, "gy_614v")), START + timedelta(minutes=10))
    assert (crowd.source, len(crowd.figures), crowd.off_celsius) == ("gy_614v", 1, None)


def test_after_a_start_in_order_new_figures_alone_clear_it() -> None:
    crowd = started(crowd_of(*[37.5] * KEPT))
    assert (crowd.figures, crowd.off_celsius) == ((), 0.95)
    assert crowd_of(*[36.5] * (ENOUGH - 1), crowd=crowd).off_celsius == 0.95
    assert crowd_of(*[36.5] * ENOUGH, crowd=crowd).off_celsius is None


def flags(shift: float, days: int = 20, people: int = 500) -> int:
    """On how many days an instrument off by `shift` is suspect at all; people 0.3 °C apart (one standard deviation)."""
    draw, found = random.Random(1), 0
    for _ in range(days):
        crowd, suspect = NOBODY_YET, False
        for n in range(people):
            taken = entry(reading(round(draw.gauss(36.55 + shift, 0.3), 1)))
            crowd = add(crowd, taken, START + timedelta(seconds=n * 10))
            suspect = suspect or crowd.off_celsius is not None
        found += suspect
    return found


def test_the_numbers_tell_a_good_instrument_from_a_bad_one() -> None:
    assert flags(0.2) == 0
    assert flags(0.5) == 20
    assert flags(-0.5) == 20


# at a gate


def crowd_comes(gate: Gate, skin: float, people: int = ENOUGH, first: int = 200) -> None:
    for n in range(first, first + people):
        gate.feel(NOBODY, 1)
        gate.show(token(n))
        gate.feel(skin)


@pytest.fixture
def gate() -> Gate:
    made = Gate(directory=DIRECTORY)
    made.equip()
    return made


def test_a_drifted_thermometer_is_flagged_and_changes_nothing_else(gate: Gate) -> None:
    crowd_comes(gate, HIGH, ENOUGH - 1)
    assert gate.screen.drift_celsius is None
    crowd_comes(gate, HIGH, 1, first=500)
    gate.wait(1)
    assert gate.screen.drift_celsius == 0.45
    assert gate.item("temperature") == (True, "sensor", None)
    sensed = five_here.sensed(gate.state, gate.now, gate.setup)
    assert [e.note for e in sensed if e.item is Item.TEMPERATURE] == ["drift"]
    assert {entry[0] for entry in gate.entries} == {"admit"}
    gate.show(token(600))
    assert gate.feel(HIGH).outcome is Outcome.ADMIT


def test_the_journal_is_told_once_that_it_drifted_and_once_that_it_is_well_again(gate: Gate) -> None:
    crowd_comes(gate, HIGH, KEPT)
    gate.wait(1)
    gate.wait(1)
    told = [change for change in gate.bodies(DeviceChange) if change.device == "calibration"]
    assert told == [DeviceChange(device="calibration", ok=False, detail="people read +0.5 °C off: calibrate the thermometer")]
    crowd_comes(gate, 34.0, KEPT, first=700)
    gate.wait(1)
    gate.wait(1)
    told = [change for change in gate.bodies(DeviceChange) if change.device == "calibration"]
    assert [change.ok for change in told] == [False, True]
    assert gate.screen.drift_celsius is None


def test_a_power_cut_forgets_neither_figures_nor_suspicion(gate: Gate) -> None:
    crowd_comes(gate, HIGH, ENOUGH - 1)
    gate.start()
    gate.give(DirectoryArrived(DIRECTORY))
    gate.equip()
    crowd_comes(gate, HIGH, 1, first=500)
    assert gate.screen.drift_celsius == 0.45
    gate.start()
    assert gate.screen.drift_celsius == 0.45


def test_a_start_in_order_begins_new_figures(gate: Gate) -> None:
    crowd_comes(gate, HIGH)
    gate._commit((Stopped(reason="asked to"),))
    gate.start()
    assert gate.state.lasting.crowd == Crowd("mlx90614", (), 0.45)
    assert replay(gate.events) == gate.state.lasting


def test_typed_figures_never_make_a_thermometer_suspect() -> None:
    gate = Gate(setup=replace(SETUP, thermometer=None))
    for n in range(2 * ENOUGH):
        gate._commit((entry(reading(38.5, "typed", Band.FEVER), n),))
    gate.start()
    assert (gate.screen.drift_celsius, gate.state.lasting.crowd) == (None, NOBODY_YET)


def test_a_retaken_fever_counts_once(gate: Gate) -> None:
    gate.show(token(300))
    gate.feel(FEVER)
    gate.wait(1.6)
    gate.feel(FEVER)
    assert [entry[0] for entry in gate.entries] == ["retake", "refer"]
    assert len(gate.state.lasting.crowd.figures) == 1
