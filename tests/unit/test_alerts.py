"""Alerts: the rules by hypothesis, what is noticed in events, the store, and the pages by role."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.codec import encode
from contract.events import (
    Band,
    Body,
    Clock,
    Companion,
    Correction,
    Direction,
    Entry,
    Event,
    HelpCalled,
    Outcome,
    Reading,
    ShiftChange,
    Who,
    Written,
    kind_of,
)
from contract.five import Lifetimes
from contract.messages import Vitals
from contract.passes import PassKind
from hub import alerts, audit, channels, owed, raising, rectifications, status
from hub.commands.channels import channel as channel_command
from hub.config import Alerts, HubSettings, Located, Web
from hub.registry import accounts, keys, passes, places
from hub.registry.errors import RegistryError
from hub.rights import Role, Scope, ScopeKind
from hub.rules import alerting as rules
from hub.rules import noticing as facts
from hub.rules.alerting import RULES, Condition, Happening, Kind, Level, Open, Silence
from hub.store import meta, migrate, open_store, tables
from hub.store.supervision import alerts as alerts_table
from hub.store.supervision import sendings
from hub.store.writing import writing
from hub.web import create_app

NOW = datetime(2026, 2, 15, 23, 41, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PASSWORD = "a long password"
FEVER = Reading(band=Band.FEVER, source="mlx90614", body_celsius=37.9)
ALL = frozenset(Kind)
HAPPENINGS = [kind for kind in Kind if not RULES[kind].lasting]
LASTING = [kind for kind in Kind if RULES[kind].lasting]


# ---- the rules ----


@dataclass
class Hub:
    """Carries out plans in memory, and remembers what was sent to whom."""

    now: datetime = NOW
    open: dict[str, Open] = field(default_factory=dict)
    sent: list[tuple[str, Kind, Role]] = field(default_factory=list)
    raised: dict[str, rules.Raise] = field(default_factory=dict)
    silences: list[Silence] = field(default_factory=list)
    n: int = 0

    def step(self, happened: list[Happening], holds: list[Condition], looked_at: frozenset[Kind] = ALL) -> rules.Plan:
        plan = rules.decide(list(self.open.values()), happened, holds, looked_at, self.silences, self.now)
        for id in plan.ended:
            del self.open[id]
        for again in plan.repeated:
            self.open[again.id] = msgspec.structs.replace(self.open[again.id], last_at=self.now)
        for one in plan.raised:
            self.n += 1
            about, id = one.about, str(self.n)
            self.raised[id] = one
            if not one.old:
                self.open[id] = Open(
                    id=id, kind=about.kind, key=about.key, gate=about.gate, first_at=self.now, last_at=self.now
                )  # fmt: skip
            if not one.silenced and not one.old:
                self.sent.append((id, about.kind, rules.ladder(about.kind)[0]))
        for up in plan.escalated:
            self.open[up.id] = msgspec.structs.replace(self.open[up.id], escalated_at=self.now)
            self.sent += [(up.id, self.open[up.id].kind, role) for role in up.roles]
        return plan


def happening(kind: Kind = Kind.HELP, key: str = "k", at: datetime = NOW, gate: str = "east", event: str = "e") -> Happening:
    return Happening(kind=kind, key=key, gate=gate, compound="c1", subject="锦绣苑 东门", event=event, at=at)


def condition(kind: Kind = Kind.UNREACHABLE, key: str = "k", since: datetime = NOW - HOUR, gate: str = "east") -> Condition:
    return Condition(kind=kind, key=key, gate=gate, compound="c1", subject="锦绣苑 东门", since=since)


STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "minutes": st.integers(0, 400),
            "happened": st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.sampled_from("ab"), st.integers(0, 2000)), max_size=4),
            "holds": st.lists(st.tuples(st.sampled_from(LASTING), st.sampled_from("ab")), max_size=4),
            "looked_at": st.booleans(),
            "silence": st.none() | st.tuples(st.sampled_from(list(Kind)), st.sampled_from(["a", None]), st.integers(1, 1440)),
            "acknowledges": st.integers(0, 5),
        }
    ),
    max_size=12,
)  # fmt: skip


def play(steps: list[dict[str, Any]], *, silences: bool = True, acknowledges: bool = True) -> Iterator[tuple[Hub, rules.Plan]]:
    """A hub's days, a step at a time; each key is also a gate."""
    hub = Hub()
    for step in steps:
        hub.now += step["minutes"] * MINUTE
        if silences and step["silence"]:
            kind, gate, minutes = step["silence"]
            hub.silences.append(Silence(kind=kind, gate=gate, from_at=hub.now, until_at=hub.now + minutes * MINUTE))
        happened = [
            happening(kind, key, hub.now - ago * MINUTE, key, f"e{n}") for n, (kind, key, ago) in enumerate(step["happened"])
        ]
        holds = [condition(kind, key, hub.now - HOUR, key) for kind, key in step["holds"]]
        plan = hub.step(happened, holds, ALL if step["looked_at"] else frozenset())
        yield hub, plan
        for id in sorted(hub.open)[: step["acknowledges"] if acknowledges else 0]:
            hub.open[id] = msgspec.structs.replace(hub.open[id], acknowledged_at=hub.now)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_ok__never_two_open_with_one_kind_and_key(steps: list[dict[str, Any]]) -> None:
    for hub, _ in play(steps):
        pairs = [(one.kind, one.key) for one in hub.open.values()]
        assert len(pairs) == len(set(pairs))


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_ok__a_call_for_help_and_an_emergency_are_never_silenced(steps: list[dict[str, Any]]) -> None:
    for hub, plan in play(steps):
        assert not any(one.silenced for one in plan.raised if one.about.kind in (Kind.HELP, Kind.EMERGENCY))
        told = {id for id, _, _ in hub.sent}
        fresh = {id for id, one in hub.raised.items() if one.about.kind in (Kind.HELP, Kind.EMERGENCY) and not one.old}
        assert fresh <= told


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_ok__no_role_is_told_twice_of_one_alert(steps: list[dict[str, Any]]) -> None:
    for hub, _ in play(steps):
        told = [(id, role) for id, _, role in hub.sent]
        assert len(told) == len(set(told))


