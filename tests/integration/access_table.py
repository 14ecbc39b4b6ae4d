"""Who may do what at the broker, as a table, and a look at a running one that says where it does otherwise.

`violations(broker)` is empty where the broker keeps to the table; it is run against the configuration that the appliance ships
and the files that the hub writes, and against broken ones, to see that it would notice.
"""

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import topics
from contract.topics import StationTopic
from hub.broker import Mosquitto, free_port
from hub.config import Broker, HubSettings, Located, Stations
from hub.registry import access, keys, places, station_certificates
from hub.store import migrate, open_store
from hub.store.tables import stations

SYSTEMD = Path(__file__).parents[2] / "systemd"
PASSWORD = "hub-secret"
SECONDS = 10.0
NOW = datetime.now(UTC)
PLACES = {"s1": "c1", "s2": "c1", "s3": "c2"}
"""Station → its compound."""
SHA = "5f" * 32
PARTS = ("manifest", "roster")


# The table.


def _own(station: str) -> tuple[frozenset[str], frozenset[str]]:
    """What a station may publish to, and what it may hear."""
    up = (StationTopic.PRESENCE, StationTopic.JOURNAL, StationTopic.VITALS, StationTopic.REPLY)
    down = (StationTopic.ACK, StationTopic.CONFIG, StationTopic.COMMAND)
    shared = {*(topics.directory(PLACES[station], part) for part in PARTS), topics.movements(PLACES[station])}
    says = frozenset({*(topics.station(station, c) for c in up), topics.station(station, StationTopic.BLOB, SHA)})
    return says, frozenset({*(topics.station(station, c) for c in down), *shared})


TOPICS = sorted(
    {
        *(topics.station(s, c, SHA if c is StationTopic.BLOB else "") for s in PLACES for c in StationTopic),
        *(topics.directory(c, part) for c in ("c1", "c2") for part in PARTS),
        *(topics.movements(c) for c in ("c1", "c2")),
        "gatepost/v1/station/hub/presence", "gatepost/v1/other", "gatepost/access/mark", "other",
    }
)  # fmt: skip
LET_IN = ("hub", "s1", "s2", "s3")
KEPT_OUT = {
    "revoked": "a certificate that was revoked", "other_authority": "one by another authority, in the name of s1",
    "server": "the broker's own certificate", "hub_by_certificate": "a certificate by another authority in the name of the hub",
    "none": "no certificate", "password": "the hub's password and no certificate", "tls12": "a good certificate by TLS 1.2",
    "plain": "no TLS where TLS is asked for", "anonymous": "nobody, on loopback", "wrong_password": "the hub by a wrong one",
    "station_by_password": "s1 on loopback, by the password that the store holds",
}  # fmt: skip
"""Who does not even get a connection."""


def may_publish(actor: str, topic: str) -> bool:
    """What the table says."""
    return topic.startswith(f"{topics.ROOT}/") if actor == "hub" else topic in _own(actor)[0]


def may_hear(actor: str, topic: str) -> bool:
    """What the table says; the hub hears everything of Gatepost."""
    return topic.startswith(f"{topics.ROOT}/") if actor == "hub" else topic in _own(actor)[1]


# A broker with everything that the table needs.


