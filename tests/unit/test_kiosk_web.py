"""The station's page at its routes: what may be posted and by whom, and that no word is missing in either language."""

from collections.abc import Iterable

import msgspec
import pytest
from flask.testing import FlaskClient

from contract.events import Band, Direction, Outcome, Site
from contract.five import Item
from contract.passes import PassKind, Problem
from kiosk.drivers.base import FaultKind
from kiosk.inputs import AnyTouch, ConfirmDuty, Decide, OpenChecklist, SetDirection, TypeTemperature
from kiosk.view import ItemView, Phase, Snapshot
from kiosk.web import create_app
from kiosk.web.streams import Streams
from kiosk.web.texts import TEXTS

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
    ],
)
def test_ok__every_member_has_words(group: str, members: Iterable[str]) -> None:
    assert {str(member) for member in members} <= set(TEXTS["zh"][group])


RESIDENT = [
    "show_pass",
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
    "badge_pin",
    "show_desk_code",
    "show_register_code",
    "closed",
]


@pytest.mark.parametrize("forbidden", ["隔离", "吊销", "发热", "红", "橙", "黄", "isolat", "revoke", "fever", "red", "yellow"])
def test_ok__the_residents_sentences_never_say_why(forbidden: str) -> None:
    assert set(RESIDENT) == set(TEXTS["zh"]["sentences"])
    said = [words for language in TEXTS.values() for words in language["sentences"].values()]
    assert not any(forbidden in words.lower() for words in said)
