"""What every thermometer's driver owes, each against its emulator at the wire: a real bus transaction, a real pseudo-terminal."""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import assume, given
from hypothesis import strategies as st

from contract.events import Band
from contract.settings import BadSettings
from kiosk.cli import main
from kiosk.config import load
from kiosk.devices import open_bus, open_line, open_thermometer
from kiosk.drivers import gy_614v, gy_mcu90614, mlx90614, mlx90615
from kiosk.drivers.base import Fault, FaultKind, Measurement, Thermometer
from kiosk.drivers.emulated.gy_modules import Gy614VModel, GyMcu90614Model, ModuleModel
from kiosk.drivers.emulated.i2c import EmulatedI2CBus, MelexisModel
from kiosk.drivers.emulated.scene import Scene, Trouble
from kiosk.drivers.emulated.serial import EmulatedLine
from kiosk.drivers.gy_614v import Gy614V
from kiosk.drivers.gy_mcu90614 import GyMcu90614
from kiosk.drivers.gy_module import GyModule
from kiosk.drivers.i2c import LinuxBus, crc8
from kiosk.drivers.melexis import Chip, MelexisThermometer
from kiosk.drivers.mlx90614 import Mlx90614
from kiosk.drivers.mlx90615 import Mlx90615
from kiosk.drivers.serial_line import SerialLine, signed, sum8
from kiosk.rules.temperature import TemperatureRule, judge
from tests.unit.test_settings import STATION

RESOLUTION = 0.061
"""Three steps of 0.02 °C, as far as a live sensor's last digit moves in the emulators."""
FOREHEAD = Scene(object_celsius=34.5, ambient_celsius=22.0)
PATIENT, HASTY = 30.0, 0.05
"""Seconds that a module's answer is waited for: where one comes at once, and where none will."""
RULE = TemperatureRule()


class Clock:
    """A monotonic clock that moves when told, or when somebody sleeps."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@dataclass
class Bench(ABC):
    """A driver and its emulator, with a forehead in view; the driver has had its first contact."""

    sensor: Any
    clock: Clock

    @abstractmethod
    def show(self, scene: Scene) -> None:
        """Another scene."""

    def read_hastily(self) -> Measurement | Fault:
        """A read that no answer is expected of."""
        return self.read()

    def read(self) -> Measurement | Fault:
        outcome: Measurement | Fault = self.sensor.read()
        return outcome

    def ready(self) -> None:
        """Past the warm-up."""
        self.read()
        self.clock.sleep(self.sensor.warm_up_seconds)

    def close(self) -> None:
        self.sensor.close()


@dataclass
class BusBench(Bench):
    model: MelexisModel

    def show(self, scene: Scene) -> None:
        self.model.show(scene)


@dataclass
class LineBench(Bench):
    line: EmulatedLine

    def show(self, scene: Scene) -> None:
        self.line.emulator.show(scene)

    def read_hastily(self) -> Measurement | Fault:
        self.sensor.answer_seconds = HASTY
        outcome = self.read()
        self.sensor.answer_seconds = PATIENT
        return outcome


def on_bus(driver: type[MelexisThermometer]) -> Bench:
    clock, model = Clock(), MelexisModel(driver.chip)
    model.show(FOREHEAD)
    return BusBench(driver(EmulatedI2CBus(model=model), monotonic_ns=clock, sleep=clock.sleep), clock, model)


def on_line(driver: type[GyModule], model: ModuleModel) -> Bench:
    model.show(FOREHEAD)
    clock, line = Clock(), EmulatedLine(model)
    sensor = driver(line, answer_seconds=PATIENT, monotonic_ns=clock, sleep=clock.sleep)
    return LineBench(sensor, clock, line)


BENCHES: dict[str, Callable[[], Bench]] = {
    "mlx90614": lambda: on_bus(Mlx90614),
    "mlx90615": lambda: on_bus(Mlx90615),
    "gy-mcu90614": lambda: on_line(GyMcu90614, GyMcu90614Model(continuous=False)),
    "gy-614v": lambda: on_line(Gy614V, Gy614VModel(continuous=False)),
}
BUS, LINE = ("mlx90614", "mlx90615"), ("gy-mcu90614", "gy-614v")


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Each driver, past its warm-up."""
    with closing(BENCHES[request.param]()) as opened:
        opened.ready()
        yield opened


