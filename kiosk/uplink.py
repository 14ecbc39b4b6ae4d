"""Journal → broker, directory ← broker: one thread that connects, serves the connection while it lasts, and connects again."""

import logging
import queue
import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from contract.directory import Directory
from contract.messages import Command, CommandReply, Config, Movements, Vitals
from kiosk.connection import Connection, Signal, UplinkSettings
from kiosk.credentials import BadCredentials, plain_words
from kiosk.directory_keeper import load_kept_directory
from kiosk.downlink import Downlink, Listeners, Reply
from kiosk.inputs import Now
from kiosk.journal import Journal, new_uuid
from kiosk.session import Leave, Session, Speaker, Wake, keep_photo

__all__ = ["Link", "Uplink", "UplinkSettings", "load_kept_directory"]

_log = logging.getLogger(__name__)
_ANSWER_SECONDS = 10.0
_LASTED_SECONDS = 30.0
_INBOX = 10_000


@dataclass(frozen=True)
class Link:
    """Whether the broker is reached, and if not why, in plain words."""

    connected: bool
    detail: str
    since_mono: float
    """When `connected` last changed, by the monotonic clock."""


class Uplink:
    """Sends what the journal holds until the hub has it, and hears the hub. Never blocks its caller, needs no broker to run."""

    def __init__(
        self,
        journal: Journal,
        settings: UplinkSettings,
        *,
        vitals: Callable[[], Vitals],
        on_directory: Callable[[Directory], None],
        on_movements: Callable[[Movements], None],
        on_command: Callable[[Command], CommandReply],
        on_config: Callable[[Config], None],
        on_keys: Callable[[tuple[str, ...]], None] = lambda complaints: None,
        clock: Callable[[], Now] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        software: str = "gatepost",
    ) -> None:
        self._journal, self._settings, self._monotonic = journal, settings, monotonic
        self._inbox: queue.Queue[tuple[Connection | None, Any]] = queue.Queue(_INBOX)
        listeners = Listeners(on_directory, on_movements, on_command, on_config, on_keys)
        downlink = Downlink(journal, settings, listeners, answer=self._tell, clock=clock)
        self._speaker = Speaker(journal, settings, vitals, downlink, monotonic, software)
        self._link = Link(False, "not started", monotonic())
        self._closing, self._is_cut, self._hurry = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    @property
    def link(self) -> Link:
        """The connection as it is now."""
        return self._link

    def start(self) -> None:
        """Begin to connect, and go on until closed."""
        self._speaker.downlink.report_keys()
        self._thread.start()

    def notify(self) -> None:
        """Events were committed: send them at once."""
        self._tell(Wake())

    def notify_vitals(self) -> None:
        """Something in the vitals changed: send them at once."""
        self._tell(Wake(vitals=True))

    def send_photo(self, sha: str, sealed: bytes) -> None:
        """Send a sealed photo that an event names; kept on the disk till the broker has it. Raises `JournalUnavailable`."""
        keep_photo(self._journal, sha, sealed)
        self._tell(Wake(photo=True))

    def cut(self) -> None:
        """Break the connection as a network failure would, until `restore`; for the demonstration."""
        self._is_cut.set()
        self._tell(Wake())

    def restore(self) -> None:
        """Connect again after `cut`."""
        self._is_cut.clear()
        self._hurry.set()

    def connect_anew(self, why: str) -> None:
        """End the connection in order once what was said before is sent, and connect again at once."""
        self._hurry.set()
        self._tell(Leave(why))

    def close(self) -> None:
        """Say goodbye to the broker and end the thread."""
        self._closing.set()
        self._hurry.set()
        self._tell(Wake())
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def __enter__(self) -> "Uplink":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _tell(self, note: Wake | Reply | Leave) -> None:
        try:
            self._inbox.put_nowait((None, note))
        except queue.Full:  # so there is plenty that will wake the thread
            pass

    def _signal(self, connection: Connection, signal: Signal) -> None:
        try:
            self._inbox.put_nowait((connection, signal))
        except queue.Full:  # the next connection brings everything retained again
            connection.kill()

    def _run(self) -> None:
        attempt = 0
        while not self._closing.is_set():
            began = self._monotonic()
            try:
                self._connect_and_serve()
            except Exception as error:  # the thread must live whatever the network, the disk or a listener does
                _log.exception("the uplink failed; it will connect again")
                self._show(False, f"{type(error).__name__}: {error}")
            attempt = 0 if self._monotonic() - began > _LASTED_SECONDS else attempt + 1
            self._pause(backoff(attempt, *self._settings.backoff_seconds, draw=random.random()))

    def _connect_and_serve(self) -> None:
        birth = new_uuid()
        connection = Connection(self._settings, self._speaker.presence(birth, online=False), self._signal)
        try:
            connection.open()
        except BadCredentials as error:
            self._show(False, str(error))
            return
        except (OSError, ValueError) as error:
            why = plain_words(str(error), self._settings.host)
            self._not_taken(why, isinstance(error, ssl.SSLError))
            self._show(False, f"no broker at {self._settings.host}:{self._settings.port}: {why}")
            return
        session = Session(self._speaker, connection, birth)
        try:
            self._serve(session, connection)
        finally:
            session.close(orderly=self._closing.is_set())
            self._not_taken(session.detail, session.over and not session.up)
            self._show(False, session.detail)

    def _not_taken(self, why: str, refused: bool) -> None:
        """Another of this station's certificates, if there is one, comes next."""
        if refused and self._settings.credentials is not None:
            self._settings.credentials.refused(why)

    def _serve(self, session: Session, connection: Connection) -> None:
        answer_by = self._monotonic() + _ANSWER_SECONDS
        while not (session.over or self._closing.is_set() or self._is_cut.is_set()):
            self._take_waiting(session, connection)
            session.work()
            if session.up:
                self._show(not session.over, session.detail)
            elif self._monotonic() > answer_by:
                session.give_up("the broker does not answer")

    def _take_waiting(self, session: Session, connection: Connection) -> None:
        """Wait for the next signal, then take all that are there; those of an earlier connection are void."""
        wait: float | None = session.wait_seconds()
        while True:
            try:
                source, note = self._inbox.get(block=wait is not None, timeout=wait)
            except queue.Empty:
                return
            wait = None
            if source is connection or source is None:
                session.take(note)

    def _pause(self, seconds: float) -> None:
        """Wait before the next attempt; while cut, for as long as that lasts."""
        if self._is_cut.is_set():
            self._show(False, "cut off, until it is restored")
        until = self._monotonic() + seconds
        while not self._closing.is_set() and (self._is_cut.is_set() or self._monotonic() < until):
            if self._hurry.wait(timeout=0.2 if self._is_cut.is_set() else max(until - self._monotonic(), 0)):
                break
        self._hurry.clear()

    def _show(self, connected: bool, detail: str) -> None:
        before = self._link
        self._link = Link(connected, detail, before.since_mono if connected == before.connected else self._monotonic())
        if (connected, detail) != (before.connected, before.detail):
            _log.info("broker: %s", detail)


def backoff(attempt: int, least: float, most: float, draw: float) -> float:
    """Seconds to wait before connecting again: doubling, between `least` and `most`, spread by `draw` (0 … 1)."""
    ceiling = min(most, least * 2.0 ** min(attempt + 1, 20))
    return least + (ceiling - least) * draw
