"""Every word on the pages: one dictionary a language, the same keys in each."""

from collections.abc import Mapping

from hub.web.texts import (
    alarms,
    api,
    bookings,
    colouring,
    commanding,
    en,
    exchange,
    figures,
    inspecting,
    notices,
    passes,
    people,
    policies,
    rectifying,
    reports,
    shifts,
    station_settings,
    unread,
    zh,
)  # fmt: skip
from hub.web.texts.reasons import REASONS
from hub.web.texts.register import WORDS

DEFAULT = "zh"
_PAIRS: tuple[Mapping[str, tuple[str, str]], ...] = (
    people.TEXTS, rectifying.TEXTS, inspecting.TEXTS, alarms.TEXTS, exchange.TEXTS, reports.TEXTS, shifts.TEXTS, api.TEXTS,
    commanding.TEXTS, passes.TEXTS, notices.TEXTS, bookings.TEXTS, colouring.TEXTS, station_settings.TEXTS, policies.TEXTS,
    figures.TEXTS, unread.TEXTS,
)  # fmt: skip
"""Key → Chinese and English, by the part of the pages that says them."""
LANGUAGES = {
    "zh": zh.TEXTS | {key: pair[0] for pairs in _PAIRS for key, pair in pairs.items()},
    "en": en.TEXTS | {key: pair[1] for pairs in _PAIRS for key, pair in pairs.items()},
}


def text(language: str, key: str, **values: object) -> str:
    """The words of `key`; raises KeyError for a key nobody wrote."""
    words = LANGUAGES[language][key]
    return words.format(**values) if values else words


def reason(language: str, key: str) -> str:
    """A reason in plain words; one that this version does not know is shown as it came, readable."""
    pair = REASONS.get(key)
    if pair is None:
        return key.replace("_", " ")
    return pair[list(LANGUAGES).index(language)]


def word(language: str, of: str, key: str) -> str:
    """One of the register's words, such as a purpose; one that this version does not know is shown as it came, readable."""
    pair = WORDS[of].get(key)
    return key.replace("_", " ") if pair is None else pair[list(LANGUAGES).index(language)]


def duration(language: str, seconds: float) -> str:
    """2小时10分, as people say it: two units at most, nothing under a minute."""
    minutes = max(int(seconds), 0) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    units = [("days", days), ("hours", hours)] if days else [("hours", hours), ("minutes", minutes)]
    said = [text(language, f"duration.{unit}", n=n) for unit, n in units if n]
    return text(language, "duration.joint").join(said) if said else text(language, "duration.moment")
