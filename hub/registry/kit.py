"""What a new station needs: its place and the hub's public keys as a kiosk.toml, and a password or a certificate of its own."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from contract.certifying import Refused, verify
from contract.sealing import b64
from hub.config import Located
from hub.registry import keys, station_certificates
from hub.registry.authority import PublicKey, requested_key
from hub.registry.cutting_off import let_in_again
from hub.registry.errors import RegistryError
from hub.registry.keys import KeyUse
from hub.store import tables

KIOSK, AUTHORITY, CERTIFICATE, KEY = "kiosk.toml", "ca.pem", "station.pem", "station.key"
"""The files of a kit, side by side."""
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
    """The text of `KIOSK`."""
    authority: str = ""
    """The broker's, in PEM: `AUTHORITY`. Empty: no TLS."""
    certificate: str = ""
    """In PEM: `CERTIFICATE`."""
    key: str = ""
    """Its private key in PEM, where the hub has made it: `KEY`."""

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
    return msgspec.structs.replace(kit, config=_toml(conn, located, kit, host), authority=_authority(located))


def certified_kit(
    conn: sa.Connection, located: Located, station: str, request: str, now: datetime, *, by: str, host: str | None = None
) -> StationKit:  # fmt: skip
    """The kit of a station that has made its own key: with a certificate for its request (PKCS #10, PEM).

    The certificates before are revoked, a cutting off is lifted. It holds once the caller has called `access.grant_access`.
    Raises `RegistryError`, also where stations don't come over TLS.
    """
    return _certified(conn, located, station, requested_key(request), now, by, host)


def keyed_kit(
    conn: sa.Connection, located: Located, station: str, now: datetime, *, by: str, host: str | None = None
) -> StationKit:  # fmt: skip
    """The same for a station that can't ask, with a key made here; the hub keeps no copy of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certified(conn, located, station, key.public_key(), now, by, host)
    return msgspec.structs.replace(made, key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def _certified(
    conn: sa.Connection, located: Located, station: str, public: PublicKey, now: datetime, by: str, host: str | None
) -> StationKit:  # fmt: skip
    settings = located.settings.stations
    if settings.ca_file is None:
        raise RegistryError("stations have passwords here: a certificate needs TLS, see [stations] ca_file in hub.toml")
    let_in_again(conn, station)
    kit = make_kit(conn, located, station, host)
    station_certificates.revoke(conn, station, by, "replaced", now)
    made = station_certificates.issue(conn, station, public, now, timedelta(days=settings.certificate_days))
    return msgspec.structs.replace(kit, certificate=made.pem)


def write_kit_folder(kit: StationKit, folder: Path) -> None:
    """Write every file of a kit into a folder, readable by their owner alone. Raises `RegistryError` rather than replace one."""
    files = {KIOSK: kit.config, AUTHORITY: kit.authority, CERTIFICATE: kit.certificate, KEY: kit.key}
    require_free(folder)
    for name, text in files.items():
        if text:
            _write(folder / name, text)


def require_free(folder: Path) -> None:
    """Raises `RegistryError` for a folder that holds a kit already."""
    there = [name for name in (KIOSK, AUTHORITY, CERTIFICATE, KEY) if (folder / name).exists()]
    if there:
        raise RegistryError(f"{folder} holds {', '.join(there)} already: name another folder, or move that one away")


def write_kit(kit: StationKit, path: Path) -> None:
    """Write kiosk.toml, readable by its owner alone. Raises `RegistryError` rather than replace a file."""
    _write(path, kit.config)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RegistryError(f"{path} is there already: name another file, or move that one away") from None


def _toml(conn: sa.Connection, located: Located, kit: StationKit, host: str | None) -> str:
    public, settings = keys.public_keys(conn), located.settings
    hub = {
        **_way_in(located, kit, host),
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
    secret = "" if settings.stations.ca_file else " Holds its password: keep it readable by its owner alone."
    head = f"# Station {kit.station}.{secret} Every key: docs/hardware.md\n"
    body = "\n".join(f"\n[{section}]\n" + _lines(values) for section, values in sections.items() if values)
    return f"{head}timezone = {_quoted(settings.timezone)}\n{body}"


def _way_in(located: Located, kit: StationKit, host: str | None) -> dict[str, object]:
    """The broker as the station reaches it, and by what it is let in."""
    own, stations = located.settings.broker, located.settings.stations
    name = host or stations.host or own.host
    if stations.ca_file is not None:
        return {"host": name, "port": stations.port, "ca_file": AUTHORITY, "certificate": CERTIFICATE, "key": KEY}
    return {
        "host": name, "port": own.port, "password": kit.password, **({"ca_file": AUTHORITY} if own.ca_file is not None else {}),
    }  # fmt: skip


def _authority(located: Located) -> str:
    """The broker's authority, by which the station knows it. Raises `RegistryError`."""
    named = located.settings.stations.ca_file or located.settings.broker.ca_file
    if named is None:
        return ""
    path = located.folder / named
    try:
        text = path.read_text(encoding="ascii")
        x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        raise RegistryError(f"{path} (ca_file) is to be the broker's authority in PEM: {error}") from None
    return text


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
