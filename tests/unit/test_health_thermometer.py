"""The Bluetooth health thermometer: its bytes, its memory, its driver on a real message bus, and whose reading it is."""

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Band, Entry, EvidenceChange
from contract.five import Item
from kiosk.drivers.base import BodyMeasurement, BodySite, Fault, FaultKind
from kiosk.drivers.device_clock import APART_SECONDS, TOLERANCE_SECONDS, DeviceClock
from kiosk.drivers.emulated.bluez import EmulatedBlueZ
from kiosk.drivers.health_thermometer import ANY, DEVICE, HealthThermometer
from kiosk.drivers.temperature_measurement import Taken, decode
from kiosk.inputs import AddPerson, BodyMeasured, DeviceReport, Input, Retake, Tick, TypeTemperature
from tests.unit.gate_driver import FEVER, RESIDENTS, SETUP, Gate

ANN, BOB, EVE = RESIDENTS
SECOND = 1_000_000_000
PATIENCE = 30.0
NOON = datetime(2026, 3, 2, 12)


def frame(celsius: float, flags: int = 0, tail: bytes = b"") -> bytes:
    """A frame in tenths of a degree."""
    return bytes([flags]) + (round(celsius * 10) & 0xFFFFFF | 0xFF << 24).to_bytes(4, "little") + tail


def stamp(at: datetime) -> bytes:
    return at.year.to_bytes(2, "little") + bytes([at.month, at.day, at.hour, at.minute, at.second])


def taken(data: bytes, fixed_type: int | None = None) -> Taken:
    found = decode(data, 7, fixed_type)
    assert isinstance(found, Taken), found
    return found


def fault(data: bytes, fixed_type: int | None = None) -> Fault:
    found = decode(data, 7, fixed_type)
    assert isinstance(found, Fault), found
    assert found.detail
    return found


# What the bytes say


@pytest.mark.parametrize(
    "word, value",
    [
        (0x00000002, 2.0), (0xFF000014, 2.0), (0xFE0000C8, 2.0), (0x01000002, 20.0),  # HL7's table of FLOATs
        (0xFF00016C, 36.4), (0xFE000E38, 36.4), (0xFD008E30, 36.4), (0x00000025, 37.0),
        (0x00000000, 0.0), (0x00000064, 100.0), (0xF9700000, 0.73), (0x7F000000, 0.0), (0x80000001, 0.0),
    ],
)  # fmt: skip
def test_a_float_is_a_mantissa_and_an_exponent_to_ten(word: int, value: float) -> None:
    found = taken(b"\0" + word.to_bytes(4, "little"))
    assert found == Taken(BodyMeasurement(value, 7, BodySite.BODY), None)


@pytest.mark.parametrize("word", [0x02000002, 0x000000C8, 0x000004D2, 0x00FFFB2E, 0xFFFFFFFF, 0x7F7FFFFF, 0x017FFFFF, 0x01800000])
def test_what_no_thermometer_for_people_shows_is_out_of_range(word: int) -> None:
    assert fault(b"\0" + word.to_bytes(4, "little")).kind is FaultKind.OUT_OF_RANGE


@pytest.mark.parametrize(
    "word, kind, words",
    [
        (0x007FFFFF, FaultKind.ERROR_BIT, "failed"),
        (0x00800000, FaultKind.OUT_OF_RANGE, "outside its range"),
        (0x007FFFFE, FaultKind.OUT_OF_RANGE, "above its range"),
        (0x00800002, FaultKind.OUT_OF_RANGE, "below its range"),
        (0x00800001, FaultKind.ERROR_BIT, "reserves"),
    ],
)
@pytest.mark.parametrize("flags", [0, 1])
def test_special_values_are_faults_in_either_unit(word: int, kind: FaultKind, words: str, flags: int) -> None:
    found = fault(bytes([flags]) + word.to_bytes(4, "little"))
    assert found.kind is kind
    assert words in found.detail
    assert found.mono_ns == 7


@pytest.mark.parametrize(
    "fahrenheit, celsius", [(97.7, 36.5), (98.6, 37.0), (99.1, 37.28), (100.4, 38.0), (32.0, 0.0), (212.0, 100.0)]
)
def test_fahrenheit_is_converted(fahrenheit: float, celsius: float) -> None:
    assert taken(frame(fahrenheit, 1)).measurement.celsius == celsius


