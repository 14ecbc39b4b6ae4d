"""The supervisors' pages: `create_app` wires what they need and nothing else does."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from flask import Flask
from flask_babel import Babel  # type: ignore[import-untyped]
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from hub import status
from hub.config import Located
from hub.web import words
from hub.web.alarms import alarms
from hub.web.api import api
from hub.web.bookings import bookings
from hub.web.colouring import colouring
from hub.web.commanding import commanding
from hub.web.entry import entries
from hub.web.errors import errors
from hub.web.exchange import exchange
from hub.web.figures import figures
from hub.web.inspecting import inspecting
from hub.web.live import Shared, Watch
from hub.web.notices import notices
from hub.web.pages import pages
from hub.web.passes import passes
from hub.web.people import people
from hub.web.policies import policies
from hub.web.rectifying import rectifying
from hub.web.reports import reports
from hub.web.security import protect, secret
from hub.web.shifts import shifts
from hub.web.signing_in import login_manager, signing_in
from hub.web.site import Site, language
from hub.web.station_settings import station_settings
from hub.web.unread import unread

SESSION_HOURS = 12


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


def create_app(located: Located, engine: sa.Engine, *, now: Callable[[], datetime] = utc_now) -> Flask:
    """The hub's Flask app over a store that is up to date. `now` gives an aware time."""
    app = Flask(__name__)
    secure = located.settings.web.secure_cookies
    _behind(app, located.settings.web.trusted_proxies)
    app.config.update(
        SECRET_KEY=secret(engine),
        SESSION_COOKIE_NAME="gatepost",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=SESSION_HOURS),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        MAX_CONTENT_LENGTH=64 * 1024,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.extensions["gatepost"] = _site(located, engine, now)
    Bootstrap5(app)
    CSRFProtect(app)
    Babel(app, locale_selector=words.locale, timezone_selector=lambda: located.settings.timezone)
    login_manager.init_app(app)
    for blueprint in (
        signing_in, pages, entries, errors, people, rectifying, inspecting, alarms, exchange, reports, shifts, api, commanding,
        passes, notices, bookings, colouring, station_settings, policies, figures, unread,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
    words.install(app, language)
    protect(app, secure=secure)
    return app


def _behind(app: Flask, proxies: int) -> None:
    """Take a reader's address and scheme from the last so many proxies (X-Forwarded-For, X-Forwarded-Proto): what stands before
    theirs anybody may have written. The host they hand on as Host, since a proxy that is not told to set it would let a
    reader's X-Forwarded-Host through."""
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]


def _site(located: Located, engine: sa.Engine, now: Callable[[], datetime]) -> Site:
    watch = Watch(
        look=lambda at: status.overview(engine, located.lifetimes, at, zone=located.zone),
        changes=lambda: status.changes(engine),
        now=now,
    )
    return Site(located, engine, now, watch, Shared())
