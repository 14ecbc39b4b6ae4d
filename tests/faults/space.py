"""A disk that is full, and has room again: a small file system in memory where one may be mounted, else a limit on files."""

import ctypes
import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.processes import Program

_libc = ctypes.CDLL(None, use_errno=True)
_DETACH = 2
"""MNT_DETACH of umount2(2)."""
_STEP = 4096


class SmallDisk:
    """A folder's disk. `fill` and `free` are for the program that writes there."""

    def __init__(self, folder: Path, mebibytes: int) -> None:
        self.folder, self._ballast = folder, folder / "ballast"
        folder.mkdir(parents=True, exist_ok=True)
        options = f"size={mebibytes}m".encode()
        self.mounted = _libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options) == 0

    def fill(self, program: Program) -> None:
        """Not a byte more from now on."""
        if not self.mounted:
            resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (_STEP, resource.RLIM_INFINITY))
            return
        with self._ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(_STEP))

    def free(self, program: Program) -> None:
        """Room again."""
        if not self.mounted:
            resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it."""
        if self.mounted and _libc.umount2(os.fsencode(self.folder), _DETACH) != 0:
            raise OSError(ctypes.get_errno(), errno.errorcode[ctypes.get_errno()], str(self.folder))


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[SmallDisk]:
    """A small disk at a folder, taken away again."""
    disk = SmallDisk(folder, mebibytes)
    try:
        yield disk
    finally:
        disk.close()
