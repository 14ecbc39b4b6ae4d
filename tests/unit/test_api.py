"""The API for other programs: its tokens, what each may see, that it keeps to its own document, and its figures."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import schemathesis
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families
from schemathesis import Case, GenerationMode

from contract.codec import encode
from contract.events import Band, Body, Clock, Correction, Direction, Entry, Event, Outcome, Reading, kind_of
from contract.five import Item
from contract.messages import Vitals
from hub import audit, tokens
from hub.commands.tokens import token as token_command
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, places
from hub.registry.errors import RegistryError
from hub.rights import Action, Role, Scope, ScopeKind
from hub.store import meta, migrate, open_store, supervision, tables
from hub.web import create_app

NOW = datetime(2026, 2, 16, 7, 41, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
YEAR = NOW + timedelta(days=365)
BOTH = (Action.VIEW, Action.ALERT)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


# ---- a sub-district of two compounds: c1 with east (five) and north (no thermometer), c2 with south (never heard) ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seeded") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        seed_places(conn)
        for id, role, scope in (("boss", Role.ADMIN, Scope(ScopeKind.ALL)), ("li", Role.LIAISON, Scope(ScopeKind.COMPOUND, "c1")),
                                ("look", Role.INSPECTOR, Scope(ScopeKind.ALL))):  # fmt: skip
            accounts.add_account(conn, id, id, role, "a long password", scopes=[scope])
        seed_supervision(conn)
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    """A store of its own for each test."""
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


def seed_places(conn: sa.Connection) -> None:
    places.add_area(conn, "a1", "东片区")
    places.add_committee(conn, "j1", "东片居委", "a1")
    for compound, gates in (("c1", ("east", "north")), ("c2", ("south",))):
        places.add_compound(conn, compound, f"小区{compound}", "j1", "李敏")
        for gate in gates:
            places.add_gate(conn, gate, gate, compound)
            conn.execute(sa.insert(tables.stations).values(id=f"{gate}-1", gate=gate, lane="1", added_at=ago(9999)))
    vitals = Vitals(boot="b", mono_ns=1, at=NOW, clock=Clock.SYNCED, last_seq=9, backlog=3, directory_version=7,
                    disk_free_bytes=5, software='v"1')  # fmt: skip
    for gate in ("east", "north"):
        told = {"station": f"{gate}-1", "online": True, "heard_at": ago(0.5), "vitals": encode(vitals).decode()}
        conn.execute(sa.insert(tables.pulses).values(**told))
        for item in Item:
            present = (gate, item) != ("north", Item.TEMPERATURE)
            conn.execute(sa.insert(tables.evidence).values(
                station=f"{gate}-1", item=item, basis="sensor", present=present, observed_at=ago(130),
                reason=None if present else "thermometer_silent", valid_until=NOW + timedelta(hours=1) if present else None,
            ))  # fmt: skip


def seed_supervision(conn: sa.Connection) -> None:
    for id, gate, sent in (("i1", "east", ago(10)), ("i2", "south", ago(5)), ("i3", "east", None)):
        row = {"id": id, "gate": gate, "method": "off_peak", "by": "look", "observed_at": ago(12), "sent_at": sent}
        conn.execute(sa.insert(supervision.inspections).values(**row, conduct=False, note="没问外来人员"))
    conn.execute(sa.insert(supervision.findings).values(inspection="i1", item="desk", present=False, note="没有桌子"))
    for id, gate, state in (("r1", "north", "open"), ("r2", "south", "closed")):
        row = {"id": id, "gate": gate, "item": "temperature", "cause": "missing", "opened_at": ago(60), "due_at": ago(-60)}
        conn.execute(sa.insert(supervision.rectifications).values(**row, state=state))
    for id, compound in (("a1", "c1"), ("a2", "c2"), ("a3", None)):
        row = {"id": id, "kind": "disk_low", "key": id, "compound": compound, "subject": id, "level": "alarm", "count": 1}
        conn.execute(sa.insert(supervision.alerts).values(**row, first_at=ago(9), last_at=ago(1)))


def happened(conn: sa.Connection, gate: str, seq: int, minutes_ago: float, body: Body) -> None:
    event = Event(seq=seq, id=f"e{seq}", at=ago(minutes_ago), boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
    conn.execute(sa.insert(tables.events).values(
        journal="j", seq=seq, id=event.id, station=f"{gate}-1", gate=gate, at=event.at, received_at=event.at, boot="b",
        mono_ns=seq, clock="synced", kind=kind_of(body), body=encode(event).decode(),
    ))  # fmt: skip


@pytest.fixture
def app(engine: sa.Engine, tmp_path: Path) -> Flask:
    return create_app(Located(HubSettings(web=Web(secure_cookies=False)), tmp_path), engine, now=lambda: NOW)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def add_token(engine: sa.Engine, account: str = "boss", actions: tuple[Action, ...] = BOTH, ends: datetime = YEAR) -> str:
    with engine.begin() as conn:
        return tokens.add(conn, name="大屏", account=account, actions=actions, at=NOW, expires_at=ends)[1]


def ask(client: FlaskClient, path: str, secret: str, method: str = "GET") -> tuple[int, Any]:
    answer = client.open(f"/api/v1{path}", method=method, headers={"Authorization": f"Bearer {secret}"})
    return answer.status_code, answer.get_json(force=True)


# ---- tokens ----


def test_ok__a_token_is_kept_as_a_hash_and_listed_without_it(engine: sa.Engine) -> None:
    secret = add_token(engine)
    with engine.connect() as conn:
        (row,) = conn.execute(sa.select(supervision.tokens)).mappings()
        (listed,) = tokens.listed(conn)
        assert secret not in str(dict(row)) + str(listed)
        known = tokens.bearer(conn, secret, NOW)
    assert known is not None
    assert (known.account.id, known.token.actions) == ("boss", frozenset(BOTH))


@pytest.mark.parametrize(
    "change, said",
    [
        ({"name": " "}, "needs a name"), ({"account": "nobody"}, "no account"), ({"actions": ()}, "at least one right"),
        ({"account": "look", "actions": BOTH}, "may not alert"), ({"expires_at": NOW}, "ends after today"),
        ({"expires_at": NOW + timedelta(days=9999)}, "within ten years"),
    ],
)  # fmt: skip
def test_fail__a_token_beyond_its_account(engine: sa.Engine, change: dict[str, Any], said: str) -> None:
    wanted: dict[str, Any] = {"name": "x", "account": "boss", "actions": BOTH, "at": NOW, "expires_at": YEAR, **change}
    with engine.begin() as conn, pytest.raises(RegistryError, match=said):
        tokens.add(conn, **wanted)


@pytest.mark.parametrize("change", [{"revoked_at": NOW}, {"expires_at": NOW}, {"hash": "0" * 64}])
def test_fail__a_token_that_is_good_no_more(client: FlaskClient, engine: sa.Engine, change: dict[str, Any]) -> None:
    secret = add_token(engine)
    with engine.begin() as conn:
        conn.execute(sa.update(supervision.tokens).values(**change))
    answer = client.get("/api/v1/status", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="gatepost", error="invalid_token"'
    assert answer.mimetype == "application/problem+json"


def test_fail__a_token_ends_with_its_account(client: FlaskClient, engine: sa.Engine) -> None:
    secret = add_token(engine, "li", (Action.VIEW,))
    assert ask(client, "/status", secret)[0] == 200
    with engine.begin() as conn:
        accounts.disable(conn, "li")
    assert ask(client, "/status", secret)[0] == 401


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic Ym9zczp4", "Bearer gp_\u00e4", "Bearer " + "x" * 9999])
def test_fail__without_a_token(client: FlaskClient, header: str | None) -> None:
    answer = client.get("/api/v1/status", headers={"Authorization": header} if header is not None else {})
    assert (answer.status_code, answer.headers["WWW-Authenticate"][:24]) == (401, 'Bearer realm="gatepost"' + answer.headers[
        "WWW-Authenticate"][23:24])  # fmt: skip
    assert answer.get_json(force=True)["status"] == 401


def test_fail__a_session_opens_no_api(client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = "1 boss", True
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/status").status_code == 401
    assert client.post("/api/v1/alerts/a1/acknowledge").status_code == 401


def test_fail__a_token_opens_no_page(client: FlaskClient, engine: sa.Engine) -> None:
    assert client.get("/", headers={"Authorization": f"Bearer {add_token(engine)}"}).status_code == 302


def test_ok__use_is_noted_once_a_minute(client: FlaskClient, engine: sa.Engine) -> None:
    secret = add_token(engine)

    def used_at() -> datetime | None:
        with engine.connect() as conn:
            return tokens.listed(conn)[0].used_at

    ask(client, "/status", secret)
    assert used_at() == NOW
    with engine.begin() as conn:
        conn.execute(sa.update(supervision.tokens).values(used_at=NOW - timedelta(seconds=59)))
    ask(client, "/status", secret)
    assert used_at() == NOW - timedelta(seconds=59)


# ---- what it answers ----


def test_ok__status(client: FlaskClient, engine: sa.Engine) -> None:
    code, said = ask(client, "/status", add_token(engine))
    assert code == 200
    assert said["sentence"].startswith("开放门岗3:达标1、缺1、失联1;最久 小区c1 north 缺测温")
    assert said["counts"] == {"total": 3, "compliant": 1, "non_compliant": 1, "unreachable": 1, "closed": 0}
    north, south = (next(g for g in said["gates"] if g["gate"] == id) for id in ("north", "south"))
    assert north["items"]["temperature"]["present"] is False
    assert north["items"]["temperature"]["reason"] == "thermometer_silent"
    assert north["stations"][0]["backlog"] == 3
    assert {item["present"] for item in south["items"].values()} == {None}


def test_ok__the_sentence_in_either_language(client: FlaskClient, engine: sa.Engine) -> None:
    secret = add_token(engine)
    assert ask(client, "/status?language=en", secret)[1]["sentence"].startswith("3 open gates")
    code, problem = ask(client, "/status?language=fr", secret)
    assert (code, "language" in problem["detail"]) == (400, True)


def test_ok__a_token_sees_its_accounts_compounds_alone(client: FlaskClient, engine: sa.Engine) -> None:
    secret = add_token(engine, "li")
    assert [g["gate"] for g in ask(client, "/status", secret)[1]["gates"]] == ["east", "north"]
    for path in ("/gates/south", "/gates/south/entries", "/gates/south/intervals", "/gates/nowhere"):
        assert ask(client, path, secret)[0] == 404, path
    assert [one["id"] for one in ask(client, "/rectifications", secret)[1]["rectifications"]] == ["r1"]
    assert [one["id"] for one in ask(client, "/inspections", secret)[1]["inspections"]] == ["i1"]
    assert [one["id"] for one in ask(client, "/alerts", secret)[1]["alerts"]] == ["a1"]
    assert [one["id"] for one in ask(client, "/places", secret)[1]["compounds"]] == ["c1"]
    assert ask(client, "/alerts/a2/acknowledge", secret, "POST")[0] == 404
    assert ask(client, "/alerts/a3/acknowledge", secret, "POST")[0] == 404


def test_ok__an_inspection_is_seen_when_it_was_sent(client: FlaskClient, engine: sa.Engine) -> None:
    found = ask(client, "/inspections", add_token(engine))[1]["inspections"]
    assert [one["id"] for one in found] == ["i2", "i1"]
    assert found[1]["findings"] == [{"item": "desk", "present": False, "note": "没有桌子"}]


def test_ok__places(client: FlaskClient, engine: sa.Engine) -> None:
    said = ask(client, "/places", add_token(engine))[1]
    assert (said["timezone"], said["compounds"][0]["area_name"]) == ("Asia/Shanghai", "东片区")
    assert [gate["stations"] for gate in said["compounds"][0]["gates"]] == [["east-1"], ["north-1"]]


def test_ok__rectifications_by_state(client: FlaskClient, engine: sa.Engine) -> None:
    secret = add_token(engine)
    assert [one["id"] for one in ask(client, "/rectifications?state=closed", secret)[1]["rectifications"]] == ["r2"]
    assert ask(client, "/rectifications?state=late", secret)[0] == 400


def test_ok__acknowledging_is_noted_once(client: FlaskClient, engine: sa.Engine) -> None:
    secret = add_token(engine, "li")
    for _ in range(2):
        code, said = ask(client, "/alerts/a1/acknowledge", secret, "POST")
        assert (code, datetime.fromisoformat(said["acknowledged_at"])) == (200, NOW)
    with engine.connect() as conn:
        assert [(line.account, line.action) for line in audit.lines(conn, 9, object="a1")] == [("li", "acknowledge")]


@pytest.mark.parametrize("role", list(Role))
def test_ok__role_and_action(client: FlaskClient, engine: sa.Engine, role: Role) -> None:
    """A token that was given both rights does no more than its account may now."""
    secret = add_token(engine)
    with engine.begin() as conn:
        conn.execute(sa.update(tables.accounts).where(tables.accounts.c.id == "boss").values(role=role))
    may_alert = role in (Role.ADMIN, Role.SUPERVISOR, Role.LIAISON)
    assert ask(client, "/status", secret)[0] == 200
    assert ask(client, "/alerts/a1/acknowledge", secret, "POST")[0] == (200 if may_alert else 403)


def test_fail__a_token_without_the_right(client: FlaskClient, engine: sa.Engine) -> None:
    code, problem = ask(client, "/alerts/a1/acknowledge", add_token(engine, actions=(Action.VIEW,)), "POST")
    assert (code, problem["title"], "alert" in problem["detail"]) == (403, "Forbidden", True)


# ---- long lists ----


def test_ok__entries_page_on_without_whose_they_are(client: FlaskClient, engine: sa.Engine) -> None:
    reading = Reading(band=Band.FEVER, source="mlx90614", body_celsius=37.6)
    with engine.begin() as conn:
        for seq in range(1, 8):
            body = Entry(
                direction=Direction.IN, outcome=Outcome.REFER, reading=reading, pass_id="ab" * 16, by="badge-1", colour="red"
            )
            happened(conn, "east", seq, 60 - seq // 2, body)
        happened(conn, "east", 8, 50, Correction(corrects="e1", outcome=Outcome.ADMIT))
        happened(conn, "east", 9, 49, Correction(corrects="e2", cancelled=True))
    secret, seen, path = add_token(engine), [], "/gates/east/entries?limit=2"
    while path:
        said = ask(client, path, secret)[1]
        seen += said["entries"]
        path = f"/gates/east/entries?limit=2&before={said['next_before']}" if said["next_before"] else ""
    assert sorted(entry["id"] for entry in seen) == [f"e{n}" for n in range(1, 8)]
    entries = {entry["id"]: entry for entry in seen}
    assert (entries["e1"]["outcome"], entries["e2"]["cancelled"], entries["e3"]["outcome"]) == ("admit", True, "refer")
    assert entries["e3"]["reading"]["body_celsius"] == 37.6
    assert not {"pass_id", "by", "colour", "personal", "sealed"} & entries["e3"].keys()
    assert "ab" * 16 not in json.dumps(seen)


def test_ok__intervals_that_begin_together_are_not_parted(client: FlaskClient, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        for began in (90, 60, 30):
            for item in Item:
                row = {"gate": "east", "what": item, "began_at": ago(began), "state": "present"}
                conn.execute(sa.insert(tables.intervals).values(**row, ended_at=ago(began - 30)))
    secret, seen, before = add_token(engine), [], ""
    for _ in range(9):
        said = ask(client, f"/gates/east/intervals?limit=3{before}", secret)[1]
        seen += [(one["began_at"], one["what"]) for one in said["intervals"]]
        if said["next_before"] is None:
            break
        before = f"&before={said['next_before']}"
    assert (len(seen), len(set(seen))) == (15, 15)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "size=3", "before=yesterday", "before=2020-01-01T00:00:00", "before="]
)
def test_fail__a_bad_query_names_the_parameter(client: FlaskClient, engine: sa.Engine, query: str) -> None:
    code, problem = ask(client, f"/alerts?{query}", add_token(engine))
    assert (code, query.partition("=")[0] in problem["detail"]) == (400, True)


@pytest.mark.parametrize("before", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
def test_ok__the_ends_of_the_calendar(client: FlaskClient, engine: sa.Engine, before: str) -> None:
    assert ask(client, f"/alerts?before={before}", add_token(engine))[0] == 200


# ---- the document ----


def test_ok__errors_of_paths_and_methods(client: FlaskClient) -> None:
    for path, method, code in (("/nowhere", "GET", 404), ("/gates/", "GET", 404), ("/status", "DELETE", 405)):
        answer = client.open(f"/api/v1{path}", method=method)
        assert (answer.status_code, answer.mimetype) == (code, "application/problem+json"), path
        assert answer.get_json(force=True)["title"]


def test_ok__the_document_stands_by_itself(client: FlaskClient) -> None:
    said = client.get("/api/v1/openapi.json").get_json()
    assert said["openapi"] == "3.1.0"
    assert set(said["paths"]) == {
        "/status", "/gates/{gate}", "/gates/{gate}/entries", "/gates/{gate}/intervals", "/rectifications", "/inspections",
        "/alerts", "/alerts/{alert}/acknowledge", "/places", "/metrics",
    }  # fmt: skip
    for schema in said["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    wanted = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(said)))
    assert wanted == set(said["components"]["schemas"])
    methods = {method for path in said["paths"].values() for method in path}
    assert methods == {"get", "post"}


KNOWN = {"gate": "east", "alert": "a1"}


def test_ok__schemathesis_finds_no_server_error_and_no_violation(app: Flask, engine: sa.Engine) -> None:
    """Each operation with good and with bad parameters, of gates and alerts that are there and of others."""
    with engine.begin() as conn:
        happened(conn, "east", 1, 60, Entry(direction=Direction.IN, outcome=Outcome.ADMIT))
    headers = {"Authorization": f"Bearer {add_token(engine)}"}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    codes: Counter[tuple[str, int]] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        path = {name: KNOWN[name] for name in re.findall(r"{(\w+)}", operation.path)}
        for mode, given_path in ((GenerationMode.POSITIVE, path), (GenerationMode.POSITIVE, {}), (GenerationMode.NEGATIVE, path)):
            if mode is GenerationMode.NEGATIVE and not operation.query:
                continue  # nothing of it could be wrong
            cases = operation.as_strategy(mode, **({"path_parameters": given_path} if given_path else {}))
            validate(cases, headers, lambda code, label=operation.label: codes.update([(label, code)]))  # type: ignore[misc]
    labels = {label for label, _ in codes}
    assert len(labels) == 10
    assert all(codes[label, 200] for label in labels), codes
    assert {code for _, code in codes} <= {200, 400, 401, 404}


def validate(cases: SearchStrategy[Case], headers: dict[str, str], answered: Callable[[int], None]) -> None:
    """Ask for some eight cases, always the same ones, and hold each answer against the document."""

    @settings(max_examples=8, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases)
    def each(case: Case) -> None:
        answered(case.call_and_validate(headers=headers).status_code)

    each()


# ---- figures ----


def figures(client: FlaskClient, secret: str) -> dict[tuple[str, str], float]:
    """Name and sorted labels → value."""
    answer = client.get("/api/v1/metrics", headers={"Authorization": f"Bearer {secret}"})
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found[sample.name, ",".join(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def test_ok__metrics(client: FlaskClient, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.insert(tables.journals).values(id="j", station="east-1", first_heard=NOW, fork_at=7))
        conn.execute(sa.insert(tables.ranges).values(journal="j", first=1, last=6))
        row = {"received_at": NOW, "topic": "x", "payload": b"", "reason": "x"}
        conn.execute(sa.insert(tables.malformed), [row, row])
    found = figures(client, add_token(engine))
    assert [found["gatepost_gates", status] for status in ("compliant", "non_compliant", "unreachable", "closed")] == [1, 1, 1, 0]
    items = {key[1]: value for key, value in found.items() if key[0] == "gatepost_gate_item_present"}
    assert (items["c1,east,desk"], items["c1,north,temperature"], len(items)) == (1, 0, 10)
    assert not any("south" in labels for labels in items)
    assert found["gatepost_station_backlog_events", "east,east-1"] == 3
    assert found["gatepost_station_clock_synced", "east,east-1"] == 1
    assert found["gatepost_station_heard_age_seconds", "east,east-1"] == 30
    assert found["gatepost_station_disk_free_bytes", "east,east-1"] == 5
    assert found["gatepost_station_software", 'east,v"1,east-1'] == 1
    assert (found["gatepost_oldest_pulse_seconds", ""], found["gatepost_stations_never_heard", ""]) == (30, 1)
    assert found["gatepost_events_stored_total", ""] == 6
    assert found["gatepost_messages_refused_total", ""] == 2
    assert found["gatepost_journals_forked_total", ""] == 1
    assert (found["gatepost_alerts_open", "alarm"], found["gatepost_alerts_unsent", ""]) == (3, 0)
    assert 0 < found["gatepost_hub_disk_free_bytes", ""] <= found["gatepost_hub_disk_bytes", ""]


def test_ok__a_blind_hub_claims_nothing(client: FlaskClient, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        meta.went_blind(conn, ago(5))
    found = figures(client, add_token(engine))
    assert found["gatepost_hub_blind", ""] == 1
    assert not any(name == "gatepost_gate_item_present" for name, _ in found)


def test_ok__figures_of_the_hub_are_for_whoever_sees_all(client: FlaskClient, engine: sa.Engine) -> None:
    found = figures(client, add_token(engine, "li"))
    assert found["gatepost_gates", "unreachable"] == 0
    assert not any(name in ("gatepost_events_stored_total", "gatepost_hub_disk_bytes") for name, _ in found)


# ---- the pages ----


def signed_in(client: FlaskClient, account: str = "boss") -> FlaskClient:
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"1 {account}", True
    return client


def send(client: FlaskClient, path: str, **data: Any) -> Any:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/tokens").text)
    assert token
    return client.post(path, data={"csrf_token": token[1], **data})


def test_ok__a_token_is_made_shown_once_and_revoked(app: Flask, engine: sa.Engine) -> None:
    client = signed_in(app.test_client())
    answer = send(client, "/tokens", name="区大屏", account="li", actions=["view", "alert"], last_day="2026-03-01")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/tokens")
    page = client.get("/tokens").text
    secret = re.search(r'id="fresh-token">([^<]+)<', page)
    assert secret
    assert secret[1] not in client.get("/tokens").text
    with engine.connect() as conn:
        (made,) = tokens.listed(conn)
        assert [(line.account, line.action) for line in audit.lines(conn, 9, object=made.id)] == [("boss", "add")]
        assert secret[1] not in str(audit.lines(conn, 9))
    assert made.expires_at == datetime(2026, 3, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert ask(client, "/status", secret[1])[0] == 200
    assert send(client, f"/tokens/{made.id}/revoke").status_code == 303
    assert ask(client, "/status", secret[1])[0] == 401
    assert send(client, f"/tokens/{made.id}/revoke").status_code == 404
    assert "已吊销" in client.get("/tokens").text


@pytest.mark.parametrize(
    "change, said",
    [
        ({"name": ""}, "请写明给哪个程序用"), ({"name": "x" * 101}, "100字以内"), ({"account": "nobody"}, "请从列表中选一个账号"),
        ({"actions": []}, "请至少勾选一项"), ({"actions": ["audit"]}, "请至少勾选一项"), ({"last_day": "2026-02-15"}, "今天起"),
        ({"last_day": "soon"}, "今天起"), ({"last_day": "9999-12-31"}, "今天起"),
        ({"account": "look", "actions": ["alert"]}, "没有所选的权限"),
    ],
)  # fmt: skip
def test_fail__a_bad_form_keeps_what_was_typed(app: Flask, engine: sa.Engine, change: dict[str, Any], said: str) -> None:
    form = {"name": "大屏", "account": "li", "actions": ["view"], "last_day": "2026-03-01", **change}
    answer = send(signed_in(app.test_client()), "/tokens", **form)
    assert (answer.status_code, said in answer.text) == (400, True)
    assert "name" in change or 'value="大屏"' in answer.text
    with engine.connect() as conn:
        assert tokens.listed(conn) == []


@pytest.mark.parametrize("role", list(Role))
def test_ok__the_pages_of_tokens_are_the_administrators(app: Flask, engine: sa.Engine, role: Role) -> None:
    with engine.begin() as conn:
        conn.execute(sa.update(tables.accounts).where(tables.accounts.c.id == "boss").values(role=role))
    client, right = signed_in(app.test_client()), role is Role.ADMIN
    assert client.get("/tokens").status_code == (200 if right else 403)
    assert app.test_client().get("/tokens").status_code == 302
    with engine.begin() as conn:
        id, _ = tokens.add(conn, name="x", account="look", actions=(Action.VIEW,), at=NOW, expires_at=YEAR)
    if not right:
        page = client.get("/").text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token
        for path in ("/tokens", f"/tokens/{id}/revoke"):
            assert client.post(path, data={"csrf_token": token[1]}).status_code == 403


def test_fail__a_token_form_without_its_own_token(app: Flask) -> None:
    assert signed_in(app.test_client()).post("/tokens", data={"name": "x"}).status_code == 400


# ---- the command line ----


def test_ok__the_command_line(tmp_path: Path, engine: sa.Engine) -> None:
    (tmp_path / "hub.toml").write_text('name = "街道"\n', encoding="utf-8")
    config = ["--config", str(tmp_path / "hub.toml")]

    def run(*args: str) -> str:
        ran = CliRunner().invoke(token_command, [args[0], *config, *args[1:]])
        assert ran.exit_code == 0, ran.output
        return ran.output.strip()

    secret = run("add", "大屏", "--account", "li", "--may", "view", "--days", "30")
    with engine.connect() as conn:
        assert tokens.bearer(conn, secret, datetime.now(UTC)) is not None
    listed = json.loads(run("list", "--json"))
    assert (listed["name"], listed["account"], listed["actions"], listed["revoked_at"]) == ("大屏", "li", "view", None)
    run("revoke", listed["id"])
    with engine.connect() as conn:
        assert tokens.bearer(conn, secret, datetime.now(UTC)) is None
        assert [line.action for line in audit.lines(conn, 9)] == ["revoke", "add"]
