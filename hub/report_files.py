"""The report as files: a PDF on A4 to take to the meeting, a spreadsheet with every row, and each night's in the hub's folder."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile

import sqlalchemy as sa
from fpdf import FPDF
from fpdf.enums import WrapMode
from fpdf.fonts import FontFace
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from hub import flagging
from hub.config import Located
from hub.flagging import Flags
from hub.reporting import Report, report
from hub.rules import durations
from hub.sheets import find_font
from hub.store.writing import writing
from hub.web import report_sections as words
from hub.web.report_sections import Bars, Cell, Section, Words

FOLDER = "reports"
"""Of the hub's folder: where each night's report is written."""
MARGIN, WIDTH = 14.0, 182.0
"""Millimetres of A4: the margin, and the width between the margins."""
_LABEL, _SAID, _BAR = 66.0, 26.0, 3.6
_COLOURS = {"good": (44, 138, 98), "bad": (177, 32, 15), "unknown": (106, 115, 125), "closed": (160, 168, 163)}
_SPOKEN = {"gate": 3.0, "owner": 3.2, "reason": 2.6, "figures": 5.0, "found": 4.0, "sign": 1.8, "committee": 2.6, "worst": 4.4}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What a spreadsheet can't hold (XML 1.0, 2.2)."""


class _Paper(FPDF):
    """A4 with the title and the page's number at the foot."""

    def __init__(self, title: str) -> None:
        super().__init__(unit="mm", format="A4")
        path, number = find_font()
        self.add_font("cjk", fname=path, collection_font_number=number)
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, margin=16)
        self.set_title(title)
        self._foot = title
        self.add_page()

    def footer(self) -> None:
        """Called by fpdf at the end of each page."""
        self.set_y(-12)
        self.set_font("cjk", size=8)
        self.set_text_color(85, 97, 91)
        self.cell(0, 5, f"{self._foot}  {self.page_no()}", align="R")
        self.set_text_color(0, 0, 0)

    def say(self, text: str, points: float, after: float = 1.0) -> None:
        """A paragraph."""
        self.set_font("cjk", size=points)
        self.multi_cell(0, points * 0.5, text, wrapmode=WrapMode.CHAR, new_x="LMARGIN", new_y="NEXT")
        self.ln(after)


def pdf(known: Report, flags: Flags | None, say: Words) -> bytes:
    """The report on A4. Raises `RegistryError` without a Chinese font."""
    paper = _Paper(words.title(known, say))
    paper.say(words.title(known, say), 17, 0.5)
    paper.say(words.scope(known, say), 10, 2)
    paper.say(words.lead(known, say), 12, 2)
    for line in words.blind(known, say):
        paper.say(line, 9)
    paper.say("    ".join(f"{tile.title} {tile.cell.said}" for tile in words.tiles(known, say)), 10, 3)
    for section in words.sections(known, flags, say):
        _print(paper, section, say)
    return bytes(paper.output())


def _print(paper: _Paper, section: Section, say: Words) -> None:
    if paper.will_page_break(28):
        paper.add_page()
    paper.say(section.title, 13, 0.5)
    if section.note:
        paper.say(section.note, 8.5, 0.5)
    if section.key == "areas" and section.bars:
        _legend(paper, say)
    _chart(paper, section.bars)
    if section.rows:
        _table(paper, section)
    else:
        paper.say(say("report.none"), 9.5)
    if section.more:
        paper.say(say("report.more", n=section.more), 8.5)
    paper.ln(3)


def _chart(paper: _Paper, bars: Sequence[Bars]) -> None:
    """Bars with their words: what is missing is solid, silence hatched, as on the screen."""
    paper.set_font("cjk", size=8.5)
    for one in bars:
        if paper.will_page_break(5.2):
            paper.add_page()
        x, y = MARGIN, paper.get_y()
        paper.cell(_LABEL, 5, _cut(paper, one.label, _LABEL - 2))
        paper.set_xy(x + WIDTH - _SAID, y)
        paper.cell(_SAID, 5, one.said, align="R")
        left = x + _LABEL
        for kind, share in one.parts:
            _bar(paper, kind, left, y + 0.7, share * (WIDTH - _LABEL - _SAID - 2))
            left += share * (WIDTH - _LABEL - _SAID - 2)
        paper.set_xy(x, y + 5.2)
    if bars:
        paper.ln(1.5)


def _legend(paper: _Paper, say: Words) -> None:
    paper.set_font("cjk", size=8)
    for name, kind in words.DRAWN:
        _bar(paper, kind, paper.get_x() + 1, paper.get_y() + 0.7, 6)
        paper.set_x(paper.get_x() + 9)
        paper.cell(paper.get_string_width(said := say(f"evidence.{name}")) + 4, 5, said)
    paper.ln(5.5)


