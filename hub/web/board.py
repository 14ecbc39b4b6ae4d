"""From what the hub knows of the gates to what the overview shows: rows of five cells in sections. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contract.five import Item
from hub.rules.closing import LOOKED_AT
from hub.rules.compliance import GateStatus, ItemStatus, Status
from hub.web.sentence import began
from hub.web.texts import duration, reason, text

WORST = (Status.NON_COMPLIANT, Status.UNREACHABLE, Status.COMPLIANT, Status.CLOSED)
ORDERS = ("worst", "place")


@dataclass(frozen=True)
class Cell:
    """One of the five at one gate. `state`: present, missing, unknown or closed."""

    item: Item
    state: str
    word: str
    lasting: str
    why: str
    """The reason when missing, the basis when present; else empty."""


@dataclass(frozen=True)
class Row:
    """One gate."""

    gate: str
    name: str
    compound: str
    area: str
    area_name: str
    liaison: str
    status: Status
    lasting: str
    cells: tuple[Cell, ...]
    searched: str
    passed: str = ""
    """Who went through although it is closed; else empty."""
    lacks: tuple[Item, ...] = ()
    """What is known to be missing."""


@dataclass(frozen=True)
class Wanted:
    """What the overview is narrowed to; empty or None: not by this. `search`: words that all occur in a gate's names."""

    area: str = ""
    status: Status | None = None
    item: Item | None = None
    """Gates at which this is known to be missing."""
    search: str = ""

    def __bool__(self) -> bool:
        return self != EVERYTHING

    @property
    def words(self) -> tuple[str, ...]:
        """The words searched for."""
        return tuple(self.search.casefold().split())


EVERYTHING = Wanted()


@dataclass(frozen=True)
class Section:
    """Rows under one heading: a status or a place. `shown`: how many of them are wanted."""

    key: str
    title: str
    rows: tuple[Row, ...]
    shown: int


@dataclass(frozen=True)
class Tile:
    """How many gates have a status; None counts them all."""

    status: Status | None
    count: int
    pressed: bool


def row(gate: GateStatus, now: datetime, language: str) -> Row:
    """What the overview says of one gate."""
    return Row(
        gate=gate.gate,
        name=gate.gate_name,
        compound=gate.compound_name,
        area=gate.area,
        area_name=gate.area_name,
        liaison=gate.liaison,
        status=gate.status,
        lasting=_lasting(gate.since, now, language),
        cells=tuple(cell(item, gate, now, language) for item in Item),
        searched=_searched(gate),
        passed=_passed(gate, now, language),
        lacks=_lacks(gate),
    )


def cell(item: Item, gate: GateStatus, now: datetime, language: str) -> Cell:
    """One of the five; of a gate that can't be heard nothing is claimed, and of a closed one nothing is asked."""
    found = gate.items.get(item)
    if gate.status in (Status.UNREACHABLE, Status.CLOSED) or found is None:
        state = "closed" if gate.status is Status.CLOSED else "unknown"
        return Cell(item, state, text(language, f"item.{state}"), "", "")
    if found.present:
        return Cell(item, "present", text(language, "item.present"), "", basis_word(found, language))
    why = reason(language, found.reason) if found.reason else ""
    return Cell(item, "missing", text(language, "item.missing"), _lasting(found.since or gate.since, now, language), why)


def basis_word(found: ItemStatus, language: str) -> str:
    """What the finding rests on, or nothing."""
    return text(language, f"basis.{found.basis}") if found.basis else ""


def sections(
    gates: Sequence[GateStatus], order: str, now: datetime, language: str, wanted: Wanted = EVERYTHING
) -> tuple[Section, ...]:
    """Every gate once: by status with the longest first (`worst`), or by area and compound (`place`)."""
    shown = {gate.gate for gate in narrowed(gates, wanted)}

    def section(key: str, title: str, found: Sequence[GateStatus]) -> Section:
        return Section(key, title, tuple(row(g, now, language) for g in found), sum(g.gate in shown for g in found))

    if order == "worst":
        return tuple(
            section(status, text(language, f"status.{status}"), found)
            for status in WORST
            if (found := sorted((g for g in gates if g.status is status), key=lambda g: _longest_first(g, now)))
        )
    return tuple(
        section(f"area-{area}", name, [g for g in sorted(gates, key=_by_place) if g.area == area]) for area, name in areas(gates)
    )


def narrowed(gates: Sequence[GateStatus], wanted: Wanted) -> list[GateStatus]:
    """The gates that are wanted."""
    return [gate for gate in _of_any_status(gates, wanted) if wanted.status in (None, gate.status)]


def _of_any_status(gates: Sequence[GateStatus], wanted: Wanted) -> list[GateStatus]:
    words = wanted.words
    return [
        gate
        for gate in gates
        if wanted.area in ("", gate.area)
        and (wanted.item is None or wanted.item in _lacks(gate))
        and (not words or all(word in _searched(gate) for word in words))
    ]


def areas(gates: Sequence[GateStatus]) -> list[tuple[str, str]]:
    """Ids and names of the areas that have gates, by name."""
    return sorted({(g.area, g.area_name) for g in gates}, key=lambda area: area[1])


def tiles(gates: Sequence[GateStatus], wanted: Wanted = EVERYTHING) -> tuple[Tile, ...]:
    """All, then by status, worst first; counted without regard to the status wanted."""
    known = _of_any_status(gates, wanted)
    counts = ((None, len(known)), *((status, sum(g.status is status for g in known)) for status in WORST))
    return tuple(Tile(status, count, status is wanted.status) for status, count in counts)


def _searched(gate: GateStatus) -> str:
    return " ".join((gate.gate_name, gate.compound_name, gate.area_name, gate.liaison)).casefold()


def _lacks(gate: GateStatus) -> tuple[Item, ...]:
    """Of a gate that can't be heard or is closed nothing is known to be missing."""
    asked = gate.status in (Status.COMPLIANT, Status.NON_COMPLIANT)
    return tuple(item for item in Item if asked and item in gate.items and not gate.items[item].present)


def _lasting(since: datetime | None, now: datetime, language: str) -> str:
    return duration(language, (now - since).total_seconds()) if since else ""


def _passed(gate: GateStatus, now: datetime, language: str) -> str:
    found = gate.passed
    if found is None:
        return ""
    key = "row.passed.many" if found.entries >= LOOKED_AT else "row.passed"
    return text(language, key, people=found.people, lasting=_lasting(found.last_at, now, language))


def _by_place(gate: GateStatus) -> tuple[str, str, str, str]:
    return (gate.area_name, gate.compound_name, gate.gate_name, gate.gate)


def _longest_first(gate: GateStatus, now: datetime) -> tuple[bool, datetime, str, str, str, str]:
    """Of the closed ones those that somebody went through come first."""
    since = None if gate.status in (Status.COMPLIANT, Status.CLOSED) else began(gate)
    return (gate.passed is None, since or now, *_by_place(gate))
