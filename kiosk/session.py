"""What a station says on one connection: its birth, its events until the hub has them, its photos and its pulse."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from contract.codec import encode
from contract.messages import JournalBatch, Presence, Vitals
from contract.topics import StationTopic
from kiosk.connection import Arrived, Connection, Delivered, Down, Refused, Unheard, Up, UplinkSettings
from kiosk.downlink import Downlink, Reply
from kiosk.journal import Journal, JournalUnavailable, Line
from kiosk.outbox import Outbox, Pacing, Parcel

_log = logging.getLogger(__name__)
_PHOTO = "photo:"
_SHORTEST_WAIT, _LONGEST_WAIT = 0.01, 1.0
_PASSWORD = (0x86, 0x87)  # MQTT v5 §3.2.2.2: bad user name or password, not authorized


@dataclass(frozen=True)
class Wake:
    """Look again at what is to be sent."""

    vitals: bool = False
    photo: bool = False


@dataclass(frozen=True)
class Leave:
    """End the connection in order, and connect anew."""

    why: str


@dataclass(frozen=True)
class Speaker:
    """What stays the same from one connection to the next."""

    journal: Journal
    settings: UplinkSettings
    vitals: Callable[[], Vitals]
    downlink: Downlink
    monotonic: Callable[[], float]
    software: str

    def presence(self, birth: str, online: bool) -> bytes:
        """The birth, the will or the last words of a connection."""
        journal = self.journal
        return encode(
            Presence(
                online=online,
                birth=birth,
                boot=journal.boot,
                journal=journal.id,
                last_seq=journal.last_seq,
                software=self.software,
            )
        )


class Session:
    """One connection's life, on the uplink's thread: `take` what happened, then `work`."""

    def __init__(self, speaker: Speaker, connection: Connection, birth: str) -> None:
        self._speaker, self._connection, self._birth = speaker, connection, birth
        self.up = self.over = self.leaving = False
        self._ending = ""
        self._refusals: dict[str, str] = {}
        self._mids: dict[int, str] = {}
        self._photo_due: float | None = 0.0
        self._vitals_due = 0.0
        self._begin_outbox()

    @property
    def detail(self) -> str:
        """How it stands, in plain words."""
        said = [*self._refusals.values(), *([self._ending] if self._ending else [])]
        return "; ".join(said) or ("connected" if self.up else "connecting")

    def take(self, signal: Any) -> None:
        """Take note of something that happened."""
        match signal:
            case Up():
                self._begin()
            case Refused(code, reason):
                what = "this station's password" if code in _PASSWORD else "this station"
                self.give_up(f"the broker refuses {what}: {reason}")
            case Down(reason):
                self.give_up(f"connection lost: {reason}")
            case Delivered(mid, refusal):
                self._delivered(mid, refusal)
            case Unheard(refusal):
                self._refusals["listening"] = f"the broker does not let this station listen: {refusal}"
            case Arrived():
                self._speaker.downlink.take(signal)
            case Leave(why):
                self.leaving = True
                self.give_up(why)
            case Reply(reply, correlation) if self.up:
                self._publish(StationTopic.REPLY, encode(reply), correlation=correlation)
            case Wake(vitals, photo):
                self._vitals_due = 0.0 if vitals else self._vitals_due
                self._photo_due = 0.0 if photo and self._photo_due is None else self._photo_due

    def work(self) -> None:
        """Send what is due."""
        if not self.up or self.over:
            return
        now = self._speaker.monotonic()
        if self._speaker.journal.id != self._journal_id:
            self._begin_outbox()
            self._publish(StationTopic.PRESENCE, self._speaker.presence(self._birth, online=True))
        self._send_events(now)
        if self._photo_due is not None and now >= self._photo_due:
            self._send_photo(now)
        if now >= self._vitals_due:
            self._vitals_due = now + self._speaker.settings.vitals_seconds
            self._pulse()

    def wait_seconds(self) -> float:
        """How long there is nothing to do unless something happens."""
        due = [d for d in (self._outbox.next_due(), self._photo_due, self._vitals_due) if d is not None]
        wait = min(due) - self._speaker.monotonic() if self.up else _LONGEST_WAIT
        return min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT)

    def give_up(self, why: str) -> None:
        """This connection is over; the first reason counts."""
        self.over, self._ending = True, self._ending or why

    def close(self, orderly: bool) -> None:
        """End the connection; in order only if the station itself wants to."""
        orderly = self.leaving or (orderly and not self.over)
        last_words = self._speaker.presence(self._birth, online=False) if orderly and self.up else None
        self._connection.close(last_words)

    def _begin(self) -> None:
        self.up = True
        if self._speaker.settings.credentials is not None:
            self._speaker.settings.credentials.accepted()
        self._connection.subscribe()
        self._begin_outbox()
        self._publish(StationTopic.PRESENCE, self._speaker.presence(self._birth, online=True))

    def _begin_outbox(self) -> None:
        journal, settings = self._speaker.journal, self._speaker.settings
        self._journal_id = journal.id
        self._outbox = Outbox(Pacing(settings.batch, settings.resend_seconds), live_after=journal.last_seq)

    def _delivered(self, mid: int, refusal: str | None) -> None:
        """The broker has it, which proves nothing, or refuses it, and then it is sent again when due."""
        what = self._mids.pop(mid, "")
        channel = what.partition(":")[0]
        if refusal is not None:
            self._refusals[channel] = f"the broker refuses what this station sends ({channel}): {refusal}"
            return
        self._refusals.pop(channel, None)
        if what.startswith(_PHOTO):
            self._forget_photo(what)

    def _forget_photo(self, key: str) -> None:
        try:
            self._speaker.journal.forget(key)
            self._photo_due = 0.0
        except JournalUnavailable:  # then it is sent again when due
            _log.warning("a photo was sent and can't be dropped", exc_info=True)

    def _send_events(self, now: float) -> None:
        outstanding = self._speaker.journal.outstanding()
        self._outbox = self._outbox.settled(outstanding, now)
        while (parcel := self._outbox.next(outstanding)) is not None:
            self._send_parcel(parcel)
            self._outbox = self._outbox.sent(parcel, now)

    def _send_parcel(self, parcel: Parcel) -> None:
        lines = _consecutive(self._speaker.journal.lines(parcel.first, parcel.last))
        if not lines:
            return
        journal = self._speaker.journal
        batch = JournalBatch(
            journal=self._journal_id, boot=journal.boot, mono_ns=journal.clock()[2], first_seq=lines[0].seq, live=parcel.live,
            events=tuple(msgspec.Raw(line.data) for line in lines),
        )  # fmt: skip
        self._publish(StationTopic.JOURNAL, encode(batch))

    def _pulse(self) -> None:
        try:
            self._publish(StationTopic.VITALS, encode(self._speaker.vitals()))
        except Exception:  # without its vitals a gate still sends its events
            _log.exception("no vitals")

    def _send_photo(self, now: float) -> None:
        waiting = self._speaker.journal.kept_under(_PHOTO, limit=1)
        self._photo_due = now + self._speaker.settings.resend_seconds if waiting else None
        for key, sealed in waiting.items():
            self._publish(StationTopic.BLOB, sealed, rest=key.removeprefix(_PHOTO), what=key)

    def _publish(
        self, channel: StationTopic, payload: bytes, rest: str = "", correlation: bytes | None = None, what: str = ""
    ) -> None:
        self._mids[self._connection.publish(channel, payload, rest, correlation)] = what or channel.value


def keep_photo(journal: Journal, sha: str, sealed: bytes) -> None:
    """Keep a sealed photo until the broker has taken it."""
    journal.keep(_PHOTO + sha, sealed)


def _consecutive(lines: list[Line]) -> list[Line]:
    """The lines up to the first gap; what is behind it goes in a batch of its own."""
    return [line for index, line in enumerate(lines) if line.seq == lines[0].seq + index]
