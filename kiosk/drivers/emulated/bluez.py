"""BlueZ as its clients see it, on a message bus of its own: one adapter, and one health thermometer in reach of it or not.

Needs the program dbus-daemon. A client finds it by DBUS_SYSTEM_BUS_ADDRESS.
"""

import asyncio
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from dbus_fast import DBusError
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface

from kiosk.drivers.emulated.bluez_objects import ADAPTER, MEASUREMENT, TYPE, Adapter, Characteristic, Device, Service

ADVERTISING_SECONDS = 0.02
"""Between two advertisements of a thermometer that is awake and not connected."""
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>
"""


class EmulatedBlueZ:
    """A message bus in a folder, with BlueZ on it. In a `with` statement; `bus_address` is what DBUS_SYSTEM_BUS_ADDRESS must be.

    `fixed_type`: the thermometer's Temperature Type, when it has that characteristic. `lacks_measurement`: it is another kind of
    device. `refuses`: the D-Bus error of whoever asks for its indications.
    """

    def __init__(
        self,
        folder: Path,
        address: str = "C4:BE:84:00:18:09",
        *,
        fixed_type: int | None = None,
        lacks_measurement: bool = False,
        refuses: tuple[str, str] | None = None,
    ) -> None:
        self.address, self.bus_address = address, f"unix:path={folder / 'bus'}"
        self.connections = 0
        self._folder, self._type, self._lacks, self._refuses = folder, fixed_type, lacks_measurement, refuses
        self._path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
        self._adapter, self._device = Adapter(self._advertise), Device(address, self._connect, self._disconnect)
        self._awake, self._pending, self._leaves = False, list[bytes](), False
        self._exported: dict[str, ServiceInterface] = {}
        self._loop = asyncio.new_event_loop()
        self._beacon = self._loop.call_soon(lambda: None)
        self._thread = threading.Thread(target=self._loop.run_forever, name="emulated-bluez", daemon=True)

    def __enter__(self) -> Self:
        config = self._folder / "bus.conf"
        config.write_text(_CONFIG.format(socket=self._folder / "bus"))
        command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
        with (self._folder / "bus.log").open("wb") as log:
            self._daemon = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        assert self._daemon.stdout is not None
        self._daemon.stdout.readline()  # it listens
        self._daemon.stdout.close()
        self._thread.start()
        self._do(self._own)
        return self

    def __exit__(self, *error: object) -> None:
        self._do(self._leave)
        self.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def kill(self) -> None:
        """The message bus dies, and all that was on it."""
        self._daemon.kill()
        self._daemon.wait()

    def wake(self) -> None:
        """The thermometer shows itself from now on, and stays when it is connected."""
        self._do(self._wake, [], False)

    def press(self, *frames: bytes) -> None:
        """A thermometer that sleeps is pressed: it shows itself, sends these to whoever connects, and sleeps again."""
        self._do(self._wake, list(frames), True)

    def indicate(self, frame: bytes) -> None:
        """A thermometer that is connected sends a measurement. Raises AssertionError when nobody has asked for it."""
        self._do(self._send, frame)

    def lose(self) -> None:
        """The connection breaks, and the thermometer is out of reach."""
        self._do(self._sleep)

    def hold(self) -> None:
        """Connected already, as an earlier program that was killed has left it."""
        self._do(self._show_and_connect)

    def switch_off(self) -> None:
        """Bluetooth is switched off on the machine."""
        self._do(self._power, False)

    def remove_adapter(self) -> None:
        """The adapter is pulled out."""
        self._do(self._unexport, ADAPTER)

    def quit(self) -> None:
        """bluetoothd ends, and the bus goes on."""
        self._do(self._disown)

    def _do(self, step: Callable[..., Any], *args: Any) -> None:
        async def run() -> None:
            found = step(*args)
            if asyncio.iscoroutine(found):
                await found

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(timeout=30)

    async def _own(self) -> None:
        self._bus = await MessageBus(bus_address=self.bus_address).connect()
        self._watch = asyncio.create_task(self._see_it_end())
        self._export(ADAPTER, self._adapter)
        await self._bus.request_name("org.bluez")

    async def _see_it_end(self) -> None:
        with suppress(EOFError, OSError):
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    async def _leave(self) -> None:
        self._beacon.cancel()
        self._bus.disconnect()
        await self._watch

    async def _disown(self) -> None:
        await self._bus.release_name("org.bluez")

    def _power(self, on: bool) -> None:
        self._adapter.powered = on
        self._adapter.emit_properties_changed({"Powered": on})
        self._disconnect()

    def _wake(self, pending: list[bytes], leaves: bool) -> None:
        self._awake, self._pending, self._leaves = True, pending, leaves

    def _advertise(self) -> None:
        """Again and again while somebody looks: a client that has just begun to look has missed the ones before."""
        self._beacon.cancel()
        if not self._adapter.discovering:
            return
        if self._awake and not self._device.connected:
            self._show()
        self._beacon = self._loop.call_later(ADVERTISING_SECONDS, self._advertise)

    def _show(self) -> None:
        if self._path in self._exported:
            self._device.emit_properties_changed({"RSSI": -60})
        else:
            self._export(self._path, self._device)

    def _show_and_connect(self) -> None:
        self._awake = True
        self._show()
        self._connect()
        self._awake = False

    def _connect(self) -> None:
        if not self._awake:
            raise DBusError("org.bluez.Error.Failed", "le-connection-abort-by-peer")
        self.connections += 1
        self._device.connected = True
        self._device.emit_properties_changed({"Connected": True})
        service = f"{self._path}/service000c"
        self._export(service, Service(self._path))
        if not self._lacks:
            measurement = Characteristic(MEASUREMENT, service, ["indicate"], self._notify)
            self._export(f"{service}/char000d", measurement)
        if self._type is not None:
            kind = Characteristic(TYPE, service, ["read"], lambda: None)
            kind.value = bytes([self._type])
            self._export(f"{service}/char0010", kind)
        self._device.resolved = True
        self._device.emit_properties_changed({"ServicesResolved": True})

    def _notify(self) -> None:
        if self._refuses is not None:
            raise DBusError(*self._refuses)
        self._loop.call_soon(self._send_pending)

    def _send_pending(self) -> None:
        for frame in self._pending:
            self._send(frame)
        if self._leaves:
            self._sleep()

    def _send(self, frame: bytes) -> None:
        measurement = self._exported.get(f"{self._path}/service000c/char000d")
        assert isinstance(measurement, Characteristic)
        assert measurement.notifying
        measurement.value = frame
        measurement.emit_properties_changed({"Value": frame})

    def _sleep(self) -> None:
        self._awake = False
        self._disconnect()

    def _disconnect(self) -> None:
        if not self._device.connected:
            return
        self._device.connected = self._device.resolved = False
        self._device.emit_properties_changed({"ServicesResolved": False, "Connected": False})
        for path in [path for path in self._exported if path.startswith(f"{self._path}/")]:
            self._unexport(path)

    def _export(self, path: str, interface: ServiceInterface) -> None:
        self._exported[path] = interface
        self._bus.export(path, interface)

    def _unexport(self, path: str) -> None:
        self._bus.unexport(path, self._exported.pop(path))
