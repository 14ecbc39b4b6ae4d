"""From a rectification to what a page says of it: the words of a line, of its steps, of what it takes to be closed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.rectifications import Row, StepRow, Story
from hub.rules.rectify import CONDUCT, Key, State, Step, assignment
from hub.rules.standing import Stand, Standing
from hub.web.texts import duration, text
from hub.web.words import moment

Names = Mapping[str, str]
"""The names of accounts, by id."""


@dataclass(frozen=True)
class Line:
    """One rectification. `stand`: how the item stands now; `overdue`: past its due time."""

    id: str
    gate: str
    place: str
    gate_name: str
    area_name: str
    item: str
    item_word: str
    state: str
    stand: str
    stand_word: str
    owner: str
    """The owner's name; empty for nobody."""
    due_at: datetime
    due_word: str
    overdue: bool
    marks: tuple[str, ...]


@dataclass(frozen=True)
class StepLine:
    """One step of its story."""

    at: datetime
    step: str
    said: str
    note: str
    picture: str | None


def line(row: Row, stands: Mapping[Key, Standing], names: Names, now: datetime, language: str) -> Line:
    """What the list says of one."""
    one = row.rectification
    known = stands.get(one.key) if one.state is not State.CLOSED else None
    stand = "" if known is None else str(Stand.PRESENT if known.stand is Stand.INSPECTED else known.stand)
    return Line(
        id=one.id, gate=one.gate, place=row.compound_name, gate_name=row.gate_name, area_name=row.area_name,
        item=one.item, item_word=item_word(one.item, language), state=one.state,
        stand=stand, stand_word=_stands(row, known, now, language), owner=named(one.owner, names), due_at=one.due_at,
        due_word="" if one.state is State.CLOSED else due_word(one.due_at, now, language),
        overdue=bool(one.overdue(now)), marks=_marks(row, language),
    )  # fmt: skip


def step_lines(story: Story, names: Names, language: str) -> list[StepLine]:
    """Its story, from the beginning."""
    return [_step(story, one, names, language) for one in story.steps]


def item_word(item: str, language: str) -> str:
    """The item's name."""
    return text(language, "rectify.conduct" if item == CONDUCT else f"item.{item}")


def due_word(due_at: datetime, now: datetime, language: str) -> str:
    """How long there is left, or for how long it is overdue."""
    word = "rectify.due.over" if due_at < now else "rectify.due.left"
    return text(language, word, lasting=duration(language, abs((now - due_at).total_seconds())))


def named(account: str | None, names: Names) -> str:
    """An account's name; its id where it has none, empty for nobody."""
    return "" if account is None else names.get(account, account)


def _stands(row: Row, known: Standing | None, now: datetime, language: str) -> str:
    one = row.rectification
    if one.state is State.CLOSED:
        return text(language, "rectify.lasted", lasting=duration(language, one.lasting(now).total_seconds()))
    word, since = "none", one.opened_at
    if known is not None:
        word, since = str(known.stand), known.since
        if known.stand in (Stand.PRESENT, Stand.INSPECTED):
            word = "present" if known.since > (one.missing_since or one.opened_at) else "unseen"
    return text(language, f"rectify.stand.{word}", lasting=duration(language, (now - since).total_seconds()))


def _marks(row: Row, language: str) -> tuple[str, ...]:
    counted = (("rectify.reopened", row.rectification.reopened), ("rectify.recurrence", row.rectification.recurrence))
    return tuple(text(language, key, n=n) for key, n in counted if n)


def _step(story: Story, one: StepRow, names: Names, language: str) -> StepLine:
    made = story.row.rectification
    who = named(one.by, names)
    values: dict[str, str] = {"who": who, "item": item_word(made.item, language)}
    key, note = f"rectify.step.{one.step}", one.note
    if one.step is Step.OPENED and one.by is None:
        key, values["time"] = "rectify.step.noticed", moment(made.missing_since or made.opened_at)
    elif one.step is Step.ASSIGNED:
        due_at, owner = assignment(one.note)
        key, note = key if owner else "rectify.step.unassigned", ""
        values |= {"owner": named(owner, names), "time": moment(due_at)}
    elif one.step is Step.CLOSED:
        values["time"], note = moment(datetime.fromisoformat(one.note)), ""
    return StepLine(at=one.at, step=one.step, said=text(language, key, **values), note=note, picture=one.picture)
