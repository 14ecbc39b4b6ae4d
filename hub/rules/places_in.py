"""What a checked list of places would add and change, given the places that there are. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import msgspec

from hub.rights import Reach, within
from hub.rules.sheets_in import LEVELS, MOST_PROBLEMS, Checked, Head, Note, PlaceRow, Problem

_COMPOUND, _GATE = LEVELS.index("compound"), LEVELS.index("gate")


class KnownPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place as the registry has it; `fields` holds a compound's liaison and manager, a gate's schedule."""

    level: int
    """0 area, 1 committee, 2 compound, 3 gate."""
    id: str
    name: str
    parent: str = ""
    fields: dict[str, Any] = {}


class PlaceChange(msgspec.Struct, frozen=True, kw_only=True):
    """A place to add (`was` is None) or to change. A place that is new and has no id yet is known by its `ref`."""

    level: int
    row: int
    ref: str
    id: str
    parent: str
    """The ref of the place above; an area has none."""
    name: str
    path: str
    """Where it is, in words: the names from the area down."""
    above: str
    """The path of the place above."""
    fields: dict[str, Any]
    was: dict[str, Any] | None
    """What changes, as it was: name, parent (its path), liaison, manager, schedule."""


class PlacesPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All of a list, or with `problems` nothing of it."""

    changes: tuple[PlaceChange, ...]
    same: int
    """Places that the list names and leaves as they are."""
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]


class _Node:
    """A place while rows are read; `ref` is its id, or names a new one by its row."""

    def __init__(
        self, level: int, ref: str, id: str, name: str, parent: "_Node | None", known: KnownPlace | None, row: int
    ) -> None:
        self.level, self.ref, self.id, self.name, self.parent, self.known, self.row = level, ref, id, name, parent, known, row
        self.fields: dict[str, Any] = dict(known.fields) if known else {}
        self.said: dict[str, int] = {}
        """Which row said what of it."""

    @property
    def path(self) -> str:
        return (f"{self.parent.path} " if self.parent else "") + self.name


class _Refused(Exception):
    """A row that can't be taken."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def plan(checked: Checked[PlaceRow], known: Sequence[KnownPlace], reach: Reach) -> PlacesPlan:
    """What the list comes to. With a `reach` only its compounds, and the gates in them, may be changed."""
    planner = _Planner(checked.head, known, reach)
    problems = list(checked.problems)
    for row in checked.rows:
        try:
            planner.take(row)
        except _Refused as refused:
            problems.append(refused.problem)
        if len(problems) >= MOST_PROBLEMS:
            break
    problems.sort(key=lambda one: (one.row or 0, one.column))
    changes = () if problems else tuple(planner.changes())
    return PlacesPlan(
        changes=changes, same=len(planner.touched) - len(changes), problems=tuple(problems), notes=tuple(checked.notes)
    )


