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
    Direction,
    DirectoryApplied,
    Entry,
    Event,
    EvidenceChange,
    GapAnswered,
    GateShut,
    Outcome,
    SettingsChanged,
    ShiftChange,
    Started,
    Stopped,
    Tallied,
    Who,
)
from contract.five import Basis, Evidence, Item
from kiosk import chosen
from kiosk.chosen import Chosen
from kiosk.rules import drift, movement, quota
from kiosk.rules.drift import Crowd
from kiosk.rules.movement import Moved
from kiosk.rules.quota import Outings

KEPT_ENTRIES = 50
"""How many of the last entries a station can show and correct."""
SHOWN_GAP_SECONDS = 60
KEPT_ASIDE = 40
KEPT_VISITS = 400
_TALLY_MINUTES = 15
"""Tallies are kept by quarters of an hour: every time zone's midnight lies between two of them."""
_TALLIES_KEPT = timedelta(days=1)
_NOBODY_WAITS = frozenset({"abandoned", "cancelled", "several", "left"})
"""Referrals after which nobody stands at the side."""
_VISITING = frozenset({Who.VISITOR, Who.COURIER, Who.WORKER, Who.VEHICLE, Who.TAXI})


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
    note: str = ""
    """What was told of it afterwards."""
    took: tuple["Logged", ...] = ()
    """Who left the side list, or the visits inside, by this entry: back there when it turns out a mistake."""


@dataclass(frozen=True)
class Lasting:
    """The state that rests on the journal alone."""

    shift: Shift | None = None
    evidence: Mapping[tuple[Item, Basis], Held] = field(default_factory=dict)
    moved: Mapping[str, Moved] = field(default_factory=dict)
    outings: Outings = field(default_factory=dict)
    crowd: Crowd = field(default_factory=Crowd)
    """Whom the thermometer has measured of late, to see whether it has drifted."""
    entries: tuple[Logged, ...] = ()
    """Oldest first."""
    aside: Mapping[str, Logged] = field(default_factory=dict)
    """Who was referred and has been neither let in nor turned away, by the referral's id: the side list, oldest first."""
    visits: Mapping[str, Logged] = field(default_factory=dict)
    """Outsiders and vehicles inside, by the entry that let them in, oldest first."""
    directory_version: int = 0
    devices: Mapping[str, bool] = field(default_factory=dict)
    gap_seconds: float | None = None
    """How long a power cut lasted that nobody at the gate has answered for yet."""
    shut: bool = False
    """The volunteer has locked the gate."""
    chosen: Chosen = field(default_factory=Chosen)
    """Who set what of the station's settings."""
    tallied: Mapping[datetime, int] = field(default_factory=dict)
    """How many couriers left it at the shelf, by the beginning of each quarter of an hour of the last day (UTC)."""
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
    if not moving:
        return found
    return replace(found, moved=movement.fold(found.moved, moving), outings=quota.fold(found.outings, moving))


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
    took = () if body.written else (lasting.aside.get(body.follows or ""), lasting.visits.get(body.visit or ""))
    logged = Logged(event.id, event.at, body, took=tuple(replace(one, took=()) for one in took if one))
    entries = (*lasting.entries, logged)[-KEPT_ENTRIES:]
    if body.written is not None:
        return replace(lasting, entries=entries)
    aside, visits = _without(lasting.aside, body.follows), _without(lasting.visits, body.visit)
    if body.outcome is Outcome.REFER and not _NOBODY_WAITS & set(body.reasons):
        aside = _with(aside, logged, KEPT_ASIDE)
    if body.outcome is Outcome.ADMIT and body.direction is Direction.IN and body.who in _VISITING:
        visits = _with(visits, logged, KEPT_VISITS)
    crowd = drift.add(lasting.crowd, body, _dated(lasting, event))
    return replace(lasting, entries=entries, aside=aside, visits=visits, crowd=crowd)


def _dated(lasting: Lasting, event: Event) -> datetime:
    """When an event was. A clock that is not synced is behind what a synced one has shown."""
    return event.at if event.clock is Clock.SYNCED else max(filter(None, (event.at, lasting.latest)))


