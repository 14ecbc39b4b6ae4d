"""The registry: places, stations and their kits, keys, accounts, codes, and the directory made of it all."""

import base64
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from contract.directory import Faces, Policies, assemble, make_manifest, pin_secret, split
from contract.opening import closed
from contract.passes import PassKind
from hub.config import Broker, HubSettings, Located
from hub.demo.faces import drawn_face
from hub.portrait import HEIGHT, WIDTH, NotAPicture, portrait
from hub.registry import accounts, bookings, directory, dwellings, keys, passes, photos, places, policies, roster, versions
from hub.registry.day_codes import ensure_day_codes
from hub.registry.errors import RegistryError
from hub.registry.kit import make_kit, write_kit
from hub.registry.places import PlaceKind
from hub.rights import Role
from hub.store import migrate, open_store
from kiosk.config import load as load_station

NOW = datetime.now(UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        places.add_area(conn, "north", "北片区")
        places.add_committee(conn, "hm-c", "虹梅居委", "north")
        places.add_compound(conn, "hm", "虹梅小区", "hm-c", liaison="李晓峰")
        places.add_compound(conn, "gm", "古美小区", "hm-c")
        places.add_gate(conn, "east", "东门", "hm")
        places.add_gate(conn, "west", "西门", "hm")
    yield engine
    engine.dispose()


@pytest.fixture
def conn(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.begin() as conn:
        yield conn


@pytest.fixture
def located(tmp_path: Path) -> Located:
    return Located(HubSettings(broker=Broker(password="hub-secret")), tmp_path)


def book(conn: sa.Connection, opens: float = 1, closes: float = 5, **more: object) -> bookings.Booked:
    """A removal van at hm, from and until so many hours from now."""
    fields: dict[str, object] = {"compound": "hm", "kind": "removal", "plate": "沪A·12345", "crew": 3} | more
    times = {"opens": NOW + timedelta(hours=opens), "closes": NOW + timedelta(hours=closes), "now": NOW}
    return bookings.add(conn, by="t", **times, **fields)  # type: ignore[arg-type]


def issue(conn: sa.Connection, located: Located, dwelling: str = "", name: str = "王小明", **more: object) -> passes.IssuedPass:
    kind = more.pop("kind", PassKind.RESIDENT)
    return passes.issue(
        conn, located, kind=kind, compound="hm", name=name, dwelling=dwelling, by="t", **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_places_are_listed_with_what_they_are_in(conn: sa.Connection) -> None:
    assert [(p.id, p.name, p.parent) for p in places.list_places(conn, PlaceKind.GATE)] == [
        ("east", "东门", "hm"), ("west", "西门", "hm"),
    ]  # fmt: skip
    assert [p.parent for p in places.list_places(conn, PlaceKind.AREA)] == [""]


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda c: places.add_gate(c, "south", "南门", "nowhere"), ["compound", "'nowhere'", "hub place add", "gm, hm"]),
        (lambda c: places.add_gate(c, "east", "东门", "hm"), ["'east'", "taken", "gates"]),
        (lambda c: places.add_area(c, "a/b", "x"), ["'a/b'", "letters"]),
        (lambda c: places.add_area(c, "a\n", "x"), ["letters"]),
        (lambda c: places.add_area(c, "", "x"), ["letters"]),
        (lambda c: places.add_area(c, "ok", " "), ["name", "printable"]),
        (lambda c: places.add_place(c, PlaceKind.COMMITTEE, "x", "x", "south"), ["area 'south'"]),
    ],
)
def test_what_is_wrong_with_a_place_is_said(conn: sa.Connection, act: Callable[[sa.Connection], None], words: list[str]) -> None:
    with pytest.raises(RegistryError) as caught:
        act(conn)
    for word in words:
        assert word in str(caught.value)


