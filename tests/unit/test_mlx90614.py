"""The MLX90614 driver against its emulator at the wire: what it measures, and every way it says that it can't."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smbus2 import i2c_msg

from kiosk.devices import open_bus
from kiosk.drivers.base import Fault, FaultKind, Measurement
from kiosk.drivers.emulated.i2c import EmulatedI2CBus, Mlx90614Model, Trouble
from kiosk.drivers.i2c import LinuxBus, crc8
from kiosk.drivers.mlx90614 import Mlx90614, celsius_of, word_of_emissivity

JITTER = 0.061


class Clock:
    """A monotonic clock that moves when told, or when somebody sleeps."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


class WireBus:
    """Answers every read with the same bytes and every write with silence, or raises."""

    def __init__(self, reply: bytes = b"", error: OSError | None = None) -> None:
        self.reply = reply
        self.error = error
        self.seen: list[list[tuple[int, int, int]]] = []

    def i2c_rdwr(self, *messages: i2c_msg) -> None:
        self.seen.append([(message.addr, message.flags, len(message)) for message in messages])
        if self.error is not None:
            raise self.error
        for index, byte in enumerate(self.reply):
            messages[-1].buf[index] = bytes([byte])

    def close(self) -> None: ...


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def model() -> Mlx90614Model:
    return Mlx90614Model(object_celsius=34.5, ambient_celsius=22.0)


@pytest.fixture
def sensor(model: Mlx90614Model, clock: Clock) -> Mlx90614:
    """A sensor past its warm-up."""
    opened = Mlx90614(EmulatedI2CBus(model=model), monotonic_ns=clock, sleep=clock.sleep)
    clock.sleep(0.25)
    return opened


def kind_of(outcome: Measurement | Fault) -> FaultKind | None:
    return outcome.kind if isinstance(outcome, Fault) else None


@pytest.mark.parametrize(
    "message, pec", [("B4 07 B5 D2 3A", 0x30), ("00 2E 5A 00", 0xE1), ("", 0x00), ("31 32 33 34 35 36 37 38 39", 0xF4)]
)
def test_pec_vectors(message: str, pec: int) -> None:
    assert crc8(bytes.fromhex(message)) == pec


@pytest.mark.parametrize("word, celsius", [(0x3AD2, 28.01), (0x27AD, -70.01), (0x7FFF, 382.19), (0x0000, -273.15)])
def test_words_are_fiftieths_of_a_kelvin(word: int, celsius: float) -> None:
    assert celsius_of(word) == celsius


@pytest.mark.parametrize("emissivity, word", [(1.0, 0xFFFF), (0.98, 64224), (0.1, 6554)])
def test_emissivity_words(emissivity: float, word: int) -> None:
    assert word_of_emissivity(emissivity) == word


@pytest.mark.parametrize("emissivity", [0.0, 0.09, 1.01, 98.0, float("nan")])
def test_an_impossible_emissivity_is_refused(emissivity: float) -> None:
    with pytest.raises(ValueError, match=r"0\.1 to 1\.0"):
        word_of_emissivity(emissivity)


def test_measures_object_and_ambient(sensor: Mlx90614, clock: Clock) -> None:
    seen = sensor.read()
    assert isinstance(seen, Measurement)
    assert seen.object_celsius == pytest.approx(34.5, abs=JITTER)
    assert seen.ambient_celsius == pytest.approx(22.0, abs=JITTER)
    assert seen.mono_ns == clock.now_ns


def test_a_read_is_one_transaction_with_a_repeated_start() -> None:
    bus = WireBus(b"\x00\x00\x00")
    Mlx90614(bus)
    assert bus.seen == [[(0x5A, 0, 1), (0x5A, 1, 3)]]


@pytest.mark.parametrize(
    "trouble, kind",
    [
        (None, None),
        ("noise", None),
        ("nack", FaultKind.NO_ANSWER),
        ("bad_pec", FaultKind.BAD_CHECKSUM),
        ("error_bit", FaultKind.ERROR_BIT),
        ("absurd", FaultKind.OUT_OF_RANGE),
    ],
)
def test_each_trouble_is_a_fault_of_its_kind(
    sensor: Mlx90614, model: Mlx90614Model, clock: Clock, trouble: Trouble | None, kind: FaultKind | None
) -> None:
    model.fault = trouble
    outcome = sensor.read()
    assert kind_of(outcome) == kind
    assert outcome.mono_ns == clock.now_ns


