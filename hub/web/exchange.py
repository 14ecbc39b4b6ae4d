"""Lists in and out: import with a preview, and exports. The registry's own pages hang on it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms import HiddenField

from hub import exchange as lists
from hub import exporting, uploads
from hub.exporting import Format, Table
from hub.registry import colours
from hub.registry.errors import RegistryError
from hub.rights import Action, within
from hub.rules.cells_in import MOST_BYTES, MOST_ROWS, BadFile
from hub.rules.sheets_in import COLUMNS, HOLDERS, PLACES
from hub.store.tables import compounds, gates
from hub.store.writing import writing
from hub.web.errors import Unknown, UnknownGate
from hub.web.exchange_lines import preview_lines, said_in
from hub.web.guard import allowed, needs, noted, reach, require_compound
from hub.web.holders import holding
from hub.web.registry import registry
from hub.web.site import language, site
from hub.web.texts import text

exchange = Blueprint("exchange", __name__)
exchange.register_blueprint(registry)
exchange.register_blueprint(holding)

UPLOADS = frozenset({"exchange.upload_places", "exchange.upload_holders"})
_SESSION = "list"
"""Of the session's cookie: the key that opens the list which is kept."""
_FORM_BYTES = 64 * 1024


class UploadForm(FlaskForm):  # type: ignore[misc]
    """A list's file."""

    file = FileField()


class ApplyForm(FlaskForm):  # type: ignore[misc]
    """By which the plan that was seen is known again."""

    seen = HiddenField()


@exchange.url_value_preprocessor
def _let_lists_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Only who signed in may send so much, and only a list."""
    if endpoint in UPLOADS and current_user.is_authenticated:
        request.max_content_length = MOST_BYTES + _FORM_BYTES


@exchange.errorhandler(RequestEntityTooLarge)
def _too_large(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    what = HOLDERS if request.endpoint == "exchange.upload_holders" else PLACES
    return _choose(what, text(language(), "exchange.bad.large", most=MOST_BYTES // 2**20), 413)


@exchange.get("/registry/import/places")
@needs(Action.PLACES)
def import_places() -> ResponseReturnValue:
    """Choose a list of places."""
    return _choose(PLACES)


@exchange.get("/registry/import/holders")
@needs(Action.REGISTER)
def import_holders() -> ResponseReturnValue:
    """Choose a list of holders."""
    return _choose(HOLDERS)


@exchange.post("/registry/import/places")
@needs(Action.PLACES)
def upload_places() -> ResponseReturnValue:
    """Keep a list of places for its preview."""
    return _upload(PLACES)


@exchange.post("/registry/import/holders")
@needs(Action.REGISTER)
def upload_holders() -> ResponseReturnValue:
    """Keep a list of holders for its preview."""
    return _upload(HOLDERS)


@exchange.get("/registry/import/places/preview")
@needs(Action.PLACES)
def preview_places() -> ResponseReturnValue:
    """What the list of places would do."""
    return _preview(PLACES)


@exchange.get("/registry/import/holders/preview")
@needs(Action.REGISTER)
def preview_holders() -> ResponseReturnValue:
    """What the list of holders would do."""
    return _preview(HOLDERS)


@exchange.post("/registry/import/places/preview")
@needs(Action.PLACES)
def apply_places() -> ResponseReturnValue:
    """Take the list of places."""
    return _apply(PLACES)


@exchange.post("/registry/import/holders/preview")
@needs(Action.REGISTER)
def apply_holders() -> ResponseReturnValue:
    """Take the list of holders."""
    return _apply(HOLDERS)


@exchange.get("/registry/export")
@needs(Action.VIEW)
def exports() -> ResponseReturnValue:
    """What can be had."""
    with site().engine.connect() as conn:
        query = sa.select(gates.c.id, gates.c.name, compounds.c.id.label("compound"), compounds.c.name.label("place"))
        rows = conn.execute(query.join(compounds, compounds.c.id == gates.c.compound).order_by(compounds.c.name, gates.c.name))
        known = [row for row in rows if within(reach(), row.compound)]
        places = conn.execute(sa.select(compounds.c.id, compounds.c.name).order_by(compounds.c.name))
        mine = [row for row in places if within(reach(), row.id)]
    today = site().now().astimezone(site().located.zone).date()
    return render_template(
        "exchange/export.html", gates=known, compounds=mine, today=today, formats=list(Format), may_places=allowed(Action.PLACES),
        may_holders=allowed(Action.REGISTER), personal=allowed(Action.OPEN_PERSONAL),
    )  # fmt: skip


@exchange.get("/registry/export/places.<form>")
@needs(Action.PLACES)
def export_places(form: str) -> ResponseReturnValue:
    """Places within reach."""
    return _export(form, PLACES, "", lambda conn: exporting.places_table(conn, reach(), language()))


@exchange.get("/registry/export/holders.<form>")
@needs(Action.REGISTER)
def export_holders(form: str) -> ResponseReturnValue:
    """Holders within reach, or of one compound."""
    wanted = request.args.get("compound") or None
    if wanted is not None:
        require_compound(wanted)

    def made(conn: sa.Connection) -> Table:
        return exporting.holders_table(conn, reach(), language(), site().located.zone, site().now(), said_in(language()), wanted)

    return _export(form, HOLDERS, wanted or "", made)


@exchange.get("/registry/export/entries.<form>")
@needs(Action.VIEW)
def export_entries(form: str) -> ResponseReturnValue:
    """A gate's day as the register has it; names only for who may open them."""
    gate, said = request.args.get("gate", ""), request.args.get("day", "")
    with site().engine.connect() as conn:
        compound = conn.scalar(sa.select(gates.c.compound).where(gates.c.id == gate))
    if compound is None or not within(reach(), compound):
        raise UnknownGate(gate)
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise Unknown(text(language(), "exchange.export.day.wrong")) from None
    personal, zone = allowed(Action.OPEN_PERSONAL), site().located.zone

    def made(_conn: sa.Connection) -> Table:
        return exporting.entries_table(site().engine, gate, day, zone, said_in(language()), personal=personal)

    return _export(form, "entries", gate, made, day=day.isoformat(), personal=personal)


