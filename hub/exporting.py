"""Tables given out: places, holders, a gate's day as the register has it, rectifications, inspections; as XLSX or CSV."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa

from contract.passes import PassKind
from hub.exchange import known_places
from hub.register import RegisterLine, register_lines
from hub.registry import colours, dwellings, holders
from hub.registry.errors import RegistryError
from hub.registry.passes import is_somebodys
from hub.rights import Reach, within
from hub.rules import hours
from hub.rules.cells_in import letter
from hub.rules.sheets_in import COLUMNS, HOLDERS, KINDS, LEVELS, NO, PLACES, SHEET_NAMES, YES
from hub.store.supervision import findings, inspections, rectifications
from hub.store.tables import accounts, compounds, gates, passes, photos

MOST_ROWS = 200_000
"""Of one table."""
_RISKY = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""
_MEASURED = 50
"""Rows by which a column's width is told."""
CellValue = str | int | float | None
Say = Callable[[str], str]
"""A key's words in the reader's language (hub.web.texts)."""


class Format(StrEnum):
    """How a table is written."""

    XLSX = "xlsx"
    CSV = "csv"


MIMETYPES = {
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Format.CSV: "text/csv; charset=utf-8",
}  # fmt: skip


class Table(msgspec.Struct, frozen=True):
    """What is written: a name, headings, rows."""

    name: str
    head: tuple[str, ...]
    rows: list[Sequence[CellValue]]


def written(table: Table, form: Format) -> bytes:
    """The bytes of a table; no cell of it is a formula."""
    return _xlsx(table) if form is Format.XLSX else _csv(table)


def places_table(conn: sa.Connection, reach: Reach, language: str) -> Table:
    """A row a gate, and one for each place that has none in it; what `hub.exchange` takes in again."""
    known = known_places(conn)
    below: dict[tuple[int, str], list[str]] = {}
    by_id = {(one.level, one.id): one for one in known}
    for one in known:
        below.setdefault((one.level - 1, one.parent), []).append(one.id)
    rows: list[Sequence[CellValue]] = []
    for one in known:
        if not below.get((one.level, one.id)):
            above = one
            line = [one]
            while above.level:
                above = by_id[above.level - 1, above.parent]
                line.insert(0, above)
            if reach is None or (len(line) > 2 and within(reach, line[2].id)):
                rows.append(_place_row([(place.id, place.name) for place in line], line[2].fields if len(line) > 2 else {},
                                       line[3].fields if len(line) > 3 else {}))  # fmt: skip
    rows.sort(key=lambda row: tuple(dwellings.natural(str(row[at])) for at in (1, 3, 5, 7)))
    return Table(_sheet(PLACES, language), _head(PLACES, list(COLUMNS[PLACES]), language), rows)


def holders_table(
    conn: sa.Connection, reach: Reach, language: str, zone: tzinfo, now: datetime, say: Say, compound: str | None = None
) -> Table:
    """Holders of a compound or of all within reach, revoked ones too: names masked, no tokens."""
    names = ["compound_id", "compound", "building", "room", "name", "kind", "colour", "isolating", "expires", "state", "photo"]
    columns = (compounds.c.id, compounds.c.name, passes.c.dwelling, passes.c.name, passes.c.kind, passes.c.colour,
               passes.c.isolating, passes.c.expires, passes.c.revoked_at, photos.c.pass_id)  # fmt: skip
    joined = passes.join(compounds, compounds.c.id == passes.c.compound).outerjoin(photos, photos.c.pass_id == passes.c.id)
    query = sa.select(*columns).select_from(joined).where(passes.c.kind != PassKind.VEHICLE.value, is_somebodys())
    query = query if compound is None else query.where(passes.c.compound == compound)
    query = query if reach is None else query.where(passes.c.compound.in_(sorted(reach)))
    labels, at = colours.labels(conn), _language_index(language)
    rows: list[Sequence[CellValue]] = []
    for id, place, dwelling, name, kind, colour, isolating, expires, revoked_at, pictured in conn.execute(query.limit(MOST_ROWS)):
        words = KINDS[PassKind(kind)][at], labels.get(colour, colour) if colour else "", (YES if isolating else NO)[at]
        state = say(f"exchange.state.{holders.state_of(expires, revoked_at, now)}")
        last = holders.last_day(expires, zone).isoformat()
        rows.append((id, place, *dwellings.parse(dwelling), name, *words, last, state, (YES if pictured else NO)[at]))
    rows.sort(key=lambda row: (str(row[1]), str(row[0]), *(dwellings.natural(str(row[n])) for n in (2, 3)), str(row[4])))
    return Table(_sheet(HOLDERS, language), _head(HOLDERS, names, language), rows)


