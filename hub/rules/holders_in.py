"""What a checked list of holders would issue and change, given the passes that there are. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from contract.passes import PassKind
from hub.rights import Reach, within
from hub.rules.sheets_in import MOST_PROBLEMS, Checked, HolderRow, Note, Problem, can_be_issued

Key = tuple[str, str, str, str, str]
"""Compound, building, room, masked name and kind: by these a holder is known again. Two may share it, father and son."""


MOST_ALIKE = 200
"""Of one key: a dormitory's workers of one family name are fewer."""


class KnownHolder(msgspec.Struct, frozen=True, kw_only=True):
    """A pass as the registry has it. `expires` is the last day on which it is good."""

    id: str
    key: Key
    colour: str | None
    isolating: bool
    expires: date
    revoked: bool


class KnownCompound(msgspec.Struct, frozen=True):
    """A compound as the registry has it."""

    id: str
    name: str


class NewHolder(msgspec.Struct, frozen=True):
    """A pass to issue; `expires`: the last day, None: as usual for its kind."""

    row: int
    compound: str
    kind: PassKind
    name: str
    dwelling: str
    colour: str | None
    isolating: bool
    expires: date | None


class HolderChange(msgspec.Struct, frozen=True):
    """What changes of a pass: colour, isolating, expires; `was` holds the same of before."""

    row: int
    id: str
    compound: str
    name: str
    dwelling: str
    now: dict[str, Any]
    was: dict[str, Any]


class HoldersPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All of a list, or with `problems` nothing of it."""

    new: tuple[NewHolder, ...]
    changes: tuple[HolderChange, ...]
    same: int
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]


_Made = NewHolder | HolderChange | Problem | None


class Allowed(msgspec.Struct, frozen=True):
    """What the account that brings the list may do."""

    reach: Reach
    health: bool
    """Set colours and isolating."""


def compounds_of(rows: Sequence[HolderRow], known: Sequence[KnownCompound]) -> dict[str, list[str]]:
    """The ids that each word of the list may mean: an id, or a name that several may share."""
    meant: dict[str, list[str]] = defaultdict(list)
    ids = {one.id for one in known}
    for one in known:
        if one.name not in ids:
            meant[one.name].append(one.id)
    meant |= {id: [id] for id in ids}
    return {word: meant[word] for word in {row.compound_id or row.compound for row in rows} if word in meant}


def plan(
    checked: Checked[HolderRow], meant: Mapping[str, Sequence[str]], known: Sequence[KnownHolder], allowed: Allowed, today: date
) -> HoldersPlan:
    """What the list comes to. Each row is matched with one pass of its key, so that as few change as can be."""
    problems = list(checked.problems)
    rows: dict[Key, list[HolderRow]] = defaultdict(list)
    for row in checked.rows:
        compound = _compound(checked, row, meant, allowed)
        if isinstance(compound, Problem):
            problems.append(compound)
        else:
            rows[compound, *row.door, row.name, row.kind.value].append(row)
    waiting: dict[Key, list[KnownHolder]] = defaultdict(list)
    for one in known:
        waiting[one.key].append(one)
    made: list[_Made] = []
    notes: Counter[str] = Counter()
    for key, alike in rows.items():
        if len(alike) > MOST_ALIKE or len(waiting[key]) > MOST_ALIKE:
            made.append(checked.head.problem("alike", alike[0].number, "name", most=MOST_ALIKE))
            continue
        for row, match in _matched(alike, waiting[key]):
            if match is None:
                made.append(_new(checked, row, key[0], allowed, today))
                continue
            made.append(_change(checked, row, match, allowed))
            notes["revoked"] += match.revoked
            notes["shorter"] += not match.revoked and row.expires is not None and row.expires < match.expires
    problems += [one for one in made if isinstance(one, Problem)]
    new = tuple(one for one in made if isinstance(one, NewHolder)) if not problems else ()
    changes = tuple(one for one in made if isinstance(one, HolderChange)) if not problems else ()
    return HoldersPlan(
        new=tuple(sorted(new, key=lambda one: one.row)), changes=tuple(sorted(changes, key=lambda one: one.row)),
        same=len(checked.rows) - len(new) - len(changes),
        problems=tuple(sorted(problems, key=lambda one: (one.row or 0, one.column))[:MOST_PROBLEMS]),
        notes=(*checked.notes, *(Note(key=key, values={"count": count}) for key, count in sorted(notes.items()) if count)),
    )  # fmt: skip


def _matched(rows: Sequence[HolderRow], known: Sequence[KnownHolder]) -> Iterator[tuple[HolderRow, KnownHolder | None]]:
    """Rows with passes of one key: first as many good ones as can be that change nothing (a maximum matching, H. W. Kuhn 1955),
    then the other good ones, then those that are revoked. So the same list again, and what was exported, change nothing."""
    good = [one for one in known if not one.revoked]
    taken: dict[int, int] = {}

    def find(at: int, tried: set[int]) -> bool:
        for n, one in enumerate(good):
            if n not in tried and not _differs(rows[at], one):
                tried.add(n)
                if n not in taken or find(taken[n], tried):
                    taken[n] = at
                    return True
        return False

    for at in range(len(rows)):
        find(at, set())
    of = {at: good[n] for n, at in taken.items()}
    left = iter([*(one for n, one in enumerate(good) if n not in taken), *(one for one in known if one.revoked)])
    for at, row in enumerate(rows):
        yield row, of[at] if at in of else next(left, None)


def _differs(row: HolderRow, one: KnownHolder) -> dict[str, Any]:
    """What a row would change of a pass. One that is revoked stays as it is, and none is made shorter."""
    if one.revoked:
        return {}
    said = {"colour": row.colour, "isolating": row.isolating, "expires": row.expires}
    was = {"colour": one.colour, "isolating": one.isolating, "expires": one.expires}
    now = {name: value for name, value in said.items() if value is not None and value != was[name]}
    if row.expires is not None and row.expires < one.expires:
        del now["expires"]
    return now


def _compound(checked: Checked[HolderRow], row: HolderRow, meant: Mapping[str, Sequence[str]], allowed: Allowed) -> str | Problem:
    word, column = row.compound_id or row.compound, "compound_id" if row.compound_id else "compound"
    ids = [id for id in meant.get(word, ()) if within(allowed.reach, id)]
    if len(ids) == 1:
        return ids[0]
    if ids:
        return checked.head.problem("several", row.number, column, name=word, count=len(ids), heading="compound")
    return checked.head.problem("out_of_reach", row.number, column, name=word)


def _new(checked: Checked[HolderRow], row: HolderRow, compound: str, allowed: Allowed, today: date) -> NewHolder | Problem:
    if not can_be_issued(row.kind):
        return checked.head.problem("badge", row.number, "kind")
    if row.kind is PassKind.RESIDENT and not row.door[0]:
        return checked.head.problem("cell.needed", row.number, "building")
    if row.expires is not None and row.expires < today:
        return checked.head.problem("past", row.number, "expires", value=row.expires.isoformat())
    if row.expires is not None and row.expires.year > today.year + 10:
        return checked.head.problem("far", row.number, "expires", value=row.expires.isoformat())
    health = {"colour": row.colour, "isolating": row.isolating}
    if not allowed.health and any(health.values()):
        return checked.head.problem("health", row.number, next(name for name, value in health.items() if value))
    return NewHolder(row.number, compound, row.kind, row.name, row.dwelling, row.colour, bool(row.isolating), row.expires)


def _change(checked: Checked[HolderRow], row: HolderRow, one: KnownHolder, allowed: Allowed) -> HolderChange | Problem | None:
    now = _differs(row, one)
    if not allowed.health and now.keys() & {"colour", "isolating"}:
        return checked.head.problem("health", row.number, "colour" if "colour" in now else "isolating")
    if "expires" in now and not can_be_issued(row.kind):
        return checked.head.problem("badge.renew", row.number, "expires")
    if "expires" in now and row.expires is not None and row.expires.year > one.expires.year + 10:
        return checked.head.problem("far", row.number, "expires", value=row.expires.isoformat())
    was = {name: getattr(one, name) for name in now}
    return HolderChange(row.number, one.id, one.key[0], row.name, row.dwelling, now, was) if now else None
