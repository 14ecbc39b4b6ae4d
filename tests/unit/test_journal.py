"""The journal: nothing committed is lost, nothing is half written, and what can't be written is refused in plain words."""

import itertools
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.events import Clock, Direction, Entry, Event, HelpCalled, JournalBegun, Outcome
from contract.messages import Ack
from contract.ranges import clip, merge, missing, size, subtract
from kiosk import journal_file, journal_repair
from kiosk.journal import Journal, JournalUnavailable
from kiosk.ranges import acknowledged_by, fork_point

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
ENTRY = Entry(direction=Direction.IN, outcome=Outcome.ADMIT)


class Ticking:
    """A clock that goes on by a minute each time it is read."""

    def __init__(self) -> None:
        self.ticks = itertools.count()

    def __call__(self) -> tuple[datetime, Clock, int]:
        tick = next(self.ticks)
        return START + timedelta(minutes=tick), Clock.SYNCED, tick * 60_000_000_000


def open_journal(folder: Path) -> Journal:
    return Journal(folder, boot="boot-1", clock=Ticking(), min_free_bytes=0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with open_journal(tmp_path) as opened:
        yield opened


def ack(journal: Journal, upto: int = 0, *ranges: tuple[int, int], epoch: str = "e1", fork_at: int | None = None) -> Ack:
    return Ack(journal=journal.id, store_epoch=epoch, upto=upto, ranges=ranges, fork_at=fork_at)


def seqs(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(statement)


def test_a_new_journal_begins_by_saying_so(journal: Journal) -> None:
    (first,) = journal.all_events()
    assert first.body == JournalBegun(reason="new")
    assert (journal.first_seq, journal.last_seq, journal.backlog()) == (1, 1, 1)


def test_events_are_numbered_in_order_and_are_there_after_a_restart(journal: Journal, tmp_path: Path) -> None:
    written = journal.append(ENTRY, HelpCalled())
    assert seqs(list(written)) == [2, 3]
    journal.close()
    with open_journal(tmp_path) as again:
        assert again.id == journal.id
        assert again.events(after=1) == list(written)
        assert seqs(list(again.append(ENTRY))) == [4]


def test_the_first_event_takes_the_id_that_something_was_sealed_to(journal: Journal) -> None:
    first, second = journal.append(ENTRY, HelpCalled(), first_id="sealed-to")
    assert first.id == "sealed-to" != second.id
    assert journal.tail(2) == [first, second]
    assert journal.append() == ()


def test_events_can_be_read_from_anywhere(journal: Journal) -> None:
    journal.append(*[ENTRY] * 9)
    assert seqs(journal.events(after=3, limit=2)) == [4, 5]
    assert seqs(journal.events(after=7, upto=9)) == [8, 9]
    assert seqs(journal.tail(3)) == [8, 9, 10]
    assert seqs(list(journal.all_events())) == list(range(1, 11))


def test_events_are_committed_all_or_none(journal: Journal) -> None:
    (taken,) = journal.append(ENTRY)
    ids = iter(["fresh", taken.id])
    journal._new_id = lambda: next(ids)
    with pytest.raises(JournalUnavailable):
        journal.append(ENTRY, ENTRY)
    assert seqs(list(journal.all_events())) == [1, 2]
    assert journal.last_seq == 2


class TestRefusals:
    """What keeps the journal from being written is named, with what to do; it is all there and goes on afterwards."""

    def test_locked(self, journal: Journal) -> None:
        journal._db.execute("PRAGMA busy_timeout=50")
        with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(JournalUnavailable, match="another program holds it") as refused:
                journal.append(ENTRY)
            assert refused.value.reason == journal.probe() == "journal_locked"
            assert str(journal.path) in str(refused.value)
            other.execute("ROLLBACK")
        assert journal.probe() is None
        assert seqs(list(journal.append(ENTRY))) == [2]

    def test_read_only(self, journal: Journal) -> None:
        journal._db.execute("PRAGMA query_only=ON")
        with pytest.raises(JournalUnavailable, match="make the folder writable") as refused:
            journal.append(ENTRY)
        assert refused.value.reason == journal.probe() == "journal_read_only"
        journal._db.execute("PRAGMA query_only=OFF")
        assert seqs(list(journal.append(ENTRY))) == [2]

    def test_full(self, journal: Journal) -> None:
        pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
        journal._db.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(JournalUnavailable, match="free some space") as refused:
            journal.append(*[ENTRY] * 500)
        assert refused.value.reason == "disk_full"
        journal._db.execute("PRAGMA max_page_count=1000000")
        assert seqs(list(journal.append(ENTRY))) == [2]

    def test_low(self, tmp_path: Path) -> None:
        with Journal(tmp_path, boot="b", clock=Ticking(), min_free_bytes=2**62) as journal:
            assert journal.probe() == "disk_low"

    def test_no_folder_can_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(JournalUnavailable, match="file"):
            open_journal(tmp_path / "file" / "journal")

    def test_two_stations_on_one_folder(self, journal: Journal, tmp_path: Path) -> None:
        with open_journal(tmp_path) as other:
            other.append(ENTRY)
            with pytest.raises(JournalUnavailable, match="run one station on a folder"):
                journal.append(HelpCalled())


class TestAcknowledging:
    """Only what the hub says it has committed is acknowledged."""

    def test_up_to_and_ranges(self, journal: Journal) -> None:
        journal.append(*[ENTRY] * 9)
        journal.acknowledge(ack(journal, 3, (6, 7)))
        assert seqs(journal.unacknowledged(10)) == [4, 5, 8, 9, 10]
        assert seqs(journal.unacknowledged(4)) == [4, 5, 8, 9]
        assert seqs(journal.unacknowledged(4, newest_first=True)) == [10, 9, 8, 5]
        assert journal.backlog() == 5

    def test_it_is_there_after_a_restart(self, journal: Journal, tmp_path: Path) -> None:
        journal.append(*[ENTRY] * 9)
        journal.acknowledge(ack(journal, 3, (6, 7)), keep={"counter:ack": b"5"})
        journal.close()
        with open_journal(tmp_path) as again:
            assert again.acknowledged == ((1, 3), (6, 7))
            assert again.kept("counter:ack") == b"5"

    def test_a_new_life_of_the_store_may_go_back(self, journal: Journal) -> None:
        journal.append(*[ENTRY] * 9)
        journal.acknowledge(ack(journal, 10))
        journal.acknowledge(ack(journal, 4))
        assert journal.backlog() == 0
        journal.acknowledge(ack(journal, 4, epoch="e2"))
        assert seqs(journal.unacknowledged(10)) == [5, 6, 7, 8, 9, 10]

    def test_what_was_never_written_is_not_acknowledged(self, journal: Journal) -> None:
        journal.acknowledge(ack(journal, 100, (200, 300)))
        journal.append(ENTRY)
        assert seqs(journal.unacknowledged(10)) == [1, 2]

    def test_another_journal_is_none_of_ours(self, journal: Journal) -> None:
        journal.acknowledge(Ack(journal="another", store_epoch="e1", upto=1))
        assert journal.backlog() == 1

    @settings(max_examples=30, deadline=None)
    @given(
        acks=st.lists(
            st.tuples(
                st.integers(0, 40),
                st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 40)), max_size=4),
                st.sampled_from("ab"),
            ),
            max_size=6,
        )
    )
    def test_nothing_is_lost_or_left_over(self, tmp_path_factory: pytest.TempPathFactory, acks: list) -> None:
        with open_journal(tmp_path_factory.mktemp("journal")) as journal:
            journal.append(*[ENTRY] * 29)
            stored: set[int] = set()
            epoch = ""
            for upto, ranges, new_epoch in acks:
                stored = stored if epoch == new_epoch else set()
                epoch = new_epoch
                told = set(range(1, upto + 1)).union(*(range(max(a, 1), b + 1) for a, b in ranges if a >= 1))
                stored |= told if max(told, default=0) <= 30 else set()
                journal.acknowledge(ack(journal, upto, *ranges, epoch=epoch))
            left = set(range(1, 31)) - stored
            assert seqs(journal.unacknowledged(100)) == sorted(left)
            assert journal.backlog() == len(left)


