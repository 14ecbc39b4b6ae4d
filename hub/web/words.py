"""Puts words and local times within the templates' reach."""

from collections.abc import Callable
from datetime import datetime

from flask import Flask
from flask_babel import format_datetime, get_locale  # type: ignore[import-untyped]

from hub.web.navigation import parts, parts_of_group
from hub.web.site import language, site
from hub.web.texts import reason, text

LOCALES = {"zh": "zh_Hans_CN", "en": "en_GB"}


def locale() -> str:
    """The reader's locale, for Babel."""
    return LOCALES[language()]


def hhmm(at: datetime) -> str:
    """07:41, in the sub-district's time zone."""
    return f"{at.astimezone(site().located.zone):%H:%M}"


def hhmmss(at: datetime) -> str:
    """07:41:05, in the sub-district's time zone."""
    return f"{at.astimezone(site().located.zone):%H:%M:%S}"


def moment(at: datetime) -> str:
    """The time of day; with the date when it is not today's."""
    zone = site().located.zone
    if at.astimezone(zone).date() == site().now().astimezone(zone).date():
        return hhmm(at)
    return str(format_datetime(at, "M月d日 HH:mm" if get_locale().language == "zh" else "d MMM HH:mm"))


def install(app: Flask, chosen: Callable[[], str]) -> None:
    """`t` and `why` speak the reader's language; filters tell the time."""
    app.jinja_env.globals.update(
        t=lambda key, **values: text(chosen(), key, **values),
        why=lambda key: reason(chosen(), key),
        language=chosen,
        parts=parts,
        parts_of_group=parts_of_group,
        settings=lambda: site().located.settings,
    )
    app.jinja_env.filters.update(hhmm=hhmm, hhmmss=hhmmss, moment=moment)
