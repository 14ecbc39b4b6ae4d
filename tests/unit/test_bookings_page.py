"""Bookings at the hub's pages: listed, made, cancelled; which stations know of one, and who has come with it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from contract.codec import encode
from contract.events import Body, Clock, Correction, Direction, Entry, Event, Outcome, kind_of
from contract.messages import Vitals
from hub import audit, confirmations
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, booking_lists, bookings, places, versions
from hub.registry.booking_lists import Known, Wanted
from hub.registry.bookings import Booked, State
from hub.rights import Role, Scope, ScopeKind
from hub.store import migrate, open_store, tables
from hub.store.writing import upsert
from hub.web import create_app

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 2, 16, 7, 41, tzinfo=SHANGHAI).astimezone(UTC)
FORM = {"kind": "removal", "compound": "c1", "plate": "沪a·12345", "crew": "3", "dwelling": "3号楼502", "note": "走北门",
        "opens": "2026-02-16T09:00", "closes": "2026-02-16T12:00"}  # fmt: skip


def hours(n: float) -> datetime:
    return NOW + timedelta(hours=n)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compounds c1 (stations s1 and s2) and c2 of two committees; a liaison of c1, a registrar of everything."""
    path = tmp_path_factory.mktemp("bookings") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        places.add_area(conn, "a1", "东片区")
        for n in "12":
            places.add_committee(conn, f"k{n}", f"居委{n}", "a1")
            places.add_compound(conn, f"c{n}", f"小区{n}", f"k{n}")
            places.add_gate(conn, f"g{n}", "东门", f"c{n}")
        for station in ("s1", "s2"):
            conn.execute(sa.insert(tables.stations).values(id=station, gate="g1", lane=station, password="x", added_at=NOW))
        for id, name, role, scope in [
            ("li", "李敏", Role.LIAISON, Scope(ScopeKind.COMPOUND, "c1")),
            ("deng", "邓登记", Role.REGISTRAR, Scope(ScopeKind.ALL)),
            ("insp", "吴巡查", Role.INSPECTOR, Scope(ScopeKind.ALL)),
        ]:
            accounts.add_account(conn, id, name, role, "a long password", scopes=[scope])
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


