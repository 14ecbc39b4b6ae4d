"""From the days of a trend to plots with their numbers, and to its tables. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contract.five import Item
from hub.rules.durations import Tally
from hub.rules.report import Site
from hub.rules.trend import Trend, TrendDay, Worst, total
from hub.web.charts import Bar, ceiling, grouped, stacked
from hub.web.figure_lines import Plot, Table
from hub.web.report_sections import DRAWN, Cell, Tile, Words, whose

MOST_TICKS = 7
_HOUR = timedelta(hours=1)
_TIMES = ("present", "missing", "unreachable", "closed", "unknown")


@dataclass(frozen=True)
class WorstLine:
    """One gate of a table."""

    gate: str
    name: str
    missing: str
    unreachable: str
    days: str
    items: str
    share: str
    whose: str


@dataclass(frozen=True)
class Choice:
    """A place to narrow the trend to; `inside`: the area that a committee is in, else empty."""

    value: str
    name: str
    inside: str


def places(sites: Sequence[Site], say: Words) -> tuple[Choice, ...]:
    """Each area, followed by its committees."""
    areas = sorted({(one.area_name, one.area) for one in sites})
    found = {(one.area, one.committee_name, one.committee) for one in sites}
    return tuple(
        choice
        for name, area in areas
        for choice in (
            Choice(f"area:{area}", say("trend.place.area", name=name), name),
            *(Choice(f"committee:{id}", of, name) for inside, of, id in sorted(found) if inside == area),
        )
    )


def tiles(known: Trend, say: Words) -> tuple[Tile, ...]:
    """The figures of the whole, and whether it gets better."""
    half = len(known.days) // 2
    first, last = (say.share(_share(days)).said for days in (known.days[:half], known.days[-half:]))
    found = known.tally
    return (
        Tile("time", say("report.tile.time"), say.share(found.share)),
        Tile("halves", say("trend.halves", n=half), Cell(f"{first} → {last}")),
        Tile("missing", say("report.tile.missing"), say.lasting(found.missing), bool(found.missing)),
        Tile("unreachable", say("report.tile.unreachable"), say.lasting(found.unreachable), bool(found.unreachable)),
    )


def _share(days: Sequence[TrendDay]) -> float | None:
    """None also where next to nothing is known: a few hours tell nothing of a week."""
    tally = total(one.tally for one in days)
    return None if tally.unknown > tally.total / 2 else tally.share


def lead(known: Trend, say: Words) -> str:
    """The period in a sentence."""
    found = known.tally
    return say("trend.lead", n=len(known.days), share=say.share(found.share).said, missing=say.lasting(found.missing).said,
               unreachable=say.lasting(found.unreachable).said)  # fmt: skip


def share(known: Trend, now: datetime, say: Words) -> Plot:
    """How each day's gate time is shared out, in percent."""
    bars = [
        Bar(say("trend.share.title", day=_short(one.day), share=say.share(one.tally.share).said), _parts(one.tally))
        for one in known.days
    ]
    head = (say("trend.day"), *(say(f"trend.{name}") for name in _TIMES), say("trend.open_share"))
    rows = tuple(
        (_day(one, now, say), *(_part(one.tally, name, say) for name in _TIMES), say.share(one.tally.share).said)
        for one in reversed(known.days)
    )
    legend = tuple((kind, say(f"trend.{name}")) for name, kind in DRAWN)
    chart = stacked(bars, _ticks(known.days), top=100, unit="%")
    return Plot("share", say("trend.share"), chart, legend, Table(head, rows), say("trend.share.note"))


def troubled(known: Trend, say: Words) -> Plot:
    """Of the open time, what was not compliant, on a scale of its own; a day hardly recorded is marked, not left empty."""
    shares = [(one, _troubles(one.tally)) for one in known.days]
    top = ceiling(max((sum(n for _, n in parts) for _, parts in shares), default=0))
    bars = [Bar(_troubled_said(one, say), (*parts, *_unrecorded(one, top - sum(n for _, n in parts)))) for one, parts in shares]
    legend = tuple((kind, say(f"trend.{name}")) for name, kind in DRAWN if name in ("missing", "unreachable", "unknown"))
    chart = stacked(bars, _ticks(known.days), top=top, unit="%")
    return Plot("troubled", say("trend.troubled"), chart, legend, Table((), ()))


def _troubles(tally: Tally) -> tuple[tuple[str, float], ...]:
    open_ = tally.open
    return (("bad", 100 * (tally.missing / open_)), ("unknown", 100 * (tally.unreachable / open_))) if open_ else ()


def _troubled_said(one: TrendDay, say: Words) -> str:
    said = (f"{say(f'trend.{name}')} {say.lasting(getattr(one.tally, name)).said}" for name in ("missing", "unreachable"))
    return " ".join([_short(one.day), *([say("trend.unknown")] if _is_unrecorded(one) else said)])


def _is_unrecorded(one: TrendDay) -> bool:
    """Whether next to nothing is known of the day: what else is drawn of it would look like all was well."""
    return one.tally.unknown > one.tally.total / 2 or not one.tally.total