@pytest.fixture
def of(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The driver that the test names, past its warm-up."""
    with closing(BENCHES[request.param]()) as opened:
        opened.ready()
        yield opened


def kind_of(outcome: Measurement | Fault) -> FaultKind | None:
    return outcome.kind if isinstance(outcome, Fault) else None


def open_fds() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("object_celsius, ambient_celsius", [(34.5, 22.0), (-5.3, -12.7), (40.0, 34.9), (100.1, 60.0)])
def test_measures_object_and_ambient(bench: Bench, object_celsius: float, ambient_celsius: float) -> None:
    bench.show(Scene(object_celsius=object_celsius, ambient_celsius=ambient_celsius))
    seen = bench.read()
    assert isinstance(seen, Measurement)
    assert seen.object_celsius == pytest.approx(object_celsius, abs=RESOLUTION)
    assert seen.ambient_celsius == pytest.approx(ambient_celsius, abs=RESOLUTION)
    assert seen.mono_ns == bench.clock.now_ns


TROUBLES: list[tuple[str, Trouble, FaultKind]] = [
    *((name, "nack", FaultKind.NO_ANSWER) for name in BENCHES),
    *((name, "silent", FaultKind.NO_ANSWER) for name in BENCHES),
    *((name, "hang_up", FaultKind.NO_ANSWER) for name in BENCHES),
    *((name, "bad_pec", FaultKind.BAD_CHECKSUM) for name in BENCHES),
    *((name, "bad_sum", FaultKind.BAD_CHECKSUM) for name in BENCHES),
    *((name, "absurd", FaultKind.OUT_OF_RANGE) for name in BENCHES),
    *((name, "half_frame", FaultKind.BAD_CHECKSUM) for name in BUS),
    *((name, "half_frame", FaultKind.NO_ANSWER) for name in LINE),
    *((name, "brown_out", FaultKind.BAD_CHECKSUM) for name in BUS),
    *((name, "brown_out", FaultKind.NO_ANSWER) for name in LINE),
    *((name, "error_bit", FaultKind.ERROR_BIT) for name in BUS),
]


@pytest.mark.parametrize("of, trouble, kind", TROUBLES, indirect=["of"])
def test_each_trouble_is_a_fault_of_its_kind(of: Bench, trouble: Trouble, kind: FaultKind) -> None:
    of.show(Scene(object_celsius=34.5, fault=trouble))
    quiet = trouble in ("nack", "silent", "half_frame")
    outcome = of.read_hastily() if quiet else of.read()
    assert kind_of(outcome) == kind
    assert outcome.mono_ns == of.clock.now_ns
    assert judge(outcome, RULE).band is Band.UNKNOWN


def test_noise_stops_no_measurement(bench: Bench) -> None:
    """Scatter of the object on a bus; stray bytes before each frame, ending like a frame's head, on a line."""
    bench.show(Scene(object_celsius=34.5, fault="noise"))
    outcomes = [bench.read() for _ in range(50)]
    assert all(isinstance(outcome, Measurement) for outcome in outcomes)


def test_unplugged_between_two_reads_and_back__warms_up_again(bench: Bench) -> None:
    assert isinstance(bench.read(), Measurement)
    bench.show(Scene(connected=False))
    assert kind_of(bench.read_hastily()) == FaultKind.NO_ANSWER
    bench.clock.sleep(60)
    assert kind_of(bench.read_hastily()) == FaultKind.NO_ANSWER
    bench.show(FOREHEAD)
    assert kind_of(bench.read()) == FaultKind.WARMING_UP
    bench.clock.sleep(bench.sensor.warm_up_seconds - 0.001)
    assert kind_of(bench.read()) == FaultKind.WARMING_UP
    bench.clock.sleep(0.001)
    assert isinstance(bench.read(), Measurement)


@pytest.mark.parametrize("trouble", ["half_frame", "hang_up"])
def test_unplugged_in_the_middle_of_an_answer_and_back__warms_up_again(bench: Bench, trouble: Trouble) -> None:
    bench.show(Scene(object_celsius=34.5, fault=trouble))
    assert isinstance(bench.read_hastily(), Fault)
    bench.show(Scene(connected=False))
    assert kind_of(bench.read_hastily()) == FaultKind.NO_ANSWER
    bench.show(FOREHEAD)
    assert kind_of(bench.read()) == FaultKind.WARMING_UP
    bench.clock.sleep(bench.sensor.warm_up_seconds)
    assert isinstance(bench.read(), Measurement)


def test_the_same_value_for_longer_than_30_s_is_stuck(bench: Bench) -> None:
    bench.show(Scene(object_celsius=34.5, fault="stuck"))
    kinds = []
    for _ in range(32):
        kinds.append(kind_of(bench.read()))
        bench.clock.sleep(1)
    assert kinds == [None] * 31 + [FaultKind.STUCK]
    bench.show(FOREHEAD)
    assert isinstance(bench.read(), Measurement)


def test_two_rare_reads_that_agree_are_not_stuck(bench: Bench) -> None:
    bench.show(Scene(object_celsius=34.5, fault="stuck"))
    bench.read()
    bench.clock.sleep(3600)
    assert isinstance(bench.read(), Measurement)


def test_a_live_sensor_in_an_empty_room_is_never_stuck(bench: Bench) -> None:
    bench.show(Scene())
    for _ in range(500):
        assert isinstance(bench.read(), Measurement)
        bench.clock.sleep(1)


@pytest.mark.parametrize("name", BENCHES)
def test_with_closes__neither_thread_nor_file_is_left(name: str) -> None:
    fds, threads = open_fds(), threading.active_count()
    with BENCHES[name]().sensor as sensor:
        assert sensor.name == name
        sensor.read()
    assert (open_fds(), threading.active_count()) == (fds, threads)


@pytest.mark.parametrize("name", BENCHES)
def test_the_selftest_waits_for_the_warm_up(name: str) -> None:
    with closing(BENCHES[name]()) as opened:
        tested = opened.sensor.selftest()
    assert (tested.device, tested.ok) == (name, True)
    assert tested.detail.startswith("object 34.")


@pytest.mark.parametrize("trouble", ["silent", "half_frame", "hang_up", "bad_sum", "absurd", "brown_out"])
def test_the_selftest_fails_with_any_trouble(bench: Bench, trouble: Trouble) -> None:
    bench.show(Scene(object_celsius=34.5, fault=trouble))
    bench.sensor.answer_seconds = HASTY
    tested = bench.sensor.selftest()
    assert not tested.ok
    assert tested.detail


class Wire:
    """A bus and a line in one: answers every question with the same bytes."""

    path = "/dev/wire"
    wire = b""

    def i2c_rdwr(self, *messages: Any) -> None:
        for index in range(messages[-1].len):
            messages[-1].buf[index] = self.wire[index : index + 1] or b"\xff"

    def exchange(self, question: bytes, enough: Callable[[bytes], bool], seconds: float) -> bytes:
        """As a port gives it: one byte after the other, until it is enough."""
        heard = b""
        for byte in self.wire:
            if enough(heard):
                break
            heard += bytes([byte])
        return heard

    def close(self) -> None: ...


WIRED: dict[str, Callable[[Wire, Clock], Any]] = {
    "mlx90614": lambda wire, clock: Mlx90614(wire, monotonic_ns=clock, sleep=clock.sleep),
    "mlx90615": lambda wire, clock: Mlx90615(wire, monotonic_ns=clock, sleep=clock.sleep),
    "gy-mcu90614": lambda wire, clock: GyMcu90614(wire, monotonic_ns=clock, sleep=clock.sleep),
    "gy-614v": lambda wire, clock: Gy614V(wire, monotonic_ns=clock, sleep=clock.sleep),
}


def warm(name: str, frame: bytes) -> tuple[Wire, Any]:
    """A driver of serial modules past its warm-up, on a wire that has answered with a good frame so far."""
    wire, clock = Wire(), Clock()
    wire.wire = frame
    sensor = WIRED[name](wire, clock)
    sensor.read()
    clock.sleep(2)
    return wire, sensor


HEALTHY = {
    "gy-mcu90614": signed(gy_mcu90614.HEAD + bytes.fromhex("0d7a 0898")),
    "gy-614v": signed(gy_614v.HEAD + bytes.fromhex("62 0d7a 0898 0e42")),
}
"""34.50 °C seen in air of 22.00 °C: a normal reading."""


PIECES = [*HEALTHY.values(), *(frame[:at] for frame in HEALTHY.values() for at in (1, 2, 4, 7)), bytes(9), b"\xff" * 9]


@pytest.mark.parametrize("name", WIRED)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=16)).map(b"".join))
def test_any_bytes_are_a_measurement_or_a_fault(name: str, bytes_on_the_wire: bytes) -> None:
    wire, sensor = warm(name, bytes_on_the_wire)
    outcome = sensor.read()
    assert isinstance(outcome, Measurement | Fault)
    assert sensor.selftest().ok == isinstance(outcome, Measurement)
    wire.wire = b""
    assert isinstance(sensor.read(), Fault)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_frame_is_normal(name: str) -> None:
    _, sensor = warm(name, HEALTHY[name])
    assert judge(sensor.read(), RULE).band is Band.NORMAL


