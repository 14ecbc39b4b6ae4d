"""What is owed to channels, and in which words: one alert, or many in one message."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from hub import channels
from hub.config import Located
from hub.raising import ESCALATED, LATE
from hub.registry.errors import RegistryError
from hub.rules import alerting as rules
from hub.rules.alerting import RULES, Kind, Level
from hub.rules.compliance import Value
from hub.store import tables
from hub.store.supervision import alerts, sendings
from hub.store.supervision import channels as channels_table

PAUSES = tuple(timedelta(minutes=n) for n in (0.5, 1, 2, 4, 8, 15, 30, 60, 60, 60, 60, 60))
"""After each failure; then it is given up: six hours in all."""
DIGEST = 4
"""So many or more for one channel at once are one message: a power cut in a quarter is not a hundred."""
LOOKED_AT = 200
LINES = 20
"""Alerts named in one message; the others are counted, and on the page."""


WORDS: dict[str, tuple[str, str]] = {
    "alarm": ("警报", "Alarm"), "warning": ("警告", "Warning"), "notice": ("提示", "Notice"),
    "title": ("【{level}】{what} · {where}", "[{level}] {what} · {where}"),
    "at": ("时间:{time}", "Time: {time}"),
    "count": ("共 {n} 次", "{n} times"),
    "late": ("迟报:此事早已发生,中枢 {time} 才收到", "Heard late: the hub heard of this only at {time}"),
    "escalated": ("上报:已超过{n}分钟无人确认处理", "Taken up: nobody has acknowledged it for over {n} minutes"),
    "number": ("编号 {number}({hub})", "No. {number} ({hub})"),
    "digest": ("【{level}】{n} 条警报", "[{level}] {n} alerts"),
    "more": ("另有 {n} 条,见警报页", "{n} more: see the page of alerts"),
    "link": ("查看:{url}", "See: {url}"),
    "test.title": ("【试发】{hub}", "[Test] {hub}"),
    "test.body": ("这是一条试发消息,渠道“{name}”可以收到警报。{time}", "A test: channel “{name}” receives alerts. {time}"),
}  # fmt: skip
"""What messages say besides what each kind of alert does: Chinese and English."""


class Message(Value, frozen=True, kw_only=True):
    """What is sent."""

    title: str
    body: str
    level: Level
    number: str = ""
    """Stands in the body: the same however often it is sent."""


class Owed(Value, frozen=True, kw_only=True):
    """One alert that is owed to a channel; `tries` have failed."""

    id: int
    tries: int
    message: Message


class Due(Value, frozen=True, kw_only=True):
    """What is sent to a channel in one message. No address: it can't be opened, and `failure` says so."""

    channel: str
    owed: tuple[Owed, ...]
    message: Message
    address: str
    failure: str = ""


_OWED = (sendings.c.sent_at.is_(None), sendings.c.tries <= len(PAUSES))


def is_any(conn: sa.Connection, now: datetime) -> bool:
    """Whether anything is due."""
    return conn.scalar(sa.select(sendings.c.id).where(*_OWED, sendings.c.due_at <= now).limit(1)) is not None


def next_after(conn: sa.Connection, now: datetime) -> datetime | None:
    """When the next is due that is not yet."""
    found: datetime | None = conn.scalar(sa.select(sa.func.min(sendings.c.due_at)).where(*_OWED, sendings.c.due_at > now))
    return found


def counts(conn: sa.Connection, since: datetime) -> dict[str, tuple[int, int]]:
    """By channel: how many are still to be sent, and how many were given up since a time."""
    given_up = sa.case((sendings.c.tries > len(PAUSES), 1), else_=0)
    query = sa.select(sendings.c.channel, sa.func.count(), sa.func.sum(given_up))
    query = query.where(sendings.c.sent_at.is_(None), sendings.c.due_at > since).group_by(sendings.c.channel)
    return {channel: (all - int(lost), int(lost)) for channel, all, lost in conn.execute(query)}


def drop_needless(conn: sa.Connection, now: datetime) -> None:
    """What is over, was acknowledged, is older than a day or lost its channel need not be sent any more."""
    over = sa.or_(
        alerts.c.ended_at.is_not(None), alerts.c.acknowledged_at.is_not(None), alerts.c.last_at < now - rules.OLD
    )  # fmt: skip
    gone = sa.select(channels_table.c.id).where(channels_table.c.removed_at.is_not(None))
    needless = sa.or_(sendings.c.alert.in_(sa.select(alerts.c.id).where(over)), sendings.c.channel.in_(gone))
    conn.execute(sa.delete(sendings).where(*_OWED, needless))


