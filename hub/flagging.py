"""The signs of gaming found in the store: seven days of every gate, looked at once a day and kept with the day they end with."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import (
    Body,
    DutyConfirmed,
    Entry,
    EvidenceChange,
    PeopleCounted,
    ShiftChange,
    Tallied,
    decode_event,
)
from contract.five import Lifetimes
from hub import reporting
from hub.rights import Reach
from hub.rules import durations, gaming
from hub.rules.compliance import Value
from hub.rules.durations import Period, Span
from hub.rules.gaming import Flag
from hub.rules.mended import Inspected, Mending
from hub.rules.report import Site
from hub.store import meta
from hub.store.tables import events
from hub.store.tables import meta as values

DAYS, HOURLY_DAYS, KEPT_DAYS = 7, 14, 28
"""Days looked at; days whose hours are compared; days for which flags are kept."""
KINDS = frozenset({"entry", "evidence", "shift", "duty_confirmed", "people", "tally"})
ROWS = 50_000
"""Events of one gate that are looked at, the newest."""
_PREFIX = "flags:"
_HOUR = timedelta(hours=1)
Words = list[tuple[datetime, Body]]
Of = TypeVar("Of", Inspected, Mending)


class Flags(Value, frozen=True, kw_only=True):
    """What was found in the seven days that end with `day`."""

    day: date
    flags: tuple[Flag, ...]


def week_to(day: date, zone: tzinfo, now: datetime, days: int = DAYS) -> Period:
    """The days that end with `day`."""
    last = durations.day_period(day, zone, now)
    first = day - timedelta(days=days - 1)
    begin = durations.day_period(first, zone, now).begin
    return Period(begin=begin, end=max(begin, last.end), first=first, last=day, over=last.over)


def find(conn: sa.Connection, day: date, zone: tzinfo, now: datetime, lifetimes: Lifetimes, *, reach: Reach = None) -> Flags:
    """Look at every gate in reach. A minute's work for a sub-district: for the scheduler and the command line."""
    period = week_to(day, zone, now)
    sites = reporting.load_sites(conn, reach)
    ids = {site.gate for site in sites}
    seen = _by_gate(reporting.load_inspections(conn, ids, period.begin, period.end))
    mended = _by_gate(reporting.load_mendings(conn, ids, period.begin, period.end))
    found: list[Flag] = []
    strict: dict[str, dict[str, gaming.Strictness]] = defaultdict(dict)
    for site in sites:
        words = list(_words(conn, site.gate, period))
        strict[site.compound][site.gate] = gaming.strictness(_entries(words))
        found += _own(conn, site, words, seen.get(site.gate, []), mended.get(site.gate, []), period, zone, now, lifetimes)
    found += [flag for gates in strict.values() if len(gates) > 1 for flag in gaming.lax_sides(gates)]
    return Flags(day=day, flags=tuple(found))


def find_at(conn: sa.Connection, site: Site, day: date, zone: tzinfo, now: datetime, lifetimes: Lifetimes) -> list[Flag]:
    """The signs at one gate: as they are kept, else looked at now, without the comparison with the compound's other gates."""
    known = kept(conn, day, reach=frozenset({site.compound}))
    if known is not None and known.day == day:
        return [flag for flag in known.flags if flag.gate == site.gate]
    period = week_to(day, zone, now)
    seen = reporting.load_inspections(conn, {site.gate}, period.begin, period.end)
    mended = reporting.load_mendings(conn, {site.gate}, period.begin, period.end)
    return _own(conn, site, list(_words(conn, site.gate, period)), seen, mended, period, zone, now, lifetimes)


def keep(conn: sa.Connection, flags: Flags) -> None:
    """Keep what was found; what is older than four weeks goes."""
    meta.put(conn, _PREFIX + flags.day.isoformat(), msgspec.json.encode(flags).decode())
    oldest = _PREFIX + (flags.day - timedelta(days=KEPT_DAYS)).isoformat()
    conn.execute(sa.delete(values).where(values.c.key.startswith(_PREFIX, autoescape=True), values.c.key < oldest))


def kept(conn: sa.Connection, until: date, *, reach: Reach = None, area: str | None = None) -> Flags | None:
    """The newest flags kept that end with a day not after `until` and not a week before it; None: there are none."""
    first, last = (_PREFIX + (until - timedelta(days=n)).isoformat() for n in (DAYS - 1, 0))
    query = sa.select(values.c.value).where(values.c.key.between(first, last)).order_by(values.c.key.desc()).limit(1)
    text: str | None = conn.scalar(query)
    if text is None:
        return None
    known = msgspec.json.decode(text, type=Flags)
    mine = {site.gate for site in reporting.load_sites(conn, reach, area)}
    return Flags(day=known.day, flags=tuple(flag for flag in known.flags if flag.gate in mine))


