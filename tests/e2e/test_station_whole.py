"""A whole station in a real browser: its own page, heart, journal, camera and thermometer, the devices emulated at the wire.

Each case goes from the first touch to the last, by touch, and what it left in the journal is read at the end.
"""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from playwright.sync_api import Browser, Page, expect

from contract.directory import (
    Badge,
    Badges,
    Booking,
    Bookings,
    Directory,
    Dwelling,
    Keys,
    PassKey,
    Policies,
    Roster,
    RosterHolder,
    pin_secret,
)
from contract.events import BarrierOpened, Entry, HelpCalled, Outcome, PhotoAttached, Who
from contract.opening import closed, opening_key, public_half, seal_parts
from contract.passes import Pass, PassKind, issue
from contract.sealing import b64
from kiosk.app import Station
from kiosk.config import load
from kiosk.speaking.speech import rendered_path
from tests.e2e.conftest import BUTTON, until
from tests.e2e.words import LOOKS, saying
from tests.unit.test_settings import STATION

PRIVATE = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()
SEALING = b64(X25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw())
PIN = "2468"
COOL, NORMAL, FEVER = 24.0, 34.0, 36.8
DEVICES = """
[camera]
source = "emulated:world"
[thermometer]
bus = "emulated:world"
[voice]
device = "emulated:world"
[gpio]
pins = "emulated:world"
barrier = 23
"""


def pass_id(number: int) -> str:
    return number.to_bytes(16, "big").hex()


def token(number: int, kind: PassKind = PassKind.RESIDENT) -> str:
    now = datetime.now(UTC)
    claims = Pass(
        id=pass_id(number), issuer="hub", kind=kind, not_before=now - timedelta(days=1), expires=now + timedelta(days=30),
        compounds=("c1",), name="王*明", dwelling="3号501",
    )  # fmt: skip
    return issue(claims, "k1", PRIVATE)


BADGE = token(101, PassKind.VOLUNTEER)


def directory() -> Directory:
    now = datetime.now(UTC)
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    rooms = (("3号", "501", 1), ("3号", "502", 9), ("12号", "101", 7))
    opens = public_half(opening_key(PIN, BADGE))
    whole = Directory(
        version=7, issued_at=now, policies=Policies(aside_seconds=0), keys=Keys(passes=(PassKey(kid="k1", public=b64(PUBLIC)),)),
        badges=Badges(badges=(Badge(id=pass_id(101), pin=cheap.hash(pin_secret(PIN, BADGE)), opens=opens),)),
        roster=Roster(dwellings=tuple(
            Dwelling(building=building, room=room, holders=(RosterHolder(pass_id=pass_id(n), name="李*"),))
            for building, room, n in rooms
        )),
        bookings=Bookings(bookings=(
            Booking(id="b1", kind="removal", plate="沪B88888", crew=2, dwelling="3号502", opens=now - timedelta(hours=1),
                    closes=now + timedelta(hours=2)),
        )),
    )  # fmt: skip
    return closed(seal_parts(whole, "c1", "c-1", bytes(32), {pass_id(101): opens}))


