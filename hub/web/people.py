"""The pages of accounts, the audit log, one's own password. Nobody gives, changes or takes rights beyond their own."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user

from hub.registry import account_lives, accounts
from hub.registry.accounts import Account
from hub.registry.errors import RegistryError
from hub.rights import RIGHTS, Action, Role, Scope, ScopeKind
from hub.rules.granting import Rights, exceeds, governs, last_day, scope_text
from hub.store.writing import writing
from hub.web import audit_page
from hub.web.account_form import AccountForm, NewAccountForm, PasswordForm, Places
from hub.web.errors import Unknown
from hub.web.guard import ANYBODY, allowed, needs, noted, reach
from hub.web.signing_in import begin, try_password
from hub.web.site import language, site
from hub.web.texts import text

PAGE = 50
"""Accounts on one page."""
NAMED = 3
"""Places that a line names; of more it says how many."""
_SHOWN = "shown"

people = Blueprint("people", __name__, url_prefix="/people")


@people.context_processor
def _words() -> dict[str, Any]:
    return {"may": lambda action: allowed(Action(action)), "short": audit_page.short}


class LastAdministrator(RegistryError):
    """Nobody would be left who administers everything for good."""


class Taken(RegistryError):
    """The id is another account's."""


@dataclass(frozen=True)
class Line:
    """An account in the list. `state`: usable, over, disabled."""

    id: str
    name: str
    role: Role
    places: str
    until: date | None
    state: str


@people.get("")
@needs(Action.ACCOUNTS)
def listed() -> ResponseReturnValue:
    """The accounts that are the reader's to change, a page at a time; `q` narrows them by id or name."""
    wanted, page = request.args.get("q", "").strip()[:64], max(request.args.get("page", 1, int), 1)
    with site().engine.connect() as conn:
        places = Places(conn)
        found = [_line(one, "", places) for one in accounts.list_accounts(conn) if _mine_to_change(one, places)]
        found += [_line(one, "disabled", places) for one in account_lives.disabled(conn) if _mine_to_change(one, places)]
    lines = [one for one in found if wanted.casefold() in f"{one.id}\n{one.name}".casefold()]
    begins = (page - 1) * PAGE
    shown, more = lines[begins : begins + PAGE], len(lines) > begins + PAGE
    return render_template("people/list.html", lines=shown, count=len(lines), q=wanted, page=page, more=more)


@people.route("/add", methods=["GET", "POST"])
@needs(Action.ACCOUNTS)
def add() -> ResponseReturnValue:
    """A new account, or one that was disabled taken up again by its id."""
    form, places = NewAccountForm(id=request.args.get("id", "")[:64], role=Role.LIAISON.value), _places()
    form.given_by(_mine(), places)
    problem = ""
    if form.validate_on_submit():
        try:
            return _once(form.id.data, _add(form, places))
        except Taken:
            form.id.errors = ("people.error.id_taken",)
        except RegistryError as error:
            problem = str(error)
    return _form(form, places, None, problem)


@people.route("/account/<id>", methods=["GET", "POST"])
@needs(Action.ACCOUNTS)
def account(id: str) -> ResponseReturnValue:
    """One account: what it may, another password, its end."""
    places, form, problem = _places(), AccountForm(), ""
    with site().engine.connect() as conn:
        known = _require(conn, id, places)
    form.given_by(_mine(), places)
    if not form.is_submitted():
        form.fill(known)
    elif form.validate():
        try:
            _change(known, form, places)
        except LastAdministrator:
            form.role.errors = ("people.error.last",)
        except RegistryError as error:
            problem = str(error)
        else:
            return _back(id, "people.saved")
    return _form(form, places, known, problem)


@people.post("/account/<id>/password")
@needs(Action.ACCOUNTS)
def password(id: str) -> ResponseReturnValue:
    """Another password for an account, random, shown once."""
    places = _places()
    with writing(site().engine) as conn:
        _require(conn, id, places)
        noted(conn, "reset_password", "account", id)
        made = accounts.set_password(conn, id)
    _stay(id)
    return _once(id, made)


