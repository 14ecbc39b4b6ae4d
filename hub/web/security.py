"""What every answer carries, and the secret that sessions are signed with."""

import secrets

import sqlalchemy as sa
from flask import Flask, Response, request
from sqlalchemy.exc import IntegrityError

from hub.store.meta import WEB_SECRET
from hub.store.tables import meta

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Bootstrap's own arrows
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content Security Policy (W3C CSP 3): nothing inline, nothing from elsewhere."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
MAY_BE_STRICTER = frozenset({"Referrer-Policy"})
"""Headers that a view may have set by itself: the address of a pass is told to nobody."""


def secret(engine: sa.Engine) -> str:
    """The store's secret, made when first asked for: every worker signs with the same one."""
    try:
        with engine.begin() as conn:
            known = _stored(conn)
            if known is None:
                known = secrets.token_urlsafe(48)
                conn.execute(meta.insert().values(key=WEB_SECRET, value=known))
            return known
    except IntegrityError:  # another worker was first
        with engine.connect() as conn:
            return str(_stored(conn))


def _stored(conn: sa.Connection) -> str | None:
    return conn.execute(sa.select(meta.c.value).where(meta.c.key == WEB_SECRET)).scalar_one_or_none()


def protect(app: Flask, *, secure: bool) -> None:
    """Put the headers on every answer; pages are kept by no cache."""

    @app.after_request
    def _add(response: Response) -> Response:
        for name, value in HEADERS.items():
            if name in MAY_BE_STRICTER:
                response.headers.setdefault(name, value)
            else:
                response.headers[name] = value
        if secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if not (request.endpoint or "").endswith("static"):
            response.headers["Cache-Control"] = "no-store"
        return response


def safe_path(wanted: str | None) -> str:
    """Where to go after a form: a path of this site, or the overview."""
    if wanted and wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable():
        return wanted
    return "/"
