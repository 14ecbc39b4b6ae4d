"""The hub's pages by gunicorn: one worker, a thread for each live stream."""

import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from hub.config import Located
from hub.store import migrate, open_store
from hub.vault import open_hub

THREADS = 64


class HubServer(BaseApplication):  # type: ignore[misc]
    """Gunicorn with its settings made from hub.toml. `preload_app` stays off: the store is opened in the worker."""

    def __init__(self, located: Located) -> None:
        self._located = located
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn for its settings."""
        for name, value in options(self._located).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Called by gunicorn in the worker for the WSGI application."""
        from hub.web import create_app

        engine = open_hub(self._located)
        return create_app(self._located, engine)


def options(located: Located) -> dict[str, Any]:
    """Gunicorn's settings: threads, since each server-sent stream holds one; no control socket, nobody asks for it."""
    web = located.settings.web
    tls: dict[str, str] = {}
    if web.certificate and web.key:
        tls = {"certfile": str(located.folder / web.certificate), "keyfile": str(located.folder / web.key)}
    return {
        **tls,
        "bind": f"{web.host}:{web.port}", "workers": 1, "worker_class": "gthread", "threads": THREADS, "timeout": 60,
        "graceful_timeout": 3, "keepalive": 5, "loglevel": "warning", "control_socket_disable": True,
    }  # fmt: skip


def run_web(located: Located) -> None:
    """Serve until SIGTERM or SIGINT."""
    engine = open_store(located.store_url)
    migrate(engine)
    engine.dispose()
    sys.argv[1:] = []  # gunicorn would read them as its own
    HubServer(located).run()
