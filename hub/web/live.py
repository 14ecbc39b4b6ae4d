"""Keeps every open page current: one thread looks at the store, each change is rendered once, and streams send what changed."""

import json
import logging
import secrets
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from threading import Condition, Event, Lock, Thread

from hub.status import Overview

LOOK_SECONDS = 0.5
REFRESH_SECONDS = 5.0
HEARTBEAT_SECONDS = 10.0
STREAM_SECONDS = 900.0
"""A stream ends after this and is opened again by the page, so that whoever was signed out stops receiving."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    """The gates as last seen in the store; `n` rises with every look."""

    n: int
    at: datetime
    overview: Overview


@dataclass(frozen=True)
class Pieces:
    """A page in parts that can be replaced one by one; with another layout the whole is, which holds all but the head."""

    layout: str
    whole: str
    head: dict[str, str]
    parts: dict[str, str]


class Watch:
    """Looks when the store changed, and every five seconds, since silence and the passing of time change things too."""

    def __init__(self, look: Callable[[datetime], Overview], changes: Callable[[], int], now: Callable[[], datetime]) -> None:
        self._look, self._changes, self._now = look, changes, now
        self._news = Condition()
        self._looking = Lock()
        self._stopping = Event()
        self._thread: Thread | None = None
        self._picture: Picture | None = None
        self._looked = 0.0
        self._n = secrets.randbits(40)  # so that no page takes another process's number for ours

    def picture(self) -> Picture:
        """The current picture, looked at anew when it may be out of date."""
        with self._looking:
            known = self._picture
            if known is None or self._due(known):
                known = self._take()
            return known

    def newer(self, n: int, timeout: float) -> Picture | None:
        """Wait for a picture other than `n`; None after `timeout` seconds without one."""
        self._start()
        with self._news:
            self._news.wait_for(lambda: self._is_news(n) or self._stopping.is_set(), timeout)
            return self._picture if self._is_news(n) else None

    @property
    def stopped(self) -> bool:
        """Whether `close` was called."""
        return self._stopping.is_set()

    def close(self) -> None:
        """End the thread and every stream."""
        self._stopping.set()
        with self._news:
            self._news.notify_all()
        with self._looking:  # a thread is started under this lock
            thread = self._thread
        if thread is not None:
            thread.join()

    def _is_news(self, n: int) -> bool:
        return self._picture is not None and self._picture.n != n

    def _due(self, known: Picture) -> bool:
        return time.monotonic() - self._looked >= REFRESH_SECONDS or self._changes() != known.overview.changes

    def _take(self) -> Picture:
        now = self._now()
        overview = self._look(now)
        self._n += 1
        taken = Picture(self._n, now, overview)
        self._looked = time.monotonic()
        with self._news:
            self._picture = taken
            self._news.notify_all()
        return taken

    def _start(self) -> None:
        with self._looking:
            if self._thread is None and not self._stopping.is_set():
                self._thread = Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.picture()
            except Exception:  # the store may be away for a while: pages then hear nothing, and say so
                log.exception("the store could not be read")
            self._stopping.wait(LOOK_SECONDS)


class Shared:
    """What was made of one picture, kept until the next: whoever comes first makes it for all."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._n = 0
        self._made: dict[tuple[Hashable, ...], Pieces] = {}

    def get(self, key: tuple[Hashable, ...], n: int, make: Callable[[], Pieces]) -> Pieces:
        """The pieces under `key` for picture `n`."""
        with self._lock:
            if n != self._n:
                self._n, self._made = n, {}
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]


def stream(watch: Watch, n: int, render: Callable[[Picture], Pieces], say: Callable[[datetime], str]) -> Iterator[str]:
    """Server-sent events (WHATWG HTML 9.2) for a page that shows picture `n`: what changed, or only that nothing did."""
    yield "retry: 1000\n\n"
    first = watch.picture()
    seen = render(first) if first.n == n else None
    ends = time.monotonic() + STREAM_SECONDS
    while time.monotonic() < ends and not watch.stopped:
        news = watch.newer(n, HEARTBEAT_SECONDS)
        if news is None:
            yield ": nothing seen\n\n"  # keeps the connection, and is no promise that the page is current
            continue
        pieces, n = render(news), news.n
        yield _message({"n": str(n), "at": say(news.at), **_difference(seen, pieces)})
        seen = pieces


def _difference(seen: Pieces | None, pieces: Pieces) -> dict[str, object]:
    if seen is None:
        return {"whole": pieces.whole, "parts": pieces.head}
    head = _changed(seen.head, pieces.head)
    if seen.layout != pieces.layout:
        return {"whole": pieces.whole, "parts": head}
    return {"parts": head | _changed(seen.parts, pieces.parts)}


def _changed(seen: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    return {key: html for key, html in now.items() if seen.get(key) != html}


def _message(value: object) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
