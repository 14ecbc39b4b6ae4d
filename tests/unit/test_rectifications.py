"""Rectifications and tasks: the rules by hypothesis, the store on a real SQLite file, the pages by role, and a week's story."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from shutil import copy
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from werkzeug.test import TestResponse

from hub import audit, inspections, pictures, rectifications, standings, tasks
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, places
from hub.registry.errors import RegistryError
from hub.rights import Role, Scope, ScopeKind
from hub.rules import rectify
from hub.rules.intervals import Interval
from hub.rules.rectify import Cause, Changed, ClosedBy, Deadlines, Key, Rectification, State, Step
from hub.rules.standing import Stand, Standing, standing
from hub.store import meta, migrate, open_store, tables
from hub.store.supervision import pictures as pictures_table
from hub.web import create_app

NOW = datetime(2026, 2, 16, 7, 41, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
PASSWORD = "a long password"
RULES = Deadlines()
KEY = ("east", "desk")


def at(minutes: float) -> datetime:
    """So many minutes after `NOW`."""
    return NOW + timedelta(minutes=minutes)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


# ---- how an item stands ----


def spans(*states: tuple[str, float, float | None], basis: str | None = "sensor") -> list[Interval]:
    """Intervals of these states, each from a minute to a minute."""
    return [
        Interval(began_at=at(begin), ended_at=None if end is None else at(end), state=state, basis=basis)
        for state, begin, end in states
    ]


OPEN = spans(("non_compliant", -900, None))


@pytest.mark.parametrize(
    "status, item, stand, since, lasted",
    [
        (OPEN, spans(("missing", -40, None)), Stand.MISSING, -40, 40),
        (OPEN, spans(("present", -90, -40), ("missing", -40, -20), ("missing", -20, None)), Stand.MISSING, -40, 40),
        (OPEN, spans(("missing", -90, -40), ("present", -40, -12), ("present", -12, None)), Stand.PRESENT, -40, 40),
        (OPEN, spans(("present", -40, None), basis="inspected"), Stand.INSPECTED, -40, 40),
        (spans(("closed", -600, -15), ("compliant", -15, None)), spans(("missing", -600, None)), Stand.MISSING, -15, 15),
        (spans(("closed", -600, -15), ("compliant", -15, None)), spans(("present", -600, None)), Stand.PRESENT, -15, 15),
        (spans(("non_compliant", -50, -30), ("unreachable", -30, -10), ("non_compliant", -10, None)),
         spans(("missing", -50, None)), Stand.MISSING, -50, 30),
        (spans(("non_compliant", -90, -60), ("unreachable", -60, -10), ("non_compliant", -10, None)),
         spans(("missing", -90, None)), Stand.MISSING, -10, 10),
        (spans(("compliant", -90, -20), ("unreachable", -20, None)), spans(("missing", -20, None)), Stand.UNKNOWN, -20, 20),
        (spans(("compliant", -90, -20), ("closed", -20, None)), spans(("missing", -90, None)), Stand.CLOSED, -20, 20),
    ],
    ids=["missing", "another reason", "present", "inspected", "after the night", "present after the night", "unplugged for a "
         "while", "unplugged for long", "unreachable", "closed"],
)  # fmt: skip
def test_ok__standing(status: list[Interval], item: list[Interval], stand: Stand, since: float, lasted: float) -> None:
    found = standing(status, item, NOW, bridged=RULES.open_after)
    assert found == Standing(stand=stand, since=at(since), lasted=minutes(lasted))


def test_ok__standing__nothing_recorded() -> None:
    assert standing(OPEN, [], NOW) is None
    assert standing([], spans(("missing", -40, None)), NOW) is None


def test_ok__standing__what_a_blind_hub_did_not_hear() -> None:
    missing, present = spans(("missing", -40, None)), spans(("present", -40, None))
    blind = [(at(-20), at(-5))]
    assert standing(OPEN, missing, NOW, bridged=RULES.open_after, unheard=blind) == Standing(
        stand=Stand.MISSING, since=at(-40), lasted=minutes(25)
    )
    assert standing(OPEN, present, NOW, unheard=blind) == Standing(stand=Stand.PRESENT, since=at(-5), lasted=minutes(5))


def test_ok__standing__counts_from_the_last_closing() -> None:
    found = standing(OPEN, spans(("missing", -90, None)), NOW, after=at(-7))
    assert found == Standing(stand=Stand.MISSING, since=at(-7), lasted=minutes(7))


# ---- the rules ----


def missing(since: float, lasted: float) -> dict[Key, Standing]:
    return {KEY: Standing(stand=Stand.MISSING, since=at(since), lasted=minutes(lasted))}


def present(lasted: float) -> dict[Key, Standing]:
    return {KEY: Standing(stand=Stand.PRESENT, since=at(-lasted), lasted=minutes(lasted))}


def known(**more: object) -> Rectification:
    """One of the desk, noticed a quarter of an hour ago."""
    usual = {"id": "r", "gate": "east", "item": "desk", "cause": Cause.MISSING, "opened_at": at(-15), "due_at": at(225)}
    return Rectification(**usual | {"missing_since": at(-45)} | more)  # type: ignore[arg-type]


def acts(
    *known: Rectification, stands: dict[Key, Standing], closings: tuple[datetime, ...] = (), now: datetime = NOW
) -> list[Changed]:
    return rectify.act(known, stands, {KEY: closings}, now, RULES)


@pytest.mark.parametrize("lasted, opened", [(29.9, 0), (30, 1), (600, 1)])
def test_ok__opened_when_missing_long_enough(lasted: float, opened: int) -> None:
    made = acts(stands=missing(-lasted, lasted))
    assert len(made) == opened
    for one in made:
        assert (one.step, one.after.opened_at, one.after.missing_since) == (Step.OPENED, NOW, at(-lasted))
        assert (one.after.due_at, one.after.state, one.after.recurrence) == (at(240), State.OPEN, 0)


@pytest.mark.parametrize("stand", [Stand.UNKNOWN, Stand.CLOSED, Stand.PRESENT, Stand.INSPECTED])
def test_ok__nothing_is_opened_unless_it_is_known_to_be_missing(stand: Stand) -> None:
    assert acts(stands={KEY: Standing(stand=stand, since=at(-900), lasted=minutes(900))}) == []


def test_ok__one_at_a_time() -> None:
    assert acts(known(), stands=missing(-45, 45)) == []


@pytest.mark.parametrize("days_ago, recurrence", [((), 0), ((6,), 1), ((6, 12, 29), 3), ((6, 31), 1), ((8,), 0), ((8, 9), 0)])
def test_ok__recurrence(days_ago: tuple[float, ...], recurrence: int) -> None:
    (made,) = acts(stands=missing(-30, 30), closings=tuple(NOW - timedelta(days=days) for days in days_ago))
    assert made.after.recurrence == recurrence


@pytest.mark.parametrize(
    "one, lasted, closed",
    [
        (known(), 10, True), (known(), 9.9, False), (known(state=State.ANSWERED), 10, True),
        (known(cause=Cause.FINDING), 600, False), (known(reopened=1), 600, False),
    ],
    ids=["present", "not yet", "answered", "a finding", "a re-check failed"],
)  # fmt: skip
def test_ok__closed_by_evidence(one: Rectification, lasted: float, closed: bool) -> None:
    made = acts(one, stands=present(lasted))
    assert [change.step for change in made] == ([Step.CLOSED] if closed else [])
    for change in made:
        assert (change.after.closed_at, change.after.closed_by, change.note) == (NOW, ClosedBy.EVIDENCE, at(-lasted).isoformat())
        assert change.after.lasting(at(999)) == minutes(45)


def test_ok__what_an_inspection_alone_says_closes_nothing() -> None:
    assert acts(known(), stands={KEY: Standing(stand=Stand.INSPECTED, since=at(-60), lasted=minutes(60))}) == []


@pytest.mark.parametrize(
    "due, more, steps",
    [
        (61, {}, []), (60, {}, [Step.REMINDED]), (-59, {}, [Step.REMINDED]), (-60, {}, [Step.REMINDED, Step.ESCALATED]),
        (60, {"state": State.ANSWERED}, []), (-60, {"state": State.ANSWERED}, [Step.ESCALATED]),
        (60, {"reminded_at": at(-1)}, []), (-60, {"reminded_at": at(-1), "escalated_at": at(-1)}, []),
    ],
)  # fmt: skip
def test_ok__reminded_and_escalated_once(due: float, more: dict[str, object], steps: list[Step]) -> None:
    made = acts(known(due_at=at(due), **more), stands={})
    assert [change.step for change in made] == steps
    if made:
        assert acts(made[-1].after, stands={}) == []


def test_ok__the_owners_word_closes_nothing() -> None:
    said = rectify.answered(known(), NOW, note="桌子搬回来了").after
    assert (said.state, said.answered_at, said.closed_at) == (State.ANSWERED, NOW, None)


def test_ok__a_recheck() -> None:
    one = known(state=State.ANSWERED, answered_at=at(-2), reminded_at=at(-1), escalated_at=at(-1))
    passed, failed = (rectify.rechecked(one, word, NOW, RULES).after for word in (True, False))
    assert (passed.state, passed.closed_by, passed.closed_at) == (State.CLOSED, ClosedBy.RECHECK, NOW)
    assert (failed.state, failed.reopened, failed.due_at) == (State.OPEN, 1, at(240))
    assert (failed.answered_at, failed.reminded_at, failed.escalated_at) == (None, None, None)
    assert failed.needs_recheck
    assert rectify.rechecked(passed, False, at(5), RULES).after == passed


def test_ok__a_finding_takes_a_recheck_and_refutes_an_answer() -> None:
    found = rectify.found(known(), NOW, RULES, inspection="i").after
    assert (found.cause, found.inspection, found.state, found.reopened) == (Cause.FINDING, "i", State.OPEN, 0)
    refuted = rectify.found(known(state=State.ANSWERED), NOW, RULES).after
    assert (refuted.state, refuted.reopened) == (State.OPEN, 1)


def test_ok__an_assignment_can_be_read_back() -> None:
    for owner in (None, "li.min"):
        changed = rectify.assigned(known(reminded_at=at(-1)), owner, at(30), NOW)
        assert rectify.assignment(changed.note) == (at(30), owner)
        assert (changed.after.owner, changed.after.due_at, changed.after.reminded_at) == (owner, at(30), None)


STATES = {"present": "compliant", "missing": "non_compliant", "unknown": "unreachable", "closed": "closed"}
DOINGS = (*STATES, "answer", "pass", "fail", "find", "nothing")


class Gate:
    """A gate of one item, minute by minute, and what the rules make of it."""

    def __init__(self) -> None:
        self.minute = 0
        self.state = "present"
        self.history: list[str] = []
        self.status, self.item = spans(("compliant", 0, None)), spans(("present", 0, None))
        self.rows: dict[str, Rectification] = {}
        self.steps: list[Changed] = []

    @property
    def now(self) -> datetime:
        return at(self.minute)

    def open(self) -> list[Rectification]:
        return [one for one in self.rows.values() if one.state is not State.CLOSED]

    def keep(self, changed: Changed) -> None:
        after = replace(changed.after, id=changed.after.id or str(len(self.rows)))
        self.rows[after.id] = after
        self.steps.append(replace(changed, after=after))

    def wait(self, n: int) -> None:
        self.history += [self.state] * n
        self.minute += n

    def become(self, state: str) -> None:
        if state == self.state:
            return
        self.state = state
        self._follow(self.status, STATES[state])
        self._follow(self.item, "present" if state == "present" else "missing")

    def _follow(self, rows: list[Interval], state: str) -> None:
        if rows[-1].state == state:
            return
        if rows[-1].began_at == self.now:
            rows[-1] = replace(rows[-1], state=state)
        else:
            rows[-1:] = [replace(rows[-1], ended_at=self.now), Interval(began_at=self.now, state=state, basis="sensor")]

    def act(self) -> list[Changed]:
        last = [one.closed_at for one in self.rows.values() if one.closed_at is not None]
        after = max(last) if last and not self.open() else None
        found = standing(self.status, self.item, self.now, bridged=RULES.open_after, after=after)
        return rectify.act(self.open(), {KEY: found} if found else {}, {KEY: last}, self.now, RULES)

    def run(self, state: str) -> int:
        """For how many whole minutes it has been so without a break."""
        n = 0
        while n < len(self.history) and self.history[-1 - n] == state:
            n += 1
        return n


def do(gate: Gate, doing: str) -> None:
    """What people do, to the one that is open if there is one."""
    one = gate.open()[0] if gate.open() else None
    if doing in STATES:
        gate.become(doing)
    elif one is None:
        if doing == "find":
            closings = [row.closed_at for row in gate.rows.values() if row.closed_at is not None]
            gate.keep(rectify.opened(KEY, Cause.FINDING, gate.now, closings, RULES))
    elif doing == "answer":
        gate.keep(rectify.answered(one, gate.now))
    elif doing in ("pass", "fail"):
        gate.keep(rectify.rechecked(one, doing == "pass", gate.now, RULES))
    elif doing == "find":
        gate.keep(rectify.found(one, gate.now, RULES))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(DOINGS), st.integers(1, 50)), max_size=40))
def test_ok__whatever_happens_in_whatever_order(plan: list[tuple[str, int]]) -> None:
    gate = Gate()
    for doing, wait in plan:
        do(gate, doing)
        gate.wait(wait)
        before = {one.id: one for one in gate.open()}
        for changed in gate.act():
            gate.keep(changed)
            after = gate.steps[-1].after
            if changed.step is Step.CLOSED:
                assert gate.run("present") >= 10
                assert not before[after.id].needs_recheck
            if changed.step is Step.OPENED:
                assert not before
                assert gate.state == "missing"
                assert after.missing_since is not None
                assert gate.now - after.missing_since >= RULES.open_after
                spell = gate.history[int((after.missing_since - NOW).total_seconds() // 60) :]
                assert set(spell) <= {"missing", "unknown"}
                assert spell[0] == "missing"
                assert spell.count("missing") >= 30
        assert gate.act() == []
        assert len(gate.open()) <= 1
    opened: dict[str, list[Changed]] = {}
    for changed in gate.steps:
        opened.setdefault(changed.after.id, []).append(changed)
    for id, steps in opened.items():
        one = gate.rows[id]
        assert [s.step for s in steps].count(Step.OPENED) == 1
        ends = [s for s in steps if s.step in (Step.CLOSED, Step.PASSED)]
        assert len(ends) == (one.state is State.CLOSED)
        if ends:
            assert ends[-1] is steps[-1]
            assert one.closed_by == (ClosedBy.EVIDENCE if ends[0].step is Step.CLOSED else ClosedBy.RECHECK)
            assert one.lasting(at(10**6)) == ends[0].at - (one.missing_since or steps[0].at)
        assert one.reopened == sum(s.step is Step.FAILED or (s.step is Step.FOUND and b.after.state is State.ANSWERED)
                                   for b, s in pairwise(steps))  # fmt: skip


# ---- the store ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two compounds in two areas, each with a gate that has all five; one account of each role, two liaisons more."""
    path = tmp_path_factory.mktemp("seeded") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        for n, gate in ((1, "east"), (2, "west")):
            places.add_area(conn, f"a{n}", ("东片区", "西片区")[n - 1])
            places.add_committee(conn, f"k{n}", f"居委{n}", f"a{n}")
            places.add_compound(conn, f"c{n}", ("锦绣苑", "玉兰苑")[n - 1], f"k{n}", "李敏")
            places.add_gate(conn, gate, ("东门", "西门")[n - 1], f"c{n}")
            conn.execute(sa.insert(tables.stations).values(id=f"{gate}-1", gate=gate, lane="1", added_at=at(-99999)))
            becomes(conn, gate, "status", "compliant", -2000)
            for item in rectify.ITEMS[:-1]:
                becomes(conn, gate, item, "present", -2000)
        east = (Scope(ScopeKind.COMPOUND, "c1"),)
        people = {
            "zhou": (Role.SUPERVISOR, "周督查", accounts.EVERYWHERE), "root": (Role.ADMIN, "管理员", accounts.EVERYWHERE),
            "li": (Role.LIAISON, "李敏", east), "hu": (Role.LIAISON, "胡片长", (Scope(ScopeKind.AREA, "a1"),)),
            "wei": (Role.LIAISON, "卫西", (Scope(ScopeKind.COMMITTEE, "k2"),)), "deng": (Role.REGISTRAR, "邓登记", east),
            "cha": (Role.INSPECTOR, "查组", accounts.EVERYWHERE),
        }  # fmt: skip
        hashed = accounts._hashed(PASSWORD)
        for id, (role, name, scopes) in people.items():
            values = {"name": name, "role": role, "expires_at": None, "contact": "", "password": hashed, "disabled_at": None}
            accounts._write(conn, id, values, scopes)
        accounts._write(conn, "ke", {**values, "name": "来宾", "role": "guest", "expires_at": at(99999)}, east)
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


