"""The threat model names tests that exist, and says of every threat what stops it."""

import re

from tests.supply import ROOT

GUIDE = (ROOT / "docs" / "security.md").read_text("utf-8")


def named() -> list[tuple[str, str]]:
    """File and test of each test that the guide names; the test is empty where a whole file is named."""
    return re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", GUIDE)


def test_every_test_that_it_names_is_there() -> None:
    files = {path.name: path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(named()) > 40
    assert [pair for pair in named() if not re.search(rf"^ *def {pair[1]}\b", files.get(pair[0], ""), re.MULTILINE)] == []


def test_every_threat_names_a_test() -> None:
    rows = [line for line in GUIDE.splitlines() if line.startswith("| ") and not re.match(r"\| (wants|lost) \|", line)]
    assert len(rows) > 30
    assert [row for row in rows if not re.search(r"`test_\w+\.py", row)] == []
