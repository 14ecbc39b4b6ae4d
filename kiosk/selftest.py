"""Tests of a station's devices from the command line, while the station does not run."""

from kiosk.clock import StationClock, boot_id, kernel_synced
from kiosk.config import Located
from kiosk.devices import open_cameras, open_hand_scanners, open_thermometer
from kiosk.drivers.base import SelfTest
from kiosk.drivers.camera import Camera
from kiosk.drivers.gpio import open_gpio, pin_factory
from kiosk.drivers.header import Listeners
from kiosk.journal import Journal, JournalUnavailable
from kiosk.scanner import Scanner

FRAME_SECONDS = 5.0


def check_all(located: Located, set_emissivity: bool) -> list[SelfTest]:
    """One result a device: cameras, scanner, hand scanners, thermometer, pins, journal, clock."""
    return [
        *(_camera(name, camera) for name, camera, _ in open_cameras(located)),
        Scanner().selftest(),
        *(scanner.selftest() for scanner in open_hand_scanners(located, lambda _: None)),
        _thermometer(located, set_emissivity),
        *_bluetooth(located),
        *_gpio(located),
        _journal(located),
        _clock(located),
    ]


def _camera(name: str, camera: Camera) -> SelfTest:
    with camera:
        frame = camera.latest(timeout=FRAME_SECONDS)
        status = camera.status()
    if frame is None:
        return SelfTest(name, False, f"no picture within {FRAME_SECONDS:.0f} s: {status.detail}")
    return SelfTest(name, True, f"{status.width}×{status.height}")


def _thermometer(located: Located, set_emissivity: bool) -> SelfTest:
    device = open_thermometer(located)
    if device is None:
        return SelfTest("thermometer", True, "none configured: figures are typed")
    with device:
        return device.set_emissivity() if set_emissivity else device.selftest()


def _bluetooth(located: Located) -> tuple[SelfTest, ...]:
    address = located.settings.thermometer.bluetooth
    if not address:
        return ()
    from kiosk.drivers.health_thermometer import HealthThermometer

    return (HealthThermometer(address, lambda _: None).selftest(),)


def _gpio(located: Located) -> tuple[SelfTest, ...]:
    gpio = located.settings.gpio
    factory = pin_factory(located.device(gpio.pins), gpio)
    try:
        with open_gpio(gpio, Listeners(), pin_factory=factory) as devices:
            return devices.selftest(show=True)
    finally:
        if factory is not None:
            factory.close()


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