def _with(listed: Mapping[str, Logged], logged: Logged, most: int) -> dict[str, Logged]:
    return dict([*listed.items(), (logged.id, logged)][-most:])


def _without(listed: Mapping[str, Logged], entry: str | None) -> Mapping[str, Logged]:
    return {key: logged for key, logged in listed.items() if key != entry} if entry in listed else listed


def _correction(lasting: Lasting, event: Event, body: Correction) -> Lasting:
    if not body.cancelled:
        noted = (replace(e, note=body.note) if e.id == body.corrects else e for e in lasting.entries)
        return replace(lasting, entries=tuple(noted))
    mistaken = next((e for e in lasting.entries if e.id == body.corrects and not e.cancelled), None)
    marked = (replace(e, cancelled=True) if e.id == body.corrects else e for e in lasting.entries)
    aside, visits = _without(lasting.aside, body.corrects), _without(lasting.visits, body.corrects)
    mistakes = {e.id for e in lasting.entries if e.cancelled}
    for back in mistaken.took if mistaken else ():
        if back.id in mistakes:
            continue
        if back.entry.outcome is Outcome.REFER:
            aside = _returned(aside, back)
        else:
            visits = _returned(visits, back)
    return replace(lasting, entries=tuple(marked), aside=aside, visits=visits)


def _returned(listed: Mapping[str, Logged], back: Logged) -> dict[str, Logged]:
    """The list with somebody in it again, at the old place: oldest first."""
    return {one.id: one for one in sorted([*listed.values(), back], key=lambda one: one.at)}


def _evidence(lasting: Lasting, event: Event, body: EvidenceChange) -> Lasting:
    new, unsynced, shift = body.evidence, event.clock is Clock.UNSYNCED, lasting.shift
    if shift and shift.since is None and new.item is Item.VOLUNTEER and new.by == shift.badge:
        shift = replace(shift, since=new.observed_at, unsynced=unsynced)
    return replace(lasting, shift=shift, evidence={**lasting.evidence, (new.item, new.basis): Held(new, unsynced)})


def _shift(lasting: Lasting, event: Event, body: ShiftChange) -> Lasting:
    if body.on:
        return replace(lasting, shift=Shift(body.badge))
    gone = lasting.shift is not None and lasting.shift.badge == body.badge
    return replace(lasting, shift=None) if gone else lasting


def _started(lasting: Lasting, event: Event, body: Started) -> Lasting:
    """A new boot: what was dated before it can no longer be dated anew, and a power cut is shown until somebody has answered."""
    gap = body.gap_seconds if body.unclean and (body.gap_seconds or 0) >= SHOWN_GAP_SECONDS else lasting.gap_seconds
    crowd = lasting.crowd if body.unclean else drift.started(lasting.crowd)
    return _settled(replace(lasting, gap_seconds=gap, crowd=crowd))


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


def _gap_answered(lasting: Lasting, event: Event, body: GapAnswered) -> Lasting:
    return replace(lasting, gap_seconds=None)


def _gate_shut(lasting: Lasting, event: Event, body: GateShut) -> Lasting:
    return replace(lasting, shut=body.shut)


def _settings(lasting: Lasting, event: Event, body: SettingsChanged) -> Lasting:
    return replace(lasting, chosen=chosen.fold(lasting.chosen, body, event.at))


def _tallied(lasting: Lasting, event: Event, body: Tallied) -> Lasting:
    """Counted under its quarter of an hour."""
    at = _dated(lasting, event)
    quarter = at - timedelta(minutes=at.minute % _TALLY_MINUTES, seconds=at.second, microseconds=at.microsecond)
    kept = {q: n for q, n in lasting.tallied.items() if abs(q - quarter) <= _TALLIES_KEPT}
    return replace(lasting, tallied={**kept, quarter: kept.get(quarter, 0) + 1})


_STEPS: dict[type, Callable[[Lasting, Event, Any], Lasting]] = {
    Entry: _entry, Correction: _correction, EvidenceChange: _evidence, ShiftChange: _shift, GapAnswered: _gap_answered,
    Started: _started, ClockSynced: _synced, DirectoryApplied: _directory, DeviceChange: _device,
    GateShut: _gate_shut, SettingsChanged: _settings, Tallied: _tallied,
}  # fmt: skip
