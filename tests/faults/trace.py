"""What a station asked of its disk, as `strace` recorded it, and what a power cut may leave of that.

The model is harsher than any card: of what was written since a file's last sync any part may be there, in any order, torn at
sectors of 512 bytes; of what was done to a folder since its last sync (files made, renamed and removed) any first part.
"""

import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.processes import Variant

SECTOR = 512
_CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename"
_LINE = re.compile(r"^(\d+\.\d+) (\w+)\((.*)\)\s+= (\d+)")
_HEX = re.compile(r"\\x([0-9a-f]{2})")
_GARBAGE_BYTES = 32_768


@dataclass(frozen=True)
class Op:
    """One call that came to something. `at`: seconds of the wall clock at which it was begun."""

    at: float
    call: str
    path: str
    offset: int = 0
    data: bytes = b""
    to: str = ""


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Op] = field(default_factory=list)


class Recorded:
    """A station that runs under `strace`; ended by its own process id, as `strace` would leave it running."""

    def __init__(self, config: Path, into: Path, variants: Sequence[Variant] = ()) -> None:
        self._into = into
        options = ["-ff", "--seccomp-bpf", "-ttt", "-xx", "-y", "-s", "70000", "-e", f"trace={_CALLS}", "-e", "signal=none"]
        program = [sys.executable, "-m", "tests.faults.processes", "station", str(config), json.dumps(variants)]
        command = ["strace", *options, "-o", str(into), *program]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)

    def kill(self) -> None:
        """SIGKILL to the station; `strace` ends with it."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        self._process.wait(20)

    def ops(self, folder: Path) -> list[Op]:
        """What was done to the files of a folder, in order; without its lock, and without the index of the write-ahead log,
        which is shared memory and made again by whoever opens it first."""
        found = [op for path in self._into.parent.glob(f"{self._into.name}.*") for op in _parsed(path)]
        prefix = str(folder)
        mine = [op for op in found if op.path.startswith(prefix) and not op.path.endswith((".lock", "-shm"))]
        return sorted(mine, key=lambda op: op.at)


class Disk:
    """A folder on a disk, as far as calls have got."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[_File] = []
        self._names: dict[str, int] = {}
        self._durable_names: dict[str, int] = {}
        self._pending: list[Op] = []

    def apply(self, op: Op) -> None:
        """One more call has been made."""
        match op.call:
            case "openat" if op.path not in self._names:
                self._names[op.path] = len(self._files)
                self._files.append(_File())
                self._pending.append(op)
            case "pwrite64" | "ftruncate" if op.path in self._names:
                self._files[self._names[op.path]].pending.append(op)
            case "unlink" if op.path in self._names:
                self._pending.append(op)
                del self._names[op.path]
            case "rename":
                self._pending.append(op)
                self._names[op.to] = self._names.pop(op.path)
            case "fsync" | "fdatasync":
                self._sync(op.path)

    def crashed(self, into: Path, chance: random.Random) -> None:
        """What may be on the disk after a power cut now, written to a folder."""
        names = dict(self._durable_names)
        for op, number in self._numbered(self._pending[: chance.randint(0, len(self._pending))]):
            _rename(names, op, number)
        into.mkdir(parents=True)
        for path, number in names.items():
            (into / Path(path).name).write_bytes(_left(self._files[number], chance))
            if path.endswith("-wal") and chance.random() < 0.5:
                (into / Path(path).name.replace("-wal", "-shm")).write_bytes(chance.randbytes(_GARBAGE_BYTES))

    def _sync(self, path: str) -> None:
        if path == str(self._folder):
            for op, number in self._numbered(self._pending):
                _rename(self._durable_names, op, number)
            self._pending = []
        elif path in self._names:
            file = self._files[self._names[path]]
            for op in file.pending:
                _write(file.durable, op)
            file.pending = []

    def _numbered(self, ops: list[Op]) -> Iterator[tuple[Op, int]]:
        """Each with the file that it names; files are made in the order of the calls that make them."""
        made = len(self._files) - sum(op.call == "openat" for op in self._pending)
        for op in ops:
            yield op, made
            made += op.call == "openat"


def can_record() -> bool:
    """Whether `strace` is there and may trace."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def _rename(names: dict[str, int], op: Op, number: int) -> None:
    if op.call == "openat":
        names[op.path] = number
    elif op.call == "unlink":
        names.pop(op.path, None)
    elif op.path in names:
        names[op.to] = names.pop(op.path)


def _left(file: _File, chance: random.Random) -> bytes:
    """The file as synced, and of what was written since: nothing, or some of it, in some order, some of it torn."""
    content = bytearray(file.durable)
    share = chance.choice((0.0, 0.5, 0.9, 1.0))
    kept = [op for op in file.pending if chance.random() < share]
    if chance.random() < 0.5:
        chance.shuffle(kept)
    for op in kept:
        for part in _torn(op, chance) if chance.random() < 0.3 else [op]:
            _write(content, part)
    return bytes(content)


def _torn(op: Op, chance: random.Random) -> list[Op]:
    """Those of a write's sectors that got there."""
    if op.call != "pwrite64":
        return [op]
    first = SECTOR - op.offset % SECTOR
    edges = [0, *range(first, len(op.data), SECTOR), len(op.data)]
    parts = [Op(op.at, op.call, op.path, op.offset + a, op.data[a:b]) for a, b in itertools.pairwise(edges) if a < b]
    return [part for part in parts if chance.random() < 0.5]


def _write(content: bytearray, op: Op) -> None:
    if op.call == "ftruncate":
        content[op.offset :] = b"\0" * max(0, op.offset - len(content))
        return
    content.extend(b"\0" * max(0, op.offset - len(content)))
    content[op.offset : op.offset + len(op.data)] = op.data


def _parsed(path: Path) -> Iterator[Op]:
    with path.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            found = _LINE.match(line)
            op = _op(float(found[1]), found[2], found[3]) if found else None
            if op is not None:
                yield op


def _op(at: float, call: str, rest: str) -> Op | None:
    """An entry of the trace. A file is named by what it is called at that moment (`-y`)."""
    named, quoted = re.match(r"\w+<([^>]*)>", rest), re.findall(r'"([^"]*)"', rest)
    if call in ("unlink", "rename"):
        texts = [_bytes(text).decode() for text in quoted]
        return Op(at, call, texts[0], to=texts[1] if call == "rename" else "")
    if call == "openat":
        return Op(at, call, _bytes(quoted[0]).decode()) if "O_CREAT" in rest else None
    if named is None:
        return None
    path = _bytes(named[1]).decode("utf-8", "replace")
    if call == "pwrite64":
        return Op(at, call, path, int(rest.rsplit(", ", 1)[1]), _bytes(quoted[0]))
    if call == "ftruncate":
        return Op(at, call, path, int(rest.rsplit(", ", 1)[1]))
    return Op(at, call, path) if call in ("fsync", "fdatasync") else None


def _bytes(text: str) -> bytes:
    return bytes(int(pair, 16) for pair in _HEX.findall(text))