def make_key() -> ec.EllipticCurvePrivateKey:
    """A key such as a station makes."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """As a file holds it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def request_for(key: ec.EllipticCurvePrivateKey, name: str = "whoever") -> str:
    """A certificate request in PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


class Stranger:
    """An authority that is not the hub's own for stations: the broker's, or somebody's."""

    def __init__(self, name: str) -> None:
        self.key, self._name = make_key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._build(self._name, self.key.public_key(), x509.BasicConstraints(ca=True, path_length=0), [])

    @property
    def pem(self) -> str:
        """Its own certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def leaf(self, name: str, *, server: bool = False) -> str:
        """Key and certificate of a name, in one PEM."""
        key = make_key()
        use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        more: list[x509.ExtensionType] = [x509.ExtendedKeyUsage([use])]
        more += [x509.SubjectAlternativeName([x509.DNSName("localhost")])] if server else []
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._build(subject, key.public_key(), x509.BasicConstraints(ca=False, path_length=None), more)
        return key_pem(key) + made.public_bytes(Encoding.PEM).decode()

    def _build(self, subject: x509.Name, public: Any, kind: x509.BasicConstraints, more: list[Any]) -> x509.Certificate:
        builder = x509.CertificateBuilder().issuer_name(self._name).subject_name(subject).public_key(public)
        builder = builder.serial_number(x509.random_serial_number()).add_extension(kind, critical=True)
        builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=30))
        for extension in more:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.key, SHA256())


class Gate(Mosquitto):
    """The broker of the appliance: its own two configuration files, the hub's own access files, other ports and folders."""

    def __init__(self, folder: Path, *, without: tuple[str, ...] = ()) -> None:
        """`without`: lines of the configuration that begin so are left out, to see what comes of that."""
        self.tls_port, self._without, self.port = free_port(), without, free_port()
        self.folder, self._process = folder / "mosquitto", None
        self.folder.mkdir(parents=True)
        self.root, self.broker_authority, self.stranger = folder, Stranger("broker"), Stranger("stranger")
        self.engine = open_store(f"sqlite:///{folder / 'hub.db'}")
        broker = Broker(port=self.port, password=PASSWORD, access="mosquitto")
        reached = Stations(host="localhost", port=self.tls_port, ca_file="ca.pem")
        self.located = Located(HubSettings(broker=broker, stations=reached), folder)
        self._make_files()
        (self.folder / "mosquitto.conf").write_text(self._configuration(), encoding="utf-8")

    def _make_files(self) -> None:
        (self.root / "ca.pem").write_text(self.broker_authority.pem)
        (self.root / "broker.pem").write_text(self.broker_authority.leaf("localhost", server=True))
        (self.root / "other_authority.pem").write_text(self.stranger.leaf("s1"))
        (self.root / "hub_by_certificate.pem").write_text(self.stranger.leaf("hub"))
        migrate(self.engine)
        with self.engine.begin() as conn:
            furnish(conn, self.located)
            for station in (*PLACES, "revoked"):
                self.certify(conn, station)
            station_certificates.revoke(conn, "revoked", "test", "stolen", NOW)
            access.grant_access(conn, self.located)

    def stored_password(self, station: str) -> str:
        """What the store holds of a station; over TLS it opens nothing."""
        with self.engine.connect() as conn:
            return str(conn.scalar(sa.select(stations.c.password).where(stations.c.id == station)))

    def certify(self, conn: sa.Connection, station: str) -> str:
        """A certificate of a station, with its key in one file; returns its serial number."""
        key = make_key()
        made = station_certificates.sign(conn, station, request_for(key), datetime.now(UTC))
        path = self.root / f"{station}.pem"
        path.write_text(key_pem(key) + made.pem)
        path.chmod(0o600)
        return made.serial

    def _configuration(self) -> str:
        text = "".join((SYSTEMD / "etc" / name).read_text() for name in ("mosquitto.conf", "mosquitto-tls.conf"))
        for said, here in {
            "listener 1883 127.0.0.1": f"listener {self.port} 127.0.0.1", "listener 8883": f"listener {self.tls_port} 127.0.0.1",
            "/var/lib/gatepost/hub/mosquitto": str(self.folder), "/etc/gatepost/tls/broker.pem": str(self.root / "broker.pem"),
            "/etc/gatepost/tls/broker.key": str(self.root / "broker.pem"), "include_dir /etc/gatepost/mosquitto.d": "",
        }.items():  # fmt: skip
            assert said in text, said
            text = text.replace(said, here)
        kept = [line for line in text.splitlines() if not line.startswith(self._without or "\0")]
        return "\n".join([*kept, "user root", ""])

    def stop(self, kill: bool = False) -> None:
        super().stop(kill)
        self.engine.dispose()