@pytest.mark.parametrize("name", HEALTHY)
@given(data=st.data(), before=st.binary(max_size=8))
def test_a_corrupted_frame_is_never_normal(name: str, data: st.DataObject, before: bytes) -> None:
    """Bytes changed, lost or added, with a sum that no longer fits; what an 8-bit sum can't tell is left out."""
    frame = HEALTHY[name]
    mask = data.draw(st.binary(min_size=len(frame), max_size=len(frame)))
    keep = data.draw(st.integers(0, len(frame)))
    spoilt = bytes(a ^ b for a, b in zip(frame, mask, strict=True))[:keep]
    head = frame[:4]
    assume(not (len(spoilt) == len(frame) and spoilt.startswith(head) and sum8(spoilt[:-1]) == spoilt[-1]))
    wire, sensor = warm(name, frame)
    wire.wire = before + spoilt
    outcome = sensor.read()
    assert isinstance(outcome, Fault)
    assert judge(outcome, RULE).band is Band.UNKNOWN


@pytest.mark.parametrize("name", HEALTHY)
@given(at=st.integers(0, 11), bit=st.integers(0, 7))
def test_no_single_bit_passes_for_a_reading(name: str, at: int, bit: int) -> None:
    frame = bytearray(HEALTHY[name])
    frame[at % len(frame)] ^= 1 << bit
    wire, sensor = warm(name, HEALTHY[name])
    wire.wire = bytes(frame)
    assert isinstance(sensor.read(), Fault)


