"""预约: vehicles and crews that a committee has let come, each for a time."""

import secrets
import unicodedata
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
import sqlalchemy as sa

from contract.directory import Booking
from hub.registry import versions
from hub.registry.errors import RegistryError
from hub.store import meta, tables
from hub.store.tables import bookings as table

KINDS = ("removal", "workers", "guest", "delivery", "medical")
AHEAD = timedelta(hours=36)
"""Bookings that open later than this are not told to the stations yet; the directory is built again every hour."""
BEHIND = timedelta(hours=1)
"""A booking that has closed is told for an hour more: a van that is late is known, and said to be late."""
MOST = 500
"""Bookings of one compound told to its stations, the soonest."""
LONGEST = timedelta(days=31)
_TOLD = "bookings:"
"""Before a compound: the key that holds the directory's version in which its stations are told of each booking as it is now."""


class State(StrEnum):
    """Where a booking is in its life."""

    COMING = "coming"
    OPEN = "open"
    PAST = "past"
    CANCELLED = "cancelled"


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """A booking as the registry keeps it."""

    id: str
    compound: str
    kind: str
    plate: str
    crew: int
    dwelling: str
    note: str
    opens: datetime
    closes: datetime
    made_at: datetime
    made_by: str
    cancelled_at: datetime | None = None
    cancelled_by: str | None = None

    def state(self, now: datetime) -> State:
        """Where it is at `now`."""
        if self.cancelled_at is not None:
            return State.CANCELLED
        return State.COMING if now < self.opens else State.OPEN if now < self.closes else State.PAST


def add(
    conn: sa.Connection, *, compound: str, kind: str, opens: datetime, closes: datetime, by: str, now: datetime,
    plate: str = "", crew: int = 0, dwelling: str = "", note: str = "",
) -> Booked:  # fmt: skip
    """Let a vehicle or a crew come from `opens` to `closes`; `crew` 0: not said. Raises `RegistryError`."""
    plate = plain_plate(plate)
    _check(conn, compound, kind, plate, crew, {"dwelling": dwelling, "note": note})
    _check_times(opens, closes, now)
    made = Booked(
        id=f"b{secrets.token_hex(4)}", compound=compound, kind=kind, plate=plate, crew=crew, dwelling=dwelling.strip(),
        note=note.strip(), opens=opens.astimezone(UTC), closes=closes.astimezone(UTC), made_at=now, made_by=by,
    )  # fmt: skip
    conn.execute(sa.insert(table).values(**msgspec.structs.asdict(made)))
    _tell(conn, made, now)
    return made


def cancel(conn: sa.Connection, id: str, by: str, now: datetime) -> Booked:
    """Take a booking back. Twice is as good as once. Raises `RegistryError`."""
    known = find(conn, id)
    if known.cancelled_at is None:
        conn.execute(sa.update(table).where(table.c.id == id).values(cancelled_at=now, cancelled_by=by))
        _tell(conn, known, now)
    return find(conn, id)


def find(conn: sa.Connection, id: str) -> Booked:
    """A booking by its id. Raises `RegistryError`."""
    row = conn.execute(sa.select(table).where(table.c.id == id)).first()
    if row is None:
        raise RegistryError(f"no booking {id[:40]!r}: see `hub booking list`")
    return Booked(**row._mapping)


def told_since(conn: sa.Connection, one: Booked) -> int | None:
    """The version of its compound's directory from which on a booking is told as it is now, a cancelled one no more.

    None: not kept, as once it has been closed for some time.
    """
    return _told(conn, one.compound).get(one.id)


def list_bookings(conn: sa.Connection, compound: str | None = None, after: datetime | None = None) -> list[Booked]:
    """Bookings by when they open; with `after` only those neither cancelled nor closed by then."""
    query = sa.select(table).order_by(table.c.opens, table.c.id)
    query = query if compound is None else query.where(table.c.compound == compound)
    query = query if after is None else query.where(table.c.closes > after, table.c.cancelled_at.is_(None))
    return [Booked(**row._mapping) for row in conn.execute(query)]


def in_sight(conn: sa.Connection, compound: str, now: datetime) -> tuple[Booking, ...]:
    """What the stations of a compound are told: open now, within the next 36 h, or closed within the last hour."""
    query = sa.select(table).where(
        table.c.compound == compound, table.c.cancelled_at.is_(None), table.c.opens <= now + AHEAD, table.c.closes > now - BEHIND
    )
    names = Booking.__struct_fields__
    rows = conn.execute(query.order_by(table.c.opens, table.c.id).limit(MOST)).mappings()
    return tuple(Booking(**{name: row[name] for name in names}) for row in rows)


def plain_plate(text: str) -> str:
    """A number plate as it is compared: 沪A·12345 and 沪a 12345 are one, 沪A12345."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())


def _tell(conn: sa.Connection, one: Booked, now: datetime) -> None:
    """Raise the directory's version, and keep it beside those of the bookings that have not been closed for long."""
    versions.bump(conn, one.compound)
    live = set(conn.scalars(sa.select(table.c.id).where(table.c.compound == one.compound, table.c.closes > now - BEHIND)))
    known = {id: version for id, version in _told(conn, one.compound).items() if id in live}
    made = known | {one.id: versions.version_of(conn, one.compound)}
    meta.put(conn, _TOLD + one.compound, msgspec.json.encode(made).decode())


def _told(conn: sa.Connection, compound: str) -> dict[str, int]:
    return msgspec.json.decode(meta.get(conn, _TOLD + compound) or "{}", type=dict[str, int])


def _check(conn: sa.Connection, compound: str, kind: str, plate: str, crew: int, texts: dict[str, str]) -> None:
    if conn.scalar(sa.select(tables.compounds.c.id).where(tables.compounds.c.id == compound)) is None:
        raise RegistryError(f"no compound {compound!r}: see `hub place list compound`")
    if kind not in KINDS:
        raise RegistryError(f"kind {kind!r}: it may be one of {', '.join(KINDS)}")
    if len(plate) > 12:
        raise RegistryError(f"plate {plate!r}: 12 characters at most")
    if not 0 <= crew <= 100:
        raise RegistryError(f"crew is {crew}: it may be 0 (not said) to 100")
    for what, text in texts.items():
        if len(text) > 200 or not text.isprintable():
            raise RegistryError(f"{what} {text[:40]!r}: at most 200 printable characters")
    if not plate and not texts["dwelling"].strip():
        raise RegistryError("a booking needs a plate or a dwelling: by one of them the gate tells who it is for")


def _check_times(opens: datetime, closes: datetime, now: datetime) -> None:
    if closes <= opens:
        raise RegistryError(f"closes at {closes:%Y-%m-%d %H:%M}, which is not after it opens at {opens:%Y-%m-%d %H:%M}")
    if closes <= now:
        raise RegistryError(f"closes at {closes:%Y-%m-%d %H:%M}, which is past")
    if closes - opens > LONGEST:
        raise RegistryError(f"lasts {(closes - opens).days} days: a booking lasts {LONGEST.days} at most")
