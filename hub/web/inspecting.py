"""The pages of inspections."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from msgspec.structs import replace
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms import DateTimeLocalField, Field, HiddenField, MultipleFileField, StringField, TextAreaField

from contract.five import Item
from hub import inspections, pictures
from hub.inspections import Recheck, Sent, Wanted
from hub.pictures import MOST_BYTES, NotAPhoto, smaller
from hub.registry.errors import RegistryError
from hub.rights import Action, within
from hub.rules.acting import MINUTES, Kind, Said
from hub.rules.compliance import Place
from hub.rules.inspection import CONDUCT, LONGEST_NOTE, MOST_PHOTOS, Look, Method, Sheet, problems
from hub.store import gates
from hub.store.writing import writing
from hub.web.acting import ActorForm, acting, place_of, tried
from hub.web.errors import Unknown
from hub.web.guard import allowed, needs, noted, reach
from hub.web.site import language, site
from hub.web.texts import text

LOOKED_AT = (*(item.value for item in Item), CONDUCT)
CHOSEN = (Method.ROUNDS, Method.OFF_PEAK, Method.CROSS, Method.ACTOR)
"""What one chooses from; a re-check begins at what is to be looked at again."""
LAST_GATES, LISTED_GATES, LISTED = 6, 40, 50
DAYS = (1, 7, 30)
REMEMBERED = timedelta(hours=12)
"""For how long the method chosen last is offered first."""
MOST_SENT = MOST_PHOTOS * MOST_BYTES + 64 * 1024
"""Bytes of one inspection with its photos."""

inspecting = Blueprint("inspecting", __name__)
inspecting.register_blueprint(acting)
Problems = dict[str, str]
"""Field → the key of what is wrong with it."""


class Sheetform(ActorForm):
    """What an inspector fills in; the looks and their notes are added below, one of each item and of conduct."""

    id = HiddenField()
    method = StringField()
    observed_at = DateTimeLocalField(format="%Y-%m-%dT%H:%M")
    note = TextAreaField()
    photos = MultipleFileField()

    def looked(self, item: str) -> Field:
        """Of an item or of conduct: yes, no, or empty where it was not looked at."""
        return self[f"look_{item}"]

    def noted(self, item: str) -> Field:
        """The note of an item."""
        return self[f"note_{item}"]


for _item in LOOKED_AT:
    setattr(Sheetform, f"look_{_item}", StringField(default=""))
    setattr(Sheetform, f"note_{_item}", StringField())


@inspecting.url_value_preprocessor
def admit_photos(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A larger request is taken from those who may inspect; said here, since the form's token is read before any view."""
    sends = endpoint in ("inspecting.inspect", "inspecting.recheck") and request.method == "POST"
    if sends and current_user.is_authenticated and allowed(Action.INSPECT):
        request.max_content_length = MOST_SENT


@inspecting.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    """Photos that are too large together."""
    said = text(language(), "inspect.problem.large")
    if _is_script():
        return jsonify(problems={"photos": said}), 413
    return render_template("error.html", title=text(language(), "inspect.photos"), said=said), 413


# ---- to look ----


@inspecting.get("/inspect")
@needs(Action.INSPECT)
def start() -> ResponseReturnValue:
    """Choose a gate: the last ones first, the others by search."""
    wanted = request.args.get("q", "")[:100]
    with site().engine.connect() as conn:
        known = [place for place in gates.load_places(conn) if within(reach(), place.compound)]
        last = inspections.last_gates(conn, current_user.id, LAST_GATES)
    by_id = {place.gate: place for place in known}
    found = [place for place in known if _matches(place, wanted)]
    return render_template(
        "inspecting/start.html", wanted=wanted, found=found[:LISTED_GATES], count=len(found), most=LISTED_GATES,
        last=[by_id[gate] for gate in last if gate in by_id and not wanted], account=current_user.id,
    )  # fmt: skip


@inspecting.route("/inspect/<gate>", methods=["GET", "POST"])
@needs(Action.INSPECT)
def inspect(gate: str) -> ResponseReturnValue:
    """Look at a gate, and send what was found."""
    return _look(place_of(gate), None)


