"""hub → station: the settings of each station, retained, so that one that was away has them on its return."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

import msgspec
import sqlalchemy as sa

from contract import topics
from contract.topics import StationTopic
from hub import station_settings
from hub.link import Denied, Outgoing
from hub.registry.cut_offs import cut_offs
from hub.rules.settings_by_place import ConfigState
from hub.signer import Signer
from hub.station_settings import StationConfig
from hub.store.writing import writing

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
AT_ONCE = 50
"""Configurations of one look, so that commands do not wait behind those of a whole sub-district."""


class _Sent(msgspec.Struct, frozen=True):
    """What the broker retains for a station: of which sending, on which connection, since when."""

    sent_at: datetime
    connection: int
    at: float


class ConfigSender:
    """Sends to each station what is wanted of it, when that changes, to a broker met anew, and now and then under a newer key."""

    def __init__(
        self, engine: sa.Engine, signer: Signer, publish: Callable[[list[Outgoing]], None],
        *, sign_again_seconds: float, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._engine, self._signer, self._publish = engine, signer, publish
        self._sign_again_seconds, self._monotonic = sign_again_seconds, monotonic
        self._sent: dict[str, _Sent] = {}
        self._look_at = monotonic()

    def step(self, now: datetime, connection: int) -> None:
        """One look, once a second at most. Raises `LinkDown`, `RegistryError` and what the store raises; then nothing is lost."""
        if self._monotonic() < self._look_at:
            return
        with self._engine.connect() as conn:
            out = cut_offs(conn)
        self._sent = {station: held for station, held in self._sent.items() if station not in out}
        due = [one for one in self._noted(now) if one.station not in out and self._is_due(one, connection)]
        for one in due[:AT_ONCE]:
            self._send(one, connection)
        self._look_at = self._monotonic() + (LOOK_SECONDS if len(due) <= AT_ONCE else 0)

    def _noted(self, now: datetime) -> list[StationConfig]:
        """Every station with what it is to have, which is noted before it is sent."""
        with self._engine.connect() as conn:
            known = station_settings.standing(conn)
        if all(one.state is not ConfigState.WAITING for one in known):
            return known
        with writing(self._engine) as conn:
            log.info("settings of %d stations have changed", station_settings.claim(conn, now))
            return station_settings.standing(conn)

    def _is_due(self, one: StationConfig, connection: int) -> bool:
        if one.sent is None:
            return False
        held = self._sent.get(one.station)
        if held is None or (held.sent_at, held.connection) != (one.sent.sent_at, connection):
            return True
        return self._monotonic() - held.at >= self._sign_again_seconds

    def _send(self, one: StationConfig, connection: int) -> None:
        if one.sent is None:
            return
        how, topic = topics.DELIVERY[StationTopic.CONFIG], topics.station(one.station, StationTopic.CONFIG)
        signed = self._signer.sign(station_settings.message(one.sent), typ="config", audience=f"station:{one.station}")
        try:
            self._publish([Outgoing(topic, signed, how.qos, how.retain)])
        except Denied as error:  # of one station, and no reason to keep anything from the others
            log.warning("settings not sent: %s", error)
        self._sent[one.station] = _Sent(one.sent.sent_at, connection, self._monotonic())
