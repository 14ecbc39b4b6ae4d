"""整改: what is to be put right at a gate, from its opening to its closing by evidence or by a re-check. Pure.

The owner's word only makes it answered. One that rests on what somebody saw (a finding, a re-check that failed) is closed by
nothing but a re-check: a negative finding outranks the station's evidence.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec.structs import replace

from contract.five import Item
from hub.rules.compliance import Value
from hub.rules.standing import Stand, Standing

CONDUCT = "conduct"
"""How people at the gate behave: seen by inspections alone."""
ITEMS = (*(item.value for item in Item), CONDUCT)
"""What a rectification may be of."""
Key = tuple[str, str]
"""Gate and item."""


class Cause(StrEnum):
    """Why there is a rectification."""

    MISSING = "missing"
    FINDING = "finding"


class State(StrEnum):
    """Where it has got to."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class ClosedBy(StrEnum):
    """What closed it."""

    EVIDENCE = "evidence"
    RECHECK = "recheck"


class Step(StrEnum):
    """What happened to it."""

    OPENED = "opened"
    FOUND = "found"
    """An inspection found the same again while it was not closed."""
    ASSIGNED = "assigned"
    """Another owner or due time; the note holds both: `assignment`."""
    REMINDED = "reminded"
    ESCALATED = "escalated"
    ANSWERED = "answered"
    FAILED = "failed"
    """A re-check found it not put right."""
    PASSED = "passed"
    """A re-check found it put right."""
    CLOSED = "closed"
    """By evidence; the note holds since when the item was present (ISO 8601)."""


class Deadlines(Value, frozen=True, kw_only=True):
    """The times that rectifications go by."""

    open_after: timedelta = timedelta(minutes=30)
    """Missing so long, as far as is known, and one is opened."""
    due_after: timedelta = timedelta(hours=4)
    remind_before: timedelta = timedelta(hours=1)
    escalate_after: timedelta = timedelta(hours=1)
    """Past its due time."""
    present_for: timedelta = timedelta(minutes=10)
    """Present without a break for so long closes it."""
    reopen_within: timedelta = timedelta(days=7)
    """Opened again so soon after a closing, it is a recurrence."""
    counted_within: timedelta = timedelta(days=30)
    """Earlier ones that a recurrence counts."""


class Rectification(Value, frozen=True, kw_only=True):
    """One item of one gate that is to be put right, or was."""

    id: str = ""
    """Empty until it is stored."""
    gate: str
    item: str
    cause: Cause
    inspection: str | None = None
    opened_at: datetime
    """When it was noticed."""
    missing_since: datetime | None = None
    """Since when the item was missing by the station's evidence; None: by a finding alone."""
    owner: str | None = None
    due_at: datetime
    state: State = State.OPEN
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: ClosedBy | None = None
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    reopened: int = 0
    """Re-checks that failed, and findings against an answer."""
    recurrence: int = 0
    """Earlier ones of the same gate and item when this is one again soon after a closing."""

    @property
    def key(self) -> Key:
        """Gate and item."""
        return self.gate, self.item

    @property
    def needs_recheck(self) -> bool:
        """Whether evidence alone can't close it."""
        return self.cause is Cause.FINDING or self.reopened > 0

    def overdue(self, now: datetime) -> timedelta:
        """For how long it is past its due time; zero when closed or in time."""
        return timedelta(0) if self.state is State.CLOSED else max(timedelta(0), now - self.due_at)

    def lasting(self, now: datetime) -> timedelta:
        """From the item's going missing, or else from its finding, to the closing or until now."""
        return (self.closed_at or now) - (self.missing_since or self.opened_at)


class Changed(Value, frozen=True, kw_only=True):
    """A step that was taken: the rectification as it is after it."""

    after: Rectification
    step: Step
    at: datetime
    note: str = ""


def act(
    known: Iterable[Rectification], standings: Mapping[Key, Standing], closings: Mapping[Key, Sequence[datetime]],
    now: datetime, deadlines: Deadlines,
) -> list[Changed]:  # fmt: skip
    """What is to be done by the clock: closed by evidence, reminded, escalated, opened. `known`: those not closed; `closings`:
    when earlier ones were closed, of those items that are missing and have none. At the same `now` a second time: nothing.
    What went missing and came back unnoticed is not opened afterwards: there is nothing left to put right."""
    open_now = list(known)
    made = [changed for one in open_now for changed in _advance(one, standings.get(one.key), now, deadlines)]
    taken = {one.key for one in open_now}
    for key, stands in standings.items():
        if key not in taken and stands.stand is Stand.MISSING and stands.lasted >= deadlines.open_after:
            made.append(opened(key, Cause.MISSING, now, closings.get(key, ()), deadlines, missing_since=stands.since))
    return made


