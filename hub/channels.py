"""Channels: where alerts are sent, of which role, place and kinds. Addresses are sealed to the hub's key (contract.sealing)."""

import warnings
from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.sealing import open_bytes, seal_bytes
from hub.registry import keys
from hub.registry.errors import RegistryError
from hub.rights import Compound, Reach, Role, Scope, ScopeKind, reach, within
from hub.rules.alerting import LADDER, Kind
from hub.rules.compliance import Value
from hub.store import tables
from hub.store.supervision import channels as table

ROLES = LADDER
"""Whose channels there are: those who are told, and those to whom an alert goes up."""
MOST = 500
"""Channels of one hub."""
ADDRESS_LENGTH = 1000
_PLACES = {ScopeKind.AREA: tables.areas, ScopeKind.COMMITTEE: tables.committees, ScopeKind.COMPOUND: tables.compounds}


class Channel(Value, frozen=True, kw_only=True):
    """A channel as the pages know it, its address still sealed."""

    id: str
    name: str
    role: Role
    scope: Scope
    kinds: tuple[Kind, ...]
    """None of them: every kind."""
    compounds: Reach
    """The compounds that its scope covers; None: all."""
    made_at: datetime
    failed_at: datetime | None = None
    """When it last failed; None: what was last sent has arrived."""
    failure: str = ""

    def takes(self, kind: Kind, compound: str | None) -> bool:
        """Whether an alert of this kind and compound goes here; one of no compound concerns those who answer for all."""
        covered = self.compounds is None or (compound is not None and within(self.compounds, compound))
        return covered and (not self.kinds or kind in self.kinds)


def add(
    conn: sa.Connection, name: str, address: str, role: str, scope: Scope, kinds: Collection[str], now: datetime,
    *, known: Reach = None,
) -> str:  # fmt: skip
    """Add a channel to an address that apprise understands; returns its id. `known`: what whoever adds it answers for.
    Raises `RegistryError`."""
    name, address = name.strip(), address.strip()
    if not name:
        raise RegistryError("a channel needs a name, such as the group that it writes to")
    if role not in ROLES:
        raise RegistryError(f"role {role[:40]!r}: a channel is of one of {', '.join(ROLES)}")
    wrong = sorted(set(kinds) - set(Kind))
    if wrong:
        raise RegistryError(f"kind {wrong[0][:40]!r}: it may be one of {', '.join(Kind)}")
    check_address(address)
    if not _is_within(_compounds(conn, _checked(conn, scope)), known):
        raise RegistryError(f"scope {scope.kind}:{scope.place[:64]}: outside of what you answer for")
    if (conn.scalar(sa.select(sa.func.count()).where(table.c.removed_at.is_(None))) or 0) >= MOST:
        raise RegistryError(f"there are {MOST} channels already: remove one first")
    id, sealing = uuid4().hex, keys.current(conn, keys.KeyUse.SEALING)
    conn.execute(sa.insert(table).values(
        id=id, name=name[:200], address=seal_bytes(address.encode(), sealing.public), role=role, place_kind=scope.kind.value,
        place=scope.place, kinds=sorted(set(kinds)), made_at=now,
    ))  # fmt: skip
    return id


