"""What the station says: every sentence has words, a recording goes before a rendering, and nothing of it stops the gate."""

import json
import re
import shutil
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from kiosk import config
from kiosk.drivers.emulated.player import PLAYED_FILE, EmulatedPlayer
from kiosk.drivers.player import AplayPlayer, Done, Sound
from kiosk.speaking.speech import RenderingFailed, read_clip, recording_path, recordings, render, rendered_path
from kiosk.speaking.spoken import LANGUAGES, SPOKEN
from kiosk.speaking.voice import Voice, open_voice
from kiosk.speaking.voice_commands import voice as voice_command
from kiosk.speaking.wav import FULL_RMS, MOST_SECONDS, BadRecording, Clip, loudened, read_wav, wav_of
from kiosk.web.texts import SENTENCES
from tests.unit.test_settings import STATION

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
needs_aplay = pytest.mark.skipif(shutil.which("aplay") is None, reason="aplay is not installed: alsa-utils")
RATE = 16000
TOLD_TO_NOBODY = r"隔离|吊销|发热|发烧|高温|红|橙|黄|isolat|revok|fever|quarantine|red\b|orange|yellow"

LISTENER = """
import signal, sys, time
log = open(sys.argv[1], "a", buffering=1)
signal.signal(signal.SIGTERM, lambda *_: (log.write("ended\\n"), sys.exit(1)))
wav = sys.stdin.buffer.read()
log.write(f"began {len(wav)}\\n")
if sys.argv[2] == "long":
    signal.pause()
log.write("heard\\n")
"""
"""Stands where aplay stands: a real process that takes a WAV, and either has played it at once or plays until it is ended."""


def tone(seconds: float = 0.5, level: float = 0.3, silence: float = 0.0) -> bytes:
    """A WAV of 300 Hz with silence before and after."""
    sine = np.sin(np.arange(round(seconds * RATE)) * 2 * np.pi * 300 / RATE) * level * 32767
    quiet = np.zeros(round(silence * RATE))
    return wav_of(Clip(np.concatenate([quiet, sine, quiet]).astype(np.int16), RATE))


def record(folder: Path, language: str, sentence: str, data: bytes) -> Path:
    path = recording_path(folder, language, sentence)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def rms(clip: Clip) -> float:
    return float(np.sqrt((clip.samples.astype(np.float64) ** 2).mean()))


class Heard:
    """A player that keeps what it was given; `problem` is what becomes of it."""

    def __init__(self) -> None:
        self.sounds: list[Sound] = []
        self.playing: str | None = None
        self.problem: str | None = None

    def play(self, sound: Sound, done: Done) -> None:
        self.sounds.append(sound)
        self.playing = sound.name
        done(self.problem)

    def stop(self) -> None:
        self.playing = None

    def wait(self) -> None:
        pass

    def close(self) -> None:
        self.playing = None


class Told(list[tuple[bool, str]]):
    def __call__(self, heard: bool, words: str) -> None:
        self.append((heard, words))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def voice(tmp_path: Path, heard: Heard, told: Told) -> Iterator[Voice]:
    """A voice whose two sentences are rendered: by tones, so that no espeak-ng is needed."""
    for sentence in ("ok_enter", "wait_aside"):
        path = rendered_path(tmp_path, "zh", sentence)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tone())
    made = Voice(tmp_path, LANGUAGES, heard, told, renderer="no-such-program")
    yield made
    made.close()


# The words.


def test_every_sentence_of_the_screen_can_be_said() -> None:
    assert SPOKEN.keys() == SENTENCES.keys()


@pytest.mark.parametrize("sentence", SPOKEN)
def test_a_sentence_never_says_why(sentence: str) -> None:
    assert not re.search(TOLD_TO_NOBODY, " ".join(SPOKEN[sentence]), re.IGNORECASE)