def becomes(conn: sa.Connection, gate: str, what: str, state: str, minute: float, basis: str = "sensor") -> None:
    """From a minute on the gate's status or one of its five is so."""
    table = tables.intervals
    still = sa.and_(table.c.gate == gate, table.c.what == what, table.c.ended_at.is_(None))
    conn.execute(sa.update(table).where(still).values(ended_at=at(minute)))
    conn.execute(sa.insert(table).values(gate=gate, what=what, began_at=at(minute), state=state, basis=basis))


def loses(conn: sa.Connection, gate: str, item: str, minute: float) -> None:
    becomes(conn, gate, item, "missing", minute)
    becomes(conn, gate, "status", "non_compliant", minute)


def regains(conn: sa.Connection, gate: str, item: str, minute: float) -> None:
    becomes(conn, gate, item, "present", minute)
    becomes(conn, gate, "status", "compliant", minute)


def steps(conn: sa.Connection, minute: float) -> list[tuple[str, str, str]]:
    return [(one.after.gate, one.after.item, one.step.value) for one in rectifications.step(conn, at(minute))]


def only(conn: sa.Connection) -> Rectification:
    (row,) = rectifications.list_open(conn, None)
    return row.rectification


def test_ok__step__all_well(conn: sa.Connection) -> None:
    before = meta.changes(conn)
    assert steps(conn, 0) == []
    assert meta.changes(conn) == before


