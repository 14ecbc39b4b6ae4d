"""The hub's certified and rotated keys as a real station takes them: journal, keeper and downlink over what a broker retains."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from contract import topics
from contract.certifying import GRACE, KeyUse
from contract.codec import Message
from contract.directory import Directory, Keys, MessageKey, PassKey, make_manifest, split
from contract.events import Clock, DeviceChange, HelpCalled, Outcome
from contract.messages import Ack, CommandReply
from contract.sealing import Personal, b64, unb64
from contract.signing import sign
from contract.topics import StationTopic
from hub.config import HubSettings, Located
from hub.registry import directory, key_lives, keys, versions
from hub.signer import Signer
from kiosk.app import Station
from kiosk.config import load as load_station
from kiosk.connection import Arrived, UplinkSettings
from kiosk.directory_keeper import load_kept_directory
from kiosk.downlink import Downlink, Listeners
from kiosk.inputs import DirectoryArrived, Now
from kiosk.journal import Journal
from tests.unit import gate_driver, test_app, test_keys_hub
from tests.unit.test_keys_hub import DAY, NOW, OTHER_ROOT, ROOT, install, public
from tests.unit.test_settings import STATION

made_once, engine, located = test_keys_hub.made_once, test_keys_hub.engine, test_keys_hub.located
HOUR = timedelta(hours=1)


class Hub:
    """What the hub signs, at whatever time."""

    def __init__(self, engine: sa.Engine, located: Located) -> None:
        self.engine, self.located, self._at = engine, located, NOW
        self._signer = Signer(engine, clock_us=lambda: int(self._at.timestamp() * 1e6))

    def sign(self, body: Message, at: datetime, typ: str, audience: str) -> bytes:
        self._at = at
        return self._signer.sign(body, typ=typ, audience=audience)

    def directory(self, at: datetime, changed: Callable[[Keys], Keys] = lambda known: known) -> Directory:
        """The directory of today, its keys as they are or otherwise."""
        with self.engine.begin() as conn:
            versions.bump(conn, "hm")
            built = directory.build(conn, self.located, "hm", at)
        return msgspec.structs.replace(built, keys=changed(built.keys))

    def current(self, use: KeyUse, at: datetime = NOW) -> keys.Key:
        with self.engine.connect() as conn:
            return keys.current(conn, use, at)

    def rotate(self, use: KeyUse, at: datetime) -> keys.Key:
        """As far as a key that is certified, where keys are, and waits for the stations to be told."""
        with self.engine.begin() as conn:
            made = key_lives.rotate(conn, use, at)
            if self.located.roots:
                install(conn, self.located, at)
            return made

    def published(self, at: datetime) -> None:
        with self.engine.begin() as conn:
            key_lives.published(conn, key_lives.waiting_for_stations(conn), at, DAY)

    def retire(self, kid: str, at: datetime) -> None:
        with self.engine.begin() as conn:
            key_lives.retire(conn, kid, at, DAY)


class Gate:
    """A station that was set up with the keys of today; its clock stands where it is put."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.hub, self.now, self.synced = hub, NOW, True
        self.journal = Journal(folder, boot="b", clock=lambda: (self.now, Clock.SYNCED, 0))
        self.journal.append(HelpCalled())
        with hub.engine.connect() as conn:
            told = keys.public_keys(conn).messages
        self._settings = UplinkSettings(
            "s1", "hm", "127.0.0.1", 1, "s1", "x", hub_keys={key.kid: unb64(key.public) for key in told},
            hub_certificates={key.kid: key.certificate for key in told}, roots=hub.located.roots,
        )  # fmt: skip
        self.directories: list[Directory] = []
        self.wrong: list[tuple[str, ...]] = []
        self.start()

    def start(self) -> None:
        """Start, or start again: all that was in memory is gone."""
        answered = lambda command: CommandReply(id=command.id, ok=True)  # noqa: E731
        listeners = Listeners(self.directories.append, lambda _: None, answered, lambda _: None, self.wrong.append)
        clock = lambda: Now(utc=self.now, mono_ns=0, synced=self.synced)  # noqa: E731
        self.downlink = Downlink(self.journal, self._settings, listeners, answer=lambda _: None, clock=clock)

    def give(self, channel: str, payload: bytes) -> None:
        self.downlink.take(Arrived(topics.directory("hm", channel), payload))

    def hears(self, at: datetime, changed: Callable[[Keys], Keys] = lambda known: known, *, manifest_first: bool = False) -> bool:
        """The directory as the hub publishes it; whether it came into force."""
        built, before = self.hub.directory(at, changed), len(self.directories)
        parts = list(split(built).items())
        signed = ("manifest", self.hub.sign(make_manifest("hm", built, at), at, "manifest", "compound:hm"))
        for channel, data in [signed, *parts] if manifest_first else [*parts, signed]:
            self.give(channel, data)
        return len(self.directories) > before

    def believes(self, ack: bytes) -> bool:
        """Whether an acknowledgement counts."""
        before = self.journal.kept("counter:ack")
        self.downlink.take(Arrived(topics.station("s1", StationTopic.ACK), ack))
        return self.journal.kept("counter:ack") != before

    def is_acknowledged(self, at: datetime) -> bool:
        ack = Ack(journal=self.journal.id, store_epoch="e", upto=self.journal.last_seq)
        return self.believes(self.hub.sign(ack, at, "ack", "station:s1"))

    def pass_keys(self) -> set[str]:
        return {key.kid for key in self.directories[-1].keys.passes if key.public}


