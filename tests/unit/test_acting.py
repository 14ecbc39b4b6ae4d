"""演员查: what the journal's entries come to, passes made for it, scoring at sending and later, and its pages."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from werkzeug.test import TestResponse

from contract.codec import encode
from contract.directory import split
from contract.events import Body, Clock, Correction, Direction, Entry, Event, Outcome, kind_of
from hub import acting, audit, exporting, inspections
from hub.config import HubSettings, Located, Web
from hub.inspections import Wanted
from hub.registry import accounts, directory, holders, keys, pass_lists, passes, places, versions
from hub.registry.errors import RegistryError
from hub.registry.passes import IssuedPass
from hub.rights import Role, Scope, ScopeKind
from hub.rules.acting import EXPECTED, LET_IN, Attempt, Expected, Kind, Said, Tried, Verdict, attempt, judged
from hub.rules.inspection import Method, Sheet, problems
from hub.store import migrate, open_store, tables
from hub.store.supervision import inspections as inspections_table
from hub.web import create_app

NOW = datetime.now(UTC).replace(microsecond=0)
"""Passes are issued at the real time."""
ZONE = ZoneInfo("Asia/Shanghai")
PASS, OTHER = "ab" * 16, "cd" * 16


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


# ---- the rules ----


def tried(outcome: Outcome, minutes: float = 0, pass_id: str | None = PASS, **more: Any) -> Tried:
    usual = {"id": uuid4().hex, "direction": Direction.IN, "directory_version": 9}
    return Tried(**usual | {"at": at(minutes), "outcome": outcome, "pass_id": pass_id} | more)


ADMIT, REFUSE, REFER, RETAKE, UNCHECKED = Outcome.ADMIT, Outcome.REFUSE, Outcome.REFER, Outcome.RETAKE, Outcome.UNCHECKED
SCORES = {
    "refused": (Kind.EXPIRED, Said.STOPPED, [tried(REFUSE)], REFUSE, Verdict.PASSED),
    "referred": (Kind.BORROWED, Said.STOPPED, [tried(REFER)], REFER, Verdict.PASSED),
    "asked aside": (Kind.FEVER, Said.AWAY, [tried(RETAKE)], RETAKE, Verdict.PASSED),
    "let in": (Kind.EXPIRED, Said.IN, [tried(ADMIT)], ADMIT, Verdict.FAILED),
    "let in, says the journal alone": (Kind.EXPIRED, Said.STOPPED, [tried(ADMIT)], ADMIT, Verdict.FAILED),
    "refused, and let in all the same": (Kind.ELSEWHERE, Said.IN, [tried(REFUSE)], REFUSE, Verdict.FAILED),
    "no record": (Kind.EXPIRED, Said.IN, [], None, Verdict.UNSEEN),
    "somebody else's entry": (Kind.EXPIRED, Said.IN, [tried(ADMIT, pass_id=OTHER)], None, Verdict.UNSEEN),
    "before the window": (Kind.EXPIRED, Said.STOPPED, [tried(REFUSE, -11)], None, Verdict.UNSEEN),
    "at its edge": (Kind.EXPIRED, Said.STOPPED, [tried(REFUSE, -10)], REFUSE, Verdict.PASSED),
    "after the window": (Kind.EXPIRED, Said.STOPPED, [tried(REFUSE, 11)], None, Verdict.UNSEEN),
    "referred, then let in": (
        Kind.FEVER, Said.IN, [tried(REFER, 0, id="a"), tried(ADMIT, 20, None, follows="a")], ADMIT, Verdict.FAILED,
    ),
    "another who continues somebody else": (
        Kind.FEVER, Said.STOPPED, [tried(REFER, 0, id="a"), tried(ADMIT, 1, None, follows="b")], REFER, Verdict.PASSED,
    ),
    "by a station that had not heard": (Kind.REVOKED, Said.IN, [tried(ADMIT, directory_version=8)], ADMIT, Verdict.UNTOLD),
    "by one that had": (Kind.REVOKED, Said.IN, [tried(ADMIT, directory_version=9)], ADMIT, Verdict.FAILED),
    "without a pass, written down": (Kind.NO_PASS, Said.IN, [tried(ADMIT, 0, None)], ADMIT, Verdict.PASSED),
    "without a pass, walked through": (Kind.NO_PASS, Said.IN, [tried(UNCHECKED, 0, None)], UNCHECKED, Verdict.FAILED),
    "without a pass, waved through": (Kind.NO_PASS, Said.IN, [tried(REFUSE, 0, None), tried(ADMIT)], None, Verdict.UNSEEN),
    "without a pass, stopped": (
        Kind.NO_PASS, Said.STOPPED, [tried(ADMIT, 0, None), tried(REFER, 1, None)], REFER, Verdict.PASSED,
    ),
    "without a pass, stopped by word alone": (Kind.NO_PASS, Said.STOPPED, [tried(ADMIT, 0, None)], None, Verdict.UNSEEN),
    "without a pass, and away": (Kind.NO_PASS, Said.AWAY, [tried(REFUSE, 0, None)], None, Verdict.UNSEEN),
    "a vehicle is none": (Kind.NO_PASS, Said.IN, [tried(ADMIT, 0, None, vehicle=True)], None, Verdict.UNSEEN),
    "what was keyed in later is none": (Kind.NO_PASS, Said.IN, [tried(ADMIT, 0, None, written=True)], None, Verdict.UNSEEN),
    "who goes out is none": (Kind.NO_PASS, Said.IN, [tried(ADMIT, 0, None, direction=Direction.OUT)], None, Verdict.UNSEEN),
}  # fmt: skip


@pytest.mark.parametrize("kind, said, entries, seen, verdict", SCORES.values(), ids=SCORES)
def test_what_the_journal_says_gives_the_score(
    kind: Kind, said: Said, entries: list[Tried], seen: Outcome | None, verdict: Verdict
) -> None:
    version = 9 if kind is Kind.REVOKED else 0
    found = judged(attempt(kind, PASS, NOW, 10, said, version), entries)
    assert (found.seen, found.verdict) == (seen, verdict)


@pytest.mark.parametrize(
    "verdict, said, good",
    [(Verdict.PASSED, Said.STOPPED, True), (Verdict.FAILED, Said.STOPPED, False), (Verdict.UNSEEN, Said.IN, False),
     (Verdict.UNSEEN, Said.STOPPED, None), (Verdict.UNSEEN, Said.AWAY, None), (Verdict.UNTOLD, Said.IN, None)],
)  # fmt: skip
def test_what_is_counted_as_good_practice_and_what_as_a_fault(verdict: Verdict, said: Said, good: bool | None) -> None:
    assert replace(attempt(Kind.EXPIRED, PASS, NOW, 5, said), verdict=verdict).good is good


entries = st.lists(
    st.builds(tried, st.sampled_from(Outcome), st.integers(-15, 15), st.sampled_from([PASS, OTHER, None])), max_size=8
)


@given(entries, st.sampled_from(Kind), st.sampled_from(Said))
def test_who_is_kept_out_in_the_journal_and_by_word_is_never_a_fault(found: list[Tried], kind: Kind, said: Said) -> None:
    one = judged(attempt(kind, PASS, NOW, 10, said), found)
    if said is not Said.IN and not any(entry.outcome in LET_IN for entry in found):
        assert one.good is not False
    if one.verdict is Verdict.PASSED and one.expected is Expected.KEPT_OUT:
        assert said is not Said.IN
        assert one.seen not in LET_IN
    assert judged(one, found) == one == judged(one, reversed(found))


def test_who_has_no_pass_is_to_be_written_down_and_everybody_else_kept_out() -> None:
    assert {kind for kind, expected in EXPECTED.items() if expected is Expected.RECORDED} == {Kind.NO_PASS}
    assert attempt(Kind.NO_PASS, PASS, NOW, 5, Said.IN).pass_id is None


def test_an_attempt_is_kept_as_it_was() -> None:
    one = judged(attempt(Kind.REVOKED, PASS, NOW, 5, Said.IN, 7), [tried(ADMIT)])
    kept = acting.packed(one)
    assert kept.keys() >= {"kind", "pass_id", "from", "until", "expected", "seen", "verdict"}
    assert acting.unpacked(kept) == one


# ---- the store ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two compounds with a gate each, and those who may and may not inspect."""
    path = tmp_path_factory.mktemp("acting") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        places.add_area(conn, "a1", "东片区")
        places.add_committee(conn, "k1", "东片居委", "a1")
        for n, name in (("c1", "锦绣苑"), ("c2", "玉兰苑")):
            places.add_compound(conn, n, name, "k1")
            places.add_gate(conn, f"g-{n}", "东门", n)
        conn.execute(sa.insert(tables.stations).values(id="s1", gate="g-c1", password="x", added_at=NOW))
        for id, role, scope in [
            ("insp", Role.INSPECTOR, Scope(ScopeKind.ALL)), ("second", Role.INSPECTOR, Scope(ScopeKind.COMPOUND, "c2")),
            ("super", Role.SUPERVISOR, Scope(ScopeKind.ALL)), ("reg", Role.REGISTRAR, Scope(ScopeKind.ALL)),
        ]:  # fmt: skip
            accounts.add_account(conn, id, id, role, "a long password", scopes=[scope])
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


