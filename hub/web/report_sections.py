"""From a report to sections of words and figures, which page, PDF, spreadsheet and command line each set out. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from hub.flagging import Flags
from hub.reporting import Report
from hub.rules import mended
from hub.rules import report as rules
from hub.rules.durations import Spell, Tally
from hub.rules.gaming import Flag, Sign
from hub.rules.mended import Mending
from hub.rules.report import Coverage, Fault, Site
from hub.web.sentence import sentence
from hub.web.texts import duration, reason, text

MOST = {"faults": 20, "silent": 10, "recurring": 10, "good": 10, "quickest": 5}
MOST_OTHERS = 40
"""Rows of a section on screen and paper; the spreadsheet has them all."""
CHARTED = 12
DRAWN = (("present", "good"), ("missing", "bad"), ("unreachable", "unknown"), ("closed", "closed"), ("unknown", "blank"))
"""How each part of a tally is drawn (see the macro `bar`)."""
Figure = int | float | timedelta
_COVERED = "gates share whole noncompliant unreachable worst"


@dataclass(frozen=True)
class Cell:
    """What stands in a table: words, the figure behind them if there is one, and the gate that they lead to."""

    said: str
    figure: Figure | None = None
    gate: str = ""


@dataclass(frozen=True)
class Bars:
    """One line of a chart: parts one after another, `(kind, share of the width)`, told in words beside it."""

    label: str
    said: str
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Section:
    """One table, perhaps with a chart above it."""

    key: str
    title: str
    columns: tuple[str, ...]
    """The names of the columns, as keys."""
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    bars: tuple[Bars, ...] = ()

    @property
    def shown(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows on screen and paper."""
        return self.rows[: MOST.get(self.key, MOST_OTHERS)]

    @property
    def more(self) -> int:
        """How many are left out there."""
        return len(self.rows) - len(self.shown)


@dataclass(frozen=True)
class Tile:
    """One figure at the head."""

    key: str
    title: str
    cell: Cell
    alarming: bool = False


class Words:
    """A language and a time zone."""

    def __init__(self, language: str, zone: tzinfo) -> None:
        self.language, self.zone = language, zone

    def __call__(self, key: str, **values: object) -> str:
        return text(self.language, key, **values)

    def moment(self, at: datetime) -> str:
        """02-16 07:41, in the zone."""
        return f"{at.astimezone(self.zone):%m-%d %H:%M}"

    def item(self, key: str) -> str:
        """One of the five, or conduct."""
        return self("report.item.conduct") if key == "conduct" else self(f"item.{key}")

    def lasting(self, length: timedelta) -> Cell:
        """A length of time."""
        return Cell(duration(self.language, length.total_seconds()) if length else "–", length)

    def share(self, part: float | None) -> Cell:
        """A share, cut and not rounded: what is not all is never 100 %."""
        if part is None:
            return Cell(self("report.share.none"))
        return Cell(f"{int(part * 1000) / 10:.1f}%", part)


def title(report: Report, say: Words) -> str:
    """What the report is of."""
    period = report.period
    if period.first == period.last:
        return say("report.title.day", day=period.first.isoformat())
    return say("report.title.week", first=period.first.isoformat(), last=period.last.isoformat())


def scope(report: Report, say: Words) -> str:
    """The area, and until when."""
    where = report.area_name or say("report.all_areas")
    return where if report.period.over else f"{where} · {say('report.so_far', time=say.moment(report.period.end))}"


def lead(report: Report, say: Words) -> str:
    """The one sentence: of the whole period once it is over, else of how it is now."""
    found = rules.coverage(report.gates)
    if not report.period.over or not found.opened:
        return sentence(report.standing, report.as_of, say.language, blind=report.as_of < report.period.end)
    said = say("report.lead", opened=found.opened, whole=found.whole, lacking=sum(bool(one.spells) for one in report.gates),
               unreachable=sum(bool(one.status.unreachable) for one in report.gates))  # fmt: skip
    return said if found.longest is None else said + _longest(*found.longest, say)


