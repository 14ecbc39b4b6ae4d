"""From when until when something was so: the rows that a change of state closes and opens. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from hub.rules.compliance import GateStatus, ItemStatus, Value


class Interval(Value, frozen=True, kw_only=True):
    """A stretch of time with one state; `ended_at` None: still so."""

    began_at: datetime
    ended_at: datetime | None = None
    state: str
    """A status, or `present` or `missing`."""
    basis: str | None = None
    reason: str | None = None


Rows = dict[str, tuple[Interval, ...]]
"""Rows to write by what they are of (`status` or an item); one that began when a known one did replaces it."""


def follow(known: Interval | None, state: Interval) -> tuple[Interval, ...]:
    """The rows to write when `state` holds from its `began_at` on; none when nothing changed."""
    if known is None:
        return (state,)
    if (known.state, known.basis, known.reason) == (state.state, state.basis, state.reason):
        return ()
    if state.began_at <= known.began_at:
        return (msgspec.structs.replace(state, began_at=known.began_at),)
    return (msgspec.structs.replace(known, ended_at=state.began_at), state)


def at(rows: Iterable[Interval], time: datetime) -> Interval | None:
    """The interval that a time lies in; of several the one that began last."""
    found = (row for row in rows if row.began_at <= time and (row.ended_at is None or time < row.ended_at))
    return max(found, key=lambda row: row.began_at, default=None)


def changes(known: Mapping[str, Interval], status: GateStatus, now: datetime) -> Rows:
    """The rows that bring the open intervals of a gate to what is so at `now`."""
    rows = {name: _item(known.get(name), item, now) for name, item in status.items.items()}
    began = [row[-1].began_at for row in rows.values() if row]
    since = _moment(known.get("status"), status.since or max(began, default=now), now)
    rows["status"] = follow(known.get("status"), Interval(began_at=since, state=status.status))
    return {what: changed for what, changed in rows.items() if changed}


def item_interval(item: ItemStatus, began_at: datetime) -> Interval:
    """The interval of an item's state that begins at a time."""
    return Interval(
        began_at=began_at, state="present" if item.present else "missing", basis=item.basis, reason=item.reason
    )  # fmt: skip


def _item(known: Interval | None, item: ItemStatus, now: datetime) -> tuple[Interval, ...]:
    return follow(known, item_interval(item, _moment(known, item.since, now)))


def _moment(known: Interval | None, since: datetime | None, now: datetime) -> datetime:
    """When it changed: as the evidence says if that fits what is known, else now."""
    if since is None or since > now or (known is not None and since <= known.began_at):
        return now
    return since
