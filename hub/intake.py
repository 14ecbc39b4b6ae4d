"""What arrives from the broker, as one frozen value each: understood, or refused with a reason. Pure; never raises."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from contract import topics
from contract.codec import BadMessage, encode
from contract.five import Basis, Evidence
from contract.messages import CommandReply, EvidencePulse, JournalBatch, Presence, Vitals, decode
from contract.topics import BadTopic, StationTopic
from hub.lines import Line, read_line, storable
from hub.rules.compliance import Value

_LONGEST = timedelta(days=3650)
_SHA256 = re.compile(r"^[0-9a-f]{64}\Z")
BLOB_LIMIT = 4 * 2**20
"""Bytes; a sealed photo is some 100 KB."""


class Received(Value, frozen=True, kw_only=True):
    """A message as the broker gave it, and when."""

    topic: str
    payload: bytes
    at: datetime
    retained: bool = False


class Batch(Value, frozen=True, kw_only=True):
    """Consecutive events of a journal."""

    station: str
    at: datetime
    sent: JournalBatch
    lines: tuple[Line, ...]


class Birth(Value, frozen=True, kw_only=True):
    """A birth, or the will that belongs to one; a retained one says nothing of now."""

    station: str
    at: datetime
    retained: bool
    presence: Presence


class Pulse(Value, frozen=True, kw_only=True):
    """A station's vitals, its evidence anchored at receipt."""

    station: str
    at: datetime
    vitals: Vitals
    evidence: tuple[Evidence, ...]


class Photo(Value, frozen=True, kw_only=True):
    """A sealed photo under the name of its hash."""

    station: str
    at: datetime
    sha: str
    data: bytes


class Reply(Value, frozen=True, kw_only=True):
    """A station's answer to a command."""

    station: str
    at: datetime
    reply: CommandReply


class Refused(Value, frozen=True, kw_only=True):
    """What could not be used, and why; `kind` is one of a few, for the log."""

    station: str
    at: datetime
    kind: str
    reason: str


class Cleared(Value, frozen=True, kw_only=True):
    """What the broker kept of a station's presence was taken away, by the hub that cut it off; it says nothing."""

    station: str
    at: datetime


Taken = Batch | Birth | Pulse | Photo | Reply | Cleared | Refused


def take(received: Received) -> Taken:
    """What a message says."""
    station = ""
    try:
        address = topics.parse(received.topic)
        station = address.id
        if address.scope != "station" or address.channel not in _TAKERS:
            raise BadTopic("not a station's channel to the hub")
        taken: Taken = _TAKERS[address.channel](station, address.rest, received)
        return taken
    except BadTopic as error:
        return Refused(station=station, at=received.at, kind="topic", reason=str(error))
    except BadMessage as error:
        return Refused(station=station, at=received.at, kind=address.channel, reason=str(error))


def anchored(pulse: EvidencePulse, at: datetime) -> Evidence:
    """Evidence in the hub's time: durations count from its receipt, so that no two clocks are compared.

    What a sensor says holds until the station says otherwise or falls silent: silence is a matter of its own, and blames no item.
    """
    remaining = None if pulse.basis is Basis.SENSOR else pulse.remaining_seconds
    return Evidence(
        item=pulse.item, present=pulse.present, basis=pulse.basis, observed_at=shifted(at, -pulse.age_seconds),
        valid_until=None if remaining is None else shifted(at, remaining), by=pulse.by, reason=pulse.reason, photo=pulse.photo,
    )  # fmt: skip


def shifted(at: datetime, seconds: float) -> datetime:
    """A time so many seconds later or earlier, ten years at most."""
    limit = _LONGEST.total_seconds()
    return at + timedelta(seconds=max(-limit, min(limit, seconds)))


def _batch(station: str, rest: str, received: Received) -> Batch:
    sent = decode(JournalBatch, received.payload)
    if sent.first_seq + len(sent.events) > 2**53:
        raise BadMessage("sequence numbers end at 2**53 - 1")
    storable("journal and boot", sent.journal, sent.boot)
    lines = tuple(read_line(bytes(raw), sent.first_seq + n, received.at, sent) for n, raw in enumerate(sent.events))
    return Batch(station=station, at=received.at, sent=sent, lines=lines)


def _birth(station: str, rest: str, received: Received) -> Birth | Cleared:
    if not received.payload:
        return Cleared(station=station, at=received.at)
    presence = decode(Presence, received.payload)
    storable("birth and journal", presence.birth, presence.journal)
    return Birth(station=station, at=received.at, retained=received.retained, presence=presence)


def _pulse(station: str, rest: str, received: Received) -> Pulse:
    vitals = decode(Vitals, received.payload)
    for one in vitals.evidence:
        storable("evidence", one.by, one.reason, one.photo)
    known = {(e.item, e.basis): anchored(e, received.at) for e in vitals.evidence}
    return Pulse(station=station, at=received.at, vitals=vitals, evidence=tuple(known.values()))


def _photo(station: str, rest: str, received: Received) -> Photo:
    if not _SHA256.match(rest) or hashlib.sha256(received.payload).hexdigest() != rest:
        raise BadMessage("a blob whose SHA-256 is not its name")
    if len(received.payload) > BLOB_LIMIT:
        raise BadMessage(f"a blob of {len(received.payload)} bytes; {BLOB_LIMIT} at most")
    return Photo(station=station, at=received.at, sha=rest, data=received.payload)


def _reply(station: str, rest: str, received: Received) -> Reply:
    reply = decode(CommandReply, received.payload)
    storable("reply", reply.id)
    return Reply(station=station, at=received.at, reply=reply)


_TAKERS: dict[str, Callable[[str, str, Received], Any]] = {
    StationTopic.JOURNAL: _batch, StationTopic.PRESENCE: _birth, StationTopic.VITALS: _pulse,
    StationTopic.BLOB: _photo, StationTopic.REPLY: _reply,
}  # fmt: skip


def vitals_text(vitals: Vitals) -> str:
    """Vitals as they are kept: only what was understood."""
    return encode(vitals).decode()