@pytest.fixture
def hub(engine: sa.Engine, located: Located) -> Hub:
    """A hub whose keys are certified."""
    with engine.begin() as conn:
        install(conn, located)
    return Hub(engine, located)


@pytest.fixture
def gate(hub: Hub, tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "gate", hub)
    yield made
    made.journal.close()


@pytest.fixture
def plain_gate(engine: sa.Engine, tmp_path: Path) -> Iterator[Gate]:
    """A station that trusts no root, of a hub that has none."""
    made = Gate(tmp_path / "plain", Hub(engine, Located(HubSettings(), tmp_path)))
    yield made
    made.journal.close()


@pytest.mark.parametrize("kind", ["gate", "plain_gate"])
def test_a_message_key_is_rotated_without_new_station_files(kind: str, request: pytest.FixtureRequest) -> None:
    gate: Gate = request.getfixturevalue(kind)
    old = gate.hub.current(KeyUse.MESSAGES)
    assert gate.hears(NOW)
    new = gate.hub.rotate(KeyUse.MESSAGES, NOW)
    assert gate.hears(NOW + HOUR)  # still signed with the old key, and it names the new one
    gate.hub.published(NOW + HOUR)
    gate.start()
    later = gate.now = NOW + 2 * DAY
    assert gate.hub.current(KeyUse.MESSAGES, later).kid == new.kid
    assert gate.is_acknowledged(later)
    assert gate.hears(later)
    gate.hub.retire(old.kid, later + DAY)
    assert gate.hears(later + DAY)
    assert [key.kid for key in gate.directories[-1].keys.messages] == [new.kid]
    assert not [wrong for wrong in gate.wrong if wrong]


@pytest.mark.parametrize("manifest_first", [False, True])
def test_a_station_that_slept_through_a_rotation_learns_the_key_from_its_certificate(gate: Gate, manifest_first: bool) -> None:
    """In whatever order a broker gives what it retains."""
    assert gate.hears(NOW)
    old, new = gate.hub.current(KeyUse.MESSAGES), gate.hub.rotate(KeyUse.MESSAGES, NOW)
    gate.hub.published(NOW)
    late = gate.now = NOW + 40 * DAY
    gate.hub.retire(old.kid, late)
    assert not gate.is_acknowledged(late)
    assert gate.hears(late, manifest_first=manifest_first)
    assert gate.is_acknowledged(late)
    assert [key.kid for key in gate.directories[-1].keys.messages] == [new.kid]


def test_one_that_trusts_no_root_and_slept_through_it_needs_a_new_file(plain_gate: Gate) -> None:
    assert plain_gate.hears(NOW)
    with plain_gate.hub.engine.begin() as conn:
        key_lives.rotate(conn, KeyUse.MESSAGES, NOW, at_once=True)
    assert not plain_gate.hears(NOW + DAY, manifest_first=True)


