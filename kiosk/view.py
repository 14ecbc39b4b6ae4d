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


class VolunteerView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    since: str
    """HH:MM, local."""
    hours: float
    ask: bool
    """Time to ask 「您还在吗?」."""


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
    wait_aside, not_allowed, please_wait, emergency, badge_pin, show_desk_code, show_register_code, closed."""
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
