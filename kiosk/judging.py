"""From a code and what the station knows to the facts that the table of admission decides on. Pure."""

from dataclasses import replace

from contract.codec import BadMessage
from contract.directory import ColourRule
from contract.events import Band, Direction
from contract.passes import Pass, Problem, Rejected, check
from contract.sealing import unb64
from kiosk import five_here
from kiosk.inputs import Now
from kiosk.rules import movement
from kiosk.rules.admission import GATE_KINDS, Facts
from kiosk.rules.movement import Moved
from kiosk.rules.temperature import TemperatureRule
from kiosk.setup import Setup
from kiosk.state import Person, State, time_of

_PASSBACK_SECONDS = 60.0
_SURE = ColourRule(label="", gate="admit")
_UNSURE = ColourRule(label="", gate="refer")


def pass_keys(state: State, setup: Setup, now: Now) -> dict[str, bytes]:
    """The public keys that passes are verified with: the directory's in force, or those set up with the station."""
    listed = state.directory.keys.passes if state.directory else ()
    at = time_of(state, now)
    found = {key.kid: _raw(key.public) for key in listed if key.not_after is None or at < key.not_after}
    return {kid: raw for kid, raw in found.items() if raw} or dict(setup.pass_keys)


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
    if person.claims is None:
        return Facts(problem or Problem.NOT_A_PASS, known)
    found = rejected(state, person.claims, now, setup, GATE_KINDS)
    colour = colour_rule(state, person.claims.id)
    return Facts(
        found.problem if found else None,
        known,
        isolating=state.directory is not None and person.claims.id in state.directory.isolating.ids,
        colour_gate=colour.gate,
        ask_symptoms=colour.ask_symptoms,
        passback=_passback(state, person, now),
        needs_reading=person.direction is Direction.IN or setup.measure_on_exit,
        reading=band,
        tries=person.tries,
    )


def colour_of(state: State, pass_id: str) -> str | None:
    """The colour of a pass."""
    if state.directory is None:
        return None
    return state.directory.colours.holders.get(pass_id, state.directory.colours.default)


def colour_rule(state: State, pass_id: str) -> ColourRule:
    """What the gate does for a pass's colour. A colour given to a pass without a rule is unsure, so it is referred."""
    if state.directory is None:
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
    if person.claims is None or person.follows is not None:
        return False
    seconds = state.directory.thresholds.passback_seconds if state.directory else _PASSBACK_SECONDS
    here, there = state.lasting.moved.get(person.claims.id), state.siblings.get(person.claims.id)
    newest = max((m for m in (here, there) if m is not None), key=lambda m: m.at, default=None)
    return moved_lately(state, newest, person.direction, seconds, now)
