"""What the screen shows: one frozen snapshot, made by the station's heart and rendered by the page. It carries no rule."""

from enum import StrEnum

import msgspec

from contract.events import Direction, Outcome
from contract.five import Item


class Phase(StrEnum):
    """Where the station is in handling one person."""

    WAITING = "waiting"
    SEVERAL = "several"
    """Two codes in view: 一个一个来."""
    MEASURING = "measuring"
    """The pass is good; the temperature is being taken."""
    TYPING = "typing"
    """No thermometer: the volunteer types the hand-held gun's figure."""
    OUTCOME = "outcome"
    PIN = "pin"
    """A badge was shown; its PIN is asked for."""
    CHECKLIST = "checklist"
    """The camera looks for the day's code of desk or register."""


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One of the five on the screen."""

    item: Item
    present: bool
    basis: str | None
    reason: str | None
    """Why it is missing (key)."""
    todo: str | None
    """The one thing to do about it (key of a sentence on the button); None when present."""
    touch: str | None
    """The `action` that does it, or None when it isn't done on the screen: checklist, declare, confirm_duty."""
    seconds_left: float | None


class HolderView(msgspec.Struct, frozen=True, kw_only=True):
    """Who the pass says it is, for the volunteer."""

    name: str
    dwelling: str
    plate: str
    kind: str
    colour: str | None
    colour_label: str | None
    pass_id: str | None = None
    face: bool = False
    """A photo is in the directory: `/face/<pass_id>.jpg`."""
    who: str | None = None
    """visitor, courier, … when there is no pass."""


class AsideView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who waits at the side."""

    id: str
    """The entry that referred them."""
    time: str
    name: str
    dwelling: str
    plate: str
    who: str
    reasons: tuple[str, ...]
    celsius: float | None
    minutes: int
    """How long they have waited."""
    due: bool
    """They have rested long enough for the second reading."""
    can_recall: bool


class VisitView(msgspec.Struct, frozen=True, kw_only=True):
    """A visitor, courier or vehicle that went in and hasn't left."""

    entry: str
    time: str
    who: str
    purpose: str
    name: str
    """Blank after a restart, as are the next two: the journal keeps them sealed."""
    dwelling: str
    plate: str
    people: int
    minutes: int
    overdue: bool


