"""The five at this station: evidence made of what its devices say, what was declared, and what was found by inspection."""

from datetime import UTC, datetime, timedelta

from msgspec import structs

from contract.events import DeviceChange, EvidenceChange
from contract.five import Basis, Evidence, Findings, Item, assess
from kiosk.inputs import Now
from kiosk.lasting import Held
from kiosk.rules.admission import Knowledge
from kiosk.setup import Setup
from kiosk.state import State, past, time_of

CALIBRATION = "calibration"
"""The name under which the journal is told that the thermometer has drifted, as if it were a device of its own."""
_CAMERA_REASONS = frozenset({"camera_dark", "camera_frozen"})


def evidence(state: State, now: Now, setup: Setup) -> tuple[Evidence, ...]:
    """All that speaks for or against each of the five at this moment."""
    told = (h.evidence for h in state.lasting.evidence.values() if h.evidence.basis is Basis.DECLARED)
    return (*sensed(state, now, setup), *told, *_inspected(state, now, setup))


def findings(state: State, now: Now, setup: Setup) -> Findings:
    """The five findings, by the rule that the hub has too."""
    return assess(evidence(state, now, setup), time_of(state, now))


def changes(state: State, now: Now, setup: Setup) -> tuple[EvidenceChange | DeviceChange, ...]:
    """What the journal does not know yet of the station's own evidence. Inspections are the hub's, and are not written back."""
    at, told = time_of(state, now), state.lasting.evidence
    settled = past(state.began_ns, setup.timing.settling, now)
    new = [e for e in sensed(state, now, setup) if (e.present or settled) and _differs(told.get((e.item, e.basis)), e)]
    ran_out = [_ran_out(h.evidence) for h in told.values() if _is_over(h.evidence, at)]
    changed = (EvidenceChange(evidence=structs.replace(e, valid_until=None)) for e in (*new, *ran_out))
    return (*changed, *_calibration(state, setup))


def drift(state: State, setup: Setup) -> float | None:
    """How far the thermometer is off by the crowd's median, in °C, while it is suspect: for a calibration, and nothing else."""
    crowd = state.lasting.crowd
    return crowd.off_celsius if crowd.source == setup.thermometer else None


def _calibration(state: State, setup: Setup) -> tuple[DeviceChange, ...]:
    off = drift(state, setup)
    if state.lasting.devices.get(CALIBRATION, True) == (off is None):
        return ()
    detail = "" if off is None else f"people read {off:+.1f} °C off: calibrate the thermometer"
    return (DeviceChange(device=CALIBRATION, ok=off is None, detail=detail),)


def declare(item: Item, at: datetime, seconds: float, by: str, photo: str | None = None) -> EvidenceChange:
    """A declaration with its lifetime."""
    until = at + timedelta(seconds=seconds)
    made = Evidence(
        item=item, present=True, basis=Basis.DECLARED, observed_at=at, valid_until=until, by=by, photo=photo,
    )  # fmt: skip
    return EvidenceChange(evidence=made, lifetime_seconds=seconds)


def withdraw(item: Item, at: datetime, reason: str, by: str) -> EvidenceChange:
    """A declaration that no longer holds."""
    gone = Evidence(item=item, present=False, basis=Basis.DECLARED, observed_at=at, reason=reason, by=by)
    return EvidenceChange(evidence=gone)


def declared(state: State, item: Item) -> Evidence | None:
    """The last declaration of an item."""
    held = state.lasting.evidence.get((item, Basis.DECLARED))
    return held.evidence if held else None


def knowledge(state: State, now: Now, setup: Setup) -> Knowledge:
    """How old the directory is."""
    if state.directory is None or state.directory.issued_at is None:
        return Knowledge.ABSENT
    age = (time_of(state, now) - state.directory.issued_at).total_seconds()
    return Knowledge.FRESH if age < setup.lifetimes.directory else Knowledge.STALE


