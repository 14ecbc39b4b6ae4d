"""The ingest with a real broker and a real store: what a station sends is kept once, acknowledged after that, and judged."""

import hashlib
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import signing, topics
from contract.codec import Message, encode
from contract.events import Body, Clock, ClockSynced, Direction, Entry, Event, EvidenceChange, Outcome, Started
from contract.five import Basis, Evidence, Item
from contract.messages import Ack, EvidencePulse, JournalBatch, Presence, Vitals, decode, raw_events
from contract.topics import StationTopic
from hub import status
from hub.broker import Mosquitto
from hub.config import Broker, Five, HubSettings, Located, Store
from hub.ingest import Ingest
from hub.intake import Received, take
from hub.journals import acknowledgement
from hub.judging import Judging
from hub.listening import Listener
from hub.rules.compliance import Status
from hub.store import meta, migrate, open_store, tables
from hub.storing import is_passing, store
from tests.conftest import HUB_PASSWORD

NOON = datetime(2022, 4, 1, 4, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
PRIVATE, PUBLIC = KEY.private_bytes_raw(), KEY.public_key().public_bytes_raw()
BOOT, SECOND = "boot-1", 1_000_000_000
MONO = 1000 * SECOND


class Watch:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def __call__(self) -> datetime:
        return NOON + self.moved

    def forward(self, seconds: float) -> None:
        self.moved += timedelta(seconds=seconds)


class Signs:
    """Signs with a key of the test, and counts."""

    def __init__(self) -> None:
        self.counter = 0

    def sign(self, body: Message, *, typ: str, audience: str) -> bytes:
        self.counter += 1
        return signing.sign(body, typ=typ, audience=audience, counter=self.counter, kid="h1", private=PRIVATE)


class Station:
    """Speaks as a station does, and gathers what it is told."""

    def __init__(self, broker: Mosquitto, name: str = "s1") -> None:
        self.name, self.acks, self._counter = name, [], 0
        self.client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.username_pw_set(name, f"{name}-secret")
        self.client.on_message = self._hear
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", broker.port)
        ready = threading.Event()
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.subscribe(topics.station(name, StationTopic.ACK), 1)
        self.client.loop_start()
        assert ready.wait(10)

    acks: list[Ack]

    def _hear(self, client: Any, data: Any, message: Any) -> None:
        audience = f"station:{self.name}"
        opened = signing.open_signed(message.payload, typ="ack", audience=audience, above=self._counter, keys={"h1": PUBLIC})
        self._counter = opened[1]
        self.acks.append(decode(Ack, opened[0]))

    def send(self, channel: StationTopic, payload: bytes, rest: str = "", retain: bool = False) -> None:
        delivery = topics.DELIVERY[channel]
        self.client.publish(topics.station(self.name, channel, rest), payload, qos=delivery.qos, retain=retain)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def until(true: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait for a condition; fails when it does not come about in time."""
    ends = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < ends, "it did not come about in time"
        time.sleep(0.02)
    return found


def entry(seq: int, body: Body | None = None, **more: Any) -> Event:
    """An event of the journal, by default an entry, written one second a number after the boot's start."""
    made = body or Entry(direction=Direction.IN, outcome=Outcome.ADMIT, pass_kind="resident")
    known = {"id": f"e{seq}", "at": NOON, "boot": BOOT, "mono_ns": seq * SECOND, "clock": Clock.SYNCED}
    return Event(seq=seq, body=made, **{**known, **more})


def batch(*events: Event | bytes, first: int = 1, journal: str = "j1", **more: Any) -> bytes:
    """A batch of events, or of raw bytes where an event should be."""
    raw = tuple(msgspec.Raw(e) if isinstance(e, bytes) else raw_events((e,))[0] for e in events)
    known = {"boot": BOOT, "mono_ns": MONO, "first_seq": events[0].seq if isinstance(events[0], Event) else first}
    return encode(JournalBatch(journal=journal, events=raw, **{**known, **more}))


def vitals(*missing: Item, remaining: float = 3600) -> bytes:
    """A pulse with evidence of the five but those missing."""
    said = tuple(
        EvidencePulse(item=i, present=i not in missing, basis=Basis.SENSOR, age_seconds=5, remaining_seconds=remaining)
        for i in Item
    )
    known = {"boot": BOOT, "mono_ns": MONO, "at": NOON, "clock": Clock.SYNCED, "last_seq": 0, "backlog": 3}
    return encode(Vitals(directory_version=7, evidence=said, **known))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(made)
    seed(made)
    yield made
    made.dispose()


def seed(engine: sa.Engine) -> None:
    """Two compounds: gate g1 with station s1, gate g3 with s3."""
    with engine.begin() as connection:
        rows: list[tuple[sa.Table, dict[str, Any]]] = [
            (tables.areas, {"id": "a1", "name": "A"}),
            (tables.committees, {"id": "k1", "name": "K", "area": "a1"}),
        ]
        for n in ("1", "3"):
            rows.append((tables.compounds, {"id": f"c{n}", "name": f"C{n}", "committee": "k1"}))
            rows.append((tables.gates, {"id": f"g{n}", "name": f"G{n}", "compound": f"c{n}"}))
            rows.append((tables.stations, {"id": f"s{n}", "gate": f"g{n}", "added_at": NOON}))
        for table, row in rows:
            connection.execute(sa.insert(table).values(**row))


@pytest.fixture
def located(mosquitto: Mosquitto, tmp_path: Path) -> Located:
    broker = Broker(port=mosquitto.port, password=HUB_PASSWORD)
    return Located(HubSettings(broker=broker, store=Store(url="sqlite:///hub.db"), five=Five()), tmp_path)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def ingest(engine: sa.Engine, located: Located, watch: Watch) -> Iterator[Ingest]:
    running = Ingest(engine, located, Signs(), now=watch)
    running.start()
    until(lambda: not overview(engine, watch).blind_since)
    yield running
    running.stop()


@pytest.fixture
def station(mosquitto: Mosquitto) -> Iterator[Station]:
    made = Station(mosquitto)
    yield made
    made.close()


def overview(engine: sa.Engine, watch: Watch) -> status.Overview:
    return status.overview(engine, Located(HubSettings(), Path()).lifetimes, watch())


def gate(engine: sa.Engine, watch: Watch) -> Any:
    """What is said of gate g1."""
    return next(g for g in overview(engine, watch).gates if g.gate == "g1")


def stored(engine: sa.Engine, *columns: str) -> list[Any]:
    with engine.connect() as connection:
        names = [tables.events.c[name] for name in columns or ("seq",)]
        return [tuple(row) if columns else row[0] for row in connection.execute(sa.select(*names).order_by(tables.events.c.seq))]


def reasons(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(tables.malformed.c.reason).order_by(tables.malformed.c.id)))


def put(engine: sa.Engine, *payloads: bytes, channel: str = "journal", station: str = "s1", at: datetime = NOON) -> Any:
    """Store messages without a broker."""
    topic = f"gatepost/v1/station/{station}/{channel}"
    messages = [Received(topic=topic, payload=p, at=at) for p in payloads]
    return store(engine, messages, at, Judging(lifetimes=Located(HubSettings(), Path()).lifetimes, zone=UTC))


def test_what_a_new_journal_brings_along_is_not_stored_twice(engine: sa.Engine) -> None:
    """After a fork a station sends again, under the new journal, what it does not know to be acknowledged."""
    put(engine, batch(entry(1), entry(2)))
    put(engine, batch(entry(1, id="begun"), entry(2, id="e2"), entry(3, id="e3"), journal="j2"))
    with engine.connect() as connection:
        ids = connection.scalars(sa.select(tables.events.c.id)).all()
        assert sorted(ids) == ["begun", "e1", "e2", "e3"]
        assert acknowledgement(connection, "j2").upto == 3


# Through the broker.


def test_a_batch_is_stored_once_and_acknowledged_with_a_signature(engine: sa.Engine, ingest: Ingest, station: Station) -> None:
    station.send(StationTopic.JOURNAL, batch(entry(1), entry(2)))
    first = until(lambda: station.acks)[0]
    assert (first.journal, first.upto, first.ranges, first.fork_at) == ("j1", 2, (), None)
    assert first.store_epoch
    station.send(StationTopic.JOURNAL, batch(entry(2), entry(3)))
    station.send(StationTopic.JOURNAL, batch(entry(7)))
    until(lambda: (station.acks[-1].upto, station.acks[-1].ranges) == (3, ((7, 7),)))
    assert stored(engine) == [1, 2, 3, 7]
    station.send(StationTopic.JOURNAL, batch(entry(4), entry(5), entry(6)))
    until(lambda: (station.acks[-1].upto, station.acks[-1].ranges) == (7, ()))
    assert not reasons(engine)


def test_nothing_is_acknowledged_before_it_is_committed(
    engine: sa.Engine, ingest: Ingest, station: Station, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=50"))
    engine.dispose()
    other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    station.send(StationTopic.JOURNAL, batch(entry(1)))
    until(lambda: "wait unacknowledged" in caplog.text)
    assert not station.acks
    other.execute("ROLLBACK")
    other.close()
    assert until(lambda: station.acks)[0].upto == 1
    assert stored(engine) == [1]


def test_malformed_messages_never_stop_it(engine: sa.Engine, ingest: Ingest, station: Station) -> None:
    for payload in fuzzed(200, seed=1):
        station.send(StationTopic.JOURNAL, payload)
        station.send(StationTopic.VITALS, payload)
        station.send(StationTopic.PRESENCE, payload)
        station.send(StationTopic.BLOB, payload, rest="x" * 64)
        station.send(StationTopic.REPLY, payload)
    station.send(StationTopic.JOURNAL, batch(entry(1), journal="good"))
    until(lambda: any(ack.journal == "good" and ack.upto == 1 for ack in station.acks), 60)
    assert len(reasons(engine)) > 300


def test_a_lost_broker_makes_the_hub_blind_and_blames_no_gate(
    engine: sa.Engine, ingest: Ingest, station: Station, mosquitto: Mosquitto, watch: Watch
) -> None:
    station.send(StationTopic.VITALS, vitals(remaining=60))
    until(lambda: gate(engine, watch).status is Status.COMPLIANT)
    watch.forward(10)
    mosquitto.stop(kill=True)
    assert until(lambda: overview(engine, watch).blind_since) == NOON + timedelta(seconds=10)
    watch.forward(600)
    assert gate(engine, watch).status is Status.COMPLIANT
    mosquitto.start()
    until(lambda: not overview(engine, watch).blind_since)
    watch.forward(80)
    until(lambda: not overview(engine, watch).blind_since)  # a clock moved on looks like an ingest that has died, until it ticks
    assert gate(engine, watch).status is Status.COMPLIANT
    watch.forward(11)
    until(lambda: gate(engine, watch).status is Status.UNREACHABLE)


def test_silence_alone_makes_a_gate_unreachable(engine: sa.Engine, ingest: Ingest, station: Station, watch: Watch) -> None:
    station.send(StationTopic.VITALS, vitals())
    until(lambda: gate(engine, watch).status is Status.COMPLIANT)
    before = status.changes(engine)
    watch.forward(91)
    until(lambda: status.changes(engine) > before)
    until(lambda: not overview(engine, watch).blind_since)
    assert (gate(engine, watch).status, gate(engine, watch).since) == (Status.UNREACHABLE, NOON + timedelta(seconds=90))
    rows = [(r.state, r.began_at) for r in status.gate_intervals(engine, "g1", NOON) if r.what == "status"]
    assert rows[-2:] == [("compliant", NOON), ("unreachable", NOON + timedelta(seconds=90))]
    station.send(StationTopic.VITALS, vitals(Item.DESK))
    until(lambda: gate(engine, watch).status is Status.NON_COMPLIANT)
    assert status.as_json(gate(engine, watch))["items"]["desk"]["reason"] == "declared_absent"


def test_a_session_outlives_the_ingest(engine: sa.Engine, located: Located, station: Station, watch: Watch) -> None:
    first = Ingest(engine, located, Signs(), now=watch)
    first.start()
    until(lambda: not overview(engine, watch).blind_since)
    first.stop()
    assert overview(engine, watch).blind_since
    station.send(StationTopic.JOURNAL, batch(entry(1)))
    second = Ingest(engine, located, Signs(), now=watch)
    second.start()
    until(lambda: stored(engine) == [1])
    second.stop()


def test_what_the_queue_has_no_room_for_comes_again(mosquitto: Mosquitto, station: Station, watch: Watch) -> None:
    listener = Listener(Broker(port=mosquitto.port, password=HUB_PASSWORD), "hub-ingest", watch, limit=3)
    listener.start()
    until(lambda: listener.connected)
    for n in range(20):
        station.send(StationTopic.JOURNAL, b"%d" % n)
    seen: set[bytes] = set()

    def all_seen() -> bool:
        for heard in listener.gather(2, 0.01, 0.05):
            seen.add(heard.received.payload)
            listener.acknowledge(heard)
        listener.catch_up()
        return len(seen) == 20

    until(all_seen)
    listener.stop()


def test_it_ends_in_order_when_told_to(tmp_path: Path, mosquitto: Mosquitto, engine: sa.Engine, watch: Watch) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(f'store.url = "sqlite:///hub.db"\n[broker]\nport = {mosquitto.port}\npassword = "{HUB_PASSWORD}"\n')
    script = "import sys, pathlib; from hub import config, ingest; ingest.run_ingest(config.load(pathlib.Path(sys.argv[1])))"
    running = subprocess.Popen([sys.executable, "-c", script, str(path)])

    def hears() -> bool:
        with engine.connect() as connection:
            return meta.hearing(connection).regained_at is not None

    until(hears)
    running.terminate()
    assert running.wait(timeout=20) == 0
    with engine.connect() as connection:
        assert meta.hearing(connection).blind_since is not None


# Without the broker: the same path from a message on.


def test_another_event_under_the_same_number_is_a_fork(engine: sa.Engine) -> None:
    put(engine, batch(entry(1), entry(2), entry(3)))
    put(engine, batch(entry(2), entry(3, id="x3"), entry(4, id="x4")))
    put(engine, batch(entry(9, id="x9")))
    assert stored(engine, "seq", "id") == [(1, "e1"), (2, "e2"), (3, "e3")]
    assert ["forked at 3" in reason for reason in reasons(engine)] == [True, True]
    with engine.connect() as connection:
        assert connection.scalar(sa.select(tables.journals.c.fork_at)) == 3


@pytest.mark.parametrize("pragma", ["query_only=ON", "max_page_count=1", "locking_mode=EXCLUSIVE"])
def test_a_store_that_takes_no_writes_is_not_a_messages_fault(engine: sa.Engine, tmp_path: Path, pragma: str) -> None:
    other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    if "EXCLUSIVE" in pragma:
        other.execute("BEGIN IMMEDIATE")
    engine.dispose()
    hindered = sa.create_engine(engine.url, connect_args={"timeout": 0})
    sa.event.listen(hindered, "connect", lambda connection, _: connection.execute(f"PRAGMA {pragma}").close())
    with pytest.raises(sa.exc.OperationalError) as caught:
        put(hindered, *(batch(entry(n, body=Started(software="x" * 400))) for n in range(1, 200)))
    assert is_passing(caught.value)
    hindered.dispose()
    other.close()
    assert (stored(engine), reasons(engine)) == ([], [])


def test_a_fork_is_told_to_its_station(engine: sa.Engine, ingest: Ingest, station: Station) -> None:
    station.send(StationTopic.JOURNAL, batch(entry(1), entry(2)))
    station.send(StationTopic.JOURNAL, batch(entry(2, id="x2")))
    until(lambda: station.acks and station.acks[-1].fork_at == 2)


def test_a_journal_belongs_to_the_station_that_began_it(engine: sa.Engine) -> None:
    put(engine, batch(entry(1)))
    (refused,) = put(engine, batch(entry(2)), station="s3")
    assert (refused.kept.owed, stored(engine)) == ({}, [1])
    assert reasons(engine) == ["journal j1 is that of station s1"]


def test_a_station_that_is_not_registered_is_refused(engine: sa.Engine) -> None:
    put(engine, batch(entry(1)), station="s2")
    put(engine, vitals(), station="s2", channel="vitals")
    assert (stored(engine), len(reasons(engine))) == ([], 2)


@pytest.mark.parametrize(
    "raw, error",
    [
        (
            b'{"seq":2,"id":"e2","at":"2022-04-01T04:00:00Z","boot":"b","mono_ns":1,"clock":"synced","body":{"kind":"later"}}',
            "later",
        ),
        (b"[]", "Expected `object`"),
        (b'"\\u0000"', "Expected `object`"),
        (encode(entry(3)), "at place 2"),
        (encode(entry(2, boot="b" * 65)), "more than 64"),
        (encode(entry(2, at=datetime(9999, 1, 1, tzinfo=UTC))), "not a time of ours"),
    ],
)
def test_what_cannot_be_read_is_kept_raw_and_counts_as_received(engine: sa.Engine, raw: bytes, error: str) -> None:
    (kept,) = put(engine, batch(entry(1), raw, entry(3)))
    again = put(engine, batch(raw, first=2))
    assert kept.kept.owed == again[0].kept.owed == {"j1": "s1"}
    rows = stored(engine, "seq", "kind", "error")
    assert [row[:2] for row in rows] == [(1, "entry"), (2, "unreadable"), (3, "entry")]
    assert error in rows[1][2]
    assert not reasons(engine)


def test_a_will_counts_only_for_its_own_birth(engine: sa.Engine) -> None:
    def online() -> bool:
        with engine.connect() as connection:
            return bool(connection.scalar(sa.select(tables.pulses.c.online)))

    def say(up: bool, birth: str) -> bool:
        put(engine, encode(Presence(online=up, birth=birth, boot=BOOT, journal="j1")), channel="presence")
        return online()

    assert [say(True, "b1"), say(True, "b2"), say(False, "b1"), say(False, "b2")] == [True, True, True, False]


def test_evidence_is_dated_by_its_age_and_only_news_counts(engine: sa.Engine, watch: Watch) -> None:
    def change(seq: int, present: bool, **more: Any) -> Event:
        said = Evidence(item=Item.DESK, present=present, basis=Basis.DECLARED, observed_at=NOON)
        return entry(seq, EvidenceChange(evidence=said, lifetime_seconds=600), clock=Clock.UNSYNCED, **more)

    put(engine, vitals(*Item), channel="vitals")
    put(engine, batch(change(990, True)))
    put(engine, batch(change(900, False)))
    put(engine, batch(change(991, False, boot="other")))
    with engine.connect() as connection:
        mine = tables.evidence.c.basis == "declared"
        row = connection.execute(sa.select(tables.evidence).where(mine)).mappings().one()
    assert (row["present"], row["observed_at"]) == (True, NOON - timedelta(seconds=10))
    assert row["valid_until"] == NOON + timedelta(seconds=590)
    assert gate(engine, watch).items["desk"].present


def test_a_synced_clock_dates_what_the_boot_wrote_before(engine: sa.Engine) -> None:
    lost = {"at": datetime(1970, 1, 1, tzinfo=UTC), "clock": Clock.UNSYNCED}
    put(engine, batch(entry(1, **lost), entry(2, **lost), boot="later"))
    sync = entry(10, ClockSynced(stepped_seconds=5), at=NOON)
    put(engine, batch(sync, boot="later"), batch(entry(5, **lost), boot="later"))
    rows = stored(engine, "seq", "at", "clock")
    assert rows[:3] == [(n, NOON - timedelta(seconds=10 - n), "dated") for n in (1, 2, 5)]


def test_late_evidence_refines_the_history(engine: sa.Engine, located: Located, watch: Watch) -> None:
    def change(seq: int, seconds: float, present: bool) -> Event:
        at = NOON - timedelta(seconds=seconds)
        said = Evidence(item=Item.DESK, present=present, basis=Basis.SENSOR, observed_at=at)
        return entry(seq, EvidenceChange(evidence=said), at=at, boot="before")

    put(engine, vitals(), channel="vitals", at=NOON - timedelta(seconds=600))
    Ingest(engine, located, Signs(), now=watch).tick()
    put(engine, vitals(), channel="vitals")
    put(engine, batch(change(1, 500, True), change(2, 300, False), change(3, 200, True)))
    Ingest(engine, located, Signs(), now=watch).tick()
    rows = [
        (r.state, r.began_at, r.ended_at)
        for r in status.gate_intervals(engine, "g1", NOON - timedelta(hours=1))
        if r.what == "desk"
    ]
    cut_off, first, second, third = (NOON - timedelta(seconds=s) for s in (510, 500, 300, 200))
    assert rows[1:] == [
        ("missing", cut_off, first), ("present", first, second), ("missing", second, third), ("present", third, None),
    ]  # fmt: skip
    others = [r.reason for r in status.gate_intervals(engine, "g1", NOON - timedelta(seconds=400)) if r.what == "register"]
    assert others[0] == "station_silent", "no journal spoke of it"


def test_a_photo_is_kept_under_its_hash_and_under_no_other(engine: sa.Engine) -> None:
    sha = hashlib.sha256(b"sealed").hexdigest()
    put(engine, b"sealed", b"sealed", channel=f"blob/{sha}")
    put(engine, b"other", channel=f"blob/{sha}")
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.blobs.c.sha, tables.blobs.c.data)).all() == [(sha, b"sealed")]
    assert reasons(engine) == ["a blob whose SHA-256 is not its name"]


