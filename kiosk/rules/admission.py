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
    over_quota: bool = False
    """Going out, with as many of the household's outings behind them as there may be in the period."""
    outside_window: bool = False
    """Going out, at a time when residents may not."""
    out_too_long: bool = False
    """Coming in, later than they should have. Written down, and nothing else."""
    needs_reading: bool = True
    reading: Band | None = None
    """None: not taken yet."""
    tries: tuple[Band, ...] = ()
    """What earlier readings of the same person were."""
    more: bool = False
    """Others of the same party are still to be measured."""
    closed: bool = False
    """The gate is locked, or it is outside its hours."""
    homecoming: bool = False
    """Asked and written down as back from a key area: 返沪报到."""
    key_area: bool = False
    """An outsider who has been in a key area, or near somebody who has, in fourteen days."""
    host_unconfirmed: bool = False
    """An outsider whose household has not said yes."""
    boot_unchecked: bool = False
    """A vehicle whose boot nobody has looked into."""
    booking_problem: str | None = None
    from_journal: bool = False
    """A restart has left nothing but the referral: a normal reading alone does not settle it."""
    no_card: bool = False
    """Found in the roster, since they had no card with them."""
    question: bool = False
    """Drawn at random to say where they live."""


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


def _normal_but(holds: Callable[[Facts], bool]) -> Callable[[Facts], bool]:
    return lambda facts: facts.reading is Band.NORMAL and holds(facts)


TABLE = (
    Row("unknown issuer, and our list is old", _unknown_by_an_old_list, Outcome.REFER, "unknown_key"),
    Row("signed by us, but not understood", _has(Problem.BAD_CLAIMS), Outcome.REFER, "bad_claims"),
    *(Row(f"no pass for this gate: {p}", _has(p), Outcome.REFUSE, p) for p in Problem),
    Row("isolating at home", lambda f: f.isolating, Outcome.REFER, "isolating"),
    Row("back from a key area", lambda f: f.homecoming or f.colour_gate == "homecoming", Outcome.REFER, "homecoming"),
    Row("an outsider from a key area", lambda f: f.key_area, Outcome.REFER, "key_area"),
    Row("colour: the volunteer must ask", lambda f: f.colour_gate != "admit", Outcome.REFER, "colour_refer"),
    Row("the same pass a moment ago", lambda f: f.passback, Outcome.REFER, "passback"),
    Row("their household went out often enough", lambda f: f.over_quota, Outcome.REFER, "quota"),
    Row("not the time to go out", lambda f: f.outside_window, Outcome.REFER, "outing_window"),
    Row("no temperature is needed", lambda f: not f.needs_reading, Outcome.ADMIT),
    Row("no temperature was taken yet", lambda f: f.reading is None, None),
    Row("fever again", lambda f: f.reading is Band.FEVER and Band.FEVER in f.tries, Outcome.REFER, "fever"),
    Row("fever, the first time", lambda f: f.reading is Band.FEVER, Outcome.RETAKE, "fever"),
    Row("low again", lambda f: f.reading is Band.LOW and Band.LOW in f.tries, Outcome.REFER, "low"),
    Row("low, the first time", lambda f: f.reading is Band.LOW, Outcome.RETAKE, "low"),
    Row("no reading again", lambda f: f.reading in NO_READING and _failed_twice(f), Outcome.REFER, "no_reading"),
    Row("no reading", lambda f: f.reading in NO_READING, Outcome.RETAKE, "no_reading"),
    Row("normal, but two fevers before", lambda f: f.tries.count(Band.FEVER) >= 2, Outcome.REFER, "fever"),
    Row("normal, and the next one of the party", lambda f: f.reading is Band.NORMAL and f.more, None),
    Row("normal, but the gate is closed", _normal_but(lambda f: f.closed), Outcome.REFER, "gate_closed"),
    Row("normal, but nobody asked the household", _normal_but(lambda f: f.host_unconfirmed), Outcome.REFER, "host_not_confirmed"),
    Row("normal, but the boot is shut", _normal_but(lambda f: f.boot_unchecked), Outcome.REFER, "boot_unchecked"),
    Row("normal, but not booked", _normal_but(lambda f: f.booking_problem == "no_booking"), Outcome.REFER, "no_booking"),
    Row("normal, but booked for then", _normal_but(lambda f: bool(f.booking_problem)), Outcome.REFER, "booking_not_now"),
    Row("normal, but known by the referral alone", _normal_but(lambda f: f.from_journal), Outcome.REFER, "after_restart"),
    Row("normal, and drawn to be asked", _normal_but(lambda f: f.question), Outcome.REFER, "ask_dwelling"),
    Row("normal", lambda f: f.reading is Band.NORMAL, Outcome.ADMIT),
    Row("anything else", lambda f: True, Outcome.REFER, "unknown"),
)
"""Read from the top; the first row that applies decides."""


def decide(facts: Facts) -> Decision | None:
    """What the table says; None when a temperature must be taken first, or one more of the party's."""
    row = next(row for row in TABLE if row.applies(facts))
    if row.outcome is None:
        return None
    return Decision(row.outcome, _reasons(row, facts))


def _reasons(row: Row, facts: Facts) -> tuple[str, ...]:
    found = [str(row.reason)] if row.reason else []
    if facts.ask_symptoms and row.outcome is Outcome.ADMIT:
        found.append("ask_symptoms")
    if facts.out_too_long and row.outcome is Outcome.ADMIT:
        found.append("out_too_long")
    if facts.no_card and row.outcome is Outcome.ADMIT:
        found.append("no_card")
    if facts.closed and row.outcome is Outcome.ADMIT:
        found.append("while_closed")
    if facts.knowledge is not Knowledge.FRESH and facts.problem is None:
        found.append("stale_directory" if facts.knowledge is Knowledge.STALE else "no_directory")
    return tuple(found)
