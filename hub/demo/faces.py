"""Faces for the demonstration: drawn, each a little different, of nobody."""

import cv2
import numpy as np

_WIDTH, _HEIGHT = 320, 400
_CENTRE = (160, 190)
_INK = (50, 40, 40)


def drawn_face(seed: int) -> bytes:
    """A PNG of 320×400 with a drawn head; the same seed draws the same one."""
    chance = np.random.default_rng(seed)
    canvas = np.full((_HEIGHT, _WIDTH, 3), [int(c) for c in chance.integers(190, 235, 3)], np.uint8)
    skin, hair, coat = (
        (175, 205, 240),
        [int(c) for c in chance.integers(20, 90, 3)],
        [int(c) for c in chance.integers(60, 200, 3)],
    )
    cv2.ellipse(canvas, (160, 420), (140, 110), 0, 180, 360, coat, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, (160, 170), (102, 128), 0, 150, 390, hair, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, _CENTRE, (88, 112), 0, 0, 360, skin, -1, cv2.LINE_AA)
    _features(canvas, int(chance.integers(30, 42)), seed % 2 == 1)
    return cv2.imencode(".png", canvas)[1].tobytes()


def _features(canvas: cv2.typing.MatLike, apart: int, glasses: bool) -> None:
    for x in (_CENTRE[0] - apart, _CENTRE[0] + apart):
        cv2.ellipse(canvas, (x, 180), (9, 6), 0, 0, 360, _INK, -1, cv2.LINE_AA)
        cv2.ellipse(canvas, (x, 158), (16, 6), 0, 190, 350, _INK, 3, cv2.LINE_AA)
        if glasses:
            cv2.circle(canvas, (x, 180), 24, _INK, 3, cv2.LINE_AA)
    cv2.line(canvas, _CENTRE, (156, 215), _INK, 2, cv2.LINE_AA)
    cv2.ellipse(canvas, (160, 240), (26, 10), 0, 10, 170, (80, 80, 190), 4, cv2.LINE_AA)
