"""What the hub does by the clock, in one process alone: the stations' directories, signed again every hour, and its chores."""

import fcntl
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hub.chores import doing_chores
from hub.config import Located
from hub.publisher import Publisher
from hub.registry.errors import RegistryError
from hub.signer import Signer
from hub.store import migrate
from hub.vault import open_hub
from hub.watchdog import Pulse

log = logging.getLogger(__name__)


def run_scheduler(located: Located) -> None:
    """Publish until SIGTERM or SIGINT. Raises `RegistryError` when another scheduler of this hub runs."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with sole_owner(located.folder / "scheduler.lock"):
        engine = open_hub(located)
        migrate(engine)
        with doing_chores(engine, located):
            keep_publishing(Publisher(engine, located, Signer(engine)), stop)
        engine.dispose()


def keep_publishing(publisher: Publisher, stop: threading.Event) -> None:
    """Step after step until told to stop."""
    pulse = Pulse()
    publisher.start()
    try:
        while not stop.wait(publisher.step(datetime.now(UTC))):
            pulse.beat()
    finally:
        publisher.stop()
        pulse.ends()


@contextmanager
def sole_owner(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, however it ends. Raises `RegistryError` when it is held."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RegistryError(f"another scheduler of this hub runs already: it holds {path}") from None
        yield
