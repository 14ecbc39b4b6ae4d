"""A station's configuration, read once into frozen structs. See docs/hardware.md for each key."""

import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from contract.codec import BadMessage
from contract.sealing import unb64
from contract.settings import BadSettings, Section, convert, read_table

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]

Way = Annotated[str, msgspec.Meta(pattern="^(in|out|both)$")]
Pin = Annotated[int, msgspec.Meta(ge=0, le=27)]
"""A GPIO number of the 40-pin header, as Broadcom counts them."""
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class Place(Section, frozen=True, kw_only=True):
    """Which gate this station guards."""

    station: Name
    gate: Name
    gate_name: str
    compound: Name
    compound_name: str
    lane: Name = "1"
    direction: Way = "both"


class Camera(Section, frozen=True, kw_only=True):
    source: str = "0"
    """A USB camera's number or device, picamera2:NUMBER, a video file, a folder of images, or emulated:FOLDER."""
    fps: Annotated[float, msgspec.Meta(gt=0, le=60)] = 15
    direction: Way = "both"
    """Which way the people go whose passes this camera sees; both: as the place or the toggle says."""


class HandScanner(Section, frozen=True, kw_only=True):
    """A QR hand scanner that types (USB keyboard wedge)."""

    device: str
    """/dev/input/by-id/…, or emulated:FOLDER."""
    direction: Way = "both"


class Thermometer(Section, frozen=True, kw_only=True):
    driver: Annotated[str, msgspec.Meta(pattern=r"^(mlx90614|mlx90615|gy-mcu90614|gy-614v|none)$(?!\n)")] = "mlx90614"
    bus: str = "1"
    """An I2C bus's number or device, or emulated:FOLDER."""
    port: str = "/dev/serial0"
    """For a module on a serial line: its device, or emulated:FOLDER."""
    baud: Annotated[int, msgspec.Meta(ge=1200, le=115200)] = 9600
    """Of the serial line; some batches of the modules leave the factory at 115200."""
    address: Annotated[int, msgspec.Meta(ge=0x08, le=0x77)] | None = None
    """On the I2C bus; None: the one that the sensor leaves the factory with."""
    emissivity: Annotated[float, msgspec.Meta(ge=0.1, le=1.0)] = 0.98
    bluetooth: Annotated[str, msgspec.Meta(pattern=r"^(|any|([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})$(?!\n)")] = ""
    """Address of a Bluetooth health thermometer beside the one above, or `any`; empty: none."""
    site: Annotated[str, msgspec.Meta(pattern="^(forehead|wrist|neck)$")] = "forehead"
    """Where it is aimed at."""
    offset_celsius: Annotated[float, msgspec.Meta(ge=-2.0, le=2.0)] = 0.0
    """Found by calibration: added to the skin."""
    calibrated: datetime.date | None = None
    calibration_due: datetime.date | None = None
    """From this day on its readings no longer count as evidence of the item."""
    box_heat_celsius: Annotated[float, msgspec.Meta(ge=0.0, le=15.0)] = 0.0
    """How much warmer the box makes the sensor than the air: taken off the ambient."""


class Gpio(Section, frozen=True, kw_only=True):
    """What hangs on the Pi's header; a pin that is not given is not there."""

    pins: str = ""
    """Empty: the Pi's own; or emulated:FOLDER."""
    red: Pin | None = None
    amber: Pin | None = None
    green: Pin | None = None
    buzzer: Pin | None = None
    barrier: Pin | None = None
    """A relay that opens the barrier with one pulse."""
    barrier_active_low: bool = True
    barrier_pulse_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=10)] = 0.5
    barrier_release: Pin | None = None
    """A button that opens the barrier whatever the program thinks."""
    motion: Pin | None = None
    distance_trigger: Pin | None = None
    distance_echo: Pin | None = None
    distance_metres: Annotated[float, msgspec.Meta(gt=0, le=4)] = 1.2
    """Nearer than this is somebody."""
    call_button: Pin | None = None
    shutdown_button: Pin | None = None
    """Held for three seconds: the station is shut down in an orderly way."""


class Voice(Section, frozen=True, kw_only=True):
    on: bool = True
    folder: str = "voice"
    """Recordings as LANGUAGE/SENTENCE.wav, each in place of a rendered sentence; taken from the data folder."""
    device: str = "default"
    """ALSA's name of the loudspeaker."""
    day: Percent = 85
    night: Percent = 40


class Hub(Section, frozen=True, kw_only=True):
    """The hub's broker, and the public keys by which what comes from the hub is known to be its own."""

    host: str = "127.0.0.1"
    port: Port = 1883
    password: str = ""
    ca_file: str | None = None
    """The broker's certificate authority: TLS, everywhere but on loopback."""
    certificate: str | None = None
    """This station's certificate, by which the broker knows it. A renewed one is kept with the journal."""
    key: str | None = None
    """The certificate's private key."""
    keys: dict[str, str]
    """kid → Ed25519 public key, base64url."""
    sealing_kid: str
    sealing: str
    """X25519 public key, base64url."""
    roots: tuple[str, ...] = ()
    """Ed25519 public keys, base64url: where there are any, only keys that one of them has certified count."""
    certificates: dict[str, str] = {}
    """kid → certificate of one of `keys`."""


