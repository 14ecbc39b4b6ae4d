"""The registry's pages of holders: found by door or name; colour, isolating, renewed, revoked. Names are masked everywhere."""

from datetime import date
from math import ceil
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField

from contract.passes import BADGES
from hub.registry import colours, holders, passes
from hub.registry.errors import RegistryError
from hub.registry.holders import PassState
from hub.registry.passes import IssuedPass
from hub.rights import Action, within
from hub.store.tables import compounds, photos
from hub.store.writing import writing
from hub.web.errors import Unknown
from hub.web.guard import allowed, needs, noted, reach, require_compound
from hub.web.site import language, site
from hub.web.texts import text, word

PAGE = 50
"""Holders on one page."""
FARTHEST_YEARS = 10

holding = Blueprint("holding", __name__)


class HealthForm(FlaskForm):  # type: ignore[misc]
    """Colour and isolating."""

    colour = SelectField(choices=[])
    isolating = BooleanField()


class RenewForm(FlaskForm):  # type: ignore[misc]
    """Until when."""

    until = StringField()


class RevokeForm(FlaskForm):  # type: ignore[misc]
    """Yes, really."""

    sure = BooleanField()


@holding.get("/registry/compound/<id>/holders")
@needs(Action.REGISTER)
def listed(id: str) -> ResponseReturnValue:
    """Who holds a pass of a compound; a look that is noted."""
    require_compound(id)
    asked = request.args
    state = PassState(asked["state"]) if asked.get("state") in set(PassState) else None
    wanted, colour, isolating = asked.get("q", "").strip()[:60], asked.get("colour", "")[:16], bool(asked.get("isolating"))
    page = max(0, asked.get("page", 0, int))
    with writing(site().engine) as conn:
        place = _compound(conn, id)
        labels = colours.labels(conn)
        found, count = holders.search(
            conn, [id], site().now(), text=wanted, colour=colour, isolating=isolating, state=state, limit=PAGE,
            offset=min(page, 10**6) * PAGE,
        )  # fmt: skip
        noted(conn, "look", "holders", id, searched=bool(wanted), page=page)
    return render_template(
        "exchange/holders.html", place=place, id=id, found=found, count=count, page=page, pages=ceil(count / PAGE), wanted=wanted,
        colour=colour, isolating=isolating, state=state or "", states=list(PassState), colours=labels, last=_last_day,
        words=_word, asked={name: value for name, value in asked.items() if name != "page" and value},
    )  # fmt: skip


@holding.get("/registry/pass/<id>")
@needs(Action.REGISTER)
def one(id: str) -> ResponseReturnValue:
    """One holder; a look that is noted."""
    with writing(site().engine) as conn:
        known = _pass(conn, id)
        noted(conn, "look", "pass", known.id)
    return _page(known, {})


@holding.post("/registry/pass/<id>/health")
@needs(Action.HEALTH)
def set_health(id: str) -> ResponseReturnValue:
    """Set colour and isolating."""
    form = HealthForm()
    with writing(site().engine) as conn:
        known = _pass(conn, id)
        form.colour.choices = ["", *colours.labels(conn)]
        if form.validate_on_submit():
            now: dict[str, Any] = {"colour": form.colour.data or None, "isolating": bool(form.isolating.data)}
            changed = {name: value for name, value in now.items() if value != getattr(known, name)}
            if changed:
                holders.change(conn, [{"id": known.id, "compound": known.compound, **changed}], holders.Signed("", []))
                noted(conn, "change", "pass", known.id, fields=sorted(changed))
            flash(text(language(), "holders.changed", name=known.masked_name, dwelling=known.dwelling))
    return redirect(_onward(known), 303)


@holding.post("/registry/pass/<id>/renew")
@needs(Action.REGISTER)
def renew(id: str) -> ResponseReturnValue:
    """Make a pass good for longer."""
    form, zone, now = RenewForm(), site().located.zone, site().now()
    with writing(site().engine) as conn:
        known = _pass(conn, id)
        day = _day(form.until.data or "")
        last = max(_last_day(known.expires), now.astimezone(zone).date())
        if form.validate_on_submit() and day is not None and last < day and day.year <= last.year + FARTHEST_YEARS:
            try:
                holders.renew(conn, site().located, known.id, holders.end_of(day, zone), now)
            except RegistryError as error:
                return _page(known, {"until": str(error)})
            noted(conn, "renew", "pass", known.id, until=day.isoformat())
            flash(text(language(), "holders.renewed", name=known.masked_name, dwelling=known.dwelling, day=day.isoformat()))
            return redirect(url_for("exchange.holding.one", id=known.id), 303)
    return _page(known, {"until": text(language(), "holders.wrong.until", day=last.isoformat())})


@holding.post("/registry/pass/<id>/revoke")
@needs(Action.REGISTER)
def revoke(id: str) -> ResponseReturnValue:
    """Revoke a pass for good."""
    form = RevokeForm()
    with writing(site().engine) as conn:
        known = _pass(conn, id)
        if form.validate_on_submit() and form.sure.data:
            passes.revoke(conn, known.id, current_user.id, site().now())
            noted(conn, "revoke", "pass", known.id)
            flash(text(language(), "holders.revoked", name=known.masked_name, dwelling=known.dwelling))
            return redirect(url_for("exchange.holding.one", id=known.id), 303)
    return _page(known, {"sure": text(language(), "holders.wrong.sure")})


def _onward(known: IssuedPass) -> str:
    if allowed(Action.REGISTER):
        return url_for("exchange.holding.one", id=known.id)
    return url_for("exchange.registry.compound", id=known.compound)


def _pass(conn: sa.Connection, id: str) -> IssuedPass:
    """A pass within reach; any other is as good as not there. Only by its id: a token is nothing for an address."""
    try:
        known = passes.find(conn, id) if len(id) <= 64 and id.isalnum() else None
    except RegistryError:
        known = None
    if known is None or not within(reach(), known.compound):
        raise Unknown(text(language(), "holders.error"))
    return known


def _compound(conn: sa.Connection, id: str) -> str:
    name = conn.scalar(sa.select(compounds.c.name).where(compounds.c.id == id))
    if name is None:
        raise Unknown(text(language(), "error.compound"))
    return str(name)


def _page(known: IssuedPass, wrong: dict[str, str]) -> ResponseReturnValue:
    now = site().now()
    with site().engine.connect() as conn:
        place = _compound(conn, known.compound)
        pictured = conn.scalar(sa.select(photos.c.pass_id).where(photos.c.pass_id == known.id)) is not None
        labels = colours.labels(conn)
    return render_template(
        "exchange/holder.html", known=known, place=place, pictured=pictured, wrong=wrong, colours=labels,
        state=holders.state_of(known.expires, known.revoked_at, now), last=_last_day, words=_word, badge=known.kind in BADGES,
        may_health=allowed(Action.HEALTH), health=HealthForm(formdata=None), typed=request.form,
    ), 400 if wrong else 200  # fmt: skip


def _last_day(expires: Any) -> date:
    return holders.last_day(expires, site().located.zone)


def _word(of: str, key: str) -> str:
    return word(language(), of, key)


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said.strip())
    except ValueError:
        return None
