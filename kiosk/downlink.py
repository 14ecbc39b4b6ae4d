"""What the hub tells a station: each message is checked for signature, audience and counter, then handed to whom it concerns."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from contract import topics
from contract.codec import BadMessage
from contract.directory import Directory
from contract.messages import Ack, Command, CommandReply, Config, Movements, decode
from contract.signing import UnknownKey, open_signed
from kiosk.clock import StationClock
from kiosk.connection import Arrived, UplinkSettings
from kiosk.directory_keeper import DirectoryKeeper
from kiosk.hub_keys import HubKeys
from kiosk.inputs import Now
from kiosk.journal import Journal
from kiosk.ranges import fork_point

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listeners:
    """Who is told what. Each is called on the uplink's thread, a command on a thread of its own."""

    on_directory: Callable[[Directory], None]
    on_movements: Callable[[Movements], None]
    on_command: Callable[[Command], CommandReply]
    on_config: Callable[[Config], None]
    on_keys: Callable[[tuple[str, ...]], None] = field(default=lambda complaints: None)
    """What is wrong with the hub's keys, in plain words, whenever that changes; told only to a station that trusts a root."""


@dataclass(frozen=True)
class Reply:
    """The answer to a command, on its way."""

    reply: CommandReply
    correlation: bytes | None


class Downlink:
    """Takes what arrives. A bad message is logged once per channel and changes nothing."""

    def __init__(
        self, journal: Journal, settings: UplinkSettings, listeners: Listeners, answer: Callable[[Reply], None],
        *, clock: Callable[[], Now] | None = None,
    ) -> None:  # fmt: skip
        self._journal, self._settings, self._listeners, self._answer = journal, settings, listeners, answer
        self._directory = DirectoryKeeper(journal, settings.compound, roots=settings.roots)
        self._keys = HubKeys(settings, clock or StationClock().now)
        in_force = self._directory.in_force()
        if in_force is not None:
            self._keys.in_force(in_force)
        self._unopened: bytes | None = None
        """The last manifest that was signed with a key not known here."""
        self._complained: set[str] = set()
        self._wrong: tuple[str, ...] | None = None
        self._own, self._shared = f"station:{settings.station}", f"compound:{settings.compound}"

    def take(self, arrived: Arrived) -> None:
        """Act on a message, whatever it is; never raises."""
        try:
            self._take(topics.parse(arrived.topic), arrived)
        except Exception as error:  # whatever is in it or comes of it, the next message must be heard
            self._complain(arrived.topic, error)
        self.report_keys()

    def report_keys(self) -> None:
        """Tell what is wrong with the hub's keys, if that has changed."""
        wrong = tuple(dict.fromkeys((*self._directory.complaints, *self._keys.complaints())))
        if self._settings.roots and wrong != self._wrong:
            self._wrong = wrong
            self._listeners.on_keys(wrong)

    def _take(self, address: topics.Address, arrived: Arrived) -> None:
        match address.channel:
            case "ack":
                self._take_ack(arrived.payload)
            case "directory":
                self._take_directory(address.rest, arrived.payload)
            case "movements":
                self._listeners.on_movements(decode(Movements, self._open("movements", self._shared, arrived.payload)))
            case "command":
                self._take_command(arrived)
            case "config":
                self._listeners.on_config(decode(Config, self._open("config", self._own, arrived.payload, again=True)))

    def _take_ack(self, payload: bytes) -> None:
        body, counter = self._check("ack", self._own, payload)
        ack = decode(Ack, body)
        if ack.journal != self._journal.id:
            return
        self._journal.acknowledge(ack, keep={_key("ack"): str(counter).encode()})
        at_seq = fork_point(ack, self._journal.last_seq)
        if at_seq is not None:
            aside = self._journal.fork(at_seq)
            _log.warning("the hub holds other events from %d on: a new journal was begun, the old one is %s", at_seq, aside.name)

    def _take_directory(self, part: str, payload: bytes) -> None:
        if part == "manifest":
            self._take_manifest(payload)
            return
        learned = part == "keys" and self._keys.offered(payload)
        self._apply(self._directory.take_part(part, payload))
        if learned and self._unopened is not None:
            self._take_manifest(self._unopened)

    def _take_manifest(self, payload: bytes) -> None:
        """One signed with an unknown key is kept: what a broker retains comes in any order, and the key may be on its way."""
        self._unopened = None
        try:
            body = self._open("manifest", self._shared, payload, again=True)
        except UnknownKey:
            self._unopened = payload
            raise
        self._apply(self._directory.take_manifest(body))

    def _apply(self, directory: Directory | None) -> None:
        if directory is not None:
            self._keys.in_force(directory)
            self._listeners.on_directory(directory)

    def _take_command(self, arrived: Arrived) -> None:
        command = decode(Command, self._open("command", self._own, arrived.payload))
        threading.Thread(target=self._obey, args=(command, arrived.correlation), name="command", daemon=True).start()

    def _obey(self, command: Command, correlation: bytes | None) -> None:
        try:
            reply = self._listeners.on_command(command)
        except Exception as error:  # the hub is to hear that it failed, and how
            _log.exception("command %s failed", command.name)
            reply = CommandReply(id=command.id, ok=False, detail=f"{type(error).__name__}: {error}"[:500])
        self._answer(Reply(reply, correlation))

    def _open(self, typ: str, audience: str, payload: bytes, again: bool = False) -> bytes:
        """The body of a signed message, its counter kept before anything is done, so that nothing is done twice."""
        body, counter = self._check(typ, audience, payload, again)
        if counter > self._counter(typ):
            self._journal.keep(_key(typ), str(counter).encode())
        return body

    def _check(self, typ: str, audience: str, payload: bytes, again: bool = False) -> tuple[bytes, int]:
        """`again`: a retained message comes with every connection, so its own counter is good as well."""
        above = self._counter(typ) - again
        return open_signed(payload, typ=typ, audience=audience, above=above, keys=self._keys.known())

    def _counter(self, typ: str) -> int:
        return int(self._journal.kept(_key(typ)) or b"0")

    def _complain(self, topic: str, error: Exception) -> None:
        kind = f"{topic} {type(error).__name__}"
        if kind not in self._complained:
            self._complained.add(kind)
            _log.warning("ignored a message on %s: %s", topic[:200], error, exc_info=not isinstance(error, BadMessage))


def _key(typ: str) -> str:
    return f"counter:{typ}"