def test_ok__step__opened_once_for_its_narrowest_liaison(conn: sa.Connection) -> None:
    loses(conn, "east", "desk", 0)
    loses(conn, "west", "register", 0)
    before = meta.changes(conn)
    assert steps(conn, 29) == []
    assert steps(conn, 30) == [("east", "desk", "opened"), ("west", "register", "opened")]
    assert steps(conn, 30) == []
    assert meta.changes(conn) > before
    rows = {row.rectification.gate: row for row in rectifications.list_open(conn, None)}
    assert {gate: row.rectification.owner for gate, row in rows.items()} == {"east": "li", "west": "wei"}
    assert (rows["east"].compound_name, rows["east"].area_name) == ("锦绣苑", "东片区")
    story = rectifications.one(conn, rows["east"].rectification.id)
    assert story is not None
    assert [(s.step, s.by, s.at) for s in story.steps] == [(Step.OPENED, None, at(30))]


@pytest.mark.parametrize("disabled, owner", [((), "li"), (("li",), "hu"), (("li", "hu"), None)])
def test_ok__owner(conn: sa.Connection, disabled: tuple[str, ...], owner: str | None) -> None:
    for id in disabled:
        accounts.disable(conn, id)
    rectifications.open_by_finding(conn, "east", "desk", None, "cha", NOW)
    assert only(conn).owner == owner
    if owner is None:
        assert rectifications.summary(conn, None, NOW).ownerless == 1


