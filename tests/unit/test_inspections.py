"""督查: the rules, what a sent inspection does in the store, and the pages, for each role what it may and may not."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from shutil import copy
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contract.five import Basis, Evidence, Item, Lifetimes, assess_gate
from hub import audit, findings, inspections, judging, pictures, rectifications, status
from hub.config import HubSettings, Located, Web
from hub.inspections import Wanted
from hub.judging import Judging
from hub.registry import accounts, directory, keys, places, versions
from hub.registry.errors import RegistryError
from hub.rights import Role, Scope, ScopeKind
from hub.rules import compliance
from hub.rules.compliance import Lane, Place, Status
from hub.rules.inspection import CONDUCT, Found, Look, Method, Sheet, as_evidence, negatives, outranking, problems, verdict
from hub.rules.rectify import State
from hub.store import migrate, open_store, tables
from hub.store.supervision import inspections as inspections_table
from hub.store.writing import writing
from hub.web import create_app
from hub.web.inspecting import MOST_SENT

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 2, 16, 7, 41, tzinfo=ZONE).astimezone(UTC)
JUDGING = Judging(lifetimes=Lifetimes(), zone=ZONE)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def sheet(**changes: Any) -> Sheet:
    """A round at the east gate without a desk, three minutes ago."""
    looks = {Item.VOLUNTEER: Look(present=True), Item.DESK: Look(present=False, note="桌上没有人")}
    usual = Sheet(id=uuid4().hex, gate="east", method=Method.ROUNDS, observed_at=ago(3), looks=looks, note="下雨")
    return replace(usual, **changes)


def found(item: Item, present: bool, minutes: float, late: float = 0) -> Found:
    return Found(
        inspection="i", item=item, present=present, observed_at=ago(minutes), sent_at=ago(minutes - late), by="ins", note="n"
    )  # fmt: skip


# ---- rules ----

PROBLEMS = {
    "as it should be": ({}, None, {}),
    "a fast clock": ({"observed_at": ago(-5)}, None, {}),
    "later than now": ({"observed_at": ago(-5.1)}, None, {"observed_at": "future"}),
    "a day ago": ({"observed_at": ago(24 * 60)}, None, {}),
    "older": ({"observed_at": ago(24 * 60 + 1)}, None, {"observed_at": "old"}),
    "nothing looked at": ({"looks": {}}, None, {"looks": "nothing"}),
    "conduct alone": ({"looks": {}, "conduct": False}, None, {}),
    "a re-check of nothing": ({"method": Method.RECHECK}, None, {"method": "recheck"}),
    "a re-check by another method": ({"rechecks": "r1"}, "desk", {"method": "recheck"}),
    "a re-check": ({"method": Method.RECHECK, "rechecks": "r1"}, "desk", {}),
    "a re-check without its item": ({"method": Method.RECHECK, "rechecks": "r1"}, "passes", {"look_passes": "recheck"}),
    "a re-check of conduct": ({"method": Method.RECHECK, "rechecks": "r1", "conduct": True}, CONDUCT, {}),
    "a re-check without conduct": ({"method": Method.RECHECK, "rechecks": "r1"}, CONDUCT, {"look_conduct": "recheck"}),
}  # fmt: skip


@pytest.mark.parametrize("changes, rechecked, wrong", PROBLEMS.values(), ids=PROBLEMS)
def test_problems(changes: dict[str, Any], rechecked: str | None, wrong: dict[str, str]) -> None:
    assert problems(sheet(**changes), NOW, rechecked) == wrong


def test_ok__negatives_in_the_order_of_the_five_with_their_notes() -> None:
    looks = {
        Item.TEMPERATURE: Look(present=False), Item.PASSES: Look(present=True), Item.DESK: Look(present=False, note="没有桌子"),
    }  # fmt: skip
    assert list(negatives(sheet(looks=looks, conduct=False)).items()) == [
        ("desk", "没有桌子"), ("temperature", "下雨"), ("conduct", "下雨"),
    ]  # fmt: skip
    assert negatives(sheet(looks={Item.PASSES: Look(present=True)}, conduct=True)) == {}


def test_ok__verdict() -> None:
    made = sheet(conduct=True)
    assert [verdict(made, name) for name in ("volunteer", "desk", "passes", CONDUCT)] == [True, False, None, True]


def test_ok__what_was_looked_at_last_decides_not_what_was_sent_last() -> None:
    seen_early_sent_late = found(Item.DESK, True, minutes=60, late=59)
    assert outranking([found(Item.DESK, False, 30), seen_early_sent_late]) == (found(Item.DESK, False, 30),)


def test_ok__each_item_by_itself() -> None:
    known = [found(Item.DESK, False, 30), found(Item.PASSES, False, 30), found(Item.PASSES, True, 10)]
    assert [one.item for one in outranking(known)] == [Item.DESK]


FINDINGS = st.lists(
    st.builds(found, st.sampled_from(Item), st.booleans(), st.integers(1, 200), st.integers(0, 30)), max_size=30
)  # fmt: skip


@given(FINDINGS, st.sampled_from(Item))
def test_ok__after_a_newer_positive_nothing_of_the_item_stands(known: list[Found], item: Item) -> None:
    assert item not in {one.item for one in outranking([*known, found(item, True, 0)])}


@given(FINDINGS, st.sampled_from(Item))
def test_ok__a_newer_negative_stands_and_makes_the_item_missing_whatever_is_said(known: list[Found], item: Item) -> None:
    stands = outranking([*known, found(item, False, 0)])
    said = [
        Evidence(item=item, present=True, basis=basis, observed_at=NOW) for basis in (Basis.SENSOR, Basis.DECLARED)
    ]  # fmt: skip
    finding = assess_gate({"s": [*said, *(as_evidence(one, Lifetimes()) for one in stands)], "t": said}, NOW)[item]
    assert (finding.present, finding.reason, finding.basis) == (False, "inspection", Basis.INSPECTED)


@given(FINDINGS)
def test_ok__the_order_in_which_findings_are_read_changes_nothing(known: list[Found]) -> None:
    assert outranking(known) == outranking(list(reversed(known)))


def lane(heard: float, *more: Evidence) -> Lane:
    said = [Evidence(item=item, present=True, basis=Basis.SENSOR, observed_at=ago(100)) for item in Item]
    return Lane(station="s", added_at=ago(9999), heard_at=ago(heard), online=True, evidence=(*said, *more))


@pytest.mark.parametrize("heard, gate_is", [(0, Status.NON_COMPLIANT), (60, Status.UNREACHABLE)])
def test_ok__a_finding_stands_at_a_gate_that_is_heard_and_at_one_that_is_not(heard: float, gate_is: Status) -> None:
    lanes = [lane(heard, as_evidence(found(Item.DESK, False, 30), Lifetimes()))]
    made = compliance.gate_status(Place(gate="east"), lanes, NOW, Lifetimes(), zone=ZONE)
    assert (made.status, made.items["desk"].reason, made.items["desk"].since) == (gate_is, "inspection", ago(30))


# ---- photos ----


def photo(width: int = 1600, height: int = 900, kind: str = ".jpg") -> bytes:
    """Left half dark, right half light."""
    pixels = np.full((height, width, 3), 230, np.uint8)
    pixels[:, : width // 2] = 20
    return cv2.imencode(kind, pixels)[1].tobytes()


def with_exif(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF segment that says how it was held, and where (as text)."""
    tiff = (
        b"II*\0\x08\0\0\0\x01\0"
        + b"\x12\x01\x03\0\x01\0\0\0"
        + bytes([orientation])
        + b"\0\0\0"
        + b"\0\0\0\0"
        + b"GPS 31.2N 121.4E"
    )
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


