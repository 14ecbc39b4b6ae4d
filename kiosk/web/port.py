"""What the page needs of the station: the only way in or out."""

from typing import Protocol

from kiosk.inputs import AnyTouch
from kiosk.view import Snapshot


class StationPort(Protocol):
    """The station's heart as the page sees it. Called from several threads at once."""

    def snapshot(self) -> Snapshot:
        """The newest snapshot."""
        ...

    def wait(self, n: int, timeout: float) -> Snapshot:
        """Blocks until there is a snapshot newer than `n` or `timeout` seconds are over; the newest snapshot either way."""
        ...

    def post(self, touch: AnyTouch) -> None:
        """Hands a touch to the station; returns at once."""
        ...

    def picture(self) -> bytes | None:
        """The newest frame of the camera as JPEG; None when there is none."""
        ...

    def roster(self) -> bytes:
        """Who lives where, as JSON, in the order in which people look for it (3号楼 before 12号楼).

        `{"version", "buildings": [{"building", "rooms": [{"room", "holders": [{"pass_id", "name"}]}]}]}`; no buildings when the
        directory has no roster.
        """
        ...

    def face(self, pass_id: str) -> bytes | None:
        """A holder's photo as JPEG; None when the directory has none."""
        ...
