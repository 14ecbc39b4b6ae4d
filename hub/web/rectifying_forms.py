"""The forms of rectifications and tasks, each field with words that say what is wrong and what to do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import Field, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError
from wtforms.widgets import DateTimeLocalInput

from hub import pictures
from hub.rules.inspection import LONGEST_NOTE
from hub.rules.rectify import ITEMS
from hub.tasks import TITLE_KEPT
from hub.web.site import language, site
from hub.web.texts import text

NOTE_MOST = 1000
"""Characters of an answer."""
FARTHEST = timedelta(days=90)
"""A due time further off is a slip of the finger."""
_TYPED = "%Y-%m-%dT%H:%M"


def said(key: str, **values: object) -> str:
    """The words of a key of `rectify` in the reader's language."""
    return text(language(), key, **values)


def select(*choices: tuple[str, str]) -> list[SelectChoice]:
    """The choices of a field, each a value and its words."""
    return [SelectChoice(value, words) for value, words in choices]


def written(key: str, most: int, *, needed: bool = True) -> Callable[[FlaskForm, Field], None]:
    """A validator: something is written, and not too much."""

    def check(_form: FlaskForm, field: Field) -> None:
        field.data = (field.data or "").strip()
        if needed and not field.data:
            raise ValidationError(said(f"{key}.empty"))
        if len(field.data) > most:
            raise ValidationError(said("rectify.form.long", most=most, n=len(field.data)))

    return check


def chosen(key: str, *values: str, none: bool = False) -> Callable[[FlaskForm, Field], None]:
    """A validator: one of these values is chosen, or of the field's choices; the empty one only where `none` is an answer."""

    def check(_form: FlaskForm, field: Field) -> None:
        known = values or {choice.value for choice in field.choices if choice.value or none}
        if field.data not in known:
            raise ValidationError(said(f"{key}.empty"))

    return check


class Moment(Field):  # type: ignore[misc]
    """A time of the sub-district's day that is still to come; `data` is aware UTC."""

    widget = DateTimeLocalInput()

    @property
    def time(self) -> datetime:
        """What a valid form holds."""
        assert isinstance(self.data, datetime)
        return self.data

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return self.data.astimezone(site().located.zone).strftime(_TYPED) if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """What was typed, as a time."""
        self.data = None
        try:
            typed = datetime.strptime(valuelist[0][:16] if valuelist else "", _TYPED)
            self.data = typed.replace(tzinfo=site().located.zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValueError(said("rectify.form.due.empty")) from None

    def pre_validate(self, _form: FlaskForm) -> None:
        """Later than now, and not absurdly so."""
        if self.data is None:
            if self.errors or self.process_errors:
                return
            raise ValidationError(said("rectify.form.due.empty"))
        if not site().now() < self.data <= site().now() + FARTHEST:
            raise ValidationError(said("rectify.form.due.past", days=FARTHEST.days))


class Answer(FlaskForm):  # type: ignore[misc]
    """What was done, and a photo of it."""

    note = TextAreaField(validators=[written("rectify.form.note", NOTE_MOST)])
    photo = FileField()

    def jpeg(self) -> bytes | None:
        """The photo as it is kept; None: none was chosen, or it can't be kept, which `photo.errors` then says."""
        given = self.photo.data
        if not given or not given.filename:
            return None
        data = given.stream.read(pictures.MOST_BYTES + 1)
        try:
            if len(data) > pictures.MOST_BYTES:
                raise ValidationError(said("rectify.form.photo.large", megabytes=pictures.MOST_BYTES >> 20))
            return pictures.smaller(data)
        except pictures.NotAPhoto:
            self.photo.errors = [said("rectify.form.photo.unreadable")]
        except ValidationError as error:
            self.photo.errors = [str(error)]
        return None


class Assign(FlaskForm):  # type: ignore[misc]
    """Whose it is, and until when."""

    owner = SelectField(validate_choice=False, validators=[chosen("rectify.form.owner", none=True)])
    due_at = Moment()


class Recheck(FlaskForm):  # type: ignore[misc]
    """What was seen when somebody looked again."""

    result = StringField(validators=[chosen("rectify.form.result", "passed", "failed")])
    seen = TextAreaField()

    def validate_seen(self, field: Field) -> None:
        """What was wrong is to be written down; what was right may be."""
        written("rectify.form.seen", LONGEST_NOTE, needed=self.result.data == "failed")(self, field)


class Opening(FlaskForm):  # type: ignore[misc]
    """One opened by hand."""

    gate = SelectField(validate_choice=False, validators=[chosen("rectify.form.gate")])
    item = StringField(validators=[chosen("rectify.form.item", *ITEMS)])
    note = TextAreaField(validators=[written("rectify.form.seen", NOTE_MOST)])


class Giving(FlaskForm):  # type: ignore[misc]
    """A task."""

    title = StringField(validators=[written("rectify.form.title", TITLE_KEPT)])
    compound = SelectField(validate_choice=False, validators=[chosen("rectify.form.compound")])
    owner = SelectField(validate_choice=False, validators=[chosen("rectify.form.owner", none=True)])
    due_at = Moment()
    note = TextAreaField(validators=[written("rectify.form.note", NOTE_MOST, needed=False)])


def page_number() -> int:
    """Which page of a list is asked for, from 0."""
    return min(max(request.args.get("page", 0, int), 0), 10_000)


def rest_of_query(**changes: Any) -> dict[str, Any]:
    """The filters of this address, with changes; empty ones are left out."""
    return {name: value for name, value in (request.args.to_dict() | changes).items() if value not in ("", None)}
