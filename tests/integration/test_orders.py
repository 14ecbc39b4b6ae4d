"""Through a real broker: a command is signed, heard by its station alone, answered, and never sent once its 30 s are over."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import topics
from contract.codec import encode
from contract.events import Clock
from contract.messages import Command, CommandName, CommandReply, Vitals, decode
from contract.signing import open_signed
from contract.topics import StationTopic
from hub import orders
from hub.broker import Mosquitto
from hub.config import Broker, HubSettings, Located
from hub.ingest import Ingest
from hub.publisher import Publisher
from hub.registry import keys, places
from hub.rules.ordering import Order, OrderState, state
from hub.scheduler import keep_publishing
from hub.signer import Signer
from hub.store import migrate, open_store, tables
from kiosk.journal import Journal
from kiosk.uplink import Uplink, UplinkSettings
from tests.conftest import HUB_PASSWORD


class Station:
    """A station's side of the wire: hears its commands, and answers when told to."""

    def __init__(self, port: int, id: str, known: dict[str, bytes]) -> None:
        self.id, self._known = id, known
        self.heard: queue.Queue[MQTTMessage] = queue.Queue()
        subscribed = threading.Event()
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"station-{id}", protocol=MQTTProtocolVersion.MQTTv5)
        client.username_pw_set(id, f"{id}-secret")
        client.on_connect = lambda c, *_: c.subscribe(topics.station(id, StationTopic.COMMAND), qos=1)
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_message = lambda c, d, message: self.heard.put(message)
        client.connect("127.0.0.1", port)
        client.loop_start()
        self._client = client
        assert subscribed.wait(10)

    def next(self, seconds: float = 10) -> tuple[Command, int, int]:
        """The next command, its counter, and the seconds that it had left to live."""
        message = self.heard.get(timeout=seconds)
        body, counter = open_signed(message.payload, typ="command", audience=f"station:{self.id}", above=0, keys=self._known)
        return decode(Command, body), counter, message.properties.MessageExpiryInterval  # type: ignore[union-attr]

    def answer(self, reply: CommandReply) -> None:
        self._client.publish(topics.station(self.id, StationTopic.REPLY), encode(reply), qos=1).wait_for_publish(10)

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
        places.add_compound(conn, "c1", "小区", "c")
        places.add_gate(conn, "east", "东门", "c1")
        for id in ("s1", "s2"):
            conn.execute(sa.insert(tables.stations).values(id=id, gate="east", lane=id, added_at=datetime.now(UTC)))
    yield engine
    engine.dispose()


@pytest.fixture
def located(tmp_path: Path, mosquitto: Mosquitto) -> Located:
    return Located(HubSettings(broker=Broker(port=mosquitto.port, password=HUB_PASSWORD)), tmp_path)


@pytest.fixture
def listen(engine: sa.Engine, mosquitto: Mosquitto) -> Iterator[Callable[[str], Station]]:
    made: list[Station] = []
    with engine.connect() as conn:
        known = keys.message_keys(conn)

    def start(id: str) -> Station:
        made.append(Station(mosquitto.port, id, known))
        return made[-1]

    yield start
    for station in made:
        station.close()


@pytest.fixture
def ingest(engine: sa.Engine, located: Located) -> Iterator[Ingest]:
    running = Ingest(engine, located, Signer(engine))
    running.start()
    until(lambda: running.hears)
    yield running
    running.stop()


