"""Settings of stations: what may be set, what a station makes of the hub's word, and how the hub keeps, sends and shows it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from contract.codec import encode
from contract.events import Clock, Direction, Event, SettingsChanged
from contract.messages import Config, JournalBatch, raw_events
from contract.station_settings import SETTINGS, Kind, Setting, Value, check, sort_out, typed
from hub import audit, station_settings
from hub.cli import main
from hub.config import HubSettings, Located, Web
from hub.configuring import AT_ONCE, LOOK_SECONDS, ConfigSender
from hub.intake import Received, take
from hub.keeping import Keeper
from hub.link import Denied, LinkDown, Outgoing
from hub.registry import accounts, keys, places
from hub.registry.errors import RegistryError
from hub.rights import Role, Scope, ScopeKind
from hub.rules import settings_by_place as rules
from hub.rules.settings_by_place import EVERYWHERE, ConfigState, Decided, Level, Spot, chain, resolve
from hub.signer import Signer
from hub.station_settings import StationConfig
from hub.store import migrate, open_store, tables
from hub.web import create_app
from kiosk import inputs
from kiosk.inputs import ConfigArrived, DirectoryArrived
from kiosk.journal import Journal
from kiosk.steps.settings import RENEWED_AFTER
from kiosk.view import Phase
from tests.unit.gate_driver import DIRECTORY, NORMAL, RESIDENTS, SETUP, Gate

NOW = datetime(2026, 2, 16, 7, 41, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
FULL = replace(SETUP, settings_pin="2468")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


# ---- what may be set ----


def good(one: Setting) -> st.SearchStrategy[Value]:
    if one.kind is Kind.CHOICE:
        return st.sampled_from(one.choices)
    return st.booleans() if one.kind is Kind.SWITCH else st.integers(one.least, one.most)


pairs = st.sampled_from(sorted(SETTINGS)).flatmap(lambda name: st.tuples(st.just(name), good(SETTINGS[name])))
anything = st.text(max_size=12) | st.integers() | st.floats() | st.booleans() | st.sampled_from(["zh", "en"])


@given(pairs)
def test_ok__what_may_be_set_is_read_as_it_is_written(pair: tuple[str, Value]) -> None:
    name, value = pair
    assert check(name, value) is None
    read = typed(name, f" {value} ")
    assert (read, type(read)) == (value, type(value))


@given(st.dictionaries(st.sampled_from([*SETTINGS, "fever_celsius", "site"]) | st.text(max_size=8), anything, max_size=8))
def test_ok__every_setting_is_either_taken_or_named_with_a_reason(wanted: dict[str, Value]) -> None:
    taken, wrong = sort_out(wanted)
    assert taken.keys() | wrong.keys() == wanted.keys()
    assert not taken.keys() & wrong.keys()
    for name, value in taken.items():
        one = SETTINGS[name]
        assert value in one.choices or type(value) is bool or (type(value) is int and one.least <= value <= one.most)
    for name in wrong:
        problem = check(name, wanted[name])
        assert problem is not None
        assert (name if name in SETTINGS else repr(name)) in problem.said


@pytest.mark.parametrize(
    "name, value, wrong",
    [
        ("fever_celsius", 39.0, "unknown"), ("site", "wrist", "unknown"), ("settings_pin", "", "unknown"), ("", 1, "unknown"),
        ("loudness", 29, "range"), ("loudness", 101, "range"), ("night_loudness", -1, "range"), ("loudness", 80.0, "kind"),
        ("loudness", True, "kind"), ("loudness", "80", "kind"), ("brightness", 0, "range"), ("language", "fr", "choice"),
        ("language", 1, "kind"), ("measure_on_exit", 1, "kind"), ("measure_on_exit", "yes", "kind"),
        ("shown_seconds", 0, "range"),
    ],
)  # fmt: skip
def test_fail__what_may_not_be_set(name: str, value: Value, wrong: str) -> None:
    problem = check(name, value)
    assert problem is not None
    assert problem.wrong == wrong


# ---- the station ----


@pytest.fixture
def gate() -> Gate:
    return Gate(FULL)


def tell(gate: Gate, id: str, **wanted: Value) -> None:
    gate.give(ConfigArrived(Config(id=id, settings=wanted)))


def set_here(gate: Gate, **chosen: Any) -> None:
    gate.give(inputs.OpenSettings(pin="2468"), inputs.ChangeSettings(**chosen), inputs.CloseSettings())


def answers(gate: Gate) -> list[SettingsChanged]:
    return [one for one in gate.bodies(SettingsChanged) if one.config]


def test_ok__the_hubs_word_takes_effect_at_once_and_outlives_a_restart(gate: Gate) -> None:
    tell(gate, "1", language="en", loudness=60, night_loudness=0, brightness=50)
    for _ in range(2):
        screen = gate.screen
        assert (screen.language, screen.loudness, screen.brightness) == ("en", 60, 50)
        gate.start()
    night = structs.replace(DIRECTORY, policies=structs.replace(DIRECTORY.policies, night=(0, 1439)))
    assert gate.give(DirectoryArrived(night)).loudness == 0
    assert answers(gate) == [
        SettingsChanged(settings={"language": "en", "loudness": 60, "night_loudness": 0, "brightness": 50}, config="1")
    ]


def test_ok__who_goes_out_is_measured_when_the_hub_says_so(gate: Gate) -> None:
    gate.equip()
    gate.sign_in()
    gate.give(inputs.SetDirection(direction=Direction.OUT))
    assert gate.show(RESIDENTS[0]).phase is Phase.OUTCOME
    gate.wait(30)
    gate.equip()
    tell(gate, "1", measure_on_exit=True)
    assert gate.show(RESIDENTS[1]).phase is Phase.MEASURING
    assert gate.feel(NORMAL).outcome == "admit"
    assert gate.bodies(type(gate.state.lasting.entries[-1].entry))[-1].reading is not None


def test_ok__an_admission_is_shown_for_as_long_as_the_hub_says(gate: Gate) -> None:
    gate.equip()
    gate.sign_in()
    tell(gate, "1", admitted_seconds=8)
    gate.show(RESIDENTS[0])
    gate.feel(NORMAL)
    assert gate.screen.outcome == "admit"
    assert gate.wait(7).outcome == "admit"
    assert gate.wait(2).phase is Phase.WAITING


def test_ok__the_same_message_again_changes_nothing__and_undoes_nothing(gate: Gate) -> None:
    tell(gate, "1", loudness=60, brightness=50)
    set_here(gate, loudness=90)
    before = list(gate.events)
    for _ in range(2):
        tell(gate, "1", loudness=60, brightness=50)
        assert (gate.screen.loudness, gate.screen.brightness) == (90, 50)
        assert gate.events[: len(before)] == before
        assert [e for e in gate.events[len(before) :] if isinstance(e.body, SettingsChanged)] == []
        gate.start()


def test_ok__of_each_setting_the_newer_word_counts(gate: Gate) -> None:
    set_here(gate, loudness=90)
    tell(gate, "1", loudness=60, brightness=50)
    assert gate.screen.loudness == 60
    set_here(gate, loudness=70)
    tell(gate, "2", loudness=60, brightness=40)
    assert (gate.screen.loudness, gate.screen.brightness) == (70, 40)
    tell(gate, "3", loudness=80, brightness=40)
    assert gate.screen.loudness == 80


def test_ok__what_the_hub_no_longer_decides_is_as_it_was_set_here_or_configured(gate: Gate) -> None:
    set_here(gate, loudness=90)
    tell(gate, "1", loudness=60, brightness=50, language="en")
    tell(gate, "2")
    assert (gate.screen.loudness, gate.screen.brightness, gate.screen.language) == (90, 100, "zh")
    gate.start()
    assert (gate.screen.loudness, gate.screen.brightness, gate.screen.language) == (90, 100, "zh")


def test_fail__what_cannot_be_set_is_left_out_and_named(gate: Gate) -> None:
    tell(gate, "1", loudness=0, fever_celsius=39.5, brightness=50)
    assert answers(gate) == [
        SettingsChanged(settings={"brightness": 50}, config="1", refused={"loudness": "range", "fever_celsius": "unknown"})
    ]
    assert (gate.screen.loudness, gate.screen.brightness) == (85, 50)


def test_ok__while_the_journal_takes_nothing_the_hubs_word_waits__once(gate: Gate) -> None:
    gate.broken = True
    for id in ("1", "1", "2", "2"):
        tell(gate, id, loudness=60 + int(id))
    assert gate.screen.loudness == 85
    gate.broken = False
    gate.wait(1.1)
    assert gate.screen.loudness == 62
    assert [one.config for one in answers(gate)] == ["1", "2"]


def dropped(gate: Gate) -> None:
    """Forget what a station forgets: all that was before the last time that the settings were said again."""
    said = [n for n, event in enumerate(gate.events) if isinstance(event.body, SettingsChanged) and event.body.renewed]
    first = next(n for n in said if gate.events[n].mono_ns == gate.events[said[-1]].mono_ns)
    gate.events = gate.events[first:]


def test_ok__settings_outlive_the_events_that_told_them(gate: Gate) -> None:
    set_here(gate, loudness=90, brightness=70)
    tell(gate, "1", loudness=60, brightness=50, site="wrist")
    set_here(gate, brightness=80)
    chosen = gate.state.lasting.chosen
    gate.wait(RENEWED_AFTER.total_seconds() - 60)
    assert not [one for one in gate.bodies(SettingsChanged) if one.renewed]
    gate.wait(120)
    assert [one.config for one in gate.bodies(SettingsChanged) if one.renewed] == [None, "1", None]
    assert replace(gate.state.lasting.chosen, since=chosen.since) == chosen
    dropped(gate)
    gate.start()
    assert replace(gate.state.lasting.chosen, since=chosen.since) == chosen
    tell(gate, "1", loudness=60, brightness=50, site="wrist")
    assert (gate.screen.loudness, gate.screen.brightness) == (60, 80)


NAMES = ("loudness", "night_loudness", "brightness")
values = st.dictionaries(st.sampled_from(NAMES), st.integers(30, 33), max_size=3)
steps = st.lists(
    st.tuples(st.just("hub"), values) | st.tuples(st.just("here"), values)
    | st.tuples(st.sampled_from(["again", "restart", "renew"]), st.just({})), max_size=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(steps)
def test_ok__whatever_comes_in_whatever_order_each_setting_is_the_newest_word(taken: list[tuple[str, dict[str, int]]]) -> None:
    gate, hub, here, newest = Gate(FULL), dict[str, int](), dict[str, int](), dict[str, str]()
    sent = Config(id="0")
    for n, (what, chosen) in enumerate(taken, 1):
        if what == "hub":
            newest.update({name: "hub" for name, value in chosen.items() if hub.get(name) != value})
            newest.update(dict.fromkeys(hub.keys() - chosen.keys(), "here"))
            hub, sent = chosen, Config(id=str(n), settings=dict(chosen))
            gate.give(ConfigArrived(sent))
        elif what == "here":
            set_here(gate, **chosen)
            here.update(chosen)
            newest.update(dict.fromkeys(chosen, "here"))
        elif what == "again":
            gate.give(ConfigArrived(sent))
        elif what == "restart":
            gate.start()
        elif gate.state.lasting.chosen.since is not None:
            gate.wait(RENEWED_AFTER.total_seconds() + 1)
            dropped(gate)
            gate.start()
        wanted = {name: hub[name] if newest.get(name) == "hub" else here[name] for name in NAMES if name in hub or name in here}
        assert gate.state.lasting.chosen.in_force == wanted


# ---- the rules of the hub ----

SPOTS = (Spot(Level.GATE, "g"), Spot(Level.COMPOUND, "c"), Spot(Level.COMMITTEE, "k"), Spot(Level.AREA, "a"), EVERYWHERE)


def decided(spot: Spot, name: str, value: Value) -> Decided:
    return Decided(name=name, value=value, spot=spot, at=NOW, by="zhou")


@given(st.dictionaries(st.sampled_from(SPOTS), st.dictionaries(st.sampled_from(NAMES), st.integers(30, 100)), max_size=5))
def test_ok__the_nearest_place_that_says_something_decides(said: dict[Spot, dict[str, int]]) -> None:
    made = {spot: {name: decided(spot, name, value) for name, value in some.items()} for spot, some in said.items()}
    found = resolve(SPOTS, made)
    for name in NAMES:
        nearest = next((spot for spot in SPOTS if name in said.get(spot, {})), None)
        assert (found[name].spot if name in found else None) == nearest
        assert nearest is None or found[name].value == said[nearest][name]


def test_ok__a_place_lies_in_those_above_it() -> None:
    assert chain(SPOTS[0], dict(pairwise(SPOTS))) == SPOTS


@pytest.mark.parametrize(
    "wanted, sent, found",
    [
        ({}, None, ConfigState.NONE), ({"loudness": 60}, None, ConfigState.WAITING),
        ({"loudness": 60}, {"settings": {"loudness": 60}}, ConfigState.SENT),
        ({"loudness": 70}, {"settings": {"loudness": 60}, "answered_at": NOW}, ConfigState.WAITING),
        ({"loudness": 60}, {"settings": {"loudness": 60}, "answered_at": NOW}, ConfigState.CONFIRMED),
        ({}, {"settings": {}, "answered_at": NOW}, ConfigState.CONFIRMED),
        ({"loudness": 60}, {"settings": {"loudness": 60}, "answered_at": NOW, "refused": {"x": "unknown"}}, ConfigState.REFUSED),
    ],
)  # fmt: skip
def test_ok__what_becomes_of_a_stations_settings(
    wanted: dict[str, Value], sent: dict[str, Any] | None, found: ConfigState
) -> None:
    assert rules.state(wanted, rules.Config(sent_at=NOW, **sent) if sent else None) is found


# ---- the store: two areas; east has two gates of one compound, west one ----

AREA, EAST, WEST, NORTH = Spot(Level.AREA, "a1"), Spot(Level.GATE, "east"), Spot(Level.GATE, "west"), Spot(Level.GATE, "north")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        for area, committee, compound, gates in (("a1", "j1", "c1", ("east", "west")), ("a2", "j2", "c2", ("north",))):
            places.add_area(conn, area, f"片区{area}")
            places.add_committee(conn, committee, f"居委{committee}", area)
            places.add_compound(conn, compound, f"小区{compound}", committee)
            for gate in gates:
                places.add_gate(conn, gate, f"门{gate}", compound)
                conn.execute(sa.insert(tables.stations).values(id=f"{gate}-1", gate=gate, lane="1", added_at=NOW))
        accounts.add_account(conn, "zhou", "周督查", Role.SUPERVISOR, "a long password", scopes=[Scope(ScopeKind.AREA, "a1")])
        accounts.add_account(conn, "chen", "陈督查", Role.SUPERVISOR, "a long password")
        two = [Scope(ScopeKind.COMPOUND, "c1"), Scope(ScopeKind.COMMITTEE, "j2")]
        accounts.add_account(conn, "wu", "吴督查", Role.SUPERVISOR, "a long password", scopes=two)
        accounts.add_account(conn, "li", "李联络", Role.LIAISON, "a long password")
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    path = tmp_path / "hub.db"
    path.write_bytes(seeded.read_bytes())
    engine = open_store(f"sqlite:///{path}")
    yield engine
    engine.dispose()


def put(engine: sa.Engine, spot: Spot, **wanted: Value) -> None:
    with engine.begin() as conn:
        for name, value in wanted.items():
            station_settings.put(conn, spot, name, value, "zhou", NOW)


def known(engine: sa.Engine) -> dict[str, StationConfig]:
    with engine.connect() as conn:
        return {one.station: one for one in station_settings.standing(conn)}


def claim(engine: sa.Engine, at: datetime = NOW) -> int:
    with engine.begin() as conn:
        return station_settings.claim(conn, at)


def config_of(engine: sa.Engine, station: str) -> Config:
    sent = known(engine)[station].sent
    assert sent is not None
    return station_settings.message(sent)


def journal(engine: sa.Engine, station: str, *bodies: SettingsChanged, seq: int = 1, at: datetime = NOW) -> None:
    """What a station's journal tells, as the ingest keeps it; a second between the events."""
    events = tuple(
        Event(seq=n, id=f"{station}-{n}", at=at + timedelta(seconds=n - seq), boot="b", mono_ns=n, clock=Clock.SYNCED, body=body)
        for n, body in enumerate(bodies, seq)
    )
    batch = JournalBatch(journal=f"j-{station}", boot="b", mono_ns=10**9, first_seq=seq, events=raw_events(events))
    received = Received(topic=f"gatepost/v1/station/{station}/journal", payload=encode(batch), at=at + timedelta(seconds=60))
    with engine.begin() as conn:
        keeper = Keeper(conn)
        keeper.keep(take(received), received)
        assert keeper.finish().refused == ()


