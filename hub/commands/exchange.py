"""`hub import` and `hub export`: lists in, with a preview, and tables out."""

from datetime import UTC, datetime
from pathlib import Path

import click
import sqlalchemy as sa

from hub import audit, exporting
from hub import exchange as lists
from hub.commands.common import config_option, opened, write_private
from hub.config import Located
from hub.exporting import Format, Table
from hub.registry import colours
from hub.registry.errors import RegistryError
from hub.rules.cells_in import MOST_BYTES
from hub.rules.sheets_in import HOLDERS, PLACES
from hub.store.writing import writing

BY = "cli"
EXPORTS = (PLACES, HOLDERS, "entries", "rectifications", "inspections")


@click.command("import")
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--what", type=click.Choice([PLACES, HOLDERS]), required=True)
@click.option("--yes", is_flag=True, help="Take it without asking.")
def import_list(config: Path, file: Path, what: str, yes: bool) -> None:
    """Take in a list of places or holders, XLSX or CSV: all of it or nothing, after a preview."""
    from hub.web.exchange_lines import preview_lines
    from hub.web.texts import text

    if file.stat().st_size > MOST_BYTES:
        raise RegistryError(f"{file}: over {MOST_BYTES // 2**20} MB: split it")
    with opened(config) as (located, engine):
        language, by = located.settings.language, lists.By(account=BY, reach=None, health=True)
        with engine.connect() as conn:
            labels = colours.labels(conn)
        try:
            rows = lists.read(what, file.read_bytes(), labels)
        except lists.BadFile as bad:
            raise RegistryError(f"{file}: {text(language, f'exchange.bad.{bad.key}', **bad.values)}") from None
        now = datetime.now(UTC)
        with engine.connect() as conn:
            plan = lists.preview(conn, located, what, rows, by, now)
        lines = preview_lines(plan, language, labels)
        for note in lines.notes:
            click.echo(note)
        for one in (*lines.problems, *lines.changed_lines, *lines.new_lines):
            click.echo(f"{one.row or '-':>6}  {one.column + '  ' if one.column else ''}{one.said}")
        if plan.problems:
            key = "exchange.preview.bad.many" if lines.many else "exchange.preview.bad"
            raise RegistryError(f"{file}: {text(language, key, count=lines.problem_count)}")
        if not lines.new + lines.changed:
            click.echo(text(language, "exchange.preview.nothing"))
            return
        click.echo(text(language, "exchange.preview.good", new=lines.new, changed=lines.changed, same=lines.same))
        if not yes:
            click.confirm(text(language, "exchange.apply"), abort=True)

        def noted(conn: sa.Connection, plan: lists.Plan) -> None:
            counts = {"new": lines.new, "changed": lines.changed, "same": lines.same}
            audit.note(conn, BY, "import", what, "", counts, at=now)

        lists.apply(engine, located, what, rows, by, now, seen=lists.digest(plan), noted=noted)
        click.echo(text(language, "exchange.done", new=lines.new, changed=lines.changed, same=lines.same))


@click.command("export")
@config_option
@click.argument("what", type=click.Choice(EXPORTS))
@click.option("--format", "form", type=click.Choice([form.value for form in Format]), default="xlsx", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@click.option("--compound", help="Holders of one compound.")
@click.option("--gate", help="Whose entries.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Entries of which local day; today when left out.")
@click.option("--personal", is_flag=True, help="Entries with names, dwellings and phones.")
def export_table(
    config: Path, what: str, form: str, output: Path, compound: str | None, gate: str | None, day: datetime | None, personal: bool
) -> None:
    """Write places, holders, a gate's entries of a day, rectifications or inspections to a file."""
    with opened(config) as (located, engine):
        with engine.connect() as conn:
            table = _table(conn, engine, located, what, compound, gate, day, personal)
        write_private(output, exporting.written(table, Format(form)))
        with writing(engine) as conn:
            detail = {"format": form, "rows": len(table.rows), **({"personal": personal} if what == "entries" else {})}
            audit.note(conn, BY, "export", what, gate or compound or "", detail)
    click.echo(f"{output}: {len(table.rows)}")


def _table(
    conn: sa.Connection, engine: sa.Engine, located: Located, what: str, compound: str | None, gate: str | None,
    day: datetime | None, personal: bool,
) -> Table:  # fmt: skip
    from hub.web.exchange_lines import said_in

    zone, language = located.zone, located.settings.language
    now, say = datetime.now(UTC), said_in(language)
    if what == PLACES:
        return exporting.places_table(conn, None, language)
    if what == HOLDERS:
        return exporting.holders_table(conn, None, language, zone, now, say, compound)
    if what == "rectifications":
        return exporting.rectifications_table(conn, None, zone, say)
    if what == "inspections":
        return exporting.inspections_table(conn, None, zone, say)
    if gate is None:
        raise RegistryError("whose entries? name a --gate")
    exporting.gate_of(conn, gate)
    return exporting.entries_table(engine, gate, day.date() if day else now.astimezone(zone).date(), zone, say, personal=personal)
