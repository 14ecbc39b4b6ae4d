"""The five a gate must have, what counts as evidence of each, and how evidence is weighed, by station and hub alike."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from contract.codec import Instant, Message


class Item(StrEnum):
    """5个有, in the order in which the sub-district named them."""

    VOLUNTEER = "volunteer"
    DESK = "desk"
    REGISTER = "register"
    PASSES = "passes"
    TEMPERATURE = "temperature"


ANY_LANE = frozenset({Item.VOLUNTEER, Item.DESK})
"""Items that one station of a gate can give for all its lanes; the others every lane in service must have."""


class Basis(StrEnum):
    """What a piece of evidence rests on."""

    SENSOR = "sensor"
    DECLARED = "declared"
    INSPECTED = "inspected"


class Evidence(Message, frozen=True, kw_only=True):
    """That an item is there, or is not, from `observed_at` until `valid_until`; past that it is no evidence."""

    item: Item
    present: bool
    basis: Basis
    observed_at: Instant
    valid_until: Instant | None = None
    """None: until something newer of the same basis says otherwise."""
    by: str | None = None
    """The id of the badge or account behind it; None for a sensor."""
    reason: str | None = None
    """Why it is not present: a stable key in snake_case."""
    note: str | None = None
    photo: str | None = None
    """SHA-256 (hex) of a sealed photo."""


class Finding(Message, frozen=True, kw_only=True):
    """What the evidence says of one item at one time."""

    item: Item
    present: bool
    basis: Basis | None = None
    reason: str | None = None
    """Why it is missing; None when present."""
    since: datetime | None = None
    """When the deciding evidence was observed, or ran out; None when there never was any."""
    valid_until: datetime | None = None
    by: str | None = None


Findings = dict[Item, Finding]


def assess(evidence: Iterable[Evidence], now: datetime) -> Findings:
    """The finding for each of the five at `now`: all five are always there, missing where nothing says present."""
    known = list(evidence)
    return {item: _weigh(item, [e for e in known if e.item is item], now) for item in Item}


def assess_gate(stations: Mapping[str, Iterable[Evidence]], now: datetime) -> Findings:
    """The findings of a gate with several lanes: volunteer and desk at any of them, the rest at every one in service."""
    lanes = [assess(evidence, now) for evidence in stations.values()]
    if not lanes:
        return assess((), now)
    return {item: _across([lane[item] for lane in lanes], item in ANY_LANE) for item in Item}


def _across(findings: list[Finding], any_lane: bool) -> Finding:
    inspected = [f for f in findings if f.basis is Basis.INSPECTED and not f.present]
    wanted = inspected or [f for f in findings if f.present is any_lane]
    return wanted[0] if wanted else findings[0]


def _weigh(item: Item, evidence: list[Evidence], now: datetime) -> Finding:
    started = [e for e in evidence if e.observed_at <= now]
    newest = _newest_by_basis(started).values()
    live = [e for e in newest if e.valid_until is None or now < e.valid_until]
    inspected = [e for e in live if e.basis is Basis.INSPECTED and not e.present]
    present = [e for e in live if e.present]
    if inspected:
        return _missing(inspected[0])
    if present:
        best = max(present, key=lambda e: (e.valid_until is None, e.valid_until or e.observed_at))
        return Finding(
            item=item, present=True, basis=best.basis, since=best.observed_at, valid_until=best.valid_until, by=best.by
        )
    absent = [e for e in live if not e.present]
    if absent:
        return _missing(max(absent, key=lambda e: e.observed_at))
    ran_out = [e for e in newest if e.valid_until is not None and e.present]
    if ran_out:
        last = max(ran_out, key=lambda e: e.valid_until or e.observed_at)
        return Finding(item=item, present=False, basis=last.basis, reason="expired", since=last.valid_until)
    return Finding(item=item, present=False, reason="no_evidence")


def _missing(evidence: Evidence) -> Finding:
    reason = evidence.reason or "declared_absent"
    return Finding(
        item=evidence.item,
        present=False,
        basis=evidence.basis,
        reason=reason,
        since=evidence.observed_at,
        by=evidence.by,
    )


def _newest_by_basis(evidence: list[Evidence]) -> dict[Basis, Evidence]:
    newest: dict[Basis, Evidence] = {}
    for one in sorted(evidence, key=lambda e: (e.observed_at, not e.present)):
        newest[one.basis] = one
    return newest


class Lifetimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long each kind of evidence holds, in seconds. The configuration's defaults."""

    confirmed_volunteer: float = 1800
    ask_volunteer_after: float = 1200
    desk: float = 12 * 3600
    register_paper: float = 12 * 3600
    passes_by_eye: float = 2 * 3600
    directory: float = 24 * 3600
    temperature_sensor: float = 60
    temperature_typed: float = 12 * 3600
    positive_inspection: float = 1800
    grace: float = 90
