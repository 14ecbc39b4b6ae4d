"""From what a list would do to the lines of its preview, in words. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.exchange import Plan
from hub.rules import hours
from hub.rules.holders_in import HolderChange, NewHolder
from hub.rules.places_in import PlaceChange, PlacesPlan
from hub.rules.sheets_in import KINDS, LEVELS, MOST_PROBLEMS, Problem
from hub.web.texts import LANGUAGES, reason, text
from hub.web.texts.register import WORDS

SHOWN = 100
"""Problems, and as many of what is added and changed."""


@dataclass(frozen=True)
class Line:
    """One line: the row, the column where there is one, and what of it."""

    row: int | None
    column: str
    said: str


@dataclass(frozen=True)
class Lines:
    """A preview."""

    problems: tuple[Line, ...]
    problem_count: int
    many: bool
    """There are more problems than were counted."""
    notes: tuple[str, ...]
    new_lines: tuple[Line, ...]
    changed_lines: tuple[Line, ...]
    new: int
    changed: int
    same: int


def preview_lines(plan: Plan, language: str, colours: Mapping[str, str]) -> Lines:
    """What a preview shows: the first lines of each kind, and how many there are. `colours`: id → label."""
    problems = tuple(_problem(one, language) for one in plan.problems[:SHOWN])
    if isinstance(plan, PlacesPlan):
        new: Sequence[PlaceChange | NewHolder] = [one for one in plan.changes if one.was is None]
        changed: Sequence[PlaceChange | HolderChange] = [one for one in plan.changes if one.was is not None]
    else:
        new, changed = plan.new, plan.changes
    return Lines(
        problems=problems, problem_count=len(plan.problems), many=len(plan.problems) >= MOST_PROBLEMS,
        notes=tuple(text(language, f"exchange.note.{one.key}", **one.values) for one in plan.notes),
        new_lines=tuple(Line(one.row, "", _new(one, language, colours)) for one in new[:SHOWN]),
        changed_lines=tuple(Line(one.row, "", _changed(one, language, colours)) for one in changed[:SHOWN]),
        new=len(new), changed=len(changed), same=plan.same,
    )  # fmt: skip


def said_in(language: str) -> Callable[[str], str]:
    """Words for exports by key: of the pages and of the register; one that this version does not know stays as it is."""

    def say(key: str) -> str:
        of, _, word = key.partition(".")
        if of in WORDS:
            pair = WORDS[of].get(word)
            return word.replace("_", " ") if pair is None else pair[list(LANGUAGES).index(language)]
        return text(language, key) if key in LANGUAGES[language] else reason(language, key.rpartition(".")[2])

    return say


def _problem(one: Problem, language: str) -> Line:
    column = " ".join(part for part in (one.column, one.heading) if part)
    return Line(one.row, column, text(language, f"exchange.problem.{one.key}", **one.values))


def _new(one: PlaceChange | NewHolder, language: str, colours: Mapping[str, str]) -> str:
    if isinstance(one, PlaceChange):
        head = text(language, f"registry.{LEVELS[one.level]}")
        return " ".join((head, one.path, _fields(one.fields, language, colours))).strip()
    kind = KINDS[one.kind][list(LANGUAGES).index(language)]
    health = {"colour": one.colour, "isolating": one.isolating, "expires": one.expires}
    return " ".join((one.compound, one.dwelling, one.name, kind, _fields(health, language, colours))).strip()


def _changed(one: PlaceChange | HolderChange, language: str, colours: Mapping[str, str]) -> str:
    if isinstance(one, PlaceChange):
        now = {"name": one.name, "parent": one.above, **one.fields}
        head = f"{text(language, f'registry.{LEVELS[one.level]}')} {one.path}"
        was = one.was or {}
    else:
        now, was, head = one.now, one.was, f"{one.dwelling} {one.name}"
    said = [
        text(
            language, "exchange.was", name=text(language, f"exchange.field.{name}"),
            was=_value(name, was[name], language, colours), now=_value(name, now[name], language, colours),
        )
        for name in was
    ]  # fmt: skip
    return f"{head} · " + " · ".join(said)


def _fields(fields: dict[str, Any], language: str, colours: Mapping[str, str]) -> str:
    return " ".join(
        f"{text(language, f'exchange.field.{name}')} {_value(name, value, language, colours)}"
        for name, value in fields.items()
        if value
    )


def _value(name: str, value: Any, language: str, colours: Mapping[str, str]) -> str:
    if name == "schedule":
        said = hours.shown(value)
        return "always" if said == hours.ALWAYS and language == "en" else said
    if name == "colour":
        return colours.get(value, value) if value else text(language, "exchange.empty")
    if isinstance(value, bool):
        return text(language, "exchange.yes" if value else "exchange.no")
    return value.isoformat() if isinstance(value, date) else str(value) or text(language, "exchange.empty")
