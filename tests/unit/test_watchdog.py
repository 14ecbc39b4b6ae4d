"""systemd's watchdog hears a program only while its loop turns; over a real AF_UNIX datagram socket."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.events import Body, Event
from hub.watchdog import Pulse
from kiosk.inputs import DirectoryArrived
from kiosk.watchdog import Watchdog
from tests.unit.gate_driver import DIRECTORY
from tests.unit.test_loop import World

PERIOD_SECONDS = 0.5


class Systemd:
    """The end of the socket at which systemd listens."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def hear(self) -> str:
        """The next message; TimeoutError when none comes."""
        self._socket.settimeout(10)
        return self._socket.recv(100).decode()

    def heard(self) -> list[str]:
        """All that has come and was not read yet."""
        messages = []
        self._socket.settimeout(0)
        try:
            while True:
                messages.append(self._socket.recv(100).decode())
        except BlockingIOError:
            return messages

    def close(self) -> None:
        self._socket.close()


class Errors(logging.Handler):
    """Counts what the watchdog complains of."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._said = threading.Semaphore(0)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.words.append(record.getMessage())
        self._said.release()

    def wait(self, times: int = 1) -> None:
        for _ in range(times):
            assert self._said.acquire(timeout=10)


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    listening = Systemd(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", str(int(3e6 * PERIOD_SECONDS)))
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    yield listening
    listening.close()


@pytest.fixture
def errors() -> Iterator[Errors]:
    handler, logger = Errors(), logging.getLogger("kiosk.watchdog")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def rising() -> Callable[[], int]:
    counted = iter(range(10**9))
    return lambda: next(counted)


def test_ready_then_pulses_then_stopping__while_the_loop_turns(systemd: Systemd) -> None:
    with World().loop as loop, Watchdog(lambda: loop.turns):
        assert [systemd.hear() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
        assert loop.turns > 0
    assert systemd.heard()[-1] == "STOPPING=1"


def test_the_pulse_stops__while_the_loop_hangs_in_the_journal(systemd: Systemd, errors: Errors) -> None:
    world, hanging, free = World(), threading.Event(), threading.Event()
    append = world.journal.append

    def hang(*bodies: Body, first_id: str | None = None) -> tuple[Event, ...]:
        hanging.set()
        assert free.wait(30)
        return append(*bodies, first_id=first_id)

    with world.loop as loop, Watchdog(lambda: loop.turns):
        assert [systemd.hear(), systemd.hear()] == ["READY=1", "WATCHDOG=1"]
        world.journal.append = hang  # type: ignore[method-assign]
        loop.post(DirectoryArrived(DIRECTORY))
        assert hanging.wait(10)
        errors.wait()
        systemd.heard()
        errors.wait(times=2)
        assert systemd.heard() == []
        assert set(errors.words) == {"no pulse to the watchdog: the loop stands still"}
        free.set()
        assert systemd.hear() == "WATCHDOG=1"


def test_the_pulse_stops__when_another_vital_thread_has_ended(systemd: Systemd, errors: Errors) -> None:
    end = threading.Event()
    eyes = threading.Thread(target=end.wait, name="eyes")
    eyes.start()
    with Watchdog(rising(), threads=lambda: [threading.main_thread(), eyes]):
        assert [systemd.hear(), systemd.hear()] == ["READY=1", "WATCHDOG=1"]
        end.set()
        eyes.join()
        errors.wait()
        systemd.heard()
        errors.wait(times=2)
        assert systemd.heard() == []
    assert set(errors.words) == {"no pulse to the watchdog: ended: eyes"}


def test_no_ready__before_the_first_turn(systemd: Systemd) -> None:
    looked = threading.Semaphore(0)

    def never() -> int:
        looked.release()
        return 7

    with Watchdog(never):
        assert all(looked.acquire(timeout=10) for _ in range(5))
        assert systemd.heard() == []


@pytest.mark.parametrize(("name", "value"), [("WATCHDOG_USEC", None), ("WATCHDOG_USEC", "0"), ("WATCHDOG_PID", "1")])
def test_ready_alone__when_systemd_waits_for_no_pulse_of_this_process(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    before = set(threading.enumerate())
    with Watchdog(rising()):
        assert systemd.hear() == "READY=1"
        for thread in set(threading.enumerate()) - before:
            thread.join(timeout=10)
            assert not thread.is_alive()
    assert systemd.heard() == ["STOPPING=1"]


def test_nothing_happens__without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    said, before = list[str](), set(threading.enumerate())
    with Watchdog(rising(), notify=said.append):
        assert set(threading.enumerate()) == before
    assert said == []


def test_hub__ready_at_the_first_beat_and_pulses_no_oftener_than_asked(systemd: Systemd) -> None:
    clock = iter([0, PERIOD_SECONDS / 2, PERIOD_SECONDS, PERIOD_SECONDS * 1.5, PERIOD_SECONDS * 2])
    pulse = Pulse(clock=lambda: next(clock))
    for _ in range(5):
        pulse.beat()
    pulse.ends()
    assert systemd.heard() == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]


def test_hub__the_programs_it_starts_do_not_speak_in_its_name(systemd: Systemd) -> None:
    Pulse().beat()
    assert systemd.heard() == ["READY=1"]
    assert "NOTIFY_SOCKET" not in os.environ


def test_hub__nothing_happens_without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    pulse = Pulse()
    for _ in range(3):
        pulse.beat()
    pulse.ends()
