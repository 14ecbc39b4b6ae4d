"""`hub init` and `hub account`: a configuration, a store, keys, and who may look."""

import secrets
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from hub import audit, store
from hub.commands.common import config_option, json_option, opened, print_either, print_json, store_file, write_private
from hub.config import Located, load
from hub.registry import access, accounts, keys
from hub.registry.errors import RegistryError
from hub.rights import Role, Scope
from hub.rules.granting import end_of, last_day, read_scope, scope_text
from hub.store.writing import writing
from hub.vault import scrub, vault_of

TEMPLATE = """\
# The hub of one sub-district. Every key: docs/operations.md
name = "街道"                       # what the pages are headed with
issuer = "gp"                       # stands in each pass; short, since a small QR code is read from further away
timezone = "Asia/Shanghai"
language = "zh"                     # zh or en

[store]
url = "sqlite:///hub.db"            # or postgresql+psycopg://user:password@host/database

[broker]                            # any MQTT v5 broker
host = "127.0.0.1"
port = 1883
password = "{password}"
access = "mosquitto"                # where to write Mosquitto's access files; take it out for another broker
# ca_file = "ca.pem"                # the broker's certificate authority: TLS, everywhere but on loopback

[web]
host = "127.0.0.1"
port = 8800
secure_cookies = true               # false only where the pages are served on loopback without TLS

[five]                              # seconds
grace = 90                          # a gate silent for longer is unreachable
"""


@click.command()
@config_option
@click.option("--account", default="admin", show_default=True, help="The first account's id.")
def init(config: Path, account: str) -> None:
    """Make what is missing: configuration, store, keys, the first account. Harmless when run again."""
    if not config.exists():
        write_private(config, TEMPLATE.format(password=secrets.token_urlsafe(24)).encode())
        click.echo(f"配置 configuration  {config}")
    located = load(config)
    _make_store(located)
    with opened(config) as (located, engine):
        seal_keys(located, engine)
    with opened(config) as (located, engine), engine.begin() as conn:
        for key in keys.ensure_keys(conn):
            click.echo(f"密钥 key            {key.kid} ({key.use})")
        if not accounts.list_accounts(conn):
            password = accounts.add_account(conn, account, account, Role.ADMIN)
            click.echo(f"账号 account        {account}\n密码 password       {password}   (shown this once)")
        _let_hub_in(located, conn)


def seal_keys(located: Located, engine: sa.Engine) -> list[str]:
    """Make the secret if no key needs another, and encrypt the keys of before; returns their ids. Raises `RegistryError`."""
    vault = vault_of(located)
    with writing(engine) as conn:
        if not keys.any_sealed(conn) and vault.make_secret():
            click.echo(f"密钥保护 secret      {vault.path}   (keep a copy of it, but not with those of the store)")
        sealed = keys.seal_all(conn)
    for kid in sealed:
        click.echo(f"已加密 encrypted     {kid}")
    if sealed:
        scrub(engine)
    return sealed


def _make_store(located: Located) -> None:
    path = store_file(located)
    if path is not None and not path.exists():
        write_private(path, b"")
        click.echo(f"数据 store          {path}")
    engine = store.open_store(located.store_url)
    store.migrate(engine)
    engine.dispose()


def _let_hub_in(located: Located, conn: sa.Connection) -> None:
    try:
        access.grant_access(conn, located)
    except RegistryError as error:
        click.echo(f"注意 note: {error}", err=True)


