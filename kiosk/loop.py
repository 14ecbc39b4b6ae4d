"""The one thread that feeds the station's heart its inputs and carries out its effects: no rule, and no fault ends it."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, Self

from msgspec import structs

from contract.events import Body, Entry, Event
from contract.messages import Vitals
from contract.sealing import Personal, Sealed
from kiosk.inputs import (
    CheckPin,
    CommitFailed,
    Committed,
    DeviceReport,
    Effect,
    Input,
    Now,
    PhotoTaken,
    PinChecked,
    Record,
    Say,
    TakePhoto,
    Tick,
)
from kiosk.journal import JournalUnavailable, new_uuid
from kiosk.lasting import boot_events, replay
from kiosk.screen import snapshot
from kiosk.setup import Setup
from kiosk.state import State, begin, time_of
from kiosk.station import reduce
from kiosk.view import Snapshot
from kiosk.vitals import Log, vitals

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.2


class JournalPort(Protocol):
    """What the loop needs of the journal."""

    @property
    def boot(self) -> str: ...

    @property
    def last_seq(self) -> int: ...

    def append(self, *bodies: Body, first_id: str | None = None) -> tuple[Event, ...]:
        """Commit all or none. Raises `JournalUnavailable`. `first_id` is the first event's id, when something is sealed to it."""
        ...

    def all_events(self) -> Iterable[Event]: ...

    def backlog(self) -> int: ...


class Loop:
    """A running station: `post` inputs, read `snapshot`. Any thread may call it; `close()` or `with` ends it."""

    def __init__(
        self,
        setup: Setup,
        journal: JournalPort,
        *,
        seal: Callable[[Personal], Sealed | None],
        check_pin: Callable[[CheckPin], bool],
        take_photo: Callable[[str], str | None],
        say: Callable[[str], None],
        on_committed: Callable[[], None],
        clock: Callable[[], Now],
    ) -> None:
        self._setup, self._journal, self._clock = setup, journal, clock
        self._seal, self._check_pin, self._take_photo = seal, check_pin, take_photo
        self._say, self._on_committed = say, on_committed
        self._inputs: queue.SimpleQueue[Input | None] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(1, "slow")
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        now = clock()
        self._state: State = begin(setup, replay(journal.all_events()), now)
        self._snapshot: Snapshot = snapshot(self._state, now, setup)

    def start(self) -> Self:
        """Begin to guard the gate."""
        now = self._clock()
        at = time_of(self._state, now)
        self._handle(self._commit(Record(boot_events(self._state.lasting, at, now.synced, self._setup.software))))
        self._thread = threading.Thread(target=self._run, name="station", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """End the thread; what was posted before is still handled."""
        self._inputs.put(None)
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._pool.shutdown(wait=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def post(self, given: Input) -> None:
        """Hand an input to the station; returns at once."""
        self._inputs.put(given)

    def snapshot(self) -> Snapshot:
        """The newest snapshot."""
        with self._changed:
            return self._snapshot

    def wait(self, n: int, timeout: float) -> Snapshot:
        """Block until there is a snapshot newer than `n` or `timeout` seconds are over; the newest one either way."""
        with self._changed:
            self._changed.wait_for(lambda: self._snapshot.n > n, timeout)
            return self._snapshot

    def vitals(self) -> Vitals:
        """The pulse for the hub."""
        log = Log(self._journal.boot, self._journal.last_seq, self._journal.backlog())
        return vitals(self._state, log, self._clock(), self._setup)

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            given = self._next(due)
            if given is None:
                return
            if isinstance(given, Tick):
                due = time.monotonic() + TICK_SECONDS
            self._handle(given)

    def _next(self, due: float) -> Input | None:
        """The next input; a tick when one is due, however many inputs wait."""
        left = due - time.monotonic()
        if left <= 0:
            return Tick()
        try:
            return self._inputs.get(timeout=left)
        except queue.Empty:
            return Tick()

    def _handle(self, given: Input) -> None:
        """One input and all that follows from it, before anything else: what a commit brings is never overtaken."""
        following = deque([given])
        while following:
            following.extendleft(reversed(self._reduced(following.popleft())))
        self._publish()

    def _reduced(self, given: Input) -> list[Input]:
        try:
            self._state, effects = reduce(self._state, given, self._clock(), self._setup)
        except Exception:
            logger.exception("an input could not be handled: %s", type(given).__name__)
            return []
        return self._carry_out(effects)

    def _carry_out(self, effects: tuple[Effect, ...]) -> list[Input]:
        """Do what is asked. Once one commit has failed, later ones wait behind it, so that the order is kept."""
        results: list[Input] = []
        for effect in effects:
            if isinstance(effect, Record):
                failed = next((r for r in results if isinstance(r, CommitFailed)), None)
                results.append(CommitFailed(failed.reason, effect.bodies, effect.personal) if failed else self._commit(effect))
            else:
                results += self._attempt(effect)
        return results

    def _commit(self, record: Record) -> Committed | CommitFailed:
        try:
            if record.personal is None:
                events = self._journal.append(*record.bodies)
            else:
                first_id = new_uuid()
                events = self._journal.append(*self._sealed(record, record.personal, first_id), first_id=first_id)
        except JournalUnavailable as error:
            logger.error("not written: %s", error)
            return CommitFailed(error.reason, record.bodies, record.personal)
        except Exception:
            logger.exception("not written")
            return CommitFailed("journal_failed", record.bodies, record.personal)
        self._guarded("uplink", self._on_committed)
        return Committed(events)

    def _sealed(self, record: Record, personal: Personal, first_id: str) -> tuple[Body, ...]:
        """The bodies with the personal fields sealed; what can't be sealed is left out, never written in the clear."""
        first = record.bodies[0]
        try:
            sealed = self._seal(structs.replace(personal, event=first_id))
        except Exception:
            logger.exception("personal fields could not be sealed, and are left out")
            sealed = None
        return (structs.replace(first, personal=sealed) if isinstance(first, Entry) else first, *record.bodies[1:])

    def _attempt(self, effect: CheckPin | TakePhoto | Say) -> list[Input]:
        if isinstance(effect, Say):
            return self._guarded("voice", lambda: self._say(effect.sentence))
        if isinstance(effect, CheckPin):
            return self._guarded("pin", lambda: self._pool.submit(self._pin, effect))
        return self._guarded("camera", lambda: self._pool.submit(self._photo, effect))

    def _pin(self, effect: CheckPin) -> None:
        try:
            ok = self._check_pin(effect)
        except Exception:
            logger.exception("a PIN could not be checked")
            self.post(DeviceReport("pin", False, "the PIN could not be checked"))
            ok = False
        self.post(PinChecked(effect.badge, ok))

    def _photo(self, effect: TakePhoto) -> None:
        try:
            sha = self._take_photo(effect.purpose)
        except Exception:
            logger.exception("no photo could be taken")
            sha = None
        self.post(PhotoTaken(effect.purpose, sha))

    def _guarded(self, device: str, act: Callable[[], object]) -> list[Input]:
        try:
            act()
        except Exception as error:
            logger.exception("%s failed", device)
            return [DeviceReport(device, False, f"{type(error).__name__}: {error}")]
        return []

    def _publish(self) -> None:
        try:
            made = snapshot(self._state, self._clock(), self._setup)
        except Exception:
            logger.exception("the screen could not be made")
            return
        with self._changed:
            if structs.replace(made, n=self._snapshot.n) != self._snapshot:
                self._snapshot = structs.replace(made, n=self._snapshot.n + 1)
                self._changed.notify_all()
