"""One connection to the broker: MQTT v5 through paho, whose callbacks only turn what happens into signals on a queue."""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from contract import topics
from contract.topics import StationTopic
from kiosk.credentials import Credentials, client_context, plain_words

_log = logging.getLogger(__name__)
_TAKEN_OVER = 0x8E  # MQTT v5 §3.14.2.1
_RECEIVING = "failed to receive on socket: "
_CONNECT_SECONDS = 5.0
_FAREWELL_SECONDS = 2.0
_IN_FLIGHT = 100  # more than the outbox, a photo and the replies ever have under way


@dataclass(frozen=True)
class UplinkSettings:
    """Which broker, as whom, and whose signature counts."""

    station: str
    compound: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    ca_file: Path | None = None
    """The certificate authority of the broker; None: no TLS, for loopback only."""
    credentials: Credentials | None = field(default=None, repr=False)
    """By which certificate the broker knows this station; None: by its password."""
    hub_keys: Mapping[str, bytes] = field(default_factory=dict)
    """Key id → raw Ed25519 public key of the hub, several while keys are rotated."""
    hub_certificates: Mapping[str, str] = field(default_factory=dict)
    """Key id → the certificate of such a key, where it has one."""
    roots: tuple[bytes, ...] = ()
    """Raw Ed25519 public keys: where there are any, only what one of them has certified counts."""
    batch: int = 50
    resend_seconds: float = 10
    vitals_seconds: float = 15
    keepalive: int = 10
    backoff_seconds: tuple[float, float] = (1, 30)
    """The shortest and the longest pause before connecting again."""


@dataclass(frozen=True)
class Up:
    """The broker took us in."""


@dataclass(frozen=True)
class Refused:
    """The broker answered and would not have us."""

    code: int
    reason: str


@dataclass(frozen=True)
class Down:
    """The connection has ended."""

    reason: str


@dataclass(frozen=True)
class Delivered:
    """The broker answered a publish; `refusal` is its reason for not having taken it."""

    mid: int
    refusal: str | None


@dataclass(frozen=True)
class Unheard:
    """The broker refused a subscription."""

    refusal: str


@dataclass(frozen=True)
class Arrived:
    """A message from the hub."""

    topic: str
    payload: bytes
    correlation: bytes | None = None


Signal = Up | Refused | Down | Delivered | Unheard | Arrived


class Connection:
    """From opening to the end of one TCP connection; never used again, so that no queue and no will outlives its birth."""

    def __init__(self, settings: UplinkSettings, will: bytes, put: Callable[["Connection", Signal], None]) -> None:
        self._settings, self._put, self._ended = settings, put, threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"station-{settings.station}",
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = _CONNECT_SECONDS
        self._client.max_inflight_messages = _IN_FLIGHT
        if settings.credentials is None:
            self._client.username_pw_set(settings.username, settings.password)
        self._trouble = ""
        self._client.will_set(topics.station(settings.station, StationTopic.PRESENCE), will, qos=1, retain=True)
        self._listen()

    def open(self) -> None:
        """Connect, within seconds; raises `OSError` (TLS errors are such). Whether the broker takes us in comes as a signal."""
        if self._settings.credentials is not None:
            self._client.tls_set_context(self._settings.credentials.context())
        elif self._settings.ca_file is not None:
            self._client.tls_set_context(client_context(self._settings.ca_file))
        self._client.connect(self._settings.host, self._settings.port, self._settings.keepalive, clean_start=True)
        self._client.loop_start()

    def subscribe(self) -> None:
        """Hear the station's own channels and its compound's."""
        wanted = topics.station_subscriptions(self._settings.station, self._settings.compound)
        self._client.subscribe([(pattern, SubscribeOptions(qos=qos)) for pattern, qos in wanted])

    def publish(self, channel: StationTopic, payload: bytes, rest: str = "", correlation: bytes | None = None) -> int:
        """Publish on one of the station's channels; returns the message id that `Delivered` will name."""
        return self._publish(channel, payload, rest, correlation).mid

    def close(self, last_words: bytes | None = None) -> None:
        """End the connection: in order, with a last presence, or as a network failure would, so that the will is sent."""
        if last_words is not None:
            with contextlib.suppress(RuntimeError, ValueError):
                self._publish(StationTopic.PRESENCE, last_words).wait_for_publish(_FAREWELL_SECONDS)
            self._client.disconnect()
            self._ended.wait(_FAREWELL_SECONDS)
        self.kill()
        self._client.loop_stop()

    def kill(self) -> None:
        """Break the socket; the end comes as a signal. From any thread."""
        sock: Any = self._client.socket()
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _publish(
        self, channel: StationTopic, payload: bytes, rest: str = "", correlation: bytes | None = None
    ) -> mqtt.MQTTMessageInfo:
        delivery = topics.DELIVERY[channel]
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if correlation is not None:
            properties.CorrelationData = correlation
        topic = topics.station(self._settings.station, channel, rest)
        return self._client.publish(topic, payload, delivery.qos, delivery.retain, properties)

    def _listen(self) -> None:
        """Each callback makes a signal and no more; what it raises would end paho's thread, so nothing gets out."""
        client = self._client
        client.on_connect = self._safely(lambda c, u, flags, code, p: Refused(code.value, str(code)) if code.is_failure else Up())
        client.on_disconnect = self._safely(lambda c, u, flags, code, p: self._down(code))
        client.on_publish = self._safely(lambda c, u, mid, code, p: Delivered(mid, str(code) if code.is_failure else None))
        client.on_subscribe = self._safely(lambda c, u, mid, codes, p: _unheard(codes))
        client.on_message = self._safely(lambda c, u, message: _arrived(message))
        client.on_log = self._safely(lambda c, u, level, said: self._heed(said))

    def _heed(self, said: str) -> None:
        """With TLS 1.3 a broker refuses a certificate after our part of the handshake; paho tells why in its log alone."""
        if said.startswith(_RECEIVING):
            self._trouble = plain_words(said.removeprefix(_RECEIVING), self._settings.host)

    def _down(self, code: Any) -> Down:
        self._ended.set()
        return Down("another station uses this station's name" if code.value == _TAKEN_OVER else self._trouble or str(code))

    def _safely(self, make: Callable[..., Signal | None]) -> Callable[..., None]:
        def callback(*args: Any) -> None:
            try:
                signal = make(*args)
                if signal is not None:
                    self._put(self, signal)
            except Exception:
                _log.exception("lost something that the broker said")

        return callback


def _unheard(codes: list[Any]) -> Unheard | None:
    refused = [str(code) for code in codes if code.is_failure]
    return Unheard(refused[0]) if refused else None


def _arrived(message: mqtt.MQTTMessage) -> Arrived:
    return Arrived(message.topic, bytes(message.payload), getattr(message.properties, "CorrelationData", None))
