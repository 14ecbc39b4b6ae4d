"""A loudspeaker on Linux: a WAV is fed to `aplay` (alsa-utils), one at a time; a new one ends the one that is playing.

aplay(1), version 1.2: it exits with 0 once all has been heard; SIGTERM ends it at once.
"""

import logging
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_GRACE_SECONDS = 5.0
"""A loudspeaker may need so much longer than the sound lasts."""


@dataclass(frozen=True)
class Sound:
    """A WAV to be played, and what it is."""

    name: str
    """LANGUAGE/SENTENCE."""
    wav: bytes
    seconds: float
    loudness: int
    """0 to 100, as it was already applied to the samples."""


Done = Callable[[str | None], None]
"""Told once a sound is over: None when it was heard, or why not in words. Not told of a sound that another one ended."""


class Player(Protocol):
    """Plays one sound at a time, without blocking; raises for nothing that a loudspeaker does."""

    @property
    def playing(self) -> str | None:
        """The name of the sound that plays or is about to."""
        ...

    def play(self, sound: Sound, done: Done) -> None:
        """Begin this one in place of whatever plays; returns at once."""
        ...

    def stop(self) -> None:
        """End what plays; returns at once."""
        ...

    def wait(self) -> None:
        """Block until nothing plays."""
        ...

    def close(self) -> None:
        """End what plays, and the player."""
        ...


class AplayPlayer:
    """Plays through `aplay -D DEVICE`. Its process is ended by its own handle, and waited for before the next one begins."""

    def __init__(self, device: str = "default", *, program: Sequence[str] = ("aplay",)) -> None:
        self._device, self._command = device, (*program, "-q", "-t", "wav", "-D", device)
        self._changed = threading.Condition()
        self._next: tuple[Sound, Done] | None = None
        self._current: Sound | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = self._closed = False
        self._thread = threading.Thread(target=self._run, name="loudspeaker", daemon=True)
        self._thread.start()

    @property
    def playing(self) -> str | None:
        """The name of the sound that plays or is about to."""
        with self._changed:
            if self._next is not None:
                return self._next[0].name
            return self._current.name if self._current and not self._ended else None

    def play(self, sound: Sound, done: Done) -> None:
        """Begin this one in place of whatever plays; returns at once."""
        with self._changed:
            self._end_current()
            self._next = (sound, done)
            self._changed.notify_all()

    def stop(self) -> None:
        """End what plays; returns at once."""
        with self._changed:
            self._end_current()

    def wait(self) -> None:
        """Block until nothing plays."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._next is None and self._current is None))

    def close(self) -> None:
        """End what plays, and the thread."""
        with self._changed:
            self._closed = True
            self._end_current()
            self._changed.notify_all()
        self._thread.join()

    def _end_current(self) -> None:
        self._next = None
        self._ended = True
        if self._process is not None:
            self._process.terminate()

    def _run(self) -> None:
        while (job := self._take()) is not None:
            sound, done = job
            problem = self._play(sound)
            if not self._ended:
                try:
                    done(problem)
                except Exception:
                    logger.exception("what became of a sound could not be told")
            with self._changed:
                self._current = self._process = None
                self._changed.notify_all()

    def _take(self) -> tuple[Sound, Done] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._next is not None or self._closed)
            job, self._next = self._next, None
            if job is not None:
                self._current, self._ended = job[0], False
            return job

    def _play(self, sound: Sound) -> str | None:
        """Play it to its end; what went wrong in words."""
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(self._command, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, env=_english())
        except FileNotFoundError:
            return f"{self._command[0]} is not installed: apt-get install alsa-utils"
        except OSError as error:
            return f"{self._command[0]} can't be started: {error.strerror}"
        with process:
            with self._changed:
                self._process = process
                if self._ended:
                    process.terminate()
            errors = self._feed(process, sound)
        return None if process.returncode == 0 else self._words(errors, process.returncode)

    def _feed(self, process: subprocess.Popen[bytes], sound: Sound) -> str:
        """What it had to say; killed when it neither ends by itself nor when it is told to."""
        given: bytes | None = sound.wav
        left = sound.seconds + _GRACE_SECONDS
        while True:
            try:
                return process.communicate(given, timeout=_LOOK_SECONDS)[1].decode(errors="replace")
            except subprocess.TimeoutExpired:
                given, left = None, left - _LOOK_SECONDS
                if self._ended or left <= 0:
                    process.kill()

    def _words(self, errors: str, code: int) -> str:
        if code < 0:
            return f"loudspeaker {self._device} took no sound: unplug it and plug it in again"
        for sign, words in _SIGNS:
            if sign in errors:
                return words.format(device=self._device)
        return f"loudspeaker {self._device}: {errors.strip().splitlines()[-1] if errors.strip() else f'exit code {code}'}"


_SIGNS = (
    ("Device or resource busy", "another program holds loudspeaker {device}: end that program"),
    ("Permission denied", "the station's user may not use loudspeaker {device}: sudo usermod -aG audio USER"),
    ("audio open error", "there is no loudspeaker {device}: plug it in, or set voice.device to a name that aplay -L lists"),
)  # fmt: skip
"""What aplay says → what to do."""


def _english() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}
