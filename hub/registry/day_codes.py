"""The day's codes of a gate: what its desk card and book page must show to the station's own camera."""

import secrets
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from contract.directory import DayCode
from hub.config import Located
from hub.registry import versions
from hub.registry.errors import RegistryError
from hub.store.tables import day_codes, gates

PREFIX = "GPD:"


def ensure_day_codes(conn: sa.Connection, gate: str, day: date) -> DayCode:
    """The codes of a gate for a day, made at first asking: random, so that nobody prints tomorrow's without us."""
    known = _find(conn, gate, day)
    if known is not None:
        return known
    compound = conn.scalar(sa.select(gates.c.compound).where(gates.c.id == gate))
    if compound is None:
        raise RegistryError(f"no gate {gate!r}: see `hub place list gate`")
    try:
        with conn.begin_nested():
            conn.execute(sa.insert(day_codes).values(gate=gate, day=day.isoformat(), desk=_code(), register=_code()))
    except sa.exc.IntegrityError:  # another process was asked at the same moment
        pass
    else:
        versions.bump(conn, compound)
    made = _find(conn, gate, day)
    assert made is not None
    return made


def ensure_compound(conn: sa.Connection, located: Located, compound: str, now: datetime) -> tuple[DayCode, ...]:
    """Today's and tomorrow's codes, by the local calendar, of each gate of a compound."""
    today = now.astimezone(located.zone).date()
    ids = conn.scalars(sa.select(gates.c.id).where(gates.c.compound == compound).order_by(gates.c.id)).all()
    return tuple(ensure_day_codes(conn, gate, today + timedelta(days=n)) for gate in ids for n in (0, 1))


def _find(conn: sa.Connection, gate: str, day: date) -> DayCode | None:
    query = sa.select(day_codes).where(day_codes.c.gate == gate, day_codes.c.day == day.isoformat())
    row = conn.execute(query).first()
    return None if row is None else DayCode(gate=row.gate, day=row.day, desk=row.desk, register=row.register)


def _code() -> str:
    return PREFIX + secrets.token_hex(8).upper()
