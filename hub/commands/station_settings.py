"""`hub settings`: what stations are told to set, by place."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from contract.station_settings import SETTINGS, typed
from hub import audit, station_settings
from hub.commands.common import config_option, json_option, opened, print_either
from hub.registry.errors import RegistryError
from hub.rules.settings_by_place import EVERYWHERE, Level, Spot, chain, resolve
from hub.store.writing import writing

BY = "cli"
_LEVELS = (Level.AREA, Level.COMMITTEE, Level.COMPOUND, Level.GATE)


def _place(command: Any) -> Any:
    """The options that name a place; none: the whole sub-district."""
    for level in reversed(_LEVELS):
        command = click.option(f"--{level.value}", help=f"One {level.value}, by its id.")(command)
    return command


@click.group("settings")
def settings() -> None:
    """Loudness, brightness and more of the stations of a place."""


@settings.command("list")
@config_option
@_place
@click.option("--stations", "of_stations", is_flag=True, help="What each station there made of it, instead.")
@json_option
def list_settings(config: Path, of_stations: bool, as_json: bool, **place: str | None) -> None:
    """List what is in force at a place, and whose word it is; the nearest place decides."""
    spot = _spot(place)
    with opened(config) as (_, engine), engine.connect() as conn:
        if of_stations:
            print_either(as_json, ("station", "gate", "state", "sent_at", "answered_at", "refused"), _stations(conn, spot))
        else:
            _print(conn, spot, as_json)


@settings.command("set")
@config_option
@click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE…")
@_place
@json_option
def set_settings(config: Path, values: tuple[str, ...], as_json: bool, **place: str | None) -> None:
    """Set some: hub settings set loudness=80 brightness=60 --area east."""
    spot = _spot(place)
    with opened(config) as (_, engine), writing(engine) as conn:
        for name, value in map(_pair, values):
            station_settings.put(conn, spot, name, typed(name, value), BY, datetime.now(UTC))
            audit.note(conn, BY, "set_setting", spot.level.value, spot.id, {"setting": name, "value": value})
        _print(conn, spot, as_json)


@settings.command("clear")
@config_option
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@_place
@json_option
def clear_settings(config: Path, names: tuple[str, ...], as_json: bool, **place: str | None) -> None:
    """Take some back, so that the next place above decides: hub settings clear loudness --gate west."""
    spot = _spot(place)
    with opened(config) as (_, engine), writing(engine) as conn:
        for name in names:
            if not station_settings.clear(conn, spot, name):
                raise RegistryError(f"{name} is not set there: see `hub settings list`")
            audit.note(conn, BY, "clear_setting", spot.level.value, spot.id, {"setting": name})
        _print(conn, spot, as_json)


def _print(conn: sa.Connection, spot: Spot, as_json: bool) -> None:
    decided = resolve(_chain(conn, spot), station_settings.load_given(conn))
    rows = [
        {
            "setting": name, "value": found.value if found else None, "from": _said(found.spot) if found else "station",
            "changed_at": found.at if found else None, "by": found.by if found else None, "allowed": SETTINGS[name].allowed,
        }
        for name in SETTINGS for found in (decided.get(name),)
    ]  # fmt: skip
    print_either(as_json, ("setting", "value", "from", "changed_at", "by", "allowed"), rows)


def _stations(conn: sa.Connection, spot: Spot) -> list[dict[str, Any]]:
    _chain(conn, spot)
    tree = station_settings.load_tree(conn)
    return [
        {
            "station": one.station, "gate": one.gate, "state": one.state.value, "wanted": one.wanted, "online": one.online,
            "sent_at": one.sent.sent_at if one.sent else None, "answered_at": one.sent.answered_at if one.sent else None,
            "refused": one.sent.refused or None if one.sent else None,
        }
        for one in station_settings.standing(conn, tree) if spot in chain(Spot(Level.GATE, one.gate), tree.above)
    ]  # fmt: skip


def _chain(conn: sa.Connection, spot: Spot) -> tuple[Spot, ...]:
    tree = station_settings.load_tree(conn)
    station_settings.require(tree, spot)
    return chain(spot, tree.above)


def _spot(place: dict[str, str | None]) -> Spot:
    named = [Spot(level, id) for level in _LEVELS if (id := place[level.value]) is not None]
    if len(named) > 1:
        raise RegistryError("name one place: an area, a committee, a compound or a gate; none is the whole sub-district")
    return named[0] if named else EVERYWHERE


def _said(spot: Spot) -> str:
    return "sub-district" if spot == EVERYWHERE else f"{spot.level.value}:{spot.id}"


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise RegistryError(f"{text[:80]!r}: write NAME=VALUE, such as loudness=80")
    return name.strip(), value
