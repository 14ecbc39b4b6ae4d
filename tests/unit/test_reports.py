"""The daily report, the evidence page and the signs of gaming: the rules, a real store, the pages, the files, the command."""

import random
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from shutil import copy
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from contract.codec import encode
from contract.events import (
    Band,
    Body,
    Clock,
    Correction,
    Direction,
    DutyConfirmed,
    Entry,
    Event,
    EvidenceChange,
    Outcome,
    PeopleCounted,
    Reading,
    ShiftChange,
    Written,
    kind_of,
)
from contract.five import Basis, Evidence, Item, Lifetimes
from hub import audit, evidencing, flagging, report_files, reporting
from hub.commands.common import PlainErrors
from hub.commands.report import report as report_command
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, places
from hub.rights import Role, Scope, ScopeKind
from hub.rules import durations, gaming, mended
from hub.rules import report as rules
from hub.rules.compliance import Status
from hub.rules.durations import Known, Period, Span, Tally
from hub.rules.gaming import Flag, Sign
from hub.rules.intervals import Interval
from hub.rules.mended import Inspected, Mending
from hub.rules.report import Site
from hub.sheets import FONTS
from hub.store import meta, migrate, open_store, supervision, tables
from hub.web import create_app, day_lanes, report_sections
from hub.web.report_sections import Words
from hub.web.reports import Recent
from hub.web.texts import LANGUAGES
from hub.web.texts.reports import TEXTS

ZONE = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 2, 16)
MIDNIGHT = datetime(2026, 2, 16, tzinfo=ZONE).astimezone(UTC)
NOW = datetime(2026, 2, 17, 7, 41, tzinfo=ZONE).astimezone(UTC)
ASK_AFTER = timedelta(seconds=Lifetimes().ask_volunteer_after)
HOUR = timedelta(hours=1)
needs_font = pytest.mark.skipif(not any(Path(name).is_file() for name, _ in FONTS), reason="no font with Chinese characters")
needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed: poppler-utils")


def at(hours: float, day: int = 0) -> datetime:
    """So many hours after the day's midnight."""
    return MIDNIGHT + timedelta(days=day, hours=hours)


def hours(length: timedelta) -> float:
    return length / HOUR


def whole_day() -> Period:
    return durations.day_period(DAY, ZONE, NOW)


def row(begin: float, end: float | None, state: str, reason: str | None = None) -> Interval:
    return Interval(began_at=at(begin), ended_at=None if end is None else at(end), state=state, reason=reason)


# ---- a period shared out ----


def test_ok__a_day_and_a_week_by_the_local_calendar() -> None:
    day, week = durations.day_period(DAY, ZONE, NOW), durations.week_period(date(2026, 2, 22), ZONE, NOW)
    assert (day.begin, day.end, day.over) == (at(0), at(24), True)
    assert (week.first, week.last, week.begin, week.end, week.over) == (DAY, date(2026, 2, 22), at(0), NOW, False)


def test_ok__a_day_on_which_the_clocks_change_is_as_long_as_it_is() -> None:
    berlin, later = ZoneInfo("Europe/Berlin"), NOW + timedelta(days=300)
    days = [durations.day_period(day, berlin, later) for day in (date(2026, 3, 29), date(2026, 10, 25))]
    assert [hours(one.length) for one in days] == [23, 25]


def test_ok__a_day_that_has_not_come_is_empty() -> None:
    assert durations.day_period(DAY + timedelta(days=9), ZONE, NOW).length == timedelta(0)


times = st.integers(min_value=-600, max_value=2000)
STATES = {"status": [s.value for s in Status], "item": ["present", "missing"]}


def rows_of(kind: str) -> st.SearchStrategy[list[Interval]]:
    one = st.tuples(times, st.one_of(st.none(), st.integers(min_value=0, max_value=900)), st.sampled_from(STATES[kind]))
    return st.lists(one, max_size=8, unique_by=lambda made: made[0]).map(
        lambda many: [row(a / 60, None if long is None else (a + long) / 60, state) for a, long, state in many]
    )


def blindness(a: int, b: int) -> list[durations.Stretch]:
    begin, end = max(at(a / 60), at(0)), min(at(b / 60), at(24))
    return [(begin, end)] if begin < end else []


stretches = st.builds(blindness, times, times)


@given(rows_of("status"), rows_of("item"), stretches)
def test_ok__the_five_add_up_to_the_period_and_follow_one_another(
    status: list[Interval], item: list[Interval], blind: list[durations.Stretch]
) -> None:
    period = whole_day()
    gate = durations.spans(status, period)
    for known in (durations.own(gate), durations.spans(item, period)):
        parts = durations.partition(gate, known, blind, period)
        assert parts[0].begin == period.begin
        assert [one.end for one in parts] == [*(one.begin for one in parts[1:]), period.end]
        sums = durations.tally(parts, blind)
        assert sums.total == period.length
        assert timedelta(0) <= sums.blind <= sums.unknown
        assert sums.blind == sum((b - a for a, b in blind), timedelta(0))


@given(rows_of("status"), rows_of("item"), stretches)
def test_ok__each_minute_is_what_the_newest_word_of_it_says(
    status: list[Interval], item: list[Interval], blind: list[durations.Stretch]
) -> None:
    period = whole_day()
    parts = durations.partition(durations.spans(status, period), durations.spans(item, period), blind, period)
    for minute in range(0, 1440, 7):
        moment = at(minute / 60)
        found = next(one.state for one in parts if one.begin <= moment < one.end)
        assert found == expected(newest(status, moment), newest(item, moment), any(a <= moment < b for a, b in blind))


def newest(known: list[Interval], moment: datetime) -> str | None:
    last = max((one for one in known if one.began_at <= moment), key=lambda one: one.began_at, default=None)
    return last.state if last is not None and (last.ended_at is None or moment < last.ended_at) else None


def expected(gate: str | None, item: str | None, blind: bool) -> str:
    if blind or gate is None:
        return "unknown"
    if gate in ("unreachable", "closed"):
        return gate
    return item or "unknown"


