"""A stolen card tells nothing: a real station works a shift, and its raw files and all it sent are searched for people.

The search is shown to find them: in a station whose sealing was taken out.
"""

import base64
import itertools
import logging
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import base45
import paho.mqtt.client as mqtt
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import structs
from paho.mqtt.enums import CallbackAPIVersion

import kiosk.app
from contract import directory as parts
from contract import opening, topics
from contract.codec import BadMessage, encode
from contract.directory import (
    Badge,
    Badges,
    Booking,
    Bookings,
    Directory,
    Dwelling,
    Faces,
    Keys,
    PassKey,
    Policies,
    Revocations,
    Roster,
    RosterHolder,
    make_manifest,
    pin_secret,
    split,
)
from contract.events import Direction, Entry, HelpCalled, PhotoAttached, ShiftChange
from contract.messages import Ack, JournalBatch, decode
from contract.opening import opening_key, public_half, seal_parts, unwrap
from contract.passes import PREFIX, Pass, PassKind, issue
from contract.sealing import Personal, Sealed, b64, open_bytes, unseal
from contract.signing import sign
from contract.topics import StationTopic
from hub.broker import Mosquitto
from kiosk import inputs
from kiosk.app import Station
from kiosk.config import load
from kiosk.directory_keeper import load_kept_directory
from kiosk.view import Phase, Snapshot
from tests.conftest import HUB_PASSWORD, LOGINS
from tests.unit.test_settings import STATION

PRIVATE, SEALING = bytes(range(32)), bytes(range(32, 64))
PUBLIC = Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()
SEALS = X25519PrivateKey.from_private_bytes(SEALING).public_key().public_bytes_raw()
NOW = datetime.now(UTC)
CHEAP = partial(PasswordHasher, time_cost=1, memory_cost=32, parallelism=1)
CONTENT, NEXT = bytes(range(64, 96)), bytes(range(96, 128))
PIN, OTHER_PIN = "86420975", "75309186"
NAMES = ["欧阳*甫", "司徒*宁", "夏侯*昭", "上官婉清", "轩辕长风"]
"""A resident's, a volunteer's and another's, masked as the hub keeps them; a visitor's and one from paper, as they were said."""
PHONES = ["13764508219", "15900417362", "18217730954"]
"""A visitor's, one from paper, one in a stray code."""
PLATES = ["沪KD7392", "沪AQ6184", "苏E5Z0M7"]
"""Of a vehicle's pass, of a booking, of one that was typed."""
HOMES = ["88号楼2703", "77号楼1604"]
WORDS = ["冷链送货找老邻居"]
"""A note on a visitor."""
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + bytes(n * 37 % 251 for n in range(4000))
DEADLINE_SECONDS = 20


def token(number: int, kind: PassKind, name: str = "", dwelling: str = "", plate: str = "") -> str:
    claims = Pass(
        id=pass_id(number), issuer="hub", kind=kind, not_before=NOW - timedelta(days=1), expires=NOW + timedelta(days=30),
        compounds=("c1",), name=name, dwelling=dwelling, plate=plate,
    )  # fmt: skip
    return issue(claims, "k1", PRIVATE)


def pass_id(number: int) -> str:
    return number.to_bytes(16, "big").hex()


RESIDENT = token(1, PassKind.RESIDENT, NAMES[0], HOMES[0])
CAR = token(2, PassKind.VEHICLE, dwelling=HOMES[1], plate=PLATES[0])
BADGE, OTHER = token(101, PassKind.VOLUNTEER, NAMES[1]), token(102, PassKind.VOLUNTEER, NAMES[2])
STRAY = f"https://code.example/{PHONES[2]}"


def directory() -> Directory:
    """What the hub has of the compound, with people in it; nothing is sealed yet."""
    holders = tuple(RosterHolder(pass_id=pass_id(n), name=NAMES[n % 3]) for n in (1, 3, 5))
    rooms = tuple(Dwelling(building="88号楼", room=str(2701 + n), holders=holders) for n in range(40))
    booked = Booking(
        id="b1", kind="removal", plate=PLATES[1], crew=2, dwelling=HOMES[1], note=WORDS[0], opens=NOW - timedelta(hours=1),
        closes=NOW + timedelta(hours=5),
    )  # fmt: skip
    return Directory(
        version=7, issued_at=NOW, keys=Keys(passes=(PassKey(kid="k1", public=b64(PUBLIC)),)), policies=Policies(aside_seconds=0),
        badges=Badges(badges=(_badge(101, BADGE, PIN), _badge(102, OTHER, OTHER_PIN))),
        roster=Roster(dwellings=rooms), faces=Faces(faces={pass_id(1): base64.b64encode(JPEG).decode()}),
        bookings=Bookings(bookings=(booked,)),
    )  # fmt: skip