@pytest.mark.parametrize("kind", [".jpg", ".png"])
def test_ok__a_photo_is_made_smaller(kind: str) -> None:
    made = pictures.smaller(photo(kind=kind))
    assert cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_COLOR).shape == (720, 1280, 3)
    assert made.startswith(b"\xff\xd8")


def test_ok__a_photo_keeps_nothing_of_where_it_was_taken_and_stands_upright() -> None:
    data = with_exif(photo(400, 200), orientation=6)
    assert b"GPS 31.2N" in data
    made = pictures.smaller(data)
    assert b"GPS" not in made
    assert b"Exif" not in made
    upright = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_COLOR)
    assert upright.shape[:2] == (400, 200)
    assert upright[:100].mean() < 60 < upright[300:].mean()


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00", photo()[:60], b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + b"\x7f" * 8,
             b"\xff\xd8" + b"\0" * pictures.MOST_BYTES]
)  # fmt: skip
def test_fail__not_a_photo(data: bytes) -> None:
    with pytest.raises(pictures.NotAPhoto):
        pictures.smaller(data)


@given(st.binary(max_size=400))
def test_fail__anything_that_begins_like_a_photo_is_refused_or_read(rest: bytes) -> None:
    for head in (b"\xff\xd8", b"\x89PNG\r\n\x1a\n"):
        try:
            assert pictures.smaller(head + rest).startswith(b"\xff\xd8")
        except pictures.NotAPhoto:
            pass


# ---- store ----


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """East and west of 锦绣苑 in the east area, south of 桃园 in the south; all have their five by sensor."""
    path = tmp_path_factory.mktemp("seeded") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        for id, name, area in (("c1", "锦绣苑", "东片区"), ("c2", "桃园", "南片区")):
            places.add_area(conn, f"a-{id}", area)
            places.add_committee(conn, f"j-{id}", f"{name}居委", f"a-{id}")
            places.add_compound(conn, id, name, f"j-{id}", "李敏")
        for id, name, compound in (("east", "东门", "c1"), ("west", "西门", "c1"), ("south", "南门", "c2")):
            places.add_gate(conn, id, name, compound)
            seed_station(conn, id)
        for role in Role:
            until = NOW + timedelta(days=1) if role is Role.GUEST else None
            scope = [Scope(ScopeKind.AREA, "a-c1")]
            accounts.add_account(conn, role, f"{role} 王", role, "a long password", scopes=scope, expires_at=until)
        accounts.add_account(conn, "cross", "交叉组", "inspector", "a long password")
    engine.dispose()
    return path


