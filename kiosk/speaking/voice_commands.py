"""`kiosk voice`: make the sentences, look through the recordings, try one."""

import sys
from pathlib import Path

import click

from contract.settings import BadSettings
from kiosk.command_line import config_option, said_plainly
from kiosk.config import Located, load
from kiosk.speaking.spoken import LANGUAGES, SPOKEN


@click.group()
def voice() -> None:
    """What the station says."""


@voice.command("render")
@config_option
@said_plainly
def render_voice(path: Path) -> None:
    """Render the sentences that are missing, and look through the recordings; exit code 1 when one can't be used."""
    from kiosk.speaking.speech import recordings, render

    folder = _folder(load(path))
    for made in render(folder, LANGUAGES):
        click.echo(f"rendered {made}")
    problems = recordings(folder, LANGUAGES)
    for name, problem in problems.items():
        click.echo(f"{'FAIL' if problem else 'ok  '} recording {name} {problem or ''}".rstrip())
    sys.exit(1 if any(problems.values()) else 0)


@voice.command()
@click.argument("sentence", type=click.Choice(sorted(SPOKEN)))
@click.option("--language", type=click.Choice(LANGUAGES), help="The screen's, when it isn't given.")
@click.option("--loudness", type=click.IntRange(1, 100), help="The day's, when it isn't given.")
@config_option
@said_plainly
def play(sentence: str, language: str | None, loudness: int | None, path: Path) -> None:
    """Say SENTENCE by the configured loudspeaker; exit code 1 when something is wrong."""
    from kiosk.speaking.voice import open_voice

    located, told = load(path), list[str]()
    settings = located.settings.voice
    device = located.device(settings.device)
    voice = open_voice(settings, located.data, lambda _heard, words: told.append(words), device=device)
    if voice is None:
        raise BadSettings(f"{path}: key 'voice.on' is false: this station is silent")
    voice.prepare()
    voice.say(sentence, language or located.settings.screen.language, loudness or settings.day)
    voice.wait()
    voice.close()
    if told and told[-1]:
        click.echo(f"kiosk: {told[-1]}", err=True)
        sys.exit(1)


def _folder(located: Located) -> Path:
    return located.data / located.settings.voice.folder
