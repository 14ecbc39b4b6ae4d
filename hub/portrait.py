"""Any picture of a face made into the small JPEG that stations show: 160×200 pixels, a few KB. Pure but for OpenCV."""

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 160, 200
WANTED_BYTES = 6000
"""Aimed at; a picture of noise is larger even at the lowest quality, and still under the 12 KB that the contract allows."""
_QUALITIES = (85, 75, 65, 55, 45, 35, 25)
_LEAST = 40
"""Pixels a side: less shows no face."""

Picture = NDArray[np.uint8]


class NotAPicture(ValueError):
    """What can't be made into a portrait, and why."""


def portrait(data: bytes) -> bytes:
    """A JPEG of 160×200 from a picture's file (any format OpenCV reads). Raises `NotAPicture`."""
    picture = _decode(data)
    height, width = picture.shape[:2]
    if min(height, width) < _LEAST:
        raise NotAPicture(f"a picture of {width}×{height} pixels: too small to show a face, at least {_LEAST} each way")
    return _encode(cv2.resize(_crop(picture), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def _decode(data: bytes) -> Picture:
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as error:
        raise NotAPicture(f"not a picture that can be read: {error.err or error}") from None
    if found is None:
        raise NotAPicture("not a picture that can be read: JPEG, PNG, WebP and BMP can")
    return np.asarray(found, np.uint8)


def _crop(picture: Picture) -> Picture:
    """As much as has the portrait's shape: the middle across, and rather the upper part, where heads are."""
    height, width = picture.shape[:2]
    wide, high = min(width, height * WIDTH // HEIGHT), min(height, width * HEIGHT // WIDTH)
    left, top = (width - wide) // 2, (height - high) // 3
    return picture[top : top + high, left : left + wide]


def _encode(picture: cv2.typing.MatLike) -> bytes:
    made = b""
    for quality in _QUALITIES:
        made = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(made) <= WANTED_BYTES:
            break
    return made
