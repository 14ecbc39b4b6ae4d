"""The pages of passes and badges: found, issued, shown, renewed, revoked, with the holder's photo."""

import re

import sqlalchemy as sa
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.datastructures import FileStorage
from wtforms import IntegerField, PasswordField, SelectField, StringField
from wtforms.validators import ValidationError

from contract.passes import BADGES, PassKind
from hub.registry import colours, pass_lists, photos, renewing
from hub.registry import passes as registry
from hub.registry.errors import RegistryError
from hub.registry.pass_lists import STATES, Wanted
from hub.registry.passes import DEFAULT_DAYS, IssuedPass
from hub.rights import Action, within
from hub.store.tables import photos as pictures
from hub.store.writing import writing
from hub.web.errors import Unknown
from hub.web.guard import needs, noted, reach
from hub.web.pass_link import link, phone, qr, until
from hub.web.pass_prints import compound_names, paged, prints
from hub.web.site import language, site
from hub.web.texts import text

PAGE = 40
PHOTO_BYTES = 12 * 2**20
"""A picture's file may be so large; a phone's has some 4 MB."""
MOST_DAYS = 3650
_PIN = re.compile(r"[0-9]{4,8}")
_UPLOADS = frozenset({"passes.issue", "passes.put_photo"})

passes = Blueprint("passes", __name__)
passes.register_blueprint(prints)
passes.register_blueprint(phone)


@passes.url_value_preprocessor
def _allow_a_picture(endpoint: str | None, _values: object) -> None:
    """A photo is larger than any other form; only who has signed in may send one."""
    if endpoint in _UPLOADS and current_user.is_authenticated:
        request.max_content_length = PHOTO_BYTES + 64 * 1024


def _said(key: str, **values: object) -> str:
    return text(language(), f"passes.error.{key}", **values)


def _plain(form: FlaskForm, field: StringField) -> None:
    field.data = (field.data or "").strip()
    if len(field.data) > 60 or not field.data.isprintable():
        raise ValidationError(_said("plain"))


def _days(form: FlaskForm, field: IntegerField) -> None:
    typed = (field.raw_data or [""])[0].strip()
    if typed and (field.data is None or not 1 <= field.data <= MOST_DAYS):
        raise ValidationError(_said("days", most=MOST_DAYS))


class _Days(IntegerField):  # type: ignore[misc]
    """Whole days; what isn't a number is said in the reader's words by `_days`."""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = (valuelist[0] if valuelist else "").strip()
        self.data = int(typed) if re.fullmatch(r"[0-9]{1,9}", typed) else None


class IssueForm(FlaskForm):  # type: ignore[misc]
    """A new pass."""

    kind = SelectField(choices=[kind.value for kind in PassKind], default=PassKind.RESIDENT.value, validate_choice=False)
    compound = SelectField(validate_choice=False)
    name = StringField(validators=[_plain])
    dwelling = StringField(validators=[_plain])
    plate = StringField(validators=[_plain])
    days = _Days(validators=[_days])
    pin = PasswordField()
    photo = FileField()

    def validate_kind(self, field: SelectField) -> None:
        """One of the seven."""
        if field.data not in set(PassKind):
            raise ValidationError(_said("kind"))

    def validate_compound(self, field: SelectField) -> None:
        """One of those in reach."""
        if field.data not in dict(field.choices):
            raise ValidationError(_said("compound"))

    def validate_name(self, field: StringField) -> None:
        """Everybody but a vehicle has one."""
        if not field.data and self.kind.data != PassKind.VEHICLE:
            raise ValidationError(_said("name"))

    def validate_plate(self, field: StringField) -> None:
        """A vehicle has one."""
        if not field.data and self.kind.data == PassKind.VEHICLE:
            raise ValidationError(_said("plate"))

    def validate_pin(self, field: PasswordField) -> None:
        """A badge has one, nothing else."""
        check_pin(self.kind.data, field)


class RenewForm(FlaskForm):  # type: ignore[misc]
    """For how long a pass is renewed, and a badge's PIN."""

    kind = ""
    """Of the pass that is renewed."""
    days = _Days(validators=[_days])
    pin = PasswordField()

    def validate_pin(self, field: PasswordField) -> None:
        """A badge has one, nothing else."""
        check_pin(self.kind, field)


class PhotoForm(FlaskForm):  # type: ignore[misc]
    """A picture of the holder."""

    photo = FileField()


