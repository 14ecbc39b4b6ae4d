"""What comes into view and leaves it: `Sightings`, one table row per story."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.sightings import One, Several, Sightings, Token


def token(name: str) -> Token:
    return Token(name.encode(), "zxing", ())


def told(story: list[tuple[int, str]]) -> list[str]:
    """Plays (milliseconds, names in view); gives what was told as `at:A` or `at:A+B`."""
    sightings, lines = Sightings(), []
    for at_ms, names in story:
        match sightings.update([token(name) for name in names], at_ms * 1_000_000):
            case One(one):
                lines.append(f"{at_ms}:{one.data.decode()}")
            case Several(tokens):
                lines.append(f"{at_ms}:{'+'.join(t.data.decode() for t in tokens)}")
            case None:
                pass
    return lines


@pytest.mark.parametrize(
    "story, expected",
    [
        ([(0, "")], []),
        ([(0, "A"), (66, "A"), (132, "A")], ["0:A"]),
        ([(0, "A"), (1400, "A"), (2800, "A")], ["0:A"]),
        ([(0, "A"), (1499, "A")], ["0:A"]),
        ([(0, "A"), (1500, "A")], ["0:A", "1500:A"]),
        ([(0, "A"), (700, ""), (1600, "A")], ["0:A", "1600:A"]),
        ([(0, "AB"), (66, "AB")], ["0:A+B"]),
        ([(0, "A"), (400, "B")], ["0:A", "400:A+B"]),
        ([(0, "A"), (401, "B")], ["0:A", "401:B"]),
        ([(0, "A"), (1000, "B"), (1066, "B")], ["0:A", "1000:B"]),
        ([(0, "A"), (66, "B"), (132, "A"), (198, "B")], ["0:A", "66:A+B"]),
        ([(0, "AB"), (500, "A"), (1000, "AB")], ["0:A+B"]),
        ([(0, "AB"), (1000, "A"), (1500, "A"), (1600, "A")], ["0:A+B", "1500:A"]),
        ([(0, "AB"), (1000, "A"), (1500, "A"), (1700, "AB")], ["0:A+B", "1500:A", "1700:A+B"]),
        ([(0, "AB"), (66, "ABC"), (132, "AB")], ["0:A+B", "66:A+B+C"]),
        ([(0, "A"), (66, "AB"), (1000, "A"), (1600, "A")], ["0:A", "66:A+B"]),
        ([(0, "AA")], ["0:A"]),
    ],
    ids=[
        "nothing",
        "once while it stays",
        "a slow decoder does not make it new",
        "just not gone",
        "gone, and back",
        "empty frames do not keep it",
        "two in one frame",
        "two in alternate frames are at once",
        "one after the other is not at once",
        "a phone replaced by another a second later",
        "alternating, told once",
        "one of two unread for a moment is not alone",
        "one of two left, the other is told",
        "the second came back",
        "a third came",
        "told before the second came and never left",
        "the same code twice in a frame is one token",
    ],
)
def test_stories(story: list[tuple[int, str]], expected: list[str]) -> None:
    assert told(story) == expected


@given(st.lists(st.tuples(st.integers(1, 3000), st.sets(st.sampled_from("ABC"))), max_size=40))
def test_nothing_is_told_that_is_not_in_view(steps: list[tuple[int, set[str]]]) -> None:
    sightings, now_ms, last = Sightings(), 0, {}
    for pause, names in steps:
        now_ms += pause
        last |= dict.fromkeys(names, now_ms)
        match sightings.update([token(name) for name in names], now_ms * 1_000_000):
            case One(one):
                assert {n for n, at in last.items() if now_ms - at <= 400} == {one.data.decode()}
            case Several(tokens):
                assert len(tokens) > 1
                assert {t.data.decode() for t in tokens} == {n for n, at in last.items() if now_ms - at <= 400}


@given(st.lists(st.integers(1, 1499), min_size=1, max_size=40))
def test_a_token_that_never_leaves_is_told_once(pauses: list[int]) -> None:
    sightings, now_ms = Sightings(), 0
    assert sightings.update([token("A")], 0) == One(token("A"))
    for pause in pauses:
        now_ms += pause
        assert sightings.update([token("A")], now_ms * 1_000_000) is None
