"""What every command shares: where the configuration is, how the store is opened, how an error is said."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec
import sqlalchemy as sa

from contract.settings import BadSettings
from hub.broker import BrokerMissing
from hub.config import Located, load
from hub.locking import in_use
from hub.registry.errors import RegistryError
from hub.vault import open_hub

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("hub.toml"),
    show_default=True,
    help="The hub's configuration.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


class Plain(click.ClickException):
    """An error its reader can do something about: one line, exit code 2."""

    exit_code = 2


class PlainErrors(click.Group):
    """A group whose commands say what is wrong in one line, with no traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what the reader can mend becomes `Plain`."""
        try:
            return super().invoke(ctx)
        except (BadSettings, RegistryError, BrokerMissing) as error:
            raise Plain(str(error)) from None
        except sa.exc.OperationalError as error:
            raise Plain(f"the store: {error.orig}; is `store.url` right, and was `hub init` run?") from None
        except OSError as error:
            raise Plain(str(error)) from None


@contextmanager
def opened(config: Path) -> Iterator[tuple[Located, sa.Engine]]:
    """The configuration and its store. Raises `BadSettings`, and `RegistryError` for a store that was never made, or is being
    restored."""
    located = load(config)
    with in_use(located.folder):
        path = store_file(located)
        if path is not None and not path.exists():
            raise RegistryError(f"there is no store at {path}: run `hub init --config {config}`")
        engine = open_hub(located)
        try:
            yield located, engine
        finally:
            engine.dispose()


def store_file(located: Located) -> Path | None:
    """The file of a SQLite store; None for any other."""
    url = sa.make_url(located.store_url)
    return Path(url.database) if url.drivername.startswith("sqlite") and url.database else None


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read. Raises OSError, also when it is there already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def print_json(value: object) -> None:
    """One line of JSON."""
    click.echo(msgspec.json.encode(value).decode())


def print_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Columns as wide as they need to be; a Chinese character takes two places."""
    widths = [max(_width(row[n]) for row in [head, *rows]) for n in range(len(head))]
    for row in [head, *rows]:
        click.echo("  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_either(as_json: bool, head: tuple[str, ...], records: list[dict[str, Any]]) -> None:
    """Records as lines of JSON, or as a table of the columns named."""
    if as_json:
        for record in records:
            print_json(record)
    else:
        print_table(head, [tuple(_cell(record.get(name)) for name in head) for record in records])


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)


def _width(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
