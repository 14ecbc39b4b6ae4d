"""What could not be read is kept, told with its reason, read again by a later program as if it came late, or set aside."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient

import hub.intake
import hub.lines
from contract import topics
from contract.codec import BadMessage, encode
from contract.events import Body, Clock, Direction, Entry, Event, EvidenceChange, Outcome
from contract.five import Basis, Evidence, Item, Lifetimes
from contract.messages import JournalBatch, Vitals, raw_events
from contract.topics import StationTopic
from hub import audit, late, raising, unread
from hub.alerts import open_alerts
from hub.cli import main
from hub.config import HubSettings, Located, Web
from hub.intake import Received
from hub.judging import Judging
from hub.registry import accounts, keys, places
from hub.registry.errors import RegistryError
from hub.rights import Role
from hub.store import migrate, open_store, tables
from hub.store.writing import writing
from hub.storing import store
from hub.web import create_app

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
JUDGING = Judging(lifetimes=Lifetimes(), zone=UTC)
FEVER = Entry(direction=Direction.IN, outcome=Outcome.REFER, reasons=("fever",))
DESK_THERE = Evidence(item=Item.DESK, present=True, basis=Basis.DECLARED, observed_at=NOW)
DESK = EvidenceChange(evidence=DESK_THERE, lifetime_seconds=9000)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(made)
    with made.begin() as conn:
        keys.ensure_keys(conn)
        places.add_area(conn, "a", "北片区")
        places.add_committee(conn, "k", "虹梅居委", "a")
        places.add_compound(conn, "c", "锦绣苑", "k")
        places.add_gate(conn, "east", "东门", "c")
        conn.execute(sa.insert(tables.stations).values(id="east-1", gate="east", added_at=NOW))
        accounts.add_account(conn, "gu", "顾主任", Role.ADMIN)
    yield made
    made.dispose()


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A program of before, which knows no event of today."""

    def decode(raw: bytes) -> Event:
        raise BadMessage("no such kind of event")

    with monkeypatch.context() as patch:
        patch.setattr(hub.lines, "decode_event", decode)
        yield patch


