"""Gates and their stations read from the store, as the rules take them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from contract.codec import BadMessage
from contract.five import Basis, Evidence, Item, Lifetimes
from contract.messages import Vitals, decode
from hub.rules.compliance import Lane, Place
from hub.rules.inspection import Found, as_evidence, outranking
from hub.rules.intervals import Interval
from hub.store import meta, tables
from hub.store.tables import areas, committees, compounds, evidence, gates, intervals, pulses, stations

_JOINED = gates.join(compounds, gates.c.compound == compounds.c.id).join(
    committees, compounds.c.committee == committees.c.id
).join(areas, committees.c.area == areas.c.id)  # fmt: skip
_FINDINGS = "findings:"
"""Before a gate's id: each item's newest finding, at hand for every judgement (JSON of a tuple of `Found`)."""
_findings = msgspec.json.Decoder(tuple[Found, ...])
_MANY = 500
"""Names in one query: SQLite and PostgreSQL both bound the number of parameters."""


def load_places(
    connection: sa.Connection, ids: Iterable[str] | None = None, area: str | None = None, compound: str | None = None
) -> list[Place]:
    """The gates asked for, by area, compound and name."""
    query = sa.select(
        gates.c.id.label("gate"), gates.c.name.label("gate_name"), compounds.c.id.label("compound"),
        compounds.c.name.label("compound_name"), areas.c.id.label("area"), areas.c.name.label("area_name"),
        compounds.c.liaison, gates.c.closed, gates.c.schedule, gates.c.shut_at, gates.c.shut_by, gates.c.shut_event,
    ).select_from(_JOINED).order_by(areas.c.name, compounds.c.name, gates.c.name, gates.c.id)  # fmt: skip
    query = query.where(areas.c.id == area) if area is not None else query
    query = query.where(compounds.c.id == compound) if compound is not None else query
    if ids is None:
        return [_place(row) for row in connection.execute(query).mappings()]
    wanted = list(ids)
    return [_place(row) for part in _parts(wanted) for row in connection.execute(query.where(gates.c.id.in_(part))).mappings()]


def load_lanes(connection: sa.Connection, ids: Sequence[str], lifetimes: Lifetimes) -> dict[str, list[Lane]]:
    """The stations of gates, by gate, each with its evidence, what inspections found at the gate among it, and its last pulse."""
    lanes: dict[str, list[Lane]] = defaultdict(list)
    joined = sa.select(stations, pulses.c.heard_at, pulses.c.online, pulses.c.vitals).select_from(
        stations.outerjoin(pulses, pulses.c.station == stations.c.id)
    ).order_by(stations.c.lane, stations.c.id)  # fmt: skip
    own = evidence.c.basis != Basis.INSPECTED.value  # to inspect is the hub's: no station's word counts as an inspection
    said = sa.select(evidence).join(stations, stations.c.id == evidence.c.station).where(own)
    inspected = {
        gate: tuple(as_evidence(one, lifetimes) for one in found) for gate, found in _load_findings(connection, ids).items()
    }
    for part in _parts(ids):
        known: dict[str, list[Evidence]] = defaultdict(list)
        for row in connection.execute(said.where(stations.c.gate.in_(part))).mappings():
            known[row["station"]].append(to_evidence(row))
        for row in connection.execute(joined.where(stations.c.gate.in_(part))).mappings():
            lanes[row["gate"]].append(_lane(row, (*known[row["id"]], *inspected.get(row["gate"], ()))))
    return lanes


def load_open(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, Interval]]:
    """The intervals of gates that have not ended, by gate and by what they are of."""
    found: dict[str, dict[str, Interval]] = defaultdict(dict)
    for part in _parts(ids):
        query = sa.select(intervals).where(intervals.c.gate.in_(part), intervals.c.ended_at.is_(None))
        for row in connection.execute(query.order_by(intervals.c.began_at)).mappings():
            found[row["gate"]][row["what"]] = to_interval(row)
    return found


def load_standing(connection: sa.Connection, ids: Sequence[str]) -> dict[str, tuple[Found, ...]]:
    """The inspections' findings that still outrank what the stations of these gates say, by gate."""
    standing = {gate: outranking(found) for gate, found in _load_findings(connection, ids).items()}
    return {gate: found for gate, found in standing.items() if found}


def put_findings(connection: sa.Connection, gate: str, found: Sequence[Found]) -> bool:
    """Keep each item's newest finding at a gate; returns whether others outrank its stations now."""
    before = load_standing(connection, [gate]).get(gate, ())
    value = msgspec.json.encode(found).decode() if found else None
    if meta.get(connection, _FINDINGS + gate) != value:
        meta.put(connection, _FINDINGS + gate, value)
    return before != outranking(found)


def _load_findings(connection: sa.Connection, ids: Sequence[str]) -> dict[str, tuple[Found, ...]]:
    found: dict[str, tuple[Found, ...]] = {}
    for part in _parts(ids):
        query = sa.select(tables.meta).where(tables.meta.c.key.in_([_FINDINGS + gate for gate in part]))
        found |= {row.key.removeprefix(_FINDINGS): _findings.decode(row.value) for row in connection.execute(query)}
    return found


def to_interval(row: Any) -> Interval:
    """A row of the table as the rules take it."""
    return Interval(**{name: row[name] for name in Interval.__struct_fields__})


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[i : i + _MANY] for i in range(0, len(names), _MANY)]


def _place(row: Any) -> Place:
    schedule = tuple((int(a), int(b)) for a, b in row["schedule"])
    return Place(**{**row, "schedule": schedule})


def _lane(row: Any, known: tuple[Evidence, ...]) -> Lane:
    vitals = _vitals(row["vitals"])
    return Lane(
        station=row["id"], lane=row["lane"], in_service=row["in_service"], added_at=row["added_at"],
        heard_at=row["heard_at"], online=bool(row["online"]), evidence=known,
        backlog=vitals.backlog if vitals else None, clock=vitals.clock if vitals else None,
        directory_version=vitals.directory_version if vitals else None,
    )  # fmt: skip


def _vitals(text: str | None) -> Vitals | None:
    try:
        return None if text is None else decode(Vitals, text.encode())
    except BadMessage:
        return None


def to_evidence(row: Any) -> Evidence:
    """A row of the table as the rules take it."""
    return Evidence(
        item=Item(row["item"]), present=row["present"], basis=Basis(row["basis"]), observed_at=row["observed_at"],
        valid_until=row["valid_until"], by=row["by"], reason=row["reason"], photo=row["photo"],
    )  # fmt: skip
