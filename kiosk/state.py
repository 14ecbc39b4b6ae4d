"""What a station knows at one moment: frozen values, replaced and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from contract.directory import Badge, Directory
from contract.events import Band, Body, Direction, Entry, Reading, Site, Who
from contract.five import Item
from contract.passes import Pass, PassKind
from contract.sealing import Personal
from kiosk.drivers.base import Fault, Measurement, SelfTest
from kiosk.inputs import Effect, Now, Record
from kiosk.lasting import Lasting
from kiosk.rules import movement
from kiosk.rules.movement import Moved
from kiosk.setup import Setup as Setup
from kiosk.steps.forms import Form

ALONE = "self"
"""The role of the one whose pass or name an entry is about."""


@dataclass(frozen=True)
class Person:
    """Somebody at the gate, by the code that was shown."""

    token: str
    claims: Pass | None
    """None when the code is no pass that could be read."""
    seen_ns: int
    direction: Direction
    colour: str | None = None
    follows: str | None = None
    """The entry that the next one of this person continues."""
    tries: tuple[Band, ...] = ()
    site: Site = Site.FOREHEAD
    by_hand: bool = False
    """The thermometer failed for this person: the figure is typed."""
    form: Form | None = None
    """What was asked and written down, when there is no code."""
    logged: Entry | None = None
    """The referral itself, when a restart has left nothing more to know them by."""
    roles: tuple[str, ...] = (ALONE,)
    """Everyone of the party, in the order in which they are measured."""
    readings: tuple[tuple[str, Reading], ...] = ()
    """Of those of the party who have been measured: role and reading."""
    boot_checked: bool | None = None
    by: str | None = None
    """The badge of the volunteer who found them or wrote them down."""
    confirmed_by: str | None = None
    """The badge of the volunteer who let them in; only their temperature is still wanted."""
    answer: bool | None = None
    """Whether they could say where they live."""

    @property
    def pass_id(self) -> str | None:
        """The pass that moves with them, shown or not."""
        if self.claims is not None:
            return self.claims.id
        known = self.form or self.logged
        return known.pass_id if known else None

    @property
    def who(self) -> Who | None:
        """What they are to the gate; None: as the kind of the pass says."""
        if self.claims is not None:
            return Who.VEHICLE if self.claims.kind is PassKind.VEHICLE else None
        known = self.form or self.logged
        return known.who if known else None

    @property
    def role(self) -> str:
        """The role of the one to be measured now."""
        return self.roles[min(len(self.readings), len(self.roles) - 1)]


@dataclass(frozen=True)
class Waiting:
    """Nobody is at hand."""


@dataclass(frozen=True)
class Several:
    """Two codes in view."""

    since_ns: int


@dataclass(frozen=True)
class Measuring:
    """The pass is good; samples taken strictly after `after_ns` are this person's."""

    person: Person
    since_ns: int
    after_ns: int
    samples: tuple[Measurement | Fault, ...] = ()
    gap: bool = False
    """The one of the party who was measured last must step away first."""


@dataclass(frozen=True)
class Typing:
    """The volunteer types the figure."""

    person: Person
    since_ns: int


@dataclass(frozen=True)
class Shown:
    """A decision; shown as done only once `saved`, the id of its entry in the journal, is there."""

    person: Person | None
    entry: Entry
    since_ns: int
    saved: str | None = None


@dataclass(frozen=True)
class PinWanted:
    """A badge was shown; `back` is where the screen was before."""

    badge: Badge
    token: str = field(repr=False)
    since_ns: int
    back: "AtHand"
    checking: bool = False
    name: str = ""
    """As the badge's token says it, masked."""


@dataclass(frozen=True)
class Checking:
    """The camera looks for the day's code; `photo`: it was found, and the picture is being taken."""

    item: Item
    since_ns: int
    photo: bool = False


AtHand = Waiting | Several | Measuring | Typing | Shown | PinWanted | Checking


@dataclass(frozen=True)
class Heard:
    """What the thermometer last said."""

    at_ns: int | None = None
    ambient_celsius: float | None = None
    fault: str | None = None
    """The kind of its last fault; None after a good read."""


@dataclass(frozen=True)
class Device:
    """A device as it last reported itself."""

    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class Link:
    """The way to the hub."""

    connected: bool = False
    detail: str = ""
    backlog: int = 0