def test_ok__a_station_is_told_what_the_nearest_places_say(engine: sa.Engine) -> None:
    put(engine, EVERYWHERE, loudness=80, language="en")
    put(engine, AREA, loudness=70, measure_on_exit=False)
    put(engine, EAST, loudness=60)
    assert {id: dict(one.wanted) for id, one in known(engine).items()} == {
        "east-1": {"language": "en", "loudness": 60, "measure_on_exit": False},
        "west-1": {"language": "en", "loudness": 70, "measure_on_exit": False}, "north-1": {"language": "en", "loudness": 80},
    }  # fmt: skip
    with engine.connect() as conn:
        found = station_settings.effective(conn, "west-1")
    assert {name: one.spot for name, one in found.items()} == {"language": EVERYWHERE, "loudness": AREA, "measure_on_exit": AREA}


def test_ok__what_is_cleared_is_left_to_the_place_above(engine: sa.Engine) -> None:
    put(engine, AREA, loudness=70)
    put(engine, EAST, loudness=60)
    with engine.begin() as conn:
        assert station_settings.clear(conn, EAST, "loudness")
        assert not station_settings.clear(conn, EAST, "loudness")
    assert known(engine)["east-1"].wanted == {"loudness": 70}


@pytest.mark.parametrize(
    "spot, name, value, said",
    [
        (AREA, "loudness", 12, "from 30 to 100"), (AREA, "fever_celsius", 39.5, "no setting"),
        (Spot(Level.GATE, "nowhere"), "loudness", 60, "no gate"), (Spot(Level.ALL, "x"), "loudness", 60, "no all"),
    ],
)  # fmt: skip
def test_fail__a_bad_setting_or_place(engine: sa.Engine, spot: Spot, name: str, value: Value, said: str) -> None:
    with pytest.raises(RegistryError, match=said), engine.begin() as conn:
        station_settings.put(conn, spot, name, value, "zhou", NOW)
    assert all(one.wanted == {} for one in known(engine).values())


