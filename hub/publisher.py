"""hub → stations: each compound's directory, retained; what went on at a compound's other gates; commands and settings."""

import logging
import math
import time
from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa

from contract import topics
from contract.codec import Message
from contract.directory import SEALED, PartHash, make_manifest, split
from contract.messages import Command, CommandName
from contract.topics import StationTopic
from hub import orders
from hub.config import Located
from hub.configuring import ConfigSender
from hub.cutting import CuttingOff
from hub.link import Denied, Link, LinkDown, Outgoing
from hub.movements import MovementCursor, by_compound, visits
from hub.registry import directory, key_lives, notices, versions
from hub.registry.errors import RegistryError
from hub.rules.ordering import LIVES, Order
from hub.signer import Signer
from hub.store.writing import writing

log = logging.getLogger(__name__)
POLL_SECONDS = 0.3
SIGN_AGAIN_SECONDS = 3600.0
TRY_AGAIN_SECONDS = 2.0
MOVEMENT_EXPIRY_SECONDS = 3600


class _Sent(msgspec.Struct, frozen=True):
    """What the broker has of a compound: which version, on which connection, since when, and for which local day."""

    version: int
    connection: int
    at: float
    day: str
    parts: dict[str, PartHash]
    """What it retains: a part that did not change is not sent again, since faces are large."""