@settings(max_examples=200, deadline=None)
@given(STEPS, st.lists(st.integers(1, 30), min_size=8, max_size=20))
def test_ok__what_nobody_acknowledges_goes_up_exactly_once_to_each_role(steps: list[dict[str, Any]], waits: list[int]) -> None:
    for hub, _ in play(steps, silences=False, acknowledges=False):
        for one in hub.open.values():
            waited = rules.wait(one.kind)
            ladder = rules.ladder(one.kind)
            reached = 0 if waited is None else min(int((hub.now - one.first_at) / waited), len(ladder) - 1)
            assert [role for id, _, role in hub.sent if id == one.id] == list(ladder[: reached + 1])
    hub = Hub()
    hub.step([happening()], [])
    while hub.now < NOW + 2 * HOUR:
        hub.now += waits[hub.n % len(waits)] * MINUTE
        hub.step([], [])
    assert [role for _, _, role in hub.sent] == [Role.LIAISON, Role.SUPERVISOR, Role.ADMIN]


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_ok__nothing_is_lost__each_happening_is_raised_or_counted(steps: list[dict[str, Any]]) -> None:
    for (_, plan), step in zip(play(steps), steps, strict=True):
        counted = sum(one.count for one in plan.raised if isinstance(one.about, Happening)) + sum(o.count for o in plan.repeated)
        assert counted == len(step["happened"])


def test_ok__a_table_row_for_every_kind() -> None:
    assert set(RULES) == set(Kind)
    for rule in RULES.values():
        assert all((*rule.said, *rule.todo))
        assert rule.role in rules.LADDER


@pytest.mark.parametrize(
    "minutes, told",
    [(14, []), (15, [Role.SUPERVISOR]), (29, [Role.SUPERVISOR]), (31, list(rules.LADDER[1:])), (600, list(rules.LADDER[1:]))],
)
def test_ok__an_alarm_goes_up_after_a_quarter_of_an_hour__also_when_the_hub_was_down(minutes: int, told: list[Role]) -> None:
    hub = Hub()
    hub.step([happening()], [])
    hub.now += minutes * MINUTE
    hub.step([], [])
    assert [role for _, _, role in hub.sent[1:]] == told


def test_ok__a_warning_waits_for_an_hour_and_a_notice_for_ever() -> None:
    hub = Hub()
    hub.step([], [condition(Kind.UNREACHABLE), condition(Kind.TAXI)])
    for _ in range(30):
        hub.now += 10 * MINUTE
        hub.step([], [condition(Kind.UNREACHABLE), condition(Kind.TAXI)])
    assert [(kind, role) for _, kind, role in hub.sent] == [
        (Kind.TAXI, Role.LIAISON) if kind is Kind.TAXI else (kind, role)
        for kind, role in (
            (Kind.UNREACHABLE, Role.LIAISON), (Kind.TAXI, Role.LIAISON), (Kind.UNREACHABLE, Role.SUPERVISOR),
            (Kind.UNREACHABLE, Role.ADMIN),
        )
    ]  # fmt: skip


def test_ok__a_condition_is_an_alert_once_its_patience_is_over_and_ends_by_itself() -> None:
    hub = Hub()
    hub.step([], [condition(since=NOW - 9 * MINUTE)])
    assert not hub.open
    hub.step([], [condition(since=NOW - 10 * MINUTE)])
    assert [one.kind for one in hub.open.values()] == [Kind.UNREACHABLE]
    hub.step([], [])
    assert not hub.open


def test_ok__a_blind_hub_neither_raises_nor_ends_what_it_cannot_see() -> None:
    hub = Hub()
    hub.step([], [condition()])
    hub.step([], [], frozenset({Kind.BLIND}))
    assert len(hub.open) == 1
    hub.step([], [condition(Kind.CLOCK)], frozenset({Kind.BLIND}))
    assert [one.kind for one in hub.open.values()] == [Kind.UNREACHABLE]


def test_ok__a_happening_ends_acknowledged_or_after_a_day() -> None:
    hub = Hub()
    hub.step([happening(key="a"), happening(key="b")], [])
    first = next(iter(hub.open))
    hub.open[first] = msgspec.structs.replace(hub.open[first], acknowledged_at=NOW)
    hub.now += 23 * HOUR
    assert hub.step([], []).ended == (first,)
    hub.now += HOUR
    hub.step([], [])
    assert not hub.open


def test_ok__late_is_said_to_be_late_and_older_than_a_day_is_only_written_down() -> None:
    plan = Hub().step([happening(key="now"), happening(key="late", at=NOW - HOUR), happening(key="old", at=NOW - 25 * HOUR)], [])
    assert {one.about.key: (one.late, one.old) for one in plan.raised} == {
        "now": (False, False), "late": (True, False), "old": (True, True)
    }  # fmt: skip


def test_ok__what_began_in_a_silence_ends_with_it_and_is_raised_anew_and_sent() -> None:
    hub = Hub(silences=[Silence(kind=Kind.UNREACHABLE, gate="east", from_at=NOW, until_at=NOW + HOUR)])
    hub.step([], [condition()])
    assert hub.sent == []
    hub.now += HOUR
    plan = hub.step([], [condition()])
    assert (plan.ended, [one.silenced for one in plan.raised]) == (("1",), [False])
    assert [role for _, _, role in hub.sent] == [Role.LIAISON]


def test_ok__what_was_open_before_a_silence_goes_up_after_it() -> None:
    hub = Hub()
    hub.step([happening(Kind.FEVER)], [])
    hub.silences.append(Silence(kind=Kind.FEVER, gate=None, from_at=NOW + MINUTE, until_at=NOW + HOUR))
    hub.now += 59 * MINUTE
    assert hub.step([], []).escalated == ()
    hub.now += MINUTE
    (up,) = hub.step([], []).escalated
    assert up.roles == (Role.SUPERVISOR, Role.ADMIN)


# ---- what is noticed ----


