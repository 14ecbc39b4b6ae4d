"""The volunteer's guide as two printed pages: `python -m tests.guide` makes docs/gate-guide.zh.pdf."""

from pathlib import Path

from markdown_it import MarkdownIt
from playwright.sync_api import Browser

DOCS = Path(__file__).parents[2] / "docs"
SOURCE, PRINTED = DOCS / "gate-guide.zh.md", DOCS / "gate-guide.zh.pdf"
STYLE = """
@page { size: A4; margin: 11mm 13mm }
body { font: 10.5pt/1.3 "Noto Sans CJK SC", sans-serif; margin: 0 }
h1 { font-size: 16pt; margin: 0 }
h2 { font-size: 12.5pt; margin: 2mm 0 1mm; break-after: avoid }
p, ul, ol { margin: 1mm 0 }
img { display: block; max-height: 44mm; margin: 1mm auto }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid #999; padding: .5mm 1.5mm; text-align: left }
tr { break-inside: avoid }
"""


def page() -> str:
    """The guide as one HTML page for A4, its pictures by their own files."""
    body = MarkdownIt("commonmark").enable("table").render(SOURCE.read_text(encoding="utf-8"))
    return f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><base href="{DOCS.as_uri()}/"><style>{STYLE}</style>{body}'


def printed(browser: Browser, folder: Path) -> bytes:
    """The guide as a PDF; `folder` takes the page that is printed."""
    file = folder / "guide.html"
    file.write_text(page(), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    tab.wait_for_function("[...document.images].every(one => one.complete && one.naturalWidth)")
    made = tab.pdf(prefer_css_page_size=True)
    tab.close()
    return made


def pages(pdf: bytes) -> int:
    """How many pages a PDF of Chromium's has."""
    return pdf.count(b"/Type /Page\n")
