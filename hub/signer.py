"""Signs what the hub sends: the key in use, and a counter that rises for ever, through restarts and restored backups."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa

from contract.codec import Message
from contract.signing import sign
from hub.registry.keys import Key, KeyUse, current
from hub.store.meta import put
from hub.store.tables import meta

BLOCK = 1_000_000
"""Counters are microseconds since 1970 and reserved a second at a time: one write to the store a second at most."""


_PREFIX = "counter:"
TYPES = ("ack", "manifest", "config", "command", "movements")
"""Of what the hub signs: contract.signing.Envelope."""


class _Block(msgspec.Struct, frozen=True):
    """Counters reserved for this process alone, and the key to sign with while they last."""

    first: int
    end: int
    key: Key


class Signer:
    """Thread-safe. Two processes never share a counter; of one type, only one at a time should send."""

    def __init__(self, engine: sa.Engine, *, clock_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._engine, self._clock_us = engine, clock_us
        self._lock = threading.Lock()
        self._blocks: dict[str, _Block] = {}
        self._last: dict[str, int] = {}

    def sign(self, body: Message, *, typ: str, audience: str) -> bytes:
        """A compact JWS of `body` for `station:ID` or `compound:ID`. Raises `RegistryError` when there is no key."""
        counter, key = self._next(typ)
        return sign(body, typ=typ, audience=audience, counter=counter, kid=key.kid, private=key.private)

    def _next(self, typ: str) -> tuple[int, Key]:
        with self._lock:
            counter = max(self._last.get(typ, 0) + 1, self._clock_us())
            block = self._blocks.get(typ)
            if block is None or not block.first <= counter < block.end:
                block = self._blocks[typ] = self._reserve(typ, counter)
                counter = block.first
            self._last[typ] = counter
            return counter, block.key

    def _reserve(self, typ: str, at_least: int) -> _Block:
        while True:
            with self._engine.begin() as conn:
                key = current(conn, KeyUse.MESSAGES, datetime.fromtimestamp(self._clock_us() / 1e6, UTC))
                taken = conn.scalar(sa.select(meta.c.value).where(meta.c.key == _PREFIX + typ))
                first = max(at_least, int(taken or 0))
                if _take(conn, _PREFIX + typ, taken, first + BLOCK):
                    return _Block(first, first + BLOCK, key)


def counters(conn: sa.Connection) -> dict[str, int]:
    """Type → the counter up to which some are reserved."""
    rows = conn.execute(sa.select(meta).where(meta.c.key.startswith(_PREFIX, autoescape=True)))
    return {row.key.removeprefix(_PREFIX): int(row.value) for row in rows}


def raise_counters(conn: sa.Connection, least: int) -> None:
    """Have every type's counter go on from `least` at least: after a restore, past all that was sent since the backup."""
    known = counters(conn)
    for typ in {*TYPES, *known}:
        put(conn, _PREFIX + typ, str(max(least, known.get(typ, 0))))


def _take(conn: sa.Connection, key: str, seen: str | None, end: int) -> bool:
    """Compare and swap, so that of two processes that saw the same value one tries again."""
    if seen is not None:
        swap = sa.update(meta).where(meta.c.key == key, meta.c.value == seen).values(value=str(end))
        return conn.execute(swap).rowcount == 1
    try:
        with conn.begin_nested():
            conn.execute(sa.insert(meta).values(key=key, value=str(end)))
    except sa.exc.IntegrityError:
        return False
    return True
