"""`make faults`: every fault, many times; a table, and `docs/reliability/faults.json`.

With `--quick` each fault a few times, a minute or so in all. Several faults are played at once, each with a hub, a broker and
stations of its own.
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.catalogue import FAULTS, play
from tests.faults.rows import HEAD, Row, line

OUT = Path("docs/reliability/faults.json")


def main() -> int:
    """Play what is asked for; 0 when every row is clean."""
    asked = _arguments()
    chosen = [fault for fault in FAULTS if not asked.only or fault.name in asked.only]
    print(HEAD, flush=True)
    with ThreadPoolExecutor(asked.jobs) as pool:
        playing = [pool.submit(play, fault, asked.seed, fault.quick if asked.quick else fault.many) for fault in chosen]
        rows = [row for row in map(_shown, playing) if row is not None]
    if asked.out:
        _write(asked.out, rows, asked.seed, asked.quick)
    return 0 if len(rows) == len(chosen) and all(row.is_clean for row in rows) else 1


def _shown(playing: "Future[Row]") -> Row | None:
    try:
        row = playing.result()
    except RuntimeError as error:
        print(error, flush=True)
        return None
    print(line(row), flush=True)
    return row


def _write(out: Path, rows: list[Row], seed: int, quick: bool) -> None:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    date = datetime.now(UTC).isoformat(timespec="seconds")
    found = {"commit": commit, "seed": seed, "date": date, "quick": quick, "rows": [row.as_json() for row in rows]}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    names = [fault.name for fault in FAULTS]
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each fault a few times")
    parser.add_argument("--seed", type=int, default=20221, help="of everything that is drawn")
    parser.add_argument("--only", action="append", metavar="NAME", choices=names, help=", ".join(names))
    parser.add_argument("--jobs", type=int, default=4, help="how many faults at once")
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"write the rows there; `make faults` writes {OUT}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
