"""Whether a gate has its five: compliant, non-compliant, unreachable or closed. The weighing is the kiosk's own (contract.five).

A lane is silent once its grace has passed since it was last heard, and from then on its evidence says nothing but what an
inspection found missing. A last will starts nothing of its own: the grace still counts from the last pulse. One silent lane of
several leaves register, passes and temperature missing, so such a gate is never compliant; when every lane in service is silent
the gate is unreachable.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

import msgspec

from contract.five import Basis, Evidence, Finding, Findings, Item, Lifetimes, assess_gate

NEVER_HEARD, STATION_SILENT = "never_heard", "station_silent"
SILENCES = frozenset({NEVER_HEARD, STATION_SILENT})
"""Why an item is missing that nobody can tell of."""


class Status(StrEnum):
    """What is said of a gate. Only *compliant* is compliant."""

    COMPLIANT = "compliant"
    NON_COMPLIANT = "non_compliant"
    UNREACHABLE = "unreachable"
    CLOSED = "closed"


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the hub's own frozen values."""


class Place(Value, frozen=True, kw_only=True):
    """A gate and where it belongs."""

    gate: str
    gate_name: str = ""
    compound: str = ""
    compound_name: str = ""
    area: str = ""
    area_name: str = ""
    liaison: str = ""
    closed: bool = False
    schedule: tuple[tuple[int, int], ...] = ()
    """Opening hours as minutes from local midnight; none: always open."""
    shut_at: datetime | None = None
    """Since when a volunteer has it locked; None: not locked."""
    shut_by: str | None = None
    shut_event: str | None = None
    """The id of the event that said so: the lock's photo belongs to it."""


class Lane(Value, frozen=True, kw_only=True):
    """A station as the hub knows it: its evidence, anchored in the hub's own time, and when it was last heard."""

    station: str
    lane: str = "1"
    in_service: bool = True
    added_at: datetime
    heard_at: datetime | None = None
    """None: never."""
    online: bool = False
    backlog: int | None = None
    directory_version: int | None = None
    clock: str | None = None
    evidence: tuple[Evidence, ...] = ()


class Hearing(Value, frozen=True, kw_only=True):
    """How well the hub itself hears: while it has lost the broker it blames no gate."""

    blind_since: datetime | None = None
    """None: it hears."""
    blind_from: datetime | None = None
    """When the last blindness began."""
    regained_at: datetime | None = None
    """When it ended."""


class ItemStatus(Value, frozen=True, kw_only=True):
    """One of the five at a gate. `since`: when its evidence last changed; read from the store, since when it is so."""

    present: bool
    basis: str | None = None
    reason: str | None = None
    since: datetime | None = None


class StationStatus(Value, frozen=True, kw_only=True):
    """A station in a gate's status."""

    station: str
    lane: str = "1"
    in_service: bool = True
    online: bool = False
    heard_seconds_ago: float | None = None
    """None: never heard."""
    backlog: int | None = None
    directory_version: int | None = None
    clock: str | None = None


class Closing(StrEnum):
    """Why a gate is closed."""

    ORDER = "order"
    """Put out of use in the registry."""
    VOLUNTEER = "volunteer"
    """Locked by whoever was on duty."""
    SCHEDULE = "schedule"
    """Outside its opening hours."""


class Passed(Value, frozen=True, kw_only=True):
    """Who went through a gate although it was closed: an alert."""

    entries: int
    people: int
    last_at: datetime


class GateStatus(Value, frozen=True, kw_only=True):
    """What the hub says of a gate; `since` is when this status began."""

    gate: str
    gate_name: str
    compound: str
    compound_name: str
    area: str
    area_name: str
    liaison: str
    status: Status
    items: dict[str, ItemStatus]
    since: datetime | None = None
    stations: tuple[StationStatus, ...] = ()
    closing: Closing | None = None
    """Why it is closed; None: it is not."""
    shut_by: str | None = None
    shut_event: str | None = None
    passed: Passed | None = None
    """Who went through since it was closed."""


def gate_status(
    place: Place, lanes: Sequence[Lane], now: datetime, lifetimes: Lifetimes, *, zone: tzinfo, hearing: Hearing | None = None
) -> GateStatus:
    """The status of a gate at `now`, or as it was last known when the hub is blind."""
    hearing = hearing or Hearing()
    now = as_of(now, hearing)
    serving = [lane for lane in lanes if lane.in_service]
    silent = {lane.station for lane in serving if silent_at(lane, lifetimes, hearing) <= now}
    ordered = sorted(serving, key=lambda lane: lane.station in silent)
    said = {lane.station: _says(lane, lane.station in silent, lifetimes, hearing) for lane in ordered}
    findings = assess_gate(said, now)
    closing = closing_of(place, now.astimezone(zone))
    status = Status.CLOSED if closing else _status(findings, len(silent) == len(serving))
    return GateStatus(
        gate=place.gate, gate_name=place.gate_name, compound=place.compound, compound_name=place.compound_name,
        area=place.area, area_name=place.area_name, liaison=place.liaison, status=status,
        items={item.value: item_status(findings[item], _turned(item, said.values(), now)) for item in Item},
        since=_unheard_since(serving, lifetimes, hearing) if status is Status.UNREACHABLE else _locked_since(place, closing),
        stations=tuple(_station(lane, now) for lane in lanes), closing=closing,
        shut_by=place.shut_by if closing else None, shut_event=place.shut_event if closing else None,
    )  # fmt: skip


