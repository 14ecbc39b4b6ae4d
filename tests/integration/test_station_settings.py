"""Through a real broker: what is set at an area takes effect at its station and is confirmed; it waits for one that is away."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from contract.events import Clock, SettingsChanged
from contract.messages import CommandReply
from hub.broker import Mosquitto
from hub.config import Broker, HubSettings, Located, Web
from hub.ingest import Ingest
from hub.publisher import Publisher
from hub.registry import accounts, keys, places
from hub.rights import Role
from hub.scheduler import keep_publishing
from hub.signer import Signer
from hub.store import migrate, open_store, tables
from hub.web import create_app
from kiosk.inputs import ChangeSettings, ConfigArrived, Now, OpenSettings
from kiosk.journal import Journal
from kiosk.loop import Loop
from kiosk.setup import Setup
from kiosk.uplink import Uplink, UplinkSettings
from tests.conftest import HUB_PASSWORD


class Kiosk:
    """A station's journal, heart and uplink, without its devices."""

    def __init__(self, folder: Path, port: int, known: dict[str, bytes]) -> None:
        self.journal = Journal(folder, boot="b", clock=lambda: (datetime.now(UTC), Clock.SYNCED, time.monotonic_ns()))
        setup = Setup(
            station="s1", gate="east", gate_name="东门", compound="c1", compound_name="小区", settings_pin="x",
            timezone=_daytime(),
        )  # fmt: skip
        self.loop = Loop(
            setup, self.journal, seal=lambda _: None, check_pin=lambda _: True, take_photo=lambda _: None, say=lambda _: None,
            raise_barrier=lambda: None, self_test=tuple, shut_down=lambda: None, on_committed=lambda: self.uplink.notify(),
            clock=lambda: Now(datetime.now(UTC), time.monotonic_ns(), True),
        )  # fmt: skip
        wire = UplinkSettings(
            station="s1", compound="c1", host="127.0.0.1", port=port, username="s1", password="s1-secret", hub_keys=known,
            backoff_seconds=(0.05, 0.2),
        )  # fmt: skip
        self.uplink = Uplink(
            self.journal, wire, vitals=self.loop.vitals, on_directory=lambda _: None, on_movements=lambda _: None,
            on_command=lambda asked: CommandReply(id=asked.id, ok=True),
            on_config=lambda config: self.loop.post(ConfigArrived(config)),
        )  # fmt: skip

    @property
    def loudness(self) -> int:
        return self.loop.snapshot().loudness

    def answers(self) -> int:
        """How often it has taken up the hub's word."""
        return sum(isinstance(one.body, SettingsChanged) and one.body.config is not None for one in self.journal.all_events())

    def __enter__(self) -> "Kiosk":
        self.loop.start()
        self.uplink.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.uplink.close()
        self.loop.close()
        self.journal.close()


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
        conn.execute(sa.insert(tables.stations).values(id="s1", gate="east", lane="1", added_at=datetime.now(UTC)))
        accounts.add_account(conn, "zhou", "周督查", Role.SUPERVISOR, "a long password")
    yield engine
    engine.dispose()


@pytest.fixture
def located(tmp_path: Path, mosquitto: Mosquitto) -> Located:
    broker = Broker(port=mosquitto.port, password=HUB_PASSWORD)
    return Located(HubSettings(broker=broker, web=Web(secure_cookies=False)), tmp_path)


@pytest.fixture
def hub(engine: sa.Engine, located: Located) -> Iterator[FlaskClient]:
    """A hub that hears and sends; its pages, signed in."""
    ingest = Ingest(engine, located, Signer(engine))
    ingest.start()
    client = create_app(located, engine).test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = "1 zhou", True
    with publishing(engine, located):
        until(lambda: ingest.hears)
        yield client
    ingest.stop()


@pytest.fixture
def start(engine: sa.Engine, mosquitto: Mosquitto, tmp_path: Path) -> Callable[[], Kiosk]:
    with engine.connect() as conn:
        known = keys.message_keys(conn)
    return lambda: Kiosk(tmp_path / "station", mosquitto.port, known)


def _daytime() -> timezone:
    """A zone in which it is about noon: at night a station is quieter than it was set."""
    return timezone(timedelta(hours=12 - datetime.now(UTC).hour))


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


def put(client: FlaskClient, at: str, name: str, value: str) -> None:
    page = client.get("/settings/stations").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    sent = {"csrf_token": token[1], "at": at, "value": value, "act": "set"}
    assert client.post(f"/settings/stations/{name}", data=sent).status_code == 303


def state(client: FlaskClient) -> str:
    """What the page of the gate says of its station."""
    found = re.search(r'data-station="s1" data-state="([a-z]+)"', client.get("/settings/stations?at=gate:east").text)
    assert found
    return found[1]


def test_ok__set_at_the_area_in_force_at_the_station_and_confirmed(hub: FlaskClient, start: Callable[[], Kiosk]) -> None:
    with start() as kiosk:
        until(lambda: kiosk.uplink.link.connected)
        put(hub, "area:a", "loudness", "60")
        until(lambda: kiosk.loudness == 60)
        until(lambda: state(hub) == "confirmed")
        put(hub, "area:a", "brightness", "50")
        until(lambda: kiosk.loop.snapshot().brightness == 50)
        assert kiosk.loudness == 60


def test_ok__a_station_that_was_away_has_it_on_its_return__and_keeps_what_was_set_there(
    hub: FlaskClient, start: Callable[[], Kiosk], mosquitto: Mosquitto
) -> None:
    put(hub, "area:a", "loudness", "60")
    until(lambda: state(hub) == "sent")
    with start() as kiosk:
        until(lambda: kiosk.loudness == 60)
        until(lambda: state(hub) == "confirmed")
        kiosk.loop.post(OpenSettings(pin="1"))
        until(lambda: kiosk.loop.snapshot().settings is not None)
        kiosk.loop.post(ChangeSettings(loudness=90))
        until(lambda: kiosk.loudness == 90)
        until(lambda: "现场改为：音量 90%" in hub.get("/settings/stations?at=gate:east").text)
        mosquitto.stop()
        until(lambda: not kiosk.uplink.link.connected)
        mosquitto.start()  # and it has forgotten everything
        until(lambda: kiosk.uplink.link.connected)
        put(hub, "area:a", "brightness", "50")
        until(lambda: kiosk.loop.snapshot().brightness == 50)
        assert (kiosk.loudness, kiosk.answers()) == (90, 2)
    with start() as kiosk:
        until(lambda: kiosk.uplink.link.connected)
        assert (kiosk.loudness, kiosk.loop.snapshot().brightness) == (90, 50)
        put(hub, "gate:east", "loudness", "70")
        until(lambda: kiosk.loudness == 70)
        assert kiosk.answers() == 3
        until(lambda: state(hub) == "confirmed")
