"""The hub's configuration, read once into frozen structs. See docs/operations.md for each key."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from contract.codec import BadMessage
from contract.five import Lifetimes
from contract.sealing import unb64
from contract.settings import BadSettings, Section, parse

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Address = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]+)?)?$(?!\n)")]


class Broker(Section, frozen=True, kw_only=True):
    """The MQTT v5 broker, as the hub reaches it. `access` is the folder in which the hub writes Mosquitto's `passwords`, `acl`,
    `stations-ca.pem` and `stations.crl`."""

    host: str = "127.0.0.1"
    port: Port = 1883
    username: str = "hub"
    password: str = ""
    ca_file: str | None = None
    access: str | None = None


class Stations(Section, frozen=True, kw_only=True):
    """How the stations reach the broker. With `ca_file`, the broker's authority: over TLS, each with a certificate of its own."""

    host: str = ""
    """Empty: as the hub does."""
    port: Port = 8883
    """Counts with `ca_file` only; without, as the hub does."""
    ca_file: str | None = None
    certificate_days: Annotated[int, msgspec.Meta(ge=2, le=825)] = 90
    """How long a station's certificate lasts; it is renewed when two thirds of that are over."""


class Web(Section, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: Port = 8800
    secure_cookies: bool = True
    """False only where the page is served on loopback without TLS."""
    trusted_proxies: Annotated[int, msgspec.Meta(ge=0, le=10)] = 0
    """How many proxies in a row stand before the pages and add to X-Forwarded-For; 0: nobody's word is taken for an address."""
    public_url: Address = ""
    """Where people reach the pages, such as https://hub.example.org: for links in what is sent; empty: none there."""
    certificate: str | None = None
    """The certificate (PEM) that the hub serves the pages with; empty: plain HTTP, for a proxy on this machine."""
    key: str | None = None
    """Its private key: the hub then serves the pages over TLS itself."""


class Store(Section, frozen=True, kw_only=True):
    url: str = "sqlite:///hub.db"
    """SQLAlchemy URL; a relative SQLite path is taken from the configuration's folder."""


class Keys(Section, frozen=True, kw_only=True):
    """How the hub keeps its keys, and who vouches for them."""

    secret_file: str = "secret.key"
    """Under what it holds the private keys are encrypted; a relative path is taken from the configuration's folder."""
    roots: tuple[str, ...] = ()
    """Public keys of offline roots (`hub key root`), base64url: told to new stations, and whose certificates are taken."""
    overlap_hours: Annotated[float, msgspec.Meta(ge=0)] = 24
    """How long a new key is told to the stations before anything is signed with it."""


class Alerts(Section, frozen=True, kw_only=True):
    local_hosts: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=253)], ...] = ()
    """Hosts inside of the hub's own network that alerts may be sent to: names, addresses or networks, such as 10.1.2.0/24."""


class Five(Section, frozen=True, kw_only=True):
    """Lifetimes of evidence in seconds (contract.five.Lifetimes)."""

    confirmed_volunteer: float = 1800
    positive_inspection: float = 1800
    grace: float = 90


class HubSettings(Section, frozen=True, kw_only=True):
    """Everything in hub.toml."""

    name: str = "街道"
    issuer: Annotated[str, msgspec.Meta(min_length=1, max_length=12)] = "gp"
    timezone: str = "Asia/Shanghai"
    language: Annotated[str, msgspec.Meta(pattern="^(zh|en)$")] = "zh"
    store: Store = Store()
    broker: Broker = Broker()
    stations: Stations = Stations()
    web: Web = Web()
    five: Five = Five()
    alerts: Alerts = Alerts()
    keys: Keys = Keys()


class Located(msgspec.Struct, frozen=True):
    """Settings and the folder they were read from; relative paths are taken from there."""

    settings: HubSettings
    folder: Path

    @property
    def zone(self) -> ZoneInfo:
        """The sub-district's time zone."""
        return ZoneInfo(self.settings.timezone)

    @property
    def store_url(self) -> str:
        """The store's URL with a relative SQLite path made absolute."""
        prefix, url = "sqlite:///", self.settings.store.url
        if not url.startswith(prefix) or url.startswith(prefix + "/"):
            return url
        return prefix + str((self.folder / url.removeprefix(prefix)).resolve())

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The roots that vouch for this hub's keys, raw Ed25519 public keys."""
        return tuple(unb64(root) for root in self.settings.keys.roots)

    @property
    def overlap(self) -> timedelta:
        """How long a new key is told to the stations before it is used."""
        return timedelta(hours=self.settings.keys.overlap_hours)

    @property
    def lifetimes(self) -> Lifetimes:
        """The configured lifetimes over the contract's defaults."""
        five = self.settings.five
        return Lifetimes(
            confirmed_volunteer=five.confirmed_volunteer, positive_inspection=five.positive_inspection, grace=five.grace
        )


def load(path: Path) -> Located:
    """Read hub.toml; raises `BadSettings`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: can't be read: {error}") from None
    settings = parse(text, HubSettings, str(path))
    try:
        ZoneInfo(settings.timezone)
    except (KeyError, ValueError, OSError):
        raise BadSettings(f"{path}: key 'timezone' is {settings.timezone!r}: not a time zone, such as Asia/Shanghai") from None
    if settings.web.key is not None and settings.web.certificate is None:
        raise BadSettings(f"{path}: key 'web.key' is set without 'web.certificate': TLS takes both")
    for root in settings.keys.roots:
        if not _is_key(root):
            raise BadSettings(f"{path}: key 'keys.roots' is {root!r}: not a root's public key as `hub key root` prints it")
    return Located(settings, path.parent)


def _is_key(text: str) -> bool:
    try:
        return len(unb64(text)) == 32
    except BadMessage:
        return False
