"""The registry's pages of places: the sub-district down to its gates and stations, added and changed within one's reach."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField

from hub.exchange import known_places
from hub.registry import places
from hub.registry.dwellings import natural
from hub.registry.errors import RegistryError
from hub.registry.kit import make_kit
from hub.registry.places import PlaceKind
from hub.rights import Action, within
from hub.rules import hours
from hub.rules.places_in import KnownPlace
from hub.rules.sheets_in import LEVELS
from hub.store.tables import gates, passes, stations
from hub.store.writing import writing
from hub.web.errors import Unknown
from hub.web.guard import allowed, needs, noted, reach, require_compound
from hub.web.site import language, site
from hub.web.texts import text

registry = Blueprint("registry", __name__)
_COMPOUND = LEVELS.index("compound")


class PlaceForm(FlaskForm):  # type: ignore[misc]
    """What is typed of a place; each kind shows the fields that it has."""

    id = StringField()
    name = StringField()
    parent = SelectField(choices=[], validate_choice=False)
    liaison = StringField()
    manager = StringField()
    hours = StringField()
    closed = BooleanField()


class StationForm(FlaskForm):  # type: ignore[misc]
    """What is typed of a station."""

    id = StringField()
    lane = StringField()
    in_service = BooleanField()


@dataclass(frozen=True)
class Branch:
    """A place with those in it."""

    place: KnownPlace
    below: tuple["Branch", ...]

    @property
    def compounds(self) -> int:
        """How many compounds are in it."""
        return 1 if self.place.level == _COMPOUND else sum(one.compounds for one in self.below)

    @property
    def gates(self) -> int:
        """How many gates are in it."""
        return 1 if self.place.level > _COMPOUND else sum(one.gates for one in self.below)


@registry.get("/registry")
@needs(Action.VIEW)
def tree() -> ResponseReturnValue:
    """Areas, committees and compounds with their gates."""
    wanted = request.args.get("q", "").strip()[:80]
    with site().engine.connect() as conn:
        known = known_places(conn)
    branches = branched(known, wanted.casefold())
    return render_template("exchange/tree.html", areas=branches, wanted=wanted, all=reach() is None, may=allowed(Action.PLACES))


@registry.get("/registry/compound/<id>")
@needs(Action.VIEW)
def compound(id: str) -> ResponseReturnValue:
    """One compound: its gates and their stations."""
    require_compound(id)
    with site().engine.connect() as conn:
        known = known_places(conn)
        found = _found(known, "compound", id)
        mine = [one for one in known if one.level > _COMPOUND and one.parent == id]
        shut = set(conn.scalars(sa.select(gates.c.id).where(gates.c.compound == id, gates.c.closed)))
        at = {one.id: [row for row in _stations(conn, id) if row.gate == one.id] for one in mine}
        held = conn.scalar(sa.select(sa.func.count()).select_from(passes).where(passes.c.compound == id)) or 0
    above = _found(known, "committee", found.parent)
    return render_template(
        "exchange/compound.html", found=found, above=above, area=_found(known, "area", above.parent), gates=mine, shut=shut,
        stations=at, held=held, hours=hours_shown, may=allowed(Action.PLACES), may_register=allowed(Action.REGISTER),
    )  # fmt: skip


@registry.route("/registry/add/<kind>", methods=["GET", "POST"])
@needs(Action.PLACES)
def add(kind: str) -> ResponseReturnValue:
    """Add a place; `in` says in what."""
    level = _level(kind)
    if level <= _COMPOUND and reach() is not None:
        abort(403)
    with site().engine.connect() as conn:
        known = known_places(conn)
    form = PlaceForm()
    form.parent.choices = _parents(known, level)
    if not form.is_submitted():
        form.parent.data = request.args.get("in", "")
    wrong = _wrong_place(form, level) if form.validate_on_submit() else {}
    if form.is_submitted() and not wrong:
        id = (form.id.data or "").strip() or uuid4().hex
        try:
            with writing(site().engine) as conn:
                _add(conn, kind, id, form)
                noted(conn, "add", kind, id, parent=form.parent.data)
        except RegistryError:
            wrong = {"id": text(language(), "registry.wrong.taken", value=id[:64])}
        else:
            flash(text(language(), "registry.added", name=form.name.data.strip()))
            return redirect(_page_of(kind, id, form.parent.data), 303)
    return _form(form, kind, wrong, None, known)


@registry.route("/registry/<kind>/<id>/change", methods=["GET", "POST"])
@needs(Action.PLACES)
def change(kind: str, id: str) -> ResponseReturnValue:
    """Change a place."""
    level = _level(kind)
    with site().engine.connect() as conn:
        known = known_places(conn)
        closed = bool(conn.scalar(sa.select(gates.c.closed).where(gates.c.id == id))) if kind == "gate" else False
    found = _found(known, kind, id)
    _require_reach(found)
    form = PlaceForm(data=_typed(found, closed))
    form.parent.choices = _parents(known, level)
    wrong = _wrong_place(form, level, there=True) if form.validate_on_submit() else {}
    if form.is_submitted() and not wrong:
        with writing(site().engine) as conn:
            _change(conn, kind, id, form, found)
            noted(conn, "change", kind, id, **_changed(found, closed, form))
        flash(text(language(), "registry.saved", name=form.name.data.strip()))
        return redirect(_page_of(kind, id, found.parent), 303)
    return _form(form, kind, wrong, found, known)


@registry.route("/registry/gate/<gate>/station/add", methods=["GET", "POST"])
@needs(Action.PLACES)
def add_station(gate: str) -> ResponseReturnValue:
    """Add a station to a gate, and let it onto the broker."""
    found = _gate(gate)
    form = StationForm(data={"lane": "1", "in_service": True})
    wrong: dict[str, str] = {}
    if form.validate_on_submit():
        id, lane = (form.id.data or "").strip(), (form.lane.data or "").strip() or "1"
        wrong = _wrong_ids(id=id, lane=lane)
        if not wrong:
            try:
                with writing(site().engine) as conn:
                    places.enrol_station(conn, site().located, id, gate, lane)
                    noted(conn, "add", "station", id, gate=gate)
            except RegistryError as error:
                with site().engine.connect() as conn:
                    taken = conn.scalar(sa.select(stations.c.id).where(stations.c.id == id)) is not None
                wrong = {"id": text(language(), "registry.wrong.taken", value=id) if taken else str(error)}
            else:
                flash(text(language(), "registry.added", name=id))
                return redirect(url_for("exchange.registry.change_station", id=id), 303)
    return render_template("exchange/station.html", form=form, wrong=wrong, gate=found, station=None), 400 if wrong else 200


@registry.route("/registry/station/<id>/change", methods=["GET", "POST"])
@needs(Action.PLACES)
def change_station(id: str) -> ResponseReturnValue:
    """Change a station's lane, put it out of service, get its kit."""
    with site().engine.connect() as conn:
        row = conn.execute(sa.select(stations.c.id, stations.c.gate, stations.c.lane, stations.c.in_service).where(
            stations.c.id == id)).first()  # fmt: skip
    if row is None:
        raise Unknown(text(language(), "registry.error.place"))
    found = _gate(row.gate)
    form = StationForm(data=dict(row._mapping))
    wrong: dict[str, str] = {}
    if form.validate_on_submit():
        lane = (form.lane.data or "").strip()
        wrong = _wrong_ids(lane=lane)
        if not wrong:
            with writing(site().engine) as conn:
                places.change_station(conn, id, lane, bool(form.in_service.data))
                noted(conn, "change", "station", id, lane=lane, in_service=bool(form.in_service.data))
            flash(text(language(), "registry.saved", name=id))
            return redirect(url_for("exchange.registry.compound", id=found.parent), 303)
    return render_template("exchange/station.html", form=form, wrong=wrong, gate=found, station=id), 400 if wrong else 200


