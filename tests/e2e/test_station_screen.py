"""The station's screen in a real browser: what is shown, that it fits, and what a touch does."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from contract.events import Direction, Outcome
from contract.five import Item
from kiosk.inputs import (
    AddPerson,
    AnswerGap,
    CallHelp,
    Cancel,
    CheckBoot,
    ConfirmDuty,
    Correct,
    Decide,
    Emergency,
    EnterPin,
    Extend,
    OpenBarrier,
    OpenChecklist,
    PutAside,
    Retake,
    SetDirection,
    SetLanguage,
    ShutGate,
    SignOff,
    TypeTemperature,
    WalkedThrough,
)
from kiosk.view import Phase, VolunteerView
from kiosk.web import Served, create_app, serve
from tests.e2e.conftest import (
    WANG,
    FakePort,
    aside_people,
    bookings_today,
    brought_back,
    drawn,
    holder,
    missing,
    opened,
    present,
    pressed,
    reading,
    settings_open,
    steady,
    until,
    visits_inside,
)

SMALL, MIDDLE, LARGE = (800, 480), (1024, 600), (1280, 800)
MILLIMETRE = {SMALL: 5.2, MIDDLE: 6.65, LARGE: 5.9}
"""Pixels a millimetre: 7″, 7″ and 10.1″."""

DESK_MISSING = tuple(missing(i, "no_evidence", "show_desk_code", "checklist") if i is Item.DESK else present(i) for i in Item)
ALL_MISSING = tuple(missing(i, "no_evidence", None, None) for i in Item)
REFER = {"phase": Phase.OUTCOME, "outcome": Outcome.REFER, "sound": "wait", "seconds_left": 20.0, "can_decide": True}
MEASURING = {"phase": Phase.MEASURING, "sentence": "measuring", "seconds_left": 18.0, "can_extend": True}
CAR = holder(name="", dwelling="12号楼1101", plate="沪A12345", who="vehicle")
OCCUPANTS = {"holder": CAR, "people": 3, "measured": 1, "can_add": True, "can_aside": True, "can_boot": True}
WANG_SEEN = holder("yellow", "黄 外来未满14天", pass_id=WANG, face=True)
EVERY_BUTTON = {"can_retake": True, "can_aside": True, "can_boot": True, "can_add": True, "can_extend": True}
LONG_NOTICE = "本周六上午停水，请各家提前存水；出入小区请佩戴口罩，配合测温和登记，谢谢大家，保重身体。"
SCREENS: dict[str, dict[str, Any]] = {
    "waiting": {},
    "waiting-desk-missing": {"items": DESK_MISSING, "compliant": False},
    "waiting-all-missing": {"items": ALL_MISSING, "compliant": False, "volunteer": None, "entries": ()},
    "waiting-offline": {"online": False, "backlog": 12, "gap_minutes": 25},
    "waiting-ask": {"volunteer": VolunteerView(name="陈*芳", since="06:00", hours=1.7, ask=True)},
    "waiting-journal": {"journal_problem": "disk_full", "items": DESK_MISSING},
    "closed": {"sentence": "closed"},
    "several": {"phase": Phase.SEVERAL, "sentence": "one_by_one"},
    "measuring": {"phase": Phase.MEASURING, "sentence": "measuring", "holder": holder(), "seconds_left": 8.0},
    "typing": {"phase": Phase.TYPING, "sentence": "measuring", "holder": holder(), "seconds_left": 60.0},
    "typing-error": {"phase": Phase.TYPING, "sentence": "measuring", "holder": holder(), "error": "out_of_range"},
    "admit": {
        "phase": Phase.OUTCOME, "outcome": Outcome.ADMIT, "sentence": "ok_enter", "sound": "good",
        "holder": holder("green", "绿"), "reading": reading("normal", 36.4), "seconds_left": 3.0,
    },
    "leave": {"phase": Phase.OUTCOME, "outcome": Outcome.ADMIT, "sentence": "ok_leave", "holder": holder(), "sound": "good"},
    "retake": {
        "phase": Phase.OUTCOME, "outcome": Outcome.RETAKE, "sentence": "again", "sound": "wait", "holder": holder(),
        "reasons": ("unstable",), "can_retake": True,
    },
    "wrist": {
        "phase": Phase.OUTCOME, "outcome": Outcome.RETAKE, "sentence": "wrist", "sound": "wait", "holder": holder(),
        "reasons": ("low", "ambient_out_of_range"), "can_retake": True, "reading": reading("low", 34.1),
    },
    "refer": REFER | {
        "sentence": "wait_aside", "holder": holder("yellow", "黄 外来未满14天"), "reasons": ("fever", "colour_refer"),
        "reading": reading("fever", 38.2), "can_retake": True,
    },
    "refer-hub": REFER | {"sentence": "please_wait", "holder": holder(), "reasons": ("isolating", "passback", "stale_directory")},
    "refuse": {
        "phase": Phase.OUTCOME, "outcome": Outcome.REFUSE, "sentence": "not_allowed", "sound": "stop", "holder": holder(),
        "reasons": ("other_compound",), "can_decide": True, "seconds_left": 20.0,
    },
    "emergency": {"phase": Phase.OUTCOME, "outcome": Outcome.EMERGENCY, "sentence": "emergency", "sound": "good"},
    "pin": {"phase": Phase.PIN, "sentence": "badge_pin", "seconds_left": 30.0, "error": "wrong_pin"},
    "checklist": {
        "phase": Phase.CHECKLIST, "sentence": "show_register_code", "checklist_item": Item.REGISTER, "seconds_left": 40.0,
        "error": "not_today", "can_extend": True,
    },
    "waiting-gap": {"gap_minutes": 25, "aside": aside_people()[:1]},
    "waiting-aside": {"aside": aside_people()},
    "waiting-aside-rests": {"aside": aside_people()[:1]},
    "waiting-overdue": {"visits": visits_inside()},
    "waiting-over": {"volunteer": VolunteerView(name="陈*芳", since="02:00", hours=5.7, ask=False, over=True)},
    "waiting-uncounted": {"counted": 34, "recorded": 21, "uncounted": True},
    "waiting-shut": {"shut": True, "sentence": "closed"},
    "waiting-roster-closed": {"roster_closed": "roster_closed"},
    "waiting-roster-no-key": {"roster_closed": "roster_no_key"},
    "waiting-notices": {"notices": (LONG_NOTICE,)},
    "waiting-night": {"night": True, "brightness": 40, "aside": aside_people()},
    "measuring-several": MEASURING | OCCUPANTS,
    "next-person": MEASURING | OCCUPANTS | {"sentence": "next_one", "next_person": True},
    "typing-several": MEASURING | OCCUPANTS | {"phase": Phase.TYPING},
    "asked": REFER | {
        "sentence": "which_home", "holder": WANG_SEEN, "reasons": ("ask_dwelling",), "asked": True, "can_extend": True,
    },
    "refer-face": REFER | {
        "sentence": "wait_aside", "holder": WANG_SEEN, "reasons": ("fever", "colour_refer"), "reading": reading("fever", 38.2),
        "can_retake": True, "can_aside": True, "can_extend": True,
    },
    "refer-every-button": REFER | EVERY_BUTTON | {"sentence": "wait_aside", "holder": WANG_SEEN, "reasons": ("fever",)},
    "admit-face": {
        "phase": Phase.OUTCOME, "outcome": Outcome.ADMIT, "sentence": "ok_enter", "sound": "good", "can_add": True,
        "holder": holder(pass_id=WANG, face=True), "reading": reading("normal", 36.4), "seconds_left": 3.0,
    },
}  # fmt: skip
BUSY: dict[str, Any] = {
    "roster": 7, "aside": aside_people(), "visits": visits_inside(), "bookings": bookings_today(), "couriers": 12,
    "barrier": True, "can_settings": True,
    "devices": {"camera": True, "camera-2": False, "scanner": True, "hand-scanner": True, "thermometer": True},
    "device_details": {"camera-2": "/dev/video2 can't be opened: not there, or in use by another program"},
}  # fmt: skip
IN_SETTINGS = BUSY | {"settings": settings_open(tests=(("barrier", False, "pin 17: no answer"),))}
MENU, FIRST, FOURTH = "#work", ".grid button:nth-child(1)", ".grid button:nth-child(4)"
VISITOR = ("#open-visitor", ".grid button:nth-child(12)", FOURTH)
PLATE = (MENU, "[data-open=vehicle]", FIRST, *(f".figures button:nth-child({n})" for n in range(1, 6)))
VEHICLE = (
    *PLATE,
    ".figures .primary",
    "[data-field=dwelling]",
    ".grid button:nth-child(12)",
    FOURTH,
    "[data-toggle=boot_checked]",
)
KEY_IN = (MENU, "[data-open=key_in]", FIRST, *(f"[data-digit='{n}']" for n in "0712"))
TRAVELLER = (MENU, "[data-open=traveller]", ".grid button:nth-child(12)", FOURTH)
SETTINGS = (MENU, "[data-open=settings]")
LOCAL: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "menu": (BUSY, (MENU,)),
    "menu-visitor-policy": (BUSY | {"courier": "visitor", "barrier": False, "shut": True}, (MENU,)),
    "find-building": (BUSY, (MENU, "[data-open=find]")),
    "find-room": (BUSY, (MENU, "[data-open=find]", FOURTH)),
    "find-holder": (BUSY, (MENU, "[data-open=find]", ".grid button:nth-child(3)", FOURTH)),
    "find-nobody": (BUSY, (MENU, "[data-open=find]", FOURTH, FIRST)),
    "find-no-roster": ({}, (MENU, "[data-open=find]")),
    "visitor-building": (BUSY, VISITOR[:1]),
    "visitor-no-roster": ({}, VISITOR[:1]),
    "find-roster-closed": ({"roster_closed": "roster_closed"}, (MENU, "[data-open=find]")),
    "visitor-roster-closed": ({"roster_closed": "roster_closed"}, VISITOR[:1]),
    "bookings-roster-closed": ({"roster_closed": "roster_closed"}, (MENU, "[data-open=bookings]")),
    "visitor": (BUSY, (*VISITOR, "[data-toggle=key_area]")),
    "visitor-name": (BUSY, (*VISITOR, "[data-field=name]")),
    "visitor-honorific": (BUSY, (*VISITOR, "[data-field=name]", FIRST)),
    "visitor-phone": (BUSY, (*VISITOR, "[data-field=phone]", *["[data-digit='8']"] * 11)),
    "visitor-phone-done": (BUSY, (*VISITOR, "[data-field=phone]", *["[data-digit='8']"] * 11, ".typed .primary")),
    "visitor-origin": (BUSY, (*VISITOR, "[data-field=origin]")),
    "traveller-arrived": (BUSY, (*TRAVELLER, FIRST)),
    "traveller": (BUSY, (*TRAVELLER, FIRST, FOURTH)),
    "plate-letters": (BUSY, PLATE[:2]),
    "plate-digits": (BUSY, PLATE),
    "plate-provinces": (BUSY, (*PLATE, ".figures .aid:nth-child(12)")),
    "vehicle": (BUSY, VEHICLE),
    "vehicle-purpose": (BUSY, (*VEHICLE, "[data-field=purpose]")),
    "aside": (BUSY, (MENU, "[data-open=aside]")),
    "aside-empty": ({}, (MENU, "[data-open=aside]")),
    "visits": (BUSY, (MENU, "[data-open=visits]")),
    "bookings": (BUSY, (MENU, "[data-open=bookings]")),
    "bookings-filled-in": (BUSY, (MENU, "[data-open=bookings]", "[data-booking=b1]")),
    "key-in-who": (BUSY, KEY_IN[:2]),
    "key-in-time": (BUSY, KEY_IN[:5]),
    "key-in-dwelling": (BUSY, KEY_IN),
    "key-in": (BUSY, (*KEY_IN, FOURTH, FOURTH)),
    "key-in-celsius": (BUSY, (*KEY_IN, FOURTH, FOURTH, "[data-field=celsius]")),
    "key-in-page": (BUSY, (*KEY_IN, FOURTH, FOURTH, "[data-field=page]", "[data-digit='4']")),
    "settings-pin": (BUSY, SETTINGS),
    "settings-no-pin": (BUSY | {"can_settings": False}, SETTINGS),
    "settings": (IN_SETTINGS, SETTINGS),
    "settings-devices": (IN_SETTINGS, (*SETTINGS, "[data-tab=devices_tab]")),
    "settings-device": (IN_SETTINGS, (*SETTINGS, "[data-tab=devices_tab]", ".page .bad:nth-child(2)")),
    "settings-network": (IN_SETTINGS, (*SETTINGS, "[data-tab=network_tab]")),
    "records": (BUSY, (MENU, "[data-open=records]")),
}


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    return []


@pytest.fixture(scope="module")
def tab(browser: Browser, complaints: list[str], served: Served) -> Iterator[Page]:
    with browser.new_context() as context:
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        opened(tab, served)
        yield tab


@pytest.fixture
def page(tab: Page, port: FakePort, complaints: list[str]) -> Iterator[Page]:
    """The page with nobody at hand, on a 7″ screen; at the end the browser must have had nothing to complain of."""
    tab.set_viewport_size({"width": 800, "height": 480})
    brought_back(port, tab)
    yield tab
    heard = complaints.copy()
    complaints.clear()
    assert heard == []


CLIPPED = """() => [...document.querySelectorAll('button, p, output, .word, header > *, figcaption, h2, li')]
  .filter(e => e.checkVisibility() && !e.matches('.unseen'))
  .filter(e => e.scrollWidth > e.clientWidth + 1
    || e.scrollHeight > e.clientHeight + 3 + 0.25 * parseFloat(getComputedStyle(e).fontSize))
  .map(e => `${e.id || e.className || e.dataset.ui || e.tagName}: ${e.textContent.trim()} `
    + `${e.scrollWidth}>${e.clientWidth} ${e.scrollHeight}>${e.clientHeight}`)"""
OUTSIDE = """() => [...document.querySelectorAll('button, p, output')].filter(e => e.checkVisibility()).filter(e => {
    const box = e.getBoundingClientRect();
    return box.width && (box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1);
  }).map(e => e.id + e.textContent)"""
OVERLAPS = """() => {
    const boxes = [...document.querySelectorAll('button, p, output')].filter(e => e.checkVisibility() && !e.closest('#bar'))
      .filter(e => !e.matches('.unseen')).map(e => [e, e.getBoundingClientRect()]).filter(([, b]) => b.width && b.height);
    const meet = ([e, a], [f, b]) => !e.contains(f) && !f.contains(e) && a.left < b.right - 2 && b.left < a.right - 2
      && a.top < b.bottom - 2 && b.top < a.bottom - 2;
    return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => meet(a, b))
      .map(b => a[0].textContent + ' × ' + b[0].textContent));
  }"""
TARGETS = """() => [...document.querySelectorAll('button')].filter(e => e.checkVisibility()).map(e => {
    const box = e.getBoundingClientRect();
    return [e.textContent.trim(), e.matches('.primary, .urgent'), Math.min(box.width, box.height), box.height];
  })"""
TYPE = """() => [...document.querySelectorAll('button, p, output, .word, header > *')]
  .filter(e => e.checkVisibility() && e.textContent.trim() && !e.matches('.unseen'))
  .map(e => [e.textContent.trim(), parseFloat(getComputedStyle(e).fontSize)])"""
VERDICT = """() => [...document.querySelectorAll('.resident .words')].filter(e => e.checkVisibility())
  .map(e => parseFloat(getComputedStyle(e).fontSize))"""
SEEN = f"""() => ({{
  wide: document.documentElement.scrollWidth > innerWidth, clipped: ({CLIPPED})(), outside: ({OUTSIDE})(),
  overlaps: ({OVERLAPS})(), targets: ({TARGETS})(), type: ({TYPE})(), verdict: ({VERDICT})(),
}})"""
CLICKED = """selector => {
  const button = document.querySelector(selector);
  if (!button?.checkVisibility()) return false;
  document.body.dataset.steady = 'yes';
  button.click();
  return true;
}"""
"""A touch without the pause before it."""


each_language = pytest.mark.parametrize("language", ["zh", "en"])
each_size = pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids="{0[0]}x{0[1]}".format)


@each_language
@each_size
def test_ok__every_screen_fits_and_can_be_read_and_touched(
    port: FakePort, page: Page, size: tuple[int, int], language: str
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for name, changes in SCREENS.items():
        drawn(port, page, language=language, **changes)
        assert_fits(page, name, MILLIMETRE[size])


@each_language
@each_size
def test_ok__every_view_of_the_work_fits_and_can_be_read_and_touched(
    port: FakePort, page: Page, size: tuple[int, int], language: str
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for name in LOCAL:
        reached(port, page, name, language=language)
        assert_fits(page, name, MILLIMETRE[size])


@pytest.mark.parametrize(
    "name", ["menu", "find-building", "visitor", "plate-digits", "vehicle", "aside", "key-in", "settings", "records"]
)
def test_ok__no_serious_finding_of_axe_in_the_work(port: FakePort, page: Page, name: str) -> None:
    reached(port, page, name)
    found = Axe().run(page).response["violations"]
    assert [(v["help"], [n["html"][:100] for n in v["nodes"]]) for v in found if v["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("name", ["waiting-all-missing", "measuring", "typing", "refer", "refuse", "admit", "pin", "checklist"])
def test_ok__no_serious_finding_of_axe(port: FakePort, page: Page, name: str) -> None:
    shown(port, page, **SCREENS[name])
    found = Axe().run(page).response["violations"]
    assert [v["help"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_ok__contrast_is_for_outdoors(port: FakePort, page: Page) -> None:
    options = {"runOnly": ["color-contrast-enhanced"], "rules": {"color-contrast-enhanced": {"enabled": True}}}
    for name in ("waiting-all-missing", "waiting-ask", "refer", "refuse", "admit", "retake", "typing-error"):
        for night in (False, True):
            drawn(port, page, night=night, **SCREENS[name])
            found = Axe().run(page, options=options).response["violations"]
            nodes = [(n["html"][:120], n["any"][0]["message"][:120]) for v in found for n in v["nodes"]]
            assert nodes == [], (name, night)


def test_ok__contrast_of_the_work_is_for_outdoors(port: FakePort, page: Page) -> None:
    options = {"runOnly": ["color-contrast-enhanced"], "rules": {"color-contrast-enhanced": {"enabled": True}}}
    for name in ("menu", "visitor", "aside", "visits", "settings-devices"):
        for night in (False, True):
            reached(port, page, name, night=night)
            found = Axe().run(page, options=options).response["violations"]
            assert (name, night, [n["html"][:120] for v in found for n in v["nodes"]]) == (name, night, [])


@pytest.mark.parametrize("sentence, words", [("wait_aside", "请到旁边\n等一下"), ("please_wait", "请稍候")])
def test_ok__the_residents_part_never_says_why(port: FakePort, page: Page, sentence: str, words: str) -> None:
    reasons = ("isolating", "fever", "revoked")
    shown(port, page, **REFER, sentence=sentence, reasons=reasons, holder=holder("red", "红"))
    assert page.locator(".resident").inner_text().strip() == words
    expect(page.locator("#why")).to_contain_text("居家隔离中")
    expect(page.locator(".strip .chip")).to_have_text("红")


def test_ok__every_outcome_has_its_own_shape(port: FakePort, page: Page) -> None:
    for outcome in Outcome:
        shown(port, page, phase=Phase.OUTCOME, outcome=outcome, sentence="please_wait")
        assert page.locator("#shape use").get_attribute("href") == f"#icon-{outcome}"


TOUCHES = (
    ("waiting", "nav [data-post=emergency]", Emergency()),
    ("waiting", "nav [data-post=unchecked]", WalkedThrough()),
    ("waiting", "nav [data-post=help]", CallHelp()),
    ("waiting", "[data-direction=out]", SetDirection(direction=Direction.OUT)),
    ("waiting-gap", "#slot-other", AnswerGap(missed=False)),
    ("waiting-shut", "#slot-do", ShutGate(shut=False)),
    ("measuring-several", "#verdict [data-act=add]", AddPerson(role="occupant")),
    ("measuring-several", "#verdict [data-act=boot]", CheckBoot()),
    ("measuring-several", "#verdict [data-act=aside]", PutAside()),
    ("typing-several", "#pad [data-act=add]", AddPerson(role="occupant")),
    ("admit-face", "#verdict [data-act=add]", AddPerson(role="child")),
    ("asked", "#admit", Decide(admit=True)),
    ("asked", "#turn-away", Decide(admit=False)),
    ("asked", "#verdict [data-act=extend]", Extend()),
    ("checklist", "#checklist .extend", Extend()),
    ("waiting-desk-missing", "#slot-do", OpenChecklist(item=Item.DESK)),
    ("waiting-ask", "#slot-do", ConfirmDuty()),
    ("refer", "#admit", Decide(admit=True)),
    ("refer", "#turn-away", Decide(admit=False)),
    ("refer", "#verdict [data-act=retake]", Retake()),
    ("refer", "nav [data-post=emergency]", Emergency()),
    ("measuring", "#verdict [data-post=cancel]", Cancel()),
    ("checklist", "#checklist [data-post=cancel]", Cancel()),
)


@pytest.mark.parametrize("name, selector, touch", TOUCHES)
def test_ok__one_touch_does_it(port: FakePort, page: Page, name: str, selector: str, touch: object) -> None:
    shown(port, page, **SCREENS[name])
    page.click(selector)
    posted(page, port, touch)


def test_ok__a_figure_is_typed_with_three_digits(port: FakePort, page: Page) -> None:
    shown(port, page, **SCREENS["typing"])
    expect(page.locator("#figure")).to_have_text("––.–℃")
    expect(page.locator("#pad-ok")).to_be_disabled()
    typed(page, "37", "erase", "65")
    expect(page.locator("#figure")).to_have_text("36.5℃")
    page.click("#pad-ok")
    (touch,) = wait_for_touches(page, port)
    assert isinstance(touch, TypeTemperature)
    assert touch.celsius == 36.5
    assert 0 < touch.typed_seconds < 20
    assert touch.site == "forehead"


def test_ok__the_next_figure_starts_empty(port: FakePort, page: Page) -> None:
    shown(port, page, **SCREENS["typing"])
    typed(page, "365")
    shown(port, page)
    shown(port, page, **SCREENS["typing"])
    expect(page.locator("#figure")).to_have_text("––.–℃")


def test_ok__a_pin_is_never_shown(port: FakePort, page: Page) -> None:
    shown(port, page, **SCREENS["pin"])
    typed(page, "2580")
    expect(page.locator("#figure")).to_have_text("●●●●")
    page.click("#pad-ok")
    posted(page, port, EnterPin(pin="2580"))


def test_ok__what_cannot_be_undone_asks_once_more(port: FakePort, page: Page) -> None:
    shown(port, page, **BUSY)
    for selector in (MENU, "[data-open=records]"):
        touch(page, selector)
    steady(page)
    twice(page, "[data-correct=e4]", lambda: port.touches == [])
    posted(page, port, Correct(entry="e4"))
    twice(page, "#sign-off", lambda: port.touches == [Correct(entry="e4")])
    posted(page, port, Correct(entry="e4"), SignOff())
    page.click("#work")
    steady(page)
    twice(page, "[data-send=shut]", lambda: len(port.touches) == 2)
    page.click("[data-send=barrier]")
    posted(page, port, Correct(entry="e4"), SignOff(), ShutGate(shut=True), OpenBarrier())


def test_ok__the_language_is_in_the_menu(port: FakePort, page: Page) -> None:
    for selector in (MENU, "[data-send=language]"):
        touch(page, selector)
    posted(page, port, SetLanguage(language="en"))


def test_ok__no_line_moves_under_a_finger(port: FakePort, page: Page) -> None:
    for selector in (MENU, "[data-open=records]"):
        touch(page, selector)
    top = page.locator("#entries li").first.inner_text()
    shown(port, page, entries=port.snapshot().entries[1:])
    assert page.locator("#entries li").first.inner_text() == top


def test_ok__the_missing_one_that_is_touched_is_the_one_to_do(port: FakePort, page: Page) -> None:
    shown(port, page, **SCREENS["waiting-all-missing"])
    page.click("[data-item=register]")
    expect(page.locator("#slot-text")).to_contain_text("缺登记本")
    page.click("#slot-next")
    expect(page.locator("#slot-text")).to_contain_text("缺出入证")


def test_ok__an_unknown_key_is_shown_as_it_is(port: FakePort, page: Page) -> None:
    shown(port, page, **REFER, sentence="brand_new", reasons=("never_heard_of",))
    expect(page.locator(".resident .words")).to_have_text("brand_new")
    expect(page.locator("#why")).to_have_text("never_heard_of")


def test_ok__the_seconds_left_are_counted_down(port: FakePort, page: Page) -> None:
    shown(port, page, **SCREENS["refer"])
    expect(page.locator("#left")).to_have_text("19秒", timeout=3000)


def test_fail__a_stale_screen_never_looks_live(browser: Browser, port: FakePort, screenshots: Path) -> None:
    with browser.new_context(viewport={"width": 800, "height": 480}) as context:
        page = context.new_page()
        with serve(create_app(port), "127.0.0.1", 0) as served:
            page.goto(f"http://127.0.0.1:{served.port}/")
            expect(page.locator("#bar")).to_be_hidden()
            address = served.port
        expect(page.locator("#bar span")).to_have_text("屏幕与程序断开，正在重连", timeout=6000)
        page.screenshot(path=screenshots / "lost-800x480.png")
        with serve(create_app(port), "127.0.0.1", address):
            expect(page.locator("#bar")).to_be_hidden(timeout=6000)


def test_fail__a_fifth_screen_ends_the_first(browser: Browser, port: FakePort) -> None:
    with serve(create_app(port), "127.0.0.1", 0) as served, browser.new_context() as context:
        first, *_ = [context.new_page() for _ in range(5)]
        for page in context.pages:
            page.goto(f"http://127.0.0.1:{served.port}/")
        expect(first.locator("#bar span")).to_have_text("别的屏幕已接管", timeout=4000)


def shown(port: FakePort, page: Page, **changes: Any) -> None:
    """Publishes a snapshot, and waits until the page shows it and takes touches."""
    drawn(port, page, **changes)
    steady(page)


def reached(port: FakePort, page: Page, name: str, **changes: Any) -> None:
    """Opens one of the page's own views from a page without drafts, by its touches, without their pauses."""
    snapshot, touches = LOCAL[name]
    brought_back(port, page)
    drawn(port, page, **snapshot, **changes)
    for selector in touches:
        until(page, CLICKED, selector)
    expect(page.locator("#local .said", has_text=re.compile("^(请稍等|One moment)$"))).to_have_count(0)