@people.post("/account/<id>/disable")
@needs(Action.ACCOUNTS)
def disable(id: str) -> ResponseReturnValue:
    """The end of an account; what it did stays in the log."""
    places = _places()
    try:
        with writing(site().engine) as conn:
            noted(conn, "disable_account", "account", id)
            _spare_last(conn, _require(conn, id, places), None)
            accounts.disable(conn, id)
    except RegistryError:
        return _back(id, "people.error.last")
    flash("people.disabled")
    return redirect(url_for("people.listed"), 303)


@people.route("/me", methods=["GET", "POST"])
@needs(ANYBODY)
def me() -> ResponseReturnValue:
    """One's own account: what it may, and its password changed by whoever knows the old one."""
    form = PasswordForm()
    if form.validate_on_submit() and _knows_old(form):
        with writing(site().engine) as conn:
            noted(conn, "change_password", "account", current_user.id)
            accounts.set_password(conn, current_user.id, form.new.data)
        _stay(current_user.id)
        flash("people.password_changed")
        return redirect(url_for("people.me"), 303)
    mine, places = current_user.account, _places()
    page = render_template(
        "people/me.html",
        form=form,
        line=_line(mine, "", places),
        rights=[action for action in Action if action in RIGHTS[mine.role]],
    )
    return page, 400 if form.is_submitted() else 200


@people.post("/me/sessions")
@needs(ANYBODY)
def end_sessions() -> ResponseReturnValue:
    """Sign out everywhere, here too."""
    with writing(site().engine) as conn:
        noted(conn, "end_sessions", "account", current_user.id)
        account_lives.end_sessions(conn, current_user.id)
    logout_user()
    session.clear()
    return redirect(url_for("signing_in.sign_in"), 303)


@people.get("/audit")
@needs(Action.AUDIT)
def log() -> ResponseReturnValue:
    """The audit log, newest first; of the whole sub-district, so it is for whoever answers for all of it."""
    if reach() is not None:
        abort(403)
    with site().engine.connect() as conn:
        page = audit_page.page(conn, request.args, language())
        whole = audit_page.chain(conn, site().now()) if page.newest else None
    return render_template("people/audit.html", page=page, whole=whole)


def _mine() -> Rights:
    return _rights(current_user.account)


def _rights(account: Account) -> Rights:
    return Rights(role=account.role, scopes=account.scopes, expires_at=account.expires_at)


def _places() -> Places:
    with site().engine.connect() as conn:
        return Places(conn)


def _mine_to_change(one: Account, places: Places) -> bool:
    return exceeds(_mine(), _rights(one), places.above) is None


def _require(conn: sa.Connection, id: str, places: Places) -> Account:
    """The account; raises `Unknown` for one that is not there, is disabled, or has rights beyond the reader's."""
    known = next((one for one in accounts.list_accounts(conn) if one.id == id), None)
    if known is None or not _mine_to_change(known, places):
        raise Unknown(text(language(), "people.error.unknown"))
    return known


def _line(one: Account, state: str, places: Places) -> Line:
    zone, over = site().located.zone, accounts.is_over(one, site().now())
    return Line(
        id=one.id, name=one.name, role=one.role, places=_said(one.scopes, places),
        until=last_day(one.expires_at, zone) if one.expires_at else None, state=state or ("over" if over else "usable"),
    )  # fmt: skip


def _said(scopes: tuple[Scope, ...], places: Places) -> str:
    if not scopes:
        return text(language(), "people.scope.none")
    if any(one.kind is ScopeKind.ALL for one in scopes):
        return text(language(), "people.scope.all")
    named = text(language(), "people.scope.and").join(places.names.get(one, one.place) for one in scopes[:NAMED])
    return named if len(scopes) <= NAMED else text(language(), "people.scope.more", named=named, n=len(scopes))


