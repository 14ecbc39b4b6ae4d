"""The compounds, gates and stations of the demonstration, and their configuration files."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec
import sqlalchemy as sa

from contract.sealing import b64
from hub.config import Located
from hub.registry import keys, places
from hub.store import tables


@dataclass(frozen=True)
class Compound:
    id: str
    name: str
    committee: str
    liaison: str


@dataclass(frozen=True)
class Gate:
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


class Secrets(msgspec.Struct, frozen=True):
    """The broker's passwords, kept from one start to the next."""

    hub: str
    stations: dict[str, str]


def load_secrets(path: Path) -> Secrets:
    """The passwords of the last start, or new ones."""
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Secrets)
    made = Secrets(secrets.token_urlsafe(18), {gate.station: secrets.token_urlsafe(18) for gate in GATES})
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(made))
    return made


def set_up_registry(engine: sa.Engine, located: Located) -> None:
    """Areas, committees, compounds, gates and stations, once."""
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


def hub_toml(broker_port: int, web_port: int, known: Secrets) -> str:
    """The demonstration's hub.toml."""
    return f"""# Written anew at each start of the demonstration.
name = "演示街道"
timezone = "Asia/Shanghai"
[store]
url = "sqlite:///hub.db"
[broker]
port = {broker_port}
password = "{known.hub}"
[web]
port = {web_port}
secure_cookies = false
"""


def station_toml(engine: sa.Engine, gate: Gate, broker_port: int, screen_port: int, camera: str, known: Secrets) -> str:
    """A station's kiosk.toml: its devices emulated, its broker behind the relay that is its network cable."""
    with engine.connect() as conn:
        signed_by = {kid: b64(public) for kid, public in keys.message_keys(conn).items()}
        sealing = keys.public_keys(conn)
    lines = "\n".join(f'{kid} = "{public}"' for kid, public in signed_by.items())
    return f"""# Written anew at each start of the demonstration.
data = "data"
timezone = "Asia/Shanghai"
clock = "trusted"
[place]
station = "{gate.station}"
gate = "{gate.id}"
gate_name = "{gate.name}"
compound = "{gate.compound}"
compound_name = "{gate.compound_name}"
[hub]
port = {broker_port}
password = "{known.stations[gate.station]}"
sealing_kid = "{sealing.sealing_kid}"
sealing = "{sealing.sealing}"
[hub.keys]
{lines}
[camera]
source = "{camera}"
[thermometer]
bus = "emulated:world"
[screen]
port = {screen_port}
"""
