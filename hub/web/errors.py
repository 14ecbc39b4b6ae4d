"""What went wrong, in words."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import Forbidden, NotFound

from hub.web.site import language
from hub.web.texts import text

errors = Blueprint("errors", __name__)


@errors.app_errorhandler(404)
def not_found(error: NotFound) -> ResponseReturnValue:
    """There is no such page or gate."""
    said = error.description if isinstance(error, Unknown) else text(language(), "error.page")
    return render_template("error.html", title=text(language(), "error.title"), said=said), 404


@errors.app_errorhandler(CSRFError)
def stale_form(_error: CSRFError) -> ResponseReturnValue:
    """A form without its token, or with one of another session."""
    said = text(language(), "form.stale")
    return render_template("error.html", title=said, said=""), 400


@errors.app_errorhandler(403)
def forbidden(_error: Forbidden) -> ResponseReturnValue:
    """Not for this account."""
    title, said = text(language(), "error.forbidden"), text(language(), "error.forbidden.note")
    return render_template("error.html", title=title, said=said), 403


class Unknown(NotFound):
    """Something asked for by its id is not there; the words say what."""


class UnknownGate(Unknown):
    """No gate has this id."""

    def __init__(self, gate: str) -> None:
        super().__init__(text(language(), "error.gate", gate=gate[:64]))
