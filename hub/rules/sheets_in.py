"""A list of places or of holders, checked row by row: what is wrong, where, as a spreadsheet names it. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Generic, TypeVar

import msgspec

from contract.passes import BADGES, PassKind
from hub.registry import dwellings
from hub.registry.masking import mask
from hub.rules import hours
from hub.rules.cells_in import BadFile, Cells, Computed, Dated, Line, folded, letter
from hub.rules.colouring import meanings

PLACES, HOLDERS = "places", "holders"
LEVELS = ("area", "committee", "compound", "gate")
MOST_PROBLEMS = 500
"""Kept of a file; a list with more is wrong as a whole."""

COLUMNS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    PLACES: {
        "area_id": ("片区编号", "area id"), "area": ("片区", "area"),
        "committee_id": ("居委编号", "committee id"), "committee": ("居委", "committee", "居委会", "居民区"),
        "compound_id": ("小区编号", "compound id"), "compound": ("小区", "compound", "小区名称"),
        "gate_id": ("门岗编号", "gate id"), "gate": ("门岗", "gate", "大门", "出入口"),
        "hours": ("开放时间", "opening hours", "hours"), "liaison": ("联络员", "liaison"),
        "manager": ("物业", "property manager", "manager", "物业公司"),
    },
    HOLDERS: {
        "compound_id": ("小区编号", "compound id"), "compound": ("小区", "compound", "小区名称"),
        "building": ("楼", "building", "楼号", "楼栋", "幢"), "room": ("室", "room", "室号", "房号"),
        "name": ("姓名", "name"), "kind": ("类别", "kind"), "colour": ("颜色", "colour", "color"),
        "isolating": ("居家隔离", "isolating"), "expires": ("证件到期", "pass expires", "expires", "有效期至"),
        "phone": ("电话", "phone", "手机", "手机号", "联系电话"), "state": ("状态", "state"), "photo": ("照片", "photo"),
    },
}  # fmt: skip
"""Sheet → column → its headings: Chinese, English, and what people write besides."""
SHEET_NAMES = {PLACES: ("场所", "places"), HOLDERS: ("持证人", "holders")}
_NEEDED = {PLACES: (("compound", "compound_id", "gate_id", "committee", "area"),),
           HOLDERS: (("compound", "compound_id"), ("building",), ("name",))}  # fmt: skip
_IGNORED = ("phone", "state", "photo")
KINDS = {
    PassKind.RESIDENT: ("居民", "resident"), PassKind.WORKER: ("务工人员", "worker", "员工", "务工"),
    PassKind.VISITOR: ("访客", "visitor"), PassKind.ENROLMENT: ("登记用证", "enrolment"),
    PassKind.VOLUNTEER: ("志愿者", "volunteer"), PassKind.SUPERVISOR: ("督查员", "supervisor"),
}  # fmt: skip
"""Kinds of pass that a person holds, in words."""
YES, NO = ("是", "yes", "y", "1", "true", "√"), ("否", "no", "n", "0", "false", "×")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: 00:00(?::00)?)?|(\d{4})(\d{2})(\d{2})")
_MASKED = re.compile(r"\S\*+\S?|\S\*{3} \S")

Row = TypeVar("Row")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps a list from being taken: `key` and `values` are put in words by hub.web.texts.exchange."""

    key: str
    row: int | None = None
    column: str = ""
    """The column's letter."""
    heading: str = ""
    values: Mapping[str, Any] = {}


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader should know, and need not mend."""

    key: str
    values: Mapping[str, Any] = {}


class Head(msgspec.Struct, frozen=True):
    """Which column holds what."""

    line: Line
    columns: Mapping[str, int]

    def problem(self, key: str, row: int, name: str, /, **values: Any) -> Problem:
        """A problem in a column of a row."""
        at = self.columns.get(name)
        if at is None:
            return Problem(key=key, row=row, values=values)
        return Problem(key=key, row=row, column=letter(at), heading=self.line.cells[at], values=values)


class Checked(msgspec.Struct, Generic[Row]):
    """The rows that are well in themselves, and what is wrong with the others."""

    head: Head
    rows: list[Row]
    problems: list[Problem]
    notes: list[Note]


class PlaceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of places: by id, by name or both, from the area down. What is empty is left as it is."""

    number: int
    ids: tuple[str, str, str, str]
    names: tuple[str, str, str, str]
    schedule: hours.Schedule | None
    liaison: str
    manager: str


class HolderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of holders; the name is masked already. None: left as it is, or the default of a new pass."""

    number: int
    compound_id: str
    compound: str
    dwelling: str
    door: tuple[str, str]
    name: str
    kind: PassKind
    colour: str | None
    isolating: bool | None
    expires: date | None
    """The last day on which the pass is good."""


def known_headings(what: str) -> frozenset[str]:
    """Every heading that a sheet may have, folded."""
    return frozenset(folded(heading) for headings in COLUMNS[what].values() for heading in headings)


def check_places(cells: Cells) -> Checked[PlaceRow]:
    """The rows of a list of places. Raises `BadFile` where its headings don't do."""
    return _check(PLACES, cells, _place)


def check_holders(cells: Cells, colours: Mapping[str, str]) -> Checked[HolderRow]:
    """The rows of a list of holders; `colours`: id → label. Raises `BadFile` where its headings don't do."""
    words = meanings(colours)
    seen: dict[tuple[str, ...], int] = {}
    return _check(HOLDERS, cells, lambda row: _holder(row, words, seen))


class _Cells:
    """One row's cells by column; problems gather in `problems`."""

    def __init__(self, head: Head, line: Line) -> None:
        self.head, self.line, self.problems = head, line, list[Problem]()

    def wrong(self, key: str, name: str, **values: Any) -> None:
        """Name what is wrong with a cell."""
        self.problems.append(self.head.problem(key, self.line.number, name, **values))

    def raw(self, name: str) -> str:
        """What a cell holds; "" where the row ends before it."""
        at = self.head.columns.get(name)
        return "" if at is None or at >= len(self.line.cells) else self.line.cells[at]

    def text(self, name: str, most: int, *, dated: bool = False) -> str:
        """A cell's text, which is named where it is none."""
        value = self.raw(name)
        if isinstance(value, Computed):
            self.wrong("cell.computed", name)
        elif isinstance(value, Dated) and not dated:
            self.wrong("cell.dated", name, value=str(value))
        elif len(value) > most:
            self.wrong("cell.long", name, most=most)
        elif not value.isprintable():
            self.wrong("cell.unprintable", name)
        else:
            return str(value)
        return ""


def _check(what: str, cells: Cells, check: Callable[[_Cells], Row | None]) -> Checked[Row]:
    head, notes = _head(what, cells)
    checked = Checked[Row](head, [], [], notes)
    for line in cells.lines:
        row = _Cells(head, line)
        made = check(row)
        checked.problems += row.problems
        if made is not None and not row.problems:
            checked.rows.append(made)
        if len(checked.problems) >= MOST_PROBLEMS:
            break
    return checked


def _head(what: str, cells: Cells) -> tuple[Head, list[Note]]:
    known = {folded(heading): name for name, headings in COLUMNS[what].items() for heading in headings}
    columns: dict[str, int] = {}
    unknown = []
    for at, heading in enumerate(cells.head.cells):
        name = known.get(folded(heading))
        if name is None:
            unknown += [f"{letter(at)} {heading[:40]}"] if heading else []
        elif name in columns:
            raise BadFile("twice", row=cells.head.number, said=heading[:40], column=letter(at), other=letter(columns[name]))
        else:
            columns[name] = at
    missing = [
        "/".join(COLUMNS[what][name][0] for name in names[:1]) for names in _NEEDED[what] if columns.keys().isdisjoint(names)
    ]
    if missing:
        raise BadFile("missing", row=cells.head.number, said="、".join(missing))
    return Head(cells.head, columns), _notes(what, cells, columns, unknown)


def _notes(what: str, cells: Cells, columns: Mapping[str, int], unknown: list[str]) -> list[Note]:
    notes = [Note(key="unknown", values={"said": "、".join(unknown[:20])})] if unknown else []
    if cells.unread:
        notes.append(Note(key="unread", values={"sheet": cells.sheet, "said": "、".join(cells.unread[:10])}))
    ignored = [name for name in _IGNORED if name in columns]
    return notes + [Note(key=f"ignored.{name}") for name in ignored]


