"""A week of a sub-district as one story, through what people and stations use: pages, API, command line, messages. The test moves
the clock, and reckons by hand what the report has to say.

Supervisors sign in by password and post forms with their tokens. Stations are the real reducers with the directory that the hub
makes for their compound; what they journal goes, byte for byte as they would send it, to what the ingest stores with. No broker
carries it: seven days of a clock that jumps would be minutes of waiting for one, and the ingest's own tests have a real one.
"""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from click.testing import CliRunner
from flask.testing import FlaskClient
from msgspec import structs
from openpyxl import load_workbook
from werkzeug.test import TestResponse

from contract import topics
from contract.codec import encode
from contract.directory import assemble, make_manifest, pin_secret, split
from contract.events import Body, Clock, Event
from contract.five import Item
from contract.messages import JournalBatch, raw_events
from contract.topics import StationTopic
from hub import raising, rectifications
from hub.commands.report import report as report_command
from hub.config import Located, load
from hub.flagging import Flags
from hub.ingest import Ingest
from hub.intake import Received
from hub.journals import acknowledgement
from hub.judging import Judging, judge
from hub.registry import accounts, directory, keys, places, versions
from hub.reporting import Report
from hub.rights import Scope, ScopeKind
from hub.rules.durations import Tally
from hub.rules.report import GateReport
from hub.signer import Signer
from hub.store import meta, migrate, tables
from hub.store.writing import writing
from hub.storing import store
from hub.vault import open_hub, vault_of
from hub.web import create_app
from hub.web.pass_link import token_of
from kiosk.drivers.base import Measurement
from kiosk.inputs import (
    CheckPin,
    Committed,
    ConfirmDuty,
    Decide,
    DirectoryArrived,
    Effect,
    EnterPin,
    Measured,
    Now,
    OpenChecklist,
    PinChecked,
    SignOff,
    Tick,
)
from kiosk.setup import Setup
from kiosk.view import Snapshot, resident_view
from kiosk.vitals import Log, vitals
from tests.unit.gate_driver import AMBIENT, NOBODY, NORMAL, Gate

ZONE = ZoneInfo("Asia/Shanghai")
PASSWORD = "a long password"
HOURS = ((7 * 60, 11 * 60),)
"""Every gate is open from 07:00 to 11:00: 240 minutes a day, 1680 a week."""
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
STEP = timedelta(minutes=29)
"""A volunteer's word holds for 30 minutes: while gates are open the clock goes on by no more than this."""


def at(said: str) -> datetime:
    """A local time of the week, such as Tue 07:10."""
    day, _, clock = said.rpartition(" ")
    hour, minute = map(int, clock.split(":"))
    first = datetime(2026, 3, 2, hour, minute, tzinfo=ZONE)
    return (first + timedelta(days=DAYS.index(day) if day in DAYS else int(day))).astimezone(UTC)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


