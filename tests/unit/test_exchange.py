"""Lists in and out: what of a file is wrong and where, all or nothing, round trips; the registry's pages by role and reach."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from contract.codec import encode
from contract.events import Band, Clock, Companion, Direction, Entry, Event, Outcome, Reading, Who
from contract.passes import PassKind
from contract.passes import read as read_pass
from contract.sealing import Personal, seal
from hub import audit, exporting, uploads
from hub import exchange as lists
from hub.commands.common import PlainErrors
from hub.commands.exchange import export_table, import_list
from hub.config import HubSettings, Located, Web
from hub.exporting import Format, Table
from hub.registry import accounts, dwellings, holders, keys, passes, places, versions
from hub.registry.errors import RegistryError
from hub.registry.holders import PassState
from hub.rights import Scope, ScopeKind
from hub.rules import cells_in, hours, sheets_in
from hub.rules.cells_in import BadFile
from hub.rules.colouring import USUAL
from hub.rules.sheets_in import HOLDERS, PLACES
from hub.store import migrate, open_store, tables
from hub.store.supervision import findings, inspections, rectifications
from hub.web import create_app
from hub.web.exchange_lines import preview_lines, said_in

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 2, 16, 7, 41, tzinfo=ZONE).astimezone(UTC)
ENDS = NOW + timedelta(days=90)
ALL = lists.By(account="deng", reach=None, health=True)
ROLES = {
    "chen": ("admin", None), "deng": ("registrar", None), "zhou": ("supervisor", None), "li": ("liaison", "c1"),
    "wu": ("inspector", None), "gu": ("guest", None), "ren": ("registrar", "c1"),
}  # fmt: skip
"""Account → role, and the one compound that it answers for."""


# ---- opening hours ----


@pytest.mark.parametrize(
    "said, meant",
    [
        ("06:00-22:00", ((360, 1320),)), ("6:00~22:00", ((360, 1320),)), ("全天", ()), ("always", ()), ("22:00-06:00",
        ((1320, 360),)),
        ("00:00-24:00", ((0, 1440),)), ("17:00-19:00、06:30-09:00", ((390, 540), (1020, 1140))),
        ("\uff10\uff16\uff1a00\uff0d22\uff1a00", ((360, 1320),)), ("06:00至09:00\uff0c17:00-19:00", ((360, 540), (1020, 1140))),
        ("6点", None), ("06:00-06:00", None), ("06:00-25:00", None), ("06:60-07:00", None), ("24:00-06:00", None),
        ("06:00-09:00,08:00-10:00", None), ("22:00-06:00,05:00-07:00", None), ("", None), ("-", None),
    ],
)  # fmt: skip
def test_opening_hours(said: str, meant: hours.Schedule | None) -> None:
    assert hours.parse(said) == meant
    if meant is not None:
        assert hours.parse(hours.shown(meant)) == meant


@given(st.text(max_size=40))
def test_opening_hours__whatever_is_typed(said: str) -> None:
    found = hours.parse(said)
    assert found is None or hours.parse(hours.shown(found)) == found


# ---- from bytes to cells ----

HOLDERS_CSV = "小区,楼,室,姓名,类别,颜色,居家隔离,证件到期\n锦绣苑,3号,502,王小明,居民,红,是,2026-05-31\n"
HEADINGS = sheets_in.known_headings(HOLDERS)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv__each_encoding_and_separator(encoding: str, separator: str) -> None:
    read = cells_in.read(HOLDERS_CSV.replace(",", separator).encode(encoding), HEADINGS)
    assert [line.number for line in read.lines] == [2]
    assert read.lines[0].cells == ("锦绣苑", "3号", "502", "王小明", "居民", "红", "是", "2026-05-31")


def test_csv__a_title_above_and_blank_rows_keep_the_numbers_of_the_spreadsheet() -> None:
    read = cells_in.read('某街道持证人\n\n小区,楼,姓名\n\n"锦\n绣",1,赵\n锦,2,钱\n'.encode(), HEADINGS)
    assert (read.head.number, [line.number for line in read.lines]) == (3, [5, 6])


def workbook(*rows: list[Any], title: str = "持证人", more: tuple[str, ...] = ()) -> bytes:
    """An XLSX file as a spreadsheet would write it."""
    book = Workbook()
    assert book.active is not None
    book.active.title = title
    for name in more:
        book.create_sheet(name)
    for row in rows:
        book[title].append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def test_xlsx__numbers_dates_and_formulas() -> None:
    rows = [
        ["小区", "楼", "室", "姓名", "证件到期"],
        [],
        ["锦绣苑", 3, 502.0, "=A1", datetime(2026, 5, 31)],
        ["锦", datetime(2026, 3, 12)],
    ]
    read = cells_in.read(workbook(*rows), HEADINGS)
    assert [line.number for line in read.lines] == [3, 4]
    assert read.lines[0].cells == ("锦绣苑", "3", "502", "=A1", "2026-05-31")
    assert [type(cell) for cell in read.lines[0].cells[3:]] == [cells_in.Computed, cells_in.Dated]


def test_xlsx__the_sheet_of_its_name_is_read_and_the_others_are_named() -> None:
    data = workbook(["小区", "楼", "姓名"], ["锦", 1, "赵"], title="持证人", more=("说明",))
    read = cells_in.read(data, HEADINGS, ("持证人",))
    assert (read.sheet, read.unread) == ("持证人", ("说明",))


def zipped(**parts: bytes) -> bytes:
    """A ZIP archive with these parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return made.getvalue()


