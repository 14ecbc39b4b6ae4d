"""At the end: what the hub has, held against what people were shown."""

import logging
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.dating import span
from tests.faults.ledger import Ledger
from tests.faults.rig import Rig
from tests.faults.rows import Row

log = logging.getLogger(__name__)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
ROUNDING = timedelta(milliseconds=2)
"""How far the hub's arithmetic with a boot's monotonic clock may be off, beside `slack`."""


def row(rig: Rig, fault: str, injected: int, note: str = "", *, slack: timedelta = timedelta()) -> Row:
    """Count over all gates. `slack`: how far a time that the hub has worked out may be off, where a clock was wrong."""
    ledgers: dict[str, list[Ledger]] = {}
    for gate in rig.gates.values():
        ledgers.setdefault(gate.ledger.station, []).append(gate.ledger)
    counts = Counter[str]()
    for station, mine in ledgers.items():
        counts.update(_station(rig, station, mine, slack))
    return Row(
        fault=fault, injected=injected, confirmed=counts["confirmed"], lost=counts["lost"], doubled=counts["doubled"],
        misdated=counts["misdated"], note=note,
    )  # fmt: skip


def _station(rig: Rig, station: str, ledgers: list[Ledger], slack: timedelta) -> dict[str, int]:
    rows = rig.query(
        "SELECT journal, seq, id, at, received_at, clock, kind, body FROM events WHERE station = ? ORDER BY journal, seq", station
    )
    entries = [r for r in rows if r[6] == "entry"]
    ids, passes = Counter(r[2] for r in rows), Counter(filter(None, (_pass_of(r[7]) for r in entries)))
    every = sorted(
        (item for ledger in ledgers for item in ledger.confirmed.items()), key=lambda item: item[1].shown, reverse=True
    )
    confirmed = dict(every)  # a copy of a card shows again what was shown before
    made_here = set.union(*(ledger.passes for ledger in ledgers))
    acts, distinct = sum(ledger.acts for ledger in ledgers), len({r[2] for r in entries})
    spans = _spans(rig, rows, confirmed.keys())
    misdated = [
        id_ for id_, one in confirmed.items()
        if id_ in spans and not _is_honest(spans[id_], one.since - ROUNDING - slack, one.shown + ROUNDING + slack)
    ]  # fmt: skip
    for id_ in misdated:
        log.warning("%s misdated: %s, and it was %s", id_, spans[id_], confirmed[id_])
    for id_ in confirmed.keys() - ids.keys():
        log.warning("%s lost: %s at %s", id_, confirmed[id_], station)
    twice = sum(n - 1 for n in ids.values()) + sum(n - 1 for id_, n in passes.items() if id_ in made_here)
    return {
        "confirmed": len(confirmed), "lost": len(confirmed.keys() - ids.keys()), "misdated": len(misdated),
        "doubled": twice + max(0, distinct - acts),
    }  # fmt: skip


def _is_honest(said: tuple[datetime, datetime], earliest: datetime, latest: datetime) -> bool:
    """Whether what the hub says, a time or from when to when, holds of when it was."""
    return said[0] <= latest and said[1] >= earliest


def _spans(rig: Rig, rows: list[tuple], wanted: Collection[str]) -> dict[str, tuple[datetime, datetime]]:  # type: ignore[type-arg]
    """Event → from when to when it was by what the hub says: the same time twice where it dated it, else `hub.dating.span`."""
    said = {r[2]: (_utc(r[3]), _utc(r[3])) for r in rows if r[2] in wanted}
    with rig.engine.connect() as connection:
        for journal, seq, id_, *_ in (r for r in rows if r[2] in wanted and r[5] == "unsynced"):
            found = span(connection, journal, seq)
            if found is not None:
                said[id_] = found[0] or _EARLIEST, found[1]
    return said


def _pass_of(body: str) -> str | None:
    found: Any = msgspec.json.decode(body)["body"].get("pass_id")
    return found if isinstance(found, str) else None


def _utc(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)
