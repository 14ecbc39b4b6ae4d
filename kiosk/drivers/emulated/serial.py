"""A serial line with a module at its end: a real pseudo-terminal, and a thread that plays the module."""

import os
import queue
import select
import shutil
import tempfile
import threading
import tty
from pathlib import Path

from kiosk.drivers.emulated.gy_modules import ModuleModel
from kiosk.drivers.emulated.scene import Scene, World
from kiosk.drivers.serial_line import SerialLine

PERIOD_SECONDS = 0.1
"""Between two frames sent unasked, and between two looks at the world's file."""


class EmulatedSerial:
    """A module at the end of a pseudo-terminal; `path` is where a driver opens it, and is gone while the line is hung up.

    Plays a folder's `thermometer.json`, or what a test shows it. One thread owns the module and the terminal.
    """

    def __init__(self, model: ModuleModel, folder: Path | None = None) -> None:
        self.model = model
        self._world = World(folder) if folder is not None else None
        self._home = Path(tempfile.mkdtemp(prefix="gatepost-serial-"))
        self.path = self._home / "tty"
        self._ends: tuple[int, int] | None = None
        self._shown: queue.SimpleQueue[tuple[Scene, threading.Event]] = queue.SimpleQueue()
        self._woken, self._wake = os.pipe()
        self._stop = threading.Event()
        self._follow()
        self._thread = threading.Thread(target=self._play, name="emulated-serial", daemon=True)
        self._thread.start()

    def show(self, scene: Scene) -> None:
        """Turns the module to another scene; returns when nothing of the earlier one can be sent any more."""
        done = threading.Event()
        self._shown.put((scene, done))
        os.write(self._wake, b"!")
        done.wait()

    def close(self) -> None:
        """Ends the thread and takes the terminal away."""
        if self._stop.is_set():
            return
        self._stop.set()
        os.write(self._wake, b"!")
        self._thread.join()
        self._hang_up()
        os.close(self._woken)
        os.close(self._wake)
        shutil.rmtree(self._home)

    def _play(self) -> None:
        while not self._stop.is_set():
            line = [self._ends[0]] if self._ends else []
            ready, _, _ = select.select([self._woken, *line], [], [], PERIOD_SECONDS)
            if self._woken in ready:
                os.read(self._woken, 64)
            self._follow()
            if self._ends is None:
                continue
            if self._ends[0] in ready:
                self._send(self.model.hear(os.read(self._ends[0], 256)))
            elif not ready:
                self._send(self.model.speak())

    def _follow(self) -> None:
        """Becomes what the world or a test says: another scene, the line hung up or there again."""
        scene = self._world.news() if self._world else None
        if scene is not None:
            self.model.show(scene)
        shown: list[threading.Event] = []
        while not self._shown.empty():
            scene, done = self._shown.get()
            self.model.show(scene)
            shown.append(done)
        if self.model.fault == "hang_up":
            self._hang_up()
        elif self._ends is None:
            self._come_up()
        for done in shown:
            done.set()

    def _come_up(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._ends = master, slave
        self.path.symlink_to(os.ttyname(slave))

    def _hang_up(self) -> None:
        if self._ends is not None:
            self.path.unlink()
            for end in self._ends:
                os.close(end)
            self._ends = None

    def _send(self, said: bytes) -> None:
        if self._ends is None:
            return
        try:
            os.write(self._ends[0], said)
        except BlockingIOError:
            # Nobody reads and the terminal is full: a line without flow control loses it.
            return


class EmulatedLine(SerialLine):
    """A serial line of a driver's with its own emulated module, closed with it."""

    def __init__(self, model: ModuleModel, folder: Path | None = None) -> None:
        self.emulator = EmulatedSerial(model, folder)
        super().__init__(str(self.emulator.path))

    def close(self) -> None:
        """Closes the port and takes the module away."""
        super().close()
        self.emulator.close()
