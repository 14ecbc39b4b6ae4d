"""From what the hub knows of one gate to what its page shows. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contract.events import Companion, Correction, Reading
from contract.five import Finding, Item
from hub.rules.compliance import GateStatus, StationStatus
from hub.status import EntryRow
from hub.web.board import Cell, basis_word, cell
from hub.web.texts import duration, reason, text, word


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
class Taken:
    """One temperature: 36.5 °C, or what there was instead of a figure; `whose` is empty for the entry's own."""

    whose: str
    said: str
    alarming: bool


@dataclass(frozen=True)
class Mark:
    """Something about an entry in a word or two."""

    said: str
    alarming: bool = False


@dataclass(frozen=True)
class EntryLine:
    """One entry. `at` is when it happened: of one keyed in later, what the paper says."""

    id: str
    at: datetime
    direction: str
    outcome: str
    who: str
    people: int
    taken: tuple[Taken, ...]
    reasons: tuple[str, ...]
    marks: tuple[Mark, ...]
    station: str
    cancelled: bool
    written: bool
    """Keyed in later, from paper or from memory."""
    noted_at: datetime
    """When it was written to the journal."""
    pictured: bool


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


EMERGENCIES = frozenset({"ambulance", "fire", "police", "other"})
"""Who an emergency let through, as the gate tells afterwards."""


def entry_lines(rows: Iterable[EntryRow], corrections: Iterable[Correction], language: str) -> tuple[EntryLine, ...]:
    """Entries as they count now: a later correction decides, the first word stays in the journal."""
    corrected = {one.corrects: one for one in corrections}
    return tuple(_entry_line(row, corrected.get(row.id), language) for row in rows)


def _entry_line(row: EntryRow, correction: Correction | None, language: str) -> EntryLine:
    outcome = correction.outcome if correction and correction.outcome else row.outcome
    told = (correction.note,) if correction and correction.note in EMERGENCIES else ()
    keys = [*row.reasons, *told, *(row.reading.reasons if row.reading else ())]
    return EntryLine(
        id=row.id,
        at=row.written.at if row.written else row.at,
        direction=row.direction,
        outcome=outcome,
        who=_who(row, language),
        people=row.people,
        taken=(_taken("", row.reading, language), *(_of_companion(one, language) for one in row.companions)),
        reasons=tuple(dict.fromkeys(reason(language, key) for key in keys if key not in ("ok", "normal", outcome))),
        marks=_marks(row, language),
        station=row.station,
        cancelled=correction is not None and correction.cancelled,
        written=row.written is not None,
        noted_at=row.at,
        pictured=bool(row.photos),
    )


def _who(row: EntryRow, language: str) -> str:
    key = row.who or row.pass_kind
    return word(language, "who", key) if key else "–"


def _of_companion(one: Companion, language: str) -> Taken:
    return _taken(word(language, "role", one.role), one.reading, language)


def _taken(whose: str, reading: Reading | None, language: str) -> Taken:
    alarming = reading is not None and reading.band == "fever"
    if reading is None:
        return Taken(whose, "–", alarming)
    figure = text(language, f"band.{reading.band}") if reading.body_celsius is None else f"{reading.body_celsius:.1f} °C"
    return Taken(whose, figure, alarming)


def _marks(row: EntryRow, language: str) -> tuple[Mark, ...]:
    """What the register has columns for, where it was asked."""
    said = [Mark(word(language, "purpose", row.purpose))] if row.purpose else []
    answers = (
        ("host", row.host_confirmed, False),
        ("key_area", row.key_area, True),
        ("boot", row.boot_checked, False),
        ("answer", row.answer, False),
    )
    for name, answer, alarm in answers:
        if answer is not None:
            said.append(Mark(text(language, f"mark.{name}.{'yes' if answer else 'no'}"), answer is alarm))
    if row.found not in ("code", "form"):
        said.append(Mark(word(language, "found", row.found)))
    said += [Mark(text(language, "mark.booking"))] if row.booking else []
    said += [Mark(text(language, "mark.visit"))] if row.visit else []
    return tuple(said)