class TestPurging:
    def test_only_what_is_old_and_acknowledged_goes(self, journal: Journal) -> None:
        journal.append(*[ENTRY] * 4)
        journal.append(ENTRY)
        journal.acknowledge(ack(journal, 3, (5, 5)))
        assert journal.purge(START + timedelta(days=1)) == 3
        assert seqs(list(journal.all_events())) == [4, 5, 6]
        assert journal.check() == []

    def test_what_is_young_stays(self, journal: Journal) -> None:
        young = [journal.append(ENTRY)[0] for _ in range(4)][1]
        journal.acknowledge(ack(journal, 5))
        assert journal.purge(young.at) == 2
        assert seqs(list(journal.all_events())) == [3, 4, 5]

    def test_no_number_is_given_twice(self, journal: Journal, tmp_path: Path) -> None:
        journal.append(ENTRY, ENTRY)
        journal.acknowledge(ack(journal, 3))
        journal.purge(START + timedelta(days=365))
        journal.close()
        with open_journal(tmp_path) as again:
            assert seqs(list(again.append(ENTRY))) == [4]
            assert again.backlog() == 1


class TestForking:
    """A restored or cloned card goes on under another journal, and its events are sent again under that."""

    def test_the_events_from_the_fork_on_go_with_it(self, journal: Journal, tmp_path: Path) -> None:
        before = journal.id
        old = journal.append(*[ENTRY] * 4)
        journal.keep("counter:ack", b"7")
        journal.acknowledge(ack(journal, 3))
        journal.acknowledge(ack(journal, 9, fork_at=4))
        aside = journal.fork(4)
        events = list(journal.all_events())
        assert journal.id != before
        assert events[0].body == JournalBegun(reason="fork", previous=before, previous_seq=3)
        assert [e.id for e in events[1:]] == [e.id for e in old[2:]]
        assert seqs(events) == [1, 2, 3] == seqs(journal.unacknowledged(9))
        assert journal.kept("counter:ack") == b"7"
        assert seqs(list(journal.append(ENTRY))) == [4]
        assert aside.parent == tmp_path
        with closing(sqlite3.connect(aside)) as kept:
            assert kept.execute("SELECT count(*) FROM journal").fetchone() == (5,)

    def test_what_the_hub_lacks_from_before_goes_with_it_too(self, journal: Journal) -> None:
        old = journal.append(*[ENTRY] * 4)
        journal.acknowledge(ack(journal, 2, (4, 4)))
        journal.fork(5)
        assert [e.id for e in journal.events(after=1)] == [old[1].id, old[3].id]

    @pytest.mark.parametrize("fork_at", [None, 6])
    def test_an_acknowledgement_of_another_life_is_not_taken_for_ours(self, journal: Journal, fork_at: int | None) -> None:
        journal.append(ENTRY)
        journal.acknowledge(ack(journal, 2))
        unsent = journal.append(*[ENTRY] * 3)
        told = ack(journal, 9, fork_at=fork_at)
        journal.acknowledge(told)
        journal.fork(fork_point(told, journal.last_seq) or 0)
        assert [e.id for e in journal.events(after=1)] == [e.id for e in unsent]

    def test_nobody_else_may_have_it_open(self, tmp_path: Path) -> None:
        with open_journal(tmp_path) as first, open_journal(tmp_path) as second:
            with pytest.raises(JournalUnavailable, match="another program") as refused:
                second.fork(1)
            assert refused.value.reason == "journal_locked"
            first.fork(1)

    def test_beyond_the_end(self, journal: Journal) -> None:
        journal.acknowledge(ack(journal, 1))
        journal.fork(2)
        assert seqs(list(journal.all_events())) == [1]

    def test_a_power_cut_between_the_two_renames_is_made_good(self, journal: Journal, tmp_path: Path) -> None:
        journal.append(ENTRY)
        journal.fork(2)
        journal.close()
        path = journal.path
        path.rename(path.with_name("journal.db.new"))
        with open_journal(tmp_path) as again:
            assert again.id == journal.id
            assert seqs(list(again.all_events())) == [1, 2, 3]

    def test_a_power_cut_before_them_leaves_the_old_one(self, journal: Journal, tmp_path: Path) -> None:
        journal.append(ENTRY)
        journal.close()
        (tmp_path / "journal.db.new").write_bytes(b"half of a file")
        with open_journal(tmp_path) as again:
            assert again.id == journal.id
        assert not (tmp_path / "journal.db.new").exists()

    @pytest.mark.parametrize(
        ("upto", "ranges", "fork_at", "last", "at"),
        [
            (5, (), None, 5, None),
            (5, (), None, 9, None),
            (9, (), None, 5, 6),
            (2, ((4, 9),), None, 5, 6),
            (9, (), 3, 5, 3),
            (0, (), 0, 5, 1),
        ],
    )
    def test_where_to_fork(self, upto: int, ranges: tuple, fork_at: int | None, last: int, at: int | None) -> None:
        assert fork_point(Ack(journal="j", store_epoch="e", upto=upto, ranges=ranges, fork_at=fork_at), last) == at