@given(st.integers(-(2**23) + 3, 2**23 - 3), st.integers(-128, 127))
def test_every_number_is_read_as_it_was_written(mantissa: int, exponent: int) -> None:
    data = b"\0" + (mantissa & 0xFFFFFF).to_bytes(3, "little") + bytes([exponent & 0xFF])
    value, found = Decimal(mantissa).scaleb(exponent), decode(data, 0)
    if 0 <= value <= 100:
        assert isinstance(found, Taken)
        assert abs(Decimal(found.measurement.celsius) - value) <= Decimal("0.00501")
    else:
        assert isinstance(found, Fault)


@given(st.binary(max_size=20), st.none() | st.integers(0, 255))
def test_no_bytes_raise(data: bytes, fixed_type: int | None) -> None:
    found = decode(data, 3, fixed_type)
    if isinstance(found, Taken):
        assert 0 <= found.measurement.celsius <= 100
    else:
        assert found.detail


@pytest.mark.parametrize(
    "number, site",
    [(1, "armpit"), (2, "body"), (3, "ear"), (5, "gut"), (6, "mouth"), (7, "rectum"), (9, "ear")],
)
def test_the_type_is_the_site(number: int, site: str) -> None:
    assert taken(frame(36.4, 4, bytes([number]))).measurement.site == site
    assert taken(frame(36.4), number).measurement.site == site
    assert taken(frame(36.4, 4, b"\x02"), number).measurement.site == "body", "a frame's own type outranks the fixed one"


@pytest.mark.parametrize("number", [0, 4, 8, 10, 255])
def test_a_limb_or_an_unknown_type_is_no_body(number: int) -> None:
    assert fault(frame(36.4, 4, bytes([number]))).kind is FaultKind.BAD_SETTING
    assert fault(frame(36.4), number).kind is FaultKind.BAD_SETTING


def test_all_fields_together() -> None:
    data = bytes.fromhex("07 d1 03 00 ff ea 07 03 02 07 28 05 09")
    assert taken(data) == Taken(BodyMeasurement(36.5, 7, BodySite.EAR), datetime(2026, 3, 2, 7, 40, 5))


@pytest.mark.parametrize("flags, tail", [(0, b""), (2, stamp(NOON)), (4, b"\x02"), (6, stamp(NOON) + b"\x02")])
def test_a_frame_of_any_other_length_than_its_flags_say_is_a_fault(flags: int, tail: bytes) -> None:
    whole = frame(36.4, flags, tail)
    assert taken(whole).measurement.celsius == 36.4
    for data in [whole[:cut] for cut in range(len(whole))] + [whole + b"\0", whole + bytes(7)]:
        assert fault(data).kind is FaultKind.BAD_CHECKSUM
    assert taken(bytes([whole[0] | 0x08]) + whole[1:] + b"later").measurement.celsius == 36.4, "fields of a later version"


@pytest.mark.parametrize(
    "octets, kind",
    [
        ("0000 0302072805", FaultKind.BAD_SETTING),  # no year, no month, no day
        ("ea07 0002072805", FaultKind.BAD_SETTING),
        ("ea07 0300072805", FaultKind.BAD_SETTING),
        ("ea07 021e072805", FaultKind.BAD_CHECKSUM),  # the 30th of February, 25 o'clock, the year 65535
        ("ea07 0302192805", FaultKind.BAD_CHECKSUM),
        ("ffff 0302072805", FaultKind.BAD_CHECKSUM),
    ],
)
def test_a_time_that_is_none_is_a_fault(octets: str, kind: FaultKind) -> None:
    assert fault(frame(36.4, 2, bytes.fromhex(octets))).kind is kind


# What it had stored


def test_the_first_stamp_only_tells_the_clock() -> None:
    clock = DeviceClock()
    assert not clock.is_new(NOON, 100 * SECOND)
    assert clock.is_new(NOON + timedelta(seconds=5), 105 * SECOND)
    assert clock.is_new(NOON + timedelta(seconds=14), 115 * SECOND)
    assert not clock.is_new(NOON + timedelta(seconds=14), 118 * SECOND), "the same once more"


def test_what_was_stored_is_old_and_what_comes_after_it_is_new() -> None:
    clock = DeviceClock()
    clock.is_new(NOON, 0)
    sent = [(600, 0.0), (700, 0.1), (3000, 0.2), (3599, 0.3)]
    assert [clock.is_new(NOON + timedelta(seconds=at), round((3600 + late) * SECOND)) for at, late in sent] == [False] * 3 + [
        True
    ]
    assert clock.is_new(NOON + timedelta(seconds=3610), 3611 * SECOND)