@exchange.get("/registry/export/rectifications.<form>")
@needs(Action.VIEW)
def export_rectifications(form: str) -> ResponseReturnValue:
    """Rectifications within reach."""
    zone, say = site().located.zone, said_in(language())
    return _export(form, "rectifications", "", lambda conn: exporting.rectifications_table(conn, reach(), zone, say))


@exchange.get("/registry/export/inspections.<form>")
@needs(Action.VIEW)
def export_inspections(form: str) -> ResponseReturnValue:
    """Inspections that were sent, within reach."""
    zone, say = site().located.zone, said_in(language())
    return _export(form, "inspections", "", lambda conn: exporting.inspections_table(conn, reach(), zone, say))


def _export(form: str, what: str, of: str, made: Callable[[sa.Connection], Table], **detail: Any) -> Response:
    if form not in set(Format):
        raise Unknown(text(language(), "error.page"))
    with site().engine.connect() as conn:
        table = made(conn)
    data = exporting.written(table, Format(form))
    with writing(site().engine) as conn:
        noted(conn, "export", what, of, format=form, rows=len(table.rows), **detail)
    day = f"{site().now().astimezone(site().located.zone):%Y%m%d}"
    name = "-".join(part for part in (what, of, day) if part)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(data, headers=headers, content_type=exporting.MIMETYPES[Format(form)])


def _choose(what: str, problem: str = "", code: int = 200) -> ResponseReturnValue:
    columns = [(zh, en, _about(what, name)) for name, (zh, en, *_) in COLUMNS[what].items()]
    page = render_template(
        "exchange/import.html", what=what, problem=problem, form=UploadForm(formdata=None), columns=columns,
        most=MOST_BYTES // 2**20, rows=MOST_ROWS,
    )  # fmt: skip
    return page, code


def _about(what: str, name: str) -> str:
    if name in ("phone", "state", "photo"):
        return "ignored"
    return "needed" if what == HOLDERS and name in ("compound", "building", "name") else ""


def _upload(what: str) -> ResponseReturnValue:
    form = UploadForm()
    file = form.file.data
    if not form.validate_on_submit() or not file:
        return _choose(what, text(language(), "exchange.file.needed"), 400)
    data = file.read(MOST_BYTES + 1)
    try:
        lists.read(what, data, _colours())
        session[_SESSION] = uploads.keep(site().located.folder, current_user.id, data, site().now())
    except BadFile as bad:
        return _choose(what, text(language(), f"exchange.bad.{bad.key}", **bad.values), 400)
    except OSError:
        return _choose(what, text(language(), "exchange.unwritable"), 500)
    return redirect(url_for(f"exchange.preview_{what}"), 303)


def _kept(what: str) -> lists.Rows:
    """The rows of the list that is kept. Raises `uploads.Gone`."""
    data = uploads.take(site().located.folder, current_user.id, session.get(_SESSION, ""), site().now())
    try:
        return lists.read(what, data, _colours())
    except BadFile:  # a list of the other kind
        raise uploads.Gone("a list of another kind") from None


def _colours() -> dict[str, str]:
    with site().engine.connect() as conn:
        return colours.labels(conn)


def _by() -> lists.By:
    return lists.By(account=current_user.id, reach=reach(), health=allowed(Action.HEALTH))


def _preview(what: str) -> ResponseReturnValue:
    try:
        rows = _kept(what)
    except uploads.Gone:
        return _gone(what)
    with site().engine.connect() as conn:
        plan = lists.preview(conn, site().located, what, rows, _by(), site().now())
    lines = preview_lines(plan, language(), _colours())
    return render_template(
        "exchange/preview.html", what=what, lines=lines, form=ApplyForm(formdata=None), seen=lists.digest(plan)
    )


def _apply(what: str) -> ResponseReturnValue:
    form, now = ApplyForm(), site().now()
    try:
        rows = _kept(what)
    except uploads.Gone:
        return _gone(what)
    again = url_for(f"exchange.preview_{what}")
    if not form.validate_on_submit():
        return redirect(again, 303)
    try:
        plan = lists.apply(site().engine, site().located, what, rows, _by(), now, seen=form.seen.data or "", noted=_note(what))
    except lists.Changed:
        flash(text(language(), "exchange.stale"), "problem")
        return redirect(again, 303)
    except RegistryError as error:
        flash(text(language(), "exchange.refused", said=str(error)), "problem")
        return redirect(again, 303)
    uploads.drop(site().located.folder, current_user.id)
    session.pop(_SESSION, None)
    lines = preview_lines(plan, language(), _colours())
    flash(text(language(), "exchange.done", new=lines.new, changed=lines.changed, same=lines.same))
    return redirect(url_for(f"exchange.import_{what}"), 303)


def _note(what: str) -> Callable[[sa.Connection, lists.Plan], None]:
    def note(conn: sa.Connection, plan: lists.Plan) -> None:
        lines = preview_lines(plan, language(), colours.labels(conn))
        noted(conn, "import", what, "", new=lines.new, changed=lines.changed, same=lines.same)

    return note


def _gone(what: str) -> ResponseReturnValue:
    flash(text(language(), "exchange.gone"), "problem")
    return redirect(url_for(f"exchange.import_{what}"), 303)
