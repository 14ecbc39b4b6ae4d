"""Backup and restore: all of a hub in one file that shows any damage, and a hub that goes on from it without forgetting."""

import io
import json
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hub.store
from contract import signing
from contract.certifying import KeyUse
from contract.codec import encode
from contract.directory import Directory, make_manifest, split
from contract.events import Clock, Direction, Entry, Event, Outcome
from contract.messages import Ack, JournalBatch, Presence, raw_events
from contract.passes import PassKind
from hub import audit, revocations, tokens
from hub.backup import archive, making, restoring, sealed
from hub.backup.archive import Facts
from hub.backup.restoring import Restored
from hub.backup.sealed import BadBackup, Opening, Sealing
from hub.cli import main
from hub.config import Five, Located, load
from hub.intake import Received
from hub.journals import acknowledgement
from hub.judging import Judging
from hub.locking import in_use
from hub.registry import accounts, directory, keys, passes, station_certificates, versions
from hub.registry.errors import RegistryError
from hub.revocations import Ending, Thing
from hub.rights import Action, Role
from hub.signer import Signer
from hub.store import meta, migrate, open_store, tables
from hub.store.writing import writing
from hub.storing import Stored, store
from hub.vault import open_hub, vault_of
from hub.web import create_app
from kiosk.directory_keeper import DirectoryKeeper
from kiosk.journal import Journal

NOW = datetime.now(UTC).replace(microsecond=0)
MADE = NOW - timedelta(days=1)
PASSPHRASE = "five words of a passphrase"
ENTRY = Entry(direction=Direction.IN, outcome=Outcome.ADMIT)
CHEAP = 1
"""scrypt's cost where the passphrase is not what is tested."""


# ---- the file ----


def sealed_with(content: bytes, passphrase: str = PASSPHRASE) -> bytes:
    file = io.BytesIO()
    sealing = Sealing(file, passphrase, log_n=CHEAP)
    for first in range(0, len(content), 50):
        sealing.write(content[first : first + 50])
    sealing.close()
    return file.getvalue()


def opened(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    opening = Opening(io.BytesIO(data), passphrase)
    return b"".join(iter(lambda: opening.read(70), b""))


@pytest.fixture(scope="module")
def small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "CHUNK", 100)
        yield