@inspecting.route("/inspect/recheck/<id>", methods=["GET", "POST"])
@needs(Action.INSPECT)
def recheck(id: str) -> ResponseReturnValue:
    """Look again at what was to be put right, and send what was found."""
    with site().engine.connect() as conn:
        again = inspections.recheck(conn, id)
    if again is None or not within(reach(), again.compound):
        raise Unknown(text(language(), "inspection.recheck.none"))
    if current_user.id in again.own:
        said = text(language(), "inspect.recheck.own")
        return render_template("error.html", title=text(language(), "inspect.recheck"), said=said), 403
    return _look(place_of(again.gate), again)


def _look(place: Place, again: Recheck | None) -> ResponseReturnValue:
    form = Sheetform()
    if not form.is_submitted():
        _begin(form)
        return _form(form, place, again, {})
    if _is_sent(form, place.gate):
        return _done(form.id.data)
    wrong, jpegs = _photos(form.photos.data or [])
    sheet = _sheet(form, place.gate, again, wrong)
    if sheet is not None:
        wrong |= problems(sheet, site().now(), again.item if again else None)
    if wrong or sheet is None:
        return _refused(form, place, again, wrong)
    try:
        _send(sheet, jpegs)
    except RegistryError:
        return _refused(form, place, again, {"id": "refused"})
    return _done(sheet.id)


def _is_sent(form: Sheetform, gate: str) -> bool:
    """Whether this very sheet was sent before: its answer was lost on the way, and it may have grown too old meanwhile."""
    with site().engine.connect() as conn:
        known = inspections.sent(conn, form.id.data or "")
    return known is not None and (known.by, known.gate) == (current_user.id, gate)


def _done(id: str) -> ResponseReturnValue:
    onward = url_for("inspecting.inspection", id=id)
    return jsonify(url=onward) if _is_script() else redirect(onward, 303)


def _send(sheet: Sheet, jpegs: Sequence[bytes]) -> None:
    with writing(site().engine) as conn:
        if inspections.send(conn, sheet, current_user.id, site().now(), jpegs):
            noted(conn, "send", "inspection", sheet.id, gate=sheet.gate, method=sheet.method.value)


def _begin(form: Sheetform) -> None:
    here = site()
    with here.engine.connect() as conn:
        method = inspections.last_method(conn, current_user.id, REMEMBERED, here.now())
    form.id.data = uuid4().hex
    given = request.args.get("method", "")
    form.method.data = given if given in {*CHOSEN} else (method or Method.ROUNDS).value
    form.actor_kind.data, form.actor_pass.data = request.args.get("actor_kind", "")[:32], request.args.get("actor_pass", "")[:64]
    form.observed_at.data = here.now().astimezone(here.located.zone).replace(tzinfo=None)


def _sheet(form: Sheetform, gate: str, again: Recheck | None, wrong: Problems) -> Sheet | None:
    """The form as a sheet; what can't be one is put among what is wrong."""
    notes = {"note": form.note.data or "", **{f"note_{item}": form.noted(item).data or "" for item in LOOKED_AT}}
    wrong |= {name: "long" for name, note in notes.items() if len(note.strip()) > LONGEST_NOTE}
    observed: datetime | None = form.observed_at.data
    method = Method.RECHECK.value if again else form.method.data
    wrong |= {"observed_at": "time"} if observed is None else {}
    wrong |= {"method": "method"} if method not in {*CHOSEN, Method.RECHECK} or (method == Method.RECHECK and not again) else {}
    at = (observed or datetime.min).replace(tzinfo=site().located.zone)
    actor = tried(form, gate, at, wrong) if method == Method.ACTOR and observed is not None else None
    if wrong or observed is None:
        return None
    said = {item: form.looked(item).data for item in LOOKED_AT}
    looks = {i: Look(present=said[i] == "yes", note=notes[f"note_{i}"].strip()) for i in Item if said[i] in ("yes", "no")}
    return Sheet(
        id=form.id.data or "", gate=gate, method=Method(method), observed_at=at, actor=actor,
        looks={item: look if not look.present else replace(look, note="") for item, look in looks.items()},
        conduct={"yes": True, "no": False}.get(said[CONDUCT]), note=notes["note"].strip(), rechecks=again.id if again else None,
    )  # fmt: skip


