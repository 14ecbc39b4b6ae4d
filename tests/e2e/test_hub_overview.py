"""The supervisors' pages in a real browser: what they show, that they keep current by themselves, and that all can use them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from waitress import create_server, wasyncore

from contract.codec import encode
from contract.events import (
    Band,
    BarrierOpened,
    Body,
    Clock,
    Companion,
    Direction,
    Entry,
    Event,
    HelpCalled,
    Outcome,
    PeopleCounted,
    Reading,
    Who,
    Written,
    kind_of,
)
from contract.five import Item
from contract.messages import Vitals
from hub.config import HubSettings, Located, Web
from hub.registry import accounts, places
from hub.store import meta, migrate, open_store, tables
from hub.web import create_app

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
PASSWORD = "a long password"
NOW = datetime.now(UTC)
GATES = {"east": "东门", "north": "北门", "side": "边门"}
ENTRIES = (
    (Outcome.ADMIT, Direction.IN, Band.NORMAL, 36.5, ()),
    (Outcome.ADMIT, Direction.OUT, None, None, ()),
    (Outcome.REFUSE, Direction.IN, Band.NORMAL, 36.4, ("expired",)),
    (Outcome.RETAKE, Direction.IN, Band.LOW, 34.2, ("low",)),
    (Outcome.REFER, Direction.IN, Band.FEVER, 37.6, ("fever",)),
    (Outcome.EMERGENCY, Direction.IN, None, None, ("emergency",)),
)
NORMAL = Reading(band=Band.NORMAL, source="mlx90614", body_celsius=36.5)
WHOLE: tuple[Body, ...] = (
    Entry(
        direction=Direction.IN, outcome=Outcome.ADMIT, who=Who.VEHICLE, people=3, reading=NORMAL, purpose="removal",
        host_confirmed=True, boot_checked=True, booking="b1",
        companions=(Companion(role="occupant", reading=NORMAL), Companion(role="occupant", reading=NORMAL)),
    ),
    Entry(
        direction=Direction.IN, outcome=Outcome.ADMIT, who=Who.VISITOR, found="paper", purpose="visit", key_area=True,
        written=Written(at=NOW - timedelta(hours=3), page="P", line=2),
    ),
    PeopleCounted(seconds=600, counted=12, recorded=9),
    HelpCalled(),
    BarrierOpened(cause="emergency"),
)  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """Three gates in two areas: one has its five, one lacks a thermometer for 2 h 10 min, one has been silent for 12 min."""
    global NOW
    NOW = datetime.now(UTC)  # of this test: a whole run takes longer than what the pages say of minutes
    engine = open_store(f"sqlite:///{tmp_path}/hub.db")
    migrate(engine)
    with engine.begin() as conn:
        accounts.add_account(conn, "zhou", "周督查", "supervisor", PASSWORD)
        for area, name in (("a1", "东片区"), ("a2", "西片区")):
            places.add_area(conn, area, name)
            places.add_committee(conn, f"j{area}", f"{name}居委", area)
        places.add_compound(conn, "c1", "锦绣苑", "ja1", "李敏")
        places.add_compound(conn, "c2", "玉兰苑", "ja2", "陈国强")
        for gate, compound in (("east", "c1"), ("north", "c1"), ("side", "c2")):
            add_gate(conn, gate, compound)
        say(
            conn,
            "north",
            Item.TEMPERATURE,
            present=False,
            since=NOW - timedelta(hours=2, minutes=10),
            reason="thermometer_silent",
        )
        conn.execute(sa.update(tables.pulses).where(tables.pulses.c.station == "side-1").values(heard_at=minutes_ago(13.5)))
        add_history(conn, "north")
        meta.bump(conn)
    yield engine
    engine.dispose()


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def add_gate(conn: sa.Connection, gate: str, compound: str) -> None:
    """A gate with one station, heard an instant ago, that has all five."""
    places.add_gate(conn, gate, GATES[gate], compound)
    station = {"id": f"{gate}-1", "gate": gate, "lane": "1", "added_at": NOW - timedelta(days=9)}
    conn.execute(sa.insert(tables.stations).values(station))
    vitals = Vitals(boot="b", mono_ns=1, at=NOW, clock=Clock.SYNCED, last_seq=6, backlog=0, directory_version=42)
    pulse = {"online": True, "heard_at": NOW + timedelta(hours=1), "vitals": encode(vitals).decode()}
    conn.execute(sa.insert(tables.pulses).values(station=f"{gate}-1", **pulse))
    for item in Item:
        say(conn, gate, item, present=True, since=minutes_ago(200))


def say(conn: sa.Connection, gate: str, item: Item, *, present: bool, since: datetime, reason: str | None = None) -> None:
    """What the gate's station knows of one of the five, and the interval that it opens."""
    evidence, intervals = tables.evidence, tables.intervals
    conn.execute(sa.delete(evidence).where(evidence.c.station == f"{gate}-1", evidence.c.item == item))
    known = {"station": f"{gate}-1", "item": item, "basis": "sensor", "present": present, "observed_at": since}
    conn.execute(sa.insert(evidence).values(**known, reason=reason, valid_until=NOW + timedelta(hours=5) if present else None))
    still_open = sa.and_(intervals.c.gate == gate, intervals.c.what == item, intervals.c.ended_at.is_(None))
    conn.execute(sa.update(intervals).where(still_open).values(ended_at=since))
    state = "present" if present else "missing"
    began = {"gate": gate, "what": item, "began_at": since, "state": state, "basis": "sensor", "reason": reason}
    conn.execute(sa.insert(intervals).values(began))


