"""The pages: all gates, one gate, the stream that keeps both current, and the hub's own health."""

from flask import Blueprint, Response, jsonify, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from contract.five import Item
from hub.rights import Action, Reach
from hub.rules.compliance import GateStatus, Status
from hub.web import board, rendering
from hub.web.errors import UnknownGate
from hub.web.guard import needs, reach
from hub.web.live import Picture, Pieces, stream
from hub.web.security import safe_path
from hub.web.site import LANGUAGE_COOKIE, language, site
from hub.web.texts import LANGUAGES
from hub.web.words import hhmmss

ORDER_COOKIE = "order"
WALL = "wall"
YEAR_SECONDS = 365 * 24 * 3600

pages = Blueprint("pages", __name__)


@pages.get("/")
@needs(Action.VIEW)
def overview() -> ResponseReturnValue:
    """All gates."""
    picture, order = _picture(), _order()
    areas = board.areas(picture.overview.gates)
    wanted = _wanted({area for area, _ in areas})
    pieces = rendering.board_pieces(picture, order, language(), wanted) if wanted else _board(order, picture, reach())
    answer = Response(
        render_template(
            "overview.html", picture=picture, pieces=pieces, order=order, areas=areas, gate="",
            wanted=wanted, items=tuple(Item), empty=bool(wanted) and not board.narrowed(picture.overview.gates, wanted),
        )
    )  # fmt: skip
    if "order" in request.args:
        _remember(answer, ORDER_COOKIE, order)
    return answer


@pages.get("/wall")
@needs(Action.VIEW)
def wall() -> ResponseReturnValue:
    """All gates by compound, for a screen on the wall."""
    picture = _picture()
    return render_template("wall.html", picture=picture, pieces=_wall(picture, reach()), gate="", order=WALL)


@pages.get("/gate/<gate>")
@needs(Action.VIEW)
def gate(gate: str) -> ResponseReturnValue:
    """One gate."""
    picture = _picture()
    pieces, day = _gate(gate, picture, reach()), picture.at.astimezone(site().located.zone).date().isoformat()
    return render_template(
        "gate.html", picture=picture, pieces=pieces, found=_found(picture, gate), gate=gate, order="", day=day
    )  # fmt: skip


@pages.get("/events")
@needs(Action.VIEW)
def events() -> ResponseReturnValue:
    """The stream of the page that shows picture `n`: the overview in an order, the wall, or a gate."""
    wanted = request.args.get("gate", "")
    if wanted:
        _found(_picture(), wanted)
    known, order = reach(), WALL if request.args.get("order") == WALL else _order()

    def render(picture: Picture) -> Pieces:
        mine = rendering.within_reach(picture, known)
        if wanted:
            return _gate(wanted, mine, known)
        return _wall(mine, known) if order == WALL else _board(order, mine, known)

    sent = stream(site().watch, request.args.get("n", 0, int), render, hhmmss)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(stream_with_context(sent), mimetype="text/event-stream", headers=headers)


@pages.get("/health")
def health() -> ResponseReturnValue:
    """Whether the store answers (503 if not) and whether the hub hears its broker."""
    try:
        seen = site().watch.picture().overview
    except SQLAlchemyError:
        return jsonify(ok=False, store=False, blind_since=None, gates=None), 503
    since = seen.blind_since
    return jsonify(ok=since is None, store=True, blind_since=since.isoformat() if since else None, gates=seen.counts["total"])


@pages.get("/language/<wanted>")
def choose_language(wanted: str) -> ResponseReturnValue:
    """Remember the reader's language."""
    answer = Response(status=303, headers={"Location": safe_path(request.args.get("next"))})
    if wanted in LANGUAGES:
        _remember(answer, LANGUAGE_COOKIE, wanted)
    return answer


def _order() -> str:
    chosen = request.args.get("order") or request.cookies.get(ORDER_COOKIE)
    return chosen if chosen in board.ORDERS else board.ORDERS[0]


def _wanted(areas: set[str]) -> board.Wanted:
    """What the address narrows the overview to; what it says of nothing known is passed over."""
    area, status, item = (request.args.get(name, "") for name in ("area", "status", "item"))
    return board.Wanted(
        area=area if area in areas else "", status=Status(status) if status in set(Status) else None,
        item=Item(item) if item in set(Item) else None, search=request.args.get("q", ""),
    )  # fmt: skip


def _remember(answer: Response, cookie: str, value: str) -> None:
    secure = site().located.settings.web.secure_cookies
    answer.set_cookie(cookie, value, max_age=YEAR_SECONDS, secure=secure, httponly=True, samesite="Lax")


def _picture() -> Picture:
    return rendering.within_reach(site().watch.picture(), reach())


def _board(order: str, picture: Picture, known: Reach) -> Pieces:
    said = language()
    return site().shared.get(("board", order, said, known), picture.n, lambda: rendering.board_pieces(picture, order, said))


def _wall(picture: Picture, known: Reach) -> Pieces:
    said = language()
    return site().shared.get(("wall", said, known), picture.n, lambda: rendering.wall_pieces(picture, said))


def _gate(gate: str, picture: Picture, known: Reach) -> Pieces:
    said, found = language(), _found(picture, gate)
    return site().shared.get(("gate", gate, said, known), picture.n, lambda: rendering.gate_pieces(picture, found, said))


def _found(picture: Picture, gate: str) -> GateStatus:
    for known in picture.overview.gates:
        if known.gate == gate:
            return known
    raise UnknownGate(gate)