def _photos(files: Sequence[FileStorage | str]) -> tuple[Problems, list[bytes]]:
    sent = [one for one in files if isinstance(one, FileStorage) and one.filename]
    if len(sent) > MOST_PHOTOS:
        return {"photos": "many"}, []
    jpegs = []
    for one in sent:
        data = one.stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            return {"photos": "large"}, []
        try:
            jpegs.append(smaller(data))
        except NotAPhoto:
            return {"photos": "photo"}, []
    return {}, jpegs


def _refused(form: Sheetform, place: Place, again: Recheck | None, wrong: Problems) -> ResponseReturnValue:
    most = {"long": LONGEST_NOTE, "many": MOST_PHOTOS}
    said = {field: text(language(), f"inspect.problem.{key}", n=most.get(key, 0)) for field, key in wrong.items()}
    if _is_script():
        return jsonify(problems=said), 422
    return _form(form, place, again, said, sent_photos=bool(request.files)), 422


def _form(form: Sheetform, place: Place, again: Recheck | None, said: dict[str, str], **more: Any) -> str:
    with site().engine.connect() as conn:
        known = [] if again else inspections.rechecks_at(conn, place.gate)
    others = [one for one in known if current_user.id not in one.own]
    items = sorted(LOOKED_AT, key=lambda item: again is not None and item != again.item)
    return render_template(
        "inspecting/form.html", form=form, place=place, again=again, problems=said, items=items, methods=CHOSEN,
        open=others, kinds=list(Kind), saids=list(Said), minutes=MINUTES, most=MOST_PHOTOS, longest=LONGEST_NOTE,
        account=current_user.id, zone=site().located.settings.timezone, **more,
    )  # fmt: skip


def _is_script() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _matches(place: Place, wanted: str) -> bool:
    said = f"{place.gate} {place.gate_name} {place.compound_name} {place.area_name} {place.liaison}".casefold()
    return all(word in said for word in wanted.casefold().split())


# ---- what was sent ----


@inspecting.get("/inspections")
@needs(Action.VIEW)
def listing() -> ResponseReturnValue:
    """The inspections that were sent, newest first."""
    args, now = request.args, site().now()
    days = args.get("days", 7, int)
    days = days if days in DAYS else DAYS[1]
    method = Method(args["method"]) if args.get("method") in set(Method) else None
    page = min(max(args.get("page", 0, int), 0), 1000)
    wanted = Wanted(
        since=now - timedelta(days=days), area=args.get("area") or None, method=method, negative=args.get("negative") == "1"
    )
    with site().engine.connect() as conn:
        found = inspections.list_sent(conn, wanted, reach(), LISTED + 1, page * LISTED)
        areas = _areas(conn)
    return render_template(
        "inspecting/list.html", found=found[:LISTED], has_more=len(found) > LISTED, wanted=wanted, days=days, page=page,
        areas=areas, methods=list(Method), choices=DAYS, may=allowed(Action.INSPECT),
    )  # fmt: skip


@inspecting.get("/inspections/<id>")
@needs(Action.VIEW)
def inspection(id: str) -> ResponseReturnValue:
    """One that was sent."""
    one = _sent(id)
    return render_template("inspecting/one.html", one=one, looks=[(item.value, one.looks.get(item)) for item in Item])


@inspecting.get("/inspections/<id>/photo/<photo>")
@needs(Action.VIEW)
def photo(id: str, photo: str) -> ResponseReturnValue:
    """A photo of one that was sent; who looked is in the audit log, since somebody may be on it."""
    _sent(id)
    with writing(site().engine) as conn:
        jpeg = pictures.find(conn, pictures.FINDING, id, photo)
        if jpeg is None:
            raise Unknown(text(language(), "error.photo"))
        noted(conn, "look", "picture", photo, inspection=id)
    return Response(jpeg, mimetype="image/jpeg")


def _sent(id: str) -> Sent:
    with site().engine.connect() as conn:
        found = inspections.sent(conn, id)
    if found is None or not within(reach(), found.compound):
        raise Unknown(text(language(), "inspection.none"))
    return found


def _areas(conn: sa.Connection) -> list[tuple[str, str]]:
    """The areas within reach, id and name."""
    known = {place.area: place.area_name for place in gates.load_places(conn) if within(reach(), place.compound)}
    return sorted(known.items(), key=lambda pair: pair[1])
