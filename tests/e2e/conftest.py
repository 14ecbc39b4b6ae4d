"""A real browser, and a station's page served to it from snapshots made by hand."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from contract.events import Direction, Outcome
from contract.five import Item
from kiosk.inputs import AnyTouch
from kiosk.view import (
    AsideView,
    BookingView,
    EntryView,
    HolderView,
    ItemView,
    Phase,
    ReadingView,
    SettingsView,
    Snapshot,
    VisitView,
    VolunteerView,
)
from kiosk.web import Served, create_app, serve

CHROMIUM = "/usr/bin/chromium-headless-shell"
"""Chromium without the windows around its pages, which cost a process each."""
WANG = "0a" * 16
"""The pass of 王*明, who lives in 3号楼202 with 李*."""
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
BEAT_SECONDS = 0.1
"""How often the page hears of a station that has nothing new: its clock is put forward while the station's is not."""
PAUSE_MS = 400
"""After that long a screen that has changed takes touches again."""
FORGET_MS = 5000
"""After that long nothing on the page tells of the last touch."""
UNTIL = """given => new Promise((met, missed) => {
  const find = %s, watcher = new MutationObserver(look), late = setTimeout(() => end(missed, given), 20000);
  function end(by, what) { watcher.disconnect(); clearTimeout(late); by(what); }
  function look() { const found = find(given); if (found) end(met, found); }
  watcher.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  look();
})"""
"""What a function finds in the page, as soon as it does: looked for whenever the page changes."""
BUTTON = """([selector, said]) => {
  const words = new RegExp(said), all = [...document.querySelectorAll(selector)].filter(e => e.checkVisibility());
  const found = all.filter(e => words.test(e.textContent));
  if (!document.body.dataset.steady || found.length !== 1 || found[0].disabled) return null;
  const box = found[0].getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
  return found[0].contains(document.elementFromPoint(x, y)) && [x, y];
}"""
"""The middle of the one button that says so, where it can be touched."""


def chromium(playwright: Playwright) -> Browser:
    """Debian's Chromium, started."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, one for the whole run."""
    with sync_playwright() as playwright:
        launched = chromium(playwright)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where the pictures of the screens go; not kept in the repository."""
    folder = Path(__file__).parents[2] / "var" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class FakePort:
    """A `StationPort` that shows what it is told to and remembers what was touched."""

    def __init__(self) -> None:
        self.touches: list[AnyTouch] = []
        self._changed = threading.Condition()
        self._snapshot = calm_monday()
        self._jpeg = street()
        self.lives: dict[str, Any] = households()

    def show(self, **changes: Any) -> Snapshot:
        """Publishes a calm Monday with these changes."""
        with self._changed:
            self._snapshot = msgspec.structs.replace(calm_monday(), n=self._snapshot.n + 1, **changes)
            self._changed.notify_all()
            return self._snapshot

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def wait(self, n: int, timeout: float) -> Snapshot:
        with self._changed:
            self._changed.wait_for(lambda: self._snapshot.n > n, min(timeout, BEAT_SECONDS))
            return self._snapshot

    def post(self, touch: AnyTouch) -> None:
        self.touches.append(touch)

    def picture(self) -> bytes | None:
        return self._jpeg

    def roster(self) -> bytes:
        return msgspec.json.encode(self.lives)

    def face(self, pass_id: str) -> bytes | None:
        return portrait() if pass_id == WANG else None


@pytest.fixture(scope="session")
def shared_port() -> FakePort:
    return FakePort()


@pytest.fixture(scope="session")
def served(shared_port: FakePort) -> Iterator[Served]:
    """The page at a free port of loopback, for the whole run."""
    with serve(create_app(shared_port), "127.0.0.1", 0) as served:
        yield served


@pytest.fixture
def port(shared_port: FakePort) -> FakePort:
    """What the page shows and gets, as on a calm Monday."""
    shared_port.touches.clear()
    shared_port.lives = households()
    shared_port.show()
    return shared_port


def opened(page: Page, served: Served) -> None:
    """Opens the page, whose clock can then be put forward."""
    page.clock.install()
    page.goto(f"http://127.0.0.1:{served.port}/")


def until(page: Page, holds: str, given: object = None) -> Any:
    """Waits in the page itself until a function of JavaScript finds something in it, given this; what it finds."""
    return page.evaluate(UNTIL % holds, given)


def drawn(port: FakePort, page: Page, /, **changes: Any) -> Snapshot:
    """Publishes a snapshot, and waits until the page shows it."""
    snapshot = port.show(**changes)
    until(page, "n => document.body.dataset.n === n", str(snapshot.n))
    return snapshot


def steady(page: Page) -> None:
    """Puts the page's clock forward until the screen stands still and takes touches."""
    page.clock.fast_forward(PAUSE_MS)
    until(page, "() => document.body.dataset.steady")


