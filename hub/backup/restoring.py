"""`hub restore`: a backup becomes a hub's folder again, in a new life of its store.

Everything is read, checked, brought up to date and renewed in a folder of its own below the hub's; only then does it take its
place, the store last.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from hub import revocations
from hub.backup import archive, snapshot
from hub.backup.archive import CONFIG, POSTGRESQL, SECRET, SQLITE, Manifest
from hub.backup.renewing import Applied, renew, revoke_again
from hub.config import Located, load
from hub.locking import alone
from hub.registry import access, versions
from hub.registry.errors import RegistryError
from hub.revocations import Logged
from hub.store import known_revisions, meta, migrate, open_store
from hub.store.writing import writing
from hub.vault import Vault, open_hub

_WORK, STORE = ".restoring", "hub.db"
_ASIDE = "replaced-{:%Y%m%d-%H%M%S}"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What `hub restore` has done."""

    manifest: Manifest
    store_epoch: str
    directories: dict[str, int]
    """Compound → the version that its directory goes on from."""
    applied: Applied | None
    """None: there was no log of revocations."""
    log: Path | None
    aside: Path | None
    """Where what was there before has gone."""
    notes: tuple[str, ...] = ()
    """What could not be done, and what to do about it."""


def restore(
    file: Path, into: Path, passphrase: str, now: datetime, *, replace: bool = False, log: Path | None = None
) -> Restored:  # fmt: skip
    """Make a hub's folder from a backup. `replace`: also where there is one, of which all parts must be stopped.

    `log`: what was revoked since; else the folder's own. Raises `RegistryError` and `OSError`; the folder is then as before.
    """
    with _folder(into, replace), alone(into), _work(into) as work:
        manifest = archive.extract(file, passphrase, work)
        _check(manifest, now)
        located = load(work / CONFIG)
        path, secret = log or into / revocations.NAME, _inside(Path(located.settings.keys.secret_file))
        logged = revocations.read(path) if log is not None or path.exists() else None
        url = _lay_store(manifest, located, work, into, now, replace)
        if (work / SECRET).exists():
            _move(work / SECRET, work / secret)
        vault = Vault(work / secret)
        engine = open_store(url)
        try:
            migrate(engine)
            with writing(engine) as conn:
                snapshot.check_keys(conn, vault)
                renew(conn, now, manifest.made_at)
                applied = None if logged is None else revoke_again(conn, logged, manifest.made_at, now)
                epoch, directories = meta.store_epoch(conn), versions.versions(conn)
        finally:
            engine.dispose()
        _settle(url)
        _add_to_log(work / revocations.NAME, logged or Logged())
        aside = _swap(work, into, _store_place(located), now)
    notes = [*_elsewhere(located, into), *_let_stations_in(into)]
    return Restored(
        manifest=manifest, store_epoch=epoch, directories=directories, applied=applied, aside=aside, notes=tuple(notes),
        log=None if logged is None else path,
    )  # fmt: skip


@contextmanager
def _folder(into: Path, replace: bool) -> Iterator[None]:
    """The folder, made if it is not there, and taken away again when nothing came of it."""
    made = not into.exists()
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not replace and any(one.name != _WORK for one in into.iterdir()):
        raise RegistryError(
            f"{into} is not empty: choose a new folder, or --replace to put the backup in the place of what is there"
        )
    try:
        yield
    except BaseException:
        if made:
            into.rmdir()
        raise


@contextmanager
def _work(into: Path) -> Iterator[Path]:
    work = into / _WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check(manifest: Manifest, now: datetime) -> None:
    if manifest.facts.schema not in known_revisions():
        raise RegistryError(
            f"the backup was made by Gatepost {manifest.software}; its store (schema {manifest.facts.schema}) is newer than this "
            "software: update Gatepost first"
        )
    if now < manifest.made_at:
        raise RegistryError(
            f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC, yet the backup was made {manifest.made_at:%Y-%m-%d %H:%M} UTC: "
            "set the clock first, or stations would take what this hub says for old"
        )


def _lay_store(manifest: Manifest, located: Located, work: Path, into: Path, now: datetime, replace: bool) -> str:
    """Make the store ready to be opened; returns its URL. What it takes the place of must not be in use."""
    if manifest.store == POSTGRESQL:
        with _database(located.store_url, now, replace):
            snapshot.pg_restore(located.store_url, work / POSTGRESQL)
        (work / POSTGRESQL).unlink()
        return located.store_url
    snapshot.check_sqlite(work / SQLITE)
    place = _store_place(located)
    if (into / place).exists():
        _refuse_in_use(into / place)
    _move(work / SQLITE, work / place)
    return f"sqlite:///{(work / place).resolve()}"


