"""The audit log as people read it: who did what to what, when and from where, and whether the log is whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any

import sqlalchemy as sa
from flask import current_app

from hub import audit
from hub.rules.alerting import RULES, Kind
from hub.rules.granting import read_scope
from hub.store import tables
from hub.store.supervision import audit as table
from hub.web.account_form import Places
from hub.web.site import site
from hub.web.texts import LANGUAGES, duration, text

PAGE = 50
"""Lines on one page."""
NAMED = 5
"""Broken lines that are named; of more it says that there are more."""
RECHECKED = timedelta(minutes=5)
"""How long a process takes the log to be as it found it: reading all of it takes seconds for a year's log."""
_BIGGEST = 2**31 - 1
_SAID_BY = {
    "role": "role",
    "item": "item",
    "method": "method",
    "actions": "action",
    "pass_kind": "passes.kind",
    "what": "commanding",
}
"""Details whose values have words elsewhere in the texts: under which prefix."""
_IDS = {
    "gate": "gate",
    "compound": "compound",
    "committee": "committee",
    "area": "area",
    "account": "account",
    "owner": "account",
}
"""Details that are ids: of which kind."""
_NAMED_KINDS = {
    "account": tables.accounts, "gate": tables.gates, "compound": tables.compounds, "committee": tables.committees,
    "area": tables.areas,
}  # fmt: skip
_LOCK = Lock()


@dataclass(frozen=True)
class Said:
    """One line in words. `who` and `object` are ids to filter by, the names beside them what people call them; what accounts do
    to themselves has no object."""

    at: str
    who: str
    who_name: str
    did: str
    object: str
    object_name: str
    detail: str
    address: str
    alarming: bool


@dataclass(frozen=True)
class Page:
    """Lines, newest first. `older`: what `before` leads on; None: there are none. `newest`: nothing newer is left out."""

    lines: tuple[Said, ...]
    account: str
    object: str
    older: int | None
    newest: bool


@dataclass(frozen=True)
class Chain:
    """What came of reading the whole log: the ids of the first broken lines, none for a log that is whole."""

    at: datetime
    count: int
    broken: tuple[int, ...]


def short(id: str) -> str:
    """An id as it fits on a line: of a long random one its beginning.

    >>> short("east-1"), short("0199ab" * 6)
    ('east-1', '0199ab01…')
    """
    return f"{id[:8]}…" if len(id) >= 32 and id.replace("-", "").isalnum() else id


def page(conn: sa.Connection, asked: Mapping[str, str], language: str) -> Page:
    """The page that `before`, `account` and `object` ask for."""
    account, object = _typed(asked.get("account"), 64), _typed(asked.get("object"), 200)
    before = _number(asked.get("before"))
    found = audit.lines(conn, PAGE + 1, before=before, account=account, object=object)
    shown = found[:PAGE]
    teller = _Teller(conn, shown, language)
    older = shown[-1].id if len(found) > PAGE else None
    return Page(tuple(teller.said(line) for line in shown), account, object, older, before is None)


def chain(conn: sa.Connection, now: datetime) -> Chain:
    """Whether each line follows from the one before; asked again when the answer is `RECHECKED` old."""
    with _LOCK:
        known: Chain | None = current_app.extensions.get("gatepost_chain")
        if known is None or not known.at <= now < known.at + RECHECKED:
            count = conn.scalar(sa.select(sa.func.count(table.c.id))) or 0
            known = Chain(now, count, tuple(islice(audit.broken(conn), NAMED + 1)))
            current_app.extensions["gatepost_chain"] = known
        return known


class _Teller:
    """Says lines in one language, with the names of what they are of."""

    def __init__(self, conn: sa.Connection, lines: list[audit.Line], language: str) -> None:
        self._language, self._places = language, Places(conn)
        wanted = {(line.kind, line.object) for line in lines} | {("account", line.account) for line in lines} | {
            (_IDS[key], value) for line in lines for key, value in line.detail.items() if key in _IDS and isinstance(value, str)
        }  # fmt: skip
        self._names = {
            (kind, id): name
            for kind, known in _NAMED_KINDS.items()
            for id, name in conn.execute(
                sa.select(known.c.id, known.c.name).where(known.c.id.in_([id for of, id in wanted if of == kind]))
            )
        }

    def said(self, line: audit.Line) -> Said:
        """The line in words; what this version has no words for is shown as it was noted."""
        zone = site().located.zone
        return Said(
            at=f"{line.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", who=line.account, who_name=self._who(line.account),
            did=self._did(line), object="" if (line.kind, line.object) == ("account", line.account) else line.object,
            object_name=self._names.get((line.kind, line.object), ""),
            detail=text(self._language, "audit.joint").join(self._detail(key, value) for key, value in line.detail.items()),
            address=line.address, alarming=line.action in ("wrong_password", "lock_out"),
        )  # fmt: skip

    def _who(self, account: str) -> str:
        return self._names.get(("account", account)) or self._known("audit.who", account) or ""

    def _did(self, line: audit.Line) -> str:
        whole = self._known("audit.line", f"{line.action}.{line.kind}")
        did, kind = self._readable("audit.action", line.action), self._readable("audit.kind", line.kind)
        return whole or text(self._language, "audit.did", did=did, kind=kind)

    def _detail(self, key: str, value: Any) -> str:
        if isinstance(value, dict) and value.keys() == {"was", "is"}:
            value = f"{self._value(key, value['was'])} → {self._value(key, value['is'])}"
        return text(self._language, "audit.detail", what=self._readable("audit.key", key), value=self._value(key, value))

    def _value(self, key: str, value: Any) -> str:
        if isinstance(value, list):
            return text(self._language, "people.scope.and").join(self._value(key, one) for one in value)
        if isinstance(value, bool) or value is None:
            return self._known(f"audit.value.{key}", str(value)) or text(self._language, f"audit.value.{value}")
        if key == "seconds" and isinstance(value, int):
            return duration(self._language, value)
        if key in ("scope", "scopes"):
            return self._scope(str(value))
        if key == "of" and value in set(Kind):
            return RULES[Kind(value)].said[list(LANGUAGES).index(self._language)]
        named = self._names.get((_IDS.get(key, ""), str(value)))
        said = self._known(_SAID_BY.get(key, f"audit.value.{key}"), str(value)) or short(str(value))
        return f"{named} {value}" if named and named != value else said

    def _scope(self, value: str) -> str:
        try:
            scope = read_scope(value)
        except ValueError:
            return value
        return self._places.names.get(scope) or self._known("audit.scope", value) or value

    def _readable(self, prefix: str, key: str) -> str:
        return self._known(prefix, key) or key.replace("_", " ")

    def _known(self, prefix: str, key: str) -> str | None:
        return LANGUAGES[self._language].get(f"{prefix}.{key}")


def _typed(value: str | None, most: int) -> str:
    wanted = (value or "").strip()[:most]
    return wanted if wanted.isprintable() else ""


def _number(value: str | None) -> int | None:
    return min(int(value), _BIGGEST) if value and value.isascii() and value.isdecimal() and len(value) < 20 else None
