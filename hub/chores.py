"""What the hub does by the clock beside publishing: what is to be put right, alerts and their sending, the morning's report."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from hub import acting, rectifications, renewing, uploads
from hub.config import Located
from hub.raising import keep_looking
from hub.registry.errors import RegistryError
from hub.report_files import make_daily
from hub.sending import keep_sending
from hub.store.writing import writing

log = logging.getLogger(__name__)
RECTIFY_SECONDS = 30.0
REPORT_SECONDS = 3600.0
RENEW_SECONDS = 5.0
TIDY_SECONDS = 300.0
PATIENCE_SECONDS = 30.0
"""A chore that is in the middle of something is waited for this long: an address that does not answer takes 20."""


@contextmanager
def doing_chores(engine: sa.Engine, located: Located) -> Iterator[None]:
    """Each chore in a thread of its own, since one must not wait for another; ended together."""
    stop = threading.Event()
    threads = [threading.Thread(target=chore, args=(engine, located, stop), name=chore.__name__, daemon=True) for chore in CHORES]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)


def keep_rectifying(engine: sa.Engine, _located: Located, stop: threading.Event) -> None:
    """Open, remind, escalate and close rectifications, and score what actors tried, until told to stop."""
    while not stop.is_set():
        try:
            with writing(engine) as conn:
                rectifications.step(conn, datetime.now(UTC))
                acting.step(conn, datetime.now(UTC))
        except Exception:
            log.exception("rectifications could not be looked at; trying again")
        stop.wait(RECTIFY_SECONDS)


def keep_certified(engine: sa.Engine, located: Located, stop: threading.Event) -> None:
    """Renew the stations' certificates before they end."""
    while not stop.is_set():
        try:
            renewing.renew(engine, located, datetime.now(UTC))
        except Exception:
            log.exception("certificates of stations could not be renewed; trying again")
        stop.wait(RENEW_SECONDS)


def keep_tidy(_engine: sa.Engine, located: Located, stop: threading.Event) -> None:
    """Forget lists that were read for an import and never taken."""
    while not stop.is_set():
        try:
            uploads.purge(located.folder, datetime.now(UTC))
        except OSError as error:
            log.warning("lists that were not taken: %s", error)
        stop.wait(TIDY_SECONDS)


def keep_reporting(engine: sa.Engine, located: Located, stop: threading.Event) -> None:
    """Write yesterday's report once a day."""
    while not stop.is_set():
        try:
            make_daily(engine, located, datetime.now(UTC))
        except RegistryError as error:
            log.warning("yesterday's report: %s", error)
        except Exception:
            log.exception("yesterday's report could not be written; trying again")
        stop.wait(REPORT_SECONDS)


Chore = Callable[[sa.Engine, Located, threading.Event], None]
CHORES: tuple[Chore, ...] = (keep_rectifying, keep_looking, keep_sending, keep_reporting, keep_tidy, keep_certified)