class TestDamage:
    """A damaged file is moved aside, what can be read of it is carried over, and the station works."""

    def test_not_a_database(self, journal: Journal, tmp_path: Path) -> None:
        journal.close()
        journal.path.write_bytes(b"no database at all" * 1000)
        with open_journal(tmp_path) as again:
            assert [e.body for e in again.all_events()] == [JournalBegun(reason="corrupt")]
            again.append(ENTRY)
        assert (tmp_path / "journal.db.corrupt-1").read_bytes().startswith(b"no database")
        assert open_journal(tmp_path).last_seq == 2

    def test_one_bad_page(self, journal: Journal, tmp_path: Path) -> None:
        written = journal.append(*[ENTRY] * 200)
        journal.acknowledge(ack(journal, 20), keep={"counter:ack": b"7"})
        journal.close()
        with journal.path.open("r+b") as file:
            file.seek(-4096, 2)
            file.write(b"\xff" * 4096)
        with open_journal(tmp_path) as again:
            first, *carried = again.all_events()
            assert first.body == JournalBegun(reason="corrupt", previous=journal.id)
            assert again.kept("counter:ack") == b"7"
            assert {e.id for e in carried} <= {e.id for e in written[19:]}
            assert len(carried) > 50
            assert again.check() == []

    def test_an_empty_file_is_as_good_as_none(self, tmp_path: Path) -> None:
        (tmp_path / "journal.db").touch()
        with open_journal(tmp_path) as journal:
            assert [e.body for e in journal.all_events()] == [JournalBegun(reason="new")]

    @pytest.mark.parametrize("body", ['{"kind": "unheard_of"}', "no JSON {", '{"kind": "entry"}'])
    def test_an_event_that_cant_be_read_is_named_and_still_sent(self, journal: Journal, body: str) -> None:
        journal.append(ENTRY, ENTRY)
        journal._db.execute("UPDATE journal SET body = ? WHERE seq = 2", (body,))
        assert seqs(list(journal.all_events())) == [1, 3]
        assert [r for r in journal.check() if r.startswith("event 2 can't be read")] == journal.check()
        line = journal.lines(2, 2)[0]
        assert line.data.startswith(b'{"seq":2,"id":"')

    def test_a_gap_is_reported(self, journal: Journal) -> None:
        journal.append(*[ENTRY] * 5)
        journal._db.execute("DELETE FROM journal WHERE seq IN (3, 4)")
        assert journal.check() == ["events 3 to 4 are missing"]


