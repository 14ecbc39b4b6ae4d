"""Certificates of the hub's keys, signed by a root that stays offline: a compact JWS (RFC 7515, Ed25519 by RFC 9864).

A root signs nothing else, and no message of the hub is ever taken for a certificate: `typ` in the header tells them apart.
"""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError

from contract.codec import BadMessage, Instant, Message, decoder, encode
from contract.events import Identifier, Natural
from contract.sealing import b64
from contract.signing import ALGORITHM, private_key, public_key

TYPE = "gatepost-key"
MAX_CHARACTERS = 2000
GRACE = timedelta(days=30)
"""A station goes on with a key for this long after its certificate has ended, and says so: see docs/decisions/0019-keys.md."""


class KeyUse(StrEnum):
    """What a key of the hub is for: signing passes, signing messages to the stations, opening what they seal."""

    PASSES = "passes"
    MESSAGES = "messages"
    SEALING = "sealing"


class Certificate(Message, frozen=True, kw_only=True):
    """What a root vouches for: that this public key is the hub's, for this use, from when until when."""

    kid: Identifier
    use: KeyUse
    public: str
    """32 bytes, base64url: X25519 for sealing, else Ed25519."""
    not_before: Instant
    not_after: Instant
    """From this moment on it has ended."""
    serial: Natural
    """Rises with each certificate of a root: of two for one key the higher counts."""


class Problem(StrEnum):
    """Why a certificate does not hold, in the order in which it is found out."""

    MISSING = "missing"
    NOT_A_CERTIFICATE = "not_a_certificate"
    WRONG_ROOT = "wrong_root"
    ALTERED = "altered"
    OTHER_KEY = "other_key"
    OTHER_USE = "other_use"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Refused:
    """A certificate that does not hold, with the reason in plain words."""

    problem: Problem
    detail: str


def fingerprint(public: bytes) -> str:
    """Half of a key's SHA-256 in groups, to compare by eye; its hex digits name a root in a certificate's `kid`.

    >>> fingerprint(bytes(32))
    '6668 7aad f862 bd77 6c8f c18b 8e9f 8e20'
    """
    digits = root_id(public)
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def root_id(public: bytes) -> str:
    """The name by which a certificate says which root signed it: 32 hex digits."""
    return hashlib.sha256(public).hexdigest()[:32]


def certify(certificate: Certificate, root: bytes) -> str:
    """The certificate signed by a root, a raw 32-byte Ed25519 private key."""
    public = Ed25519PrivateKey.from_private_bytes(root).public_key().public_bytes_raw()
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": root_id(public)}
    return jws.serialize_compact(header, encode(certificate), private_key(root), algorithms=[ALGORITHM])


def read(token: str, roots: Collection[bytes]) -> Certificate | Refused:
    """What a certificate says, its signature verified with the raw public key of one of `roots`. Never raises."""
    if not token:
        return Refused(Problem.MISSING, "it has no certificate")
    try:
        header = _header(token)
        known = {root_id(root): root for root in roots}
        if header["kid"] not in known:
            return Refused(Problem.WRONG_ROOT, f"its certificate is by root {str(header['kid'])[:40]}, which is not trusted here")
        return _certificate(jws.deserialize_compact(token, public_key(known[header["kid"]]), algorithms=[ALGORITHM]).payload)
    except BadSignatureError:
        return Refused(Problem.ALTERED, "its certificate was altered: the root's signature does not match")
    except (BadMessage, JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return Refused(Problem.NOT_A_CERTIFICATE, f"what it has is no certificate: {str(error)[:200]}")


def check(
    found: Certificate, kid: str, use: KeyUse, public: bytes, at: datetime | None,
    *, grace: timedelta = timedelta(0), clock_synced: bool = True,
) -> Refused | None:  # fmt: skip
    """Whether a certificate is of this key and use, and holds `at`; None when it does.

    `at` None asks for no time. With the clock unsynced `at` is a lower bound: ended still holds, not-yet-valid can't be known.
    """
    if found.kid != kid or found.public != b64(public):
        return Refused(Problem.OTHER_KEY, f"its certificate is of another key, which is also called {found.kid}")
    if found.use is not use:
        return Refused(Problem.OTHER_USE, f"its certificate is for {found.use}, not for {use}")
    if at is not None and clock_synced and at < found.not_before:
        return Refused(Problem.NOT_YET_VALID, f"its certificate begins only {found.not_before:%Y-%m-%d %H:%M}")
    if at is not None and at >= found.not_after + grace:
        return Refused(Problem.EXPIRED, f"its certificate ended {found.not_after:%Y-%m-%d %H:%M}")
    return None


def verify(token: str, kid: str, use: KeyUse, public: bytes, roots: Collection[bytes], at: datetime) -> Certificate | Refused:
    """Both at once: a certificate of this key and use that one of the roots has signed and that holds `at`."""
    found = read(token, roots)
    return found if isinstance(found, Refused) else check(found, kid, use, public, at) or found


def _header(token: str) -> dict[str, Any]:
    if len(token) > MAX_CHARACTERS:
        raise BadMessage("too long")
    header: dict[str, Any] = jws.extract_compact(token.encode()).headers()
    if header.get("typ") != TYPE:
        raise BadMessage(f"of type {str(header.get('typ'))[:40]!r}, not {TYPE!r}")
    return header


_certificate: Callable[[bytes], Certificate] = decoder(Certificate)