def batch(*bodies: Body, first: int = 1) -> Received:
    made = [
        Event(seq=seq, id=f"e{seq}", at=NOW, boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
        for seq, body in enumerate(bodies, first)
    ]
    sent = JournalBatch(journal="j", boot="b", mono_ns=99, first_seq=first, events=raw_events(made))
    return Received(topic=topics.station("east-1", StationTopic.JOURNAL), payload=encode(sent), at=NOW)


def hear(engine: sa.Engine, *messages: Received) -> None:
    store(engine, messages, NOW, JUDGING)


def listed(engine: sa.Engine) -> list[unread.Unread]:
    with engine.connect() as conn:
        return unread.listed(conn, 100)


def again(engine: sa.Engine, *ids: str) -> dict[str, str]:
    with writing(engine) as conn:
        return unread.read_again(conn, ids, "gu", LATER)


def test_an_event_that_this_program_can_read_takes_its_place_and_leads_to_what_it_leads_to(
    engine: sa.Engine, older: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hear(engine, batch(FEVER, DESK))
    first = listed(engine)
    assert [(one.id, one.sort, one.reason) for one in first] == [
        ("ej/2", unread.Sort.EVENT, "no such kind of event"), ("ej/1", unread.Sort.EVENT, "no such kind of event"),
    ]  # fmt: skip
    assert again(engine, "ej/1") == {"ej/1": "no such kind of event"}, "it is still the program of before"
    older.undo()
    assert again(engine, "ej/1", "ej/2") == {}
    assert listed(engine) == []
    with engine.connect() as conn:
        rows = conn.execute(sa.select(tables.events).order_by(tables.events.c.seq)).all()
        assert [(row.id, row.kind, row.error, row.at, row.clock) for row in rows] == [
            ("e1", "entry", None, NOW, "synced"), ("e2", "evidence", None, NOW, "synced"),
        ]  # fmt: skip
        assert [row.item for row in conn.execute(sa.select(tables.evidence))] == ["desk"]
        assert late.marked(conn) == {"east": NOW}, "the gate's past is made again"
    raising.look(engine, Located(HubSettings(), tmp_path), LATER)
    with engine.connect() as conn:
        assert "fever" in [one.kind for one in open_alerts(conn, None, LATER, 10)]


def test_what_its_station_sent_again_meanwhile_is_not_there_twice(engine: sa.Engine, older: pytest.MonkeyPatch) -> None:
    hear(engine, batch(FEVER))
    older.undo()
    body = batch(FEVER, first=7).payload.replace(b'"e7"', b'"e1"')
    hear(engine, Received(topic=topics.station("east-1", StationTopic.JOURNAL), payload=body, at=NOW))
    assert "already" in again(engine, "ej/1")["ej/1"]


def test_a_batch_that_was_refused_is_stored_once_it_can_be_read(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(kind: type, payload: bytes) -> Any:
        raise BadMessage("a batch of version 9")

    with monkeypatch.context() as patch:
        patch.setattr(hub.intake, "decode", decode)
        hear(engine, batch(FEVER))
    (one,) = listed(engine)
    assert (one.sort, one.station, one.readable, one.reason) == (unread.Sort.MESSAGE, "east-1", True, "a batch of version 9")
    assert again(engine, one.id) == {}
    assert listed(engine) == []
    hear(engine, batch(FEVER))
    with engine.connect() as conn:
        assert conn.scalars(sa.select(tables.events.c.id)).all() == ["e1"]
        row = conn.execute(sa.select(tables.malformed)).one()
    assert (row.settled_at, row.settled_by, row.outcome) == (LATER, "gu", "stored")


def test_what_told_of_its_own_moment_is_not_taken_for_news(engine: sa.Engine) -> None:
    topic = topics.station("east-1", StationTopic.VITALS)
    hear(engine, Received(topic=topic, payload=b"{", at=NOW), Received(topic="gatepost/v1/station/x", payload=b"", at=NOW))
    assert [one.readable for one in listed(engine)] == [False, False]
    assert len(again(engine, *(one.id for one in listed(engine)))) == 2
    good = Vitals(boot="b", mono_ns=1, at=NOW, clock=Clock.SYNCED, last_seq=1, backlog=0, directory_version=1)
    with engine.begin() as conn:
        conn.execute(sa.update(tables.malformed).values(topic=topic, payload=encode(good)))
    again(engine, *(one.id for one in listed(engine)))
    with engine.connect() as conn:
        assert conn.scalars(sa.select(tables.pulses.c.heard_at)).all() == []


def test_set_aside_it_is_out_of_the_list_and_still_there(engine: sa.Engine, older: pytest.MonkeyPatch) -> None:
    hear(engine, batch(FEVER), Received(topic="x", payload=b"noise", at=NOW))
    with writing(engine) as conn:
        with pytest.raises(RegistryError, match="few words"):
            unread.set_aside(conn, "ej/1", "  ", "gu", NOW)
        for one in listed(engine):
            unread.set_aside(conn, one.id, "a test of the installer", "gu", NOW)
        with pytest.raises(RegistryError, match="does not wait"):
            unread.set_aside(conn, "ej/1", "again", "gu", NOW)
    assert listed(engine) == []
    with engine.connect() as conn:
        assert unread.waiting(conn) == unread.Waiting(messages=0, events=0)
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.events)) == 1
        assert conn.scalar(sa.select(tables.malformed.c.outcome)) == "set aside: a test of the installer"


@pytest.mark.parametrize("id", ["", "m", "m999", "ej", "ej/x", "e/1", "x1", "m1; drop table", "ej/1/2"])
def test_fail__what_does_not_wait(engine: sa.Engine, id: str) -> None:
    with pytest.raises(RegistryError, match="does not wait"):
        again(engine, id)


# ---- the page and the command ----


@pytest.fixture
def client(engine: sa.Engine, tmp_path: Path) -> FlaskClient:
    app = create_app(Located(HubSettings(web=Web(secure_cookies=False)), tmp_path), engine, now=lambda: LATER)
    made = app.test_client()
    with made.session_transaction() as session:
        session["_user_id"] = "1 gu"
    return made


def post(client: FlaskClient, path: str, **form: str) -> int:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/unread").text)
    assert token
    return client.post(path, data={"csrf_token": token[1], **form}).status_code


def test_an_administrator_looks_reads_again_and_sets_aside(
    client: FlaskClient, engine: sa.Engine, older: pytest.MonkeyPatch
) -> None:
    hear(engine, batch(FEVER), Received(topic="x", payload=b"<b>noise</b>", at=NOW))
    page = client.get("/unread").text
    assert ("记录 1 条、消息 1 条" in page, "no such kind of event" in page) == (True, True)
    other = next(one.id for one in listed(engine) if one.sort is unread.Sort.MESSAGE)
    assert "&lt;b&gt;noise" in client.get(f"/unread/one?id={other}").text
    assert post(client, "/unread/again") == 303
    assert "读懂 0 条,仍读不懂 1 条" in client.get("/unread").text
    older.undo()
    assert post(client, "/unread/again", id="ej/1") == 303
    assert post(client, "/unread/aside", id=other, reason="") == 303
    assert post(client, "/unread/aside", id=other, reason="噪声") == 303
    assert "都读懂了" in client.get("/unread").text
    with engine.connect() as conn:
        noted = [(line.action, line.object) for line in audit.lines(conn, 4)]
    assert noted == [("set_aside", other), ("read_again", "ej/1"), ("read_again", ""), ("look", other)]


def test_the_command(engine: sa.Engine, tmp_path: Path, older: pytest.MonkeyPatch) -> None:
    hear(engine, batch(FEVER), Received(topic="x", payload=b"noise\xff", at=NOW))
    config = tmp_path / "hub.toml"
    config.write_text(f'[store]\nurl = "{engine.url}"\n', encoding="utf-8")

    def run(*words: str) -> str:
        return CliRunner().invoke(main, ["unread", words[0], "--config", str(config), *words[1:]], catch_exceptions=False).output

    assert ("ej/1" in run("list"), "no such kind" in run("list")) == (True, True)
    other = next(one.id for one in listed(engine) if one.sort is unread.Sort.MESSAGE)
    assert run("show", other) == "noise\\xff\n"
    older.undo()
    assert "True" in run("again", "--all")
    run("aside", other, "noise")
    assert listed(engine) == []
