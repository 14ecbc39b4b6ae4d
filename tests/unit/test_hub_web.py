"""The supervisors' pages by Flask's test client over a seeded store, and the pure parts that they are made of."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from contract.codec import encode
from contract.events import Band, Clock, Correction, Direction, Entry, Event, Outcome, Reading
from contract.five import Basis, Item
from contract.passes import Problem
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, places
from hub.rules.compliance import GateStatus, ItemStatus, Status
from hub.status import IntervalRow
from hub.store import meta, migrate, open_store, tables
from hub.web import attempts, board, create_app, live, security, timeline
from hub.web.sentence import sentence
from hub.web.texts import LANGUAGES, duration, reason, text
from hub.web.texts.reasons import REASONS
from kiosk.web.reasons import REASONS as GIVEN_BY_STATIONS

NOW = datetime(2026, 2, 16, 7, 41, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
PASSWORD = "a long password"


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


# ---- the sentence ----


def gate(status: Status, *missing: tuple[Item, float | None], since: float | None = None, name: str = "东门") -> GateStatus:
    """A gate that has all five but `missing`, each since so many minutes."""
    lacking = dict(missing)
    items = {
        item.value: ItemStatus(
            present=item not in lacking, since=None if (minutes := lacking.get(item)) is None else ago(minutes)
        )
        for item in Item
    }
    return GateStatus(
        gate=name, gate_name=name, compound="c1", compound_name="锦绣苑", area="a1", area_name="东片区", liaison="李敏",
        status=status, items=items, since=None if since is None else ago(since),
    )  # fmt: skip


WELL = gate(Status.COMPLIANT)
CLOSED = gate(Status.CLOSED, (Item.DESK, 600), since=600)
LACKING = gate(Status.NON_COMPLIANT, (Item.VOLUNTEER, 130), (Item.DESK, 20), since=130)
SILENT = gate(Status.UNREACHABLE, *((item, 500) for item in Item), since=12, name="北门")

SENTENCES = [
    ([], False, "还没有登记任何门岗", "No gate has been registered yet"),
    ([], True, "还没有登记任何门岗", "No gate has been registered yet"),
    (
        [WELL, WELL], False, "开放门岗2:达标2、缺0、失联0;五项齐全",
        "2 open gates: 2 compliant, 0 missing an item, 0 unreachable; all have the five",
    ),
    ([CLOSED], False, "没有开放的门岗:关闭1", "No gate is open: 1 closed"),
    (
        [WELL, LACKING, SILENT, CLOSED], False,
        "开放门岗3:达标1、缺1、失联1;最久 锦绣苑 东门 缺志愿者2小时10分,联络员李敏",
        "3 open gates: 1 compliant, 1 missing an item, 1 unreachable; "
        "longest: 锦绣苑 东门 without volunteer for 2 h 10 min, liaison 李敏",
    ),
    (
        [WELL, SILENT], False, "开放门岗2:达标1、缺0、失联1;最久 锦绣苑 北门 失联12分,联络员李敏",
        "2 open gates: 1 compliant, 0 missing an item, 1 unreachable; longest: 锦绣苑 北门 unreachable for 12 min, liaison 李敏",
    ),
    (
        [gate(Status.NON_COMPLIANT, (Item.DESK, None), (Item.PASSES, None))], False,
        "开放门岗1:达标0、缺1、失联0;最久 锦绣苑 东门 缺登记桌、出入证,联络员李敏",
        "1 open gates: 0 compliant, 1 missing an item, 0 unreachable; longest: 锦绣苑 东门 without desk, passes, liaison 李敏",
    ),
    (
        [LACKING], True, "断开前:开放门岗1:达标0、缺1、失联0;最久 锦绣苑 东门 缺志愿者2小时10分,联络员李敏",
        "Before the connection was lost: 1 open gates: 0 compliant, 1 missing an item, 0 unreachable; "
        "longest: 锦绣苑 东门 without volunteer for 2 h 10 min, liaison 李敏",
    ),
]  # fmt: skip


@pytest.mark.parametrize("gates, blind, zh, en", SENTENCES)
def test_ok__sentence(gates: list[GateStatus], blind: bool, zh: str, en: str) -> None:
    assert sentence(gates, NOW, "zh", blind=blind) == zh
    assert sentence(gates, NOW, "en", blind=blind) == en


def test_ok__the_sentence_names_the_gate_that_stands_first() -> None:
    later = gate(Status.NON_COMPLIANT, (Item.TEMPERATURE, 300), since=10, name="西门")
    first = board.sections([LACKING, later, SILENT], "worst", NOW, "zh")[0].rows[0]
    assert first.name == "西门"
    assert "西门 缺测温5小时" in sentence([LACKING, later, SILENT], NOW, "zh")


@pytest.mark.parametrize(
    "seconds, zh, en",
    [
        (-5, "不到1分", "under 1 min"), (59, "不到1分", "under 1 min"), (60, "1分", "1 min"), (3600, "1小时", "1 h"),
        (7800, "2小时10分", "2 h 10 min"), (86400 + 3 * 3600 + 600, "1天3小时", "1 d 3 h"), (172800, "2天", "2 d"),
    ],
)  # fmt: skip
def test_ok__duration(seconds: float, zh: str, en: str) -> None:
    assert (duration("zh", seconds), duration("en", seconds)) == (zh, en)


# ---- texts ----


def test_ok__every_word_in_both_languages() -> None:
    zh, en = LANGUAGES["zh"], LANGUAGES["en"]
    assert zh.keys() == en.keys()
    for key in zh:
        assert set(re.findall(r"{(\w+)}", zh[key])) == set(re.findall(r"{(\w+)}", en[key])), key


def test_ok__every_value_has_a_word() -> None:
    kinds = {
        "item": Item,
        "status": Status,
        "outcome": Outcome,
        "direction": Direction,
        "band": Band,
        "basis": Basis,
        "clock": Clock,
    }
    for language in LANGUAGES:
        assert all(text(language, f"{prefix}.{value}") for prefix, kind in kinds.items() for value in kind)


def test_ok__every_reason_has_words() -> None:
    of_hub = {"expired", "no_evidence", "declared_absent", "station_silent", "never_heard"}
    assert set(GIVEN_BY_STATIONS) | set(Problem) | of_hub <= set(REASONS)
    assert reason("zh", "not_confirmed") == "久未确认在岗"
    assert reason("en", "something_new") == "something new"


# ---- board and timeline ----


def test_ok__nothing_is_claimed_of_a_gate_that_cannot_be_heard() -> None:
    heard_last = gate(Status.UNREACHABLE, since=12)
    assert {cell.state for cell in board.row(heard_last, NOW, "zh").cells} == {"unknown"}
    assert {cell.state for cell in board.row(CLOSED, NOW, "zh").cells} == {"closed"}


@pytest.mark.parametrize("order", board.ORDERS)
def test_ok__every_gate_once(order: str) -> None:
    found = [row.name for s in board.sections([WELL, SILENT, LACKING, CLOSED], order, NOW, "zh") for row in s.rows]
    assert sorted(found) == sorted(["东门", "北门", "东门", "东门"])


def test_ok__timeline() -> None:
    rows = [
        IntervalRow(what="status", began_at=ago(3000), ended_at=ago(100), state="compliant"),
        IntervalRow(what="status", began_at=ago(100), state="non_compliant"),
        IntervalRow(what="desk", began_at=ago(100), state="missing", reason="expired"),
        IntervalRow(what="desk", began_at=ago(4000), ended_at=ago(3000), state="present"),
    ]
    drawn = timeline.timeline(rows, NOW, ZoneInfo("Asia/Shanghai"))
    lanes = {lane.what: lane.bars for lane in drawn.lanes}
    assert list(lanes) == ["status", *Item]
    assert drawn.now_x == 23 * 60 + 41
    assert [(bar.kind, bar.x, bar.width) for bar in lanes["status"]] == [("good", 0, 1321), ("bad", 1321, 100)]
    assert [bar.kind for bar in lanes["desk"]] == ["bad"]
    assert drawn.ticks[0].astimezone(ZoneInfo("Asia/Shanghai")).hour == 8


# ---- guessing ----


def test_ok__five_failures_cost_a_minute() -> None:
    clock = [0.0]
    tried, key = attempts.Attempts(lambda: clock[0]), ("zhou", "10.0.0.1")
    for _ in range(4):
        tried.failed(key)
    assert tried.wait_seconds(key) == 0
    tried.failed(key)
    assert (tried.wait_seconds(key), tried.wait_seconds(("zhou", "10.0.0.2"))) == (60, 0)
    clock[0] = 60
    assert tried.wait_seconds(key) == 0


def test_ok__a_success_forgets_failures() -> None:
    tried, key = attempts.Attempts(lambda: 0.0, allowed=1), ("zhou", "10.0.0.1")
    tried.failed(key)
    tried.succeeded(key)
    assert tried.wait_seconds(key) == 0


def test_ok__failures_are_kept_within_bounds() -> None:
    tried = attempts.Attempts(lambda: 0.0, allowed=1, most=2)
    for account in "abc":
        tried.failed((account, ""))
    assert [tried.wait_seconds((account, "")) for account in "abc"] == [0, 60, 60]


@pytest.mark.parametrize(
    "wanted, path",
    [
        (None, "/"), ("/gate/east?x=1", "/gate/east?x=1"), ("//evil.example", "/"), ("/\\evil.example", "/"),
        ("https://evil.example", "/"), ("/a\nb", "/"),
    ],
)  # fmt: skip
def test_ok__only_paths_of_this_site(wanted: str | None, path: str) -> None:
    assert security.safe_path(wanted) == path


# ---- the pages ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three gates: east has its five, north lacks a thermometer for 2 h 10 min, west was never heard."""
    path = tmp_path_factory.mktemp("seeded") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        accounts.add_account(conn, "zhou", "周督查", "supervisor", PASSWORD)
        places.add_area(conn, "a1", "东片区")
        places.add_committee(conn, "j1", "东片居委", "a1")
        places.add_compound(conn, "c1", "锦绣苑", "j1", "李敏")
        for id, name in (("east", "东门"), ("north", "北门"), ("west", "西门<b>")):
            places.add_gate(conn, id, name, "c1")
            conn.execute(sa.insert(tables.stations).values(id=f"{id}-1", gate=id, lane="1", added_at=ago(9999)))
        for id in ("east", "north"):
            conn.execute(sa.insert(tables.pulses).values(station=f"{id}-1", online=True, heard_at=NOW))
            for item in Item:
                seed_evidence(conn, id, item, lacks=(id, item) == ("north", Item.TEMPERATURE))
        seed_entries(conn)
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    """A store of its own for each test."""
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


