"""What can happen to a station (inputs) and what it asks its loop to do (effects). Frozen values, nothing else."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import msgspec

from contract.directory import Directory
from contract.events import Body, Direction, Event, Identifier, Site
from contract.five import Item
from contract.messages import Config, Movements
from contract.sealing import Personal
from kiosk.drivers.base import BodyMeasurement, Fault, Measurement, SelfTest


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
    entry: str | None = None
    """The referral it is about, on the side list; None: the person on the screen."""


class PutAside(Touch, frozen=True, kw_only=True, tag="aside"):
    """请到旁边: the person at hand steps aside with a timer, so that the queue goes on."""


class Recall(Touch, frozen=True, kw_only=True, tag="recall"):
    """Somebody on the side list is measured again."""

    entry: str


class Gone(Touch, frozen=True, kw_only=True, tag="gone"):
    """Somebody on the side list has left."""

    entry: str


class AddPerson(Touch, frozen=True, kw_only=True, tag="add_person"):
    """带小孩 +1: one more person with the one at hand, or just let in; measured next, with a reading of their own."""

    role: Annotated[str, msgspec.Meta(pattern="^(child|elder|occupant)$")] = "child"


class CheckBoot(Touch, frozen=True, kw_only=True, tag="boot"):
    """后备箱: opened and looked into."""


class AddDetail(Touch, frozen=True, kw_only=True, tag="detail"):
    """Who it was that an emergency let through, told afterwards."""

    entry: str
    what: Annotated[str, msgspec.Meta(pattern="^(ambulance|fire|police|other)$")]


class FindHolder(Touch, frozen=True, kw_only=True, tag="find"):
    """No phone, no card: found in the roster by building and room."""

    pass_id: Annotated[str, msgspec.Meta(max_length=64)]


Said = Annotated[str, msgspec.Meta(max_length=100)]


class Register(Touch, frozen=True, kw_only=True, tag="register"):
    """An outsider, as asked and written down; measured next."""

    who: Annotated[str, msgspec.Meta(pattern="^(visitor|courier|worker|traveller)$")] = "visitor"
    name: Said = ""
    phone: Said = ""
    origin: Said = ""
    """从何处来."""
    purpose: Identifier = "visit"
    note: Said = ""
    building: Said = ""
    room: Said = ""
    host_confirmed: bool = False
    key_area: bool = False
    arrived: Said = ""
    """When a traveller came back: ISO 8601 date."""
    people: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1


class RegisterVehicle(Touch, frozen=True, kw_only=True, tag="vehicle"):
    """A vehicle: the driver is measured first, then each occupant."""

    plate: Said
    taxi: bool = False
    people: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1
    boot_checked: bool = False
    building: Said = ""
    room: Said = ""
    purpose: Identifier = "visit"
    host_confirmed: bool = False
    key_area: bool = False
    booking: Identifier | None = None


class EndVisit(Touch, frozen=True, kw_only=True, tag="end_visit"):
    """离开: a visitor or vehicle leaves."""

    entry: str


class Tally(Touch, frozen=True, kw_only=True, tag="tally"):
    """A courier left it at the shelf."""

    what: Annotated[str, msgspec.Meta(pattern="^courier$")] = "courier"


class KeyIn(Touch, frozen=True, kw_only=True, tag="key_in"):
    """补录: one line of a paper page, or from memory. Marked as such for ever."""

    time: Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    """Local; the latest such time that has gone by."""
    direction: Direction
    who: Annotated[str, msgspec.Meta(pattern="^(resident|visitor|courier|worker|vehicle|taxi)$")] = "resident"
    pass_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    """When found in the roster."""
    building: Said = ""
    room: Said = ""
    name: Said = ""
    phone: Said = ""
    plate: Said = ""
    celsius: float | None = None
    page: Said = ""
    line: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0


class AnswerGap(Touch, frozen=True, kw_only=True, tag="gap"):
    """After a power cut: whether people passed meanwhile (then they are keyed in)."""

    missed: bool


class ShutGate(Touch, frozen=True, kw_only=True, tag="shut"):
    """关门: the gate was locked (a photo of the lock is taken), or opened again."""

    shut: bool


class OpenBarrier(Touch, frozen=True, kw_only=True, tag="barrier"):
    """抬杆."""


class OpenSettings(Touch, frozen=True, kw_only=True, tag="open_settings"):
    pin: Annotated[str, msgspec.Meta(max_length=16)]


class ChangeSettings(Touch, frozen=True, kw_only=True, tag="settings"):
    """Loudness and brightness, in percent; while the settings are open."""

    loudness: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    night_loudness: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    brightness: Annotated[int, msgspec.Meta(ge=10, le=100)] | None = None
    language: Annotated[str, msgspec.Meta(pattern="^(zh|en)$")] | None = None


class CloseSettings(Touch, frozen=True, kw_only=True, tag="close_settings"):
    pass


class CheckDevices(Touch, frozen=True, kw_only=True, tag="selftest"):
    """Every device tests itself; while the settings are open."""


class Extend(Touch, frozen=True, kw_only=True, tag="extend"):
    """More time: the time-out at hand begins anew."""


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
    | PutAside | Recall | Gone | AddPerson | AddDetail | CheckBoot
    | FindHolder | Register | RegisterVehicle | EndVisit | Tally | KeyIn
    | AnswerGap | ShutGate | OpenBarrier | OpenSettings | ChangeSettings | CloseSettings | CheckDevices | Extend
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
    direction: Direction | None = None
    """Of the camera or hand scanner that saw it; None: as the station is set."""


@dataclass(frozen=True)
class SeveralSeen:
    """Two or more codes are in view at once."""

    mono_ns: int


@dataclass(frozen=True)
class Measured:
    """The thermometer was read, or could not be."""

    value: Measurement | Fault


@dataclass(frozen=True)
class BodyMeasured:
    """A thermometer with a button sent a body temperature."""

    value: BodyMeasurement
    source: str
    """The driver's name."""


