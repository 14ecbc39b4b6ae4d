"""Accounts, the audit log and one's own password: their pages for each role, what is noted, and how guessing is slowed down."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import hub
from hub import audit
from hub.cli import main
from hub.config import HubSettings, Located, Web
from hub.registry import account_lives, accounts, places
from hub.rights import Action, Role, Scope, ScopeKind
from hub.store import migrate, open_store, tables
from hub.store.supervision import audit as audit_table
from hub.web import create_app
from hub.web.texts.people import TEXTS

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 2, 16, 7, 41, tzinfo=SHANGHAI).astimezone(UTC)
PASSWORD = "a long password"
AREA, COMPOUND = Scope(ScopeKind.AREA, "a1"), Scope(ScopeKind.COMPOUND, "c2")
GOOD = {"name": "李敏", "role": "liaison", "scopes": ["compound:c1"], "until": "", "contact": "13800000000"}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two areas; an administrator of everything, one of the first area, one until a day, and one account of each other role."""
    path = tmp_path_factory.mktemp("people") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        for n in (1, 2):
            places.add_area(conn, f"a{n}", f"{'东西'[n - 1]}片区")
            places.add_committee(conn, f"j{n}", f"{'东西'[n - 1]}片居委", f"a{n}")
            places.add_compound(conn, f"c{n}", ("锦绣苑", "玉兰苑")[n - 1], f"j{n}")
        accounts.add_account(conn, "gu", "顾主任", Role.ADMIN, PASSWORD)
        accounts.add_account(conn, "east", "东片管理员", Role.ADMIN, PASSWORD, scopes=[AREA])
        accounts.add_account(conn, "brief", "短期管理员", Role.ADMIN, PASSWORD, expires_at=NOW + timedelta(days=7))
        for role in (Role.SUPERVISOR, Role.REGISTRAR, Role.INSPECTOR):
            accounts.add_account(conn, role.value, role.value, role, PASSWORD)
        accounts.add_account(conn, "li", "李敏<b>", Role.LIAISON, PASSWORD, scopes=[Scope(ScopeKind.COMPOUND, "c1")])
        accounts.add_account(conn, "west", "陈国强", Role.LIAISON, PASSWORD, scopes=[COMPOUND])
        accounts.add_account(conn, "guest", "来宾", Role.GUEST, PASSWORD, expires_at=NOW + timedelta(days=7))
        accounts.add_account(conn, "gone", "旧账号", Role.GUEST, PASSWORD, expires_at=NOW - timedelta(days=7))
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    path = tmp_path / "hub.db"
    path.write_bytes(seeded.read_bytes())
    engine = open_store(f"sqlite:///{path}")
    yield engine
    engine.dispose()


class Clock:
    """The time, moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(engine: sa.Engine, tmp_path: Path, clock: Clock) -> Flask:
    return make_app(engine, tmp_path, clock)


def make_app(engine: sa.Engine, folder: Path, clock: Clock) -> Flask:
    return create_app(Located(HubSettings(web=Web(secure_cookies=False)), folder), engine, now=clock)


def as_(app: Flask, engine: sa.Engine, id: str) -> FlaskClient:
    """A browser signed in as this account, without the time that a password takes."""
    client = app.test_client()
    with engine.connect() as conn:
        life = conn.scalar(sa.select(tables.accounts.c.life).where(tables.accounts.c.id == id))
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"{life} {id}", True
    return client


@pytest.fixture
def gu(app: Flask, engine: sa.Engine) -> FlaskClient:
    """The administrator of everything."""
    return as_(app, engine, "gu")


def post(client: FlaskClient, path: str, page: str = "", **typed: object) -> TestResponse:
    """Send a form with the token of the page that shows it."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(page or path).text)
    assert token
    return client.post(path, data={**typed, "csrf_token": token[1]})


def noted(engine: sa.Engine) -> list[tuple[str, str, str]]:
    """Who did what to what, in order."""
    with engine.connect() as conn:
        return [(line.account, line.action, line.object) for line in reversed(audit.lines(conn, 1000))]


def known(engine: sa.Engine, id: str) -> accounts.Account:
    with engine.connect() as conn:
        return accounts.require(conn, id)


# ---- the list ----


