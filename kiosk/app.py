"""The only wiring: makes the parts of a station, joins them, and runs them until told to stop."""

import base64
import hashlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from contract.directory import Directory, pin_secret
from contract.events import Direction, Site, Stopped
from contract.messages import INSTALLED, Command, CommandName, CommandReply
from contract.sealing import Personal, Sealed, seal, seal_bytes, unb64
from kiosk.at_rest import clear_plain
from kiosk.clock import StationClock, boot_id
from kiosk.config import Located, Thermometer
from kiosk.credentials import Credentials, credentials_of
from kiosk.drivers.base import SelfTest
from kiosk.equipment import Equipment
from kiosk.inputs import (
    AnyTouch,
    BarrierAsked,
    CheckPin,
    ConfigArrived,
    DeviceReport,
    DirectoryArrived,
    IdentifyAsked,
    LinkChanged,
    MovementsArrived,
)
from kiosk.journal import Journal, JournalUnavailable
from kiosk.loop import Loop
from kiosk.roster import roster_json
from kiosk.roster_keeper import RosterKeeper
from kiosk.rules.temperature import TemperatureRule
from kiosk.state import Setup
from kiosk.uplink import Uplink, UplinkSettings, load_kept_directory
from kiosk.view import Phase, Snapshot
from kiosk.watchdog import Watchdog
from kiosk.web import create_app, serve

log = logging.getLogger(__name__)
SOFTWARE = f"gatepost {version('gatepost')}"
LINK_SECONDS = 0.5
PURGE_SECONDS = 3600.0
RETENTION = timedelta(days=14)
"""How long a station keeps what the hub has acknowledged; what it hasn't is kept for ever."""


