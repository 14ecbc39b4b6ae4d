"""A real Mosquitto with the appliance's configuration: who may do what there, how a station is cut off, how one is renewed."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from contract.events import Clock
from contract.messages import INSTALLED, Command, CommandReply, Vitals
from contract.topics import StationTopic, station
from hub import renewing
from hub.cutting import end_now
from hub.ingest import Ingest
from hub.publisher import Publisher
from hub.registry import access, cut_offs, keys, station_certificates
from hub.registry.access import grant_access
from hub.registry.cutting_off import cut_off
from hub.registry.kit import KIOSK, keyed_kit, write_kit_folder
from hub.scheduler import keep_publishing
from hub.signer import Signer
from hub.store import tables
from hub.store.writing import writing
from kiosk.config import load
from kiosk.credentials import RENEWED, Credentials, credentials_of
from kiosk.journal import Journal
from kiosk.uplink import Uplink, UplinkSettings
from tests.integration.access_table import (
    KEPT_OUT,
    LET_IN,
    PLACES,
    Actor,
    Gate,
    is_let_in,
    key_pem,
    make_key,
    request_for,
    violations,
)

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with Gate(tmp_path_factory.mktemp("gate") / "hub") as running:
        (running.root / "pid").write_text(str(running.pid))
        yield running


@pytest.fixture(scope="module")
def found(gate: Gate) -> list[str]:
    return violations(gate)


@pytest.mark.parametrize("actor", [*LET_IN, *KEPT_OUT])
def test_the_broker_keeps_to_the_table(found: list[str], actor: str) -> None:
    assert [one for one in found if one.split()[0] == actor] == []


def test_the_table_is_whole(found: list[str]) -> None:
    assert found == []


@pytest.mark.parametrize(
    ("left_out", "seen"),
    [
        (("acl_file",), "s1 publishes to gatepost/v1/station/s2/journal: taken, and should be refused"),
        (("crlfile",), "revoked (a certificate that was revoked) is let in"),
        (("tls_version",), "tls12 (a good certificate by TLS 1.2) is let in"),
        (("use_identity_as_username",), "s1 is not let in"),
    ],
)
def test_the_table_notices__a_broker_without(tmp_path: Path, left_out: tuple[str, ...], seen: str) -> None:
    with Gate(tmp_path / "hub", without=left_out) as broken:
        assert seen in violations(broken)


class Kiosk:
    """A station's uplink with its own certificate, and its answers to the hub as the program gives them."""

    def __init__(self, gate: Gate, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        (folder / "data").mkdir(parents=True)
        given = gate.root / f"{name}.pem"
        self.credentials = Credentials(name, folder / "data", gate.root / "ca.pem", given, given)
        self._journal = Journal(folder / "data", boot="b1", clock=now)
        with gate.engine.connect() as conn:
            known = keys.message_keys(conn)
        settings = UplinkSettings(
            station=name, compound=PLACES[name], host="localhost", port=gate.tls_port, username="", password="", hub_keys=known,
            ca_file=gate.root / "ca.pem", credentials=self.credentials, backoff_seconds=(0.05, 0.1),
        )  # fmt: skip
        self.uplink = Uplink(
            self._journal, settings, vitals=vitals, on_directory=lambda one: None, on_movements=lambda one: None,
            on_command=self._answer, on_config=lambda one: None,
        )  # fmt: skip

    def _answer(self, command: Command) -> CommandReply:
        ok, detail = self.credentials.obey(command)
        if detail == INSTALLED:
            answering = threading.current_thread()
            threading.Thread(target=self._anew, args=(answering,), daemon=True).start()
        return CommandReply(id=command.id, ok=ok, detail=detail)

    def _anew(self, answering: threading.Thread) -> None:
        answering.join()
        self.uplink.connect_anew("connecting with a new certificate")

    def __enter__(self) -> "Kiosk":
        self.uplink.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.uplink.close()
        self._journal.close()


def now() -> tuple[datetime, Clock, int]:
    return datetime.now(UTC), Clock.SYNCED, time.monotonic_ns()


def vitals() -> Vitals:
    return Vitals(
        boot="b1",
        mono_ns=time.monotonic_ns(),
        at=datetime.now(UTC),
        clock=Clock.SYNCED,
        last_seq=0,
        backlog=0,
        directory_version=0,
    )


def until(true: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def hub(gate: Gate) -> Iterator[None]:
    """The ingest and the publisher."""
    stop, ingest = threading.Event(), Ingest(gate.engine, gate.located, Signer(gate.engine))
    publisher = Publisher(gate.engine, gate.located, Signer(gate.engine))
    thread = threading.Thread(target=keep_publishing, args=(publisher, stop))
    ingest.start()
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        ingest.stop()


def reload_by(gate: Gate) -> Path:
    return gate.root / "pid"


def fresh(gate: Gate, name: str, age: timedelta = timedelta(0)) -> str:
    """A new certificate of a station, given to it so long ago; the broker knows."""
    with writing(gate.engine) as conn:
        station_certificates.revoke(conn, name, "test", "replaced", datetime.now(UTC))
        key = make_key()
        made = station_certificates.sign(conn, name, request_for(key), datetime.now(UTC) - age)
        path = gate.root / f"{name}.pem"
        path.unlink(missing_ok=True)
        path.write_text(key_pem(key) + made.pem)
        path.chmod(0o600)
        access.grant_access(conn, gate.located, reload_by(gate))
    return made.serial


def test_a_station_is_cut_off_in_one_action(gate: Gate, tmp_path: Path) -> None:
    with Kiosk(gate, tmp_path, "s2") as kiosk, hub(gate):
        until(lambda: kiosk.uplink.link.connected)
        listener = Actor(gate, "hub")
        listener.subscribe(station("s2", StationTopic.PRESENCE))
        until(lambda: listener.told.heard)
        with writing(gate.engine) as conn:
            cut_off(conn, gate.located, "s2", "zhou", "stolen", datetime.now(UTC), pid_file=reload_by(gate))
        until(lambda: _cut(gate, "s2").ended_at is not None)
        until(lambda: "revoked" in kiosk.uplink.link.detail)
        assert not is_let_in(gate, "s2")
        listener.wait(lambda: (station("s2", StationTopic.PRESENCE), b"") in listener.told.heard)
        assert [payload for _, payload in listener.told.heard if b'"online":false' in payload] == []
        listener.close()
    later = Actor(gate, "hub")
    later.subscribe(station("s2", StationTopic.PRESENCE), station("s2", StationTopic.CONFIG), "gatepost/v1/compound/c1/#")
    assert later.wait(lambda: later.told.heard)
    assert [topic for topic, _ in later.told.heard if "/station/" in topic] == []
    later.close()
    with gate.engine.connect() as conn:
        row = conn.execute(sa.select(tables.stations.c.in_service).where(tables.stations.c.id == "s2")).one()
        assert (row.in_service, conn.scalars(sa.select(tables.malformed.c.reason)).all()) == (False, [])


def test_cut_off_again_is_harmless__and_a_new_kit_lets_in(gate: Gate, tmp_path: Path) -> None:
    fresh(gate, "s3")
    for reason in ("stolen", "stolen again"):
        with writing(gate.engine) as conn:
            cut_off(conn, gate.located, "s3", "zhou", reason, datetime.now(UTC), pid_file=reload_by(gate))
        if not end_now(gate.engine, gate.located, "s3"):  # of two signals in a row a broker may hear one
            with writing(gate.engine) as conn:
                grant_access(conn, gate.located, reload_by(gate))
            assert end_now(gate.engine, gate.located, "s3")
        assert _cut(gate, "s3").reason == "stolen"
    with writing(gate.engine) as conn:
        kit = keyed_kit(conn, gate.located, "s3", datetime.now(UTC), by="zhou")
        write_kit_folder(kit, tmp_path / "kit")
        access.grant_access(conn, gate.located, reload_by(gate))
    credentials = credentials_of(load(tmp_path / "kit" / KIOSK))
    assert credentials is not None
    (gate.root / "s3.pem").write_text(kit.key + kit.certificate)
    until(lambda: is_let_in(gate, "s3"))
    assert credentials.context().verify_mode is ssl.CERT_REQUIRED


def test_a_revoked_station_can_not_take_up_its_tls_session_again(gate: Gate) -> None:
    fresh(gate, "s1")
    context = ssl.create_default_context(cafile=gate.root / "ca.pem")
    context.load_cert_chain(gate.root / "s1.pem")
    connect = bytes.fromhex("100f00044d5154540502003c000002") + b"s1"
    answer, ticket = talk(gate, context, connect, None)
    assert answer[:1] == b"\x20"
    with writing(gate.engine) as conn:
        station_certificates.revoke(conn, "s1", "test", "stolen", datetime.now(UTC))
        access.grant_access(conn, gate.located, reload_by(gate))
    until(lambda: not is_let_in(gate, "s1"))
    assert talk(gate, context, connect, ticket)[0] == b""
    fresh(gate, "s1")


def talk(gate: Gate, context: ssl.SSLContext, data: bytes, session: ssl.SSLSession | None) -> tuple[bytes, ssl.SSLSession | None]:
    """What a broker answers to bytes over TLS, and what its TLS session can be taken up by; nothing when it breaks off."""
    with socket.create_connection(("localhost", gate.tls_port), timeout=5) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as wrapped:
                wrapped.sendall(data)
                return wrapped.recv(100), wrapped.session
        except (ssl.SSLError, ConnectionError):
            return b"", None


def test_a_certificate_is_renewed_with_nobody_there(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "SOON", timedelta(0))
    old = fresh(gate, "s1", age=timedelta(days=61))
    with Kiosk(gate, tmp_path, "s1") as kiosk, hub(gate):
        until(lambda: kiosk.uplink.link.connected)
        until(lambda: _renewed(gate, old))
        assert (tmp_path / "data" / RENEWED).stat().st_mode & 0o777 == 0o600
    with gate.engine.connect() as conn:
        (standing,) = station_certificates.standing(conn, "s1")
    assert standing.not_after > datetime.now(UTC) + timedelta(days=80)
    gate.reload()
    until(lambda: not is_let_in(gate, "s1"))  # by the pair of before


def _renewed(gate: Gate, old: str) -> bool:
    """One look of the chore; whether the certificate of before is revoked."""
    renewing.renew(gate.engine, gate.located, datetime.now(UTC))
    with gate.engine.connect() as conn:
        return all(one.serial != old for one in station_certificates.standing(conn, "s1"))


def _cut(gate: Gate, name: str) -> cut_offs.CutOff:
    with gate.engine.connect() as conn:
        return cut_offs.cut_offs(conn)[name]
