"""What a temperature means: the table of bands, and what no reading may ever do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Band, Site
from kiosk.drivers.base import Fault, FaultKind, Measurement
from kiosk.rules.temperature import (
    Judged,
    TemperatureRule,
    body_estimate,
    give_up,
    judge,
    judge_typed,
    settle,
)

RULE = TemperatureRule()
FIGURES = st.floats(-70, 380)
AMBIENTS = st.floats(-40, 125)
FAULTS = st.builds(Fault, st.sampled_from(FaultKind), st.just("why"), st.integers(0, 100))
MEASUREMENTS = st.builds(Measurement, FIGURES, AMBIENTS, st.integers(0, 100))
FOREHEADS = st.builds(Measurement, st.floats(33.0, 35.0), st.floats(20.0, 25.0), st.integers(0, 100))


def saw(skin: float, ambient: float = 22.0, at: int = 0) -> Measurement:
    return Measurement(skin, ambient, at)


def fault(kind: FaultKind = FaultKind.NO_ANSWER, at: int = 0) -> Fault:
    return Fault(kind, "why", at)


@pytest.mark.parametrize(
    "skin, ambient, body",
    [
        (33.5, 10.0, 37.55),
        (33.5, 25.0, 36.49),
        (32.66, 25.0, 36.30),
        (34.84, 25.0, 36.80),
        (31.0, 25.0, 34.49),
        (36.0, 25.0, 37.83),
        (34.5, 30.0, 36.61),
    ],
)
def test_body_estimate(skin: float, ambient: float, body: float) -> None:
    assert body_estimate(skin, ambient) == pytest.approx(body, abs=0.006)


@given(st.floats(0, 60), st.floats(0, 60), st.floats(-20, 60))
def test_a_warmer_skin_is_never_a_cooler_body(one: float, other: float, ambient: float) -> None:
    cooler, warmer = sorted((one, other))
    assert body_estimate(cooler, ambient) <= body_estimate(warmer, ambient) + 1e-9


@pytest.mark.parametrize(
    "skin, ambient, band, body, degraded, reasons",
    [
        (34.0, 22.0, Band.NORMAL, 36.7, False, ()),
        (35.5, 25.0, Band.FEVER, 37.4, False, ("fever",)),
        (31.5, 25.0, Band.LOW, 35.0, False, ("low",)),
        (22.2, 22.0, Band.NO_TARGET, None, False, ("no_target",)),
        (15.0, 22.0, Band.NO_TARGET, None, False, ("no_target",)),
        (24.0, 22.0, Band.NO_TARGET, None, False, ("no_target",)),
        (33.9, 34.0, Band.NO_TARGET, None, False, ("no_target",)),
        (34.0, 35.0, Band.NO_TARGET, None, False, ("no_target",)),
        (35.2, 34.0, Band.NORMAL, 36.7, False, ()),
        (50.0, 22.0, Band.UNKNOWN, None, False, ("absurd",)),
        (33.5, 10.0, Band.FEVER, 37.6, True, ("fever", "ambient_out_of_range")),
        (32.0, 10.0, Band.NORMAL, 36.7, True, ("ambient_out_of_range",)),
        (36.2, 38.0, Band.NORMAL, 36.9, True, ("ambient_out_of_range",)),
        (38.2, 38.0, Band.NO_TARGET, None, True, ("no_target", "ambient_out_of_range")),
        (-20.0, -25.0, Band.NO_TARGET, None, True, ("no_target", "ambient_out_of_range")),
        (34.0, 16.0, Band.NORMAL, 37.2, False, ()),
        (34.0, 15.98, Band.NORMAL, 37.2, True, ("ambient_out_of_range",)),
    ],
)
def test_judge(skin: float, ambient: float, band: Band, body: float | None, degraded: bool, reasons: tuple[str, ...]) -> None:
    assert judge(saw(skin, ambient), RULE) == Judged(band, body, skin, ambient, degraded, reasons)


@pytest.mark.parametrize("kind", FaultKind)
def test_a_fault_is_unknown_with_its_kind(kind: FaultKind) -> None:
    assert judge(fault(kind), RULE) == Judged(Band.UNKNOWN, None, None, None, False, (kind.value,))


def test_the_calibration_offset_moves_the_skin() -> None:
    judged = judge(saw(34.0, 25.0), TemperatureRule(offset_celsius=1.5))
    assert judged.skin_celsius == 35.5
    assert judged.band is Band.FEVER


@pytest.mark.parametrize(
    "skin, ambient, band, body, degraded, reasons",
    [
        (33.5, 13.0, Band.FEVER, 37.6, True, ("fever", "ambient_out_of_range")),
        (34.0, 25.0, Band.NORMAL, 36.7, False, ()),
        (25.2, 25.0, Band.NO_TARGET, None, False, ("no_target",)),
        (33.9, 34.0, Band.NORMAL, 36.5, False, ()),
        (31.2, 34.0, Band.NO_TARGET, None, False, ("no_target",)),
        (34.0, 18.98, Band.NORMAL, 37.2, True, ("ambient_out_of_range",)),
        (35.2, 37.0, Band.NORMAL, 36.7, False, ()),
        (36.2, 41.0, Band.NORMAL, 36.9, True, ("ambient_out_of_range",)),
    ],
)
def test_judge__in_a_box_3_degrees_warmer_than_the_air(
    skin: float, ambient: float, band: Band, body: float | None, degraded: bool, reasons: tuple[str, ...]
) -> None:
    rule = TemperatureRule(box_heat_celsius=3.0)
    assert judge(saw(skin, ambient), rule) == Judged(band, body, skin, round(ambient - 3, 2), degraded, reasons)


def test_judge__the_boxs_heat_left_in_hides_a_fever() -> None:
    assert judge(saw(34.4, 19.0), RULE).band is Band.NORMAL
    assert judge(saw(34.4, 19.0), TemperatureRule(box_heat_celsius=3.0)).band is Band.FEVER


@given(MEASUREMENTS, st.floats(0, 15))
def test_the_boxs_heat_counts_as_much_as_cooler_air(measurement: Measurement, heat: float) -> None:
    rule = TemperatureRule(box_heat_celsius=heat)
    air = rule.air_celsius(measurement.ambient_celsius)
    assert judge(measurement, rule) == judge(replace(measurement, ambient_celsius=air), RULE)


def test_settle__takes_the_boxs_heat_off_once() -> None:
    samples = [saw(34.0, 25.0, at) for at in (1, 2, 3)]
    judged = settle(samples, 0, TemperatureRule(box_heat_celsius=3.0))
    assert judged is not None
    assert (judged.ambient_celsius, judged.body_celsius) == (22.0, 36.7)


@pytest.mark.parametrize(
    "site, skin, ambient, band, degraded, reasons",
    [
        (Site.FOREHEAD, 34.0, 22.0, Band.NORMAL, False, ()),
        (Site.WRIST, 34.0, 22.0, Band.NORMAL, True, ("site_not_forehead",)),
        (Site.NECK, 34.0, 22.0, Band.NORMAL, True, ("site_not_forehead",)),
        (Site.WRIST, 35.5, 25.0, Band.FEVER, True, ("fever", "site_not_forehead")),
        (Site.WRIST, 31.5, 25.0, Band.LOW, True, ("low", "site_not_forehead")),
        (Site.WRIST, 34.0, 15.98, Band.NORMAL, True, ("ambient_out_of_range", "site_not_forehead")),
        (Site.WRIST, 22.2, 22.0, Band.NO_TARGET, True, ("no_target", "site_not_forehead")),
    ],
)
def test_judge__another_site_is_the_same_figure_marked_approximate(
    site: Site, skin: float, ambient: float, band: Band, degraded: bool, reasons: tuple[str, ...]
) -> None:
    judged = judge(saw(skin, ambient), TemperatureRule(site=site))
    assert (judged.band, judged.degraded, judged.reasons) == (band, degraded, reasons)
    assert judged.body_celsius == judge(saw(skin, ambient), RULE).body_celsius


@given(MEASUREMENTS)
def test_the_band_agrees_with_the_figure_shown(measurement: Measurement) -> None:
    judged = judge(measurement, RULE)
    if judged.band in (Band.NO_TARGET, Band.UNKNOWN):
        assert judged.body_celsius is None
        return
    assert judged.body_celsius is not None
    assert (judged.band is Band.FEVER) == (judged.body_celsius >= 37.3)
    assert (judged.band is Band.LOW) == (judged.body_celsius < 35.5)
    assert judged.body_celsius <= 42.5


@given(st.floats(16, 35), st.floats(-3, 0.49))
def test_nobody_there_is_never_normal_within_the_ambient_range(ambient: float, warmer: float) -> None:
    assert judge(saw(ambient + warmer, ambient), RULE).band is Band.NO_TARGET


@given(st.floats(-70, 19.99), AMBIENTS)
def test_a_cold_surface_is_nobody_at_any_ambient(skin: float, ambient: float) -> None:
    assert judge(saw(skin, ambient), RULE).band is Band.NO_TARGET


@pytest.mark.parametrize(
    "celsius, band, body, reasons",
    [
        (36.5, Band.NORMAL, 36.5, ()),
        (37.29, Band.FEVER, 37.3, ("fever",)),
        (37.3, Band.FEVER, 37.3, ("fever",)),
        (37.2, Band.NORMAL, 37.2, ()),
        (35.5, Band.NORMAL, 35.5, ()),
        (35.4, Band.LOW, 35.4, ("low",)),
        (30.0, Band.LOW, 30.0, ("low",)),
        (42.5, Band.FEVER, 42.5, ("fever",)),
        (43.0, Band.UNKNOWN, None, ("absurd",)),
    ],
)
def test_a_typed_figure_is_a_body_figure(celsius: float, band: Band, body: float | None, reasons: tuple[str, ...]) -> None:
    assert judge_typed(celsius, RULE) == Judged(band, body, None, None, False, reasons)


@pytest.mark.parametrize("celsius", [29.9, 43.1, 365.0, 0.0, -36.5, float("nan"), float("inf")])
def test_an_implausible_typed_figure_is_refused_by_name(celsius: float) -> None:
    with pytest.raises(ValueError, match=rf"temperature is {celsius}; it may be 30\.0 to 43\.0 °C"):
        judge_typed(celsius, RULE)


@pytest.mark.parametrize(
    "samples, skin",
    [
        ([], None),
        ([saw(34.0, at=11), saw(34.1, at=12)], None),
        ([saw(34.0, at=11), saw(34.2, at=12), saw(34.1, at=13)], 34.1),
        ([saw(34.0, at=10), saw(34.2, at=12), saw(34.1, at=13)], None),
        ([saw(33.0, at=11), saw(34.2, at=12), saw(34.1, at=13)], None),
        ([saw(33.0, at=11), saw(34.0, at=12), saw(34.2, at=13), saw(34.4, at=14)], 34.2),
        ([saw(34.0, at=11), fault(at=12), saw(34.2, at=13), saw(34.1, at=14)], None),
        ([saw(34.0, at=11), saw(22.0, at=12), saw(34.2, at=13), saw(34.1, at=14)], None),
        ([saw(34.0, at=11), saw(34.2, at=12), saw(34.1, at=13), fault(at=14)], None),
        ([fault(at=11), saw(34.0, at=12), saw(34.2, at=13), saw(34.1, at=14)], 34.1),
        ([fault(at=11), fault(at=12), fault(at=13)], None),
        ([saw(22.0, at=11), saw(22.1, at=12), saw(22.0, at=13)], None),
    ],
)
def test_settle_after_a_pass_at_10(samples: list[Measurement | Fault], skin: float | None) -> None:
    judged = settle(samples, 10, RULE)
    assert (judged and judged.skin_celsius) == skin


@given(st.lists(MEASUREMENTS | FOREHEADS | FAULTS), st.lists(FOREHEADS | FAULTS), st.integers(0, 100))
def test_no_sample_before_the_pass_is_ever_used(
    before: list[Measurement | Fault], after: list[Measurement | Fault], passed: int
) -> None:
    earlier = [sample for sample in before if sample.mono_ns <= passed]
    later = [sample for sample in after if sample.mono_ns > passed]
    assert settle(earlier, passed, RULE) is None
    assert settle([*earlier, *later], passed, RULE) == settle(later, passed, RULE)


@given(st.lists(FOREHEADS, max_size=6), FAULTS)
def test_a_fault_never_gives_normal(samples: list[Measurement], last: Fault) -> None:
    assert judge(last, RULE).band is Band.UNKNOWN
    assert settle([*samples, last], -1, RULE) is None
    assert give_up([*samples, last], RULE).band is Band.UNKNOWN


@pytest.mark.parametrize(
    "samples, band, reason",
    [
        ([], Band.UNKNOWN, "no_answer"),
        ([saw(34.0), fault(FaultKind.BAD_CHECKSUM)], Band.UNKNOWN, "bad_checksum"),
        ([fault(), saw(22.0)], Band.NO_TARGET, "no_target"),
        ([saw(33.0), saw(34.0), saw(35.0)], Band.UNKNOWN, "unstable"),
    ],
)
def test_give_up_says_why(samples: list[Measurement | Fault], band: Band, reason: str) -> None:
    judged = give_up(samples, RULE)
    assert (judged.band, judged.body_celsius, judged.reasons[0]) == (band, None, reason)