@pytest.mark.parametrize(
    "object_celsius, ambient_celsius, kind",
    [
        (-69.0, 22.0, None),
        (-72.0, 22.0, FaultKind.OUT_OF_RANGE),
        (380.0, 22.0, None),
        (34.0, -39.0, None),
        (34.0, -41.0, FaultKind.OUT_OF_RANGE),
        (34.0, 124.0, None),
        (34.0, 126.0, FaultKind.OUT_OF_RANGE),
    ],
)
def test_the_datasheets_ranges(
    sensor: Mlx90614, model: Mlx90614Model, object_celsius: float, ambient_celsius: float, kind: FaultKind | None
) -> None:
    model.object_celsius, model.ambient_celsius = object_celsius, ambient_celsius
    assert kind_of(sensor.read()) == kind


@pytest.mark.parametrize(
    "error", [OSError(errno.EREMOTEIO, "Remote I/O error"), TimeoutError(errno.ETIMEDOUT, "timed out"), OSError()]
)
def test_what_the_bus_raises_is_no_answer(error: OSError) -> None:
    outcome = Mlx90614(WireBus(error=error)).read()
    assert kind_of(outcome) == FaultKind.NO_ANSWER


@given(wire=st.binary(min_size=3, max_size=3))
def test_any_three_bytes_are_a_measurement_or_a_fault(wire: bytes) -> None:
    model, clock = Mlx90614Model(), Clock()
    sensor = Mlx90614(EmulatedI2CBus(model=model), monotonic_ns=clock, sleep=clock.sleep)
    clock.sleep(0.25)
    model.read_register = lambda command: wire  # type: ignore[method-assign]
    assert isinstance(sensor.read(), Measurement | Fault)
    assert not sensor.selftest().ok


@given(word=st.integers(0, 0xFFFF))
def test_any_word_with_a_right_pec_is_a_measurement_or_a_fault(word: int) -> None:
    model, clock = Mlx90614Model(), Clock()
    sensor = Mlx90614(EmulatedI2CBus(model=model), monotonic_ns=clock)
    clock.sleep(0.25)
    payload = bytes([word & 0xFF, word >> 8])
    model.read_register = lambda command: payload + bytes([crc8(bytes([0xB4, command, 0xB5]) + payload)])  # type: ignore[method-assign]
    outcome = sensor.read()
    assert isinstance(outcome, Measurement) == (0x2D8A <= word <= 0x4DC3)


def test_warms_up_for_250_ms_after_opening(model: Mlx90614Model, clock: Clock) -> None:
    sensor = Mlx90614(EmulatedI2CBus(model=model), monotonic_ns=clock)
    clock.sleep(0.249)
    assert kind_of(sensor.read()) == FaultKind.WARMING_UP
    clock.sleep(0.001)
    assert isinstance(sensor.read(), Measurement)


def test_a_sensor_plugged_in_again_warms_up_again(sensor: Mlx90614, model: Mlx90614Model, clock: Clock) -> None:
    model.connected = False
    assert kind_of(sensor.read()) == FaultKind.NO_ANSWER
    clock.sleep(60)
    assert kind_of(sensor.read()) == FaultKind.NO_ANSWER
    model.connected = True
    assert kind_of(sensor.read()) == FaultKind.WARMING_UP
    clock.sleep(0.25)
    assert isinstance(sensor.read(), Measurement)


def test_another_sensor_plugged_in_has_its_emissivity_checked(sensor: Mlx90614, model: Mlx90614Model, clock: Clock) -> None:
    model.connected = False
    sensor.read()
    model.connected, model.emissivity_word = True, 0xFFFF
    sensor.read()
    clock.sleep(0.25)
    outcome = sensor.read()
    assert outcome == Fault(FaultKind.BAD_SETTING, "emissivity is set to 1.000, configuration says 0.980", clock.now_ns)


@pytest.mark.parametrize("word, kind", [(64223, None), (64224, None), (64225, None), (0xFFFF, FaultKind.BAD_SETTING)])
def test_emissivity_is_checked_at_opening(model: Mlx90614Model, clock: Clock, word: int, kind: FaultKind | None) -> None:
    model.emissivity_word = word
    sensor = Mlx90614(EmulatedI2CBus(model=model), monotonic_ns=clock)
    clock.sleep(0.25)
    assert kind_of(sensor.read()) == kind


