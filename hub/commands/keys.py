"""`hub key`: the hub's keys, and the offline root that vouches for them. See docs/operations.md."""

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from contract.certifying import KeyUse, fingerprint
from contract.sealing import b64, unb64
from hub import audit, key_files
from hub.commands.common import config_option, json_option, opened, print_either, print_json, write_private
from hub.commands.setup import seal_keys
from hub.registry import key_lives, keys
from hub.registry.errors import RegistryError
from hub.registry.key_lives import Stage
from hub.registry.keys import Key, Waits
from hub.store.writing import writing
from hub.vault import is_sealed, scrub

BY = "cli"
_HEAD = ("kid", "use", "state", "created_at", "certified_until", "fingerprint", "note")
_NOTES = {Waits.CERTIFICATE: "waits for its certificate", Waits.STATIONS: "waits until every directory is published with it"}
_use = click.argument("use", type=click.Choice([use.value for use in KeyUse]))
_out = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")


def _passphrase_options(command: Callable[..., Any]) -> Callable[..., Any]:
    file = click.option(
        "--passphrase-file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="Read the root's passphrase from the first line of a file; asked for when left out.",
    )  # fmt: skip
    variable = click.option("--passphrase-env", metavar="NAME", help="Read it from an environment variable.")
    return file(variable(command))


@click.group()
def key() -> None:
    """The keys that passes and messages are signed with and that stations seal to; and the offline root."""


@key.command("root")
@_out
@_passphrase_options
@json_option
def make_root(out: Path, passphrase_file: Path | None, passphrase_env: str | None, as_json: bool) -> None:
    """Make a root, on a machine that stays offline. Needs neither configuration nor store."""
    _must_be_new(out)
    pem, public = key_files.make_root(_passphrase(passphrase_file, passphrase_env, twice=True))
    write_private(out, pem)
    if as_json:
        print_json({"file": str(out), "public": b64(public), "fingerprint": fingerprint(public)})
        return
    click.echo(f"根密钥 root         {out}   (keep it offline, and a copy elsewhere)")
    click.echo(f"公钥 public         {b64(public)}\n指纹 fingerprint    {fingerprint(public)}")
    click.echo(f'\nIn hub.toml:\n\n[keys]\nroots = ["{b64(public)}"]')


@key.command("list")
@config_option
@click.option("--all", "retired", is_flag=True, help="Retired ones too.")
@json_option
def list_keys(config: Path, retired: bool, as_json: bool) -> None:
    """List the keys, the newest first: which is in use, which is coming, which is old."""
    now = datetime.now(UTC)
    with opened(config) as (_, engine), engine.connect() as conn:
        found = keys.list_keys(conn, retired=True)
    records = [_record(one, key_lives.stage(one, found, now), now) for one in found]
    shown = [record for record in records if retired or record["state"] != Stage.RETIRED]
    print_either(as_json, _HEAD, shown)


@key.command("rotate")
@config_option
@_use
@click.option("--now", "at_once", is_flag=True, help="Use it at once: stations that are not in touch keep out what it signs.")
@json_option
def rotate(config: Path, use: str, at_once: bool, as_json: bool) -> None:
    """Make a newer key for a use; the present one is used until stations can know the new one, and accepted until retired."""
    now = datetime.now(UTC)
    with opened(config) as (_, engine), writing(engine) as conn:
        made = key_lives.rotate(conn, KeyUse(use), now, at_once=at_once)
        audit.note(conn, BY, "rotate", "key", made.kid, {"use": use, "at_once": at_once}, at=now)
    _print_changed(config, [made.kid], as_json)


@key.command("request")
@config_option
@click.argument("kids", nargs=-1)
@_out
def request(config: Path, kids: tuple[str, ...], out: Path) -> None:
    """Write what is to be certified: the keys named, or all that have no certificate or one that ends within 60 days."""
    _must_be_new(out)
    now = datetime.now(UTC)
    with opened(config) as (located, engine), engine.connect() as conn:
        wanted = [keys.require(conn, kid) for kid in kids] if kids else key_lives.to_certify(conn, now)
    if not wanted:
        raise RegistryError("every key has a certificate that holds for 60 days and more: name the keys to certify all the same")
    write_private(out, key_files.make_request(located.settings.name, wanted, now))
    _print_fingerprints((one.kid, one.use, one.public) for one in wanted)
    click.echo(f"{out}: take it to the root, and compare these there")