def _own(
    conn: sa.Connection, site: Site, words: Words, seen: Sequence[Inspected], mended: Sequence[Mending], period: Period,
    zone: tzinfo, now: datetime, lifetimes: Lifetimes,
) -> list[Flag]:  # fmt: skip
    gate, entries = site.gate, _entries(words)
    shifts = [(at, body) for at, body in words if isinstance(body, ShiftChange)]
    confirmed = [(at, body) for at, body in words if isinstance(body, DutyConfirmed)]
    touches = [at for at, body in words if isinstance(body, ShiftChange | Tallied) or _is_touch(body)]
    declared = [(at, body) for at, body in words if isinstance(body, EvidenceChange)]
    ask_after = timedelta(seconds=lifetimes.ask_volunteer_after)
    days = week_to(period.last, zone, now, HOURLY_DAYS)
    status = durations.spans(reporting.gate_history(conn, gate, days).get("status", []), days)
    found = (
        gaming.typed_alike(gate, entries), gaming.clockwork(gate, declared, zone),
        gaming.badge_left(gate, shifts, confirmed, ask_after), gaming.no_hands(gate, entries, touches),
        gaming.unrecorded(gate, [body for _, body in words if isinstance(body, PeopleCounted)]),
        gaming.too_quiet(gate, _hours(conn, gate, days, status, zone), period.last), gaming.unplugged(gate, status, seen),
        gaming.closed_at_once(gate, mended), gaming.even_back_entries(gate, entries, zone),
    )  # fmt: skip
    return [flag for flag in found if flag is not None]


def _is_touch(body: Body) -> bool:
    return isinstance(body, DutyConfirmed) and body.by_touch


def _by_gate(known: Sequence[Of]) -> dict[str, list[Of]]:
    found: dict[str, list[Of]] = defaultdict(list)
    for one in known:
        found[one.gate].append(one)
    return found


def _words(conn: sa.Connection, gate: str, period: Period) -> Iterator[tuple[datetime, Body]]:
    query = sa.select(events.c.at, events.c.kind, events.c.body).where(
        events.c.gate == gate, events.c.at >= period.begin, events.c.at < period.end
    )  # kinds are sorted out here, so that no store takes the index of kinds over all gates for it
    for at, kind, text in conn.execute(query.order_by(events.c.at.desc()).limit(ROWS)):
        try:
            if kind in KINDS:
                yield at, decode_event(text.encode()).body
        except BadMessage:
            continue


def _entries(words: Words) -> list[gaming.Dated]:
    return [(at, body) for at, body in words if isinstance(body, Entry)]


def _hours(
    conn: sa.Connection, gate: str, period: Period, status: Sequence[Span], zone: tzinfo
) -> dict[date, dict[int, int]]:  # fmt: skip
    """Entries by local day and hour, of the hours in which the gate was open and heard from beginning to end."""
    query = sa.select(events.c.at, events.c.kind).where(
        events.c.gate == gate, events.c.at >= period.begin, events.c.at < period.end
    )
    counted: dict[datetime, int] = defaultdict(int)
    for at, kind in conn.execute(query.order_by(events.c.at.desc()).limit(2 * ROWS)):
        if kind == "entry":
            counted[at.replace(minute=0, second=0, microsecond=0)] += 1
    found: dict[date, dict[int, int]] = defaultdict(dict)
    for begin in _heard(status):
        local = begin.astimezone(zone)
        found[local.date()][local.hour] = counted.get(begin, 0)
    return found


def _heard(status: Sequence[Span]) -> Iterator[datetime]:
    """The beginnings of whole hours within time that was open and heard."""
    begin = end = None
    for span in [one for one in status if one.state in ("compliant", "non_compliant")]:
        if end != span.begin:
            yield from _whole_hours(begin, end)
            begin = span.begin
        end = span.end
    yield from _whole_hours(begin, end)


def _whole_hours(begin: datetime | None, end: datetime | None) -> Iterator[datetime]:
    if begin is None or end is None:
        return
    at = begin.replace(minute=0, second=0, microsecond=0)
    at = at if at == begin else at + _HOUR
    while at + _HOUR <= end:
        yield at
        at += _HOUR