def test_a_kit_is_a_configuration_the_station_reads(engine: sa.Engine, located: Located, tmp_path: Path) -> None:
    kit = places.add_station(engine, located, "east-1", "east", "2", host="hub.example")
    path = tmp_path / "station" / "kiosk.toml"
    write_kit(kit, path)
    station = load_station(path)
    assert (station.settings.place.gate_name, station.settings.place.compound_name) == ("东门", "虹梅小区")
    assert (station.settings.place.lane, station.settings.hub.host) == ("2", "hub.example")
    assert station.settings.hub.password == kit.password
    assert len(kit.password) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with engine.connect() as conn:
        assert station.hub_keys == keys.message_keys(conn)
        assert station.settings.hub.sealing == keys.public_keys(conn).sealing
    with pytest.raises(RegistryError, match="there already"):
        write_kit(kit, path)
    assert kit.password not in repr(kit)


def test_a_gate_with_a_quote_in_its_name_is_still_toml(engine: sa.Engine, located: Located, tmp_path: Path) -> None:
    with engine.begin() as conn:
        places.add_gate(conn, "odd", '东"门\\', "hm")
    write_kit(places.add_station(engine, located, "odd-1", "odd"), tmp_path / "odd.toml")
    assert load_station(tmp_path / "odd.toml").settings.place.gate_name == '东"门\\'


