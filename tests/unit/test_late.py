"""Events that arrive late: the history that is made again is the one that would have been written had they come in time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contract import topics
from contract.codec import encode
from contract.events import Body, Clock, Event, EvidenceChange, Started, Stopped
from contract.five import Basis, Evidence, Item, Lifetimes
from contract.messages import JournalBatch, Presence, raw_events
from contract.topics import StationTopic
from hub import inspections, late
from hub.intake import Received
from hub.judging import Judging, judge, refine_late
from hub.registry import accounts, places
from hub.rules import history
from hub.rules.inspection import Look, Method, Sheet
from hub.rules.intervals import Interval, at
from hub.store import meta, migrate, open_store, tables
from hub.store.writing import writing
from hub.storing import store

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 2, 16, 4, tzinfo=UTC)
JUDGING = Judging(lifetimes=Lifetimes(), zone=ZONE)
GRACE = timedelta(seconds=90)
HOUR = 60
ITEMS = tuple(item.value for item in Item)


def minute(n: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=n)


def says(item: Item, present: bool = True, basis: Basis = Basis.SENSOR, lasts: float | None = None, why: str = "off") -> Body:
    """A station's word on one of the five; `lasts` in minutes."""
    said = Evidence(item=item, present=present, basis=basis, observed_at=NOON, reason=None if present else why)
    return EvidenceChange(evidence=said, lifetime_seconds=None if lasts is None else lasts * 60)


