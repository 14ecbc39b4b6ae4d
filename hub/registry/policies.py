"""What gates do where practice differs: the sub-district's word, and a compound's own over it."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa

from contract.directory import Policies
from hub.registry import versions
from hub.registry.errors import RegistryError
from hub.store import tables
from hub.store.tables import policies as table
from hub.store.writing import upsert

Values = dict[str, object]
"""By key; None: as the sub-district has it, or else the default."""

EVERYWHERE = ""
"""The scope that is the whole sub-district."""
_MAY_BE = {
    "courier": "shelf or visitor", "question_share": "a share from 0 to 1, such as 0.05",
    "night": "two times, such as 21:00-06:00", "outings": "whole people of a household, 0 for no quota",
    "outing_days": "whole days, from 1 to 7", "outing_windows": "times with commas, such as 07:00-09:00,17:00-19:00",
    **dict.fromkeys(
        ("shift_seconds", "aside_seconds", "taxi_seconds", "visit_seconds", "outing_seconds"),
        "seconds, from 0 to 604800 (a week)",
    ),
}  # fmt: skip
_NIGHT = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)")
_WHOLE = frozenset({"outings", "outing_days"})
_WEEK = 7 * 24 * 3600
_COLUMNS = tuple(str(column.name) for column in table.c if column.name not in ("scope", "changed_at", "changed_by"))


def in_force(conn: sa.Connection, compound: str) -> Policies:
    """What the gates of a compound do: its own word, else the sub-district's, else the default."""
    return merged(own(conn, EVERYWHERE), own(conn, compound))


def own(conn: sa.Connection, scope: str) -> Values:
    """What was set for a compound, or for the whole sub-district, and nothing else."""
    row = conn.execute(sa.select(table).where(table.c.scope == scope)).mappings().first()
    return _values(row) if row is not None else {}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What was set for one scope, by whom and when it was changed last."""

    values: Values
    by: str
    at: datetime


def all_told(conn: sa.Connection) -> dict[str, Told]:
    """What was set everywhere: by compound, and under `EVERYWHERE` for the whole sub-district."""
    rows = conn.execute(sa.select(table)).mappings()
    return {row["scope"]: Told(values=_values(row), by=row["changed_by"], at=row["changed_at"]) for row in rows}


def merged(wide: Values, local: Values) -> Policies:
    """What a compound does that has this of its own, in a sub-district that has that."""
    return msgspec.convert(wide | local, Policies)


def _values(row: sa.RowMapping) -> Values:
    known = {name: row[name] for name in _COLUMNS if row[name] is not None}
    begins, ends = known.pop("night_begins", None), known.pop("night_ends", None)
    return known if begins is None else {**known, "night": (begins, ends)}


def change(conn: sa.Connection, scope: str, values: Mapping[str, object], by: str, now: datetime) -> None:
    """Set some policies of a compound or, with `EVERYWHERE`, of all; None takes one back. Raises `RegistryError`."""
    if scope != EVERYWHERE and conn.scalar(sa.select(tables.compounds.c.id).where(tables.compounds.c.id == scope)) is None:
        raise RegistryError(f"no compound {scope!r}: see `hub place list compound`")
    told = own(conn, scope) | {name: _checked(name, value) for name, value in values.items()}
    night = told.pop("night", None)
    begins, ends = night if isinstance(night, tuple) else (None, None)
    row = dict.fromkeys(_COLUMNS) | told | {"night_begins": begins, "night_ends": ends}
    upsert(conn, table, [{"scope": scope, **row, "changed_at": now, "changed_by": by}])
    if scope == EVERYWHERE:
        versions.bump_all(conn)
    else:
        versions.bump(conn, scope)


def parse(words: Iterable[str]) -> Values:
    """KEY=VALUE as it is typed; `KEY=default` takes a value back. Raises `RegistryError` naming key, value and what it may be."""
    made: Values = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise RegistryError(f"{word[:60]!r}: write KEY=VALUE, such as courier=visitor")
        made[key.strip()] = _checked(key.strip(), _typed(key.strip(), value.strip()))
    return made


def shown(name: str, value: object) -> str:
    """A value as it is typed."""
    if name == "night" and isinstance(value, tuple):
        return _span(value)
    if name == "outing_windows" and isinstance(value, tuple | list):
        return ",".join(window if isinstance(window, str) else _span(window) for window in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _span(minutes: tuple[int, int]) -> str:
    return "-".join(f"{minute // 60 % 24:02}:{minute % 60:02}" for minute in minutes)


def _typed(key: str, value: str) -> object:
    if value == "default":
        return None
    if key == "night":
        return _minutes(value)
    if key == "outing_windows":
        return [_minutes(part.strip()) for part in value.split(",")]
    if key == "courier":
        return value
    try:
        return int(value) if key in _WHOLE else float(value)
    except ValueError:
        return value


def _minutes(value: str) -> object:
    """From and to, in minutes of the day; what isn't two times stays as it was typed, and is refused as such."""
    found = _NIGHT.fullmatch(value)
    if found is None:
        return value
    hours = [int(part) for part in found.groups()]
    return (hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])


def _checked(key: str, value: object) -> object:
    if key not in _MAY_BE:
        raise RegistryError(f"no policy {key[:40]!r}: there are {', '.join(_MAY_BE)}")
    if value is None:
        return None
    absurd = isinstance(value, int | float) and not (math.isfinite(value) and value <= _WEEK)
    try:
        made = None if absurd else msgspec.convert({key: value}, Policies)
    except msgspec.ValidationError:
        made = None
    if made is None:
        raise RegistryError(f"{key} is {shown(key, value)!r}: it may be {_MAY_BE[key]}, or default")
    return getattr(made, key)
