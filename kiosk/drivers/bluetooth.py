"""What Bluetooth does to its programs, in words: the errors of bleak, of BlueZ and of the message bus between them."""

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

_NOT_AVAILABLE = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: "this machine has no Bluetooth adapter",
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: "this Bluetooth adapter knows no Low Energy",
    BleakBluetoothNotAvailableReason.POWERED_OFF: "Bluetooth is switched off: rfkill unblock bluetooth",
}
_ACCESS_DENIED = "the station may not use Bluetooth: add its user to the group bluetooth"
_PAIR = "the thermometer asks for pairing: bluetoothctl pair {address}, once"
_UNPAIRED = (
    BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHORIZATION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION_KEY_SIZE,
)
_DBUS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": "bluetoothd does not run: apt install bluez, systemctl start bluetooth",
    "org.freedesktop.DBus.Error.NameHasNoOwner": "bluetoothd does not run: apt install bluez, systemctl start bluetooth",
    "org.freedesktop.DBus.Error.AccessDenied": _ACCESS_DENIED,
    "org.bluez.Error.NotReady": _NOT_AVAILABLE[BleakBluetoothNotAvailableReason.POWERED_OFF],
    "org.bluez.Error.AuthenticationFailed": _PAIR,
    "org.bluez.Error.NotPermitted": _PAIR,
}


def in_words(error: Exception, address: str) -> str:
    """What went wrong with the device at this address, and what to do, for a volunteer or a technician."""
    match error:
        case BleakBluetoothNotAvailableError():
            return _NOT_AVAILABLE.get(error.reason, _ACCESS_DENIED)
        case BleakCharacteristicNotFoundError():
            return f"{address} is no health thermometer: it has no characteristic 2A1C"
        case BleakGATTProtocolError() if error.code in _UNPAIRED:
            return _PAIR.format(address=address)
        case BleakDBusError() if error.dbus_error in _DBUS:
            return _DBUS[error.dbus_error].format(address=address)
        case TimeoutError():
            return "the thermometer did not answer: hold it nearer or change its battery, and measure again"
        case OSError():
            return f"no system bus: apt install dbus bluez ({error.strerror or error})"
    return f"Bluetooth fails: {error or type(error).__name__}; measure again"
