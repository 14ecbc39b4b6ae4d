"""Who may do what, and where: the rules, and every page of the app asked for by every role."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.routing import IntegerConverter, Rule

from hub import tokens
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, places
from hub.rights import RIGHTS, Action, Compound, Role, Scope, ScopeKind, may, reach, within
from hub.rules.granting import Excess, Rights, covers, end_of, exceeds, governs, last_day, read_scope, scope_text
from hub.store import migrate, open_store, tables
from hub.web import create_app
from hub.web.guard import ANYBODY
from hub.web.signing_in import OPEN_TO_ALL

NOW = datetime(2026, 2, 16, 7, 41, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
EVERYTHING = Scope(ScopeKind.ALL)

# Four areas with two committees of two compounds each, as every hypothesis test knows them.
COMPOUNDS = tuple(Compound(f"c{n}", f"k{n // 2}", f"a{n // 4}") for n in range(16))
ABOVE = {Scope(ScopeKind.COMPOUND, one.id): Scope(ScopeKind.COMMITTEE, one.committee) for one in COMPOUNDS} | {
    Scope(ScopeKind.COMMITTEE, one.committee): Scope(ScopeKind.AREA, one.area) for one in COMPOUNDS
}
places_of = st.sampled_from(sorted({*ABOVE, *ABOVE.values()}))
scopes = st.lists(st.one_of(places_of, st.just(EVERYTHING)), max_size=6).map(tuple)
some_places = st.lists(places_of, max_size=6).map(tuple)
rights = st.builds(
    Rights,
    role=st.sampled_from(Role),
    scopes=scopes,
    expires_at=st.none() | st.integers(1, 99).map(lambda days: NOW + timedelta(days=days)),
)

# ---- the rules ----


@given(some_places)
def test_a_compound_is_in_reach_when_it_its_committee_or_its_area_is_named(named: tuple[Scope, ...]) -> None:
    known = reach(named, COMPOUNDS)
    for one in COMPOUNDS:
        itself = Scope(ScopeKind.COMPOUND, one.id)
        assert within(known, one.id) == any(scope in named for scope in (itself, ABOVE[itself], ABOVE[ABOVE[itself]]))


@given(scopes, scopes)
def test_more_scopes_never_reach_less__and_their_union_reaches_what_either_does(
    some: tuple[Scope, ...], more: tuple[Scope, ...]
) -> None:
    both = reach((*some, *more), COMPOUNDS)
    for one in COMPOUNDS:
        either = within(reach(some, COMPOUNDS), one.id) or within(reach(more, COMPOUNDS), one.id)
        assert within(both, one.id) == either


@given(scopes)
def test_everything_is_reached_by_whoever_answers_for_all_and_nothing_by_whoever_for_nothing(some: tuple[Scope, ...]) -> None:
    assert reach((*some, EVERYTHING), COMPOUNDS) is None
    assert reach((), COMPOUNDS) == frozenset()
    assert (reach(some, COMPOUNDS) is None) == (EVERYTHING in some)


@given(scopes, places_of)
def test_what_is_covered_is_reached(mine: tuple[Scope, ...], wanted: Scope) -> None:
    if covers(mine, wanted, ABOVE):
        assert all(within(reach(mine, COMPOUNDS), id) for id in reach((wanted,), COMPOUNDS) or ())


def test_an_area_is_not_covered_by_all_of_its_committees__one_more_may_come() -> None:
    committees = (Scope(ScopeKind.COMMITTEE, "k0"), Scope(ScopeKind.COMMITTEE, "k1"))
    assert not covers(committees, Scope(ScopeKind.AREA, "a0"), ABOVE)
    assert covers((Scope(ScopeKind.AREA, "a0"),), Scope(ScopeKind.COMPOUND, "c3"), ABOVE)
    assert not covers((Scope(ScopeKind.AREA, "a0"),), EVERYTHING, ABOVE)


@given(st.sampled_from(Role), st.sampled_from(Action))
def test_an_administrator_may_everything_and_everybody_looks(role: Role, action: Action) -> None:
    assert may(Role.ADMIN, action)
    assert may(role, Action.VIEW)
    assert may(role, action) <= may(Role.ADMIN, action)
    assert may(Role.GUEST, action) == (action is Action.VIEW)


def test_what_each_role_may_not() -> None:
    lacks = {role: frozenset(Action) - RIGHTS[role] for role in Role}
    assert {role for role in Role if may(role, Action.ACCOUNTS) or may(role, Action.AUDIT)} == {Role.ADMIN}
    assert {Action.OPEN_PERSONAL, Action.REGISTER, Action.RECTIFY} <= lacks[Role.INSPECTOR]
    assert {Action.RECTIFY, Action.INSPECT, Action.COMMAND, Action.HEALTH} <= lacks[Role.LIAISON]
    assert {Action.COMMAND, Action.RECTIFY} <= lacks[Role.REGISTRAR]
    assert lacks[Role.SUPERVISOR] == {Action.PLACES, Action.ACCOUNTS, Action.AUDIT}


@given(rights)
def test_everybody_may_give_what_they_are(mine: Rights) -> None:
    assert exceeds(mine, mine, ABOVE) is None


@given(rights, rights, rights)
def test_nobody_gets_more_through_another(mine: Rights, theirs: Rights, further: Rights) -> None:
    if exceeds(mine, theirs, ABOVE) is None and may(theirs.role, Action.ACCOUNTS) and exceeds(theirs, further, ABOVE) is None:
        assert exceeds(mine, further, ABOVE) is None


@pytest.mark.parametrize(
    "mine, theirs, excess",
    [
        (Rights(role=Role.REGISTRAR, scopes=(EVERYTHING,)), Rights(role=Role.ADMIN, scopes=()), Excess.ROLE),
        (
            Rights(role=Role.ADMIN, scopes=(Scope(ScopeKind.AREA, "a0"),)), Rights(role=Role.GUEST, scopes=(EVERYTHING,)),
            Excess.SCOPES,
        ),
        (Rights(role=Role.ADMIN, scopes=(EVERYTHING,), expires_at=NOW), Rights(role=Role.ADMIN, scopes=()), Excess.END),
        (Rights(role=Role.ADMIN, scopes=(EVERYTHING,), expires_at=NOW), Rights(role=Role.LIAISON, scopes=()), None),
    ],
)  # fmt: skip
def test_rights_beyond_ones_own(mine: Rights, theirs: Rights, excess: Excess | None) -> None:
    assert exceeds(mine, theirs, ABOVE) is excess


@given(rights)
def test_who_governs_administers_everything_for_good(one: Rights) -> None:
    assert governs(one) == (one.role is Role.ADMIN and EVERYTHING in one.scopes and one.expires_at is None)


@given(st.one_of(places_of, st.just(EVERYTHING)))
def test_a_scope_is_read_as_it_was_written(scope: Scope) -> None:
    assert read_scope(scope_text(scope)) == scope


@pytest.mark.parametrize("text", ["", "area", "area:", "all:x", "gate:east", "ALL"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="committee:ID"):
        read_scope(text)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(["Asia/Shanghai", "America/Sao_Paulo", "Europe/London"]))
def test_an_account_ends_at_the_midnight_after_its_last_day(day: date, zone: str) -> None:
    end = end_of(day, ZoneInfo(zone))
    assert last_day(end, ZoneInfo(zone)) == day
    assert last_day(end.astimezone(UTC), ZoneInfo(zone)) == day


# ---- every page of the app ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A compound, and an account of each role that answers for everything."""
    path = tmp_path_factory.mktemp("rights") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        places.add_area(conn, "a1", "东片区")
        places.add_committee(conn, "j1", "东片居委", "a1")
        places.add_compound(conn, "c1", "锦绣苑", "j1")
        places.add_gate(conn, "east", "东门", "c1")
        for role in Role:
            accounts.add_account(conn, role.value, role.value, role, "a long password", expires_at=_end(role))
    engine.dispose()
    return path


