"""What is owed to channels, sent by apprise to a real HTTP receiver on loopback."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from contract.codec import encode
from contract.events import Band, Body, Clock, Direction, Entry, Event, HelpCalled, Outcome, Reading, kind_of
from hub import alerts, channels, owed, raising
from hub.config import Alerts, HubSettings, Located
from hub.owed import Message
from hub.registry import keys, places
from hub.rights import Role, Scope, ScopeKind
from hub.sending import Sender, keep_sending, send_test
from hub.store import migrate, open_store, tables
from hub.store.supervision import sendings
from hub.store.writing import writing

NOW = datetime(2026, 2, 15, 23, 41, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ALL, C1, C2 = Scope(ScopeKind.ALL), Scope(ScopeKind.COMPOUND, "c1"), Scope(ScopeKind.AREA, "a2")


class Receiver:
    """Takes what apprise's json:// posts; answers with `code`, after `gate` is open."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.code = 200
        self.gate = threading.Event()
        self.gate.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.gate.wait(20)
                receiver.got.append((self.path, body))
                self.send_response(receiver.code)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Keeps the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def address(self, path: str) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/{path}"

    def close(self) -> None:
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def located(tmp_path: Path) -> Located:
    return Located(HubSettings(name="某街道", alerts=Alerts(local_hosts=("127.0.0.0/8",))), tmp_path)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """Two compounds in two areas, a gate each."""
    engine = open_store(f"sqlite:///{tmp_path}/hub.db")
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        for n, name in ((1, "锦绣苑"), (2, "红梅园")):
            places.add_area(conn, f"a{n}", f"{n}片区")
            places.add_committee(conn, f"j{n}", f"{name}居委", f"a{n}")
            places.add_compound(conn, f"c{n}", name, f"j{n}")
            places.add_gate(conn, f"g{n}", "东门", f"c{n}")
    yield engine
    engine.dispose()


def add(engine: sa.Engine, receiver: Receiver, path: str, role: Role = Role.LIAISON, scope: Scope = ALL, kinds: Any = ()) -> str:
    with engine.begin() as conn:
        return channels.add(conn, path, receiver.address(path), role, scope, kinds, NOW)