@pytest.mark.parametrize("status", ["unreachable", "closed"])
def test_ok__step__nothing_of_a_gate_nobody_knows_or_asks_of(conn: sa.Connection, status: str) -> None:
    becomes(conn, "east", "desk", "missing", 0)
    becomes(conn, "east", "status", status, 0)
    assert steps(conn, 600) == []
    becomes(conn, "east", "status", "non_compliant", 600)
    assert steps(conn, 629) == []
    assert steps(conn, 630) == [("east", "desk", "opened")]
    assert only(conn).missing_since == at(600)


def test_ok__step__a_blind_hub_opens_and_closes_nothing(conn: sa.Connection) -> None:
    loses(conn, "east", "desk", 0)
    meta.went_blind(conn, at(20))
    assert steps(conn, 90) == []
    meta.hears_again(conn, at(90))
    assert steps(conn, 99) == []
    assert steps(conn, 100) == []  # 20 minutes known before, and a gap too long to be bridged
    assert steps(conn, 120) == [("east", "desk", "opened")]
    meta.put(conn, meta.ALIVE_AT, at(120).isoformat())
    regains(conn, "east", "desk", 121)
    assert steps(conn, 140) == []
    meta.put(conn, meta.ALIVE_AT, at(140).isoformat())
    assert steps(conn, 140) == [("east", "desk", "closed")]


def test_ok__step__a_hub_that_was_down_catches_up_with_the_right_times(conn: sa.Connection) -> None:
    loses(conn, "east", "desk", 0)
    assert steps(conn, 3000) == [("east", "desk", "opened")]
    one = only(conn)
    assert (one.missing_since, one.opened_at, one.due_at) == (NOW, at(3000), at(3240))
    assert steps(conn, 3600) == [("east", "desk", "reminded"), ("east", "desk", "escalated")]
    regains(conn, "east", "desk", 3700)
    assert steps(conn, 9000) == [("east", "desk", "closed")]
    (row,) = rectifications.list_open(conn, None, rectifications.Wanted(state=State.CLOSED))
    assert (row.rectification.closed_at, row.rectification.closed_by) == (at(9000), ClosedBy.EVIDENCE)


def test_ok__step__a_recheck_that_passed_counts_from_then_on(conn: sa.Connection) -> None:
    """The sensor is wrong: somebody saw the desk. It is not opened again at once, and then as a recurrence."""
    loses(conn, "east", "desk", 0)
    steps(conn, 30)
    rectifications.rechecked(conn, only(conn).id, True, "cha", at(40))
    assert steps(conn, 69) == []
    assert steps(conn, 70) == [("east", "desk", "opened")]
    assert (only(conn).missing_since, only(conn).recurrence) == (at(40), 1)


def test_ok__open_by_finding__one_at_a_time(conn: sa.Connection) -> None:
    loses(conn, "east", "desk", 0)
    steps(conn, 30)
    first = only(conn)
    assert rectifications.open_by_finding(conn, "east", "desk", None, "cha", at(45), "没有桌子") == first.id
    assert only(conn) == replace(first, cause=Cause.FINDING)
    regains(conn, "east", "desk", 50)
    assert steps(conn, 90) == []
    other = rectifications.open_by_finding(conn, "east", "conduct", None, "cha", at(60), "没问外来人员")
    assert other != first.id
    assert rectifications.open_by_finding(conn, "east", "conduct", None, "cha", at(61)) == other
    story = rectifications.one(conn, other)
    assert story is not None
    assert [(s.step, s.by, s.note) for s in story.steps] == [(Step.OPENED, "cha", "没问外来人员"), (Step.FOUND, "cha", "")]


