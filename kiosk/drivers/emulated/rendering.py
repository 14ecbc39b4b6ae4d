"""Draws passes held up to a camera on a street: for the emulated camera, and hard ones for the bench.

Noise and background are made once for each size, since fresh noise costs ten times the rest of a frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np
import segno
from numpy.random import Generator
from numpy.typing import NDArray

from kiosk.drivers.base import Pixels

Style = Literal["phone", "paper"]

BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
"""RFC 9285's alphabet, which is QR's alphanumeric mode."""
_QUIET = 4  # modules of quiet zone, ISO/IEC 18004
_CAPACITY = {6: 140, 10: 290}  # characters that fill a version at level M but for a few, ISO/IEC 18004 table 7
_SPARE = 64  # pixels by which the noise is larger than a frame, to be shifted about


@dataclass(frozen=True)
class Effects:
    """What spoils a picture. Each is 0 for none; 1 is about as bad as it gets."""

    blur: float = 0.0
    noise: float = 0.0
    dark: float = 0.0
    glare: float = 0.0
    moire: float = 0.0
    crumple: float = 0.0
    crack: float = 0.0
    invert: bool = False


@dataclass(frozen=True)
class Pose:
    """How a card is held: its centre in pixels, its turn in degrees, its tilt as the share by which far edges shrink."""

    x: float
    y: float
    turn: float
    tilt_x: float
    tilt_y: float

    def shaken(self, shake: Generator, amount: float) -> "Pose":
        """Moved by a few pixels and degrees."""
        dx, dy, turn, tilt_x, tilt_y = shake.normal(0, amount, 5)
        return Pose(
            self.x + 4 * dx, self.y + 4 * dy, self.turn + 1.5 * turn, self.tilt_x + 0.02 * tilt_x, self.tilt_y + 0.02 * tilt_y
        )


def render(
    texts: Sequence[str],
    *,
    width: int,
    height: int,
    style: Style,
    rng: Generator,
    module_px: float,
    hardness: float,
    effects: Effects | None = None,
    shake: Generator | None = None,
) -> Pixels:
    """A height × width × 3 picture of the texts as QR codes, side by side.

    `rng` decides how they are held and what spoils them, `shake` moves them a little.
    Without `effects` they follow from `hardness`, 0 to 1. Raises segno.DataOverflowError for a text that no code holds.
    """
    effects = effects or Effects(blur=0.6 * hardness, noise=hardness, dark=0.5 * hardness, glare=0.5 * hardness)
    picture = _street(width, height).copy()
    for index, text in enumerate(texts):
        card = _spoilt(_card(text, style, max(3, round(module_px)), effects.invert), effects, rng)
        scale = min(module_px / max(3, round(module_px)), 0.95 * width / (card.shape[1] * len(texts)))
        pose = _pose(rng, width * (index + 0.5) / len(texts), width / len(texts) - card.shape[1] * scale, height, hardness)
        _paste(picture, card, pose.shaken(shake, 0.3 + hardness) if shake else pose, scale)
    return _filmed(picture, effects, shake or rng)


def empty(width: int, height: int, shake: Generator) -> Pixels:
    """A street with nobody on it, height × width × 3."""
    return _filmed(_street(width, height).copy(), Effects(noise=0.2), shake)


def hard_frame(seed: int, width: int, height: int, frame: int = 0) -> tuple[Pixels, bytes]:
    """A picture that is hard to read, and what its code says; `frame` counts the jittering frames of the same scene.

    Versions 6 and 10, 2 to 6 pixels a module, in perspective, with two of blur, noise, low light, glare, moiré, crumpled paper
    and a cracked screen; one in eight inverted.
    """
    rng = np.random.default_rng(seed)
    text = "GP1:" + "".join(rng.choice(list(BASE45), _CAPACITY[6 if seed % 2 else 10] - 4))
    kinds = rng.choice(["blur", "noise", "dark", "glare", "moire", "crumple", "crack"], 2, replace=False)
    effects = Effects(**{str(kind): float(rng.uniform(0.3, 1)) for kind in kinds}, invert=bool(rng.random() < 1 / 8))
    style: Style = "paper" if effects.crumple else "phone"
    shake = np.random.default_rng((seed, frame))
    module_px = float(rng.uniform(2, 6))
    options: dict[str, Any] = {"width": width, "height": height, "style": style, "module_px": module_px, "hardness": 0.5}
    return render([text], rng=rng, effects=effects, shake=shake, **options), text.encode()


def _pose(rng: Generator, x: float, room_x: float, height: int, hardness: float) -> Pose:
    dx, dy, turn, tilt_x, tilt_y = rng.uniform(-1, 1, 5)
    x += 0.3 * dx * max(room_x, 0)
    return Pose(x, height * (0.5 + 0.06 * dy), 25 * hardness * turn, 0.25 * hardness * tilt_x, 0.25 * hardness * tilt_y)


@lru_cache(maxsize=32)
def _card(text: str, style: Style, px: int, invert: bool) -> Pixels:
    """A phone with a bright screen in a dark bezel, or a sheet of paper, with the code on it."""
    modules = np.array([list(row) for row in segno.make_qr(text, error="m").matrix_iter(border=_QUIET)], np.uint8)
    light, dark = (235, 12) if style == "phone" else (215, 45)
    code = np.where(modules.astype(bool) != invert, dark, light).astype(np.uint8)
    code = np.kron(code, np.ones((px, px), np.uint8))
    rim, above = (3 * px, 9 * px) if style == "phone" else (2 * px, 5 * px)
    screen = _edged(code, above, 2 * px, dark if invert else light)
    return _coloured(_edged(screen, rim, rim, 20 if style == "phone" else 205))


def _edged(grey: Pixels, upright: int, sideways: int, value: int) -> Pixels:
    return _u8(cv2.copyMakeBorder(grey, upright, upright, sideways, sideways, cv2.BORDER_CONSTANT, value=(value,)))


def _coloured(grey: Pixels) -> Pixels:
    return _u8(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))


def _spoilt(card: Pixels, effects: Effects, rng: Generator) -> Pixels:
    """The card with what is on it rather than in the air: glare, moiré, folds and cracks."""
    if effects.crumple:
        card = _crumpled(card, effects.crumple, rng)
    if effects.crack:
        card = _cracked(card, effects.crack, rng)
    if effects.moire:
        card = _shaded(card, 1 + 0.35 * effects.moire * _waves(card.shape[:2], rng))
    return _glared(card, effects.glare, rng) if effects.glare else card


def _crumpled(card: Pixels, amount: float, rng: Generator) -> Pixels:
    height, width = card.shape[:2]
    folds = [
        cv2.resize(rng.normal(0, 1, (6, 6)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC) for _ in range(2)
    ]
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    bend = 0.006 * amount * width  # a module or so
    bent = cv2.remap(card, xs + bend * folds[0], ys + bend * folds[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _shaded(_u8(bent), 1 - 0.2 * amount * np.abs(folds[0] - folds[1]))


def _cracked(card: Pixels, amount: float, rng: Generator) -> Pixels:
    card, (height, width) = card.copy(), card.shape[:2]
    origin = rng.uniform(0.2, 0.8, 2) * (width, height)
    for angle in rng.uniform(0, 2 * np.pi, 2 + round(3 * amount)):
        steps = np.cumsum(rng.uniform(0.03, 0.15, 8)) * width
        bends = angle + np.cumsum(rng.normal(0, 0.12, 8))
        line = origin + steps[:, None] * np.stack([np.cos(bends), np.sin(bends)], 1)
        shade = int(rng.choice([30, 220]))
        cv2.polylines(card, [np.vstack([origin, line]).astype(np.int32)], False, (shade,) * 3, 1, cv2.LINE_AA)
    return card


def _waves(shape: tuple[int, ...], rng: Generator) -> NDArray[np.float32]:
    """Moiré: the beat of a screen's rows with a sensor's."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(4, 14)
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return np.asarray(np.sin((xs * np.cos(angle) + ys * np.sin(angle)) * 2 * np.pi / period), np.float32)


