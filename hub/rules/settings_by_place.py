"""Settings of stations by place: the nearest place that says something decides, and what has become of it at a station. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from contract.station_settings import Value as Setting
from hub.rules.compliance import Value


class Level(StrEnum):
    """How near a place is to a station, the nearest first."""

    GATE = "gate"
    COMPOUND = "compound"
    COMMITTEE = "committee"
    AREA = "area"
    ALL = "all"


class Spot(msgspec.Struct, frozen=True, order=True):
    """A place at which settings are made; with `ALL` the whole sub-district, and no id."""

    level: Level
    id: str = ""


EVERYWHERE = Spot(Level.ALL)


class Decided(Value, frozen=True, kw_only=True):
    """A setting at a place."""

    name: str
    value: Setting
    spot: Spot
    at: datetime
    by: str


Given = Mapping[Spot, Mapping[str, Decided]]
"""Every setting that was made, by place and name."""
Above = Mapping[Spot, Spot]
"""Of every place but the whole the one that it lies in."""


class ConfigState(StrEnum):
    """What has become of a station's settings."""

    NONE = "none"
    """The hub decides nothing and never did: all is as the station has it."""
    WAITING = "waiting"
    """Not yet handed to the broker."""
    SENT = "sent"
    """The broker keeps it for the station, which has not answered."""
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    """Taken up, but for some that the station can't set."""


class Config(Value, frozen=True, kw_only=True):
    """What was last sent to a station, and its answer."""

    settings: Mapping[str, Setting]
    sent_at: datetime
    answered_at: datetime | None = None
    refused: Mapping[str, str] = {}
    """By name, in a word of `contract.station_settings.Wrong`."""


def chain(spot: Spot, above: Above) -> tuple[Spot, ...]:
    """The place and those that it lies in, the nearest first."""
    found = [spot]
    while (next_ := above.get(found[-1])) is not None:
        found.append(next_)
    return tuple(found)


def resolve(places: Iterable[Spot], given: Given) -> dict[str, Decided]:
    """What is decided where these places are, the nearest first.

    >>> now, gate = datetime(2026, 2, 16), Spot(Level.GATE, "east")
    >>> make = lambda spot, value: {"loudness": Decided(name="loudness", value=value, spot=spot, at=now, by="zhou")}
    >>> given = {gate: make(gate, 60), EVERYWHERE: make(EVERYWHERE, 80)}
    >>> [resolve(known, given)["loudness"].value for known in ((gate, EVERYWHERE), (Spot(Level.GATE, "west"), EVERYWHERE))]
    [60, 80]
    """
    found: dict[str, Decided] = {}
    for spot in places:
        found = {**given.get(spot, {}), **found}
    return found


def state(wanted: Mapping[str, Setting], sent: Config | None) -> ConfigState:
    """What has become of the settings that are wanted of a station."""
    if sent is None:
        return ConfigState.WAITING if wanted else ConfigState.NONE
    if wanted != sent.settings:
        return ConfigState.WAITING
    if sent.answered_at is None:
        return ConfigState.SENT
    return ConfigState.REFUSED if sent.refused else ConfigState.CONFIRMED
