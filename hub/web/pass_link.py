"""A pass on its holder's own phone: a page that anybody who has the link may see, since the link is the pass itself."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

import base45
import segno
import sqlalchemy as sa
from flask import Blueprint, make_response, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from contract import passes as contract_passes
from contract.passes import MAX_CHARACTERS, PREFIX, Pass, Rejected
from hub.registry import keys
from hub.store.tables import compounds, passes
from hub.web.site import site

SHOW = "passes.phone.show"
"""The endpoint that needs no sign-in."""

phone = Blueprint("phone", __name__)


def link(token: str) -> str:
    """The address of the page. A token's own characters (space, %, /, .) don't survive in an address: its bytes do.
    It begins with `web.public_url` where that is set, else as the reader called this page."""
    held = urlsafe_b64encode(base45.b45decode(token.removeprefix(PREFIX))).decode().rstrip("=")
    public = site().located.settings.web.public_url.rstrip("/")
    address: str = url_for(SHOW, held=held, _external=not public)
    return public + address


def token_of(held: str) -> str:
    """The token of a link; an empty one where there is none in it."""
    try:
        token: str = base45.b45encode(urlsafe_b64decode(held + "=" * (-len(held) % 4))).decode()
    except ValueError:
        return ""
    return PREFIX + token


@phone.get("/p/<held>")
def show(held: str) -> ResponseReturnValue:
    """The pass, bright and large, if we signed it, it is good, and it was not revoked."""
    token = token_of(held) if len(held) <= MAX_CHARACTERS else ""
    with site().engine.connect() as conn:
        known = {key.kid: key.public for key in keys.list_keys(conn, keys.KeyUse.PASSES)}
        claims = contract_passes.read(token, known)
        if isinstance(claims, Rejected):
            return _answer(404, state="unknown")
        revoked = conn.scalar(sa.select(passes.c.revoked_at).where(passes.c.id == claims.id))
        name = conn.scalar(sa.select(compounds.c.name).where(compounds.c.id.in_(claims.compounds)))
    state = _state(claims, revoked, site().now())
    code = qr(token) if state == "good" else None
    return _answer(200, state=state, claims=claims, code=code, compound=name)


def _state(claims: Pass, revoked: datetime | None, now: datetime) -> str:
    if revoked is not None:
        return "revoked"
    return "expired" if claims.expires <= now else "good"


def _answer(status: int, **values: object) -> ResponseReturnValue:
    answer = make_response(render_template("passes/phone.html", until=until, **values), status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Referrer-Policy"] = "no-referrer"  # the address is the pass
    return answer


def until(at: datetime) -> str:
    """A time with its year, in the sub-district's time zone."""
    return f"{at.astimezone(site().located.zone):%Y-%m-%d %H:%M}"


def qr(text: str) -> Markup:
    """A QR code as SVG with its quiet zone, without a size of its own. Never a Micro QR."""
    made = segno.make_qr(text, error="m").svg_inline(border=4, omitsize=True, svgclass=None, lineclass=None)
    return Markup(made.replace("<svg ", '<svg class="qr" aria-hidden="true" shape-rendering="crispEdges" ', 1))