@pytest.mark.parametrize("sentence", SPOKEN)
def test_the_pinyin_has_a_syllable_with_a_tone_for_every_character(sentence: str) -> None:
    spoken = SPOKEN[sentence]
    syllables = re.findall(r"[a-zü]+[1-5]", spoken.pinyin)
    assert "".join(syllables) == re.sub(r"[ ,]", "", spoken.pinyin)
    assert len(syllables) == len(re.findall(r"[\u4e00-\u9fff]", spoken.zh))


# Rendering.


@needs_espeak
def test_every_sentence_is_rendered_in_every_language_and_can_be_played(tmp_path: Path) -> None:
    made = render(tmp_path, LANGUAGES)
    assert set(made) == {rendered_path(tmp_path, language, sentence) for language in LANGUAGES for sentence in SPOKEN}
    for path in made:
        assert 0.4 < loudened(read_clip(path), 85).seconds < 5, path
    assert [path for path in tmp_path.rglob("*") if path.suffix not in (".wav", ".json") and path.is_file()] == [
        tmp_path / "rendered" / "lock"
    ]


@needs_espeak
@pytest.mark.parametrize("sentence", SPOKEN)
def test_chinese_is_not_read_as_english_letters(sentence: str) -> None:
    command = ["espeak-ng", "-v", "cmn-latn-pinyin", "-q", "-x", "--", SPOKEN[sentence].pinyin]
    phonemes = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout.decode()
    assert "(en)" not in phonemes
    assert len(phonemes.split()) > 0


@needs_espeak
def test_only_what_is_missing_or_says_other_words_is_rendered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render(tmp_path, ["en"])
    assert render(tmp_path, ["en"]) == []
    rendered_path(tmp_path, "en", "again").unlink()
    monkeypatch.setitem(SPOKEN, "wrist", SPOKEN["wrist"]._replace(en="Show me your wrist."))
    assert {path.stem for path in render(tmp_path, ["en"])} == {"again", "wrist"}
    assert render(tmp_path, ["en"]) == []


@needs_espeak
def test_recordings_are_never_written_to__wherever_they_were_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render(tmp_path, ["en"])
    beside, instead = record(tmp_path, "en", "again", tone()), rendered_path(tmp_path, "en", "wrist")
    instead.write_bytes(tone(0.7))
    for sentence in ("again", "wrist"):
        monkeypatch.setitem(SPOKEN, sentence, SPOKEN[sentence]._replace(en="Other words."))
    assert [path.stem for path in render(tmp_path, ["en"])] == ["again"]
    assert (beside.read_bytes(), instead.read_bytes()) == (tone(), tone(0.7))


@needs_espeak
@pytest.mark.parametrize("left", [b"", b"RIFF\x00\x00"])
def test_a_rendering_cut_short_by_a_power_cut_is_made_again(tmp_path: Path, left: bytes) -> None:
    render(tmp_path, ["en"])
    rendered_path(tmp_path, "en", "again").write_bytes(left)
    (tmp_path / "rendered" / "made.json").write_bytes(left)
    assert [path.stem for path in render(tmp_path, ["en"])] == ["again"]


def test_without_espeak_the_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(RenderingFailed, match="apt-get install espeak-ng"):
        render(tmp_path, ["zh"], program="no-such-program")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "rendered").write_text("a file stands here")
    with pytest.raises(RenderingFailed, match="rendered"):
        render(tmp_path, ["zh"])


