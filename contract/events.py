"""The journal's events, one tagged union of frozen structs: what happened at a gate, and on what it was decided."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import msgspec

from contract.codec import Instant, Message, decoder
from contract.five import Evidence
from contract.sealing import Sealed

Natural = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Sequence = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$(?!\n)")]
Text = Annotated[str, msgspec.Meta(max_length=500)]


class Clock(StrEnum):
    """Whether the station's wall clock could be trusted when the event was written."""

    SYNCED = "synced"
    UNSYNCED = "unsynced"


class Direction(StrEnum):
    """进 or 出."""

    IN = "in"
    OUT = "out"


class Outcome(StrEnum):
    """What a gate decided, or what happened without it."""

    ADMIT = "admit"
    RETAKE = "retake"
    REFER = "refer"
    REFUSE = "refuse"
    EMERGENCY = "emergency"
    UNCHECKED = "unchecked"


class Band(StrEnum):
    """What a reading means. Only *normal* is normal: no target and unknown never are."""

    NORMAL = "normal"
    FEVER = "fever"
    LOW = "low"
    NO_TARGET = "no_target"
    UNKNOWN = "unknown"


class Site(StrEnum):
    """Where on the body the temperature was taken."""

    FOREHEAD = "forehead"
    WRIST = "wrist"
    NECK = "neck"


class Who(StrEnum):
    """What somebody is to the gate, and so which book of the register they stand in."""

    RESIDENT = "resident"
    VISITOR = "visitor"
    COURIER = "courier"
    WORKER = "worker"
    TRAVELLER = "traveller"
    """Back from a key area: 返沪报到."""
    COMPANION = "companion"
    """A child or an elder who came with somebody, in an entry of their own."""
    VEHICLE = "vehicle"
    TAXI = "taxi"


class Reading(Message, frozen=True, kw_only=True):
    """测温读数: one temperature, taken after the pass it is paired with."""

    band: Band
    source: Identifier
    """The instrument: a driver's name, or `typed` for a hand-held gun."""
    body_celsius: float | None = None
    skin_celsius: float | None = None
    ambient_celsius: float | None = None
    site: Site = Site.FOREHEAD
    degraded: bool = False
    """Taken outside the instrument's operating range."""
    reasons: tuple[Identifier, ...] = ()
    typed_seconds: float | None = None
    """How long the typing took; a sign of gaming when short."""


class Companion(Message, frozen=True, kw_only=True, omit_defaults=True):
    """One more person of an entry: a child by the hand, an occupant of a vehicle. Each has a reading of their own."""

    role: Identifier
    """driver, occupant, child, elder."""
    reading: Reading | None = None
    pass_id: str | None = None


class Written(Message, frozen=True, kw_only=True, omit_defaults=True):
    """An entry keyed in later, from paper or from memory: marked for ever, since anybody can write anything."""

    at: Instant
    """When it happened, as the paper says."""
    page: Text = ""
    """The text of the page's code; empty when there was no page."""
    line: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0


class Entry(Message, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="entry"):
    """One person or vehicle at the gate: what was decided and on what, so that the hub can judge it again."""

    direction: Direction
    outcome: Outcome
    reasons: tuple[Identifier, ...] = ()
    lane: Identifier = "1"
    pass_id: str | None = None
    """The pass's `cti`, 32 hex digits; None when nothing could be trusted."""
    pass_kind: Identifier | None = None
    key_id: str | None = None
    directory_version: Natural = 0
    colour: Identifier | None = None
    reading: Reading | None = None
    by: Identifier | None = None
    """The volunteer's badge when a person decided; None when the station did."""
    follows: str | None = None
    """The id of the entry of the same person that this one continues (a retake, a confirmation)."""
    people: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    personal: Sealed | None = None
    photo: str | None = None
    ms: float | None = None
    """Milliseconds from the first frame that held the code to the decision."""
    who: Who | None = None
    """None: as the kind of the pass says."""
    found: Identifier = "code"
    """How somebody was told: code, list (by building and room), form (asked and written down), paper."""
    companions: Annotated[tuple[Companion, ...], msgspec.Meta(max_length=99)] = ()
    """Everyone else of the entry; `people` counts them too."""
    boot_checked: bool | None = None
    """后备箱: opened and looked into; None where there is none."""
    purpose: Identifier | None = None
    """事由, where it is one of the usual: visit, delivery, repair, care, property, …; in other words it is sealed."""
    host_confirmed: bool | None = None
    """住户确认: the household said yes, by phone; None: not asked."""
    key_area: bool | None = None
    """14天重点地区史/接触史; None: not asked."""
    answer: bool | None = None
    """Whether the holder could say where they live, when asked at random; None: not asked."""
    visit: str | None = None
    """The id of the entry that this exit ends: 离开时间."""
    booking: Identifier | None = None
    written: Written | None = None


class Correction(Message, frozen=True, kw_only=True, tag_field="kind", tag="correction"):
    """A mistaken entry, named and put right by a later event; the first one stays."""

    corrects: str
    outcome: Outcome | None = None
    cancelled: bool = False
    by: Identifier | None = None
    note: Text = ""


class EvidenceChange(Message, frozen=True, kw_only=True, tag_field="kind", tag="evidence"):
    """A change in what the station knows of one of its five. Its times are the station's; its lifetime is a duration."""

    evidence: Evidence
    lifetime_seconds: float | None = None
    """Seconds from the event on for which it holds; None: until a later event says otherwise."""


