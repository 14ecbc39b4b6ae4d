"""The compounds, gates and stations of the demonstration, put into the real registry."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from argon2 import PasswordHasher

from hub.config import Located, load
from hub.registry import bookings, keys, places
from hub.registry.kit import make_kit
from hub.store import tables


@dataclass(frozen=True)
class Compound:
    """A compound and whose it is."""

    id: str
    name: str
    committee: str
    liaison: str


@dataclass(frozen=True)
class Gate:
    """A gate with its one station."""

    id: str
    name: str
    compound: str
    compound_name: str
    station: str


COMPOUNDS = (Compound("hm", "虹梅小区", "虹梅居委", "李晓峰"), Compound("gm", "古美小区", "古美居委", "周敏"))
GATES = (
    Gate("hm-east", "东门", "hm", "虹梅小区", "hm-east-1"),
    Gate("hm-west", "西门", "hm", "虹梅小区", "hm-west-1"),
    Gate("gm-main", "正门", "gm", "古美小区", "gm-main-1"),
)


def configure(data: Path, broker_port: int, web_port: int) -> Located:
    """Write the demonstration's hub.toml anew, with the broker's password of its first start."""
    path, password = data / "hub.toml", _kept_password(data / "broker.secret")
    write_private(
        path,
        f"""# Written anew at each start of the demonstration.
name = "演示街道"
timezone = "Asia/Shanghai"
[store]
url = "sqlite:///hub.db"
[broker]
port = {broker_port}
password = "{password}"
[web]
port = {web_port}
secure_cookies = false
""",
    )
    return load(path)


def set_up_registry(engine: sa.Engine, located: Located) -> None:
    """Keys, areas, committees, compounds, gates and stations, once."""
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        if conn.scalar(sa.select(sa.func.count()).select_from(tables.stations)):
            return
        places.add_area(conn, "north", "北片区")
        for compound in COMPOUNDS:
            places.add_committee(conn, f"{compound.id}-committee", compound.committee, "north")
            places.add_compound(conn, compound.id, compound.name, f"{compound.id}-committee", liaison=compound.liaison)
        for gate in GATES:
            places.add_gate(conn, gate.id, gate.name, gate.compound)
    for gate in GATES:
        places.add_station(engine, located, gate.station, gate.id)


def book_removal(engine: sa.Engine, now: datetime) -> None:
    """A removal van at the first compound from an hour ago until six hours from now, unless one is booked still."""
    compound = COMPOUNDS[0].id
    with engine.begin() as conn:
        if not bookings.list_bookings(conn, compound, after=now):
            bookings.add(
                conn, compound=compound, kind="removal", plate="沪A12345", crew=3, dwelling="3号501室", note="搬家",
                opens=now - timedelta(hours=1), closes=now + timedelta(hours=6), by="demo", now=now,
            )  # fmt: skip


SETTINGS_PIN = "2468"
"""The badge's, too: the demonstration has one PIN to remember."""
_DEVICES = """
[camera]
source = "{camera}"

[thermometer]
bus = "emulated:world"

[voice]
device = "emulated:world"

[gpio]
pins = "emulated:world"
red = 17
amber = 27
green = 22
buzzer = 18
barrier = 23
"""


def write_station(path: Path, engine: sa.Engine, located: Located, gate: Gate, cable: int, screen: int, camera: str) -> None:
    """A station's kiosk.toml: its kit, its devices emulated, and the relay that is its network cable in the broker's place."""
    with engine.connect() as conn:
        kit = make_kit(conn, located, gate.station).config
    kit = kit.replace(f"port = {located.settings.broker.port}\n", f"port = {cable}\n")
    pin = PasswordHasher().hash(SETTINGS_PIN)
    kit = kit.replace("[screen]\n", f'[screen]\nport = {screen}\nsettings_pin = "{pin}"\n')
    write_private(path, 'clock = "trusted"\n' + kit + _DEVICES.format(camera=camera))


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _kept_password(path: Path) -> str:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(18))
    return path.read_text(encoding="utf-8")
