"""The station's sentences as WAV files: rendered by espeak-ng into `rendered/`, recorded by people beside it.

FOLDER/LANGUAGE/SENTENCE.wav            a real voice's recording, dropped in: used first, never written to
FOLDER/rendered/LANGUAGE/SENTENCE.wav   what espeak-ng made of it: always there, since a recording may be unplayable
FOLDER/rendered/made.json               SHA-256 of every file that was rendered → what it says
"""

import hashlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from kiosk.files import alone, write_whole
from kiosk.speaking.spoken import LANGUAGES, SPOKEN
from kiosk.speaking.wav import MOST_BYTES, BadRecording, Clip, read_wav

_VOICES = {"zh": "cmn-latn-pinyin", "en": "en"}
"""Not `cmn`: espeak-ng 1.51 (Debian 12) reads Chinese with it as English letters: github.com/espeak-ng/espeak-ng/issues/1236."""
_WORDS_A_MINUTE = "150"
_SECONDS = 30.0


class RenderingFailed(Exception):
    """A sentence can't be rendered, and what to do."""


def recording_path(folder: Path, language: str, sentence: str) -> Path:
    """Where a recording replaces a sentence."""
    return folder / language / f"{sentence}.wav"


def rendered_path(folder: Path, language: str, sentence: str) -> Path:
    """Where the rendered sentence is."""
    return recording_path(folder / "rendered", language, sentence)


def render(folder: Path, languages: Sequence[str], *, program: str = "espeak-ng") -> list[Path]:
    """Render what is missing or says other words than the table; the files made. Raises `RenderingFailed`."""
    try:
        (folder / "rendered").mkdir(parents=True, exist_ok=True)
        with alone(folder / "rendered" / "lock"):
            return list(_render_missing(folder, languages, program, _read_made(folder)))
    except OSError as error:
        raise RenderingFailed(f"{error.filename or folder}: {error.strerror or error}") from None


def read_clip(path: Path) -> Clip:
    """A sentence's file. Raises `BadRecording`, `OSError`."""
    if path.stat().st_size > MOST_BYTES:
        raise BadRecording("the file is far too large")
    return read_wav(path.read_bytes())


def recordings(folder: Path, languages: Sequence[str] = LANGUAGES) -> dict[str, str | None]:
    """LANGUAGE/FILE of each recording that was dropped in → why it can't be played, or None."""
    paths = sorted(path for language in languages for path in (folder / language).glob("[!.]*"))
    return {f"{path.parent.name}/{path.name}": _misnamed(path) or _problem(path) for path in paths}


def _render_missing(folder: Path, languages: Sequence[str], program: str, made: dict[str, str]) -> Iterator[Path]:
    for language in languages:
        for sentence in SPOKEN:
            path, says = rendered_path(folder, language, sentence), _says(language, sentence)
            if _is_wanted(path, says, made):
                _render_one(path, language, sentence, program, made, folder)
                yield path


def _is_wanted(path: Path, says: str, made: dict[str, str]) -> bool:
    """It is missing, or rendered from other words, or neither ours nor playable; a recording put here is left alone too."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return True
    said = made.get(_sha(data))
    return said != says if said is not None else _problem(path) is not None


def _render_one(path: Path, language: str, sentence: str, program: str, made: dict[str, str], folder: Path) -> None:
    """The hash is written down before the file is in place, so that a power cut never leaves ours looking like a recording."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    _espeak(program, language, sentence, fresh)
    data = fresh.read_bytes()
    try:
        read_wav(data)
    except BadRecording as error:
        raise RenderingFailed(f"{program} made no speech of {language}/{sentence}: {error}") from None
    made[_sha(data)] = _says(language, sentence)
    write_whole(_made_path(folder), msgspec.json.format(msgspec.json.encode(made)))
    write_whole(path, data)
    fresh.unlink()


def _espeak(program: str, language: str, sentence: str, target: Path) -> None:
    command = [program, "-v", _VOICES[language], "-s", _WORDS_A_MINUTE, "-w", str(target), "--", _text(language, sentence)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS)
    except FileNotFoundError:
        raise RenderingFailed(f"{program} is not installed: apt-get install espeak-ng") from None
    except subprocess.TimeoutExpired:
        raise RenderingFailed(f"{program} did not end within {_SECONDS:.0f} s") from None
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise RenderingFailed(f"{program} can't speak {language}: {why}")


def _text(language: str, sentence: str) -> str:
    spoken = SPOKEN[sentence]
    return spoken.pinyin if language == "zh" else spoken.en


def _says(language: str, sentence: str) -> str:
    return f"{_VOICES[language]} {_WORDS_A_MINUTE}: {_text(language, sentence)}"


def _misnamed(path: Path) -> str | None:
    if path.suffix == ".wav" and path.stem in SPOKEN:
        return None
    return f"no sentence has this name; it may be one of {', '.join(SPOKEN)}, each with .wav"


def _problem(path: Path) -> str | None:
    try:
        read_clip(path)
    except BadRecording as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _made_path(folder: Path) -> Path:
    return folder / "rendered" / "made.json"


def _read_made(folder: Path) -> dict[str, str]:
    """A damaged one counts as empty: what was rendered is then left as it is."""
    try:
        return msgspec.json.decode(_made_path(folder).read_bytes(), type=dict[str, str])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
