"""A gate for tests: the reducer with a journal that is a list, a clock that is set, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import structs

from contract.directory import Badge, Badges, DayCode, DayCodes, Directory, Keys, PassKey
from contract.events import Body, Clock, Entry, Event
from contract.opening import closed
from contract.passes import Pass, PassKind, issue
from contract.sealing import b64
from kiosk.drivers.base import Fault, FaultKind, Measurement
from kiosk.inputs import (
    CheckPin,
    CloseRoster,
    CommitFailed,
    Committed,
    DeviceReport,
    DirectoryArrived,
    Effect,
    EnterPin,
    Input,
    Measured,
    Now,
    OpenRoster,
    PhotoTaken,
    PinChecked,
    RaiseBarrier,
    Record,
    RunSelfTest,
    Say,
    ShutDown,
    TakePhoto,
    Tick,
    TokenSeen,
)
from kiosk.lasting import boot_events, replay
from kiosk.screen import snapshot
from kiosk.setup import Setup
from kiosk.state import State, begin, time_of
from kiosk.station import reduce
from kiosk.view import Snapshot

START = datetime(2026, 3, 2, 7, 40, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
B = TypeVar("B")
PRIVATE = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()
SETUP = Setup(
    station="s1", gate="g1", gate_name="东门", compound="c1", compound_name="和平苑", timezone=ZoneInfo("Asia/Shanghai"),
    thermometer="mlx90614", built_at=datetime(2026, 2, 1, tzinfo=UTC), software="test",
)  # fmt: skip
NORMAL, FEVER, LOW, NOBODY = 34.0, 36.5, 31.5, 24.1
AMBIENT = 24.0


def pass_id(number: int) -> str:
    return number.to_bytes(16, "big").hex()


def token(number: int, kind: PassKind = PassKind.RESIDENT, days: float = 30, compound: str = "c1", key: bytes = PRIVATE) -> str:
    claims = Pass(
        id=pass_id(number), issuer="hub", kind=kind, not_before=START - timedelta(days=1), expires=START + timedelta(days=days),
        compounds=(compound,), name="王*明", dwelling="3号501",
    )  # fmt: skip
    return issue(claims, "k1", key)


RESIDENTS = [token(n) for n in range(1, 4)]
BADGES = [token(n, PassKind.VOLUNTEER) for n in (101, 102)]
DIRECTORY = Directory(
    version=7,
    issued_at=START - timedelta(hours=1),
    keys=Keys(passes=(PassKey(kid="k1", public=b64(PUBLIC)),)),
    badges=Badges(badges=(Badge(id=pass_id(101), pin="1234"), Badge(id=pass_id(102), pin="5678"))),
    codes=DayCodes(
        codes=(
            DayCode(gate="g1", day="2026-03-02", desk="desk-today", register="book-today"),
            DayCode(gate="g1", day="2026-03-01", desk="desk-yesterday", register="book-yesterday"),
        )
    ),
)


class Gate:
    """Feeds the reducer, commits its records into a list of events, and keeps what was said."""

    def __init__(self, setup: Setup = SETUP, directory: Directory | None = DIRECTORY, synced: bool = True) -> None:
        self.setup, self.events, self.said = setup, list[Event](), list[str]()
        self.broken, self.boot = False, 0
        self.photo: str | None = "ab" * 32
        self.taken, self.raised, self.tests, self.shut_downs = list[TakePhoto](), 0, 0, 0
        self.whole, self.key = Directory(), ""
        """What came, open as if it had never been sealed; and the badge that has opened it, as `RosterKeeper` keeps it."""
        self.now = Now(START, 10**12, synced)
        self.start()
        if directory is not None:
            self.give(DirectoryArrived(directory))

    def start(self) -> None:
        """Start, or start again: all that was in memory is gone."""
        self.boot += 1
        self.key = ""
        lasting = replay(self.events)
        self.state: State = begin(self.setup, lasting, self.now)
        self._do((Record(boot_events(lasting, time_of(self.state, self.now), self.now.synced, "test")),))

    def give(self, *inputs: Input) -> Snapshot:
        for one in inputs:
            if isinstance(one, DirectoryArrived):
                self.whole, one = one.directory, DirectoryArrived(self.opened(one.directory))
            self.state, effects = reduce(self.state, one, self.now, self.setup)
            self._do(effects)
        return self.screen

    def pass_time(self, seconds: float) -> None:
        """Set the clocks forward; nothing runs."""
        step = timedelta(seconds=seconds)
        self.now = replace(self.now, utc=self.now.utc + step, mono_ns=self.now.mono_ns + round(seconds * 1e9))

    def wait(self, seconds: float) -> Snapshot:
        """Let time pass, then tick."""
        self.pass_time(seconds)
        return self.give(Tick())

    def show(self, text: str) -> Snapshot:
        return self.give(TokenSeen(text, self.now.mono_ns))

    def feel(self, skin: float | None, times: int = 3) -> Snapshot:
        """Samples, a fifth of a second apart; None: the thermometer fails."""
        for _ in range(times):
            self.wait(0.2)
            at = self.now.mono_ns
            fault = Fault(FaultKind.NO_ANSWER, "no answer", at)
            self.give(Measured(fault if skin is None else Measurement(skin, AMBIENT, at)))
        return self.screen

    def sign_in(self, badge: int = 0) -> Snapshot:
        self.show(BADGES[badge])
        return self.give(EnterPin(pin=("1234", "5678")[badge]))

    def equip(self) -> Snapshot:
        """All devices answer."""
        self.give(*(DeviceReport(device, True, "") for device in ("journal", "camera", "scanner")))
        return self.feel(NOBODY, 1)

    def opened(self, directory: Directory) -> Directory:
        """What of it is open now. One without wraps was never sealed: it is open for whoever signs in."""
        is_open = self.key and (not directory.openers.key or self.key in directory.openers.wraps)
        return structs.replace(directory, opened=True) if is_open else closed(directory)

    @property
    def screen(self) -> Snapshot:
        return snapshot(self.state, self.now, self.setup)

    @property
    def entries(self) -> list[tuple[str, ...]]:
        """(outcome, reasons…) of each entry."""
        return [(entry.outcome.value, *entry.reasons) for entry in self.bodies(Entry)]

    def bodies(self, kind: type[B]) -> list[B]:
        """The bodies of one kind that were committed."""
        return [event.body for event in self.events if isinstance(event.body, kind)]

    def item(self, name: str) -> tuple[bool, str | None, str | None]:
        """(present, basis, reason) of one of the five."""
        view = next(item for item in self.screen.items if item.item == name)
        return view.present, view.basis, view.reason

    def _do(self, effects: tuple[Effect, ...]) -> None:
        failed = False
        for effect in effects:
            if isinstance(effect, Record):
                failed = failed or self.broken
                self.give(CommitFailed("disk_full", effect.bodies, effect.personal) if failed else self._commit(effect.bodies))
            elif isinstance(effect, CheckPin):
                self.give(PinChecked(effect.badge, effect.pin == effect.pin_hash, b"key"))
            elif isinstance(effect, OpenRoster | CloseRoster):
                self.key = effect.badge if isinstance(effect, OpenRoster) else ""
                self.give(DirectoryArrived(self.whole))
            elif isinstance(effect, TakePhoto):
                self.taken.append(effect)
                self.give(PhotoTaken(effect.purpose, self.photo, effect.about))
            elif isinstance(effect, RaiseBarrier):
                self.raised += 1
            elif isinstance(effect, RunSelfTest):
                self.tests += 1
            elif isinstance(effect, ShutDown):
                self.shut_downs += 1
            elif isinstance(effect, Say):
                self.said.append(effect.sentence)

    def _commit(self, bodies: tuple[Body, ...]) -> Committed:
        clock = Clock.SYNCED if self.now.synced else Clock.UNSYNCED
        first = len(self.events) + 1
        new = tuple(
            Event(seq=n, id=f"e{n}", at=self.now.utc, boot=f"b{self.boot}", mono_ns=self.now.mono_ns, clock=clock, body=body)
            for n, body in enumerate(bodies, first)
        )
        self.events += new
        return Committed(new)