@contextmanager
def publishing(engine: sa.Engine, located: Located) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=keep_publishing, args=(Publisher(engine, located, Signer(engine)), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def order(engine: sa.Engine, located: Located, station: str, what: CommandName, ago: float = 0) -> Order:
    with engine.begin() as conn:
        return orders.order(conn, located, station, what, "zhou", datetime.now(UTC) - timedelta(seconds=ago))


def found(engine: sa.Engine, station: str, id: str) -> Order:
    with engine.connect() as conn:
        return next(one for one in orders.latest(conn, station, 20) if one.id == id)


def test_a_command_is_heard_by_its_station_alone_and_answered(
    engine: sa.Engine, located: Located, ingest: Ingest, listen: Callable[[str], Station]
) -> None:
    station, other = listen("s1"), listen("s2")
    with publishing(engine, located):
        asked = order(engine, located, "s1", CommandName.SELFTEST)
        command, _, left = station.next()
        assert (command.id, command.name) == (asked.id, CommandName.SELFTEST)
        assert 0 < left <= 30
        until(lambda: found(engine, "s1", asked.id).sent_at is not None)
        other.answer(CommandReply(id=asked.id, ok=False, detail="not mine to answer"))
        station.answer(CommandReply(id=asked.id, ok=True, detail="all devices answer"))
        until(lambda: found(engine, "s1", asked.id).answered_at is not None)
    kept = found(engine, "s1", asked.id)
    assert (kept.ok, kept.detail, state(kept, datetime.now(UTC))) == (True, "all devices answer", OrderState.DONE)
    assert other.heard.empty()
    with engine.connect() as conn:
        assert conn.scalars(sa.select(tables.malformed.c.reason)).all() == [f"a reply to {asked.id}: no such order"]


def test_commands_come_once_each_in_their_order_with_rising_counters(
    engine: sa.Engine, located: Located, listen: Callable[[str], Station]
) -> None:
    station = listen("s1")
    wanted = [CommandName.IDENTIFY, CommandName.SNAPSHOT, CommandName.RESTART]
    with publishing(engine, located):
        asked = [order(engine, located, "s1", what) for what in wanted]
        heard = [station.next() for _ in wanted]
        assert [command.id for command, _, _ in heard] == [one.id for one in asked]
        counters = [counter for _, counter, _ in heard]
        assert counters == sorted(set(counters))
        with pytest.raises(queue.Empty):
            station.next(seconds=1)


def test_what_is_over_is_not_sent(engine: sa.Engine, located: Located, listen: Callable[[str], Station]) -> None:
    station = listen("s1")
    late, lasting = order(engine, located, "s1", CommandName.RESTART, ago=30), order(engine, located, "s1", CommandName.IDENTIFY)
    with publishing(engine, located):
        assert station.next()[0].id == lasting.id
        with pytest.raises(queue.Empty):
            station.next(seconds=1)
    kept = found(engine, "s1", late.id)
    assert (kept.sent_at, state(kept, datetime.now(UTC))) == (None, OrderState.UNREACHED)


def test_a_station_that_comes_too_late_never_hears_it(
    engine: sa.Engine, located: Located, listen: Callable[[str], Station]
) -> None:
    """Whoever is away when a command is given isn't given it on coming back."""
    with publishing(engine, located):
        asked = order(engine, located, "s1", CommandName.RESTART)
        until(lambda: found(engine, "s1", asked.id).sent_at is not None)
        station = listen("s1")
        with pytest.raises(queue.Empty):
            station.next(seconds=1)


def test_a_command_waits_for_a_broker_that_is_away(
    engine: sa.Engine, located: Located, mosquitto: Mosquitto, listen: Callable[[str], Station]
) -> None:
    mosquitto.stop()
    with publishing(engine, located):
        asked = order(engine, located, "s1", CommandName.SELFTEST)
        time.sleep(0.5)
        assert found(engine, "s1", asked.id).sent_at is None
        mosquitto.start()
        station = listen("s1")
        assert station.next(20)[0].id == asked.id


def test_a_real_stations_uplink_obeys_once_and_is_believed(
    engine: sa.Engine, located: Located, ingest: Ingest, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    obeyed: list[CommandName] = []

    def obey(command: Command) -> CommandReply:
        obeyed.append(command.name)
        if command.name is CommandName.RESTART:
            raise RuntimeError("not today")
        return CommandReply(id=command.id, ok=True, detail="shown and said")

    def now() -> tuple[datetime, Clock, int]:
        return datetime.now(UTC), Clock.SYNCED, time.monotonic_ns()

    def vitals() -> Vitals:
        at, clock, mono_ns = now()
        return Vitals(boot="b", mono_ns=mono_ns, at=at, clock=clock, last_seq=0, backlog=0, directory_version=0)

    with engine.connect() as conn:
        settings = UplinkSettings(
            station="s1", compound="c1", host="127.0.0.1", port=mosquitto.port, username="s1", password="s1-secret",
            hub_keys=keys.message_keys(conn),
        )  # fmt: skip
    with Journal(tmp_path / "station", boot="b", clock=now) as journal:
        uplink = Uplink(journal, settings, vitals=vitals, on_directory=lambda _: None, on_movements=lambda _: None,
                        on_command=obey, on_config=lambda _: None)  # fmt: skip
        uplink.start()
        until(lambda: uplink.link.connected)
        with publishing(engine, located):
            wanted = [order(engine, located, "s1", what) for what in (CommandName.IDENTIFY, CommandName.RESTART)]
            until(lambda: all(found(engine, "s1", one.id).answered_at is not None for one in wanted))
        uplink.close()
    said = [found(engine, "s1", one.id) for one in wanted]
    assert [(one.ok, one.detail) for one in said] == [(True, "shown and said"), (False, "RuntimeError: not today")]
    assert sorted(obeyed) == ["identify", "restart"]
