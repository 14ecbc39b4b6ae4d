"""What happened at each gate of the seeded sub-district, told as the days go by, and what the rules made of it."""

import heapq
import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from importlib import metadata
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from contract.codec import encode
from contract.events import Body, Clock, Entry
from contract.five import Basis, Evidence
from contract.messages import Vitals
from hub.config import Located
from hub.demo.district import stories
from hub.demo.district.entries import SHIFTS, Happening, happenings, heard, planned
from hub.demo.district.households import Badges
from hub.demo.district.places import GATES, District, Gate
from hub.registry import versions
from hub.rules import intervals
from hub.rules.compliance import GateStatus, Hearing, Lane, Place, gate_status
from hub.rules.intervals import Interval
from hub.store import gates as store
from hub.store import meta, tables
from hub.store.supervision import rota
from hub.store.writing import upsert

_BATCH = 4000
_SOFTWARE = metadata.version("gatepost")


class Post:
    """A gate with its one station, and how far its days are told."""

    def __init__(
        self, gate: Gate, story: stories.Story, told: Iterator[Happening], located: Located, begins: datetime,
        deaf: Sequence[stories.Stretch],
    ) -> None:  # fmt: skip
        self.gate, self.story, self._deaf = gate, story, deaf
        self.vitals = Vitals(boot="seed", mono_ns=1, at=begins, clock=Clock.SYNCED, last_seq=1, backlog=0, directory_version=2,
                             disk_free_bytes=9_000_000_000, software=_SOFTWARE)  # fmt: skip
        self.status: GateStatus | None = None
        self.known: dict[str, Interval] = {}
        self.inspected: tuple[Evidence, ...] = ()
        self.count, self.entry_at = 0, begins
        self._begins, self._located, self._told = begins, located, told
        self._next = next(told, None)
        self._pushed: list[tuple[datetime, int, Happening]] = []
        self._turned: list[datetime] = []
        self._place = Place(gate=gate.id, gate_name=gate.name, compound=gate.compound.id, compound_name=gate.compound.name,
                            liaison=gate.compound.liaison, schedule=gate.schedule)  # fmt: skip

    def push(self, at: datetime, body: Body, id: str = "") -> None:
        """Have the station write something else, at a time to which its days are not told yet."""
        heapq.heappush(
            self._pushed, (at, len(self._pushed), Happening(at, heard(at, (*self.story.silent, *self._deaf)), body, id))
        )

    def turn(self, at: datetime) -> None:
        """Have the gate judged at a time, when that is told; while the hub is deaf, once it hears again."""
        heapq.heappush(self._turned, next((one.ends for one in self._deaf if one.holds(at)), at))

    def is_due(self, at: datetime) -> bool:
        """Whether there is anything to tell or to judge until a time."""
        written = (self._next is not None and self._next.at < at) or bool(self._pushed and self._pushed[0][0] < at)
        return written or bool(self._turned and self._turned[0] <= at)

    def rows(self, until: datetime) -> Iterator[dict[str, Any]]:
        """The events that its station wrote before a time, in order."""
        while (one := self._before(until)) is not None:
            self.count += 1
            self.entry_at = one.at if isinstance(one.body, Entry) else self.entry_at
            yield one.row(f"seed-{self.gate.id}", self.count, self.gate)

    def judged(self, until: datetime, hearing: Hearing) -> Iterator[dict[str, Any]]:
        """The intervals that the rules make of its story until a time, each as it begins and as it ends."""
        while self._turned and self._turned[0] <= until:
            at = heapq.heappop(self._turned)
            if self._turned and self._turned[0] == at:
                continue
            located = self._located
            self.status = gate_status(self._place, [self.lane(at)], at, located.lifetimes, zone=located.zone, hearing=hearing)
            for what, rows in intervals.changes(self.known, self.status, at).items():
                self.known[what] = rows[-1]
                yield from ({"gate": self.gate.id, "what": what, **_columns(row)} for row in rows)

    def lane(self, at: datetime) -> Lane:
        """The station as the hub knows it at a time."""
        silent = next((one for one in self.story.silent if one.holds(at)), None)
        last = silent.begins if silent else at
        return Lane(
            station=self.gate.station, added_at=self._begins, heard_at=last, online=silent is None,
            evidence=(*self.story.said(last, self._begins), *self.inspected), backlog=self.vitals.backlog,
            clock=self.vitals.clock, directory_version=self.vitals.directory_version,
        )  # fmt: skip

    def _before(self, until: datetime) -> Happening | None:
        if self._pushed and self._pushed[0][0] < until and (self._next is None or self._pushed[0][0] < self._next.at):
            return heapq.heappop(self._pushed)[2]
        if self._next is None or self._next.at >= until:
            return None
        found, self._next = self._next, next(self._told, None)
        return found