class Gate:
    """One station that runs, the world before its camera and thermometer, and a finger on its screen."""

    def __init__(self, folder: Path, page: Page, language: str = "zh") -> None:
        self.world, self.page, self.language, self.touches = folder / "world", page, language, 0
        self.world.mkdir()
        settings_pin = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PIN)
        text = 'clock = "trusted"\n' + re.sub('sealing = "A+"', f'sealing = "{SEALING}"', STATION) + DEVICES
        path = folder / "kiosk.toml"
        screen = f'[screen]\nlanguage = "{language}"\nport = {_free_port()}\nsettings_pin = "{settings_pin}"\n'
        path.write_text(text + screen, encoding="utf-8")
        self.feels(COOL)
        self.sees()
        self.station = Station(load(path))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.station.run, args=(self._stop,))

    def start(self) -> None:
        self._thread.start()
        port = self.station.located.settings.screen.port
        self.station._directory_came(directory())
        self.until(lambda: self.station.snapshot().devices.get("camera") is True, "the camera to see")
        self.until(lambda: not self.station.snapshot().needs_typing, "the thermometer to answer")
        self.until(lambda: _answers(port), "the page to be served")
        self.page.goto(f"http://127.0.0.1:{port}/")
        self.sign_in()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=30)

    def sees(self, *texts: str) -> None:
        """These codes are held up."""
        self._play("camera.json", {"show": texts, "hardness": 0.0})

    def feels(self, skin: float) -> None:
        """What stands before the thermometer, in °C."""
        self._play("thermometer.json", {"object_celsius": skin, "ambient_celsius": 24.0})

    def touch(self, label: str) -> None:
        """The button that says this, white space aside, once the screen stands still."""
        self._tap("button:not([data-busy])", saying(self.language, label).pattern)

    def press(self, selector: str) -> None:
        """A button that is told by its place rather than by its words."""
        self._tap(selector)

    def _tap(self, selector: str, said: str = "") -> None:
        x, y = until(self.page, BUTTON, [selector, said])
        self.page.touchscreen.tap(x, y)
        self.touches += 1

    def digits(self, digits: str) -> None:
        for digit in digits:
            self.touch(digit)

    def sign_in(self) -> None:
        self.sees(BADGE)
        self.says("请输入密码")
        self.sees()
        self.digits(PIN)
        self.touch("确定")
        expect(self.page.locator("#volunteer")).to_have_text("王*明", timeout=15_000)
        self.touches = 0

    def says(self, sentence: str) -> None:
        """The screen shows the sentence."""
        expect(self.page.locator("[data-sentence]:visible").first).to_have_text(
            saying(self.language, sentence, whole=False), timeout=15_000
        )

    def entries(self) -> list[Entry]:
        return [event.body for event in self.station.journal.all_events() if isinstance(event.body, Entry)]

    def bodies(self, kind: type[Any]) -> list[Any]:
        return [event.body for event in self.station.journal.all_events() if isinstance(event.body, kind)]

    def until(self, holds: Callable[[], bool], what: str, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.05)

    def entered(self, count: int) -> Entry:
        self.until(lambda: len(self.entries()) >= count, f"{count} entries, there are {self.entries()}")
        return self.entries()[count - 1]

    def _play(self, name: str, scene: dict[str, Any]) -> None:
        new = self.world / f"{name}.new"
        new.write_bytes(msgspec.json.encode(scene))
        new.replace(self.world / name)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def gate(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Gate]:
    (width, height), language = getattr(request, "param", ((800, 480), "zh"))
    with browser.new_context(viewport={"width": width, "height": height}, has_touch=True) as context:
        gate = Gate(tmp_path, context.new_page(), language)
        gate.start()
        yield gate
        gate.page.close()
        gate.close()


def looks(*params: tuple[tuple[int, int], str]) -> pytest.MarkDecorator:
    """The sizes of screen, each with its language, at which a case is gone through."""
    return pytest.mark.parametrize("gate", params, indirect=True, ids="{0[0][0]}x{0[0][1]}-{0[1]}".format)


SMALL, SMALL_ENGLISH, MIDDLE, MIDDLE_ENGLISH, LARGE, LARGE_ENGLISH = LOOKS


@looks(SMALL, MIDDLE_ENGLISH, LARGE)
def test_a_known_resident_touches_nothing_and_neither_does_the_volunteer(gate: Gate) -> None:
    voice = gate.station.located.data / "voice"
    gate.until(rendered_path(voice, gate.language, "ok_enter").exists, "the sentence to be rendered", seconds=60)
    gate.sees(token(1))
    gate.says("请看测温处")
    gate.feels(NORMAL)
    gate.says("体温正常，请进")
    entry = gate.entered(1)
    assert (entry.outcome, entry.pass_id, gate.touches) == (Outcome.ADMIT, pass_id(1), 0)
    gate.until((gate.world / "voice.jsonl").exists, "the voice")
    gate.until(lambda: "ok_enter" in (gate.world / "voice.jsonl").read_text(), "the sentence")


@looks(SMALL_ENGLISH, MIDDLE, LARGE_ENGLISH)
def test_a_fever_goes_to_the_side_by_itself_and_is_settled_in_two_touches(gate: Gate) -> None:
    gate.sees(token(1))
    gate.feels(FEVER)
    gate.says("请到旁边等一下")
    gate.feels(COOL)
    gate.sees()
    gate.page.locator("body[data-view=waiting]").wait_for(timeout=30_000)
    gate.touch("查看")
    gate.touch("不放行")
    last = gate.entered(3)
    assert [entry.outcome for entry in gate.entries()] == [Outcome.RETAKE, Outcome.REFER, Outcome.REFUSE]
    assert (last.by, gate.touches) == (pass_id(101), 2)


