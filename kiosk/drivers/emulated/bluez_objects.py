"""The objects of BlueZ that its clients see on the message bus, for one adapter and one health thermometer.

Interfaces as in BlueZ's doc/org.bluez.Adapter.rst, org.bluez.Device.rst, org.bluez.GattService.rst and
org.bluez.GattCharacteristic.rst. Each holds what it says; what happens is the emulator's.
"""

from collections.abc import Callable
from typing import Annotated

from dbus_fast import DBusError, PropertyAccess
from dbus_fast.annotations import DBusBool, DBusBytes, DBusDict, DBusInt16, DBusObjectPath, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

ADAPTER = "/org/bluez/hci0"
SERVICE = "00001809-0000-1000-8000-00805f9b34fb"
MEASUREMENT = "00002a1c-0000-1000-8000-00805f9b34fb"
TYPE = "00002a1d-0000-1000-8000-00805f9b34fb"
Strings = Annotated[list[str], DBusSignature("as")]
READ = PropertyAccess.READ


class Adapter(ServiceInterface):
    """The machine's Bluetooth. It hands on that a client begins to look around."""

    def __init__(self, on_discovery: Callable[[], None]) -> None:
        super().__init__("org.bluez.Adapter1")
        self.powered, self.discovering, self._on_discovery = True, False, on_discovery

    @dbus_property(READ, name="Powered")
    def _powered(self) -> DBusBool:
        return self.powered

    @dbus_property(READ, name="Roles")
    def _roles(self) -> Strings:
        return ["central", "peripheral"]

    @dbus_method(name="SetDiscoveryFilter")
    def _filter(self, properties: DBusDict) -> None:
        pass

    @dbus_method(name="StartDiscovery")
    def _start(self) -> None:
        if not self.powered:
            raise DBusError("org.bluez.Error.NotReady", "Resource Not Ready")
        self.discovering = True
        self._on_discovery()

    @dbus_method(name="StopDiscovery")
    def _stop(self) -> None:
        self.discovering = False


class Device(ServiceInterface):
    """The thermometer as BlueZ knows it. It hands on that a client connects to it, and that it lets go."""

    def __init__(self, address: str, on_connect: Callable[[], None], on_disconnect: Callable[[], None]) -> None:
        super().__init__("org.bluez.Device1")
        self.connected, self.resolved = False, False
        self._its_address, self._on_connect, self._on_disconnect = address, on_connect, on_disconnect

    @dbus_property(READ, name="Address")
    def _address(self) -> DBusStr:
        return self._its_address

    @dbus_property(READ, name="Alias")
    def _alias(self) -> DBusStr:
        return "Thermometer"

    @dbus_property(READ, name="Name")
    def _name(self) -> DBusStr:
        return "Thermometer"

    @dbus_property(READ, name="Adapter")
    def _adapter(self) -> DBusObjectPath:
        return ADAPTER

    @dbus_property(READ, name="UUIDs")
    def _uuids(self) -> Strings:
        return [SERVICE]

    @dbus_property(READ, name="RSSI")
    def _rssi(self) -> DBusInt16:
        return -60

    @dbus_property(READ, name="Paired")
    def _paired(self) -> DBusBool:
        return False

    @dbus_property(READ, name="Connected")
    def _connected(self) -> DBusBool:
        return self.connected

    @dbus_property(READ, name="ServicesResolved")
    def _resolved(self) -> DBusBool:
        return self.resolved

    @dbus_method(name="Connect")
    def _connect(self) -> None:
        self._on_connect()

    @dbus_method(name="Disconnect")
    def _disconnect(self) -> None:
        self._on_disconnect()


class Service(ServiceInterface):
    """The service Health Thermometer."""

    def __init__(self, device: str) -> None:
        super().__init__("org.bluez.GattService1")
        self._path = device

    @dbus_property(READ, name="UUID")
    def _uuid(self) -> DBusStr:
        return SERVICE

    @dbus_property(READ, name="Primary")
    def _primary(self) -> DBusBool:
        return True

    @dbus_property(READ, name="Device")
    def _device(self) -> DBusObjectPath:
        return self._path


class Characteristic(ServiceInterface):
    """A value of the service. It hands on that a client asks for its changes."""

    def __init__(self, uuid: str, service: str, flags: list[str], on_notify: Callable[[], None]) -> None:
        super().__init__("org.bluez.GattCharacteristic1")
        self._its_uuid, self._its_service, self._its_flags, self._on_notify = uuid, service, flags, on_notify
        self.value, self.notifying = b"", False

    @dbus_property(READ, name="UUID")
    def _uuid(self) -> DBusStr:
        return self._its_uuid

    @dbus_property(READ, name="Service")
    def _service(self) -> DBusObjectPath:
        return self._its_service

    @dbus_property(READ, name="Flags")
    def _flags(self) -> Strings:
        return self._its_flags

    @dbus_property(READ, name="Value")
    def _value(self) -> DBusBytes:
        return self.value

    @dbus_property(READ, name="Notifying")
    def _notifying(self) -> DBusBool:
        return self.notifying

    @dbus_method(name="ReadValue")
    def _read(self, options: DBusDict) -> DBusBytes:
        return self.value

    @dbus_method(name="StartNotify")
    def _start(self) -> None:
        self._on_notify()
        self.notifying = True

    @dbus_method(name="StopNotify")
    def _stop(self) -> None:
        self.notifying = False
