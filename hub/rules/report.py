"""挑毛病例会: which gates, which items, how long and how often, by area and committee, and what was well. Pure."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

from msgspec.structs import replace

from hub.rules.compliance import Value
from hub.rules.durations import ZERO, Known, Period, Span, Spell, Stretch, Tally, own, partition, spans, spells, tally
from hub.rules.intervals import Interval

Group = TypeVar("Group", bound=Hashable)


class Site(Value, frozen=True, kw_only=True):
    """A gate with all that it belongs to."""

    gate: str
    gate_name: str
    compound: str
    compound_name: str
    committee: str
    committee_name: str
    area: str
    area_name: str
    liaison: str = ""
    manager: str = ""

    @property
    def name(self) -> str:
        """Compound and gate, as they are said."""
        return f"{self.compound_name} {self.gate_name}"


class GateReport(Value, frozen=True, kw_only=True):
    """What a period was at one gate. The status' spells are among the items' own."""

    site: Site
    status: Tally
    items: dict[str, Tally]
    spells: tuple[Spell, ...] = ()

    @property
    def whole(self) -> bool:
        """Open for a while, with nothing missing and never silent."""
        return self.status.present > ZERO and not self.status.missing and not self.status.unreachable and not self.spells


class Fault(Value, frozen=True, kw_only=True):
    """One item of one gate that was missing: how long in all, how often, the longest time."""

    site: Site
    item: str
    missing: timedelta
    times: int
    longest: Spell
    lasts: bool


class Coverage(Value, frozen=True, kw_only=True):
    """What some gates together come to."""

    gates: int
    opened: int
    """Gates that were open for a while, heard or not."""
    whole: int
    tally: Tally
    longest: tuple[Site, Spell] | None = None

    @property
    def share_of_gates(self) -> float | None:
        """The part of the opened gates that were whole; None where none was opened."""
        return self.whole / self.opened if self.opened else None


def gate_report(
    site: Site, status: Sequence[Interval], items: dict[str, list[Interval]], blind: Sequence[Stretch], period: Period
) -> GateReport:
    """What a gate's intervals come to."""
    gate = spans(status, period)
    whole = tally(partition(gate, own(gate), blind, period), blind)
    sums, found = {}, []
    for item, rows in items.items():
        known = spans(rows, period)
        if _always_present(known, period):
            sums[item] = replace(whole, present=whole.present + whole.missing, missing=ZERO)
            continue
        parts = partition(gate, known, blind, period)
        sums[item] = tally(parts, blind)
        found += spells(item, parts, period)
    return GateReport(site=site, status=whole, items=sums, spells=tuple(found))


def _always_present(item: Sequence[Span], period: Period) -> bool:
    """Whether the item was there all the time, as most are at most gates: nothing of it needs looking at."""
    edges = [period.begin, *(one.end for one in item)]
    return (
        edges[-1] == period.end
        and all(one.begin == end for one, end in zip(item, edges, strict=False))
        and all(one.state == Known.PRESENT for one in item)
    )


def faults(gates: Iterable[GateReport]) -> list[Fault]:
    """Every item that was missing somewhere, the longest in all first."""
    made = []
    for one in gates:
        for item in dict.fromkeys(spell.item for spell in one.spells):
            mine = [spell for spell in one.spells if spell.item == item]
            longest = max(mine, key=_length)
            made.append(Fault(site=one.site, item=item, missing=one.items[item].missing, times=len(mine), longest=longest,
                              lasts=mine[-1].lasts))  # fmt: skip
    return sorted(made, key=lambda fault: (-fault.missing, fault.site.name, fault.item))


def _length(spell: Spell) -> timedelta:
    return spell.missing


def coverage(gates: Iterable[GateReport]) -> Coverage:
    """What these gates together come to."""
    known = list(gates)
    longest = [(one.site, max(one.spells, key=_length)) for one in known if one.spells]
    return Coverage(
        gates=len(known),
        opened=sum(one.status.open > ZERO for one in known),
        whole=sum(one.whole for one in known),
        tally=sum((one.status for one in known), Tally()),
        longest=max(longest, key=lambda pair: pair[1].missing, default=None),
    )


def by(gates: Iterable[GateReport], group: Callable[[Site], Group]) -> dict[Group, Coverage]:
    """The coverage of each group of gates, the lowest share first; a group that was never open comes last."""
    grouped: dict[Group, list[GateReport]] = {}
    for one in gates:
        grouped.setdefault(group(one.site), []).append(one)
    made = {key: coverage(found) for key, found in grouped.items()}
    return dict(sorted(made.items(), key=lambda pair: 2.0 if pair[1].tally.share is None else pair[1].tally.share))


def silent(gates: Iterable[GateReport]) -> list[GateReport]:
    """Gates that could not be heard for a while, the longest first."""
    return sorted((one for one in gates if one.status.unreachable), key=lambda one: -one.status.unreachable)


def whole(gates: Iterable[GateReport]) -> list[GateReport]:
    """Gates without a missing minute, those open longest first."""
    return sorted((one for one in gates if one.whole), key=lambda one: (-one.status.present, one.site.name))


def quickest(gates: Iterable[GateReport], at_least: timedelta = timedelta(minutes=1)) -> list[Fault]:
    """Of gates that put right whatever was missing: the longest time of each, the shortest first. What was gone for less than
    `at_least` is no fault worth praising for its end."""
    fine = [one for one in gates if one.spells and all(s.put_right for s in one.spells) and not one.status.unreachable]
    longest = [max(faults([one]), key=lambda fault: fault.longest.missing) for one in fine]
    return sorted((fault for fault in longest if fault.longest.missing >= at_least), key=lambda fault: fault.longest.missing)
