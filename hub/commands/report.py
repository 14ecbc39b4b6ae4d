"""`hub report`: the daily report on the terminal or as a file, for the meeting and for other programs."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
import msgspec

from hub.commands.common import config_option, opened
from hub.config import Located
from hub.flagging import Flags
from hub.registry.errors import RegistryError
from hub.reporting import Report
from hub.web import report_sections as words
from hub.web.report_sections import Section, Words

_DAY = click.DateTime(["%Y-%m-%d"])
FORMATS = ("text", "json", "pdf", "xlsx")


@click.command()
@config_option
@click.option("--day", type=_DAY, help="A local day, such as 2026-11-24; yesterday when left out.")
@click.option("--week", type=_DAY, help="The week, from Monday to Sunday, that this day is in.")
@click.option("--area", help="The id of an area; all when left out.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; needed for pdf and xlsx.")
def report(
    config: Path, day: datetime | None, week: datetime | None, area: str | None, form: str, output: Path | None
) -> None:  # fmt: skip
    """Say which gates lacked which of their five, for how long, whose, and what was well."""
    if day is not None and week is not None:
        raise RegistryError("--day and --week: choose one of them")
    if form in ("pdf", "xlsx") and output is None:
        raise RegistryError(f"--format {form} needs a file: -o report.{form}")
    now = datetime.now(UTC)
    located, known, flags = _read(config, day.date() if day else None, week.date() if week else None, area, now)
    made = _made(form, known, flags, Words(located.settings.language, located.zone))
    if output is None:
        click.echo(made.decode(), nl=False)
    else:
        output.write_bytes(made)
        click.echo(str(output))


def _read(
    config: Path, day: date | None, week: date | None, area: str | None, now: datetime
) -> tuple[Located, Report, Flags | None]:  # fmt: skip
    from hub import flagging, reporting
    from hub.rules.durations import day_period, week_period

    with opened(config) as (located, engine), engine.connect() as conn:
        yesterday = now.astimezone(located.zone).date() - timedelta(days=1)
        period = week_period(week, located.zone, now) if week else day_period(day or yesterday, located.zone, now)
        areas = dict(reporting.load_areas(conn))
        if area is not None and area not in areas:
            raise RegistryError(f"no area {area!r}; there are: {', '.join(sorted(areas)) or 'none yet'}")
        known = reporting.report(conn, period, area=area)
        return located, known, flagging.kept(conn, period.last, area=area)


def _made(form: str, known: Report, flags: Flags | None, say: Words) -> bytes:
    if form in ("pdf", "xlsx"):
        from hub.report_files import KINDS

        return KINDS[form][1](known, flags, say)
    if form == "json":
        return msgspec.json.encode({"report": known, "flags": flags}) + b"\n"
    return _text(known, flags, say).encode()


def _text(known: Report, flags: Flags | None, say: Words) -> str:
    head = [words.title(known, say), words.scope(known, say), words.lead(known, say), *words.blind(known, say)]
    tiles = [f"{tile.title}: {tile.cell.said}" for tile in words.tiles(known, say)]
    return "\n".join([*head, "", *tiles, *(_section(one, say) for one in words.sections(known, flags, say))]) + "\n"


def _section(section: Section, say: Words) -> str:
    rows = [" | ".join(cell.said or "–" for cell in row) for row in section.rows]
    table = [" | ".join(section.head), *rows] if rows else [say("report.none")]
    return "\n".join(["", f"# {section.title}", *([section.note] if section.note else []), *table])