def entries_table(engine: sa.Engine, gate: str, day: date, zone: tzinfo, say: Say, *, personal: bool) -> Table:
    """A gate's entries of one local day, in the columns of 规范登记本; names, phones and dwellings only with `personal`."""
    lines = register_lines(engine, gate, day, zone, say, personal=personal)
    columns = RegisterLine.__struct_fields__
    head = tuple(say(f"exchange.register.{name}") for name in columns)
    return Table(f"{gate} {day}"[:31], head, [[getattr(line, name) for name in columns] for line in lines])


def rectifications_table(conn: sa.Connection, reach: Reach, zone: tzinfo, say: Say) -> Table:
    """整改, the newest first."""
    columns = ("compound", "gate", "item", "cause", "opened_at", "owner", "due_at", "state", "answered_at", "closed_at",
               "closed_by", "reopened", "recurrence")  # fmt: skip
    table = rectifications
    joined = table.join(gates, gates.c.id == table.c.gate).join(compounds, compounds.c.id == gates.c.compound)
    joined = joined.outerjoin(accounts, accounts.c.id == table.c.owner)
    query = sa.select(table, gates.c.name.label("gate_name"), compounds.c.name.label("place"), compounds.c.id.label("of"),
                      accounts.c.name.label("owner_name")).select_from(joined)  # fmt: skip
    rows: list[Sequence[CellValue]] = []
    for r in conn.execute(_reached(query, reach).order_by(table.c.opened_at.desc(), table.c.id).limit(MOST_ROWS)):
        times = [_moment(at, zone) for at in (r.opened_at, r.due_at, r.answered_at, r.closed_at)]
        words = _item(r.item, say), say(f"exchange.cause.{r.cause}"), say(f"exchange.rectification.{r.state}")
        by = say(f"exchange.closed_by.{r.closed_by}") if r.closed_by else ""
        rows.append((r.place, r.gate_name, words[0], words[1], times[0], r.owner_name or r.owner or "", times[1], words[2],
                     times[2], times[3], by, r.reopened, r.recurrence))  # fmt: skip
    return Table(say("exchange.rectifications"), tuple(say(f"exchange.column.{name}") for name in columns), rows)


def inspections_table(conn: sa.Connection, reach: Reach, zone: tzinfo, say: Say) -> Table:
    """督查 that were sent, a row a finding, the newest first; one that nobody has sent yet is nobody's business."""
    columns = ("compound", "gate", "method", "by", "observed_at", "sent_at", "item", "found", "note")
    table = inspections
    joined = table.join(gates, gates.c.id == table.c.gate).join(compounds, compounds.c.id == gates.c.compound)
    joined = joined.outerjoin(findings, findings.c.inspection == table.c.id).outerjoin(accounts, accounts.c.id == table.c.by)
    query = sa.select(
        table, gates.c.name.label("gate_name"), compounds.c.name.label("place"), accounts.c.name.label("by_name"),
        findings.c.item, findings.c.present, findings.c.note.label("said"),
    ).select_from(joined).where(table.c.sent_at.is_not(None))  # fmt: skip
    rows: list[Sequence[CellValue]] = []
    for r in conn.execute(_reached(query, reach).order_by(table.c.sent_at.desc(), table.c.id, findings.c.item).limit(MOST_ROWS)):
        found = "" if r.present is None else say("item.present" if r.present else "item.missing")
        item = _item(r.item, say) if r.item else ""
        rows.append((r.place, r.gate_name, say(f"exchange.method.{r.method}"), r.by_name or r.by, _moment(r.observed_at, zone),
                     _moment(r.sent_at, zone), item, found, r.said or r.note))  # fmt: skip
    return Table(say("exchange.inspections"), tuple(say(f"exchange.column.{name}") for name in columns), rows)