def test_ok__open_by_finding__knows_since_when_it_was_missing(conn: sa.Connection) -> None:
    loses(conn, "east", "desk", 0)
    rectifications.open_by_finding(conn, "east", "desk", None, "cha", at(12))
    assert only(conn).missing_since == NOW


def test_ok__a_failed_recheck_of_one_that_is_closed_opens_another(conn: sa.Connection) -> None:
    first = rectifications.open_by_finding(conn, "east", "desk", None, "cha", NOW)
    assert rectifications.rechecked(conn, first, True, "cha", at(10)) == first
    second = rectifications.rechecked(conn, first, False, "cha", at(600))
    assert second != first
    assert (only(conn).id, only(conn).recurrence, only(conn).cause) == (second, 1, Cause.FINDING)
    assert rectifications.rechecked(conn, first, True, "cha", at(700)) == first
    assert only(conn).id == second


def test_fail__what_is_closed_or_not_there(conn: sa.Connection) -> None:
    id = rectifications.open_by_finding(conn, "east", "desk", None, "cha", NOW)
    with pytest.raises(RegistryError, match="does not answer for gate 'east'"):
        rectifications.assign(conn, id, "wei", at(60), "zhou", NOW)
    rectifications.rechecked(conn, id, True, "cha", at(1))
    with pytest.raises(RegistryError, match="closed already"):
        rectifications.answer(conn, id, "放好了", "li", at(2))
    with pytest.raises(RegistryError, match="closed already"):
        rectifications.assign(conn, id, "li", at(60), "zhou", at(2))
    with pytest.raises(RegistryError, match="no rectification"):
        rectifications.answer(conn, "nowhere", "放好了", "li", at(2))
    for gate, item in (("nowhere", "desk"), ("east", "roof")):
        with pytest.raises(RegistryError, match="no gate"):
            rectifications.open_by_finding(conn, gate, item, None, "cha", NOW)


def test_ok__list_open__order_filters_and_reach(conn: sa.Connection) -> None:
    late = rectifications.open_by_finding(conn, "east", "desk", None, "cha", at(-600))
    soon = rectifications.open_by_finding(conn, "west", "desk", None, "cha", at(-60))
    nobody = rectifications.open_by_finding(conn, "west", "conduct", None, "cha", NOW)
    rectifications.assign(conn, nobody, None, at(900), "zhou", NOW)

    def found(known: frozenset[str] | None = None, **wanted: object) -> list[str]:
        asked = rectifications.Wanted(**wanted)  # type: ignore[arg-type]
        rows = rectifications.list_open(conn, known, asked)
        assert rectifications.count(conn, known, asked) == len(rows)
        return [row.rectification.id for row in rows]

    assert found() == [nobody, late, soon]
    assert found(owner="li") == [late]
    assert found(area="a2") == [nobody, soon]
    assert found(gate="east") == [late]
    assert found(frozenset({"c1"})) == [late]
    assert found(frozenset()) == []
    assert rectifications.summary(conn, None, NOW) == rectifications.Summary(not_closed=3, overdue=1, ownerless=1)
    rectifications.answer(conn, late, "放好了", "li", NOW)
    assert found(state=State.ANSWERED) == [late]
    assert [row.rectification.id for row in rectifications.list_open(conn, None, limit=1, offset=1)] == [late]


def test_ok__owners__most_narrow_first(conn: sa.Connection) -> None:
    assert [account.id for account in rectifications.owners(conn, "c1", NOW)] == ["li", "hu", "root", "zhou"]


