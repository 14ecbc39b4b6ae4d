"""The golden vectors and documents under docs/contract: current, decoded to what they say, and valid by the JSON Schema."""

import json
from datetime import datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contract import directory, documents, events, messages, opening, passes, sealing, signing, topics
from contract.codec import Message
from tests.golden import make


def load(name: str) -> Any:
    """A file under docs/contract."""
    return json.loads((make.FOLDER / name).read_bytes())


def named(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Vectors by their names."""
    return {row["name"]: row for row in rows}


MESSAGES = named(load("vectors/messages.json"))
PARTS = named(load("vectors/directory.json"))
EVENTS = {event["body"]["kind"]: event for event in load("vectors/events.json")}
PASSES = {row["claims"]["kind"]: row for row in load("vectors/passes.json")}
REJECTS = {row["problem"]: row["token"] for row in load("vectors/rejects.json")["rejects"]}
GATE = load("vectors/rejects.json")["gate"]
KEYS = load("vectors/keys.json")
OPENING = load("vectors/opening.json")
EXPECTED: dict[str, Message] = {name: body for name, body, _, _ in make.PLAIN} | {
    name: body for name, _, body, _, _ in make.SIGNED
}
SCHEMA = load("schema.json")


def public(*names: str) -> dict[str, bytes]:
    """Public keys as they stand in the file."""
    return {name: sealing.unb64(KEYS["ed25519"][name]["public"]) for name in names}


def valid(kind: str, value: object) -> None:
    """Hold a value against the JSON Schema."""
    Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{kind}"}, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        value
    )


def body_of(row: dict[str, Any]) -> bytes:
    """A vector's payload, out of its envelope when it is signed."""
    payload = row["payload"].encode()
    if "signed" not in row:
        return payload
    how = row["signed"]
    body, counter = signing.open_signed(
        payload, typ=how["typ"], audience=how["aud"], above=how["ctr"] - 1, keys=public(how["kid"])
    )  # fmt: skip
    assert counter == how["ctr"]
    return body


def test_the_files_are_what_the_code_generates() -> None:
    assert make.stale() == [], "run python -m tests.golden.make"


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_decodes_to_what_it_says(name: str) -> None:
    row, wanted = MESSAGES[name], EXPECTED[name]
    assert messages.decode(type(wanted), body_of(row)) == wanted
    assert (row["kind"], row["body"]) == (type(wanted).__name__, make.value(wanted))


@pytest.mark.parametrize("row", [*MESSAGES.values(), *PARTS.values()], ids=lambda row: row["name"])
def test_a_message_stands_under_a_topic_of_ours(row: dict[str, Any]) -> None:
    address = topics.parse(row["topic"])
    own = topics.DELIVERY[topics.StationTopic(address.channel)] if address.scope == "station" else None
    how = own or (topics.MOVEMENTS_DELIVERY if address.channel == "movements" else topics.COMPOUND_DELIVERY)
    assert (row["qos"], row["retain"]) == (how.qos, how.retain)


@pytest.mark.parametrize("event", make.EVENTS, ids=lambda event: events.kind_of(event.body))
def test_an_event_decodes_to_what_it_says(event: events.Event) -> None:
    kind = events.kind_of(event.body)
    assert events.decode_event(json.dumps(EVENTS[kind]).encode()) == event


def test_every_event_of_the_batch_can_be_read() -> None:
    batch = messages.decode(messages.JournalBatch, body_of(MESSAGES["journal"]))
    assert tuple(events.decode_event(bytes(raw)) for raw in batch.events) == make.EVENTS


def test_every_kind_has_its_vector() -> None:
    kinds = {kind.__name__ for kind in messages._decoders}
    assert {row["kind"] for row in MESSAGES.values()} == kinds
    assert set(PARTS) == set(directory.PARTS)
    assert len(EVENTS) == len(events.Body.__args__)
    assert set(PASSES) == set(passes.PassKind)
    assert list(REJECTS) == list(passes.Problem)


def test_the_directory_is_put_together_from_its_vectors() -> None:
    manifest = messages.decode(directory.Manifest, body_of(MESSAGES["manifest"]))
    parts = {name: row["payload"].encode() for name, row in PARTS.items()}
    assert directory.assemble(manifest, parts) == opening.closed(make.DIRECTORY)


def test_what_is_sealed_opens_with_the_badge_and_its_pin_in_the_file() -> None:
    manifest = messages.decode(directory.Manifest, body_of(MESSAGES["manifest"]))
    told = directory.assemble(manifest, {name: row["payload"].encode() for name, row in PARTS.items()})
    badge, compound = OPENING["badge"], OPENING["compound"]
    key = opening.opening_key(badge["pin"], badge["token"])
    assert (sealing.b64(key), opening.public_half(key)) == (badge["opening_private"], badge["opens"])
    content = opening.unwrap(told.openers, compound, badge["id"], key)
    assert (sealing.b64(content), told.openers.key) == (OPENING["content"], OPENING["key"])
    opened = opening.open_parts(told, compound, content)
    assert opened == make.DIRECTORY
    assert {name: make.value(getattr(opened, name)) for name in directory.SEALED} == OPENING["opened"]


def test_what_is_opened_is_valid_by_the_schema() -> None:
    for name, body in OPENING["opened"].items():
        valid(directory.SEALED[name].__name__, body)


def test_the_box_opens_with_the_key_in_the_file() -> None:
    opened = sealing.unseal(sealing.Sealed(key="seal-1", box=KEYS["box"]), sealing.unb64(KEYS["x25519"]["private"]))
    assert (opened, make.value(opened)) == (make.PERSONAL, KEYS["personal"])


@pytest.mark.parametrize("one", make.PASSES, ids=lambda one: one.kind)
def test_a_pass_reads_as_it_says(one: passes.Pass) -> None:
    row = PASSES[one.kind]
    assert passes.read(row["token"], public("p1")) == one
    assert row["claims"]["id"] == one.id


@pytest.mark.parametrize("problem", REJECTS)
def test_a_reject_is_rejected_for_its_reason(problem: str) -> None:
    found = passes.read(REJECTS[problem], public(*GATE["known_keys"]))
    if isinstance(found, passes.Pass):
        kinds = [passes.PassKind(kind) for kind in GATE["kinds"]]
        now = datetime.fromisoformat(GATE["now"])
        found = passes.check(found, now, GATE["compound"], GATE["revoked"], kinds, GATE["clock_synced"])
    assert isinstance(found, passes.Rejected)
    assert found.problem == problem


# The documents.


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert {kind.__name__ for kind in documents.TYPES} <= set(SCHEMA["$defs"])


@pytest.mark.parametrize("row", [*MESSAGES.values(), *PARTS.values()], ids=lambda row: row["name"])
def test_a_message_is_valid_by_the_schema(row: dict[str, Any]) -> None:
    valid(row["kind"], row["body"])
    valid(row["kind"], json.loads(body_of(row)))


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_is_valid_by_the_schema(kind: str) -> None:
    valid("Event", EVENTS[kind])


def test_personal_fields_are_valid_by_the_schema() -> None:
    valid("Personal", KEYS["personal"])


def references(value: Any) -> list[str]:
    """Every `$ref` in a document."""
    if isinstance(value, dict):
        return [v for k, v in value.items() if k == "$ref"] + [r for v in value.values() for r in references(v)]
    return [r for v in value for r in references(v)] if isinstance(value, list) else []


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = load("asyncapi.json")
    for reference in references(document):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_the_asyncapi_document_has_every_channel_and_who_sends_it() -> None:
    document = load("asyncapi.json")
    addresses = {channel["address"] for channel in document["channels"].values()}
    hub = {topic.replace("blob/+", "blob/{sha256}").replace("+", "{station}") for topic, _ in topics.hub_subscriptions()}
    assert hub <= addresses
    assert {name for name, how in document["operations"].items() if how["action"] == "send"} == {
        channel for channel, how in topics.DELIVERY.items() if how.from_station
    }
