"""The hub's configuration, read once into frozen structs. See docs/operations.md for each key."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from contract.five import Lifetimes
from contract.settings import BadSettings, Section, parse

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Broker(Section, frozen=True, kw_only=True):
    """The MQTT v5 broker. `access` is the folder in which the hub writes Mosquitto's `passwords` and `acl`."""

    host: str = "127.0.0.1"
    port: Port = 1883
    username: str = "hub"
    password: str = ""
    ca_file: str | None = None
    access: str | None = None


class Web(Section, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: Port = 8800
    secure_cookies: bool = True
    """False only where the page is served on loopback without TLS."""


class Store(Section, frozen=True, kw_only=True):
    url: str = "sqlite:///hub.db"
    """SQLAlchemy URL; a relative SQLite path is taken from the configuration's folder."""


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
    web: Web = Web()
    five: Five = Five()


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
    return Located(settings, path.parent)