def furnish(conn: sa.Connection, located: Located) -> None:
    """Two compounds, their stations, and one whose certificate gets revoked."""
    keys.ensure_keys(conn)
    places.add_area(conn, "a", "片区")
    places.add_committee(conn, "k", "居委", "a")
    for compound in ("c1", "c2"):
        places.add_compound(conn, compound, "小区", "k")
        places.add_gate(conn, f"{compound}-east", "东门", compound)
    for lane, (station, compound) in enumerate({**PLACES, "revoked": "c1"}.items()):
        places.enrol_station(conn, located, station, f"{compound}-east", str(lane))


# A client that notes what it is told.


@dataclass
class Told:
    """What a broker said to one client."""

    let_in: bool | None = None
    publishes: dict[int, bool] = field(default_factory=dict)
    """Message id → whether it was taken."""
    subscriptions: dict[int, bool] = field(default_factory=dict)
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    ended: str = ""


class Actor:
    """One client; every wait is for something that is said, none is for a time."""

    def __init__(self, gate: Gate, actor: str, client_id: str | None = None, session: ssl.SSLSession | None = None) -> None:
        self.name, self.told, self._changed = actor, Told(), threading.Condition()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id or f"test-{actor}", protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )  # fmt: skip
        self._client.on_connect = lambda c, u, f, reason, p: self._note(let_in=not reason.is_failure)
        self._client.on_disconnect = lambda c, u, f, reason, p: self._note(let_in=self.told.let_in or False, ended=str(reason))
        self._client.on_publish = lambda c, u, mid, reason, p: self._put(self.told.publishes, mid, not reason.is_failure)
        self._client.on_subscribe = lambda c, u, mid, reasons, p: self._put(
            self.told.subscriptions, mid, not any(reason.is_failure for reason in reasons)
        )
        self._client.on_message = lambda c, u, message: self._hear(message.topic, bytes(message.payload))
        port = self._identify(gate, actor)
        try:
            self._client.connect("localhost" if port == gate.tls_port else "127.0.0.1", port)
        except (OSError, ValueError):
            self._note(let_in=False)
            return
        self._client.loop_start()
        self.wait(lambda: self.told.let_in is not None)

    def _identify(self, gate: Gate, actor: str) -> int:
        """Give what this actor has; returns the port that it goes to."""
        if actor in ("hub", "wrong_password", "station_by_password", "anonymous", "plain"):
            if actor == "station_by_password":
                self._client.username_pw_set("s1", gate.stored_password("s1"))
            elif actor != "anonymous":
                self._client.username_pw_set("hub", "wrong" if actor == "wrong_password" else PASSWORD)
            return gate.tls_port if actor == "plain" else gate.port
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(gate.root / "ca.pem")
        if actor == "tls12":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if actor == "password":
            self._client.username_pw_set("hub", PASSWORD)
        files = {"tls12": "s1", "server": "broker"}
        if actor not in ("none", "password"):
            context.load_cert_chain(gate.root / f"{files.get(actor, actor)}.pem")
        self._client.tls_set_context(context)
        return gate.tls_port

    def _note(self, **said: Any) -> None:
        with self._changed:
            for name, value in said.items():
                setattr(self.told, name, value)
            self._changed.notify_all()

    def _put(self, where: dict[int, bool], mid: int, good: bool) -> None:
        with self._changed:
            where[mid] = good
            self._changed.notify_all()

    def _hear(self, topic: str, payload: bytes) -> None:
        with self._changed:
            self.told.heard.append((topic, payload))
            self._changed.notify_all()

    def wait(self, condition: Any, seconds: float = SECONDS) -> bool:
        """Until something is so; False when it does not become so in time."""
        with self._changed:
            return bool(self._changed.wait_for(condition, seconds))

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> bool:
        """Whether the broker took it."""
        mid = self._client.publish(topic, payload, 1, retain).mid
        self.wait(lambda: mid in self.told.publishes or self.told.ended)
        taken = self.told.publishes.get(mid, False)
        if not taken:
            self.wait(lambda: bool(self.told.ended), 0.05)
        return taken

    def subscribe(self, *filters: str) -> bool:
        """Whether the broker said that it would send all of these."""
        _, mid = self._client.subscribe([(one, 1) for one in filters])  # type: ignore[arg-type]
        assert mid is not None
        self.wait(lambda: mid in self.told.subscriptions or self.told.ended)
        return self.told.subscriptions.get(mid, False)

    def close(self) -> None:
        """End the connection."""
        self._client.disconnect()
        self._client.loop_stop()