def test_a_retired_key_is_not_taken_back_for_its_old_certificate(gate: Gate) -> None:
    stolen = gate.hub.current(KeyUse.MESSAGES)
    gate.hub.rotate(KeyUse.MESSAGES, NOW + HOUR)
    gate.hub.published(NOW + HOUR)
    later = gate.now = NOW + 3 * DAY
    gate.hub.retire(stolen.kid, later)
    assert gate.hears(later)
    shown = Keys(messages=(MessageKey(kid=stolen.kid, public=b64(stolen.public), certificate=stolen.certificate),))
    gate.give("keys", split(Directory(keys=shown))["keys"])
    ack = Ack(journal=gate.journal.id, store_epoch="e", upto=1)
    forged = sign(ack, typ="ack", audience="station:s1", counter=2**60, kid=stolen.kid, private=stolen.private)
    assert not gate.believes(forged)
    assert gate.is_acknowledged(later)


def test_what_anybody_may_publish_teaches_no_key_without_a_certificate(gate: Gate) -> None:
    assert gate.hears(NOW)
    mine = Keys(messages=(MessageKey(kid="mx", public=b64(public(OTHER_ROOT))),))
    gate.give("keys", split(Directory(keys=mine))["keys"])
    gate.give("keys", b"\x00 no JSON")
    ack = Ack(journal=gate.journal.id, store_epoch="e", upto=1)
    assert not gate.believes(sign(ack, typ="ack", audience="station:s1", counter=2**60, kid="mx", private=OTHER_ROOT))


def test_a_hub_whose_keys_are_not_certified_is_not_believed_and_the_station_says_why(
    engine: sa.Engine, located: Located, tmp_path: Path
) -> None:
    gate = Gate(tmp_path / "gate", Hub(engine, located))
    gate.downlink.report_keys()
    assert not gate.hears(NOW)
    ((said,),) = gate.wrong
    assert said == f"message key {gate.hub.current(KeyUse.MESSAGES).kid} is kept out: it has no certificate"
    gate.journal.close()


def with_stranger(known: Keys) -> Keys:
    return msgspec.structs.replace(known, passes=(*known.passes, PassKey(kid="px", public=b64(public(OTHER_ROOT)))))


def with_message_key_for_passes(known: Keys) -> Keys:
    """A message key stolen from the hub signs no passes."""
    one = known.messages[0]
    return msgspec.structs.replace(known, passes=(PassKey(kid=one.kid, public=one.public, certificate=one.certificate),))


def with_other_sealing_key(known: Keys) -> Keys:
    return msgspec.structs.replace(known, sealing_kid="sx", sealing=b64(bytes(32)))


def with_damaged_key(known: Keys) -> Keys:
    return msgspec.structs.replace(known, passes=(msgspec.structs.replace(known.passes[0], public="!"),))


@pytest.mark.parametrize(
    ("changed", "said", "passes", "seals"),
    [
        (with_stranger, "pass key px is kept out: it has no certificate", 1, True),
        (with_message_key_for_passes, "its certificate is for messages, not for passes", 0, True),
        (with_other_sealing_key, "sealing key sx is kept out: its certificate is of another key", 1, False),
        (with_damaged_key, "is kept out: it is not base64url", 0, True),
    ],
)
def test_a_key_without_a_certificate_for_its_use_is_kept_out_and_the_others_count(
    gate: Gate, changed: Callable[[Keys], Keys], said: str, passes: int, seals: bool
) -> None:
    assert gate.hears(NOW, changed)
    assert (len(gate.pass_keys()), bool(gate.directories[-1].keys.sealing)) == (passes, seals)
    (wrong,) = gate.wrong[-1]
    assert said in wrong
    assert gate.directories[-1] == load_kept_directory(gate.journal, (public(ROOT),))  # the same after a restart
    assert gate.hears(NOW)
    assert gate.wrong[-1] == ()


def test_a_station_without_roots_takes_what_the_directory_says(plain_gate: Gate) -> None:
    assert plain_gate.hears(NOW, with_stranger)
    assert "px" in plain_gate.pass_keys()
    assert plain_gate.wrong == []


