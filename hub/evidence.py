"""The current evidence of a station in the store."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from contract.five import Evidence
from hub.rules import current
from hub.store.gates import to_evidence
from hub.store.tables import evidence
from hub.store.writing import upsert


def by_event(connection: sa.Connection, station: str, said: Iterable[Evidence]) -> None:
    """Take in what a journal says."""
    _write(connection, station, current.by_event(_known(connection, station), said))


def by_pulse(connection: sa.Connection, station: str, said: Iterable[Evidence], at: datetime) -> None:
    """Take in what a pulse says."""
    _write(connection, station, current.by_pulse(_known(connection, station), said, at))


def _known(connection: sa.Connection, station: str) -> current.Known:
    rows = connection.execute(sa.select(evidence).where(evidence.c.station == station)).mappings()
    return {(e.item, e.basis): e for e in map(to_evidence, rows)}


def _write(connection: sa.Connection, station: str, changed: dict[current.Key, Evidence]) -> None:
    rows = [
        {
            "station": station, "item": e.item.value, "basis": e.basis.value, "present": e.present, "by": e.by,
            "observed_at": e.observed_at, "valid_until": e.valid_until, "reason": e.reason, "photo": e.photo,
        }
        for e in changed.values()
    ]  # fmt: skip
    upsert(connection, evidence, rows)
