"""The page of what stations said that could not be read: for administrators."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from hub import unread as store
from hub.registry.errors import RegistryError
from hub.rights import Action
from hub.store.writing import writing
from hub.web.guard import needs, noted
from hub.web.site import language, site
from hub.web.texts import text

SHOWN = 200
"""As many are listed."""
PREVIEW = 2000
"""Characters of one that are shown."""

unread = Blueprint("unread", __name__)


@unread.get("/unread")
@needs(Action.AUDIT)
def listed() -> ResponseReturnValue:
    """What waits, and why it could not be read."""
    with site().engine.connect() as conn:
        found, waiting = store.listed(conn, SHOWN), store.waiting(conn)
    return render_template("unread/list.html", found=found, waiting=waiting)


@unread.get("/unread/one")
@needs(Action.AUDIT)
def one() -> ResponseReturnValue:
    """One as it came."""
    id = request.args.get("id", "")
    try:
        with writing(site().engine) as conn:
            known = store.content(conn, id)
            noted(conn, "look", "unread", id)
    except RegistryError:
        return redirect(url_for("unread.listed"))
    said = known.decode("utf-8", "backslashreplace")
    return render_template("unread/one.html", id=id, said=said[:PREVIEW], more=len(said) > PREVIEW)


@unread.post("/unread/again")
@needs(Action.AUDIT)
def again() -> ResponseReturnValue:
    """Read one again, or all that can be."""
    id = request.form.get("id", "")
    try:
        with writing(site().engine) as conn:
            ids = [id] if id else [known.id for known in store.listed(conn, SHOWN) if known.readable]
            failed = store.read_again(conn, ids, current_user.id, site().now())
            noted(conn, "read_again", "unread", id, count=len(ids) - len(failed))
    except RegistryError:
        return redirect(url_for("unread.listed"), 303)
    flash(text(language(), "unread.done", n=len(ids) - len(failed), failed=len(failed)))
    return redirect(url_for("unread.listed"), 303)


@unread.post("/unread/aside")
@needs(Action.AUDIT)
def aside() -> ResponseReturnValue:
    """Take one out of the list."""
    id, reason = request.form.get("id", ""), request.form.get("reason", "")
    try:
        with writing(site().engine) as conn:
            store.set_aside(conn, id, reason, current_user.id, site().now())
            noted(conn, "set_aside", "unread", id)
    except RegistryError:
        flash(text(language(), "unread.reason.missing"))
    return redirect(url_for("unread.listed"), 303)