LOCATED = Located(HubSettings(web=Web(secure_cookies=False)), Path())


def made(conn: sa.Connection, kind: Kind, by: str = "insp") -> IssuedPass:
    return acting.prepare(conn, LOCATED, "g-c1", kind, by, NOW)


def write(conn: sa.Connection, seq: int, minutes: float, body: Body, id: str = "") -> str:
    event = Event(
        seq=seq, id=id or uuid4().hex, at=at(minutes), boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body
    )  # fmt: skip
    conn.execute(sa.insert(tables.events).values(
        journal="j", seq=seq, id=event.id, station="s1", gate="g-c1", at=event.at, received_at=event.at, boot="b", mono_ns=seq,
        clock="synced", kind=kind_of(body), body=encode(event).decode(),
    ))  # fmt: skip
    return event.id


def entry(outcome: Outcome, pass_id: str | None, **more: Any) -> Entry:
    return Entry(direction=Direction.IN, outcome=outcome, pass_id=pass_id, directory_version=99, **more)


def send(conn: sa.Connection, one: Attempt, id: str = "") -> Attempt:
    """The attempt as it is kept once its inspection was sent."""
    sheet = Sheet(id=id or uuid4().hex, gate="g-c1", method=Method.ACTOR, observed_at=NOW, looks={}, actor=one)
    inspections.send(conn, sheet, "insp", at(1))
    sent = inspections.sent(conn, sheet.id)
    assert sent is not None
    assert sent.actor is not None
    return sent.actor