class Screen(Section, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: Port = 8080
    language: Annotated[str, msgspec.Meta(pattern="^(zh|en)$")] = "zh"
    settings_pin: str = ""
    """argon2id of the PIN that opens the settings (`kiosk settings-pin`); empty: nobody may change them on the screen."""
    backlight: str = ""
    """The backlight's folder, such as /sys/class/backlight/10-0045; empty: the page dims itself."""
    brightness: Percent = 100


class Hardware(Section, frozen=True, kw_only=True):
    """What a station is made of: all that can be known of one before it joins a hub."""

    data: str = "data"
    timezone: str = "Asia/Shanghai"
    clock: Annotated[str, msgspec.Meta(pattern="^(kernel|trusted)$")] = "kernel"
    """kernel: synced when the kernel says so. trusted: the machine's clock is kept right by other means."""
    camera: Camera = Camera()
    more_cameras: tuple[Camera, ...] = ()
    hand_scanners: tuple[HandScanner, ...] = ()
    gpio: Gpio = Gpio()
    voice: Voice = Voice()
    thermometer: Thermometer = Thermometer()
    screen: Screen = Screen()


class StationSettings(Hardware, frozen=True, kw_only=True):
    """Everything in kiosk.toml, with what came from the hub by joining."""

    place: Place
    hub: Hub


class Equipped(msgspec.Struct, frozen=True):
    """What a station is made of, and the folder that was read from."""

    settings: Hardware
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


class Located(Equipped, frozen=True):
    """Settings and the folder they were read from."""

    settings: StationSettings

    @property
    def hub_keys(self) -> dict[str, bytes]:
        """kid → raw Ed25519 public key."""
        return {kid: unb64(key) for kid, key in self.settings.hub.keys.items()}

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The roots that this station trusts, raw Ed25519 public keys."""
        return tuple(unb64(root) for root in self.settings.hub.roots)


class NotJoined(BadSettings):
    """A station that knows neither its gate nor its hub yet."""


JOINED = Path("joined", "joined.toml")
"""In the data folder: what came from the hub when the station joined; the files that it names lie beside it."""


def load(path: Path) -> Located:
    """Read kiosk.toml, laid over what the hub gave when the station joined. Raises `NotJoined`, `BadSettings`.

    A kiosk.toml with a section [hub] is taken for all there is.
    """
    table = _table(path)
    if "hub" not in table:
        table = _over(_joined(path), table)
    located = Located(convert(table, StationSettings, str(path)), path.parent)
    _check(located, path)
    return located


def load_hardware(path: Path) -> Equipped:
    """What kiosk.toml says of the devices; the defaults where there is none. Raises `BadSettings`."""
    table = {key: value for key, value in _table(path).items() if key not in ("place", "hub")}
    return Equipped(convert(table, Hardware, str(path)), path.parent)


def _table(path: Path) -> dict[str, Any]:
    try:
        return read_table(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: can't be read: {error}") from None


def _joined(path: Path) -> dict[str, Any]:
    """What came from the hub, its files named from where they are."""
    file = load_hardware(path).data / JOINED
    if not file.exists():
        said = "has no [place] and [hub]" if path.exists() else "is not there"
        raise NotJoined(f"{path} {said}, and this station has not joined a hub: run `kiosk enrol`, or copy its kit from the hub")
    found = _table(file)
    hub = found.get("hub", {})
    return {**found, "hub": {**hub, **{name: str(file.parent.absolute() / hub[name]) for name in _FILES if name in hub}}}


_FILES = ("ca_file", "certificate", "key")


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """One table laid over another, sections key by key."""
    return below | {
        key: _over(below[key], value) if isinstance(value, dict) and isinstance(below.get(key), dict) else value
        for key, value in above.items()
    }


def _check(located: Located, path: Path) -> None:
    settings = located.settings
    for key, value in [
        *((f"hub.keys.{kid}", key) for kid, key in settings.hub.keys.items()),
        ("hub.sealing", settings.hub.sealing),
        *(("hub.roots", root) for root in settings.hub.roots),
    ]:
        if not _is_key(value):
            raise BadSettings(f"{path}: key {key!r} is {value!r}: not a 32-byte key in base64url")
    hub = settings.hub
    if (hub.certificate is None) != (hub.key is None) or (hub.certificate is not None and hub.ca_file is None):
        raise BadSettings(
            f"{path}: keys 'hub.certificate', 'hub.key' and 'hub.ca_file' go together: give all three or ca_file alone"
        )
    try:
        ZoneInfo(settings.timezone)
    except (KeyError, ValueError, OSError):
        raise BadSettings(f"{path}: key 'timezone' is {settings.timezone!r}: not a time zone, such as Asia/Shanghai") from None


def _is_key(text: str) -> bool:
    try:
        return len(unb64(text)) == 32
    except BadMessage:
        return False
