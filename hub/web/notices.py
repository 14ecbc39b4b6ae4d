"""The pages of notices: written, changed, withdrawn, and which stations have heard of each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, SelectField, TextAreaField

from hub import confirmations
from hub.confirmations import CompoundDirectory
from hub.registry import notices as registry
from hub.registry.errors import RegistryError
from hub.registry.notices import LASTS, LONGEST, Posted, State
from hub.rights import Action, Scope, ScopeKind
from hub.rules.granting import covers, read_scope, scope_text
from hub.store.tables import accounts
from hub.store.writing import writing
from hub.web.account_form import Places
from hub.web.errors import Unknown
from hub.web.guard import needs, noted, reach
from hub.web.site import language, site
from hub.web.texts import text

SHOWN = 200
"""Notices of each kind, read; those that concern the reader are shown."""
NAMED = 12
"""Stations named that have not heard."""
_TYPED = "%Y-%m-%dT%H:%M"

notices = Blueprint("notices", __name__)
Problems = dict[str, str]
"""Field → what is wrong and what to do."""


class NoticeForm(FlaskForm):  # type: ignore[misc]
    """A notice; an empty beginning means now."""

    zh = TextAreaField(filters=[lambda typed: " ".join((typed or "").split())])
    en = TextAreaField(filters=[lambda typed: " ".join((typed or "").split())])
    place = SelectField(choices=(), validate_choice=False)
    begins = DateTimeLocalField(format=_TYPED)
    ends = DateTimeLocalField(format=_TYPED)


@dataclass(frozen=True)
class Line:
    """A notice as it is listed."""

    one: Posted
    state: State
    place: str
    by: str
    """Who put it up, by name."""
    mine: bool
    """Whether the reader may change it."""
    heard: int = 0
    stations: int = 0
    waiting: tuple[str, ...] = ()
    """Stations that have not heard of it, by gate."""


@notices.get("/notices")
@needs(Action.REGISTER)
def listed() -> ResponseReturnValue:
    """Those that are current or coming, and those that are over."""
    now = site().now()
    with site().engine.connect() as conn:
        places, known = Places(conn), confirmations.confirmed(conn, reach())
        placed = registry.all_compounds(conn)
        live, over = (
            [_line(conn, one, places, known, now) for one in found(conn, now, SHOWN) if registry.concerns(one, reach(), placed)]
            for found in (registry.live, registry.over)
        )
    return render_template("notices/list.html", live=live, over=over)


@notices.route("/notices/new", methods=["GET", "POST"])
@needs(Action.REGISTER)
def add() -> ResponseReturnValue:
    """A new one, for a place that is all the reader's."""
    form, places, now = NoticeForm(), _places(), site().now()
    if not form.is_submitted():
        form.ends.data = _local(now + timedelta(days=1)).replace(hour=23, minute=59)
        return _page(form, places, None, {})
    problems = _problems(form, places, now)
    if not problems:
        try:
            with writing(site().engine) as conn:
                scope = read_scope(form.place.data)
                made = registry.add(
                    conn, zh=form.zh.data, en=form.en.data, scope=scope, begins=_begins(form, now), ends=_aware(form.ends.data),
                    by=current_user.id, now=now,
                )  # fmt: skip
                noted(conn, "add", "notice", made.id, scope=scope_text(scope))
        except RegistryError as error:
            problems = {"": str(error)}
        else:
            return _said("notices.added", made.id)
    return _page(form, places, None, problems), 400


@notices.route("/notices/<id>", methods=["GET", "POST"])
@needs(Action.REGISTER)
def one(id: str) -> ResponseReturnValue:
    """One notice: who has heard of it; changed while it is not over."""
    form, places, now = NoticeForm(), _places(), site().now()
    known, line = _known(id, places, now)
    changeable = line.mine and line.state in (State.COMING, State.CURRENT)
    if not form.is_submitted():
        form.zh.data, form.en.data, form.place.data = known.zh, known.en, scope_text(known.scope)
        form.begins.data, form.ends.data = _local(known.begins), _local(known.ends)
        return _page(form, places, line if changeable else None, {}, shown=line)
    problems = _problems(form, places, now) if changeable else {"": text(language(), "notices.wrong.over")}
    if not problems:
        try:
            with writing(site().engine) as conn:
                scope = read_scope(form.place.data)
                registry.change(
                    conn, id, zh=form.zh.data, en=form.en.data, scope=scope, begins=_begins(form, now),
                    ends=_aware(form.ends.data), now=now,
                )  # fmt: skip
                noted(conn, "change", "notice", id, scope=scope_text(scope))
        except RegistryError as error:
            problems = {"": str(error)}
        else:
            return _said("notices.changed", id)
    return _page(form, places, line if changeable else None, problems, shown=line), 400


