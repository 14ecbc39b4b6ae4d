"""A gate that its volunteer has locked is closed until it is opened, and whoever goes through it meanwhile is noticed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from contract.codec import encode
from contract.events import Body, Clock, ClockSynced, Direction, Entry, Event, GateShut, Outcome, PhotoAttached, Written
from contract.five import Lifetimes
from contract.messages import JournalBatch, raw_events
from hub import status
from hub.intake import Received
from hub.judging import Judging
from hub.registry import places
from hub.rules.closing import LOOKED_AT, Word, passed, shut_by
from hub.rules.compliance import Closing, GateStatus, Place, Status, gate_status
from hub.store import migrate, open_store, tables
from hub.storing import store

NOON = datetime(2022, 4, 1, 4, tzinfo=UTC)
IN = Entry(direction=Direction.IN, outcome=Outcome.ADMIT)


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def word(minutes: float, shut: bool, event: str = "e") -> Word:
    return Word(at=at(minutes), shut=shut, event=event)


# ---- the rule ----


@pytest.mark.parametrize(
    "words, shut",
    [
        ([], False),
        ([word(0, True)], True),
        ([word(0, True), word(5, False)], False),
        ([word(5, False), word(0, True)], False),
        ([word(0, False), word(5, True)], True),
        ([word(5, True), word(5, False)], False),
        ([word(0, True), word(5, False), word(6, True)], True),
    ],
)
def test_the_newest_word_counts_in_whatever_order_they_come(words: list[Word], shut: bool) -> None:
    assert (shut_by(words) is not None) is shut


@pytest.mark.parametrize(
    "entry, counts",
    [
        (IN, True),
        (Entry(direction=Direction.OUT, outcome=Outcome.ADMIT), True),
        (Entry(direction=Direction.IN, outcome=Outcome.EMERGENCY), True),
        (Entry(direction=Direction.IN, outcome=Outcome.UNCHECKED), True),
        (Entry(direction=Direction.IN, outcome=Outcome.REFUSE), False),
        (Entry(direction=Direction.IN, outcome=Outcome.REFER), False),
        (Entry(direction=Direction.IN, outcome=Outcome.RETAKE), False),
        (msgspec.structs.replace(IN, written=Written(at=NOON)), False),
    ],
)
def test_only_who_goes_through_counts(entry: Entry, counts: bool) -> None:
    assert (passed([(at(1), entry)], NOON) is not None) is counts


def test_who_went_through_before_it_was_closed_does_not_count() -> None:
    party = msgspec.structs.replace(IN, people=3)
    assert passed([(at(-1), IN)], NOON) is None
    found = passed([(at(-1), IN), (at(2), party), (at(1), IN)], NOON)
    assert found is not None
    assert (found.entries, found.people, found.last_at) == (2, 4, at(2))


@pytest.mark.parametrize(
    "place, closing",
    [
        (Place(gate="g"), None),
        (Place(gate="g", shut_at=at(-5)), Closing.VOLUNTEER),
        (Place(gate="g", schedule=((0, 60),)), Closing.SCHEDULE),
        (Place(gate="g", schedule=((0, 60),), shut_at=at(-5)), Closing.VOLUNTEER),
        (Place(gate="g", closed=True, shut_at=at(-5)), Closing.ORDER),
    ],
)
def test_why_a_gate_is_closed(place: Place, closing: Closing | None) -> None:
    said = gate_status(place, [], NOON, Lifetimes(), zone=UTC)
    assert said.closing is closing
    assert said.status is (Status.UNREACHABLE if closing is None else Status.CLOSED)
    if closing is Closing.VOLUNTEER:
        assert said.since == at(-5)


# ---- through the store ----


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{tmp_path}/hub.db")
    migrate(engine)
    with engine.begin() as conn:
        places.add_area(conn, "a", "片区")
        places.add_committee(conn, "k", "居委", "a")
        places.add_compound(conn, "c", "小区", "k")
        places.add_gate(conn, "g", "东门", "c")
        for lane in ("1", "2"):
            conn.execute(sa.insert(tables.stations).values(id=f"s{lane}", gate="g", lane=lane, added_at=at(-999)))
    yield engine
    engine.dispose()


class Station:
    """A journal that is sent at a minute after noon."""

    def __init__(self, engine: sa.Engine, name: str = "s1") -> None:
        self._engine, self._name, self._seq = engine, name, 0

    def sends(self, minutes: float, *said: tuple[float, Body], clock: Clock = Clock.SYNCED) -> list[str]:
        """Events that happened at minutes after noon, all sent at another; returns their ids."""
        made = [self._event(when, body, clock) for when, body in said]
        first = made[0].seq
        sent = JournalBatch(
            journal=f"j-{self._name}", boot="now", mono_ns=10**15, first_seq=first, events=raw_events(tuple(made))
        )  # fmt: skip
        received = Received(topic=f"gatepost/v1/station/{self._name}/journal", payload=encode(sent), at=at(minutes))
        store(self._engine, [received], at(minutes), Judging(lifetimes=Lifetimes(), zone=UTC))
        return [event.id for event in made]

    def _event(self, when: float, body: Body, clock: Clock) -> Event:
        self._seq += 1
        name = f"{self._name}-{self._seq}"
        mono = int(when * 60e9) + 6 * 10**14
        return Event(seq=self._seq, id=name, at=at(when), boot="old", mono_ns=mono, clock=clock, body=body)


def seen(engine: sa.Engine, minutes: float) -> GateStatus:
    (gate,) = status.overview(engine, Lifetimes(), at(minutes), zone=UTC).gates
    return gate


def test_locked_is_closed_until_opened_at_any_lane(engine: sa.Engine) -> None:
    one, two = Station(engine), Station(engine, "s2")
    (shut,) = one.sends(1, (0.5, GateShut(shut=True, by="b1")))
    gate = seen(engine, 2)
    assert (gate.status, gate.closing, gate.since, gate.shut_by, gate.shut_event) == (
        Status.CLOSED, Closing.VOLUNTEER, at(0.5), "b1", shut,
    )  # fmt: skip
    two.sends(3, (3, GateShut(shut=False)))
    gate = seen(engine, 4)
    assert (gate.closing, gate.shut_event, gate.passed) == (None, None, None)


def test_a_word_that_comes_late_does_not_undo_a_newer_one(engine: sa.Engine) -> None:
    one, two = Station(engine), Station(engine, "s2")
    two.sends(10, (10, GateShut(shut=False)))
    one.sends(11, (5, GateShut(shut=True)))
    assert seen(engine, 12).closing is None


def test_who_goes_through_a_locked_gate_is_noticed(engine: sa.Engine) -> None:
    station = Station(engine)
    station.sends(1, (0.2, IN), (0.5, GateShut(shut=True)))
    assert seen(engine, 2).passed is None
    written = msgspec.structs.replace(IN, written=Written(at=at(3)))
    station.sends(5, (3, msgspec.structs.replace(IN, people=2)), (4, written))
    gate = seen(engine, 6)
    assert gate.passed is not None
    assert (gate.passed.people, gate.passed.last_at) == (2, at(3))
    told = status.as_json(gate)
    assert (told["closing"], told["passed"]["entries"]) == ("volunteer", 1)
    station.sends(7, (7, GateShut(shut=False)))
    assert seen(engine, 8).passed is None


def test_a_gate_in_full_use_though_closed_is_looked_at_only_so_far(engine: sa.Engine) -> None:
    station = Station(engine)
    station.sends(1, (0.5, GateShut(shut=True)))
    station.sends(200, *((n + 1, IN) for n in range(LOOKED_AT + 10)))
    gate = seen(engine, 201)
    assert gate.passed is not None
    assert (gate.passed.entries, gate.passed.last_at) == (LOOKED_AT, at(LOOKED_AT + 10))


def test_a_lock_dated_anew_counts_from_its_true_time(engine: sa.Engine) -> None:
    one, two = Station(engine), Station(engine, "s2")
    two.sends(6, (6, GateShut(shut=False)))
    one.sends(7, (-9000, GateShut(shut=True)), clock=Clock.UNSYNCED)
    assert seen(engine, 8).closing is None
    sync = Event(
        seq=2, id="sync", at=at(9), boot="old", mono_ns=int(-9000 * 60e9) + 6 * 10**14 + int(120e9), clock=Clock.SYNCED,
        body=ClockSynced(stepped_seconds=1),
    )  # fmt: skip
    sent = JournalBatch(journal="j-s1", boot="now", mono_ns=10**15, first_seq=2, events=raw_events((sync,)))
    received = Received(topic="gatepost/v1/station/s1/journal", payload=encode(sent), at=at(9))
    store(engine, [received], at(9), Judging(lifetimes=Lifetimes(), zone=UTC))
    assert (seen(engine, 10).closing, seen(engine, 10).since) == (Closing.VOLUNTEER, at(7))


def test_photos_that_follow_find_their_event(engine: sa.Engine) -> None:
    station, sha = Station(engine), "ab" * 32
    photo = PhotoAttached(event="s1-1", photo=sha, purpose="lock")
    station.sends(1, (0.5, GateShut(shut=True)), (0.6, photo), (0.7, photo))
    assert status.event_photos(engine, "s1-1") == (sha,)
    (row,) = status.gate_events(engine, "g", 9, kinds=("gate_shut",))
    assert row.photos == (sha,)
    with engine.connect() as conn:
        assert conn.execute(sa.select(tables.attachments.c.purpose, tables.attachments.c.station)).all() == [("lock", "s1")]


def test_a_photo_whose_names_fit_no_column_spoils_nothing(engine: sa.Engine) -> None:
    Station(engine).sends(1, (0.5, PhotoAttached(event="e" * 65, photo="\0", purpose="lock")), (0.6, IN))
    with engine.connect() as conn:
        assert conn.scalars(sa.select(tables.events.c.kind).order_by(tables.events.c.seq)).all() == ["unreadable", "entry"]
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.attachments)) == 0
