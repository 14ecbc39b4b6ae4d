"""`hub notice`: what stands on the stations' waiting screens."""

from datetime import UTC, datetime, tzinfo
from pathlib import Path

import click
import msgspec

from hub import audit
from hub.commands.common import config_option, json_option, opened, print_either
from hub.registry import notices
from hub.registry.errors import RegistryError
from hub.rights import Scope
from hub.rules.granting import read_scope, scope_text
from hub.store.writing import writing

BY = "cli"
MOST = 500
"""Notices that are listed of each kind."""
_HEAD = ("id", "state", "place", "begins", "ends", "zh", "en")
_TIME = click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def notice() -> None:
    """Notices on the waiting screens of the stations."""


@notice.command("add")
@config_option
@click.option("--place", default="all", show_default=True, help="all, area:ID, committee:ID or compound:ID.")
@click.option("--zh", required=True, help="What it says, in Chinese.")
@click.option("--en", default="", help="The same in English.")
@click.option("--from", "begins", type=_TIME, help="From when, in local time: 2026-11-24 09:00; now when left out.")
@click.option("--until", "ends", type=_TIME, required=True, help="Until when.")
@json_option
def add_notice(config: Path, place: str, zh: str, en: str, begins: datetime | None, ends: datetime, as_json: bool) -> None:
    """Put up a notice; the stations of the place show it while it is current."""
    scope = _scope(place)
    with opened(config) as (located, engine), writing(engine) as conn:
        now = datetime.now(UTC)
        made = notices.add(
            conn, zh=zh, en=en, scope=scope, begins=begins.replace(tzinfo=located.zone) if begins else now,
            ends=ends.replace(tzinfo=located.zone), by=BY, now=now,
        )  # fmt: skip
        audit.note(conn, BY, "add", "notice", made.id, {"scope": scope_text(scope)}, at=now)
    _print(as_json, located.zone, [made], now)


@notice.command("list")
@config_option
@click.option("--all", "all_", is_flag=True, help="Past and withdrawn ones too.")
@json_option
def list_notices(config: Path, all_: bool, as_json: bool) -> None:
    """List the notices that are current or coming."""
    with opened(config) as (located, engine), engine.connect() as conn:
        now = datetime.now(UTC)
        found = notices.live(conn, now, MOST) + (notices.over(conn, now, MOST) if all_ else [])
    _print(as_json, located.zone, found, now)


@notice.command("withdraw")
@config_option
@click.argument("id")
@json_option
def withdraw_notice(config: Path, id: str, as_json: bool) -> None:
    """Take a notice down."""
    with opened(config) as (located, engine), writing(engine) as conn:
        now = datetime.now(UTC)
        gone = notices.withdraw(conn, id, BY, now)
        audit.note(conn, BY, "withdraw", "notice", gone.id, {"scope": scope_text(gone.scope)}, at=now)
    _print(as_json, located.zone, [gone], now)


def _scope(place: str) -> Scope:
    try:
        return read_scope(place)
    except ValueError as error:
        raise RegistryError(f"place {error}") from None


def _print(as_json: bool, zone: tzinfo, found: list[notices.Posted], now: datetime) -> None:
    records = []
    for one in found:
        record = msgspec.structs.asdict(one) | {"place": scope_text(one.scope), "state": one.state(now).value}
        del record["scope"]
        records.append({key: v.astimezone(zone) if isinstance(v, datetime) else v for key, v in record.items()})
    print_either(as_json, _HEAD, records)
