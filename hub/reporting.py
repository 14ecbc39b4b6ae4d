"""The daily report read from the store: intervals, rectifications and inspections of a period, for everything or an area."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contract.five import Item
from hub import acting, blindness
from hub.rights import Reach, within
from hub.rules import durations, mended
from hub.rules import report as rules
from hub.rules.compliance import GateStatus, ItemStatus, Status, Value
from hub.rules.durations import Period, Span, Stretch
from hub.rules.intervals import Interval
from hub.rules.mended import Inspected, Mending, Mendings
from hub.rules.report import GateReport, Site
from hub.store.supervision import findings, inspections, rectification_steps, rectifications
from hub.store.tables import accounts, areas, committees, compounds, gates, intervals

_JOINED = gates.join(compounds, gates.c.compound == compounds.c.id).join(
    committees, compounds.c.committee == committees.c.id
).join(areas, committees.c.area == areas.c.id)  # fmt: skip
_MANY = 500
"""Names in one query: SQLite and PostgreSQL both bound the number of parameters."""
_AGAIN = ("failed", "found")
"""Steps that open a rectification again."""


class Report(Value, frozen=True, kw_only=True):
    """A period's report."""

    period: Period
    area: str | None = None
    area_name: str = ""
    gates: tuple[GateReport, ...] = ()
    standing: tuple[GateStatus, ...] = ()
    """The gates as they stood at the end of the period."""
    as_of: datetime
    """The time they stood so: the end, or when the hub last heard before it."""
    mendings: Mendings
    inspections: tuple[Inspected, ...] = ()
    blind: tuple[Stretch, ...] = ()
    """When the hub itself heard nothing."""
    owners: dict[str, str]
    """The names of the accounts that own rectifications."""

    @property
    def sites(self) -> dict[str, Site]:
        """The gates' places, by gate."""
        return {one.site.gate: one.site for one in self.gates}


def report(conn: sa.Connection, period: Period, *, reach: Reach = None, area: str | None = None) -> Report:
    """The report of the gates in reach, or of those of an area."""
    sites = load_sites(conn, reach, area)
    ids = [site.gate for site in sites]
    blind = blind_stretches(conn, period)
    known = _intervals(conn, None if reach is None and area is None else ids, period)
    deaf = [stretch for stretch in blind if stretch[1] == period.end]
    mine = load_mendings(conn, set(ids), period.begin, period.end)
    return Report(
        period=period, area=area, area_name=next((site.area_name for site in sites), "") if area else "",
        gates=tuple(_gate(site, known.get(site.gate, {}), blind, period) for site in sites),
        standing=tuple(s for site in sites if (s := _standing(site, known.get(site.gate, {}), period)) is not None),
        as_of=deaf[0][0] if deaf else period.end,
        mendings=mended.mendings(mine, period), inspections=tuple(load_inspections(conn, set(ids), period.begin, period.end)),
        blind=tuple(blind), owners=_names(conn, {one.owner for one in mine if one.owner}),
    )  # fmt: skip


def load_sites(conn: sa.Connection, reach: Reach = None, area: str | None = None, gate: str | None = None) -> list[Site]:
    """Gates and where they belong, by area, compound and name."""
    query = sa.select(
        gates.c.id.label("gate"), gates.c.name.label("gate_name"), compounds.c.id.label("compound"),
        compounds.c.name.label("compound_name"), committees.c.id.label("committee"),
        committees.c.name.label("committee_name"), areas.c.id.label("area"), areas.c.name.label("area_name"),
        compounds.c.liaison, compounds.c.manager,
    ).select_from(_JOINED).order_by(areas.c.name, compounds.c.name, gates.c.name, gates.c.id)  # fmt: skip
    query = query.where(areas.c.id == area) if area is not None else query
    query = query.where(gates.c.id == gate) if gate is not None else query
    rows = conn.execute(query).mappings()
    return [Site(**row) for row in rows if within(reach, row["compound"])]


def load_areas(conn: sa.Connection, reach: Reach = None) -> list[tuple[str, str]]:
    """Ids and names of the areas with a compound in reach, by name."""
    query = sa.select(areas.c.id, areas.c.name, compounds.c.id).select_from(
        areas.join(committees, committees.c.area == areas.c.id).join(compounds, compounds.c.committee == committees.c.id)
    )
    found = {(id, name) for id, name, compound in conn.execute(query) if within(reach, compound)}
    return sorted(found, key=lambda area: (area[1], area[0]))


def gate_history(conn: sa.Connection, gate: str, period: Period) -> dict[str, list[Interval]]:
    """A gate's intervals that reach into a period, by what they are of."""
    return _intervals(conn, [gate], period).get(gate, {})


def blind_stretches(conn: sa.Connection, period: Period) -> list[Stretch]:
    """When the hub heard nothing, within the period, in order."""
    return blindness.stretches(conn, period.begin, period.end)


