"""The pages of policies: what gates do where practice differs, in the whole sub-district and in a compound, and whose word it is.

The sub-district's are changed by those who answer for all of it. What would hold residents back is asked about first, with how
many of how many compounds it is for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField

from contract.directory import Policies
from hub.registry import held_back
from hub.registry import policies as registry
from hub.registry.policies import EVERYWHERE, Told, Values
from hub.rights import Action
from hub.rules.holding_back import holds_back
from hub.store.tables import accounts, compounds
from hub.store.writing import writing
from hub.web.compound_choices import compound_choices, names_of
from hub.web.errors import Unknown
from hub.web.guard import needs, noted, reach, require_compound
from hub.web.policy_lines import COURIER, GROUPS, RULES, Fields, Kind, Rule, fields, pairs, read, said, wrong
from hub.web.site import language, site
from hub.web.texts import text

SET, CLEAR = "set", "clear"
NAMED = 6
"""Compounds named that have a policy of their own."""

policies = Blueprint("policies", __name__)
Owned = Mapping[str, Values]
"""Scope → what it has of its own."""


class PolicyForm(FlaskForm):  # type: ignore[misc]
    """One policy of a scope; `act` is the button, `confirmed` says again what was asked about."""

    at = StringField()
    act = StringField()
    confirmed = StringField()


@dataclass(frozen=True)
class Asked:
    """What is to be confirmed: for whom, as words and as what is sent back."""

    token: str
    words: str
    act: str


@dataclass(frozen=True)
class Line:
    """One policy of the scope that is shown."""

    rule: Rule
    now: str
    whose: str
    """here, everywhere or default."""
    own: bool
    fields: Fields
    pairs: list[tuple[str, str]]
    others: list[tuple[str, str]]
    """Compounds with one of their own, where the whole sub-district is shown; by id and name."""
    wrong: str = ""
    asked: Asked | None = None


@dataclass(frozen=True)
class Refused:
    """What was typed and not taken yet: wrong, or to be confirmed."""

    key: str
    typed: Fields
    wrong: str = ""
    asked: Asked | None = None


@policies.get("/settings/policies")
@needs(Action.SETTINGS)
def shown() -> ResponseReturnValue:
    """The policies of a compound (`at`), or the sub-district's."""
    scope = request.args.get("at", EVERYWHERE)
    with site().engine.connect() as conn:
        _require(conn, scope)
        return _page(conn, scope)


@policies.post("/settings/policies/<key>")
@needs(Action.SETTINGS)
def change(key: str) -> ResponseReturnValue:
    """Set a policy of a scope, or take it back."""
    form, rule = PolicyForm(), RULES.get(key)
    if rule is None:
        raise Unknown(text(language(), "policies.unknown"))
    scope, act = form.at.data or EVERYWHERE, form.act.data
    typed = {name: request.form.getlist(name) for name in ("value", "outings", "outing_days", "begins", "ends")}
    with writing(site().engine) as conn:
        _require(conn, scope)
        if scope == EVERYWHERE and reach() is not None:
            abort(403)
        values: Values | None = dict.fromkeys(rule.names) if act == CLEAR else read(rule, typed)
        if values is None or act not in (SET, CLEAR):
            return _page(conn, scope, Refused(key, typed, wrong=wrong(rule))), 400
        before = _own(registry.all_told(conn))
        after = {**before, scope: _changed(before.get(scope, {}), values)}
        asked = _asked(conn, scope, rule, before, after, act)
        if asked is not None and form.confirmed.data != asked.token:
            shown = typed if act == SET else fields(rule, _in_force(after, scope))
            return _page(conn, scope, Refused(key, shown, asked=asked)), 400
        if after[scope] != before.get(scope, {}):
            registry.change(conn, scope, values, current_user.id, site().now())
            _note(conn, scope, rule, after[scope])
    flash(text(language(), f"policies.{act}.said", name=_name(rule)))
    return redirect(url_for("policies.shown", at=scope or None, _anchor=f"policy-{key}"), 303)


