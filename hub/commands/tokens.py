"""`hub token`: what other programs open the API with."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from hub import audit, tokens
from hub.commands.common import config_option, json_option, opened, print_either
from hub.rights import Action

_HEAD = ("id", "name", "account", "actions", "expires_at", "used_at", "revoked_at")


@click.group()
def token() -> None:
    """Tokens for other programs."""


@token.command("add")
@config_option
@click.argument("name")
@click.option("--account", required=True, help="Whose rights and compounds it has at most.")
@click.option("--may", "actions", type=click.Choice([action.value for action in tokens.USEFUL]), multiple=True,
              default=[Action.VIEW.value], show_default=True, help="What it may do; can be given again.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="After so many it is over.")
def add_token(config: Path, name: str, account: str, actions: tuple[str, ...], days: int) -> None:
    """Make a token for the program NAME and print it, this once."""
    now = datetime.now(UTC)
    with opened(config) as (_, engine), engine.begin() as conn:
        wanted = [Action(action) for action in actions]
        id, secret = tokens.add(conn, name=name, account=account, actions=wanted, at=now, expires_at=now + timedelta(days=days))
        audit.note(conn, "cli", "add", "token", id, {"account": account, "actions": sorted(wanted)}, at=now)
    click.echo(secret)


@token.command("list")
@config_option
@json_option
def list_tokens(config: Path, as_json: bool) -> None:
    """List the tokens, never the tokens themselves."""
    with opened(config) as (located, engine), engine.connect() as conn:
        found = tokens.listed(conn)
    records = [
        {
            "id": one.id, "name": one.name, "account": one.account, "actions": ", ".join(sorted(one.actions)),
            **{n: at and at.astimezone(located.zone) for n in _HEAD[4:] for at in [getattr(one, n)]},
        }
        for one in found
    ]  # fmt: skip
    print_either(as_json, _HEAD, records)


@token.command("revoke")
@config_option
@click.argument("id")
def revoke_token(config: Path, id: str) -> None:
    """End a token at once."""
    now = datetime.now(UTC)
    with opened(config) as (_, engine), engine.begin() as conn:
        tokens.revoke(conn, id, now)
        audit.note(conn, "cli", "revoke", "token", id, at=now)
