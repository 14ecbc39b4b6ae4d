"""Cuts a station off in one action, and lets one in again with new credentials."""

import secrets
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from hub.config import Located
from hub.registry import access, cut_offs, station_certificates
from hub.registry.cut_offs import CutOff
from hub.registry.errors import RegistryError
from hub.store.tables import pulses, stations


def cut_off(
    conn: sa.Connection, located: Located, station: str, by: str, reason: str, now: datetime, *, pid_file: Path | None = None
) -> CutOff:  # fmt: skip
    """Cut a station off: its certificates revoked, out of service, out of the broker's access files.

    Its session is ended by the scheduler as soon as the broker has read those (`hub.cutting`). Again it does all that again and
    keeps the first reason. Raises `RegistryError`, and then nothing has changed.
    """
    require(conn, station)
    reason = reason.strip()
    if not reason or len(reason) > 200 or not reason.isprintable():
        raise RegistryError(f"reason {reason[:80]!r}: say why in 1 to 200 printable characters")
    station_certificates.revoke(conn, station, by, reason, now)
    conn.execute(sa.update(stations).where(stations.c.id == station).values(in_service=False))
    conn.execute(sa.update(pulses).where(pulses.c.station == station).values(online=False))
    known = cut_offs.cut_offs(conn).get(station)
    made = CutOff(station=station, at=known.at if known else now, by=known.by if known else by,
                  reason=known.reason if known else reason)  # fmt: skip
    cut_offs.put(conn, made)
    access.grant_access(conn, located, pid_file)
    return made


def let_in_again(conn: sa.Connection, station: str) -> bool:
    """Lift the cutting off of a station that gets new credentials, and put it in service; whether it was cut off.

    Its password of before stays worthless. The access files are the caller's to write, after its new certificate.
    """
    require(conn, station)
    if not cut_offs.lift(conn, station):
        return False
    fresh = {"password": secrets.token_urlsafe(24), "in_service": True}
    conn.execute(sa.update(stations).where(stations.c.id == station).values(**fresh))
    return True


def require(conn: sa.Connection, station: str) -> None:
    """Raises `RegistryError` for a station that is not there."""
    if conn.scalar(sa.select(stations.c.id).where(stations.c.id == station)) is None:
        raise RegistryError(f"no station {station[:80]!r}: see `hub station list`")
