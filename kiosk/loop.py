"""The one thread that feeds the station's heart its inputs and carries out its effects: no rule, and no fault ends it."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, Self, TypeVar

from msgspec import structs

from contract.events import Body, Entry, Event
from contract.messages import Vitals
from contract.sealing import Personal, Sealed
from kiosk.drivers.base import Fault, SelfTest
from kiosk.inputs import (
    CheckPin,
    CloseRoster,
    CommitFailed,
    Committed,
    DeviceReport,
    DevicesTested,
    Effect,
    Input,
    Now,
    OpenRoster,
    PhotoTaken,
    PinChecked,
    RaiseBarrier,
    Record,
    RunSelfTest,
    Say,
    ShutDown,
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
_OWN_DEVICES = ("pin", "photo", "barrier", "shutdown", "roster")
"""Those that nobody but the loop reports, and so nobody else says to work again."""
T = TypeVar("T")


class RosterPort(Protocol):
    """What the loop needs to open what tells people. Each may take its time; what one of them raises is reported."""

    def key(self, asked: CheckPin) -> bytes:
        """The opening key of a badge whose PIN is right."""
        ...

    def open(self, badge: str, opening: bytes) -> None:
        """Open for this badge alone; what is open then comes as a directory. Raises `BadMessage`."""
        ...

    def close(self) -> None:
        """Forget the keys and what they have opened."""
        ...


class _NothingToOpen:
    def key(self, asked: CheckPin) -> bytes:
        return b""

    def open(self, badge: str, opening: bytes) -> None:
        pass

    def close(self) -> None:
        pass


NOTHING_TO_OPEN: RosterPort = _NothingToOpen()
"""Of a station whose directory is never sealed."""


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
        raise_barrier: Callable[[], Fault | None],
        self_test: Callable[[], tuple[SelfTest, ...]],
        shut_down: Callable[[], None],
        on_committed: Callable[[], None],
        clock: Callable[[], Now],
        roster: RosterPort = NOTHING_TO_OPEN,
    ) -> None:
        """`say`, `raise_barrier`, `shut_down` and `on_committed` return at once; `check_pin`, `take_photo` and `self_test` may
        take their time, on a thread beside the loop, and so may `roster`. What one of them raises is reported as its device's
        fault until it works."""
        self._setup, self._journal, self._clock = setup, journal, clock
        self._seal, self._check_pin, self._take_photo = seal, check_pin, take_photo
        self._say, self._on_committed = say, on_committed
        self._raise_barrier, self._self_test, self._shut_down, self._roster = raise_barrier, self_test, shut_down, roster
        self._inputs: queue.SimpleQueue[Input | None] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(1, "slow")
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        now = clock()
        self._state: State = begin(setup, replay(journal.all_events()), now)
        self._snapshot: Snapshot = snapshot(self._state, now, setup)
        self._turns = 0
        self._failed = {device for device in _OWN_DEVICES if not self._state.lasting.devices.get(device, True)}

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

    @property
    def turns(self) -> int:
        """How many ticks it has handled: while it lives, this rises about five times a second."""
        return self._turns

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
            self._turns += isinstance(given, Tick)

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
        self._guarded("uplink", self._on_committed, None)
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

    def _attempt(
        self, effect: CheckPin | OpenRoster | CloseRoster | TakePhoto | Say | RaiseBarrier | RunSelfTest | ShutDown
    ) -> list[Input]:
        match effect:
            case Say():
                return self._guarded("voice", lambda: self._say(effect.sentence), None)[1]
            case RaiseBarrier():
                return self._raised()
            case ShutDown():
                return self._guarded("shutdown", self._shut_down, None)[1]
            case CheckPin():
                return self._later("pin", lambda: self._pin(effect))
            case OpenRoster(badge, opening):
                return self._later("roster", lambda: self._guarded("roster", lambda: self._roster.open(badge, opening), None)[1])
            case CloseRoster():
                return self._later("roster", lambda: self._guarded("roster", self._roster.close, None)[1])
            case TakePhoto():
                return self._later("photo", lambda: self._photo(effect))
            case RunSelfTest():
                return self._later("selftest", self._tested)

    def _later(self, device: str, act: Callable[[], list[Input]]) -> list[Input]:
        """Have something slow done beside the loop; what comes of it is posted."""
        try:
            self._pool.submit(lambda: self._post_all(act()))
        except RuntimeError as error:
            return self._report(device, str(error))
        return []

    def _post_all(self, results: list[Input]) -> None:
        for result in results:
            self.post(result)

    def _raised(self) -> list[Input]:
        fault, reports = self._guarded("barrier", self._raise_barrier, None)
        return self._report("barrier", fault.detail) if fault else reports

    def _pin(self, effect: CheckPin) -> list[Input]:
        checked, reports = self._guarded("pin", lambda: self._checked(effect), PinChecked(effect.badge, False))
        return [*reports, checked]

    def _checked(self, asked: CheckPin) -> PinChecked:
        ok = self._check_pin(asked)
        return PinChecked(asked.badge, ok, self._roster.key(asked) if ok and asked.token is not None else b"")

    def _photo(self, effect: TakePhoto) -> list[Input]:
        sha, reports = self._guarded("photo", lambda: self._take_photo(effect.purpose), None)
        return [*reports, PhotoTaken(effect.purpose, sha, effect.about)]

    def _tested(self) -> list[Input]:
        try:
            return [DevicesTested(self._self_test())]
        except Exception as error:
            logger.exception("the devices could not be tested")
            return [DevicesTested((SelfTest("selftest", False, f"{type(error).__name__}: {error}"),))]

    def _guarded(self, device: str, act: Callable[[], T], instead: T) -> tuple[T, list[Input]]:
        """What comes of it, and what is to be reported: that it failed, or that it works again."""
        try:
            result = act()
        except Exception as error:
            logger.exception("%s failed", device)
            return instead, self._report(device, f"{type(error).__name__}: {error}")
        return result, self._report(device, "")

    def _report(self, device: str, fault: str) -> list[Input]:
        if not fault and device not in self._failed:
            return []
        (self._failed.add if fault else self._failed.discard)(device)
        return [DeviceReport(device, not fault, fault)]

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