@given(rows_of("status"), rows_of("item"))
def test_ok__spells_hold_all_missing_time_once(status: list[Interval], item: list[Interval]) -> None:
    period = whole_day()
    parts = durations.partition(durations.spans(status, period), durations.spans(item, period), [], period)
    found = durations.spells("desk", parts, period)
    assert sum((one.missing for one in found), timedelta(0)) == durations.tally(parts).missing
    assert all(one.missing <= one.end - one.begin for one in found)
    assert all(earlier.end <= later.begin for earlier, later in pairwise(found))
    assert sum(one.lasts for one in found) <= 1


@given(rows_of("status"), st.lists(st.integers(-300, 1600), unique=True, max_size=5), stretches)
def test_ok__what_was_always_there_is_reckoned_the_short_way_to_the_same(
    status: list[Interval], edges: list[int], blind: list[durations.Stretch]
) -> None:
    period, times = whole_day(), [-9999, *sorted(edges), 9999]
    item = [row(a / 60, b / 60, "present", str(a)) for a, b in pairwise(times)]
    known = rules.gate_report(site(), status, {"desk": item}, blind, period)
    gate = durations.spans(status, period)
    assert rules._always_present(durations.spans(item, period), period)
    assert known.items["desk"] == durations.tally(durations.partition(gate, durations.spans(item, period), blind, period), blind)


@pytest.mark.parametrize(
    "item",
    [
        [], [row(0, 23, "present")], [row(1, None, "present")], [row(0, 9, "present"), row(10, None, "present")],
        [row(0, 9, "present"), row(9, None, "missing")],
    ],
)  # fmt: skip
def test_ok__what_was_away_for_a_moment_was_not_always_there(item: list[Interval]) -> None:
    assert not rules._always_present(durations.spans(item, whole_day()), whole_day())


def site(gate: str = "east", compound: str = "c1", area: str = "a1") -> Site:
    return Site(gate=gate, gate_name=f"{gate}门", compound=compound, compound_name="锦绣苑", committee="j1",
                committee_name="一居委", area=area, area_name=f"{area}片区", liaison="李敏")  # fmt: skip


def reported(status: list[Interval], item: list[Interval], gate: str = "east", area: str = "a1") -> rules.GateReport:
    return rules.gate_report(site(gate, area=area), status, {"desk": item}, [], whole_day())


LATE = reported(
    [row(-5, 10, "non_compliant"), row(10, 12, "unreachable"), row(12, 22, "compliant"), row(22, None, "closed")],
    [row(-5, 10, "missing", "expired"), row(10, 13, "missing", "silent"), row(13, 14, "missing"), row(14, None, "present")],
)  # fmt: skip


def test_ok__silence_is_counted_apart_and_does_not_end_what_was_missing() -> None:
    assert [hours(getattr(LATE.status, state)) for state in Known] == [10, 10, 2, 2, 0]
    assert [hours(getattr(LATE.items["desk"], state)) for state in Known] == [8, 12, 2, 2, 0]
    (spell,) = LATE.spells
    assert (spell.begin, spell.end, hours(spell.missing), spell.put_right, spell.lasts) == (at(0), at(14), 12, True, False)
    assert spell.since == at(-5)


def test_ok__silence_lowers_the_share_and_is_never_fine() -> None:
    unplugged = reported([row(0, 1, "compliant"), row(1, None, "unreachable")], [row(0, None, "present")])
    assert unplugged.status.share == 1 / 24
    assert not unplugged.whole
    assert rules.coverage([unplugged]).share_of_gates == 0


def test_ok__a_gate_closed_all_day_is_in_no_share() -> None:
    shut = reported([row(-9, None, "closed")], [row(-9, None, "missing")])
    assert (shut.status.share, shut.spells, shut.whole) == (None, (), False)
    assert rules.coverage([shut]).share_of_gates is None


def test_ok__what_went_and_came_back_is_counted_each_time() -> None:
    flapping = reported([row(0, None, "compliant")], [row(n, n + 1, "missing" if n % 2 else "present") for n in range(8)])
    (fault,) = rules.faults([flapping])
    assert (fault.times, hours(fault.missing), hours(fault.longest.missing), fault.lasts) == (4, 4, 1, False)


def test_ok__what_is_still_missing_at_the_end_says_so() -> None:
    (fault,) = rules.faults([reported([row(0, None, "non_compliant")], [row(5, None, "missing")])])
    assert (hours(fault.missing), fault.lasts, fault.longest.put_right) == (19, True, False)


def test_ok__good_practice() -> None:
    well = reported([row(0, None, "compliant")], [row(0, None, "present")], "well")
    quick = reported(
        [row(0, None, "compliant")], [row(0, 5, "present"), row(5, 5.2, "missing"), row(5.2, None, "present")], "quick"
    )
    slow = reported([row(0, None, "compliant")], [row(0, 5, "missing"), row(5, None, "present")], "slow")
    blink = reported([row(0, None, "compliant")], [row(0, 0.01, "missing"), row(0.01, None, "present")], "blink")
    known = [LATE, slow, quick, blink, well]
    assert [one.site.gate for one in rules.whole(known)] == ["well"]
    assert [one.site.gate for one in rules.quickest(known)] == ["quick", "slow"]
    assert [one.site.gate for one in rules.silent(known)] == ["east"]


def test_ok__areas_with_the_lowest_share_first() -> None:
    well = reported([row(0, None, "compliant")], [row(0, None, "present")], "well", "a2")
    shut = reported([row(0, None, "closed")], [], "shut", "a3")
    grouped = rules.by([well, shut, LATE], lambda one: one.area)
    assert list(grouped) == ["a1", "a2", "a3"]
    assert grouped["a1"].longest is not None
    assert (grouped["a2"].whole, grouped["a2"].opened, grouped["a3"].opened) == (1, 1, 0)
    assert rules.coverage([well, shut, LATE]).tally == sum((one.tally for one in grouped.values()), Tally())


def mending(id: str, opened: float, **more: object) -> Mending:
    return Mending(**{"id": id, "gate": "east", "item": "desk", "opened_at": at(opened), "due_at": at(opened + 4), **more})  # type: ignore[arg-type]