@pytest.mark.parametrize("driver", [Mlx90614, Mlx90615])
@given(mask=st.binary(min_size=3, max_size=3).filter(any))
def test_a_corrupted_word_is_never_normal(driver: type[MelexisThermometer], mask: bytes) -> None:
    clock, model = Clock(), MelexisModel(driver.chip)
    model.show(FOREHEAD)
    sensor = driver(EmulatedI2CBus(model=model), monotonic_ns=clock)
    clock.sleep(1)
    right = model.read_register(driver.chip.ram_object)
    spoilt = bytes(a ^ b for a, b in zip(right, mask, strict=True))
    address = driver.chip.address
    assume(crc8(bytes([address << 1, driver.chip.ram_object, address << 1 | 1]) + spoilt[:2]) != spoilt[2])
    sound = model.read_register
    model.read_register = lambda command: spoilt if command == driver.chip.ram_object else sound(command)  # type: ignore[method-assign]
    outcome = sensor.read()
    assert kind_of(outcome) == FaultKind.BAD_CHECKSUM
    assert judge(outcome, RULE).band is Band.UNKNOWN


@pytest.mark.parametrize("driver", [Mlx90614, Mlx90615])
@given(word=st.integers(0, 0xFFFF))
def test_any_word_with_a_right_pec_is_a_measurement_or_a_fault(driver: type[MelexisThermometer], word: int) -> None:
    clock, model = Clock(), MelexisModel(driver.chip)
    sensor = driver(EmulatedI2CBus(model=model), monotonic_ns=clock)
    clock.sleep(1)
    address = driver.chip.address
    payload = bytes([word & 0xFF, word >> 8])
    model.read_register = lambda command: (  # type: ignore[method-assign]
        payload + bytes([crc8(bytes([address << 1, command, address << 1 | 1]) + payload)])
    )
    outcome = sensor.read()
    assert isinstance(outcome, Measurement) == (word in driver.chip.ambient_words)


