"""The pages of rectifications: the list, one with its story, what its owner says, whose it is, and the re-check."""

from uuid import uuid4

import sqlalchemy as sa
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms.fields.choices import SelectChoice

from contract.five import Item
from hub import inspections, pictures, rectifications, standings
from hub.registry.errors import RegistryError
from hub.rights import Action, within
from hub.rules.inspection import Look, Method, Sheet
from hub.rules.rectify import CONDUCT, ITEMS, State, Step
from hub.store import gates as gates_store
from hub.store.writing import writing
from hub.web.errors import Unknown
from hub.web.guard import allowed, needs, noted, reach, require_compound
from hub.web.rectifying_forms import Answer, Assign, Opening, Recheck, page_number, rest_of_query, said, select
from hub.web.rectifying_lines import Line, item_word, line, step_lines
from hub.web.site import language, site
from hub.web.tasking import account_names, areas_in_reach, tasking

ON_A_PAGE = 50
PHOTO = "answer"
"""The kind of an answer's photos."""
UPLOAD_MOST = 8 * 1024 * 1024
"""Bytes of an answer with its photo; what is too large by less is told at its field."""

rectifying = Blueprint("rectifying", __name__)
rectifying.register_blueprint(tasking)


@rectifying.url_value_preprocessor
def _let_photos_in(_endpoint: str | None, _values: object) -> None:
    """Before anything reads the form: an answer may carry a photo."""
    if request.endpoint == "rectifying.answer":
        request.max_content_length = UPLOAD_MOST