def seed_evidence(conn: sa.Connection, gate: str, item: Item, *, lacks: bool) -> None:
    values = {"station": f"{gate}-1", "item": item, "basis": "sensor", "present": not lacks, "observed_at": ago(130)}
    extra = {"reason": "thermometer_silent" if lacks else None, "valid_until": None if lacks else NOW + timedelta(hours=1)}
    conn.execute(sa.insert(tables.evidence).values(**values, **extra))


def seed_entries(conn: sa.Connection) -> None:
    feverish = Reading(band=Band.FEVER, source="mlx90614", body_celsius=37.6, reasons=("fever",))
    bodies = (
        Entry(direction=Direction.IN, outcome=Outcome.REFER, reasons=("fever",), reading=feverish),
        Entry(direction=Direction.OUT, outcome=Outcome.ADMIT),
        Correction(corrects="e2", cancelled=True),
    )
    for seq, body in enumerate(bodies, 1):
        event = Event(seq=seq, id=f"e{seq}", at=ago(60 - seq), boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
        kind = "entry" if isinstance(body, Entry) else "correction"
        row = {"journal": "j", "seq": seq, "id": event.id, "station": "east-1", "gate": "east", "at": event.at, "boot": "b"}
        more = {"received_at": event.at, "mono_ns": seq, "clock": "synced", "kind": kind, "body": encode(event).decode()}
        conn.execute(sa.insert(tables.events).values(**row, **more))


@pytest.fixture
def app(engine: sa.Engine, tmp_path: Path) -> Flask:
    return create_app(Located(HubSettings(web=Web(secure_cookies=False)), tmp_path), engine, now=lambda: NOW)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def sign_in(client: FlaskClient, password: str = PASSWORD, to: str = "/sign-in") -> tuple[int, str, str]:
    """Fill in the form; gives the code, where to, and the page."""
    form = client.get(to).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token
    answer = client.post(to, data={"account": "zhou", "password": password, "csrf_token": token[1]})
    return answer.status_code, answer.headers.get("Location", ""), answer.text


@pytest.fixture
def signed_in(client: FlaskClient) -> FlaskClient:
    """As after signing in, without the time that a password takes."""
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = "zhou", True
    return client


@pytest.mark.parametrize("path", ["/", "/gate/east", "/nowhere"])
def test_fail__pages_need_sign_in(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/sign-in")


def test_fail__a_stream_needs_sign_in(client: FlaskClient) -> None:
    assert client.get("/events").status_code == 401


@pytest.mark.parametrize(
    "path", ["/sign-in", "/health", "/static/hub.css", "/static/hub.js", "/bootstrap/static/css/bootstrap.min.css"]
)
def test_ok__open_to_all(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_ok__sign_in_leads_on(client: FlaskClient) -> None:
    assert sign_in(client, to="/sign-in?next=/gate/east")[:2] == (302, "/gate/east")
    assert "锦绣苑 东门" in client.get("/gate/east").text


def test_fail__wrong_password_then_a_wait(client: FlaskClient) -> None:
    for _ in range(5):
        code, _, page = sign_in(client, "wrong")
        assert (code, "账号或密码不对" in page) == (401, True)
    code, _, page = sign_in(client)
    assert (code, "请等" in page) == (429, True)
    assert client.get("/").status_code == 302


def test_fail__a_form_without_its_token(client: FlaskClient) -> None:
    answer = client.post("/sign-in", data={"account": "zhou", "password": PASSWORD})
    assert (answer.status_code, "请重新提交" in answer.text) == (400, True)


def test_ok__sign_out_by_post_alone(signed_in: FlaskClient) -> None:
    assert signed_in.get("/sign-out").status_code == 405
    assert signed_in.post("/sign-out").status_code == 400
    token = re.search(r'name="csrf_token" value="([^"]+)"', signed_in.get("/").text)
    assert token
    assert signed_in.post("/sign-out", data={"csrf_token": token[1]}).status_code == 302
    assert signed_in.get("/").status_code == 302


def test_ok__a_disabled_account_is_out_at_once(signed_in: FlaskClient, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.update(tables.accounts).values(disabled_at=NOW))
    assert signed_in.get("/").status_code == 302


def test_ok__headers_and_cookies(engine: sa.Engine, tmp_path: Path) -> None:
    answer = create_app(Located(HubSettings(), tmp_path), engine).test_client().get("/sign-in")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert all(part in answer.headers["Set-Cookie"] for part in ("HttpOnly", "SameSite=Lax", "Secure"))


@pytest.mark.parametrize("path", ["/", "/gate/east", "/gate/north", "/gate/west"])
def test_ok__nothing_inline(signed_in: FlaskClient, path: str) -> None:
    page = signed_in.get(path).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|https?://", page)
    assert "<b></span>" not in page


def test_ok__every_worker_signs_with_the_stored_secret(engine: sa.Engine) -> None:
    assert security.secret(engine) == security.secret(engine)


def test_ok__overview(signed_in: FlaskClient) -> None:
    page = signed_in.get("/").text
    assert "开放门岗3:达标1、缺1、失联1;最久 锦绣苑 北门 缺测温2小时10分,联络员李敏" in page
    assert page.index('data-gate="north"') < page.index('data-gate="west"') < page.index('data-gate="east"')
    assert "测温仪无应答" in page


def test_ok__the_order_is_remembered(signed_in: FlaskClient) -> None:
    signed_in.get("/?order=place")
    page = signed_in.get("/").text
    assert page.index('data-gate="east"') < page.index('data-gate="north"')


def test_ok__gate_page(signed_in: FlaskClient) -> None:
    page = signed_in.get("/gate/east").text
    for said in ("达标", "有效至 08:41", "自 05:31 起", "37.6 °C", "请稍候", "已作废", "岗亭终端", "最近24小时", "以文字列出"):
        assert said in page, said


def test_ok__unreachable_gate_page_claims_nothing(signed_in: FlaskClient) -> None:
    page = signed_in.get("/gate/west").text
    assert "不按达标计" in page
    assert "detail is-present" not in page


def test_fail__unknown_gate(signed_in: FlaskClient) -> None:
    answer = signed_in.get("/gate/nowhere")
    assert (answer.status_code, "没有编号为“nowhere”的门岗" in answer.text) == (404, True)


def test_ok__language(signed_in: FlaskClient) -> None:
    answer = signed_in.get("/language/en?next=/gate/north")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/gate/north")
    assert "Missing 2 h 10 min" in signed_in.get("/gate/north").text
    signed_in.get("/language/zh")
    assert "缺 2小时10分" in signed_in.get("/gate/north").text


def test_ok__blind(signed_in: FlaskClient, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        meta.went_blind(conn, NOW)
    page = signed_in.get("/").text
    assert "中枢与消息服务断开(自 07:41),以下为断开前情况;不代表门岗失联" in page


def test_ok__health(client: FlaskClient, engine: sa.Engine) -> None:
    assert client.get("/health").get_json() == {"ok": True, "store": True, "blind_since": None, "gates": 3}
    with engine.begin() as conn:
        meta.went_blind(conn, NOW)
    assert client.get("/health").get_json()["ok"] is False


# ---- live ----


def pieces(layout: str, **parts: str) -> live.Pieces:
    return live.Pieces(layout, "whole", {"head": "h"}, parts)


def test_ok__each_is_made_once_for_a_picture() -> None:
    shared, made = live.Shared(), iter([pieces("first"), pieces("second")])
    assert [shared.get(("board",), n, lambda: next(made)).layout for n in (1, 1, 2)] == ["first", "first", "second"]


def test_ok__a_stream_sends_what_changed(app: Flask, engine: sa.Engine) -> None:
    watch, rendered = app.extensions["gatepost"].watch, iter([pieces("a", x="1"), pieces("a", x="2"), pieces("b", x="2")])

    def render(_: live.Picture) -> live.Pieces:
        with engine.begin() as conn:
            meta.bump(conn)  # so that there is something new after what is rendered here
        return next(rendered)

    sent = live.stream(watch, watch.picture().n, render, lambda _: "07:41:00")
    assert next(sent) == "retry: 1000\n\n"
    assert '"parts": {"x": "2"}' in next(sent)
    assert '"whole": "whole"' in next(sent)
    watch.close()
    assert list(sent) == []


def test_ok__a_page_that_is_behind_gets_the_whole(app: Flask) -> None:
    watch = app.extensions["gatepost"].watch
    sent = live.stream(watch, watch.picture().n - 1, lambda _: pieces("a", x="1"), lambda _: "07:41:00")
    next(sent)
    assert '"whole": "whole", "parts": {"head": "h"}' in next(sent)
    watch.close()
