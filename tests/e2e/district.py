"""A small sub-district with something true on every page of the hub, and the hub's pages served over it."""

import hashlib
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from waitress import create_server, wasyncore

from contract.codec import encode
from contract.events import (
    Band,
    BarrierOpened,
    Body,
    Clock,
    Direction,
    Entry,
    Event,
    HelpCalled,
    Outcome,
    PeopleCounted,
    Reading,
    Who,
    kind_of,
)
from contract.five import Item
from contract.sealing import Personal, seal, seal_bytes
from hub import acting, alerts, channels, inspections, judging, pictures, raising, rectifications, tasks, tokens
from hub.config import HubSettings, Located, Web
from hub.demo.district import days, households
from hub.demo.district import places as seeded_places
from hub.judging import Judging
from hub.registry import accounts, bookings, keys, notices, policies
from hub.registry.photos import put_photo
from hub.rights import Action, Role, Scope, ScopeKind
from hub.rules import acting as acts
from hub.rules.alerting import Kind
from hub.rules.inspection import Look, Method, Sheet
from hub.store import meta, migrate, open_store, supervision, tables
from hub.web import create_app
from tests.e2e.conftest import portrait, street

PASSWORD = "a long password"
NAMES = {
    Role.ADMIN: "钱主任", Role.SUPERVISOR: "周督查", Role.REGISTRAR: "邓登记", Role.LIAISON: "李敏", Role.INSPECTOR: "吴巡查",
    Role.GUEST: "冯来访",
}  # fmt: skip
COMPOUND, WORST, SHUT, SILENT = "c001", "c001g1", "c003g1", "c002g1"
"""The liaison's compound, the gate that lacks its thermometer, one that a volunteer has locked, one that nobody hears."""
SEED = 20200226


def near_noon(now: datetime) -> str:
    """A time zone in which it is about noon, so that the day of a page is neither over nor about to begin."""
    hours = 12 - now.hour
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


@dataclass(frozen=True)
class World:
    """The store, its settings, when it was made, and what to open by its id."""

    engine: sa.Engine
    located: Located
    now: datetime
    ids: dict[str, str]

    def scalar(self, query: sa.Select[Any]) -> Any:
        """The first value that a query finds."""
        with self.engine.connect() as conn:
            return conn.scalar(query)

    def compound(self, id: str) -> str:
        """A compound's name."""
        return str(self.scalar(sa.select(tables.compounds.c.name).where(tables.compounds.c.id == id)))

    def area(self, compound: str) -> str:
        """The name of the area that a compound lies in."""
        joined = sa.select(tables.areas.c.name).select_from(tables.areas.join(tables.committees).join(tables.compounds))
        return str(self.scalar(joined.where(tables.compounds.c.id == compound)))

    def name(self, gate: str) -> str:
        """A gate's compound and name, as pages say them."""
        query = sa.select(tables.compounds.c.name, tables.gates.c.name).join_from(tables.gates, tables.compounds)
        with self.engine.connect() as conn:
            return " ".join(conn.execute(query.where(tables.gates.c.id == gate)).one())


def make_world(folder: Path) -> World:
    """Three compounds with two days behind them, all six roles, and one of everything that people do."""
    now = datetime.now(UTC).replace(microsecond=0)
    located = Located(HubSettings(name="梧桐街道", timezone=near_noon(now), web=Web(secure_cookies=False)), folder)
    engine = open_store(f"sqlite:///{folder}/hub.db")
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        district = seeded_places.make(conn, 3, now, SEED)
        badges = households.make(conn, located, district, 36, now, SEED)
        days.tell(conn, located, district, badges, days=2, entries_a_day=12, now=now, seed=SEED)
        _people(conn, now)
        _as_it_is_now(conn, now)
        judging.judge(conn, None, now, Judging(lifetimes=located.lifetimes, zone=located.zone))
        rectifications.step(conn, now)
        ids = _done_by_people(conn, located, now)
    raising.look(engine, located, now)
    with engine.begin() as conn:
        meta.bump(conn)
    return World(engine, located, now, ids)