def add_history(conn: sa.Connection, gate: str) -> None:
    """A day of statuses and a few entries."""
    ends = (1400.0, 900.0, 840.0, 480.0, 420.0, 130.0, 0.0)
    states = ("compliant", "non_compliant", "closed", "unreachable", "compliant", "non_compliant")
    for state, began, ended in zip(states, ends, ends[1:], strict=False):
        until = minutes_ago(ended) if ended else None
        row = {"gate": gate, "what": "status", "began_at": minutes_ago(began), "ended_at": until, "state": state}
        conn.execute(sa.insert(tables.intervals).values(row))
    for seq, (outcome, direction, band, celsius, reasons) in enumerate(ENTRIES, 1):
        reading = Reading(band=band, source="mlx90614", body_celsius=celsius) if band else None
        body = Entry(direction=direction, outcome=outcome, reasons=reasons, reading=reading)
        add_event(conn, gate, seq, body, minutes_ago(150 - seq))
    for seq, said in enumerate(WHOLE, len(ENTRIES) + 1):
        add_event(conn, gate, seq, said, minutes_ago(120 - seq))


def add_event(conn: sa.Connection, gate: str, seq: int, body: Body, at: datetime) -> None:
    """An event as the ingest stores it."""
    event = Event(seq=seq, id=f"e{seq}", at=at, boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
    conn.execute(
        sa.insert(tables.events).values(
            journal="j", seq=seq, id=event.id, station=f"{gate}-1", gate=gate, at=at, received_at=at, boot="b",
            mono_ns=seq, clock="synced", kind=kind_of(body), body=encode(event).decode(),
        )
    )  # fmt: skip


class Hub:
    """The pages on one port, which can be stopped and begun again."""

    def __init__(self, engine: sa.Engine, folder: Path) -> None:
        self._located = Located(HubSettings(name="梧桐街道", web=Web(secure_cookies=False)), folder)
        self._engine, self.port = engine, 0
        self.start()

    def start(self) -> None:
        """Serve, on the port of before."""
        self._app = create_app(self._located, self._engine)
        self._sockets: dict[int, Any] = {}
        server = create_server(self._app, map=self._sockets, host="127.0.0.1", port=self.port, threads=12)
        self.port, self._server, self._running = int(server.effective_port), server, True
        self._thread = Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """End the streams and the server."""
        self._running = False
        self._app.extensions["gatepost"].watch.close()
        self._thread.join()

    def _run(self) -> None:
        while self._running:
            wasyncore.loop(timeout=0.1, map=self._sockets, count=1)
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)


