"""The work at a gate, touch by touch as a finger does it: how many touches each flow takes, and what the station then gets.

Every flow is gone through at the three sizes of screen, in both languages.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from contract.events import Direction, Outcome
from kiosk.inputs import (
    AnswerGap,
    ChangeSettings,
    CheckDevices,
    CloseSettings,
    Decide,
    Emergency,
    EndVisit,
    FindHolder,
    Gone,
    KeyIn,
    OpenSettings,
    Recall,
    Register,
    RegisterVehicle,
    Tally,
)
from kiosk.view import EntryView, Phase, ResidentView, Snapshot
from kiosk.web import Served
from tests.e2e.conftest import (
    WANG,
    FakePort,
    aside_people,
    bookings_today,
    brought_back,
    drawn,
    holder,
    last_entries,
    opened,
    pressed,
    settings_open,
    steady,
    visits_inside,
)
from tests.e2e.words import LOOKS, saying

BUSY: dict[str, Any] = {
    "roster": 7, "aside": aside_people(), "visits": visits_inside(), "bookings": bookings_today(), "couriers": 12,
    "can_settings": True,
}  # fmt: skip
PASS_SHOWN = BUSY | {"phase": Phase.OUTCOME, "outcome": Outcome.ADMIT, "sentence": "ok_enter", "holder": holder(pass_id=WANG)}


class Finger:
    """Touches buttons by their words, one after another, each only when the screen stands still; and counts."""

    def __init__(self, port: FakePort, page: Page, language: str) -> None:
        self.port, self.page, self.language, self.count = port, page, language, 0

    def show(self, **changes: Any) -> Snapshot:
        """Publishes a snapshot and waits until it is drawn and the screen stands still."""
        shown = drawn(self.port, self.page, language=self.language, **changes)
        steady(self.page)
        return shown

    def touch(self, *labels: str) -> None:
        """Each label is all that a button says in Chinese, white space aside; the button of the screen's language is touched."""
        for label in labels:
            self._press("button", self.words(label).pattern)

    def words(self, *said: str, whole: bool = True) -> re.Pattern[str]:
        """All (or a part) of what a place shows when it says this in the screen's language."""
        return saying(self.language, *said, whole=whole)

    def press(self, selector: str) -> None:
        """A button that is told by its place rather than by its words."""
        self._press(selector)

    def _press(self, selector: str, *said: str) -> None:
        pressed(self.page, selector, *said)
        self.count += 1

    def type(self, digits: str) -> None:
        """On the number pad of the page's own views."""
        for digit in digits:
            self.press(f"[data-digit='{digit}']")

    def posted(self, count: int = 1) -> list[Any]:
        """What has reached the station, once that many touches have."""
        for _ in range(100):
            if len(self.port.touches) >= count:
                break
            self.page.wait_for_timeout(20)
        return list(self.port.touches)


@pytest.fixture(scope="module", params=LOOKS, ids="{0[0][0]}x{0[0][1]}-{0[1]}".format)
def look(request: pytest.FixtureRequest) -> tuple[tuple[int, int], str]:
    """The size of the screen, and its language."""
    return request.param


@pytest.fixture(scope="module")
def tab(browser: Browser, look: tuple[tuple[int, int], str], served: Served) -> Iterator[Page]:
    (width, height), _ = look
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        tab = context.new_page()
        opened(tab, served)
        yield tab


@pytest.fixture
def page(tab: Page, port: FakePort) -> Page:
    """The page with nobody at hand, and with no draft of an earlier test."""
    brought_back(port, tab)
    return tab


@pytest.fixture
def finger(port: FakePort, page: Page, look: tuple[tuple[int, int], str]) -> Finger:
    finger = Finger(port, page, look[1])
    finger.show(**BUSY)
    return finger


def at_work(finger: Finger) -> Finger:
    """With the menu of work open; its touch is not counted where the flow is said to begin there."""
    finger.touch("登记")
    finger.count = 0
    return finger


def test_ok__an_ambulance_takes_one_touch_whatever_is_open(finger: Finger) -> None:
    finger.touch("访客", "3号楼")
    finger.count = 0
    finger.touch("紧急放行")
    assert (finger.count, finger.posted()) == (1, [Emergency()])


def test_ok__a_courier_at_the_shelf_takes_two_touches(finger: Finger) -> None:
    finger.touch("登记", "快递放货架 12")
    assert (finger.count, finger.posted()) == (2, [Tally()])
    expect(finger.page.locator("[data-send=tally]")).to_have_attribute("data-heard", finger.words("已收到"))