@registry.get("/registry/station/<id>/kiosk.toml")
@needs(Action.PLACES)
def kit(id: str) -> ResponseReturnValue:
    """A station's kiosk.toml, which holds its password: each download is noted."""
    with writing(site().engine) as conn:
        gate = conn.scalar(sa.select(stations.c.gate).where(stations.c.id == id))
        if gate is None:
            raise Unknown(text(language(), "registry.error.place"))
        _gate(gate)
        made = make_kit(conn, site().located, id)
        noted(conn, "look", "station", id, what="kit")
    headers = {"Content-Disposition": f'attachment; filename="{id}.kiosk.toml"'}
    return Response(made.config, mimetype="application/toml", headers=headers)


def branched(known: list[KnownPlace], wanted: str) -> list[Branch]:
    """The areas with what is in them: the compounds within reach that fit the words, and everything above those.

    Who sees all also sees what is empty.
    """
    below: dict[tuple[int, str], list[KnownPlace]] = {}
    for one in sorted(known, key=lambda one: natural(one.name)):
        below.setdefault((one.level - 1, one.parent), []).append(one)

    def branch(place: KnownPlace, above: str) -> Branch | None:
        said = f"{above} {place.name} {place.id} {' '.join(map(str, place.fields.values()))}".casefold()
        if place.level == _COMPOUND:
            gates_ = tuple(Branch(one, ()) for one in below.get((_COMPOUND, place.id), []))
            said += " ".join(one.place.name for one in gates_).casefold()
            fits = all(word in said for word in wanted.split()) and within(reach(), place.id)
            return Branch(place, gates_) if fits else None
        inner = tuple(made for one in below.get((place.level, place.id), []) if (made := branch(one, said)) is not None)
        return Branch(place, inner) if inner or (reach() is None and not wanted) else None

    return [made for one in below.get((-1, ""), []) if (made := branch(one, "")) is not None]


