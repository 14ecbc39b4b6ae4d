"""Photos that people take for the hub's own pages: made smaller, without what the camera wrote into them, and kept.

A JPEG or PNG is decoded and encoded anew, so that no EXIF (place, time, telephone) is kept; how it was held is applied first.
"""

import struct
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import cv2
import numpy as np
import sqlalchemy as sa

from hub.registry.errors import RegistryError
from hub.store.supervision import pictures as table

FINDING = "finding"
"""The kind of an inspection's photos."""
MOST_BYTES = 4 * 1024 * 1024
"""Of one photo as it comes."""
LONGEST_SIDE = 1280
"""Pixels of one that is kept."""
_MOST_PIXELS = 64_000_000
"""More than telephones take: a file that unfolds to more is not decoded."""
_QUALITY = 80
_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"


class NotAPhoto(RegistryError):
    """What was sent as a photo can't be kept; the words say why."""


def smaller(data: bytes) -> bytes:
    """A JPEG of at most 1280 pixels a side from a JPEG or PNG of at most 4 MB. Raises `NotAPhoto`."""
    if len(data) > MOST_BYTES:
        raise NotAPhoto(f"a photo of {len(data)} bytes: {MOST_BYTES} at most")
    width, height = _size(data)
    if not 0 < width * height <= _MOST_PIXELS:
        raise NotAPhoto(f"a photo of {width}×{height} pixels: {_MOST_PIXELS} at most")
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise NotAPhoto(f"not a photo that can be read: {error.err or error}") from None
    if found is None:
        raise NotAPhoto("not a photo that can be read: it is damaged")
    return _encode(found)


def put(conn: sa.Connection, kind: str, object: str, jpegs: Sequence[bytes], at: datetime, by: str) -> list[str]:
    """Keep photos (see `smaller`) of something; returns their ids."""
    made = [(uuid4().hex, jpeg) for jpeg in jpegs]
    rows = [{"id": id, "kind": kind, "object": object, "jpeg": jpeg, "added_at": at, "added_by": by} for id, jpeg in made]
    if rows:
        conn.execute(sa.insert(table), rows)
    return [id for id, _ in made]


def listed(conn: sa.Connection, kind: str, objects: Sequence[str]) -> dict[str, list[str]]:
    """The ids of the photos of each of these, for those that have any."""
    query = sa.select(table.c.id, table.c.object).where(table.c.kind == kind, table.c.object.in_(objects))
    found: dict[str, list[str]] = {}
    for row in conn.execute(query.order_by(table.c.added_at, table.c.id)):
        found.setdefault(row.object, []).append(row.id)
    return found


def find(conn: sa.Connection, kind: str, object: str, id: str) -> bytes | None:
    """The JPEG of one photo of something; None when there is none."""
    mine = sa.and_(table.c.id == id, table.c.kind == kind, table.c.object == object)
    found: bytes | None = conn.scalar(sa.select(table.c.jpeg).where(mine))
    return found


def _size(data: bytes) -> tuple[int, int]:
    """Width and height as the file's head says, before anything is unfolded."""
    if data.startswith(_PNG) and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data.startswith(_JPEG):
        return _jpeg_size(data)
    raise NotAPhoto("not a photo that can be read: JPEG and PNG can")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """From the first frame header (ITU-T T.81, B.2.2)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise NotAPhoto("not a photo that can be read: it is damaged")


def _encode(picture: cv2.typing.MatLike) -> bytes:
    height, width = picture.shape[:2]
    share = LONGEST_SIDE / max(height, width)
    if share < 1:
        size = (max(1, round(width * share)), max(1, round(height * share)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
