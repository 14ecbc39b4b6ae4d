"""演员查 in the store: passes made for it, of nobody, and attempts scored from the gates' journals.

An attempt is scored when its inspection is sent. Events of it may come later, so `step` scores those of the last days again.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from contract.codec import BadMessage
from contract.events import Correction, Entry, Outcome, Who, decode_event
from contract.passes import PassKind
from hub.config import Located
from hub.registry import passes, versions
from hub.registry.errors import RegistryError
from hub.registry.passes import ACTOR, IssuedPass
from hub.rules.acting import AFTERWARDS, Attempt, Kind, Tried, judged
from hub.store import meta
from hub.store.supervision import inspections
from hub.store.tables import compounds, events, gates
from hub.store.tables import meta as meta_table
from hub.store.tables import passes as table

NAME = "督查测试"
"""Whose passes they are: nobody's."""
LIVES = timedelta(hours=12)
AGO = timedelta(hours=1)
"""An expired pass expired so long ago."""
MOST = 10
"""Good passes of one inspector at once."""
LATE = timedelta(days=3)
"""For so long after it was sent an attempt is scored again."""
CORRECTED = timedelta(days=1)
"""A mistaken entry is corrected within this time."""
_VEHICLES = frozenset({Who.VEHICLE, Who.TAXI})
_REVOKED = "actor:"
"""Before a pass's id: the key that holds the directory's version in which its revocation was told."""


def prepare(conn: sa.Connection, located: Located, gate: str, kind: Kind, by: str, now: datetime) -> IssuedPass:
    """Make a pass for an attempt at a gate. Raises `RegistryError`."""
    here = _compound(conn, gate)
    if kind is Kind.NO_PASS:
        raise RegistryError("without a pass there is none to make")
    good = sa.and_(table.c.issued_by == _by(by), table.c.revoked_at.is_(None), table.c.expires > now)
    if (conn.scalar(sa.select(sa.func.count()).select_from(table).where(good)) or 0) >= MOST:
        raise RegistryError(f"{MOST} passes for actors are out: send their inspections first, or let them expire")
    compound = _elsewhere(conn, here) if kind is Kind.ELSEWHERE else here
    until = now - AGO if kind is Kind.EXPIRED else now + LIVES
    made = passes.issue(conn, located, kind=PassKind.RESIDENT, compound=compound, name=NAME, by=_by(by), expires=until, at=now)
    if kind is Kind.REVOKED:
        made = passes.revoke(conn, made.id, _by(by), now)
        meta.put(conn, _REVOKED + made.id, str(versions.version_of(conn, compound)))
    return made


def find(conn: sa.Connection, pass_id: str, by: str) -> IssuedPass | None:
    """A pass that was made for an attempt of this account; None for any other."""
    row = conn.execute(sa.select(table.c.id).where(table.c.id == pass_id, table.c.issued_by == _by(by))).first()
    return None if row is None else passes.find(conn, pass_id)


def fits(conn: sa.Connection, kind: Kind, pass_id: str, gate: str, by: str) -> bool:
    """Whether a pass was made by this account for such an attempt at this gate."""
    row = conn.execute(sa.select(table).where(table.c.id == pass_id, table.c.issued_by == _by(by))).first()
    if row is None:
        return False
    here = row.compound == _compound(conn, gate)
    if kind is Kind.ELSEWHERE:
        return not here
    expired, revoked = row.expires <= row.issued_at, row.revoked_at is not None
    return here and (expired, revoked) == (kind is Kind.EXPIRED, kind is Kind.REVOKED)


def told_in(conn: sa.Connection, pass_id: str | None) -> int:
    """The directory's version in which the revocation of such a pass was told; 0: of none."""
    return int(meta.get(conn, f"{_REVOKED}{pass_id}") or 0)


def settle(conn: sa.Connection, gate: str, one: Attempt, by: str, now: datetime) -> dict[str, Any]:
    """An attempt as it is kept: scored; its pass is good for nothing from now on."""
    if one.pass_id is not None:
        passes.revoke(conn, one.pass_id, _by(by), now)
        meta.put(conn, _REVOKED + one.pass_id, None)
    return packed(judged(one, _entries(conn, gate, one)))


