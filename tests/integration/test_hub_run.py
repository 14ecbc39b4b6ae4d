"""`hub run` as an operator starts it: three processes, one that is killed comes back, and none is left behind."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.broker import Mosquitto, free_port
from tests.conftest import HUB_PASSWORD

PARTS = {"ingest", "scheduler", "web"}


@pytest.fixture
def config(tmp_path: Path, mosquitto: Mosquitto) -> Path:
    path = tmp_path / "hub.toml"
    path.write_text(
        f"[broker]\nport = {mosquitto.port}\npassword = '{HUB_PASSWORD}'\n[web]\nport = {free_port()}\nsecure_cookies = false\n",
        encoding="utf-8",
    )
    subprocess.run([sys.executable, "-m", "hub.cli", "init", "--config", path], check=True, capture_output=True)
    return path


@pytest.fixture
def hub(config: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "hub.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "hub.cli", "run", "--config", config], stdout=log, stderr=log)
    yield process
    process.kill()
    process.wait()


def children(pid: int) -> dict[str, int]:
    """Part → process id of each of a process's children (proc(5))."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
        found |= {part: int(child) for part in PARTS if part in words}
    return found


def until(true: Callable[[], object], seconds: float = 50) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def served(config: Path) -> bool:
    port = config.read_text().split("port = ")[2].split()[0]
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).status == 200
    except OSError:
        return False


def test_it_serves_restarts_what_dies_and_leaves_nothing_behind(hub: subprocess.Popen[bytes], config: Path) -> None:
    until(lambda: children(hub.pid).keys() == PARTS and served(config))
    first = children(hub.pid)
    os.kill(first["scheduler"], signal.SIGKILL)
    until(lambda: children(hub.pid).get("scheduler", first["scheduler"]) != first["scheduler"])
    last = children(hub.pid)
    hub.terminate()
    assert hub.wait(15) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in last.values())


def test_its_children_end_even_when_it_is_killed(hub: subprocess.Popen[bytes], config: Path) -> None:
    until(lambda: children(hub.pid).keys() == PARTS and served(config))
    known = children(hub.pid)
    hub.kill()
    hub.wait()
    until(lambda: not any(_runs(pid) for pid in known.values()))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