def test_ok__from_set_to_confirmed(engine: sa.Engine) -> None:
    assert known(engine)["east-1"].state is ConfigState.NONE
    put(engine, EAST, loudness=60)
    assert known(engine)["east-1"].state is ConfigState.WAITING
    assert (claim(engine), claim(engine)) == (1, 0)
    assert known(engine)["east-1"].state is ConfigState.SENT
    config = config_of(engine, "east-1")
    assert config.settings == {"loudness": 60}
    journal(engine, "east-1", SettingsChanged(settings={"loudness": 60}, config=config.id))
    found = known(engine)["east-1"]
    assert (found.state, found.sent and found.sent.answered_at) == (ConfigState.CONFIRMED, NOW)
    assert {known(engine)[other].state for other in ("west-1", "north-1")} == {ConfigState.NONE}


def test_ok__an_answer_that_comes_again_or_to_what_is_over_is_of_no_account(engine: sa.Engine) -> None:
    put(engine, EAST, loudness=60)
    claim(engine)
    first = config_of(engine, "east-1")
    put(engine, EAST, loudness=70)
    claim(engine)  # at the very same time
    second = config_of(engine, "east-1")
    assert second.id != first.id
    journal(engine, "east-1", SettingsChanged(settings={"loudness": 60}, config=first.id))
    assert known(engine)["east-1"].state is ConfigState.SENT
    journal(engine, "west-1", SettingsChanged(settings={"loudness": 70}, config=second.id))
    assert known(engine)["east-1"].state is ConfigState.SENT
    journal(engine, "east-1", SettingsChanged(settings={}, config=second.id, refused={"loudness": "range"}), seq=2)
    journal(engine, "east-1", SettingsChanged(settings={"loudness": 70}, config=second.id, renewed=True), seq=3)
    found = known(engine)["east-1"]
    assert (found.state, found.sent and found.sent.refused) == (ConfigState.REFUSED, {"loudness": "range"})


