"""`make bench`: every figure in one run, printed as a table; `--json FILE` keeps it."""

import argparse
import importlib
import json
from pathlib import Path

from bench.table import Row, text

PARTS = ("scanner", "journal", "passage", "ingest", "pages")


def main() -> None:
    """Run the parts named, or all."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; none: all")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    asked = parser.parse_args()
    Path("var").mkdir(exist_ok=True)  # on the disk that is measured, and not tracked
    rows: list[Row] = []
    for part in asked.parts or PARTS:
        rows += importlib.import_module(f"bench.{part}").run()
    print(text(rows))
    if asked.json:
        asked.json.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
