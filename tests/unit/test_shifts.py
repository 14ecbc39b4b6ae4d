"""Shifts: the rota, who was on duty when, gaps, people over their hours; rules, store and pages."""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copy
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from contract.codec import encode
from contract.events import Clock, Event, ShiftChange
from contract.passes import PassKind
from hub import audit, rota
from hub import shifts as duty
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, keys, passes, places, policies
from hub.rights import Scope, ScopeKind
from hub.rules import rota as weeks
from hub.rules.shifts import (
    Change,
    Planned,
    Span,
    Taking,
    at_two_gates,
    cut,
    judge,
    on_duty,
    over_hours,
    pair,
    worked,
    worked_each,
)
from hub.store import migrate, open_store, tables
from hub.store.supervision import rota as table
from hub.store.writing import writing
from hub.web import create_app

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 2, 18, 15, 0, tzinfo=ZONE).astimezone(UTC)  # a Wednesday
MONDAY = date(2026, 2, 16)
PASSWORD = "a long password"


def at(hour: float, day: int = 18) -> datetime:
    """A local time of February 2026."""
    return (datetime(2026, 2, day, tzinfo=ZONE) + timedelta(hours=hour)).astimezone(UTC)


def change(hour: float, on: bool, badge: str = "b1", *, gate: str = "east", hours: float | None = None, seq: int = 0) -> Change:
    return Change(gate=gate, station=f"{gate}-1", at=at(hour), on=on, badge=badge, hours=hours, place=("j", seq))


def span(begins: float, ends: float, badge: str = "b1", gate: str = "east", *, open: bool = False, day: int = 18) -> Span:
    return Span(gate=gate, station=f"{gate}-1", badge=badge, begins=at(begins, day), ends=at(ends, day), open=open)


def shift(begins: float, ends: float, badge: str | None = None) -> Planned:
    return Planned(id="s", gate="east", begins=at(begins), ends=at(ends), badge=badge)


# ---- sign-ins and sign-offs into spans ----

PAIRS = [
    ([change(6, True), change(10, False)], [span(6, 10)]),
    ([change(6, True)], [span(6, 15, open=True)]),
    ([change(-12, True)], [span(-12, 12, open=True)]),  # bounded by 24 h
    (  # handed over in one moment
        [change(6, True), change(10, False, seq=1), change(10, True, "b2", seq=2), change(12, False, "b2", seq=3)],
        [span(6, 10), span(10, 12, "b2")],
    ),
    ([change(6, True), change(9, True, "b2"), change(10, False, "b2")], [span(6, 9, open=True), span(9, 10, "b2")]),
    ([change(10, False, hours=4)], [span(6, 10)]),  # its sign-in was lost: the station says how long
    ([change(10, False)], []),
    ([change(7, True, "b2"), change(8, False, "b2"), change(10, False, hours=4)], [span(7, 8, "b2"), span(8, 10)]),
    ([change(6, True), change(10, False, "b2", hours=2)], [span(6, 8, open=True), span(8, 10, "b2")]),
    ([change(6, True), change(16, False)], [span(6, 15, open=True)]),  # a clock that runs ahead
]  # fmt: skip


@pytest.mark.parametrize("changes, spans", PAIRS)
def test_ok__pair(changes: list[Change], spans: list[Span]) -> None:
    assert pair(changes, NOW) == spans


def test_ok__on_duty_is_who_signed_in_last() -> None:
    found = pair([change(6, True), change(9, True, "b2"), change(-12, True, "b3", gate="west")], NOW)
    assert [one.badge for one in on_duty(found, NOW)] == ["b2"]


@st.composite
def truths(draw: st.DrawFn) -> list[Span]:
    """What truly happened at two stations: shifts one after another, some of them handed over in one moment."""
    made = []
    for gate in ("east", "west"):
        minute = 0
        for lasting, pause in draw(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 300)), max_size=6)):
            begins, minute = minute + pause, minute + pause + lasting
            badge = draw(st.sampled_from(["b1", "b2", "b3"]))
            moment = at(-60)
            made.append(
                Span(gate=gate, station=gate, badge=badge, begins=moment + timedelta(minutes=begins),
                     ends=moment + timedelta(minutes=minute))
            )  # fmt: skip
    return made


