"""State → vitals: the pulse that the hub hears every 15 s. Evidence goes by durations: two clocks are never compared."""

from dataclasses import dataclass
from datetime import datetime

from contract.events import Clock
from contract.five import Basis, Evidence
from contract.messages import DeviceState, EvidencePulse, Vitals
from kiosk.inputs import Now
from kiosk.setup import Setup
from kiosk.state import State, time_of
from kiosk.steps import five_here


@dataclass(frozen=True)
class Log:
    """Where the journal stands."""

    boot: str
    last_seq: int
    backlog: int


def vitals(state: State, log: Log, now: Now, setup: Setup) -> Vitals:
    """The pulse at this moment. Inspections are left out: they are the hub's own."""
    at = time_of(state, now)
    known = [e for e in five_here.evidence(state, now, setup) if e.basis is not Basis.INSPECTED]
    return Vitals(
        boot=log.boot, mono_ns=now.mono_ns, at=at, clock=Clock.SYNCED if now.synced else Clock.UNSYNCED,
        last_seq=log.last_seq, backlog=log.backlog, directory_version=state.lasting.directory_version,
        evidence=tuple(_pulse(e, at) for e in known),
        devices=tuple(DeviceState(device=n, ok=d.ok, detail=d.detail[:500]) for n, d in sorted(state.devices.items())),
        software=setup.software,
    )  # fmt: skip


def _pulse(found: Evidence, at: datetime) -> EvidencePulse:
    left = (found.valid_until - at).total_seconds() if found.valid_until else None
    over = found.present and left is not None and left <= 0
    return EvidencePulse(
        item=found.item, present=found.present and not over, basis=found.basis,
        age_seconds=max((at - found.observed_at).total_seconds(), 0.0), remaining_seconds=None if over else left, by=found.by,
        reason="expired" if over else found.reason, photo=found.photo,
    )  # fmt: skip