def seed_station(conn: sa.Connection, gate: str) -> None:
    conn.execute(sa.insert(tables.stations).values(id=f"{gate}-1", gate=gate, lane="1", added_at=ago(9999)))
    conn.execute(sa.insert(tables.pulses).values(station=f"{gate}-1", online=True, heard_at=NOW))
    for item in Item:
        conn.execute(sa.insert(tables.evidence).values(
            station=f"{gate}-1", item=item, basis="sensor", present=True, observed_at=ago(300), valid_until=None,
        ))  # fmt: skip


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


@pytest.fixture
def located(tmp_path: Path) -> Located:
    return Located(HubSettings(web=Web(secure_cookies=False)), tmp_path)


def send(engine: sa.Engine, made: Sheet, by: str = "inspector", now: datetime = NOW, jpegs: tuple[bytes, ...] = ()) -> bool:
    with writing(engine) as conn:
        return inspections.send(conn, made, by, now, jpegs)


def item_at(engine: sa.Engine, item: str, gate: str = "east", now: datetime = NOW) -> tuple[bool, str | None, str | None]:
    known = {g.gate: g for g in status.overview(engine, Lifetimes(), now, zone=ZONE).gates}[gate].items[item]
    return known.present, known.basis, known.reason


def test_ok__what_was_sent_is_read(engine: sa.Engine) -> None:
    made = sheet(conduct=True)
    assert send(engine, made, jpegs=(b"one", b"two"))
    with engine.connect() as conn:
        known = inspections.sent(conn, made.id)
        assert known is not None
        assert pictures.find(conn, "finding", made.id, known.photos[0]) in (b"one", b"two")
    assert (known.gate_name, known.compound_name, known.area_name) == ("东门", "锦绣苑", "东片区")
    assert (known.by_name, known.method, known.observed_at, known.sent_at) == ("inspector 王", Method.ROUNDS, ago(3), NOW)
    assert (known.looks, known.conduct, known.note, known.missing) == (made.looks, True, "下雨", ("desk",))
    assert len(known.photos) == 2


def test_ok__sent_twice_is_one_inspection(engine: sa.Engine) -> None:
    made = sheet()
    assert [send(engine, made, jpegs=(b"j",)), send(engine, replace(made, note="other"), now=NOW + timedelta(days=2))] == [
        True,
        False,
    ]
    with engine.connect() as conn:
        assert [one.note for one in inspections.list_sent(conn, Wanted(since=ago(60)), None, 10)] == ["下雨"]
        assert len(rectifications.list_open(conn, None)) == 1
        assert conn.scalar(sa.select(sa.func.count()).select_from(sa.text("pictures"))) == 1


@pytest.mark.parametrize(
    "changes, by",
    [
        ({}, "cross"), ({"gate": "west"}, "inspector"),
    ],
)  # fmt: skip
def test_fail__the_id_of_anothers_inspection_or_of_another_gates(engine: sa.Engine, changes: dict[str, Any], by: str) -> None:
    made = sheet()
    send(engine, made)
    with pytest.raises(RegistryError):
        send(engine, replace(made, **changes), by)


@pytest.mark.parametrize(
    "changes, photos",
    [
        ({"id": "x"}, 0), ({"gate": "nowhere"}, 0), ({"looks": {}}, 0), ({"observed_at": ago(-60)}, 0), ({"note": "长" * 501}, 0),
        ({"looks": {Item.DESK: Look(present=False, note="长" * 501)}}, 0), ({}, 4),
        ({"method": Method.RECHECK, "rechecks": "nothing"}, 0),
    ],
)  # fmt: skip
def test_fail__what_can_not_be_sent_leaves_nothing(engine: sa.Engine, changes: dict[str, Any], photos: int) -> None:
    with pytest.raises(RegistryError):
        send(engine, sheet(**changes), jpegs=(b"j",) * photos)
    with engine.connect() as conn:
        assert inspections.list_sent(conn, Wanted(since=ago(9999)), None, 10) == []


def test_ok__a_phones_fast_clock_is_put_right(engine: sa.Engine) -> None:
    made = sheet(observed_at=ago(-2))
    send(engine, made)
    with engine.connect() as conn:
        known = inspections.sent(conn, made.id)
    assert known is not None
    assert known.observed_at == NOW


