"""Who answers for what: area > committee > compound > gate, and the stations that guard the gates."""

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec
import sqlalchemy as sa

from hub import broker
from hub.config import Located
from hub.registry import access, versions
from hub.registry.errors import RegistryError
from hub.registry.kit import StationKit, make_kit
from hub.store import tables

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class PlaceKind(StrEnum):
    """The levels, from the largest down."""

    AREA = "area"
    COMMITTEE = "committee"
    COMPOUND = "compound"
    GATE = "gate"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One place and the one above it; an area has none above."""

    kind: PlaceKind
    id: str
    name: str
    parent: str = ""


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """A station as it is listed: never with its password."""

    id: str
    gate: str
    gate_name: str
    compound: str
    lane: str
    in_service: bool


_TABLES = {
    PlaceKind.AREA: (tables.areas, None), PlaceKind.COMMITTEE: (tables.committees, PlaceKind.AREA),
    PlaceKind.COMPOUND: (tables.compounds, PlaceKind.COMMITTEE), PlaceKind.GATE: (tables.gates, PlaceKind.COMPOUND),
}  # fmt: skip


def add_area(conn: sa.Connection, id: str, name: str) -> None:
    """Add an area 片区. Raises `RegistryError` for a bad or taken id, as all of these do."""
    _add(conn, PlaceKind.AREA, id, name=_named(name))


def add_committee(conn: sa.Connection, id: str, name: str, area: str) -> None:
    """Add a committee 居委 of an area."""
    _add(conn, PlaceKind.COMMITTEE, id, name=_named(name), area=area)


def add_compound(conn: sa.Connection, id: str, name: str, committee: str, liaison: str = "") -> None:
    """Add a compound 小区 of a committee; `liaison`: who to call."""
    _add(conn, PlaceKind.COMPOUND, id, name=_named(name), committee=committee, liaison=liaison)
    versions.bump(conn, id)


def add_gate(conn: sa.Connection, id: str, name: str, compound: str, schedule: Sequence[tuple[int, int]] = ()) -> None:
    """Add a gate 门岗 of a compound; `schedule`: opening hours in minutes of the local day, none: always open."""
    _add(conn, PlaceKind.GATE, id, name=_named(name), compound=compound, schedule=[list(hours) for hours in schedule])
    versions.bump(conn, compound)


def add_place(conn: sa.Connection, kind: PlaceKind, id: str, name: str, parent: str = "") -> None:
    """Add a place of any kind."""
    if kind is PlaceKind.AREA:
        return add_area(conn, id, name)
    if kind is PlaceKind.COMMITTEE:
        return add_committee(conn, id, name, parent)
    if kind is PlaceKind.COMPOUND:
        return add_compound(conn, id, name, parent)
    return add_gate(conn, id, name, parent)


def list_places(conn: sa.Connection, kind: PlaceKind) -> list[Place]:
    """Every place of one kind, by id."""
    table, above = _TABLES[kind]
    rows = conn.execute(sa.select(table).order_by(table.c.id))
    return [Place(kind=kind, id=r.id, name=r.name, parent=getattr(r, above) if above else "") for r in rows]


def add_station(
    engine: sa.Engine, located: Located, station: str, gate: str, lane: str = "1",
    *, host: str | None = None, pid_file: Path | None = None,
) -> StationKit:  # fmt: skip
    """Add a station with a password of its own and let it onto the broker. `host`: see `make_kit`, `pid_file`: `grant_access`."""
    _check_id("station", station)
    _check_id("lane", lane)
    if station == broker.HUB_USER:
        raise RegistryError(f"station id {station!r} is the hub's own name on the broker: choose another")
    with engine.begin() as conn:
        _require(conn, PlaceKind.GATE, gate)
        row = {"id": station, "gate": gate, "lane": lane, "password": secrets.token_urlsafe(24), "added_at": datetime.now(UTC)}
        _insert(conn, tables.stations, row)
        access.grant_access(conn, located, pid_file)
        return make_kit(conn, located, station, host)


def list_stations(conn: sa.Connection) -> list[Station]:
    """Every station, by compound, gate and id."""
    stations, gates = tables.stations, tables.gates
    query = sa.select(stations, gates.c.name.label("gate_name"), gates.c.compound).join(gates, gates.c.id == stations.c.gate)
    return [
        Station(id=r.id, gate=r.gate, gate_name=r.gate_name, compound=r.compound, lane=r.lane, in_service=r.in_service)
        for r in conn.execute(query.order_by(gates.c.compound, gates.c.id, stations.c.id))
    ]


def _add(conn: sa.Connection, kind: PlaceKind, id: str, **values: object) -> None:
    table, above = _TABLES[kind]
    _check_id(kind, id)
    if above is not None:
        _require(conn, above, str(values[above]))
    _insert(conn, table, {"id": id, **values})


def _insert(conn: sa.Connection, table: sa.Table, values: dict[str, object]) -> None:
    if conn.scalar(sa.select(table.c.id).where(table.c.id == values["id"])) is not None:
        raise RegistryError(f"id {values['id']!r} is taken among the {table.name}: choose another")
    conn.execute(sa.insert(table).values(**values))


def _require(conn: sa.Connection, kind: PlaceKind, id: str) -> None:
    table = _TABLES[kind][0]
    if conn.scalar(sa.select(table.c.id).where(table.c.id == id)) is None:
        known = ", ".join(conn.scalars(sa.select(table.c.id).order_by(table.c.id).limit(10))) or "none yet"
        raise RegistryError(f"no {kind} {id!r}: add it first (`hub place add {kind}`); there are: {known}")


def _check_id(what: str, id: str) -> None:
    if not _ID.fullmatch(id):
        raise RegistryError(
            f"{what} id {id[:80]!r}: an id is letters, digits, _ and -, begins with a letter or digit, 64 at most"
        )


def _named(name: str) -> str:
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise RegistryError(f"name {name[:80]!r}: a name has 1 to 200 printable characters")
    return name.strip()
