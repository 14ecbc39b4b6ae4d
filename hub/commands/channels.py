"""`hub channel`: where alerts are sent."""

from datetime import UTC, datetime
from pathlib import Path

import click

from hub import audit, channels, outward
from hub.commands.common import Plain, config_option, json_option, opened, print_either
from hub.registry.errors import RegistryError
from hub.rights import Role, Scope, ScopeKind
from hub.rules.alerting import Kind

BY = "cli"


@click.group()
def channel() -> None:
    """Where alerts are sent: a group, a mailbox, another program."""


@channel.command("add")
@config_option
@click.argument("name")
@click.argument("address", required=False)
@click.option("--role", type=click.Choice([role.value for role in channels.ROLES]), default=Role.LIAISON.value, show_default=True)
@click.option("--place", default=ScopeKind.ALL.value, show_default=True, help="all, area:ID, committee:ID or compound:ID.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice([kind.value for kind in Kind]), help="Several; none: every kind."
)
def add_channel(config: Path, name: str, address: str | None, role: str, place: str, kinds: tuple[str, ...]) -> None:
    """Add a channel: hub channel add 东片区联络员群 wecombot://KEY --place area:east. Without ADDRESS it is asked for, unseen."""
    scope = _scope(place)
    said = address or click.prompt("address", hide_input=True)
    with opened(config) as (located, engine), engine.begin() as conn:
        id = channels.add(conn, name, said, role, scope, kinds, datetime.now(UTC))
        outward.check(said.strip(), located.settings.alerts.local_hosts)
        audit.note(conn, BY, "add", "channel", id, {"role": role, "scope": place, "kinds": list(kinds)})
    click.echo(id)


@channel.command("list")
@config_option
@json_option
def list_channels(config: Path, as_json: bool) -> None:
    """List the channels; of an address only the service and its end."""
    with opened(config) as (_, engine), engine.connect() as conn:
        found = [
            {
                "id": one.id, "name": one.name, "role": one.role.value, "place": _shown(one.scope),
                "kinds": " ".join(one.kinds), "address": channels.shown_address(conn, one.id),
                "failed_at": one.failed_at, "failure": one.failure,
            }
            for one in channels.list_channels(conn)
        ]  # fmt: skip
    print_either(as_json, ("id", "name", "role", "place", "kinds", "address", "failed_at", "failure"), found)


@channel.command("test")
@config_option
@click.argument("id")
def test_channel(config: Path, id: str) -> None:
    """Send a line to a channel at once."""
    from hub.sending import send_test

    with opened(config) as (located, engine):
        failure = send_test(engine, located, id, datetime.now(UTC))
    if failure:
        raise Plain(failure)
    click.echo("sent")


@channel.command("remove")
@config_option
@click.argument("id")
def remove_channel(config: Path, id: str) -> None:
    """Take a channel out of use, and forget its address."""
    with opened(config) as (_, engine), engine.begin() as conn:
        found = channels.remove(conn, id, datetime.now(UTC))
        audit.note(conn, BY, "remove", "channel", id)
    click.echo(found.name)


def _scope(text: str) -> Scope:
    kind, _, place = text.partition(":")
    if kind not in set(ScopeKind) or bool(place) is (kind == ScopeKind.ALL):
        raise RegistryError(f"place {text[:80]!r}: it may be all, area:ID, committee:ID or compound:ID")
    return Scope(ScopeKind(kind), place)


def _shown(scope: Scope) -> str:
    return f"{scope.kind}:{scope.place}" if scope.place else scope.kind.value
