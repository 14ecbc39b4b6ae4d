"""演员查 on the inspector's phone: the pass that is shown at the gate, and what was tried, as an inspection's form says it."""

from collections.abc import MutableMapping
from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField

from hub import acting as store
from hub.registry.errors import RegistryError
from hub.rights import Action, within
from hub.rules.acting import MINUTES, Attempt, Kind, Said, attempt
from hub.rules.compliance import Place
from hub.store import gates
from hub.store.writing import writing
from hub.web.errors import Unknown, UnknownGate
from hub.web.guard import needs, noted, reach
from hub.web.pass_link import qr
from hub.web.site import language, site
from hub.web.texts import text

WITH_PASS = tuple(kind for kind in Kind if kind is not Kind.NO_PASS)
USUAL_MINUTES = MINUTES[1]

acting = Blueprint("acting", __name__)


class ActorForm(FlaskForm):  # type: ignore[misc]
    """What was tried; part of the form of an inspection."""

    actor_kind = StringField()
    actor_pass = StringField()
    actor_minutes = StringField(default=str(USUAL_MINUTES))
    actor_said = StringField()


@acting.get("/inspect/<gate>/actor")
@needs(Action.INSPECT)
def choose(gate: str) -> ResponseReturnValue:
    """Choose what to try with which pass."""
    return _chooser(place_of(gate))


@acting.post("/inspect/<gate>/actor")
@needs(Action.INSPECT)
def prepare(gate: str) -> ResponseReturnValue:
    """Make a pass for it: of nobody, and soon over."""
    place, kind = place_of(gate), request.form.get("kind", "")
    if kind not in WITH_PASS:
        return _chooser(place, text(language(), "inspect.problem.actor_kind")), 400
    try:
        with writing(site().engine) as conn:
            made = store.prepare(conn, site().located, gate, Kind(kind), current_user.id, site().now())
            noted(conn, "issue", "actor_pass", made.id, gate=gate, what=kind)
    except RegistryError:
        return _chooser(place, text(language(), "actor.refused", most=store.MOST)), 400
    return redirect(url_for("inspecting.acting.show", gate=gate, id=made.id, kind=kind), 303)


@acting.get("/inspect/<gate>/actor/<id>")
@needs(Action.INSPECT)
def show(gate: str, id: str) -> ResponseReturnValue:
    """The pass, to be held before the gate's camera; only whoever had it made sees it."""
    place, kind = place_of(gate), request.args.get("kind", "")
    with site().engine.connect() as conn:
        made = store.find(conn, id, current_user.id)
        fits = made is not None and kind in WITH_PASS and store.fits(conn, Kind(kind), id, gate, current_user.id)
    if made is None or not fits:
        raise Unknown(text(language(), "actor.none"))
    return render_template("inspecting/actor.html", place=place, kind=kind, made=made, code=qr(made.token))


def tried(form: ActorForm, gate: str, at: datetime, wrong: MutableMapping[str, str]) -> Attempt | None:
    """The attempt that a form tells of; what is wrong with it is put among what is wrong."""
    kind, said = form.actor_kind.data or "", form.actor_said.data or ""
    if not kind:
        return None
    if kind not in set(Kind):
        wrong["actor_kind"] = "actor_kind"
        return None
    shown = (form.actor_pass.data or "").strip() if kind != Kind.NO_PASS else None
    with site().engine.connect() as conn:
        if shown is not None and not store.fits(conn, Kind(kind), shown, gate, current_user.id):
            wrong["actor_pass"] = "actor_pass"
        version = store.told_in(conn, shown)
    if said not in set(Said):
        wrong["actor_said"] = "actor_said"
    if wrong:
        return None
    minutes = next((n for n in MINUTES if str(n) == form.actor_minutes.data), USUAL_MINUTES)
    return attempt(Kind(kind), shown, at, minutes, Said(said), version)


def place_of(gate: str) -> Place:
    """A gate within reach. Raises `UnknownGate`."""
    with site().engine.connect() as conn:
        found = [place for place in gates.load_places(conn, [gate]) if within(reach(), place.compound)]
    if not found:
        raise UnknownGate(gate)
    return found[0]


def _chooser(place: Place, problem: str = "") -> str:
    return render_template("inspecting/acting.html", place=place, kinds=WITH_PASS, problem=problem)
