"""`kiosk paper`: pages of the register to print."""

from datetime import datetime
from pathlib import Path

import click

from kiosk.command_line import config_option, said_plainly
from kiosk.config import load
from kiosk.rules.paper import BOOKS


@click.command()
@click.option("--book", type=click.Choice(BOOKS), default="residents", show_default=True)
@click.option("--pages", type=click.IntRange(1, 200), default=5, show_default=True)
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Printed in the head; left blank when it isn't given.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The PDF.")
@config_option
@said_plainly
def paper(book: str, pages: int, day: datetime | None, output: Path, path: Path) -> None:
    """Pages of the register as PDF, for when power or program fail; numbered on from what was printed before."""
    from kiosk.paperwork.paper import find_font, register_pages, take_numbers
    from kiosk.paperwork.register import CannotPrint

    located = load(path)
    find_font()
    numbers = take_numbers(located.data, book, pages)
    try:
        output.write_bytes(register_pages(located.settings.place, book, numbers, day=day.date() if day else None))
    except OSError as error:
        raise CannotPrint(f"{output}: {error.strerror}") from None
    click.echo(f"{output}: {book}, pages {numbers[0]} to {numbers[-1]}")
