"""Through a real broker: stations hear their compound's directory and movements, and nothing of another's."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import topics
from contract.codec import decoder, encode
from contract.directory import PARTS, SEALED, Directory, Manifest, assemble
from contract.events import Clock, Direction, Entry, Event, Outcome
from contract.messages import Movements, decode
from contract.opening import open_parts, opening_key, unwrap
from contract.passes import PassKind
from contract.signing import open_signed
from hub.broker import Mosquitto
from hub.config import Broker, HubSettings, Keys, Located
from hub.link import Denied, Link, LinkDown, Outgoing
from hub.publisher import Publisher
from hub.registry import bookings, key_lives, keys, notices, passes, places, versions
from hub.registry.errors import RegistryError
from hub.rights import Scope, ScopeKind
from hub.scheduler import keep_publishing, sole_owner
from hub.signer import Signer
from hub.store import migrate, open_store
from hub.store.tables import events, stations
from tests.conftest import HUB_PASSWORD

NOW = datetime.now(UTC)
decode_manifest = decoder(Manifest)


class Ear:
    """A station's side: everything it hears, in order."""

    def __init__(self, port: int, station: str, compound: str) -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.parts: dict[str, bytes] = {}
        self.granted = threading.Event()
        self.codes: list[int] = []
        client = Client(CallbackAPIVersion.VERSION2, client_id=station, protocol=MQTTProtocolVersion.MQTTv5)
        client.username_pw_set(station, f"{station}-secret")
        client.on_connect = lambda c, *_: c.subscribe(topics.station_subscriptions(station, compound))
        client.on_subscribe = self._on_subscribe
        client.on_message = lambda c, d, message: self.heard.put((message.topic, message.payload))
        client.connect("127.0.0.1", port)
        client.loop_start()
        self._client, self._compound = client, compound
        assert self.granted.wait(10)

    def _on_subscribe(self, client: Client, data: object, mid: int, reasons: list, properties: object) -> None:
        self.codes = [reason.value for reason in reasons]
        self.granted.set()

    def next(self, topic: str, seconds: float = 10) -> bytes:
        """The next message on a topic; parts heard on the way are kept."""
        deadline = time.monotonic() + seconds
        while True:
            name, data = self.heard.get(timeout=max(0.01, deadline - time.monotonic()))
            self.parts[name.rsplit("/", 1)[1]] = data
            if name == topic:
                return data

    def directory(self, known: dict[str, bytes], above: int = 0) -> tuple[Directory, int]:
        """The next directory whose manifest and parts fit, and the manifest's counter."""
        data = self.next(topics.directory(self._compound, "manifest"))
        body, counter = open_signed(data, typ="manifest", audience=f"compound:{self._compound}", above=above, keys=known)
        manifest = decode_manifest(body)
        while not set(PARTS) <= self.parts.keys():
            self.next(topics.directory(self._compound, next(iter(PARTS.keys() - self.parts.keys()))))
        return assemble(manifest, self.parts), counter

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        places.add_area(conn, "a", "片区")
        places.add_committee(conn, "c", "居委", "a")
        for compound in ("c1", "c2"):
            places.add_compound(conn, compound, "小区", "c")
            places.add_gate(conn, f"{compound}-east", "东门", compound)
        places.add_gate(conn, "c1-west", "西门", "c1")
        for station, gate in (("s1", "c1-east"), ("s2", "c1-west"), ("s3", "c2-east")):
            conn.execute(sa.insert(stations).values(id=station, gate=gate, password="secret", added_at=datetime.now(UTC)))
    yield engine
    engine.dispose()


@pytest.fixture
def located(tmp_path: Path, mosquitto: Mosquitto) -> Located:
    return Located(HubSettings(broker=Broker(port=mosquitto.port, password=HUB_PASSWORD)), tmp_path)


@pytest.fixture
def known(engine: sa.Engine) -> dict[str, bytes]:
    with engine.connect() as conn:
        return keys.message_keys(conn)


