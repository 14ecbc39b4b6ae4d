"""Melexis MLX90614 IR thermometer over SMBus (datasheet 3901090614): its registers, ranges and timing."""

from kiosk.drivers.melexis import Chip, MelexisThermometer

CHIP = Chip(
    name="mlx90614",
    address=0x5A,
    ram_ambient=0x06,
    ram_object=0x07,
    eeprom_emissivity=0x24,
    emissivity_one=0xFFFF,
    ambient_words=range(0x2D8A, 0x4DC3 + 1),  # −40 °C to 125 °C
    object_words=range(0x27AD, 0x7FFF + 1),  # −70 °C to 382 °C
    warm_up_seconds=0.25,
)
"""Opcodes: RAM 0x00, EEPROM 0x20."""


class Mlx90614(MelexisThermometer):
    """One MLX90614 on a bus. Never raises for what the bus or the sensor does."""

    chip = CHIP