@pytest.mark.parametrize(
    "wire, kind, words",
    [
        ("", FaultKind.NO_ANSWER, "TX and RX"),
        ("00 00 00", FaultKind.NO_ANSWER, "nothing but 00"),
        ("ff ff", FaultKind.NO_ANSWER, "nothing but ff"),
        ("5a 5a", FaultKind.NO_ANSWER, "broke off"),
        ("5a 5a 45 04 0c 78", FaultKind.NO_ANSWER, "broke off"),
        ("12 5a 45 04 0c 78 0d 19 a7", FaultKind.BAD_CHECKSUM, "baud rate"),
        ("5a 5a 45 04 0c 78 0d 19 a8", FaultKind.BAD_CHECKSUM, "wrong sum"),
        ("5a 5a 45 04 00 00 00 00 fd", FaultKind.NO_ANSWER, "00 00 00 00"),
        ("5a 5a 45 04 ff ff ff ff f9", FaultKind.NO_ANSWER, "ff ff ff ff"),
        ("5a 5a 45 04 7f ff 0d 19 a1", None, ""),
        ("5a 5a 45 04 0c 78 7f ff ff", FaultKind.OUT_OF_RANGE, "ambient 327.67"),
        ("5a 5a 45 04 80 00 0d 19 a3", FaultKind.OUT_OF_RANGE, "object -327.68"),
        ("5a 5a 5a 5a 45 04 0c 78 0d 19 a7 14", None, ""),
    ],
)
def test_what_is_wrong_on_a_line_is_said_in_words(wire: str, kind: FaultKind | None, words: str) -> None:
    line, sensor = warm("gy-mcu90614", HEALTHY["gy-mcu90614"])
    line.wire = bytes.fromhex(wire)
    outcome = sensor.read()
    assert kind_of(outcome) == kind
    assert words in getattr(outcome, "detail", "")


def test_gy_mcu90614__the_frame_of_the_makers_sheet() -> None:
    _, sensor = warm("gy-mcu90614", bytes.fromhex("5a 5a 45 04 0c 78 0d 19 a7"))
    seen = sensor.read()
    assert (seen.object_celsius, seen.ambient_celsius) == (31.92, 33.53)
    assert GyMcu90614.question == bytes.fromhex("a5 15 ba")


def test_gy_614v__the_sums_of_the_makers_sheet() -> None:
    assert signed(bytes.fromhex("a4 06 03 01")) == bytes.fromhex("a4 06 03 01 ae")
    assert signed(bytes.fromhex("a4 06 01 06")) == bytes.fromhex("a4 06 01 06 b1")
    assert Gy614V.question == bytes.fromhex("a4 03 07 07 b5")


def test_mlx90615__the_pec_and_the_emissivity_of_its_datasheet() -> None:
    assert crc8(bytes.fromhex("b6 c6")) == 0x6D
    assert mlx90615.CHIP.word_of_emissivity(1.0) == 0x4000
    assert mlx90615.CHIP.word_of_emissivity(0.98) == 16056


@pytest.mark.parametrize("driver", [Mlx90614, Mlx90615])
def test_another_sensor_plugged_in_has_its_emissivity_checked(driver: type[MelexisThermometer]) -> None:
    bench = on_bus(driver)
    assert isinstance(bench, BusBench)
    bench.ready()
    bench.show(Scene(connected=False))
    bench.read()
    bench.show(FOREHEAD)
    bench.model.emissivity_word = driver.chip.emissivity_one
    bench.ready()
    outcome = bench.read()
    assert outcome == Fault(FaultKind.BAD_SETTING, "emissivity is set to 1.000, configuration says 0.980", bench.clock.now_ns)


@pytest.mark.parametrize("driver", [Mlx90614, Mlx90615])
def test_setting_the_emissivity__of_a_sensor_as_it_leaves_the_factory(driver: type[MelexisThermometer]) -> None:
    bench = on_bus(driver)
    assert isinstance(bench, BusBench)
    bench.model.emissivity_word = driver.chip.emissivity_one
    assert not bench.sensor.selftest().ok
    assert bench.sensor.set_emissivity().ok
    assert bench.model.emissivity_word == driver.chip.word_of_emissivity(0.98)


def test_setting_the_emissivity__of_a_gy_614v_outlives_its_power() -> None:
    model = Gy614VModel(continuous=False, emissivity=95, saved_emissivity=95)
    with closing(on_line(Gy614V, model)) as bench:
        bench.ready()
        outcome = bench.read()
        assert isinstance(outcome, Fault)
        assert (outcome.kind, outcome.detail) == (
            FaultKind.BAD_SETTING,
            "emissivity is set to 0.95, configuration says 0.98",
        )
        assert bench.sensor.set_emissivity().ok
        model.power_up()
        assert bench.sensor.selftest().ok


def test_setting_the_emissivity__of_a_gy_mcu90614_says_that_it_cant() -> None:
    with closing(BENCHES["gy-mcu90614"]()) as bench:
        said = bench.sensor.set_emissivity()
    assert not said.ok
    assert "can't be set" in said.detail