class ShiftChange(Message, frozen=True, kw_only=True, tag_field="kind", tag="shift"):
    """A volunteer signed in or off by badge and PIN."""

    on: bool
    badge: Identifier
    """The badge's pass id."""
    reason: Identifier = "badge"
    """badge, handed_over, expired, revoked, demonstration."""
    hours: float | None = None
    """How long this shift was, when it ends."""
    waiting: Natural = 0
    """How many stood at the side when it ended: handed over with it."""


class DutyConfirmed(Message, frozen=True, kw_only=True, tag_field="kind", tag="duty_confirmed"):
    """The volunteer on shift touched the screen or showed the badge: somebody is there."""

    badge: Identifier
    by_touch: bool


class Started(Message, frozen=True, kw_only=True, tag_field="kind", tag="started"):
    """A station began to guard its gate."""

    software: Text
    gap_seconds: float | None = None
    """Seconds since the last event before it, by the wall clock; None when that can't be known."""
    unclean: bool = False
    """The boot before ended without saying so: killed, or the power was cut."""


class Stopped(Message, frozen=True, kw_only=True, tag_field="kind", tag="stopped"):
    """A station stopped in an orderly way."""

    reason: Text = ""


class DeviceChange(Message, frozen=True, kw_only=True, tag_field="kind", tag="device"):
    """A device of the station came, went or failed."""

    device: Identifier
    ok: bool
    detail: Text = ""


class DirectoryApplied(Message, frozen=True, kw_only=True, tag_field="kind", tag="directory"):
    """From here on the station decides by this version of the directory."""

    version: Natural


class ClockSynced(Message, frozen=True, kw_only=True, tag_field="kind", tag="clock_synced"):
    """In this boot `mono_ns` of the event is its `at`: what was written unsynced in the same boot can be dated."""

    stepped_seconds: float


class JournalBegun(Message, frozen=True, kw_only=True, tag_field="kind", tag="journal_begun"):
    """The first event of a journal, and why it was begun."""

    reason: Identifier
    """new, fork, corrupt."""
    previous: str | None = None
    previous_seq: Natural | None = None
    """The last sequence number of the previous journal that still belongs to it."""


class HelpCalled(Message, frozen=True, kw_only=True, tag_field="kind", tag="help"):
    """求助: the volunteer called for help, silently."""

    by: Identifier | None = None
    entry: str | None = None
    """The entry that was on the screen, or stood at the side, when help was called."""


class PhotoAttached(Message, frozen=True, kw_only=True, tag_field="kind", tag="photo"):
    """A sealed photo that belongs to an earlier event: taken after that was written, so that nothing waits for a camera."""

    event: str
    photo: str
    """SHA-256 (hex) of the sealed photo."""
    purpose: Identifier
    """emergency, help, unchecked, lock."""


class Tallied(Message, frozen=True, kw_only=True, tag_field="kind", tag="tally"):
    """Somebody who did not go in, counted by one touch: a courier who left it at the shelf."""

    what: Identifier
    by: Identifier | None = None


class PeopleCounted(Message, frozen=True, kw_only=True, tag_field="kind", tag="people"):
    """People that the presence sensor counted, against people in entries, over the time before the event."""

    seconds: float
    counted: Natural
    recorded: Natural


class BarrierOpened(Message, frozen=True, kw_only=True, tag_field="kind", tag="barrier"):
    """The barrier was told to open, or was opened by its own button."""

    cause: Identifier
    """emergency, entry, touch, button, hub."""
    by: Identifier | None = None


class GateShut(Message, frozen=True, kw_only=True, tag_field="kind", tag="gate_shut"):
    """The volunteer locked the gate, or opened it again; the lock's photo follows as `PhotoAttached`."""

    shut: bool
    by: Identifier | None = None


class SettingsChanged(Message, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="settings"):
    """Settings changed: on the station's own screen, behind its PIN, or by the hub's `Config`, whose answer this is."""

    settings: dict[str, str | int | float | bool]
    """On the screen: those that changed. From the hub: all that it decides and the station can set."""
    config: Identifier | None = None
    """The id of the `Config`; None: set on the screen."""
    refused: dict[str, Identifier] = {}
    """What the station did not set of it, by name, and why: unknown, kind, range, choice."""
    renewed: bool = False
    """Nothing changed: said again before what it rests on is dropped from the journal."""


class GapAnswered(Message, frozen=True, kw_only=True, tag_field="kind", tag="gap_answered"):
    """Somebody at the gate has seen how long the power was gone, and says whether people passed meanwhile."""

    missed: bool
    by: Identifier | None = None


Body = (
    Entry | Correction | EvidenceChange | ShiftChange | DutyConfirmed | Started | Stopped
    | DeviceChange | DirectoryApplied | ClockSynced | JournalBegun | HelpCalled
    | PhotoAttached | Tallied | PeopleCounted | BarrierOpened | GateShut | SettingsChanged | GapAnswered
)  # fmt: skip


class Event(Message, frozen=True, kw_only=True):
    """One line of the journal."""

    seq: Sequence
    id: str
    """UUIDv7 (RFC 9562)."""
    at: Instant
    """The wall clock when it was written, UTC."""
    boot: str
    """The id of the boot it was written in."""
    mono_ns: Natural
    """The monotonic clock of that boot."""
    clock: Clock
    body: Body


def kind_of(body: Body) -> str:
    """The event's kind, as it stands in its body."""
    return str(type(body).__struct_config__.tag)


decode_event: Callable[[bytes], Event] = decoder(Event)
decode_body: Callable[[bytes], Body] = decoder(Body)