def test_a_pass_is_made_for_each_kind__of_nobody_and_soon_over(conn: sa.Connection) -> None:
    found = {kind: made(conn, kind) for kind in Kind if kind is not Kind.NO_PASS}
    assert {one.masked_name for one in found.values()} == {"督**试"}
    assert all(one.expires <= NOW + timedelta(hours=24) for one in found.values())
    assert found[Kind.EXPIRED].expires < NOW
    assert found[Kind.REVOKED].revoked_at is not None
    assert {kind: one.compound for kind, one in found.items() if one.compound != "c1"} == {Kind.ELSEWHERE: "c2"}
    for kind, one in found.items():
        fitting = {other for other in found if acting.fits(conn, other, one.id, "g-c1", "insp")}
        assert fitting == ({Kind.BORROWED, Kind.FEVER} if kind in (Kind.BORROWED, Kind.FEVER) else {kind})
        assert not acting.fits(conn, kind, one.id, "g-c1", "second")
    with pytest.raises(RegistryError, match="none to make"):
        made(conn, Kind.NO_PASS)


def test_nobody_has_many_of_them_at_once(conn: sa.Connection) -> None:
    for _ in range(acting.MOST):
        made(conn, Kind.FEVER)
    with pytest.raises(RegistryError, match="10 passes"):
        made(conn, Kind.FEVER)
    assert made(conn, Kind.FEVER, by="super").compound == "c1"


def test_it_stands_in_no_list_and_the_directory_does_not_give_it_away(conn: sa.Connection) -> None:
    good, gone = made(conn, Kind.FEVER), made(conn, Kind.REVOKED)
    assert holders.search(conn, ["c1"], NOW, limit=9) == ([], 0)
    assert pass_lists.page(conn, None, pass_lists.Wanted(), NOW, 9) == ([], 0)
    assert pass_lists.of_building(conn, "c1", "", "", NOW) == pass_lists.chosen(conn, None, [good.id], NOW) == []
    assert passes.list_passes(conn) == []
    assert exporting.holders_table(conn, None, "zh", ZONE, NOW, str).rows == []
    parts = split(directory.build(conn, LOCATED, "c1", NOW))
    assert not any(good.id.encode() in data for data in parts.values())
    assert [name for name, data in parts.items() if gone.id.encode() in data] == ["revocations"]
    assert not any("督".encode() in data for data in parts.values())


