"""What the hub says of when an event was: its time, or from when to when."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from contract.codec import encode
from contract.events import Clock, ClockSynced, Direction, Entry, Event, EvidenceChange, Outcome
from contract.five import Basis, Evidence, Item
from contract.messages import JournalBatch, raw_events
from hub import dating
from hub.config import Five, HubSettings, Located
from hub.intake import Received
from hub.judging import Judging
from hub.late import marked
from hub.store import migrate, open_store, tables
from hub.storing import store

NOON = datetime(2022, 4, 1, 4, tzinfo=UTC)
LONG_AGO = datetime(1975, 1, 1, tzinfo=UTC)
SECOND = 1_000_000_000
ENTRY = Entry(direction=Direction.IN, outcome=Outcome.ADMIT)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(made)
    with made.begin() as conn:
        conn.execute(sa.insert(tables.areas).values(id="a1", name="A"))
        conn.execute(sa.insert(tables.committees).values(id="k1", name="K", area="a1"))
        conn.execute(sa.insert(tables.compounds).values(id="c1", name="C", committee="k1"))
        conn.execute(sa.insert(tables.gates).values(id="g1", name="G", compound="c1"))
        conn.execute(sa.insert(tables.stations).values(id="s1", gate="g1", added_at=NOON))
    yield made
    made.dispose()


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def event(seq: int, at: datetime, clock: Clock = Clock.SYNCED, boot: str = "old", mono: float = 0, body: object = ENTRY) -> Event:
    return Event(seq=seq, id=f"e{seq}", at=at, boot=boot, mono_ns=int(mono * SECOND), clock=clock, body=body)


def receive(engine: sa.Engine, at: datetime, *events: Event, boot: str = "new", mono: float = 0) -> None:
    """A batch of a boot, received at a time."""
    sent = JournalBatch(
        journal="j1", boot=boot, mono_ns=int(mono * SECOND), first_seq=events[0].seq,
        events=tuple(msgspec.Raw(raw) for raw in raw_events(events)),
    )  # fmt: skip
    judging = Judging(lifetimes=Located(HubSettings(five=Five()), Path()).lifetimes, zone=UTC)
    store(engine, [Received(topic="gatepost/v1/station/s1/journal", payload=encode(sent), at=at)], at, judging)


def said(engine: sa.Engine, seq: int) -> tuple[datetime, str, object]:
    """Its time, its clock, and from when to when it was if it is not dated."""
    with engine.connect() as conn:
        row = conn.execute(sa.select(tables.events).where(tables.events.c.seq == seq)).one()
        return row.at, row.clock, dating.span(conn, "j1", seq)


def test_an_event_of_a_boot_that_never_was_in_step_lies_between_its_neighbours(engine: sa.Engine) -> None:
    receive(engine, minutes(60), event(1, minutes(1)), event(2, LONG_AGO, Clock.UNSYNCED), event(3, minutes(9), boot="new"))
    assert said(engine, 2) == (minutes(1), "unsynced", (minutes(1), minutes(9)))


def test_it_is_no_later_than_it_was_received(engine: sa.Engine) -> None:
    receive(engine, minutes(60), event(1, minutes(1)), event(2, minutes(90), Clock.UNSYNCED))
    assert said(engine, 2) == (minutes(60), "unsynced", (minutes(1), minutes(60)))


def test_of_one_with_nothing_before_it_only_the_end_is_known(engine: sa.Engine) -> None:
    receive(engine, minutes(60), event(1, LONG_AGO, Clock.UNSYNCED))
    assert said(engine, 1) == (LONG_AGO, "unsynced", (None, minutes(60)))


def test_one_that_is_dated_has_no_span(engine: sa.Engine) -> None:
    receive(engine, minutes(60), event(1, minutes(1)))
    assert said(engine, 1) == (minutes(1), "synced", None)


def test_a_boot_that_came_into_step_later_dates_it(engine: sa.Engine) -> None:
    synced = event(3, minutes(10), mono=120, body=ClockSynced(stepped_seconds=1))
    receive(engine, minutes(60), event(1, minutes(1)), event(2, LONG_AGO, Clock.UNSYNCED, mono=60), synced)
    assert said(engine, 2) == (minutes(9), "dated", None)


@pytest.mark.parametrize(("boot", "expected"), [("new", minutes(55)), ("old", minutes(60))])
def test_a_clock_ahead_of_the_events_arrival_is_not_believed(engine: sa.Engine, boot: str, expected: datetime) -> None:
    receive(engine, minutes(60), event(1, minutes(1)), event(2, minutes(180), boot=boot, mono=300), boot="new", mono=600)
    assert said(engine, 2) == (expected, "unsynced", (minutes(1), minutes(60)))


def test_a_clock_a_little_ahead_is_believed(engine: sa.Engine) -> None:
    receive(engine, minutes(60), event(1, minutes(61), boot="new", mono=600), boot="new", mono=600)
    assert said(engine, 1) == (minutes(61), "synced", None)


def test_history_is_made_again_from_when_it_was_and_not_from_what_a_wrong_clock_showed(engine: sa.Engine) -> None:
    change = EvidenceChange(evidence=Evidence(item=Item.DESK, present=True, basis=Basis.DECLARED, observed_at=LONG_AGO))
    receive(engine, minutes(60), event(1, minutes(1)), event(2, LONG_AGO, Clock.UNSYNCED, body=change))
    with engine.connect() as conn:
        assert marked(conn) == {"g1": minutes(1)}