@notices.post("/notices/<id>/withdraw")
@needs(Action.REGISTER)
def withdraw(id: str) -> ResponseReturnValue:
    """Take one down."""
    places, now = _places(), site().now()
    known, line = _known(id, places, now)
    if line.mine and line.state in (State.COMING, State.CURRENT):
        with writing(site().engine) as conn:
            registry.withdraw(conn, known.id, current_user.id, now)
            noted(conn, "withdraw", "notice", known.id, scope=scope_text(known.scope))
        return _said("notices.withdrawn", known.id)
    return _said("notices.wrong.over" if line.mine else "notices.wrong.others", known.id)


def _places() -> Places:
    with site().engine.connect() as conn:
        return Places(conn)


def _known(id: str, places: Places, now: datetime) -> tuple[Posted, Line]:
    """A notice that concerns the reader; any other is as good as not there."""
    with site().engine.connect() as conn:
        try:
            known = registry.find(conn, id)
        except RegistryError:
            raise Unknown(text(language(), "notices.none")) from None
        if not registry.concerns(known, reach(), registry.all_compounds(conn)):
            raise Unknown(text(language(), "notices.none"))
        return known, _line(conn, known, places, confirmations.confirmed(conn, reach()), now)


def _line(conn: sa.Connection, one: Posted, places: Places, known: list[CompoundDirectory], now: datetime) -> Line:
    since, state = registry.containing(conn, one.id), one.state(now)
    stations = [(at, station, since[at.compound]) for at in known if at.compound in since for station in at.stations]
    waiting = [f"{at.compound_name} {s.gate_name} {s.station}" for at, s, version in stations if (s.version or 0) < version]
    name = conn.scalar(sa.select(accounts.c.name).where(accounts.c.id == one.made_by))
    return Line(
        one=one, state=state, place=_place(one.scope, places), by=name or one.made_by,
        mine=covers(current_user.account.scopes, one.scope, places.above),
        stations=len(stations), heard=len(stations) - len(waiting), waiting=tuple(sorted(waiting)),
    )  # fmt: skip


def _place(scope: Scope, places: Places) -> str:
    return text(language(), "notices.place.all") if scope.kind is ScopeKind.ALL else places.names.get(scope, scope.place)


def _choices(places: Places) -> list[tuple[str, list[tuple[str, str]]]]:
    """The places that are all the reader's, by kind."""
    mine = current_user.account.scopes
    made: list[tuple[str, list[tuple[str, str]]]] = []
    if Scope(ScopeKind.ALL) in mine:
        made.append((ScopeKind.ALL.value, [(ScopeKind.ALL.value, text(language(), "notices.place.all"))]))
    for kind in (ScopeKind.AREA, ScopeKind.COMMITTEE, ScopeKind.COMPOUND):
        found = [(scope_text(scope), name) for scope, name in places.names.items() if scope.kind is kind]
        mine_of_kind = [(value, name) for value, name in found if covers(mine, read_scope(value), places.above)]
        made += [(kind.value, sorted(mine_of_kind, key=lambda choice: choice[1]))] if mine_of_kind else []
    return made


def _problems(form: NoticeForm, places: Places, now: datetime) -> Problems:
    """What is wrong with what was typed, by field."""
    problems = {"zh": "zh"} if not form.zh.data else {}
    problems |= {name: "long" for name in ("zh", "en") if len(form[name].data) > LONGEST}
    problems |= {name: "plain" for name in ("zh", "en") if not form[name].data.isprintable()}
    if form.place.data not in {value for _, choices in _choices(places) for value, _ in choices}:
        problems["place"] = "place"
    if any(form.begins.raw_data or ()) and form.begins.data is None:
        problems["begins"] = "time"
    problems |= {} if "begins" in problems else _wrong_end(form, now)
    return {field: text(language(), f"notices.wrong.{key}", most=LONGEST, days=LASTS.days) for field, key in problems.items()}


def _wrong_end(form: NoticeForm, now: datetime) -> Problems:
    if form.ends.data is None:
        return {"ends": "ends"}
    begins, ends = _begins(form, now), _aware(form.ends.data)
    if ends <= now:
        return {"ends": "past"}
    if ends <= begins:
        return {"ends": "order"}
    return {"ends": "lasts"} if ends - begins > LASTS else {}


def _begins(form: NoticeForm, now: datetime) -> datetime:
    return _aware(form.begins.data) if form.begins.data is not None else now


def _aware(typed: datetime) -> datetime:
    return typed.replace(tzinfo=site().located.zone)


def _local(at: datetime) -> datetime:
    return at.astimezone(site().located.zone).replace(tzinfo=None, second=0, microsecond=0)


def _said(key: str, id: str) -> ResponseReturnValue:
    flash(text(language(), key))
    return redirect(url_for("notices.one", id=id), 303)


def _page(form: NoticeForm, places: Places, line: Line | None, problems: Problems, shown: Line | None = None) -> str:
    """The form of a new notice or, with `line`, of that one; `shown` alone: one that can only be looked at."""
    return render_template(
        "notices/one.html", form=form, choices=_choices(places), line=line, shown=shown, problems=problems, longest=LONGEST,
        named=NAMED, lasts=LASTS.days,
    )  # fmt: skip
