"""Lets the stations, and nobody else, onto the broker: Mosquitto's password file and ACL, made from the registry."""

import os
import signal
import subprocess
from pathlib import Path

import sqlalchemy as sa

from hub import broker
from hub.config import Located
from hub.registry.errors import RegistryError
from hub.store.tables import gates, stations


def logins(conn: sa.Connection) -> list[broker.Login]:
    """The credentials of every station."""
    query = sa.select(stations.c.id, gates.c.compound, stations.c.password).join(gates, gates.c.id == stations.c.gate)
    return [broker.Login(*row) for row in conn.execute(query.order_by(stations.c.id))]


def grant_access(conn: sa.Connection, located: Located, pid_file: Path | None = None) -> None:
    """Write the files to `broker.access`, if set; have the Mosquitto whose pid is in `pid_file` read them again (SIGHUP)."""
    settings = located.settings.broker
    if settings.access is None:
        return
    folder = located.folder / settings.access
    try:
        folder.mkdir(parents=True, exist_ok=True)
        broker.write_access(folder, settings.password, logins(conn))
        if pid_file is not None:
            os.kill(int(pid_file.read_text()), signal.SIGHUP)
    except (OSError, ValueError, broker.BrokerMissing, subprocess.CalledProcessError) as error:
        raise RegistryError(f"the broker's access files in {folder} (broker.access): {error}; nothing was changed") from None
