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
AHEAD = timedelta(minutes=2)
"""A clock further ahead of an event's arrival than this is wrong, whatever it says of itself: no event comes before it was."""
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
    anchor = _anchor(event, received_at, batch)
    sure = _is_sure(event, anchor or received_at)
    happened = anchor or (min(event.at, received_at) if sure else None)
    return Line(
        seq=seq, id=event.id, at=event.at if sure else happened or event.at, boot=event.boot, mono_ns=event.mono_ns,
        clock=Clock.SYNCED if sure else Clock.UNSYNCED, kind=kind_of(event.body), body=_plain(raw), event=event,
        anchored_at=happened,
    )  # fmt: skip


def storable(what: str, *texts: str | None) -> None:
    """Raise `BadMessage` unless texts fit a column: 64 characters at most, and no NUL, which PostgreSQL can't hold."""
    if any(text is not None and (len(text) > 64 or "\0" in text) for text in texts):
        raise BadMessage(f"{what}: more than 64 characters, or a NUL")


def _anchor(event: Event, received_at: datetime, batch: JournalBatch) -> datetime | None:
    """When an event was by its age, known where the boot that wrote it sends it; before that if the broker kept it."""
    if event.boot != batch.boot or event.mono_ns > batch.mono_ns:
        return None
    return received_at - timedelta(seconds=min((batch.mono_ns - event.mono_ns) / 1e9, timedelta(days=3650).total_seconds()))


def _is_sure(event: "Event | _Shell", latest: datetime) -> bool:
    """Whether the station's time of an event counts: its clock was in step, and it can have been then."""
    return event.clock is Clock.SYNCED and event.at <= latest + AHEAD


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
    sure = _is_sure(shell, received_at)
    known = {name: getattr(shell, name) for name in ("id", "boot", "mono_ns")}
    clock = Clock.SYNCED if sure else Clock.UNSYNCED
    return msgspec.structs.replace(line, at=shell.at if sure else received_at, clock=clock, **known)


def _plain(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\u0000")
