"""A hub restored from a backup with a real broker between it and its station, and from PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from contract.codec import encode
from contract.messages import Presence
from contract.topics import StationTopic
from hub.backup import archive, making, restoring
from hub.broker import Mosquitto
from hub.config import Located, load
from hub.ingest import Ingest
from hub.registry import keys
from hub.registry.errors import RegistryError
from hub.signer import Signer
from hub.store import migrate, open_store, tables
from hub.store.writing import writing
from hub.vault import open_hub, vault_of
from tests.conftest import HUB_PASSWORD
from tests.integration import test_postgresql as postgresql
from tests.integration.test_ingest import Signs, Station, batch, entry, seed, until

PASSPHRASE = "five words of a passphrase"
NOW = datetime.now(UTC)
url, engine = postgresql.url, postgresql.engine


def hub(folder: Path, settings: str) -> Located:
    folder.mkdir()
    (folder / "hub.toml").write_text(settings, encoding="utf-8")
    located = load(folder / "hub.toml")
    vault_of(located).make_secret()
    return located


def backup(located: Located) -> Path:
    out = located.folder.parent / "hub.backup"
    making.make(located.folder / "hub.toml", out, PASSPHRASE, NOW - timedelta(days=1), log_n=1)
    return out


@pytest.fixture
def station(mosquitto: Mosquitto) -> Iterator[Station]:
    made = Station(mosquitto)
    yield made
    made.close()


def test_a_quiet_station_hears_at_once_that_a_restored_hub_lacks_something(
    tmp_path: Path, mosquitto: Mosquitto, station: Station
) -> None:
    located = hub(tmp_path / "hub", f"[broker]\nport = {mosquitto.port}\npassword = '{HUB_PASSWORD}'\n")
    store, signs = open_hub(located), Signs()
    migrate(store)
    with writing(store) as conn:
        keys.ensure_keys(conn)
    seed(store)
    station.send(StationTopic.PRESENCE, encode(Presence(online=True, birth="b", boot="boot-1", journal="j1")), retain=True)
    ingest = Ingest(store, located, signs)
    ingest.start()
    until(lambda: ingest.hears)
    station.send(StationTopic.JOURNAL, batch(*(entry(seq) for seq in range(1, 4))))
    until(lambda: station.acks and station.acks[-1].upto == 3)
    file = backup(located)
    station.send(StationTopic.JOURNAL, batch(*(entry(seq) for seq in range(4, 7))))
    until(lambda: station.acks[-1].upto == 6)
    epoch = station.acks[-1].store_epoch
    ingest.stop()
    store.dispose()

    restoring.restore(file, tmp_path / "again", PASSPHRASE, NOW)
    again = load(tmp_path / "again" / "hub.toml")
    store = open_hub(again)
    ingest = Ingest(store, again, signs)
    ingest.start()
    ack = until(lambda: next((one for one in station.acks if one.store_epoch != epoch), None))
    assert (ack.journal, ack.upto) == ("j1", 3)
    station.send(StationTopic.JOURNAL, batch(*(entry(seq) for seq in range(4, 7))))
    until(lambda: station.acks[-1].upto == 6)
    with store.connect() as conn:
        assert conn.scalars(sa.select(tables.events.c.seq).order_by("seq")).all() == [1, 2, 3, 4, 5, 6]
    ingest.stop()
    store.dispose()


@pytest.mark.skipif(not postgresql.PROGRAMS, reason="PostgreSQL is not installed: apt-get install postgresql")
@pytest.mark.skipif(not postgresql.has_account(), reason="as root this needs the account postgres, and setpriv")
def test_a_database_is_copied_as_it_is_at_one_moment_and_put_back(tmp_path: Path, engine: sa.Engine, url: str) -> None:
    located = hub(tmp_path / "hub", f"[store]\nurl = '{url}'\n")
    store = open_hub(located)
    with writing(store) as conn:
        keys.ensure_keys(conn)
        conn.execute(sa.insert(tables.areas).values(id="a", name="北片区"))
    counter = Signer(store)._next("ack")[0]
    store.dispose()
    engine.dispose()
    file = backup(located)
    assert archive.check(file, PASSPHRASE).store == archive.POSTGRESQL
    with pytest.raises(RegistryError, match="the database is not empty"):
        restoring.restore(file, tmp_path / "again", PASSPHRASE, NOW)
    with writing(store) as conn:
        conn.execute(sa.insert(tables.areas).values(id="later", name="later"))
        with pytest.raises(RegistryError, match="programs use the database"):
            restoring.restore(file, tmp_path / "hub", PASSPHRASE, NOW, replace=True)
    store.dispose()

    done = restoring.restore(file, tmp_path / "hub", PASSPHRASE, NOW, replace=True)
    assert done.aside is not None
    other = open_store(url)
    with other.begin() as conn:
        assert conn.scalars(sa.select(tables.areas.c.id)).all() == ["a"]
        aside = conn.exec_driver_sql(f'SELECT id FROM "{done.aside.name}".areas ORDER BY id').scalars().all()
        conn.exec_driver_sql(f'DROP SCHEMA "{done.aside.name}" CASCADE')
    assert aside == ["a", "later"]
    assert Signer(open_hub(located))._next("ack")[0] > counter + 80_000_000_000
    other.dispose()
