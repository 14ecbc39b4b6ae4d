"""The barrier: who raises it, and that it is written down. Pure steps of the station's reducer."""

from collections.abc import Sequence

from contract.events import BarrierOpened, Entry, Event, Outcome, Who
from contract.passes import PassKind
from kiosk.inputs import BarrierAsked, BarrierReleased, Effect, Now, OpenBarrier, RaiseBarrier
from kiosk.setup import Setup
from kiosk.state import Shown, State, Step, fail, join, record

_VEHICLES = frozenset({Who.VEHICLE, Who.TAXI})


def pulse(setup: Setup) -> tuple[Effect, ...]:
    """What raises it; nothing where there is none."""
    return (RaiseBarrier(),) if setup.barrier else ()


def opened(setup: Setup, cause: str, by: str | None = None) -> tuple[BarrierOpened, ...]:
    """What is written down of it; nothing where there is none."""
    return (BarrierOpened(cause=cause, by=by),) if setup.barrier else ()


def touched(state: State, touch: OpenBarrier, now: Now, setup: Setup) -> Step:
    """抬杆: by whoever is signed in."""
    shift = state.lasting.shift
    if shift is None:
        return fail(state, "not_signed_in", now)
    if not setup.barrier:
        return fail(state, "no_barrier", now)
    return _raised(state, "touch", setup, shift.badge)


def asked(state: State, given: BarrierAsked, now: Now, setup: Setup) -> Step:
    """The hub asks for it: only while somebody is signed in here, since nobody else sees what stands under it."""
    return _raised(state, "hub", setup) if state.lasting.shift is not None else (state, ())


def released(state: State, given: BarrierReleased, now: Now, setup: Setup) -> Step:
    """Its own button has opened it: nothing is left to do but to write it down."""
    return record(state, BarrierOpened(cause="button"))


def committed(state: State, events: Sequence[Event], late: bool, setup: Setup) -> Step:
    """A vehicle was let in: its entry is on the disk. One that had to wait for the disk must still be at hand."""
    step: Step = state, ()
    for event in events:
        if isinstance(event.body, Entry) and _is_let_in(event.body) and (not late or _is_shown(state, event.id)):
            step = join(step, _raised(step[0], "entry", setup, event.body.by))
    return step


def _raised(state: State, cause: str, setup: Setup, by: str | None = None) -> Step:
    if not setup.barrier:
        return state, ()
    return join((state, pulse(setup)), record(state, *opened(setup, cause, by)))


def _is_let_in(entry: Entry) -> bool:
    """A vehicle here and now; one keyed in later is long through."""
    is_vehicle = entry.who in _VEHICLES or (entry.who is None and entry.pass_kind == PassKind.VEHICLE)
    return is_vehicle and entry.outcome is Outcome.ADMIT and entry.written is None


def _is_shown(state: State, entry: str) -> bool:
    return isinstance(state.at_hand, Shown) and state.at_hand.saved == entry
