"""演员查: what an inspector tried at a gate, and what the gate's journal says of it. Pure.

Most attempts are to be kept out: the pass that is shown does not do, or the holder says they have a fever. Who has no pass is to
be asked and written down, let in or not. The journal scores it; whether the inspector got in is the inspector's own word.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import structs

from contract.events import Direction, Outcome
from hub.rules.compliance import Value

MINUTES = (5, 10, 20)
"""How long before and after the time that the inspector gives the journal is looked through."""
AFTERWARDS = timedelta(hours=1)
"""Whoever was put aside may be decided on so much later."""


class Kind(StrEnum):
    """What was tried."""

    EXPIRED = "expired"
    REVOKED = "revoked"
    ELSEWHERE = "elsewhere"
    """A pass of another compound."""
    BORROWED = "borrowed"
    """A good pass that is somebody else's."""
    FEVER = "fever"
    """A good pass, and a high temperature told or typed in."""
    NO_PASS = "no_pass"


class Expected(StrEnum):
    """What a gate does that keeps its rule."""

    KEPT_OUT = "kept_out"
    RECORDED = "recorded"


class Said(StrEnum):
    """How it went, in the inspector's own word."""

    IN = "in"
    STOPPED = "stopped"
    AWAY = "away"
    """It came to nothing: no queue, no volunteer, called away."""


class Verdict(StrEnum):
    """What the gate did, as far as its journal says."""

    PASSED = "passed"
    """What its rule says."""
    FAILED = "failed"
    """Let in who should have been kept out or asked."""
    UNSEEN = "unseen"
    """No record at all: waved through, or never there; which of them is the inspector's word."""
    UNTOLD = "untold"
    """Let in by a station that had not heard yet that the pass was revoked: no fault of the gate's."""


EXPECTED = {kind: Expected.RECORDED if kind is Kind.NO_PASS else Expected.KEPT_OUT for kind in Kind}
LET_IN = frozenset({Outcome.ADMIT, Outcome.UNCHECKED, Outcome.EMERGENCY})


class Attempt(Value, frozen=True, kw_only=True, rename={"begins": "from", "ends": "until"}):
    """An attempt, as it is kept with its inspection."""

    kind: Kind
    pass_id: str | None
    begins: datetime
    ends: datetime
    expected: Expected
    said: Said
    version: int = 0
    """The directory's version by which a station knows that the pass is revoked."""
    seen: Outcome | None = None
    """What the journal says was decided; None: nothing."""
    verdict: Verdict = Verdict.UNSEEN

    @property
    def good(self) -> bool | None:
        """Good practice, a fault, or (None) neither: nobody knows, or it was not the gate's."""
        if self.verdict is Verdict.UNSEEN:
            return False if self.said is Said.IN else None
        return {Verdict.PASSED: True, Verdict.FAILED: False}.get(self.verdict)


class Tried(Value, frozen=True, kw_only=True):
    """An entry of the gate's journal, corrected where somebody corrected it."""

    id: str
    at: datetime
    outcome: Outcome
    direction: Direction
    pass_id: str | None = None
    directory_version: int = 0
    follows: str | None = None
    vehicle: bool = False
    written: bool = False
    """Keyed in later."""


def attempt(kind: Kind, pass_id: str | None, at: datetime, minutes: int, said: Said, version: int = 0) -> Attempt:
    """An attempt at a time, not scored yet."""
    around = timedelta(minutes=minutes)
    return Attempt(
        kind=kind, pass_id=pass_id if kind is not Kind.NO_PASS else None, begins=at - around, ends=at + around,
        expected=EXPECTED[kind], said=said, version=version,
    )  # fmt: skip


def judged(one: Attempt, entries: Iterable[Tried]) -> Attempt:
    """The attempt with what the gate's entries say of it."""
    known = sorted(entries, key=lambda entry: (entry.at, entry.id))
    seen, verdict = _kept_out(one, known) if one.expected is Expected.KEPT_OUT else _recorded(one, known)
    return structs.replace(one, seen=seen, verdict=verdict)


def _kept_out(one: Attempt, entries: Sequence[Tried]) -> tuple[Outcome | None, Verdict]:
    mine = _of_pass(one, entries)
    let_in = next((entry for entry in mine if entry.outcome in LET_IN), None)
    if let_in is not None:
        return let_in.outcome, Verdict.UNTOLD if let_in.directory_version < one.version else Verdict.FAILED
    if not mine:
        return None, Verdict.UNSEEN
    return mine[-1].outcome, Verdict.FAILED if one.said is Said.IN else Verdict.PASSED


def _of_pass(one: Attempt, entries: Sequence[Tried]) -> list[Tried]:
    """The entries of the pass within the window, and those that continue them, however they end."""
    mine: dict[str, Tried] = {}
    for entry in entries:
        shown = one.pass_id is not None and entry.pass_id == one.pass_id and one.begins <= entry.at <= one.ends
        if shown or (entry.follows is not None and entry.follows in mine):
            mine[entry.id] = entry
    return list(mine.values())


def _recorded(one: Attempt, entries: Sequence[Tried]) -> tuple[Outcome | None, Verdict]:
    """Of those without a pass nobody can say who was the inspector: one that fits the inspector's word is enough."""
    found = {entry.outcome for entry in entries if _fits(one, entry)}
    if one.said is Said.AWAY:
        return None, Verdict.UNSEEN
    if one.said is Said.STOPPED:
        stopped = sorted(found - LET_IN)
        return (stopped[0], Verdict.PASSED) if stopped else (None, Verdict.UNSEEN)
    if Outcome.ADMIT in found:
        return Outcome.ADMIT, Verdict.PASSED
    unasked = sorted(found & LET_IN)
    return (unasked[0], Verdict.FAILED) if unasked else (None, Verdict.UNSEEN)


def _fits(one: Attempt, entry: Tried) -> bool:
    person = entry.pass_id is None and not entry.vehicle and not entry.written
    return person and entry.direction is Direction.IN and one.begins <= entry.at <= one.ends
