"""The settings of a station that a hub may decide: what there is, what each may be, and what is wrong with a value. Pure.

None of them bears on whom a gate lets in: limits of temperature, revocations, colours and policies are the directory's, where a
thermometer is aimed is told at its gate, and nobody silences or blackens a station from afar by day.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

import msgspec

Value = str | int | float | bool
"""What a setting may be set to, as it stands in JSON."""


class Kind(StrEnum):
    """What a setting's values are."""

    CHOICE = "choice"
    """One of a few words."""
    NUMBER = "number"
    """A whole number of its unit."""
    SWITCH = "switch"
    """Yes or no."""


class Wrong(StrEnum):
    """What is wrong with a setting; these words stand in the journal (`SettingsChanged.refused`)."""

    UNKNOWN = "unknown"
    """No setting has this name."""
    KIND = "kind"
    """The value is not of the setting's kind."""
    RANGE = "range"
    """The number is too small or too large."""
    CHOICE = "choice"
    """The word is none of those there are."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting: its name, what its values are and what it does."""

    name: str
    kind: Kind
    meaning: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    unit: str = ""
    """percent, seconds; empty where there is none."""

    @property
    def allowed(self) -> str:
        """What it may be, in words."""
        match self.kind:
            case Kind.CHOICE:
                return " or ".join(self.choices)
            case Kind.NUMBER:
                return f"a whole number from {self.least} to {self.most} ({self.unit})"
            case Kind.SWITCH:
                return "true or false"


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a setting, for a program and in words that name it, its value and what it may be."""

    wrong: Wrong
    said: str


def _percent(name: str, least: int, meaning: str) -> Setting:
    return Setting(name=name, kind=Kind.NUMBER, least=least, most=100, unit="percent", meaning=meaning)


def _seconds(name: str, least: int, most: int, meaning: str) -> Setting:
    return Setting(name=name, kind=Kind.NUMBER, least=least, most=most, unit="seconds", meaning=meaning)


SETTINGS: Mapping[str, Setting] = {
    one.name: one
    for one in (
        Setting(name="language", kind=Kind.CHOICE, choices=("zh", "en"), meaning="Of the screen and the voice, until a touch."),
        _percent("loudness", 30, "Of the voice and the sounds by day."),
        _percent("night_loudness", 0, "The same at night, by the directory's hours."),
        _percent("brightness", 30, "Of the screen by day."),
        Setting(name="measure_on_exit", kind=Kind.SWITCH, meaning="Whoever goes out is measured as well."),
        _seconds("admitted_seconds", 2, 10, "How long an admission stays on the screen; the next pass takes over at once."),
        _seconds("shown_seconds", 6, 30, "How long any other outcome stays; a referral waits for the volunteer."),
    )
}
"""By name, in the order in which they are shown."""


def check(name: str, value: object) -> Problem | None:
    """What is wrong with setting `name` to `value`; None: nothing.

    >>> check("loudness", 12).said
    'loudness is 12: it may be a whole number from 30 to 100 (percent)'
    """
    known = SETTINGS.get(name)
    if known is None:
        return Problem(Wrong.UNKNOWN, f"no setting {name[:64]!r}; there are: {', '.join(SETTINGS)}")
    wrong = _wrong(known, value)
    return None if wrong is None else Problem(wrong, f"{name} is {repr(value)[:80]}: it may be {known.allowed}")


def sort_out(settings: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, str]]:
    """Those that can be set, and of the others by name what is wrong with each."""
    wrong = {name: problem.wrong.value for name, value in settings.items() if (problem := check(name, value))}
    return {name: value for name, value in settings.items() if name not in wrong}, wrong


def typed(name: str, text: str) -> Value:
    """The value that somebody typed; a text that is none of the setting's kind stays a text, for `check` to name.

    >>> typed("loudness", " 80 "), typed("measure_on_exit", "no"), typed("loudness", "loud")
    (80, False, 'loud')
    """
    word, known = text.strip(), SETTINGS.get(name)
    if known is not None and known.kind is Kind.NUMBER and _WHOLE.fullmatch(word):
        return int(word)
    if known is not None and known.kind is Kind.SWITCH:
        return _SWITCHES.get(word.casefold(), word)
    return word


_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_SWITCHES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _wrong(known: Setting, value: object) -> Wrong | None:
    kind = {Kind.CHOICE: str, Kind.NUMBER: int, Kind.SWITCH: bool}[known.kind]
    if type(value) is not kind:  # a bool is an int to isinstance
        return Wrong.KIND
    if known.kind is Kind.CHOICE and value not in known.choices:
        return Wrong.CHOICE
    if isinstance(value, int) and known.kind is Kind.NUMBER and not known.least <= value <= known.most:
        return Wrong.RANGE
    return None
