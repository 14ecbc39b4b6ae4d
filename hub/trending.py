"""The days of the trend read from the store. What finished days came to is kept for a while: a trend asks for the same again."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from threading import Lock

import sqlalchemy as sa

from contract.five import Item
from hub import reporting
from hub.rules import durations, report
from hub.rules.durations import Period, Stretch
from hub.rules.intervals import Interval
from hub.rules.report import Site
from hub.rules.trend import DaySums, GateDay, Trend, gate_day, trend
from hub.store.tables import intervals

CHOICES = (7, 14, 28)
"""Days of a trend; the store keeps no more."""
KEPT_OVER, KEPT_RUNNING = timedelta(hours=1), timedelta(seconds=30)
"""How long a finished day's sums are kept (a late journal may still change them), and those of a day that goes on."""
KEPT_DAYS = 2 * max(CHOICES)
_COLUMNS = ("gate", "what", "began_at", "ended_at", "state", "basis", "reason")
History = dict[str, dict[str, list[Interval]]]


class Kept:
    """Days' sums of all gates; whose gates may be seen is asked of them afterwards."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: dict[date, tuple[datetime, DaySums]] = {}

    def get(self, days: Sequence[date], now: datetime, make: Callable[[list[date]], list[DaySums]]) -> list[DaySums]:
        """The sums of these days in order; those not kept, or kept too long, are made."""
        with self._lock:  # whoever comes second waits, and need not make them again
            stale = [day for day in days if not self._holds(day, now)]
            self._made |= {made.day: (now, made) for made in (make(stale) if stale else [])}
            found = [self._made[day][1] for day in days]
            self._made = dict(sorted(self._made.items())[-KEPT_DAYS:])
        return found

    def _holds(self, day: date, now: datetime) -> bool:
        if day not in self._made:
            return False
        at, made = self._made[day]
        return timedelta(0) <= now - at < (KEPT_OVER if made.over else KEPT_RUNNING)


def last_days(count: int, zone: tzinfo, now: datetime) -> list[date]:
    """The local days that end with today."""
    today = now.astimezone(zone).date()
    return [today - timedelta(days=back) for back in range(count - 1, -1, -1)]


def read(
    conn: sa.Connection, days: Sequence[date], sites: Sequence[Site], zone: tzinfo, now: datetime, kept: Kept
) -> Trend:  # fmt: skip
    """The trend of these days, consecutive and in order, and of these gates."""
    known = kept.get(days, now, lambda stale: sums(conn, stale, zone, now))
    begin, end = durations.day_period(days[0], zone, now).begin, durations.day_period(days[-1], zone, now).end
    return trend(known, sites, reporting.load_mendings(conn, {site.gate for site in sites}, begin, end), zone)


def sums(conn: sa.Connection, days: Sequence[date], zone: tzinfo, now: datetime) -> list[DaySums]:
    """What these days, in order, were at every gate there is."""
    periods = [durations.day_period(day, zone, now) for day in days]
    sites = reporting.load_sites(conn)
    history = _history(conn, periods)
    return [_day(period, sites, known, reporting.blind_stretches(conn, period))
            for period, known in zip(periods, history, strict=True)]  # fmt: skip


def _day(period: Period, sites: Sequence[Site], known: History, blind: Sequence[Stretch]) -> DaySums:
    gates: dict[str, GateDay] = {}
    for site in sites:
        mine = known.get(site.gate, {})
        items = {item.value: mine.get(item.value, []) for item in Item}
        gates[site.gate] = gate_day(report.gate_report(site, mine.get("status", []), items, blind, period))
    return DaySums(day=period.first, length=period.length, over=period.over, gates=gates)


def _history(conn: sa.Connection, periods: Sequence[Period]) -> list[History]:
    """Every gate's intervals by the day that they reach into; read once for all days."""
    begin, end = periods[0].begin, periods[-1].end
    still = sa.or_(intervals.c.ended_at.is_(None), intervals.c.ended_at > begin)
    query = sa.select(*(intervals.c[name] for name in _COLUMNS)).where(intervals.c.began_at < end, still)
    made: list[History] = [defaultdict(lambda: defaultdict(list)) for _ in periods]
    for gate, what, began_at, ended_at, state, basis, reason in conn.execute(query):
        one = Interval(began_at=began_at, ended_at=ended_at, state=state, basis=basis, reason=reason)
        for period, known in zip(periods, made, strict=True):
            if began_at < period.end and (ended_at is None or ended_at > period.begin):
                known[gate][what].append(one)
    return made