class Station(Gate):
    """A station at a gate: the reducer, its journal, and how far the hub has acknowledged it."""

    def __init__(self, gate: str, compound: str, start: datetime) -> None:
        self.name = f"{gate}-1"
        self.setup = Setup(
            station=self.name, gate=gate, gate_name=gate, compound=compound, compound_name=compound, timezone=ZONE,
            thermometer="mlx90614", built_at=at("-30 00:00"), software="test",
        )  # fmt: skip
        self.events, self.said = list[Event](), list[str]()
        self.broken, self.boot, self.photo = False, 0, "ab" * 32
        self.taken, self.raised, self.tests, self.shut_downs = [], 0, 0, 0
        self.now, self.acknowledged, self.known = Now(start, 10**12, True), 0, -1
        self.badge, self.pin = "", ""
        self.measures, self.attended = True, False
        """The thermometer answers; the volunteer is there."""
        self.start()

    def moves(self, to: datetime) -> None:
        """Time goes on: the thermometer is looked at, whoever is on duty says so, then the station looks at the clock."""
        self.pass_time((to - self.now.utc).total_seconds())
        if self.measures:
            self.give(Measured(Measurement(NOBODY, AMBIENT, self.now.mono_ns)))
        if self.attended:
            self.give(ConfirmDuty())
        self.give(Tick())

    def begins(self) -> None:
        """A volunteer signs in by badge and PIN and shows the desk's code of the day to the camera."""
        self.show(self.badge)
        self.give(EnterPin(pin=self.pin))
        self.give(OpenChecklist(item=Item.DESK))
        today = self.now.utc.astimezone(ZONE).date().isoformat()
        assert self.state.directory is not None
        codes = self.state.directory.codes.codes
        self.show(next(code.desk for code in codes if (code.gate, code.day) == (self.setup.gate, today)))
        self.attended = True

    def ends(self) -> None:
        self.give(SignOff())
        self.attended = False

    def batch(self) -> list[Received]:
        """The events that the hub does not have."""
        rest = tuple(self.events[self.acknowledged :])
        if not rest:
            return []
        sent = JournalBatch(
            journal=self.journal, boot=f"{self.name}-b{self.boot}", mono_ns=self.now.mono_ns, first_seq=rest[0].seq,
            events=raw_events(rest),
        )  # fmt: skip
        return [self._sent(StationTopic.JOURNAL, encode(sent))]

    def pulse(self) -> Received:
        """Its vitals."""
        log = Log(boot=f"{self.name}-b{self.boot}", last_seq=len(self.events), backlog=len(self.events) - self.acknowledged)
        return self._sent(StationTopic.VITALS, encode(vitals(self.state, log, self.now, self.setup)))

    def _sent(self, topic: StationTopic, payload: bytes) -> Received:
        return Received(topic=topics.station(self.name, topic), payload=payload, at=self.now.utc)

    @property
    def journal(self) -> str:
        return f"journal-{self.name}"

    def comes(self, token: str) -> Snapshot:
        """Somebody holds up a pass."""
        return self.show(token)

    def _do(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, CheckPin):
                self.give(PinChecked(effect.badge, _is_pin(effect)))
            else:
                super()._do((effect,))

    def _commit(self, bodies: tuple[Body, ...]) -> Committed:
        first = len(self.events) + 1
        new = tuple(
            Event(seq=n, id=f"{self.name}-{n}", at=self.now.utc, boot=f"{self.name}-b{self.boot}", mono_ns=self.now.mono_ns,
                  clock=Clock.SYNCED, body=body)
            for n, body in enumerate(bodies, first)
        )  # fmt: skip
        self.events += new
        return Committed(new)


@cache
def _is_pin(asked: CheckPin) -> bool:
    """Slow on purpose, and asked for every morning."""
    try:
        return PasswordHasher().verify(asked.pin_hash, pin_secret(asked.pin, asked.token or ""))
    except VerifyMismatchError:
        return False


class Person:
    """Somebody at the hub's pages."""

    def __init__(self, client: FlaskClient, account: str) -> None:
        self.client = client
        signed_in = self.post("/sign-in", "/sign-in", account=account, password=PASSWORD)
        assert signed_in.status_code == 302, signed_in.text

    def page(self, path: str, **query: str) -> str:
        """What a page says; its words without the tags are `plain`."""
        answer = self.client.get(path, query_string=query)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def post(self, path: str, form: str, **data: str) -> TestResponse:
        """Send a form, with what its page holds hidden."""
        page = self.client.get(form).text
        hidden = dict(re.findall(r'<input[^>]*name="(csrf_token|id)"[^>]*value="([^"]+)"', page))
        return self.client.post(path, data=hidden | data)

    def does(self, path: str, form: str = "", **data: str) -> str:
        """Send a form that is taken; returns where it leads."""
        answer = self.post(path, form or path, **data)
        assert answer.status_code == 303, (path, answer.status_code, plain(answer.text))
        return answer.headers["Location"]


def plain(page: str) -> str:
    """The words of a page."""
    return " ".join(re.sub("<[^>]*>", " ", page).split())


