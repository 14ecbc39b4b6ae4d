"""The wiring of a station: its PINs, what it answers to the hub, and how it ends."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import structs

from contract.directory import pin_secret
from contract.messages import Command, CommandName, CommandReply
from contract.sealing import b64
from kiosk.app import Station
from kiosk.config import load
from kiosk.inputs import BarrierAsked, CheckPin, IdentifyAsked
from kiosk.view import Phase, VolunteerView
from tests.unit.test_settings import STATION

DEVICES = '[camera]\nsource = "emulated:world"\n[thermometer]\nbus = "emulated:world"\n'
SEALING = b64(X25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw())
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """A station whose devices are emulated; nothing of it runs."""
    (tmp_path / "world").mkdir()
    path = tmp_path / "kiosk.toml"
    sealed = re.sub('sealing = "A+"', f'sealing = "{SEALING}"', STATION)
    path.write_text('clock = "trusted"\n' + sealed + DEVICES, encoding="utf-8")
    made = Station(load(path))
    yield made
    made.journal.close()


@pytest.fixture
def seeing(station: Station) -> Iterator[Station]:
    """The same with its camera open."""
    with station.equipment.eyes[0].camera as camera:
        assert camera.latest(timeout=5) is not None
        yield station


def ask(station: Station, name: CommandName) -> CommandReply:
    return station._answer(Command(id="c1", name=name))


@pytest.mark.parametrize(
    "secret, badge, right", [("2468", None, True), ("2467", None, False), (pin_secret("2468", "GP1:X"), "GP1:X", True)]
)
def test_a_pin_is_checked_with_its_badge_and_the_settings_alone(
    station: Station, secret: str, badge: str | None, right: bool
) -> None:
    assert station._pin_is_right(CheckPin("b", badge, "2468", CHEAP.hash(secret))) is right


def test_a_badges_pin_is_nothing_without_the_badge(station: Station) -> None:
    assert not station._pin_is_right(CheckPin("b", None, "2468", CHEAP.hash(pin_secret("2468", "GP1:X"))))
    assert not station._pin_is_right(CheckPin("b", None, "2468", "no hash"))


def test_the_devices_are_tested_for_the_hub(seeing: Station) -> None:
    assert ask(seeing, CommandName.SELFTEST) == CommandReply(id="c1", ok=True, detail="all devices answer")


def test_what_fails_its_test_is_named(station: Station) -> None:
    reply = ask(station, CommandName.SELFTEST)
    assert (reply.ok, reply.detail.partition(":")[0]) == (False, "camera")


def test_a_snapshot_is_answered_with_its_sha(seeing: Station) -> None:
    reply = ask(seeing, CommandName.SNAPSHOT)
    assert reply.ok
    assert re.fullmatch("[0-9a-f]{64}", reply.detail)
    assert seeing.journal.kept_under("photo:", limit=2).keys() == {f"photo:{reply.detail}"}


def test_a_snapshot_without_a_picture(station: Station) -> None:
    assert ask(station, CommandName.SNAPSHOT) == CommandReply(id="c1", ok=False, detail="the camera gives no picture")


def test_the_hub_asks_for_the_barrier(station: Station) -> None:
    asked: list[object] = []
    station.loop.post = asked.append  # type: ignore[method-assign]
    assert ask(station, CommandName.OPEN_BARRIER) == CommandReply(id="c1", ok=False, detail="there is no barrier here")
    assert asked == []
    station._setup = replace(station._setup, barrier=True)
    said = CommandReply(id="c1", ok=False, detail="no volunteer is signed in here")
    assert (ask(station, CommandName.OPEN_BARRIER), asked) == (said, [])
    shown = structs.replace(
        station.snapshot(), volunteer=VolunteerView(name="李", since="07:00", hours=0.5, ask=False, over=False)
    )
    station.loop.snapshot = lambda: shown  # type: ignore[method-assign]
    assert ask(station, CommandName.OPEN_BARRIER) == CommandReply(id="c1", ok=True, detail="asked")
    assert asked == [BarrierAsked()]


def test_it_says_which_station_it_is_when_nobody_is_at_hand(station: Station) -> None:
    asked: list[object] = []
    station.loop.post = asked.append  # type: ignore[method-assign]
    assert ask(station, CommandName.IDENTIFY) == CommandReply(id="c1", ok=True, detail="shown and said")
    assert asked == [IdentifyAsked()]
    shown = structs.replace(station.snapshot(), phase=Phase.MEASURING)
    station.loop.snapshot = lambda: shown  # type: ignore[method-assign]
    assert not ask(station, CommandName.IDENTIFY).ok
    assert len(asked) == 1


def test_a_restart_waits_until_the_answer_is_handed_over(station: Station) -> None:
    answer, handed_over = list[CommandReply](), threading.Event()

    def obey() -> None:
        answer.append(ask(station, CommandName.RESTART))
        assert not station._stop.is_set()
        handed_over.wait(5)

    thread = threading.Thread(target=obey)
    thread.start()
    assert not station._stop.wait(0.3)
    handed_over.set()
    assert station._stop.wait(5)
    assert answer == [CommandReply(id="c1", ok=True, detail="restarting")]
    thread.join()


def test_shutting_down_is_systemds_to_do(tmp_path: Path, station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    with pytest.raises(RuntimeError, match="systemd"):
        station.loop._shut_down()
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{tmp_path}:/elsewhere")
    station.loop._shut_down()
    assert (tmp_path / "shutdown").exists()
