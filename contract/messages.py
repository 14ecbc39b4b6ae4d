"""What travels over MQTT beside the directory: typed, versioned, JSON."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import msgspec

from contract import VERSION
from contract.codec import BadMessage, Instant, Message, decoder
from contract.directory import Manifest
from contract.events import Clock, Event, Identifier, Natural, Sequence, Text
from contract.five import Basis, Item

M = TypeVar("M", bound=Message)


class Presence(Message, frozen=True, kw_only=True):
    """Birth (online) and last will (offline). A will counts only for the birth whose id it carries."""

    v: int = VERSION
    online: bool
    birth: str
    """A new id for each connection."""
    boot: str
    journal: str
    last_seq: Natural = 0
    software: Text = ""


class JournalBatch(Message, frozen=True, kw_only=True):
    """Consecutive events of one journal, each kept as it came so that one that can't be read spoils no other."""

    v: int = VERSION
    journal: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    boot: str
    """The boot in which it was sent."""
    mono_ns: Natural
    """That boot's monotonic clock at sending: an event's age without comparing two clocks."""
    first_seq: Sequence
    live: bool = True
    events: Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(min_length=1, max_length=1000)]


class EvidencePulse(Message, frozen=True, kw_only=True):
    """A station's current evidence, by durations."""

    item: Item
    present: bool
    basis: Basis
    age_seconds: Annotated[float, msgspec.Meta(ge=0)]
    remaining_seconds: float | None = None
    by: str | None = None
    reason: str | None = None
    photo: str | None = None


class DeviceState(Message, frozen=True, kw_only=True):
    device: Identifier
    ok: bool
    detail: Text = ""


class Vitals(Message, frozen=True, kw_only=True):
    """The pulse, every 15 s: QoS 0, never retained."""

    v: int = VERSION
    boot: str
    mono_ns: Natural
    at: Instant
    clock: Clock
    last_seq: Natural
    backlog: Natural
    """Events not yet acknowledged."""
    directory_version: Natural
    evidence: tuple[EvidencePulse, ...] = ()
    devices: tuple[DeviceState, ...] = ()
    disk_free_bytes: Natural | None = None
    software: Text = ""


class Ack(Message, frozen=True, kw_only=True):
    """What the hub has committed of one journal. Sent after its own commit, signed."""

    v: int = VERSION
    journal: str
    store_epoch: str
    """Which life of the hub's store this is; a new one may go back, and stations send again."""
    upto: Natural
    """Everything from 1 to here is stored."""
    ranges: tuple[tuple[Sequence, Sequence], ...] = ()
    """Stored beyond `upto`: inclusive, in order."""
    fork_at: Natural | None = None
    """The first seq under which the hub holds another event: begin a new journal and send from here on."""


class CommandName(StrEnum):
    SELFTEST = "selftest"
    IDENTIFY = "identify"
    SNAPSHOT = "snapshot"
    OPEN_BARRIER = "open_barrier"
    RESTART = "restart"
    RENEW = "renew"
    """Make a new key pair; the answer's detail is a certificate request for it (PKCS #10, DER in base64)."""
    INSTALL = "install"
    """Use this certificate (`argument`: X.509, DER in base64) of the key pair made by `RENEW`, and connect with it."""


INSTALLED, IN_USE = "installed", "in use"
"""What a station answers to `INSTALL`: that it connects anew with this certificate; that it is connected with it."""


class Command(Message, frozen=True, kw_only=True):
    """Something the hub asks of one station; it lives 30 s."""

    v: int = VERSION
    id: Identifier
    name: CommandName
    argument: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class CommandReply(Message, frozen=True, kw_only=True):
    v: int = VERSION
    id: Identifier
    ok: bool
    detail: Text = ""


class Config(Message, frozen=True, kw_only=True):
    """All settings of one station that the hub decides (`contract.station_settings`).

    What can't be set is left out. The journal's next `SettingsChanged` with this id is the answer. The same id changes nothing.
    """

    v: int = VERSION
    id: Identifier
    settings: Annotated[
        dict[Annotated[str, msgspec.Meta(max_length=64)], Text | int | float | bool], msgspec.Meta(max_length=100)
    ] = {}


class Movement(Message, frozen=True, kw_only=True):
    """A pass that went in or out at a gate of the compound."""

    pass_id: str
    direction: Annotated[str, msgspec.Meta(pattern="^(in|out)$")]
    gate: Identifier
    station: Text = ""
    """Which lane's station wrote it: it knows that already. Empty from a hub that doesn't say."""
    age_seconds: Annotated[float, msgspec.Meta(ge=0)]


class Movements(Message, frozen=True, kw_only=True):
    v: int = VERSION
    compound: Identifier
    movements: tuple[Movement, ...] = ()


class _Versioned(Message, frozen=True, kw_only=True):
    v: int


_version: Callable[[bytes], _Versioned] = decoder(_Versioned)


def decode(kind: type[M], data: bytes) -> M:
    """Decode a message of a known kind; raises `BadMessage`, for an unknown version as well."""
    found = _version(data).v
    if found != VERSION:
        raise BadMessage(f"version {found} is not understood; this program understands {VERSION}")
    decoded: M = _decoders[kind](data)
    return decoded


_decoders: dict[type[Message], Callable[[bytes], Any]] = {
    kind: decoder(kind)
    for kind in (Presence, JournalBatch, Vitals, Ack, Command, CommandReply, Config, Movements, Manifest)
}  # fmt: skip


def raw_events(events: tuple[Event, ...]) -> tuple[msgspec.Raw, ...]:
    """Events as they stand in a batch."""
    return tuple(msgspec.Raw(msgspec.json.encode(event)) for event in events)
