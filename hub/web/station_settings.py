"""The pages of the stations' settings: a place, what is in force there and whose word it is, and what each station made of it.

A place's settings are made by whoever answers for all of it, with what is added to it later.
"""

from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField

from contract.station_settings import SETTINGS, Kind, Value, check, typed
from hub import station_settings as store
from hub.registry import accounts
from hub.rights import Action, Scope, ScopeKind
from hub.rules.granting import covers
from hub.rules.settings_by_place import EVERYWHERE, Level, Spot, chain
from hub.station_settings import Tree
from hub.store.writing import writing
from hub.web.errors import Unknown
from hub.web.guard import needs, noted
from hub.web.site import language, site
from hub.web.station_setting_lines import (
    ICONS,
    URGENT,
    Inner,
    allowed,
    inner_places,
    place_of,
    setting_line,
    shown_value,
    station_lines,
)
from hub.web.texts import text

SHOWN = 30
"""Stations of one page; those that need a look come first."""

station_settings = Blueprint("station_settings", __name__)


class SettingForm(FlaskForm):  # type: ignore[misc]
    """One setting at a place; `act` is the button: set or clear."""

    at = StringField()
    value = StringField(filters=[lambda given: (given or "").strip()])
    act = StringField()


@station_settings.get("/settings/stations")
@needs(Action.SETTINGS)
def shown() -> ResponseReturnValue:
    """The settings at a place (`at`: all, area:ID, committee:ID, compound:ID, gate:ID), or where to begin."""
    with site().engine.connect() as conn:
        tree = store.load_tree(conn)
        spot = _spot(tree, request.args["at"]) if "at" in request.args else _widest(tree)
        return _page(conn, tree, spot) if spot is not None else _start(tree)


@station_settings.post("/settings/stations/<name>")
@needs(Action.SETTINGS)
def change(name: str) -> ResponseReturnValue:
    """Make a setting at a place, or leave it to the places above."""
    form = SettingForm()
    with site().engine.connect() as conn:
        tree = store.load_tree(conn)
    spot = _spot(tree, form.at.data or "")
    if name not in SETTINGS:
        raise Unknown(text(language(), "station_settings.unknown"))
    value = typed(name, form.value.data or "")
    wrong = _wrong(name, form, value)
    if wrong:
        with site().engine.connect() as conn:
            return _page(conn, tree, spot, {name: (form.value.data or "", wrong)})
    with writing(site().engine) as conn:
        if form.act.data == "clear":
            if store.clear(conn, spot, name):
                noted(conn, "clear_setting", spot.level.value, spot.id, setting=name)
        else:
            store.put(conn, spot, name, value, current_user.id, site().now())
            noted(conn, "set_setting", spot.level.value, spot.id, setting=name, value=value)
    return redirect(url_for("station_settings.shown", at=spot_text(spot), _anchor=f"setting-{name}"), 303)


def spot_text(spot: Spot) -> str:
    """A place as addresses and forms write it."""
    return spot.level.value if spot == EVERYWHERE else f"{spot.level.value}:{spot.id}"


def _wrong(name: str, form: SettingForm, value: Value) -> str:
    if not form.validate_on_submit():
        return text(language(), "form.stale")
    if form.act.data == "clear":
        return ""
    problem = check(name, value)
    return "" if problem is None else text(language(), "station_settings.wrong", allowed=allowed(SETTINGS[name]))


def _spot(tree: Tree, asked: str) -> Spot:
    """The place that was asked for; one that is not there, or not wholly in reach, is unknown."""
    level, _, id = asked.partition(":")
    spot = Spot(Level(level), id) if level in set(Level) else None
    if spot is None or spot not in tree.names or not _within(tree, spot):
        raise Unknown(text(language(), "station_settings.no_place"))
    return spot


def _within(tree: Tree, spot: Spot) -> bool:
    above = {_scope(below): _scope(place) for below, place in tree.above.items() if below.level is not Level.GATE}
    return covers(current_user.account.scopes, _scope(tree.above[spot] if spot.level is Level.GATE else spot), above)


def _scope(spot: Spot) -> Scope:
    return Scope(ScopeKind(spot.level.value), spot.id)


def _mine(tree: Tree) -> list[Spot]:
    """The places that the account of this request was given, widest first; what lies in another of them is left out."""
    given = {Spot(Level(scope.kind.value), scope.place) for scope in current_user.account.scopes} & tree.names.keys()
    return [one for one in sorted(given, key=lambda one: tree.names[one]) if not given & set(chain(one, tree.above)[1:])]


def _widest(tree: Tree) -> Spot | None:
    """The one place that holds all that is in reach; None: there are several, or none."""
    mine = _mine(tree)
    return mine[0] if len(mine) == 1 else None


def _start(tree: Tree) -> ResponseReturnValue:
    return render_template("station_settings/start.html", places=[Inner(one, place_of(tree, one), 0) for one in _mine(tree)])


def _page(conn: sa.Connection, tree: Tree, spot: Spot, given: Mapping[str, tuple[str, str]] | None = None) -> ResponseReturnValue:
    """`given`: of a setting that was refused what was typed, and why."""
    made, names = store.load_given(conn), {one.id: one.name for one in accounts.list_accounts(conn)}
    path = chain(spot, tree.above)
    lines = [setting_line(setting, spot, path, made, names, (given or {}).get(setting.name)) for setting in SETTINGS.values()]
    stations = [
        one for one in store.standing(conn, tree, made) if spot in chain(Spot(Level.GATE, one.gate), tree.above)
    ]  # fmt: skip
    first = sorted(stations, key=lambda one: (URGENT.index(one.state), one.station))[:SHOWN]
    page = render_template(
        "station_settings/place.html", spot=spot, name=place_of(tree, spot), lines=lines, inner=inner_places(tree, spot, made),
        above=[(one, place_of(tree, one), _within(tree, one)) for one in reversed(path[1:])], kinds=Kind,
        stations=station_lines(conn, tree, first), count=len(stations), hidden=len(stations) - len(first),
        counts=[(state, n) for state in URGENT if (n := Counter(one.state for one in stations)[state])],
        icons=ICONS, shown_value=shown_value, spot_text=spot_text, whose=lambda one: place_of(tree, one),
    )  # fmt: skip
    return page, 400 if given else 200