def test_ok__nothing_decided_any_more_is_sent_as_well(engine: sa.Engine) -> None:
    put(engine, EAST, loudness=60)
    claim(engine)
    with engine.begin() as conn:
        station_settings.clear(conn, EAST, "loudness")
    assert known(engine)["east-1"].state is ConfigState.WAITING
    claim(engine, later(1))
    assert config_of(engine, "east-1").settings == {}


def test_ok__what_was_changed_at_the_station_since_is_known(engine: sa.Engine) -> None:
    put(engine, EAST, loudness=60, brightness=50)
    claim(engine)
    id = config_of(engine, "east-1").id
    journal(
        engine, "east-1", SettingsChanged(settings={"loudness": 99}),
        SettingsChanged(settings={"loudness": 60, "brightness": 50}, config=id),
        SettingsChanged(settings={"loudness": 90, "language": "en"}), SettingsChanged(settings={"loudness": 80}),
        SettingsChanged(settings={"brightness": 44}, renewed=True),
    )  # fmt: skip
    with engine.connect() as conn:
        assert station_settings.changed_here(conn, list(known(engine).values())) == {"east-1": {"loudness": 80}}


# ---- sending ----


class Wire:
    """A broker that takes what it is given, or does not."""

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []
        self.fault: Exception | None = None
        self.denied = ""
        """The station whose messages it refuses."""

    def publish(self, messages: list[Outgoing]) -> None:
        if self.fault is not None:
            raise self.fault
        if any(one.topic.split("/")[3] == self.denied for one in messages):
            raise Denied("not this one")
        self.taken += messages

    @property
    def topics(self) -> list[str]:
        return [one.topic.split("/")[3] for one in self.taken]