def billion_laughs() -> bytes:
    """A workbook with a cell that unfolds to 300 GB."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    source = zipfile.ZipFile(io.BytesIO(workbook(["小区", "楼", "姓名"], ["锦", "1", "lol"])))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("sheet1.xml"):
                data = f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>'.encode() + data.replace(b">lol<", b">&l11;<")
            archive.writestr(name, data)
    return made.getvalue()


@pytest.mark.parametrize(
    "data, key",
    [
        (b"", "empty"), (b" \n\n", "empty"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"), (b"\xff\xff\xff", "encoding"),
        (b"PK\x03\x04nothing", "xlsx"), (zipped(a_txt=b"x"), "not_xlsx"), (zipped(xl__workbook_xml=b"<a/>"), "xlsx"),
        (zipped(xl__workbook_xml=bytes(cells_in.MOST_UNPACKED + 1)), "bomb"), (billion_laughs(), "xlsx"),
        ("甲,乙\n1,2\n".encode(), "headings"), ("小区,小区,楼,姓名\n".encode(), "twice"), ("小区,楼\n锦,1\n".encode(), "missing"),
        ('小区,楼,姓名\n锦,1,"赵\n'.encode(), "quotes"), (b"x" * (cells_in.MOST_BYTES + 1), "large"),
        (("小区,楼,姓名\n" + "锦,1,赵\n" * (cells_in.MOST_ROWS + 1)).encode(), "rows"),
        (("小区,楼,姓名\n锦,1," + "赵" * 3000).encode(), "cell"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_fail__a_file_that_is_no_list(data: bytes, key: str) -> None:
    with pytest.raises(BadFile) as caught:
        lists.read(HOLDERS, data, USUAL.labels)
    assert caught.value.key == key
    assert said("exchange.bad." + key, **caught.value.values)


def said(key: str, **values: Any) -> str:
    """The words of a key, with values; also that there are English ones."""
    from hub.web.texts import text

    assert text("en", key, **values)
    return text("zh", key, **values)


# ---- the store ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two areas, three compounds, two of one name; a registry with some holders."""
    path = tmp_path_factory.mktemp("seeded") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    located = Located(HubSettings(), path.parent)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        for area, name in (("a1", "东片区"), ("a2", "西片区")):
            places.add_area(conn, area, name)
            places.add_committee(conn, f"k{area}", f"{name}居委", area)
        places.add_compound(conn, "c1", "锦绣苑", "ka1", "李敏", "万科物业")
        places.add_compound(conn, "c2", "玉兰苑", "ka2", "陈国强")
        places.add_compound(conn, "c3", "玉兰苑", "ka1")
        places.add_gate(conn, "east", "东门", "c1", ((360, 1320),))
        places.add_gate(conn, "north", "北门", "c2")
        conn.execute(sa.insert(tables.stations).values(id="east-1", gate="east", password="x", added_at=NOW))
        for id, (role, compound) in ROLES.items():
            scope = [Scope(ScopeKind.COMPOUND, compound)] if compound else [Scope(ScopeKind.ALL)]
            ends = NOW + timedelta(days=1) if role == "guest" else None
            accounts.add_account(conn, id, id, role, "a long password", scopes=scope, expires_at=ends)
        for name, dwelling in (("王小明", "3号502"), ("王大明", "3号502"), ("钱七", "门卫室")):
            passes.issue(conn, located, kind=PassKind.RESIDENT, compound="c1", name=name, dwelling=dwelling, by="t", expires=ENDS)
        passes.issue(conn, located, kind=PassKind.VOLUNTEER, compound="c1", name="陈芳", pin="1234", by="t", expires=ENDS)
        passes.issue(conn, located, kind=PassKind.VEHICLE, compound="c1", name="", plate="沪A12345", by="t", expires=ENDS)
        gone = passes.issue(conn, located, kind=PassKind.WORKER, compound="c2", name="=孙", dwelling="3-1", by="t", expires=ENDS)
        passes.revoke(conn, gone.id, "t")
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    """A store of its own for each test."""
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


@pytest.fixture
def located(tmp_path: Path) -> Located:
    return Located(HubSettings(web=Web(secure_cookies=False)), tmp_path)


def everything(engine: sa.Engine) -> list[Any]:
    """Every row that an import could change, and whatever says that something changed."""
    with engine.connect() as conn:
        watched = (tables.areas, tables.committees, tables.compounds, tables.gates, tables.passes, tables.meta)
        return [[tuple(row) for row in conn.execute(sa.select(table))] for table in watched]


def plan_of(engine: sa.Engine, located: Located, what: str, data: bytes, by: lists.By = ALL) -> lists.Plan:
    with engine.connect() as conn:
        return lists.preview(conn, located, what, lists.read(what, data, USUAL.labels), by, NOW)


def take(engine: sa.Engine, located: Located, what: str, data: bytes, by: lists.By = ALL) -> lists.Plan:
    """Preview a file and take it."""
    plan = plan_of(engine, located, what, data, by)
    assert plan.problems == ()
    noted: list[lists.Plan] = []
    lists.apply(
        engine, located, what, lists.read(what, data, USUAL.labels), by, NOW, seen=lists.digest(plan),
        noted=lambda _c, p: noted.append(p),
    )  # fmt: skip
    assert noted == [plan]
    return plan


def counts(plan: lists.Plan) -> tuple[int, int, int]:
    lines = preview_lines(plan, "zh", USUAL.labels)
    return lines.new, lines.changed, lines.same


def problems(engine: sa.Engine, located: Located, what: str, text: str, by: lists.By = ALL) -> list[tuple[int | None, str, str]]:
    """Row, column and problem of a file, which is then refused as a whole."""
    plan = plan_of(engine, located, what, text.encode(), by)
    before = everything(engine)
    with pytest.raises(RegistryError, match="problems"):
        lists.apply(
            engine, located, what, lists.read(what, text.encode(), USUAL.labels), by, NOW, seen=lists.digest(plan),
            noted=lambda _c, _p: None,
        )  # fmt: skip
    assert everything(engine) == before
    for language in ("zh", "en"):
        assert all(line.said for line in preview_lines(plan, language, USUAL.labels).problems)
    return [(one.row, one.column, one.key) for one in plan.problems]


# ---- places ----

PLACES_CSV = """片区,居委,小区,门岗,开放时间,联络员,物业
东片区,东片区居委,锦绣苑,东门,全天,王芳 13800000000,
东片区,东片区居委,锦绣苑,西门,06:00-22:00,,
南片区,南片居委,海棠苑,大门,,赵刚,绿城物业
"""


def test_places__added_changed_and_left_alone(engine: sa.Engine, located: Located) -> None:
    with engine.connect() as conn:
        before = versions.version_of(conn, "c1")
    assert counts(take(engine, located, PLACES, PLACES_CSV.encode())) == (5, 2, 2)
    with engine.connect() as conn:
        known = {(one.level, one.name): one for one in lists.known_places(conn) if one.id not in ("c2", "c3")}
        assert known[2, "锦绣苑"].fields == {"liaison": "王芳 13800000000", "manager": "万科物业"}
        assert known[3, "东门"].fields == {"schedule": ()}
        assert known[3, "西门"].parent == "c1"
        assert known[3, "大门"].parent == known[2, "海棠苑"].id
        assert known[2, "海棠苑"].parent == known[1, "南片居委"].id
        assert known[1, "南片居委"].parent == known[0, "南片区"].id
        assert versions.version_of(conn, "c1") > before
    again = everything(engine)
    assert counts(take(engine, located, PLACES, PLACES_CSV.encode())) == (0, 0, 9)
    assert everything(engine) == again


def test_places__by_id_renamed_and_moved(engine: sa.Engine, located: Located) -> None:
    text = "片区,居委编号,居委,小区编号,小区\n西片区,ka1,新居委,c1,锦绣新苑\n"
    plan = take(engine, located, PLACES, text.encode())
    assert counts(plan) == (0, 2, 1)
    shown = " ".join(line.said for line in preview_lines(plan, "zh", USUAL.labels).changed_lines)
    for words in ("东片区居委 → 新居委", "东片区 → 西片区", "锦绣苑 → 锦绣新苑"):
        assert words in shown
    with engine.connect() as conn:
        assert conn.scalar(sa.select(tables.committees.c.area).where(tables.committees.c.id == "ka1")) == "a2"


