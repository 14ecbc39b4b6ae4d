"""`hub init` and `hub account`: a configuration, a store, keys, and who may look."""

import secrets
from pathlib import Path

import click
import sqlalchemy as sa

from hub import store
from hub.commands.common import config_option, json_option, opened, print_either, store_file, write_private
from hub.config import Located, load
from hub.registry import access, accounts, keys
from hub.registry.errors import RegistryError
from hub.rights import Role

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
access = "mosquitto"                # where to write Mosquitto's `passwords` and `acl`; take it out for another broker
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
    with opened(config) as (located, engine), engine.begin() as conn:
        for key in keys.ensure_keys(conn):
            click.echo(f"密钥 key            {key.kid} ({key.use})")
        if not accounts.list_accounts(conn):
            password = accounts.add_account(conn, account, account, Role.ADMIN)
            click.echo(f"账号 account        {account}\n密码 password       {password}   (shown this once)")
        _let_hub_in(located, conn)


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


@click.group()
def account() -> None:
    """Who may use the pages."""


@account.command("add")
@config_option
@click.argument("id")
@click.option("--name", default="", help="As the pages show it; the id when left out.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default="liaison", show_default=True)
def add_account(config: Path, id: str, name: str, role: str) -> None:
    """Add an account and print its password, this once."""
    with opened(config) as (_, engine), engine.begin() as conn:
        click.echo(accounts.add_account(conn, id, name, role))


@account.command("list")
@config_option
@json_option
def list_accounts(config: Path, as_json: bool) -> None:
    """List the accounts."""
    with opened(config) as (_, engine), engine.connect() as conn:
        found = [{"id": a.id, "name": a.name, "role": a.role.value} for a in accounts.list_accounts(conn)]
    print_either(as_json, ("id", "name", "role"), found)
