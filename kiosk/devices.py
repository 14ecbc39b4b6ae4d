"""The configured devices, opened: which driver, with which options."""

from pathlib import Path

from kiosk.config import Located
from kiosk.drivers.camera import Camera
from kiosk.drivers.emulated.i2c import EmulatedI2CBus
from kiosk.drivers.i2c import I2CBus, LinuxBus
from kiosk.drivers.mlx90614 import ADDRESS, Mlx90614


def open_camera(located: Located) -> Camera:
    """The configured camera, not yet started."""
    camera = located.settings.camera
    return Camera(located.device(camera.source), fps=camera.fps)


def open_thermometer(located: Located) -> Mlx90614 | None:
    """The configured thermometer; None when figures are typed."""
    settings = located.settings.thermometer
    if settings.driver == "none":
        return None
    bus = open_bus(located.device(settings.bus))
    return Mlx90614(bus, address=settings.address or ADDRESS, emissivity=settings.emissivity)


def open_bus(spec: str) -> I2CBus:
    """The bus "1" or "/dev/i2c-1", or the emulator at "emulated:<folder>". Raises ValueError for any other form."""
    if spec.startswith("emulated:"):
        return EmulatedI2CBus(Path(spec.removeprefix("emulated:")))
    if spec.isdecimal() or spec.startswith("/dev/"):
        return LinuxBus(f"/dev/i2c-{spec}" if spec.isdecimal() else spec)
    raise ValueError(f'I2C bus is "{spec}"; it may be a number, a path under /dev or emulated:<folder>')
