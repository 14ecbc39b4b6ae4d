"""What was taken in, written within one transaction: journals by (journal, seq), pulses, photos, and what was refused."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from contract.events import Clock, ClockSynced, EvidenceChange, GateShut, PhotoAttached, SettingsChanged, Started, Stopped
from contract.five import Evidence
from hub import closing, dating, evidence, homecoming, late, orders, station_settings
from hub.intake import Batch, Birth, Photo, Pulse, Received, Refused, Reply, Taken, shifted, vitals_text
from hub.journals import Journals
from hub.lines import Line
from hub.rules.compliance import Value
from hub.rules.homecoming import tells_of_homecoming
from hub.store.tables import attachments, blobs, malformed, pulses, stations
from hub.store.writing import upsert

_LATE = timedelta(seconds=10)
MALFORMED_KEPT = 1000
"""Malformed messages kept of one station, the newest; those of unknown stations count as one."""
PAYLOAD_KEPT = 65_536
"""Bytes kept of a malformed payload."""


class Kept(Value, frozen=True, kw_only=True):
    """What a transaction has written, once it is committed."""

    owed: dict[str, str]
    """Journals to acknowledge, and the station of each."""
    gates: frozenset[str]
    """Gates whose status may have changed."""
    refused: tuple[Refused, ...]
    worth_showing: bool
    """Something besides plain pulses has changed."""


class Keeper:
    """One transaction's worth of keeping."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection, self._journals = connection, Journals(connection)
        self._gates: dict[str, str | None] = {}
        self._touched: set[str] = set()
        self._refused: list[Refused] = []
        self._showing = False

    def keep(self, taken: Taken, received: Received) -> None:
        """Write one message, or note why not."""
        refused = taken if isinstance(taken, Refused) else self._unknown(taken) or self._write(taken)
        if refused is not None:
            self._refuse(refused, received)

    def finish(self) -> Kept:
        """Write what was gathered; the caller commits."""
        owed = self._journals.flush()
        self._trim()
        return Kept(
            owed=owed, gates=frozenset(self._touched), refused=tuple(self._refused), worth_showing=self._showing or bool(owed)
        )

    def _unknown(self, taken: Any) -> Refused | None:
        if self._gate(taken.station) is None:
            reason = f"station {taken.station} is not in the registry"
            return Refused(station="", at=taken.at, kind="unknown_station", reason=reason)
        return None

    def _write(self, taken: Any) -> Refused | None:
        if isinstance(taken, Batch):
            return self._batch(taken)
        if isinstance(taken, Reply):
            return self._reply(taken)
        if isinstance(taken, Birth):
            self._birth(taken)
        elif isinstance(taken, Pulse):
            self._pulse(taken)
        elif isinstance(taken, Photo):
            self._photo(taken)
        return None

    def again(self, station: str, journal: str, line: Line, at: datetime) -> None:
        """Do what a stored event leads to that can be read only now, at `at`."""
        self._follow(station, journal, [line], at)

    def _batch(self, batch: Batch) -> Refused | None:
        fresh, refused = self._journals.keep(batch, self._gate(batch.station))
        self._follow(batch.station, batch.sent.journal, fresh, batch.at)
        return refused

    def _follow(self, station: str, journal: str, fresh: list[Line], at: datetime) -> None:
        gate = self._gate(station)
        said = [known for line in fresh if (known := _evidence(line)) is not None]
        if said:
            evidence.by_event(self._connection, station, said)
        upsert(self._connection, attachments, _attachments(station, fresh))
        for line in fresh:
            if line.event is not None and isinstance(line.event.body, SettingsChanged):
                station_settings.answered(self._connection, station, line.event.body, line.at)
        if gate is not None:
            self._touched.add(gate)
            dated = self._date(station, journal, fresh)
            late.mark(self._connection, gate, [*_late(fresh, at), *dated])
            if dated or any(_body(line, GateShut) for line in fresh):
                self._journals.write()
                closing.refresh(self._connection, gate)
            self._come_home(gate, fresh, at)

    def _come_home(self, gate: str, fresh: list[Line], at: datetime) -> None:
        telling = [line for line in fresh if line.event is not None and tells_of_homecoming(line.event.body)]
        if telling:
            self._journals.write()
            homecoming.take_in(self._connection, gate, telling, at)

    def _date(self, station: str, journal: str, fresh: list[Line]) -> list[datetime]:
        boots = {line.boot for line in fresh if line.clock == Clock.UNSYNCED or _body(line, ClockSynced)}
        if boots:
            self._journals.write()
        dated = [at for boot in boots if (at := dating.redate(self._connection, station, boot)) is not None]
        return dated + dating.bound(self._connection, journal, [line.seq for line in fresh if _is_adrift(line)])

    def _birth(self, birth: Birth) -> None:
        known = self._connection.execute(sa.select(pulses).where(pulses.c.station == birth.station)).mappings().first()
        said = birth.presence
        if not said.online and (known is None or known["birth"] != said.birth):
            return
        heard = birth.at if said.online and not birth.retained else known["heard_at"] if known else None
        row = {"station": birth.station, "birth": said.birth, "online": said.online, "heard_at": heard}
        upsert(self._connection, pulses, [row])
        if said.online:
            self._journals.owe(said.journal, birth.station)
        self._touch(birth.station, showing=True)

    def _pulse(self, pulse: Pulse) -> None:
        row = {"station": pulse.station, "online": True, "heard_at": pulse.at, "vitals": vitals_text(pulse.vitals)}
        upsert(self._connection, pulses, [row])
        evidence.by_pulse(self._connection, pulse.station, pulse.evidence, pulse.at)
        self._touch(pulse.station)

    def _photo(self, photo: Photo) -> None:
        if self._connection.scalar(sa.select(blobs.c.sha).where(blobs.c.sha == photo.sha)) is None:
            row = {"sha": photo.sha, "station": photo.station, "received_at": photo.at, "data": photo.data}
            self._connection.execute(sa.insert(blobs).values(**row))

    def _reply(self, reply: Reply) -> Refused | None:
        """The answer to a command; one to a command that was never given to this station is refused."""
        if orders.answered(self._connection, reply.station, reply.reply, reply.at):
            self._showing = True
            return None
        reason = f"a reply to {reply.reply.id}: no such order"
        return Refused(station=reply.station, at=reply.at, kind="unknown_order", reason=reason)

    def _refuse(self, refused: Refused, received: Received) -> None:
        known = refused.station if self._gate(refused.station) is not None else ""
        self._connection.execute(sa.insert(malformed).values(
            received_at=received.at, station=known, topic=received.topic.replace("\0", "\\0")[:300],
            payload=received.payload[:PAYLOAD_KEPT], reason=refused.reason.replace("\0", "\\0")[:1000],
        ))  # fmt: skip
        self._refused.append(refused)

    def _trim(self) -> None:
        for station in {r.station if self._gate(r.station) is not None else "" for r in self._refused}:
            mine = malformed.c.station == station
            last = sa.select(malformed.c.id).where(mine).order_by(malformed.c.id.desc()).offset(MALFORMED_KEPT).limit(1)
            self._connection.execute(sa.delete(malformed).where(mine, malformed.c.id <= last.scalar_subquery()))

    def _touch(self, station: str, showing: bool = False) -> None:
        gate = self._gate(station)
        if gate is not None:
            self._touched.add(gate)
        self._showing = self._showing or showing

    def _gate(self, station: str) -> str | None:
        if station not in self._gates:
            self._gates[station] = self._connection.scalar(sa.select(stations.c.gate).where(stations.c.id == station))
        return self._gates[station]