def _longest(site: Site, spell: Spell, say: Words) -> str:
    lasting = duration(say.language, spell.missing.total_seconds())
    liaison = say("sentence.liaison", liaison=site.liaison) if site.liaison else ""
    return say("report.lead.longest", gate=site.name, item=say.item(spell.item), lasting=lasting) + liaison


def blind(report: Report, say: Words) -> list[str]:
    """When the hub itself heard nothing."""
    return [say("report.blind", begin=say.moment(begin), end=say.moment(end)) for begin, end in report.blind]


def tiles(report: Report, say: Words) -> tuple[Tile, ...]:
    """The figures of the whole."""
    all_ = rules.coverage(report.gates)
    late = len(report.mendings.overdue)
    return (
        Tile("time", say("report.tile.time"), say.share(all_.tally.share)),
        Tile("gates", say("report.tile.gates"), Cell(say("report.of", n=all_.whole, total=all_.opened), all_.whole)),
        Tile("missing", say("report.tile.missing"), say.lasting(all_.tally.missing), bool(all_.tally.missing)),
        Tile("unreachable", say("report.tile.unreachable"), say.lasting(all_.tally.unreachable), bool(all_.tally.unreachable)),
        Tile("overdue", say("report.tile.overdue"), Cell(str(late), late), late > 0),
    )


def sections(report: Report, flags: Flags | None, say: Words) -> tuple[Section, ...]:
    """Everything below the head, what needs talking about first."""
    found = rules.faults(report.gates)
    return (
        _faults(found, report, say), _silent(report, say), _recurring(found, report, say), _reopened(report, say),
        _overdue(report, say), flags_section(flags, report.sites, say), _areas(report, say), _committees(report, say),
        _inspections(report, say), _good(report, say), _quickest(report, say),
    )  # fmt: skip


def flags_section(flags: Flags | None, sites: dict[str, Site], say: Words) -> Section:
    """The signs of gaming; none looked at yet is said, and is not the same as none found."""
    note = say("report.note.flags", day=flags.day.isoformat()) if flags else say("report.note.flags.none")
    return _section("flags", "gate sign figures owner", flag_rows(flags.flags if flags else (), sites, say), say, note)


def flag_rows(flags: Iterable[Flag], sites: dict[str, Site], say: Words) -> Iterator[tuple[Cell, ...]]:
    """A row a flag."""
    for flag in flags:
        site = sites.get(flag.gate)
        if site is not None:
            yield (_site(site), Cell(say(f"flag.{flag.sign}")), Cell(flag_said(flag, sites, say)), Cell(whose(site, say)))


def flag_said(flag: Flag, sites: dict[str, Site], say: Words) -> str:
    """The figures of a flag in a sentence."""
    known = {name: _figure(flag.sign, name, value, sites, say) for name, value in flag.figures.items()}
    if "seconds" in flag.figures:
        known["lasting"] = duration(say.language, float(flag.figures["seconds"]))
    return say(f"flag.{flag.sign}.said", **known)


_SHARES = frozenset({"share", "quick", "questioned", "main_questioned", "measured", "main_measured"})


def _figure(sign: Sign, name: str, value: int | float | str, sites: dict[str, Site], say: Words) -> str:
    if name in _SHARES and isinstance(value, float):
        return f"{value:.0%}"
    if name in ("begin", "inspected", "silent"):
        return say.moment(datetime.fromisoformat(str(value)))
    if name == "item":
        return say.item(str(value))
    if name == "main":
        return sites[str(value)].gate_name if str(value) in sites else str(value)
    if name == "gap":
        return duration(say.language, float(value))
    if sign is Sign.TYPED_ALIKE and isinstance(value, float):
        return f"{value:.2f}" if name == "spread" else f"{value:.1f}"
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def whose(site: Site, say: Words) -> str:
    """Who answers for a gate: liaison, committee, area."""
    first = [say("report.liaison", name=site.liaison)] if site.liaison else []
    return " · ".join([*first, site.committee_name, site.area_name])


