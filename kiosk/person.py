"""One person at the gate: code → decision or measurement → entry. Pure steps of the station's reducer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from contract.events import Event, Outcome
from contract.passes import PREFIX, Pass, Rejected
from kiosk.deciding import decided
from kiosk.entries import entry_of, personal_of, same_entry, sentence_of
from kiosk.inputs import Now, Say, TokenSeen
from kiosk.judging import colour_of, facts, moved_lately
from kiosk.measuring import begin, next_try
from kiosk.rules import admission
from kiosk.rules.admission import Decision
from kiosk.state import (
    Measuring,
    Person,
    Setup,
    Several,
    Shown,
    State,
    Step,
    Typing,
    Waiting,
    join,
    past,
    record,
)

_KEPT_NAMES = 200


def shown(state: State, seen: TokenSeen, token: Pass | Rejected, now: Now, setup: Setup) -> Step:
    """A code that is no badge came into view: somebody wants to pass."""
    if isinstance(state.at_hand, Typing) or _is_at_hand(state, seen.text) or _is_stray(state, seen, now, setup):
        return state, ()
    person = _person(state, seen, token)
    again = _held_up(state, person, now, setup)
    if again is not None:
        return again, ()
    problem = token.problem if isinstance(token, Rejected) else None
    decision = admission.decide(facts(state, person, problem, None, now, setup))
    left, effects = leave(state, "abandoned", now, setup)
    left = replace(left, names=_named(state.names, person), stray=(seen.text, now.mono_ns))
    if decision is None:
        return join((left, effects), begin(left, person, now, setup))
    return join((left, effects), decided(left, person, decision, None, now, setup))


def several(state: State, now: Now, setup: Setup) -> Step:
    """Two codes in view: no decision on either."""
    at_hand = state.at_hand
    unsaved = isinstance(at_hand, Shown) and at_hand.saved is None
    if unsaved or not isinstance(at_hand, Waiting | Several | Measuring | Shown):
        return state, ()
    left, effects = leave(state, "several", now, setup)
    said = () if isinstance(at_hand, Several) else (Say("one_by_one"),)
    return replace(left, at_hand=Several(now.mono_ns)), (*effects, *said)


def leave(state: State, reason: str, now: Now, setup: Setup) -> Step:
    """Nobody passes unrecorded: whoever was at hand without a decision is written down as referred."""
    if not isinstance(state.at_hand, Measuring | Typing):
        return replace(state, at_hand=Waiting()), ()
    person = state.at_hand.person
    entry = entry_of(state, person, Decision(Outcome.REFER, (reason,)), None, now, setup)
    return record(replace(state, at_hand=Waiting()), entry, personal=personal_of(person))


def committed(state: State, events: Sequence[Event], now: Now, setup: Setup) -> Step:
    """The entry at hand is on the disk: now it is shown and said, or a retake begins."""
    at_hand = state.at_hand
    if not isinstance(at_hand, Shown) or at_hand.saved is not None:
        return state, ()
    saved = next((event.id for event in events if same_entry(event.body, at_hand.entry)), None)
    if saved is None:
        return state, ()
    said = (Say(sentence_of(at_hand.entry)),)
    if at_hand.entry.outcome is not Outcome.RETAKE or at_hand.person is None:
        return replace(state, at_hand=replace(at_hand, saved=saved, since_ns=now.mono_ns)), said
    return join((state, said), begin(state, next_try(at_hand.person, at_hand.entry, saved), now, setup, again=True))


def _person(state: State, seen: TokenSeen, token: Pass | Rejected) -> Person:
    claims = token if isinstance(token, Pass) else None
    colour = colour_of(state, claims.id) if claims else None
    return Person(seen.text, claims, seen.mono_ns, state.direction, colour)


def _named(names: Mapping[str, tuple[str, str]], person: Person) -> Mapping[str, tuple[str, str]]:
    if person.claims is None:
        return names
    kept = dict(list(names.items())[-_KEPT_NAMES:])
    return {**kept, person.claims.id: (person.claims.name, person.claims.dwelling)}


def _is_at_hand(state: State, text: str) -> bool:
    at_hand = state.at_hand
    return isinstance(at_hand, Measuring | Shown) and at_hand.person is not None and at_hand.person.token == text


def _is_stray(state: State, seen: TokenSeen, now: Now, setup: Setup) -> bool:
    """A code of somebody else's making disturbs nobody at hand, and is recorded once while it stays about."""
    if seen.text.startswith(PREFIX):
        return False
    lately = state.stray is not None and state.stray[0] == seen.text and not past(state.stray[1], setup.timing.stray, now)
    return lately or not isinstance(state.at_hand, Waiting)


def _held_up(state: State, person: Person, now: Now, setup: Setup) -> State | None:
    """The pass of somebody just let in, still held up: shown again as admitted, and no second entry."""
    last = state.lasting.moved.get(person.claims.id) if person.claims else None
    if last is None or not moved_lately(state, last, person.direction, setup.timing.held_up, now):
        return None
    logged = next((e for e in state.lasting.entries if e.id == last.entry), None)
    if logged is None or isinstance(state.at_hand, Measuring):
        return state if logged else None
    return replace(state, at_hand=Shown(person, logged.entry, now.mono_ns, logged.id))
