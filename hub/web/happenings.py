"""What went on at a gate besides entries, a line each: help called, the barrier, the lock, people counted, couriers. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from contract.codec import BadMessage
from contract.events import (
    BarrierOpened,
    Body,
    GapAnswered,
    GateShut,
    HelpCalled,
    PeopleCounted,
    SettingsChanged,
    Tallied,
    decode_event,
)
from hub.status import EventRow
from hub.web.texts import duration, text, word

KINDS = ("help", "tally", "barrier", "gate_shut", "settings", "gap_answered")
COUNTED = "people"
"""Asked for by itself: it comes every few minutes, and most of it says nothing."""


@dataclass(frozen=True)
class Happening:
    """One line; `count` of the same in a row."""

    at: datetime
    said: str
    alarming: bool
    station: str
    photos: tuple[str, ...] = ()
    count: int = 1


def happenings(rows: Iterable[EventRow], most: int, language: str) -> tuple[Happening, ...]:
    """The newest first. What happened several times in a row without a photo is one line."""
    made: list[Happening] = []
    for row in sorted(rows, key=lambda row: row.at, reverse=True):
        line = _line(row, language)
        if line is not None and made and _again(made[-1], line):
            made[-1] = replace(made[-1], count=made[-1].count + 1)
        elif line is not None:
            made.append(line)
    return tuple(made[:most])


def _again(later: Happening, line: Happening) -> bool:
    same = (later.said, later.station) == (line.said, line.station)
    return same and not later.alarming and not later.photos and not line.photos


def _line(row: EventRow, language: str) -> Happening | None:
    try:
        said = _said(decode_event(row.body.encode()).body, language)
    except BadMessage:
        return None
    return Happening(row.at, said[0], said[1], row.station, row.photos) if said else None


def _said(body: Body, language: str) -> tuple[str, bool] | None:
    """The words, and whether they are an alarm; None: nothing to say."""
    match body:
        case HelpCalled():
            return text(language, "event.help"), True
        case Tallied():
            return word(language, "tally", body.what), False
        case PeopleCounted():
            return _counted(body, language)
        case BarrierOpened():
            return text(language, "event.barrier", cause=word(language, "barrier", body.cause)), body.cause == "emergency"
        case GateShut():
            return text(language, "event.shut" if body.shut else "event.opened"), False
        case SettingsChanged():
            return _settings(body, language)
        case GapAnswered():
            return text(language, "event.missed" if body.missed else "event.nothing_missed"), body.missed
        case _:
            return None


def _settings(body: SettingsChanged, language: str) -> tuple[str, bool] | None:
    """What was set at the station, or taken up from the hub; not what is only said again."""
    said = "event.settings" if body.config is None else "station_settings.taken"
    return None if body.renewed else (text(language, said, keys=", ".join([*body.settings, *body.refused])), False)


def _counted(body: PeopleCounted, language: str) -> tuple[str, bool] | None:
    """Only when more went by than were written down."""
    if body.counted <= body.recorded:
        return None
    lasting = duration(language, body.seconds)
    return text(language, "event.people", lasting=lasting, counted=body.counted, recorded=body.recorded), True
