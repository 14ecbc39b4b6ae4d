"""What can happen to a station (inputs) and what it asks its loop to do (effects). Frozen values, nothing else."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from contract.directory import Directory
from contract.events import Body, Direction, Event, Site
from contract.five import Item
from contract.messages import Movements
from contract.sealing import Personal
from kiosk.drivers.base import Fault, Measurement


@dataclass(frozen=True)
class Now:
    """The time an input came at: given to the reducer, which has no clock of its own."""

    utc: datetime
    mono_ns: int
    synced: bool


class Touch(msgspec.Struct, frozen=True, kw_only=True, tag_field="action"):
    """A touch on the screen. Posted by the page as JSON with its `action`."""


class SetDirection(Touch, frozen=True, kw_only=True, tag="direction"):
    direction: Direction


class SetLanguage(Touch, frozen=True, kw_only=True, tag="language"):
    language: str
    """zh or en."""


class TypeTemperature(Touch, frozen=True, kw_only=True, tag="temperature"):
    """The hand-held gun's figure, typed by the volunteer."""

    celsius: float
    typed_seconds: float
    site: Site = Site.FOREHEAD


class ConfirmDuty(Touch, frozen=True, kw_only=True, tag="confirm_duty"):
    """「我在」."""


class EnterPin(Touch, frozen=True, kw_only=True, tag="pin"):
    """The PIN that goes with the badge just shown."""

    pin: str


class SignOff(Touch, frozen=True, kw_only=True, tag="sign_off"):
    pass


class OpenChecklist(Touch, frozen=True, kw_only=True, tag="checklist"):
    """Begin the check of desk or register: the station's camera must read the day's code."""

    item: Item


class DeclareByEye(Touch, frozen=True, kw_only=True, tag="declare"):
    """Declared without a sensor: passes checked by eye (2 h), or a hand-held gun in use (the shift)."""

    item: Item


class Cancel(Touch, frozen=True, kw_only=True, tag="cancel"):
    """Back to waiting; nothing is recorded as done that was not."""


class Retake(Touch, frozen=True, kw_only=True, tag="retake"):
    """Take the temperature of the person at hand again."""


class Decide(Touch, frozen=True, kw_only=True, tag="decide"):
    """The volunteer decides on a person who was referred or must be confirmed: let in, or turn away."""

    admit: bool


class Emergency(Touch, frozen=True, kw_only=True, tag="emergency"):
    """紧急放行: never blocked by anything."""


class WalkedThrough(Touch, frozen=True, kw_only=True, tag="unchecked"):
    """未检进入."""


class CallHelp(Touch, frozen=True, kw_only=True, tag="help"):
    """求助."""


class Correct(Touch, frozen=True, kw_only=True, tag="correct"):
    """A mistaken entry, cancelled by a later event that names it."""

    entry: str


AnyTouch = (
    SetDirection | SetLanguage | TypeTemperature | ConfirmDuty | EnterPin | SignOff | OpenChecklist | DeclareByEye | Cancel
    | Retake | Decide | Emergency | WalkedThrough | CallHelp | Correct
)  # fmt: skip


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True)
class TokenSeen:
    """One code came into view."""

    text: str
    mono_ns: int
    """When the first frame that held it was taken."""


@dataclass(frozen=True)
class SeveralSeen:
    """Two or more codes are in view at once."""

    mono_ns: int


@dataclass(frozen=True)
class Measured:
    """The thermometer was read, or could not be."""

    value: Measurement | Fault


@dataclass(frozen=True)
class DirectoryArrived:
    directory: Directory


@dataclass(frozen=True)
class MovementsArrived:
    movements: Movements


@dataclass(frozen=True)
class LinkChanged:
    connected: bool
    detail: str
    backlog: int


@dataclass(frozen=True)
class DeviceReport:
    """A device's state, as its driver or the journal gives it."""

    device: str
    """camera, scanner, thermometer, journal."""
    ok: bool
    detail: str


@dataclass(frozen=True)
class PinChecked:
    badge: str
    ok: bool


@dataclass(frozen=True)
class PhotoTaken:
    """The photo asked for by `TakePhoto`; `sha` is None when there was no picture."""

    purpose: str
    sha: str | None


@dataclass(frozen=True)
class Committed:
    """These events are on the disk: only now may anything be shown as done."""

    events: tuple[Event, ...]


@dataclass(frozen=True)
class CommitFailed:
    """The journal could not take the events; they are asked for again until it can."""

    reason: str
    bodies: tuple[Body, ...]
    personal: Personal | None = None


Input = (
    Tick | TokenSeen | SeveralSeen | Measured | DirectoryArrived | MovementsArrived | LinkChanged | DeviceReport
    | PinChecked | PhotoTaken | Committed | CommitFailed
    | SetDirection | SetLanguage | TypeTemperature | ConfirmDuty | EnterPin | SignOff | OpenChecklist | DeclareByEye | Cancel
    | Retake | Decide | Emergency | WalkedThrough | CallHelp | Correct
)  # fmt: skip


@dataclass(frozen=True)
class Record:
    """Write these to the journal in one commit; personal fields are sealed on the way."""

    bodies: tuple[Body, ...]
    personal: Personal | None = None
    """Belongs to the first body, an `Entry`; its `event` is filled in by the loop."""


@dataclass(frozen=True)
class CheckPin:
    """Verify a PIN against the badge's argon2 hash (slow, so not in the reducer)."""

    badge: str
    token: str
    pin: str
    pin_hash: str


@dataclass(frozen=True)
class TakePhoto:
    purpose: str


@dataclass(frozen=True)
class Say:
    """Play one of the sentences."""

    sentence: str


Effect = Record | CheckPin | TakePhoto | Say