def _store_place(located: Located) -> Path:
    return _inside(Path(sa.make_url(located.settings.store.url).database or STORE))


def _inside(path: Path) -> Path:
    """Where in the hub's folder something goes that hub.toml names: there, or in the folder itself if it names another place."""
    return Path(path.name) if path.is_absolute() or ".." in path.parts else path


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source.rename(target)


def _refuse_in_use(store: Path) -> None:
    """A connection that is open in WAL mode holds a shared lock on the file; a program without `in_use` is noticed by that."""
    try:
        with closing(sqlite3.connect(store, timeout=1, isolation_level=None)) as db:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        raise RegistryError(f"{store} is in use ({error}): stop the hub first (systemctl stop gatepost-hub.target)") from None
    except sqlite3.DatabaseError:  # it is damaged: a reason to restore
        return


@contextmanager
def _database(url: str, now: datetime, replace: bool) -> Iterator[None]:
    """An empty schema `public` for what is restored; what was in it goes aside, and comes back if nothing comes of it."""
    engine, aside = sa.create_engine(url), _ASIDE.format(now.astimezone(UTC))
    try:
        with engine.begin() as conn:
            others = conn.scalar(
                sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
            )
            if others:
                raise RegistryError(
                    f"{others} programs use the database: stop the hub first (systemctl stop gatepost-hub.target)"
                )
            full = bool(sa.inspect(conn).get_table_names())
            if full and not replace:
                raise RegistryError("the database is not empty: name another as store.url, or --replace what is there")
            if full:
                conn.exec_driver_sql(f'ALTER SCHEMA public RENAME TO "{aside}"')
                conn.exec_driver_sql("CREATE SCHEMA public")
        engine.dispose()
        try:
            yield
        except BaseException:
            if full:
                with engine.begin() as conn:
                    conn.exec_driver_sql("DROP SCHEMA public CASCADE")
                    conn.exec_driver_sql(f'ALTER SCHEMA "{aside}" RENAME TO public')
            raise
    finally:
        engine.dispose()


def _settle(url: str) -> None:
    """One file again, without a log beside it, and on the disk."""
    if url.startswith("sqlite"):
        path = Path(sa.make_url(url).database or "")
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA journal_mode=DELETE")
        _sync(path)


def _add_to_log(log: Path, logged: Logged) -> None:
    known = revocations.read(log) if log.exists() else Logged()
    revoked, ended = {one.pass_id for one in known.passes}, set(known.endings)
    fresh: list[revocations.Line] = [one for one in logged.passes if one.pass_id not in revoked]
    fresh += [one for one in logged.endings if one not in ended]
    if fresh:
        revocations.append(log, fresh)


def _elsewhere(located: Located, into: Path) -> list[str]:
    """What hub.toml names outside of the folder, so that it does not find what was restored."""
    named = {"keys.secret_file": Path(located.settings.keys.secret_file)}
    if located.settings.store.url.startswith("sqlite"):
        named["store.url"] = Path(sa.make_url(located.settings.store.url).database or STORE)
    return [
        f"hub.toml: {key} names {path}, but what was restored is {into / _inside(path)}: put the one or the other right"
        for key, path in named.items()
        if _inside(path) != path and (into / _inside(path)).resolve() != path
    ]


def _swap(work: Path, into: Path, store: Path, now: datetime) -> Path | None:
    """Put each file in its place, the store last; what was there, and what belonged to the old store, goes aside before."""
    fresh = sorted((one.relative_to(work) for one in work.rglob("*") if one.is_file()), key=lambda one: one == store)
    old = [*(store.with_name(store.name + end) for end in ("", "-wal", "-shm", "-journal")), *fresh[:-1]]
    there = [one for one in old if (into / one).exists()]
    aside = into / _ASIDE.format(now.astimezone(UTC)) if there else None
    for one in there:
        _move(into / one, into / _ASIDE.format(now.astimezone(UTC)) / one)
    for one in fresh:
        _move(work / one, into / one)
        revocations.sync_folder((into / one).parent)
    return aside


def _let_stations_in(into: Path) -> list[str]:
    """The broker's passwords and rights are as the store has them, not as they were before."""
    located = load(into / CONFIG)
    engine = open_hub(located)
    try:
        with writing(engine) as conn:
            access.grant_access(conn, located)
    except (RegistryError, sa.exc.OperationalError) as error:
        return [f"the broker's access files were not written ({error}): run `hub init`"]
    finally:
        engine.dispose()
    return []


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
