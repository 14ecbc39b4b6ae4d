"""What each station has confirmed of its compound's directory, against the newest there is."""

from collections import defaultdict
from datetime import datetime

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.messages import Vitals, decode
from hub.registry import versions
from hub.rights import Reach
from hub.rules.compliance import Value
from hub.store.tables import compounds, gates, pulses, stations


class Confirmed(Value, frozen=True, kw_only=True):
    """A station and the version by which it decides; None: it has never said."""

    station: str
    gate: str
    gate_name: str
    version: int | None
    behind: int
    """How many versions; of a station that has never said, all of them."""
    heard_at: datetime | None


class CompoundDirectory(Value, frozen=True, kw_only=True):
    """A compound's newest version, and its stations, those behind first."""

    compound: str
    compound_name: str
    version: int
    stations: tuple[Confirmed, ...]

    @property
    def behind(self) -> int:
        """How many of its stations don't have the newest."""
        return sum(one.behind > 0 for one in self.stations)


def confirmed(conn: sa.Connection, reach: Reach) -> list[CompoundDirectory]:
    """The compounds in reach, those with stations behind first, then by name; stations out of service are left out."""
    newest = versions.versions(conn)
    mine: dict[str, list[Confirmed]] = defaultdict(list)
    for row in conn.execute(_stations()):
        mine[row.compound].append(_confirmed(row, newest.get(row.compound, 0)))
    query = sa.select(compounds.c.id, compounds.c.name)
    query = query if reach is None else query.where(compounds.c.id.in_(sorted(reach)))
    found = [
        CompoundDirectory(
            compound=row.id, compound_name=row.name, version=newest.get(row.id, 0),
            stations=tuple(sorted(mine[row.id], key=lambda one: (-one.behind, one.gate_name, one.station))),
        )
        for row in conn.execute(query)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.behind == 0, -one.behind, one.compound_name, one.compound))


def _stations() -> sa.Select[tuple[object, ...]]:
    joined = stations.join(gates, gates.c.id == stations.c.gate).outerjoin(pulses, pulses.c.station == stations.c.id)
    return sa.select(
        stations.c.id, gates.c.id.label("gate"), gates.c.name, gates.c.compound, pulses.c.heard_at, pulses.c.vitals
    ).select_from(joined).where(stations.c.in_service)  # fmt: skip


def _confirmed(row: sa.Row[tuple[object, ...]], newest: int) -> Confirmed:
    known = row._mapping
    version = _version(known["vitals"])
    return Confirmed(
        station=known["id"], gate=known["gate"], gate_name=known["name"], version=version,
        behind=max(newest - (version or 0), 0), heard_at=known["heard_at"],
    )  # fmt: skip


def _version(vitals: str | None) -> int | None:
    try:
        return None if vitals is None else decode(Vitals, vitals.encode()).directory_version
    except BadMessage:
        return None