def _unrecorded(one: TrendDay, height: float) -> tuple[tuple[str, float], ...]:
    return (("blank", height),) if _is_unrecorded(one) else ()


def _parts(tally: Tally) -> tuple[tuple[str, float], ...]:
    whole = tally.total
    return tuple((kind, 100 * (getattr(tally, name) / whole)) for name, kind in DRAWN) if whole else ()


def _part(tally: Tally, name: str, say: Words) -> str:
    part: timedelta = getattr(tally, name)
    return say.share(part / tally.total).said if part else "–"


def items(known: Trend, now: datetime, say: Words) -> tuple[Plot, ...]:
    """The hours that each item was missing, a plot an item, all with one scale."""
    top = ceiling(max((_hours(one.missing, item) for one in known.days for item in Item), default=0))
    return tuple(_item(item, known, top, now, say) for item in Item)


def _item(item: Item, known: Trend, top: float, now: datetime, say: Words) -> Plot:
    hours = [(one, _hours(one.missing, item)) for one in known.days]
    bars = [
        Bar(
            say("trend.item.title", day=_short(one.day), item=say.item(item), hours=_missed(one, n, say)),
            (("bad", n), *_unrecorded(one, top - n)),
        )
        for one, n in hours
    ]
    rows = tuple((_day(one, now, say), _missed(one, n, say)) for one, n in reversed(hours))
    table = Table((say("trend.day"), say("trend.missing")), rows)
    title = f"{say.item(item)} {_said(sum(n for _, n in hours), say)}"
    return Plot(f"item-{item}", title, stacked(bars, _ticks(known.days, 3), top=top), (), table)


def items_table(known: Trend, now: datetime, say: Words) -> Table:
    """The same numbers, the five side by side."""
    rows = tuple(
        (_day(one, now, say), *(_missed(one, _hours(one.missing, item), say) for item in Item)) for one in reversed(known.days)
    )
    return Table((say("trend.day"), *(say.item(item) for item in Item)), rows)


def mended(known: Trend, now: datetime, say: Words) -> Plot:
    """Rectifications opened beside those closed."""
    bars = [
        Bar(say("trend.mended.title", day=_short(one.day), opened=one.mended.opened, closed=one.mended.closed),
            (("opened", one.mended.opened), ("done", one.mended.closed)))
        for one in known.days
    ]  # fmt: skip
    head = tuple(say(f"trend.{key}") for key in ("day", "opened", "closed_items", "open_at_end"))
    rows = tuple(
        (_day(one, now, say), str(one.mended.opened), str(one.mended.closed), str(one.mended.open_at_end))
        for one in reversed(known.days)
    )
    note = say(
        "trend.mended.note", opened=sum(one.mended.opened for one in known.days),
        closed=sum(one.mended.closed for one in known.days), open=known.days[-1].mended.open_at_end,
    )  # fmt: skip
    legend = (("opened", say("trend.opened")), ("done", say("trend.closed_items")))
    return Plot("mended", say("trend.mended"), grouped(bars, _ticks(known.days)), legend, Table(head, rows), note)


def worst(known: Sequence[Worst], say: Words) -> tuple[WorstLine, ...]:
    """A line a gate."""
    return tuple(
        WorstLine(
            gate=one.site.gate, name=one.site.name, missing=say.lasting(one.tally.missing).said,
            unreachable=say.lasting(one.tally.unreachable).said, days=say("trend.of_days", n=one.days),
            items=_items_said(one.missing, say), share=say.share(one.tally.share).said, whose=whose(one.site, say),
        )
        for one in known
    )  # fmt: skip


def _items_said(missing: Mapping[str, timedelta], say: Words) -> str:
    longest = sorted(missing.items(), key=lambda pair: -pair[1])
    said = (say("trend.item", item=say.item(item), hours=f"{lasted / _HOUR:.1f}") for item, lasted in longest)
    return say("report.names").join(said) or "–"


def _hours(missing: Mapping[str, timedelta], item: str) -> float:
    return missing.get(item, timedelta(0)) / _HOUR


def _missed(one: TrendDay, hours: float, say: Words) -> str:
    return say("trend.unknown") if not hours and _is_unrecorded(one) else _said(hours, say)


def _said(hours: float, say: Words) -> str:
    return say("trend.hours", n=f"{hours:.1f}") if hours else "–"


def _day(one: TrendDay, now: datetime, say: Words) -> str:
    if one.over:
        return one.day.isoformat()
    return say("trend.so_far", day=one.day.isoformat(), time=f"{now.astimezone(say.zone):%H:%M}")


def _ticks(days: Sequence[TrendDay], most: int = MOST_TICKS) -> tuple[tuple[float, str], ...]:
    """Labels in the middle of columns, the last one always."""
    step = -(-len(days) // most)
    return tuple((n + 0.5, _short(days[n].day)) for n in range(len(days) - 1, -1, -step))[::-1]


def _short(day: date) -> str:
    return f"{day:%m-%d}"
