"""What is printed can be read again: by a camera, and by whoever searches the PDF."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import pytest
import segno
import zxingcpp

from contract.directory import DayCode
from contract.passes import PassKind
from hub import sheets
from hub.registry.errors import RegistryError
from hub.registry.passes import IssuedPass

pytestmark = pytest.mark.skipif(
    not any(Path(name).is_file() for name, _ in sheets.FONTS), reason="no font with Chinese characters: fonts-noto-cjk"
)
needs_poppler = pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm is not installed: poppler-utils")
ZONE = ZoneInfo("Asia/Shanghai")


def issued(number: int, **changes: object) -> IssuedPass:
    now = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
    fields = {
        "id": f"{number:032x}", "token": "GP1:" + f"{number:03d}" * 83, "kind": PassKind.RESIDENT, "compound": "hm",
        "masked_name": "王*明", "dwelling": f"3-{number}", "plate": "", "not_before": now, "expires": now + timedelta(days=30),
    }  # fmt: skip
    return IssuedPass(**fields | changes)  # type: ignore[arg-type]


def codes_in(pdf: bytes, folder: Path) -> list[set[str]]:
    """The texts of the codes on each page, printed at 150 dots an inch."""
    (folder / "sheet.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "150", "-png", folder / "sheet.pdf", folder / "page"], check=True, timeout=60)
    pages = [cv2.imread(str(path)) for path in sorted(folder.glob("page*.png"))]
    return [{code.text for code in zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)} for page in pages]


def text_of(pdf: bytes, folder: Path) -> str:
    (folder / "text.pdf").write_bytes(pdf)
    command = ["pdftotext", "-layout", folder / "text.pdf", "-"]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()


@needs_poppler
def test_every_code_of_a_sheet_is_read_from_paper(tmp_path: Path) -> None:
    made = [issued(number) for number in range(9)]
    first, second = codes_in(sheets.pass_sheet(made, {"hm": "虹梅小区"}, ZONE), tmp_path)
    assert first == {one.token for one in made[:8]}
    assert second == {made[8].token}


@needs_poppler
def test_a_card_says_who_where_and_until_when_by_the_local_calendar(tmp_path: Path) -> None:
    text = text_of(sheets.pass_sheet([issued(502)], {"hm": "虹梅小区"}, ZONE), tmp_path)
    for words in ("出入证", "王*明", "3-502", "虹梅小区", "2026-12-25"):
        assert words in text


def test_every_kind_has_a_title_and_a_long_name_is_set_smaller() -> None:
    assert set(sheets.TITLES) == set(PassKind)
    made = [issued(1, kind=kind, plate="沪A12345", masked_name="J*** S" * 9) for kind in PassKind]
    assert sheets.pass_sheet(made, {}, ZONE).startswith(b"%PDF")


@needs_poppler
def test_desk_card_and_book_page_have_each_their_code(tmp_path: Path) -> None:
    day = DayCode(gate="east", day="2026-11-24", desk="GPD:0123456789ABCDEF", register="GPD:FEDCBA9876543210")
    pdf = sheets.day_code_sheet([day], {"east": "东门"})
    assert codes_in(pdf, tmp_path) == [{day.desk, day.register}]
    text = text_of(pdf, tmp_path)
    assert "登记桌" in text
    assert "登记本" in text
    assert "东门" in text


def test_runs_cover_exactly_the_dark_modules() -> None:
    for row in segno.make_qr("GPD:0123", error="m").matrix_iter(border=4):
        line = bytes(row)
        drawn = {n for first, length in sheets._runs(line) for n in range(first, first + length)}
        assert drawn == {n for n, dark in enumerate(line) if dark}


def test_without_a_font_the_package_is_named() -> None:
    with pytest.raises(RegistryError, match="fonts-noto-cjk"):
        sheets.find_font([("/nowhere/font.ttc", 0)])
