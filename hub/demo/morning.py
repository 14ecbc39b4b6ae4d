"""A quiet morning at one gate, played by itself: a volunteer signs on, the desk is checked, residents come and go."""

import itertools
import random
import threading
import time
from collections.abc import Callable

from hub.demo.cast import Cast, Person
from hub.demo.touch import Finger, Snapshot
from hub.demo.world import AIR_CELSIUS, FOREHEAD_CELSIUS, World

PAUSE_BETWEEN = (4.0, 9.0)


class Morning(threading.Thread):
    """Plays one station's visitors until stopped; steps aside while somebody plays by hand."""

    def __init__(
        self, world: World, finger: Finger, cast: Cast, visitors: list[Person], codes: Callable[[], tuple[str, str]], seed: int
    ) -> None:
        super().__init__(name=f"morning-{seed}", daemon=True)
        self.world, self.finger, self.cast, self._codes = world, finger, cast, codes
        self._random = random.Random(seed)
        self._visitors = itertools.cycle(self._random.sample(visitors, len(visitors)))
        self._stop_asked = threading.Event()
        self._aside_until = 0.0
        self.volunteer_wanted = True
        self.playing = True

    def step_aside(self, seconds: float = 25) -> None:
        """Leave the gate to the hand for a while."""
        self._aside_until = time.monotonic() + seconds

    def stop(self) -> None:
        """End the morning."""
        self._stop_asked.set()

    def run(self) -> None:
        """One turn after another: duty first, then the next resident; from when the station can tell a pass."""
        self.finger.wait(lambda s: _present(s, "passes"), 60, self._stop_asked)
        while not self._stop_asked.wait(0.3):
            if not self._ours():
                continue
            seen = self.finger.look()
            if seen is not None and not self._duty(seen):
                self._somebody()
                self._stop_asked.wait(self._random.uniform(*PAUSE_BETWEEN))

    def sign_on(self) -> bool:
        """The volunteer holds up the badge and types the PIN."""
        badge = self.cast.badge
        self._step_back()
        self.world.show(badge.token, style="paper", seed=7)
        asked = self.finger.wait(lambda s: s["phase"] == "pin", 8, self._stop_asked)
        self.world.nobody()
        if asked is None:
            return False
        self.finger.touch("pin", pin=badge.pin)
        return self.finger.wait(lambda s: s["volunteer"] is not None, 8, self._stop_asked) is not None

    def check_desk(self) -> bool:
        """The volunteer holds the desk's code of the day before the camera."""
        self._step_back()
        self.finger.touch("checklist", item="desk")
        if self.finger.wait(lambda s: s["phase"] == "checklist", 4, self._stop_asked) is None:
            return False
        self.world.show(self._codes()[0], style="paper", seed=11)
        done = self.finger.wait(lambda s: _present(s, "desk"), 10, self._stop_asked)
        self.world.nobody()
        return done is not None

    def _step_back(self) -> None:
        """Nobody in view for long enough that a code held up again is a new one."""
        self.world.nobody()
        self._stop_asked.wait(2.0)

    def _duty(self, seen: Snapshot) -> bool:
        """What the volunteer does before the next resident; True when something was done."""
        if seen["volunteer"] is None:
            return self.volunteer_wanted and (self.sign_on() or True)
        if seen["volunteer"]["ask"]:
            return self.finger.touch("confirm_duty")
        return not _present(seen, "desk") and (self.check_desk() or True)

    def _ours(self) -> bool:
        """Whether the gate is the morning's: what a hand holds up in the middle of a scene is not taken away again."""
        return self.playing and time.monotonic() >= self._aside_until

    def _somebody(self) -> None:
        air = self.world.thermometer["ambient_celsius"]
        self.world.show(
            next(self._visitors).token,
            style=self._random.choice(["phone", "paper"]),
            seed=self._random.randrange(1000),
        )
        seen = self.finger.wait(lambda s: s["phase"] in ("measuring", "outcome"), 6, self._stop_asked)
        if self._ours() and seen is not None and seen["phase"] == "measuring":
            self.world.feel(
                object_celsius=round(FOREHEAD_CELSIUS + 0.15 * (air - AIR_CELSIUS) + self._random.uniform(-0.4, 0.4), 2)
            )
            self.finger.wait(lambda s: s["phase"] == "outcome", 8, self._stop_asked)
        self._stop_asked.wait(1.0)
        if self._ours():
            self.world.nobody()


def _present(seen: Snapshot, item: str) -> bool:
    return any(one["item"] == item and one["present"] for one in seen["items"])