def test_entries_are_read_back_newest_first(engine: sa.Engine) -> None:
    put(engine, batch(*(entry(n, at=NOON + timedelta(seconds=n), mono_ns=MONO) for n in range(1, 6))))
    put(engine, batch(entry(6, Started(software="1")), entry(7)))
    page = status.gate_entries(engine, "g1", 3, before=NOON + timedelta(seconds=5))
    assert [(row.id, row.outcome) for row in page] == [("e4", "admit"), ("e3", "admit"), ("e2", "admit")]
    assert [row.kind for row in status.gate_events(engine, "g1", 9, kinds=("started",))] == ["started"]


def test_malformed_messages_are_bounded_for_each_station(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.keeping.MALFORMED_KEPT", 5)
    put(engine, *(b"%d" % n for n in range(12)))
    put(engine, b"x", station="s3")
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.malformed.c.station, tables.malformed.c.payload)).all()
    assert [tuple(r) for r in rows] == [*(("s1", b"%d" % n) for n in range(7, 12)), ("s3", b"x")]


def test_ten_thousand_random_payloads_on_every_topic(engine: sa.Engine) -> None:
    channels = ["journal", "presence", "vitals", "reply", "ack", "blob/" + "a" * 64, "nonsense", ""]
    messages = [
        Received(topic=f"gatepost/v1/station/s1/{channels[n % len(channels)]}", payload=payload, at=NOON)
        for n, payload in enumerate(fuzzed(10_000, seed=2))
    ]
    for message in messages:
        take(message)
    judging = Judging(lifetimes=Located(HubSettings(), Path()).lifetimes, zone=UTC)
    for n in range(0, len(messages), 200):
        store(engine, messages[n : n + 200], NOON, judging)
    put(engine, batch(entry(1, id="another"), journal="good"))
    with engine.connect() as connection:
        good = sa.select(sa.func.count()).where(tables.events.c.journal == "good")
        assert connection.scalar(good) == 1
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.malformed)) <= 2000


