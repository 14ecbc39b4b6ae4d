"""`hub booking`: vehicles and crews that may come."""

from datetime import UTC, datetime, tzinfo
from pathlib import Path

import click
import msgspec

from hub import audit
from hub.commands.common import config_option, json_option, opened, print_either
from hub.registry import bookings

BY = "cli"
_HEAD = ("id", "compound", "kind", "plate", "crew", "dwelling", "opens", "closes", "note", "cancelled_at")
_TIME = click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def booking() -> None:
    """Removal vans, workers and guests that a committee has let come."""


@booking.command("add")
@config_option
@click.option("--compound", required=True)
@click.option("--kind", type=click.Choice(bookings.KINDS), required=True)
@click.option("--opens", type=_TIME, required=True, help="From when, in local time: 2026-11-24 09:00.")
@click.option("--closes", type=_TIME, required=True, help="Until when.")
@click.option("--plate", default="", help="The vehicle's.")
@click.option("--crew", type=int, default=0, help="How many people; 0: not said.")
@click.option("--dwelling", default="", help="For whom: building and room.")
@click.option("--note", default="")
@json_option
def add_booking(
    config: Path, kind: str, opens: datetime, closes: datetime, crew: int, as_json: bool, compound: str, **texts: str
) -> None:
    """Let a vehicle or a crew come for a time; the compound's stations know within a second."""
    with opened(config) as (located, engine), engine.begin() as conn:
        made = bookings.add(
            conn, compound=compound, kind=kind, opens=opens.replace(tzinfo=located.zone),
            closes=closes.replace(tzinfo=located.zone), crew=crew, by=BY, now=datetime.now(UTC), **texts,
        )  # fmt: skip
        audit.note(conn, BY, "add", "booking", made.id, {"compound": compound})
    _print(as_json, located.zone, [made])


@booking.command("list")
@config_option
@click.option("--compound")
@click.option("--all", "all_", is_flag=True, help="Past and cancelled ones too.")
@json_option
def list_bookings(config: Path, compound: str | None, all_: bool, as_json: bool) -> None:
    """List the bookings that are still to come or open, the soonest first."""
    with opened(config) as (located, engine), engine.connect() as conn:
        found = bookings.list_bookings(conn, compound, None if all_ else datetime.now(UTC))
    _print(as_json, located.zone, found)


@booking.command("cancel")
@config_option
@click.argument("id")
@json_option
def cancel_booking(config: Path, id: str, as_json: bool) -> None:
    """Take a booking back."""
    with opened(config) as (located, engine), engine.begin() as conn:
        cancelled = bookings.cancel(conn, id, BY, datetime.now(UTC))
        audit.note(conn, BY, "cancel", "booking", id, {"compound": cancelled.compound})
    _print(as_json, located.zone, [cancelled])


def _print(as_json: bool, zone: tzinfo, found: list[bookings.Booked]) -> None:
    records = [msgspec.structs.asdict(one) for one in found]
    local = [{key: v.astimezone(zone) if isinstance(v, datetime) else v for key, v in record.items()} for record in records]
    print_either(as_json, _HEAD, local)
