"""The last pulse of each station, as it told it."""

from collections.abc import Sequence

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.messages import Vitals, decode
from hub.store.tables import pulses, stations

_MANY = 500
"""Ids in one query: SQLite and PostgreSQL both bound the number of parameters."""


def vitals(conn: sa.Connection, gates: Sequence[str]) -> dict[str, Vitals]:
    """By station, of the stations of these gates; none for one that was never heard."""
    found = {}
    query = sa.select(pulses.c.station, pulses.c.vitals).join(stations, stations.c.id == pulses.c.station)
    for n in range(0, len(gates), _MANY):
        for row in conn.execute(query.where(stations.c.gate.in_(gates[n : n + _MANY]), pulses.c.vitals.is_not(None))):
            try:
                found[row.station] = decode(Vitals, row.vitals.encode())
            except BadMessage:
                continue
    return found