class Station:
    """A whole station; also what its page sees of it (`kiosk.web.StationPort`)."""

    def __init__(self, located: Located) -> None:
        self.located, self._clock = located, StationClock(trusted=located.settings.clock == "trusted")
        self._sealing = (located.settings.hub.sealing_kid, unb64(located.settings.hub.sealing))
        self._pins, self._stop = PasswordHasher(), threading.Event()
        self._credentials = credentials_of(located)
        self._setup = _setup(located)
        self.journal = Journal(located.data, boot=boot_id(), clock=self._clock.journal_now)
        clear_plain(self.journal)
        self._roster = RosterKeeper(located.settings.place.compound, lambda known: self.loop.post(DirectoryArrived(known)))
        self.loop = Loop(
            self._setup, self.journal, seal=self._seal, check_pin=self._pin_is_right, take_photo=self._take_photo,
            say=self._say, raise_barrier=lambda: self.equipment.raise_barrier(), self_test=self._test_devices,
            shut_down=_shut_down, on_committed=self._committed, clock=self._clock.now, roster=self._roster,
        )  # fmt: skip
        self.equipment = Equipment(located, self.loop.post, self.journal.probe)
        self.uplink = Uplink(
            self.journal, _uplink_settings(located, self._credentials), vitals=self.loop.vitals,
            on_directory=self._directory_came, on_movements=lambda movements: self.loop.post(MovementsArrived(movements)),
            on_command=self._answer,
            on_config=lambda config: self.loop.post(ConfigArrived(config)), on_keys=self._keys_doubted, clock=self._clock.now,
            software=SOFTWARE,
        )  # fmt: skip

    def snapshot(self) -> Snapshot:
        """What the screen shows."""
        return self.loop.snapshot()

    def wait(self, n: int, timeout: float) -> Snapshot:
        """The first snapshot newer than `n`, or the newest after `timeout` seconds."""
        return self.loop.wait(n, timeout)

    def post(self, touch: AnyTouch) -> None:
        """A touch on the screen."""
        self.loop.post(touch)

    def picture(self) -> bytes | None:
        """What the camera sees, as JPEG."""
        return self.equipment.picture()

    def roster(self) -> bytes:
        """Who lives where, as JSON; nobody while the roster is closed."""
        return roster_json(self._roster.directory)

    def face(self, pass_id: str) -> bytes | None:
        """A holder's photo as JPEG; None when the directory has none that can be read, or it is closed."""
        known = self._roster.directory
        found = known.faces.faces.get(pass_id) if known else None
        try:
            return None if found is None else base64.b64decode(found, validate=True)
        except ValueError:
            return None

    def run(self, stop: threading.Event) -> None:
        """Guard the gate until `stop` is set."""
        self._stop = stop
        kept = load_kept_directory(self.journal, self.located.roots)
        screen = self.located.settings.screen
        with ExitStack() as stack:
            stack.callback(self.journal.close)
            stack.callback(self._say_goodbye)
            self.loop.start()
            stack.callback(self.loop.close)
            if kept is not None:
                self._directory_came(kept)
            self.uplink.start()
            stack.callback(self.uplink.close)
            self.equipment.start(self.loop.wait)
            stack.callback(self.equipment.close)
            stack.callback(serve(create_app(self), screen.host, screen.port).close)
            stack.enter_context(Watchdog(lambda: self.loop.turns))
            log.info("guarding %s; screen at http://%s:%d/", self.located.settings.place.gate_name, screen.host, screen.port)
            purged_ns = 0
            while not stop.wait(LINK_SECONDS):
                self._tell_link()
                if time.monotonic_ns() - purged_ns > PURGE_SECONDS * 1e9:
                    purged_ns = time.monotonic_ns()
                    self._purge()

    def _tell_link(self) -> None:
        link = self.uplink.link
        try:
            backlog = self.journal.backlog()
        except JournalUnavailable:
            return  # the journal's own probe says so
        self.loop.post(LinkChanged(link.connected, link.detail, backlog))

    def _purge(self) -> None:
        """Forget what the hub has acknowledged and the retention is over for; only by a clock that can be trusted."""
        now = self._clock.now()
        if now.synced:
            try:
                self.journal.purge(now.utc - RETENTION)
            except JournalUnavailable as error:
                log.warning("nothing purged: %s", error)

    def _say_goodbye(self) -> None:
        try:
            self.journal.append(Stopped(reason="asked to"))
        except JournalUnavailable:
            log.exception("the journal could not take the last event")

    def _committed(self) -> None:
        self.uplink.notify()

    def _directory_came(self, directory: Directory) -> None:
        if directory.keys.sealing:
            self._sealing = (directory.keys.sealing_kid, unb64(directory.keys.sealing))
        self._roster.take(directory)

    def _keys_doubted(self, complaints: tuple[str, ...]) -> None:
        """The hub's keys are shown and journalled like a device, so that a supervisor sees which certificate is to be mended."""
        self.loop.post(DeviceReport("keys", not complaints, "; ".join(complaints)[:500]))

    def _seal(self, personal: Personal) -> Sealed:
        return seal(personal, *self._sealing)

    def _pin_is_right(self, asked: CheckPin) -> bool:
        secret = asked.pin if asked.token is None else pin_secret(asked.pin, asked.token)
        try:
            return self._pins.verify(asked.pin_hash, secret)
        except (VerificationError, InvalidHashError):
            return False

    def _take_photo(self, _purpose: str) -> str | None:
        picture = self.equipment.picture(width=1280)
        if picture is None:
            return None
        sealed = seal_bytes(picture, self._sealing[1])
        sha = hashlib.sha256(sealed).hexdigest()
        try:
            self.uplink.send_photo(sha, sealed)
        except JournalUnavailable as error:
            log.warning("no photo kept: %s", error)
            return None
        return sha

    def _say(self, sentence: str) -> None:
        shown = self.snapshot()
        self.equipment.say(sentence, shown.language, shown.loudness)

    def _test_devices(self) -> tuple[SelfTest, ...]:
        """What each device says of itself; of those that can't be asked, what they last reported."""
        problem, shown = self.journal.probe(), self.snapshot()
        tested = (*self.equipment.selftest(), SelfTest("journal", problem is None, problem or "takes a write"))
        others = shown.devices.keys() - {test.device for test in tested}
        return (*tested, *(SelfTest(name, shown.devices[name], shown.device_details[name]) for name in sorted(others)))

    def _answer(self, command: Command) -> CommandReply:
        """What the hub asks for; on a thread of its own."""
        ok, detail = self._obey(command)
        return CommandReply(id=command.id, ok=ok, detail=detail[:500])

    def _obey(self, command: Command) -> tuple[bool, str]:
        match command.name:
            case CommandName.SELFTEST:
                failed = [f"{test.device}: {test.detail}" for test in self._test_devices() if not test.ok]
                return not failed, "; ".join(failed) or "all devices answer"
            case CommandName.IDENTIFY:
                return self._identify()
            case CommandName.SNAPSHOT:
                sha = self._take_photo("snapshot")
                return sha is not None, sha or "the camera gives no picture"
            case CommandName.OPEN_BARRIER:
                return self._open_barrier()
            case CommandName.RESTART:
                self._after_answer(self._stop.set)
                return True, "restarting"
            case CommandName.RENEW | CommandName.INSTALL:
                return self._renew(command)

    def _identify(self) -> tuple[bool, str]:
        if self.snapshot().phase is not Phase.WAITING:
            return False, "somebody is at hand: ask again in a moment"
        self.loop.post(IdentifyAsked())
        return True, "shown and said"

    def _open_barrier(self) -> tuple[bool, str]:
        if not self._setup.barrier:
            return False, "there is no barrier here"
        if self.snapshot().volunteer is None:
            return False, "no volunteer is signed in here"
        self.loop.post(BarrierAsked())
        return True, "asked"

    def _renew(self, command: Command) -> tuple[bool, str]:
        """A new key pair, or the certificate for it."""
        if self._credentials is None:
            return False, "this station has no certificate: its hub lets it in by its password"
        ok, answer = self._credentials.obey(command)
        if ok and answer == INSTALLED:
            self._after_answer(lambda: self.uplink.connect_anew("connecting with a new certificate"))
        return ok, answer

    def _after_answer(self, then: Callable[[], None]) -> None:
        """Do what ends the process, which systemd starts again, or the connection: once the answer has been handed over."""
        answering = threading.current_thread()

        def wait() -> None:
            answering.join()
            then()

        threading.Thread(target=wait, name="after-answer", daemon=True).start()