def test_ok__a_negative_finding_outranks_the_station_until_a_positive_one(engine: sa.Engine) -> None:
    assert item_at(engine, "desk") == (True, "sensor", None)
    send(engine, sheet())
    assert item_at(engine, "desk") == (False, "inspected", "inspection")
    assert item_at(engine, "volunteer") == (True, "sensor", None)
    assert item_at(engine, "desk", "west") == (True, "sensor", None)
    later = NOW + timedelta(hours=30)
    with engine.begin() as conn:
        conn.execute(sa.update(tables.pulses).values(heard_at=later))
    assert item_at(engine, "desk", now=later) == (False, "inspected", "inspection")
    send(engine, sheet(looks={Item.DESK: Look(present=True)}, observed_at=later), now=later)
    assert item_at(engine, "desk", now=later) == (True, "sensor", None)


def test_ok__a_positive_finding_is_evidence_for_half_an_hour_after_somebody_looked(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.delete(tables.evidence).where(tables.evidence.c.item == "desk"))
        conn.execute(sa.update(tables.pulses).values(heard_at=NOW + timedelta(minutes=30)))
    assert item_at(engine, "desk") == (False, None, "no_evidence")
    send(engine, sheet(looks={Item.DESK: Look(present=True)}))
    assert item_at(engine, "desk") == (True, "inspected", None)
    assert item_at(engine, "desk", now=ago(-26.9)) == (True, "inspected", None)
    assert item_at(engine, "desk", now=ago(-27)) == (False, "inspected", "expired")


def test_ok__a_positive_finding_of_hours_ago_proves_nothing_now(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.delete(tables.evidence).where(tables.evidence.c.item == "desk"))
    send(engine, sheet(looks={Item.DESK: Look(present=True)}, observed_at=ago(120)))
    assert item_at(engine, "desk")[0] is False


def test_ok__what_a_station_says_itself_stands_before_what_was_seen(engine: sa.Engine) -> None:
    send(engine, sheet(looks={Item.DESK: Look(present=True)}))
    assert item_at(engine, "desk") == (True, "sensor", None)


def test_ok__what_was_seen_closes_nothing_by_itself(engine: sa.Engine) -> None:
    """Missing by the station for 35 minutes; then an inspector who came for something else saw the desk."""
    with writing(engine) as conn:
        conn.execute(sa.update(tables.evidence).where(tables.evidence.c.item == "desk").values(
            present=False, observed_at=ago(35), reason="no_desk"))  # fmt: skip
        judging.judge(conn, ["east"], ago(35), JUDGING)
        assert [one.after.item for one in rectifications.step(conn, NOW)] == ["desk"]
    send(engine, sheet(looks={Item.DESK: Look(present=True)}, observed_at=NOW))
    later = ago(-15)
    with writing(engine) as conn:
        conn.execute(sa.update(tables.pulses).values(heard_at=later))
        judging.judge(conn, ["east"], later, JUDGING)
        assert rectifications.step(conn, later) == []
    assert item_at(engine, "desk", now=later) == (True, "inspected", None)
    assert state_of(engine, opened_by(engine)) is State.OPEN


@pytest.mark.parametrize("present", [True, False])
def test_ok__a_silent_lane_is_not_spoken_for_by_what_was_seen(present: bool) -> None:
    seen = as_evidence(found(Item.PASSES, present, 10), Lifetimes())
    lanes = [lane(0, seen), replace(lane(60, seen), station="t")]
    made = compliance.gate_status(Place(gate="east"), lanes, NOW, Lifetimes(), zone=ZONE)
    assert (made.status, made.items["passes"].present) == (Status.NON_COMPLIANT, False)
    assert made.items["passes"].reason == ("station_silent" if present else "inspection")


def test_fail__a_station_can_not_inspect_itself(engine: sa.Engine) -> None:
    send(engine, sheet())
    with engine.begin() as conn:
        conn.execute(sa.insert(tables.evidence).values(
            station="east-1", item="desk", basis="inspected", present=True, observed_at=NOW, valid_until=NOW + timedelta(days=9),
        ))  # fmt: skip
    assert item_at(engine, "desk") == (False, "inspected", "inspection")


def test_ok__a_station_put_in_anothers_place_inherits_the_finding(engine: sa.Engine) -> None:
    send(engine, sheet())
    with engine.begin() as conn:
        conn.execute(sa.update(tables.stations).where(tables.stations.c.id == "east-1").values(in_service=False))
        conn.execute(sa.insert(tables.stations).values(id="east-2", gate="east", lane="1", added_at=ago(5)))
        conn.execute(sa.insert(tables.pulses).values(station="east-2", online=True, heard_at=NOW))
    assert item_at(engine, "desk") == (False, "inspected", "inspection")


