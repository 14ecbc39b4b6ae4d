"""What happened at each gate of the seeded sub-district, day by day, and what the rules made of it."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from contract.codec import encode
from contract.events import Clock
from contract.five import Basis, Evidence, Item
from contract.messages import Vitals
from hub.config import Located
from hub.demo.district.entries import SHIFTS, Happening, happenings, planned
from hub.demo.district.households import Badges
from hub.demo.district.places import GATES, District, Gate
from hub.rules import intervals
from hub.rules.compliance import Lane, Place, gate_status
from hub.rules.intervals import Interval
from hub.store import tables
from hub.store.supervision import rota

_BASIS = {
    Item.VOLUNTEER: Basis.DECLARED, Item.DESK: Basis.DECLARED, Item.REGISTER: Basis.SENSOR, Item.PASSES: Basis.SENSOR,
    Item.TEMPERATURE: Basis.SENSOR,
}  # fmt: skip
_REASONS = {
    Item.VOLUNTEER: ("not_confirmed", "signed_off"), Item.DESK: ("expired",), Item.REGISTER: ("journal_failed",),
    Item.PASSES: ("camera_frozen", "directory_stale"), Item.TEMPERATURE: ("thermometer_silent",),
}  # fmt: skip
_OFTEN = {Item.VOLUNTEER: 0.30, Item.DESK: 0.12, Item.REGISTER: 0.02, Item.PASSES: 0.06, Item.TEMPERATURE: 0.08}
"""How often an item goes missing at an average gate, a day."""
_SILENT_OFTEN = 0.12
_BATCH = 4000


@dataclass(frozen=True)
class Stretch:
    """A time from when until when something was missing, or the station silent."""

    begins: datetime
    ends: datetime
    reason: str = ""


@dataclass(frozen=True)
class Story:
    """A gate's days: what was missing, and when nobody heard it."""

    missing: dict[Item, list[Stretch]]
    silent: list[Stretch]


def tell(
    conn: sa.Connection, located: Located, district: District, badges: Badges, *, days: int, entries_a_day: int, now: datetime,
    seed: int,
) -> dict[str, int]:  # fmt: skip
    """Write evidence, pulses, intervals and events of the days before `now`."""
    holders = _holders(conn)
    made = {"intervals": 0, "events": 0}
    for gate in district.gates:
        rng = random.Random(f"{gate.id} {seed}")
        care = rng.choice((0.2, 0.5, 1, 1, 1, 2, 4))
        story = _story(rng, care, now - timedelta(days=days), now)
        rows = list(_judged(gate, story, located, now - timedelta(days=days), now))
        conn.execute(sa.insert(tables.intervals), rows)
        _as_it_is_now(conn, gate, story, now)
        mine = _badges(gate, badges)
        _rota(conn, gate, mine, located.zone, now)
        told = happenings(rng, gate, mine, holders[gate.compound.id], story.silent, located.zone,
                          begins=now - timedelta(days=days), ends=now, a_day=entries_a_day)  # fmt: skip
        made["intervals"] += len(rows)
        made["events"] += _write(conn, gate, told, now - timedelta(days=days))
    return made


def _badges(gate: Gate, badges: Badges) -> tuple[str, ...]:
    """Those of its compound's badges that stand at this gate."""
    place = int(gate.id.rpartition("g")[2]) - 1
    return badges[gate.compound.id][place::GATES]


def _rota(conn: sa.Connection, gate: Gate, badges: tuple[str, ...], zone: tzinfo, now: datetime) -> None:
    """Who is to be there when, from the day before yesterday to a week ahead."""
    if gate.side:
        return
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = []
    for day in range(-2, 8):
        times = [midnight + timedelta(days=day, hours=hour) for hour in (*SHIFTS, SHIFTS[0] + 24)]
        rows += [
            {"id": f"{gate.id}-{day + 2}-{n}", "gate": gate.id, "begins": begins, "ends": ends,
             "badge": planned(begins, zone, badges), "made_at": now, "made_by": "seed"}
            for n, (begins, ends) in enumerate(pairwise(times))
        ]  # fmt: skip
    conn.execute(sa.insert(rota), rows)


def _holders(conn: sa.Connection) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    query = sa.select(tables.passes.c.compound, tables.passes.c.id, tables.passes.c.colour)
    for row in conn.execute(query.where(tables.passes.c.kind == "resident").order_by(tables.passes.c.id)):
        found.setdefault(row.compound, []).append((row.id, row.colour))
    return found


def _story(rng: random.Random, care: float, begins: datetime, ends: datetime) -> Story:
    missing = {item: list(_stretches(rng, often * care, begins, ends, _REASONS[item])) for item, often in _OFTEN.items()}
    return Story(missing, list(_stretches(rng, _SILENT_OFTEN * care, begins, ends, ("",))))