def _badge(number: int, code: str, pin: str) -> Badge:
    return Badge(id=pass_id(number), pin=CHEAP().hash(pin_secret(pin, code)), opens=public_half(opening_key(pin, code)))


def sealed(whole: Directory, key: str = "c-1", content: bytes = CONTENT, gone: tuple[int, ...] = ()) -> Directory:
    """As the hub seals it for its badges, but for those that are gone."""
    members = {one.id: one.opens for one in whole.badges.badges if one.id not in map(pass_id, gone)}
    return seal_parts(whole, "c1", key, content, members)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 without its cost."""
    monkeypatch.setattr(opening, "_PASSES", 1)
    monkeypatch.setattr(opening, "_KIB", 32)


# ---- the station and its hub ----


class Hub:
    """Tells the directory, and keeps all that comes from the station."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.counter, self.acks = 0, itertools.count(1)
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hub", protocol=mqtt.MQTTv5)
        self.client.username_pw_set("hub", HUB_PASSWORD)
        listening = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe("gatepost/v1/station/#", qos=1)
        self.client.on_subscribe = lambda *_: listening.set()
        self.client.on_message = lambda client, _, message: self.take(message.topic, message.payload)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert listening.wait(10)

    def take(self, topic: str, payload: bytes) -> None:
        self.heard.append((topic, payload))
        if topic.endswith("/journal"):
            batch = decode(JournalBatch, payload)
            ack = Ack(journal=batch.journal, store_epoch="e", upto=batch.first_seq + len(batch.events) - 1)
            signed = sign(ack, typ="ack", audience="station:s1", counter=next(self.acks), kid="h1", private=PRIVATE)
            self.client.publish(topics.station("s1", StationTopic.ACK), signed, qos=1)

    def tell(self, whole: Directory) -> None:
        self.counter += 1
        manifest = make_manifest("c1", whole, NOW + timedelta(seconds=self.counter))
        signed = sign(
            manifest, typ="manifest", audience="compound:c1", counter=self.counter, kid="h1", private=PRIVATE
        )  # fmt: skip
        for name, data in (*split(whole).items(), ("manifest", signed)):
            self.client.publish(topics.directory("c1", name), data, qos=1, retain=True)

    def sent(self) -> bytes:
        return b"\n".join(topic.encode() + b" " + payload for topic, payload in list(self.heard))

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@dataclass
class Gate:
    """A station that runs."""

    station: Station
    entries: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def screen(self) -> Snapshot:
        return self.station.snapshot()

    def until(self, what: str, holds: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (found := holds()):
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.screen}"
            time.sleep(0.01)
        return found

    def give(self, *given: Any) -> None:
        for one in given:
            self.station.loop.post(one)

    def show(self, code: str) -> None:
        self.give(inputs.TokenSeen(code, time.monotonic_ns()))

    def bodies(self, kind: type[Any]) -> list[Any]:
        return [event.body for event in self.station.journal.all_events() if isinstance(event.body, kind)]

    def enters(self, *given: Any) -> Entry:
        """What happens, until there is one entry more; whoever is to be measured has 36.5 °C by the gun."""
        self.give(inputs.Cancel(), *given)
        self.until("a decision or the pad", lambda: self.screen.phase is Phase.TYPING or self._is_written())
        while not self._is_written():
            self._measured(self.screen.measured)
        entry: Entry = self.bodies(Entry)[self.entries]
        self.entries = len(self.bodies(Entry))
        return entry

    def _measured(self, before: int) -> None:
        self.give(inputs.TypeTemperature(celsius=36.5, typed_seconds=3.0))
        self.until("the next one", lambda: self.screen.measured > before or self._is_written())

    def _is_written(self) -> bool:
        return len(self.bodies(Entry)) > self.entries

    def sign_in(self, code: str, pin: str) -> None:
        self.show(code)
        self.until("the PIN to be asked", lambda: self.screen.phase is Phase.PIN)
        self.give(inputs.EnterPin(pin=pin))

    def holders(self) -> bytes:
        """What the page is told of the roster."""
        return self.station.roster()


