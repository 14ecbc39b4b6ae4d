"""Sends what is owed to channels, by apprise, until it arrives or six hours have gone by.

A sending is noted as sent after the service has taken it. When the process dies between the two it is sent once more: at least
once, then; the number in the text is the same, so that whoever reads it twice sees that it is one.
"""

import logging
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from datetime import UTC, datetime

import sqlalchemy as sa

from hub import channels, outward, owed
from hub.config import Located
from hub.owed import Due, Message
from hub.registry.errors import RegistryError
from hub.rules.alerting import Level
from hub.store.writing import writing

AT_ONCE = 8
"""Channels tried side by side."""
MOST_HANGING = 32
"""Threads that wait for a service; with so many nothing further is begun."""
NO_CONNECTION, NO_ANSWER = "no connection", "no answer in time"
TRY_SECONDS = 20.0
IDLE_SECONDS = 2.0

log = logging.getLogger(__name__)


Deliver = Callable[[str, Message], str]
"""Address and message → why it failed; empty: it was taken."""


def deliver(address: str, message: Message) -> str:
    """Hand a message to the service at an address; returns why that failed, without the address. Blocks."""
    apprise = channels.services()
    asset = apprise.AppriseAsset(http_redirects=False, secure_logging=True)
    service = apprise.Apprise(asset=asset)
    if not service.add(address):
        return "apprise does not understand the address any more"
    loud = {Level.ALARM: apprise.NotifyType.FAILURE, Level.WARNING: apprise.NotifyType.WARNING}
    with service.notify(
        title=message.title, body=message.body, notify_type=loud.get(message.level, apprise.NotifyType.INFO)
    ) as result:  # fmt: skip
        if result:
            return ""
        said = [entry.message for entry in result.logs() if entry.level in ("WARNING", "ERROR")]
    return _in_short(_without(address, said[0] if said else "the service did not take it"))


def _in_short(said: str) -> str:
    """The two failures that are most frequent, in a few words."""
    code = re.search(r"error=(\d{3})\b", said)
    return f"HTTP {code[1]}" if code else NO_CONNECTION if "Connection error" in said else said


def _guarded(deliver: Deliver, located: Located) -> Deliver:
    """A name may lead elsewhere than it did when its channel was added: it is looked at each time."""

    def guarded(address: str, message: Message) -> str:
        try:
            outward.check(address, located.settings.alerts.local_hosts)
        except RegistryError as error:
            return str(error)
        return deliver(address, message)

    return guarded


class Sender:
    """What is owed, tried when it is due; each try in a thread of its own, so that a service that hangs holds up no other."""

    def __init__(
        self, engine: sa.Engine, located: Located, *, deliver: Deliver = deliver, try_seconds: float = TRY_SECONDS
    ) -> None:  # fmt: skip
        self._engine, self._located, self._deliver, self._try_seconds = engine, located, deliver, try_seconds
        self._hanging: list[tuple[Due, Future[str]]] = []

    def step(self, now: datetime) -> float:
        """Try what is due; returns the seconds until the next step is worth while. Blocks for as long as a try may take."""
        self._come_back(now)
        due = self._due(now)
        if not due:
            return self._until_next(now)
        tried = [(one, self._start(one)) for one in due]
        wait_for([future for _, future in tried], timeout=self._try_seconds)
        self._hanging += [(one, future) for one, future in tried if not future.done()]
        with writing(self._engine) as conn:
            for one, future in tried:
                owed.note(conn, one, future.result() if future.done() else NO_ANSWER, now)
        return 0.0

    def _due(self, now: datetime) -> list[Due]:
        hanging = {each.id for one, _ in self._hanging for each in one.owed}
        with self._engine.connect() as conn:
            if not owed.is_any(conn, now):
                return []
        with writing(self._engine) as conn:
            owed.drop_needless(conn, now)
            return owed.due(conn, self._located, now, hanging, AT_ONCE)[: max(0, MOST_HANGING - len(self._hanging))]

    def _start(self, one: Due) -> Future[str]:
        future: Future[str] = Future()
        if one.failure:
            future.set_result(one.failure)
        else:
            _begin(future, _guarded(self._deliver, self._located), one.address, one.message)
        return future

    def _come_back(self, now: datetime) -> None:
        """A try that took too long may have arrived all the same; until it is over it is not begun again."""
        over = [(one, future) for one, future in self._hanging if future.done()]
        self._hanging = [(one, future) for one, future in self._hanging if not future.done()]
        if over:
            with writing(self._engine) as conn:
                for one in (one for one, future in over if not future.result()):
                    owed.note(conn, one, "", now)

    def _until_next(self, now: datetime) -> float:
        with self._engine.connect() as conn:
            at = owed.next_after(conn, now)
        return IDLE_SECONDS if at is None else max(0.05, min(IDLE_SECONDS, (at - now).total_seconds()))


def keep_sending(engine: sa.Engine, located: Located, stop: threading.Event) -> None:
    """Step after step until told to stop; a store that is away for a while is asked again later."""
    sender, seconds = Sender(engine, located), 0.0
    while not stop.wait(seconds):
        try:
            seconds = sender.step(datetime.now(UTC))
        except Exception:
            log.exception("what is owed to channels could not be sent; trying again")
            seconds = IDLE_SECONDS


def send_test(engine: sa.Engine, located: Located, channel: str, now: datetime, *, deliver: Deliver = deliver) -> str:
    """Send a line to a channel at once, and note how it went; returns why it failed, empty when it arrived. Blocks.
    Raises `RegistryError` for a channel that is not there."""
    language = located.settings.language
    with engine.connect() as conn:
        found = channels.require(conn, channel)
        address = channels.address_of(conn, channel)
    said = {"hub": located.settings.name, "name": found.name, "time": f"{now.astimezone(located.zone):%Y-%m-%d %H:%M}"}
    message = Message(title=owed.words(language, "test.title", **said), body=owed.words(language, "test.body", **said),
                      level=Level.NOTICE)  # fmt: skip
    future: Future[str] = Future()
    _begin(future, _guarded(deliver, located), address, message)
    wait_for([future], timeout=TRY_SECONDS)
    failure = future.result() if future.done() else NO_ANSWER
    with writing(engine) as conn:
        channels.note_result(conn, channel, now, failure)
    return failure


def _begin(future: Future[str], deliver: Deliver, address: str, message: Message) -> None:
    """Try in a thread of its own, which never holds up the end of the process."""

    def run() -> None:
        try:
            future.set_result(deliver(address, message))
        except Exception as error:
            future.set_result(_without(address, f"{type(error).__name__}: {error}"))

    threading.Thread(target=run, name="sending", daemon=True).start()


def _without(address: str, said: str) -> str:
    """Words without any part of the address that could be a secret."""
    rest = address.partition("://")[2]
    for part in {rest, *(piece for cut in "/@:?&=" for piece in rest.split(cut))}:
        said = said.replace(part, "…") if len(part) > 5 else said
    return said[:200]