def check_pin(kind: str, field: PasswordField) -> None:
    """Raises `ValidationError` for a badge without a PIN of 4 to 8 digits, and for a PIN of what is no badge."""
    badge = kind in BADGES
    if badge and not _PIN.fullmatch(field.data or ""):
        raise ValidationError(_said("pin"))
    if not badge and field.data:
        raise ValidationError(_said("no_pin"))


@passes.get("/passes")
@needs(Action.REGISTER)
def index() -> ResponseReturnValue:
    """Passes in reach, found by what is known of them."""
    now = site().now()
    wanted = Wanted(**{name: request.args.get(name, "")[:300] for name in ("compound", "kind", "state", "text")})
    with writing(site().engine) as conn:
        known = compound_names(conn)
        _, total = pass_lists.page(conn, reach(), wanted, now, 0)
        page, pages = paged(total, PAGE)
        found, _ = pass_lists.page(conn, reach(), wanted, now, PAGE, page * PAGE)
        noted(conn, "look", "passes", wanted.compound, shown=len(found), searched=bool(wanted.text))
    return render_template(
        "passes/index.html", found=found, total=total, page=page, pages=pages, wanted=wanted, compounds=known,
        kinds=list(PassKind), states=STATES, state_of=state_of, until=until,
    )  # fmt: skip


@passes.route("/passes/new", methods=["GET", "POST"])
@needs(Action.REGISTER)
def issue() -> ResponseReturnValue:
    """Issue one."""
    form = IssueForm()
    with site().engine.connect() as conn:
        form.compound.choices = list(compound_names(conn).items())
    if request.method == "GET":
        form.compound.data = request.args.get("compound", "")
        return _issue_page(form, 200)
    if not form.validate():
        return _issue_page(form, 400)
    try:
        jpeg = _portrait(form.photo.data)
        with writing(site().engine) as conn:
            made = registry.issue(
                conn, site().located, kind=PassKind(form.kind.data), compound=form.compound.data, name=form.name.data,
                dwelling=form.dwelling.data, plate=form.plate.data, days=form.days.data, pin=form.pin.data or None,
                by=current_user.id, at=site().now(),
            )  # fmt: skip
            if jpeg and made.kind is not PassKind.VEHICLE:
                photos.put_photo(conn, made.id, jpeg, current_user.id)
            noted(conn, "issue", "pass", made.id, pass_kind=made.kind.value, compound=made.compound, photo=bool(jpeg))
    except _BadPicture as error:
        form.photo.errors = [str(error)]
        return _issue_page(form, 400)
    except RegistryError as error:
        return _issue_page(form, 400, str(error))
    return redirect(url_for("passes.one", id=made.id, said="issued"), 303)


@passes.get("/passes/<id>")
@needs(Action.REGISTER)
def one(id: str) -> ResponseReturnValue:
    """One pass, with its link for the holder's phone."""
    return _one_page(id, RenewForm(formdata=None), 200)


@passes.post("/passes/<id>/renew")
@needs(Action.REGISTER)
def renew(id: str) -> ResponseReturnValue:
    """A new pass for the same holder; the old one is revoked."""
    with site().engine.connect() as conn:
        known = _known(conn, id)
    form = RenewForm()
    form.kind = known.kind.value
    if known.revoked_at is not None:
        return _one_page(id, form, 400, _said("revoked"))
    if not form.validate():
        return _one_page(id, form, 400)
    by, days, pin = current_user.id, form.days.data, form.pin.data or None
    try:
        with writing(site().engine) as conn:
            made = renewing.renew(conn, site().located, known.id, by=by, now=site().now(), days=days, pin=pin)
            noted(conn, "renew", "pass", made.id, of=known.id, compound=made.compound)
    except RegistryError as error:
        return _one_page(id, form, 400, str(error))
    return redirect(url_for("passes.one", id=made.id, said="renewed"), 303)


@passes.post("/passes/<id>/revoke")
@needs(Action.REGISTER)
def revoke(id: str) -> ResponseReturnValue:
    """The stations refuse it as soon as they have heard."""
    with writing(site().engine) as conn:
        known = _known(conn, id)
        if known.revoked_at is None:
            registry.revoke(conn, known.id, current_user.id, site().now())
            noted(conn, "revoke", "pass", known.id, compound=known.compound)
    return redirect(url_for("passes.one", id=known.id, said="revoked"), 303)


