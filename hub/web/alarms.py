"""The pages of alerts, silences and channels."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from hub import alerts, channels, outward, owed, sending
from hub.alerts import Alert
from hub.registry import places
from hub.registry.errors import RegistryError
from hub.registry.places import PlaceKind
from hub.rights import Action, Role, Scope, ScopeKind
from hub.rules.alerting import RULES, Kind, Level
from hub.store.writing import writing
from hub.web.errors import Unknown
from hub.web.guard import allowed, needs, noted, reach
from hub.web.site import language, site
from hub.web.texts import LANGUAGES, text

SHOWN = 200
PAGE = 50
HOURS = ("0.5", "1", "4", "12", "24")
EVERYWHERE, HERE = "everywhere", "gate"

_CHANNEL_PROBLEMS = {
    "name": "channel.name.missing", "address": "channel.address.missing", "scope": "channel.scope.wrong",
    "role": "channel.scope.wrong", "kinds": "channel.scope.wrong",
}  # fmt: skip

alarms = Blueprint("alarms", __name__)


class SilenceForm(FlaskForm):  # type: ignore[misc]
    """Where, how long and why an alert's kind is silenced."""

    where = RadioField(validators=[InputRequired()])
    hours = RadioField(validators=[InputRequired()])
    note = StringField(validators=[DataRequired(), Length(max=500)])


class ChannelForm(FlaskForm):  # type: ignore[misc]
    """A channel to add."""

    name = StringField(validators=[DataRequired(), Length(max=200)])
    address = StringField(validators=[DataRequired(), Length(max=channels.ADDRESS_LENGTH)])
    role = SelectField(validators=[InputRequired()])
    scope = SelectField(validators=[InputRequired()])
    kinds = SelectMultipleField()


@alarms.context_processor
def _rights() -> dict[str, bool]:
    return {"may_set": allowed(Action.SETTINGS)}


@alarms.app_template_filter("said")
def said(kind: Kind) -> str:
    """What a kind of alert is called."""
    return RULES[kind].said[_n()]


@alarms.app_template_filter("todo")
def todo(kind: Kind) -> str:
    """What is to be done about a kind of alert."""
    return RULES[kind].todo[_n()]


@alarms.app_template_filter("failure")
def failure_said(failure: str) -> str:
    """Why a channel failed, in the reader's language where it is one of the usual reasons."""
    key = {sending.NO_CONNECTION: "channel.no_connection", sending.NO_ANSWER: "channel.no_answer"}.get(failure)
    return text(language(), key) if key else failure


@alarms.get("/alerts")
@needs(Action.VIEW)
def open_alerts() -> ResponseReturnValue:
    """The alerts that have not ended, and what is silenced."""
    now = site().now()
    with site().engine.connect() as conn:
        found = alerts.open_alerts(conn, reach(), now, SHOWN + 1)
        quiet = alerts.silences_now(conn, reach(), now)
    return render_template(
        "alarms/open.html", found=found[:SHOWN], cut=len(found) > SHOWN, quiet=quiet, now=now, counts=_counts(found),
        acts=allowed(Action.ALERT), loud=_loud(), everywhere=reach() is None,
    )  # fmt: skip


@alarms.get("/alerts/history")
@needs(Action.VIEW)
def history() -> ResponseReturnValue:
    """The alerts of one day."""
    day, page = _day(), max(0, min(request.args.get("page", 0, int), 1000))
    kind, level = _one_of(Kind, "kind"), _one_of(Level, "level")
    begins = datetime.combine(day, time(), site().located.zone)
    ends = datetime.combine(day + timedelta(days=1), time(), site().located.zone)
    with site().engine.connect() as conn:
        found = alerts.history(conn, reach(), begins, ends, PAGE + 1, kind=kind, level=level, skip=page * PAGE)
    today = site().now().astimezone(site().located.zone).date()
    return render_template(
        "alarms/history.html", found=found[:PAGE], more=len(found) > PAGE, page=page, day=day, kind=kind, level=level,
        before=day - timedelta(days=1), after=day + timedelta(days=1) if day < today else None, kinds=list(Kind),
        levels=list(Level), now=site().now(),
    )  # fmt: skip


