"""Whether bytes are CBOR (RFC 8949) of the plain kinds alone: what a pass is made of. Pure.

The decoder is given nothing else. For tags (a regular expression, a date) it makes objects of what a stranger wrote, and
each such tag, or text, that it then refuses stays in memory for ever (cbor2 issue 257).
"""

_DEEPEST = 16
"""Lists and maps in each other; a pass has three."""
_NUMBER, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)


def is_plain(data: bytes) -> bool:
    """Whether it is one whole item of numbers, byte strings, text, lists, maps, true, false, null, each of a stated length."""
    try:
        return _end(data, 0, _DEEPEST) == len(data)
    except (IndexError, ValueError):
        return False


def _end(data: bytes, at: int, deep: int) -> int:
    """Where the item ends that begins there. Raises `IndexError` or `ValueError` for one that is not plain."""
    kind, count = data[at] >> 5, data[at] & 31
    at += 1
    if count > 27 or kind == _TAG or not deep:
        raise ValueError("not plain")
    if count > 23:
        size = 1 << count - 24
        count, at = int.from_bytes(data[at : at + size], "big"), at + size
    if kind in (_BYTES, _TEXT):
        if kind == _TEXT:
            data[at : at + count].decode()
        return at + count
    for _ in range(count * (kind - _LIST + 1) if kind in (_LIST, _MAP) else 0):
        at = _end(data, at, deep - 1)
    return at
