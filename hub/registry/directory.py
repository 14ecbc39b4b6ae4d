"""What the stations of a compound are told, put together from the tables; what tells people is sealed (`openers`)."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from contract.directory import (
    Badge,
    Badges,
    Bookings,
    Colours,
    DayCodes,
    Directory,
    Households,
    InspectionFinding,
    InspectionFindings,
    Isolating,
    Notices,
    Policies,
    Revocations,
    Roster,
    Thresholds,
)
from contract.passes import BADGES
from hub.config import Located
from hub.registry import bookings, colours, keys, notices, openers, photos, policies, roster, versions
from hub.registry.day_codes import ensure_compound
from hub.store.gates import load_standing
from hub.store.tables import gates
from hub.store.tables import passes as table

_SLACK = timedelta(days=1)
"""A station whose clock runs behind takes an expired pass for valid: what was revoked stays listed a day longer."""


def build(conn: sa.Connection, located: Located, compound: str, now: datetime) -> Directory:
    """The directory of a compound at `now`. The version is read first: what changes meanwhile comes again under a newer one.

    What changes by time alone (a booking that comes within sight, a pass that expires) needs no new version: the publisher
    builds the directory again whenever it signs it again, every hour, and bookings are told 36 h ahead. A notice that begins or
    ends does raise it: `notices.turn`.
    """
    codes = ensure_compound(conn, located, compound, now)
    version = versions.version_of(conn, compound)
    listed = sa.and_(table.c.compound == compound, table.c.expires > now - _SLACK)
    limits, homes = policies.in_force(conn, compound), roster.build(conn, compound, now)
    whole = Directory(
        version=version, issued_at=now, keys=keys.public_keys(conn),
        revocations=Revocations(ids=_ids(conn, listed, table.c.revoked_at.is_not(None))),
        isolating=Isolating(ids=_ids(conn, listed, table.c.isolating)),
        colours=_colours(conn, listed), badges=_badges(conn, listed), notices=Notices(notices=notices.told(conn, compound, now)),
        thresholds=_thresholds(conn, compound), codes=DayCodes(codes=codes), findings=_findings(conn, compound),
        policies=limits, households=_households(limits, homes), roster=homes, faces=photos.faces(conn, compound, now),
        bookings=Bookings(bookings=bookings.in_sight(conn, compound, now)),
    )  # fmt: skip
    return openers.seal(conn, compound, whole, now)


def _ids(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> tuple[str, ...]:
    return tuple(conn.scalars(sa.select(table.c.id).where(*where).order_by(table.c.id)))


def _colours(conn: sa.Connection, listed: sa.ColumnElement[bool]) -> Colours:
    query = sa.select(table.c.id, table.c.colour).where(listed, table.c.colour.is_not(None)).order_by(table.c.id)
    palette = colours.load(conn)
    return Colours(rules=palette.rules, holders={row.id: row.colour for row in conn.execute(query)}, default=palette.default)


def _badges(conn: sa.Connection, listed: sa.ColumnElement[bool]) -> Badges:
    kinds = table.c.kind.in_([kind.value for kind in BADGES])
    query = sa.select(table).where(listed, kinds, table.c.revoked_at.is_(None), table.c.pin.is_not(None)).order_by(table.c.id)
    return Badges(badges=tuple(Badge(id=row.id, pin=row.pin, opens=row.opens or "") for row in conn.execute(query)))


def _households(limits: Policies, homes: Roster) -> Households:
    """Who counts as one household, where that matters at the gate."""
    behind = (tuple(sorted(holder.pass_id for holder in home.holders)) for home in homes.dwellings) if limits.outings else ()
    return Households(households=tuple(sorted(behind)))


def _thresholds(conn: sa.Connection, compound: str) -> Thresholds:
    """A compound's opening hours are told only where all its gates keep the same."""
    rows = conn.scalars(sa.select(gates.c.schedule).where(gates.c.compound == compound))
    schedules = {tuple((first, last) for first, last in schedule) for schedule in rows}
    return Thresholds(schedule=schedules.pop() if len(schedules) == 1 else ())


def _findings(conn: sa.Connection, compound: str) -> InspectionFindings:
    """What inspections found missing at the compound's gates and nobody has found again since. The note stays at the hub: it may
    name somebody, and no gate needs it."""
    ids = conn.scalars(sa.select(gates.c.id).where(gates.c.compound == compound).order_by(gates.c.id)).all()
    standing = load_standing(conn, ids)
    return InspectionFindings(
        findings=tuple(
            InspectionFinding(gate=gate, item=one.item.value, at=one.observed_at)
            for gate in ids
            for one in standing.get(gate, ())
        )
    )