@alarms.post("/alerts/<id>/acknowledge")
@needs(Action.ALERT)
def acknowledge(id: str) -> ResponseReturnValue:
    """Somebody sees to it."""
    found = _found(id)
    with writing(site().engine) as conn:
        if alerts.acknowledge(conn, id, current_user.id, site().now()):
            noted(conn, "acknowledge", "alert", id, of=found.kind.value, gate=found.gate)
    flash(text(language(), "alerts.acknowledged"))
    return redirect(url_for("alarms.open_alerts"), 303)


@alarms.route("/alerts/<id>/silence", methods=["GET", "POST"])
@needs(Action.ALERT)
def silence(id: str) -> ResponseReturnValue:
    """Silence alerts of this kind, at this gate or, for those who answer for all, at all."""
    found, form = _found(id), SilenceForm(where=HERE, hours="1")
    form.where.choices = [(HERE, text(language(), "silence.gate", gate=found.subject))] if found.gate else []
    form.where.choices += [(EVERYWHERE, text(language(), "silence.everywhere"))] if reach() is None else []
    form.hours.choices = [(hours, text(language(), f"silence.hours.{hours}")) for hours in HOURS]
    if RULES[found.kind].loud or not form.where.choices:
        return render_template("alarms/silence.html", found=found, form=None), 409
    if not form.validate_on_submit():
        problems = _problems(form, {name: f"silence.{name}.missing" for name in ("where", "hours", "note")})
        code = 400 if form.is_submitted() else 200
        return render_template("alarms/silence.html", found=found, form=form, problems=problems), code
    gate = found.gate if form.where.data == HERE else None
    now, hours = site().now(), float(form.hours.data)
    with writing(site().engine) as conn:
        made = alerts.silence(conn, found.kind, gate, now + timedelta(hours=hours), current_user.id, form.note.data, now)
        noted(conn, "silence", "silence", made, of=found.kind.value, gate=gate, hours=hours)
    flash(text(language(), "alerts.silenced"))
    return redirect(url_for("alarms.open_alerts"), 303)


@alarms.post("/alerts/silences/<id>/end")
@needs(Action.ALERT)
def end_silence(id: str) -> ResponseReturnValue:
    """Send again what a silence held back; one of all gates is ended by those who answer for all."""
    now = site().now()
    with writing(site().engine) as conn:
        found = next((one for one in alerts.silences_now(conn, reach(), now) if one.id == id), None)
        if found is None or (found.gate is None and reach() is not None):
            raise Unknown(text(language(), "error.silence"))
        alerts.end_silence(conn, id, now)
        noted(conn, "unsilence", "silence", id, of=found.kind.value, gate=found.gate)
    flash(text(language(), "alerts.unsilenced"))
    return redirect(url_for("alarms.open_alerts"), 303)


@alarms.route("/alerts/channels", methods=["GET", "POST"])
@needs(Action.SETTINGS)
def list_channels() -> ResponseReturnValue:
    """The channels, and the form that adds one."""
    form = ChannelForm(role=Role.LIAISON.value)
    form.role.choices = [(role.value, text(language(), f"role.{role}")) for role in channels.ROLES]
    form.scope.choices = _scopes()
    form.kinds.choices = [(kind.value, said(kind)) for kind in Kind]
    if form.validate_on_submit():
        problems = _add(form)
        if not problems:
            return redirect(url_for("alarms.list_channels"), 303)
    else:
        problems = _problems(form, _CHANNEL_PROBLEMS)
    return _channels_page(form, problems), 400 if problems else 200


@alarms.post("/alerts/channels/<id>/test")
@needs(Action.SETTINGS)
def test_channel(id: str) -> ResponseReturnValue:
    """Send a line at once."""
    found = _channel(id)
    with writing(site().engine) as conn:
        noted(conn, "test", "channel", id)
    try:
        failure = sending.send_test(site().engine, site().located, id, site().now())
    except RegistryError as error:
        failure = str(error)
    key = "channel.test.failed" if failure else "channel.test.ok"
    flash(text(language(), key, name=found.name, failure=failure_said(failure)), "problem" if failure else "message")
    return redirect(url_for("alarms.list_channels"), 303)


