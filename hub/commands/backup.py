"""`hub backup` and `hub restore`: all of a hub in one encrypted file, and back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
import sqlalchemy as sa

from hub import audit
from hub.backup import archive
from hub.backup.archive import Manifest
from hub.backup.making import make
from hub.backup.restoring import Restored
from hub.backup.restoring import restore as restore_hub
from hub.commands.common import config_option, json_option, opened, print_json
from hub.registry.errors import RegistryError
from hub.store.writing import writing

BY = "cli"
_file = click.Path(path_type=Path, dir_okay=False)
_passphrase_option = click.option(
    "--passphrase-file", type=_file, help="A file whose first line is the passphrase; it is asked for when left out."
)


@click.command()
@config_option
@click.option("--out", type=_file, help="The file to write.")
@click.option("--check", "checked", type=_file, help="Read a backup, check all of it, and write nothing.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@_passphrase_option
@json_option
def backup(
    config: Path, out: Path | None, checked: Path | None, force: bool, passphrase_file: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Copy all of the hub into one encrypted file, while it runs."""
    if (out is None) is (checked is None):
        raise RegistryError("--out FILE writes a backup, --check FILE reads one: name one of them")
    if checked is not None:
        _tell(checked, archive.check(checked, _passphrase(passphrase_file)), as_json)
    if out is not None:
        with opened(config) as (_, engine):
            made = make(config, out, _passphrase(passphrase_file, new=True), datetime.now(UTC), force=force)
            _note(engine, out)
        _tell(out, made, as_json)


@click.command()
@click.argument("file", type=_file)
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="The hub's folder to make.")
@click.option("--replace", is_flag=True, help="Put it in the place of the hub that is there; every part of it must be stopped.")
@click.option("--revocations", type=_file, help="What was revoked since; the folder's own revocations.log when left out.")
@_passphrase_option
@json_option
def restore(
    file: Path, into: Path, replace: bool, revocations: Path | None, passphrase_file: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Make a hub from a backup: stations then send again whatever it lacks."""
    done = restore_hub(file, into, _passphrase(passphrase_file), datetime.now(UTC), replace=replace, log=revocations)
    if as_json:
        print_json(_as_json(done))
        return
    click.echo(f"已恢复 restored      {into}  ({_when(done.manifest.made_at)}, Gatepost {done.manifest.software})")
    if done.aside is not None:
        click.echo(f"原有数据 before      {done.aside}")
    click.echo(f"新纪元 store epoch   {done.store_epoch}: stations send again what this hub lacks")
    click.echo(f"重新吊销 revoked     {_revoked(done)}")
    for note in todo(done):
        click.echo(f"请注意 to do         {note}")


def todo(done: Restored) -> list[str]:
    """What a person must do now, in order of weight."""
    since, applied, notes = _when(done.manifest.made_at), done.applied, list(done.notes)
    if applied is None:
        notes.append(
            f"no revocations.log was there: passes revoked since {since} are good again until they are revoked again "
            "(or restore again with --revocations FILE)"
        )
    elif applied.unreadable:
        notes.append(f"{applied.unreadable} lines of {done.log} can't be read: look whom they revoke, and revoke them by hand")
    if applied is not None and applied.lost:
        notes.append(
            f"{applied.lost} revocations are of compounds added since {since}: add the compounds, then revoke them again"
        )
    if applied is not None and applied.kept:
        named = ", ".join(f"{one.what} {one.id}" for one in applied.kept)
        notes.append(f"ended since {since}, but nothing stands in their place here: {named}; make another, then end them again")
    if applied is None:
        notes.append(
            f"accounts, tokens, keys and stations' certificates ended since {since} are good again: end them again "
            "(`hub account list`, `hub token list`, `hub key list`, `hub station list`)"
        )
    notes += [
        f"what else was changed since {since} (rights, places, stations) is as it was then",
        f"passes issued since {since} are good at the gates but not in the registry: issue them anew",
        "start the hub: systemctl start gatepost-hub.target; everybody signs in again",
    ]
    return notes


def _passphrase(file: Path | None, *, new: bool = False) -> str:
    if file is None:
        given: str = click.prompt("口令 passphrase", hide_input=True, confirmation_prompt=new, err=True)
        return given
    if file.stat().st_mode & 0o007:
        raise RegistryError(f"{file} can be read by others: run `chmod 600 {file}`, and see who else was there")
    lines = file.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0]:
        raise RegistryError(f"{file} is empty: its first line is the passphrase")
    return lines[0]


def _note(engine: sa.Engine, out: Path) -> None:
    with writing(engine) as conn:
        audit.note(conn, BY, "backup", "store", out.name)


def _tell(path: Path, found: Manifest, as_json: bool) -> None:
    size = sum(one.size for one in found.members)
    if as_json:
        print_json({"file": str(path), "bytes": path.stat().st_size, **msgspec.to_builtins(found)})
    else:
        click.echo(f"备份 backup          {path}")
        click.echo(f"时间 made            {_when(found.made_at)}, Gatepost {found.software}, schema {found.facts.schema}")
        click.echo(f"内容 holds           {len(found.members)} files, {size / 2**20:.1f} MB: all of it was read and is whole")


def _as_json(done: Restored) -> dict[str, Any]:
    applied = done.applied
    return {
        "made_at": done.manifest.made_at, "software": done.manifest.software, "store_epoch": done.store_epoch,
        "directories": done.directories, "replaced": None if done.aside is None else str(done.aside),
        "revocations": None if applied is None else {
            "again": [one.pass_id for one in applied.again], "unknown": applied.unknown, "lost": applied.lost,
            "unreadable": applied.unreadable, "ended": [f"{one.what} {one.id}" for one in applied.ended],
            "kept": [f"{one.what} {one.id}" for one in applied.kept],
        },
        "todo": todo(done),
    }  # fmt: skip


def _revoked(done: Restored) -> str:
    if done.applied is None:
        return "none: there was no revocations.log"
    unknown = f", {done.applied.unknown} of them issued after the backup" if done.applied.unknown else ""
    ended = f"; {len(done.applied.ended)} accounts, tokens, keys and certificates" if done.applied.ended else ""
    return f"{len(done.applied.again)} from {done.log}{unknown}{ended}"


def _when(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}"
