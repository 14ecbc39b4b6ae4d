"""Notices: what is current where, when the directories' versions are raised, who has heard, the pages and the command."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from contract.codec import encode
from contract.events import Clock
from contract.messages import Vitals
from hub import audit
from hub.cli import main
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, directory, keys, notices, places, versions
from hub.registry.errors import RegistryError
from hub.registry.notices import Posted, State
from hub.rights import Role, Scope, ScopeKind
from hub.store import migrate, open_store, tables
from hub.web import create_app

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 2, 16, 7, 41, tzinfo=SHANGHAI).astimezone(UTC)
ALL, AREA, COMMITTEE, COMPOUND = (
    Scope(ScopeKind.ALL), Scope(ScopeKind.AREA, "a1"), Scope(ScopeKind.COMMITTEE, "k1"), Scope(ScopeKind.COMPOUND, "c1"),
)  # fmt: skip


def hours(n: float) -> datetime:
    return NOW + timedelta(hours=n)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Area a1 with committees k1 (c1) and k2 (c2), area a2 with k3 (c3); a station at a gate of each compound."""
    path = tmp_path_factory.mktemp("notices") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        for area, of in (("a1", ("1", "2")), ("a2", ("3",))):
            places.add_area(conn, area, f"片区{area}")
            for n in of:
                places.add_committee(conn, f"k{n}", f"居委{n}", area)
                places.add_compound(conn, f"c{n}", f"小区{n}", f"k{n}")
                places.add_gate(conn, f"g{n}", "东门", f"c{n}")
                conn.execute(sa.insert(tables.stations).values(id=f"s{n}", gate=f"g{n}", password="x", added_at=NOW))
        for id, role, scope in [
            ("super", Role.SUPERVISOR, ALL), ("east", Role.SUPERVISOR, AREA), ("li", Role.LIAISON, COMPOUND),
            ("insp", Role.INSPECTOR, ALL),
        ]:  # fmt: skip
            accounts.add_account(conn, id, id, role, "a long password", scopes=[scope])
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


def put(conn: sa.Connection, scope: Scope = ALL, begins: float = 0, ends: float = 5, zh: str = "今晚西门关闭") -> Posted:
    return notices.add(conn, zh=zh, scope=scope, begins=hours(begins), ends=hours(ends), by="t", now=NOW)


def told(conn: sa.Connection, at: datetime = NOW) -> dict[str, list[str]]:
    return {compound: [one.zh for one in notices.told(conn, compound, at)] for compound in ("c1", "c2", "c3")}


# ---- what is told ----


def test_a_notice_is_told_where_it_stands__the_nearest_place_first(conn: sa.Connection) -> None:
    for scope in (ALL, AREA, COMMITTEE, COMPOUND):
        put(conn, scope, zh=scope.kind.value)
    assert told(conn) == {"c1": ["compound", "committee", "area", "all"], "c2": ["area", "all"], "c3": ["all"]}