def fuzzed(count: int, seed: int) -> Iterator[bytes]:
    """Random bytes, and good messages with bytes changed, cut out, doubled or with numbers made absurd."""
    chance = random.Random(seed)
    good = [batch(entry(1), entry(2)), vitals(), encode(Presence(online=True, birth="b", boot=BOOT, journal="j1")), b"{}", b""]
    absurd = [
        b"-1",
        b"1e400",
        b"1e308",
        b"18446744073709551616",
        b"null",
        b'"\\u0000"',
        b"[[[[",
        b"\xff\xfe",
        b'"9999-12-31T23:59:59-23:00"',
    ]
    for _ in range(count):
        data = bytearray(chance.choice(good))
        match chance.randrange(4):
            case 0:
                data = bytearray(chance.randbytes(chance.randrange(80)))
            case 1:
                for _ in range(chance.randrange(1, 4)):
                    data[chance.randrange(len(data) + 1) :][:1] = b""
                    data.insert(chance.randrange(len(data) + 1), chance.randrange(256))
            case 2:
                cut = sorted(chance.choices(range(len(data) + 1), k=2))
                data[cut[0] : cut[1]] = b""
            case _:
                places = [n for n, byte in enumerate(data) if chr(byte).isdigit()] or [0]
                place = chance.choice(places)
                data[place : place + 1] = chance.choice(absurd)
        yield bytes(data)
