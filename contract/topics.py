"""MQTT topics with their QoS and retain, built and parsed in one place."""

import re
from dataclasses import dataclass
from enum import StrEnum

ROOT = "gatepost/v1"
_SAFE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")


class BadTopic(ValueError):
    """A topic that is none of ours, or an identifier that can't stand in one."""


class StationTopic(StrEnum):
    """The channels under a station's own name."""

    PRESENCE = "presence"
    JOURNAL = "journal"
    BLOB = "blob"
    VITALS = "vitals"
    REPLY = "reply"
    ACK = "ack"
    CONFIG = "config"
    COMMAND = "command"


@dataclass(frozen=True)
class Delivery:
    """How a channel is published."""

    qos: int
    retain: bool
    from_station: bool


DELIVERY = {
    StationTopic.PRESENCE: Delivery(1, True, True),
    StationTopic.JOURNAL: Delivery(1, False, True),
    StationTopic.BLOB: Delivery(1, False, True),
    StationTopic.VITALS: Delivery(0, False, True),
    StationTopic.REPLY: Delivery(1, False, True),
    StationTopic.ACK: Delivery(1, False, False),
    StationTopic.CONFIG: Delivery(1, True, False),
    StationTopic.COMMAND: Delivery(1, False, False),
}
COMPOUND_DELIVERY = Delivery(1, True, False)
MOVEMENTS_DELIVERY = Delivery(1, False, False)


@dataclass(frozen=True)
class Address:
    """A parsed topic: whose it is, which channel, and the rest (a blob's hash, a directory part's name)."""

    scope: str
    """station or compound."""
    id: str
    channel: str
    rest: str = ""


def station(station_id: str, channel: StationTopic, rest: str = "") -> str:
    """The topic of a station's channel; `rest` is a blob's SHA-256."""
    return "/".join([ROOT, "station", _safe(station_id), channel.value, *([_safe(rest)] if rest else [])])


def directory(compound_id: str, part: str) -> str:
    """The retained topic of a directory's manifest (`manifest`) or of one of its parts."""
    return f"{ROOT}/compound/{_safe(compound_id)}/directory/{_safe(part)}"


def movements(compound_id: str) -> str:
    """Who went in or out at the compound's other gates."""
    return f"{ROOT}/compound/{_safe(compound_id)}/movements"


def hub_subscriptions() -> list[tuple[str, int]]:
    """(topic filter, QoS) of everything the hub hears."""
    filters = []
    for channel, delivery in DELIVERY.items():
        if delivery.from_station:
            suffix = "/+" if channel is StationTopic.BLOB else ""
            filters.append((f"{ROOT}/station/+/{channel.value}{suffix}", delivery.qos))
    return filters


def station_subscriptions(station_id: str, compound_id: str) -> list[tuple[str, int]]:
    """(topic filter, QoS) of everything one station hears: its own channels and its compound."""
    own = [(station(station_id, c), d.qos) for c, d in DELIVERY.items() if not d.from_station]
    return [*own, (f"{ROOT}/compound/{_safe(compound_id)}/directory/+", 1), (movements(compound_id), 1)]


def parse(topic: str) -> Address:
    """Take a topic apart; raises `BadTopic`."""
    parts = topic.split("/")
    if "/".join(parts[:2]) != ROOT or len(parts) not in (5, 6) or not all(_SAFE.match(p) for p in parts[3:]):
        raise BadTopic(f"not a topic of {ROOT}: {topic[:200]!r}")
    address = Address(scope=parts[2], id=parts[3], channel=parts[4], rest=parts[5] if len(parts) == 6 else "")
    if not _known(address):
        raise BadTopic(f"unknown channel in topic: {topic[:200]!r}")
    return address


def _known(address: Address) -> bool:
    if address.scope == "station":
        return address.channel in set(StationTopic) and bool(address.rest) == (address.channel == StationTopic.BLOB)
    if address.scope == "compound":
        return (address.channel == "directory" and bool(address.rest)) or (address.channel == "movements" and not address.rest)
    return False


def _safe(identifier: str) -> str:
    if not _SAFE.match(identifier):
        raise BadTopic(f"can't stand in a topic: {identifier[:80]!r} (letters, digits, _ and -, 64 at most)")
    return identifier
