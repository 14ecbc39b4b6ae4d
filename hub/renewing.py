"""Stations' certificates are renewed before they end, with nobody there: a command for a new key, one with its certificate.

Each look takes a station one step on, by what it answered last; nothing is kept beside commands and certificates. The certificate
before is revoked once the station has said that it is connected with the new one; until then it may go back to it.
"""

import base64
import binascii
import logging
from datetime import datetime, timedelta

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from contract.messages import IN_USE, INSTALLED, CommandName
from hub import orders
from hub.config import Located
from hub.registry import access, station_certificates
from hub.registry.authority import LONGEST_REQUEST
from hub.registry.errors import RegistryError
from hub.registry.station_certificates import StationCertificate
from hub.rules.ordering import Order, OrderState, state
from hub.store.tables import pulses
from hub.store.writing import writing

log = logging.getLogger(__name__)
BY = "hub"
AGAIN = timedelta(minutes=10)
"""After what was refused or not answered."""
SOON = timedelta(seconds=15)
"""After "installed": the station connects anew meanwhile."""
AT_ONCE = 20
"""Stations of one look."""


def renew(engine: sa.Engine, located: Located, now: datetime) -> int:
    """Take the renewal of each station that is heard one step on; returns how many were asked for something or changed."""
    with engine.connect() as conn:
        online = set(conn.scalars(sa.select(pulses.c.station).where(pulses.c.online)))
        mine = [one for one in _under_way(conn, now) if one in online]
    done = 0
    for station in mine[:AT_ONCE]:
        try:
            with writing(engine) as conn:
                done += _step(conn, located, station, now)
        except RegistryError as error:
            log.warning("certificate of %s: %s", station, error)
    return done


def _under_way(conn: sa.Connection, now: datetime) -> list[str]:
    """The stations whose time has come, and those that have a new certificate beside the one before."""
    held = [one.station for one in station_certificates.standing(conn)]
    both = sorted({station for station in held if held.count(station) > 1})
    return list(dict.fromkeys([*both, *(one.station for one in station_certificates.due(conn, now))]))


def _step(conn: sa.Connection, located: Located, station: str, now: datetime) -> bool:
    held = station_certificates.standing(conn, station)
    if len(held) > 1:
        return _hand_over(conn, located, held[0], now)
    last = _last(conn, station, CommandName.RENEW)
    if last is not None and last.ok and last.made_at > station_certificates.last_issued(conn, station):
        made = _sign(conn, located, last, now)
        if made is not None:
            return _install(conn, located, made, now)
    if last is not None and _is_too_soon(last, now):
        return False
    orders.order(conn, located, station, CommandName.RENEW, BY, now)
    return True


def _sign(conn: sa.Connection, located: Located, asked: Order, now: datetime) -> StationCertificate | None:
    """A certificate for what the station asks for; None for what is no such request."""
    life = timedelta(days=located.settings.stations.certificate_days)
    try:
        made = station_certificates.sign(conn, asked.station, _request(asked.detail), now, life)
    except RegistryError as error:
        log.warning("station %s asked for a certificate: %s", asked.station, error)
        return None
    log.info("station %s: a new certificate until %s", asked.station, f"{made.not_after:%Y-%m-%d}")
    return made


def _hand_over(conn: sa.Connection, located: Located, newest: StationCertificate, now: datetime) -> bool:
    """The station has been sent the new certificate, or is to be: until it says that it is connected with it."""
    last = _last(conn, newest.station, CommandName.INSTALL)
    if last is None or last.argument != _argument(newest):
        return _install(conn, located, newest, now)
    if last.ok and last.detail == IN_USE:
        station_certificates.revoke(conn, newest.station, BY, "renewed", now, besides=newest.serial)
        access.grant_access(conn, located)
        log.info("station %s is connected with its new certificate: the one before is revoked", newest.station)
        return True
    if last.ok is False:
        log.warning("station %s did not take its new certificate: %s", newest.station, last.detail)
        station_certificates.revoke_one(conn, newest.serial, BY, f"not taken: {last.detail}", now)
        access.grant_access(conn, located)
        return True
    if last.ok and last.detail == INSTALLED and now >= (last.answered_at or now) + SOON:
        return _install(conn, located, newest, now)
    return False if _is_too_soon(last, now) else _install(conn, located, newest, now)


def _install(conn: sa.Connection, located: Located, made: StationCertificate, now: datetime) -> bool:
    orders.order(conn, located, made.station, CommandName.INSTALL, BY, now, _argument(made))
    return True


def _is_too_soon(last: Order, now: datetime) -> bool:
    return state(last, now) in (OrderState.WAITING, OrderState.SENT) or now < last.made_at + AGAIN


def _last(conn: sa.Connection, station: str, what: CommandName) -> Order | None:
    return next(iter(orders.latest(conn, station, 1, what)), None)


def _request(detail: str) -> str:
    """What a station answered, as PEM. Raises `RegistryError`."""
    try:
        found = x509.load_der_x509_csr(base64.b64decode(detail[:LONGEST_REQUEST], validate=True))
    except (binascii.Error, ValueError) as error:
        raise RegistryError(f"its answer is no certificate request: {error}") from None
    return found.public_bytes(Encoding.PEM).decode()


def _argument(made: StationCertificate) -> str:
    """A certificate as a command carries it."""
    der = x509.load_pem_x509_certificate(made.pem.encode()).public_bytes(Encoding.DER)
    return base64.b64encode(der).decode()
