"""A pass: `GP1:` + base45( COSE_Sign1( CWT claims ) ), Ed25519. RFC 9285, 9052, 8392. Verified with no network.

The checks run in a fixed order, and each failure is its own reason: prefix, base45, CBOR, key, signature, claims (`read`);
validity, compound, revoked, kind (`check`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import base45
import cbor2
import cwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.plain_cbor import is_plain

PREFIX = "GP1:"
MAX_CHARACTERS = 2000
_ALPHABET = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
"""RFC 9285. The space is one of them: a token must never be stripped."""
_ISS, _EXP, _NBF, _CTI, _PRIVATE = 1, 4, 5, 7, -65537
_KID = 4
_SIGN1 = b"\xd2"
"""The tag 18 of a COSE_Sign1 message (RFC 9052)."""
_FORMAT = 1


class PassKind(StrEnum):
    """What a pass is for; its place here is its number in the token."""

    RESIDENT = "resident"
    VISITOR = "visitor"
    WORKER = "worker"
    VEHICLE = "vehicle"
    VOLUNTEER = "volunteer"
    SUPERVISOR = "supervisor"
    ENROLMENT = "enrolment"


_KINDS = tuple(PassKind)
BADGES = frozenset({PassKind.VOLUNTEER, PassKind.SUPERVISOR})


class Problem(StrEnum):
    """Why a token is no pass for this gate, in the order in which it is found out."""

    NOT_A_PASS = "not_a_pass"
    DAMAGED = "damaged"
    UNKNOWN_KEY = "unknown_key"
    FORGED = "forged"
    BAD_CLAIMS = "bad_claims"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    OTHER_COMPOUND = "other_compound"
    REVOKED = "revoked"
    WRONG_KIND = "wrong_kind"


@dataclass(frozen=True)
class Pass:
    """What a pass says of its holder. What changes (colour, isolating, revoked) is the directory's."""

    id: str
    """`cti`: 16 bytes as 32 hex digits."""
    issuer: str
    kind: PassKind
    not_before: datetime
    expires: datetime
    compounds: tuple[str, ...]
    name: str = ""
    """Masked: 王*明."""
    dwelling: str = ""
    plate: str = ""
    key_id: str = ""
    """The key that signed it; filled in by `read`."""


@dataclass(frozen=True)
class Rejected:
    """A token that is no pass, with the reason and where it was found out."""

    problem: Problem
    detail: str


def issue(claims: Pass, kid: str, private: bytes) -> str:
    """Sign a pass with a raw 32-byte Ed25519 key; the QR code's text. Raises `ValueError` for a bad id or control characters."""
    cti = bytes.fromhex(claims.id)
    if len(cti) != 16:
        raise ValueError(f"a pass id has 16 bytes, this one {len(cti)}")
    for text in (claims.issuer, *claims.compounds, claims.name, claims.dwelling, claims.plate):
        _text(text)
    payload = {
        _ISS: claims.issuer, _EXP: int(claims.expires.timestamp()), _NBF: int(claims.not_before.timestamp()), _CTI: cti,
        _PRIVATE: [_FORMAT, _KINDS.index(claims.kind), list(claims.compounds), claims.name, claims.dwelling, claims.plate],
    }  # fmt: skip
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    key = cwt.COSEKey.new({1: 1, 2: kid.encode(), 3: -8, -1: 6, -2: public, -4: private})
    cose = cwt.COSE.new(alg_auto_inclusion=True, kid_auto_inclusion=True)
    token: str = base45.b45encode(cose.encode(cbor2.dumps(payload), key)).decode()
    return PREFIX + token


