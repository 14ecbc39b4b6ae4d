"""The station's page at its routes: what may be posted and by whom, and that no word is missing in either language."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from flask.testing import FlaskClient

import kiosk.web
from contract.events import Band, Direction, Outcome, Site, Who
from contract.five import Item
from contract.passes import PassKind, Problem
from kiosk.drivers.base import FaultKind
from kiosk.inputs import AnyTouch, ConfirmDuty, Decide, OpenChecklist, SetDirection, TypeTemperature
from kiosk.view import ItemView, Phase, ResidentView, Snapshot, resident_view
from kiosk.web import create_app
from kiosk.web.streams import Streams
from kiosk.web.texts import TEXTS

STATIC = Path(kiosk.web.__file__).parent / "static"
OURS = {"X-Gatepost": "1", "Origin": "http://localhost"}


class Port:
    """A station that stands still."""

    def __init__(self) -> None:
        self.touches: list[AnyTouch] = []
        self.n = 1
        self.jpeg: bytes | None = b"jpeg"

    def snapshot(self) -> Snapshot:
        items = tuple(
            ItemView(item=i, present=True, basis="sensor", reason=None, todo=None, touch=None, seconds_left=None) for i in Item
        )
        return Snapshot(
            n=self.n, station="s1", gate="东门 <1>", compound="锦绣苑", clock="07:40", clock_synced=True, language="zh",
            phase=Phase.WAITING, direction=Direction.IN, sentence="show_pass", outcome=None, reasons=(), can_decide=False,
            can_retake=False, holder=None, reading=None, seconds_left=None, sound=None, checklist_item=None, error=None,
            items=items, compliant=True, volunteer=None, entries=(), inside=None, online=True, link_detail="", backlog=0,
            devices={}, device_details={}, needs_typing=False, journal_problem=None, gap_minutes=None, notices=(),
        )  # fmt: skip

    def wait(self, n: int, timeout: float) -> Snapshot:
        return self.snapshot()

    def post(self, touch: AnyTouch) -> None:
        self.touches.append(touch)

    def picture(self) -> bytes | None:
        return self.jpeg

    def roster(self) -> bytes:
        return b'{"version":7,"buildings":[]}'

    def face(self, pass_id: str) -> bytes | None:
        return b"face" if pass_id == "0a0a" else None


@pytest.fixture
def port() -> Port:
    return Port()


@pytest.fixture
def client(port: Port) -> FlaskClient:
    return create_app(port).test_client()


@pytest.mark.parametrize(
    "body, touch",
    [
        ('{"action": "confirm_duty"}', ConfirmDuty()),
        ('{"action": "direction", "direction": "out"}', SetDirection(direction=Direction.OUT)),
        ('{"action": "checklist", "item": "desk"}', OpenChecklist(item=Item.DESK)),
        ('{"action": "decide", "admit": false}', Decide(admit=False)),
        (
            '{"action": "temperature", "celsius": 36.5, "typed_seconds": 4.2, "site": "wrist"}',
            TypeTemperature(celsius=36.5, typed_seconds=4.2, site=Site.WRIST),
        ),
    ],
)
def test_ok__a_touch_reaches_the_station(client: FlaskClient, port: Port, body: str, touch: AnyTouch) -> None:
    assert client.post("/touch", data=body, headers=OURS).status_code == 204
    assert port.touches == [touch]


@pytest.mark.parametrize(
    "body, said",
    [
        ("", "truncated"),
        ("[]", "array"),
        ('{"action": "dance"}', "dance"),
        ('{"action": "decide"}', "admit"),
        ('{"action": "direction", "direction": "up"}', "up"),
        ('{"action": "temperature", "celsius": "36.5", "typed_seconds": 1}', "celsius"),
    ],
)
def test_fail__a_bad_touch_is_told_what_was_wrong(client: FlaskClient, port: Port, body: str, said: str) -> None:
    answer = client.post("/touch", data=body, headers=OURS)
    assert (answer.status_code, port.touches) == (400, [])
    assert said in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"X-Gatepost": "1"},
        {"X-Gatepost": "1", "Origin": "http://evil.example"},
        {"X-Gatepost": "1", "Origin": "null"},
    ],
)
def test_fail__another_page_posts_nothing(client: FlaskClient, port: Port, headers: dict[str, str]) -> None:
    answer = client.post("/touch", data='{"action": "emergency"}', headers=headers)
    assert (answer.status_code, port.touches) == (403, [])


def test_fail__a_body_without_end_is_refused(client: FlaskClient) -> None:
    assert client.post("/touch", data="x" * 5000, headers=OURS).status_code == 413


@pytest.mark.parametrize("way", ["../../kiosk.toml", "..%2f..%2fkiosk.toml", "%2e%2e/%2e%2e/kiosk.toml", "%2fetc%2fpasswd"])
@pytest.mark.parametrize("root", ["/static/", "/faces/", "/sounds/"])
def test_fail__a_path_out_of_its_folder(client: FlaskClient, root: str, way: str) -> None:
    answer = client.get(root + way)
    assert answer.status_code in (308, 400, 403, 404)
    assert b"root:" not in answer.data


def test_fail__without_a_token_another_name_for_this_machine_is_refused(client: FlaskClient) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_ok__the_page_comes_with_the_first_snapshot_and_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "东门 &lt;1&gt;" in page.text
    assert "//" not in page.text.replace("<!doctype html>", "")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in page.text
    assert "onclick" not in page.text


def test_ok__the_picture_is_the_cameras(client: FlaskClient, port: Port) -> None:
    assert client.get("/picture.jpg").data == b"jpeg"
    port.jpeg = None
    assert client.get("/picture.jpg").status_code == 404


def test_ok__the_roster_is_the_directorys(client: FlaskClient) -> None:
    answer = client.get("/roster")
    assert (answer.mimetype, answer.json) == ("application/json", {"version": 7, "buildings": []})


def test_ok__a_face_is_shown_where_there_is_one(client: FlaskClient) -> None:
    assert (client.get("/face/0a0a.jpg").data, client.get("/face/0a0a.jpg").mimetype) == (b"face", "image/jpeg")
    assert client.get("/face/0b0b.jpg").status_code == 404


def test_ok__the_residents_page_and_stream_hold_their_part_alone(client: FlaskClient, port: Port) -> None:
    page = client.get("/resident")
    assert "东门 &lt;1&gt;" in page.text
    assert "//" not in page.text.replace("<!doctype html>", "")
    assert not any(word in page.text for word in ("reasons", "发热", "居家隔离", "吊销"))
    first = next(Streams(port, 2, resident_view).open())
    assert set(msgspec.json.decode(first.split("data: ")[1])) == set(ResidentView.__struct_fields__)


def test_ok__with_a_token_the_cookie_opens_the_residents_page(port: Port) -> None:
    client = create_app(port, token="river").test_client()
    assert [client.get(address).status_code for address in ("/resident", "/roster", "/face/0a0a.jpg")] == [403, 403, 403]
    assert client.get("/resident?token=river").headers["Location"] == "/resident"
    assert client.get("/resident").status_code == 200


def test_ok__health_tells_the_snapshot(client: FlaskClient) -> None:
    assert client.get("/health").json == {"ok": True, "station": "s1", "n": 1}


def test_ok__with_a_token_the_cookie_opens_the_page(port: Port) -> None:
    client = create_app(port, token="river").test_client()
    assert client.get("/").status_code == 403
    assert client.get("/?token=lake").status_code == 403
    assert client.post("/touch", data='{"action": "help"}', headers=OURS).status_code == 403
    assert client.get("/?token=river").headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert client.post("/touch", data='{"action": "help"}', headers=OURS).status_code == 204
    assert client.get("/health").status_code == 200


def test_ok__a_stream_gives_the_snapshot_then_beats_then_news(port: Port) -> None:
    stream = Streams(port).open()
    first = next(stream)
    assert first.startswith("retry: 1000\nid: 1\ndata: {")
    assert msgspec.json.decode(first.split("data: ")[1])["gate"] == "东门 <1>"
    assert next(stream) == "event: beat\ndata:\n\n"
    port.n = 2
    assert next(stream).startswith("id: 2\n")


def test_ok__the_fifth_stream_ends_the_first_and_no_other(port: Port) -> None:
    streams = Streams(port)
    opened = [streams.open() for _ in range(5)]
    heads = [next(stream) for stream in opened]
    assert len(heads) == 5
    assert list(opened[0]) == ["event: ended\ndata:\n\n"]
    assert next(opened[1]) == "event: beat\ndata:\n\n"


def test_ok__a_closed_server_ends_its_streams_in_silence(port: Port) -> None:
    streams = Streams(port)
    stream = streams.open()
    next(stream)
    streams.close()
    assert list(stream) == []


def test_ok__both_languages_have_the_same_words() -> None:
    zh, en = TEXTS["zh"], TEXTS["en"]
    assert {group: set(words) for group, words in zh.items()} == {group: set(words) for group, words in en.items()}
    assert all(word for language in TEXTS.values() for words in language.values() for word in words.values())


FORMS = ("visitor", "courier", "traveller", "vehicle", "key_in")
ERRORS = (
    "no_such_person", "nobody_there", "needs_plate", "needs_name", "settings_closed", "no_settings_pin", "not_aside",
    "no_barrier", "time_ahead",
)  # fmt: skip
DEVICES = (
    "camera", "camera-2", "scanner", "hand-scanner", "thermometer", "journal", "light", "buzzer", "barrier", "presence", "voice",
    "button",
)  # fmt: skip
NEW_REASONS = (
    "gate_closed", "key_area", "host_not_confirmed", "boot_unchecked", "ask_dwelling", "no_card", "booking_not_now", "no_booking",
    "aside", "left", "after_restart", "question_wrong", "companion", "written_later", "while_closed", "taxi",
    "calibration_overdue",
)  # fmt: skip


@pytest.mark.parametrize(
    "group, members",
    [
        ("reasons", Problem),
        ("reasons", Band),
        ("reasons", FaultKind),
        ("items", Item),
        ("outcomes", Outcome),
        ("phases", Phase),
        ("directions", Direction),
        ("sites", Site),
        ("kinds", PassKind),
        ("whos", Who),
        ("titles", FORMS),
        ("errors", ERRORS),
        ("devices", DEVICES),
        ("reasons", NEW_REASONS),
    ],
)
def test_ok__every_member_has_words(group: str, members: Iterable[str]) -> None:
    assert {str(member) for member in members} <= set(TEXTS["zh"][group])


RESIDENT = [
    "show_pass",
    "identify",
    "one_by_one",
    "measuring",
    "ok_enter",
    "ok_leave",
    "again",
    "wrist",
    "wait_aside",
    "not_allowed",
    "please_wait",
    "emergency",
    "next_one",
    "which_home",
    "badge_pin",
    "show_desk_code",
    "show_register_code",
    "closed",
]


def test_ok__every_word_that_the_page_says_is_there() -> None:
    said = re.findall(r'say\("(\w+)", "(\w+)"', "".join(f.read_text() for f in STATIC.glob("*.js")))
    said += [("ui", key) for key in re.findall(r'data-ui="(\w+)"', (STATIC.parent / "templates" / "station.html").read_text())]
    assert len(said) > 100
    assert [one for one in said if one[1] not in TEXTS["zh"][one[0]]] == []


@pytest.mark.parametrize("forbidden", ["隔离", "吊销", "发热", "红", "橙", "黄", "isolat", "revoke", "fever", "red", "yellow"])
def test_ok__the_residents_sentences_never_say_why(forbidden: str) -> None:
    assert set(RESIDENT) == set(TEXTS["zh"]["sentences"])
    said = [words for language in TEXTS.values() for words in language["sentences"].values()]
    assert not any(forbidden in words.lower() for words in said)