def test_ok__no_card_takes_three_touches(finger: Finger) -> None:
    at_work(finger).touch("没带证", "4号楼", "202")
    assert (finger.count, finger.posted()) == (3, [FindHolder(pass_id="4号楼-202")])


def test_ok__of_two_behind_one_door_the_name_is_asked(finger: Finger) -> None:
    at_work(finger).touch("没带证", "3号楼", "202", "王*明")
    assert finger.posted() == [FindHolder(pass_id=WANG)]


def test_ok__many_buildings_are_found_by_digits(finger: Finger) -> None:
    rooms = finger.port.lives["buildings"][0]["rooms"]
    finger.port.lives = {"version": 8, "buildings": [{"building": f"{n}号楼", "rooms": rooms} for n in range(1, 61)]}
    finger.show(**BUSY | {"roster": 8})
    at_work(finger).touch("没带证", "数字")
    finger.type("57")
    finger.touch("57号楼", "102")
    assert finger.posted() == [FindHolder(pass_id="1号楼-102")]


def test_ok__without_a_roster_the_visitor_form_is_offered(finger: Finger) -> None:
    finger.show()
    at_work(finger).touch("没带证")
    expect(finger.page.locator("#local .said")).to_have_text(finger.words("还没有名册，请按访客登记"))
    finger.touch("按访客登记")
    finger.type("3")
    finger.touch("完成")
    finger.type("202")
    finger.touch("完成", "住户已确认·测温")
    assert finger.posted() == [Register(building="3", room="202", host_confirmed=True)]


def test_ok__a_visitor_takes_four_touches(finger: Finger) -> None:
    finger.touch("访客", "12号楼", "202", "住户已确认·测温")
    assert finger.count == 4
    assert finger.posted() == [Register(building="12号楼", room="202", host_confirmed=True)]


def test_ok__all_that_can_be_asked_of_a_visitor(finger: Finger) -> None:
    finger.touch("访客", "12号楼", "202", "维修", "有", "姓名—", "李", "女士", "从哪来—", "湖北", "电话—")
    finger.type("13812345678")
    finger.touch("完成", "+", "住户未确认")
    said = Register(purpose="repair", key_area=True, name="李女士", origin="湖北", phone="13812345678", people=2,
                    building="12号楼", room="202")  # fmt: skip
    assert finger.posted() == [said]


def test_ok__couriers_may_go_in_like_visitors(finger: Finger) -> None:
    finger.show(**BUSY | {"courier": "visitor"})
    at_work(finger).touch("快递", "12号楼", "202", "住户已确认·测温")
    assert finger.posted() == [Register(who="courier", purpose="delivery", building="12号楼", room="202", host_confirmed=True)]


def test_ok__a_traveller_says_from_where_and_when(finger: Finger) -> None:
    day = date.today() - timedelta(days=3)
    at_work(finger).touch("返沪报到", "12号楼", "202", "湖北", f"3天前{day.month}/{day.day}", "测温")
    said = Register(who="traveller", origin="湖北", arrived=day.isoformat(), building="12号楼", room="202")
    assert finger.posted() == [said]


def test_ok__a_vehicle_with_three_occupants(finger: Finger) -> None:
    at_work(finger).touch("车辆", "A", *"12345", "完成", "出租车", "后备箱已查", "+", "+", "测温")
    assert finger.count == 13
    assert finger.posted() == [RegisterVehicle(plate="沪A12345", taxi=True, boot_checked=True, people=3)]


def test_ok__a_plate_of_elsewhere_with_a_letter_in_the_middle(finger: Finger) -> None:
    at_work(finger).touch("车辆", "省份", "苏", "E", "字母", "D", *"1234", "删", "5", "6", "完成", "测温")
    assert finger.posted() == [RegisterVehicle(plate="苏ED12356")]


def test_ok__a_booking_fills_in_the_vehicle(finger: Finger) -> None:
    at_work(finger).touch("预约 2")
    finger.press("[data-booking=b1]")
    finger.touch("后备箱已查", "测温")
    assert finger.posted() == [RegisterVehicle(plate="沪B8K123", people=3, boot_checked=True, purpose="other", booking="b1")]


def test_ok__what_the_station_misses_is_asked_for(finger: Finger) -> None:
    finger.touch("访客", "不到户", "测温")
    assert finger.posted() == [Register()]
    finger.show(**BUSY, error="needs_name")
    expect(finger.page.locator("#local .wrong")).to_have_text(finger.words("请填姓名、电话或到访户"))
    finger.touch("王", "先生", "测温")
    assert finger.posted(2)[1] == Register(name="王先生")


