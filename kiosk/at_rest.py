"""What an earlier version left readable on the card goes at the first start of this one: the roster, faces, bookings and names.

It kept the directory as one value, with these parts as they are. What it had deleted lies in the free pages of the journal's file
besides, and in the files of journals that were moved aside.
"""

import logging
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from msgspec import structs

from contract.codec import BadMessage, Message, decoder, encode
from contract.directory import PARTS, Badges, Manifest, hash_part
from kiosk import journal_file as file
from kiosk.directory_keeper import MANIFEST_KEY, PART_KEY
from kiosk.journal import Journal, JournalUnavailable

_log = logging.getLogger(__name__)
FORMER_KEY = "directory"
"""Under which the whole directory was kept."""
_SCRUB = b"scrub"
"""In its place from when it is gone until the file has been written anew, whenever the power is cut."""


class _Former(Message, frozen=True, kw_only=True):
    parts: dict[str, bytes]


def clear_plain(journal: Journal) -> None:
    """Keep of an earlier version's directory what tells nobody, and leave no trace of the rest. Never raises: the gate goes on,
    and the next start tries again."""
    try:
        former = journal.kept(FORMER_KEY)
        if former is None:
            return
        if former != _SCRUB:
            journal.keep_all({**_without_people(former, journal.kept(MANIFEST_KEY) or b""), FORMER_KEY: _SCRUB})
        _clear_aside(journal.path)
        if journal.scrub():
            journal.forget(FORMER_KEY)
            _log.info("the roster that an earlier version kept in the clear is gone from %s", journal.path)
    except JournalUnavailable as error:
        _log.warning("what an earlier version kept in the clear is still there, until the next start: %s", error)


def _without_people(former: bytes, manifest: bytes) -> dict[str, bytes]:
    """What is kept instead: the parts there still are, the badges without names, and a manifest of these."""
    try:
        known: Manifest = _manifest(manifest)
        parts = {name: data for name, data in _former(former).parts.items() if name in PARTS}
        parts |= {"badges": _nameless(parts["badges"])} if "badges" in parts else {}
    except BadMessage:
        return {}
    hashes = {name: hash_part(parts[name]) if name in parts else named for name, named in known.parts.items() if name in PARTS}
    kept: Mapping[str, bytes] = {PART_KEY + name: data for name, data in parts.items()}
    return {**kept, MANIFEST_KEY: encode(structs.replace(known, parts=hashes))}


def _nameless(badges: bytes) -> bytes:
    known: Badges = _badges(badges)
    return encode(Badges(badges=tuple(structs.replace(one, name="") for one in known.badges)))


def _clear_aside(path: Path) -> None:
    """The journals that were moved aside hold no directory any more; one too damaged for that is named, and stays as it is."""
    for old in sorted(path.parent.glob(f"{path.name}.*-*")):
        if old.name.endswith(("-wal", "-shm", "-journal")):
            continue
        try:
            with closing(file.connect(old)) as db:
                db.execute("DELETE FROM kept WHERE key = ?", (FORMER_KEY,))
                file.scrub(db)
        except sqlite3.Error as error:
            _log.warning("%s may hold a roster in the clear, and can't be cleared (%s): delete it when you can", old, error)


_manifest: Callable[[bytes], Manifest] = decoder(Manifest)
_former: Callable[[bytes], _Former] = decoder(_Former)
_badges: Callable[[bytes], Badges] = decoder(Badges)
