"""The station's voice: one short sentence at a time, recorded or rendered. Whatever fails, the gate goes on in silence."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from kiosk import config
from kiosk.drivers.emulated.player import EmulatedPlayer
from kiosk.drivers.player import AplayPlayer, Player, Sound
from kiosk.speaking.speech import RenderingFailed, read_clip, recording_path, recordings, render, rendered_path
from kiosk.speaking.spoken import LANGUAGES, SPOKEN
from kiosk.speaking.wav import BadRecording, Clip, loudened, wav_of

Report = Callable[[bool, str], None]
"""Told (everything can be heard, what is wrong in words) whenever that changes; from any thread."""
_Stamp = tuple[int, int]


@dataclass(frozen=True)
class _Trouble:
    heard: bool
    """The sentence was heard all the same."""
    words: str


class Voice:
    """Says sentences. Any thread may call it; `close()` or `with` ends it."""

    def __init__(
        self, folder: Path, languages: Sequence[str], player: Player, report: Report, *, renderer: str = "espeak-ng"
    ) -> None:
        self._folder, self._languages, self._player, self._report = folder, tuple(languages), player, report
        self._renderer = renderer
        self._lock = threading.RLock()
        self._sounds: dict[tuple[Path, int], tuple[_Stamp, Sound]] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._told = (True, "")
        self._thread = threading.Thread(target=self.prepare, name="voice", daemon=True)

    def start(self) -> Self:
        """Begin to render what is missing, beside everything else."""
        self._thread.start()
        return self

    def wait(self) -> None:
        """Block until nothing is being said."""
        self._player.wait()

    def close(self) -> None:
        """Fall silent. A rendering that is under way is not waited for: it may be ended anywhere."""
        self._player.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def prepare(self) -> None:
        """Render what is missing and look through the recordings; what is wrong with either is reported."""
        try:
            render(self._folder, self._languages, program=self._renderer)
        except RenderingFailed as error:
            if mute := self._mute():
                self._note("rendering", _Trouble(False, f"{error}; {mute} sentences can't be heard until then"))
        else:
            self._note("rendering", None)
        for name, problem in recordings(self._folder, self._languages).items():
            self._note(name, _Trouble(True, f"recording {name} is not used: {problem}") if problem else None)

    def say(self, sentence: str, language: str, loudness: int) -> None:
        """Say it in place of what is being said; what is being said already is not begun again. Never raises."""
        name = f"{language}/{sentence}"
        if self._player.playing == name:
            return
        with self._lock:
            sound = self._sound(sentence, language, loudness) if loudness > 0 else None
        if sound is None:
            self._player.stop()
        else:
            self._player.play(sound, self._heard)

    def _sound(self, sentence: str, language: str, loudness: int) -> Sound | None:
        recorded = recording_path(self._folder, language, sentence)
        name = f"{language}/{recorded.name}"
        try:
            sound = self._loaded(recorded, loudness)
        except FileNotFoundError:
            self._note(name, None)
        except (BadRecording, OSError) as error:
            self._note(name, _Trouble(True, f"recording {name} is not used: {_why(error)}"))
        else:
            self._note(name, None)
            return sound
        return self._rendered(sentence, language, loudness)

    def _rendered(self, sentence: str, language: str, loudness: int) -> Sound | None:
        path, name = rendered_path(self._folder, language, sentence), f"rendered {language}/{sentence}"
        try:
            sound = self._loaded(path, loudness)
        except FileNotFoundError:
            return None  # not rendered yet, or `prepare` has told why
        except (BadRecording, OSError) as error:
            self._note(name, _Trouble(False, f"{path} can't be played, start the station again: {_why(error)}"))
            return None
        self._note(name, None)
        return sound

    def _loaded(self, path: Path, loudness: int) -> Sound:
        """A file at a loudness, from memory unless the file has changed. Raises `BadRecording`, `OSError`."""
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        kept = self._sounds.get((path, loudness))
        if kept is None or kept[0] != stamp:
            kept = (stamp, _sound_of(f"{path.parent.name}/{path.stem}", read_clip(path), loudness))
            self._sounds[path, loudness] = kept
        return kept[1]

    def _heard(self, problem: str | None) -> None:
        self._note("loudspeaker", _Trouble(False, problem) if problem else None)

    def _note(self, source: str, trouble: _Trouble | None) -> None:
        """Keep or forget a trouble, and report when what is wrong has changed."""
        with self._lock:
            if trouble is None:
                self._troubles.pop(source, None)
            else:
                self._troubles[source] = trouble
            heard, words = all(t.heard for t in self._troubles.values()), "; ".join(t.words for t in self._troubles.values())
            if (heard, words) == self._told:
                return
            self._told = (heard, words)
            self._report(heard, words)

    def _mute(self) -> int:
        """How many sentences have neither a rendered file nor a recording."""
        places = [(language, sentence) for language in self._languages for sentence in SPOKEN]
        return sum(not (recording_path(self._folder, *p).exists() or rendered_path(self._folder, *p).exists()) for p in places)


def open_voice(
    settings: config.Voice, data_folder: Path, report: Report, *, device: str | None = None, first: str = "zh"
) -> Voice | None:
    """The configured voice, not yet started; None when it is off. `device`: in place of the settings', when that was relative.
    `first`: the language whose sentences are rendered before the others', since what isn't rendered yet can't be heard."""
    if not settings.on:
        return None
    spec = device or settings.device
    kind, _, folder = spec.partition(":")
    player: Player = EmulatedPlayer(Path(folder)) if kind == "emulated" else AplayPlayer(spec)
    languages = sorted(LANGUAGES, key=lambda language: language != first)
    return Voice(data_folder / settings.folder, languages, player, report)


def _sound_of(name: str, clip: Clip, loudness: int) -> Sound:
    loud = loudened(clip, loudness)
    return Sound(name, wav_of(loud), loud.seconds, loudness)


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
