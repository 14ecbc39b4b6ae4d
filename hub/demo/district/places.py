"""The places of the seeded sub-district."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from hub.registry import versions
from hub.store import tables

_AREAS = ("东片区", "西片区", "南片区", "北片区", "中片区", "沿河片区")
_FIRST = ("虹", "古", "锦", "绿", "和", "新", "金", "华", "田", "康", "万", "春")
_SECOND = ("梅", "美", "绣", "苑", "平", "荣", "桂", "漕", "林", "健", "源", "申")
_LAST = ("小区", "花园", "新村", "公寓", "家园")
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗"
_GIVEN = ("秀英", "建国", "敏", "芳", "伟", "丽", "强", "静", "磊", "玉兰", "桂花", "志明")
_NAMES = ("正门", "东门", "西门", "南门")
GATES = len(_NAMES)
"""Gates of a compound at most."""
SIDE_HOURS = ((390, 570), (990, 1170))
"""06:30–09:30 and 16:30–19:30, in minutes of the day."""


@dataclass(frozen=True)
class Compound:
    """A compound 小区."""

    id: str
    name: str
    area: str
    liaison: str


@dataclass(frozen=True)
class Gate:
    """A gate with its one station; a side gate keeps hours."""

    id: str
    name: str
    compound: Compound
    side: bool

    @property
    def station(self) -> str:
        """The id of its station."""
        return f"{self.id}-1"

    @property
    def schedule(self) -> tuple[tuple[int, int], ...]:
        """Opening hours in minutes of the day; none: always."""
        return SIDE_HOURS if self.side else ()


@dataclass(frozen=True)
class District:
    """All of it."""

    areas: tuple[tuple[str, str], ...]
    compounds: tuple[Compound, ...]
    gates: tuple[Gate, ...]


def make(conn: sa.Connection, count: int, now: datetime, seed: int) -> District:
    """Write areas, committees, compounds, gates and stations."""
    rng = random.Random(f"places {seed}")
    areas = tuple((f"p{n}", name) for n, name in enumerate(_AREAS, 1))
    committees = [(f"j{n:02}", f"第{n}居委会", areas[n % len(areas)][0]) for n in range(1, max(count // 5, 6) + 1)]
    names = _names(rng, count)
    compounds, owners = [], {}
    for n, name in enumerate(names, 1):
        committee, _, area = committees[n % len(committees)]
        one = Compound(f"c{n:03}", name, area, rng.choice(_SURNAMES) + rng.choice(_GIVEN))
        owners[one.id] = committee
        compounds.append(one)
    gates = [gate for compound in compounds for gate in _gates(rng, compound)]
    conn.execute(sa.insert(tables.areas), [{"id": id, "name": name} for id, name in areas])
    conn.execute(sa.insert(tables.committees), [{"id": id, "name": name, "area": area} for id, name, area in committees])
    conn.execute(sa.insert(tables.compounds), [
        {"id": one.id, "name": one.name, "committee": owners[one.id], "liaison": one.liaison, "manager": f"{one.name}物业"}
        for one in compounds
    ])  # fmt: skip
    conn.execute(sa.insert(tables.gates), [
        {"id": gate.id, "name": gate.name, "compound": gate.compound.id, "schedule": [list(hours) for hours in gate.schedule]}
        for gate in gates
    ])  # fmt: skip
    added = now - timedelta(days=30)
    conn.execute(sa.insert(tables.stations), [
        {"id": gate.station, "gate": gate.id, "lane": "1", "password": f"seeded-{gate.id}", "added_at": added} for gate in gates
    ])  # fmt: skip
    versions.bump_all(conn)
    return District(areas, tuple(compounds), tuple(gates))


def _names(rng: random.Random, count: int) -> list[str]:
    every = [a + b + c for a in _FIRST for b in _SECOND for c in _LAST]
    return rng.sample(every, count)


def _gates(rng: random.Random, compound: Compound) -> list[Gate]:
    names = _NAMES[: rng.choice((1, 2, 2, 2, 3, 3, 4))]
    return [Gate(f"{compound.id}g{n}", name, compound, side=n > 2) for n, name in enumerate(names, 1)]