@pytest.fixture
def wire() -> Wire:
    return Wire()


class Clockwork:
    """A monotonic clock that is set forward."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Sending:
    """A sender and its clock."""

    def __init__(self, engine: sa.Engine, wire: Wire, again: float = 3600) -> None:
        self.clock = Clockwork()
        publish = wire.publish
        self.sender = ConfigSender(engine, Signer(engine), publish, sign_again_seconds=again, monotonic=self.clock)

    def look(self, connection: int = 1, after: float = LOOK_SECONDS) -> None:
        self.clock.seconds += after
        self.sender.step(NOW, connection)


def test_ok__each_change_is_sent_once_and_again_to_a_broker_met_anew(engine: sa.Engine, wire: Wire) -> None:
    made = Sending(engine, wire)
    made.look()
    assert wire.taken == []
    put(engine, AREA, loudness=60)
    for _ in range(2):
        made.look()
    assert wire.topics == ["east-1", "west-1"]
    assert all(one.retain and one.qos == 1 for one in wire.taken)
    put(engine, EAST, loudness=70)
    made.look()
    assert wire.topics[2:] == ["east-1"]
    made.look(connection=2)
    assert wire.topics[3:] == ["east-1", "west-1"]
    Sending(engine, wire).look()
    assert wire.topics[5:] == ["east-1", "west-1"]


def test_ok__it_looks_once_a_second(engine: sa.Engine, wire: Wire) -> None:
    made = Sending(engine, wire)
    made.look(after=0)
    put(engine, EAST, loudness=60)
    made.look(after=LOOK_SECONDS / 2)
    assert wire.topics == []
    made.look(after=LOOK_SECONDS / 2)
    assert wire.topics == ["east-1"]


def test_ok__signed_again_now_and_then(engine: sa.Engine, wire: Wire) -> None:
    put(engine, EAST, loudness=60)
    made = Sending(engine, wire, again=100)
    for after in (1, 99, 1):
        made.look(after=after)
    first, second = (one.payload for one in wire.taken)
    assert first != second


def test_fail__a_broker_that_is_lost_gets_it_later__with_the_same_id(engine: sa.Engine, wire: Wire) -> None:
    put(engine, EAST, loudness=60)
    made, wire.fault = Sending(engine, wire), LinkDown("gone")
    with pytest.raises(LinkDown):
        made.look()
    id, wire.fault = config_of(engine, "east-1").id, None
    made.look(connection=2)
    assert (wire.topics, config_of(engine, "east-1").id) == (["east-1"], id)


def test_fail__one_that_the_broker_does_not_take_holds_up_no_other(engine: sa.Engine, wire: Wire) -> None:
    wire.denied = "east-1"
    put(engine, AREA, loudness=60)
    Sending(engine, wire).look()
    assert wire.topics == ["west-1"]


def test_ok__many_are_sent_in_several_looks(engine: sa.Engine, wire: Wire) -> None:
    with engine.begin() as conn:
        rows = [{"id": f"more-{n}", "gate": "north", "lane": str(n), "added_at": NOW} for n in range(AT_ONCE)]
        conn.execute(sa.insert(tables.stations), rows)
    put(engine, Spot(Level.AREA, "a2"), loudness=60)
    made = Sending(engine, wire)
    made.look(after=0)
    assert len(wire.taken) == AT_ONCE
    made.look(after=0)
    assert len(set(wire.topics)) == AT_ONCE + 1


# ---- the page ----


@pytest.fixture
def app(engine: sa.Engine, tmp_path: Path) -> Flask:
    return create_app(Located(HubSettings(web=Web(secure_cookies=False)), tmp_path), engine, now=lambda: NOW)


def signed_in(app: Flask, account: str) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"1 {account}", True
    return client


def send(client: FlaskClient, at: str, name: str, value: str, act: str = "set") -> Any:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/me").text)
    assert token
    return client.post(f"/settings/stations/{name}", data={"csrf_token": token[1], "at": at, "value": value, "act": act})


def words(page: str, id: str) -> str:
    """The words of one setting, or of one station's line."""
    found = re.search(rf'<li class="[a-z]+"[^>]*(?:id="setting-{id}"|data-station="{id}")[^>]*>(.*?)\n    </li>', page, re.S)
    assert found, id
    return " ".join(re.sub(r"<form.*</form>|<[^>]*>", " ", found[1], flags=re.S).split())


