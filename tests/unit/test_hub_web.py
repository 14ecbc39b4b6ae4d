"""The supervisors' pages by Flask's test client over a seeded store, and the pure parts that they are made of."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from zoneinfo import ZoneInfo

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from contract.codec import encode
from contract.events import (
    Band,
    BarrierOpened,
    Body,
    Clock,
    Companion,
    Correction,
    Direction,
    Entry,
    Event,
    GapAnswered,
    GateShut,
    HelpCalled,
    Outcome,
    PeopleCounted,
    Reading,
    SettingsChanged,
    Tallied,
    Who,
    Written,
    kind_of,
)
from contract.five import Basis, Item
from contract.passes import PassKind, Problem
from contract.sealing import Personal, Sealed, seal, seal_bytes
from hub import audit
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, keys, places
from hub.rules.compliance import GateStatus, ItemStatus, Status
from hub.status import IntervalRow
from hub.store import meta, migrate, open_store, tables
from hub.store.supervision import failures
from hub.web import attempts, board, create_app, live, security, timeline
from hub.web.sentence import sentence
from hub.web.texts import LANGUAGES, duration, reason, text, word
from hub.web.texts.reasons import REASONS
from hub.web.texts.register import WORDS
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


@pytest.fixture
def tries(tmp_path: Path) -> Iterator[sa.Connection]:
    """An empty store, written to."""
    engine = open_store(f"sqlite:///{tmp_path}/tries.db")
    migrate(engine)
    with engine.begin() as conn:
        yield conn
    engine.dispose()


def fail(conn: sa.Connection, times: int, *, address: str = "10.0.0.1", at: datetime = NOW) -> None:
    """So many wrong passwords, each as soon as it may be."""
    for _ in range(times):
        at += timedelta(seconds=attempts.wait_seconds(conn, "zhou", address, at))
        assert attempts.claim(conn, "zhou", address, at) == 0


def waits(conn: sa.Connection, address: str = "10.0.0.1", at: datetime = NOW, account: str = "zhou") -> int:
    return attempts.wait_seconds(conn, account, address, at)


def test_ok__five_failures_cost_a_minute(tries: sa.Connection) -> None:
    fail(tries, 4)
    assert waits(tries) == 0
    fail(tries, 1)
    assert (waits(tries), waits(tries, "10.0.0.2"), waits(tries, account="li")) == (60, 0, 0)
    assert attempts.claim(tries, "zhou", "10.0.0.1", NOW + timedelta(seconds=59)) == 1
    assert waits(tries, at=NOW + timedelta(seconds=60)) == 0


@given(st.integers(0, 10_000))
def test_ok__each_further_failure_doubles_the_wait_up_to_an_hour(count: int) -> None:
    wait, next_wait = attempts.pause(count), attempts.pause(count + 1)
    assert (wait > timedelta()) == (count >= attempts.FREE)
    assert next_wait == (min(2 * wait, attempts.LONGEST_WAIT) if wait else attempts.pause(attempts.FREE) * (count + 1 == 5))


def test_ok__a_try_while_one_waits_counts_for_nothing(tries: sa.Connection) -> None:
    fail(tries, 5)
    for _ in range(100):
        assert attempts.claim(tries, "zhou", "10.0.0.1", NOW) == 60
    assert waits(tries) == 60


def test_ok__a_success_forgets_failures(tries: sa.Connection) -> None:
    fail(tries, 5)
    attempts.succeeded(tries, "zhou", "10.0.0.1")
    assert waits(tries) == 0
    fail(tries, 4)
    assert waits(tries) == 0


def test_ok__twenty_failures_from_anywhere_close_an_account_to_strangers(tries: sa.Connection) -> None:
    audit.note(tries, "zhou", "sign_in", "account", "zhou", at=ago(9999), address="10.0.9.9")
    audit.note(tries, "li", "sign_in", "account", "li", at=ago(9999), address="10.0.9.8")
    for n in range(19):
        fail(tries, 1, address=f"10.0.0.{n}")
    assert waits(tries, "10.0.9.8") == 0
    fail(tries, 1, address="10.0.0.99")
    assert (waits(tries, "10.0.9.8"), waits(tries, "10.0.9.9"), waits(tries, "10.0.9.8", account="li")) == (900, 0, 0)
    assert waits(tries, "10.0.9.8", NOW + timedelta(minutes=15)) == 0
    assert attempts.claim(tries, "zhou", "10.0.9.8", NOW + timedelta(minutes=15)) == 0
    assert waits(tries, "10.0.9.7", NOW + timedelta(minutes=15)) == 900


def test_ok__failures_further_apart_than_an_hour_close_nothing(tries: sa.Connection) -> None:
    for n in range(19):
        fail(tries, 1, address=f"10.0.0.{n}")
    later = NOW + timedelta(hours=1)
    fail(tries, 1, address="10.0.0.99", at=later)
    assert waits(tries, "10.0.9.8", later) == 0


def test_ok__a_clock_that_was_set_back_makes_no_wait_longer(tries: sa.Connection) -> None:
    fail(tries, 5)
    assert waits(tries, at=ago(600)) == 60


def test_ok__failures_a_day_old_are_removed_and_the_rest_are_bounded(
    tries: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(tries, 1)
    attempts.claim(tries, "li", "10.0.0.2", NOW + timedelta(days=1))
    assert tries.execute(sa.select(failures.c.account)).scalars().all() == ["li"]
    monkeypatch.setattr(attempts, "MOST", 3)
    for n in range(9):
        attempts.claim(tries, f"a{n}", "", NOW + timedelta(days=1, seconds=n))
    assert sorted(tries.execute(sa.select(failures.c.account)).scalars()) == ["a5", "a6", "a7", "a8"]


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
        session["_user_id"], session["_fresh"] = "1 zhou", True
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


def test_fail__a_session_that_somebody_planted_before_is_not_signed_in_after(client: FlaskClient) -> None:
    client.get("/sign-in")
    planted = client.get_cookie("gatepost")
    assert planted is not None
    thief = client.application.test_client()
    thief.set_cookie("gatepost", planted.value)
    assert sign_in(client)[0] == 302
    assert client.get("/").status_code == 200
    assert thief.get("/").status_code == 302
    after = client.get_cookie("gatepost")
    assert after is not None
    assert after.value != planted.value


@pytest.mark.parametrize("root", ["/static/", "/bootstrap/static/", "/gate/", "/gate/east/entry/", "/report/"])
@pytest.mark.parametrize("way", ["../hub.toml", "..%2fhub.toml", "%2e%2e/%2e%2e/secret.key", "....//hub.toml", "%2fetc%2fpasswd"])
def test_fail__a_path_out_of_its_folder(signed_in: FlaskClient, tmp_path: Path, root: str, way: str) -> None:
    for name in ("hub.toml", "secret.key"):
        (tmp_path / name).write_text("treasure", encoding="utf-8")
    answer = signed_in.get(root + way)
    assert answer.status_code in (302, 308, 400, 404)
    assert b"treasure" not in answer.data
    assert b"root:" not in answer.data


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


@pytest.mark.parametrize("path", ["/", "/gate/east", "/gate/north", "/gate/west", "/gate/east/entry/e1"])
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


# ---- a whole gate ----

NORMAL = Reading(band=Band.NORMAL, source="mlx90614", body_celsius=36.5)
PARTY = Entry(
    direction=Direction.IN, outcome=Outcome.ADMIT, who=Who.VISITOR, found="form", people=3, reading=NORMAL, purpose="repair",
    host_confirmed=True, key_area=False, booking="b1",
    companions=(
        Companion(role="child", reading=Reading(band=Band.FEVER, source="mlx90614", body_celsius=37.8)), Companion(role="elder"),
    ),
)  # fmt: skip
PAPER = Entry(
    direction=Direction.OUT, outcome=Outcome.ADMIT, who=Who.VISITOR, found="paper", visit="e9", key_area=True,
    written=Written(at=ago(180), page="P-0216", line=7),
)  # fmt: skip
JPEG = b"\xff\xd8\xff drawn"


def happens(engine: sa.Engine, *bodies: Body, gate: str = "north", first: int = 1) -> list[str]:
    """Put events into the store as the ingest does, a minute apart, the last just now; returns their ids."""
    ids = []
    with engine.begin() as conn:
        for seq, body in enumerate(bodies, first):
            event = Event(
                seq=seq, id=f"w{seq}", at=ago(len(bodies) + first - 1 - seq), boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body
            )  # fmt: skip
            row = {"journal": f"j-{gate}", "seq": seq, "id": event.id, "station": f"{gate}-1", "gate": gate, "at": event.at}
            more = {"received_at": event.at, "boot": "b", "mono_ns": seq, "clock": "synced", "kind": kind_of(body)}
            conn.execute(sa.insert(tables.events).values(**row, **more, body=encode(event).decode()))
            ids.append(event.id)
        meta.bump(conn)
    return ids


def cells(page: str, id: str) -> str:
    """The row of an entry, without its tags."""
    found = next(row for row in re.findall(r'<tr class="entry.*?</tr>', page, re.S) if f'id="entry-{id}"' in row)
    return " ".join(re.sub("<[^>]*>", " ", found).split())


def test_ok__an_entry_shows_everybody_and_what_the_register_asks(signed_in: FlaskClient, engine: sa.Engine) -> None:
    party, paper = happens(engine, PARTY, PAPER)
    page = signed_in.get("/gate/north").text
    assert cells(page, party) == (
        "07:40 进 访客 3人 放行 36.5 °C 小孩 37.8 °C 老人 – 维修 住户已确认 无重点地区史 已预约 north-1"
    )
    assert cells(page, paper) == "04:41 出 访客 放行 – 补录 07:41 录入 14天内有重点地区史 凭纸本 访客离开 north-1"
    assert '<span class="taken is-alarming"><span class="quiet">小孩</span> 37.8 °C</span>' in page
    assert '<span class="mark is-alarming">14天内有重点地区史</span>' in page
    signed_in.get("/language/en")
    assert "visitor leaves" in signed_in.get("/gate/north").text


def test_ok__a_word_that_this_version_does_not_know_is_shown_as_it_came(signed_in: FlaskClient, engine: sa.Engine) -> None:
    (id,) = happens(engine, Entry(direction=Direction.IN, outcome=Outcome.ADMIT, purpose="piano_tuning", found="by_ear"))
    assert "piano tuning by ear" in cells(signed_in.get("/gate/north").text, id)


def test_ok__what_else_went_on_is_a_line_each(signed_in: FlaskClient, engine: sa.Engine) -> None:
    happens(
        engine,
        GapAnswered(missed=True),
        HelpCalled(),
        PeopleCounted(seconds=600, counted=9, recorded=9),
        PeopleCounted(seconds=600, counted=12, recorded=9),
        BarrierOpened(cause="emergency"),
        Tallied(what="courier"),
        Tallied(what="courier"),
        SettingsChanged(settings={"volume": 3}),
        GateShut(shut=True),
        GateShut(shut=False),
    )
    page = signed_in.get("/gate/north").text
    lines = [" ".join(re.sub("<[^>]*>", " ", one).split()) for one in re.findall(r'<li class="happening">.*?</li>', page, re.S)]
    assert lines == [
        "07:41 开门 north-1", "07:40 锁门 north-1", "07:39 岗亭改了设置:volume north-1", "07:38 快递放货架 2次 north-1",
        "07:36 道闸打开(紧急放行) north-1", "07:35 10分内走过12人,只登记9人 north-1", "07:33 求助 north-1",
        "07:32 停电期间有人进出,须补录 north-1",
    ]  # fmt: skip
    signed_in.get("/language/en")
    assert "12 people went by in 10 min, only 9 recorded" in signed_in.get("/gate/north").text


def seal_to_hub(engine: sa.Engine, event: str) -> tuple[Sealed, str]:
    """Personal fields for an event, and a photo that has arrived, sealed as a station seals them."""
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        key = keys.current(conn, keys.KeyUse.SEALING)
        photo = seal_bytes(JPEG, key.public)
        sha = hashlib.sha256(photo).hexdigest()
        conn.execute(sa.insert(tables.blobs).values(sha=sha, station="north-1", received_at=NOW, data=photo))
        keys.make_key(conn, keys.KeyUse.SEALING)  # an older key still opens what was sealed to it
    return seal(Personal(event=event, name="赵大海", phone="13800000000", host="3号502"), key.kid, key.public), sha


def attach(engine: sa.Engine, event: str, sha: str, purpose: str) -> None:
    with engine.begin() as conn:
        conn.execute(sa.insert(tables.attachments).values(event=event, sha=sha, purpose=purpose, station="north-1", at=NOW))


def test_ok__whoever_may_sees_what_was_sealed_and_that_is_noted(signed_in: FlaskClient, engine: sa.Engine) -> None:
    sealed, sha = seal_to_hub(engine, "w1")
    happens(engine, msgspec.structs.replace(PARTY, personal=sealed))
    attach(engine, "w1", sha, "help")
    assert "赵大海" not in signed_in.get("/gate/north").text
    page = signed_in.get("/gate/north/entry/w1").text
    for said in ("赵大海", "13800000000", "3号502", "36.5 °C", "37.8 °C", f"/photo/{sha}"):
        assert said in page, said
    answer = signed_in.get(f"/photo/{sha}")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/jpeg", JPEG)
    assert answer.headers["Cache-Control"] == "no-store"
    with engine.connect() as conn:
        looks = [(line.account, line.action, line.object) for line in audit.lines(conn, 10)]
    assert looks == [("zhou", "look", sha), ("zhou", "look", "w1")]


def test_fail__a_reader_sees_nothing_that_was_sealed(signed_in: FlaskClient, engine: sa.Engine) -> None:
    sealed, sha = seal_to_hub(engine, "w1")
    happens(engine, msgspec.structs.replace(PARTY, personal=sealed))
    attach(engine, "w1", sha, "help")
    with engine.begin() as conn:
        conn.execute(sa.update(tables.accounts).values(role="guest"))
    page = signed_in.get("/gate/north/entry/w1").text
    assert "不能查看" in page
    assert "赵大海" not in page
    assert "/photo/" not in page
    answer = signed_in.get(f"/photo/{sha}")
    assert (answer.status_code, "没有这项权限" in answer.text) == (403, True)


@pytest.mark.parametrize("event, key", [("w2", None), ("w1", "s0000")])
def test_fail__what_was_sealed_for_another_or_to_another_stays_closed(
    signed_in: FlaskClient, engine: sa.Engine, event: str, key: str | None
) -> None:
    sealed, _ = seal_to_hub(engine, event)
    happens(engine, msgspec.structs.replace(PARTY, personal=Sealed(key=key or sealed.key, box=sealed.box)))
    page = signed_in.get("/gate/north/entry/w1").text
    assert "无法解密" in page
    assert "赵大海" not in page


@pytest.mark.parametrize("path", ["/gate/north/entry/nothing", "/gate/north/entry/e1", "/gate/no/entry/e1", "/photo/" + "0" * 64])
def test_fail__no_such_entry_or_photo(signed_in: FlaskClient, path: str) -> None:
    assert signed_in.get(path).status_code == 404


def test_ok__a_photo_that_has_not_arrived_is_waited_for(signed_in: FlaskClient, engine: sa.Engine) -> None:
    happens(engine, PARTY)
    attach(engine, "w1", "0" * 64, "help")
    assert "照片还没有传到" in signed_in.get("/gate/north/entry/w1").text


def test_ok__of_an_entry_that_cannot_be_dated_it_is_said_from_when_to_when_it_was(
    signed_in: FlaskClient, engine: sa.Engine
) -> None:  # fmt: skip
    happens(engine, PARTY)
    assert "未校时" not in signed_in.get("/gate/north/entry/w1").text
    with engine.begin() as conn:
        conn.execute(sa.update(tables.events).where(tables.events.c.id == "w1").values(clock="unsynced"))
    assert "岗亭未校时" in signed_in.get("/gate/north/entry/w1").text


def lock(engine: sa.Engine, minutes: float) -> None:
    """The north gate's volunteer locked it so many minutes ago."""
    with engine.begin() as conn:
        locked = {"shut_at": ago(minutes), "shut_by": "b", "shut_event": "lock"}
        conn.execute(sa.update(tables.gates).where(tables.gates.c.id == "north").values(**locked))
        meta.bump(conn)