@dataclass(frozen=True)
class DirectoryArrived:
    directory: Directory


@dataclass(frozen=True)
class MovementsArrived:
    movements: Movements


@dataclass(frozen=True)
class ConfigArrived:
    """What the hub decides of this station's settings; it comes again with every connection."""

    config: Config


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
    opening: bytes = field(default=b"", repr=False)
    """The badge's opening key (`contract.opening`); empty when there is none, as for the settings' PIN."""


@dataclass(frozen=True)
class PhotoTaken:
    """The photo asked for by `TakePhoto`; `sha` is None when there was no picture."""

    purpose: str
    sha: str | None
    about: str | None = None
    """The event that the photo belongs to."""


@dataclass(frozen=True)
class PresenceChanged:
    """Somebody is near, or nobody is: the presence sensor."""

    present: bool


@dataclass(frozen=True)
class PersonPassed:
    """The presence sensor counted one more."""


@dataclass(frozen=True)
class BarrierReleased:
    """The barrier was opened by its own button."""


@dataclass(frozen=True)
class BarrierAsked:
    """The hub asks for the barrier to be opened."""


@dataclass(frozen=True)
class IdentifyAsked:
    """The hub asks the station to say which one it is."""


@dataclass(frozen=True)
class ButtonPressed:
    """A button on the header: call, shutdown."""

    name: str


@dataclass(frozen=True)
class DevicesTested:
    """What the devices say of themselves, as asked by `RunSelfTest`."""

    results: tuple[SelfTest, ...]


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
    Tick | TokenSeen | SeveralSeen | Measured | BodyMeasured | DirectoryArrived | MovementsArrived | ConfigArrived | LinkChanged
    | DeviceReport | PinChecked | PhotoTaken | PresenceChanged | PersonPassed | BarrierReleased | BarrierAsked | IdentifyAsked
    | ButtonPressed | DevicesTested | Committed | CommitFailed
    | SetDirection | SetLanguage | TypeTemperature | ConfirmDuty | EnterPin | SignOff | OpenChecklist | DeclareByEye | Cancel
    | Retake | Decide | Emergency | WalkedThrough | CallHelp | Correct
    | PutAside | Recall | Gone | AddPerson | AddDetail | CheckBoot
    | FindHolder | Register | RegisterVehicle | EndVisit | Tally | KeyIn
    | AnswerGap | ShutGate | OpenBarrier | OpenSettings | ChangeSettings | CloseSettings | CheckDevices | Extend
)  # fmt: skip


@dataclass(frozen=True)
class Record:
    """Write these to the journal in one commit; personal fields are sealed on the way."""

    bodies: tuple[Body, ...]
    personal: Personal | None = None
    """Belongs to the first body, an `Entry`; its `event` is filled in by the loop."""


@dataclass(frozen=True)
class CheckPin:
    """Verify a PIN against the badge's argon2 hash (slow, so not in the reducer). The settings' PIN has no token."""

    badge: str
    token: str | None = field(repr=False)
    pin: str = field(repr=False)
    pin_hash: str = field(repr=False)


@dataclass(frozen=True)
class OpenRoster:
    """Open what tells people in the directory for a badge that has signed in, in place of the one before (slow)."""

    badge: str
    opening: bytes = field(repr=False)


@dataclass(frozen=True)
class CloseRoster:
    """Forget the keys, and what they have opened."""


@dataclass(frozen=True)
class TakePhoto:
    purpose: str
    about: str | None = None


@dataclass(frozen=True)
class Say:
    """Play one of the sentences."""

    sentence: str


@dataclass(frozen=True)
class RaiseBarrier:
    """One pulse for the barrier."""


@dataclass(frozen=True)
class RunSelfTest:
    """Ask every device to test itself."""


@dataclass(frozen=True)
class ShutDown:
    """Shut the machine down in an orderly way."""


Effect = Record | CheckPin | OpenRoster | CloseRoster | TakePhoto | Say | RaiseBarrier | RunSelfTest | ShutDown
