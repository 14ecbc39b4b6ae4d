"""Tests of a station's devices from the command line, while the station does not run."""

from kiosk.clock import StationClock, boot_id, kernel_synced
from kiosk.config import Located
from kiosk.devices import open_camera, open_thermometer
from kiosk.drivers.base import SelfTest
from kiosk.journal import Journal, JournalUnavailable
from kiosk.scanner import Scanner

FRAME_SECONDS = 5.0


def check_all(located: Located, set_emissivity: bool) -> list[SelfTest]:
    """One result a device: camera, scanner, thermometer, journal, clock."""
    return [_camera(located), Scanner().selftest(), _thermometer(located, set_emissivity), _journal(located), _clock(located)]


def _camera(located: Located) -> SelfTest:
    with open_camera(located) as camera:
        frame = camera.latest(timeout=FRAME_SECONDS)
        status = camera.status()
    if frame is None:
        return SelfTest("camera", False, f"no picture within {FRAME_SECONDS:.0f} s: {status.detail}")
    return SelfTest("camera", True, f"{status.width}×{status.height}")


def _thermometer(located: Located, set_emissivity: bool) -> SelfTest:
    device = open_thermometer(located)
    if device is None:
        return SelfTest("thermometer", True, "none configured: figures are typed")
    with device:
        return device.set_emissivity() if set_emissivity else device.selftest()


def _journal(located: Located) -> SelfTest:
    try:
        with Journal(located.data, boot=boot_id(), clock=StationClock().journal_now) as journal:
            problems = [*filter(None, [journal.probe()]), *journal.check()]
    except JournalUnavailable as error:
        problems = [str(error)]
    return SelfTest("journal", not problems, "; ".join(problems) or "takes a write, and is whole")


def _clock(located: Located) -> SelfTest:
    if located.settings.clock == "trusted":
        return SelfTest("clock", True, "trusted by configuration")
    synced = kernel_synced()
    return SelfTest("clock", synced, "synced" if synced else "not in step with any time service")