def test_ok__rectifications_as_they_were_at_the_end_of_the_period() -> None:
    known = [
        mending("old", -30), mending("closed", 2, closed_at=at(5), closed_by="evidence"),
        mending("later", 3, closed_at=at(30), closed_by="recheck", reopened=2, reopened_at=at(9)),
        mending("fresh", 23, recurrence=3), mending("tomorrow", 25),
    ]  # fmt: skip
    sums = mended.mendings(known, whole_day())
    assert (sums.opened, sums.closed, sums.by_recheck, sums.open_at_end) == (3, 1, 0, 3)
    assert [one.id for one in sums.overdue] == ["old", "later"]
    assert [one.id for one in sums.reopened] == ["later"]
    assert [one.id for one in sums.recurring] == ["fresh"]


def looked(
    id: str, method: str = "rounds", lacking: tuple[str, ...] = (), conduct: bool | None = None, hour: float = 9
) -> Inspected:
    return Inspected(id=id, gate="east", method=method, observed_at=at(hour), by="zhou", lacking=lacking, conduct=conduct)


def test_ok__inspections_by_method_and_what_they_found() -> None:
    made = mended.by_method([looked("1", lacking=("desk",)), looked("2"), looked("3", "actor", conduct=False)])
    assert [(m.method, m.made, m.gates, m.with_fault, m.lacking, m.bad_conduct) for m in made] == [
        ("rounds", 2, 1, 1, {"desk": 1}, 0), ("actor", 1, 1, 1, {}, 1),
    ]  # fmt: skip


# ---- the signs of gaming ----


def reading(celsius: float, seconds: float | None = 4.0, source: str = "typed", band: Band = Band.NORMAL) -> Reading:
    return Reading(band=band, source=source, body_celsius=celsius, typed_seconds=seconds if source == "typed" else None)


def entry(celsius: float | None = None, outcome: Outcome = Outcome.ADMIT, **more: object) -> Entry:
    taken = None if celsius is None else reading(celsius)
    return Entry(**{"direction": Direction.IN, "outcome": outcome, "reading": taken, **more})  # type: ignore[arg-type]


def dated(entries: list[Entry], begin: float = 8, apart: float = 1 / 60) -> list[gaming.Dated]:
    return [(at(begin + n * apart), one) for n, one in enumerate(entries)]


def foreheads(n: int) -> list[float]:
    chance = random.Random(7)
    return [round(chance.gauss(36.4, 0.25), 1) for _ in range(n)]


def test_ok__typed_all_alike_is_flagged_with_its_figures() -> None:
    flag = gaming.typed_alike("east", dated([entry(36.5)] * 40))
    assert flag is not None
    assert (flag.sign, flag.figures["value"], flag.figures["share"], flag.figures["n"]) == (Sign.TYPED_ALIKE, 36.5, 1.0, 40)


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([entry(36.5)] * 29, id="too few to tell"),
        pytest.param([entry(c) for c in foreheads(60)], id="as people are"),
        pytest.param([entry(reading=reading(36.5, source="mlx90614"))] * 60, id="an instrument's are not typed"),
    ],
)
def test_ok__typed_readings_without_a_sign(entries: list[Entry]) -> None:
    assert gaming.typed_alike("east", dated(entries)) is None


def test_ok__an_instruments_readings_never_soften_what_was_typed() -> None:
    measured = [entry(reading=reading(c, source="mlx90614")) for c in foreheads(300)]
    flag = gaming.typed_alike("east", dated([*measured, *[entry(36.5)] * 40]))
    assert flag is not None
    assert flag.figures["n"] == 40


def test_ok__typed_in_no_time_and_never_again() -> None:
    quick = [entry(reading=reading(c, 1.2)) for c in foreheads(250)]
    flag = gaming.typed_alike("east", dated(quick))
    assert flag is not None
    assert (flag.figures["quick"], flag.figures["again"]) == (1.0, 0)
    assert gaming.typed_alike("east", dated([*quick, entry(34.0, Outcome.RETAKE)])) is None


def declared(day: int, hour: float, item: Item = Item.DESK, *, basis: Basis = Basis.DECLARED) -> tuple[datetime, EvidenceChange]:
    when = at(hour, day)
    return when, EvidenceChange(evidence=Evidence(item=item, present=True, basis=basis, observed_at=when))


def test_ok__a_checklist_like_a_clock() -> None:
    flag = gaming.clockwork("east", [declared(-n, 8 + n / 3600) for n in range(6)], ZONE)
    assert flag is not None
    assert flag.figures == {"item": "desk", "days": 6, "spread": 5.0, "time": "08:00"}


@pytest.mark.parametrize(
    "made",
    [
        pytest.param([declared(-n, 8) for n in range(4)], id="too few days"),
        pytest.param([declared(-n, 8 + n / 20) for n in range(7)], id="as people come"),
        pytest.param([declared(-n, 8, basis=Basis.SENSOR) for n in range(7)], id="a sensor may be regular"),
    ],
)
def test_ok__a_checklist_without_a_sign(made: list[tuple[datetime, EvidenceChange]]) -> None:
    assert gaming.clockwork("east", made, ZONE) is None


SIGNED_ON = ShiftChange(on=True, badge="b1")
CONFIRMED = DutyConfirmed(badge="b1", by_touch=False)


def confirmed_after(delays: list[float]) -> list[tuple[datetime, DutyConfirmed]]:
    now, made = at(6), []
    for delay in delays:
        now += ASK_AFTER + timedelta(seconds=delay)
        made.append((now, CONFIRMED))
    return made


@pytest.mark.parametrize("delays, flagged", [([2] * 10, True), ([2] * 7, False), ([3, 45, 120, 8, 300, 20, 66, 4, 90], False)])
def test_ok__a_badge_left_at_the_gate_has_no_pauses(delays: list[float], flagged: bool) -> None:
    flag = gaming.badge_left("east", [(at(6), SIGNED_ON)], confirmed_after(delays), ASK_AFTER)
    assert (flag is not None) is flagged