def configured(folder: Path, port: int) -> Path:
    """A station's configuration; its data folder is new, or that of the last run."""
    hub = f'[hub]\nhost = "127.0.0.1"\nport = {port}\npassword = "{LOGINS[0].password}"\nkeys = {{ h1 = "{b64(PUBLIC)}" }}\n'
    place = STATION.partition("[hub]")[0]
    world = folder / "world"
    world.mkdir(exist_ok=True)
    text = (
        f'clock = "trusted"\ndata = "data"\n{place}{hub}sealing_kid = "x1"\nsealing = "{b64(SEALS)}"\n'
        f'[camera]\nsource = "emulated:world"\n[thermometer]\ndriver = "none"\n[voice]\ndevice = "emulated:world"\n'
        f"[screen]\nport = {free_port()}\n"
    )
    path = folder / "kiosk.toml"
    path.write_text(text, encoding="utf-8")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, port: int) -> Iterator[Gate]:
    """A whole station, its log beside its journal."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    handler = logging.FileHandler(data / "kiosk.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    station = Station(load(configured(folder, port)))
    gate = Gate(station, entries=sum(isinstance(event.body, Entry) for event in station.journal.all_events()))
    thread = threading.Thread(target=station.run, args=(gate.stop,))
    thread.start()
    try:
        yield gate
    finally:
        gate.stop.set()
        thread.join(30)
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


def work_a_shift(gate: Gate) -> None:
    """Everything that has to do with somebody, once."""
    gate.until("the directory", lambda: gate.station.loop.snapshot().roster_closed or gate.screen.roster)
    gate.until("the camera", lambda: gate.screen.devices.get("camera"))
    gate.sign_in(BADGE, "00000000")
    gate.until("the PIN to be refused", lambda: gate.screen.error == "wrong_pin")
    gate.give(inputs.EnterPin(pin=PIN))
    gate.until("an open roster", lambda: gate.screen.volunteer and gate.screen.bookings and not gate.screen.roster_closed)
    assert gate.enters(inputs.TokenSeen(RESIDENT, time.monotonic_ns())).pass_id == pass_id(1)
    assert gate.enters(inputs.TokenSeen(CAR, time.monotonic_ns())).pass_id == pass_id(2)
    assert gate.enters(inputs.FindHolder(pass_id=pass_id(3))).found == "list"
    visitor = inputs.Register(
        name=NAMES[3], phone=PHONES[0], origin="江苏", note=WORDS[0], building="77号楼", room="1604", host_confirmed=True
    )
    assert gate.enters(visitor).personal is not None
    gate.enters(inputs.Register(who="traveller", name=NAMES[3], phone=PHONES[0], building="77号楼", room="1604", key_area=True))
    gate.enters(inputs.RegisterVehicle(plate=PLATES[2], building="77号楼", room="1604", host_confirmed=True, boot_checked=True))
    gate.enters(inputs.RegisterVehicle(plate="", booking="b1", people=2, boot_checked=True))
    paper = inputs.KeyIn(
        time="00:01", direction=Direction.IN, who="visitor", name=NAMES[4], phone=PHONES[1], plate=PLATES[2], building="88号楼",
        room="2703", celsius=36.4,
    )  # fmt: skip
    gate.enters(paper)
    gate.enters(inputs.TokenSeen(STRAY, time.monotonic_ns()))
    gate.enters(inputs.Emergency())
    gate.give(inputs.CallHelp())
    gate.until("the photos", lambda: gate.bodies(HelpCalled) and len(gate.bodies(PhotoAttached)) >= 2)


# ---- the search ----


def needles() -> dict[str, bytes]:
    """What must not be found, by what it is."""
    codes = {"resident": RESIDENT, "car": CAR, "badge": BADGE, "other badge": OTHER}
    found = {word: word.encode() for word in (*NAMES, *PHONES, *PLATES, *HOMES, *WORDS, STRAY, PIN)}
    found |= {f"{name}'s code": code.removeprefix(PREFIX)[8:68].encode() for name, code in codes.items()}
    found |= {f"{name}'s signature": base45.b45decode(code.removeprefix(PREFIX))[-48:] for name, code in codes.items()}
    return found | {
        "a face": JPEG[1000:1060],
        "a photo": b"JFIF\0",
        "an opening key": opening_key(PIN, BADGE),
        "the content key": CONTENT,
    }


def spelled(what: bytes) -> Iterator[bytes]:
    """The ways in which it may stand in a file: as it is, as other encodings of text, and in base64 at each of three offsets."""
    yield what
    yield what.hex().encode()
    yield what.hex().upper().encode()
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + what)
        inner = coded[-(-8 * offset // 6) : len(coded) - 4 if (offset + len(what)) % 3 else None]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
    try:
        text = what.decode()
    except UnicodeDecodeError:
        return
    yield from (text.encode(name) for name in ("utf-16-le", "utf-16-be", "gb18030"))
    if not text.isascii():
        escaped = text.encode("unicode-escape")
        yield from (escaped, escaped.upper().replace(rb"\U", rb"\u"))
        yield "".join(f"%{byte:02X}" for byte in what).encode()


def found_in(data: bytes) -> set[str]:
    """What of it is there, in the bytes as they are or in what was deflated among them."""
    everything = [data, *inflated(data)]
    return {name for name, what in needles().items() if any(one in there for one in spelled(what) for there in everything)}


def inflated(data: bytes) -> Iterator[bytes]:
    """What unpacks as zlib or gzip, wherever it begins."""
    for start in (
        at for head in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b\x08") for at in places(data, head)
    ):
        try:
            found = zlib.decompressobj(wbits=47).decompress(data[start:], 1 << 20)
        except zlib.error:
            continue
        if len(found) > 16:
            yield found


def places(data: bytes, head: bytes) -> Iterator[int]:
    at = data.find(head)
    while at >= 0:
        yield at
        at = data.find(head, at + 1)


def on_card(folder: Path) -> bytes:
    """Every byte of every file that the station has written."""
    files = [path for path in sorted((folder / "data").rglob("*")) if path.is_file()]
    names = {path.name for path in files}
    assert {"journal.db", "kiosk.log"} <= names, names
    return b"\n".join(map(content, files))


def content(path: Path) -> bytes:
    """What a file holds; nothing once it is gone, as one is that the voice has just finished."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