def pressed(page: Page, selector: str, said: str = "") -> None:
    """A finger on the one button of those selected that says so, once the screen stands still and nothing covers it."""
    page.clock.fast_forward(PAUSE_MS)
    x, y = until(page, BUTTON, [selector, said])
    page.mouse.click(x, y)


def brought_back(port: FakePort, page: Page) -> None:
    """The page as if just opened, at a tenth of the cost: somebody at hand takes away its views, and their drafts are gone."""
    page.evaluate("sessionStorage.clear()")
    for changes in ({}, {"phase": Phase.OUTCOME, "outcome": Outcome.ADMIT, "sentence": "ok_enter"}, {}):
        drawn(port, page, **changes)
    page.clock.fast_forward(FORGET_MS)
    until(page, "() => document.body.dataset.view === 'waiting'")


def calm_monday() -> Snapshot:
    """07:40, all five are here, nobody at the gate."""
    return Snapshot(
        n=1, station="s1", gate="东门", compound="锦绣苑", clock="07:40", clock_synced=True, language="zh", phase=Phase.WAITING,
        direction=Direction.IN, sentence="show_pass", outcome=None, reasons=(), can_decide=False, can_retake=False, holder=None,
        reading=None, seconds_left=None, sound=None, checklist_item=None, error=None, items=tuple(map(present, Item)),
        compliant=True, volunteer=VolunteerView(name="陈*芳", since="06:00", hours=1.7, ask=False), entries=last_entries(),
        inside=132, online=True, link_detail="中枢已连接", backlog=0, devices={"camera": True, "thermometer": True},
        device_details={}, needs_typing=False, journal_problem=None, gap_minutes=None, notices=(),
    )  # fmt: skip


def present(item: Item) -> ItemView:
    """An item with evidence."""
    return ItemView(item=item, present=True, basis="sensor", reason=None, todo=None, touch=None, seconds_left=None)


def missing(item: Item, reason: str, todo: str | None, touch: str | None) -> ItemView:
    """An item without."""
    return ItemView(item=item, present=False, basis=None, reason=reason, todo=todo, touch=touch, seconds_left=None)


def holder(colour: str | None = None, label: str | None = None, **more: Any) -> HolderView:
    """A resident."""
    known = {"name": "王*明", "dwelling": "3号楼202", "plate": "", "kind": "resident", "colour": colour, "colour_label": label}
    return HolderView(**known | more)


def households() -> dict[str, Any]:
    """A roster of 24 buildings: six floors of two rooms each, one holder behind most doors."""
    rooms = [f"{floor}0{door}" for floor in range(1, 7) for door in (1, 2)]
    buildings = [{"building": f"{n}号楼", "rooms": [behind(f"{n}号楼", room) for room in rooms]} for n in range(1, 25)]
    return {"version": 7, "buildings": buildings}


def behind(building: str, room: str) -> dict[str, Any]:
    """One door: in 3号楼202 live two, behind 101 nobody is listed, else one."""
    one = {"pass_id": f"{building}-{room}", "name": "赵*"}
    two = [{"pass_id": WANG, "name": "王*明"}, {"pass_id": "0b" * 16, "name": "李*"}]
    return {"room": room, "holders": two if (building, room) == ("3号楼", "202") else [] if room == "101" else [one]}


