"""Policies at the hub's pages: what holds and whose word it is, changed, taken back, asked about before it holds back."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import sqlalchemy as sa
from flask import session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from contract.directory import ColourRule, Policies
from hub import audit
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, colours, held_back, places, policies, versions
from hub.registry.policies import EVERYWHERE
from hub.rights import Role, Scope, ScopeKind
from hub.rules.colouring import USUAL, with_rule
from hub.rules.holding_back import holds_back
from hub.store import migrate, open_store, tables
from hub.web import create_app
from hub.web.policy_lines import RULES, fields, read

NOW = datetime(2026, 2, 16, 7, 41, tzinfo=UTC)
NONE = Policies()

# ---- what holds residents back ----


@pytest.mark.parametrize(
    "before, after, held",
    [
        ({}, {}, False),
        ({}, {"outings": 9}, True),
        ({"outings": 1, "outing_days": 2}, {"outings": 0}, False),
        ({"outings": 2, "outing_days": 2}, {"outings": 1, "outing_days": 1}, True),
        ({"outings": 1, "outing_days": 1}, {"outings": 2, "outing_days": 2}, False),
        ({"outings": 1, "outing_days": 2}, {"outings": 1, "outing_days": 3}, True),
        ({"outings": 1, "outing_days": 2}, {"outings": 2, "outing_days": 3}, False),
        ({}, {"outing_seconds": 3600}, True),
        ({"outing_seconds": 3600}, {"outing_seconds": 7200}, False),
        ({"outing_seconds": 7200}, {"outing_seconds": 0}, False),
        ({}, {"outing_windows": ((420, 540),)}, True),
        ({"outing_windows": ((420, 540),)}, {"outing_windows": ()}, False),
        ({"outing_windows": ((420, 540),)}, {"outing_windows": ((480, 600),)}, True),
        ({"outing_windows": ((420, 540), (540, 600))}, {"outing_windows": ((420, 600),)}, False),
        ({"outing_windows": ((1320, 120),)}, {"outing_windows": ((0, 120), (1320, 1440))}, False),
        ({}, {"outing_windows": ((0, 1440),)}, False),
        ({}, {"courier": "visitor", "taxi_seconds": 60, "night": (0, 60), "question_share": 1}, False),
    ],
)  # fmt: skip
def test_what_holds_residents_back(before: dict[str, Any], after: dict[str, Any], held: bool) -> None:
    assert holds_back(Policies(**before), Policies(**after)) is held


quotas = st.tuples(st.integers(0, 6), st.integers(1, 7))


@given(quotas, quotas, st.data())
def test_by_a_quota_that_holds_nobody_back_every_week_that_went_before_still_goes(
    before: tuple[int, int], after: tuple[int, int], data: st.DataObject
) -> None:
    made = Policies(outings=before[0], outing_days=before[1]), Policies(outings=after[0], outing_days=after[1])
    week = data.draw(st.lists(st.integers(0, 6), min_size=7, max_size=14))
    if not holds_back(*made) and goes(week, made[0]):
        assert goes(week, made[1])


def goes(outings: list[int], policies: Policies) -> bool:
    """Whether so many outings a day keep within the quota, as a station counts them: today and the days before it."""
    most, days = policies.outings or inf, policies.outing_days
    return all(sum(outings[max(0, day - days + 1) : day + 1]) <= most for day in range(len(outings)))


# ---- fields ----


spans = st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda span: span[0] != span[1])
some = st.builds(
    Policies,
    courier=st.sampled_from(["shelf", "visitor"]),
    question_share=st.integers(0, 100).map(lambda n: n / 100),
    shift_seconds=st.integers(2, 48).map(lambda n: n * 1800.0),
    aside_seconds=st.integers(0, 60).map(lambda n: n * 60.0),
    taxi_seconds=st.integers(1, 1440).map(lambda n: n * 60.0),
    visit_seconds=st.integers(1, 336).map(lambda n: n * 1800.0),
    night=spans,
    outings=st.integers(0, 20),
    outing_days=st.integers(1, 7),
    outing_seconds=st.integers(0, 336).map(lambda n: n * 1800.0),
    outing_windows=st.lists(spans, max_size=8).map(tuple),
)


@given(some)
def test_what_stands_in_the_fields_is_read_as_what_it_is(made: Policies) -> None:
    got: dict[str, object] = {}
    for rule in RULES.values():
        got |= read(rule, fields(rule, made)) or {}
    assert policies.merged({}, got) == made
    assert set(got) == set(Policies.__struct_fields__)


@pytest.mark.parametrize(
    "key, typed",
    [
        ("courier", {"value": ["roof"]}), ("courier", {}), ("question_share", {"value": ["101"]}),
        ("question_share", {"value": ["-1"]}), ("shift_seconds", {"value": ["0"]}), ("shift_seconds", {"value": ["25"]}),
        ("visit_seconds", {"value": ["nan"]}), ("taxi_seconds", {"value": ["1e3"]}), ("taxi_seconds", {"value": ["9" * 400]}),
        ("quota", {"outings": ["1.5"], "outing_days": ["2"]}), ("quota", {"outings": ["1"], "outing_days": ["8"]}),
        ("quota", {"outings": ["1"]}), ("night", {"begins": ["21:00"], "ends": [""]}), ("night", {}),
        ("night", {"begins": ["21:00"], "ends": ["21:00"]}), ("outing_windows", {"begins": ["07:00", ""], "ends": ["", "09:00"]}),
        ("outing_windows", {"begins": ["24:00"], "ends": ["09:00"]}),
        ("outing_windows", {"begins": ["07:00"] * 9, "ends": ["09:00"] * 9}),
    ],
)  # fmt: skip
def test_what_can_not_be_taken(key: str, typed: dict[str, list[str]]) -> None:
    assert read(RULES[key], typed) is None


def test_full_width_figures_are_read_and_empty_times_are_all_day() -> None:
    assert read(RULES["shift_seconds"], {"value": ["１．５"]}) == {"shift_seconds": 5400.0}
    assert read(RULES["outing_windows"], {"begins": ["", ""], "ends": ["", ""]}) == {"outing_windows": []}


# ---- the store and the pages ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compounds c1 (three residents, one of them in care and one expired, and a worker) and c2 (one resident)."""
    path = tmp_path_factory.mktemp("policies") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        places.add_area(conn, "a1", "东片区")
        for n in "12":
            places.add_committee(conn, f"k{n}", f"居委{n}", "a1")
            places.add_compound(conn, f"c{n}", f"小区{n}", f"k{n}")
        for n, (compound, kind, colour, days) in enumerate([
            ("c1", "resident", None, 9), ("c1", "resident", "purple", 9), ("c1", "resident", None, -1), ("c1", "worker", None, 9),
            ("c2", "resident", "gone", 9),
        ]):  # fmt: skip
            conn.execute(sa.insert(tables.passes).values(
                id=f"{n:032x}", kind=kind, compound=compound, name="王*", dwelling=f"{n}号", token=f"GP1:{n}", colour=colour,
                not_before=NOW, expires=NOW + timedelta(days=days), issued_at=NOW, issued_by="t",
            ))  # fmt: skip
        for id, name, role, scope in [
            ("super", "周督查", Role.SUPERVISOR, Scope(ScopeKind.ALL)),
            ("east", "东督查", Role.SUPERVISOR, Scope(ScopeKind.COMPOUND, "c1")),
            ("li", "李敏", Role.LIAISON, Scope(ScopeKind.ALL)),
        ]:
            accounts.add_account(conn, id, name, role, "a long password", scopes=[scope])
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


