"""Who is let in: one table, read from the top, whose first fitting row decides. When unsure, it refers."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from contract.events import Band, Outcome
from contract.passes import BADGES, PassKind, Problem

GATE_KINDS = frozenset(PassKind) - BADGES - {PassKind.ENROLMENT}
"""The kinds of pass that open a gate; a badge signs in, an enrolment pass sets a station up."""


class Knowledge(StrEnum):
    """How fresh the directory is that a station decides by."""

    FRESH = "fresh"
    STALE = "stale"
    ABSENT = "absent"


@dataclass(frozen=True)
class Facts:
    """Everything a decision rests on."""

    problem: Problem | None
    """Why the code is no pass for this gate; None when it is one."""
    knowledge: Knowledge = Knowledge.FRESH
    isolating: bool = False
    colour_gate: str = "admit"
    """What the holder's colour asks of the gate: admit, refer or homecoming."""
    ask_symptoms: bool = False
    passback: bool = False
    """The same pass moved the same way a moment ago."""
    needs_reading: bool = True
    reading: Band | None = None
    """None: not taken yet."""
    tries: tuple[Band, ...] = ()
    """What earlier readings of the same person were."""


@dataclass(frozen=True)
class Decision:
    """What the gate does, and why, as keys for the volunteer and the hub."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One line of the table. `outcome` None: no decision yet, a temperature must be taken first."""

    case: str
    applies: Callable[[Facts], bool]
    outcome: Outcome | None
    reason: str | None = None


NO_READING = frozenset({Band.NO_TARGET, Band.UNKNOWN})


def _has(problem: Problem) -> Callable[[Facts], bool]:
    return lambda facts: facts.problem is problem


def _unknown_by_an_old_list(facts: Facts) -> bool:
    return facts.problem is Problem.UNKNOWN_KEY and facts.knowledge is not Knowledge.FRESH


def _failed_twice(facts: Facts) -> bool:
    return sum(band in NO_READING for band in facts.tries) >= 2


TABLE = (
    Row("unknown issuer, and our list is old", _unknown_by_an_old_list, Outcome.REFER, "unknown_key"),
    Row("signed by us, but not understood", _has(Problem.BAD_CLAIMS), Outcome.REFER, "bad_claims"),
    *(Row(f"no pass for this gate: {p}", _has(p), Outcome.REFUSE, p) for p in Problem),
    Row("isolating at home", lambda f: f.isolating, Outcome.REFER, "isolating"),
    Row("colour: the committee must come", lambda f: f.colour_gate == "homecoming", Outcome.REFER, "homecoming"),
    Row("colour: the volunteer must ask", lambda f: f.colour_gate != "admit", Outcome.REFER, "colour_refer"),
    Row("the same pass a moment ago", lambda f: f.passback, Outcome.REFER, "passback"),
    Row("no temperature is needed", lambda f: not f.needs_reading, Outcome.ADMIT),
    Row("no temperature was taken yet", lambda f: f.reading is None, None),
    Row("fever again", lambda f: f.reading is Band.FEVER and Band.FEVER in f.tries, Outcome.REFER, "fever"),
    Row("fever, the first time", lambda f: f.reading is Band.FEVER, Outcome.RETAKE, "fever"),
    Row("low again", lambda f: f.reading is Band.LOW and Band.LOW in f.tries, Outcome.REFER, "low"),
    Row("low, the first time", lambda f: f.reading is Band.LOW, Outcome.RETAKE, "low"),
    Row("no reading again", lambda f: f.reading in NO_READING and _failed_twice(f), Outcome.REFER, "no_reading"),
    Row("no reading", lambda f: f.reading in NO_READING, Outcome.RETAKE, "no_reading"),
    Row("normal, but two fevers before", lambda f: f.tries.count(Band.FEVER) >= 2, Outcome.REFER, "fever"),
    Row("normal", lambda f: f.reading is Band.NORMAL, Outcome.ADMIT),
    Row("anything else", lambda f: True, Outcome.REFER, "unknown"),
)
"""Read from the top; the first row that applies decides."""


def decide(facts: Facts) -> Decision | None:
    """What the table says; None when a temperature must be taken first."""
    row = next(row for row in TABLE if row.applies(facts))
    if row.outcome is None:
        return None
    return Decision(row.outcome, _reasons(row, facts))


def _reasons(row: Row, facts: Facts) -> tuple[str, ...]:
    found = [str(row.reason)] if row.reason else []
    if facts.ask_symptoms and row.outcome is Outcome.ADMIT:
        found.append("ask_symptoms")
    if facts.knowledge is not Knowledge.FRESH and facts.problem is None:
        found.append("stale_directory" if facts.knowledge is Knowledge.STALE else "no_directory")
    return tuple(found)
