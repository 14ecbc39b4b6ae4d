"""A Bluetooth Low Energy health thermometer: GATT service 0x1809, indications of 0x2A1C (Health Thermometer Service 1.0).

Whoever presses its button makes it send one body temperature. It is found by its address, or as the first that offers the
service. Many such thermometers sleep and can be reached for a few seconds after a measurement only: being out of reach is their
normal state, and no fault once it has been heard of.
"""

import asyncio
import threading
import time
from collections.abc import Callable

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends.device import BLEDevice

from kiosk.drivers.base import Fault, SelfTest
from kiosk.drivers.bluetooth import in_words
from kiosk.drivers.device_clock import DeviceClock
from kiosk.drivers.temperature_measurement import decode
from kiosk.inputs import BodyMeasured, DeviceReport, Input

ANY = "any"
"""For an address: the first thermometer that offers the service."""
DEVICE = "body-thermometer"
"""Its name in the station's list of devices."""
SERVICE = "00001809-0000-1000-8000-00805f9b34fb"
MEASUREMENT = "00002a1c-0000-1000-8000-00805f9b34fb"
TYPE = "00002a1d-0000-1000-8000-00805f9b34fb"
MAX_PAUSE_SECONDS = 30.0
CLOSE_SECONDS = 12.0
"""What BlueZ may take to let go of a thermometer."""


class HealthThermometer:
    """A thread that listens to one health thermometer, and posts each body temperature and the thermometer's state.

    `address` is "AA:BB:CC:DD:EE:FF", or `any`. What it sends that is no body temperature, or one it had stored, is told as
    trouble until the next that is.
    """

    name = "health-thermometer"

    def __init__(
        self,
        address: str,
        post: Callable[[Input], None],
        *,
        scan_seconds: float = 30.0,
        connect_seconds: float = 10.0,
        pause_seconds: float = 1.0,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.address, self._post = address, post
        self._scan_seconds, self._connect_seconds, self._pause_seconds = scan_seconds, connect_seconds, pause_seconds
        self._monotonic_ns, self._clock = monotonic_ns, DeviceClock()
        self._found, self._known, self._trouble = "", False, ""
        self._reported: tuple[bool, str] | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name=self.name, daemon=True)

    def start(self) -> None:
        """Begin to look for it and to listen; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and let go of the thermometer."""
        if not self._thread.is_alive():
            return
        self._ready.wait()
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=CLOSE_SECONDS)

    def selftest(self) -> SelfTest:
        """Whether it can be found and listened to; press its button. Not while it is started."""
        return asyncio.run(self._try())

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        listening = asyncio.create_task(self._listen_always())
        await self._stop.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    async def _try(self) -> SelfTest:
        try:
            device = await self._find()
            if device is None:
                return SelfTest(DEVICE, False, self._out_of_reach)
            async with BleakClient(device, timeout=self._connect_seconds) as client:
                await client.start_notify(MEASUREMENT, lambda *_: None)
        except Exception as error:  # as below
            return SelfTest(DEVICE, False, self._in_words(error))
        return SelfTest(DEVICE, True, f"{device.name or 'a thermometer'} at {device.address}")

    async def _listen_always(self) -> None:
        pause = self._pause_seconds
        while True:
            try:
                device = await self._find()
                if device is not None:
                    await self._listen(device)
                    pause = self._pause_seconds
                self._report(self._known, self._out_of_reach)
            except Exception as error:
                # bleak and its D-Bus library have no common base for what Bluetooth, BlueZ or the bus does to them.
                self._report(False, self._in_words(error))
                await asyncio.sleep(pause)
                pause = min(2 * pause, MAX_PAUSE_SECONDS)

    async def _find(self) -> BLEDevice | None:
        """The thermometer, once it can be reached; None if it couldn't for a scan's length."""
        device = await self._held() or await self._scan()
        self._found = device.address if device else self._found
        return device

    async def _held(self) -> BLEDevice | None:
        """One that a process before this one was connected to when it was killed: no scan shows it."""
        connected = await (await BleakAdapter.get()).get_connected_devices([SERVICE])
        return next((device for device in connected if self.address.upper() in (ANY.upper(), device.address)), None)

    async def _scan(self) -> BLEDevice | None:
        if self.address != ANY:
            return await BleakScanner.find_device_by_address(self.address, self._scan_seconds)
        return await BleakScanner.find_device_by_filter(
            lambda _, shown: SERVICE in shown.service_uuids, self._scan_seconds, service_uuids=[SERVICE]
        )

    async def _listen(self, device: BLEDevice) -> None:
        """Listens until it is out of reach again."""
        gone = asyncio.Event()
        async with BleakClient(device, lambda _: gone.set(), timeout=self._connect_seconds) as client:
            fixed_type = await self._fixed_type(client)
            await client.start_notify(MEASUREMENT, lambda _, frame: self._take(bytes(frame), fixed_type, device.address))
            self._known = True
            self._report(True, f"connected to {device.address}")
            await gone.wait()

    async def _fixed_type(self, client: BleakClient) -> int | None:
        if client.services.get_characteristic(TYPE) is None:
            return None
        return next(iter(await client.read_gatt_char(TYPE)), None)

    def _take(self, frame: bytes, fixed_type: int | None, address: str) -> None:
        now = self._monotonic_ns()
        taken = decode(frame, now, fixed_type)
        if isinstance(taken, Fault):
            return self._spoil(taken.detail)
        if taken.stamp is not None and not self._clock.is_new(taken.stamp, now):
            return self._spoil("a stored reading, or the first since the start: not used; measure again")
        self._trouble = ""
        self._report(True, f"connected to {address}")
        return self._post(BodyMeasured(taken.measurement, self.name))

    def _spoil(self, why: str) -> None:
        self._trouble = why
        self._report(False, why)

    def _report(self, ok: bool, detail: str) -> None:
        report = (False, self._trouble) if ok and self._trouble else (ok, detail)
        if self._reported != report:
            self._reported = report
            self._post(DeviceReport(DEVICE, *report))

    @property
    def _out_of_reach(self) -> str:
        if self._known:
            return "out of reach until its button is pressed"
        wanted = "no thermometer" if self.address == ANY else f"{self.address} is not"
        return f"{wanted} heard of yet: switch it on and press its button"

    def _in_words(self, error: Exception) -> str:
        return in_words(error, self._found or self.address)