def test_a_notice_is_told_from_its_beginning_until_its_end(conn: sa.Connection, tmp_path: Path) -> None:
    made = put(conn, COMPOUND, begins=1, ends=2)
    located = Located(HubSettings(), tmp_path)
    at = {n: directory.build(conn, located, "c1", hours(n)).notices.notices for n in (0, 0.99, 1, 1.99, 2)}
    assert {n: [one.id for one in found] for n, found in at.items()} == {
        0: [], 0.99: [], 1: [made.id], 1.99: [made.id], 2: [],
    }  # fmt: skip
    assert [made.state(hours(n)) for n in (0, 1, 2)] == [State.COMING, State.CURRENT, State.PAST]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"zh": " \n "}, "Chinese"), ({"zh": "字" * 201}, "200"), ({"en": "x" * 201}, "200"), ({"zh": "a\x00b"}, "printable"),
        ({"scope": Scope(ScopeKind.AREA, "a9")}, "a9"), ({"ends": hours(-1), "begins": hours(-2)}, "past"),
        ({"ends": hours(1), "begins": hours(1)}, "not after"), ({"ends": hours(24 * 93)}, "92 at most"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_notice_is_said(conn: sa.Connection, changes: dict[str, Any], said: str) -> None:
    usual: dict[str, Any] = {"zh": "好", "scope": ALL, "begins": NOW, "ends": hours(1)}
    with pytest.raises(RegistryError, match=said):
        notices.add(conn, **usual | changes, by="t", now=NOW)
    assert notices.live(conn, NOW, 9) == []


def test_lines_are_made_one_and_200_characters_are_enough(conn: sa.Connection) -> None:
    assert put(conn, zh=" 今晚\n西门  关闭 ").zh == "今晚 西门 关闭"
    assert len(put(conn, zh="字" * 200).zh) == 200


# ---- when the directories' versions are raised ----


def raised(conn: sa.Connection, before: dict[str, int]) -> dict[str, int]:
    return {compound: version - before[compound] for compound, version in versions.versions(conn).items()}


def test_one_that_has_begun_raises_the_versions_at_once_and_one_to_come_when_it_begins_and_ends(conn: sa.Connection) -> None:
    before = versions.versions(conn)
    put(conn, COMPOUND)
    assert raised(conn, before) == {"c1": 1, "c2": 0, "c3": 0}
    put(conn, AREA, begins=1, ends=2)
    for at, due, sum_of in [(0, False, (1, 0, 0)), (1, True, (2, 1, 0)), (1.5, False, (2, 1, 0)), (2, True, (3, 2, 0)),
                            (2.1, False, (3, 2, 0)), (5, True, (4, 2, 0))]:  # fmt: skip
        assert notices.is_due(conn, hours(at)) is due
        notices.turn(conn, hours(at))
        assert tuple(raised(conn, before).values()) == sum_of
        assert not notices.is_due(conn, hours(at))


def test_one_that_came_and_went_while_nobody_looked_raises_nothing(conn: sa.Connection) -> None:
    put(conn, ALL, begins=1, ends=2)
    before = versions.versions(conn)
    assert notices.turn(conn, hours(3)) == set()
    assert versions.versions(conn) == before


def test_a_change_and_a_withdrawal_are_told_to_where_it_stood_and_stands(conn: sa.Connection) -> None:
    made, before = put(conn, COMPOUND), versions.versions(conn)
    same = {"begins": made.begins, "ends": made.ends, "now": NOW}
    notices.change(conn, made.id, zh="改了", scope=COMPOUND, **same)
    assert raised(conn, before) == {"c1": 1, "c2": 0, "c3": 0}
    notices.change(conn, made.id, zh="改了", scope=Scope(ScopeKind.COMPOUND, "c3"), **same)
    assert raised(conn, before) == {"c1": 2, "c2": 0, "c3": 1}
    gone = notices.withdraw(conn, made.id, "t", NOW)
    assert notices.withdraw(conn, made.id, "u", hours(1)) == gone
    assert (raised(conn, before), told(conn)["c3"]) == ({"c1": 2, "c2": 0, "c3": 2}, [])
    with pytest.raises(RegistryError, match="over"):
        notices.change(conn, made.id, zh="又改", scope=COMPOUND, **same)


def test_a_compound_that_joins_the_place_is_told_and_one_that_leaves_is(conn: sa.Connection) -> None:
    put(conn, AREA)
    before = versions.versions(conn)
    places.change_committee(conn, "k3", "居委3", "a1")
    assert notices.is_due(conn, NOW)
    assert notices.turn(conn, NOW) == {"c3"}
    places.change_committee(conn, "k1", "居委1", "a2")
    assert notices.turn(conn, NOW) == {"c1"}
    assert raised(conn, before) == {"c1": 1, "c2": 0, "c3": 1}


stretches = st.tuples(st.sampled_from([ALL, AREA, COMPOUND]), st.integers(0, 8), st.integers(1, 8))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(stretches, max_size=4), st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_whatever_stations_are_told_changes_only_with_the_version(
    engine: sa.Engine, posted: list[tuple[Scope, int, int]], looks: list[int]
) -> None:
    with engine.connect() as conn:
        for scope, begins, lasts in posted:
            notices.add(conn, zh="好", scope=scope, begins=hours(begins), ends=hours(begins + lasts), by="t", now=NOW)
        seen: dict[tuple[str, int], list[str]] = {}
        for at in sorted(looks):
            notices.turn(conn, hours(at))
            for compound in ("c1", "c2", "c3"):
                ids = [one.id for one in notices.told(conn, compound, hours(at))]
                assert seen.setdefault((compound, versions.version_of(conn, compound)), ids) == ids
        conn.rollback()


# ---- the pages ----


class Browser(FlaskClient):
    """A signed-in account's browser: what it posts has the session's token."""

    token = ""

    def post(self, *args: Any, **kw: Any) -> TestResponse:
        """A form."""
        return super().post(*args, **kw | {"data": {"csrf_token": self.token} | kw.get("data", {})})


Browse = Callable[[str], Browser]


@pytest.fixture
def browse(engine: sa.Engine, tmp_path: Path) -> Browse:
    app = create_app(Located(HubSettings(web=Web(secure_cookies=False)), tmp_path), engine, now=lambda: NOW)

    def as_(account: str) -> Browser:
        client = Browser(app, app.response_class)
        with app.test_request_context():
            client.token, raw = generate_csrf(), session["csrf_token"]
        with client.session_transaction() as kept:
            kept.update({"_user_id": f"1 {account}", "_fresh": True, "csrf_token": raw})
        return client

    return as_


FORM = {"zh": "今晚西门关闭", "en": "", "place": "compound:c1", "begins": "", "ends": "2026-02-16T22:00"}


def hear(conn: sa.Connection, station: str, version: int) -> None:
    vitals = Vitals(boot="b", mono_ns=1, at=NOW, clock=Clock.SYNCED, last_seq=1, backlog=0, directory_version=version)
    conn.execute(sa.insert(tables.pulses).values(station=station, online=True, heard_at=NOW, vitals=encode(vitals).decode()))


def only(engine: sa.Engine) -> Posted:
    with engine.connect() as conn:
        (made,) = notices.live(conn, NOW, 9)
    return made


def test_a_liaison_puts_up_changes_and_withdraws_a_notice_of_the_own_compound(browse: Browse, engine: sa.Engine) -> None:
    li = browse("li")
    answer = li.post("/notices/new", data=FORM)
    made = only(engine)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/notices/{made.id}")
    assert (made.scope, made.begins, made.ends) == (COMPOUND, NOW, datetime(2026, 2, 16, 22, tzinfo=SHANGHAI))
    assert li.post(f"/notices/{made.id}", data=FORM | {"zh": "今晚东门关闭"}).status_code == 303
    assert "今晚东门关闭" in li.get("/notices").text
    assert li.post(f"/notices/{made.id}/withdraw").status_code == 303
    assert "已撤下" in li.get(f"/notices/{made.id}").text
    with engine.connect() as conn:
        assert [line.action for line in audit.lines(conn, 9, object=made.id)] == ["withdraw", "change", "add"]
        assert all("西门" not in json.dumps(line.detail, ensure_ascii=False) for line in audit.lines(conn, 9))


@pytest.mark.parametrize("account, place, code", [
    ("li", "all", 400), ("li", "area:a1", 400), ("li", "committee:k1", 400), ("li", "compound:c2", 400), ("east", "all", 400),
    ("east", "area:a1", 303), ("east", "area:a2", 400), ("super", "all", 303), ("super", "committee:k3", 303),
    ("insp", "compound:c1", 403), ("super", "gate:g1", 400),
])  # fmt: skip
def test_a_place_takes_the_reach_for_all_of_it(browse: Browse, account: str, place: str, code: int) -> None:
    assert browse(account).post("/notices/new", data=FORM | {"place": place}).status_code == code


def test_one_of_a_larger_place_is_seen_and_not_changed__one_of_elsewhere_is_not_there(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        area, elsewhere = put(conn, AREA, zh="片区的"), put(conn, Scope(ScopeKind.AREA, "a2"), zh="别处的")
    li = browse("li")
    assert ("片区的" in li.get("/notices").text, "别处的" in li.get("/notices").text) == (True, False)
    assert "保存修改" not in li.get(f"/notices/{area.id}").text
    assert li.post(f"/notices/{area.id}", data=FORM).status_code == 400
    li.post(f"/notices/{area.id}/withdraw")
    assert [li.get(f"/notices/{elsewhere.id}").status_code, li.post(f"/notices/{elsewhere.id}/withdraw").status_code] == [
        404,
        404,
    ]
    with engine.connect() as conn:
        assert notices.find(conn, area.id) == area


@pytest.mark.parametrize("changes, said", [
    ({"zh": ""}, "请写告示内容"), ({"zh": "字" * 201}, "最多 200 个字"), ({"ends": ""}, "请填到什么时候止"),
    ({"ends": "2026-02-16T07:00"}, "已经过了"), ({"begins": "2026-02-16T23:00"}, "要晚于开始"), ({"begins": "x"}, "看不懂"),
    ({"ends": "2026-12-31T07:00"}, "最长 92 天"), ({"en": "a\x07b"}, "特殊字符"),
])  # fmt: skip
def test_a_bad_form_is_shown_again(browse: Browse, engine: sa.Engine, changes: dict[str, str], said: str) -> None:
    answer = browse("super").post("/notices/new", data=FORM | changes)
    assert (answer.status_code, said in answer.text) == (400, True)
    with engine.connect() as conn:
        assert notices.live(conn, NOW, 9) == []


def test_the_page_says_how_many_stations_hold_a_directory_with_it(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        made = put(conn, AREA)
        since = notices.containing(conn, made.id)
        assert set(since) == {"c1", "c2"}
        for station, version in (("s1", since["c1"]), ("s2", since["c2"] - 1)):
            hear(conn, station, version)
        versions.bump(conn, "c1")  # a later directory holds it too, and s1 may be behind for another reason
    assert "1/2 台岗亭已收到" in browse("super").get("/notices").text
    page = browse("super").get(f"/notices/{made.id}").text
    assert ("小区2 东门 s2" in page, "小区1 东门 s1" in page) == (True, False)
    assert "1/1 台岗亭已收到" in browse("li").get("/notices").text


# ---- the command ----


def run(folder: Path, *words: str, code: int = 0) -> list[dict[str, Any]]:
    result = CliRunner().invoke(main, ["notice", *words, "--json", "--config", str(folder / "hub.toml")])
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()] if not code else []


def test_notices_are_put_up_listed_and_withdrawn_by_command(engine: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text("[broker]\npassword = 'x'\n", encoding="utf-8")
    until = f"{datetime.now(SHANGHAI) + timedelta(hours=3):%Y-%m-%d %H:%M}"
    (made,) = run(tmp_path, "add", "--place", "area:a1", "--zh", "明早核酸", "--until", until)
    assert (made["place"], made["state"], made["made_by"]) == ("area:a1", "current", "cli")
    assert run(tmp_path, "list") == [made]
    (gone,) = run(tmp_path, "withdraw", made["id"])
    assert (gone["state"], gone["withdrawn_by"]) == ("withdrawn", "cli")
    assert (run(tmp_path, "list"), [one["id"] for one in run(tmp_path, "list", "--all")]) == ([], [made["id"]])
    run(tmp_path, "add", "--place", "gate:g1", "--zh", "好", "--until", until, code=2)
    with engine.connect() as conn:
        assert [line.action for line in audit.lines(conn, 9)] == ["withdraw", "add"]
