"""`hub policy`: what gates do where practice differs."""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import sqlalchemy as sa

from hub import audit
from hub.commands.common import config_option, json_option, opened, print_either, print_json
from hub.registry import places, policies
from hub.registry.errors import RegistryError
from hub.registry.places import PlaceKind
from hub.registry.policies import EVERYWHERE

BY = "cli"
_compound = click.option("--compound", help="One compound; the whole sub-district when left out.")


@click.group()
def policy() -> None:
    """What gates do: couriers, questions, times."""


@policy.command("show")
@config_option
@_compound
@json_option
def show_policies(config: Path, compound: str | None, as_json: bool) -> None:
    """Show what is in force, and whose word it is."""
    with opened(config) as (_, engine), engine.connect() as conn:
        _print(conn, compound, as_json)


@policy.command("set")
@config_option
@click.argument("values", nargs=-1, required=True, metavar="KEY=VALUE…")
@_compound
@json_option
def set_policies(config: Path, values: tuple[str, ...], compound: str | None, as_json: bool) -> None:
    """Set some: hub policy set courier=visitor night=21:30-06:00. KEY=default takes one back."""
    with opened(config) as (_, engine), engine.begin() as conn:
        wanted = policies.parse(values)
        policies.change(conn, compound or EVERYWHERE, wanted, BY, datetime.now(UTC))
        for name, value in wanted.items():
            detail = {"policy": name, "value": "default" if value is None else policies.shown(name, value)}
            audit.note(conn, BY, "set_policy", "compound" if compound else "all", compound or "", detail)
        _print(conn, compound, as_json)


def _print(conn: sa.Connection, compound: str | None, as_json: bool) -> None:
    if compound is not None and compound not in {p.id for p in places.list_places(conn, PlaceKind.COMPOUND)}:
        raise RegistryError(f"no compound {compound!r}: see `hub place list compound`")
    told = policies.in_force(conn, compound or EVERYWHERE)
    if as_json:
        print_json({"compound": compound, **msgspec.structs.asdict(told)})
        return
    local, wide = policies.own(conn, compound or EVERYWHERE), policies.own(conn, EVERYWHERE)
    rows = [
        {"policy": name, "value": policies.shown(name, value), "from": _whose(name, compound, local, wide)}
        for name, value in msgspec.structs.asdict(told).items()
    ]
    print_either(False, ("policy", "value", "from"), rows)


def _whose(name: str, compound: str | None, local: policies.Values, wide: policies.Values) -> str:
    if compound is not None and name in local:
        return compound
    return "sub-district" if name in wide else "default"