def test_residents_are_counted_whose_pass_is_good_and_whose_colour_has_a_quota(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        assert [held_back.residents(conn, of, NOW) for of in (["c1"], ["c1", "c2"], [])] == [1, 2, 0]
        colours.save(conn, with_rule(USUAL, "purple", ColourRule(label="紫 需要照护")))
        assert held_back.residents(conn, ["c1"], NOW) == 2


def test_what_was_set_everywhere_is_told_at_once(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        policies.change(conn, EVERYWHERE, {"night": (0, 60), "outings": 2}, "super", NOW)
        policies.change(conn, "c1", {"outing_windows": []}, "east", NOW)
        told = policies.all_told(conn)
        assert {scope: one.values for scope, one in told.items()} == {
            "": {"night": (0, 60), "outings": 2}, "c1": {"outing_windows": []},
        }  # fmt: skip
        assert (told["c1"].by, told["c1"].at) == ("east", NOW)
        assert policies.in_force(conn, "c1") == Policies(night=(0, 60), outings=2)


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


def own(engine: sa.Engine, scope: str = EVERYWHERE) -> dict[str, object]:
    with engine.connect() as conn:
        return policies.own(conn, scope)


def noted(engine: sa.Engine) -> list[tuple[str, str, str, dict[str, Any]]]:
    with engine.connect() as conn:
        return [(line.action, line.kind, line.object, line.detail) for line in audit.lines(conn, 9)]


def token_of(page: str) -> str:
    (token,) = re.findall(r'name="confirmed" value="([^"]*)"', page)
    return str(token)


QUOTA = {"act": "set", "outings": "1", "outing_days": "2"}


def test_the_page_says_what_holds_in_plain_words_and_whose_word_it_is(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        policies.change(conn, EVERYWHERE, {"outings": 1, "taxi_seconds": 5400, "question_share": 0.05}, "super", NOW)
        policies.change(conn, "c1", {"outing_windows": [(420, 540), (1320, 60)], "outing_seconds": 10800}, "cli", NOW)
    whole, here = browse("super").get("/settings/policies").text, browse("super").get("/settings/policies?at=c1").text
    for words in (
        "每户每 2 天最多 1 人次",
        "1小时30分",
        "每 100 位居民约问 5 位",
        "不限时长",
        "全天",
        "21:00–次日06:00",
        "周督查",
    ):
        assert words in whole
    assert "另设的小区：" in whole
    assert 'href="/settings/policies?at=c1#policy-outing_windows"' in whole
    for words in ("07:00–09:00、22:00–次日01:00", "每次最多3小时", "本小区另设", "用全街道的", "默认值", "服务器命令行"):
        assert words in here


def test_a_change_is_made_noted_and_told_to_the_stations(browse: Browse, engine: sa.Engine) -> None:
    with engine.connect() as conn:
        before = versions.versions(conn)
    answer = browse("super").post("/settings/policies/taxi_seconds", data={"act": "set", "value": "20"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/policies#policy-taxi_seconds")
    assert own(engine) == {"taxi_seconds": 1200.0}
    assert noted(engine) == [("set_policy", "all", "", {"policy": "taxi_seconds", "value": "1200"})]
    with engine.connect() as conn:
        assert versions.versions(conn) == {compound: version + 1 for compound, version in before.items()}
    again = browse("super").post("/settings/policies/taxi_seconds", data={"act": "set", "value": "20"})
    assert (again.status_code, len(noted(engine))) == (303, 1)


def test_what_holds_residents_back_is_asked_about_with_their_number(browse: Browse, engine: sa.Engine) -> None:
    client = browse("super")
    asked = client.post("/settings/policies/quota", data=QUOTA)
    assert (asked.status_code, own(engine)) == (400, {})
    assert "2 个小区、2 位居民" in asked.text
    assert "每户每 2 天最多 1 人次" in asked.text
    confirmed = {"confirmed": token_of(asked.text)}
    other = client.post("/settings/policies/quota", data=QUOTA | confirmed | {"outing_days": "7"})
    assert (other.status_code, own(engine)) == (400, {})
    assert client.post("/settings/policies/quota", data=QUOTA | confirmed).status_code == 303
    assert own(engine) == {"outings": 1, "outing_days": 2}
    assert noted(engine) == [
        ("set_policy", "all", "", {"policy": "outing_days", "value": "2"}),
        ("set_policy", "all", "", {"policy": "outings", "value": "1"}),
    ]


def test_only_compounds_that_go_by_the_sub_districts_word_are_counted(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        policies.change(conn, "c2", {"outings": 1, "outing_days": 3}, "super", NOW)
    assert "1 个小区、1 位居民" in browse("super").post("/settings/policies/quota", data=QUOTA).text


def test_taking_back_what_was_milder_is_asked_about_too(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        policies.change(conn, EVERYWHERE, {"outing_seconds": 3600}, "super", NOW)
        policies.change(conn, "c1", {"outing_seconds": 0}, "super", NOW)
    client, back = browse("east"), {"at": "c1", "act": "clear"}
    asked = client.post("/settings/policies/outing_seconds", data=back)
    assert (asked.status_code, "1 个小区、1 位居民" in asked.text, "每次最多1小时" in asked.text) == (400, True, True)
    sure = back | {"confirmed": token_of(asked.text)}
    assert client.post("/settings/policies/outing_seconds", data=sure).status_code == 303
    assert own(engine, "c1") == {}
    assert noted(engine) == [("set_policy", "compound", "c1", {"policy": "outing_seconds", "value": "default"})]


def test_what_lets_them_out_more_needs_no_asking(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        policies.change(conn, EVERYWHERE, {"outings": 1, "outing_days": 7}, "super", NOW)
    assert browse("super").post("/settings/policies/quota", data=QUOTA).status_code == 303
    assert browse("super").post("/settings/policies/quota", data={"act": "clear"}).status_code == 303
    assert own(engine) == {}


@pytest.mark.parametrize(
    "key, typed, words",
    [
        ("courier", {"value": "roof"}, "请选一种"), ("shift_seconds", {"value": "30"}, "1 到 24 小时"),
        ("quota", {"outings": "x", "outing_days": "2"}, "1 到 7 天"), ("night", {"begins": "21:00", "ends": ""}, "起止时间"),
        ("outing_windows", {"begins": "07:00", "ends": ""}, "每一段"), ("aside_seconds", {"value": ""}, "0 到 60 分钟"),
        ("question_share", {"value": "200"}, "0 到 100"),
    ],
)  # fmt: skip
def test_a_bad_value_is_shown_again_with_what_it_may_be(
    browse: Browse, engine: sa.Engine, key: str, typed: dict[str, str], words: str
) -> None:
    answer = browse("super").post(f"/settings/policies/{key}", data=typed | {"act": "set"})
    assert (answer.status_code, words in answer.text, own(engine)) == (400, True, {})
    assert all(f'value="{value}"' in answer.text for value in typed.values() if value and key != "courier")


def test_who_answers_for_a_compound_changes_that_one_and_looks_at_the_whole(browse: Browse, engine: sa.Engine) -> None:
    east, night = browse("east"), {"act": "set", "begins": "22:00", "ends": "05:30"}
    whole = east.get("/settings/policies").text
    assert ("由负责全街道的账号修改" in whole, "policy-form" in whole, "小区2" in whole) == (True, False, False)
    assert east.post("/settings/policies/night", data=night).status_code == 403
    assert east.post("/settings/policies/night", data=night | {"at": "c2"}).status_code == 404
    assert east.get("/settings/policies?at=c2").status_code == 404
    assert east.post("/settings/policies/night", data=night | {"at": "c1"}).status_code == 303
    assert (own(engine, "c1"), own(engine)) == ({"night": (1320, 330)}, {})
    assert browse("super").get("/settings/policies?at=c9").status_code == 404
    assert browse("super").post("/settings/policies/fever", data=night).status_code == 404
    assert browse("li").get("/settings/policies").status_code == 403


def test_every_policy_has_its_line() -> None:
    assert {name for rule in RULES.values() for name in rule.names} == set(Policies.__struct_fields__)
