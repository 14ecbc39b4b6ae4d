"""A display's backlight as Linux shows it in sysfs: a folder with `brightness` and `max_brightness`, both whole numbers.

Source: Documentation/ABI/stable/sysfs-class-backlight of the kernel.
"""

import time
from pathlib import Path

from kiosk.drivers.base import Fault, FaultKind


class Backlight:
    """One backlight, such as /sys/class/backlight/10-0045."""

    name = "backlight"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def set(self, percent: float) -> Fault | None:
        """Make it as bright as `percent` of what it can; never quite dark, since a dark screen can't be turned up by touch."""
        try:
            most = int((self._folder / "max_brightness").read_text())
            (self._folder / "brightness").write_text(str(max(round(most * percent / 100), 1)))
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Fault(FaultKind.NO_ANSWER, f"the backlight {self._folder} can't be set: {words}", time.monotonic_ns())
        return None
