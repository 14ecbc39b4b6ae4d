"""The schema that the migrations make is the one the program uses; times come back as they went in."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hub import blindness
from hub.store import _alembic, meta, migrate, open_store
from hub.store.tables import journals, metadata
from hub.store.writing import upsert, writing

NOON = datetime(2022, 4, 1, 4, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    made = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(made)
    return made


def test_migrations_make_exactly_the_tables(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_make_the_same_columns_and_defaults_as_the_tables(engine: sa.Engine, tmp_path: Path) -> None:
    direct = open_store(f"sqlite:///{tmp_path / 'direct.db'}")
    metadata.create_all(direct)
    for table in metadata.tables:
        for ask in ("get_columns", "get_pk_constraint", "get_foreign_keys"):
            made, wanted = (getattr(sa.inspect(e), ask)(table) for e in (engine, direct))
            assert repr(made) == repr(wanted)


def test_migrating_again_changes_nothing(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        meta.put(connection, "x", "kept")
    migrate(engine)
    with engine.connect() as connection:
        assert meta.get(connection, "x") == "kept"


def test_a_store_of_the_first_schema_is_brought_up_and_loses_nothing(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'old.db'}")
    with engine.begin() as connection:
        command.upgrade(_alembic(connection), "0001")
        for table, row in (("areas", {"id": "a", "name": "A"}), ("committees", {"id": "k", "name": "K", "area": "a"})):
            connection.execute(sa.insert(metadata.tables[table]).values(**row))
        connection.execute(sa.insert(metadata.tables["compounds"]).values(id="c", name="C", committee="k"))
        connection.execute(sa.text("INSERT INTO gates (id, name, compound) VALUES ('g', '东门', 'c')"))
    migrate(engine)
    gates = metadata.tables["gates"]
    with engine.connect() as connection:
        assert connection.execute(sa.select(gates.c.name, gates.c.shut_at)).all() == [("东门", None)]
    with engine.begin() as connection:
        command.downgrade(_alembic(connection), "0001")
    assert not {"bookings", "policies", "photos", "attachments"} & set(sa.inspect(engine).get_table_names())
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_time_is_utc_and_one_without_a_zone_is_refused(engine: sa.Engine) -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    with engine.begin() as connection:
        upsert(connection, journals, [{"id": "j", "station": "s1", "first_heard": shanghai}])
        assert connection.scalar(sa.select(journals.c.first_heard)) == NOON
        with pytest.raises(sa.exc.StatementError, match="without a zone"):
            upsert(connection, journals, [{"id": "k", "station": "s1", "first_heard": NOON.replace(tzinfo=None)}])


def test_a_transaction_that_writes_holds_the_lock_from_its_beginning(engine: sa.Engine) -> None:
    impatient = sa.create_engine(engine.url, connect_args={"timeout": 0})
    with writing(engine), pytest.raises(sa.exc.OperationalError, match="locked"), writing(impatient):
        pass


def test_the_epoch_of_a_store_is_made_once_and_changes_are_counted(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        assert meta.store_epoch(connection) == meta.store_epoch(connection)
        assert meta.changes(connection) == 0
        meta.bump(connection)
        meta.bump(connection)
        assert meta.changes(connection) == 2


def test_a_blindness_keeps_its_beginning_and_its_end(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        meta.went_blind(connection, NOON)
        meta.went_blind(connection, NOON + timedelta(seconds=5))
        assert meta.hearing(connection).blind_since == NOON
        meta.hears_again(connection, NOON + timedelta(seconds=60))
        hearing = meta.hearing(connection)
    assert (hearing.blind_since, hearing.blind_from) == (None, NOON)
    assert hearing.regained_at == NOON + timedelta(seconds=60)


def test_every_blindness_is_kept(engine: sa.Engine) -> None:
    def later(minutes: float) -> datetime:
        return NOON + timedelta(minutes=minutes)

    with writing(engine) as connection:
        for began, ended in ((0, 10), (60, 70), (120, 121)):
            meta.went_blind(connection, later(began))
            meta.hears_again(connection, later(ended))
        meta.went_blind(connection, later(180))
        known = [(later(0), later(10)), (later(60), later(70)), (later(120), later(121))]
        assert blindness.stretches(connection, later(-9), later(300)) == [*known, (later(180), later(300))]
        assert blindness.stretches(connection, later(5), later(65)) == [(later(5), later(10)), (later(60), later(65))]
        assert blindness.stretches(connection, later(70), later(120)) == []
        meta.hears_again(connection, later(200))
        meta.went_blind(connection, later(190))  # an ingest that was killed: blind since it last lived
        meta.hears_again(connection, later(210))
        assert blindness.stretches(connection, later(150), later(300)) == [(later(180), later(210))]


def test_an_ingest_that_does_not_live_is_blind_since_it_did(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        meta.put(connection, meta.ALIVE_AT, NOON.isoformat())
        until = NOON + timedelta(seconds=31)
        assert blindness.stretches(connection, NOON - timedelta(hours=1), until) == [(NOON, until)]
        assert blindness.stretches(connection, NOON - timedelta(hours=1), NOON + timedelta(seconds=30)) == []


@pytest.mark.parametrize("heard_for, begins", [(89, 0), (90, 190)])
def test_a_hub_that_is_blind_again_before_it_could_hear_was_blind_all_along(
    engine: sa.Engine, heard_for: int, begins: int
) -> None:
    with writing(engine) as connection:
        meta.went_blind(connection, NOON)
        meta.hears_again(connection, NOON + timedelta(seconds=100))
        meta.went_blind(connection, NOON + timedelta(seconds=100 + heard_for))
        meta.hears_again(connection, NOON + timedelta(seconds=500))
        assert meta.hearing(connection).blind_from == NOON + timedelta(seconds=begins)
