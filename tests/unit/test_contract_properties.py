"""Properties of the contract: every value survives a round trip, and no input ends a decoder in anything but its one error."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, get_args

import base45
import cbor2
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey
from msgspec import inspect

from contract import VERSION, directory, events, messages, opening, passes, sealing, signing, topics
from contract.codec import BadMessage, Message, decoder, encode
from tests.golden import make

KINDS = tuple(messages._decoders)
BODIES = get_args(events.Body)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
TEXT = st.characters(codec="utf-8")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=20)
CBOR = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.integers() | st.text(max_size=4), inner, max_size=6)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
)


# Values of any of the contract's types, from the types themselves.


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Valid values of a type as msgspec sees it."""
    return _of(inspect.type_info(kind))


def _of(info: inspect.Type) -> st.SearchStrategy[Any]:
    return _MAKERS[type(info)](info)


def _text(info: Any) -> st.SearchStrategy[str]:
    low, high = info.min_length or 0, info.max_length
    if info.pattern is None:
        return st.text(TEXT, min_size=low, max_size=min(high or 20, 20))
    exact = st.from_regex(re.compile(info.pattern.replace("$", r"\Z"), re.ASCII))
    return exact.filter(lambda s: low <= len(s) <= (high or len(s)))


def _integer(info: Any) -> st.SearchStrategy[int]:
    return st.integers(-(2**63) if info.ge is None else info.ge, 2**63 - 1 if info.le is None else info.le)


def _real(info: Any) -> st.SearchStrategy[float]:
    return st.floats(info.ge, info.le, allow_nan=False, allow_infinity=False)


def _struct(info: Any) -> st.SearchStrategy[Any]:
    if info.cls is messages.JournalBatch:
        return _batch(info)
    return st.builds(info.cls, **_fields(info))


def _fields(info: Any) -> dict[str, st.SearchStrategy[Any]]:
    return {f.name: st.just(VERSION) if f.name == "v" else _of(f.type) for f in info.fields}


def _batch(info: Any) -> st.SearchStrategy[messages.JournalBatch]:
    raw = st.lists(values(events.Event), min_size=1, max_size=3).map(lambda e: messages.raw_events(tuple(e)))
    return st.builds(info.cls, **{**_fields(info), "events": raw})


_MAKERS: dict[type, Callable[[Any], st.SearchStrategy[Any]]] = {
    inspect.StrType: _text, inspect.IntType: _integer, inspect.FloatType: _real, inspect.StructType: _struct,
    inspect.BoolType: lambda _: st.booleans(), inspect.NoneType: lambda _: st.none(),
    inspect.RawType: lambda _: JSON.map(lambda v: msgspec.Raw(encode(v))), inspect.CustomType: lambda _: JSON,
    inspect.DateTimeType: lambda _: st.datetimes(timezones=st.just(UTC)),
    inspect.EnumType: lambda i: st.sampled_from(list(i.cls)),
    inspect.UnionType: lambda i: st.one_of([_of(t) for t in i.types]),
    inspect.VarTupleType: lambda i: st.lists(_of(i.item_type), max_size=3).map(tuple),
    inspect.TupleType: lambda i: st.tuples(*[_of(t) for t in i.item_types]),
    inspect.DictType: lambda i: st.dictionaries(_of(i.key_type), _of(i.value_type), max_size=3),
}  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, originals: st.SearchStrategy[bytes]) -> bytes:
    """A valid message with bytes flipped, cut out and put in."""
    data = bytearray(draw(originals))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = at + draw(st.integers(0, 8))
        data[at:end] = draw(st.sampled_from([b"", bytes(b ^ 0x20 for b in data[at:end])]) | st.binary(max_size=8))
    return bytes(data)


def anything(kind: Any) -> st.SearchStrategy[bytes]:
    """Bytes that may be anything, JSON of another shape, or nearly a `kind`."""
    return st.binary(max_size=200) | JSON.map(encode) | mutated(values(kind).map(encode))