def test_the_list_tells_of_each_account_what_it_is_and_may(gu: FlaskClient) -> None:
    page = gu.get("/people").text
    rows = [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in re.findall(r"<tr class.*?</tr>", page, re.S)]
    assert "顾主任 gu 管理员 全街道 长期 正常" in rows
    assert "陈国强 west 联络员 玉兰苑 长期 正常" in rows
    assert "旧账号 gone 来访 全街道 2026-02-09 已到期" in rows
    assert "李敏&lt;b&gt; li 联络员 锦绣苑 长期 正常" in rows


def test_the_list_is_narrowed_and_paged(gu: FlaskClient, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        for n in range(60):
            conn.execute(sa.insert(tables.accounts).values(
                id=f"x{n:02}", name=f"网格{n}", password="x", role="liaison", created_at=NOW
            ))  # fmt: skip
    page = gu.get("/people?q=网格").text
    assert ("共 60 个" in page, "网格49" in page, "网格50" in page, "下一页" in page) == (True, True, False, True)
    assert "网格50" in gu.get("/people?q=网格&page=2").text
    assert "没有符合的账号" in gu.get("/people?q=网格&page=9").text
    assert "未指定" in page
    assert gu.get("/people?page=x").status_code == 200


@pytest.mark.parametrize("id", ["supervisor", "registrar", "inspector", "li", "guest"])
@pytest.mark.parametrize("path", ["/people", "/people/add", "/people/account/li", "/people/audit"])
def test_only_administrators_see_accounts_and_the_log(app: Flask, engine: sa.Engine, id: str, path: str) -> None:
    client = as_(app, engine, id)
    assert client.get(path).status_code == 403
    page = client.get("/people/me")
    assert (page.status_code, "/people/audit" in page.text) == (200, False)


# ---- an account made ----


def test_an_account_is_added_and_its_password_shown_once(gu: FlaskClient, app: Flask, engine: sa.Engine) -> None:
    answer = post(gu, "/people/add", id="min", **GOOD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/people/account/min")
    first, second = gu.get("/people/account/min").text, gu.get("/people/account/min").text
    shown = re.search(r'once-password"[^>]*>([^<]+)<', first)
    assert shown
    assert shown[1] not in second
    assert known(engine, "min").scopes == (Scope(ScopeKind.COMPOUND, "c1"),)
    assert known(engine, "min").contact == "13800000000"
    with engine.connect() as conn:
        assert accounts.verify(conn, "min", shown[1])
        (line,) = audit.lines(conn, 9)
    assert (line.account, line.action, line.object) == ("gu", "add_account", "min")
    assert line.detail == {"role": "liaison", "scopes": ["compound:c1"], "until": None}


def test_a_guests_last_day_is_whole(gu: FlaskClient, engine: sa.Engine) -> None:
    post(gu, "/people/add", id="visitor", **{**GOOD, "role": "guest", "until": "2026-02-16"})
    assert known(engine, "visitor").expires_at == datetime(2026, 2, 17, tzinfo=SHANGHAI)
    assert 'value="2026-02-16"' in gu.get("/people/account/visitor").text


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"id": "李"}, "账号只能用字母"), ({"id": ""}, "账号只能用字母"), ({"id": "li"}, "已经有人用了"),
        ({"id": "gone"}, "已经有人用了"), ({"role": "king"}, "请选一个角色"), ({"role": ""}, "请选一个角色"),
        ({"scopes": []}, "请至少勾选一处"), ({"scopes": ["area:nowhere"]}, "已经不在登记里"), ({"scopes": ["x"]}, "已经不在"),
        ({"role": "guest"}, "来访账号必须填有效期"), ({"until": "2026-02-15"}, "这个日期已经过了"),
        ({"until": "31.3.2026"}, "看不懂这个日期"), ({"until": "9999-12-31"}, "看不懂这个日期"),
        ({"name": "x" * 201}, "姓名太长"), ({"contact": "a\x00b"}, "联系方式太长或有特殊字符"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(
    gu: FlaskClient, engine: sa.Engine, wrong: dict[str, object], said: str
) -> None:
    answer = post(gu, "/people/add", **{"id": "min", **GOOD, "name": "李小敏", **wrong})
    assert answer.status_code == 400
    assert said in answer.text
    assert "没有保存" in answer.text or "已经有人" in answer.text
    assert "name" in wrong or 'value="李小敏"' in answer.text
    assert noted(engine) == []


def test_a_form_from_elsewhere_adds_nothing(gu: FlaskClient, engine: sa.Engine) -> None:
    assert gu.post("/people/add", data={"id": "min", **GOOD}).status_code == 400
    with engine.connect() as conn:
        assert accounts.find(conn, "min") is None


# ---- an account changed ----


def test_a_change_is_noted_with_what_was_and_ends_the_accounts_sessions(gu: FlaskClient, app: Flask, engine: sa.Engine) -> None:
    theirs = as_(app, engine, "li")
    assert theirs.get("/").status_code == 200
    typed = {**GOOD, "role": "registrar", "scopes": ["area:a1", "compound:c2"], "until": "2026-03-31"}
    answer = post(gu, "/people/account/li", **typed)
    assert (answer.status_code, "已保存" in gu.get("/people/account/li").text) == (303, True)
    assert theirs.get("/").status_code == 302
    assert known(engine, "li").scopes == (AREA, COMPOUND)
    with engine.connect() as conn:
        (line,) = audit.lines(conn, 9)
    assert line.detail == {
        "role": {"was": "liaison", "is": "registrar"},
        "scopes": {"was": ["compound:c1"], "is": ["area:a1", "compound:c2"]},
        "until": {"was": None, "is": "2026-03-31"},
        "texts": ["name", "contact"],
    }
    assert "13800000000" not in str(line.detail)


def test_a_form_saved_unchanged_changes_nothing_and_ends_no_session(gu: FlaskClient, app: Flask, engine: sa.Engine) -> None:
    theirs = as_(app, engine, "west")
    answer = post(gu, "/people/account/west", name="陈国强", role="liaison", scopes=["compound:c2"], until="", contact="")
    assert (answer.status_code, noted(engine)) == (303, [])
    assert theirs.get("/").status_code == 200


def test_another_password_is_shown_once_and_works(gu: FlaskClient, app: Flask, engine: sa.Engine) -> None:
    theirs = as_(app, engine, "li")
    assert post(gu, "/people/account/li/password", "/people/account/li").status_code == 303
    shown = re.search(r'once-password"[^>]*>([^<]+)<', gu.get("/people/account/li").text)
    assert shown
    with engine.connect() as conn:
        assert accounts.verify(conn, "li", shown[1])
        assert accounts.verify(conn, "li", PASSWORD) is None
    assert theirs.get("/").status_code == 302
    assert noted(engine) == [("gu", "reset_password", "li")]
    assert shown[1] not in str(noted(engine))


def test_a_password_is_not_shown_at_another_account(gu: FlaskClient) -> None:
    post(gu, "/people/account/li/password", "/people/account/li")
    assert "once-password" not in gu.get("/people/account/west").text
    assert "once-password" not in gu.get("/people/account/li").text


def test_ones_own_password_made_anew_is_shown_before_one_goes(gu: FlaskClient) -> None:
    post(gu, "/people/account/gu/password", "/people/account/gu")
    assert "once-password" in gu.get("/people/account/gu").text


def test_a_disabled_account_is_out_and_can_be_taken_up_again(gu: FlaskClient, app: Flask, engine: sa.Engine) -> None:
    theirs = as_(app, engine, "li")
    assert post(gu, "/people/account/li/disable", "/people/account/li").status_code == 303
    assert theirs.get("/").status_code == 302
    page = gu.get("/people").text
    assert ("账号已停用" in page, "/people/add?id=li" in page) == (True, True)
    assert gu.get("/people/account/li").status_code == 404
    again = gu.get("/people/add?id=li").text
    assert ('value="li"' in again, "以前停用过" in again) == (True, True)
    assert post(gu, "/people/add", id="li", **GOOD).status_code == 303
    assert known(engine, "li").name == "李敏"
    assert theirs.get("/").status_code == 302
    assert noted(engine) == [("gu", "disable_account", "li"), ("gu", "restore_account", "li")]


def test_the_last_administrator_of_everything_stays_one(gu: FlaskClient, engine: sa.Engine) -> None:
    for wrong in ({"role": "supervisor"}, {"scopes": ["area:a1"]}, {"until": "2027-01-01"}):
        typed = {"name": "顾主任", "role": "admin", "scopes": ["all"], "until": "", "contact": "", **wrong}
        answer = post(gu, "/people/account/gu", **typed)
        assert (answer.status_code, "最后一个" in answer.text) == (400, True), wrong
    post(gu, "/people/account/gu/disable", "/people/account/gu")
    assert "最后一个" in gu.get("/people/account/gu").text
    assert noted(engine) == []
    post(gu, "/people/add", id="second", **{**GOOD, "role": "admin", "scopes": ["all"]})
    post(gu, "/people/account/gu", name="顾主任", role="supervisor", scopes=["all"], until="", contact="")
    assert known(engine, "gu").role is Role.SUPERVISOR
    assert gu.get("/people").status_code == 403


# ---- no rights beyond one's own ----


@pytest.fixture
def east(app: Flask, engine: sa.Engine) -> FlaskClient:
    """The administrator of the first area."""
    return as_(app, engine, "east")


def test_an_areas_administrator_sees_the_areas_accounts_alone(east: FlaskClient, engine: sa.Engine) -> None:
    page = east.get("/people").text
    assert [name in page for name in ("东片管理员", "李敏", "顾主任", "陈国强")] == [True, True, False, False]
    for id in ("gu", "west", "supervisor", "nobody"):
        assert east.get(f"/people/account/{id}").status_code == 404
        for what in ("password", "disable"):
            assert post(east, f"/people/account/{id}/{what}", "/people/me").status_code == 404
    assert noted(engine) == []
    assert east.get("/people/audit").status_code == 403


@pytest.mark.parametrize("scopes", [["all"], ["area:a2"], ["compound:c1", "compound:c2"], ["committee:j2"]])
def test_an_areas_administrator_gives_no_more_than_the_area(east: FlaskClient, engine: sa.Engine, scopes: list[str]) -> None:
    answer = post(east, "/people/add", id="min", **{**GOOD, "scopes": scopes})
    assert (answer.status_code, "超出了你自己的负责范围" in answer.text) == (400, True)
    answer = post(east, "/people/account/east", name="x", role="admin", scopes=scopes, until="", contact="")
    assert answer.status_code == 400
    page = east.get("/people/add").text
    assert ("锦绣苑" in page, "玉兰苑" in page, 'value="all"' in page) == (True, False, False)
    assert post(east, "/people/add", id="min", **{**GOOD, "scopes": ["committee:j1"]}).status_code == 303


def test_a_disabled_account_beyond_ones_rights_is_not_taken_over(east: FlaskClient, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        accounts.disable(conn, "west")
    answer = post(east, "/people/add", id="west", **GOOD)
    assert (answer.status_code, "已经有人用了" in answer.text) == (400, True)
    with engine.connect() as conn:
        assert [one.id for one in account_lives.disabled(conn)] == ["west"]
        assert account_lives.disabled(conn)[0].scopes == (COMPOUND,)


def test_an_administrator_until_a_day_makes_none_for_longer(app: Flask, engine: sa.Engine) -> None:
    brief = as_(app, engine, "brief")
    typed = {**GOOD, "role": "admin", "scopes": ["all"]}
    for until in ("", "2026-03-01"):
        answer = post(brief, "/people/add", id="second", **{**typed, "until": until})
        assert (answer.status_code, "不能比你自己的长" in answer.text) == (400, True)
    assert brief.get("/people/account/gu").status_code == 404
    assert post(brief, "/people/add", id="second", **{**typed, "until": "2026-02-20"}).status_code == 303
    assert post(brief, "/people/add", id="min", **GOOD).status_code == 303


# ---- one's own account ----


def test_ones_own_password_is_changed_by_who_knows_the_old_one(app: Flask, engine: sa.Engine) -> None:
    here, elsewhere = as_(app, engine, "li"), as_(app, engine, "li")
    answer = post(here, "/people/me", old=PASSWORD, new="another long one", again="another long one")
    assert (answer.status_code, "密码已修改" in here.get("/people/me").text) == (303, True)
    assert elsewhere.get("/people/me").status_code == 302
    with engine.connect() as conn:
        assert accounts.verify(conn, "li", "another long one")
    assert noted(engine) == [("li", "change_password", "li")]


@pytest.mark.parametrize(
    "old, new, again, said",
    [
        (PASSWORD, "short", "short", "至少要 10 个字符"), (PASSWORD, "another long one", "another", "不一样"),
        (PASSWORD, PASSWORD, PASSWORD, "和现在的一样"), ("", "another long one", "another long one", "请输入现在的密码"),
        ("wrong", "another long one", "another long one", "现在的密码不对"),
    ],
)  # fmt: skip
def test_a_password_stays_when_something_is_wrong(
    app: Flask, engine: sa.Engine, old: str, new: str, again: str, said: str
) -> None:
    answer = post(as_(app, engine, "li"), "/people/me", old=old, new=new, again=again)
    assert (answer.status_code, said in answer.text) == (400, True)
    assert new not in answer.text
    with engine.connect() as conn:
        assert accounts.verify(conn, "li", PASSWORD)


def test_the_old_password_cant_be_guessed_from_an_open_session(app: Flask, engine: sa.Engine) -> None:
    here = as_(app, engine, "li")
    for _ in range(5):
        post(here, "/people/me", old="wrong", new="another long one", again="another long one")
    answer = post(here, "/people/me", old=PASSWORD, new="another long one", again="another long one")
    assert (answer.status_code, "请等 60 秒" in answer.text) == (400, True)


def test_whoever_signs_out_everywhere_is_out_here_too(app: Flask, engine: sa.Engine) -> None:
    here, elsewhere = as_(app, engine, "li"), as_(app, engine, "li")
    assert post(here, "/people/me/sessions", "/people/me").headers["Location"] == "/sign-in"
    assert [client.get("/").status_code for client in (here, elsewhere)] == [302, 302]
    assert noted(engine) == [("li", "end_sessions", "li")]


# ---- signing in ----


def sign_in(app: Flask, account: str, password: str, address: str = "10.0.0.1", client: FlaskClient | None = None) -> int:
    """One try from an address; gives the answer's code."""
    client = client or app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in").text)
    assert token
    sent = {"account": account, "password": password, "csrf_token": token[1]}
    return client.post("/sign-in", data=sent, environ_base={"REMOTE_ADDR": address}).status_code


def test_each_sign_in_and_each_try_is_noted(app: Flask, engine: sa.Engine) -> None:
    client = app.test_client()
    assert sign_in(app, "li", "wrong") == 401
    assert sign_in(app, "nobody", "wrong", "10.0.0.9") == 401
    assert sign_in(app, "li", PASSWORD, client=client) == 302
    post(client, "/sign-out", "/people/me")
    assert noted(engine) == [
        ("li", "wrong_password", "li"), ("nobody", "wrong_password", "nobody"), ("li", "sign_in", "li"), ("li", "sign_out", "li"),
    ]  # fmt: skip
    with engine.connect() as conn:
        lines = audit.lines(conn, 9)
    assert [line.address for line in lines] == ["127.0.0.1", "10.0.0.1", "10.0.0.9", "10.0.0.1"]
    assert "wrong" not in str([line.detail for line in lines])
    assert {line.at for line in lines} == {NOW}


@pytest.mark.parametrize("account", ["li", "nobody"])
def test_a_lock_out_is_noted_and_known_to_every_process(
    app: Flask, engine: sa.Engine, tmp_path: Path, clock: Clock, account: str
) -> None:
    assert [sign_in(app, account, "wrong") for _ in range(6)] == [401] * 5 + [429]
    assert [action for _, action, _ in noted(engine)] == ["wrong_password"] * 5 + ["lock_out"]
    another = make_app(engine, tmp_path, clock)
    assert sign_in(another, account, PASSWORD) == 429
    assert sign_in(another, account, "wrong", "10.0.0.2") == 401
    clock.pass_(seconds=60)
    assert sign_in(another, account, "wrong") == 401
    clock.pass_(seconds=60)
    assert sign_in(app, account, "wrong") == 429
    clock.pass_(seconds=60)
    assert sign_in(app, account, PASSWORD) == (302 if account == "li" else 401)


@pytest.mark.parametrize("account", ["\x00", "a\x1fb", "x" * 65, "   "])
def test_an_account_that_cant_be_one_is_refused_like_any(app: Flask, account: str) -> None:
    assert sign_in(app, account, "wrong") in (400, 401)


# ---- the audit log ----


def fill(engine: sa.Engine, count: int) -> None:
    with engine.begin() as conn:
        for n in range(count):
            audit.note(conn, "li", "look", "entry", f"e{n}", {"gate": "north"}, at=NOW, address="10.0.0.1")


def test_the_log_says_in_plain_words_who_did_what(gu: FlaskClient, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        audit.note(conn, "gu", "change_account", "account", "li", at=NOW, address="10.0.0.7", detail={
            "role": {"was": "guest", "is": "liaison"}, "scopes": {"was": ["all"], "is": ["compound:c1", "area:gone"]},
            "until": {"was": "2026-03-01", "is": None},
        })  # fmt: skip
        audit.note(conn, "hub", "tune_piano", "grand_piano", "p1", {"hard": True, "lock_seconds": 90}, at=NOW)
        audit.note(conn, "nobody", "lock_out", "account", "nobody", {"seconds": 120}, at=NOW)
    page = gu.get("/people/audit").text
    rows = [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in re.findall(r"<tr.*?</tr>", page, re.S)][1:]
    assert rows == [
        "2026-02-16 07:41:00 nobody 输错太多，暂停登录 时长：2分",
        "2026-02-16 07:41:00 中枢自动 hub tune pianogrand piano p1 hard：是；lock seconds：90",
        "2026-02-16 07:41:00 顾主任 gu 修改账号 李敏&lt;b&gt; li "
        "角色：来访 → 联络员；负责范围：全街道 → 锦绣苑、area:gone；有效期至：2026-03-01 → 长期 10.0.0.7",
    ]


def test_the_log_is_paged_and_filtered(gu: FlaskClient, engine: sa.Engine) -> None:
    fill(engine, 60)
    first = gu.get("/people/audit").text
    assert [f">e{n}<" in first for n in (59, 10, 9)] == [True, True, False]
    older = re.search(r'href="(/people/audit\?before=\d+)"', first)
    assert older
    second = gu.get(older[1]).text
    assert [f">e{n}<" in second for n in (10, 9, 0)] == [False, True, True]
    assert ("回到最新" in second, "更早的" in second) == (True, False)
    assert len(re.findall(">e[0-9]+<", gu.get("/people/audit?object=e7").text)) == 1
    assert "没有符合的记录" in gu.get("/people/audit?account=gu").text
    assert ">e59<" in gu.get("/people/audit?account=li").text


@pytest.mark.parametrize(
    "asked", ["before=x", "before=-1", "before=" + "9" * 30, "before=9999999999", "account=%00", "object=%0a"]
)
def test_the_log_bears_any_question(gu: FlaskClient, engine: sa.Engine, asked: str) -> None:
    fill(engine, 2)
    assert gu.get(f"/people/audit?{asked}").status_code == 200


def test_the_log_says_that_it_is_whole_and_that_it_is_not(gu: FlaskClient, engine: sa.Engine, clock: Clock) -> None:
    fill(engine, 9)
    assert "记录完整：07:41 核对全部 9 条" in gu.get("/people/audit").text
    with engine.begin() as conn:
        for (name,) in conn.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        conn.execute(sa.update(audit_table).where(audit_table.c.id == 3).values(object="other"))
        conn.execute(sa.delete(audit_table).where(audit_table.c.id == 6))
    clock.pass_(minutes=5)
    page = gu.get("/people/audit").text
    assert ("记录被动过：第 3、7 条" in page, "记录完整" in page) == (True, False)


def noting(path: Path) -> Iterator[ast.Call]:
    """The calls by which a module notes something."""
    for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
        if (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")) in ("noted", "note"):
            yield call


def said_in(path: Path) -> Iterator[tuple[str, str]]:
    """The action and kind of each line that a module notes, where both are written there."""
    for call in noting(path):
        words = call.args[1:3] if getattr(call.func, "id", "") == "noted" else call.args[2:4]
        if len(words) == 2 and all(isinstance(word, ast.Constant) and isinstance(word.value, str) for word in words):
            yield words[0].value, words[1].value  # type: ignore[attr-defined]


def keys_in(path: Path) -> Iterator[str]:
    """The details that a module notes, where their names are written there."""
    for call in noting(path):
        if getattr(call.func, "id", "") == "noted":
            yield from (word.arg for word in call.keywords if word.arg is not None)
        for detail in call.args:
            if isinstance(detail, ast.Dict):
                yield from (key.value for key in detail.keys if isinstance(key, ast.Constant))


def test_every_action_that_is_noted_anywhere_has_words() -> None:
    noted = {pair for path in Path(hub.__file__).parent.rglob("*.py") for pair in said_in(path)}
    assert ("look", "entry") in noted
    assert [pair for pair in sorted(noted) if not worded(*pair)] == []
    assert all(worded(action, "account") for action in ("add_account", "restore_account", "sign_in"))


def test_every_detail_that_is_noted_anywhere_has_a_word() -> None:
    noted = {key for path in Path(hub.__file__).parent.rglob("*.py") for key in keys_in(path)}
    assert "pass_kind" in noted
    assert [key for key in sorted(noted) if f"audit.key.{key}" not in TEXTS] == []


def worded(action: str, kind: str) -> bool:
    return f"audit.line.{action}.{kind}" in TEXTS or (f"audit.action.{action}" in TEXTS and f"audit.kind.{kind}" in TEXTS)


def test_every_role_and_right_has_words() -> None:
    assert all(f"role.{role}" in TEXTS and f"role.{role}.does" in TEXTS for role in Role)
    assert all(f"action.{action}" in TEXTS for action in Action)


# ---- the command line ----


@pytest.fixture
def folder(engine: sa.Engine, tmp_path: Path) -> Path:
    (tmp_path / "hub.toml").write_text("[broker]\npassword = 'x'\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, *words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["account", *words, "--config", str(folder / "hub.toml")])
    assert result.exit_code == code, result.output
    return result


def test_accounts_are_kept_by_command_and_each_change_is_noted(folder: Path, engine: sa.Engine) -> None:
    password = run(folder, "add", "min", "--scope", "area:a1", "--scope", "compound:c2", "--until", "2999-12-30").stdout.strip()
    assert known(engine, "min").scopes == (AREA, COMPOUND)
    assert known(engine, "min").expires_at == datetime(2999, 12, 31, tzinfo=SHANGHAI)
    with engine.connect() as conn:
        assert accounts.verify(conn, "min", password)
    run(folder, "change", "min", "--role", "inspector", "--until", "never")
    changed = known(engine, "min")
    assert (changed.role, changed.scopes, changed.expires_at) == (Role.INSPECTOR, (AREA, COMPOUND), None)
    again = run(folder, "password", "min", "--json").stdout
    assert password not in again
    run(folder, "disable", "min")
    assert noted(engine) == [
        ("cli", action, "min") for action in ("add_account", "change_account", "reset_password", "disable_account")
    ]
    with engine.connect() as conn:
        assert audit.lines(conn, 9)[2].detail == {
            "role": {"was": "liaison", "is": "inspector"}, "until": {"was": "2999-12-30", "is": None},
        }  # fmt: skip


def test_accounts_are_listed_with_what_they_answer_for(folder: Path) -> None:
    assert "compound:c2" in run(folder, "list").stdout
    lines = run(folder, "list", "--json").stdout.splitlines()
    expected = '{"id":"west","name":"陈国强","role":"liaison","scopes":["compound:c2"],"until":null,"state":"usable"}'
    assert expected in lines


@pytest.mark.parametrize(
    "words, said",
    [
        (("add", "min", "--scope", "gate:east"), "committee:ID"), (("add", "min", "--scope", "area:none"), "there is none"),
        (("add", "min", "--role", "guest"), "needs an end date"), (("add", "li"), "there already"),
        (("change", "li", "--until", "tomorrow"), "a day such as"), (("change", "nobody"), "no account 'nobody'"),
        (("password", "nobody"), "no account 'nobody'"), (("disable", "nobody"), "no account 'nobody'"),
    ],
)  # fmt: skip
def test_what_a_command_cant_do_is_said_and_not_noted(folder: Path, engine: sa.Engine, words: tuple[str, ...], said: str) -> None:
    assert said in run(folder, *words, code=2).stderr
    assert noted(engine) == []