def told(body: Body, id: str = "e1", at: datetime = NOW, gate: str = "east") -> facts.Told:
    return facts.Told(id=id, at=at, gate=gate, compound="c1", subject="锦绣苑 东门", body=body)


def entry(**more: Any) -> Entry:
    return Entry(**{"direction": Direction.IN, "outcome": Outcome.REFER} | more)


@pytest.mark.parametrize(
    "body, found",
    [
        (entry(outcome=Outcome.ADMIT), []),
        (entry(reading=FEVER), [(Kind.FEVER, "e1")]),
        (entry(reasons=("fever",), pass_id="p1"), [(Kind.FEVER, "p1")]),
        (entry(reading=FEVER, follows="e0"), [(Kind.FEVER, "e0")]),
        (entry(companions=(Companion(role="child", reading=FEVER),), pass_id="p1"), [(Kind.FEVER, "p1")]),
        (entry(reading=FEVER, reasons=("demonstration",)), []),
        (HelpCalled(), [(Kind.HELP, "east")]),
        (entry(outcome=Outcome.EMERGENCY, reasons=("ambulance",)), [(Kind.EMERGENCY, "east")]),
        (entry(reasons=("isolating",), pass_id="p1"), [(Kind.ISOLATING, "p1")]),
        (entry(outcome=Outcome.REFUSE, reasons=("revoked",), pass_id="p1"), [(Kind.REVOKED, "p1")]),
        (entry(outcome=Outcome.REFUSE, reasons=("forged",)), [(Kind.FORGED, "east")]),
        (entry(outcome=Outcome.REFUSE, reasons=("expired",)), []),
        (entry(reading=FEVER, reasons=("isolating",), pass_id="p1"), [(Kind.FEVER, "p1"), (Kind.ISOLATING, "p1")]),
        (ShiftChange(on=True, badge="b1"), []),
    ],
)
def test_ok__what_an_event_tells(body: Body, found: list[tuple[Kind, str]]) -> None:
    assert [(one.kind, one.key) for one in facts.happenings(told(body))] == found


def test_ok__what_was_keyed_in_later_happened_when_the_paper_says() -> None:
    (one,) = facts.happenings(told(entry(reading=FEVER, written=Written(at=NOW - 3 * HOUR))))
    assert one.at == NOW - 3 * HOUR


TAXI = entry(outcome=Outcome.ADMIT, who=Who.TAXI)
RETURNEE = entry(who=Who.TRAVELLER, reasons=("homecoming",))


@pytest.mark.parametrize(
    "then, inside",
    [
        (None, ["e1"]),
        (entry(direction=Direction.OUT, outcome=Outcome.ADMIT, visit="e1"), []),
        (entry(direction=Direction.OUT, outcome=Outcome.ADMIT, visit="e9"), ["e1"]),
        (Correction(corrects="e1", cancelled=True), []),
    ],
)
def test_ok__a_taxi_is_inside_until_it_leaves(then: Body | None, inside: list[str]) -> None:
    memory = facts.remember(facts.Memory(), [told(TAXI), *([told(then, "e2")] if then else [])], NOW)
    assert list(memory.taxis) == inside


def test_ok__a_returnee_waits_until_somebody_comes() -> None:
    memory = facts.remember(facts.Memory(), [told(RETURNEE)], NOW)
    later = NOW + 31 * MINUTE
    gates, limits = {"east": ("c1", "锦绣苑 东门")}, {"c1": facts.RETURNEE_WAITS}
    (found,) = facts.too_long(memory.returnees, Kind.RETURNEE, gates, limits, later)
    assert (found.key, found.gate, found.since) == ("e1", "east", NOW)
    assert facts.too_long(memory.returnees, Kind.RETURNEE, gates, limits, NOW + 29 * MINUTE) == []
    assert facts.remember(memory, [told(entry(outcome=Outcome.ADMIT, follows="e1"), "e2")], later).returnees == {}
    assert facts.remember(memory, [], NOW + 24 * HOUR).returnees == {}


@pytest.mark.parametrize(
    "backlogs, alarming",
    [([0], False), ([201], True), ([200], False), ([9, 9], True), ([9, 8], False), ([9, 0, 9], False), ([5, 9], True)],
)
def test_ok__backlog__more_than_200_or_not_falling_for_half_an_hour(backlogs: list[int], alarming: bool) -> None:
    memory, now = facts.Memory(), NOW
    gate = status_of("east")
    for n, backlog in enumerate(backlogs):
        now = NOW + n * 30 * MINUTE
        heard = facts.Heard(station="s1", backlog=backlog, clock_set=True)
        memory = facts.watch(memory, [heard], now)
    found = facts.of_station(gate, heard, memory, "锦绣苑 东门", now)
    assert [one.kind for one in found] == ([Kind.BACKLOG] if alarming else [])


def status_of(gate: str) -> Any:
    return msgspec.convert(
        {"gate": gate, "gate_name": "东门", "compound": "c1", "compound_name": "锦绣苑", "area": "a1", "area_name": "东片区",
         "liaison": "", "status": "compliant", "items": {}}, facts.GateStatus,
    )  # fmt: skip


def turn(event: str, gate: str, minutes: int, on: bool = True, station: str = "") -> facts.Turn:
    return facts.Turn(event=event, badge="b1", station=station or gate, gate=gate, at=NOW + minutes * MINUTE, on=on)


@pytest.mark.parametrize(
    "turns, news, found",
    [
        ([turn("1", "east", 0), turn("2", "west", 9)], "2", [("west", "east")]),
        ([turn("1", "east", 0), turn("2", "west", 9)], "1", [("west", "east")]),
        ([turn("1", "east", 0), turn("2", "west", 9)], "", []),
        ([turn("1", "east", 0), turn("2", "east", 8, False), turn("3", "west", 9)], "3", []),
        ([turn("1", "east", 0), turn("2", "west", 9), turn("3", "east", 10, False)], "3", []),
        ([turn("1", "east", 0), turn("2", "east", 9, station="east-2")], "2", []),
        ([turn("1", "east", 0), turn("2", "west", 13 * 60)], "2", []),
    ],
)
def test_ok__one_badge_on_duty_at_two_gates(turns: list[facts.Turn], news: str, found: list[tuple[str, str]]) -> None:
    assert [(a.gate, b.gate) for a, b in facts.overlaps(facts.stays(turns), {news})] == found