def _read_scopes(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[Scope, ...]:
    try:
        return tuple(read_scope(value) for value in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_roles = click.Choice([role.value for role in Role])
_scope_option = click.option(
    "--scope", "scopes", callback=_read_scopes, multiple=True,
    help="What it answers for: all, area:ID, committee:ID or compound:ID; give it several times for several.",
)  # fmt: skip
_until_help = "The last day on which it can be used, such as 2026-03-31; a guest needs one."
BY = "cli"


@click.group()
def account() -> None:
    """Who may use the pages."""


@account.command("add")
@config_option
@click.argument("id")
@click.option("--name", default="", help="As the pages show it; the id when left out.")
@click.option("--role", type=_roles, default="liaison", show_default=True)
@_scope_option
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help=_until_help)
@click.option("--contact", default="", help="How to reach its owner; only administrators see it.")
@json_option
def add_account(
    config: Path, id: str, name: str, role: str, scopes: tuple[Scope, ...], until: datetime | None, contact: str, as_json: bool
) -> None:
    """Add an account and print its password, this once. Without --scope it answers for everything."""
    with opened(config) as (located, engine), writing(engine) as conn:
        end = end_of(until.date(), located.zone) if until else None
        wanted = scopes or accounts.EVERYWHERE
        password = accounts.add_account(conn, id, name, role, scopes=wanted, expires_at=end, contact=contact)
        audit.note(conn, BY, "add_account", "account", id, _told(accounts.require(conn, id), located))
    _print_password(as_json, id, password)


@account.command("change")
@config_option
@click.argument("id")
@click.option("--name", help="As the pages show it.")
@click.option("--role", type=_roles)
@_scope_option
@click.option("--until", help=_until_help + " `never`: it has no end.")
@click.option("--contact", help="How to reach its owner.")
@json_option
def change_account(
    config: Path, id: str, name: str | None, role: str | None, scopes: tuple[Scope, ...], until: str | None,
    contact: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Change what is given and leave the rest; several --scope take the place of those it had. Its sessions end."""
    with opened(config) as (located, engine), writing(engine) as conn:
        known = accounts.require(conn, id)
        accounts.change_account(
            conn, id, name=known.name if name is None else name, role=role or known.role, scopes=scopes or known.scopes,
            expires_at=known.expires_at if until is None else _end(until, located),
            contact=known.contact if contact is None else contact,
        )  # fmt: skip
        changed = accounts.require(conn, id)
        was, is_ = _told(known, located), _told(changed, located)
        audit.note(
            conn, BY, "change_account", "account", id,
            {key: {"was": was[key], "is": is_[key]} for key in is_ if was[key] != is_[key]},
        )  # fmt: skip
    _print_accounts(as_json, located, [changed])


@account.command("password")
@config_option
@click.argument("id")
@json_option
def reset_password(config: Path, id: str, as_json: bool) -> None:
    """Give an account another password and print it, this once. Its sessions end."""
    with opened(config) as (_, engine), writing(engine) as conn:
        password = accounts.set_password(conn, id)
        audit.note(conn, BY, "reset_password", "account", id)
    _print_password(as_json, id, password)


@account.command("disable")
@config_option
@click.argument("id")
@json_option
def disable_account(config: Path, id: str, as_json: bool) -> None:
    """End an account; what it did stays in the audit log. The pages can take it up again."""
    with opened(config) as (_, engine), writing(engine) as conn:
        accounts.disable(conn, id)
        audit.note(conn, BY, "disable_account", "account", id)
    if as_json:
        print_json({"id": id, "disabled": True})


@account.command("list")
@config_option
@json_option
def list_accounts(config: Path, as_json: bool) -> None:
    """List the accounts that are not disabled."""
    with opened(config) as (located, engine), engine.connect() as conn:
        found = accounts.list_accounts(conn)
    _print_accounts(as_json, located, found)


def _end(until: str, located: Located) -> datetime | None:
    if until == "never":
        return None
    try:
        return end_of(date.fromisoformat(until), located.zone)
    except (ValueError, OverflowError):
        raise RegistryError(f"--until {until[:40]!r}: a day such as 2026-03-31, or never") from None


def _told(one: accounts.Account, located: Located) -> dict[str, Any]:
    """What the audit log tells of an account: no name, no contact."""
    until = last_day(one.expires_at, located.zone).isoformat() if one.expires_at else None
    return {"role": one.role.value, "scopes": [scope_text(scope) for scope in one.scopes], "until": until}


def _print_accounts(as_json: bool, located: Located, found: list[accounts.Account]) -> None:
    now = datetime.now(UTC)
    records = [
        {"id": one.id, "name": one.name, **_told(one, located), "state": "over" if accounts.is_over(one, now) else "usable"}
        for one in found
    ]
    if not as_json:
        records = [{**record, "scopes": " ".join(record["scopes"])} for record in records]
    print_either(as_json, ("id", "name", "role", "scopes", "until", "state"), records)


def _print_password(as_json: bool, id: str, password: str) -> None:
    if as_json:
        print_json({"id": id, "password": password})
    else:
        click.echo(password)
