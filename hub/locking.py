"""Who uses a hub's folder: every command for as long as it runs, and a restore that must be alone there (flock(2))."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.registry.errors import RegistryError


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Use a hub's folder together with others, until the end of the process at the latest. Raises `RegistryError` meanwhile it is
    being restored."""
    with _locked(folder, fcntl.LOCK_SH, f"{folder} is being restored by `hub restore`: try again when it is done"):
        yield


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Use a hub's folder with nobody beside. Raises `RegistryError` while a part of the hub or a command of it runs."""
    with _locked(folder, fcntl.LOCK_EX, f"the hub of {folder} runs: stop it first (systemctl stop gatepost-hub.target)"):
        yield


@contextmanager
def _locked(folder: Path, how: int, refusal: str) -> Iterator[None]:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RegistryError(refusal) from None
        yield
    finally:
        os.close(fd)
