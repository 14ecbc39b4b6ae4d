"""ZBar, the second decoder: optional, and held to exact bytes."""

import weakref
from collections.abc import Iterable
from typing import Any

from kiosk.drivers.base import Pixels


class ZBar:
    """libzbar through pyzbar's ctypes functions: QR only, bytes as they are.

    pyzbar's own `decode` lets ZBar guess an encoding, and has no name for ZBAR_CFG_BINARY (config 4, since libzbar 0.23.1). A
    libzbar too old for it is not `exact`; then only ASCII is believed, which no guess alters. Raises ImportError or OSError
    without libzbar.
    A structured append (several codes in one message) comes as ZBar joins it.
    """

    def __init__(self) -> None:
        from pyzbar import wrapper  # here, because the import itself fails where libzbar is not installed

        self._lib = wrapper
        self._scanner = wrapper.zbar_image_scanner_create()
        weakref.finalize(self, wrapper.zbar_image_scanner_destroy, self._scanner)
        enable, binary, every, qr = 0, 4, 0, int(wrapper.ZBarSymbol.QRCODE)
        wrapper.zbar_image_scanner_set_config(self._scanner, every, enable, 0)
        wrapper.zbar_image_scanner_set_config(self._scanner, qr, enable, 1)
        self.exact: bool = wrapper.zbar_image_scanner_set_config(self._scanner, qr, binary, 1) == 0

    def read(self, grey: Pixels) -> list[tuple[bytes, list[tuple[int, int]]]]:
        """Data and outline points of each code in a height × width picture."""
        raw, image = grey.tobytes(), self._lib.zbar_image_create()
        try:
            self._lib.zbar_image_set_format(image, int.from_bytes(b"Y800", "little"))
            self._lib.zbar_image_set_size(image, grey.shape[1], grey.shape[0])
            self._lib.zbar_image_set_data(image, raw, len(raw), None)
            self._lib.zbar_scan_image(self._scanner, image)
            found = list(self._symbols(self._lib.zbar_image_first_symbol(image)))
        finally:
            self._lib.zbar_image_destroy(image)
        return [(data, points) for data, points in found if data and (self.exact or data.isascii())]

    def _symbols(self, symbol: Any) -> Iterable[tuple[bytes, list[tuple[int, int]]]]:
        lib = self._lib
        while symbol:
            data = bytes(lib.zbar_symbol_get_data(symbol)[: lib.zbar_symbol_get_data_length(symbol)])
            points = range(lib.zbar_symbol_get_loc_size(symbol))
            yield data, [(lib.zbar_symbol_get_loc_x(symbol, i), lib.zbar_symbol_get_loc_y(symbol, i)) for i in points]
            symbol = lib.zbar_symbol_next(symbol)


def load_zbar() -> ZBar | None:
    """A ZBar decoder, or None where pyzbar or libzbar is not installed."""
    try:
        return ZBar()
    except (ImportError, OSError):
        return None


def capabilities(zbar: ZBar | None) -> str:
    """What this scanner reads with, in words for the self-test and the status page."""
    if zbar is None:
        return "zxing-cpp; no second decoder, libzbar is not installed (package libzbar0)"
    return "zxing-cpp and ZBar" if zbar.exact else "zxing-cpp and ZBar for ASCII only, this libzbar is older than 0.23.1"