def due(conn: sa.Connection, located: Located, now: datetime, hanging: Collection[int], most: int) -> list[Due]:
    """What is due, by channel, the channel that has waited longest first."""
    names = ("kind", "subject", "first_at", "count", "event")
    columns = [sendings.c[name] for name in ("id", "channel", "tries", "reason", "alert")] + [alerts.c[name] for name in names]
    query = sa.select(*columns).select_from(sendings.join(alerts, alerts.c.id == sendings.c.alert))
    query = query.where(*_OWED, sendings.c.due_at <= now).order_by(sendings.c.due_at, sendings.c.id).limit(LOOKED_AT)
    found: dict[str, list[Owed]] = {}
    for row in conn.execute(query):
        if row.id not in hanging:
            owed = Owed(id=row.id, tries=row.tries, message=_message(conn, row, located))
            found.setdefault(row.channel, []).append(owed)
    parts = [(channel, part) for channel, owed in found.items() for part in _together(owed)]
    return [_made(conn, channel, part, located) for channel, part in parts[:most]]


def _together(owed: list[Owed]) -> list[tuple[Owed, ...]]:
    return [tuple(owed)] if len(owed) >= DIGEST else [(one,) for one in owed]


def _made(conn: sa.Connection, channel: str, owed: tuple[Owed, ...], located: Located) -> Due:
    message = _linked(owed[0].message if len(owed) == 1 else _digest(owed, located), located)
    try:
        return Due(channel=channel, owed=owed, message=message, address=channels.address_of(conn, channel))
    except RegistryError as error:
        return Due(channel=channel, owed=owed, message=message, address="", failure=str(error))


def _linked(message: Message, located: Located) -> Message:
    """With where to read more, if `web.public_url` says where the pages are."""
    url = located.settings.web.public_url.rstrip("/")
    link = words(located.settings.language, "link", url=f"{url}/alerts")
    return structs.replace(message, body=f"{message.body}\n{link}") if url else message


def _digest(owed: tuple[Owed, ...], located: Located) -> Message:
    language, loudest = located.settings.language, min((one.message.level for one in owed), key=list(Level).index)
    ordered = sorted(owed, key=lambda one: list(Level).index(one.message.level))
    lines = [f"{one.message.title} {one.message.number}" for one in ordered[:LINES]]
    lines += [words(language, "more", n=len(owed) - LINES)] if len(owed) > LINES else []
    said = words(language, "digest", level=words(language, loudest), n=len(owed))
    return Message(title=said, body="\n".join(lines), level=loudest)


def _message(conn: sa.Connection, row: Any, located: Located) -> Message:
    language, kind, number = located.settings.language, Kind(row.kind), f"{row.alert[:6]}-{row.id}"
    rule, n = RULES[kind], _n(language)
    query = sa.select(sa.func.min(tables.events.c.at)).where(tables.events.c.id == row.event)
    at = (conn.scalar(query) if row.event else None) or row.first_at
    lines = [*_first_line(row, kind, located), rule.todo[n], words(language, "at", time=_local(at, located))]
    lines += [words(language, "count", n=row.count)] if row.count > 1 else []
    lines.append(words(language, "number", number=number, hub=located.settings.name))
    said = {"level": words(language, rule.level), "what": rule.said[n]}
    title = words(language, "title", **said, where=row.subject or located.settings.name)
    return Message(title=title, body="\n".join(lines), level=rule.level, number=number)


def _first_line(row: Any, kind: Kind, located: Located) -> list[str]:
    language, waited = located.settings.language, rules.wait(kind)
    if row.reason == LATE:
        return [words(language, "late", time=_local(row.first_at, located))]
    if row.reason == ESCALATED and waited is not None:
        return [words(language, "escalated", n=int(waited.total_seconds() // 60))]
    return []


def _local(at: datetime, located: Located) -> str:
    local = at.astimezone(located.zone)
    return f"{local:%Y-%m-%d %H:%M}"


def note(conn: sa.Connection, one: Due, failure: str, now: datetime) -> None:
    """How a try went; after a failure it is due again later, or given up."""
    for owed in one.owed:
        values: dict[str, Any] = {"sent_at": now, "failure": ""}
        if failure:
            pause = PAUSES[min(owed.tries, len(PAUSES) - 1)]
            values = {"tries": owed.tries + 1, "failure": failure[:500], "due_at": now + pause}
        conn.execute(sa.update(sendings).where(sendings.c.id == owed.id, sendings.c.sent_at.is_(None)).values(**values))
    channels.note_result(conn, one.channel, now, failure)


def words(language: str, key: str, **values: object) -> str:
    """Some of `WORDS`."""
    said = WORDS[key][_n(language)]
    return said.format(**values) if values else said


def _n(language: str) -> int:
    return 1 if language == "en" else 0
