"""The uplink against a real Mosquitto and a small hub: whatever breaks, every event arrives and no forged word is believed."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contract import topics
from contract.directory import Colours, Directory, Notice, Notices, make_manifest, split
from contract.events import Clock, Direction, Entry, JournalBegun, Outcome
from contract.messages import (
    Ack,
    Command,
    CommandName,
    CommandReply,
    Config,
    JournalBatch,
    Movement,
    Movements,
    Presence,
    Vitals,
    decode,
)
from contract.signing import sign
from contract.topics import StationTopic
from hub.broker import Mosquitto
from kiosk.journal import Journal
from kiosk.uplink import Uplink, UplinkSettings, load_kept_directory
from tests.conftest import HUB_PASSWORD, LOGINS

PRIVATE, STRANGER = bytes(range(32)), bytes(range(1, 33))
KEYS = {"hub-1": Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()}
ENTRY = Entry(direction=Direction.IN, outcome=Outcome.ADMIT)
DEADLINE_SECONDS = 10


def now() -> tuple[datetime, Clock, int]:
    return datetime.now(UTC), Clock.SYNCED, time.monotonic_ns()


def wait_for(what: str, condition: Callable[[], Any]) -> Any:
    """Wait until the condition holds, and return what it gave."""
    until = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.005)
    pytest.fail(f"not within {DEADLINE_SECONDS} s: {what}")


class Hub:
    """Stores what comes by (journal, seq), and then acknowledges it."""

    def __init__(self, port: int) -> None:
        self.batches: list[JournalBatch] = []
        self.stored: dict[tuple[str, int], dict[str, Any]] = {}
        self.presences: list[Presence] = []
        self.vitals: list[Vitals] = []
        self.heard: list[mqtt.MQTTMessage] = []
        self.acks: list[bytes] = []
        self.acknowledging, self.epoch, self.counters = True, "e1", itertools.count(1)
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hub", protocol=mqtt.MQTTv5)
        self.client.username_pw_set("hub", HUB_PASSWORD)
        self.client.reconnect_delay_set(1, 1)
        self.ready = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe(
            [(f, _options(qos)) for f, qos in topics.hub_subscriptions()]
        )
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_disconnect = lambda *_: self.ready.clear()
        self.client.on_message = lambda client, _, message: self.take(message)
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()

    def take(self, message: mqtt.MQTTMessage) -> None:
        channel = topics.parse(message.topic).channel
        if channel == "presence":
            self.presences.append(decode(Presence, message.payload))
        elif channel == "vitals":
            self.vitals.append(decode(Vitals, message.payload))
        elif channel == "journal":
            self.store(decode(JournalBatch, message.payload))
        else:
            self.heard.append(message)

    def store(self, batch: JournalBatch) -> None:
        self.batches.append(batch)
        fork_at = None
        for seq, raw in enumerate(batch.events, start=batch.first_seq):
            event = json.loads(bytes(raw))
            held = self.stored.setdefault((batch.journal, seq), event)
            if held["id"] != event["id"] and fork_at is None:
                fork_at = seq
        if self.acknowledging:
            self.acknowledge(batch.journal, fork_at)

    def acknowledge(self, journal: str, fork_at: int | None = None, **signed: Any) -> None:
        seqs = sorted(seq for j, seq in self.stored if j == journal)
        ack = Ack(journal=journal, store_epoch=self.epoch, upto=0, ranges=tuple((s, s) for s in seqs), fork_at=fork_at)
        self.acks.append(self.tell(topics.station("s1", StationTopic.ACK), ack, "ack", "station:s1", **signed))

    def restore(self, upto: int) -> None:
        """Back to an earlier state of the store, under a new epoch."""
        self.stored = {(j, seq): event for (j, seq), event in self.stored.items() if seq <= upto}
        self.epoch = "e2"

    def tell(self, topic: str, body: Any, typ: str, audience: str, *, retain: bool = False, **other: Any) -> bytes:
        with_ = {"kid": "hub-1", "private": PRIVATE, "counter": next(self.counters), **other}
        data = sign(body, typ=typ, audience=audience, **with_)
        self.client.publish(topic, data, qos=1, retain=retain)
        return data

    def publish_directory(self, directory: Directory, spoil: str = "", issued_at: datetime | None = None) -> None:
        manifest = make_manifest("c1", directory, issued_at or datetime.now(UTC))
        self.tell(topics.directory("c1", "manifest"), manifest, "manifest", "compound:c1", retain=True)
        for name, data in split(directory).items():
            self.client.publish(topics.directory("c1", name), data + b" " * (name == spoil), qos=1, retain=True)

    def ids(self) -> set[str]:
        return {event["id"] for event in list(self.stored.values())}

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def _options(qos: int) -> mqtt.SubscribeOptions:
    return mqtt.SubscribeOptions(qos=qos)


class Station:
    """A journal and its uplink, with what the uplink told."""

    def __init__(self, folder: Path, port: int, **changed: Any) -> None:
        self.directories: list[Directory] = []
        self.movements: list[Movements] = []
        self.commands: list[Command] = []
        self.configs: list[Config] = []
        self.journal = Journal(folder, boot="boot-1", clock=now)
        settings = UplinkSettings(
            station="s1", compound="c1", host="127.0.0.1", port=port, username="s1", password=LOGINS[0].password,
            hub_keys=KEYS, resend_seconds=0.5, vitals_seconds=60, backoff_seconds=(0.02, 0.1),
        )  # fmt: skip
        self.uplink = Uplink(
            self.journal, replace(settings, **changed), vitals=self.vitals, on_directory=self.directories.append,
            on_movements=self.movements.append, on_command=self.obey, on_config=self.configs.append,
        )  # fmt: skip
        self.uplink.start()

    def write(self, count: int = 1) -> None:
        for _ in range(count):
            self.journal.append(ENTRY)
            self.uplink.notify()

    def ids(self) -> set[str]:
        return {event.id for event in self.journal.all_events()}

    def vitals(self) -> Vitals:
        at, clock, mono_ns = now()
        return Vitals(
            boot="boot-1", mono_ns=mono_ns, at=at, clock=clock, last_seq=self.journal.last_seq, backlog=self.journal.backlog(),
            directory_version=0,
        )  # fmt: skip

    def obey(self, command: Command) -> CommandReply:
        self.commands.append(command)
        if command.name is CommandName.RESTART:
            raise RuntimeError("no")
        return CommandReply(id=command.id, ok=True)

    def close(self) -> None:
        self.uplink.close()
        self.journal.close()


@pytest.fixture
def hub(mosquitto: Mosquitto) -> Iterator[Hub]:
    made = Hub(mosquitto.port)
    wait_for("the hub listens", made.ready.is_set)
    yield made
    made.close()


@pytest.fixture
def station(mosquitto: Mosquitto, hub: Hub, tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path / "station", mosquitto.port)
    wait_for("connected", lambda: made.uplink.link.connected)
    yield made
    made.close()


def all_there(station: Station, hub: Hub) -> Callable[[], bool]:
    return lambda: station.journal.backlog() == 0 and station.ids() <= hub.ids()


class TestDelivery:
    def test_live_events_arrive_at_once_and_are_acknowledged(self, station: Station, hub: Hub) -> None:
        wait_for("the first event is acknowledged", all_there(station, hub))
        began = time.monotonic()
        station.write()
        batch = wait_for("a live batch", lambda: next((b for b in hub.batches if b.live), None))
        assert time.monotonic() - began < 0.5
        assert (batch.first_seq, batch.boot, len(batch.events)) == (2, "boot-1", 1)
        wait_for("acknowledged", all_there(station, hub))

    def test_a_backlog_is_delivered_once_a_broker_appears(self, tmp_path: Path) -> None:
        broker = Mosquitto(tmp_path / "broker", HUB_PASSWORD, LOGINS)
        station = Station(tmp_path / "station", broker.port)
        hub = Hub(broker.port)
        try:
            station.write(500)
            wait_for("said that there is none", lambda: "no broker at 127.0.0.1" in station.uplink.link.detail)
            with broker:
                wait_for("all delivered", all_there(station, hub))
                assert {b.live for b in hub.batches if b.first_seq <= 500} == {False}
                assert max(len(b.events) for b in hub.batches) == 50
                station.close()
                hub.close()
        finally:
            station.close()
            hub.close()

    def test_a_broker_killed_and_wiped_loses_nothing(self, station: Station, hub: Hub, mosquitto: Mosquitto) -> None:
        hub.acknowledging = False
        station.write(30)
        wait_for("some have arrived", lambda: len(hub.stored) > 10)
        mosquitto.stop(kill=True)
        for left in mosquitto.folder.glob("mosquitto.db*"):
            left.unlink()
        station.write(30)
        wait_for("noticed", lambda: not station.uplink.link.connected)
        hub.acknowledging = True
        mosquitto.start()
        station.write(30)
        wait_for("all delivered", all_there(station, hub))
        assert station.journal.last_seq == 91 == len(hub.stored)

    def test_what_nobody_acknowledges_is_sent_again(self, station: Station, hub: Hub) -> None:
        wait_for("acknowledged", all_there(station, hub))
        hub.acknowledging = False
        station.write()
        wait_for("sent again", lambda: sum(b.first_seq <= 2 < b.first_seq + len(b.events) for b in hub.batches) > 2)
        assert station.journal.backlog() == 1
        hub.acknowledging = True
        wait_for("acknowledged", all_there(station, hub))
        assert len(hub.stored) == 2

    def test_a_restart_goes_on_where_it_was(self, station: Station, hub: Hub, mosquitto: Mosquitto, tmp_path: Path) -> None:
        wait_for("acknowledged", all_there(station, hub))
        hub.acknowledging = False
        station.write(20)
        station.close()
        hub.restore(upto=1)
        hub.epoch = "e1"
        hub.acknowledging = True
        again = Station(tmp_path / "station", mosquitto.port)
        wait_for("all delivered", all_there(again, hub))
        again.close()

    def test_an_event_that_cant_be_read_is_sent_as_it_is(self, station: Station, hub: Hub) -> None:
        station.uplink.cut()
        wait_for("cut", lambda: not station.uplink.link.connected)
        station.write(3)
        station.journal._db.execute("UPDATE journal SET body = 'no JSON {' WHERE seq = 3")
        station.uplink.restore()
        wait_for("all delivered", all_there(station, hub))
        assert hub.stored[station.journal.id, 3]["body"] == "no JSON {"


class TestAcknowledgement:
    """Only a signed, new word of the hub counts."""

    @pytest.mark.parametrize(
        "wrong",
        [{"private": STRANGER}, {"kid": "stranger", "private": STRANGER}, {"audience": "station:s2"}, {"typ": "command"}],
        ids=["forged", "unknown key", "for another", "of another type"],
    )
    def test_a_wrong_one_is_refused(self, station: Station, hub: Hub, wrong: dict[str, Any]) -> None:
        wait_for("acknowledged", all_there(station, hub))
        hub.acknowledging = False
        station.write()
        wait_for("sent", lambda: len(hub.stored) == 2)
        body = Ack(journal=station.journal.id, store_epoch="e1", upto=2)
        hub.tell(topics.station("s1", StationTopic.ACK), body, **{"typ": "ack", "audience": "station:s1", **wrong})
        self._after_another_message(station, hub)
        assert station.journal.backlog() == 1

    def test_an_old_one_is_refused(self, station: Station, hub: Hub) -> None:
        wait_for("acknowledged", all_there(station, hub))
        hub.restore(upto=0)
        hub.acknowledging = False
        hub.acknowledge(station.journal.id)
        wait_for("all is to send again", lambda: station.journal.backlog() == 1)
        hub.client.publish(topics.station("s1", StationTopic.ACK), hub.acks[0], qos=1)
        self._after_another_message(station, hub)
        assert station.journal.backlog() == 1

    @pytest.mark.parametrize("rubbish", [b"", b"\xff" * 100, b"{}", b"a.b.c", b"[" * 100_000])
    def test_rubbish_stops_nothing(self, station: Station, hub: Hub, rubbish: bytes) -> None:
        for topic, _ in topics.station_subscriptions("s1", "c1"):
            hub.client.publish(topic.replace("+", "manifest"), rubbish, qos=1)
            hub.client.publish(topic.replace("+", "colours"), rubbish, qos=1)
        station.write()
        wait_for("acknowledged", all_there(station, hub))

    def test_a_store_set_back_gets_everything_again(self, station: Station, hub: Hub) -> None:
        station.write(20)
        wait_for("acknowledged", all_there(station, hub))
        hub.restore(upto=5)
        assert len(hub.stored) == 5
        hub.acknowledge(station.journal.id)
        wait_for("all there again", lambda: len(hub.stored) == 21 and station.journal.backlog() == 0)

    def test_a_fork_goes_on_under_a_new_journal(self, station: Station, hub: Hub) -> None:
        wait_for("acknowledged", all_there(station, hub))
        old, birth = station.journal.id, hub.presences[-1].birth
        hub.stored[old, 3] = {"id": "an event of the card's other life"}
        station.write(4)
        wait_for("forked and delivered", lambda: station.journal.id != old and all_there(station, hub)())
        first, *others = station.journal.all_events()
        assert first.body == JournalBegun(reason="fork", previous=old, previous_seq=2)
        assert others[-1].body == ENTRY
        news = wait_for("the new journal is announced", lambda: [p for p in hub.presences if p.journal == station.journal.id])
        assert news[0].birth == birth

    def test_a_hub_that_has_more_than_was_written_makes_it_fork(self, station: Station, hub: Hub) -> None:
        wait_for("acknowledged", all_there(station, hub))
        old = station.journal.id
        hub.stored[old, 2] = {"id": "lost with the card's last seconds"}
        hub.acknowledge(old)
        wait_for("forked", lambda: station.journal.id != old)
        station.write()
        wait_for("delivered", all_there(station, hub))

    def _after_another_message(self, station: Station, hub: Hub) -> None:
        """Messages of one publisher keep their order, so when this one has been taken, so has the one before it."""
        count = len(station.movements) + 1
        hub.tell(topics.movements("c1"), Movements(compound="c1"), "movements", "compound:c1")
        wait_for("the next message", lambda: len(station.movements) == count)


class TestDirectory:
    FIRST = Directory(version=3, notices=Notices(notices=(Notice(id="n1", zh="今日停水"),)))

    def test_it_is_put_together_and_is_there_after_a_restart(self, station: Station, hub: Hub, tmp_path: Path) -> None:
        hub.publish_directory(self.FIRST)
        got = wait_for("a directory", lambda: station.directories)[0]
        assert msgspec.structs.replace(got, issued_at=None) == self.FIRST
        station.close()
        with Journal(tmp_path / "station", boot="boot-2", clock=now) as journal:
            assert load_kept_directory(journal) == got

    def test_signed_again_it_is_only_fresher(self, station: Station, hub: Hub) -> None:
        hub.publish_directory(self.FIRST, issued_at=datetime(2026, 3, 1, tzinfo=UTC))
        wait_for("a directory", lambda: station.directories)
        manifest = make_manifest("c1", self.FIRST, datetime(2026, 3, 2, tzinfo=UTC))
        hub.tell(topics.directory("c1", "manifest"), manifest, "manifest", "compound:c1", retain=True)
        wait_for("signed again", lambda: len(station.directories) == 2)
        assert station.directories[1] == msgspec.structs.replace(station.directories[0], issued_at=manifest.issued_at)

    def test_a_part_that_is_not_the_one_named_is_refused(self, station: Station, hub: Hub) -> None:
        hub.publish_directory(self.FIRST, spoil="keys")
        newer = msgspec.structs.replace(self.FIRST, version=4, colours=Colours(default="amber"))
        hub.publish_directory(newer)
        wait_for("a directory", lambda: station.directories)
        assert [d.version for d in station.directories] == [4]

    def test_an_older_one_is_refused(self, station: Station, hub: Hub) -> None:
        hub.publish_directory(self.FIRST)
        wait_for("a directory", lambda: station.directories)
        hub.publish_directory(Directory(version=2))
        hub.publish_directory(Directory(version=4))
        wait_for("the newer one", lambda: len(station.directories) == 2)
        assert [d.version for d in station.directories] == [3, 4]

    def test_it_is_not_told_again_with_each_connection(self, station: Station, hub: Hub) -> None:
        hub.publish_directory(self.FIRST)
        wait_for("a directory", lambda: station.directories)
        station.uplink.cut()
        wait_for("cut", lambda: not station.uplink.link.connected)
        station.uplink.restore()
        hub.publish_directory(Directory(version=4))
        wait_for("the newer one", lambda: station.directories[-1].version == 4)
        assert len(station.directories) == 2

    def test_it_arrives_while_it_was_away(self, station: Station, hub: Hub) -> None:
        station.uplink.cut()
        wait_for("cut", lambda: not station.uplink.link.connected)
        hub.publish_directory(self.FIRST)
        station.uplink.restore()
        wait_for("a directory", lambda: station.directories)


class TestOtherWords:
    def test_movements_and_settings(self, station: Station, hub: Hub) -> None:
        moved = Movements(compound="c1", movements=(Movement(pass_id="0" * 32, direction="in", gate="west", age_seconds=2),))
        hub.tell(topics.movements("c1"), moved, "movements", "compound:c1")
        config = Config(id="one", settings={"volume": 3})
        hub.tell(topics.station("s1", StationTopic.CONFIG), config, "config", "station:s1", retain=True)
        wait_for("both", lambda: station.movements == [moved] and station.configs == [config])

    @pytest.mark.parametrize(("name", "ok"), [(CommandName.IDENTIFY, True), (CommandName.RESTART, False)])
    def test_a_command_is_answered_and_never_done_twice(self, station: Station, hub: Hub, name: CommandName, ok: bool) -> None:
        topic = topics.station("s1", StationTopic.COMMAND)
        data = sign(Command(id="c-1", name=name), typ="command", audience="station:s1", counter=9, kid="hub-1", private=PRIVATE)
        properties = Properties(PacketTypes.PUBLISH)
        properties.CorrelationData, properties.MessageExpiryInterval = b"77", 30
        for _ in range(2):
            hub.client.publish(topic, data, qos=1, properties=properties)
        reply = wait_for("a reply", lambda: hub.heard)[0]
        assert decode(CommandReply, reply.payload).ok is ok
        assert reply.properties.CorrelationData == b"77"
        station.write()
        wait_for("acknowledged", all_there(station, hub))
        assert len(station.commands) == 1 == len(hub.heard)

    def test_a_photo_waits_for_the_network(self, station: Station, hub: Hub) -> None:
        station.uplink.cut()
        wait_for("cut", lambda: not station.uplink.link.connected)
        for sha in ("a" * 64, "b" * 64):
            station.uplink.send_photo(sha, b"sealed " + sha.encode())
        station.uplink.restore()
        wait_for("both photos", lambda: len(hub.heard) == 2 and not station.journal.kept_under("photo:"))
        assert {topics.parse(m.topic).rest: m.payload for m in hub.heard}["b" * 64] == b"sealed " + b"b" * 64

    def test_vitals_come_at_once_and_when_asked_for(self, station: Station, hub: Hub) -> None:
        wait_for("the first", lambda: len(hub.vitals) == 1)
        station.uplink.notify_vitals()
        wait_for("the second", lambda: len(hub.vitals) == 2)


class TestLink:
    def test_birth_and_death(self, station: Station, hub: Hub) -> None:
        birth = wait_for("a birth", lambda: hub.presences)[0]
        assert birth.online
        assert (birth.boot, birth.journal) == ("boot-1", station.journal.id)
        station.close()
        wait_for("a goodbye", lambda: len(hub.presences) == 2)
        assert (hub.presences[1].online, hub.presences[1].birth) == (False, birth.birth)

    def test_a_broken_socket_brings_the_will_and_then_a_new_birth(self, station: Station, hub: Hub) -> None:
        birth = wait_for("a birth", lambda: hub.presences)[0]
        station.uplink.cut()
        will = wait_for("the will", lambda: hub.presences[1:])[0]
        assert (will.online, will.birth) == (False, birth.birth)
        wait_for("said so", lambda: station.uplink.link.detail == "cut off, until it is restored")
        station.write(3)
        station.uplink.restore()
        wait_for("delivered", all_there(station, hub))
        again = hub.presences[2]
        assert again.online
        assert again.birth != birth.birth
        assert station.uplink.link.detail == "connected"

    def test_a_refused_password_is_said_in_plain_words(self, mosquitto: Mosquitto, tmp_path: Path) -> None:
        station = Station(tmp_path / "station", mosquitto.port, password="wrong")
        wait_for("said", lambda: station.uplink.link.detail.startswith("the broker refuses this station's password: "))
        assert not station.uplink.link.connected
        station.close()

    def test_a_publish_that_the_acl_denies_is_said_and_sent_again(self, mosquitto: Mosquitto, hub: Hub, tmp_path: Path) -> None:
        hub.acknowledging = False  # so that it is sent again should it slip through before the ACL is read
        allowed = (mosquitto.folder / "acl").read_text()
        (mosquitto.folder / "acl").write_text(allowed.replace("topic write gatepost/v1/station/s1/journal\n", ""))
        mosquitto.reload()
        station = Station(tmp_path / "station", mosquitto.port)
        wait_for("said", lambda: "refuses what this station sends (journal)" in station.uplink.link.detail)
        assert station.journal.backlog() == 1
        hub.acknowledging = True
        (mosquitto.folder / "acl").write_text(allowed)
        mosquitto.reload()
        wait_for("delivered", all_there(station, hub))
        wait_for("all is well", lambda: station.uplink.link.detail == "connected")
        station.close()

    def test_two_with_one_name_hinder_each_other_and_lose_nothing(
        self, station: Station, hub: Hub, mosquitto: Mosquitto, tmp_path: Path
    ) -> None:
        clone = Station(tmp_path / "clone", mosquitto.port)
        station.write(20)
        clone.write(20)
        wait_for("all delivered", lambda: all_there(station, hub)() and all_there(clone, hub)())
        clone.close()