@passes.get("/passes/<id>/photo")
@needs(Action.REGISTER)
def photo(id: str) -> ResponseReturnValue:
    """The holder's photo. That it was looked at is noted with the pass."""
    with site().engine.connect() as conn:
        known = _known(conn, id)
        jpeg = conn.scalar(sa.select(pictures.c.jpeg).where(pictures.c.pass_id == known.id))
    if jpeg is None:
        raise Unknown(text(language(), "error.photo"))
    return Response(jpeg, mimetype="image/jpeg")


@passes.post("/passes/<id>/photo")
@needs(Action.REGISTER)
def put_photo(id: str) -> ResponseReturnValue:
    """Another photo of the holder."""
    try:
        jpeg = _portrait(PhotoForm().photo.data)
        if not jpeg:
            raise _BadPicture(_said("no_photo"))
        with writing(site().engine) as conn:
            known = _known(conn, id)
            photos.put_photo(conn, known.id, jpeg, current_user.id)
            noted(conn, "photo", "pass", known.id, compound=known.compound)
    except (_BadPicture, RegistryError) as error:
        return _one_page(id, RenewForm(formdata=None), 400, photo_problem=str(error))
    return redirect(url_for("passes.one", id=known.id, said="pictured"), 303)


@passes.post("/passes/<id>/photo/remove")
@needs(Action.REGISTER)
def remove_photo(id: str) -> ResponseReturnValue:
    """Forget the photo."""
    with writing(site().engine) as conn:
        known = _known(conn, id)
        if conn.scalar(sa.select(pictures.c.pass_id).where(pictures.c.pass_id == known.id)) is not None:
            photos.remove_photo(conn, known.id)
            noted(conn, "remove_photo", "pass", known.id, compound=known.compound)
    return redirect(url_for("passes.one", id=known.id, said="unpictured"), 303)


def state_of(one: IssuedPass) -> str:
    """Good, expired or revoked."""
    if one.revoked_at is not None:
        return "revoked"
    return "expired" if one.expires <= site().now() else "good"


class _BadPicture(ValueError):
    """A file that can't be made into a photo, in the reader's words."""


def _portrait(sent: FileStorage | None) -> bytes:
    """A picture's file as the small JPEG that stations show; empty where none was sent. Raises `_BadPicture`."""
    from hub.portrait import NotAPicture, portrait  # only what pictures somebody loads OpenCV

    data = sent.read() if isinstance(sent, FileStorage) and sent.filename else b""
    try:
        return portrait(data) if data else b""
    except NotAPicture:
        raise _BadPicture(_said("photo")) from None


def _known(conn: sa.Connection, id: str) -> IssuedPass:
    """A pass within reach; one outside is as one that is not there."""
    try:
        known = registry.find(conn, id)
    except RegistryError:
        raise Unknown(_said("unknown")) from None
    if not within(reach(), known.compound):
        raise Unknown(_said("unknown"))
    return known


def _issue_page(form: IssueForm, status: int, problem: str = "") -> ResponseReturnValue:
    return render_template(
        "passes/new.html", form=form, problem=problem, kinds=list(PassKind), badges=BADGES,
        usual={kind: DEFAULT_DAYS.get(kind, 90) for kind in PassKind},
    ), status  # fmt: skip


def _one_page(id: str, form: RenewForm, status: int, problem: str = "", photo_problem: str = "") -> ResponseReturnValue:
    said = request.args.get("said", "")
    with writing(site().engine) as conn:
        known = _known(conn, id)
        pictured = conn.scalar(sa.select(pictures.c.pass_id).where(pictures.c.pass_id == known.id)) is not None
        compound = compound_names(conn)[known.compound]
        colour = colours.labels(conn).get(known.colour, known.colour) if known.colour else ""
        noted(conn, "look", "pass", known.id, compound=known.compound)
    state = state_of(known)
    address = link(known.token) if state == "good" else ""
    return render_template(
        "passes/one.html", one=known, state=state, pictured=pictured, compound=compound, form=form, problem=problem,
        photo_problem=photo_problem, address=address, code=qr(address) if address else None, badge=known.kind in BADGES,
        usual=DEFAULT_DAYS.get(known.kind, 90), colour=colour, opens_nothing=registry.opens_nothing(known, site().now()),
        until=until, said=said if said in ("issued", "renewed", "revoked", "pictured", "unpictured") else "",
    ), status  # fmt: skip
