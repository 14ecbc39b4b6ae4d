"""Settings of stations, made at places, sent to each station as one `Config` and answered in its journal."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from contract.codec import BadMessage, encode
from contract.events import SettingsChanged, decode_event
from contract.messages import Config as Message
from contract.station_settings import SETTINGS, Value, check
from hub.registry.errors import RegistryError
from hub.rules import compliance
from hub.rules.settings_by_place import EVERYWHERE, Config, ConfigState, Decided, Given, Level, Spot, chain, resolve, state
from hub.store import meta
from hub.store.running import station_configs, station_settings
from hub.store.tables import areas, committees, compounds, events, gates, pulses, stations
from hub.store.writing import upsert

_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_MANY = 500
"""Ids in one query: SQLite and PostgreSQL both bound the number of parameters."""
_LEVELS: tuple[tuple[Level, sa.Table, sa.ColumnElement[str], Level], ...] = (
    (Level.AREA, areas, sa.literal(""), Level.ALL), (Level.COMMITTEE, committees, committees.c.area, Level.AREA),
    (Level.COMPOUND, compounds, compounds.c.committee, Level.COMMITTEE), (Level.GATE, gates, gates.c.compound, Level.COMPOUND),
)  # fmt: skip
"""Each level with its table, the place that one of them lies in, and that one's level."""


class Tree(compliance.Value, frozen=True, kw_only=True):
    """Every place at which settings can be made, by name, and what each lies in."""

    names: Mapping[Spot, str]
    above: Mapping[Spot, Spot]

    def below(self, spot: Spot) -> list[Spot]:
        """The places right in it, by name."""
        return sorted((one for one, within in self.above.items() if within == spot), key=lambda one: (self.names[one], one))


class StationConfig(compliance.Value, frozen=True, kw_only=True):
    """A station: what is wanted of it, and what has become of that."""

    station: str
    lane: str
    gate: str
    online: bool
    wanted: Mapping[str, Value]
    sent: Config | None

    @property
    def state(self) -> ConfigState:
        """What has become of it."""
        return state(self.wanted, self.sent)


def load_tree(conn: sa.Connection) -> Tree:
    """All places."""
    names, above = {EVERYWHERE: ""}, {}
    for level, table, within, level_above in _LEVELS:
        for id, name, place in conn.execute(sa.select(table.c.id, table.c.name, within)):
            spot = Spot(level, id)
            names[spot], above[spot] = name, Spot(level_above, place)
    return Tree(names=names, above=above)


def require(tree: Tree, spot: Spot) -> None:
    """Raises `RegistryError` for a place that is not there."""
    if spot not in tree.names:
        raise RegistryError(f"no {spot.level} {spot.id[:80]!r}: see `hub place list {spot.level}`")


def load_given(conn: sa.Connection) -> Given:
    """Every setting that was made; what this version can't set is passed over."""
    found: dict[Spot, dict[str, Decided]] = {}
    for row in conn.execute(sa.select(station_settings)):
        if check(row.name, row.value) is None:
            spot = Spot(Level(row.kind), row.place)
            made = Decided(name=row.name, value=row.value, spot=spot, at=row.changed_at, by=row.changed_by)
            found.setdefault(spot, {})[row.name] = made
    return found


def put(conn: sa.Connection, spot: Spot, name: str, value: Value, by: str, at: datetime) -> None:
    """Make a setting at a place. Raises `RegistryError` for a place, a setting or a value that there is not."""
    problem = check(name, value)
    if problem is not None:
        raise RegistryError(problem.said)
    require(load_tree(conn), spot)
    row = {"kind": spot.level.value, "place": spot.id, "name": name, "value": value, "changed_at": at, "changed_by": by}
    upsert(conn, station_settings, [row])
    meta.bump(conn)


def clear(conn: sa.Connection, spot: Spot, name: str) -> bool:
    """Decide nothing here, so that the next place above decides; False when nothing was set here. Raises `RegistryError`."""
    if name not in SETTINGS:
        raise RegistryError(f"no setting {name[:64]!r}; there are: {', '.join(SETTINGS)}")
    require(load_tree(conn), spot)
    table = station_settings.c
    here = (table.kind == spot.level.value) & (table.place == spot.id) & (table.name == name)
    gone = conn.execute(sa.delete(station_settings).where(here)).rowcount > 0
    if gone:
        meta.bump(conn)
    return gone


def effective(conn: sa.Connection, station: str) -> dict[str, Decided]:
    """What is decided for a station, by name. Raises `RegistryError` for one that is not there."""
    gate = conn.scalar(sa.select(stations.c.gate).where(stations.c.id == station))
    if gate is None:
        raise RegistryError(f"no station {station[:80]!r}: see `hub station list`")
    return resolve(chain(Spot(Level.GATE, gate), load_tree(conn).above), load_given(conn))


