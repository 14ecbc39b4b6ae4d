"""Journals within one transaction: what is new of a batch, what was there already, and where two lives of a card part."""

from typing import Any

import sqlalchemy as sa

from contract import ranges
from contract.messages import Ack
from contract.ranges import Ranges
from hub.intake import Batch, Refused
from hub.lines import UNREADABLE, Line
from hub.ranges import acknowledged
from hub.store import meta, tables
from hub.store.tables import events, journals

_COLUMNS = ("seq", "id", "at", "boot", "mono_ns", "clock", "kind", "body", "error")


class _Journal:
    def __init__(self, station: str, fork_at: int | None, known: Ranges, successor: bool) -> None:
        self.station, self.fork_at, self.known, self.stored = station, fork_at, known, known
        self.successor = successor  # of an earlier journal, whose unacknowledged events it brings along under their ids


class Journals:
    """Gathers rows and ranges; `write` and `flush` put them into the store."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._open: dict[str, _Journal] = {}
        self._rows: list[dict[str, Any]] = []
        self._owed: dict[str, str] = {}

    def keep(self, batch: Batch, gate: str | None) -> tuple[list[Line], Refused | None]:
        """Take a batch in; returns what of it is new and, if something was refused, why."""
        name = batch.sent.journal
        journal = self._journal(batch)
        if journal.station != batch.station:
            reason = f"journal {name} is that of station {journal.station}"
            return [], Refused(station=batch.station, at=batch.at, kind="journal_claimed", reason=reason)
        held = self._held(name, journal, batch)
        clashes = [line.seq for line in batch.lines if line.seq in held and not _same(line, held[line.seq])]
        forks = [seq for seq in (journal.fork_at, *clashes) if seq is not None]
        fork = min(forks, default=None)
        fresh = [line for line in batch.lines if line.seq not in held and (fork is None or line.seq < fork)]
        self._take(name, journal, batch, gate, fresh)
        self._fork(name, journal, fork)
        beyond = [line.seq for line in batch.lines if fork is not None and line.seq >= fork and line.seq not in held]
        refused = sorted({*clashes, *beyond})
        return fresh, _forked(batch, refused, fork) if refused else None

    def write(self) -> None:
        """Put the events gathered so far into the store."""
        if self._rows:
            self._connection.execute(sa.insert(events), self._rows)
            self._rows = []

    def flush(self) -> dict[str, str]:
        """Put everything into the store; returns the journals heard from, with the station of each."""
        self.write()
        for name, journal in self._open.items():
            save_ranges(self._connection, name, journal.stored, journal.known)
            journal.stored = journal.known
        return self._owed

    def owe(self, name: str, station: str) -> None:
        """Have a station told what is kept of its journal though it sent nothing: the store may be in another life, and lack what
        it had before."""
        known = self._connection.scalar(sa.select(journals.c.station).where(journals.c.id == name))
        if known in (None, station):
            self._owed[name] = station

    def _journal(self, batch: Batch) -> _Journal:
        name = batch.sent.journal
        if name not in self._open:
            row = self._connection.execute(sa.select(journals).where(journals.c.id == name)).mappings().first()
            if row is None:
                made = {"id": name, "station": batch.station, "first_heard": batch.at}
                self._connection.execute(sa.insert(journals).values(**made))
            station, fork_at = (row["station"], row["fork_at"]) if row else (batch.station, None)
            earlier = sa.select(sa.exists().where(journals.c.station == station, journals.c.id != name))
            successor = bool(self._connection.scalar(earlier))
            self._open[name] = _Journal(station, fork_at, load_ranges(self._connection, name), successor)
        return self._open[name]

    def _held(self, name: str, journal: _Journal, batch: Batch) -> dict[int, Any]:
        first, last = batch.lines[0].seq, batch.lines[-1].seq
        if not ranges.overlaps(journal.known, first, last):
            return {}
        self.write()
        query = sa.select(events.c.seq, events.c.id, events.c.kind, events.c.body)
        query = query.where(events.c.journal == name, events.c.seq.between(first, last))
        return {row["seq"]: row for row in self._connection.execute(query).mappings()}

    def _take(self, name: str, journal: _Journal, batch: Batch, gate: str | None, fresh: list[Line]) -> None:
        same = {"journal": name, "station": batch.station, "gate": gate, "received_at": batch.at}
        there = self._there(batch.station, fresh) if journal.successor else set()
        new = [line for line in fresh if line.id not in there]
        self._rows += [{**same, **{column: getattr(line, column) for column in _COLUMNS}} for line in new]
        journal.known = ranges.add(journal.known, (line.seq for line in fresh))
        self._owed[name] = batch.station

    def _there(self, station: str, lines: list[Line]) -> set[str]:
        """Which of these events are stored already, under an earlier journal of the station: none is counted twice."""
        self.write()
        query = sa.select(events.c.id).where(events.c.station == station, events.c.id.in_([line.id for line in lines]))
        return set(self._connection.scalars(query))

    def _fork(self, name: str, journal: _Journal, fork: int | None) -> None:
        if fork != journal.fork_at:
            journal.fork_at = fork
            self._connection.execute(sa.update(journals).where(journals.c.id == name).values(fork_at=fork))


def load_ranges(connection: sa.Connection, journal: str) -> Ranges:
    """What the hub has of a journal."""
    mine = tables.ranges.c.journal == journal
    rows = connection.execute(sa.select(tables.ranges.c.first, tables.ranges.c.last).where(mine))
    return ranges.merge((first, last) for first, last in rows)


def save_ranges(connection: sa.Connection, journal: str, stored: Ranges, known: Ranges) -> None:
    """Write only what differs from what is stored."""
    columns = tables.ranges.c
    for first, _ in set(stored) - set(known):
        kept = next((k for k in known if k[0] == first), None)
        mine = sa.and_(columns.journal == journal, columns.first == first)
        if kept is None:
            connection.execute(sa.delete(tables.ranges).where(mine))
        else:
            connection.execute(sa.update(tables.ranges).where(mine).values(last=kept[1]))
    begun = {first for first, _ in stored}
    new = [{"journal": journal, "first": a, "last": b} for a, b in known if a not in begun]
    if new:
        connection.execute(sa.insert(tables.ranges), new)


def acknowledgement(connection: sa.Connection, journal: str) -> Ack:
    """What is committed of a journal, as its station is told."""
    upto, beyond = acknowledged(load_ranges(connection, journal))
    fork_at = connection.scalar(sa.select(journals.c.fork_at).where(journals.c.id == journal))
    epoch = meta.get(connection, meta.STORE_EPOCH) or ""
    return Ack(journal=journal, store_epoch=epoch, upto=upto, ranges=beyond, fork_at=fork_at)


def _same(line: Line, row: Any) -> bool:
    """The same event: by its id, or byte for byte when it could not be read then, or can't be now."""
    return bool(row["id"] == line.id or (UNREADABLE in (row["kind"], line.kind) and row["body"] == line.body))


def _forked(batch: Batch, refused: list[int], fork: int | None) -> Refused:
    reason = f"journal {batch.sent.journal} forked at {fork}: {len(refused)} events from {refused[0]} on not stored"
    return Refused(station=batch.station, at=batch.at, kind="fork", reason=reason)
