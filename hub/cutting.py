"""Ends the session of a station that was cut off, and takes away what the broker keeps of it.

In this order: the broker has read its access files, so that neither the station's will nor its return counts; the station's
client id is taken over, which ends its connection; what is retained under its name is cleared. Mosquitto ends no session of its
own when it reads its files again.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import topics
from contract.topics import DELIVERY, StationTopic
from hub import broker
from hub.config import Located
from hub.link import LinkDown, Outgoing, describe, log_in
from hub.registry import access, cut_offs
from hub.store.tables import pulses
from hub.store.writing import writing

log = logging.getLogger(__name__)
ANSWER_SECONDS = 5.0
COMPLAIN_SECONDS = 30.0
OWN_NAME = "hub-cutting"


class CuttingOff:
    """Steps until nothing is left to do; what could not be done is tried again at the next step."""

    def __init__(self, engine: sa.Engine, located: Located, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._located, self._monotonic = engine, located, monotonic
        self._complained = -COMPLAIN_SECONDS

    def step(self, now: datetime) -> None:
        """End what is to be ended. Raises `LinkDown` and what the store raises; then nothing is lost."""
        with self._engine.connect() as conn:
            waiting = [one.station for one in cut_offs.cut_offs(conn).values() if one.ended_at is None]
        if waiting and self._is_known_to_broker():
            for station in waiting:
                self._end(station, now)

    def _is_known_to_broker(self) -> bool:
        """Whether the broker has read the access files as they are now; one that has none is taken to know."""
        if self._located.settings.broker.access is None:
            return True
        with writing(self._engine) as conn:
            topic = broker.mark_topic(access.mark(conn, self._located))
        if visit(self._located, OWN_NAME, [Outgoing(topic, b"", 1, False)]):
            return True
        if self._monotonic() - self._complained >= COMPLAIN_SECONDS:
            self._complained = self._monotonic()
            log.warning("a station is cut off, but the broker has not read its access files again: have it do so (SIGHUP)")
        return False

    def _end(self, station: str, now: datetime) -> None:
        kept = [
            Outgoing(topics.station(station, channel), b"", DELIVERY[channel].qos, True)
            for channel in (StationTopic.PRESENCE, StationTopic.CONFIG)
        ]
        for client_id in (station, f"station-{station}"):  # by its certificate's name, and by the one that it gives itself
            visit(self._located, client_id, kept)
        with writing(self._engine) as conn:
            known = cut_offs.cut_offs(conn).get(station)
            if known is not None:
                cut_offs.put(conn, msgspec.structs.replace(known, ended_at=now))
            conn.execute(sa.update(pulses).where(pulses.c.station == station).values(online=False))
        log.info("station %s is cut off: its session has ended", station)


def end_now(engine: sa.Engine, located: Located, station: str, seconds: float = 10) -> bool:
    """End the session of a station that was cut off, without the scheduler; whether it has ended within `seconds`."""
    cutting, until = CuttingOff(engine, located), time.monotonic() + seconds
    while True:
        try:
            cutting.step(datetime.now(UTC))
        except LinkDown as error:
            log.warning("%s", error)
        with engine.connect() as conn:
            known = cut_offs.cut_offs(conn).get(station)
        if known is None or known.ended_at is not None:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.2)


def visit(located: Located, client_id: str, messages: Sequence[Outgoing], seconds: float = ANSWER_SECONDS) -> bool:
    """Connect as the hub under a client id, which ends whatever connection had it (MQTT v5 §3.1.4), publish, and go.

    Whether the broker took all messages. A connection of its own, since Mosquitto 2.0 ends one that publishes what it may not.
    Raises `LinkDown`.
    """
    settings, changed = located.settings.broker, threading.Condition()
    said: dict[int, bool] = {}
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
    )
    log_in(client, settings, located.folder)

    def note(mid: int, reason: Any) -> None:
        with changed:
            said[mid] = not reason.is_failure
            changed.notify_all()

    client.on_connect = lambda c, u, flags, reason, p: note(0, reason)
    client.on_publish = lambda c, u, mid, reason, p: note(mid, reason)
    try:
        client.connect(settings.host, settings.port)
    except (OSError, ValueError) as error:
        raise LinkDown(f"{describe(settings)}: {error}") from None
    client.loop_start()
    try:
        with changed:
            changed.wait_for(lambda: 0 in said, seconds)
        if not said.get(0):
            raise LinkDown(f"{describe(settings)} does not let the hub in under the client id {client_id}")
        mids = [client.publish(one.topic, one.payload, one.qos, one.retain).mid for one in messages]
        with changed:
            if not changed.wait_for(lambda: said.keys() >= set(mids), seconds):
                raise LinkDown(f"{describe(settings)} did not answer under the client id {client_id}")
        client.disconnect()
    finally:
        client.loop_stop()
    return all(said[mid] for mid in mids)