@dataclass(frozen=True)
class Shift:
    """What a shift left behind."""

    folder: Path
    while_running: bytes
    afterwards: bytes
    sent: bytes
    heard: list[tuple[str, bytes]]


def shift(folder: Path, broker: Mosquitto, whole: Directory) -> Shift:
    hub = Hub(broker.port)
    hub.tell(whole)
    try:
        with running(folder, broker.port) as gate:
            work_a_shift(gate)
            journal = gate.station.journal
            gate.until("all of it at the hub", lambda: not journal.backlog() and not journal.kept_under("photo:"))
            while_running = on_card(folder)
    finally:
        hub.close()
    return Shift(folder, while_running, on_card(folder), hub.sent(), hub.heard)


# ---- what is there and what is not ----


def test_what_a_shift_leaves_on_the_card_and_sends_tells_nobody_who_it_was(tmp_path: Path, mosquitto: Mosquitto) -> None:
    left = shift(tmp_path, mosquitto, sealed(directory()))
    assert (found_in(left.while_running), found_in(left.afterwards), found_in(left.sent)) == (set(), set(), set())
    assert b"journal.db-wal" not in left.sent
    everything = read_by_the_hub(left.sent)
    assert {NAMES[0], NAMES[3], NAMES[4], PHONES[0], PHONES[1], *PLATES} <= everything, "the hub can read what was sent to it"
    photos = [open_bytes(payload, SEALING) for topic, payload in left.heard if "/blob/" in topic]
    assert photos
    assert all(photo.startswith(b"\xff\xd8\xff") for photo in photos)

    # The power comes back, and there is no network.
    with running(tmp_path, free_port()) as gate:
        gate.until("the directory", lambda: gate.screen.roster_closed)
        assert gate.screen.volunteer is not None, "on duty by the journal"
        assert (b"88" in gate.holders(), gate.station.face(pass_id(1)), gate.screen.bookings) == (False, None, ())
        gate.sign_in(BADGE, "00000000")
        gate.until("the PIN to be refused", lambda: gate.screen.error == "wrong_pin")
        assert (b"88" in gate.holders(), gate.screen.roster_closed) == (False, "roster_closed")
        gate.give(inputs.EnterPin(pin=PIN))
        gate.until("an open roster", lambda: gate.screen.roster)
        assert NAMES[0].encode() in gate.holders()
        assert gate.station.face(pass_id(1)) == JPEG
        assert [one.plate for one in gate.screen.bookings] == [PLATES[1]]
        assert sum(change.on for change in gate.bodies(ShiftChange)) == 1, "the same shift goes on"
        assert found_in(on_card(tmp_path)) == set(), "open in memory alone"
        gate.give(inputs.SignOff())
        gate.until("a closed roster", lambda: gate.screen.roster_closed and b"88" not in gate.holders())
        assert gate.station.face(pass_id(1)) is None


