"""The emulated line is a real pseudo-terminal that a module talks on, byte for byte as its maker's sheet has it."""

import errno
import json
import os
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosk.drivers.base import Fault, FaultKind, Measurement
from kiosk.drivers.emulated.gy_modules import Gy614VModel, GyMcu90614Model, ModuleModel
from kiosk.drivers.emulated.scene import Scene
from kiosk.drivers.emulated.serial import EmulatedLine, EmulatedSerial
from kiosk.drivers.gy_614v import Gy614V
from kiosk.drivers.gy_mcu90614 import GyMcu90614
from kiosk.drivers.gy_module import GyModule
from kiosk.drivers.serial_line import SerialLine, signed, sum8

PATIENT = 30.0
SOON = 0.2
ASK = bytes.fromhex("a5 15 ba")

SETS: list[tuple[Callable[..., GyModule], Callable[..., ModuleModel]]] = [
    (GyMcu90614, GyMcu90614Model),
    (Gy614V, Gy614VModel),
]


@contextmanager
def playing(model: ModuleModel, folder: Path | None = None) -> Iterator[EmulatedSerial]:
    emulator = EmulatedSerial(model, folder)
    try:
        yield emulator
    finally:
        emulator.close()


def heard(fd: int, length: int, seconds: float = PATIENT) -> bytes:
    """That many bytes from a terminal; fewer if they don't come."""
    said = b""
    while len(said) < length and select.select([fd], [], [], seconds)[0]:
        said += os.read(fd, length - len(said))
    return said