# ---- the store ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two areas: 锦绣苑 with an east and a west gate, 红梅园 with a south one; an account of each role."""
    path = tmp_path_factory.mktemp("seeded") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        for area, compound, name in (("a1", "c1", "锦绣苑"), ("a2", "c2", "红梅园")):
            places.add_area(conn, area, f"{area}片区")
            places.add_committee(conn, f"j{area}", f"{name}居委", area)
            places.add_compound(conn, compound, name, f"j{area}", "李敏")
        for id, name, compound in (("east", "东门", "c1"), ("west", "西门", "c1"), ("south", "南门", "c2")):
            places.add_gate(conn, id, name, compound)
            conn.execute(sa.insert(tables.stations).values(id=f"{id}-1", gate=id, lane="1", added_at=NOW - 99 * HOUR))
            conn.execute(sa.insert(tables.pulses).values(station=f"{id}-1", online=True, heard_at=NOW))
        hashed = {"password": "unused", "created_at": NOW}
        for role in Role:
            over = NOW + 99 * HOUR if role is Role.GUEST else None
            conn.execute(
                sa.insert(tables.accounts).values(id=role.value, name=f"{role}名", role=role.value, expires_at=over, **hashed)
            )
            conn.execute(sa.insert(accounts.scopes_table).values(account=role.value, kind="area", place="a1"))
        conn.execute(sa.insert(tables.accounts).values(id="chief", name="周督查", role="supervisor", **hashed))
        conn.execute(sa.insert(accounts.scopes_table).values(account="chief", kind="all", place=""))
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


@pytest.fixture
def located(tmp_path: Path) -> Located:
    inside = Alerts(local_hosts=("127.0.0.1",))
    return Located(HubSettings(name="某街道", web=Web(secure_cookies=False), alerts=inside), tmp_path)


