"""From what the hub knows of one gate to what its page shows. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contract.events import Correction, Reading
from contract.five import Finding, Item
from hub.rules.compliance import GateStatus, StationStatus
from hub.status import EntryRow
from hub.web.board import Cell, basis_word, cell
from hub.web.texts import duration, reason, text


@dataclass(frozen=True)
class Detail:
    """One of the five at length."""

    cell: Cell
    basis: str
    since: datetime | None
    valid_until: datetime | None
    last_known: str
    """What was last known, where now is not; else empty."""


@dataclass(frozen=True)
class StationLine:
    """One station."""

    station: str
    lane: str
    online: bool
    heard: str
    backlog: int | None
    directory_version: int | None
    clock: str | None


@dataclass(frozen=True)
class EntryLine:
    """One entry; `temperature` is 36.5 °C, or what there was instead of a figure."""

    at: datetime
    direction: str
    outcome: str
    temperature: str
    alarming: bool
    reasons: tuple[str, ...]
    station: str
    cancelled: bool


def details(gate: GateStatus, findings: Mapping[Item, Finding], now: datetime, language: str) -> tuple[Detail, ...]:
    """The five in order; `findings` say until when each holds."""
    return tuple(_detail(cell(item, gate, now, language), gate, findings[item], language) for item in Item)


def _detail(shown: Cell, gate: GateStatus, finding: Finding, language: str) -> Detail:
    found = gate.items[shown.item]
    known = shown.state in ("present", "missing")
    last = text(language, "item.present" if finding.present else "item.missing")
    return Detail(
        cell=shown,
        basis=basis_word(found, language) if known else "",
        since=found.since if known else None,
        valid_until=finding.valid_until if shown.state == "present" else None,
        last_known=text(language, "gate.last_known", state=last) if shown.state == "unknown" else "",
    )


def station_line(station: StationStatus, language: str) -> StationLine:
    """What a supervisor asks of a station."""
    return StationLine(
        station=station.station,
        lane=station.lane,
        online=station.online,
        heard=_heard(station.heard_seconds_ago, language),
        backlog=station.backlog,
        directory_version=station.directory_version,
        clock=station.clock,
    )


def _heard(seconds: float | None, language: str) -> str:
    if seconds is None:
        return text(language, "station.never")
    if seconds < 60:
        return text(language, "station.now")
    return text(language, "station.heard", lasting=duration(language, seconds))


def entry_lines(rows: Iterable[EntryRow], corrections: Iterable[Correction], language: str) -> tuple[EntryLine, ...]:
    """Entries as they count now: a later correction decides, the first word stays in the journal."""
    corrected = {one.corrects: one for one in corrections}
    return tuple(_entry_line(row, corrected.get(row.id), language) for row in rows)


def _entry_line(row: EntryRow, correction: Correction | None, language: str) -> EntryLine:
    outcome = correction.outcome if correction and correction.outcome else row.outcome
    reading = row.reading
    keys = [*row.reasons, *(reading.reasons if reading else ())]
    return EntryLine(
        at=row.at,
        direction=row.direction,
        outcome=outcome,
        temperature=_temperature(reading, language),
        alarming=reading is not None and reading.band == "fever",
        reasons=tuple(dict.fromkeys(reason(language, key) for key in keys if key not in ("ok", "normal", outcome))),
        station=row.station,
        cancelled=correction is not None and correction.cancelled,
    )


def _temperature(reading: Reading | None, language: str) -> str:
    if reading is None:
        return "–"
    if reading.body_celsius is None:
        return text(language, f"band.{reading.band}")
    return f"{reading.body_celsius:.1f} °C"