@pytest.fixture
def conn(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.begin() as conn:
        yield conn


def book(conn: sa.Connection, opens: float, closes: float, compound: str = "c1", made: float = 0, **more: Any) -> Booked:
    usual: dict[str, Any] = {"kind": "guest", "dwelling": "1号"}
    times = {"opens": hours(opens), "closes": hours(closes), "now": hours(made)}
    return bookings.add(conn, compound=compound, by="li", **times, **usual | more)


def hear(conn: sa.Connection, station: str, version: int, at: datetime = NOW) -> None:
    """A station says by which version it decides."""
    vitals = Vitals(boot="b", mono_ns=1, at=at, clock=Clock.SYNCED, last_seq=1, backlog=0, directory_version=version)
    said = encode(vitals).decode()
    upsert(conn, tables.pulses, [{"station": station, "birth": "b", "online": True, "heard_at": at, "vitals": said}])


def happen(conn: sa.Connection, seq: int, at: datetime, body: Body, gate: str = "g1") -> None:
    event = Event(seq=seq, id=f"e{seq}", at=at, boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
    conn.execute(sa.insert(tables.events).values(
        journal="j", seq=seq, id=event.id, station="s1", gate=gate, at=at, received_at=at, boot="b", mono_ns=seq, clock="synced",
        kind=kind_of(body), body=encode(event).decode(),
    ))  # fmt: skip


def came_in(booking: str | None) -> Entry:
    return Entry(direction=Direction.IN, outcome=Outcome.ADMIT, people=2, booking=booking)


# ---- the lists ----


def found(conn: sa.Connection, **wanted: Any) -> list[str]:
    lines, count = booking_lists.search(conn, Wanted(**{"reach": None} | wanted), NOW, 9)
    assert count == len(lines)
    return [one.id for one in lines]


def test_open_and_coming_ones_are_listed_the_soonest_first_and_those_over_apart(conn: sa.Connection) -> None:
    later, past, now, there = (
        book(conn, 5, 6),
        book(conn, -5, -1, made=-6),
        book(conn, -1, 2),
        book(conn, 1, 2, "c2", kind="workers"),
    )
    undone = book(conn, 3, 4)
    bookings.cancel(conn, undone.id, "li", NOW)
    assert found(conn) == [now.id, there.id, later.id]
    assert found(conn, over=True) == [undone.id, past.id]
    assert found(conn, reach=frozenset({"c1"})) == [now.id, later.id]
    assert (found(conn, reach=frozenset()), found(conn, compound="c2"), found(conn, kind="workers")) == (
        [],
        [there.id],
        [there.id],
    )
    assert [bookings.find(conn, one.id).state(NOW) for one in (later, past, now, undone)] == [
        State.COMING, State.PAST, State.OPEN, State.CANCELLED,
    ]  # fmt: skip
    lines, count = booking_lists.search(conn, Wanted(reach=None), NOW, 1, 1)
    assert ([one.id for one in lines], count) == ([there.id], 3)


def known(conn: sa.Connection, one: Booked) -> Known:
    (there,) = confirmations.confirmed(conn, frozenset({one.compound}))
    return booking_lists.known_by(bookings.find(conn, one.id), bookings.told_since(conn, one), there)


def test_a_station_knows_of_a_booking_from_the_version_on_that_told_it(conn: sa.Connection) -> None:
    made = book(conn, 1, 2)
    version = versions.version_of(conn, "c1")
    hear(conn, "s1", version)
    hear(conn, "s2", version - 1)
    versions.bump(conn, "c1")
    assert known(conn, made) == Known(stations=2, waiting=("东门 s2",))
    assert (bookings.told_since(conn, made), known(conn, made).heard) == (version, 1)
    bookings.cancel(conn, made.id, "li", NOW)
    assert known(conn, made).heard == 0
    hear(conn, "s1", versions.version_of(conn, "c1"))
    assert known(conn, made).waiting == ("东门 s2",)


def test_one_made_long_ahead_is_known_by_who_was_heard_since_it_came_within_sight(conn: sa.Connection) -> None:
    made = book(conn, 72, 73)
    for station, at in (("s1", hours(36.9)), ("s2", hours(37.1))):
        hear(conn, station, versions.version_of(conn, "c1"), at)
    assert known(conn, made).waiting == ("东门 s1",)


def test_of_one_that_was_made_before_the_version_was_kept_the_newest_counts(conn: sa.Connection) -> None:
    made = book(conn, 1, 2)
    newest = versions.version_of(conn, "c1")
    conn.execute(sa.delete(tables.meta).where(tables.meta.c.key == "bookings:c1"))
    hear(conn, "s1", newest)
    assert known(conn, made).waiting == ("东门 s2",)


def test_versions_are_kept_only_of_what_has_not_been_closed_for_long(conn: sa.Connection) -> None:
    first = book(conn, 1, 2)
    book(conn, 10, 12, made=9)
    assert bookings.told_since(conn, first) is None


def test_who_came_are_the_entries_that_name_the_booking__but_cancelled_ones(conn: sa.Connection) -> None:
    made, other = book(conn, 1, 2), book(conn, 1, 2)
    for seq, (at, body) in enumerate([
        (hours(1), came_in(made.id)), (hours(1.1), came_in(other.id)), (hours(1.2), came_in(None)),
        (hours(0.5), came_in(made.id)), (hours(-20), came_in(made.id)), (hours(1.5), came_in(made.id)),
        (hours(1.6), Correction(corrects="e6", cancelled=True)), (hours(1.7), Correction(corrects="e1", note=made.id)),
    ], 1):  # fmt: skip
        happen(conn, seq, at, body)
    assert [(one.id, one.gate_name, one.body.people) for one in booking_lists.came(conn, made)] == [
        ("e4", "东门", 2), ("e1", "东门", 2),
    ]  # fmt: skip


# ---- the pages ----


class Browser(FlaskClient):
    """A signed-in account's browser: what it posts has the session's token."""

    token = ""

    def post(self, *args: Any, **kw: Any) -> TestResponse:
        """A form."""
        return super().post(*args, **kw | {"data": {"csrf_token": self.token} | kw.get("data", {})})


Browse = Callable[..., Browser]


@pytest.fixture
def browse(engine: sa.Engine, tmp_path: Path) -> Browse:
    clock = [NOW]
    app = create_app(Located(HubSettings(web=Web(secure_cookies=False)), tmp_path), engine, now=lambda: clock[0])

    def as_(account: str, now: datetime = NOW) -> Browser:
        clock[0] = now
        client = Browser(app, app.response_class)
        with app.test_request_context():
            client.token, raw = generate_csrf(), session["csrf_token"]
        with client.session_transaction() as kept:
            kept.update({"_user_id": f"1 {account}", "_fresh": True, "csrf_token": raw})
        return client

    return as_


def noted(engine: sa.Engine, count: int = 9) -> list[tuple[str, str, str, dict[str, Any]]]:
    with engine.connect() as conn:
        return [(line.account, line.action, line.object, line.detail) for line in audit.lines(conn, count)]


def stored(engine: sa.Engine) -> list[Booked]:
    with engine.connect() as conn:
        return bookings.list_bookings(conn)


def test_a_liaison_books_for_the_own_compound_and_stands_before_what_was_made(browse: Browse, engine: sa.Engine) -> None:
    client = browse("li")
    form = client.get("/bookings/new").text
    assert 'value="2026-02-16T07:41"' in form
    assert 'value="2026-02-16T23:59"' in form
    assert '<option value="c1" selected>' in form
    assert "小区2" not in form
    answer = client.post("/bookings/new", data=FORM)
    (made,) = stored(engine)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/bookings/{made.id}")
    assert (made.kind, made.plate, made.crew, made.dwelling, made.note, made.made_by) == (
        "removal", "沪A12345", 3, "3号楼502", "走北门", "li",
    )  # fmt: skip
    assert (made.opens, made.closes) == (datetime(2026, 2, 16, 1, tzinfo=UTC), datetime(2026, 2, 16, 4, tzinfo=UTC))
    assert noted(engine) == [("li", "add", made.id, {"compound": "c1"})]
    page = client.get(f"/bookings/{made.id}").text
    assert all(word in page for word in ("搬家", "沪A12345", "3 人", "09:00 至 12:00", "李敏", "0/2 台岗亭已收到", "东门 s1"))
    assert "谁来过" not in page


def test_nothing_said_of_time_is_from_now_and_of_the_crew_not_said(browse: Browse, engine: sa.Engine) -> None:
    assert browse("li").post("/bookings/new", data=FORM | {"opens": "", "crew": "", "plate": ""}).status_code == 303
    (made,) = stored(engine)
    assert (made.opens, made.crew, made.plate) == (NOW, 0, "")


@pytest.mark.parametrize("hour, day", [(22, 16), (23, 17)])
def test_late_in_the_evening_the_end_of_tomorrow_is_offered(browse: Browse, hour: int, day: int) -> None:
    late = browse("li", datetime(2026, 2, 16, hour, 30, tzinfo=SHANGHAI).astimezone(UTC))
    assert f'value="2026-02-{day}T23:59"' in late.get("/bookings/new").text


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"kind": "circus"}, "请选种类"), ({"compound": "c2"}, "请选你负责的小区"), ({"plate": "沪A12345678901"}, "车牌最多"),
        ({"plate": "·"}, "车牌最多"), ({"plate": "", "dwelling": " "}, "至少填一个"), ({"crew": "101"}, "0 到 100"),
        ({"crew": "-1"}, "0 到 100"), ({"crew": "三"}, "0 到 100"), ({"crew": "9" * 5000}, "0 到 100"),
        ({"note": "字" * 201}, "最多 200"),
        ({"dwelling": "a\x00b"}, "特殊字符"), ({"opens": "soon"}, "看不懂这个时间"), ({"closes": ""}, "到什么时候止"),
        ({"closes": "2026-02-16T07:40"}, "已经过了"), ({"closes": "2026-02-16T09:00"}, "晚于"),
        ({"closes": "2026-03-20T09:00"}, "31 天"),
    ],
)  # fmt: skip
def test_a_bad_form_is_shown_again_with_what_was_typed(
    browse: Browse, engine: sa.Engine, changes: dict[str, str], said: str
) -> None:
    answer = browse("li").post("/bookings/new", data=FORM | changes)
    assert (answer.status_code, said in answer.text, "没有登记" in answer.text) == (400, True, True)
    assert ("走北门" in answer.text) == ("note" not in changes)
    assert stored(engine) == []
    assert noted(engine) == []


