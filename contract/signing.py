"""What the hub sends is signed: a compact JWS (RFC 7515, Ed25519 by RFC 9864) with an audience and a counter that only rises."""

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OKPKey

from contract.codec import BadMessage, Message, decoder, encode
from contract.sealing import b64

ALGORITHM = "Ed25519"


class Envelope(Message, frozen=True, kw_only=True):
    """The signed payload: what, for whom, and which one in the row."""

    typ: str
    """ack, manifest, config, command or movements."""
    aud: str
    """`station:ID` or `compound:ID`."""
    ctr: int
    body: dict[str, object]


class UnknownKey(BadMessage):
    """A message that is signed with a key not known here: it may become known."""


_envelope: Callable[[bytes], Envelope] = decoder(Envelope)


def sign(body: Message, *, typ: str, audience: str, counter: int, kid: str, private: bytes) -> bytes:
    """A compact JWS of a message; `private` is a raw 32-byte Ed25519 key."""
    payload = encode({"typ": typ, "aud": audience, "ctr": counter, "body": body})
    header = {"alg": ALGORITHM, "kid": kid}
    return jws.serialize_compact(header, payload, private_key(private), algorithms=[ALGORITHM]).encode()


def open_signed(data: bytes, *, typ: str, audience: str, above: int, keys: Mapping[str, bytes]) -> tuple[bytes, int]:
    """Check signature, type, audience and counter; returns the body's JSON and the counter. Raises `BadMessage`."""
    envelope = _envelope(_verified(data, keys))
    if envelope.typ != typ or envelope.aud != audience:
        raise BadMessage(f"meant for {envelope.typ[:40]}/{envelope.aud[:80]}, not for {typ}/{audience}")
    if envelope.ctr <= above:
        raise BadMessage(f"counter {envelope.ctr} is not above {above}: an old message sent again")
    return encode(envelope.body), envelope.ctr


def _verified(data: bytes, keys: Mapping[str, bytes]) -> bytes:
    try:
        signed = jws.extract_compact(data)
        kid = signed.headers().get("kid")
        if not isinstance(kid, str) or kid not in keys:
            raise UnknownKey(f"signed with an unknown key: {str(kid)[:40]!r}")
        return jws.deserialize_compact(data, public_key(keys[kid]), algorithms=[ALGORITHM]).payload
    except BadSignatureError:
        raise BadMessage("the signature does not match: forged or damaged") from None
    except UnknownKey:
        raise
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadMessage(f"not a signed message: {error}") from None


def public_key(public: bytes) -> OKPKey:
    """A raw 32-byte Ed25519 public key as joserfc wants it."""
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": b64(public)})


def private_key(private: bytes) -> OKPKey:
    """A raw 32-byte Ed25519 private key as joserfc wants it."""
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "d": b64(private), "x": b64(public)})
