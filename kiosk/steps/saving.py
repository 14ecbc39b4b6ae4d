"""What becomes of what was asked to be written: done, or kept in order until it can be. Pure steps."""

from dataclasses import replace

from kiosk import inputs
from kiosk.inputs import Effect, Now, Record
from kiosk.lasting import replay
from kiosk.setup import Setup
from kiosk.state import Device, State, Step, join, past
from kiosk.steps import barrier, counting, person, photos
from kiosk.steps.around import counted
from kiosk.steps.entries import same_bodies


def retry(state: State, now: Now, setup: Setup) -> Step:
    """Ask for the oldest that waits, once a second."""
    if not state.unsaved or not past(state.tried_ns, setup.timing.retry, now):
        return state, ()
    return replace(state, tried_ns=now.mono_ns), (state.unsaved[0],)


def committed(state: State, given: inputs.Committed, now: Now, setup: Setup) -> Step:
    """On the disk: the fold goes on, what waited goes next, and the outcome at hand may be shown."""
    lasting = replay(given.events, state.lasting)
    moved = lasting.moved is not state.lasting.moved
    state = replace(state, lasting=lasting)
    state = counted(state) if moved else state
    effects: tuple[Effect, ...] = ()
    late = bool(state.unsaved) and same_bodies(tuple(e.body for e in given.events), state.unsaved[0].bodies)
    if late:
        state = replace(state, unsaved=state.unsaved[1:], tried_ns=now.mono_ns)
        effects = state.unsaved[:1]
        problem = state.journal_problem if state.journal_problem == "disk_low" else None
        state = replace(state, journal_problem=problem)
    step = join((state, effects), person.committed(state, given.events, now, setup))
    step = join(step, barrier.committed(step[0], given.events, late, setup))
    step = join(step, counting.committed(step[0], given.events))
    return join(step, photos.committed(step[0], given.events))


def commit_failed(state: State, given: inputs.CommitFailed, now: Now, setup: Setup) -> Step:
    """Kept in order until the journal can take it; meanwhile nothing is shown as done."""
    again = bool(state.unsaved) and same_bodies(given.bodies, state.unsaved[0].bodies)
    unsaved = state.unsaved if again else (*state.unsaved, Record(given.bodies, given.personal))
    devices = {**state.devices, "journal": Device(False, given.reason)}
    return replace(state, unsaved=unsaved, devices=devices, journal_problem=given.reason, tried_ns=now.mono_ns), ()
