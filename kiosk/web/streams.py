"""Server-sent events: one stream a page, a few at most, since each holds one of the server's threads."""

import threading
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from kiosk.view import ResidentView, Snapshot
from kiosk.web.port import StationPort

BEAT_SECONDS = 1.0
"""How often a silent stream says that it lives; the page calls itself lost after three seconds without a word."""


View = Snapshot | ResidentView


def whole(snapshot: Snapshot) -> View:
    """The volunteer's page gets all of it."""
    return snapshot


class Streams:
    """The open streams of snapshots, or of the `part` of them; one more than `most` ends the oldest."""

    def __init__(self, port: StationPort, most: int = 4, part: Callable[[Snapshot], View] = whole) -> None:
        self._port = port
        self._most = most
        self._part = part
        self._open: deque[threading.Event] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def open(self) -> Iterator[str]:
        """A new stream in the wire format of the HTML standard, section 9.2."""
        ended = threading.Event()
        with self._lock:
            self._open.append(ended)
            if len(self._open) > self._most:
                self._open.popleft().set()
        return self._follow(ended)

    def close(self) -> None:
        """Ends every stream, each within a beat, in silence: their pages wait for the program to come back."""
        with self._lock:
            self._closed = True
            while self._open:
                self._open.popleft().set()

    def _follow(self, ended: threading.Event) -> Iterator[str]:
        try:
            snapshot = self._port.snapshot()
            yield "retry: 1000\n" + as_event(self._part(snapshot))
            while not ended.is_set():
                newest = self._port.wait(snapshot.n, BEAT_SECONDS)
                yield as_event(self._part(newest)) if newest.n != snapshot.n else "event: beat\ndata:\n\n"
                snapshot = newest
            if not self._closed:
                yield "event: ended\ndata:\n\n"
        finally:
            self._forget(ended)

    def _forget(self, ended: threading.Event) -> None:
        with self._lock:
            if ended in self._open:
                self._open.remove(ended)


def as_event(view: View) -> str:
    """One snapshot, or the part of it, as a server-sent event whose id is `n`."""
    return f"id: {view.n}\ndata: {msgspec.json.encode(view).decode()}\n\n"
