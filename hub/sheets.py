"""What is printed, as PDF on A4: sheets of passes to cut out, and the day's codes for desk and book."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import segno
from fpdf import FPDF

from contract.directory import DayCode
from contract.passes import PassKind
from hub.registry.errors import RegistryError
from hub.registry.passes import IssuedPass

FONTS = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 0),
    ("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", 0),
)
"""Where distributions put a font with Chinese characters, and which of a collection is the simplified one."""

TITLES = {
    PassKind.RESIDENT: ("出入证", "Resident"), PassKind.VISITOR: ("访客证", "Visitor"), PassKind.WORKER: ("务工出入证", "Worker"),
    PassKind.VEHICLE: ("车辆出入证", "Vehicle"), PassKind.VOLUNTEER: ("志愿者工作证", "Volunteer"),
    PassKind.SUPERVISOR: ("督查员工作证", "Supervisor"), PassKind.ENROLMENT: ("登记码", "Enrolment"),
}  # fmt: skip
_WIDTH, _HEIGHT, _COLUMNS, _ROWS, _LEFT, _TOP = 95.0, 66.0, 2, 4, 10.0, 16.5
_QR = 54.0
"""Millimetres of a card's code with its quiet zone: 0.9 a module at version 9, read at arm's length by a 720p camera."""
_MARK = 3.0


def pass_sheet(issued: Sequence[IssuedPass], compounds: Mapping[str, str], zone: ZoneInfo) -> bytes:
    """Eight cards a page with cut marks; `compounds`: id → name. Raises `RegistryError` without a Chinese font."""
    pdf = _document("出入证 Passes")
    for number, one in enumerate(issued):
        place = number % (_COLUMNS * _ROWS)
        if place == 0:
            pdf.add_page()
        x, y = _LEFT + place % _COLUMNS * _WIDTH, _TOP + place // _COLUMNS * _HEIGHT
        _cut_marks(pdf, x, y, _WIDTH, _HEIGHT)
        draw_qr(pdf, one.token, x + 3, y + 6, _QR)
        _card_text(pdf, one, compounds.get(one.compound, one.compound), zone, x + _QR + 4, y + 8)
    return bytes(pdf.output())


def day_code_sheet(codes: Sequence[DayCode], gates: Mapping[str, str]) -> bytes:
    """A page a gate and day: the desk card above the cut, the book page's code below. `gates`: id → name."""
    pdf = _document("当日码 Day codes")
    for code in codes:
        pdf.add_page()
        gate = gates.get(code.gate, code.gate)
        for half, (title, text) in enumerate((("登记桌 Desk", code.desk), ("登记本 Register", code.register))):
            top = half * 148.5
            _line(pdf, title, 20, top + 14, 170, 22)
            _line(pdf, f"{gate}  {code.day}", 20, top + 26, 170, 16)
            draw_qr(pdf, text, 60, top + 40, 90)
            _line(pdf, text, 60, top + 132, 90, 10)
        with pdf.local_context(dash_pattern={"dash": 2, "gap": 2, "phase": 0}):
            pdf.line(10, 148.5, 200, 148.5)
    return bytes(pdf.output())


def find_font(candidates: Sequence[tuple[str, int]] = FONTS) -> tuple[Path, int]:
    """A font with Chinese characters and its number in the file. Raises `RegistryError` naming the package to install."""
    for name, number in candidates:
        if Path(name).is_file():
            return Path(name), number
    looked = ", ".join(name for name, _ in candidates)
    raise RegistryError(f"no font with Chinese characters: apt-get install fonts-noto-cjk (looked for {looked})")


def draw_qr(pdf: FPDF, text: str, x: float, y: float, size: float) -> None:
    """A QR code with its quiet zone as filled rectangles: sharp at any resolution. Never a Micro QR."""
    code = segno.make_qr(text, error="m")
    rows = [bytes(row) for row in code.matrix_iter(border=4)]
    module = size / len(rows)
    pdf.set_fill_color(0, 0, 0)
    for line, row in enumerate(rows):
        for first, length in _runs(row):
            pdf.rect(x + first * module, y + line * module, length * module, module, style="F")


def _runs(row: bytes) -> list[tuple[int, int]]:
    """(first, length) of each run of dark modules: a rectangle a run, not a module."""
    edges = [n for n in range(len(row) + 1) if bool(row[n : n + 1].strip(b"\0")) != bool(n and row[n - 1])]
    return [(first, end - first) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _document(title: str) -> FPDF:
    path, number = find_font()
    pdf = FPDF(unit="mm", format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_title(title)
    pdf.add_font("cjk", fname=path, collection_font_number=number)
    return pdf


def _card_text(pdf: FPDF, one: IssuedPass, compound: str, zone: ZoneInfo, x: float, y: float) -> None:
    chinese, english = TITLES[one.kind]
    width = _WIDTH - _QR - 7
    lines = [
        (chinese, 15), (english, 8), (one.masked_name, 15), (one.dwelling, 11), (one.plate, 13), (compound, 11),
        (f"有效期至 {one.expires.astimezone(zone):%Y-%m-%d}", 8), (one.id[:8], 7),
    ]  # fmt: skip
    for text, size in lines:
        if text:
            _line(pdf, text, x, y, width, size)
            y += size * 0.3528 + 2.5


def _line(pdf: FPDF, text: str, x: float, y: float, width: float, points: float) -> None:
    """One line, set smaller where it would be too wide."""
    pdf.set_font("cjk", size=points)
    wide = pdf.get_string_width(text)
    if wide > width:
        pdf.set_font("cjk", size=points * width / wide)
    pdf.text(x, y + points * 0.3528, text)


def _cut_marks(pdf: FPDF, x: float, y: float, width: float, height: float) -> None:
    pdf.set_draw_color(120, 120, 120)
    pdf.set_line_width(0.1)
    for cx in (x, x + width):
        for cy in (y, y + height):
            pdf.line(cx - _MARK / 2, cy, cx + _MARK / 2, cy)
            pdf.line(cx, cy - _MARK / 2, cx, cy + _MARK / 2)
