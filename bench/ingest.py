"""Events per second that the ingest stores, at 1 and 20 a message, against a bare paho subscriber that only counts.

mosquitto_pub sends the same messages to both, one after the other, through a real Mosquitto.
"""

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as mqtt
import sqlalchemy as sa

from bench.table import Row, share_row
from contract import topics
from contract.codec import encode
from contract.events import Clock, Direction, Entry, Event, Outcome
from contract.messages import JournalBatch, raw_events
from contract.topics import StationTopic
from hub.broker import Login, Mosquitto
from hub.config import Broker, HubSettings, Located, Store
from hub.ingest import Ingest
from hub.registry import keys, places
from hub.signer import Signer
from hub.store import migrate, open_store
from hub.store.tables import events

MESSAGES = {1: 6000, 20: 2000}
"""Events a message → messages sent."""
_PASSWORD, _STATION = "bench", "s1"


def run() -> list[Row]:
    """One row a size of message."""
    rows = []
    for size, count in MESSAGES.items():
        bare, ours = _measured(size, count, _bare), _measured(size, count, _ingest)
        note = f"ours {ours:.0f}/s, bare counting subscriber {bare:.0f}/s"
        rows.append(share_row(f"ingest, events stored per second at {size} a message", ours, bare, None, note))
    return rows


def _measured(size: int, count: int, receiver: Callable[[Path, int, int, threading.Event], float]) -> float:
    """Events a second from the first message sent to the last event received or stored."""
    with (
        tempfile.TemporaryDirectory(dir="var") as folder,
        Mosquitto(Path(folder) / "mosquitto", _PASSWORD, [Login(_STATION, "c1", _PASSWORD)]) as broker,
    ):
        ready = threading.Event()
        sender = threading.Thread(target=lambda: (ready.wait(), publish(broker.port, size, count)))
        sender.start()
        seconds = receiver(Path(folder), broker.port, size * count, ready)
        sender.join()
    return size * count / seconds


def publish(port: int, size: int, count: int) -> None:
    """Send `count` batches of `size` events each as fast as the broker takes them (mosquitto_pub, a line a message)."""
    lines = b"\n".join(_batch(1 + n * size, size) for n in range(count))
    base = ["mosquitto_pub", "-V", "5", "-p", str(port), "-u", _STATION, "-P", _PASSWORD, "-q", "1", "-l"]
    subprocess.run([*base, "-t", topics.station(_STATION, StationTopic.JOURNAL)], input=lines, check=True, timeout=120)


def _batch(first: int, size: int) -> bytes:
    at, body = datetime.now(UTC), Entry(direction=Direction.IN, outcome=Outcome.ADMIT, reasons=("normal",), pass_kind="resident")
    made = tuple(
        Event(seq=seq, id=f"{seq:032x}", at=at, boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
        for seq in range(first, first + size)
    )
    return encode(JournalBatch(journal="bench", boot="b", mono_ns=first + size, first_seq=first, events=raw_events(made)))


def _bare(folder: Path, port: int, total: int, ready: threading.Event) -> float:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.username_pw_set("hub", _PASSWORD)
    times: list[float] = []
    done = threading.Event()
    per_message = [0]

    def count(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        times.append(time.perf_counter())
        per_message[0] = per_message[0] or message.payload.count(b'"seq"')
        if len(times) * per_message[0] >= total:
            done.set()

    client.on_message = count
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.subscribe([(topic, 1) for topic, _ in topics.hub_subscriptions()])
    client.loop_start()
    done.wait(timeout=120)
    client.disconnect()
    client.loop_stop()
    return times[-1] - times[0]


def _ingest(folder: Path, port: int, total: int, ready: threading.Event) -> float:
    located = Located(HubSettings(broker=Broker(port=port, password=_PASSWORD), store=Store(url="sqlite:///hub.db")), folder)
    engine = open_store(located.store_url)
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        places.add_area(conn, "a1", "a")
        places.add_committee(conn, "k1", "k", "a1")
        places.add_compound(conn, "c1", "c", "k1")
        places.add_gate(conn, "g1", "g", "c1")
    places.add_station(engine, located, _STATION, "g1")
    ingest = Ingest(engine, located, Signer(engine))
    ingest.start()
    while not ingest.hears:
        time.sleep(0.01)
    ready.set()
    begun = None
    while (stored := _stored(engine)) < total:
        begun = begun or (time.perf_counter() if stored else None)
        time.sleep(0.01)
    ended = time.perf_counter()
    ingest.stop()
    engine.dispose()
    return ended - (begun or ended)


def _stored(engine: sa.Engine) -> int:
    """How far the one journal is stored; it is sent in order, so its highest number is its count."""
    with engine.connect() as conn:
        return conn.scalar(sa.select(sa.func.max(events.c.seq)).where(events.c.journal == "bench")) or 0
