"""The station's clocks: wall clock, whether it is synced, the boot and its monotonic clock."""

import ctypes
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from contract.events import Clock
from kiosk.inputs import Now

_STA_UNSYNC = 0x0040
_TOGETHER_NS, _TRIES = 1_000_000, 5
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _Timex(ctypes.Structure):
    """The head of `struct timex` (adjtimex(2)); what follows is room for the rest."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


def kernel_synced() -> bool:
    """Whether the kernel's clock is held in step by a time service (adjtimex(2), STA_UNSYNC)."""
    timex = _Timex()
    return int(ctypes.CDLL(None).adjtimex(ctypes.byref(timex))) >= 0 and not timex.status & _STA_UNSYNC


def boot_id() -> str:
    """This boot's id as the kernel gives it; a random one where it doesn't."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return str(uuid.uuid4())


def _both(wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> tuple[datetime, int]:
    """Both clocks at one moment, read again where something else ran between them: the hub dates whole boots by such a pair."""
    for _ in range(_TRIES):
        before, utc, after = time.monotonic_ns(), wall(), time.monotonic_ns()
        if after - before <= _TOGETHER_NS:
            break
    return utc, (before + after) // 2


class StationClock:
    """Reads the time. `trusted`: somebody vouches for the clock (a real-time clock, a machine kept in step otherwise)."""

    def __init__(self, trusted: bool = False) -> None:
        self.trusted = trusted

    def now(self) -> Now:
        """Wall clock in UTC, monotonic nanoseconds, synced or not."""
        utc, mono_ns = _both()
        return Now(utc=utc, mono_ns=mono_ns, synced=self.trusted or kernel_synced())

    def journal_now(self) -> tuple[datetime, Clock, int]:
        """The same as the journal wants it."""
        now = self.now()
        return now.utc, Clock.SYNCED if now.synced else Clock.UNSYNCED, now.mono_ns