def _stretches(rng: random.Random, a_day: float, begins: datetime, ends: datetime, reasons: tuple[str, ...]) -> Iterator[Stretch]:
    at = begins
    while True:
        at += timedelta(seconds=int(rng.expovariate(a_day) * 86400))
        lasts = timedelta(minutes=min(5 + int(rng.expovariate(1 / 35)), 600))
        if at >= ends:
            return
        yield Stretch(at, at + lasts, rng.choice(reasons))
        at += lasts + timedelta(minutes=10)


def _judged(gate: Gate, story: Story, located: Located, begins: datetime, ends: datetime) -> Iterator[dict[str, Any]]:
    """The intervals that the rules make of the story."""
    place = Place(gate=gate.id, gate_name=gate.name, compound=gate.compound.id, schedule=gate.schedule)
    known: dict[str, Interval] = {}
    for at in _moments(gate, story, located, begins, ends):
        status = gate_status(place, [_lane(gate, story, at, begins)], at, located.lifetimes, zone=located.zone)
        for what, rows in intervals.changes(known, status, at).items():
            for row in rows[:-1]:
                yield _row(gate, what, row)
            known[what] = rows[-1]
    for what, row in known.items():
        yield _row(gate, what, row)


def _moments(gate: Gate, story: Story, located: Located, begins: datetime, ends: datetime) -> list[datetime]:
    grace = timedelta(seconds=located.lifetimes.grace)
    found = {begins}
    found |= {at for stretches in story.missing.values() for one in stretches for at in (one.begins, one.ends)}
    found |= {at for one in story.silent for at in (one.begins + grace, one.ends)}
    day = begins.astimezone(located.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= ends:
        found |= {day + timedelta(minutes=minute) for hours in gate.schedule for minute in hours}
        day += timedelta(days=1)
    return sorted(at for at in found if begins <= at <= ends)


def _lane(gate: Gate, story: Story, at: datetime, begins: datetime) -> Lane:
    silent = next((one for one in story.silent if one.begins <= at < one.ends), None)
    heard = silent.begins if silent else at
    evidence = tuple(_evidence(item, stretches, heard, begins) for item, stretches in story.missing.items())
    return Lane(station=gate.station, added_at=begins, heard_at=heard, online=silent is None, evidence=evidence)


def _evidence(item: Item, stretches: list[Stretch], at: datetime, begins: datetime) -> Evidence:
    """What the station last said of an item by a time."""
    past = [one for one in stretches if one.begins <= at]
    if past and at < past[-1].ends:
        last = past[-1]
        return Evidence(item=item, present=False, basis=_BASIS[item], observed_at=last.begins, reason=last.reason)
    return Evidence(item=item, present=True, basis=_BASIS[item], observed_at=past[-1].ends if past else begins)


def _row(gate: Gate, what: str, interval: Interval) -> dict[str, Any]:
    return {"gate": gate.id, "what": what, **{name: getattr(interval, name) for name in Interval.__struct_fields__}}


def _as_it_is_now(conn: sa.Connection, gate: Gate, story: Story, now: datetime) -> None:
    lane = _lane(gate, story, now, now - timedelta(days=30))
    conn.execute(sa.insert(tables.evidence), [
        {"station": gate.station, "item": e.item.value, "basis": e.basis.value, "present": e.present,
         "observed_at": e.observed_at,         "valid_until": None, "by": e.by, "reason": e.reason, "photo": None}
        for e in lane.evidence
    ])  # fmt: skip
    vitals = Vitals(boot="seed", mono_ns=1, at=now, clock=Clock.SYNCED, last_seq=1, backlog=0, directory_version=2)
    pulse = {"station": gate.station, "online": lane.online, "heard_at": lane.heard_at, "vitals": encode(vitals).decode()}
    conn.execute(sa.insert(tables.pulses).values(**pulse))


def _write(conn: sa.Connection, gate: Gate, told: Iterator[Happening], begins: datetime) -> int:
    journal, count = f"seed-{gate.id}", 0
    for batch in _batches(told):
        conn.execute(sa.insert(tables.events), [one.row(journal, count + n, gate) for n, one in enumerate(batch, 1)])
        count += len(batch)
    conn.execute(sa.insert(tables.journals).values(id=journal, station=gate.station, first_heard=begins))
    conn.execute(sa.insert(tables.ranges).values(journal=journal, first=1, last=count))
    return count


def _batches(told: Iterator[Happening]) -> Iterator[list[Happening]]:
    while batch := list(itertools.islice(told, _BATCH)):
        yield batch
