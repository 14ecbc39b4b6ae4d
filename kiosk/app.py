"""The only wiring: makes the parts of a station, joins them, and runs them until told to stop."""

import hashlib
import logging
import signal
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from importlib.metadata import version

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from contract.directory import Directory, pin_secret
from contract.events import Direction, Stopped
from contract.messages import Command, CommandName, CommandReply, Config
from contract.sealing import Personal, Sealed, seal, seal_bytes, unb64
from kiosk.clock import StationClock, boot_id
from kiosk.config import Located
from kiosk.devices import open_camera, open_thermometer
from kiosk.eyes import Eyes
from kiosk.inputs import AnyTouch, CheckPin, DirectoryArrived, LinkChanged, MovementsArrived
from kiosk.journal import Journal, JournalUnavailable
from kiosk.loop import Loop
from kiosk.rules.temperature import TemperatureRule
from kiosk.scanner import Scanner
from kiosk.senses import Senses
from kiosk.state import Setup
from kiosk.uplink import Uplink, UplinkSettings, load_kept_directory
from kiosk.view import Snapshot
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
        self._pins = PasswordHasher()
        self.journal = Journal(located.data, boot=boot_id(), clock=self._clock.journal_now)
        self.loop = Loop(
            _setup(located), self.journal, seal=self._seal, check_pin=self._pin_is_right, take_photo=self._take_photo,
            say=lambda _sentence: None, on_committed=self._committed, clock=self._clock.now,
        )  # fmt: skip
        self.uplink = Uplink(
            self.journal, _uplink_settings(located), vitals=self.loop.vitals, on_directory=self._directory_came,
            on_movements=lambda movements: self.loop.post(MovementsArrived(movements)), on_command=self._answer,
            on_config=self._settings_came, software=SOFTWARE,
        )  # fmt: skip
        self.eyes = Eyes(open_camera(located), Scanner(), self.loop.post)
        self.senses = Senses(open_thermometer(located), self.journal.probe, self.loop.post)

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
        return self.eyes.picture()

    def run(self, stop: threading.Event) -> None:
        """Guard the gate until `stop` is set."""
        kept = load_kept_directory(self.journal)
        screen = self.located.settings.screen
        with ExitStack() as stack:
            stack.callback(self.journal.close)
            stack.callback(self._say_goodbye)
            self.loop.start()
            stack.callback(self.loop.close)
            if kept is not None:
                self._directory_came(kept)
            for part in (self.uplink, self.senses, self.eyes):
                part.start()
                stack.callback(part.close)
            stack.callback(serve(create_app(self), screen.host, screen.port).close)
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
        self.loop.post(DirectoryArrived(directory))

    def _seal(self, personal: Personal) -> Sealed:
        return seal(personal, *self._sealing)

    def _pin_is_right(self, asked: CheckPin) -> bool:
        try:
            return self._pins.verify(asked.pin_hash, pin_secret(asked.pin, asked.token))
        except (VerificationError, InvalidHashError):
            return False

    def _take_photo(self, _purpose: str) -> str | None:
        picture = self.eyes.picture(width=1280)
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

    def _answer(self, command: Command) -> CommandReply:
        if command.name is CommandName.SELFTEST:
            shown = self.snapshot()
            faults = [f"{device}: {shown.device_details.get(device, '')}" for device, ok in shown.devices.items() if not ok]
            return CommandReply(id=command.id, ok=not faults, detail="; ".join(faults)[:500] or "all devices answer")
        return CommandReply(id=command.id, ok=False, detail=f"this station can't do {command.name}")

    def _settings_came(self, config: Config) -> None:
        log.warning("settings from the hub are not used by this version: %s", ", ".join(config.settings) or "none")


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
        temperature=TemperatureRule(offset_celsius=settings.thermometer.offset_celsius), software=SOFTWARE,
    )  # fmt: skip


def _uplink_settings(located: Located) -> UplinkSettings:
    hub, place = located.settings.hub, located.settings.place
    return UplinkSettings(
        station=place.station, compound=place.compound, host=hub.host, port=hub.port, username=place.station,
        password=hub.password, ca_file=located.folder / hub.ca_file if hub.ca_file else None, hub_keys=located.hub_keys,
    )  # fmt: skip