def test_the_list_shows_what_is_in_reach_and_notes_the_look(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        book(conn, -1, 2, plate="沪A1")
        book(conn, 1, 2, "c2", plate="沪B2", kind="workers")
        book(conn, -3, -2, made=-4, plate="沪C3")
    mine, all_ = browse("li").get("/bookings"), browse("deng").get("/bookings?compound=c2&kind=workers")
    assert ("沪A1" in mine.text, "沪B2" in mine.text, "沪C3" in mine.text, "现在可进" in mine.text) == (True, False, False, True)
    assert ("沪A1" in all_.text, "沪B2" in all_.text) == (False, True)
    over = browse("li").get("/bookings?over=1&compound=c2").text
    assert ("沪A1" in over, "沪C3" in over) == (False, True)
    assert [(account, action, object) for account, action, object, _ in noted(engine)] == [
        ("li", "look", ""), ("deng", "look", "c2"), ("li", "look", ""),
    ]  # fmt: skip


def test_the_list_is_paged(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        for n in range(41):
            book(conn, 1 + n / 100, 3, plate=f"P{n:03}")
    first, second = (browse("li").get(f"/bookings?kind=guest&page={page}").text for page in (0, 1))
    assert ("P039" in first, "P040" in first, "共 41 个" in first, "第 1/2 页" in first) == (True, False, True, True)
    assert ("P039" in second, "P040" in second, "page=0&amp;kind=guest" in second) == (False, True, True)


def test_cancelling_takes_a_tick_and_is_done_once(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        made = book(conn, 1, 2)
    client = browse("li")
    unsure = client.post(f"/bookings/{made.id}/cancel")
    assert (unsure.status_code, "请先勾选" in unsure.text, stored(engine)[0].cancelled_at) == (400, True, None)
    for _ in range(2):
        assert client.post(f"/bookings/{made.id}/cancel", data={"sure": "y"}).status_code == 303
    (line,) = noted(engine)
    assert line == ("li", "cancel", made.id, {"compound": "c1"})
    assert stored(engine)[0].cancelled_by == "li"
    page = client.get(f"/bookings/{made.id}").text
    assert all(word in page for word in ("已取消", "0/2 台岗亭已知道取消", "不用取消"))
    assert "取消这个预约" not in page


def test_one_shows_who_has_come_and_one_far_ahead_when_it_is_told(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        here, far, nobody = book(conn, -1, 2), book(conn, 40, 41), book(conn, -1, 2)
        happen(conn, 1, hours(-0.5), came_in(here.id))
    client = browse("li")
    pages = {one.id: client.get(f"/bookings/{one.id}").text for one in (here, far, nobody)}
    assert 'href="/gate/g1/entry/e1"' in pages[here.id]
    assert "还没有人按这个预约进出" in pages[nobody.id]
    assert ("开始前 36 小时" in pages[far.id], "台岗亭已收到" in pages[far.id]) == (True, False)


def test_another_compounds_booking_is_as_good_as_not_there(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        there = book(conn, 1, 2, "c2")
    li = browse("li")
    assert [li.get(f"/bookings/{id}").status_code for id in (there.id, "b0")] == [404, 404]
    assert li.post(f"/bookings/{there.id}/cancel", data={"sure": "y"}).status_code == 404
    assert stored(engine)[0].cancelled_at is None
    assert browse("deng").get(f"/bookings/{there.id}").status_code == 200
    assert [browse("insp").get(path).status_code for path in ("/bookings", "/bookings/new")] == [403, 403]
