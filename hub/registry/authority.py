"""The hub's own authority for stations (X.509, RFC 5280): what it signs, and how its key is kept.

An ECDSA key on P-256: what every TLS 1.3 must take (RFC 8446 §9.1), so that any broker does. Its private half is stored as the
hub's other keys are, under a use of its own.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.registry.errors import RegistryError
from hub.store.tables import keys
from hub.vault import is_sealed, vault_in

USE = "stations"
"""Of its row among the hub's keys; not one of `KeyUse`, since no offline root certifies it and no station is told it."""
LIFE = timedelta(days=20 * 365)
CLOCKS = timedelta(days=1)
"""Certificates begin this long before they are made: a clock may be behind."""
LONGEST_REQUEST = 4000
"""Characters of a certificate request."""

PublicKey = ec.EllipticCurvePublicKey | Ed25519PublicKey


class Authority(msgspec.Struct, frozen=True):
    """The authority's key and its own certificate."""

    kid: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def __repr__(self) -> str:
        return f"Authority({self.kid})"


def ensure_authority(conn: sa.Connection, now: datetime) -> Authority:
    """The authority that signs, made if there is none yet. Raises `RegistryError` without the hub's secret."""
    found = authorities(conn)
    return found[0] if found else _make_authority(conn, now)


def authorities(conn: sa.Connection) -> list[Authority]:
    """Those that the broker is to trust, newest first: several only where one takes another's place."""
    query = sa.select(keys).where(keys.c.use == USE, keys.c.retired_at.is_(None)).order_by(keys.c.created_at.desc(), keys.c.kid)
    vault, found = vault_in(conn), []
    for row in conn.execute(query):
        if is_sealed(row.private) and vault is None:
            raise RegistryError(f"key {row.kid} is encrypted, and this store was opened without its secret")
        raw = vault.open(row.kid, USE, row.private) if vault and is_sealed(row.private) else row.private
        key = ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
        found.append(Authority(row.kid, key, x509.load_pem_x509_certificate(row.certificate.encode())))
    return found


def certify(authority: Authority, station: str, public: PublicKey, now: datetime, ends: datetime) -> x509.Certificate:
    """A client certificate: that this key is the station's, until `ends`."""
    issuer = authority.certificate
    known = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = x509.CertificateBuilder().issuer_name(issuer.subject).subject_name(_name(station)).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now.replace(microsecond=0) - CLOCKS).not_valid_after(ends.replace(microsecond=0))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return builder.sign(authority.key, SHA256())


def revocation_list(authority: Authority, revoked: Mapping[str, datetime]) -> x509.CertificateRevocationList:
    """What the broker is to refuse: hexadecimal serial number → since when (RFC 5280 §5).

    Its time is counted in revocations from the authority's beginning, not read from a clock: Mosquitto keeps the list before and
    goes by the later, two may fall into one second, and one from the future, or one that has ended, would keep all stations out.
    """
    issuer = authority.certificate
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    builder = builder.last_update(issuer.not_valid_before_utc + timedelta(seconds=len(revoked)))
    builder = builder.next_update(issuer.not_valid_after_utc).add_extension(x509.CRLNumber(len(revoked)), critical=False)
    for serial, at in sorted(revoked.items()):
        one = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(at)
        builder = builder.add_revoked_certificate(one.build())
    return builder.sign(authority.key, SHA256())


def requested_key(request: str) -> PublicKey:
    """The public key that a certificate request (PKCS #10, PEM) is for; whatever else stands in it is of no account.

    Raises `RegistryError` for what is none, is not signed with that very key, or has a key of another kind.
    """
    if len(request) > LONGEST_REQUEST:
        raise RegistryError(f"a certificate request of {len(request)} characters: {LONGEST_REQUEST} at most")
    try:
        found = x509.load_pem_x509_csr(request.encode())
        public, proven = found.public_key(), found.is_signature_valid
    except (ValueError, TypeError, InvalidSignature) as error:
        raise RegistryError(f"not a certificate request (PKCS #10 in PEM): {error}") from None
    except Exception as error:  # an algorithm that this library does not do
        raise RegistryError(f"a certificate request of a kind that is not known: {type(error).__name__}") from None
    if not proven:
        raise RegistryError("the certificate request is not signed with the key that it is for")
    if isinstance(public, Ed25519PublicKey):
        return public
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return public
    raise RegistryError("a station's key is one on P-256 or an Ed25519 key: this certificate request has another")


def in_pem(made: x509.Certificate | x509.CertificateRevocationList) -> str:
    """As text (RFC 7468)."""
    return made.public_bytes(Encoding.PEM).decode()


def _make_authority(conn: sa.Connection, now: datetime) -> Authority:
    key, kid, vault = ec.generate_private_key(ec.SECP256R1()), f"c{secrets.token_hex(4)}", vault_in(conn)
    made, raw = _self_signed(key, kid, now), key.private_numbers().private_value.to_bytes(32, "big")
    conn.execute(sa.insert(keys).values(
        kid=kid, use=USE, public=key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint), created_at=now,
        private=vault.seal(kid, USE, raw) if vault else raw, not_after=made.not_valid_after_utc, certificate=in_pem(made),
    ))  # fmt: skip
    return Authority(kid, key, made)


def _self_signed(key: ec.EllipticCurvePrivateKey, kid: str, now: datetime) -> x509.Certificate:
    name, begins = _name(kid, "Gatepost stations"), now.replace(microsecond=0) - CLOCKS
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(begins + LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, SHA256())


def _usage(*, signs: bool) -> x509.KeyUsage:
    """An authority's key signs certificates and lists of them, a station's nothing but its handshake."""
    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(common: str, organisation: str = "") -> x509.Name:
    above = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    return x509.Name([*above, x509.NameAttribute(NameOID.COMMON_NAME, common)])
