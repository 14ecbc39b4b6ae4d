"""An emulated loudspeaker: a line of `voice.jsonl` in a world's folder for every sound that it begins to play."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from kiosk.drivers.player import Done, Sound

PLAYED_FILE = "voice.jsonl"


class EmulatedPlayer:
    """Plays nothing, and takes as long over it as the sound lasts by `clock` (seconds)."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = folder / PLAYED_FILE, clock
        self._current: Sound | None = None
        self._until = 0.0

    @property
    def playing(self) -> str | None:
        """The name of the sound that plays."""
        return self._current.name if self._current and self._clock() < self._until else None

    def play(self, sound: Sound, done: Done) -> None:
        """Write it down, with what it cut short (`instead_of`)."""
        language, _, sentence = sound.name.partition("/")
        line = {
            "sentence": sentence, "language": language, "loudness": sound.loudness, "seconds": round(sound.seconds, 2),
            "instead_of": self.playing,
        }  # fmt: skip
        self._current, self._until = sound, self._clock() + sound.seconds
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            done(f"emulated loudspeaker {self._path}: {error.strerror}")
        else:
            done(None)

    def stop(self) -> None:
        """End what plays."""
        self._current = None

    def wait(self) -> None:
        """Nothing is heard, so there is nothing to wait for."""

    def close(self) -> None:
        """End what plays."""
        self._current = None
