"""The colours: their rules, what is stored of them, what stations and lists make of them, and their pages."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
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

from contract.directory import ColourRule
from hub import audit
from hub import exchange as lists
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, colours, keys, passes, places, versions
from hub.registry.errors import RegistryError
from hub.rights import Role, Scope, ScopeKind
from hub.rules.colouring import (
    BUILT_IN,
    SWATCHES,
    USUAL,
    Palette,
    felt,
    is_sound,
    meanings,
    moved,
    with_rule,
    without,
    wrong_label,
)
from hub.rules.sheets_in import HOLDERS
from hub.store import migrate, open_store, tables
from hub.store.supervision import colours as colours_table
from hub.web import create_app

NOW = datetime(2026, 2, 16, 7, 41, tzinfo=UTC)
GREY = ColourRule(label="灰 出差返回", gate="refer")

# ---- the rules ----


def test_the_usual_colours_are_sound_and_each_has_a_swatch() -> None:
    assert is_sound(USUAL)
    assert set(USUAL.rules) <= set(SWATCHES)
    assert with_rule(USUAL, "grey", GREY).free == ("brown", "pink", "black", "cyan")


@pytest.mark.parametrize(
    "label, problem",
    [("", "empty"), (" ", "empty"), ("灰" * 61, "long"), ("灰\n色", "plain"), ("红 确诊或密接", "taken"), ("RED", "taken"),
     (" 绿 常住居民", "taken"), ("灰", None)],
)  # fmt: skip
def test_a_label_is_short_plain_and_nobody_elses(label: str, problem: str | None) -> None:
    assert wrong_label(with_rule(USUAL, "grey", ColourRule(label=label)), "grey") == problem


@pytest.mark.parametrize(
    "palette",
    [
        Palette({}, "green"), without(USUAL, "green"), with_rule(USUAL, "Grey!", GREY),
        with_rule(USUAL, "grey", ColourRule(label="红 确诊或密接")),
    ],
)  # fmt: skip
def test_colours_that_can_not_be_told_apart_or_lack_their_default_are_not_sound(palette: Palette) -> None:
    assert not is_sound(palette)


@given(st.sampled_from(sorted(BUILT_IN)), st.integers(-9, 9))
def test_a_move_keeps_every_colour_and_the_order_of_the_others(id: str, by: int) -> None:
    after = moved(USUAL, id, by)
    assert after.rules == USUAL.rules
    assert [one for one in after.rules if one != id] == [one for one in USUAL.rules if one != id]
    place = list(USUAL.rules).index(id) + by
    assert list(after.rules).index(id) == min(max(place, 0), len(USUAL.rules) - 1)


def rule(of: str, **changes: object) -> ColourRule:
    kept = {name: getattr(BUILT_IN[of], name) for name in ColourRule.__struct_fields__}
    return ColourRule(**kept | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "after, expected",
    [
        (USUAL, {}),
        (with_rule(USUAL, "yellow", rule("yellow", label="黄 其他")), {}),
        (with_rule(USUAL, "yellow", rule("yellow", gate="refer")), {"refer": 5}),
        (with_rule(USUAL, "green", rule("green", gate="refer")), {"refer": 107}),
        (with_rule(USUAL, "white", BUILT_IN["white"], default=True), {"refer": 100}),
        (with_rule(USUAL, "blue", rule("blue", gate="homecoming")), {"homecoming": 0}),
        (with_rule(USUAL, "red", rule("red", gate="admit"), default=True), {"admit": 2}),
        (with_rule(USUAL, "grey", GREY), {}),
    ],
)
def test_a_change_says_for_how_many_the_gates_do_something_else(after: Palette, expected: dict[str, int]) -> None:
    assert felt(USUAL, after, {None: 100, "green": 7, "yellow": 5, "red": 2, "gone": 3}) == expected


def test_a_list_may_say_an_id_a_label_or_its_first_word__but_nothing_that_means_two() -> None:
    known = meanings(USUAL.labels | {"grey": "红灰 出差"})
    assert [known.get(word) for word in ("red", "红", "红 确诊或密接", "红色", "橙色", "红灰")] == [
        "red", "red", "red", None, "orange", "grey",
    ]  # fmt: skip


# ---- the store ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two compounds; in one of them five passes, two of them yellow, one yellow and expired, one yellow and revoked."""
    path = tmp_path_factory.mktemp("colours") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        places.add_area(conn, "a1", "东片区")
        places.add_committee(conn, "k1", "东片居委", "a1")
        for compound in ("c1", "c2"):
            places.add_compound(conn, compound, compound, "k1")
        for n, (colour, days, revoked) in enumerate(
            [(None, 9, None), ("yellow", 9, None), ("yellow", 9, None), ("yellow", -1, None), ("yellow", 9, NOW)]
        ):
            conn.execute(sa.insert(tables.passes).values(
                id=f"{n:032x}", kind="resident", compound="c1", name="王*", dwelling=f"{n}号", token=f"GP1:{n}00", colour=colour,
                not_before=NOW - timedelta(days=90), expires=NOW + timedelta(days=days), issued_at=NOW, issued_by="t",
                revoked_at=revoked,
            ))  # fmt: skip
        area = [Scope(ScopeKind.AREA, "a1")]
        for id, role, scopes in [
            ("super", Role.SUPERVISOR, accounts.EVERYWHERE), ("east", Role.SUPERVISOR, area), ("li", Role.LIAISON, area),
        ]:  # fmt: skip
            accounts.add_account(conn, id, id, role, "a long password", scopes=scopes)
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


