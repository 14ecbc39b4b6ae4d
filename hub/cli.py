"""The command `hub`."""

import click

from hub.commands import bookings, passes, places, policies, running, setup
from hub.commands.common import PlainErrors


@click.group(cls=PlainErrors)
def main() -> None:
    """Gatepost's hub: which gate lacks one of its five."""


for command in (
    setup.init, setup.account, places.place, places.station, passes.pass_, bookings.booking, policies.policy,
    running.run, running.ingest, running.scheduler, running.web, running.status, running.demo,
):  # fmt: skip
    main.add_command(command)


if __name__ == "__main__":
    main()
