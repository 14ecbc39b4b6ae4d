"""The pages of bookings: who may come when, made and cancelled, which stations know of one, and whether somebody has come."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateTimeLocalField, StringField

from hub import confirmations
from hub.registry import booking_lists as lists
from hub.registry import bookings as registry
from hub.registry.booking_lists import Came, Known, Wanted
from hub.registry.bookings import AHEAD, KINDS, LONGEST, Booked, State
from hub.registry.errors import RegistryError
from hub.rights import Action, within
from hub.store.tables import accounts
from hub.store.writing import writing
from hub.web.compound_choices import Choices, compound_choices, names_of
from hub.web.errors import Unknown
from hub.web.guard import needs, noted, reach
from hub.web.site import language, site
from hub.web.texts import text

PAGE = 40
"""Bookings on one page."""
NAMED = 12
"""Stations named that don't know yet."""
LONGEST_PLATE, LONGEST_TEXT, MOST_CREW = 12, 200, 100
"""As `hub.registry.bookings` takes them."""
_LIVE = (State.COMING, State.OPEN)
_SOON = timedelta(hours=1)
"""A booking made so shortly before midnight is offered until the next one."""
_TYPED = "%Y-%m-%dT%H:%M"

bookings = Blueprint("bookings", __name__)
Problems = dict[str, str]
"""Field → what is wrong and what to do."""


def _stripped(typed: str | None) -> str:
    return (typed or "").strip()


class BookingForm(FlaskForm):  # type: ignore[misc]
    """A booking; an empty beginning means now, an empty crew that nobody said."""

    kind = StringField(filters=[_stripped])
    compound = StringField(filters=[_stripped])
    plate = StringField(filters=[_stripped])
    crew = StringField(filters=[lambda typed: unicodedata.normalize("NFKC", _stripped(typed))])
    dwelling = StringField(filters=[_stripped])
    note = StringField(filters=[lambda typed: " ".join((typed or "").split())])
    opens = DateTimeLocalField(format=_TYPED)
    closes = DateTimeLocalField(format=_TYPED)


class CancelForm(FlaskForm):  # type: ignore[misc]
    """Yes, really."""

    sure = BooleanField()


@dataclass(frozen=True)
class Line:
    """A booking as it is shown, its compound and its maker by name."""

    one: Booked
    state: State
    compound: str
    by: str


@bookings.get("/bookings")
@needs(Action.REGISTER)
def listed() -> ResponseReturnValue:
    """Those open and to come, or (`over`) those past and cancelled; a look that is noted."""
    asked, now = request.args, site().now()
    kind = asked["kind"] if asked.get("kind") in KINDS else ""
    page = min(max(0, asked.get("page", 0, int)), 10**6)
    with writing(site().engine) as conn:
        choices = compound_choices(conn)
        names = names_of(choices)
        compound = asked["compound"] if asked.get("compound") in names else ""
        wanted = Wanted(reach=reach(), compound=compound, kind=kind, over=bool(asked.get("over")))
        found, count = lists.search(conn, wanted, now, PAGE, page * PAGE)
        lines = _lines(conn, found, names, now)
        noted(conn, "look", "bookings", compound, page=page)
    kept = {name: value for name, value in (("compound", compound), ("kind", kind), ("over", wanted.over and "1")) if value}
    return render_template(
        "bookings/list.html", lines=lines, count=count, page=page, pages=ceil(count / PAGE), choices=choices, kinds=KINDS,
        wanted=wanted, asked=kept,
    )  # fmt: skip


@bookings.route("/bookings/new", methods=["GET", "POST"])
@needs(Action.REGISTER)
def add() -> ResponseReturnValue:
    """A new one, for a compound in reach."""
    form, now = BookingForm(), site().now()
    with site().engine.connect() as conn:
        choices = compound_choices(conn)
    names = names_of(choices)
    if not form.is_submitted():
        form.compound.data = request.args.get("compound", "") if len(names) > 1 else next(iter(names), "")
        form.opens.data, form.closes.data = _local(now), _end_of_day(now)
        return _form(form, choices, {})
    problems = _problems(form, names, now)
    if not problems:
        try:
            with writing(site().engine) as conn:
                made = registry.add(
                    conn, compound=form.compound.data, kind=form.kind.data, opens=_opens(form, now),
                    closes=_aware(form.closes.data), by=current_user.id, now=now, plate=form.plate.data,
                    crew=int(form.crew.data or 0), dwelling=form.dwelling.data, note=form.note.data,
                )  # fmt: skip
                noted(conn, "add", "booking", made.id, compound=made.compound)
        except RegistryError as error:
            problems = {"": str(error)}
        else:
            flash(text(language(), "bookings.added"))
            return redirect(url_for("bookings.one", id=made.id), 303)
    return _form(form, choices, problems), 400


@bookings.get("/bookings/<id>")
@needs(Action.REGISTER)
def one(id: str) -> ResponseReturnValue:
    """One booking: who knows of it, who has come with it; a look that is noted."""
    with writing(site().engine) as conn:
        known = _require(conn, id)
        noted(conn, "look", "booking", known.id, compound=known.compound)
        return _page(conn, known, CancelForm())


