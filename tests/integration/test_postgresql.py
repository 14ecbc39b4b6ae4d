"""The store on a real PostgreSQL: the schema the migrations make, and the same path from message to status as on SQLite."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from contract.codec import encode
from contract.events import Body, Clock, Direction, Entry, Event, GateShut, Outcome, PhotoAttached
from contract.five import Basis, Item, Lifetimes
from contract.messages import EvidencePulse, JournalBatch, Vitals, raw_events
from contract.passes import PassKind
from hub import status
from hub.broker import free_port
from hub.config import HubSettings, Located
from hub.intake import Received
from hub.journals import acknowledgement
from hub.judging import Judging
from hub.registry import bookings, directory, keys, passes, photos, policies
from hub.store import migrate, open_store, tables
from hub.storing import store

NOON = datetime(2022, 4, 1, 4, tzinfo=UTC)
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


def has_account() -> bool:
    """PostgreSQL refuses to run as root: its own account is needed then."""
    return os.geteuid() != 0 or (any(u.pw_name == "postgres" for u in pwd.getpwall()) and shutil.which("setpriv") is not None)


pytestmark = [
    pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed: apt-get install postgresql"),
    pytest.mark.skipif(not has_account(), reason="as root this needs the account postgres, and setpriv"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of our own in a folder of its own, ended by its process id."""
    folder, port = Path(tempfile.mkdtemp(prefix="gatepost-pg-")), free_port()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    run("initdb", "-D", str(folder / "data"), "-U", "gatepost", "--auth=trust", "--no-sync", "-E", "UTF8", cwd=folder)
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
    run("pg_ctl", "-D", str(folder / "data"), "-o", settings, "-l", str(folder / "log"), "-w", "start", cwd=folder)
    yield f"postgresql+psycopg://gatepost@127.0.0.1:{port}/postgres"
    run("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "-w", "stop", cwd=folder)
    shutil.rmtree(folder)


def run(program: str, *arguments: str, cwd: Path) -> None:
    """Run one of PostgreSQL's programs as the account it wants."""
    account = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*account, str(PROGRAMS[-1].parent / program), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=cwd, timeout=60)


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    made = open_store(url)
    with made.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    migrate(made)
    yield made
    made.dispose()


def seed(engine: sa.Engine) -> None:
    """One gate with one station."""
    with engine.begin() as connection:
        for table, row in (
            (tables.areas, {"id": "a1", "name": "A"}),
            (tables.committees, {"id": "k1", "name": "K", "area": "a1"}),
            (tables.compounds, {"id": "c1", "name": "虹梅小区", "committee": "k1"}),
            (tables.gates, {"id": "g1", "name": "东门", "compound": "c1"}),
            (tables.stations, {"id": "s1", "gate": "g1", "added_at": NOON}),
        ):
            connection.execute(sa.insert(table).values(**row))


def put(engine: sa.Engine, *payloads: bytes, channel: str = "journal") -> None:
    messages = [Received(topic=f"gatepost/v1/station/s1/{channel}", payload=p, at=NOON) for p in payloads]
    store(engine, messages, NOON, Judging(lifetimes=Lifetimes(), zone=UTC))


def batch(*ids: str, body: Body | None = None) -> bytes:
    """A batch of entries, or of others alike, numbered from 1."""
    body = body or Entry(direction=Direction.IN, outcome=Outcome.ADMIT)
    made = (Event(seq=n, id=i, at=NOON, boot="b", mono_ns=n, clock=Clock.SYNCED, body=body) for n, i in enumerate(ids, 1))
    return encode(JournalBatch(journal="j1", boot="b", mono_ns=10**10, first_seq=1, events=raw_events(tuple(made))))


def test_migrations_make_exactly_the_tables(engine: sa.Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_what_arrives_is_stored_once_and_judged(engine: sa.Engine) -> None:
    seed(engine)
    said = tuple(EvidencePulse(item=i, present=True, basis=Basis.SENSOR, age_seconds=1, remaining_seconds=60) for i in Item)
    known = {"boot": "b", "mono_ns": 1, "at": NOON, "clock": Clock.SYNCED, "last_seq": 2, "backlog": 0, "directory_version": 1}
    put(engine, batch("e1", "e2"), batch("e1", "e2", "e3"), batch("e1", "x2"))
    put(engine, encode(Vitals(evidence=said, **known)), channel="vitals")
    with engine.connect() as connection:
        ack = acknowledgement(connection, "j1")
    assert (ack.upto, ack.ranges, ack.fork_at) == (3, (), 2)
    seen = status.overview(engine, Lifetimes(), NOON)
    assert [(g.gate_name, g.status) for g in seen.gates] == [("东门", "compliant")]
    later = status.overview(engine, Lifetimes(), NOON + timedelta(seconds=91))
    assert later.counts["unreachable"] == 1
    assert [row.id for row in status.gate_entries(engine, "g1", 9)] == ["e3", "e2", "e1"]
    assert {row.what for row in status.gate_intervals(engine, "g1", NOON)} == {"status", *map(str, Item)}


def test_a_locked_gate_and_its_photo_are_kept(engine: sa.Engine) -> None:
    seed(engine)
    put(engine, batch("e1", body=GateShut(shut=True)))
    photo = PhotoAttached(event="e1", photo="ab" * 32, purpose="lock")
    put(engine, batch("e1", "p2", body=photo).replace(b"j1", b"j2"))
    put(engine, batch("x1", "x2").replace(b"j1", b"j3"))
    (gate,) = status.overview(engine, Lifetimes(), NOON).gates
    assert (gate.status, gate.shut_event) == ("closed", "e1")
    assert gate.passed is not None
    assert gate.passed.entries == 2
    assert status.event_photos(engine, "e1") == ("ab" * 32,)


def test_what_the_stations_are_told_of_a_whole_gate(engine: sa.Engine, tmp_path: Path) -> None:
    seed(engine)
    now = datetime.now(UTC)
    located = Located(HubSettings(), tmp_path)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        one = passes.issue(conn, located, kind=PassKind.RESIDENT, compound="c1", name="王小明", dwelling="3-502", by="t")
        photos.put_photo(conn, one.id, b"\xff\xd8\xff", "t")
        photos.put_photo(conn, one.id, b"\xff\xd8\xff\xe0", "t")
        made = bookings.add(
            conn, compound="c1", kind="removal", plate="沪A12345", opens=now, closes=now + timedelta(hours=1), by="t", now=now
        )
        policies.change(conn, "c1", {"courier": "visitor", "night": (1290, 360)}, "t", now)
        policies.change(conn, "c1", {"taxi_seconds": 60}, "t", now)
        built = directory.build(conn, located, "c1", now)
    assert [(d.building, d.room) for d in built.roster.dwellings] == [("3号", "502")]
    assert built.faces.faces == {one.id: "/9j/4A=="}
    assert [b.id for b in built.bookings.bookings] == [made.id]
    assert (built.policies.courier, built.policies.night, built.policies.taxi_seconds) == ("visitor", (1290, 360), 60)


def test_what_no_column_can_hold_spoils_nothing(engine: sa.Engine) -> None:
    seed(engine)
    raw = msgspec.Raw(b'{"a":"\\u0000","b":"' + b"x" * 9000 + b'"}')
    put(engine, encode(JournalBatch(journal="j1", boot="b", mono_ns=1, first_seq=1, events=(raw,))), batch("e1")[:40], b"\0\xff")
    put(engine, encode(JournalBatch(journal="j\0", boot="b", mono_ns=1, first_seq=1, events=(raw,))))
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.events.c.seq, tables.events.c.kind)).all() == [(1, "unreadable")]
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.malformed)) == 3
