"""How what happened becomes an entry, and what an entry sounds like. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from msgspec import structs

from contract.events import Companion, Direction, Entry, Event, Outcome, Reading
from contract.sealing import Personal
from kiosk.inputs import Now
from kiosk.rules.admission import Decision
from kiosk.rules.temperature import Judged
from kiosk.setup import Setup
from kiosk.state import Person, State, Step, record

_KEPT_ASKED = 50
_KEPT_PEOPLE = 500
_UNREADABLE = frozenset({"not_a_pass", "damaged"})


def entry_of(
    state: State, person: Person, made: Decision, reading: Reading | None, now: Now, setup: Setup, by: str | None = None
) -> Entry:
    """The entry of a decision on a person, with all that it rests on; its reading is the one that decided, or a party's first."""
    claims, form, before = person.claims, person.form, person.logged
    shown, others = _party(person, made, reading)
    said = form or before
    entry = Entry(
        direction=person.direction, outcome=made.outcome, reasons=made.reasons, lane=setup.lane,
        pass_id=person.pass_id, pass_kind=claims.kind.value if claims else None,
        key_id=claims.key_id or None if claims else None, directory_version=state.directory.version if state.directory else 0,
        colour=person.colour, reading=shown, by=by or person.confirmed_by or person.by, follows=person.follows,
        people=len(person.roles), companions=others, ms=max(now.mono_ns - person.seen_ns, 0) / 1e6, who=person.who,
        found=said.found if said else "code", boot_checked=person.boot_checked, purpose=said.purpose if said else None,
        host_confirmed=said.host_confirmed if said else None, key_area=said.key_area if said else None, answer=person.answer,
        booking=said.booking if said else None,
    )  # fmt: skip
    return structs.replace(entry, pass_kind=before.pass_kind, key_id=before.key_id, ms=None) if before else entry


def _party(person: Person, made: Decision, reading: Reading | None) -> tuple[Reading | None, tuple[Companion, ...]]:
    """The entry's own reading, and everyone else's."""
    measured = list(person.readings)
    if made.outcome is not Outcome.ADMIT and reading is not None:
        return reading, tuple(Companion(role=role, reading=taken) for role, taken in measured)
    measured += [(person.role, reading)] if reading is not None else []
    own = measured[0][1] if measured else None
    return own, tuple(Companion(role=role, reading=taken) for role, taken in measured[1:])


def bare_entry(state: State, outcome: Outcome, setup: Setup) -> Entry:
    """An entry of somebody without a pass: an emergency, or who walked through."""
    version = state.directory.version if state.directory else 0
    by = state.lasting.shift.badge if state.lasting.shift else None
    return Entry(
        direction=state.direction, outcome=outcome, reasons=(outcome.value,), lane=setup.lane, directory_version=version, by=by
    )


def personal_of(person: Person) -> Personal | None:
    """What the pass says of its holder, or what was asked, to be sealed."""
    claims, form = person.claims, person.form
    if claims is not None:
        found = Personal(event="", name=claims.name or None, dwelling=claims.dwelling or None, plate=claims.plate or None)
    elif form is not None:
        found = Personal(
            event="", name=form.name or None, phone=form.phone or None, dwelling=form.dwelling or None, plate=form.plate or None,
            origin=form.origin or None, host=form.host or None, note=form.note or None,
        )  # fmt: skip
    else:
        return None
    return None if found == Personal(event="") else found


def reading_of(judged: Judged, person: Person, source: str, typed_seconds: float | None = None) -> Reading:
    """A judged reading as it is written down."""
    return Reading(
        band=judged.band, source=source, body_celsius=judged.body_celsius, skin_celsius=judged.skin_celsius,
        ambient_celsius=judged.ambient_celsius, site=person.site, degraded=judged.degraded, reasons=judged.reasons,
        typed_seconds=typed_seconds,
    )  # fmt: skip


def asked_for(state: State, person: Person, entry: Entry) -> Step:
    """Ask for a person's entry to be written, and remember whose it is."""
    kept = replace(state, asked=(*state.asked, (entry, person))[-_KEPT_ASKED:])
    return record(kept, entry, personal=personal_of(person))


def told(state: State, events: Iterable[Event]) -> State:
    """The state once entries are written: whose they are goes by their id."""
    for event in events:
        found = next((one for one in state.asked if same_entry(event.body, one[0])), None)
        if found is not None:
            people = dict([*state.people.items(), (event.id, found[1])][-_KEPT_PEOPLE:])
            state = replace(state, asked=tuple(one for one in state.asked if one is not found), people=people)
    return state


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
    if "ask_dwelling" in entry.reasons and entry.outcome is Outcome.REFER:
        return "which_home"
    if entry.outcome is Outcome.ADMIT:
        return "ok_enter" if entry.direction is Direction.IN else "ok_leave"
    if entry.outcome is Outcome.RETAKE:
        return "wrist" if "low" in entry.reasons else "again"
    if entry.outcome is Outcome.REFUSE and _UNREADABLE & set(entry.reasons):
        return "show_pass"
    return {Outcome.REFER: "wait_aside", Outcome.REFUSE: "not_allowed"}.get(entry.outcome, "emergency")
