"""The configured devices, opened: which driver, with which options."""

from kiosk.config import Located
from kiosk.drivers.camera import Camera
from kiosk.drivers.mlx90614 import Mlx90614, open_bus


def open_camera(located: Located) -> Camera:
    """The configured camera, not yet started."""
    camera = located.settings.camera
    return Camera(located.device(camera.source), fps=camera.fps)


def open_thermometer(located: Located) -> Mlx90614 | None:
    """The configured thermometer; None when figures are typed."""
    settings = located.settings.thermometer
    if settings.driver == "none":
        return None
    return Mlx90614(open_bus(located.device(settings.bus)), address=settings.address, emissivity=settings.emissivity)
