"""What the commands of `kiosk` share: where the configuration is, and errors in one plain line."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from contract.settings import BadSettings

config_option = click.option("--config", "path", type=click.Path(path_type=Path), default=Path("kiosk.toml"), show_default=True)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


def said_plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors a user can mend into one line and exit code 2."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        from kiosk.journal import JournalUnavailable
        from kiosk.paperwork.register import CannotPrint
        from kiosk.scanner import UnreadableImage
        from kiosk.speaking.speech import RenderingFailed

        try:
            return command(*args, **options)
        except (BadSettings, JournalUnavailable, UnreadableImage, RenderingFailed, CannotPrint) as error:
            click.echo(f"kiosk: {error}", err=True)
            sys.exit(2)

    return run
