"""Pages on paper: the register's columns, each page once, and a code that the station reads back."""

import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import Place
from kiosk.paperwork import paper
from kiosk.paperwork.paper import edges, find_font, register_pages, take_numbers
from kiosk.paperwork.paper_commands import paper as paper_command
from kiosk.paperwork.register import COLUMNS, TITLES, CannotPrint
from kiosk.rules.paper import BOOKS, Page, page_of, text_of
from kiosk.scanner import Scanner
from tests.unit.test_settings import STATION

needs_font = pytest.mark.skipif(
    not any(Path(name).is_file() for name, _ in paper.FONTS), reason="no font with Chinese characters: fonts-noto-cjk"
)
needs_poppler = pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm is not installed: poppler-utils")
PLACE = Place(station="hm-east-1", gate="east", gate_name="东门", compound="hm", compound_name="虹梅小区")
LONG = Place(
    station="s" * 64, gate="g", gate_name="沿河绿地东侧临时人行及非机动车专用门岗" * 2, compound="c",
    compound_name="The Riverside Gardens Residential Compound, Phase Three, North",
)  # fmt: skip
REGISTER = {
    "residents": "日期 时间 进/出 楼室 姓名 体温 复测时间 复测体温 备注",
    "outsiders": "日期 时间 进/出 楼室 姓名 体温 复测时间 复测体温 备注 "
    "电话 从何处来 事由 到访户 住户确认 14天重点地区史/接触史 离开时间 登记人",
    "vehicles": "日期 时间 车牌 司机 体温 乘员1 体温 乘员2 体温 乘员3 体温 乘员4 体温 后备箱 进/出",
    "homecoming": "日期 时间 楼室 姓名 电话 从哪里回来 哪天到 同行人数 体温 居委接人 接走时间 登记人 备注",
    "handover": "日期 时间 交班人 接班人 五项齐全 未办事项 物品交接 备注",
}
MM = 25.4 / 72


def words_of(pdf: bytes, folder: Path) -> list[list[tuple[str, float, float, float, float]]]:
    """(word, left, top, right, bottom) in millimetres, page by page."""
    (folder / "text.pdf").write_bytes(pdf)
    command = ["pdftotext", "-bbox", folder / "text.pdf", "-"]
    html = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
    form = re.compile(r'<word xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">(.*?)</word>')
    return [
        [(word, *(float(edge) * MM for edge in box)) for *box, word in form.findall(page)]  # type: ignore[misc]
        for page in html.split("<page ")[1:]
    ]


def pictures_of(pdf: bytes, folder: Path) -> list[np.ndarray]:
    """Each page as a grey picture, printed at 150 dots an inch."""
    (folder / "pages.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "150", "-gray", "-png", folder / "pages.pdf", folder / "page"], check=True, timeout=60)
    return [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(folder.glob("page*.png"))]


# The code.


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True), st.sampled_from(BOOKS), st.integers(1, 999_999))
def test_a_page_is_known_by_its_code(station: str, book: str, number: int) -> None:
    page = Page(station, book, number)
    assert page_of(text_of(page)) == page


@pytest.mark.parametrize(
    "text",
    [
        "", "GATEPOST-PAGE:", "GATEPOST-PAGE:s1:residents", "GATEPOST-PAGE:s1:residents:0", "GATEPOST-PAGE:s1:residents:01",
        "GATEPOST-PAGE:s1:residents:1234567", "GATEPOST-PAGE:s1:diary:1", "GATEPOST-PAGE::residents:1",
        "GATEPOST-PAGE:s1:residents:1\n", "GATEPOST-PAGE:s1:residents:１", "xGATEPOST-PAGE:s1:residents:1", "GP1:ABC",
        "GATEPOST-PAGE:-s1:residents:1", "gatepost-page:s1:residents:1",
    ],
)  # fmt: skip
def test_any_other_text_is_no_page(text: str) -> None:
    assert page_of(text) is None


@given(st.text())
def test_no_text_is_more_than_a_text(text: str) -> None:
    page = page_of(text)
    assert page is None or text_of(page) == text


# The pages.


@pytest.mark.parametrize("book", BOOKS)
def test_the_columns_are_the_registers(book: str) -> None:
    assert [column.zh.replace("\n", "") for column in COLUMNS[book]] == REGISTER[book].split()
    assert all(column.en.isascii() or "°C" in column.en for column in COLUMNS[book])
    assert REGISTER.keys() == COLUMNS.keys() == TITLES.keys() == set(BOOKS)


@needs_font
@needs_poppler
@pytest.mark.parametrize("place", [PLACE, LONG], ids=["usual", "long names"])
@pytest.mark.parametrize("book", BOOKS)
def test_every_head_stands_within_its_own_column(tmp_path: Path, book: str, place: Place) -> None:
    (words,) = words_of(register_pages(place, book, [1]), tmp_path)
    lefts = edges(COLUMNS[book])
    for column, left, right in zip(COLUMNS[book], lefts, lefts[1:], strict=False):
        inside = [word for word, *box in words if left <= box[0] and box[2] <= right and box[1] >= 42 and box[3] <= 56.5]
        assert "".join(inside) == (column.zh + column.en).replace("\n", "").replace(" ", "")


