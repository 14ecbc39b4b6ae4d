"""How often, when and for how long a household may go out, by what the gate knows itself: only ever for a volunteer to decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from contract.directory import Households
from contract.events import Clock, Correction, Direction, Entry, Event, Outcome
from kiosk.rules.schedule import is_open

KEPT = timedelta(days=8)
"""A period is a week at most (`Policies.outing_days`), and begins at a midnight."""


@dataclass(frozen=True)
class Outing:
    """One going out of a pass, by this gate's journal."""

    at: datetime
    entry: str


Outings = Mapping[str, tuple[Outing, ...]]
"""Pass id → its last outings, oldest first."""


def fold(outings: Outings, events: Iterable[Event]) -> dict[str, tuple[Outing, ...]]:
    """The outings after more events of this gate's journal; without those that an unsynced clock has dated, on no known day."""
    found = dict(outings)
    for event in events:
        if isinstance(event.body, Entry):
            _add(found, event, event.body)
        elif isinstance(event.body, Correction) and event.body.cancelled:
            _undo(found, event.body.corrects)
    return found


def household(homes: Households, pass_id: str) -> tuple[str, ...]:
    """The passes behind the same door, this one among them; none when nobody has told where it belongs."""
    return next((passes for passes in homes.households if pass_id in passes), ())


def began(at: datetime, days: int, zone: tzinfo) -> datetime:
    """The local midnight at which the period that `at` lies in began: of `days` calendar days, today the last of them."""
    day = at.astimezone(zone).date() - timedelta(days=days - 1)
    return datetime.combine(day, time.min, zone)


def is_over(gone_out: Iterable[datetime], at: datetime, most: int, days: int, zone: tzinfo) -> bool:
    """Whether one more going out is over a household's quota of `most` in `days`; 0: there is none."""
    since = began(at, days, zone)
    return most > 0 and sum(since <= one <= at for one in gone_out) >= most


def is_outside(windows: tuple[tuple[int, int], ...], at: datetime, zone: tzinfo) -> bool:
    """Whether it is not the time to go out; windows in minutes from local midnight, none: always the time."""
    local = at.astimezone(zone)
    return not is_open(windows, local.hour * 60 + local.minute)


def is_too_long(out_seconds: float | None, most_seconds: float) -> bool:
    """Whether somebody was out for longer than they may be; 0: there is no limit. None: not known to have been out."""
    return most_seconds > 0 and out_seconds is not None and out_seconds > most_seconds


def _add(found: dict[str, tuple[Outing, ...]], event: Event, entry: Entry) -> None:
    """An admission outwards, of a pass and of those with it. One keyed in later is history, as for movements."""
    live = entry.outcome is Outcome.ADMIT and entry.written is None and event.clock is Clock.SYNCED
    if not live or entry.direction is not Direction.OUT:
        return
    for pass_id in filter(None, (entry.pass_id, *(companion.pass_id for companion in entry.companions))):
        kept = (one for one in found.get(pass_id, ()) if abs(event.at - one.at) <= KEPT)
        found[pass_id] = (*kept, Outing(event.at, event.id))


def _undo(found: dict[str, tuple[Outing, ...]], entry_id: str) -> None:
    for pass_id, outings in list(found.items()):
        if any(one.entry == entry_id for one in outings):
            found[pass_id] = tuple(one for one in outings if one.entry != entry_id)
