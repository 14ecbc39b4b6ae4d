"""The hub's store: one engine, its settings, and its schema brought up to date by Alembic."""

from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6761_7465
"""The number of PostgreSQL's advisory lock: of several programs that start at once, one migrates."""


def open_store(url: str) -> sa.Engine:
    """An engine for SQLite or PostgreSQL. SQLite gets WAL, synchronous=FULL, foreign keys and a busy time-out of 10 s."""
    engine = sa.create_engine(url, future=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
    return engine


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to the newest version, in one transaction that other programs wait for."""
    with engine.begin() as connection:
        sqlite = engine.dialect.name == "sqlite"
        connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else f"SELECT pg_advisory_xact_lock({_LOCK})")
        command.upgrade(_alembic(connection), "head")


def revision(connection: sa.Connection) -> str | None:
    """The schema's revision; None for a store without any."""
    return MigrationContext.configure(connection).get_current_revision()


def known_revisions() -> frozenset[str]:
    """The revisions that this software can bring up to date, its own among them."""
    scripts = ScriptDirectory.from_config(_alembic(None))
    return frozenset(script.revision for script in scripts.walk_revisions())


def _alembic(connection: sa.Connection | None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _set_up_sqlite(connection: SQLiteConnection, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