def _body(line: Line, *kinds: type) -> bool:
    return line.event is not None and isinstance(line.event.body, kinds)


def _is_adrift(line: Line) -> bool:
    """Whether its time is only what a clock showed that nothing kept in step."""
    return line.event is not None and line.clock == Clock.UNSYNCED and line.anchored_at is None


def _attachments(station: str, lines: list[Line]) -> list[dict[str, Any]]:
    """Which photo belongs to which event; the photo itself comes by itself."""
    said = [(line, line.event.body) for line in lines if line.event is not None]
    made = {
        (body.event, body.photo): {
            "event": body.event, "sha": body.photo, "purpose": body.purpose, "station": station, "at": line.at,
        }
        for line, body in said if isinstance(body, PhotoAttached)
    }  # fmt: skip
    return list(made.values())


def _late(lines: list[Line], received_at: datetime) -> list[datetime]:
    telling = [line for line in lines if _body(line, EvidenceChange, Started, Stopped) and not _is_adrift(line)]
    return [line.at for line in telling if line.at < received_at - _LATE]


def _evidence(line: Line) -> Evidence | None:
    if line.event is None or not isinstance(line.event.body, EvidenceChange) or line.anchored_at is None:
        return None
    said, lifetime = line.event.body.evidence, line.event.body.lifetime_seconds
    return Evidence(
        item=said.item, present=said.present, basis=said.basis, observed_at=line.anchored_at,
        valid_until=None if lifetime is None else shifted(line.anchored_at, lifetime),
        by=said.by, reason=said.reason, photo=said.photo,
    )  # fmt: skip