def load_inspections(conn: sa.Connection, ids: set[str], begin: datetime, end: datetime) -> list[Inspected]:
    """Inspections made within a time and sent; those not sent yet are nobody's business."""
    made = sa.and_(inspections.c.sent_at.is_not(None), inspections.c.observed_at >= begin, inspections.c.observed_at < end)
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    joined = findings.join(inspections, inspections.c.id == findings.c.inspection)
    for row in conn.execute(
        sa.select(findings.c.inspection, findings.c.item, findings.c.present).select_from(joined).where(made)
    ):
        found[row.inspection][row.item] = row.present
    query = sa.select(inspections).where(made).order_by(inspections.c.observed_at, inspections.c.id)
    return [
        Inspected(
            id=row.id, gate=row.gate, method=row.method, observed_at=row.observed_at, by=row.by, conduct=row.conduct,
            acted_well=acting.unpacked(row.actor).good if row.actor else None,
            lacking=tuple(item for item, present in found[row.id].items() if not present),
            fine=tuple(item for item, present in found[row.id].items() if present),
        )
        for row in conn.execute(query) if row.gate in ids
    ]  # fmt: skip


def load_mendings(conn: sa.Connection, ids: set[str], begin: datetime, end: datetime) -> list[Mending]:
    """Rectifications that were not closed before `begin` and were opened before `end`."""
    again = sa.select(rectification_steps.c.rectification, sa.func.max(rectification_steps.c.at)).where(
        rectification_steps.c.step.in_(_AGAIN), rectification_steps.c.at >= begin, rectification_steps.c.at < end
    ).group_by(rectification_steps.c.rectification)  # fmt: skip
    times: dict[str, datetime] = {row[0]: row[1] for row in conn.execute(again)}
    alive = sa.or_(rectifications.c.closed_at.is_(None), rectifications.c.closed_at >= begin)
    query = sa.select(rectifications).where(alive, rectifications.c.opened_at < end).order_by(rectifications.c.opened_at)
    return [_mending(row, times) for row in conn.execute(query).mappings() if row["gate"] in ids]


def _mending(row: Any, times: dict[str, datetime]) -> Mending:
    names = [name for name in Mending.__struct_fields__ if name != "reopened_at"]
    return Mending(**{name: row[name] for name in names}, reopened_at=times.get(row["id"]) if row["reopened"] else None)


def _names(conn: sa.Connection, ids: set[str]) -> dict[str, str]:
    query = sa.select(accounts.c.id, accounts.c.name)
    return {id: name for id, name in conn.execute(query) if id in ids}


def _intervals(conn: sa.Connection, ids: Sequence[str] | None, period: Period) -> dict[str, dict[str, list[Interval]]]:
    columns = ("gate", "what", "began_at", "ended_at", "state", "basis", "reason")
    query = sa.select(*(intervals.c[name] for name in columns)).where(
        intervals.c.began_at < period.end, sa.or_(intervals.c.ended_at.is_(None), intervals.c.ended_at > period.begin)
    )
    found: dict[str, dict[str, list[Interval]]] = defaultdict(lambda: defaultdict(list))
    for part in _parts(query, ids):
        for gate, what, began_at, ended_at, state, basis, reason in conn.execute(part):
            made = Interval(began_at=began_at, ended_at=ended_at, state=state, basis=basis, reason=reason)
            found[gate][what].append(made)
    return found


def _parts(query: sa.Select[Any], ids: Sequence[str] | None) -> Iterable[sa.Select[Any]]:
    if ids is None:
        return [query]
    return [query.where(intervals.c.gate.in_(ids[first : first + _MANY])) for first in range(0, len(ids), _MANY)]


def _gate(site: Site, known: dict[str, list[Interval]], blind: Sequence[Stretch], period: Period) -> GateReport:
    items = {item.value: known.get(item.value, []) for item in Item}
    return rules.gate_report(site, known.get("status", []), items, blind, period)


def _standing(site: Site, known: dict[str, list[Interval]], period: Period) -> GateStatus | None:
    """The gate as it stood at the end; None where nothing was recorded of it by then."""
    last = {what: span for what in ("status", *Item) if (span := _last(known.get(what, []), period)) is not None}
    if "status" not in last or last["status"].state not in set(Status):
        return None
    return GateStatus(
        gate=site.gate, gate_name=site.gate_name, compound=site.compound, compound_name=site.compound_name, area=site.area,
        area_name=site.area_name, liaison=site.liaison, status=Status(last["status"].state), since=last["status"].since,
        items={
            item.value: ItemStatus(present=item in last and last[item].state == durations.Known.PRESENT,
                                   since=last[item].since if item in last else None)
            for item in Item
        },
    )  # fmt: skip


def _last(rows: Sequence[Interval], period: Period) -> Span | None:
    found = durations.spans(rows, period)
    return found[-1] if found and found[-1].end == period.end else None
