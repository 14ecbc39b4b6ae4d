"""Prints the guide into docs/."""

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import chromium
from tests.guide import PRINTED, printed

with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
    PRINTED.write_bytes(printed(chromium(playwright), Path(folder)))
