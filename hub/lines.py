"""One event of a journal as the hub stores it: read, or raw with the reason why it could not be. Pure; never raises."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from contract.codec import BadMessage, Instant, Message, decoder
from contract.events import Clock, Event, EvidenceChange, Natural, PhotoAttached, decode_event, kind_of
from contract.messages import JournalBatch
from hub.rules.compliance import Value

UNREADABLE = "unreadable"
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class Line(Value, frozen=True, kw_only=True):
    """An event at its place in the journal."""

    seq: int
    id: str
    at: datetime
    boot: str
    mono_ns: int
    clock: str
    kind: str
    body: str
    """The whole event as it came (JSON)."""
    error: str | None = None
    event: Event | None = None
    """None when it could not be read."""
    anchored_at: datetime | None = None
    """When it happened in the hub's own time; None when that can't be known."""


class _Shell(Message, frozen=True, kw_only=True):
    """What of an event may be legible though its body is not."""

    seq: Natural
    id: str
    at: Instant
    boot: str
    mono_ns: Natural
    clock: Clock


_shell: Callable[[bytes], _Shell] = decoder(_Shell)


def read_line(raw: bytes, seq: int, received_at: datetime, batch: JournalBatch) -> Line:
    """The event at a place of a batch."""
    try:
        event: Event = decode_event(raw)
        _check(event, seq)
    except BadMessage as error:
        return _unreadable(raw, seq, received_at, str(error))
    anchor = _anchor(event.boot, event.mono_ns, event.clock, event.at, received_at, batch)
    return Line(
        seq=seq, id=event.id, at=event.at if event.clock is Clock.SYNCED else anchor or event.at, boot=event.boot,
        mono_ns=event.mono_ns, clock=event.clock, kind=kind_of(event.body), body=_plain(raw), event=event, anchored_at=anchor,
    )  # fmt: skip


def storable(what: str, *texts: str | None) -> None:
    """Raise `BadMessage` unless texts fit a column: 64 characters at most, and no NUL, which PostgreSQL can't hold."""
    if any(text is not None and (len(text) > 64 or "\0" in text) for text in texts):
        raise BadMessage(f"{what}: more than 64 characters, or a NUL")


def _anchor(boot: str, mono_ns: int, clock: Clock, at: datetime, received_at: datetime, batch: JournalBatch) -> datetime | None:
    """By its age when it was written in the boot that sent it, else by its own clock if that was synced; never in the future."""
    if boot == batch.boot and mono_ns <= batch.mono_ns:
        age = min((batch.mono_ns - mono_ns) / 1e9, timedelta(days=3650).total_seconds())
        return received_at - timedelta(seconds=age)
    return min(at, received_at) if clock is Clock.SYNCED else None


def _check(event: Event | _Shell, seq: int) -> None:
    if event.seq != seq:
        raise BadMessage(f"says it is number {event.seq}, at place {seq}")
    if not event.id:
        raise BadMessage("has no id")
    if not _EARLIEST <= event.at < _LATEST:
        raise BadMessage(f"at {event.at.year}: not a time of ours")
    storable("id and boot", event.id, event.boot)
    body = getattr(event, "body", None)
    if isinstance(body, EvidenceChange):
        storable("evidence", body.evidence.by, body.evidence.reason, body.evidence.photo)
    if isinstance(body, PhotoAttached):
        storable("photo", body.event, body.photo)


def _unreadable(raw: bytes, seq: int, received_at: datetime, error: str) -> Line:
    digest = hashlib.sha256(raw).hexdigest()[:32]
    line = Line(
        seq=seq, id=f"raw-{digest}", at=received_at, boot="", mono_ns=0, clock=Clock.UNSYNCED, kind=UNREADABLE,
        body=_plain(raw), error=error.replace("\0", "\\0")[:1000],
    )  # fmt: skip
    try:
        shell = _shell(raw)
        _check(shell, seq)
    except BadMessage:
        return line
    at = shell.at if shell.clock is Clock.SYNCED else received_at
    known = {name: getattr(shell, name) for name in ("id", "boot", "mono_ns", "clock")}
    return msgspec.structs.replace(line, at=at, **known)


def _plain(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\u0000")
