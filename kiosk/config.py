"""A station's configuration, read once into frozen structs. See docs/hardware.md for each key."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from contract.codec import BadMessage
from contract.sealing import unb64
from contract.settings import BadSettings, Section, parse

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Place(Section, frozen=True, kw_only=True):
    """Which gate this station guards."""

    station: Name
    gate: Name
    gate_name: str
    compound: Name
    compound_name: str
    lane: Name = "1"
    direction: Annotated[str, msgspec.Meta(pattern="^(in|out|both)$")] = "both"


class Camera(Section, frozen=True, kw_only=True):
    source: str = "0"
    """A USB camera's number or device, a video file, a folder of images, or emulated:FOLDER."""
    fps: Annotated[float, msgspec.Meta(gt=0, le=60)] = 15


class Thermometer(Section, frozen=True, kw_only=True):
    driver: Annotated[str, msgspec.Meta(pattern="^(mlx90614|none)$")] = "mlx90614"
    bus: str = "1"
    """An I2C bus's number or device, or emulated:FOLDER."""
    address: Annotated[int, msgspec.Meta(ge=0x08, le=0x77)] = 0x5A
    emissivity: Annotated[float, msgspec.Meta(ge=0.1, le=1.0)] = 0.98
    offset_celsius: Annotated[float, msgspec.Meta(ge=-2.0, le=2.0)] = 0.0


class Hub(Section, frozen=True, kw_only=True):
    """The hub's broker, and the public keys by which what comes from the hub is known to be its own."""

    host: str = "127.0.0.1"
    port: Port = 1883
    password: str = ""
    ca_file: str | None = None
    keys: dict[str, str]
    """kid → Ed25519 public key, base64url."""
    sealing_kid: str
    sealing: str
    """X25519 public key, base64url."""


class Screen(Section, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: Port = 8080
    language: Annotated[str, msgspec.Meta(pattern="^(zh|en)$")] = "zh"


class StationSettings(Section, frozen=True, kw_only=True):
    """Everything in kiosk.toml."""

    place: Place
    hub: Hub
    data: str = "data"
    timezone: str = "Asia/Shanghai"
    clock: Annotated[str, msgspec.Meta(pattern="^(kernel|trusted)$")] = "kernel"
    """kernel: synced when the kernel says so. trusted: the machine's clock is kept right by other means."""
    camera: Camera = Camera()
    thermometer: Thermometer = Thermometer()
    screen: Screen = Screen()


class Located(msgspec.Struct, frozen=True):
    """Settings and the folder they were read from."""

    settings: StationSettings
    folder: Path

    @property
    def data(self) -> Path:
        """The folder of the journal."""
        return self.folder / self.settings.data

    @property
    def zone(self) -> ZoneInfo:
        """The gate's time zone."""
        return ZoneInfo(self.settings.timezone)

    def device(self, spec: str) -> str:
        """A device's specification, with the folder of an emulated one taken from the configuration's folder."""
        kind, colon, folder = spec.partition(":")
        return f"{kind}:{self.folder / folder}" if colon and kind == "emulated" else spec

    @property
    def hub_keys(self) -> dict[str, bytes]:
        """kid → raw Ed25519 public key."""
        return {kid: unb64(key) for kid, key in self.settings.hub.keys.items()}


def load(path: Path) -> Located:
    """Read kiosk.toml; raises `BadSettings`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: can't be read: {error}") from None
    located = Located(parse(text, StationSettings, str(path)), path.parent)
    _check(located, path)
    return located


def _check(located: Located, path: Path) -> None:
    settings = located.settings
    for key, value in [
        *((f"hub.keys.{kid}", key) for kid, key in settings.hub.keys.items()),
        ("hub.sealing", settings.hub.sealing),
    ]:
        if not _is_key(value):
            raise BadSettings(f"{path}: key {key!r} is {value!r}: not a 32-byte key in base64url")
    try:
        ZoneInfo(settings.timezone)
    except (KeyError, ValueError, OSError):
        raise BadSettings(f"{path}: key 'timezone' is {settings.timezone!r}: not a time zone, such as Asia/Shanghai") from None


def _is_key(text: str) -> bool:
    try:
        return len(unb64(text)) == 32
    except BadMessage:
        return False