def _section(
    key: str, columns: str, rows: Iterable[tuple[Cell, ...]], say: Words, note: str = "", bars: tuple[Bars, ...] = ()
) -> Section:  # fmt: skip
    names = tuple(columns.split())
    head = tuple(say(f"report.head.{name}") for name in names)
    return Section(key, say(f"report.section.{key}"), names, head, tuple(rows), note, bars)


def _site(site: Site) -> Cell:
    return Cell(site.name, gate=site.gate)


def _faults(found: Sequence[Fault], report: Report, say: Words) -> Section:
    most = found[0].missing if found else timedelta(1)
    bars = tuple(
        Bars(f"{one.site.name} {say.item(one.item)}", say.lasting(one.missing).said, (("bad", one.missing / most),))
        for one in found[:CHARTED] if one.missing
    )  # fmt: skip
    rows = (_fault(one, report, say) for one in found)
    return _section("faults", "gate item missing longest times reason owner", rows, say, say("report.note.faults"), bars)


def _fault(one: Fault, report: Report, say: Words) -> tuple[Cell, ...]:
    why = [reason(say.language, one.longest.reason)] if one.longest.reason else []
    why += [say("report.days_before", time=say.moment(one.longest.since))] if one.longest.since < report.period.begin else []
    why += [say("report.lasts")] if one.lasts else []
    return (_site(one.site), Cell(say.item(one.item)), say.lasting(one.missing), say.lasting(one.longest.missing),
            _times(one.times, say), Cell(" · ".join(why)), Cell(whose(one.site, say)))  # fmt: skip


def _silent(report: Report, say: Words) -> Section:
    rows = tuple(
        (_site(one.site), say.lasting(one.status.unreachable), say.lasting(one.status.open), Cell(whose(one.site, say)))
        for one in rules.silent(report.gates)
    )
    return _section("silent", "gate unreachable open owner", rows, say)


def _recurring(found: Sequence[Fault], report: Report, say: Words) -> Section:
    before = {(one.gate, one.item): one.recurrence for one in report.mendings.recurring}
    now = {(one.site.gate, one.item): one for one in found if one.times > 1 or (one.site.gate, one.item) in before}
    keys = [*sorted(now, key=lambda key: -now[key].times), *(key for key in before if key not in now)]
    rows = tuple(
        (_site(report.sites[gate]), Cell(say.item(item)), _times(now[gate, item].times if (gate, item) in now else 0, say),
         say.lasting(now[gate, item].missing if (gate, item) in now else timedelta(0)),
         _times(before.get((gate, item), 0), say), Cell(whose(report.sites[gate], say)))
        for gate, item in keys
    )  # fmt: skip
    return _section("recurring", "gate item times missing before owner", rows, say)


def _times(times: int, say: Words) -> Cell:
    return Cell(say("report.times", n=times) if times else "–", times)


def _mended(one: Mending, report: Report, say: Words, *cells: Cell) -> tuple[Cell, ...]:
    site = report.sites[one.gate]
    name = report.owners.get(one.owner or "", "")
    owner = say("report.owner", name=name) if name else whose(site, say)
    return (_site(site), Cell(say.item(one.item)), *cells, Cell(owner))


def _reopened(report: Report, say: Words) -> Section:
    rows = tuple(
        _mended(one, report, say, _times(one.reopened, say), Cell(say.moment(one.opened_at))) for one in report.mendings.reopened
    )
    return _section("reopened", "gate item reopened opened owner", rows, say)


