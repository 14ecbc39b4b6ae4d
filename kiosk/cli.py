"""The `kiosk` command."""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from contract.events import Event
from contract.passes import PassKind, Rejected, check, read
from contract.settings import BadSettings
from kiosk.command_line import config_option, json_option, said_plainly
from kiosk.config import Located, load
from kiosk.paperwork.paper_commands import paper
from kiosk.speaking.voice_commands import voice


@click.group()
@click.version_option(package_name="gatepost")
def main() -> None:
    """The station at a gate: reads passes, takes a temperature, decides, writes it down, and sends it to the hub."""


main.add_command(paper)
main.add_command(voice)


@main.command()
@config_option
@said_plainly
def run(path: Path) -> None:
    """Guard the gate until told to stop."""
    from kiosk.app import run_station

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    run_station(load(path))


@main.command()
@config_option
@json_option
@click.option("--set-emissivity", is_flag=True, help="First write the configured emissivity into the thermometer.")
@said_plainly
def selftest(path: Path, as_json: bool, set_emissivity: bool) -> None:
    """Test every device; exit code 1 when one fails."""
    from kiosk.selftest import check_all

    results = check_all(load(path), set_emissivity)
    for result in results:
        row = {"device": result.device, "ok": result.ok, "detail": result.detail}
        click.echo(
            json.dumps(row, ensure_ascii=False)
            if as_json
            else f"{'ok  ' if result.ok else 'FAIL'} {result.device:12} {result.detail}"
        )
    sys.exit(0 if all(result.ok for result in results) else 1)


@main.command("settings-pin")
@click.option("--pin", prompt="PIN", hide_input=True, confirmation_prompt=True)
def settings_pin(pin: str) -> None:
    """Make the line for kiosk.toml that lets a PIN open the settings on the screen."""
    from argon2 import PasswordHasher

    if not (pin.isdecimal() and 4 <= len(pin) <= 8):
        click.echo("kiosk: a PIN is 4 to 8 digits, since it is typed on the screen's number pad", err=True)
        sys.exit(2)
    click.echo(f'# in the section [screen]\nsettings_pin = "{PasswordHasher().hash(pin)}"')


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@said_plainly
def scan(images: tuple[Path, ...], as_json: bool) -> None:
    """Read the codes on still images with the station's own scanner."""
    from kiosk.scanner import Scanner, scan_file

    scanner = Scanner()
    for image in images:
        found = scan_file(image, scanner)
        click.echo(json.dumps(found, ensure_ascii=False) if as_json else _scanned(found))


@main.command()
@click.argument("token")
@config_option
@json_option
@said_plainly
def verify(token: str, path: Path, as_json: bool) -> None:
    """Say what a pass's text is worth at this gate; exit code 1 when it is refused."""
    located = load(path)
    verdict = _verdict(token, located)
    click.echo(
        json.dumps(verdict, ensure_ascii=False, default=str) if as_json else "\n".join(f"{k}: {v}" for k, v in verdict.items())
    )
    sys.exit(0 if verdict["problem"] is None else 1)


@main.group()
def journal() -> None:
    """Look into the station's journal."""


@journal.command()
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=20, show_default=True)
@config_option
@json_option
@said_plainly
def tail(count: int, path: Path, as_json: bool) -> None:
    """The last events."""
    with _journal(load(path)) as log:
        for event in log.tail(count):
            click.echo(msgspec.json.encode(event).decode() if as_json else _line(event))


@journal.command("check")
@config_option
@json_option
@said_plainly
def check_journal(path: Path, as_json: bool) -> None:
    """Test the journal's integrity; exit code 1 when something is wrong."""
    with _journal(load(path)) as log:
        faults = log.check()
        summary = {"journal": log.id, "last_seq": log.last_seq, "backlog": log.backlog(), "faults": faults}
    click.echo(json.dumps(summary, ensure_ascii=False) if as_json else "\n".join(f"{k}: {v}" for k, v in summary.items()))
    sys.exit(1 if faults else 0)


@journal.command()
@click.argument("out", type=click.File("wb"))
@config_option
@said_plainly
def export(out: Any, path: Path) -> None:
    """Write every event as JSON lines to a file (- for standard output)."""
    with _journal(load(path)) as log:
        for event in log.all_events():
            out.write(msgspec.json.encode(event) + b"\n")


def _line(event: Event) -> str:
    body = msgspec.json.encode(event.body).decode()
    return f"{event.seq:>8} {event.at:%Y-%m-%d %H:%M:%S}Z {event.clock:8} {body}"


def _scanned(found: dict[str, Any]) -> str:
    tokens = [token["text"] or token["bytes_hex"] for token in found["tokens"]]
    return f"{found['image']}: {len(tokens)} codes in {found['ms']:.0f} ms\n" + "\n".join(f"  {token}" for token in tokens)


def _verdict(token: str, located: Located) -> dict[str, Any]:
    from contract.sealing import unb64
    from kiosk.uplink import load_kept_directory

    with _journal(located) as log:
        directory = load_kept_directory(log, located.roots)
    keys = {key.kid: unb64(key.public) for key in directory.keys.passes if key.public} if directory else {}
    claims = read(token, keys)
    revoked = directory.revocations.ids if directory else ()
    refused = (
        claims
        if isinstance(claims, Rejected)
        else check(claims, datetime.now(UTC), located.settings.place.compound, revoked, set(PassKind))
    )
    known = None if isinstance(claims, Rejected) else claims
    return {
        "problem": refused.problem if refused else None, "detail": refused.detail if refused else "good",
        "pass": known.id if known else None, "kind": known.kind if known else None, "name": known.name if known else None,
        "expires": known.expires if known else None, "directory_version": directory.version if directory else 0,
    }  # fmt: skip


def _journal(located: Located) -> Any:
    from kiosk.clock import StationClock, boot_id
    from kiosk.journal import Journal

    if not (located.data / "journal.db").exists():
        raise BadSettings(f"{located.data}: no journal there yet; has this station ever run?")
    return Journal(located.data, boot=boot_id(), clock=StationClock().journal_now)


if __name__ == "__main__":
    main()