def test_a_program_that_fails_is_quoted(tmp_path: Path) -> None:
    program = tmp_path / "espeak"
    program.write_text("#!/bin/sh\necho no such voice >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(RenderingFailed, match="no such voice"):
        render(tmp_path / "voice", ["zh"], program=str(program))


# WAV files.


@pytest.mark.parametrize("level", [0.01, 0.1, 0.9])
def test_what_is_recorded_near_or_far_is_heard_alike(level: float) -> None:
    assert rms(loudened(read_wav(tone(2.0, level)), 100)) == pytest.approx(FULL_RMS, rel=0.15)


@needs_espeak
def test_rendered_sentences_are_equally_loud(tmp_path: Path) -> None:
    levels = [rms(loudened(read_clip(path), 100)) for path in render(tmp_path, LANGUAGES)]
    assert min(levels) > FULL_RMS * 0.5
    assert max(levels) < FULL_RMS * 1.1


def test_half_the_loudness_is_ten_decibels_less_and_more_is_louder() -> None:
    clip = read_wav(tone(1.0))
    levels = [rms(loudened(clip, loudness)) for loudness in (0, 1, 25, 50, 100)]
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert 20 * np.log10(levels[4] / levels[3]) == pytest.approx(10, abs=0.4)


def test_silence_around_the_words_is_left_out() -> None:
    assert loudened(read_wav(tone(1.0, silence=2.0)), 85).seconds == pytest.approx(1.2, abs=0.05)


@pytest.mark.parametrize("width, channels", [(1, 1), (2, 2), (3, 1), (4, 2)])
def test_recorders_may_write_8_to_32_bits_in_mono_or_stereo(tmp_path: Path, width: int, channels: int) -> None:
    sine = np.sin(np.arange(RATE) * 0.1) * 0.4
    whole = (sine * (2 ** (8 * width - 1) - 1)).astype(np.int64) + (128 if width == 1 else 0)
    data = np.repeat(whole, channels).astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes()
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((channels, width, RATE, 0, "NONE", ""))
        file.writeframes(data)
    samples = read_wav((tmp_path / "a.wav").read_bytes()).samples
    assert np.abs(samples / 32768 - sine).max() < 0.02


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "empty"),
        (b"ID3 an mp3", "not a WAV"),
        (tone()[:30], "not a WAV"),
        (tone()[:20] + b"\x03" + tone()[21:], "not a WAV of 16-bit PCM"),
        (wav_of(Clip(np.zeros(0, np.int16), RATE)), "nothing is heard"),
        (wav_of(Clip(np.zeros(RATE, np.int16), RATE)), "nothing is heard"),
        (tone(MOST_SECONDS + 0.1), "10 s at most"),
        (wav_of(Clip(np.ones(100, np.int16), 100)), "samples a second"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_played_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(BadRecording, match=words):
        read_wav(data)


@given(st.data())
def test_any_file_is_played_or_refused(data: st.DataObject) -> None:
    good = bytearray(tone(0.05))
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=6)):
        good[place] = byte
    cut = bytes(good[: data.draw(st.integers(0, len(good)))])
    try:
        clip = read_wav(cut)
    except BadRecording:
        return
    assert read_wav(wav_of(loudened(clip, 100))).seconds <= MOST_SECONDS + 0.3