def test_values_are_kept_and_forgotten(journal: Journal) -> None:
    journal.keep_all({"photo:b": b"2", "photo:a": b"1", "x": b"\x00"})
    assert journal.kept_under("photo:") == {"photo:a": b"1", "photo:b": b"2"}
    assert journal.kept_under("photo:", limit=1) == {"photo:a": b"1"}
    journal.forget("photo:a")
    assert journal.kept("photo:a") is None
    assert journal.kept("x") == b"\x00"


def test_the_disk_has_it_when_append_returns(journal: Journal) -> None:
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_was_committed_outlives_a_killed_process(tmp_path: Path) -> None:
    code = """if True:
        import sys, time
        from pathlib import Path
        from datetime import UTC, datetime
        from contract.events import Clock, HelpCalled
        from kiosk.journal import Journal
        journal = Journal(Path(sys.argv[1]), boot="b", clock=lambda: (datetime.now(UTC), Clock.SYNCED, time.monotonic_ns()))
        while True:
            print(journal.append(HelpCalled())[0].id, flush=True)
    """
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    shown = [process.stdout.readline().strip() for _ in range(40)]
    process.kill()
    shown += process.communicate()[0].split()
    with open_journal(tmp_path) as journal:
        assert journal.check() == []
        assert {id_ for id_ in shown if len(id_) == 36} <= {event.id for event in journal.all_events()}


def test_a_journal_that_is_being_made_is_not_taken_for_one(tmp_path: Path) -> None:
    fresh = tmp_path / "journal.db.new"
    execute(fresh, "CREATE TABLE journal (seq INTEGER)")
    journal_repair.finish_replacing(tmp_path / "journal.db")
    assert list(tmp_path.iterdir()) == []
    assert journal_file.TABLES.keys() == {"journal", "acknowledged", "kept"}


spans = st.lists(st.tuples(st.integers(-3, 60), st.integers(-3, 60)), max_size=8)


def numbers(ranges: tuple[tuple[int, int], ...] | list[tuple[int, int]]) -> set[int]:
    return {n for a, b in ranges if a >= 1 for n in range(a, b + 1)}


@given(one=spans, other=spans, first=st.integers(1, 50), last=st.integers(0, 70))
def test_ranges_are_sets_of_numbers(one: list, other: list, first: int, last: int) -> None:
    merged = merge(one)
    assert numbers(merged) == numbers(one)
    assert all(b + 1 < c for (_, b), (c, _) in itertools.pairwise(merged))
    assert size(merged) == len(numbers(one))
    assert numbers(clip(one, last)) == {n for n in numbers(one) if n <= last}
    assert numbers(missing(merged, first, last)) == set(range(first, last + 1)) - numbers(one)
    assert numbers(subtract(merged, other)) == numbers(one) - numbers(other)


@pytest.mark.parametrize(("fork_at", "last_seq", "covered"), [(None, 12, ((1, 9), (11, 12))), (5, 12, ()), (None, 11, ())])
def test_what_tells_of_a_fork_acknowledges_nothing(fork_at: int | None, last_seq: int, covered: tuple) -> None:
    ack = Ack(journal="j", store_epoch="e", upto=9, ranges=((11, 12),), fork_at=fork_at)
    assert acknowledged_by(ack, last_seq) == covered
