"""One person at the gate: code → decision or measurement → entry. Pure steps of the station's reducer."""

from collections.abc import Sequence
from dataclasses import replace

from contract.events import Entry, Event, Outcome
from contract.passes import PREFIX, Pass, PassKind, Rejected
from kiosk.inputs import Now, PutAside, Say, TokenSeen
from kiosk.rules import admission
from kiosk.rules.admission import Decision
from kiosk.state import (
    ALONE,
    Measuring,
    Person,
    Setup,
    Several,
    Shown,
    State,
    Step,
    Typing,
    Waiting,
    fail,
    join,
    past,
)
from kiosk.steps.deciding import can_decide, met
from kiosk.steps.entries import asked_for, entry_of, same_entry, sentence_of, told
from kiosk.steps.judging import colour_of, facts, moved_lately
from kiosk.steps.measuring import next_try
from kiosk.steps.thermometry import begin


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
    left = replace(left, stray=(seen.text, now.mono_ns))
    return join((left, effects), met(left, person, decision, now, setup))


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
    """Nobody passes unrecorded: whoever was at hand without a decision is written down as referred.

    Whoever was to be measured again, or was written down, is not given up: they wait at the side.
    """
    if not isinstance(state.at_hand, Measuring | Typing):
        return replace(state, at_hand=Waiting()), ()
    person = state.at_hand.person
    reasons = _aside(person) if reason == "abandoned" and is_kept(person) else (reason,)
    return asked_for(replace(state, at_hand=Waiting()), person, _left(state, person, reasons, now, setup))


def put_aside(state: State, touch: PutAside, now: Now, setup: Setup) -> Step:
    """请到旁边: the person at hand waits at the side, and the queue goes on."""
    at_hand = state.at_hand
    if isinstance(at_hand, Shown) and can_decide(state):
        return replace(state, at_hand=Waiting()), ()
    if not isinstance(at_hand, Measuring | Typing):
        return fail(state, "nobody_there", now)
    person = at_hand.person
    left = _left(state, person, _aside(person), now, setup)
    return join((state, (Say("wait_aside"),)), asked_for(replace(state, at_hand=Waiting()), person, left))


def is_kept(person: Person) -> bool:
    """Whether somebody who gives up their place in the queue is still expected back."""
    asked = person.form is not None and person.form.found == "form"
    return asked or bool(person.tries or person.readings or person.confirmed_by)


def _aside(person: Person) -> tuple[str, ...]:
    return ("aside", person.tries[-1].value) if person.tries else ("aside",)


def _left(state: State, person: Person, reasons: tuple[str, ...], now: Now, setup: Setup) -> Entry:
    return entry_of(state, person, Decision(Outcome.REFER, reasons), None, now, setup)


def committed(state: State, events: Sequence[Event], now: Now, setup: Setup) -> Step:
    """The entry at hand is on the disk: now it is shown and said, or a retake begins."""
    state = told(state, events)
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
    roles = ("driver",) if claims and claims.kind is PassKind.VEHICLE else (ALONE,)
    return Person(seen.text, claims, seen.mono_ns, seen.direction or state.direction, colour, roles=roles)


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