def hours_shown(schedule: Any) -> str:
    """Opening hours in the reader's language."""
    said = hours.shown(schedule)
    return "always" if said == hours.ALWAYS and language() == "en" else said


def _level(kind: str) -> int:
    if kind not in LEVELS:
        raise Unknown(text(language(), "registry.error.place"))
    return LEVELS.index(kind)


def _found(known: list[KnownPlace], kind: str, id: str) -> KnownPlace:
    found = next((one for one in known if one.id == id and LEVELS[one.level] == kind), None)
    if found is None:
        raise Unknown(text(language(), "registry.error.place"))
    return found


def _require_reach(place: KnownPlace) -> None:
    """Compounds and gates within reach; areas and committees are for those who answer for all."""
    if place.level < _COMPOUND:
        if reach() is not None:
            raise Unknown(text(language(), "registry.error.place"))
    else:
        require_compound(place.id if place.level == _COMPOUND else place.parent)


def _gate(gate: str) -> KnownPlace:
    with site().engine.connect() as conn:
        found = _found(known_places(conn), "gate", gate)
    _require_reach(found)
    return found


def _stations(conn: sa.Connection, compound: str) -> list[places.Station]:
    return [one for one in places.list_stations(conn) if one.compound == compound]


def _parents(known: list[KnownPlace], level: int) -> list[tuple[str, str]]:
    above = [one for one in known if one.level == level - 1]
    names = {(one.level, one.id): one.name for one in known}
    if level - 1 == _COMPOUND:
        above = [one for one in above if within(reach(), one.id)]
    made = [(one.id, " ".join(filter(None, (names.get((one.level - 1, one.parent)), one.name)))) for one in above]
    return [("", ""), *sorted(made, key=lambda pair: pair[1])]


