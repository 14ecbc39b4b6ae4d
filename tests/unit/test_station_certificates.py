"""Certificates of stations: what the hub signs, for how long, what it revokes, and what a station makes of a new one."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contract.messages import IN_USE, INSTALLED
from hub import orders, renewing
from hub.config import Broker, HubSettings, Located, Stations
from hub.registry import access, authority, cut_offs, keys, places, station_certificates
from hub.registry.cutting_off import cut_off
from hub.registry.errors import RegistryError
from hub.registry.kit import certified_kit, make_kit
from hub.store import migrate, open_store, tables
from hub.vault import open_hub, vault_of
from kiosk import credentials as kiosk_credentials
from kiosk.credentials import BEFORE, NEXT, RENEWED, BadCredentials, Credentials, plain_words

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
Key = ec.EllipticCurvePrivateKey | Ed25519PrivateKey | rsa.RSAPrivateKey


def request(key: Key, name: str = "hub") -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, None if isinstance(key, Ed25519PrivateKey) else SHA256()).public_bytes(Encoding.PEM).decode()


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def located(tmp_path: Path) -> Located:
    (tmp_path / "ca.pem").write_text(_self_signed())
    broker, stations = Broker(password="x", access="mosquitto"), Stations(host="hub.example.org", ca_file="ca.pem")
    return Located(HubSettings(broker=broker, stations=stations), tmp_path)


@pytest.fixture
def conn(located: Located) -> Iterator[sa.Connection]:
    vault_of(located).make_secret()
    migrate(open_store(located.store_url))
    engine = open_hub(located)
    with engine.begin() as connection:
        keys.ensure_keys(connection)
        places.add_area(connection, "a", "片区")
        places.add_committee(connection, "k", "居委", "a")
        places.add_compound(connection, "c1", "小区", "k")
        places.add_gate(connection, "east", "东门", "c1")
        for station in ("s1", "s2"):
            row = {"id": station, "gate": "east", "lane": station, "password": "x", "added_at": NOW}
            connection.execute(sa.insert(tables.stations).values(**row))
        yield connection
    engine.dispose()


def _self_signed() -> str:
    key, name = p256(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=9)).sign(key, SHA256())
    return made.public_bytes(Encoding.PEM).decode()


class TestSigning:
    @pytest.mark.parametrize("key", [p256(), Ed25519PrivateKey.generate()])
    def test_a_certificate_says_whose_key_it_is__and_nothing_of_the_request(self, conn: sa.Connection, key: Key) -> None:
        made = station_certificates.sign(conn, "s1", request(key), NOW)
        certificate = x509.load_pem_x509_certificate(made.pem.encode())
        assert certificate.public_key() == key.public_key()
        assert [one.value for one in certificate.subject] == ["s1"]
        found = certificate.extensions
        assert not found.get_extension_for_class(x509.BasicConstraints).value.ca
        assert list(found.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
        assert (made.not_after, made.serial) == (NOW + timedelta(days=90), f"{certificate.serial_number:x}")
        certificate.verify_directly_issued_by(authority.ensure_authority(conn, NOW).certificate)

    @pytest.mark.parametrize(
        ("station", "text", "why"),
        [
            ("s1", "nonsense", "not a certificate request"),
            ("s1", "x" * 5000, "5000 characters"),
            ("s1", request(rsa.generate_private_key(65537, 2048)), "has another"),
            ("s1", request(ec.generate_private_key(ec.SECP384R1())), "has another"),
            ("hub", request(p256()), "no station"),
            ("nowhere", request(p256()), "no station"),
        ],
    )
    def test_fail__what_is_not_signed(self, conn: sa.Connection, station: str, text: str, why: str) -> None:
        with pytest.raises(RegistryError, match=why):
            station_certificates.sign(conn, station, text, NOW)

    def test_fail__a_request_for_somebody_elses_key(self, conn: sa.Connection) -> None:
        der = bytearray(x509.load_pem_x509_csr(request(p256()).encode()).public_bytes(Encoding.DER))
        der[-3] ^= 1
        text = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(der).decode() + "-----END CERTIFICATE REQUEST-----\n"
        with pytest.raises(RegistryError, match="not signed with the key"):
            station_certificates.sign(conn, "s1", text, NOW)

    def test_the_authoritys_key_is_encrypted_and_no_key_of_the_stations(self, conn: sa.Connection) -> None:
        made = authority.ensure_authority(conn, NOW)
        assert authority.ensure_authority(conn, NOW).kid == made.kid
        row = conn.execute(sa.select(tables.keys).where(tables.keys.c.kid == made.kid)).one()
        assert (row.use, len(row.private) > 32) == ("stations", True)
        assert made.kid not in {key.kid for key in keys.list_keys(conn, retired=True)}


def test_due_when_two_thirds_of_its_life_are_over(conn: sa.Connection) -> None:
    station_certificates.sign(conn, "s1", request(p256()), NOW)
    assert station_certificates.due(conn, NOW + timedelta(days=60) - timedelta(seconds=1)) == []
    assert [one.station for one in station_certificates.due(conn, NOW + timedelta(days=60))] == ["s1"]
    station_certificates.sign(conn, "s1", request(p256()), NOW + timedelta(days=61))
    assert station_certificates.due(conn, NOW + timedelta(days=62)) == []


def test_each_list_of_what_is_revoked_is_later_than_the_one_before__whatever_the_clock_says(conn: sa.Connection) -> None:
    lists = []
    for at in (NOW, NOW, NOW - timedelta(days=400)):
        made = station_certificates.sign(conn, "s1", request(p256()), at)
        station_certificates.revoke(conn, "s1", "test", "stolen", at)
        pem = station_certificates.for_broker(conn, at).revoked
        found = x509.load_pem_x509_crl(pem.encode())
        assert found.get_revoked_certificate_by_serial_number(int(made.serial, 16)) is not None
        lists.append(found.last_update_utc)
    assert lists == sorted(set(lists))
    assert lists[-1] < NOW


class TestAccess:
    def test_over_tls_only_a_certificate_lets_in(self, conn: sa.Connection, located: Located) -> None:
        assert access.logins(conn, located) == []
        station_certificates.sign(conn, "s1", request(p256()), NOW)
        assert [(one.station, one.password) for one in access.logins(conn, located)] == [("s1", "")]
        kit = make_kit(conn, located, "s1")
        assert 'certificate = "station.pem"' in kit.config
        assert "password" not in kit.config

    def test_cut_off__and_let_in_again_by_a_new_certificate_alone(self, conn: sa.Connection, located: Located) -> None:
        station_certificates.sign(conn, "s1", request(p256()), NOW)
        before = access.mark(conn, located)
        cut_off(conn, located, "s1", "zhou", "stolen", NOW)
        assert access.logins(conn, located) == []
        assert access.mark(conn, located) != before
        assert "user s1" not in (located.folder / "mosquitto" / "acl").read_text()
        kit = certified_kit(conn, located, "s1", request(p256()), NOW, by="zhou")
        assert (kit.key, cut_offs.cut_offs(conn)) == ("", {})
        assert [one.station for one in access.logins(conn, located)] == ["s1"]

    def test_fail__no_reason_or_no_station(self, conn: sa.Connection, located: Located) -> None:
        for station, reason in (("s1", " "), ("s1", "x" * 201), ("nowhere", "stolen")):
            with pytest.raises(RegistryError):
                cut_off(conn, located, station, "zhou", reason, NOW)
        assert cut_offs.cut_offs(conn) == {}

    def test_without_the_secret_the_rights_still_keep_out(self, conn: sa.Connection, located: Located) -> None:
        station_certificates.sign(conn, "s1", request(p256()), NOW)
        access.grant_access(conn, located)
        (located.folder / "secret.key").unlink()
        conn.get_execution_options()["gatepost_vault"]._cipher = None
        cut_off(conn, located, "s1", "zhou", "stolen", NOW)
        assert "user s1" not in (located.folder / "mosquitto" / "acl").read_text()

    def test_fail__a_station_named_like_a_connection_of_the_hub(self, conn: sa.Connection, located: Located) -> None:
        with pytest.raises(RegistryError, match="hub's own names"):
            places.enrol_station(conn, located, "hub-directory", "east")


class TestRenewing:
    @pytest.fixture
    def online(self, conn: sa.Connection) -> None:
        conn.execute(sa.insert(tables.pulses).values(station="s1", online=True, heard_at=NOW))

    def _answer(self, conn: sa.Connection, ok: bool, detail: str, at: datetime) -> None:
        (last,) = orders.latest(conn, "s1", 1)
        said = {"answered_at": at, "ok": ok, "detail": detail, "sent_at": at}
        conn.execute(sa.update(orders.table).where(orders.table.c.id == last.id).values(**said))

    def _look(self, conn: sa.Connection, located: Located, at: datetime) -> str:
        renewing._step(conn, located, "s1", at)
        return orders.latest(conn, "s1", 1)[0].what

    def test_what_is_not_taken_is_revoked__and_asked_for_again_later(
        self, conn: sa.Connection, located: Located, online: None
    ) -> None:
        station_certificates.sign(conn, "s1", request(p256()), NOW)
        at = NOW + timedelta(days=61)
        der = x509.load_pem_x509_csr(request(p256()).encode()).public_bytes(Encoding.DER)
        assert self._look(conn, located, at) == "renew"
        self._answer(conn, True, base64.b64encode(der).decode(), at)
        assert self._look(conn, located, at + timedelta(seconds=1)) == "install"
        assert len(station_certificates.standing(conn, "s1")) == 2
        self._answer(conn, False, "another key", at + timedelta(seconds=2))
        self._look(conn, located, at + timedelta(seconds=3))
        (kept,) = station_certificates.standing(conn, "s1")
        assert kept.issued_at == NOW
        self._look(conn, located, at + timedelta(seconds=4))
        assert len(orders.latest(conn, "s1", 9)) == 2
        self._look(conn, located, at + renewing.AGAIN)
        assert [one.what for one in orders.latest(conn, "s1", 9)] == ["renew", "install", "renew"]

    def test_an_answer_that_is_no_request__is_passed_over(self, conn: sa.Connection, located: Located, online: None) -> None:
        station_certificates.sign(conn, "s1", request(p256()), NOW)
        at = NOW + timedelta(days=61)
        self._look(conn, located, at)
        self._answer(conn, True, "nonsense", at)
        self._look(conn, located, at + timedelta(seconds=1))
        assert len(station_certificates.standing(conn, "s1")) == 1
        assert len(orders.latest(conn, "s1", 9)) == 1


# The station's side.


@pytest.fixture
def station(tmp_path: Path, conn: sa.Connection) -> Credentials:
    key = p256()
    made = station_certificates.sign(conn, "s1", request(key), datetime.now(UTC))
    folder = tmp_path / "station"
    (folder / "data").mkdir(parents=True)
    (folder / "station.pem").write_text(made.pem)
    (folder / "station.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "station.key").chmod(0o600)
    return credentials(tmp_path)


def credentials(tmp_path: Path) -> Credentials:
    folder = tmp_path / "station"
    return Credentials("s1", folder / "data", tmp_path / "ca.pem", folder / "station.pem", folder / "station.key")


def installed(conn: sa.Connection, station: Credentials, name: str = "s1") -> str:
    """A certificate for what a station asks for, as a command carries it."""
    der = base64.b64decode(station.request())
    pem = x509.load_der_x509_csr(der).public_bytes(Encoding.PEM).decode()
    return renewing._argument(station_certificates.sign(conn, name, pem, datetime.now(UTC)))


def serial(station: Credentials) -> int:
    station.context()
    assert station._tried is not None
    return station._tried.serial


class TestInstalling:
    def test_the_new_pair_is_used__and_the_one_before_when_the_broker_refuses_it(
        self, conn: sa.Connection, station: Credentials, tmp_path: Path
    ) -> None:
        old = serial(station)
        station.accepted()
        argument = installed(conn, station)
        assert station.install(argument) == INSTALLED
        new = serial(station)
        assert new != old
        assert station.install(argument) == INSTALLED
        station.accepted()
        assert station.install(argument) == IN_USE
        station.refused("revoked")
        assert serial(station) == old
        station.accepted()
        with pytest.raises(BadCredentials, match="revoked"):
            station.install(argument)
        assert serial(credentials(tmp_path)) == new

    def test_asked_again_it_is_the_same_key__until_that_has_its_certificate(
        self, conn: sa.Connection, station: Credentials
    ) -> None:
        def key_of(asked: str) -> Any:
            return x509.load_der_x509_csr(base64.b64decode(asked)).public_key()

        first = key_of(station.request())
        assert key_of(station.request()) == first
        assert len(station.request()) <= 500
        station.install(installed(conn, station))
        assert key_of(station.request()) != first

    @pytest.mark.parametrize("cut", [BEFORE, RENEWED, NEXT])
    def test_a_power_cut_between_two_steps_leaves_one_whole_pair__and_it_can_be_done_again(
        self, conn: sa.Connection, station: Credentials, tmp_path: Path, cut: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The power goes just before each file is changed; what was written before is on the disk."""
        old, argument, write, unlink = serial(station), installed(conn, station), kiosk_credentials.write_whole, Path.unlink

        def write_until(path: Path, data: bytes, **more: Any) -> None:
            if path.name == cut:
                raise OSError("the power is gone")
            write(path, data, **more)

        def unlink_until(path: Path, **more: Any) -> None:
            if path.name == cut:
                raise OSError("the power is gone")
            unlink(path, **more)

        with monkeypatch.context() as broken:
            broken.setattr(kiosk_credentials, "write_whole", write_until)
            broken.setattr(Path, "unlink", unlink_until)
            with pytest.raises(OSError, match="power"):
                station.install(argument)
        after = credentials(tmp_path)
        assert (serial(after) == old) == (cut != NEXT)
        assert after.install(argument) == INSTALLED
        assert serial(after) != old

    def test_fail__another_key_or_another_station(self, conn: sa.Connection, station: Credentials) -> None:
        old = serial(station)
        for argument in (
            installed(conn, station, "s2"),
            renewing._argument(station_certificates.sign(conn, "s1", request(p256()), NOW)),
            "nonsense",
        ):
            with pytest.raises(BadCredentials):
                station.install(argument)
        assert serial(station) == old


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "text", "said"),
        [
            ("station.pem", None, "station.pem (hub.certificate) can't be read: No such file"),
            ("station.pem", "x", "holds no certificate"),
            ("station.key", None, "station.key (hub.key) can't be read"),
            ("station.key", "x", "holds no private key"),
            ("../ca.pem", None, "ca.pem (hub.ca_file) can't be read"),
            ("../ca.pem", "x", "ca.pem (hub.ca_file) holds no certificate"),
        ],
    )
    def test_what_is_wrong_with_a_file_is_said(
        self, station: Credentials, tmp_path: Path, name: str, text: str | None, said: str
    ) -> None:
        path = tmp_path / "station" / name
        path.unlink()
        if text is not None:
            path.write_text(text)
            path.chmod(0o600)
        with pytest.raises(BadCredentials) as error:
            station.context()
        assert said in str(error.value)

    def test_a_key_that_everybody_can_read_is_refused(self, station: Credentials, tmp_path: Path) -> None:
        (tmp_path / "station" / "station.key").chmod(0o644)
        with pytest.raises(BadCredentials, match="chmod 600"):
            station.context()

    def test_a_key_of_another_certificate_is_refused(self, station: Credentials, tmp_path: Path) -> None:
        other = p256().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "station" / "station.key").write_bytes(other)
        with pytest.raises(BadCredentials, match="is not the key of"):
            station.context()

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            ("[SSL: SSLV3_ALERT_CERTIFICATE_REVOKED] sslv3 alert certificate revoked", "it was revoked"),
            ("[SSL: CERTIFICATE_VERIFY_FAILED] …: Hostname mismatch, certificate is not valid for 'x'", "is not for x"),
            ("[SSL: CERTIFICATE_VERIFY_FAILED] …: unable to get local issuer certificate", "hub.ca_file"),
            ("[Errno 111] Connection refused", "[Errno 111] Connection refused"),
        ],
    )
    def test_a_tls_failure_in_plain_words(self, error: str, said: str) -> None:
        assert said in plain_words(error, "x")
