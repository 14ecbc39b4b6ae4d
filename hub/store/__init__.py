"""The hub's store: one engine, its settings, and its schema brought up to date by Alembic."""

from sqlite3 import Connection as SQLiteConnection
from typing import Any

import sqlalchemy as sa

from hub.store import tables


def open_store(url: str) -> sa.Engine:
    """An engine for SQLite or PostgreSQL. SQLite gets WAL, synchronous=FULL, foreign keys and a busy time-out of 10 s."""
    engine = sa.create_engine(url, future=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
    return engine


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to the newest version."""
    tables.metadata.create_all(engine)


def _set_up_sqlite(connection: SQLiteConnection, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
