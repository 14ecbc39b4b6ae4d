"""The real programs as children that start at once: forked from a server that has imported them, ended by process id.

Each is entered as its own command enters it (`kiosk run`, `hub ingest`, `hub scheduler`); a variant, of `tests.faults.broken` or
`tests.faults.injected`, replaces a function of the child before that, and never anything in the product's files.
"""

import importlib
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from hub import config as hub_config
from hub.ingest import run_ingest
from hub.processes import die_with_parent
from hub.scheduler import run_scheduler
from kiosk import config as kiosk_config
from kiosk.app import run_station

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.faults.processes", "tests.faults.broken", "tests.faults.injected"])

PROGRAMS: dict[str, Callable[[Path], None]] = {
    "station": lambda path: run_station(kiosk_config.load(path)),
    "ingest": lambda path: run_ingest(hub_config.load(path)),
    "scheduler": lambda path: run_scheduler(hub_config.load(path)),
}
Variant = tuple[str, dict[str, Any]]
"""`module:function` below `tests.faults`, and what it is called with in the child."""


def run(program: str, config: Path, variants: Sequence[Variant] = ()) -> None:
    """In the child: be the program."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for name, options in variants:
        module, _, function = name.partition(":")
        getattr(importlib.import_module(f"tests.faults.{module}"), function)(**options)
    PROGRAMS[program](config)


class Program:
    """One program: started, killed and started again."""

    def __init__(self, program: str, config: Path, log: Path, variants: Sequence[Variant] = ()) -> None:
        self.variants = tuple(variants)
        self._program, self._config, self._log = program, config, log
        self._process: BaseProcess | None = None

    def start(self) -> None:
        """Start it; returns before it is ready."""
        arguments = (self._program, self._config, self._log, self.variants)
        self._process = _context.Process(target=_child, args=arguments, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """The process id of the last start."""
        number = self._process.pid if self._process is not None else None
        if number is None:
            raise RuntimeError("it was never started")
        return number

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.is_alive()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._process is not None and self._process.pid is not None:
            _signal(self._process.pid, signal.SIGKILL)
            self._process.join()

    def wait_ended(self, seconds: float) -> bool:
        """Wait for it to end by itself."""
        if self._process is not None:
            self._process.join(seconds)
        return not self.running

    def stop(self) -> None:
        """SIGTERM, as systemd ends it."""
        if self._process is not None and self._process.pid is not None:
            _signal(self._process.pid, signal.SIGTERM)
            self._process.join(15)
            if self._process.is_alive():
                self.kill()


def _child(program: str, config: Path, log: Path, variants: Sequence[Variant]) -> None:
    die_with_parent()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(out)
    run(program, config, variants)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


if __name__ == "__main__":  # for `strace`, which has to start what it records
    import json

    run(sys.argv[1], Path(sys.argv[2]), [(name, options) for name, options in json.loads(sys.argv[3] if sys.argv[3:] else "[]")])
