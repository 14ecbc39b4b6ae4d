"""`hub place` and `hub station`: what there is to guard, and the stations that guard it."""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import sqlalchemy as sa

from hub import audit
from hub.commands.common import config_option, json_option, opened, print_either, print_json
from hub.config import Located
from hub.cutting import end_now
from hub.registry import places, station_certificates
from hub.registry.access import grant_access
from hub.registry.cut_offs import cut_offs
from hub.registry.cutting_off import cut_off, let_in_again
from hub.registry.errors import RegistryError
from hub.registry.kit import StationKit, keyed_kit, make_kit, require_free, write_kit, write_kit_folder
from hub.registry.places import PlaceKind
from hub.registry.station_certificates import StationCertificate
from hub.store.writing import writing

_KINDS = click.Choice([kind.value for kind in PlaceKind])
_output = click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to write its kiosk.toml alone.")
_out = click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False),
    help="A folder for its whole kit: kiosk.toml, the broker's authority and, over TLS, a key and a new certificate.",
)  # fmt: skip
_pid_file = click.option(
    "--pid-file", type=click.Path(path_type=Path), help="Mosquitto's, to have it read its access files again."
)
BY = "cli"
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
@_pid_file
@_host
@_out
@_output
@json_option
def add_station(
    config: Path, id: str, gate: str, lane: str, pid_file: Path | None, broker_host: str | None, out: Path | None,
    output: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Add a station, let it onto the broker, and write its kit."""
    if output is not None and output.exists():
        raise RegistryError(f"{output} is there already: name another file, or move that one away")
    if out is not None:
        require_free(out)
    with opened(config) as (located, engine):
        kit = places.add_station(engine, located, id, gate, lane, host=broker_host, pid_file=pid_file)
        if out is not None:
            kit = _make_folder(engine, located, id, out, broker_host, pid_file)
    _hand_over(kit, out or output, as_json, written=out is not None)


@station.command("kit")
@config_option
@click.argument("id")
@_pid_file
@_host
@_out
@_output
@json_option
def station_kit(
    config: Path, id: str, pid_file: Path | None, broker_host: str | None, out: Path | None, output: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Write a station's kiosk.toml again, with the keys of today; with --out all of its kit, in the place of the one before."""
    if out is not None:
        require_free(out)
    with opened(config) as (located, engine):
        if out is not None:
            kit = _make_folder(engine, located, id, out, broker_host, pid_file)
        else:
            with engine.connect() as conn:
                kit = make_kit(conn, located, id, broker_host)
    _hand_over(kit, out or output, as_json, written=out is not None)


@station.command("revoke")
@config_option
@click.argument("id")
@click.option("--reason", required=True, help="Why, such as `stolen`; it is kept.")
@_pid_file
@json_option
def revoke_station(config: Path, id: str, reason: str, pid_file: Path | None, as_json: bool) -> None:
    """Cut a station off, a stolen one: certificates revoked, out of service, its session ended. Harmless when run again."""
    with opened(config) as (located, engine):
        with writing(engine) as conn:
            made = cut_off(conn, located, id, BY, reason, datetime.now(UTC), pid_file=pid_file)
            audit.note(conn, BY, "cut_off", "station", id)
        ended = end_now(engine, located, id)
    if as_json:
        print_json({"station": id, "at": made.at, "by": made.by, "reason": made.reason, "ended": ended})
    elif ended:
        click.echo(f"{id}: cut off; its session has ended")
    else:
        click.echo(
            f"{id}: cut off, but the broker has not read its access files again: have it do so (SIGHUP), and run this again"
        )


@station.command("certificates")
@config_option
@click.option("--revoked", is_flag=True, help="Those as well that are revoked.")
@json_option
def list_certificates(config: Path, revoked: bool, as_json: bool) -> None:
    """List the stations' certificates with their ends."""
    now = datetime.now(UTC)
    with opened(config) as (_, engine), engine.connect() as conn:
        found = station_certificates.list_certificates(conn) if revoked else station_certificates.standing(conn)
    print_either(as_json, ("station", "state", "until", "issued", "reason", "serial"), [
        {
            "station": one.station, "state": _state(one, now), "until": one.not_after, "issued": one.issued_at,
            "reason": one.reason, "serial": one.serial,
        }
        for one in sorted(found, key=lambda one: one.station)
    ])  # fmt: skip


def _state(one: StationCertificate, now: datetime) -> str:
    if one.revoked_at is not None:
        return "revoked"
    if one.not_after <= now:
        return "ended"
    return "due" if one.is_due(now) else "good"


def _make_folder(
    engine: sa.Engine, located: Located, id: str, out: Path, host: str | None, pid_file: Path | None
) -> StationKit:  # fmt: skip
    """The broker is told last: what comes before can fail, and then nothing has changed."""
    with writing(engine) as conn:
        if located.settings.stations.ca_file is None:
            let_in_again(conn, id)
            kit = make_kit(conn, located, id, host)
        else:
            kit = keyed_kit(conn, located, id, datetime.now(UTC), by=BY, host=host)
        write_kit_folder(kit, out)
        audit.note(conn, BY, "make_kit", "station", id)
        grant_access(conn, located, pid_file)
    return kit


@station.command("list")
@config_option
@json_option
def list_stations(config: Path, as_json: bool) -> None:
    """List the stations, never their passwords."""
    with opened(config) as (_, engine), engine.connect() as conn:
        out = cut_offs(conn)
        found = [msgspec.structs.asdict(s) | {"cut_off": s.id in out} for s in places.list_stations(conn)]
    print_either(as_json, ("id", "gate", "gate_name", "compound", "lane", "in_service", "cut_off"), found)


def _hand_over(kit: StationKit, output: Path | None, as_json: bool, *, written: bool = False) -> None:
    if output is not None and not written:
        write_kit(kit, output)
    if as_json:
        public = {"station": kit.station, "gate": kit.gate, "compound": kit.compound, "lane": kit.lane}
        print_json(public | ({"config_file": str(output)} if output else {"config": kit.config}))
    else:
        click.echo(f"{kit.station}: {output}" if output else kit.config, nl=output is not None)