@pytest.mark.parametrize(
    "text, found",
    [
        ("小区,门岗,开放时间\n锦绣苑,东门,6点\n", [(2, "C", "hours")]),
        ("小区,门岗\n玉兰苑,南门\n", [(2, "A", "several")]),
        ("小区\n无名苑\n", [(2, "A", "parent")]),
        ("小区编号,小区\nc9,\n", [(2, "A", "unknown_id")]),
        ("小区编号,小区\n-x,某苑\n", [(2, "A", "place.id")]),
        ("小区编号,门岗编号,门岗\nc2,east,东门\n", [(2, "C", "moved")]),
        ("片区,联络员\n东片区,王\n", [(2, "B", "no_place")]),
        ("小区,联络员\n锦绣苑,王\n锦绣苑,赵\n", [(3, "B", "contradicts")]),
        ("片区,小区,开放时间\n东片区,\"锦\n绣\",全天\n,,全天\n", [(2, "B", "cell.unprintable"), (3, "C", "no_place")]),
    ],
)  # fmt: skip
def test_fail__places__row_and_column_are_named(
    engine: sa.Engine, located: Located, text: str, found: list[tuple[int, str, str]]
) -> None:
    assert problems(engine, located, PLACES, text) == found


def test_places__only_within_reach(engine: sa.Engine, located: Located) -> None:
    mine = lists.By(account="ren", reach=frozenset({"c1"}), health=True)
    assert counts(take(engine, located, PLACES, "小区,门岗,联络员\n锦绣苑,南门,新人\n".encode(), mine)) == (1, 1, 0)
    text = "片区编号,片区,居委,小区编号,小区,门岗\n,,,c2,,北门\n,东片区,东片区居委,,新苑,\na1,改名,,,,\n,新片区,,,,\n"
    assert problems(engine, located, PLACES, text, mine) == [
        (2, "E", "out_of_reach"), (3, "E", "out_of_reach"), (4, "B", "out_of_reach"), (5, "B", "out_of_reach"),
    ]  # fmt: skip


# ---- holders ----


def test_holders__issued_masked_and_known_again(engine: sa.Engine, located: Located) -> None:
    text = (
        "小区,楼,室,姓名,电话,类别,颜色,居家隔离,证件到期\n"
        "锦绣苑,5,101,张丽丽,13800000000,居民,黄,是,2026-05-31\n"
        "锦绣苑,5,101,张强,,,,,\n"
        "锦绣苑,5,101,张勇,,,,,\n"
        "锦绣苑,3号楼,502室,王小明,,居民,红,,\n"
    )
    with engine.connect() as conn:
        before = versions.version_of(conn, "c1")
    plan = take(engine, located, HOLDERS, text.encode("gb18030"))
    assert counts(plan) == (3, 1, 0)
    assert [one.key for one in plan.notes] == ["ignored.phone"]
    with engine.connect() as conn:
        found, count = holders.search(conn, ["c1"], NOW, text="5号101", limit=10)
        assert ([one.name for one in found], count) == (["张*", "张*", "张*丽"], 3)
        li = found[2]
        assert (li.colour, li.isolating, li.expires) == ("yellow", True, datetime(2026, 5, 31, 16, tzinfo=UTC))
        token = conn.scalar(sa.select(tables.passes.c.token).where(tables.passes.c.id == li.id))
        key = keys.current(conn, keys.KeyUse.PASSES)
        claims = read_pass(str(token), {key.kid: key.public})
        assert (claims.name, claims.dwelling, claims.expires) == ("张*丽", "5号101", li.expires)  # type: ignore[union-attr]
        assert versions.version_of(conn, "c1") == before + 2
        assert not any("张丽丽" in str(row) for row in everything(engine))
        assert holders.search(conn, ["c1"], NOW, text="3号502", colour="red", limit=9)[1] == 1
    again = everything(engine)
    assert counts(take(engine, located, HOLDERS, text.encode())) == (0, 0, 4)
    assert everything(engine) == again


def test_holders__made_good_for_longer_never_for_shorter(engine: sa.Engine, located: Located) -> None:
    take(engine, located, HOLDERS, HOLDERS_CSV.encode())
    text = "小区,楼,室,姓名,证件到期\n锦绣苑,3号,502,王小明,{}\n"
    assert counts(take(engine, located, HOLDERS, text.format("2026年12月31日").encode())) == (0, 1, 0)
    with engine.connect() as conn:
        ends = {one.expires for one in holders.search(conn, ["c1"], NOW, text="3号502", limit=9)[0]}
        assert holders.end_of(date(2026, 12, 31), ZONE) in ends
    plan = take(engine, located, HOLDERS, text.format("2026/3/1").encode())
    assert (counts(plan), [one.key for one in plan.notes]) == ((0, 0, 1), ["shorter"])


def test_holders__a_revoked_pass_is_not_issued_again(engine: sa.Engine, located: Located) -> None:
    text = "小区编号,楼,室,姓名,类别\nc2,3,1,=孙,务工人员\n".encode()
    plan = take(engine, located, HOLDERS, text)
    assert (counts(plan), [one.key for one in plan.notes]) == ((0, 0, 1), ["revoked"])