class Telling:
    """The days before `now`, told step by step, so that what people do meanwhile is weighed like anything else."""

    def __init__(
        self, conn: sa.Connection, located: Located, district: District, badges: Badges, *, days: int, entries_a_day: int,
        now: datetime, seed: int, deaf: Sequence[stories.Stretch] = (),
    ) -> None:  # fmt: skip
        """`deaf`: when the hub itself hears nothing."""
        self.conn, self.located = conn, located
        self.begins, self.now, self.zone = now - timedelta(days=days), now, located.zone
        self.made = {"intervals": 0, "events": 0}
        holders = _holders(conn)
        self.posts: dict[str, Post] = {}
        for gate in district.gates:
            rng, mine = random.Random(f"{gate.id} {seed}"), _badges(gate, badges)
            story = stories.make(rng, mine, self.zone, self.begins, now)
            told = happenings(rng, gate, story.turns, holders[gate.compound.id], (*story.silent, *deaf), self.zone,
                              begins=self.begins, ends=now, a_day=entries_a_day)  # fmt: skip
            post = self.posts[gate.id] = Post(gate, story, told, located, self.begins, deaf)
            for at in _moments(gate, story, located, self.begins, now):
                post.turn(at)
            conn.execute(sa.insert(tables.journals).values(id=f"seed-{gate.id}", station=gate.station, first_heard=self.begins))
            conn.execute(sa.insert(tables.pulses).values(_pulse(post, self.begins)))
        _rota(conn, list(self.posts.values()), badges, self.zone, days, now)

    def until(self, at: datetime, gate: str | None = None) -> None:
        """Tell what has happened before a time, at one gate or at all, and judge it."""
        every = self.posts.values() if gate is None else [self.posts[gate]]
        posts = [post for post in every if post.is_due(at)]
        events = itertools.chain.from_iterable(post.rows(at) for post in posts)
        while rows := list(itertools.islice(events, _BATCH)):
            self.conn.execute(sa.insert(tables.events), rows)
            self.made["events"] += len(rows)
        self._judge(posts, at)

    def inspected(self, gate: str, at: datetime) -> None:
        """What an inspection has just found at a gate counts from now on."""
        post = self.posts[gate]
        lanes = store.load_lanes(self.conn, [gate], self.located.lifetimes)[gate]
        post.inspected = tuple(one for one in lanes[0].evidence if one.basis is Basis.INSPECTED)
        post.turn(at)
        for one in post.inspected:
            if one.valid_until is not None and one.valid_until > at:
                post.turn(one.valid_until)
        self._judge([post], at)

    def say(self, gate: str, at: datetime, **vitals: Any) -> None:
        """Let a station say something else of itself from a time on."""
        post = self.posts[gate]
        post.vitals = replace(post.vitals, **vitals)
        post.turn(at)
        pulses = tables.pulses
        self.conn.execute(sa.update(pulses).where(pulses.c.station == post.gate.station).values(_pulse(post, at)))

    def end(self) -> dict[str, int]:
        """Leave the store as it is at the end; returns how many intervals and events were told."""
        for post in self.posts.values():
            lane = post.lane(self.now)
            self.conn.execute(sa.insert(tables.evidence), [
                {"station": lane.station, "item": e.item.value, "basis": e.basis.value, "present": e.present,
                 "observed_at": e.observed_at, "valid_until": None, "by": e.by, "reason": e.reason, "photo": None}
                for e in lane.evidence if e.basis is not Basis.INSPECTED
            ])  # fmt: skip
            heard = not post.story.is_silent(self.now)
            told = {"directory_version": versions.version_of(self.conn, post.gate.compound.id)} if heard else {}
            self.say(post.gate.id, self.now, **told)
            self.conn.execute(sa.insert(tables.ranges).values(journal=f"seed-{post.gate.id}", first=1, last=post.count))
        self.made["intervals"] = self.conn.scalar(sa.select(sa.func.count()).select_from(tables.intervals)) or 0
        return self.made

    def _judge(self, posts: Sequence[Post], until: datetime) -> None:
        hearing = meta.hearing(self.conn)
        if hearing.blind_since is None:
            upsert(self.conn, tables.intervals, [row for post in posts for row in post.judged(until, hearing)])