def _bar(paper: _Paper, kind: str, x: float, y: float, width: float) -> None:
    paper.set_fill_color(*_COLOURS.get(kind, (255, 255, 255)))
    if kind == "bad":
        paper.rect(x, y, width, _BAR, style="F")
    elif kind == "good":
        paper.rect(x, y + _BAR / 4, width, _BAR / 2, style="F")
    elif kind == "unknown":
        for line in range(3):
            paper.rect(x, y + line * _BAR / 3, width, _BAR / 6, style="F")
    elif kind == "closed":
        paper.rect(x, y + _BAR * 0.4, width, _BAR * 0.2, style="F")
    else:
        paper.set_draw_color(195, 204, 199)
        paper.rect(x, y, width, _BAR, style="D")


def _cut(paper: _Paper, text: str, width: float) -> str:
    while len(text) > 1 and paper.get_string_width(text) > width:
        text = text.removesuffix("…")[:-1] + "…"
    return text


def _table(paper: _Paper, section: Section) -> None:
    paper.set_font("cjk", size=8.5)
    paper.set_draw_color(200, 206, 203)
    paper.set_fill_color(255, 255, 255)
    widths = [_SPOKEN.get(name, 1.5) for name in section.columns]
    head = FontFace(emphasis=None, fill_color=(238, 241, 239))
    with paper.table(
        col_widths=tuple(widths), headings_style=head, line_height=4.6, padding=0.8, text_align="LEFT",
        borders_layout="HORIZONTAL_LINES", wrapmode=WrapMode.CHAR,
    ) as table:  # fmt: skip
        for row in (section.head, *([cell.said for cell in row] for row in section.shown)):
            made = table.row()
            for said in row:
                made.cell(said)


def xlsx(known: Report, flags: Flags | None, say: Words) -> bytes:
    """The report as a spreadsheet, a sheet a section, every row in it; lengths of time and shares are figures to reckon with."""
    book = Workbook()
    first = book.worksheets[0]
    first.title = say("report")
    _put(first, 1, [Cell(words.title(known, say))], bold=True)
    _put(first, 2, [Cell(words.scope(known, say))])
    _put(first, 3, [Cell(words.lead(known, say))])
    for number, tile in enumerate(words.tiles(known, say), 5):
        _put(first, number, [Cell(tile.title), tile.cell])
    for number, line in enumerate(words.blind(known, say), 11):
        _put(first, number, [Cell(line)])
    first.column_dimensions["A"].width = 24
    first.column_dimensions["B"].width = 16
    for section in words.sections(known, flags, say):
        _sheet(book, section)
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _sheet(book: Workbook, section: Section) -> None:
    sheet = book.create_sheet(re.sub(r"[\\/*?:\[\]]", " ", section.title)[:31])
    _put(sheet, 1, [Cell(name) for name in section.head], bold=True)
    for number, row in enumerate(section.rows, 2):
        _put(sheet, number, row)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(section.head))}{len(section.rows) + 1}"
    for column, name in enumerate(section.columns, 1):
        sheet.column_dimensions[get_column_letter(column)].width = 9 * _SPOKEN.get(name, 1.5)


def _put(sheet: Worksheet, number: int, row: Sequence[Cell], *, bold: bool = False) -> None:
    for column, cell in enumerate(row, 1):
        made = sheet.cell(number, column)
        if cell.figure is None:
            made.value = _CONTROL.sub("", cell.said)
            made.data_type = "s"  # words, even when they begin like a formula
            made.alignment = Alignment(vertical="top")
        else:
            made.value = cell.figure
            made.number_format = _format(cell)
        if bold:
            made.font = Font(bold=True)


def _format(cell: Cell) -> str:
    if isinstance(cell.figure, timedelta):
        return "[h]:mm:ss"
    return "0.0%" if isinstance(cell.figure, float) else "0"


def make_daily(engine: sa.Engine, located: Located, now: datetime) -> Path:
    """Write yesterday's report, by the local calendar, into the hub's folder: `reports/<day>.pdf` and `.xlsx`, once; keep the
    day's signs of gaming. Returns the PDF's path. Without a Chinese font it raises `RegistryError`, after the spreadsheet."""
    day = now.astimezone(located.zone).date() - timedelta(days=1)
    target = located.folder / FOLDER / day.isoformat()
    made = target.with_suffix(".pdf")
    if made.exists():
        return made
    known, flags = daily(engine, located, day, now)
    say = Words(located.settings.language, located.zone)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(target.with_suffix(".xlsx"), xlsx(known, flags, say))
    _write(made, pdf(known, flags, say))
    return made


def daily(engine: sa.Engine, located: Located, day: date, now: datetime) -> tuple[Report, Flags]:
    """A day's report of everything, and its signs of gaming, looked at where they are not kept yet."""
    with engine.connect() as conn:
        known = report(conn, durations.day_period(day, located.zone, now))
        flags = flagging.kept(conn, day)
        if flags is None or flags.day != day:
            flags = flagging.find(conn, day, located.zone, now, located.lifetimes)
    if known.period.over:
        with writing(engine) as conn:
            flagging.keep(conn, flags)
    return known, flags


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing, for the owner alone."""
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(data)
    os.replace(file.name, path)


KINDS: dict[str, tuple[str, Callable[[Report, Flags | None, Words], bytes]]] = {
    "pdf": ("application/pdf", pdf),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx),
}
"""By ending: the media type, and what makes it."""