def said(truth: list[Span]) -> list[Change]:
    """What the stations write of it."""
    made = []
    for seq, one in enumerate(sorted(truth, key=lambda s: (s.gate, s.begins))):
        known = {"gate": one.gate, "station": one.station, "badge": one.badge}
        made.append(Change(**known, at=one.begins, on=True, place=(one.station, 2 * seq)))
        hours = (one.ends - one.begins).total_seconds() / 3600
        made.append(Change(**known, at=one.ends, on=False, hours=hours, place=(one.station, 2 * seq + 1)))
    return made


@given(truths(), st.randoms())
def test_ok__pairs_tell_the_truth_in_whatever_order_they_come(truth: list[Span], random: object) -> None:
    told = said(truth)
    random.shuffle(told)  # type: ignore[attr-defined]
    found = pair(told, NOW)
    key = lambda s: (s.gate, s.begins, s.ends, s.badge)  # noqa: E731
    assert sorted(found, key=key) == sorted(truth, key=key)


@given(truths(), st.sets(st.integers(0, 30)))
def test_ok__what_is_lost_never_makes_two_at_one_station_nor_more_than_a_day(truth: list[Span], lost: set[int]) -> None:
    told = [one for n, one in enumerate(said(truth)) if n not in lost]
    found = pair(told, NOW)
    for station in ("east", "west"):
        mine = [s for s in found if s.station == station]
        assert all(before.ends <= after.begins for before, after in itertools.pairwise(mine))
    assert all(s.begins <= s.ends <= NOW for s in found)
    assert all(s.ends - s.begins <= timedelta(hours=24) for s in found if s.open)


@given(truths(), st.sets(st.integers(0, 30)))
def test_ok__what_comes_late_mends_it(truth: list[Span], late: set[int]) -> None:
    told = said(truth)
    early = [one for n, one in enumerate(told) if n not in late]
    assert pair([*early, *(one for n, one in enumerate(told) if n in late)], NOW) == pair(told, NOW)


@given(truths(), st.sets(st.integers(0, 30)), st.integers(-60, 90))
def test_ok__a_kept_pairing_cut_at_a_time_is_the_pairing_of_that_time(truth: list[Span], lost: set[int], hour: int) -> None:
    told = [one for n, one in enumerate(said(truth)) if n not in lost]
    now = at(hour)
    kept = pair([one for one in told if one.at <= now], datetime.max.replace(tzinfo=UTC))
    assert cut(kept, now) == pair(told, now)


@given(truths())
def test_ok__hours_of_many_days_are_those_of_each(truth: list[Span]) -> None:
    days = [(at(hour), at(hour + 24)) for hour in range(-72, 72, 24)]
    assert worked_each(truth, days) == pytest.approx([worked(truth, *day) for day in days])


@given(truths())
def test_ok__hours_never_exceed_the_window_and_count_nothing_twice(truth: list[Span]) -> None:
    begins, ends = at(-60), at(0)
    for badge in ("b1", "b2", "b3"):
        mine = [one for one in truth if one.badge == badge]
        seconds = worked(mine, begins, ends)
        assert 0 <= seconds <= (ends - begins).total_seconds()
        assert seconds <= sum((one.ends - one.begins).total_seconds() for one in mine)
        assert worked(mine + mine, begins, ends) == seconds


# ---- against the rota ----

