"""The files that go between a hub and its offline root: the root itself, what is to be certified, and the certificates."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from contract.certifying import Certificate, KeyUse, certify
from contract.codec import BadMessage, Instant, decoder
from contract.events import Identifier
from contract.sealing import b64, unb64
from hub.registry.errors import RegistryError
from hub.registry.keys import Key

SHORTEST = 12
"""Characters of a root's passphrase: the file may be stolen and tried at leisure."""
BACK = timedelta(days=1)
"""A certificate begins this long before it is made: the root's machine has nobody to set its clock by."""
MOST_BYTES = 100_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A public key that is to be certified, base64url."""

    kid: Identifier
    use: KeyUse
    public: str


class Request(msgspec.Struct, frozen=True, kw_only=True, tag_field="file", tag="gatepost-key-request"):
    """What a hub asks its root to certify."""

    hub: str
    made_at: Instant
    keys: tuple[Wanted, ...]


class Certificates(msgspec.Struct, frozen=True, kw_only=True, tag_field="file", tag="gatepost-key-certificates"):
    """What the root has certified."""

    root: str
    """Its public key, base64url: to name it in a message. What is trusted stands in hub.toml."""
    certificates: tuple[str, ...]


def make_root(passphrase: str) -> tuple[bytes, bytes]:
    """A new root: its PKCS8 PEM encrypted under the passphrase, and its raw public key. Raises `RegistryError`."""
    if len(passphrase) < SHORTEST:
        raise RegistryError(f"the passphrase has {len(passphrase)} characters: it needs {SHORTEST} at least, such as five words")
    private = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(passphrase.encode())
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption), private.public_key().public_bytes_raw()


def open_root(pem: bytes, passphrase: str) -> bytes:
    """The raw private key of a root. Raises `RegistryError`."""
    try:
        key = load_pem_private_key(pem, passphrase.encode())
    except (ValueError, TypeError):
        raise RegistryError("the root does not open: another passphrase, or no root as `hub key root` makes it") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise RegistryError("the file holds a key of another kind than `hub key root` makes")
    return key.private_bytes_raw()


def make_request(hub: str, keys: Iterable[Key], now: datetime) -> bytes:
    """The file that asks for these keys to be certified."""
    wanted = tuple(Wanted(kid=key.kid, use=key.use, public=b64(key.public)) for key in keys)
    return _pretty(Request(hub=hub, made_at=now, keys=wanted))


def read_request(path: Path) -> Request:
    """Read such a file. Raises `RegistryError`."""
    found: Request = _read(path, _request, "request, as `hub key request` writes one")
    for key in found.keys:
        if not _is_key(key.public):
            raise RegistryError(f"{path}: key {key.kid} has no public half of 32 bytes")
    return found


def certify_all(request: Request, root: bytes, days: int, now: datetime) -> bytes:
    """The file of certificates for all that a request asks for, valid for so many days from `now` on."""
    serial, until = int(now.timestamp()), now.replace(microsecond=0) + timedelta(days=days)
    made = tuple(
        certify(
            Certificate(
                kid=key.kid, use=key.use, public=key.public, not_before=now.replace(microsecond=0) - BACK, not_after=until,
                serial=serial,
            ), root,
        )
        for key in request.keys
    )  # fmt: skip
    public = Ed25519PrivateKey.from_private_bytes(root).public_key().public_bytes_raw()
    return _pretty(Certificates(root=b64(public), certificates=made))


def read_certificates(path: Path) -> Certificates:
    """Read such a file. Raises `RegistryError`."""
    found: Certificates = _read(path, _certificates, "certificates, as `hub key certify` writes them")
    return found


def _read(path: Path, decode: Callable[[bytes], Any], what: str) -> Any:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    try:
        if len(data) > MOST_BYTES:
            raise BadMessage("too long")
        return decode(data)
    except BadMessage as error:
        raise RegistryError(f"{path} holds no {what}: {error}") from None


def _pretty(value: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _is_key(text: str) -> bool:
    try:
        return len(unb64(text)) == 32
    except BadMessage:
        return False


_request: Callable[[bytes], Request] = decoder(Request)
_certificates: Callable[[bytes], Certificates] = decoder(Certificates)
