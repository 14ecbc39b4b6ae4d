"""The stations' client certificates, by which the broker knows each: issued, renewed, revoked (`hub.registry.authority`)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import Encoding

from hub import revocations
from hub.broker import HUB_USER
from hub.registry.authority import PublicKey, authorities, certify, ensure_authority, in_pem, requested_key, revocation_list
from hub.registry.errors import RegistryError
from hub.revocations import Ending, Thing
from hub.store.joining import station_certificates as table
from hub.store.tables import stations

LIFE = timedelta(days=90)


class StationCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate of a station."""

    serial: str
    """Hexadecimal."""
    station: str
    pem: str
    issued_at: datetime
    not_after: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    reason: str = ""

    def is_due(self, now: datetime) -> bool:
        """Whether two thirds of its life are over."""
        return now >= self.issued_at + (self.not_after - self.issued_at) * 2 / 3


class ForBroker(msgspec.Struct, frozen=True):
    """What the broker needs: its authorities and what it is to refuse, in PEM; `said`: the same without signatures, which differ
    from one making to the next."""

    authorities: str
    revoked: str
    said: bytes


def sign(conn: sa.Connection, station: str, request: str, now: datetime, life: timedelta = LIFE) -> StationCertificate:
    """A certificate for the key of a request (PKCS #10, PEM), and for nothing else that stands in it.

    The one before stays good: `revoke` it, now or once the station was heard with this one. Raises `RegistryError`.
    """
    return issue(conn, station, requested_key(request), now, life)


def issue(conn: sa.Connection, station: str, public: PublicKey, now: datetime, life: timedelta = LIFE) -> StationCertificate:
    """A certificate for a public key of which the caller has made sure, kept. Raises `RegistryError`."""
    if station == HUB_USER or conn.scalar(sa.select(stations.c.id).where(stations.c.id == station)) is None:
        raise RegistryError(f"no station {station[:80]!r}: see `hub station list`")
    made = certify(ensure_authority(conn, now), station, public, now, now + life)
    serial = f"{made.serial_number:x}"
    kept = StationCertificate(
        serial=serial, station=station, pem=in_pem(made), issued_at=now, not_after=made.not_valid_after_utc
    )  # fmt: skip
    conn.execute(sa.insert(table).values(**msgspec.structs.asdict(kept)))
    return kept


def current(conn: sa.Connection, station: str) -> StationCertificate | None:
    """The newest certificate of a station that is not revoked; it may have ended."""
    return next(iter(standing(conn, station)), None)


def standing(conn: sa.Connection, station: str | None = None) -> list[StationCertificate]:
    """Certificates that are not revoked, newest first; of one station or of all. Two of one: the older is being replaced."""
    query = sa.select(table).where(table.c.revoked_at.is_(None)).order_by(table.c.issued_at.desc(), table.c.serial)
    if station is not None:
        query = query.where(table.c.station == station)
    return _certificates(conn.execute(query))


def last_issued(conn: sa.Connection, station: str) -> datetime:
    """When a station was given a certificate last, whatever became of it; the earliest of all times when never."""
    found = conn.scalar(sa.select(sa.func.max(table.c.issued_at)).where(table.c.station == station))
    return found or datetime.min.replace(tzinfo=UTC)


def list_certificates(conn: sa.Connection) -> list[StationCertificate]:
    """Every certificate there ever was, by station, newest first."""
    return _certificates(conn.execute(sa.select(table).order_by(table.c.station, table.c.issued_at.desc(), table.c.serial)))


def due(conn: sa.Connection, now: datetime) -> list[StationCertificate]:
    """The newest certificate of each station whose time for renewal has come, the one that ends first at the head."""
    newest = {one.station: one for one in reversed(standing(conn))}
    return sorted((one for one in newest.values() if one.is_due(now)), key=lambda one: one.not_after)


def revoke(conn: sa.Connection, station: str, by: str, reason: str, now: datetime, *, besides: str | None = None) -> list[str]:
    """Revoke every certificate of a station, but for that of serial number `besides`; returns the serial numbers.

    It holds once the broker has read the list: `hub.registry.access.grant_access`.
    """
    serials = [one.serial for one in standing(conn, station) if one.serial != besides]
    for serial in serials:
        revoke_one(conn, serial, by, reason, now)
    return serials


def revoke_one(conn: sa.Connection, serial: str, by: str, reason: str, now: datetime) -> None:
    """Revoke one certificate, such as one that its station could not take."""
    values = {"revoked_at": now, "revoked_by": by, "reason": reason[:500]}
    standing = sa.and_(table.c.serial == serial, table.c.revoked_at.is_(None))
    station = conn.scalar(sa.select(table.c.station).where(standing))
    if station is not None:
        conn.execute(sa.update(table).where(standing).values(**values))
        revocations.note(conn, Ending(what=Thing.CERTIFICATE, id=serial, at=now, by=by, station=station))


def for_broker(conn: sa.Connection, now: datetime) -> ForBroker:
    """The authorities, made if there are none yet, and their lists of what is revoked. Raises `RegistryError`."""
    ensure_authority(conn, now)
    rows = conn.execute(sa.select(table.c.serial, table.c.revoked_at).where(table.c.revoked_at.is_not(None)))
    revoked, trusted = {row.serial: row.revoked_at for row in rows}, authorities(conn)
    lists = [revocation_list(one, revoked) for one in trusted]
    said = [one.certificate.public_bytes(Encoding.DER) for one in trusted] + [one.tbs_certlist_bytes for one in lists]
    return ForBroker(
        authorities="".join(in_pem(one.certificate) for one in trusted), revoked="".join(map(in_pem, lists)), said=b"".join(said)
    )


def _certificates(rows: Iterable[sa.Row[tuple[object, ...]]]) -> list[StationCertificate]:
    return [StationCertificate(**row._mapping) for row in rows]