def _overdue(report: Report, say: Words) -> Section:
    rows = tuple(
        _mended(one, report, say, Cell(say.moment(one.due_at)), say.lasting(report.period.end - one.due_at))
        for one in report.mendings.overdue
    )
    sums = report.mendings
    note = say(
        "report.note.mendings", opened=sums.opened, closed=sums.closed, by_recheck=sums.by_recheck, open=sums.open_at_end
    )  # fmt: skip
    return _section("overdue", "gate item due late owner", rows, say, note)


def _areas(report: Report, say: Words) -> Section:
    grouped = rules.by(report.gates, lambda site: site.area_name)
    bars = tuple(Bars(name, say.share(one.tally.share).said, stacked(one.tally)) for name, one in grouped.items())
    rows = tuple(_covered(name, one, say) for name, one in grouped.items())
    return _section("areas", f"area {_COVERED}", rows, say, say("report.how"), bars)


def _committees(report: Report, say: Words) -> Section:
    grouped = rules.by(report.gates, lambda site: f"{site.area_name} {site.committee_name}")
    rows = tuple(_covered(name, one, say) for name, one in grouped.items())
    return _section("committees", f"committee {_COVERED}", rows, say)


def _covered(name: str, one: Coverage, say: Words) -> tuple[Cell, ...]:
    longest = "–"
    if one.longest is not None:
        where, spell = one.longest
        longest = f"{where.name} {say.item(spell.item)} {say.lasting(spell.missing).said}"
    return (Cell(name), Cell(str(one.gates), one.gates), say.share(one.tally.share),
            Cell(say("report.of", n=one.whole, total=one.opened), one.whole), say.lasting(one.tally.missing),
            say.lasting(one.tally.unreachable), Cell(longest))  # fmt: skip


def stacked(tally: Tally) -> tuple[tuple[str, float], ...]:
    """A tally as parts of a bar."""
    total = tally.total or timedelta(1)
    return tuple((kind, part / total) for name, kind in DRAWN if (part := getattr(tally, name)))


def _inspections(report: Report, say: Words) -> Section:
    rows = tuple(
        (Cell(_method(one.method, say)), Cell(str(one.made), one.made), Cell(str(one.gates), one.gates),
         Cell(str(one.with_fault), one.with_fault), Cell(_found(one, say)))
        for one in mended.by_method(report.inspections)
    )  # fmt: skip
    return _section("inspections", "method made gates with_fault found", rows, say)


def _method(method: str, say: Words) -> str:
    known = ("rounds", "off_peak", "actor", "cross", "recheck")
    return say(f"report.method.{method}") if method in known else method


def _found(one: mended.Method, say: Words) -> str:
    said = [say("report.lacking", item=say.item(item), n=n) for item, n in one.lacking.items()]
    said += [say("report.bad_conduct", n=one.bad_conduct)] if one.bad_conduct else []
    said += [say("report.acted_badly", n=one.acted_badly)] if one.acted_badly else []
    return say("report.names").join(said) or "–"


def inspected(one: mended.Inspected, say: Words) -> tuple[str, str]:
    """The method of an inspection, and what it found."""
    said = [f"{say('item.missing')} {say.item(item)}" for item in one.lacking]
    said += [say("evidence.bad_conduct")] if one.conduct is False else []
    said += [say("evidence.acted_badly")] if one.acted_well is False else []
    return _method(one.method, say), say("report.names").join(said) or say("evidence.no_fault")


def _good(report: Report, say: Words) -> Section:
    rows = tuple(
        (_site(one.site), say.lasting(one.status.present), Cell(whose(one.site, say))) for one in rules.whole(report.gates)
    )  # fmt: skip
    return _section("good", "gate open owner", rows, say)


def _quickest(report: Report, say: Words) -> Section:
    rows = tuple(
        (_site(one.site), Cell(say.item(one.item)), say.lasting(one.longest.missing), Cell(whose(one.site, say)))
        for one in rules.quickest(report.gates)
    )
    return _section("quickest", "gate item longest owner", rows, say)