def _typed(found: KnownPlace, closed: bool) -> dict[str, Any]:
    schedule = found.fields.get("schedule")
    return {
        "id": found.id, "name": found.name, "parent": found.parent, "liaison": found.fields.get("liaison", ""),
        "manager": found.fields.get("manager", ""), "hours": "" if schedule is None else hours_shown(schedule), "closed": closed,
    }  # fmt: skip


def _wrong_place(form: PlaceForm, level: int, *, there: bool = False) -> dict[str, str]:
    """What is wrong with a field, in words, by its name."""
    wrong: dict[str, str] = {}
    id, name, said = (form.id.data or "").strip(), (form.name.data or "").strip(), (form.hours.data or "").strip()
    if id and not there:
        wrong |= _wrong_ids(id=id)
    if not name or len(name) > 200 or not name.isprintable():
        wrong["name"] = text(language(), "registry.wrong.name")
    if level and (not form.parent.data or form.parent.data not in dict(form.parent.choices)):
        wrong["parent"] = text(language(), "registry.wrong.parent")
    for who in ("liaison", "manager"):
        value = form[who].data or ""
        if len(value) > 200 or not value.isprintable():
            wrong[who] = text(language(), "registry.wrong.person")
    if said and hours.parse(said) is None:
        wrong["hours"] = text(language(), "registry.wrong.hours", value=said[:60])
    return wrong


def _wrong_ids(**ids: str) -> dict[str, str]:
    return {name: text(language(), "registry.wrong.id", value=id[:64]) for name, id in ids.items() if not places.is_id(id)}


def _schedule(form: PlaceForm) -> hours.Schedule:
    return hours.parse((form.hours.data or "").strip() or hours.ALWAYS) or ()


def _add(conn: sa.Connection, kind: str, id: str, form: PlaceForm) -> None:
    name, parent = form.name.data, form.parent.data
    if kind == "compound":
        places.add_compound(conn, id, name, parent, form.liaison.data or "", form.manager.data or "")
    elif kind == "gate":
        places.add_gate(conn, id, name, parent, _schedule(form))
    else:
        places.add_place(conn, PlaceKind(kind), id, name, parent)


def _change(conn: sa.Connection, kind: str, id: str, form: PlaceForm, found: KnownPlace) -> None:
    name = form.name.data
    parent = form.parent.data if reach() is None else found.parent
    if kind == "area":
        places.change_area(conn, id, name)
    elif kind == "committee":
        places.change_committee(conn, id, name, parent)
    elif kind == "compound":
        people = {"liaison": form.liaison.data or "", "manager": form.manager.data or ""}
        places.change_compound(conn, id, name=name, committee=parent, **people)
    else:
        places.change_gate(conn, id, name=name, schedule=_schedule(form), closed=bool(form.closed.data))


def _changed(found: KnownPlace, closed: bool, form: PlaceForm) -> dict[str, Any]:
    """Which fields changed, and of those that name nobody to what."""
    was = _typed(found, closed)
    fields = [name for name in was if name != "id" and (form[name].data or "") != (was[name] or "")]
    return {"fields": fields, **({"hours": form.hours.data} if "hours" in fields else {}),
            **({"closed": bool(form.closed.data)} if "closed" in fields else {})}  # fmt: skip


def _page_of(kind: str, id: str, parent: str) -> str:
    if kind in ("compound", "gate"):
        return url_for("exchange.registry.compound", id=id if kind == "compound" else parent)
    return url_for("exchange.registry.tree")


def _form(
    form: PlaceForm, kind: str, wrong: dict[str, str], found: KnownPlace | None, known: list[KnownPlace]
) -> ResponseReturnValue:
    parent = form.parent.data or ""
    back = (
        _page_of(kind, found.id if found else "", parent)
        if found or (kind == "gate" and parent)
        else url_for("exchange.registry.tree")
    )
    page = render_template(
        "exchange/place.html", form=form, kind=kind, wrong=wrong, found=found, back_to=back, fixed=reach() is not None
    )
    return page, 400 if wrong else 200