def _require(conn: sa.Connection, scope: str) -> None:
    """A compound that is there and in reach; the sub-district's own policies everybody may look at who may change any."""
    if scope == EVERYWHERE:
        return
    require_compound(scope)
    if conn.scalar(sa.select(compounds.c.id).where(compounds.c.id == scope)) is None:
        raise Unknown(text(language(), "error.compound"))


def _own(told: Mapping[str, Told]) -> Owned:
    return {scope: one.values for scope, one in told.items()}


def _changed(own: Values, values: Values) -> Values:
    return {name: value for name, value in (own | values).items() if value is not None}


def _in_force(own: Owned, scope: str) -> Policies:
    return registry.merged(own.get(EVERYWHERE, {}), own.get(scope, {}))


def _asked(conn: sa.Connection, scope: str, rule: Rule, before: Owned, after: Owned, act: str) -> Asked | None:
    """For whom a change would hold residents back; None: for nobody."""
    concerned = conn.scalars(sa.select(compounds.c.id)).all() if scope == EVERYWHERE else [scope]
    held = [one for one in concerned if holds_back(_in_force(before, one), _in_force(after, one))]
    if not held:
        return None
    count, now = held_back.residents(conn, held, site().now()), said(rule, _in_force(after, scope))
    words = text(language(), "policies.ask.words", compounds=len(held), n=count, name=_name(rule), now=now)
    return Asked(f"{act} {len(held)} {count} {_written(after, scope, rule)}", words, act)


def _written(owned: Owned, scope: str, rule: Rule) -> str:
    """What a scope has of its own, as commands write it."""
    own = owned[scope]
    return " ".join(f"{name}={registry.shown(name, own[name]) if name in own else 'default'}" for name in rule.names)


def _note(conn: sa.Connection, scope: str, rule: Rule, own: Values) -> None:
    for name in rule.names:
        value = registry.shown(name, own[name]) if name in own else "default"
        noted(conn, "set_policy", "compound" if scope else "all", scope, policy=name, value=value)


def _name(rule: Rule) -> str:
    return text(language(), f"policies.name.{rule.key}")


def _page(conn: sa.Connection, scope: str, refused: Refused | None = None) -> str:
    told, choices = registry.all_told(conn), compound_choices(conn)
    names, own = names_of(choices), _own(told)
    groups = {
        group: [_line(own, scope, rule, names, refused if refused and refused.key == rule.key else None) for rule in rules]
        for group, rules in GROUPS.items()
    }
    last = told.get(scope)
    by = conn.scalar(sa.select(accounts.c.name).where(accounts.c.id == last.by)) if last else None
    return render_template(
        "policies/place.html", scope=scope, place=names.get(scope, ""), groups=groups, choices=choices, last=last, by=by,
        may=scope != EVERYWHERE or reach() is None, kinds=Kind, courier=COURIER, named=NAMED,
        own=[(id, name) for id, name in names.items() if own.get(id)],
    )  # fmt: skip


def _line(own: Owned, scope: str, rule: Rule, names: Mapping[str, str], refused: Refused | None) -> Line:
    now, here = _in_force(own, scope), _has(own, scope, rule)
    filled = refused.typed if refused else fields(rule, now)
    return Line(
        rule=rule, now=said(rule, now), whose="here" if here else "everywhere" if _has(own, EVERYWHERE, rule) else "default",
        own=here, fields=filled, pairs=pairs(rule, filled) if rule.kind in (Kind.SPAN, Kind.SPANS) else [],
        others=[(id, name) for id, name in names.items() if scope == EVERYWHERE and _has(own, id, rule)],
        wrong=refused.wrong if refused else "", asked=refused.asked if refused else None,
    )  # fmt: skip


def _has(own: Owned, scope: str, rule: Rule) -> bool:
    return not own.get(scope, {}).keys().isdisjoint(rule.names)
