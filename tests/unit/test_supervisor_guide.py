"""The supervisors' guide: what it quotes stands on the pages, and its pictures are there."""

import re
from pathlib import Path

from hub.web.texts import LANGUAGES

GUIDE = Path(__file__).parents[2] / "docs" / "supervisor-guide.zh.md"
TEXT = GUIDE.read_text(encoding="utf-8")
HEADINGS = {"挑毛病"}
"""What is quoted as people say it, not as a page does."""


def test_everything_it_quotes_is_on_the_pages() -> None:
    words = [re.sub(r"{\w+}", "", one) for one in LANGUAGES["zh"].values()]
    quoted = set(re.findall("「([^」]+)」", TEXT)) - HEADINGS
    assert len(quoted) > 20
    assert {one for one in quoted if not any(one in said for said in words)} == set()


def test_its_pictures_are_there() -> None:
    pictures = re.findall(r"]\((images/[^)]+)\)", TEXT)
    assert pictures
    assert [one for one in pictures if not (GUIDE.parent / one).exists()] == []