# Looking.

_numbers = count(1)


def violations(gate: Gate) -> list[str]:
    """Where a broker does otherwise than the table says, each in words."""
    found = [f"{actor} ({KEPT_OUT[actor]}) is let in" for actor in KEPT_OUT if is_let_in(gate, actor)]
    shut = [f"{actor} is not let in" for actor in LET_IN if not is_let_in(gate, actor)]
    return [*found, *shut] if shut else [*found, *_hearing(gate), *_publishing(gate)]


def is_let_in(gate: Gate, actor: str) -> bool:
    """Whether the broker takes an actor in now."""
    one = Actor(gate, actor)
    try:
        return bool(one.told.let_in)
    finally:
        one.close()


def _hearing(gate: Gate) -> list[str]:
    """The hub publishes to each topic of Gatepost: who asked for everything hears its own, and the hub all."""
    speaker, listeners = Actor(gate, "hub", "test-speaker"), [Actor(gate, actor) for actor in LET_IN]
    try:
        for one in listeners:
            one.subscribe("#", "$SYS/#")  # Mosquitto grants it, and then brings only what one may hear
        for topic in TOPICS:
            if may_publish("hub", topic):
                speaker.publish(topic, b"to whom it concerns")
        return [said for one in listeners for said in _heard_otherwise(speaker, one)]
    finally:
        for one in (speaker, *listeners):
            one.close()


def _heard_otherwise(speaker: "Actor", one: "Actor") -> Iterator[str]:
    _settle(speaker, one)
    heard = {topic for topic, payload in one.told.heard}
    should = {topic for topic in TOPICS if may_publish("hub", topic) and may_hear(one.name, topic)}
    yield from (f"{one.name} hears {topic}" for topic in sorted(heard - should))
    yield from (f"{one.name} does not hear {topic}" for topic in sorted(should - heard))


def _publishing(gate: Gate) -> list[str]:
    """Each publishes to each topic: the broker's answer, and what the hub heard of it."""
    hub = Actor(gate, "hub")
    try:
        hub.subscribe("#")
        return [said for actor in LET_IN for said in _published_otherwise(gate, hub, actor)]
    finally:
        hub.close()


def _published_otherwise(gate: Gate, hub: "Actor", actor: str) -> Iterator[str]:
    one, refused = Actor(gate, actor, "test-speaker"), set()
    for topic in TOPICS:
        if one.told.ended:  # Mosquitto 2.0 ends the connection of who publishes what it may not, where queues have no limit
            one.close()
            one = Actor(gate, actor, "test-speaker")
        payload = f"{next(_numbers)}".encode()
        said, should = ("taken" if one.publish(topic, payload) else "refused"), may_publish(actor, topic)
        if said != ("taken" if should else "refused"):
            yield f"{actor} publishes to {topic}: {said}, and should be {'taken' if should else 'refused'}"
        if not should:
            refused.add((topic, payload))
    one.close()
    speaker = Actor(gate, "hub", "test-speaker")
    _settle(speaker, hub)
    speaker.close()
    yield from (f"what {actor} published to {topic} was delivered" for topic, _ in sorted(refused & set(hub.told.heard)))


def _settle(speaker: "Actor", one: "Actor") -> None:
    """Wait until a client has what was sent before: the broker keeps the order, so what comes last says so."""
    last = next(topic for topic in TOPICS if may_publish("hub", topic) and may_hear(one.name, topic))
    payload = f"last {next(_numbers)}".encode()
    speaker.publish(last, payload)
    one.wait(lambda: (last, payload) in one.told.heard)