JUDGED = [
    (shift(10, 14), [span(10, 14)], NOW, Taking.TAKEN),
    (shift(10, 14, "b1"), [span(10, 14)], NOW, Taking.TAKEN),
    (shift(10, 14, "b2"), [span(10, 14)], NOW, Taking.OTHER),
    (shift(10, 14), [span(10, 12)], NOW, Taking.TAKEN),
    (shift(10, 14), [span(10, 11.9)], NOW, Taking.UNTAKEN),
    (shift(10, 14), [span(10, 11), span(11, 12, "b2")], NOW, Taking.TAKEN),  # one after another
    (shift(10, 14), [span(10, 14, gate="west")], NOW, Taking.UNTAKEN),
    (shift(10, 14), [span(6, 10), span(14, 15)], NOW, Taking.UNTAKEN),
    (shift(10, 14), [], at(12), Taking.UNKNOWN),  # not heard since noon: somebody may have come
    (shift(10, 14), [], at(13), Taking.UNTAKEN),  # not heard since one: too late to save it
    (shift(10, 14), [], None, Taking.UNKNOWN),
    (shift(16, 20), [], NOW, Taking.AHEAD),
    (shift(14.9, 18), [], NOW, Taking.DUE),
    (shift(14.75, 18), [], NOW, Taking.DUE),
    (shift(14.7, 18), [], NOW, Taking.UNTAKEN),
    (shift(14.7, 18), [span(14.95, 15, open=True)], NOW, Taking.TAKEN),  # late, and will have been there for most of it
    (shift(11, 15.5), [span(14.95, 15, open=True)], NOW, Taking.UNTAKEN),  # too late
    (shift(14, 18), [span(14, 14.25)], NOW, Taking.UNTAKEN),  # came and went
]  # fmt: skip


@pytest.mark.parametrize("planned, spans, heard, taking", JUDGED)
def test_ok__judge(planned: Planned, spans: list[Span], heard: datetime | None, taking: Taking) -> None:
    assert judge(planned, spans, NOW, heard).taking is taking


def test_ok__who_only_handed_over_is_not_told() -> None:
    there = [span(6, 10.1), span(10.1, 15, "b2", open=True)]
    assert judge(shift(10, 14, "b2"), there, NOW, NOW).badges == ("b2",)
    assert judge(shift(14.9, 18, "b3"), there, NOW, NOW).badges == ("b2",)


def test_ok__over_hours__on_end_longer_than_the_policy() -> None:
    (over,) = over_hours([span(6, 10.5)], {"east": 4 * 3600}, NOW, at(0))
    assert (over.why, round(over.seconds), over.gates, over.going) == ("stretch", 16200, ("east",), False)
    assert over_hours([span(5.9, 10.1)], {"east": 4 * 3600}, NOW, at(0)) == []  # came early, handed over late
    assert over_hours([span(6, 10.5)], {"east": 0}, NOW, at(0)) == []


def test_ok__over_hours__signing_in_anew_is_no_rest() -> None:
    (over,) = over_hours([span(6, 9), span(9.1, 12, gate="west")], {"east": 18000, "west": 18000}, NOW, at(0))
    assert (over.why, over.gates, round(over.seconds / 360)) == ("stretch", ("east", "west"), 59)
    assert over_hours([span(6, 9), span(9.5, 12)], {"east": 18000}, NOW, at(0)) == []


def test_ok__over_hours__ten_in_twenty_four_across_midnight() -> None:
    spans = [span(18, 22, day=17), span(23, 24, day=17), span(6, 9.5), span(12, 13.6)]
    (over,) = over_hours(spans, {}, NOW, at(0))
    assert (over.why, round(over.seconds / 360)) == ("day", 101)
    assert over_hours(spans[:-1], {}, NOW, at(0)) == []
    assert over_hours(spans, {}, NOW, at(14)) == []


def test_ok__a_badge_at_two_gates() -> None:
    (both,) = at_two_gates([span(6, 10), span(9, 12, gate="west"), span(9, 12, "b2")])
    assert (both.gates, both.begins, both.ends, both.unsure) == (("east", "west"), at(9), at(10), False)
    assert at_two_gates([span(6, 10), span(10, 12, gate="west")]) == []
    assert at_two_gates([span(6, 15, open=True), span(10, 12, gate="west")])[0].unsure


# ---- a pattern ----