def aside_people() -> tuple[AsideView, ...]:
    """Two at the side: one has rested, one has come after a restart and is nameless."""
    li = AsideView(id="a1", time="07:28", name="李*", dwelling="12号楼1101", plate="", who="resident", reasons=("fever",),
                   celsius=38.2, minutes=12, due=True, can_recall=True)  # fmt: skip
    van = AsideView(id="a2", time="07:35", name="", dwelling="", plate="沪A·12345", who="vehicle",
                    reasons=("host_not_confirmed",), celsius=None, minutes=5, due=False, can_recall=False)  # fmt: skip
    return (van, li)


def visits_inside() -> tuple[VisitView, ...]:
    """Four who came and have not left; the taxi has stayed too long."""
    people = (
        ("v1", "06:50", "visitor", "visit", "张先生", "3号楼202", "", 2, 50, False),
        ("v2", "07:05", "taxi", "visit", "", "12号楼1101", "沪A·12345", 3, 35, True),
        ("v3", "07:10", "courier", "delivery", "某先生", "7号楼603", "", 1, 30, False),
        ("v4", "07:20", "worker", "repair", "", "", "", 1, 20, False),
    )
    names = ("entry", "time", "who", "purpose", "name", "dwelling", "plate", "people", "minutes", "overdue")
    return tuple(VisitView(**dict(zip(names, one, strict=True))) for one in people)


def bookings_today() -> tuple[BookingView, ...]:
    """A removal van now, workers without a plate in the afternoon."""
    van = BookingView(
        id="b1", kind="removal", plate="沪B8K123", crew=3, dwelling="7号楼603", note="搬出", window="07:00–11:00", now=True
    )
    crew = BookingView(id="b2", kind="workers", plate="", crew=5, dwelling="", note="电梯检修", window="13:00–17:00", now=False)
    return (crew, van)


def settings_open(**changes: Any) -> SettingsView:
    """The settings after their PIN."""
    usual = SettingsView(loudness=80, night_loudness=40, brightness=100, software="1.0.0", directory_version=7,
                         directory_minutes=12, calibration_due="2026-06-30", testing=False, tests=())  # fmt: skip
    return msgspec.structs.replace(usual, **changes)


def reading(band: str, celsius: float | None) -> ReadingView:
    """A reading of the connected thermometer."""
    return ReadingView(
        band=band, body_celsius=celsius, skin_celsius=34.1, ambient_celsius=22.0, source="mlx90614", degraded=False
    )


def last_entries() -> tuple[EntryView, ...]:
    """Five people, newest first."""
    people = (
        ("王*明", "3号楼202", 36.4, Outcome.ADMIT, ()),
        ("李*", "12号楼1101", 38.2, Outcome.REFER, ("fever",)),
        ("张*丽", "7号楼603", 36.6, Outcome.ADMIT, ()),
        ("", "", None, Outcome.UNCHECKED, ("unchecked",)),
        ("赵*", "1号楼101", 36.5, Outcome.ADMIT, ()),
    )
    return tuple(
        EntryView(id=f"e{5 - i}", time=f"07:39:{58 - 9 * i:02}", direction=Direction.IN, outcome=outcome, name=name,
                  dwelling=dwelling, celsius=celsius, reasons=reasons, cancelled=False)
        for i, (name, dwelling, celsius, outcome, reasons) in enumerate(people)
    )  # fmt: skip


def portrait() -> bytes:
    """A JPEG of somebody's face, as small as a directory's."""
    pixels = np.full((160, 128, 3), (190, 170, 150), np.uint8)
    cv2.ellipse(pixels, (64, 70), (34, 44), 0, 0, 360, (130, 160, 205), -1)
    cv2.ellipse(pixels, (64, 160), (56, 44), 0, 180, 360, (90, 70, 60), -1)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def street() -> bytes:
    """A JPEG that could be the camera's."""
    rows = np.linspace(60, 190, 480, dtype=np.uint8)[:, None, None]
    pixels = np.ascontiguousarray(np.broadcast_to(rows, (480, 640, 3)))
    cv2.rectangle(pixels, (240, 170), (400, 330), (245, 245, 245), -1)
    return cv2.imencode(".jpg", pixels)[1].tobytes()
