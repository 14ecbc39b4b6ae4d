"""How what happened becomes an entry, and what an entry sounds like. Pure."""

from msgspec import structs

from contract.events import Direction, Entry, Outcome, Reading
from contract.sealing import Personal
from kiosk.inputs import Now
from kiosk.rules.admission import Decision
from kiosk.rules.temperature import Judged
from kiosk.setup import Setup
from kiosk.state import Person, State

_UNREADABLE = frozenset({"not_a_pass", "damaged"})


def entry_of(
    state: State, person: Person, made: Decision, reading: Reading | None, now: Now, setup: Setup, by: str | None = None
) -> Entry:
    """The entry of a decision on a person, with all that it rests on."""
    claims = person.claims
    return Entry(
        direction=person.direction, outcome=made.outcome, reasons=made.reasons, lane=setup.lane,
        pass_id=claims.id if claims else None, pass_kind=claims.kind.value if claims else None,
        key_id=claims.key_id or None if claims else None, directory_version=state.directory.version if state.directory else 0,
        colour=person.colour, reading=reading, by=by, follows=person.follows,
        ms=max(now.mono_ns - person.seen_ns, 0) / 1e6,
    )  # fmt: skip


def bare_entry(state: State, outcome: Outcome, setup: Setup) -> Entry:
    """An entry of somebody without a pass: an emergency, or who walked through."""
    version = state.directory.version if state.directory else 0
    by = state.lasting.shift.badge if state.lasting.shift else None
    return Entry(
        direction=state.direction, outcome=outcome, reasons=(outcome.value,), lane=setup.lane, directory_version=version, by=by
    )


def personal_of(person: Person) -> Personal | None:
    """What the pass says of its holder, to be sealed."""
    claims = person.claims
    if claims is None or not (claims.name or claims.dwelling or claims.plate):
        return None
    return Personal(event="", name=claims.name or None, dwelling=claims.dwelling or None, plate=claims.plate or None)


def reading_of(judged: Judged, person: Person, source: str, typed_seconds: float | None = None) -> Reading:
    """A judged reading as it is written down."""
    return Reading(
        band=judged.band, source=source, body_celsius=judged.body_celsius, skin_celsius=judged.skin_celsius,
        ambient_celsius=judged.ambient_celsius, site=person.site, degraded=judged.degraded, reasons=judged.reasons,
        typed_seconds=typed_seconds,
    )  # fmt: skip


def same_entry(body: object, entry: object) -> bool:
    """Whether a written body is this entry, but for what was sealed on the way."""
    if not isinstance(body, Entry) or not isinstance(entry, Entry):
        return False
    return structs.replace(body, personal=None) == structs.replace(entry, personal=None)


def same_bodies(written: tuple[object, ...], wanted: tuple[object, ...]) -> bool:
    """Whether these were written as they were wanted."""
    return len(written) == len(wanted) and all(a == b or same_entry(a, b) for a, b in zip(written, wanted, strict=True))


def sentence_of(entry: Entry) -> str:
    """What the resident hears: where to stand, never why."""
    if entry.outcome is Outcome.ADMIT:
        return "ok_enter" if entry.direction is Direction.IN else "ok_leave"
    if entry.outcome is Outcome.RETAKE:
        return "wrist" if "low" in entry.reasons else "again"
    if entry.outcome is Outcome.REFUSE and _UNREADABLE & set(entry.reasons):
        return "show_pass"
    return {Outcome.REFER: "wait_aside", Outcome.REFUSE: "not_allowed"}.get(entry.outcome, "emergency")