def test_an_attempt_is_scored_when_it_is_sent_and_its_pass_is_over(conn: sa.Connection) -> None:
    one = made(conn, Kind.FEVER)
    write(conn, 1, 0, entry(REFER, one.id))
    write(conn, 2, 0, entry(ADMIT, OTHER))
    before = versions.version_of(conn, "c1")
    kept = send(conn, attempt(Kind.FEVER, one.id, NOW, 5, Said.STOPPED))
    assert (kept.seen, kept.verdict) == (REFER, Verdict.PASSED)
    assert passes.find(conn, one.id).revoked_at is not None
    assert versions.version_of(conn, "c1") > before


def test_entries_that_come_late_and_corrections_are_scored_again__for_three_days(conn: sa.Connection) -> None:
    one, id = made(conn, Kind.EXPIRED), uuid4().hex
    assert send(conn, attempt(Kind.EXPIRED, one.id, NOW, 5, Said.STOPPED), id).verdict is Verdict.UNSEEN
    assert acting.step(conn, at(2)) == 0
    shown = write(conn, 1, 0, entry(ADMIT, one.id))

    def scored(minutes: float) -> tuple[int, Verdict]:
        changed, sent = acting.step(conn, at(minutes)), inspections.sent(conn, id)
        assert sent is not None
        assert sent.actor is not None
        return changed, sent.actor.verdict

    assert scored(3) == (1, Verdict.FAILED)
    assert scored(4) == (0, Verdict.FAILED)
    write(conn, 2, 20, Correction(corrects=shown, outcome=REFUSE))
    assert scored(21) == (1, Verdict.PASSED)
    write(conn, 3, 22, Correction(corrects=shown, cancelled=True))
    assert scored(3 * 24 * 60 + 2) == (0, Verdict.PASSED)
    assert scored(23) == (1, Verdict.UNSEEN)


def test_a_revocation_that_the_station_had_not_heard_of_is_not_held_against_the_gate(conn: sa.Connection) -> None:
    one = made(conn, Kind.REVOKED)
    version = acting.told_in(conn, one.id)
    assert version == versions.version_of(conn, "c1")
    write(conn, 1, 0, Entry(direction=Direction.IN, outcome=ADMIT, pass_id=one.id, directory_version=version - 1))
    assert send(conn, attempt(Kind.REVOKED, one.id, NOW, 5, Said.IN, version)).verdict is Verdict.UNTOLD
    assert acting.told_in(conn, one.id) == 0
    unsent = made(conn, Kind.REVOKED)
    acting.step(conn, NOW + timedelta(days=1))
    assert acting.told_in(conn, unsent.id) > 0
    acting.step(conn, NOW + timedelta(days=4))
    assert acting.told_in(conn, unsent.id) == 0


def test_a_pass_of_other_making_is_no_attempt(conn: sa.Connection) -> None:
    with pytest.raises(RegistryError, match="was not made"):
        send(conn, attempt(Kind.FEVER, made(conn, Kind.FEVER, by="super").id, NOW, 5, Said.IN))


def test_an_attempt_goes_with_no_other_method_and_is_enough_by_itself() -> None:
    sheet = Sheet(
        id="0" * 32, gate="g", method=Method.ACTOR, observed_at=NOW, looks={}, actor=attempt(Kind.NO_PASS, None, NOW, 5, Said.IN)
    )
    assert problems(sheet, NOW) == {}
    assert problems(replace(sheet, method=Method.ROUNDS), NOW) == {"actor_kind": "actor"}


def test_inspections_with_a_fault_are_found_by_it(conn: sa.Connection) -> None:
    for n, said in enumerate((Said.IN, Said.AWAY)):
        send(conn, attempt(Kind.NO_PASS, None, NOW, 5, said), f"{n:032x}")
    found = inspections.list_sent(conn, Wanted(since=at(-60), negative=True), None, 9)
    assert [(one.id, one.actor and one.actor.good) for one in found] == [(f"{0:032x}", False)]


# ---- the pages ----


