"""This station's client certificates: which one it connects with, and how a renewed one takes the place of the one before.

A renewed pair is one file, key and certificate together, so that a power cut leaves the one or the other whole. The pair before
is kept beside it: when the broker refuses the newest, the station goes back to it for a while.
"""

import base64
import binascii
import os
import ssl
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from contract.messages import IN_USE, INSTALLED, Command, CommandName
from kiosk.config import Located
from kiosk.files import write_whole

RENEWED, BEFORE, NEXT = "station.pem", "station-before.pem", "station-next.key"
"""In the data folder: the newest pair, the pair before, and the key that a certificate was asked for."""
RETRY_SECONDS = 600.0
"""A pair that the broker refused is not tried for so long, while there is another."""
_PRIVATE = 0o600


class BadCredentials(OSError):
    """What is wrong with which file, and what to do about it."""


@dataclass(frozen=True)
class Pair:
    """A certificate and the file of its key, which may be the same file."""

    file: Path
    key_file: Path
    certificate: x509.Certificate

    @property
    def serial(self) -> int:
        """Of the certificate."""
        return self.certificate.serial_number


def client_context(ca_file: Path) -> ssl.SSLContext:
    """TLS 1.3 with the broker's name checked, by its authority alone. Raises `BadCredentials`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(ca_file)
    except ssl.SSLError:
        raise BadCredentials(f"{ca_file} (hub.ca_file) holds no certificate: copy ca.pem from the hub again") from None
    except OSError as error:
        raise BadCredentials(f"{ca_file} (hub.ca_file) can't be read: {error.strerror}: copy ca.pem from the hub") from None
    return context


class Credentials:
    """Thread-safe: the uplink connects with them, a command renews them."""

    def __init__(
        self, station: str, data: Path, ca_file: Path, certificate: Path, key: Path,
        *, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._station, self._data, self._ca_file, self._monotonic = station, data, ca_file, monotonic
        self._given = (certificate, key)
        self._lock = threading.RLock()
        self._refused: dict[int, tuple[float, str]] = {}
        self._tried: Pair | None = None
        self._connected: Pair | None = None

    def context(self) -> ssl.SSLContext:
        """What to connect with now: the newest pair, or the one before where the broker refused that. Raises `BadCredentials`."""
        with self._lock:
            pair = self._choose()
            context = client_context(self._ca_file)
            context.load_cert_chain(pair.file, pair.key_file)
            self._tried, self._connected = pair, None
            return context

    def accepted(self) -> None:
        """The broker took the station in."""
        with self._lock:
            self._connected = self._tried
            if self._tried is not None:
                self._refused.pop(self._tried.serial, None)

    def refused(self, why: str) -> None:
        """The connection ended before the broker took the station in."""
        with self._lock:
            if self._tried is not None:
                self._refused[self._tried.serial] = (self._monotonic(), why)

    def obey(self, command: Command) -> tuple[bool, str]:
        """What the hub asks for to renew them; returns what to answer. After `INSTALLED` the station is to connect anew."""
        try:
            return True, self.request() if command.name is CommandName.RENEW else self.install(command.argument)
        except OSError as error:
            return False, str(error)

    def request(self) -> str:
        """A certificate request (PKCS #10, DER in base64) for a new key, which is kept; asked again, for the same one.

        Raises `OSError`.
        """
        with self._lock:
            key = self._next_key()
            if key is None or any(_public(pair.certificate.public_key()) == _public(key.public_key()) for pair in self._pairs()):
                key = self._make_next_key()
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._station)])
            made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256())
            return base64.b64encode(made.public_bytes(Encoding.DER)).decode()

    def install(self, argument: str) -> str:
        """Keep a certificate for the key of the last request; returns what to answer the hub. Raises `BadCredentials`, `OSError`.

        `INSTALLED`: connect anew. Given again it says `IN_USE` once the connection stands that was made with it.
        """
        with self._lock:
            made = _read_argument(argument)
            known = next((pair for pair in self._pairs() if pair.certificate == made), None)
            if known is None:
                self._keep(made)
                return INSTALLED
            if self._connected is not None and self._connected.certificate == made:
                return IN_USE
            if made.serial_number in self._refused:
                raise BadCredentials(f"connected with the certificate before: {self._refused[made.serial_number][1]}")
            return INSTALLED

    def _keep(self, made: x509.Certificate) -> None:
        """The pair before aside, the new pair in its place, and only then is its key no longer the next one's."""
        key = self._next_key()
        if key is None or _public(key.public_key()) != _public(made.public_key()):
            raise BadCredentials("the certificate is for another key than the one that was made last: ask for a new key (renew)")
        self._check_name(made, "the certificate")
        serving = self._connected or self._choose()
        write_whole(self._data / BEFORE, _whole(serving), mode=_PRIVATE)
        write_whole(self._data / RENEWED, _key_pem(key) + made.public_bytes(Encoding.PEM), mode=_PRIVATE)
        (self._data / NEXT).unlink()

    def _choose(self) -> Pair:
        pairs = self._pairs()
        if not pairs:
            raise self._problem(*self._given) or BadCredentials(f"{self._given[0]} (hub.certificate) can't be used")
        now = self._monotonic()
        fresh = [pair for pair in pairs if pair.serial not in self._refused or self._since(pair, now) >= RETRY_SECONDS]
        return fresh[0] if fresh else max(pairs, key=lambda pair: self._since(pair, now))

    def _since(self, pair: Pair, now: float) -> float:
        return now - self._refused[pair.serial][0]

    def _pairs(self) -> list[Pair]:
        """Those that can be used, the one issued last first."""
        kept = [(self._data / name, self._data / name) for name in (RENEWED, BEFORE)]
        found: dict[int, Pair] = {}
        for files in (kept[0], self._given, kept[1]):
            try:
                pair = self._read(*files)
            except OSError:
                continue
            found.setdefault(pair.serial, pair)
        return sorted(found.values(), key=lambda pair: pair.certificate.not_valid_before_utc, reverse=True)

    def _problem(self, file: Path, key_file: Path) -> BadCredentials | None:
        try:
            self._read(file, key_file)
        except BadCredentials as error:
            return error
        return None

    def _read(self, file: Path, key_file: Path) -> Pair:
        """Raises `BadCredentials`."""
        text, key_text = _read_file(file, "hub.certificate"), _read_file(key_file, "hub.key", private=True)
        try:
            certificate = x509.load_pem_x509_certificate(text)
        except ValueError:
            raise BadCredentials(f"{file} (hub.certificate) holds no certificate: make a new kit at the hub") from None
        try:
            key = load_pem_private_key(key_text, None)
        except (ValueError, TypeError):
            raise BadCredentials(f"{key_file} (hub.key) holds no private key: make a new kit at the hub") from None
        if _public(key.public_key()) != _public(certificate.public_key()):
            raise BadCredentials(f"{key_file} (hub.key) is not the key of {file}: both come from one kit; copy both again")
        self._check_name(certificate, f"{file} (hub.certificate)")
        return Pair(file, key_file, certificate)

    def _check_name(self, certificate: x509.Certificate, what: str) -> None:
        names = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if names != [self._station]:
            raise BadCredentials(f"{what} is that of station {', '.join(names) or '?'}, and this is {self._station}")

    def _next_key(self) -> ec.EllipticCurvePrivateKey | None:
        try:
            key = load_pem_private_key((self._data / NEXT).read_bytes(), None)
        except (OSError, ValueError, TypeError):
            return None
        return key if isinstance(key, ec.EllipticCurvePrivateKey) else None

    def _make_next_key(self) -> ec.EllipticCurvePrivateKey:
        key = ec.generate_private_key(ec.SECP256R1())
        write_whole(self._data / NEXT, _key_pem(key), mode=_PRIVATE)
        return key


def credentials_of(located: Located) -> Credentials | None:
    """Those of a station's configuration; None where it has a password instead."""
    hub, folder = located.settings.hub, located.folder
    if hub.ca_file is None or hub.certificate is None or hub.key is None:
        return None
    files = (folder / hub.ca_file, folder / hub.certificate, folder / hub.key)
    return Credentials(located.settings.place.station, located.data, *files)


def plain_words(error: str, host: str) -> str:
    """A TLS failure in words that name what to look at; any other as it is."""
    return next((words.format(host=host) for sign, words in _WORDS.items() if sign in error), error)


_OWN = "the broker refuses this station's certificate"
_WORDS = {
    "CERTIFICATE_REVOKED": f"{_OWN}: it was revoked; a new kit comes from the hub",
    "CERTIFICATE_EXPIRED": f"{_OWN}: it has ended; a new kit comes from the hub",
    "UNKNOWN_CA": f"{_OWN}: it is not by this hub's authority (hub.certificate)",
    "BAD_CERTIFICATE": f"{_OWN} (hub.certificate)",
    "CERTIFICATE_REQUIRED": "the broker asks for a certificate, and this station has none (hub.certificate, hub.key)",
    "HANDSHAKE_FAILURE": "the broker and this station find no common TLS",
    "PROTOCOL_VERSION": "the broker does not speak TLS 1.3",
    "UNSUPPORTED_PROTOCOL": "the broker does not speak TLS 1.3",
    "WRONG_VERSION_NUMBER": "there is no TLS at that port (hub.port)",
    "Hostname mismatch": "the broker's certificate is not for {host} (hub.host): use a name that was given to certificate.sh",
    "IP address mismatch": "the broker's certificate is not for {host} (hub.host): use a name that was given to certificate.sh",
    "certificate has expired": "the broker's certificate has ended, or this station's clock is wrong",
    "certificate is not yet valid": "the broker's certificate has not begun: this station's clock is wrong",
    "CERTIFICATE_VERIFY_FAILED": "the broker's certificate is not by the authority in hub.ca_file: is this the right broker?",
    "EOF occurred in violation": "the broker broke off, maybe because of this station's certificate (hub.certificate)",
}


def _read_file(path: Path, setting: str, *, private: bool = False) -> bytes:
    try:
        with path.open("rb") as file:
            mode, data = stat.S_IMODE(os.fstat(file.fileno()).st_mode), file.read(100_000)
    except OSError as error:
        raise BadCredentials(f"{path} ({setting}) can't be read: {error.strerror}: copy it from the station's kit") from None
    if private and mode & 0o007:
        raise BadCredentials(f"{path} ({setting}) can be read by everybody: `chmod 600 {path}`, and make a new kit at the hub")
    return data


def _read_argument(argument: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(argument, validate=True))
    except (binascii.Error, ValueError):
        raise BadCredentials("what came is no certificate") from None


def _whole(pair: Pair) -> bytes:
    key = load_pem_private_key(pair.key_file.read_bytes(), None)
    return _key_pem(key) + pair.certificate.public_bytes(Encoding.PEM)


def _key_pem(key: object) -> bytes:
    made: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    return made


def _public(key: object) -> bytes:
    made: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return made
