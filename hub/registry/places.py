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
from hub.store import meta, tables

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


def add_compound(conn: sa.Connection, id: str, name: str, committee: str, liaison: str = "", manager: str = "") -> None:
    """Add a compound 小区 of a committee; `liaison`: who to call, `manager`: of its property, 物业."""
    people = {"liaison": _person(liaison), "manager": _person(manager)}
    _add(conn, PlaceKind.COMPOUND, id, name=_named(name), committee=committee, **people)
    versions.bump(conn, id)


def add_gate(conn: sa.Connection, id: str, name: str, compound: str, schedule: Sequence[tuple[int, int]] = ()) -> None:
    """Add a gate 门岗 of a compound; `schedule`: opening hours in minutes of the local day, none: always open."""
    _add(conn, PlaceKind.GATE, id, name=_named(name), compound=compound, schedule=_hours(schedule))
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


def change_area(conn: sa.Connection, id: str, name: str) -> None:
    """Another name. Raises `RegistryError` for an unknown id or a bad value, as all of these do."""
    _change(conn, PlaceKind.AREA, id, name=_named(name))


def change_committee(conn: sa.Connection, id: str, name: str, area: str) -> None:
    """Another name, or another area."""
    _change(conn, PlaceKind.COMMITTEE, id, name=_named(name), area=area)


def change_compound(conn: sa.Connection, id: str, *, name: str, committee: str, liaison: str = "", manager: str = "") -> None:
    """Another name, committee, liaison or property manager."""
    people = {"liaison": _person(liaison), "manager": _person(manager)}
    _change(conn, PlaceKind.COMPOUND, id, name=_named(name), committee=committee, **people)


def change_gate(
    conn: sa.Connection, id: str, *, name: str, schedule: Sequence[tuple[int, int]] = (), closed: bool | None = None
) -> None:
    """Another name or other opening hours, which the stations are told; `closed`: put out of use, None: as it is."""
    more = {} if closed is None else {"closed": closed}
    _change(conn, PlaceKind.GATE, id, name=_named(name), schedule=_hours(schedule), **more)
    gates = tables.gates
    versions.bump(conn, str(conn.scalar(sa.select(gates.c.compound).where(gates.c.id == id))))


def change_station(conn: sa.Connection, id: str, lane: str, in_service: bool) -> None:
    """Another lane; out of service nothing is expected of it."""
    _check_id("lane", lane)
    values = {"lane": lane, "in_service": in_service}
    if conn.execute(sa.update(tables.stations).where(tables.stations.c.id == id).values(**values)).rowcount == 0:
        raise RegistryError(f"no station {id[:80]!r}: see `hub station list`")
    meta.bump(conn)


def is_id(text: str) -> bool:
    """Whether a text can be the id of a place, a station or a lane."""
    return _ID.fullmatch(text) is not None


def list_places(conn: sa.Connection, kind: PlaceKind) -> list[Place]:
    """Every place of one kind, by id."""
    table, above = _TABLES[kind]
    rows = conn.execute(sa.select(table).order_by(table.c.id))
    return [Place(kind=kind, id=r.id, name=r.name, parent=getattr(r, above) if above else "") for r in rows]


def add_station(
    engine: sa.Engine, located: Located, station: str, gate: str, lane: str = "1",
    *, host: str | None = None, pid_file: Path | None = None,
) -> StationKit:  # fmt: skip
    """Add a station and let it onto the broker by its password, or once it has a certificate.

    `host`: see `make_kit`, `pid_file`: `grant_access`.
    """
    with engine.begin() as conn:
        enrol_station(conn, located, station, gate, lane, pid_file=pid_file)
        return make_kit(conn, located, station, host)


def enrol_station(
    conn: sa.Connection, located: Located, station: str, gate: str, lane: str = "1", *, pid_file: Path | None = None
) -> None:
    """Add a station in the transaction of who adds it; its kit is `make_kit`'s."""
    _check_id("station", station)
    _check_id("lane", lane)
    if station == broker.HUB_USER or station.startswith(f"{broker.HUB_USER}-"):
        raise RegistryError(f"station id {station!r} is one of the hub's own names on the broker: choose another")
    _require(conn, PlaceKind.GATE, gate)
    row = {"id": station, "gate": gate, "lane": lane, "password": secrets.token_urlsafe(24), "added_at": datetime.now(UTC)}
    _insert(conn, tables.stations, row)
    access.grant_access(conn, located, pid_file)


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


def _change(conn: sa.Connection, kind: PlaceKind, id: str, **values: object) -> None:
    table, above = _TABLES[kind]
    if above is not None and above in values:
        _require(conn, above, str(values[above]))
    if conn.execute(sa.update(table).where(table.c.id == id).values(**values)).rowcount == 0:
        raise RegistryError(f"no {kind} {id[:80]!r}: see `hub place list {kind}`")
    meta.bump(conn)


def _insert(conn: sa.Connection, table: sa.Table, values: dict[str, object]) -> None:
    if conn.scalar(sa.select(table.c.id).where(table.c.id == values["id"])) is not None:
        raise RegistryError(f"id {values['id']!r} is taken among the {table.name}: choose another")
    conn.execute(sa.insert(table).values(**values))
    meta.bump(conn)


def _require(conn: sa.Connection, kind: PlaceKind, id: str) -> None:
    table = _TABLES[kind][0]
    if conn.scalar(sa.select(table.c.id).where(table.c.id == id)) is None:
        known = ", ".join(conn.scalars(sa.select(table.c.id).order_by(table.c.id).limit(10))) or "none yet"
        raise RegistryError(f"no {kind} {id!r}: add it first (`hub place add {kind}`); there are: {known}")


def _check_id(what: str, id: str) -> None:
    if not is_id(id):
        raise RegistryError(
            f"{what} id {id[:80]!r}: an id is letters, digits, _ and -, begins with a letter or digit, 64 at most"
        )


def _named(name: str) -> str:
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise RegistryError(f"name {name[:80]!r}: a name has 1 to 200 printable characters")
    return name.strip()


def _person(name: str) -> str:
    if len(name) > 200 or not name.isprintable():
        raise RegistryError(f"{name[:80]!r}: who to call has 200 printable characters at most")
    return name.strip()


def _hours(schedule: Sequence[tuple[int, int]]) -> list[list[int]]:
    for begins, ends in schedule:
        if not (0 <= begins < 1440 and 0 <= ends <= 1440 and begins != ends):
            raise RegistryError(f"opening hours {begins} to {ends}: two different minutes of the day, from 0 to 1440")
    return [list(hours) for hours in schedule]
