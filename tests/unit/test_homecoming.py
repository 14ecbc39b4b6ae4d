"""返沪报到: who was taken home is isolating, in the transaction that keeps the entry, and a cancelled entry undoes it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from contract import topics
from contract.codec import encode
from contract.events import Body, Clock, Correction, Direction, Entry, Event, Outcome, Written
from contract.five import Lifetimes
from contract.messages import JournalBatch, raw_events
from contract.topics import StationTopic
from hub import audit
from hub.intake import Received
from hub.judging import Judging
from hub.registry import passes, places, versions
from hub.store import migrate, open_store, tables
from hub.storing import store

NOW = datetime(2026, 2, 16, 0, 30, tzinfo=UTC)
JUDGING = Judging(lifetimes=Lifetimes(), zone=ZoneInfo("Asia/Shanghai"))
HOME = Entry(
    direction=Direction.IN, outcome=Outcome.ADMIT, reasons=("confirmed_by_volunteer",), pass_id="p1", colour="orange",
    follows="east-1", by="b1",
)  # fmt: skip
REFERRED = Entry(direction=Direction.IN, outcome=Outcome.REFER, reasons=("homecoming",), pass_id="p1", colour="orange")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An orange and a green holder of one compound, an orange one of another."""
    path = tmp_path_factory.mktemp("seeded") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        for n, gate in ((1, "east"), (2, "west")):
            places.add_area(conn, f"a{n}", f"片区{n}")
            places.add_committee(conn, f"k{n}", f"居委{n}", f"a{n}")
            places.add_compound(conn, f"c{n}", f"小区{n}", f"k{n}", "李敏")
            places.add_gate(conn, gate, gate, f"c{n}")
            conn.execute(sa.insert(tables.stations).values(id=gate, gate=gate, lane="1", added_at=NOW))
        for id, compound, colour in (("p1", "c1", "orange"), ("p2", "c1", None), ("p3", "c2", "orange")):
            conn.execute(sa.insert(tables.passes).values(
                id=id, kind="resident", compound=compound, name="王*明", dwelling="3号501", token=id, colour=colour,
                isolating=False, not_before=NOW, expires=NOW + timedelta(days=30), issued_at=NOW, issued_by="deng",
            ))  # fmt: skip
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


def hear(engine: sa.Engine, *bodies: Body, gate: str = "east", first: int = 1) -> None:
    """A gate's events arrive."""
    events = tuple(
        Event(seq=n, id=f"{gate}-{n}", at=NOW, boot="b", mono_ns=n, clock=Clock.SYNCED, body=body)
        for n, body in enumerate(bodies, first)
    )
    sent = JournalBatch(journal=gate, boot="b", mono_ns=99, first_seq=first, events=raw_events(events))
    topic = topics.station(gate, StationTopic.JOURNAL)
    store(engine, [Received(topic=topic, payload=encode(sent), at=NOW)], NOW, JUDGING)


def isolating(engine: sa.Engine) -> set[str]:
    with engine.connect() as conn:
        return set(conn.scalars(sa.select(tables.passes.c.id).where(tables.passes.c.isolating)))


def test_ok__who_came_home_is_isolating_and_the_compound_is_told(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        before = versions.versions(conn)
    hear(engine, REFERRED, HOME)
    assert isolating(engine) == {"p1"}
    with engine.connect() as conn:
        after = versions.versions(conn)
        (line,) = audit.lines(conn, 9)
    assert (after["c1"] > before["c1"], after["c2"] == before["c2"]) == (True, True)
    assert (line.account, line.action, line.object, line.detail) == (
        audit.SYSTEM, "change", "p1", {"fields": ["isolating"], "gate": "east"}
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": Direction.OUT}, {"outcome": Outcome.REFUSE}, {"outcome": Outcome.REFER}, {"follows": None},
        {"pass_id": None}, {"pass_id": "nobody"}, {"pass_id": "p2", "colour": "green"}, {"colour": None}, {"colour": "gone"},
        {"pass_id": "p3"}, {"written": Written(at=NOW)}, {"pass_id": "p2"},
    ],
    ids=["out", "turned away", "referred", "let in at once", "no pass", "no such pass", "green", "no colour", "colour gone",
         "of another compound", "keyed in", "no longer orange"],
)  # fmt: skip
def test_ok__nobody_else_is(engine: sa.Engine, changes: dict[str, object]) -> None:
    hear(engine, REFERRED, Entry(**{name: getattr(HOME, name) for name in HOME.__struct_fields__} | changes))  # type: ignore[arg-type]
    assert isolating(engine) == set()


@pytest.mark.parametrize(
    "correction, left", [({"cancelled": True}, set()), ({"outcome": Outcome.REFUSE}, set()), ({"note": "笔误"}, {"p1"})]
)
def test_ok__a_cancelled_entry_undoes_it(engine: sa.Engine, correction: dict[str, object], left: set[str]) -> None:
    hear(engine, REFERRED, HOME)
    hear(engine, Correction(corrects="east-2", **correction), first=3)  # type: ignore[arg-type]
    assert isolating(engine) == left


def test_ok__one_correction_undoes_no_others_doing(engine: sa.Engine) -> None:
    hear(engine, REFERRED, HOME, HOME)
    hear(engine, Correction(corrects="east-3", cancelled=True), first=4)
    assert isolating(engine) == {"p1"}
    hear(engine, Correction(corrects="east-2", cancelled=True), gate="west")
    assert isolating(engine) == {"p1"}


def test_ok__what_a_person_has_set_is_not_set_again_by_an_old_batch(engine: sa.Engine) -> None:
    hear(engine, REFERRED, HOME)
    with engine.begin() as conn:
        passes.set_isolating(conn, "p1", False)
    hear(engine, REFERRED, HOME)
    assert isolating(engine) == set()
