"""Passes and badges at the supervisors' pages: issued, renewed, revoked, printed, shown on a phone; the day's codes."""

import io
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from urllib.parse import urlsplit

import cv2
import msgspec
import numpy as np
import pytest
import sqlalchemy as sa
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from contract import passes as contract_passes
from contract.codec import encode
from contract.directory import pin_secret
from contract.events import Clock
from contract.messages import Vitals
from contract.passes import Pass, PassKind
from hub import audit, confirmations, rota, sheets
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, directory, keys, pass_lists, passes, photos, places, renewing, versions
from hub.registry.errors import RegistryError
from hub.registry.pass_lists import Wanted
from hub.rights import Scope, ScopeKind
from hub.store import migrate, open_store, tables
from hub.store.supervision import rota as rota_table
from hub.web import create_app
from hub.web.pass_link import token_of

NOW = datetime.now(UTC).replace(microsecond=0)
PASSWORD = "a long password"
needs_font = pytest.mark.skipif(
    not any(Path(name).is_file() for name, _ in sheets.FONTS), reason="no font with Chinese characters: fonts-noto-cjk"
)


def picture(width: int = 300, height: int = 400) -> bytes:
    """A JPEG as a phone takes it."""
    pixels = np.full((height, width, 3), (190, 170, 150), np.uint8)
    cv2.circle(pixels, (width // 2, height // 3), width // 4, (90, 110, 150), -1)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two compounds with a gate each; six passes of the first, one of the second."""
    path = tmp_path_factory.mktemp("seeded") / "hub.db"
    engine = open_store(f"sqlite:///{path}")
    migrate(engine)
    with engine.begin() as conn:
        located = Located(HubSettings(), path.parent)
        keys.ensure_keys(conn)
        places.add_area(conn, "a1", "东片区")
        places.add_committee(conn, "j1", "东片居委", "a1")
        for compound, name, gate in (("c1", "锦绣苑", "east"), ("c2", "虹梅苑", "west")):
            places.add_compound(conn, compound, name, "j1", "李敏")
            places.add_gate(conn, gate, {"east": "东门", "west": "西门"}[gate], compound)
            conn.execute(sa.insert(tables.stations).values(id=f"{gate}-1", gate=gate, lane="1", added_at=NOW))
        for id, role in (("admin", "admin"), ("zhou", "supervisor"), ("reg", "registrar"), ("insp", "inspector")):
            accounts.add_account(conn, id, id, role, PASSWORD)
        accounts.add_account(conn, "li", "李敏", "liaison", PASSWORD, scopes=[Scope(ScopeKind.COMPOUND, "c1")])
        accounts.add_account(conn, "guest", "g", "guest", PASSWORD, expires_at=NOW + timedelta(days=9))
        for compound, kind, name, dwelling, plate, pin in (
            ("c1", "resident", "王小明", "3号楼202室", "", None), ("c1", "resident", "李四", "3-1001", "", None),
            ("c1", "resident", "张美丽", "12号楼101", "", None), ("c1", "vehicle", "", "12号楼101", "沪A12345", None),
            ("c1", "volunteer", "陈晓芳", "", "", "1234"), ("c1", "resident", "赵100%", "3号202", "", None),
            ("c2", "resident", "吴刚", "1号101", "", None),
        ):  # fmt: skip
            passes.issue(conn, located, kind=PassKind(kind), compound=compound, name=name, dwelling=dwelling, plate=plate, by="x",
                         pin=pin)  # fmt: skip
    engine.dispose()
    return path


@pytest.fixture
def engine(seeded: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{copy(seeded, tmp_path)}")
    yield engine
    engine.dispose()


@pytest.fixture
def located(tmp_path: Path) -> Located:
    return Located(HubSettings(web=Web(secure_cookies=False)), tmp_path)


@pytest.fixture
def app(engine: sa.Engine, located: Located) -> Flask:
    return create_app(located, engine, now=lambda: NOW)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def as_(client: FlaskClient, account: str) -> FlaskClient:
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"1 {account}", True
    return client


def post(client: FlaskClient, path: str, **data: object) -> tuple[int, str, str]:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/").text)
    assert token
    answer = client.post(path, data={"csrf_token": token[1], **data}, content_type="multipart/form-data")
    return answer.status_code, answer.headers.get("Location", ""), answer.text


def find(conn: sa.Connection, name: str) -> passes.IssuedPass:
    """The newest pass of a masked name or a plate."""
    (one, *_), _ = pass_lists.page(conn, None, Wanted(text=name), NOW, 9)
    return one


def code_in(page: str) -> str:
    """What a camera reads of the page's QR code, drawn from its path."""
    size = int(re.search(r'viewBox="0 0 (\d+) \d+"', page)[1])  # type: ignore[index]
    path = re.search(r' d="([^"]+)"', page)[1]  # type: ignore[index]
    pixels = np.full((size, size), 255, np.uint8)
    x, y = 0.0, 0.0
    for letter, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        given = [float(n) for n in numbers.split()]
        if letter == "h":
            pixels[int(y), int(x) : int(x + given[0])] = 0
            x += given[0]
        else:
            x, y = (given[0], given[1]) if letter == "M" else (x + given[0], y + given[1])
    (found,) = zxingcpp.read_barcodes(cv2.resize(pixels, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST))
    return str(found.text)


# ---- found again ----


@pytest.mark.parametrize(
    "wanted, names",
    [
        (Wanted(text="王小明"), {"王*明"}), (Wanted(text="王"), {"王*明"}), (Wanted(text="12号"), {"张*丽", ""}),
        (Wanted(text="A123"), {""}), (Wanted(kind="volunteer"), {"陈*芳"}), (Wanted(compound="c2"), {"吴*"}),
        (Wanted(text="%"), {"赵***%"}), (Wanted(state="revoked"), set()), (Wanted(text="nobody"), set()),
    ],
)  # fmt: skip
def test_ok__found_by_what_is_known(engine: sa.Engine, wanted: Wanted, names: set[str]) -> None:
    with engine.connect() as conn:
        found, total = pass_lists.page(conn, None, wanted, NOW, 50)
        assert ({one.masked_name for one in found}, total) == (names, len(found))


def test_ok__found_by_its_code_and_its_number(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        wang = find(conn, "王小明")
        for text in (wang.token, wang.id[:8]):
            assert [one.id for one in pass_lists.page(conn, None, Wanted(text=text), NOW, 5)[0]] == [wang.id]
        assert pass_lists.page(conn, frozenset({"c2"}), Wanted(text=wang.token), NOW, 5) == ([], 0)


def test_ok__a_building_in_the_order_of_its_doors(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        assert pass_lists.buildings(conn, "c1", NOW) == [("3号", 3), ("12号", 2)]
        names = [one.masked_name for one in pass_lists.of_building(conn, "c1", "3号", "", NOW)]
        assert (sorted(names[:2]), names[2]) == (["王*明", "赵***%"], "李*")
        assert len(pass_lists.of_building(conn, "c1", "", "resident", NOW)) == 4


# ---- renewed ----


def test_ok__renewed__all_that_belongs_to_the_holder_goes_along(engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        old = find(conn, "陈晓芳")
        passes.set_colour(conn, old.id, "blue")
        passes.set_isolating(conn, old.id, True)
        photos.put_photo(conn, old.id, b"\xff\xd8\xff", "x")
        for id, hours in (("past", -10), ("next", 10)):
            at = NOW + timedelta(hours=hours)
            conn.execute(
                sa.insert(rota_table).values(
                    id=id, gate="east", begins=at, ends=at + timedelta(hours=4), badge=old.id, made_at=NOW, made_by="x"
                )
            )
        made = renewing.renew(conn, located, old.id, by="zhou", now=NOW, days=10, pin="5678")
        assert (made.id != old.id, made.masked_name, made.colour, made.isolating) == (True, "陈*芳", "blue", True)
        assert passes.find(conn, old.id).revoked_at is not None
        told = directory.build(conn, located, "c1", NOW)
        assert ([badge.id for badge in told.badges.badges], told.revocations.ids) == ([made.id], (old.id,))
        assert list(told.faces.faces) == [made.id]
        week = NOW - timedelta(days=1), NOW + timedelta(days=1)
        assert {one.id: one.badge for one in rota.rota(conn, None, *week)} == {"past": old.id, "next": made.id}
        assert pin_secret("5678", made.token) != pin_secret("5678", old.token)


def test_fail__renewed__a_revoked_one_and_a_badge_without_a_pin(engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        badge, wang = find(conn, "陈晓芳"), find(conn, "王小明")
        with pytest.raises(RegistryError, match="PIN"):
            renewing.renew(conn, located, badge.id, by="x", now=NOW)
        passes.revoke(conn, wang.id, "x")
        with pytest.raises(RegistryError, match="revoked"):
            renewing.renew(conn, located, wang.id, by="x", now=NOW)


# ---- what the stations have confirmed ----


def heard(conn: sa.Connection, station: str, version: int) -> None:
    vitals = Vitals(boot="b", mono_ns=1, at=NOW, clock=Clock.SYNCED, last_seq=1, backlog=0, directory_version=version)
    conn.execute(sa.insert(tables.pulses).values(station=station, online=True, heard_at=NOW, vitals=encode(vitals).decode()))


def test_ok__those_behind_first(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        newest = versions.versions(conn)
        heard(conn, "east-1", newest["c1"])
        heard(conn, "west-1", newest["c2"] - 1)
        first, second = confirmations.confirmed(conn, None)
        assert (first.compound, first.behind, first.stations[0].behind) == ("c2", 1, 1)
        assert (second.compound, second.behind, second.stations[0].version) == ("c1", 0, newest["c1"])
        versions.bump(conn, "c1")
        assert confirmations.confirmed(conn, frozenset({"c1"}))[0].behind == 1


def test_ok__a_station_that_was_never_heard_has_confirmed_nothing(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        (only,) = confirmations.confirmed(conn, frozenset({"c2"}))
        assert (only.stations[0].version, only.stations[0].behind) == (None, only.version)
        conn.execute(sa.update(tables.stations).values(in_service=False))
        assert confirmations.confirmed(conn, frozenset({"c2"}))[0].stations == ()


# ---- the phone ----


@given(st.binary(max_size=300))
def test_ok__any_bytes_survive_an_address(data: bytes) -> None:
    token = token_of(urlsafe_b64encode(data).decode().rstrip("="))
    assert token.startswith("GP1:")
    assert urlsafe_b64encode(data).decode().rstrip("=").isascii()


@given(st.text(max_size=200))
def test_ok__no_text_in_an_address_breaks_it(text: str) -> None:
    assert isinstance(token_of(text), str)


def phone_path(client: FlaskClient, id: str) -> str:
    """The path of the link that the pass's page gives."""
    address = re.search(r'href="(http://localhost/p/[^"]+)"', client.get(f"/passes/{id}").text)
    assert address
    return urlsplit(address[1]).path


def test_ok__the_link_shows_the_code_to_anybody(app: Flask, engine: sa.Engine) -> None:
    with engine.connect() as conn:
        wang = find(conn, "王小明")
    path = phone_path(as_(app.test_client(), "li"), wang.id)
    answer = app.test_client().get(path)
    assert (answer.status_code, code_in(answer.text)) == (200, wang.token)
    assert ("王*明" in answer.text, "锦绣苑" in answer.text, "3号楼202" in answer.text) == (True, True, False)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert 'name="referrer" content="no-referrer"' in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|https?://(?!localhost)", answer.text)


def test_ok__the_code_of_the_link_leads_to_the_link(app: Flask, engine: sa.Engine) -> None:
    with engine.connect() as conn:
        wang = find(conn, "王小明")
    client = as_(app.test_client(), "li")
    assert urlsplit(code_in(client.get(f"/passes/{wang.id}").text.partition("link-code")[2])).path == phone_path(client, wang.id)


def test_ok__a_link_begins_where_the_pages_are_said_to_be(engine: sa.Engine, located: Located) -> None:
    """A reader's Host header is no place to send a pass to."""
    from hub.web.pass_link import link

    with engine.connect() as conn:
        token = find(conn, "王小明").token
    web = msgspec.structs.replace(located.settings.web, public_url="https://gates.example.org/")
    public = msgspec.structs.replace(located, settings=msgspec.structs.replace(located.settings, web=web))
    with create_app(public, engine).test_request_context(headers={"Host": "evil.example.org"}):
        assert link(token).startswith("https://gates.example.org/p/")


def test_fail__a_link_that_is_revoked_or_expired_or_no_pass(app: Flask, engine: sa.Engine, located: Located) -> None:
    with engine.begin() as conn:
        wang = find(conn, "王小明")
        key = keys.current(conn, keys.KeyUse.PASSES)
        known = {key.kid: key.public}
    path, anybody = phone_path(as_(app.test_client(), "li"), wang.id), app.test_client()
    claims = contract_passes.read(wang.token, known)
    assert isinstance(claims, Pass)
    forged = contract_passes.issue(claims, key.kid, bytes(32))
    for token in (forged, "GP1:00"):
        assert anybody.get(held(app, token)).status_code == 404
    for bad in ("/p/x", "/p/%ff%fe", "/p/" + "A" * 3000):
        answer = anybody.get(bad)
        assert (answer.status_code, "<svg" in answer.text) == (404, False)
    with app.app_context():
        late = contract_passes.issue(_shifted(claims), key.kid, key.private)
    answer = anybody.get(held(app, late))
    assert (answer.status_code, "此证已过期" in answer.text, "<svg" in answer.text) == (200, True, False)
    with engine.begin() as conn:
        passes.revoke(conn, wang.id, "x")
    answer = anybody.get(path)
    assert (answer.status_code, "此证已停用" in answer.text, "<svg" in answer.text) == (200, True, False)


def held(app: Flask, token: str) -> str:
    from hub.web.pass_link import link

    with app.test_request_context():
        return urlsplit(link(token)).path


def _shifted(claims: Pass) -> Pass:
    from dataclasses import replace

    return replace(claims, not_before=NOW - timedelta(days=9), expires=NOW - timedelta(days=1))


# ---- the pages ----

ROLES = ("admin", "zhou", "reg", "li", "insp", "guest")
MAY = {"admin", "zhou", "reg", "li"}
PATHS = ("/passes", "/passes/new", "/passes/print", "/passes/day-codes", "/passes/day-codes/east", "/passes/directory")


@pytest.mark.parametrize("account", ROLES)
def test_ok__who_may_do_what(client: FlaskClient, engine: sa.Engine, account: str) -> None:
    with engine.connect() as conn:
        wang = find(conn, "王小明")
    as_(client, account)
    for path in (*PATHS, f"/passes/{wang.id}"):
        assert client.get(path).status_code == (200 if account in MAY else 403), path
    for path in ("/passes/new", f"/passes/{wang.id}/revoke", f"/passes/{wang.id}/renew", f"/passes/{wang.id}/photo"):
        code, _, _ = post(client, path)
        assert (code == 403) is (account not in MAY), path


def test_fail__nobody_without_signing_in(client: FlaskClient) -> None:
    assert all(client.get(path).status_code == 302 for path in PATHS)


def test_fail__outside_ones_compounds(client: FlaskClient, engine: sa.Engine) -> None:
    with engine.connect() as conn:
        wu = find(conn, "吴刚")
    as_(client, "li")
    paths = (
        f"/passes/{wu.id}", f"/passes/{wu.id}/photo", "/passes/day-codes/west", "/passes/day-codes.pdf?gate=west",
        "/passes/day-codes.pdf?compound=c2", "/passes/sheet.pdf?compound=c2", f"/passes/sheet.pdf?id={wu.id}",
    )  # fmt: skip
    for path in paths:
        assert client.get(path).status_code == 404, path
    for path in (f"/passes/{wu.id}/revoke", f"/passes/{wu.id}/renew", f"/passes/{wu.id}/photo/remove"):
        assert post(client, path)[0] == 404, path
    assert post(client, f"/passes/{wu.id}/photo", photo=(io.BytesIO(picture()), "a.jpg"))[0] == 404
    code, _, page = post(client, "/passes/new", kind="resident", compound="c2", name="吴刚")
    assert (code, "请选一个你负责的小区" in page) == (400, True)
    assert all("虹梅苑" not in client.get(path).text for path in PATHS)
    with engine.connect() as conn:
        assert find(conn, "吴刚").revoked_at is None


def test_ok__issued_with_a_photo__and_noted_without_the_name(client: FlaskClient, engine: sa.Engine) -> None:
    as_(client, "li")
    code, to, _ = post(
        client, "/passes/new", kind="resident", compound="c1", name="欧阳小红", dwelling="3号楼303", days="7",
        photo=(io.BytesIO(picture()), "face.jpg"),
    )  # fmt: skip
    assert code == 303
    page = client.get(to).text
    assert ("欧**红" in page, "欧阳小红" in page, "已签发" in page) == (True, False, True)
    with engine.connect() as conn:
        made = find(conn, "欧阳小红")
        assert made.expires.date() == (NOW + timedelta(days=7)).date()
        lines = audit.lines(conn, 9)
        everything = " ".join(str(list(row)) for row in conn.execute(sa.select(tables.passes)))
    assert [(one.action, one.object) for one in lines] == [("look", made.id), ("issue", made.id)]
    assert lines[1].detail == {"pass_kind": "resident", "compound": "c1", "photo": True}
    assert "欧阳小红" not in everything
    assert client.get(f"/passes/{made.id}/photo").data.startswith(b"\xff\xd8\xff")


def test_ok__a_phones_picture_of_some_megabytes(client: FlaskClient, engine: sa.Engine) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1500, 1500, 3), np.uint8)
    large = cv2.imencode(".png", noise)[1].tobytes()
    assert len(large) > 4 * 2**20
    as_(client, "li")
    code, _, _ = post(client, "/passes/new", kind="resident", compound="c1", name="孙一", photo=(io.BytesIO(large), "a.png"))
    assert code == 303
    with engine.connect() as conn:
        id = find(conn, "孙一").id
    assert post(client, f"/passes/{id}/revoke", filler=b"x" * 70_000)[0] == 413  # no other form is so large


@pytest.mark.parametrize(
    "form, said",
    [
        ({"name": ""}, "请填持证人姓名"), ({"name": "王" * 61}, "最多60个字"), ({"kind": "vehicle"}, "必须填车牌"),
        ({"kind": "volunteer"}, "PIN码"), ({"kind": "volunteer", "pin": "12a4"}, "PIN码"), ({"pin": "1234"}, "没有PIN码"),
        ({"kind": "king"}, "请选一个种类"), ({"compound": ""}, "小区"), ({"days": "0"}, "1到3650"), ({"days": "many"}, "1到3650"),
        ({"photo": (io.BytesIO(b"not a picture"), "a.jpg")}, "不是能用的照片"),
    ],
)  # fmt: skip
def test_fail__issue_says_what_is_wrong(client: FlaskClient, engine: sa.Engine, form: dict[str, object], said: str) -> None:
    as_(client, "zhou")
    with engine.connect() as conn:
        before = conn.scalar(sa.select(sa.func.count()).select_from(tables.passes))
    usual: dict[str, object] = {"kind": "resident", "compound": "c1", "name": "王小明", "dwelling": "9号楼909"}
    code, _, page = post(client, "/passes/new", **{**usual, **form})
    assert (code, said in page.partition("<main")[2], "9号楼909" in page) == (400, True, True)
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.passes)) == before
        assert [line.action for line in audit.lines(conn, 9)] == []


def test_ok__a_badge_with_a_pin_that_is_shown_nowhere(client: FlaskClient, engine: sa.Engine) -> None:
    as_(client, "zhou")
    code, to, _ = post(client, "/passes/new", kind="volunteer", compound="c1", name="周建国", pin="80417")
    assert (code, "80417" in client.get(to).text) == (303, False)
    with engine.connect() as conn:
        (row,) = conn.execute(sa.select(tables.passes.c.pin).where(tables.passes.c.name == "周*国"))
        assert row.pin.startswith("$argon2id$")
        assert "80417" not in str([msgspec.structs.astuple(line) for line in audit.lines(conn, 9)])


def test_ok__a_badge_of_before_says_that_it_opens_no_roster(client: FlaskClient, engine: sa.Engine) -> None:
    as_(client, "li")
    with engine.begin() as conn:
        badge = find(conn, "陈晓芳")
    assert "打不开岗亭名册" not in client.get(f"/passes/{badge.id}").text
    with engine.begin() as conn:
        conn.execute(sa.update(tables.passes).values(opens=None))
        wang = find(conn, "王小明")
    assert "打不开岗亭名册" in client.get(f"/passes/{badge.id}").text
    assert "打不开岗亭名册" not in client.get(f"/passes/{wang.id}").text


def test_ok__renewed_and_revoked_at_the_page(client: FlaskClient, engine: sa.Engine) -> None:
    as_(client, "li")
    with engine.connect() as conn:
        badge, wang = find(conn, "陈晓芳"), find(conn, "王小明")
    code, _, page = post(client, f"/passes/{badge.id}/renew", days="5")
    assert (code, "PIN码" in page) == (400, True)
    code, to, _ = post(client, f"/passes/{badge.id}/renew", days="5", pin="9876")
    assert (code, "已换发,旧证已吊销" in client.get(to).text) == (303, True)
    assert "已吊销" in client.get(f"/passes/{badge.id}").text
    code, to, _ = post(client, f"/passes/{wang.id}/revoke")
    assert (code, "已吊销" in client.get(to).text) == (303, True)
    assert post(client, f"/passes/{wang.id}/revoke")[0] == 303
    code, _, page = post(client, f"/passes/{wang.id}/renew")
    assert (code, "这张证已经吊销" in page) == (400, True)
    with engine.connect() as conn:
        assert [line.action for line in audit.lines(conn, 20) if line.action != "look"] == ["revoke", "renew"]


def test_ok__a_photo_put_and_removed(client: FlaskClient, engine: sa.Engine) -> None:
    as_(client, "li")
    with engine.connect() as conn:
        wang = find(conn, "王小明")
    assert post(client, f"/passes/{wang.id}/photo")[2].count("请先选一张照片") == 1
    assert client.get(f"/passes/{wang.id}/photo").status_code == 404
    assert post(client, f"/passes/{wang.id}/photo", photo=(io.BytesIO(picture()), "a.jpg"))[0] == 303
    assert client.get(f"/passes/{wang.id}/photo").mimetype == "image/jpeg"
    assert post(client, f"/passes/{wang.id}/photo/remove")[0] == 303
    assert client.get(f"/passes/{wang.id}/photo").status_code == 404


@needs_font
def test_ok__sheets_of_a_building_and_of_a_choice(client: FlaskClient, engine: sa.Engine) -> None:
    as_(client, "li")
    with engine.connect() as conn:
        ids = [find(conn, name).id for name in ("王小明", "张美丽")]
        wu = find(conn, "吴刚").id
    page = client.get("/passes/print?compound=c1&building=3号").text
    assert "有效的3张" in page
    for path in ("/passes/sheet.pdf?compound=c1&building=3号", f"/passes/sheet.pdf?id={ids[0]}&id={ids[1]}&id={wu}"):
        answer = client.get(path)
        assert (answer.status_code, answer.data[:5]) == (200, b"%PDF-")
    assert client.get("/passes/sheet.pdf?compound=c1&part=2").status_code == 404
    with engine.connect() as conn:
        printed = [line.detail["count"] for line in audit.lines(conn, 9) if line.action == "print"]
    assert printed == [2, 3]


@needs_font
def test_ok__the_days_codes__of_a_gate_and_of_a_compound(client: FlaskClient, engine: sa.Engine) -> None:
    as_(client, "li")
    page = client.get("/passes/day-codes/east").text
    codes = re.findall(r'class="code-text">(GPD:[0-9A-F]{16})<', page)
    assert (len(codes), code_in(page.partition("<figure")[2])) == (2, codes[0])
    assert client.get("/passes/day-codes/east").text.count(codes[0]) == page.count(codes[0])
    far = (NOW + timedelta(days=30)).date().isoformat()
    assert codes[0] in client.get(f"/passes/day-codes/east?day={far}").text  # not so far ahead: today's
    for path in ("/passes/day-codes.pdf?gate=east", "/passes/day-codes.pdf?compound=c1"):
        assert client.get(path).data[:5] == b"%PDF-"
    with engine.connect() as conn:
        assert {line.action for line in audit.lines(conn, 9)} == {"look", "print"}


def test_ok__the_directory_at_the_stations(client: FlaskClient, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        heard(conn, "west-1", versions.version_of(conn, "c2"))
    page = as_(client, "zhou").get("/passes/directory").text
    assert "2个岗亭终端:1个还没用上最新名录" in page
    assert page.index("锦绣苑") < page.index("虹梅苑")
    assert "从未确认" in page


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_ok__nothing_inline(client: FlaskClient, path: str, language: str) -> None:
    as_(client, "zhou").set_cookie("language", language)
    page = client.get(path).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|https?://(?!localhost)", page)