def test_a_hub_is_never_without_colours__and_the_first_change_stores_all(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        assert colours.load(conn) == USUAL
        before = versions.versions(conn)
        colours.save(conn, with_rule(USUAL, "grey", GREY, default=True))
        assert conn.scalar(sa.select(sa.func.count()).select_from(colours_table)) == 8
        found = colours.load(conn)
        assert (list(found.rules), found.rules["grey"], found.default) == ([*BUILT_IN, "grey"], GREY, "grey")
        assert versions.versions(conn) == {compound: version + 1 for compound, version in before.items()}


def test_what_can_not_be_kept_is_refused_and_nothing_is_changed(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        before = versions.versions(conn)
        with pytest.raises(RegistryError, match="3 passes"):
            colours.save(conn, without(USUAL, "yellow"))
        with pytest.raises(RegistryError, match="label"):
            colours.save(conn, without(USUAL, "green"))
        assert (colours.load(conn), versions.versions(conn)) == (USUAL, before)


def test_passes_are_counted_by_colour__those_that_are_good_now(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        assert colours.holders(conn, NOW) == {None: 1, "yellow": 2}
        assert (colours.bearers(conn, "yellow"), colours.bearers(conn, "blue")) == (3, 0)


def test_a_holder_is_given_a_colour_by_id_or_label(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        colours.save(conn, with_rule(USUAL, "grey", GREY))
        assert [passes.set_colour(conn, f"{0:032x}", said).colour for said in ("grey", "灰 出差返回", None)] == [
            "grey", "grey", None,
        ]  # fmt: skip
        with pytest.raises(RegistryError, match="灰 出差返回"):
            passes.set_colour(conn, f"{0:032x}", "pink")


def test_a_list_that_says_a_colour_removed_meanwhile_is_not_taken(engine: sa.Engine, tmp_path: Path) -> None:
    located, by = Located(HubSettings(), tmp_path), lists.By(account="t", reach=None, health=True)
    with engine.begin() as conn:
        colours.save(conn, with_rule(USUAL, "grey", GREY))
        labels = colours.labels(conn)
    rows = lists.read(HOLDERS, "小区,楼,姓名,颜色\nc1,0号,王二,灰\n".encode(), labels)
    with engine.connect() as conn:
        plan = lists.preview(conn, located, HOLDERS, rows, by, NOW)
    assert [one.now for one in plan.changes] == [{"colour": "grey"}]  # type: ignore[union-attr]
    with engine.begin() as conn:
        colours.save(conn, USUAL)
    with pytest.raises(lists.Changed):
        lists.apply(engine, located, HOLDERS, rows, by, NOW, seen=lists.digest(plan), noted=lambda _c, _p: None)
    with engine.connect() as conn:
        assert passes.find(conn, f"{0:032x}").colour is None


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


FORM = {"label": "黄 外地返回未满14天", "gate": "admit", "ask_symptoms": "y", "quota": "y"}


def test_the_page_lists_the_colours_with_rule_and_count(browse: Browse) -> None:
    page = browse("super").get("/colours").text
    assert all(label in page for label in USUAL.labels.values())
    assert "2 张有效出入证" in page
    assert "另有 1 张没设颜色" in page


def test_a_rule_that_refers_people_is_asked_about_with_their_number(browse: Browse, engine: sa.Engine) -> None:
    client, wanted = browse("super"), FORM | {"gate": "refer"}
    asked = client.post("/colours/yellow", data=wanted)
    assert (asked.status_code, "现有 2 张有效出入证" in asked.text) == (400, True)
    stale = client.post("/colours/yellow", data=wanted | {"confirmed": "refer:1"})
    assert stale.status_code == 400
    with engine.connect() as conn:
        assert colours.load(conn) == USUAL
    assert client.post("/colours/yellow", data=wanted | {"confirmed": "refer:2"}).status_code == 303
    with engine.connect() as conn:
        assert colours.load(conn).rules["yellow"].gate == "refer"
        (line,) = audit.lines(conn, 9, object="yellow")
        assert (line.action, line.detail) == ("change", {"fields": ["gate"], "rule": "refer", "passes": 2})


def test_another_label_needs_no_asking__and_the_same_again_changes_nothing(browse: Browse, engine: sa.Engine) -> None:
    client = browse("super")
    assert client.post("/colours/yellow", data=FORM | {"label": "黄 外省"}).status_code == 303
    with engine.connect() as conn:
        first = versions.version_of(conn, "c1")
        assert colours.labels(conn)["yellow"] == "黄 外省"
    assert client.post("/colours/yellow", data=FORM | {"label": "黄 外省"}).status_code == 303
    with engine.connect() as conn:
        assert versions.version_of(conn, "c1") == first


def test_another_default_is_asked_about_for_those_without_a_colour(browse: Browse, engine: sa.Engine) -> None:
    wanted = {"label": BUILT_IN["white"].label, "gate": "refer", "quota": "y", "default": "y"}
    assert "现有 1 张有效出入证" in browse("super").post("/colours/white", data=wanted).text
    assert browse("super").post("/colours/white", data=wanted | {"confirmed": "refer:1"}).status_code == 303
    with engine.connect() as conn:
        assert colours.load(conn).default == "white"


@pytest.mark.parametrize(
    "changes, said",
    [({"label": ""}, "请填名称"), ({"label": "红 确诊或密接"}, "已有别的颜色"), ({"gate": "shoot"}, "请选门岗怎么做")],
)
def test_a_bad_form_is_shown_again_with_what_was_typed(browse: Browse, changes: dict[str, str], said: str) -> None:
    answer = browse("super").post("/colours/yellow", data=FORM | {"label": "黄 外省"} | changes)
    assert (answer.status_code, said in answer.text) == (400, True)
    assert changes.get("label", "黄 外省") in answer.text


def test_a_colour_is_added_moved_and_removed__but_not_one_that_is_used(browse: Browse, engine: sa.Engine) -> None:
    client = browse("super")
    assert client.post("/colours/new", data={"swatch": "red", "label": "灰", "gate": "admit"}).status_code == 400
    assert client.post("/colours/new", data={"swatch": "grey", "label": "灰 出差", "gate": "admit"}).status_code == 303
    for _ in range(7):
        client.post("/colours/grey/move", data={"way": "up"})
    with engine.connect() as conn:
        assert list(colours.load(conn).rules) == ["grey", *BUILT_IN]
    refused = client.post("/colours/yellow/remove")
    assert (refused.status_code, "还有 3 张出入证" in refused.text) == (400, True)
    assert client.post("/colours/green/remove").status_code == 400
    assert client.post("/colours/grey/remove").status_code == 303
    with engine.connect() as conn:
        assert list(colours.load(conn).rules) == list(BUILT_IN)
        assert [line.action for line in audit.lines(conn, 20, object="grey")] == ["remove", *["move"] * 7, "add"]


def test_only_who_answers_for_everything_changes_them(browse: Browse) -> None:
    east = browse("east")
    assert (east.get("/colours").status_code, "/colours/new" in east.get("/colours").text) == (200, False)
    assert [east.get("/colours/red").status_code, east.post("/colours/red/remove").status_code] == [403, 403]
    assert browse("li").get("/colours").status_code == 403
    assert browse("super").get("/colours/pink").status_code == 404


def test_holders_pages_show_the_labels_of_the_store(browse: Browse, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        colours.save(conn, with_rule(USUAL, "yellow", rule("yellow", label="黄 新名称")))
    for path in (f"/registry/pass/{1:032x}", "/registry/compound/c1/holders", f"/passes/{1:032x}"):
        assert "黄 新名称" in browse("super").get(path).text
