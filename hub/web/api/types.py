"""What the API answers, and what it may be asked: from these types the OpenAPI document is made. Nothing sealed is in them."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from contract.codec import Instant
from contract.events import Reading, Written
from hub.openapi import Count


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what may be asked: a parameter that nobody knows is told, since it is misspelt."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every answer."""


class InLanguage(Asked, frozen=True, kw_only=True):
    """In which language the sentence is said."""

    language: Literal["zh", "en"] | msgspec.UnsetType = msgspec.UNSET
    """Left out: the hub's."""


class Page(Asked, frozen=True, kw_only=True):
    """Which part of a long list: the newest, or those from before a time; each answer says where the next part begins."""

    before: Annotated[datetime, msgspec.Meta(tz=True, description="Only what is older; `next_before` of the last answer.")] | (
        msgspec.UnsetType
    ) = msgspec.UNSET
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class RectificationPage(Page, frozen=True, kw_only=True):
    """Rectifications by when they were opened."""

    state: Literal["open", "answered", "closed"] | msgspec.UnsetType = msgspec.UNSET


class AlertPage(Page, frozen=True, kw_only=True):
    """Alerts by when they began."""

    ended: Literal["no", "yes", "both"] = "no"


class ItemState(Answer, frozen=True, kw_only=True):
    """One of the five at a gate. `present` is null when nobody can know: never heard, unreachable, closed."""

    present: bool | None
    basis: str | None
    reason: str | None
    since: Instant | None


class Station(Answer, frozen=True, kw_only=True):
    """One station of a gate."""

    station: str
    lane: str
    in_service: bool
    online: bool
    heard_seconds_ago: float | None
    backlog: int | None
    directory_version: int | None
    clock: str | None


class Gate(Answer, frozen=True, kw_only=True):
    """What the hub says of one gate; `status` is compliant, non_compliant, unreachable or closed."""

    gate: str
    gate_name: str
    compound: str
    compound_name: str
    area: str
    area_name: str
    liaison: str
    status: str
    since: Instant | None
    closing: str | None
    passed_while_closed: Count
    items: dict[str, ItemState]
    stations: tuple[Station, ...]


class Counts(Answer, frozen=True, kw_only=True):
    """How many gates have each status."""

    total: Count
    compliant: Count
    non_compliant: Count
    unreachable: Count
    closed: Count


class Status(Answer, frozen=True, kw_only=True):
    """All gates within the token's reach. A hub that is blind tells of when it still heard (`blind_since`)."""

    at: Instant
    sentence: str
    blind_since: Instant | None
    counts: Counts
    gates: tuple[Gate, ...]


class Entry(Answer, frozen=True, kw_only=True):
    """One entry or exit, without whose it was. A later correction has changed `outcome` already, or set `cancelled`."""

    id: str
    at: Instant
    received_at: Instant
    clock: str
    station: str
    lane: str
    direction: str
    outcome: str
    reasons: tuple[str, ...]
    who: str | None
    pass_kind: str | None
    found: str
    people: Count
    reading: Reading | None
    companion_readings: tuple[Reading, ...]
    purpose: str | None
    host_confirmed: bool | None
    key_area: bool | None
    boot_checked: bool | None
    visit: str | None
    """The entry that this exit ends."""
    written: Written | None
    """Keyed in later, from paper or from memory."""
    cancelled: bool


class Entries(Answer, frozen=True, kw_only=True):
    """Newest first."""

    entries: tuple[Entry, ...]
    next_before: Instant | None
    """`before` of the next part; null: there is no more."""


class Interval(Answer, frozen=True, kw_only=True):
    """From when until when a gate's status, or one of its five, was so."""

    what: str
    began_at: Instant
    ended_at: Instant | None
    state: str
    basis: str | None
    reason: str | None


class Intervals(Answer, frozen=True, kw_only=True):
    """Those that began last come first."""

    intervals: tuple[Interval, ...]
    next_before: Instant | None


class Rectification(Answer, frozen=True, kw_only=True):
    """What is to be put right at a gate."""

    id: str
    gate: str
    item: str
    cause: str
    state: str
    owner: str | None
    opened_at: Instant
    missing_since: Instant | None
    due_at: Instant
    answered_at: Instant | None
    closed_at: Instant | None
    closed_by: str | None
    reopened: Count
    recurrence: Count
    inspection: str | None


class Rectifications(Answer, frozen=True, kw_only=True):
    """Those opened last come first."""

    rectifications: tuple[Rectification, ...]
    next_before: Instant | None


class Found(Answer, frozen=True, kw_only=True):
    """What an inspection found of one item."""

    item: str
    present: bool
    note: str


class Inspection(Answer, frozen=True, kw_only=True):
    """One that was sent; before that nobody sees it."""

    id: str
    gate: str
    method: str
    observed_at: Instant
    sent_at: Instant
    conduct: bool | None
    note: str
    rechecks: str | None
    findings: tuple[Found, ...]


class Inspections(Answer, frozen=True, kw_only=True):
    """Those sent last come first."""

    inspections: tuple[Inspection, ...]
    next_before: Instant | None


class Alert(Answer, frozen=True, kw_only=True):
    """One alert."""

    id: str
    kind: str
    level: str
    gate: str | None
    compound: str | None
    subject: str
    count: Count
    first_at: Instant
    last_at: Instant
    acknowledged_at: Instant | None
    escalated_at: Instant | None
    ended_at: Instant | None


class Alerts(Answer, frozen=True, kw_only=True):
    """Those that began last come first."""

    alerts: tuple[Alert, ...]
    next_before: Instant | None


class GatePlace(Answer, frozen=True, kw_only=True):
    """A gate; `schedule` is its opening hours in minutes of the local day, empty when it is always open."""

    id: str
    name: str
    schedule: tuple[tuple[int, int], ...]
    closed: bool
    stations: tuple[str, ...]


class Compound(Answer, frozen=True, kw_only=True):
    """A compound and its gates."""

    id: str
    name: str
    committee: str
    committee_name: str
    area: str
    area_name: str
    liaison: str
    manager: str
    gates: tuple[GatePlace, ...]


class Places(Answer, frozen=True, kw_only=True):
    """The compounds within the token's reach."""

    timezone: str
    compounds: tuple[Compound, ...]