@pytest.mark.parametrize("of", ["mlx90614", "mlx90615", "gy-614v"], indirect=True)
def test_setting_the_emissivity__of_an_absent_sensor_says_so(of: Bench) -> None:
    of.show(Scene(fault="hang_up"))
    said = of.sensor.set_emissivity()
    assert not said.ok
    assert said.detail.startswith("no answer")


@pytest.mark.parametrize("emissivity", [0.0, 0.09, 1.01, 98.0, float("nan")])
@pytest.mark.parametrize("make", [lambda e: Mlx90614(Wire(), emissivity=e), lambda e: Gy614V(Wire(), emissivity=e)])
def test_an_impossible_emissivity_is_refused(make: Callable[[float], object], emissivity: float) -> None:
    with pytest.raises(ValueError, match=r"0\.1 to 1\.0"):
        make(emissivity)


@pytest.mark.parametrize("chip", [mlx90614.CHIP, mlx90615.CHIP])
def test_a_chip_does_not_answer_at_the_others_address(chip: Chip) -> None:
    other = Mlx90615 if chip is mlx90614.CHIP else Mlx90614
    sensor = other(EmulatedI2CBus(model=MelexisModel(chip)))
    assert kind_of(sensor.read()) == FaultKind.NO_ANSWER


@pytest.mark.parametrize("spec", ["987", "/dev/i2c-987", "/dev/null"])
def test_a_bus_that_is_not_there_is_no_answer(spec: str) -> None:
    with Mlx90615(open_bus(spec)) as sensor:
        assert kind_of(sensor.read()) == FaultKind.NO_ANSWER


@pytest.mark.parametrize("path", ["/dev/ttyS987", "/dev/null"])
def test_a_port_that_is_not_there_is_no_answer(path: str) -> None:
    with GyMcu90614(SerialLine(path)) as sensor:
        outcome = sensor.read()
    assert kind_of(outcome) == FaultKind.NO_ANSWER
    assert path in getattr(outcome, "detail", "")


def configured(folder: Path, thermometer: str) -> Path:
    path = folder / "kiosk.toml"
    (folder / "world").mkdir(exist_ok=True)
    path.write_text(
        f'clock = "trusted"\n{STATION}[camera]\nsource = "emulated:world"\n[thermometer]\n{thermometer}\n', encoding="utf-8"
    )
    return path


def opened(folder: Path, thermometer: str) -> Thermometer | None:
    return open_thermometer(load(configured(folder, thermometer)))


@pytest.mark.parametrize("name, where", [*((name, "bus") for name in BUS), *((name, "port") for name in LINE)])
def test_open_thermometer__by_the_drivers_name_on_an_emulated_wire(tmp_path: Path, name: str, where: str) -> None:
    thermometer = opened(tmp_path, f'driver = "{name}"\n{where} = "emulated:world"')
    assert thermometer is not None
    with thermometer:
        assert thermometer.name == name
        assert kind_of(thermometer.read()) == FaultKind.WARMING_UP


def test_open_thermometer__none_is_none(tmp_path: Path) -> None:
    assert opened(tmp_path, 'driver = "none"') is None


@pytest.mark.parametrize(
    "thermometer, key",
    [('bus = "usb"', "thermometer.bus"), ('driver = "gy-614v"\nport = "COM3"', "thermometer.port")],
)
def test_open_thermometer__a_wire_of_no_known_form_is_named(tmp_path: Path, thermometer: str, key: str) -> None:
    with pytest.raises(BadSettings, match=key):
        opened(tmp_path, thermometer)


def test_open_bus_and_line__by_number_or_path() -> None:
    assert isinstance(open_bus("1"), LinuxBus)
    assert isinstance(open_bus("/dev/i2c-1"), LinuxBus)
    assert isinstance(open_line("/dev/serial0", GyMcu90614Model), SerialLine)


@pytest.mark.parametrize(
    "name, where, ok, words",
    [
        ("mlx90615", "bus", True, "object 2"),
        ("gy-614v", "port", True, "object 2"),
        ("gy-mcu90614", "port", False, "can't be set"),
    ],
)
def test_selftest_command__sets_the_emissivity_of_those_that_can(
    tmp_path: Path, name: str, where: str, ok: bool, words: str
) -> None:
    path = configured(tmp_path, f'driver = "{name}"\n{where} = "emulated:world"')
    done = CliRunner().invoke(main, ["selftest", "--set-emissivity", "--config", str(path)])
    row = next(line for line in done.stdout.splitlines() if name in line)
    assert row.startswith("ok" if ok else "FAIL")
    assert words in row