def happens(engine: sa.Engine, *bodies: Body, gate: str = "g1", at: datetime = NOW, received: datetime | None = None) -> None:
    with engine.begin() as conn:
        last = conn.scalar(sa.select(sa.func.max(tables.events.c.seq)).where(tables.events.c.journal == gate)) or 0
        for seq, body in enumerate(bodies, last + 1):
            event = Event(seq=seq, id=f"{gate}-{seq}", at=at, boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
            row = {
                "journal": gate,
                "seq": seq,
                "id": event.id,
                "station": "s",
                "gate": gate,
                "at": at,
                "boot": "b",
                "mono_ns": seq,
            }
            more = {"received_at": received or at, "clock": "synced", "kind": kind_of(body), "body": encode(event).decode()}
            conn.execute(sa.insert(tables.events).values(**row, **more))


def fever(pass_id: str | None = None) -> Entry:
    reading = Reading(band=Band.FEVER, source="mlx90614", body_celsius=37.9)
    return Entry(direction=Direction.IN, outcome=Outcome.REFER, reasons=("fever",), reading=reading, pass_id=pass_id)


def channel(engine: sa.Engine) -> channels.Channel:
    with engine.connect() as conn:
        return channels.list_channels(conn)[0]


def run(sender: Sender, now: datetime) -> None:
    """Steps until nothing more is due."""
    while sender.step(now) == 0.0:
        pass


def test_ok__delivered_once_with_what_is_to_be_done_and_no_personal_data(
    engine: sa.Engine, located: Located, receiver: Receiver
) -> None:
    add(engine, receiver, "liaisons")
    happens(engine, fever("0a" * 16), fever("0a" * 16))
    raising.look(engine, located, NOW)
    sender = Sender(engine, located)
    run(sender, NOW)
    run(sender, NOW + MINUTE)
    ((path, body),) = receiver.got
    assert (path, body["title"]) == ("/liaisons", "【警报】发热 · 锦绣苑 东门")
    assert body["type"] == "failure"
    assert "请确认已复测、已上报\n时间:2026-02-16 07:41\n共 2 次\n编号 " in body["message"]
    assert not any(secret in json.dumps(body) for secret in ("37.9", "0a0a"))


def test_ok__many_looks_and_senders_send_once(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    add(engine, receiver, "liaisons")
    for n in range(5):
        happens(engine, HelpCalled(), at=NOW + n * MINUTE)
        raising.look(engine, located, NOW + n * MINUTE)
        run(Sender(engine, located), NOW + n * MINUTE)
    assert len(receiver.got) == 1


def test_ok__by_role_place_and_kind(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    add(engine, receiver, "north", scope=C1)
    add(engine, receiver, "south", scope=C2)
    add(engine, receiver, "fevers", kinds=("fever",))
    add(engine, receiver, "above", role=Role.SUPERVISOR)
    happens(engine, HelpCalled())
    happens(engine, fever(), gate="g2")
    raising.look(engine, located, NOW)
    run(Sender(engine, located), NOW)
    assert {(path, body["title"]) for path, body in receiver.got} == {
        ("/north", "【警报】求助 · 锦绣苑 东门"), ("/south", "【警报】发热 · 红梅园 东门"),
        ("/fevers", "【警报】发热 · 红梅园 东门"),
    }  # fmt: skip


def test_ok__taken_up_when_nobody_acknowledges(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    add(engine, receiver, "liaisons")
    add(engine, receiver, "supervisors", role=Role.SUPERVISOR)
    happens(engine, HelpCalled())
    sender = Sender(engine, located)
    for minutes in range(20):
        raising.look(engine, located, NOW + minutes * MINUTE)
        run(sender, NOW + minutes * MINUTE)
    calls = [(path, body["message"]) for path, body in receiver.got if "求助" in body["title"]]
    assert [path for path, _ in calls] == ["/liaisons", "/supervisors"]
    assert calls[1][1].startswith("上报:已超过15分钟无人确认处理\n")


def test_ok__late_is_said_to_be_late(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    add(engine, receiver, "liaisons")
    happens(engine, HelpCalled(), at=NOW - 60 * MINUTE, received=NOW)
    raising.look(engine, located, NOW)
    run(Sender(engine, located), NOW)
    said = receiver.got[0][1]["message"]
    assert said.startswith("迟报:此事早已发生,中枢 2026-02-16 07:41 才收到\n")
    assert "时间:2026-02-16 06:41" in said


def test_ok__tried_again_after_a_failure__with_growing_pauses_and_the_same_number(
    engine: sa.Engine, located: Located, receiver: Receiver
) -> None:
    add(engine, receiver, "liaisons")
    happens(engine, HelpCalled())
    raising.look(engine, located, NOW)
    receiver.code = 503
    sender, now, tries = Sender(engine, located), NOW, []
    for second in range(0, 8 * 60, 10):
        now = NOW + timedelta(seconds=second)
        before = len(receiver.got)
        run(sender, now)
        tries += [second] if len(receiver.got) > before else []
    assert tries == [0, 30, 90, 210, 450]
    failing = channel(engine)
    assert failing.failed_at == NOW + timedelta(seconds=450)
    assert "503" in failing.failure
    assert "liaisons" not in failing.failure
    receiver.code = 200
    run(sender, now + 10 * MINUTE)
    run(sender, now + 60 * MINUTE)
    assert len({body["message"] for _, body in receiver.got}) == 1
    assert (len(receiver.got), channel(engine).failure) == (6, "")


def test_ok__given_up_after_six_hours(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    id = add(engine, receiver, "liaisons")
    happens(engine, HelpCalled())
    raising.look(engine, located, NOW)
    receiver.code = 500
    sender = Sender(engine, located)
    for minutes in range(0, 12 * 60, 5):
        run(sender, NOW + minutes * MINUTE)
    assert len(receiver.got) == len(owed.PAUSES) + 1
    with engine.connect() as conn:
        assert owed.counts(conn, NOW) == {id: (0, 1)}


def test_ok__what_was_acknowledged_meanwhile_is_not_sent(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    add(engine, receiver, "liaisons")
    happens(engine, HelpCalled())
    raising.look(engine, located, NOW)
    with writing(engine) as conn:
        (found,) = (one for one in alerts.open_alerts(conn, None, NOW, 9) if one.kind == "help")
        alerts.acknowledge(conn, found.id, "zhou", NOW)
    run(Sender(engine, located), NOW)
    assert receiver.got == []
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(sendings)) == 0


def test_ok__a_removed_channel_gets_nothing_more(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    id = add(engine, receiver, "liaisons")
    happens(engine, HelpCalled())
    raising.look(engine, located, NOW)
    with engine.begin() as conn:
        channels.remove(conn, id, NOW)
    run(Sender(engine, located), NOW)
    assert receiver.got == []


def test_ok__killed_between_sending_and_noting__once_more_under_the_same_number(
    engine: sa.Engine, located: Located, receiver: Receiver
) -> None:
    add(engine, receiver, "liaisons")
    happens(engine, HelpCalled())
    raising.look(engine, located, NOW)

    class Killed(BaseException):
        pass

    def note(*_: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owed, "note", note)
        with pytest.raises(Killed):
            Sender(engine, located).step(NOW)
    run(Sender(engine, located), NOW + MINUTE)
    run(Sender(engine, located), NOW + 2 * MINUTE)
    first, second = (body["message"] for _, body in receiver.got)
    assert first == second


def test_fail__what_leads_into_the_hubs_own_network_is_not_sent(engine: sa.Engine, tmp_path: Path, receiver: Receiver) -> None:
    add(engine, receiver, "liaisons")
    happens(engine, HelpCalled())
    unlisted = Located(HubSettings(name="某街道"), tmp_path)
    raising.look(engine, unlisted, NOW)
    run(Sender(engine, unlisted), NOW)
    with engine.connect() as conn:
        (one,) = channels.list_channels(conn)
    assert "inside of the hub's own network" in one.failure
    assert "inside of the hub's own network" in send_test(engine, unlisted, one.id, NOW)
    assert receiver.got == []


def test_ok__a_service_that_hangs_holds_up_no_other_and_is_not_asked_twice_at_once(
    engine: sa.Engine, located: Located, receiver: Receiver
) -> None:
    slow = Receiver()
    slow.gate.clear()
    with engine.begin() as conn:
        channels.add(conn, "slow", slow.address("slow") + "?rto=30", "liaison", ALL, (), NOW)
    add(engine, receiver, "quick")
    happens(engine, HelpCalled())
    raising.look(engine, located, NOW)
    sender = Sender(engine, located, try_seconds=0.3)
    sender.step(NOW)
    assert [path for path, _ in receiver.got] == ["/quick"]
    with engine.connect() as conn:
        assert {one.name: one.failure for one in channels.list_channels(conn)} == {"slow": "no answer in time", "quick": ""}
    assert sender.step(NOW + 5 * MINUTE) > 0  # still under way
    slow.gate.set()
    deadline = threading.Event()
    while sum(not row for row in _failures(engine)) < 2 and not deadline.wait(0.05):
        sender.step(NOW + 6 * MINUTE)
    assert len(slow.got) == 1
    slow.close()


def _failures(engine: sa.Engine) -> list[str]:
    with engine.connect() as conn:
        return [one.failure for one in channels.list_channels(conn)]


def test_ok__a_hundred_at_once_are_one_message(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    add(engine, receiver, "liaisons")
    happens(engine, *[fever(f"p{n}") for n in range(100)], HelpCalled())
    raising.look(engine, located, NOW)
    run(Sender(engine, located), NOW)
    ((_, body),) = receiver.got
    assert body["title"] == "【警报】101 条警报"
    assert (len(body["message"].splitlines()), body["message"].splitlines()[-1]) == (21, "另有 81 条,见警报页")
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).where(sendings.c.sent_at.is_(None))) == 0


def test_ok__a_channel_whose_key_is_gone_says_so(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    add(engine, receiver, "liaisons")
    happens(engine, HelpCalled())
    raising.look(engine, located, NOW)
    with engine.begin() as conn:
        conn.execute(sa.delete(tables.keys).where(tables.keys.c.use == "sealing"))
        keys.make_key(conn, keys.KeyUse.SEALING)
    run(Sender(engine, located), NOW)
    assert "add it again" in channel(engine).failure


def test_ok__a_fault_in_a_service_is_said_without_the_address(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    add(engine, receiver, "hook-token")
    happens(engine, HelpCalled())
    raising.look(engine, located, NOW)

    def deliver(address: str, message: Message) -> str:
        raise ValueError(f"can't use {address}")

    run(Sender(engine, located, deliver=deliver), NOW)
    assert channel(engine).failure.startswith("ValueError: can't use")
    assert "hook-token" not in channel(engine).failure


def test_ok__a_redirect_is_not_followed(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    id = add(engine, receiver, "liaisons")
    receiver.code = 302
    assert send_test(engine, located, id, NOW)
    assert len(receiver.got) == 1


def test_ok__a_test_is_sent_at_once(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    id = add(engine, receiver, "liaisons")
    assert send_test(engine, located, id, NOW) == ""
    assert receiver.got[0][1]["title"] == "【试发】某街道"
    receiver.code = 404
    assert "404" in send_test(engine, located, id, NOW)
    assert channel(engine).failed_at == NOW


def test_ok__the_loops_raise_and_send_until_told_to_stop(engine: sa.Engine, located: Located, receiver: Receiver) -> None:
    add(engine, receiver, "liaisons")
    happens(engine, HelpCalled(), at=datetime.now(UTC))
    stop = threading.Event()
    loops = [threading.Thread(target=loop, args=(engine, located, stop)) for loop in (raising.keep_looking, keep_sending)]
    for loop in loops:
        loop.start()
    waiting = threading.Event()
    for _ in range(200):
        if receiver.got or waiting.wait(0.1):
            break
    stop.set()
    for loop in loops:
        loop.join(timeout=30)
    assert not any(loop.is_alive() for loop in loops)
    assert [body["title"] for _, body in receiver.got] == ["【警报】求助 · 锦绣苑 东门"]
