"""Signed envelopes: from whom, for whom, and never an old one again."""

from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from contract import messages
from contract.codec import BadMessage, encode
from contract.sealing import b64
from contract.signing import open_signed, sign
from tests.golden.make import ACK, PRIVATE, public

KEYS = {"hub": public("hub"), "next": public("p2")}
USUAL: dict[str, Any] = {"typ": "ack", "audience": "station:s1", "counter": 5, "kid": "hub", "private": PRIVATE["hub"]}


def signed(**changes: Any) -> bytes:
    """The usual acknowledgement, differently signed."""
    return sign(ACK, **{**USUAL, **changes})


def opened(data: bytes, above: int = 4) -> tuple[bytes, int]:
    """What station s1 makes of it."""
    return open_signed(data, typ="ack", audience="station:s1", above=above, keys=KEYS)


def raw(header: dict[str, Any], payload: bytes, key: Any = None) -> bytes:
    """A JWS of anything."""
    hub = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "d": b64(PRIVATE["hub"]), "x": b64(public("hub"))})
    return jws.serialize_compact(header, payload, key or hub, algorithms=[header["alg"]]).encode()


ENVELOPE = encode({"typ": "ack", "aud": "station:s1", "ctr": 5, "body": ACK})


@pytest.mark.parametrize("key", [("hub", "hub"), ("next", "p2")])
def test_each_known_key_is_enough(key: tuple[str, str]) -> None:
    body, counter = opened(signed(kid=key[0], private=PRIVATE[key[1]]))
    assert (messages.decode(messages.Ack, body), counter) == (ACK, 5)


def test_an_envelope_that_another_program_made_opens() -> None:
    assert opened(raw({"alg": "Ed25519", "kid": "hub"}, ENVELOPE))[1] == 5


head, payload, signature = signed().split(b".")
REFUSED = {
    "another type": (signed(typ="config"), "not for ack/station:s1"),
    "another station": (signed(audience="station:s2"), "not for ack/station:s1"),
    "a compound of the same name": (signed(audience="compound:s1"), "not for ack/station:s1"),
    "the same counter again": (signed(counter=4), "sent again"),
    "an older counter": (signed(counter=3), "sent again"),
    "an unknown key": (signed(kid="other"), "unknown key"),
    "no key id": (raw({"alg": "Ed25519"}, ENVELOPE), "unknown key"),
    "another's key under the hub's name": (signed(private=PRIVATE["p9"]), "forged or damaged"),
    "another payload": (b".".join([head, b64(ENVELOPE.replace(b":5", b":6")).encode(), signature]), "forged or damaged"),
    "no signature": (b".".join([head, payload, b""]), "forged or damaged"),
    "the algorithm none": (b".".join([b64(b'{"alg":"none","kid":"hub"}').encode(), payload, b""]), "not a signed message"),
    "the public key as a secret": (
        raw({"alg": "HS256", "kid": "hub"}, ENVELOPE, OctKey.import_key(public("hub"))), "not a signed message"
    ),
    "plain JSON": (ENVELOPE, "not a signed message"),
    "nothing": (b"", "not a signed message"),
    "a payload that is no envelope": (raw({"alg": "Ed25519", "kid": "hub"}, b"[]"), "Expected `object`"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_all_else_is_refused_with_its_reason(name: str) -> None:
    data, reason = REFUSED[name]
    with pytest.raises(BadMessage, match=reason):
        opened(data)
