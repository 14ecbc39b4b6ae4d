"""The emulated bus answers as an MLX90614 or an MLX90615 on the kernel's bus would, byte for byte."""

import errno
import json
import os
from pathlib import Path

import pytest
from smbus2 import i2c_msg

from kiosk.drivers import mlx90614, mlx90615
from kiosk.drivers.emulated.i2c import EmulatedI2CBus, MelexisModel
from kiosk.drivers.emulated.scene import Scene, read_scene
from kiosk.drivers.i2c import crc8
from kiosk.drivers.melexis import Chip

JITTER = 0.061
ADDRESS, EEPROM_EMISSIVITY = mlx90614.CHIP.address, mlx90614.CHIP.eeprom_emissivity
RAM_OBJECT, RAM_AMBIENT = mlx90614.CHIP.ram_object, mlx90614.CHIP.ram_ambient


def ask(bus: EmulatedI2CBus, command: int, address: int = ADDRESS, length: int = 3) -> bytes:
    reply = i2c_msg.read(address, length)
    bus.i2c_rdwr(i2c_msg.write(address, [command]), reply)
    return bytes(reply)


def celsius(reply: bytes) -> float:
    return int.from_bytes(reply[:2], "little") * 0.02 - 273.15


def write(bus: EmulatedI2CBus, word: int, *, spoil: int = 0, command: int = EEPROM_EMISSIVITY) -> None:
    payload = bytes([command, word & 0xFF, word >> 8])
    bus.i2c_rdwr(i2c_msg.write(ADDRESS, payload + bytes([crc8(bytes([ADDRESS << 1]) + payload) ^ spoil])))


def play(folder: Path, **scene: object) -> None:
    """Replaces the world's file in one step, with an mtime of its own."""
    target, fresh = folder / "thermometer.json", folder / "fresh"
    before = target.stat().st_mtime_ns if target.exists() else 10**18
    fresh.write_text(json.dumps(scene))
    os.utime(fresh, ns=(before + 1, before + 1))
    fresh.replace(target)


@pytest.mark.parametrize(
    "chip, address, ram_object, ram_ambient, one",
    [(mlx90614.CHIP, 0x5A, 0x07, 0x06, 0xFFFF), (mlx90615.CHIP, 0x5B, 0x27, 0x26, 0x4000)],
)
def test_registers_carry_the_models_temperatures_and_a_right_pec(
    chip: Chip, address: int, ram_object: int, ram_ambient: int, one: int
) -> None:
    bus = EmulatedI2CBus(model=MelexisModel(chip, object_celsius=34.5, ambient_celsius=21.0))
    for command, expected in ((ram_object, 34.5), (ram_ambient, 21.0)):
        reply = ask(bus, command, address)
        assert celsius(reply) == pytest.approx(expected, abs=JITTER)
        assert reply[2] == crc8(bytes([address << 1, command, address << 1 | 1]) + reply[:2])
    assert bus.model.emissivity_word == round(0.98 * one)


def test_a_live_sensors_last_digit_moves_and_a_stuck_ones_does_not() -> None:
    model = MelexisModel(object_celsius=34.5)
    bus = EmulatedI2CBus(model=model)
    assert len({ask(bus, RAM_OBJECT) for _ in range(20)}) > 3
    model.fault = "stuck"
    model.object_celsius = 39.0
    assert len({ask(bus, RAM_OBJECT) for _ in range(20)}) == 1


def test_noise_scatters_the_object_only() -> None:
    bus = EmulatedI2CBus(model=MelexisModel(object_celsius=34.5, fault="noise"))
    objects = [celsius(ask(bus, RAM_OBJECT)) for _ in range(50)]
    ambients = [celsius(ask(bus, RAM_AMBIENT)) for _ in range(50)]
    assert max(objects) - min(objects) > 2
    assert max(ambients) - min(ambients) < 2 * JITTER


def test_a_model_repeats_itself_from_the_same_seed() -> None:
    first, second = (EmulatedI2CBus(model=MelexisModel()) for _ in range(2))
    assert [ask(first, RAM_OBJECT) for _ in range(5)] == [ask(second, RAM_OBJECT) for _ in range(5)]