def happens(
    engine: sa.Engine, *bodies: Body, gate: str = "east", at: datetime = NOW, received: datetime | None = None, journal: str = ""
) -> list[str]:
    """Put events into the store as the ingest does; returns their ids."""
    journal, ids = journal or f"j-{gate}", []
    with engine.begin() as conn:
        last = conn.scalar(sa.select(sa.func.max(tables.events.c.seq)).where(tables.events.c.journal == journal)) or 0
        for seq, body in enumerate(bodies, last + 1):
            event = Event(seq=seq, id=f"{journal}-{seq}", at=at, boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
            row = {"journal": journal, "seq": seq, "id": event.id, "station": f"{gate}-1", "gate": gate, "at": at, "boot": "b"}
            more = {"received_at": received or at, "mono_ns": seq, "clock": "synced", "kind": kind_of(body)}
            conn.execute(sa.insert(tables.events).values(**row, **more, body=encode(event).decode()))
            ids.append(event.id)
    return ids


def heard(engine: sa.Engine, at: datetime, **vitals: Any) -> None:
    """All stations are heard at a time; the east one says what is given."""
    usual = {"boot": "b", "mono_ns": 1, "at": at, "clock": "synced", "last_seq": 1, "backlog": 0, "directory_version": 1}
    said = encode(msgspec.convert(usual | vitals, Vitals)).decode()
    with engine.begin() as conn:
        conn.execute(sa.update(tables.pulses).values(heard_at=at))
        conn.execute(sa.update(tables.pulses).where(tables.pulses.c.station == "east-1").values(vitals=said))


def look(engine: sa.Engine, located: Located, now: datetime = NOW) -> raising.Scanned:
    return raising.look(engine, located, now)


def kinds(engine: sa.Engine, now: datetime = NOW, known: frozenset[str] | None = None) -> list[Kind]:
    with engine.connect() as conn:
        return [one.kind for one in alerts.open_alerts(conn, known, now, 1000)]


EVERYWHERE = Scope(ScopeKind.ALL)


def add_channel(engine: sa.Engine, role: Role, scope: Scope = EVERYWHERE, of: tuple[str, ...] = ()) -> str:
    with engine.begin() as conn:
        return channels.add(conn, f"{role}群", "json://127.0.0.1:1/hook-token", role, scope, of, NOW)


def sent(engine: sa.Engine) -> list[tuple[str, str]]:
    with engine.connect() as conn:
        return [(row.channel, row.reason) for row in conn.execute(sa.select(sendings).order_by(sendings.c.id))]


def test_ok__a_fever_is_one_alert_and_a_second_look_adds_nothing(engine: sa.Engine, located: Located) -> None:
    (first, _, _) = happens(engine, entry(reading=FEVER, pass_id="p1"), entry(reading=FEVER, pass_id="p1"), entry(reading=FEVER))
    assert (done := look(engine, located)).raised == 2
    assert (done.events, done.repeated) == (3, 0)
    assert look(engine, located) == raising.Scanned()
    with engine.connect() as conn:
        found = {one.count: one for one in alerts.open_alerts(conn, None, NOW, 10)}
    assert set(found) == {1, 2}
    assert (found[2].subject, found[2].event, found[2].event_kind, found[2].gate) == ("锦绣苑 东门", first, "entry", "east")


def test_ok__no_alert_holds_a_name_a_temperature_or_a_pass(engine: sa.Engine, located: Located) -> None:
    happens(engine, entry(reading=FEVER, pass_id="p1"), HelpCalled(), entry(reasons=("isolating",), pass_id="p1"))
    look(engine, located)
    with engine.connect() as conn:
        assert set(conn.scalars(sa.select(alerts_table.c.subject))) == {"锦绣苑 东门"}


def test_ok__it_goes_on_where_it_stopped__by_receipt_journal_and_number(engine: sa.Engine, located: Located) -> None:
    happens(engine, HelpCalled(), journal="m")
    assert look(engine, located).events == 1
    happens(engine, HelpCalled(), journal="z")  # received in the same moment
    assert look(engine, located).events == 1
    happens(engine, HelpCalled(), at=NOW - HOUR, received=NOW + MINUTE, journal="a")
    assert look(engine, located, NOW + MINUTE).events == 1
    assert look(engine, located, NOW + MINUTE).events == 0


def test_ok__a_hub_that_was_down_catches_up(engine: sa.Engine, located: Located) -> None:
    look(engine, located)
    for n in range(3):
        happens(engine, *[entry(reading=FEVER, pass_id=f"p{n}-{i}") for i in range(450)], at=NOW + n * MINUTE)
    heard(engine, NOW + 4 * HOUR)
    done = look(engine, located, NOW + 4 * HOUR)
    assert (done.events, done.raised, done.more) == (1350, 1350, False)


def test_ok__a_clock_that_is_set_back_hides_nothing(engine: sa.Engine, located: Located) -> None:
    happens(engine, HelpCalled(), at=NOW + HOUR, received=NOW + HOUR)
    look(engine, located, NOW + HOUR)
    happens(engine, HelpCalled(), gate="west")
    assert look(engine, located, NOW + MINUTE / 2).events == 1
    assert look(engine, located, NOW + MINUTE).events == 0
    assert kinds(engine) == [Kind.HELP, Kind.HELP]


def test_ok__a_first_look_begins_a_day_ago(engine: sa.Engine, located: Located) -> None:
    happens(engine, HelpCalled(), at=NOW - 25 * HOUR)
    happens(engine, HelpCalled(), at=NOW - 23 * HOUR)
    assert look(engine, located).events == 1


def test_ok__a_late_event_alerts_and_an_old_one_is_written_down(engine: sa.Engine, located: Located) -> None:
    liaison = add_channel(engine, Role.LIAISON)
    happens(engine, HelpCalled(), at=NOW - HOUR, received=NOW)
    happens(engine, entry(reading=FEVER), at=NOW - 30 * HOUR, received=NOW, gate="west")
    look(engine, located)
    assert (kinds(engine), sent(engine)) == ([Kind.HELP], [(liaison, "late")])
    with engine.connect() as conn:
        shown = {one.kind: one for one in alerts.history(conn, None, NOW - HOUR, NOW + HOUR, 10)}
    assert (shown[Kind.HELP].late, shown[Kind.FEVER].ended_at) == (True, NOW)


def test_ok__events_that_cannot_be_read_spoil_nothing(engine: sa.Engine, located: Located) -> None:
    happens(engine, HelpCalled(), HelpCalled())
    with engine.begin() as conn:
        conn.execute(sa.update(tables.events).where(tables.events.c.seq == 1).values(body="{"))
    assert look(engine, located).raised == 1


def test_ok__unreachable_after_ten_minutes_and_over_when_heard_again(engine: sa.Engine, located: Located) -> None:
    for minutes, found in ((11, []), (12, [Kind.UNREACHABLE] * 3)):
        look(engine, located, NOW + minutes * MINUTE - 30 * timedelta(seconds=1))
        assert kinds(engine) == found
    heard(engine, NOW + 20 * MINUTE)
    look(engine, located, NOW + 20 * MINUTE)
    assert kinds(engine) == []


def test_ok__vitals__disk_clock_and_backlog(engine: sa.Engine, located: Located) -> None:
    for minutes in (0, 5, 10):
        heard(engine, NOW + minutes * MINUTE, disk_free_bytes=500_000_000, clock="unsynced", backlog=900)
        look(engine, located, NOW + minutes * MINUTE)
        assert (Kind.CLOCK in kinds(engine)) is (minutes == 10)
    assert set(kinds(engine)) == {Kind.DISK, Kind.CLOCK, Kind.BACKLOG}
    look(engine, located, NOW + 15 * MINUTE)
    assert kinds(engine) == []  # a station that fell silent says nothing of now


def test_ok__a_blind_hub_says_so_itself_and_blames_no_gate(engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        meta.went_blind(conn, NOW)
    look(engine, located, NOW + 30 * MINUTE)
    assert kinds(engine) == [Kind.BLIND]
    assert kinds(engine, known=frozenset({"c1", "c2"})) == []


def test_ok__a_certificate_that_ends_soon_is_told_until_it_is_renewed(engine: sa.Engine, located: Located) -> None:
    def ends(days: int) -> list[Kind]:
        with engine.begin() as conn:
            conn.execute(sa.update(tables.keys).values(certificate="x", not_after=NOW + timedelta(days=days)))
            meta.went_blind(conn, NOW)  # what the store knows by itself is told all the same
        look(engine, located)
        return [kind for kind in kinds(engine) if kind is not Kind.BLIND]

    assert ends(61) == []
    assert ends(60) == [Kind.KEYS]
    assert ends(-1) == [Kind.KEYS]
    assert ends(400) == []


def test_ok__the_pass_of_an_actor_alarms_nobody(engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        theirs, residents = (
            passes.issue(conn, located, kind=PassKind.RESIDENT, compound="c1", name="督查测试", dwelling="1号101", by=by).id
            for by in (f"{passes.ACTOR}inspector", "registrar")
        )
    happens(engine, entry(pass_id=theirs, reasons=("revoked",)), entry(pass_id=theirs, outcome=Outcome.EMERGENCY))
    look(engine, located)
    assert kinds(engine) == [Kind.EMERGENCY]
    happens(engine, entry(pass_id=residents, reasons=("revoked",)))
    look(engine, located)
    assert set(kinds(engine)) == {Kind.EMERGENCY, Kind.REVOKED}


def test_ok__what_is_to_be_put_right_tells_its_owner_and_who_watches_over_it(engine: sa.Engine, located: Located) -> None:
    liaison, supervisor = add_channel(engine, Role.LIAISON), add_channel(engine, Role.SUPERVISOR)
    with engine.begin() as conn:
        meta.went_blind(conn, NOW)  # no reason to wait with what is known already
        id = rectifications.open_by_finding(conn, "east", "desk", None, "cha", NOW)

    def after(hours: float) -> list[Kind]:
        with engine.begin() as conn:
            rectifications.step(conn, NOW + hours * HOUR)
        look(engine, located, NOW + hours * HOUR)
        return [kind for kind in kinds(engine) if kind is not Kind.BLIND]

    assert after(0) == [Kind.LACKING]
    assert sent(engine) == [(liaison, "raised")]
    assert set(after(3)) == {Kind.LACKING, Kind.DUE}
    assert sent(engine) == [(liaison, "raised")] * 2
    with engine.begin() as conn:
        rectifications.answer(conn, id, "放好了", "li", NOW + 4 * HOUR)
    assert after(4) == []
    assert after(5) == [Kind.OVERDUE]
    assert sent(engine)[-1] == (supervisor, "raised")
    with engine.begin() as conn:
        rectifications.rechecked(conn, id, False, "cha", NOW + 6 * HOUR)
    assert after(6) == [Kind.LACKING]
    with engine.begin() as conn:
        rectifications.rechecked(conn, id, True, "cha", NOW + 7 * HOUR)
    assert after(7) == []


def test_ok__a_closed_gate_that_somebody_went_through(engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        conn.execute(sa.update(tables.gates).where(tables.gates.c.id == "east").values(shut_at=NOW - HOUR))
    happens(engine, entry(outcome=Outcome.ADMIT))
    look(engine, located)
    assert kinds(engine) == [Kind.CLOSED]


def test_ok__a_taxi_stays_too_long_by_its_compounds_own_policy(engine: sa.Engine, located: Located) -> None:
    happens(engine, TAXI)
    heard(engine, NOW + 29 * MINUTE)
    look(engine, located, NOW + 29 * MINUTE)
    assert kinds(engine) == []
    heard(engine, NOW + 31 * MINUTE)
    look(engine, located, NOW + 31 * MINUTE)
    assert kinds(engine) == [Kind.TAXI]
    happens(engine, entry(direction=Direction.OUT, outcome=Outcome.ADMIT, visit="j-east-1"), at=NOW + 32 * MINUTE)
    look(engine, located, NOW + 32 * MINUTE)
    assert kinds(engine) == []


def test_ok__one_badge_at_two_gates(engine: sa.Engine, located: Located) -> None:
    happens(engine, ShiftChange(on=True, badge="b1"), at=NOW - HOUR, received=NOW - HOUR)
    look(engine, located, NOW - HOUR)
    happens(engine, ShiftChange(on=True, badge="b1"), gate="west")
    look(engine, located)
    assert kinds(engine) == [Kind.BADGE]
    with engine.connect() as conn:
        assert alerts.open_alerts(conn, None, NOW, 9)[0].subject == "锦绣苑 西门 / 锦绣苑 东门"


# ---- what is owed ----


def test_ok__owed_by_role_place_and_kind(engine: sa.Engine, located: Located) -> None:
    here = add_channel(engine, Role.LIAISON, Scope(ScopeKind.COMPOUND, "c1"))
    add_channel(engine, Role.LIAISON, Scope(ScopeKind.AREA, "a2"))
    add_channel(engine, Role.LIAISON, Scope(ScopeKind.AREA, "a1"), ("fever",))
    add_channel(engine, Role.ADMIN)
    happens(engine, HelpCalled())
    look(engine, located)
    assert sent(engine) == [(here, "raised")]


def test_ok__where_a_role_has_no_channel_the_next_one_up_is_told(engine: sa.Engine, located: Located) -> None:
    add_channel(engine, Role.LIAISON, Scope(ScopeKind.AREA, "a2"))
    above = add_channel(engine, Role.SUPERVISOR)
    happens(engine, HelpCalled())
    look(engine, located)
    assert sent(engine) == [(above, "raised")]


def test_ok__goes_up_in_the_store_too_and_not_once_acknowledged(engine: sa.Engine, located: Located) -> None:
    by_role = [add_channel(engine, role) for role in channels.ROLES]
    happens(engine, HelpCalled(), entry(reading=FEVER))
    look(engine, located)
    with writing(engine) as conn:
        (fever,) = (one.id for one in alerts.open_alerts(conn, None, NOW, 9) if one.kind is Kind.FEVER)
        assert alerts.acknowledge(conn, fever, "chief", NOW)
        assert not alerts.acknowledge(conn, fever, "guest", NOW)
    for minutes in (15, 16, 30, 31, 90):
        heard(engine, NOW + minutes * MINUTE)
        look(engine, located, NOW + minutes * MINUTE)
    assert sent(engine) == [
        (by_role[0], "raised"), (by_role[0], "raised"), (by_role[1], "escalated"), (by_role[2], "escalated")
    ]  # fmt: skip


def test_ok__a_silence_holds_back_what_is_sent_not_what_is_recorded(engine: sa.Engine, located: Located) -> None:
    add_channel(engine, Role.LIAISON)
    with writing(engine) as conn:
        alerts.silence(conn, Kind.FEVER, "east", NOW + HOUR, "chief", "演练", NOW)
    happens(engine, entry(reading=FEVER))
    happens(engine, entry(reading=FEVER), gate="west")
    look(engine, located)
    with engine.connect() as conn:
        found = {one.gate: one.silenced for one in alerts.open_alerts(conn, None, NOW, 9)}
        assert (found, alerts.open_count(conn, None, NOW)) == ({"east": True, "west": False}, 1)
    assert len(sent(engine)) == 1


@pytest.mark.parametrize(
    "kind, hours", [(Kind.HELP, 1), (Kind.EMERGENCY, 1), (Kind.FEVER, 24.1), (Kind.FEVER, 0), (Kind.FEVER, -1)]
)
def test_fail__silences(engine: sa.Engine, kind: Kind, hours: float) -> None:
    with writing(engine) as conn, pytest.raises(RegistryError):
        alerts.silence(conn, kind, None, NOW + hours * HOUR, "chief", "", NOW)


def test_ok__an_address_is_sealed_at_rest_and_forgotten_when_removed(engine: sa.Engine) -> None:
    id = add_channel(engine, Role.LIAISON)
    column = sa.select(channels.table.c.address)
    with engine.begin() as conn:
        assert b"hook-token" not in (conn.scalar(column) or b"")
        assert channels.address_of(conn, id) == "json://127.0.0.1:1/hook-token"
        assert channels.shown_address(conn, id) == "json://…en"
        channels.remove(conn, id, NOW)
        assert (conn.scalar(column), channels.list_channels(conn)) == (b"", [])
        with pytest.raises(RegistryError):
            channels.address_of(conn, id)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": " "}, {"address": "nothing"}, {"address": "nosuch://x"}, {"address": "json://x/" + 2000 * "y"},
        {"role": "guest"}, {"kinds": ("thunder",)}, {"scope": Scope(ScopeKind.AREA, "a9")}, {"known": frozenset({"c2"})},
    ],
)  # fmt: skip
def test_fail__channels(engine: sa.Engine, changed: dict[str, Any]) -> None:
    usual: dict[str, Any] = {
        "name": "群",
        "address": "json://127.0.0.1/x",
        "role": "liaison",
        "scope": Scope(ScopeKind.AREA, "a1"),
    }
    wanted: dict[str, Any] = usual | {"kinds": (), "now": NOW} | changed
    with writing(engine) as conn, pytest.raises(RegistryError):
        channels.add(conn, **wanted)


# ---- the pages ----


@pytest.fixture
def pages(engine: sa.Engine, located: Located) -> Any:
    """The pages for an account, after a help call and a fever at 锦绣苑 and a revoked pass at 红梅园."""
    happens(engine, HelpCalled(), entry(reading=FEVER, pass_id="0a" * 16))
    happens(engine, entry(outcome=Outcome.REFUSE, reasons=("revoked",)), gate="south")
    look(engine, located)
    app = create_app(located, engine, now=lambda: NOW)

    def of(account: str) -> FlaskClient:
        client = app.test_client()
        with client.session_transaction() as session:
            session["_user_id"], session["_fresh"] = f"1 {account}", True
        return client

    return of


def post(client: FlaskClient, path: str, **data: Any) -> Any:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/alerts").text)
    assert token
    return client.post(path, data={"csrf_token": token[1], **data})


def alert_of(engine: sa.Engine, kind: Kind) -> str:
    with engine.connect() as conn:
        return str(conn.scalar(sa.select(alerts_table.c.id).where(alerts_table.c.kind == kind.value)))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("path", ["/alerts", "/alerts/history", "/alerts/channels"])
def test_ok__who_may_look(pages: Any, role: Role, path: str) -> None:
    may = path != "/alerts/channels" or role in (Role.ADMIN, Role.SUPERVISOR)
    assert pages(role.value).get(path).status_code == (200 if may else 403)


@pytest.mark.parametrize("role", Role)
def test_ok__who_may_acknowledge_and_silence(pages: Any, engine: sa.Engine, role: Role) -> None:
    client, may = pages(role.value), role in (Role.ADMIN, Role.SUPERVISOR, Role.LIAISON)
    fever = alert_of(engine, Kind.FEVER)
    assert ("确认处理</button>" in client.get("/alerts").text) is may
    assert client.get(f"/alerts/{fever}/silence").status_code == (200 if may else 403)
    assert post(client, f"/alerts/{fever}/acknowledge").status_code == (303 if may else 403)


@pytest.mark.parametrize("path", ["acknowledge", "silence"])
def test_fail__what_is_out_of_reach_is_not_there(pages: Any, engine: sa.Engine, path: str) -> None:
    revoked = alert_of(engine, Kind.REVOKED)
    assert post(pages("liaison"), f"/alerts/{revoked}/{path}").status_code == 404
    assert "红梅园" not in pages("liaison").get("/alerts").text + pages("liaison").get("/alerts/history").text


def test_ok__open_alerts_the_loudest_first(pages: Any) -> None:
    page = pages("chief").get("/alerts").text
    assert page.index("求助") < page.index("已吊销的出入证被使用")
    assert "警报 2、警告 1、提示 0;其中 3 条无人处理" in page
    assert "0a0a" not in page
    assert "37.9" not in page
    assert "/gate/east/entry/j-east-2" in page
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", page)


def test_ok__acknowledging_is_noted_and_says_who(pages: Any, engine: sa.Engine) -> None:
    client, help = pages("liaison"), alert_of(engine, Kind.HELP)
    assert post(client, f"/alerts/{help}/acknowledge").headers["Location"] == "/alerts"
    page = client.get("/alerts").text
    assert ("已确认处理。" in page, "求助" in page) == (True, False)
    assert "liaison名 于 07:41 确认处理" in client.get("/alerts/history").text
    with engine.connect() as conn:
        line = audit.lines(conn, 1)[0]
    assert (line.account, line.action, line.object) == ("liaison", "acknowledge", help)


def test_ok__silencing_and_sending_again(pages: Any, engine: sa.Engine) -> None:
    client, fever = pages("liaison"), alert_of(engine, Kind.FEVER)
    assert "所有门岗" not in client.get(f"/alerts/{fever}/silence").text
    bad = post(client, f"/alerts/{fever}/silence", where="everywhere", hours="99", note=" ")
    assert (bad.status_code, "请写明原因" in bad.text, "请选择时长" in bad.text, "请选择范围" in bad.text) == (
        400,
        True,
        True,
        True,
    )
    assert post(client, f"/alerts/{fever}/silence", where="gate", hours="4", note="演练").status_code == 303
    page = client.get("/alerts").text
    assert "到 11:41,liaison名" in page
    (end,) = re.findall(r"/alerts/silences/\w+/end", page)
    assert post(client, end).status_code == 303
    assert "正在静音" not in client.get("/alerts").text
    assert post(client, end).status_code == 404


def test_fail__a_help_call_cannot_be_silenced(pages: Any, engine: sa.Engine) -> None:
    answer = post(pages("chief"), f"/alerts/{alert_of(engine, Kind.HELP)}/silence", where="gate", hours="1", note="x")
    assert (answer.status_code, "不能静音" in answer.text) == (409, True)


def test_fail__a_silence_of_all_gates_is_ended_by_those_who_answer_for_all(pages: Any, engine: sa.Engine) -> None:
    assert (
        post(
            pages("chief"), f"/alerts/{alert_of(engine, Kind.FEVER)}/silence", where="everywhere", hours="1", note="演练"
        ).status_code
        == 303
    )
    (end,) = re.findall(r"/alerts/silences/\w+/end", pages("chief").get("/alerts").text)
    assert "演练" in pages("liaison").get("/alerts").text
    assert (post(pages("liaison"), end).status_code, post(pages("chief"), end).status_code) == (404, 303)


@pytest.mark.parametrize(
    "query, found",
    [("", 3), ("?kind=fever", 1), ("?level=warning", 1), ("?kind=no", 3), ("?day=2026-02-15", 0), ("?day=x&page=-3", 3)],
)
def test_ok__history_by_day_and_filters(pages: Any, query: str, found: int) -> None:
    assert pages("chief").get(f"/alerts/history{query}").text.count('<li class="alert-line') == found


def test_ok__channels_are_added_tested_and_removed(pages: Any, engine: sa.Engine) -> None:
    client = pages("chief")
    bad = post(client, "/alerts/channels", name="", address="", role="liaison", scope="area:a9")
    assert bad.status_code == 400
    assert all(said in bad.text for said in ("请填名称", "请填地址", "请从列表中选择范围"))
    wrong = post(client, "/alerts/channels", name="群", address="nothing", role="liaison", scope="all:")
    assert (wrong.status_code, "这个地址无法识别" in wrong.text) == (400, True)
    good = {
        "name": "东片区群",
        "address": "json://127.0.0.1:1/hook-token",
        "role": "liaison",
        "scope": "area:a1",
        "kinds": ["fever"],
    }
    assert post(client, "/alerts/channels", **good).status_code == 303
    page = client.get("/alerts/channels").text
    assert ("hook-token" in page, "json://…en" in page, "a1片区" in page) == (False, True, True)
    (id,) = re.findall(r"/alerts/channels/(\w+)/test", page)
    assert post(client, f"/alerts/channels/{id}/test").status_code == 303
    page = client.get("/alerts/channels").text
    assert ("试发失败:东片区群" in page, "发送失败(07:41)" in page, "hook-token" in page) == (True, True, False)
    assert "不再保存" in client.get(f"/alerts/channels/{id}/remove").text
    assert post(client, f"/alerts/channels/{id}/remove").status_code == 303
    assert post(client, f"/alerts/channels/{id}/test").status_code == 404
    with engine.connect() as conn:
        assert [line.action for line in audit.lines(conn, 3)] == ["remove", "test", "add"]


def test_ok__a_supervisor_of_one_area_sets_channels_of_that_area_alone(pages: Any, engine: sa.Engine) -> None:
    client = pages("supervisor")
    elsewhere = add_channel(engine, Role.LIAISON)
    page = client.get("/alerts/channels").text
    assert ("全街道" in page, "a1片区" in page, "a2片区" in page, "liaison群" in page) == (False, True, False, False)
    good = {"name": "群", "address": "json://127.0.0.1:1/x", "role": "liaison"}
    assert post(client, "/alerts/channels", scope="all:", **good).status_code == 400
    assert post(client, "/alerts/channels", scope="compound:c1", **good).status_code == 303
    assert post(client, f"/alerts/channels/{elsewhere}/remove").status_code == 404


def test_fail__a_channel_into_the_hubs_own_network(pages: Any) -> None:
    client = pages("supervisor")
    wanted = {"name": "群", "address": "json://10.0.0.5/metadata", "role": "liaison", "scope": "area:a1"}
    answer = post(client, "/alerts/channels", **wanted)
    assert (answer.status_code, "中枢自己的网络" in answer.text) == (400, True)


@pytest.mark.parametrize("path", ["/alerts", "/alerts/history", "/alerts/channels"])
def test_ok__english(pages: Any, path: str) -> None:
    client = pages("chief")
    client.set_cookie("language", "en")
    shown = client.get(path).text.partition("<main")[2]
    assert not re.search(r"[一-鿿]", re.sub(r"锦绣苑|红梅园| 东门| 南门|a\d片区|居委", "", shown))


# ---- the command ----


def test_ok__command(engine: sa.Engine, tmp_path: Path) -> None:
    config, run = tmp_path / "hub.toml", CliRunner()
    config.write_text(f'[store]\nurl = "{engine.url}"\n[alerts]\nlocal_hosts = ["127.0.0.1"]\n')

    def channel(*words: str, given: str | None = None) -> Any:
        return run.invoke(channel_command, [*words, "--config", str(config)], input=given)

    added = channel("add", "东片区群", "--place", "area:a1", "--kind", "fever", given="json://127.0.0.1:1/hook-token\n")
    assert added.exit_code == 0, added.output
    listed = msgspec.json.decode(channel("list", "--json").output)
    assert (listed["place"], listed["kinds"], listed["address"]) == ("area:a1", "fever", "json://…en")
    assert channel("test", listed["id"]).exit_code == 2
    assert channel("remove", listed["id"]).output == "东片区群\n"
    assert channel("list").output.count("\n") == 1
    assert channel("add", "群", "json://127.0.0.1/x", "--place", "north").exit_code == 1


def test_ok__counts_of_what_is_owed(engine: sa.Engine, located: Located) -> None:
    id = add_channel(engine, Role.LIAISON)
    happens(engine, HelpCalled())
    look(engine, located)
    with engine.begin() as conn:
        assert owed.counts(conn, NOW - HOUR) == {id: (1, 0)}
        conn.execute(sa.update(sendings).values(tries=len(owed.PAUSES) + 1))
        assert owed.counts(conn, NOW - HOUR) == {id: (0, 1)}


def test_ok__the_levels_are_those_of_the_table(engine: sa.Engine, located: Located) -> None:
    happens(engine, HelpCalled())
    seen = status.overview(engine, Lifetimes(), NOW, zone=located.zone)
    with writing(engine) as conn:
        assert raising.scan(conn, seen, NOW).raised == 1
        assert conn.scalar(sa.select(alerts_table.c.level)) == Level.ALARM