def _glared(card: Pixels, amount: float, rng: Generator) -> Pixels:
    """A lamp or the sun in the glass."""
    height, width = card.shape[:2]
    spot = np.zeros((height // 8 + 1, width // 8 + 1), np.uint8)
    centre = (int(rng.uniform(0.1, 0.9) * width / 8), int(rng.uniform(0.1, 0.9) * height / 8))
    cv2.ellipse(spot, centre, (width // 40 + 1, width // 90 + 1), rng.uniform(0, 180), 0, 360, (round(255 * amount),), -1)
    return _u8(cv2.add(card, _coloured(_u8(cv2.resize(cv2.GaussianBlur(spot, (0, 0), 2.5), (width, height))))))


def _shaded(card: Pixels, factor: Any) -> Pixels:
    return _u8(np.clip(card * np.asarray(factor)[:, :, None], 0, 255))


def _paste(picture: Pixels, card: Pixels, pose: Pose, scale: float) -> None:
    """Warps the card into the picture, working only on the rectangle that it covers."""
    height, width = card.shape[:2]
    corners = _corners(width * scale, height * scale, pose)
    left, top = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int), (picture.shape[1], picture.shape[0]))
    if left < right and top < bottom:
        flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        to = cv2.getPerspectiveTransform(flat, (corners - (left, top)).astype(np.float32))
        onto = picture[top:bottom, left:right]
        onto[:] = cv2.warpPerspective(
            card, to, (right - left, bottom - top), onto.copy(), cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT
        )


def _corners(width: float, height: float, pose: Pose) -> NDArray[np.float64]:
    """Clockwise from the top left, in pixels of the picture."""
    unit = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    tilted = unit * (1 + unit[:, ::-1] * (2 * pose.tilt_x, 2 * pose.tilt_y)) * (width, height)
    turn = np.deg2rad(pose.turn)
    turned = tilted @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(turned + np.array([pose.x, pose.y]), np.float64)


def _filmed(picture: Pixels, effects: Effects, shake: Generator) -> Pixels:
    """What lens and sensor add: blur, low light and noise."""
    if effects.blur:
        picture = _u8(cv2.GaussianBlur(picture, (0, 0), 0.3 + 1.5 * effects.blur))
    strength = 0.1 + 0.9 * effects.noise
    dx, dy = shake.integers(0, _SPARE, 2)
    noise = _noise(picture.shape[1], picture.shape[0])[dy : dy + picture.shape[0], dx : dx + picture.shape[1]]
    return _u8(cv2.addWeighted(picture, 1 - 0.75 * effects.dark, noise, strength, -128 * strength))


@lru_cache(maxsize=4)
def _noise(width: int, height: int) -> Pixels:
    """Gaussian about 128, larger than a frame."""
    return np.clip(np.random.default_rng(1).normal(128, 26, (height + _SPARE, width + _SPARE, 3)), 0, 255).astype(np.uint8)


@lru_cache(maxsize=4)
def _street(width: int, height: int) -> Pixels:
    """Sky, house fronts with windows, a road and their grain."""
    rng, picture = np.random.default_rng(2), np.empty((height, width, 3), np.uint8)
    picture[:] = np.linspace((190, 170, 150), (90, 95, 100), height)[:, None]
    for left in range(0, width, width // 8):
        colour = [int(c) for c in rng.integers(70, 170, 3)]
        _house(picture, left, int(rng.uniform(0.1, 0.4) * height), width // 8, int(0.75 * height), colour)
    grain = cv2.resize(rng.normal(0, 14, (height // 3, width // 3, 3)), (width, height))
    return _u8(np.clip(picture + grain, 0, 255))


def _house(picture: Pixels, left: int, top: int, width: int, bottom: int, colour: list[int]) -> None:
    cv2.rectangle(picture, (left, top), (left + width, bottom), colour, -1)
    step = max(width // 4, 8)
    for x in range(left + step // 2, left + width - step // 2, step):
        for y in range(top + step // 2, bottom - step, 2 * step):
            cv2.rectangle(picture, (x, y), (x + step // 2, y + step), [c // 2 for c in colour], -1)


def _u8(pixels: Any) -> Pixels:
    return np.asarray(pixels, np.uint8)
