"""The pages of tokens for other programs: list, add, revoke. A new token is shown once."""

from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from hub import tokens as store
from hub.registry import accounts
from hub.registry.accounts import Account
from hub.registry.errors import RegistryError
from hub.rights import RIGHTS, Action, may
from hub.store.writing import writing
from hub.web.errors import Unknown
from hub.web.guard import needs, noted, reach
from hub.web.site import language, site
from hub.web.texts import text

NEW = "new_token"
DAYS, MOST_DAYS = 365, 3650

tokens = Blueprint("tokens", __name__)


class NewToken(FlaskForm):  # type: ignore[misc]
    """What is asked for a token."""

    name = StringField(validators=[InputRequired(), Length(max=100)])
    account = SelectField(validators=[InputRequired()])
    actions = SelectMultipleField(widget=ListWidget(prefix_label=False), option_widget=CheckboxInput())
    last_day = DateField(validators=[InputRequired()])


@tokens.get("/tokens")
@needs(Action.ACCOUNTS)
def listed() -> ResponseReturnValue:
    """The tokens, and the form for another."""
    return _page(_form(), {}, 200)


@tokens.post("/tokens")
@needs(Action.ACCOUNTS)
def add() -> ResponseReturnValue:
    """Make a token; it is shown on the page that follows, and nowhere again."""
    form, here = _form(), site()
    problems = _problems(form)
    if problems:
        return _page(form, problems, 400)
    ends = datetime.combine(form.last_day.data + timedelta(days=1), time(), here.located.zone)
    wanted = frozenset(Action(name) for name in form.actions.data)
    with writing(here.engine) as conn:
        id, secret = store.add(
            conn, name=form.name.data, account=form.account.data, actions=wanted, at=here.now(), expires_at=ends
        )
        noted(conn, "add", "token", id, account=form.account.data, actions=sorted(wanted))
    session[NEW] = [id, secret]
    return redirect(url_for("tokens.listed"), 303)


@tokens.post("/tokens/<id>/revoke")
@needs(Action.ACCOUNTS)
def revoke(id: str) -> ResponseReturnValue:
    """The token is good for nothing from now on."""
    here = site()
    with writing(here.engine) as conn:
        try:
            store.revoke(conn, id, here.now())
        except RegistryError:
            raise Unknown(text(language(), "tokens.unknown")) from None
        noted(conn, "revoke", "token", id)
    return redirect(url_for("tokens.listed"), 303)


def _page(form: NewToken, problems: dict[str, str], code: int) -> ResponseReturnValue:
    here = site()
    with here.engine.connect() as conn:
        found = store.listed(conn)
        names = {one.id: one.name for one in accounts.list_accounts(conn)}
    fresh = session.pop(NEW, None)
    return render_template(
        "api/tokens.html",
        form=form,
        problems=problems,
        tokens=found,
        names=names,
        fresh=fresh,
        now=here.now(),
        zone=here.located.zone,
        useful=store.USEFUL,
    ), code


def _form() -> NewToken:
    form, here = NewToken(), site()
    with here.engine.connect() as conn:
        found = [one for one in accounts.list_accounts(conn) if not accounts.is_over(one, here.now()) and _is_mine(conn, one)]
    form.account.choices = [(one.id, _called(one)) for one in found]
    form.actions.choices = [(action.value, text(language(), f"tokens.may.{action}")) for action in store.USEFUL]
    if not form.is_submitted():
        form.actions.data = [Action.VIEW.value]
        form.last_day.data = _today() + timedelta(days=DAYS)
    return form


def _is_mine(conn: sa.Connection, account: Account) -> bool:
    """Whether the account goes nowhere that the one of this request does not: else a token would."""
    mine = reach()
    if not RIGHTS[account.role] <= RIGHTS[current_user.role]:
        return False
    return mine is None or ((theirs := accounts.reach_of(conn, account)) is not None and theirs <= mine)


def _problems(form: NewToken) -> dict[str, str]:
    """What is wrong, by field, in words that say what to do."""
    form.validate_on_submit()
    said = language()
    problems = {name: text(said, f"tokens.wrong.{name}") for name in form.errors if name in form.data}
    wanted = [Action(name) for name in form.actions.data or () if name in set(store.USEFUL)]
    last = form.last_day.data
    if not wanted:
        problems["actions"] = text(said, "tokens.wrong.actions")
    if last is not None and not _today() <= last <= _today() + timedelta(days=MOST_DAYS):
        problems["last_day"] = text(said, "tokens.wrong.last_day")
    if not (form.name.data or "").strip():
        problems["name"] = text(said, "tokens.wrong.name")
    if "account" not in problems:
        problems |= _beyond(form.account.data, wanted)
    return problems


def _beyond(id: str, wanted: list[Action]) -> dict[str, str]:
    with site().engine.connect() as conn:
        owner = accounts.require(conn, id)
    if all(may(owner.role, action) for action in wanted):
        return {}
    return {"actions": text(language(), "tokens.wrong.beyond", name=owner.name)}


def _called(account: Account) -> str:
    return account.name if account.name == account.id else f"{account.name} ({account.id})"


def _today() -> date:
    return site().now().astimezone(site().located.zone).date()
