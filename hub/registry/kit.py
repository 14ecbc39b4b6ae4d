"""What a new station needs to know: its place, its password and the hub's public keys, as a kiosk.toml."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from contract.certifying import Refused, verify
from contract.sealing import b64
from hub.config import Located
from hub.registry import keys
from hub.registry.errors import RegistryError
from hub.registry.keys import KeyUse
from hub.store import tables

_HOW = "have it certified: `hub key request`, `hub key certify`, `hub key install`"


class StationKit(msgspec.Struct, frozen=True, kw_only=True):
    """A station's place and credentials, and the text of its kiosk.toml."""

    station: str
    gate: str
    gate_name: str
    compound: str
    compound_name: str
    lane: str
    password: str
    config: str = ""

    def __repr__(self) -> str:
        return f"StationKit({self.station} at {self.gate})"


def make_kit(conn: sa.Connection, located: Located, station: str, host: str | None = None) -> StationKit:
    """The kit of a station, with the keys of today; `host`: the broker's name from there, where it is another than the hub's."""
    stations, gates, compounds = tables.stations, tables.gates, tables.compounds
    query = sa.select(
        stations.c.id.label("station"), stations.c.gate, gates.c.name.label("gate_name"), gates.c.compound,
        compounds.c.name.label("compound_name"), stations.c.lane, stations.c.password,
    ).join(gates, gates.c.id == stations.c.gate).join(compounds, compounds.c.id == gates.c.compound)  # fmt: skip
    row = conn.execute(query.where(stations.c.id == station)).first()
    if row is None:
        raise RegistryError(f"no station {station!r}: see `hub station list`")
    kit = StationKit(**row._mapping)
    return msgspec.structs.replace(kit, config=_toml(conn, located, kit, host))


def write_kit(kit: StationKit, path: Path) -> None:
    """Write kiosk.toml, readable by its owner alone. Raises `RegistryError` rather than replace a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(kit.config)
    except FileExistsError:
        raise RegistryError(f"{path} is there already: name another file, or move that one away") from None


def _toml(conn: sa.Connection, located: Located, kit: StationKit, host: str | None) -> str:
    public, settings = keys.public_keys(conn), located.settings
    hub = {
        "host": host or settings.broker.host, "port": settings.broker.port, "password": kit.password,
        **({"ca_file": settings.broker.ca_file} if settings.broker.ca_file else {}),
        "sealing_kid": public.sealing_kid, "sealing": public.sealing, **_trust(conn, located),
    }  # fmt: skip
    names = ("station", "gate", "gate_name", "compound", "compound_name", "lane")
    sections = {
        "place": {name: getattr(kit, name) for name in names},
        "hub": hub,
        "hub.keys": {kid: b64(key) for kid, key in keys.message_keys(conn).items()},
        "hub.certificates": {key.kid: key.certificate for key in public.messages if key.certificate},
        "screen": {"language": settings.language},
    }
    head = f"# Station {kit.station}. Holds its password: keep it readable by its owner alone. Every key: docs/hardware.md\n"
    body = "\n".join(f"\n[{section}]\n" + _lines(values) for section, values in sections.items() if values)
    return f"{head}timezone = {_quoted(settings.timezone)}\n{body}"


def _trust(conn: sa.Connection, located: Located) -> dict[str, object]:
    """The roots that the station is to trust. Raises `RegistryError` while it would keep out a key that is in use by them."""
    roots, now = located.roots, datetime.now(UTC)
    for use in KeyUse if roots else ():
        key = keys.current(conn, use)
        found = verify(key.certificate, key.kid, use, key.public, roots, now)
        if isinstance(found, Refused):
            raise RegistryError(
                f"a station that trusts the roots of hub.toml keeps out key {key.kid} ({use}): {found.detail}; {_HOW}"
            )
    return {"roots": list(located.settings.keys.roots)} if roots else {}


def _lines(values: Mapping[str, object]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in values.items())


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_quoted(one) for one in value)}]"
    return str(value) if isinstance(value, int) else _quoted(str(value))


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are among its own."""
    return msgspec.json.encode(text).decode()
