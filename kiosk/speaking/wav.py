"""WAV files as samples, brought to one loudness: what is recorded near or far is heard alike. Pure."""

import io
import math
import wave
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MOST_SECONDS = 10.0
MOST_BYTES = 20_000_000
"""More than ten seconds take in stereo at 192 kHz and 32 bits."""
FULL_RMS = 0.2 * 32768
"""RMS of speech at loudness 100, 14 dB under full scale: as loud as speech gets before its peaks are squeezed much."""
_RATES = range(8000, 192_001)
_BLOCK_SECONDS, _MARGIN_BLOCKS, _SPEECH = 0.02, 5, 0.1
_TENFOLD = 10 / (20 * math.log10(2))
"""Half the number is 10 dB less, which sounds half as loud."""


class BadRecording(ValueError):
    """A file that can't be played, and why."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Sound of one channel."""

    samples: NDArray[np.int16]
    rate: int
    """Samples a second."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


def read_wav(data: bytes) -> Clip:
    """A PCM WAV of 8 to 32 bits and any number of channels, mixed to one. Raises `BadRecording`."""
    if not data:
        raise BadRecording("the file is empty")
    try:
        with wave.open(io.BytesIO(data)) as source:
            width, channels, rate = source.getsampwidth(), source.getnchannels(), source.getframerate()
            raw = source.readframes(source.getnframes())
    except (wave.Error, EOFError, RuntimeError) as error:  # the last one: a chunk that claims to be longer than the file
        raise BadRecording(f"not a WAV of 16-bit PCM ({error or 'it breaks off'})") from None
    if rate not in _RATES:
        raise BadRecording(f"{rate} samples a second; it may be {_RATES[0]} to {_RATES[-1]}")
    clip = Clip(_mixed(raw[: len(raw) // (width * channels) * width * channels], width, channels), rate)
    if clip.seconds > MOST_SECONDS:
        raise BadRecording(f"it lasts {clip.seconds:.1f} s; {MOST_SECONDS:.0f} s at most")
    if not clip.samples.any():
        raise BadRecording("nothing is heard in it")
    return clip


def loudened(clip: Clip, loudness: int) -> Clip:
    """The speech without the silence around it, at a loudness of 0 to 100; 50 sounds half as loud as 100."""
    first, last, rms = _speech(clip)
    gain = FULL_RMS / rms * (loudness / 100) ** _TENFOLD
    scaled = np.tanh(clip.samples[first:last] * (gain / 32768)) * 32767  # squeezes peaks instead of cutting them off
    return replace(clip, samples=scaled.astype(np.int16))


def wav_of(clip: Clip) -> bytes:
    """A clip as a WAV file of 16-bit PCM."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(clip.rate)
        file.writeframes(clip.samples.astype("<i2").tobytes())
    return target.getvalue()


def _mixed(raw: bytes, width: int, channels: int) -> NDArray[np.int16]:
    """Little-endian samples as 16 bits of one channel; 8-bit ones are unsigned (Multimedia Programming Interface 1.0, WAVE)."""
    if width == 1:
        samples = (np.frombuffer(raw, np.uint8).astype(np.int16) - 128) * 256
    else:
        samples = np.frombuffer(raw, np.uint8).reshape(-1, width)[:, -2:].copy().view("<i2")[:, 0]
    return np.asarray(samples.reshape(-1, channels).mean(axis=1), np.int16)


def _speech(clip: Clip) -> tuple[int, int, float]:
    """First and last sample of the speech with a margin, and its RMS: blocks of 20 ms no more than 20 dB under the loudest."""
    size = max(round(clip.rate * _BLOCK_SECONDS), 1)
    padded = np.pad(clip.samples.astype(np.float64), (0, -len(clip.samples) % size)).reshape(-1, size)
    power = (padded**2).mean(axis=1)
    speech = np.flatnonzero(power >= power.max() * _SPEECH**2)
    first, last = max(int(speech[0]) - _MARGIN_BLOCKS, 0), int(speech[-1]) + 1 + _MARGIN_BLOCKS
    return first * size, last * size, math.sqrt(power[speech].mean())
