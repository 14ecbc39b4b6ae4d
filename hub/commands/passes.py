"""`hub pass`: issue, revoke, list, picture, print."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from contract.passes import BADGES, PassKind
from hub import audit
from hub.commands.common import config_option, json_option, opened, print_either, write_private
from hub.registry import passes, photos, places
from hub.registry.errors import RegistryError
from hub.registry.passes import IssuedPass
from hub.registry.places import PlaceKind

BY = "cli"
PHOTO_BYTES = 20 * 2**20
"""A picture's file may be so large."""
_output = click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The PDF to write.")
_HEAD = ("id", "kind", "compound", "name", "dwelling", "plate", "expires", "revoked_at", "opens_roster")


@click.group("pass")
def pass_() -> None:
    """Passes and badges."""


@pass_.command("issue")
@config_option
@click.option("--kind", type=click.Choice([kind.value for kind in PassKind]), default="resident", show_default=True)
@click.option("--compound", required=True)
@click.option("--name", default="", help="The whole name; it is masked at once and kept nowhere.")
@click.option("--dwelling", default="", help="Building and room.")
@click.option("--plate", default="", help="A vehicle's.")
@click.option("--days", type=int, help="How long it is good for.")
@click.option("--expires", type=click.DateTime(), help="Until when, in local time, in place of --days.")
@click.option("--pin", help="A badge's, 4 to 8 digits; asked for when left out.")
@json_option
def issue_pass(
    config: Path, kind: str, compound: str, name: str, dwelling: str, plate: str, days: int | None, expires: datetime | None,
    pin: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Issue a pass and print its token."""
    if PassKind(kind) in BADGES and pin is None:
        pin = click.prompt("PIN", hide_input=True, confirmation_prompt=True)
    with opened(config) as (located, engine), engine.begin() as conn:
        until = expires.replace(tzinfo=located.zone) if expires else None
        issued = passes.issue(
            conn, located, kind=PassKind(kind), compound=compound, name=name, dwelling=dwelling, plate=plate, days=days,
            expires=until, pin=pin, by=BY, at=datetime.now(UTC),
        )  # fmt: skip
        audit.note(conn, BY, "issue", "pass", issued.id, {"pass_kind": kind, "compound": compound})
    print_either(as_json, ("id", "name", "expires", "token"), [_shown(issued) | {"token": issued.token}])


@pass_.command("revoke")
@config_option
@click.argument("pass_or_token")
@json_option
def revoke_pass(config: Path, pass_or_token: str, as_json: bool) -> None:
    """Revoke a pass by its id or its token."""
    with opened(config) as (_, engine), engine.begin() as conn:
        revoked = passes.revoke(conn, pass_or_token, BY)
        audit.note(conn, BY, "revoke", "pass", revoked.id, {"compound": revoked.compound})
    print_either(as_json, ("id", "name", "revoked_at"), [_shown(revoked)])


@pass_.command("pin")
@config_option
@click.argument("badge_or_token")
@click.option("--pin", help="4 to 8 digits; asked for when left out.")
@json_option
def pin_of_badge(config: Path, badge_or_token: str, pin: str | None, as_json: bool) -> None:
    """Set a badge's PIN anew; the badge stays as it is. The stations' roster opens with the new one alone."""
    if pin is None:
        pin = click.prompt("PIN", hide_input=True, confirmation_prompt=True)
    with opened(config) as (_, engine), engine.begin() as conn:
        changed = passes.set_pin(conn, badge_or_token, pin)
    print_either(as_json, ("id", "name", "opens_roster"), [_shown(changed)])


@pass_.command("set")
@config_option
@click.argument("pass_or_token")
@click.option("--isolating/--not-isolating", default=None, help="居家隔离.")
@click.option("--colour", help="One of the colours, by id or label; none: the default.")
def set_pass(config: Path, pass_or_token: str, isolating: bool | None, colour: str | None) -> None:
    """Change what the stations are told of a holder."""
    with opened(config) as (_, engine), engine.begin() as conn:
        id = passes.find(conn, pass_or_token).id
        if isolating is not None:
            passes.set_isolating(conn, id, isolating)
        if colour is not None:
            passes.set_colour(conn, id, None if colour == "none" else colour)
        changed = [name for name, value in (("colour", colour), ("isolating", isolating)) if value is not None]
        audit.note(conn, BY, "change", "pass", id, {"fields": changed})


@pass_.command("photo")
@config_option
@click.argument("pass_or_token")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=False)
@click.option("--remove", is_flag=True, help="Forget the photo.")
@json_option
def photo_of_pass(config: Path, pass_or_token: str, file: Path | None, remove: bool, as_json: bool) -> None:
    """Keep a picture of a pass's holder for the compound's stations to show, as a JPEG of 160×200."""
    if (file is None) is not remove:
        raise RegistryError("name a picture's file, or --remove")
    jpeg = b"" if file is None else _portrait(file)
    with opened(config) as (_, engine), engine.begin() as conn:
        changed = photos.remove_photo(conn, pass_or_token) if remove else photos.put_photo(conn, pass_or_token, jpeg, BY)
        audit.note(conn, BY, "remove_photo" if remove else "photo", "pass", changed.id, {"compound": changed.compound})
    print_either(as_json, ("id", "name", "photo_bytes"), [_shown(changed) | {"photo_bytes": len(jpeg)}])


@pass_.command("list")
@config_option
@click.option("--compound")
@json_option
def list_passes(config: Path, compound: str | None, as_json: bool) -> None:
    """List the passes, the newest first. A badge that opens no roster needs its PIN set anew (`hub pass pin`)."""
    with opened(config) as (_, engine), engine.begin() as conn:
        found = [_shown(one) for one in passes.list_passes(conn, compound)]
        audit.note(conn, BY, "look", "passes", compound or "", {"shown": len(found)})
    print_either(as_json, _HEAD, found)


@pass_.command("sheet")
@config_option
@click.argument("passes_or_tokens", nargs=-1)
@click.option("--compound", help="All of a compound's that are good today.")
@_output
def print_sheet(config: Path, passes_or_tokens: tuple[str, ...], compound: str | None, output: Path) -> None:
    """Print passes to a PDF to cut out."""
    from hub.sheets import pass_sheet  # only what prints loads the PDF library

    with opened(config) as (located, engine), engine.begin() as conn:
        chosen = [passes.find(conn, one) for one in passes_or_tokens] + (
            _good(passes.list_passes(conn, compound)) if compound else []
        )
        names = {p.id: p.name for p in places.list_places(conn, PlaceKind.COMPOUND)}
        if not chosen:
            raise RegistryError("no pass to print: name some, or a compound that has some")
        audit.note(conn, BY, "print", "passes", compound or chosen[0].id, {"count": len(chosen)})
    write_private(output, pass_sheet(chosen, names, located.zone))
    click.echo(f"{output}: {len(chosen)}")


@pass_.command("codes")
@config_option
@click.argument("gates", nargs=-1, required=True)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Today when left out.")
@_output
def print_codes(config: Path, gates: tuple[str, ...], day: datetime | None, output: Path) -> None:
    """Print the day's codes for the desk and the book of gates."""
    from hub.sheets import day_code_sheet

    with opened(config) as (located, engine), engine.begin() as conn:
        wanted: date = day.date() if day else datetime.now(located.zone).date()
        codes = [passes.ensure_day_codes(conn, gate, wanted) for gate in gates]
        names = {p.id: p.name for p in places.list_places(conn, PlaceKind.GATE)}
        audit.note(conn, BY, "print", "day_codes", gates[0], {"day": wanted.isoformat(), "count": len(codes)})
    write_private(output, day_code_sheet(codes, names))
    click.echo(f"{output}: {len(codes)}")


def _portrait(file: Path) -> bytes:
    from hub.portrait import NotAPicture, portrait  # only what pictures somebody loads OpenCV

    if file.stat().st_size > PHOTO_BYTES:
        raise RegistryError(f"{file}: larger than {PHOTO_BYTES // 2**20} MB")
    try:
        return portrait(file.read_bytes())
    except NotAPicture as error:
        raise RegistryError(f"{file}: {error}") from None


def _good(found: list[IssuedPass]) -> list[IssuedPass]:
    now = datetime.now().astimezone()
    return [one for one in found if one.revoked_at is None and one.expires > now]


def _shown(one: IssuedPass) -> dict[str, Any]:
    names = ("id", "kind", "compound", "dwelling", "plate", "not_before", "expires", "colour", "isolating", "revoked_at")
    opens = one.opens is not None if one.kind in BADGES else None
    return {"name": one.masked_name} | {name: getattr(one, name) for name in names} | {"opens_roster": opens}
