"""A gate's figures of a day and the trend: the rules, the store on a real SQLite file, and the pages by Flask's test client."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
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
from contract.events import (
    Band,
    Body,
    Clock,
    ClockSynced,
    Companion,
    Correction,
    Direction,
    DirectoryApplied,
    Entry,
    Event,
    Outcome,
    PeopleCounted,
    Reading,
    Started,
    Tallied,
    Written,
    kind_of,
)
from contract.five import Item
from contract.messages import DeviceState, Vitals
from hub import figures, reporting, trending
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, places
from hub.rights import Role, Scope, ScopeKind
from hub.rules import durations, figuring, trend
from hub.rules.compliance import GateStatus, ItemStatus, Status
from hub.rules.durations import Tally
from hub.rules.figuring import HIGHEST, LOWEST, HourCounted, Instrument
from hub.rules.mended import Mending
from hub.rules.report import Site
from hub.rules.trend import DaySums, GateDay
from hub.store import migrate, open_store, tables
from hub.store.supervision import rectifications
from hub.web import board, charts, create_app

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 2, 16)
NOW = datetime(2026, 2, 16, 20, 30, tzinfo=ZONE).astimezone(UTC)
PERIOD = durations.day_period(TODAY, ZONE, NOW)
HOUR = timedelta(hours=1)


def at(hour: int, minute: int = 0, day: int = 16) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def admit(direction: Direction = Direction.IN, **more: Any) -> Entry:
    return Entry(direction=direction, outcome=Outcome.ADMIT, **more)


def stopped(outcome: Outcome, **more: Any) -> Entry:
    return Entry(direction=Direction.IN, outcome=outcome, **more)


def body_of(celsius: float, source: str = "mlx90614", band: Band = Band.NORMAL) -> Reading:
    return Reading(band=band, source=source, body_celsius=celsius)


def day_of(*entries: tuple[str, datetime, Entry], corrections: tuple[Correction, ...] = ()) -> figuring.Day:
    return figuring.day(entries, corrections, (), (), PERIOD, ZONE)


# ---- a gate's day: the rules ----


def test_by_hour__people_and_not_entries__in_and_out__only_who_went_through() -> None:
    known = day_of(
        ("a", at(7, 5), admit(people=3)),
        ("b", at(7, 59), admit(Direction.OUT)),
        ("c", at(8), stopped(Outcome.UNCHECKED)),
        ("d", at(8, 1), stopped(Outcome.REFUSE)),
        ("e", at(8, 2), stopped(Outcome.RETAKE)),
    )
    found = {one.hour: (one.came, one.left) for one in known.hours if one.people}
    assert found == {7: (3, 1), 8: (1, 0)}
    assert (known.came, known.left, known.entries) == (4, 1, 5)
    assert len(known.hours) == 24


def test_by_hour__what_was_keyed_in_later_stands_when_it_happened__and_another_days_nowhere() -> None:
    known = day_of(
        ("a", at(12), admit(written=Written(at=at(6, 30)))), ("b", at(12), admit(written=Written(at=at(23, 0, day=15))))
    )
    assert [one.hour for one in known.hours if one.people] == [6]
    assert (known.entries, known.written) == (1, 1)


def test_cancelled__counts_nowhere__and_a_corrected_outcome_counts_as_corrected() -> None:
    entries = (("a", at(7), admit(reading=body_of(36.5))), ("b", at(7), stopped(Outcome.REFUSE)))
    corrections = (Correction(corrects="a", cancelled=True), Correction(corrects="b", outcome=Outcome.ADMIT))
    known = day_of(*entries, corrections=corrections)
    assert (known.came, known.entries, known.cancelled, known.temperatures.measured) == (1, 1, 1, 0)
    assert [(one.outcome, one.entries) for one in known.decided if one.entries] == [(Outcome.ADMIT, 1)]


def test_cancelled__a_later_word_decides() -> None:
    corrections = (Correction(corrects="a", cancelled=True), Correction(corrects="a", note="fire"))
    assert day_of(("a", at(7), admit()), corrections=corrections).entries == 1


def test_decided__every_outcome_and_whose_decision() -> None:
    known = day_of(("a", at(7), admit(by="b1")), ("b", at(7), admit()), ("c", at(8), stopped(Outcome.REFER, by="b1")))
    found = {one.outcome: (one.entries, one.by_volunteer) for one in known.decided}
    assert found == {**dict.fromkeys(Outcome, (0, 0)), Outcome.ADMIT: (2, 1), Outcome.REFER: (1, 1)}


@pytest.mark.parametrize(
    "entries, people",
    [
        ([stopped(Outcome.REFUSE, people=2)], 2),
        ([stopped(Outcome.REFER), admit(follows="0")], 0),
        ([stopped(Outcome.RETAKE), stopped(Outcome.REFER, follows="0"), stopped(Outcome.REFUSE, follows="1")], 1),
        ([stopped(Outcome.REFER, pass_id="p"), admit(pass_id="p")], 0),
        ([admit(pass_id="p"), stopped(Outcome.REFER, pass_id="p")], 1),
        ([stopped(Outcome.REFER, pass_id="p"), stopped(Outcome.REFER, pass_id="p")], 1),
        ([admit(), stopped(Outcome.UNCHECKED)], 0),
    ],
)
def test_kept_out__people_whose_last_word_was_no(entries: list[Entry], people: int) -> None:
    assert day_of(*((str(n), at(7, n), entry) for n, entry in enumerate(entries))).kept_out == people


def test_temperatures__instruments_and_quantities_stand_apart__companions_too() -> None:
    skin = Reading(band=Band.NORMAL, source="mlx90614", skin_celsius=33.2)
    none = Reading(band=Band.NO_TARGET, source="mlx90614")
    companion = Companion(role="child", reading=body_of(36.4))
    known = day_of(
        ("a", at(7), admit(reading=body_of(36.5), companions=(companion,), people=2)),
        ("b", at(7), admit(reading=body_of(36.5, "typed"))),
        ("c", at(7), admit(reading=skin)),
        ("d", at(7), admit(reading=none)),
    ).temperatures
    found = [(one.source, one.quantity, one.tenths) for one in known.instruments]
    assert found == [("mlx90614", "body", {365: 1, 364: 1}), ("mlx90614", "skin", {332: 1}), ("typed", "body", {365: 1})]
    assert (known.measured, known.typed, known.without_figure, known.bands[Band.NORMAL]) == (4, 1, 1, 4)


@given(st.integers(3000, 4300))
def test_tenth__cut_and_not_rounded(hundredths: int) -> None:
    assert figuring.tenth(hundredths / 100) == hundredths // 10


@given(st.dictionaries(st.integers(300, 430), st.integers(1, 9), min_size=1))
def test_bins__lose_no_reading(tenths: dict[int, int]) -> None:
    one = Instrument(source="gun", quantity="body", tenths=tenths)
    bins = one.bins()
    assert sum(bins) == one.readings == sum(tenths.values())
    assert len(bins) == HIGHEST - LOWEST + 2
    assert all(bins[1 + tenth - LOWEST] == n for tenth, n in tenths.items() if LOWEST <= tenth < HIGHEST)


def test_counted__in_the_hour_that_the_time_before_the_event_is_in() -> None:
    told = {at(8, 1): (9, 4), at(7, 40): (1, 1), at(0, 3): (2, 2)}
    counts = [(when, PeopleCounted(seconds=900, counted=n, recorded=m)) for when, (n, m) in told.items()]
    found = figuring.counted_by_hour(counts, PERIOD, ZONE)
    assert [(one.hour, one.counted, one.recorded) for one in found] == [(0, 2, 2), (7, 10, 5)]


@pytest.mark.parametrize(
    "counted, recorded, past", [(10, 5, 5), (30, 12, 18), (9, 5, 0), (30, 24, 0), (30, 30, 0), (0, 9, 0), (5, 0, 5)]
)
def test_walked_past__only_where_it_is_no_chance(counted: int, recorded: int, past: int) -> None:
    assert HourCounted(hour=7, seconds=3600, counted=counted, recorded=recorded).walked_past == past


# ---- charts ----


@given(st.floats(0, 1e6))
def test_ceiling__is_never_below_and_never_far_above(most: float) -> None:
    top = charts.ceiling(most)
    assert most <= top <= max(2, 2 * most)


@given(st.lists(st.lists(st.floats(0, 1e4), min_size=1, max_size=4), min_size=1, max_size=40))
def test_stacked__stays_within_the_plot_and_keeps_proportions(values: list[list[float]]) -> None:
    bars = [charts.Bar("", tuple(("good", value) for value in one)) for one in values]
    drawn = charts.stacked(bars, ())
    top = charts.ceiling(max(sum(one) for one in values))
    for column, one in zip(drawn.columns, values, strict=True):
        assert sum(part.height for part in column.parts) == pytest.approx(100 * sum(one) / top, abs=0.05)
        assert all(part.y >= -0.01 and part.y + part.height <= 100.02 and part.x + part.width <= 100.01 for part in column.parts)


# ---- the trend: the rules ----


def site(gate: str, name: str = "东门") -> Site:
    return Site(gate=gate, gate_name=name, compound="c1", compound_name="锦绣苑", committee="j1", committee_name="居委",
                area="a1", area_name="片区")  # fmt: skip


def sums(day: date, **gates: GateDay) -> DaySums:
    return DaySums(day=day, length=24 * HOUR, over=True, gates=gates)


def test_trend__a_gate_of_which_a_day_says_nothing_was_unknown_and_not_fine() -> None:
    well = GateDay(status=Tally(present=24 * HOUR), missing={})
    known = trend.trend([sums(TODAY, east=well)], [site("east"), site("west")], (), ZONE)
    assert known.tally == Tally(present=24 * HOUR, unknown=24 * HOUR)
    assert known.worst == known.silent == ()


def test_trend__worst_and_silent__longest_first_and_no_more_than_ten() -> None:
    gates = {f"g{n}": GateDay(status=Tally(missing=n * HOUR, unreachable=(20 - n) * HOUR), missing={"desk": n * HOUR})
             for n in range(1, 13)}  # fmt: skip
    first, second = sums(TODAY - timedelta(days=1), **gates), sums(TODAY, **gates)
    known = trend.trend([first, second], [site(gate, gate) for gate in gates], (), ZONE)
    assert [one.site.gate for one in known.worst] == [f"g{n}" for n in range(12, 2, -1)]
    assert known.silent[0].site.gate == "g1"
    assert (known.worst[0].tally.missing, known.worst[0].missing, known.worst[0].days) == (24 * HOUR, {"desk": 24 * HOUR}, 2)
    assert known.days[0].missing == {"desk": sum(range(1, 13)) * HOUR}


def test_trend__rectifications_by_the_local_day__and_what_was_open_at_its_end() -> None:
    days = [sums(TODAY - timedelta(days=1)), sums(TODAY)]
    known = [
        Mending(id="1", gate="g", item="desk", opened_at=at(9, day=10), due_at=NOW),
        Mending(id="2", gate="g", item="desk", opened_at=at(23, 30, day=15), due_at=NOW, closed_at=at(0, 30)),
        Mending(id="3", gate="g", item="desk", opened_at=at(0, 10), due_at=NOW),
    ]
    found = [one.mended for one in trend.trend(days, [], known, ZONE).days]
    assert [(one.opened, one.closed, one.open_at_end) for one in found] == [(1, 0, 2), (1, 1, 2)]


def test_kept__a_finished_days_sums_are_made_once_an_hour_and_todays_every_half_minute() -> None:
    kept, made = trending.Kept(), []

    def make(days: list[date]) -> list[DaySums]:
        made.append(days)
        return [DaySums(day=day, length=HOUR, over=day < TODAY, gates={}) for day in days]

    days = [TODAY - timedelta(days=1), TODAY]
    for later in (timedelta(), timedelta(seconds=29), timedelta(seconds=30), timedelta(minutes=60), timedelta(minutes=-1)):
        assert [one.day for one in kept.get(days, NOW + later, make)] == days
    assert made == [days, [TODAY], days, days]


# ---- the overview's filters: the rules ----


def status(name: str, of: Status, *lacking: Item, area: str = "a1") -> GateStatus:
    items = {item.value: ItemStatus(present=item not in lacking) for item in Item}
    return GateStatus(gate=name, gate_name=name, compound="c1", compound_name="锦绣苑", area=area, area_name="片区", liaison="Li",
                      status=of, items=items)  # fmt: skip


GATES = (
    status("East", Status.COMPLIANT),
    status("North", Status.NON_COMPLIANT, Item.DESK, Item.PASSES),
    status("West", Status.UNREACHABLE, *Item, area="a2"),
    status("Side", Status.CLOSED, *Item),
)


@pytest.mark.parametrize(
    "wanted, names",
    [
        (board.Wanted(), "East North West Side"),
        (board.Wanted(area="a2"), "West"),
        (board.Wanted(status=Status.CLOSED), "Side"),
        (board.Wanted(item=Item.DESK), "North"),
        (board.Wanted(item=Item.VOLUNTEER), ""),
        (board.Wanted(search="  锦绣 NORTH"), "North"),
        (board.Wanted(search="north east"), ""),
        (board.Wanted(area="a1", status=Status.COMPLIANT, search="li"), "East"),
    ],
)
def test_narrowed__by_each_and_by_all(wanted: board.Wanted, names: str) -> None:
    assert [gate.gate for gate in board.narrowed(GATES, wanted)] == names.split()
    assert bool(wanted) == (wanted != board.Wanted())


def test_tiles__count_without_regard_to_the_status_wanted() -> None:
    found = {
        tile.status: (tile.count, tile.pressed) for tile in board.tiles(GATES, board.Wanted(area="a1", status=Status.CLOSED))
    }
    assert found[None] == (3, False)
    assert found[Status.CLOSED] == (1, True)
    assert found[Status.UNREACHABLE] == (0, False)


# ---- the store ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two areas: east, of which a day and a history are known, and west, of which nothing is."""
    path = tmp_path_factory.mktemp("figures") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        for n, gate in ((1, "east"), (2, "west")):
            places.add_area(conn, f"a{n}", f"{n}片区")
            places.add_committee(conn, f"j{n}", f"{n}居委", f"a{n}")
            places.add_compound(conn, f"c{n}", f"{n}苑", f"j{n}", "李敏")
            places.add_gate(conn, gate, "东门" if n == 1 else "西门", f"c{n}")
            conn.execute(sa.insert(tables.stations).values(id=f"{gate}-1", gate=gate, lane="1", added_at=at(0, day=1)))
        for role in Role:
            ends = NOW + timedelta(days=9) if role is Role.GUEST else None
            accounts.add_account(conn, role.value, role.value, role, expires_at=ends)
        accounts.add_account(conn, "li", "李敏", Role.LIAISON, scopes=(Scope(ScopeKind.AREA, "a1"),))
        seed_events(conn)
        seed_history(conn)
        seed_pulse(conn)
    engine.dispose()
    return path