def test_a_clock_that_is_set_costs_one_reading() -> None:
    clock = DeviceClock()
    clock.is_new(NOON, 0)
    reset = datetime(2020, 1, 1)
    assert not clock.is_new(reset, 10 * SECOND)
    assert clock.is_new(reset + timedelta(seconds=8), 18 * SECOND)


@given(st.lists(st.floats(TOLERANCE_SECONDS + 2, 9e4), min_size=1, max_size=30), st.floats(9e4 + 60, 1e6), st.booleans())
def test_nothing_that_was_stored_is_ever_new(ages: list[float], at: float, known: bool) -> None:
    clock = DeviceClock()
    if known:
        clock.is_new(NOON, 0)
    for n, age in enumerate(sorted(ages, reverse=True)):
        received = at + n * 0.05
        assert not clock.is_new(NOON + timedelta(seconds=int(received - age)), round(received * SECOND))


@given(st.lists(st.tuples(st.floats(APART_SECONDS + 2, 5e4), st.floats(0, TOLERANCE_SECONDS - 2)), min_size=1, max_size=30))
def test_whoever_is_measured_now_is_new(measured: list[tuple[float, float]]) -> None:
    clock, now, received = DeviceClock(), 0.0, 0.0
    clock.is_new(NOON, 0)
    for pause, late in measured:
        now = received + pause
        received = now + late
        assert clock.is_new(NOON + timedelta(seconds=int(now)), round(received * SECOND))


# The driver, on a real message bus


class Posts:
    """Takes what is posted, and waits for what a test waits for."""

    def __init__(self) -> None:
        self.queue: queue.Queue[Input] = queue.Queue()

    def next(self) -> Any:
        return self.queue.get(timeout=PATIENCE)

    def until(self, wanted: Callable[[Any], bool]) -> Any:
        while not wanted(got := self.next()):
            pass
        return got

    def report(self, words: str) -> DeviceReport:
        """The next report that says this."""
        got = self.until(lambda got: isinstance(got, DeviceReport) and words in got.detail)
        assert got.device == DEVICE
        return got  # type: ignore[no-any-return]

    def figure(self) -> BodyMeasured:
        return self.until(lambda got: isinstance(got, BodyMeasured))  # type: ignore[no-any-return]


@contextmanager
def bluetooth(folder: Path, **options: Any) -> Iterator[EmulatedBlueZ]:
    with pytest.MonkeyPatch.context() as patch, EmulatedBlueZ(folder, **options) as bluez:
        patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bluez.bus_address)
        yield bluez


@contextmanager
def listening(
    bluez: EmulatedBlueZ, address: str | None = None, scan_seconds: float = PATIENCE, **options: Any
) -> Iterator[Posts]:
    posts = Posts()
    driver = HealthThermometer(
        bluez.address if address is None else address, posts.queue.put, scan_seconds=scan_seconds, pause_seconds=0.01, **options
    )
    driver.start()
    try:
        yield posts
    finally:
        driver.close()
        assert not driver._thread.is_alive()


@pytest.fixture
def bluez(tmp_path: Path) -> Iterator[EmulatedBlueZ]:
    with bluetooth(tmp_path) as made:
        yield made


@pytest.mark.parametrize("address", ["C4:BE:84:00:18:09", "c4:be:84:00:18:09", ANY])
def test_one_that_stays_connected_sends_each_figure_once(bluez: EmulatedBlueZ, address: str) -> None:
    bluez.wake()
    with listening(bluez, address, monotonic_ns=lambda: 77) as posts:
        assert posts.next() == DeviceReport(DEVICE, True, "connected to C4:BE:84:00:18:09")
        for celsius in (36.4, 36.4, 38.1):
            bluez.indicate(frame(celsius))
            assert posts.next() == BodyMeasured(BodyMeasurement(celsius, 77, BodySite.BODY), "health-thermometer")
    assert posts.queue.empty()


def test_one_that_sleeps_is_met_again_at_each_press(bluez: EmulatedBlueZ) -> None:
    with listening(bluez) as posts:
        for n, celsius in enumerate((36.4, 37.9, 36.4), start=1):
            bluez.press(frame(celsius))
            assert posts.figure().value.celsius == celsius
            assert posts.report("out of reach until its button is pressed").ok, "asleep is no fault"
            assert bluez.connections == n


