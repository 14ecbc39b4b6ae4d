"""A finger on a station's screen: reads what it shows and touches it, over the same page a volunteer uses."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

Snapshot = dict[str, Any]


class Finger:
    """One station's screen, by its address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def look(self) -> Snapshot | None:
        """What the screen shows now; None when the station does not answer."""
        try:
            with urllib.request.urlopen(f"{self.address}/snapshot", timeout=3) as answer:
                seen: Snapshot = json.load(answer)
                return seen
        except (OSError, ValueError):
            return None

    def touch(self, action: str, **fields: Any) -> bool:
        """Touch a button; False when the station did not take it."""
        body = json.dumps({"action": action, **fields}).encode()
        headers = {"Content-Type": "application/json", "X-Gatepost": "1", "Origin": self.address}
        try:
            request = urllib.request.Request(f"{self.address}/touch", data=body, headers=headers)
            with urllib.request.urlopen(request, timeout=3):
                return True
        except OSError:
            return False

    def wait(self, until: Callable[[Snapshot], bool], seconds: float, stop: threading.Event) -> Snapshot | None:
        """Look until the screen shows what is waited for; None when it did not in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not stop.is_set():
            seen = self.look()
            if seen is not None and until(seen):
                return seen
            stop.wait(0.15)
        return None
