"""Who may see and do what on the pages. Every view says which right it needs; one that says none is shown to nobody."""

from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import abort, current_app, request
from flask_login import current_user

from hub import audit
from hub.rights import Action, Reach, may, within
from hub.web.errors import Unknown
from hub.web.site import language, site
from hub.web.texts import text

View = TypeVar("View", bound=Callable[..., Any])


ANYBODY = "anybody"
"""The need of a view for whoever signed in, such as the change of one's own password."""


def needs(action: Action | str) -> Callable[[View], View]:
    """Says which right a view needs; goes between the route and the function."""

    def mark(view: View) -> View:
        view.needs = action  # type: ignore[attr-defined]
        return view

    return mark


def needed(endpoint: str | None) -> Action | str | None:
    """The right that an endpoint needs; None where it says none."""
    return getattr(current_app.view_functions.get(endpoint or ""), "needs", None)


def check() -> None:
    """Answer 403 where the account of this request lacks the right that its view needs."""
    action = needed(request.endpoint)
    if request.endpoint is not None and action is not ANYBODY and not (isinstance(action, Action) and allowed(action)):
        abort(403)


def allowed(action: Action) -> bool:
    """Whether the account of this request has the right."""
    return may(current_user.role, action)


def reach() -> Reach:
    """The compounds that the account of this request answers for; None: all."""
    known: Reach = current_user.reach
    return known


def require_compound(compound: str) -> None:
    """Raises `Unknown` for a compound out of reach, as for one that is not there: its being there is nobody's business."""
    if not within(reach(), compound):
        raise Unknown(text(language(), "error.compound"))


def noted(conn: sa.Connection, action: str, kind: str, object: str, **detail: Any) -> None:
    """Put into the audit log what the account of this request did, in the transaction of what it did."""
    audit.note(conn, current_user.id, action, kind, object, detail, at=site().now(), address=request.remote_addr or "")