def _shut_down() -> None:
    """Ask systemd for it (gatepost-shutdown.path), which alone may. RUNTIME_DIRECTORY is systemd's, see systemd.exec(5)."""
    folder = os.environ.get("RUNTIME_DIRECTORY")
    if not folder:
        raise RuntimeError("the machine is not shut down: this station was not started by systemd")
    Path(folder.partition(":")[0], "shutdown").touch()


def run_station(located: Located) -> None:
    """Run a station until SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    Station(located).run(stop)


def _setup(located: Located) -> Setup:
    settings, place = located.settings, located.settings.place
    return Setup(
        station=place.station, gate=place.gate, gate_name=place.gate_name, compound=place.compound,
        compound_name=place.compound_name, lane=place.lane,
        direction=None if place.direction == "both" else Direction(place.direction), timezone=located.zone,
        language=settings.screen.language,
        thermometer=None if settings.thermometer.driver == "none" else settings.thermometer.driver,
        site=Site(settings.thermometer.site), calibration_due=settings.thermometer.calibration_due,
        settings_pin=settings.screen.settings_pin, brightness=settings.screen.brightness,
        loudness=settings.voice.day, night_loudness=settings.voice.night,
        barrier=settings.gpio.barrier is not None, presence=bool({settings.gpio.motion, settings.gpio.distance_echo} - {None}),
        temperature=_temperature(settings.thermometer), software=SOFTWARE,
    )  # fmt: skip


def _temperature(settings: Thermometer) -> TemperatureRule:
    return TemperatureRule(
        offset_celsius=settings.offset_celsius, box_heat_celsius=settings.box_heat_celsius, site=Site(settings.site)
    )


def _uplink_settings(located: Located, credentials: Credentials | None) -> UplinkSettings:
    hub, place = located.settings.hub, located.settings.place
    return UplinkSettings(
        station=place.station, compound=place.compound, host=hub.host, port=hub.port, username=place.station,
        password=hub.password, ca_file=located.folder / hub.ca_file if hub.ca_file else None, hub_keys=located.hub_keys,
        credentials=credentials, hub_certificates=hub.certificates, roots=located.roots,
    )  # fmt: skip
