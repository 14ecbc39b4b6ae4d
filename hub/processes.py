"""Child processes that never outlive their parent: started, watched and ended by process id."""

import ctypes
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_STOP_SECONDS = 8.0
_libc = ctypes.CDLL(None)


def die_with_parent() -> None:
    """Ask the kernel to end this process when the one that started it ends (prctl(2), Linux)."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A program under our care; what it prints goes to a file, or where ours goes."""

    def __init__(self, name: str, command: Sequence[str], log: Path | None = None) -> None:
        self.name, self._command, self._log = name, list(command), log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs already."""
        if self.pid is not None:
            return
        out = self._log.open("ab") if self._log else None
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )  # fmt: skip
        finally:
            if out is not None:
                out.close()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def ended_with(self) -> int | None:
        """The exit code of one that was started and has ended."""
        return None if self._process is None else self._process.poll()

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def ask_to_end(self) -> None:
        """SIGTERM; returns at once."""
        if self._process is not None and self.pid is not None:
            self._process.terminate()

    def wait_ended(self, seconds: float) -> None:
        """Wait, and kill what has not ended by then."""
        if self._process is None:
            return
        try:
            self._process.wait(timeout=max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self.kill()


def stop_all(children: Sequence[Child]) -> None:
    """Ask all to end at once, then wait for each."""
    for child in children:
        child.ask_to_end()
    deadline = time.monotonic() + _STOP_SECONDS
    for child in children:
        child.wait_ended(deadline - time.monotonic())