def _add(form: NewAccountForm, places: Places) -> str:
    """The new account's password. Raises `Taken`."""
    id, rights = form.id.data, form.rights()
    with writing(site().engine) as conn:
        before = account_lives.disabled(conn, id)
        noted(conn, "restore_account" if before else "add_account", "account", id, **_detail(rights))
        if any(one.id == id for one in accounts.list_accounts(conn)) or not all(_mine_to_change(one, places) for one in before):
            raise Taken(id)
        return accounts.put_account(
            conn, id, form.name.data, rights.role, scopes=rights.scopes, expires_at=rights.expires_at, contact=form.contact.data
        )


def _change(known: Account, form: AccountForm, places: Places) -> None:
    """Write what the form asks, if anything. Noted first: on PostgreSQL that lets one change of rights wait for another."""
    rights, name, contact = form.rights(), form.name.data or known.id, form.contact.data
    changed = _difference(_rights(known), rights)
    texts = [key for key, was, is_ in (("name", known.name, name), ("contact", known.contact, contact)) if was != is_]
    if not changed and not texts:
        return
    with writing(site().engine) as conn:
        noted(conn, "change_account", "account", known.id, **changed, **({"texts": texts} if texts else {}))
        _spare_last(conn, _require(conn, known.id, places), rights)
        accounts.change_account(
            conn, known.id, name=name, role=rights.role, scopes=rights.scopes, expires_at=rights.expires_at, contact=contact
        )
    _stay(known.id)


def _spare_last(conn: sa.Connection, before: Account, after: Rights | None) -> None:
    if not governs(_rights(before)) or (after is not None and governs(after)):
        return
    if not any(governs(_rights(one)) for one in accounts.list_accounts(conn) if one.id != before.id):
        raise LastAdministrator(before.id)


def _detail(rights: Rights) -> dict[str, Any]:
    until = last_day(rights.expires_at, site().located.zone).isoformat() if rights.expires_at else None
    return {"role": rights.role.value, "scopes": [scope_text(one) for one in rights.scopes], "until": until}


def _difference(before: Rights, after: Rights) -> dict[str, Any]:
    was, is_ = _detail(before), _detail(after)
    return {key: {"was": was[key], "is": is_[key]} for key in is_ if was[key] != is_[key]}


def _knows_old(form: PasswordForm) -> bool:
    seconds, known = try_password(current_user.id, form.old.data, signs_in=False)
    if known is None:
        form.old.errors = (text(language(), "sign_in.wait", seconds=seconds) if seconds else "people.error.old_wrong",)
    return known is not None


def _stay(id: str) -> None:
    """Whoever changed their own account goes on in this browser; their other sessions are over."""
    if id != current_user.id:
        return
    with site().engine.connect() as conn:
        known = accounts.find(conn, id, at=site().now())
    if known is not None:
        begin(known)


def _once(id: str, password: str) -> ResponseReturnValue:
    session[_SHOWN] = {"id": id, "password": password}
    return redirect(url_for("people.account", id=id), 303)


def _back(id: str, said: str) -> ResponseReturnValue:
    flash(said)
    return redirect(url_for("people.account", id=id), 303)


def _form(form: AccountForm, places: Places, known: Account | None, problem: str) -> ResponseReturnValue:
    shown = session.pop(_SHOWN, None)
    page = render_template(
        "people/account.html", form=form, known=known, problem=problem, boxes=places.boxes(_mine().scopes),
        all_is_mine=Scope(ScopeKind.ALL) in _mine().scopes, roles=[role for role in Role if RIGHTS[role] <= RIGHTS[_mine().role]],
        shown=shown["password"] if shown and known and shown["id"] == known.id else "",
    )  # fmt: skip
    return page, 400 if form.is_submitted() else 200
