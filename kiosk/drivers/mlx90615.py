"""Melexis MLX90615 IR thermometer over SMBus (datasheet 3901090615): its registers, ranges and timing."""

from kiosk.drivers.melexis import Chip, MelexisThermometer

CHIP = Chip(
    name="mlx90615",
    address=0x5B,
    ram_ambient=0x26,
    ram_object=0x27,
    eeprom_emissivity=0x13,
    emissivity_one=0x4000,
    ambient_words=range(0x2D8A, 0x45F3 + 1),  # −40 °C to 85 °C
    object_words=range(0x2D8A, 0x4BCF + 1),  # −40 °C to 115 °C
    warm_up_seconds=0.3,
)
"""Opcodes: EEPROM 0x10, RAM 0x20 (section 8.4): the other way round than the MLX90614's."""


class Mlx90615(MelexisThermometer):
    """One MLX90615 on a bus. Never raises for what the bus or the sensor does."""

    chip = CHIP
