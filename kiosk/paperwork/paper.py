"""Pages of the register on paper, as PDF on A4 landscape: for when power or program fail. Each has a code to key it in by."""

from collections.abc import Sequence
from datetime import date
from itertools import accumulate, groupby
from pathlib import Path
from typing import Annotated

import msgspec
import segno
from fpdf import FPDF

from kiosk.config import Place
from kiosk.files import alone, write_whole
from kiosk.paperwork.register import COLUMNS, TITLES, CannotPrint, Column
from kiosk.rules.paper import Page, text_of

LINES = 15
FONTS = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 0),
    ("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", 0),
)
"""Where a font with Chinese characters may be, and which of a collection is the simplified one."""

MARGIN, WIDTH = 10.0, 277.0
"""Millimetres: A4 landscape is 297 × 210."""
_NUMBER_WIDTH, _TOP, _HEADS, _ROW = 8.0, 42.0, 14.0, 9.2
_QR, _QR_LEFT, _QR_TOP = 32.0, 255.0, 8.0
_MM = 0.3528
"""Of a point."""
_Count = Annotated[int, msgspec.Meta(ge=0, le=900_000)]


def take_numbers(data: Path, book: str, pages: int) -> range:
    """The next page numbers of a book: counted on in `paper.json` before anything is printed, so that none comes twice.

    Raises `CannotPrint`.
    """
    path = data / "paper.json"
    try:
        data.mkdir(parents=True, exist_ok=True)
        with alone(data / "paper.lock"):
            printed = _read_counter(path)
            first = printed.get(book, 0) + 1
            write_whole(path, msgspec.json.encode({**printed, book: first + pages - 1}))
    except OSError as error:
        raise CannotPrint(f"{path}: {error.strerror or error}") from None
    return range(first, first + pages)


def register_pages(place: Place, book: str, numbers: Sequence[int], *, day: date | None = None) -> bytes:
    """A PDF with these pages of a book; the date is left blank without a `day`. Raises `CannotPrint` without a Chinese font."""
    path, number = find_font()
    pdf = FPDF(orientation="landscape", unit="mm", format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_title(f"{TITLES[book][0]} {place.gate_name}")
    pdf.add_font("cjk", fname=path, collection_font_number=number)
    for page in (Page(place.station, book, n) for n in numbers):
        pdf.add_page()
        _draw_head(pdf, place, page, day)
        _draw_grid(pdf, COLUMNS[book])
        _draw_foot(pdf, page)
    return bytes(pdf.output())


def edges(columns: Sequence[Column]) -> list[float]:
    """Where the columns begin and the last one ends, in millimetres from the left; the line's number stands before the first."""
    scale = (WIDTH - _NUMBER_WIDTH) / sum(column.share for column in columns)
    return list(accumulate((column.share * scale for column in columns), initial=MARGIN + _NUMBER_WIDTH))


def find_font(candidates: Sequence[tuple[str, int]] = FONTS) -> tuple[Path, int]:
    """A font with Chinese characters, and its number in its file. Raises `CannotPrint` naming the package to install."""
    found = next(((Path(name), number) for name, number in candidates if Path(name).is_file()), None)
    if found is None:
        raise CannotPrint("no font with Chinese characters is installed: apt-get install fonts-noto-cjk")
    return found


def _draw_head(pdf: FPDF, place: Place, page: Page, day: date | None) -> None:
    title, english = TITLES[page.book]
    _text(pdf, title, MARGIN, 18, 90, 20)
    _text(pdf, english, MARGIN, 25, 90, 10)
    _text(pdf, f"第{page.number}页", MARGIN, 33, 60, 12)
    _text(pdf, f"Page {page.number}", MARGIN, 38, 60, 8)
    _draw_field(pdf, "小区", "Compound", place.compound_name, 105, 15)
    _draw_field(pdf, "门岗", "Gate", place.gate_name, 180, 15)
    _draw_field(pdf, "日期", "Date", day.isoformat() if day else "", 105, 30)
    _draw_field(pdf, "值班人", "On duty", "", 180, 30)
    _draw_qr(pdf, text_of(page), _QR_LEFT, _QR_TOP, _QR)


def _draw_field(pdf: FPDF, chinese: str, english: str, value: str, x: float, y: float) -> None:
    """A label in two languages, and a line with what is known written on it."""
    _text(pdf, chinese, x, y, 18, 11)
    _text(pdf, english, x, y + 4, 18, 7)
    _text(pdf, value, x + 20, y + 1, 50, 13)
    pdf.set_line_width(0.2)
    pdf.line(x + 19, y + 3, x + 71, y + 3)


def _draw_grid(pdf: FPDF, columns: Sequence[Column]) -> None:
    bottom, lefts = _TOP + _HEADS + LINES * _ROW, edges(columns)
    pdf.set_line_width(0.2)
    for y in (_TOP, *(_TOP + _HEADS + n * _ROW for n in range(LINES + 1))):
        pdf.line(MARGIN, y, MARGIN + WIDTH, y)
    for x in (MARGIN, *lefts):
        pdf.line(x, _TOP, x, bottom)
    for column, left, right in zip(columns, lefts, lefts[1:], strict=False):
        _draw_heads(pdf, column, left, right - left)
    for n in range(LINES):
        _text(pdf, str(n + 1), MARGIN, _TOP + _HEADS + (n + 0.65) * _ROW, _NUMBER_WIDTH, 8, centred=True)


def _draw_heads(pdf: FPDF, column: Column, left: float, width: float) -> None:
    chinese, english = column.zh.split("\n"), column.en.split("\n")
    lines = [*((line, 8.5) for line in chinese), *((line, 6.0) for line in english)]
    y = _TOP + (_HEADS - sum(points * _MM * 1.2 for _, points in lines)) / 2
    for line, points in lines:
        y += points * _MM * 1.2
        _text(pdf, line, left, y - 0.6, width, points, centred=True)


def _draw_foot(pdf: FPDF, page: Page) -> None:
    y = _TOP + _HEADS + LINES * _ROW
    _text(pdf, "断电或系统故障时用；恢复后请将本页二维码对准镜头，逐行补录。只用于门岗登记。", MARGIN, y + 4.5, 190, 8)
    english = "For when power or program fail. Then show the camera this code, and key in the lines. For the register alone."
    _text(pdf, english, MARGIN, y + 8, 190, 6)
    _text(pdf, text_of(page), 203, y + 4.5, 84, 7)


def _draw_qr(pdf: FPDF, text: str, x: float, y: float, size: float) -> None:
    """With its quiet zone, a rectangle for every run of dark modules: sharp at any resolution, and never a Micro QR."""
    rows = list(segno.make_qr(text, error="m").matrix_iter(border=4))
    module = size / len(rows)
    pdf.set_fill_color(0, 0, 0)
    for line, row in enumerate(rows):
        column = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                pdf.rect(x + column * module, y + line * module, length * module, module, style="F")
            column += length


def _text(pdf: FPDF, text: str, x: float, baseline: float, width: float, points: float, *, centred: bool = False) -> None:
    """One line, set smaller where it would be wider than `width` less a millimetre."""
    pdf.set_font("cjk", size=points)
    wide, room = pdf.get_string_width(text), width - 1
    if wide > room:
        pdf.set_font("cjk", size=points * room / wide)
        wide = room
    pdf.text(x + (width - wide) / 2 if centred else x, baseline, text)


def _read_counter(path: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _Count])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise CannotPrint(f'{path}: {error}; write the last page printed of each book, such as {{"residents": 12}}') from None
