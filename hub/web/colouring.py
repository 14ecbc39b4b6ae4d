"""The pages of the colours: what they are called and what the gates do for each. They are the whole sub-district's.

Whoever may set them looks; they are changed by those who answer for everything. A change that makes gates treat people
otherwise is asked about first, with how many passes it is for.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField

from contract.directory import ColourRule
from hub.registry import colours
from hub.rights import Action
from hub.rules.colouring import GATES, LONGEST_LABEL, Palette, felt, moved, with_rule, without, wrong_label
from hub.store.writing import writing
from hub.web.errors import Unknown
from hub.web.guard import needs, noted, reach
from hub.web.site import language, site
from hub.web.texts import text

UP, DOWN = "up", "down"

colouring = Blueprint("colouring", __name__)


class ColourForm(FlaskForm):  # type: ignore[misc]
    """One colour; `confirmed` says again what was asked about, and so for how many."""

    swatch = StringField()
    label = StringField(filters=[lambda typed: (typed or "").strip()])
    gate = StringField()
    ask_symptoms = BooleanField()
    quota = BooleanField()
    default = BooleanField()
    confirmed = StringField()

    def rule(self) -> ColourRule:
        """What was filled in."""
        return ColourRule(
            label=self.label.data, gate=self.gate.data, ask_symptoms=bool(self.ask_symptoms.data), quota=bool(self.quota.data)
        )

    def fill(self, rule: ColourRule) -> None:
        """Show what the colour is now."""
        self.label.data, self.gate.data = rule.label, rule.gate
        self.ask_symptoms.data, self.quota.data = rule.ask_symptoms, rule.quota


@colouring.get("/colours")
@needs(Action.SETTINGS)
def listed() -> ResponseReturnValue:
    """The colours in use, with how many passes have each."""
    with site().engine.connect() as conn:
        palette, counts = colours.load(conn), colours.holders(conn, site().now())
    return render_template(
        "colouring/list.html", palette=palette, counts=counts, may=reach() is None,
        gone=sum(count for id, count in counts.items() if id is not None and id not in palette.rules),
    )  # fmt: skip


@colouring.route("/colours/new", methods=["GET", "POST"])
@needs(Action.SETTINGS)
def add() -> ResponseReturnValue:
    """Another colour, which nobody has yet."""
    _require_all()
    form = ColourForm(quota=True, gate=GATES[0]) if request.method == "GET" else ColourForm()
    with writing(site().engine) as conn:
        palette = colours.load_to_change(conn) if form.is_submitted() else colours.load(conn)
        if not palette.free:
            flash(text(language(), "colours.full"), "problem")
            return redirect(url_for("colouring.listed"), 303)
        if not form.is_submitted():
            return _page(form, palette, "", {})
        id = form.swatch.data or ""
        wrong = {} if id in palette.free else {"swatch": text(language(), "colours.wrong.swatch")}
        after = with_rule(palette, id, form.rule())
        wrong |= _wrong(form, after, id)
        if wrong:
            return _page(form, palette, "", wrong), 400
        colours.save(conn, after)
        noted(conn, "add", "colour", id, rule=form.gate.data)
    return _said("colours.added", form.label.data)


@colouring.route("/colours/<id>", methods=["GET", "POST"])
@needs(Action.SETTINGS)
def one(id: str) -> ResponseReturnValue:
    """One colour, changed; asked about before the gates treat anybody otherwise."""
    _require_all()
    form = ColourForm()
    with writing(site().engine) as conn:
        palette = colours.load_to_change(conn) if form.is_submitted() else colours.load(conn)
        before = _require(palette, id)
        if not form.is_submitted():
            form.fill(before)
            return _page(form, palette, id, {}, bearers=colours.bearers(conn, id))
        after = with_rule(palette, id, form.rule(), default=bool(form.default.data))
        wrong = _wrong(form, after, id)
        counts = {} if wrong else felt(palette, after, colours.holders(conn, site().now()))
        asked = "" if form.confirmed.data == _token(counts) else _token(counts)
        if wrong or asked:
            return _page(form, palette, id, wrong, counts=counts, asked=asked, bearers=colours.bearers(conn, id)), 400
        if after != palette:
            colours.save(conn, after)
            noted(conn, "change", "colour", id, **_changed(palette, after, id, counts))
    return _said("colours.changed", form.label.data)


@colouring.post("/colours/<id>/move")
@needs(Action.SETTINGS)
def move(id: str) -> ResponseReturnValue:
    """One place up or down in the lists."""
    _require_all()
    way = request.form.get("way", "")
    with writing(site().engine) as conn:
        palette = colours.load_to_change(conn)
        _require(palette, id)
        after = moved(palette, id, {UP: -1, DOWN: 1}.get(way, 0))
        if list(after.rules) != list(palette.rules):
            colours.save(conn, after)
            noted(conn, "move", "colour", id, way=way)
    return redirect(url_for("colouring.listed"), 303)


@colouring.post("/colours/<id>/remove")
@needs(Action.SETTINGS)
def remove(id: str) -> ResponseReturnValue:
    """Take a colour away that nobody has."""
    _require_all()
    form = ColourForm()
    with writing(site().engine) as conn:
        palette = colours.load_to_change(conn)
        before, count = _require(palette, id), colours.bearers(conn, id)
        problem = "default" if id == palette.default else "used" if count else ""
        if problem:
            form.fill(before)
            said = text(language(), f"colours.remove.{problem}", n=count)
            return _page(form, palette, id, {"remove": said}, bearers=count), 400
        colours.save(conn, without(palette, id))
        noted(conn, "remove", "colour", id)
    return _said("colours.removed", before.label)


def _require_all() -> None:
    """What every gate does is for those who answer for all of them."""
    if reach() is not None:
        abort(403)


def _require(palette: Palette, id: str) -> ColourRule:
    if id not in palette.rules:
        raise Unknown(text(language(), "colours.none"))
    return palette.rules[id]


def _wrong(form: ColourForm, after: Palette, id: str) -> dict[str, str]:
    """By field, what is wrong and what to do."""
    wrong = {} if form.gate.data in GATES else {"gate": text(language(), "colours.wrong.gate")}
    problem = wrong_label(after, id)
    return wrong | ({"label": text(language(), f"colours.wrong.label.{problem}", most=LONGEST_LABEL)} if problem else {})


def _token(counts: Mapping[str, int]) -> str:
    """What somebody confirms: for how many passes what changes. Other numbers are asked about again."""
    return " ".join(f"{gate}:{count}" for gate, count in sorted(counts.items()))


def _changed(before: Palette, after: Palette, id: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """For the audit log."""
    was, now = before.rules[id], after.rules[id]
    fields = [name for name in ("label", "gate", "ask_symptoms", "quota") if getattr(was, name) != getattr(now, name)]
    fields += ["default"] if before.default != after.default else []
    return {"fields": fields, "rule": now.gate, **({"passes": sum(counts.values())} if counts else {})}


def _said(key: str, label: str) -> ResponseReturnValue:
    flash(text(language(), key, label=label))
    return redirect(url_for("colouring.listed"), 303)


def _page(form: ColourForm, palette: Palette, id: str, wrong: Mapping[str, str], **more: Any) -> str:
    """The form of a colour, or (no id) of a new one."""
    shown = {"counts": {}, "asked": "", "bearers": 0} | more
    return render_template(
        "colouring/one.html", form=form, palette=palette, id=id, wrong=wrong, gates=GATES, longest=LONGEST_LABEL, **shown
    )