@needs_font
@needs_poppler
@pytest.mark.parametrize("book", BOOKS)
def test_a_page_says_where_it_belongs_and_has_fifteen_lines(tmp_path: Path, book: str) -> None:
    first, second = words_of(register_pages(PLACE, book, [41, 42], day=date(2026, 11, 24)), tmp_path)
    for page, number in ((first, 41), (second, 42)):
        said = [word for word, *_ in page]
        for word in (
            TITLES[book][0],
            "虹梅小区",
            "东门",
            "2026-11-24",
            f"第{number}页",
            f"GATEPOST-PAGE:hm-east-1:{book}:{number}",
        ):
            assert word in said
        assert [word for word, left, top, *_ in page if left < 18 and 56 < top < 194] == [str(n) for n in range(1, 16)]


@needs_font
@needs_poppler
def test_the_date_is_blank_when_none_is_given(tmp_path: Path) -> None:
    (words,) = words_of(register_pages(PLACE, "residents", [1]), tmp_path)
    assert not [word for word, *_ in words if re.search(r"\d{4}-", word)]


@needs_font
@needs_poppler
@pytest.mark.parametrize("place", [PLACE, LONG], ids=["usual", "long names"])
def test_each_pages_code_is_read_by_the_station_and_nothing_leaves_the_paper(tmp_path: Path, place: Place) -> None:
    scanner, pages = Scanner(), [Page(place.station, book, 999_999) for book in BOOKS]
    for page in pages:
        folder = tmp_path / page.book
        folder.mkdir()
        (picture,) = pictures_of(register_pages(place, page.book, [page.number]), folder)
        assert [page_of(token.text or "") for token in scanner.read_still(picture)] == [page]
        margin = round(7 / 25.4 * 150)
        inner = picture[margin:-margin, margin:-margin]
        assert int((picture < 200).sum()) == int((inner < 200).sum())


@needs_font
@needs_poppler
def test_long_names_do_not_run_into_each_other(tmp_path: Path) -> None:
    (words,) = words_of(register_pages(LONG, "residents", [999_999]), tmp_path)
    for n, (one, *a) in enumerate(words):
        for other, *b in words[n + 1 :]:
            wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            assert wide < 0.3 or high < 1.5, (one, other)  # a word's box is taller than its ink


def test_without_a_font_the_package_is_named() -> None:
    with pytest.raises(CannotPrint, match="fonts-noto-cjk"):
        find_font([("/nowhere/font.ttc", 0)])


# The numbers.


def test_pages_are_numbered_on_by_book(tmp_path: Path) -> None:
    data = tmp_path / "data"
    taken = [take_numbers(data, book, pages) for book, pages in (("residents", 5), ("vehicles", 2), ("residents", 1))]
    assert taken == [range(1, 6), range(1, 3), range(6, 7)]
    assert json.loads((data / "paper.json").read_text()) == {"residents": 6, "vehicles": 2}


def test_no_number_is_given_twice__many_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take_numbers(tmp_path, "residents", 3), range(40)))
    assert sorted(n for numbers in taken for n in numbers) == list(range(1, 121))


@pytest.mark.parametrize("kept", ["", "[]", '{"residents": -1}', '{"residents": 1.5}', '{"residents": 99999999}'])
def test_a_damaged_counter_is_told_and_kept(tmp_path: Path, kept: str) -> None:
    path = tmp_path / "paper.json"
    path.write_text(kept)
    with pytest.raises(CannotPrint, match=r'paper\.json.*"residents": 12'):
        take_numbers(tmp_path, "residents", 1)
    assert path.read_text() == kept


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands here")
    with pytest.raises(CannotPrint, match="data"):
        take_numbers(tmp_path / "data", "residents", 1)


@needs_font
def test_the_command_writes_a_pdf_and_counts_on(tmp_path: Path) -> None:
    config, out = tmp_path / "kiosk.toml", tmp_path / "pages.pdf"
    config.write_text(STATION, encoding="utf-8")
    asked = ["--book", "outsiders", "--pages", "2", "--date", "2026-11-24", "-o", str(out), "--config", str(config)]
    first, second = (CliRunner().invoke(paper_command, asked) for _ in range(2))
    assert (first.stdout, second.stdout) == (f"{out}: outsiders, pages 1 to 2\n", f"{out}: outsiders, pages 3 to 4\n")
    assert out.read_bytes().startswith(b"%PDF")


@needs_font
def test_a_place_that_cannot_be_written_to_is_told_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "kiosk.toml"
    config.write_text(STATION, encoding="utf-8")
    done = CliRunner().invoke(paper_command, ["-o", str(tmp_path / "none" / "a.pdf"), "--config", str(config)])
    assert (done.exit_code, done.stderr) == (2, f"kiosk: {tmp_path}/none/a.pdf: No such file or directory\n")
