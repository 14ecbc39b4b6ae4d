"""`hub run` and its parts, `hub status`, `hub demo`."""

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hub.commands.common import config_option, json_option, opened, print_either, print_json
from hub.store import migrate

PARTS = ("ingest", "scheduler", "web")


@click.command()
@config_option
def run(config: Path) -> None:
    """Run the whole hub: ingest, scheduler and pages, each a process of its own."""
    from hub.supervisor import until_signalled

    _log()
    with opened(config) as (_, engine):
        migrate(engine)
    until_signalled({part: [sys.executable, "-m", "hub.cli", part, "--config", str(config)] for part in PARTS})


@click.command()
@config_option
def ingest(config: Path) -> None:
    """Take in what the stations send, until told to stop."""
    from hub.ingest import run_ingest

    _log()
    with opened(config) as (located, _):
        run_ingest(located)


@click.command()
@config_option
def scheduler(config: Path) -> None:
    """Tell the stations what changed, until told to stop."""
    from hub.scheduler import run_scheduler

    _log()
    with opened(config) as (located, _):
        run_scheduler(located)


@click.command()
@config_option
def web(config: Path) -> None:
    """Serve the pages, until told to stop."""
    from hub.serve import run_web

    _log()
    with opened(config) as (located, _):
        run_web(located)


@click.command()
@config_option
@json_option
def status(config: Path, as_json: bool) -> None:
    """Say which gate lacks which of its five; one JSON object a gate."""
    from hub.status import as_json as gate_json
    from hub.status import overview

    with opened(config) as (located, engine):
        seen = overview(engine, located.lifetimes, datetime.now(UTC), zone=located.zone)
    gates = [gate_json(gate) for gate in seen.gates]
    if seen.blind_since is not None:
        click.echo(f"the hub itself hears nothing since {seen.blind_since.astimezone(located.zone):%Y-%m-%d %H:%M}", err=True)
    if as_json:
        for gate in gates:
            print_json(gate)
    else:
        print_either(False, ("compound", "gate", "name", "status", "missing"), [_row(gate) for gate in gates])


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), default=Path("var/demo"), show_default=True)
@click.option("--camera", help="A real camera for the first gate, such as 0.")
@click.option("--sub-district", is_flag=True, help="The hub alone, over 123 seeded compounds and 14 days.")
def demo(data: Path, camera: str | None, sub_district: bool) -> None:
    """Show the whole thing on this machine, with emulated cameras and thermometers."""
    if sub_district:
        from hub.demo.district.show import show

        show(data / "sub-district")
        return
    from hub.demo import run as run_demo

    run_demo(data, camera=camera)


def _row(gate: dict[str, Any]) -> dict[str, Any]:
    missing = ", ".join(item for item, found in gate["items"].items() if not found["present"])
    return {
        "compound": gate["compound"],
        "gate": gate["gate"],
        "name": gate.get("gate_name"),
        "status": gate["status"],
        "missing": missing,
    }


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
