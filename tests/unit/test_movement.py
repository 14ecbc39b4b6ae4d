"""Who went in or out: last movement, passback, who is inside."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Body, Clock, Correction, Direction, Entry, Event, Outcome
from kiosk.rules.movement import Moved, elapsed, fold, inside, merge, within

START = datetime(2026, 3, 2, 7, 40, tzinfo=UTC)
IN, OUT = Direction.IN, Direction.OUT


def event(seq: int, body: Body, boot: str = "b1") -> Event:
    at = START + timedelta(seconds=seq)
    return Event(seq=seq, id=f"e{seq}", at=at, boot=boot, mono_ns=seq * 10**9, clock=Clock.SYNCED, body=body)


def entry(who: str | None, direction: Direction = IN, outcome: Outcome = Outcome.ADMIT) -> Entry:
    return Entry(direction=direction, outcome=outcome, pass_id=who)


@pytest.mark.parametrize(
    "bodies, who",
    [
        ([], set()),
        ([entry("a")], {"a"}),
        ([entry("a"), entry("b"), entry("a", OUT)], {"b"}),
        ([entry("a", outcome=Outcome.REFER)], set()),
        ([entry("a"), entry("a", OUT, Outcome.REFUSE)], {"a"}),
        ([entry(None, outcome=Outcome.EMERGENCY)], set()),
        ([entry("a"), Correction(corrects="e1", cancelled=True)], set()),
        ([entry("a"), entry("a", OUT), Correction(corrects="e2", cancelled=True)], {"a"}),
        ([entry("a"), entry("a", OUT), Correction(corrects="e1", cancelled=True)], set()),
        ([entry("a"), Correction(corrects="e9", cancelled=True)], {"a"}),
        ([entry("a"), Correction(corrects="e1", note="wrong lane")], {"a"}),
    ],
)
def test_who_is_inside(bodies: list[Body], who: set[str]) -> None:
    assert inside(fold({}, [event(seq, body) for seq, body in enumerate(bodies, 1)])) == who


@pytest.mark.parametrize(
    "direction, seconds_ago, again",
    [(IN, 0, True), (IN, 59.9, True), (IN, 60, False), (OUT, 5, False), (IN, -1, False)],
)
def test_passback_within_a_minute_the_same_way(direction: Direction, seconds_ago: float, again: bool) -> None:
    assert within(Moved(IN, START), direction, seconds_ago, 60) is again


def test_a_pass_that_never_moved_is_no_passback() -> None:
    assert not within(None, IN, 0, 60)


def test_within_a_boot_a_step_of_the_wall_clock_changes_nothing() -> None:
    moved = fold({}, [event(1, entry("a"))])["a"]
    assert elapsed(moved, START + timedelta(days=30), "b1", 6 * 10**9) == 5
    assert elapsed(moved, START + timedelta(seconds=31), "b2", 6 * 10**9) == 30


def test_a_siblings_later_movement_counts() -> None:
    here = {"a": Moved(IN, START), "b": Moved(IN, START)}
    there = {"a": Moved(OUT, START + timedelta(seconds=1)), "b": Moved(OUT, START - timedelta(seconds=1)), "c": Moved(IN, START)}
    assert inside(merge(here, there)) == {"b", "c"}


MOVES = st.lists(st.builds(entry, st.sampled_from("abc"), st.sampled_from(Direction), st.sampled_from(Outcome)))


@given(MOVES, st.integers(0, 20))
def test_folding_in_two_parts_is_folding_at_once(bodies: list[Entry], cut: int) -> None:
    events = [event(seq, body) for seq, body in enumerate(bodies, 1)]
    assert fold(fold({}, events[:cut]), events[cut:]) == fold({}, events)