def standing(conn: sa.Connection, tree: Tree | None = None, given: Given | None = None) -> list[StationConfig]:
    """Every station with what is wanted of it and what became of that, by id."""
    tree, given = tree or load_tree(conn), given if given is not None else load_given(conn)
    columns = (stations.c.id, stations.c.lane, stations.c.gate, pulses.c.online)
    configs = (station_configs.c.settings, station_configs.c.sent_at, station_configs.c.answered_at, station_configs.c.detail)
    joined = stations.outerjoin(station_configs).outerjoin(pulses, pulses.c.station == stations.c.id)
    rows = conn.execute(sa.select(*columns, *configs).select_from(joined).order_by(stations.c.id)).all()
    wanted = {gate: _values(resolve(chain(Spot(Level.GATE, gate), tree.above), given)) for gate in {row.gate for row in rows}}
    return [
        StationConfig(
            station=row.id, lane=row.lane, gate=row.gate, online=bool(row.online), wanted=wanted[row.gate],
            sent=None if row.sent_at is None else _config(row._mapping),
        )
        for row in rows
    ]  # fmt: skip


def claim(conn: sa.Connection, now: datetime) -> int:
    """Note for every station whose settings have changed what it is sent from now on; how many there are.

    That comes before the sending, so that no answer arrives for what nobody noted.
    """
    changed = [one for one in standing(conn) if one.state is ConfigState.WAITING]
    rows = [
        {
            "station": one.station, "settings": dict(one.wanted), "answered_at": None, "ok": None, "detail": "",
            "sent_at": max(now, one.sent.sent_at + _TICK) if one.sent else now,
        }
        for one in changed
    ]  # fmt: skip
    upsert(conn, station_configs, rows)
    if rows:
        meta.bump(conn)
    return len(rows)


def message(sent: Config) -> Message:
    """The message that a station gets; sent again it is the same, to the id."""
    return Message(id=_config_id(sent.sent_at), settings=dict(sent.settings))


def answered(conn: sa.Connection, station: str, said: SettingsChanged, at: datetime) -> None:
    """Keep a station's answer; one to what is no longer wanted is of no account."""
    sent_at = conn.scalar(sa.select(station_configs.c.sent_at).where(station_configs.c.station == station))
    if said.config is None or sent_at is None or _config_id(sent_at) != said.config:
        return
    refused = encode(said.refused).decode() if said.refused else ""
    mine = (station_configs.c.station == station) & station_configs.c.answered_at.is_(None)
    conn.execute(sa.update(station_configs).where(mine).values(answered_at=at, ok=not said.refused, detail=refused))


def changed_here(conn: sa.Connection, known: Collection[StationConfig]) -> dict[str, dict[str, Value]]:
    """By station, what of the hub's settings was set otherwise at its own screen since it took them up."""
    taken = {one.station: one.sent for one in known if one.sent and one.sent.answered_at and one.sent.settings}
    found: dict[str, dict[str, Value]] = {}
    for station, body, at in _settings_events(conn, taken):
        sent = taken[station]
        if sent.answered_at is not None and at > sent.answered_at and body.config is None and not body.renewed:
            mine = {name: value for name, value in body.settings.items() if name in sent.settings}
            found[station] = {**found.get(station, {}), **mine}
    return {station: values for station, values in found.items() if values}


def _settings_events(conn: sa.Connection, taken: Mapping[str, Config]) -> Iterable[tuple[str, SettingsChanged, datetime]]:
    if not taken:
        return
    since = min(sent.answered_at for sent in taken.values() if sent.answered_at)
    query = sa.select(events.c.station, events.c.body, events.c.at).where(events.c.kind == "settings", events.c.at > since)
    ids = sorted(taken)
    for n in range(0, len(ids), _MANY):
        for row in conn.execute(query.where(events.c.station.in_(ids[n : n + _MANY])).order_by(events.c.at, events.c.seq)):
            try:
                body = decode_event(row.body.encode()).body
            except BadMessage:
                continue
            if isinstance(body, SettingsChanged):
                yield row.station, body, row.at


def _values(decided: Mapping[str, Decided]) -> dict[str, Value]:
    return {name: decided[name].value for name in SETTINGS if name in decided}


def _config(told: Any) -> Config:
    refused = msgspec.json.decode(told["detail"], type=dict[str, str]) if told["detail"] else {}
    return Config(settings=told["settings"], sent_at=told["sent_at"], answered_at=told["answered_at"], refused=refused)


def _config_id(sent_at: datetime) -> str:
    return str((sent_at - _EPOCH) // _TICK)
