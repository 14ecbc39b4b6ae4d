"""Photos that follow an event: asked for once it is on the disk, so that nothing waits for a camera. Pure steps."""

from collections.abc import Sequence

from contract.events import Body, Entry, Event, GateShut, HelpCalled, Outcome, PhotoAttached
from kiosk.inputs import Now, PhotoTaken, TakePhoto
from kiosk.setup import Setup
from kiosk.state import State, Step, record
from kiosk.steps import checklist


def committed(state: State, events: Sequence[Event]) -> Step:
    """These events are on the disk: those that want a picture get theirs asked for."""
    wanted = ((_purpose(event.body), event.id) for event in events)
    return state, tuple(TakePhoto(purpose, about) for purpose, about in wanted if purpose is not None)


def taken(state: State, given: PhotoTaken, now: Now, setup: Setup) -> Step:
    """The picture is attached to its event; without one the event stands as it is. A picture about nothing is the checklist's."""
    if given.about is None:
        return checklist.photo_taken(state, given, now, setup)
    if given.sha is None:
        return state, ()
    return record(state, PhotoAttached(event=given.about, photo=given.sha, purpose=given.purpose))


def _purpose(body: Body) -> str | None:
    """What a picture of this is for; None: it wants none. An entry keyed in later shows nothing of what happened."""
    match body:
        case Entry(outcome=Outcome.EMERGENCY | Outcome.UNCHECKED as outcome, written=None):
            return outcome.value
        case HelpCalled():
            return "help"
        case GateShut(shut=True):
            return "lock"
    return None