def test_a_station_cut_off_for_years_goes_on_with_the_pass_keys_it_has(gate: Gate) -> None:
    """Ended certificates lock nobody out: they are held against the time at which the directory was issued."""
    assert gate.hears(NOW)
    known = gate.pass_keys()
    assert known
    gate.now = NOW + 900 * DAY
    gate.start()
    kept = load_kept_directory(gate.journal, (public(ROOT),))
    assert kept is not None
    assert {key.kid for key in kept.keys.passes if key.public} == known


def test_ended_certificates_are_complained_of_before_anything_is_kept_out(gate: Gate, located: Located) -> None:
    assert gate.hears(NOW)
    known = gate.pass_keys()
    ended = gate.now = NOW + 401 * DAY
    assert gate.hears(ended)
    assert gate.pass_keys() == known
    assert len(gate.wrong[-1]) == 3
    assert all("its certificate ended" in said and said.endswith("renew it") for said in gate.wrong[-1])
    over = gate.now = NOW + 401 * DAY + GRACE
    assert not gate.hears(over)  # the hub is not listened to any more, and what is known stays in force
    assert gate.pass_keys() == known
    assert any("message key" in said and "is kept out" in said for said in gate.wrong[-1])
    with gate.hub.engine.begin() as conn:
        install(conn, located, over)
    assert gate.hears(over)  # renewed at the hub; nobody has been at the station
    assert gate.wrong[-1] == ()


def test_a_clock_that_is_not_in_step_ends_no_certificate_and_begins_none_too_late(gate: Gate) -> None:
    assert gate.hears(NOW)
    gate.now, gate.synced = NOW + 9000 * DAY, False
    assert gate.hears(NOW + HOUR)
    gate.now = NOW - 9000 * DAY
    assert gate.hears(NOW + 2 * HOUR)


@pytest.mark.parametrize(
    ("listed", "outcome"),
    [((PassKey(kid="k1", public=""),), Outcome.REFER), ((PassKey(kid="k2", public=b64(bytes(32))),), Outcome.REFUSE)],
)
def test_a_pass_by_a_key_that_is_kept_out_is_the_volunteers_to_decide(listed: tuple[PassKey, ...], outcome: Outcome) -> None:
    gate = gate_driver.Gate()
    gate.give(DirectoryArrived(msgspec.structs.replace(gate_driver.DIRECTORY, version=8, keys=Keys(passes=listed))))
    shown = gate.show(gate_driver.RESIDENTS[0])
    assert (shown.reasons, shown.outcome) == (("unknown_key",), outcome)


def test_a_supervisor_sees_why_and_what_is_sealed_stays_sealed_to_the_old_key(hub: Hub, tmp_path: Path) -> None:
    """Through the whole station's wiring: a device called `keys`, in the journal and the vitals."""
    (tmp_path / "world").mkdir()
    path, message = tmp_path / "kiosk.toml", hub.current(KeyUse.MESSAGES)
    text = STATION.replace('"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"\n', f'"{test_app.SEALING}"\n')
    roots = f'roots = ["{b64(public(ROOT))}"]\n[hub.certificates]\nh1 = "{message.certificate}"\n'
    path.write_text('clock = "trusted"\n' + text + roots + test_app.DEVICES, encoding="utf-8")
    station = Station(load_station(path))
    sealed_to = station._seal(Personal(event="e")).key
    station._directory_came(Directory(version=1, issued_at=NOW, keys=Keys(sealing_kid="", sealing="")))
    assert station._seal(Personal(event="e")).key == sealed_to == "x1"
    station.loop.start()
    station._keys_doubted(("pass key p1 is kept out: it has no certificate",))
    station.loop.wait(0, 5)
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while "keys" not in station.snapshot().devices and datetime.now(UTC) < deadline:
        station.loop.wait(station.snapshot().n, 1)
    pulse = {one.device: one for one in station.loop.vitals().devices}["keys"]
    station.loop.close()
    told = [one.body for one in station.journal.all_events() if isinstance(one.body, DeviceChange) and one.body.device == "keys"]
    station.journal.close()
    assert (pulse.ok, pulse.detail) == (False, "pass key p1 is kept out: it has no certificate")
    assert [one.ok for one in told] == [False]
