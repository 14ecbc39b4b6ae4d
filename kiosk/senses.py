"""The thread that feels: it reads the thermometer, and asks the journal whether it can still be written."""

import threading
from collections.abc import Callable

from kiosk.drivers.base import SelfTest, Thermometer
from kiosk.inputs import DeviceReport, Input, Measured

PERIOD_SECONDS = 0.2
JOURNAL_SECONDS = 15.0


class Senses:
    """Posts a measurement five times a second, and the journal's state every quarter of a minute."""

    def __init__(self, thermometer: Thermometer | None, probe: Callable[[], str | None], post: Callable[[Input], None]) -> None:
        self._thermometer, self._probe, self._post = thermometer, probe, post
        self._stop, self._reading = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._watch_journal, name="journal-probe", daemon=True)]
        if thermometer is not None:
            self._threads.append(threading.Thread(target=self._feel, name="thermometer", daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop, and close the thermometer."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)
        if self._thermometer is not None:
            self._thermometer.close()

    def selftest(self) -> SelfTest:
        """The thermometer's test of itself, between two reads; while it lasts nobody is measured."""
        if self._thermometer is None:
            return SelfTest("thermometer", True, "none configured: figures are typed")
        with self._reading:
            return self._thermometer.selftest()

    def _feel(self) -> None:
        assert self._thermometer is not None
        while not self._stop.wait(PERIOD_SECONDS):
            with self._reading:
                value = self._thermometer.read()
            self._post(Measured(value))

    def _watch_journal(self) -> None:
        while True:
            problem = self._probe()
            self._post(DeviceReport("journal", problem is None, problem or ""))
            if self._stop.wait(JOURNAL_SECONDS):
                return