def test_ok__step__cheap_when_nothing_is_to_be_done(conn: sa.Connection, engine: sa.Engine) -> None:
    """The number of queries does not rise with the number of gates that are well or long known to be not."""
    for n in range(60):
        places.add_gate(conn, f"g{n}", f"{n}门", "c1")
        becomes(conn, f"g{n}", "status", "non_compliant", -2000)
        for item in rectify.ITEMS[:-1]:
            becomes(conn, f"g{n}", item, "missing" if item == "desk" else "present", -2000)
    assert len(steps(conn, 0)) == 60
    asked: list[str] = []
    sa.event.listen(conn, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    assert steps(conn, 1) == []
    assert len(asked) < 12


def test_ok__tasks(conn: sa.Connection) -> None:
    one = tasks.add(conn, "c1", " 换登记本 ", "zhou", NOW, due_at=at(-5), owner="li", note="旧的写满了")
    two = tasks.add(conn, "c2", "补岗亭雨棚", "zhou", NOW, due_at=at(60))
    listed = tasks.list_tasks(conn, None)
    assert [(task.id, task.title, task.is_overdue(NOW)) for task in listed] == [
        (two, "补岗亭雨棚", False), (one, "换登记本", True)
    ]  # fmt: skip
    assert [task.id for task in tasks.list_tasks(conn, frozenset({"c1"}))] == [one]
    assert [task.id for task in tasks.list_tasks(conn, None, owner="li")] == [one]
    assert tasks.count(conn, None, area="a2") == 1
    tasks.finish(conn, one, "li", at(3))
    tasks.cancel(conn, two, at(4))
    assert tasks.list_tasks(conn, None) == []
    assert [(task.id, task.done_by, task.cancelled_at) for task in tasks.list_tasks(conn, None, ended=True)] == [
        (two, None, at(4)), (one, "li", None)
    ]  # fmt: skip
    with pytest.raises(RegistryError, match="done or cancelled already"):
        tasks.cancel(conn, one, at(5))
    with pytest.raises(RegistryError, match="a compound that there is"):
        tasks.add(conn, "nowhere", "换登记本", "zhou", NOW, due_at=at(60))


# ---- a week's story ----


def test_ok__a_week(conn: sa.Connection) -> None:
    loses(conn, "east", "temperature", 0)
    assert steps(conn, 20) == []
    assert steps(conn, 31) == [("east", "temperature", "opened")]
    id, day = only(conn).id, 24 * 60
    assert steps(conn, 210) == []
    assert steps(conn, 211) == [("east", "temperature", "reminded")]
    rectifications.answer(conn, id, "换了电池", "li", at(230))
    assert only(conn).state is State.ANSWERED
    rectifications.rechecked(conn, id, False, "cha", at(260), "还是没有读数")
    assert (only(conn).state, only(conn).reopened, only(conn).due_at) == (State.OPEN, 1, at(500))
    assert steps(conn, 440) == [("east", "temperature", "reminded")]
    assert steps(conn, 560) == [("east", "temperature", "escalated")]
    regains(conn, "east", "temperature", 600)
    assert steps(conn, 700) == []  # somebody saw it fail: evidence alone closes it no more
    rectifications.answer(conn, id, "换了测温仪", "li", at(710))
    rectifications.rechecked(conn, id, True, "cha", at(2 * day), "读数正常")
    assert rectifications.list_open(conn, None) == []
    story = rectifications.one(conn, id)
    assert story is not None
    done = story.row.rectification
    assert (done.closed_by, done.reopened, done.lasting(at(9 * day))) == (ClosedBy.RECHECK, 1, timedelta(days=2))
    assert [step.step.value for step in story.steps] == [
        "opened", "reminded", "answered", "failed", "reminded", "escalated", "answered", "passed",
    ]  # fmt: skip
    loses(conn, "east", "temperature", 5 * day)
    assert steps(conn, 5 * day + 30) == [("east", "temperature", "opened")]
    again = only(conn)
    assert (again.recurrence, again.reopened, again.missing_since, again.cause) == (1, 0, at(5 * day), Cause.MISSING)
    regains(conn, "east", "temperature", 5 * day + 50)
    assert steps(conn, 5 * day + 59) == []
    assert steps(conn, 5 * day + 60) == [("east", "temperature", "closed")]


# ---- the pages ----


@pytest.fixture
def app(engine: sa.Engine, tmp_path: Path) -> Flask:
    return create_app(Located(HubSettings(web=Web(secure_cookies=False)), tmp_path), engine, now=lambda: NOW)


def signed_in(app: Flask, account: str) -> FlaskClient:
    """As after signing in, without the time that a password takes."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"1 {account}", True
    return client


def send(client: FlaskClient, path: str, form: str = "/rectifications", **data: object) -> TestResponse:
    """Post a form with the token of a page."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(form).text)
    assert token
    return client.post(path, data={"csrf_token": token[1], **data})


@pytest.fixture
def found(engine: sa.Engine) -> str:
    """The desk of the east gate, found missing by an inspector half an hour ago."""
    with engine.begin() as conn:
        return rectifications.open_by_finding(conn, "east", "desk", None, "cha", at(-30), "没有桌子")


@pytest.fixture
def task(engine: sa.Engine) -> str:
    with engine.begin() as conn:
        return tasks.add(conn, "c1", "换登记本", "zhou", at(-30), due_at=at(600), owner="li")


def row(engine: sa.Engine, id: str) -> rectifications.Story:
    with engine.connect() as conn:
        story = rectifications.one(conn, id)
    assert story is not None
    return story


def jpeg(width: int = 320, height: int = 240) -> bytes:
    """A photo with EXIF in it, as a telephone writes it."""
    made = cv2.imencode(".jpg", np.full((height, width, 3), 120, np.uint8))[1].tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0 gps 31.2N"
    return made[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + made[2:]


def plain(page: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", page).split())


ROLES = ("root", "zhou", "li", "deng", "cha", "ke")
LATER = "2026-02-16T20:00"
MAY = {
    "answer": ({"note": "放好了"}, ("root", "zhou", "li")),
    "assign": ({"owner": "li", "due_at": LATER}, ("root", "zhou")),
    "recheck": ({"result": "passed", "seen": ""}, ("root", "zhou")),
}


@pytest.mark.parametrize("account", ROLES)
@pytest.mark.parametrize("what", MAY)
def test_ok__who_may_do_what(app: Flask, found: str, what: str, account: str) -> None:
    data, allowed = MAY[what]
    answer = send(signed_in(app, account), f"/rectifications/{found}/{what}", **data)
    assert answer.status_code == (303 if account in allowed else 403)


@pytest.mark.parametrize("account", ROLES)
def test_ok__who_may_look_and_give(app: Flask, found: str, task: str, account: str) -> None:
    client, supervises = signed_in(app, account), account in ("root", "zhou")
    for path in ("/rectifications", f"/rectifications/{found}", "/tasks"):
        assert client.get(path).status_code == 200
    for path in ("/rectifications/new", "/tasks/new"):
        assert client.get(path).status_code == (200 if supervises else 403)
    assert send(client, f"/tasks/{task}/done").status_code == (303 if supervises or account == "li" else 403)
    assert send(client, f"/tasks/{task}/cancel").status_code == (303 if supervises else 403)
    page = client.get(f"/rectifications/{found}").text
    assert ("提交回复" in page) == (supervises or account == "li")
    assert ("责任人和期限" in page) == supervises


def test_fail__out_of_reach(app: Flask, engine: sa.Engine, found: str, task: str) -> None:
    client = signed_in(app, "wei")
    with engine.begin() as conn:
        kept = pictures.put(conn, "answer", found, [jpeg()], NOW, "li")[0]
        rectifications.answer(conn, found, "放好了", "li", NOW, picture=kept)
    for path in (f"/rectifications/{found}", f"/rectifications/picture/{kept}", "/rectifications/nowhere"):
        assert client.get(path).status_code == 404
    assert send(client, f"/rectifications/{found}/answer", note="放好了").status_code == 404
    assert send(client, f"/tasks/{task}/done").status_code == 404
    assert "锦绣苑" not in client.get("/rectifications").text
    assert "换登记本" not in client.get("/tasks").text


def test_ok__the_list(app: Flask, engine: sa.Engine, found: str) -> None:
    with engine.begin() as conn:
        loses(conn, "west", "register", -130)
        rectifications.step(conn, at(-100))
        nobody = rectifications.open_by_finding(conn, "west", "conduct", None, "cha", at(-600), "没问外来人员")
        rectifications.assign(conn, nobody, None, at(-65), "zhou", at(-599))
    client = signed_in(app, "zhou")
    page = plain(client.get("/rectifications").text)
    for said in (
        "未销项3件:超期1件、没有责任人1件",
        "缺 2小时10分",
        "还剩2小时20分",
        "超期1小时5分",
        "没有责任人",
        "履职情况",
        "卫西",
    ):
        assert said in page, said
    assert page.index("没有责任人 超期") < page.index("登记本") < page.index("登记桌")
    assert "登记本" not in plain(client.get("/rectifications?area=a1").text)
    assert "没有符合条件的整改" in client.get("/rectifications?owner=me").text
    assert "没有符合条件的整改" in client.get("/rectifications?state=closed").text
    assert "没有符合条件的整改" in client.get("/rectifications?gate=nowhere").text
    client.get("/language/en")
    assert "3 not closed: 1 overdue, 1 without an owner" in client.get("/rectifications").text


def test_ok__nothing_inline(app: Flask, found: str, task: str) -> None:
    client = signed_in(app, "zhou")
    for path in ("/rectifications", f"/rectifications/{found}", "/rectifications/new", "/tasks", "/tasks/new"):
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|https?://", client.get(path).text), path


def test_ok__answered_with_a_photo(app: Flask, engine: sa.Engine, found: str) -> None:
    client = signed_in(app, "li")
    answer = send(
        client, f"/rectifications/{found}/answer", note="桌子<b>放好了", photo=(io.BytesIO(jpeg(3000, 2000)), "IMG_1.jpg")
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/rectifications/{found}")
    story = row(engine, found)
    assert story.row.rectification.state is State.ANSWERED
    page = client.get(f"/rectifications/{found}").text
    for said in ("李敏 回复", "桌子&lt;b&gt;放好了", "已回复,待核实", f"/rectifications/picture/{story.steps[-1].picture}"):
        assert said in page, said
    photo = client.get(f"/rectifications/picture/{story.steps[-1].picture}")
    assert (photo.status_code, photo.mimetype, b"gps" in photo.data, b"Exif" in photo.data) == (200, "image/jpeg", False, False)
    assert max(cv2.imdecode(np.frombuffer(photo.data, np.uint8), cv2.IMREAD_COLOR).shape[:2]) <= pictures.LONGEST_SIDE
    with engine.connect() as conn:
        noted = [(line.account, line.action, line.kind) for line in audit.lines(conn, 5)]
        assert "放好了" not in str([line.detail for line in audit.lines(conn, 5)])
    assert noted == [("li", "look", "picture"), ("li", "answer", "rectification")]


@pytest.mark.parametrize(
    "data, said",
    [
        ({"note": "  "}, "请写明做了什么"), ({"note": "好" * 1001}, "写了1001个字,最多1000个字"),
        ({"note": "放好了", "photo": (b"GIF89a", "a.gif")}, "不是能读的照片"),
        ({"note": "放好了", "photo": (b"\xff\xd8\xff", "a.jpg")}, "不是能读的照片"),
        ({"note": "放好了", "photo": (b"\xff\xd8" + bytes(4 << 20), "a.jpg")}, "照片太大,最多4 MB"),
    ],
    ids=["nothing", "too long", "a gif", "half a photo", "too large"],
)  # fmt: skip
def test_fail__an_answer_that_cannot_be_kept(
    app: Flask, engine: sa.Engine, found: str, data: dict[str, object], said: str
) -> None:
    if isinstance(photo := data.get("photo"), tuple):
        data = {**data, "photo": (io.BytesIO(photo[0]), photo[1])}
    answer = send(signed_in(app, "li"), f"/rectifications/{found}/answer", **data)
    assert (answer.status_code, said in answer.text) == (400, True)
    assert str(data["note"]).strip() in answer.text
    assert row(engine, found).row.rectification.state is State.OPEN
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(pictures_table)) == 0


def test_fail__an_answer_far_too_large(app: Flask, found: str) -> None:
    answer = send(signed_in(app, "li"), f"/rectifications/{found}/answer", note="好", photo=(io.BytesIO(bytes(9 << 20)), "a.jpg"))
    assert (answer.status_code, "照片太大,最多4 MB" in answer.text) == (413, True)


def test_ok__assigned(app: Flask, engine: sa.Engine, found: str) -> None:
    client = signed_in(app, "zhou")
    assert send(client, f"/rectifications/{found}/assign", owner="hu", due_at=LATER).status_code == 303
    one = row(engine, found).row.rectification
    assert (one.owner, one.due_at) == ("hu", datetime(2026, 2, 16, 12, 0, tzinfo=UTC))
    assert "周督查 定责任人:胡片长,期限 20:00" in client.get(f"/rectifications/{found}").text
    assert send(client, f"/rectifications/{found}/assign", owner="", due_at=LATER).status_code == 303
    assert row(engine, found).row.rectification.owner is None


@pytest.mark.parametrize(
    "owner, due, said",
    [
        ("wei", LATER, "请重新选择责任人"), ("nobody", LATER, "请重新选择责任人"), ("li", "", "请填写期限"),
        ("li", "soon", "请填写期限"), ("li", "2026-02-16T07:41", "期限须在现在以后"), ("li", "2027-02-16T07:41", "90天以内"),
    ],
)  # fmt: skip
def test_fail__assigned_badly(app: Flask, engine: sa.Engine, found: str, owner: str, due: str, said: str) -> None:
    answer = send(signed_in(app, "zhou"), f"/rectifications/{found}/assign", owner=owner, due_at=due)
    assert (answer.status_code, said in answer.text, due in answer.text) == (400, True, True)
    assert row(engine, found).row.rectification.owner == "li"


def test_ok__rechecked(app: Flask, engine: sa.Engine, found: str) -> None:
    client = signed_in(app, "zhou")
    answer = send(client, f"/rectifications/{found}/recheck", seen="")
    assert (answer.status_code, "请选择改好了没有" in answer.text) == (400, True)
    answer = send(client, f"/rectifications/{found}/recheck", result="failed", seen="")
    assert (answer.status_code, "请写明看到的情况" in answer.text) == (400, True)
    assert send(client, f"/rectifications/{found}/recheck", result="failed", seen="桌子还没有").status_code == 303
    page = client.get(f"/rectifications/{found}").text
    assert "周督查 回头查,没改好" in page
    assert "重开1次" in page
    assert send(client, f"/rectifications/{found}/recheck", result="passed", seen="").status_code == 303
    one = row(engine, found).row.rectification
    assert (one.state, one.closed_by, one.reopened) == (State.CLOSED, ClosedBy.RECHECK, 1)
    page = client.get(f"/rectifications/{found}").text
    assert "已销项" in page
    assert "提交回复" not in page
    answer = send(client, f"/rectifications/{found}/answer", note="放好了")
    assert (answer.status_code, "已经销项" in answer.text) == (409, True)
    with engine.connect() as conn:
        made = inspections.list_sent(conn, inspections.Wanted(since=at(-60)), None, 10)
    assert [(one.rechecks, one.method.value) for one in made] == [(found, "recheck")] * 2


def test_ok__conduct_is_rechecked_too(app: Flask, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        id = rectifications.open_by_finding(conn, "east", "conduct", None, "cha", NOW, "没问外来人员")
    assert send(signed_in(app, "zhou"), f"/rectifications/{id}/recheck", result="passed", seen="逐人询问").status_code == 303
    assert row(engine, id).row.rectification.state is State.CLOSED


@pytest.mark.parametrize("how", ["owner", "answer"])
def test_fail__nobody_rechecks_what_is_his_own(app: Flask, engine: sa.Engine, found: str, how: str) -> None:
    with engine.begin() as conn:
        if how == "owner":
            rectifications.assign(conn, found, "zhou", at(60), "root", NOW)
        else:
            rectifications.answer(conn, found, "放好了", "zhou", NOW)
    client = signed_in(app, "zhou")
    assert "提交回头查" not in client.get(f"/rectifications/{found}").text
    answer = send(client, f"/rectifications/{found}/recheck", result="passed", seen="")
    assert (answer.status_code, "须由别人回头查" in answer.text) == (403, True)
    assert row(engine, found).row.rectification.state is not State.CLOSED


def test_ok__opened_by_hand(app: Flask, engine: sa.Engine) -> None:
    client = signed_in(app, "zhou")
    answer = send(client, "/rectifications/new", gate="", note="")
    assert answer.status_code == 400
    for said in ("请选择门岗", "请选择缺哪一项", "请写明看到的情况"):
        assert said in answer.text, said
    answer = send(client, "/rectifications/new", gate="east", item="passes", note="没有出入证")
    id = answer.headers["Location"].rpartition("/")[2]
    assert answer.status_code == 303
    one = row(engine, id).row.rectification
    assert (one.cause, one.item, one.owner) == (Cause.FINDING, "passes", "li")
    assert "周督查 开整改单" in client.get(f"/rectifications/{id}").text
    assert '<option selected value="east">' in client.get("/rectifications/new?gate=east").text


def test_fail__opened_by_hand_elsewhere(app: Flask, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        accounts.change_account(conn, "zhou", name="周督查", role="supervisor", scopes=[Scope(ScopeKind.AREA, "a2")])
        conn.execute(sa.update(tables.accounts).where(tables.accounts.c.id == "zhou").values(life=1))
    answer = send(signed_in(app, "zhou"), "/rectifications/new", gate="east", item="passes", note="没有出入证")
    assert (answer.status_code, "请选择门岗" in answer.text) == (400, True)


def test_ok__a_task_from_giving_to_done(app: Flask, engine: sa.Engine) -> None:
    zhou, li = signed_in(app, "zhou"), signed_in(app, "li")
    bad = send(zhou, "/tasks/new", title="换登记本", compound="c1", owner="wei", due_at=LATER, note="")
    assert (bad.status_code, "这个账号不管这个小区" in bad.text, "换登记本" in bad.text) == (400, True, True)
    empty = send(zhou, "/tasks/new")
    assert empty.status_code == 400
    for said in ("请写明要做什么", "请选择小区", "请填写期限"):
        assert said in empty.text, said
    assert send(zhou, "/tasks/new", title="换登记本", compound="c1", owner="li", due_at=LATER, note="").status_code == 303
    page = plain(li.get("/tasks?owner=me").text)
    for said in ("换登记本", "东片区 锦绣苑 · 周督查 派", "还剩12小时19分", "办好了"):
        assert said in page, said
    with engine.connect() as conn:
        (one,) = tasks.list_tasks(conn, None)
    assert send(li, f"/tasks/{one.id}/done").status_code == 303
    assert send(zhou, f"/tasks/{one.id}/cancel").status_code == 303
    assert "07:41 李敏 办好" in plain(zhou.get("/tasks?state=ended").text)
    with engine.connect() as conn:
        assert [(line.account, line.action) for line in audit.lines(conn, 5)] == [("li", "done"), ("zhou", "give")]


def test_ok__standings_are_those_of_the_gate(conn: sa.Connection) -> None:
    loses(conn, "east", "desk", -25)
    found = standings.look(conn, [KEY, ("west", "desk"), ("east", "conduct")], NOW, bridged=RULES.open_after)
    assert {key: (one.stand, one.since) for key, one in found.items()} == {
        KEY: (Stand.MISSING, at(-25)), ("west", "desk"): (Stand.PRESENT, at(-2000)),
    }  # fmt: skip
