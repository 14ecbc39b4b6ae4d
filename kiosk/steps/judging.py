"""From a code and what the station knows to the facts that the table of admission decides on. Pure."""

import hashlib
from dataclasses import replace
from datetime import datetime

from contract.codec import BadMessage
from contract.directory import ColourRule, Policies
from contract.events import Band, Direction, Who
from contract.passes import Pass, PassKind, Problem, Rejected, check
from contract.sealing import unb64
from kiosk.inputs import Now
from kiosk.rules import movement, quota
from kiosk.rules.admission import GATE_KINDS, Facts, Knowledge
from kiosk.rules.movement import Moved
from kiosk.rules.schedule import is_open
from kiosk.rules.temperature import TemperatureRule
from kiosk.setup import Setup
from kiosk.state import Person, State, time_of
from kiosk.steps import five_here
from kiosk.steps.forms import HOSTED, VEHICLES

_PASSBACK_SECONDS = 60.0
_SURE = ColourRule(label="", gate="admit")
_UNSURE = ColourRule(label="", gate="refer")


def pass_keys(state: State, setup: Setup, now: Now) -> dict[str, bytes]:
    """The public keys that passes are verified with: the directory's in force, or those set up with the station."""
    listed = state.directory.keys.passes if state.directory else ()
    at = time_of(state, now)
    found = {key.kid: _raw(key.public) for key in listed if key.not_after is None or at < key.not_after}
    return {kid: raw for kid, raw in found.items() if raw} or dict(setup.pass_keys)


def _knows_all_keys(state: State) -> bool:
    """Where a key of the directory is kept out for its certificate, an unknown signature may well be the hub's."""
    return state.directory is None or all(key.public for key in state.directory.keys.passes)


def _raw(public: str) -> bytes:
    try:
        return unb64(public)
    except BadMessage:
        return b""


def rejected(state: State, claims: Pass, now: Now, setup: Setup, kinds: frozenset[str]) -> Rejected | None:
    """The checks of a pass that depend on gate, time and directory."""
    revoked = state.directory.revocations.ids if state.directory else ()
    wanted = [kind for kind in type(claims.kind) if kind in kinds]
    return check(claims, time_of(state, now), setup.compound, revoked, wanted, now.synced)


def facts(state: State, person: Person, problem: Problem | None, band: Band | None, now: Now, setup: Setup) -> Facts:
    """Everything that is known of a person at this moment; `problem` is why the code could not be read as a pass."""
    known = five_here.knowledge(state, now, setup)
    measured = person.direction is Direction.IN or setup.measure_on_exit
    if person.confirmed_by is not None:
        return Facts(
            None, known, needs_reading=measured, reading=band, tries=person.tries, more=_more(person),
            out_too_long=_out_too_long(state, person, now, setup),
        )  # fmt: skip
    if person.claims is None and person.form is None and person.logged is None:
        return Facts(problem or Problem.NOT_A_PASS, known if _knows_all_keys(state) else Knowledge.STALE)
    colour = colour_rule(state, person.pass_id)
    form = person.form
    return Facts(
        _problem(state, person, now, setup),
        known,
        isolating=state.directory is not None and person.pass_id in state.directory.isolating.ids,
        colour_gate=colour.gate,
        ask_symptoms=colour.ask_symptoms,
        passback=_passback(state, person, now),
        over_quota=_over_quota(state, person, now, setup),
        outside_window=_outside_window(state, person, now, setup),
        out_too_long=_out_too_long(state, person, now, setup),
        needs_reading=measured,
        reading=band,
        tries=person.tries,
        more=_more(person),
        closed=is_closed(state, now, setup),
        homecoming=person.who is Who.TRAVELLER,
        key_area=form is not None and form.key_area is True,
        host_unconfirmed=form is not None and form.who in HOSTED and not form.host_confirmed and form.booking is None,
        boot_unchecked=person.who in VEHICLES and not person.boot_checked,
        booking_problem=form.booking_problem if form else None,
        from_journal=person.logged is not None,
        no_card=form is not None and form.found == "list",
        question=_is_asked(state, person),
    )


def is_closed(state: State, now: Now, setup: Setup) -> bool:
    """Whether the gate is locked by the volunteer, or outside its hours."""
    local = time_of(state, now).astimezone(setup.timezone)
    schedule = state.directory.thresholds.schedule if state.directory else ()
    return state.lasting.shut or not is_open(schedule, local.hour * 60 + local.minute)


def _problem(state: State, person: Person, now: Now, setup: Setup) -> Problem | None:
    if person.claims is not None:
        found = rejected(state, person.claims, now, setup, GATE_KINDS)
        return found.problem if found else None
    revoked = state.directory.revocations.ids if state.directory else ()
    return Problem.REVOKED if person.pass_id is not None and person.pass_id in revoked else None


def _more(person: Person) -> bool:
    return len(person.readings) + 1 < len(person.roles)