@contextmanager
def opened(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        yield fd
    finally:
        os.close(fd)


def asked(emulator: EmulatedSerial, question: bytes, length: int, seconds: float = PATIENT) -> bytes:
    with opened(emulator.path) as fd:
        os.write(fd, question)
        return heard(fd, length, seconds)


def test_it_is_a_terminal_in_raw_mode() -> None:
    with playing(GyMcu90614Model(continuous=False)) as emulator, opened(emulator.path) as fd:
        assert os.isatty(fd)
        os.write(fd, b"\x11\x13\x0d\x03" + ASK)
        assert heard(fd, 9)[:4] == b"\x5a\x5a\x45\x04"


def test_gy_mcu90614__answers_a_question_with_one_frame() -> None:
    with playing(GyMcu90614Model(object_celsius=34.5, ambient_celsius=-3.0, continuous=False)) as emulator:
        frame = asked(emulator, ASK, 10, SOON)
    assert len(frame) == 9
    assert frame[-1] == sum8(frame[:-1])
    assert int.from_bytes(frame[4:6], "big") == pytest.approx(3450, abs=3)
    assert int.from_bytes(frame[6:8], "big", signed=True) == pytest.approx(-300, abs=3)


@pytest.mark.parametrize("question", ["a5 15 bb", "a5 15", "15 ba", "a5 51 f6", ""])
def test_gy_mcu90614__answers_nothing_else(question: str) -> None:
    with playing(GyMcu90614Model(continuous=False)) as emulator:
        assert asked(emulator, bytes.fromhex(question), 1, SOON) == b""


def test_gy_mcu90614__a_question_in_two_pieces_after_noise_is_a_question() -> None:
    model = GyMcu90614Model()
    assert model.hear(b"\xa5\xff\x00" + ASK[:2]) == b""
    assert len(model.hear(ASK[2:] + ASK)) == 18


@pytest.mark.parametrize("model, head", [(GyMcu90614Model(), "5a 5a 45 04"), (Gy614VModel(), "a4 03 07 07")])
def test_a_module_sends_unasked_as_it_leaves_the_factory(model: ModuleModel, head: str) -> None:
    with playing(model) as emulator, opened(emulator.path) as fd:
        said = heard(fd, 36)
    assert said.count(bytes.fromhex(head)) >= 3


def test_gy_mcu90614__begins_to_send_unasked_when_told() -> None:
    with playing(GyMcu90614Model(continuous=False)) as emulator:
        assert asked(emulator, bytes.fromhex("a5 45 ea"), 27).count(bytes.fromhex("5a 5a 45 04")) == 3


def test_gy_614v__registers_are_read_by_number() -> None:
    with playing(Gy614VModel(object_celsius=34.5, continuous=False, emissivity=95)) as emulator:
        frame = asked(emulator, signed(bytes.fromhex("a4 03 07 03")), 8)
    assert frame == signed(bytes.fromhex("a4 03 07 03 5f") + frame[5:7])
    assert int.from_bytes(frame[5:7], "big") == pytest.approx(3450, abs=3)


def test_gy_614v__what_is_not_saved_is_lost_with_the_power() -> None:
    model = Gy614VModel(emissivity=95, saved_emissivity=95)
    model.hear(signed(bytes.fromhex("a4 06 07 62")))
    assert model.emissivity == 98
    model.power_up()
    assert model.emissivity == 95
    model.hear(signed(bytes.fromhex("a4 06 07 62")) + signed(bytes.fromhex("a4 06 05 55")))
    model.power_up()
    assert model.emissivity == 98


@pytest.mark.parametrize("driver, make", SETS)
def test_a_driver_measures_a_module_that_sends_unasked(driver: Callable[..., GyModule], make: Callable[..., ModuleModel]) -> None:
    now = [0]
    line = EmulatedLine(make(object_celsius=34.5, continuous=True))
    with driver(line, answer_seconds=PATIENT, monotonic_ns=lambda: now[0]) as sensor:
        sensor.read()
        now[0] = 2_000_000_000
        for celsius in (34.5, 36.0, 22.0):
            line.emulator.show(Scene(object_celsius=celsius))
            sensor.read()
            seen = sensor.read()
            assert isinstance(seen, Measurement)
            assert seen.object_celsius == pytest.approx(celsius, abs=0.04)


def test_what_came_before_the_question_is_no_answer_to_it() -> None:
    model, now = GyMcu90614Model(object_celsius=30.0, continuous=False), [0]
    line = EmulatedLine(model)
    with GyMcu90614(line, answer_seconds=PATIENT, monotonic_ns=lambda: now[0]) as sensor, opened(line.emulator.path) as fd:
        sensor.read()
        now[0] = 2_000_000_000
        os.write(fd, ASK)
        assert select.select([fd], [], [], PATIENT)[0]
        line.emulator.show(Scene(object_celsius=36.0))
        seen = sensor.read()
    assert isinstance(seen, Measurement)
    assert seen.object_celsius == pytest.approx(36.0, abs=0.04)


def test_a_line_that_nobody_reads__loses_what_does_not_fit_and_stops_nothing() -> None:
    model = GyMcu90614Model(continuous=False)
    model.hear = lambda said: bytes(1 << 20)  # type: ignore[method-assign]
    with playing(model) as emulator, opened(emulator.path) as fd:
        for _ in range(3):
            os.write(fd, ASK)
            emulator.show(Scene())
        assert 0 < len(heard(fd, 3 << 20, SOON)) < 3 << 20


def test_hung_up__the_terminal_is_gone_and_comes_back_under_its_name() -> None:
    with playing(GyMcu90614Model(continuous=False)) as emulator:
        with opened(emulator.path) as fd:
            emulator.show(Scene(fault="hang_up"))
            assert not emulator.path.is_symlink()
            with pytest.raises(OSError) as caught:
                os.write(fd, ASK)
            assert caught.value.errno == errno.EIO
        emulator.show(Scene())
        assert len(asked(emulator, ASK, 9)) == 9


def test_hung_up__a_driver_opens_the_port_again() -> None:
    now = [0]
    line = EmulatedLine(GyMcu90614Model(continuous=False))
    with GyMcu90614(line, answer_seconds=PATIENT, monotonic_ns=lambda: now[0]) as sensor:
        sensor.read()
        line.emulator.show(Scene(fault="hang_up"))
        for _ in range(3):
            outcome = sensor.read()
            assert isinstance(outcome, Fault)
            assert outcome.kind is FaultKind.NO_ANSWER
        line.emulator.show(Scene())
        sensor.read()
        now[0] = 2_000_000_000
        assert isinstance(sensor.read(), Measurement)


def test_a_port_that_another_program_has_taken_is_said_so() -> None:
    with playing(GyMcu90614Model(continuous=False)) as emulator:
        path = str(emulator.path)
        with GyMcu90614(SerialLine(path), answer_seconds=PATIENT) as one, GyMcu90614(SerialLine(path)) as other:
            one.read()
            outcome = other.read()
    assert isinstance(outcome, Fault)
    assert outcome.kind is FaultKind.NO_ANSWER
    assert "exclusively lock" in outcome.detail


def test_a_line_that_babbles_is_a_fault_and_ends() -> None:
    model = GyMcu90614Model(continuous=False)
    model.hear = lambda said: b"\x5a" * 5000  # type: ignore[method-assign]
    line = EmulatedLine(model)
    with GyMcu90614(line, answer_seconds=PATIENT) as sensor:
        outcome = sensor.read()
    assert isinstance(outcome, Fault)
    assert outcome.kind is FaultKind.BAD_CHECKSUM


def test_the_world_is_read_again_when_its_file_is_replaced(tmp_path: Path) -> None:
    def play(**scene: object) -> None:
        fresh, target = tmp_path / "fresh", tmp_path / "thermometer.json"
        before = target.stat().st_mtime_ns if target.exists() else 10**18
        fresh.write_text(json.dumps(scene))
        os.utime(fresh, ns=(before + 1, before + 1))
        fresh.replace(target)

    def object_celsius() -> float:
        return int.from_bytes(asked(emulator, ASK, 9)[4:6], "big") / 100

    with playing(GyMcu90614Model(continuous=False), tmp_path) as emulator:
        assert object_celsius() == pytest.approx(22.0, abs=0.04)
        play(object_celsius=34.5)
        assert object_celsius() == pytest.approx(34.5, abs=0.04)
        play(connected=False)
        assert asked(emulator, ASK, 9, SOON) == b""
        (tmp_path / "thermometer.json").unlink()
        assert object_celsius() == pytest.approx(22.0, abs=0.04)


def test_closed__leaves_no_thread_no_file_and_no_folder() -> None:
    fds, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    emulator = EmulatedSerial(GyMcu90614Model())
    home = emulator.path.parent
    emulator.close()
    emulator.close()
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == (fds, threads)
    assert not home.exists()
