"""`hub demo --sub-district`: the hub's pages over the seeded sub-district, whose stations are kept speaking."""

import random
import secrets
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import click
import sqlalchemy as sa

from contract.five import Item
from hub import judging, rectifications
from hub.broker import free_port
from hub.config import Located
from hub.demo.district import Size, seed_district
from hub.demo.places import configure
from hub.judging import Judging
from hub.processes import Child, stop_all
from hub.raising import look
from hub.registry import accounts
from hub.store import meta, migrate, open_store
from hub.store.tables import evidence, pulses, stations

ACCOUNT = "demo"
BEAT_SECONDS = 15.0
_CHANGES = 2
"""Gates at which something comes or goes at each beat."""


def show(data: Path) -> None:
    """Seed the store if it is empty, then serve its pages until SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    data.mkdir(parents=True, exist_ok=True)
    located = configure(data, free_port(), free_port())
    engine = open_store(located.store_url)
    migrate(engine)
    with engine.connect() as conn:
        empty = conn.scalar(sa.select(sa.func.count()).select_from(stations)) == 0
    if empty:
        click.echo("正在生成14天的数据，要几分钟 making 14 days of history, which takes minutes …")
        click.echo(seed_district(engine, located, Size()))
    with engine.begin() as conn:
        password = accounts.put_account(conn, ACCOUNT, "演示督查员", "admin", secrets.token_urlsafe(9))
    _serve(data, located, engine, password, stop)
    engine.dispose()


def _serve(data: Path, located: Located, engine: sa.Engine, password: str, stop: threading.Event) -> None:
    beat(engine, located, datetime.now(UTC), random.Random())
    web = Child("web", [sys.executable, "-m", "hub.cli", "web", "--config", str(data / "hub.toml")], data / "web.log")
    try:
        web.start()
        click.echo(f"\n  督查总览 overview      http://127.0.0.1:{located.settings.web.port}/")
        click.echo(f"    账号 account         {ACCOUNT}\n    一次性密码 password  {password}\n\n  Ctrl-C 结束 ends it.")
        while not stop.wait(BEAT_SECONDS):
            beat(engine, located, datetime.now(UTC), random.Random())
    finally:
        stop_all([web])


def beat(engine: sa.Engine, located: Located, now: datetime, rng: random.Random) -> None:
    """Stations that are not silent speak, at a few something comes or goes, gates are judged, and what follows is done."""
    with engine.begin() as conn:
        conn.execute(sa.update(pulses).where(pulses.c.online).values(heard_at=now))
        meta.put(conn, meta.ALIVE_AT, now.isoformat())
        names = conn.scalars(sa.select(stations.c.id).order_by(stations.c.id)).all()
        for name in rng.sample(names, min(_CHANGES, len(names))):
            item = rng.choice(list(Item))
            mine = (evidence.c.station == name) & (evidence.c.item == item.value)
            there = conn.scalar(sa.select(evidence.c.present).where(mine))
            values = {"present": not there, "observed_at": now, "reason": "not_confirmed" if there else None}
            if not there or rng.random() < 0.1:  # most shortfalls are put right; few are new
                conn.execute(sa.update(evidence).where(mine).values(**values))
        judging.judge(conn, None, now, Judging(lifetimes=located.lifetimes, zone=located.zone))
        rectifications.step(conn, now)
        meta.bump(conn)
    look(engine, located, now)