class _Planner:
    def __init__(self, head: Head, known: Sequence[KnownPlace], reach: Reach) -> None:
        self._head, self._reach = head, reach
        self._by_id: dict[tuple[int, str], _Node] = {}
        self._by_name: dict[tuple[int, str], list[_Node]] = defaultdict(list)
        self.touched: dict[tuple[int, str], _Node] = {}
        for place in sorted(known, key=lambda one: one.level):
            parent = self._by_id[place.level - 1, place.parent] if place.level else None
            self._keep(_Node(place.level, place.id, place.id, place.name, parent, place, 0))

    def take(self, row: PlaceRow) -> None:
        """Read one row from the area down. Raises `_Refused`."""
        nodes: list[_Node | None] = []
        for level in range(len(LEVELS)):
            above = nodes[-1] if nodes else None
            nodes.append(self._node(row, level, above) if row.ids[level] or row.names[level] else None)
        gate = nodes[_GATE]
        self._say(row, nodes[_COMPOUND] or (gate.parent if gate else None), "liaison", row.liaison or None)
        self._say(row, nodes[_COMPOUND] or (gate.parent if gate else None), "manager", row.manager or None)
        self._say(row, gate, "hours", row.schedule)

    def changes(self) -> Iterable[PlaceChange]:
        """New places and changed ones, those above before those in them."""
        for node in sorted(self.touched.values(), key=lambda one: one.level):
            was = self._was(node)
            if node.known is None or was:
                yield PlaceChange(
                    level=node.level, row=node.row or min(node.said.values()), ref=node.ref, id=node.id, name=node.name,
                    parent=node.parent.ref if node.parent else "", path=node.path,
                    above=node.parent.path if node.parent else "", fields=node.fields,
                    was=None if node.known is None else was,
                )  # fmt: skip

    def _was(self, node: _Node) -> dict[str, Any]:
        if node.known is None:
            return {}
        before = {"name": node.known.name, "parent": node.known.parent, **node.known.fields}
        after = {"name": node.name, "parent": node.parent.ref if node.parent else "", **node.fields}
        changed = {name: before[name] for name in before if before[name] != after[name]}
        if "parent" in changed:
            changed["parent"] = self._by_id[node.level - 1, node.known.parent].path
        return changed

    def _node(self, row: PlaceRow, level: int, above: _Node | None) -> _Node:
        found = self._found(row, level, above)
        node = found or self._new(row, level, above)
        if found is not None:
            self._require_reach(row, found)
            self._rename(row, found)
            self._move(row, found, above)
        self.touched[level, node.ref] = node
        return node

    def _found(self, row: PlaceRow, level: int, above: _Node | None) -> _Node | None:
        id, name = row.ids[level], row.names[level]
        if id:
            return self._by_id.get((level, id))
        named = [one for one in self._by_name[level, name] if one.name == name and above in (None, one.parent)]
        if not named and (level, name) in self._by_id:
            return self._by_id[level, name]
        if len(named) > 1:
            self._refuse("several", row, LEVELS[level], name=name, count=len(named), heading=LEVELS[level])
        return named[0] if named else None

    def _new(self, row: PlaceRow, level: int, above: _Node | None) -> _Node:
        name = row.names[level]
        if not name:
            self._refuse("unknown_id", row, f"{LEVELS[level]}_id", id=row.ids[level])
        if level and above is None:
            self._refuse("parent", row, LEVELS[level], name=name)
        if self._reach is not None and (level < _GATE or above is None or not within(self._reach, above.id)):
            self._refuse("out_of_reach", row, LEVELS[level], name=name)
        node = _Node(level, row.ids[level] or f"row {row.number}.{level}", row.ids[level], name, above, None, row.number)
        self._keep(node)
        return node

    def _rename(self, row: PlaceRow, node: _Node) -> None:
        name = row.names[node.level]
        if row.ids[node.level] and name:
            self._say(row, node, "name", name)
            if name != node.name:
                node.name = name
                self._by_name[node.level, name].append(node)

    def _move(self, row: PlaceRow, node: _Node, above: _Node | None) -> None:
        if above is None:
            return
        if node.parent is not above and (node.level == _GATE or node.known is None):
            self._refuse("moved", row, LEVELS[node.level], name=node.name, path=node.parent.path if node.parent else "")
        self._say(row, node, "parent", above.ref)
        node.parent = above

    def _say(self, row: PlaceRow, node: _Node | None, name: str, value: Any) -> None:
        """A row says this of a place; a later row may say the same, and nothing else."""
        if value is None:
            return
        column = LEVELS[node.level] if node is not None and name in ("name", "parent") else name
        if node is None:
            self._refuse("no_place", row, column)
        field = "schedule" if name == "hours" else name
        now = node.name if field == "name" else node.parent.ref if field == "parent" and node.parent else node.fields.get(field)
        if field in node.said and now != value:
            self._refuse("contradicts", row, column, name=node.name, other=node.said[field])
        if now != value and self._reach is not None and field in ("name", "parent") and node.level < _COMPOUND:
            self._refuse("out_of_reach", row, column, name=node.name)
        node.said.setdefault(field, row.number)
        self.touched[node.level, node.ref] = node
        if field not in ("name", "parent"):
            node.fields[field] = value

    def _require_reach(self, row: PlaceRow, node: _Node) -> None:
        compound = node if node.level == _COMPOUND else node.parent if node.level == _GATE else None
        if compound is not None and not within(self._reach, compound.id):
            self._refuse("out_of_reach", row, LEVELS[node.level], name=row.names[node.level] or row.ids[node.level])

    def _refuse(self, key: str, row: PlaceRow, column: str, **values: Any) -> NoReturn:
        raise _Refused(self._head.problem(key, row.number, column, **values))

    def _keep(self, node: _Node) -> None:
        self._by_id[node.level, node.ref] = node
        self._by_name[node.level, node.name].append(node)
