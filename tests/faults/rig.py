"""The whole of it for one fault: a real Mosquitto, a real ingest on a real SQLite file, real stations; each ended by its id."""

import itertools
import random
import shutil
import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from contract.certifying import KeyUse
from hub.broker import Mosquitto
from hub.config import Located, load
from hub.publisher import Publisher
from hub.registry import access, keys, places
from hub.registry.kit import make_kit
from hub.signer import Signer
from hub.store import migrate
from hub.vault import open_hub, vault_of
from tests.faults.gate import Gate, Issuer
from tests.faults.processes import Program, Variant

COMPOUND = "c1"
_PASSWORD = "hub-secret"
_PORTS = range(20_000, 30_000)
"""Below those that the kernel gives to outgoing connections: a port must still be free when a killed program comes back."""
_DEVICES = """
[camera]
source = "none"
[thermometer]
driver = "none"
[voice]
on = false
[[hand_scanners]]
device = "emulated:world"
direction = "out"
"""


def quiet_port() -> int:
    """A free port of 127.0.0.1 that no outgoing connection will take."""
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


class NotInTime(AssertionError):
    """What was waited for did not come about: the row can't be made."""


def until(what: str, true: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition. Raises `NotInTime`."""
    ends = time.monotonic() + seconds
    while not true():
        if time.monotonic() > ends:
            raise NotInTime(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


class Rig:
    """Hub, broker and gates in one folder. `broker_port` is what stations connect to, `hub_port` what the hub does."""

    settle_seconds = 120.0
    """How long `settle` gives everything to arrive."""

    def __init__(self, folder: Path, stations: Sequence[str], *, hub_folder: Path | None = None) -> None:
        self.folder, self.stations = folder, tuple(stations)
        self.hub_folder = hub_folder or folder / "hub"
        self.hub_folder.mkdir(parents=True, exist_ok=True)
        self.port = self.broker_port = self.hub_port = quiet_port()
        self.gates: dict[str, Gate] = {}
        self.located = self._configure()
        self.engine = self._make_store()
        with self.engine.begin() as conn:
            logins = access.logins(conn)
            key = keys.current(conn, KeyUse.PASSES)
            self._issuer = Issuer(COMPOUND, key.kid, key.private)
        self.broker = Mosquitto(folder / "mosquitto", _PASSWORD, logins, self.port)
        self.ingest = Program("ingest", self.hub_folder / "hub.toml", folder / "ingest.log")

    @property
    def store(self) -> Path:
        """The hub's SQLite file."""
        return self.hub_folder / "hub.db"

    def connect_through(self, *, stations: int | None = None, hub: int | None = None) -> None:
        """Have the stations, or the hub, connect to another port than the broker's. Before anything is started."""
        self.broker_port, self.hub_port = stations or self.broker_port, hub or self.hub_port
        self.located = self._configure()

    def gate(
        self, station: str, *, name: str = "", more: str = "", variants: Sequence[Variant] = (), folder: Path | None = None
    ) -> Gate:
        """A gate of a station, its program not started; `name`: another than the station's, where it has a second card."""
        place, screen = folder or self.folder / (name or station), quiet_port()
        place.mkdir(parents=True, exist_ok=True)
        with self.engine.connect() as conn:
            kit = make_kit(conn, self.located, station).config
        kit = kit.replace(f"\nport = {self.hub_port}\n", f"\nport = {self.broker_port}\n")
        kit = kit.replace("[screen]\n", f"[screen]\nport = {screen}\n")
        clock = "" if "clock =" in more else 'clock = "trusted"\n'
        (place / "kiosk.toml").write_text(clock + more + kit + _DEVICES, encoding="utf-8")
        gate = self.gates[name or station] = Gate(place, screen, station, self._issuer, tuple(variants))
        return gate

    def open_gates(self, **options: object) -> list[Gate]:
        """A gate for each station, running, watched, with the directory; the hub listens before that."""
        until("the hub listens", lambda: self.query("SELECT 1 FROM meta WHERE key = 'regained_at'"))
        gates = [self.gate(station, **options) for station in self.stations]  # type: ignore[arg-type]
        for gate in gates:
            gate.program.start()
            gate.watch()
        self.publish_directory()
        return gates

    def publish_directory(self) -> None:
        """Have the hub's own publisher put the directory on the broker, and wait until every station has said that it has it."""
        publisher = Publisher(self.engine, self.located, Signer(self.engine))
        publisher.start()
        try:
            until("the directory is published", lambda: publisher.step(datetime.now(UTC)) and bool(publisher._sent))
        finally:
            publisher.stop()
        heard = "SELECT count(DISTINCT station) FROM events WHERE kind = 'directory'"
        until("the stations have the directory", lambda: self.query(heard)[0][0] >= len(self.stations))

    def query(self, text: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        """Ask the hub's store."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=30)) as db:
            return db.execute(text, values).fetchall()

    def settle(self, seconds: float | None = None) -> bool:
        """Wait until every gate that runs has nothing left to send and the hub has all that was confirmed; False: it has not."""
        ends = time.monotonic() + (self.settle_seconds if seconds is None else seconds)
        while time.monotonic() < ends:
            if all(self._has_all(gate) for gate in self.gates.values()):
                return True
            time.sleep(0.1)
        return False

    def close(self) -> None:
        """End everything."""
        for gate in self.gates.values():
            gate.close()
        self.ingest.kill()
        self.broker.stop(kill=True)
        self.engine.dispose()

    def _has_all(self, gate: Gate) -> bool:
        if gate.program.running and not (gate.up.is_set() and gate.seen is not None and gate.seen.backlog == 0):
            return False
        wanted = set(gate.ledger.confirmed)
        there = {row[0] for row in self.query("SELECT id FROM events WHERE station = ? AND kind = 'entry'", gate.ledger.station)}
        return wanted <= there

    def _configure(self) -> Located:
        path = self.hub_folder / "hub.toml"
        path.write_text(f"[broker]\nport = {self.hub_port}\npassword = '{_PASSWORD}'\n", encoding="utf-8")
        return load(path)

    def _make_store(self) -> sa.Engine:
        vault_of(self.located).make_secret()
        engine = open_hub(self.located)
        migrate(engine)
        with engine.begin() as conn:
            keys.ensure_keys(conn)
            places.add_area(conn, "a1", "北片区")
            places.add_committee(conn, "k1", "虹梅居委", "a1")
            places.add_compound(conn, COMPOUND, "虹梅小区", "k1")
            for station in self.stations:
                places.add_gate(conn, f"g-{station}", f"{station}门", COMPOUND)
        for station in self.stations:
            places.add_station(engine, self.located, station, f"g-{station}")
        return engine


@contextmanager
def rig(stations: int = 1, *, hub_folder: Path | None = None) -> Iterator[Rig]:
    """A rig in a folder of its own, below var/ and so on the disk; its broker and ingest not started.

    When the row can't be made the folder is left there, with every program's log.
    """
    Path("var").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir="var")).resolve()
    made = Rig(folder, [f"s{n}" for n in itertools.islice(itertools.count(1), stations)], hub_folder=hub_folder)
    try:
        yield made
    except Exception as error:
        error.add_note(f"left in {folder}")
        raise
    else:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        made.close()
