"""One gate: a real station process, the emulated world before it, somebody who acts there, and somebody who reads the screen."""

import http.client
import json
import os
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from contract import passes
from contract.passes import Pass, PassKind
from tests.faults.ledger import Ledger, now
from tests.faults.processes import Program

_SHOWN_SECONDS = 2.0
_RETRY_SECONDS = 0.01
_IN_THE_WAY = timedelta(seconds=0.5)
"""An act this short before the station was lost may have been for the next one."""


class _Entry(msgspec.Struct):
    id: str


class Seen(msgspec.Struct):
    """What of a snapshot the harness looks at."""

    n: int
    entries: tuple[_Entry, ...]
    backlog: int
    online: bool
    journal_problem: str | None
    devices: dict[str, bool]
    roster: int = 0


_decode = msgspec.json.Decoder(Seen)


class Issuer:
    """Issues passes as the hub does, a new one for each act."""

    def __init__(self, compound: str, kid: str, private: bytes) -> None:
        self._compound, self._kid, self._private = compound, kid, private

    def token(self) -> tuple[str, str]:
        """A new resident's pass: its id and its text."""
        at, id_ = now(), os.urandom(16).hex()
        claims = Pass(
            id=id_, issuer="gp", kind=PassKind.RESIDENT, not_before=at - timedelta(days=1), expires=at + timedelta(days=30),
            compounds=(self._compound,), name="王*明", dwelling="3号501",
        )  # fmt: skip
        return id_, passes.issue(claims, self._kid, self._private)


class Gate:
    """A station under load. `act` touches and scans; what the page then shows as done goes into the ledger."""

    def __init__(self, folder: Path, port: int, station: str, issuer: Issuer, variants: tuple[Any, ...] = ()) -> None:
        self.folder, self.ledger, self._port = folder, Ledger(station), port
        self.data, self.config = folder / "data", folder / "kiosk.toml"
        self.program = Program("station", self.config, folder / "kiosk.log", variants)
        self._issuer, self._scanned = issuer, 0
        self.seen: Seen | None = None
        self._lost_at = now()
        self.up = threading.Event()
        self._stop, self._looked = threading.Event(), threading.Condition()
        self._quiet = threading.Event()
        self._driver: threading.Thread | None = None
        self._watcher: threading.Thread | None = None
        (folder / "world").mkdir(exist_ok=True)
        self._play("")

    def watch(self) -> None:
        """Begin to read the screen, whether the station runs or not."""
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def drive(self, seed: int, pause: float = 0.03) -> None:
        """Begin to act, again and again, a random while up to twice `pause` apart, until `quiet`."""
        self._driver = threading.Thread(target=self._drive, args=(random.Random(seed), pause), daemon=True)
        self._quiet.clear()
        self._driver.start()

    def quiet(self) -> int:
        """Act no more; returns how many acts there were."""
        self._quiet.set()
        if self._driver is not None:
            self._driver.join()
        return self.ledger.acts

    def act(self, chance: random.Random) -> bool:
        """Somebody shows a pass, or the volunteer touches the screen; whether the page has shown a new entry in time."""
        act = chance.choice((self._scan, self._scan, self._scan, self._emergency, self._walked))
        before = act()
        return self.ledger.wait_beyond(before, _SHOWN_SECONDS)

    def wait(self, until: Callable[[Seen], bool], seconds: float) -> bool:
        """Wait for the screen to show something."""
        with self._looked:
            return self._looked.wait_for(lambda: self.up.is_set() and self.seen is not None and until(self.seen), seconds)

    def close(self) -> None:
        """End what acts and looks, then the station."""
        self._stop.set()
        self.quiet()
        self.program.kill()
        if self._watcher is not None:
            self._watcher.join()

    def _drive(self, chance: random.Random, pause: float) -> None:
        while not self._quiet.is_set():
            if self.up.wait(0.2):
                self.act(chance)
                self._quiet.wait(chance.uniform(0, 2 * pause))

    def _scan(self) -> int:
        pass_id, text = self._issuer.token()
        before = self.ledger.acting(pass_id)
        self._scanned += 1
        self._play(text)
        return before

    def _emergency(self) -> int:
        before = self.ledger.acting()
        self._touch("emergency")
        return before

    def _walked(self) -> int:
        before = self.ledger.acting()
        self._touch("unchecked")
        return before

    def _play(self, text: str) -> None:
        fresh = self.folder / "world" / ".scanner.json"
        fresh.write_text(json.dumps({"text": text, "n": self._scanned}), encoding="utf-8")
        fresh.replace(self.folder / "world" / "scanner.json")

    def _touch(self, action: str) -> None:
        origin = f"http://127.0.0.1:{self._port}"
        headers = {"Content-Type": "application/json", "X-Gatepost": "1", "Origin": origin}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=3)
        with suppress(OSError, http.client.HTTPException):  # it was killed: then nothing is shown, and nothing confirmed
            connection.request("POST", "/touch", json.dumps({"action": action}), headers)
            connection.getresponse().read()
        connection.close()

    def _watch(self) -> None:
        while not self._stop.is_set():
            with suppress(OSError, http.client.HTTPException):
                self._follow()
            if self.up.is_set():
                self._lost_at = now()
                self.up.clear()
            self._stop.wait(_RETRY_SECONDS)

    def _follow(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=4)
        try:
            connection.request("GET", "/events")
            answer = connection.getresponse()
            while not self._stop.is_set() and (line := answer.readline()):
                if line.startswith(b"data: {"):
                    self._look(_decode.decode(line[6:]))
        finally:
            connection.close()

    def _look(self, seen: Seen) -> None:
        self.ledger.shown(one.id for one in seen.entries)
        if not self.up.is_set():
            self.ledger.gone(self._lost_at - _IN_THE_WAY)
        with self._looked:
            self.seen = seen
            self._looked.notify_all()
        self.up.set()