def test_ok__hours_without_a_hand() -> None:
    alone = dated([entry()] * 100, 8, 1 / 20)
    flag = gaming.no_hands("east", alone, [at(7), at(14)])
    assert flag is not None
    assert (flag.figures["entries"], hours(timedelta(seconds=float(flag.figures["seconds"])))) == (100, 4.95)
    assert gaming.no_hands("east", alone, [at(7), at(10), at(12), at(14)]) is None
    assert gaming.no_hands("east", [*alone, (at(10.01), entry(by="b1"))], [at(7), at(14)]) is None
    assert gaming.no_hands("east", alone, []) is None


@pytest.mark.parametrize("counted, recorded, flagged", [(100, 60, True), (100, 85, False), (40, 5, False), (100, 170, True)])
def test_ok__counted_against_recorded(counted: int, recorded: int, flagged: bool) -> None:
    halves = [PeopleCounted(seconds=600, counted=counted // 2, recorded=recorded // 2)] * 2
    assert (gaming.unrecorded("east", halves) is not None) is flagged


def usual(days: int, today: dict[int, int], each: int = 60) -> dict[date, dict[int, int]]:
    return {DAY - timedelta(days=n): {7: each, 8: each} for n in range(1, days + 1)} | {DAY: today}


@pytest.mark.parametrize(
    "known, flagged",
    [
        (usual(6, {7: 5, 8: 60}), True), (usual(6, {7: 20, 8: 60}), False), (usual(4, {7: 0, 8: 60}), False),
        (usual(6, {7: 0}, each=10), False), (usual(6, {}), False),
    ],
)  # fmt: skip
def test_ok__too_quiet_for_its_hour(known: dict[date, dict[int, int]], flagged: bool) -> None:
    flag = gaming.too_quiet("east", known, DAY)
    assert (flag is not None) is flagged
    if flag is not None:
        assert (flag.figures["hour"], flag.figures["entries"], flag.figures["usual"]) == (7, 5, 60)


@pytest.mark.parametrize(
    "begin, end, flagged", [(8.9, 10, True), (9.2, 11, True), (2, 20, False), (11, 12, False), (8.5, 8.9, False)]
)
def test_ok__unplugged_while_inspected(begin: float, end: float, flagged: bool) -> None:
    silent = Span(begin=at(begin), end=at(end), state="unreachable", since=at(begin))
    assert (gaming.unplugged("east", [silent], [looked("1")]) is not None) is flagged


def closed(n: int, minutes: float) -> Mending:
    return mending(f"m{n}", n, answered_at=at(n + 1), closed_at=at(n + 1 + minutes / 60), closed_by="evidence")


@pytest.mark.parametrize(
    "minutes, flagged", [([11, 12, 10], True), ([11, 12], False), ([11, 12, 10, 90, 80, 70, 60], False), ([60, 90, 70], False)]
)
def test_ok__closed_right_after_the_answer(minutes: list[float], flagged: bool) -> None:
    assert (gaming.closed_at_once("east", [closed(n, m) for n, m in enumerate(minutes)]) is not None) is flagged


def back_entries(gaps: list[float]) -> list[gaming.Dated]:
    when, made = at(3), []
    for gap in gaps:
        when += timedelta(minutes=gap)
        made.append((at(20), entry(written=Written(at=when))))
    return made


@pytest.mark.parametrize(
    "gaps, flagged", [([5] * 9, True), ([5] * 6, False), ([1, 9, 3, 12, 2, 7, 5, 15, 1], False), ([0] * 9, False)]
)
def test_ok__back_entries_evenly_spaced(gaps: list[float], flagged: bool) -> None:
    flag = gaming.even_back_entries("east", back_entries(gaps), ZONE)
    assert (flag is not None) is flagged
    if flag is not None:
        assert flag.figures["gap"] == 300


def strictness(entries: int, questioned: int, measured: int) -> gaming.Strictness:
    return gaming.Strictness(entries=entries, questioned=questioned, measured=measured)


def test_ok__side_gates_lax_while_the_main_one_is_strict() -> None:
    main = strictness(2000, 100, 1900)
    assert gaming.lax_sides({"main": main, "side": strictness(400, 18, 380)}) == []
    assert gaming.lax_sides({"main": main, "side": strictness(90, 0, 0)}) == []
    assert gaming.lax_sides({}) == []
    found = gaming.lax_sides({"main": main, "side": strictness(400, 1, 390), "back": strictness(300, 20, 150)})
    assert [(flag.gate, flag.figures["main"]) for flag in found] == [("side", "main"), ("back", "main")]


def test_ok__strictness_leaves_out_emergencies_and_what_was_keyed_in_later() -> None:
    entries = [entry(36.5), entry(outcome=Outcome.REFER), entry(outcome=Outcome.EMERGENCY), entry(written=Written(at=at(3)))]
    assert gaming.strictness(dated(entries)) == strictness(2, 1, 1)


# ---- a real store ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """East lacked its desk from 08:00 to 10:30 and its volunteer from 09:00 to 09:20, was silent from 12:00 to 12:30 and is
    closed from 22:00 on; north had its five throughout; south, of another area, is not heard from 20:00 on."""
    path = tmp_path_factory.mktemp("reports") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        for area, name in (("a1", "东片区"), ("a2", "西片区")):
            places.add_area(conn, area, name)
            places.add_committee(conn, f"j-{area}", f"{name}居委", area)
            places.add_compound(conn, f"c-{area}", f"{name}小区", f"j-{area}", "李敏" if area == "a1" else "=周强")
        for gate, name, area in (("east", "东门", "a1"), ("north", "北门", "a1"), ("south", "南门", "a2")):
            places.add_gate(conn, gate, name, f"c-{area}")
            conn.execute(sa.insert(tables.stations).values(id=f"{gate}-1", gate=gate, lane="1", added_at=at(-99)))
        people(conn)
        histories(conn)
        supervised(conn)
        journal(conn)
    engine.dispose()
    return path


def people(conn: sa.Connection) -> None:
    for role in Role:
        end = NOW + timedelta(days=9) if role is Role.GUEST else None
        accounts.add_account(conn, role.value, f"{role.value}员", role, "a long password", expires_at=end)
    accounts.add_account(conn, "west", "西联络", "liaison", "a long password", scopes=[Scope(ScopeKind.AREA, "a2")])


def histories(conn: sa.Connection) -> None:
    east = {
        "status": [(-20, 8, "compliant", None), (8, 10.5, "non_compliant", None), (10.5, 12, "compliant", None),
                   (12, 12.5, "unreachable", None), (12.5, 22, "compliant", None), (22, None, "closed", None)],
        "desk": [(-20, 8, "present", None), (8, 10.5, "missing", "expired"), (10.5, None, "present", None)],
        "volunteer": [(-20, 9, "present", None), (9, 9 + 1 / 3, "missing", "not_confirmed"), (9 + 1 / 3, None, "present", None)],
    }  # fmt: skip
    south = {"status": [(-20, 20, "compliant", None), (20, None, "unreachable", None)]}
    for gate, known in (("east", east), ("north", {"status": [(-20, None, "compliant", None)]}), ("south", south)):
        usual = {what: [(-20.0, None, "present", None)] for what in Item}
        for what, made in {**usual, **known}.items():
            for begin, end, state, reason in made:
                values = {"gate": gate, "what": str(what), "began_at": at(begin), "ended_at": None if end is None else at(end)}
                conn.execute(sa.insert(tables.intervals).values(**values, state=state, reason=reason, basis="declared"))


def supervised(conn: sa.Connection) -> None:
    common = {"gate": "east", "by": "inspector", "observed_at": at(9.1), "note": "桌上没人"}
    conn.execute(sa.insert(supervision.inspections).values(id="i1", method="rounds", sent_at=at(9.2), conduct=False, **common))
    conn.execute(sa.insert(supervision.inspections).values(id="i2", method="actor", sent_at=None, **common))
    for inspection in ("i1", "i2"):
        conn.execute(sa.insert(supervision.findings).values(inspection=inspection, item="desk", present=False))
    late = {"item": "desk", "cause": "missing", "state": "open", "opened_at": at(8.5), "due_at": at(12.5), "owner": "west"}
    conn.execute(sa.insert(supervision.rectifications).values(id="r1", gate="east", reopened=1, recurrence=2, **late))
    conn.execute(sa.insert(supervision.rectification_steps).values(rectification="r1", at=at(11), step="failed"))


def journal(conn: sa.Connection) -> None:
    """East: thirty entries, all typed 36.5 within a second, a count, a declared desk with its photo; two numbers are missing."""
    bodies: list[tuple[float, Body]] = [(8 + n / 60, entry(reading=reading(36.5, 1))) for n in range(30)]
    bodies.append((10.5, EvidenceChange(evidence=Evidence(item=Item.DESK, present=True, basis=Basis.DECLARED,
                                                          observed_at=at(10.5), photo="ab" * 32))))  # fmt: skip
    bodies.append((11, PeopleCounted(seconds=600, counted=80, recorded=30)))
    bodies.append((11.1, Correction(corrects="e1", cancelled=True)))
    conn.execute(sa.insert(tables.journals).values(id="j1", station="east-1", first_heard=at(-9)))
    for seq, (hour, body) in enumerate(bodies, 1):
        number = seq if seq <= 20 else seq + 2
        store(conn, number, hour, body)
    conn.execute(sa.insert(tables.ranges).values(journal="j1", first=1, last=20))
    conn.execute(sa.insert(tables.ranges).values(journal="j1", first=23, last=len(bodies) + 2))


def store(conn: sa.Connection, seq: int, hour: float, body: Body) -> None:
    event = Event(seq=seq, id=f"e{seq}", at=at(hour), boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
    conn.execute(sa.insert(tables.events).values(
        journal="j1", seq=seq, id=event.id, station="east-1", gate="east", at=event.at, received_at=event.at, boot="b",
        mono_ns=seq, clock="synced", kind=kind_of(body), body=encode(event).decode(),
    ))  # fmt: skip


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


@pytest.fixture
def located(tmp_path: Path) -> Located:
    return Located(HubSettings(web=Web(secure_cookies=False)), tmp_path)


def read(engine: sa.Engine, period: Period | None = None, **more: object) -> reporting.Report:
    with engine.connect() as conn:
        return reporting.report(conn, period or whole_day(), **more)  # type: ignore[arg-type]


def test_ok__the_report_of_a_day(engine: sa.Engine) -> None:
    known = read(engine)
    found = [(f.site.gate, f.item, hours(f.missing), f.times, f.longest.reason) for f in rules.faults(known.gates)]
    assert found == [("east", "desk", 2.5, 1, "expired"), ("east", "volunteer", 1 / 3, 1, "not_confirmed")]
    assert [(one.site.gate, hours(one.status.unreachable)) for one in rules.silent(known.gates)] == [("south", 4), ("east", 0.5)]
    assert [one.site.gate for one in rules.whole(known.gates)] == ["north"]
    assert all(one.status.total == timedelta(hours=24) for one in known.gates)
    sums = known.mendings
    assert (sums.opened, sums.closed, [m.id for m in sums.overdue], [m.id for m in sums.reopened]) == (1, 0, ["r1"], ["r1"])
    assert known.owners == {"west": "西联络"}


def test_ok__the_sentence_is_of_the_whole_period_once_it_is_over(engine: sa.Engine) -> None:
    said = report_sections.lead(read(engine), Words("zh", ZONE))
    assert said == "开放过的门岗3个:全程达标1、缺过项1、失联过2;缺得最久 东片区小区 东门 登记桌2小时30分,联络员李敏"


def test_ok__the_sentence_of_a_day_that_is_not_over(engine: sa.Engine) -> None:
    say = Words("zh", ZONE)
    early = Period(begin=at(0), end=at(10), first=DAY, last=DAY, over=False)
    said = report_sections.lead(read(engine, early), say)
    assert said == "开放门岗3:达标2、缺1、失联0;最久 东片区小区 东门 缺登记桌2小时,联络员李敏"


def test_ok__an_inspection_that_is_not_sent_is_in_no_report(engine: sa.Engine) -> None:
    assert [one.id for one in read(engine).inspections] == ["i1"]


def test_ok__an_area_and_a_reach_alone(engine: sa.Engine) -> None:
    assert [one.site.gate for one in read(engine, area="a2").gates] == ["south"]
    assert [one.site.gate for one in read(engine, reach=frozenset({"c-a2"})).gates] == ["south"]
    assert read(engine, reach=frozenset({"c-a2"})).mendings.overdue == ()
    assert read(engine, reach=frozenset()).gates == ()


def test_ok__what_the_hub_did_not_hear_is_blamed_on_nobody(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        meta.went_blind(conn, at(8))
        meta.hears_again(conn, at(10))
        meta.went_blind(conn, at(23))
    known = read(engine)
    assert known.blind == ((at(8), at(10)), (at(23), at(24)))
    assert [hours(f.missing) for f in rules.faults(known.gates)] == [0.5]
    assert {hours(one.status.blind) for one in known.gates} == {3}
    assert known.as_of == at(23)
    assert "缺过项1" in report_sections.lead(known, Words("zh", ZONE))
    going = Period(begin=at(0), end=at(23.5), first=DAY, last=DAY, over=False)
    assert "断开前" in report_sections.lead(read(engine, going), Words("zh", ZONE))
    assert report_sections.blind(known, Words("zh", ZONE))[0].startswith("02-16 08:00–02-16 10:00 中枢自己收不到消息")


# ---- the evidence of a gate and a day ----


def evidenced(engine: sa.Engine, gate: str = "east", day: date = DAY) -> evidencing.Evidenced:
    with engine.connect() as conn:
        (found,) = reporting.load_sites(conn, gate=gate)
    return evidencing.evidence(engine, found, day, ZONE, NOW)


def test_ok__the_evidence_of_a_day(engine: sa.Engine) -> None:
    known = evidenced(engine)
    assert (known.entries, known.people, len(known.sample), known.by_hour) == (30, 30, 20, {8: 30})
    assert known.counted == evidencing.Counted(seconds=600, counted=80, recorded=30)
    assert [(p.item, p.photo, p.arrived) for p in known.photos] == [("desk", "ab" * 32, False)]
    assert [(j.first, j.last, j.there, j.gaps) for j in known.journals] == [(1, 35, 33, 2)]
    assert [(one.inspected.id, one.note) for one in known.inspections] == [("i1", "桌上没人")]
    assert all(one.total == timedelta(hours=24) for one in known.tallies.values())
    quiet = evidenced(engine, "north")
    assert (quiet.entries, quiet.sample, quiet.counted, quiet.journals) == (0, (), None, ())


def test_ok__a_lane_has_no_edges_of_other_lanes(engine: sa.Engine) -> None:
    known = evidenced(engine)
    lanes = {one.what: one for one in day_lanes.lanes(known.parts, known.period, "zh", Words("zh", ZONE))}
    assert list(lanes) == ["status", *Item]
    assert [(b.kind, b.x, b.width) for b in lanes["desk"].bars] == [
        ("good", 0, 480), ("bad", 480, 150), ("good", 630, 90), ("unknown", 720, 30), ("good", 750, 570), ("closed", 1320, 120),
    ]  # fmt: skip
    assert [(line.begin, line.state, line.reason) for line in lanes["desk"].lines][1] == ("08:00:00", "缺", "已过期")
    assert lanes["desk"].lines[-1].end == "24:00:00"


def test_ok__the_sample_is_the_same_for_everybody_and_one_that_comes_late_moves_at_most_one() -> None:
    ids = [f"e{n}" for n in range(500)]
    first = evidencing.choose(ids, "east", DAY)
    assert first == evidencing.choose(reversed(ids), "east", DAY)
    assert first != evidencing.choose(ids, "east", DAY + timedelta(days=1))
    assert first != evidencing.choose(ids, "north", DAY)
    assert len(set(first) - set(evidencing.choose([*ids, "late"], "east", DAY))) <= 1


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 5)), max_size=5), st.integers(1, 40), st.integers(0, 20))
def test_ok__gaps_are_the_numbers_in_no_range(made: list[tuple[int, int]], first: int, more: int) -> None:
    there: set[int] = {n for begin, long in made for n in range(begin, begin + long + 1)}
    apart = [(n, n) for n in sorted(there)]
    wanted = set(range(first, first + more + 1))
    assert evidencing.missing_numbers(apart, first, first + more) == len(wanted - there)


# ---- the signs in the store ----


def find(engine: sa.Engine) -> flagging.Flags:
    with engine.connect() as conn:
        return flagging.find(conn, DAY, ZONE, NOW, Lifetimes())


def test_ok__signs_are_found_kept_and_shown_within_reach(engine: sa.Engine) -> None:
    found = find(engine)
    assert {(flag.gate, flag.sign) for flag in found.flags} == {("east", Sign.TYPED_ALIKE), ("east", Sign.UNRECORDED)}
    with engine.begin() as conn:
        assert flagging.kept(conn, DAY) is None
        flagging.keep(conn, found)
        assert flagging.kept(conn, DAY + timedelta(days=3)) == found
        (east,) = reporting.load_sites(conn, gate="east")
        assert flagging.find_at(conn, east, DAY, ZONE, NOW, Lifetimes()) == list(found.flags)
        assert flagging.kept(conn, DAY + timedelta(days=7)) is None
        assert flagging.kept(conn, DAY - timedelta(days=1)) is None
        assert flagging.kept(conn, DAY, reach=frozenset({"c-a2"})) == flagging.Flags(day=DAY, flags=())
        flagging.keep(conn, flagging.Flags(day=DAY + timedelta(days=flagging.KEPT_DAYS + 1), flags=()))
        assert flagging.kept(conn, DAY) is None


def test_ok__hours_are_compared_only_where_the_gate_was_heard(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        period = flagging.week_to(DAY, ZONE, NOW)
        status = durations.spans(reporting.gate_history(conn, "east", period)["status"], period)
        known = flagging._hours(conn, "east", period, status, ZONE)
    assert known[DAY][8] == 30
    assert known[DAY][11] == 0
    assert not {12, 22, 23} & set(known[DAY])


@pytest.mark.parametrize("sign", Sign)
@pytest.mark.parametrize("language", LANGUAGES)
def test_ok__every_sign_is_said_with_its_figures(sign: Sign, language: str) -> None:
    figures: gaming.Figures = {
        "n": 40, "value": 36.5, "share": 0.9, "spread": 0.02, "quick": 2, "again": 0, "item": "desk", "days": 6, "time": "08:00",
        "asked": 9, "at_once": 8, "longest": 9.0, "seconds": 4000.0, "entries": 80, "begin": at(3).isoformat(), "counted": 9,
        "recorded": 5, "hours": 1, "hour": 7, "usual": 60.0, "day": "2026-02-16", "times": 1, "inspected": at(9).isoformat(),
        "silent": at(9).isoformat(), "closed": 3, "gap": 300.0, "main": "north", "questioned": 0.01, "main_questioned": 0.05,
        "measured": 0.5, "main_measured": 0.9,
    }  # fmt: skip
    sites = {gate: site(gate) for gate in ("east", "north")}
    said = report_sections.flag_said(Flag(gate="east", sign=sign, figures=figures), sites, Words(language, ZONE))
    assert "{" not in said


# ---- the pages ----


@pytest.fixture
def app(engine: sa.Engine, located: Located) -> Flask:
    return create_app(located, engine, now=lambda: NOW)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return signed_in(app, "supervisor")


def signed_in(app: Flask, account: str) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"1 {account}", True
    return client


PAGES = ("/report", "/report?day=2026-02-16", "/report?span=week", "/report/flags?day=2026-02-16", "/report/gate/east/2026-02-16")


@pytest.mark.parametrize("path", PAGES)
def test_fail__pages_need_sign_in(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 302


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("path", PAGES)
def test_ok__every_role_sees_the_reports(app: Flask, role: Role, path: str) -> None:
    assert signed_in(app, role.value).get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_ok__nothing_inline(client: FlaskClient, path: str, language: str) -> None:
    client.set_cookie("language", language)
    page = client.get(path).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|https?://", page)


def words_of(page: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", page).split())


def test_ok__the_report_page(client: FlaskClient) -> None:
    page = words_of(client.get("/report?day=2026-02-16").text)
    for said in (
        "2026-02-16 “挑毛病”日报", "开放过的门岗3个:全程达标1、缺过项1、失联过2",
        "东片区小区 东门 登记桌 2小时30分 2小时30分 1次 已过期",
        "联络员 李敏 · 东片区居委 · 东片区", "车轮查 1 1 1 缺登记桌 1次、管控不严 1次", "责任人 西联络", "还没有统计",
    ):  # fmt: skip
        assert said in page, said
    assert "演员查" not in page


def test_ok__an_area_alone(client: FlaskClient) -> None:
    page = client.get("/report?day=2026-02-16&area=a2").text
    assert "南门" in page
    assert "东门" not in page
    assert client.get("/report?area=nowhere").status_code == 404


def test_fail__nothing_outside_ones_reach(app: Flask, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        flagging.keep(conn, find(engine))
    client = signed_in(app, "west")
    page = client.get("/report?day=2026-02-16").text
    assert "南门" in page
    assert "东门" not in page
    assert "东片区" not in page
    assert "东门" not in client.get("/report/flags?day=2026-02-16").text
    for path in ("/report?area=a1", "/report/file.pdf?area=a1", "/report/flags?area=a1", "/report/gate/east/2026-02-16"):
        assert client.get(path).status_code == 404, path


def test_ok__a_page_is_made_once_in_half_a_minute_and_a_reach_never_sees_anothers(app: Flask) -> None:
    recent, made = Recent(most=2), iter("abcdef")
    make: Callable[[], Any] = lambda: next(made)  # noqa: E731
    assert [recent.get("one", NOW + timedelta(seconds=n), make) for n in (0, 29, 30, 59, 0)] == ["a", "a", "b", "b", "c"]
    assert [recent.get(key, NOW, make) for key in ("two", "three", "two", "one")] == ["d", "e", "d", "f"]
    assert "东门" in signed_in(app, "supervisor").get("/report?day=2026-02-16").text
    assert "东门" not in signed_in(app, "west").get("/report?day=2026-02-16").text


@pytest.mark.parametrize("day, said", [("yesterday", "日期写法应为"), ("2027-01-01", "这一天还没有到")])
def test_fail__a_day_that_is_none_is_said(client: FlaskClient, day: str, said: str) -> None:
    answer = client.get(f"/report?day={day}")
    assert (answer.status_code, said in answer.text) == (200, True)
    assert client.get(f"/report/gate/east/{day}").status_code == 404


def test_ok__the_flags_page(client: FlaskClient, engine: sa.Engine) -> None:
    assert "还没有统计" in client.get("/report/flags").text
    with engine.begin() as conn:
        flagging.keep(conn, find(engine))
    page = words_of(client.get("/report/flags").text)
    assert "不算门岗不合格" in page
    assert "手输 30 次,其中 36.5 ℃ 占 100%" in page
    assert "传感器数到 80 人,登记 30 人(38%)" in page


def test_ok__the_evidence_page(client: FlaskClient, engine: sa.Engine) -> None:
    page = client.get("/report/gate/east/2026-02-16").text
    for said in (
        "东片区小区 东门 · 2026-02-16 依据页", "随机抽查 20 条进出", "谁打开都是同样几条", "数到 80 人", "缺 2 个号", "桌上没人",
        "照片还没有传到", "手输体温太像",
    ):  # fmt: skip
        assert said in page, said
    assert words_of(page) == words_of(client.get("/report/gate/east/2026-02-16").text)
    assert client.get("/report/gate/nowhere/2026-02-16").status_code == 404


def test_ok__a_photo_is_a_link_only_for_who_may_open_it(app: Flask, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.insert(tables.blobs).values(sha="ab" * 32, station="east-1", received_at=NOW, data=b"x"))
    link = f"/photo/{'ab' * 32}"
    assert link in signed_in(app, "supervisor").get("/report/gate/east/2026-02-16").text
    guest = signed_in(app, "guest").get("/report/gate/east/2026-02-16").text
    assert link not in guest
    assert "您的账号不能查看" in guest


@needs_font
@pytest.mark.parametrize("kind, first", [("pdf", b"%PDF"), ("xlsx", b"PK")])
def test_ok__a_download_is_noted(client: FlaskClient, engine: sa.Engine, kind: str, first: bytes) -> None:
    answer = client.get(f"/report/file.{kind}?day=2026-02-16")
    assert answer.data.startswith(first)
    assert f'filename="report-day-2026-02-16.{kind}"' in answer.headers["Content-Disposition"]
    with engine.connect() as conn:
        (line,) = audit.lines(conn, 5)
    assert (line.account, line.action, line.object, line.detail) == ("supervisor", "download", "day 2026-02-16", {"file": kind})


def test_fail__no_other_kind_of_file(client: FlaskClient) -> None:
    assert client.get("/report/file.exe").status_code == 404


# ---- the files ----


def text_of(pdf: bytes, folder: Path) -> str:
    (folder / "report.pdf").write_bytes(pdf)
    command = ["pdftotext", "-layout", folder / "report.pdf", "-"]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()


@needs_font
@needs_poppler
def test_ok__the_pdf_can_be_read(engine: sa.Engine, tmp_path: Path) -> None:
    text = text_of(report_files.pdf(read(engine), find(engine), Words("zh", ZONE)), tmp_path)
    for said in ("“挑毛病”日报", "开放过的门岗3个", "东片区小区", "2小时30分", "值得去看一眼", "手输体温太像", "各片区"):
        assert said in text, said


def test_ok__the_spreadsheet_has_figures_and_no_formulas(engine: sa.Engine) -> None:
    data = report_files.xlsx(read(engine), find(engine), Words("zh", ZONE))
    book = openpyxl.load_workbook(BytesIO(data))
    faults = [[cell.value for cell in line] for line in book.worksheets[1].iter_rows()]
    assert faults[0][:5] == ["门岗", "缺项", "共缺", "最长一次", "次数"]
    assert faults[1][:5] == ["东片区小区 东门", "登记桌", timedelta(hours=2, minutes=30), timedelta(hours=2, minutes=30), 1]
    assert not any(cell.data_type == "f" for sheet in book for line in sheet.iter_rows() for cell in line)
    sheets = zipfile.ZipFile(BytesIO(data))
    assert not any(b"<f>" in sheets.read(name) for name in sheets.namelist() if "worksheets" in name)


def test_ok__each_title_makes_a_sheet_of_its_own(engine: sa.Engine) -> None:
    for language in LANGUAGES:
        titles = openpyxl.load_workbook(BytesIO(report_files.xlsx(read(engine), None, Words(language, ZONE)))).sheetnames
        assert len({title.casefold() for title in titles}) == 12


@needs_font
def test_ok__each_nights_report_is_written_once(engine: sa.Engine, located: Located) -> None:
    made = report_files.make_daily(engine, located, NOW)
    assert made == located.folder / "reports" / "2026-02-16.pdf"
    assert sorted(path.name for path in made.parent.iterdir()) == ["2026-02-16.pdf", "2026-02-16.xlsx"]
    assert {path.stat().st_mode & 0o777 for path in made.parent.iterdir()} == {0o600}
    with engine.connect() as conn:
        assert flagging.kept(conn, DAY) is not None
    written = made.stat().st_mtime_ns
    assert report_files.make_daily(engine, located, NOW + HOUR) == made
    assert made.stat().st_mtime_ns == written


# ---- the command ----


@pytest.fixture
def config(engine: sa.Engine, tmp_path: Path) -> Path:
    path = tmp_path / "hub.toml"
    path.write_text('[store]\nurl = "sqlite:///hub.db"\n', encoding="utf-8")
    return path


def run(config: Path, *arguments: str) -> tuple[int, str]:
    group = PlainErrors("hub", commands=[report_command])
    made = CliRunner().invoke(group, ["report", "--config", str(config), *arguments])
    return made.exit_code, made.output


def test_ok__the_command_says_it_in_text_and_json(config: Path) -> None:
    code, said = run(config, "--day", "2026-02-16")
    assert code == 0
    assert "开放过的门岗3个:全程达标1、缺过项1、失联过2" in said
    assert "东片区小区 东门 | 登记桌 | 2小时30分" in said
    code, said = run(config, "--week", "2026-02-16", "--area", "a2", "--format", "json")
    made = msgspec.json.decode(said.encode())
    assert (code, made["report"]["period"]["first"], [g["site"]["gate"] for g in made["report"]["gates"]]) == (
        0, "2026-02-16", ["south"],
    )  # fmt: skip


@needs_font
@pytest.mark.parametrize("form, first", [("pdf", b"%PDF"), ("xlsx", b"PK")])
def test_ok__the_command_writes_files(config: Path, tmp_path: Path, form: str, first: bytes) -> None:
    target = tmp_path / f"made.{form}"
    assert run(config, "--day", "2026-02-16", "--format", form, "-o", str(target))[0] == 0
    assert target.read_bytes().startswith(first)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--day", "2026-02-16", "--week", "2026-02-16"), "choose one"), (("--format", "pdf"), "-o report.pdf"),
        (("--area", "nowhere"), "there are: a1, a2"),
    ],
)  # fmt: skip
def test_fail__the_command_says_what_to_do(config: Path, arguments: tuple[str, ...], said: str) -> None:
    code, printed = run(config, *arguments)
    assert (code, said in printed) == (2, True)


def test_ok__every_word_in_both_languages() -> None:
    for key, (chinese, english) in TEXTS.items():
        assert chinese, key
        assert english, key
        assert set(re.findall(r"{(\w+)}", chinese)) == set(re.findall(r"{(\w+)}", english)), key