def test_ok__set_at_the_area_and_seen_at_the_gate(app: Flask, engine: sa.Engine) -> None:
    client = signed_in(app, "zhou")
    answer = send(client, "area:a1", "loudness", " 60 ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/stations?at=area:a1#setting-loudness")
    assert words(client.get("/settings/stations").text, "loudness") == "音量 语音和提示音，白天 60% 在这里设置 · 周督查 07:41"
    page = client.get("/settings/stations?at=gate:east").text
    assert words(page, "loudness") == "音量 语音和提示音，白天 60% 来自片区a1"
    assert words(page, "brightness").endswith("各终端用自己的")
    assert words(page, "east-1") == "小区c1 门east east-1 待发出 终端离线，联上后自动收到"
    with engine.connect() as conn:
        (line,) = audit.lines(conn, 9, object="a1")
    assert (line.account, line.action, line.kind) == ("zhou", "set_setting", "area")
    assert line.detail == {"setting": "loudness", "value": 60}


def test_ok__cleared_again_and_noted(app: Flask, engine: sa.Engine) -> None:
    client = signed_in(app, "chen")
    assert send(client, "all", "measure_on_exit", "true").status_code == 303
    page = client.get("/settings/stations?at=gate:north").text
    assert words(page, "measure_on_exit") == "出门测温 出门的人也量体温 测 来自全街道"
    for _ in range(2):
        assert send(client, "all", "measure_on_exit", "", "clear").status_code == 303
    assert all(one.wanted == {} for one in known(engine).values())
    with engine.connect() as conn:
        assert [line.action for line in audit.lines(conn, 9)] == ["clear_setting", "set_setting"]