def touch(page: Page, selector: str) -> None:
    """One touch of a finger: it counts only once the screen stands still."""
    pressed(page, selector)


def assert_fits(page: Page, name: str, millimetre: float) -> None:
    """Nothing is cut off, hangs over or covers another; what is touched and read is large enough."""
    seen = page.evaluate(SEEN)
    assert (name, seen["wide"], seen["clipped"], seen["outside"], seen["overlaps"]) == (name, False, [], [], [])
    for words, primary, narrow, height in seen["targets"]:
        assert narrow >= 16 * millimetre - 1, (name, words, narrow)
        assert not primary or height >= 20 * millimetre - 1, (name, words, height)
    small = [(words, px) for words, px in seen["type"] if px < 6 * millimetre]
    assert (name, small) == (name, [])
    assert all(px >= max(100, 15 * millimetre) for px in seen["verdict"]), name


def typed(page: Page, *keys: str) -> None:
    for key in keys:
        for one in [key] if key == "erase" else key:
            pressed(page, f"[data-key='{one}']")


def twice(page: Page, button: str, unposted: Callable[[], bool]) -> None:
    """Touch a button that asks once more, and when it asks, touch it again."""
    page.click(button)
    expect(page.locator(button)).to_have_attribute("data-sure", "yes")
    assert unposted()
    page.click(button)


def posted(page: Page, port: FakePort, *touches: object) -> None:
    assert wait_for_touches(page, port, len(touches)) == list(touches)


def wait_for_touches(page: Page, port: FakePort, count: int = 1) -> list[Any]:
    for _ in range(100):
        if len(port.touches) >= count:
            break
        page.wait_for_timeout(20)
    return list(port.touches)
