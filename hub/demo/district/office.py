"""What goes on at the desks of the seeded sub-district: alerts seen to, tasks, notices, settings, commands, passes taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from contract.events import Clock, SettingsChanged
from contract.messages import CommandName, CommandReply
from hub import alerts, orders, station_settings, tasks
from hub.demo.district.agenda import Agenda
from hub.demo.district.places import Gate
from hub.demo.district.words import NOTICES, TASKS
from hub.registry import notices
from hub.rights import Scope, ScopeKind
from hub.rules.alerting import Kind
from hub.rules.granting import scope_text
from hub.rules.settings_by_place import EVERYWHERE, Level, Spot
from hub.store import meta
from hub.store.supervision import alerts as table

_SEEN = {
    Kind.HELP: (0.97, 6), Kind.EMERGENCY: (0.95, 8), Kind.FEVER: (0.92, 15), Kind.ISOLATING: (0.92, 12), Kind.FORGED: (0.9, 20),
    Kind.REVOKED: (0.8, 40), Kind.BADGE: (0.75, 60), Kind.CLOSED: (0.6, 30), Kind.RETURNEE: (0.8, 12), Kind.TAXI: (0.4, 40),
    Kind.UNREACHABLE: (0.4, 25), Kind.BLIND: (1.0, 3), Kind.OVERDUE: (0.5, 50), Kind.DISK: (1.0, 90), Kind.CLOCK: (0.5, 30),
    Kind.BACKLOG: (0.3, 40),
}  # fmt: skip
"""Which alerts how many of are acknowledged, and after how many minutes on average."""
_OF_STATIONS = frozenset({Kind.DISK, Kind.CLOCK, Kind.BLIND})
_ORDERS = (
    (CommandName.SELFTEST, "all devices answer"), (CommandName.IDENTIFY, "shown and said"), (CommandName.RESTART, "restarting"),
    (CommandName.SELFTEST, "thermometer: no answer"),
)  # fmt: skip
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_CALM = 300
ADMIN, REGISTRAR = "guan", "deng"


class Office:
    """Supervisors, liaisons, the registrar and the administrator at their desks."""

    def __init__(self, agenda: Agenda, days: int) -> None:
        self._agenda, self._telling, self._conn = agenda, agenda.telling, agenda.conn
        self._gates, self._liaisons = list(agenda.gates.values()), set(agenda.liaisons)
        for day in range(days + 1):
            self._plan_day(day, len(self._gates) / _CALM)
        self._plan_once(days)

    def alarmed(self, since: datetime) -> None:
        """What was raised at a look is seen to by somebody, mostly."""
        raised = sa.select(table).where(table.c.first_at >= since, table.c.ended_at.is_(None), table.c.kind.in_(list(_SEEN)))
        for row in self._conn.execute(raised.order_by(table.c.kind, table.c.subject)).all():
            kind, rng = Kind(row.kind), self._agenda.chance(row.kind, row.subject, row.first_at)
            often, minutes = _SEEN[kind]
            if rng.random() < often:
                at = row.first_at + timedelta(seconds=60 + int(rng.expovariate(1 / (60 * minutes))))
                self._agenda.at(at, partial(self._see, id=row.id, kind=kind, gate=row.gate))

    def _see(self, at: datetime, id: str, kind: Kind, gate: str | None) -> None:
        by = ADMIN if gate is None or kind in _OF_STATIONS else self._owner(self._agenda.gates[gate])
        if alerts.acknowledge(self._conn, id, by, at):
            self._agenda.note(by, at, "acknowledge", "alert", id, of=kind.value, gate=gate)

    def _owner(self, gate: Gate) -> str:
        liaison = f"lian-{gate.compound.id}"
        return liaison if liaison in self._liaisons else self._agenda.supervisor(gate)

    # ---- every day ----

    def _plan_day(self, day: int, share: float) -> None:
        rng, midnight = self._agenda.chance("office", day), self._agenda.midnight(day)
        for number in range(len(self._agenda.areas)):
            at = midnight + timedelta(hours=7, seconds=rng.randrange(3600))
            self._agenda.at(at, partial(self._begin, by=f"du{number + 1}"))
        for _ in range(int(4 * share + rng.random())):
            at = midnight + timedelta(hours=8, seconds=rng.randrange(9 * 3600))
            self._agenda.at(at, partial(self._give, gate=rng.choice(self._gates)))
        for _ in range(int(3 * share + rng.random())):
            at = midnight + timedelta(hours=8, seconds=rng.randrange(9 * 3600))
            self._agenda.at(at, partial(self._look, gate=rng.choice(self._gates)))
        for _ in range(int(3 * share + rng.random())):
            at = midnight + timedelta(hours=8, seconds=rng.randrange(10 * 3600))
            self._agenda.at(at, partial(self._order, gate=rng.choice(self._gates)))

    def _begin(self, at: datetime, by: str) -> None:
        self._agenda.note(by, at, "sign_in", "account", by)
        yesterday = at.astimezone(self._telling.zone).date() - _DAY
        area = self._agenda.areas[int(by.removeprefix("du")) - 1]
        self._agenda.note(by, at + timedelta(minutes=2), "download", "report", f"day {yesterday} {area}", file="pdf")

    def _give(self, at: datetime, gate: Gate) -> None:
        rng, by = self._agenda.chance("task", gate.id, at), self._agenda.supervisor(gate)
        (title, note), due_at = rng.choice(TASKS), at.replace(minute=0, second=0) + rng.choice((6, 8, 24, 30, 48)) * _HOUR
        compound, owner = gate.compound.id, self._owner(gate)
        id = tasks.add(self._conn, compound, title, by, at, due_at=due_at, owner=owner, note=note)
        self._agenda.note(by, at, "give", "task", id, compound=compound, owner=owner)
        if rng.random() < 0.06:
            self._agenda.at(self._agenda.awake(rng, at, 240), partial(self._end, id=id, by=by, compound=compound, what="cancel"))
        elif rng.random() < 0.9:
            done = self._agenda.awake(rng, at, 0.55 * (due_at - at) / timedelta(minutes=1))
            self._agenda.at(done, partial(self._end, id=id, by=owner, compound=compound, what="finish"))

    def _end(self, at: datetime, id: str, by: str, compound: str, what: str) -> None:
        if what == "finish":
            tasks.finish(self._conn, id, by, at)
        else:
            tasks.cancel(self._conn, id, at)
        self._agenda.note(by, at, what, "task", id, compound=compound)

    def _look(self, at: datetime, gate: Gate) -> None:
        self._agenda.note(REGISTRAR, at, "look", "holders", gate.compound.id, searched=True, page=1)

    def _order(self, at: datetime, gate: Gate) -> None:
        """A station that nobody hears does not answer."""
        rng, by, story = (
            self._agenda.chance("order", gate.id, at),
            self._agenda.supervisor(gate),
            self._telling.posts[gate.id].story,
        )
        what, detail = rng.choice(_ORDERS)
        made = orders.order(self._conn, self._telling.located, gate.station, what, by, at)
        self._agenda.note(by, at, "command", "station", gate.station, order=made.id, what=what.value, gate=gate.id)
        orders.sent(self._conn, made.id, at + timedelta(milliseconds=300))
        if not story.is_silent(at):
            reply = CommandReply(id=made.id, ok=not detail.startswith("thermometer"), detail=detail)
            orders.answered(self._conn, gate.station, reply, at + timedelta(seconds=rng.randint(1, 6)))

    # ---- now and then ----

    def _plan_once(self, days: int) -> None:
        rng, now = self._agenda.chance("once"), self._telling.now
        everywhere, area = Scope(ScopeKind.ALL), Scope(ScopeKind.AREA, self._agenda.areas[2])
        compound = Scope(ScopeKind.COMPOUND, self._gates[0].compound.id)
        for name, scope, back, begins, lasts in (
            ("wind", everywhere, 0.7 * days, 0.0, 1.5), ("wrong", area, 0.5 * days, 0.1, 2.0),
            ("parcels", area, 0.4 * days, 0.0, 30.0), ("masks", everywhere, 0.6 * days, 0.0, 30.0),
            ("water", compound, 0.15, 0.02, 1.0), ("survey", everywhere, 0.1, 2.0, 7.0),
        ):  # fmt: skip
            self._agenda.at(
                now - back * _DAY, partial(self._post, name=name, scope=scope, after=begins * _DAY, lasts=lasts * _DAY)
            )
        loud, quiet = Spot(Level.COMPOUND, self._gates[0].compound.id), Spot(Level.AREA, self._agenda.areas[1])
        for spot, name, value, back in (
            (EVERYWHERE, "admitted_seconds", 3, 0.8), (quiet, "night_loudness", 20, 0.5), (loud, "loudness", 90, 0.2),
        ):  # fmt: skip
            self._agenda.at(now - back * days * _DAY, partial(self._set, spot=spot, name=name, value=value))
        one, two, three, four = rng.sample(self._gates, 4)
        self._says(one, now - 0.3 * days * _DAY, disk_free_bytes=640_000_000)
        self._says(two, now - 0.6 * days * _DAY, 1.2, clock=Clock.UNSYNCED)
        self._says(three, now - 0.45 * days * _DAY, 1.5, backlog=260)
        self._says(four, now - 0.08 * _DAY, backlog=310)
        self._agenda.at(now - 0.44 * days * _DAY, partial(self._hush, gate=three, note="换卡,中午补传"))
        self._agenda.at(now - 0.06 * _DAY, partial(self._hush, gate=four, note="线路检修,晚上恢复"))

    def _post(self, at: datetime, name: str, scope: Scope, after: timedelta, lasts: timedelta) -> None:
        zh, en = NOTICES[name]
        by, begins = self._supervisor_of(scope), (at + after).replace(minute=0, second=0, microsecond=0) + _HOUR
        made = notices.add(self._conn, zh=zh, en=en, scope=scope, begins=begins, ends=begins + lasts, by=by, now=at)
        self._agenda.note(by, at, "add", "notice", made.id, scope=scope_text(scope))
        if name == "wrong":
            self._agenda.at(at + 3 * _HOUR, lambda when: self._withdraw(when, made.id, by))

    def _withdraw(self, at: datetime, id: str, by: str) -> None:
        notices.withdraw(self._conn, id, by, at)
        self._agenda.note(by, at, "withdraw", "notice", id)

    def _supervisor_of(self, scope: Scope) -> str:
        return f"du{self._agenda.areas.index(scope.place) + 1}" if scope.kind is ScopeKind.AREA else ADMIN

    def _set(self, at: datetime, spot: Spot, name: str, value: int) -> None:
        """Sent by the publisher a second later; the stations that are heard take it up and say so in their journals."""
        station_settings.put(self._conn, spot, name, value, ADMIN, at)
        self._agenda.note(ADMIN, at, "set_setting", spot.level.value, spot.id, setting=name, value=value)
        sent = at + timedelta(seconds=1)
        station_settings.claim(self._conn, sent)
        for one in station_settings.standing(self._conn):
            post = self._telling.posts[one.gate]
            if one.sent is not None and one.sent.sent_at == sent and not post.story.is_silent(at):
                said = SettingsChanged(settings=dict(one.sent.settings), config=station_settings.message(one.sent).id)
                post.push(sent + timedelta(seconds=2), said)
                station_settings.answered(self._conn, one.station, said, sent + timedelta(seconds=3))

    def _says(self, gate: Gate, at: datetime, hours: float | None = None, **vitals: object) -> None:
        """A station says something of itself from a time on, for some hours or until now."""
        usual = {"backlog": 0, "clock": Clock.SYNCED}
        self._agenda.at(at, lambda when: self._telling.say(gate.id, when, **vitals))
        if hours is not None:
            self._agenda.at(at + hours * _HOUR, lambda when: self._telling.say(gate.id, when, **{n: usual[n] for n in vitals}))

    def _hush(self, at: datetime, gate: Gate, note: str) -> None:
        id = alerts.silence(self._conn, Kind.BACKLOG, gate.id, at + 4 * _HOUR, ADMIN, note, at)
        self._agenda.note(ADMIN, at, "silence", "silence", id, of=Kind.BACKLOG.value, gate=gate.id, hours=4)


def deafen(agenda: Agenda, begins: datetime, ends: datetime) -> None:
    """The hub itself hears nothing for a while."""
    for at, said in ((begins, meta.went_blind), (ends, meta.hears_again)):
        agenda.at(at, _now(agenda, said))


def _now(agenda: Agenda, said: Callable[[sa.Connection, datetime], None]) -> Callable[[datetime], None]:
    return lambda at: said(agenda.conn, at)