def beginning(kid: str) -> str:
    """What every token signed with a key begins with, up to the last whole pair of bytes of its id: to count them unread."""
    head = b"\xd2\x84" + cbor2.dumps(cbor2.dumps({1: -8})) + b"\xa1\x04" + cbor2.dumps(kid.encode())
    encoded: bytes = base45.b45encode(head[: len(head) // 2 * 2])
    return PREFIX + encoded.decode()


def read(token: str, keys: Mapping[str, bytes]) -> Pass | Rejected:
    """Decode and verify a token against every public key at hand (kid → 32 raw bytes). Never raises."""
    if not token.startswith(PREFIX) or len(token) > MAX_CHARACTERS:
        return Rejected(Problem.NOT_A_PASS, "does not begin with GP1:" if len(token) <= MAX_CHARACTERS else "too long")
    if not _ALPHABET.issuperset(token):
        return Rejected(Problem.DAMAGED, "base45: characters that no pass has")
    try:
        message = base45.b45decode(token[len(PREFIX) :])
    except (ValueError, OverflowError) as error:
        return Rejected(Problem.DAMAGED, f"base45: {error}")
    kid = _kid_of(message)
    if isinstance(kid, Rejected):
        return kid
    if kid not in keys:
        return Rejected(Problem.UNKNOWN_KEY, f"signed with key {kid[:40]!r}, which is not known here")
    return _verified(message, kid, keys[kid])


def check(
    claims: Pass,
    now: datetime,
    compound: str,
    revoked: Collection[str],
    kinds: Collection[PassKind],
    clock_synced: bool = True,
) -> Rejected | None:
    """The checks that depend on gate, time and directory; None when all are passed.

    With the clock unsynced `now` is a lower bound of the time: expired still holds, not-yet-valid can't be known.
    """
    if now >= claims.expires:
        return Rejected(Problem.EXPIRED, f"expired {claims.expires:%Y-%m-%d %H:%M}")
    if clock_synced and now < claims.not_before:
        return Rejected(Problem.NOT_YET_VALID, f"valid from {claims.not_before:%Y-%m-%d %H:%M}")
    if compound not in claims.compounds:
        return Rejected(Problem.OTHER_COMPOUND, f"for {', '.join(claims.compounds)[:80]}, not for {compound}")
    if claims.id in revoked:
        return Rejected(Problem.REVOKED, "revoked")
    if claims.kind not in kinds:
        return Rejected(Problem.WRONG_KIND, f"a {claims.kind} pass")
    return None


def _kid_of(message: bytes) -> str | Rejected:
    try:
        protected, unprotected, _, _ = _plain(message.removeprefix(_SIGN1))
        headers = {**unprotected, **(_plain(protected) if protected else {})}
        kid = headers[_KID]
        if not message.startswith(_SIGN1) or not isinstance(kid, bytes):
            return Rejected(Problem.DAMAGED, "CBOR: not a COSE_Sign1 message with the id of a key")
        return str(kid, "ascii")
    except Exception as error:  # hostile bytes: whatever of them is not as it should be
        return Rejected(Problem.DAMAGED, f"CBOR: {type(error).__name__}")


def _plain(data: bytes) -> Any:
    if not is_plain(data):
        raise ValueError("not CBOR of the plain kinds")
    return cbor2.loads(data)


def _verified(message: bytes, kid: str, public: bytes) -> Pass | Rejected:
    try:
        key = cwt.COSEKey.new({1: 1, 2: kid.encode(), 3: -8, -1: 6, -2: public})
        payload = cwt.COSE.new().decode(message, key)
    except Exception as error:  # whatever keeps the signature from being verified, the token is not ours
        return Rejected(Problem.FORGED, f"the signature does not match ({type(error).__name__})")
    try:
        return _claims(_plain(payload), kid)
    except Exception as error:  # signed by us, yet not understood: a later format
        return Rejected(Problem.BAD_CLAIMS, f"{type(error).__name__}: {error}"[:200])


def _claims(payload: dict[int, Any], kid: str) -> Pass:
    form, kind, compounds, name, dwelling, plate = payload[_PRIVATE][:6]
    if form != _FORMAT:
        raise ValueError(f"pass format {form!r} is not understood")
    return Pass(
        id=_cti(payload[_CTI]), issuer=_text(payload[_ISS]), kind=_kind(kind),
        not_before=datetime.fromtimestamp(payload[_NBF], UTC), expires=datetime.fromtimestamp(payload[_EXP], UTC),
        compounds=_compounds(compounds), name=_text(name), dwelling=_text(dwelling), plate=_text(plate), key_id=kid,
    )  # fmt: skip


def _kind(number: object) -> PassKind:
    if type(number) is not int or not 0 <= number < len(_KINDS):
        raise ValueError(f"pass kind {number!r} is not understood")
    return _KINDS[number]


def _text(value: object) -> str:
    if not isinstance(value, str) or any(ord(c) < 32 for c in value):
        raise ValueError("a text field holds no plain text")
    return value


def _compounds(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("compounds is no list")
    return tuple(_text(one) for one in value)


def _cti(value: bytes) -> str:
    if not isinstance(value, bytes) or len(value) != 16:
        raise ValueError("cti is not 16 bytes")
    return value.hex()
