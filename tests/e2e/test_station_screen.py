"""The station's screen in a real browser: what is shown, that it fits, and what a touch does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from contract.events import Direction, Outcome
from contract.five import Item
from kiosk.inputs import (
    CallHelp,
    Cancel,
    ConfirmDuty,
    Correct,
    Decide,
    Emergency,
    EnterPin,
    OpenChecklist,
    Retake,
    SetDirection,
    SetLanguage,
    SignOff,
    TypeTemperature,
    WalkedThrough,
)  # fmt: skip
from kiosk.view import Phase, VolunteerView
from kiosk.web import Served, create_app, serve
from tests.e2e.conftest import FakePort, holder, missing, present, reading

SMALL, MIDDLE, LARGE = (800, 480), (1024, 600), (1280, 800)
MILLIMETRE = {SMALL: 5.2, MIDDLE: 6.65, LARGE: 5.9}
"""Pixels a millimetre: 7″, 7″ and 10.1″."""

DESK_MISSING = tuple(missing(i, "no_evidence", "show_desk_code", "checklist") if i is Item.DESK else present(i) for i in Item)
ALL_MISSING = tuple(missing(i, "no_evidence", None, None) for i in Item)
REFER = {"phase": Phase.OUTCOME, "outcome": Outcome.REFER, "sound": "wait", "seconds_left": 20.0, "can_decide": True}
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
        "error": "not_today",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    return []


@pytest.fixture(scope="module")
def tab(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    with browser.new_context() as context:
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        yield tab


@pytest.fixture
def page(tab: Page, served: Served, port: FakePort, complaints: list[str]) -> Iterator[Page]:
    """The page just opened on a 7″ screen; at the end the browser must have had nothing to complain of."""
    complaints.clear()
    tab.set_viewport_size({"width": 800, "height": 480})
    tab.goto(f"http://127.0.0.1:{served.port}/")
    yield tab
    assert complaints == []


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


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids="{0[0]}x{0[1]}".format)
def test_ok__every_screen_fits_and_can_be_read_and_touched(
    port: FakePort, page: Page, screenshots: Path, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for name, changes in SCREENS.items():
        drawn(port, page, **changes)
        page.screenshot(path=screenshots / f"{name}-{size[0]}x{size[1]}.png")
        assert_fits(page, name)
        assert_sizes(page, name, MILLIMETRE[size])


def test_ok__english_fits_too(port: FakePort, page: Page, screenshots: Path) -> None:
    for name, changes in SCREENS.items():
        drawn(port, page, language="en", **changes)
        page.screenshot(path=screenshots / f"{name}-en-800x480.png")
        assert_fits(page, name)


@pytest.mark.parametrize("name", ["waiting-all-missing", "measuring", "typing", "refer", "refuse", "admit", "pin", "checklist"])
def test_ok__no_serious_finding_of_axe(port: FakePort, page: Page, name: str) -> None:
    shown(port, page, **SCREENS[name])
    found = Axe().run(page).response["violations"]
    assert [v["help"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_ok__contrast_is_for_outdoors(port: FakePort, page: Page) -> None:
    options = {"runOnly": ["color-contrast-enhanced"], "rules": {"color-contrast-enhanced": {"enabled": True}}}
    for name in ("waiting-all-missing", "waiting-ask", "refer", "refuse", "admit", "retake", "typing-error"):
        for clock in ("07:40", "23:10"):
            drawn(port, page, clock=clock, **SCREENS[name])
            found = Axe().run(page, options=options).response["violations"]
            nodes = [(n["html"][:120], n["any"][0]["message"][:120]) for v in found for n in v["nodes"]]
            assert nodes == [], (name, clock)


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
        assert page.locator("#shape use").get_attribute("href") == f"/static/icons.svg#{outcome}"


TOUCHES = (
    ("waiting", "nav [data-post=emergency]", Emergency()),
    ("waiting", "nav [data-post=unchecked]", WalkedThrough()),
    ("waiting", "nav [data-post=help]", CallHelp()),
    ("waiting", "[data-direction=out]", SetDirection(direction=Direction.OUT)),
    ("waiting", "#language", SetLanguage(language="en")),
    ("waiting-desk-missing", "#slot-do", OpenChecklist(item=Item.DESK)),
    ("waiting-ask", "#slot-do", ConfirmDuty()),
    ("refer", "#admit", Decide(admit=True)),
    ("refer", "#turn-away", Decide(admit=False)),
    ("refer", "#retake", Retake()),
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


def test_ok__what_cannot_be_undone_asks_once_more(port: FakePort, page: Page, screenshots: Path) -> None:
    page.click("#open-records")
    page.screenshot(path=screenshots / "records-800x480.png")
    assert_fits(page, "records")
    assert_sizes(page, "records", MILLIMETRE[SMALL])
    expect(page.locator("body")).to_have_attribute("data-steady", "yes")
    twice(page, "[data-correct=e4]", lambda: port.touches == [])
    posted(page, port, Correct(entry="e4"))
    twice(page, "#sign-off", lambda: port.touches == [Correct(entry="e4")])
    posted(page, port, Correct(entry="e4"), SignOff())


def test_ok__no_line_moves_under_a_finger(port: FakePort, page: Page) -> None:
    page.click("#open-records")
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
    expect(page.locator(".strip .left")).to_have_text("19秒", timeout=3000)


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


def test_fail__a_fifth_screen_ends_the_first(browser: Browser, page: Page, served: Served) -> None:
    with browser.new_context() as context:
        for _ in range(4):
            context.new_page().goto(f"http://127.0.0.1:{served.port}/")
        expect(page.locator("#bar span")).to_have_text("别的屏幕已接管", timeout=4000)


def shown(port: FakePort, page: Page, **changes: Any) -> None:
    """Publishes a snapshot, and waits until the page shows it and takes touches."""
    drawn(port, page, **changes)
    page.locator("body[data-steady]").wait_for()


def drawn(port: FakePort, page: Page, **changes: Any) -> None:
    """Publishes a snapshot, and waits until the page shows it."""
    page.locator(f"body[data-n='{port.show(**changes).n}']").wait_for()


def assert_fits(page: Page, name: str) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert (name, wide, page.evaluate(CLIPPED), page.evaluate(OUTSIDE), page.evaluate(OVERLAPS)) == (name, False, [], [], [])


def assert_sizes(page: Page, name: str, millimetre: float) -> None:
    for words, primary, narrow, height in page.evaluate(TARGETS):
        assert narrow >= 16 * millimetre - 1, (name, words, narrow)
        assert not primary or height >= 20 * millimetre - 1, (name, words, height)
    small = [(words, px) for words, px in page.evaluate(TYPE) if px < 6 * millimetre]
    assert (name, small) == (name, [])
    verdict = page.locator(".resident .words")
    if verdict.is_visible():
        assert verdict.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= max(100, 15 * millimetre)


def typed(page: Page, *keys: str) -> None:
    for key in keys:
        for one in [key] if key == "erase" else key:
            page.click(f"[data-key='{one}']")


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
