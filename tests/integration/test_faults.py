"""A short run of `make faults`, and proof that its rows can be red: programs broken on purpose make them so."""

import pytest

from tests.faults import card, kill_hub, kill_station, power_cut
from tests.faults.rig import Rig
from tests.faults.trace import can_record

SEED = 7


def test_nothing_is_lost_or_doubled_when_the_station_is_killed() -> None:
    row = kill_station.run(SEED, 3)
    assert (row.injected, row.lost, row.doubled, row.misdated) == (3, 0, 0, 0)
    assert row.is_clean


def test_nothing_is_lost_or_doubled_when_the_hub_is_killed_around_its_commits() -> None:
    row = kill_hub.run_around_commit(SEED, 2)
    assert (row.injected, row.lost, row.doubled, row.misdated) == (2, 0, 0, 0)
    assert row.is_clean


def test_nothing_is_lost_or_doubled_when_a_card_is_put_back() -> None:
    row = card.run_restored(SEED, 1)
    assert (row.injected, row.lost, row.doubled, row.misdated) == (1, 0, 0, 0)
    assert row.is_clean


@pytest.mark.skipif(not can_record(), reason="strace is missing or may not trace: apt-get install strace")
@pytest.mark.parametrize(("variants", "clean"), [((), True), ((("broken:synchronous_off", {}),), False)])
def test_a_power_cut_loses_what_was_not_synced_and_nothing_else(variants: tuple, clean: bool) -> None:
    row = power_cut.run(SEED, 15, variants=variants, entries=25)
    assert (row.lost == 0) is clean
    assert row.is_clean is clean


def test_an_acknowledgement_before_the_commit_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rig, "settle_seconds", 3.0)
    row = kill_hub.run_around_commit(SEED, 2, variants=(("broken:acknowledge_before_commit", {}),), shares=(0.5, 0.0))
    assert row.lost > 0
    assert not row.is_clean


def test_a_failure_told_after_the_commit_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rig, "settle_seconds", 3.0)
    row = kill_station.run(SEED, 1, variants=(("broken:failure_after_commit", {}),))
    assert row.doubled > 0
    assert not row.is_clean