@bookings.post("/bookings/<id>/cancel")
@needs(Action.REGISTER)
def cancel(id: str) -> ResponseReturnValue:
    """Take one back, once it has been confirmed."""
    form, now = CancelForm(), site().now()
    with writing(site().engine) as conn:
        known = _require(conn, id)
        if known.state(now) in _LIVE and not form.sure.data:
            return _page(conn, known, form, unsure=True), 400
        if known.state(now) in _LIVE:
            registry.cancel(conn, known.id, current_user.id, now)
            noted(conn, "cancel", "booking", known.id, compound=known.compound)
            flash(text(language(), "bookings.cancelled"))
        else:
            flash(text(language(), "bookings.wrong.over"), "problem")
    return redirect(url_for("bookings.one", id=known.id), 303)


def _require(conn: sa.Connection, id: str) -> Booked:
    """A booking of a compound in reach; any other is as good as not there."""
    try:
        known = registry.find(conn, id)
    except RegistryError:
        raise Unknown(text(language(), "bookings.none")) from None
    if not within(reach(), known.compound):
        raise Unknown(text(language(), "bookings.none"))
    return known


def _lines(conn: sa.Connection, found: list[Booked], names: dict[str, str], now: datetime) -> list[Line]:
    ids = sorted({one.made_by for one in found})
    makers = {row.id: row.name for row in conn.execute(sa.select(accounts.c.id, accounts.c.name).where(accounts.c.id.in_(ids)))}
    return [
        Line(one, one.state(now), names.get(one.compound, one.compound), makers.get(one.made_by) or _who(one.made_by))
        for one in found
    ]


def _who(by: str) -> str:
    return text(language(), "audit.who.cli") if by == "cli" else by


def _page(conn: sa.Connection, known: Booked, form: CancelForm, *, unsure: bool = False) -> str:
    now = site().now()
    (line,) = _lines(conn, [known], names_of(compound_choices(conn)), now)
    far = line.state is State.COMING and known.opens > now + AHEAD
    told = line.state in _LIVE or (line.state is State.CANCELLED and known.closes > now)
    came: list[Came] = lists.came(conn, known) if known.opens - lists.EARLY <= now else []
    return render_template(
        "bookings/one.html", line=line, form=form, unsure=unsure, far=far, hours=int(AHEAD.total_seconds() // 3600), came=came,
        begun=known.opens <= now, live=line.state in _LIVE, named=NAMED, known=_known(conn, known) if told and not far else None,
    )  # fmt: skip


def _known(conn: sa.Connection, one: Booked) -> Known:
    (there,) = confirmations.confirmed(conn, frozenset({one.compound}))
    return lists.known_by(one, registry.told_since(conn, one), there)


def _problems(form: BookingForm, names: dict[str, str], now: datetime) -> Problems:
    """What is wrong with what was typed, by field."""
    wrong = {} if form.kind.data in KINDS else {"kind": "kind"}
    wrong |= {} if form.compound.data in names else {"compound": "compound"}
    plate = registry.plain_plate(form.plate.data)
    if len(plate) > LONGEST_PLATE or (form.plate.data and not plate):
        wrong["plate"] = "plate"
    elif not plate and not form.dwelling.data:
        wrong["plate"] = "whom"
    wrong |= {} if _is_crew(form.crew.data) else {"crew": "crew"}
    texts = {name: form[name].data for name in ("dwelling", "note")}
    wrong |= {name: "text" for name, typed in texts.items() if len(typed) > LONGEST_TEXT or not typed.isprintable()}
    wrong |= _wrong_times(form, now)
    return {
        field: text(
            language(), f"bookings.wrong.{key}", days=LONGEST.days, plate=LONGEST_PLATE, crew=MOST_CREW, most=LONGEST_TEXT
        )
        for field, key in wrong.items()
    }


def _is_crew(typed: str) -> bool:
    return not typed or (typed.isascii() and typed.isdecimal() and int(typed[:9]) <= MOST_CREW and len(typed) <= 3)


def _wrong_times(form: BookingForm, now: datetime) -> Problems:
    if any(form.opens.raw_data or ()) and form.opens.data is None:
        return {"opens": "time"}
    if form.closes.data is None:
        return {"closes": "closes"}
    opens, closes = _opens(form, now), _aware(form.closes.data)
    if closes <= now:
        return {"closes": "past"}
    if closes <= opens:
        return {"closes": "order"}
    return {"closes": "lasts"} if closes - opens > LONGEST else {}


def _opens(form: BookingForm, now: datetime) -> datetime:
    return _aware(form.opens.data) if form.opens.data is not None else now


def _aware(typed: datetime) -> datetime:
    return typed.replace(tzinfo=site().located.zone)


def _local(at: datetime) -> datetime:
    return at.astimezone(site().located.zone).replace(tzinfo=None, second=0, microsecond=0)


def _end_of_day(now: datetime) -> datetime:
    """The last minute of today or, late in the evening, of tomorrow; local."""
    return _local(now + _SOON).replace(hour=23, minute=59)


def _form(form: BookingForm, choices: Choices, problems: Problems) -> str:
    return render_template(
        "bookings/new.html", form=form, choices=choices, kinds=KINDS, problems=problems, longest=LONGEST_TEXT, days=LONGEST.days
    )
