"""One gate post of the demonstration: a station's process, its world, its cable and whoever plays there."""

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from hub.demo.cast import Cast
from hub.demo.morning import Morning
from hub.demo.relay import Relay
from hub.demo.touch import Finger
from hub.demo.world import World
from hub.processes import Child


@dataclass(frozen=True)
class Post:
    """Everything of one station that a hand can reach."""

    id: str
    gate_name: str
    compound_name: str
    address: str
    child: Child
    world: World
    relay: Relay
    finger: Finger
    cast: Cast
    morning: Morning
    turns: Iterator[int] = field(default_factory=itertools.count)

    def hold_up(self, which: str) -> None:
        """Hold up a chosen pass, with a healthy forehead."""
        self.morning.step_aside()
        tokens, style = self.cast.choose(which, next(self.turns))
        self.world.feel(object_celsius=self.world.thermometer["ambient_celsius"] + 13.0)
        self.world.show(*tokens, style=style)

    def sign_on(self) -> None:
        """Sign the volunteer on; takes seconds, so in a thread of its own."""
        self.morning.volunteer_wanted = True
        self._play(self.morning.sign_on)

    def sign_off(self) -> None:
        """Sign the volunteer off, and leave the gate without one."""
        self.morning.volunteer_wanted = False
        self.finger.touch("sign_off")

    def check_desk(self) -> None:
        """Hold the desk's code of the day before the camera."""
        self._play(self.morning.check_desk)

    def play(self, on: bool) -> None:
        """Let the morning go on by itself, or stop it."""
        self.morning.playing = on

    def _play(self, scene: object) -> None:
        self.morning.step_aside()
        threading.Thread(target=scene, daemon=True).start()  # type: ignore[arg-type]