def test_ok__a_draft_outlives_a_pass_that_is_shown(finger: Finger) -> None:
    finger.touch("访客", "12号楼", "202", "维修")
    finger.show(**PASS_SHOWN)
    expect(finger.page.locator("body")).to_have_attribute("data-view", "verdict")
    finger.show(**BUSY)
    finger.touch("住户已确认·测温")
    assert finger.posted() == [Register(purpose="repair", building="12号楼", room="202", host_confirmed=True)]


def test_ok__a_draft_that_was_left_is_offered_again_until_it_is_dropped(finger: Finger) -> None:
    finger.touch("访客", "12号楼", "202", "返回")
    finger.page.reload()
    finger.show(roster=7)
    expect(finger.page.locator("#slot-text")).to_have_text(finger.words("访客登记没做完"))
    finger.touch("继续登记", "取消登记", "确定？")
    expect(finger.page.locator("body")).to_have_attribute("data-view", "waiting")
    expect(finger.page.locator("#slot-do")).to_be_hidden()
    assert finger.port.touches == []


def test_ok__a_draft_is_gone_once_the_station_has_the_visitor(finger: Finger) -> None:
    finger.touch("访客", "12号楼", "202", "住户已确认·测温")
    finger.posted()
    visitor = holder(name="", dwelling="12号楼202", who="visitor")
    finger.show(roster=7, phase=Phase.MEASURING, sentence="measuring", holder=visitor)
    finger.show(roster=7)
    expect(finger.page.locator("body")).to_have_attribute("data-view", "waiting")
    expect(finger.page.locator("#slot-text")).not_to_have_text(finger.words("访客登记没做完"))


def test_ok__a_view_without_a_draft_does_not_come_back(finger: Finger) -> None:
    at_work(finger).touch("在内 4")
    finger.show(**PASS_SHOWN)
    finger.show(**BUSY)
    expect(finger.page.locator("body")).to_have_attribute("data-view", "waiting")


def test_ok__a_view_that_nobody_touches_warns_and_then_gives_the_screen_back(
    browser: Browser, port: FakePort, served: Served
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"http://127.0.0.1:{served.port}/")
        page.clock.run_for(1000)
        page.click("#work")
        page.clock.run_for(75_000)
        expect(page.locator("#work")).to_contain_text("秒")
        page.clock.run_for(20_000)
        expect(page.locator("body")).to_have_attribute("data-view", "waiting")


def test_ok__the_side_list_is_opened_from_the_slot_and_measures_again(finger: Finger) -> None:
    expect(finger.page.locator("#slot-text")).to_have_text(finger.words("旁边有2人，1人可复测"))
    finger.touch("查看", "复测")
    assert (finger.count, finger.posted()) == (2, [Recall(entry="a1")])


def test_ok__somebody_at_the_side_is_decided_on_or_has_left(finger: Finger) -> None:
    at_work(finger).touch("旁边 2", "放行")
    finger.press("[data-one=a2]")
    finger.touch("不放行", "已离开")
    assert finger.posted(2) == [Decide(admit=True, entry="a1"), Decide(admit=False, entry="a2")]
    finger.touch("确定？")
    assert finger.posted(3)[2] == Gone(entry="a2")
    finger.show(**BUSY | {"aside": aside_people()[1:]})
    expect(finger.page.locator("[data-one=a2]")).to_be_disabled()


def test_ok__a_visitor_leaves_and_the_list_does_not_move(finger: Finger) -> None:
    at_work(finger).touch("在内 4")
    expect(finger.page.locator(".rows li").first).to_contain_text(finger.words("超时", whole=False))
    finger.press("[data-leave=v1]")
    assert finger.posted() == [EndVisit(entry="v1")]
    finger.show(**BUSY | {"visits": visits_inside()[1:]})
    expect(finger.page.locator(".rows li").nth(1)).to_contain_text(finger.words("已离开", whole=False))


def test_ok__the_page_held_up_is_the_page_keyed_in(finger: Finger) -> None:
    finger.show(roster=7, page=12)
    finger.touch("登记", "补录", "居民")
    finger.type("0712")
    finger.touch("3号楼", "202", "王*明", "记下这一行")
    posted = finger.posted()
    assert [(touch.page, touch.line) for touch in posted if isinstance(touch, KeyIn)] == [("12", 1)]