def test_the_selftest_finds_a_changed_emissivity_and_setting_it_repairs_it(sensor: Mlx90614, model: Mlx90614Model) -> None:
    assert sensor.selftest().ok
    model.emissivity_word = 0
    found = sensor.selftest()
    assert not found.ok
    assert "emissivity" in found.detail
    assert sensor.set_emissivity().ok
    assert model.emissivity_word == word_of_emissivity(0.98)
    assert isinstance(sensor.read(), Measurement)


def test_setting_the_emissivity_erases_first_and_gives_the_eeprom_its_time(model: Mlx90614Model, clock: Clock) -> None:
    slept: list[float] = []
    written: list[bytes] = []
    take: Callable[[int, bytes], None] = model.write_register

    def record(command: int, payload: bytes) -> None:
        written.append(payload)
        take(command, payload)

    model.write_register = record  # type: ignore[method-assign]
    sensor = Mlx90614(EmulatedI2CBus(model=model), emissivity=1.0, monotonic_ns=clock, sleep=slept.append)
    sensor.set_emissivity()
    assert [payload[:2] for payload in written] == [b"\x00\x00", b"\xff\xff"]
    assert min(slept[:2]) >= 0.005


def test_setting_the_emissivity_of_an_absent_sensor_says_so(sensor: Mlx90614, model: Mlx90614Model) -> None:
    model.connected = False
    outcome = sensor.set_emissivity()
    assert not outcome.ok
    assert outcome.detail == "no answer at address 0x5A: Remote I/O error"


def test_the_selftest_waits_for_the_warm_up(model: Mlx90614Model, clock: Clock) -> None:
    sensor = Mlx90614(EmulatedI2CBus(model=model), monotonic_ns=clock, sleep=clock.sleep)
    assert sensor.selftest().ok


@pytest.mark.parametrize("trouble", ["nack", "bad_pec", "error_bit", "absurd"])
def test_the_selftest_fails_with_any_trouble(sensor: Mlx90614, model: Mlx90614Model, trouble: Trouble) -> None:
    model.fault = trouble
    assert not sensor.selftest().ok


def test_the_same_words_for_longer_than_30_s_are_stuck(sensor: Mlx90614, model: Mlx90614Model, clock: Clock) -> None:
    model.fault = "stuck"
    kinds = []
    for _ in range(32):
        kinds.append(kind_of(sensor.read()))
        clock.sleep(1)
    assert kinds == [None] * 31 + [FaultKind.STUCK]
    model.fault = None
    assert isinstance(sensor.read(), Measurement)


def test_two_rare_reads_that_agree_are_not_stuck(sensor: Mlx90614, model: Mlx90614Model, clock: Clock) -> None:
    model.fault = "stuck"
    sensor.read()
    clock.sleep(3600)
    assert isinstance(sensor.read(), Measurement)


def test_a_live_sensor_in_an_empty_room_is_never_stuck(clock: Clock) -> None:
    sensor = Mlx90614(EmulatedI2CBus(), monotonic_ns=clock)
    clock.sleep(0.25)
    for _ in range(1000):
        assert isinstance(sensor.read(), Measurement)
        clock.sleep(1)


def test_with_closes_the_bus() -> None:
    closed = []
    bus = EmulatedI2CBus()
    bus.close = lambda: closed.append(True)  # type: ignore[method-assign]
    with Mlx90614(bus) as sensor:
        assert sensor.name == "mlx90614"
    assert closed == [True]


def test_open_bus_by_number_path_or_emulator(tmp_path: Path) -> None:
    assert isinstance(open_bus(f"emulated:{tmp_path}"), EmulatedI2CBus)
    assert isinstance(open_bus("1"), LinuxBus)
    assert isinstance(open_bus("/dev/i2c-1"), LinuxBus)
    with pytest.raises(ValueError, match=r'"usb".*a number, a path'):
        open_bus("usb")


@pytest.mark.parametrize("spec", ["987", "/dev/i2c-987", "/dev/null"])
def test_a_bus_that_is_not_there_is_no_answer(spec: str) -> None:
    with Mlx90614(open_bus(spec)) as sensor:
        assert kind_of(sensor.read()) == FaultKind.NO_ANSWER