@rectifying.errorhandler(RequestEntityTooLarge)
def _too_large(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    words = said("rectify.form.photo.large", megabytes=pictures.MOST_BYTES >> 20)
    return render_template("error.html", title=said("rectify.form.photo.refused"), said=words), 413


@rectifying.get("/rectifications")
@needs(Action.VIEW)
def index() -> ResponseReturnValue:
    """What is to be put right; or, by filter, what was."""
    here, page = site(), page_number()
    wanted = _wanted()
    with here.engine.connect() as conn:
        rows = rectifications.list_open(conn, reach(), wanted, limit=ON_A_PAGE, offset=page * ON_A_PAGE)
        total = rectifications.count(conn, reach(), wanted)
        summary = rectifications.summary(conn, reach(), here.now())
        lines, known_areas = _lines(conn, rows), areas_in_reach(conn)
    return render_template(
        "rectifying/index.html", lines=lines, total=total, page=page, pages=-(-total // ON_A_PAGE), summary=summary,
        wanted=wanted, areas=known_areas, rest=rest_of_query, states=tuple(State),
        opens=allowed(Action.RECTIFY),
    )  # fmt: skip


@rectifying.get("/rectifications/<id>")
@needs(Action.VIEW)
def one(id: str) -> ResponseReturnValue:
    """One, with its story."""
    return _show(_story(id))


@rectifying.post("/rectifications/<id>/answer")
@needs(Action.ANSWER)
def answer(id: str) -> ResponseReturnValue:
    """Say what was done."""
    story, form = _story(id), Answer()
    valid, jpeg = form.validate_on_submit(), form.jpeg()
    if not valid or form.photo.errors:
        return _show(story, answering=form, code=400)
    now, by = site().now(), current_user.id
    try:
        with writing(site().engine) as conn:
            kept = pictures.put(conn, PHOTO, id, [jpeg] if jpeg else [], now, by)
            rectifications.answer(conn, id, form.note.data, by, now, picture=kept[0] if kept else None)
            noted(conn, "answer", "rectification", id, **_about(story), photo=bool(kept))
    except RegistryError:
        return _show(_story(id), answering=form, problem="rectify.closed_already", code=409)
    return _back(id)


@rectifying.post("/rectifications/<id>/assign")
@needs(Action.RECTIFY)
def assign(id: str) -> ResponseReturnValue:
    """Say whose it is, and until when."""
    story, form = _story(id), Assign()
    form.owner.choices = _owner_choices(story)
    if not form.validate_on_submit():
        return _show(story, assigning=form, code=400)
    try:
        with writing(site().engine) as conn:
            rectifications.assign(conn, id, form.owner.data or None, form.due_at.time, current_user.id, site().now())
            noted(conn, "assign", "rectification", id, **_about(story), owner=form.owner.data)
    except RegistryError:
        return _show(_story(id), assigning=form, problem="rectify.closed_already", code=409)
    return _back(id)


@rectifying.post("/rectifications/<id>/recheck")
@needs(Action.RECTIFY)
def recheck(id: str) -> ResponseReturnValue:
    """Say what was seen when somebody looked again: an inspection, so that the finding of before stands no longer."""
    story, form = _story(id), Recheck()
    if _is_own(story):
        return _show(story, problem="rectify.own", code=403)
    if not form.validate_on_submit():
        return _show(story, checking=form, code=400)
    now, known, passed = site().now(), story.row.rectification, form.result.data == "passed"
    looks = {} if known.item == CONDUCT else {Item(known.item): Look(present=passed, note=form.seen.data)}
    sheet = Sheet(
        id=uuid4().hex, gate=known.gate, method=Method.RECHECK, observed_at=now, looks=looks,
        conduct=passed if known.item == CONDUCT else None, note=form.seen.data, rechecks=id,
    )  # fmt: skip
    with writing(site().engine) as conn:
        inspections.send(conn, sheet, current_user.id, now)
        noted(conn, "recheck", "rectification", id, **_about(story), passed=passed)
    return _back(id)


@rectifying.route("/rectifications/new", methods=["GET", "POST"])
@needs(Action.RECTIFY)
def new() -> ResponseReturnValue:
    """Open one by hand."""
    form = Opening(gate=request.args.get("gate", ""), item=request.args.get("item", ""))
    with site().engine.connect() as conn:
        places = [place for place in gates_store.load_places(conn) if within(reach(), place.compound)]
    form.gate.choices = select(("", said("rectify.form.choose")), *((p.gate, f"{p.compound_name} {p.gate_name}") for p in places))
    items = [(item, item_word(item, language())) for item in ITEMS]
    if not form.validate_on_submit():
        return render_template("rectifying/new.html", form=form, items=items), 400 if form.is_submitted() else 200
    with writing(site().engine) as conn:
        id = rectifications.open_by_finding(
            conn, form.gate.data, form.item.data, None, current_user.id, site().now(), form.note.data
        )
        noted(conn, "open", "rectification", id, gate=form.gate.data, item=form.item.data)
    return _back(id)


@rectifying.get("/rectifications/picture/<id>")
@needs(Action.VIEW)
def picture(id: str) -> ResponseReturnValue:
    """A photo of what was done; who looked is in the audit log."""
    with writing(site().engine) as conn:
        found = rectifications.picture(conn, id)
        if found is None:
            raise Unknown(said("error.photo"))
        require_compound(found[0])
        noted(conn, "look", "picture", id)
    return Response(found[1], mimetype="image/jpeg")


def _wanted() -> rectifications.Wanted:
    """Which ones the address asks for."""
    state = request.args.get("state", "")
    return rectifications.Wanted(
        state=State(state) if state in set(State) else None,
        owner=current_user.id if request.args.get("owner") == "me" else None,
        area=request.args.get("area", ""), gate=request.args.get("gate", ""),
    )  # fmt: skip


def _lines(conn: sa.Connection, rows: list[rectifications.Row]) -> list[Line]:
    now, names = site().now(), account_names(conn)
    keys = {row.rectification.key for row in rows if row.rectification.state is not State.CLOSED}
    stands = standings.look(conn, keys, now, bridged=rectifications.DEADLINES.open_after)
    return [line(row, stands, names, now, language()) for row in rows]


def _story(id: str) -> rectifications.Story:
    with site().engine.connect() as conn:
        found = rectifications.one(conn, id)
    if found is None or not within(reach(), found.row.compound):
        raise Unknown(said("rectify.unknown"))
    return found


def _show(
    story: rectifications.Story, *, answering: Answer | None = None, assigning: Assign | None = None,
    checking: Recheck | None = None, problem: str = "", code: int = 200,
) -> ResponseReturnValue:  # fmt: skip
    known = story.row.rectification
    with site().engine.connect() as conn:
        names, (head,) = account_names(conn), _lines(conn, [story.row])
    assigning = assigning or Assign(formdata=None, owner=known.owner or "", due_at=known.due_at)
    assigning.owner.choices = assigning.owner.choices or _owner_choices(story)
    return render_template(
        "rectifying/one.html", story=story, known=known, line=head, steps=step_lines(story, names, language()),
        answering=answering or Answer(formdata=None), assigning=assigning, checking=checking or Recheck(formdata=None),
        problem=problem, is_open=known.state is not State.CLOSED, may_answer=allowed(Action.ANSWER),
        may_rectify=allowed(Action.RECTIFY), may_inspect=allowed(Action.INSPECT),
        own=_is_own(story), photo_megabytes=pictures.MOST_BYTES >> 20,
        present_minutes=int(rectifications.DEADLINES.present_for.total_seconds() // 60),
    ), code  # fmt: skip


def _owner_choices(story: rectifications.Story) -> list[SelectChoice]:
    with site().engine.connect() as conn:
        found = rectifications.owners(conn, story.row.compound, site().now())
    return select(("", said("rectify.owner.none")), *((account.id, account.name) for account in found))


def _is_own(story: rectifications.Story) -> bool:
    """Whether who asks is its owner, or who answered: nobody closes what is his own to put right."""
    answers = [step.by for step in story.steps if step.step is Step.ANSWERED]
    return current_user.id in (story.row.rectification.owner, *answers[-1:])


def _about(story: rectifications.Story) -> dict[str, str]:
    return {"gate": story.row.rectification.gate, "item": story.row.rectification.item}


def _back(id: str) -> ResponseReturnValue:
    return redirect(url_for("rectifying.one", id=id), 303)
