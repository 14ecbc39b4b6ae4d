"""Photos that inspectors take at a gate, drawn: a gatehouse, a desk, and what lies on it."""

import random

import cv2
import numpy as np

_WIDTH, _HEIGHT = 480, 360


def drawn_gate(rng: random.Random, *, book: bool = False) -> bytes:
    """A small JPEG; `book`: the register lies on the desk."""
    shade = rng.randint(-25, 25)
    canvas = np.full((_HEIGHT, _WIDTH, 3), (205 + shade, 195 + shade, 180 + shade), np.uint8)
    cv2.rectangle(canvas, (0, 235), (_WIDTH, _HEIGHT), (110 + shade, 112 + shade, 115 + shade), -1)
    left = rng.randint(20, 90)
    cv2.rectangle(canvas, (left, 70), (left + 150, 240), (150, 170, 190), -1)
    cv2.rectangle(canvas, (left - 10, 55), (left + 160, 75), (90, 70, 60), -1)
    cv2.rectangle(canvas, (left + 25, 100), (left + 95, 165), (90 + shade, 85, 80), -1)
    cv2.line(canvas, (left + 150, 200), (_WIDTH, 190 + shade // 3), (60, 60, 210), 9, cv2.LINE_AA)
    desk = left + 190
    cv2.rectangle(canvas, (desk, 245), (desk + 150, 258), (70, 110, 150), -1)
    for leg in (desk + 8, desk + 138):
        cv2.line(canvas, (leg, 258), (leg, 320), (60, 95, 130), 6, cv2.LINE_AA)
    if book:
        cv2.rectangle(canvas, (desk + 40, 234), (desk + 95, 246), (245, 245, 250), -1)
    return cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes()