def test_ok__what_each_station_made_of_it_is_said(app: Flask, engine: sa.Engine) -> None:
    put(engine, EAST, loudness=60)
    put(engine, WEST, loudness=70, brightness=40)
    claim(engine)
    journal(
        engine, "east-1", SettingsChanged(settings={"loudness": 60}, config=config_of(engine, "east-1").id),
        SettingsChanged(settings={"loudness": 90}),
    )  # fmt: skip
    refused = {"loudness": "range", "brightness": "unknown"}
    journal(engine, "west-1", SettingsChanged(settings={}, config=config_of(engine, "west-1").id, refused=refused))
    page = signed_in(app, "chen").get("/settings/stations?at=compound:c1").text
    assert words(page, "east-1") == "小区c1 门east east-1 已确认 07:41 之后现场改为：音量 90%"
    assert words(page, "west-1") == (
        "小区c1 门west west-1 部分未采用 07:41 音量：超出终端允许的范围 屏幕亮度：终端没有这项，可能版本较旧"
    )
    assert page.index('data-station="west-1"') < page.index('data-station="east-1"')
    client = signed_in(app, "chen")
    client.get("/language/en")
    english = client.get("/settings/stations?at=gate:west").text
    assert words(english, "west-1").endswith(
        "Loudness: out of its range Brightness: the station does not know it; its software may be older"
    )


