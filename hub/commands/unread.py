"""`hub unread`: what stations said that could not be read."""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from hub import audit, unread
from hub.commands.common import config_option, json_option, opened, print_either
from hub.registry.errors import RegistryError
from hub.store.writing import writing

BY = "cli"
MOST = 500
_HEAD = ("id", "at", "station", "channel", "size", "readable", "reason")


@click.group("unread")
def unread_() -> None:
    """What stations said that could not be read: look, read again, set aside."""


@unread_.command("list")
@config_option
@json_option
def list_unread(config: Path, as_json: bool) -> None:
    """List what waits, the newest first."""
    with opened(config) as (located, engine), engine.connect() as conn:
        found = [msgspec.structs.asdict(one) for one in unread.listed(conn, MOST)]
    local = [one if as_json else one | {"at": one["at"].astimezone(located.zone)} for one in found]
    print_either(as_json, _HEAD, local)


@unread_.command("show")
@config_option
@click.argument("id")
def show_unread(config: Path, id: str) -> None:
    """Print one as it came; bytes that are no text as \\xNN."""
    with opened(config) as (_, engine), writing(engine) as conn:
        found = unread.content(conn, id)
        audit.note(conn, BY, "look", "unread", id)
    click.echo(found.decode("utf-8", "backslashreplace"))


@unread_.command("again")
@config_option
@click.argument("ids", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All that can be.")
@json_option
def read_again(config: Path, ids: tuple[str, ...], all_: bool, as_json: bool) -> None:
    """Read some again with today's program, such as after an update of the hub."""
    if bool(ids) is all_:
        raise RegistryError("name those to read again (`hub unread list`), or --all")
    with opened(config) as (_, engine), writing(engine) as conn:
        wanted = [one.id for one in unread.listed(conn, MOST) if one.readable] if all_ else list(ids)
        failed = unread.read_again(conn, wanted, BY, datetime.now(UTC))
        audit.note(conn, BY, "read_again", "unread", "" if all_ else wanted[0], {"count": len(wanted) - len(failed)})
    print_either(
        as_json, ("id", "read", "reason"), [{"id": id, "read": id not in failed, "reason": failed.get(id)} for id in wanted]
    )


@unread_.command("aside")
@config_option
@click.argument("id")
@click.argument("reason")
def set_aside(config: Path, id: str, reason: str) -> None:
    """Take one out of the list, with a word why. It stays in the store."""
    with opened(config) as (_, engine), writing(engine) as conn:
        unread.set_aside(conn, id, reason, BY, datetime.now(UTC))
        audit.note(conn, BY, "set_aside", "unread", id)
