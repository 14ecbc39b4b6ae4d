"""A week's shifts from a pattern such as 06:00-10:00 10:00-14:00, each day. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHORTEST, LONGEST, MOST = 30, 12 * 60, 12
"""Minutes of a shift; how many a day."""
_SHIFT = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_DASHES = re.compile(r"\s*(?:[-‐-―−~〜～]|至|到)\s*")
_BETWEEN = re.compile(r"[\s,、;]+")

Minutes = tuple[int, int]
"""From and to, in minutes from local midnight; a shift past midnight ends after 1440."""
Window = tuple[datetime, datetime]


class BadPattern(ValueError):
    """Why a pattern can't be used: `none`, `many`, `time` or `length`, and of which word."""

    def __init__(self, why: str, word: str = "") -> None:
        super().__init__(f"{why}: {word}")
        self.why, self.word = why, word


def parse(text: str) -> tuple[Minutes, ...]:
    """The shifts of a day, in order. Two of the same time are for two people. Raises `BadPattern`.

    >>> parse("06:00-10:00、22:00至6:00")
    ((360, 600), (1320, 1800))
    """
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    words = [word for word in _BETWEEN.split(plain) if word]
    if not words:
        raise BadPattern("none")
    if len(words) > MOST:
        raise BadPattern("many")
    return tuple(sorted(_shift(word) for word in words))


def _shift(word: str) -> Minutes:
    found = _SHIFT.fullmatch(word)
    hours = [int(part) for part in found.groups()] if found else []
    if not hours or hours[0] > 23 or hours[1] > 59 or hours[2] > 24 or hours[3] > 59 or (hours[2] == 24 and hours[3]):
        raise BadPattern("time", word[:20])
    begins, ends = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    ends += 1440 if ends <= begins else 0
    if not SHORTEST <= ends - begins <= LONGEST:
        raise BadPattern("length", word[:20])
    return begins, ends


def written(pattern: Iterable[Minutes]) -> str:
    """A pattern as it is typed."""
    return " ".join("-".join(_clock(minute, n) for n, minute in enumerate(shift)) for shift in pattern)


def _clock(minute: int, n: int) -> str:
    return "24:00" if n and minute == 1440 else f"{minute // 60 % 24:02}:{minute % 60:02}"


def lay(pattern: Iterable[Minutes], days: Iterable[date], zone: ZoneInfo) -> list[Window]:
    """The pattern's shifts on each of the days, by the local clock, as UTC."""
    shifts = list(pattern)
    return [(moment(day, begins, zone), moment(day, ends, zone)) for day in days for begins, ends in shifts]


def moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """A local time of the day, as UTC."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return wall.replace(tzinfo=zone).astimezone(UTC)


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week(first: date) -> list[date]:
    """Its seven days."""
    return [first + timedelta(days=n) for n in range(7)]


def missing(wanted: Sequence[Window], there: Iterable[Window]) -> list[Window]:
    """Which of the wanted shifts are not there yet, counting two of the same time as two."""
    known = Counter(there)
    left = []
    for one in wanted:
        if known[one] > 0:
            known[one] -= 1
        else:
            left.append(one)
    return left


def shifted(window: Window, days: int, zone: ZoneInfo) -> Window:
    """The same local times so many days later."""
    first, last = (
        (end.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone).astimezone(UTC) for end in window
    )
    return first, last
