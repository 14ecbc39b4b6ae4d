"""What every view of one app needs: settings, store, clock, and what is shared between requests."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import current_app, request

from hub.config import Located
from hub.web.live import Shared, Watch
from hub.web.texts import LANGUAGES

LANGUAGE_COOKIE = "language"


@dataclass(frozen=True)
class Site:
    """One app's own things; `now` gives an aware UTC time."""

    located: Located
    engine: sa.Engine
    now: Callable[[], datetime]
    watch: Watch
    shared: Shared


def site() -> Site:
    """The site of the app that answers this request."""
    found: Site = current_app.extensions["gatepost"]
    return found


def language() -> str:
    """The reader's language: the one chosen, else the hub's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else site().located.settings.language
