"""Programs broken on purpose: each must make its row red, or the row proves nothing (`tests/integration/test_faults.py`)."""

from pathlib import Path
from typing import Any

from sqlite_utils import Database

_SENT_SECONDS = 5


def acknowledge_before_commit() -> None:
    """The ingest tells stations and broker that it has what it has not committed yet."""
    from contract import topics
    from contract.messages import Ack
    from contract.topics import StationTopic
    from hub.ingest import Ingest
    from hub.intake import Batch, take
    from hub.store import meta

    real = Ingest._take_in

    def early(self: Ingest, heard: Any) -> None:
        with self._engine.connect() as connection:
            epoch = meta.store_epoch(connection)
        for one in heard:
            taken = take(one.received)
            if isinstance(taken, Batch):
                lines = taken.lines
                ack = Ack(journal=taken.sent.journal, store_epoch=epoch, upto=0, ranges=((lines[0].seq, lines[-1].seq),))
                signed = self._signer.sign(ack, typ="ack", audience=f"station:{taken.station}")
                topic = topics.station(taken.station, StationTopic.ACK)
                self._listener._client.publish(topic, signed, qos=1).wait_for_publish(_SENT_SECONDS)
            self._listener.acknowledge(one)
        real(self, heard)

    Ingest._take_in = early  # type: ignore[method-assign]


def synchronous_off() -> None:
    """The station's journal leaves it to the system when a commit gets to the disk."""
    from kiosk import journal_file

    real = journal_file.connect

    def connect(path: Path, new: bool = False) -> Database:
        db = real(path, new)
        db.execute("PRAGMA synchronous=OFF")
        return db

    journal_file.connect = connect


def failure_after_commit() -> None:
    """The station's journal says of one commit in four that it failed, when it did not: what was written is written again."""
    import itertools
    import sqlite3

    from contract.events import Entry
    from kiosk.journal import Journal, JournalUnavailable

    real, count = Journal.append, itertools.count(1)

    def append(self: Journal, *bodies: Any, **options: Any) -> Any:
        events = real(self, *bodies, **options)
        if any(isinstance(body, Entry) for body in bodies) and next(count) % 4 == 0:
            raise JournalUnavailable(self.path, sqlite3.OperationalError("disk I/O error"))
        return events

    Journal.append = append  # type: ignore[method-assign]
