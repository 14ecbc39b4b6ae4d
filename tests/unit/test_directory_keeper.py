"""The directory: whole or not at all, never back to an older one, in whatever order a broker gives what it kept."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.codec import BadMessage, encode
from contract.directory import Colours, Directory, Manifest, Notice, Notices, make_manifest, split
from contract.events import Clock
from kiosk.directory_keeper import DirectoryKeeper, load_kept_directory
from kiosk.journal import Journal

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path, boot="b", clock=lambda: (DAY, Clock.SYNCED, 0)) as opened:
        yield opened


def directory(version: int) -> Directory:
    return Directory(
        version=version,
        colours=Colours(default=f"c{version // 2}"),
        notices=Notices(notices=(Notice(id=f"n{version}", zh="通知"),)),
    )


def manifest(version: int, hours: int = 0) -> Manifest:
    return make_manifest("c1", directory(version), DAY + timedelta(hours=hours))


def give(keeper: DirectoryKeeper, version: int) -> Directory | None:
    got = keeper.take_manifest(encode(manifest(version)))
    for name, data in split(directory(version)).items():
        got = keeper.take_part(name, data) or got
    return got


def test_it_is_whole_when_the_last_part_arrives(journal: Journal) -> None:
    got = give(DirectoryKeeper(journal, "c1"), 3)
    assert got == msgspec.structs.replace(directory(3), issued_at=DAY) == load_kept_directory(journal)


def test_signed_again_it_needs_no_part(journal: Journal) -> None:
    give(DirectoryKeeper(journal, "c1"), 3)
    again = DirectoryKeeper(journal, "c1").take_manifest(encode(manifest(3, hours=1)))
    assert again == msgspec.structs.replace(directory(3), issued_at=DAY + timedelta(hours=1)) == load_kept_directory(journal)


def test_the_same_manifest_says_nothing_new(journal: Journal) -> None:
    keeper = DirectoryKeeper(journal, "c1")
    give(keeper, 3)
    assert keeper.take_manifest(encode(manifest(3))) is None


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (manifest(2), "older than 3"),
        (msgspec.structs.replace(manifest(4), compound="c2"), "for c2"),
        (msgspec.structs.replace(manifest(4), v=2), "version 2"),
    ],
)
def test_a_wrong_manifest_is_refused(journal: Journal, wrong: Manifest, why: str) -> None:
    keeper = DirectoryKeeper(journal, "c1")
    give(keeper, 3)
    with pytest.raises(BadMessage, match=why):
        keeper.take_manifest(encode(wrong))


def test_an_altered_part_is_named_and_the_right_one_still_taken(journal: Journal) -> None:
    keeper = DirectoryKeeper(journal, "c1")
    parts = split(directory(3))
    for name, data in parts.items():
        keeper.take_part(name, data + b" " * (name == "keys"))
    with pytest.raises(BadMessage, match="part keys is not the one"):
        keeper.take_manifest(encode(manifest(3)))
    assert load_kept_directory(journal) is None
    assert keeper.take_part("keys", parts["keys"]) is not None


def test_what_is_kept_and_damaged_is_as_good_as_none(journal: Journal) -> None:
    give(DirectoryKeeper(journal, "c1"), 3)
    journal.keep("part:keys", b"{}")
    assert load_kept_directory(journal) is None


STREAM = [
    (name, data)
    for version in range(1, 5)
    for name, data in [
        *split(directory(version)).items(),
        *(("manifest", encode(manifest(version, hours))) for hours in range(2)),
    ]
]


@settings(max_examples=40, deadline=None)
@given(heard=st.integers(0, 3).map(lambda n: n * len(STREAM) // 4 - (n > 0)), away=st.integers(0, 15), seed=st.integers(0, 2**32))
def test_it_ends_with_the_newest_wherever_the_connection_broke(
    tmp_path_factory: pytest.TempPathFactory, heard: int, away: int, seed: int
) -> None:
    with Journal(tmp_path_factory.mktemp("journal"), boot="b", clock=lambda: (DAY, Clock.SYNCED, 0)) as journal:
        keeper = DirectoryKeeper(journal, "c1")
        _hear(keeper, STREAM[:heard])  # all but the last signing of a version
        back = heard + away
        retained = list(dict(STREAM[:back]).items())
        random.Random(seed).shuffle(retained)  # a broker gives what it retains in any order
        _hear(keeper, retained)
        _hear(keeper, STREAM[back:])
        assert load_kept_directory(journal) == msgspec.structs.replace(directory(4), issued_at=DAY + timedelta(hours=1))


def _hear(keeper: DirectoryKeeper, messages: list[tuple[str, bytes]]) -> None:
    for name, data in messages:
        try:
            keeper.take_manifest(data) if name == "manifest" else keeper.take_part(name, data)
        except BadMessage:
            continue