def read_by_the_hub(sent: bytes) -> set[str]:
    """What stands in the sealed fields, with the hub's private key."""
    found: set[str] = set()
    for box in {piece.partition(b'"')[0] for piece in sent.split(b'"box":"')[1:]}:
        opened = unseal(Sealed(key="x1", box=box.decode()), SEALING)
        found |= {value for value in (opened.name, opened.phone, opened.plate) if value}
    return found


def test_a_badge_that_was_revoked_opens_nothing_of_what_came_later(tmp_path: Path, mosquitto: Mosquitto) -> None:
    hub, first = Hub(mosquitto.port), directory()
    later = structs.replace(first, version=8, revocations=Revocations(ids=(pass_id(102),)))
    hub.tell(sealed(first))
    try:
        with running(tmp_path, mosquitto.port) as gate:
            gate.until("the directory", lambda: gate.screen.roster_closed)
            gate.sign_in(OTHER, OTHER_PIN)
            gate.until("an open roster", lambda: gate.screen.roster)
            hub.tell(sealed(later, "c-2", NEXT, gone=(102,)))
            gate.until("the next directory, closed", lambda: gate.screen.roster_closed and not gate.screen.volunteer)
            assert (gate.station.face(pass_id(1)), gate.holders().count(b"88")) == (None, 0)
            gate.show(OTHER)
            gate.until("the badge to be refused", lambda: gate.screen.error == "badge_revoked")
            told = load_kept_directory(gate.station.journal)
            gate.sign_in(BADGE, PIN)
            gate.until("an open roster", lambda: gate.screen.roster)
    finally:
        hub.close()
    assert told is not None
    assert (told.version, told.roster) == (8, Roster())
    had = unwrap(sealed(first).openers, "c1", pass_id(102), opening_key(OTHER_PIN, OTHER))
    with pytest.raises(BadMessage, match="not wrapped for this badge"):
        unwrap(told.openers, "c1", pass_id(102), opening_key(OTHER_PIN, OTHER))
    with pytest.raises(BadMessage, match="does not open"):
        opening.open_parts(told, "c1", had)


# ---- the search finds what is there ----


def unsealed(personal: Personal, key_id: str, public: bytes) -> Sealed:
    """As a station without sealing would write it."""
    return Sealed(key=key_id, box=b64(encode(personal)))


def test_a_station_without_sealing_is_found_out(tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in parts.SEALED.items():
        monkeypatch.setitem(parts.PARTS, name, kind)
        monkeypatch.setitem(parts._decoders, name, parts.decoder(kind))
    monkeypatch.setattr(kiosk.app, "seal", unsealed)
    monkeypatch.setattr(kiosk.app, "seal_bytes", lambda data, public: data)
    left = shift(tmp_path, mosquitto, sealed(directory()))
    roster = {*NAMES[:3], HOMES[1], PLATES[1], WORDS[0], "a face"}
    said = {*NAMES[3:], *PHONES[:2], PLATES[0], PLATES[2]}
    assert roster | said <= found_in(left.afterwards)
    assert {NAMES[0], "a photo"} | said <= found_in(left.sent)


@pytest.mark.parametrize("encode_", [
    str.encode, lambda s: s.encode("utf-16"), lambda s: base64.b64encode(b"xx" + s.encode() + b"yyy"),
    lambda s: base64.urlsafe_b64encode(b"y" + s.encode()), lambda s: zlib.compress(b"{" * 40 + s.encode()),
    lambda s: s.encode("unicode-escape"), lambda s: s.encode().hex().encode(), lambda s: s.encode("gb18030"),
])  # fmt: skip
def test_the_search_finds_a_name_however_it_is_written(encode_: Callable[[str], bytes]) -> None:
    assert NAMES[3] in found_in(b"\0" * 1001 + encode_(NAMES[3]) + b"\0" * 77)
    assert found_in(b"\0" * 1001 + encode_("诸葛长明") + b"\0" * 77) == set()