@pytest.mark.usefixtures("small_chunks")
class TestFile:
    """Chunks of 100 bytes: what holds for these holds for larger ones."""

    @given(st.binary(max_size=450))
    def test_what_goes_in_comes_out(self, content: bytes) -> None:
        assert opened(sealed_with(content)) == content

    @pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 199, 200, 201])
    def test_about_the_edges_of_chunks(self, size: int) -> None:
        assert opened(sealed_with(bytes(size))) == bytes(size)

    @given(st.integers(0, 449), st.data())
    def test_every_flipped_bit_is_noticed(self, size: int, data: st.DataObject) -> None:
        made = bytearray(sealed_with(bytes(size)))
        at = data.draw(st.integers(0, len(made) - 1))
        made[at] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(BadBackup):
            opened(bytes(made))

    @given(st.integers(0, 449), st.data())
    def test_every_cut_is_noticed(self, size: int, data: st.DataObject) -> None:
        made = sealed_with(bytes(size))
        with pytest.raises(BadBackup):
            opened(made[: data.draw(st.integers(0, len(made) - 1))])

    @pytest.mark.parametrize("size", [100, 200, 350])
    def test_cut_between_two_chunks_it_says_that_its_end_is_missing(self, size: int) -> None:
        made = sealed_with(bytes(400))
        with pytest.raises(BadBackup, match="cut off: its end is missing"):
            opened(made[: sealed.HEADER + size // 100 * 116])

    def test_chunks_that_changed_places_or_files_and_bytes_behind_the_end_are_noticed(self) -> None:
        made, other = sealed_with(bytes(300)), sealed_with(bytes(300))
        first, second, third = (slice(sealed.HEADER + n * 116, sealed.HEADER + n * 116 + 116) for n in range(3))
        header = made[: sealed.HEADER]
        for wrong in (
            header + made[second] + made[first] + made[third],
            header + made[first] + made[third],
            header + other[first] + made[second] + made[third],
            made + b"\0",
        ):
            with pytest.raises(BadBackup, match="damaged"):
                opened(wrong)

    def test_another_passphrase_is_named_as_such(self) -> None:
        with pytest.raises(BadBackup, match="the passphrase is not that of this backup"):
            opened(sealed_with(b"x"), "five words of another one")

    def test_one_passphrase_typed_on_two_keyboards_is_one(self) -> None:
        assert opened(sealed_with(b"x", "cafe\u0301 au lait chaud"), "caf\u00e9 au lait chaud") == b"x"

    def test_no_two_files_are_alike_and_none_tells_its_content(self) -> None:
        content = b"a name, a phone, a plate"
        one, other = sealed_with(content), sealed_with(content)
        assert one[20:] != other[20:]
        assert content[:6] not in one

    @pytest.mark.parametrize("data", [b"", b"x", b"GATEPOST BACKUP\n", b"PK\x03\x04" + bytes(500)])
    def test_what_is_no_backup_is_refused(self, data: bytes) -> None:
        with pytest.raises(BadBackup):
            opened(data)


# ---- a hub ----


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with two compounds, a station, an account, two passes and a report, made once."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "hub.toml").write_text('name = "虹梅街道"\n[broker]\npassword = "x"\n', encoding="utf-8")
    located = load(folder / "hub.toml")
    vault_of(located).make_secret()
    engine = open_hub(located)
    migrate(engine)
    with writing(engine) as conn:
        furnish(conn, located)
    engine.dispose()
    (folder / "reports").mkdir()
    (folder / "reports" / "2026-11-23.pdf").write_bytes(b"%PDF of the 23rd")
    return folder


def furnish(conn: sa.Connection, located: Located) -> None:
    keys.ensure_keys(conn)
    conn.execute(sa.insert(tables.areas).values(id="a", name="北片区"))
    conn.execute(sa.insert(tables.committees).values(id="k", name="虹梅居委", area="a"))
    for id in ("c1", "c2"):
        conn.execute(sa.insert(tables.compounds).values(id=id, name=id, committee="k"))
    conn.execute(sa.insert(tables.gates).values(id="g1", name="东门", compound="c1"))
    conn.execute(sa.insert(tables.stations).values(id="s1", gate="g1", password="p", added_at=MADE))
    accounts.add_account(conn, "li", "李敏", Role.ADMIN)
    meta.store_epoch(conn)
    for name in ("王小明", "孙桂兰"):
        passes.issue(conn, located, kind=PassKind.RESIDENT, compound="c1", name=name, by="li", dwelling="3-502")


@pytest.fixture
def located(template: Path, tmp_path: Path) -> Located:
    folder = tmp_path / "hub"
    (folder / "reports").mkdir(parents=True, mode=0o700)
    for path in template.rglob("*.*"):
        (folder / path.relative_to(template)).write_bytes(path.read_bytes())
    (folder / "secret.key").chmod(0o600)
    return load(folder / "hub.toml")


@pytest.fixture
def engine(located: Located) -> Iterator[sa.Engine]:
    made = open_hub(located)
    yield made
    made.dispose()


def backup(located: Located, name: str = "hub.backup") -> Path:
    out = located.folder.parent / name
    making.make(located.folder / "hub.toml", out, PASSPHRASE, MADE, log_n=CHEAP)
    return out


def restored(file: Path, into: str = "again", **more: Any) -> tuple[Restored, Located]:
    folder = file.parent / into
    done = restoring.restore(file, folder, PASSPHRASE, NOW, **more)
    return done, load(folder / "hub.toml")


def rows(path: Path) -> dict[str, list[Any]]:
    """Every row of a store by table, but for what a restore changes."""
    with closing(sqlite3.connect(path)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(map(repr, db.execute(f'SELECT * FROM "{name}"'))) for name in {*names} - {"meta", "audit"}}


def test_a_restored_hub_has_every_row_and_file(located: Located, engine: sa.Engine) -> None:
    (located.folder / "uploads").mkdir()
    (located.folder / "uploads" / "li").write_bytes(b"sealed")
    _, again = restored(backup(located))
    assert rows(again.folder / "hub.db") == rows(located.folder / "hub.db")
    names = {path.relative_to(again.folder).as_posix() for path in again.folder.rglob("*") if path.is_file()}
    assert names == {"hub.toml", "hub.db", "secret.key", "reports/2026-11-23.pdf"}
    assert (again.folder / "reports/2026-11-23.pdf").read_bytes() == b"%PDF of the 23rd"
    assert {stat.S_IMODE((again.folder / name).stat().st_mode) for name in names} == {0o600}
    with open_hub(again).connect() as conn:
        assert keys.current(conn, keys.KeyUse.PASSES).private
        conn.engine.dispose()


def test_a_backup_tells_what_it_holds(located: Located) -> None:
    out = backup(located)
    found = archive.check(out, PASSPHRASE)
    assert (found.hub, found.made_at, found.facts.directories) == ("虹梅街道", MADE, {"c1": 2, "c2": 0})
    assert [one.name for one in found.members] == ["hub.toml", "store.sqlite", "secret.key", "reports/2026-11-23.pdf"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "虹梅".encode() not in out.read_bytes()
    assert sorted(path.name for path in out.parent.iterdir()) == ["hub", "hub.backup"]


def test_it_is_consistent_while_somebody_writes(located: Located, engine: sa.Engine) -> None:
    """Each transaction adds to two tables: a copy never has one without the other, and no writer waits for it to end."""
    began, over, counts = threading.Event(), threading.Event(), []

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            with writing(engine) as conn:
                conn.execute(sa.insert(tables.areas).values(id=f"w{number}", name="x" * 100))
                conn.execute(sa.insert(tables.committees).values(id=f"w{number}", name="x" * 100, area=f"w{number}"))
            began.set()
        counts.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    assert began.wait(20)
    files = [backup(located, f"{n}.backup") for n in range(3)]
    over.set()
    writer.join(20)
    held = []
    for n, file in enumerate(files):
        found = rows(restored(file, f"again{n}")[1].folder / "hub.db")
        assert len(found["areas"]) == len(found["committees"])
        held.append(len(found["areas"]) - 1)
    assert 1 <= held[0] <= held[1] <= held[2] <= counts[0]


@pytest.fixture(scope="module")
def made(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("backup") / "hub.backup"
    making.make(template / "hub.toml", out, PASSPHRASE, MADE, log_n=CHEAP)
    return out


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_to_a_real_backup_is_refused_and_nothing_is_laid_out(made: Path, data: st.DataObject) -> None:
    whole = made.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    damaged = made.with_name("damaged")
    damaged.write_bytes(whole[:at] if cut else whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
    with pytest.raises(BadBackup):
        archive.check(damaged, PASSPHRASE)
    with pytest.raises(BadBackup):
        restored(damaged)
    assert not (made.parent / "again").exists()


def test_another_passphrase_is_said(made: Path) -> None:
    with pytest.raises(BadBackup, match="the passphrase is not that of this backup"):
        archive.check(made, PASSPHRASE + "!")


def test_a_backup_that_would_not_open_again_is_not_made(located: Located) -> None:
    vault = located.folder / "secret.key"
    vault.unlink()
    with pytest.raises(RegistryError, match="secret"):
        backup(located)
    vault_of(located).make_secret()
    with pytest.raises(RegistryError, match="does not open with the secret"):
        backup(located)
    assert [path.name for path in located.folder.parent.iterdir()] == ["hub"]
    assert not list(located.folder.glob(".backup-*"))


def test_a_damaged_store_is_no_backup(located: Located) -> None:
    path = located.folder / "hub.db"
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(whole[:half] + os.urandom(20_000) + whole[half + 20_000 :])
    with pytest.raises(RegistryError, match="the store is damaged"):
        backup(located)


def test_a_file_that_is_there_stays(located: Located) -> None:
    out = backup(located)
    before = out.read_bytes()
    with pytest.raises(RegistryError, match="is there already"):
        backup(located)
    assert out.read_bytes() == before
    making.make(located.folder / "hub.toml", out, PASSPHRASE, MADE, force=True, log_n=CHEAP)
    assert out.read_bytes() != before


def test_a_short_passphrase_is_none(located: Located) -> None:
    with pytest.raises(RegistryError, match="it needs 12 at least"):
        making.make(located.folder / "hub.toml", located.folder / "out", "short", NOW)


# ---- a day later ----


def sent(engine: sa.Engine, journal: Journal, *events: Event) -> list[Stored]:
    """What a station sends, stored as the ingest stores it."""
    raw = raw_events(events)
    message = JournalBatch(journal=journal.id, boot=journal.boot, mono_ns=10**9, first_seq=events[0].seq, events=raw)
    received = Received(topic="gatepost/v1/station/s1/journal", payload=encode(message), at=NOW, retained=False)
    return store(engine, [received], NOW, Judging(lifetimes=LIFETIMES, zone=UTC))


LIFETIMES = Located(hub.config.HubSettings(five=Five()), Path()).lifetimes


def told(engine: sa.Engine, journal: Journal) -> Ack:
    with engine.connect() as conn:
        return acknowledgement(conn, journal.id)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "s1", boot="b1", clock=lambda: (MADE, Clock.SYNCED, 10**9), min_free_bytes=0) as opened:
        yield opened


def test_a_station_sends_the_lost_day_again_and_no_entry_is_there_twice(
    located: Located, engine: sa.Engine, journal: Journal
) -> None:
    journal.append(*[ENTRY] * 4)
    sent(engine, journal, *journal.all_events())
    file = backup(located)
    sent(engine, journal, *journal.append(*[ENTRY] * 3))
    journal.acknowledge(told(engine, journal))
    assert (journal.last_seq, journal.backlog()) == (8, 0)

    again = open_hub(restored(file)[1])
    birth = Presence(online=True, birth="x", boot="b1", journal=journal.id)
    heard = Received(topic="gatepost/v1/station/s1/presence", payload=encode(birth), at=NOW, retained=True)
    (stored,) = store(again, [heard], NOW, Judging(lifetimes=LIFETIMES, zone=UTC))
    assert stored.kept.owed == {journal.id: "s1"}, "told at once, though it has nothing new to send"
    ack = told(again, journal)
    assert (ack.upto, ack.store_epoch != told(engine, journal).store_epoch) == (5, True)
    journal.acknowledge(ack)
    assert journal.outstanding() == ((6, 8),)
    sent(again, journal, *journal.unacknowledged(100))
    journal.acknowledge(told(again, journal))
    assert journal.backlog() == 0
    with again.connect() as conn:
        assert conn.scalars(sa.select(tables.events.c.seq).order_by("seq")).all() == list(range(1, 9))
    again.dispose()


def test_the_journal_of_another_station_is_not_told(located: Located, engine: sa.Engine, journal: Journal) -> None:
    with writing(engine) as conn:
        conn.execute(sa.insert(tables.journals).values(id=journal.id, station="s9", first_heard=MADE))
    birth = Presence(online=True, birth="x", boot="b1", journal=journal.id)
    heard = Received(topic="gatepost/v1/station/s1/presence", payload=encode(birth), at=NOW, retained=False)
    (stored,) = store(engine, [heard], NOW, Judging(lifetimes=LIFETIMES, zone=UTC))
    assert stored.kept.owed == {}


def test_a_station_takes_the_directory_of_a_restored_hub_for_the_newest(
    located: Located, engine: sa.Engine, journal: Journal
) -> None:
    file, keeper = backup(located), DirectoryKeeper(journal, "c1")
    with writing(engine) as conn:
        for _ in range(500):
            versions.bump(conn, "c1")
        before = directory.build(conn, located, "c1", NOW)
    assert publish(keeper, before) == before.version > 500
    done, again = restored(file)
    with writing(open_hub(again)) as conn:
        after = directory.build(conn, again, "c1", NOW)
        conn.engine.dispose()
    assert publish(keeper, after) == after.version >= done.directories["c1"] > before.version


def publish(keeper: DirectoryKeeper, whole: Directory) -> int:
    """The parts first, then what names them, as the publisher does; the version that is then in force."""
    for name, data in split(whole).items():
        keeper.take_part(name, data)
    keeper.take_manifest(encode(make_manifest("c1", whole, NOW)))
    found = keeper.in_force()
    return 0 if found is None else found.version


def test_a_second_restore_goes_up_again(located: Located, engine: sa.Engine) -> None:
    file = backup(located)
    first, _ = restored(file)
    later = restoring.restore(file, file.parent / "later", PASSPHRASE, NOW + timedelta(minutes=1))
    assert all(first.directories[one] + 50_000_000 < later.directories[one] for one in ("c1", "c2"))
    assert first.store_epoch != later.store_epoch


def test_a_restored_hub_signs_above_all_that_it_sent(located: Located, engine: sa.Engine) -> None:
    """Though the lost hub's clock was eight hours ahead, as one that takes local time for UTC is."""
    file = backup(located)
    ahead = Signer(engine, clock_us=lambda: int((NOW + timedelta(hours=8)).timestamp() * 1e6))
    last = ahead.sign(Ack(journal="j", store_epoch="e", upto=1), typ="ack", audience="station:s1")
    again = open_hub(restored(file)[1])
    with again.connect() as conn:
        public = keys.message_keys(conn)
    first = Signer(again).sign(Ack(journal="j", store_epoch="e2", upto=0), typ="ack", audience="station:s1")
    _, counter = signing.open_signed(last, typ="ack", audience="station:s1", above=0, keys=public)
    assert signing.open_signed(first, typ="ack", audience="station:s1", above=counter, keys=public)[1] > counter
    again.dispose()


def test_sessions_of_before_are_over(located: Located, engine: sa.Engine) -> None:
    before = create_app(located, engine).secret_key
    again = restored(backup(located))[1]
    other = open_hub(again)
    assert create_app(again, other).secret_key != before
    other.dispose()


# ---- revoked since ----


def pass_ids(engine: sa.Engine) -> list[str]:
    with engine.connect() as conn:
        return [one.id for one in passes.list_passes(conn)]


def revoke(engine: sa.Engine, id: str) -> None:
    with writing(engine) as conn:
        passes.revoke(conn, id, "li")


def refused(located: Located, compound: str = "c1") -> set[str]:
    """The passes that stations are told to refuse."""
    engine = open_hub(located)
    with writing(engine) as conn:
        found = set(directory.build(conn, located, compound, NOW).revocations.ids)
    engine.dispose()
    return found


def test_what_was_revoked_since_the_backup_is_revoked_again(located: Located, engine: sa.Engine) -> None:
    first, second = pass_ids(engine)
    revoke(engine, first)
    file = backup(located)
    with writing(engine) as conn:
        newer = passes.issue(conn, located, kind=PassKind.WORKER, compound="c2", name="赵强", by="li").id
    revoke(engine, second)
    revoke(engine, newer)
    done, again = restored(file, log=located.folder / revocations.NAME)
    assert done.applied is not None
    assert ({one.pass_id for one in done.applied.again}, done.applied.unknown) == ({second, newer}, 1)
    assert refused(again) == {first, second}
    assert refused(again, "c2") == {newer}, "issued after the backup, and still good by its signature"
    other = open_hub(again)
    with other.connect() as conn:
        noted = {(line.account, line.object) for line in audit.lines(conn, 20) if line.action == "revoke_again"}
        assert (passes.find(conn, second).revoked_at, list(audit.broken(conn))) == (revoked_at(engine, second), [])
    other.dispose()
    assert noted == {("cli", second), ("cli", newer)}
    assert {one.pass_id for one in revocations.read(again.folder / revocations.NAME).passes} == {first, second, newer}


def revoked_at(engine: sa.Engine, id: str) -> datetime | None:
    with engine.connect() as conn:
        return passes.find(conn, id).revoked_at


def test_in_place_the_folders_own_log_counts(located: Located, engine: sa.Engine) -> None:
    file, (first, _) = backup(located), pass_ids(engine)
    revoke(engine, first)
    engine.dispose()
    done, again = restored(file, "hub", replace=True)
    assert refused(again) == {first}
    assert (done.aside is not None and (done.aside / "hub.db").exists(), done.log) == (True, again.folder / revocations.NAME)


def test_accounts_tokens_keys_and_certificates_that_ended_since_end_again(located: Located, engine: sa.Engine) -> None:
    before, after = MADE - timedelta(hours=1), MADE + timedelta(hours=1)
    with writing(engine) as conn:
        for id in ("wang", "zhao"):
            accounts.add_account(conn, id, id, Role.GUEST, expires_at=after + timedelta(days=30))
        token, _ = tokens.add(conn, name="墙", account="wang", actions=[Action.VIEW], at=before, expires_at=None)
        old = keys.current(conn, KeyUse.PASSES, before)
        request = station_request("s1")
        stolen = station_certificates.sign(conn, "s1", request, before).serial
    file = backup(located)
    with writing(engine) as conn:
        later = station_certificates.sign(conn, "s1", request, after).serial
        revocations.note(conn, Ending(what=Thing.ACCOUNT, id="zhao", at=before))  # and was let in again
        for what, id in ((Thing.ACCOUNT, "wang"), (Thing.ACCOUNT, "li"), (Thing.TOKEN, token), (Thing.KEY, old.kid)):
            revocations.note(conn, Ending(what=what, id=id, at=after))
        for serial in (stolen, later):
            revocations.note(conn, Ending(what=Thing.CERTIFICATE, id=serial, at=after, station="s1"))
    done, again = restored(file, log=located.folder / revocations.NAME)
    assert done.applied is not None
    assert {one.id for one in done.applied.ended} == {"wang", token, stolen, later}
    assert {one.id for one in done.applied.kept} == {"li", old.kid}, "the last administrator, and the only key"
    other = open_hub(again)
    with other.connect() as conn:
        assert {one.id for one in accounts.list_accounts(conn)} == {"li", "zhao"}
        assert tokens.listed(conn)[0].revoked_at == after
        assert {one.revoked_at for one in station_certificates.list_certificates(conn)} == {after}
    other.dispose()
    logged = revocations.read(again.folder / revocations.NAME)
    assert len(logged.endings) == 7


def test_what_ends_is_logged(located: Located, engine: sa.Engine) -> None:
    with writing(engine) as conn:
        accounts.add_account(conn, "wang", "王", Role.ADMIN)
        token, _ = tokens.add(conn, name="墙", account="wang", actions=[Action.VIEW], at=NOW, expires_at=None)
        first = keys.current(conn, KeyUse.SEALING, NOW)
        keys.make_key(conn, KeyUse.SEALING, None)
        serial = station_certificates.sign(conn, "s1", station_request("s1"), NOW).serial
    with writing(engine) as conn:
        tokens.revoke(conn, token, NOW)
        accounts.disable(conn, "wang")
        keys.retire(conn, first.kid)
        station_certificates.revoke(conn, "s1", "li", "stolen", NOW)
    logged = revocations.read(located.folder / revocations.NAME)
    assert [(one.what, one.id, one.station) for one in logged.endings] == [
        (Thing.TOKEN, token, ""), (Thing.ACCOUNT, "wang", ""), (Thing.KEY, first.kid, ""), (Thing.CERTIFICATE, serial, "s1"),
    ]  # fmt: skip


def station_request(station: str) -> str:
    """A request of a new key (PKCS #10)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, station)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def test_without_a_log_it_says_so(located: Located) -> None:
    assert restored(backup(located))[0].applied is None


def test_a_log_that_is_named_must_be_there(located: Located) -> None:
    with pytest.raises(FileNotFoundError):
        restored(backup(located), log=located.folder / "none.log")
    assert not (located.folder.parent / "again").exists()


def test_a_revocation_that_was_taken_back_is_not_logged(located: Located, engine: sa.Engine) -> None:
    first, second = pass_ids(engine)
    with engine.connect() as conn:
        passes.revoke(conn, first, "li")
        conn.rollback()
    assert not (located.folder / revocations.NAME).exists()
    revoke(engine, second)
    revoke(engine, second)
    logged = revocations.read(located.folder / revocations.NAME)
    assert ([one.pass_id for one in logged.passes], logged.unreadable) == ([second], 0)
    assert stat.S_IMODE((located.folder / revocations.NAME).stat().st_mode) == 0o600


def test_the_log_names_nobody(located: Located, engine: sa.Engine) -> None:
    revoke(engine, pass_ids(engine)[0])
    (line,) = (located.folder / revocations.NAME).read_text(encoding="utf-8").splitlines()
    assert set(json.loads(line)) == {"pass_id", "at", "by", "compound", "kind", "not_before", "expires"}


def test_a_torn_line_spoils_no_other(located: Located, engine: sa.Engine) -> None:
    first, second = pass_ids(engine)
    revoke(engine, first)
    path = located.folder / revocations.NAME
    path.write_bytes(path.read_bytes() + b'{"pass_id":"a')
    revoke(engine, second)
    logged = revocations.read(path)
    assert ([one.pass_id for one in logged.passes], logged.unreadable) == ([first, second], 1)


def test_a_log_that_cannot_be_written_keeps_nobody_in(
    located: Located, engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    (located.folder / revocations.NAME).mkdir()
    first = pass_ids(engine)[0]
    revoke(engine, first)
    assert refused(located) == {first}
    assert "a restore of an earlier backup would forget them" in caplog.text


def test_revocations_of_a_compound_that_is_gone_are_counted(located: Located, engine: sa.Engine) -> None:
    file = backup(located)
    with writing(engine) as conn:
        conn.execute(sa.insert(tables.compounds).values(id="c3", name="c3", committee="k"))
        newer = passes.issue(conn, located, kind=PassKind.WORKER, compound="c3", name="赵强", by="li").id
    revoke(engine, newer)
    done = restored(file, log=located.folder / revocations.NAME)[0]
    assert done.applied is not None
    assert (done.applied.again, done.applied.lost) == ((), 1)


# ---- what is refused ----


def test_a_folder_with_something_in_it_is_refused(located: Located) -> None:
    file = backup(located)
    before = rows(located.folder / "hub.db")
    with pytest.raises(RegistryError, match="is not empty"):
        restored(file, "hub")
    assert rows(located.folder / "hub.db") == before
    (file.parent / "empty").mkdir()
    assert restored(file, "empty")[1].folder.name == "empty"


def test_a_running_hub_is_not_replaced(located: Located, engine: sa.Engine) -> None:
    file = backup(located)
    with in_use(located.folder), pytest.raises(RegistryError, match="stop it first"):
        restored(file, "hub", replace=True)
    with engine.connect() as conn:  # a program that does not say that it uses the folder
        conn.execute(sa.select(tables.areas)).all()
        with pytest.raises(RegistryError, match="is in use"):
            restored(file, "hub", replace=True)
    engine.dispose()
    restored(file, "hub", replace=True)


def test_no_command_runs_in_a_folder_that_is_being_restored(located: Located, monkeypatch: pytest.MonkeyPatch) -> None:
    file, said = backup(located), []
    lay = restoring._lay_store

    def meanwhile(*given: Any) -> str:
        result = CliRunner().invoke(main, ["status", "--config", str(located.folder / "hub.toml")])
        said.append((result.exit_code, result.output))
        return lay(*given)

    monkeypatch.setattr(restoring, "_lay_store", meanwhile)
    restored(file, "hub", replace=True)
    assert said[0][0] == 2
    assert "is being restored" in said[0][1]


def test_what_was_there_is_put_aside_and_newer_reports_stay(located: Located, engine: sa.Engine) -> None:
    file = backup(located)
    with writing(engine) as conn:
        conn.execute(sa.insert(tables.areas).values(id="later", name="later"))
    engine.dispose()
    (located.folder / "reports" / "2026-11-24.pdf").write_bytes(b"%PDF of the 24th")
    before = rows(located.folder / "hub.db")
    done, again = restored(file, "hub", replace=True)
    assert done.aside is not None
    assert rows(done.aside / "hub.db") == before != rows(again.folder / "hub.db")
    assert {path.name for path in (again.folder / "reports").iterdir()} == {"2026-11-23.pdf", "2026-11-24.pdf"}


def test_a_damaged_store_can_be_replaced(located: Located) -> None:
    file = backup(located)
    (located.folder / "hub.db").write_bytes(b"\xff" * 50_000)
    done, again = restored(file, "hub", replace=True)
    assert "areas" in rows(again.folder / "hub.db")
    assert done.aside is not None


def test_a_clock_from_before_the_backup_is_refused(made: Path) -> None:
    with pytest.raises(RegistryError, match="set the clock first"):
        restoring.restore(made, made.parent / "again", PASSPHRASE, MADE - timedelta(seconds=1))
    assert not (made.parent / "again").exists()


def written(folder: Path, store: Path, schema: str) -> Path:
    """A backup as another version of the software would make it."""
    (folder / "hub.toml").write_text("", encoding="utf-8")
    facts = Facts(schema=schema, store_epoch="e", directories={}, counters={})
    sources = {"hub.toml": folder / "hub.toml", "store.sqlite": store}
    with (folder / "other.backup").open("wb") as file:
        archive.write(file, PASSPHRASE, sources, software="9", made_at=MADE, hub="", facts=facts, log_n=CHEAP)
    return folder / "other.backup"


def test_an_older_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    old = open_store(f"sqlite:///{tmp_path / 'old.db'}")
    with old.begin() as conn:
        command.upgrade(hub.store._alembic(conn), "0002")
        conn.exec_driver_sql("INSERT INTO areas (id, name) VALUES ('a', '北片区')")
    old.dispose()
    _, again = restored(written(tmp_path, tmp_path / "old.db", "0002"))
    engine = open_store(again.store_url)
    with engine.connect() as conn:
        assert hub.store.revision(conn) == max(hub.store.known_revisions()) > "0002"
        assert conn.scalars(sa.select(tables.areas.c.name)).all() == ["北片区"]
    engine.dispose()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "new.db").write_bytes(b"")
    with pytest.raises(RegistryError, match=r"Gatepost 9; its store .* is newer .* update Gatepost first"):
        restored(written(tmp_path, tmp_path / "new.db", "9999"))
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside", "hub.toml"])
def test_no_member_leaves_the_folder_or_comes_twice(tmp_path: Path, name: str) -> None:
    import tarfile

    with (tmp_path / "bad.backup").open("wb") as file:
        sealing = Sealing(file, PASSPHRASE, log_n=CHEAP)
        with tarfile.open(fileobj=sealing, mode="w|") as tar:  # type: ignore[call-overload]
            for one in ("hub.toml", name):
                tar.addfile(tarfile.TarInfo(one))
        sealing.close()
    with pytest.raises(BadBackup, match="has no place in one"):
        archive.extract(tmp_path / "bad.backup", PASSPHRASE, tmp_path / "into")
    assert not (tmp_path / "outside").exists()


# ---- the commands ----


def run(*words: str | Path, code: int = 0, input: str | None = None) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words], input=input)
    assert result.exit_code == code, result.output
    return result.output


def test_the_commands(located: Located, engine: sa.Engine, tmp_path: Path) -> None:
    word, out, config = tmp_path / "word", tmp_path / "out.backup", located.folder / "hub.toml"
    word.write_text(PASSPHRASE + "\n", encoding="utf-8")
    assert "chmod 600" in run("backup", "--config", config, "--out", out, "--passphrase-file", word, code=2)
    word.chmod(0o600)
    told = json.loads(run("backup", "--config", config, "--out", out, "--passphrase-file", word, "--json"))
    assert (told["hub"], told["bytes"]) == ("虹梅街道", out.stat().st_size)
    with engine.connect() as conn:
        assert [(line.action, line.object) for line in audit.lines(conn, 1)] == [("backup", "out.backup")]
    out = backup(located)  # the same at less cost
    assert "is whole" in run("backup", "--check", out, input=PASSPHRASE + "\n")
    assert "passphrase is not" in run("backup", "--check", out, input="another passphrase\n", code=2)
    revoke(engine, pass_ids(engine)[0])
    log = located.folder / revocations.NAME
    said = run("restore", out, "--into", tmp_path / "new", "--passphrase-file", word, "--revocations", log)
    assert f"1 from {log}" in said
    assert "systemctl start gatepost-hub.target" in said
    done = json.loads(run("restore", out, "--into", tmp_path / "next", "--passphrase-file", word, "--json"))
    assert (done["revocations"], "no revocations.log" in done["todo"][0]) == (None, True)
    assert "name one of them" in run("backup", "--config", config, code=2)
