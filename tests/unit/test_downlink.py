"""What arrives at a station: ten thousand spoilt payloads on every topic change nothing, and the next good one counts."""

import json
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract import topics
from contract.directory import Directory, Keys, make_manifest, split
from contract.events import Clock, HelpCalled
from contract.messages import Ack, Command, CommandName, CommandReply, Config, Movements
from contract.signing import sign
from contract.topics import StationTopic
from kiosk.connection import Arrived, UplinkSettings
from kiosk.downlink import Downlink, Listeners
from kiosk.journal import Journal
from tests.golden import make

VECTORS = Path(__file__).parents[2] / "docs" / "contract" / "vectors" / "messages.json"
TOPICS = [topics.station("s1", c) for c in (StationTopic.ACK, StationTopic.CONFIG, StationTopic.COMMAND)] + [
    topics.movements("c1"), *(topics.directory("c1", part) for part in ("manifest", "keys", "revocations", "badges", "surprise")),
    "gatepost/v1/station/s1/nonsense", "gatepost/v2/station/s1/ack", "", "#",
]  # fmt: skip
OTHER = os.urandom(32)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    clock = lambda: (datetime.now(UTC), Clock.SYNCED, time.monotonic_ns())  # noqa: E731
    with Journal(tmp_path, boot="boot-1", clock=clock) as made:
        made.append(HelpCalled(), HelpCalled())
        yield made


class Told:
    """Whoever is told what."""

    def __init__(self, journal: Journal) -> None:
        self.heard: list[object] = []
        listeners = Listeners(self.heard.append, self.heard.append, self._obey, self.heard.append)
        settings = UplinkSettings("s1", "c1", "127.0.0.1", 1, "s1", "x", hub_keys={"hub": make.public("hub")})
        self.downlink = Downlink(journal, settings, listeners, answer=self.heard.append)

    def take(self, topic: str, payload: bytes) -> None:
        self.downlink.take(Arrived(topic, payload))

    def _obey(self, command: Command) -> CommandReply:
        self.heard.append(command)
        return CommandReply(id=command.id, ok=True)


def forged(chance: random.Random, journal: str) -> bytes:
    """A message that says all the right things, signed by somebody else under the hub's name."""
    bodies = [
        (Ack(journal=journal, store_epoch="e", upto=3), "ack", "station:s1"),
        (Movements(compound="c1"), "movements", "compound:c1"),
        (Command(id="c", name=CommandName.OPEN_BARRIER), "command", "station:s1"),
        (Config(id="one", settings={"a": 1}), "config", "station:s1"),
        (make_manifest("c1", Directory(version=9), make.AT), "manifest", "compound:c1"),
    ]  # fmt: skip
    body, typ, audience = chance.choice(bodies)
    return sign(body, typ=typ, audience=audience, counter=10**15, kid="hub", private=OTHER)


def spoilt(chance: random.Random, good: list[bytes], journal: str) -> bytes:
    match chance.randrange(8):
        case 0:
            return forged(chance, journal)
        case 1 | 2:
            return chance.randbytes(chance.randrange(120))
        case _:
            data = bytearray(chance.choice(good))
            for _ in range(chance.randrange(1, 5)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            return bytes(data[: chance.randrange(1, len(data) + 1)])


def test_ten_thousand_spoilt_payloads_change_nothing(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    told, chance = Told(journal), random.Random(7)
    good = [one["payload"].encode() for one in json.loads(VECTORS.read_text(encoding="utf-8"))]
    for _ in range(10_000):
        told.take(chance.choice(TOPICS), spoilt(chance, good, journal.id))
    assert told.heard == []
    assert journal.backlog() == 3
    assert 0 < len(caplog.records) < 200  # said once of each kind, not ten thousand times
    told.take(topics.station("s1", StationTopic.ACK), ack(journal, counter=1))
    assert journal.backlog() == 0


def test_an_old_acknowledgement_sent_again_is_refused(journal: Journal) -> None:
    told, topic = Told(journal), topics.station("s1", StationTopic.ACK)
    old = ack(journal, counter=1)
    told.take(topic, old)
    told.take(topic, sign(Ack(journal=journal.id, store_epoch="e2", upto=0), **hub("ack", "station:s1", 2)))
    assert journal.backlog() == 3  # the hub was restored and has nothing
    told.take(topic, old)
    assert journal.backlog() == 3


def test_a_message_for_another_station_is_refused(journal: Journal) -> None:
    told = Told(journal)
    said = sign(Ack(journal=journal.id, store_epoch="e", upto=3), **hub("ack", "station:s2", 1))
    told.take(topics.station("s1", StationTopic.ACK), said)
    assert journal.backlog() == 3


def test_a_directory_counts_once_all_its_parts_are_there_unaltered(journal: Journal) -> None:
    told, directory = Told(journal), Directory(version=4, keys=Keys(sealing_kid="x"))
    manifest = sign(make_manifest("c1", directory, make.AT), **hub("manifest", "compound:c1", 1))
    told.take(topics.directory("c1", "manifest"), manifest)
    for name, data in split(directory).items():
        assert told.heard == []
        told.take(topics.directory("c1", name), data + b" ")
        told.take(topics.directory("c1", name), data)
    assert [one.version for one in told.heard if isinstance(one, Directory)] == [4]


def ack(journal: Journal, counter: int) -> bytes:
    return sign(Ack(journal=journal.id, store_epoch="e", upto=journal.last_seq), **hub("ack", "station:s1", counter))


def hub(typ: str, audience: str, counter: int) -> dict[str, object]:
    """How the hub signs."""
    return {"typ": typ, "audience": audience, "counter": counter, "kid": "hub", "private": make.PRIVATE["hub"]}
