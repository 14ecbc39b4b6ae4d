"""The command `hub`."""

import click

from hub.commands import (
    backup,
    bookings,
    channels,
    exchange,
    keys,
    notices,
    passes,
    places,
    policies,
    report,
    running,
    setup,
    tokens,
    unread,
)
from hub.commands import station_settings as stations
from hub.commands.common import PlainErrors


@click.group(cls=PlainErrors)
def main() -> None:
    """Gatepost's hub: which gate lacks one of its five."""


for command in (
    setup.init, setup.account, keys.key, places.place, places.station, passes.pass_, bookings.booking, notices.notice,
    policies.policy, stations.settings, channels.channel, tokens.token, exchange.import_list, exchange.export_table,
    report.report, backup.backup, backup.restore, unread.unread_,
    running.run, running.ingest, running.scheduler, running.web, running.status, running.demo,
):  # fmt: skip
    main.add_command(command)


if __name__ == "__main__":
    main()