class Week:
    """The hub, its people, three stations, and the clock."""

    def __init__(self, folder: Path) -> None:
        self.now = at("-1 23:00")
        (folder / "hub.toml").write_text("[web]\nsecure_cookies = false\n", encoding="utf-8")
        self.located: Located = load(folder / "hub.toml")
        vault_of(self.located).make_secret()
        self.engine = open_hub(self.located)
        sa.event.listen(self.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        migrate(self.engine)
        self._found()
        self.app = create_app(self.located, self.engine, now=lambda: self.now)
        self.judging = Judging(lifetimes=self.located.lifetimes, zone=ZONE)
        self.ingest = Ingest(self.engine, self.located, Signer(self.engine), now=lambda: self.now)
        self.people = {id: Person(self.app.test_client(), id) for id in ("root", "zhou", "li", "deng", "cha")}
        self.hears = True
        gates = (("east", "c1"), ("north", "c1"), ("west", "c2"))
        self.stations = {gate: Station(gate, compound, self.now) for gate, compound in gates}

    def _found(self) -> None:
        """What `hub init` and whoever runs the hub have put there."""
        with self.engine.begin() as conn:
            keys.ensure_keys(conn)
            for n, (area, compound) in enumerate((("东片区", "锦绣苑"), ("西片区", "玉兰苑")), 1):
                places.add_area(conn, f"a{n}", area)
                places.add_committee(conn, f"k{n}", f"{compound}居委", f"a{n}")
                places.add_compound(conn, f"c{n}", compound, f"k{n}", "李敏")
            for gate, name, compound in (("east", "东门", "c1"), ("north", "北门", "c1"), ("west", "西门", "c2")):
                places.add_gate(conn, gate, name, compound, HOURS)
                conn.execute(sa.insert(tables.stations).values(id=f"{gate}-1", gate=gate, lane="1", added_at=self.now))
            both = tuple(Scope(ScopeKind.COMPOUND, compound) for compound in ("c1", "c2"))
            people = (
                ("root", "管理员", "admin", accounts.EVERYWHERE), ("zhou", "周督查", "supervisor", accounts.EVERYWHERE),
                ("li", "李敏", "liaison", both), ("deng", "邓登记", "registrar", both),
                ("cha", "查组", "inspector", accounts.EVERYWHERE),
            )  # fmt: skip
            for id, name, role, scopes in people:
                accounts.add_account(conn, id, name, role, PASSWORD, scopes=scopes)

    def __getitem__(self, gate: str) -> Station:
        return self.stations[gate]

    def to(self, said: str) -> None:
        """The clock goes on to a time of the week."""
        self.until(at(said))

    def until(self, until: datetime) -> None:
        """The clock goes on, in steps that keep whoever is on duty confirmed."""
        while self.now < until:
            on_duty = any(station.attended for station in self.stations.values())
            self.now = min(until, self.now + STEP) if on_duty else until
            for station in self.stations.values():
                station.moves(self.now)
            self.turn()

    def turn(self) -> None:
        """One turn of everything that the hub's programs do by themselves, at one moment."""
        if self.hears:
            new = [message for one in self.stations.values() for message in one.batch()]
            self._hear([*new, *(one.pulse() for one in self.stations.values())])
            for station in self.stations.values():
                with self.engine.connect() as conn:
                    station.acknowledged = acknowledgement(conn, station.journal).upto
                assert station.acknowledged == len(station.events)
            if new:  # a quarter of a minute later there is no backlog any more
                self._hear([one.pulse() for one in self.stations.values()])
        self.ingest.tick()
        with writing(self.engine) as conn:
            rectifications.step(conn, self.now)
        raising.look(self.engine, self.located, self.now)
        self.tells()

    def _hear(self, sent: list[Received]) -> None:
        """What arrives is stored and judged as the ingest does it, at this moment of the hub's."""
        store(self.engine, [structs.replace(one, at=self.now) for one in sent], self.now, self.judging)

    def tells(self) -> None:
        """The stations are told what is new for their compound, as the publisher tells it."""
        with self.engine.begin() as conn:
            known = versions.versions(conn)
            for compound in ("c1", "c2"):
                mine = [one for one in self.stations.values() if one.setup.compound == compound]
                stale = [one for one in mine if one.known != known[compound] or self._is_old(one)]
                if stale and self.hears:
                    built = directory.build(conn, self.located, compound, self.now)
                    manifest, parts = make_manifest(compound, built, self.now), split(built)
                    for one in stale:
                        one.give(DirectoryArrived(assemble(manifest, parts)))
                        one.known = built.version

    def _is_old(self, station: Station) -> bool:
        given = station.state.directory
        return given is None or given.issued_at is None or self.now - given.issued_at > timedelta(hours=10)

    def opens(self, day: str) -> None:
        """The morning of a day: the volunteers are there ten minutes before the gates open."""
        self.to(f"{day} 06:50")
        for station in self.stations.values():
            station.begins()
        self.turn()
        self.to(f"{day} 07:00")

    def closes(self, day: str) -> None:
        """At 11:00 they leave."""
        self.to(f"{day} 11:00")
        for station in self.stations.values():
            station.ends()
        self.turn()

    def passes(self, day: str) -> None:
        """A day on which nothing happens."""
        self.opens(day)
        self.closes(day)

    def lost(self) -> None:
        """The ingest loses the broker (`Ingest`: what it does then)."""
        self.hears = False
        with writing(self.engine) as conn:
            meta.went_blind(conn, self.now)

    def found_again(self) -> None:
        """The broker is there again, and the stations send what they have kept."""
        with writing(self.engine) as conn:
            meta.hears_again(conn, self.now)
            judge(conn, None, self.now, self.judging)
        self.hears = True
        self.turn()


class Api:
    """Another program with a token."""

    def __init__(self, week: Week) -> None:
        root = week.people["root"]
        root.does("/tokens", name="看板", account="zhou", actions="view", last_day="2026-04-01")
        secret = re.search(r"gp_[A-Za-z0-9_-]+", root.page("/tokens"))
        assert secret
        self.client, self.head = week.app.test_client(), {"Authorization": f"Bearer {secret[0]}"}

    def get(self, path: str, **query: str) -> Any:
        answer = self.client.get(f"/api/v1{path}", headers=self.head, query_string=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def alerts(self) -> set[tuple[str, str | None]]:
        """Kind and gate of those that are open."""
        return {(one["kind"], one["gate"]) for one in self.get("/alerts")["alerts"]}

    def item(self, gate: str, item: str) -> tuple[bool | None, str | None]:
        found = self.get(f"/gates/{gate}")["items"][item]
        return found["present"], found["reason"]

    def rectification(self, gate: str) -> dict[str, Any]:
        """The newest one of a gate."""
        known: list[dict[str, Any]] = self.get("/rectifications")["rectifications"]
        return next(one for one in known if one["gate"] == gate)


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Week]:
    made = Week(tmp_path)
    yield made
    made.engine.dispose()


def issued(week: Week, **form: str) -> tuple[str, str]:
    """A pass issued on the page; its id, and its token as the holder's own phone has it."""
    deng = week.people["deng"]
    address = deng.does("/passes/new", **form).partition("?")[0]
    held = re.search(r'href="[^"]*/p/([A-Za-z0-9_-]+)"', deng.page(address))
    assert held
    return address.rpartition("/")[2], token_of(held[1])


def time_of(said: str) -> datetime:
    """A time as the API tells it."""
    return datetime.fromisoformat(said)


def test_ok__a_week(week: Week, tmp_path: Path) -> None:
    api = Api(week)
    li, zhou, cha, deng = (week.people[id] for id in ("li", "zhou", "cha", "deng"))
    for pin, (gate, station) in zip(("1111", "2222", "3333"), week.stations.items(), strict=True):
        station.pin, compound = pin, station.setup.compound
        _, station.badge = issued(week, kind="volunteer", compound=compound, name=f"{gate}志愿者", pin=pin, days="30")
        station.equip()
    week.turn()

    # Monday: the west gate's volunteer is last there at 07:30 and walks off: the evidence runs out at 08:00.
    week.opens("Mon")
    assert api.get("/status")["counts"]["compliant"] == 3
    week.to("Mon 07:30")
    week["west"].attended = False
    week.to("Mon 08:00")
    assert api.item("west", "volunteer") == (False, "expired")
    week.to("Mon 08:29")
    assert api.get("/rectifications")["rectifications"] == []
    week.to("Mon 08:30")
    opened = api.rectification("west")
    path = f"/rectifications/{opened['id']}"
    assert (opened["item"], opened["owner"], opened["state"]) == ("volunteer", "li", "open")
    assert (time_of(opened["missing_since"]), time_of(opened["due_at"])) == (at("Mon 08:00"), at("Mon 12:30"))
    assert api.alerts() == {("rectification_open", "west")}
    assert "玉兰苑 西门" in plain(li.page("/alerts"))
    assert "西门" in plain(li.page("/rectifications", owner="me"))

    # The liaison answers; an inspector looks again, and nobody is there.
    week.to("Mon 08:40")
    li.does(f"{path}/answer", path, note="已经叫人顶岗")
    week.turn()
    assert (api.rectification("west")["state"], api.alerts()) == ("answered", set())
    week.to("Mon 09:00")
    assert li.client.get(f"/inspect/recheck/{opened['id']}").status_code == 403
    sheet = {"look_volunteer": "no", "note_volunteer": "桌边没有人", "observed_at": "2026-03-02T09:00"}
    cha.does(f"/inspect/recheck/{opened['id']}", method="recheck", **sheet)
    week.turn()
    again = api.rectification("west")
    assert (again["id"], again["state"], again["reopened"]) == (opened["id"], "open", 1)
    assert time_of(again["due_at"]) == at("Mon 13:00")
    assert api.item("west", "volunteer") == (False, "inspection")
    assert week["west"].item("volunteer") == (False, "inspected", "inspection")
    assert api.alerts() == {("rectification_open", "west")}

    # Two hours after, the volunteer is back. Somebody saw the post empty: evidence alone closes nothing, and it escalates.
    week.to("Mon 10:00")
    week["west"].give(ConfirmDuty())
    week["west"].attended = True
    week.closes("Mon")
    assert api.rectification("west")["state"] == "open"
    week.to("Mon 11:59")
    assert api.alerts() == {("rectification_open", "west")}
    week.to("Mon 12:00")
    assert api.alerts() == {("rectification_open", "west"), ("rectification_due", "west")}
    week.to("Mon 13:59")
    assert ("rectification_overdue", "west") not in api.alerts()
    week.to("Mon 14:00")
    assert ("rectification_overdue", "west") in api.alerts()

    # Tuesday: a re-check by the supervisor passes.
    week.opens("Tue")
    assert api.item("west", "volunteer") == (False, "inspection")
    returnee, token = issued(week, kind="resident", compound="c1", name="赵小明", dwelling="3号501", days="30")
    deng.does(f"/registry/pass/{returnee}/health", f"/registry/pass/{returnee}", colour="orange")
    week.to("Tue 08:00")
    zhou.does(f"{path}/recheck", path, result="passed", seen="人在岗")
    week.turn()
    closed = api.rectification("west")
    assert (closed["state"], closed["closed_by"], time_of(closed["closed_at"])) == ("closed", "recheck", at("Tue 08:00"))
    assert (api.item("west", "volunteer"), api.alerts()) == ((True, None), set())
    assert "已销项" in plain(zhou.page(path))

    # The returnee comes home once: referred, fetched by the committee, let in by the volunteer. From then on isolating.
    week.to("Tue 09:00")
    screen = week["east"].comes(token)
    assert (screen.outcome, screen.reasons, screen.sentence) == ("refer", ("homecoming",), "wait_aside")
    week["east"].give(Decide(admit=True))
    week["east"].wait(2)
    screen = week["east"].feel(NORMAL)
    assert (screen.outcome, screen.sentence) == ("admit", "ok_enter")
    week.turn()
    assert re.search('name="isolating" value="y" checked', deng.page(f"/registry/pass/{returnee}"))
    assert api.alerts() == set()
    for gate, clock, count in (("north", "Tue 09:10", 1), ("east", "Tue 09:12", 2)):
        week.to(clock)
        screen = week[gate].comes(token)
        assert (screen.outcome, screen.reasons, screen.sentence) == ("refer", ("isolating",), "wait_aside")
        seen = msgspec.json.encode(resident_view(screen)).decode()
        assert not re.search("isolat|隔离|orange|橙|homecoming|返沪", seen)
        assert week[gate].said[-1] == "wait_aside"
        week.turn()
        assert api.alerts() == {("isolating", "north")}
        assert [one["count"] for one in api.get("/alerts")["alerts"]] == [count]
    assert week["west"].comes(token).reasons == ("other_compound",)
    assert week["west"].screen.sentence == "not_allowed"
    week.turn()
    (alert,) = api.get("/alerts")["alerts"]
    assert (alert["kind"], alert["level"], alert["count"]) == ("isolating", "alarm", 2)
    page = li.page("/alerts")
    assert "居家隔离人员到门岗" in plain(page)
    assert "赵" not in page
    li.does(f"/alerts/{alert['id']}/acknowledge", "/alerts")
    assert api.alerts() == set()
    assert "中枢自动" in plain(week.people["root"].page("/people/audit", object=returnee))
    week.closes("Tue")

    # Wednesday: the north gate's thermometer is silent for 50 minutes. By evidence that is there again it is closed.
    broken(week, "north", "Wed 07:30", "Wed 08:20", opened="Wed 08:00", closed="Wed 08:30", api=api, recurrence=0)
    week.closes("Wed")

    # Thursday: for half an hour the hub hears nothing. Meanwhile the east gate is without its volunteer for ten minutes.
    week.opens("Thu")
    week.to("Thu 07:40")
    week["east"].attended = False
    week.to("Thu 08:00")
    week.lost()
    week.to("Thu 08:10")
    assert api.get("/status")["blind_since"] is not None
    assert ("blind", None) in api.alerts()
    week.to("Thu 08:20")
    week["east"].give(ConfirmDuty())
    week["east"].attended = True
    week.to("Thu 08:30")
    assert "中枢" in plain(zhou.page("/"))
    assert api.get("/status")["counts"]["unreachable"] == 0
    week.found_again()
    assert (api.get("/status")["blind_since"], api.alerts()) == (None, set())
    assert api.get("/status")["counts"]["compliant"] == 3
    week.closes("Thu")

    # Friday: the north gate's thermometer again. Saturday: five more minutes without the broker. Sunday: nothing.
    broken(week, "north", "Fri 09:00", "Fri 09:45", opened="Fri 09:30", closed="Fri 09:55", api=api, recurrence=1)
    week.closes("Fri")
    week.opens("Sat")
    week.to("Sat 09:00")
    week.lost()
    week.to("Sat 09:05")
    week.found_again()
    week.closes("Sat")
    week.passes("Sun")

    # Monday morning, the meeting.
    week.to("7 07:30")
    told = from_command(tmp_path)
    check_report(told)
    check_page(zhou.page("/report", span="week", day="2026-03-04"))
    check_sheets(zhou.client.get("/report/file.xlsx", query_string={"span": "week", "day": "2026-03-08"}).data)
    found = api.get("/gates/west/intervals", limit="500")["intervals"]
    absent = [(time_of(one["began_at"]), time_of(one["ended_at"]), one["reason"]) for one in found
              if one["what"] == "volunteer" and one["state"] == "missing" and time_of(one["began_at"]) < at("Tue 09:00")
              and one["reason"] in ("expired", "inspection")]  # fmt: skip
    assert absent == [
        (at("Mon 09:00"), at("Tue 08:00"), "inspection"), (at("Mon 08:00"), at("Mon 09:00"), "expired"),
    ]  # fmt: skip

    # The fourteen days are over: the committee says so, and the gates let him in.
    deng.does(f"/registry/pass/{returnee}/health", f"/registry/pass/{returnee}", colour="blue")
    week.turn()
    screen = week["north"].comes(token)
    assert screen.reasons != ("isolating",)
    assert week["north"].feel(NORMAL).outcome == "admit"


def broken(
    week: Week, gate: str, begins: str, ends: str, *, opened: str, closed: str, api: Api, recurrence: int
) -> None:  # fmt: skip
    """A gate's thermometer answers no more from a time to another; it counts for a minute after it has answered."""
    week.opens(begins[:3])
    week.until(at(begins) - timedelta(seconds=61))
    week[gate].measures = False
    week.to(begins)
    week.to(opened)
    one = api.rectification(gate)
    assert (one["item"], one["state"], one["recurrence"]) == ("temperature", "open", recurrence)
    assert (time_of(one["missing_since"]), time_of(one["opened_at"])) == (at(begins), at(opened))
    assert api.alerts() == {("rectification_open", gate)}
    week[gate].measures = True
    week.to(ends)
    week.until(at(closed) - minutes(1))
    assert api.rectification(gate)["state"] == "open"
    week.to(closed)
    one = api.rectification(gate)
    assert (one["state"], one["closed_by"], time_of(one["closed_at"])) == ("closed", "evidence", at(closed))
    assert api.alerts() == set()


# ---- the report, reckoned by hand ----

OPEN, BLIND = 7 * 240, 30 + 5
"""Minutes that each gate was open in the week, and in which the hub heard nothing of it."""
WEST = (3 * 60, 1 * 60)
"""The west gate's volunteer: Monday 08:00 until the gate closed at 11:00, Tuesday 07:00 until the re-check at 08:00."""
NORTH = (50, 45)
"""The north gate's thermometer: Wednesday 07:30 to 08:20, Friday 09:00 to 09:45."""


class Printed(msgspec.Struct):
    """What `hub report --format json` prints."""

    report: Report
    flags: Flags | None


def from_command(folder: Path) -> Report:
    words = ["--config", str(folder / "hub.toml"), "--week", "2026-03-02", "--format", "json"]
    said = CliRunner().invoke(report_command, words, catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return msgspec.json.decode(said.stdout, type=Printed).report


def check_report(told: Report) -> None:
    gates = {one.site.gate: one for one in told.gates}
    closed = minutes(7 * 20 * 60)
    for gate, missing in (("east", 0), ("north", sum(NORTH)), ("west", sum(WEST))):
        assert gates[gate].status == Tally(
            present=minutes(OPEN - BLIND - missing), missing=minutes(missing), closed=closed, unknown=minutes(BLIND),
            blind=minutes(BLIND),
        ), gate  # fmt: skip
    assert told.blind == ((at("Thu 08:00"), at("Thu 08:30")), (at("Sat 09:00"), at("Sat 09:05")))
    assert spells(gates["east"]) == []
    assert spells(gates["west"]) == [
        ("volunteer", at("Mon 08:00"), at("Mon 11:00"), WEST[0], False),
        ("volunteer", at("Tue 07:00"), at("Tue 08:00"), WEST[1], True),
    ]  # fmt: skip
    assert spells(gates["north"]) == [
        ("temperature", at("Wed 07:30"), at("Wed 08:20"), NORTH[0], True),
        ("temperature", at("Fri 09:00"), at("Fri 09:45"), NORTH[1], True),
    ]  # fmt: skip
    sums = told.mendings
    assert (sums.opened, sums.closed, sums.by_recheck, sums.open_at_end, sums.overdue) == (3, 3, 1, 0, ())
    assert [(one.gate, one.item, one.reopened, one.reopened_at) for one in sums.reopened] == [
        ("west", "volunteer", 1, at("Mon 09:00"))
    ]
    assert [(one.gate, one.item, one.recurrence, one.opened_at) for one in sums.recurring] == [
        ("north", "temperature", 1, at("Fri 09:30"))
    ]
    assert [(one.method, one.lacking, one.fine) for one in told.inspections] == [
        ("recheck", ("volunteer",), ()), ("recheck", (), ("volunteer",))
    ]  # fmt: skip


def spells(one: GateReport) -> list[tuple[str, datetime, datetime, float, bool]]:
    """From when until when an item was missing, for how many minutes, and whether it was put right."""
    return [(spell.item, spell.begin, spell.end, spell.missing / minutes(1), spell.put_right) for spell in one.spells]


def check_page(page: str) -> None:
    said = plain(page)
    for words in (
        "玉兰苑 西门 志愿者 4小时 3小时 2次", "锦绣苑 北门 测温 1小时35分 50分 2次", "玉兰苑 西门 志愿者 1次 03-02 08:30",
        "03-05 08:00", "03-05 08:30", "03-07 09:00", "03-07 09:05",
    ):  # fmt: skip
        assert words in said, (words, said)


def check_sheets(data: bytes) -> None:
    book = load_workbook(io.BytesIO(data))
    tables = {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] for sheet in book.worksheets[1:]}
    by_gate = {name: {row[0]: row[1:] for row in rows} for name, rows in tables.items()}
    faults = next(rows for name, rows in by_gate.items() if "缺" in name)
    assert faults["玉兰苑 西门"][1:4] == [minutes(240), minutes(180), 2], faults
    assert faults["锦绣苑 北门"][1:4] == [minutes(95), minutes(50), 2]
    assert "锦绣苑 东门" not in faults
