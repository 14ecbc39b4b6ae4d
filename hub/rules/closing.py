"""关闭: a gate that its volunteer has locked, and who went through while it was closed. Pure."""

from collections.abc import Iterable
from datetime import datetime

from contract.events import Entry, Outcome
from hub.rules.compliance import Passed, Value

LOOKED_AT = 20
"""Entries at each closed gate that are looked at, the newest: one is an alert already."""
_PASSING = frozenset({Outcome.ADMIT, Outcome.EMERGENCY, Outcome.UNCHECKED})


class Word(Value, frozen=True, kw_only=True):
    """What the volunteers of a gate said at a time, at whichever of its stations: locked, or open again."""

    at: datetime
    shut: bool
    event: str
    by: str | None = None


def shut_by(words: Iterable[Word]) -> Word | None:
    """The newest word, if it says locked; None: open. Of two words of one moment, the one that says open counts."""
    newest = max(words, key=lambda word: (word.at, not word.shut), default=None)
    return newest if newest is not None and newest.shut else None


def is_passage(entry: Entry) -> bool:
    """Whether somebody went through just then: not turned away, and not keyed in later from paper."""
    return entry.outcome in _PASSING and entry.written is None


def passed(entries: Iterable[tuple[datetime, Entry]], since: datetime) -> Passed | None:
    """Who went through a gate that has been closed `since`; None: nobody."""
    found = [(at, entry) for at, entry in entries if at >= since and is_passage(entry)]
    if not found:
        return None
    return Passed(entries=len(found), people=sum(entry.people for _, entry in found), last_at=max(at for at, _ in found))