class Browser(FlaskClient):
    """A signed-in account's browser: what it posts has the session's token."""

    token = ""

    def post(self, *args: Any, **kw: Any) -> TestResponse:
        """A form."""
        return super().post(*args, **kw | {"data": {"csrf_token": self.token} | kw.get("data", {})})


@pytest.fixture
def browse(engine: sa.Engine, tmp_path: Path) -> Callable[[str], Browser]:
    app = create_app(Located(HubSettings(web=Web(secure_cookies=False)), tmp_path), engine, now=lambda: NOW)

    def as_(account: str) -> Browser:
        client = Browser(app, app.response_class)
        with app.test_request_context():
            client.token, raw = generate_csrf(), session["csrf_token"]
        with client.session_transaction() as kept:
            kept.update({"_user_id": f"1 {account}", "_fresh": True, "csrf_token": raw})
        return client

    return as_


def form(**changes: str) -> dict[str, str]:
    usual = {"id": uuid4().hex, "method": "actor", "observed_at": f"{NOW.astimezone(ZONE):%Y-%m-%dT%H:%M}"}
    return usual | {"actor_kind": "fever", "actor_said": "stopped", "actor_minutes": "5"} | changes


def test_from_the_pass_to_the_score(browse: Callable[[str], Browser], engine: sa.Engine) -> None:
    insp = browse("insp")
    assert "说自己发热" in insp.get("/inspect/g-c1/actor").text
    answer = insp.post("/inspect/g-c1/actor", data={"kind": "fever"})
    shown = insp.get(answer.headers["Location"])
    assert (answer.status_code, "<svg" in shown.text) == (303, True)
    id = answer.headers["Location"].split("/")[-1].partition("?")[0]
    begun = insp.get(f"/inspect/g-c1?method=actor&actor_kind=fever&actor_pass={id}").text
    assert (f'value="{id}"' in begun, 'value="actor" checked' in begun) == (True, True)
    with engine.begin() as conn:
        write(conn, 1, 0, entry(ADMIT, id))
    sent = insp.post("/inspect/g-c1", data=form(actor_pass=id))
    page = insp.get(sent.headers["Location"]).text
    assert (sent.status_code, "没做到:放行了" in page, "岗亭记录:放行" in page) == (303, True, True)
    assert "说自己发热: 没做到:放行了" in browse("super").get("/inspections").text
    with engine.connect() as conn:
        assert [line.action for line in audit.lines(conn, 9)] == ["send", "issue"]
        assert conn.scalar(sa.select(inspections_table.c.actor))["pass_id"] == id  # type: ignore[index]


@pytest.mark.parametrize("changes, said", [
    ({}, "请先为这一项出一张测试证"), ({"actor_pass": PASS}, "请先为这一项出一张测试证"),
    ({"actor_kind": "no_pass", "actor_said": ""}, "请选结果"), ({"actor_kind": "bribe"}, "请选试了什么"),
])  # fmt: skip
def test_what_is_wrong_with_an_attempt_is_said(
    browse: Callable[[str], Browser], engine: sa.Engine, changes: dict[str, str], said: str
) -> None:
    answer = browse("insp").post("/inspect/g-c1", data=form(**changes))
    assert (answer.status_code, said in answer.text) == (422, True)
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(inspections_table)) == 0


def test_what_was_filled_in_under_another_method_is_left_out(browse: Callable[[str], Browser], engine: sa.Engine) -> None:
    assert browse("insp").post("/inspect/g-c1", data=form(method="rounds", look_desk="yes")).status_code == 303
    with engine.connect() as conn:
        assert conn.scalar(sa.select(inspections_table.c.actor)) is None


def test_a_pass_is_made_and_seen_by_whoever_inspects_there(browse: Callable[[str], Browser]) -> None:
    address = browse("insp").post("/inspect/g-c1/actor", data={"kind": "borrowed"}).headers["Location"]
    assert browse("super").get(address).status_code == 404
    assert browse("second").post("/inspect/g-c1/actor", data={"kind": "fever"}).status_code == 404
    assert browse("reg").get("/inspect/g-c1/actor").status_code == 403
    assert browse("reg").post("/inspect/g-c1/actor", data={"kind": "fever"}).status_code == 403
    assert browse("insp").post("/inspect/g-c1/actor", data={"kind": "no_pass"}).status_code == 400
    assert browse("insp").get(address.replace("kind=borrowed", "kind=expired")).status_code == 404
