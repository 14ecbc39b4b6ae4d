"""The contract for other programs: JSON Schema (2020-12) and AsyncAPI 3.0, made from the types and the topics. Pure."""

from typing import Any

import msgspec

from contract import VERSION, certifying, directory, events, messages, sealing, signing, topics
from contract.codec import Message
from contract.topics import Delivery, StationTopic

MESSAGES: dict[StationTopic, type[Message]] = {
    StationTopic.PRESENCE: messages.Presence, StationTopic.JOURNAL: messages.JournalBatch, StationTopic.VITALS: messages.Vitals,
    StationTopic.REPLY: messages.CommandReply, StationTopic.ACK: messages.Ack, StationTopic.CONFIG: messages.Config,
    StationTopic.COMMAND: messages.Command,
}  # fmt: skip
"""What each channel of a station carries; a blob is bytes."""

TYPES: tuple[type[Message], ...] = (
    *MESSAGES.values(), messages.Movements, events.Event, directory.Manifest, *dict.fromkeys(directory.PARTS.values()),
    *directory.SEALED.values(), signing.Envelope, sealing.Personal, certifying.Certificate,
)  # fmt: skip
_STATION, _COMPOUND, _SHA = "STATION", "COMPOUND", "SHA256"
_PARAMETERS = {
    _STATION: ("station", "The station's id."),
    _COMPOUND: ("compound", "The compound's id."),
    _SHA: ("sha256", "SHA-256 of the sealed photo, hex."),
}


def json_schema() -> dict[str, Any]:
    """One JSON Schema document; each type is under `$defs` by its name."""
    components = _schemas("#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Gatepost contract {VERSION}",
        "$defs": components,
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document, from a station's point of view: it sends what is the station's and receives what is the hub's."""
    channels = _channels()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Gatepost, station and hub", "version": str(VERSION), "description": "MQTT v5; seen from the station."},
        "defaultContentType": "application/json",
        "channels": {name: _channel(topic, kind, how) for name, (topic, kind, how) in channels.items()},
        "operations": {name: _operation(name, kind, how) for name, (_, kind, how) in channels.items()},
        "components": {"schemas": _schemas("#/components/schemas/{name}")},
    }


def _schemas(reference: str) -> dict[str, Any]:
    # The hook is asked about `object` alone: a signed body, which may be anything.
    return msgspec.json.schema_components(TYPES, schema_hook=lambda _: {"description": "Any JSON."}, ref_template=reference)[1]


def _channels() -> dict[str, tuple[str, type[Message] | None, Delivery]]:
    made: dict[str, tuple[str, type[Message] | None, Delivery]] = {}
    for channel, delivery in topics.DELIVERY.items():
        rest = _SHA if channel is StationTopic.BLOB else ""
        made[channel.value] = (topics.station(_STATION, channel, rest), MESSAGES.get(channel), delivery)
    made["movements"] = (topics.movements(_COMPOUND), messages.Movements, topics.MOVEMENTS_DELIVERY)
    parts: dict[str, type[Message]] = {"manifest": directory.Manifest, **directory.PARTS}
    for name, kind in parts.items():
        made[f"directory_{name}"] = (topics.directory(_COMPOUND, name), kind, topics.COMPOUND_DELIVERY)
    return made


def _channel(topic: str, kind: type[Message] | None, delivery: Delivery) -> dict[str, Any]:
    used = {word: named for word, named in _PARAMETERS.items() if word in topic.split("/")}
    address = "/".join(f"{{{used[p][0]}}}" if p in used else p for p in topic.split("/"))
    parameters = {name: {"description": says} for name, says in used.values()}
    return {"address": address, "parameters": parameters, "messages": {_name(kind): _message(kind, _signed(kind, delivery))}}


def _operation(name: str, kind: type[Message] | None, delivery: Delivery) -> dict[str, Any]:
    return {
        "action": "send" if delivery.from_station else "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{_name(kind)}"}],
        "bindings": {"mqtt": {"qos": delivery.qos, "retain": delivery.retain, "bindingVersion": "0.2.0"}},
    }


def _message(kind: type[Message] | None, signed: bool) -> dict[str, Any]:
    if kind is None:
        return {"contentType": "application/octet-stream", "payload": {"description": "A libsodium sealed box."}}
    body = {"$ref": f"#/components/schemas/{kind.__name__}"}
    if not signed:
        return {"contentType": "application/json", "payload": body}
    says = "A compact JWS (RFC 7515) whose payload is an Envelope with this body."
    payload = {"type": "string", "contentMediaType": "application/jose", "description": says}
    return {"contentType": "application/jose", "payload": payload, "x-envelope": _envelope(body)}


def _envelope(body: dict[str, str]) -> dict[str, Any]:
    return {"allOf": [{"$ref": "#/components/schemas/Envelope"}, {"properties": {"body": body}}]}


def _signed(kind: type[Message] | None, delivery: Delivery) -> bool:
    """A part is not signed: the signed manifest names its hash."""
    return not delivery.from_station and kind not in directory.PARTS.values()


def _name(kind: type[Message] | None) -> str:
    return kind.__name__ if kind else "Blob"