@alarms.route("/alerts/channels/<id>/remove", methods=["GET", "POST"])
@needs(Action.SETTINGS)
def remove_channel(id: str) -> ResponseReturnValue:
    """Take a channel out of use, after having asked."""
    found, form = _channel(id), FlaskForm()
    if not form.validate_on_submit():
        return render_template("alarms/remove.html", found=found, form=form)
    with writing(site().engine) as conn:
        channels.remove(conn, id, site().now(), known=reach())
        noted(conn, "remove", "channel", id)
    flash(text(language(), "channel.removed", name=found.name))
    return redirect(url_for("alarms.list_channels"), 303)


def _n() -> int:
    return list(LANGUAGES).index(language())


def _loud() -> frozenset[Kind]:
    return frozenset(kind for kind, rule in RULES.items() if rule.loud)


def _counts(found: Sequence[Alert]) -> dict[str, int]:
    waiting = sum(one.acknowledged_at is None for one in found)
    return {level.value: sum(one.level is level for one in found) for level in Level} | {"waiting": waiting}


def _found(id: str) -> Alert:
    with site().engine.connect() as conn:
        found = alerts.find(conn, id, reach())
    if found is None:
        raise Unknown(text(language(), "error.alert"))
    return found


def _channel(id: str) -> channels.Channel:
    with site().engine.connect() as conn:
        try:
            return channels.require(conn, id, known=reach())
        except RegistryError:
            raise Unknown(text(language(), "error.channel")) from None


def _day() -> date:
    today = site().now().astimezone(site().located.zone).date()
    try:
        return min(date.fromisoformat(request.args.get("day", "")), today)
    except ValueError:
        return today


def _one_of(kind: type[Kind] | type[Level], name: str) -> str:
    wanted = request.args.get(name, "")
    return wanted if wanted in set(kind) else ""


def _problems(form: FlaskForm, words: dict[str, str]) -> dict[str, str]:
    """By field, what is wrong there and what to do."""
    return {name: text(language(), words[name]) for name in form.errors if name in words} if form.is_submitted() else {}


def _scopes() -> list[tuple[str, str]]:
    """The places that a channel can be of: those all of whose compounds the account answers for."""
    known, whole = reach(), [(f"{ScopeKind.ALL}:", text(language(), "channel.scope.all"))]
    kinds = (PlaceKind.AREA, PlaceKind.COMMITTEE, PlaceKind.COMPOUND)
    with site().engine.connect() as conn:
        found = [(f"{kind}:{one.id}", one.name) for kind in kinds for one in places.list_places(conn, kind)]
        if known is None:
            return whole + found
        mine = channels.scopes_within(conn, known)
    return [(place, name) for place, name in found if place in mine]


def _add(form: ChannelForm) -> dict[str, str]:
    """Add the channel; what is wrong, by field."""
    kind, _, place = form.scope.data.partition(":")
    scope, role = Scope(ScopeKind(kind), place), form.role.data
    try:
        channels.check_address(form.address.data.strip())
    except RegistryError:
        return {"address": text(language(), "channel.address.wrong")}
    try:
        outward.check(form.address.data.strip(), site().located.settings.alerts.local_hosts)
    except RegistryError:
        return {"address": text(language(), "channel.address.inside")}
    with writing(site().engine) as conn:
        id = channels.add(conn, form.name.data, form.address.data, role, scope, form.kinds.data, site().now(), known=reach())
        noted(conn, "add", "channel", id, role=role, scope=form.scope.data, kinds=form.kinds.data)
    flash(text(language(), "channel.added", name=form.name.data.strip()))
    return {}


def _channels_page(form: ChannelForm, problems: dict[str, str]) -> str:
    with site().engine.connect() as conn:
        found = channels.list_channels(conn, reach())
        addresses = {one.id: channels.shown_address(conn, one.id) for one in found}
        waiting = owed.counts(conn, site().now() - timedelta(days=7))
    names = dict(_scopes())
    return render_template(
        "alarms/channels.html", found=found, addresses=addresses, waiting=waiting, names=names, form=form, problems=problems
    )