@contextmanager
def publishing(engine: sa.Engine, located: Located, sign_again_seconds: float = 3600) -> Iterator[None]:
    stop = threading.Event()
    publisher = Publisher(engine, located, Signer(engine), sign_again_seconds=sign_again_seconds)
    thread = threading.Thread(target=keep_publishing, args=(publisher, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


@pytest.fixture
def listen(mosquitto: Mosquitto) -> Iterator[Callable[[str, str], Ear]]:
    ears: list[Ear] = []

    def start(station: str, compound: str) -> Ear:
        ears.append(Ear(mosquitto.port, station, compound))
        return ears[-1]

    yield start
    for ear in ears:
        ear.close()


def test_a_station_that_listens_hears_the_directory_and_each_change(
    engine: sa.Engine, located: Located, known: dict[str, bytes], listen: Callable[[str, str], Ear]
) -> None:
    ear = listen("s1", "c1")
    with engine.begin() as conn:
        issued = passes.issue(conn, located, kind=PassKind.RESIDENT, compound="c1", name="王小明", by="t")
    with publishing(engine, located):
        first, counter = ear.directory(known)
        assert first.revocations.ids == ()
        assert {code.gate for code in first.codes.codes} == {"c1-east", "c1-west"}
        began = time.monotonic()
        with engine.begin() as conn:
            passes.revoke(conn, issued.id, "t")
        second, _ = ear.directory(known, above=counter)
        assert second.revocations.ids == (issued.id,)
        assert second.version > first.version
        assert time.monotonic() - began < 2


def test_a_station_that_comes_later_hears_what_was_retained(
    engine: sa.Engine, located: Located, known: dict[str, bytes], listen: Callable[[str, str], Ear]
) -> None:
    early = listen("s1", "c1")
    with publishing(engine, located):
        told, _ = early.directory(known)
    late, _ = listen("s2", "c1").directory(known)
    assert late == told


def test_a_new_message_key_signs_only_after_every_compound_was_told_of_it(
    engine: sa.Engine, located: Located, known: dict[str, bytes], listen: Callable[[str, str], Ear]
) -> None:
    """The overlap is an hour here: what comes meanwhile is signed with the old key, and names the new one."""
    located = msgspec.structs.replace(located, settings=HubSettings(broker=located.settings.broker, keys=Keys(overlap_hours=1)))
    ear = listen("s1", "c1")
    with engine.begin() as conn:
        new = key_lives.rotate(conn, keys.KeyUse.MESSAGES, datetime.now(UTC))
    with publishing(engine, located):
        told, counter = ear.directory(known)
        assert {key.kid for key in told.keys.messages} == {*known, new.kid}
        deadline = time.monotonic() + 10
        while waiting_keys(engine) and time.monotonic() < deadline:
            time.sleep(0.05)
        with engine.begin() as conn:
            begins = keys.require(conn, new.kid).begins
            versions.bump(conn, "c1")
        assert begins is not None
        assert timedelta(minutes=59) < begins - datetime.now(UTC) <= timedelta(hours=1)
        ear.directory(known, above=counter)


def waiting_keys(engine: sa.Engine) -> list[str]:
    with engine.connect() as conn:
        return key_lives.waiting_for_stations(conn)


def test_the_manifest_is_signed_again_while_nothing_changes(
    engine: sa.Engine, located: Located, known: dict[str, bytes], listen: Callable[[str, str], Ear]
) -> None:
    ear = listen("s1", "c1")
    with publishing(engine, located, sign_again_seconds=0.5):
        first, counter = ear.directory(known)
        again, _ = ear.directory(known, above=counter)
    assert again.version == first.version
    assert again.issued_at is not None
    assert first.issued_at is not None
    assert again.issued_at > first.issued_at


def test_a_notice_comes_and_goes_by_time_and_each_raises_the_version(
    engine: sa.Engine, located: Located, known: dict[str, bytes], listen: Callable[[str, str], Ear]
) -> None:
    ear = listen("s1", "c1")
    with publishing(engine, located):
        before, counter = ear.directory(known)
        with engine.begin() as conn:
            now = datetime.now(UTC)
            begins, ends = now + timedelta(seconds=1), now + timedelta(seconds=2)
            scope = Scope(ScopeKind.AREA, "a")
            made = notices.add(conn, zh="今晚西门关闭", scope=scope, begins=begins, ends=ends, by="t", now=now)
        shown, counter = ear.directory(known, above=counter)
        gone, _ = ear.directory(known, above=counter)
    assert [[one.id for one in told.notices.notices] for told in (before, shown, gone)] == [[], [made.id], []]
    assert (shown.version, gone.version) == (before.version + 1, before.version + 2)


def test_only_what_changed_is_sent_again(
    engine: sa.Engine, located: Located, known: dict[str, bytes], listen: Callable[[str, str], Ear]
) -> None:
    """Faces are large: a booking does not send them again, nor does a badge."""
    ear = listen("s1", "c1")
    with publishing(engine, located):
        first, counter = ear.directory(known)
        with engine.begin() as conn:
            made = bookings.add(
                conn, compound="c1", kind="removal", plate="沪A12345", opens=NOW, closes=NOW + timedelta(hours=1), by="t", now=NOW
            )
        ear.parts.clear()
        ear.next(topics.directory("c1", "manifest"))
        assert set(ear.parts) == {"sealed_bookings", "manifest"}
        with engine.begin() as conn:
            badge = passes.issue(conn, located, kind=PassKind.VOLUNTEER, compound="c1", name="李芳", by="t", pin="2468")
        ear.parts.clear()
        ear.next(topics.directory("c1", "manifest"))
        assert set(ear.parts) == {"badges", "openers", "manifest"}
    late, _ = listen("s2", "c1").directory(known, above=counter)
    content = unwrap(late.openers, "c1", badge.id, opening_key("2468", badge.token))
    assert [one.id for one in open_parts(late, "c1", content).bookings.bookings] == [made.id]
    assert (late.version, late.bookings.bookings) == (first.version + 2, ())


def connect(link: Link) -> None:
    link.start()
    deadline = time.monotonic() + 10
    while not link.connected:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_an_earlier_hub_published_in_the_clear_is_kept_by_the_broker_no_longer(
    engine: sa.Engine, located: Located, known: dict[str, bytes], listen: Callable[[str, str], Ear]
) -> None:
    before, how = Link(located, "hub-before"), topics.COMPOUND_DELIVERY
    connect(before)
    before.publish([Outgoing(topics.directory("c1", name), b'{"plain": 1}', how.qos, how.retain) for name in SEALED])
    before.stop()
    assert {name for name in SEALED if listen("s1", "c1").next(topics.directory("c1", name))} == set(SEALED)
    with publishing(engine, located):
        listen("s2", "c1").directory(known)
    later = listen("s1", "c1")
    later.directory(known)
    assert not later.parts.keys() & SEALED.keys()


def test_a_broker_that_forgot_everything_is_told_again(
    engine: sa.Engine, located: Located, known: dict[str, bytes], listen: Callable[[str, str], Ear], mosquitto: Mosquitto
) -> None:
    with publishing(engine, located):
        listen("s1", "c1").directory(known)
        mosquitto.stop(kill=True)
        (mosquitto.folder / "mosquitto.db").unlink(missing_ok=True)
        mosquitto.start()
        listen("s2", "c1").directory(known)


def test_a_station_of_another_compound_hears_nothing_of_it(
    engine: sa.Engine, located: Located, known: dict[str, bytes], listen: Callable[[str, str], Ear]
) -> None:
    stranger = listen("s3", "c1")
    own = listen("s1", "c1")
    with publishing(engine, located):
        own.directory(known)
        time.sleep(0.3)
    assert stranger.heard.empty()


def enter(engine: sa.Engine, seq: int, gate: str, outcome: Outcome, pass_id: str | None = "ab" * 16) -> None:
    """As the ingest stores it: the whole event as it came."""
    at = datetime.now(UTC)
    body = Entry(direction=Direction.IN, outcome=outcome, pass_id=pass_id)
    event = Event(seq=seq, id=f"e{seq}", at=at, boot="b", mono_ns=1, clock=Clock.SYNCED, body=body)
    with engine.begin() as conn:
        conn.execute(
            sa.insert(events).values(
                journal="j", seq=seq, id=event.id, station="s1", gate=gate, at=at, received_at=at, boot="b", mono_ns=1,
                clock="synced", kind="entry", body=encode(event).decode(),
            )
        )  # fmt: skip


def test_an_admitted_pass_is_told_to_the_compounds_other_gates_once(
    engine: sa.Engine, located: Located, known: dict[str, bytes], listen: Callable[[str, str], Ear]
) -> None:
    ear, other = listen("s1", "c1"), listen("s3", "c2")
    with publishing(engine, located):
        ear.directory(known)
        enter(engine, 1, "c1-east", Outcome.REFUSE)
        enter(engine, 2, "c1-east", Outcome.ADMIT, pass_id=None)
        enter(engine, 3, "c2-east", Outcome.ADMIT)
        enter(engine, 4, "c1-west", Outcome.ADMIT)
        data = ear.next(topics.movements("c1"))
        body, _ = open_signed(data, typ="movements", audience="compound:c1", above=0, keys=known)
        (movement,) = decode(Movements, body).movements
        assert (movement.pass_id, movement.direction, movement.gate) == ("ab" * 16, "in", "c1-west")
        assert movement.age_seconds < 5
        with pytest.raises(queue.Empty):
            ear.next(topics.movements("c1"), seconds=1)
    with pytest.raises(queue.Empty):
        other.next(topics.movements("c2"), seconds=0.1)


def test_a_refused_password_is_said_in_plain_words(
    engine: sa.Engine, mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    located = Located(HubSettings(broker=Broker(port=mosquitto.port, password="wrong")), tmp_path)
    with publishing(engine, located):
        deadline = time.monotonic() + 10
        while "refused user 'hub'" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.05)
    assert "broker.password in hub.toml" in caplog.text


def test_what_the_broker_does_not_take_is_no_success(located: Located, mosquitto: Mosquitto) -> None:
    link = Link(located, "hub-test")
    with pytest.raises(LinkDown, match="not connected"):
        link.publish([Outgoing("gatepost/v1/x", b"", 1, False)])
    link.start()
    try:
        deadline = time.monotonic() + 10
        while not link.connected and time.monotonic() < deadline:
            time.sleep(0.02)
        link.publish([Outgoing(f"gatepost/v1/x/{n}", b"", 1, False) for n in range(50)])
        with pytest.raises(Denied, match="elsewhere/x"):
            link.publish([Outgoing("gatepost/v1/x", b"", 1, False), Outgoing("elsewhere/x", b"", 1, False)])
    finally:
        link.stop()


def test_a_station_that_was_added_is_let_in_at_once(
    engine: sa.Engine, located: Located, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    broker = msgspec.structs.replace(located.settings.broker, access=str(mosquitto.folder))
    located = Located(msgspec.structs.replace(located.settings, broker=broker), tmp_path)
    (tmp_path / "pid").write_text(str(mosquitto.pid))
    kit = places.add_station(engine, located, "new-1", "c1-east", pid_file=tmp_path / "pid")
    deadline = time.monotonic() + 10
    while not _let_in(mosquitto.port, "new-1", kit.password):
        assert time.monotonic() < deadline
    assert not _let_in(mosquitto.port, "new-1", "wrong")


def _let_in(port: int, user: str, password: str) -> bool:
    said: queue.Queue[bool] = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set(user, password)
    client.on_connect = lambda c, d, flags, reason, properties: said.put(not reason.is_failure)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        return said.get(timeout=5)
    finally:
        client.disconnect()
        client.loop_stop()


def test_of_two_schedulers_the_second_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with sole_owner(lock), pytest.raises(RegistryError, match="another scheduler"), sole_owner(lock):
        pass
    with sole_owner(lock):
        pass
