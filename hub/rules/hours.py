"""Opening hours of a gate as they are typed and shown: 06:00-22:00, 22:00-06:00 over midnight, several, or all day. Pure."""

import re
import unicodedata
from itertools import pairwise

Schedule = tuple[tuple[int, int], ...]
"""From and to in minutes of the local day, 0 to 1440; none: always open."""
ALWAYS = "全天"
MOST = 6
"""Spans a day."""
_ALWAYS = frozenset({ALWAYS, "24小时", "全天开放", "always", "24h", "allday"})
_SPAN = re.compile(r"(\d{1,2}):(\d{2})(?::00)?-(\d{1,2}):(\d{2})(?::00)?")


def parse(text: str) -> Schedule | None:
    """The spans in order; None for what are no opening hours.

    >>> parse("06:00-9:30、17:00至22:00"), parse("全天"), parse("6点")
    (((360, 570), (1020, 1320)), (), None)
    """
    plain = "".join(unicodedata.normalize("NFKC", text).lower().split())
    plain = re.sub(r"[\u2010-\u2015~\u81f3\u5230-]+", "-", plain)
    if plain in _ALWAYS:
        return ()
    made = []
    for part in re.split("[,\u3001;]", plain):
        found = _SPAN.fullmatch(part)
        if found is None:
            return None
        hours = [int(number) for number in found.groups()]
        begins, ends = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if max(hours[1], hours[3]) > 59 or max(begins, ends) > 1440 or begins in (ends, 1440):
            return None
        made.append((begins, ends))
    return None if len(made) > MOST or _overlap(made) else tuple(sorted(made))


def shown(schedule: Schedule) -> str:
    """As it is typed; `ALWAYS` for none."""
    return "、".join(f"{_time(a)}-{_time(b)}" for a, b in schedule) or ALWAYS


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _overlap(spans: list[tuple[int, int]]) -> bool:
    """Whether two spans share a minute; one over midnight is two."""
    pieces = sorted(piece for a, b in spans for piece in ([(a, b)] if a < b else [(a, 1440), (0, b)]))
    return any(one[1] > next[0] for one, next in pairwise(pieces))
