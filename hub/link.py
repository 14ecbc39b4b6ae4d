"""The scheduler's connection to the broker: a publish is done when its v5 reason code says success, and not before."""

import logging
import ssl
import threading
from pathlib import Path
from typing import Any

import msgspec
from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from contract.settings import BadSettings
from hub.config import Broker, Located

log = logging.getLogger(__name__)
_BAD_LOGIN = (0x86, 0x87)
"""Bad user name or password, not authorized (MQTT 5, 3.2.2.2)."""


class LinkDown(RuntimeError):
    """The broker is not reached, or did not answer in time."""


class Denied(RuntimeError):
    """The broker answered, and did not take a message."""


class Outgoing(msgspec.Struct, frozen=True):
    """One message to publish."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    expiry_seconds: int | None = None


class Link:
    """Connects in the background and for ever; `publish`, for one thread, waits for the broker's word."""

    def __init__(self, located: Located, client_id: str, answer_seconds: float = 10) -> None:
        self._settings, self._folder, self._answer_seconds = located.settings.broker, located.folder, answer_seconds
        self._changed = threading.Condition()
        self._reasons: dict[int, ReasonCode] = {}
        self.connections = 0
        """How many times it has connected: a new one means that the broker may have forgotten everything."""
        self._client = self._make_client(client_id)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._client.connect_async(self._settings.host, self._settings.port, keepalive=15)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and end its thread."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in."""
        return self._client.is_connected()

    def publish(self, messages: list[Outgoing]) -> None:
        """Publish and wait until the broker has taken all of them. Raises `LinkDown` or `Denied`."""
        self._reasons.clear()  # a late answer to an earlier message, which must not pass for one to these
        sent = [(message, self._send(message)) for message in messages]
        wanted = {info.mid for message, info in sent if message.qos}
        with self._changed:
            done = self._changed.wait_for(lambda: wanted <= self._reasons.keys() or not self.connected, self._answer_seconds)
            reasons = {mid: self._reasons.pop(mid) for mid in wanted & self._reasons.keys()}
        if not done or len(reasons) < len(wanted):
            raise LinkDown(f"{describe(self._settings)} did not answer to {len(wanted) - len(reasons)} messages")
        for message, info in sent:
            if info.mid in reasons and reasons[info.mid].is_failure:
                raise Denied(f"{describe(self._settings)} did not take {message.topic}: {reasons[info.mid]}; see its ACL")

    def _send(self, message: Outgoing) -> MQTTMessageInfo:
        if not self.connected:
            raise LinkDown(f"{describe(self._settings)} is not connected")
        properties = None
        if message.expiry_seconds is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = message.expiry_seconds
        info = self._client.publish(message.topic, message.payload, message.qos, message.retain, properties)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkDown(f"{describe(self._settings)}: {info.rc.name}")
        return info

    def _make_client(self, client_id: str) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5)
        log_in(client, self._settings, self._folder)
        client.reconnect_delay_set(1, 15)
        client.on_connect, client.on_disconnect, client.on_publish = self._on_connect, self._on_disconnect, self._on_publish
        return client

    def _on_connect(self, client: Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            if reason.is_failure:
                log.error("%s", refusal(self._settings, reason))
            else:
                self._reasons.clear()
                self.connections += 1
            self._changed.notify_all()

    def _on_disconnect(self, client: Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            self._changed.notify_all()

    def _on_publish(self, client: Client, data: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            self._reasons[mid] = reason
            self._changed.notify_all()


def log_in(client: Client, settings: Broker, folder: Path) -> None:
    """Give a client the hub's name and password and, with `ca_file`, TLS 1.3 with the broker's name checked."""
    client.username_pw_set(settings.username, settings.password or None)
    if settings.ca_file is None:
        return
    path = folder / settings.ca_file
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(path))
    except OSError as error:
        raise BadSettings(f"{path} (broker.ca_file), the broker's authority, can't be read: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    client.tls_set_context(context)


def describe(settings: Broker) -> str:
    """The broker in words."""
    return f"the broker at {settings.host}:{settings.port}"


def refusal(settings: Broker, reason: ReasonCode) -> str:
    """Why the broker let nobody in, and which key to look at."""
    if reason.value in _BAD_LOGIN:
        return f"{describe(settings)} refused user {settings.username!r}: wrong name or password; see broker.password in hub.toml"
    return f"{describe(settings)} refused the connection: {reason}"
