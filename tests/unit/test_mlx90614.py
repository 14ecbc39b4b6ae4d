"""What is the MLX90614's own: its datasheet's vectors, words, ranges and EEPROM. What all owe is in test_thermometers.py."""

import errno
from collections.abc import Callable

import pytest
from smbus2 import i2c_msg

from kiosk.drivers.base import Fault, FaultKind, Measurement
from kiosk.drivers.emulated.i2c import EmulatedI2CBus, MelexisModel
from kiosk.drivers.i2c import crc8
from kiosk.drivers.melexis import celsius_of
from kiosk.drivers.mlx90614 import CHIP, Mlx90614


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
def model() -> MelexisModel:
    return MelexisModel(object_celsius=34.5, ambient_celsius=22.0)


@pytest.fixture
def sensor(model: MelexisModel, clock: Clock) -> Mlx90614:
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
    assert CHIP.word_of_emissivity(emissivity) == word


def test_a_read_is_one_transaction_with_a_repeated_start() -> None:
    bus = WireBus(b"\x00\x00\x00")
    Mlx90614(bus)
    assert bus.seen == [[(0x5A, 0, 1), (0x5A, 1, 3)]]


def test_another_address_is_asked_when_configured() -> None:
    bus = WireBus(b"\x00\x00\x00")
    Mlx90614(bus, address=0x2A)
    assert bus.seen == [[(0x2A, 0, 1), (0x2A, 1, 3)]]


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
    sensor: Mlx90614, model: MelexisModel, object_celsius: float, ambient_celsius: float, kind: FaultKind | None
) -> None:
    model.object_celsius, model.ambient_celsius = object_celsius, ambient_celsius
    assert kind_of(sensor.read()) == kind


@pytest.mark.parametrize(
    "error", [OSError(errno.EREMOTEIO, "Remote I/O error"), TimeoutError(errno.ETIMEDOUT, "timed out"), OSError()]
)
def test_what_the_bus_raises_is_no_answer(error: OSError) -> None:
    outcome = Mlx90614(WireBus(error=error)).read()
    assert kind_of(outcome) == FaultKind.NO_ANSWER


def test_warms_up_for_250_ms_after_opening(model: MelexisModel, clock: Clock) -> None:
    sensor = Mlx90614(EmulatedI2CBus(model=model), monotonic_ns=clock)
    clock.sleep(0.249)
    assert kind_of(sensor.read()) == FaultKind.WARMING_UP
    clock.sleep(0.001)
    assert isinstance(sensor.read(), Measurement)


@pytest.mark.parametrize("word, kind", [(64223, None), (64224, None), (64225, None), (0xFFFF, FaultKind.BAD_SETTING)])
def test_emissivity_is_checked_at_opening(model: MelexisModel, clock: Clock, word: int, kind: FaultKind | None) -> None:
    model.emissivity_word = word
    sensor = Mlx90614(EmulatedI2CBus(model=model), monotonic_ns=clock)
    clock.sleep(0.25)
    assert kind_of(sensor.read()) == kind


def test_the_selftest_finds_a_changed_emissivity_and_setting_it_repairs_it(sensor: Mlx90614, model: MelexisModel) -> None:
    assert sensor.selftest().ok
    model.emissivity_word = 0
    found = sensor.selftest()
    assert not found.ok
    assert "emissivity" in found.detail
    assert sensor.set_emissivity().ok
    assert model.emissivity_word == CHIP.word_of_emissivity(0.98)
    assert isinstance(sensor.read(), Measurement)


def test_setting_the_emissivity_erases_first_and_gives_the_eeprom_its_time(model: MelexisModel, clock: Clock) -> None:
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


def test_setting_the_emissivity_of_an_absent_sensor_says_where_it_was_looked_for(sensor: Mlx90614, model: MelexisModel) -> None:
    model.connected = False
    outcome = sensor.set_emissivity()
    assert not outcome.ok
    assert outcome.detail == "no answer at address 0x5A: Remote I/O error"