def _end(role: Role) -> datetime | None:
    return NOW + timedelta(days=30) if role is Role.GUEST else None


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    path = tmp_path / "hub.db"
    path.write_bytes(seeded.read_bytes())
    engine = open_store(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def app(engine: sa.Engine, tmp_path: Path) -> Flask:
    return create_app(Located(HubSettings(web=Web(secure_cookies=False)), tmp_path), engine, now=lambda: NOW)


def test_every_page_says_which_right_it_needs__but_those_open_to_all(app: Flask) -> None:
    silent = {
        endpoint
        for endpoint, view in app.view_functions.items()
        if endpoint not in OPEN_TO_ALL and not isinstance(getattr(view, "needs", None), Action)
        and getattr(view, "needs", None) != ANYBODY
    }  # fmt: skip
    assert silent == set()


def test_what_is_open_to_all_is_there_and_needs_nothing(app: Flask) -> None:
    assert set(app.view_functions) >= OPEN_TO_ALL
    assert not [endpoint for endpoint in OPEN_TO_ALL if hasattr(app.view_functions[endpoint], "needs")]


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_a_403_exactly_where_it_lacks_the_right(role: Role, app: Flask, engine: sa.Engine) -> None:
    client, wrong, token = app.test_client(), [], make_token(engine, role)
    for rule in guarded(app):
        need = app.view_functions[rule.endpoint].needs  # type: ignore[attr-defined]
        lacks = need != ANYBODY and not may(role, need)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            code = ask(app, client, engine, role, method, path_of(app, rule), token)
            if (code == 403) != lacks or code in (401, 405, 500):
                wrong.append(f"{method} {rule.endpoint} needs {need}: {code}")
    assert wrong == []


def test_without_a_session_every_page_asks_for_one(app: Flask) -> None:
    client, shown = app.test_client(), []
    for rule in guarded(app):
        path = path_of(app, rule)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            answer = client.open(path, method=method, **forged(app, client, method))
            asked = answer.status_code == 401 or answer.headers.get("Location", "").startswith("/sign-in")
            if not asked and not (path.startswith("/api/") and app.view_functions[rule.endpoint].needs == ANYBODY):  # type: ignore[attr-defined]
                shown.append(f"{method} {rule.endpoint}: {answer.status_code}")
            answer.close()
    assert shown == []


def make_token(engine: sa.Engine, role: Role) -> str:
    """A token that does for other programs whatever the role may."""
    with engine.begin() as conn:
        _, secret = tokens.add(conn, name="all", account=role.value, actions=RIGHTS[role], at=NOW, expires_at=None)
    return secret


def guarded(app: Flask) -> list[Rule]:
    """The rules whose views are not open to all."""
    return sorted((rule for rule in app.url_map.iter_rules() if rule.endpoint not in OPEN_TO_ALL), key=lambda rule: rule.rule)


def path_of(app: Flask, rule: Rule) -> str:
    """The rule's path with ids that nothing has."""
    values = {name: 10**6 if isinstance(rule._converters[name], IntegerConverter) else "none" for name in rule.arguments}
    with app.test_request_context():
        return app.url_for(rule.endpoint, **values)  # type: ignore[arg-type]


def ask(app: Flask, client: FlaskClient, engine: sa.Engine, role: Role, method: str, path: str, token: str) -> int:
    """The answer's code for the account of this role: in a session of its own, or to its token where that is asked for."""
    with engine.connect() as conn:
        life = conn.scalar(sa.select(tables.accounts.c.life).where(tables.accounts.c.id == role.value))
    sent = forged(app, client, method, _user_id=f"{life} {role.value}", _fresh=True)
    headers = {"Authorization": f"Bearer {token}"} if path.startswith("/api/") else {}
    answer = client.open(path, method=method, headers=headers, **sent)
    answer.close()
    return answer.status_code


def forged(app: Flask, client: FlaskClient, method: str, **session_: object) -> dict[str, Any]:
    """Give the browser a session with this in it; returns an empty form that has the session's token."""
    with app.test_request_context():
        token, raw = generate_csrf(), session["csrf_token"]
    with client.session_transaction() as kept:
        kept.clear()
        kept.update({**session_, "csrf_token": raw})
    return {} if method == "GET" else {"data": {"csrf_token": token}}