@pytest.mark.parametrize("model", [MelexisModel(connected=False), MelexisModel(fault="nack")])
def test_nack_is_what_the_kernel_reports(model: MelexisModel) -> None:
    with pytest.raises(OSError) as caught:
        ask(EmulatedI2CBus(model=model), RAM_OBJECT)
    assert caught.value.errno == errno.EREMOTEIO


@pytest.mark.parametrize("address, command", [(0x5B, RAM_OBJECT), (ADDRESS, 0x99)])
def test_other_addresses_and_registers_do_not_answer(address: int, command: int) -> None:
    with pytest.raises(OSError, match="Remote I/O"):
        ask(EmulatedI2CBus(), command, address)


def test_a_read_without_a_command_does_not_answer() -> None:
    with pytest.raises(OSError, match="Remote I/O"):
        EmulatedI2CBus().i2c_rdwr(i2c_msg.read(ADDRESS, 3))


def test_a_longer_read_ends_in_an_idle_line() -> None:
    assert ask(EmulatedI2CBus(), RAM_OBJECT, length=5)[3:] == b"\xff\xff"


def test_bad_pec_and_error_bit_show_on_the_wire() -> None:
    reply = ask(EmulatedI2CBus(model=MelexisModel(fault="bad_pec")), RAM_OBJECT)
    assert reply[2] != crc8(bytes([0xB4, RAM_OBJECT, 0xB5]) + reply[:2])
    assert ask(EmulatedI2CBus(model=MelexisModel(fault="error_bit")), RAM_OBJECT)[1] & 0x80


@pytest.mark.parametrize("fault, reply", [("brown_out", b"\x00\x00\x00"), ("half_frame", None)])
def test_a_sensor_without_power__holds_the_line_low_or_lets_go_midway(fault: str, reply: bytes | None) -> None:
    seen = ask(EmulatedI2CBus(model=MelexisModel(fault=fault)), RAM_OBJECT)
    assert seen == reply if reply else seen[1:] == b"\xff\xff"


def test_eeprom_needs_erasing_before_a_new_value() -> None:
    model = MelexisModel(emissivity_word=0xF000)
    bus = EmulatedI2CBus(model=model)
    write(bus, 0x0FFF)
    assert model.emissivity_word == 0xFFFF
    write(bus, 0)
    write(bus, 0x0FFF)
    assert model.emissivity_word == 0x0FFF
    assert ask(bus, EEPROM_EMISSIVITY)[:2] == b"\xff\x0f"


@pytest.mark.parametrize("spoil, command", [(1, EEPROM_EMISSIVITY), (0, RAM_OBJECT)])
def test_a_write_with_a_wrong_pec_or_to_ram_is_refused(spoil: int, command: int) -> None:
    model = MelexisModel(emissivity_word=0xF000)
    with pytest.raises(OSError, match="Remote I/O"):
        write(EmulatedI2CBus(model=model), 0, spoil=spoil, command=command)
    assert model.emissivity_word == 0xF000


def test_the_world_is_read_again_when_its_file_is_replaced(tmp_path: Path) -> None:
    bus = EmulatedI2CBus(tmp_path)
    assert celsius(ask(bus, RAM_OBJECT)) == pytest.approx(22.0, abs=JITTER)
    play(tmp_path, object_celsius=34.5, ambient_celsius=20.0)
    assert celsius(ask(bus, RAM_OBJECT)) == pytest.approx(34.5, abs=JITTER)
    play(tmp_path, connected=False)
    with pytest.raises(OSError, match="Remote I/O"):
        ask(bus, RAM_OBJECT)
    (tmp_path / "thermometer.json").unlink()
    assert celsius(ask(bus, RAM_OBJECT)) == pytest.approx(22.0, abs=JITTER)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"fault": "on fire"}', '{"object_celsius": "warm"}', "\x00"])
def test_a_garbled_world_is_an_empty_room(tmp_path: Path, content: str) -> None:
    path = tmp_path / "thermometer.json"
    path.write_text(content)
    assert read_scene(path) == Scene()


@pytest.mark.parametrize("object_celsius", [-1e9, 1e300])
def test_any_number_fits_a_register(tmp_path: Path, object_celsius: float) -> None:
    play(tmp_path, object_celsius=object_celsius)
    assert len(ask(EmulatedI2CBus(tmp_path), RAM_OBJECT)) == 3