def _place(row: _Cells) -> PlaceRow | None:
    ids = [row.text(f"{level}_id", 64) for level in LEVELS]
    names = [row.text(level, 200) for level in LEVELS]
    for level, id in zip(LEVELS, ids, strict=True):
        if id and not _ID.fullmatch(id):
            row.wrong("place.id", f"{level}_id", value=id)
    said = row.text("hours", 200, dated=True)
    schedule = hours.parse(said) if said else None
    if said and schedule is None:
        row.wrong("hours", "hours", value=said[:60])
    return PlaceRow(
        number=row.line.number, ids=(ids[0], ids[1], ids[2], ids[3]), names=(names[0], names[1], names[2], names[3]),
        schedule=schedule, liaison=row.text("liaison", 200), manager=row.text("manager", 200),
    )  # fmt: skip


def _holder(row: _Cells, colours: Mapping[str, str], seen: dict[tuple[str, ...], int]) -> HolderRow | None:
    compound_id, compound, name = row.text("compound_id", 64), row.text("compound", 200), row.text("name", 60)
    door = _door(row)
    kind, colour, isolating, expires = _kind(row), _colour(row, colours), _isolating(row), _expires(row)
    for needed, value in (("compound", compound_id or compound), ("name", name)):
        if not value and not row.problems:
            row.wrong("cell.needed", needed)
    if row.problems or door is None:
        return None
    masked = name if _MASKED.fullmatch(name) else mask(name)
    first = row.line.number if masked == name else seen.setdefault((compound_id or compound, *door, kind, name), row.line.number)
    if first != row.line.number:
        row.wrong("twice", "name", other=first)
    return HolderRow(
        number=row.line.number, compound_id=compound_id, compound=compound, dwelling="".join(door), door=door, name=masked,
        kind=kind, colour=colour, isolating=isolating, expires=expires,
    )  # fmt: skip


def _door(row: _Cells) -> tuple[str, str] | None:
    """Building and room, so that what is put together of them is read as the same two again."""
    building, room = row.text("building", 40), row.text("room", 20)
    if row.problems:
        return None
    whole = f"{building}-{room}" if room else building
    door = dwellings.parse(whole)
    cut = len(whole) > dwellings.MOST and not door[1]
    if cut or dwellings.parse("".join(door)) != door:
        row.wrong("dwelling", "building", value=f"{building} {room}".strip()[:60])
        return None
    return door


def _kind(row: _Cells) -> PassKind:
    said = row.text("kind", 40)
    found = next((kind for kind, words in KINDS.items() if said.lower() in words), None)
    if said and found is None:
        row.wrong("kind", "kind", value=said)
    return found or PassKind.RESIDENT


def _colour(row: _Cells, colours: Mapping[str, str]) -> str | None:
    said = row.text("colour", 60)
    found = colours.get(said.casefold())
    if said and found is None:
        row.wrong("colour", "colour", value=said, known="、".join(_shortest(colours)))
    return found


def _shortest(words: Mapping[str, str]) -> Iterable[str]:
    """For each colour the shortest word that means it."""
    found: dict[str, str] = {}
    for word, id in words.items():
        if word != id and (id not in found or len(word) < len(found[id])):
            found[id] = word
    return found.values()


def _isolating(row: _Cells) -> bool | None:
    said = row.text("isolating", 20).lower()
    if said and said not in YES + NO:
        row.wrong("yes_no", "isolating", value=said)
    return said in YES if said else None


def _expires(row: _Cells) -> date | None:
    said = row.text("expires", 40, dated=True)
    found = _DATE.fullmatch(said)
    try:
        if found:
            year, month, day = (int(part) for part in found.groups() if part is not None)
            return date(year, month, day)
    except ValueError:
        pass
    if said:
        row.wrong("date", "expires", value=said)
    return None


def can_be_issued(kind: PassKind) -> bool:
    """Whether a list may bring a new pass of this kind: a badge needs a PIN that only its holder types."""
    return kind not in BADGES
