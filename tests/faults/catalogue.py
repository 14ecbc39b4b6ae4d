"""Every fault by name, and how often it is injected."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from tests.faults import (
    backlog,
    broker_wiped,
    card,
    clocks,
    hub_restored,
    hub_store,
    kill_hub,
    kill_station,
    network,
    power_cut,
    station_disk_full,
)
from tests.faults.rows import Row


@dataclass(frozen=True)
class Fault:
    """One fault; `run` takes a seed and how often."""

    name: str
    run: Callable[[int, int], Row]
    many: int
    quick: int


FAULTS = (
    Fault("kill-station", kill_station.run, 500, 12),
    Fault("kill-hub", kill_hub.run, 500, 8),
    Fault("kill-hub-around-commit", kill_hub.run_around_commit, 500, 6),
    Fault("power-cut", power_cut.run, 1000, 40),
    Fault("partition", partial(network.run, fault=network.partition), 40, 2),
    Fault("delay", partial(network.run, fault=network.delay), 40, 2),
    Fault("duplicate", partial(network.run, fault=network.duplicate), 40, 2),
    Fault("half-open", partial(network.run, fault=network.half_open), 12, 2),
    Fault("reset", partial(network.run, fault=network.reset), 100, 4),
    Fault("broker-wiped", broker_wiped.run, 40, 2),
    Fault("backlog", backlog.run, 100_000, 2000),
    Fault("hub-disk-full", hub_store.run_full, 20, 1),
    Fault("hub-locked", hub_store.run_locked, 5, 1),
    Fault("hub-restored", hub_restored.run, 10, 1),
    Fault("station-disk-full", station_disk_full.run, 20, 1),
    Fault("station-damaged", card.run_damaged, 25, 5),
    Fault("station-restored", card.run_restored, 20, 1),
    Fault("station-cloned", card.run_cloned, 8, 1),
    Fault("clocks", clocks.run, 50, 10),
)


def play(fault: Fault, seed: int, many: int) -> Row:
    """Play one fault in a process of its own. Raises `RuntimeError` with what it said when no row came of it."""
    command = [sys.executable, "-m", "tests.faults.catalogue", fault.name, str(seed), str(many)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{fault.name} ended with {done.returncode}: no row")
    return Row(**json.loads(done.stdout))


def main(name: str, seed: str, many: str) -> None:
    """The other process: print the row as JSON."""
    (fault,) = (one for one in FAULTS if one.name == name)
    began = time.monotonic()
    row = fault.run(int(seed), int(many))
    row = replace(row, seconds=round(time.monotonic() - began, 1))
    print(json.dumps({name: getattr(row, name) for name in row.__dataclass_fields__}, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
