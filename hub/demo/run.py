"""Sets the stage of the demonstration in one folder, plays it until it is told to stop, and leaves no process behind."""

import secrets
import signal
import sys
import threading
import webbrowser
from datetime import datetime
from pathlib import Path

import click
import sqlalchemy as sa
import waitress

from hub.broker import Login, Mosquitto, free_port
from hub.config import Located, load
from hub.demo import cast as casting
from hub.demo.morning import Morning
from hub.demo.page import create_page
from hub.demo.places import COMPOUNDS, GATES, Gate, Secrets, hub_toml, load_secrets, set_up_registry, station_toml
from hub.demo.post import Post
from hub.demo.relay import Relay
from hub.demo.touch import Finger
from hub.demo.world import World
from hub.processes import Child, stop_all
from hub.registry import accounts, passes
from hub.store import migrate, open_store

ACCOUNT = "demo"


def run(data: Path, camera: str | None = None, open_browser: bool = False) -> None:
    """Run the demonstration until SIGINT or SIGTERM. `camera`: a real one for the first gate, such as 0."""
    data.mkdir(parents=True, exist_ok=True)
    known = load_secrets(data / "demo.json")
    logins = [Login(gate.station, gate.compound, known.stations[gate.station]) for gate in GATES]
    with Mosquitto(data / "mosquitto", known.hub, logins) as broker:
        located = _configure(data, broker.port, known)
        engine = open_store(located.store_url)
        password = _prepare(engine, located)
        cast = casting.load_or_make(data / "cast.json", engine, located, [c.id for c in COMPOUNDS])
        hub = Child("hub", [sys.executable, "-m", "hub.cli", "run", "--config", str(data / "hub.toml")], data / "hub.log")
        posts = {
            gate.station: _post(data, gate, broker.port, engine, located, known, cast[gate.compound], camera) for gate in GATES
        }
        _play(data, located, hub, posts, password, open_browser)


def _configure(data: Path, broker_port: int, known: Secrets) -> Located:
    path = data / "hub.toml"
    path.touch(mode=0o600)
    path.write_text(hub_toml(broker_port, free_port(), known), encoding="utf-8")
    return load(path)


def _prepare(engine: sa.Engine, located: Located) -> str:
    migrate(engine)
    set_up_registry(engine, located)
    password = secrets.token_urlsafe(9)
    with engine.begin() as conn:
        accounts.put_account(conn, ACCOUNT, "演示督查员", "supervisor", password)
    return password


def _post(
    data: Path,
    gate: Gate,
    broker_port: int,
    engine: sa.Engine,
    located: Located,
    known: Secrets,
    cast: casting.Cast,
    camera: str | None,
) -> Post:
    folder = data / "stations" / gate.station
    world, relay, screen = World(folder / "world"), Relay(broker_port), free_port()
    source = camera if camera is not None and gate is GATES[0] else "emulated:world"
    path = folder / "kiosk.toml"
    path.touch(mode=0o600)
    path.write_text(station_toml(engine, gate, relay.port, screen, source, known), encoding="utf-8")
    finger = Finger(f"http://127.0.0.1:{screen}")
    child = Child(gate.station, [sys.executable, "-m", "kiosk.cli", "run", "--config", str(path)], folder / "kiosk.log")
    morning = Morning(world, finger, cast, lambda: _codes(engine, located, gate.id), seed=sum(gate.station.encode()))
    return Post(
        id=gate.station, gate_name=gate.name, compound_name=gate.compound_name, address=finger.address, child=child,
        world=world, relay=relay, finger=finger, cast=cast, morning=morning,
    )  # fmt: skip


def _codes(engine: sa.Engine, located: Located, gate: str) -> tuple[str, str]:
    with engine.begin() as conn:
        codes = passes.ensure_day_codes(conn, gate, datetime.now(located.zone).date())
        return codes.desk, codes.register


def _play(data: Path, located: Located, hub: Child, posts: dict[str, Post], password: str, open_browser: bool) -> None:
    overview = f"http://127.0.0.1:{located.settings.web.port}/"
    page = waitress.create_server(create_page(posts, overview), host="127.0.0.1", port=0, threads=6)
    threading.Thread(target=page.run, name="page", daemon=True).start()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        for child in [hub, *(post.child for post in posts.values())]:
            child.start()
        for post in posts.values():
            post.morning.start()
        hand = f"http://127.0.0.1:{page.effective_port}/"
        click.echo(_greeting(data, overview, hand, posts, password))
        if open_browser:
            webbrowser.open(hand)
        stop.wait()
    finally:
        click.echo("\n正在结束 stopping …")
        for post in posts.values():
            post.morning.stop()
        stop_all([*(post.child for post in posts.values()), hub])
        for post in posts.values():
            post.relay.close()


def _greeting(data: Path, overview: str, hand: str, posts: dict[str, Post], password: str) -> str:
    screens = "\n".join(f"    {post.compound_name} {post.gate_name:<4}  {post.address}/" for post in posts.values())
    return f"""
  Gatepost 演示 demonstration — 数据 data: {data}

  督查总览 overview     {overview}
    账号 account        {ACCOUNT}
    一次性密码 password  {password}
  演示台 hand           {hand}
  岗亭屏幕 stations
{screens}

  另一终端 from another terminal:  hub status --config {data / "hub.toml"}
  Ctrl-C 结束 ends it all."""
