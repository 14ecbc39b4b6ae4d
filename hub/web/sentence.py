"""The state of all gates in one sentence, as it is read out at 07:00. Pure."""

from collections.abc import Iterable
from datetime import datetime

from hub.rules.compliance import GateStatus, Status
from hub.web.texts import duration, text


def sentence(gates: Iterable[GateStatus], now: datetime, language: str, *, blind: bool = False) -> str:
    """「开放门岗296:达标291、缺4、失联1;最久 东门 缺志愿者2小时10分,联络员李××」; blind: that it was so before."""
    known = list(gates)
    said = _counts(known, language) + _rest(known, now, language)
    return text(language, "sentence.before", rest=said) if blind and known else said


def _counts(gates: list[GateStatus], language: str) -> str:
    if not gates:
        return text(language, "sentence.no_gates")
    numbers = {status: sum(g.status is status for g in gates) for status in Status}
    opened = len(gates) - numbers[Status.CLOSED]
    if not opened:
        return text(language, "sentence.all_closed", closed=len(gates))
    return text(
        language,
        "sentence.open",
        open=opened,
        compliant=numbers[Status.COMPLIANT],
        missing=numbers[Status.NON_COMPLIANT],
        unreachable=numbers[Status.UNREACHABLE],
    )


def _rest(gates: list[GateStatus], now: datetime, language: str) -> str:
    """Whichever lacks something longest; of the unreachable ones only when none is known to lack anything."""
    opened = [g for g in gates if g.status is not Status.CLOSED]
    for wanted in (Status.NON_COMPLIANT, Status.UNREACHABLE):
        found = [g for g in opened if g.status is wanted]
        if found:
            return _longest(min(found, key=lambda g: began(g) or now), now, language)
    return text(language, "sentence.all_well") if opened else ""


def _longest(gate: GateStatus, now: datetime, language: str) -> str:
    lasting = _lasting(gate, now, language)
    if gate.status is Status.UNREACHABLE:
        what = text(language, "sentence.unreachable", lasting=lasting)
    else:
        what = text(language, "sentence.missing", items=_longest_missing(gate, language), lasting=lasting)
    name = f"{gate.compound_name} {gate.gate_name}"
    liaison = text(language, "sentence.liaison", liaison=gate.liaison) if gate.liaison else ""
    return text(language, "sentence.longest", gate=name, what=what) + liaison


def began(gate: GateStatus) -> datetime | None:
    """Since when the gate lacks what it lacks longest, or is as it is; None where nobody knows."""
    return min((since for since in _missing_since(gate).values() if since), default=gate.since)


def _missing_since(gate: GateStatus) -> dict[str, datetime | None]:
    """Missing items and since when; one that was never there is missing for as long as the gate is non-compliant."""
    if gate.status is not Status.NON_COMPLIANT:
        return {}
    return {item: found.since or gate.since for item, found in gate.items.items() if not found.present}


def _lasting(gate: GateStatus, now: datetime, language: str) -> str:
    since = began(gate)
    if since is None:
        return ""
    return text(language, "sentence.lasting", lasting=duration(language, (now - since).total_seconds()))


def _longest_missing(gate: GateStatus, language: str) -> str:
    first, missing = began(gate), _missing_since(gate)
    longest = [item for item, since in missing.items() if since == first]
    return text(language, "sentence.and").join(text(language, f"item.{item}").lower() for item in longest)
