"""A station that is not ours: `mosquitto_pub`, `mosquitto_sub`, its own credentials, and the golden vectors alone."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from contract.messages import Ack, decode
from contract.signing import open_signed
from hub.broker import Mosquitto
from hub.config import Broker, HubSettings, Located, Store
from hub.ingest import Ingest
from hub.registry import keys, places
from hub.signer import Signer
from hub.store import migrate, open_store
from hub.store.tables import events, evidence, stations
from tests.conftest import HUB_PASSWORD

VECTORS = Path(__file__).parents[2] / "docs" / "contract" / "vectors" / "messages.json"
MESSAGES = {one["name"]: one for one in json.loads(VECTORS.read_text(encoding="utf-8"))}

pytestmark = pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="mosquitto-clients is not installed")


@pytest.fixture
def hub(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[sa.Engine]:
    """A running ingest whose registry knows station s1 of compound c1."""
    broker = Broker(port=mosquitto.port, password=HUB_PASSWORD)
    located = Located(HubSettings(broker=broker, store=Store(url=f"sqlite:///{tmp_path}/hub.db")), tmp_path)
    engine = open_store(located.store_url)
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        places.add_area(conn, "a1", "北片区")
        places.add_committee(conn, "k1", "虹梅居委", "a1")
        places.add_compound(conn, "c1", "虹梅小区", "k1")
        places.add_gate(conn, "g1", "东门", "c1")
    places.add_station(engine, located, "s1", "g1")
    ingest = Ingest(engine, located, Signer(engine))
    ingest.start()
    yield engine
    ingest.stop()
    engine.dispose()


def publish(port: int, name: str) -> None:
    """Say one golden vector, byte for byte."""
    said = MESSAGES[name]
    command = [
        "mosquitto_pub",
        "-V",
        "5",
        "-p",
        str(port),
        "-u",
        "s1",
        "-P",
        "s1-secret",
        "-q",
        str(said["qos"]),
        "-t",
        said["topic"],
    ]
    subprocess.run([*command, "-s"], input=said["payload"].encode(), check=True, timeout=30)


def test_what_a_foreign_station_says_is_stored_and_acknowledged(hub: sa.Engine, mosquitto: Mosquitto) -> None:
    listen = [
        "mosquitto_sub",
        "-V",
        "5",
        "-p",
        str(mosquitto.port),
        "-u",
        "s1",
        "-P",
        "s1-secret",
        "-q",
        "1",
        "-C",
        "1",
        "-W",
        "40",
    ]
    with subprocess.Popen([*listen, "-t", "gatepost/v1/station/s1/ack"], stdout=subprocess.PIPE) as heard:
        for name in ("presence_birth", "vitals", "journal"):
            publish(mosquitto.port, name)
        while heard.poll() is None and not stored(hub):
            heard_later(heard)
        publish(mosquitto.port, "journal")  # said twice, since nobody may know whether the listener was there the first time
        answer = heard.communicate(timeout=60)[0].strip()
    with hub.connect() as conn:
        body, _ = open_signed(answer, typ="ack", audience="station:s1", above=0, keys=keys.message_keys(conn))
        ids = conn.scalars(sa.select(events.c.id).where(events.c.station == "s1")).all()
        known = conn.scalars(sa.select(evidence.c.item).where(evidence.c.station == "s1")).all()
    sent = json.loads(MESSAGES["journal"]["payload"])
    ack = decode(Ack, body)
    assert (ack.journal, ack.upto) == (sent["journal"], sent["first_seq"] + len(sent["events"]) - 1)
    assert sorted(ids) == sorted(event["id"] for event in sent["events"])
    assert known


def test_a_foreign_station_hears_nothing_of_another_and_can_say_nothing_as_another(hub: sa.Engine, mosquitto: Mosquitto) -> None:
    base = ["-V", "5", "-p", str(mosquitto.port), "-u", "s3", "-P", "s3-secret", "-q", "1"]
    said = subprocess.run(
        ["mosquitto_pub", *base, "-t", "gatepost/v1/station/s1/journal", "-s"], input=MESSAGES["journal"]["payload"].encode(),
        capture_output=True, timeout=30,
    )  # fmt: skip
    assert b"ot authorized" in said.stderr + said.stdout or said.returncode != 0
    with hub.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(events)) == 0
        assert conn.scalar(sa.select(sa.func.count()).select_from(stations)) == 1


def stored(engine: sa.Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(events)) or 0


def heard_later(process: subprocess.Popen[bytes]) -> None:
    """Wait a little for the process; it is asked again by the caller's loop."""
    try:
        process.wait(timeout=0.1)
    except subprocess.TimeoutExpired:
        pass