@looks(SMALL, MIDDLE_ENGLISH, LARGE)
def test_a_visitor_in_four_touches(gate: Gate) -> None:
    for label in ("访客", "3号", "501", "住户已确认·测温"):
        gate.touch(label)
    gate.says("请看测温处")
    gate.feels(NORMAL)
    gate.says("体温正常，请进")
    entry = gate.entered(1)
    assert (entry.who, entry.host_confirmed, entry.key_area, entry.outcome) == (Who.VISITOR, True, False, Outcome.ADMIT)
    assert gate.touches == 4
    gate.page.locator("body[data-view=waiting]").wait_for(timeout=15_000)
    for label in ("登记", "在内 1", "离开"):
        gate.touch(label)
    gate.says("请慢走")
    assert gate.entered(2).visit is not None


@looks(SMALL_ENGLISH, MIDDLE, LARGE_ENGLISH)
def test_an_emergency_is_one_touch_opens_the_barrier_and_is_pictured(gate: Gate) -> None:
    gate.touch("紧急放行")
    gate.says("紧急放行")
    assert gate.entered(1).outcome is Outcome.EMERGENCY
    assert gate.touches == 1
    assert gate.bodies(BarrierOpened)[0].cause == "emergency"
    gate.until(lambda: gate.bodies(PhotoAttached) != [], "the picture")
    gate.page.locator("body[data-view=waiting]").wait_for(timeout=20_000)
    for label in ("登记", "记录", "补充", "救护车"):
        gate.touch(label)
    gate.until(lambda: gate.station.snapshot().entries[0].note == "ambulance", "who it was")
    levels = msgspec.json.decode((gate.world / "gpio.json").read_bytes())
    assert "23" in levels


@looks(SMALL, MIDDLE_ENGLISH, LARGE)
def test_a_vehicle_with_three_occupants(gate: Gate) -> None:
    for label in ("登记", "车辆", "A", "1", "2", "3", "4", "5", "完成"):
        gate.touch(label)
    for selector in ("[data-step='1']", "[data-step='1']", "[data-field=dwelling]"):
        gate.press(selector)
    for label in ("3号", "501", "后备箱已查"):
        gate.touch(label)
    gate.touch("住户已确认·测温")
    for n in range(3):
        gate.feels(COOL)
        gate.until(lambda: not gate.station.snapshot().next_person, "the one before to step away")
        gate.feels(NORMAL + n / 10)
        gate.until(lambda n=n: gate.station.snapshot().measured > n or gate.entries() != [], f"occupant {n + 1}")  # type: ignore[misc]
    gate.says("体温正常，请进")
    entry = gate.entered(1)
    assert (entry.who, entry.people, entry.boot_checked, len(entry.companions)) == (Who.VEHICLE, 3, True, 2)
    assert gate.bodies(BarrierOpened)[0].cause == "entry"


@looks(SMALL_ENGLISH, LARGE)
def test_without_a_card_found_in_two_taps(gate: Gate) -> None:
    for label in ("登记", "没带证", "3号", "502"):
        gate.touch(label)
    gate.feels(NORMAL)
    gate.says("体温正常，请进")
    assert (gate.entered(1).pass_id, gate.entered(1).found) == (pass_id(9), "list")


@looks(MIDDLE_ENGLISH)
def test_help_is_silent_and_pictured(gate: Gate) -> None:
    gate.touch("求助")
    gate.until(lambda: gate.bodies(HelpCalled) != [], "the call")
    gate.until(lambda: gate.bodies(PhotoAttached) != [], "the picture")
    assert gate.station.snapshot().phase == "waiting"


def test_the_settings_open_by_their_pin_alone(gate: Gate) -> None:
    for label in ("登记", "设置"):
        gate.touch(label)
    gate.digits("1111")
    gate.touch("确定")
    expect(gate.page.get_by_role("alert").filter(visible=True).first).to_contain_text("密码不对")
    gate.digits(PIN)
    gate.touch("确定")
    gate.until(lambda: gate.station.snapshot().settings is not None, "the settings")
    gate.touch("English")
    expect(gate.page.locator("html")).to_have_attribute("lang", "en")


def test_a_power_cut_is_told_and_the_side_list_is_still_there(browser: Browser, tmp_path: Path) -> None:
    with browser.new_context(viewport={"width": 800, "height": 480}, has_touch=True) as context:
        before = Gate(tmp_path, context.new_page())
        before.start()
        before.sees(token(1))
        before.says("请看测温处")
        before.touch("到旁边")
        before.until(lambda: before.station.snapshot().aside != (), "the side list")
        before.page.close()
        before.close()
        (tmp_path / "world").rename(tmp_path / "old")
        after = Gate(tmp_path, context.new_page())
        assert [one.reasons for one in after.station.snapshot().aside] == [("aside",)]
        after.station.journal.close()
