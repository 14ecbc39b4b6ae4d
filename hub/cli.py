"""The command `hub`."""

import click

from hub.commands import bookings, channels, exchange, passes, places, policies, report, running, setup, tokens
from hub.commands.common import PlainErrors


@click.group(cls=PlainErrors)
def main() -> None:
    """Gatepost's hub: which gate lacks one of its five."""


for command in (
    setup.init, setup.account, places.place, places.station, passes.pass_, bookings.booking, policies.policy,
    channels.channel, tokens.token, exchange.import_list, exchange.export_table, report.report,
    running.run, running.ingest, running.scheduler, running.web, running.status, running.demo,
):  # fmt: skip
    main.add_command(command)


if __name__ == "__main__":
    main()
