"""Nobody passes unrecorded: people counted by the presence sensor against people in entries. Pure steps."""

from collections.abc import Sequence
from dataclasses import replace

from contract.events import Entry, Event, Outcome, PeopleCounted
from kiosk.inputs import Now, PersonPassed, PresenceChanged, Say
from kiosk.setup import Setup
from kiosk.state import Counting, State, Step, Waiting, past, record
from kiosk.steps.judging import is_closed

WINDOW_SECONDS = 900
_UNCOUNTED_AT_LEAST = 3
"""A sensor counts the same person twice now and then, and a volunteer who walks by."""
_UNCOUNTED_SHARE = 1.5
_PASSED = frozenset({Outcome.ADMIT, Outcome.EMERGENCY, Outcome.UNCHECKED})


def presence(state: State, given: PresenceChanged, now: Now, setup: Setup) -> Step:
    """Somebody is near, or nobody is: whoever comes to a gate that waits is asked for the pass."""
    comes = given.present and not state.present and isinstance(state.at_hand, Waiting)
    asked = (Say("show_pass"),) if comes and not is_closed(state, now, setup) else ()
    return replace(state, present=given.present), asked


def passed(state: State, given: PersonPassed, now: Now, setup: Setup) -> Step:
    """The sensor counted one more."""
    counting = state.counting
    return replace(state, counting=replace(counting, counted=counting.counted + 1)), ()


def committed(state: State, events: Sequence[Event]) -> Step:
    """People who passed, as these entries say; what is keyed in later happened at another time."""
    entries = (event.body for event in events if isinstance(event.body, Entry))
    more = sum(entry.people for entry in entries if entry.outcome in _PASSED and entry.written is None)
    counting = state.counting
    return replace(state, counting=replace(counting, recorded=counting.recorded + more)), ()


def told(state: State, now: Now, setup: Setup) -> Step:
    """A quarter of an hour is over: written down if there is a sensor and anything to tell."""
    counting = state.counting
    if not past(counting.since_ns, WINDOW_SECONDS, now):
        return state, ()
    state = replace(state, counting=Counting(now.mono_ns), window=counting)
    if not setup.presence or not (counting.counted or counting.recorded):
        return state, ()
    seconds = (now.mono_ns - counting.since_ns) / 1e9
    return record(state, PeopleCounted(seconds=seconds, counted=counting.counted, recorded=counting.recorded))


def counted(state: State, setup: Setup) -> int | None:
    """People counted in the last full quarter of an hour; None where nothing counts them."""
    return state.window.counted if setup.presence and state.window else None


def recorded(state: State) -> int:
    """People in entries in the same time."""
    return state.window.recorded if state.window else 0


def is_uncounted(state: State, setup: Setup) -> bool:
    """So many more were counted than recorded that somebody must have passed unrecorded."""
    seen, written = counted(state, setup), recorded(state)
    return seen is not None and seen - written >= _UNCOUNTED_AT_LEAST and seen > _UNCOUNTED_SHARE * written