@pytest.fixture
def hub(engine: sa.Engine, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(engine, tmp_path)
    yield hub
    hub.stop()


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, hub: Hub) -> Iterator[Page]:
    """Signed in, at the desk and on a phone, on the overview."""
    context = browser.new_context(viewport=request.param, locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    page.set_default_timeout(8000)
    page.goto(f"http://127.0.0.1:{hub.port}")
    page.get_by_label("账号").fill("zhou")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("开放门岗")
    yield page
    context.close()


def check(page: Page, screenshots: Path, name: str) -> None:
    """Nothing hangs over the side, nothing keeps anybody out, and a picture is kept."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    page.screenshot(path=screenshots / f"hub-{name}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found]


def test_ok__a_supervisors_morning(page: Page, engine: sa.Engine, screenshots: Path) -> None:
    """One sentence, the worst first, by area, a change without a reload, one gate at length, and back."""
    expect(page.locator("h1")).to_have_text(
        re.compile("^开放门岗3:达标1、缺1、失联1;最久 锦绣苑 北门 缺测温2小时1[0-9]分,联络员李敏$")
    )
    expect(page.locator(".row-gate").first).to_contain_text(re.compile("缺 2小时1[0-9]分"))
    expect(page.locator("[data-gate=side]")).to_contain_text("失联")
    expect(page.locator("[data-gate=side]")).not_to_contain_text("达标")
    check(page, screenshots, "overview")

    page.get_by_label("片区", exact=True).select_option(label="西片区")
    expect(page.locator("[data-gate=north]")).to_be_hidden()
    expect(page.locator("[data-gate=side]")).to_be_visible()
    page.get_by_label("片区", exact=True).select_option(label="全部片区")
    page.get_by_label("搜索门岗、小区、联络员").fill("锦绣 东门")
    expect(page.locator(".row-gate:visible")).to_have_count(1)
    page.get_by_label("搜索门岗、小区、联络员").fill("")

    page.evaluate("window.untouched = true")
    with engine.begin() as conn:
        say(conn, "east", Item.VOLUNTEER, present=False, since=datetime.now(UTC), reason="not_confirmed")
        meta.bump(conn)
    expect(page.locator("[data-gate=east]")).to_contain_text("久未确认在岗", timeout=4000)
    expect(page.locator("h1")).to_contain_text("缺2")
    page.get_by_role("button", name="失联").click()
    expect(page.locator(".row-gate:visible")).to_have_count(1)
    page.get_by_role("button", name="失联").click()
    assert page.evaluate("window.untouched")

    page.get_by_role("link", name="北门").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("锦绣苑 北门")
    expect(page.locator(".detail.is-missing")).to_contain_text("测温仪无应答")
    expect(page.locator(".entries")).to_contain_text("37.6 °C")
    check(page, screenshots, "gate")
    page.get_by_text("以文字列出").click()
    expect(page.locator(".in-words")).to_contain_text("不达标")
    expect(page.locator(".happening").first).to_contain_text("道闸打开")
    page.locator("tr.entry", has_text="车辆").get_by_role("link").click()
    expect(page.locator(".entry-facts").first).to_contain_text("乘员 36.5 °C")
    check(page, screenshots, "entry")
    page.get_by_role("link", name="返回门岗").click()
    page.get_by_role("link", name="返回总览").click()
    expect(page.locator(".row-gate")).to_have_count(3)


@pytest.mark.parametrize("page", [DESK, PHONE], indirect=True, ids=["desk", "phone"])
def test_ok__who_goes_through_a_locked_gate_is_seen_at_once(page: Page, engine: sa.Engine, screenshots: Path) -> None:
    """The row says so within seconds, and so does the gate's own page."""
    with engine.begin() as conn:
        locked = {"shut_at": minutes_ago(30), "shut_by": "b1", "shut_event": "e0"}
        conn.execute(sa.update(tables.gates).where(tables.gates.c.id == "side").values(**locked))
        add_event(conn, "side", 99, Entry(direction=Direction.IN, outcome=Outcome.UNCHECKED, people=2), minutes_ago(10))
        meta.bump(conn)
    expect(page.locator("[data-gate=side] .row-alert")).to_contain_text("关闭期间有人通行:2人次", timeout=4000)
    expect(page.locator("[data-gate=side]")).to_contain_text("关闭")
    check(page, screenshots, "locked")
    page.get_by_role("link", name="边门").click()
    expect(page.locator(".now")).to_contain_text("志愿者已锁门")
    check(page, screenshots, "locked-gate")


@pytest.mark.parametrize("page", [DESK], indirect=True, ids=["desk"])
def test_ok__a_blind_hub_blames_no_gate(page: Page, engine: sa.Engine, screenshots: Path) -> None:
    """The bar says that it is the hub."""
    with engine.begin() as conn:
        meta.went_blind(conn, datetime.now(UTC))
    expect(page.locator(".bar-blind")).to_contain_text("不代表门岗失联", timeout=4000)
    expect(page.locator("h1")).to_contain_text("断开前")
    check(page, screenshots, "blind")


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_ok__a_lost_stream_is_said_and_mended(page: Page, hub: Hub, screenshots: Path) -> None:
    """Within seconds the page says that it shows the past, and stops saying so when it no longer does."""
    hub.stop()
    expect(page.locator("#lost")).to_contain_text("页面已断开,正在重连;以下为", timeout=6000)
    check(page, screenshots, "lost")
    hub.start()
    expect(page.locator("#lost")).to_be_hidden()
