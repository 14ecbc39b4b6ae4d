"""The code on a printed page of the register, and what it says. Pure."""

import re
from dataclasses import dataclass

BOOKS = ("residents", "outsiders", "vehicles", "homecoming", "handover")
"""The register's books: 居民, 外来人员, 车辆, 返沪报到, 交接班."""
_PREFIX = "GATEPOST-PAGE"
_FORM = re.compile(rf"{_PREFIX}:([A-Za-z0-9][A-Za-z0-9_-]{{0,63}}):({'|'.join(BOOKS)}):([1-9][0-9]{{0,5}})")


@dataclass(frozen=True)
class Page:
    """One page of one of a station's books on paper."""

    station: str
    book: str
    number: int
    """From 1, counted by book."""


def text_of(page: Page) -> str:
    """What the page's QR code says."""
    return f"{_PREFIX}:{page.station}:{page.book}:{page.number}"


def page_of(text: str) -> Page | None:
    """The page that a code's text names; None for any other text."""
    match = _FORM.fullmatch(text)
    return Page(match[1], match[2], int(match[3])) if match else None