@pytest.mark.parametrize(
    "typed, shifts",
    [
        ("06:00-10:00 10:00-14:00", ((360, 600), (600, 840))),
        ("6:00—10:00、22:00至6:00", ((360, 600), (1320, 1800))),
        ("18:00~24:00,18:00-24:00", ((1080, 1440), (1080, 1440))),
    ],
)
def test_ok__pattern(typed: str, shifts: tuple[tuple[int, int], ...]) -> None:
    assert weeks.parse(typed) == shifts
    assert weeks.parse(weeks.written(shifts)) == shifts


@pytest.mark.parametrize(
    "typed, why",
    [(" ", "none"), ("morning", "time"), ("25:00-26:00", "time"), ("06:00-24:30", "time"), ("06:00-06:10", "length"),
     ("06:00-19:00", "length"), ("06:00-06:00", "length"), ("06:00-10:00 " * 13, "many")],
)  # fmt: skip
def test_fail__pattern(typed: str, why: str) -> None:
    with pytest.raises(weeks.BadPattern) as error:
        weeks.parse(typed)
    assert error.value.why == why


@given(st.text(max_size=40))
def test_ok__any_text_is_a_pattern_or_refused(typed: str) -> None:
    try:
        made = weeks.parse(typed)
    except weeks.BadPattern:
        return
    assert weeks.parse(weeks.written(made)) == made


# ---- the store ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two compounds, three gates; 陈 and 周 with badges of the first; east is heard, north was last heard at noon."""
    path = tmp_path_factory.mktemp("seeded") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        located = Located(HubSettings(), path.parent)
        keys.ensure_keys(conn)
        places.add_area(conn, "a1", "东片区")
        places.add_committee(conn, "j1", "东片居委", "a1")
        for compound, name, gates in (("c1", "锦绣苑", ("east", "north")), ("c2", "虹梅苑", ("west",))):
            places.add_compound(conn, compound, name, "j1", "李敏")
            for id in gates:
                places.add_gate(conn, id, {"east": "东门", "north": "北门", "west": "西门"}[id], compound)
                conn.execute(sa.insert(tables.stations).values(id=f"{id}-1", gate=id, lane="1", added_at=at(-999)))
        for id, role, scopes in (
            ("admin", "admin", None), ("zhou", "supervisor", None), ("reg", "registrar", None), ("insp", "inspector", None),
            ("li", "liaison", [Scope(ScopeKind.COMPOUND, "c1")]), ("none", "liaison", []),
        ):  # fmt: skip
            accounts.add_account(conn, id, id, role, PASSWORD, scopes=accounts.EVERYWHERE if scopes is None else scopes)
        accounts.add_account(conn, "guest", "g", "guest", PASSWORD, expires_at=NOW + timedelta(days=9))
        for id, heard in (("east", NOW), ("west", NOW), ("north", at(12))):
            conn.execute(sa.insert(tables.pulses).values(station=f"{id}-1", online=heard == NOW, heard_at=heard))
        for name, compound in (("陈晓芳", "c1"), ("周建国", "c1"), ("吴刚", "c2")):
            passes.issue(
                conn, located, kind=PassKind.VOLUNTEER, compound=compound, name=name, by="x", pin="1234", expires=at(24 * 30)
            )
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


@pytest.fixture
def badge(engine: sa.Engine) -> dict[str, str]:
    """Badges by the holder's masked name."""
    with engine.connect() as conn:
        return {row.name: row.id for row in conn.execute(sa.select(tables.passes))}