def opened(
    key: Key, cause: Cause, at: datetime, closings: Sequence[datetime], deadlines: Deadlines,
    *, missing_since: datetime | None = None, inspection: str | None = None, note: str = "",
) -> Changed:  # fmt: skip
    """A new one, with how often there was one before."""
    made = Rectification(
        gate=key[0], item=key[1], cause=cause, inspection=inspection, opened_at=at, missing_since=missing_since,
        due_at=at + deadlines.due_after, recurrence=_recurrence(missing_since or at, at, closings, deadlines),
    )  # fmt: skip
    return Changed(after=made, step=Step.OPENED, at=at, note=note)


def found(known: Rectification, at: datetime, deadlines: Deadlines, *, inspection: str | None = None, note: str = "") -> Changed:
    """An inspection saw it while it is not closed: from now on it takes a re-check, and an answer was not true."""
    after = replace(known, cause=Cause.FINDING, inspection=inspection or known.inspection)
    after = _again(after, at, deadlines) if known.state is State.ANSWERED else after
    return Changed(after=after, step=Step.FOUND, at=at, note=note)


def answered(known: Rectification, at: datetime, *, note: str = "") -> Changed:
    """Its owner, or somebody else, says that it is put right; nothing is closed by that."""
    return Changed(after=replace(known, state=State.ANSWERED, answered_at=at), step=Step.ANSWERED, at=at, note=note)


def assigned(known: Rectification, owner: str | None, due_at: datetime, at: datetime) -> Changed:
    """Another owner or due time; with another due time or owner the reminders begin anew."""
    after = replace(known, owner=owner, due_at=due_at, reminded_at=None, escalated_at=None)
    return Changed(after=after, step=Step.ASSIGNED, at=at, note=f"{due_at.isoformat()} {owner or ''}".strip())


def assignment(note: str) -> tuple[datetime, str | None]:
    """Due time and owner from the note of an `ASSIGNED` step."""
    due_at, _, owner = note.partition(" ")
    return datetime.fromisoformat(due_at), owner or None


def rechecked(known: Rectification, passed: bool, at: datetime, deadlines: Deadlines, *, note: str = "") -> Changed:
    """Somebody looked again: it is closed, or open anew with a new due time. One that is closed stays as it is."""
    step = Step.PASSED if passed else Step.FAILED
    if known.state is State.CLOSED:
        return Changed(after=known, step=step, at=at, note=note)
    after = _closed(known, ClosedBy.RECHECK, at) if passed else _again(known, at, deadlines)
    return Changed(after=after, step=step, at=at, note=note)


def _advance(one: Rectification, stands: Standing | None, now: datetime, deadlines: Deadlines) -> list[Changed]:
    if stands is not None and _is_put_right(one, stands, deadlines):
        after = _closed(one, ClosedBy.EVIDENCE, now)
        return [Changed(after=after, step=Step.CLOSED, at=now, note=stands.since.isoformat())]
    made = []
    if one.state is State.OPEN and one.reminded_at is None and now >= one.due_at - deadlines.remind_before:
        one = replace(one, reminded_at=now)
        made.append(Changed(after=one, step=Step.REMINDED, at=now))
    if one.escalated_at is None and now >= one.due_at + deadlines.escalate_after:
        made.append(Changed(after=replace(one, escalated_at=now), step=Step.ESCALATED, at=now))
    return made


def _is_put_right(one: Rectification, stands: Standing, deadlines: Deadlines) -> bool:
    return not one.needs_recheck and stands.stand is Stand.PRESENT and stands.lasted >= deadlines.present_for


def _closed(one: Rectification, by: ClosedBy, at: datetime) -> Rectification:
    return replace(one, state=State.CLOSED, closed_at=at, closed_by=by)


def _again(one: Rectification, at: datetime, deadlines: Deadlines) -> Rectification:
    return replace(
        one, state=State.OPEN, reopened=one.reopened + 1, due_at=at + deadlines.due_after, answered_at=None,
        reminded_at=None, escalated_at=None,
    )  # fmt: skip


def _recurrence(since: datetime, at: datetime, closings: Sequence[datetime], deadlines: Deadlines) -> int:
    recent = [closed for closed in closings if at - closed <= deadlines.counted_within]
    return len(recent) if recent and since - max(recent) <= deadlines.reopen_within else 0
