"""The configured devices, opened: which driver, with which options."""

from collections.abc import Callable
from pathlib import Path

from contract.events import Direction
from contract.settings import BadSettings
from kiosk.config import Camera as CameraSettings
from kiosk.config import Equipped, Located
from kiosk.drivers import mlx90614, mlx90615
from kiosk.drivers.base import Thermometer
from kiosk.drivers.camera import Camera
from kiosk.drivers.emulated.gy_modules import Gy614VModel, GyMcu90614Model, ModuleModel
from kiosk.drivers.emulated.i2c import EmulatedI2CBus, MelexisModel
from kiosk.drivers.emulated.serial import EmulatedLine
from kiosk.drivers.gy_614v import Gy614V
from kiosk.drivers.gy_mcu90614 import GyMcu90614
from kiosk.drivers.i2c import I2CBus, LinuxBus
from kiosk.drivers.melexis import Chip
from kiosk.drivers.mlx90614 import Mlx90614
from kiosk.drivers.mlx90615 import Mlx90615
from kiosk.drivers.serial_line import Line, SerialLine
from kiosk.drivers.wedge import HandScanner
from kiosk.inputs import Input


def open_cameras(located: Equipped) -> list[tuple[str, Camera, Direction | None]]:
    """Each configured camera, not yet started, with its name as a device and the way of the people it sees; the first first."""
    settings = (located.settings.camera, *located.settings.more_cameras)
    return [
        (_numbered("camera", number), _camera(located, camera), _way(camera.direction))
        for number, camera in enumerate(settings, start=1)
    ]


def open_hand_scanners(located: Located, post: Callable[[Input], None]) -> list[HandScanner]:
    """Each configured QR hand scanner, not yet started."""
    return [
        HandScanner(located.device(scanner.device), post, _way(scanner.direction), name=_numbered("hand-scanner", number))
        for number, scanner in enumerate(located.settings.hand_scanners, start=1)
    ]


def open_thermometer(located: Located) -> Thermometer | None:
    """The configured thermometer; None when figures are typed. Raises `BadSettings` for a bus or port of no known form."""
    settings = located.settings.thermometer
    bus, port = located.device(settings.bus), located.device(settings.port)
    match settings.driver:
        case "mlx90614":
            return Mlx90614(open_bus(bus), address=settings.address, emissivity=settings.emissivity)
        case "mlx90615":
            return Mlx90615(open_bus(bus, mlx90615.CHIP), address=settings.address, emissivity=settings.emissivity)
        case "gy-mcu90614":
            return GyMcu90614(open_line(port, GyMcu90614Model, settings.baud))
        case "gy-614v":
            return Gy614V(open_line(port, Gy614VModel, settings.baud), emissivity=settings.emissivity)
    return None


def open_bus(spec: str, emulated: Chip = mlx90614.CHIP) -> I2CBus:
    """The bus "1" or "/dev/i2c-1", or at "emulated:FOLDER" one with that chip. Raises `BadSettings` for any other form."""
    if spec.startswith("emulated:"):
        return EmulatedI2CBus(Path(spec.removeprefix("emulated:")), model=MelexisModel(emulated))
    if spec.isdecimal() or spec.startswith("/dev/"):
        return LinuxBus(f"/dev/i2c-{spec}" if spec.isdecimal() else spec)
    raise BadSettings(f"key 'thermometer.bus' is {spec!r}; it may be a number, a path under /dev or emulated:FOLDER")


def open_line(spec: str, emulated: Callable[[], ModuleModel], baud: int = 9600) -> Line:
    """The port "/dev/serial0", or at "emulated:FOLDER" one with that module. Raises `BadSettings` for any other form."""
    if spec.startswith("emulated:"):
        return EmulatedLine(emulated(), Path(spec.removeprefix("emulated:")))
    if spec.startswith("/dev/"):
        return SerialLine(spec, baud=baud)
    raise BadSettings(f"key 'thermometer.port' is {spec!r}; it may be a path under /dev or emulated:FOLDER")


def _camera(located: Equipped, camera: CameraSettings) -> Camera:
    return Camera(located.device(camera.source), fps=camera.fps)


def _way(direction: str) -> Direction | None:
    return None if direction == "both" else Direction(direction)


def _numbered(device: str, number: int) -> str:
    return device if number == 1 else f"{device}-{number}"