def write(
    conn: sa.Connection, seq: int, hour: float, on: bool, badge: str, gate: str = "east", hours: float | None = None
) -> None:
    """An event as the ingest stores it."""
    body = ShiftChange(on=on, badge=badge, hours=hours)
    event = Event(seq=seq, id=f"{gate}{seq}", at=at(hour), boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
    conn.execute(
        sa.insert(tables.events).values(
            journal=f"j-{gate}", seq=seq, id=event.id, station=f"{gate}-1", gate=gate, at=event.at, received_at=NOW, boot="b",
            mono_ns=seq, clock="synced", kind="shift", body=encode(event).decode(),
        )
    )  # fmt: skip


def put(conn: sa.Connection, id: str, begins: float, ends: float, gate: str = "east", badge: str | None = None) -> None:
    conn.execute(
        sa.insert(table).values(id=id, gate=gate, begins=at(begins), ends=at(ends), badge=badge, made_at=NOW, made_by="x")
    )


def test_ok__untaken__by_gate_within_reach(engine: sa.Engine, badge: dict[str, str]) -> None:
    with engine.begin() as conn:
        put(conn, "morning", 6, 10, badge=badge["陈*芳"])
        put(conn, "noon", 10, 14)
        put(conn, "now", 14, 18)
        put(conn, "silent", 11.5, 15, "north")
        put(conn, "elsewhere", 10, 14, "west")
        write(conn, 1, 6, True, badge["陈*芳"])
        write(conn, 2, 10, False, badge["陈*芳"], hours=4)
        found = duty.untaken(conn, None, NOW)
        assert [(one.shift, one.ended) for one in found] == [("now", False), ("noon", True), ("elsewhere", True)]
        assert (found[1].compound_name, found[1].gate_name, found[1].liaison, found[1].name) == ("锦绣苑", "东门", "李敏", "")
        assert [one.shift for one in duty.untaken(conn, frozenset({"c2"}), NOW)] == ["elsewhere"]
        assert [one.shift for one in duty.untaken(conn, frozenset(), NOW)] == []
        assert [one.shift for one in duty.untaken(conn, None, NOW, since=at(14))] == ["now"]


def test_ok__over_hours__as_each_compound_has_it(engine: sa.Engine, badge: dict[str, str]) -> None:
    with engine.begin() as conn:
        for gate, who in (("east", "陈*芳"), ("west", "吴*")):
            write(conn, 1, 6, True, badge[who], gate)
            write(conn, 2, 11, False, badge[who], gate)
        policies.change(conn, "c2", {"shift_seconds": 6 * 3600.0}, "x", NOW)
        (over,) = duty.over_hours(conn, None, NOW)
        assert (over.name, over.why, over.seconds, over.places) == ("陈*芳", "stretch", 5 * 3600, ("锦绣苑 东门",))
        assert duty.over_hours(conn, frozenset({"c2"}), NOW) == []


def test_ok__a_sign_off_that_comes_late_mends_it(engine: sa.Engine, badge: dict[str, str]) -> None:
    with engine.begin() as conn:
        write(conn, 1, 6, True, badge["陈*芳"])
        assert [one.why for one in duty.over_hours(conn, None, NOW)] == ["stretch"]
        write(conn, 2, 9, False, badge["陈*芳"])
        assert duty.over_hours(conn, None, NOW) == []


def test_ok__what_is_kept_of_a_day_is_read_again_when_one_of_its_events_is_dated_anew_or_gone(
    engine: sa.Engine, badge: dict[str, str]
) -> None:
    events, who = tables.events, badge["陈*芳"]
    with engine.begin() as conn:
        write(conn, 1, 6, True, who)
        write(conn, 2, 10, False, who)
        assert [(one.begins, one.ends) for one in duty.duty(conn, None, at(0), NOW)] == [(at(6), at(10))]
        conn.execute(sa.update(events).where(events.c.seq == 2).values(at=at(9)))
        assert [(one.begins, one.ends) for one in duty.duty(conn, None, at(0), NOW)] == [(at(6), at(9))]
        assert [one.ends for one in duty.duty(conn, None, at(0), at(8))] == [at(8)]
        conn.execute(sa.delete(events).where(events.c.seq == 2))
        (left,) = duty.duty(conn, None, at(0), NOW)
        assert (left.open, left.ends) == (True, NOW)
        assert [one.ends for one in duty.duty(conn, None, at(0), at(16))] == [at(16)]


def test_ok__what_is_kept_is_of_its_own_store_and_shown_within_reach(engine: sa.Engine, seeded: Path, tmp_path: Path) -> None:
    other = open_store(f"sqlite:///{copy(seeded, tmp_path / 'other.db')}")
    with engine.begin() as conn, other.connect() as beside:
        for gate in ("east", "west"):
            write(conn, 1, 6, True, "b1", gate)
        assert [one.gate for one in duty.duty(conn, None, at(0), NOW)] == ["east", "west"]
        assert [one.gate for one in duty.duty(conn, frozenset({"c2"}), at(0), NOW)] == ["west"]
        assert [one.gate for one in duty.duty(conn, None, at(0), NOW, "east")] == ["east"]
        assert duty.duty(beside, None, at(0), NOW) == []
    other.dispose()


def test_ok__an_event_that_cannot_be_read_is_left_out(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        write(conn, 1, 6, True, "b1")
        conn.execute(sa.update(tables.events).values(body="{"))
        assert duty.duty(conn, None, at(0), NOW) == []


def test_ok__plan_twice_adds_once(engine: sa.Engine) -> None:
    wanted = weeks.lay(weeks.parse("06:00-10:00 06:00-10:00 22:00-06:00"), weeks.week(MONDAY), ZONE)
    with writing(engine) as conn:
        assert rota.plan(conn, "east", wanted, "zhou", NOW) == 3 * 7 - 2 * 3 - 2  # those that are over are not made up
        assert rota.plan(conn, "east", wanted, "zhou", NOW) == 0


def test_ok__copy_last_week_with_who_is_free(engine: sa.Engine, badge: dict[str, str]) -> None:
    with writing(engine) as conn:
        put(conn, "a", 24 + 6, 24 + 10, badge=badge["陈*芳"])
        put(conn, "b", 24 + 6, 24 + 10, badge=badge["周*国"])
        put(conn, "busy", 8 * 24 + 9, 8 * 24 + 12, "north", badge=badge["周*国"])
        copied = rota.copy_week(conn, "east", MONDAY + timedelta(days=7), "zhou", NOW, ZONE)
        assert (copied.added, copied.emptied) == (2, 1)
        made = rota.rota(conn, None, at(7 * 24), at(10 * 24), "east")
        assert [(one.begins, one.badge) for one in made if one.badge] == [(at(8 * 24 + 6), badge["陈*芳"])]
        assert rota.copy_week(conn, "east", MONDAY + timedelta(days=7), "zhou", NOW, ZONE).added == 0
        with pytest.raises(rota.RotaError) as error:
            rota.copy_week(conn, "west", MONDAY, "zhou", NOW, ZONE)
        assert error.value.why == "empty_week"


@pytest.mark.parametrize(
    "shift, who, why", [("over", "陈*芳", "over"), ("next", "吴*", "badge"), ("next", "周*国", "busy"), ("no", "陈*芳", "gone")]
)
def test_fail__assign(engine: sa.Engine, badge: dict[str, str], shift: str, who: str, why: str) -> None:
    with writing(engine) as conn:
        put(conn, "over", 6, 10)
        put(conn, "next", 16, 20)
        put(conn, "beside", 18, 22, "north", badge=badge["周*国"])
        with pytest.raises(rota.RotaError) as error:
            rota.assign(conn, shift, badge[who], NOW)
        assert error.value.why == why
        assert rota.assign(conn, "next", badge["陈*芳"], NOW).badge == badge["陈*芳"]


# ---- the pages ----


@pytest.fixture
def client(engine: sa.Engine, tmp_path: Path) -> FlaskClient:
    located = Located(HubSettings(web=Web(secure_cookies=False)), tmp_path)
    return create_app(located, engine, now=lambda: NOW).test_client()


def as_(client: FlaskClient, account: str) -> FlaskClient:
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"1 {account}", True
    return client


def post(client: FlaskClient, path: str, **data: object) -> tuple[int, str, str]:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/shifts").text)
    assert token
    answer = client.post(path, data={"csrf_token": token[1], **data})
    return answer.status_code, answer.headers.get("Location", ""), answer.text


ROLES = ("admin", "zhou", "reg", "li", "insp", "guest")
MAY_PLAN = {"admin", "zhou", "reg", "li"}


@pytest.mark.parametrize("account", ROLES)
def test_ok__who_may_do_what(client: FlaskClient, account: str) -> None:
    as_(client, account)
    assert client.get("/shifts").status_code == 200
    assert client.get("/shifts/gate/east").status_code == 200
    planner = account in MAY_PLAN
    assert ("添加班次" in client.get("/shifts/gate/east").text) is planner
    assert client.get("/shifts/people").status_code == (200 if planner else 403)
    for form in ("plan", "copy", "badges"):
        code, _, _ = post(client, f"/shifts/gate/east/{form}?week=2026-02-23", pattern="06:00-10:00", day="1")
        assert (code == 403) is not planner


def test_fail__outside_ones_compounds(client: FlaskClient, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        put(conn, "elsewhere", 10, 14, "west")
    as_(client, "li")
    assert client.get("/shifts/gate/west").status_code == 404
    assert client.get("/shifts/gate/nowhere").status_code == 404
    assert post(client, "/shifts/gate/west/plan", pattern="06:00-10:00", day="1")[0] == 404
    assert "虹梅苑" not in client.get("/shifts").text
    assert "虹梅苑" in as_(client, "zhou").get("/shifts").text
    assert post(client, "/shifts/gate/east/badges", **{"badge-elsewhere": "-", "was-elsewhere": ""})[0] == 400
    with engine.connect() as conn:
        assert len(rota.rota(conn, None, at(0), at(24))) == 1


def test_fail__a_form_without_its_token(client: FlaskClient) -> None:
    as_(client, "zhou")
    assert client.post("/shifts/gate/east/plan", data={"pattern": "06:00-10:00", "day": "1"}).status_code == 400


def test_ok__plan_put_on_and_copy(client: FlaskClient, engine: sa.Engine, badge: dict[str, str]) -> None:
    as_(client, "li")
    code, to, _ = post(client, "/shifts/gate/east/plan?week=2026-02-19", pattern="06:00-10:00", day=["3", "4"])
    assert (code, "week=2026-02-16" in to) == (303, True)
    assert "已添加2个班次。" in client.get(to).text
    with engine.connect() as conn:
        made = rota.rota(conn, None, at(0, 16), at(0, 23))
    assert [one.begins for one in made] == [at(6, 19), at(6, 20)]

    code, to, _ = post(
        client, "/shifts/gate/east/badges?week=2026-02-16", **{f"badge-{made[0].id}": badge["陈*芳"], f"was-{made[0].id}": ""}
    )
    assert (code, "已保存1处改动。" in client.get(to).text) == (303, True)
    code, to, _ = post(client, "/shifts/gate/east/copy?week=2026-02-23")
    assert (code, "已添加2个班次。" in client.get(to).text) == (303, True)
    code, to, _ = post(
        client, "/shifts/gate/east/badges?week=2026-02-16", **{f"badge-{made[0].id}": "-", f"was-{made[0].id}": badge["陈*芳"]}
    )
    with engine.connect() as conn:
        assert [one.badge for one in rota.rota(conn, None, at(0, 16), at(300))] == [None, badge["陈*芳"], None]
        noted = [(line.account, line.action, line.kind) for line in audit.lines(conn, 9)]
    assert noted == [("li", "remove", "shift"), ("li", "copy", "rota"), ("li", "assign", "shift"), ("li", "plan", "rota")]


def test_ok__two_swap_in_one_save(client: FlaskClient, engine: sa.Engine, badge: dict[str, str]) -> None:
    chen, zhou = badge["陈*芳"], badge["周*国"]
    with engine.begin() as conn:
        put(conn, "a", 16, 20, badge=chen)
        put(conn, "b", 16, 20, badge=zhou)
    as_(client, "zhou")
    form = {"badge-a": zhou, "was-a": chen, "badge-b": chen, "was-b": zhou}
    assert post(client, "/shifts/gate/east/badges", **form)[0] == 303
    with engine.connect() as conn:
        assert {one.id: one.badge for one in rota.rota(conn, None, at(0), at(24))} == {"a": zhou, "b": chen}


def test_fail__one_bad_choice_saves_nothing_and_is_shown(client: FlaskClient, engine: sa.Engine, badge: dict[str, str]) -> None:
    with engine.begin() as conn:
        put(conn, "a", 16, 20)
        put(conn, "b", 18, 22)
    as_(client, "zhou")
    who = badge["陈*芳"]
    code, _, page = post(client, "/shifts/gate/east/badges", **{"badge-a": who, "was-a": "", "badge-b": who, "was-b": ""})
    assert (code, "同一时间已有别的班" in page, page.count(f'value="{who}" selected')) == (400, True, 2)
    with engine.connect() as conn:
        assert [one.badge for one in rota.rota(conn, None, at(0), at(24))] == [None, None]
        assert audit.lines(conn, 9) == []


@pytest.mark.parametrize(
    "typed, day, said", [("6点到10点", "1", "不是时段"), ("06:00-10:00", "", "至少勾选一天"), ("", "1", "至少一个时段")]
)
def test_fail__plan_says_what_is_wrong(client: FlaskClient, typed: str, day: str, said: str) -> None:
    as_(client, "zhou")
    code, _, page = post(client, "/shifts/gate/east/plan?week=2026-02-23", pattern=typed, **({"day": day} if day else {}))
    assert (code, said in page, f">{typed}</textarea>" in page) == (400, True, True)


def test_ok__today__gaps_first(client: FlaskClient, engine: sa.Engine, badge: dict[str, str]) -> None:
    with engine.begin() as conn:
        put(conn, "a", 10, 14, "east", badge=badge["陈*芳"])
        put(conn, "b", 10, 14, "west")
        put(conn, "c", 13, 15, "north")
        write(conn, 1, 9, True, badge["陈*芳"])
    page = as_(client, "zhou").get("/shifts").text
    assert "今日3班:无人到岗1、情况不明1、刚开始未到0、在岗或已完成1、未开始0" in page
    assert page.index("西门") < page.index("<b>北门") < page.index("<b>东门")
    assert "连续在岗6.0小时" in page
    only = client.get("/shifts?show=gaps").text
    assert ("<b>西门" in only, "<b>东门</b>" in only) == (True, False)
    assert client.get("/shifts?day=not-a-day&page=99").status_code == 200
    assert "当日0班" in client.get("/shifts?day=2026-03-01").text


def test_ok__everybodys_hours__and_the_look_is_noted(client: FlaskClient, engine: sa.Engine, badge: dict[str, str]) -> None:
    with engine.begin() as conn:
        write(conn, 1, 6, True, badge["陈*芳"])
        write(conn, 2, 9.5, False, badge["陈*芳"])
        write(conn, 1, 9, True, badge["陈*芳"], "north")
        write(conn, 2, 10, False, badge["陈*芳"], "north")
        write(conn, 1, 12, True, badge["吴*"], "west")
    page = as_(client, "li").get("/shifts/people").text
    assert ("陈*芳" in page, "吴*" in page, "一证两岗" in page, "4.0小时" in page) == (True, False, True, True)
    with engine.connect() as conn:
        (line,) = audit.lines(conn, 9)
    assert (line.account, line.action, line.kind, line.object, line.detail) == (
        "li",
        "look",
        "hours",
        "2026-02-16",
        {"people": 1},
    )


@pytest.mark.parametrize("path", ["/shifts", "/shifts/gate/east", "/shifts/people"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_ok__nothing_inline(client: FlaskClient, engine: sa.Engine, badge: dict[str, str], path: str, language: str) -> None:
    with engine.begin() as conn:
        put(conn, "a", 16, 20)
        write(conn, 1, 6, True, badge["陈*芳"])
    as_(client, "zhou").set_cookie("language", language)
    page = client.get(path).text
    assert "built-in" not in page
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|https?://", page)