def test_holders__who_has_a_good_pass_beside_a_revoked_one_is_changed(engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        first, second = holders.search(conn, ["c1"], NOW, text="3号502", limit=2)[0]
        passes.revoke(conn, first.id, "t")
    text = "小区,楼,室,姓名,颜色\n锦绣苑,3号,502,王小明,红\n".encode()
    assert counts(take(engine, located, HOLDERS, text)) == (0, 1, 0)
    assert counts(take(engine, located, HOLDERS, text)) == (0, 0, 1)
    with engine.connect() as conn:
        assert [passes.find(conn, one.id).colour for one in (first, second)] == [None, "red"]


def test_holders__as_few_change_as_can_be(engine: sa.Engine, located: Located) -> None:
    """The first row fits both passes; only if it leaves the red one to the second row does nothing change."""
    with engine.begin() as conn:
        first = holders.search(conn, ["c1"], NOW, text="3号502", limit=1)[0][0]
        passes.set_colour(conn, first.id, "red")
    text = "小区,楼,室,姓名,颜色\n锦绣苑,3号,502,王小明,\n锦绣苑,3号,502,王大明,红\n".encode()
    assert counts(plan_of(engine, located, HOLDERS, text)) == (0, 0, 2)


@pytest.mark.parametrize(
    "row, column, key",
    [
        ("无名苑,1,1,赵,,,,", "A", "out_of_reach"), ("玉兰苑,1,1,赵,,,,", "A", "several"), (",1,1,赵,,,,", "A", "cell.needed"),
        ("锦绣苑,,,赵,,,,", "B", "cell.needed"), ("锦绣苑,1,1,,,,,", "D", "cell.needed"), ("锦绣苑,1,1,赵,路人,,,", "E", "kind"),
        ("锦绣苑,1,1,赵,志愿者,,,", "E", "badge"), ("锦绣苑,1,1,赵,,灰,,", "F", "colour"),
        ("锦绣苑,1,1,赵,,,大概,", "G", "yes_no"),
        ("锦绣苑,1,1,赵,,,,明天", "H", "date"), ("锦绣苑,1,1,赵,,,,2026-02-30", "H", "date"),
        ("锦绣苑,1,1,赵,,,,2026-02-15", "H", "past"),
        ("锦绣苑,1,1,赵,,,,2036-12-31", None, ""), ("锦绣苑,1,1,赵,,,,2037-01-01", "H", "far"),
        ("锦绣苑,1,1," + "赵" * 61 + ",,,,", "D", "cell.long"),
        ("锦绣苑," + "长" * 25 + ",1,赵,,,,", "B", "dwelling"), ("锦绣苑,1,1,\"赵\t一\",,,,", "D", "cell.unprintable"),
    ],
)  # fmt: skip
def test_fail__holders__row_and_column_are_named(
    engine: sa.Engine, located: Located, row: str, column: str | None, key: str
) -> None:
    text = f"小区,楼,室,姓名,类别,颜色,居家隔离,证件到期\n锦绣苑,9,1,好人,,,,\n\n{row}\n"
    if column is None:
        take(engine, located, HOLDERS, text.encode())
    else:
        assert problems(engine, located, HOLDERS, text) == [(4, column, key)]


def test_fail__holders__the_same_person_twice_a_formula_and_a_date_for_a_room(engine: sa.Engine, located: Located) -> None:
    rows = [
        ["小区", "楼", "室", "姓名"],
        ["锦绣苑", 1, 1, "赵一"],
        ["锦绣苑", "1号", 1, "赵一"],
        ["锦绣苑", "=A1", 1, "钱"],
        ["锦绣苑", 1, datetime(2026, 3, 12), "孙"],
    ]
    plan = plan_of(engine, located, HOLDERS, workbook(*rows))
    assert [(one.row, one.column, one.heading, one.key) for one in plan.problems] == [
        (3, "D", "姓名", "twice"), (4, "B", "楼", "cell.computed"), (5, "C", "室", "cell.dated"),
    ]  # fmt: skip


def test_fail__holders__colours_only_by_who_may(engine: sa.Engine, located: Located) -> None:
    liaison = lists.By(account="li", reach=frozenset({"c1"}), health=False)
    assert problems(engine, located, HOLDERS, HOLDERS_CSV, liaison) == [(2, "F", "health")]
    assert problems(engine, located, HOLDERS, "小区编号,楼,姓名,居家隔离\nc1,1,新人,是\nc2,1,新人,\n", liaison) == [
        (2, "D", "health"), (3, "A", "out_of_reach"),
    ]  # fmt: skip
    assert counts(take(engine, located, HOLDERS, "小区,楼,室,姓名\n锦绣苑,1,1,新人\n".encode(), liaison)) == (1, 0, 0)


def test_unknown_headings_are_named(engine: sa.Engine, located: Located) -> None:
    plan = plan_of(engine, located, HOLDERS, "备注,小区,楼,姓名,Colour (of seven)\n,锦绣苑,1,赵,red\n".encode())
    assert [(one.key, one.values) for one in plan.notes] == [("unknown", {"said": "A 备注"})]
    assert plan.new[0].colour == "red"  # type: ignore[union-attr]


def test_fail__what_changed_since_the_preview_is_not_taken_unseen(engine: sa.Engine, located: Located) -> None:
    seen = lists.digest(plan_of(engine, located, HOLDERS, HOLDERS_CSV.encode()))
    with engine.begin() as conn:
        conn.execute(sa.update(tables.passes).where(tables.passes.c.dwelling == "3号502").values(isolating=True))
    before = everything(engine)
    rows = lists.read(HOLDERS, HOLDERS_CSV.encode(), USUAL.labels)
    with pytest.raises(lists.Changed):
        lists.apply(engine, located, HOLDERS, rows, ALL, NOW, seen=seen, noted=lambda _c, _p: None)
    assert everything(engine) == before


def test_fail__a_failure_on_the_way_leaves_nothing(engine: sa.Engine, located: Located) -> None:
    for what, text in ((PLACES, PLACES_CSV), (HOLDERS, HOLDERS_CSV)):
        before, seen = everything(engine), lists.digest(plan_of(engine, located, what, text.encode()))

        def fails(_conn: sa.Connection, _plan: lists.Plan) -> None:
            raise OSError("no room left")

        with pytest.raises(OSError, match="no room"):
            lists.apply(engine, located, what, lists.read(what, text.encode(), USUAL.labels), ALL, NOW, seen=seen, noted=fails)
        assert everything(engine) == before


# ---- whatever comes ----

WORDS = st.sampled_from(
    ["锦绣苑", "玉兰苑", "c1", "c2", "a1", "east", "东门", "东片区", "3号", "502", "王小明", "王*明", "居民",
     "志愿者", "红", "是", "2026-05-31",
     "全天", "06:00-22:00", "=1+1", "'=1", "", "9999-12-31", "0001-01-01", "\x00", "*", "a b"]
)  # fmt: skip


def tables_of(what: str) -> st.SearchStrategy[list[list[str]]]:
    """Tables of cells under headings that are mostly known."""
    headings = st.sampled_from([words[0] for words in sheets_in.COLUMNS[what].values()] + ["备注"])
    row = st.lists(WORDS | st.text(max_size=12), max_size=8)
    return st.tuples(st.lists(headings, min_size=1, max_size=8, unique=True), st.lists(row, max_size=6)).map(
        lambda t: [t[0], *t[1]]
    )


def survives(engine: sa.Engine, located: Located, what: str, data: bytes) -> None:
    """A file is refused by name, or taken as a whole; taken again it changes nothing."""
    before = everything(engine)
    rows: lists.Rows | BadFile
    try:
        rows = lists.read(what, data, USUAL.labels)
    except BadFile as bad:
        rows = bad
    if isinstance(rows, BadFile):
        assert said(f"exchange.bad.{rows.key}", **rows.values)
        assert everything(engine) == before
        return
    with engine.connect() as conn:
        plan = lists.preview(conn, located, what, rows, ALL, NOW)
    assert preview_lines(plan, "zh", USUAL.labels).same >= 0
    if plan.problems:
        with pytest.raises(RegistryError):
            lists.apply(engine, located, what, rows, ALL, NOW, seen=lists.digest(plan), noted=lambda _c, _p: None)
        assert everything(engine) == before
        return
    lists.apply(engine, located, what, rows, ALL, NOW, seen=lists.digest(plan), noted=lambda _c, _p: None)
    again = plan_of(engine, located, what, data)
    assert not again.problems
    assert counts(again)[:2] == (0, 0)


FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@FUZZ
@given(data=st.data(), what=st.sampled_from([PLACES, HOLDERS]), form=st.sampled_from(["csv", "xlsx"]))
def test_any_table__all_or_nothing(engine: sa.Engine, located: Located, data: st.DataObject, what: str, form: str) -> None:
    rows = data.draw(tables_of(what))
    table = Table("x", tuple(rows[0]), list(rows[1:]))
    survives(engine, located, what, exporting.written(table, Format(form)))


@FUZZ
@given(
    data=st.binary(max_size=400) | st.binary(max_size=300).map(lambda tail: b"PK\x03\x04" + tail),
    what=st.sampled_from([PLACES, HOLDERS]),
)
def test_any_bytes__all_or_nothing(engine: sa.Engine, located: Located, data: bytes, what: str) -> None:
    survives(engine, located, what, data)


@FUZZ
@given(at=st.integers(0, 5000), bits=st.integers(1, 255), cut=st.booleans())
def test_a_spoilt_workbook__all_or_nothing(engine: sa.Engine, located: Located, at: int, bits: int, cut: bool) -> None:
    data = bytearray(workbook(["小区", "楼", "室", "姓名"], ["锦绣苑", 1, 1, "赵一"]))
    at %= len(data)
    data[at] ^= bits
    survives(engine, located, HOLDERS, bytes(data[:at] if cut else data))


@given(st.text(max_size=60).filter(str.isprintable))
def test_a_dwelling_is_known_again_by_building_and_room(text: str) -> None:
    building, room = dwellings.parse(text)
    joined = dwellings.parse(f"{building}-{room}" if room else building)
    assert room == "" or joined == (building, room)


# ---- out and in again ----


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("form", list(Format))
def test_round_trip__what_was_exported_changes_nothing(engine: sa.Engine, located: Located, form: Format, language: str) -> None:
    take(engine, located, HOLDERS, HOLDERS_CSV.encode())
    with engine.connect() as conn:
        made = {
            PLACES: exporting.places_table(conn, None, language),
            HOLDERS: exporting.holders_table(conn, None, language, ZONE, NOW, said_in(language)),
        }
    assert [len(made[what].rows) for what in (PLACES, HOLDERS)] == [3, 5]
    for what, table in made.items():
        before = everything(engine)
        assert counts(take(engine, located, what, exporting.written(table, form)))[:2] == (0, 0)
        assert everything(engine) == before


RISKY = Table("=x[]", ("a", "b"), [["=1+1", 5], ["+86", -1.5], ["-x", None], ["@x", "#N/A"], ["'", "安\x07全\n行"]])


def test_no_cell_of_an_export_is_a_formula() -> None:
    sheet = load_workbook(io.BytesIO(exporting.written(RISKY, Format.XLSX))).worksheets[0]
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if isinstance(cell.value, str)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [(cell.value, bool(cell.quotePrefix)) for cell in cells[:4]] == [
        ("=1+1", True),
        ("+86", True),
        ("-x", True),
        ("@x", True),
    ]
    text = exporting.written(RISKY, Format.CSV).decode("utf-8-sig")
    assert "'=1+1,5\r\n'+86,-1.5\r\n'-x,\r\n'@x,#N/A" in text


def test_holders_export__only_within_reach_and_without_tokens(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        table = exporting.holders_table(conn, frozenset({"c1"}), "zh", ZONE, NOW, said_in("zh"))
        assert exporting.places_table(conn, frozenset({"c2"}), "zh").rows[0][4] == "c2"
    assert {row[0] for row in table.rows} == {"c1"}
    assert "GP1:" not in str(table.rows)


def happens(engine: sa.Engine, *bodies: tuple[str, datetime, Any]) -> None:
    for seq, (id, at, body) in enumerate(bodies, 1):
        event = Event(seq=seq, id=id, at=at, boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
        row = {"journal": "j", "seq": seq, "id": id, "station": "east-1", "gate": "east", "at": at,
               "received_at": at, "boot": "b",
               "mono_ns": seq, "clock": "synced", "kind": "entry", "body": encode(event).decode()}  # fmt: skip
        with engine.begin() as conn:
            conn.execute(sa.insert(tables.events).values(**row))


def test_register__a_day_of_a_gate(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        sealing = keys.current(conn, keys.KeyUse.SEALING)
        wang = holders.search(conn, ["c1"], NOW, text="3号502", limit=1)[0][0]
    normal, fever = (
        Reading(band=Band.NORMAL, source="gun", body_celsius=36.5),
        Reading(band=Band.FEVER, source="gun", body_celsius=37.8),
    )
    told = seal(
        Personal(event="e3", name="张先生", phone="13900000000", origin="苏州", host="3号502"), sealing.kid, sealing.public
    )
    happens(
        engine,
        ("e1", NOW, Entry(direction=Direction.IN, outcome=Outcome.RETAKE, pass_id=wang.id, pass_kind="resident", reading=fever)),
        ("e2", NOW + timedelta(minutes=9), Entry(direction=Direction.IN, outcome=Outcome.ADMIT, follows="e1", reading=normal)),
        ("e3", NOW + timedelta(hours=1), Entry(direction=Direction.IN, outcome=Outcome.ADMIT, who=Who.VISITOR, personal=told,
                                               purpose="visit", host_confirmed=True, key_area=False, people=2,
                                               companions=(Companion(role="child", reading=normal),))),
        ("e4", NOW + timedelta(hours=3), Entry(direction=Direction.OUT, outcome=Outcome.ADMIT, who=Who.VISITOR, visit="e3")),
        ("e5", NOW + timedelta(days=1), Entry(direction=Direction.IN, outcome=Outcome.ADMIT)),
    )  # fmt: skip
    table = exporting.entries_table(engine, "east", date(2026, 2, 16), ZONE, said_in("zh"), personal=True)
    rows = [dict(zip(table.head, row, strict=True)) for row in table.rows]
    assert [row["时间"] for row in rows] == ["07:41", "08:41", "10:41"]
    first = {
        "姓名": "王*明",
        "楼室": "3号502",
        "体温": "37.8",
        "复测时间": "07:50",
        "复测体温": "36.5",
        "结果": "放行",
        "进/出": "进",
    }
    assert first.items() <= rows[0].items()
    second = {"姓名": "张先生", "电话": "13900000000", "从何处来": "苏州", "到访户": "3号502", "住户确认": "是",
              "离开时间": "10:41",
              "14天重点地区史/接触史": "否", "事由": "探访", "谁": "访客"}  # fmt: skip
    assert second.items() <= rows[1].items()
    plain = str(exporting.entries_table(engine, "east", date(2026, 2, 16), ZONE, said_in("en"), personal=False).rows)
    assert not any(word in plain for word in ("王", "张先生", "139", "苏州", "3号502"))


def test_rectifications_and_inspections__within_reach_and_only_what_was_sent(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        common = {"item": "desk", "cause": "missing", "opened_at": NOW, "due_at": NOW, "state": "open"}
        conn.execute(sa.insert(rectifications), [{"id": "r1", "gate": "east", **common}, {"id": "r2", "gate": "north", **common}])
        for id, sent in (("i1", NOW), ("i2", None)):
            conn.execute(
                sa.insert(inspections).values(
                    id=id, gate="east", method="rounds", by="wu", observed_at=NOW, sent_at=sent, note=""
                )
            )
            conn.execute(sa.insert(findings).values(inspection=id, item="desk", present=False, note="没有桌子"))
    with engine.connect() as conn:
        say = said_in("zh")
        assert [row[:3] for row in exporting.rectifications_table(conn, frozenset({"c1"}), ZONE, say).rows] == [
            ("锦绣苑", "东门", "登记桌")
        ]
        assert len(exporting.rectifications_table(conn, None, ZONE, say).rows) == 2
        rows = exporting.inspections_table(conn, None, ZONE, say).rows
        assert [row[2:] for row in rows] == [("车轮查", "wu", "2026-02-16 07:41", "2026-02-16 07:41", "登记桌", "缺", "没有桌子")]
        assert exporting.inspections_table(conn, frozenset({"c2"}), ZONE, say).rows == []


# ---- what is kept between preview and taking ----


def test_uploads__sealed_private_and_for_half_an_hour(tmp_path: Path) -> None:
    key = uploads.keep(tmp_path, "li", "张丽丽".encode(), NOW)
    file = tmp_path / uploads.FOLDER / "li"
    assert (file.stat().st_mode & 0o777, "张丽丽".encode() in file.read_bytes()) == (0o600, False)
    assert uploads.take(tmp_path, "li", key, NOW + uploads.KEPT) == "张丽丽".encode()
    for account, other, at in (
        ("li", "", NOW),
        ("li", key[:-2], NOW),
        ("chen", key, NOW),
        ("li", key, NOW + timedelta(minutes=31)),
    ):
        with pytest.raises(uploads.Gone):
            uploads.take(tmp_path, account, other, at)
    newer = uploads.keep(tmp_path, "li", b"newer", NOW)
    with pytest.raises(uploads.Gone):
        uploads.take(tmp_path, "li", key, NOW)
    assert uploads.take(tmp_path, "li", newer, NOW) == b"newer"
    uploads.keep(tmp_path, "chen", b"x", NOW + timedelta(hours=1))
    assert [one.name for one in (tmp_path / uploads.FOLDER).iterdir()] == ["chen"]
    uploads.drop(tmp_path, "chen")
    uploads.drop(tmp_path, "chen")


# ---- the registry ----


def test_holders__found_by_door_name_colour_and_state(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        assert [one.name for one in holders.search(conn, ["c1"], NOW, limit=9)[0]] == ["陈*", "钱*", "王*明", "王*明"]
        assert holders.search(conn, ["c1"], NOW, text="王 502", limit=1)[1] == 2
        assert holders.search(conn, ["c1"], NOW, text="%", limit=9)[1] == 0
        assert holders.search(conn, ["c2"], NOW, state=PassState.REVOKED, limit=9)[1] == 1
        assert holders.search(conn, ["c1"], NOW, state=PassState.GOOD, limit=9)[1] == 4
        assert holders.search(conn, ["c1"], NOW + timedelta(days=365), state=PassState.EXPIRED, limit=9)[1] == 4
        assert holders.search(conn, ["c1"], NOW, isolating=True, limit=9)[1] == 0


def test_renewed__the_same_pass_with_a_later_end(engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        wang = holders.search(conn, ["c1"], NOW, text="王", limit=1)[0][0]
        until, before = wang.expires + timedelta(days=9), passes.find(conn, wang.id)
        after = holders.renew(conn, located, wang.id, until, NOW)
        assert (after.id, after.expires, after.token != before.token) == (wang.id, until, True)
        badge = next(one for one in holders.search(conn, ["c1"], NOW, limit=9)[0] if one.kind is PassKind.VOLUNTEER)
        gone = holders.search(conn, ["c2"], NOW, limit=9)[0][0]
        for id, end, why in ((badge.id, until, "badge"), (gone.id, until, "revoked"), (wang.id, until, "later day")):
            with pytest.raises(RegistryError, match=why):
                holders.renew(conn, located, id, end, NOW)


@pytest.mark.parametrize("bad", [(lambda c: places.change_area(c, "no", "x")), (lambda c: places.change_area(c, "a1", " ")),
                                 (lambda c: places.change_committee(c, "ka1", "x", "no")),
                                 (lambda c: places.change_station(c, "no", "1", True)),
                                 (lambda c: places.change_compound(c, "c1", name="x", committee="ka1", liaison="a\nb")),
                                 (lambda c: places.change_gate(c, "east", name="x", schedule=((1, 1),)))])  # fmt: skip
def test_fail__a_change_that_can_t_be(engine: sa.Engine, bad: Any) -> None:
    with engine.begin() as conn, pytest.raises(RegistryError):
        bad(conn)


# ---- the pages ----


@pytest.fixture
def app(engine: sa.Engine, located: Located) -> Flask:
    return create_app(located, engine, now=lambda: NOW)


def enter(app: Flask, account: str) -> FlaskClient:
    """As after signing in, without the time that a password takes."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"1 {account}", True
    return client


def send(client: FlaskClient, path: str, form: str | None = None, **fields: Any) -> tuple[int, str, str]:
    """Send a form with the token of the page it is on; code, where to, the page."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(form or path).text)
    assert token, form or path
    answer = client.post(path, data={"csrf_token": token[1], **fields})
    return answer.status_code, answer.headers.get("Location", ""), answer.text


@pytest.fixture
def wang(engine: sa.Engine) -> str:
    with engine.connect() as conn:
        return holders.search(conn, ["c1"], NOW, text="王", limit=1)[0][0].id


VIEWERS = set(ROLES)
REGISTERING = {"chen", "deng", "zhou", "li", "ren"}
PLACING = {"chen", "deng", "ren"}
PAGES = {
    "/registry": VIEWERS, "/registry/compound/c1": VIEWERS, "/registry/compound/c2": VIEWERS - {"li", "ren"},
    "/registry/compound/no": set(), "/registry/export": VIEWERS,
    "/registry/compound/c1/holders": REGISTERING, "/registry/compound/c2/holders": REGISTERING - {"li", "ren"},
    "/registry/pass/WANG": REGISTERING, "/registry/pass/" + "0" * 32: set(),
    "/registry/add/area": PLACING - {"ren"}, "/registry/add/gate?in=c1": PLACING, "/registry/add/nothing": set(),
    "/registry/area/a1/change": PLACING - {"ren"}, "/registry/committee/ka1/change": PLACING - {"ren"},
    "/registry/compound/c1/change": PLACING, "/registry/compound/c2/change": PLACING - {"ren"},
    "/registry/gate/east/change": PLACING,
    "/registry/gate/north/change": PLACING - {"ren"}, "/registry/gate/east/station/add": PLACING,
    "/registry/station/east-1/change": PLACING, "/registry/station/no/change": set(),
    "/registry/station/east-1/kiosk.toml": PLACING,
    "/registry/import/places": PLACING, "/registry/import/holders": REGISTERING,
    "/registry/export/places.xlsx": PLACING, "/registry/export/places.csv": PLACING, "/registry/export/places.pdf": set(),
    "/registry/export/holders.csv": REGISTERING, "/registry/export/holders.csv?compound=c2": REGISTERING - {"li", "ren"},
    "/registry/export/entries.csv?gate=east&day=2026-02-16": VIEWERS,
    "/registry/export/entries.csv?gate=north&day=2026-02-16": VIEWERS - {"li", "ren"},
    "/registry/export/entries.csv?gate=east&day=x": set(), "/registry/export/rectifications.xlsx": VIEWERS,
    "/registry/export/inspections.csv": VIEWERS,
}  # fmt: skip
"""Page → the accounts that get it; every other gets 403 or 404."""


@pytest.mark.parametrize("account", ROLES)
def test_pages__by_role_and_reach(app: Flask, wang: str, account: str) -> None:
    client = enter(app, account)
    for path, mine in PAGES.items():
        code = client.get(path.replace("WANG", wang)).status_code
        assert code == 200 if account in mine else code in (403, 404), (path, code)


@pytest.mark.parametrize(
    "account, codes", [("wu", (403, 403, 403)), ("gu", (403, 403, 403)), ("li", (403, 303, 303)), ("zhou", (303, 303, 303))]
)
def test_pages__health_renew_and_revoke_by_role(
    app: Flask, engine: sa.Engine, wang: str, account: str, codes: tuple[int, ...]
) -> None:
    client, page = enter(app, account), f"/registry/pass/{wang}"
    form = page if codes[1] == 303 else "/registry/import/holders"
    token = {"form": form} if client.get(form).status_code == 200 else None
    sent = [("health", {"colour": "red", "isolating": "y"}), ("renew", {"until": "2027-01-31"}), ("revoke", {"sure": "y"})]
    for (what, fields), code in zip(sent, codes, strict=True):
        if token is None:
            app.config["WTF_CSRF_ENABLED"] = False
            assert client.post(f"{page}/{what}", data=fields).status_code == code
        else:
            assert send(client, f"{page}/{what}", **token, **fields)[0] == code, what  # type: ignore[arg-type]
            token = {"form": "/registry/import/holders"}
    with engine.connect() as conn:
        known = passes.find(conn, wang)
        lines = [line.action for line in audit.lines(conn, 99, object=wang) if line.action != "look"]
    assert (known.colour == "red", known.isolating) == (codes[0] == 303,) * 2
    assert (known.revoked_at is not None) == (codes[2] == 303)
    assert lines == [name for name, code in zip(("revoke", "renew", "change"), reversed(codes), strict=True) if code == 303]


def test_fail__renew_and_revoke_say_what_to_do(app: Flask, wang: str) -> None:
    client, page = enter(app, "deng"), f"/registry/pass/{wang}"
    for until in ("", "2026-02-01", "morgen", "2099-01-01"):
        code, _, text = send(client, f"{page}/renew", page, until=until)
        assert (code, "的日期,例如" in text) == (400, True), until
    code, _, text = send(client, f"{page}/revoke", page)
    assert (code, "请先勾选确认" in text) == (400, True)


def test_pages__a_look_at_holders_is_noted_without_what_was_searched(app: Flask, engine: sa.Engine) -> None:
    page = enter(app, "li").get("/registry/compound/c1/holders?q=王&state=good").text
    assert "王*明" in page
    assert "钱" not in page
    with engine.connect() as conn:
        (line,) = audit.lines(conn, 1)
    assert (line.action, line.kind, line.object, line.detail) == ("look", "holders", "c1", {"searched": True, "page": 0})


def test_pages__places_added_and_changed(app: Flask, engine: sa.Engine) -> None:
    client = enter(app, "deng")
    assert send(
        client, "/registry/add/compound", "/registry/add/compound?in=ka1", name="新苑", parent="ka1", id="xin", liaison="王芳"
    )[:2] == (303, "/registry/compound/xin")
    assert send(client, "/registry/add/gate", name="大门", parent="xin", hours="06:00-22:00")[0] == 303
    with engine.connect() as conn:
        before, gate = (
            versions.version_of(conn, "xin"),
            conn.scalar(sa.select(tables.gates.c.id).where(tables.gates.c.compound == "xin")),
        )
    code, onward, _ = send(client, f"/registry/gate/{gate}/change", name="正门", parent="xin", hours="全天", closed="y")
    assert (code, onward) == (303, "/registry/compound/xin")
    page = client.get(onward).text
    for words in ("正门", "全天", "已停用", "王芳", "已保存:正门"):
        assert words in page, words
    with engine.connect() as conn:
        assert versions.version_of(conn, "xin") == before + 1
        (line,) = audit.lines(conn, 1)
        assert (line.action, line.object, line.detail) == (
            "change",
            gate,
            {"fields": ["name", "hours", "closed"], "hours": "全天", "closed": True},
        )
    assert send(client, "/registry/compound/xin/change", name="新苑", parent="ka2", liaison="", manager="绿城")[0] == 303
    for path in ("/registry/area/a1/change", "/registry/committee/ka1/change"):
        assert send(client, path, name="改名", parent="a2")[0] == 303
    tree = client.get("/registry").text
    assert ("改名" in tree, "绿城" in tree) == (True, True)
    found = client.get("/registry?q=绿城").text
    assert ("新苑" in found, "锦绣苑" in found) == (True, False)


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"name": "", "parent": "c1"}, "名称写1到200个字"), ({"name": "门", "parent": ""}, "请选择所属"),
        ({"name": "门", "parent": "no"}, "请选择所属"),
        ({"name": "门", "parent": "c1", "hours": "6点"}, "「6点」不是开放时间"),
        ({"name": "门", "parent": "c1", "id": "../x"}, "不能作编号"),
        ({"name": "门", "parent": "c1", "id": "east"}, "已经用了"),
    ],
)  # fmt: skip
def test_fail__a_bad_form_is_shown_again_with_what_was_typed(app: Flask, fields: dict[str, str], said: str) -> None:
    code, _, page = send(enter(app, "deng"), "/registry/add/gate", **fields)
    assert (code, said in page) == (400, True)
    assert all(f'value="{value}"' in page for value in fields.values() if value and value not in ("no",))


def test_fail__a_gate_is_not_added_outside_reach(app: Flask, engine: sa.Engine) -> None:
    assert send(enter(app, "ren"), "/registry/add/gate", name="门", parent="c2")[0] == 400
    assert send(enter(app, "ren"), "/registry/compound/c1/change", name="锦绣苑", parent="ka2")[0] == 303
    with engine.connect() as conn:
        assert conn.scalar(sa.select(tables.compounds.c.committee).where(tables.compounds.c.id == "c1")) == "ka1"


def test_pages__a_station_added_put_out_of_service_and_its_kit(app: Flask, engine: sa.Engine) -> None:
    client = enter(app, "deng")
    code, onward, _ = send(client, "/registry/gate/east/station/add", id="east-2", lane="2")
    assert (code, onward) == (303, "/registry/station/east-2/change")
    kit = client.get("/registry/station/east-2/kiosk.toml")
    with engine.connect() as conn:
        password = conn.scalar(sa.select(tables.stations.c.password).where(tables.stations.c.id == "east-2"))
        assert password
        assert password in kit.text
        (line,) = audit.lines(conn, 1)
        assert (line.action, line.kind, line.object) == ("look", "station", "east-2")
        assert password not in str(audit.lines(conn, 99))
    assert send(client, onward, lane="3")[0] == 303
    assert "已停用" in client.get("/registry/compound/c1").text
    assert "已经用了" in send(client, "/registry/gate/east/station/add", id="east-2", lane="1")[2]
    assert send(client, "/registry/gate/east/station/add", id="hub", lane="1")[0] == 400


def upload(client: FlaskClient, what: str, data: bytes) -> tuple[int, str, str]:
    return send(client, f"/registry/import/{what}", file=(io.BytesIO(data), "list.csv"))


def seen_on(page: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def test_pages__a_list_previewed_and_taken_once(app: Flask, engine: sa.Engine, located: Located) -> None:
    client, preview = enter(app, "li"), "/registry/import/holders/preview"
    text = "小区,楼,室,姓名\n锦绣苑,1,1,新来人\n".encode("gb18030")
    assert upload(client, HOLDERS, text)[:2] == (303, preview)
    before = everything(engine)
    page = client.get(preview).text
    assert "新增1、修改0、不变0" in page
    assert "新来人" not in page
    assert everything(engine) == before
    assert send(client, preview, seen="0" * 64)[:2] == (303, preview)
    assert everything(engine) == before
    assert send(client, preview, seen=seen_on(page))[:2] == (303, "/registry/import/holders")
    assert "已写入:新增1" in client.get("/registry/import/holders").text
    with engine.connect() as conn:
        assert holders.search(conn, ["c1"], NOW, text="新*人", limit=9)[1] == 1
        (line,) = audit.lines(conn, 1)
    assert (line.account, line.action, line.kind, line.detail) == ("li", "import", HOLDERS, {"new": 1, "changed": 0, "same": 0})
    assert list((located.folder / uploads.FOLDER).iterdir()) == []
    assert client.get(preview).headers["Location"] == "/registry/import/holders"
    assert re.search('<p class="problem">[^<]*请重新选择文件', client.get("/registry/import/holders").text), "no good news"


def test_fail__pages__a_bad_list_names_rows_and_can_t_be_taken(app: Flask, engine: sa.Engine) -> None:
    client, preview = enter(app, "deng"), "/registry/import/places/preview"
    assert upload(client, PLACES, "小区,门岗,开放时间\n锦绣苑,东门,6点\n".encode())[0] == 303
    page = client.get(preview).text
    for words in ("有1处要改", "C 开放时间", "「6点」不是开放时间"):
        assert words in page, words
    assert 'name="seen"' not in page
    assert client.get("/registry/import/holders/preview").status_code == 303
    code, _, page = upload(client, PLACES, "甲,乙\n".encode())
    assert (code, "没有认得的列名" in page) == (400, True)
    code, _, page = send(client, "/registry/import/places")
    assert (code, "请选择一个文件" in page) == (400, True)


def test_fail__pages__a_list_that_is_too_large(app: Flask) -> None:
    client = enter(app, "deng")
    code, _, page = upload(client, PLACES, b"x" * (cells_in.MOST_BYTES + 200_000))
    assert (code, "超过10MB" in page) == (413, True)
    assert app.test_client().post("/registry/import/places", data={"file": (io.BytesIO(b"x" * 100_000), "x")}).status_code in (
        302,
        400,
        413,
    )


# ---- on the command line ----


def run(located: Located, *words: str, command: Any = None) -> Result:
    group = PlainErrors(commands={"import": import_list, "export": export_table})
    (located.folder / "hub.toml").write_text('[store]\nurl = "sqlite:///hub.db"\n', encoding="utf-8")
    return CliRunner().invoke(group, [*words, "--config", str(located.folder / "hub.toml")])


def test_commands__import_asks_and_export_writes(engine: sa.Engine, located: Located) -> None:
    file, out = located.folder / "list.csv", located.folder / "out.csv"
    file.write_bytes(PLACES_CSV.encode("gb18030"))
    before = everything(engine)
    refused = run(located, "import", str(file), "--what", "places")
    assert (refused.exit_code, "新增5、修改2、不变2" in refused.output) == (1, True)
    assert everything(engine) == before
    assert run(located, "import", str(file), "--what", "places", "--yes").exit_code == 0
    assert "没有要写入的" in run(located, "import", str(file), "--what", "places").output
    assert run(located, "export", "places", "--format", "csv", "-o", str(out)).exit_code == 0
    assert (out.stat().st_mode & 0o777, "海棠苑" in out.read_text("utf-8-sig")) == (0o600, True)
    file.write_text("小区,门岗,开放时间\n锦绣苑,东门,6点\n", encoding="utf-8")
    bad = run(located, "import", str(file), "--what", "places", "--yes")
    assert (bad.exit_code, "有1处要改" in bad.output) == (2, True)
    for what in ("holders", "rectifications", "inspections"):
        assert run(located, "export", what, "-o", str(located.folder / what)).exit_code == 0
    assert run(located, "export", "entries", "--gate", "east", "-o", str(located.folder / "e")).exit_code == 0
    assert run(located, "export", "entries", "-o", str(located.folder / "f")).exit_code == 2
    with engine.connect() as conn:
        assert [line.action for line in audit.lines(conn, 9)] == ["export"] * 5 + ["import"]