def tell(
    conn: sa.Connection, located: Located, district: District, badges: Badges, *, days: int, entries_a_day: int, now: datetime,
    seed: int,
) -> dict[str, int]:  # fmt: skip
    """Write evidence, pulses, intervals and events of the days before `now`, in which nobody supervised."""
    telling = Telling(conn, located, district, badges, days=days, entries_a_day=entries_a_day, now=now, seed=seed)
    telling.until(now)
    return telling.end()


def _badges(gate: Gate, badges: Badges) -> tuple[str, ...]:
    """Those of its compound's badges that stand at this gate."""
    place = int(gate.id.rpartition("g")[2]) - 1
    return badges[gate.compound.id][place::GATES]


def _rota(conn: sa.Connection, posts: Sequence[Post], badges: Badges, zone: tzinfo, days: int, now: datetime) -> None:
    """Who is to be there when, from the first day to a week ahead; side gates have none."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = []
    for post in posts:
        mine = _badges(post.gate, badges)
        for day in range(-days, 8) if not post.gate.side else ():
            times = [midnight + timedelta(days=day, hours=hour) for hour in (*SHIFTS, SHIFTS[0] + 24)]
            rows += [
                {"id": f"{post.gate.id}-{day + days}-{n}", "gate": post.gate.id, "begins": begins, "ends": ends,
                 "badge": planned(begins, zone, mine), "made_at": now - timedelta(days=days), "made_by": "seed"}
                for n, (begins, ends) in enumerate(pairwise(times))
            ]  # fmt: skip
    conn.execute(sa.insert(rota), rows)


def _holders(conn: sa.Connection) -> dict[str, list[tuple[str, str]]]:
    """Who comes and goes; those who are isolating stay at home."""
    found: dict[str, list[tuple[str, str]]] = {}
    query = sa.select(tables.passes.c.compound, tables.passes.c.id, tables.passes.c.colour)
    free = sa.and_(tables.passes.c.kind == "resident", tables.passes.c.isolating.is_(False), tables.passes.c.revoked_at.is_(None))
    for row in conn.execute(query.where(free).order_by(tables.passes.c.id)):
        found.setdefault(row.compound, []).append((row.id, row.colour))
    return found


def _moments(gate: Gate, story: stories.Story, located: Located, begins: datetime, ends: datetime) -> list[datetime]:
    grace = timedelta(seconds=located.lifetimes.grace)
    found = {begins}
    found |= {at for stretches in story.missing.values() for one in stretches for at in (one.begins, one.ends)}
    found |= {at for one in story.silent for at in (one.begins + grace, one.ends)}
    day = begins.astimezone(located.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= ends:
        found |= {day + timedelta(minutes=minute) for hours in gate.schedule for minute in hours}
        day += timedelta(days=1)
    return sorted(at for at in found if begins <= at <= ends)


def _pulse(post: Post, at: datetime) -> dict[str, Any]:
    lane, vitals = post.lane(at), replace(post.vitals, at=at, last_seq=max(post.count, 1))
    return {"station": post.gate.station, "online": lane.online, "heard_at": lane.heard_at, "vitals": encode(vitals).decode()}


def _columns(interval: Interval) -> dict[str, Any]:
    return {name: getattr(interval, name) for name in Interval.__struct_fields__}
