"""Sets the stage of the demonstration in one folder, plays it until it is told to stop, and leaves no process behind."""

import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import sqlalchemy as sa
import waitress

from hub.broker import Mosquitto, free_port
from hub.config import Located
from hub.demo import cast as casting
from hub.demo.morning import Morning
from hub.demo.page import create_page
from hub.demo.places import COMPOUNDS, GATES, Gate, book_removal, configure, set_up_registry, write_station
from hub.demo.post import Post
from hub.demo.relay import Relay
from hub.demo.touch import Finger
from hub.demo.world import World
from hub.processes import Child, stop_all
from hub.registry import access, accounts
from hub.registry.day_codes import ensure_day_codes
from hub.store import migrate, open_store

ACCOUNT = "demo"


@dataclass(frozen=True)
class Stage:
    """Everything set up, nothing started but the broker."""

    data: Path
    located: Located
    engine: sa.Engine
    password: str
    hub: Child
    posts: dict[str, Post]

    @property
    def overview(self) -> str:
        """The address of the supervisors' overview."""
        return f"http://127.0.0.1:{self.located.settings.web.port}/"


def run(data: Path, camera: str | None = None) -> None:
    """Run the demonstration until SIGINT or SIGTERM. `camera`: a real one for the first gate, such as 0."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with _stage(data, camera) as stage, _hand(stage) as hand:
        try:
            for child in [stage.hub, *(post.child for post in stage.posts.values())]:
                child.start()
            for post in stage.posts.values():
                post.morning.start()
            click.echo(_greeting(stage, hand))
            stop.wait()
        finally:
            click.echo("正在结束 stopping …")
            for post in stage.posts.values():
                post.morning.stop()
            stop_all([*(post.child for post in stage.posts.values()), stage.hub])


@contextmanager
def _stage(data: Path, camera: str | None) -> Iterator[Stage]:
    data.mkdir(parents=True, exist_ok=True)
    located = configure(data, free_port(), free_port())
    engine = open_store(located.store_url)
    password = _prepare(engine, located)
    with engine.connect() as conn:
        logins = access.logins(conn)
    broker = located.settings.broker
    with Mosquitto(data / "mosquitto", broker.password, logins, broker.port):
        cast = casting.load_or_make(data / "cast.json", engine, located, [c.id for c in COMPOUNDS])
        posts = {gate.station: _post(data, gate, engine, located, cast[gate.compound], camera) for gate in GATES}
        hub = Child("hub", [sys.executable, "-m", "hub.cli", "run", "--config", str(data / "hub.toml")], data / "hub.log")
        try:
            yield Stage(data, located, engine, password, hub, posts)
        finally:
            for post in posts.values():
                post.relay.close()
            engine.dispose()


def _prepare(engine: sa.Engine, located: Located) -> str:
    migrate(engine)
    set_up_registry(engine, located)
    book_removal(engine, datetime.now(UTC))
    with engine.begin() as conn:
        return accounts.put_account(conn, ACCOUNT, "演示督查员", "supervisor", secrets.token_urlsafe(9))


def _post(data: Path, gate: Gate, engine: sa.Engine, located: Located, cast: casting.Cast, camera: str | None) -> Post:
    folder = data / "stations" / gate.station
    world, relay, screen = World(folder / "world"), Relay(located.settings.broker.port), free_port()
    source = camera if camera is not None and gate is GATES[0] else "emulated:world"
    path = folder / "kiosk.toml"
    write_station(path, engine, located, gate, relay.port, screen, source)
    finger = Finger(f"http://127.0.0.1:{screen}")
    child = Child(gate.station, [sys.executable, "-m", "kiosk.cli", "run", "--config", str(path)], folder / "kiosk.log")
    visitors = cast.walkers[GATES.index(gate) % 2 :: 2]  # the same person does not come to two gates within a minute
    morning = Morning(world, finger, cast, visitors, lambda: _codes(engine, located, gate.id), seed=sum(gate.station.encode()))
    return Post(
        id=gate.station, gate_name=gate.name, compound_name=gate.compound_name, address=finger.address, child=child,
        world=world, relay=relay, finger=finger, cast=cast, morning=morning,
    )  # fmt: skip


def _codes(engine: sa.Engine, located: Located, gate: str) -> tuple[str, str]:
    with engine.begin() as conn:
        codes = ensure_day_codes(conn, gate, datetime.now(located.zone).date())
        return codes.desk, codes.register


@contextmanager
def _hand(stage: Stage) -> Iterator[str]:
    """The page with which one plays by hand; gives its address."""
    page = waitress.create_server(create_page(stage.posts, stage.overview), host="127.0.0.1", port=0, threads=6)
    threading.Thread(target=page.run, name="page", daemon=True).start()
    yield f"http://127.0.0.1:{page.effective_port}/"
    page.close()


def _greeting(stage: Stage, hand: str) -> str:
    screens = "\n".join(f"    {post.compound_name} {post.gate_name}  {post.address}/" for post in stage.posts.values())
    return f"""
  Gatepost 演示 demonstration — 数据 data: {stage.data}

  督查总览 overview      {stage.overview}
    账号 account         {ACCOUNT}
    一次性密码 password  {stage.password}
  演示台 hand            {hand}
  岗亭屏幕 stations
{screens}

  另一终端 from another terminal:  .venv/bin/hub status --config {stage.data / "hub.toml"}
  Ctrl-C 结束 ends it all."""