def test_ok__intervals_tell_of_it_from_when_it_was_looked_at(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        judging.judge(conn, ["east"], ago(200), JUDGING)
    send(engine, sheet(observed_at=ago(20)))
    with writing(engine) as conn:
        judging.judge(conn, ["east"], NOW, JUDGING)
    rows = [
        (r.began_at, r.ended_at, r.state, r.reason) for r in status.gate_intervals(engine, "east", ago(9999)) if r.what == "desk"
    ]
    assert rows[-1] == (ago(20), None, "missing", "inspection")
    assert rows[-2][1] == ago(20)


def test_ok__the_stations_of_the_compound_are_told(engine: sa.Engine, located: Located) -> None:
    with engine.connect() as conn:
        before = versions.versions(conn)
    send(engine, sheet())
    with engine.begin() as conn:
        after = versions.versions(conn)
        keys.ensure_keys(conn)
        told = directory.build(conn, located, "c1", NOW).findings.findings
        assert directory.build(conn, located, "c2", NOW).findings.findings == ()
    assert (after["c1"] > before["c1"], after["c2"] == before["c2"]) == (True, True)
    assert [(one.gate, one.item, one.note, one.at) for one in told] == [("east", "desk", "", ago(3))], "the words stay here"
    send(engine, sheet(looks={Item.DESK: Look(present=True)}, observed_at=NOW))
    with engine.begin() as conn:
        assert directory.build(conn, located, "c1", NOW).findings.findings == ()
        assert versions.version_of(conn, "c1") > after["c1"]


def test_ok__nothing_is_told_where_nothing_has_changed(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        before = versions.versions(conn)
    send(engine, sheet(looks={Item.DESK: Look(present=True)}))
    with engine.connect() as conn:
        assert versions.versions(conn) == before


def test_ok__each_negative_opens_a_rectification(engine: sa.Engine) -> None:
    looks = {Item.DESK: Look(present=False, note="没有桌子"), Item.PASSES: Look(present=True)}
    made = sheet(looks=looks, conduct=False)
    send(engine, made)
    with engine.connect() as conn:
        opened = [row.rectification for row in rectifications.list_open(conn, None)]
    assert {(one.gate, one.item, one.inspection) for one in opened} == {("east", "desk", made.id), ("east", "conduct", made.id)}


def opened_by(engine: sa.Engine, item: str = "desk") -> str:
    with engine.connect() as conn:
        return next(r.rectification.id for r in rectifications.list_open(conn, None) if r.rectification.item == item)


def state_of(engine: sa.Engine, id: str) -> State:
    with engine.connect() as conn:
        story = rectifications.one(conn, id)
    assert story is not None
    return story.row.rectification.state


def test_ok__a_recheck_that_passes_closes_and_lifts(engine: sa.Engine) -> None:
    send(engine, sheet())
    id = opened_by(engine)
    again = sheet(method=Method.RECHECK, rechecks=id, looks={Item.DESK: Look(present=True)}, observed_at=NOW)
    send(engine, again, "cross")
    assert (state_of(engine, id), item_at(engine, "desk")) == (State.CLOSED, (True, "sensor", None))


def test_ok__a_recheck_that_fails_reopens_and_opens_no_second(engine: sa.Engine) -> None:
    send(engine, sheet())
    id = opened_by(engine)
    looks = {Item.DESK: Look(present=False), Item.PASSES: Look(present=False)}
    send(engine, sheet(method=Method.RECHECK, rechecks=id, looks=looks, observed_at=NOW), "cross")
    assert (state_of(engine, id), item_at(engine, "desk")[0]) == (State.OPEN, False)
    with engine.connect() as conn:
        assert sorted(row.rectification.item for row in rectifications.list_open(conn, None)) == ["desk", "passes"]


def test_ok__a_recheck_of_conduct(engine: sa.Engine) -> None:
    send(engine, sheet(looks={}, conduct=False))
    id = opened_by(engine, CONDUCT)
    send(engine, sheet(method=Method.RECHECK, rechecks=id, looks={}, conduct=True, observed_at=NOW), "cross")
    assert state_of(engine, id) is State.CLOSED


def test_fail__a_recheck_of_another_gates_rectification(engine: sa.Engine) -> None:
    send(engine, sheet())
    with pytest.raises(RegistryError):
        send(engine, sheet(gate="west", method=Method.RECHECK, rechecks=opened_by(engine)), "cross")


def test_fail__whoever_answered_does_not_look_again(engine: sa.Engine) -> None:
    send(engine, sheet())
    id = opened_by(engine)
    with writing(engine) as conn:
        rectifications.answer(conn, id, "有桌子了", "supervisor", NOW)
    with pytest.raises(RegistryError, match="own"):
        send(engine, sheet(method=Method.RECHECK, rechecks=id, looks={Item.DESK: Look(present=True)}), "supervisor")


def test_ok__a_recheck_told_without_an_inspection_lifts_too(engine: sa.Engine) -> None:
    send(engine, sheet())
    with writing(engine) as conn:
        rectifications.rechecked(conn, opened_by(engine), True, "supervisor", NOW)
        findings.weigh(conn, "east")
    assert item_at(engine, "desk") == (True, "sensor", None)


def test_ok__listed_by_area_method_days_and_what_was_found(engine: sa.Engine) -> None:
    well = sheet(looks={Item.DESK: Look(present=True)}, gate="west", method=Method.OFF_PEAK)
    bad, poor = sheet(), sheet(looks={}, conduct=False, gate="south", method=Method.CROSS)
    for minutes, made in ((30, well), (20, bad), (10, poor)):
        send(engine, replace(made, observed_at=ago(minutes)), now=ago(minutes))

    def listed(wanted: Wanted, reach: frozenset[str] | None = None, offset: int = 0) -> list[str]:
        with engine.connect() as conn:
            return [one.id for one in inspections.list_sent(conn, wanted, reach, 10, offset)]

    every = Wanted(since=ago(60))
    assert listed(every) == [poor.id, bad.id, well.id]
    assert listed(every, offset=2) == [well.id]
    assert listed(every, frozenset({"c1"})) == [bad.id, well.id]
    assert listed(every, frozenset()) == []
    assert listed(Wanted(since=ago(15))) == [poor.id]
    assert listed(replace(every, area="a-c1")) == [bad.id, well.id]
    assert listed(replace(every, method=Method.OFF_PEAK)) == [well.id]
    assert listed(replace(every, negative=True)) == [poor.id, bad.id]
    with engine.connect() as conn:
        assert inspections.last_gates(conn, "inspector", 2) == ["south", "east"]
        assert inspections.last_method(conn, "inspector", timedelta(hours=1), NOW) is Method.CROSS
        assert inspections.last_method(conn, "cross", timedelta(hours=1), NOW) is None


# ---- pages ----


@pytest.fixture
def app(engine: sa.Engine, located: Located) -> Flask:
    return create_app(located, engine, now=lambda: NOW)


def as_account(app: Flask, id: str) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"1 {id}", True
    return client


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return as_account(app, "inspector")


def form_of(client: FlaskClient, path: str = "/inspect/east") -> dict[str, Any]:
    """What a form without scripts would send, untouched."""
    page = client.get(path).text
    names = ("csrf_token", "id", "observed_at")
    found = {name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', page) for name in names}
    assert all(found.values()), page
    return {name: match[1] for name, match in found.items() if match} | {"method": "rounds"}


def count_sent(engine: sa.Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(inspections_table)) or 0


def test_ok__from_the_gate_to_what_was_sent(client: FlaskClient, engine: sa.Engine) -> None:
    filled = {
        "look_volunteer": "yes", "look_desk": "no", "note_desk": "桌上没有人", "note_volunteer": "不留", "look_conduct": "no",
        "note": "没有人问外来人员", "observed_at": "2026-02-16T07:30",
        "photos": [(BytesIO(photo()), "a.jpg"), (BytesIO(photo(kind=".png")), "b.png")],
    }  # fmt: skip
    answer = client.post("/inspect/east", data=form_of(client) | filled)
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"])
    assert page.status_code == 200
    for said in ("锦绣苑", "东门", "车轮查", "07:30 查看", "07:41 发送", "桌上没有人", "没有人问外来人员", "不好", "没看"):
        assert said in page.text, said
    assert "不留" not in page.text
    shots = re.findall(r'src="(/inspections/[^"]+/photo/[^"]+)"', page.text)
    assert [client.get(shot).headers["Content-Type"] for shot in shots] == ["image/jpeg"] * 2
    with engine.connect() as conn:
        lines = [(line.action, line.kind) for line in audit.lines(conn, 10)]
    assert lines == [("look", "picture"), ("look", "picture"), ("send", "inspection")]
    assert item_at(engine, "desk") == (False, "inspected", "inspection")


def test_ok__sent_twice_by_a_script_answers_the_same(client: FlaskClient, engine: sa.Engine) -> None:
    data = form_of(client) | {"look_desk": "no"}
    answers = [client.post("/inspect/east", data=data, headers={"Accept": "application/json"}) for _ in range(2)]
    assert [answer.json for answer in answers] == [{"url": f"/inspections/{data['id']}"}] * 2
    assert count_sent(engine) == 1
    with engine.connect() as conn:
        assert len(audit.lines(conn, 10)) == 1


def test_ok__what_was_sent_and_grew_old_before_its_answer_came_is_still_answered(engine: sa.Engine, located: Located) -> None:
    clock = [NOW]
    client = as_account(create_app(located, engine, now=lambda: clock[0]), "inspector")
    data = form_of(client) | {"look_desk": "no"}
    client.post("/inspect/east", data=data)
    clock[0] = NOW + timedelta(days=2)
    assert client.post("/inspect/east", data=data).status_code == 303


BAD = {
    "nothing": ({}, "looks", "至少看一项"),
    "future": ({"look_desk": "no", "observed_at": "2026-02-16T08:41"}, "observed_at", "比现在还晚"),
    "old": ({"look_desk": "no", "observed_at": "2026-02-14T08:41"}, "observed_at", "24 小时"),
    "no time": ({"look_desk": "no", "observed_at": "morgen"}, "observed_at", "请填查看时间"),
    "method": ({"look_desk": "no", "method": "sleep"}, "method", "请选一种"),
    "recheck of nothing": ({"look_desk": "no", "method": "recheck"}, "method", "请选一种"),
    "long": ({"look_desk": "no", "note": "长" * 501}, "note", "最多 500 字"),
    "long of an item": ({"look_desk": "no", "note_desk": "长" * 501}, "note_desk", "最多 500 字"),
    "id": ({"look_desk": "no", "id": "../x"}, "id", "清空后重新填"),
    "no photo": ({"look_desk": "no", "photos": [(BytesIO(b"GIF89a"), "a.jpg")]}, "photos", "JPEG"),
    "four": ({"look_desk": "no", "photos": [(BytesIO(photo(60, 60)), "a.jpg") for _ in range(4)]}, "photos", "最多 3 张"),
    "large": ({"look_desk": "no", "photos": [(BytesIO(photo() + b"\0" * pictures.MOST_BYTES), "a.jpg")]}, "photos", "4 MB"),
}  # fmt: skip


@pytest.mark.parametrize("filled, field, said", BAD.values(), ids=BAD)
def test_fail__a_bad_sheet_is_shown_again(
    client: FlaskClient, engine: sa.Engine, filled: dict[str, Any], field: str, said: str
) -> None:
    fresh = {key: [(BytesIO(f.getvalue()), name) for f, name in v] if key == "photos" else v for key, v in filled.items()}
    usual = form_of(client) | {"note": "看到的"}
    answer = client.post("/inspect/east", data=usual | fresh)
    assert answer.status_code == 422
    place = re.search(rf'<p[^>]*id="{"problem" if field == "id" else f"problem-{field}"}"[^>]*>([^<]*)', answer.text)
    assert place
    assert said in place[1]
    assert (usual | filled)["note"] in answer.text
    assert count_sent(engine) == 0
    again = {key: [(BytesIO(f.getvalue()), name) for f, name in v] if key == "photos" else v for key, v in filled.items()}
    scripted = client.post("/inspect/east", data=usual | again, headers={"Accept": "application/json"})
    assert scripted.status_code == 422
    assert scripted.json is not None
    assert said in scripted.json["problems"][field]


def test_fail__too_much_at_once(client: FlaskClient, engine: sa.Engine) -> None:
    for accept in ("application/json", "text/html"):
        data = form_of(client) | {"look_desk": "no", "photos": [(BytesIO(b"\0" * MOST_SENT), "a.jpg")]}
        answer = client.post("/inspect/east", data=data, headers={"Accept": accept})
        assert (answer.status_code, "4 MB" in answer.get_data(as_text=True) or "4 MB" in str(answer.json)) == (413, True)
    assert count_sent(engine) == 0


def test_fail__whoever_may_not_inspect_may_not_send_much(app: Flask) -> None:
    for client in (as_account(app, "guest"), app.test_client()):
        answer = client.post("/inspect/east", data={"photos": [(BytesIO(b"\0" * 200_000), "a.jpg")]})
        assert answer.status_code == 413


def test_fail__a_form_without_its_token(client: FlaskClient, engine: sa.Engine) -> None:
    data = form_of(client) | {"look_desk": "no", "csrf_token": "x"}
    assert client.post("/inspect/east", data=data).status_code == 400
    assert count_sent(engine) == 0


@pytest.mark.parametrize("role", Role)
def test_roles__who_may_look_and_who_may_read(app: Flask, engine: sa.Engine, role: Role) -> None:
    may = role in (Role.ADMIN, Role.SUPERVISOR, Role.INSPECTOR)
    made = sheet()
    send(engine, made, "cross")
    client = as_account(app, role)
    paths = ("/inspect", "/inspect/east", f"/inspect/recheck/{opened_by(engine)}")
    assert [client.get(path).status_code for path in paths] == [200 if may else 403] * 3
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/inspections").text)
    assert token
    answer = client.post("/inspect/east", data={"csrf_token": token[1], "look_desk": "no"})
    assert answer.status_code == (422 if may else 403)
    assert [client.get(path).status_code for path in ("/inspections", f"/inspections/{made.id}")] == [200, 200]


def test_fail__nothing_outside_ones_reach(app: Flask, engine: sa.Engine) -> None:
    send(engine, sheet(gate="south"), "cross", jpegs=(photo(50, 50),))
    with engine.connect() as conn:
        (there,) = inspections.list_sent(conn, Wanted(since=ago(60)), None, 9)
    client = as_account(app, "inspector")
    paths = (
        "/inspect/south", "/inspect/nowhere", f"/inspect/recheck/{opened_by(engine)}", "/inspect/recheck/nothing",
        f"/inspections/{there.id}", f"/inspections/{there.id}/photo/{there.photos[0]}", "/inspections/nothing",
    )  # fmt: skip
    assert [client.get(path).status_code for path in paths] == [404] * len(paths)
    data = form_of(client) | {"look_desk": "no"}
    assert client.post("/inspect/south", data=data).status_code == 404
    assert "桃园" not in client.get("/inspections").text + client.get("/inspect").text + client.get("/inspect?q=南").text
    everywhere = as_account(app, "cross")
    assert "桃园" in everywhere.get("/inspections").text
    assert everywhere.get(paths[5]).status_code == 200


def test_fail__nobody_sees_what_was_not_sent(app: Flask, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.insert(inspections_table).values(
            id="planned", gate="east", method="actor", by="cross", observed_at=NOW, conduct=False, note="过期证",
        ))  # fmt: skip
    client = as_account(app, "supervisor")
    assert client.get("/inspections/planned").status_code == 404
    assert "东门" not in client.get("/inspections?days=30").text


def test_ok__a_photo_belongs_to_its_inspection(app: Flask, engine: sa.Engine) -> None:
    mine, other = sheet(), sheet(gate="west")
    send(engine, mine, jpegs=(photo(50, 50),))
    send(engine, other)
    with engine.connect() as conn:
        known = inspections.sent(conn, mine.id)
    assert known is not None
    assert as_account(app, "inspector").get(f"/inspections/{other.id}/photo/{known.photos[0]}").status_code == 404


def test_ok__the_last_gates_come_first_and_others_by_search(client: FlaskClient, engine: sa.Engine) -> None:
    assert "最近去过" not in client.get("/inspect").text
    send(engine, sheet(gate="west"))
    page = client.get("/inspect").text
    assert page.index("最近去过") < page.index("西门") < page.index("东门")
    found = client.get("/inspect?q=锦绣 东").text
    assert ("东门" in found, "没有找到" in found) == (True, False)
    assert "没有找到" in client.get("/inspect?q=nowhere").text


def test_ok__the_method_of_before_is_offered_and_a_recheck_is_linked(client: FlaskClient, engine: sa.Engine) -> None:
    send(engine, sheet(method=Method.OFF_PEAK))
    page = client.get("/inspect/east").text
    assert re.search(r'value="off_peak" checked', page)
    assert f"/inspect/recheck/{opened_by(engine)}" in page


def test_ok__a_recheck_from_its_page(client: FlaskClient, engine: sa.Engine) -> None:
    send(engine, sheet(), "cross")
    path = f"/inspect/recheck/{opened_by(engine)}"
    page = client.get(path).text
    assert "回头查:登记桌" in page
    assert "桌上没有人" in page
    assert page.index('name="look_desk"') < page.index('name="look_volunteer"')
    wrong = client.post(path, data=form_of(client, path) | {"look_passes": "yes"})
    assert (wrong.status_code, "就是要回头查的" in wrong.text) == (422, True)
    answer = client.post(path, data=form_of(client, path) | {"look_desk": "yes", "method": "rounds"})
    assert answer.status_code == 303
    assert "回头查" in client.get(answer.headers["Location"]).text
    assert item_at(engine, "desk") == (True, "sensor", None)
    assert "已经销项" in client.get(path).text


def test_fail__a_recheck_of_ones_own(app: Flask, engine: sa.Engine) -> None:
    send(engine, sheet(), "cross")
    id = opened_by(engine)
    with writing(engine) as conn:
        rectifications.answer(conn, id, "有桌子了", "supervisor", NOW)
    answer = as_account(app, "supervisor").get(f"/inspect/recheck/{id}")
    assert (answer.status_code, "要换别人去" in answer.text) == (403, True)


def test_ok__the_list_is_filtered(client: FlaskClient, engine: sa.Engine) -> None:
    send(engine, sheet(looks={Item.DESK: Look(present=True)}, gate="west", method=Method.OFF_PEAK), now=NOW)
    send(engine, sheet(), now=NOW)

    def names(query: str) -> list[str]:
        page = client.get(f"/inspections?{query}").text
        return re.findall(r'class="inspection-link"[^>]*>[^<]*<b>([^<]*)</b>', page)

    assert sorted(names("")) == ["东门", "西门"]
    assert names("negative=1") == ["东门"]
    assert names("method=off_peak") == ["西门"]
    assert names("area=a-c2") == []
    assert sorted(names("days=1&area=a-c1&method=&page=0")) == ["东门", "西门"]
    assert names("page=1") == []
    assert sorted(names("days=x&method=x&page=-3")) == ["东门", "西门"]


def test_ok__in_english(client: FlaskClient) -> None:
    client.set_cookie("language", "en")
    for path, said in (("/inspect", "Which gate"), ("/inspect/east", "Not looked at"), ("/inspections", "Last week")):
        assert said in client.get(path).text