def test_ok__a_locked_gate_says_so_with_its_photo(signed_in: FlaskClient, engine: sa.Engine) -> None:
    lock(engine, 60)
    page = signed_in.get("/gate/north").text
    for said in ("关闭", "志愿者已锁门", "还没有门锁照片", "已1小时"):
        assert said in page, said
    assert "row-alert" not in page
    attach(engine, "lock", "cd" * 32, "lock")
    with engine.begin() as conn:
        meta.bump(conn)
    assert f"/photo/{'cd' * 32}" in signed_in.get("/gate/north").text


def test_ok__who_goes_through_a_closed_gate_is_marked_where_everybody_looks(signed_in: FlaskClient, engine: sa.Engine) -> None:
    lock(engine, 60)
    happens(engine, PARTY, Tallied(what="courier"), HelpCalled())
    for path in ("/", "/gate/north"):
        page = signed_in.get(path).text
        assert re.search(r'class="row-alert">.*关闭期间有人通行:3人次,最近2分前', page), path
    signed_in.get("/language/en")
    assert "passed while closed: 3, last 2 min ago" in signed_in.get("/").text


def test_ok__every_word_of_the_register_in_both_languages() -> None:
    for kind, words in WORDS.items():
        for key, pair in words.items():
            assert all(pair), (kind, key)
            assert (word("zh", kind, key), word("en", kind, key)) == pair
    assert set(Who) | set(PassKind) <= set(WORDS["who"])


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