def sensed(state: State, now: Now, setup: Setup) -> tuple[Evidence, ...]:
    """What the devices say: one piece for each item that has a sensor here."""
    found = (_register(state), _passes(state, now, setup), _temperature(state, now, setup))
    return tuple(_dated(state, e, now) for e in found if e is not None)


_UNDATED = datetime(1, 1, 1, tzinfo=UTC)


def _sensor(item: Item, reason: str | None, note: str | None = None) -> Evidence:
    return Evidence(item=item, present=reason is None, basis=Basis.SENSOR, observed_at=_UNDATED, reason=reason, note=note)


def _dated(state: State, found: Evidence, now: Now) -> Evidence:
    """Since when a sensor says so: since the journal was told, else from now on."""
    at, held = time_of(state, now), state.lasting.evidence.get((found.item, found.basis))
    same = held is not None and not _differs(held, found)
    return structs.replace(found, observed_at=min(held.evidence.observed_at, at) if held and same else at)


def _register(state: State) -> Evidence | None:
    if state.journal_problem is not None:
        return _sensor(Item.REGISTER, state.journal_problem)
    return _sensor(Item.REGISTER, None) if "journal" in state.devices else None


def _passes(state: State, now: Now, setup: Setup) -> Evidence:
    camera, scanner = state.devices.get("camera"), state.devices.get("scanner")
    known = knowledge(state, now, setup)
    if camera is None or not camera.ok:
        seen = camera.detail if camera else ""
        return _sensor(Item.PASSES, seen if seen in _CAMERA_REASONS else "camera_missing")
    if scanner is None or not scanner.ok:
        return _sensor(Item.PASSES, "scanner_failed")
    reasons = {Knowledge.ABSENT: "no_directory", Knowledge.STALE: "directory_stale", Knowledge.FRESH: None}
    return _sensor(Item.PASSES, reasons[known])


def _temperature(state: State, now: Now, setup: Setup) -> Evidence | None:
    if setup.thermometer is None:
        return None
    heard, lifetime = state.heard, setup.lifetimes.temperature_sensor
    if heard.at_ns is None or past(heard.at_ns, lifetime, now):
        silent = heard.fault in (None, "no_answer")
        return _sensor(Item.TEMPERATURE, "thermometer_silent" if silent else heard.fault)
    if _is_calibration_overdue(state, now, setup):
        return _sensor(Item.TEMPERATURE, "calibration_overdue")
    left = lifetime - (now.mono_ns - heard.at_ns) / 1e9
    rule, ambient = setup.temperature, heard.ambient_celsius
    degraded = ambient is not None and "ambient_out_of_range" in rule.approximations(ambient)
    hot_or_cold = "ambient_out_of_range" if degraded else None
    found = _sensor(Item.TEMPERATURE, None, hot_or_cold if drift(state, setup) is None else "drift")
    return structs.replace(found, valid_until=time_of(state, now) + timedelta(seconds=left, milliseconds=1))


def _is_calibration_overdue(state: State, now: Now, setup: Setup) -> bool:
    """By the gate's own date: from the day on that the calibration is due."""
    due = setup.calibration_due
    return due is not None and time_of(state, now).astimezone(setup.timezone).date() >= due


def _inspected(state: State, now: Now, setup: Setup) -> tuple[Evidence, ...]:
    if state.directory is None:
        return ()
    at = time_of(state, now)
    return tuple(
        Evidence(
            item=Item(f.item), present=False, basis=Basis.INSPECTED, observed_at=min(f.at, at), reason="inspection", note=f.note
        )
        for f in state.directory.findings.findings
        if f.gate == setup.gate and f.item in set(Item)
    )


def _differs(held: Held | None, found: Evidence) -> bool:
    return held is None or (held.evidence.present, held.evidence.reason) != (found.present, found.reason)


def _is_over(found: Evidence, at: datetime) -> bool:
    declared = found.basis is Basis.DECLARED and found.present
    return declared and found.valid_until is not None and found.valid_until <= at


def _ran_out(found: Evidence) -> Evidence:
    return structs.replace(found, present=False, reason="expired", observed_at=found.valid_until or found.observed_at, photo=None)