def step(conn: sa.Connection, now: datetime) -> int:
    """Score the attempts of the last days again; returns how many came out otherwise."""
    _forget(conn, now)
    recent = sa.and_(inspections.c.actor.is_not(None), inspections.c.sent_at > now - LATE)
    changed = 0
    for row in conn.execute(sa.select(inspections.c.id, inspections.c.gate, inspections.c.actor).where(recent)).all():
        before = unpacked(row.actor)
        after = judged(before, _entries(conn, row.gate, before))
        if after != before:
            conn.execute(sa.update(inspections).where(inspections.c.id == row.id).values(actor=packed(after)))
            changed += 1
    if changed:
        meta.bump(conn)
    return changed


def packed(one: Attempt) -> dict[str, Any]:
    """An attempt for its column."""
    made: dict[str, Any] = msgspec.to_builtins(one)
    return made


def unpacked(kept: dict[str, Any]) -> Attempt:
    """The attempt that `packed` packed."""
    return msgspec.convert(kept, Attempt)


def _by(account: str) -> str:
    return f"{ACTOR}{account}"[:64]


def _compound(conn: sa.Connection, gate: str) -> str:
    found = conn.scalar(sa.select(gates.c.compound).where(gates.c.id == gate))
    if found is None:
        raise RegistryError(f"no gate {gate[:64]!r}: see `hub place list gate`")
    return str(found)


def _elsewhere(conn: sa.Connection, here: str) -> str:
    found = conn.scalar(sa.select(compounds.c.id).where(compounds.c.id != here).order_by(compounds.c.id).limit(1))
    if found is None:
        raise RegistryError("there is no other compound whose pass could be shown")
    return str(found)


def _entries(conn: sa.Connection, gate: str, one: Attempt) -> list[Tried]:
    """The gate's entries about the time of an attempt, as they were corrected."""
    fixed = _corrections(conn, gate, one)
    read = _bodies(conn, gate, "entry", one.begins, one.ends + AFTERWARDS)
    entries = [(event, event.body) for event in read if isinstance(event.body, Entry)]
    said = [(event, entry, fixed.get(event.id, entry.outcome)) for event, entry in entries]
    return [_tried(event.id, event.at, entry, outcome) for event, entry, outcome in said if outcome is not None]


def _tried(id: str, at: datetime, entry: Entry, outcome: Outcome) -> Tried:
    return Tried(
        id=id, at=at, outcome=outcome, direction=entry.direction, pass_id=entry.pass_id,
        directory_version=entry.directory_version, follows=entry.follows, written=entry.written is not None,
        vehicle=entry.who in _VEHICLES,
    )  # fmt: skip


def _corrections(conn: sa.Connection, gate: str, one: Attempt) -> dict[str, Outcome | None]:
    """Entry → what was really decided; None: it never happened."""
    fixed: dict[str, Outcome | None] = {}
    for event in _bodies(conn, gate, "correction", one.begins, one.ends + CORRECTED):
        body = event.body
        if isinstance(body, Correction) and (body.cancelled or body.outcome is not None):
            fixed[body.corrects] = None if body.cancelled else body.outcome
    return fixed


class _Read(msgspec.Struct, frozen=True):
    id: str
    at: datetime
    body: object


def _bodies(conn: sa.Connection, gate: str, kind: str, begins: datetime, ends: datetime) -> list[_Read]:
    """A gate's readable events of a kind, in order, at the times that the hub took them to have happened."""
    query = sa.select(events.c.id, events.c.at, events.c.body).where(
        events.c.gate == gate, events.c.kind == kind, events.c.at >= begins, events.c.at <= ends, events.c.error.is_(None)
    )
    found = []
    for row in conn.execute(query.order_by(events.c.at, events.c.seq)):
        try:
            found.append(_Read(row.id, row.at, decode_event(row.body.encode()).body))
        except BadMessage:
            continue
    return found


def _forget(conn: sa.Connection, now: datetime) -> None:
    """Versions told of passes whose inspection was never sent."""
    keys = meta_table.c.key
    kept = sa.select(_REVOKED + table.c.id).where(table.c.expires > now - LATE, table.c.issued_by.startswith(ACTOR))
    conn.execute(sa.delete(meta_table).where(keys.startswith(_REVOKED, autoescape=True), keys.not_in(kept)))