@pytest.mark.parametrize(
    "station, gate, words", [("s1", "nowhere", "gate 'nowhere'"), ("a b", "east", "'a b'"), ("hub", "east", "own name")]
)
def test_what_is_wrong_with_a_station_is_said(engine: sa.Engine, located: Located, station: str, gate: str, words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        places.add_station(engine, located, station, gate)


def test_a_station_twice_is_refused_and_one_unknown_has_no_kit(engine: sa.Engine, located: Located) -> None:
    places.add_station(engine, located, "east-1", "east")
    with pytest.raises(RegistryError, match="taken"):
        places.add_station(engine, located, "east-1", "west")
    with engine.connect() as conn:
        assert [(s.id, s.compound) for s in places.list_stations(conn)] == [("east-1", "hm")]
        with pytest.raises(RegistryError, match="station list"):
            make_kit(conn, located, "east-2")


def test_a_station_that_the_broker_can_not_be_told_of_is_not_added(engine: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    located = Located(HubSettings(broker=Broker(access="file")), tmp_path)
    with pytest.raises(RegistryError, match=r"broker.access.*nothing was changed"):
        places.add_station(engine, located, "east-1", "east")
    with engine.connect() as conn:
        assert places.list_stations(conn) == []


def test_keys_rotate_and_the_last_one_stays(conn: sa.Connection) -> None:
    first = keys.current(conn, keys.KeyUse.PASSES)
    second = keys.make_key(conn, keys.KeyUse.PASSES)
    assert keys.current(conn, keys.KeyUse.PASSES) == second
    assert {key.kid for key in keys.public_keys(conn).passes} == {first.kid, second.kid}
    keys.retire(conn, first.kid)
    assert [key.kid for key in keys.public_keys(conn).passes] == [second.kid]
    with pytest.raises(RegistryError, match="only one"):
        keys.retire(conn, second.kid)
    with pytest.raises(RegistryError, match="no key"):
        keys.retire(conn, first.kid)


def test_what_was_sealed_to_a_retired_key_can_still_be_opened(conn: sa.Connection) -> None:
    old = keys.current(conn, keys.KeyUse.SEALING)
    keys.make_key(conn, keys.KeyUse.SEALING)
    keys.retire(conn, old.kid)
    found = keys.opening_key(conn, old.kid)
    assert found is not None
    assert found.private == old.private
    assert keys.opening_key(conn, "nothing") is None


def test_making_keys_twice_makes_none_the_second_time(conn: sa.Connection) -> None:
    assert keys.ensure_keys(conn) == []
    assert "private" not in repr(keys.current(conn, keys.KeyUse.PASSES))


@pytest.mark.parametrize(
    "change",
    [
        lambda c: keys.make_key(c, keys.KeyUse.PASSES),
        lambda c: places.add_gate(c, "south", "南门", "hm"),
        lambda c: ensure_day_codes(c, "east", date(2026, 11, 24)),
        lambda c: policies.change(c, "hm", {"courier": "visitor"}, "t", NOW),
        lambda c: policies.change(c, policies.EVERYWHERE, {"courier": "visitor"}, "t", NOW),
        lambda c: book(c),
    ],
)
def test_what_the_stations_are_told_raises_the_version(conn: sa.Connection, change: Callable[[sa.Connection], object]) -> None:
    before = versions.version_of(conn, "hm")
    change(conn)
    assert versions.version_of(conn, "hm") == before + 1
    assert set(versions.versions(conn)) == {"hm", "gm"}


def test_day_codes_are_random_stay_and_fit_a_small_code(conn: sa.Connection) -> None:
    today = date(2026, 11, 24)
    code = ensure_day_codes(conn, "east", today)
    assert ensure_day_codes(conn, "east", today) == code
    others = [ensure_day_codes(conn, "east", today + timedelta(days=1)), ensure_day_codes(conn, "west", today)]
    texts = [text for one in (code, *others) for text in (one.desk, one.register)]
    assert len(set(texts)) == 6
    assert all(text.startswith("GPD:") and len(text) == 20 for text in texts)
    with pytest.raises(RegistryError, match="no gate"):
        ensure_day_codes(conn, "nowhere", today)


def test_a_directory_holds_what_the_tables_say(conn: sa.Connection, located: Located) -> None:
    def made(kind: PassKind = PassKind.RESIDENT, **more: object) -> passes.IssuedPass:
        return passes.issue(conn, located, kind=kind, compound="hm", name="王小明", by="t", **more)  # type: ignore[arg-type]

    revoked, isolating, yellow = made(), made(), made()
    expired = made(expires=NOW - timedelta(days=3))
    badge = made(PassKind.VOLUNTEER, pin="2468")
    gone = made(PassKind.VOLUNTEER, pin="1357")
    for one in (revoked, expired, gone):
        passes.revoke(conn, one.id, "t")
    passes.set_isolating(conn, isolating.id, True)
    passes.set_colour(conn, yellow.id, "yellow")

    built = directory.build(conn, located, "hm", NOW)
    assert set(built.revocations.ids) == {revoked.id, gone.id}
    assert built.isolating.ids == (isolating.id,)
    assert built.colours.holders == {yellow.id: "yellow"}
    assert len(built.colours.rules) == 7
    assert built.colours.rules["orange"].gate == "homecoming"
    assert [b.id for b in built.badges.badges] == [badge.id]
    PasswordHasher().verify(built.badges.badges[0].pin, pin_secret("2468", badge.token))
    assert built.version == versions.version_of(conn, "hm")
    assert built.keys == keys.public_keys(conn)
    assert assemble(make_manifest("hm", built, NOW), split(built)) == closed(built)


def test_codes_are_for_today_and_tomorrow_where_the_gate_is(conn: sa.Connection, located: Located) -> None:
    late = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)  # half past midnight of the 25th in Shanghai
    built = directory.build(conn, located, "hm", late)
    assert [(c.gate, c.day) for c in built.codes.codes] == [
        ("east", "2026-11-25"), ("east", "2026-11-26"), ("west", "2026-11-25"), ("west", "2026-11-26"),
    ]  # fmt: skip
    again = directory.build(conn, located, "hm", late)
    assert (again.codes, again.version) == (built.codes, built.version)


@pytest.mark.parametrize(
    "schedules, told", [([[(360, 1320)]], ((360, 1320),)), ([[(360, 1320)], []], ()), ([[(0, 60)], [(0, 60)]], ((0, 60),))]
)
def test_opening_hours_are_told_where_all_gates_keep_the_same(
    conn: sa.Connection, located: Located, schedules: list[list[tuple[int, int]]], told: tuple[tuple[int, int], ...]
) -> None:
    for number, schedule in enumerate(schedules):
        places.add_gate(conn, f"gm-{number}", "门", "gm", schedule)
    assert directory.build(conn, located, "gm", NOW).thresholds.schedule == told


def test_an_account_is_let_in_by_its_password_alone(conn: sa.Connection) -> None:
    password = accounts.add_account(conn, "li", "李晓峰", "liaison")
    known = accounts.verify(conn, "li", password)
    assert known == accounts.Account(id="li", name="李晓峰", role=Role.LIAISON)
    assert accounts.find(conn, "li") == known
    assert accounts.verify(conn, "li", password + "x") is None
    assert accounts.verify(conn, "nobody", password) is None
    assert accounts.list_accounts(conn) == [known]


def test_an_account_put_again_has_the_new_password(conn: sa.Connection) -> None:
    old = accounts.put_account(conn, "li", "李晓峰", "liaison")
    new = accounts.put_account(conn, "li", "李晓峰", "admin")
    assert accounts.verify(conn, "li", old) is None
    found = accounts.verify(conn, "li", new)
    assert found is not None
    assert found.role is Role.ADMIN


@pytest.mark.parametrize(
    "id, role, password, words",
    [("li", "king", None, "admin, supervisor"), ("l i", "admin", None, "account id"), ("li", "admin", "short", "10 characters")],
)
def test_what_is_wrong_with_an_account_is_said(conn: sa.Connection, id: str, role: str, password: str | None, words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        accounts.add_account(conn, id, "x", role, password)


def test_an_account_twice_is_refused(conn: sa.Connection) -> None:
    accounts.add_account(conn, "li", "x", "inspector")
    with pytest.raises(RegistryError, match="already"):
        accounts.add_account(conn, "li", "x", "inspector")


# ---- who lives where ----


@pytest.mark.parametrize(
    "text, building, room",
    [
        ("3号502", "3号", "502"), ("3号楼502室", "3号", "502"), ("3-502", "3号", "502"), ("3 号 502", "3号", "502"),
        ("３号５０２", "3号", "502"), ("3—502", "3号", "502"), ("3号楼-502", "3号", "502"), ("12幢1单元301", "12幢1单元", "301"),
        ("12-1-301", "12号1单元", "301"), ("3栋2单元-501室", "3栋2单元", "501"), ("a座1203", "A座", "1203"),
        ("5楼501", "5楼", "501"), ("100弄3号502室", "100弄3号", "502"), ("门卫室", "门卫室", ""), ("3号", "3号", ""),
        ("3502", "3502", ""), ("虹梅路 100 号", "虹梅路 100 号", ""), ("", "", ""), ("  ", "", ""),
        ("很" * 60, "很" * 20, ""), ("3-502\n", "3号", "502"),
    ],
)  # fmt: skip
def test_a_dwelling_is_a_building_and_a_room(text: str, building: str, room: str) -> None:
    assert dwellings.parse(text) == (building, room)


def test_the_roster_holds_whose_pass_is_good_door_by_door(conn: sa.Connection, located: Located) -> None:
    first, second = issue(conn, located, "10号101"), issue(conn, located, "2-1001", "李秀英")
    mate = issue(conn, located, "2号1001室", "张伟", kind=PassKind.WORKER)
    for stranger in (
        issue(conn, located, "9-901", kind=PassKind.VISITOR),
        issue(conn, located, "9-901", expires=NOW - timedelta(hours=1)),
        passes.revoke(conn, issue(conn, located, "9-901").id, "t"),
        issue(conn, located, ""),
    ):
        assert stranger.compound == "hm"
    told = directory.build(conn, located, "hm", NOW).roster
    assert [(d.building, d.room, [(h.pass_id, h.name) for h in d.holders]) for d in told.dwellings] == [
        ("2号", "1001", [(mate.id, "张*"), (second.id, "李*英")]),
        ("10号", "101", [(first.id, "王*明")]),
    ]
    assert directory.build(conn, located, "gm", NOW).roster.dwellings == ()


def test_a_roster_does_not_grow_without_bound(conn: sa.Connection, located: Located, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        issue(conn, located, f"1-{number + 101}")
    monkeypatch.setattr(roster, "MOST_HOLDERS", 3)
    assert len(directory.build(conn, located, "hm", NOW).roster.dwellings) == 3


# ---- faces ----


def test_a_photo_becomes_a_small_portrait_that_the_stations_are_told(conn: sa.Connection, located: Located) -> None:
    issued = issue(conn, located, "3-502")
    before = versions.version_of(conn, "hm")
    photos.put_photo(conn, issued.token, portrait(drawn_face(1)), "t")
    assert versions.version_of(conn, "hm") == before + 1
    told = base64.b64decode(directory.build(conn, located, "hm", NOW).faces.faces[issued.id])
    seen = cv2.imdecode(np.frombuffer(told, np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    assert seen.shape == (HEIGHT, WIDTH, 3)
    assert directory.build(conn, located, "hm", issued.expires).faces == Faces()
    passes.revoke(conn, issued.id, "t")
    with pytest.raises(RegistryError, match="no photo"):
        photos.remove_photo(conn, issued.id)
    with pytest.raises(RegistryError, match="revoked"):
        photos.put_photo(conn, issued.id, portrait(drawn_face(1)), "t")


@pytest.mark.parametrize("height, width", [(400, 900), (900, 300), (200, 160), (41, 3000)])
def test_any_shape_is_cropped_and_even_noise_fits_the_contract(height: int, width: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    made = portrait(cv2.imencode(".png", noise)[1].tobytes())
    assert made.startswith(b"\xff\xd8\xff")
    assert len(base64.b64encode(made)) <= 16_000
    seen = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    assert seen.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    "data", [b"", b"no picture", drawn_face(0)[:200], cv2.imencode(".png", np.zeros((20, 90, 3)))[1].tobytes()]
)
def test_what_is_no_picture_is_said(data: bytes) -> None:
    with pytest.raises(NotAPicture, match="picture"):
        portrait(data)


def test_faces_are_the_newest_so_many_and_none_of_a_vehicle(
    conn: sa.Connection, located: Located, monkeypatch: pytest.MonkeyPatch
) -> None:
    jpeg = portrait(drawn_face(0))
    ids = [photos.put_photo(conn, issue(conn, located).id, jpeg, "t").id for _ in range(3)]
    monkeypatch.setattr(photos, "MOST_FACES", 2)
    assert set(directory.build(conn, located, "hm", NOW).faces.faces) == set(ids[1:])
    car = issue(conn, located, kind=PassKind.VEHICLE, plate="沪A12345")
    with pytest.raises(RegistryError, match="vehicle"):
        photos.put_photo(conn, car.id, jpeg, "t")
    with pytest.raises(RegistryError, match="12000 at most"):
        photos.put_photo(conn, ids[0], jpeg * 4, "t")


# ---- bookings ----


def test_bookings_are_told_ahead_and_an_hour_after(conn: sa.Connection, located: Located) -> None:
    open_now, soon, later = book(conn, -1, 2), book(conn, 35.9, 40), book(conn, 36.1, 40)
    cancelled = book(conn)
    assert bookings.cancel(conn, cancelled.id, "t", NOW).cancelled_by == "t"
    assert bookings.cancel(conn, cancelled.id, "else", NOW).cancelled_by == "t"

    def told(hours: float) -> list[str]:
        built = directory.build(conn, located, "hm", NOW + timedelta(hours=hours))
        return [one.id for one in built.bookings.bookings]

    assert told(0) == [open_now.id, soon.id]
    assert told(1) == [open_now.id, soon.id, later.id]
    assert told(2.9) == [open_now.id, soon.id, later.id]
    assert told(3.1) == [soon.id, later.id]
    assert directory.build(conn, located, "hm", NOW).bookings.bookings[0].plate == "沪A12345"
    assert [one.id for one in bookings.list_bookings(conn, "hm", after=NOW)] == [open_now.id, soon.id, later.id]
    assert len(bookings.list_bookings(conn)) == 4


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"compound": "nowhere"}, "no compound 'nowhere'"),
        ({"kind": "party"}, "removal, workers"),
        ({"plate": "1234567890123"}, "12 characters"),
        ({"crew": 101}, "crew is 101"),
        ({"plate": "", "dwelling": " "}, "plate or a dwelling"),
        ({"note": "a\nb"}, "note"),
        ({"opens": 5, "closes": 5}, "not after"),
        ({"opens": -5, "closes": -1}, "past"),
        ({"opens": 0, "closes": 24 * 40}, "31 at most"),
    ],
)
def test_what_is_wrong_with_a_booking_is_said(conn: sa.Connection, changes: dict[str, object], words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        book(conn, **changes)  # type: ignore[arg-type]


def test_a_booking_nobody_made_can_not_be_cancelled(conn: sa.Connection) -> None:
    with pytest.raises(RegistryError, match="booking list"):
        bookings.cancel(conn, "b0", "t", NOW)


# ---- policies ----


def test_a_compounds_word_goes_over_the_sub_districts_and_that_over_the_default(conn: sa.Connection, located: Located) -> None:
    policies.change(conn, policies.EVERYWHERE, {"courier": "visitor", "night": (1290, 360)}, "t", NOW)
    policies.change(conn, "hm", {"courier": "shelf", "question_share": 0.1}, "t", NOW)
    assert directory.build(conn, located, "hm", NOW).policies == Policies(question_share=0.1, night=(1290, 360))
    assert directory.build(conn, located, "gm", NOW).policies == Policies(courier="visitor", night=(1290, 360))
    policies.change(conn, "hm", {"courier": None}, "t", NOW)
    assert policies.in_force(conn, "hm").courier == "visitor"
    policies.change(conn, policies.EVERYWHERE, {"courier": None, "night": None}, "t", NOW)
    assert policies.in_force(conn, "gm") == Policies()


def test_policies_are_typed_as_words() -> None:
    words = ["courier=visitor", "question_share=0.05", "night=21:30-06:00", "taxi_seconds=900", "visit_seconds=default"]
    assert policies.parse(words) == {
        "courier": "visitor", "question_share": 0.05, "night": (1290, 360), "taxi_seconds": 900.0, "visit_seconds": None,
    }  # fmt: skip
    assert policies.shown("night", (1290, 360)) == "21:30-06:00"


def test_outings_are_typed_kept_and_told(conn: sa.Connection, located: Located) -> None:
    words = ["outings=1", "outing_days=2", "outing_seconds=10800", "outing_windows=07:00-09:00,17:00-19:30"]
    policies.change(conn, "hm", policies.parse(words), "t", NOW)
    told = directory.build(conn, located, "hm", NOW).policies
    assert (told.outings, told.outing_days, told.outing_seconds) == (1, 2, 10800)
    assert told.outing_windows == ((420, 540), (1020, 1170))
    assert policies.shown("outing_windows", told.outing_windows) == "07:00-09:00,17:00-19:30"
    policies.change(conn, "hm", policies.parse(["outing_windows=default"]), "t", NOW)
    assert directory.build(conn, located, "hm", NOW).policies.outing_windows == ()


@pytest.mark.parametrize(
    "word, said",
    [
        ("courier", "KEY=VALUE"), ("pizza=yes", "no policy 'pizza'"), ("courier=street", "shelf or visitor"),
        ("question_share=1.1", "0 to 1"), ("question_share=nan", "0 to 1"), ("shift_seconds=-1", "a week"),
        ("shift_seconds=inf", "a week"), ("shift_seconds=long", "a week"), ("night=21", "21:00-06:00"),
        ("night=25:00-06:00", "21:00-06:00"), ("outings=half", "whole people"), ("outing_days=9", "1 to 7"),
        ("outing_windows=07:00", "times with commas"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_policy_is_said(word: str, said: str) -> None:
    with pytest.raises(RegistryError, match=said):
        policies.parse([word])


def test_a_policy_of_no_compound_is_refused(conn: sa.Connection) -> None:
    with pytest.raises(RegistryError, match="no compound"):
        policies.change(conn, "nowhere", {}, "t", NOW)