def test_ok__after_a_power_cut_line_after_line_is_keyed_in(finger: Finger) -> None:
    finger.show(roster=7, gap_minutes=25)
    finger.touch("有，补录", "居民")
    finger.type("0712")
    finger.touch("3号楼", "202", "王*明", "页—")
    finger.type("4")
    finger.touch("完成", "体温—")
    finger.type("365")
    finger.touch("完成", "记下这一行")
    line = KeyIn(time="07:12", direction=Direction.IN, pass_id=WANG, building="3号楼", room="202", celsius=36.5, page="4", line=1)
    assert finger.posted(2) == [AnswerGap(missed=True), line]
    finger.show(roster=7)
    expect(finger.page.locator("#local")).to_contain_text(finger.words("记下这一行", whole=False))
    finger.show(roster=7, entries=(written(), *last_entries()))
    expect(finger.page.locator("#local .ask")).to_have_text(finger.words("已补录 07:12 王*明"))
    finger.type("0713")
    finger.touch("5号楼", "202", "记下这一行")
    assert finger.posted(3)[2] == KeyIn(
        time="07:13", direction=Direction.IN, pass_id="5号楼-202", building="5号楼", room="202", page="4", line=2
    )


def test_ok__a_time_that_is_none_can_not_be_keyed_in(finger: Finger) -> None:
    at_work(finger).touch("补录", "居民")
    finger.type("2561")
    expect(finger.page.locator(".figure")).to_have_text("25:61")
    expect(finger.page.locator(".typed .primary")).to_be_disabled()


def test_ok__the_settings_are_behind_a_pin(finger: Finger) -> None:
    at_work(finger).touch("设置")
    finger.type("2580")
    expect(finger.page.locator(".figure")).to_have_text("●●●●")
    finger.touch("确定")
    assert finger.posted() == [OpenSettings(pin="2580")]
    finger.show(**BUSY, error="wrong_pin")
    expect(finger.page.locator("#local .wrong")).to_have_text(finger.words("密码不对，请再输一次"))
    finger.show(**BUSY, settings=settings_open())
    finger.press("[data-level='loudness-']")
    finger.press("[data-level='night_loudness+']")
    finger.press("[data-level='brightness-']")
    finger.press("[data-language=en]")
    finger.touch("设备", "设备自检", "关闭")
    changed = [ChangeSettings(loudness=70), ChangeSettings(night_loudness=50), ChangeSettings(brightness=90)]
    assert finger.posted(7)[1:] == [*changed, ChangeSettings(language="en"), CheckDevices(), CloseSettings()]


def test_ok__without_a_pin_the_settings_say_how_to_set_one(finger: Finger) -> None:
    finger.show(**BUSY | {"can_settings": False})
    at_work(finger).touch("设置")
    expect(finger.page.locator("#local .said")).to_contain_text("kiosk settings-pin")


def test_ok__notices_take_turns_when_nothing_else_is_up(browser: Browser, port: FakePort, served: Served) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        port.show(notices=("周六停水", "请戴口罩"))
        for address, place in (("", "#slot-text"), ("resident", "#notice")):
            page.clock.set_fixed_time(0)
            page.goto(f"http://127.0.0.1:{served.port}/{address}")
            expect(page.locator(place)).to_have_text("周六停水")
            page.clock.set_fixed_time(10)
            expect(page.locator(place)).to_have_text("请戴口罩")


def test_ok__the_screen_is_as_bright_and_as_dark_as_it_is_told(finger: Finger) -> None:
    finger.show(night=True, brightness=40, clock="12:00")
    assert finger.page.evaluate("document.documentElement.style.filter") == "brightness(0.4)"
    assert "night" in (finger.page.locator("html").get_attribute("class") or "")


def test_ok__the_residents_display_is_told_where_to_stand_and_never_why(browser: Browser, port: FakePort, served: Served) -> None:
    heard: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.on("response", lambda answer: heard.append(answer.url))
        page.goto(f"http://127.0.0.1:{served.port}/resident")
        shown = port.show(
            phase=Phase.OUTCOME,
            outcome=Outcome.REFER,
            sentence="wait_aside",
            reasons=("fever", "isolating"),
            holder=holder("red", "红"),
        )
        page.locator(f"body[data-n='{shown.n}'][data-tone=refer]").wait_for()
        assert page.locator("#words").inner_text() == "请到旁边\n等一下"
        assert page.locator("#shape use").get_attribute("href") == "#icon-refer"
        whole = page.content()
        assert not any(word in whole for word in ("发热", "居家隔离", "fever", "isolating", "红", "王*明"))
        assert not [url for url in heard if url.endswith(("/events", "/snapshot")) and "/resident/" not in url]
        received = page.evaluate("JSON.parse(document.documentElement.dataset.first)")
        assert set(received) == set(ResidentView.__struct_fields__)


def written() -> EntryView:
    """The line that was keyed in, as the station has it on its list of entries."""
    return EntryView(id="new", time="07:12:00", direction=Direction.IN, outcome=Outcome.ADMIT, name="王*明", dwelling="3号楼202",
                     celsius=36.5, reasons=("written_later",), cancelled=False)  # fmt: skip
