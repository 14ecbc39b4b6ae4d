"""What the hub signs: counters that rise for ever, whatever happens to process, clock and backup."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from contract.codec import BadMessage
from contract.messages import Ack
from contract.signing import open_signed
from hub.registry.errors import RegistryError
from hub.registry.keys import KeyUse, ensure_keys, make_key, message_keys, retire
from hub.signer import BLOCK, Signer
from hub.store import migrate, open_store
from hub.store.tables import meta

BODY = Ack(journal="j", store_epoch="e", upto=1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(engine)
    with engine.begin() as conn:
        ensure_keys(conn)
    yield engine
    engine.dispose()


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def counter_of(engine: sa.Engine, data: bytes, typ: str = "ack", audience: str = "station:s1") -> int:
    with engine.connect() as conn:
        keys = message_keys(conn)
    return open_signed(data, typ=typ, audience=audience, above=0, keys=keys)[1]


def sign(signer: Signer, engine: sa.Engine) -> int:
    return counter_of(engine, signer.sign(BODY, typ="ack", audience="station:s1"))


def test_a_station_opens_what_is_meant_for_it_and_nothing_else(engine: sa.Engine) -> None:
    data = Signer(engine).sign(BODY, typ="ack", audience="station:s1")
    counter_of(engine, data)
    with pytest.raises(BadMessage, match="not for"):
        counter_of(engine, data, audience="station:s2")


def test_counters_begin_at_the_time_and_rise(engine: sa.Engine) -> None:
    signer = Signer(engine, clock_us=Clock(1000))
    assert [sign(signer, engine) for _ in range(3)] == [1000, 1001, 1002]


def test_a_restart_goes_on_above_and_so_does_a_clock_set_back(engine: sa.Engine) -> None:
    before = sign(Signer(engine, clock_us=Clock(5_000_000)), engine)
    assert sign(Signer(engine, clock_us=Clock(0)), engine) > before


def test_a_restored_backup_goes_up_with_the_time(engine: sa.Engine) -> None:
    clock = Clock(1_000)
    signer = Signer(engine, clock_us=clock)
    sign(signer, engine)
    with engine.begin() as conn:
        kept = conn.execute(sa.select(meta)).all()
    clock.now += 60 * BLOCK
    before = sign(signer, engine)
    with engine.begin() as conn:
        conn.execute(sa.delete(meta))
        conn.execute(sa.insert(meta), [dict(row._mapping) for row in kept])
    clock.now += 60 * BLOCK
    assert sign(Signer(engine, clock_us=clock), engine) > before


def test_two_processes_and_their_threads_never_share_a_counter(engine: sa.Engine) -> None:
    signers = [Signer(engine), Signer(engine)]
    start = threading.Barrier(8)

    def many(number: int) -> list[bytes]:
        start.wait()
        return [signers[number % 2].sign(BODY, typ="ack", audience="station:s1") for _ in range(25)]

    with ThreadPoolExecutor(8) as pool:
        made = [data for part in pool.map(many, range(8)) for data in part]
    assert len({counter_of(engine, data) for data in made}) == 200


def test_types_count_apart(engine: sa.Engine) -> None:
    signer = Signer(engine, clock_us=Clock(7))
    signer.sign(BODY, typ="ack", audience="station:s1")
    assert counter_of(engine, signer.sign(BODY, typ="config", audience="station:s1"), typ="config") == 7


def test_a_rotated_key_signs_within_a_second_and_the_old_one_is_still_known(engine: sa.Engine) -> None:
    clock = Clock(0)
    signer = Signer(engine, clock_us=clock)
    old = signer.sign(BODY, typ="ack", audience="station:s1")
    with engine.begin() as conn:
        first = next(iter(message_keys(conn)))
        make_key(conn, KeyUse.MESSAGES)
    clock.now += 2 * BLOCK
    new = signer.sign(BODY, typ="ack", audience="station:s1")
    assert old.split(b".")[0] != new.split(b".")[0]
    counter_of(engine, old)
    with engine.begin() as conn:
        retire(conn, first)
    counter_of(engine, new)
    with pytest.raises(BadMessage, match="unknown key"):
        counter_of(engine, old)


def test_without_a_key_it_says_what_to_do(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'empty.db'}")
    migrate(engine)
    with pytest.raises(RegistryError, match="hub init"):
        Signer(engine).sign(BODY, typ="ack", audience="station:s1")
    engine.dispose()
