"""Personal fields sealed to the hub's key: a station can write them and can't read them back (libsodium sealed box)."""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated

import msgspec
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from contract.codec import BadMessage, Message, decoder, encode


class Personal(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What tells who somebody is. Never in the clear in a journal, on the broker or at rest on a station."""

    event: str
    """The id of the event it belongs to, so that it can't be moved to another."""
    name: str | None = None
    phone: str | None = None
    dwelling: str | None = None
    plate: str | None = None
    origin: str | None = None
    """从何处来."""
    purpose: str | None = None
    host: str | None = None
    """到访户."""
    note: str | None = None


class Sealed(Message, frozen=True, kw_only=True):
    """A sealed box: X25519 and XSalsa20-Poly1305 (libsodium `crypto_box_seal`), base64url without padding."""

    key: str
    """The id of the hub's sealing key."""
    box: Annotated[str, msgspec.Meta(max_length=20_000)]


def seal_bytes(data: bytes, public: bytes) -> bytes:
    """Seal raw bytes (a photo) to a 32-byte X25519 public key."""
    return SealedBox(PublicKey(public)).encrypt(data)


def open_bytes(sealed: bytes, private: bytes) -> bytes:
    """Open what `seal_bytes` made; raises `BadMessage` for anything else."""
    try:
        return SealedBox(PrivateKey(private)).decrypt(sealed)
    except (CryptoError, ValueError, TypeError) as error:
        raise BadMessage(f"not sealed to this key: {error}") from None


def seal(personal: Personal, key_id: str, public: bytes) -> Sealed:
    """Seal personal fields to the hub's key named `key_id`."""
    return Sealed(key=key_id, box=b64(seal_bytes(encode(personal), public)))


def unseal(sealed: Sealed, private: bytes) -> Personal:
    """Open sealed personal fields; raises `BadMessage`."""
    return _personal(open_bytes(unb64(sealed.box), private))


def b64(data: bytes) -> str:
    """base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of `b64`; raises `BadMessage`."""
    if "+" in text or "/" in text:  # base64's own, which the library takes besides: nothing is to be said in two ways
        raise BadMessage("not base64url: it has + or / in it")
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError) as error:
        raise BadMessage(f"not base64url: {error}") from None


_personal: Callable[[bytes], Personal] = decoder(Personal)