def item_status(finding: Finding, since: datetime | None) -> ItemStatus:
    """What the evidence says of an item, as a gate's status tells it; silence has no basis."""
    basis = None if finding.reason in SILENCES else finding.basis
    return ItemStatus(present=finding.present, basis=basis, reason=finding.reason, since=since)


def silence(lane: Lane, since: datetime) -> tuple[Evidence, ...]:
    """What a silent lane says: nothing is there since it fell silent, but for what was found missing by inspection."""
    reason = NEVER_HEARD if lane.heard_at is None else STATION_SILENT
    said = (Evidence(item=i, present=False, basis=Basis.SENSOR, observed_at=since, reason=reason) for i in Item)
    return (*said, *(e for e in lane.evidence if e.basis is Basis.INSPECTED and not e.present))


def as_of(now: datetime, hearing: Hearing) -> datetime:
    """The time at which gates are judged: a blind hub keeps to what it last knew."""
    return now if hearing.blind_since is None else min(now, hearing.blind_since)


def silent_at(lane: Lane, lifetimes: Lifetimes, hearing: Hearing) -> datetime:
    """When a lane falls silent, or fell: a station never heard was silent from the start."""
    if lane.heard_at is None:
        return lane.added_at
    silent = lane.heard_at + timedelta(seconds=lifetimes.grace)
    return max(silent, _fresh_grace(lifetimes, hearing)) if _excused(lane, lifetimes, hearing) else silent


def is_open(schedule: Sequence[tuple[int, int]], local: datetime) -> bool:
    """Whether a gate is open at a local time; hours may go over midnight."""
    minute = local.hour * 60 + local.minute
    return not schedule or any(a <= minute < b if a <= b else minute >= a or minute < b for a, b in schedule)


def next_change(lanes: Sequence[Lane], now: datetime, lifetimes: Lifetimes, hearing: Hearing) -> datetime:
    """The earliest time after `now` at which a status could change by time alone; at the latest the next full minute."""
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    times = [silent_at(lane, lifetimes, hearing) for lane in lanes]
    times += [e.valid_until for lane in lanes for e in lane.evidence if e.valid_until is not None]
    return min([minute, *(t for t in times if t > now)])


def closing_of(place: Place, local: datetime) -> Closing | None:
    """Why a gate is closed at a local time; None: it is open."""
    if place.closed:
        return Closing.ORDER
    if place.shut_at is not None:
        return Closing.VOLUNTEER
    return None if is_open(place.schedule, local) else Closing.SCHEDULE


def _locked_since(place: Place, closing: Closing | None) -> datetime | None:
    return place.shut_at if closing is Closing.VOLUNTEER else None


def _status(findings: Findings, all_silent: bool) -> Status:
    if all_silent:
        return Status.UNREACHABLE
    return Status.COMPLIANT if all(f.present for f in findings.values()) else Status.NON_COMPLIANT


def _says(lane: Lane, silent: bool, lifetimes: Lifetimes, hearing: Hearing) -> tuple[Evidence, ...]:
    if silent:
        return silence(lane, silent_at(lane, lifetimes, hearing))
    return tuple(_held(e, lifetimes, hearing) for e in lane.evidence) if _excused(lane, lifetimes, hearing) else lane.evidence


def _turned(item: Item, said: Iterable[Iterable[Evidence]], now: datetime) -> datetime | None:
    """When the evidence of an item last changed, at whichever lane: the deciding piece may be much older, such as what a broken
    sensor says, for which a declaration stood in until it ran out."""
    known = [e for evidence in said for e in evidence if e.item is item]
    times = [time for e in known for time in (e.observed_at, e.valid_until) if time is not None and time <= now]
    return max(times, default=None)


def _excused(lane: Lane, lifetimes: Lifetimes, hearing: Hearing) -> bool:
    """Heard until the hub went blind, and not yet again: its silence is the hub's own fault."""
    if lane.heard_at is None or hearing.blind_from is None or hearing.regained_at is None:
        return False
    return lane.heard_at < hearing.regained_at and hearing.blind_from < lane.heard_at + timedelta(seconds=lifetimes.grace)


def _fresh_grace(lifetimes: Lifetimes, hearing: Hearing) -> datetime:
    assert hearing.regained_at is not None
    return hearing.regained_at + timedelta(seconds=lifetimes.grace)


def _held(evidence: Evidence, lifetimes: Lifetimes, hearing: Hearing) -> Evidence:
    """Evidence that held when the hub went blind holds until the station could have renewed it."""
    until, went = evidence.valid_until, hearing.blind_from
    if until is None or went is None or until <= went:
        return evidence
    return msgspec.structs.replace(evidence, valid_until=max(until, _fresh_grace(lifetimes, hearing)))


def _unheard_since(lanes: Sequence[Lane], lifetimes: Lifetimes, hearing: Hearing) -> datetime | None:
    return max((silent_at(lane, lifetimes, hearing) for lane in lanes), default=None)


def _station(lane: Lane, now: datetime) -> StationStatus:
    ago = None if lane.heard_at is None else max(0.0, (now - lane.heard_at).total_seconds())
    return StationStatus(
        station=lane.station, lane=lane.lane, in_service=lane.in_service, online=lane.online, heard_seconds_ago=ago,
        backlog=lane.backlog, directory_version=lane.directory_version, clock=lane.clock,
    )  # fmt: skip
