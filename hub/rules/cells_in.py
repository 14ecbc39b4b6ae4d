"""From the bytes of a spreadsheet to rows of text: CSV in UTF-8, UTF-16 or GB18030, and XLSX (ECMA-376). Pure: nothing is
opened, and no formula is computed."""

import csv
import io
import unicodedata
import zipfile
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, time
from typing import Any

import msgspec

MOST_BYTES = 10 * 2**20
MOST_ROWS = 100_000
"""Rows below the headings."""
MOST_COLUMNS = 60
MOST_UNPACKED = 150 * 2**20
"""Of an XLSX file: 100,000 holders unpack to some 45 MB. What is over it is a zip bomb, or no list."""
_MOST_PARTS = 2000
_MOST_CELL = 2000
_HEADING_WITHIN = 10
"""Rows above the headings, such as a title, at most."""
_GUARDED = ("'=", "'+", "'-", "'@", "'\t", "'\r")


class BadFile(ValueError):
    """A file that can't be read as a list. `key` names what is wrong, `values` where: hub.web.texts.exchange says it in words."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(f"{key} {values}")
        self.key, self.values = key, values


class Computed(str):
    """What a cell holds that is not there until it is computed: a formula, or a formula's error."""


class Dated(str):
    """A cell that the spreadsheet keeps as a date or a time; often a room such as 3-12 that it took for one."""


class Line(msgspec.Struct, frozen=True):
    """One row with something in it. `number` is the row's as a spreadsheet shows it, from 1."""

    number: int
    cells: tuple[str, ...]


class Cells(msgspec.Struct, frozen=True):
    """The headings' row and the rows below it."""

    head: Line
    lines: tuple[Line, ...]
    sheet: str = ""
    """The XLSX sheet that was read; "" for CSV."""
    unread: tuple[str, ...] = ()
    """The names of sheets that were not read."""


def read(data: bytes, headings: Collection[str], sheets: Collection[str] = ()) -> Cells:
    """The cells of a file; `headings`: those known, in lower case, by which their row is told; `sheets`: names to read first.

    Raises `BadFile`, and nothing else, for whatever the bytes are.
    """
    if len(data) > MOST_BYTES:
        raise BadFile("large", most=MOST_BYTES // 2**20)
    if not data.strip():
        raise BadFile("empty")
    if data.startswith(b"PK\x03\x04"):
        return _xlsx(data, headings, sheets)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadFile("xls")
    return _csv(_decoded(data), headings)


def letter(column: int) -> str:
    """A column's letter from its number, from 0.

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', 'AA')
    """
    before, last = divmod(column, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + last)


def _decoded(data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadFile("encoding")


def _csv(text: str, headings: Collection[str]) -> Cells:
    lines: list[Line] = []
    number = 0
    try:
        for number, row in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text, headings), strict=True), 1
        ):
            _add(lines, number, [_unguarded(cell) for cell in row])
    except csv.Error as error:
        raise BadFile("quotes", row=number + 1, said=str(error)) from None
    return _headed(lines, headings)


def _separator(text: str, headings: Collection[str]) -> str:
    """Comma, semicolon or tab: what splits one of the first lines into the most headings."""
    first = text[: _HEADING_WITHIN * _MOST_CELL].splitlines()[: 2 * _HEADING_WITHIN]

    def found(separator: str) -> int:
        return max(
            (sum(folded(cell.strip().strip('"')) in headings for cell in line.split(separator)) for line in first), default=0
        )

    return max(",;\t", key=found)


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith(_GUARDED) else cell


def _xlsx(data: bytes, headings: Collection[str], sheets: Collection[str]) -> Cells:
    from openpyxl import load_workbook  # 60 ms: only who imports a workbook loads it

    _check_unpacked(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        names = [sheet.title for sheet in book.worksheets]
        chosen = next((name for name in names if name.strip().lower() in sheets), names[0])
        lines: list[Line] = []
        for number, row in enumerate(_rows(book[chosen], _width(book[chosen], headings)), 1):
            _add(lines, number, row)
        book.close()
    except BadFile:
        raise
    except Exception as error:  # a parser of hostile bytes raises whatever its parts raise
        raise BadFile("xlsx", said=type(error).__name__) from None
    made = _headed(lines, headings)
    return msgspec.structs.replace(made, sheet=chosen, unread=tuple(name for name in names if name != chosen))


def _check_unpacked(data: bytes) -> None:
    """What a part unpacks to is never more than what the archive says of it: zipfile reads no further."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except Exception as error:  # hostile bytes
        raise BadFile("xlsx", said=type(error).__name__) from None
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise BadFile("bomb", most=MOST_UNPACKED // 2**20)
    if not any(part.filename.endswith("workbook.xml") for part in parts):
        raise BadFile("not_xlsx")


def _width(sheet: Any, headings: Collection[str]) -> int:
    """How many columns the headings' row has: every further cell would cost time for nothing."""
    width = 0
    for row in sheet.iter_rows(max_row=2 * _HEADING_WITHIN, max_col=MOST_COLUMNS, values_only=True):
        known = [at for at, value in enumerate(row, 1) if value is not None and folded(str(value)) in headings]
        filled = [at for at, value in enumerate(row, 1) if value is not None]
        width = max(width, filled[-1] if known else 0)
    return width or MOST_COLUMNS


def _rows(sheet: Any, width: int) -> Iterator[list[str]]:
    for row in sheet.iter_rows(max_row=MOST_ROWS + _HEADING_WITHIN + 1, max_col=width):
        yield [_text(cell.value, cell.data_type) if cell.value is not None else "" for cell in row]


def _text(value: object, kind: str) -> str:
    if kind in ("f", "e"):
        return Computed(value if isinstance(value, str) else "=")
    if isinstance(value, datetime):
        return Dated(f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M}")
    if isinstance(value, date | time):
        return Dated(value.isoformat())
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _add(lines: list[Line], number: int, row: Iterable[str]) -> None:
    """Keep a row that has something in it, without the empty cells at its end."""
    cells = [_trimmed(cell, number) for cell in list(row)[:MOST_COLUMNS]]
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        return
    if len(lines) > MOST_ROWS + _HEADING_WITHIN:
        raise BadFile("rows", most=MOST_ROWS)
    lines.append(Line(number, tuple(cells)))


def _trimmed(cell: str, number: int) -> str:
    if len(cell) > _MOST_CELL:
        raise BadFile("cell", row=number, most=_MOST_CELL)
    return cell if type(cell) is not str else cell.strip()


def _headed(lines: list[Line], headings: Collection[str]) -> Cells:
    """The row with the most known headings, of the first few, is the headings'; what stands above is a title."""
    first = lines[:_HEADING_WITHIN]
    if not first:
        raise BadFile("empty")
    head = max(first, key=lambda line: (_known(line, headings), -line.number))
    if not _known(head, headings):
        raise BadFile("headings", row=first[0].number, said="、".join(cell for cell in first[0].cells if cell)[:80])
    rest = tuple(line for line in lines if line.number > head.number)
    if len(rest) > MOST_ROWS:
        raise BadFile("rows", most=MOST_ROWS)
    return Cells(head, rest)


def _known(line: Line, headings: Collection[str]) -> int:
    return sum(folded(cell) in headings for cell in line.cells)


def folded(heading: str) -> str:
    """A heading as it is looked up: lower case, with no white space in it and nothing in brackets after it."""
    plain = "".join(unicodedata.normalize("NFKC", heading).lower().split())
    return plain.partition("(")[0].strip("*:")