def gate_of(conn: sa.Connection, gate: str) -> tuple[str, str]:
    """A gate's name and its compound. Raises `RegistryError`."""
    row = conn.execute(sa.select(gates.c.name, gates.c.compound).where(gates.c.id == gate)).first()
    if row is None:
        raise RegistryError(f"no gate {gate[:64]!r}: see `hub place list gate`")
    return str(row[0]), str(row[1])


def _place_row(path: list[tuple[str, str]], people: Mapping[str, object], gate: Mapping[str, object]) -> tuple[str, ...]:
    """As many pairs of id and name as there are levels, then opening hours, liaison and manager."""
    pairs = [*path, *[("", "")] * (len(LEVELS) - len(path))]
    schedule = gate.get("schedule")
    said = hours.shown(schedule) if isinstance(schedule, tuple) else ""
    return (*(cell for pair in pairs for cell in pair), said, str(people.get("liaison", "")), str(people.get("manager", "")))


def _head(what: str, names: Sequence[str], language: str) -> tuple[str, ...]:
    return tuple(COLUMNS[what][name][_language_index(language)] for name in names)


def _sheet(what: str, language: str) -> str:
    return SHEET_NAMES[what][_language_index(language)]


def _language_index(language: str) -> int:
    return 1 if language == "en" else 0


def _item(item: str, say: Say) -> str:
    return say("exchange.conduct") if item == "conduct" else say(f"item.{item}")


def _moment(at: datetime | None, zone: tzinfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _reached(query: sa.Select[tuple[object, ...]], reach: Reach) -> sa.Select[tuple[object, ...]]:
    return query if reach is None else query.where(compounds.c.id.in_(sorted(reach)))


def _csv(table: Table) -> bytes:
    """UTF-8 with a byte order mark, by which Excel tells it; an apostrophe before what would be a formula (RFC 4180)."""
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(table.head)
    writer.writerows([_guarded(cell) for cell in row] for row in table.rows)
    return made.getvalue().encode("utf-8-sig")


def _guarded(cell: CellValue) -> CellValue:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_RISKY) else cell


def _xlsx(table: Table) -> bytes:
    """Text stays text: what would be a formula is a quoted text cell, as if typed with an apostrophe."""
    from openpyxl import Workbook  # 60 ms: only who writes a workbook loads it
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", table.name)[:31])
    sheet.freeze_panes = "A2"
    for at, heading in enumerate(table.head):
        widest = max((_wide(row[at]) for row in table.rows[:_MEASURED] if at < len(row)), default=0.0)
        sheet.column_dimensions[letter(at)].width = min(40, max(8, _wide(heading) + 2, widest))
    sheet.append([_cell(sheet, heading, Font(bold=True)) for heading in table.head])
    for row in table.rows:
        sheet.append([_cell(sheet, cell) if isinstance(cell, str) and _needs_quotes(cell) else cell for cell in row])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _wide(cell: CellValue) -> float:
    return 1.2 * sum(2 if ord(character) > 0x2E80 else 1 for character in str(cell if cell is not None else "")) + 1


def _needs_quotes(text: str) -> bool:
    return text.startswith((*_RISKY, "#")) or not text.isprintable()


def _cell(sheet: Any, text: str, font: Any = None) -> Any:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell

    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(_RISKY)
    if font is not None:
        cell.font = font
    return cell