@cache
def services() -> Any:
    """The module apprise with the plugin of every service: loaded only where it is used."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'imghdr' is deprecated", DeprecationWarning)  # it has a replacement for 3.13
        import apprise

        apprise.Apprise.instantiate("json://localhost")
    return apprise


def check_address(address: str) -> None:
    """Raises `RegistryError` for an address that apprise does not understand; the address stands in no message."""
    if len(address) > ADDRESS_LENGTH or not address.isprintable() or services().Apprise.instantiate(address) is None:
        raise RegistryError("the address is none that apprise understands, such as wecombot://KEY or json://host/path")


def remove(conn: sa.Connection, id: str, now: datetime, *, known: Reach = None) -> Channel:
    """Take a channel out of use, and forget its address; what was sent stays. Raises `RegistryError`."""
    found = require(conn, id, known=known)
    conn.execute(sa.update(table).where(table.c.id == id).values(removed_at=now, address=b""))
    return found


def require(conn: sa.Connection, id: str, *, known: Reach = None) -> Channel:
    """A channel in use, within what somebody answers for. Raises `RegistryError`."""
    found = next((one for one in list_channels(conn, known) if one.id == id), None)
    if found is None:
        raise RegistryError(f"no channel {id[:64]!r}: see `hub channel list`")
    return found


def list_channels(conn: sa.Connection, known: Reach = None) -> list[Channel]:
    """The channels in use all of whose compounds somebody answers for, by role and name."""
    query = sa.select(table).where(table.c.removed_at.is_(None)).order_by(table.c.name, table.c.id).limit(MOST)
    places = _all_compounds(conn)
    found = [_channel(row, places) for row in conn.execute(query)]
    return sorted((one for one in found if _is_within(one.compounds, known)), key=lambda one: ROLES.index(one.role))


def scopes_within(conn: sa.Connection, known: Collection[str]) -> set[str]:
    """The places, as kind:id, that have compounds and all of whose compounds are among these."""
    inside: dict[str, set[str]] = {}
    for one in _all_compounds(conn):
        for place in (f"compound:{one.id}", f"committee:{one.committee}", f"area:{one.area}"):
            inside.setdefault(place, set()).add(one.id)
    return {place for place, compounds in inside.items() if compounds <= set(known)}


def address_of(conn: sa.Connection, id: str) -> str:
    """The address of a channel, opened. Raises `RegistryError` when no key opens it."""
    sealed: bytes = conn.scalar(sa.select(table.c.address).where(table.c.id == id, table.c.removed_at.is_(None))) or b""
    for key in keys.opening_keys(conn) if sealed else []:
        try:
            return open_bytes(sealed, key.private).decode()
        except BadMessage:
            continue
    raise RegistryError("the address can't be opened: remove the channel and add it again")


def shown_address(conn: sa.Connection, id: str) -> str:
    """The address as pages show it; a question mark when it can't be opened."""
    try:
        return masked(address_of(conn, id))
    except RegistryError:
        return "?"


def masked(address: str) -> str:
    """The service and the last two characters: enough to tell two channels apart.

    >>> masked("wecombot://0123456789abcdef/")
    'wecombot://…ef'
    """
    scheme, _, rest = address.partition("://")
    rest = rest.partition("?")[0].rstrip("/")
    return f"{scheme}://…{rest[-2:] if len(rest) > 8 else ''}"


def note_result(conn: sa.Connection, id: str, at: datetime, failure: str) -> None:
    """Note on the channel how the last sending went; no failure: it arrived."""
    values = {"failed_at": at, "failure": failure[:500]} if failure else {"failed_at": None, "failure": ""}
    conn.execute(sa.update(table).where(table.c.id == id).values(**values))


def _channel(row: Any, places: list[Compound]) -> Channel:
    scope = Scope(ScopeKind(row.place_kind), row.place)
    return Channel(
        id=row.id, name=row.name, role=Role(row.role), scope=scope, compounds=reach([scope], places), made_at=row.made_at,
        kinds=tuple(Kind(kind) for kind in row.kinds if kind in set(Kind)), failed_at=row.failed_at, failure=row.failure,
    )  # fmt: skip


def _checked(conn: sa.Connection, scope: Scope) -> Scope:
    known = _PLACES.get(scope.kind)
    if known is not None and conn.scalar(sa.select(known.c.id).where(known.c.id == scope.place)) is None:
        raise RegistryError(f"scope {scope.kind}:{scope.place[:64]}: there is none; see `hub place list {scope.kind}`")
    return scope


def _compounds(conn: sa.Connection, scope: Scope) -> Reach:
    return reach([scope], _all_compounds(conn))


def _all_compounds(conn: sa.Connection) -> list[Compound]:
    joined = tables.compounds.join(tables.committees, tables.compounds.c.committee == tables.committees.c.id)
    columns = (tables.compounds.c.id, tables.committees.c.id, tables.committees.c.area)
    return [Compound(*row) for row in conn.execute(sa.select(*columns).select_from(joined))]


def _is_within(compounds: Reach, known: Reach) -> bool:
    return known is None or (bool(compounds) and compounds is not None and compounds <= known)
