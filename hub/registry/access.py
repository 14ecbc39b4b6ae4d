"""Lets the stations, and nobody else, onto the broker: Mosquitto's access files, made from the registry."""

import hashlib
import logging
import os
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from hub import broker
from hub.config import Located
from hub.registry import station_certificates
from hub.registry.cut_offs import cut_offs
from hub.registry.errors import RegistryError
from hub.registry.station_certificates import ForBroker
from hub.store.tables import gates, stations

log = logging.getLogger(__name__)


def logins(conn: sa.Connection, located: Located | None = None) -> list[broker.Login]:
    """Every station that is let in: by its password, or where they come over TLS (`stations.ca_file`) by its certificate."""
    query = sa.select(stations.c.id, gates.c.compound, stations.c.password).join(gates, gates.c.id == stations.c.gate)
    out = cut_offs(conn)
    found = [broker.Login(*row) for row in conn.execute(query.order_by(stations.c.id)) if row.id not in out]
    if located is None or located.settings.stations.ca_file is None:
        return [one for one in found if one.password]
    certified = {one.station for one in station_certificates.standing(conn)}
    return [broker.Login(one.station, one.compound) for one in found if one.station in certified]


def mark(conn: sa.Connection, located: Located) -> str:
    """What stands in the access files for this state of the registry: `hub.broker.mark_topic`."""
    return _mark(logins(conn, located), _trust(conn))


def grant_access(conn: sa.Connection, located: Located, pid_file: Path | None = None) -> None:
    """Write the files to `broker.access`, if set; have the Mosquitto whose pid is in `pid_file` read them again (SIGHUP).

    The transaction is to be committed: it makes the stations' authority where there is none yet. Raises `RegistryError`.
    """
    settings = located.settings.broker
    if settings.access is None:
        return
    folder, known = located.folder / settings.access, logins(conn, located)
    told = _trust(conn)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trust = None if told is None else broker.Trust(told.authorities, told.revoked)
        broker.write_access(folder, settings.password, known, trust, _mark(known, told))
        if pid_file is not None:
            os.kill(int(pid_file.read_text()), signal.SIGHUP)
    except (OSError, ValueError, broker.BrokerMissing, subprocess.CalledProcessError) as error:
        raise RegistryError(f"the broker's access files in {folder} (broker.access): {error}; nothing was changed") from None


def _trust(conn: sa.Connection) -> ForBroker | None:
    """None without the hub's secret: the rights alone keep out whoever is to be kept out then."""
    try:
        return station_certificates.for_broker(conn, datetime.now(UTC))
    except RegistryError as error:
        log.error("the list of revoked certificates of stations can't be signed, and stays as it is: %s", error)
        return None


def _mark(known: list[broker.Login], told: ForBroker | None) -> str:
    return hashlib.sha256(broker.acl(known).encode() + (told.said if told else b"")).hexdigest()[:32]