@given(st.binary(max_size=200))
@example(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\0\0\0")
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(BadRecording):
        read_wav(noise)


# Saying.


def test_a_new_sentence_replaces_the_one_that_plays_and_the_same_is_not_begun_again(voice: Voice, heard: Heard) -> None:
    for sentence in ("ok_enter", "ok_enter", "wait_aside", "ok_enter"):
        voice.say(sentence, "zh", 85)
    assert [sound.name for sound in heard.sounds] == ["zh/ok_enter", "zh/wait_aside", "zh/ok_enter"]
    heard.playing = None
    voice.say("ok_enter", "zh", 85)
    assert len(heard.sounds) == 4


def test_a_recording_goes_first_and_is_heard_as_soon_as_it_is_dropped_in(
    voice: Voice, heard: Heard, tmp_path: Path, told: Told
) -> None:
    voice.say("ok_enter", "zh", 85)
    path = record(tmp_path, "zh", "ok_enter", tone(1.5))
    voice.say("wait_aside", "zh", 85)
    voice.say("ok_enter", "zh", 85)
    path.unlink()
    voice.say("wait_aside", "zh", 85)
    voice.say("ok_enter", "zh", 85)
    assert [round(sound.seconds, 1) for sound in heard.sounds] == [0.5, 0.5, 1.5, 0.5, 0.5]
    assert told == []


@pytest.mark.parametrize("data", [b"", b"not a WAV", tone(11)])
def test_a_recording_that_cannot_be_played_is_told_once_and_the_rendered_one_is_heard(
    voice: Voice, heard: Heard, tmp_path: Path, told: Told, data: bytes
) -> None:
    record(tmp_path, "zh", "ok_enter", data)
    for sentence in ("ok_enter", "wait_aside", "ok_enter"):
        voice.say(sentence, "zh", 85)
    assert [round(sound.seconds, 1) for sound in heard.sounds] == [0.5] * 3
    assert [ok for ok, _ in told] == [True]
    assert "zh/ok_enter.wav is not used" in told[0][1]
    record(tmp_path, "zh", "ok_enter", tone(1.0))
    voice.say("wait_aside", "zh", 85)
    voice.say("ok_enter", "zh", 85)
    assert told[1:] == [(True, "")]


def test_loudness_is_in_the_samples(voice: Voice, heard: Heard) -> None:
    for loudness in (85, 40):
        voice.say("ok_enter", "zh", loudness)
        heard.playing = None
    loud, quiet = (rms(read_wav(sound.wav)) for sound in heard.sounds)
    assert quiet < loud / 3


@pytest.mark.parametrize("sentence, loudness", [("not_rendered", 85), ("wait_aside", 0)])
def test_what_cannot_be_said_still_ends_what_the_last_person_was_told(
    voice: Voice, heard: Heard, sentence: str, loudness: int
) -> None:
    voice.say("ok_enter", "zh", 85)
    voice.say(sentence, "zh", loudness)
    assert (heard.playing, len(heard.sounds)) == (None, 1)


def test_a_fault_of_the_loudspeaker_is_told_once_and_its_end_too(voice: Voice, heard: Heard, told: Told) -> None:
    heard.problem = "there is no loudspeaker"
    for sentence in ("ok_enter", "wait_aside", "ok_enter"):
        voice.say(sentence, "zh", 85)
    heard.problem = None
    voice.say("wait_aside", "zh", 85)
    assert told == [(False, "there is no loudspeaker"), (True, "")]


def test_without_espeak_recordings_are_still_said(voice: Voice, heard: Heard, tmp_path: Path, told: Told) -> None:
    record(tmp_path, "en", "again", tone())
    voice.prepare()
    voice.say("again", "en", 85)
    assert [sound.name for sound in heard.sounds] == ["en/again"]
    mute = len(SPOKEN) * len(LANGUAGES) - 3
    assert told == [
        (False, f"no-such-program is not installed: apt-get install espeak-ng; {mute} sentences can't be heard until then")
    ]


def test_misnamed_recordings_are_told(voice: Voice, tmp_path: Path, told: Told) -> None:
    record(tmp_path, "zh", "ok_entre", tone())
    record(tmp_path, "zh", "._ok_enter", b"what another system leaves beside a file")
    voice.prepare()
    assert "zh/ok_entre.wav is not used: no sentence has this name" in told[-1][1]
    assert recordings(tmp_path).keys() == {"zh/ok_entre.wav"}


@needs_espeak
def test_a_station_speaks_from_an_empty_folder(tmp_path: Path, told: Told) -> None:
    settings = config.Voice(device=f"emulated:{tmp_path}")
    with open_voice(settings, tmp_path / "data", told) or pytest.fail("it is on") as made:
        made.prepare()
        for language in LANGUAGES:
            for sentence in SPOKEN:
                made.say(sentence, language, settings.day)
    lines = [json.loads(line) for line in (tmp_path / PLAYED_FILE).read_text(encoding="utf-8").splitlines()]
    assert [(line["language"], line["sentence"]) for line in lines] == [(la, s) for la in LANGUAGES for s in SPOKEN]
    assert {line["loudness"] for line in lines} == {85}
    assert told == []


@needs_espeak
def test_the_screens_language_is_rendered_first(tmp_path: Path, told: Told) -> None:
    made = open_voice(config.Voice(device=f"emulated:{tmp_path}"), tmp_path, told, first="en") or pytest.fail("it is on")
    made.prepare()
    written = {language: rendered_path(tmp_path / "voice", language, "ok_enter").stat().st_mtime_ns for language in LANGUAGES}
    assert written["en"] < written["zh"]


def test_a_voice_that_is_off_is_none(tmp_path: Path, told: Told) -> None:
    assert open_voice(config.Voice(on=False), tmp_path, told) is None


# Players.


def test_an_emulated_loudspeaker_takes_as_long_as_the_sound_and_tells_what_it_cut_short(tmp_path: Path) -> None:
    now = [100.0]
    player, results = EmulatedPlayer(tmp_path, clock=lambda: now[0]), list[str | None]()
    player.play(Sound("zh/again", b"", 2.0, 85), results.append)
    now[0] = 101.9
    assert player.playing == "zh/again"
    player.play(Sound("zh/wrist", b"", 2.0, 85), results.append)
    now[0] = 104.0
    assert player.playing is None
    player.play(Sound("en/again", b"", 2.0, 40), results.append)
    lines = [json.loads(line) for line in (tmp_path / PLAYED_FILE).read_text(encoding="utf-8").splitlines()]
    assert [line["instead_of"] for line in lines] == [None, "zh/again", None]
    assert results == [None] * 3


def test_an_emulated_loudspeaker_without_its_folder_is_told(tmp_path: Path) -> None:
    results = list[str | None]()
    EmulatedPlayer(tmp_path / "none").play(Sound("zh/again", b"", 2.0, 85), results.append)
    assert "No such file" in str(results[0])


def listener(log: Path, how: str) -> AplayPlayer:
    return AplayPlayer(program=(sys.executable, "-c", LISTENER, str(log), how))


def wait_for(log: Path, line: str) -> None:
    """Until the listening process has written a line; the test's own time-out ends it."""
    tick = threading.Event()
    while not (log.exists() and line in log.read_text()):
        tick.wait(0.01)


def test_a_sound_is_fed_whole_and_its_end_is_told(tmp_path: Path) -> None:
    log, results, wav = tmp_path / "log", list[str | None](), tone(3.0)
    player = listener(log, "short")
    player.play(Sound("zh/again", wav, 3.0, 85), results.append)
    player.wait()
    player.close()
    assert log.read_text() == f"began {len(wav)}\nheard\n"
    assert results == [None]


def test_the_next_sound_begins_once_the_one_before_has_ended(tmp_path: Path) -> None:
    log, results = tmp_path / "log", list[str | None]()
    player = listener(log, "long")
    player.play(Sound("zh/again", b"12", 60.0, 85), results.append)
    wait_for(log, "began 2\n")
    player.play(Sound("zh/wrist", b"123", 60.0, 85), results.append)
    wait_for(log, "began 3\n")
    assert player.playing == "zh/wrist"
    player.stop()
    player.wait()
    assert player.playing is None
    player.close()
    assert log.read_text() == "began 2\nended\nbegan 3\nended\n"
    assert results == []  # what was cut short is no fault


def test_of_many_sounds_at_once_the_last_is_heard(tmp_path: Path) -> None:
    log, results = tmp_path / "log", list[str | None]()
    player = listener(log, "short")
    for number in range(30):
        player.play(Sound(f"zh/{number}", b"x" * number, 1.0, 85), results.append)
    assert player.playing == "zh/29"
    player.wait()
    player.close()
    assert log.read_text().endswith("began 29\nheard\n")


def test_close_ends_what_plays(tmp_path: Path) -> None:
    log = tmp_path / "log"
    player = listener(log, "long")
    player.play(Sound("zh/again", b"12", 60.0, 85), lambda _problem: None)
    wait_for(log, "began 2\n")
    player.close()
    assert log.read_text() == "began 2\nended\n"


def played(player: AplayPlayer) -> list[str | None]:
    results = list[str | None]()
    player.play(Sound("zh/again", tone(), 0.5, 85), results.append)
    player.wait()
    player.close()
    return results


def test_without_aplay_the_package_is_named() -> None:
    assert played(AplayPlayer(program=("no-such-program",))) == ["no-such-program is not installed: apt-get install alsa-utils"]


@needs_aplay
@pytest.mark.parametrize("device", ["hw:31", "plughw:CARD=nowhere", "nonsense"])
def test_without_a_loudspeaker_aplay_tells_it_and_the_words_say_what_to_do(device: str) -> None:
    assert played(AplayPlayer(device)) == [
        f"there is no loudspeaker {device}: plug it in, or set voice.device to a name that aplay -L lists"
    ]


@needs_aplay
def test_aplay_plays_exactly_the_samples(tmp_path: Path) -> None:
    target, clip = tmp_path / "heard.raw", loudened(read_wav(tone()), 60)
    player, results = AplayPlayer(f"file:{target},raw"), list[str | None]()
    player.play(Sound("zh/again", wav_of(clip), clip.seconds, 60), results.append)
    player.wait()
    player.close()
    assert results == [None]
    assert np.array_equal(np.frombuffer(target.read_bytes(), "<i2")[: len(clip.samples)], clip.samples)


@pytest.mark.parametrize(
    "script, words",
    [
        ("echo 'audio open error: Device or resource busy' >&2; exit 1", "another program holds"),
        ("echo 'audio open error: Permission denied' >&2; exit 1", "usermod -aG audio"),
        ("echo 'something new' >&2; exit 1", "something new"),
        ("exit 3", "exit code 3"),
        ("kill -9 $$", "took no sound"),
    ],
)
def test_what_goes_wrong_with_a_loudspeaker_is_said_in_words(script: str, words: str) -> None:
    (problem,) = played(AplayPlayer(program=("sh", "-c", script)))
    assert problem is not None
    assert words in problem


def test_a_loudspeaker_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.drivers.player._GRACE_SECONDS", 0.1)
    monkeypatch.setattr("kiosk.drivers.player._LOOK_SECONDS", 0.1)
    (problem,) = played(AplayPlayer(program=("sh", "-c", "trap '' TERM; exec sleep 100")))
    assert "took no sound" in str(problem)


# Commands.


@pytest.fixture
def station(tmp_path: Path) -> Path:
    path = tmp_path / "kiosk.toml"
    (tmp_path / "world").mkdir()
    path.write_text(STATION + '[voice]\ndevice = "emulated:world"\n', encoding="utf-8")
    return path


@needs_espeak
def test_the_commands_render_look_through_recordings_and_play(station: Path) -> None:
    runner, at = CliRunner(), ["--config", str(station)]
    done = runner.invoke(voice_command, ["render", *at])
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, len(SPOKEN) * len(LANGUAGES)), done.output
    record(station.parent / "data" / "voice", "zh", "again", tone())
    record(station.parent / "data" / "voice", "zh", "wrist", b"")
    done = runner.invoke(voice_command, ["render", *at])
    assert done.exit_code == 1
    assert done.stdout.splitlines() == ["ok   recording zh/again.wav", "FAIL recording zh/wrist.wav the file is empty"]
    (station.parent / "data" / "voice" / "zh" / "wrist.wav").unlink()
    assert runner.invoke(voice_command, ["play", "again", *at]).exit_code == 0
    assert runner.invoke(voice_command, ["play", "again", "--language", "en", "--loudness", "40", *at]).exit_code == 0
    lines = [json.loads(line) for line in (station.parent / "world" / PLAYED_FILE).read_text("utf-8").splitlines()]
    assert [(line["language"], line["loudness"]) for line in lines] == [("zh", 85), ("en", 40)]


@needs_espeak
def test_play_says_what_is_wrong(station: Path) -> None:
    (station.parent / "world").rmdir()
    done = CliRunner().invoke(voice_command, ["play", "again", "--config", str(station)])
    assert done.exit_code == 1
    assert "emulated loudspeaker" in done.stderr
    station.write_text(STATION + "[voice]\non = false\n", encoding="utf-8")
    done = CliRunner().invoke(voice_command, ["play", "again", "--config", str(station)])
    assert (done.exit_code, "voice.on" in done.stderr) == (2, True)
