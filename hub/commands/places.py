"""`hub place` and `hub station`: what there is to guard, and the stations that guard it."""

from pathlib import Path

import click
import msgspec

from hub.commands.common import config_option, json_option, opened, print_either, print_json
from hub.registry import places
from hub.registry.errors import RegistryError
from hub.registry.kit import StationKit, make_kit, write_kit
from hub.registry.places import PlaceKind

_KINDS = click.Choice([kind.value for kind in PlaceKind])
_output = click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to write its kiosk.toml.")
_host = click.option("--broker-host", help="The broker's name as the station reaches it; else as the hub does.")


@click.group()
def place() -> None:
    """Areas, committees, compounds and gates."""


@place.command("add")
@config_option
@click.argument("kind", type=_KINDS)
@click.argument("id")
@click.argument("name")
@click.option("--in", "parent", default="", help="The id of the area, committee or compound it is in.")
def add_place(config: Path, kind: str, id: str, name: str, parent: str) -> None:
    """Add one: hub place add gate east 东门 --in hongmei."""
    with opened(config) as (_, engine), engine.begin() as conn:
        places.add_place(conn, PlaceKind(kind), id, name, parent)


@place.command("list")
@config_option
@click.argument("kind", type=_KINDS)
@json_option
def list_places(config: Path, kind: str, as_json: bool) -> None:
    """List all of one kind."""
    with opened(config) as (_, engine), engine.connect() as conn:
        found = [{"id": p.id, "name": p.name, "in": p.parent} for p in places.list_places(conn, PlaceKind(kind))]
    print_either(as_json, ("id", "name", "in"), found)


@click.group()
def station() -> None:
    """The stations at the gates."""


@station.command("add")
@config_option
@click.argument("id")
@click.option("--gate", required=True, help="The id of the gate it guards.")
@click.option("--lane", default="1", show_default=True)
@click.option("--pid-file", type=click.Path(path_type=Path), help="Mosquitto's, to have it read its access files again.")
@_host
@_output
@json_option
def add_station(
    config: Path,
    id: str,
    gate: str,
    lane: str,
    pid_file: Path | None,
    broker_host: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Add a station, let it onto the broker, and write its kiosk.toml."""
    if output is not None and output.exists():
        raise RegistryError(f"{output} is there already: name another file, or move that one away")
    with opened(config) as (located, engine):
        kit = places.add_station(engine, located, id, gate, lane, host=broker_host, pid_file=pid_file)
    _hand_over(kit, output, as_json)


@station.command("kit")
@config_option
@click.argument("id")
@_host
@_output
@json_option
def station_kit(config: Path, id: str, broker_host: str | None, output: Path | None, as_json: bool) -> None:
    """Write a station's kiosk.toml again, with the keys of today."""
    with opened(config) as (located, engine), engine.connect() as conn:
        kit = make_kit(conn, located, id, broker_host)
    _hand_over(kit, output, as_json)


@station.command("list")
@config_option
@json_option
def list_stations(config: Path, as_json: bool) -> None:
    """List the stations, never their passwords."""
    with opened(config) as (_, engine), engine.connect() as conn:
        found = [msgspec.structs.asdict(s) for s in places.list_stations(conn)]
    print_either(as_json, ("id", "gate", "gate_name", "compound", "lane", "in_service"), found)


def _hand_over(kit: StationKit, output: Path | None, as_json: bool) -> None:
    if output is not None:
        write_kit(kit, output)
    if as_json:
        public = {"station": kit.station, "gate": kit.gate, "compound": kit.compound, "lane": kit.lane}
        print_json(public | ({"config_file": str(output)} if output else {"config": kit.config}))
    else:
        click.echo(f"{kit.station}: {output}" if output else kit.config, nl=output is not None)
