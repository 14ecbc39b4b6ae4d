"""A consistent copy of the store while others write to it, and what is true of it at that moment."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from hub.backup.archive import POSTGRESQL, SQLITE, Facts
from hub.backup.sealed import BadBackup
from hub.registry import versions
from hub.registry.errors import RegistryError
from hub.signer import counters
from hub.store import meta, revision
from hub.store.tables import keys
from hub.vault import Vault, is_sealed

_BUSY_SECONDS = 10
_PG = {"host": "PGHOST", "port": "PGPORT", "username": "PGUSER", "password": "PGPASSWORD", "database": "PGDATABASE"}


def take(url: str, folder: Path, vault: Vault) -> tuple[Path, Facts]:
    """Copy the store into a folder; returns the copy, named as a backup's member, and its facts.

    Raises `RegistryError` for a store that is damaged, whose keys don't open, or that can't be copied.
    """
    if sa.make_url(url).drivername.startswith("sqlite"):
        return _sqlite(Path(sa.make_url(url).database or ""), folder / SQLITE, vault)
    return _postgresql(url, folder / POSTGRESQL, vault)


def check_keys(conn: sa.Connection, vault: Vault) -> None:
    """Raises `RegistryError` when a private key does not open with this secret."""
    for row in conn.execute(sa.select(keys.c.kid, keys.c.use, keys.c.private)):
        if is_sealed(row.private):
            vault.open(row.kid, row.use, row.private)


def check_sqlite(path: Path) -> None:
    """Raises `BadBackup` when SQLite finds its own file damaged."""
    try:
        with closing(sqlite3.connect(path)) as db:
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise BadBackup(f"the store is damaged: {found}")


def pg_restore(url: str, dump: Path) -> None:
    """Put a dump into a database, all or nothing. Raises `RegistryError` with what PostgreSQL says."""
    options = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    database = sa.make_url(url).database or ""
    _run("pg_restore", (*options, "--dbname", database, str(dump)), url)


def _sqlite(store: Path, target: Path, vault: Vault) -> tuple[Path, Facts]:
    """All pages in one step: one read transaction, which writers in WAL mode neither wait for nor disturb."""
    with closing(sqlite3.connect(store, timeout=_BUSY_SECONDS)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    check_sqlite(target)
    engine = sa.create_engine(f"sqlite:///{target}")
    try:
        with engine.connect() as conn:
            return target, _facts(conn, vault)
    finally:
        engine.dispose()


def _postgresql(url: str, target: Path, vault: Vault) -> tuple[Path, Facts]:
    engine = sa.create_engine(url, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as conn:
            snapshot = str(conn.scalar(sa.select(sa.func.pg_export_snapshot())))
            facts = _facts(conn, vault)
            _run("pg_dump", ("--format=custom", f"--snapshot={snapshot}", "--file", str(target)), url)
            return target, facts
    finally:
        engine.dispose()


def _facts(conn: sa.Connection, vault: Vault) -> Facts:
    schema = revision(conn)
    if schema is None:
        raise RegistryError("the store is empty: run `hub init` first")
    check_keys(conn, vault)
    epoch = meta.get(conn, meta.STORE_EPOCH) or ""
    return Facts(schema=schema, store_epoch=epoch, directories=versions.versions(conn), counters=counters(conn))


def _run(name: str, arguments: Sequence[str], url: str) -> None:
    program = shutil.which(name)
    if program is None:
        raise RegistryError(f"{name} is not installed: apt-get install postgresql-client")
    done = subprocess.run([program, *arguments], env=_environment(url), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RegistryError(f"{name}: {done.stderr.strip()[:2000]}")


def _environment(url: str) -> Mapping[str, str]:
    """How libpq's programs are told of a database (PostgreSQL manual, 34.15): no password stands in a list of processes."""
    parsed = sa.make_url(url)
    told = {variable: str(value) for part, variable in _PG.items() if (value := getattr(parsed, part)) is not None}
    asked = {f"PG{name.upper()}": str(value) for name, value in parsed.query.items()}
    return {**os.environ, **told, **asked}
