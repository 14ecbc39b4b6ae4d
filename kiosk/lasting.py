"""What a station must not forget: a fold of its journal, so that a restart loses nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contract.events import (
    Body,
    Clock,
    ClockSynced,
    Correction,
    DeviceChange,
    DirectoryApplied,
    DutyConfirmed,
    Entry,
    Event,
    EvidenceChange,
    ShiftChange,
    Started,
    Stopped,
)
from contract.five import Basis, Evidence, Item
from kiosk.rules import movement
from kiosk.rules.movement import Moved

KEPT_ENTRIES = 50
"""How many of the last entries a station can show and correct."""
SHOWN_GAP_SECONDS = 60


@dataclass(frozen=True)
class Shift:
    """Who is signed in. When that was last confirmed is the volunteer's evidence."""

    badge: str
    since: datetime | None = None
    """From the first evidence of the shift: the station's time, not the journal's."""
    unsynced: bool = False


@dataclass(frozen=True)
class Held:
    """A piece of evidence as the journal has it; its times move with the clock's first synchronisation if dated before it."""

    evidence: Evidence
    unsynced: bool = False


@dataclass(frozen=True)
class Logged:
    """One of the last entries."""

    id: str
    at: datetime
    entry: Entry
    cancelled: bool = False


@dataclass(frozen=True)
class Lasting:
    """The state that rests on the journal alone."""

    shift: Shift | None = None
    evidence: Mapping[tuple[Item, Basis], Held] = field(default_factory=dict)
    moved: Mapping[str, Moved] = field(default_factory=dict)
    entries: tuple[Logged, ...] = ()
    """Oldest first."""
    directory_version: int = 0
    devices: Mapping[str, bool] = field(default_factory=dict)
    gap_seconds: float | None = None
    """How long a power cut lasted that nobody at the gate has seen yet."""
    boot: str = ""
    latest: datetime | None = None
    """The latest time that a synced clock has shown."""
    last: Event | None = None


def replay(events: Iterable[Event], lasting: Lasting | None = None) -> Lasting:
    """The lasting state after these events."""
    found = lasting or Lasting()
    moving: list[Event] = []
    for event in events:
        found = _apply(found, event)
        if isinstance(event.body, Entry | Correction):
            moving.append(event)
    return replace(found, moved=movement.fold(found.moved, moving)) if moving else found


def apply(lasting: Lasting, event: Event) -> Lasting:
    """The lasting state after one more event."""
    return replay((event,), lasting)


def boot_events(lasting: Lasting, at: datetime, synced: bool, software: str) -> tuple[Body, ...]:
    """What a station writes first: that it began and how long it was gone; when that is unknown, nobody is confirmed."""
    last = lasting.last
    known = last is not None and synced and last.clock is Clock.SYNCED
    gap = max((at - last.at).total_seconds(), 0.0) if last and known else None
    started = Started(software=software, gap_seconds=gap, unclean=_unclean(last))
    volunteer = lasting.evidence.get((Item.VOLUNTEER, Basis.DECLARED))
    if gap is not None or volunteer is None or not volunteer.evidence.present:
        return (started,)
    unconfirmed = Evidence(
        item=Item.VOLUNTEER, present=False, basis=Basis.DECLARED, observed_at=at,
        reason="not_confirmed", by=volunteer.evidence.by,
    )  # fmt: skip
    return (started, EvidenceChange(evidence=unconfirmed))


def _unclean(last: Event | None) -> bool:
    return last is not None and not isinstance(last.body, Stopped) and last.seq > 1


def _apply(lasting: Lasting, event: Event) -> Lasting:
    synced = event.clock is Clock.SYNCED
    latest = max(filter(None, (lasting.latest, event.at if synced else None)), default=None)
    dated = replace(lasting, latest=latest, boot=event.boot, last=event)
    step = _STEPS.get(type(event.body))
    return step(dated, event, event.body) if step else dated


def _entry(lasting: Lasting, event: Event, body: Entry) -> Lasting:
    return replace(lasting, entries=(*lasting.entries, Logged(event.id, event.at, body))[-KEPT_ENTRIES:])


def _correction(lasting: Lasting, event: Event, body: Correction) -> Lasting:
    marked = (replace(e, cancelled=True) if e.id == body.corrects and body.cancelled else e for e in lasting.entries)
    return replace(lasting, entries=tuple(marked))


def _evidence(lasting: Lasting, event: Event, body: EvidenceChange) -> Lasting:
    new, unsynced, shift = body.evidence, event.clock is Clock.UNSYNCED, lasting.shift
    if shift and shift.since is None and new.item is Item.VOLUNTEER and new.by == shift.badge:
        shift = replace(shift, since=new.observed_at, unsynced=unsynced)
    return replace(lasting, shift=shift, evidence={**lasting.evidence, (new.item, new.basis): Held(new, unsynced)})


def _shift(lasting: Lasting, event: Event, body: ShiftChange) -> Lasting:
    if body.on:
        return replace(lasting, shift=Shift(body.badge), gap_seconds=None)
    gone = lasting.shift is not None and lasting.shift.badge == body.badge
    return replace(lasting, shift=None) if gone else lasting


def _confirmed(lasting: Lasting, event: Event, body: DutyConfirmed) -> Lasting:
    """Somebody has touched the screen, and so has seen how long the power was gone."""
    return replace(lasting, gap_seconds=None)


def _started(lasting: Lasting, event: Event, body: Started) -> Lasting:
    """A new boot: what was dated before it can no longer be dated anew, and a power cut is shown until somebody has seen it."""
    gap = body.gap_seconds if body.unclean and (body.gap_seconds or 0) >= SHOWN_GAP_SECONDS else lasting.gap_seconds
    return _settled(replace(lasting, gap_seconds=gap))


def _synced(lasting: Lasting, event: Event, body: ClockSynced) -> Lasting:
    """What was dated since the boot by an unsynced clock moves by the clock's step."""
    step = timedelta(seconds=body.stepped_seconds)
    evidence = {key: _moved(held, step) if held.unsynced else held for key, held in lasting.evidence.items()}
    shift = lasting.shift
    if shift and shift.unsynced and shift.since:
        shift = replace(shift, since=shift.since + step)
    return _settled(replace(lasting, evidence=evidence, shift=shift))


def _moved(held: Held, step: timedelta) -> Held:
    old = held.evidence
    until = old.valid_until + step if old.valid_until else None
    return replace(held, evidence=msgspec.structs.replace(old, observed_at=old.observed_at + step, valid_until=until))


def _settled(lasting: Lasting) -> Lasting:
    evidence = {key: replace(held, unsynced=False) for key, held in lasting.evidence.items()}
    shift = replace(lasting.shift, unsynced=False) if lasting.shift else None
    return replace(lasting, evidence=evidence, shift=shift)


def _directory(lasting: Lasting, event: Event, body: DirectoryApplied) -> Lasting:
    return replace(lasting, directory_version=body.version)


def _device(lasting: Lasting, event: Event, body: DeviceChange) -> Lasting:
    return replace(lasting, devices={**lasting.devices, body.device: body.ok})


_STEPS: dict[type, Callable[[Lasting, Event, Any], Lasting]] = {
    Entry: _entry, Correction: _correction, EvidenceChange: _evidence, ShiftChange: _shift, DutyConfirmed: _confirmed,
    Started: _started, ClockSynced: _synced, DirectoryApplied: _directory, DeviceChange: _device,
}  # fmt: skip
