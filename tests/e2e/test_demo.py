"""The main job on real parts, as `make run` starts it: three stations, a broker, the hub; then a bad morning at each gate."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

START_SECONDS, STEP_SECONDS = 180, 150
CUT_SECONDS = 60


class Demo:
    """A running demonstration and the ways to reach it from outside."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.out = data / "out.txt"
        with self.out.open("wb") as out:
            command = [sys.executable, "-m", "hub.cli", "demo", "--data", str(data)]
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        self.hand = self._address(r"hand\s+(http\S+)")

    def act(self, station: str, action: str, **fields: object) -> None:
        headers = {"Content-Type": "application/json", "X-Gatepost": "1"}
        request = urllib.request.Request(f"{self.hand}act/{station}/{action}", json.dumps(fields).encode(), headers)
        urllib.request.urlopen(request, timeout=20).close()

    def status(self) -> dict[str, dict[str, Any]]:
        """What `hub status --json` prints, by gate; it stands alone, as from a second terminal."""
        command = [sys.executable, "-m", "hub.cli", "status", "--config", str(self.data / "hub.toml"), "--json"]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        return {line["gate"]: line for line in map(json.loads, said.splitlines())}

    def hub_entries(self, station: str) -> list[str]:
        with sqlite3.connect(f"file:{self.data / 'hub.db'}?mode=ro", uri=True) as store:
            return [row[0] for row in store.execute("SELECT id FROM events WHERE station = ? AND kind = 'entry'", (station,))]

    def journal_entries(self, station: str) -> list[str]:
        path = self.data / "stations" / station / "data" / "journal.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as journal:
            return [row[0] for row in journal.execute("SELECT id FROM journal WHERE kind = 'entry'")]

    def until(self, what: str, seconds: float, holds: Callable[[], bool]) -> None:
        """Wait for a condition; fails with what the demonstration printed."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert self.process.poll() is None, self.out.read_text()
            assert time.monotonic() < deadline, f"{what} did not come within {seconds} s: {self.status()}"
            time.sleep(0.5)

    def pids(self) -> list[int]:
        """Every process that has this demonstration's folder on its command line."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.data).encode() in line:
                    found.append(int(entry.name))
        return found

    def _address(self, pattern: str) -> str:
        deadline = time.monotonic() + START_SECONDS
        while (found := re.search(pattern, self.out.read_text())) is None:
            assert self.process.poll() is None, self.out.read_text()
            assert time.monotonic() < deadline, "the demonstration printed no address"
            time.sleep(0.2)
        return found.group(1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    yield running
    if running.process.poll() is None:
        os.kill(running.process.pid, signal.SIGTERM)
        running.process.wait(timeout=60)


def missing(gate: dict[str, Any]) -> set[str]:
    return {item for item, found in gate["items"].items() if not found["present"]}


@pytest.mark.timeout(300)
def test_three_compliant_gates_by_itself(demo: Demo) -> None:
    demo.until("three compliant gates", START_SECONDS, lambda: {g["status"] for g in demo.status().values()} == {"compliant"})
    assert len(demo.status()) == 3
    demo.until("entries at every gate", 60, lambda: all(demo.hub_entries(s) for s in ("hm-east-1", "hm-west-1", "gm-main-1")))


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "which, outcome, reason",
    [
        ("expired", "refuse", "expired"),
        ("forged", "refuse", "forged"),
        ("revoked", "refuse", "revoked"),
        ("other", "refuse", "other_compound"),
    ],
)
def test_a_bad_pass_is_refused_and_the_hub_knows(demo: Demo, which: str, outcome: str, reason: str) -> None:
    demo.act("hm-west-1", "pause")
    demo.act("hm-west-1", "nobody")
    time.sleep(2)  # as long as a person takes to step away: the same code held up on is one person
    before = set(demo.hub_entries("hm-west-1"))
    demo.act("hm-west-1", "show", **{"pass": which})
    demo.until("an entry at the hub", 30, lambda: bool(set(demo.hub_entries("hm-west-1")) - before))
    with sqlite3.connect(demo.data / "hub.db") as store:
        new = [i for i in demo.hub_entries("hm-west-1") if i not in before]
        rows = [store.execute("SELECT body FROM events WHERE id = ?", (i,)).fetchone()[0] for i in new]
        bodies = [json.loads(row)["body"] for row in rows]
    assert (outcome, [reason]) in [(b["outcome"], b["reasons"]) for b in bodies]
    demo.act("hm-west-1", "nobody")
    demo.act("hm-west-1", "play")


@pytest.mark.timeout(600)
def test_a_bad_morning_at_each_gate(demo: Demo) -> None:
    """At once, since each takes its minute: a thermometer pulled out, a station killed, a network cut."""
    demo.act("hm-east-1", "unplug")
    demo.act("hm-west-1", "kill")
    demo.act("gm-main-1", "cut")
    cut_at, before = time.monotonic(), len(demo.journal_entries("gm-main-1"))

    def at(gate: str) -> tuple[str, set[str]]:
        now = demo.status()[gate]
        return now["status"], missing(now)

    demo.until("the thermometer missed", STEP_SECONDS, lambda: at("hm-east") == ("non_compliant", {"temperature"}))
    demo.act("hm-east-1", "plug_in")
    demo.until("a minute without network", CUT_SECONDS + 5, lambda: time.monotonic() - cut_at > CUT_SECONDS)
    demo.act("gm-main-1", "restore")
    demo.until("the thermometer back", STEP_SECONDS, lambda: at("hm-east") == ("compliant", set()))
    demo.until("the killed station unreachable", STEP_SECONDS, lambda: at("hm-west")[0] == "unreachable")
    demo.act("hm-west-1", "restart")
    demo.until("the killed station back", STEP_SECONDS, lambda: at("hm-west") == ("compliant", set()))
    demo.until("the cut station back", STEP_SECONDS, lambda: at("gm-main") == ("compliant", set()))
    assert len(demo.journal_entries("gm-main-1")) > before + 2


@pytest.mark.timeout(180)
def test_then_ctrl_c_leaves_no_process_and_nothing_was_lost_or_doubled(demo: Demo) -> None:
    stations = ("hm-east-1", "hm-west-1", "gm-main-1")
    for station in stations:
        demo.act(station, "pause")
    demo.until(
        "all entries at the hub", 60,
        lambda: all(sorted(demo.hub_entries(s)) == sorted(demo.journal_entries(s)) for s in stations),
    )  # fmt: skip
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(timeout=60) == 0
    assert demo.pids() == []
    for station in stations:
        ids = demo.hub_entries(station)
        assert len(set(ids)) == len(ids)
