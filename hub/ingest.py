"""From the broker into the store: one worker, one transaction for many messages, and acknowledgements after its commit only."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import sqlalchemy as sa

from contract import topics
from contract.codec import Message
from contract.topics import StationTopic
from hub.config import Located
from hub.journals import acknowledgement
from hub.judging import Judging, judge, refine_late
from hub.late import marked
from hub.listening import Heard, Listener
from hub.signer import Signer
from hub.store import meta, migrate
from hub.store.tables import pulses
from hub.store.writing import writing
from hub.storing import Stored, is_passing, store
from hub.vault import open_hub
from hub.watchdog import Pulse

log = logging.getLogger(__name__)

BATCH, BATCH_SECONDS, TICK_SECONDS = 200, 0.05, 1.0
ALIVE_EVERY = timedelta(seconds=10)
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
COMPLAIN_SECONDS = 60.0
"""A fault of one kind is said so often at most."""


class Signs(Protocol):
    """Signs what the hub sends."""

    def sign(self, body: Message, *, typ: str, audience: str) -> bytes:
        """A compact JWS."""
        ...


class Ingest:
    """Hears the stations, keeps what they say, tells them what is kept, and judges their gates."""

    def __init__(
        self, engine: sa.Engine, located: Located, signer: Signs, *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC), turned: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._engine, self._signer, self._now, self._turned = engine, signer, now, turned
        self._judging = Judging(lifetimes=located.lifetimes, zone=located.zone)
        self._listener = Listener(located.settings.broker, "hub-ingest", now, folder=located.folder)
        self._worker = threading.Thread(target=self._work, name="ingest", daemon=True)
        self._stopping = threading.Event()
        self._hears = False
        self._owed: dict[str, str] = {}
        self._due: dict[str, datetime] = {}
        self._swept = self._alive = datetime.min.replace(tzinfo=UTC)
        self._said: set[str] = set()
        self._complained: dict[type[Exception], float] = {}

    @property
    def hears(self) -> bool:
        """Whether the broker has taken this ingest's subscriptions."""
        return self._hears

    def start(self) -> None:
        """Begin; the hub counts as blind until the broker is there."""
        with writing(self._engine) as connection:
            meta.store_epoch(connection)
            last = meta.instant(connection, meta.ALIVE_AT) or connection.scalar(sa.select(sa.func.max(pulses.c.heard_at)))
            meta.went_blind(connection, min(last or self._now(), self._now()))
        self._listener.start()
        self._worker.start()

    def stop(self) -> None:
        """Finish what is being stored, and go; what is not acknowledged stays with the broker and the stations."""
        self._stopping.set()
        self._worker.join(timeout=15)
        self._listener.stop()
        self._attempt("noting the end", lambda c: meta.went_blind(c, self._now()))

    def tick(self) -> None:
        """What changes by time alone: evidence that ran out, stations that fell silent, hours, and history made again."""
        now = self._now()
        with self._engine.connect() as connection:
            late = bool(marked(connection))
        due = [gate for gate, at in self._due.items() if at <= now]
        sweep = now.replace(second=0, microsecond=0) != self._swept
        if late or due or sweep or now - self._alive >= ALIVE_EVERY:
            with writing(self._engine) as connection:
                meta.put(connection, meta.ALIVE_AT, now.isoformat())
                gates = {*due, *refine_late(connection, now, self._judging)}
                changed = judge(connection, None if sweep else gates, now, self._judging)
            self._alive, self._swept = now, now.replace(second=0, microsecond=0)
            self._due = {**{g: at for g, at in self._due.items() if g not in due}, **changed}

    def _work(self) -> None:
        ticked = 0.0
        while not self._stopping.is_set():
            try:
                heard = self._listener.gather(BATCH, BATCH_SECONDS, TICK_SECONDS / 4)
                if heard:
                    self._take_in(heard)
                self._listener.catch_up()
                self._notice_broker()
                if time.monotonic() - ticked >= TICK_SECONDS:
                    ticked = time.monotonic()
                    self.tick()
                self._acknowledge()
                self._turned()
            except Exception as error:
                self._complain(error)
                self._stopping.wait(FIRST_WAIT)

    def _take_in(self, heard: Sequence[Heard]) -> None:
        wait, since = FIRST_WAIT, time.monotonic()
        while not self._stopping.is_set():
            try:
                stored = store(self._engine, [h.received for h in heard], self._now(), self._judging)
                break
            except Exception as error:
                log.warning("%d messages wait unacknowledged, trying again in %.1f s: the store: %s", len(heard), wait, error)
            self._stopping.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        else:
            return
        if wait > FIRST_WAIT:
            log.warning("the store takes writes again, after %.1f s", time.monotonic() - since)
        for one in heard:
            self._listener.acknowledge(one)
        for done in stored:
            self._account(done)

    def _account(self, stored: Stored) -> None:
        self._owed.update(stored.kept.owed)
        self._due.update(stored.due)
        for refused in stored.kept.refused:
            if refused.kind not in self._said:
                log.warning("refused (said once of its kind, all are in the store): %s: %s", refused.kind, refused.reason)
            self._said.add(refused.kind)

    def _notice_broker(self) -> None:
        hears = self._listener.connected
        if hears == self._hears:
            return
        with writing(self._engine) as connection:
            if hears:
                meta.hears_again(connection, self._now())
                self._due = judge(connection, None, self._now(), self._judging)
            else:
                meta.went_blind(connection, self._listener.lost_at)
        self._hears = hears
        log.warning("the broker is there" if hears else "the broker is lost: the hub is blind and judges no gate")

    def _acknowledge(self) -> None:
        for journal, station in list(self._owed.items()):
            if not self._listener.connected:
                return
            with self._engine.connect() as connection:
                ack = acknowledgement(connection, journal)
            signed = self._signer.sign(ack, typ="ack", audience=f"station:{station}")
            if self._listener.publish(topics.station(station, StationTopic.ACK), signed):
                del self._owed[journal]

    def _complain(self, error: Exception) -> None:
        if time.monotonic() - self._complained.get(type(error), -COMPLAIN_SECONDS) < COMPLAIN_SECONDS:
            return
        self._complained[type(error)] = time.monotonic()
        if is_passing(error):
            log.warning("the store: %s", error)
        else:
            log.exception("the ingest goes on after a fault")

    def _attempt(self, what: str, action: Callable[[sa.Connection], None]) -> None:
        try:
            with writing(self._engine) as connection:
                action(connection)
        except sa.exc.SQLAlchemyError as error:
            log.warning("%s: the store: %s", what, error)


def run_ingest(located: Located) -> None:
    """Take in what the stations send, until SIGTERM or SIGINT."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    engine = open_hub(located)
    migrate(engine)
    pulse = Pulse()
    ingest = Ingest(engine, located, Signer(engine), turned=pulse.beat)
    ingest.start()
    ended.wait()
    pulse.ends()
    ingest.stop()
    engine.dispose()