def test_one_never_heard_of_is_told_once_and_is_no_longer_when_it_comes(bluez: EmulatedBlueZ) -> None:
    with listening(bluez, scan_seconds=0.2) as posts:
        assert posts.next() == DeviceReport(
            DEVICE, False, f"{bluez.address} is not heard of yet: switch it on and press its button"
        )
        bluez.wake()
        assert posts.next() == DeviceReport(DEVICE, True, f"connected to {bluez.address}")


def test_another_thermometer_is_not_listened_to(bluez: EmulatedBlueZ) -> None:
    bluez.wake()
    with listening(bluez, "00:00:00:00:00:01", scan_seconds=0.2) as posts:
        assert not posts.report("00:00:00:00:00:01 is not heard of yet").ok
    assert bluez.connections == 0


def test_a_connection_that_breaks_is_made_again(bluez: EmulatedBlueZ) -> None:
    bluez.wake()
    with listening(bluez) as posts:
        posts.report("connected")
        bluez.lose()
        assert posts.report("out of reach").ok
        bluez.wake()
        assert posts.report("connected").ok
        bluez.indicate(frame(36.6))
        assert posts.figure().value.celsius == 36.6


def test_one_that_a_killed_process_has_left_connected_is_taken_over(bluez: EmulatedBlueZ) -> None:
    bluez.hold()
    with listening(bluez) as posts:
        assert posts.report("connected").ok
        bluez.indicate(frame(36.6))
        assert posts.figure().value.celsius == 36.6
    assert bluez.connections == 1


def test_what_is_no_figure_is_told_until_the_next_that_is(bluez: EmulatedBlueZ) -> None:
    with listening(bluez) as posts:
        bluez.press(bytes.fromhex("00ffff7f00"))
        assert not posts.report("the measurement failed; measure again").ok
        bluez.press(frame(36.4)[:4])
        told = posts.next()
        assert told == DeviceReport(DEVICE, False, "4 bytes where 5 belong; measure again"), "nor is it well while it sleeps"
        bluez.press(frame(36.4))
        assert posts.report("connected").ok
        assert posts.figure().value.celsius == 36.4


def test_what_it_had_stored_is_nobodys(bluez: EmulatedBlueZ) -> None:
    now = [1000 * SECOND]

    def stamped(celsius: float, seconds: float) -> bytes:
        return frame(celsius, 2, stamp(NOON + timedelta(seconds=seconds)))

    with listening(bluez, monotonic_ns=lambda: now[0]) as posts:
        bluez.press(stamped(36.1, 0))
        assert not posts.report("or the first since the start: not used; measure again").ok
        now[0] += 600 * SECOND
        bluez.press(stamped(39.1, 100), stamped(39.2, 300), stamped(36.2, 599))
        assert posts.figure().value.celsius == 36.2
        now[0] += 60 * SECOND
        bluez.press(stamped(39.3, 610), stamped(36.3, 660))
        assert posts.figure().value.celsius == 36.3


def test_the_fixed_type_is_read_once_for_all(tmp_path: Path) -> None:
    with bluetooth(tmp_path, fixed_type=9) as bluez, listening(bluez) as posts:
        bluez.press(frame(36.4))
        assert posts.figure().value.site is BodySite.EAR


def test_one_that_measures_fingers_is_refused(tmp_path: Path) -> None:
    with bluetooth(tmp_path, fixed_type=4) as bluez, listening(bluez) as posts:
        bluez.press(frame(36.4))
        assert not posts.report("measures a finger").ok


