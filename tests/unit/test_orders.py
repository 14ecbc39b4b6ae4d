"""Commands to stations: what becomes of one, when a barrier may be opened, who may ask, and what the page says of it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from contract.codec import encode
from contract.events import Clock
from contract.five import Item
from contract.messages import CommandName, CommandReply, DeviceState, Vitals
from hub import audit, orders
from hub.config import HubSettings, Located, Web
from hub.intake import Received, take
from hub.keeping import Keeper
from hub.orders import OrderRefused
from hub.registry import accounts, places
from hub.registry.errors import RegistryError
from hub.rights import Role, Scope, ScopeKind
from hub.rules.inspection import Found
from hub.rules.ordering import LIVES, Order, OrderState, is_under_way, state
from hub.store import meta, migrate, open_store, supervision, tables
from hub.store.gates import put_findings
from hub.web import create_app

NOW = datetime(2026, 2, 16, 7, 41, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
SHA = "ab" * 32


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


# ---- the rule ----


def made(**change: Any) -> Order:
    return Order(id="o", station="s", what="selftest", made_at=NOW, made_by="zhou", **change)


@pytest.mark.parametrize(
    "change, seconds, found",
    [
        ({}, 0, OrderState.WAITING), ({}, 29.9, OrderState.WAITING), ({}, 30, OrderState.UNREACHED),
        ({"sent_at": NOW}, 29.9, OrderState.SENT), ({"sent_at": NOW}, 30, OrderState.UNREACHED),
        ({"sent_at": NOW, "answered_at": later(1), "ok": True}, 99, OrderState.DONE),
        ({"sent_at": NOW, "answered_at": later(1), "ok": False}, 99, OrderState.FAILED),
        ({"sent_at": NOW, "answered_at": later(45), "ok": True}, 99, OrderState.DONE),
    ],
)  # fmt: skip
def test_ok__what_becomes_of_a_command(change: dict[str, Any], seconds: float, found: OrderState) -> None:
    assert state(made(**change), later(seconds)) is found


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.booleans(), st.booleans())
def test_ok__once_over_it_never_comes_back(first: float, more: float, sent: bool, answered: bool) -> None:
    order = made(sent_at=NOW if sent else None, answered_at=NOW if answered else None, ok=True if answered else None)
    if not is_under_way(order, later(first)):
        assert state(order, later(first + more)) is state(order, later(first))


# ---- the store: east has a volunteer, north has none, west was never heard, south is another compound's ----


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(engine)
    with engine.begin() as conn:
        places.add_area(conn, "a1", "东片区")
        places.add_committee(conn, "j1", "东片居委", "a1")
        for compound, gates in (("c1", ("east", "north", "west")), ("c2", ("south",))):
            places.add_compound(conn, compound, f"小区{compound}", "j1", "李敏")
            for gate in gates:
                places.add_gate(conn, gate, gate, compound)
                conn.execute(sa.insert(tables.stations).values(id=f"{gate}-1", gate=gate, lane="1", added_at=later(-9999)))
        for gate in ("east", "north"):
            seed_station(conn, gate, on_shift=gate == "east")
    yield engine
    engine.dispose()


def seed_station(conn: sa.Connection, gate: str, *, on_shift: bool) -> None:
    devices = (DeviceState(device="camera", ok=True), DeviceState(device="thermometer", ok=False, detail="no answer on i2c-1"))
    vitals = Vitals(boot="b", mono_ns=1, at=NOW, clock=Clock.SYNCED, last_seq=9, backlog=3, directory_version=7, devices=devices,
                    disk_free_bytes=12_300_000_000, software="gatepost 0.1.0")  # fmt: skip
    conn.execute(sa.insert(tables.pulses).values(station=f"{gate}-1", online=True, heard_at=NOW, vitals=encode(vitals).decode()))
    conn.execute(sa.insert(tables.evidence).values(
        station=f"{gate}-1", item=Item.VOLUNTEER, basis="declared", present=on_shift, observed_at=later(-60),
        valid_until=later(1740) if on_shift else None, reason=None if on_shift else "signed_off",
    ))  # fmt: skip


@pytest.fixture
def located(tmp_path: Path) -> Located:
    return Located(HubSettings(web=Web(secure_cookies=False)), tmp_path)


def order(engine: sa.Engine, located: Located, station: str, what: CommandName, at: datetime = NOW) -> Order:
    with engine.begin() as conn:
        return orders.order(conn, located, station, what, "zhou", at)


def only(engine: sa.Engine, station: str) -> Order:
    with engine.connect() as conn:
        (found,) = orders.latest(conn, station, 9)
    return found


def test_ok__a_command_is_due_until_it_is_sent_or_over(engine: sa.Engine, located: Located) -> None:
    first = order(engine, located, "east-1", CommandName.SELFTEST)
    second = order(engine, located, "north-1", CommandName.RESTART, later(1))
    with engine.begin() as conn:
        assert orders.due(conn, later(2)) == [first, second]
        orders.sent(conn, first.id, later(2))
        assert orders.due(conn, later(2)) == [second]
        assert orders.due(conn, second.made_at + LIVES) == []


@pytest.mark.parametrize(
    "station, reason", [("east-1", None), ("north-1", "no_volunteer"), ("west-1", "unreachable"), ("south-1", "unreachable")]
)
def test_ok__a_barrier_only_with_a_volunteer(engine: sa.Engine, located: Located, station: str, reason: str | None) -> None:
    if reason is None:
        assert order(engine, located, station, CommandName.OPEN_BARRIER).what == "open_barrier"
        return
    with pytest.raises(OrderRefused) as refused:
        order(engine, located, station, CommandName.OPEN_BARRIER)
    assert refused.value.reason == reason
    assert order(engine, located, station, CommandName.SELFTEST).what == "selftest"


def test_fail__a_barrier_once_the_volunteers_word_ran_out(engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        conn.execute(sa.update(tables.pulses).values(heard_at=later(1741)))
    with pytest.raises(OrderRefused, match="no volunteer"):
        order(engine, located, "east-1", CommandName.OPEN_BARRIER, later(1741))


def test_fail__a_barrier_while_the_hub_is_blind(engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        meta.went_blind(conn, later(-5))
    with pytest.raises(OrderRefused, match="lost the broker"):
        order(engine, located, "east-1", CommandName.OPEN_BARRIER)


def test_fail__an_inspection_that_found_nobody_outranks_the_badge(engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        found = Found(inspection="i", item=Item.VOLUNTEER, present=False, observed_at=later(-5), sent_at=later(-4), by="look")
        put_findings(conn, "east", [found])
    with pytest.raises(OrderRefused, match="no volunteer"):
        order(engine, located, "east-1", CommandName.OPEN_BARRIER)


def test_fail__the_same_twice_while_the_first_is_under_way(engine: sa.Engine, located: Located) -> None:
    order(engine, located, "east-1", CommandName.SELFTEST)
    with pytest.raises(OrderRefused, match="just now"):
        order(engine, located, "east-1", CommandName.SELFTEST, later(29))
    assert order(engine, located, "east-1", CommandName.SELFTEST, later(30))
    assert order(engine, located, "east-1", CommandName.IDENTIFY, later(30))


def test_fail__no_such_station(engine: sa.Engine, located: Located) -> None:
    with pytest.raises(RegistryError, match="no station"):
        order(engine, located, "nowhere", CommandName.SELFTEST)


# ---- replies, as the ingest keeps them ----


def reply(engine: sa.Engine, station: str, said: CommandReply, at: datetime = NOW) -> list[str]:
    """Why it was refused; nothing when it was kept."""
    received = Received(topic=f"gatepost/v1/station/{station}/reply", payload=encode(said), at=at)
    with engine.begin() as conn:
        keeper = Keeper(conn)
        keeper.keep(take(received), received)
        return [refused.kind for refused in keeper.finish().refused]


def test_ok__the_first_answer_is_kept(engine: sa.Engine, located: Located) -> None:
    asked = order(engine, located, "east-1", CommandName.SNAPSHOT)
    assert reply(engine, "east-1", CommandReply(id=asked.id, ok=True, detail=SHA), later(2)) == []
    assert reply(engine, "east-1", CommandReply(id=asked.id, ok=False, detail="again"), later(3)) == []
    found = only(engine, "east-1")
    assert (found.ok, found.detail, found.answered_at) == (True, SHA, later(2))


@pytest.mark.parametrize("station, id", [("north-1", None), ("east-1", "unheard-of"), ("nowhere", None)])
def test_fail__an_answer_to_what_was_never_asked(engine: sa.Engine, located: Located, station: str, id: str | None) -> None:
    asked = order(engine, located, "east-1", CommandName.SELFTEST)
    refused = reply(engine, station, CommandReply(id=id or asked.id, ok=True))
    assert refused == ["unknown_station" if station == "nowhere" else "unknown_order"]
    assert only(engine, "east-1").answered_at is None


def test_ok__a_nul_in_an_answer_is_kept_readable(engine: sa.Engine, located: Located) -> None:
    asked = order(engine, located, "east-1", CommandName.SELFTEST)
    assert reply(engine, "east-1", CommandReply(id=asked.id, ok=False, detail="a\0b")) == []
    assert only(engine, "east-1").detail == "a\\0b"


def test_ok__what_is_open_is_told_to_open_pages(engine: sa.Engine, located: Located) -> None:
    def changes() -> int:
        with engine.connect() as conn:
            return meta.changes(conn)

    before = changes()
    order(engine, located, "east-1", CommandName.SELFTEST)
    assert changes() > before


# ---- the page ----


@pytest.fixture
def app(engine: sa.Engine, located: Located) -> Flask:
    with engine.begin() as conn:
        accounts.add_account(conn, "zhou", "周督查", Role.SUPERVISOR, "a long password", scopes=[Scope(ScopeKind.COMPOUND, "c1")])
    return create_app(located, engine, now=lambda: NOW)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = "1 zhou", True
    return client


def push(client: FlaskClient, gate: str, station: str, what: str) -> Any:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/").text)
    assert token
    return client.post(f"/gate/{gate}/stations/{station}/{what}", data={"csrf_token": token[1]})


def test_ok__a_button_asks_and_is_noted(client: FlaskClient, engine: sa.Engine) -> None:
    answer = push(client, "east", "east-1", "open_barrier")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/gate/east/stations#station-east-1")
    found = only(engine, "east-1")
    with engine.connect() as conn:
        (line,) = audit.lines(conn, 9, object="east-1")
    assert (line.account, line.action, line.detail["order"], line.detail["what"]) == ("zhou", "command", found.id, "open_barrier")
    page = client.get("/gate/east/stations").text
    assert "待发出" in page
    assert "data-under-way" in page


def test_ok__vitals_and_answers_are_shown(client: FlaskClient, engine: sa.Engine) -> None:
    at = later(-300)
    rows = [
        {"what": "snapshot", "ok": True, "detail": SHA, "answered_at": at}, {"what": "restart", "ok": None, "detail": ""},
        {"what": "selftest", "ok": False, "detail": "camera: <b>no picture", "answered_at": at},
        {"what": "identify", "ok": True, "detail": "shown and said", "answered_at": at},
    ]  # fmt: skip
    with engine.begin() as conn:
        for n, row in enumerate(rows):
            fixed = {"id": f"o{n}", "station": "east-1", "made_at": at, "made_by": "zhou", "sent_at": at, "values": {}}
            conn.execute(sa.insert(supervision.orders).values(**fixed, **row))
    page = client.get("/gate/east/stations").text
    for said in ("gatepost 0.1.0", "12.3 GB", "测温仪", "no answer on i2c-1", "没有送达", "30秒内没有应答", "照片还在路上",
                 "camera: &lt;b&gt;no picture", "屏幕已显示", "周督查 发出"):  # fmt: skip
        assert said in page, said
    with engine.begin() as conn:
        conn.execute(sa.insert(tables.blobs).values(sha=SHA, station="east-1", received_at=at, data=b"x"))
    assert f"/photo/{SHA}" in client.get("/gate/east/stations").text


@pytest.mark.parametrize(
    "gate, station, what, code, said",
    [
        ("north", "north-1", "open_barrier", 409, "没有志愿者在岗"), ("west", "west-1", "open_barrier", 409, "门岗失联"),
        ("east", "north-1", "selftest", 404, "没有这台终端"), ("east", "east-1", "explode", 404, "没有这台终端或这个指令"),
        ("south", "south-1", "selftest", 404, ""), ("nowhere", "east-1", "selftest", 404, ""),
    ],
)  # fmt: skip
def test_fail__what_is_refused_says_why(
    client: FlaskClient, engine: sa.Engine, gate: str, station: str, what: str, code: int, said: str
) -> None:
    answer = push(client, gate, station, what)
    assert (answer.status_code, said in answer.text) == (code, True)
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(supervision.orders)) == 0


def test_fail__twice_in_a_row(client: FlaskClient) -> None:
    assert push(client, "east", "east-1", "selftest").status_code == 303
    answer = push(client, "east", "east-1", "selftest")
    assert (answer.status_code, "请等它应答" in answer.text) == (409, True)


def test_fail__without_the_forms_token(client: FlaskClient) -> None:
    assert client.post("/gate/east/stations/east-1/selftest").status_code == 400


@pytest.mark.parametrize("role", list(Role))
def test_ok__who_sees_and_who_asks(client: FlaskClient, engine: sa.Engine, role: Role) -> None:
    with engine.begin() as conn:
        conn.execute(sa.update(tables.accounts).values(role=role))
    may = role in (Role.ADMIN, Role.SUPERVISOR)
    page = client.get("/gate/east/stations")
    assert (page.status_code, "ask-east-1-selftest" in page.text) == (200, may)
    assert client.get("/gate/south/stations").status_code == 404
    assert push(client, "east", "east-1", "selftest").status_code == (303 if may else 403)


@pytest.mark.parametrize("role", list(Role))
def test_ok__who_cuts_a_station_off__with_a_reason(client: FlaskClient, engine: sa.Engine, role: Role) -> None:
    with engine.begin() as conn:
        conn.execute(sa.update(tables.accounts).values(role=role))
    may = role in (Role.ADMIN, Role.SUPERVISOR)
    page = client.get("/gate/east/stations").text
    assert ("切断这台终端" in page) is may
    token = re.search(r'name="csrf-token" content="([^"]+)"', page) or re.search(r'name="csrf_token" value="([^"]+)"', page)
    given = {"csrf_token": token[1] if token else ""}
    url = "/gate/east/stations/east-1/cut-off"
    if not may:
        assert client.post(url, data={**given, "reason": "被盗"}).status_code in (400, 403)
        return
    assert client.post(url, data={**given, "reason": ""}).status_code == 400
    assert client.post(url, data={**given, "reason": "被盗"}).status_code == 303
    shown = client.get("/gate/east/stations").text
    assert "已切断" in shown
    assert "被盗" in shown
    with engine.connect() as conn:
        (line,) = audit.lines(conn, 9, object="east-1")
        assert (line.action, conn.scalar(sa.select(tables.stations.c.in_service).where(tables.stations.c.id == "east-1"))) == (
            "cut_off", False,
        )  # fmt: skip


def test_fail__not_signed_in(app: Flask) -> None:
    assert app.test_client().get("/gate/east/stations").status_code == 302


@pytest.mark.parametrize("gate", ["east", "north", "west"])
def test_ok__nothing_inline(client: FlaskClient, gate: str) -> None:
    page = client.get(f"/gate/{gate}/stations").text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|https?://", page)