def _is_asked(state: State, person: Person) -> bool:
    """Residents are drawn by a hash of pass and moment: nobody can tell whose turn it is."""
    if person.claims is None or person.claims.kind is not PassKind.RESIDENT or state.lasting.shift is None:
        return False
    share = state.directory.policies.question_share if state.directory else 0.0
    drawn = hashlib.sha256(f"{person.claims.id}:{person.seen_ns}".encode()).digest()
    return person.answer is None and int.from_bytes(drawn[:4], "big") < share * 2**32


def colour_of(state: State, pass_id: str) -> str | None:
    """The colour of a pass."""
    if state.directory is None:
        return None
    return state.directory.colours.holders.get(pass_id, state.directory.colours.default)


def colour_rule(state: State, pass_id: str | None) -> ColourRule:
    """What the gate does for a pass's colour. A colour given to a pass without a rule is unsure, so it is referred."""
    if state.directory is None or pass_id is None:
        return _SURE
    colours = state.directory.colours
    missing = _UNSURE if pass_id in colours.holders else _SURE
    return colours.rules.get(colour_of(state, pass_id) or "", missing)


def rule(state: State, setup: Setup) -> TemperatureRule:
    """The gate's rule with the sub-district's thresholds."""
    if state.directory is None:
        return setup.temperature
    limits = state.directory.thresholds
    return replace(setup.temperature, fever_celsius=limits.fever_celsius, low_celsius=limits.low_celsius)


def moved_lately(state: State, moved: Moved | None, direction: Direction, seconds: float, now: Now) -> bool:
    """Whether a pass moved this way less than `seconds` ago."""
    if moved is None:
        return False
    since = movement.elapsed(moved, time_of(state, now), state.lasting.boot, now.mono_ns)
    return movement.within(moved, direction, since, seconds)


def _passback(state: State, person: Person, now: Now) -> bool:
    if person.pass_id is None or person.follows is not None:
        return False
    seconds = state.directory.thresholds.passback_seconds if state.directory else _PASSBACK_SECONDS
    return moved_lately(state, _last_moved(state, person.pass_id), person.direction, seconds, now)


def _last_moved(state: State, pass_id: str) -> Moved | None:
    """At this gate or at a sibling, whichever came later."""
    here, there = state.lasting.moved.get(pass_id), state.siblings.get(pass_id)
    return max((m for m in (here, there) if m is not None), key=lambda m: m.at, default=None)


def _limits(state: State, person: Person, now: Now, setup: Setup) -> Policies:
    """The limits on going out that hold for somebody: none by an old directory or an unsynced clock, or for an outsider."""
    sure = now.synced and five_here.knowledge(state, now, setup) is Knowledge.FRESH
    if state.directory is None or not sure or not _lives_here(person) or not colour_rule(state, person.pass_id).quota:
        return Policies()
    return state.directory.policies


def _lives_here(person: Person) -> bool:
    if person.claims is not None:
        return person.claims.kind is PassKind.RESIDENT
    return person.form is not None and person.form.who is Who.RESIDENT


def _over_quota(state: State, person: Person, now: Now, setup: Setup) -> bool:
    """Outings of those of the household who have no quota do not count against the others."""
    limits = _limits(state, person, now, setup)
    if state.directory is None or person.pass_id is None or person.direction is not Direction.OUT or not limits.outings:
        return False
    passes = [one for one in quota.household(state.directory.households, person.pass_id) if colour_rule(state, one).quota]
    gone_out = [at for one in passes for at in _gone_out(state, one)]
    return quota.is_over(gone_out, time_of(state, now), limits.outings, limits.outing_days, setup.timezone)


def _gone_out(state: State, pass_id: str) -> tuple[datetime, ...]:
    """All outings by this gate; by a sibling's only the last movement is known, so one that is back by there goes uncounted."""
    there = state.siblings.get(pass_id)
    elsewhere = (there.at,) if there is not None and there.direction is Direction.OUT else ()
    return (*(one.at for one in state.lasting.outings.get(pass_id, ())), *elsewhere)


def _outside_window(state: State, person: Person, now: Now, setup: Setup) -> bool:
    windows = _limits(state, person, now, setup).outing_windows
    return person.direction is Direction.OUT and quota.is_outside(windows, time_of(state, now), setup.timezone)


def _out_too_long(state: State, person: Person, now: Now, setup: Setup) -> bool:
    if person.pass_id is None or person.direction is not Direction.IN:
        return False
    limits = _limits(state, person, now, setup)
    return quota.is_too_long(_out_seconds(state, person.pass_id, now), limits.outing_seconds)


def _out_seconds(state: State, pass_id: str, now: Now) -> float | None:
    """Since when somebody is out; None when they are not, or when an unsynced clock has dated it."""
    last = _last_moved(state, pass_id)
    if last is None or last.direction is not Direction.OUT:
        return None
    dated = last.entry is None or any(one.entry == last.entry for one in state.lasting.outings.get(pass_id, ()))
    return movement.elapsed(last, time_of(state, now), state.lasting.boot, now.mono_ns) if dated else None