def seed_events(conn: sa.Connection) -> None:
    fever = body_of(37.6, band=Band.FEVER)
    said: list[tuple[datetime, Body]] = [
        (at(6), Started(software="0.4.1", unclean=True)),
        (at(6, 1), ClockSynced(stepped_seconds=-3.2)),
        (at(6, 2), DirectoryApplied(version=41)),
        (at(7, 5), admit(reading=body_of(36.5), people=2)),
        (at(7, 10), admit(Direction.OUT)),
        (at(8, 10), stopped(Outcome.REFER, reading=fever)),
        (at(9), admit(reading=body_of(36.5, "typed"), by="b1")),
        (at(9, 5), Correction(corrects="e4", cancelled=True)),
        (at(10), Tallied(what="courier")),
        (at(18, 20), PeopleCounted(seconds=900, counted=31, recorded=12)),
        (at(9, day=17), admit(written=Written(at=at(19)))),
        (at(9, 1, day=17), admit()),
    ]
    for seq, (when, body) in enumerate(said):
        event = Event(seq=seq + 1, id=f"e{seq}", at=when, boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
        row = {"journal": "j", "seq": event.seq, "id": event.id, "station": "east-1", "gate": "east", "at": when, "boot": "b"}
        more = {"mono_ns": seq, "clock": "unsynced" if seq == 0 else "synced", "kind": kind_of(body)}
        late = timedelta(hours=2) if seq == 3 else timedelta(seconds=1)
        values = {**row, **more, "received_at": when + late, "body": encode(event).decode()}
        conn.execute(sa.insert(tables.events).values(values))


def seed_history(conn: sa.Connection) -> None:
    """Yesterday from midnight: 12 h well, 6 h without a desk, 6 h silent; today well until now."""
    rows: list[tuple[str, datetime, datetime | None, str]] = [
        ("status", at(0, day=15), at(12, day=15), "compliant"),
        ("status", at(12, day=15), at(18, day=15), "non_compliant"),
        ("status", at(18, day=15), at(0), "unreachable"),
        ("status", at(0), None, "compliant"),
        ("desk", at(0, day=15), at(12, day=15), "present"),
        ("desk", at(12, day=15), at(0), "missing"),
        ("desk", at(0), None, "present"),
        *((item.value, at(0, day=15), None, "present") for item in Item if item is not Item.DESK),
    ]
    for what, began, ended, state in rows:
        values = {"gate": "east", "what": what, "began_at": began, "ended_at": ended, "state": state}
        conn.execute(sa.insert(tables.intervals).values(values))
    mending = {"id": "r1", "gate": "east", "item": "desk", "cause": "missing", "opened_at": at(13, day=15), "due_at": at(13)}
    conn.execute(sa.insert(rectifications).values(**mending, state="closed", closed_at=at(7), closed_by="evidence"))


def seed_pulse(conn: sa.Connection) -> None:
    thermometer = DeviceState(device="thermometer", ok=False, detail="no answer")
    vitals = Vitals(boot="b", mono_ns=1, at=NOW - timedelta(seconds=450), clock=Clock.UNSYNCED, last_seq=9, backlog=14,
                    directory_version=0, devices=(thermometer,), disk_free_bytes=21_400_000_000, software="0.4.1")  # fmt: skip
    conn.execute(sa.insert(tables.pulses).values(station="east-1", online=True, heard_at=NOW, vitals=encode(vitals).decode()))


@pytest.fixture(scope="module")
def engine(seeded: Path) -> Iterator[sa.Engine]:
    """One store for all: nothing here writes to it."""
    engine = open_store(f"sqlite:///{seeded}")
    yield engine
    engine.dispose()


@pytest.fixture
def conn(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection:
        yield connection


def test_gate_day__of_today(conn: sa.Connection) -> None:
    known = figures.gate_day(conn, "east", TODAY, ZONE, NOW)
    assert (known.day.came, known.day.left, known.day.entries, known.day.cancelled) == (3, 0, 3, 1)
    assert (known.day.kept_out, known.day.tallied, known.day.counted[0].walked_past) == (1, 1, 19)
    told = known.stations[0]
    assert (told.station, told.events, told.unsynced, told.steps, told.unclean) == ("east-1", 10, 1, (-3.2,), 1)
    assert (told.software, told.directory, told.latest) == (("0.4.1",), (41,), 2 * HOUR)
    assert not known.cut


def test_gate_day__once_it_is_over_what_was_keyed_in_the_next_day_belongs_to_it(conn: sa.Connection) -> None:
    known = figures.gate_day(conn, "east", TODAY, ZONE, NOW + timedelta(days=1))
    assert (known.day.written, {one.hour: one.came for one in known.day.hours}[19]) == (1, 1)
    assert known.stations[0].events == 10
    after = figures.gate_day(conn, "east", TODAY + timedelta(days=1), ZONE, NOW + timedelta(days=1))
    assert (after.day.entries, after.day.written) == (1, 0)


def test_hours_of_day__as_the_page_of_the_day_says(conn: sa.Connection) -> None:
    assert figures.hours_of_day(conn, "east", ZONE, NOW) == figures.gate_day(conn, "east", TODAY, ZONE, NOW).day.hours


def test_trend__agrees_with_the_daily_report(conn: sa.Connection) -> None:
    days = trending.last_days(7, ZONE, NOW)
    known = trending.read(conn, days, reporting.load_sites(conn), ZONE, NOW, trending.Kept())
    for one in known.days:
        report = reporting.report(conn, durations.day_period(one.day, ZONE, NOW))
        assert one.tally == trend.total(gate.status for gate in report.gates)
    yesterday = known.days[-2]
    assert yesterday.tally == Tally(present=12 * HOUR, missing=6 * HOUR, unreachable=6 * HOUR, unknown=24 * HOUR)
    assert yesterday.missing == {"desk": 6 * HOUR}
    assert [(one.mended.opened, one.mended.closed) for one in known.days[-2:]] == [(1, 0), (0, 1)]


# ---- the pages ----


@pytest.fixture(scope="module")
def app(engine: sa.Engine, seeded: Path) -> Flask:
    return create_app(Located(HubSettings(web=Web(secure_cookies=False)), seeded.parent), engine, now=lambda: NOW)


def as_(app: Flask, account: str, language: str = "zh") -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"1 {account}", True
    client.set_cookie("language", language)
    return client


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("path", ["/gate/east/figures", "/trend"])
def test_pages__every_role_looks(app: Flask, role: Role, path: str) -> None:
    assert as_(app, role.value).get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/gate/west/figures", "/gate/nowhere/figures", "/trend?place=area:a2", "/trend?place=committee:j2"]
)
def test_pages__outside_ones_reach_there_is_nothing(app: Flask, path: str) -> None:
    assert as_(app, "li").get(path).status_code == 404


def test_trend__of_ones_own_reach_alone(app: Flask) -> None:
    page = words(as_(app, "li").get("/trend?days=7").text)
    assert "1个门岗" in page
    assert "2片区" not in page
    assert "2个门岗" in words(as_(app, "supervisor").get("/trend?days=7").text)


def test_trend__by_area_and_committee(app: Flask) -> None:
    client = as_(app, "supervisor")
    for place in ("area:a1", "committee:j1"):
        page = client.get(f"/trend?days=7&place={place}").text
        assert f'value="{place}" selected' in page
        assert "1苑 东门" in page
        assert "不达标合计6小时,失联合计6小时" in words(page)


def test_trend__a_day_of_which_nothing_is_known_is_said_to_be_so(app: Flask) -> None:
    page = as_(app, "supervisor").get("/trend?days=7&place=area:a2").text
    assert "fill-good" not in page.partition('id="share-title"')[2].partition("plot-ticks")[0].partition("plot-area")[2]
    table = words(page.partition('id="numbers-items"')[2])
    assert table.count("无记录") == 7 * len(Item)
    assert "开放时间达标率–" in words(page)


@pytest.mark.parametrize("asked, days", [("", 14), ("?days=7", 7), ("?days=28", 28), ("?days=5000", 14), ("?days=x", 14)])
def test_trend__as_many_days_as_can_be_chosen(app: Flask, asked: str, days: int) -> None:
    page = as_(app, "supervisor").get(f"/trend{asked}").text
    assert page.partition('id="numbers-share"')[2].partition("</table>")[0].count('<th scope="row">') == days


def test_gate_day__what_the_page_says(app: Flask) -> None:
    answer = as_(app, "supervisor").get("/gate/east/figures")
    page = words(answer.text)
    assert "进3人、出0人,登记3条;没放行1人,发热1次" in page
    assert "18:00–19:00 感应31人、登记12人:约19人可能没登记就走过。" in page
    assert "未校时,比中枢慢450秒" in page
    assert "21.4 GB" in page
    assert "测温仪 no answer" in page
    assert "最慢2小时传到中枢" in page
    assert "发热 37.3" in page
    assert 'href="/gate/east/figures?day=2026-02-15"' in answer.text
    assert 'href="/gate/east/figures?day=2026-02-17"' not in answer.text
    for path in ("/gate/east", "/report/gate/east/2026-02-16", "/rectifications?gate=east", "/trend?place=committee:j1"):
        assert f'href="{path}"' in answer.text


def test_gate_day__a_day_without_a_word_says_so(app: Flask) -> None:
    page = words(as_(app, "supervisor").get("/gate/east/figures?day=2026-02-10").text)
    assert "这一天没有进出登记。" in page
    assert "这一天没有收到它的记录。" in page
    assert "每小时进出" not in page


@pytest.mark.parametrize("asked, said", [("2026-02-17", "这一天还没有到。"), ("yesterday", "日期写法应为")])
def test_gate_day__a_day_that_is_none_is_told_at_its_field(app: Flask, asked: str, said: str) -> None:
    page = as_(app, "supervisor").get(f"/gate/east/figures?day={asked}").text
    assert said in page
    assert f'value="{asked}"' in page
    assert 'aria-describedby="day-problem"' in page


@pytest.mark.parametrize("path", ["/gate/east/figures", "/trend", "/gate/east", "/?item=desk"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages__keep_to_the_policy__nothing_inline(app: Flask, path: str, language: str) -> None:
    page = as_(app, "supervisor", language).get(path).text
    assert " style=" not in page
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*src=)", page)


def test_gate__leads_to_its_figures_and_shows_today(app: Flask) -> None:
    page = as_(app, "supervisor").get("/gate/east").text
    for path in ("/gate/east/figures", "/trend?place=area:a1", "/report/gate/east/2026-02-16", "/rectifications?gate=east"):
        assert f'href="{path}"' in page
    assert "到现在进3人、出0人" in words(page)


def shown(page: str) -> set[str]:
    return set(re.findall(r'<li data-part="row-(\w+)"[^>]*"(?! hidden)>', page))


@pytest.mark.parametrize(
    "asked, gates",
    [
        ("", {"east", "west"}), ("?area=a1", {"east"}), ("?area=nowhere", {"east", "west"}), ("?q=西门", {"west"}),
        ("?status=unreachable", {"west"}), ("?status=better", {"east", "west"}), ("?item=temperature", {"east"}),
        ("?item=temperature&area=a2", set()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["worst", "place"])
def test_overview__filters_without_a_script(app: Flask, asked: str, gates: set[str], order: str) -> None:
    client = as_(app, "supervisor")
    page = client.get(f"/{asked}{'&' if asked else '?'}order={order}").text
    assert shown(page) == gates
    assert set(re.findall(r'data-part="row-(\w+)"', page)) == {"east", "west"}
    assert ('<p id="none" class="none" hidden' in page) == bool(gates)
    assert 'href="/trend"' in page


def test_overview__a_status_narrows_and_its_tile_leads_back(app: Flask) -> None:
    page = as_(app, "supervisor").get("/?status=unreachable&q=西").text
    tile = re.search(r'<button[^>]*id="tile-unreachable"[^>]*>', page)
    assert tile
    assert 'value=""' in tile[0]
    assert 'aria-pressed="true"' in tile[0]
    assert 'name="q" value="西"' in page


def test_overview__a_filtered_page_leaves_everybody_elses_alone(app: Flask) -> None:
    client = as_(app, "supervisor")
    assert shown(client.get("/?area=a1").text) == {"east"}
    assert shown(client.get("/").text) == {"east", "west"}
