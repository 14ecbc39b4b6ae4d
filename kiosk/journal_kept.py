"""Values kept beside the journal: the directory, counters, photos on their way."""

from collections.abc import Mapping
from pathlib import Path
from threading import RLock

from sqlite_utils import Database

from kiosk import journal_file as file
from kiosk.journal_file import translated


class Keeping:
    """The part of a journal that keeps values under keys, each as durable as an event."""

    path: Path
    _db: Database
    _lock: RLock

    def keep(self, key: str, value: bytes) -> None:
        """Keep a value under a key, durably."""
        self.keep_all({key: value})

    def keep_all(self, values: Mapping[str, bytes]) -> None:
        """Keep several values, all or none."""
        with self._lock, translated(self.path):
            file.keep(self._db, values)

    def kept(self, key: str) -> bytes | None:
        """The value kept under a key."""
        with self._lock, translated(self.path):
            found = self._db.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
            return bytes(found[0]) if found else None

    def kept_under(self, prefix: str, limit: int = -1) -> dict[str, bytes]:
        """What is kept under keys that begin with `prefix`, in the order of the keys, at most `limit`."""
        with self._lock, translated(self.path):
            return file.kept(self._db, prefix, limit)

    def scrub(self) -> bool:
        """Leave nothing of what was deleted in free pages or log (`journal_file.scrub`); needs as much room as the file has."""
        with self._lock, translated(self.path):
            return file.scrub(self._db)

    def forget(self, key: str) -> None:
        """Keep nothing under a key any more."""
        with self._lock, translated(self.path):
            self._db.execute("DELETE FROM kept WHERE key = ?", (key,))
