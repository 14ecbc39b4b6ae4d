"""The station's web server: waitress in a thread of its own, which can be closed."""

import threading
from types import TracebackType
from typing import Any, Self

import waitress
from flask import Flask
from waitress import wasyncore

THREADS = 10
"""Six of them for the streams at most, the others for pages, pictures and touches."""


class Served:
    """An app that is being served; `close()` or `with` ends it."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        self._streams = [app.extensions[name] for name in ("streams", "resident_streams") if name in app.extensions]
        self._sockets: dict[int, Any] = {}
        self._server = waitress.create_server(app, map=self._sockets, host=host, port=port, threads=THREADS)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is listened on, also when 0 was asked for."""
        return int(self._server.effective_port)

    def close(self) -> None:
        """Ends the streams, then the server."""
        self._stopping.set()
        for streams in self._streams:
            streams.close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            wasyncore.loop(timeout=0.2, map=self._sockets, count=1)
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)


def serve(app: Flask, host: str, port: int) -> Served:
    """Serves an app of `create_app`, or that of joining, until closed. Raises `OSError` when the address is taken."""
    return Served(app, host, port)
