"""What a station is told once, at its start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo

from contract.events import Direction, Site
from contract.five import Lifetimes
from kiosk.rules.temperature import TemperatureRule


@dataclass(frozen=True)
class Timing:
    """How long each phase lasts, in seconds."""

    admitted: float = 3
    """An admission is shown; the next pass takes over at once."""
    shown: float = 10
    """Any other outcome."""
    referred: float = 20
    """A referral waits for the volunteer's decision."""
    reading: float = 12
    """Until the thermometer is given up for this person."""
    party: float = 45
    """The same for the next one of a party, who has to come first."""
    retake_pause: float = 1.5
    """Before a retake's samples count: time to bare a wrist."""
    typing: float = 60
    pin: float = 60
    checklist: float = 60
    several: float = 3
    error: float = 6
    pin_lock: float = 60
    thermometer_answers: float = 10
    """A thermometer silent for longer is not waited for."""
    held_up: float = 10
    """A pass shown again this soon after its admission is the same person still holding it up."""
    identified: float = 10
    """The station says which one it is."""
    stray: float = 30
    """A stray code is recorded once in this time."""
    settling: float = 5
    """After a start, before anything is said to be missing."""
    retry: float = 1
    """Between attempts to write what the journal could not take."""
    shift_left: float = 4 * 3600
    """A shift that nobody has confirmed for this long past its evidence has ended."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a station is told once, at its start."""

    station: str
    gate: str
    gate_name: str
    compound: str
    compound_name: str
    lane: str = "1"
    direction: Direction | None = None
    """Fixed, or None: a toggle on the screen."""
    timezone: tzinfo = UTC
    language: str = "zh"
    thermometer: str | None = None
    """The driver's name; None: temperatures are typed."""
    site: Site = Site.FOREHEAD
    calibration_due: date | None = None
    presence: bool = False
    """There is a presence sensor that counts people."""
    barrier: bool = False
    settings_pin: str = ""
    """argon2id of the settings' PIN; empty: they stay closed."""
    loudness: int = 85
    night_loudness: int = 40
    brightness: int = 100
    temperature: TemperatureRule = field(default_factory=TemperatureRule)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    timing: Timing = Timing()
    measure_on_exit: bool = False
    pass_keys: Mapping[str, bytes] = field(default_factory=dict)
    """kid → raw Ed25519 public key: used until a directory with keys has arrived."""
    built_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    """No time is earlier than the program itself."""
    software: str = ""
