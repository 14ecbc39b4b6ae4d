"""Who may see the pages: sign in with account and password, sign out by a button. Each, and each try, is in the audit log."""

import sqlalchemy as sa
from flask import Blueprint, Response, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length, Regexp

from hub import audit
from hub.registry.accounts import Account, find, reach_of, verify
from hub.rights import Reach
from hub.store.writing import writing
from hub.web import attempts, guard
from hub.web.security import safe_path
from hub.web.site import language, site
from hub.web.texts import text

OPEN_TO_ALL = frozenset(
    {"signing_in.sign_in", "signing_in.sign_out", "pages.health", "pages.choose_language", "static", "bootstrap.static",
     "passes.phone.show"}
)  # fmt: skip

signing_in = Blueprint("signing_in", __name__)
login_manager = LoginManager()


class Credentials(FlaskForm):  # type: ignore[misc]
    """What is typed to sign in."""

    account = StringField(validators=[InputRequired(), Length(max=64), Regexp(r"[^\x00-\x1f\x7f]+$")])
    password = PasswordField(validators=[InputRequired(), Length(max=1000)])


class User(UserMixin):  # type: ignore[misc]
    """An account, as the session knows it."""

    def __init__(self, account: Account, reach: Reach) -> None:
        self.account, self.name, self.role, self.reach = account, account.name, account.role, reach
        self.id = account.id

    def get_id(self) -> str:
        """What the session keeps: the account, and in which life of it the session began."""
        return f"{self.account.life} {self.id}"


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load_user(kept: str) -> User | None:
    """The account of a session; None when it was disabled, is over, or had its password or rights changed since."""
    life, _, id = kept.partition(" ")
    with site().engine.connect() as conn:
        found = find(conn, id, at=site().now())
        return User(found, reach_of(conn, found)) if found and str(found.life) == life else None


@signing_in.before_app_request
def ask_to_sign_in() -> ResponseReturnValue | None:
    """Pages are for those who signed in; a stream is told so instead of being sent elsewhere."""
    if request.endpoint in OPEN_TO_ALL:
        return None
    if request.path.startswith("/api/") and (request.endpoint or "api.").startswith("api."):  # it asks for a token itself
        return None
    if current_user.is_authenticated:
        guard.check()
        return None
    if request.endpoint == "pages.events":
        abort(401)
    return redirect(url_for("signing_in.sign_in", next=request.full_path.rstrip("?")))


@signing_in.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """The form, and its answer."""
    onward = safe_path(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(onward)
    form = Credentials()
    if not form.validate_on_submit():
        return _form(form, "sign_in.wrong", 400) if form.is_submitted() else _form(form, None, 200)
    return _try(form, onward)


def _try(form: Credentials, onward: str) -> ResponseReturnValue:
    account = form.account.data.strip()
    seconds, known = try_password(account, form.password.data)
    if seconds:
        return _form(form, "sign_in.wait", 429, seconds=seconds)
    if known is None:
        return _form(form, "sign_in.wrong", 401)
    session.clear()
    session.permanent = True
    begin(known)
    return redirect(onward)


def try_password(account: str, password: str, *, signs_in: bool = True) -> tuple[int, Account | None]:
    """Seconds to wait before this account may be tried from here, or 0 and the account whose password it is.

    Puts into the audit log that it `signs_in`, that the password was wrong, that the account is now locked. It may be unknown.
    """
    here, address = site(), request.remote_addr or ""
    with writing(here.engine) as conn:
        seconds = attempts.claim(conn, account, address, here.now())
    if seconds:
        return seconds, None
    with here.engine.connect() as conn:
        known = verify(conn, account, password, at=here.now())
    with writing(here.engine) as conn:
        if known is None:
            _note_wrong(conn, account, address)
        else:
            attempts.succeeded(conn, account, address)
            if signs_in:
                audit.note(conn, account, attempts.SIGNED_IN, "account", account, at=here.now(), address=address)
    return 0, known


def _note_wrong(conn: sa.Connection, account: str, address: str) -> None:
    now = site().now()
    audit.note(conn, account, "wrong_password", "account", account, at=now, address=address)
    seconds = attempts.wait_seconds(conn, account, address, now)
    if seconds:
        audit.note(conn, account, "lock_out", "account", account, {"seconds": seconds}, at=now, address=address)


def begin(account: Account) -> None:
    """Begin this browser's session anew as this account."""
    with site().engine.connect() as conn:
        login_user(User(account, reach_of(conn, account)))


def _form(form: Credentials, problem: str | None, code: int, **values: object) -> ResponseReturnValue:
    said = text(language(), problem, **values) if problem else ""
    return render_template("sign_in.html", form=form, problem=said), code


@signing_in.post("/sign-out")
def sign_out() -> Response:
    """End the session."""
    if current_user.is_authenticated:
        with writing(site().engine) as conn:
            guard.noted(conn, "sign_out", "account", current_user.id)
    logout_user()
    session.clear()
    return redirect(url_for("signing_in.sign_in"))  # type: ignore[return-value]
