"""The ingest's ears: an MQTT v5 session that outlives its connections, and a bounded queue. Callbacks only enqueue or note."""

import logging
import queue
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from contract import topics
from hub.config import Broker
from hub.intake import Received
from hub.link import log_in
from hub.rules.compliance import Value

log = logging.getLogger(__name__)

SESSION_SECONDS = 7 * 24 * 3600
KEEPALIVE_SECONDS = 10
"""A broker that doesn't even answer a ping is given up after twice this: till then the hub is deaf and doesn't know it."""
QUEUE_LIMIT = 5000
"""Messages waiting here; what comes on top is left with the broker, which sends it again on the next connection."""


class Heard(Value, frozen=True, kw_only=True):
    """A message, and what is needed to acknowledge it to the broker."""

    received: Received
    mid: int
    qos: int
    connection: int


class Listener:
    """Hears everything the stations send. `connected` means: the subscriptions stand."""

    def __init__(
        self, broker: Broker, client_id: str, now: Callable[[], datetime], limit: int = QUEUE_LIMIT, *, folder: Path = Path()
    ) -> None:
        """`folder`: where `ca_file` is taken from."""
        self.connected, self.lost_at = False, now()
        self._broker, self._now, self._limit = broker, now, limit
        self._queue: queue.Queue[Heard] = queue.Queue()
        self._connection, self._left_out = 0, False
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True
        )
        log_in(self._client, broker, folder)
        self._client.reconnect_delay_set(1, 10)
        self._client.on_connect, self._client.on_subscribe = self._on_connect, self._on_subscribe
        self._client.on_disconnect, self._client.on_message = self._on_disconnect, self._on_message

    def start(self) -> None:
        """Begin to connect; returns at once, and keeps trying until `stop`."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval, properties.ReceiveMaximum = SESSION_SECONDS, 1000
        host, port = self._broker.host, self._broker.port
        self._client.connect_async(host, port, KEEPALIVE_SECONDS, clean_start=False, properties=properties)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect; the session stays with the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def gather(self, count: int, seconds: float, patience: float) -> list[Heard]:
        """Up to `count` messages that come within `seconds` of the first, which is waited for `patience` seconds."""
        heard: list[Heard] = []
        until = time.monotonic() + patience
        while len(heard) < count:
            try:
                heard.append(self._queue.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
            until = min(until, time.monotonic() + seconds) if len(heard) > 1 else time.monotonic() + seconds
        return heard

    def acknowledge(self, heard: Heard) -> None:
        """Tell the broker that a message is kept; one of an earlier connection will come again and be acknowledged then."""
        if heard.qos and heard.connection == self._connection:
            self._client.ack(heard.mid, heard.qos)

    def publish(self, topic: str, payload: bytes) -> bool:
        """Send at QoS 1; False when there is no connection."""
        return self.connected and self._client.publish(topic, payload, qos=1).rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    def catch_up(self) -> None:
        """Connect anew when messages were left with the broker and there is room for them now."""
        if self._left_out and self._queue.empty():
            log.warning("more came than could be queued: connecting anew for what was left with the broker")
            self._left_out, self.connected, self.lost_at = False, False, self._now()
            self._client.loop_stop()
            self.start()

    def _on_connect(self, client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            log.error("the broker refuses the hub: %s", reason)
            return
        self._connection += 1
        client.subscribe([(name, SubscribeOptions(qos=qos)) for name, qos in topics.hub_subscriptions()])

    def _on_subscribe(self, client: Client, data: Any, mid: int, reasons: Any, properties: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            log.error("the broker refuses the hub's subscriptions: %s", ", ".join(refused))
        self.connected = not refused

    def _on_disconnect(self, client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if self.connected:
            self.lost_at, self.connected = self._now(), False

    def _on_message(self, client: Client, data: Any, message: MQTTMessage) -> None:
        try:
            self._enqueue(message)
        except Exception:  # an exception here would end paho's thread while it still says it is connected
            log.exception("a message could not be queued")

    def _enqueue(self, message: MQTTMessage) -> None:
        if self._queue.qsize() >= self._limit:
            self._left_out = self._left_out or message.qos > 0
            return
        topic = message._topic.decode("utf-8", "replace")  # its property raises for what is not UTF-8
        received = Received(topic=topic, payload=bytes(message.payload), at=self._now(), retained=message.retain)
        self._queue.put(Heard(received=received, mid=message.mid, qos=message.qos, connection=self._connection))
