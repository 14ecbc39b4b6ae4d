"""What an earlier version kept in the clear is gone from the card after the first start of this one, and the gate goes on."""

import base64
import logging
import random
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.codec import encode
from contract.directory import (
    Badge,
    Badges,
    Colours,
    Directory,
    Dwelling,
    Faces,
    Manifest,
    Roster,
    RosterHolder,
    hash_part,
    make_manifest,
    split,
)
from contract.events import Clock
from kiosk.at_rest import clear_plain
from kiosk.directory_keeper import DirectoryKeeper, load_kept_directory
from kiosk.journal import Journal

DAY = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = ("欧阳*甫", "夏侯*昭", "司徒*宁")
"""On the card as the earlier version left them: the roster's in force, one of a directory before it, a badge's."""
KEPT = Directory(version=4, colours=Colours(default="blue"), badges=Badges(badges=(Badge(id="b1", pin="hash"),)))


def opened(folder: Path) -> Journal:
    return Journal(folder, boot="b", clock=lambda: (DAY, Clock.SYNCED, 0))


def former(name: str, version: int) -> dict[str, bytes]:
    """A directory as the earlier version kept it: one value, with roster and faces as they are."""
    faces = {"0a": base64.b64encode(random.Random(1).randbytes(9_000)).decode()}
    rooms = tuple(Dwelling(building="3号", room=str(n), holders=(RosterHolder(pass_id="0a", name=name),)) for n in range(200))
    badges = Badges(badges=(Badge(id="b1", name=NAMES[2], pin="hash"),))
    people = {"roster": encode(Roster(dwellings=rooms)), "faces": encode(Faces(faces=faces)), "badges": encode(badges)}
    parts = split(Directory(version=version, colours=Colours(default="blue"))) | people
    parts = {key: data for key, data in parts.items() if not key.startswith("sealed_")}
    manifest = Manifest(
        compound="c1", version=version, issued_at=DAY, parts={key: hash_part(data) for key, data in parts.items()}
    )
    return {"manifest": encode(manifest), "directory": encode({"parts": parts})}


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """The card of a station that ran the earlier version for a while, and forked once."""
    with opened(tmp_path) as journal:
        journal._db.execute("PRAGMA secure_delete=OFF").fetchall()  # as it was
        journal.keep_all(former(NAMES[1], 3))
        journal.fork(1)
        journal._db.execute("PRAGMA secure_delete=OFF").fetchall()
        journal.keep_all(former(NAMES[1], 3))
        journal.keep_all(former(NAMES[0], 4))
    return tmp_path


def found_on(card: Path) -> set[str]:
    """The names that the files hold, as they are or in base64."""
    files = b"".join(path.read_bytes() for path in sorted(card.rglob("*")) if path.is_file())
    return {name for name in NAMES if any(one in files for one in written(name))}


def written(name: str) -> list[bytes]:
    raw = name.encode()
    shifted = (base64.b64encode(b"\0" * n + raw)[-(-4 * n // 3) : -4 if (n + len(raw)) % 3 else None] for n in range(3))
    return [raw, *shifted]


def test_the_search_finds_what_the_earlier_version_left(card: Path) -> None:
    assert found_on(card) == set(NAMES)
    assert len(list(card.glob("journal.db.forked-1"))) == 1


def test_it_is_gone_at_the_first_start_and_the_rest_is_in_force(card: Path) -> None:
    with opened(card) as journal:
        clear_plain(journal)
        assert found_on(card) == set(), "while the station runs"
        known = load_kept_directory(journal)
        assert known is not None
        assert (known.version, known.colours, known.badges) == (4, KEPT.colours, KEPT.badges)
        assert known.issued_at == DAY
        assert journal.check() == []
    assert found_on(card) == set()
    with sqlite3.connect(card / "journal.db.forked-1") as aside:
        assert aside.execute("SELECT count(*) FROM journal").fetchone() == (1,)
    aside.close()


def test_the_second_start_has_nothing_to_do(card: Path) -> None:
    with opened(card) as journal:
        clear_plain(journal)
        journal.scrub = lambda: pytest.fail("written anew")  # type: ignore[method-assign]
        clear_plain(journal)
        assert journal.kept("directory") is None


def test_a_power_cut_before_the_file_was_written_anew_is_made_good(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(card) as journal, monkeypatch.context() as broken:
        broken.setattr(journal, "scrub", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            clear_plain(journal)
    with opened(card) as journal:
        clear_plain(journal)
        assert load_kept_directory(journal) is not None
    assert found_on(card) == set()


def test_while_another_program_reads_it_is_tried_again_at_the_next_start(card: Path) -> None:
    with opened(card) as journal:
        reader = sqlite3.connect(card / "journal.db")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM kept").fetchone()
        clear_plain(journal)
        assert journal.kept("directory") is not None
        reader.close()
        assert load_kept_directory(journal) is not None
        clear_plain(journal)
        assert journal.kept("directory") is None
    assert found_on(card) == set()


def test_a_journal_too_damaged_to_be_cleared_is_named(card: Path, caplog: pytest.LogCaptureFixture) -> None:
    (card / "journal.db.corrupt-1").write_bytes(b"no database " * 100)
    with opened(card) as journal, caplog.at_level(logging.WARNING):
        clear_plain(journal)
        assert journal.kept("directory") is None
    assert "journal.db.corrupt-1 may hold a roster in the clear" in caplog.text


def test_what_cannot_be_read_is_no_directory_and_goes_as_well(card: Path) -> None:
    with opened(card) as journal:
        journal.keep("directory", b'{"parts": "' + NAMES[0].encode() + b'"}')
        clear_plain(journal)
        assert load_kept_directory(journal) is None
    assert found_on(card) == set()


def test_the_hub_is_heard_as_before(card: Path) -> None:
    """The badges were written anew without their names, so their hash is not the published one: the broker's are taken."""
    with opened(card) as journal:
        clear_plain(journal)
        keeper = DirectoryKeeper(journal, "c1")
        newer = make_manifest("c1", KEPT, DAY + timedelta(hours=1))
        for name, data in split(KEPT).items():
            keeper.take_part(name, data)
        told = keeper.take_manifest(encode(newer))
        assert told is not None
        assert told.badges == KEPT.badges
