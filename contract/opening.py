"""What only a signed-in badge opens: a compound's roster, faces and bookings, unreadable to broker, network and card. Pure.

A *content key* of the compound encrypts each of these parts. It is wrapped, in the small part `openers`, for the opening key of
every badge that may open them; and that key is derived from the badge's token and its PIN, and lies nowhere. So a badge that is
added changes one small part, and one that was revoked is shut out by a new content key.

The same content under the same keys gives the same bytes, so that an unchanged part is not sent again. That is what AES-SIV
(RFC 5297) is made for: it takes no nonce that could be used twice; its vector is a MAC over key, context and content. What
it gives away is whether a part has changed, which who sees it published knows already. The wraps need no secret of their own
either: the sender's half of the key agreement is derived from the content key, so whoever could find it out has what is wrapped.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import structs

from contract.codec import BadMessage, Message, decoder, encode
from contract.directory import SEALED, Directory, Openers, SealedPart, pin_secret
from contract.sealing import b64, unb64

KEY_BYTES = 32
"""Of a content key, and of an opening key's halves."""
_PASSES, _KIB, _LANES = 3, 64 * 1024, 4
"""argon2id as RFC 9106 §4 recommends it where memory is short. A part of the contract: both sides must derive the same key."""
_SIV_BYTES = 64
_DERIVING = b"gatepost opening key"


def opening_key(pin: str, token: str) -> bytes:
    """A badge's raw X25519 private key, from its PIN and token alone; as slow as a PIN's check, on purpose.

    Input and salt are not those of the stored PIN hash, so that this hash tells nothing of the key.
    """
    salt = hashlib.sha256(_DERIVING + token.encode()).digest()[:16]
    secret = f"opens:{pin_secret(pin, token)}".encode()
    return hash_secret_raw(secret, salt, _PASSES, _KIB, _LANES, KEY_BYTES, Type.ID)


def public_half(opening: bytes) -> str:
    """What the hub keeps of an opening key, base64url."""
    return b64(X25519PrivateKey.from_private_bytes(opening).public_key().public_bytes_raw())


def seal_parts(directory: Directory, compound: str, kid: str, content: bytes, members: Mapping[str, str]) -> Directory:
    """The directory with its sealed parts made from what is open in it. `members`: badge id → public half of its opening key.

    Raises `BadMessage` for a public half that is none.
    """
    parts = {name: _sealed(encode(getattr(directory, name)), content, compound, kid, name) for name in SEALED}
    sender = _sender(content)
    openers = Openers(
        key=kid, sender=b64(sender.public_key().public_bytes_raw()),
        wraps={badge: _wrapped(content, sender, opens, compound, kid, badge) for badge, opens in sorted(members.items())},
    )  # fmt: skip
    named: dict[str, Any] = {f"sealed_{name}": part for name, part in parts.items()}
    return structs.replace(directory, openers=openers, opened=True, **named)


def unwrap(openers: Openers, compound: str, badge: str, opening: bytes) -> bytes:
    """The content key by a badge's private opening key. Raises `BadMessage`: another badge, another PIN, altered."""
    if badge not in openers.wraps:
        raise BadMessage("the content key is not wrapped for this badge: its PIN has to be set anew at the hub")
    shared = _agreed(X25519PrivateKey.from_private_bytes(opening), openers.sender)
    context = [b"wrap", openers.key.encode(), badge.encode()]
    return _decrypted(_wrapping(shared, compound), openers.wraps[badge], context, "the wrap")


def open_parts(directory: Directory, compound: str, content: bytes, before: Directory | None = None) -> Directory:
    """The directory with its sealed parts opened. What is the same as in `before`, which was opened, is taken from there.

    Raises `BadMessage` when one is under another key, or altered.
    """
    found: dict[str, Any] = {}
    for name in SEALED:
        part: SealedPart = getattr(directory, f"sealed_{name}")
        if part.key != directory.openers.key:
            raise BadMessage(f"part {name} is sealed under key {part.key!r}, and the wraps are of {directory.openers.key!r}")
        known = before is not None and before.opened and getattr(before, f"sealed_{name}") == part
        found[name] = getattr(before, name) if known else _opened(part, content, compound, name)
    return structs.replace(directory, opened=True, **found)


def closed(directory: Directory) -> Directory:
    """The directory without anything that tells people."""
    return structs.replace(directory, opened=False, **{name: kind() for name, kind in SEALED.items()})


def is_closed(directory: Directory | None) -> bool:
    """Whether there is something to open that is not open."""
    return directory is not None and bool(directory.openers.key) and not directory.opened


def _sealed(data: bytes, content: bytes, compound: str, kid: str, name: str) -> SealedPart:
    box = AESSIV(_part_key(content, name)).encrypt(data, [compound.encode(), kid.encode(), name.encode()])
    return SealedPart(key=kid, box=b64(box))


def _opened(part: SealedPart, content: bytes, compound: str, name: str) -> Message:
    context = [compound.encode(), part.key.encode(), name.encode()]
    opened: Message = _decoders[name](_decrypted(_part_key(content, name), part.box, context, f"part {name}"))
    return opened


def _wrapped(content: bytes, sender: X25519PrivateKey, opens: str, compound: str, kid: str, badge: str) -> str:
    key = _wrapping(_agreed(sender, opens), compound)
    return b64(AESSIV(key).encrypt(content, [b"wrap", kid.encode(), badge.encode()]))


def _decrypted(key: bytes, box: str, context: list[bytes], what: str) -> bytes:
    try:
        return AESSIV(key).decrypt(unb64(box), context)
    except (InvalidTag, ValueError):
        raise BadMessage(f"{what} does not open: it was altered, or sealed under another key, or for another place") from None


def _agreed(private: X25519PrivateKey, public: str) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(unb64(public)))
    except ValueError:
        raise BadMessage("a public key of the wraps is none") from None


def _sender(content: bytes) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(_derived(content, b"gatepost sender of wraps", KEY_BYTES))


def _wrapping(shared: bytes, compound: str) -> bytes:
    return _derived(shared, b"gatepost wrap " + compound.encode(), _SIV_BYTES)


def _part_key(content: bytes, name: str) -> bytes:
    return _derived(content, b"gatepost part " + name.encode(), _SIV_BYTES)


def _derived(secret: bytes, purpose: bytes, size: int) -> bytes:
    """HKDF-SHA256 (RFC 5869)."""
    return HKDF(SHA256(), size, None, purpose).derive(secret)


_decoders: dict[str, Callable[[bytes], Any]] = {name: decoder(kind) for name, kind in SEALED.items()}
