"""The volunteer's guide: two printed pages, and every button that it names is on the screen."""

import re
from pathlib import Path

from playwright.sync_api import Browser

from kiosk.web.texts import GROUPS
from tests.e2e.words import bare
from tests.guide import PRINTED, SOURCE, pages, printed


def test_ok__it_prints_on_two_pages(browser: Browser, tmp_path: Path) -> None:
    assert pages(printed(browser, tmp_path)) == 2
    assert pages(PRINTED.read_bytes()) == 2, "print it again: python -m tests.guide"


def test_ok__every_button_it_names_is_on_the_screen() -> None:
    screen = {re.sub(r"{\w+}", "", bare(pair[0])) for pairs in GROUPS.values() for pair in pairs.values()}
    quoted = re.findall("「([^」]+)」", SOURCE.read_text(encoding="utf-8"))
    named = {re.sub("[0-9]", "", bare(one)) for one in quoted}
    assert {one for one in named if not any(one in words for words in screen)} == set()