def _people(conn: sa.Connection, now: datetime) -> None:
    """An account of each role, all with the same password, which is hashed once."""
    accounts.add_account(conn, Role.ADMIN.value, NAMES[Role.ADMIN], Role.ADMIN, PASSWORD)
    first = conn.execute(sa.select(tables.accounts)).mappings().one()
    for role in set(Role) - {Role.ADMIN}:
        row = {"id": role.value, "name": NAMES[role], "role": role.value}
        ends = now + timedelta(days=14) if role is Role.GUEST else None
        conn.execute(sa.insert(tables.accounts).values(**dict(first) | row | {"expires_at": ends}))
        scope = (ScopeKind.COMPOUND, COMPOUND) if role is Role.LIAISON else (ScopeKind.ALL, "")
        conn.execute(sa.insert(supervision.scopes).values(account=role.value, kind=scope[0].value, place=scope[1]))


def _as_it_is_now(conn: sa.Connection, now: datetime) -> None:
    """All gates have all five, but for one without a thermometer, one that is locked and one that nobody hears."""
    evidence, pulses, gates = tables.evidence, tables.pulses, tables.gates
    conn.execute(sa.update(evidence).values(present=True, reason=None, observed_at=now - timedelta(hours=3)))
    conn.execute(sa.update(pulses).values(online=True, heard_at=now + timedelta(hours=1)))
    conn.execute(sa.update(pulses).where(pulses.c.station == f"{SILENT}-1").values(heard_at=now - timedelta(minutes=13)))
    since, ended = now - timedelta(hours=2, minutes=10), tables.intervals
    mine = (evidence.c.station == f"{WORST}-1") & (evidence.c.item == Item.TEMPERATURE.value)
    conn.execute(sa.update(evidence).where(mine).values(present=False, observed_at=since, reason="thermometer_silent"))
    conn.execute(sa.delete(ended).where(ended.c.began_at >= since))
    conn.execute(sa.update(ended).where(sa.or_(ended.c.ended_at > since, ended.c.ended_at.is_(None))).values(ended_at=since))
    known = sa.select(ended.c.gate, ended.c.what, sa.func.max(ended.c.basis).label("basis")).group_by(ended.c.gate, ended.c.what)
    for row in conn.execute(known).all():
        lacks = row.gate == WORST and row.what in (Item.TEMPERATURE.value, "status")
        state = ("non_compliant" if lacks else "compliant") if row.what == "status" else "missing" if lacks else "present"
        reason = "thermometer_silent" if state == "missing" else None
        conn.execute(sa.insert(ended).values(**row._mapping, began_at=since, state=state, reason=reason))
    shut = {"shut_at": now - timedelta(minutes=30), "shut_by": "b1", "shut_event": "lock"}
    conn.execute(sa.update(gates).where(gates.c.id == SHUT).values(**shut))


def _done_by_people(conn: sa.Connection, located: Located, now: datetime) -> dict[str, str]:
    """What people have said, asked for and put up; the ids of what pages show one of."""
    by, inspector, owner = Role.SUPERVISOR.value, Role.INSPECTOR.value, Role.LIAISON.value
    everywhere = Scope(ScopeKind.ALL)
    sha = _happenings(conn, now)
    holder = str(conn.scalar(sa.select(tables.passes.c.id).where(tables.passes.c.compound == COMPOUND).order_by("id").limit(1)))
    put_photo(conn, holder, portrait(), by)
    inspection, found = _inspected(conn, now)
    at_once = rectifications.open_by_finding(conn, WORST, "conduct", None, inspector, now - timedelta(hours=5), "岗上玩手机")
    photo = pictures.put(conn, "answer", at_once, [street()], now, owner)[0]
    rectifications.answer(conn, at_once, "已经批评教育,换岗", owner, now - timedelta(hours=4), picture=photo)
    tasks.add(conn, COMPOUND, "给正门换测温仪", by, now, due_at=now + timedelta(hours=6), owner=owner, note="街道库房有备件")
    lasts = {"begins": now, "ends": now + timedelta(days=1)}
    notice = notices.add(conn, zh="今晚八点停水,请提前储水", en="No water from 8 pm", scope=everywhere, by=by, now=now, **lasts)
    booked = bookings.add(conn, compound=COMPOUND, kind="workers", opens=now, closes=now + timedelta(hours=4), by=owner, now=now,
                          crew=5, dwelling="物业", note="电梯检修")  # fmt: skip
    policies.change(conn, "c002", {"outing_windows": [(7 * 60, 9 * 60), (17 * 60, 19 * 60)]}, by, now)
    channel = channels.add(conn, "值班群", "json://127.0.0.1:9/alerts", Role.SUPERVISOR.value, everywhere, [], now)
    tokens.add(conn, name="区平台", account=by, actions=[Action.VIEW], at=now, expires_at=now + timedelta(days=90))
    alerts.silence(conn, Kind.BACKLOG, WORST, now + timedelta(hours=4), by, "换卡,中午补传", now)
    actor = acting.prepare(conn, located, WORST, acts.Kind.EXPIRED, Role.ADMIN.value, now)
    return {"inspection": inspection, "rectification": found, "answered": at_once, "notice": notice.id, "booking": booked.id,
            "channel": channel, "pass": holder, "actor": actor.id, "sha": sha}  # fmt: skip