class BookingView(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle or crew that the committee let come today."""

    id: str
    kind: str
    plate: str
    crew: int
    dwelling: str
    note: str
    window: str
    """HH:MM–HH:MM, local."""
    now: bool
    """The window is open."""


class SettingsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings show while they are open."""

    loudness: int
    night_loudness: int
    brightness: int
    software: str
    directory_version: int
    directory_minutes: int | None
    """Age of the directory."""
    calibration_due: str | None
    testing: bool
    tests: tuple[tuple[str, bool, str], ...]
    """(device, ok, detail) of the last self-test."""


class ReadingView(msgspec.Struct, frozen=True, kw_only=True):
    band: str
    body_celsius: float | None
    skin_celsius: float | None
    ambient_celsius: float | None
    source: str
    degraded: bool


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the last entries."""

    id: str
    time: str
    """HH:MM:SS, local."""
    direction: Direction
    outcome: Outcome
    name: str
    dwelling: str
    celsius: float | None
    reasons: tuple[str, ...]
    cancelled: bool
    who: str = ""
    """resident, visitor, …: as it was said, or the kind of the pass."""
    people: int = 1
    note: str = ""
    """Who it was that an emergency let through, once somebody has told: ambulance, fire, police, other."""


class VolunteerView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    """As the badge says it; empty after a restart, until the badge is shown again."""
    since: str
    """HH:MM, local."""
    hours: float
    ask: bool
    """Time to ask 「您还在吗?」."""
    over: bool = False
    """On duty for longer than people should be."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the page needs, and nothing of why for the resident's part."""

    n: int
    """Rises with every change."""
    station: str
    gate: str
    """The gate's name."""
    compound: str
    """The compound's name."""
    clock: str
    """HH:MM, local."""
    clock_synced: bool
    language: str
    phase: Phase
    direction: Direction
    sentence: str
    """Key of the one short sentence for the resident: show_pass, one_by_one, measuring, ok_enter, ok_leave, again, wrist,
    wait_aside, not_allowed, please_wait, emergency, badge_pin, show_desk_code, show_register_code, closed, identify."""
    outcome: Outcome | None
    reasons: tuple[str, ...]
    """Keys for the volunteer alone."""
    can_decide: bool
    """The volunteer may now let in or turn away."""
    can_retake: bool
    holder: HolderView | None
    reading: ReadingView | None
    seconds_left: float | None
    """Until this phase ends by itself."""
    sound: str | None
    """good, wait, stop, or None; played when `n` of the outcome is new."""
    checklist_item: Item | None
    error: str | None
    """Key of what went wrong with the last touch (wrong_pin, not_today, not_signed_in, …)."""
    items: tuple[ItemView, ...]
    compliant: bool
    volunteer: VolunteerView | None
    entries: tuple[EntryView, ...]
    inside: int | None
    online: bool
    link_detail: str
    backlog: int
    devices: dict[str, bool]
    device_details: dict[str, str]
    needs_typing: bool
    """No thermometer answers: figures are typed."""
    journal_problem: str | None
    gap_minutes: int | None
    """After a power cut: how long the station was gone."""
    notices: tuple[str, ...]
    entry: str | None = None
    """The id of the entry that is shown: a new one plays its sound once."""
    pin_for: str = "badge"
    """Whose PIN is asked for: badge, settings."""
    night: bool = False
    brightness: int = 100
    loudness: int = 85
    """Of the voice and the sounds, at this hour."""
    measured: int = 0
    """How many of the people at hand have their reading."""
    people: int = 1
    """How many there are."""
    next_person: bool = False
    """The one measured last must step away before the next is."""
    can_add: bool = False
    can_aside: bool = False
    can_boot: bool = False
    """A vehicle is at hand whose boot nobody has looked into."""
    can_extend: bool = False
    asked: bool = False
    """The holder is to say where they live: the two answers are 对 and 不对."""
    aside: tuple[AsideView, ...] = ()
    visits: tuple[VisitView, ...] = ()
    bookings: tuple[BookingView, ...] = ()
    roster: int = 0
    """The directory's version when there is an open roster (`/roster` has it), else 0."""
    roster_closed: str | None = None
    """Why it is there and not open (key): roster_closed (badge and PIN open it), roster_no_key (this badge never will)."""
    courier: str = "shelf"
    """The policy: shelf, visitor."""
    couriers: int = 0
    """Tallied today."""
    counted: int | None = None
    """People that the presence sensor counted in the last full quarter of an hour; None without a sensor."""
    recorded: int = 0
    """People in entries in the same time."""
    uncounted: bool = False
    """So many more were counted than recorded that somebody must have passed unrecorded."""
    page: int = 0
    """The page of the paper register that was last held up, to be keyed in; 0: none."""
    barrier: bool = False
    """There is one to raise."""
    shut: bool = False
    """The volunteer has locked the gate."""
    can_settings: bool = False
    """There is a PIN for the settings."""
    settings: SettingsView | None = None
    drift_celsius: float | None = None
    """How far the thermometer is off by the people it has measured, while it is suspect: 请校准."""


class ResidentView(msgspec.Struct, frozen=True, kw_only=True):
    """All that the resident's own display is told: where to stand, never why."""

    n: int
    gate: str
    clock: str
    language: str
    sentence: str
    tone: str
    """look, admit, retake, refer, refuse, emergency, waiting."""
    direction: Direction
    night: bool
    notices: tuple[str, ...]


def resident_view(snapshot: Snapshot) -> ResidentView:
    """The part of a snapshot that a resident may see."""
    at_hand = snapshot.phase not in (Phase.WAITING, Phase.SEVERAL, Phase.PIN, Phase.CHECKLIST)
    return ResidentView(
        n=snapshot.n, gate=snapshot.gate, clock=snapshot.clock, language=snapshot.language, sentence=snapshot.sentence,
        tone=str(snapshot.outcome or "look") if at_hand else "waiting", direction=snapshot.direction, night=snapshot.night,
        notices=snapshot.notices,
    )  # fmt: skip
