"""What a station hears from around it: thermometer, devices, directory, sibling gates, the way to the hub. Pure steps."""

from dataclasses import replace
from datetime import timedelta

from contract.events import DeviceChange, Direction, DirectoryApplied
from contract.messages import Movement
from contract.opening import closed
from kiosk import inputs
from kiosk.drivers.base import Measurement
from kiosk.inputs import Now
from kiosk.rules import movement
from kiosk.rules.movement import Moved
from kiosk.setup import Setup
from kiosk.state import Device, Heard, Link, State, Step, record, time_of
from kiosk.steps import measuring

_SIBLINGS_SECONDS = 60 * 86400


def measured(state: State, given: inputs.Measured, now: Now, setup: Setup) -> Step:
    """The thermometer answered, or failed: kept as its state, and handed to the person at hand."""
    value = given.value
    if isinstance(value, Measurement):
        heard, device = Heard(now.mono_ns, value.ambient_celsius), Device(True)
    else:
        heard, device = replace(state.heard, fault=value.kind.value), Device(False, value.detail)
    devices = state.devices if state.devices.get("thermometer") == device else {**state.devices, "thermometer": device}
    return measuring.measured(replace(state, heard=heard, devices=devices), given, now, setup)


def directory(state: State, given: inputs.DirectoryArrived, now: Now, setup: Setup) -> Step:
    """From here on this directory decides; and no time is earlier than the one at which it was issued.

    One that was opened just before the shift ended comes too late to be open.
    """
    new, at = given.directory if state.lasting.shift is not None else closed(given.directory), time_of(state, now)
    state = replace(state, directory=new)
    if new.issued_at is not None and not now.synced and new.issued_at > at:
        state = replace(state, floor=state.floor + (new.issued_at - at))
    if new.version == state.lasting.directory_version:
        return state, ()
    return record(state, DirectoryApplied(version=new.version))


def movements(state: State, given: inputs.MovementsArrived, now: Now, setup: Setup) -> Step:
    """What went on at the compound's other gates, and at the other lanes of this one."""
    at = time_of(state, now)
    heard = {
        m.pass_id: Moved(Direction(m.direction), at - timedelta(seconds=m.age_seconds))
        for m in given.movements.movements
        if not _is_own(m, setup) and m.age_seconds < _SIBLINGS_SECONDS
    }
    return counted(replace(state, siblings=movement.merge(state.siblings, heard))), ()


def _is_own(moved: Movement, setup: Setup) -> bool:
    """Written by this very station; of a hub that doesn't say which station, all of this gate's count as such."""
    return moved.station == setup.station or (not moved.station and moved.gate == setup.gate)


def counted(state: State) -> State:
    """The state with the passes inside counted anew."""
    return replace(state, inside=len(movement.inside(movement.merge(state.lasting.moved, state.siblings))))


def link(state: State, given: inputs.LinkChanged, now: Now, setup: Setup) -> Step:
    """The way to the hub changed."""
    return replace(state, link=Link(given.connected, given.detail, given.backlog)), ()


def device(state: State, given: inputs.DeviceReport, now: Now, setup: Setup) -> Step:
    """A device's state; a change of it is an event, but for the journal's own, which its evidence tells."""
    state = replace(state, devices={**state.devices, given.device: Device(given.ok, given.detail)})
    if given.device == "journal":
        return replace(state, journal_problem=None if given.ok else given.detail or "journal_failed"), ()
    if state.unsaved or state.lasting.devices.get(given.device, True) == given.ok:
        return state, ()
    return record(state, DeviceChange(device=given.device, ok=given.ok, detail=given.detail[:500]))