@pytest.mark.parametrize(
    "options, words",
    [
        ({"lacks_measurement": True}, "C4:BE:84:00:18:09 is no health thermometer"),
        ({"refuses": ("org.bluez.Error.NotPermitted", "Not paired")}, "bluetoothctl pair C4:BE:84:00:18:09"),
        ({"refuses": ("org.bluez.Error.Failed", "Operation failed with ATT error: 0x05")}, "bluetoothctl pair C4:BE:84:00:18:09"),
        ({"refuses": ("org.bluez.Error.Failed", "Operation failed with ATT error: 0x0f")}, "bluetoothctl pair C4:BE:84:00:18:09"),
        ({"refuses": ("org.bluez.Error.Failed", "Operation failed with ATT error: 0x11")}, "Bluetooth fails: "),
        ({"refuses": ("org.bluez.Error.Failed", "Not connected")}, "Bluetooth fails: [org.bluez.Error.Failed] Not connected"),
    ],
)
def test_what_is_wrong_is_told_in_words(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with bluetooth(tmp_path, **options) as bluez:
        bluez.wake()
        with listening(bluez, ANY) as posts:
            assert not posts.report(words).ok
        tested = HealthThermometer(ANY, lambda _: None, scan_seconds=PATIENCE).selftest()
        assert (tested.ok, words in tested.detail) == (False, True)


@pytest.mark.parametrize(
    "harm, words",
    [
        (EmulatedBlueZ.switch_off, "rfkill unblock bluetooth"),
        (EmulatedBlueZ.remove_adapter, "has no Bluetooth adapter"),
        (EmulatedBlueZ.quit, "bluetoothd does not run"),
        (EmulatedBlueZ.kill, "no system bus"),
    ],
)
def test_a_machine_without_bluetooth_is_told_in_words(
    bluez: EmulatedBlueZ, harm: Callable[[EmulatedBlueZ], None], words: str
) -> None:
    harm(bluez)
    with listening(bluez) as posts:
        told = posts.next()
        assert (told.ok, words in told.detail) == (False, True), told
    assert posts.queue.empty(), "told once, however often it was tried"


@pytest.mark.parametrize("harm", [EmulatedBlueZ.switch_off, EmulatedBlueZ.kill])
def test_bluetooth_that_fails_while_it_listens_is_told(bluez: EmulatedBlueZ, harm: Callable[[EmulatedBlueZ], None]) -> None:
    bluez.wake()
    with listening(bluez) as posts:
        posts.report("connected")
        harm(bluez)
        posts.until(lambda got: isinstance(got, DeviceReport) and not got.ok)


def test_the_self_test_names_what_it_found(bluez: EmulatedBlueZ) -> None:
    bluez.wake()
    tested = HealthThermometer(ANY, lambda _: None, scan_seconds=PATIENCE).selftest()
    assert (tested.device, tested.ok, tested.detail) == (DEVICE, True, f"Thermometer at {bluez.address}")


def test_the_self_test_asks_for_a_press(bluez: EmulatedBlueZ) -> None:
    tested = HealthThermometer(ANY, lambda _: None, scan_seconds=0.01).selftest()
    assert (tested.ok, tested.detail) == (False, "no thermometer heard of yet: switch it on and press its button")


def test_closed_before_it_was_started() -> None:
    HealthThermometer(ANY, lambda _: None).close()


# Whose reading it is


def pressed(gate: Gate, celsius: float, at_ns: int | None = None, site: BodySite = BodySite.BODY) -> Any:
    at = gate.now.mono_ns if at_ns is None else at_ns
    return gate.give(BodyMeasured(BodyMeasurement(celsius, at, site), "health-thermometer"))


@pytest.fixture
def by_hand() -> Gate:
    """A gate without a connected IR thermometer, and nobody on shift."""
    return Gate(replace(SETUP, thermometer=None))


@pytest.fixture
def by_skin() -> Gate:
    """A gate whose IR thermometer answers."""
    made = Gate()
    made.equip()
    return made


@pytest.fixture(params=["by_hand", "by_skin"])
def gate(request: pytest.FixtureRequest) -> Gate:
    made: Gate = request.getfixturevalue(request.param)
    return made


def test_a_figure_after_the_pass_decides(gate: Gate) -> None:
    gate.show(ANN)
    gate.pass_time(2)
    pressed(gate, 36.44)
    assert gate.entries == [("admit",)]
    reading = gate.bodies(Entry)[0].reading
    assert reading is not None
    assert (reading.band, reading.source, reading.body_celsius) == (Band.NORMAL, "health-thermometer", 36.4)
    assert (reading.skin_celsius, reading.ambient_celsius, reading.typed_seconds) == (None, None, None)
    assert (reading.reasons, reading.degraded) == ((), False)
    assert gate.bodies(Entry)[0].by is None


@pytest.mark.parametrize("ns", [-(10**9), -1, 0])
def test_a_figure_from_before_the_pass_is_nobodys(gate: Gate, ns: int) -> None:
    gate.show(ANN)
    shown = gate.now.mono_ns
    gate.pass_time(1)
    before = gate.state
    pressed(gate, 39.0, shown + ns)
    assert gate.state == before
    assert gate.entries == []


def test_with_nobody_at_hand_a_figure_changes_nothing(gate: Gate) -> None:
    before, events = gate.state, len(gate.events)
    pressed(gate, 38.0)
    assert gate.state == before
    assert len(gate.events) == events


def test_a_second_figure_of_somebody_let_in_changes_nothing(gate: Gate) -> None:
    gate.show(ANN)
    gate.pass_time(1)
    pressed(gate, 36.5)
    gate.pass_time(1)
    pressed(gate, 39.5)
    assert gate.entries == [("admit",)]


def test_figures_are_no_evidence_of_the_item(by_hand: Gate) -> None:
    by_hand.wait(10)
    assert by_hand.item("temperature")[0] is False
    for resident in RESIDENTS:
        by_hand.show(resident)
        by_hand.pass_time(1)
        pressed(by_hand, 36.5)
        by_hand.wait(20)
    assert by_hand.item("temperature")[0] is False
    assert not [c for c in by_hand.bodies(EvidenceChange) if c.evidence.item is Item.TEMPERATURE and c.evidence.present]


def test_the_first_of_skin_and_figure_decides(by_skin: Gate) -> None:
    by_skin.show(ANN)
    by_skin.feel(FEVER, 2)
    by_skin.pass_time(0.1)
    pressed(by_skin, 36.5)
    assert by_skin.entries == [("admit",)]
    assert by_skin.feel(FEVER, 3).phase == "outcome"
    assert by_skin.entries == [("admit",)]


@given(st.floats(30, 43))
def test_it_is_judged_as_the_same_figure_typed(celsius: float) -> None:
    gates = [Gate(replace(SETUP, thermometer=None)) for _ in range(2)]
    for gate in gates:
        gate.sign_in()
        gate.show(ANN)
        gate.pass_time(3)
    gates[0].give(TypeTemperature(celsius=celsius, typed_seconds=3))
    pressed(gates[1], celsius)
    assert gates[0].entries == gates[1].entries
    typed, sent = (gate.bodies(Entry)[0].reading for gate in gates)
    assert typed is not None
    assert sent is not None
    assert (typed.band, typed.body_celsius, typed.reasons) == (sent.band, sent.body_celsius, sent.reasons)


@pytest.mark.parametrize("celsius", [22.0, 29.99, 43.01, 100.0])
def test_what_is_no_persons_is_told_and_not_taken(gate: Gate, celsius: float) -> None:
    gate.show(ANN)
    gate.pass_time(1)
    assert pressed(gate, celsius).error == "out_of_range"
    assert gate.entries == []
    gate.pass_time(1)
    pressed(gate, 36.5)
    assert gate.entries == [("admit",)]


def test_a_low_figure_is_asked_for_again_and_the_second_counts_after_a_pause(by_skin: Gate) -> None:
    by_skin.show(ANN)
    by_skin.pass_time(1)
    assert pressed(by_skin, 34.0).sentence == "wrist"
    by_skin.sign_in()
    by_skin.show(ANN)
    by_skin.give(Retake(), Tick())
    by_skin.pass_time(2)
    pressed(by_skin, 36.5)
    assert [entry[0] for entry in by_skin.entries] == ["retake", "admit"]


def test_a_button_pressed_twice_does_not_count_for_the_child(gate: Gate) -> None:
    gate.show(ANN)
    gate.give(AddPerson(role="child"))
    gate.pass_time(1)
    pressed(gate, 36.5)
    gate.pass_time(0.5)
    pressed(gate, 36.6)
    assert gate.entries == []
    gate.pass_time(2)
    pressed(gate, 36.9)
    [entry] = gate.bodies(Entry)
    assert entry.reading is not None
    assert entry.reading.body_celsius == 36.5
    assert [(c.role, c.reading.body_celsius) for c in entry.companions if c.reading] == [("child", 36.9)]


def test_another_site_is_written_down(by_hand: Gate) -> None:
    by_hand.show(ANN)
    by_hand.pass_time(1)
    pressed(by_hand, 37.6, site=BodySite.EAR)
    reading = by_hand.bodies(Entry)[0].reading
    assert reading is not None
    assert reading.reasons == ("fever", "site_ear")
