"""The station's touch screen: one page that renders a snapshot and posts touches. It holds no rule and knows no driver.

The one screen faces both: the resident's part, on the left, is a colour, a shape and a sentence; why stands only in the
strip below it and in the right-hand rail, at the volunteer's side, in the volunteer's smaller type. A second display, where
there is one, shows `/resident` and is told nothing else.
"""

import hmac
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask, Response, abort, current_app, redirect, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from contract.five import Item
from kiosk.inputs import AnyTouch
from kiosk.view import resident_view
from kiosk.web.port import StationPort
from kiosk.web.server import Served, serve
from kiosk.web.streams import Streams
from kiosk.web.texts import RESIDENT_TEXTS, TEXTS

__all__ = ["Served", "StationPort", "create_app", "serve"]

COOKIE = "gatepost"
RESIDENT_STREAMS = 2
LOOPBACK = ["127.0.0.1", "localhost"]
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app(port: StationPort, *, token: str | None = None) -> Flask:
    """The app of one station. Without a token it answers to loopback names alone, so that no other site can pose as it."""
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=4096, TRUSTED_HOSTS=None if token else LOOPBACK)
    resident_streams = Streams(port, RESIDENT_STREAMS, resident_view)
    app.jinja_env.globals["icons"] = _icons(app)
    app.extensions.update(port=port, streams=Streams(port), resident_streams=resident_streams, token=token)
    app.before_request(_admit)
    app.after_request(_harden)
    app.register_error_handler(HTTPException, _in_words)
    app.add_url_rule("/", view_func=page)
    app.add_url_rule("/events", view_func=events)
    app.add_url_rule("/snapshot", view_func=snapshot)
    app.add_url_rule("/touch", view_func=touch, methods=["POST"])
    app.add_url_rule("/picture.jpg", view_func=picture)
    app.add_url_rule("/roster", view_func=roster)
    app.add_url_rule("/face/<pass_id>.jpg", view_func=face)
    app.add_url_rule("/resident", view_func=resident)
    app.add_url_rule("/resident/events", view_func=resident_events)
    app.add_url_rule("/health", view_func=health)
    return app


def page() -> AnyResponse | str:
    """The one page, with the first snapshot in it; `?token=` is put into a cookie and taken out of the address."""
    if "token" in request.args:
        return _remembered("/")
    first = msgspec.json.encode(_port().snapshot()).decode()
    return render_template("station.html", first=first, texts=msgspec.json.encode(TEXTS).decode(), items=list(Item))


def events() -> Response:
    """Every snapshot as a server-sent event."""
    return Response(current_app.extensions["streams"].open(), mimetype="text/event-stream")


def snapshot() -> Response:
    """The newest snapshot as JSON, for whoever looks only once."""
    return Response(msgspec.json.encode(_port().snapshot()), mimetype="application/json")


def touch() -> tuple[str, int]:
    """One touch, as JSON with its `action`; 204, or 400 with what was wrong."""
    if request.headers.get("X-Gatepost") != "1" or request.headers.get("Origin") != request.host_url.rstrip("/"):
        abort(403, "a touch comes from the station's own page only")
    try:
        _port().post(msgspec.json.decode(request.get_data(), type=AnyTouch))
    except msgspec.DecodeError as error:
        abort(400, f"this is no touch: {error}")
    return "", 204


def picture() -> Response:
    """The camera's newest frame; 404 when there is none."""
    jpeg = _port().picture()
    if jpeg is None:
        abort(404, "the camera gives no picture")
    return Response(jpeg, mimetype="image/jpeg")


def roster() -> Response:
    """Who lives where, as JSON."""
    return Response(_port().roster(), mimetype="application/json")


def face(pass_id: str) -> Response:
    """A holder's photo; 404 when there is none."""
    jpeg = _port().face(pass_id)
    if jpeg is None:
        abort(404, "there is no photo of this holder")
    return Response(jpeg, mimetype="image/jpeg")


def resident() -> AnyResponse | str:
    """The residents' own display, with their part of the first snapshot; `?token=` as with the one page."""
    if "token" in request.args:
        return _remembered("/resident")
    first = resident_view(_port().snapshot())
    texts = msgspec.json.encode(RESIDENT_TEXTS).decode()
    return render_template("resident.html", first=msgspec.json.encode(first).decode(), texts=texts, gate=first.gate)


def resident_events() -> Response:
    """The residents' part of every snapshot as a server-sent event."""
    return Response(current_app.extensions["resident_streams"].open(), mimetype="text/event-stream")


def health() -> dict[str, Any]:
    """That the page is served, and from which snapshot."""
    snapshot = _port().snapshot()
    return {"ok": True, "station": snapshot.station, "n": snapshot.n}


def _icons(app: Flask) -> Markup:
    """Every icon, to stand in the page itself: a shape that is fetched when it is first wanted comes too late for its outcome."""
    return Markup(
        Path(str(app.static_folder), "icons.svg").read_text(encoding="utf-8").replace(' xmlns="http://www.w3.org/2000/svg"', "")
    )


def _remembered(address: str) -> AnyResponse:
    answer = redirect(address)
    answer.set_cookie(COOKIE, request.args["token"], httponly=True, samesite="Strict")
    return answer


def _port() -> StationPort:
    port: StationPort = current_app.extensions["port"]
    return port


def _admit() -> None:
    token = current_app.extensions["token"]
    shown = request.args.get("token") or request.cookies.get(COOKIE, "")
    open_to_all = request.endpoint in ("health", "static")
    if token and not open_to_all and not hmac.compare_digest(shown.encode(), token.encode()):
        abort(403, "open this page with the station's ?token=")


def _harden(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


def _in_words(error: HTTPException) -> tuple[str, int, dict[str, str]]:
    return error.description or error.name, error.code or 500, {"Content-Type": "text/plain; charset=utf-8"}