class Hub:
    """A store and two stations of one gate; time goes by minutes."""

    def __init__(self, path: Path) -> None:
        self.engine = open_store(f"sqlite:///{path}")
        sa.event.listen(self.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        self.written = dict[str, int]()

    def hears(self, now: float, *stations: str) -> None:
        """The stations are heard, and say nothing of their five."""
        born = [
            Received(topic=topics.station(one, StationTopic.PRESENCE), at=minute(now),
                     payload=encode(Presence(online=True, birth=uuid4().hex, boot="b", journal=one)))
            for one in stations
        ]  # fmt: skip
        store(self.engine, born, minute(now), JUDGING)

    def takes(self, now: float, station: str, *said: tuple[float, Body]) -> None:
        """A batch of events, each of a minute, arrives."""
        first = self.written.get(station, 0) + 1
        events = tuple(
            Event(seq=n, id=f"{station}-{n}", at=minute(when), boot="b", mono_ns=round(when * 6e10) + 10**15, clock=Clock.SYNCED,
                  body=body)
            for n, (when, body) in enumerate(said, first)
        )  # fmt: skip
        self.written[station] = first + len(events) - 1
        sent = JournalBatch(
            journal=station, boot="b", mono_ns=round(now * 6e10) + 10**15, first_seq=first, events=raw_events(events)
        )
        arrived = Received(topic=topics.station(station, StationTopic.JOURNAL), payload=encode(sent), at=minute(now))
        store(self.engine, [arrived], minute(now), JUDGING)

    def inspects(self, now: float, item: Item, present: bool) -> None:
        looks = {item: Look(present=present)}
        sheet = Sheet(id=uuid4().hex, gate="east", method=Method.ROUNDS, observed_at=minute(now), looks=looks)
        with writing(self.engine) as conn:
            inspections.send(conn, sheet, "cha", minute(now))

    def ticks(self, now: float) -> None:
        """What the ingest does by the clock."""
        with writing(self.engine) as conn:
            refine_late(conn, minute(now), JUDGING)
            judge(conn, None, minute(now), JUDGING)

    def rows(self, what: str) -> list[Interval]:
        table = tables.intervals
        query = sa.select(table).where(table.c.gate == "east", table.c.what == what).order_by(table.c.began_at)
        with self.engine.connect() as conn:
            return [
                Interval(**{name: row[name] for name in Interval.__struct_fields__}) for row in conn.execute(query).mappings()
            ]

    def told(self, what: str) -> list[tuple[float, float | None, str, str | None]]:
        """The intervals by minutes: from, until, state, reason."""
        return [
            ((row.began_at - NOON) / timedelta(minutes=1), (row.ended_at - NOON) / timedelta(minutes=1) if row.ended_at else None,
             row.state, row.reason)
            for row in self.rows(what)
        ]  # fmt: skip

    def day(self, begin: int, end: int) -> list[tuple[Any, ...]]:
        """How everything stood at each half minute."""
        rows = {what: self.rows(what) for what in ("status", *ITEMS)}
        times = [minute(n / 2 + 0.01) for n in range(2 * begin, 2 * end)]
        found = [[at(rows[what], time) for what in rows] for time in times]
        return [tuple((one.state, one.basis, one.reason) if one else None for one in line) for line in found]


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An east gate with one station in service and one that is not."""
    path = tmp_path_factory.mktemp("seeded") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        places.add_area(conn, "a", "东片区")
        places.add_committee(conn, "k", "居委", "a")
        places.add_compound(conn, "c1", "锦绣苑", "k", "李敏")
        places.add_gate(conn, "east", "东门", "c1")
        for n, id in enumerate(("s1", "s2")):
            conn.execute(sa.insert(tables.stations).values(id=id, gate="east", lane=id, added_at=minute(-999), in_service=n == 0))
        accounts.add_account(conn, "cha", "查组", "inspector", "a long password")
    engine.dispose()
    return path


@pytest.fixture
def hub(seeded: Path, tmp_path: Path) -> Iterator[Hub]:
    made = Hub(copy(seeded, tmp_path / "hub.db"))
    yield made
    made.engine.dispose()


def two_lanes(hub: Hub) -> None:
    with hub.engine.begin() as conn:
        conn.execute(sa.update(tables.stations).values(in_service=True))


ALL_FIVE = [(0.0, says(item)) for item in Item]


def test_ok__status_follows_what_is_heard_late_while_the_gate_was_heard(hub: Hub) -> None:
    hub.hears(0, "s1")
    hub.takes(0, "s1", *ALL_FIVE)
    hub.hears(30, "s1")
    hub.takes(30, "s1", (10, says(Item.DESK, False)), (20, says(Item.DESK)))
    hub.ticks(30)
    assert hub.told("desk") == [(0, 10, "present", None), (10, 20, "missing", "off"), (20, None, "present", None)]
    assert hub.told("status") == [
        (0, 10, "compliant", None), (10, 20, "non_compliant", None), (20, None, "compliant", None)
    ]  # fmt: skip


def test_ok__what_goes_on_as_before_keeps_its_beginning(hub: Hub) -> None:
    hub.hears(0, "s1")
    hub.takes(0, "s1", *ALL_FIVE)
    hub.hears(30, "s1")
    hub.takes(30, "s1", (10, says(Item.PASSES)))
    hub.ticks(30)
    assert {what: hub.told(what) for what in ITEMS} == {what: [(0, None, "present", None)] for what in ITEMS}
    assert hub.told("status") == [(0, None, "compliant", None)]


@pytest.mark.parametrize("state", ["unreachable", "closed"])
def test_ok__a_gate_that_was_not_heard_or_not_open_stays_so(hub: Hub, state: str) -> None:
    hub.hears(0, "s1")
    hub.takes(0, "s1", *ALL_FIVE)
    with hub.engine.begin() as conn:
        table = tables.intervals
        conn.execute(sa.update(table).where(table.c.what == "status").values(ended_at=minute(5)))
        conn.execute(sa.insert(table), [
            {"gate": "east", "what": "status", "began_at": minute(5), "ended_at": minute(15), "state": state},
            {"gate": "east", "what": "status", "began_at": minute(15), "ended_at": None, "state": "compliant"},
        ])  # fmt: skip
    hub.hears(30, "s1")
    hub.takes(30, "s1", (3, says(Item.DESK, False)), (20, says(Item.DESK)))
    hub.ticks(30)
    assert hub.told("status") == [
        (0, 3, "compliant", None), (3, 5, "non_compliant", None), (5, 15, state, None), (15, 20, "non_compliant", None),
        (20, None, "compliant", None),
    ]  # fmt: skip


def test_ok__a_finding_counts_in_the_past_as_it_did_then(hub: Hub) -> None:
    hub.hears(0, "s1")
    hub.takes(0, "s1", *[(0.0, says(item)) for item in Item if item is not Item.DESK])
    hub.ticks(0)
    hub.hears(10, "s1")
    hub.inspects(10, Item.DESK, True)
    hub.inspects(10, Item.PASSES, False)
    hub.ticks(10)
    hub.hears(50, "s1")
    hub.inspects(50, Item.PASSES, True)
    hub.ticks(50)
    before = {what: hub.told(what) for what in ("desk", "passes", "status")}
    assert before["desk"] == [(0, 10, "missing", "no_evidence"), (10, 40, "present", None), (40, None, "missing", "expired")]
    assert before["passes"] == [(0, 10, "present", None), (10, 50, "missing", "inspection"), (50, None, "present", None)]
    hub.hears(60, "s1")
    hub.takes(
        60, "s1", (5, says(Item.PASSES, False)), (6, says(Item.PASSES)), (30, says(Item.DESK, lasts=5, basis=Basis.DECLARED))
    )
    hub.ticks(60)
    assert hub.told("desk") == before["desk"]
    assert hub.told("passes") == [
        (0, 5, "present", None), (5, 6, "missing", "off"), (6, 10, "present", None), (10, 50, "missing", "inspection"),
        (50, None, "present", None),
    ]  # fmt: skip
    assert [row.basis for row in hub.rows("desk")] == [None, "inspected", "inspected"]


def test_fail__a_station_does_not_inspect_itself_late(hub: Hub) -> None:
    hub.hears(0, "s1")
    hub.takes(0, "s1", *ALL_FIVE)
    hub.hears(30, "s1")
    hub.takes(30, "s1", (10, says(Item.DESK, False, Basis.INSPECTED)), (12, says(Item.DESK)))
    hub.ticks(30)
    assert hub.told("desk") == [(0, None, "present", None)]


def test_ok__of_a_lane_that_is_silent_to_this_day_nothing_is_known(hub: Hub) -> None:
    two_lanes(hub)
    hub.hears(0, "s1", "s2")
    hub.takes(0, "s1", *ALL_FIVE)
    hub.takes(0, "s2", *ALL_FIVE)
    for now in (1, 2, 30):
        hub.hears(now, "s1")
        hub.ticks(now)
    silent = [(0, 1.5, "present", None), (1.5, None, "missing", "station_silent")]
    assert hub.told("passes") == silent
    hub.takes(30, "s1", (10, says(Item.PASSES)))
    hub.ticks(30)
    assert hub.told("passes") == silent
    assert hub.told("status") == [(0, 1.5, "compliant", None), (1.5, None, "non_compliant", None)]


def test_ok__a_lane_that_is_heard_again_tells_what_was(hub: Hub) -> None:
    two_lanes(hub)
    hub.hears(0, "s1", "s2")
    hub.takes(0, "s1", *ALL_FIVE)
    hub.takes(0, "s2", *ALL_FIVE)
    for now in (1, 2, 30):
        hub.hears(now, "s1")
        hub.ticks(now)
    hub.hears(40, "s1", "s2")
    hub.takes(40, "s2", (1, says(Item.DESK)), (20, says(Item.PASSES, False)))
    hub.ticks(40)
    assert hub.told("passes") == [(0, 20, "present", None), (20, None, "missing", "off")]
    assert hub.told("status") == [(0, 20, "compliant", None), (20, None, "non_compliant", None)]


def test_ok__a_restart_within_the_grace_is_blamed_on_nobody(hub: Hub) -> None:
    """Its last event was long ago, and it was heard until a moment before."""
    hub.hears(0, "s1")
    hub.takes(0, "s1", *ALL_FIVE)
    hub.hears(29.5, "s1")
    again = [(30.2, says(item)) for item in Item]
    hub.hears(31, "s1")
    hub.takes(31, "s1", (29.7, Stopped()), (30.0, Started(software="1", gap_seconds=1800, unclean=True)), *again)
    hub.ticks(31)
    assert hub.told("status") == [(0, None, "compliant", None)]


def test_ok__a_power_cut_begins_when_the_station_was_not_heard_any_more(hub: Hub) -> None:
    hub.hears(0, "s1")
    hub.takes(0, "s1", *ALL_FIVE)
    hub.hears(10, "s1")
    hub.ticks(10)
    hub.ticks(12)
    hub.hears(30, "s1")
    again = [(30.0, says(item)) for item in Item]
    hub.takes(30.5, "s1", (29.8, Started(software="1", gap_seconds=1780)), *again)
    hub.ticks(30.5)
    assert hub.told("status") == [(0, 11.5, "compliant", None), (11.5, 30, "unreachable", None), (30, None, "compliant", None)]
    assert hub.told("desk")[:2] == [(0, 11.5, "present", None), (11.5, 29.8, "missing", "station_silent")]


def test_ok__a_blind_hub_makes_no_history(hub: Hub) -> None:
    hub.hears(0, "s1")
    hub.takes(0, "s1", *ALL_FIVE)
    hub.hears(4.5, "s1")
    with writing(hub.engine) as conn:
        meta.went_blind(conn, minute(5))
        late.mark(conn, "east", [minute(3)])
        assert refine_late(conn, minute(60), JUDGING) == []
        meta.hears_again(conn, minute(61))
        assert refine_late(conn, minute(61), JUDGING) == ["east"]
    assert hub.told("status") == [(0, None, "compliant", None)]


def test_ok__broken_off() -> None:
    unheard = [(minute(10), minute(30))]
    assert history.broken_off(minute(29), timedelta(hours=9), unheard, GRACE) == minute(10)
    assert history.broken_off(minute(29), timedelta(minutes=5), unheard, GRACE) == minute(24)
    assert history.broken_off(minute(40), timedelta(hours=9), unheard, GRACE) == minute(41.5)


WORDS = st.lists(
    st.tuples(
        st.integers(0, 2 * HOUR - 1), st.sampled_from(("s1", "s2")), st.sampled_from(list(Item)), st.booleans(),
        st.sampled_from((None, 15, 45)),
    ),
    min_size=1, max_size=8,
)  # fmt: skip
FOUND = st.lists(st.tuples(st.integers(0, 2 * HOUR - 1), st.sampled_from(list(Item)), st.booleans()), max_size=3)


def played(path: Path, words: list[Any], found: list[Any], *, in_time: bool) -> list[tuple[Any, ...]]:
    """Two hours of a gate with two lanes, both heard all along; its events come in time, or all of them at the end."""
    hub = Hub(path)
    two_lanes(hub)
    said: dict[str, list[tuple[float, Body]]] = {"s1": [*ALL_FIVE], "s2": [*ALL_FIVE]}
    for when, station, item, present, lasts in sorted(words, key=lambda word: word[0]):
        basis = Basis.SENSOR if lasts is None else Basis.DECLARED
        said[station].append((float(when), says(item, present, basis, lasts if present else None)))
    times = {0.0, *(float(when + more) for when, *_ in [*found, *((w[0],) for w in words)] for more in (0, 15, 30, 45))}
    for now in sorted(times):
        hub.hears(now, "s1", "s2")
        for station, known in said.items():
            due = [word for word in known if word[0] == now]
            if due and (in_time or now == 0):
                hub.takes(now, station, *due)
        for when, item, present in found:
            if when == now:
                hub.inspects(now, item, present)
        hub.ticks(now)
    hub.hears(2 * HOUR, "s1", "s2")
    for station, known in said.items():
        rest = [word for word in known if word[0] > 0] if not in_time else []
        if rest:
            hub.takes(2 * HOUR, station, *rest)
    hub.ticks(2 * HOUR)
    hub.engine.dispose()
    return hub.day(0, 2 * HOUR)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=(Phase.explicit, Phase.generate),
)  # fmt: skip
@given(words=WORDS, found=FOUND)
def test_ok__late_or_in_time_the_history_is_the_same(seeded: Path, tmp_path: Path, words: list[Any], found: list[Any]) -> None:
    by_minute = {(station, item, lasts is None, when): (when, station, item, present, lasts)
                 for when, station, item, present, lasts in words}  # fmt: skip
    seen = {(item, when): (when, item, present) for when, item, present in found}
    days = [
        played(copy(seeded, tmp_path / f"{uuid4().hex}.db"), list(by_minute.values()), list(seen.values()), in_time=in_time)
        for in_time in (True, False)
    ]
    assert days[0] == days[1]