def ends_well(decode: Callable[..., object], *args: Any, error: type[Exception] = BadMessage, **kwargs: Any) -> None:
    """A value or the decoder's one error: whatever else is raised fails the test."""
    with suppress(error):
        decode(*args, **kwargs)


# Round trips.


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(st.data())
def test_a_message_survives_a_round_trip(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(values(kind))
    assert messages.decode(kind, encode(message)) == message


@pytest.mark.parametrize("kind", BODIES)
@QUICK
@given(st.data())
def test_a_body_survives_a_round_trip(kind: type[Message], data: st.DataObject) -> None:
    body = data.draw(values(kind))
    again = events.decode_body(encode(body))
    assert (type(again), again) == (kind, body)
    assert events.kind_of(again) == msgspec.json.decode(encode(body))["kind"]


@QUICK
@given(values(events.Event))
def test_an_event_survives_a_round_trip(event: events.Event) -> None:
    assert events.decode_event(encode(event)) == event


@pytest.mark.parametrize("kind", [*directory.PARTS.values(), sealing.Personal, sealing.Sealed])
@QUICK
@given(st.data())
def test_a_part_survives_a_round_trip(kind: type[Message], data: st.DataObject) -> None:
    part = data.draw(values(kind))
    assert decoder(kind)(encode(part)) == part


@QUICK
@given(values(directory.Directory), values(events.Instant))
def test_a_directory_survives_being_split_and_assembled(whole: directory.Directory, at: datetime) -> None:
    whole = msgspec.structs.replace(whole, issued_at=at)
    manifest = directory.make_manifest("c1", whole, at)
    assert directory.assemble(manifest, directory.split(whole)) == opening.closed(whole)


@QUICK
@given(values(sealing.Personal))
def test_personal_fields_survive_being_sealed(personal: sealing.Personal) -> None:
    sealed = sealing.seal(personal, "seal-1", make.SEALING.public_key.encode())
    assert sealing.unseal(sealed, bytes(make.SEALING)) == personal


@QUICK
@given(values(messages.Ack), st.integers(1, 2**53))
def test_a_signed_message_survives_a_round_trip(ack: messages.Ack, counter: int) -> None:
    data = signing.sign(ack, typ="ack", audience="station:s1", counter=counter, kid="k1", private=make.PRIVATE["hub"])
    body, found = signing.open_signed(
        data, typ="ack", audience="station:s1", above=counter - 1, keys={"k1": make.public("hub")}
    )  # fmt: skip
    assert (messages.decode(messages.Ack, body), found) == (ack, counter)


@MANY
@given(st.binary(max_size=100))
def test_base64url_survives_a_round_trip(data: bytes) -> None:
    assert sealing.unb64(sealing.b64(data)) == data


SECONDS = st.datetimes(timezones=st.just(UTC)).map(lambda t: t.replace(microsecond=0))
PLAIN = st.characters(min_codepoint=32, exclude_categories=["Cs"])
PASSES = st.builds(
    passes.Pass, id=st.binary(min_size=16, max_size=16).map(bytes.hex), issuer=st.text(PLAIN, max_size=8),
    kind=st.sampled_from(passes.PassKind), not_before=SECONDS, expires=SECONDS,
    compounds=st.lists(st.text(PLAIN, max_size=8), max_size=4).map(tuple), name=st.text(PLAIN, max_size=8),
    dwelling=st.text(PLAIN, max_size=8), plate=st.text(PLAIN, max_size=8), key_id=st.just("p1"),
)  # fmt: skip
PASS_KEYS = {"p1": make.public("p1")}


@MANY
@given(PASSES)
def test_a_pass_survives_a_round_trip(claims: passes.Pass) -> None:
    assert passes.read(passes.issue(claims, "p1", make.PRIVATE["p1"]), PASS_KEYS) == claims


@pytest.mark.parametrize("field", ["name", "dwelling", "plate"])
def test_a_pass_with_control_characters_is_not_issued(field: str) -> None:
    claims = passes.Pass(
        id="00" * 16, issuer="gp", kind=passes.PassKind.RESIDENT, not_before=make.AT, expires=make.AT, compounds=("c1",),
        **{field: "a\x1f"},
    )  # fmt: skip
    with pytest.raises(ValueError, match="plain text"):
        passes.issue(claims, "p1", make.PRIVATE["p1"])


# Any input at all.


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(st.integers().filter(lambda v: v != VERSION))
def test_another_version_is_refused(kind: type[Message], version: int) -> None:
    with pytest.raises(BadMessage, match="is not understood"):
        messages.decode(kind, encode({"v": version}))


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(st.data())
def test_any_bytes_as_a_message(kind: type[Message], data: st.DataObject) -> None:
    ends_well(messages.decode, kind, data.draw(anything(kind)))


@MANY
@given(anything(events.Event))
def test_any_bytes_as_an_event(data: bytes) -> None:
    ends_well(events.decode_event, data)
    ends_well(events.decode_body, data)


@pytest.mark.parametrize("name", directory.PARTS)
@QUICK
@given(st.data())
def test_any_bytes_as_a_part(name: str, data: st.DataObject) -> None:
    part = data.draw(anything(directory.PARTS[name]))
    manifest = directory.Manifest(compound="c1", version=1, issued_at=make.AT, parts={name: directory.hash_part(part)})
    ends_well(directory.assemble, manifest, {name: part})


@QUICK
@given(values(directory.Manifest), st.dictionaries(st.sampled_from([*directory.PARTS, "later"]), st.binary(max_size=20)))
def test_any_parts_for_any_manifest(manifest: directory.Manifest, parts: dict[str, bytes]) -> None:
    ends_well(directory.assemble, manifest, parts)


SIGNED = st.builds(
    lambda ctr: signing.sign(make.ACK, typ="ack", audience="station:s1", counter=ctr, kid="k1", private=make.PRIVATE["hub"]),
    st.integers(1, 9),
)
HUB_KEY = OKPKey.import_key(
    {"kty": "OKP", "crv": "Ed25519", "d": sealing.b64(make.PRIVATE["hub"]), "x": sealing.b64(make.public("hub"))}
)
HEADERS = st.fixed_dictionaries({}, optional={"alg": JSON, "kid": JSON, "crit": JSON, "b64": JSON, "zip": JSON, "typ": JSON})


@MANY
@given(
    st.binary(max_size=200) | mutated(SIGNED) | st.lists(JSON.map(encode).map(sealing.b64)).map(lambda p: ".".join(p).encode())
)
def test_any_bytes_as_a_signed_message(data: bytes) -> None:
    ends_well(signing.open_signed, data, typ="ack", audience="station:s1", above=0, keys={"k1": make.public("hub")})


@MANY
@given(HEADERS, st.binary(max_size=64))
def test_any_header_of_a_signed_message(header: dict[str, object], signature: bytes) -> None:
    data = ".".join([sealing.b64(encode({"kid": "k1", **header})), "e30", sealing.b64(signature)]).encode()
    ends_well(signing.open_signed, data, typ="ack", audience="station:s1", above=0, keys={"k1": make.public("hub")})


@MANY
@given(st.binary(max_size=200) | JSON.map(encode) | mutated(values(signing.Envelope).map(encode)))
def test_any_payload_signed_by_the_hub(payload: bytes) -> None:
    data = jws.serialize_compact({"alg": "Ed25519", "kid": "k1"}, payload, HUB_KEY, algorithms=["Ed25519"]).encode()
    ends_well(signing.open_signed, data, typ="ack", audience="station:s1", above=0, keys={"k1": make.public("hub")})


@QUICK
@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_key_for_a_signed_message(key: bytes, private: bytes) -> None:
    ends_well(signing.open_signed, make.SIGNED_ACK, typ="ack", audience="station:s1", above=0, keys={"hub": key})
    ends_well(sealing.open_bytes, private, key)


@MANY
@given(st.text(), st.binary(max_size=200))
def test_any_box(text: str, data: bytes) -> None:
    ends_well(sealing.unb64, text)
    ends_well(sealing.open_bytes, data, bytes(make.SEALING))
    ends_well(sealing.unseal, sealing.Sealed(key="k", box=text), bytes(make.SEALING))


@MANY
@given(anything(sealing.Personal))
def test_any_bytes_sealed_to_the_hub(data: bytes) -> None:
    box = sealing.b64(sealing.seal_bytes(data, make.SEALING.public_key.encode()))
    ends_well(sealing.unseal, sealing.Sealed(key="k", box=box), bytes(make.SEALING))


NEARLY = st.lists(
    st.sampled_from(["gatepost", "v1", "station", "compound", "s1", *topics.StationTopic, "directory", "", "+", "#"])
)


@MANY
@given(st.text() | NEARLY.map("/".join) | mutated(st.just(b"gatepost/v1/station/s1/blob/ff")).map(lambda b: b.decode("latin-1")))
def test_any_topic(text: str) -> None:
    ends_well(topics.parse, text, error=topics.BadTopic)


@MANY
@given(st.text(), st.text(), st.sampled_from(topics.StationTopic))
def test_any_identifier_in_a_topic(identifier: str, rest: str, channel: topics.StationTopic) -> None:
    ends_well(topics.station, identifier, channel, rest, error=topics.BadTopic)
    ends_well(topics.directory, identifier, rest, error=topics.BadTopic)
    ends_well(topics.movements, identifier, error=topics.BadTopic)


# Tokens: `read` never raises.


def token_of(message: bytes) -> str:
    """What stands in a QR code for any bytes."""
    return passes.PREFIX + base45.b45encode(message).decode()


TOKENS = PASSES.map(lambda p: passes.issue(p, "p1", make.PRIVATE["p1"]))
COSE = st.tuples(st.dictionaries(st.sampled_from([1, 4]), SCALARS).map(cbor2.dumps) | CBOR, CBOR, CBOR, CBOR).map(list)
CLAIMS = st.fixed_dictionaries(
    {1: CBOR, 4: st.integers() | st.floats(), 5: st.integers(), 7: st.binary(min_size=16, max_size=16) | CBOR,
     -65537: st.lists(CBOR, max_size=8) | st.tuples(st.just(1), st.integers(-9, 9), CBOR, CBOR, CBOR, CBOR).map(list)}
)  # fmt: skip
ANY_TOKEN = st.one_of(
    st.text(), st.text().map(passes.PREFIX.__add__), mutated(TOKENS.map(str.encode)).map(lambda b: b.decode("latin-1")),
    st.binary().map(token_of), CBOR.map(cbor2.dumps).map(token_of),
    COSE.map(lambda c: token_of(cbor2.dumps(cbor2.CBORTag(18, c)))),
    mutated(TOKENS.map(lambda t: base45.b45decode(t[4:]))).map(token_of),
    st.binary().map(make.signed_token), CBOR.map(cbor2.dumps).map(make.signed_token),
    CLAIMS.map(cbor2.dumps).map(make.signed_token),
)  # fmt: skip


@settings(MANY, max_examples=400)
@given(ANY_TOKEN)
def test_any_text_as_a_token(token: str) -> None:
    found = passes.read(token, PASS_KEYS)
    if isinstance(found, passes.Rejected):
        assert found.problem in list(passes.Problem)[:5]
    else:
        passes.check(found, make.AT, "c1", (), passes.PassKind)


@QUICK
@given(TOKENS, st.binary(max_size=40))
def test_any_key_for_a_token(token: str, key: bytes) -> None:
    assert isinstance(passes.read(token, {"p1": key}), passes.Rejected)


@MANY
@given(PASSES, st.data())
def test_a_changed_token_is_never_another_pass(claims: passes.Pass, data: st.DataObject) -> None:
    message = base45.b45decode(passes.issue(claims, "p1", make.PRIVATE["p1"])[4:])
    found = passes.read(token_of(data.draw(mutated(st.just(message)))), PASS_KEYS)
    assert found == claims or isinstance(found, passes.Rejected)
