"""Who went in or out, from the entries of this gate and of its siblings: last movement, passback, who is inside."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from contract.events import Correction, Direction, Entry, Event, Outcome


@dataclass(frozen=True)
class Moved:
    """The last movement of a pass."""

    direction: Direction
    at: datetime
    entry: str | None = None
    """The entry at this gate; None at a sibling's."""
    boot: str = ""
    mono_ns: int = 0
    before: "Moved | None" = None
    """The movement before it, which counts again when this one is cancelled."""


Last = Mapping[str, Moved]
"""Pass id → its last movement."""


def fold(last: Last, events: Iterable[Event]) -> dict[str, Moved]:
    """The last movements after more events of this gate's journal: admissions move a pass, corrections undo it."""
    moved = dict(last)
    for event in events:
        if isinstance(event.body, Entry):
            _add(moved, event, event.body)
        elif isinstance(event.body, Correction) and event.body.cancelled:
            _undo(moved, event.body.corrects)
    return moved


def merge(last: Last, siblings: Last) -> dict[str, Moved]:
    """Two gates' knowledge put together: the later movement of a pass counts."""
    newer = {pass_id: moved for pass_id, moved in siblings.items() if pass_id not in last or last[pass_id].at < moved.at}
    return {**last, **newer}


def inside(last: Last) -> frozenset[str]:
    """The passes whose last movement was in."""
    return frozenset(pass_id for pass_id, moved in last.items() if moved.direction is Direction.IN)


def elapsed(moved: Moved, at: datetime, boot: str, mono_ns: int) -> float:
    """Seconds since a movement: by the monotonic clock within one boot, so that a step of the wall clock changes nothing."""
    if moved.boot and moved.boot == boot:
        return (mono_ns - moved.mono_ns) / 1e9
    return (at - moved.at).total_seconds()


def within(moved: Moved | None, direction: Direction, elapsed_seconds: float, seconds: float) -> bool:
    """Whether a pass moved the same way less than `seconds` ago: passback, or a pass still held up."""
    return moved is not None and moved.direction is direction and 0 <= elapsed_seconds < seconds


def _add(moved: dict[str, Moved], event: Event, entry: Entry) -> None:
    """An admission moves its pass and those of its companions. One keyed in later is history: it moves nobody now."""
    if entry.outcome is not Outcome.ADMIT or entry.written is not None:
        return
    for pass_id in filter(None, (entry.pass_id, *(companion.pass_id for companion in entry.companions))):
        before = moved.get(pass_id)
        before = replace(before, before=None) if before else None
        moved[pass_id] = Moved(entry.direction, event.at, event.id, event.boot, event.mono_ns, before)


def _undo(moved: dict[str, Moved], entry_id: str) -> None:
    for pass_id, last in list(moved.items()):
        if last.entry == entry_id:
            if last.before:
                moved[pass_id] = last.before
            else:
                del moved[pass_id]
        elif last.before and last.before.entry == entry_id:
            moved[pass_id] = replace(last, before=None)