@dataclass(frozen=True)
class Attempts:
    """Wrong PINs with one badge."""

    wrong: int = 0
    locked_until_ns: int | None = None


@dataclass(frozen=True)
class Trouble:
    """What went wrong with the last touch."""

    key: str
    since_ns: int


@dataclass(frozen=True)
class Counting:
    """People in one stretch of time: counted by the presence sensor, and recorded in entries."""

    since_ns: int
    counted: int = 0
    recorded: int = 0


@dataclass(frozen=True)
class Panel:
    """The settings on the screen."""

    asked_ns: int | None = None
    """Since when their PIN is being checked."""
    touched_ns: int | None = None
    """The last touch while they are open; None: they are closed."""
    testing: bool = False
    tests: tuple[SelfTest, ...] = ()
    """What the devices said of themselves when they were last asked."""


@dataclass(frozen=True)
class State:
    """Everything a station knows."""

    lasting: Lasting
    floor: datetime
    """The earliest that `floor_ns` can have been."""
    floor_ns: int
    began_ns: int
    synced: bool
    direction: Direction
    language: str
    at_hand: AtHand = Waiting()
    directory: Directory | None = None
    siblings: Mapping[str, Moved] = field(default_factory=dict)
    inside: int = 0
    heard: Heard = Heard()
    devices: Mapping[str, Device] = field(default_factory=dict)
    link: Link = Link()
    journal_problem: str | None = None
    unsaved: tuple[Record, ...] = ()
    """What the journal could not take, in order; nothing is dropped."""
    tried_ns: int = 0
    attempts: Mapping[str, Attempts] = field(default_factory=dict)
    trouble: Trouble | None = None
    asked: tuple[tuple[Entry, Person], ...] = ()
    """Entries that were asked to be written, and whose they are, until they are."""
    people: Mapping[str, Person] = field(default_factory=dict)
    """Whose the last entries are, by their id: names are in memory only, since the journal keeps them sealed."""
    on_duty: tuple[str, str] = ("", "")
    """The badge that was last shown and signed in, and its holder's name: in memory only, like all names."""
    stray: tuple[str, int] | None = None
    page: int = 0
    """The page of the paper register that was last held up; 0: none."""
    present: bool | None = None
    """Whether somebody is near; None: no sensor has said."""
    counting: Counting = Counting(0)
    """The stretch of time that is running."""
    window: Counting | None = None
    """The last full one."""
    panel: Panel = Panel()
    identified_ns: int | None = None
    """When the hub last asked which station this is; None: never."""


Step = tuple[State, tuple[Effect, ...]]
P = TypeVar("P")


def begin(setup: Setup, lasting: Lasting, now: Now) -> State:
    """The state of a station that has just read its journal."""
    floor = max(filter(None, (now.utc, lasting.latest, setup.built_at)))
    direction = setup.direction or Direction.IN
    language = str(lasting.chosen.in_force.get("language", setup.language))
    return State(
        lasting, floor, now.mono_ns, now.mono_ns, now.synced, direction, language,
        inside=len(movement.inside(lasting.moved)), counting=Counting(now.mono_ns),
    )  # fmt: skip


def time_of(state: State, now: Now) -> datetime:
    """The time: the wall clock's when synced, else the latest of journal, directory and build, and what has gone by since."""
    if now.synced:
        return now.utc
    return state.floor + timedelta(microseconds=(now.mono_ns - state.floor_ns) / 1000)


def past(since_ns: int, seconds: float, now: Now) -> bool:
    """Whether more than `seconds` have gone by."""
    return now.mono_ns - since_ns > seconds * 1e9


def record(state: State, *bodies: Body, personal: Personal | None = None) -> Step:
    """Ask for events to be written, after all that still waits for it."""
    wanted = Record(bodies, personal)
    if state.unsaved:
        return replace(state, unsaved=(*state.unsaved, wanted)), ()
    return state, (wanted,)


def fail(state: State, key: str, now: Now) -> Step:
    """Say what was wrong with a touch; nothing else changes."""
    return replace(state, trouble=Trouble(key, now.mono_ns)), ()


def join(first: Step, second: Step) -> Step:
    """The second step, taken after the first: its state, and the effects of both."""
    return second[0], (*first[1], *second[1])
