"""What the pages of the stations' settings show, line by line and in words."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from contract.station_settings import SETTINGS, Kind, Setting, Value, Wrong
from hub import station_settings as store
from hub.rules.settings_by_place import EVERYWHERE, ConfigState, Decided, Given, Level, Spot, chain, resolve
from hub.station_settings import StationConfig, Tree
from hub.web.site import language
from hub.web.texts import LANGUAGES, text

URGENT = (ConfigState.REFUSED, ConfigState.WAITING, ConfigState.SENT, ConfigState.CONFIRMED, ConfigState.NONE)
"""What needs a look comes first."""
ICONS = {
    ConfigState.REFUSED: "missing", ConfigState.WAITING: "unreachable", ConfigState.SENT: "unreachable",
    ConfigState.CONFIRMED: "present", ConfigState.NONE: "closed",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One setting at the place that is shown."""

    setting: Setting
    in_force: Decided | None
    """None: decided nowhere, so that each station goes by its own."""
    own: Decided | None
    """What is set at this very place."""
    by: str
    given: str
    """What stands in the field."""
    wrong: str = ""


@dataclass(frozen=True)
class Inner:
    """A place right in the one that is shown, and how many settings are made there and within."""

    spot: Spot
    name: str
    made: int


@dataclass(frozen=True)
class StationLine:
    """One station and what became of its settings; in words."""

    known: StationConfig
    place: str
    icon: str
    refused: tuple[str, ...]
    here: str
    """What was set otherwise at its own screen since; empty: nothing."""


def setting_line(
    setting: Setting, spot: Spot, path: tuple[Spot, ...], made: Given, names: Mapping[str, str], given: tuple[str, str] | None
) -> Line:
    """One setting at `spot`, which lies in the places of `path`; `given`: what was typed and refused, and why."""
    in_force, own = resolve(path, made).get(setting.name), made.get(spot, {}).get(setting.name)
    field, wrong = given or (_written(own.value) if own else "", "")
    return Line(setting, in_force, own, names.get(own.by, own.by) if own else "", field, wrong)


def inner_places(tree: Tree, spot: Spot, made: Given) -> list[Inner]:
    """The places right in `spot`."""
    within = Counter(place for one, settings in made.items() for place in chain(one, tree.above) for _ in settings)
    return [Inner(one, tree.names[one], within[one]) for one in tree.below(spot)]


def station_lines(conn: sa.Connection, tree: Tree, known: list[StationConfig]) -> list[StationLine]:
    """These stations, in their order."""
    here = store.changed_here(conn, known)
    return [
        StationLine(
            known=one, place=place_of(tree, Spot(Level.GATE, one.gate)), icon=ICONS[one.state],
            refused=tuple(_refusal(name, wrong) for name, wrong in one.sent.refused.items())
            if one.sent and one.state is ConfigState.REFUSED else (),
            here=text(language(), "station_settings.joint").join(
                f"{_said(name)} {shown_value(name, value)}" for name, value in here.get(one.station, {}).items()
            ),
        )
        for one in known
    ]  # fmt: skip


def _refusal(name: str, wrong: str) -> str:
    why = text(language(), f"station_settings.refused.{wrong}") if wrong in set(Wrong) else wrong
    return text(language(), "station_settings.refusal", name=_said(name), why=why)


def place_of(tree: Tree, spot: Spot) -> str:
    """What a place is called: a gate with its compound."""
    if spot == EVERYWHERE:
        return text(language(), "station_settings.everywhere")
    return f"{tree.names[tree.above[spot]]} {tree.names[spot]}" if spot.level is Level.GATE else tree.names[spot]


def _said(name: str) -> str:
    return text(language(), f"station_settings.name.{name}") if name in SETTINGS else name


def shown_value(name: str, value: Value) -> str:
    """A value in words."""
    key = f"station_settings.value.{name}.{_written(value)}"
    if key in LANGUAGES[language()]:
        return text(language(), key)
    unit = SETTINGS[name].unit if name in SETTINGS else ""
    return text(language(), f"station_settings.unit.{unit}", n=value) if unit else str(value)


def allowed(setting: Setting) -> str:
    """What a setting may be, in words."""
    if setting.kind is Kind.NUMBER:
        least, most = shown_value(setting.name, setting.least), shown_value(setting.name, setting.most)
        return text(language(), "station_settings.allowed", least=least, most=most)
    choices = setting.choices or ("true", "false")
    return text(language(), "station_settings.or").join(shown_value(setting.name, one) for one in choices)


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