@key.command("certify")
@click.argument("request", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--root", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=True, help="The root's file.")
@click.option("--days", type=click.IntRange(1, 3650), required=True, help="How long the certificates hold.")
@_out
@_passphrase_options
def certify(
    request: Path, root: Path, days: int, out: Path, passphrase_file: Path | None, passphrase_env: str | None
) -> None:  # fmt: skip
    """Certify what a request asks for, on the root's offline machine. Compare what it shows with what the hub did."""
    _must_be_new(out)
    now, wanted = datetime.now(UTC), key_files.read_request(request)
    click.echo(f"{wanted.hub}, asked {wanted.made_at:%Y-%m-%d %H:%M}; here it is {now:%Y-%m-%d %H:%M} (UTC)")
    _print_fingerprints((one.kid, one.use, unb64(one.public)) for one in wanted.keys)
    private = key_files.open_root(root.read_bytes(), _passphrase(passphrase_file, passphrase_env))
    write_private(out, key_files.certify_all(wanted, private, days, now))
    click.echo(f"{out}: take it to the hub, `hub key install {out.name}`")


@key.command("install")
@config_option
@click.argument("certificates", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--now", "at_once", is_flag=True, help="Use keys that waited for it at once.")
@json_option
def install(config: Path, certificates: Path, at_once: bool, as_json: bool) -> None:
    """Take in certificates; the stations are told of them within seconds."""
    now, found = datetime.now(UTC), key_files.read_certificates(certificates)
    with opened(config) as (located, engine), writing(engine) as conn:
        if not located.roots:
            raise RegistryError(f'hub.toml names no root: under [keys], roots = ["{found.root}"], if that is yours')
        done = key_lives.install(conn, found.certificates, located.roots, now, at_once=at_once)
        for one in done:
            audit.note(conn, BY, "install", "key", one.kid, {"use": one.use.value, "until": f"{one.not_after:%Y-%m-%d}"}, at=now)
    _print_changed(config, [one.kid for one in done], as_json)


@key.command("retire")
@config_option
@click.argument("kid")
@click.option("--anyway", is_flag=True, help="Even while something made with it is in use.")
@json_option
def retire(config: Path, kid: str, anyway: bool, as_json: bool) -> None:
    """Put an old key out of use: stations accept nothing made with it any more."""
    now = datetime.now(UTC)
    with opened(config) as (located, engine), writing(engine) as conn:
        gone = key_lives.retire(conn, kid, now, located.overlap, anyway=anyway)
        audit.note(conn, BY, "retire", "key", kid, {"use": gone.use.value, "anyway": anyway}, at=now)
    _print_changed(config, [kid], as_json)


@key.command("seal")
@config_option
def seal(config: Path) -> None:
    """Encrypt keys of before that stand in the store as they are, and write the store anew without them."""
    with opened(config) as (located, engine):
        sealed = seal_keys(located, engine)
        scrub(engine)
        if sealed:
            with writing(engine) as conn:
                audit.note(conn, BY, "seal", "key", " ".join(sealed))
    click.echo("every key is encrypted")


def _must_be_new(out: Path) -> None:
    if out.exists():
        raise RegistryError(f"{out} is there already: name another file, or move that one away")


def _passphrase(file: Path | None, variable: str | None, *, twice: bool = False) -> str:
    if file is not None and variable is not None:
        raise RegistryError("give either --passphrase-file or --passphrase-env")
    if file is not None:
        return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    if variable is not None:
        if variable not in os.environ:
            raise RegistryError(f"there is no environment variable {variable}")
        return os.environ[variable]
    answer: str = click.prompt("密码 passphrase of the root", hide_input=True, confirmation_prompt=twice, err=True)
    return answer


def _print_fingerprints(shown: Iterable[tuple[str, str, bytes]]) -> None:
    for kid, use, public in shown:
        click.echo(f"  {kid:8} {use:9} {fingerprint(public)}")


def _print_changed(config: Path, kids: list[str], as_json: bool) -> None:
    now = datetime.now(UTC)
    with opened(config) as (_, engine), engine.connect() as conn:
        found = keys.list_keys(conn, retired=True)
    print_either(as_json, _HEAD, [_record(one, key_lives.stage(one, found, now), now) for one in found if one.kid in kids])


def _record(one: Key, state: Stage, now: datetime) -> dict[str, Any]:
    return {
        "kid": one.kid, "use": one.use.value, "state": state.value, "created_at": one.created_at, "begins": one.begins,
        "waits": one.waits, "certified_until": one.not_after, "retired_at": one.retired_at, "public": b64(one.public),
        "fingerprint": fingerprint(one.public), "encrypted": is_sealed(one.stored), "note": _note(one, state, now),
    }  # fmt: skip


def _note(one: Key, state: Stage, now: datetime) -> str:
    said = [_NOTES[one.waits]] if one.waits else []
    if state is Stage.COMING and one.begins is not None:
        said.append(f"used from {one.begins:%Y-%m-%d %H:%M} UTC")
    if state is not Stage.RETIRED and key_lives.ends_soon(one, now):
        said.append("renew its certificate")
    if not is_sealed(one.stored):
        said.append("not encrypted: `hub key seal`")
    return "; ".join(said)