def _inspected(conn: sa.Connection, now: datetime) -> tuple[str, str]:
    """A negative finding at another compound's gate, with a photo, and the rectification that it opened."""
    looks = {item: Look(present=item is not Item.DESK, note="" if item is not Item.DESK else "桌上没有登记本") for item in Item}
    sheet = Sheet(id=uuid4().hex, gate="c003g2", method=Method.OFF_PEAK, observed_at=now - timedelta(minutes=50), looks=looks,
                  conduct=True, note="下雨,志愿者在岗,态度好")  # fmt: skip
    inspections.send(conn, sheet, Role.INSPECTOR.value, now - timedelta(minutes=45), [street()])
    mended = supervision.rectifications
    found = conn.scalar(sa.select(mended.c.id).where(mended.c.inspection == sheet.id))
    return sheet.id, str(found)


def _happenings(conn: sa.Connection, now: datetime) -> str:
    """What a station says of the last half hour: a visitor's sealed particulars, a van, a fever, a call for help; its photo."""
    key = keys.current(conn, keys.KeyUse.SEALING)
    sealed = seal(Personal(event="visitor", name="赵大海", phone="13800000000", host="3号502"), key.kid, key.public)
    photo = seal_bytes(street(), key.public)
    sha = hashlib.sha256(photo).hexdigest()
    said: tuple[tuple[str, Body], ...] = (
        ("visitor", Entry(direction=Direction.IN, outcome=Outcome.ADMIT, who=Who.VISITOR, purpose="visit", host_confirmed=True,
                          reading=reading(36.4), personal=sealed)),
        ("van", Entry(direction=Direction.IN, outcome=Outcome.ADMIT, who=Who.VEHICLE, people=2, boot_checked=True,
                      purpose="removal")),
        ("fever", Entry(direction=Direction.IN, outcome=Outcome.REFER, reasons=("fever",), reading=reading(37.8))),
        ("counted", PeopleCounted(seconds=600, counted=12, recorded=9)),
        ("barrier", BarrierOpened(cause="emergency")),
        ("help", HelpCalled()),
    )  # fmt: skip
    for seq, (id, body) in enumerate(said, 1):
        at = now - timedelta(minutes=20 - seq)
        event = Event(seq=seq, id=id, at=at, boot="b", mono_ns=seq, clock=Clock.SYNCED, body=body)
        conn.execute(sa.insert(tables.events).values(
            journal="today", seq=seq, id=id, station=f"{WORST}-1", gate=WORST, at=at, received_at=at, boot="b", mono_ns=seq,
            clock="synced", kind=kind_of(body), body=encode(event).decode(),
        ))  # fmt: skip
    conn.execute(sa.insert(tables.blobs).values(sha=sha, station=f"{WORST}-1", received_at=now, data=photo))
    conn.execute(sa.insert(tables.attachments).values(event="help", sha=sha, purpose="help", station=f"{WORST}-1", at=now))
    return sha


def reading(celsius: float) -> Reading:
    """What the thermometer said of somebody's body."""
    return Reading(band=Band.FEVER if celsius > 37.3 else Band.NORMAL, source="mlx90614", body_celsius=celsius)


class Hub:
    """The pages on a free port of loopback, until stopped."""

    def __init__(self, world: World) -> None:
        self.app = create_app(world.located, world.engine)
        self._sockets: dict[int, Any] = {}
        self._server = create_server(self.app, map=self._sockets, host="127.0.0.1", port=0, threads=8)
        self.url = f"http://127.0.0.1:{self._server.effective_port}"
        self._running = True
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """End the streams and the server."""
        self._running = False
        self.app.extensions["gatepost"].watch.close()
        self._thread.join()

    def _run(self) -> None:
        while self._running:
            wasyncore.loop(timeout=0.1, map=self._sockets, count=1)
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)
