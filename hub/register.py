"""规范登记本: the lines of a gate's day as the paper register has them, from the entries of its stations."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo

import msgspec
import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Correction, Entry, Reading, decode_event
from contract.sealing import Personal
from hub import opening
from hub.store.tables import events, passes

MOST_LINES = 20_000
"""Of one gate and day."""
_LATE = timedelta(days=2)
"""How long after its day an entry on paper may be keyed in, and a retake or a leaving may follow."""
Say = Callable[[str], str]


class RegisterLine(msgspec.Struct, kw_only=True):
    """One line: residents' columns, then outsiders', then vehicles'. Empty where nothing was asked or may be shown."""

    date: str
    time: str
    direction: str
    who: str
    dwelling: str = ""
    name: str = ""
    celsius: str = ""
    retake_time: str = ""
    retake_celsius: str = ""
    outcome: str = ""
    note: str = ""
    phone: str = ""
    origin: str = ""
    purpose: str = ""
    host: str = ""
    host_confirmed: str = ""
    key_area: str = ""
    left: str = ""
    by: str = ""
    plate: str = ""
    occupants: str = ""
    boot: str = ""


class _Read(msgspec.Struct, frozen=True):
    id: str
    at: datetime
    entry: Entry


def register_lines(engine: sa.Engine, gate: str, day: date, zone: tzinfo, say: Say, *, personal: bool) -> list[RegisterLine]:
    """The day's lines in order. A retake stands with the entry that it follows; who left, with when they came."""
    begins = datetime.combine(day, time(), zone)
    ends = datetime.combine(day + timedelta(days=1), time(), zone)
    with engine.connect() as conn:
        read, corrections = _read(conn, gate, begins, ends + _LATE)
        first = [one for one in read if begins <= one.at < ends and one.entry.follows is None]
        wanted = {id for one in first for id in (one.entry.pass_id, one.entry.by) if id}
        known = _holders(conn, wanted) if personal else {}
        opened = {one.id: _opened(conn, one) for one in first} if personal else {}
    again: dict[str | None, _Read] = {one.entry.follows: one for one in read if one.entry.follows}
    left: dict[str | None, datetime] = {one.entry.visit: one.at for one in read if one.entry.visit}
    return [_line(one, again, left, corrections, known, opened.get(one.id), zone, say) for one in first]


def _read(conn: sa.Connection, gate: str, begins: datetime, until: datetime) -> tuple[list[_Read], dict[str, Correction]]:
    query = sa.select(events.c.id, events.c.at, events.c.body).where(
        events.c.gate == gate, events.c.kind.in_(("entry", "correction")), events.c.at >= begins, events.c.at < until
    )
    read, corrections = [], {}
    for row in conn.execute(query.order_by(events.c.at, events.c.journal, events.c.seq).limit(3 * MOST_LINES)):
        try:
            body = decode_event(row.body.encode()).body
        except BadMessage:
            continue
        if isinstance(body, Entry):
            read.append(_Read(row.id, body.written.at if body.written else row.at, body))
        elif isinstance(body, Correction):
            corrections[body.corrects] = body
    return sorted(read, key=lambda one: one.at)[:MOST_LINES], corrections


def _holders(conn: sa.Connection, ids: set[str]) -> dict[str, tuple[str, str, str]]:
    """Name, dwelling and plate of passes."""
    known, wanted = {}, sorted(ids)
    for first in range(0, len(wanted), 500):
        query = sa.select(passes.c.id, passes.c.name, passes.c.dwelling, passes.c.plate)
        for row in conn.execute(query.where(passes.c.id.in_(wanted[first : first + 500]))):
            known[row.id] = (row.name, row.dwelling, row.plate)
    return known


def _opened(conn: sa.Connection, one: _Read) -> Personal | None:
    return opening.personal(conn, one.id, one.entry.personal) if one.entry.personal else None


def _line(
    one: _Read, again: dict[str | None, _Read], left: dict[str | None, datetime], corrections: dict[str, Correction],
    known: dict[str, tuple[str, str, str]], told: Personal | None, zone: tzinfo, say: Say,
) -> RegisterLine:  # fmt: skip
    entry, last = one.entry, _last(one, again)
    corrected = corrections.get(last.id)
    name, dwelling, plate = known.get(entry.pass_id or "", ("", "", ""))
    said = told or Personal(event=one.id)
    return RegisterLine(
        date=f"{one.at.astimezone(zone):%Y-%m-%d}", time=_clock(one.at, zone), direction=say(f"direction.{entry.direction}"),
        who=say(f"who.{entry.who or entry.pass_kind or 'unknown'}"), dwelling=said.dwelling or dwelling, name=said.name or name,
        celsius=_celsius(entry.reading, say), retake_time="" if last is one else _clock(last.at, zone),
        retake_celsius="" if last is one else _celsius(last.entry.reading, say),
        outcome=say(f"outcome.{corrected.outcome if corrected and corrected.outcome else last.entry.outcome}"),
        note=_note(one, said, corrections.get(one.id) or corrected, say), phone=said.phone or "", origin=said.origin or "",
        purpose=said.purpose or (say(f"purpose.{entry.purpose}") if entry.purpose else ""), host=said.host or "",
        host_confirmed=_yes(entry.host_confirmed, say), key_area=_yes(entry.key_area, say),
        left=_clock(left[one.id], zone) if one.id in left else "", by=known.get(entry.by or "", ("", "", ""))[0],
        plate=said.plate or plate, occupants=_occupants(entry, say), boot=_yes(entry.boot_checked, say),
    )  # fmt: skip


def _last(one: _Read, again: dict[str | None, _Read]) -> _Read:
    """The last of the entries that continue this one; a circle, which no station makes, ends it."""
    seen = {one.id}
    while one.id in again and again[one.id].id not in seen:
        one = again[one.id]
        seen.add(one.id)
    return one


def _note(one: _Read, said: Personal, corrected: Correction | None, say: Say) -> str:
    parts = [said.note or "", f"{one.entry.people}{say('exchange.people')}" if one.entry.people > 1 else ""]
    parts += [say("entries.written")] if one.entry.written else []
    parts += [say("entries.cancelled")] if corrected and corrected.cancelled else []
    return "；".join(part for part in parts if part)


def _occupants(entry: Entry, say: Say) -> str:
    return "、".join(f"{say(f'role.{one.role}')} {_celsius(one.reading, say)}".strip() for one in entry.companions)


def _celsius(reading: Reading | None, say: Say) -> str:
    if reading is None:
        return ""
    return say(f"band.{reading.band}") if reading.body_celsius is None else f"{reading.body_celsius:.1f}"


def _clock(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def _yes(value: bool | None, say: Say) -> str:
    return "" if value is None else say("exchange.yes" if value else "exchange.no")
