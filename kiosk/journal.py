"""The append-only log, the outbox too: the one place of the station that writes to disk. An event is done once it is here."""

import errno
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from threading import RLock
from types import TracebackType

import uuid_utils

from contract.codec import BadMessage
from contract.events import Body, Clock, Event, JournalBegun, decode_event
from contract.messages import Ack
from contract.ranges import Ranges, merge, missing, size
from kiosk import journal_file as file
from kiosk import journal_repair as repair
from kiosk.journal_file import JournalUnavailable, Line, translated
from kiosk.journal_kept import Keeping
from kiosk.ranges import acknowledged_by

__all__ = ["Journal", "JournalUnavailable", "Line", "Now", "new_uuid"]

Now = Callable[[], tuple[datetime, Clock, int]]
"""The wall clock (UTC), whether it is synced, and the boot's monotonic nanoseconds."""

_PAGE = 1000
_MIN_FREE_BYTES = 200_000_000


def new_uuid() -> str:
    """A new UUIDv7 (RFC 9562)."""
    return str(uuid_utils.uuid7())


class Journal(Keeping):
    """Events in the order in which they were committed, what the hub has of them, and a few values kept beside them.

    Any thread may call it. Everything that touches the disk raises `JournalUnavailable` and is then not done at all.
    """

    id: str
    """Random, made with the file; another one after a fork."""
    last_seq: int
    first_seq: int
    """The oldest event that is still there."""
    acknowledged: Ranges

    def __init__(
        self,
        folder: Path,
        *,
        boot: str,
        clock: Now,
        new_id: Callable[[], str] = new_uuid,
        min_free_bytes: int = _MIN_FREE_BYTES,
    ) -> None:
        self.path, self.boot, self.clock = folder / "journal.db", boot, clock
        self._new_id, self._min_free_bytes, self._lock = new_id, min_free_bytes, RLock()
        with translated(self.path):
            folder.mkdir(parents=True, exist_ok=True)
            self._claim = repair.claim(self.path)
            try:
                if self._claim is not None:
                    self._begin_if_needed()
                self._open()
            except BaseException:
                self._release()
                raise

    def append(self, *bodies: Body, first_id: str | None = None) -> tuple[Event, ...]:
        """Commit events, all or none; durable when this returns. `first_id`: the first one's, if something is sealed to it."""
        with self._lock, translated(self.path):
            events = self._events(self.last_seq + 1, bodies, first_id)
            with self._db.atomic():
                self._db.table("journal").insert_all(file.row_of(event) for event in events)
            self.last_seq += len(events)
            return events

    def events(self, after: int = 0, limit: int = _PAGE, upto: int | None = None) -> list[Event]:
        """Events with a number above `after`, oldest first; one that can't be read is left out and named by `check`."""
        return _readable(self.lines(after + 1, self.last_seq if upto is None else upto, limit))

    def tail(self, n: int) -> list[Event]:
        """The last n events, oldest first."""
        return self.events(after=max(self.last_seq - n, 0), limit=n)

    def all_events(self) -> Iterator[Event]:
        """Every event that can be read, oldest first."""
        for first in range(self.first_seq, self.last_seq + 1, _PAGE):
            yield from _readable(self.lines(first, first + _PAGE - 1))

    def lines(self, first: int, last: int, limit: int = _PAGE) -> list[Line]:
        """The lines first … last as they go into a batch, those that can't be read as well."""
        with self._lock, translated(self.path):
            return file.lines(self._db, first, last, limit)

    def acknowledge(self, ack: Ack, keep: Mapping[str, bytes] | None = None) -> None:
        """Add what the hub has committed; a new life of the hub's store replaces what was acknowledged before.

        Another journal's is ignored. One that tells of a fork adds nothing. `keep` is committed with it.
        """
        with self._lock, translated(self.path):
            if ack.journal != self.id:
                return
            epoch = ack.store_epoch.encode()
            known = self.acknowledged if self.kept("store_epoch") == epoch else ()
            ranges = merge((*known, *acknowledged_by(ack, self.last_seq)))
            with self._db.atomic():
                file.set_acknowledged(self._db, ranges)
                file.keep(self._db, {**(keep or {}), "store_epoch": epoch})
            self.acknowledged = ranges

    def outstanding(self) -> Ranges:
        """What is here and not acknowledged."""
        with self._lock:
            return missing(self.acknowledged, self.first_seq, self.last_seq)

    def unacknowledged(self, limit: int, newest_first: bool = False) -> list[Event]:
        """Events that the hub has not acknowledged, at most `limit`."""
        found: list[Line] = []
        with self._lock, translated(self.path):
            for first, last in sorted(self.outstanding(), reverse=newest_first):
                found += file.lines(self._db, first, last, limit - len(found), newest_first)
                if len(found) >= limit:
                    break
        return _readable(found)

    def backlog(self) -> int:
        """How many events the hub has not acknowledged."""
        return size(self.outstanding())

    def purge(self, before: datetime) -> int:
        """Drop the oldest events, up to the first that is unacknowledged or not older than `before`; returns how many.

        The last event always stays, so that no sequence number is ever given twice.
        """
        with self._lock, translated(self.path):
            outstanding = self.outstanding()
            end = min(outstanding[0][0] if outstanding else self.last_seq, self.last_seq)
            young = self._db.execute("SELECT min(seq) FROM journal WHERE at >= ?", (file.stored(before),)).fetchone()[0]
            end = end if young is None else min(end, young)
            with self._db.atomic():
                dropped = self._db.execute("DELETE FROM journal WHERE seq < ?", (end,)).rowcount
            self.first_seq = max(self.first_seq, end)
            return int(dropped)

    def fork(self, at_seq: int) -> Path:
        """Begin a new journal in this one's place, with the events from `at_seq` on and those before it that the hub lacks.

        Whoever holds this object goes on with the new journal. Returns where the old file is kept.
        """
        with self._lock, translated(self.path):
            self._claim = self._claim or repair.claim(self.path)
            if self._claim is None:
                raise BlockingIOError(errno.EAGAIN, "another program has the journal open")
            begun = JournalBegun(reason="fork", previous=self.id, previous_seq=max(at_seq - 1, 0))
            kept_on = missing(self.acknowledged, self.first_seq, at_seq - 1)
            contents = repair.handed_on(self._db, merge((*kept_on, (max(at_seq, 1), self.last_seq))))
            try:
                self._db.close()
                return self._replace(begun, contents, "forked") or self.path
            finally:
                self._open()

    def check(self) -> list[str]:
        """What is wrong with the journal, a line each: damage, gaps, events that can't be read."""
        with self._lock, translated(self.path):
            reports = repair.damage(self._db)
        for first in range(self.first_seq, self.last_seq + 1, _PAGE):
            reports += repair.unreadable(self.lines(first, first + _PAGE - 1))
        return reports

    def probe(self) -> str | None:
        """Take a write and look for room: None if all is well, else the reason's key (disk_low, or that of the refusal)."""
        try:
            self.keep("probe", file.stored(self.clock()[0]).encode())
            free = shutil.disk_usage(self.path.parent).free
        except JournalUnavailable as error:
            return error.reason
        except OSError:
            return "journal_failed"
        return "disk_low" if free < self._min_free_bytes else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
            self._release()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _release(self) -> None:
        if self._claim is not None:
            self._claim.close()

    def _begin_if_needed(self) -> None:
        repair.finish_replacing(self.path)
        condition = repair.condition(self.path)
        if condition is repair.Condition.ABSENT:
            self._replace(JournalBegun(reason="new"), repair.Contents())
        elif condition is repair.Condition.DAMAGED:
            contents = repair.salvage(self.path)
            self._replace(JournalBegun(reason="corrupt", previous=contents.journal), contents, "corrupt")

    def _replace(self, begun: JournalBegun, contents: repair.Contents, aside: str | None = None) -> Path | None:
        return repair.replace(self.path, self._new_id(), self._events(1, (begun,))[0], contents, aside)

    def _open(self) -> None:
        self._db = file.connect(self.path)
        self.id = file.kept(self._db, "journal_id")["journal_id"].decode()
        self.first_seq, self.last_seq = file.bounds(self._db)
        self.acknowledged = file.acknowledged(self._db)

    def _events(self, first: int, bodies: tuple[Body, ...], first_id: str | None = None) -> tuple[Event, ...]:
        at, clock, mono_ns = self.clock()
        ids = [first_id or self._new_id(), *(self._new_id() for _ in bodies[1:])]
        return tuple(
            Event(seq=seq, id=ids[seq - first], at=at, boot=self.boot, mono_ns=mono_ns, clock=clock, body=body)
            for seq, body in enumerate(bodies, start=first)
        )


def _readable(lines: list[Line]) -> list[Event]:
    events = []
    for line in lines:
        try:
            events.append(decode_event(line.data))
        except BadMessage:
            continue
    return events