@pytest.mark.parametrize(
    "name, value, said",
    [
        ("loudness", "12", "30%到100%的整数"),
        ("loudness", "响一点", "30%到100%的整数"),
        ("loudness", "", "30%到100%的整数"),
        ("language", "", "中文或英文"),
        ("measure_on_exit", "maybe", "测或不测"),
    ],
)
def test_fail__a_bad_value_is_shown_again(app: Flask, engine: sa.Engine, name: str, value: str, said: str) -> None:
    answer = send(signed_in(app, "zhou"), "area:a1", name, value)
    assert answer.status_code == 400
    assert f"没有设置：请填{said}。" in answer.text
    assert f'id="wrong-{name}"' in answer.text
    assert not value or name != "loudness" or f'value="{value}"' in answer.text
    assert all(one.wanted == {} for one in known(engine).values())


@pytest.mark.parametrize("at", ["all", "area:a2", "committee:j2", "compound:c2", "gate:north", "gate:nowhere", "planet:x", ""])
def test_fail__a_place_out_of_reach_is_as_good_as_not_there(app: Flask, engine: sa.Engine, at: str) -> None:
    client = signed_in(app, "zhou")
    assert client.get("/settings/stations", query_string={"at": at}).status_code == 404
    assert send(client, at, "loudness", "60").status_code == 404
    assert all(one.wanted == {} for one in known(engine).values())


def test_fail__no_such_setting(app: Flask) -> None:
    assert send(signed_in(app, "chen"), "all", "fever_celsius", "39").status_code == 404


def test_fail__a_liaison_sets_nothing(app: Flask, engine: sa.Engine) -> None:
    client = signed_in(app, "li")
    assert client.get("/settings/stations").status_code == 403
    assert send(client, "all", "loudness", "60").status_code == 403


def test_ok__who_answers_for_several_places_chooses_one(app: Flask) -> None:
    client = signed_in(app, "wu")
    page = client.get("/settings/stations").text
    assert re.findall(r'href="/settings/stations\?at=([^"]+)"', page) == ["compound:c1", "committee:j2"]
    assert send(client, "committee:j2", "loudness", "60").status_code == 303
    assert send(client, "committee:j1", "loudness", "60").status_code == 404


# ---- the command line ----


def test_ok__the_command_line_lists_sets_and_clears(engine: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text("", encoding="utf-8")

    def hub(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["settings", *words, "--config", str(tmp_path / "hub.toml")])
        assert result.exit_code == code, result.output
        return result.output

    def listed(*words: str) -> Mapping[str, Any]:
        return {row["setting"]: row for row in map(json.loads, hub("list", "--json", *words).splitlines())}

    hub("set", "loudness=60", "measure_on_exit=yes", "--area", "a1")
    found = listed("--gate", "east")
    assert (found["loudness"]["value"], found["loudness"]["from"], found["loudness"]["by"]) == (60, "area:a1", "cli")
    assert found["measure_on_exit"]["value"] is True
    assert found["language"]["from"] == "station"
    assert listed("--gate", "north")["loudness"]["value"] is None
    assert "from 30 to 100" in hub("set", "loudness=5", code=2)
    assert "NAME=VALUE" in hub("set", "loudness", code=2)
    assert "one place" in hub("set", "loudness=60", "--area", "a1", "--gate", "east", code=2)
    assert "no gate" in hub("list", "--gate", "nowhere", code=2)
    claim(engine)
    states = [json.loads(row) for row in hub("list", "--stations", "--json").splitlines()]
    assert {row["station"]: row["state"] for row in states} == {"east-1": "sent", "west-1": "sent", "north-1": "none"}
    hub("clear", "loudness", "--area", "a1")
    assert "not set there" in hub("clear", "loudness", "--area", "a1", code=2)
    assert listed("--area", "a1")["loudness"]["value"] is None


# ---- what is written ----


def test_ok__a_real_journal_gives_back_what_was_set(tmp_path: Path) -> None:
    """Through the file, the settings come back as they were written: a yes is no number."""
    said = SettingsChanged(settings={"measure_on_exit": True, "loudness": 60}, config="1", refused={"a\0b": "unknown"})
    with Journal(tmp_path, boot="b", clock=lambda: (NOW, Clock.SYNCED, 1)) as journal:
        journal.append(said)
    with Journal(tmp_path, boot="b", clock=lambda: (NOW, Clock.SYNCED, 1)) as journal:
        (found,) = [event.body for event in journal.all_events() if isinstance(event.body, SettingsChanged)]
    assert (found, found.settings["measure_on_exit"]) == (said, True)
