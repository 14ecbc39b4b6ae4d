"""Clocks that are wrong: out of step from boot until later, ahead and stepped back, lost again, cut off before any of that.

The harness knows when everything was, by a clock that no fault touches.
"""

import json
import random
import threading
from collections.abc import Callable
from datetime import timedelta

from tests.faults import judging
from tests.faults.gate import Gate
from tests.faults.rig import Rig, rig, until
from tests.faults.rows import Row

_LOAD_SECONDS = (0.8, 1.6)
_SLACK = timedelta(seconds=0.25)
"""The station's own synchronisation is noticed with a tick of its loop, a fifth of a second."""
_YEAR, _DAY, _HOUR = 365.25 * 86_400, 86_400.0, 3_600.0


class Wrong:
    """A gate whose clock is told what to say."""

    def __init__(self, made: Rig, station: str) -> None:
        place = made.folder / station
        place.mkdir(parents=True, exist_ok=True)
        self._file = place / "clock.json"
        self.says(0.0, synced=True)
        variant = ("injected:clock_from", {"path": str(self._file)})
        self.gate: Gate = made.gate(station, more='clock = "kernel"\n', variants=(variant,))

    def says(self, wrong_by: float, *, synced: bool) -> None:
        """From now on: so many seconds ahead, and whether it counts as in step."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps({"wrong_by": wrong_by, "synced": synced}), encoding="utf-8")
        fresh.replace(self._file)

    def boots(self) -> None:
        """Started, or cut off and started again."""
        self.gate.program.kill()
        until("the screen is gone", lambda: not self.gate.up.is_set())
        self.gate.program.start()
        until("the gate goes on", self.gate.up.is_set)


def never_until_later(one: Wrong, load: Callable[[], None], chance: random.Random) -> None:
    """The clock begins years ago, out of step, and is put right while people pass."""
    one.says(-chance.uniform(1, 50) * _YEAR, synced=False)
    one.boots()
    load()
    one.says(0.0, synced=True)
    load()


def ahead_and_back(one: Wrong, load: Callable[[], None], chance: random.Random) -> None:
    """Out of step and ahead by days; then it is stepped back."""
    one.says(chance.uniform(0.1, 30) * _DAY, synced=False)
    one.boots()
    load()
    one.says(0.0, synced=True)
    load()


def lost_again(one: Wrong, load: Callable[[], None], chance: random.Random) -> None:
    """In step, then out of step and wrong within the same boot."""
    one.says(0.0, synced=True)
    one.boots()
    load()
    one.says(chance.choice((-1, 1)) * chance.uniform(1, 48) * _HOUR, synced=False)
    load()
    one.says(0.0, synced=True)
    load()


def cut_before(one: Wrong, load: Callable[[], None], chance: random.Random) -> None:
    """Out of step for a whole boot, cut off before it ever was in step; the next boot is."""
    one.says(-chance.uniform(1, 50) * _YEAR, synced=False)
    one.boots()
    load()
    one.boots()
    load()
    one.says(0.0, synced=True)
    load()


def ahead_and_trusted(one: Wrong, load: Callable[[], None], chance: random.Random) -> None:
    """Ahead by hours though it says that it is in step; then it is stepped back."""
    one.says(chance.uniform(0.5, 48) * _HOUR, synced=True)
    one.boots()
    load()
    one.says(0.0, synced=True)
    load()


_WAYS = (never_until_later, ahead_and_back, lost_again, cut_before, ahead_and_trusted)


def run(seed: int, many: int, ways: tuple[Callable[..., None], ...] = _WAYS) -> Row:
    """Each way `many` / 5 times, each at a gate of its own; now with the network there, now cut off from it until the end."""
    with rig(len(ways)) as made:
        made.broker.start()
        made.ingest.start()
        gates = [Wrong(made, station) for station in made.stations]
        for one in gates:
            one.gate.watch()
            one.boots()
        made.publish_directory()
        for turn in range(max(1, many // len(ways))):
            offline = turn % 2 == 1
            if offline:
                made.broker.stop(kill=True)
            players = [
                threading.Thread(target=_play, args=(way, one, random.Random(f"{seed} {turn} {way.__name__}")))
                for way, one in zip(ways, gates, strict=True)
            ]
            for player in players:
                player.start()
            for player in players:
                player.join()
            if offline:
                made.broker.start()
        made.settle()
        acts = sum(one.gate.ledger.acts for one in gates)
        unsure = made.query("SELECT count(*) FROM events WHERE kind = 'entry' AND clock = 'unsynced'")[0][0]
        note = f"{acts} acts, {unsure} of them never dated: from when to when they were"
        return judging.row(made, "station's clock wrong, stepped or unsynced", many, note, slack=_SLACK)


def _play(way: Callable[..., None], one: Wrong, chance: random.Random) -> None:
    def load() -> None:
        one.gate.drive(chance.randrange(2**32))
        threading.Event().wait(chance.uniform(*_LOAD_SECONDS))
        one.gate.quiet()

    way(one, load, chance)