class Publisher:
    """Publishes what changed. `step` is one look; `hub.scheduler` takes one every `POLL_SECONDS`."""

    def __init__(
        self, engine: sa.Engine, located: Located, signer: Signer, *, sign_again_seconds: float = SIGN_AGAIN_SECONDS
    ) -> None:
        self._engine, self._located, self._signer = engine, located, signer
        self._sign_again_seconds = sign_again_seconds
        self._link = Link(located, "hub-directory")
        self._configs = ConfigSender(engine, signer, self._link.publish, sign_again_seconds=sign_again_seconds)
        self._cutting = CuttingOff(engine, located)
        self._sent: dict[str, _Sent] = {}
        self._movements = MovementCursor(datetime.now(UTC))
        self._signed: dict[str, bytes] = {}

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._link.start()

    def stop(self) -> None:
        """Disconnect."""
        self._link.stop()

    def step(self, now: datetime) -> float:
        """Publish what is due; returns the seconds to wait before the next. Never raises for what broker or store do."""
        if not self._link.connected:
            return POLL_SECONDS
        try:
            self._cutting.step(now)
            self._send_orders(now)
            self._configs.step(now, self._link.connections)
            self._turn_notices(now)
            told = self._told_of_keys()
            for compound, version in self._due(now):
                self._publish_directory(compound, version, now)
            self._keys_are_told(told, now)
            self._publish_movements(now)
        except (LinkDown, Denied, RegistryError, sa.exc.OperationalError) as error:
            log.warning("not published, trying again: %s", error)
            return TRY_AGAIN_SECONDS
        return POLL_SECONDS

    def _turn_notices(self, now: datetime) -> None:
        """Raise the versions of the compounds where a notice has begun or ended by time."""
        with self._engine.connect() as conn:
            due = notices.is_due(conn, now)
        if due:
            with writing(self._engine) as conn:
                notices.turn(conn, now)

    def _told_of_keys(self) -> list[str]:
        """The new keys that wait to be told: looked for before what is due is, so that it is due with them."""
        with self._engine.connect() as conn:
            return key_lives.waiting_for_stations(conn)

    def _keys_are_told(self, kids: list[str], now: datetime) -> None:
        """Every compound's directory is out: the time after which they are used begins."""
        if kids:
            with writing(self._engine) as conn:
                key_lives.published(conn, kids, now, self._located.overlap)

    def _due(self, now: datetime) -> list[tuple[str, int]]:
        with self._engine.connect() as conn:
            known = versions.versions(conn)
        return [(compound, version) for compound, version in known.items() if self._is_due(compound, version, now)]

    def _is_due(self, compound: str, version: int, now: datetime) -> bool:
        sent = self._sent.get(compound)
        if sent is None or (sent.version, sent.connection, sent.day) != (version, self._link.connections, self._day(now)):
            return True
        return time.monotonic() - sent.at >= self._sign_again_seconds

    def _publish_directory(self, compound: str, version: int, now: datetime) -> None:
        """The parts first, then the manifest that names them, so that a station which has the manifest can have the parts."""
        connection, began = self._link.connections, time.monotonic()
        with self._engine.begin() as conn:
            built = directory.build(conn, self._located, compound, now)
        manifest, how = make_manifest(compound, built, now), topics.COMPOUND_DELIVERY
        retained = self._retained(compound, connection)
        fresh = {name: data for name, data in split(built).items() if retained.get(name) != manifest.parts[name]}
        self._sent.pop(compound, None)  # until all of it is there, nobody knows what the broker holds
        if not retained:
            self._forget_plain(compound)
        self._link.publish([Outgoing(topics.directory(compound, name), fresh[name], how.qos, how.retain) for name in fresh])
        signed = self._sign(manifest, "manifest", compound)
        self._link.publish([Outgoing(topics.directory(compound, "manifest"), signed, how.qos, how.retain)])
        self._sent[compound] = _Sent(built.version, connection, began, self._day(now), manifest.parts)
        log.info("directory of %s: version %d published", compound, built.version)

    def _forget_plain(self, compound: str) -> None:
        """What an earlier version of the hub published in the clear, the broker is to keep no longer."""
        how = topics.COMPOUND_DELIVERY
        self._link.publish([Outgoing(topics.directory(compound, name), b"", how.qos, how.retain) for name in SEALED])

    def _retained(self, compound: str, connection: int) -> dict[str, PartHash]:
        """What the broker holds of a compound; a broker met anew may have forgotten everything."""
        sent = self._sent.get(compound)
        return sent.parts if sent is not None and sent.connection == connection else {}

    def _publish_movements(self, now: datetime) -> None:
        with self._engine.connect() as conn:
            rows = self._movements.find(conn)
            begun = visits(conn, rows)
        how = topics.MOVEMENTS_DELIVERY
        for one in by_compound(rows, now, begun):
            signed = self._sign(one, "movements", one.compound)
            message = Outgoing(topics.movements(one.compound), signed, how.qos, how.retain, MOVEMENT_EXPIRY_SECONDS)
            self._link.publish([message])
        self._movements.mark(rows, now)

    def _send_orders(self, now: datetime) -> None:
        with self._engine.connect() as conn:
            due = orders.due(conn, now)
        self._signed = {one.id: self._signed.get(one.id) or self._command(one) for one in due}
        for one in due:
            try:
                self._send_order(one, now)
            except Denied as error:  # of one station, and no reason to keep anything from the others
                log.warning("command %s not sent: %s", one.what, error)

    def _send_order(self, one: Order, now: datetime) -> None:
        """What is sent again is the same to the byte, so that a station which has it already takes it for old."""
        how, left = topics.DELIVERY[StationTopic.COMMAND], math.ceil((one.made_at + LIVES - now).total_seconds())
        topic = topics.station(one.station, StationTopic.COMMAND)
        self._link.publish([Outgoing(topic, self._signed[one.id], how.qos, how.retain, max(left, 1))])
        with writing(self._engine) as conn:
            orders.sent(conn, one.id, now)

    def _command(self, one: Order) -> bytes:
        body = Command(id=one.id, name=CommandName(one.what), argument=one.argument)
        return self._signer.sign(body, typ="command", audience=f"station:{one.station}")

    def _sign(self, body: Message, typ: str, compound: str) -> bytes:
        return self._signer.sign(body, typ=typ, audience=f"compound:{compound}")

    def _day(self, now: datetime) -> str:
        return now.astimezone(self._located.zone).date().isoformat()
