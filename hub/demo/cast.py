"""Who comes to the gates of the demonstration, good passes and bad: issued by the real registry."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import sqlalchemy as sa

from contract import passes as contract_passes
from hub.config import Located
from hub.demo.faces import drawn_face
from hub.demo.places import write_private
from hub.portrait import portrait
from hub.registry import keys, passes, photos

BY = "demo"
_BY_HAND = 8
_PICTURED = 2
PIN = "2468"
_NAMES = [family + given for given in ("明", "秀英") for family in "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗"]


class Person(msgspec.Struct, frozen=True):
    """Somebody with a token to hold up."""

    name: str
    token: str
    pin: str = ""


class Cast(msgspec.Struct, frozen=True):
    """Everybody of one compound."""

    compound: str
    residents: list[Person]
    badge: Person
    expired: str
    revoked: str
    forged: str
    other: str

    @property
    def walkers(self) -> list[Person]:
        """Those who come by themselves in the morning."""
        return self.residents[:-_BY_HAND]

    def choose(self, which: str, turn: int) -> tuple[tuple[str, ...], str]:
        """The tokens and the style for one of the demonstration's choices; a resident for any other word.

        A good pass is another resident's at each turn, since nobody goes in twice within a minute.
        """
        by_hand = [person.token for person in self.residents[-_BY_HAND:]]
        one, two = by_hand[turn % _BY_HAND], by_hand[(turn + 1) % _BY_HAND]
        table = {
            "expired": (self.expired,), "revoked": (self.revoked,), "forged": (self.forged,), "other": (self.other,),
            "badge": (self.badge.token,), "two": (one, two), "stray": ("https://example.org/menu",),
        }  # fmt: skip
        return table.get(which, (one,)), "paper" if which in ("paper", "badge") else "phone"


def make(engine: sa.Engine, located: Located, compounds: list[str]) -> dict[str, Cast]:
    """Issue everybody's passes, compound by compound."""
    with engine.begin() as conn:
        key = keys.current(conn, keys.KeyUse.PASSES)
        strangers = {c: _resident(conn, located, c, "外来客") for c in compounds}
        return {c: _compound(conn, located, c, strangers[compounds[i - 1]].token, key.kid) for i, c in enumerate(compounds)}


def load_or_make(path: Path, engine: sa.Engine, located: Located, compounds: list[str]) -> dict[str, Cast]:
    """The same people as at the last start, or new ones."""
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Cast])
    cast = make(engine, located, compounds)
    write_private(path, msgspec.json.encode(cast).decode())
    return cast


def _compound(conn: sa.Connection, located: Located, compound: str, stranger: str, kid: str) -> Cast:
    residents = [
        _resident(conn, located, compound, name, f"{1 + i // 6}号{100 * (1 + i % 6) + 1}室") for i, name in enumerate(_NAMES)
    ]
    for seed, resident in enumerate(residents[-_BY_HAND:][:_PICTURED]):
        photos.put_photo(conn, resident.token, portrait(drawn_face(seed)), by=BY)
    revoked = _resident(conn, located, compound, "钱某")
    passes.revoke(conn, revoked.token, by=BY)
    past = datetime.now(UTC) - timedelta(days=1)
    expired = passes.issue(
        conn, located, kind=contract_passes.PassKind.RESIDENT, compound=compound, name="过期者", expires=past, by=BY
    )
    badge = passes.issue(
        conn, located, kind=contract_passes.PassKind.VOLUNTEER, compound=compound, name="孙桂兰", days=365, by=BY, pin=PIN
    )
    return Cast(
        compound=compound, residents=residents, badge=Person("孙桂兰", badge.token, PIN), expired=expired.token,
        revoked=revoked.token, forged=_forged(located, compound, kid), other=stranger,
    )  # fmt: skip


def _resident(conn: sa.Connection, located: Located, compound: str, name: str, dwelling: str = "1号101室") -> Person:
    issued = passes.issue(
        conn, located, kind=contract_passes.PassKind.RESIDENT, compound=compound, name=name, dwelling=dwelling, days=365, by=BY
    )
    return Person(name, issued.token)


def _forged(located: Located, compound: str, kid: str) -> str:
    """A pass that says all the right things, signed with another key under our key's name."""
    now = datetime.now(UTC)
    claims = contract_passes.Pass(
        id=os.urandom(16).hex(), issuer=located.settings.issuer, kind=contract_passes.PassKind.RESIDENT, not_before=now,
        expires=now + timedelta(days=365), compounds=(compound,), name="假*", dwelling="1-101",
    )  # fmt: skip
    return contract_passes.issue(claims, kid, os.urandom(32))
