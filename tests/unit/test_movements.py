"""Who the other gates of a compound are told went in or out: everybody of an entry who has a pass, and nobody twice or late."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from contract.codec import encode
from contract.events import Clock, Companion, Direction, Entry, Event, Outcome, Written
from hub.movements import by_compound

NOON = datetime(2022, 4, 1, 4, tzinfo=UTC)
A, B, C = ("aa" * 16, "bb" * 16, "cc" * 16)


def row(body: Entry) -> Any:
    """As the store gives it: ten seconds old."""
    at = NOON - timedelta(seconds=10)
    event = Event(seq=1, id="e1", at=at, boot="b", mono_ns=1, clock=Clock.SYNCED, body=body)
    return SimpleNamespace(
        at=at, received_at=NOON, clock="synced", gate="east", station="s1", compound="c", body=encode(event).decode()
    )


def entry(direction: Direction = Direction.IN, outcome: Outcome = Outcome.ADMIT, **more: Any) -> Entry:
    return Entry(direction=direction, outcome=outcome, **more)


CHILD, GUEST = Companion(role="child"), Companion(role="occupant", pass_id=B)


@pytest.mark.parametrize(
    "body, moved",
    [
        (entry(pass_id=A), [(A, "in")]),
        (entry(pass_id=A, companions=(CHILD, GUEST), people=3), [(A, "in"), (B, "in")]),
        (entry(companions=(GUEST,), people=2), [(B, "in")]),
        (entry(pass_id=B, companions=(GUEST,), people=2), [(B, "in")]),
        (entry(Direction.OUT, visit="v1"), [(C, "out")]),
        (entry(Direction.OUT, visit="v1", pass_id=A), [(A, "out")]),
        (entry(Direction.OUT, visit="v2"), []),
        (entry(pass_id=A, written=Written(at=NOON)), []),
        (entry(outcome=Outcome.REFUSE, pass_id=A, companions=(GUEST,)), []),
        (entry(), []),
    ],
)
def test_who_moved(body: Entry, moved: list[tuple[str, str]]) -> None:
    told = [one for message in by_compound([row(body)], NOON, {"v1": C}) for one in message.movements]
    assert [(one.pass_id, one.direction) for one in told] == moved
    assert all((one.gate, one.station, one.age_seconds) == ("east", "s1", 10) for one in told)
