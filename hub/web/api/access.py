"""Who asks the API, by bearer token alone (RFC 6750), and how it answers: JSON, and Problem Details when something is wrong."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from hub import tokens
from hub.openapi import PROBLEM, Operation, Problem
from hub.registry.accounts import reach_of
from hub.rights import Action, Reach
from hub.tokens import Bearer
from hub.web.guard import ANYBODY, needed, needs
from hub.web.site import site

BASE = "/api/v1"
Q = TypeVar("Q", bound=msgspec.Struct)
View = Callable[..., Any]

api = Blueprint("api", __name__, url_prefix=BASE)
operations: list[Operation] = []
"""What the API does, for its document."""


class Wrong(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def operation(known: Operation, action: Action = Action.VIEW) -> Callable[[View], View]:
    """Adds a view under `BASE`, with the right that it needs, and to the API's document."""

    def add(view: View) -> View:
        operations.append(known)
        marked = needs(ANYBODY if known.open else action)(view)
        api.add_url_rule(known.path, known.id, marked, methods=[known.method])
        return view

    return add


@api.before_request
def check() -> None:
    """Raises `Wrong`: 401 without a good token, 403 with one that may not do this."""
    action = needed(request.endpoint)
    if action is ANYBODY:
        return
    here, secret = site(), _secret()
    with here.engine.connect() as conn:
        known = tokens.bearer(conn, secret, here.now()) if secret else None
        if known is None:
            problem = ', error="invalid_token"' if secret else ""
            detail = "the token is unknown, revoked or over" if secret else "send a token: Authorization: Bearer …"
            raise Wrong(401, detail, {"WWW-Authenticate": f'Bearer realm="gatepost"{problem}'})
        g.bearer, g.reach = known, reach_of(conn, known.account)
    tokens.used(here.engine, known.token, here.now())
    if not (isinstance(action, Action) and known.may(action)):
        raise Wrong(403, f"this token may not {action}")


def bearer() -> Bearer:
    """Who asks."""
    known: Bearer = g.bearer
    return known


def reach() -> Reach:
    """The compounds that whoever asks may see; None: all."""
    known: Reach = g.reach
    return known


def query(kind: type[Q]) -> Q:
    """The request's parameters. Raises `Wrong` 400, naming the parameter."""
    given = {name: int(value) if _is_number(value) else value for name, value in request.args.items()}
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise Wrong(400, str(error).replace("$.", "").replace("`", "'")) from None


def answer(value: object) -> ResponseReturnValue:
    """A good answer."""
    return Response(msgspec.json.encode(value), mimetype="application/json")


@api.app_errorhandler(Wrong)
def wrong(error: Wrong) -> ResponseReturnValue:
    """What was wrong, as Problem Details."""
    return _problem(error.status, error.detail, error.headers)


@api.after_app_request
def as_problem(response: Response) -> Response:
    """What Flask itself refused under `BASE` (no such path, no such method) is told in the API's own way."""
    if not request.path.startswith(f"{BASE}/") or response.status_code < 400 or response.mimetype == PROBLEM:
        return response
    kept = {name: response.headers[name] for name in ("Allow",) if name in response.headers}
    return _problem(response.status_code, "", kept)


def _problem(status: int, detail: str, headers: dict[str, str]) -> Response:
    said = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, instance=request.path)
    return Response(msgspec.json.encode(said), status=status, headers=headers, mimetype=PROBLEM)


def _secret() -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _is_number(value: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,9}", value) is not None
